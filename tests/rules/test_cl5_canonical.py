"""CL5xx: the one form that the generator writes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cachelint.rules.cl5_canonical import _difference
from support import valid
from support.valid import FIRST, PAGE, SECOND, lines, meta, page, specs, tarball_specs

LINES = lines()
NO_SPACES = {
    key: f"{key}: {json.dumps(json.loads(LINES[key].split(': ', 1)[1]), separators=(',', ':'))}"
    for key in ("meta", "spec_details")
}
BLOCK_META = """meta:
  compilers:
  - gcc@11.4.0
  num_specs: 2
  num_specs_by_stack:
    e4s: 1
    root: 2
  oss: [ubuntu22.04]
  platforms: [linux]
  stacks: ["e4s", 'root']
  targets: [x86_64_v3]
  versions: ["1.2.13", "1.3.1"]"""
BLOCK_SPECS = """spec_details:
""" + "\n".join(f"- {valid.dumps(spec)}" for spec in specs())


def _line(key: str, written: str) -> str:
    """Replace one line of the valid page."""
    return PAGE.replace(LINES[key], written)


def _order(*keys: str) -> str:
    return valid.assemble(LINES[key] for key in keys)


def _unsorted_meta(**changes: Any) -> str:
    """Write `meta` with its keys in reverse, and the specs as they are."""
    backwards = dict(reversed(meta(**changes).items()))
    return _line("meta", f"meta: {json.dumps(backwards)}")


BACKWARDS = [dict(reversed(spec.items())) for spec in specs()]

CASES: dict[str, tuple[str, list[tuple[str, str, str]]]] = {
    # CL501
    "lines in another order": (_order("layout", "title", "categories", "meta", "spec_details"),
                               [("CL501", "", "---")]),
    "meta behind the specs": (_order("title", "layout", "categories", "spec_details", "meta"),
                              [("CL501", "", "---")]),
    "keys of meta": (_unsorted_meta(), [("CL501", "/meta", "meta")]),
    "stacks of meta": (
        _line("meta", LINES["meta"].replace('"e4s": 1, "root": 2', '"root": 2, "e4s": 1')),
        [("CL501", "/meta/num_specs_by_stack", '"num_specs_by_stack"')]),
    "keys of the second spec": (
        _line("spec_details", f"spec_details: {json.dumps([specs()[0], BACKWARDS[1]])}"),
        [("CL501", "/spec_details/1", "{")]),
    "keys of both specs": (_line("spec_details", f"spec_details: {json.dumps(BACKWARDS)}"),
                           [("CL501", "/spec_details/0", "{")]),
    "keys of specs and meta": (
        _unsorted_meta().replace(LINES["spec_details"], f"spec_details: {json.dumps(BACKWARDS)}"),
        [("CL501", "/meta", "meta")]),
    "keys of specs, which come first, and meta": (
        valid.assemble([LINES["title"], LINES["layout"], LINES["categories"],
                        f"spec_details: {json.dumps(BACKWARDS)}", lines(_unsorted_meta())["meta"]]),
        [("CL501", "", "---")]),
    # CL502
    "versions": (page(meta(versions=["1.3.1", "1.2.13"])),
                 [("CL502", "/meta/versions", '"versions"')]),
    "versions by their numbers": (
        page(meta(versions=["1.9", "1.10"]), [
            {**specs()[0], "versions": ["1.9"]}, {**specs()[1], "versions": ["1.10"]}]),
        [("CL502", "/meta/versions", '"versions"')]),
    "versions by code point": (
        page(meta(versions=["1.10", "1.9"]), [
            {**specs()[0], "versions": ["1.9"]}, {**specs()[1], "versions": ["1.10"]}]), []),
    "two lists of meta": (
        page(meta(versions=["1.3.1", "1.2.13"], stacks=["root", "e4s"])),
        [("CL502", "/meta/stacks", '"stacks"'), ("CL502", "/meta/versions", '"versions"')]),
    "stacks of a spec": (page(meta(), specs(0, stacks=["root", "e4s"])),
                         [("CL502", "/spec_details/0/stacks", '"stacks"')]),
    "stacks of both specs": (
        page(None, [{**spec, "stacks": ["root", "e4s"]} for spec in specs()]),
        [("CL502", "/spec_details/0/stacks", '"stacks"')]),
    "meta and a spec": (
        page(meta(stacks=["root", "e4s"]), specs(0, stacks=["root", "e4s"])),
        [("CL502", "/meta/stacks", '"stacks"'),
         ("CL502", "/spec_details/0/stacks", '"stacks"')]),
    # CL503
    "specs": (page(None, specs()[::-1]), [("CL503", "/spec_details", "spec_details")]),
    "specs with an unsound hash between": (
        page(None, [{**specs()[0], "hash": "zzz"}, specs()[0], specs()[1]]),
        [("CL401", "/spec_details/0/hash", '"zzz"')]),
    # CL504: a value with other formatting
    "meta without spaces": (_line("meta", NO_SPACES["meta"]), [("CL504", "/meta", "meta")]),
    "both without spaces": (
        _line("meta", NO_SPACES["meta"]).replace(LINES["spec_details"], NO_SPACES["spec_details"]),
        [("CL504", "/meta", "meta"), ("CL504", "/spec_details", "spec_details")]),
    "blank behind a value": (_line("meta", LINES["meta"] + " "), [("CL504", "/meta", "meta")]),
    "blanks before a value": (_line("meta", LINES["meta"].replace("meta: ", "meta:  ")),
                              [("CL504", "/meta", "meta")]),
    "tab between tokens": (_line("meta", LINES["meta"].replace('"oss": ', '"oss":\t')),
                           [("CL504", "/meta", "meta")]),
    "needless escape": (_line("meta", LINES["meta"].replace("linux", "l\\u0069nux")),
                        [("CL504", "/meta", "meta")]),
    "escaped slash": (page(None, specs(0, variants=["a=b/c"])).replace("b/c", "b\\/c"),
                      [("CL504", "/spec_details", "spec_details")]),
    "letter that json.dumps escapes": (
        page(None, specs(0, variants=["a=\u00e9"])).replace("\\u00e9", "\u00e9"),
        [("CL504", "/spec_details", "spec_details")]),
    "the same, escaped": (page(None, specs(0, variants=["a=\u00e9"])), []),
    "capital escape": (page(None, specs(0, variants=["a=\u00e9"])).replace("u00e9", "u00E9"),
                       [("CL504", "/spec_details", "spec_details")]),
    "meta in block YAML": (_line("meta", BLOCK_META), [("CL504", "/meta", "meta")]),
    "meta in block YAML, and stale": (
        _line("meta", BLOCK_META.replace("num_specs: 2", "num_specs: 3")),
        [("CL301", "/meta/num_specs", "3"), ("CL504", "/meta", "meta")]),
    "specs in block YAML": (_line("spec_details", BLOCK_SPECS),
                            [("CL504", "/spec_details", "spec_details")]),
    "specs over two lines": (_line("spec_details", LINES["spec_details"].replace("}, ", "},\n ")),
                             [("CL504", "/spec_details", "spec_details")]),
    "trailing comma": (_line("meta", LINES["meta"].replace('"1.3.1"]', '"1.3.1",]')),
                       [("CL504", "/meta", "meta")]),
    "title without quotes": (_line("title", "title: zlib"), [("CL504", "/title", "zlib")]),
    "title in single quotes": (_line("title", "title: 'zlib'"), [("CL504", "/title", "'zlib'")]),
    "title on the next line": (_line("title", 'title:\n  "zlib"'), [("CL504", "/title", '"zlib"')]),
    "layout in quotes": (_line("layout", 'layout: "cache"'), [("CL504", "/layout", '"cache"')]),
    "categories as JSON": (
        _line("categories", f'categories: ["package", "{valid.TAG}"]'),
        [("CL504", "/categories", "categories")]),
    "categories without a space": (
        _line("categories", f"categories: [package,{valid.TAG}]"),
        [("CL504", "/categories", "categories")]),
    "categories in block YAML": (
        _line("categories", f"categories:\n- package\n- {valid.TAG}"),
        [("CL504", "/categories", "categories")]),
    "key in quotes": (_line("title", '"title": "zlib"'), [("CL504", "/title", '"zlib"')]),
    "key with a question mark": (_line("title", '? title\n: "zlib"'),
                                 [("CL504", "/title", '"zlib"')]),
    "blank before the colon": (_line("title", 'title : "zlib"'), [("CL504", "/title", '"zlib"')]),
    "keys in another order are not other bytes": (_unsorted_meta(), [("CL501", "/meta", "meta")]),
    "other order and other bytes": (
        _unsorted_meta().replace('"num_specs": 2', '"num_specs":2'),
        [("CL501", "/meta", "meta"), ("CL504", "/meta", "meta")]),
    # CL504: what is between
    "comment on a line": (_line("meta", "# by hand\n" + LINES["meta"]),
                          [("CL504", "", "---")]),
    "comment behind a value": (_line("layout", "layout: cache # sic"), [("CL504", "", "---")]),
    "two comments": (_line("meta", f"# one\n# two\n{LINES['meta']} # three"),
                     [("CL504", "", "---")]),
    "comment, and blanks behind it": (_line("layout", "layout: cache  #"), [("CL504", "", "---")]),
    "no comment": (page(None, specs(0, variants=["a=#b"])), []),
    "comment and another spelling": (_line("title", "title: zlib # sic"),
                                     [("CL504", "", "---"), ("CL504", "/title", "zlib")]),
    "blank line": (_line("meta", "\n" + LINES["meta"]), [("CL504", "", "---")]),
    "two blank lines": (_line("meta", "\n\n" + LINES["meta"]), [("CL504", "", "---")]),
    "line of blanks": (_line("meta", "  \n" + LINES["meta"]), [("CL504", "", "---")]),
    "blank line first": (_line("title", "\n" + LINES["title"]), [("CL504", "", "---")]),
    "blank line last": (_line("spec_details", LINES["spec_details"] + "\n"),
                        [("CL504", "", "---")]),
    "blanks behind the first line": (PAGE.replace("---", "---  ", 1), [("CL504", "", "---  ")]),
    "space behind the first line": (PAGE.replace("---", "--- ", 1), [("CL504", "", "--- ")]),
    "closed by dots": (PAGE.removesuffix("---") + "...", [("CL504", "", "---")]),
    # CL505
    "newline at the end": (PAGE + "\n", [("CL505", "", "\n")]),
    "blanks at the end": (PAGE + "  ", [("CL505", "", "  ")]),
    "blank lines at the end": (PAGE + "\n \n\n", [("CL505", "", "\n \n\n")]),
    "newline at the end, CRLF": (PAGE.replace("\n", "\r\n") + "\r\n",
                                 [("CL103", "", ""), ("CL505", "", "\n")]),
    "newline at the end of a tarball page": (valid.TARBALL_PAGE + "\n", [("CL505", "", "\n")]),
    # CL506
    "variants": (page(None, specs(0, variants=["+shared", "build_system=makefile"])),
                 [("CL506", "/spec_details/0/variants", '"variants"')]),
    "variants of both specs": (
        page(None, [{**spec, "variants": ["+b", "~a"]} for spec in specs()]),
        [("CL506", "/spec_details/0/variants", '"variants"')]),
    "variants of the second spec": (page(None, specs(1, variants=["b=1", "+a"])),
                                    [("CL506", "/spec_details/1/variants", '"variants"')]),
    "variants by their names": (
        page(None, specs(0, variants=["++a", "b:=1", "~~c", "d==2", "+e", "f:==3", "~g"])), []),
    "variants of which one is none": (page(None, specs(0, variants=["+b", "=a", "+c"])),
                                      [("CL404", "/spec_details/0/variants/1", '"=a"')]),
    "variants of a tarball page": (
        page(None, tarball_specs(0, variants=["+b", "+a"])),
        [("CL506", "/spec_details/0/variants", '"variants"')]),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_findings(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert valid.reported(text) == expected


@pytest.mark.parametrize(("expected", "written", "message"), [
    ('{"a": 1}', '{"a":1}', 'expected {"a": 1}, found {"a":1}'),
    ("0" * 50, "1" + "0" * 50,
     f"expected {'0' * 40}…, found 1{'0' * 39}… at character 1"),
    ("0" * 11 + "1" * 50, "0" * 11 + "2" * 29,
     f"expected …{'0' * 10}{'1' * 30}…, found …{'0' * 10}{'2' * 29} at character 12"),
    ("0" * 40, "0" * 41, f"expected …{'0' * 10}, found …{'0' * 11} at character 41"),
    ("a\x85" + "0" * 40, "b" + "0" * 40,
     f'expected "a\\u0085{"0" * 38}"…, found "b{"0" * 39}"… at character 1'),
], ids=["short", "at the beginning", "in the middle", "at the end", "escaped"])
def test_difference(expected: str, written: str, message: str) -> None:
    assert _difference(expected, written, "meta") == message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (_order("layout", "title", "categories", "meta", "spec_details"), ['"layout"', '"title"']),
        (page(meta(versions=["1.3.1", "1.2.13"])), ["versions", "1.2.13 comes before 1.3.1"]),
        (page(None, specs()[::-1]), [FIRST, SECOND]),
        (_line("meta", BLOCK_META), ["expected one line, found 12"]),
        (page(None, specs(0, variants=["+b", "+a"])), ["a comes before b"]),
        (_line("layout", "layout: cache\n# a\n# b"), ["comment on line 4"]),
    ],
    ids=["CL501", "CL502", "CL503", "CL504", "CL506", "comments"],
)
def test_message_has(text: str, words: list[str]) -> None:
    (finding,) = valid.check(text)
    assert [word for word in words if word not in finding.message] == []


@pytest.mark.parametrize(
    ("text", "fixable"),
    [
        (_line("title", "title: zlib"), [True]),
        (_line("title", "title: zlib # sic"), [False, False]),
        (PAGE + "\n", [True]),
        (page(None, specs(0, variants=["+b", "+a"])), [False]),
    ],
    ids=["CL504", "comment", "CL505", "CL506"],
)
def test_fixable(text: str, fixable: list[bool]) -> None:
    assert [finding.fixable for finding in valid.check(text)] == fixable


# ------------------------------------------------------------------------------ the tarball format

TARBALL_LINES = lines(valid.TARBALL_PAGE)
UNSTABLE: dict[str, str] = {
    "lines": valid.assemble([TARBALL_LINES["layout"], *(
        line for key, line in TARBALL_LINES.items() if key != "layout")]),
    "keys of meta": page(None, tarball_specs(), meta_line=lines(_unsorted_meta())["meta"]),
    "keys of a spec": page(meta(), specs_line=f"""spec_details: {json.dumps([
        dict(reversed(spec.items())) for spec in tarball_specs()])}"""),
    "stacks of meta": valid.TARBALL_PAGE.replace('"e4s": 1, "root": 2', '"root": 2, "e4s": 1'),
    "a list of meta": page(meta(versions=["1.3.1", "1.2.13"]), tarball_specs()),
    "stacks of a spec": page(meta(), tarball_specs(0, stacks=["root", "e4s"])),
    "specs": page(None, tarball_specs()[::-1]),
    "specs and keys": page(meta(), specs_line=f"""spec_details: {json.dumps([
        dict(reversed(spec.items())) for spec in tarball_specs()[::-1]])}"""),
}


@pytest.mark.parametrize("text", UNSTABLE.values(), ids=UNSTABLE)
def test_order_in_a_tarball_page_is_only_checked_by_cl507(text: str) -> None:
    assert valid.found(text) == []
    assert valid.reported(text, valid.CONTEXT, "CL507") == [("CL507", "", "---")]


def test_spelling_of_a_tarball_page_is_its_own() -> None:
    text = valid.TARBALL_PAGE.replace('"e4s": 1', '"e4s":1').replace('"zlib"\n', "zlib\n\n# a\n")
    assert valid.found(text, valid.CONTEXT, "CL507") == []


def test_cl507_is_silent_on_other_pages() -> None:
    assert valid.found(PAGE, valid.CONTEXT, "CL507") == []
    assert valid.found(page(None, specs()[::-1]), valid.CONTEXT, "CL507") == [
        ("CL503", "/spec_details")]
