"""How Spack writes a variant."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from cachelint.document import schema
from cachelint.document.schema import LONGEST_KEPT, LONGEST_LIST


def variant_name(text: str) -> str:
    """Return the name in a variant: `shared` of `+shared`, `libs` of `libs:=shared,static`.

    It is empty where ``text`` is not a variant by the schema's pattern.
    """
    return _variant_name(text) if len(text) <= LONGEST_KEPT else _name(text)


def _name(text: str) -> str:
    if _pattern().search(text) is None:
        return ""
    return text.lstrip("+~").split("=", 1)[0].removesuffix(":")


_variant_name = lru_cache(maxsize=8192)(_name)


def variant_names(variants: list[str]) -> list[str]:
    """Return the name in each of ``variants``, as `variant_name` does."""
    return list(map(_name if len(variants) > LONGEST_LIST else variant_name, variants))


@cache
def _pattern() -> re.Pattern[str]:
    items = schema.load("page-current")["$defs"]["spec"]["properties"]["variants"]["items"]
    return re.compile(next(part["pattern"] for part in items["allOf"]
                           if part.get("title") == "Variant"))


def explain_variant(text: str) -> str:
    """Return why ``text``, which is not a variant, is none."""
    signs = re.match(r"[+~]*", text)
    assert signs is not None
    name, equals, value = text[signs.end() :].partition("=")
    name = name.removesuffix(":") if equals else name
    if signs[0] not in ("", "+", "~", "++", "~~"):
        return f"{signs[0][:10]} is not a sign, expected +, ~, ++ or ~~"
    if signs[0] and equals:
        return f"a variant with {signs[0]} has no value, expected {signs[0]}name or name=value"
    if not signs[0] and not equals:
        return "expected +name, ~name or name=value"
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name):
        return "the name contains other characters than letters, digits, _, . and -"
    if re.search(r"\s", value):
        return f"a value with spaces must be quoted, {name[:40]}='{value.strip()[:40]}'"
    return "a quote is not closed"
