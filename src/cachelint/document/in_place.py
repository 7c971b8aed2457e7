"""Change single values of `meta` in place: order, spelling and comments of all else stay."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from typing import Any

from cachelint.document.page import Page
from cachelint.document.strict_json import dumps, escape_token
from cachelint.document.summary import matches_meta
from cachelint.document.yaml import NodeSpan

_Edit = tuple[int, int, str]
"""Start and end of a stretch of the page's text, and what replaces it."""

_COLON = re.compile(r"[ \t]*:").match
_ESCAPE = re.compile(r"\\(?:u(?P<pair>d[89ab]..\\ud[c-f]..)|.)")


def without_pairs(text: str) -> str:
    """Write a character that takes two escapes as it is, in JSON: in two, Jekyll refuses it."""
    return _ESCAPE.sub(lambda each: json.loads(f'"{each[0]}"') if each["pair"] else each[0], text)


def _write(value: Any) -> str:
    return without_pairs(dumps(value))


def edit_in_place(page: Page) -> str:
    """Change only the wrong and missing values of `meta`, up to the closing line."""
    text, at = "", 0
    # of edits at one place, those that only add come first, in the order in which they were made
    edits = _edit(page, "/meta", page.meta, page.expected_meta)
    for start, end, new in sorted(edits, key=lambda edit: edit[:2]):
        text += page.text[at:start] + new
        at = end
    return text + page.text[at : page.closing_start]


def _edit(page: Page, pointer: str, value: Any, expected: Any) -> list[_Edit]:
    """Make a value equal to what is expected; what is right already keeps its spelling."""
    node = page.locate(pointer)
    assert node is not None
    in_block = page.text[node.start] not in "[{"
    if isinstance(expected, list) and isinstance(value, list):
        expected = _keep_order([item for item in value if type(item) is str], expected)
    elif isinstance(expected, dict) and isinstance(value, dict):
        expected = {key: expected[key] for key in _keep_order(list(value), list(expected))}
    if type(value) is type(expected) and isinstance(value, (dict, list)) and value and (
            in_block or pointer == "/meta" or _comments(page, node.start, node.close)):
        return _edit_items(page, pointer, value, expected, in_block=in_block)
    return [_instead(page, node, _write(expected))]


def _keep_order(actual: list[str], expected: list[str]) -> list[str]:
    """Return ``expected`` in the order of its items on the page, sorted where they were."""
    known = set(expected)
    kept = dict.fromkeys(item for item in actual if item in known)
    result = [*kept, *(item for item in expected if item not in kept)]
    return sorted(result) if actual == sorted(actual) else result


def _comments(page: Page, start: int, end: int) -> list[str]:
    """List the comments that begin in a stretch of the page's text."""
    first, last = bisect_left(page.comments, start), bisect_left(page.comments, end)
    return [page.text[at : page.text.index("\n", at)] for at in page.comments[first:last]]


def _instead(page: Page, node: NodeSpan, new: str) -> _Edit:
    """Replace a whole value by ``new``, and put comments that are in it behind it."""
    text = page.text
    start, end, lead = node.start, _end(page, node), ""
    colon = _COLON(text, node.key_end) if node.key_end >= 0 else None
    if node.key_end >= 0 and (end <= node.key_end or colon is None):
        start, end, lead = node.key_end, node.key_end, ": "  # in brackets, a key without a value
    elif colon is not None and (text[start] not in "[{" or node.start == node.close):
        start, end, lead = colon.end(), max(end, colon.end()), " "
    margin = f"\n{_indent(page, start)}  "
    comments = margin.join(_comments(page, start, end))
    if comments:
        new += f"  {comments}"
        rest = text[end : text.index("\n", end)]
        if rest.strip():
            new += margin
            end += len(rest) - len(rest.lstrip())
    return start, end, lead + new


def _end(page: Page, node: NodeSpan) -> int:
    """Find where a value ends, without the whitespace and comments behind it."""
    end = node.close
    while True:
        while page.text[end - 1].isspace():
            end -= 1
        before = bisect_left(page.comments, end)
        comment = page.comments[before - 1] if before else end
        if comment == end or page.text.find("\n", comment, end) >= 0:
            return end
        end = comment


def _indent(page: Page, at: int) -> str:
    line = page.text[page.text.rfind("\n", 0, at) + 1 :]
    return line[: len(line) - len(line.lstrip(" "))]


def _edit_items(
    page: Page, pointer: str, value: Any, expected: Any, *, in_block: bool
) -> list[_Edit]:
    """Change single items of a list or members of a mapping, in block form or in brackets.

    An item that goes leaves its comments behind. A new one is behind the item that comes
    before it in ``expected``.
    """
    node = page.locate(pointer)
    assert node is not None
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    wanted = set(expected)
    kept: dict[str, tuple[int, int]] = {}
    gone: list[tuple[int, int]] = []
    places: list[tuple[int, int]] = []
    edits: list[_Edit] = []
    for key in keys:
        place = page.locate(f"{pointer}/{escape_token(str(key))}")
        assert place is not None
        item = key if isinstance(value, dict) else value[key]
        start = place.key_start if isinstance(value, dict) else place.start
        end = max(_end(page, place), start)
        places.append((start, end))
        if type(item) is not str or item not in wanted or item in kept:
            gone.append((start, end))
            continue
        kept[item] = (start, end)
        if isinstance(value, dict) and not matches_meta(value[key], expected[item]):
            edits += _edit(page, f"{pointer}/{escape_token(item)}", value[key], expected[item])
    if in_block:
        first = page.text.rfind("\n", 0, places[0][0]) + 1
        margin = page.margin(pointer)
        if not margin:
            raise CannotFixError(f"{pointer} has a layout that has to be fixed by hand")
        edits += [_without_line(page, start, end) for start, end in gone]
    else:
        first, margin = node.start + 1, None
        edits += [_without_item(page, start, end) for start, end in gone]
    return edits + _new_items(page, pointer, expected, kept, first, margin)


def _new_items(
    page: Page, pointer: str, expected: Any, kept: dict[str, tuple[int, int]], at: int,
    margin: str | None,
) -> list[_Edit]:
    """Add what is expected and not ``kept``, from ``at`` on; ``margin`` is None in brackets."""
    edits: list[_Edit] = []
    behind = False
    for item in expected:
        if item in kept:
            at, behind = kept[item][1], True
            if margin is not None:
                at = page.text.index("\n", at) + 1
            continue
        new = _write(item)
        if isinstance(expected, dict):
            # as the other keys of `meta` are written; a stack may need its quotes
            is_bare = margin is not None and pointer == "/meta"
            new = f"{item if is_bare else new}: {_write(expected[item])}"
        if margin is not None:
            edits.append((at, at, f"{margin}{new}\n"))
        else:
            edits.append((at, at, f", {new}" if behind else f"{new}, "))
    return edits


def _without_line(page: Page, start: int, end: int) -> _Edit:
    """Take an item's lines away, and leave their comments on lines of their own."""
    first = page.text.rfind("\n", 0, start) + 1
    last = page.text.index("\n", end) + 1
    margin = " " * (start - first)
    return first, last, "".join(f"{margin}{each}\n" for each in _comments(page, first, last))


def _without_item(page: Page, start: int, end: int) -> _Edit:
    """Take an item in brackets away, with the comma behind it; its comments stay."""
    at = end
    while page.text[at] not in ",]}":
        at = page.text.index("\n", at) if page.text[at] == "#" else at + 1
    if page.text[at] != ",":
        return start, end, ""
    return start, at + 1, page.text[end:at].strip(" ")


class CannotFixError(Exception):
    """A page that has to be fixed by hand."""


