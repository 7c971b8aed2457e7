"""`concise`: one line per finding, for editors and grep."""

from __future__ import annotations

from collections.abc import Iterator

from cachelint.model import Report, Severity
from cachelint.output.formats import Style, totals
from cachelint.text import escape_unsafe


def write(report: Report, style: Style) -> Iterator[str]:
    """Write one line per finding, and the totals."""
    for finding in report.findings:
        fixable = " [fixable]" if finding.fixable else ""
        level = "warning: " if finding.severity is Severity.WARNING else ""
        code = style.paint(finding.code, "1;33" if level else "1;31")
        path = escape_unsafe(finding.path)
        if path.lstrip().startswith(":"):
            path = f"./{path}"  # two colons at the beginning of a line, trimmed, are a command
        yield (f"{path}:{finding.line}:{finding.column}: {code} {level}"
               f"{escape_unsafe(finding.message)}{fixable}\n")
    yield totals(report) + "\n"
