"""The job summary of GitHub Actions: Markdown for the file that ``GITHUB_STEP_SUMMARY`` names.

GitHub accepts 1 MiB of it for a step, and drops all of a longer one: the size is bounded by the
number of rules, not of findings. Strings from pages and paths are only in code spans, where neither
Markdown nor HTML nor a mention of a person has a meaning.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from cachelint import __version__
from cachelint.files.paths import is_catalog_file
from cachelint.model import Finding, Report, Severity
from cachelint.output.formats import count_rules, totals
from cachelint.output.links import Source, find_source
from cachelint.rules.base import url_of
from cachelint.text import clip, escape_unsafe, plural

FIRST = 20
"""Number of findings that are listed."""
_WIDTH = 500
"""Maximum length of a path or a message in characters."""
_RULES = 100
_PLAIN = r"[A-Za-z0-9_.][A-Za-z0-9_./+@=-]*"
_REPOSITORY = "https://github.com/spack/cachelint"


def write(report: Report) -> Iterator[str]:
    """Write totals, a table by rule, the first findings, and what to run."""
    mark = "❌" if report.errors else "⚠️" if report.findings else "✅"
    yield f"### {mark} cachelint: {totals(report)}\n\n"
    if report.findings:
        yield from _table(report)
        yield from _first(report)
        yield from _to_run(report)


def _table(report: Report) -> Iterator[str]:
    counts = count_rules(report.findings)
    yield "| findings | rule | | severity | fixable |\n|---:|---|---|---|---:|\n"
    for code, name, severity, findings, fixable in counts[:_RULES]:
        yield (f"| {findings:,} | {_link(code_span(code), url_of(code))} | {code_span(name)} | "
               f"{severity.value} | {f'{fixable:,}' if fixable else '-'} |\n")
    if rest := counts[_RULES:]:
        yield f"| {sum(each.findings for each in rest):,} | of other rules | | | |\n"
    yield "\n"


def _first(report: Report) -> Iterator[str]:
    source = find_source()
    more = len(report.findings) - FIRST
    yield f"#### The first {FIRST} findings\n\n" if more > 0 else "#### Findings\n\n"
    for finding in report.findings[:FIRST]:
        yield _item(finding, source)
    if more > 0:
        yield f"- … and {more:,} more, all of them in the log of the step\n"
    yield "\n"


def _item(finding: Finding, source: Source | None) -> str:
    location = f"{_clipped(finding.path)}:{finding.line}:{finding.column}"
    fixable = " (fixable)" if finding.fixable else ""
    level = " warning:" if finding.severity is Severity.WARNING else ""
    url = source.url_of(finding.path, finding.line) if source else ""
    line = _link(code_span(location), url if len(url) <= _WIDTH else "")
    return (f"- {line}:{level} {_link(code_span(finding.code), url_of(finding.code))} "
            f"{code_span(clip(finding.message, _WIDTH))}{fixable}\n")


def _clipped(path: str) -> str:
    """Cut a path in the middle, because both its ends are needed."""
    half = _WIDTH // 2
    return path if len(path) <= _WIDTH else f"{path[:half]}…{path[-half:]}"


def _to_run(report: Report) -> Iterator[str]:
    """Write one block that a contributor can paste: install, fix, check, explain."""
    option = ""
    if report.invocation is not None and report.invocation.diff_base:
        option = f" --diff-base {shlex.quote(escape_unsafe(report.invocation.diff_base))}"
    yield f"#### What to run\n\n```sh\npipx install git+{_REPOSITORY}@v{__version__}\n"
    if report.fixable:
        paths = sorted({finding.path for finding in report.findings if finding.fixable})
        path = paths[0] if len(paths) == 1 else ""
        # a file of the catalog is fixed with its catalog; a name that needs quotes is not written
        is_target = re.fullmatch(_PLAIN, path) and not is_catalog_file(path)
        target = f" {path}" if is_target and len(path) <= _WIDTH else ""
        yield f"cachelint fix{option}{target}    # fixes {plural(report.fixable, 'finding')}\n"
    yield f"cachelint check{option}\n"
    for rule in count_rules(report.findings)[:3]:
        yield f"cachelint rule {rule.code}    # what it checks, why, and examples\n"
    yield "```\n\n"


def _link(text: str, url: str) -> str:
    """Make a link of a code span, if there is an address."""
    return f"[{text}]({url})" if url else text


def code_span(text: str) -> str:
    """Make a code span, between more backticks than the longest run in ``text``."""
    text = escape_unsafe(text)
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    # Markdown removes one space at both ends; without it, it would remove one of the text
    blank = " " if text[:1] in "` " or text[-1:] in "` " else ""
    return f"{fence}{blank}{text}{blank}{fence}"
