"""`full`: what is wrong, where, and an excerpt, for people."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from cachelint.model import Excerpt, Finding, Report, Severity
from cachelint.output.formats import PLAIN, Style, totals
from cachelint.rules import BY_CODE
from cachelint.rules.base import url_of
from cachelint.text import clusters, display_width, escape_unsafe, find_commands

_COLOURS = {"": "", "error": "1;31", "warning": "1;33", "fixable": "32", "claim": "1",
            "location": "1;34"}
"""Red fails a run, yellow does not, green is fixable, blue is a location."""
_WIDTH = 80
"""Columns where the stream is not a terminal."""
_EXCERPT = 68
"""Maximum width of an excerpt in columns."""
_NARROW = 60

_Part = tuple[str, str]
"""A string, and the name of its colour or an empty one."""


def write(report: Report, style: Style) -> Iterator[str]:
    """Write each finding with excerpts, and the totals."""
    noted: set[str] = set()
    for finding in report.findings:
        is_first = finding.code not in noted and not finding.fixable
        yield render(finding, style, with_advice=is_first)
        yield "\n"
        if is_first:
            noted.add(finding.code)
    yield "\n".join(_paint_lines([(totals(report), "")], style, " " * 4)) + "\n"


def render(finding: Finding, style: Style = PLAIN, *, with_advice: bool = True) -> str:
    """Write one finding over several lines, ``with_advice`` with the advice of its rule."""
    lines = _paint_lines(_claim(finding), style, " " * 4)
    if style.links:
        lines[0] = lines[0].replace(finding.code, _link(finding.code), 1)
    path = escape_unsafe(finding.path)
    lines.append(f"  {_paint(style, '-->', 'location')} {path}:{finding.line}:{finding.column}")
    last = max([excerpt.line for excerpt in finding.excerpts], default=0)
    margin = max(len(str(last)), 5 if (style.width or _WIDTH) >= _NARROW else 1)
    lines += _excerpts(finding, style, margin)
    advice = finding.help or (BY_CODE[finding.code].advice if with_advice else "")
    if advice:
        parts = [(f"{'':{margin}} = ", "location"), ("help:", "claim"),
                 (f" {escape_unsafe(advice)}", "")]
        lines += _paint_lines(parts, style, " " * (margin + 9))
    lines.append("")
    return "\n".join(lines)


def _claim(finding: Finding) -> list[_Part]:
    level = finding.severity.value
    claim: list[_Part] = [(f"{finding.code} {finding.name}", level), (":", "")]
    if finding.severity is Severity.WARNING:
        claim += [(f" {level}", level), (":", "")]
    claim.append((f" {escape_unsafe(finding.message)}", "claim"))
    if finding.fixable:
        claim.append((" [fixable]", "fixable"))
    return claim


def _excerpts(finding: Finding, style: Style, margin: int) -> Iterator[str]:
    """Yield the lines of the excerpts, each with its marks below it."""
    room = (style.width or _WIDTH) - margin - len(" | ")
    blank = _paint(style, f"{'':{margin}} |", "location")
    above: tuple[Excerpt | None, str] = (None, "")
    for number, excerpt in enumerate(finding.excerpts):
        text, indent, marked = _cut(excerpt, max(8, min(_EXCERPT, room)))
        name, sign = ("location", "-") if number else (finding.severity.value, "^")
        shown = f"{_paint(style, f'{excerpt.line:>{margin}} |', 'location')} {text}".rstrip()
        # two excerpts of the same part of a line share one line
        if above[0] is None or excerpt[:2] != above[0][:2] or shown != above[1]:
            yield shown
        above = excerpt, shown
        for spaces, mark in _marks(indent, sign * marked, escape_unsafe(excerpt.label), room):
            yield f"{blank} {' ' * spaces}{_paint(style, mark, name)}"


def _link(code: str) -> str:
    """Link a rule's code to its documentation, for terminals that show hyperlinks (OSC 8)."""
    return f"\x1b]8;;{url_of(code)}\x1b\\{code}\x1b]8;;\x1b\\"


