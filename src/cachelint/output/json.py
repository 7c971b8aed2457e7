"""`json`: for programs, as `report.schema.json` describes it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from cachelint.model import Finding, Report
from cachelint.output.formats import Style
from cachelint.rules.base import url_of
from cachelint.text import encodable, escape_commands

_ENCODE = json.JSONEncoder(ensure_ascii=True).encode


def write(report: Report, style: Style) -> Iterator[str]:
    """Write one JSON document, one line per finding."""
    del style
    yield '{"version": 1,\n "findings": ['
    separator = "\n  "
    for finding in report.findings:
        yield separator + escape_commands(_ENCODE(as_dict(finding)), "\\u0023")
        separator = ",\n  "
    yield "],\n"
    separator = ' "fixed": [\n  '
    for change in report.changes:
        rules = dict(sorted(Counter(change.fixed).items()))
        yield separator + _ENCODE({"path": encodable(change.path), "rules": rules})
        separator = ",\n  "
    if report.changes:
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
    yield f' "summary": {_ENCODE(summary)}}}\n'


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
