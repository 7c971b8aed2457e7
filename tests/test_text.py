"""Text made fit to be shown."""

from __future__ import annotations

import unicodedata

import pytest

from cachelint.text import clip, clusters, display_width, encodable, escape_unsafe


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
