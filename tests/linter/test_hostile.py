"""Hostile files of a catalog: they cost time in proportion to their size, up to stated limits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cachelint import check, fix
from cachelint.document import catalog_files, yaml
from support import valid
from support.effort import count_steps

TAGS, META = "_data/tags.yaml", "_data/meta.yaml"
PAGE = f"_cache/{valid.TAG}/{valid.PACKAGE}/specs.md"
LISTED = f"- name: {valid.TAG}\n  stacks:\n  - e4s\n  - root\n"

# name: the path of a file, and its text, whose size grows with a number
GROWING: dict[str, tuple[str, Callable[[int], str]]] = {
    "tags without pages": (TAGS, lambda n: "".join(
        f"- name: t{i}\n  stacks:\n  - root\n" for i in range(n))),
    "one tag again and again": (TAGS, lambda n: LISTED * n),
    "stacks of one tag": (TAGS, lambda n: LISTED + "".join(f"  - s{i}\n" for i in range(n))),
    "tags that are invalid": (TAGS, lambda n: "- name: a\n  stacks: b\n" * n),
    "tags with comments": (TAGS, lambda n: LISTED + "".join(
        f"- name: t{i}  # c\n  stacks:\n  - root\n" for i in range(n))),
    "counts of tags without pages": (META, lambda n: "all:\n  count: 2\n" + "".join(
        f"t{i}:\n  count: 1\n" for i in range(n))),
    "counts that are strings": (META, lambda n: "all:\n  count: 2\n" + "".join(
        f"t{i}:\n  count: x\n" for i in range(n))),
    "counts with comments": (META, lambda n: "all:\n  count: 2\n" + "".join(
        f"t{i}:\n  count: 1  # c\n" for i in range(n))),
    "keys of one tag": (META, lambda n: f"all:\n  count: 2\n{valid.TAG}:\n" + "".join(
        f"  k{i}: 1\n" for i in range(n))),
    "one key again and again": (META, lambda n: "all:\n  count: 2\n" * n),
    "keys of a tag's page": (f"pages/tags/{valid.TAG}.md", lambda n: (
        "---\nlayout: table\n" + "".join(f"k{i}: a\n" for i in range(n)) + "---")),
}


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    valid.write_catalog(tmp_path, {f"{valid.TAG}/{valid.PACKAGE}": valid.PAGE},
                        {valid.TAG: ["e4s", "root"]})
    (tmp_path / "pages/tags").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", GROWING)
def test_effort_grows_with_the_size(catalog: Path, name: str) -> None:
    path, make = GROWING[name]

    def effort(number: int) -> int:
        (catalog / path).write_text(make(number))
        return count_steps(lambda: (check(), fix(write=False)))

    effort(1)  # what is read and compiled once
    few, many = effort(50), effort(400)
    assert many < 12 * few


@pytest.mark.parametrize("name", GROWING)
def test_findings_of_a_file_are_capped(catalog: Path, name: str) -> None:
    path, make = GROWING[name]
    (catalog / path).write_text(make(1500))
    for report in (check(), fix(write=False).report):
        assert sum(finding.path == path for finding in report.findings) <= 1001


LIMITS = {
    "lines": "# a\n" * (catalog_files.MOST_LINES + 1),
    "ends of lines": "\r" * (catalog_files.MOST_LINES + 1),
    "keys and values": "[" + "a, " * (catalog_files.MOST_YAML_VALUES + 1) + "]",
    "spaces": "a " * (catalog_files.MOST_BLANKS + 1),
    "tabs": "a: [b, " + "\t" * (catalog_files.MOST_BLANKS + 1) + "]",
    "bytes": "x: " + "a" * catalog_files.MAX_SIZE,
    "containers in containers": "[" + ("[" * 90 + "]" * 90 + ",") * 1200 + "]",
}


@pytest.mark.parametrize("path", [TAGS, META])
@pytest.mark.parametrize("name", LIMITS)
def test_limits_of_a_file(catalog: Path, name: str, path: str) -> None:
    (catalog / path).write_bytes(LIMITS[name].encode())
    assert [(each.code, each.line) for each in check().findings if each.path == path] == [
        ("CL110", 1)]


def test_a_file_as_large_as_the_public_one_may_have_a_comment(catalog: Path) -> None:
    counts = "".join(f"    some-package-{number}: {number}\n" for number in range(500))
    text = "".join(f"develop-{number}:\n  packages:\n{counts}" for number in range(100))
    (catalog / META).write_text(f"# by hand\n{text}")
    assert "CL110" not in {each.code for each in check().findings if each.path == META}


def test_a_file_that_the_parser_reads_is_parsed_once(
    catalog: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = []
    load = yaml.load

    def count(text: str, most_values: int = 0) -> object:
        parsed.append(text)
        return load(text, most_values)

    monkeypatch.setattr(yaml, "load", count)
    for text in (f"# a\n{LISTED}", f"# b\n{LISTED}- [", f"# c\n{LIMITS['keys and values']}"):
        parsed.clear()
        (catalog / TAGS).write_text(text)
        check()
        assert parsed == [text]


@pytest.mark.parametrize("number", [400, 1600])
def test_unknown_names_are_compared_with_few(catalog: Path, number: int) -> None:
    (catalog / TAGS).write_text(f"- name: {valid.TAG}\n  stacks:\n" + "".join(
        f"  - {'ab' * 25}{i:04}\n" for i in range(3000)))
    stacks = ", ".join(f'"{"ab" * 25}{i + 5000}"' for i in range(number))
    (catalog / PAGE).write_text(valid.PAGE.replace('"stacks": ["e4s", "root"]',
                                                   f'"stacks": [{stacks}]'))
    assert count_steps(check) < 2_000_000
