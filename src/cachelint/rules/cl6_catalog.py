"""CL6xx: the page's folder in the catalog, and the catalog's own files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from itertools import pairwise
from typing import Any

from cachelint.document import schema
from cachelint.document.catalog_files import (
    META,
    TAG_PAGES,
    TAGS,
    Catalog,
    is_valid_file,
    permalink_of,
    render_tag_page,
    tags_of,
)
from cachelint.document.page import Page
from cachelint.document.schema import show
from cachelint.document.strict_json import escape_token, unescape_token
from cachelint.model import PageContext, Problem, Severity
from cachelint.rules.base import ALL, Fix, catalog_rule, emitted_rule, page_rule
from cachelint.text import nearest_name, plural


@page_rule("CL601", "title-mismatch", formats=ALL)
def title_mismatch(page: Page, context: PageContext) -> Iterator[Problem]:
    """`title` is not the package.

    ## What it does

    Compares `title` with the name of the page's folder.

    ## Why it is a problem

    The site lists the package under its title and links to it by its folder.

    ## Example

        title: "zstd"

    ## Use instead

        title: "zlib"

    ## Fix

    None. Either the title or the folder is wrong.
    """
    title, package = page.data.get("title"), context.page_id.package
    if package is None or title == package or not schema.compile_check("page-current", "/$defs/title")(title):
        return
    yield Problem("/title", f"title is {show(title)}, expected {show(package)}, the name of "
                            "the folder")


@page_rule("CL602", "tag-mismatch", formats=ALL)
def tag_mismatch(page: Page, context: PageContext) -> Iterator[Problem]:
    """The second category is not the tag.

    ## What it does

    Compares the second item of `categories` with the name of the tag's folder.

    ## Why it is a problem

    The site counts and lists the page under this category.

    ## Example

        categories: [package, develop-2025-04-20]

    ## Use instead

        categories: [package, develop-2025-03-30]

    ## Fix

    None. Either the category or the folder is wrong.
    """
    tag = context.page_id.tag
    category = category_tag(page)
    if tag is not None and category is not None and category != tag:
        yield Problem("/categories/1", f"category is {show(category)}, expected {show(tag)}, the "
                                       "name of the tag's folder")


def category_tag(page: Page) -> str | None:
    """Return the tag that a page's categories name; None where they are invalid."""
    categories: Any = page.data.get("categories")
    if not schema.compile_check("page-current", "/$defs/categories")(categories):
        return None
    tag: str = categories[1]
    return tag


@page_rule("CL604", "unknown-stack", depends_on_tag_entry=True)
def unknown_stack(page: Page, context: PageContext) -> Iterator[Problem]:
    """A spec lists a stack that its tag does not have.

    ## What it does

    Reports, once for each stack and page, a stack that `_data/tags.yaml` does not list for the tag. A
    tag that is not in `tags.yaml` is not checked.

    ## Why it is a problem

    The site builds its filters from `tags.yaml`, so the spec cannot be found by this stack.

    ## Example

        spec_details: [{… "stacks": ["e4s", "no-such-stack", "root"] …}, …]

    ## Use instead

        spec_details: [{… "stacks": ["e4s", "root"] …}, …]

    ## Fix

    None. Either the page or `tags.yaml` is wrong.
    """
    listed = context.tag_stacks
    if listed is None:
        return
    seen: set[str] = set()
    for index, spec in enumerate(page.specs):
        stacks = spec.get("stacks") if isinstance(spec, dict) else None
        for number, stack in enumerate(stacks if isinstance(stacks, list) else ()):
            # an unsafe name is CL701's
            if (isinstance(stack, str) and stack and stack not in listed and stack not in seen
                    and not unsafe(stack)):
                seen.add(stack)
                # among more, none is probably meant for another
                known = listed if len(seen) <= _MOST_GUESSES else ()
                yield Problem(f"/spec_details/{index}/stacks/{number}",
                              _unknown(stack, known, context.page_id.tag))


