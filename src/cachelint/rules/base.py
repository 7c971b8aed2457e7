"""What a rule is, and the decorators that make one.

The signature of a rule's function determines what it may look at: a `value_rule` sees one value of a
spec and the options of the run, a `page_rule` the page and its context, a `catalog_rule` the catalog's
own files. Whatever else the engine needs to know of a rule is an attribute of it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import Any

from cachelint.document.catalog_files import Catalog
from cachelint.document.page import Page
from cachelint.model import NamedTuple, PageContext, PageFormat, Problem, RuleOptions, Severity

CURRENT = frozenset({PageFormat.CURRENT})
TARBALL = frozenset({PageFormat.TARBALL})
MODERN = CURRENT | TARBALL
ALL = MODERN | {PageFormat.LEGACY}

DOCUMENTATION = "https://spack.github.io/cachelint/"
"""Where the documentation is published."""

FIRST = "0.1.0"
"""The release that most rules have been in from the beginning."""

LIST_FIELDS = frozenset({"stacks", "variants", "versions"})
"""The fields of a spec that are lists of strings; all others are strings."""

ValueFunction = Callable[[Any, RuleOptions], Iterator[Problem]]
PageFunction = Callable[[Page, PageContext], Iterator[Problem]]
CatalogFunction = Callable[[Catalog], Iterator[tuple[str, Problem]]]
"""Yields the path of a file of the catalog with each problem."""


class Fix(str, Enum):
    """What `cachelint fix` can do about a finding."""

    NONE = "none"
    FILE = "file"
    """It fixes the bytes around the front matter, on every page."""
    META = "meta"
    """It fixes what is in `meta`, on every page with specs."""
    CATALOG = "catalog"
    """It corrects a file of the catalog."""
    REWRITE = "rewrite"
    """It rewrites the page, unless the page has comments."""


class Blocks(str, Enum):
    """Whether a finding prevents `cachelint fix` from changing the page."""

    NEVER = "never"
    OUTSIDE_META = "outside meta"
    """Unless it is in `meta`, which is regenerated."""
    ALWAYS = "always"


def url_of(code: str) -> str:
    """Return the address of a rule's documentation."""
    return f"{DOCUMENTATION}rules/#{code.lower()}"


class ValueCheck(NamedTuple):
    """The part of a rule that looks at one field of a spec."""

    field: str
    each: bool
    """Whether the function gets one item of the list at a time."""
    function: ValueFunction

    def problems(self, value: Any, options: RuleOptions) -> Iterator[Problem]:
        """Yield the problems of a value, with pointers below it.

        A value of another type than the field has yields none: it violates the schema.
        """
        if self.field not in LIST_FIELDS:
            if isinstance(value, str):
                yield from self.function(value, options)
        elif not isinstance(value, list):
            return
        elif not self.each:
            if all(isinstance(item, str) for item in value):
                yield from self.function(value, options)
        else:
            for index, item in enumerate(value):
                if isinstance(item, str):
                    for problem in self.function(item, options):
                        yield problem.below(f"/{index}")


