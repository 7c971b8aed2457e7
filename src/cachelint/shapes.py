"""The quick way: accept specs by what they have in common with specs that were judged before.

Contract: `Shapes.read` returns facts only where the rules, asked one by one, would find nothing in
the line of specs, and then the facts are those that `summarize` derives. Otherwise it returns None,
which says nothing: the page goes the plain way. Tests hold the two ways together.

A spec's *shape* is its JSON text with its hash cut out (and, in a tarball's URL, the tag). From
package to package and week to week the same shapes return by the thousand. Each is judged once, by
the schema and the rules themselves with a hash put in, and remembered; a spec of a known shape then
needs only its hash looked at.
"""

from __future__ import annotations

import re
from collections import Counter
from sys import intern
from typing import Any, NamedTuple

from cachelint import jsontext, schema
from cachelint.model import Context, Format
from cachelint.rules import ALL_RULES
from cachelint.summary import FIELDS, summarize

_A_HASH = "a" * 32
_HASH_KEY = '"hash": "'
# texts that mean the same to every reader: no escapes, nothing outside printable ASCII
_IS_SIMPLE = re.compile(r"[ -\[\]-~]*").fullmatch
_ARE_HASHES = re.compile(r"[a-z2-7]*").fullmatch
_MOST = 20_000
"""How many shapes, and how many summaries, are remembered at a time."""


class Facts(NamedTuple):
    """What one page's specs say."""

    format: Format
    hashes: list[str]
    """In the order of the page."""
    summary: dict[str, Any]
    """What `meta` should be."""
    meta: str
    """The same, as the generator writes it."""


class _Shape(NamedTuple):
    """What the specs of one shape have in common."""

    format: Format
    package: str | None
    """The package for which a tarball's URL is right; None where there is none."""
    spec: dict[str, Any]
    """The fields that `meta` summarises."""


class Shapes:
    """Remembers the shapes that were found sound, within one configuration."""

    def __init__(self) -> None:
        """Begin with none."""
        self._known: dict[str, _Shape] = {}
        self._summaries: dict[frozenset[tuple[str, int]], tuple[dict[str, Any], str, Format]] = {}

    def read(self, text: str, context: Context) -> Facts | None:
        """Accept the specs in ``text``, the JSON of a page's ``spec_details``, or say nothing."""
        if not _IS_SIMPLE(text) or text[:2] != "[{" or text[-2:] != "}]":
            return None
        if len(self._known) >= _MOST or len(self._summaries) >= _MOST:
            self._known.clear()
            self._summaries.clear()
        tag, package = context.place
        if f"/{tag}/build_cache/" in text:
            # no text holds a line feed, so that what was cut cannot have stood there before
            text = text.replace(f"/{tag}/build_cache/", "/\n/build_cache/")
        hashes: list[str] = []
        shapes: list[str] = []
        for spec in text[2:-2].split("}, {"):
            at = spec.find(_HASH_KEY) + 9
            dag_hash = spec[at : at + 32]
            hashes.append(dag_hash)
            shapes.append(spec.replace(dag_hash, "\n"))
        if not _ARE_HASHES("".join(hashes)) or len(set(hashes)) < len(hashes):
            return None
        key = frozenset(Counter(shapes).items())
        known = self._known
        for shape, _ in key:
            if shape not in known and not self._judge(shape, context):
                return None
            if known[shape].package != package and known[shape].package is not None:
                return None
        if key not in self._summaries and not self._summarise(key):
            return None
        summary, meta, kind = self._summaries[key]
        if kind is Format.CURRENT and hashes != sorted(hashes):
            return None
        if context.tag_stacks is not None:
            if not context.tag_stacks.issuperset(summary["stacks"]):
                return None
            root = context.root_stack
            if (root in context.tag_stacks
                    and summary["num_specs_by_stack"].get(root) != len(hashes)):
                return None
        return Facts(kind, hashes, summary, meta)

    def _judge(self, shape: str, context: Context) -> bool:
        """Ask the schema and the rules about one spec of this shape, and remember a sound one."""
        text = "{" + shape.replace("/\n/", f"/{context.place.tag}/").replace("\n", _A_HASH) + "}"
        try:
            spec = jsontext.loads(text)
        except ValueError:
            return False
        kind = Format.TARBALL if "tarball" in spec else Format.CURRENT
        # hash and tag may stand only where any other would do as well
        tags = shape.count("/\n/")
        cuts = (shape.count("\n") - tags, tags)
        if spec.get("hash") != _A_HASH or cuts != ((2, 1) if kind is Format.TARBALL else (1, 0)):
            return False
        if not schema.sound(f"page-{kind.value}", "/$defs/spec")(spec):
            return False
        if kind is Format.TARBALL:
            if context.place.package is None or not spec["tarball"].endswith(f"-{_A_HASH}.spack"):
                return False
        elif jsontext.dumps(spec, sort_keys=True) != text or _unsorted(spec):
            return False
        for rule in ALL_RULES:
            if (rule.check_spec is not None and kind in rule.formats
                    and any(True for _ in rule.check_spec(spec, context))):
                return False
        if any(len(stack) >= 1023 for stack in spec["stacks"]):
            return False  # as a key of `meta`, loaders refuse it (CL703)
        package = context.place.package if kind is Format.TARBALL else None
        self._known[shape] = _Shape(kind, package, {
            field: intern(spec[field]) if isinstance(spec[field], str)
            else tuple(map(intern, spec[field]))
            for field in FIELDS.values()
        })
        return True

    def _summarise(self, key: frozenset[tuple[str, int]]) -> bool:
        """Derive and remember the summary of specs of these shapes; say whether they agree."""
        known = [(self._known[shape], count) for shape, count in key]
        formats = {shape.format for shape, _ in known}
        # each shape once gives the unions; counts are then multiplied
        summary = summarize(shape.spec for shape, _ in known)
        if len(formats) > 1 or _mixed(summary["compilers"]):
            return False
        by_stack = dict.fromkeys(summary["num_specs_by_stack"], 0)
        for shape, count in known:
            for stack in shape.spec["stacks"]:
                by_stack[stack] += count
        summary["num_specs_by_stack"] = by_stack
        summary["num_specs"] = sum(count for _, count in known)
        meta = jsontext.dumps(summary, sort_keys=True)
        self._summaries[key] = (summary, meta, formats.pop())
        return True


def _unsorted(spec: dict[str, Any]) -> bool:
    return bool(spec["stacks"] != sorted(spec["stacks"]))


def _mixed(compilers: list[str]) -> bool:
    """Say whether some are written `name@version` and some `name@=version` (CL408)."""
    return len({"@=" in name for name in compilers if "@" in name}) > 1
