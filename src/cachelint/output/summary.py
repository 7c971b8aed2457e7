"""The job summary of GitHub Actions: Markdown for the file that ``GITHUB_STEP_SUMMARY`` names.

GitHub takes 1 MiB of it for a step and drops more than that whole, so that the size is bounded by
the number of rules, not of findings. Text from pages and paths is only in code spans, in which
neither Markdown nor HTML nor a mention of somebody means anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cachelint.model import Finding, Report, Severity
from cachelint.output.formats import totals
from cachelint.text import clip, escape_unsafe, plural

FIRST = 20
"""So many findings are listed."""
_WIDTH = 500
"""Characters of a path or a message at most."""
_RULES = 100


def write(report: Report) -> Iterator[str]:
    """Write totals, a table by rule, the first findings, and what to run."""
    mark = "❌" if report.errors else "⚠️" if report.findings else "✅"
    yield f"### {mark} cachelint: {totals(report)}\n\n"
    if report.findings:
        yield from _table(report)
        yield from _first(report)
        yield from _to_run(report)


def _table(report: Report) -> Iterator[str]:
    by_rule: dict[tuple[str, str], list[int]] = {}
    severities: dict[tuple[str, str], Severity] = {}
    for finding in report.findings:
        counts = by_rule.setdefault((finding.code, finding.name), [0, 0])
        counts[0] += 1
        counts[1] += finding.fixable
        known = severities.setdefault((finding.code, finding.name), finding.severity)
        if known is Severity.WARNING:
            severities[finding.code, finding.name] = finding.severity
    yield "| findings | rule | | severity | fixable |\n|---:|---|---|---|---:|\n"
    ordered = sorted(by_rule.items(), key=lambda item: (-item[1][0], item[0]))
    for (code, name), (count, fixable) in ordered[:_RULES]:
        yield (f"| {count:,} | {_code(code)} | {_code(name)} | {severities[code, name].value} | "
               f"{f'{fixable:,}' if fixable else '-'} |\n")
    rest = ordered[_RULES:]
    if rest:
        yield f"| {sum(counts[0] for _, counts in rest):,} | of other rules | | | |\n"
    yield "\n"


def _first(report: Report) -> Iterator[str]:
    more = len(report.findings) - FIRST
    yield f"#### The first {FIRST} findings\n\n" if more > 0 else "#### Findings\n\n"
    for finding in report.findings[:FIRST]:
        yield _item(finding)
    if more > 0:
        yield f"- … and {more:,} more, all of them in the log of the step\n"
    yield "\n"


def _item(finding: Finding) -> str:
    place = f"{_clipped(finding.path)}:{finding.line}:{finding.column}"
    fixable = " (fixable)" if finding.fixable else ""
    level = " warning:" if finding.severity is Severity.WARNING else ""
    return (f"- {_code(place)}:{level} {_code(finding.code)} "
            f"{_code(clip(finding.message, _WIDTH))}{fixable}\n")


def _clipped(path: str) -> str:
    """Cut a path in the middle: both its ends are useful."""
    half = _WIDTH // 2
    return path if len(path) <= _WIDTH else f"{path[:half]}…{path[-half:]}"


def _to_run(report: Report) -> Iterator[str]:
    yield "#### What to run\n\n```sh\n"
    if report.fixable:
        paths = sorted({finding.path for finding in report.findings if finding.fixable})
        path = paths[0] if len(paths) == 1 else ""
        # a name that a shell would take apart is left for people to write
        is_plain = re.fullmatch(r"[A-Za-z0-9_.][A-Za-z0-9_./+@=-]*", path) is not None
        command = f"cachelint fix {path}" if is_plain and len(path) <= _WIDTH else "cachelint fix"
        yield f"{command}    # mends {plural(report.fixable, 'finding')}; --diff shows how\n"
    codes = sorted({finding.code for finding in report.findings})
    for code in codes[:3]:
        yield f"cachelint rule {code}    # what it says, why, a bad and a good example\n"
    yield "```\n\n"


def _code(text: str) -> str:
    """Put text in a code span: between more backticks than it has together."""
    text = escape_unsafe(text)
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    # one blank at both ends is taken off again; without, it would be one of the text
    blank = " " if text[:1] in "` " or text[-1:] in "` " else ""
    return f"{fence}{blank}{text}{blank}{fence}"
