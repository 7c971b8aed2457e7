"""What `fix` promises: what it changes, what it skips, and how it replaces a file."""

from __future__ import annotations

import errno
import json
import os
import signal
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from cachelint import Settings, fix, fix_page
from cachelint.fixer import page as page_fixer
from cachelint.fixer import proof, rewrite
from cachelint.fixer.page import PageFix
from cachelint.linter.fastpath import FastPath
from cachelint.model import PageContext
from cachelint.rules.selection import select_rules
from support import valid

PAGE = valid.PAGE
STALE = valid.page(valid.meta(num_specs=3))
TARBALL_PAGE = valid.TARBALL_PAGE
META_LINE = valid.lines()["meta"]
SPECS_LINE = valid.lines()["spec_details"]
HEAD = PAGE[: PAGE.index("meta: ")]
WRONG_META = {
    "compilers": ["zig@1"], "num_specs": 99, "num_specs_by_stack": {"tutorial": 99},
    "oss": ["plan9"], "platforms": ["dos"], "stacks": ["tutorial"], "targets": ["z80"],
    "versions": ["0"],
}
LEGACY = valid.LEGACY


def fix_text(text: str | bytes, *extra: str, context: PageContext = valid.CONTEXT) -> PageFix:
    """Fix a page by the default rules, and those of the codes ``extra``."""
    raw = text if isinstance(text, bytes) else text.encode()
    chosen = Settings(selected=Settings().selected | set(extra))
    return fix_page(raw, settings=chosen, context=context)


def in_place(meta: str, specs: str = SPECS_LINE) -> str:
    """Put a page together from a hand-written `meta` and a comment at the top."""
    return f"{HEAD.replace('---', '---' + chr(10) + '# by hand', 1)}{meta}\n{specs}\n---"


# ------------------------------------------------------------------------------- canonical

CANONICAL: dict[str, str | bytes] = {
    "one wrong number": STALE,
    "every value wrong": valid.page(WRONG_META),
    "meta is empty": valid.page({}),
    "meta is null": valid.page(meta_line="meta:"),
    "meta is a list": valid.page(meta_line="meta: []"),
    "meta is text": valid.page(meta_line='meta: "none"'),
    "key of meta missing": valid.page(valid.without(valid.meta(), "targets")),
    "values of wrong types": valid.page(valid.meta(num_specs="2", oss="ubuntu22.04", stacks=None)),
    "number is true": valid.page(valid.meta(num_specs=True)),
    "number over all bounds": PAGE.replace('"num_specs": 2', '"num_specs": 1e400'),
    "item of meta twice": valid.page(valid.meta(stacks=["e4s", "root", "root"])),
    "lists of meta unsorted": valid.page(valid.meta(versions=["1.3.1", "1.2.13"])),
    "keys of meta unsorted": PAGE.replace(
        META_LINE, "meta: " + json.dumps(dict(reversed(valid.meta().items())))),
    "stacks of a spec unsorted": valid.page(None, valid.specs(0, stacks=["root", "e4s"])),
    "specs unsorted": valid.page(None, valid.specs()[::-1]),
    "lines in another order": valid.assemble(
        valid.lines()[key] for key in reversed(valid.ALL_LINES)),
    "no blanks": PAGE.replace(": ", ":").replace(", ", ",").replace(
        "title:", "title: ").replace("layout:", "layout: ").replace(
        "categories:[package,", "categories: [package, ").replace(
        "meta:", "meta: ").replace("spec_details:", "spec_details: "),
    "meta in block form": valid.page(meta_line="""meta:
    num_specs: 2
    num_specs_by_stack:
        root: 2
        e4s: 1
    compilers: [gcc@11.4.0]
    oss:
    - ubuntu22.04
    platforms:
    - linux
    stacks: [root, e4s]
    targets: ['x86_64_v3']
    versions:
    - 1.3.1
    - "1.2.13\""""),
    "everything in brackets": '---\n{"layout": "cache", "title": "zlib", "categories": ["package", '
        f'"{valid.TAG}"], "meta": {{}}, "spec_details": {valid.dumps(valid.specs())}}}\n---',
    "title plain": PAGE.replace('"zlib"', "zlib"),
    "layout in quotes": PAGE.replace("layout: cache", "layout: 'cache'"),
    "blank lines": PAGE.replace("\n", "\n\n"),
    "blanks behind the opening": PAGE.replace("---", "---  ", 1),
    "closed by dots": PAGE.removesuffix("---") + "...",
    "byte-order mark": "\ufeff" + PAGE,
    "CRLF": PAGE.replace("\n", "\r\n"),
    "CR": PAGE.replace("\n", "\r"),
    "mark, CRLF, blanks and stale": "\ufeff" + STALE.replace("\n", "\r\n") + " \r\n\r\n",
    "newline at the end": PAGE + "\n",
    "blanks at the end": PAGE + "  \n\t\n ",
}

BODIES = ["\nWritten by hand.", "\nWritten by hand.\n", "  \n\n# Notes\n\n   more  \n\n", "\n---\n",
          "\n{% include note.html %} \u2028 \u0085 \x0b\x0c\n"]


@pytest.mark.parametrize("text", CANONICAL.values(), ids=CANONICAL)
def test_page_in_the_current_format_becomes_canonical(text: str | bytes) -> None:
    fixed = fix_text(text)
    assert fixed.content.decode() == PAGE
    assert fixed.findings == []
    assert fixed.reason == ""


@pytest.mark.parametrize("body", BODIES)
def test_body_is_kept(body: str) -> None:
    assert fix_text(STALE + body).content.decode() == PAGE + body


def test_valid_page_keeps_its_bytes() -> None:
    assert fix_text(PAGE) == PageFix(PAGE.encode(), [], [], "")


def test_variants_versions_and_size_of_a_spec_are_never_changed() -> None:
    odd = {"variants": ["+shared", "build_system=makefile", "x='a  b'"], "size": 2**70}
    fixed = fix_text(valid.page(valid.meta(num_specs=3), valid.specs(1, **odd)))
    assert fixed.content.decode() == valid.page(valid.meta(), valid.specs(1, **odd))
    assert [finding.code for finding in fixed.findings] == ["CL506"]


# ------------------------------------------------------------------------------- tarballs

# as in PAGE; each case gives the line, before and after
ORDERED = {
    "versions": '["1.3.1", "1.2.13"]', "compilers": '["gcc@11.4.0"]', "oss": '["ubuntu22.04"]',
    "platforms": '["linux"]', "targets": '["x86_64_v3"]', "stacks": '["root", "e4s"]',
    "num_specs": "2", "num_specs_by_stack": '{"root": 2, "e4s": 1}',
}


