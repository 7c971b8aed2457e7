"""Write pages as the site's generator does, for generators to call."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from cachelint.document import schema, strict_json
from cachelint.document.summary import summarize
from cachelint.document.yaml import LimitError, YamlError, is_plain_word, load
from cachelint.model import Meta, Spec


def render_entry(key: str, value: Any) -> str:
    """Write one top-level entry as the generator does, its mappings in the order they have."""
    if key == "title":
        # the generator's template puts the string between quotes as it is
        return f"title: {json.dumps(value, ensure_ascii=False)}"
    if key == "layout":
        return f"layout: {value}"
    if key == "categories":
        return f"categories: [{', '.join(map(str, value))}]"
    return f"{key}: {strict_json.dumps(value)}"


def render(title: str, tag: str, meta: Meta, specs: Iterable[Spec]) -> str:
    """Write a whole page as the generator does; ``specs`` are in order already."""
    return (
        f'---\ntitle: "{title}"\nlayout: cache\ncategories: [package, {tag}]\n'
        f"meta: {strict_json.dumps(meta, sort_keys=True)}\n"
        f"spec_details: {strict_json.dumps(specs, sort_keys=True)}\n---"
    )


def is_renderable(title: str, tag: str) -> bool:
    """Return whether readers find just this title and tag on a page that `render` writes."""
    # a title is put between quotes as it is, and the characters that a tag may have are safe there
    if not schema.compile_check("page-current", "/$defs/tag")(title):
        return False
    if is_plain_word(tag):
        return True
    try:
        read = load(f"[package, {tag}]\n")
    except (YamlError, LimitError):
        return False
    words = read.value if isinstance(read.value, list) else []
    return not read.dependent and len(words) == 2 and type(words[1]) is str and words[1] == tag


def ordered(specs: Iterable[Mapping[str, Any]]) -> list[Spec]:
    """Return specs in the order of their hashes, with their stacks sorted; nothing is altered."""
    copies: list[Any] = [{**spec, "stacks": sorted(spec["stacks"])} for spec in specs]
    return sorted(copies, key=lambda spec: str(spec["hash"]))


def render_page(title: str, tag: str, specs: Iterable[Mapping[str, Any]]) -> str:
    """Write a page in canonical form: `meta` derived, specs by hash, keys and stacks sorted.

    Args:
        title: The package.
        tag: The build-cache tag.
        specs: The specs as in ``spec_details``, in any order.

    Returns:
        The whole text of ``specs.md``, to be written as UTF-8 without any newline added.

    Raises:
        KeyError: A spec lacks a field that `meta` summarises.
        ValueError: The title is not the name of a package, or the tag is not one that each reader
            of the page reads as the same string.
    """
    if not schema.compile_check("page-current", "/$defs/title")(title):
        raise ValueError(f"invalid name of a package: {title!r}")
    if not (type(tag) is str and is_plain_word(tag)):
        raise ValueError(f"invalid name of a tag: {tag!r}")
    specs = ordered(specs)
    return render(title, tag, summarize(specs), specs)
