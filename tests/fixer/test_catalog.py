"""Fixes of a catalog's own files."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml as pyyaml  # type: ignore[import-untyped]

from cachelint import Settings, check, fix
from cachelint.files import read_write
from cachelint.fixer import catalog as catalog_fixer
from support.example import EXAMPLE, META, change


def test_fix_changes_only_numbers_and_missing_pages(catalog: Path) -> None:
    with_comment = META.replace("  count: 29", "  count: 31  # by hand").replace("120", "7", 1)
    Path("_data/meta.yaml").write_text(with_comment)
    Path("pages/tags/develop.md").unlink()
    change("pages/tags/v0.23.1.md", "tag: v0.23.1", "tag: develop")
    done = fix()
    assert done.report.findings == ()
    assert sorted(path for path, *_ in done.changed) == [
        "_data/meta.yaml", "pages/tags/develop.md", "pages/tags/v0.23.1.md"]
    assert Path("_data/meta.yaml").read_text() == META.replace("  count: 29",
                                                               "  count: 29  # by hand")
    for name in ("develop", "v0.23.1"):
        expected = (EXAMPLE / f"pages/tags/{name}.md").read_bytes()
        assert Path(f"pages/tags/{name}.md").read_bytes() == expected
    assert fix().changed == ()


@pytest.mark.parametrize("more", ["note: mine  # by hand", "# by hand"])
@pytest.mark.parametrize("body", ["", "\r\nBy hand.\n", "\n"])
@pytest.mark.parametrize("values", [
    {"tag: develop": "tag: v1"}, {"/tag/develop/": "/tag/v1/"},
    {"tag: develop": "tag: 'v1'", "/tag/develop/": '"/tag/v1/"'},
    {"/tag/develop/": "/tag/develop"}, {"/tag/develop/": "no address"},
], ids=["tag", "address", "both", "address without a slash", "address with a space"])
def test_fix_changes_a_tag_page_in_place(
    catalog: Path, values: dict[str, str], more: str, body: str
) -> None:
    page = Path("pages/tags/develop.md")
    expected = page.read_text().replace("tag: develop", f"tag: develop\n{more}") + body
    text = expected
    for before, after in values.items():
        text = text.replace(before, after)
    page.write_bytes(text.encode())
    done = fix(settings=Settings(selected=frozenset({"CL605"})))
    assert done.report.findings == ()
    assert page.read_bytes() == expected.encode()


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["", "mark"])
@pytest.mark.parametrize("end", ["\r", "\r\n"], ids=["CR", "CRLF"])
def test_lines_are_counted_and_fixed_whatever_their_ends(
    catalog: Path, end: str, mark: str
) -> None:
    meta = Path("_data/meta.yaml")
    damaged = mark + META.replace("\n", end).replace("count: 29", "count: 31")
    meta.write_bytes(damaged.encode())
    first, finding = check().findings
    assert (first.code, first.line, first.fixable) == ("CL103", 1, True)
    line = META[: META.index("count: 29")].count("\n") + 1
    assert (finding.line, finding.column, finding.fixable) == (line, 10, True)
    assert finding.excerpts[0].text == "  count: 31"
    assert fix().report.findings == ()
    assert meta.read_bytes() == (mark + META).encode()


def test_tag_page_that_cannot_be_written_stops_no_other(catalog: Path) -> None:
    names = ["0.22", "a: b", "2025-03-30", "*z"]
    with Path("_data/tags.yaml").open("a") as file:
        for name in names:
            shutil.copytree("_cache/v0.23.1/bash", f"_cache/{name}/bash")
            file.write(f"- name: {json.dumps(name)}\n  stacks:\n  - root\n")
    selected = Settings(selected=frozenset({"CL605"}))
    assert [f.fixable for f in check(settings=selected).findings] == [
        True, False, True, True]
    assert [f.message.split('"')[1] for f in fix(settings=selected).report.findings] == ["a: b"]
    for name in ("0.22", "2025-03-30", "*z"):
        text = Path(f"pages/tags/{name}.md").read_text().replace("---", "")
        assert pyyaml.safe_load(text)["tag"] == name


@pytest.mark.parametrize("write", [True, False])
def test_fix_reports_what_is_left_where_it_is_now(catalog: Path, write: bool) -> None:
    change("_data/meta.yaml", "  count: 29", "  count: 1000  # \x85")
    change("pages/tags/develop.md", "/tag/develop/", "/\x85tag/develop/")  # goes with its value
    Path("pages/tags/v0.23.1.md").unlink()
    assert [f.code for f in check().findings] == ["CL607", "CL703", "CL605", "CL605", "CL703"]
    done = fix(write=write)
    [left] = done.report.findings
    assert (left.code, left.path, left.excerpts[0].text) == (
        "CL703", "_data/meta.yaml", "  count: 29  # \x85")
    assert len(done.changed) == 3
    if write:
        assert done.report.findings == check().findings


@pytest.mark.parametrize(("before", "after"), [
    ("tag: develop", "tag: |-\n  v1"), ("tag: develop", 'tag: "v\n  1"'),
    ("/tag/develop/", ">-\n  /tag/v1/"), ("/tag/develop/", "/tag/\n  v1/"),
], ids=["block", "quoted", "folded", "plain"])
def test_values_of_several_lines_are_not_fixed(catalog: Path, before: str, after: str) -> None:
    page = Path("pages/tags/develop.md")
    change(str(page), before, after)
    raw = page.read_bytes()
    done = fix()
    assert [(f.code, f.fixable) for f in done.report.findings] == [("CL605", False)]
    assert page.read_bytes() == raw


@pytest.mark.parametrize(("before", "after", "reason"), [
    ("---\n\nBy hand", "---\n\nBy", "would differ in more than what is fixed"),
    ("---\n\nBy hand", "---\n\nby hand", "would differ in more than what is fixed"),
    ("layout: table", "layout: tables", "would differ in more than what is fixed"),
    ("tag: develop", "tag: 'develop", "could not be read"),
], ids=["body lost", "body altered", "value altered", "invalid"])
def test_own_file_is_read_back_and_compared(
    catalog: Path, before: str, after: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Path("pages/tags/develop.md")
    page.write_text(page.read_text() + "\n\nBy hand")
    change(str(page), "/tag/develop/", "/tag/v1/")
    raw = page.read_bytes()

    def edit_badly(*arguments: Any) -> bytes:
        return edited(*arguments).replace(before.encode(), after.encode())

    edited = catalog_fixer._edited
    monkeypatch.setattr(catalog_fixer, "_edited", edit_badly)
    assert fix().skipped == ((str(page), f"the fixed file {reason}"),)
    assert page.read_bytes() == raw


def test_file_that_cannot_be_created_fails_the_run(
    catalog: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def create(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(read_write, "create", create)
    page = Path("pages/tags/develop.md")
    page.unlink()
    done = fix()
    assert done.skipped == ((str(page), "the file cannot be written: No space left on device"),)
    assert [f.code for f in done.report.findings] == ["CL605"]
    assert done.report.failed
    assert not page.exists()


def test_fix_removes_temporary_files_of_a_run_that_was_killed(catalog: Path) -> None:
    outside = catalog.parent / "outside"
    outside.mkdir()
    shutil.rmtree("pages/tags")
    Path("pages/tags").symlink_to(outside)
    for folder in ("_data", outside):
        left = Path(folder) / ".cachelint-0123456789abcdef"
        left.touch()
        os.utime(left, (0, 0))
    fix()
    assert [*Path("_data").glob(".cachelint-*")] == []
    assert len([*outside.glob(".cachelint-*")]) == 1


def test_own_file_that_is_named_is_fixed(catalog: Path) -> None:
    path = Path("pages/tags/develop-2025-03-30.md")
    text = path.read_bytes()
    path.write_bytes(b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"))
    found = [each.code for each in check([str(path)]).findings if each.fixable]
    assert found == ["CL102", "CL103"]
    done = fix([str(path)])
    assert (path.read_bytes(), done.fixed) == (text, 2)
    assert done.report.notes == (f"{path}: fixed by itself; counts and tag pages need the "
                                 "catalog: cachelint fix .",)
    assert not fix([str(path)]).changed


def test_counts_are_not_changed_where_only_their_file_is_named(catalog: Path) -> None:
    path = Path("_data/meta.yaml")
    path.write_text(re.sub("count: [0-9]+", "count: 1", META), encoding="utf-8")
    done = fix([str(path)])
    assert (done.changed, len(done.report.notes)) == ((), 1)
    assert done.report.not_run == ("CL603", "CL605", "CL606", "CL607", "CL608", "CL609")
