"""Strict JSON: read it without guessing, and find where each of its values is."""

from __future__ import annotations

import json
import re
from array import array
from collections import Counter
from collections.abc import Iterator
from json.decoder import JSONDecodeError
from typing import Any, NoReturn

from cachelint.model import NamedTuple

MAX_DEPTH = 100
"""How deep a page's values may be nested, the front matter itself the first (CL110)."""


# printable ASCII without a backslash, which means the same to all readers of JSON and YAML
is_plain = re.compile(r"[ -\[\]-~]*").fullmatch


class DuplicateKeyError(ValueError):
    """A duplicate key in one object: the message is the key."""


class TooDeepError(ValueError):
    """Values are nested deeper than MAX_DEPTH."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        counts = Counter(key for key, _ in pairs)
        raise DuplicateKeyError(next(key for key, count in counts.items() if count > 1))
    return result


def refuse_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity: numbers only to Python's json, and strings to YAML."""
    raise ValueError(f"{name} is not JSON")


def _integer(digits: str) -> int | float:
    try:
        return int(digits)
    except ValueError:  # more digits than Python converts
        return float(digits)


_strict = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=refuse_constant, parse_int=_integer)
_lenient = json.JSONDecoder(parse_constant=refuse_constant, parse_int=_integer)
_encode_sorted = json.JSONEncoder(sort_keys=True).encode


def dumps(value: Any, *, sort_keys: bool = False) -> str:
    """Write ``value`` as the site's generator does, ``json.dumps`` with its defaults."""
    return _encode_sorted(value) if sort_keys else json.dumps(value)


def loads(text: str) -> Any:
    """Read one strict JSON value.

    Raises DuplicateKeyError, TooDeepError, or ValueError where the text is not JSON.
    """
    repeated: DuplicateKeyError | None = None
    try:
        try:
            value = _strict.decode(text)
        except DuplicateKeyError as error:  # what follows the key need not be JSON at all
            value, repeated = _lenient.decode(text), error
    except RecursionError:
        raise TooDeepError from None
    if text.count("[") + text.count("{") >= MAX_DEPTH and _is_too_deep(value):
        raise TooDeepError
    if repeated is not None:
        raise repeated
    return value


def _is_too_deep(value: Any) -> bool:
    """Return whether ``value``, one level below the front matter, is nested over MAX_DEPTH."""
    level = [value]
    for _ in range(MAX_DEPTH - 1):
        level = [
            child
            for item in level
            if item and isinstance(item, (dict, list))
            for child in (item.values() if isinstance(item, dict) else item)
            if isinstance(child, (dict, list))
        ]
        if not level:
            return False
    return True


def escape_token(key: str) -> str:
    """Write ``key`` as one token of a JSON Pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def unescape_token(token: str) -> str:
    """Read one token of a JSON Pointer."""
    return token.replace("~1", "/").replace("~0", "~")


class Member(NamedTuple):
    """Where one member of an object or item of an array is, as offsets into the text."""

    key: str
    """The key, or the item's number."""
    key_start: int
    """-1 for an item of an array, as is ``key_end``."""
    key_end: int
    start: int
    end: int


_blanks = re.compile(r"[ \t\n\r]*").match
_colon = re.compile(r"[ \t\n\r]*:[ \t\n\r]*").match
_comma = re.compile(r"[ \t\n\r]*([,\]}])[ \t\n\r]*").match


def members(text: str, start: int) -> Iterator[Member]:
    """Yield the members of the container of valid JSON that begins at ``text[start]``.

    A value that is not a container has none.
    """
    opening = text[start]
    if opening not in "[{":
        return
    at = _end(_blanks(text, start + 1))
    if text[at] in "]}":
        return
    number = 0
    while True:
        if opening == "{":
            key_start = at
            key, key_end = _lenient.raw_decode(text, at)
            at = _end(_colon(text, key_end))
        else:
            key, key_start, key_end = str(number), -1, -1
        end = _lenient.raw_decode(text, at)[1]  # values of all levels would take gigabytes
        yield Member(key, key_start, key_end, at, end)
        number += 1
        separator = _comma(text, end)
        assert separator is not None, "the text was read as JSON before"
        if separator[1] != ",":
            return
        at = separator.end()


def _end(match: re.Match[str] | None) -> int:
    assert match is not None, "whitespace matches anywhere"
    return match.end()


