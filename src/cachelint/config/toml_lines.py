"""The lines of a TOML file: the parser of the standard library returns only values."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable

MAX_KEY_PARTS = 64
"""How many parts a dotted key may have; the library's time grows with their square or cube."""
MAX_DEPTH = 64
"""How deep lists and inline tables may be nested."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'', re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u(.{4})|U(.{8})|x(.{2})|(.))")
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b"}
_SCALAR = re.compile(r"[^,\]}#\n]*")


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
    with contextlib.suppress(IndexError):  # it ends too early, and is not TOML
        scanner.document()
    return scanner.root


class _Scanner:
    """Reads a document once; ``at`` is the position of what is next."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.root = Node(1)
        self._counted, self._line = 0, 1

    def document(self) -> None:
        table = self.root
        while self._skip_blank() < len(self.text):
            if self._peek() != "[":
                self._member(table, 0)
                continue
            is_item = self.text.startswith("[[", self.at)
            self.at += 1 + is_item
            table = self._key(self.root)
            self.at += 1 + is_item
            if is_item:
                table.is_list_of_tables = True
                table = self._add(table, len(table.below))

    def _member(self, table: Node, depth: int) -> None:
        node = self._key(table)
        self._skip_blank()
        self.at += 1  # the equals sign
        self._value(node, depth)

    def _key(self, node: Node) -> Node:
        """Read a key, dotted or not, from ``node`` on."""
        for _ in range(MAX_KEY_PARTS):
            self._skip_blank()
            if node.is_list_of_tables:
                node = node.below[len(node.below) - 1]
            node = self._add(node, *self._name())
            self._skip_blank()
            if self._peek() != ".":
                return node
            self.at += 1
        raise TooDeepError(node.line, f"a key has more than {MAX_KEY_PARTS} parts")

    def _name(self) -> tuple[str, int]:
        """Read one part of a key; return it and where it begins."""
        start = self.at
        if self._peek() in "\"'":
            self._string()
            return _unquote(self.text[start : self.at]), start
        match = _BARE.match(self.text, self.at)
        if match is None:
            raise IndexError
        self.at = match.end()
        return match[0], start

    def _value(self, node: Node, depth: int) -> None:
        self._skip_blank()
        opening = self._peek()
        if opening in "\"'":
            self._string()
        elif opening in "[{":
            if depth == MAX_DEPTH:
                raise TooDeepError(node.line, f"values are nested more than {MAX_DEPTH} deep")
            self._items(node, depth + 1)
        else:
            match = _SCALAR.match(self.text, self.at)
            assert match is not None
            if match.end() == self.at:
                raise IndexError
            self.at = match.end()

    def _items(self, node: Node, depth: int) -> None:
        """Read a list or an inline table."""
        is_table = self._peek() == "{"
        self.at += 1
        self._skip_blank()
        while self._peek() not in "]}":
            if is_table:
                self._member(node, depth)
            else:
                self._value(self._add(node, len(node.below)), depth)
            self._skip_blank()
            if self._peek() == ",":
                self.at += 1
                self._skip_blank()
        self.at += 1

    def _string(self) -> None:
        match = _STRING.match(self.text, self.at)
        if match is None:
            raise IndexError
        self.at = match.end()

    def _peek(self) -> str:
        return self.text[self.at]

    def _skip_blank(self) -> int:
        match = _BLANK.match(self.text, self.at)
        assert match is not None
        self.at = match.end()
        return self.at

    def _add(self, node: Node, name: str | int, at: int = -1) -> Node:
        """Return what is below ``node``; what is new is at ``at``, or at what is next."""
        if name not in node.below:
            at = self.at if at < 0 else at
            self._line += self.text.count("\n", self._counted, at)
            self._counted = at
            node.below[name] = Node(self._line)
        return node.below[name]


def _unquote(quoted: str) -> str:
    """Return the name that a quoted key means."""
    if quoted[0] == "'":
        return quoted[1:-1]
    try:
        return _ESCAPE.sub(_unescape, quoted[1:-1])
    except (ValueError, OverflowError):
        raise IndexError from None  # not a code point, and so not TOML


def _unescape(match: re.Match[str]) -> str:
    if match[4]:
        return _ESCAPES.get(match[4], match[4])
    return chr(int(match[1] or match[2] or match[3], 16))
