"""The only derivation of `meta` from `spec_details`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from cachelint.model import Meta

FIELDS = {
    "compilers": "compiler",
    "oss": "os",
    "platforms": "platform",
    "stacks": "stacks",
    "targets": "target",
    "versions": "versions",
}
"""Each list of `meta`, and the field of specs whose union it is."""


def summarize(specs: Iterable[Mapping[str, Any]]) -> Meta:
    """Derive a page's `meta` from its specs.

    Args:
        specs: Mappings with at least ``compiler``, ``os``, ``platform`` and ``target`` (text) and
            ``stacks`` and ``versions`` (lists of text).

    Returns:
        ``num_specs``, ``num_specs_by_stack`` (stack to how many specs list it) and the sorted
        unions ``compilers``, ``oss``, ``platforms``, ``stacks``, ``targets`` and ``versions``,
        with keys sorted at every level, by code point.

    Raises:
        KeyError: A spec lacks one of the fields.
    """
    specs = list(specs)
    # most lists are sorted, and sorting them again takes no time where that order is kept
    by_stack = Counter(chain.from_iterable(dict.fromkeys(spec["stacks"]) for spec in specs))
    stacks = sorted(by_stack)
    return {
        "compilers": sorted({spec["compiler"] for spec in specs}),
        "num_specs": len(specs),
        "num_specs_by_stack": {stack: by_stack[stack] for stack in stacks},
        "oss": sorted({spec["os"] for spec in specs}),
        "platforms": sorted({spec["platform"] for spec in specs}),
        "stacks": stacks,
        "targets": sorted({spec["target"] for spec in specs}),
        "versions": sorted(dict.fromkeys(chain.from_iterable(
            spec["versions"] for spec in specs))),
    }


def matches_meta(value: Any, expected: Any) -> bool:
    """Return whether a value of `meta` equals ``expected``, with its items in any order."""
    if isinstance(expected, int):
        return type(value) is int and value == expected
    if isinstance(expected, dict):
        return (type(value) is dict and value == expected
                and all(type(count) is int for count in value.values()))
    # a date without quotes equals the string that is expected, and is none
    if type(value) is not list or any(type(item) is not str for item in value):
        return False
    return value == expected or (
        len(value) == len(expected) and set(value) == set(expected))
