"""Fix one page: regenerate `meta`, write canonical form, and lose nothing.

A page is read, fixed in memory, and the result read back and compared before a file is replaced:
same specs, same everything else, nothing left to fix, and a second run would change nothing. A page
that fails this test is skipped, with the reason.
"""

from __future__ import annotations

from cachelint.fixer.proof import compare
from cachelint.fixer.rewrite import fixed_bytes
from cachelint.linter.findings import findings_of, is_fixable, unfixable_reason
from cachelint.linter.page import FastPath, PageResult, context_for, lint_page
from cachelint.model import Finding, NamedTuple, PageContext
from cachelint.rules.selection import Settings, apply_overrides, resolve_settings


class PageFix(NamedTuple):
    """What became of one page."""

    content: bytes
    """The page's bytes: fixed, or as they were."""
    findings: list[Finding]
    """What is left, of the rules that are selected."""
    found: list[Finding]
    """What was found before."""
    reason: str
    """Why a page with fixable findings was skipped; empty where it was not."""


def fix_page(
    content: bytes, path: str = "", *, settings: Settings | None = None,
    context: PageContext | None = None,
) -> PageFix:
    """Fix one page that is held in memory.

    Args:
        content: The page's bytes.
        path: The page's path, which need not exist.
        settings: Which rules make a page worth fixing; the defaults if not given.
        context: What is known of the page; from ``path`` and ``settings`` if not given.

    Returns:
        The fixed bytes, or the same bytes where there is nothing to fix or it cannot be done.
    """
    settings = resolve_settings(settings)
    return fix_checked(content, path, context_for(settings, path, context), settings)[0]


def fix_checked(
    raw: bytes, path: str, context: PageContext, settings: Settings, fast: FastPath | None = None
) -> tuple[PageFix, PageResult]:
    """Fix one page, and return what the rules find on the result."""
    context = context._replace(extra_rules=context.extra_rules & settings.runs_on(path))
    before = lint_page(raw, context, fast)
    if before.page is None:
        return PageFix(raw, [], [], ""), before
    found = apply_overrides(findings_of(path, before.page, before.problems, settings), settings)
    if not any(finding.fixable for finding in found):
        return PageFix(raw, found, found, _skip_reason(path, before, settings)), before
    content = fixed_bytes(before.page, context)
    after = lint_page(content, context, fast)
    if fault := compare(before, content, after, context):
        return PageFix(raw, found, found, f"the fixed page would be wrong: {fault}"), before
    left = findings_of(path, after.page, after.problems, settings) if after.page else []
    return PageFix(content, apply_overrides(left, settings), found, ""), after


def _skip_reason(path: str, result: PageResult, settings: Settings) -> str:
    """Return why a page with findings that are fixable on other pages is skipped."""
    assert result.page is not None
    reason = unfixable_reason(result.page, result.problems)
    running = settings.runs_on(path)
    if reason and any(rule.code in running and is_fixable(rule, problem, result.page, "")
                      for rule, problem in result.problems):
        return reason
    return ""
