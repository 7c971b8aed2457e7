"""CL2xx: breaches of the JSON Schema, in prose. The schema module finds them."""

from __future__ import annotations

from collections.abc import Iterator

from cachelint.document.page import Page
from cachelint.model import Problem
from cachelint.rules.base import Fix, rule


def _breaches(page: Page, code: str) -> Iterator[Problem]:
    for error in page.schema_errors:
        if error.code == code:
            yield Problem(error.pointer, error.message)


@rule("CL201", "missing-key", fix=Fix.META)
def missing_key(page: Page) -> Iterator[Problem]:
    """A required key is not there.

    Templates of the site read each key without asking whether it exists: a page without
    `num_specs` breaks `api/data.json`, and with it the search, for every package.

    Bad:

        meta: {"num_specs": 2}

    Good:

        meta: {… "num_specs": 2 …}

    Fix: a key that `meta` lacks is written; others only the binary cache can tell.
    """
    return _breaches(page, "CL201")


@rule("CL202", "unknown-key", at_key=True)
def unknown_key(page: Page) -> Iterator[Problem]:
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
    return _breaches(page, "CL202")


@rule("CL203", "wrong-type", fix=Fix.META)
def wrong_type(page: Page) -> Iterator[Problem]:
    """A value of another type than the format has.

    `true` and `31.0` are no whole numbers, and `2025-03-30` without quotes is a date.

    Bad:

        meta: {… "num_specs": "2" …}

    Good:

        meta: {… "num_specs": 2 …}

    Fix: a value of `meta` is regenerated; others only the binary cache can tell.
    """
    return _breaches(page, "CL203")


@rule("CL204", "invalid-value", fix=Fix.META)
def invalid_value(page: Page) -> Iterator[Problem]:
    """A value of the right type that the format does not allow.

    It is an empty list (only `variants` may be empty), say, a negative number, or another `layout`
    than `cache`. Values with a rule of their own, such as a hash (CL401), are reported as that.

    Bad:

        layout: table

    Good:

        layout: cache

    Fix: a value of `meta` is regenerated; others only the binary cache can tell.
    """
    return _breaches(page, "CL204")


RULES = (missing_key, unknown_key, wrong_type, invalid_value)
