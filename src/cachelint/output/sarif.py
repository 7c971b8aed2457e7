"""`sarif`: SARIF 2.1.0, the format of the OASIS standard, as code scanning services read it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from urllib.parse import quote

from cachelint import __version__
from cachelint.model import Excerpt, Finding, Report, Severity
from cachelint.output.fingerprints import Identity, identify
from cachelint.output.formats import (
    FIXABLE,
    WIDTH,
    Style,
    encode,
    encode_items,
    folder_in,
    in_checkout,
    list_counts,
)
from cachelint.rules import ALL_RULES, Fix, Rule
from cachelint.rules.base import url_of
from cachelint.text import clip, escape_unsafe

LIMIT = 25_000
"""Number of results that GitHub accepts of a run; it rejects a file that has more."""
HOME = "https://github.com/spack/cachelint"
_SCHEMA = ("https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/"
           "sarif-schema-2.1.0.json")
_ROOT = "%SRCROOT%"
_TOPICS = {
    "1": "file", "2": "schema", "3": "summary", "4": "specs", "5": "canonical-form",
    "6": "catalog", "7": "site", "8": "history", "9": "index",
}
"""What rules are about, by the hundred of their codes."""
_INDICES = {rule.code: index for index, rule in enumerate(ALL_RULES)}


def write(report: Report, _: Style) -> Iterator[str]:
    """Write one JSON document, a line a rule and a line a result."""
    yield f'{{"$schema": "{_SCHEMA}",\n "version": "2.1.0",\n "runs": [{{\n'
    driver = {"name": "cachelint", "version": __version__, "informationUri": HOME}
    yield f'  "tool": {{"driver": {encode(driver)[:-1]}, "rules": ['
    yield from encode_items(map(_rule, ALL_RULES), "    ")
    yield ']}},\n  "columnKind": "unicodeCodePoints",\n'
    bases = {_ROOT: {"description": {"text": "Where paths begin: the checkout, or the folder in "
                                             "which cachelint ran."}}}
    yield f'  "originalUriBaseIds": {encode(bases)},\n'
    # where there is no room for all, errors come first
    room = {Severity.ERROR: min(report.errors, LIMIT)}
    room[Severity.WARNING] = min(report.warnings, LIMIT - room[Severity.ERROR])
    yield f'  "invocations": [{encode(_invocation(report, dict(room)))}],\n  "results": ['
    yield from encode_items(_results(report, room), "    ")
    yield "]\n }]}\n"


def _results(report: Report, room: dict[Severity, int]) -> Iterator[dict[str, object]]:
    folder = folder_in("GITHUB_WORKSPACE")
    path, uri = None, ""
    for finding, identity in identify(report.findings):
        if not room[finding.severity]:
            continue
        room[finding.severity] -= 1
        if finding.path != path:
            path = finding.path
            # the very bytes of the name, whatever they are
            uri = quote(in_checkout(folder, path), errors="surrogateescape")
        yield _result(finding, identity, uri)


def _rule(rule: Rule) -> dict[str, object]:
    described = (rule.sections["What it does"], rule.sections["Why it is a problem"])
    fixable = ["fixable"] if rule.fixability is not Fix.NONE else []
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": clip("\n\n".join(described), 1000)},
        "help": {"text": rule.documentation, "markdown": rule.documentation},
        "helpUri": url_of(rule.code),
        "defaultConfiguration": {"level": rule.severity.value, "enabled": rule.default},
        "properties": {
            "tags": [_TOPICS[rule.code[2]], *fixable],
            "precision": "very-high",
            "problem.severity": rule.severity.value,
        },
    }


def _invocation(report: Report, room: dict[Severity, int]) -> dict[str, object]:
    """Describe the run, and which findings are left out."""
    invocation: dict[str, object] = {"executionSuccessful": True}
    left = len(report.findings) - sum(room.values())
    if left:
        rules: Counter[str] = Counter()
        for finding in report.findings:
            if room[finding.severity]:
                room[finding.severity] -= 1
            else:
                rules[f"{finding.code} {finding.name}"] += 1
        text = (f"{left:,} of {len(report.findings):,} findings are left out, since code scanning "
                f"takes {LIMIT:,} at most: {list_counts(rules, len(rules), 'rule')}")
        invocation["toolExecutionNotifications"] = [
            {"level": "warning", "message": {"text": text}}]
    return invocation


def _result(finding: Finding, identity: Identity, uri: str) -> dict[str, object]:
    region: dict[str, object] = {"startLine": finding.line}
    if finding.excerpts:  # else there is nothing to point at: the file cannot be read, or is gone
        region |= {"startColumn": finding.column, "endLine": finding.end_line,
                   "endColumn": finding.end_column}
        snippet = _snippet(finding.excerpts[0], finding)
        if snippet:
            region["snippet"] = {"text": snippet}
    fixable = FIXABLE if finding.fixable else ""
    result: dict[str, object] = {
        "ruleId": finding.code,
        "ruleIndex": _INDICES[finding.code],
        "level": finding.severity.value,
        "message": {"text": _text(clip(finding.message, WIDTH)) + fixable},
        "locations": [_location(uri, region)],
    }
    if len(finding.excerpts) > 1:
        result["relatedLocations"] = [
            _related(number, uri, excerpt)
            for number, excerpt in enumerate(finding.excerpts[1:], 1)
        ]
    if finding.help:
        result["properties"] = {"help": escape_unsafe(finding.help)}
    # under the one name that services look for; what they reckon themselves, of the line's text, is
    # the same for all specs, which are on one line
    result["partialFingerprints"] = {"primaryLocationLineHash": f"{identity.fingerprint()}:1"}
    return result


def _location(uri: str, region: dict[str, object]) -> dict[str, object]:
    return {"physicalLocation": {
        "artifactLocation": {"uri": uri, "uriBaseId": _ROOT}, "region": region}}


def _related(number: int, uri: str, excerpt: Excerpt) -> dict[str, object]:
    """Describe the other side of a contradiction."""
    region = {
        "startLine": excerpt.line, "startColumn": excerpt.cut + excerpt.start + 1,
        "endColumn": excerpt.cut + excerpt.end + 1,
        "snippet": {"text": escape_unsafe(excerpt.text[excerpt.start : excerpt.end])},
    }
    location = _location(uri, region)
    return {"id": number, **location, "message": {"text": _text(excerpt.label)}}


def _snippet(excerpt: Excerpt, finding: Finding) -> str:
    """Return what a finding covers, as far as its excerpt shows it."""
    text = escape_unsafe(excerpt.text[excerpt.start : excerpt.end])
    is_whole = (finding.end_line == finding.line
                and finding.end_column == excerpt.cut + excerpt.end + 1)
    return text if is_whole or not text or text.endswith("…") else f"{text}…"


def _text(text: str) -> str:
    """Write a message so that nothing in it is a placeholder or a link."""
    text = escape_unsafe(text).replace("{", "{{").replace("}", "}}")
    if "](" in text:
        text = text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
    return text
