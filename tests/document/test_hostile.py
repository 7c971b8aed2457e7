"""Hostile pages: what a page may contain costs time and memory in proportion to its size."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable

import pytest

from cachelint import check_page, fix_page
from cachelint.document import catalog_files, strict_json
from cachelint.document.page import Page
from cachelint.document.parser import parse_page
from cachelint.document.yaml import load
from support import valid
from support.effort import count_steps

PATH = f"_cache/{valid.TAG}/{valid.PACKAGE}/specs.md"
LINES = valid.lines()


def _with_line(key: str, line: str) -> str:
    return valid.PAGE.replace(LINES[key], line)


def _with_meta(members: str) -> str:
    return valid.PAGE.replace("meta: {", f"meta: {{{members}, ")


def _with_specs(number: int, **changes: object) -> str:
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    specs = [{**valid.specs()[0],
              "hash": "".join(letters[n >> 5 * place & 31] for place in range(4)).ljust(32, "a"),
              **changes} for n in range(number)]
    return _with_line("spec_details", f"spec_details: {json.dumps(specs)}")


# name: a page whose size grows with a number
GROWING: dict[str, Callable[[int], str]] = {
    "unknown keys on lines of their own": lambda n: _with_line(
        "title", LINES["title"] + "".join(f'\nk{i}: "a"' for i in range(n))),
    "unknown keys in block form": lambda n: _with_line(
        "title", LINES["title"] + "".join(f"\n? k{i}\n: 1 # c" for i in range(n))),
    "unknown keys of meta": lambda n: _with_meta(", ".join(f'"k{i}": 1' for i in range(n))),
    "counts that are strings": lambda n: valid.PAGE.replace(
        '_by_stack": {', '_by_stack": {' + "".join(f'"k{i}": "x", ' for i in range(n))),
    "specs of a wrong type": lambda n: _with_specs(n, os=1),
    "specs with invalid hashes": lambda n: _with_specs(n, hash="A"),
    "specs with one hash": lambda n: _with_specs(n, hash=valid.FIRST),
    "duplicate keys on lines of their own": lambda n: _with_line(
        "title", LINES["title"] + '\na: "1"' * n),
    "strings that are not JSON": lambda n: _with_line(
        "title", LINES["title"] + "".join(f'\nk{i}: [1 "a"]' for i in range(n))),
    "variants of one spec": lambda n: valid.PAGE.replace(
        '"+shared"', ", ".join(f'"+s{i}"' for i in range(n))),
    "versions of one spec": lambda n: valid.PAGE.replace(
        '["1.3.1"]', json.dumps([f"1.{i}" for i in range(n)])),
    "counts of stacks that no spec has": lambda n: valid.PAGE.replace(
        '_by_stack": {', '_by_stack": {' + "".join(f'"k{i}": 1, ' for i in range(n))),
    "stacks of two types": lambda n: valid.PAGE.replace(
        '"stacks": ["root"], "target"',
        f'"stacks": [{", ".join(f"{i}, {json.dumps(str(i))}" for i in range(n))}], "target"'),
    "stacks that Jekyll cannot load": lambda n: valid.PAGE.replace(
        '"stacks": ["root"], "target"',
        '"stacks": [' + ", ".join(f'"\\ud83d\\ude00{i}"' for i in range(n)) + '], "target"'),
    "stacks of one spec": lambda n: valid.PAGE.replace(
        '"stacks": ["e4s", "root"]', f'"stacks": {json.dumps([f"s{i}" for i in range(n)])}'),
    "stacks of one spec, in the other order": lambda n: valid.PAGE.replace(
        '"stacks": ["e4s", "root"]', f'"stacks": {json.dumps([f"s{i}" for i in range(n, 0, -1)])}'),
    "variants with unsafe characters": lambda n: valid.PAGE.replace(
        '"+shared"', ", ".join(f'"a=<{i}"' for i in range(n))),
    "variants that are invalid": lambda n: valid.PAGE.replace(
        '"+shared"', ", ".join(f'"a{i}"' for i in range(n))),
    "separators in a string and in comments": lambda n: valid.page(
        valid.meta(stacks=["a\u2028" * n]), meta_line=f"# {chr(0x2028) * n}\nmeta: "
        + json.dumps(valid.meta(stacks=["a\u2028" * n]), ensure_ascii=False)),
    "sizes that differ": lambda n: _with_specs(n, size=n),
    "one key again and again": lambda n: _with_meta(", ".join(['"a": 1'] * n)),
    "comments": lambda n: _with_line("title", "# c\n" * n + LINES["title"]),
    "a list in block form": lambda n: _with_line("title", LINES["title"] + "\nx:" + "\n- a" * n),
    "meta in block form": lambda n: "\n".join([
        "---", LINES["title"], "layout: cache", LINES["categories"], "meta:", "  num_specs: 3",
        "  stacks:", *(f"  - s{i}" for i in range(n)),
        f"spec_details: {json.dumps(valid.tarball_specs())}", "---"]),
}


@pytest.mark.parametrize("name", GROWING)
def test_effort_grows_with_the_size(name: str) -> None:
    small, large = (GROWING[name](number).encode() for number in (60, 480))
    check_page(large, PATH)  # what is read and compiled once

    def check_and_fix(raw: bytes) -> None:
        check_page(raw, PATH)
        fix_page(raw, PATH)

    few = count_steps(lambda: check_and_fix(small))
    assert count_steps(lambda: check_and_fix(large)) < 12 * few


@pytest.mark.parametrize("name", GROWING)
def test_findings_of_a_page_are_capped(name: str) -> None:
    findings = check_page(GROWING[name](1200).encode(), PATH)
    assert len(findings) <= 1001
    if len(findings) == 1001:
        (rest,) = [each for each in findings if "more finding" in each.message]
        assert (rest.code, rest.pointer) == ("CL110", "")


@pytest.mark.parametrize(("number", "rest"), [
    (1501, "500 more findings"), (40_000, "at least 1,000 more findings")])
def test_rest_of_the_findings_is_counted(number: int, rest: str) -> None:
    findings = check_page(GROWING["one key again and again"](number).encode(), PATH)
    assert [each.message for each in findings if each.code == "CL110"] == [
        f"{rest} on this page: only 1,000 are reported"]


@pytest.mark.parametrize("name", ["specs with invalid hashes", "one key again and again"])
def test_findings_over_the_cap_take_no_time(name: str) -> None:
    few, many = (GROWING[name](number).encode() for number in (2500, 5000))
    check_page(few, PATH)
    # what is left is reading: a few steps for each value
    assert (count_steps(lambda: check_page(many, PATH))
            < 1.4 * count_steps(lambda: check_page(few, PATH)))


def test_stacks_in_one_message_are_capped() -> None:
    findings = check_page(GROWING["counts of stacks that no spec has"](50_000).encode(), PATH)
    (message,) = [each.message for each in findings if each.code == "CL302"]
    assert message.endswith("but no spec is in it and 49,900 more")
    assert len(message) < 5000


# name: a page, for which a pattern or a loop took minutes, and the codes of what is reported
SLOW: dict[str, tuple[str, set[str]]] = {
    "digits and underscores": (_with_line("title", f"title: {'1_' * 100_000}!"),
                               {"CL204", "CL504"}),
    "hours and minutes": (_with_line("title", f"title: {'1:' * 100_000}x"), {"CL204", "CL504"}),
    "brackets in a string": (_with_line("title", f"title: 'x{('[' * 990 + ']') * 300}'"),
                             {"CL204", "CL504"}),
    "brackets": (_with_line("title", f"title: {'[' * 200_000}"), {"CL110"}),
    "quotes in a variant": (valid.PAGE.replace('"+shared"', '"a=' + "'" * 200_001 + '"'),
                            {"CL506"}),
    "escaped quotes in a variant": (
        valid.PAGE.replace('"+shared"', json.dumps('a="' + '\\"' * 200_000)), {"CL506"}),
    "quotes": (valid.PAGE.replace('"+shared"', '"a=' + "' '" * 500_000 + '"'), {"CL110"}),
    "escapes": (valid.PAGE.replace('"+shared"', '"a=' + '\\"x \\"' * 500_000 + '"'), {"CL110"}),
    "lines": (_with_line("title", LINES["title"] + '\na: "1"' * 200_000), {"CL110"}),
    "blank lines": (valid.PAGE + "\n" * 5_000_000, {"CL110"}),
    "ends of lines": (valid.PAGE + "\r" * 5_000_000, {"CL110"}),
    "words in a list": (
        _with_line("categories", f"categories: [{', '.join(['a'] * 400_000)}]"), {"CL110"}),
    "keys and values in block form": (
        _with_line("title", LINES["title"] + "".join(f"\nk{i}:" for i in range(30_000))),
        {"CL110"}),
    "containers in containers": (
        _with_line("title", f"{LINES['title']}\nx: [{('[' * 90 + ']' * 90 + ',') * 500}]"),
        {"CL110"}),
    "lists without items": (_with_line("title", f"{LINES['title']}\nx: [{'[],' * 150_000}]"),
                            {"CL110"}),
    "specs without members": (
        valid.PAGE.replace("spec_details: [", "spec_details: [" + "{}, " * 1_000_000), {"CL110"}),
    "lists in lists": (
        valid.PAGE.replace(
            "spec_details: [", "spec_details: [" + ("[" * 90 + "]" * 90 + ", ") * 12_000),
        {"CL110"}),
    "values below a long key": (
        _with_line("title", f"title: x\n? {'k' * 250_000}\n: [{'1, ' * 60_000}]"), {"CL110"}),
    "keys below a long key": (
        _with_meta('"' + "k" * 2_000_000 + '": {' + ", ".join(['"": 1'] * 9000) + "}"),
        {"CL107"}),
}


@pytest.mark.parametrize("name", SLOW)
def test_page_that_took_minutes(name: str) -> None:
    text, codes = SLOW[name]
    assert {finding.code for finding in check_page(text.encode(), PATH)} == codes


def test_long_names_are_cut_in_messages() -> None:
    for old in ('"compiler": "gcc@11.4.0"', '"os": "ubuntu22.04"', '"1.3.1"', '"root"'):
        raw = valid.PAGE.replace(old, f'{old[:-1]}{"x" * 100_000}"', 1).encode()
        for finding in check_page(raw, PATH):
            assert len(finding.message) < 1000
            assert len(finding.help) < 1000


def test_memory_of_a_long_valid_variant_is_given_back() -> None:
    raw = valid.PAGE.replace('"+shared"', f'"a={"x" * 2_000_000}"').encode()
    check_page(raw, PATH)
    tracemalloc.start()
    try:
        check_page(raw, PATH)
        left, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10 * len(raw)
    assert left < len(raw) / 2


def test_memory_of_repeated_keys_does_not_grow_with_their_depth() -> None:
    def measure(depth: int) -> int:
        inner = '{"a": 1, "a": [' + ", ".join(['{"a": 1, "a": 1}'] * 5000) + "]}"
        raw = _with_meta('"k": ' + '{"k": ' * depth + inner + "}" * depth).encode()
        tracemalloc.start()
        try:
            assert "CL107" in {finding.code for finding in check_page(raw, PATH)}
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert measure(80) < 1.5 * measure(1)


def test_quotes_in_the_counts_of_a_catalog() -> None:
    text = "all:\n  count: 1\n" + "'" * 80_000
    assert catalog_files.meta_by_line(text) is None
    assert catalog_files.tags_by_line(f"- name: a\n  stacks:\n{'  - ' * 40_000}") is None


def test_items_are_located_without_reading_the_list_again() -> None:
    text = json.dumps({"a": [["x"] * 50] * 400})
    locator = strict_json.Locator(text, 0)
    first = count_steps(lambda: locator.find(["a", "399", "7"]))
    again = count_steps(lambda: locator.find(["a", "399", "8"]))
    assert again < first / 10


def test_entries_are_located_without_a_search() -> None:
    page: Page = parse_page(GROWING["unknown keys on lines of their own"](2000).encode())
    page.locate("/k1")
    assert count_steps(lambda: page.locate("/k1999")) == count_steps(lambda: page.locate("/k2"))


def test_keys_without_quotes_have_no_limit_of_their_own() -> None:
    assert load(f"? {'k' * 5000}\n: 1\n").value == {"k" * 5000: 1}
