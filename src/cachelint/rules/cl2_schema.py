"""CL2xx: breaches of the JSON Schema, in prose. The schema module finds them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cachelint.document.page import Page
from cachelint.model import PageContext, Problem, SchemaError, SchemaErrorKind
from cachelint.rules.base import Blocks, Fix, Rule, page_rule


def _violations(page: Page, kind: SchemaErrorKind) -> Iterator[Problem]:
    for error in page.schema_errors:
        if error.kind is kind and not error.reported_as:
            yield Problem(error.pointer, error.message)


@page_rule("CL201", "missing-key", fixability=Fix.META, blocks_fix=Blocks.OUTSIDE_META,
           invalidates_specs=True, named_by_message=True)
def missing_key(page: Page, _: PageContext) -> Iterator[Problem]:
    """A required key is not there.

    Templates of the site read each key without asking whether it exists: a page without
    `num_specs` breaks `api/data.json`, and with it the search, for every package.

    Bad:

        meta: {"num_specs": 2}

    Good:

        meta: {… "num_specs": 2 …}

    Fix: a key that `meta` lacks is written; others only the binary cache can tell.
    """
    return _violations(page, SchemaErrorKind.MISSING_KEY)


@page_rule("CL202", "unknown-key", highlight="key", blocks_fix=Blocks.ALWAYS, invalidates_specs=True)
def unknown_key(page: Page, _: PageContext) -> Iterator[Problem]:
    """A key that the format does not have.

    Nothing on the site reads it, and the generator will drop it at its next run. Most often it is
    a slip of a key that is then missing.

    Bad:

        spec_details: [{… "colour": "red" …}, …]

    Good:

        ---
        …
        ---

    Fix: none, and the page is left alone: what stands there would be lost.
    """
    return _violations(page, SchemaErrorKind.UNKNOWN_KEY)


@page_rule("CL203", "wrong-type", fixability=Fix.META, blocks_fix=Blocks.OUTSIDE_META,
           invalidates_specs=True)
def wrong_type(page: Page, _: PageContext) -> Iterator[Problem]:
    """A value of another type than the format has.

    `true` and `31.0` are no whole numbers, and `2025-03-30` without quotes is a date.

    Bad:

        meta: {… "num_specs": "2" …}

    Good:

        meta: {… "num_specs": 2 …}

    Fix: a value of `meta` is regenerated; others only the binary cache can tell.
    """
    return _violations(page, SchemaErrorKind.TYPE)


@page_rule("CL204", "invalid-value", fixability=Fix.META, blocks_fix=Blocks.OUTSIDE_META,
           invalidates_specs=True)
def invalid_value(page: Page, _: PageContext) -> Iterator[Problem]:
    """A value of the right type that the format does not allow.

    It is an empty list (only `variants` may be empty), say, a negative number, or another `layout`
    than `cache`. Values with a rule of their own, such as a hash (CL401), are reported as that.

    Bad:

        layout: table

    Good:

        layout: cache

    Fix: a value of `meta` is regenerated; others only the binary cache can tell.
    """
    return _violations(page, SchemaErrorKind.VALUE)


RULES = (missing_key, unknown_key, wrong_type, invalid_value)

_RULES = {
    SchemaErrorKind.MISSING_KEY: missing_key, SchemaErrorKind.UNKNOWN_KEY: unknown_key,
    SchemaErrorKind.TYPE: wrong_type, SchemaErrorKind.VALUE: invalid_value,
}


def schema_problems(errors: Iterable[SchemaError]) -> Iterator[tuple[Rule, Problem]]:
    """Yield the problems of a file that has no rules of its own, only a schema."""
    for error in errors:
        if not error.reported_as:
            yield _RULES[error.kind], Problem(error.pointer, error.message)
