"""Annotations, lines of the log that are not commands, the job summary."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from cachelint import __version__
from cachelint.model import Finding, Invocation, Report, Severity
from cachelint.output import github
from cachelint.output import summary as job_summary
from cachelint.output.formats import PLAIN
from cachelint.rules.base import url_of

PAGE = "_cache/develop/zlib/specs.md"
NAMES = {
    "CL301": "num-specs", "CL303": "compilers", "CL401": "invalid-hash", "CL502": "unsorted-list",
    "CL505": "trailing-whitespace", "CL506": "unsorted-variants",
}
WARNINGS = {"CL505", "CL506"}

EVIL = [
    "::error file=x::forged",
    " ::error::forged",
    "\u00a0::warning::forged",
    "\u3000::error::forged",
    "x\n::error::forged",
    "x\r::add-mask::forged",
    "x\u2028::error::forged",
    "##[error]forged",
    "x ##[add-path]forged",
    "##[stop-commands]forged",
    "##vso[task.setvariable variable=A]forged",
    "##teamcity[forged",
    "100%0A::error::forged",
    "\x1b[31mred",
    "::stop-commands::forged",
    ":" * 40,
    "",
]


class Command(NamedTuple):
    """What the runner makes of a line."""

    name: str
    properties: dict[str, str]
    data: str


COMMANDS = {"error", "warning", "notice", "debug", "group", "endgroup", "add-mask", "add-matcher",
            "add-path", "set-env", "set-output", "save-state", "stop-commands", "echo"}
# the whitespace that .NET removes from the beginning of a line
BLANKS = "\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"


def command_of(line: str) -> Command | None:
    """Read a line as the runner does: `::name ...::data` at the start, or `##[name]` anywhere."""
    match = re.match(rf"[{BLANKS}]*::([^ :]*)(?: (.*?))?::(.*)", line, re.DOTALL)
    if match is not None and match[1] in COMMANDS:
        pairs = [pair.split("=", 1) for pair in (match[2] or "").split(",") if "=" in pair]
        return Command(match[1], {key: unescaped(value) for key, value in pairs},
                       unescaped(match[3]))
    match = re.search(r"##\[([^ \]]*)[^\]]*\](.*)", line, re.DOTALL)
    if match is not None and match[1] in COMMANDS:
        return Command(match[1], {}, match[2])
    return None


def unescaped(text: str) -> str:
    """Decode characters that a command cannot contain."""
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, character)
    return text


def finding(
    code: str = "CL301", line: int = 5, path: str = PAGE, message: str = "num_specs is wrong",
    fixable: bool = False,
) -> Finding:
    """Make a finding."""
    severity = Severity.WARNING if code in WARNINGS else Severity.ERROR
    return Finding(path, line, 44, line, 46, code, NAMES[code], severity, message,
                   "/meta/num_specs", fixable)


def lines_of(*findings: Finding) -> list[str]:
    """Write a report as GitHub gets it, line by line, as the runner splits it."""
    text = "".join(github.write(Report(findings, 7), PLAIN))
    assert text.endswith("\n")
    return re.split("\r\n|\n|\r", text[:-1])


def commands(lines: list[str]) -> list[Command]:
    """Return the lines that are commands."""
    return [command for line in lines if (command := command_of(line)) is not None]


@pytest.fixture(autouse=True)
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run as if not in a checkout, unless a test sets one."""
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)


# ----------------------------------------------------------------------------- annotations


def test_one_finding() -> None:
    assert lines_of(finding(fixable=True)) == [
        "::error title=CL301 num-specs,file=_cache/develop/zlib/specs.md,line=5,endLine=5,col=44,"
        "endColumn=45::_cache/develop/zlib/specs.md:5:44: CL301 num_specs is wrong "
        "(fixable with \"cachelint fix\"), see https://spack.github.io/cachelint/rules/#cl301",
        "Found 1 error in 7 pages (1 fixable with \"cachelint fix\").",
    ]


