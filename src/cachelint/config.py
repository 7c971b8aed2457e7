"""What the user wants: the configuration file, and which rules run."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from cachelint.model import CachelintError
from cachelint.rules import ALL_RULES, Rule

FILES = ("cachelint.toml", ".cachelint.toml", "pyproject.toml")


DEFAULT_RULES = frozenset(rule.code for rule in ALL_RULES if rule.default)


class Settings(NamedTuple):
    """Everything that decides what is checked and how. It can be sent to another process."""

    selected: frozenset[str] = DEFAULT_RULES
    """Codes of the rules that run."""
    exclude: tuple[str, ...] = ()
    mutable_tags: frozenset[str] = frozenset({"develop"})
    root_stack: str = "root"
    mirror_urls: tuple[str, ...] = ("https://binaries.spack.io",)
    max_page_size: int = 8 * 1024 * 1024
    """Bytes."""

    def excludes(self, path: str) -> bool:
        """Say whether ``path``, relative to its catalog's root, is to be left out."""
        return bool(self.exclude) and _matcher(self.exclude).fullmatch(path) is not None


@lru_cache(maxsize=8)
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


def find(start: str = ".") -> Path | None:
    """Find the configuration file that holds for ``start``: the nearest upwards."""
    folder = Path(os.path.abspath(start))  # noqa: PTH100 - without following links
    for parent in (folder, *folder.parents):
        for name in FILES:
            path = parent / name
            if path.is_file() and (name != "pyproject.toml" or _has_table(path)):
                return path
    return None


def _has_table(path: Path) -> bool:
    """Say whether a ``pyproject.toml`` configures this program, as far as it can be told."""
    try:
        text = path.read_bytes()
    except OSError:
        return False
    return re.search(rb"^\s*\[\s*tool\s*\.\s*cachelint\s*[].]", text, re.MULTILINE) is not None


def read(path: Path) -> dict[str, Any]:
    """Read a configuration file, and hold it to its schema.

    Raises CachelintError, which names the file, the line and the nearest right key.
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise CachelintError(f"{path}: the configuration cannot be read: {why}") from None
    except tomllib.TOMLDecodeError as error:
        raise CachelintError(f"{path}: not TOML: {error}") from None
    if path.name == "pyproject.toml":
        for key in ("tool", "cachelint"):
            data = data.get(key, {})
            if not isinstance(data, dict):
                raise CachelintError(f"{path}: {key} is no table")
    _validate(path, text, data)
    return data


def _validate(path: Path, text: str, data: Any) -> None:
    from cachelint import schema

    for breach in schema.breaches("configuration", data):
        key = breach.pointer.split("/")[1] if breach.pointer else ""
        place = f"{path}:{_line_of(text, key)}"
        if breach.code == "CL202":
            known = schema.load("configuration")["properties"]
            raise CachelintError(f"{place}: there is no setting {key!r}{nearest(key, known)}")
        raise CachelintError(f"{place}: {breach.message}")
    for key in ("select", "ignore", "extend-select"):
        for name in data.get(key, ()):
            try:
                codes_of(name)
            except CachelintError as error:
                raise CachelintError(f"{path}:{_line_of(text, key)}: in {key}: {error}") from None


def _line_of(text: str, key: str) -> int:
    """Find the line on which a key is set, from 1."""
    own = re.search(r"^\s*\[\s*tool\s*\.\s*cachelint\s*[].]", text, re.MULTILINE)
    pattern = re.compile(
        rf"""^[ \t]*\[*(?:tool\.cachelint\.)?["']?{re.escape(key)}["']?\s*[=.\]]""", re.MULTILINE)
    found = pattern.search(text, own.start() if own else 0)
    return text.count("\n", 0, found.end()) + 1 if found else 1


def nearest(name: str, known: Iterable[str]) -> str:
    """Suggest the known name that is nearest: a clause to append, or nothing."""
    import difflib  # for mistakes alone

    close = difflib.get_close_matches(name, list(known), 1, 0.5)
    return f" (is it {close[0]}?)" if close else ""


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


def _specificity(name: str) -> int:
    upper = name.upper()
    if upper == "ALL":
        return 2
    return len(upper) if re.fullmatch("CL[0-9]*", upper) else 5


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
    return Settings(**values)


def selected_rules(chosen: Settings) -> tuple[Rule, ...]:
    """Return the rules that run, by code."""
    return tuple(rule for rule in ALL_RULES if rule.code in chosen.selected)
