"""Every format, over one catalog with every rule broken: its golden file, and what it lets out."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from cachelint import __version__
from cachelint.model import Excerpt, Finding, Report, Severity
from cachelint.output import formats
from cachelint.rules import ALL_RULES
from cachelint.text import escape_unsafe
from support import broken

GOLDEN = Path(__file__).parents[1] / "golden" / "broken"
FILES = {
    "full": "full.txt", "concise": "concise.txt", "json": "report.json", "github": "github.txt",
    "sarif": "report.sarif", "junit": "junit.xml", "gitlab": "gitlab.json", "rdjson": "rdjson.json",
    "html": "html.txt",
}
_each_format = pytest.mark.parametrize("name", formats.FORMATS)


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget where a service has its checkout."""
    for name in ("GITHUB_WORKSPACE", "CI_PROJECT_DIR"):
        monkeypatch.delenv(name, raising=False)


def written(name: str, report: Report | None = None) -> str:
    """Write a report in a format, that of the broken catalog if none is given."""
    return "".join(formats.FORMATS[name].load()(report or broken.report(), formats.PLAIN))


def test_every_rule_is_broken() -> None:
    found = {finding.code for finding in broken.report().findings}
    # an index, a changed configuration and a bug of the program are not in a catalog
    assert found == {rule.code for rule in ALL_RULES
                     if rule.emitted_by not in ("index", "linter") and rule.code != "CL805"}


@_each_format
def test_golden(name: str) -> None:
    text = written(name)
    if name == "sarif":
        text = text.replace(f'"version": "{__version__}"', '"version": "1"').replace(
            f"/blob/v{__version__}/", "/blob/v1/")
        # of the rules a few, so that the others' documentation may change
        text = re.sub(r' +\{"id": "(?!CL301|CL407|CL804)CL.*\n', "", text)
    if name == "html":
        # the findings, an item a line; how they look is for the browser's tests
        islands = re.findall(r"/json\"[^>]*>(.*?)</script>", text, re.DOTALL)
        text = "".join(f"{json.dumps(item)}\n" for island in islands for item in json.loads(island))
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        (GOLDEN / FILES[name]).write_bytes(text.encode())
    assert text == (GOLDEN / FILES[name]).read_bytes().decode()


@_each_format
def test_every_finding_is_in_a_report(name: str) -> None:
    report = broken.report()
    text = written(name)
    for finding in report.findings:
        assert finding.code in text
    # a name of each, as it is or escaped
    assert len(re.findall(r"\bCL\d{3}\b", text)) >= len(report.findings)


@_each_format
def test_nothing_steers_a_terminal_or_turns_text(name: str) -> None:
    text = written(name)
    wrong = {character for line in text.split("\n") for character in line
             if not character.isprintable()}
    assert wrong == set()
    text.encode("utf-8")  # no lone surrogate is left


@_each_format
def test_nothing_commands_a_runner_of_workflows(name: str) -> None:
    lines = written(name).split("\n")
    commands = [line for line in lines if re.match(r"\s*::", line)]
    assert (commands != []) == (name == "github")
    for line in commands:
        assert re.match(r"::(error|warning) title=(CL\d{3} [a-z0-9-]+,|cachelint::)", line)
    assert [line for line in lines if re.search(r"##\w*\[", line)] == []


def strings(value: Any) -> Iterator[str]:
    """Yield every string of a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from strings(item)


@pytest.mark.parametrize("name", ["sarif", "gitlab"])
def test_what_json_escapes_is_inert_when_it_is_read(name: str) -> None:
    for text in strings(json.loads(written(name))):
        assert all(line.isprintable() for line in text.split("\n")), text


def test_xml_contains_text_as_text() -> None:
    text = written("junit")
    assert "]]>" not in text
    root = ElementTree.fromstring(text)
    assert {element.tag for element in root.iter()} == {
        "testsuites", "testsuite", "testcase", "failure", "skipped"}
    said = "".join(root.itertext()) + "".join(
        value for element in root.iter() for value in element.attrib.values())
    # an entity for each, and nothing lost
    assert escape_unsafe(broken.NAME) in said
    assert "</script>" in said
    assert all(line.isprintable() for line in said.split("\n"))


@_each_format
def test_a_report_is_written_piece_by_piece(name: str) -> None:
    excerpts = (Excerpt(5, 0, "x" * 60, 3, 6),)
    report = Report(tuple(
        Finding(f"_cache/develop/p{number:05}/specs.md", 5, 4, 5, 7, "CL301", "num-specs",
                Severity.ERROR, "num_specs is 3, but spec_details has 2 specs", "/meta/num_specs",
                True, excerpts)
        for number in range(2000)), 2000)
    pieces = list(formats.FORMATS[name].load()(report, formats.PLAIN))
    if name == "html":  # which writes a thousand findings at a time, beside its script
        assert sum(len(piece) > 40_000 for piece in pieces) == 2
    else:
        assert len(pieces) >= 2000
        assert max(map(len, pieces)) < 5000


@_each_format
@pytest.mark.parametrize("parts", [
    ("#", "#["), ("##", "[x]"), ("x", "##[x]"), ("\x00", "##["), ("##vso", "[x]"), ("#", "#VSO[x]"),
    ("##teamcity", "[x]")])
def test_an_excerpt_obeys_nobody_wherever_its_mark_begins(
    name: str, parts: tuple[str, str]
) -> None:
    before, inside = parts
    excerpt = Excerpt(1, 0, f"{before}{inside}error]x", len(before), len(before + inside))
    finding = Finding("x.md", 1, len(before) + 1, 1, len(before + inside) + 1, "CL106", "syntax",
                      Severity.ERROR, "the front matter is not YAML", "", False, (excerpt,))
    assert not re.search(r"##\w*\[", written(name, Report((finding,), 1)))


# ------------------------------------------------------------------------------- where paths begin


@pytest.mark.parametrize(
    ("below", "path", "expected"),
    [
        ("", "a/b.md", "a/b.md"), ("site", "a/b.md", "site/a/b.md"), ("site", "../b.md", "b.md"),
        ("site/x", "../../b.md", "b.md"), ("..x", "b.md", "..x/b.md"),
    ],
)
def test_paths_are_counted_from_the_checkout(
    below: str, path: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / below).mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(tmp_path / below)
    monkeypatch.setenv("CI_PROJECT_DIR", str(tmp_path))
    assert formats.in_checkout(formats.folder_in("CI_PROJECT_DIR"), path) == expected


def test_outside_a_checkout_paths_are_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert formats.folder_in("CI_PROJECT_DIR") == ""
    monkeypatch.setenv("CI_PROJECT_DIR", str(tmp_path / "elsewhere"))
    assert formats.folder_in("CI_PROJECT_DIR") == ""
    assert formats.in_checkout("", "../a.md") == "../a.md"
