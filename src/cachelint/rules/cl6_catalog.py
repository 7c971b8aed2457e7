"""CL6xx: the page's place in the catalog, and the catalog's own files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cachelint import schema
from cachelint.frontmatter import Page
from cachelint.model import Problem
from cachelint.rules.registry import ALL, rule
from cachelint.schema import show


@rule("CL601", "title-mismatch", formats=ALL)
def title_mismatch(page: Page) -> Iterator[Problem]:
    """`title` is not the package, which is the name of the page's folder.

    The site lists the package under its title and links to it by its folder.

    Bad:

        title: "zstd"

    Good:

        title: "zlib"

    Fix: none. Either the title or the folder is wrong.
    """
    title, package = page.data.get("title"), page.context.place.package
    if package is None or title == package or not schema.sound("page-current", "/$defs/title")(title):
        return
    yield Problem("/title", f"the title is {show(title)}, but the page lies in the folder of "
                            f"{show(package)}")


@rule("CL602", "tag-mismatch", formats=ALL)
def tag_mismatch(page: Page) -> Iterator[Problem]:
    """The second category is not the tag, which is the name of the folder above the package's.

    The site counts and lists the page under the category.

    Bad:

        categories: [package, develop-2025-04-20]

    Good:

        categories: [package, develop-2025-03-30]

    Fix: none. Either the category or the folder is wrong.
    """
    tag = page.context.place.tag
    category = category_tag(page)
    if tag is not None and category is not None and category != tag:
        yield Problem("/categories/1", f"the category is {show(category)}, but the page lies in "
                                       f"the folder of {show(tag)}")


def category_tag(page: Page) -> str | None:
    """Return the tag that a page's categories name; None where they are unsound."""
    categories: Any = page.data.get("categories")
    if not schema.sound("page-current", "/$defs/categories")(categories):
        return None
    tag: str = categories[1]
    return tag


@rule("CL604", "unknown-stack")
def unknown_stack(page: Page) -> Iterator[Problem]:
    """A spec lists a stack that `_data/tags.yaml` does not give its tag.

    The site builds its filters from `tags.yaml`, so that the spec cannot be found by this stack.
    Said once for each stack and page, at the first spec; silent where `tags.yaml` does not list
    the tag.

    Bad:

        spec_details: [{… "stacks": ["e4s", "no-such-stack", "root"] …}, …]

    Good:

        spec_details: [{… "stacks": ["e4s", "root"] …}, …]

    Fix: none. Either the page or `tags.yaml` is wrong.
    """
    listed = page.context.tag_stacks
    if listed is None:
        return
    said: set[str] = set()
    for index, spec in enumerate(page.specs):
        stacks = spec.get("stacks") if isinstance(spec, dict) else None
        for number, stack in enumerate(stacks if isinstance(stacks, list) else ()):
            # an unsafe name is CL701's
            if (isinstance(stack, str) and stack and stack not in listed and stack not in said
                    and not unsafe(stack)):
                said.add(stack)
                yield Problem(f"/spec_details/{index}/stacks/{number}",
                              f"{show(stack)} is no stack that _data/tags.yaml gives the tag")


def unsafe(stack: str) -> bool:
    """Say whether a stack's name is one that CL701 reports."""
    pattern = "/$defs/spec/properties/stacks/items"
    return not schema.sound("page-current", pattern)(stack)


RULES = (title_mismatch, tag_mismatch, unknown_stack)
