"""Whole runs of `render`: what is written, what is not, and that a second run changes nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from cachelint import CachelintError, Settings, check
from cachelint.runner.render import RenderReport, render
from cachelint.runner.verify import IndexOptions, verify
from support.catalogs import (
    GCC,
    TAG,
    ZLIB,
    ZLIB_NG,
    ZSTD,
    contents,
    edit_page,
    write_small_mirror,
)
from support.mirrors import INDEXES, PAGES, V2, V2_TAG, depend, index_bytes, install

MUTABLE = Settings(mutable_tags=frozenset({TAG, "develop"}))


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    return write_small_mirror(tmp_path / "mirror" / TAG)


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def run(source: Path | str, tag: str = TAG, *, settings: Settings = MUTABLE,
        stacks: dict[str, str] | None = None, **options: Any) -> RenderReport:
    index = IndexOptions(str(source), tag, stacks=stacks or {})
    return render(".", index, settings=settings, **options)


def kinds(report: RenderReport) -> list[tuple[str, str, str]]:
    return [(change.kind, change.path.removeprefix(f"_cache/{report.tag}/"), change.why)
            for change in report.changes]


def test_writes_a_whole_catalog_that_has_no_finding(mirror: Path, out: Path) -> None:
    report = run(mirror)
    assert (report.pages, report.specs, report.stacks) == (3, 3, ("hep", "root"))
    assert [change.kind for change in report.changes] == ["added"] * 6
    assert [*contents(out)] == [
        *(f"_cache/{TAG}/{name}/specs.md" for name in ("zlib", "zlib-ng", "zstd")),
        "_data/meta.yaml", "_data/tags.yaml", f"pages/tags/{TAG}.md"]
    assert (out / "_cache" / TAG / "zlib/specs.md").read_text() == (
        f'---\ntitle: "zlib"\nlayout: cache\ncategories: [package, {TAG}]\n'
        'meta: {"compilers": ["gcc@13.2.0"], "num_specs": 1, "num_specs_by_stack": {"hep": 1, '
        '"root": 1}, "oss": ["ubuntu22.04"], "platforms": ["linux"], "stacks": ["hep", "root"], '
        '"targets": ["x86_64_v3"], "versions": ["1.3.1"]}\n'
        f'spec_details: [{{"compiler": "gcc@13.2.0", "hash": "{"a" * 32}", "os": "ubuntu22.04", '
        '"platform": "linux", "size": "-", "stacks": ["hep", "root"], "target": "x86_64_v3", '
        '"variants": ["libs:=shared,static", "opt=O2", "+pic"], "versions": ["1.3.1"]}]\n---')
    assert (out / "_data/meta.yaml").read_text() == (
        "all:\n  compiler_count: '2'\n  count: 3\n  parameter_count: '4'\n  version: all\n"
        f"{TAG}:\n  compilers:\n    gcc@13.2.0: 3\n    none: 1\n  count: 3\n  parameters:\n"
        "    build_system: 2\n    libs: 2\n    opt: 2\n    pic: 4\n")
    assert check(["."]).findings == ()
    assert verify(["."], IndexOptions(str(mirror))).findings == ()


def test_a_second_run_changes_nothing(mirror: Path, out: Path) -> None:
    run(mirror)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    # a frozen tag in which nothing changes is fine
    report = run(mirror, settings=Settings())
    assert (report.changes, report.is_blocked) == ((), False)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_a_real_catalog_is_equal_byte_for_byte(out: Path) -> None:
    stacks = {path.name[6:-8]: str(path) for path in INDEXES.glob("index-*.json.gz")}
    report = run(INDEXES / "index.json.gz", stacks=stacks)
    assert (report.pages, report.specs, len(report.stacks)) == (874, 3568, 21)
    for name in ("meta.yaml", "tags.yaml"):
        assert (out / "_data" / name).read_bytes() == (INDEXES / name).read_bytes()
    assert check(["."]).findings == ()
    index = IndexOptions(str(INDEXES / "index.json.gz"), stacks=stacks)
    report_of_verify = verify(["."], index)
    assert (report_of_verify.findings, report_of_verify.pages) == ((), 874)


def test_a_real_catalog_by_old_spack_differs_in_spelling_only(out: Path) -> None:
    shutil.copytree(PAGES, out, dirs_exist_ok=True)
    before = contents(out)
    assert verify(["."], IndexOptions(str(V2))).findings == ()
    report = run(V2, V2_TAG, settings=Settings(), write=False)
    assert kinds(report) == [("changed", f"{name}/specs.md", "formatting only")
                             for name in ("data-only", "lib-top", "zlib-tiny")]
    assert report.is_blocked
    assert contents(out) == before


def test_reports_what_changes_in_content(mirror: Path, out: Path) -> None:
    run(mirror)
    edit_page(out, "zlib", lambda specs: specs.append({**specs[0], "hash": "x" * 32}))
    edit_page(out, "zstd", lambda specs: specs[0].update(hash="y" * 32))
    page = edit_page(out, "zlib-ng", lambda specs: specs[0].update(os="rhel8", stacks=["hep"]))
    assert kinds(run(mirror, write=False)) == [
        ("changed", "zlib-ng/specs.md", "1 spec changed"),
        ("changed", "zlib/specs.md", "1 spec removed"),
        ("changed", "zstd/specs.md", "all specs are replaced")]
    page.write_text("---\n")
    assert kinds(run(mirror))[0] == ("changed", "zlib-ng/specs.md", "it could not be compared")
    assert run(mirror).changes == ()


def test_a_dry_run_writes_nothing(mirror: Path, out: Path) -> None:
    report = run(mirror, write=False)
    assert len(report.changes) == 6
    assert contents(out) == {}
    index = IndexOptions(str(mirror), TAG)
    assert len(render("missing/folder", index, write=False).changes) == 6
    assert not (out / "missing").exists()


def test_changes_no_frozen_tag_without_force(mirror: Path, out: Path) -> None:
    run(mirror)
    edit_page(out, "zlib", lambda specs: specs[0].update(os="rhel8"))
    before = contents(out)
    report = run(mirror, settings=Settings())
    assert report.is_blocked
    assert contents(out) == before
    assert not run(mirror, settings=Settings(), force=True).is_blocked
    assert contents(out) != before
    assert run(mirror).changes == ()


def test_removes_pages_of_packages_that_are_gone_only_with_prune(mirror: Path, out: Path) -> None:
    run(mirror)
    write_small_mirror(mirror, GCC, ZLIB, ZSTD)
    assert kinds(run(mirror)) == [
        ("changed", "_data/meta.yaml", f"the counts of {TAG}"),
        ("kept", "zlib-ng/specs.md", "the package is gone")]
    assert kinds(run(mirror)) == [("kept", "zlib-ng/specs.md", "the package is gone")]
    (out / "_cache" / TAG / "zlib-ng/notes.txt").write_text("mine")
    assert kinds(run(mirror, prune=True, write=False)) == [
        ("removed", "zlib-ng/specs.md", "the package is gone")]
    assert (out / "_cache" / TAG / "zlib-ng/specs.md").exists()
    run(mirror, prune=True)
    assert [path.name for path in (out / "_cache" / TAG / "zlib-ng").iterdir()] == ["notes.txt"]
    assert run(mirror, prune=True).changes == ()
    write_small_mirror(mirror, GCC, ZLIB)
    run(mirror, prune=True)
    assert not (out / "_cache" / TAG / "zstd").exists()


def test_other_tags_keep_their_bytes(mirror: Path, out: Path) -> None:
    run(mirror, "v1.0")
    before = contents(out)
    write_small_mirror(mirror, GCC, ZLIB)
    run(mirror, "develop")
    after = contents(out)
    assert all(after[path] == raw for path, raw in before.items() if "_data" not in path)
    assert after["_data/tags.yaml"].startswith(b"- name: develop\n")
    assert after["_data/tags.yaml"].endswith(before["_data/tags.yaml"])
    assert before["_data/meta.yaml"].split(b"v1.0:")[1] in after["_data/meta.yaml"]
    assert b"\n  count: 4\n" in after["_data/meta.yaml"]
    assert check(["."]).findings == ()


def test_a_page_of_the_tag_that_a_person_wrote_is_kept(mirror: Path, out: Path) -> None:
    run(mirror)
    page = out / f"pages/tags/{TAG}.md"
    page.write_text(f"---\nlayout: table\npermalink: /tag/{TAG}/\ntag: {TAG}\n---\nWelcome!\n")
    assert run(mirror).changes == ()
    page.write_text("---\nlayout: table\npermalink: /other/\ntag: other\n---\n")
    assert kinds(run(mirror)) == [("changed", f"pages/tags/{TAG}.md", "")]
    assert check(["."]).findings == ()


def test_a_catalog_without_counts_gets_none(mirror: Path, out: Path) -> None:
    run(mirror)
    (out / "_data/meta.yaml").unlink()
    assert run(mirror).changes == ()


# ------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("tag", ["../up", "a/b", "", ".", "..", ".hidden", "a b", "no", "0.22"])
def test_refuses_an_invalid_tag(mirror: Path, out: Path, tag: str) -> None:
    with pytest.raises(CachelintError, match=r"invalid tag|is no name of a tag|tag"):
        run(mirror, tag)
    assert contents(out) == {}


@pytest.mark.parametrize(("root", "message"), [
    ([install("a", "Zlib")], "no page can be written for it"),
    ([install("a", version='1"2')], "the page of zlib would be invalid: CL701"),
    ([install("a", parameters={"x": "<script>"})], "the page of zlib would be invalid: CL701"),
    ([install("1")], "the page of zlib would be invalid: CL401"),
    ([install("a", dependencies=[depend("b")]), install("b", dependencies=[depend("a")])],
     "form a cycle"),
])
def test_writes_nothing_where_a_page_would_be_invalid(
    mirror: Path, out: Path, root: list[dict[str, Any]], message: str
) -> None:
    write_small_mirror(mirror, ZSTD, *root)
    with pytest.raises(CachelintError, match=message):
        run(mirror)
    assert contents(out) == {}


def test_renders_no_empty_tag(mirror: Path, out: Path) -> None:
    write_small_mirror(mirror, GCC)
    with pytest.raises(CachelintError, match="no spec is in the build cache"):
        run(mirror)
    assert contents(out) == {}


@pytest.mark.parametrize(("name", "text", "message"), [
    ("tags.yaml", "# mine\n- name: v9\n  stacks: [root]\n", "not in the layout of the site's"),
    ("tags.yaml", "a: [", r"tags\.yaml: invalid YAML"),
    ("tags.yaml", "- name: v9\n", "not as the site's generator writes it"),
    ("tags.yaml", "- name: v9\n  stacks: [root]\n- name: v9\n  stacks: [root]\n",
     "not as the site's generator writes it"),
    ("meta.yaml", "# mine\nall:\n  count: 1\n", "not in the layout of the site's generator"),
    ("meta.yaml", "v9:\n  count: 1\nv9:\n  count: 2\n", "not in the layout of the site's gen"),
])
def test_loses_nothing_of_a_file_in_another_layout(
    mirror: Path, out: Path, name: str, text: str, message: str
) -> None:
    (out / "_data").mkdir()
    (out / "_data" / name).write_text(text)
    with pytest.raises(CachelintError, match=message):
        run(mirror)
    assert contents(out) == {f"_data/{name}": text.encode()}


def test_writes_nothing_where_an_index_is_damaged(mirror: Path, out: Path) -> None:
    next(path for path in (mirror / "hep").rglob("blobs/*/*/*")).write_text("{}")
    with pytest.raises(CachelintError, match="wrong length and checksum"):
        run(mirror)
    assert contents(out) == {}


@pytest.mark.parametrize("link", [
    "_cache", f"_cache/{TAG}", f"_cache/{TAG}/zlib", f"_cache/{TAG}/zlib/specs.md", "_data",
    "_data/tags.yaml", "pages", f"pages/tags/{TAG}.md",
])
def test_writes_through_no_link(mirror: Path, out: Path, tmp_path: Path, link: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    path = out / link
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(elsewhere)
    with pytest.raises(CachelintError, match="a link leads to"):
        run(mirror)
    assert contents(elsewhere) == {}


def test_a_link_to_the_catalog_itself_may_be_named(mirror: Path, out: Path) -> None:
    (out / "link").symlink_to("real")
    (out / "real").mkdir()
    render("link", IndexOptions(str(mirror), TAG))
    assert len(contents(out / "real")) == 6


def test_a_list_of_tags_needs_the_tag(out: Path, tmp_path: Path) -> None:
    blob = tmp_path / "mirror/blob.json"
    blob.parent.mkdir()
    blob.write_bytes(index_bytes(ZLIB_NG))
    (tmp_path / "mirror/list.json").write_text(json.dumps(
        {TAG: [{"label": "root", "url": "s3://x/blob.json"}]}))
    index = IndexOptions(str(tmp_path / "mirror/list.json"), "v9",
                         mirrors={"s3://x": str(blob.parent)})
    with pytest.raises(CachelintError, match='no tag "v9" in the list of tags'):
        render(".", index)
    assert render(".", index._replace(tag=TAG)).pages == 1