def tarball(*, drop: str = "", **changes: str) -> str:
    """Return a page in the tarball format, in no order, with members of `meta` changed."""
    members = {key: value for key, value in (ORDERED | changes).items() if key != drop}
    meta = ", ".join(f'"{key}": {value}' for key, value in members.items())
    specs = json.dumps([dict(reversed(spec.items())) for spec in valid.tarball_specs()[::-1]])
    return valid.page(meta_line=f"meta: {{{meta}}}", specs_line=f"spec_details: {specs}")


IN_ORDER = tarball()
EMOJI = IN_ORDER.replace('"root"', '"\U0001f600"')

TARBALL: dict[str, tuple[str | bytes, str]] = {
    "number": (tarball(num_specs="3"), IN_ORDER),
    "number is text": (tarball(num_specs='"2"'), IN_ORDER),
    "stranger in a list": (tarball(versions='["1.3.1", "1.2", "1.2.13"]'), IN_ORDER),
    "item missing": (tarball(versions='["1.3.1"]'), tarball(versions='["1.2.13", "1.3.1"]')),
    "item missing from an odd order": (tarball(stacks='["root", "b", "a"]'), IN_ORDER),
    "item twice": (tarball(stacks='["root", "e4s", "root"]'), IN_ORDER),
    "item of another type": (tarball(versions='["1.3.1", 1, "1.2.13"]'), IN_ORDER),
    "list is text": (tarball(oss='"ubuntu22.04"'), IN_ORDER),
    "list is null": (tarball(versions="null"), tarball(versions='["1.2.13", "1.3.1"]')),
    "count of a stack": (tarball(num_specs_by_stack='{"root": 1, "e4s": 1}'), IN_ORDER),
    "stack that is not": (tarball(num_specs_by_stack='{"root": 2, "a": 4, "e4s": 1}'), IN_ORDER),
    "stack missing": (tarball(num_specs_by_stack='{"root": 2}'), IN_ORDER.replace(
        '{"root": 2, "e4s": 1}', '{"e4s": 1, "root": 2}')),
    "key missing goes to the end": (tarball(drop="oss"), IN_ORDER.replace(
        '"oss": ["ubuntu22.04"], ', "").replace('"e4s": 1}', '"e4s": 1}, "oss": ["ubuntu22.04"]')),
    "key missing from sorted ones": (
        valid.page(valid.without(valid.meta(), "oss"), valid.tarball_specs()), TARBALL_PAGE),
    "first key missing from sorted ones": (
        valid.page(valid.without(valid.meta(), "compilers"), valid.tarball_specs()), TARBALL_PAGE),
    "three keys missing from sorted ones": (
        valid.page({"num_specs": 2, "num_specs_by_stack": {"e4s": 1, "root": 2}, "oss": [],
                    "targets": ["x86_64_v3"], "versions": ["1.2.13", "1.3.1"]},
                   valid.tarball_specs()), TARBALL_PAGE),
    "meta is empty": (valid.page({}, valid.tarball_specs()), TARBALL_PAGE),
    "meta is null": (valid.page(None, valid.tarball_specs(), meta_line="meta:"), TARBALL_PAGE),
    "spelling of the rest stays": (
        tarball(num_specs="3", stacks='[ "r\\u006fot","e4s" ]', oss="['ubuntu22.04']"),
        tarball(num_specs="2", stacks='[ "r\\u006fot","e4s" ]', oss="['ubuntu22.04']")),
    "byte-order mark": ("\ufeff" + IN_ORDER, IN_ORDER),
    "CRLF": (IN_ORDER.replace("\n", "\r\n"), IN_ORDER),
    "blanks at the end": (IN_ORDER + "\n \n", IN_ORDER),
    "blanks elsewhere stay": (
        tarball(num_specs="3").replace("---", "--- ", 1).replace("layout", "\nlayout"),
        IN_ORDER.replace("---", "--- ", 1).replace("layout", "\nlayout")),
    "body": (tarball(num_specs="3") + "\nBy hand.\n", IN_ORDER + "\nBy hand.\n"),
    # in the two escapes of the canonical form, Jekyll cannot load it
    "character outside the BMP": (
        EMOJI.replace('"stacks": ["\U0001f600", ', '"stacks": [', 1),
        EMOJI.replace('["\U0001f600", "e4s"]', '["e4s", "\U0001f600"]', 1)),
    "block form": (
        tarball().replace("meta: {", "meta:\n  {").replace('"num_specs": 2', '"num_specs": 4'),
        tarball().replace("meta: {", "meta:\n  {")),
}


@pytest.mark.parametrize(("text", "due"), TARBALL.values(), ids=TARBALL)
def test_page_in_the_tarball_format_is_edited_in_place(text: str | bytes, due: str) -> None:
    fixed = fix_text(text)
    assert fixed.content.decode() == due
    assert [finding for finding in fixed.findings if finding.fixable] == []
    assert fixed.reason == ""


def test_order_of_a_tarball_page_is_free() -> None:
    assert fix_text(IN_ORDER) == PageFix(IN_ORDER.encode(), [], [], "")


def test_tarball_page_is_rewritten_in_canonical_order_where_cl507_is_selected() -> None:
    assert fix_text(IN_ORDER, "CL507").content.decode() == TARBALL_PAGE
    assert fix_text(tarball(num_specs="3"), "CL507").content.decode() == TARBALL_PAGE
    assert fix_text(EMOJI, "CL507").reason == ""
    assert fix_text(EMOJI, "CL507").content.decode().count("\U0001f600") == 4


def test_legacy_page_is_fixed_around_its_front_matter() -> None:
    fixed = fix_text("\ufeff" + LEGACY.replace("\n", "\r\n") + "\r\n", context=PageContext())
    assert fixed.content.decode() == LEGACY
    assert [finding.code for finding in fixed.findings] == ["CL109"]


# ------------------------------------------------------------------------------- comments

BLOCK = """meta:
  compilers:
  - gcc@11.4.0
  num_specs: 2
  num_specs_by_stack:
    e4s: 1
    root: 2
  oss:
  - ubuntu22.04
  platforms:
  - linux
  stacks:
  - e4s
  - root
  targets:
  - x86_64_v3
  versions:
  - 1.2.13
  - 1.3.1"""


def block(old: str = "", new: str = "") -> str:
    """Return `meta` in block form, with one stretch of it replaced."""
    assert BLOCK.count(old) == 1 or not old, old
    return BLOCK.replace(old, new) if old else BLOCK


