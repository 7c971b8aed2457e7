"""`full`: the layout, on terminals of any width and on none, whatever the characters."""

from __future__ import annotations

import json
import os
import random
import re
from pathlib import Path

import pytest

from cachelint import check_page
from cachelint.model import Excerpt, Finding, Report, Severity
from cachelint.output.formats import PLAIN, Style
from cachelint.output.full import _cut, render, write
from cachelint.rules import ALL_RULES
from cachelint.text import display_width, escape_unsafe
from support import valid

GOLDEN = Path(__file__).parents[1] / "golden"

WIDE = {"variants": ["build_system=makefile", "name=漢字と仮名交じり文の長い値です", "+shared"]}
COMBINING = {"variants": ["build_system=makefile", "name=e\u0301o\u0308a\u030a\u0323 \u0e01\u0e34",
                          "+shared"]}
EMOJI = {"variants": ["build_system=makefile", "name=❤\ufe0f👍🏽🇪🇺👩\u200d💻 한글", "+shared"]}


def findings() -> list[Finding]:
    """Find what is wrong with pages of plain, wide, combining and joined characters."""
    found: list[Finding] = []

    def add(package: str, page: str) -> None:
        page = re.sub(r"(\\u[0-9a-f]{4})+", lambda match: json.loads(f'"{match[0]}"'), page)
        path = f"_cache/{valid.TAG}/{package}/specs.md"
        found.extend(check_page(page.replace('"zlib"', f'"{package}"').encode(), path))

    add("zlib", valid.page(valid.meta(num_specs=3)))
    add("lists", valid.page(valid.meta(versions=["1.2.13"])))
    for name, change in {"wide": WIDE, "combining": COMBINING, "emoji": EMOJI}.items():
        page = valid.page(None, valid.specs(0, hash="漢字" if name == "wide" else "0", **change))
        add(name, page.replace('"size": "-"', '"size": ["❤\ufe0f 漢字 e\u0301"]', 1))
    add("hostile", valid.page(None, valid.specs(0, hash="\u202e\u200b::error::##[漢")))
    add("long", valid.page(None, valid.specs(0, hash="a漢" * 60)))
    found.append(Finding("_data/meta.yaml", 1234567, 1, 1234567, 9, "CL607", "spec-count",
                         Severity.ERROR, "漢字" * 30 + " and " + "words " * 19 + "words", "", True,
                         (Excerpt(1234567, 0, "    count: 漢字", 11, 13,
                                  "what it counts " * 3 + "here"),)))
    return found


@pytest.mark.parametrize("width", [None, 100, 80, 60, 40, 20])
def test_golden(width: int | None) -> None:
    out = "".join(write(Report(tuple(findings()), 7), Style(width=width)))
    path = GOLDEN / f"full-{width or 'pipe'}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_bytes(out.encode())
    assert out == path.read_bytes().decode()


@pytest.mark.parametrize("width", [None, 80, 60, 40])
def test_evidence_fits(width: int | None) -> None:
    for finding in findings():
        _, place, *evidence = render(finding, Style(width=width)).splitlines()
        while not place.startswith("  --> "):  # the claim takes several lines
            place, *evidence = evidence
        for line in evidence:
            if width or "help:" not in line:
                assert display_width(line) <= (width or 80), line


@pytest.mark.parametrize("width", [80, 60, 40])
def test_claims_wrap_only_on_terminals(width: int) -> None:
    for finding in findings():
        whole = render(finding).splitlines()[0]
        claim, _, _ = render(finding, Style(width=width)).partition("\n  --> ")
        lines = claim.split("\n")
        assert " ".join([lines[0], *(line.removeprefix("    ") for line in lines[1:])]) == whole
        for line in lines:
            assert display_width(line) <= width or " " not in line.strip()
        assert all(line.startswith("    ") for line in lines[1:])


def test_colours_change_nothing_but_colours() -> None:
    for width in (None, 80, 40):
        for finding in findings():
            coloured = render(finding, Style(colour=True, width=width))
            assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render(finding, Style(width=width))
            for line in coloured.splitlines():
                assert line.count("\x1b[0m") * 2 == line.count("\x1b[")


def test_the_code_is_a_hyperlink_where_the_terminal_shows_them() -> None:
    for width in (None, 80, 20):
        for finding in findings():
            style = Style(colour=True, width=width)
            linked = render(finding, style._replace(links=True))
            url = f"https://spack.github.io/cachelint/rules/#{finding.code.lower()}"
            assert linked.count(f"\x1b]8;;{url}\x1b\\{finding.code}\x1b]8;;\x1b\\") == 1
            assert re.sub(r"\x1b]8;;.*?\x1b\\", "", linked) == render(finding, style)


def at_columns(text: str, start: int, width: int) -> str:
    """Return some columns of a line."""
    return "".join(each for index, each in enumerate(text)
                   if start <= display_width(text[:index + 1]) - (display_width(each) > 0)
                   and display_width(text[:index]) < start + width
                   and display_width(text[:index]) >= start)


