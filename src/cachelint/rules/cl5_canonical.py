"""CL5xx: the one form that the generator writes, so that equal facts are equal bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from cachelint.document.formats import KEYS
from cachelint.document.page import Page
from cachelint.document.render import render_entry
from cachelint.document.strict_json import dumps
from cachelint.document.variants import is_variant, variant_name
from cachelint.model import PageContext, Problem, RuleOptions, SchemaErrorKind, Severity
from cachelint.rules.base import ALL, CURRENT, TARBALL, Fix, emitted_rule, page_rule, value_rule

_HASH = re.compile(r"[a-z2-7]{32}").fullmatch


def _is_sorted(values: list[str]) -> bool:
    return values == sorted(values)


def _mappings(page: Page) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield each mapping in the order in which they stand: pointer, keys, keys in order."""
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
    """Keys stand in another order than the generator's.

    At the top that is `title`, `layout`, `categories`, `meta`, `spec_details`; within, keys are
    sorted. Order says nothing, but each change of it is a change of the file, kept in the
    repository's history for good. Reported once a page, at the first such mapping.

    Bad:

        layout: cache
        title: "zlib"

    Good:

        title: "zlib"
        layout: cache

    Fix: rewrites the page.
    """
    for pointer, keys, due in _mappings(page):
        if keys != due:
            first, instead = next((a, b) for a, b in zip(keys, due, strict=True) if a != b)
            yield Problem(pointer, f"keys are not in the generator's order: {dumps(first)} stands "
                                   f"where {dumps(instead)} belongs")
            return


@page_rule("CL502", "unsorted-list", formats=CURRENT, fixability=Fix.REWRITE)
def unsorted_list(page: Page, _: PageContext) -> Iterator[Problem]:
    """A list of `meta`, or the `stacks` of a spec, is not sorted.

    Sorting is by code point: `1.10` comes before `1.9`. Equal facts are then equal bytes, and the
    next regeneration changes nothing. Each list of `meta` is reported, and of the specs the first.

    Bad:

        meta: {… "versions": ["1.3.1", "1.2.13"] …}

    Good:

        meta: {… "versions": ["1.2.13", "1.3.1"] …}

    Fix: rewrites the page.
    """
    meta = page.data.get("meta")
    for key, values in meta.items() if isinstance(meta, dict) else ():
        if _is_unsorted(values):
            yield Problem(f"/meta/{key}", f"{key} is not sorted: {_first_out_of_order(values)}")
    for index, spec in enumerate(page.specs):
        if isinstance(spec, dict) and _is_unsorted(spec.get("stacks")):
            yield Problem(f"/spec_details/{index}/stacks",
                          f"stacks of spec {index} is not sorted: "
                          f"{_first_out_of_order(spec['stacks'])}")
            return


def _is_unsorted(values: Any) -> bool:
    return (isinstance(values, list) and all(isinstance(value, str) for value in values)
            and not _is_sorted(values))


def _first_out_of_order(values: list[str]) -> str:
    later, earlier = next((a, b) for a, b in pairwise(values) if a > b)
    return f"{dumps(earlier)[1:-1]} belongs before {dumps(later)[1:-1]}"


@page_rule("CL503", "unsorted-specs", formats=CURRENT, fixability=Fix.REWRITE)
def unsorted_specs(page: Page, _: PageContext) -> Iterator[Problem]:
    """Specs do not stand in the order of their hashes.

    One page of a release that never changes was committed 581 times, with the same specs in
    another order each time. In the order of their hashes, equal facts are equal bytes.

    Bad:

        spec_details: [{… "hash": "zgla7zae7wzvfpiosiwj32g4t3aubjbf" …}, {… "hash": "2c44nm4mufjlcr3pyjmzmr4ukhpgf5uv" …}]

    Good:

        spec_details: [{… "hash": "2c44nm4mufjlcr3pyjmzmr4ukhpgf5uv" …}, {… "hash": "zgla7zae7wzvfpiosiwj32g4t3aubjbf" …}]

    Fix: rewrites the page.
    """
    hashes = [spec["hash"] for spec in page.specs
              if isinstance(spec, dict) and isinstance(spec.get("hash"), str) and _HASH(spec["hash"])]
    if not _is_sorted(hashes):
        yield Problem("/spec_details",
                      f"specs are not in the order of their hashes: {_first_out_of_order(hashes)}")


@page_rule("CL504", "serialisation", formats=CURRENT, fixability=Fix.REWRITE)
def serialisation(page: Page, _: PageContext) -> Iterator[Problem]:
    """A value is written in other bytes than the generator writes it in.

    It has other spaces, quotes or escapes, or is block YAML instead of JSON on one line. Comments,
    blank lines, and blanks after the opening `---` are reported too. The next regeneration would
    undo them all, and comments would be lost.

    Bad:

        title: zlib

    Good:

        title: "zlib"

    Fix: rewrites the page, unless there are comments.
    """
    wrong_types = {error.pointer.split("/")[1] for error in page.schema_errors
                   if error.kind is SchemaErrorKind.TYPE and error.pointer}
    for entry in page.entries:
        if entry.key not in KEYS or entry.key in wrong_types:
            continue
        value = page.data[entry.key]
        written = page.source(entry)
        if isinstance(value, (dict, list, str)) and written != render_entry(entry.key, value):
            yield Problem(f"/{entry.key}", f"{entry.key} is written {_how(written, entry.key)}")
    yield from _between_entries(page)


