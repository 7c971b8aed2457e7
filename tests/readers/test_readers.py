"""What passes `check` is read alike by seven readers of YAML."""

from __future__ import annotations

import os
import random
import re
from typing import Any

import pytest

from cachelint import check_page
from cachelint.document.parser import parse_page
from cachelint.model import PageFormat, Severity
from cachelint.rules.cl7_site import loader_dependent
from support import readers, spellings, valid

NUMBER = int(os.environ.get("CACHELINT_READERS_PAGES", "2000"))
"""How many pages are made; about one in five passes. Set it to 100,000 for a run of an hour."""
FIRST = int(os.environ.get("CACHELINT_READERS_FIRST", "0"))
BATCH = 5000

pytestmark = pytest.mark.skipif(
    bool(readers.missing()) and os.environ.get("CI") != "true",
    reason=f"needs {', '.join(readers.missing())}")


def _passing(numbers: range) -> list[tuple[int, str]]:
    """Make pages, and keep those without a finding of level error."""
    kept = []
    for number in numbers:
        text, tag = spellings.make_page(number)
        try:
            raw = text.encode()
        except UnicodeEncodeError:
            continue
        is_name = tag and not set("/\0") & set(tag)
        # a tag with a question mark has a finding of the tag as a whole (CL702)
        if "?" not in tag and not any(
                finding.severity is Severity.ERROR for finding in check_page(
                    raw, f"_cache/{tag}/{spellings.PACKAGE}/specs.md" if is_name else "")):
            kept.append((number, text))
    return kept


def test_pages_that_pass_are_read_alike() -> None:
    readers.install()
    for start in range(FIRST, FIRST + NUMBER, BATCH):
        kept = _passing(range(start, min(start + BATCH, FIRST + NUMBER)))
        assert len(kept) > 10
        for (number, text), by_reader in zip(
                kept, readers.read_all([text for _, text in kept]), strict=True):
            expected = readers.data_of(readers.describe(parse_page(text.encode()).data))
            for name, described in by_reader.items():
                assert readers.data_of(described) == expected, (number, name, text)


def _assert_read_alike(text: str, by_reader: dict[str, list[Any]]) -> None:
    assert {repr(readers.data_of(described)) for described in by_reader.values()} == {
        repr(readers.data_of(by_reader["ruamel.yaml"]))}, text


PARTS = ["0", "1", "9", "00", "12", "2025", "03", "60", "f", "-", "_", ".", ",", ":", "+", "e", "x",
         "o", "b", "T", "Z", " ", "true", "null", "yes", "off", "y", "inf", ".nan", "~", "=", "<<",
         "0x", "0o", "0b", "23:59:59", "/", "?", "é"]
"""Of plain scalars that look like something else."""


def test_plain_scalars_are_read_alike_or_reported() -> None:
    readers.install()
    choose = random.Random(FIRST)
    kept = []
    for _ in range(NUMBER * 2):
        word = "".join(choose.choices(PARTS, k=choose.randint(1, 6)))
        word = "".join(choose.choice([each, each, each.upper()]) for each in word)
        text = choose.choice(["x: {}", "x:\n  {}: x", "x: [{}]", "- {}"]).format(word)
        page = parse_page(f"---\n{text}\n---".encode())
        is_string = f"'{word.strip()}'" in repr(page.data)
        if not page.errors and not page.dependent and is_string:
            kept.append(f"---\n{text}\n---")
    assert len(kept) > NUMBER / 2
    for text, by_reader in zip(kept, readers.read_all(kept), strict=True):
        _assert_read_alike(text, by_reader)


TOKENS = ["a", "'b'", '"c"', "[d]", "{e: f}", "g: h", "- i", "? j", ": k", "|-", ">1-", "&l ", "#m",
          "# n", ",", "[", "]", "{", "}", ":", "-", "?", " ", "\t", "\n", "\n ", "\n  ", "\n    ",
          "\n- ", "\n  o: ", "\n#p\n", "\n\n", "''", "--- ", "\n\ufeff", "\\\n", '"\n"']
"""Of values over some lines."""


def test_lines_and_comments_are_read_alike_or_reported() -> None:
    readers.install()
    choose = random.Random(FIRST)
    kept = []
    for _ in range(NUMBER * 5):
        value = "".join(choose.choices(TOKENS, k=choose.randint(2, 6)))
        text = choose.choice(["x: {}\nz: q", "x:{}", "x: [{}]\nz: q", "x: {{{}}}"]).format(value)
        page = parse_page(f"---\n{text}\n---".encode())
        page.format = PageFormat.TARBALL
        if page.parsed and isinstance(page.data, dict) and not page.errors and not any(
                True for _ in loader_dependent.problems(page, valid.CONTEXT)):
            kept.append(f"---\n{text}\n---")
    assert len(kept) > NUMBER / 10
    for text, by_reader in zip(kept, readers.read_all(kept), strict=True):
        # a page has neither nothing nor truth values, and no empty strings
        if not re.search("'other'|'string', ''", repr(by_reader["ruamel.yaml"])):
            _assert_read_alike(text, by_reader)


def test_readers_differ_where_they_are_known_to() -> None:
    readers.install()
    page = "---\na: [no, 017, 1:30]\n---"
    read = readers.read_all([page])[0]
    assert {repr(described) for described in read.values()} > {repr(read["PyYAML"])}
    assert read["PyYAML"] == ["mapping", [
        [["string", "a"], ["list", [["other", "False"], ["integer", "15"], ["integer", "90"]]]]]]
    assert read["yaml"] == ["mapping", [
        [["string", "a"], ["list", [["string", "no"], ["integer", "17"], ["string", "1:30"]]]]]]