def test_marks_are_below_what_they_mark() -> None:
    chosen = random.Random(1)
    alphabet = ["a", "b", " ", "漢", "한", "é", "e\u0301", "\u200b", "\x1b", "👍", "❤\ufe0f", "##["]
    for _ in range(2_000):
        units = chosen.choices(alphabet, k=chosen.randint(0, 40))
        text = "".join(units)
        first = chosen.randint(0, len(units))
        last = chosen.randint(first, len(units))
        start, end = len("".join(units[:first])), len("".join(units[:last]))
        room = chosen.randint(8, 80)
        shown, indent, marked = _cut(Excerpt(1, 0, text, start, end), room)
        assert display_width(shown) <= room, (text, room)
        assert marked >= 1
        assert shown.isprintable() or not text.isprintable() or "\ufe0f" in text
        inside = escape_unsafe(text)[len(escape_unsafe(text[:start])):] if "##[" not in text else ""
        if inside and end > start:
            # what is in the marked columns is the beginning of what is marked
            before = next(n for n in range(len(shown) + 1) if display_width(shown[:n]) == indent)
            assert shown[before:].lstrip("\u0301\ufe0f").startswith(
                inside[0].lstrip("\u0301\ufe0f")), (text, shown)
        if display_width(escape_unsafe(text)) <= room:
            assert shown == escape_unsafe(text)
            assert indent == display_width(escape_unsafe(text[:start]))
            assert marked == max(1, display_width(escape_unsafe(text[start:end])))


@pytest.mark.parametrize(("excerpt", "room", "expected"), [
    (Excerpt(1, 0, "abc", 1, 2), 8, ("abc", 1, 1)),
    (Excerpt(1, 0, "", 0, 0), 8, ("", 0, 1)),
    (Excerpt(1, 0, "---", 3, 3), 8, ("---", 3, 1)),
    (Excerpt(1, 0, "漢字仮名", 1, 3), 8, ("漢字仮名", 2, 4)),
    (Excerpt(1, 0, "漢字仮名", 2, 3), 7, ("…字仮名", 3, 2)),
    (Excerpt(1, 0, "e\u0301e\u0301x", 4, 5), 8, ("e\u0301e\u0301x", 2, 1)),
    (Excerpt(1, 0, "e\u0301x", 1, 2), 8, ("e\u0301x", 0, 1)),  # the mark is part of what is before
    (Excerpt(1, 0, "a\u200bb", 1, 2), 20, ("a\\u200bb", 1, 6)),
    (Excerpt(1, 0, "x##[y", 1, 4), 20, ("x#\\x23[y", 1, 6)),
    (Excerpt(1, 0, "abcdefghijklmnop", 8, 9), 8, ("…fghijk…", 4, 1)),
    (Excerpt(1, 0, "abcdefghijklmnop", 0, 16), 8, ("abcdefg…", 0, 7)),
    (Excerpt(1, 0, "…bcdefghijklmno…", 2, 4), 8, ("…bcdefg…", 2, 2)),
])
def test_cutting(excerpt: Excerpt, room: int, expected: tuple[str, int, int]) -> None:
    assert _cut(excerpt, room) == expected


def test_help_is_shown_once_for_a_rule() -> None:
    page = valid.page(None, [*valid.specs(0, hash="0")[:1], *valid.specs(1, hash="1")[1:]])
    found = [f for f in check_page(page.encode(), "specs.md") if f.code == "CL401"]
    assert len(found) == 2
    out = "".join(write(Report(tuple(found), 1), PLAIN))
    assert out.count("= help: Only the binary cache has the right hash.\n") == 1


def test_help_is_that_of_the_rule() -> None:
    for rule in ALL_RULES:
        finding = Finding("a", 1, 1, 1, 1, rule.code, rule.name, rule.severity, "x", "", False)
        note = re.findall(r"^ +\| .*|^ += help: (.*)$", render(finding), re.MULTILINE)
        assert note == ([rule.advice] if rule.advice else [])


# name: (content, code, what each excerpt marks, labels)
FAULTS: dict[str, tuple[bytes, str, list[str], list[str]]] = {
    "a byte far into a line": (
        valid.PAGE.replace("1.2.13", "X").encode().replace(b'"X"]}]', b'"\xff"]}]'), "CL101",
        ["\ufffd"], [""]),
    "the key in the wrong position": (
        valid.assemble([valid.lines()["layout"], *(
            line for key, line in valid.lines().items() if key != "layout")]).encode(),
        "CL501", ["---", "layout"], ["", 'expected "title"']),
    "a comment": (valid.PAGE.replace("layout: cache", "layout: cache # why").encode(), "CL504",
                  ["---", "# why"], ["", ""]),
    "a blank line": (valid.PAGE.replace("layout", "\nlayout").encode(), "CL504", ["---", ""],
                     ["", ""]),
    "where a value begins to differ": (
        valid.PAGE.replace('"oss": ', '"oss":').encode(), "CL504", ["meta", "["],
        ["", 'expected  ["ubuntu22.04"], "p…']),
    "the end of a long line": (valid.PAGE.replace(']}\n', ']}\r\n').encode(), "CL103", [""], [""]),
}


@pytest.mark.parametrize(("content", "code", "marked", "labels"), FAULTS.values(), ids=FAULTS)
def test_excerpts_show_the_fault(
    content: bytes, code: str, marked: list[str], labels: list[str]
) -> None:
    [finding] = [each for each in check_page(content, "specs.md") if each.code == code]
    assert [each.text[each.start : each.end] for each in finding.excerpts] == marked
    assert all(each.end <= len(each.text) for each in finding.excerpts)
    assert [each.label for each in finding.excerpts] == labels
