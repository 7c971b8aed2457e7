"""`json`: for programs, as `report.schema.json` describes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from cachelint.model import Finding, Report
from cachelint.output.formats import Style, encode, encode_items
from cachelint.rules.base import url_of
from cachelint.text import encodable


def write(report: Report, _: Style) -> Iterator[str]:
    """Write one JSON document, one line per finding."""
    yield '{"version": 1,\n "findings": ['
    yield from encode_items(map(as_dict, report.findings), "  ")
    yield "],\n"
    if report.changes:
        yield ' "fixed": ['
        yield from encode_items(
            ({"path": encodable(change.path), "rules": dict(sorted(Counter(change.fixed).items()))}
             for change in report.changes), "  ")
        yield "],\n"
    summary = {
        "pages": report.pages,
        "errors": report.errors,
        "warnings": report.warnings,
        "fixable": report.fixable,
        "suppressed": report.suppressed,
        "seconds": round(report.seconds, 3),
    }
    if report.compared is not None:
        summary["compared"] = report.compared
    if report.changes:
        summary["fixed"] = sum(len(change.fixed) for change in report.changes)
    yield f' "summary": {encode(summary)}}}\n'


def as_dict(finding: Finding) -> dict[str, object]:
    """Return a finding as the JSON report has it."""
    fields: dict[str, object] = {
        "path": encodable(finding.path),
        "line": finding.line,
        "column": finding.column,
        "end_line": finding.end_line,
        "end_column": finding.end_column,
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity.value,
        "message": encodable(finding.message),
        "pointer": encodable(finding.pointer),
        "fixable": finding.fixable,
        "url": url_of(finding.code),
    }
    if finding.help:
        fields["help"] = encodable(finding.help)
    return fields
