"""The table of output formats, and what several of them share."""

from __future__ import annotations

import json
import os
import posixpath
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import TextIO

from cachelint.model import Finding, NamedTuple, Report, Severity
from cachelint.text import clip, escape_commands, plural


class Style(NamedTuple):
    """What the stream can show to which a report goes; formats for programs ignore it."""

    colour: bool = False
    width: int | None = None
    """Columns of the terminal; None where lines are not broken."""
    links: bool = False
    """Whether it shows OSC 8 hyperlinks."""

    def paint(self, text: str, code: str) -> str:
        """Return a string in the colour of an ANSI code, if there is one."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and code and text else text


PLAIN = Style()
Formatter = Callable[[Report, Style], Iterator[str]]
"""Writes a report piece by piece."""


class Format(NamedTuple):
    """An output format: a row of the table."""

    name: str
    """What ``--output-format`` calls it, and the module of this package that writes it."""
    use: str
    """What it is for."""
    ends_with_totals: bool = False
    """Whether its last piece is the totals, which ``--quiet`` leaves out."""
    is_for_people: bool = False
    """Whether people read it as it is: programs get UTF-8 in any locale."""
    has_suggestions: bool = False
    """Whether it offers fixes as changes of lines."""

    def load(self) -> Formatter:
        """Import the module, and return its formatter."""
        write: Formatter = import_module(f"cachelint.output.{self.name}").write
        return write


FORMATS = {row.name: row for row in (
    Format("full", "findings with excerpts, for people", True, True),
    Format("concise", "one line per finding, for editors and grep", True, True),
    Format("json", "for programs, see the JSON report"),
    Format("github", "annotations and log of GitHub Actions", True),
    Format("sarif", "SARIF 2.1.0, for code scanning services"),
    Format("junit", "JUnit XML, for dashboards of CI services"),
    Format("gitlab", "GitLab Code Quality"),
    Format("rdjson", "reviewdog, with suggested changes", has_suggestions=True),
    Format("html", "one page to read in a browser"),
)}
"""The formats by name, in the order in which help lists them."""

FIXABLE = ' (fixable with "cachelint fix")'
"""What follows the message of a fixable finding, where there is no mark for it."""
WIDTH = 2000
"""Maximum length of a message in characters, where services limit its size."""


def terminal_width(stream: TextIO) -> int:
    """Return how many columns the terminal ``stream`` has; ``COLUMNS`` takes precedence."""
    try:
        columns = os.environ.get("COLUMNS", "")
        if columns.isdecimal() and int(columns):
            return int(columns)
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def claim(report: Report) -> str:
    """Count errors, warnings and pages: `Found 2 errors and 1 warning in 23 pages`."""
    pages = plural(report.pages, "page")
    errors, warnings = report.errors, report.warnings
    if not report.findings:
        return f"All checks passed: {pages}"
    parts = [plural(number, noun) for number, noun in ((errors, "error"), (warnings, "warning"))
             if number]
    return f"Found {' and '.join(parts)} in {pages}"


def totals(report: Report) -> str:
    """Summarise a report in one sentence."""
    line = claim(report)
    if report.fixable:
        line += f' ({report.fixable:,} fixable with "cachelint fix")'
    if report.suppressed:
        line += f"; {plural(report.suppressed, 'finding')} suppressed by the baseline"
    if report.compared is not None:
        line += f"; {plural(report.compared, 'page')} compared with {report.base[:12]}"
    return f"{line}."


def encode(value: object) -> str:
    """Write a value as JSON in ASCII, in which nothing is a command of a CI service."""
    return escape_commands(json.dumps(value), "\\u0023")


def encode_items(values: Iterable[object], indent: str = "") -> Iterator[str]:
    """Write the items of a JSON list, a line each, without the brackets."""
    separator = f"\n{indent}"
    for value in values:
        yield separator + encode(value)
        separator = f",\n{indent}"


class RuleCount(NamedTuple):
    """How often a rule was broken."""

    code: str
    name: str
    severity: Severity
    """The highest of its findings."""
    findings: int
    fixable: int


def count_rules(findings: Iterable[Finding]) -> list[RuleCount]:
    """Count the findings of each rule, the most frequent first."""
    by_code: dict[str, list[Finding]] = {}
    for finding in findings:
        by_code.setdefault(finding.code, []).append(finding)
    counts = [RuleCount(
        code, found[0].name,
        Severity.ERROR if Severity.ERROR in {each.severity for each in found} else Severity.WARNING,
        len(found), sum(each.fixable for each in found)) for code, found in by_code.items()]
    return sorted(counts, key=lambda each: (-each.findings, each.code))


def list_counts(numbers: Counter[str], limit: int, noun: str) -> str:
    """List how often each name was counted, the most frequent first, and the rest together."""
    ordered = sorted(numbers.items(), key=lambda item: (-item[1], item[0]))
    parts = [f"{count:,} {clip(name, 200)}" for name, count in ordered[:limit]]
    rest = ordered[limit:]
    if rest:
        number = sum(count for _, count in rest)
        parts.append(f"{number:,} in {plural(len(rest), f'other {noun}')}")
    return ", ".join(parts)


def folder_in(variable: str) -> str:
    """Return the working directory relative to the checkout that a CI service reports on.

    ``variable`` is that of the environment with the path of the checkout. The result has a final
    slash, and is empty at the top of the checkout or outside one.
    """
    checkout = os.environ.get(variable)
    if not checkout:
        return ""
    below = os.path.relpath(os.path.realpath("."), os.path.realpath(checkout))
    return "" if f"{below}/".startswith(("./", "../")) else f"{below}/"


def in_checkout(folder: str, path: str) -> str:
    """Return the path of a finding relative to the checkout: see `folder_in`."""
    return posixpath.normpath(posixpath.join(folder, path)) if folder else path
