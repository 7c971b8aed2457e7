"""CL7xx: text that the site, or the loaders of YAML that it has used, cannot take."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from cachelint.document.formats import BY_FORMAT
from cachelint.document.page import Page
from cachelint.document.schema import show
from cachelint.document.strict_json import dumps, escape_token
from cachelint.document.yaml import (
    ReaderDependent,
    depends_on_reader,
    is_safe_key,
    quoted_key_hazard,
    resolve,
)
from cachelint.model import PageContext, Problem, RuleOptions, SchemaErrorKind, Severity
from cachelint.rules.base import ALL, emitted_rule, on_value, page_rule

_UNSAFE = re.compile(r'["\\<>\x00-\x1f\x7f-\x9f]').search
_UNSAFE_OR_BLANK = re.compile(r'["\\<>\s\x00-\x1f\x7f-\x9f]').search
_UNSAFE_VARIANT = re.compile(r"[<>\x00-\x1f\x7f-\x9f]").search
# patterns of rare pages, compiled when they are first used
# some readers drop U+FEFF at the beginning of each line
_RAW = "[\x7f-\x9f\u2028\u2029\ufffe\uffff]|(?<=\n)\ufeff"
_AS_SURROGATES = r"\\u[dD][89abAB]"
_HAZARDS = "[\x7f-\x9f\u2028\u2029\ufffe\uffff\ud800-\udfff\U00010000-\U0010ffff]"
_OUTSIDE_BMP = "[\ud800-\udfff\U00010000-\U0010ffff]"


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


@page_rule("CL701", "unsafe-text", values=_unsafe_word + _unsafe_item + _unsafe_variant,
           restates_schema=True)
def unsafe_text(page: Page, _: PageContext) -> Iterator[Problem]:
    r"""A value contains characters that the site does not escape.

    ## What it does

    Reports `"`, `\`, `<`, `>` and control characters in title, tag, compiler, os, platform, target,
    versions and stacks, whitespace in compiler, os, platform and target, and `<`, `>` and control
    characters in variants.

    ## Why it is a problem

    The templates write values unescaped into JSON, scripts and HTML attributes. One `"` in a version
    makes `api/data.json` invalid, and the search fails for every package; a `<` is markup on the page.

    ## Example

        spec_details: [{… "os": "</script>" …}, …]

    ## Use instead

        spec_details: [{… "os": "ubuntu22.04" …}, …]

    ## Fix

    None.
    """
    title, categories = page.data.get("title"), page.data.get("categories")
    if isinstance(title, str) and (found := _UNSAFE(title)):
        yield _unsafe("/title", title, found[0])
    if (isinstance(categories, list) and len(categories) == 2 and isinstance(categories[1], str)
            and (found := _UNSAFE(categories[1]))):
        yield _unsafe("/categories/1", categories[1], found[0])


@page_rule("CL703", "loader-dependent",
           supersedes=("CL202", "CL203", "CL204", "CL404", "CL701"))
def loader_dependent(page: Page, _: PageContext) -> Iterator[Problem]:
    r"""Readers of YAML disagree about a value or key.

    ## What it does

    Reports text that some readers of YAML read differently or refuse:

    - A character outside the Basic Multilingual Plane where the canonical form escapes it
      (`\ud83d\ude00`). Where it is not escaped and no regeneration escapes it, all readers agree.
    - U+0085, U+2028, U+2029, DEL and C1 control characters that are not escaped.
    - A tab, VT or FF after the opening `---`, and U+FEFF at the beginning of a line.
    - Tabs between values, comments without a space before them, and lines that are not indented enough.
    - The key `<<`, and quoted keys of 1,023 characters or more, escapes included.
    - A value or key without quotes, such as `no`, `tRue`, `1:30` or `017`, that is a string for one reader
      and a boolean or a number for another.

    In the files in `_data` it allows a value or key without quotes that is something else for another reader,
    unless Ruby refuses it (`:a`).

    ## Why it is a problem

    Jekyll refuses the page, or the site shows something else than what this check has read.

    ## Example

        spec_details: [{… "variants": ["note=\ud83d\ude00"] …}, …]

    ## Use instead

        spec_details: [{… "variants": ["note=smile"] …}, …]

    ## Fix

    None. Only a person can choose another name or value.
    """
    found = _find_hazards(page, page.dependent)
    in_specs = {value for value, problem in found if not problem.pointer.startswith("/meta/")}
    for value, problem in found:
        if value is None or not problem.pointer.startswith("/meta/") or not (
                value in in_specs or _is_reported(page, problem.pointer, value)):
            yield problem


def loader_dependent_in_own_file(page: Page) -> list[Problem]:
    """List what CL703 reports in one of the catalog's own files."""
    dependent = [each for each in page.dependent
                 if page.opening_end or not _has_other_type(page, each)]  # or it is in `_data`
    return [problem for _, problem in _find_hazards(page, dependent)]