def test_nothing() -> None:
    assert lines_of() == ["All checks passed: 7 pages."]


@pytest.mark.parametrize(("errors", "warnings"), [(1, 0), (10, 10), (10, 0), (3, 10)])
def test_ten_of_a_level_are_all_annotated(errors: int, warnings: int) -> None:
    found = [finding("CL301", line) for line in range(1, errors + 1)]
    found += [finding("CL506", line) for line in range(1, warnings + 1)]
    lines = lines_of(*found)
    assert len(lines) == errors + warnings + 1
    assert [(command.name, command.properties["line"]) for command in commands(lines)] == [
        (each.severity.value, str(each.line)) for each in found]


@pytest.mark.parametrize(("errors", "warnings"), [(11, 0), (0, 11), (11, 11), (500, 10), (40, 300)])
def test_never_more_than_ten_of_a_level(errors: int, warnings: int) -> None:
    found = [finding("CL301", line) for line in range(1, errors + 1)]
    found += [finding("CL506", line) for line in range(1, warnings + 1)]
    lines = lines_of(*found)
    counts = Counter(command.name for command in commands(lines))
    assert counts == Counter(error=min(10, errors), warning=min(10, warnings))
    # every finding is in the log once, as an annotation or as a line
    places = Counter(re.findall(r"specs\.md:(\d+):44: (CL\d+)", "\n".join(lines)))
    assert places == Counter((str(each.line), each.code) for each in found)


def test_what_is_not_annotated_is_counted_by_rule() -> None:
    found = [finding("CL301", line) for line in range(1, 1210)]
    found += [finding("CL502", line) for line in range(1, 36)]
    found += [finding("CL401", line) for line in range(1, 3)]
    *annotated, last = commands(lines_of(*found))
    assert [(each.properties["title"], each.properties["line"]) for each in annotated] == [
        *(("CL301 num-specs", str(line)) for line in range(1, 8)),
        ("CL502 unsorted-list", "1"), ("CL401 invalid-hash", "1"),
    ]
    assert last.name == "error"
    assert last.data == (
        "... and 1,237 more errors: 1,202 CL301 num-specs, 34 CL502 unsorted-list, "
        "1 CL401 invalid-hash; the log has them all")


def test_few_rules_are_counted_by_file() -> None:
    found = [finding("CL301", number, f"_cache/develop/p{number % 7}/specs.md")
             for number in range(1, 31)]
    last = commands(lines_of(*found))[-1]
    assert last.data == (
        "... and 21 more errors: 21 CL301 num-specs; in 7 files: 3 _cache/develop/p0/specs.md, "
        "3 _cache/develop/p1/specs.md, 3 _cache/develop/p2/specs.md, 3 _cache/develop/p3/specs.md, "
        "3 _cache/develop/p4/specs.md, 6 in 2 other files; the log has them all")


def test_one_level_may_be_full_and_the_other_not() -> None:
    found = [finding("CL301", line) for line in range(1, 12)] + [finding("CL505")]
    assert [command.properties["title"] for command in commands(lines_of(*found))
            if command.name == "warning"] == ["CL505 trailing-whitespace"]


def test_order_is_that_of_the_report() -> None:
    found = [finding("CL301", line) for line in range(1, 31)]
    lines = lines_of(*found)
    assert [int(match[1]) for line in lines
            if (match := re.search(r"specs\.md:(\d+):44: CL", line))] == list(range(1, 31))
    assert lines[-1] == "Found 30 errors in 7 pages."


# ----------------------------------------------------------------------------- text from outside


@pytest.mark.parametrize("text", EVIL)
@pytest.mark.parametrize("many", [1, 30])
def test_no_text_forges_a_command(text: str, many: int) -> None:
    found = [finding("CL301", line, text or PAGE, text) for line in range(1, many + 1)]
    lines = lines_of(*found)
    assert len(lines) == many + (2 if many > 10 else 1)
    names = Counter(command.name for command in commands(lines))
    assert names == Counter(error=min(many, 10))
    assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029]", "".join(lines))


