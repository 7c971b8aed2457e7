"""How Spack writes a variant."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from cachelint.document import schema


@lru_cache(maxsize=8192)
def is_variant(text: str) -> bool:
    """Say whether ``text`` is a variant by the schema's pattern."""
    return _pattern().search(text) is not None


@cache
def _pattern() -> re.Pattern[str]:
    items = schema.load("page-current")["$defs"]["spec"]["properties"]["variants"]["items"]
    return re.compile(next(part["pattern"] for part in items["allOf"]
                           if part.get("title") == "Variant"))


@lru_cache(maxsize=8192)
def variant_name(text: str) -> str:
    """Return the name in a variant: `shared` of `+shared`, `libs` of `libs:=shared,static`."""
    return text.lstrip("+~").split("=", 1)[0].removesuffix(":")
