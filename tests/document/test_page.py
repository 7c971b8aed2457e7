"""A page's bytes taken apart: the quick way gives the YAML parser's answer, with every position."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from cachelint.document import yaml
from cachelint.document.page import Page
from cachelint.document.parser import parse_page
from cachelint.document.render import render_entry, render_page
from cachelint.model import PageFormat, Span
from support import valid

LINES = valid.lines()


def _parse(text: str | bytes) -> Page:
    return parse_page(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))


def _faults(page: Page) -> list[str]:
    return [fault.code for fault in page.errors]


# ------------------------------------------------------------------------------ bytes and lines


@pytest.mark.parametrize(
    ("text", "faults", "body"),
    [
        (valid.PAGE, [], ""),
        ("\ufeff" + valid.PAGE, ["CL102"], ""),
        (valid.PAGE.replace("\n", "\r\n"), ["CL103"], ""),
        (valid.PAGE.replace("\n", "\r"), ["CL103"], ""),
        (valid.PAGE.replace("cache\n", "cache\r\n", 1), ["CL103"], ""),
        ("\ufeff" + valid.PAGE.replace("\n", "\r\n") + "\r\n", ["CL102", "CL103", "CL505"], "\n"),
        (valid.PAGE + "\n", ["CL505"], "\n"),
        (valid.PAGE + " ", ["CL505"], " "),
        (valid.PAGE + "\nx\n---\n", ["CL108"], "\nx\n---\n"),
        (valid.PAGE.removesuffix("---") + "...\n", ["CL505"], "\n"),
        (valid.PAGE.replace("---", "--- \t", 1), [], ""),
    ],
    ids=["sound", "mark", "CRLF", "CR", "one CRLF", "all", "newline", "blank", "body", "dots",
         "blanks at the first line"],
)
def test_what_surrounds_the_front_matter(text: str, faults: list[str], body: str) -> None:
    page = _parse(text)
    assert (_faults(page), page.body, page.parsed) == (faults, body, True)
    assert page.data == _parse(valid.PAGE).data
    assert "\r" not in page.text
    assert not page.text.startswith("\ufeff")


@pytest.mark.parametrize("line", ["\u0085", "\u2028", "\x0b", "\x1c"])
def test_lines_end_only_in_line_feeds(line: str) -> None:
    # str.splitlines would end lines here
    text = valid.PAGE.replace("+shared", f"a='{line}'")
    page = _parse(text.replace(line, f"\\u{ord(line):04x}") if ord(line) < 0x20 else text)
    assert page.parsed
    assert page.data["spec_details"][0]["variants"][1] == f"a='{line}'"
    assert page.span_of("/spec_details/0").line == 6


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (valid.PAGE, PageFormat.CURRENT),
        (valid.TARBALL_PAGE, PageFormat.TARBALL),
        (valid.page(None, [valid.tarball_specs()[0], valid.specs()[1]]), PageFormat.CURRENT),
        (valid.page(None, [*valid.tarball_specs(), valid.specs()[1]]), PageFormat.TARBALL),
        (valid.page(valid.meta(), specs_line="spec_details: []"), PageFormat.CURRENT),
        (valid.page(valid.meta(), specs_line="spec_details: {}"), PageFormat.CURRENT),
        (valid.page(valid.meta(), specs_line="spec_files: []"), PageFormat.LEGACY),
        (valid.page(valid.meta(), specs_line="spec_names: []"), PageFormat.CURRENT),
        (valid.PAGE.replace("layout", "spec_files: []\nlayout"), PageFormat.CURRENT),
        ("---\n- spec_files\n---", PageFormat.CURRENT),
        ("---\n---", PageFormat.CURRENT),
    ],
    ids=["current", "tarball", "half", "more than half", "no specs", "a mapping", "legacy", "names",
         "both", "a list", "empty"],
)
def test_format(text: str, expected: PageFormat) -> None:
    assert _parse(text).format is expected


def test_size_limit_is_in_bytes() -> None:
    text = valid.page(title='title: "\u00e9"').encode()
    assert parse_page(text, max_size=len(text)).parsed
    page = parse_page(text, max_size=len(text) - 1)
    assert (_faults(page), page.parsed, page.text) == (["CL110"], False, "")


# ------------------------------------------------------------------------------ entries


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        (valid.PAGE, list(LINES.items())),
        ("---\na: 1\nb:\n- c\n\n# d\ne: f # g\n---",
         [("a", "a: 1"), ("b", "b:\n- c"), ("e", "e: f")]),
        ('---\na: "b"\n"c": [d,\n  e]\nf: {}  \n---',
         [("a", 'a: "b"'), ("c", '"c": [d,\n  e]'), ("f", "f: {}  ")]),
        ("---\na: |\n  b\n\n  c\nd: # e\n  f\n---", [("a", "a: |\n  b\n\n  c"), ("d", "d:\n  f")]),
        ("---\na:\n-\nb: c\n---", [("a", "a:\n-"), ("b", "b: c")]),
        ("---\na:\n-\n-\nb: c\n---", [("a", "a:\n-\n-"), ("b", "b: c")]),
        ("---\na:\n  d:\n  e:\nb: c\n---", [("a", "a:\n  d:\n  e:"), ("b", "b: c")]),
    ],
    ids=["sound", "comments", "lines", "block", "nothing in a list", "nothing twice",
         "nothing in a mapping"],
)
def test_entries_are_written(text: str, entries: list[tuple[str, str]]) -> None:
    page = _parse(text)
    assert [(entry.key, page.source(entry)) for entry in page.entries] == entries


def test_rendering_is_what_the_generator_writes() -> None:
    assert render_page("zlib", valid.TAG, valid.specs()) == valid.PAGE
    values = _parse(valid.PAGE).data
    assert {key: render_entry(key, values[key]) for key in values} == LINES


def test_rendering_an_entry_keeps_the_order_of_keys() -> None:
    assert render_entry("meta", {"b": 1, "a": {"d": 1, "c": []}}) == (
        'meta: {"b": 1, "a": {"d": 1, "c": []}}')


# ------------------------------------------------------------------------------ positions


YAML_PAGE = f"""--- \nlayout: cache # x
'title': "z\u00e9\U0001f600"
categories:
- package
- {valid.TAG}
meta: {{"a": [1, "\U0001f600", {{}}], "b c": {{"d": null}}}}
note: [x,
  {{y: 'z'}}]
