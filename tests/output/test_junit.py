"""JUnit XML: the schema by which Jenkins reads it, and how services distinguish tests."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
import xmlschema

from cachelint import check_page
from cachelint.model import Finding, Report, Severity
from cachelint.output import junit
from cachelint.output.formats import PLAIN
from support import broken, valid

SCHEMA = xmlschema.XMLSchema(str(Path(__file__).parents[1] / "schemas" / "junit.xsd"))
PATH = f"_cache/{valid.TAG}/zlib/specs.md"


def suites_of(*findings: Finding) -> ElementTree.Element:
    """Write a report, check it against the schema, and return its root."""
    text = "".join(junit.write(Report(findings, 1225, 0.25), PLAIN))
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ')
    SCHEMA.validate(text)
    return ElementTree.fromstring(text)


def test_a_clean_run_is_one_test_that_passed() -> None:
    root = suites_of()
    assert root.attrib == {
        "name": "cachelint", "tests": "1", "failures": "0", "errors": "0", "time": "0.250"}
    [suite] = root
    assert suite.attrib == {
        "name": "cachelint", "tests": "1", "failures": "0", "errors": "0", "skipped": "0"}
    [case] = suite
    assert case.attrib == {"classname": "cachelint", "name": "nothing found"}
    assert [(child.tag, child.text) for child in case] == [
        ("system-out", "All checks passed: 1,225 pages.")]


def test_an_error_failed_and_a_warning_was_skipped() -> None:
    page = valid.page(valid.meta(num_specs=3), valid.specs(
        0, variants=["+shared", "build_system=makefile"]))
    root = suites_of(*check_page(page.encode(), PATH))
    [suite] = root
    assert suite.attrib == {
        "name": PATH, "tests": "2", "failures": "1", "errors": "0", "skipped": "1"}
    error, warning = suite
    assert error.attrib == {"classname": PATH, "name": "CL301 num-specs /meta/num_specs"}
    [failure] = error
    assert failure.tag == "failure"
    assert failure.attrib == {
        "type": "CL301", "message": "num_specs is 3, but spec_details has 2 specs"}
    assert failure.text == f"""
CL301 num-specs: num_specs is 3, but spec_details has 2 specs [fixable]
  --> {PATH}:5:50
    5 | …": ["gcc@11.4.0"], "num_specs": 3, "num_specs_by_stack": {{"e4s": 1…
      |                                  ^
    6 | spec_details: [{{"compiler": "gcc@11.4.0", "hash": "2c44nm4mufjlcr3p…
      | ------------ 2 specs
"""
    assert warning.attrib["name"] == f"CL506 unsorted-variants {valid.FIRST} /variants"
    [skipped] = warning
    assert (skipped.tag, skipped.attrib) == ("skipped", {})
    assert (skipped.text or "").startswith("\nCL506 unsorted-variants: warning: variants are not")


def test_the_broken_catalog() -> None:
    report = broken.report()
    root = suites_of(*report.findings)
    assert (root.attrib["tests"], root.attrib["failures"]) == (
        str(len(report.findings)), str(report.errors))
    assert len(root) == len({finding.path for finding in report.findings})
    for suite in root:
        assert int(suite.attrib["tests"]) == len(suite)
        assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure"))
        assert int(suite.attrib["skipped"]) == len(suite.findall("testcase/skipped"))
    # services take two tests of one class and name for one
    names = [(case.attrib["classname"], case.attrib["name"]) for case in root.iter("testcase")]
    assert len(set(names)) == len(names) == len(report.findings)


def test_what_has_all_in_common_is_numbered() -> None:
    text = valid.PAGE.replace('"num_specs"', '"num_specs": 1, "num_specs": 1, "num_specs"')
    [suite] = suites_of(*check_page(text.encode(), PATH))
    assert [case.attrib["name"] for case in suite] == [
        "CL107 duplicate-key /meta/num_specs", "CL107 duplicate-key /meta/num_specs (2)"]


@pytest.mark.parametrize("text", [
    broken.HOSTILE, broken.NAME, "]]>", "<![CDATA[x]]>", "&amp; &lt;", "a\tb\nc\rd", "\ud800",
    "\ufffe\uffff", "\x00", "'\"", "<!-- -->", "<?x?>",
])
def test_any_string_can_be_written(text: str) -> None:
    finding = Finding(text, 1, 1, 1, 1, "CL100", "unreadable-file", Severity.ERROR, text,
                      f"/{text}", False)
    [suite] = suites_of(finding)
    [case] = suite
    assert case.attrib["classname"] == suite.attrib["name"]
    assert case.attrib["classname"].isprintable()
    assert case[0].attrib["message"].isprintable()
