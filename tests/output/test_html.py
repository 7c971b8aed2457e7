"""The page of a report as text: what it contains, what it allows, and that all of it is inert."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from cachelint import __version__
from cachelint.model import Excerpt, Invocation, Report, Severity
from cachelint.output import formats
from cachelint.output import html as html_report
from cachelint.output.formats import PLAIN
from cachelint.output.html import Block, blocks_of
from cachelint.rules import ALL_RULES
from cachelint.rules.base import url_of
from cachelint.text import escape_unsafe
from support import reports


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Work outside of repositories and CI services, at a fixed time."""
    for name in ("GITHUB_REPOSITORY", "CI_PROJECT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1764255600")
    monkeypatch.chdir(tmp_path)


ASSETS = Path(html_report.__file__).parent


def written(report: Report) -> str:
    return "".join(html_report.write(report, PLAIN))


class Reader(HTMLParser):
    """Collects what a document is made of."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.contents: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "input", "br", "circle", "path", "rect"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1] == tag:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        self.contents.append((self._open[-1] if self._open else "", data))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def islands(page: str) -> list[list[Any]]:
    """Read the findings back from the page, rows in their order there."""
    return [row for chunk in re.findall(
        r'<script type="application/json" class="chunk">(.*?)</script>', page)
        for row in json.loads(chunk)]


def read_back(page: str) -> Iterator[dict[str, Any]]:
    """Return each finding as the page's script reads it."""
    rules = json.loads(re.findall(r'id="codes">(.*?)</script>', page)[0])
    strings: list[str] = []

    def text(value: str | int) -> str:
        if isinstance(value, str):
            strings.append(value)
            return value
        return strings[value]

    path = ""
    for place, line, column, rule, flags, message, pointer, lines, advice in islands(page):
        if place:
            root, tag, package, *given = map(text, place)
            path = given[0] if given else "/".join(
                [*([root] if root else []), "_cache", tag, package, "specs.md"])
        yield {
            "path": path, "line": line, "column": column, "code": rules[rule][0],
            "name": rules[rule][1], "is_error": bool(flags & 1), "fixable": bool(flags & 2),
            "message": text(message), "pointer": text(pointer),
            "lines": [[number, *(
                (piece[0], text(piece[1]), text(piece[2])) if isinstance(piece, list)
                else text(piece) for piece in pieces)] for number, *pieces in lines],
            "help": text(advice),
        }


# ------------------------------------------------------------------------------- the data


@pytest.mark.parametrize("report", [
    reports.SMALL, reports.large(2345, tags=7), Report((), 0),
    Report(tuple(reports.finding(text.replace("/", ""), message=text, pointer=text)
                 for text in reports.HOSTILE), 1),
    Report(tuple(reports.finding(path=path) for path in (
        "zlib/specs.md", "a/_cache/develop/zlib/specs.md", "a/_cache/develop/zlib/specs.md",
        "/far/_cache/v1/x/specs.md", "pages/tags/develop.md", "_cache/develop/specs.md")), 1),
], ids=["small", "several islands", "empty", "hostile", "paths"])
def test_findings_are_read_back(report: Report) -> None:
    back = list(read_back(written(report))) if report.findings else []
    assert [{key: value for key, value in one.items() if key != "lines"} for one in back] == [
        {"path": escape_unsafe(each.path), "line": each.line, "column": each.column,
         "code": each.code, "name": each.name,
         "is_error": each.severity is Severity.ERROR, "fixable": each.fixable,
         "message": escape_unsafe(each.message), "pointer": escape_unsafe(each.pointer),
         "help": escape_unsafe(each.help)}
        for each in report.findings]


# name: (excerpts, lines)
EXCERPTS: dict[str, tuple[tuple[Excerpt, ...], list[list[Any]]]] = {
    "none": ((), []),
    "both sides": (reports.BOTH_SIDES, [
        [5, 'meta: {"num_specs": ', (1, "3", ""), ', "oss": []}'],
        [6, "", (2, "spec_details", "2 specs"), ": [{…"]]),
    "both sides in one line": (
        (Excerpt(6, 4, "one two", 4, 7), Excerpt(6, 4, "one two", 0, 3, "x")),
        [[6, "", (2, "one", "x"), " ", (1, "two", ""), ""]]),
    "side within side": ((Excerpt(6, 4, "one two", 0, 7), Excerpt(6, 4, "one two", 4, 7, "x")),
                         [[6, "", (1, "one two", ""), ""], [6, "one ", (2, "two", "x"), ""]]),
    "same line, cut elsewhere": ((Excerpt(6, 4, "one", 0, 1), Excerpt(6, 9, "two", 0, 1)),
                                 [[6, "", (1, "o", ""), "ne"], [6, "", (2, "t", ""), "wo"]]),
    "nothing between": ((Excerpt(1, 0, "ab", 1, 1),), [[1, "a", (1, "", ""), "b"]]),
    "what steers": ((Excerpt(1, 0, "\u202e\x1b<b>\n", 1, 2, "\u2028"),),
                    [[1, "\\u202e", (1, "\\x1b", "\\u2028"), "<b>\\n"]]),
}


