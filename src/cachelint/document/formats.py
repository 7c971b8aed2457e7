"""The formats of pages, one row each: a format of next year is a row here and a schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cachelint.model import NamedTuple, PageFormat

KEYS = ("title", "layout", "categories", "meta", "spec_details")
"""The top-level keys of a page with specs, in the generator's order."""

META_KEYS = ("compilers", "num_specs", "num_specs_by_stack", "oss", "platforms", "stacks",
             "targets", "versions")
"""The keys of `meta`, in the generator's order."""


class PageLayout(NamedTuple):
    """One format of pages: how it is recognised, checked and written."""

    format: PageFormat
    matches: Callable[[Mapping[str, Any]], bool]
    """Returns whether front matter is in this format, if no row before matched."""
    schema: str
    """The name of the JSON Schema."""
    keys: tuple[str, ...]
    """The top-level keys, in the generator's order; none where `meta` is not checked."""
    meta_orders: tuple[tuple[str, ...], ...]
    """The orders in which the generator has written the keys of `meta`, the latest first."""
    is_canonical: bool
    """Whether equal contents are equal bytes: rules require the order, and `fix` rewrites."""


def _is_legacy(data: Mapping[str, Any]) -> bool:
    return "spec_files" in data and "spec_details" not in data


def _has_tarballs(data: Mapping[str, Any]) -> bool:
    specs = data.get("spec_details")
    if not isinstance(specs, list):
        return False
    with_tarball = sum(isinstance(spec, dict) and "tarball" in spec for spec in specs)
    return with_tarball * 2 > len(specs)


_OLD_META = ("versions", "compilers", "oss", "platforms", "targets", "stacks", "num_specs",
             "num_specs_by_stack")

LAYOUTS = (
    PageLayout(PageFormat.LEGACY, _is_legacy, "page-legacy", (), (), False),
    PageLayout(PageFormat.TARBALL, _has_tarballs, "page-tarball", KEYS, (META_KEYS, _OLD_META),
               False),
    PageLayout(PageFormat.CURRENT, lambda _: True, "page-current", KEYS, (META_KEYS,), True),
)
"""The first row that matches is the format of a page."""

BY_FORMAT = {layout.format: layout for layout in LAYOUTS}


def format_of(data: Any) -> PageFormat:
    """Return the format of front matter; the current one where it is not a mapping."""
    mapping = data if isinstance(data, dict) else {}
    return next(layout.format for layout in LAYOUTS if layout.matches(mapping))