_MOST_GUESSES = 10
"""Among more unknown names, none is taken for another: each takes time to compare with all."""


def _unknown(stack: str, known: Iterable[str], tag: str | None) -> str:
    return (f"unknown stack {show(stack)}: tag {tag or ''} has no such stack in _data/tags.yaml"
            + _suggest(stack, known))


def _suggest(name: str, known: Iterable[str]) -> str:
    near = nearest_name(name, known)
    return f"; did you mean {show(near)}?" if near else ""


def unsafe(stack: str) -> bool:
    """Return whether a stack's name is one that CL701 reports."""
    pattern = "/$defs/spec/properties/stacks/items"
    return not schema.compile_check("page-current", pattern)(stack)


@catalog_rule("CL603", "unlisted-tag", severity=Severity.WARNING, needs_whole_tag=True,
              named_by_message=True)
def unlisted_tag(catalog: Catalog) -> Iterator[tuple[str, Problem]]:
    """A tag with pages is not in `_data/tags.yaml`.

    ## What it does

    Reports, once for each tag, a folder with pages that `tags.yaml` does not list.

    ## Why it is a problem

    The site builds its list of tags and their filters from this file, so the pages cannot be found. Old
    tags of a live catalog are like that, so this is a warning.

    ## Example

        - name: develop
          stacks:
          - root

    ## Use instead

        - name: develop
          stacks:
          - root
        - name: develop-2025-03-30
          stacks:
          - e4s
          - root

    ## Fix

    None. List the tag with its stacks, or remove its pages.
    """
    listed = tags_of(catalog.tags) if catalog.tags else None
    if listed is None:
        return
    for tag in sorted(catalog.facts):
        pages = catalog.facts[tag].pages
        if tag not in listed.entries and pages:
            yield catalog.path(TAGS), Problem("", (
                f"tag {show(tag)} has {plural(pages, 'page')} and is not listed"))


@catalog_rule("CL605", "tag-page", fixability=Fix.CATALOG, needs_whole_tag=True,
              supersedes=("CL204",))
def tag_page(catalog: Catalog) -> Iterator[tuple[str, Problem]]:
    """The page of a tag is missing or belongs to another tag.

    ## What it does

    Checks that each listed tag with pages has `pages/tags/<tag>.md`, and that its `tag` and `permalink`
    are those of the tag. Not checked where a catalog has no `pages/tags`.

    ## Why it is a problem

    This page is the table of the tag's packages. Without it, links to the tag are broken; with the
    address of another tag, one of the two pages is not reachable.

    ## Example

        ---
        layout: table
        permalink: /tag/develop-2025-03-30/
        tag: develop
        ---

    ## Use instead

        ---
        layout: table
        permalink: /tag/develop-2025-03-30/
        tag: develop-2025-03-30
        ---

    ## Fix

    Writes a page that is missing. In a page that exists, only these two values are changed.
    """
    listed = tags_of(catalog.tags) if catalog.tags else None
    if listed is None or catalog.tag_pages is None:
        return
    for tag, number in listed.entries.items():
        if tag not in catalog.facts or not catalog.facts[tag].pages:
            continue
        path = f"{TAG_PAGES}/{tag}.md"
        if tag not in catalog.tag_pages:
            text = render_tag_page(tag)
            yield catalog.path(TAGS), Problem(
                f"/{number}/name", f"tag {show(tag)} has pages, but {path} is missing",
                new_file=(path, text) if is_valid_file(path, text.encode()) else None)
        elif (page := catalog.tag_pages[tag]) is not None and page.parsed:
            for problem in _wrong_address(page.data, tag):
                yield catalog.path(path), problem


def _wrong_address(data: Any, tag: str) -> Iterator[Problem]:
    """Yield a problem for each value of a tag's page that is another tag's."""
    for key, expected in (("tag", tag), ("permalink", permalink_of(tag))):
        actual = data.get(key) if isinstance(data, dict) else None
        if type(actual) is str and actual and actual != expected:
            yield Problem(f"/{key}", f"{key} is {show(actual)}, expected {show(expected)}",
                          expected=expected)


