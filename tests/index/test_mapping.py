"""From installs to pages: the table, field by field, and what counts as the same."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from cachelint import render_page
from cachelint.index.mapping import (
    FIELDS,
    FLAGS,
    Field,
    Index,
    TagContents,
    differing_variants,
    load_index,
    load_tag,
    page_spec,
)
from cachelint.index.sources import IndexFile, TagIndexes
from support.mirrors import INDEXES, TAG, depend, index_bytes, install


def load(tmp_path: Path, *installs: dict[str, Any]) -> Index:
    path = tmp_path / "index.json"
    path.write_bytes(index_bytes(*installs))
    return load_index(IndexFile(str(path)))


def first_page_spec(tmp_path: Path, *installs: dict[str, Any]) -> dict[str, Any]:
    index = load(tmp_path, *installs)
    contents = TagContents(index, {"root": frozenset(index.specs)}, {"root": index.where})
    return page_spec(index.specs["a" * 32], contents)


def field(name: str) -> Field:
    return next(each for each in FIELDS if each.name == name)


def test_reproduces_every_page_of_a_real_tag() -> None:
    stacks = {path.name[6:-8]: IndexFile(str(path)) for path in INDEXES.glob("index-*.json.gz")}
    contents = load_tag(TagIndexes(IndexFile(str(INDEXES / "index.json.gz")), stacks))
    packages: dict[str, list[dict[str, object]]] = defaultdict(list)
    for spec in contents.cached():
        packages[spec.name].append(page_spec(spec, contents))
    found = {f"{TAG}/{name}/specs.md": hashlib.sha256(
        render_page(name, TAG, specs).encode()).hexdigest() for name, specs in packages.items()}
    lines = (INDEXES / "pages.sha256").read_text().splitlines()
    assert found == {path: checksum for checksum, path in map(str.split, lines)}
    assert len(found) == 874


def test_the_table_is_in_canonical_order(tmp_path: Path) -> None:
    names = [each.name for each in FIELDS]
    assert names == sorted(names)
    assert first_page_spec(tmp_path, install()) == {
        "compiler": "none", "hash": "a" * 32, "os": "ubuntu22.04", "platform": "linux",
        "size": "-", "stacks": ["root"], "target": "x86_64_v3",
        "variants": ["build_system=generic", "+pic"], "versions": ["1.3.1"]}


GCC = install("g", "gcc", version="13.2.0")
CLANG = install("l", "llvm", version="19.1.0")

COMPILERS: dict[str, tuple[dict[str, Any], str]] = {
    "none": ({"dependencies": [depend("g")]}, "none"),
    "an object": ({"compiler": {"name": "gcc", "version": "12.2.0"}}, "gcc@12.2.0"),
    "an annotation": ({"annotations": {"compiler": "gcc@=11.4.0"},
                       "dependencies": [depend("l", "c")]}, "gcc@11.4.0"),
    "c before cxx": ({"dependencies": [depend("g", "cxx", "fortran"), depend("l", "c")]},
                     "llvm@19.1.0"),
    "cxx before fortran": ({"dependencies": [depend("g", "fortran"), depend("l", "cxx")]},
                           "llvm@19.1.0"),
    "fortran alone": ({"dependencies": [depend("l"), depend("g", "mpi", "fortran")]},
                      "gcc@13.2.0"),
    "the first of two": ({"dependencies": [depend("g", "c"), depend("l", "c")]}, "gcc@13.2.0"),
    "not in the index": ({"dependencies": [depend("x", "c")]}, "none"),
}


@pytest.mark.parametrize(("changes", "expected"), COMPILERS.values(), ids=COMPILERS)
def test_compiler(tmp_path: Path, changes: dict[str, Any], expected: str) -> None:
    assert first_page_spec(tmp_path, install(**changes), GCC, CLANG)["compiler"] == expected


def test_a_compiler_that_the_index_lacks_is_unknown(tmp_path: Path) -> None:
    index = load(tmp_path, install(dependencies=[depend("x", "c")]))
    assert index.specs["a" * 32].compiler is None


VARIANTS: dict[str, tuple[dict[str, Any], str]] = {
    "true": ({"shared": True}, "+shared"),
    "false": ({"shared": False}, "~shared"),
    "true as a string": ({"shared": "True"}, "+shared"),
    "false as a string": ({"shared": "false"}, "~shared"),
    "a string": ({"build_type": "Release"}, "build_type=Release"),
    "characters that need no quotes": ({"x": "a,B/9_.-"}, "x=a,B/9_.-"),
    "a space": ({"x": "a b"}, "x='a b'"),
    "an empty string": ({"x": ""}, "x=''"),
    "an apostrophe": ({"x": "it's"}, 'x="it\'s"'),
    "a list": ({"languages": ["fortran", "c", "c"]}, "languages:=c,fortran"),
    "a list of one": ({"one": ["a"]}, "one:=a"),
    "an empty list": ({"one": []}, "one:=*"),
    "a list with signs": ({"languages": ["c", "c++"]}, "languages:='c,c++'"),
    "patches": ({"patches": ["0123456789", "abcdefghij"]}, "patches:=0123456,abcdefg"),
}


@pytest.mark.parametrize(("parameters", "expected"), VARIANTS.values(), ids=VARIANTS)
def test_variant(tmp_path: Path, parameters: dict[str, Any], expected: str) -> None:
    spec = first_page_spec(tmp_path, install(parameters=parameters))
    assert spec["variants"] == [expected]


def test_variants_keep_their_order_and_have_no_flags(tmp_path: Path) -> None:
    flags = {name: ["-g"] for name in FLAGS}
    spec = first_page_spec(tmp_path, install(parameters={"z": True, **flags, "a": False}))
    assert spec["variants"] == ["+z", "~a"]


def test_patches_of_the_node_win(tmp_path: Path) -> None:
    spec = first_page_spec(tmp_path, install(parameters={"patches": ["1" * 64]},
                                             patches=["3" * 64, "2" * 64]))
    assert spec["variants"] == ["patches:=2222222,3333333"]


# ------------------------------------------------------------------------------- the same content

SAME = [
    ("+x", "+x"), ("++x", "+x"), ("~~x", "~x"), ("x=a", "x=a"), ("x==a", "x=a"),
    ("x=a,b", "x:=a,b"), ("x:=b,a", "x:=a,b"), ("x:==a,b", "x:=a,b"), ("x=*", "x:=*"),
    ("x='a b'", "x='a b'"), ('x="a b"', "x='a b'"), ("x='c,c++'", "x:='c,c++'"),
    ("x='a'", "x=a"), ("languages=c++,c", "languages:='c,c++'"), ("x=a=b", "x='a=b'"),
]
DIFFERENT = [
    ("~x", "+x"), ("x=true", "+x"), ("+x", "x=a"), ("x=b", "x=a"), ("x:=a", "x=a"),
    ("x:=a", "x:=a,b"), ("x=a", "x:=a,b"), ("x=a,b", "x='b,a'"), ("x=A", "x=a"), ("-x", "~x"),
    ("x=*", "x:=a"),
]


@pytest.mark.parametrize(("page", "index"), SAME)
def test_spelling_makes_no_difference(page: str, index: str) -> None:
    assert differing_variants([page], [index]) == []


@pytest.mark.parametrize(("page", "index"), DIFFERENT)
def test_content_makes_a_difference(page: str, index: str) -> None:
    assert differing_variants([page], [index]) != []


def test_differences_name_both_sides() -> None:
    assert differing_variants(["+b", "~c", "+old"], ["~c", "~b", "new=1"]) == [
        ("+b", "~b"), ("", "new=1"), ("+old", "")]
    assert not field("variants").is_same(["+b", "+a", "+c"], ["+a", "+b"])
    assert field("variants").is_same(["+b", "+a"], ["+a", "+b"])


@pytest.mark.parametrize(("name", "page", "index", "expected"), [
    ("compiler", "gcc@=11.4.0", "gcc@11.4.0", True),
    ("compiler", "gcc@11.4.0", "gcc@11.4.0", True),
    ("compiler", "gcc@11.5.0", "gcc@11.4.0", False),
    ("compiler", "none", "gcc@11.4.0", False),
    ("versions", ["1.0"], ["1.0"], True),
    ("versions", ["=1.0"], ["1.0"], False),
    ("stacks", ["root"], ["hep", "root"], False),
    ("size", 1234, "-", True),
])
def test_fields_are_compared(name: str, page: object, index: object, expected: bool) -> None:
    assert field(name).is_same(page, index) is expected