def _paint(style: Style, text: str, name: str) -> str:
    """Return a string in the colour of a name."""
    return style.paint(text, _COLOURS[name]) if style.colour else text


def _paint_lines(parts: list[_Part], style: Style, indent: str) -> list[str]:
    """Return the parts of a line in their colours, broken as `_wrap` does."""
    return ["".join([_paint(style, text, name) for text, name in line])
            for line in _wrap(parts, style.width, indent)]


def _wrap(parts: list[_Part], width: int | None, indent: str) -> Iterator[list[_Part]]:
    """Break a line between words at ``width`` columns; a longer word is not broken."""
    if not width:
        yield parts
        return
    line: list[_Part] = []
    used = 0
    for text, name in parts:
        kept = ""
        for number, word in enumerate(text.split(" ")):
            gap = " " if number else ""
            if gap and word and used + 1 + display_width(word) > width:
                yield [*line, (kept, name)]
                line, kept, used, gap = [(indent, "")], "", len(indent), ""
            kept += gap + word
            used += len(gap) + display_width(word)
        line.append((kept, name))
    yield line


def _marks(indent: int, mark: str, label: str, room: int) -> list[tuple[int, str]]:
    """Return the marks below an excerpt and their label, each with its indentation.

    The label follows the marks if there is room, and is below them otherwise.
    """
    if not label:
        return [(indent, mark)]
    if indent + len(mark) + 1 + display_width(label) <= room:
        return [(indent, f"{mark} {label}".rstrip())]
    start = max(0, min(indent, room - display_width(label)))
    return [(indent, mark), *(
        (start, line.rstrip())
        for line in _paint_lines([(label, "")], Style(width=room - start), ""))]


def _cut(excerpt: Excerpt, room: int) -> tuple[str, int, int]:
    """Cut an excerpt to ``room`` columns around its marked part.

    Returns:
        The escaped excerpt, the columns before its marked part, and the columns of that part.
    """
    text = excerpt.text.replace("…", ".")
    if len(text) <= room and text.isascii() and text.isprintable() and not find_commands(text):
        return excerpt.text, excerpt.start, max(1, excerpt.end - excerpt.start)
    commands = find_commands(excerpt.text)
    pieces: list[str] = []
    offsets: list[int] = []
    at = 0
    for cluster in clusters(excerpt.text):
        # escapes take more columns; commands are escaped by their position, not by character
        pieces.append("\\x23" if at in commands else escape_unsafe(cluster))
        offsets.append(at)
        at += len(cluster)
    widths = [display_width(piece) for piece in pieces]
    start = bisect_right(offsets, excerpt.start) - 1 if excerpt.start < at else len(pieces)
    end = max(start, bisect_left(offsets, excerpt.end))
    first, last = _window(widths, start, end, room)
    end = min(end, last)
    before = "…" * (first > 0) + "".join(pieces[first:start])
    inside = "".join(pieces[start:end])
    after = "".join(pieces[end:last]) + "…" * (last < len(pieces))
    return before + inside + after, display_width(before), max(1, sum(widths[start:end]))


def _window(widths: list[int], start: int, end: int, room: int) -> tuple[int, int]:
    """Choose which pieces to show: those from ``start`` to ``end``, and as many around them.

    An ellipsis replaces what is omitted on either side, and takes a column.
    """
    if sum(widths) <= room:
        return 0, len(widths)

    def fits(first: int, last: int) -> bool:
        ellipses = (first > 0) + (last < len(widths))
        return sum(widths[first:last]) + ellipses <= room

    first, last = start, start
    while last < end and fits(first, last + 1):
        last += 1
    left = right = last == end
    while left or right:
        left = left and first > 0 and fits(first - 1, last)
        first -= left
        right = right and last < len(widths) and fits(first, last + 1)
        last += right
    return first, last
