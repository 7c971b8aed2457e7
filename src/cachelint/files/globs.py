"""Match paths with the patterns of a `.gitignore`, in linear time whatever the patterns are."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from cachelint.model import NamedTuple

_SPECIAL = re.compile(rb"[*?\[\\]")
_STARS = re.compile(rb"\*+")
_SLASH = ord("/")
_EVERY = frozenset(range(256))
_IN_NAME = _EVERY - {_SLASH}
_ASCII = frozenset(range(128))


def _select(is_member: Callable[[str], bool]) -> frozenset[int]:
    return frozenset(code for code in _ASCII if is_member(chr(code)))


_CLASSES = {
    b"alnum": _select(str.isalnum), b"alpha": _select(str.isalpha),
    b"blank": _select(" \t".__contains__), b"cntrl": _select(lambda char: not char.isprintable()),
    b"digit": _select(str.isdigit), b"graph": _select(lambda char: "!" <= char <= "~"),
    b"lower": _select(str.islower), b"print": _select(str.isprintable),
    b"punct": _select(lambda char: "!" <= char <= "~" and not char.isalnum()),
    b"space": _select(" \t\r\n".__contains__), b"upper": _select(str.isupper),
    b"xdigit": _select("0123456789abcdefABCDEF".__contains__),
}


class _Token(NamedTuple):
    """One step of a pattern: takes one byte, or any number of bytes."""

    accepts: frozenset[int]
    repeats: bool = False


_ANY_FOLDERS = _Token(_EVERY)
"""``**/``: takes nothing, or anything that ends in a slash."""


class _Pattern(NamedTuple):
    tokens: list[_Token]
    is_negated: bool
    """Whether it begins with ``!`` and includes again what an earlier pattern matched."""
    needs_folder: bool
    """Whether it ends in a slash and matches folders only."""


class GlobList:
    """A list of patterns as `.gitignore` has them: the last one that matches decides.

    A folder that is matched takes all below it along. The patterns form one nondeterministic
    automaton whose states are the bits of an integer, so that each byte of a path takes a fixed
    number of operations on it, and no pattern can make it try again.
    """

    def __init__(self, patterns: tuple[str, ...]) -> None:
        """Compile ``patterns``, where malformed ones match nothing."""
        parsed = [_parse(pattern.encode("utf-8", "surrogateescape")) for pattern in patterns]
        size = sum(2 * len(each.tokens) + 1 for each in parsed if each) // 8 + 1
        steps, stays = ([bytearray(size) for _ in range(256)] for _ in range(2))
        self._start = self._forks = self._of_folders = self._of_files = 0
        self._owners: dict[int, int] = {}
        state = 0
        for number, each in enumerate(parsed):
            if each is not None:
                state = self._add(number, each, state, steps, stays) + 1
        self._steps = [int.from_bytes(bits, "little") for bits in steps]
        """For each byte, the states that it leads on from."""
        self._stays = [int.from_bytes(bits, "little") for bits in stays]
        """For each byte, the states in which it can be taken any number of times."""
        self._start = self._fork(self._start)
        self._enter = lru_cache(maxsize=256)(self._enter_uncached)

    def _add(self, number: int, pattern: _Pattern, state: int, steps: list[bytearray],
             stays: list[bytearray]) -> int:
        """Add the states of a pattern from ``state`` on, and return the last of them."""
        self._start |= 1 << state
        for token in pattern.tokens:
            if token is _ANY_FOLDERS:
                # this state, one for what is between, and one for what follows
                self._forks |= 1 << state
                _set(stays, state + 1, _EVERY)
                _set(steps, state + 1, frozenset({_SLASH}))
                state += 2
            elif token.repeats:
                _set(stays, state, token.accepts)
            else:
                _set(steps, state, token.accepts)
                state += 1
        self._owners[state] = ~number if pattern.is_negated else number
        self._of_folders |= 1 << state
        self._of_files |= 0 if pattern.needs_folder else 1 << state
        return state

    def matches(self, path: str) -> bool:
        """Return whether a file is matched: its relative path, or a folder on the way to it."""
        decisions = self.decide(path)
        return bool(decisions) and decisions[-1] >= 0

    def decide(self, path: str) -> list[int]:
        """Return which patterns decide on the folders on the way to a file and on the file.

        A pattern is given by its index, one that begins with ``!`` by ``~index``; where none
        matches there is no entry. The file is matched if the last entry is not negative.
        """
        head, slash, name = path.rpartition("/")
        above, slash_above, folder = head.rpartition("/")
        state, decided = self._enter(above + slash_above)
        decisions = list(decided)
        state = self._walk(state, _encode(folder + slash + name), decisions)
        if state >= 0:
            self._decide(state & self._of_files, decisions)
        return decisions

    def _enter_uncached(self, folder: str) -> tuple[int, tuple[int, ...]]:
        decisions: list[int] = []
        return self._walk(self._start, _encode(folder), decisions), tuple(decisions)

    def _walk(self, state: int, path: bytes, decisions: list[int]) -> int:
        """Return the state after ``path``; -1 if a folder that ends in it is matched."""
        if state < 0:
            return state
        steps, stays, forks = self._steps, self._stays, self._forks
        for byte in path:
            if byte == _SLASH and self._decide(state & self._of_folders, decisions):
                return -1
            state = (state & steps[byte]) << 1 | state & stays[byte]
            if state & forks:
                state = self._fork(state)
        return state

    def _fork(self, state: int) -> int:
        """Enter what follows the beginning of a ``**/``: its loop, and what comes after it."""
        forks = state & self._forks
        return state | forks << 1 | forks << 2

    def _decide(self, hits: int, decisions: list[int]) -> bool:
        """Note the last of the patterns whose final states are given; return if it matches."""
        if not hits:
            return False
        decisions.append(self._owners[hits.bit_length() - 1])
        return decisions[-1] >= 0


def explain_useless(pattern: str) -> str:
    """Return why a pattern that matches nothing does not, as a clause to append, if it is known."""
    if pattern.startswith("#"):
        return ': it is a comment, write "\\#" for a name that begins with "#"'
    if not pattern.strip("/! "):
        return ": it is empty"
    if _parse(_encode(pattern)) is None:
        return ': a "[" is not closed or has an unknown class, or nothing follows a "\\"'
    if "{" in pattern:
        return ": braces have no meaning, write one pattern for each name"
    if {".", "..", ""} & set(pattern.strip("/").split("/")):
        return ': write it relative to the catalog, without "." and ".."'
    if pattern.startswith("!"):
        return ": an earlier pattern excludes the folder around it, or nothing of it"
    return ""


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _parse(pattern: bytes) -> _Pattern | None:
    """Take a line of a `.gitignore` apart; None for one that can match nothing."""
    pattern = _strip_end(pattern)
    if pattern.startswith(b"#"):
        return None
    is_negated = pattern.startswith(b"!")
    pattern = pattern[is_negated:]
    needs_folder = pattern.endswith(b"/")
    pattern = pattern[: len(pattern) - needs_folder]
    is_name = b"/" not in pattern
    tokens = _tokenise(pattern.removeprefix(b"/"), is_name=is_name)
    if not tokens:
        return None
    return _Pattern([_ANY_FOLDERS] * is_name + tokens, is_negated, needs_folder)


def _strip_end(pattern: bytes) -> bytes:
    """Remove spaces at the end that no backslash precedes."""
    stripped = pattern.rstrip(b" ")
    backslashes = len(stripped) - len(stripped.rstrip(b"\\"))
    return pattern[: len(stripped) + (backslashes % 2 and len(pattern) > len(stripped))]


def _tokenise(pattern: bytes, *, is_name: bool) -> list[_Token] | None:
    """Split a pattern into tokens; None if it is malformed."""
    tokens: list[_Token] = []
    at, first_special = 0, _find_special(pattern)
    while at < len(pattern):
        char = pattern[at : at + 1]
        if char == b"*":
            end = _STARS.match(pattern, at).end()  # type: ignore[union-attr]
            # git forgets what precedes the first special character, even where it is not a slash
            is_bounded = at == first_special or pattern[at - 1 : at] == b"/"
            token = _read_stars(pattern, end, is_double=end - at > 1 and is_bounded and not is_name)
            if token is not _ANY_FOLDERS:
                tokens.append(token)
            else:
                end += 1
                tokens += [token] if tokens[-1:] != [token] else []
            at = end
        elif char == b"[":
            members, at = _read_set(pattern, at)
            if not at:
                return None
            tokens.append(_Token(members & _IN_NAME))
        else:
            at += char == b"\\"
            if at == len(pattern):
                return None
            tokens.append(_Token(_IN_NAME if char == b"?" else frozenset({pattern[at]})))
            at += 1
    return tokens


def _find_special(pattern: bytes) -> int:
    match = _SPECIAL.search(pattern)
    return match.start() if match else -1


def _read_stars(pattern: bytes, end: int, *, is_double: bool) -> _Token:
    """Return what one or more stars that end at ``end`` mean."""
    if is_double and pattern[end : end + 1] == b"/":
        return _ANY_FOLDERS
    if is_double and (end == len(pattern) or pattern[end : end + 2] == b"\\/"):
        return _Token(_EVERY, repeats=True)
    return _Token(_IN_NAME, repeats=True)


def _read_set(pattern: bytes, at: int) -> tuple[frozenset[int], int]:
    """Read ``[...]`` as git does: its bytes, and where it ends; 0 if it is malformed."""
    malformed = frozenset[int](), 0
    is_negated = pattern[at + 1 : at + 2] in (b"!", b"^")
    at = start = at + 1 + is_negated
    members: set[int] = set()
    previous = -1  # where a range may begin
    while at == start or pattern[at : at + 1] != b"]":
        char, after = pattern[at : at + 1], pattern[at + 1 : at + 2]
        if char == b"[" and after == b":":
            end = pattern.find(b"]", at + 2)
            name = pattern[at + 2 : end]
            if end < 0:
                return malformed
            if name.endswith(b":"):
                if name[:-1] not in _CLASSES:
                    return malformed
                members |= _CLASSES[name[:-1]]
                at, previous = end + 1, -1
                continue
        is_range = char == b"-" and previous >= 0 and after not in (b"", b"]")
        at += is_range
        at += pattern[at : at + 1] == b"\\"
        if at >= len(pattern):
            return malformed
        members.update(range(previous if is_range else pattern[at], pattern[at] + 1))
        previous = -1 if is_range else pattern[at]
        at += 1
    return (_EVERY - members if is_negated else frozenset(members)), at + 1


def _set(masks: list[bytearray], state: int, accepted: frozenset[int]) -> None:
    index, bit = divmod(state, 8)
    for byte in accepted:
        masks[byte][index] |= 1 << bit
