"""CL3xx: `meta` must match `spec_details`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from cachelint.document.page import Page
from cachelint.document.schema import show_name
from cachelint.document.summary import FIELDS
from cachelint.model import PageContext, Problem
from cachelint.rules.base import Fix, page_rule
from cachelint.text import plural


def _meta(page: Page, key: str) -> Any:
    """Return a value of `meta`; None where it violates the schema or is missing."""
    meta = page.meta
    if not isinstance(meta, dict):
        return None
    pointer = f"/meta/{key}"
    if page.schema_errors and any(
        not error.reported_as and f"{error.pointer}/".startswith(f"{pointer}/")
        for error in page.schema_errors
    ):
        return None
    return meta.get(key)


def _list(values: Collection[str]) -> str:
    """Name up to five values."""
    names = [show_name(value) for value in sorted(values)[:5]]
    return ", ".join(names) + _more(len(values) - len(names))


def _more(number: int) -> str:
    return f" and {number:,} more" if number > 0 else ""


def _union(page: Page, key: str) -> Iterator[Problem]:
    """Compare a list of `meta` with the union of the specs' values."""
    actual = _meta(page, key)
    expected: Any = page.expected_meta.get(key)
    if actual is None or expected is None or actual == expected:
        return
    missing, extra = _without(expected, actual), _without(actual, expected)
    if not (missing or extra):
        return
    claims = []
    other, label = None, ""
    if missing:
        index = _first_with(page, FIELDS[key], missing)
        other, label = f"/spec_details/{index}/{FIELDS[key]}", page.name_spec(index)
        claims.append(f"missing {_list(missing)}")
    if extra:
        claims.append(f"no spec has {_list(extra)}")
    yield Problem(f"/meta/{key}", f"{key} is wrong: {'; '.join(claims)}", other=other,
                  other_label=label)


def _without(items: Iterable[str], others: Iterable[str]) -> dict[str, None]:
    """Return those of ``items`` that ``others`` lacks, in their order, as keys."""
    known = dict.fromkeys(others)
    return {item: None for item in items if item not in known}


def _first_with(page: Page, field: str, values: dict[str, None]) -> int:
    """Return the index of the first spec that has one of ``values``."""
    for index, spec in enumerate(page.specs):
        value = spec[field]
        if not values.keys().isdisjoint(value if isinstance(value, list) else [value]):
            return index
    raise AssertionError("the values come from the specs")


@page_rule("CL301", "num-specs", fixability=Fix.META)
def num_specs(page: Page, _: PageContext) -> Iterator[Problem]:
    """`num_specs` is not the number of specs.

    ## What it does

    Compares `num_specs` with the length of `spec_details`.

    ## Why it is a problem

    The site shows this number for the package, and sums it for the tag.

    ## Example

        meta: {… "num_specs": 3 …}

    ## Use instead

        meta: {… "num_specs": 2 …}

    ## Fix

    Regenerates `meta`.
    """
    actual, expected = _meta(page, "num_specs"), page.expected_meta.get("num_specs")
    if actual is not None and expected is not None and actual != expected:
        specs = plural(expected, "spec")
        yield Problem("/meta/num_specs", f"num_specs is {actual}, but spec_details has {specs}",
                      other="/spec_details", other_label=specs)


_MOST_STACKS = 100
"""So many stacks are named in one message."""


@page_rule("CL302", "num-specs-by-stack", fixability=Fix.META)
def num_specs_by_stack(page: Page, _: PageContext) -> Iterator[Problem]:
    """`num_specs_by_stack` has a wrong count.

    ## What it does

    Compares the count of each stack with the number of specs that list the stack. The message names
    each wrong stack.

    ## Why it is a problem

    The site filters by stack, and shows these counts.

    ## Example

        meta: {… "num_specs_by_stack": {"e4s": 2, "root": 2} …}

    ## Use instead

        meta: {… "num_specs_by_stack": {"e4s": 1, "root": 2} …}

    ## Fix

    Regenerates `meta`.
    """
    key = "num_specs_by_stack"
    actual, expected = _meta(page, key), page.expected_meta.get("num_specs_by_stack")
    if actual is None or expected is None or actual == expected:
        return
    wrong = [stack for stack in {**expected, **actual} if actual.get(stack) != expected.get(stack)]
    claims = []
    for stack in sorted(wrong)[:_MOST_STACKS]:
        found = f"{actual[stack]:,}" if stack in actual else "missing"
        wanted = f"expected {expected[stack]:,}" if stack in expected else "but no spec is in it"
        claims.append(f"{show_name(stack)} is {found}, {wanted}")
    yield Problem(f"/meta/{key}",
                  f"{key} is wrong: {'; '.join(claims)}{_more(len(wrong) - len(claims))}",
                  other="/spec_details", other_label=plural(page.expected_meta["num_specs"], "spec"))


