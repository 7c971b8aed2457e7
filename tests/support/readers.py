"""Readers of YAML, and what each makes of a page's front matter.

A value is described as a pair: ``string``, ``integer``, ``float`` or ``other`` (a truth value, a
date, nothing) with its text, ``list`` with its items, ``mapping`` with its pairs of key and item,
or ``refused`` with the reader's message.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from ruamel.yaml import YAML

FOLDER = Path(__file__).resolve().parents[1] / "readers"
"""Where the programs in other languages are."""
NAMES = ("ruamel.yaml", "PyYAML", "PyYAML with libyaml", "Psych", "yaml", "js-yaml", "js-yaml-4")
"""``yaml`` and the last two are from npm."""

# Jekyll's own pattern: Ruby's whitespace is ASCII, and its `^` and `$` know only the line feed
_FRONT_MATTER = re.compile(
    r"\A(---[ \t\r\n\f\v]*\n(?:.|\n)*?\n?)(?:(?<=\n)|\A)(---|\.\.\.)[ \t\r\n\f\v]*?(?=\n|\Z)")


def describe(value: Any) -> list[Any]:
    """Describe a value that a Python reader returned."""
    if isinstance(value, bool):
        return ["other", str(value)]
    if isinstance(value, str):
        return ["string", str(value)]
    if isinstance(value, (int, float)):
        return ["integer" if isinstance(value, int) else "float", str(value)]
    if isinstance(value, list):
        return ["list", [describe(item) for item in value]]
    if isinstance(value, dict):
        return ["mapping", [[describe(key), describe(item)] for key, item in value.items()]]
    return ["other", str(value)]


def _describe_all(read: Callable[[str], Any], texts: Iterable[str]) -> list[list[Any]]:
    results = []
    for text in texts:
        try:
            results.append(describe(read(text)))
        except Exception as error:  # a reader may fail in ways of its own
            results.append(["refused", str(error)])
    return results


def missing() -> list[str]:
    """List the programs that are needed and not installed."""
    return [name for name in ("node", "npm", "ruby") if shutil.which(name) is None]


def install() -> None:
    """Install the readers from npm, once."""
    if not (FOLDER / "node_modules" / "yaml").is_dir():
        subprocess.run(["npm", "ci", "--silent"], cwd=FOLDER, check=True)


def front_matter(page: str) -> str:
    """Return what Jekyll gives to its YAML reader."""
    match = _FRONT_MATTER.match(page)
    return "" if match is None else match[1]


def read_all(pages: list[str]) -> list[dict[str, list[Any]]]:
    """Describe by reader what each page's front matter is.

    Args:
        pages: Whole pages, valid as UTF-8.

    Returns:
        For each page, its description by the name of the reader.
    """
    texts = [front_matter(page) for page in pages]
    results = {
        **read_in_process(texts),
        "Psych": _run(["ruby", "read.rb"], pages),
        **_run(["node", "read.mjs"], texts),
    }
    return [{name: results[name][index] for name in NAMES} for index in range(len(pages))]


def read_in_process(texts: list[str]) -> dict[str, list[list[Any]]]:
    """Describe by reader, of those in Python, what each of some front matters is."""
    return {
        "ruamel.yaml": _describe_all(lambda text: YAML(typ="safe", pure=True).load(text), texts),
        "PyYAML": _describe_all(lambda text: yaml.load(text, yaml.SafeLoader), texts),
        "PyYAML with libyaml": _describe_all(lambda text: yaml.load(text, yaml.CSafeLoader), texts),
    }


def _run(command: list[str], texts: list[str]) -> Any:
    done = subprocess.run(command, cwd=FOLDER, input=json.dumps(texts, ensure_ascii=False).encode(),
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def data_of(described: list[Any]) -> Any:
    """Rebuild the data of a description, for comparing: integers by value, mappings by key."""
    kind, value = described
    if kind == "integer":
        return kind, float(value)  # JavaScript has no other numbers
    if kind == "list":
        return kind, [data_of(item) for item in value]
    if kind == "mapping":
        return kind, sorted((repr(data_of(key)), data_of(item)) for key, item in value)
    return kind, value
