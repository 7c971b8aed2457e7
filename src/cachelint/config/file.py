"""The configuration file: find it, read it, validate it, join it with options."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cachelint.document.strict_json import unescape_token
from cachelint.files import read_write
from cachelint.files.paths import display_path, exists, leaves
from cachelint.files.read_write import Unreadable
from cachelint.model import CachelintError, NamedTuple, SchemaErrorKind, Severity
from cachelint.rules.selection import (
    FileIgnore,
    Settings,
    every_code_of,
    nearest,
    select_rules,
    specificity,
)

if TYPE_CHECKING:
    from cachelint.config.toml_lines import Node

FILES = ("cachelint.toml", ".cachelint.toml", "pyproject.toml")
MAX_SIZE = 1 << 20
"""Bytes of a configuration file."""
MAX_GLOBS = 1 << 16
"""Characters of all patterns of ``exclude``, and of all of ``per-file-ignores``."""

Read = Callable[[str, int], "bytes | Unreadable | None"]
"""Reads at most so many bytes of a file; None if there is no such file, or a folder."""


def read_now(path: str, limit: int) -> bytes | Unreadable | None:
    """Read a file as it is now; one that is a link stays in the folder of the link."""
    if not os.path.lexists(path) or os.path.isdir(path):
        return None
    if leaves(path, (os.path.realpath(os.path.dirname(path)),)):
        return Unreadable("CL100", "it is a link that leads out of its folder")
    return read_write.read(path, limit)


def find(start: str = ".", read: Read = read_now) -> str | None:
    """Return the nearest configuration file in ``start`` or a folder above it, if there is one."""
    folder = os.path.abspath(start)  # without following links
    while True:
        for name in FILES:
            path = os.path.join(folder, name)
            raw = read(path, MAX_SIZE)
            if raw is not None and (name != "pyproject.toml" or _has_table(path, raw)):
                return path
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def find_for(roots: Callable[[], list[str]], read: Read = read_now) -> str | None:
    """Return the configuration file of a run over catalogs, if there is one.

    It is the nearest upwards of the working directory, or else of the catalogs, which
    ``roots`` finds.

    Raises CachelintError if the catalogs have different ones.
    """
    path = find(read=read)
    if path is not None:
        return path
    found = {find(root, read): root for root in reversed(roots())}
    if len(found) > 1:
        (one, root), (other, other_root) = sorted(found.items(), key=lambda item: item[1])[:2]
        raise CachelintError(
            f"the catalogs {root} and {other_root} have different configurations, {_name(one)} and "
            f"{_name(other)}: check them one by one, or use --config FILE")
    return next(iter(found), None)


def _name(path: str | None) -> str:
    return "none" if path is None else display_path(path)


def _has_table(path: str, raw: bytes | Unreadable) -> bool:
    """Return whether a ``pyproject.toml`` configures this program.

    One that is too large, or invalid and mentions the program, is reported when it is loaded.
    """
    if isinstance(raw, Unreadable):
        return raw.is_too_large
    if b"cachelint" not in raw:
        return False  # the usual case, and by far the quickest
    try:
        tool = _parse(path, _decode(path, raw)).get("tool")
    except CachelintError:
        return True
    return isinstance(tool, dict) and "cachelint" in tool


class File(NamedTuple):
    """A configuration file that was read and is valid."""

    path: str
    """Relative to the working directory; empty if there is no file."""
    data: dict[str, Any]
    """The settings, by key."""
    text: str = ""
    table: tuple[str, ...] = ()
    """The keys above the settings: ``tool`` and ``cachelint`` in a ``pyproject.toml``."""

    def line(self, *key: str | int) -> int:
        """Return the line, from 1, of a setting, or of something in it."""
        return _locate(self.text).find((*self.table, *key)).line

    def locate(self, *key: str | int) -> str:
        """Return file and line, as an editor's terminal makes a link of them."""
        return f"{self.path}:{self.line(*key)}"

    def baseline(self, read: Read = read_now) -> str | None:
        """Return the path of the baseline, relative to the working directory, if one is set.

        Raises CachelintError if it cannot be read, or is outside the folder of this file.
        """
        named = self.data.get("baseline")
        if named is None:
            return None
        folder = os.path.dirname(self.path)
        path = display_path(os.path.join(folder, named))
        if (os.path.isabs(named) or ".." in os.path.normpath(named).split(os.sep)
                or leaves(os.path.dirname(path), (os.path.realpath(folder),))):
            raise self.fault(f'baseline "{named}" is outside the folder of this file: move it '
                             "there, or use --baseline", "baseline")
        raw = read(path, 1)
        if raw is None:
            raise self.fault(f"baseline {path} does not exist: create it with cachelint check "
                             f"--write-baseline {path}", "baseline")
        if isinstance(raw, Unreadable) and not raw.is_too_large:
            raise self.fault(f"cannot read the baseline {path}: {raw.message}", "baseline")
        return path

    def rule_names(self) -> Iterator[tuple[str, tuple[str | int, ...]]]:
        """Yield each code, name or prefix of rules, with its key."""
        for option in ("select", "ignore", "extend-select"):
            for number, name in enumerate(self.data.get(option, ())):
                yield name, (option, number)
        for name in self.data.get("severity", {}):
            yield name, ("severity", name)
        for glob, names in self.data.get("per-file-ignores", {}).items():
            for number, name in enumerate(names):
                yield name, ("per-file-ignores", glob, number)

    def fault(self, message: str, *key: str | int) -> CachelintError:
        """Make the error that names a mistake and its location."""
        return CachelintError(f"{self.locate(*key)}: {message}")


