"""What `diff` prints in each format: golden files, one screen, and nothing that a name controls."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import jsonschema
import pytest

from cachelint.document import schema
from cachelint.model import (
    DiffReport,
    FieldChange,
    PageChange,
    PageChangeKind,
    SpecChange,
    TagChanges,
)
from cachelint.output.diff import WRITERS
from cachelint.text import display_width, escape_unsafe

GOLDEN = Path(__file__).parents[1] / "golden/diff"
FILES = {"text": "text.txt", "json": "report.json", "markdown": "summary.md"}
BASE = "3f2a91c0d4e5f60718293a4b5c6d7e8f90a1b2c3"
HASH = "2c44nm4mufjlcr3pyjmzmr4ukhpgf5uv"
HOSTILE = "v1|`x`\n::error::<b>@all</b>##[x]\x1b[31m\u202e\udce9```"


def page(package: str, kind: PageChangeKind, tag: str = "develop", **more: object) -> PageChange:
    path = f"_cache/{tag}/{package}/specs.md"
    return PageChange(path, tag, package, kind)._replace(**more)  # type: ignore[arg-type]


def tag(*pages: PageChange, catalog: str = ".", **flags: bool) -> TagChanges:
    flags = {"is_frozen": False, "is_new": False, "is_gone": False, **flags}
    return TagChanges(catalog, pages[0].tag, pages, **flags)


def spec(version: str, name: str = HASH, *fields: FieldChange) -> SpecChange:
    return SpecChange(version, name, fields)


DEVELOP = tag(
    page("zlib", PageChangeKind.CHANGED, added=(spec("1.3.1"), spec("1.3.1", "a" * 32)),
         removed=(spec("1.3"),), new_versions=("1.3.1",), gone_versions=("1.3",),
         changed=(spec("1.2.13", "b" * 32, FieldChange("compiler", ("gcc@11.4.0",), ("gcc@12",)),
                       FieldChange("stacks", ("e4s", "hep"), ()),
                       FieldChange("variants", (), ("+shared",))),)),
    page("cuda", PageChangeKind.ADDED, added=(spec("12.1"), SpecChange("", "")),
         new_versions=("12.1",)),
    page("curl", PageChangeKind.REMOVED, removed=(spec("8"),), gone_versions=("8",)),
    page("yasm", PageChangeKind.CHANGED, fields=("meta", "title")),
    *(page(f"py-{number}", PageChangeKind.REFORMATTED) for number in range(1200)),
    page("swig", PageChangeKind.UNREADABLE, reason="now: the file is blank, so that there is no "
                                                   "front matter"))
FROZEN = tag(page("re2", PageChangeKind.CHANGED, "develop-2025-03-30", changed=(
    spec("2024-07-02", HASH, FieldChange("size", ("-",), ("7",))),)), is_frozen=True)
OTHERS = [
    tag(page("x", PageChangeKind.REMOVED, f"v0.{number}", removed=(spec("1"),)),
        is_frozen=True, is_gone=True) for number in range(30)]
NEW = tag(page("x", PageChangeKind.ADDED, "v9", added=(spec("1"), spec("1", "c" * 32))),
          is_new=True)
ODD = tag(page(HOSTILE, PageChangeKind.CHANGED, HOSTILE, fields=(HOSTILE,),
               added=(spec(HOSTILE, HOSTILE),), new_versions=(HOSTILE,),
               changed=(spec("1", HASH, FieldChange(HOSTILE, (HOSTILE,), (HOSTILE,))),)),
          page("other", PageChangeKind.REFORMATTED, HOSTILE),
          page(HOSTILE, PageChangeKind.UNREADABLE, HOSTILE, reason=f"now: {HOSTILE}"),
          catalog=HOSTILE)
WIDE = tag(*(page(str(number), PageChangeKind.ADDED, "漢字" * 30) for number in range(12000)))


def report(*tags: TagChanges, compared: int = 78012, **more: object) -> DiffReport:
    made = DiffReport(("origin/main",), BASE, compared, tags, ())
    return made._replace(**more)  # type: ignore[arg-type]


REPORTS = {
    "overview": report(DEVELOP, FROZEN, NEW, *OTHERS, notes=(
        "3 changed pages of . not checked out (sparse checkout), and so not compared",
        "12 pages of . excluded by the configuration, and so not compared")),
    "details": report(DEVELOP._replace(pages=DEVELOP.pages[:20] + DEVELOP.pages[-1:]), FROZEN,
                      only=(("tag", "develop"), ("tag", "develop-2025-03-30"))),
    "nothing": report(compared=23),
    "unreadable": report(tag(DEVELOP.pages[-1]), compared=0),
    "notes": report(compared=13, notes=("1 changed page of . not checked out (sparse checkout), "
                                        "and so not compared",)),
    "partly": report(tag(DEVELOP.pages[-1]), compared=22),
    "new-and-broken": report(tag(page("zlib", PageChangeKind.ADDED, reason="now: not UTF-8")),
                             compared=23),
    "order": report(tag(*DEVELOP.pages[4:-1]), sides=(BASE[:7],), compared=1300),
    "folders": report(NEW, sides=("old", "new"), base=""),
    "hostile": report(ODD, FROZEN, sides=(HOSTILE,), notes=(HOSTILE,)),
    "hostile-details": report(ODD, sides=(HOSTILE,), only=(("tag", HOSTILE),)),
    "wide": report(WIDE, FROZEN),
}


def written(name: str, made: DiffReport) -> str:
    return "".join(f"{line}\n" for line in WRITERS[name](made))


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("output", FILES)
def test_golden(name: str, output: str) -> None:
    out = written(output, REPORTS[name]) if name != "wide" or output == "text" else ""
    if name in ("overview", "order") and output == "json":
        out = re.sub(r'  \{"path": "_cache/develop/py-[1-9]\d*/.*\n', "", out)  # a thousand lines
    path = GOLDEN / f"{name}-{FILES[output]}"
    if os.environ.get("UPDATE_GOLDEN") and out:
        path.write_bytes(out.encode())
    if out:
        assert out == path.read_bytes().decode()


@pytest.mark.parametrize("name", REPORTS)
def test_one_screen(name: str) -> None:
    lines = written("text", REPORTS[name]).splitlines()
    assert all(display_width(line) <= 80 for line in lines)
    assert len(lines) <= 24 or "details" in name


def test_size_is_bounded() -> None:
    for output in ("text", "markdown"):
        assert len(written(output, report(*[ODD] * 3000, notes=(HOSTILE,) * 3000))) < 50_000


@pytest.mark.parametrize("name", REPORTS)
def test_nothing_that_a_name_controls(name: str) -> None:
    for output in WRITERS:
        for line in written(output, REPORTS[name]).splitlines():
            assert escape_unsafe(line) == line
            assert not line.startswith("::")


@pytest.mark.parametrize("name", REPORTS)
def test_markdown_has_names_in_code_only(name: str) -> None:
    text = written("markdown", REPORTS[name])
    outside = re.sub(r"^(`{3,})text\n.*?\n\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    outside = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", outside)
    assert not re.search("[`<>@\\[\\]\\\\]|error|zlib|develop", outside)
    # a bar in a name would be one more cell
    for table in re.findall(r"(?:^\|.*\n)+", outside, re.MULTILINE):
        assert len({row.count("|") for row in table.splitlines()}) == 1
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({row.count("|") for row in table.splitlines()}) == 1


@pytest.mark.parametrize("name", REPORTS)
def test_json_is_what_its_schema_describes(name: str) -> None:
    document = json.loads(written("json", REPORTS[name]))
    jsonschema.Draft202012Validator(schema.load("diff")).validate(document)
    summary = document["summary"]
    for key in summary.keys() - {"compared", "frozen_tags"}:
        assert summary[key] == sum(each[key] for each in document["tags"])
    assert "\\ud" not in written("json", REPORTS[name])