def test_an_annotation_has_the_text_as_it_is() -> None:
    path = "_cache/develop/a,b:c%2C/specs.md"
    (command,) = commands(lines_of(finding(path=path, message="100% of a::b, c")))
    assert command.properties["file"] == path
    assert command.data == f"{path}:5:44: CL301 100% of a::b, c, see {url_of('CL301')}"


def test_a_long_message_is_cut() -> None:
    (command,) = commands(lines_of(finding(message="x" * 100_000)))
    assert 1000 < len(command.data) < 3000


# ----------------------------------------------------------------------------- where files are


@pytest.mark.parametrize(("below", "file"), [
    ("", PAGE), ("site", f"site/{PAGE}"), ("..site/b", f"..site/b/{PAGE}"),
])
def test_files_are_named_from_the_checkout(
    below: str, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / below).mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(tmp_path / below)
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    (command,) = commands(lines_of(finding()))
    assert command.properties["file"] == file
    assert command.data.startswith(PAGE)


def test_outside_the_checkout_paths_are_as_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path / "elsewhere"))
    (command,) = commands(lines_of(finding()))
    assert command.properties["file"] == PAGE


# ----------------------------------------------------------------------------- the job summary


def summary(*findings: Finding) -> str:
    """Write the job summary of a report."""
    return "".join(job_summary.write(Report(findings, 1225)))


def test_summary_of_nothing() -> None:
    assert summary() == "### ✅ cachelint: All checks passed: 1,225 pages.\n\n"


def test_summary() -> None:
    assert summary(
        finding(fixable=True), finding(line=6, fixable=True), finding("CL506", 6),
        finding("CL401", 6, message='"x" is no hash'),
    ) == """\
### ❌ cachelint: Found 3 errors and 1 warning in 1,225 pages (2 fixable with \"cachelint fix\").

| findings | rule | | severity | fixable |
|---:|---|---|---|---:|
| 2 | [`CL301`](URL#cl301) | `num-specs` | error | 2 |
| 1 | [`CL401`](URL#cl401) | `invalid-hash` | error | - |
| 1 | [`CL506`](URL#cl506) | `unsorted-variants` | warning | - |

#### Findings

- `_cache/develop/zlib/specs.md:5:44`: [`CL301`](URL#cl301) `num_specs is wrong` (fixable)
- `_cache/develop/zlib/specs.md:6:44`: [`CL301`](URL#cl301) `num_specs is wrong` (fixable)
- `_cache/develop/zlib/specs.md:6:44`: warning: [`CL506`](URL#cl506) `num_specs is wrong`
- `_cache/develop/zlib/specs.md:6:44`: [`CL401`](URL#cl401) `"x" is no hash`

#### What to run

```sh
pipx install git+https://github.com/spack/cachelint@v{version}
cachelint fix _cache/develop/zlib/specs.md    # fixes 2 findings
cachelint check
cachelint rule CL301    # what it checks, why, and examples
cachelint rule CL401    # what it checks, why, and examples
cachelint rule CL506    # what it checks, why, and examples
```

""".replace("{version}", __version__).replace(
        "URL#", "https://spack.github.io/cachelint/rules/#")