@catalog_rule("CL606", "empty-tag", severity=Severity.WARNING, needs_whole_tag=True)
def empty_tag(catalog: Catalog) -> Iterator[tuple[str, Problem]]:
    """`_data/tags.yaml` lists a tag without pages.

    ## What it does

    Reports each listed tag that has no page.

    ## Why it is a problem

    The site offers the tag, and shows nothing for it.

    ## Example

        - name: develop-2025-03-30
          stacks:
          - e4s
          - root
        - name: v9.9
          stacks:
          - root

    ## Use instead

        - name: develop-2025-03-30
          stacks:
          - e4s
          - root

    ## Fix

    None. Remove the entry, or restore the pages of the tag.
    """
    listed = tags_of(catalog.tags) if catalog.tags else None
    if listed is None:
        return
    guesses = _guesses(catalog, listed.entries)
    for tag, number in listed.entries.items():
        pages = catalog.facts[tag].pages if tag in catalog.facts else 0
        if not pages and (catalog.is_whole or tag in catalog.facts):
            yield catalog.path(TAGS), Problem(
                f"/{number}/name", f"tag {show(tag)} is listed and has no pages"
                + _suggest(tag, guesses))


def _guesses(catalog: Catalog, names: Collection[str]) -> list[str]:
    """Return the tags with pages that ``names`` lack and may mean; none where too many have no pages."""
    if sum(name not in catalog.facts for name in names) > _MOST_GUESSES:
        return []
    return sorted(catalog.facts.keys() - names)


@catalog_rule("CL607", "spec-count", fixability=Fix.CATALOG, needs_whole_tag=True,
              runs_on_changes=False)
def spec_count(catalog: Catalog) -> Iterator[tuple[str, Problem]]:
    """A `count` in `_data/meta.yaml` is not the number of specs.

    ## What it does

    Compares the `count` of each tag with the number of specs on its pages, and the `count` of `all`
    with the sum. A tag with a page that is legacy, excluded, not checked out or invalid is not checked.
    In a mutable tag, a count that is too small is only a warning: the pages may be wrong, because the
    generator never deletes a page of `develop`.

    ## Why it is a problem

    The site shows these numbers on its first page.

    ## Example

        all:
          count: 3
        develop-2025-03-30:
          count: 2

    ## Use instead

        all:
          count: 2
        develop-2025-03-30:
          count: 2

    ## Fix

    Corrects the number, and nothing else in the file. A count that is only a warning is not changed.
    """
    if catalog.meta is None:
        return
    guesses = _guesses(catalog, catalog.meta.data)
    for pointer, expected in expected_counts(catalog).items():
        actual = catalog.meta.value(pointer)
        if actual == expected:
            continue
        tag = unescape_token(pointer.split("/")[1])
        message = f"count of {show(tag)} is {actual:,}, expected {expected:,}"
        if near := _suggest_key(catalog, tag, guesses):
            yield catalog.path(META), Problem(pointer, message + near)
        elif tag in catalog.mutable_tags and actual < expected:
            yield catalog.path(META), Problem(
                pointer, f"{message}: are there pages of packages that left the build cache?",
                severity=Severity.WARNING)
        else:
            yield catalog.path(META), Problem(pointer, message, expected=expected)


def _suggest_key(catalog: Catalog, tag: str, guesses: list[str]) -> str:
    """Return the clause for a key of ``meta.yaml`` that is probably meant for another tag."""
    return "" if tag in catalog.facts or tag == "all" else _suggest(tag, guesses)