def _how(written: str, key: str) -> str:
    if "\n" in written:
        return "over several lines, where the generator writes one"
    if key in ("meta", "spec_details"):
        return "in other bytes than json.dumps writes (spaces, quotes, escapes)"
    return "in other bytes than the generator writes (spaces, quotes, escapes)"


def _between_entries(page: Page) -> Iterator[Problem]:
    """Yield what stands between the entries: said once, of the first such line."""
    text = page.text
    if page.comments:
        line = page.span(page.comments[0], page.comments[0]).line
        yield Problem("", f"a comment stands on line {line}, where the generator writes none")
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
            line = page.span(end, end).line
            yield Problem("", f"line {line} is blank, where the generator leaves none")
            return
    # with text after it, it ends the front matter too early (CL108)
    if not text.startswith("---", page.closing_start) and not page.body.strip():
        yield Problem("", "the front matter is closed by `...`, not by `---`")


@emitted_rule("CL505", "trailing-whitespace", formats=ALL, severity=Severity.WARNING, fixability=Fix.FILE, by="parser")
def trailing_whitespace() -> None:
    """A newline or blanks follow the closing `---`.

    The generator writes nothing there, so that the next regeneration changes the file. Editors and
    the hooks `end-of-file-fixer` and `trailing-whitespace` like to add or remove such bytes:
    exclude pages from them.

    Bad:

        ---
        …
        ---<LF>

    Good:

        ---
        …
        ---

    Fix: removes them.
    """


@value_rule("CL506", "unsorted-variants", field="variants", severity=Severity.WARNING,
            first_only=True)
def unsorted_variants(value: list[str], _: RuleOptions) -> Iterator[Problem]:
    """The variants of a spec are not sorted by name.

    Spack sorts them by name, whatever their sign: `build_system=cmake`, `~ipo`, `+shared`. Another
    order means that something else wrote the page. Reported once a page.

    Bad:

        spec_details: [{… "variants": ["+shared", "build_system=makefile"] …}, …]

    Good:

        spec_details: [{… "variants": ["build_system=makefile", "+shared"] …}, …]

    Fix: none. No spec is ever altered.
    """
    names = list(map(variant_name, filter(is_variant, value)))
    if not _is_sorted(names):
        yield Problem("", f"variants are not sorted by name: {_first_out_of_order(names)}")


@page_rule("CL507", "unstable-order", formats=TARBALL, severity=Severity.WARNING, fixability=Fix.REWRITE,
      default=False)
def unstable_order(page: Page, _: PageContext) -> Iterator[Problem]:
    """A page in the tarball format is not in canonical order.

    Pages of 2022 to 2025-02 were written in database order, which is another at each
    regeneration: bytes change and facts do not. In canonical order (specs by hash, lists and keys
    sorted) they stay as they are. Off unless it is selected by its own code or name, since every
    old page would be named.

    Bad:

        spec_details: [{"tarball": "https://binaries.spack.io/develop-2025-03-30/build_cache/linux-ubuntu22.04-x86_64_v3/gcc-11.4.0/zlib-1.3.1/linux-ubuntu22.04-x86_64_v3-gcc-11.4.0-zlib-1.3.1-2c44nm4mufjlcr3pyjmzmr4ukhpgf5uv.spack", … }, {… "tarball": "https://binaries.spack.io/develop-2025-03-30/build_cache/linux-ubuntu22.04-x86_64_v3/gcc-11.4.0/zlib-1.2.13/linux-ubuntu22.04-x86_64_v3-gcc-11.4.0-zlib-1.2.13-zgla7zae7wzvfpiosiwj32g4t3aubjbf.spack" …}]

    Good:

        spec_details: [{… "tarball": "https://binaries.spack.io/develop-2025-03-30/build_cache/linux-ubuntu22.04-x86_64_v3/gcc-11.4.0/zlib-1.3.1/linux-ubuntu22.04-x86_64_v3-gcc-11.4.0-zlib-1.3.1-2c44nm4mufjlcr3pyjmzmr4ukhpgf5uv.spack" …}, {… "tarball": "https://binaries.spack.io/develop-2025-03-30/build_cache/linux-ubuntu22.04-x86_64_v3/gcc-11.4.0/zlib-1.2.13/linux-ubuntu22.04-x86_64_v3-gcc-11.4.0-zlib-1.2.13-zgla7zae7wzvfpiosiwj32g4t3aubjbf.spack" …}]

    Fix: rewrites the page in canonical order, if this rule is selected.
    """
    hashes = [spec["hash"] for spec in page.specs
              if isinstance(spec, dict) and isinstance(spec.get("hash"), str)]
    meta = page.data.get("meta")
    lists = [(f"/meta/{key}", value) for key, value in meta.items()] if isinstance(meta, dict) else []
    lists += [(f"/spec_details/{index}/stacks", spec.get("stacks"))
              for index, spec in enumerate(page.specs) if isinstance(spec, dict)]
    if not _is_sorted(hashes):
        yield Problem("", f"specs are not in the order of their hashes: "
                          f"{_first_out_of_order(hashes)}")
        return
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
