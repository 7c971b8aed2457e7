"""`html`: one file to read in a browser, which loads nothing from a server.

The template escapes all values. Findings are JSON, in blocks of a thousand, which the script of
the page shows as text and never as markup. The Content-Security-Policy of the page allows that
script and that style sheet, by their hashes, and nothing else. The file is ASCII, so that it is
the same in any encoding.
"""

from __future__ import annotations

import os
import re
import shlex
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from cachelint import __version__
from cachelint.files.paths import page_id_of
from cachelint.model import Excerpt, Finding, NamedTuple, Report, Severity
from cachelint.output.formats import RuleCount, Style, claim, count_rules, totals
from cachelint.output.links import find_source
from cachelint.rules import BY_CODE
from cachelint.rules.base import url_of
from cachelint.text import escape_unsafe

_FOLDER = Path(__file__).parent
CHUNK = 1000
"""Number of findings in one block of JSON."""
_IN_TAG = re.compile(r"(?:(.+)/)?_cache/([^/]+)/(?:([^/]+)/)?[^/]+", re.DOTALL)


class DocumentedRule(NamedTuple):
    """A rule with the number of its findings and its documentation."""

    total: RuleCount
    url: str
    summary: tuple[str, ...]
    """Text and code spans alternately."""
    blocks: tuple[Block, ...]
    """The documentation below the summary."""
    share: float
    """Its findings in per cent of those of the most frequent rule."""


class Block(NamedTuple):
    """A paragraph or an example of a rule's documentation."""

    kind: str
    """``heading``, ``text`` or ``code``."""
    runs: tuple[str, ...]
    """Text and code spans alternately, beginning with text; of ``code`` the lines."""


def write(report: Report, _: Style) -> Iterator[str]:
    """Write one HTML document, piece by piece."""
    environment = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True,
                              undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
                              keep_trailing_newline=True)
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": True, "separators": (",", ":")}
    css, script = (_own(f"report.{kind}") for kind in ("css", "js"))
    rules = document_rules(count_rules(report.findings))
    source = find_source()
    pieces = environment.get_template("report.html.jinja").generate(
        report=report, claim=claim(report), totals=totals(report), rules=rules,
        files=len({finding.path for finding in report.findings}),
        style=css, script=script, style_hash=_hash(css), script_hash=_hash(script),
        codes=[[rule.total.code, rule.total.name, rule.url] for rule in rules],
        command=_command(report), source=source, version=__version__, date=_date(),
        base=source.base + quote(source.folder) if source and source.base else "",
        chunks=chunks(report.findings, {rule.total.code: n for n, rule in enumerate(rules)}),
    )
    for piece in pieces:
        yield piece if piece.isascii() else piece.encode("ascii", "xmlcharrefreplace").decode()


def _command(report: Report) -> str:
    """Return the command that made the report, as it can be pasted into a shell."""
    if report.invocation is None:
        return ""
    return shlex.join(["cachelint", *map(escape_unsafe, report.invocation.arguments)])


def _date() -> str:
    """Return the date of the report, in UTC, to the minute."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH", "")
    moment = time.gmtime(int(seconds) if seconds.isdecimal() else None)
    return time.strftime("%Y-%m-%d %H:%M UTC", moment)


def _own(name: str) -> Markup:
    """Read a file of this package, which needs no escaping."""
    return Markup((_FOLDER / name).read_text(encoding="ascii"))


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


# ------------------------------------------------------------------------------- rules


def document_rules(counts: Sequence[RuleCount]) -> list[DocumentedRule]:
    """Add the documentation of each rule that has findings: rules with errors first, by code."""
    most = max((count.findings for count in counts), default=1)
    result = []
    for count in sorted(counts, key=lambda each: (each.severity is not Severity.ERROR, each.code)):
        summary, *blocks = blocks_of(BY_CODE[count.code].documentation)
        result.append(DocumentedRule(count, url_of(count.code), summary.runs, tuple(blocks),
                                     round(100 * count.findings / most, 1)))
    return result


def blocks_of(documentation: str) -> list[Block]:
    """Split a rule's documentation into paragraphs, examples and what `cachelint fix` does."""
    blocks: list[Block] = []
    for paragraph in documentation.split("\n\n"):
        if paragraph.startswith("    "):
            lines = (line.removeprefix("    ") for line in paragraph.split("\n"))
            blocks.append(Block("code", ("\n".join(lines),)))
        else:
            kind = "heading" if paragraph.startswith("## ") else "text"
            text = paragraph.removeprefix("## ")
            blocks.append(Block(kind, tuple(" ".join(text.split("\n")).split("`"))))
    return [block for block in blocks if block.kind != "text" or any(block.runs)]


# ------------------------------------------------------------------------------- findings


class _Strings:
    """Writes each string once: first as it is, then as its number."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __call__(self, text: str) -> str | int:
        known = self._numbers.get(text)
        if known is not None:
            return known
        self._numbers[text] = len(self._numbers)
        return escape_unsafe(text)


def chunks(findings: Sequence[Finding], rules: dict[str, int]) -> Iterator[list[list[object]]]:
    """Yield the findings as the page's script reads them.

    A finding is ``[file, line, column, rule, flags, message, pointer, lines, help]``. A file is
    ``[root, tag, package, path]``, or 0 where it is that of the finding before; ``path`` is left
    out where it follows from the others. The rule is its number in ``rules``. Flags: 1 for an
    error, 2 for fixable. Strings are numbered in the order in which they first appear, and
    afterwards the number is written instead of the string.
    """
    strings = _Strings()
    before = None
    for start in range(0, len(findings), CHUNK):
        chunk: list[list[object]] = []
        for finding in findings[start : start + CHUNK]:
            chunk.append([
                0 if finding.path == before else _file(finding.path, strings),
                finding.line, finding.column, rules[finding.code],
                (finding.severity is Severity.ERROR) + 2 * finding.fixable,
                strings(finding.message), strings(finding.pointer),
                _lines(finding.excerpts, strings), strings(finding.help),
            ])
            before = finding.path
        yield chunk


def _file(path: str, strings: _Strings) -> list[str | int]:
    # any file of a tag is listed under the tag, and under the package if it is in its folder
    if match := _IN_TAG.fullmatch(path):
        names = [*match.groups("")]
        is_page = match[3] and path.endswith("/specs.md")
        return [strings(each) for each in (names if is_page else [*names, path])]
    page = page_id_of(path)
    return [strings(each) for each in ("", page.tag or "", page.package or "", path)]


def _lines(excerpts: Sequence[Excerpt], strings: _Strings) -> list[list[object]]:
    """Write excerpts as lines ``[number, piece...]``, with all marks of a line together.

    A piece is a string, or ``[side, string, label]`` for what is marked: side 1 is the location of
    the finding, side 2 the other side of a contradiction.
    """
    by_line: dict[tuple[int, int, str], list[tuple[int, int, int, str]]] = {}
    for index, (number, cut, text, start, end, label) in enumerate(excerpts):
        by_line.setdefault((number, cut, text), []).append((start, end, 2 if index else 1, label))
    lines: list[list[object]] = []
    for (number, _, text), marks in by_line.items():
        marks.sort()
        # marks that overlap are shown on lines of their own
        overlaps = len(marks) > 1 and any(one[1] > two[0] for one, two in pairwise(marks))
        for some in ([[mark] for mark in marks] if overlaps else [marks]):
            line: list[object] = [number]
            at = 0
            for start, end, side, label in some:
                line += [strings(text[at:start]),
                         [side, strings(text[start:end]), strings(label)]]
                at = end
            lines.append([*line, strings(text[at:])])
    return lines