def test_summary_links_to_lines_and_repeats_the_base(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_REPOSITORY", "spack/cache")
    monkeypatch.setenv("GITHUB_SHA", "0" * 40)
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.com")
    report = Report((finding(path="_cache/v1/a (b)/specs.md"), *(
        finding("CL506", line) for line in (1, 2))), 7, invocation=Invocation((), "origin/main"))
    text = "".join(job_summary.write(report))
    assert (f"- [`_cache/v1/a (b)/specs.md:5:44`](https://github.com/spack/cache/blob/{'0' * 40}/"
            "_cache/v1/a%20%28b%29/specs.md#L5): ") in text
    assert "\ncachelint check --diff-base origin/main\ncachelint rule CL506 " in text
    assert "cachelint fix" not in text


def test_summary_of_only_warnings() -> None:
    text = summary(finding("CL505"))
    assert text.startswith("### ⚠️ cachelint: Found 1 warning in 1,225 pages.\n")
    assert "cachelint fix" not in text


def test_summary_lists_twenty_and_counts_the_rest() -> None:
    text = summary(*(finding("CL301", line) for line in range(1, 1235)))
    items = [line for line in text.splitlines() if line.startswith("- ")]
    assert len(items) == 21
    assert items[0].startswith(f"- `{PAGE}:1:44`")
    assert items[19].startswith(f"- `{PAGE}:20:44`")
    assert items[20] == "- … and 1,214 more, all of them in the log of the step"
    assert f"| 1,234 | [`CL301`]({url_of('CL301')}) | `num-specs` | error | - |" in text


def test_summary_of_pages_in_many_files_fixes_them_all() -> None:
    text = summary(*(finding(path=f"_cache/develop/p{number}/specs.md", fixable=True)
                     for number in range(3)))
    assert "\ncachelint fix    # fixes 3 findings\n" in text


@pytest.mark.parametrize("path", ["a b", "a;rm", "$(rm)", "-x", "a`b", "a\nb", "'", "x" * 3000])
def test_summary_has_no_command_from_a_page(path: str) -> None:
    text = summary(finding(path=path, fixable=True))
    (command,) = [line for line in text.splitlines() if line.startswith("cachelint fix")]
    assert command == "cachelint fix    # fixes 1 finding"


def test_summary_fixes_a_file_of_the_catalog_with_the_catalog() -> None:
    text = summary(finding(path="_data/meta.yaml", fixable=True))
    assert "\ncachelint fix    # fixes 1 finding\n" in text


MARKUP = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](https://example.org)",
    "![x](https://example.org/x.png)", "@octocat", "#1", "https://example.org", "a | b | c",
    "**bold** _it_ ~~s~~", "`code`", "``", "`", "a ``` b", "`` <b>x</b> ``", "\\` <b>x</b> `",
    "x\n\n# heading", "x\n```\n<b>", "&lt;b&gt;", "<!--", "--> <b>", "<a href='`'>",
    "` <b> ` <b> `",
]


@pytest.mark.parametrize("text", MARKUP)
def test_summary_shows_text_as_text(text: str) -> None:
    """Text from pages lies between backticks, and as many of them are nowhere within it."""
    (line,) = [line for line in summary(finding(path=text, message=text)).splitlines()
               if line.startswith("- ")]
    rest = line.removeprefix("- ")
    spans = []
    while fence := re.match("`+", rest.removeprefix("[")):
        rest = rest.removeprefix("[")
        # a span ends at the next run of as many backticks, whatever is between
        end = re.compile(f"(?<!`){fence[0]}(?!`)").search(rest, fence.end())
        assert end is not None, rest
        span = rest[fence.end() : end.start()]
        spans.append(span[1:-1] if span.startswith(" ") and span.endswith(" ") else span)
        rest = rest[end.end() :].removeprefix(f"]({url_of('CL301')})")
        rest = rest.removeprefix(":").removeprefix(" ")
    shown = text.replace("\n", "\\n")
    assert spans == [f"{shown}:5:44", "CL301", shown]
    assert rest == ""


def test_summary_stays_below_what_github_takes() -> None:
    evil = "\U000e0001" * 100_000
    findings = [
        Finding(evil, number, 1, number, 2, f"CL{number % 900 + 100}", f"rule-{number % 900}",
                Severity.ERROR, evil, "", True)
        for number in range(1, 5000)
    ]
    assert len(summary(*findings).encode()) < 512 * 1024