# name: (`meta` before, and after), below a comment
COMMENTED: dict[str, tuple[str, str]] = {
    "comment elsewhere": (META_LINE.replace('"num_specs": 2', '"num_specs": 3'), META_LINE),
    "behind the line": (META_LINE.replace('"num_specs": 2', '"num_specs": 3') + "  # made",
                        META_LINE + "  # made"),
    "behind a number": (block("num_specs: 2", "num_specs: 3  # counted"),
                        block("num_specs: 2", "num_specs: 2  # counted")),
    "behind an empty value": (block("num_specs: 2", "num_specs:  # counted"),
                              block("num_specs: 2", "num_specs: 2  # counted")),
    "behind the empty last value": (
        block("  versions:\n  - 1.2.13\n  - 1.3.1", "  versions: # none\n  # yet"),
        block("  versions:\n  - 1.2.13\n  - 1.3.1",
              '  versions: ["1.2.13", "1.3.1"] # none\n  # yet')),
    "behind an item that stays": (
        block("  - 1.2.13\n  - 1.3.1", "  - 1.2.13  # old"),
        block("  - 1.2.13\n  - 1.3.1", '  - 1.2.13  # old\n  - "1.3.1"')),
    "behind an item that goes": (
        block("  - 1.2.13", "  - '1.2'  # older\n  - 1.2.13  # old"),
        block("  - 1.2.13", "    # older\n  - 1.2.13  # old")),
    "behind the last item that goes": (
        block("  oss:\n  - ubuntu22.04", "  oss:\n  - ubuntu22.04\n  - plan9 # never"),
        block("  oss:\n  - ubuntu22.04", "  oss:\n  - ubuntu22.04\n    # never")),
    "every item goes": (
        block("  - 1.2.13\n  - 1.3.1", "  - 1 # one\n  - 2 # two"),
        block("  - 1.2.13\n  - 1.3.1", '  - "1.2.13"\n  - "1.3.1"\n    # one\n    # two')),
    "between the items": (
        block("  - 1.2.13\n  - 1.3.1", "  # first\n  - 1.2.13\n  # second\n  - '2'\n  # third"),
        block("  - 1.2.13\n  - 1.3.1",
              '  # first\n  - 1.2.13\n  - "1.3.1"\n  # second\n  # third')),
    "new item before the first": (
        block("  - 1.2.13\n  - 1.3.1", "  - 1.3.1  # new"),
        block("  - 1.2.13\n  - 1.3.1", '  - "1.2.13"\n  - 1.3.1  # new')),
    "new item in an odd order": (
        block("  - e4s\n  - root", "  - root  # all\n  - a"),
        block("  - e4s\n  - root", '  - root  # all\n  - "e4s"')),
    "item twice": (block("  - root", "  - root\n  - root  # again"),
                   block("  - root", "  - root\n    # again")),
    "wide indentation": (block("  - 1.2.13\n  - 1.3.1", "    -   1.2.13  # old"),
                         block("  - 1.2.13\n  - 1.3.1", '    -   1.2.13  # old\n    -   "1.3.1"')),
    "count of a stack": (block("    e4s: 1\n", "    e4s: 4  # four\n"),
                         block("    e4s: 1\n", "    e4s: 1  # four\n")),
    "count of a stack is empty": (block("    root: 2", "    root:  # none"),
                                  block("    root: 2", "    root: 2  # none")),
    "stack that goes": (block("    root: 2", "    # all\n    root: 2\n    tutorial: 4 # gone"),
                        block("    root: 2", "    # all\n    root: 2\n    # gone")),
    "stack missing": (block("    e4s: 1\n", "    # nothing\n"),
                      block("    e4s: 1\n", '    # nothing\n    "e4s": 1\n')),
    "key missing": (block("  oss:\n  - ubuntu22.04\n", "  # no system\n"),
                    block("  oss:\n  - ubuntu22.04\n", '  oss: ["ubuntu22.04"]\n  # no system\n')),
    "first key missing": (block("  compilers:\n  - gcc@11.4.0\n", "  # no compiler\n"),
                          block("  compilers:\n  - gcc@11.4.0\n",
                                '  # no compiler\n  compilers: ["gcc@11.4.0"]\n')),
    "last key missing, and the one before shrinks": (
        block("  - x86_64_v3\n  versions:\n  - 1.2.13\n  - 1.3.1", "  - x86_64_v3\n  - z80  # out"),
        block("  - x86_64_v3\n  versions:\n  - 1.2.13\n  - 1.3.1",
              '  - x86_64_v3\n    # out\n  versions: ["1.2.13", "1.3.1"]')),
    "keys missing behind unsorted ones": (
        block("  compilers:\n  - gcc@11.4.0\n  num_specs: 2\n", "  # odd\n").replace(
            "  oss:", "  zzz:").replace("  zzz:", "  platforms:", 1).replace(
            "  platforms:\n  - linux", "  oss: [ubuntu22.04]").replace(
            "  platforms:\n  - ubuntu22.04", "  platforms: [linux]"),
        block("  compilers:\n  - gcc@11.4.0\n  num_specs: 2\n", "  # odd\n").replace(
            "  oss:", "  zzz:").replace("  zzz:", "  platforms:", 1).replace(
            "  platforms:\n  - linux", "  oss: [ubuntu22.04]").replace(
            "  platforms:\n  - ubuntu22.04", "  platforms: [linux]")
        + '\n  compilers: ["gcc@11.4.0"]\n  num_specs: 2'),
    "list where a number belongs": (
        block("num_specs: 2", "num_specs:  # two\n  - 1 # one\n  # none"),
        block("num_specs: 2", "num_specs: 2  # two\n    # one\n  # none")),
    "text where a list belongs": (block("  oss:\n  - ubuntu22.04", "  oss: ubuntu22.04 # one"),
                                  block("  oss:\n  - ubuntu22.04", '  oss: ["ubuntu22.04"] # one')),
    "list in brackets": (
        block("  versions:\n  - 1.2.13\n  - 1.3.1", "  versions: [1.2.13]  # all"),
        block("  versions:\n  - 1.2.13\n  - 1.3.1", '  versions: ["1.2.13", "1.3.1"]  # all')),
    "in brackets, an item that goes": (
        block("  versions:\n  - 1.2.13\n  - 1.3.1",
              "  versions: [\n    1.2.13,  # old\n    '2', # or more\n    1.3.1  # new\n    ]"),
        block("  versions:\n  - 1.2.13\n  - 1.3.1",
              "  versions: [\n    1.2.13,  # old\n     # or more\n    1.3.1  # new\n    ]")),
    "in brackets, a new item": (
        block("  versions:\n  - 1.2.13\n  - 1.3.1", "  versions: [ # all\n    1.2.13 # old\n    ]"),
        block("  versions:\n  - 1.2.13\n  - 1.3.1",
              '  versions: [ # all\n    1.2.13, "1.3.1" # old\n    ]')),
    "in brackets, every item goes": (
        block("  oss:\n  - ubuntu22.04", "  oss: [ # all\n    plan9 # old\n    ]"),
        block("  oss:\n  - ubuntu22.04", '  oss: ["ubuntu22.04",  # all\n     # old\n    ]')),
    "in brackets, counts": (
        block("  num_specs_by_stack:\n    e4s: 1\n    root: 2",
              "  num_specs_by_stack: {\n    root: 3, # all\n    }"),
        block("  num_specs_by_stack:\n    e4s: 1\n    root: 2",
              '  num_specs_by_stack: {"e4s": 1, \n    root: 2, # all\n    }')),
    "meta in brackets over lines": (
        "meta: {  # head\n  num_specs: 9,  # two\n"
        + ",\n".join(f"  {key}: {valid.dumps(value)}"
                     for key, value in valid.meta().items() if key not in ("num_specs", "oss"))
        + "  # tail\n  }",
        "meta: {  # head\n  num_specs: 2,  # two\n"
        + ",\n".join(f"  {key}: {valid.dumps(value)}"
                     for key, value in valid.meta().items() if key not in ("num_specs", "oss"))
        + ', "oss": ["ubuntu22.04"]  # tail\n  }'),
    "behind an anchor": (block("meta:\n", "meta: &all  # head\n").replace(": 2\n", ": 9\n", 1),
                         block("meta:\n", "meta: &all  # head\n")),
    "meta is empty": ("meta: {}  # none", f"{META_LINE}  # none"),
    "meta is null": ("meta:  # none", f"{META_LINE}  # none"),
}


