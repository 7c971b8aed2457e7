"""Whole runs of `verify`: the position on the page, whole tags, baselines, changes."""

from __future__ import annotations

import importlib
import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cachelint import CachelintError, Finding, Report, Settings, check, fix
from cachelint.document.page import Page
from cachelint.linter.tag import parse_again
from cachelint.runner import verify as verify_module
from cachelint.runner.render import render
from cachelint.runner.verify import IndexOptions, verify
from support.catalogs import (
    GCC,
    TAG,
    ZLIB,
    ZLIB_NG,
    ZSTD,
    edit_page,
    write_small_mirror,
)
from support.mirrors import depend, index_bytes, install, write_mirror

Edit = Callable[[list[dict[str, Any]]], object]


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalog in the working directory, and its mirror beside it."""
    mirror = write_small_mirror(tmp_path / "mirror" / TAG)
    folder = tmp_path / "catalog"
    folder.mkdir()
    monkeypatch.chdir(folder)
    render(".", IndexOptions(str(mirror), TAG))
    return folder


MIRROR = f"../mirror/{TAG}"


def run(*paths: str, index: str = MIRROR, **options: Any) -> Report:
    names = ("tag", "stacks", "view", "mirrors")
    of_index = {name: options.pop(name) for name in names if name in options}
    return verify(paths or ["."], IndexOptions(index, **of_index), **options)


def found(*paths: str, **options: Any) -> list[tuple[str, str, str, str]]:
    """Return path, code, pointer and the marked part of each finding."""
    return [(finding.path.removeprefix(f"_cache/{TAG}/"), finding.code, finding.pointer,
             marked(finding)) for finding in run(*paths, **options).findings]


def marked(finding: Finding) -> str:
    excerpt = finding.excerpts[0]
    return excerpt.text[excerpt.start : excerpt.end]


def test_a_catalog_that_is_true_has_no_finding(catalog: Path) -> None:
    report = run()
    assert (report.findings, report.pages) == ((), 3)
    assert check(["."]).findings == ()


def update(**changes: Any) -> Edit:
    return lambda specs: specs[0].update(changes)


DAMAGES: dict[str, tuple[Edit, str, str, str]] = {
    "hash": (update(hash="x" * 32), "CL901", "", "---"),
    "version": (update(versions=["1.3"]), "CL903", "/spec_details/0/versions", '"versions"'),
    "compiler": (update(compiler="gcc@13.3.0"), "CL903", "/spec_details/0/compiler",
                 '"gcc@13.3.0"'),
    "os": (update(os="rhel8"), "CL903", "/spec_details/0/os", '"rhel8"'),
    "platform": (update(platform="darwin"), "CL903", "/spec_details/0/platform", '"darwin"'),
    "target": (update(target="zen4"), "CL903", "/spec_details/0/target", '"zen4"'),
    "variants": (update(variants=["libs:=shared,static", "opt=O3", "+pic"]), "CL903",
                 "/spec_details/0/variants", '"variants"'),
    "stacks": (update(stacks=["root"]), "CL904", "/spec_details/0/stacks", '"stacks"'),
    "one more": (lambda specs: specs.append({**specs[0], "hash": "x" * 32}), "CL901",
                 "/spec_details/1/hash", f'"{"x" * 32}"'),
}


@pytest.mark.parametrize(("edit", "code", "pointer", "text"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_page_has_one_finding_at_the_value(
    catalog: Path, edit: Edit, code: str, pointer: str, text: str
) -> None:
    edit_page(catalog, "zlib", edit)
    findings = [item for item in found() if item[1] != "CL902"]
    assert findings == [("zlib/specs.md", code, pointer, text)]
    # the page agrees with itself
    assert {finding.code for finding in check(["."]).findings} <= {"CL607"}


def changed(install: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**install, "spec": {**install["spec"], **changes}}


INDEXES: dict[str, tuple[list[dict[str, Any]], list[tuple[str, str, str]]]] = {
    "a version": ([GCC, changed(ZLIB, version="1.3"), ZLIB_NG, ZSTD],
                  [("zlib/specs.md", "CL903", "/spec_details/0/versions")]),
    "an os": ([GCC, changed(ZLIB, arch={**ZLIB["spec"]["arch"], "platform_os": "rhel8"}), ZLIB_NG,
               ZSTD], [("zlib/specs.md", "CL903", "/spec_details/0/os")]),
    "a compiler": ([changed(GCC, version="13.3.0"), ZLIB, ZLIB_NG, ZSTD],
                   [("zlib-ng/specs.md", "CL903", "/spec_details/0/compiler"),
                    ("zlib/specs.md", "CL903", "/spec_details/0/compiler")]),
    "a spec more": ([GCC, ZLIB, install("c", version="1.2"), ZLIB_NG, ZSTD],
                    [("zlib/specs.md", "CL902", "/spec_details"),
                     ("_data/meta.yaml", "CL607", "/all/count"),
                     ("_data/meta.yaml", "CL607", f"/{TAG}/count")]),
    "a package more": ([GCC, ZLIB, ZLIB_NG, ZSTD, install("y", "yasm")],
                       [("_data/meta.yaml", "CL607", "/all/count"),
                        ("_data/meta.yaml", "CL607", f"/{TAG}/count"),
                        ("_data/tags.yaml", "CL902", "/0")]),
    "a package less": ([GCC, ZLIB, ZSTD],
                       [("zlib-ng/specs.md", "CL901", ""),
                        ("_data/meta.yaml", "CL607", "/all/count"),
                        ("_data/meta.yaml", "CL607", f"/{TAG}/count")]),
    "out of the cache": ([GCC, ZLIB, {**ZLIB_NG, "in_buildcache": False}, ZSTD],
                         [("zlib-ng/specs.md", "CL901", ""),
                          ("_data/meta.yaml", "CL607", "/all/count"),
                          ("_data/meta.yaml", "CL607", f"/{TAG}/count")]),
    "a hole": ([GCC, changed(ZLIB, dependencies=[depend("g", "c"), depend("q")]), ZLIB_NG, ZSTD],
               [("_data/tags.yaml", "CL906", "/0")]),
}


@pytest.mark.parametrize(("root", "expected"), INDEXES.values(), ids=INDEXES)
def test_a_changed_index_has_the_findings_meant(
    catalog: Path, root: list[dict[str, Any]], expected: list[tuple[str, str, str]]
) -> None:
    write_small_mirror(catalog.parent / "mirror" / TAG, *root)
    assert [item[:3] for item in found()] == expected


def test_messages_name_the_index(catalog: Path) -> None:
    edit_page(catalog, "zlib", update(os="rhel8", stacks=["root"]))
    blobs = f"../mirror/{TAG}/blobs/sha256/"
    first, second = (finding.message for finding in run().findings)
    assert first.startswith('os of zlib@1.3.1/aaaaaaa differs from the index: expected '
                            f'"ubuntu22.04", found "rhel8": {blobs}')
    assert f"hep is missing: ../mirror/{TAG}/hep/blobs/sha256/" in second


def test_a_page_of_a_package_that_is_gone_is_one_finding_and_its_count_stays(
    catalog: Path
) -> None:
    """The generator does not delete pages of `develop`, and its count is that of the index."""
    settings = Settings(mutable_tags=frozenset({TAG}))
    write_small_mirror(catalog.parent / "mirror" / TAG, GCC, ZLIB, ZSTD)
    render(".", IndexOptions(MIRROR, TAG), settings=settings)
    before = (catalog / "_data/meta.yaml").read_bytes()
    assert b"count: 2\n" in before
    fix(["."], settings=settings)
    assert (catalog / "_data/meta.yaml").read_bytes() == before
    assert found() == [("zlib-ng/specs.md", "CL901", "", "---")]


def test_stacks_that_only_one_side_has(catalog: Path) -> None:
    tags = catalog / "_data/tags.yaml"
    tags.write_text(tags.read_text().replace("- hep", "- e4s"))
    findings = found()
    assert [item[1:3] for item in findings] == [("CL905", "/0"), ("CL905", "/0")]
    assert {item[0] for item in findings} == {"_data/tags.yaml"}


def test_a_tag_that_tags_yaml_does_not_list(catalog: Path) -> None:
    (catalog / "_data/tags.yaml").unlink()
    write_small_mirror(catalog.parent / "mirror" / TAG, GCC, ZLIB, ZLIB_NG, ZSTD,
                       install("y", "yasm", dependencies=[depend("q")]))
    assert [item[:3] for item in found() if item[1] != "CL607"] == [
        ("zlib-ng/specs.md", "CL902", ""), ("zlib-ng/specs.md", "CL906", "")]


def test_a_page_that_cannot_be_compared_has_a_reason(catalog: Path) -> None:
    page = catalog / "_cache" / TAG / "zlib/specs.md"
    good = page.read_text()
    page.write_text(good.removesuffix("---"))
    assert [item[:2] for item in found()] == [("zlib/specs.md", "CL105")]
    page.write_text(good.replace('"versions": ["1.3.1"], "hash"', "").replace(
        '"os": "ubuntu22.04", "platform"', '"os": 5, "platform"'))
    assert [item[:3] for item in found()] == [("zlib/specs.md", "CL203", "/spec_details/0/os")]
    page.write_text(good.replace('"num_specs": 1', '"num_specs": 7'))
    assert found() == []


def test_an_excluded_page_is_not_missing(catalog: Path) -> None:
    assert run(settings=Settings(exclude=("_cache/*/zlib",))).pages == 2
    assert found(settings=Settings(exclude=("_cache/*/zlib",))) == []


def test_rules_are_selected_and_weighed(catalog: Path) -> None:
    edit_page(catalog, "zlib", update(os="rhel8", stacks=["root"]))
    assert [item[1] for item in found(settings=Settings(selected=frozenset({"CL904"})))] == [
        "CL904"]


# ------------------------------------------------------------------------------- which tags


def write_list(catalog: Path, *tags: str) -> str:
    """Write a list of tags, each with the indexes of the mirror."""
    mirror = catalog.parent / "mirror"
    entries = []
    for label in ("root", "hep"):
        folder = mirror / TAG / ("" if label == "root" else label)
        blob = next(path for path in (folder / "blobs").rglob("*") if path.is_file())
        url = f"s3://bucket/{blob.relative_to(mirror)}"
        entries.append({"label": label, "url": url})
    (mirror / "list.json").write_text(json.dumps(dict.fromkeys(tags, entries)))
    return "../mirror/list.json"


MIRRORS = {"s3://bucket": "../mirror"}


def test_a_list_of_tags_verifies_each_that_has_pages(catalog: Path) -> None:
    second = catalog / "_cache/develop"
    render(".", IndexOptions(MIRROR, "develop"))
    render(".", IndexOptions(MIRROR, "v1.0"))
    index = write_list(catalog, TAG, "develop", "v2.0")
    assert found(index=index, mirrors=MIRRORS) == [
        ("_data/tags.yaml", "CL907", "", "- name: develop")]
    report = run(index=index, mirrors=MIRRORS)
    assert report.notes == ("1 tag not verified, since the list of tags does not have them, such "
                            "as v1.0",)
    assert report.pages == 6
    assert found(str(second), index=index, mirrors=MIRRORS) == []
    assert found(index=index, mirrors=MIRRORS, tag=TAG) == []


def test_many_tags_are_verified_in_processes(catalog: Path) -> None:
    tags = [f"develop-2025-04-{day:02d}" for day in range(1, 9)]
    for tag in tags:
        render(".", IndexOptions(MIRROR, tag))
    index = write_list(catalog, TAG, *tags)
    edit_page(catalog, "zlib", update(os="rhel8"))
    one = run(index=index, mirrors=MIRRORS)
    two = run(index=index, mirrors=MIRRORS, jobs=2)
    assert [item.code for item in one.findings] == ["CL903"]
    assert (one.findings, one.notes) == (two.findings, two.notes)
    index_of_one = json.loads(Path(index).read_text())
    index_of_one[tags[3]][1]["url"] = "s3://bucket/missing.json"
    Path(index).write_text(json.dumps(index_of_one))
    with pytest.raises(CachelintError, match=r"missing\.json: no such file"):
        run(index=index, mirrors=MIRRORS, jobs=2)


def test_one_index_needs_one_tag(catalog: Path) -> None:
    render(".", IndexOptions(MIRROR, "develop"))
    with pytest.raises(CachelintError, match="one index is of one tag, but 2 tags in the paths"):
        run()
    assert found(f"_cache/{TAG}") == []
    assert found(tag=TAG) == []
    with pytest.raises(CachelintError, match="--tag v9: no page of this tag in the paths"):
        run(tag="v9")
    index = write_list(catalog, "v2.0")
    with pytest.raises(CachelintError, match="has none of the 2 tags in the paths"):
        run(index=index, mirrors=MIRRORS)


def test_pages_that_are_named_are_compared_and_no_more(catalog: Path) -> None:
    write_small_mirror(catalog.parent / "mirror" / TAG, GCC, ZLIB, install("y", "yasm"))
    assert found(f"_cache/{TAG}/zlib/specs.md") == []
    assert [item[:2] for item in found(f"_cache/{TAG}/zstd/specs.md")] == [
        ("zstd/specs.md", "CL901")]


def test_nothing_is_reported_where_an_index_is_damaged(catalog: Path) -> None:
    mirror = catalog.parent / "mirror" / TAG / "hep"
    next(path for path in mirror.rglob("blobs/*/*/*")).write_text("{}")
    with pytest.raises(CachelintError, match="wrong length and checksum"):
        run()


# ------------------------------------------------------------------------------- what is known


def test_known_findings_are_left_out(catalog: Path) -> None:
    edit_page(catalog, "zlib", update(os="rhel8", stacks=["root"]))
    assert run(write_baseline="known.json").suppressed == 2
    assert found(baseline="known.json") == []
    edit_page(catalog, "zlib", update(os="ubuntu22.04", target="zen4"))
    report = run(baseline="known.json")
    assert [finding.pointer for finding in report.findings] == ["/spec_details/0/target"]
    assert [key.pointer for key in report.stale] == ["/os"]


def test_check_and_verify_share_a_baseline(catalog: Path) -> None:
    edit_page(catalog, "zlib", update(os="rhel8"))
    run(write_baseline="known.json")
    known = Path("known.json").read_bytes()
    report = check(["."], baseline="known.json")
    assert (report.findings, report.stale) == ((), ())
    page = catalog / "_cache" / TAG / "zstd/specs.md"
    page.write_text(page.read_text().replace('"num_specs": 1', '"num_specs": 7'))
    from cachelint.runner.run import write_baseline

    write_baseline("known.json", ["."])
    run(write_baseline="known.json")
    rules = [entry["rule"] for entry in json.loads(Path("known.json").read_text())["findings"]]
    assert rules == ["CL903", "CL301"]
    assert run(baseline="known.json").stale == ()
    assert known != Path("known.json").read_bytes()


def git(*arguments: str) -> None:
    subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@x", *arguments], check=True,
                   capture_output=True)


def test_only_what_changed_is_compared(catalog: Path) -> None:
    edit_page(catalog, "zlib", update(os="rhel8"))
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "x")
    assert found(diff_base="HEAD") == []
    edit_page(catalog, "zstd", update(os="rhel8"))
    assert [item[:2] for item in found(diff_base="HEAD")] == [("zstd/specs.md", "CL903")]
    assert len(found()) == 2


@pytest.mark.parametrize("link", [
    f"_cache/{TAG}/zlib/specs.md", f"_cache/{TAG}/zlib", f"_cache/{TAG}", "_cache"])
def test_link_that_leads_out_is_reported(catalog: Path, link: str) -> None:
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "x")
    path = catalog / link
    path.rename(catalog.parent / "outside")
    path.symlink_to(catalog.parent / "outside")
    assert (link, "CL100") in [(each.path, each.code) for each in run(
        diff_base="HEAD", tag=TAG).findings]
    if link == "_cache":
        with pytest.raises(CachelintError, match=f"--tag {TAG}: no page of this tag"):
            run(tag=TAG)
    else:
        assert (link, "CL100") in [(each.path, each.code) for each in run().findings]


def test_a_page_that_is_not_checked_out_is_not_missing(catalog: Path) -> None:
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "x")
    git("sparse-checkout", "set", "--no-cone", "/*", "!/_cache/*/zlib/")
    assert not (catalog / "_cache" / TAG / "zlib").exists()
    assert found() == []


def test_a_mirror_is_only_read(catalog: Path) -> None:
    mirror = catalog.parent / "mirror"
    before = {path: path.stat().st_mtime_ns for path in mirror.rglob("*")}
    run()
    assert before == {path: path.stat().st_mtime_ns for path in mirror.rglob("*")}


def test_findings_about_a_tag_are_capped(catalog: Path) -> None:
    mirror = Path("../mirror/other")
    write_mirror(mirror, index_bytes(*(
        install(name=f"p{number}", hash=f"{number:04}") for number in range(1500))))
    found = Counter((each.path, each.code) for each in run(index=str(mirror), tag=TAG).findings)
    assert found["_data/tags.yaml", "CL902"] == 1000
    assert found["_data/tags.yaml", "CL110"] == 1


@pytest.mark.parametrize(("function", "path", "left"), [
    ("cachelint.runner.verify._compare_one", f"_cache/{TAG}/zlib/specs.md", 2),
    ("cachelint.runner.verify.compare_tag", f"_cache/{TAG}", 0),
    ("cachelint.runner.verify._compare_tags", "_data/tags.yaml", 3),
    ("cachelint.runner.verify._compare_meta", "_data/meta.yaml", 3),
])
def test_an_error_of_the_program_ends_nothing_else(
    catalog: Path, function: str, path: str, left: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for page in catalog.glob("_cache/*/*/specs.md"):
        page.write_text(page.read_text().replace('"size": "-"', '"size": "1"'))
    module, name = function.rsplit(".", 1)
    original = getattr(importlib.import_module(module), name)

    def fail(first: Any, *others: Any) -> Any:
        if first in (path, TAG, "."):
            raise RuntimeError("no luck")
        return original(first, *others)

    monkeypatch.setattr(function, fail)
    report = run()
    assert [each.path for each in report.findings if each.code == "CL199"] == [path]
    assert (len([each for each in report.findings if each.code != "CL199"]), report.failed) == (
        left, 1)


def test_first_page_of_a_tag_without_entry_is_read_once_for_all_that_differs(
    catalog: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("_data/tags.yaml").unlink()
    for package in ("zlib", "zstd"):
        shutil.rmtree(f"_cache/{TAG}/{package}")
    read: list[str] = []

    def count(path: str, settings: Settings) -> Page:
        read.append(path)
        return parse_again(path, settings)

    monkeypatch.setattr(verify_module, "parse_again", count)
    assert [each.code for each in run().findings] == ["CL902", "CL902"]
    assert read == [f"_cache/{TAG}/zlib-ng/specs.md"]