@pytest.mark.parametrize("name", EXCERPTS)
def test_excerpts(name: str) -> None:
    excerpts, lines = EXCERPTS[name]
    [back] = read_back(written(Report((reports.finding(excerpts=excerpts),), 1)))
    assert back["lines"] == lines


def test_each_string_is_written_once() -> None:
    report = reports.large(5000, tags=3)
    page = written(report)
    assert page.count("num_specs is 7, but spec_details has another number") == 1
    assert page.count("package-042") == 1
    assert len(page) / len(report.findings) < 120


# ------------------------------------------------------------------------------- the document


def test_nothing_but_its_own_script_and_style_is_allowed() -> None:
    page = written(reports.SMALL)
    reader = Reader(page)
    [policy] = [each["content"] for each in reader.of("meta")
                if each.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    directives = dict(each.strip().split(" ", 1) for each in policy.split(";"))
    for name, kind in (("script-src", "script"), ("style-src", "style")):
        [text] = re.findall(rf"<{kind}>(.*?)</{kind}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert directives[name] == f"'sha256-{digest}'"
    assert directives == directives | {"default-src": "'none'", "img-src": "data:",
                                       "base-uri": "'none'", "form-action": "'none'"}
    # the policy comes before what it governs, and no attribute is a script or a style
    assert page.index("Content-Security-Policy") < page.index("<style>")
    attributes = [(name, value) for _, each in reader.tags for name, value in each.items()]
    assert [name for name, _ in attributes if name.startswith("on") or name == "style"] == []
    # links to the rules are followed on a click, and load nothing
    assert {value for name, value in attributes if name in ("href", "src")
            if not str(value).startswith("#")} == {"data:,"} | {
                url_of(finding.code) for finding in reports.SMALL.findings}
    assert re.findall(r"url\(|@import|https?:", (ASSETS / "report.css").read_text()) == []
    assert set(re.findall(r"https?://[^\"]*", (ASSETS / "report.js").read_text())) == {
        "http://www.w3.org/2000/svg"}  # a name, which is never loaded


@pytest.mark.parametrize("name", ["report.css", "report.js"])
def test_assets_can_be_in_a_page(name: str) -> None:
    text = (ASSETS / name).read_text(encoding="ascii")
    assert re.findall(r"</(script|style)|<!--|<script|\r", text) == []
    assert re.findall(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|Function\(|"
                      r"fetch\(|XMLHttp|WebSocket|sendBeacon|import\(", text) == []


def test_hostile_strings_are_neither_markup_nor_the_end_of_an_island() -> None:
    names = [text.replace("/", "") for text in reports.HOSTILE]
    report = Report(tuple(
        reports.finding(name, name, message=text, pointer=text,
                        excerpts=(Excerpt(1, 0, text, 0, len(text), text),))
        for name in names for text in reports.HOSTILE), 1)
    page = written(report)
    assert page.startswith("<!doctype html>\n")
    calm = written(Report(tuple(reports.finding() for _ in report.findings), 1))
    assert page.isascii()
    assert [tag for tag, _ in Reader(page).tags] == [tag for tag, _ in Reader(calm).tags]
    assert re.findall(r"<!--|alert\(1\)</|\u2028", page) == []
    assert len(list(read_back(page))) == len(report.findings)


def test_totals_and_rules_need_no_script() -> None:
    page = re.sub(r"<script.*?</script>", "", written(reports.SMALL), flags=re.DOTALL)
    texts = html.unescape(re.sub(r"<[^>]*>", " ", page))
    texts = re.sub(r"\s+", " ", texts)
    assert "Found 3 errors and 2 warnings in 12 pages" in texts
    assert "Suppressed by the baseline 3" in texts
    assert re.search(r"CL301 num-specs num_specs is not the number of specs\. error 2 2 ", texts)
    assert re.search(r"CL401 invalid-hash A hash is not 32 characters .*? error \u2013 1 ", texts)
    assert "does not run the script" in texts
    assert "Regenerates meta" in texts
    # what a script must fill stays hidden without one
    for _, attributes in Reader(page).tags:
        assert ("data-script" in attributes) <= ("hidden" in attributes)


def test_rules_are_in_the_order_of_their_findings() -> None:
    report = Report(tuple(reports.finding(code=code) for code in
                          ("CL401", "CL502", "CL502", "CL301", "CL502", "CL401")), 1)
    page = written(report)
    tally = page[page.index('id="tally"'):page.index("</tbody>")]
    assert re.findall(r'href="#(CL\d+)"', tally) == ["CL502", "CL401", "CL301"]
    assert re.findall(r'rect width="([\d.]+)%"', tally) == ["100.0", "66.7", "33.3"]


def test_rule_with_errors_among_its_findings_is_shown_as_one() -> None:
    findings = [reports.finding(code="CL505", severity=severity)
                for severity in (Severity.WARNING, Severity.ERROR)]
    assert [rule.severity for rule in formats.count_rules(findings)] == ["error"]
    assert [rule.severity for rule in formats.count_rules(findings[:1])] == ["warning"]


@pytest.mark.parametrize(("report", "claim", "lead"), [
    (Report((), 23), "All checks passed: 23 pages",
     "No findings."),
    (Report((), 1, suppressed=4), "All checks passed: 1 page",
     "No findings, except those that the baseline suppresses."),
    (Report((), 2, not_run=("CL603", "CL608")), "All checks passed: 2 pages",
     "Not run, because they need whole tags: CL603, CL608."),
])
def test_clean_report(report: Report, claim: str, lead: str) -> None:
    page = written(report)
    assert f'<h1 id="claim">{claim}</h1>' in page
    assert lead in page
    reader = Reader(page)
    assert reader.of("noscript") == reader.of("table") == reader.of("form") == []


def test_head_identifies_a_report(monkeypatch: pytest.MonkeyPatch) -> None:
    report = reports.SMALL._replace(invocation=Invocation(("check", "<b>")))
    head = written(report).split('<dl class="origin">')[1].split("</dl>")[0]
    texts = re.sub(r"<[^>]*>", " ", head).strip().split("\n")
    assert [" ".join(text.split()) for text in texts if text.strip()] == [
        "Command cachelint check &#39;&lt;b&gt;&#39;", f"Version cachelint {__version__}",
        "Date 2025-11-27 15:00 UTC"]
    monkeypatch.setenv("GITHUB_REPOSITORY", "spack/cache")
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.example.org")
    monkeypatch.setenv("GITHUB_SHA", "0" * 40)
    page = written(report)
    assert '<a href="https://github.example.org/spack/cache">' in page
    assert f"<code>{'0' * 40}</code>" in page
    base = f"https://github.example.org/spack/cache/blob/{'0' * 40}/"
    assert f'id="base">"{base}"</script>' in page


@pytest.mark.parametrize(("path", "expected"), [
    ("_cache/develop/stray/notes.md", ["", "develop", "stray", "_cache/develop/stray/notes.md"]),
    ("a/_cache/v1/index.md", ["a", "v1", "", "a/_cache/v1/index.md"]),
    ("pages/tags/v1.md", ["", "", "", "pages/tags/v1.md"]),
])
def test_other_files_of_a_tag_are_listed_under_it(path: str, expected: list[str]) -> None:
    [[file, *_]] = islands(written(Report((reports.finding(path=path),), 1)))
    strings: list[str] = []
    for value in file:
        strings.append(value if isinstance(value, str) else strings[value])
    assert strings == expected


def test_same_report_is_same_bytes() -> None:
    slower = reports.SMALL._replace(seconds=9.9)
    assert written(reports.SMALL) == written(slower)


def test_report_is_written_piece_by_piece() -> None:
    pieces = html_report.write(reports.large(20 * html_report.CHUNK), PLAIN)
    sizes = [len(piece) for piece in pieces]
    assert max(sizes) < sum(sizes) / 4
    assert sum(size > 1000 for size in sizes) >= 20


# ------------------------------------------------------------------------------- documentation


def test_blocks_of_documentation() -> None:
    assert blocks_of("One `a`\nof two.\n\n## Example\n\n    - x\n      y\n\nNone. Ask `b`.") == [
        Block("text", ("One ", "a", " of two.")), Block("heading", ("Example",)),
        Block("code", ("- x\n  y",)), Block("text", ("None. Ask ", "b", "."))]


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.code)
def test_rule_is_shown_whole(rule: Any) -> None:
    page = written(Report((reports.finding(code=rule.code),), 1))
    shown = page[page.index('<div class="prose">'):page.index("</details>")]
    words = html.unescape(re.sub(r"<[^>]*>", "", shown)).split()
    assert words == rule.documentation.replace("`", "").replace("## ", "").split()


# ------------------------------------------------------------------------------- the program


def test_nothing_of_it_is_imported_for_other_formats() -> None:
    code = ("import sys; from cachelint.output import formats; formats.FORMATS['full'].load(); "
            "import cachelint.cli.main; assert 'jinja2' not in sys.modules; "
            "formats.FORMATS['html'].load(); assert 'jinja2' in sys.modules")
    subprocess.run([sys.executable, "-c", code], check=True)


def test_it_is_a_format() -> None:
    assert formats.FORMATS["html"].load() is html_report.write