@pytest.mark.parametrize(("before", "after"), COMMENTED.values(), ids=COMMENTED)
def test_page_with_comments_is_edited_in_place(before: str, after: str) -> None:
    fixed = fix_text(in_place(before))
    assert fixed.content.decode() == in_place(after)
    assert {finding.code for finding in fixed.findings} <= {"CL501", "CL502", "CL504"}
    assert not any(finding.fixable for finding in fixed.findings)
    assert fixed.reason == ""


def test_comment_behind_an_anchor_is_kept() -> None:
    text = valid.PAGE.replace('title: "zlib"', "title: &a # why\n  zlib")
    fixed = fix_text(text.replace('"num_specs": 2', '"num_specs": 9'))
    assert fixed.content.decode() == text


def test_sharp_in_a_value_is_not_a_comment() -> None:
    text = valid.page(valid.meta(num_specs=3), valid.specs(0, variants=["x='a #b'"]))
    expected = valid.page(None, valid.specs(0, variants=["x='a #b'"]))
    assert fix_text(text).content.decode() == expected


# ------------------------------------------------------------------------------- skipped pages

TWICE = valid.specs(1, hash=valid.FIRST)

DUPLICATE_HASH = (f"CL402 duplicate-hash: duplicate hash {valid.FIRST}: also used by the 1st spec, "
                  "zlib@1.3.1")

# name: (page, the reason)
REFUSED: dict[str, tuple[str | bytes, str]] = {
    "hash twice": (valid.page(valid.meta(num_specs=3), TWICE),
                   DUPLICATE_HASH),
    "hash twice, tarball": (
        valid.page(valid.meta(num_specs=3), valid.tarball_specs(1, hash=valid.FIRST)),
        DUPLICATE_HASH),
    "hash twice, with a comment": (
        valid.page(valid.meta(num_specs=3), TWICE).replace("---", "---\n# x", 1),
        DUPLICATE_HASH),
    "key of meta unknown": (valid.page(valid.meta(num_specs=3, colour="red")),
                            'unknown key "colour", which would be lost'),
    "key at the top unknown": (STALE.replace("layout", "colour: red\nlayout"),
                               'unknown key "colour", which would be lost'),
    "key of a spec unknown": (valid.page(valid.meta(num_specs=3), valid.specs(0, colour="red")),
                              'unknown key "colour", which would be lost'),
    "key that loaders merge": (valid.page(valid.meta(num_specs=3, **{"<<": {}})),
                               'unknown key "<<", which would be lost'),
    "spec lacks a key": (
        valid.page(valid.meta(num_specs=3),
                   [valid.without(valid.specs()[0], "target"), valid.specs()[1]]),
        'CL201 missing-key: missing key "target" in the 1st spec'),
    "specs missing": (
        "\ufeff" + valid.assemble(valid.lines(STALE)[key] for key in valid.ALL_LINES[:-1]),
        'CL201 missing-key: missing key "spec_details" in the front matter'),
    "no spec": (valid.page(valid.meta(num_specs="3"), []),
                "CL204 invalid-value: spec_details is empty"),
    "value of a spec of a wrong type": (
        valid.page(valid.meta(num_specs=3), valid.specs(1, target=["zen4"])),
        "CL203 wrong-type: wrong type of target of the 2nd spec: "
        "expected a string, found a list"),
    "stacks of a spec empty": (valid.page(valid.meta(num_specs=3), valid.specs(1, stacks=[])),
                               "CL204 invalid-value: stacks of the 2nd spec is empty"),
    "layout wrong": (STALE.replace("layout: cache", "layout: table"),
                     'CL204 invalid-value: invalid layout: expected "cache", found "table"'),
    "key twice": ("\ufeff" + STALE.replace('"oss"', '"oss": [], "oss"'),
                  'CL107 duplicate-key: duplicate key "oss": readers silently keep one of the two'),
    "not closed": (STALE.removesuffix("\n---").replace("\n", "\r\n"),
                   "CL105 unclosed-front-matter: no line `---` closes the front matter (is the "
                   "file cut off?)"),
    "no front matter": ("\ufeffzlib\n",
                        "CL104 no-front-matter: the first line is not `---`, so that there is no "
                        "front matter"),
    "no YAML": (STALE.replace('"oss": [', '"oss": [[').replace("\n", "\r\n"),
                'CL106 syntax: invalid JSON in meta: missing comma after "platforms"'),
    "an alias": (STALE.replace("layout: cache", "layout: &a cache\nx: *a").replace("\n", "\r\n"),
                 "CL110 over-limits: YAML aliases are not allowed (*a): not parsed"),
    "tag that needs quotes": (
        STALE.replace(valid.TAG, '"no"'),
        "the title or the tag cannot be written in canonical form"),
    "tag of two words": (
        STALE.replace(valid.TAG, '"a, b"'),
        "the title or the tag cannot be written in canonical form"),
    "a separator where the tag belongs": (
        STALE.replace(f", {valid.TAG}]", ", \u2028 ]"),
        "invalid categories: expected 2 items, found 1"),
    "title with a tab": (STALE.replace('"zlib"', '"zl\\tib"'),
                         "the title or the tag cannot be written in canonical form"),
    "key of meta behind a question mark": (
        in_place(block("  compilers:\n  - gcc@11.4.0\n  num_specs: 2",
                       "  ? compilers\n  : - gcc@11.4.0\n  num_specs: 3")),
        "/meta has a layout that has to be fixed by hand"),
    "more invalid values than are sought": (
        valid.page(None, valid.specs(1, variants=["x"] * 2000)[::-1]),
        "at least 2,000 invalid values: meta cannot be derived"),
    "title with a quote": (
        STALE.replace('"zlib"', '"zl\\"ib"'),
        "the title or the tag cannot be written in canonical form"),
}


