"""SARIF: the standard's schema, and what code scanning services also require."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import pytest
from jsonschema import Draft4Validator

from cachelint import __version__, check_page
from cachelint.model import Finding, Report, Severity
from cachelint.output import sarif
from cachelint.output.formats import PLAIN
from cachelint.rules import ALL_RULES
from support import broken, valid

SCHEMA = json.loads((Path(__file__).parents[1] / "schemas" / "sarif.json").read_text("utf-8"))
PATH = f"_cache/{valid.TAG}/zlib/specs.md"


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)


def run_of(*findings: Finding) -> dict[str, Any]:
    """Write a report, check it against the schema, and return its only run."""
    log = json.loads("".join(sarif.write(Report(findings, 7), PLAIN)))
    Draft4Validator(SCHEMA).validate(log)
    [run] = log["runs"]
    assert isinstance(run, dict)
    return run


def results_of(text: str, path: str = PATH) -> list[dict[str, Any]]:
    """Return the results of one page."""
    results = run_of(*check_page(text.encode(), path, context=valid.CONTEXT))["results"]
    assert isinstance(results, list)
    return results


def finding(severity: Severity = Severity.ERROR, number: int = 0, **changes: Any) -> Finding:
    code, name = ("CL301", "num-specs") if severity is Severity.ERROR else ("CL505", "trailing")
    return Finding(f"_cache/develop/p{number:06}/specs.md", 5, 44, 5, 46, code, name, severity,
                   "num_specs is 3", "/meta/num_specs", False)._replace(**changes)


# ----------------------------------------------------------------------------- the run


def test_nothing_found() -> None:
    run = run_of()
    assert run["results"] == []
    assert run["invocations"] == [{"executionSuccessful": True}]
    assert run["columnKind"] == "unicodeCodePoints"
    assert set(run["originalUriBaseIds"]) == {"%SRCROOT%"}


def test_rules() -> None:
    driver = run_of()["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("cachelint", __version__)
    assert [rule["id"] for rule in driver["rules"]] == [rule.code for rule in ALL_RULES]
    for rule, written in zip(ALL_RULES, driver["rules"], strict=True):
        assert written["name"] == rule.name
        assert written["shortDescription"]["text"] == rule.summary
        assert written["fullDescription"]["text"].startswith(
            rule.sections["What it does"])
        assert not re.search("^#|cachelint fix", written["fullDescription"]["text"], re.MULTILINE)
        assert len(written["fullDescription"]["text"]) <= 1000
        assert written["help"] == {"text": rule.documentation, "markdown": rule.documentation}
        assert written["helpUri"].startswith("https://")
        assert written["helpUri"].endswith(f"/rules/#{rule.code.lower()}")
        assert written["defaultConfiguration"] == {
            "level": rule.severity.value, "enabled": rule.default}
        assert written["properties"]["problem.severity"] == rule.severity.value
        assert written["properties"]["precision"] == "very-high"
        assert len(written["properties"]["tags"]) <= 10
    tags = {rule["id"]: rule["properties"]["tags"] for rule in driver["rules"]}
    assert (tags["CL301"], tags["CL401"]) == (["summary", "fixable"], ["specs"])


def test_the_broken_catalog() -> None:
    report = broken.report()
    results = run_of(*report.findings)["results"]
    assert [(result["ruleId"], result["level"]) for result in results] == [
        (found.code, found.severity.value) for found in report.findings]
    assert all(ALL_RULES[result["ruleIndex"]].code == result["ruleId"] for result in results)
    prints = [result["partialFingerprints"]["primaryLocationLineHash"] for result in results]
    assert len(set(prints)) == len(prints)
    assert all(re.fullmatch("[0-9a-f]{32}:1", each) for each in prints)


def test_a_level_that_was_changed_is_that_of_the_finding() -> None:
    [result] = run_of(finding(severity=Severity.WARNING, code="CL301"))["results"]
    assert (result["ruleId"], result["level"]) == ("CL301", "warning")


# ----------------------------------------------------------------------------- positions


def test_a_result() -> None:
    [result] = results_of(valid.page(valid.meta(num_specs=3)))
    assert result == {
        "ruleId": "CL301", "ruleIndex": sarif._INDICES["CL301"], "level": "error",
        "message": {"text": "num_specs is 3, but spec_details has 2 specs "
                            "(fixable with \"cachelint fix\")"},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": PATH, "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": 5, "startColumn": 50, "endLine": 5, "endColumn": 51,
                       "snippet": {"text": "3"}}}}],
        "relatedLocations": [{
            "id": 1, "message": {"text": "2 specs"},
            "physicalLocation": {
                "artifactLocation": {"uri": PATH, "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 6, "startColumn": 1, "endColumn": 13,
                           "snippet": {"text": "spec_details"}}}}],
        "partialFingerprints": result["partialFingerprints"],
    }


PAGES = {
    "short": valid.page(valid.meta(num_specs=3)),
    "both sides": valid.page(valid.meta(versions=["1.3.1"], oss=["rhel8"])),
    "twice": valid.page(None, valid.specs(1, hash=valid.FIRST)),
    "beyond ASCII": valid.page(None, valid.specs(0, os="\u00e9\u4e2d", variants=["+~x"])).replace(
        "\\u00e9\\u4e2d", "\u00e9\u4e2d"),
    "long": valid.page(None, valid.specs(0, hash="x" * 300)),
    "a line of its own": valid.PAGE + "\nBuilt by hand.\nTwice.\n",
}


@pytest.mark.parametrize("text", PAGES.values(), ids=PAGES)
def test_a_snippet_is_what_its_region_covers(text: str) -> None:
    lines = text.split("\n")
    count = 0
    for result in results_of(text):
        for location in [*result["locations"], *result.get("relatedLocations", [])]:
            region = location["physicalLocation"]["region"]
            row = lines[region["startLine"] - 1]
            end = region["endColumn"] if region.get("endLine") in (None, region["startLine"]) else (
                len(row) + 1)
            covered = row[region["startColumn"] - 1 : end - 1]
            snippet = region["snippet"]["text"]
            count += 1
            if snippet.endswith("…"):
                assert covered.startswith(snippet[:-1])
                assert (len(covered) > 60) != (region.get("endLine", 0) > region["startLine"])
            else:
                assert covered == snippet
    assert count >= 1


def test_a_file_that_cannot_be_read_has_its_first_line() -> None:
    gone = [result for found, result in zip(
        broken.report().findings, run_of(*broken.report().findings)["results"], strict=True)
        if not found.excerpts]
    assert {result["ruleId"] for result in gone} == {"CL100", "CL802"}
    assert all(result["locations"][0]["physicalLocation"]["region"] == {"startLine": 1}
               for result in gone)


@pytest.mark.parametrize("path", [
    PATH, "a b.md", "100%0A.md", "a:b/c.md", "#?&.md", "\u00e9\u4e2d.md", broken.NAME, "[x](y)",
    os.fsdecode(b"z\xff.md"), "::error::x", "\\x\\y.md", "../specs.md",
])
def test_a_path_is_a_relative_reference(path: str) -> None:
    [result] = run_of(finding(path=path))["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert re.fullmatch(r"(?:[A-Za-z0-9._~/-]|%[0-9A-F]{2})+", uri)
    parts = urlsplit(uri)
    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("", "", "", "")
    assert unquote_to_bytes(uri) == os.fsencode(path)


def test_paths_begin_at_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "site").mkdir()
    monkeypatch.chdir(tmp_path / "site")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    [result] = run_of(finding())["results"]
    location = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location["uri"] == "site/_cache/develop/p000000/specs.md"


# ----------------------------------------------------------------------------- messages


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("100% of {0}", "100% of {{0}}"),
        ("a list [a, b] (two)", "a list [a, b] (two)"),
        ("see [x](https://example.org)", r"see \[x\](https://example.org)"),
        ("\\[x](1)", r"\\\[x\](1)"),
        ("x" * 5000, "x" * 1999 + "…"),
        ("\x1b[31m\u202e\ud800", r"\x1b[31m\u202e\ud800"),
    ],
)
def test_nothing_in_a_message_is_a_placeholder_or_a_link(message: str, text: str) -> None:
    [result] = run_of(finding(message=message))["results"]
    assert result["message"]["text"] == text


# ----------------------------------------------------------------------------- the limit


@pytest.mark.parametrize(
    ("errors", "warnings", "kept"),
    [(3, 4, (3, 4)), (6, 4, (6, 4)), (7, 4, (7, 3)), (10, 4, (10, 0)), (11, 4, (10, 0)),
     (0, 12, (0, 10))],
)
def test_where_there_is_no_room_for_all_errors_come_first(
    errors: int, warnings: int, kept: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sarif, "LIMIT", 10)
    found = [finding(Severity.WARNING, number) for number in range(warnings)]
    found += [finding(Severity.ERROR, number) for number in range(errors)]
    found.sort(key=lambda each: each.path)
    run = run_of(*found)
    levels = [result["level"] for result in run["results"]]
    assert (levels.count("error"), levels.count("warning")) == kept
    [invocation] = run["invocations"]
    said = [each["message"]["text"] for each in invocation.get("toolExecutionNotifications", [])]
    left = errors + warnings - sum(kept)
    parts = [f"{count} {name}" for count, name in sorted(
        [(errors - kept[0], "CL301 num-specs"), (warnings - kept[1], "CL505 trailing")],
        key=lambda part: -part[0]) if count]
    assert said == ([] if not left else [
        f"{left} of {errors + warnings} findings are left out, since code scanning takes 10 at "
        f"most: {', '.join(parts)}"])


def test_limit_is_that_of_github() -> None:
    found = [finding(number=number) for number in range(25_003)]
    pieces = sarif.write(Report(tuple(found), 7), PLAIN)
    assert sum('"ruleId"' in piece for piece in pieces) == 25_000
