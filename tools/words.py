"""Find words that the project does not use in its code: docstrings, comments, messages and names.

    python tools/words.py [FILE]...

prints each of them, and a count. The words are those of tools/prose/prh.yml, which the prose linter
reads for the documentation.
"""

from __future__ import annotations

import ast
import io
import json
import re
import sys
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
VOCABULARY = ROOT / "tools" / "prose" / "prh.yml"

# whose strings are messages; the strings of tests and benchmarks are data
_WITH_MESSAGES = ("src", "tools", ".github", "action.yml", "ci", ".ci")


class Word(NamedTuple):
    """A pattern of words to avoid, with what to write instead."""

    pattern: re.Pattern[str]
    instead: str
    examples: tuple[tuple[str, str], ...]


class Use(NamedTuple):
    """One word to avoid, where it is used."""

    path: str
    line: int
    word: str
    instead: str

    def __str__(self) -> str:
        """Return one line as compilers print it."""
        return f"{self.path}:{self.line}: {self.word!r}: use {self.instead}"


def load_words() -> list[Word]:
    """Read the vocabulary."""
    rules = YAML(typ="safe").load(VOCABULARY)["rules"]
    return [Word(_compile(rule["pattern"]), rule["expected"],
                 tuple((spec["from"], spec["to"]) for spec in rule["specs"]))
            for rule in rules]


def _compile(literal: str) -> re.Pattern[str]:
    """Compile a regular expression that is written as in JavaScript, `/…/i`."""
    body, flags = literal.removeprefix("/").rsplit("/", 1)
    return re.compile(body, re.IGNORECASE if flags == "i" else 0)


def find_files() -> list[Path]:
    """List the files with code and messages."""
    folders = ("src", "tests", "tools", "benchmarks", "examples", "fuzz")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    files += (ROOT / "src").rglob("*.html")
    files += (ROOT / "schemas").glob("*.json")
    files += [ROOT / "action.yml", ROOT / ".pre-commit-hooks.yaml", ROOT / ".ci" / "run"]
    files += [*(ROOT / "ci").glob("*.yml"), *(ROOT / ".github").rglob("*.yml")]
    return sorted(path for path in files if "node_modules" not in path.parts)


def find_uses(path: Path, words: list[Word]) -> list[Use]:
    """Find the words to avoid in one file."""
    shown = path.relative_to(ROOT).as_posix()
    found = []
    for line, prose in _prose_of(path, shown.startswith(_WITH_MESSAGES)):
        plain = re.sub(r"(`+).*?\1", lambda code: re.sub(r"[^\n]", "·", code[0]), prose,
                       flags=re.DOTALL)
        for word in words:
            found += [Use(shown, line + plain.count("\n", 0, match.start()), match[0], word.instead)
                      for match in word.pattern.finditer(plain)]
    return sorted(found)


def _prose_of(path: Path, has_messages: bool) -> Iterable[tuple[int, str]]:
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return _prose_of_python(source, has_messages)
    if path.suffix == ".json":
        return ((source.count("\n", 0, source.find(json.dumps(each, ensure_ascii=False))) + 1, each)
                for each in _descriptions(json.loads(source)))
    if path.suffix == ".html":
        return [(1, re.sub(r"<[^>]*>|\{[{%].*?[%}]\}", " ", source))]
    return [(1, source)]


def _prose_of_python(source: str, has_messages: bool) -> Iterator[tuple[int, str]]:
    """Yield docstrings, comments and names of functions, and strings that are messages."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    docstrings = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            yield node.lineno, node.name.replace("_", " ")
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                docstrings.add(first.value)
        if (isinstance(node, ast.Constant) and isinstance(node.value, str)
                and " " in node.value.strip() and (has_messages or node in docstrings)):
            # names of parameters are code
            yield node.lineno, re.sub(r"(?m)^( +)\**\w+:", r"\1", node.value)


def _descriptions(schema: Any) -> Iterator[str]:
    """Yield titles and descriptions of a JSON Schema."""
    if isinstance(schema, list):
        for each in schema:
            yield from _descriptions(each)
    elif isinstance(schema, dict):
        for key, value in schema.items():
            if key in ("title", "description") and isinstance(value, str):
                yield value
            else:
                yield from _descriptions(value)


def main(arguments: list[str]) -> None:
    """Print what is found in some files, or in all."""
    words = load_words()
    paths = [Path(each).resolve() for each in arguments] or find_files()
    uses = [use for path in paths for use in find_uses(path, words)]
    print(*uses, f"{len(uses)} words in {len({use.path for use in uses})} files", sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
