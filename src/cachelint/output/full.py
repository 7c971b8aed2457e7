"""`full`: the claim, then the place, then the evidence. For people."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from cachelint.model import Excerpt, Finding, Report, Severity
from cachelint.output.formats import totals
from cachelint.rules import BY_CODE
from cachelint.text import clusters, display_width, escape_unsafe

_COLOURS = {"error": "1;31", "warning": "1;33", "fixable": "32", "claim": "1", "place": "1;34"}
"""Red fails a run, yellow does not, green is mended by `fix`; blue is where to look."""
_WIDTH = 80
"""Columns where nothing says how many there are."""
_EXCERPT = 68
"""Columns of an excerpt at most."""
_NARROW = 60

_Part = tuple[str, str]
"""A piece of text, and the name of its colour, or nothing."""


def write(report: Report, colour: bool, width: int | None = None) -> Iterator[str]:
    """Write each finding with excerpts, and the totals.

    ``width`` is how many columns the terminal has; None where the output goes elsewhere, and
    lines of prose are left whole.
    """
    noted: set[str] = set()
    for finding in report.findings:
        is_first = finding.code not in noted and not finding.fixable
        yield render(finding, colour, width, with_note=is_first)
        yield "\n"
        if is_first:
            noted.add(finding.code)
    lines = _wrapped([(totals(report), "")], width, " " * 4)
    yield "\n".join("".join(text for text, _ in line) for line in lines) + "\n"


def render(
    finding: Finding, colour: bool, width: int | None = None, *, with_note: bool = True
) -> str:
    """Write one finding over several lines; ``with_note``, and what its rule says is to be done."""
    paint = _paint if colour else _join
    level = finding.severity.value
    claim: list[_Part] = [(f"{finding.code} {finding.name}", level), (":", "")]
    if finding.severity is Severity.WARNING:
        claim += [(f" {level}", level), (":", "")]
    claim.append((f" {escape_unsafe(finding.message)}", "claim"))
    if finding.fixable:
        claim.append((" [fixable]", "fixable"))
    lines = [paint(line) for line in _wrapped(claim, width, " " * 4)] if width else [paint(claim)]
    place = f" {escape_unsafe(finding.path)}:{finding.line}:{finding.column}"
    lines.append(paint([("  ", ""), ("-->", "place"), (place, "")]))
    last = max([excerpt.line for excerpt in finding.excerpts], default=0)
    margin = max(len(str(last)), 5 if (width or _WIDTH) >= _NARROW else 1)
    room = (width or _WIDTH) - margin - len(" | ")
    blank = (f"{'':{margin}} |", "place")
    above: tuple[Excerpt | None, str] = (None, "")
    for number, excerpt in enumerate(finding.excerpts):
        text, indent, marked = _cut(excerpt, max(8, min(_EXCERPT, room)))
        name, sign = ("place", "-") if number else (level, "^")
        shown = paint([(f"{excerpt.line:>{margin}} |", "place"), (f" {text}", "")]).rstrip()
        # two sides in one stretch of a line are marked below one another
        if above[0] is None or excerpt[:2] != above[0][:2] or shown != above[1]:
            lines.append(shown)
        above = excerpt, shown
        for blanks, mark in _marks(indent, sign * marked, escape_unsafe(excerpt.label), room):
            lines.append(paint([blank, (" " * (blanks + 1), ""), (mark, name)]))
    note = _note(finding.code) if with_note else ""
    if note:
        parts = [(f"{'':{margin}} = ", "place"), ("note:", "claim"), (f" {note}", "")]
        lines += [paint(line) for line in _wrapped(parts, width, " " * (margin + 9))]
    lines.append("")
    return "\n".join(lines)


def _join(parts: list[_Part]) -> str:
    """Put the parts of a line together without colours."""
    return "".join([text for text, _ in parts])


def _paint(parts: list[_Part]) -> str:
    """Put the parts of a line together in their colours."""
    return "".join(f"\x1b[{_COLOURS[name]}m{text}\x1b[0m" if name and text else text
                   for text, name in parts)


def _note(code: str) -> str:
    """Return what a rule's documentation says is to be done where `fix` cannot do it."""
    _, _, fix = BY_CODE[code].documentation.rpartition("\nFix: none. ")
    return " ".join(fix.split()) if fix != BY_CODE[code].documentation else ""


def _wrapped(parts: list[_Part], width: int | None, indent: str) -> Iterator[list[_Part]]:
    """Break a line between words, so that it keeps to ``width``; a longer word stays whole."""
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
    """Return the marks below an excerpt and their label, each with the blanks before it.

    The label goes behind the marks if there is room, else below them.
    """
    if not label:
        return [(indent, mark)]
    if indent + len(mark) + 1 + display_width(label) <= room:
        return [(indent, f"{mark} {label}".rstrip())]
    start = max(0, min(indent, room - display_width(label)))
    return [(indent, mark), *(
        (start, _join(line).rstrip()) for line in _wrapped([(label, "")], room - start, ""))]


def _cut(excerpt: Excerpt, room: int) -> tuple[str, int, int]:
    """Cut an excerpt to ``room`` columns around what is marked.

    Returns:
        The text as it is shown, the columns before what is marked, and the columns of that.
    """
    text = excerpt.text.replace("…", ".")
    if len(text) <= room and text.isascii() and text.isprintable() and "##[" not in text:
        return excerpt.text, excerpt.start, max(1, excerpt.end - excerpt.start)
    pieces: list[str] = []
    offsets: list[int] = []
    at = 0
    for cluster in clusters(excerpt.text):
        # what is escaped takes more columns; `##[` is broken up as a whole, not by character
        is_command = cluster == "#" and excerpt.text[at - 1 : at + 2] == "##["
        pieces.append("\\x23" if is_command else escape_unsafe(cluster))
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
    """Choose which pieces are shown: those from ``start`` to ``end``, and as many around them.

    An ellipsis stands for what is left out on either side, and takes a column.
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
