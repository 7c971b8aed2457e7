"""`github`: annotations for GitHub Actions, the other findings as lines of the log, the totals.

GitHub keeps ten annotations of a level for a step, and drops the others silently. Where a level has
more findings, nine of them are annotated, from as many rules as possible, and the tenth annotation
counts the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from cachelint.model import Finding, Report, Severity
from cachelint.output.formats import (
    FIXABLE,
    WIDTH,
    Style,
    folder_in,
    in_checkout,
    list_counts,
    totals,
)
from cachelint.rules.base import url_of
from cachelint.text import clip, escape_unsafe, plural

LIMIT = 10
"""Number of annotations of a level that GitHub shows for a step."""
_FEW_RULES = 2
"""With at most so many rules, findings that are not annotated are counted by file too."""
_FILES = 5
_RULES = 20


def write(report: Report, _: Style) -> Iterator[str]:
    """Write each finding once, as a workflow command or as a plain line of the log."""
    folder = folder_in("GITHUB_WORKSPACE")
    shown: set[int] = set()
    hidden: list[tuple[Severity, list[Finding]]] = []
    for level in Severity:
        numbers = [number for number, finding in enumerate(report.findings)
                   if finding.severity is level]
        chosen = _chosen([report.findings[number].code for number in numbers])
        shown.update(numbers[index] for index in chosen)
        others = [report.findings[number] for number in numbers if number not in shown]
        if others:
            hidden.append((level, others))
    for number, finding in enumerate(report.findings):
        yield _command(finding, folder) if number in shown else _line(finding)
    for level, others in hidden:
        yield f"::{level.value} title=cachelint::{_data(_others(level, others))}\n"
    yield totals(report) + "\n"


def _chosen(codes: Sequence[str]) -> set[int]:
    """Choose which findings of a level are annotated: the first of each rule, then the first."""
    if len(codes) <= LIMIT:
        return set(range(len(codes)))
    first: dict[str, int] = {}
    for index, code in enumerate(codes):
        first.setdefault(code, index)
    # both are in order already; a dict keeps it and drops what comes again
    return set(list(dict.fromkeys([*first.values(), *range(LIMIT)]))[: LIMIT - 1])


def _others(level: Severity, others: Sequence[Finding]) -> str:
    """Count the findings of a level that have no annotation of their own."""
    rules = Counter(f"{finding.code} {finding.name}" for finding in others)
    text = f"... and {plural(len(others), f'more {level.value}')}: "
    text += list_counts(rules, _RULES, "rule")
    if len(rules) <= _FEW_RULES:
        files = Counter(finding.path for finding in others)
        text += f"; in {plural(len(files), 'file')}: {list_counts(files, _FILES, 'file')}"
    return f"{text}; the log has them all"


def _command(finding: Finding, folder: str) -> str:
    place = {
        "title": f"{finding.code} {finding.name}",
        "file": in_checkout(folder, finding.path),
        "line": finding.line,
        "endLine": finding.end_line,
    }
    if finding.end_line == finding.line:
        # GitHub takes columns for one line only, and counts the last one in
        last = max(finding.column, finding.end_column - 1)
        place |= {"col": finding.column, "endColumn": last}
    properties = ",".join(f"{key}={_property(str(value))}" for key, value in place.items())
    # the log shows only the message, so it must name its position too
    message = f"{_text(finding)}, see {url_of(finding.code)}"
    return f"::{finding.severity.value} {properties}::{_data(message)}\n"


def _line(finding: Finding) -> str:
    """Write a line that cannot be a command: it begins with the severity, whatever the path is."""
    return f"{finding.severity.value}: {escape_unsafe(_text(finding))}\n"


def _text(finding: Finding) -> str:
    fixable = FIXABLE if finding.fixable else ""
    place = f"{finding.path}:{finding.line}:{finding.column}"
    return f"{place}: {finding.code} {clip(finding.message, WIDTH)}{fixable}"


def _data(text: str) -> str:
    return escape_unsafe(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
