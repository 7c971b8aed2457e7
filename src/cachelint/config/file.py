"""What the user wants: the configuration file, and which rules run."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from cachelint.files import discovery
from cachelint.model import CachelintError, Finding, Severity
from cachelint.rules import ALL_RULES, BY_CODE, Rule
from cachelint.text import common

FILES = ("cachelint.toml", ".cachelint.toml", "pyproject.toml")


DEFAULT_RULES = frozenset(rule.code for rule in ALL_RULES if rule.default)


class FileIgnore(NamedTuple):
    """A rule that is left out in some files."""

    glob: str
    """From the catalog's folder, as in ``exclude``."""
    rule: str
    """A code, name or prefix."""


class Settings(NamedTuple):
    """Everything that decides what is checked and how. It can be sent to another process."""

    selected: frozenset[str] = DEFAULT_RULES
    """Codes of the rules that run; anything else is an error."""
    exclude: tuple[str, ...] = ()
    mutable_tags: frozenset[str] = frozenset({"develop"})
    root_stack: str = "root"
    mirror_urls: tuple[str, ...] = ("https://binaries.spack.io",)
    max_page_size: int = 8 * 1024 * 1024
    """Bytes."""
    per_file_ignores: tuple[FileIgnore, ...] = ()
    severity: tuple[tuple[str, Severity], ...] = ()
    """What rules weigh instead of what they weigh by themselves, by code, name or prefix."""

    def excludes(self, path: str) -> bool:
        """Say whether ``path``, relative to its catalog's root, is to be left out."""
        return bool(self.exclude) and _matcher(self.exclude).fullmatch(path) is not None

    def ignores(self, path: str) -> tuple[FileIgnore, ...]:
        """Return those of ``per_file_ignores`` that hold for a file, as its path is shown.

        Raises CachelintError where one names no rule.
        """
        if not self.per_file_ignores:
            return ()
        below = discovery.in_catalog(path)
        return tuple(entry for entry in self.per_file_ignores
                     if _matcher((entry.glob,)).fullmatch(below) is not None)

    def runs_on(self, path: str) -> frozenset[str]:
        """Return the codes of the rules that run on a file, as its path is shown."""
        return self.selected.difference(*(every_code_of(rule) for _, rule in self.ignores(path)))


def given(settings: Settings | None) -> Settings:
    """Return the settings of a caller, the defaults where there are none.

    Raises CachelintError where ``selected`` holds what is no code.
    """
    if settings is None:
        return Settings()
    strange = settings.selected - BY_CODE.keys()
    if strange:
        name = min(strange)
        raise CachelintError(f"selected: {name!r} is no rule's code{nearest(name, BY_CODE)}")
    return settings


def settle(
    findings: list[Finding], settings: Settings, used: set[FileIgnore] | None = None
) -> list[Finding]:
    """Take out what `per-file-ignores` leaves out, and give the others their `severity`.

    What took something out is added to ``used``. To do it twice changes nothing.
    """
    if not settings.per_file_ignores and not settings.severity:
        return findings
    levels = severities(settings.severity)
    ignores: dict[str, tuple[FileIgnore, ...]] = {}
    settled = []
    for finding in findings:
        if finding.path not in ignores:
            ignores[finding.path] = settings.ignores(finding.path)
        taking = [entry for entry in ignores[finding.path]
                  if finding.code in every_code_of(entry.rule)]
        if taking:
            if used is not None:
                used.update(taking)
            continue
        level = levels.get(finding.code, finding.severity)
        settled.append(
            finding if level is finding.severity else finding._replace(severity=level))
    return settled


