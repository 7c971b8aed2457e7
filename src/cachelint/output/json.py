"""`json`: for programs, as `report.schema.json` describes it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from cachelint.model import Finding, Report
from cachelint.output.formats import Style
from cachelint.text import encodable

_ENCODE = json.JSONEncoder(ensure_ascii=True).encode


def write(report: Report, style: Style) -> Iterator[str]:
    """Write one JSON document, a line a finding."""
    del style
    yield '{"version": 1,\n "findings": ['
    separator = "\n  "
    for finding in report.findings:
        # a runner of workflows obeys what `##[` begins, and the escape says the same
        yield separator + _ENCODE(as_dict(finding)).replace("##[", "#\\u0023[")
        separator = ",\n  "
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
    yield f' "summary": {_ENCODE(summary)}}}\n'


def as_dict(finding: Finding) -> dict[str, object]:
    """Return what the JSON report says of a finding."""
    return {
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
    }
