"""The lines of a TOML file: the parser of the standard library returns only values."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterable

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MAX_KEY_PARTS = 64
"""How many parts a dotted key may have; the library's time grows with their square or cube."""
MAX_DEPTH = 64
"""How deep lists and inline tables may be nested."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'', re.DOTALL)
_SCALAR = re.compile(r"[^,\]}#\n]+")


class Node:
    """A table, key or item of a list, and the line, from 1, on which it first appears."""

    __slots__ = ("below", "is_list_of_tables", "line")

    def __init__(self, line: int) -> None:
        """Make a node with nothing below it."""
        self.line = line
        self.below: dict[str | int, Node] = {}
        """By name, items of lists by number."""
        self.is_list_of_tables = False

    def find(self, key: Iterable[str | int]) -> Node:
        """Return the node to which ``key`` leads, or the last known one on the way to it."""
        node = self
        for name in key:
            if name not in node.below:
                break
            node = node.below[name]
        return node


class TooDeepError(ValueError):
    """A file that is nested so deep that reading it would take too long."""

    def __init__(self, line: int, message: str) -> None:
        """Keep the line, from 1, at fault."""
        super().__init__(message)
        self.line = line


def locate(text: str) -> Node:
    """Locate each table, key and item of a list, in one pass over ``text``.

    ``text`` is valid TOML; of any other, some lines may be missing or wrong.

    Raises:
        TooDeepError: A key has more than `MAX_KEY_PARTS`, or values are nested deeper than
            `MAX_DEPTH`.
    """
    scanner = _Scanner(text)
    with contextlib.suppress(_NotTomlError):
        scanner.document()
    return scanner.root


class _NotTomlError(ValueError):
    """The text is not TOML."""


class _Scanner:
    """Reads a document once; ``at`` is the position of what is next."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.root = Node(1)
        self._counted, self._line = 0, 1

    def document(self) -> None:
        table = self.root
        while opening := self._next():
            if opening != "[":
                self._member(table, 0)
                continue
            is_item = self.text.startswith("[[", self.at)
            self.at += 1 + is_item
            table = self._key(self.root)
            self.at += 1 + is_item
            if is_item:
                table.is_list_of_tables = True
                table = self._add(table, len(table.below), self.at)

    def _member(self, table: Node, depth: int) -> None:
        node = self._key(table)
        self._next()
        self.at += 1  # the equals sign
        self._value(node, depth)

    def _key(self, node: Node) -> Node:
        """Read a key, dotted or not, from ``node`` on."""
        for _ in range(MAX_KEY_PARTS):
            is_quoted = self._next() in "\"'"
            if node.is_list_of_tables:
                node = node.below[len(node.below) - 1]
            start = self.at
            name = _unquote(self._take(_STRING)) if is_quoted else self._take(_BARE)
            node = self._add(node, name, start)
            if self._next() != ".":
                return node
            self.at += 1
        raise TooDeepError(node.line, f"a key has more than {MAX_KEY_PARTS} parts")

    def _value(self, node: Node, depth: int) -> None:
        opening = self._next()
        if opening in "[{":
            if depth == MAX_DEPTH:
                raise TooDeepError(node.line, f"values are nested more than {MAX_DEPTH} deep")
            self.at += 1
            self._items(node, depth + 1, is_table=opening == "{")
        else:
            self._take(_STRING if opening in "\"'" else _SCALAR)

    def _items(self, node: Node, depth: int, *, is_table: bool) -> None:
        """Read a list or an inline table."""
        while self._next() not in "]}":
            if is_table:
                self._member(node, depth)
            else:
                self._value(self._add(node, len(node.below), self.at), depth)
            if self._next() == ",":
                self.at += 1
        self.at += 1

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            raise _NotTomlError
        self.at = match.end()
        return match[0]

    def _next(self) -> str:
        """Go to the next character behind whitespace and comments, and return it."""
        blank = _BLANK.match(self.text, self.at)
        assert blank is not None
        self.at = blank.end()
        return self.text[self.at : self.at + 1]

    def _add(self, node: Node, name: str | int, at: int) -> Node:
        """Return what is below ``node``; what is new is at ``at``."""
        if name not in node.below:
            self._line += self.text.count("\n", self._counted, at)
            self._counted = at
            node.below[name] = Node(self._line)
        return node.below[name]


def _unquote(quoted: str) -> str:
    """Return the name that a quoted key means."""
    try:
        name: str = tomllib.loads(f"name = {quoted}")["name"]
    except ValueError:
        raise _NotTomlError from None
    return name