@pytest.mark.parametrize(("text", "reason"), REFUSED.values(), ids=REFUSED)
def test_page_is_skipped_with_a_reason(text: str | bytes, reason: str) -> None:
    raw = text if isinstance(text, bytes) else text.encode()
    fixed = fix_text(raw)
    assert fixed.content == raw
    assert fixed.reason == reason
    assert fixed.findings == fixed.found != []


@pytest.mark.parametrize("text", [
    pytest.param(b"\xff" + STALE.encode(), id="not UTF-8"),
    pytest.param("", id="empty"),
    pytest.param(valid.page(None, TWICE), id="hash twice, and nothing to mend"),
    pytest.param(PAGE.replace("layout: cache", "layout: table"), id="layout wrong"),
    pytest.param(PAGE.replace("---", "---\n# by hand", 1), id="comment alone"),
    pytest.param(PAGE + "\nBy hand.", id="body alone"),
])
def test_page_without_anything_to_fix_is_skipped_silently(text: str | bytes) -> None:
    raw = text if isinstance(text, bytes) else text.encode()
    fixed = fix_text(raw)
    assert fixed.content == raw
    assert fixed.reason == ""
    assert fixed.found != []


# ------------------------------------------------------------------------------- proof

MEND = rewrite.fixed_bytes

WITH_BODY = f"{STALE}\nBy hand"
Spoil = Callable[[str], str]

# name: (page, what a fault of the program makes of it when it is fixed, the reason)
FAULTS: dict[str, tuple[str, Spoil, str]] = {
    "spec lost": (STALE, lambda _: valid.page(None, valid.specs()[:1]), "its specs differ"),
    "spec added": (
        STALE, lambda _: valid.page(None, [*valid.specs(), *valid.specs(0, hash="b" * 32)[:1]]),
        "its specs differ"),
    "spec altered": (STALE, lambda _: valid.page(None, valid.specs(0, target="zen4")),
                     "its specs differ"),
    "stack lost": (STALE, lambda _: valid.page(None, valid.specs(0, stacks=["root"])),
                   "its specs differ"),
    "variants sorted": (
        STALE, lambda _: valid.page(
            None, valid.specs(0, variants=["+shared", "build_system=makefile"])),
        "its specs differ"),
    "specs lost of an unsorted page": (
        valid.page(None, valid.specs()[::-1]), lambda _: valid.page(None, valid.specs()[:1]),
        "its specs differ"),
    "title altered": (STALE, lambda text: text.replace('"zlib"', '"zstd"'),
                      "it differs outside meta"),
    "cut": (STALE, lambda text: text[:-4],
            "it cannot be read: no line `---` closes the front matter (is the file cut off?)"),
    "body lost": (WITH_BODY, lambda text: text.split("\nBy hand")[0],
                  "the text after the front matter differs"),
    "body altered": (WITH_BODY, lambda text: text.replace("hand", "heart"),
                     "the text after the front matter differs"),
    "comment added": (STALE, lambda text: text.replace("---", "---\n# x", 1),
                      "its comments differ"),
    "comment lost": (in_place("meta: {}  # none"), lambda _: PAGE, "its comments differ"),
    "still stale": (STALE, lambda text: text.replace('"num_specs": 2', '"num_specs": 1'),
                    "something is left to fix"),
}


@pytest.mark.parametrize("fast", [None, FastPath(valid.CONTEXT.options).lint], ids=["", "fast"])
@pytest.mark.parametrize(("text", "spoil", "fault"), FAULTS.values(), ids=FAULTS)
def test_own_output_is_read_back_and_compared(
    text: str, spoil: Spoil, fault: str, fast: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_fixer, "fixed_bytes", lambda page, context: spoil(
        MEND(page, context).decode()).encode())
    fixed, _ = page_fixer.fix_checked(text.encode(), "specs.md", valid.CONTEXT, Settings(), fast)
    assert fixed.reason == f"the fixed page would be wrong: {fault}"
    assert fixed.content == text.encode()
    assert fixed.findings == fixed.found


