"""`rdjson`: the Reviewdog Diagnostic Format, with fixes as suggested changes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from cachelint.files import paths, read_write
from cachelint.model import Finding, Report, Suggestion
from cachelint.output.formats import FIXABLE, WIDTH, Style, encode, encode_items
from cachelint.rules.base import DOCUMENTATION, url_of
from cachelint.text import clip, escape_unsafe


def write(report: Report, _: Style) -> Iterator[str]:
    """Write one JSON document, one line per finding."""
    source = {"name": "cachelint", "url": DOCUMENTATION}
    yield f'{{"source": {encode(source)},\n "diagnostics": ['
    yield from encode_items(_diagnostics(report), "  ")
    yield "]}\n"


def _diagnostics(report: Report) -> Iterator[dict[str, object]]:
    suggestions: dict[str, list[Suggestion]] = {}
    for each in report.suggestions:
        suggestions.setdefault(each.path, []).append(each)
    for path, findings in groupby(report.findings, lambda finding: finding.path):
        lines = _Lines(path)
        left = suggestions.get(path, [])
        for finding in findings:
            yield _diagnostic(finding, lines, left)


class _Lines:
    """The lines of a file, read when the first position is needed."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lines: list[str] | None = None

    def position(self, line: int, column: int) -> dict[str, int]:
        """Return a position with its column in bytes of UTF-8, where the file can be read."""
        if self._lines is None:
            root = paths.catalog_of(self._path)
            within = () if root is None else (paths.real_path(root),)
            raw = read_write.read(self._path, within=within)
            text = raw.decode("utf-8-sig", "replace") if isinstance(raw, bytes) else ""
            self._lines = text.split("\n")
        if line > len(self._lines) or column > len(self._lines[line - 1]) + 1:
            return {"line": line}
        return {"line": line, "column": len(self._lines[line - 1][: column - 1].encode()) + 1}


def _diagnostic(finding: Finding, lines: _Lines, left: list[Suggestion]) -> dict[str, object]:
    """Describe a finding; its suggestion is taken from those that are ``left`` of the file."""
    location: dict[str, object] = {"path": escape_unsafe(finding.path)}
    if finding.excerpts:  # else the file could not be read, or is gone
        location["range"] = {
            "start": lines.position(finding.line, finding.column),
            "end": lines.position(finding.end_line, finding.end_column)}
    message = escape_unsafe(clip(finding.message, WIDTH))
    found = next((each for each in left if each.line <= finding.line <= each.end_line), None)
    if finding.fixable and found is None:
        message += FIXABLE
    diagnostic: dict[str, object] = {
        "message": message,
        "location": location,
        "severity": finding.severity.name,
        "code": {"value": finding.code, "url": url_of(finding.code)},
    }
    if finding.fixable and found is not None:
        left.remove(found)
        span = {"start": {"line": found.line}, "end": {"line": found.end_line}}
        diagnostic["suggestions"] = [{"range": span, "text": found.text}]
    return diagnostic
