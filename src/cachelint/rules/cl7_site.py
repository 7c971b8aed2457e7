"""CL7xx: text that the site, or the loaders of YAML that it has used, cannot take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from cachelint.document.page import Page
from cachelint.document.schema import show
from cachelint.document.strict_json import dumps, escape_token
from cachelint.document.yaml import breaks_loaders, depends_on_loader
from cachelint.model import PageContext, Problem, RuleOptions, Severity
from cachelint.rules.base import ALL, emitted_rule, on_value, page_rule

_UNSAFE = re.compile(r'["\\<>\x00-\x1f\x7f-\x9f]').search
_UNSAFE_OR_BLANK = re.compile(r'["\\<>\s\x00-\x1f\x7f-\x9f]').search
_UNSAFE_VARIANT = re.compile(r"[<>\x00-\x1f\x7f-\x9f]").search
_RAW = re.compile("[\x7f-\x9f\ufffe\uffff]")
_OUTSIDE_BMP = re.compile("[\ud800-\udfff\U00010000-\U0010ffff]")


@on_value(("compiler", "os", "platform", "target"))
def _unsafe_word(value: str, _: RuleOptions) -> Iterator[Problem]:
    if found := _UNSAFE_OR_BLANK(value):
        yield _unsafe("", value, found[0])


@on_value(("stacks", "versions"), each=True)
def _unsafe_item(value: str, _: RuleOptions) -> Iterator[Problem]:
    if found := _UNSAFE(value):
        yield _unsafe("", value, found[0])


@on_value("variants", each=True)
def _unsafe_variant(value: str, _: RuleOptions) -> Iterator[Problem]:
    if found := _UNSAFE_VARIANT(value):
        yield _unsafe("", value, found[0])


def _unsafe(pointer: str, value: str, character: str) -> Problem:
    return Problem(pointer, f"unsafe character {show(character)} in {show(value)}: the site's "
                            "templates do not escape it")


@page_rule("CL701", "unsafe-text", values=_unsafe_word + _unsafe_item + _unsafe_variant)
def unsafe_text(page: Page, _: PageContext) -> Iterator[Problem]:
    r"""Text that breaks out of the places where the site's templates put it.

    Templates write values unescaped into JSON, scripts and HTML attributes: a `"` in one version
    makes `api/data.json` no JSON, and search is dead for every package; a `<` is markup on the
    page. Refused are `"`, `\`, `<`, `>` and control characters in title, tag, compiler, os,
    platform, target, versions and stacks, white space in compiler, os, platform and target, and
    `<`, `>` and control characters in variants.

    Bad:

        spec_details: [{… "os": "</script>" …}, …]

    Good:

        spec_details: [{… "os": "ubuntu22.04" …}, …]

    Fix: none.
    """
    title, categories = page.data.get("title"), page.data.get("categories")
    if isinstance(title, str) and (found := _UNSAFE(title)):
        yield _unsafe("/title", title, found[0])
    if (isinstance(categories, list) and len(categories) == 2 and isinstance(categories[1], str)
            and (found := _UNSAFE(categories[1]))):
        yield _unsafe("/categories/1", categories[1], found[0])


@page_rule("CL703", "loader-dependent", supersedes=("CL204", "CL701"))
def loader_dependent(page: Page, _: PageContext) -> Iterator[Problem]:
    r"""Text that YAML loaders read differently, or refuse.

    - A character outside the Basic Multilingual Plane, which `json.dumps` writes as two escapes
      (`\ud83d\ude00`): Jekyll refuses the page.
    - U+0085, DEL and C1 controls that are not escaped.
    - The key `<<`, and keys of 1,023 characters or more.
    - A tag or title without quotes, such as `no`, `1e3` or `017`, that is text to one loader and a
      truth value or a number to another.

    Bad:

        spec_details: [{… "variants": ["note=\ud83d\ude00"] …}, …]

    Good:

        spec_details: [{… "variants": ["note=smile"] …}, …]

    Fix: none. Only a person can choose another name or value.
    """
    for pointer in ("/title", "/categories/1"):
        value = _text_at(page, pointer)
        if value is not None and page.is_plain(pointer) and depends_on_loader(value):
            yield Problem(pointer, f"{value} without quotes is text to some YAML loaders, and a "
                                   "truth value, number or date to others")
    text = page.text
    if (text.isascii() and "\\u" not in text and "\x7f" not in text and "<<" not in text
            and not page.schema_errors and not _long_stack(page)):
        return
    for pointer, value, is_key in _texts(page.data, ""):
        if pointer.startswith("/meta/") and not is_key:
            continue  # taken over from a spec, or for CL3xx to report
        if is_key and breaks_loaders(value):
            if value == "<<" and _is_taken_over(page, pointer, value):
                continue
            shown = "the key <<" if value == "<<" else f"a key of {len(value):,} characters"
            yield Problem(pointer, f"{shown}, which YAML loaders merge, drop or refuse",
                          _key_span(page, pointer))
        elif outside := _OUTSIDE_BMP.search(value):
            if is_key and _is_taken_over(page, pointer, value):
                continue
            what = ("half a character" if "\ud800" <= outside[0] <= "\udfff"
                    else "outside the Basic Multilingual Plane")
            yield Problem(pointer, f"{_name(outside[0])} is {what}: as the generator writes it, "
                                   "Jekyll cannot load the page",
                          _key_span(page, pointer) if is_key else None)
        elif not is_key and (raw := _RAW.search(page.raw(pointer))):
            yield Problem(pointer, f"{_name(raw[0])} stands here unescaped: YAML loaders refuse it "
                                   "or read a blank")


def _text_at(page: Page, pointer: str) -> str | None:
    """Return the text at ``pointer``; None where there is none."""
    try:
        value = page.value(pointer)
    except (KeyError, IndexError, TypeError, ValueError):
        return None
    return value if type(value) is str else None


def _key_span(page: Page, pointer: str) -> Any:
    return page.span_of(pointer, key=True)


def _name(character: str) -> str:
    return f"U+{ord(character):04X}"


def _long_stack(page: Page) -> bool:
    by_stack = page.expected_meta.get("num_specs_by_stack", ())
    return any(breaks_loaders(stack) for stack in by_stack)


def _is_taken_over(page: Page, pointer: str, key: str) -> bool:
    """Say whether a key of `meta` is the name of a stack, at whose spec it is reported."""
    by_stack = "/meta/num_specs_by_stack/"
    return pointer.startswith(by_stack) and key in page.expected_meta.get("num_specs_by_stack", ())


def _texts(value: Any, pointer: str) -> Iterator[tuple[str, str, bool]]:
    """Yield every text below ``value``: its pointer, itself, and whether it is a key."""
    if isinstance(value, str):
        yield pointer, value, False
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, f"{pointer}/{index}")
    elif isinstance(value, dict):
        for key, item in value.items():
            below = f"{pointer}/{escape_token(key)}"
            yield below, key, True
            yield from _texts(item, below)


@emitted_rule("CL702", "tag-name", by="tag", formats=ALL, severity=Severity.WARNING)
def tag_name() -> None:
    """A tag that the site cannot sort.

    Its templates know `develop`, `develop-YYYY-MM-DD`, and `v` with dotted numbers; a name such as
    `v1.0.0-rc1` breaks the order of all tags. Reported once a tag, at its entry in `_data/tags.yaml`,
    or else on its first page.

    Fix: none.
    """


SORTABLE_TAG = re.compile(r"develop(?:-[0-9]{4}-[0-9]{2}-[0-9]{2})?|v[0-9]+(?:\.[0-9]+)*").fullmatch
"""Matches the tags that the site can sort (CL702)."""


def unsortable(tag: str) -> str:
    """Say that the site cannot sort ``tag``."""
    return (f"the site cannot sort the tag {dumps(tag)}: it knows develop, develop-YYYY-MM-DD, "
            "and v with dotted numbers")


RULES = (unsafe_text, tag_name, loader_dependent)