NO_FILE = File("", {})
"""Used where nothing is configured."""


@lru_cache(maxsize=4)
def _locate(text: str) -> Node:
    from cachelint.config import toml_lines  # which most runs do not need

    return toml_lines.locate(text)


def _read_named(path: str, limit: int) -> bytes | Unreadable | None:
    """Read a file that the user named, through a link too."""
    return read_write.read(path, limit) if exists(path) else None


def load(path: str, read: Read = _read_named) -> File:
    """Read a configuration file, by default also through a link, and validate it.

    Raises CachelintError, with the file, the line and the nearest right key.
    """
    path = display_path(path)
    text = _decode(path, read(path, MAX_SIZE))
    data: Any = _parse(path, text)
    table: tuple[str, ...] = ()
    if os.path.basename(path) == "pyproject.toml":
        for key in ("tool", "cachelint"):
            table = (*table, key)
            data = data.get(key, {})
            if not isinstance(data, dict):
                raise File(path, {}, text).fault(f"{key} is not a table", *table)
    file = File(path, data, text, table)
    _validate(file)
    return file


def _decode(path: str, raw: bytes | Unreadable | None) -> str:
    if raw is None:
        raise CachelintError(f"{path}: configuration file does not exist")
    if isinstance(raw, Unreadable):
        reason = raw.message if not raw.is_too_large else (
            f"it is larger than {MAX_SIZE:,} bytes; --config FILE uses another file")
        raise CachelintError(f"{path}: cannot read the configuration: {reason}")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise CachelintError(f"{path}:{line}: the configuration is not valid UTF-8") from None


def _parse(path: str, text: str) -> dict[str, Any]:
    """Parse TOML. Raises CachelintError with file and line."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    if any(line.count(".") >= _MANY_DOTS for line in text.split("\n")):
        _check_depth(path, text)
    try:
        return tomllib.loads(text)
    except RecursionError:
        _check_depth(path, text)
        raise CachelintError(f"{path}:1: invalid TOML: values are nested too deep") from None
    except ValueError as error:
        raise CachelintError(f"{path}:{_explain(error, text)}") from None


_MANY_DOTS = 60
"""So many in one line may be a key whose parsing takes time that grows with their square."""


def _check_depth(path: str, text: str) -> None:
    """Raise CachelintError if a key or a value is nested deeper than the parser should see."""
    from cachelint.config import toml_lines  # which most runs do not need

    try:
        toml_lines.locate(text)
    except toml_lines.TooDeepError as error:
        raise CachelintError(f"{path}:{error.line}: {error}: use fewer") from None


def _explain(error: ValueError, text: str) -> str:
    """Return the line of a parser's error, and what is wrong there."""
    message = str(error)
    lines = text.split("\n")
    if "integer string conversion" in message:  # the parser does not know its line
        line = next((number for number, each in enumerate(lines, 1) if len(each) > 4300), 1)
        return f"{line}: invalid TOML: a number is too long"
    # the parser reports the line, or the end of the document
    found = re.search(r" \(at (?:line ([0-9]+), column [0-9]+|end of document)\)", message)
    number = found[1] if found and found[1] else len(text.rstrip("\n").split("\n"))
    message = message.replace(found[0], "") if found else message
    return f"{number}: invalid TOML: {message[:1].lower()}{message[1:]}"


