"""CL5xx: canonical form, in which the same contents are always the same file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from cachelint.document.formats import KEYS
from cachelint.document.page import Page
from cachelint.document.render import render_entry
from cachelint.document.schema import show, show_name
from cachelint.document.strict_json import dumps, escape_token
from cachelint.document.variants import variant_names
from cachelint.model import PageContext, Problem, RuleOptions, SchemaErrorKind, Severity
from cachelint.rules.base import ALL, CURRENT, TARBALL, Fix, emitted_rule, page_rule, value_rule
from cachelint.text import common_prefix, escape_unsafe

_HASH = re.compile(r"[a-z2-7]{32}").fullmatch


def _is_sorted(values: list[str]) -> bool:
    return values == sorted(values)


def _mappings(page: Page) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield each mapping in the order of the page: pointer, keys, keys in order."""
    top = [key for key in page.data if key in KEYS]
    yield "", top, sorted(top, key=KEYS.index)
    for name in page.data:
        value = page.data[name]
        if name == "meta" and isinstance(value, dict):
            yield "/meta", list(value), sorted(value)
            by_stack = value.get("num_specs_by_stack")
            if isinstance(by_stack, dict):
                yield "/meta/num_specs_by_stack", list(by_stack), sorted(by_stack)
        elif name == "spec_details":
            for index, spec in enumerate(page.specs):
                if isinstance(spec, dict):
                    yield f"/spec_details/{index}", list(spec), sorted(spec)


@page_rule("CL501", "key-order", formats=CURRENT, fixability=Fix.REWRITE)
def key_order(page: Page, _: PageContext) -> Iterator[Problem]:
    """Keys are not in canonical order.

    ## What it does

    Reports, once for each page, the first mapping whose keys are not in the order of the generator:
    `title`, `layout`, `categories`, `meta`, `spec_details` at the top level, and sorted below.

    ## Why it is a problem

    The order has no meaning, but each change of it is a change of the file, and stays in the history
    of the repository.

    ## Example

        layout: cache
        title: "zlib"

    ## Use instead

        title: "zlib"
        layout: cache

    ## Fix

    Rewrites the page.
    """
    for pointer, keys, due in _mappings(page):
        if keys != due:
            first, instead = next((a, b) for a, b in zip(keys, due, strict=True) if a != b)
            at_fault = page.span_of(f"{pointer}/{escape_token(first)}", key=True)
            yield Problem(pointer, "keys are not in canonical order: expected "
                                   f"{show(instead)}, found {show(first)}",
                          other_span=at_fault, other_label=f"expected {show(instead)}")
            return


@page_rule("CL502", "unsorted-list", formats=CURRENT, fixability=Fix.REWRITE)
def unsorted_list(page: Page, _: PageContext) -> Iterator[Problem]:
    """A list is not sorted.

    ## What it does

    Reports each list of `meta` that is not sorted, and the first spec whose `stacks` are not. The order
    is that of code points: `1.10` comes before `1.9`.

    ## Why it is a problem

    Equal data is then equal bytes, and the next regeneration changes nothing.

    ## Example

        meta: {… "versions": ["1.3.1", "1.2.13"] …}

    ## Use instead

        meta: {… "versions": ["1.2.13", "1.3.1"] …}

    ## Fix

    Rewrites the page.
    """
    meta = page.data.get("meta")
    for key, values in meta.items() if isinstance(meta, dict) else ():
        if _is_unsorted(values):
            yield Problem(f"/meta/{key}", f"{key} is not sorted: {_first_out_of_order(values)}")
    for index, spec in enumerate(page.specs):
        if isinstance(spec, dict) and _is_unsorted(spec.get("stacks")):
            yield Problem(f"/spec_details/{index}/stacks",
                          f"stacks of {page.name_spec(index)} is not sorted: "
                          f"{_first_out_of_order(spec['stacks'])}")
            return


def _is_unsorted(values: Any) -> bool:
    return (isinstance(values, list) and all(isinstance(value, str) for value in values)
            and not _is_sorted(values))


def _first_out_of_order(values: list[str]) -> str:
    later, earlier = next((a, b) for a, b in pairwise(values) if a > b)
    return f"{show_name(earlier)} comes before {show_name(later)}"


