"""`gitlab`: a Code Quality report, which GitLab shows in merge requests.

GitLab compares the fingerprints of two reports to show what a merge request adds and fixes,
and takes two findings of one fingerprint for one.
"""

from __future__ import annotations

from collections.abc import Iterator

from cachelint.model import Finding, Report, Severity
from cachelint.output.fingerprints import Identity, identify
from cachelint.output.formats import (
    FIXABLE,
    WIDTH,
    Style,
    encode_items,
    folder_in,
    in_checkout,
)
from cachelint.text import clip, escape_unsafe

_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor"}


def write(report: Report, _: Style) -> Iterator[str]:
    """Write a JSON list, a line a finding."""
    folder = folder_in("CI_PROJECT_DIR")
    yield "["
    yield from encode_items(
        _issue(finding, identity, folder) for finding, identity in identify(report.findings))
    yield "\n]\n" if report.findings else "]\n"


def _issue(finding: Finding, identity: Identity, folder: str) -> dict[str, object]:
    fixable = FIXABLE if finding.fixable else ""
    message = escape_unsafe(clip(finding.message, WIDTH))
    return {
        "description": f"{finding.code} {finding.name}: {message}{fixable}",
        "check_name": finding.code,
        "fingerprint": identity.fingerprint(),
        "severity": _SEVERITIES[finding.severity],
        "location": {
            "path": escape_unsafe(in_checkout(folder, finding.path)),
            "lines": {"begin": finding.line},
        },
    }
