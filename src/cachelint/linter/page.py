"""From a page's bytes to what its rules find: the one way that every check takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, cast

from cachelint.document import schema, summary
from cachelint.document.formats import BY_FORMAT
from cachelint.document.page import Page
from cachelint.document.parser import parse_page
from cachelint.files.paths import page_id_of
from cachelint.linter.findings import findings_of
from cachelint.model import (
    Finding,
    Meta,
    NamedTuple,
    PageContext,
    PageFormat,
    PageId,
    Problem,
    RuleOptions,
    SchemaErrorKind,
)
from cachelint.rules import ALL_RULES, BY_CODE, Rule
from cachelint.rules.cl2_schema import schema_problems
from cachelint.rules.selection import DEFAULT_RULES, Settings, apply_overrides, resolve_settings

_RULES = {kind: tuple(rule for rule in ALL_RULES if kind in rule.formats and rule.looks_at_pages)
          for kind in PageFormat}
"""The rules that look at pages, by the format of the page."""


class PageResult(NamedTuple):
    """What the rules find on one page, and what its tag needs to know of it."""

    problems: list[tuple[Rule, Problem]]
    """Of every rule that runs by default or is selected."""
    page: Page | None
    """None for a page that the fast path accepted."""
    num_specs: int | None
    """None where the page is legacy or has invalid specs."""
    hashes: bytes = b""
    """The hashes of the specs, 32 bytes each."""


FastPath = Callable[[bytes, PageContext], PageResult | None]


def lint_page(raw: bytes, context: PageContext, fast: FastPath | None = None) -> PageResult:
    """Run all rules on a page.

    Args:
        raw: The page's bytes.
        context: What is known of the page apart from its content.
        fast: Gives the same result sooner, or None.
    """
    if fast is not None and (result := fast(raw, context)) is not None:
        return result
    page = parse_page(raw, max_size=context.max_size)
    problems = run_rules(page, context)
    return PageResult(problems, page, *_count_specs(page, problems))


def run_rules(page: Page, context: PageContext) -> list[tuple[Rule, Problem]]:
    """Run all rules on a page that was parsed."""
    problems = [(BY_CODE[error.code], error.problem) for error in page.errors]
    if not page.parsed:
        return problems
    if page.format is not PageFormat.LEGACY:
        page.schema_errors = schema.validate(BY_FORMAT[page.format].schema, page.data)
        page.expected_meta = derive_meta(page)
    if not isinstance(page.data, dict):
        return [*problems, *schema_problems(page.schema_errors)]
    for rule in running_rules(page.format, context.extra_rules):
        if rule.restates_schema and not page.schema_errors:
            continue
        found = islice(rule.problems(page, context), schema.MOST_ERRORS)
        problems += [(rule, problem) for problem in found]
    return list(without_superseded(problems))


def running_rules(form: PageFormat, extra_rules: frozenset[str]) -> list[Rule]:
    """Return the rules that run on pages of a format, with ``extra_rules`` by their codes."""
    return [rule for rule in _RULES[form] if rule.default or rule.code in extra_rules]


def without_superseded(problems: list[tuple[Rule, Problem]]) -> Iterator[tuple[Rule, Problem]]:
    """Leave out what a more exact rule reports at the same location."""
    superseded = {(code, problem.pointer) for rule, problem in problems for code in rule.supersedes}
    for rule, problem in problems:
        if (rule.code, problem.pointer) not in superseded:
            yield rule, problem


def _count_specs(page: Page, problems: list[tuple[Rule, Problem]]) -> tuple[int | None, bytes]:
    """Return how many specs a page has, None where it is legacy or invalid; and their hashes."""
    # an error of the schema may be reported as what readers of YAML make of the key
    if (page.format is PageFormat.LEGACY or any(rule.invalidates_specs for rule, _ in problems)
            or not all(error.reported_as for error in page.schema_errors)):
        return None, b""
    hashes = [spec["hash"].encode("utf-8", "surrogatepass") for spec in page.specs]
    # one that is longer or shorter is invalid (CL401), and names no spec
    return len(hashes), b"".join([dag_hash for dag_hash in hashes if len(dag_hash) == 32])


def derive_meta(page: Page) -> Meta:
    """Derive those keys of `meta` that the specs imply, as far as their values are valid."""
    if len(page.schema_errors) >= schema.MOST_ERRORS:
        return {}  # there may be more
    invalid: set[str] = set()
    for error in page.schema_errors:
        missing = error.key if error.kind is SchemaErrorKind.MISSING_KEY else error.meant
        path = error.pointer.split("/")[1:]
        if path[:1] != ["spec_details"] or error.reported_as:
            if missing == "spec_details":
                return {}
            continue
        if len(path) == 1:
            return {}
        if len(path) == 2:
            invalid |= {missing} if missing else set(summary.FIELDS.values())
        else:
            invalid |= {path[2], missing}
    if not invalid:
        return summary.summarize(page.specs)
    # a stand-in for each invalid field lets the others be summarised
    empty: dict[str, Any] = {field: [] if field in ("stacks", "versions") else ""
                             for field in invalid & set(summary.FIELDS.values())}
    specs = [{**(spec if isinstance(spec, dict) else {}), **empty} for spec in page.specs]
    fields = {**summary.FIELDS, "num_specs_by_stack": "stacks"}
    return cast("Meta", {key: value for key, value in summary.summarize(specs).items()
                         if fields.get(key) not in invalid})



def check_page(
    content: bytes, path: str = "", *, settings: Settings | None = None,
    context: PageContext | None = None,
) -> list[Finding]:
    """Check one page that is held in memory.

    Args:
        content: The page's bytes.
        path: Where the page lies or will lie; ``_cache/<tag>/<package>/specs.md`` determines tag
            and package. It need not exist.
        settings: Which rules run, and their configuration; the defaults if not given.
        context: What the rules may also know, such as the tag's stacks; from ``path`` and
            ``settings`` if not given.

    Returns:
        The findings, sorted by line, column and code.
    """
    settings = resolve_settings(settings)
    result = lint_page(content, context_for(settings, path, context))
    return apply_overrides(findings_of(path, result.page, result.problems, settings), settings)


def context_of(
    settings: Settings, page_id: PageId, stacks: frozenset[str] | None = None
) -> PageContext:
    """Return what the rules may know of a page apart from its content."""
    return PageContext(
        page_id, stacks, RuleOptions(settings.root_stack, settings.mirror_urls),
        settings.max_page_size, settings.selected - DEFAULT_RULES)


def context_for(settings: Settings, path: str, given: PageContext | None) -> PageContext:
    """Return the context of a page in memory; what the settings determine is always theirs."""
    context = context_of(settings, page_id_of(path))
    if given is None:
        return context
    return context._replace(
        page_id=given.page_id, tag_stacks=given.tag_stacks, options=given.options)