@page_rule("CL503", "unsorted-specs", formats=CURRENT, fixability=Fix.REWRITE)
def unsorted_specs(page: Page, _: PageContext) -> Iterator[Problem]:
    """Specs are not in the order of their hashes.

    ## What it does

    Reports a page whose specs are not sorted by `hash`.

    ## Why it is a problem

    One page of a release was committed 581 times, with the same specs in another order each time. In
    the order of their hashes, equal data is equal bytes.

    ## Example

        spec_details: [{… "hash": "zgla7zae7wzvfpiosiwj32g4t3aubjbf" …}, {… "hash": "2c44nm4mufjlcr3pyjmzmr4ukhpgf5uv" …}]

    ## Use instead

        spec_details: [{… "hash": "2c44nm4mufjlcr3pyjmzmr4ukhpgf5uv" …}, {… "hash": "zgla7zae7wzvfpiosiwj32g4t3aubjbf" …}]

    ## Fix

    Rewrites the page.
    """
    hashes = list(filter(_HASH, page.hashes))
    if not _is_sorted(hashes):
        yield Problem("/spec_details",
                      f"specs are not in the order of their hashes: {_first_out_of_order(hashes)}")


@page_rule("CL504", "serialisation", formats=CURRENT, fixability=Fix.REWRITE)
def serialisation(page: Page, _: PageContext) -> Iterator[Problem]:
    """A value is not in canonical form.

    ## What it does

    Compares each top-level value with what the generator writes for the same data: other spaces, quotes
    or escapes, or block YAML instead of JSON on one line. Also reports comments, blank lines, and
    whitespace after the opening `---`.

    ## Why it is a problem

    The next regeneration reverts such a change, and comments are lost.

    ## Example

        title: zlib

    ## Use instead

        title: "zlib"

    ## Fix

    Rewrites the page, unless it has comments.
    """
    wrong_types = {error.pointer.split("/")[1] for error in page.schema_errors
                   if error.kind is SchemaErrorKind.TYPE and error.pointer}
    for entry in page.entries:
        if entry.key not in KEYS or entry.key in wrong_types:
            continue
        value = page.data[entry.key]
        written = page.source(entry)
        if not isinstance(value, (dict, list, str)):
            continue
        expected = render_entry(entry.key, value)
        if written != expected:
            same = common_prefix(written, expected)
            first = written.partition("\n")[0]
            at = entry.start + same
            yield Problem(f"/{entry.key}", f"{entry.key} is not in canonical form: "
                                           f"{_difference(expected, written, entry.key)}",
                          other_span=page.span(at, at + 1),
                          other_label=f"expected {_cut(expected[same:], 0, 20, first[same:])}")
    yield from _between_entries(page)


def _cut(text: str, start: int, most: int, other: str) -> str:
    """Return a part of a value as it is written, beside the same part of another.

    It is quoted if a character of one of them is shown as an escape, which the other may contain.
    """
    end = start + most
    part = text[start:end]
    both = part + other[start:end]
    if escape_unsafe(both) != both:
        part = dumps(part)
    return f"{'…' * (start > 0)}{part}{'…' * (end < len(text))}"


def _difference(expected: str, written: str, key: str) -> str:
    """Return what is expected and what is found, whole where it is short."""
    if "\n" in written:
        return f"expected one line, found {written.count(chr(10)) + 1:,}"
    expected, written = (text.removeprefix(f"{key}: ") for text in (expected, written))
    if max(len(expected), len(written)) <= _SHORT:
        return f"expected {expected}, found {written}"
    same = common_prefix(expected, written)
    at = max(0, same - _BEFORE)
    return (f"expected {_cut(expected, at, _SHORT, written)}, "
            f"found {_cut(written, at, _SHORT, expected)} at character {same + 1:,}")


_SHORT, _BEFORE = 40, 10
"""Characters of a value that are shown at most, and before the first that differs."""


def _between_entries(page: Page) -> Iterator[Problem]:
    """Yield what is between the entries: once, at the first such line."""
    text = page.text
    if page.comments:
        start = page.comments[0]
        span = page.span(start, text.index("\n", start))
        yield Problem("", f"comment on line {span.line:,}: canonical form has none",
                      other_span=span)
        return
    if page.opening_end > 4:
        # what is not a space is refused by some readers (CL703)
        if not text[3 : page.opening_end - 1].strip(" "):
            yield Problem("", "whitespace follows the opening `---`")
        return
    ends = [page.opening_end, *(entry.end + 1 for entry in page.entries)]
    starts = [*(entry.start for entry in page.entries), page.closing_start]
    for end, start in zip(ends, starts, strict=True):
        if start > end:
            span = page.span(end, end)
            yield Problem("", f"blank line {span.line:,}: canonical form has none",
                          other_span=span)
            return
    # with text after it, it ends the front matter too early (CL108)
    if not text.startswith("---", page.closing_start) and not page.body.strip():
        yield Problem("", "the front matter ends in `...`, expected `---`")


