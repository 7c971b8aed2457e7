"""Text made fit to be shown."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cachelint import text
from cachelint.text import (
    changed_lines,
    clip,
    clusters,
    display_width,
    edit_distance,
    encodable,
    escape_unsafe,
)
from support.effort import count_steps


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("zlib 1.3 \u00e9 \u4e2d \U0001f600", "zlib 1.3 \u00e9 \u4e2d \U0001f600"),
        ("a\tb\nc\rd", "a\\tb\\nc\\rd"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("\x00\x7f\x85\x9b", "\\x00\\x7f\\x85\\x9b"),
        ("a\u202eb\u2066c\u200d", "a\\u202eb\\u2066c\\u200d"),
        ("\u2028\u2029\ufeff\u00ad", "\\u2028\\u2029\\ufeff\\xad"),
        ("\U000e0041", "\\U000e0041"),
        ("\ud83d", "\\ud83d"),
        ("name\udcff", "name\\xff"),
        ("\ufffe\uffff\ufffd", "\\ufffe\\uffff\ufffd"),
        ("##[error]x ##[", "#\\x23[error]x #\\x23["),
        ("##vso[a]##VSO[ ##teamcity[b ###[c", "#\\x23vso[a]#\\x23VSO[ #\\x23teamcity[b ##\\x23[c"),
        ("## a [b] #[ ##a-b[", "## a [b] #[ ##a-b["),
        ("a\u180eb", "a\\u180eb"),
    ],
    ids=["empty", "plain", "blanks", "terminal", "control", "turning", "hidden", "tag character",
         "surrogate", "byte of a name", "no character", "command",
         "commands of other services", "no command", "vowel separator"],
)
def test_inert(text: str, shown: str) -> None:
    assert escape_unsafe(text) == shown
    assert escape_unsafe(shown) == shown


def test_inert_text_can_neither_control_nor_turn_nor_end_a_line() -> None:
    left = [
        f"{ord(character):04x}" for character in escape_unsafe("".join(map(chr, range(0x110000))))
        if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(character) in (
            "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    ]
    assert left == []


@pytest.mark.parametrize(
    ("text", "written"),
    [("a\x1b\u202e", "a\x1b\u202e"), ("\ud83d", "\\ud83d"), ("\udcff", "\\xff")],
)
def test_encodable(text: str, written: str) -> None:
    assert encodable(text) == written
    written.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [("abc", 3, "abc"), ("abcd", 3, "ab\u2026"), ("", 3, ""), ("abc", 1, "\u2026")],
)
def test_clip(text: str, width: int, expected: str) -> None:
    assert clip(text, width) == expected


def test_what_a_runner_takes_for_a_command_is_broken_up() -> None:
    assert escape_unsafe("a ##[error]b") == "a #\\x23[error]b"
    assert escape_unsafe("###[x] ## [y]") == "##\\x23[x] ## [y]"


# ------------------------------------------------------------------------------- columns


@pytest.mark.parametrize(("text", "width"), [
    ("", 0), ("abc", 3), ("é", 1), ("e\u0301", 1), ("a\u030a\u0323", 1), ("漢字", 4), ("ｱ", 1),
    ("\uff21", 2), ("한", 2), ("\u1112\u1161\u11ab", 2), ("กิ", 1), ("नि", 2), ("👍", 2), ("❤", 1),
    ("❤\ufe0f", 2), ("1\ufe0f\u20e3", 2), ("\u2139\ufe0f", 2), ("a\ufe0f", 1), ("🇪🇺", 2),
    ("…", 1), ("\u0301", 0), ("\u0301a", 1), ("ƒ漢a", 4), ("―", 1), ("\u3000", 2),
])
def test_columns(text: str, width: int) -> None:
    assert display_width(text) == width


@pytest.mark.parametrize(("text", "parts"), [
    ("", []), ("ab", ["a", "b"]), ("e\u0301a", ["e\u0301", "a"]), ("\u0301a", ["\u0301", "a"]),
    ("a\u200bb", ["a", "\u200b", "b"]), ("❤\ufe0f❤", ["❤\ufe0f", "❤"]),
])
def test_clusters(text: str, parts: list[str]) -> None:
    assert list(clusters(text)) == parts


def plain_distance(left: str, right: str) -> int:
    """Count edits in the way that is defined, without any short cut."""
    rows: list[list[int]] = []
    for i in range(len(left) + 1):
        rows.append([])
        for j in range(len(right) + 1):
            costs = [max(i, j)] if not (i and j) else [
                rows[i - 1][j] + 1, rows[i][j - 1] + 1,
                rows[i - 1][j - 1] + (left[i - 1] != right[j - 1])]
            if i > 1 and j > 1 and left[i - 2 : i] == right[j - 2 : j][::-1]:
                costs.append(rows[i - 2][j - 2] + 1)
            rows[i].append(min(costs))
    return rows[-1][-1]


@given(st.text("abc", max_size=8), st.text("abc", max_size=8), st.integers(0, 4))
def test_edit_distance(left: str, right: str, most: int) -> None:
    assert edit_distance(left, right, most) == min(plain_distance(left, right), most + 1)


def test_effort_to_compare_names_grows_with_their_length() -> None:
    few, many = (count_steps(lambda size=size: edit_distance(  # type: ignore[misc]
        "x" + "ab" * size, "y" + "ab" * size, 2)) for size in (50, 100))
    assert many < 2.2 * few


@given(st.lists(st.sampled_from("ab"), max_size=9), st.lists(st.sampled_from("ab"), max_size=9),
       st.sampled_from([0, 500]))
def test_changed_lines(old: list[str], new: list[str], most: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "_MOST_LINES", most)
        changes = list(changed_lines(old, new))
    result, at = [], 0
    for first, last, new_first, new_last in changes:
        assert at <= first <= last
        assert (first, new_first) != (last, new_last)
        result += [*old[at:first], *new[new_first:new_last]]
        at = last
    assert result + old[at:] == new


@pytest.mark.parametrize("insert", [0, 1])
def test_effort_to_compare_lines_grows_with_their_number(insert: int) -> None:
    def compare(number: int) -> int:
        old = ["a", *"xy" * number, "b"]
        new = ["c", *"yx" * number, *"z" * insert, "d"]
        return count_steps(lambda: list(changed_lines(old, new)))

    assert compare(8000) < 10 * compare(1000)