class _Container:
    """What is known so far of one container, whose members are read when they are needed."""

    __slots__ = ("_ends", "_keys", "_starts", "_unread")

    def __init__(self, text: str, start: int) -> None:
        """Begin before the first member."""
        self._unread = members(text, start)
        self._starts, self._ends = array("q"), array("q")
        """Where each item of an array begins and ends, which is all that is kept of it."""
        self._keys: dict[str, Member] | None = {} if text[start] == "{" else None
        """The members of an object by key."""

    def find(self, token: str) -> Member | None:
        """Find a member by its key or number; None where there is none."""
        if self._keys is not None:
            while token not in self._keys and (member := next(self._unread, None)):
                self._keys[member.key] = member
            return self._keys.get(token)
        number = int(token) if token.isdecimal() else -1
        while number >= len(self._starts) and (member := next(self._unread, None)):
            self._starts.append(member.start)
            self._ends.append(member.end)
        if not 0 <= number < len(self._starts):
            return None
        return Member(token, -1, -1, self._starts[number], self._ends[number])


class Locator:
    """Finds values of one valid JSON text by their pointers; reads no container twice."""

    def __init__(self, text: str, start: int) -> None:
        """Look into ``text``, in which the JSON value begins at ``start``."""
        self._text = text
        self._start = start
        self._containers: dict[int, _Container] = {}
        """By where they begin."""

    def find(self, tokens: list[str]) -> Member | None:
        """Find the member at the end of the path ``tokens``; None where there is none."""
        start, member = self._start, None
        for token in tokens:
            if start not in self._containers:
                self._containers[start] = _Container(self._text, start)
            member = self._containers[start].find(token)
            if member is None:
                return None
            start = member.start
        return member


def repeated_keys(text: str, start: int, path: list[str]) -> Iterator[tuple[str, int, int]]:
    """Yield each key that its object has already, in the valid JSON that begins at ``start``.

    That is its pointer, and where the key begins and ends; ``path`` leads to the value.
    """
    seen: set[str] = set()
    for member in members(text, start):
        below = [*path, member.key]
        is_below = False
        try:
            _strict.raw_decode(text, member.start)
        except DuplicateKeyError:
            is_below = True
        if member.key in seen or (is_below and len(below) >= _DEEP):
            pointer = "".join(f"/{escape_token(token)}" for token in below)
            key_start, key_end = member.key_start, member.key_end
            yield (pointer, key_start, key_end) if key_start >= 0 else (
                pointer, member.start, member.start + 1)
        if is_below and len(below) < _DEEP:
            yield from repeated_keys(text, member.start, below)
        seen.add(member.key)


_DEEP = 16
"""Repeated keys below so many containers are reported at the last of them: each level is read again
for each one above it."""


# ------------------------------------------------------------------------------- errors

_LAST_VALUE = (
    r'(?:"[^"\\]{1,30}"\s*:\s*)?(?:"[^"\\]{0,30}"|[^\s"\[\]{},:]{1,30}|[\]}])\s*\Z')


def explain_error(text: str, start: int, end: int) -> tuple[str, int]:
    """Describe why ``text[start:end]`` is not JSON, with the offset where reading stopped."""
    try:
        _lenient.decode(text[start:end])
    except JSONDecodeError as error:
        at = start + error.pos
        return _explain(error.msg, text[start:end], error.pos), at
    except ValueError as error:  # NaN and Infinity
        return str(error), start
    return "not JSON", start


def _explain(message: str, text: str, at: int) -> str:
    """Put a message of the JSON reader, which stopped at ``at``, into plain words."""
    rest = text[at : at + 1]
    before = text[max(0, at - 80) : at]
    if message.startswith("Unterminated string"):
        return "a string is not closed"
    if message.startswith("Invalid control character"):
        return f"a raw U+{ord(rest):04X} in a string"
    if message.startswith("Invalid \\"):
        return f"an invalid escape: {text[at : at + 6]}"
    if message.startswith("Extra data"):
        return f"expected nothing after the value, found {_excerpt(text, at)}"
    if not rest.strip():
        opened = text.count("[") + text.count("{") > text.count("]") + text.count("}")
        return "the line ends before the value does" if opened else "a value is missing"
    if before.rstrip().endswith(",") and rest in "]}":
        return f"a comma before {rest}"
    if rest == "'":
        return "a string in single quotes, where JSON has double quotes"
    if "',' delimiter" in message:
        last = re.search(_LAST_VALUE, before)
        return f"missing comma after {last[0].rstrip()}" if last else "missing comma"
    if "':' delimiter" in message:
        return f"missing colon after the key, found {_excerpt(text, at)}"
    if "property name" in message:
        return f"expected a key in double quotes, found {_excerpt(text, at)}"
    return f"expected a value, found {_excerpt(text, at)}"


def _excerpt(text: str, at: int) -> str:
    found = text[at : at + 20]
    return found if at + 20 >= len(text) else f"{found}…"