@pytest.mark.parametrize("order", [1, -1], ids=["to other order", "to canonical order"])
def test_page_that_a_second_run_would_change_is_skipped(
    order: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a fault of the program that turns the keys of a tarball page around, where any order is valid
    def fix_badly(page: Any, _: PageContext) -> bytes:
        line = valid.lines(page.text)["meta"]
        members = json.loads(line.removeprefix("meta: ")) | {"num_specs": 2}
        turned = json.dumps(dict(reversed(members.items())))
        return str(page.text).replace(line, f"meta: {turned}").encode()

    specs = valid.tarball_specs(0, variants=["+shared", "build_system=makefile"])
    for module in (page_fixer, proof):
        monkeypatch.setattr(module, "fixed_bytes", fix_badly)
    old = dict([*valid.meta(num_specs=3).items()][::order])
    assert fix_text(valid.page(old, specs)).reason == (
        "the fixed page would be wrong: a second run would change it again")


# ------------------------------------------------------------------------------- what check reports

EVERY_PAGE: dict[str, str | bytes] = {
    **{f"current: {name}": text for name, text in CANONICAL.items()},
    **{f"tarball: {name}": text for name, (text, _) in TARBALL.items()},
    **{f"comments: {name}": in_place(before) for name, (before, _) in COMMENTED.items()},
    **{f"refused: {name}": text for name, (text, _) in REFUSED.items()},
}


@pytest.mark.parametrize("text", EVERY_PAGE.values(), ids=EVERY_PAGE)
def test_what_check_calls_fixable_is_what_fix_fixes(text: str | bytes) -> None:
    fixed = fix_text(text)
    found = Counter((each.code, each.pointer) for each in fixed.found)
    fixable = Counter((each.code, each.pointer) for each in fixed.found if each.fixable)
    left = Counter((each.code, each.pointer) for each in fixed.findings)
    if fixed.reason:
        assert left == found
        assert not fixable
    else:
        due = found - fixable
        # with comments, `meta` keeps its form, on which CL5xx are silent while a value is invalid
        assert {key for key in due - left | left - due if not key[0].startswith("CL50")} == set()
        assert due == left or b"# " in fixed.content


@pytest.mark.parametrize(("variant", "left"), [
    ("<<", ["CL404", "CL701"]), ("=", ["CL404"]), ("y", ["CL404"])])
def test_quotes_are_added_to_a_value_that_two_rules_report_then(
    variant: str, left: list[str]
) -> None:
    quoted = valid.page(None, valid.specs(0, variants=[variant]))
    fixed = fix_text(quoted.replace(f'"{variant}"', variant))
    assert [each.code for each in fixed.found] == ["CL504", "CL703"]
    assert (fixed.content.decode(), fixed.reason) == (quoted, "")
    assert [each.code for each in fixed.findings] == left


@pytest.mark.parametrize("text", EVERY_PAGE.values(), ids=EVERY_PAGE)
def test_second_run_changes_nothing(text: str | bytes) -> None:
    once = fix_text(text)
    assert fix_text(once.content).content == once.content


# ------------------------------------------------------------------------------- what is worth it

# name: (select, ignore, whether the page is fixed, codes of what is left)
WORTH: dict[str, tuple[list[str] | None, list[str], bool, list[str]]] = {
    "the defaults": (None, [], True, ["CL506"]),
    "a rule that found something": (["CL301"], [], True, []),
    "another that did": (["unsorted-list"], [], True, []),
    "a group": (["CL5"], [], True, ["CL506"]),
    "a rule that found nothing": (["CL302"], [], False, []),
    "no rule that mends": (["CL4", "CL506"], [], False, ["CL506"]),
    "one of two ignored": (None, ["CL301"], True, ["CL506"]),
    "all that mends ignored": (None, ["num-specs", "CL502"], False, ["CL506"]),
    "all ignored": (None, ["CL3", "CL5"], False, []),
}


@pytest.mark.parametrize(("select", "ignore", "mended", "left"), WORTH.values(), ids=WORTH)
def test_selected_rules_decide_what_is_fixed(
    select: list[str] | None, ignore: list[str], mended: bool, left: list[str]
) -> None:
    specs = valid.specs(0, variants=["+shared", "build_system=makefile"])
    text = valid.page(valid.meta(num_specs=3, versions=["1.3.1", "1.2.13"]), specs)
    chosen = Settings(selected=select_rules(select, ignore, []))
    fixed = fix_page(text.encode(), settings=chosen, context=valid.CONTEXT)
    assert fixed.content.decode() == (valid.page(None, specs) if mended else text)
    assert [finding.code for finding in fixed.findings] == left
    assert fixed.reason == ""


# ------------------------------------------------------------------------------- whatever the page

HASHES = [valid.FIRST, valid.SECOND, "a" * 32, "b" * 32, "c" * 32]
NAMES = ["root", "e4s", "1.10", "1.9", "gcc@=11", "it's", "a: b", "# no", "yes"]
ODD: list[Any] = [
    None, True, 0, 7, -1, 1.5, "", "2", [], {}, ["root"], ["root", "root"], {"root": 1},
]
JUNK = list("\"'[]{}:,#-&*!|>% \t\\\n\x7f\u0085é")


@st.composite
def spec_lists(draw: st.DrawFn) -> list[dict[str, Any]]:
    chosen = draw(st.lists(st.sampled_from(HASHES), min_size=1, max_size=4,
                           unique=draw(st.sampled_from([True, True, True, False]))))
    found = []
    for dag_hash in chosen:
        spec = valid.specs(0, hash=dag_hash)[0]
        spec["stacks"] = draw(st.lists(st.sampled_from(NAMES[:2]), min_size=1, max_size=2,
                                       unique=True))
        spec["versions"] = [draw(st.sampled_from(["1.9", "1.10", "master"]))]
        spec["target"] = draw(st.sampled_from(["zen4", "x86_64_v3"]))
        if draw(st.integers(0, 15)) == 0:
            spec[draw(st.sampled_from([*spec, "colour"]))] = draw(st.sampled_from(ODD))
        found.append(spec)
    return found


@st.composite
def metas(draw: st.DrawFn, of: list[dict[str, Any]]) -> Any:
    try:
        meta: dict[str, Any] = valid.summary(of)
    except (KeyError, TypeError):
        meta = valid.meta()
    for key in draw(st.lists(st.sampled_from(sorted(meta)), max_size=3)):
        kind = draw(st.sampled_from(["drop", "odd", "items", "turn"]))
        value = meta.get(key)
        if kind == "drop":
            meta.pop(key, None)
        elif kind == "odd":
            meta[key] = draw(st.sampled_from(ODD))
        elif kind == "turn" and isinstance(value, dict):
            meta[key] = dict(reversed(value.items()))
        elif isinstance(value, list):
            meta[key] = draw(st.permutations([*value, *draw(st.lists(st.sampled_from(NAMES)))]))
        elif isinstance(value, dict):
            meta[key] = {**value, draw(st.sampled_from(NAMES)): draw(st.sampled_from([1, 2, None]))}
    if draw(st.integers(0, 20)) == 0:
        return draw(st.sampled_from(ODD))
    if draw(st.integers(0, 20)) == 0:
        meta["colour"] = 1
    return dict(draw(st.permutations(list(meta.items())))) if draw(st.booleans()) else meta


@st.composite
def in_block_form(draw: st.DrawFn, value: dict[str, Any]) -> str:
    """Write `meta` by hand, with comments here and there."""
    comments = st.sampled_from(["", "", "", "  # why", " # it: [is"])
    lines = []
    for key, item in value.items():
        if not isinstance(item, (list, dict)) or not item or draw(st.booleans()):
            lines.append(f"  {key}: {json.dumps(item)}{draw(comments)}")
            continue
        lines.append(f"  {key}:{draw(comments)}")
        if draw(st.booleans()):
            lines.append(f"    {draw(comments).strip()}")
        for each in item:
            shown = json.dumps(each)
            lines.append((f"    {shown}: {json.dumps(item[each])}" if isinstance(item, dict)
                          else f"  - {shown}") + draw(comments))
    return "meta:" + draw(comments) + "".join(f"\n{line}" for line in lines)


@st.composite
def any_pages(draw: st.DrawFn) -> bytes:
    of = draw(spec_lists())
    meta = draw(metas(of))
    if draw(st.booleans()):
        of = [{**spec, "tarball": "https://binaries.spack.io/x"} for spec in of]
    meta_line = f"meta: {json.dumps(meta, sort_keys=draw(st.booleans()))}"
    if isinstance(meta, dict) and meta and draw(st.booleans()):
        meta_line = draw(in_block_form(meta))
    text = valid.page(None, of, meta_line=meta_line)
    for kind in draw(st.lists(st.sampled_from(
            ["mark", "CRLF", "end", "body", "comment", "cut", "put", "compact"]), max_size=2)):
        at = draw(st.integers(0, len(text)))
        if kind == "mark":
            text = "\ufeff" + text
        elif kind == "CRLF":
            text = text.replace("\n", "\r\n")
        elif kind == "end":
            text += draw(st.sampled_from(["\n", " \n\n", "\t"]))
        elif kind == "body":
            text += "\nBy hand.\n"
        elif kind == "comment":
            comment = draw(st.sampled_from(["\n# x\nlayout", "  # x\nlayout"]))
            text = text.replace("\nlayout", comment)
        elif kind == "compact":
            text = text.replace('", "', '","')
        elif kind == "cut":
            text = text[:at] + text[at + draw(st.integers(1, 9)) :]
        else:
            text = text[:at] + draw(st.sampled_from(JUNK)) + text[at:]
    return text.encode()


def contents(raw: bytes) -> tuple[list[str], dict[str, Any]]:
    """Read the specs as a multiset, and all else but `meta`, with another parser."""
    text = raw.decode().removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    # DEL within quotes, and tabs at the end of a line, are fine by JSON and not by this parser
    text = text.replace("\x7f", "\\x7f")
    rows = [row.rstrip(" \t") for row in text.split("\n")]
    close = next(n for n, row in enumerate(rows) if n and row.rstrip() in ("---", "..."))
    data = YAML(typ="safe", pure=True).load("\n".join(rows[1:close]))
    specs = sorted(json.dumps({**spec, "stacks": sorted(spec["stacks"])}, sort_keys=True)
                   for spec in data["spec_details"])
    return specs, {key: data[key] for key in data if key not in ("meta", "spec_details")}


@settings(max_examples=200, deadline=None)
@given(any_pages())
@example(STALE.replace("\nlayout", "\t\nlayout").encode())
@example(valid.page({**valid.meta(), "oss": ["\x7frhel8"]}).encode())
def test_whatever_the_page_no_spec_is_lost_and_a_second_run_changes_nothing(raw: bytes) -> None:
    once = fix_text(raw)
    assert fix_text(once.content).content == once.content
    if once.content == raw:
        assert once.findings == once.found
        assert bool(once.reason) or not any(finding.fixable for finding in once.found)
    else:
        assert once.reason == ""
        assert contents(once.content) == contents(raw)
        assert not any(finding.fixable for finding in once.findings)


# ------------------------------------------------------------------------------- files


class Catalog(NamedTuple):
    """A catalog of one page that can be fixed."""

    root: Path
    page: Path

    def files(self) -> list[str]:
        """Name what lies in the page's folder."""
        return sorted(path.name for path in self.page.parent.iterdir())


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    valid.write_catalog(tmp_path, {f"{valid.TAG}/zlib": STALE}, {valid.TAG: ["e4s", "root"]})
    return Catalog(tmp_path, tmp_path / "_cache" / valid.TAG / "zlib" / "specs.md")


@pytest.mark.parametrize("number", [1, 3])
def test_page_is_replaced(catalog: Catalog, number: int) -> None:
    catalog.page.write_text(valid.page(valid.meta(num_specs=number)))
    done = fix([str(catalog.root)])
    assert catalog.page.read_text() == PAGE
    assert catalog.files() == ["specs.md"]
    assert [Path(path).name for path, *_ in done.changed] == ["specs.md"]
    assert (done.fixed, done.skipped, done.report.findings) == (1, (), ())
    again = fix([str(catalog.root)])
    assert (again.changed, again.fixed) == ((), 0)


def test_nothing_is_written_for_a_difference(catalog: Catalog) -> None:
    done = fix([str(catalog.root)], write=False)
    assert catalog.page.read_text() == STALE
    assert [change[1:3] for change in done.changed] == [(STALE.encode(), PAGE.encode())]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o664, 0o755])