class Rule(NamedTuple):
    """One rule: what it is called, where it applies, and the functions that find violations."""

    code: str
    name: str
    severity: Severity
    docstring: str
    """The documentation, indented as it is in the code."""
    formats: frozenset[PageFormat]
    fixability: Fix = Fix.NONE
    default: bool = True
    """Whether it runs unless selected otherwise."""
    highlight: str = "value"
    """What a finding covers: ``value`` or ``key``."""
    first_only: bool = False
    """Whether only the first spec at fault is reported."""
    blocks_fix: Blocks = Blocks.NEVER
    invalidates_specs: bool = False
    """Whether the specs of a page with such a finding are not counted (CL607, CL608)."""
    needs_whole_tag: bool = False
    """Whether it runs only where all pages of a tag are checked."""
    runs_on_changes: bool = True
    """Whether it runs under ``--diff-base``."""
    depends_on_tag_entry: bool = False
    """Whether a change of the tag's entry in ``tags.yaml`` can change its answer for any page."""
    own_file: str = ""
    """The catalog file that is all that a catalog rule looks at; empty where it needs more."""
    restates_schema: bool = False
    """Whether it finds nothing on a page that is valid by its schema."""
    supersedes: tuple[str, ...] = ()
    """Codes of rules whose findings at the same location are left out."""
    named_by_message: bool = False
    """Whether it reports several things at one location, which only the message distinguishes."""
    can_be_hidden: bool = True
    """Whether a setting, an option or a baseline can hide or weaken its findings."""
    emitted_by: str = ""
    """Which part of the engine reports it; empty where a function below does."""
    page: PageFunction | None = None
    values: tuple[ValueCheck, ...] = ()
    catalog: CatalogFunction | None = None
    since: str = FIRST
    """The release that had it first."""

    @property
    def documentation(self) -> str:
        """Markdown: a sentence, and sections: what it does, why it is a problem, examples, the fix.

        Only what explains rules needs it: to remove the indentation from all takes a millisecond.
        """
        return inspect.cleandoc(self.docstring)

    @property
    def summary(self) -> str:
        """The rule in one sentence."""
        return self.documentation.split("\n", 1)[0]

    @property
    def sections(self) -> dict[str, str]:
        """The documentation below the summary, by heading: ``What it does``, ``Fix``, …."""
        parts = re.split(r"^## (.+)\n\n", self.documentation, flags=re.MULTILINE)
        return {title: body.strip("\n") for title, body in zip(parts[1::2], parts[2::2], strict=True)}

    @property
    def advice(self) -> str:
        """What to do where `fix` does nothing, on one line; empty where it is not documented."""
        fix = " ".join(self.sections.get("Fix", "").split())
        return fix.removeprefix("None.").strip() if fix.startswith("None.") else ""

    @property
    def looks_at_pages(self) -> bool:
        """Whether it has a function that looks at pages or their specs."""
        return self.page is not None or bool(self.values)

    def problems(self, page: Page, context: PageContext) -> Iterator[Problem]:
        """Yield the rule's problems on a page that could be read."""
        if self.page is not None:
            yield from self.page(page, context)
        if not self.values:
            return
        for index, spec in enumerate(page.specs):
            if not isinstance(spec, dict):
                continue
            for check in self.values:
                if check.field not in spec:
                    continue
                for problem in check.problems(spec[check.field], context.options):
                    yield problem.below(f"/spec_details/{index}/{check.field}")
                    if self.first_only:
                        return


def _make(function: Callable[..., Any], code: str, name: str, **attributes: Any) -> Rule:
    return Rule(code, name, attributes.pop("severity", Severity.ERROR),
                function.__doc__ or "", attributes.pop("formats", MODERN), **attributes)


def _checks(
    function: ValueFunction, field: str | Iterable[str], *, each: bool
) -> tuple[ValueCheck, ...]:
    fields = (field,) if isinstance(field, str) else tuple(field)
    return tuple(ValueCheck(name, each, function) for name in fields)


def value_rule(
    code: str, name: str, *, field: str | Iterable[str], each: bool = False, **attributes: Any
) -> Callable[[ValueFunction], Rule]:
    """Make a rule of a function that looks at one value of a spec; its docstring documents it.

    The function gets the value of ``field``, with ``each`` one item of the list at a time, and the
    options of the run. It sees no other field, tag or package, so that its answer can be remembered
    by value. It may rely on the value's type: a string, or a list of strings.

    Args:
        code: Such as ``CL405``.
        name: Such as ``version-count``.
        field: One or more fields of a spec.
        each: Whether the function gets single items of the list.
        **attributes: Attributes of `Rule`, by name.
    """
    return lambda function: _make(
        function, code, name, values=_checks(function, field, each=each), **attributes)


def page_rule(
    code: str, name: str, *, values: Iterable[ValueCheck] = (), **attributes: Any
) -> Callable[[PageFunction], Rule]:
    """Make a rule of a function that looks at a page and its context.

    A rule may also look at values of specs: `on_value` makes such a part.
    """
    return lambda function: _make(
        function, code, name, page=function, values=tuple(values), **attributes)


def catalog_rule(code: str, name: str, **attributes: Any) -> Callable[[CatalogFunction], Rule]:
    """Make a rule of a function that looks at a catalog's own files, with what its tags contain."""
    return lambda function: _make(
        function, code, name, catalog=function, formats=frozenset(), **attributes)


def emitted_rule(
    code: str, name: str, *, by: str, **attributes: Any
) -> Callable[[Callable[[], None]], Rule]:
    """Make a rule that another part of the engine reports; the function only documents it."""
    return lambda function: _make(function, code, name, emitted_by=by, **attributes)


def on_value(
    field: str | Iterable[str], *, each: bool = False
) -> Callable[[ValueFunction], tuple[ValueCheck, ...]]:
    """Make the part of a rule that looks at values of specs, for ``values`` of `page_rule`."""
    return lambda function: _checks(function, field, each=each)
