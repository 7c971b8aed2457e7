"""`gitlab`: a Code Quality report, which GitLab shows in merge requests.

GitLab compares the fingerprints of two reports to show what a merge request adds and fixes,
and takes two findings of one fingerprint for one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from cachelint.model import Report, Severity
from cachelint.output.fingerprints import identify
from cachelint.output.formats import FIXABLE, WIDTH, Style, folder_in, in_checkout
from cachelint.text import clip, escape_unsafe

_ENCODE = json.JSONEncoder(ensure_ascii=True).encode
_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor"}


def write(report: Report, style: Style) -> Iterator[str]:
    """Write a JSON list, a line a finding."""
    del style
    folder = folder_in("CI_PROJECT_DIR")
    separator = "[\n"
    for finding, identity in identify(report.findings):
        fixable = FIXABLE if finding.fixable else ""
        message = escape_unsafe(clip(finding.message, WIDTH))
        yield separator + _ENCODE({
            "description": f"{finding.code} {finding.name}: {message}{fixable}",
            "check_name": finding.code,
            "fingerprint": identity.fingerprint(),
            "severity": _SEVERITIES[finding.severity],
            "location": {
                "path": escape_unsafe(in_checkout(folder, finding.path)),
                "lines": {"begin": finding.line},
            },
        })
        separator = ",\n"
    yield "\n]\n" if report.findings else "[]\n"
