"""`github`: annotations for GitHub Actions, and after them the totals."""

from __future__ import annotations

from collections.abc import Iterator

from cachelint.model import Report
from cachelint.reporters import totals
from cachelint.text import inert


def write(report: Report, colour: bool) -> Iterator[str]:
    """Write a workflow command a finding."""
    del colour
    for finding in report.findings:
        place = {
            "title": f"{finding.code} {finding.name}",
            "file": finding.path,
            "line": finding.line,
            "endLine": finding.end_line,
        }
        if finding.end_line == finding.line:
            # GitHub takes columns for one line only, and counts the last one in
            last = max(finding.column, finding.end_column - 1)
            place |= {"col": finding.column, "endColumn": last}
        properties = ",".join(f"{key}={_property(str(value))}" for key, value in place.items())
        fixable = " (fixable: run cachelint fix)" if finding.fixable else ""
        # the log shows the message alone, so that it must name its place too
        text = f"{finding.path}:{finding.line}:{finding.column}: {finding.code} {finding.message}"
        yield f"::{finding.severity.value} {properties}::{_data(text + fixable)}\n"
    yield totals(report) + "\n"


def _data(text: str) -> str:
    return inert(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