spec_details: [{{"hash": "aa", "stacks": ["r/~", "s"]}}, []]
---"""


@pytest.mark.parametrize(
    ("pointer", "value", "key"),
    [
        ("/title", '"z\u00e9\U0001f600"', "'title'"),
        ("/layout", "cache", "layout"),
        ("/categories", "categories", "categories"),
        ("/categories/1", valid.TAG, valid.TAG),
        ("/meta", "meta", "meta"),
        ("/meta/a", '"a"', '"a"'),
        ("/meta/a/0", "1", "1"),
        ("/meta/a/1", '"\U0001f600"', '"\U0001f600"'),
        ("/meta/a/2", "{", "{"),
        ("/meta/b c", '"b c"', '"b c"'),
        ("/meta/b c/d", "null", '"d"'),
        ("/note", "note", "note"),
        ("/note/1", "{", "{"),
        ("/note/1/y", "'z'", "y"),
        ("/spec_details", "spec_details", "spec_details"),
        ("/spec_details/0", "{", "{"),
        ("/spec_details/0/hash", '"aa"', '"hash"'),
        ("/spec_details/0/stacks", '"stacks"', '"stacks"'),
        ("/spec_details/0/stacks/0", '"r/~"', '"r/~"'),
        ("/spec_details/1", "[", "["),
        # what has no position of its own is the file
        ("", "--- ", "--- "),
        ("/nowhere", "--- ", "--- "),
        ("/meta/a/3", "--- ", "--- "),
    ],
)
def test_spans(pointer: str, value: str, key: str) -> None:
    page = _parse(YAML_PAGE)
    assert page.parsed
    assert [_covered(page, page.span_of(pointer, key=at_key)) for at_key in (False, True)] == [
        value, key]


def _covered(page: Page, span: Span) -> str:
    assert span.line == span.end_line
    return page.text[slice(*page.line(span.line))][span.column - 1 : span.end_column - 1]


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        ("/title", (3, 10, 3, 15)),
        ("/meta/a/1", (7, 17, 7, 20)),
        ("/meta/b c", (7, 27, 7, 32)),
        ("/note/1", (9, 3, 9, 4)),
        ("", (1, 1, 1, 5)),
    ],
)
def test_columns_count_code_points(pointer: str, expected: tuple[int, int, int, int]) -> None:
    for text in (YAML_PAGE, "\ufeff" + YAML_PAGE, YAML_PAGE.replace("\n", "\r\n")):
        assert _parse(text).span_of(pointer) == Span(*expected)


def test_span_over_several_lines() -> None:
    page = _parse("---\ntitle: 'a\n  b'\n---")
    assert page.span_of("/title") == Span(2, 8, 3, 5)


@pytest.mark.parametrize(
    ("pointer", "key", "raw"),
    [("/title", "'title'", '"z\u00e9\U0001f600"'), ("/layout", "layout", "cache"),
     ("/categories/1", "", valid.TAG), ("/meta/a", '"a"', '[1, "\U0001f600", {}]'),
     ("/note/1", "", "{y: 'z'}"), ("/note/1/y", "y", "'z'")],
)
def test_keys_and_values_as_they_are_written(pointer: str, key: str, raw: str) -> None:
    page = _parse(YAML_PAGE)
    assert (page.raw_key(pointer), page.raw(pointer)) == (key, raw)


def test_values_by_pointer() -> None:
    page = _parse(YAML_PAGE)
    assert page.value("/spec_details/0/stacks/0") == "r/~"
    assert page.value("/note/1/y") == "z"
    assert page.value("") is page.data


@pytest.mark.parametrize(
    ("text", "line"),
    [("---\ntitle:\nlayout: cache\n---", 2), ("---\ntitle: # x\n\nlayout: cache\n---", 2),
     ("---\nlayout: cache\ntitle:\n---", 3)],
)
def test_missing_value_is_in_the_line_of_its_key(text: str, line: int) -> None:
    page = _parse(text)
    assert page.span_of("/title").line == line
    assert [page.source(entry).strip() for entry in page.entries if entry.key == "title"] == [
        "title:"]


@pytest.mark.parametrize("text", ["? title", "a: 1\n? title", "? title\n: zlib\n? layout"])
def test_key_without_a_value(text: str) -> None:
    page = _parse(f"---\n{text}\n---")
    assert page.parsed
    assert page.data[text.rsplit(" ", 1)[1]] is None


TWICE = '{"a": 1, "a": 2}'


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (TWICE, "CL107"), (f"[{TWICE}] # x", "CL107"), (f"[{TWICE}, 'x']", "CL107"),
        (f"[{TWICE}, x]", "CL107"), (f"[{TWICE}, 01]", "CL107"), (f"[{TWICE}, ]", "CL107"),
        (f'{{"b": {TWICE}, }}', "CL107"),
        # not YAML either
        (f"[{TWICE}", "CL106"), (f"[{TWICE}] x", "CL106"), (f'[{TWICE}, "x]', "CL106"),
        (f"[{TWICE}}}", "CL106"),
    ],
)
def test_key_twice_in_what_may_not_be_json(value: str, fault: str) -> None:
    page = _parse(f"---\nmeta: {value}\n---")
    assert not page.parsed
    # where the text is not even YAML, either may be reported
    assert _faults(page) in ([fault], ["CL107"])


def test_key_twice_within_a_string_is_none() -> None:
    page = _parse(f"---\nnote: 'a\nmeta: {TWICE}\n  '\n---")
    assert (_faults(page), list(page.data)) == ([], ["note"])


# ------------------------------------------------------------------------------ islands in YAML


def _block(value: Any) -> str:
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    stream = StringIO()
    yaml.dump(value, stream)
    return "\n" + "".join(f"  {line}\n" for line in stream.getvalue().splitlines()).rstrip()


def _single_quoted(value: Any) -> str:
    return json.dumps(value).replace('"', "'")


SMALL_META = {"num_specs": 2, "versions": ["1.2.13", "1.3.1"], "num_specs_by_stack": {"root": 2}}
SMALL_SPECS = [{"hash": "aaa", "variants": ["+a", "b='c d'", "e=#f"]}, {"hash": "bbb"}, []]
WRITERS: list[Callable[[Any], str]] = [
    json.dumps,
    lambda value: json.dumps(value, separators=(",", ":")),
    lambda value: json.dumps(value, indent=2),
    lambda value: json.dumps(value).replace("}, ", "},\n  "),
    lambda value: json.dumps(value).replace("]", ",]") if value else "[]",
    _block,
    _single_quoted,
]
KEYS_WRITTEN = ["{}: ", '"{}": ', "'{}': ", "{} : ", "{}:  ", "? {}\n: ", "{}:\n  "]
TITLES = [
    '"zlib"', "zlib", "'zlib'", ">-\n  zlib", "|\n  zlib\n", "no", "1e3", "2025-03-30", "0.22", "~",
    "", '"zl\\\n  ib"', "'zl\n\n  ib'", '"a\n  layout: cache\n  b"', '"\\u0061"', "a b", "[a]", "=",
    '"a" b', "'", '"', "a: b", '"#"', "NaN", "017", "1_0", "[]", "{}", "-", "&a b", "! a", "null",
]
CATEGORIES = [
    f"[package, {valid.TAG}]", f'["package", "{valid.TAG}"]', f"\n- package\n- {valid.TAG}",
    "[package,\n  b]", "[package, no]", "[package, 0.22]", "[a,b]", "[a, b, ]", "[a b, c]",
    "[null, true]", "[package, b] # c", "[a: b]", "[package, 'b']", "[package]", "[ ]", "package",
]
BETWEEN = [
    "", "# a comment", "   ", "  # another", "note: x", "note: |\n  text: 1\n  layout: cache",
    'note: "a\nlayout: cache\n"', "note: {a: b,\nlayout: cache,\nc: d}", "note: {a: b,",
    "layout: x}", "more: 1", "- a", "text", "  text", "\ttext", "layout: cache", 'title: "zlib"',
    '"title": x',
    'meta: {"a": 1, "a": 2}', "meta: {a: 1, a: 2}", 'other: {"b": {"c": 1, "c": 1}}', "other: 'a",
    "b'", "note: >", "%YAML 1.1", "note: &a b", "other: *a", "x: !!str y", "{}", "'", '"',
    "note: [1,", "2]", "? a", ": b", "a/~b: 1", "'a': {}", "note: \u00e9\U0001f600 # \u00e9",
]


@st.composite
def _pages(draw: st.DrawFn) -> str:
    values = {
        "title": draw(st.sampled_from(TITLES)),
        "layout": draw(st.sampled_from(["cache", "'cache'", '"cache"', "cache # x", "on"])),
        "categories": draw(st.sampled_from(CATEGORIES)),
        "meta": draw(st.sampled_from(WRITERS))(SMALL_META),
        "spec_details": draw(st.sampled_from(WRITERS))(SMALL_SPECS),
    }
    usual = st.just("{}: ")
    entries = [
        draw(usual | st.sampled_from(KEYS_WRITTEN)).format(key) + value
        for key, value in values.items()
    ]
    for line in draw(st.lists(st.sampled_from(BETWEEN), max_size=3)):
        entries.insert(draw(st.integers(0, len(entries))), line)
    text = "\n".join(entries)
    for _ in range(draw(st.integers(0, 2))):  # and a slip of the hand or two
        at = draw(st.integers(0, len(text)))
        slip = draw(st.sampled_from([*" \n:,[]{}\"'#-&?|>a1\t\\", "", "\n  ", "\n- "]))
        text = text[:at] + slip + text[at + draw(st.integers(0, 2)) :]
    return f"---\n{text}\n---"


@given(_pages())
@settings(max_examples=300, deadline=None)
@example('---\n?\n title\n: "zlib"\nlayout: cache\n---')
@example('---\ntitle: "zlib"\n  text\nother: *a\n---')
def test_islands_of_json_agree_with_the_yaml_parser(text: str) -> None:
    page = _parse(text)
    start, end = page.opening_end, page.closing_start
    if end == 0:  # not even closed
        return
    try:
        document = yaml.load(text[start:end])
    except yaml.LimitError:
        assert "CL110" in _faults(page)
        return
    except yaml.YamlError:
        # a duplicate key in JSON is found before the parser is used, an alias before what is
        # behind JSON on the next line
        assert not page.parsed
        assert {"CL106", "CL107"} & set(_faults(page)) or "*" in text
        return
    expected = sorted((pointer, page.span(start + node.key_start, start + node.key_end))
                      for pointer, node in document.repeated)
    found = sorted((fault.problem.pointer, fault.problem.span)
                   for fault in page.errors if fault.code == "CL107")
    assert found == expected
    assert page.parsed is not bool(expected)
    if expected:
        return
    assert repr(page.data) == repr(document.value)  # as NaN is not NaN, and 1 is 1.0
    assert page.comments == [start + at for at in document.comments]
    for pointer, node in document.nodes.items():
        if not pointer:
            continue
        ours = page.locate(pointer)
        assert ours is not None
        keys = (node.key_start, node.key_end)
        assert (ours.start, ours.end, ours.container, ours.close) == (
            start + node.start, start + node.end, node.container, start + node.close)
        assert (ours.key_start, ours.key_end) == (
            keys if keys == (-1, -1) else (start + keys[0], start + keys[1]))
    assert [entry.key for entry in page.entries] == (
        list(document.value) if isinstance(document.value, dict) else [])
    for entry in page.entries:
        written = text[entry.start : entry.end]
        value = page.data[entry.key]
        if (written[0] == "?" and value is None) or (
                isinstance(value, str) and value.endswith("\n")):
            continue  # the position of a missing value, and of blank lines at the end, is free
        assert yaml.load(f"{written}\n").value == {entry.key: value}


@given(st.binary(max_size=60) | _pages().map(str.encode), st.data())
@settings(max_examples=150, deadline=None)
def test_parse_never_raises(raw: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(raw)))
    cut = data.draw(st.sampled_from([
        b"", b"\r", b"\xff", b"\n---\n", b"\x00", b'"', b"[", b"\\", b"\xef\xbb\xbf", b"\n"]))
    page = parse_page(raw[:at] + cut + raw[at + data.draw(st.integers(0, 3)):])
    assert page.parsed or page.errors
    for fault in page.errors:
        span = fault.problem.span or page.span_of(fault.problem.pointer)
        assert 1 <= span.line <= span.end_line
        assert (span.line, span.column) <= (span.end_line, span.end_column)