def _find_hazards(
    page: Page, dependent: Iterable[ReaderDependent]
) -> list[tuple[str | None, Problem]]:
    """List the problems of a page or own file, each with the word that it is about, or None."""
    found = [*_at_start(page), *_without_quotes(page, dependent), *_in_strings(page)]
    return [*found, *_between_tokens(page, found)]


def _has_other_type(page: Page, each: ReaderDependent) -> bool:
    """Return whether a scalar is only of another type for another reader; Ruby refuses `:a`."""
    written = page.text[each.node.start : each.node.end]
    return not (each.is_number or each.is_layout) and written[:1] not in ("", ":", "<") and (
        depends_on_reader(written) or type(resolve(written)) is not str)


def _is_reported(page: Page, pointer: str, value: str) -> bool:
    """Return whether another rule reports a value of `meta`, or the spec that it was taken from.

    A value that no spec has is for CL3xx, and the name `<<` of a stack for CL701.
    """
    _, _, key, *below = pointer.split("/")
    expected = page.expected_meta.get("stacks" if key == "num_specs_by_stack" else key)
    return bool(below) and isinstance(expected, list) and ((value in expected) == (value == "<<"))


def _at_start(page: Page) -> Iterator[tuple[None, Problem]]:
    """Yield what readers refuse where the front matter begins."""
    opening = page.text[3 : page.opening_end].rstrip("\n")
    if strange := opening.strip(" "):
        yield None, Problem("", f"{_name(strange[0])} follows the opening `---`: some readers of "
                                "YAML refuse it")
    elif page.text.startswith("\ufeff", page.opening_end):
        yield None, Problem("", "U+FEFF follows the line of the opening `---`: some readers of YAML "
                                "refuse it or read it as part of the first key")


def _without_quotes(
    page: Page, dependent: Iterable[ReaderDependent]
) -> Iterator[tuple[str | None, Problem]]:
    """Yield keys and values without quotes that depend on the reader; None where a number is."""
    wrong_types = {error.pointer for error in page.schema_errors if error.kind is SchemaErrorKind.TYPE}
    is_canonical = BY_FORMAT[page.format].is_canonical
    for pointer, node, _, reason, is_number, is_layout in dependent:
        # a number where a string belongs is of the wrong type, however it is written
        if not (is_number and pointer in wrong_types) and not (is_layout and is_canonical):
            value = page.text[node.start : node.end]
            is_word = not (is_number or is_layout) and value[:1] not in ("'", '"')
            yield value if is_word else None, Problem(
                pointer, f"{show(value)[1:-1]} {reason}", page.span(node.start, node.end))


def _between_tokens(
    page: Page, found: Sequence[tuple[str | None, Problem]]
) -> Iterator[tuple[None, Problem]]:
    """Yield the first character that some readers refuse outside keys and strings.

    Those that contain one have been ``found``.
    """
    if len(found) >= _MOST_STRINGS:
        return
    pointers = [problem.pointer for _, problem in found]
    raw = None if page.text.isascii() else _find_raw(page, pointers)
    if raw is not None:
        at, what = raw.start(), _name(raw[0])
    elif page.refused and not BY_FORMAT[page.format].is_canonical:  # elsewhere it is CL504's
        at = min(page.refused)
        what = "a tab" if page.text[at] == "\t" else "a comment without a space before it"
    else:
        return
    entry = page.entry_at(at)
    yield None, Problem(f"/{escape_token(entry.key)}" if entry else "",
                        f"{what} between values: some readers of YAML refuse it",
                        page.span(at, at + 1))


def _find_raw(page: Page, pointers: Iterable[str]) -> re.Match[str] | None:
    """Find the first raw separator in the front matter outside what is at the ``pointers``."""
    nodes = filter(None, map(page.locate, pointers))
    spans = sorted(span for node in nodes if not node.container
                   for span in ((node.key_start, node.key_end), (node.start, node.close)))
    search, last = re.compile(_RAW).search, page.closing_start or len(page.text)
    raw = search(page.text, page.opening_end + page.text.startswith("\ufeff", page.opening_end), last)
    for start, end in spans:
        if raw is None or raw.start() < start:
            break
        if raw.start() < end:
            raw = search(page.text, end, last)
    return raw


