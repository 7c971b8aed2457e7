"""Code Quality reports: what GitLab documents of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cachelint import check_page
from cachelint.model import Finding, Report
from cachelint.output import gitlab
from cachelint.output.formats import PLAIN
from support import broken, valid

SCHEMA = json.loads((Path(__file__).parents[1] / "schemas" / "gitlab.json").read_text("utf-8"))
PATH = f"_cache/{valid.TAG}/zlib/specs.md"


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI_PROJECT_DIR", raising=False)


def issues_of(*findings: Finding) -> list[dict[str, Any]]:
    """Write a report, check it against the schema, and return what it lists."""
    issues = json.loads("".join(gitlab.write(Report(findings, 7), PLAIN)))
    Draft202012Validator(SCHEMA).validate(issues)
    assert isinstance(issues, list)
    return issues


def test_nothing_found() -> None:
    assert issues_of() == []


def test_issues() -> None:
    page = valid.page(valid.meta(num_specs=3), valid.specs(
        0, variants=["+shared", "build_system=makefile"]))
    found = check_page(page.encode(), PATH)
    one, other = issues_of(*found)
    assert one == {
        "description": "CL301 num-specs: num_specs is 3, but spec_details has 2 specs "
                       "(fixable with \"cachelint fix\")",
        "check_name": "CL301",
        "fingerprint": one["fingerprint"],
        "severity": "major",
        "location": {"path": PATH, "lines": {"begin": 5}},
    }
    assert (other["check_name"], other["severity"]) == ("CL506", "minor")
    assert one["fingerprint"] != other["fingerprint"]


def test_the_broken_catalog() -> None:
    report = broken.report()
    issues = issues_of(*report.findings)
    assert [(each["check_name"], each["location"]["lines"]["begin"]) for each in issues] == [
        (finding.code, finding.line) for finding in report.findings]
    assert len({each["fingerprint"] for each in issues}) == len(issues)


def test_paths_begin_at_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "site").mkdir()
    monkeypatch.chdir(tmp_path / "site")
    monkeypatch.setenv("CI_PROJECT_DIR", str(tmp_path))
    [issue] = issues_of(*check_page(valid.page(valid.meta(num_specs=3)).encode(), PATH))
    assert issue["location"]["path"] == f"site/{PATH}"
