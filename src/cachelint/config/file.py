"""The configuration file: find it, read it, validate it, join it with options."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from cachelint.files import discovery
from cachelint.model import CachelintError, SchemaErrorKind, Severity
from cachelint.rules.selection import (
    FileIgnore,
    Settings,
    every_code_of,
    nearest,
    select_rules,
    specificity,
)

FILES = ("cachelint.toml", ".cachelint.toml", "pyproject.toml")


def find(start: str = ".") -> str | None:
    """Find the configuration file that holds for ``start``: the nearest upwards."""
    folder = os.path.abspath(start)  # without following links
    while True:
        for name in FILES:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and (name != "pyproject.toml" or _has_table(path)):
                return path
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def _has_table(path: str) -> bool:
    """Say whether a ``pyproject.toml`` configures this program.

    One that mentions it and is no TOML is taken to, so that it is read and the fault named.
    """
    try:
        with open(path, "rb") as file:
            raw = file.read()
    except OSError:
        return False
    if b"cachelint" not in raw:
        return False  # the usual case, and much the quickest
    try:
        tool = _loads(raw.decode("utf-8")).get("tool")
    except ValueError:
        return True
    return isinstance(tool, dict) and "cachelint" in tool


def _loads(text: str) -> dict[str, Any]:
    """Read TOML. Raises ValueError."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return tomllib.loads(text)


class File(NamedTuple):
    """A configuration file that was read and found right."""

    path: str
    data: dict[str, Any]
    """The settings, by key."""
    text: str = ""
    table: tuple[str, ...] = ()
    """What leads to the settings: ``tool`` and ``cachelint`` in a ``pyproject.toml``."""

    def line(self, *key: str | int) -> int:
        """Return the line, from 1, on which a setting, or something in it, stands."""
        lines, whole = _lines(self.text), (*self.table, *key)
        return next((lines[whole[:length]] for length in range(len(whole), 0, -1)
                     if whole[:length] in lines), 1)

    def place(self, *key: str | int) -> str:
        """Return file and line, as an editor's terminal makes a link of them."""
        return f"{self.path}:{self.line(*key)}"

    def baseline(self) -> str | None:
        """Return the path of the baseline as it is shown; None where none is named.

        Raises CachelintError if it is not there.
        """
        named = self.data.get("baseline")
        if named is None:
            return None
        path = discovery.display_path(os.path.join(os.path.dirname(self.path), named))
        if not discovery.exists(path):
            raise self.fault(f"in baseline: {path}: there is no such file (cachelint check "
                             f"--write-baseline {path} makes it)", "baseline")
        return path

    def fault(self, message: str, *key: str | int) -> CachelintError:
        """Make the error that names a mistake and its place."""
        return CachelintError(f"{self.place(*key)}: {message}")


NO_FILE = File("", {})
"""What there is where nothing is configured."""


@lru_cache(maxsize=4)
def _lines(text: str) -> dict[tuple[str | int, ...], int]:
    from cachelint.config import toml_lines  # which most runs do not need

    return toml_lines.lines(text)


def read(path: str) -> File:
    """Read a configuration file, and hold it to its schema.

    Raises CachelintError, which names the file, the line and the nearest right key.
    """
    try:
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
        data: Any = _loads(text)
    except OSError as error:
        raise CachelintError(
            f"{path}: the configuration cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise CachelintError(f"{path}:{line}: the configuration is not UTF-8") from None
    except ValueError as error:
        # the reader says the line, or that it came to the end
        said = re.search(r"\(at line ([0-9]+)", str(error))
        place = said[1] if said else len(text.splitlines()) or 1
        raise CachelintError(f"{path}:{place}: not TOML: {error}") from None
    table: tuple[str, ...] = ()
    if os.path.basename(path) == "pyproject.toml":
        for key in ("tool", "cachelint"):
            table = (*table, key)
            data = data.get(key, {})
            if not isinstance(data, dict):
                raise File(path, {}, text).fault(f"{key} is no table", *table)
    file = File(path, data, text, table)
    _validate(file)
    return file


def _validate(file: File) -> None:
    from cachelint.document import schema

    data = file.data
    for breach in schema.validate("configuration", data):
        key = _key_of(data, breach.pointer)
        if breach.kind is SchemaErrorKind.UNKNOWN_KEY:
            if key[0] == "tool":
                raise file.fault("[tool.cachelint] is for pyproject.toml; here its settings stand "
                                 "at the top", *key)
            known = schema.load("configuration")["properties"]
            raise file.fault(f"there is no setting {key[0]!r}{nearest(str(key[0]), known)}", *key)
        raise file.fault(breach.message + _advice(data, key), *key)
    for option in ("select", "ignore", "extend-select"):
        for number, name in enumerate(data.get(option, ())):
            _codes_at(file, name, option, number)
    ignores: dict[str, list[str]] = data.get("per-file-ignores", {})
    for glob, names in ignores.items():
        if not glob:
            raise file.fault("in per-file-ignores: a glob is empty", "per-file-ignores", glob)
        for number, name in enumerate(names):
            _codes_at(file, name, "per-file-ignores", glob, number)
    said: dict[tuple[frozenset[str], int], str] = {}
    for name in data.get("severity", {}):
        codes = _codes_at(file, name, "severity", name)
        other = said.setdefault((codes, specificity(name)), name)
        if other != name:
            raise file.fault(f"in severity: {name} and {other} are the same", "severity", name)


def _codes_at(file: File, name: str, *key: str | int) -> frozenset[str]:
    try:
        return every_code_of(name)
    except CachelintError as error:
        raise file.fault(f"in {key[0]}: {error}", *key) from None


def _key_of(data: Any, pointer: str) -> tuple[str | int, ...]:
    """Turn a JSON Pointer into what leads to a value: items of lists by number."""
    key: list[str | int] = []
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        key.append(int(name) if isinstance(data, list) else name)
        data = data[key[-1]]
    return tuple(key)


_OFF = ("off", "ignore", "none", "disable", "disabled", "false", "0")


def _advice(data: dict[str, Any], key: tuple[str | int, ...]) -> str:
    """Say what to do instead of a wrong level of severity: a clause to append, or nothing."""
    if len(key) != 2 or key[0] != "severity":
        return ""
    value = data["severity"][str(key[1])]
    if str(value).lower() in _OFF:
        return " (to leave a rule out, name it in ignore)"
    return nearest(str(value).lower(), [level.value for level in Severity])


def join_settings(file: Mapping[str, Any], options: Mapping[str, Iterable[str]]) -> Settings:
    """Join a configuration file and the options of a command line, which win.

    Both may have ``select``, ``ignore`` and ``extend-select``; of the last, both hold.
    """
    select = options.get("select") or file.get("select")
    chosen = select_rules(
        select,
        options.get("ignore") or file.get("ignore", ()),
        [*file.get("extend-select", ()), *options.get("extend-select", ())],
    )
    values: dict[str, Any] = {"selected": chosen}
    for key, kind in (("exclude", tuple), ("mutable-tags", frozenset), ("root-stack", str),
                      ("mirror-urls", tuple), ("max-page-size", int)):
        if key in file:
            values[key.replace("-", "_")] = kind(file[key])
    values["per_file_ignores"] = tuple(
        FileIgnore(glob, name)
        for glob, names in file.get("per-file-ignores", {}).items() for name in names)
    values["severity"] = tuple(
        (name, Severity(level)) for name, level in file.get("severity", {}).items())
    return Settings(**values)


