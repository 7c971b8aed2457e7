"""Where things stand in a TOML file: the reader of the standard library tells values alone."""

from __future__ import annotations

import contextlib
import re
from typing import NamedTuple

Key = tuple[str | int, ...]
"""What leads to a value: names of tables and keys, and numbers of items of lists."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'', re.DOTALL)
_SCALAR = re.compile(r"[^,\]}#\n]*")


def lines(text: str) -> dict[Key, int]:
    """Return the line, from 1, on which each table, key and item of a list first stands.

    ``text`` is sound TOML; of any other, some lines may be missing or wrong.
    """
    scanner = _Scanner(text)
    with contextlib.suppress(IndexError):  # it ends too early, and is no TOML
        scanner.document()
    return scanner.found


class _Scanner:
    """Goes through a text once; what stands at ``at`` is next."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[Key, int] = {}
        self._counted = _Counted(0, 1)

    def document(self) -> None:
        table: Key = ()
        tables: dict[Key, int] = {}  # how many of a list of tables came so far
        while self._skip_blank() < len(self.text):
            if self._peek() != "[":
                self._member(table)
                continue
            is_item = self.text.startswith("[[", self.at)
            self.at += 2 if is_item else 1
            name = self._key(tables, ())
            self.at += 2 if is_item else 1
            if is_item:
                number = tables.get(name, 0)
                tables[name] = number + 1
                name = (*name, number)
                self._note(name)
            table = name

    def _member(self, table: Key) -> None:
        key = self._key({}, table)
        self._skip_blank()
        self.at += 1  # the equals sign
        self._value(key)

    def _key(self, tables: dict[Key, int], above: Key) -> Key:
        """Read a key, dotted or not; ``tables`` says which item of a list of tables is meant."""
        key = above
        while True:
            self._skip_blank()
            start = self.at
            if self._peek() in "\"'":
                self._string()
                name = _plain(self.text[start : self.at])
            else:
                match = _BARE.match(self.text, self.at)
                if match is None:
                    raise IndexError
                self.at, name = match.end(), match[0]
            key = (*key, name)
            self._note(key, start)
            self._skip_blank()
            if self._peek() != ".":
                return key
            if key in tables:
                key = (*key, tables[key] - 1)
            self.at += 1

    def _value(self, key: Key) -> None:
        self._skip_blank()
        opening = self._peek()
        if opening in "\"'":
            self._string()
        elif opening in "[{":
            self.at += 1
            number = 0
            self._skip_blank()
            while self._peek() not in "]}":
                if opening == "{":
                    self._member(key)
                else:
                    self._note((*key, number))
                    self._value((*key, number))
                    number += 1
                self._skip_blank()
                if self._peek() == ",":
                    self.at += 1
                    self._skip_blank()
            self.at += 1
        else:
            match = _SCALAR.match(self.text, self.at)
            assert match is not None
            if match.end() == self.at:
                raise IndexError
            self.at = match.end()

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

    def _note(self, key: Key, at: int = -1) -> None:
        at = self.at if at < 0 else at
        before = self._counted
        self._counted = _Counted(at, before.line + self.text.count("\n", before.at, at))
        for length in range(1, len(key) + 1):
            self.found.setdefault(key[:length], self._counted.line)


class _Counted(NamedTuple):
    """How far lines were counted."""

    at: int
    line: int


def _plain(quoted: str) -> str:
    """Return the name that a quoted key means."""
    if quoted[0] == "'":
        return quoted[1:-1]
    escapes = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b"}
    return re.sub(
        r"\\(?:u(.{4})|U(.{8})|x(.{2})|(.))",
        lambda match: escapes.get(match[4], match[4]) if match[4]
        else chr(int(match[1] or match[2] or match[3], 16)),
        quoted[1:-1])