def expected_counts(catalog: Catalog) -> dict[str, int]:
    """Return the right value of each count in ``meta.yaml`` that is known, by pointer.

    A count that violates the schema has none.
    """
    if catalog.meta is None:
        return {}
    actual = {tag: entry["count"] for tag, entry in catalog.meta.data.items()
              if isinstance(entry, dict) and type(entry.get("count")) is int
              and entry["count"] >= 0}
    others = {"all", *(error.key for error in catalog.meta.schema_errors if error.meant)}
    tags = [tag for tag in catalog.meta.data if tag not in others]
    known = {tag: catalog.facts[tag].specs if tag in catalog.facts else
             0 if catalog.is_whole else None for tag in tags}
    guesses = _guesses(catalog, catalog.meta.data)
    expected = {f"/{escape_token(tag)}/count": count for tag, count in known.items()
                if count is not None and tag in actual}
    # the count as written is taken for right where it is not known, or where pages may be wrong
    counts = [actual.get(tag) if count is None or _suggest_key(catalog, tag, guesses) or (
        tag in catalog.mutable_tags and actual.get(tag, count) < count) else count
        for tag, count in known.items()]
    if catalog.is_whole and "all" in actual and None not in counts:
        expected["/all/count"] = sum(count for count in counts if count is not None)
    return expected


@emitted_rule("CL608", "hash-conflict", by="tag", needs_whole_tag=True, runs_on_changes=False)
def hash_conflict() -> None:
    """Two pages of a tag have the same hash.

    ## What it does

    Reports a hash that an earlier page of the tag has, in the order of paths. The same hash in two tags
    is normal.

    ## Why it is a problem

    A hash identifies one spec of one package, so one of the two pages is wrong.

    ## Fix

    None. Only the binary cache can decide which page is right.
    """


@catalog_rule("CL609", "tags-file", needs_whole_tag=True, own_file=TAGS)
def tags_file(catalog: Catalog) -> Iterator[tuple[str, Problem]]:
    """An entry of `_data/tags.yaml` is duplicated or not sorted.

    ## What it does

    Reports a tag that is listed twice, and stacks that are not sorted or appear twice.

    ## Why it is a problem

    The site shows the tag twice, and a regeneration of the file changes bytes without any change of
    data.

    ## Example

        - name: develop-2025-03-30
          stacks:
          - root
          - e4s

    ## Use instead

        - name: develop-2025-03-30
          stacks:
          - e4s
          - root

    ## Fix

    None. Correct the entry by hand.
    """
    first: dict[str, int] = {}
    if catalog.tags is None or not isinstance(catalog.tags.data, list):
        return
    for number, entry in enumerate(catalog.tags.data):
        name = entry.get("name") if isinstance(entry, dict) else None
        stacks = entry.get("stacks") if isinstance(entry, dict) else None
        if type(name) is str and name:
            if name in first:
                line = catalog.tags.span_of(f"/{first[name]}/name").line
                yield catalog.path(TAGS), Problem(
                    f"/{number}", f"duplicate tag {show(name)}: first listed on line {line:,}",
                    other=f"/{first[name]}/name", other_label="first here")
                continue
            first[name] = number
        if isinstance(stacks, list) and all(type(stack) is str for stack in stacks) and (
                message := _wrong_order(stacks, f"tag {show(name)}")):
            yield catalog.path(TAGS), Problem(f"/{number}", message)


def _wrong_order(stacks: list[str], owner: str) -> str:
    """Describe why the stacks of a tag are not a sorted list without duplicates."""
    repeated = [stack for stack, count in Counter(stacks).items() if count > 1]
    if repeated:
        return f"duplicate stack {show(min(repeated))} in {owner}"
    if stacks == sorted(stacks):
        return ""
    later, earlier = next((a, b) for a, b in pairwise(stacks) if a > b)
    return f"stacks of {owner} are not sorted: {show(earlier)} comes before {show(later)}"


RULES = (
    title_mismatch, tag_mismatch, unlisted_tag, unknown_stack, tag_page, empty_tag, spec_count,
    hash_conflict, tags_file,
)