def _in_strings(page: Page) -> Iterator[tuple[str, Problem]]:
    """Yield keys in quotes and strings that some readers refuse or read differently."""
    text = page.text
    if (text.isascii() and "\\u" not in text and "\\U" not in text and "\x7f" not in text
            and "<<" not in text and not page.schema_errors and not _has_long_stack(page)):
        return
    # what is below an unknown key is lost anyway
    unknown = frozenset(error.pointer for error in page.schema_errors
                        if error.kind is SchemaErrorKind.UNKNOWN_KEY)
    for pointer, value, is_key in islice(_strings(page.data, "", unknown), _MOST_STRINGS):
        written = page.raw_key(pointer) if is_key else page.raw(pointer)
        if is_key and not is_safe_key(value) and written[:1] in ('"', "'") and (
                hazard := quoted_key_hazard(value, len(written) - 2)):
            reason = f"the key {show(value)} {hazard}"
        else:
            reason = _character_hazard(page, pointer, value, written)
        if reason:
            yield value, Problem(pointer, reason,
                                 page.span_of(pointer, key=True) if is_key else None)


def _character_hazard(page: Page, pointer: str, value: str, written: str) -> str:
    """Return which character of a string readers of YAML refuse or read differently."""
    if outside := re.search(_OUTSIDE_BMP, value):
        if "\ud800" <= outside[0] <= "\udfff":
            return f"{_name(outside[0])} is half a character: Jekyll cannot load the page"
        if re.search(_AS_SURROGATES, written) or _is_escaped_by_generator(page, pointer):
            return (f"{_name(outside[0])} is outside the Basic Multilingual Plane: in the two "
                    "escapes that the generator writes, Jekyll cannot load the page")
    if raw := re.search(_RAW, written):
        return f"{_name(raw[0])} is not escaped: some readers of YAML refuse it or read a space"
    return ""


def _is_escaped_by_generator(page: Page, pointer: str) -> bool:
    """Return whether `fix` or the next regeneration escapes what is at ``pointer``."""
    return (BY_FORMAT[page.format].is_canonical and not page.comments
            and not pointer.startswith(("/title", "/categories")))


def _name(character: str) -> str:
    return f"U+{ord(character):04X}"


def _has_long_stack(page: Page) -> bool:
    by_stack = page.expected_meta.get("num_specs_by_stack", ())
    return not all(map(is_safe_key, by_stack))


_DEEPEST = 5
"""So deep are strings on a page nested; what is deeper is of a wrong type (CL203)."""
_MOST_STRINGS = 2000
"""So many strings are looked at closely on one page."""


_Hit = tuple[str, str, bool]
"""The pointer of a string, itself, and whether it is a key."""


def _strings(value: Any, pointer: str, skipped: frozenset[str], depth: int = 0) -> Iterator[_Hit]:
    """Yield each string and key below ``value`` that may be a hazard; ``skipped`` are pointers."""
    if depth > _DEEPEST or pointer in skipped or not isinstance(value, (dict, list)):
        return
    is_mapping = isinstance(value, dict)
    members: Iterable[tuple[Any, Any]] = (
        value.items() if isinstance(value, dict) else enumerate(value))
    for token, item in members:
        if is_mapping and (not is_safe_key(token) or _is_hazard(token)):
            yield f"{pointer}/{escape_token(token)}", token, True
        if isinstance(item, str):
            if _is_hazard(item):
                yield f"{pointer}/{escape_token(str(token))}", item, False
        elif item:
            below = f"{pointer}/{escape_token(str(token))}"
            yield from _strings(item, below, skipped, depth + 1)


def _is_hazard(text: str) -> bool:
    if text.isascii() and "\x7f" not in text:
        return False
    return re.search(_HAZARDS, text) is not None


@emitted_rule("CL702", "tag-name", by="tag", formats=ALL, severity=Severity.WARNING)
def tag_name() -> None:
    """The site cannot sort the name of a tag.

    ## What it does

    Reports, once for each tag, a name other than `develop`, `develop-YYYY-MM-DD`, or `v` with dotted
    numbers: at its entry in `_data/tags.yaml`, or else on its first page.

    ## Why it is a problem

    The templates of the site know only these forms. A name such as `v1.0.0-rc1` breaks the order of all
    tags.

    ## Fix

    None.
    """


SORTABLE_TAG = re.compile(r"develop(?:-[0-9]{4}-[0-9]{2}-[0-9]{2})?|v[0-9]+(?:\.[0-9]+)*").fullmatch
"""Matches the tags that the site can sort (CL702)."""


def unsortable(tag: str) -> str:
    """Describe that the site cannot sort ``tag``."""
    return (f"the site cannot sort tag {dumps(tag)}: expected develop, develop-YYYY-MM-DD, or v "
            "with dotted numbers")


RULES = (unsafe_text, tag_name, loader_dependent)
