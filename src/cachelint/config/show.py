"""Every setting, with its value and its source, in TOML."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from cachelint.config.file import FILES, File
from cachelint.model import NamedTuple
from cachelint.rules import ALL_RULES
from cachelint.rules.selection import Settings, severities
from cachelint.text import plural

_WIDTH = 80


class GivenOption(NamedTuple):
    """The value of an option of the command line, and its source."""

    name: str
    """As it is written: ``--jobs``."""
    value: Any
    origin: str
    """``command line``, or an environment variable; empty where it was not given."""


def write(file: File, settings: Settings, options: Iterable[GivenOption]) -> Iterator[str]:
    """Write the settings, the options of the run, and which rules run, line by line."""
    given = {option.name.removeprefix("--"): option for option in options}
    yield f"# Configuration file: {file.path or 'none'}\n"
    yield "# (searched for here and in the folders above, then from the catalog upwards:\n"
    yield f"# {', '.join(FILES)})\n\n"
    for key, default in _defaults().items():
        value, origin = default, "default"
        if key in file.data:
            value, origin = file.data[key], file.locate(key)
        option = given.pop(key, None)
        if option is not None and option.origin and option.value:
            value = list(option.value) if isinstance(default, list) else option.value
            if key == "extend-select" and key in file.data:
                value, origin = [*file.data[key], *value], f"{origin}, {option.origin}"
            else:
                origin = option.origin
        if value is None:
            yield f"# {key} is not set  # {origin}\n"
        else:
            yield _setting(key, value, origin)
    for table in ("per-file-ignores", "severity"):
        yield f"\n[{table}]\n"
        for key, value in file.data.get(table, {}).items():
            yield _setting(key, value, file.locate(table, key))
    yield "\n# Options of this run\n"
    width = max(len(name) for name in given)
    for name, option in given.items():
        value = _value_of_option(option.value)
        yield f"#   --{name:<{width}}  {value:<8}  {option.origin or 'default'}".rstrip() + "\n"
    yield from _rules(settings)


def _defaults() -> dict[str, Any]:
    """Return the settings that are not tables, with their defaults."""
    own = Settings()
    return {
        "select": ["ALL"], "ignore": [], "extend-select": [], "exclude": list(own.exclude),
        "baseline": None, "mutable-tags": sorted(own.mutable_tags), "root-stack": own.root_stack,
        "mirror-urls": list(own.mirror_urls), "max-page-size": own.max_page_size,
    }


def _setting(key: str, value: Any, origin: str) -> str:
    """Write one setting and its origin, on one line where they fit."""
    name = key if re.fullmatch("[A-Za-z0-9_-]+", key) else toml(key)
    line = f"{name} = {toml(value)}"
    if len(f"{line}  # {origin}") <= _WIDTH:
        return f"{line}  # {origin}\n"
    if len(line) > _WIDTH and isinstance(value, list):
        line = "\n".join([f"{name} = [", *[f"    {toml(item)}," for item in value], "]"])
    return f"# {origin}\n{line}\n"


def toml(value: Any) -> str:
    """Write a value as TOML, in printable characters only."""
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    text = json.dumps(value, ensure_ascii=False)
    return "".join(each if each.isprintable() else f"\\U{ord(each):08X}" for each in text)


def _value_of_option(value: Any) -> str:
    if value is None or value == ():
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        value = [":".join(item) if isinstance(item, tuple) else item for item in value]
    return toml(value).strip('"')


def _rules(settings: Settings) -> Iterator[str]:
    """List the rules that run, with their severities, and those that do not run."""
    levels = severities(settings.severity)
    runs = [rule for rule in ALL_RULES if rule.code in settings.selected]
    width = max(len(rule.name) for rule in ALL_RULES)
    yield f"\n# {plural(len(runs), 'rule')} run\n"
    for rule in runs:
        level = levels.get(rule.code, rule.severity)
        note = "" if level is rule.severity else f"  (by default: {rule.severity.value})"
        yield f"#   {rule.code} {rule.name:<{width}}  {level.value}{note}\n"
    others = [rule for rule in ALL_RULES if rule.code not in settings.selected]
    if others:
        yield f"\n# {plural(len(others), 'rule')} {'does' if len(others) == 1 else 'do'} not run\n"
    for rule in others:
        note = "" if rule.default else "  off by default"
        yield f"#   {rule.code} {rule.name:<{width}}{note}".rstrip() + "\n"