@emitted_rule("CL505", "trailing-whitespace", formats=ALL, severity=Severity.WARNING, fixability=Fix.FILE, by="parser")
def trailing_whitespace() -> None:
    """Whitespace follows the closing `---`.

    ## What it does

    Reports a newline or other whitespace after the front matter of a page with specs. Tag pages may end
    in a newline.

    ## Why it is a problem

    The generator writes nothing there, so the next regeneration changes the file. Editors and the hooks
    `end-of-file-fixer` and `trailing-whitespace` add or remove such bytes: exclude pages from them.

    ## Example

        ---
        …
        ---<LF>

    ## Use instead

        ---
        …
        ---

    ## Fix

    Removes the whitespace.
    """


@value_rule("CL506", "unsorted-variants", field="variants", severity=Severity.WARNING,
            first_only=True)
def unsorted_variants(value: list[str], _: RuleOptions) -> Iterator[Problem]:
    """The variants of a spec are not sorted by name.

    ## What it does

    Reports, once for each page, the first spec whose variants are not sorted by name, whatever their
    sign: `build_system=cmake`, `~ipo`, `+shared`.

    ## Why it is a problem

    Spack sorts variants by name. Another order means that something else wrote the page.

    ## Example

        spec_details: [{… "variants": ["+shared", "build_system=makefile"] …}, …]

    ## Use instead

        spec_details: [{… "variants": ["build_system=makefile", "+shared"] …}, …]

    ## Fix

    None. Specs are never changed.
    """
    names = list(filter(None, variant_names(value)))
    if not _is_sorted(names):
        yield Problem("", f"variants are not sorted by name: {_first_out_of_order(names)}")


@page_rule("CL507", "unstable-order", formats=TARBALL, severity=Severity.WARNING, fixability=Fix.REWRITE,
      default=False)
def unstable_order(page: Page, _: PageContext) -> Iterator[Problem]:
    """A page in the tarball format is not in canonical order.

    ## What it does

    Reports, once for each page, specs that are not sorted by hash, and lists and keys that are not
    sorted. This rule is off unless it is selected by its code or name, since it reports nearly every old
    page.

    ## Why it is a problem

    Pages of 2022 to 2025-02 were written in the order of a database, which differs at each
    regeneration: bytes change, and the data does not. In canonical order they stay as they are.

    ## Example

        spec_details: [{"tarball": "https://binaries.spack.io/develop-2025-03-30/build_cache/linux-ubuntu22.04-x86_64_v3/gcc-11.4.0/zlib-1.3.1/linux-ubuntu22.04-x86_64_v3-gcc-11.4.0-zlib-1.3.1-2c44nm4mufjlcr3pyjmzmr4ukhpgf5uv.spack", … }, {… "tarball": "https://binaries.spack.io/develop-2025-03-30/build_cache/linux-ubuntu22.04-x86_64_v3/gcc-11.4.0/zlib-1.2.13/linux-ubuntu22.04-x86_64_v3-gcc-11.4.0-zlib-1.2.13-zgla7zae7wzvfpiosiwj32g4t3aubjbf.spack" …}]

    ## Use instead

        spec_details: [{… "tarball": "https://binaries.spack.io/develop-2025-03-30/build_cache/linux-ubuntu22.04-x86_64_v3/gcc-11.4.0/zlib-1.3.1/linux-ubuntu22.04-x86_64_v3-gcc-11.4.0-zlib-1.3.1-2c44nm4mufjlcr3pyjmzmr4ukhpgf5uv.spack" …}, {… "tarball": "https://binaries.spack.io/develop-2025-03-30/build_cache/linux-ubuntu22.04-x86_64_v3/gcc-11.4.0/zlib-1.2.13/linux-ubuntu22.04-x86_64_v3-gcc-11.4.0-zlib-1.2.13-zgla7zae7wzvfpiosiwj32g4t3aubjbf.spack" …}]

    ## Fix

    Rewrites the page in canonical order, if this rule is selected.
    """
    if not _is_sorted(page.hashes):
        yield Problem("", f"specs are not in the order of their hashes: "
                          f"{_first_out_of_order(page.hashes)}")
        return
    meta = page.meta
    lists = [(f"/meta/{key}", value) for key, value in meta.items()] if isinstance(meta, dict) else []
    lists += [(f"/spec_details/{index}/stacks", spec.get("stacks"))
              for index, spec in enumerate(page.specs) if isinstance(spec, dict)]
    for pointer, keys, due in _mappings(page):
        if keys != due:
            yield Problem("", f"keys of {pointer or 'the front matter'} are not sorted")
            return
    for pointer, values in lists:
        if _is_unsorted(values):
            yield Problem("", f"{pointer} is not sorted: {_first_out_of_order(values)}")
            return


RULES = (
    key_order, unsorted_list, unsorted_specs, serialisation, trailing_whitespace,
    unsorted_variants, unstable_order,
)