def _validate(file: File) -> None:
    from cachelint.document import schema

    data = file.data
    for error in schema.validate("configuration", data):
        key = _key_of(data, error.pointer)
        if error.kind is SchemaErrorKind.UNKNOWN_KEY:
            if key[0] == "tool":
                raise file.fault("[tool.cachelint] is for pyproject.toml: in this file, write the "
                                 "settings at the top level", *key)
            known = schema.load("configuration")["properties"]
            raise file.fault(f'unknown setting "{key[0]}"{nearest(str(key[0]), known)}', *key)
        raise file.fault(error.message + _advice(data, key), *key)
    _validate_globs(file)
    seen: dict[tuple[frozenset[str], int], str] = {}
    for name, key in file.rule_names():
        try:
            codes = every_code_of(name)
        except CachelintError as error:
            raise file.fault(f"in {key[0]}: {error}", *key) from None
        if key[0] == "severity" and codes:
            other = seen.setdefault((codes, specificity(name)), name)
            if other != name:
                raise file.fault(f"in severity: {name} and {other} are the same", *key)


def _validate_globs(file: File) -> None:
    ignores: dict[str, list[str]] = file.data.get("per-file-ignores", {})
    for key, globs in (("exclude", file.data.get("exclude", ())), ("per-file-ignores", ignores)):
        if sum(map(len, globs)) > MAX_GLOBS:
            raise file.fault(f"the patterns of {key} have more than {MAX_GLOBS:,} characters: use "
                             "fewer", key)
    if "" in ignores:
        raise file.fault("in per-file-ignores: a pattern is empty", "per-file-ignores", "")


def _key_of(data: Any, pointer: str) -> tuple[str | int, ...]:
    """Turn a JSON Pointer into what leads to a value: items of lists by number."""
    key: list[str | int] = []
    for token in pointer.split("/")[1:]:
        key.append(int(token) if isinstance(data, list) else unescape_token(token))
        data = data[key[-1]]
    return tuple(key)


_OFF = ("off", "ignore", "none", "disable", "disabled", "false", "0")


def _advice(data: dict[str, Any], key: tuple[str | int, ...]) -> str:
    """Return what to do instead of a wrong severity: a clause to append, or nothing."""
    if len(key) != 2 or key[0] != "severity":
        return ""
    value = data["severity"][str(key[1])]
    if str(value).lower() in _OFF:
        return ": to skip a rule, add it to ignore"
    return nearest(str(value).lower(), [level.value for level in Severity])


def join_settings(file: Mapping[str, Any], options: Mapping[str, Iterable[str]]) -> Settings:
    """Join a configuration file and the options of a command line, which win.

    Both may have ``select``, ``ignore`` and ``extend-select``; both values of the last one apply.
    """
    select = options.get("select") or file.get("select")
    chosen = select_rules(
        select,
        options.get("ignore") or file.get("ignore", ()),
        [*file.get("extend-select", ()), *options.get("extend-select", ())],
    )
    default = Settings()
    return Settings(
        chosen,
        tuple(file.get("exclude", default.exclude)),
        frozenset(file.get("mutable-tags", default.mutable_tags)),
        file.get("root-stack", default.root_stack),
        tuple(file.get("mirror-urls", default.mirror_urls)),
        file.get("max-page-size", default.max_page_size),
        tuple(FileIgnore(glob, name)
              for glob, names in file.get("per-file-ignores", {}).items() for name in names),
        tuple((name, Severity(level)) for name, level in file.get("severity", {}).items()))
