"""`rdjson`: what reviewdog reads of findings and of suggested changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cachelint import Settings, check, fix_page
from cachelint.model import Excerpt, Finding, Report, Severity, Suggestion
from cachelint.output import rdjson
from cachelint.output.formats import PLAIN
from cachelint.runner import suggest
from support import broken, valid

SCHEMA = json.loads((Path(__file__).parents[1] / "schemas" / "reviewdog.json").read_text())
STALE = valid.page(valid.meta(num_specs=3))
WHERE = f"_cache/{valid.TAG}/zlib/specs.md"


def written(report: Report) -> list[dict[str, Any]]:
    result = json.loads("".join(rdjson.write(report, PLAIN)))
    Draft202012Validator(SCHEMA).validate(result)
    assert result["source"]["name"] == "cachelint"
    diagnostics: list[dict[str, Any]] = result["diagnostics"]
    return diagnostics


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def report_on(page: str, settings: Settings | None = None, *, package: str = "zlib") -> Report:
    """Check a page in a file, and add the suggestions for it."""
    settings = settings or Settings()
    valid.write_catalog(Path(), {f"{valid.TAG}/{package}": page}, {valid.TAG: ["e4s", "root"]})
    return suggest.suggest(check(settings=settings), settings)


def test_of_each_kind_of_finding() -> None:
    report = broken.report()
    diagnostics = written(report)
    assert [each["code"]["value"] for each in diagnostics] == [
        finding.code for finding in report.findings]
    assert {each["severity"] for each in diagnostics} == {"ERROR", "WARNING"}


def test_a_fixable_finding_has_a_suggestion(here: Path) -> None:
    [diagnostic] = written(report_on(STALE))
    assert diagnostic == {
        "message": "num_specs is 3, but spec_details has 2 specs",
        "location": {"path": WHERE, "range": {"start": {"line": 5, "column": 50},
                                              "end": {"line": 5, "column": 51}}},
        "severity": "ERROR",
        "code": {"value": "CL301", "url": "https://spack.github.io/cachelint/rules/#cl301"},
        "suggestions": [{"range": {"start": {"line": 5}, "end": {"line": 5}},
                         "text": valid.PAGE.split("\n")[4]}],
    }
    assert (here / WHERE).read_text() == STALE  # nothing is written


def apply(page: str, suggestions: list[dict[str, Any]]) -> str:
    """Replace lines as a review does."""
    lines = page.split("\n")
    for each in sorted(suggestions, key=lambda each: -int(each["range"]["start"]["line"])):
        span = each["range"]
        lines[span["start"]["line"] - 1 : span["end"]["line"]] = each["text"].split("\n")
    return "\n".join(lines)


PAGES = {
    "one line": STALE,
    "two lines": STALE.replace("layout: cache", "layout:  cache"),
}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_suggestions_together_are_what_fix_writes(here: Path, page: str) -> None:
    diagnostics = written(report_on(page))
    suggestions = [each for diagnostic in diagnostics for each in diagnostic.get("suggestions", [])]
    fixed = fix_page(page.encode(), WHERE).content.decode()
    assert suggestions
    assert apply(page, suggestions) == fixed
    for diagnostic in diagnostics:  # a change is suggested once
        assert ("suggestions" in diagnostic) != ("cachelint fix" in diagnostic["message"])


def test_without_a_suggestion_the_command_is_named(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suggest, "LONGEST", 50)
    [diagnostic] = written(report_on(STALE))
    assert "suggestions" not in diagnostic
    assert diagnostic["message"].endswith('has 2 specs (fixable with "cachelint fix")')
    monkeypatch.undo()
    monkeypatch.chdir(here)


@pytest.mark.parametrize("page", [
    valid.PAGE + "\n", STALE.replace("\n", "\r\n"), STALE.replace("layout", "\nlayout")],
    ids=["end of the file", "lines without a finding", "a line that is removed"])
def test_what_a_review_cannot_change_as_a_whole_has_no_suggestion(here: Path, page: str) -> None:
    assert [each for each in written(report_on(page)) if "suggestions" in each] == []


def test_columns_are_bytes_of_utf8(here: Path) -> None:
    page = here / "specs.md"
    page.write_text("---\na\U00010400b\n---", encoding="utf-8")
    finding = Finding("specs.md", 2, 3, 2, 4, "CL704", "x", Severity.ERROR, "m", "", False,
                      (Excerpt(2, 0, "a\U00010400b", 2, 3),))
    [diagnostic] = written(Report((finding,), 1))
    assert diagnostic["location"]["range"] == {
        "start": {"line": 2, "column": 6}, "end": {"line": 2, "column": 7}}
    page.unlink()
    [diagnostic] = written(Report((finding,), 1))
    assert diagnostic["location"]["range"] == {"start": {"line": 2}, "end": {"line": 2}}


def test_a_suggestion_commands_no_service() -> None:
    finding = Finding("a", 2, 1, 2, 2, "CL301", "num-specs", Severity.ERROR, "m", "", True)
    change = Suggestion("a", 2, 2, "##vso[a]\u202e\ud800")
    text = "".join(rdjson.write(Report((finding,), 1, suggestions=(change,)), PLAIN))
    assert text.isascii()
    assert "##vso[" not in text
    assert json.loads(text)["diagnostics"][0]["suggestions"][0]["text"] == change.text
