"""Strict JSON, and the positions of its values."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cachelint.document import strict_json
from cachelint.document.strict_json import DuplicateKeyError, Locator, TooDeepError

SCALARS = (st.none() | st.booleans() | st.integers() | st.text(max_size=8)
           | st.floats(allow_nan=False, allow_infinity=False))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-0", 0),
        ("1.0", 1.0),
        ("1e3", 1000.0),
        (str(2**64), 2**64),
        (' [1,\t2 ,"a"] ', [1, 2, "a"]),
        ('{"a": {}, "b": null}', {"a": {}, "b": None}),
        ('"\\ud83d\\ude00\\/\\u00e9"', "\U0001f600/\u00e9"),
        ('"\\ud83d"', "\ud83d"),
        ('"\x7f\x85\u2028"', "\x7f\x85\u2028"),
    ],
)
def test_reads(text: str, value: Any) -> None:
    result = strict_json.loads(text)
    assert result == value
    assert type(result) is type(value)


def _refusal(text: str) -> str:
    """Return why a string is rejected."""
    try:
        strict_json.loads(text)
    except DuplicateKeyError:
        return "a key twice"
    except TooDeepError:
        return "too deep"
    except ValueError:
        return "no JSON"
    return "not refused"


@pytest.mark.parametrize("text", [
    "", " ", "NaN", "[Infinity]", "-Infinity", "nan", "'a'", "{a: 1}", "[1,]", "[1] 2", "010",
    "1_0", "+1", ".5", "1.", "0x1", "\u0661", '"\n"', '"a\tb"', '"\\x41"', "True", '{"a" 1}',
    "\ufeff1", "[1]\x00", "\u00a01", "[1\x0b]",
])
def test_rejects_what_is_not_json(text: str) -> None:
    assert _refusal(text) == "no JSON"


@pytest.mark.parametrize("text", [
    '{"a": 1, "a": 1}', '{"a": 1, "\\u0061": 2}', '[{"b": {"a": 1, "c": 2, "a": 3}}]',
    '{"": 1, "": 1}',
])
def test_rejects_a_duplicate_key(text: str) -> None:
    assert _refusal(text) == "a key twice"


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")], ids=["list", "map"])
def test_depth(opening: str, closing: str) -> None:
    def nested(levels: int) -> str:
        return opening * levels + "1" + closing * levels

    assert json.loads(nested(99)) == strict_json.loads(nested(99))
    assert {_refusal(nested(levels)) for levels in (105, 5_000, 100_000)} == {"too deep"}
    repeated = {_refusal(f'{{"a": {{"b": 1, "b": 1}}, "c": {nested(levels)}}}')
                for levels in (98, 105, 5_000, 100_000)}
    assert repeated == {"a key twice", "too deep"}


def test_wide_is_not_deep() -> None:
    assert len(strict_json.loads("[" + "[[]]," * 10_000 + "1]")) == 10_001


def test_number_of_more_digits_than_python_reads_is_a_number() -> None:
    digits = "9" * (sys.get_int_max_str_digits() + 1)
    assert strict_json.loads(f'{{"a": {digits}}}') == {"a": float("inf")}
    assert _refusal(f'{{"a": {digits}, "a": 1}}') == "a key twice"


@given(VALUES)
@settings(max_examples=60, deadline=None)
def test_agrees_with_the_standard_library(value: Any) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)):
        assert strict_json.loads(text) == json.loads(text)
    assert strict_json.dumps(value) == json.dumps(value)
    assert strict_json.dumps(value, sort_keys=True) == json.dumps(value, sort_keys=True)


# ------------------------------------------------------------------------------ pointers


@pytest.mark.parametrize(
    ("key", "token"),
    [("a", "a"), ("", ""), ("a/b", "a~1b"), ("a~b", "a~0b"), ("~1", "~01"), ("~/", "~0~1")],
)
def test_tokens_of_pointers(key: str, token: str) -> None:
    assert strict_json.escape_token(key) == token
    assert strict_json.unescape_token(token) == key


# ------------------------------------------------------------------------------ positions


TEXT = '-- { "a" : [1, "x", {}] ,"b":{"c/d": "\\u0061", "":[ ]}, "e": -1.5e3 } tail'


@pytest.mark.parametrize(
    ("tokens", "key", "value"),
    [
        (["a"], '"a"', '[1, "x", {}]'),
        (["a", "0"], "", "1"),
        (["a", "1"], "", '"x"'),
        (["a", "2"], "", "{}"),
        (["b"], '"b"', '{"c/d": "\\u0061", "":[ ]}'),
        (["b", "c/d"], '"c/d"', '"\\u0061"'),
        (["b", ""], '""', "[ ]"),
        (["e"], '"e"', "-1.5e3"),
        (["f"], None, None),
        (["a", "3"], None, None),
        (["a", "x"], None, None),
        (["e", "0"], None, None),
        (["b", "", "0"], None, None),
        ([], None, None),
    ],
    ids=str,
)
def test_locator(tokens: list[str], key: str | None, value: str | None) -> None:
    locator = Locator(TEXT, 3)
    for _ in range(2):  # the second time from its memory
        found = locator.find(tokens)
        if value is None:
            assert found is None
        else:
            assert found is not None
            assert TEXT[found.start : found.end] == value
            assert (found.key_start >= 0) is bool(key)
            assert not key or TEXT[found.key_start : found.key_end] == key


@pytest.mark.parametrize("text", ["1", '"[a]"', "null", "[]", "{ }", "[\n]"])
def test_members_of_what_has_none(text: str) -> None:
    assert list(strict_json.members(text, 0)) == []


SEPARATORS = [(", ", ": "), (",", ":"), (" ,\t", " :  "), (",\n", "\t:\r\n"), (",  ", ":\t")]


@given(VALUES, st.sampled_from([None, 1]), st.sampled_from(SEPARATORS), st.booleans())
@settings(max_examples=200, deadline=None)
@example({"a": 1, "b": [2]}, None, (", ", ":  "), True)
def test_members_cover_the_source_of_the_values(
    value: Any, indent: int | None, separators: tuple[str, str], escape: bool
) -> None:
    text = json.dumps(value, indent=indent, separators=separators, ensure_ascii=escape)
    rows = list(strict_json.members(text, 0))
    found = [json.loads(text[row.start : row.end]) for row in rows]
    if isinstance(value, list):
        assert found == value
        assert [row.key for row in rows] == [str(number) for number in range(len(value))]
    elif not isinstance(value, dict):
        assert found == []
    else:
        assert found == list(value.values())
        assert [row.key for row in rows] == list(value)
        assert [json.loads(text[row.key_start : row.key_end]) for row in rows] == list(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1, "b": 2}', []),
        ('{"a": 1, "a": 2}', [("/x/a", 9)]),
        ('{"a": 1, "\\u0061": 2, "a": 3}', [("/x/a", 9), ("/x/a", 22)]),
        ('[{"a": 1}, {"a": 1, "b/": {"c": 1, "c": 2}}]', [("/x/1/b~1/c", 35)]),
        ('{"a": {"b": 1, "b": 2}, "a": {"b": 1, "b": 2}}',
         [("/x/a/b", 15), ("/x/a", 24), ("/x/a/b", 38)]),
        ('{"k": ' * 14 + '{"a": 1, "a": 2}' + "}" * 14, [("/x" + "/k" * 14 + "/a", 93)]),
        # each level is read for each one above it
        ('{"k": ' * 50 + '{"a": 1, "a": 2}' + "}" * 50, [("/x" + "/k" * 15, 85)]),
        ("[" * 50 + '{"a": 1, "a": 2}' + "]" * 50, [("/x" + "/0" * 15, 15)]),
    ],
)
def test_repeated_keys(text: str, expected: list[tuple[str, int]]) -> None:
    found = strict_json.repeated_keys(text, 0, ["x"])
    assert [(pointer, key_start) for pointer, key_start, _ in found] == expected