@lru_cache(maxsize=256)
def _matcher(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """Compile globs: `*` within a name, `**` across folders, a folder with all below it."""
    return re.compile("|".join(f"(?:{_translate(pattern)})(?:/.*)?" for pattern in patterns),
                      re.DOTALL)


def _translate(pattern: str) -> str:
    pattern = pattern.removeprefix("./").rstrip("/")
    pieces = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    meaning = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    text = "".join(meaning.get(piece, re.escape(piece)) for piece in pieces)
    # as in .gitignore, a name without a slash matches at any depth
    return text if "/" in pattern else f"(?:.*/)?{text}"


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
        path = discovery.shown(os.path.join(os.path.dirname(self.path), named))
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
    for breach in schema.breaches("configuration", data):
        key = _key_of(data, breach.pointer)
        if breach.code == "CL202":
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
        other = said.setdefault((codes, _specificity(name)), name)
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


def nearest(name: str, known: Iterable[str]) -> str:
    """Suggest the known name that is nearest: a clause to append, or nothing."""
    import difflib  # for mistakes alone

    def likeness(word: str) -> tuple[float, int]:
        # of words that are equally near, the one that begins alike
        ratio = difflib.SequenceMatcher(None, name, word).ratio()
        return ratio, common(name, word)

    close = difflib.get_close_matches(name, list(known), 10, 0.5)
    return f" (is it {max(close, key=likeness)}?)" if close else ""


def codes_of(name: str) -> frozenset[str]:
    """Return the codes that a rule's code, name or prefix of a code stands for.

    Raises CachelintError, which names the nearest rule.
    """
    upper = name.upper()
    exact = [rule.code for rule in ALL_RULES if name.lower() == rule.name or upper == rule.code]
    if exact:
        return frozenset(exact)
    if upper == "ALL":
        upper = "CL"
    # a rule that is off by default is on only by its own code or name
    codes = frozenset(rule.code for rule in ALL_RULES
                      if upper and rule.code.startswith(upper) and rule.default)
    if not codes or not re.fullmatch("CL[0-9]*", upper):
        names = [word for rule in ALL_RULES for word in (rule.code, rule.name)]
        by_code = nearest(upper, names) or nearest(name.lower(), names)
        raise CachelintError(f"there is no rule {name!r}{by_code}")
    return codes


@lru_cache(maxsize=1024)
def every_code_of(name: str) -> frozenset[str]:
    """Return the codes that a name stands for where rules are left out of files or weighed.

    There a prefix takes in the rules that are off by default, too. Raises CachelintError.
    """
    codes, upper = codes_of(name), name.upper()
    if _specificity(name) == _EXACT:
        return codes
    prefix = "CL" if upper == "ALL" else upper
    return frozenset(rule.code for rule in ALL_RULES if rule.code.startswith(prefix))


@lru_cache(maxsize=8)
def severities(chosen: tuple[tuple[str, Severity], ...]) -> dict[str, Severity]:
    """Work out what rules weigh, by code; the more specific name wins, between equals the later."""
    levels: dict[str, Severity] = {}
    for name, level in sorted(chosen, key=lambda item: _specificity(item[0])):
        levels |= dict.fromkeys(every_code_of(name), Severity(level))
    return levels


def select_rules(
    select: Iterable[str] | None, ignore: Iterable[str], extend_select: Iterable[str]
) -> frozenset[str]:
    """Work out which rules run.

    The more specific name wins, so that `--ignore CL5 --extend-select CL503` keeps CL503; between
    equals, ignoring does. ``select`` of None stands for the default rules.
    """
    strength: dict[str, int] = {}
    chosen = [*(select if select is not None else ()), *extend_select]
    for name in chosen:
        for code in codes_of(name):
            strength[code] = max(strength.get(code, 0), _specificity(name))
    if select is None:
        for rule in ALL_RULES:
            if rule.default:
                strength.setdefault(rule.code, 0)
    for name in ignore:
        for code in codes_of(name):
            if strength.get(code, -1) <= _specificity(name):
                strength.pop(code, None)
    return frozenset(strength)


_EXACT = 5
"""How specific the code or the name of one rule is; a prefix is as specific as it is long."""


def _specificity(name: str) -> int:
    upper = name.upper()
    if upper == "ALL":
        return 2
    return len(upper) if re.fullmatch("CL[0-9]*", upper) else _EXACT


def settings(file: Mapping[str, Any], options: Mapping[str, Iterable[str]]) -> Settings:
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


def selected_rules(chosen: Settings) -> tuple[Rule, ...]:
    """Return the rules that run, by code."""
    return tuple(rule for rule in ALL_RULES if rule.code in chosen.selected)
