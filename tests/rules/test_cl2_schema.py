"""CL2xx: violations of the schema, and the silence of rules that need valid values."""

from __future__ import annotations

from typing import Any

import pytest

from support import valid
from support.valid import meta, page, specs, tarball_specs, without

NONE: Any = None


def _spec(**changes: Any) -> str:
    """Spoil the first spec and keep the valid `meta`."""
    return page(meta(), specs(0, **changes))


CASES: dict[str, tuple[str, list[tuple[str, str, str]]]] = {
    # CL201
    "no title": (valid.PAGE.replace('title: "zlib"\n', ""), [("CL201", "", "---")]),
    "title and layout alone": ('---\ntitle: "zlib"\nlayout: cache\n---',
                               [("CL201", "", "---")] * 3),
    "no meta": (page(meta_line="#").replace("\n#", ""), [("CL201", "", "---")]),
    "no specs": (page(specs_line="#").replace("\n#", ""), [("CL201", "", "---")]),
    "meta lacks a list": (page(without(meta(), "targets")), [("CL201", "/meta", "meta")]),
    "meta lacks two": (page(without(without(meta(), "targets"), "num_specs")),
                       [("CL201", "/meta", "meta")] * 2),
    "meta is empty": (page(meta_line="meta: {}"), [("CL201", "/meta", "meta")] * 8),
    "spec lacks its target": (page(meta(), [without(specs()[0], "target"), specs()[1]]),
                              [("CL201", "/spec_details/0", "{")]),
    "spec lacks its stacks": (page(meta(), [specs()[0], without(specs()[1], "stacks")]),
                              [("CL201", "/spec_details/1", "{")]),
    "spec is empty": (page(meta(), [specs()[0], {}]), [("CL201", "/spec_details/1", "{")] * 9),
    "tarball is missing": (page(None, [*tarball_specs(), {**specs()[0], "hash": "z" * 32}]),
                           [("CL201", "/spec_details/2", "{")]),
    # CL202
    "unknown at the top": (valid.PAGE.replace("layout:", "color: red\nlayout:"),
                           [("CL202", "/color", "color")]),
    "unknown in meta": (page(meta(size=1)), [("CL202", "/meta/size", '"size"')]),
    "unknown in a spec": (_spec(note="x"), [("CL202", "/spec_details/0/note", '"note"')]),
    "two unknown": (_spec(note="x", zone=1), [("CL202", "/spec_details/0/note", '"note"'),
                                             ("CL202", "/spec_details/0/zone", '"zone"')]),
    "unknown with a slash": (_spec(**{"a/~b": 1}), [("CL202", "/spec_details/0/a~1~0b", '"a/~b"')]),
    "a slip": (page(meta(), [{**without(specs()[0], "target"), "taget": "zen4"}, specs()[1]]),
               [("CL202", "/spec_details/0/taget", '"taget"')]),
    "two slips": (page(without(meta(), "oss") | {"os": []}, [
        {**without(specs()[0], "hash"), "hahs": valid.FIRST}, specs()[1]]),
        [("CL202", "/meta/os", '"os"'), ("CL202", "/spec_details/0/hahs", '"hahs"')]),
    "a slip of the specs": (valid.PAGE.replace("spec_details:", "spec_detials:"),
                            [("CL202", "/spec_detials", "spec_detials")]),
    "a slip that Jekyll cannot load": (
        page(meta(), [{**without(specs()[0], "hash"), "has\U0001f600": valid.FIRST}, specs()[1]]),
        [("CL703", "/spec_details/0/has\U0001f600", '"has\\ud83d\\ude00"')]),
    "nothing is near": (page(meta(), [{**without(specs()[0], "target"), "zone": 1}, specs()[1]]),
                        [("CL201", "/spec_details/0", "{"),
                         ("CL202", "/spec_details/0/zone", '"zone"')]),
    "Python's word for no compiler": (_spec(compiler="None"),
                                      [("CL204", "/spec_details/0/compiler", '"None"')]),
    "tarball on half of the specs": (
        page(None, [tarball_specs()[0], specs()[1]]),
        [("CL202", "/spec_details/0/tarball", '"tarball"')]),
    "files beside specs": (valid.PAGE.replace("layout:", "spec_files: []\nlayout:"),
                           [("CL202", "/spec_files", "spec_files")]),
    # CL203: at the top
    "nothing at all": ("---\n---", [("CL201", "", "---")] * 5),
    "front matter is a list": ("---\n- a\n---", [("CL203", "", "---")]),
    "front matter is text": ("---\na\n---", [("CL203", "", "---")]),
    "title is a date": (page(title="title: 2025-03-30"), [("CL203", "/title", "2025-03-30")]),
    "title is a number": (page(title="title: 0.22"), [("CL203", "/title", "0.22")]),
    "title is true": (page(title="title: true"), [("CL203", "/title", "true")]),
    "title is null": (page(title="title: ~"), [("CL203", "/title", "~")]),
    "layout is null": (page(layout="layout: null"), [("CL203", "/layout", "null")]),
    "layout is a number": (page(layout="layout: 1"), [("CL203", "/layout", "1")]),
    "categories are text": (page(categories="categories: package"),
                            [("CL203", "/categories", "package")]),
    "tag is a number": (page(categories="categories: [package, 0.22]"),
                        [("CL203", "/categories/1", "0.22")]),
    "tag is a date": (page(categories="categories: [package, 2025-03-30]"),
                      [("CL203", "/categories/1", "2025-03-30")]),
    "meta is a list": (page(meta_line="meta: []"), [("CL203", "/meta", "meta")]),
    "meta is null": (page(meta_line="meta: null"), [("CL203", "/meta", "null")]),
    "specs are a mapping": (page(specs_line="spec_details: {}", meta_value=meta()),
                            [("CL203", "/spec_details", "spec_details")]),
    "specs are text": (page(specs_line='spec_details: "none"', meta_value=meta()),
                       [("CL203", "/spec_details", '"none"')]),
    # CL203: in meta
    "num_specs is text": (page(meta(num_specs="2")), [("CL203", "/meta/num_specs", '"2"')]),
    "num_specs is true": (page(meta(num_specs=True)), [("CL203", "/meta/num_specs", "true")]),
    "num_specs is 2.0": (page(meta(num_specs=2.0)), [("CL203", "/meta/num_specs", "2.0")]),
    "num_specs is null": (page(meta(num_specs=NONE)), [("CL203", "/meta/num_specs", "null")]),
    "count is text": (page(meta(num_specs_by_stack={"e4s": "1", "root": 2})),
                      [("CL203", "/meta/num_specs_by_stack/e4s", '"1"')]),
    "counts are a list": (page(meta(num_specs_by_stack=["e4s"])),
                          [("CL203", "/meta/num_specs_by_stack", '"num_specs_by_stack"')]),
    "versions are text": (page(meta(versions="1.3.1")), [("CL203", "/meta/versions", '"1.3.1"')]),
    "a version is a number": (page(meta(versions=["1.2.13", 1.3])),
                              [("CL203", "/meta/versions/1", "1.3")]),
    "a stack is a list": (page(meta(stacks=["e4s", ["root"]])), [("CL203", "/meta/stacks/1", "[")]),
    # CL203: in a spec
    "spec is text": (page(meta(), ["gone", specs()[1]]), [("CL203", "/spec_details/0", '"gone"')]),
    "spec is null": (page(meta(), [specs()[0], NONE]), [("CL203", "/spec_details/1", "null")]),
    "compiler is null": (_spec(compiler=NONE), [("CL203", "/spec_details/0/compiler", "null")]),
    "compiler is a list": (_spec(compiler=["gcc"]),
                           [("CL203", "/spec_details/0/compiler", '"compiler"')]),
    "target is a mapping": (_spec(target={"name": "zen4"}),
                            [("CL203", "/spec_details/0/target", '"target"')]),
    "hash is a number": (_spec(hash=7), [("CL203", "/spec_details/0/hash", "7")]),
    "os is a number": (_spec(os=22.04), [("CL203", "/spec_details/0/os", "22.04")]),
    "platform is a number": (_spec(platform=1), [("CL203", "/spec_details/0/platform", "1")]),
    "size is 1.5": (_spec(size=1.5), [("CL203", "/spec_details/0/size", "1.5")]),
    "size is true": (_spec(size=True), [("CL203", "/spec_details/0/size", "true")]),
    "stacks are text": (_spec(stacks="root"), [("CL203", "/spec_details/0/stacks", '"root"')]),
    "a spec's stack is null": (_spec(stacks=["e4s", NONE]),
                               [("CL203", "/spec_details/0/stacks/1", "null")]),
    "variants are null": (_spec(variants=NONE), [("CL203", "/spec_details/0/variants", "null")]),
    "variant is a number": (_spec(variants=["+shared", 1]),
                            [("CL203", "/spec_details/0/variants/1", "1")]),
    "version is a number": (_spec(versions=[1.3]),
                            [("CL203", "/spec_details/0/versions/0", "1.3")]),
    "versions are a number": (_spec(versions=1.3), [("CL203", "/spec_details/0/versions", "1.3")]),
    "one of two versions is a number": (_spec(versions=["1.3", 1.3]),
                                        [("CL203", "/spec_details/0/versions/1", "1.3")]),
    "tarball is null": (page(None, tarball_specs(0, tarball=NONE)),
                        [("CL203", "/spec_details/0/tarball", "null")]),
    # CL204
    "layout of a table": (page(layout="layout: table"), [("CL204", "/layout", "table")]),
    "title in capitals": (page(title='title: "Zlib"'), [("CL204", "/title", '"Zlib"')]),
    "title with a newline": (page(title='title: "zlib\\n"'), [("CL701", "/title", '"zlib\\n"')]),
    "title is empty": (page(title='title: ""'), [("CL204", "/title", '""')]),
    "title begins with a hyphen": (page(title='title: "-zlib"'), [("CL204", "/title", '"-zlib"')]),
    "one category": (page(categories="categories: [package]"),
                     [("CL204", "/categories", "categories")]),
    "three categories": (page(categories=f"categories: [package, {valid.TAG}, x]"),
                         [("CL204", "/categories", "categories")]),
    "first category": (page(categories=f"categories: [pkg, {valid.TAG}]"),
                       [("CL204", "/categories/0", "pkg")]),
    "no specs in the list": (page(specs_line="spec_details: []", meta_value=meta()),
                             [("CL204", "/spec_details", "spec_details")]),
    "negative number": (page(meta(num_specs=-1)), [("CL204", "/meta/num_specs", "-1")]),
    "negative count": (page(meta(num_specs_by_stack={"e4s": -1, "root": 2})),
                       [("CL204", "/meta/num_specs_by_stack/e4s", "-1")]),
    "empty list of meta": (page(meta(oss=[])), [("CL204", "/meta/oss", '"oss"')]),
    "stacks are empty": (_spec(stacks=[]), [("CL204", "/spec_details/0/stacks", '"stacks"')]),
    "versions are empty": (_spec(versions=[]),
                           [("CL204", "/spec_details/0/versions", '"versions"')]),
    "variants are empty": (_spec(variants=[]), []),
    "version is empty": (_spec(versions=[""]), [("CL204", "/spec_details/0/versions/0", '""')]),
    "stack is empty": (_spec(stacks=["", "e4s", "root"]),
                       [("CL204", "/spec_details/0/stacks/0", '""')]),
    "stack is empty, and no root": (_spec(stacks=["", "e4s"]),
                                    [("CL204", "/spec_details/0/stacks/0", '""')]),
    "os is empty": (_spec(os=""), [("CL204", "/spec_details/0/os", '""')]),
    "compiler is empty": (_spec(compiler=""), [("CL204", "/spec_details/0/compiler", '""')]),
    "target is empty": (_spec(target=""), [("CL204", "/spec_details/0/target", '""')]),
    "platform is empty": (_spec(platform=""), [("CL204", "/spec_details/0/platform", '""')]),
    "platform is unknown": (_spec(platform="beos"),
                            [("CL204", "/spec_details/0/platform", '"beos"')]),
    "size with a newline": (_spec(size="-\n"), [("CL204", "/spec_details/0/size", '"-\\n"')]),
    "size is text": (_spec(size="12"), [("CL204", "/spec_details/0/size", '"12"')]),
    "size is negative": (_spec(size=-12), [("CL204", "/spec_details/0/size", "-12")]),
    "size is a number": (_spec(size=12), []),
    "size beyond 2^64": (_spec(size=2**64 + 2), []),
    "size that JavaScript takes for infinity": (
        _spec(size=10**309), [("CL204", "/spec_details/0/size", str(10**309))]),
    "tarball is empty": (page(None, tarball_specs(0, tarball="")),
                         [("CL204", "/spec_details/0/tarball", '""')]),
    # several at once, each by itself
    "unsound and stale": (
        page(meta(num_specs="2", oss=["rhel8"]), specs(1, os="rhel8", size=NONE)),
        [("CL203", "/meta/num_specs", '"2"'), ("CL203", "/spec_details/1/size", "null"),
         ("CL304", "/meta/oss", '"oss"')]),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_findings(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert valid.reported(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (page(without(meta(), "targets")), ["meta", '"targets"']),
        (page(meta(num_specs="2")), ["num_specs", '"2"', "whole number"]),
        (page(meta(num_specs=True)), ["true", "whole number"]),
        (_spec(stacks=[]), ["stacks of the 1st spec", "empty"]),
        (_spec(platform="beos"), ["platform of the 1st spec", '"beos"', "linux"]),
        (page(title="title: 2025-03-30"), ["title", "date 2025-03-30", "string"]),
        (page(layout="layout: table"), ["layout", '"table"', '"cache"']),
    ],
    ids=["CL201", "text", "true", "empty", "platform", "date", "layout"],
)
def test_message_is_prose(text: str, words: list[str]) -> None:
    (finding,) = [finding for finding in valid.check(text) if finding.code.startswith("CL2")]
    assert [word for word in words if word not in finding.message] == []


def test_spec_files_make_no_page_legacy_that_has_specs() -> None:
    text = valid.PAGE.replace("meta:", "spec_files: [a]\nmeta:")
    assert valid.found(text) == [("CL202", "/spec_files")]


@pytest.mark.parametrize(
    ("spoilt", "pointer"),
    [({"stacks": "root"}, "stacks"), ({"os": 1}, "os"), ({"compiler": ""}, "compiler"),
     ({"target": NONE}, "target"), ({"versions": []}, "versions"),
     ({"platform": "dos"}, "platform")],
)
def test_invalid_value_of_a_spec_silences_only_what_depends_on_it(
    spoilt: dict[str, Any], pointer: str
) -> None:
    wrong = {
        "compilers": ["zig@1"], "oss": ["plan9"], "platforms": ["dos"], "stacks": ["none"],
        "targets": ["z80"], "versions": ["0"], "num_specs": 9, "num_specs_by_stack": {"none": 9},
    }
    expected = {
        "num_specs": "CL301", "num_specs_by_stack": "CL302", "compilers": "CL303", "oss": "CL304",
        "platforms": "CL305", "stacks": "CL306", "targets": "CL307", "versions": "CL308",
    }
    dependent = {
        "stacks": ["stacks", "num_specs_by_stack"], "os": ["oss"], "compiler": ["compilers"],
        "target": ["targets"], "versions": ["versions"], "platform": ["platforms"],
    }[pointer]
    codes = sorted(code for key, code in expected.items() if key not in dependent)
    found = valid.found(page(wrong, specs(0, **spoilt)))
    assert found[0][1] == f"/spec_details/0/{pointer}"
    assert [code for code, _ in found[1:]] == codes
