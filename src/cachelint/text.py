"""Strings from pages and file names, escaped so that they can be printed anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

# control characters, lone surrogates, line and paragraph separators, characters that change the
# direction of text or hide, and two noncharacters that XML forbids
_UNSAFE = (
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)


_SURROGATES = "[\ud800-\udfff]"
_COMMAND = r"#(?=#[A-Za-z]*\[)#"
"""What begins a command anywhere in a log: `##[` on GitHub, `##vso[` on Azure, `##teamcity[`."""


def escape_unsafe(text: str) -> str:
    """Escape what could control a terminal or a CI service, hide, or change the text around it."""
    if not (text.isascii() and text.isprintable()):
        text = re.sub(_UNSAFE, _escape, text)
    return escape_commands(text, "\\x23")


def escape_commands(text: str, escaped: str) -> str:
    """Write ``escaped`` instead of the second `#` of whatever a CI service takes as a command."""
    if "##" not in text:
        return text
    return re.sub(_COMMAND, lambda _: f"#{escaped}", text)


def find_commands(text: str) -> set[int]:
    """Return the index of the second `#` of each command of a CI service."""
    return {match.end() - 1 for match in re.finditer(_COMMAND, text)} if "##" in text else set()


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file's name that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return {9: "\\t", 10: "\\n", 13: "\\r"}.get(code, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def encodable(text: str) -> str:
    """Escape only lone surrogates, so that ``text`` can be written as UTF-8."""
    return re.sub(_SURROGATES, _escape, text)


def clip(text: str, width: int) -> str:
    """Cut ``text`` to ``width`` characters, the last an ellipsis where something was cut."""
    return text if len(text) <= width else f"{text[: width - 1]}…"


# ------------------------------------------------------------------------------- columns

_EMOJI_STYLE = "\ufe0f"
"""Makes a character that can be text or a picture a picture, which takes two columns."""


def display_width(text: str) -> int:
    """Count the columns that ``text``, which is escaped, takes in a terminal."""
    if text.replace("…", "").isascii():  # nearly every excerpt is cut
        return len(text)
    return sum(_columns(cluster) for cluster in clusters(text))


def clusters(text: str) -> Iterator[str]:
    """Yield each character with those behind it that take no column of their own."""
    start = 0
    for index, character in enumerate(text):
        if index and not _is_bare(character):
            yield text[start:index]
            start = index
    if text:
        yield text[start:]


def _is_bare(character: str) -> bool:
    """Return whether a character is drawn on the one before it: marks, and vowels of Hangul."""
    if character <= "\x7f":
        return False
    from unicodedata import category  # which hardly a page needs

    return (category(character) in ("Mn", "Me") or "\u1160" <= character <= "\u11ff"
            or "\ud7b0" <= character <= "\ud7ff")


def _columns(cluster: str) -> int:
    base = cluster[0]
    if _is_bare(base):
        return 0
    from unicodedata import east_asian_width

    if east_asian_width(base) in "WF":
        return 2
    return 2 if _EMOJI_STYLE in cluster and (not base.isalpha() or base == "\u2139") else 1


def common_prefix(left: Sequence[str], right: Sequence[str]) -> int:
    """Count the characters or lines that are the same at the beginning of both."""
    return next((n for n, (a, b) in enumerate(zip(left, right, strict=False)) if a != b),
                min(len(left), len(right)))


def edit_distance(left: str, right: str, most: int) -> int:
    """Count the characters to insert, delete, replace or swap that make one string of the other.

    Counts to ``most`` at the furthest: a larger distance is ``most + 1``.
    """
    far = most + 1
    if abs(len(left) - len(right)) > most:
        return far
    start = common_prefix(left, right)
    left, right = left[start:], right[start:]
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        above, before, row = before, row, [min(i, far)] + [far] * len(right)
        # what is further from the diagonal is further than `most`
        for j in range(max(1, i - most), min(len(right), i + most) + 1):
            b = right[j - 1]
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, above[j - 2] + 1)
            row[j] = cost
        if min(row) > most:
            return far
    return min(row[-1], far)


_LONGEST_NAME = 64
"""Longer names are not compared, and none with more than 250 others."""


def nearest_name(name: str, known: Iterable[str], most: int = 2) -> str | None:
    """Return the known name that ``name`` is probably meant for, at most ``most`` edits away.

    Of names that are equally near, it is the one that begins alike; None where none is near.
    """
    if len(name) > _LONGEST_NAME:
        return None
    near = [(edit_distance(name, word, most), -common_prefix(name, word), word)
            for word in islice(known, 250) if len(word) <= _LONGEST_NAME]
    # a name of two letters is not meant for any other of two letters
    near = [each for each in near if each[0] <= most and each[0] < len(each[2])]
    return min(near)[2] if near else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the clause that suggests the nearest known name; empty where none is near."""
    nearest = nearest_name(name, known)
    return "" if nearest is None else f'did you mean "{nearest}"?'


_MOST_LINES = 500
"""So many lines that differ are compared each with each, whose time grows with their square."""


def changed_lines(old: list[str], new: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """Yield where old lines differ from new ones: begin and end of each stretch in both."""
    start = common_prefix(old, new)
    end, new_end = len(old), len(new)
    while end > start and new_end > start and old[end - 1] == new[new_end - 1]:
        end, new_end = end - 1, new_end - 1
    if max(end, new_end) - start <= _MOST_LINES:
        from difflib import SequenceMatcher

        matcher = SequenceMatcher(None, old[start:end], new[start:new_end], autojunk=False)
        for operation, first, last, new_first, new_last in matcher.get_opcodes():
            if operation != "equal":
                yield start + first, start + last, start + new_first, start + new_last
    elif end == new_end:
        for at in range(start, end):
            if old[at] != new[at]:
                yield at, at + 1, at, at + 1
    else:
        yield start, end, start, new_end


def ordinal(number: int) -> str:
    """Write the position of an item, from 1: `1st`, `2nd`, `13th`, `1,002nd`."""
    endings = {1: "st", 2: "nd", 3: "rd"}
    ending = "th" if number % 100 in (11, 12, 13) else endings.get(number % 10, "th")
    return f"{number:,}{ending}"


def plural(number: int, noun: str) -> str:
    """Write a number with its noun: `1 page`, `1,225 pages`."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun[:-1]}ies" if noun.endswith("y") else f"{number:,} {noun}s"
