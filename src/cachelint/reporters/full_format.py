"""`full`: the claim, then the place, then the evidence. For people."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from cachelint.model import Excerpt, Finding, Report, Severity
from cachelint.reporters import totals
from cachelint.text import inert

_COLOURS = {"error": "1;31", "warning": "1;33", "dim": "2", "bold": "1", "place": "34"}


def write(report: Report, colour: bool) -> Iterator[str]:
    """Write each finding with an excerpt, and the totals."""
    for finding in report.findings:
        yield render(finding, colour)
        yield "\n"
    yield totals(report) + "\n"


def render(finding: Finding, colour: bool) -> str:
    """Write one finding over several lines."""
    def paint(text: str, name: str) -> str:
        return f"\x1b[{_COLOURS[name]}m{text}\x1b[0m" if colour else text

    head = paint(f"{finding.code} {finding.name}", finding.severity.value)
    level = "warning: " if finding.severity is Severity.WARNING else ""
    fixable = paint(" [fixable]", "dim") if finding.fixable else ""
    lines = [f"{head}: {level}{inert(finding.message)}{fixable}"]
    place = f"{inert(finding.path)}:{finding.line}:{finding.column}"
    lines.append(f"  {paint('-->', 'place')} {place}")
    width = max([len(str(excerpt.line)) for excerpt in finding.excerpts] + [5])
    for number, excerpt in enumerate(finding.excerpts):
        text, carets = _marked(excerpt)
        if not number or excerpt[:2] != finding.excerpts[number - 1][:2]:
            lines.append(f"{paint(f'{excerpt.line:>{width}} |', 'place')} {text}".rstrip())
        mark = carets if not number else carets.replace("^", "-")
        label = f" {inert(excerpt.label)}" if excerpt.label else ""
        painted = paint(mark.lstrip() + label, finding.severity.value if not number else "place")
        indent = " " * (len(mark) - len(mark.lstrip()))
        lines.append(f"{paint(' ' * width + ' |', 'place')} {indent}{painted}")
    return "\n".join(lines) + "\n"


def _marked(excerpt: Excerpt) -> tuple[str, str]:
    """Return an excerpt as it is shown, and the carets that go below it."""
    # as a whole: what a runner of workflows obeys may stand across the marked part's beginning
    text = inert(excerpt.text)
    before, inside = excerpt.text[: excerpt.start], excerpt.text[excerpt.start : excerpt.end]
    if text != excerpt.text:
        before, inside = inert(before), inert(inside)
    return text, " " * columns(before) + "^" * max(1, columns(inside))


def columns(text: str) -> int:
    """Count the columns that ``text`` takes in a terminal."""
    if text.replace("…", "").isascii():  # nearly every excerpt is cut
        return len(text)
    return sum(
        0 if unicodedata.combining(character)
        else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )
