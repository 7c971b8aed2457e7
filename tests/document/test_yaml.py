"""YAML as pages may contain it: what scalars mean, and where values are."""

from __future__ import annotations

import json
import math
import re
import sys
from io import StringIO
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from cachelint.document.yaml import (
    Document,
    LimitError,
    Timestamp,
    YamlError,
    depends_on_reader,
    is_safe_key,
    load,
    quoted_key_hazard,
    resolve,
)

# ------------------------------------------------------------------------------ scalars


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[(text, None) for text in ("", "~", "null", "Null", "NULL")],
        *[(text, True) for text in ("true", "True", "TRUE")],
        *[(text, False) for text in ("false", "False", "FALSE")],
        ("0", 0), ("-0", 0), ("17", 17), ("+17", 17), ("-17", -17), ("0x1F", 31),
        (str(2**70), 2**70), ("-0x1", -1), ("0o17", 15),
        ("1.0", 1.0), ("1.", 1.0), (".5", 0.5), ("-.5", -0.5), ("0.22", 0.22), ("1.5e+3", 1500.0),
        ("+1.5e-3", 0.0015), (".inf", math.inf), ("-.INF", -math.inf), ("+.Inf", math.inf),
        # text
        *[(text, text) for text in (
            "a", "nULL", "tRUE", "yes", "no", "on", "off", "y", "n", "NaN", "inf", "Infinity", ".",
            "-", "+", "..", ".e3", "1e", "1.2.3", "0x", "0o", "0o8", "0xg", "+0o1",
            # to one loader this, to another that
            "017", "1e3", "1E3", "0b1", "1_000", "1:30", "2025-3-3", "=", "<<",
            "2025-03", "\u0661", "1\u00a0", "v1", ".inF", "-.nan", "~a", "0x1_f",
        )],
    ],
    ids=repr,
)
def test_meaning_of_plain_scalars(text: str, value: Any) -> None:
    result = resolve(text)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize("text", [".nan", ".NaN", ".NAN"])
def test_not_a_number(text: str) -> None:
    assert math.isnan(resolve(text))


@pytest.mark.parametrize("text", [
    "2025-03-30", "2025-03-30T10:20:30", "2025-03-30 10:20:30.5 Z", "2025-03-30t1:02:03+01:00",
])
def test_dates(text: str) -> None:
    assert resolve(text) == text
    assert type(resolve(text)) is Timestamp


@pytest.mark.parametrize("sign", ["", "-"])
def test_number_of_more_digits_than_python_reads_is_a_number(sign: str) -> None:
    assert isinstance(resolve(sign + "9" * (sys.get_int_max_str_digits() + 1)), (int, float))


_PIECES = st.sampled_from([
    *"0123456789", *"-+.:eExXob_aAfFnNtT~", "null", "true", "False", "inf", "nan", "Inf", "00",
    "2025-03-30", "-1-2", "T1:02:03", "Z", "1.", ".5", "e3", "E-2", "0x", "0o",
])
_PLAIN = st.lists(_PIECES, min_size=1, max_size=5).map("".join)

# where ruamel.yaml keeps a habit of YAML 1.1 that is not in the core schema of 1.2, or where ours
# is text because loaders differ
_HABITS = re.compile(
    r".*_.*"  # digits in groups
    r"|[-+]?0b.*|[-+]0x.*"  # binary numbers, and signs before a base
    r"|[-+]?0o?[0-9]+"  # octal numbers
    r"|[-+]?[0-9]+[eE][-+]?[0-9]+|[-+]?[0-9]*\.[0-9]*[eE][0-9]+"  # exponents
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*"  # dates: the test above has those that are read
)


@given(_PLAIN)
@settings(max_examples=400, deadline=None)
def test_plain_scalars_mean_what_they_mean_to_ruamel(text: str) -> None:
    assume(not _HABITS.fullmatch(text))
    yaml = YAML(typ="safe", pure=True)
    try:
        events = [event for event in yaml.parse(text) if type(event).__name__ == "ScalarEvent"]
        assume(len(events) == 1 and events[0].value == text and not events[0].style)
        expected = YAML(typ="safe", pure=True).load(f"[{text}]")
    except YAMLError:
        assume(False)
    assume(len(expected) == 1 and not isinstance(expected[0], dict))
    result = resolve(text)
    assert type(result) is type(expected[0])
    assert result == expected[0] or (math.isnan(result) and math.isnan(expected[0]))


@pytest.mark.parametrize("text", [
    "no", "NO", "Yes", "on", "Off", "y", "N", "017", "-017", "0b1", "0x_1", "1_000", "1,000",
    "1_0.5", "1:30", "1:30:15.5", "2025-3-3", "1e3", "-1E3", ":a", "=", "<<",
    "tRue", "FalsE", "nUll", ".iNf", "-.INf", ".nAn", "0x,1", "0b,", "0b1,0", ".e+1", "-.E-05",
])
def test_scalar_depends_on_the_reader(text: str) -> None:
    assert depends_on_reader(text)
    assert resolve(text) == text


@pytest.mark.parametrize("text", [
    "", "a", "nope", "null", "true", "1", "0", "0.22", "1.5e+3", "2025-03-30", "v1", "1.2.3", "==",
    "develop", "develop-2025-03-30", "1:90", "a:b", "yes-1", "1,a", "0x1f", "0xg", "e3", ".5",
    "nulls", "False", "NULL", "-.inf", ".NaN", ".e1", "+e1", ".info", ".",
])
def test_scalar_does_not_depend_on_the_reader(text: str) -> None:
    assert not depends_on_reader(text)


@pytest.mark.parametrize("text", ["1" * 200_000 + "!", "1_" * 100_000 + "!", "1:" * 100_000 + "!",
                                  "0x" + "1" * 200_000 + "!", "1." + "1" * 200_000 + "!",
                                  "1e" + "_" * 200_000 + "!"], ids=lambda text: text[:4])
def test_scalars_are_read_in_linear_time(text: str) -> None:
    # a pattern that goes back to where it began takes minutes
    assert not depends_on_reader(text)
    assert resolve(text) == text


@pytest.mark.parametrize(
    ("key", "length", "is_refused"),
    [("<<", 2, True), ("<", 1, False), ("<<<", 3, False), ("a", 1022, False), ("a", 1023, True)],
)
def test_key_in_quotes_that_readers_refuse(key: str, length: int, is_refused: bool) -> None:
    assert bool(quoted_key_hazard(key, length)) is is_refused
    assert is_safe_key(key) is (key != "<<")


def test_safe_keys_fit_however_they_are_escaped() -> None:
    assert is_safe_key("\U0001f600" * 85)
    assert not is_safe_key("\U0001f600" * 86)


# ------------------------------------------------------------------------------ documents


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# nothing\n", None),
        ("a", "a"),
        ("a: 1\nb: [x, 'y', \"z\", 1.5, ~]\n", {"a": 1, "b": ["x", "y", "z", 1.5, None]}),
        ("a:\n- b: 1\n  c:\n  - d\n-\n", {"a": [{"b": 1, "c": ["d"]}, None]}),
        ("a: |\n  x\n  y\nb: >-\n  x\n  y\n", {"a": "x\ny\n", "b": "x y"}),
        ("{a: {b: c}, d}", {"a": {"b": "c"}, "d": None}),
        ("? a\n: b\n", {"a": "b"}),
        ("1: a\ntrue: b\n~: c\n", {"1": "a", "true": "b", "~": "c"}),
        ("a: '1'\nb: \"no\"\nc: '2025-03-30'", {"a": "1", "b": "no", "c": "2025-03-30"}),
        ("a: \"\\x41\\u0042\\n\"", {"a": "AB\n"}),
        ("a: x\n  y\n\n  z", {"a": "x y\nz"}),
        ("<<: {a: 1}\n", {"<<": {"a": 1}}),
        ("a: &anchor b\n", {"a": "b"}),
        ("a: [&b c, &d , &e]", {"a": ["c", None, None]}),
        ("--- a\n...\n", "a"),
    ],
)
def test_reads(text: str, value: Any) -> None:
    assert load(text).value == value


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("a: !!python/object:os.system x", 3),
        ("a: !!str x", 3),
        ("a: !mine [x]", 3),
        ("!!map {a: b}", 0),
        ("a: b\n--- c", 5),
        ("a: b\n...\nc", 9),
        ("a: [b", 5),
        ("a: b: c", 4),
        ("a: 'b", 5),
        ("\ta: b", 0),
        ("a: @b", 3),
        ("a: `b", 3),
        ("- a\nb: c", 4),
        ("a: \"\\q\"", 5),
        ("a: b\x01", 4),
        ("a: b\x7f", 4),
        ("a: \ud800", 3),
        ("[a]: b", 0),
        ("? {a: b}\n: c", 2),
        ("a: &b[c]", 3),
        ("a: [?&b c: d]", 5),
        ("a: &b c\nd: &b e", 11),
        ("a: [&b\n c]", 4),
        ("a: [&b # c\n  c]", 4),
        ("a: {&b: c}", 4),
    ],
)
def test_refuses(text: str, at: int) -> None:
    with pytest.raises(YamlError) as raised:
        load(text)
    assert raised.value.at == at
    assert str(raised.value)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("a: *b", 3),
        ("a: &b [x]\nc: *b", 13),
        ("a: &b [*b]", 7),
        ("*a : b", 0),
        ("a: " + "[" * 100 + "]" * 100, 102),
        ("- " * 101 + "a", 200),
        ("[" * 100_000, 0),
        ("{a: " * 100_000, 0),
    ],
    ids=["alias", "of a list", "of itself", "as a key", "deep flow", "deep block", "very deep",
         "very deep mappings"],
)
def test_limits(text: str, at: int) -> None:
    with pytest.raises(LimitError) as raised:
        load(text)
    assert raised.value.at == at


@pytest.mark.parametrize(("text", "count"), [
    ("a: |1-\n  \n", 1), ("a: >1-\n  \n", 1), ("a: |-\n  b\n", 0), ("a: |-\n", 0),
    ("? |-\n  b\n: c", 0), ("?\n|-\n  b\n: c", 1), ("a:\n  ? 'b\n c'\n  : d", 1),
    ("a:\n  ? 'b\n   c'\n  : d", 0), ("a: [b: c\n# d\n  ]", 1), ("a: [b\n# c\n  ]", 0),
    ("a: {b: c # d\n# e\n  }", 1), ("a: {b: c\n  # d\n  }", 0),
    ("a: {b:: c, -: d}", 0), ("a: [b:]", 1), ("a: [-]", 1)])
def test_lines_that_readers_refuse(text: str, count: int) -> None:
    assert len(load(text).dependent) == count


@pytest.mark.parametrize("text", ["a: " + "[" * 99 + "]" * 99, "- " * 100 + "a"])
def test_depth_that_is_allowed(text: str) -> None:
    load(text)


def test_many_brackets_that_are_closed_are_not_deep() -> None:
    assert load("- []\n" * 1_000).value == [[]] * 1_000
    assert load("- '" + "[" * 400 + "'").value == ["[" * 400]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\na: 2\n", [("/a", 5)]),
        ("a: 1\n'a': 2\n\"\\x61\": 3", [("/a", 5), ("/a", 12)]),
        ("x:\n  y: 1\n  y: 2\n", [("/x/y", 12)]),
        ("x: {y: 1, y: {y: 2}, y: 3}", [("/x/y", 10), ("/x/y", 21)]),
        ("- a: 1\n- a: 2\n", []),
        ("a/~: 1\na/~: 2", [("/a~1~0", 7)]),
        ("a: {b: 1}\na: {b: 2}", [("/a", 10)]),
    ],
)
def test_repeated_keys(text: str, expected: list[tuple[str, int]]) -> None:
    document = load(text)
    assert [(pointer, node.key_start) for pointer, node in document.repeated] == expected


@pytest.mark.parametrize(
    ("text", "comments"),
    [
        ("a: b", []),
        ("# x\na: b # y\n#z", ["# x", "# y", "#z"]),
        ("a: 'b # c'\nd: \"e # f\"\n", []),
        ("a: b#c\n", []),
        ("a: | # x\n  b # y\nc: d # z\n", ["# x", "# z"]),
        ("a: |\n  # b\n# c\n", ["# c"]),
        ("a: [b, # x\n  c] # y\n", ["# x", "# y"]),
        ("a: b\n  c # x\n", ["# x"]),
        ("a: # x\n  b", ["# x"]),
        ("a: # x # y\n  b", ["# x # y"]),
        ("# x", ["# x"]),
    ],
)
def test_comments(text: str, comments: list[str]) -> None:
    found = [text[at:].split("\n", 1)[0] for at in load(text).comments]
    assert found == comments


# ------------------------------------------------------------------------------ positions


TEXT = """a: 1
'b c': [x, {y: "z"}]
d:
  - e: 'f
      g'
  -   h
  - |
    i
    j

k: {}
l:
"""


@pytest.mark.parametrize(
    ("pointer", "key", "value", "whole"),
    [
        ("/a", "a", "1", "1"),
        ("/b c", "'b c'", "[", '[x, {y: "z"}]'),
        ("/b c/0", None, "x", "x"),
        ("/b c/1", None, "{", '{y: "z"}'),
        ("/b c/1/y", "y", '"z"', '"z"'),
        ("/d", "d", "-", "- e: 'f\n      g'\n  -   h\n  - |\n    i\n    j"),
        ("/d/0", None, "e", "e: 'f\n      g'"),
        ("/d/0/e", "e", "'f\n      g'", "'f\n      g'"),
        ("/d/1", None, "h", "h"),
        ("/d/2", None, "|\n    i\n    j", "|\n    i\n    j"),
        ("/k", "k", "{", "{}"),
        ("/l", "l", "", ""),
    ],
)
def test_positions(pointer: str, key: str | None, value: str, whole: str) -> None:
    node = load(TEXT).nodes[pointer]
    assert TEXT[node.start : node.end] == value
    assert TEXT[node.start : node.close].rstrip() == whole
    assert (TEXT[node.key_start : node.key_end] if node.key_start >= 0 else None) == key


_TEXTS = st.text("ab#:-'\" \n[]{},~1\u00e9\U0001f600", max_size=6)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | _TEXTS
    | st.sampled_from(["no", "1e3", "2025-03-30", "<<", "=", "long text " * 12]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=4),
    max_leaves=12,
)


def _dump(value: Any, flow: bool | None) -> str:
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = flow
    yaml.allow_unicode = True
    stream = StringIO()
    yaml.dump(value, stream)
    return stream.getvalue()


def _at(value: Any, pointer: str) -> Any:
    for token in pointer.split("/")[1:]:
        value = value[int(token)] if isinstance(value, list) else value[token]
    return value


def _pointers(value: Any, pointer: str = "") -> list[str]:
    items = (value.items() if isinstance(value, dict)
             else enumerate(value) if isinstance(value, list) else ())
    found = [pointer]
    for key, item in items:
        found += _pointers(item, f"{pointer}/{key}")
    return found


def _compare(text: str, document: Document) -> None:
    """Compare each position with the value that should be there."""
    assert sorted(document.nodes) == sorted(_pointers(document.value))
    for pointer, node in document.nodes.items():
        value = _at(document.value, pointer)
        assert node.container is isinstance(value, (list, dict))
        column = node.start - (text.rfind("\n", 0, node.start) + 1)
        assert load(" " * column + text[node.start : node.close]).value == value
        if not node.container:
            assert node.end == node.close
        if node.key_start >= 0:
            assert load(text[node.key_start : node.key_end]).value == pointer.rsplit("/", 1)[1]


def _composes(text: str) -> bool:
    """Return whether ruamel.yaml reads a document without an error of any kind."""
    try:
        YAML(typ="safe", pure=True).compose(text)
    except (YAMLError, AssertionError, ValueError, IndexError, AttributeError, TypeError):
        return False
    return True


@given(_VALUES, st.sampled_from([True, False, None]))
@settings(max_examples=100, deadline=None)
def test_every_position_has_its_value(value: Any, flow: bool | None) -> None:
    text = _dump(value, flow)
    # ruamel.yaml cannot read back all that it writes, nor `a: {a: :1}` without brackets around it
    assume(_composes(text) and ": :" not in text)
    document = load(text)
    assert document.value == value
    assert (document.comments, document.repeated) == ([], [])
    if not text.endswith("...\n"):
        _compare(text, document)


@given(_VALUES, st.sampled_from([None, 2]))
@settings(max_examples=100, deadline=None)
def test_json_is_yaml(value: Any, indent: int | None) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    document = load(text)
    assert document.value == value
    _compare(text, document)


# ------------------------------------------------------------------------------ any string at all


def _expected(node: Any) -> Any:
    """Turn what ruamel.yaml composes into plain data, with scalars by `resolve`."""
    kind = type(node).__name__
    if kind == "SequenceNode":
        return [_expected(item) for item in node.value]
    if kind == "MappingNode":
        assume(all(type(key).__name__ == "ScalarNode" for key, _ in node.value))
        return {key.value: _expected(item) for key, item in node.value}
    return None if node is None else node.value if node.style else resolve(node.value)


_YAML_TEXT = st.lists(st.sampled_from([
    "a", "b", "1", "~", ": ", ":", "- ", "-", "\n", "\n", "\n  ", " ", "[", "]", "{", "}", ", ",
    ",", "'", '"', "#", " # ", "? ", "|\n", ">-\n", "---\n", "...\n", "\t", "\\", "\\u0041",
    "%YAML 1.1\n", "\r", "\u0085", "\u2028", "\ufeff", "\x00", "\U0001f600", "\ud800", "no", "<<",
    "=",
]), max_size=14).map("".join)


@given(_YAML_TEXT)
@settings(max_examples=400, deadline=None)
def test_any_string_is_read_as_ruamel_composes_it_or_refused(text: str) -> None:
    refused: YamlError | None = None
    try:
        document = load(text)
    except YamlError as error:
        refused = error
    if refused is not None:
        assert 0 <= refused.at <= len(text)
        assert "scalar as a key" in str(refused) or not _composes(text)
        return
    node = YAML(typ="safe", pure=True).compose(text)
    expected = _expected(node)
    assert repr(document.value) == repr(expected)  # NaN is NaN
    for place in document.nodes.values():
        assert 0 <= place.start <= place.end <= len(text)
        assert place.start <= place.close <= len(text)
    assert all(text[at] == "#" for at in document.comments)
