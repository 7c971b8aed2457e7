"""`junit`: JUnit XML, as dashboards of CI services read it.

A page with findings is a test suite, and each finding one of its tests: an error is one that
failed, a warning, which fails no run, one that was skipped. Services distinguish tests by class and
name, so that no line number is part of these.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from xml.sax.saxutils import escape

from cachelint.model import Finding, Report, Severity
from cachelint.output import full
from cachelint.output.fingerprints import Identity, identify
from cachelint.output.formats import WIDTH, Style, totals
from cachelint.text import clip, escape_unsafe

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def write(report: Report, _: Style) -> Iterator[str]:
    """Write an XML document, a suite a page; a suite of one test where nothing was found."""
    tests = len(report.findings)
    yield (f'{_HEAD}<testsuites name="cachelint" tests="{tests or 1}" failures="{report.errors}" '
           f'errors="0" time="{report.seconds:.3f}">\n')
    for path, found in groupby(identify(report.findings), lambda item: item[0].path):
        yield from _suite(_text(path), list(found))
    if not tests:
        yield _suite_head("cachelint", 1, 0, 0)
        yield ('<testcase classname="cachelint" name="nothing found">'
               f"<system-out>{_text(totals(report))}</system-out></testcase>\n</testsuite>\n")
    yield "</testsuites>\n"


def _suite(path: str, found: list[tuple[Finding, Identity]]) -> Iterator[str]:
    failures = sum(finding.severity is Severity.ERROR for finding, _ in found)
    yield _suite_head(path, len(found), failures, len(found) - failures)
    for finding, identity in found:
        evidence = escape(full.render(finding))
        if finding.severity is Severity.ERROR:
            message = _text(clip(finding.message, WIDTH))
            result = (f'<failure type="{finding.code}" message="{message}">\n'
                      f"{evidence}</failure>")
        else:
            result = f"<skipped>\n{evidence}</skipped>"
        yield (f'<testcase classname="{path}" name="{_name(finding, identity)}">'
               f"{result}</testcase>\n")
    yield "</testsuite>\n"


def _suite_head(name: str, tests: int, failures: int, skipped: int) -> str:
    return (f'<testsuite name="{name}" tests="{tests}" failures="{failures}" errors="0" '
            f'skipped="{skipped}">\n')


def _name(finding: Finding, identity: Identity) -> str:
    words = [finding.code, finding.name, identity.hash, identity.pointer, identity.named]
    if identity.ordinal > 1:
        words.append(f"({identity.ordinal})")
    return _text(clip(" ".join(filter(None, words)), WIDTH))


def _text(text: str) -> str:
    """Write text as in an attribute."""
    return escape(escape_unsafe(text), {'"': "&quot;"})