def test_mode_is_kept(catalog: Catalog, mode: int) -> None:
    catalog.page.chmod(mode)
    fix([str(catalog.root)])
    assert catalog.page.read_text() == PAGE
    assert stat.S_IMODE(catalog.page.stat().st_mode) == mode


def test_file_that_changed_since_it_was_read_is_skipped(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fix_while_another_writes(page: Any, context: PageContext) -> bytes:
        catalog.page.write_text(STALE + "\nBy another hand.")
        return MEND(page, context)

    monkeypatch.setattr(page_fixer, "fixed_bytes", fix_while_another_writes)
    done = fix([str(catalog.root)])
    assert catalog.page.read_text() == STALE + "\nBy another hand."
    assert catalog.files() == ["specs.md"]
    assert [reason for _, reason in done.skipped] == ["the file changed while it was fixed"]
    assert [finding.code for finding in done.report.findings] == ["CL301"]
    assert done.changed == ()


def test_file_that_is_gone_since_it_was_read_is_not_made_again(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fix_while_another_removes(page: Any, context: PageContext) -> bytes:
        catalog.page.unlink()
        return MEND(page, context)

    monkeypatch.setattr(page_fixer, "fixed_bytes", fix_while_another_removes)
    done = fix([str(catalog.root)])
    assert catalog.files() == []
    assert [reason for _, reason in done.skipped] == ["the file changed while it was fixed"]


@pytest.mark.parametrize(("function", "number", "reason"), [
    ("open", errno.EACCES, "the file cannot be replaced: Permission denied"),
    ("open", errno.EROFS, "the file cannot be replaced: Read-only file system"),
    ("write", errno.ENOSPC, "the file cannot be replaced: No space left on device"),
    ("write", errno.EDQUOT, "the file cannot be replaced: Disk quota exceeded"),
    ("fsync", errno.EIO, "the file cannot be replaced: Input/output error"),
    ("fchmod", errno.EIO, "the file cannot be replaced: Input/output error"),
    ("rename", errno.EACCES, "the file cannot be replaced: Permission denied"),
])
def test_file_that_cannot_be_replaced_keeps_its_findings(
    catalog: Catalog, function: str, number: int, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = getattr(os, function)

    def fail(*arguments: Any, **options: Any) -> Any:
        if function == "open" and not arguments[1] & os.O_CREAT:
            return real(*arguments, **options)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, function, fail)
    done = fix([str(catalog.root)])
    monkeypatch.undo()
    assert catalog.page.read_text() == STALE
    assert catalog.files() == ["specs.md"]
    assert [why for _, why in done.skipped] == [reason]
    assert done.report.failed == 1
    assert [finding.code for finding in done.report.findings] == ["CL301"]
    assert done.changed == ()


def test_file_is_replaced_although_its_folder_cannot_be_brought_to_the_disk(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync

    def fail_on_folders(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fail_on_folders)
    done = fix([str(catalog.root)])
    assert catalog.page.read_text() == PAGE
    assert done.skipped == ()


def test_bytes_are_on_the_disk_before_they_take_the_name(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, rename = os.fsync, os.rename

    def note_fsync(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        steps.append("fsync of the folder" if is_folder else "fsync of the file")
        fsync(descriptor)

    def note_rename(old: str, new: str) -> None:
        steps.append(f"rename of {Path(old).read_bytes() == PAGE.encode() and 'the new page'}")
        rename(old, new)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(os, "rename", note_rename)
    fix([str(catalog.root)])
    assert steps == ["fsync of the file", "rename of the new page", "fsync of the folder"]


def test_file_of_another_user_in_a_folder_of_ours_is_fixed(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "fchown", refuse)
    catalog.page.chmod(0o664)
    assert fix([str(catalog.root)]).skipped == ()
    assert catalog.page.read_text() == PAGE
    assert stat.S_IMODE(catalog.page.stat().st_mode) == 0o664


# a signal comes before or after a step of the replacement
DRIVER = """
import os, sys
from cachelint.cli.main import program
name, moment, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
real = getattr(os, name)
def step(*arguments, **options):
    ours = name != "open" or arguments[1] & os.O_CREAT
    if ours and moment == "before":
        os.kill(os.getpid(), number)
    result = real(*arguments, **options)
    if ours and moment == "after":
        os.kill(os.getpid(), number)
    return result
setattr(os, name, step)
sys.argv[1:] = ["fix", "--isolated", "--output-format", "concise"]
program()
"""
MOMENTS = [(step, moment) for step in ("open", "fchmod", "write", "fsync", "rename")
           for moment in ("before", "after")]


def die(catalog: Catalog, step: str, moment: str, number: int) -> subprocess.CompletedProcess[str]:
    """Run `fix`, and send it a signal at a moment of the replacement."""
    return subprocess.run(
        [sys.executable, "-c", DRIVER, step, moment, str(int(number))], cwd=catalog.root,
        capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(("step", "moment"), MOMENTS)
def test_killed_process_leaves_the_old_file_or_the_new_one(
    catalog: Catalog, step: str, moment: str
) -> None:
    assert die(catalog, step, moment, signal.SIGKILL).returncode == -signal.SIGKILL
    is_done = (step, moment) == ("rename", "after")
    assert catalog.page.read_text() == (PAGE if is_done else STALE)
    # what else is left is hidden: neither Jekyll nor the next run takes it for a page
    assert all(name.startswith(".") for name in catalog.files() if name != "specs.md")
    assert fix([str(catalog.root)]).report.findings == ()
    assert catalog.page.read_text() == PAGE


@pytest.mark.parametrize(("step", "moment"), MOMENTS)
def test_interrupted_process_leaves_no_other_file(catalog: Catalog, step: str, moment: str) -> None:
    done = die(catalog, step, moment, signal.SIGINT)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "cachelint: interrupted\n"
    is_done = (step, moment) == ("rename", "after")
    assert catalog.page.read_text() == (PAGE if is_done else STALE)
    assert catalog.files() == ["specs.md"]


BLOCK = PAGE.replace(valid.lines()["meta"], "\n".join([
    "meta:", "  compilers:", "  - gcc@11.4.0", "  num_specs: 3", "  num_specs_by_stack:",
    "    e4s: 1", "    root: 2", "  oss: [ubuntu22.04]", "  platforms: [linux]",
    "  stacks: [e4s, root]", "  targets: [x86_64_v3]", '  versions: ["1.2.13", "1.3.1"]']))
MUTATED = {
    "comment instead of an item": BLOCK.replace("- gcc@11", "-  # cgcc@11").replace(
        "layout", "# a\nlayout"),
    "comment in a mapping": in_place(
        'meta: {"num_specs": 2, "num_specs_by_stack": {"e4s"# c\n, "root": 2}, "oss": ["x"]}'),
    "quote in an item": in_place("meta: {num_specs: 3, # x\n targets: [x86_\"64_v3]}"),
    "separator in a key": in_place("meta: {num_specs: 3, # x\n targets\u2028: [x86_64_v3]}"),
    "emoji in a version": in_place("meta: {num_specs: 3,\n versions: ['1.2.13']} # x").replace(
        '["1.3.1"]', '["1.\U0001f6003.1"]'),
    "separator in a spec": PAGE.replace('"compiler": "gcc', '"compiler": "\u2028gcc'),
    "separator in the last spec": PAGE.replace('["1.2.13"]', '["1.2.13\u2028"]'),
    "emoji and a comment": PAGE.replace("meta:", "# x\nmeta:").replace('["1.3.1"]', '["😀"]'),
    "separators in a stack and in a comment": TARBALL_PAGE.replace(
        '["e4s", "root"], "targets"', '["e\u20284s", "root"], "targets"').replace(
            "meta:", "# \x85\nmeta:"),
    "separators in a key and between values": in_place(
        'meta: {num_specs: 2, # x\n num_specs_by_stack: {"e4s\u2028": 1, "root": 2},\x85 oss: []}'),
    "tabs and a word that depends on the reader": in_place(
        "meta: {num_specs: 3, # x\n\ttargets: [no]}"),
    "date that a list has as a string": in_place(
        "meta: {num_specs: 2, # x\n versions: [2025-02-30, '1.2.13']}").replace(
            '["1.3.1"]', '["2025-02-30"]'),
    "date in a list in block form": BLOCK.replace(
        'versions: ["1.2.13", "1.3.1"]', "versions:\n  - 1.2.13\n  - 2025-02-30").replace(
            '["1.3.1"]', '["2025-02-30"]').replace("layout", "# a\nlayout"),
}
UNWRITABLE = {
    "quote in the title": TARBALL_PAGE.replace('title: "zlib"', 'title: zl"ib'),
    "escapes in the tag": TARBALL_PAGE.replace(
        f"[package, {valid.TAG}]", r"[package, v0.20\ud83d\ude00.0]"),
}


@pytest.mark.parametrize("num_specs", [2, 3])
@pytest.mark.parametrize("text", UNWRITABLE.values(), ids=UNWRITABLE)
def test_page_whose_names_cannot_be_written_is_not_called_fixable_by_its_order(
    text: str, num_specs: int
) -> None:
    raw = text.replace('"num_specs": 2', f'"num_specs": {num_specs}').replace(
        '{"compiler": "gcc@11.4.0", ', '{', 1).replace(
            '"os": "ubuntu22.04"', '"os": "ubuntu22.04", "compiler": "gcc@11.4.0"', 1).encode()
    settings = Settings(selected=Settings().selected | {"CL507"})
    fixed = fix_page(raw, settings=settings, context=valid.CONTEXT)
    fixable = {each.code for each in fixed.found if each.fixable}
    assert fixable <= {"CL301", "CL507"}
    assert ("CL301" in fixable) is (num_specs == 3)
    assert fixed.reason == ""
    assert not [each for each in fixed.findings if each.fixable]
    again = fix_page(fixed.content, settings=settings, context=valid.CONTEXT)
    assert again.content == fixed.content


@pytest.mark.parametrize("text", MUTATED.values(), ids=MUTATED)
def test_what_is_called_fixable_is_fixed(text: str) -> None:
    fixed = fix_text(text)
    if not any(each.fixable for each in fixed.found):
        assert fixed.content == text.encode()
        return
    assert fixed.reason == ""
    assert not [each for each in fixed.findings if each.fixable]
    assert fix_text(fixed.content).content == fixed.content
