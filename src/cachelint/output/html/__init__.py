"""`html`: one file for people who would rather look than read. It loads nothing from a server.

The template escapes whatever it is given. Findings travel as JSON, in islands of a thousand, which
the page's own script shows as text and never as markup. Its Content-Security-Policy allows that
script and that style sheet, by their hashes, and nothing else. The output is only ASCII, so
that it reads the same whatever encoding the stream has.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from cachelint.files.paths import page_id_of
from cachelint.model import Excerpt, Finding, NamedTuple, Report, Severity
from cachelint.output.formats import Style, claim, totals
from cachelint.rules import BY_CODE
from cachelint.text import escape_unsafe

_FOLDER = Path(__file__).parent
CHUNK = 1000
"""The number of findings in one island."""
_PAGE = re.compile(r"(?:(.+)/)?_cache/([^/]+)/([^/]+)/specs\.md", re.DOTALL)


class RuleCount(NamedTuple):
    """How often a rule was broken, and its description."""

    code: str
    name: str
    severity: str
    """The gravest that any of its findings has."""
    summary: tuple[str, ...]
    """Text and code spans in turn."""
    blocks: tuple[Block, ...]
    """The documentation below the summary."""
    findings: int
    fixable: int
    share: float
    """Its findings in per cent of the most frequent rule's."""


class Block(NamedTuple):
    """A paragraph or an example of a rule's documentation."""

    kind: str
    """``heading``, ``text`` or ``code``."""
    runs: tuple[str, ...]
    """Text and code spans in turn, beginning with text; of ``code`` the lines unchanged."""


def write(report: Report, style: Style) -> Iterator[str]:
    """Write one HTML document, piece by piece."""
    del style
    environment = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True,
                              undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
                              keep_trailing_newline=True)
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": True, "separators": (",", ":")}
    css, script = (_own(f"report.{kind}") for kind in ("css", "js"))
    rules = tally(report.findings)
    pieces = environment.get_template("report.html.jinja").generate(
        report=report, claim=claim(report), totals=totals(report), rules=rules,
        fixable=sum(rule.fixable for rule in rules),
        files=len({finding.path for finding in report.findings}),
        style=css, script=script, style_hash=_hash(css), script_hash=_hash(script),
        codes=[[rule.code, rule.name] for rule in rules],
        chunks=chunks(report.findings, {rule.code: n for n, rule in enumerate(rules)}),
    )
    for piece in pieces:
        yield piece if piece.isascii() else piece.encode("ascii", "xmlcharrefreplace").decode()


def _own(name: str) -> Markup:
    """Read a file of this package, which is trusted as it is."""
    return Markup((_FOLDER / name).read_text(encoding="ascii"))


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


# ------------------------------------------------------------------------------- rules


def tally(findings: Sequence[Finding]) -> list[RuleCount]:
    """Count the findings of each rule that has any, by code."""
    numbers: Counter[str] = Counter()
    fixable: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    names: dict[str, str] = {}
    for finding in findings:
        numbers[finding.code] += 1
        fixable[finding.code] += finding.fixable
        errors[finding.code] += finding.severity is Severity.ERROR
        names[finding.code] = finding.name
    most = max(numbers.values(), default=1)
    result = []
    for code, number in sorted(numbers.items()):
        severity = Severity.ERROR if errors[code] else Severity.WARNING
        summary, *blocks = blocks_of(BY_CODE[code].documentation)
        result.append(RuleCount(code, names[code], severity.value, summary.runs, tuple(blocks),
                            number, fixable[code], round(100 * number / most, 1)))
    return result


def blocks_of(documentation: str) -> list[Block]:
    """Take a rule's documentation apart: paragraphs, examples, what `cachelint fix` does."""
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
    """Writes each string once: its first time as it is, then as its number."""

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

    A finding is ``[page, line, column, rule, flags, message, pointer, lines]``. A page is
    ``[root, tag, package, path]`` where the finding before it lies in another file, and 0 where it
    lies in the same; ``path`` is left out where it follows from the others. The rule is its number
    in ``rules``. Flags: 1 for an error, 2 for fixable. Strings are numbered in the order of
    their first coming, and afterwards the number stands for the text.
    """
    strings = _Strings()
    before = None
    for start in range(0, len(findings), CHUNK):
        chunk: list[list[object]] = []
        for finding in findings[start : start + CHUNK]:
            chunk.append([
                0 if finding.path == before else _page(finding.path, strings),
                finding.line, finding.column, rules[finding.code],
                (finding.severity is Severity.ERROR) + 2 * finding.fixable,
                strings(finding.message), strings(finding.pointer),
                _lines(finding.excerpts, strings),
            ])
            before = finding.path
        yield chunk


def _page(path: str, strings: _Strings) -> list[str | int]:
    match = _PAGE.fullmatch(path)
    if match is not None:
        root, tag, package = match.groups("")
        return [strings(root), strings(tag), strings(package)]
    page = page_id_of(path)
    return [strings(""), strings(page.tag or ""), strings(page.package or ""), strings(path)]


def _lines(excerpts: Sequence[Excerpt], strings: _Strings) -> list[list[object]]:
    """Write excerpts as lines ``[number, piece...]``, what marks one line together.

    A piece is plain text, or ``[side, text, label]`` for what is marked: side 1 is the position of
    the finding, side 2 the other side of a contradiction.
    """
    by_line: dict[tuple[int, int, str], list[tuple[int, int, int, str]]] = {}
    for index, (number, cut, text, start, end, label) in enumerate(excerpts):
        by_line.setdefault((number, cut, text), []).append((start, end, 2 if index else 1, label))
    lines: list[list[object]] = []
    for (number, _, text), marks in by_line.items():
        marks.sort()
        # what overlaps is shown line by line
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