@page_rule("CL303", "compilers", fixability=Fix.META)
def compilers(page: Page, _: PageContext) -> Iterator[Problem]:
    """`compilers` is not the set of the specs' `compiler`.

    ## What it does

    Compares `compilers` in `meta` with the values of `compiler` in `spec_details`. The message names
    what is missing and what no spec has.

    ## Why it is a problem

    The site offers these values as filters. A missing value hides specs; an extra value finds none.

    ## Example

        meta: {… "compilers": ["gcc@12.2.0"] …}

    ## Use instead

        meta: {… "compilers": ["gcc@11.4.0"] …}

    ## Fix

    Regenerates `meta`.
    """
    return _union(page, "compilers")


@page_rule("CL304", "oss", fixability=Fix.META)
def oss(page: Page, _: PageContext) -> Iterator[Problem]:
    """`oss` is not the set of the specs' `os`.

    ## What it does

    Compares `oss` in `meta` with the values of `os` in `spec_details`. The message names
    what is missing and what no spec has.

    ## Why it is a problem

    The site offers these values as filters. A missing value hides specs; an extra value finds none.

    ## Example

        meta: {… "oss": ["rhel8"] …}

    ## Use instead

        meta: {… "oss": ["ubuntu22.04"] …}

    ## Fix

    Regenerates `meta`.
    """
    return _union(page, "oss")


@page_rule("CL305", "platforms", fixability=Fix.META)
def platforms(page: Page, _: PageContext) -> Iterator[Problem]:
    """`platforms` is not the set of the specs' `platform`.

    ## What it does

    Compares `platforms` in `meta` with the values of `platform` in `spec_details`. The message names
    what is missing and what no spec has.

    ## Why it is a problem

    The site offers these values as filters. A missing value hides specs; an extra value finds none.

    ## Example

        meta: {… "platforms": ["darwin", "linux"] …}

    ## Use instead

        meta: {… "platforms": ["linux"] …}

    ## Fix

    Regenerates `meta`.
    """
    return _union(page, "platforms")


@page_rule("CL306", "stacks", fixability=Fix.META)
def stacks(page: Page, _: PageContext) -> Iterator[Problem]:
    """`stacks` of `meta` is not the union of the specs' `stacks`.

    ## What it does

    Compares `stacks` in `meta` with the values of `stacks` in `spec_details`. The message names what
    is missing and what no spec has.

    ## Why it is a problem

    The site offers these values as filters. A missing value hides specs; an extra value finds none.

    ## Example

        meta: {… "stacks": ["root"] …}

    ## Use instead

        meta: {… "stacks": ["e4s", "root"] …}

    ## Fix

    Regenerates `meta`.
    """
    return _union(page, "stacks")


@page_rule("CL307", "targets", fixability=Fix.META)
def targets(page: Page, _: PageContext) -> Iterator[Problem]:
    """`targets` is not the set of the specs' `target`.

    ## What it does

    Compares `targets` in `meta` with the values of `target` in `spec_details`. The message names
    what is missing and what no spec has.

    ## Why it is a problem

    The site offers these values as filters. A missing value hides specs; an extra value finds none.

    ## Example

        meta: {… "targets": ["aarch64"] …}

    ## Use instead

        meta: {… "targets": ["x86_64_v3"] …}

    ## Fix

    Regenerates `meta`.
    """
    return _union(page, "targets")


@page_rule("CL308", "versions", fixability=Fix.META)
def versions(page: Page, _: PageContext) -> Iterator[Problem]:
    """`versions` of `meta` is not the union of the specs' `versions`.

    ## What it does

    Compares `versions` in `meta` with the values of `versions` in `spec_details`. The message names what
    is missing and what no spec has.

    ## Why it is a problem

    The site offers these values as filters. A missing value hides specs; an extra value finds none.

    ## Example

        meta: {… "versions": ["1.3.1"] …}

    ## Use instead

        meta: {… "versions": ["1.2.13", "1.3.1"] …}

    ## Fix

    Regenerates `meta`.
    """
    return _union(page, "versions")


RULES = (
    num_specs, num_specs_by_stack, compilers, oss, platforms, stacks, targets, versions,
)
RULE_OF_KEY = {rule.name.replace("-", "_"): rule for rule in RULES}
"""The one rule that looks at each key of `meta`."""
