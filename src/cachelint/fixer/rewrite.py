"""The bytes of a fixed page: canonical, or edited in place."""

from __future__ import annotations

from functools import cache

from cachelint.document.formats import BY_FORMAT
from cachelint.document.in_place import edit_in_place, without_pairs
from cachelint.document.page import Page
from cachelint.document.render import ordered, render
from cachelint.linter.findings import is_rewritable
from cachelint.linter.page import running_rules
from cachelint.model import PageContext, PageFormat
from cachelint.rules import Fix


def fixed_bytes(page: Page, context: PageContext) -> bytes:
    """Return the bytes of a page with everything fixed that can be.

    The page must be one that `unfixable_reason` has no reason to skip.
    """
    end = page.closing_start + 3
    if page.format is PageFormat.LEGACY:
        text = page.text[:end]
    elif not (is_rewritable(page) and _is_rewritten(page.format, context.extra_rules)):
        text = edit_in_place(page) + page.text[page.closing_start : end]
    else:
        title, tag = page.data["title"], page.data["categories"][1]
        text = render(title, tag, page.expected_meta, ordered(page.specs))
        if not BY_FORMAT[page.format].is_canonical:
            head, key, rest = text.partition("\nmeta: ")  # a tag may have backslashes
            text = head + key + without_pairs(rest)
    return (text + page.body if page.body.strip() else text).encode()


@cache
def _is_rewritten(page_format: PageFormat, extra_rules: frozenset[str]) -> bool:
    """Return whether pages of a format are written anew: where a rule about their form runs."""
    return any(rule.fixability is Fix.REWRITE for rule in running_rules(page_format, extra_rules))
