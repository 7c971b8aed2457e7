"""CL2xx: violations of the JSON Schema, in prose. The schema module finds them."""

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
    """A required key is missing.

    ## What it does

    Reports each required key of a mapping that is missing. A key that an unknown key is taken for is
    reported by CL202 instead.

    ## Why it is a problem

    The templates of the site read each key without a check whether it exists: a page without
    `num_specs` breaks `api/data.json`, and with it the search, for every package.

    ## Example

        meta: {"num_specs": 2}

    ## Use instead

        meta: {… "num_specs": 2 …}

    ## Fix

    Writes a key that is missing in `meta`. Only the binary cache has the values of other keys.
    """
    return _violations(page, SchemaErrorKind.MISSING_KEY)


@page_rule("CL202", "unknown-key", highlight="key", blocks_fix=Blocks.ALWAYS, invalidates_specs=True)
def unknown_key(page: Page, _: PageContext) -> Iterator[Problem]:
    """A key is unknown.

    ## What it does

    Reports each key that the format does not have. If a required key that is missing is at most two
    edits away, the message names it. In a file that may have other keys, only a key that is taken for a
    missing one is reported.

    ## Why it is a problem

    Nothing on the site reads the key, and the generator drops it at the next run. Most often it is a
    misspelt required key.

    ## Example

        spec_details: [{… "colour": "red" …}, …]

    ## Use instead

        ---
        …
        ---

    ## Fix

    None. The page is skipped, because the value would be lost.
    """
    return _violations(page, SchemaErrorKind.UNKNOWN_KEY)


@page_rule("CL203", "wrong-type", fixability=Fix.META, blocks_fix=Blocks.OUTSIDE_META,
           invalidates_specs=True)
def wrong_type(page: Page, _: PageContext) -> Iterator[Problem]:
    """A value has the wrong type.

    ## What it does

    Reports a value whose type is not that of the schema. `true` and `31.0` are not whole numbers, and
    `2025-03-30` without quotes is a date.

    ## Why it is a problem

    The templates of the site expect the type of the schema. With another one, `api/data.json` can be
    invalid, or a page can show something wrong.

    ## Example

        meta: {… "num_specs": "2" …}

    ## Use instead

        meta: {… "num_specs": 2 …}

    ## Fix

    Regenerates a value in `meta`. Only the binary cache has other values.
    """
    return _violations(page, SchemaErrorKind.TYPE)


@page_rule("CL204", "invalid-value", fixability=Fix.META, blocks_fix=Blocks.OUTSIDE_META,
           invalidates_specs=True)
def invalid_value(page: Page, _: PageContext) -> Iterator[Problem]:
    """A value is not allowed by the schema.

    ## What it does

    Reports any other violation of the JSON Schema: an empty list where items are required, a negative
    number, a `layout` other than `cache`. Values with a rule of their own, such as a hash (CL401), are
    reported by that rule.

    ## Why it is a problem

    The site shows nothing, or something wrong, for such a value.

    ## Example

        layout: table

    ## Use instead

        layout: cache

    ## Fix

    Regenerates a value in `meta`. Only the binary cache has other values.
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
