"""Compare a page before and after its fix: nothing lost, nothing left to fix."""

from __future__ import annotations

from collections import Counter

from cachelint.document.page import Page
from cachelint.document.parser import parse_page
from cachelint.document.strict_json import dumps
from cachelint.fixer.rewrite import fixed_bytes
from cachelint.linter.findings import is_fixable, unfixable_reason
from cachelint.linter.page import PageResult
from cachelint.model import PageContext
from cachelint.rules import ALL_RULES, BY_CODE, Fix


def compare(before: PageResult, content: bytes, after: PageResult, context: PageContext) -> str:
    """Return in what a fixed page is wrong; empty where nothing is.

    Args:
        before: The page as it was, which has a parsed page.
        content: The bytes of the fixed page.
        after: What the rules find on it.
        context: Of the page.
    """
    assert before.page is not None
    if after.page is not None or not _is_same_outside_meta(before.page, content):
        page = after.page or parse_page(content)
        if not page.parsed:
            return f"it cannot be read: {page.errors[0].problem.message}"
        if difference := _difference(before.page, page):
            return difference
    if after.page is not None:
        reason = unfixable_reason(after.page, after.problems)
        if any(is_fixable(rule, problem, after.page, reason) for rule, problem in after.problems):
            return "something is left to fix"
        if fixed_bytes(after.page, context) != content:
            return "a second run would change it again"
    new = _unfixable(after) - _unfixable(before)
    return f"it would get {min(new)}" if new else ""


def _is_same_outside_meta(page: Page, content: bytes) -> bool:
    """Return whether a page and the bytes of another differ only in the value of one line."""
    for entry in page.entries:
        if entry.key == "meta" and entry.value_start >= 0:
            start, end = (page.text[: entry.value_start].encode(),
                          page.text[entry.end :].encode())
            value = content[len(start) : len(content) - len(end)]
            return content == start + value + end and b"\n" not in value
    return False


def _difference(before: Page, after: Page) -> str:
    """Return in what two pages differ apart from `meta`; empty where they do not."""
    if dumps(before.specs) != dumps(after.specs) and _specs(before) != _specs(after):
        return "its specs differ"
    if _outside_meta(before) != _outside_meta(after):
        return "it differs outside meta"
    if before.body.strip() and after.body != before.body:
        return "the text after the front matter differs"
    return "" if before.list_comments() == after.list_comments() else "its comments differ"


def _outside_meta(page: Page) -> dict[str, object]:
    return {key: value for key, value in page.data.items() if key not in ("meta", "spec_details")}


def _specs(page: Page) -> list[str]:
    """Return a page's specs as JSON, sorted, with sorted stacks."""
    return sorted(
        dumps({**spec, "stacks": sorted(spec["stacks"])} if isinstance(spec, dict)
              and isinstance(spec.get("stacks"), list)
              and all(isinstance(stack, str) for stack in spec["stacks"]) else spec,
              sort_keys=True)
        for spec in page.specs)


def _unfixable(result: PageResult) -> Counter[str]:
    """Count what no fix removes, by rule; what a rule supersedes counts once, as this rule."""
    found = {(_SUPERSEDED.get(rule.code, rule.code), problem.pointer)
             for rule, problem in result.problems if rule.fixability is Fix.NONE}
    return Counter(f"{code} {BY_CODE[code].name}" for code, _ in found)


_SUPERSEDED = {code: rule.code for rule in ALL_RULES for code in rule.supersedes}
