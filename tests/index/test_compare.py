"""Pages against the index: each field damaged on the page and in the index."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cachelint.index.compare import TagIndex, compare_page, compare_tag, group_packages
from cachelint.index.mapping import TagContents, load_tag, page_spec
from cachelint.index.sources import IndexFile, TagIndexes
from support.mirrors import (
    INDEXES,
    PAGES,
    TAG,
    V2,
    V2_TAG,
    depend,
    index_bytes,
    install,
)

Edit = Callable[[dict[str, Any]], object]
KEY = "/spec_details/0"


def load(tmp_path: Path, *installs: dict[str, Any], **stacks: list[dict[str, Any]]) -> TagContents:
    files = {}
    for name, listed in {"root": [*installs], **stacks}.items():
        path = tmp_path / f"{name}.json"
        path.write_bytes(index_bytes(*listed))
        files[name] = IndexFile(str(path))
    return load_tag(TagIndexes(files.pop("root"), files))


ZLIB = install("a", compiler={"name": "gcc", "version": "13.2.0"},
               parameters={"pic": True, "libs": ["shared", "static"], "opt": "O2"})


@pytest.fixture
def contents(tmp_path: Path) -> TagContents:
    return load(tmp_path, ZLIB, install("z", "zstd"), hep=[ZLIB], e4s=[])


STACKS = ["e4s", "hep", "root"]


def compare(contents: TagContents, *specs: dict[str, Any], package: str = "zlib",
            stacks: list[str] | None = STACKS) -> list[tuple[str, str, str]]:
    index = group_packages(contents, stacks)
    where = f"{Path(contents.root.where).parent}/"
    return [(code, problem.pointer, problem.message.replace(where, ""))
            for code, problem in compare_page(specs, package, index)]


def spec_of(contents: TagContents, letter: str = "a", **changes: Any) -> dict[str, Any]:
    return {**page_spec(contents.root.specs[letter * 32], contents), **changes}


def test_a_page_from_the_index_has_no_difference(contents: TagContents) -> None:
    assert compare(contents, spec_of(contents)) == []


FIELDS: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "version": ({"versions": ["1.3"]}, "CL903", f"{KEY}/versions",
                'versions of zlib@1.3.1/aaaaaaa differs from the index: expected "1.3.1", '
                'found "1.3": root.json'),
    "compiler": ({"compiler": "gcc@13.3.0"}, "CL903", f"{KEY}/compiler",
                 'compiler of zlib@1.3.1/aaaaaaa differs from the index: expected "gcc@13.2.0", '
                 'found "gcc@13.3.0": root.json'),
    "os": ({"os": "rhel8"}, "CL903", f"{KEY}/os",
           'os of zlib@1.3.1/aaaaaaa differs from the index: expected "ubuntu22.04", '
           'found "rhel8": root.json'),
    "platform": ({"platform": "darwin"}, "CL903", f"{KEY}/platform",
                 'platform of zlib@1.3.1/aaaaaaa differs from the index: expected "linux", '
                 'found "darwin": root.json'),
    "target": ({"target": "zen4"}, "CL903", f"{KEY}/target",
               'target of zlib@1.3.1/aaaaaaa differs from the index: expected "x86_64_v3", '
               'found "zen4": root.json'),
    "variants": ({"variants": ["~pic", "libs:=shared,static", "new=1"]}, "CL903",
                 f"{KEY}/variants",
                 "variants of zlib@1.3.1/aaaaaaa differs from the index: expected +pic, opt=O2, "
                 "nothing, found ~pic, nothing, new=1: root.json"),
    "a stack less": ({"stacks": ["root"]}, "CL904", f"{KEY}/stacks",
                     "stacks of zlib@1.3.1/aaaaaaa differ: expected hep, root, found root: hep is "
                     "missing: hep.json"),
    "a stack more": ({"stacks": ["e4s", "hep", "root"]}, "CL904", f"{KEY}/stacks",
                     "stacks of zlib@1.3.1/aaaaaaa differ: expected hep, root, found e4s, hep, "
                     "root: e4s has it not: e4s.json"),
    "a stack that nothing has": (
        {"stacks": ["hep", "other", "root"]}, "CL904", f"{KEY}/stacks",
        "stacks of zlib@1.3.1/aaaaaaa differ: expected hep, root, found hep, other, root: other "
        "has it not: no such index"),
    "no stack": ({"stacks": []}, "CL904", f"{KEY}/stacks",
                 "stacks of zlib@1.3.1/aaaaaaa differ: expected hep, root, found none: hep is "
                 "missing: hep.json; root is missing: root.json"),
}


@pytest.mark.parametrize(("changes", "code", "pointer", "message"), FIELDS.values(), ids=FIELDS)
def test_a_damaged_page(contents: TagContents, changes: dict[str, Any], code: str, pointer: str,
                        message: str) -> None:
    assert compare(contents, spec_of(contents, **changes)) == [(code, pointer, message)]


INDEX: dict[str, tuple[dict[str, Any], str]] = {
    "version": ({"version": "1.3"}, "CL903 /versions"),
    "compiler": ({"compiler": {"name": "gcc", "version": "13.3.0"}}, "CL903 /compiler"),
    "no compiler": ({"compiler": None}, "CL903 /compiler"),
    "os": ({"arch": {**ZLIB["spec"]["arch"], "platform_os": "rhel8"}}, "CL903 /os"),
    "platform": ({"arch": {**ZLIB["spec"]["arch"], "platform": "darwin"}}, "CL903 /platform"),
    "target": ({"arch": {**ZLIB["spec"]["arch"], "target": "zen4"}}, "CL903 /target"),
    "variants": ({"parameters": {**ZLIB["spec"]["parameters"], "opt": "O3"}}, "CL903 /variants"),
    "a list of one": ({"parameters": {**ZLIB["spec"]["parameters"], "libs": ["static"]}},
                      "CL903 /variants"),
    "flags": ({"parameters": {**ZLIB["spec"]["parameters"], "cflags": ["-g"]}}, ""),
    "annotations": ({"annotations": {"original_specfile_version": 4}}, ""),
}


@pytest.mark.parametrize(("changes", "expected"), INDEX.values(), ids=INDEX)
def test_a_damaged_index(tmp_path: Path, contents: TagContents, changes: dict[str, Any],
                         expected: str) -> None:
    spec = spec_of(contents)
    damaged = copy.deepcopy(ZLIB)
    damaged["spec"] |= changes
    if changes.get("compiler", 1) is None:
        del damaged["spec"]["compiler"]
    other = load(tmp_path, damaged, hep=[damaged], e4s=[])
    found = [f"{code} {pointer.removeprefix(KEY)}" for code, pointer, _ in compare(other, spec)]
    assert found == ([expected] if expected else [])


@pytest.mark.parametrize("changes", [
    {"compiler": "gcc@=13.2.0"}, {"variants": ["opt=O2", "libs=static,shared", "++pic"]},
    {"size": 1234}, {"stacks": ["root", "hep"]}, {"tarball": "https://binaries.spack.io/x"},
    {"compiler": 5}, {"versions": None}, {"variants": [1]}, {"stacks": "root"}, {"os": ["x"]},
])
def test_spelling_and_invalid_values_do_not_differ(
    contents: TagContents, changes: dict[str, Any]
) -> None:
    assert compare(contents, spec_of(contents, **changes)) == []


def test_a_compiler_that_cannot_be_resolved_does_not_differ(tmp_path: Path) -> None:
    contents = load(tmp_path, install("a", dependencies=[depend("x", "c")]))
    assert compare(contents, spec_of(contents, compiler="gcc@1"), stacks=["root"]) == []


def test_a_stack_without_an_index_is_not_checked(contents: TagContents) -> None:
    spec = spec_of(contents, stacks=["hep", "root", "tutorial"])
    assert compare(contents, spec, stacks=[*STACKS, "tutorial"]) == []
    assert compare(contents, spec, stacks=None) == []


# ------------------------------------------------------------------------------- hashes


def test_hashes_that_only_one_side_has(tmp_path: Path) -> None:
    contents = load(tmp_path, install("a"), install("b", version="1.2"),
                    {**install("c", version="1.1"), "in_buildcache": False}, install("d", "gcc"))
    specs = [spec_of(contents, letter) for letter in "acd"]
    specs.append(spec_of(contents, hash="e" * 32))
    assert compare(contents, *specs, stacks=["root"]) == [
        ("CL901", "/spec_details/1/hash",
         "zlib@1.1/ccccccc is not in the build cache: only mentioned in the index root.json"),
        ("CL901", "/spec_details/2/hash",
         "gcc@1.3.1/ddddddd is a spec of package gcc: by the index root.json"),
        ("CL901", "/spec_details/3/hash",
         f"unknown hash {'e' * 32}, of version 1.3.1: not in the index root.json"),
        ("CL902", "/spec_details",
         "zlib@1.2/bbbbbbb is not on its page, but in the build cache: root.json"),
    ]


def test_a_page_of_a_package_that_is_gone_is_one_finding(contents: TagContents) -> None:
    specs = [spec_of(contents, hash="x" * 32), spec_of(contents, hash="y" * 32)]
    assert compare(contents, *specs, package="gone") == [
        ("CL901", "", "package gone is gone: the build cache has no spec of it: root.json")]
    assert compare(contents, *specs)[0] == (
        "CL901", "", "none of the 2 specs of this page is in the build cache, which has others of "
                     "zlib: root.json")


def test_a_message_has_a_limit(tmp_path: Path) -> None:
    many = [f"v{number}" for number in range(5000)]
    zlib = install(parameters=dict.fromkeys(many, True))
    contents = load(tmp_path, zlib, **{name: [zlib] for name in many[:500]})
    page = spec_of(contents, variants=[], stacks=["root"])
    found = compare(contents, page, stacks=None)
    assert [(code, pointer) for code, pointer, _ in found] == [
        ("CL903", "/spec_details/0/variants"), ("CL904", "/spec_details/0/stacks")]
    assert max(len(message) for *_, message in found) < 4000


def test_what_has_no_hash_is_not_compared(contents: TagContents) -> None:
    assert [code for code, _, _ in compare(contents, *[{}, {"hash": 5}])] == ["CL902"]
    index = group_packages(contents, None)
    assert [code for code, _ in compare_page([None, "x"], "zlib", index)] == ["CL902"]


# ------------------------------------------------------------------------------- tags


def compare_whole(contents: TagContents, pages: list[str], stacks: list[str] | None
                  ) -> list[tuple[str, str]]:
    where = f"{Path(contents.root.where).parent}/"
    index = group_packages(contents, stacks)
    return [(code, message.replace(where, ""))
            for code, message in compare_tag("t", pages, stacks, index)]


def test_a_whole_tag_without_a_difference(contents: TagContents) -> None:
    assert compare_whole(contents, ["zlib", "zstd", "gone"], STACKS) == []
    assert compare_whole(contents, ["zlib", "zstd"], None) == []


def test_a_package_without_a_page(contents: TagContents) -> None:
    assert compare_whole(contents, ["zlib"], STACKS) == [
        ("CL902", "package zstd has no page in tag t, but 1 spec in the build cache, such as "
                  "zstd@1.3.1/zzzzzzz: root.json")]


def test_stacks_of_the_tag_and_of_the_source(contents: TagContents) -> None:
    assert compare_whole(contents, ["zlib", "zstd"], ["hep", "root", "tutorial"]) == [
        ("CL905", "stack tutorial of tag t has no index in the source"),
        ("CL905", "stack e4s has an index, but tag t does not list it: e4s.json")]


def test_holes_are_counted_once_a_tag(tmp_path: Path) -> None:
    contents = load(tmp_path, install("a", dependencies=[depend("x")]),
                    install("b", dependencies=[depend("x"), depend("y")]))
    assert compare_whole(contents, ["zlib"], ["root"]) == [
        ("CL906", "2 specs of tag t in the build cache depend on one that is neither there nor "
                  "external, such as zlib@1.3.1/aaaaaaa: root.json")]


# ------------------------------------------------------------------------------- real catalogs


def specs_on(path: Path) -> list[Any]:
    line = path.read_text().split("spec_details: ")[1].removesuffix("\n---")
    specs: list[Any] = json.loads(line)
    return specs


def real(folder: Path, pattern: str, root: str) -> TagContents:
    stacks = {path.parts[len(folder.parts)].removeprefix("index-").removesuffix(".json.gz"):
              IndexFile(str(path)) for path in folder.glob(pattern)}
    return load_tag(TagIndexes(IndexFile(str(folder / root)), stacks))


def test_the_pages_of_a_real_mirror_of_layout_v2() -> None:
    contents = real(V2, "*/build_cache/index.json", "build_cache/index.json")
    stacks = ["alpha", "beta", "root"]
    index = group_packages(contents, stacks)
    packages = [path.parent.name for path in (PAGES / "_cache" / V2_TAG).glob("*/specs.md")]
    assert len(packages) == 3
    for package in packages:
        specs = specs_on(PAGES / "_cache" / V2_TAG / package / "specs.md")
        assert [*compare_page(specs, package, index)] == []
    assert [*compare_tag(V2_TAG, packages, stacks, index)] == []


def test_a_real_tag_has_no_holes() -> None:
    contents = real(INDEXES, "index-*.json.gz", "index.json.gz")
    index: TagIndex = group_packages(contents, [*contents.stacks])
    assert index.number == 3568
    assert [*compare_tag(TAG, index.packages, [*contents.stacks], index)] == []
