"""What a rule is, and the decorators that make one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, NamedTuple

from cachelint.document.catalog_files import Catalog
from cachelint.document.page import Page
from cachelint.model import PageContext, PageFormat, Problem, Severity

CURRENT = frozenset({PageFormat.CURRENT})
TARBALL = frozenset({PageFormat.TARBALL})
MODERN = CURRENT | TARBALL
ALL = MODERN | {PageFormat.LEGACY}

FIRST = "0.1.0"
"""The release that most rules have been in from the beginning."""

PageCheck = Callable[[Page], Iterator[Problem]]
CatalogCheck = Callable[[Catalog], Iterator[tuple[str, Problem]]]
"""Yields the path of a file of the catalog with each problem."""
SpecCheck = Callable[[dict[str, Any], PageContext], Iterator[Problem]]


class Fix(str, Enum):
    """What `cachelint fix` can do about a finding."""

    NONE = "none"
    FILE = "file"
    """It mends the bytes around the front matter, on every page."""
    META = "meta"
    """It mends what lies in `meta`, on every page with specs."""
    CATALOG = "catalog"
    """It corrects a file of the catalog."""
    REWRITE = "rewrite"
    """It rewrites the page, unless that holds comments."""


class Rule(NamedTuple):
    """One rule: what it is called, where it applies, and the function that finds breaches."""

    code: str
    name: str
    severity: Severity
    documentation: str
    """Markdown: a sentence, why, a bad and a good example, what `cachelint fix` does."""
    formats: frozenset[PageFormat]
    fix: Fix
    default: bool
    """Whether it runs unless selected otherwise."""
    at_key: bool
    """Whether a finding covers the key rather than the value."""
    once: bool
    """Whether only the first spec at fault is named."""
    check: PageCheck | None
    """Looks at the page as a whole; None where there is nothing to see there."""
    check_spec: SpecCheck | None
    """Looks at one spec alone, with pointers below the spec."""
    check_catalog: CatalogCheck | None = None
    """Looks at the catalog's own files, beside what its tags hold."""
    since: str = FIRST
    """The release that had it first."""
    can_be_hidden: bool = True
    """Whether a configuration or a baseline can hide or weaken its findings; options neither."""

    @property
    def summary(self) -> str:
        """The rule in one sentence."""
        return self.documentation.split("\n", 1)[0]

    def problems(self, page: Page) -> Iterator[Problem]:
        """Find the rule's breaches on a page that could be read."""
        if self.check is not None:
            yield from self.check(page)
        if self.check_spec is None:
            return
        for index, spec in enumerate(page.specs):
            if not isinstance(spec, dict):
                continue
            below = f"/spec_details/{index}"
            for problem in self.check_spec(spec, page.context):
                yield problem._replace(
                    pointer=below + problem.pointer,
                    other=None if problem.other is None else below + problem.other,
                )
                if self.once:
                    return


def rule(
    code: str,
    name: str,
    *,
    formats: frozenset[PageFormat] = MODERN,
    severity: Severity = Severity.ERROR,
    fix: Fix = Fix.NONE,
    default: bool = True,
    at_key: bool = False,
    found_elsewhere: bool = False,
    check_spec: SpecCheck | None = None,
    since: str = FIRST,
    can_be_hidden: bool = True,
) -> Callable[[PageCheck], Rule]:
    """Make a rule of a function that looks at a page; its docstring is the rule's documentation.

    ``check_spec`` looks at each spec besides. A rule ``found_elsewhere`` has no function of its
    own: reading the file, or the catalog as a whole, finds its breaches, and the function only
    holds the documentation.
    """

    def decorate(check: PageCheck) -> Rule:
        return Rule(code, name, severity, inspect.cleandoc(check.__doc__ or ""), formats, fix,
                    default, at_key, False, None if found_elsewhere else check, check_spec,
                    since=since, can_be_hidden=can_be_hidden)

    return decorate


def spec_rule(
    code: str,
    name: str,
    *,
    formats: frozenset[PageFormat] = MODERN,
    severity: Severity = Severity.ERROR,
    once: bool = False,
    since: str = FIRST,
) -> Callable[[SpecCheck], Rule]:
    """Make a rule of a function that looks at one spec; with ``once``, of the first it finds."""

    def decorate(check_spec: SpecCheck) -> Rule:
        return Rule(code, name, severity, inspect.cleandoc(check_spec.__doc__ or ""), formats,
                    Fix.NONE, True, False, once, None, check_spec, since=since)

    return decorate


def catalog_rule(
    code: str,
    name: str,
    *,
    severity: Severity = Severity.ERROR,
    fix: Fix = Fix.NONE,
    since: str = FIRST,
) -> Callable[[CatalogCheck], Rule]:
    """Make a rule of a function that looks at a catalog's own files."""

    def decorate(check_catalog: CatalogCheck) -> Rule:
        return Rule(code, name, severity, inspect.cleandoc(check_catalog.__doc__ or ""),
                    frozenset(), fix, True, False, False, None, None, check_catalog, since)

    return decorate
