"""How two versions of a page differ."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cachelint.files.read_write import LEAVES, Unreadable
from cachelint.linter.diff import compare_page, split_path
from cachelint.model import FieldChange, PageChange, PageChangeKind, SpecChange
from support import valid

PAGE = PageChange("_cache/develop/zlib/specs.md", "develop", "zlib", PageChangeKind.UNREADABLE)
FIRST, SECOND = SpecChange("1.3.1", valid.FIRST), SpecChange("1.2.13", valid.SECOND)
OTHER = "a" * 32


def compare(before: str | bytes | Unreadable | None, after: str | bytes | Unreadable | None
            ) -> PageChange:
    """Compare two pages, given as strings."""
    old, new = (side.encode("utf-8") if isinstance(side, str) else side
                for side in (before, after))
    return compare_page(PAGE, old, new)


def differing(**expected: Any) -> PageChange:
    """Return the difference of a page that is on both sides."""
    return PAGE._replace(kind=PageChangeKind.CHANGED, **expected)


def of_first(*fields: FieldChange) -> tuple[SpecChange, ...]:
    return (FIRST._replace(fields=fields),)


def spec_page(number: int = 0, **changes: Any) -> str:
    return valid.page(None, valid.specs(number, **changes))


@pytest.mark.parametrize(("after", "expected"), [
    pytest.param(spec_page(compiler="gcc@12"), {"changed": of_first(
        FieldChange("compiler", ("gcc@11.4.0",), ("gcc@12",)))}, id="a value"),
    pytest.param(spec_page(variants=["build_system=makefile", "~shared"]), {"changed": of_first(
        FieldChange("variants", ("+shared",), ("~shared",)))}, id="an item of a list"),
    pytest.param(spec_page(stacks=["root"]), {"changed": of_first(
        FieldChange("stacks", ("e4s",), ()))}, id="an item is gone"),
    pytest.param(spec_page(stacks=["e4s", "root", "root"]), {"changed": of_first(
        FieldChange("stacks", (), ("root",)))}, id="an item is repeated"),
    pytest.param(valid.page(valid.meta(), [valid.without(valid.specs()[0], "size"),
                                           valid.specs()[1]]),
                 {"changed": of_first(FieldChange("size", ("-",), ()))}, id="a field is gone"),
    pytest.param(spec_page(size="1"), {"changed": of_first(
        FieldChange("size", ("-",), ("1",)))}, id="a string"),
    pytest.param(spec_page(size=None), {"changed": of_first(
        FieldChange("size", ("-",), ("null",)))}, id="null"),
    pytest.param(spec_page(size=[]), {"changed": of_first(
        FieldChange("size", ("-",), ()))}, id="an empty list"),
    pytest.param(spec_page(size={"b": 1, "a": 2}), {"changed": of_first(
        FieldChange("size", ("-",), ('{"a": 2, "b": 1}',)))}, id="a mapping"),
    pytest.param(spec_page(x="y" * 500), {"changed": of_first(
        FieldChange("x", (), ("y" * 199 + "…",)))}, id="a long value"),
    pytest.param(spec_page(versions=["1.3.2"]), {
        "changed": (SpecChange("1.3.2", valid.FIRST, (
            FieldChange("versions", ("1.3.1",), ("1.3.2",)),)),),
        "new_versions": ("1.3.2",), "gone_versions": ("1.3.1",)}, id="another version"),
    pytest.param(spec_page(hash=OTHER), {
        "added": (SpecChange("1.3.1", OTHER),), "removed": (FIRST,)}, id="another hash"),
    pytest.param(valid.page(None, valid.specs()[1:]), {
        "removed": (FIRST,), "gone_versions": ("1.3.1",)}, id="a spec is gone"),
    pytest.param(valid.page(None, [*valid.specs(), valid.specs()[0]]), {
        "added": (FIRST,)}, id="a spec is twice there"),
    pytest.param(valid.page(valid.meta(), [*valid.specs(), 7]), {
        "added": (SpecChange("", ""),)}, id="what is no spec"),
    pytest.param(valid.page(valid.meta(), [*valid.specs(), {"hash": 3, "versions": "1"}]), {
        "added": (SpecChange("", ""),)}, id="a spec without hash and version"),
    pytest.param(valid.page(title='title: "zlib-ng"'), {"fields": ("title",)}, id="the title"),
    pytest.param(valid.page(categories="categories: [package, x]"), {"fields": ("categories",)},
                 id="the tag"),
    pytest.param(valid.page(valid.meta(num_specs=3)), {"fields": ("meta",)}, id="the summary"),
])
def test_what_changed(after: str, expected: dict[str, Any]) -> None:
    assert compare(valid.PAGE, after) == differing(**expected)


def reorder(value: Any) -> Any:
    """Turn around lists, and keys of mappings."""
    if isinstance(value, dict):
        return {key: reorder(value[key]) for key in reversed(value)}
    return [reorder(item) for item in reversed(value)] if isinstance(value, list) else value


@pytest.mark.parametrize("after", [
    pytest.param(valid.page(specs_line=f"spec_details: {json.dumps(reorder(valid.specs()))}"),
                 id="specs, keys, lists"),
    pytest.param(valid.page(meta_line=f"meta: {json.dumps(reorder(valid.meta()))}"), id="summary"),
    pytest.param(valid.assemble(reversed(valid.lines().values())), id="lines"),
    pytest.param(valid.PAGE.replace(": ", ":   "), id="whitespace"),
    pytest.param(f"\ufeff{valid.PAGE}", id="byte-order mark"),
    pytest.param(valid.PAGE.replace("\n", "\r\n"), id="ends of lines"),
    pytest.param(f"{valid.PAGE}\n", id="newline"),
])
def test_only_order_or_formatting(after: str) -> None:
    assert compare(valid.PAGE, after) == PAGE._replace(kind=PageChangeKind.REFORMATTED)
    assert compare(after, valid.PAGE) == PAGE._replace(kind=PageChangeKind.REFORMATTED)


@pytest.mark.parametrize(("before", "after"), [
    ('"size": 1', '"size": true'), ('"size": 1', '"size": 1.0'), ('"size": 1', '"size": "1"'),
    ('"size": [1, true]', '"size": [1, 1]'), ('"size": []', '"size": {}'),
])
def test_values_that_python_takes_for_equal(before: str, after: str) -> None:
    sides = (valid.PAGE.replace('"size": "-"', each, 1) for each in (before, after))
    found = compare(*sides)
    assert [field.field for spec in found.changed for field in spec.fields] == ["size"]
    assert found.changed[0].fields[0].before != found.changed[0].fields[0].after


def test_specs_without_a_hash_are_not_taken_for_one() -> None:
    specs = [valid.without(valid.specs(compiler=each)[0], "hash") for each in ("gcc@1", "gcc@2")]
    before, after = (valid.page(valid.meta(), [spec]) for spec in specs)
    found = compare(before, after)
    assert (len(found.added), len(found.removed), found.changed) == (1, 1, ())


def test_hash_that_is_there_twice() -> None:
    before = valid.page(valid.meta(), [*valid.specs(), valid.specs(os="x")[0]])
    after = valid.page(valid.meta(), [*valid.specs(), valid.specs(os="y")[0]])
    assert compare(before, after) == differing(changed=of_first(
        FieldChange("os", ("x",), ("y",))))


@pytest.mark.parametrize(("before", "after", "kind", "reason"), [
    (valid.PAGE, "---\n", PageChangeKind.UNREADABLE,
     "now: no line `---` closes the front matter (is the file cut off?)"),
    ("", valid.PAGE, PageChangeKind.UNREADABLE,
     "before: the file is empty, so that there is no front matter"),
    (valid.PAGE, b"\xff", PageChangeKind.UNREADABLE, "now: not UTF-8: byte 0xff at offset 0"),
    (valid.PAGE, "---\n- a\n---", PageChangeKind.UNREADABLE,
     "now: the front matter is not a mapping"),
    (valid.PAGE, "---\ntitle: a\n---", PageChangeKind.UNREADABLE,
     "now: spec_details is missing, or not a list"),
    (valid.PAGE, valid.page(valid.meta(), {"a": 1}), PageChangeKind.UNREADABLE,
     "now: spec_details is missing, or not a list"),
    (valid.PAGE, LEAVES, PageChangeKind.UNREADABLE,
     "now: a link that leads out of the catalog: it is not followed"),
    (None, "", PageChangeKind.ADDED,
     "now: the file is empty, so that there is no front matter"),
    ("", None, PageChangeKind.REMOVED,
     "before: the file is empty, so that there is no front matter"),
])
def test_page_that_cannot_be_read(
    before: str | None, after: str | bytes | Unreadable | None, kind: PageChangeKind, reason: str
) -> None:
    assert compare(before, after) == PAGE._replace(kind=kind, reason=reason)


def test_page_over_the_limit() -> None:
    found = compare_page(PAGE, valid.PAGE.encode(), valid.PAGE.encode() + b"\n", 10)
    assert found.reason.startswith("before: the file has 817 bytes, over the limit of 10")


def test_page_that_one_side_has() -> None:
    both = (SECOND, FIRST) if valid.SECOND < valid.FIRST else (FIRST, SECOND)
    assert compare(None, valid.PAGE) == PAGE._replace(
        kind=PageChangeKind.ADDED, added=both, new_versions=("1.2.13", "1.3.1"))
    assert compare(valid.PAGE, None) == PAGE._replace(
        kind=PageChangeKind.REMOVED, removed=both, gone_versions=("1.2.13", "1.3.1"))


def test_legacy_page() -> None:
    longer = valid.LEGACY.replace("\n\n---", '\n - "zlib@1.3": spec-1.json\n---')
    assert compare(valid.LEGACY, longer) == differing(fields=("spec_files",))
    lines = longer.split("\n")
    lines[6], lines[7] = lines[7], lines[6]
    assert compare(longer, "\n".join(lines)).kind is PageChangeKind.REFORMATTED


@pytest.mark.parametrize(("path", "expected"), [
    ("_cache/develop/zlib/specs.md", ("develop", "zlib")), ("_cache/zlib/index.md", ("", "zlib")),
    ("_cache/zlib/specs.md", ("", "zlib")), ("_cache/develop", ("develop", "")),
    ("_cache/develop/zlib", ("develop", "zlib")), ("_cache", ("", "")),
])
def test_tag_and_package_of_a_path(path: str, expected: tuple[str, str]) -> None:
    assert split_path(path) == expected
