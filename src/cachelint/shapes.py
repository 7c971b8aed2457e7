"""The quick way: accept specs by what they have in common with specs that were judged before.

Contract: `Shapes.read` returns facts only where the rules, asked one by one, would find nothing in
the line of specs, and then the facts are those that `summarize` derives. Otherwise it returns None,
which says nothing: the page goes the plain way. Tests hold the two ways together.

A spec's *shape* is its JSON text with its hash cut out (and, in a tarball's URL, the tag). From
package to package and week to week the same shapes return by the thousand. Each is judged once, by
the schema and the rules themselves with a hash put in, and remembered; a spec of a known shape then
needs only its hash looked at, and a page's `meta` is put together from what its shapes say.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import chain
from sys import intern
from typing import Any, NamedTuple

from cachelint import jsontext, schema
from cachelint.model import Context, Format
from cachelint.rules import ALL_RULES

_A_HASH = "a" * 32
_HASH_KEY = '"hash": "'
_STACKS_KEY = '"stacks": ['
_IS_SIMPLE_STACK = re.compile(r'"[A-Za-z0-9._-]+"').fullmatch
_ARE_HASHES = re.compile(r"[a-z2-7]*").fullmatch
_MOST = 30_000
"""How many shapes are remembered at a time."""

_CHECKS = {
    kind: tuple(rule.check_spec for rule in ALL_RULES
                if rule.check_spec is not None and kind in rule.formats)
    for kind in (Format.CURRENT, Format.TARBALL)
}
"""The rules that judge one spec alone."""


class _Shape(NamedTuple):
    """What the specs of one shape have in common."""

    compiler: str
    os: str
    platform: str
    stacks: tuple[str, ...]
    target: str
    version: str
    format: Format
    package: str | None
    """The package for which a tarball's URL is right; None where there is none."""


class Facts:
    """What one page's specs say."""

    __slots__ = ("_columns", "_texts", "by_stack", "format", "hashes")

    def __init__(
        self, hashes: list[str], columns: list[tuple[Any, ...]], texts: dict[frozenset[str], str]
    ) -> None:
        """Gather the facts from the columns of the specs' shapes."""
        self.hashes = hashes
        """In the order of the page."""
        self.format: Format = columns[6][0]
        self.by_stack: dict[str, int] = Counter(chain.from_iterable(columns[3]))
        """Stack to how many specs list it."""
        self._columns = columns
        self._texts = texts

    @property
    def summary(self) -> dict[str, Any]:
        """What `meta` should be, as `summarize` derives it."""
        compilers, oss, platforms, _, targets, versions = self._columns[:6]
        return {
            "compilers": sorted(set(compilers)),
            "num_specs": len(self.hashes),
            "num_specs_by_stack": dict(sorted(self.by_stack.items())),
            "oss": sorted(set(oss)),
            "platforms": sorted(set(platforms)),
            "stacks": sorted(self.by_stack),
            "targets": sorted(set(targets)),
            "versions": sorted(set(versions)),
        }

    @property
    def meta(self) -> str:
        """What `meta` should be, as the generator writes it."""
        compilers, oss, platforms, _, targets, versions = self._columns[:6]
        write, by_stack = self._write, self.by_stack
        counts = ", ".join([f'"{stack}": {by_stack[stack]}' for stack in sorted(by_stack)])
        return (
            f'{{"compilers": {write(compilers)}, "num_specs": {len(self.hashes)}, '
            f'"num_specs_by_stack": {{{counts}}}, "oss": {write(oss)}, '
            f'"platforms": {write(platforms)}, "stacks": {write(by_stack)}, '
            f'"targets": {write(targets)}, "versions": {write(versions)}}}'
        )

    def _write(self, values: Any) -> str:
        """Write a set of names as a sorted list; the same sets return by the thousand."""
        names = frozenset(values)
        text = self._texts.get(names)
        if text is None:
            text = self._texts[names] = jsontext.dumps(sorted(names))
        return text


class Shapes:
    """Remembers the shapes that were found sound, within one configuration."""

    def __init__(self) -> None:
        """Begin with none."""
        self._known: dict[str, _Shape] = {}
        self._stacks: dict[str, str] = {}
        self._texts: dict[frozenset[str], str] = {}

    def read(self, text: str, context: Context) -> Facts | None:
        """Accept the specs in ``text``, the JSON of a page's ``spec_details``, or say nothing.

        ``text`` is printable ASCII without a backslash, so that it means the same to all readers
        and no part of it can pass for a line feed, which marks what was cut out.
        """
        if text[:2] != "[{" or text[-2:] != "}]":
            return None
        tag = context.place.tag
        has_tarballs = f"/{tag}/build_cache/" in text
        if has_tarballs:
            text = text.replace(f"/{tag}/build_cache/", "/\n/build_cache/")
        hashes: list[str] = []
        shapes: list[str] = []
        for spec in text[2:-2].split("}, {"):
            at = spec.find(_HASH_KEY) + 9
            dag_hash = spec[at : at + 32]
            hashes.append(dag_hash)
            shape = spec.replace(dag_hash, "\n")
            shapes.append(self._with_sorted_stacks(shape) if has_tarballs else shape)
        if not _ARE_HASHES("".join(hashes)) or len(set(hashes)) < len(hashes):
            return None
        known = self._known
        try:
            columns = list(zip(*[known[shape] for shape in shapes], strict=True))
        except KeyError:
            if not self._learn(shapes, context):
                return None
            columns = list(zip(*[known[shape] for shape in shapes], strict=True))
        facts = Facts(hashes, columns, self._texts)
        return facts if self._are_sound_together(facts, columns, context) else None

    def _are_sound_together(
        self, facts: Facts, columns: list[tuple[Any, ...]], context: Context
    ) -> bool:
        """Say whether specs, each sound by itself, are so beside each other and in their tag."""
        package = facts.format is Format.TARBALL and context.place.package or None
        if columns[6].count(facts.format) < len(columns[6]):
            return False
        if package is not None:
            if columns[7].count(package) < len(columns[7]):
                return False
        elif facts.hashes != sorted(facts.hashes):
            return False
        compilers = set(columns[0])
        if len(compilers) > 1 and len({"@=" in name for name in compilers if "@" in name}) > 1:
            return False  # CL408
        listed, by_stack = context.tag_stacks, facts.by_stack
        if listed is None:
            return True
        root = context.root_stack
        return listed.issuperset(by_stack) and (
            root not in listed or by_stack[root] == len(facts.hashes))

    def _with_sorted_stacks(self, shape: str) -> str:
        """Sort the stacks in a shape of the tarball format, whose rules ask for no order."""
        start = shape.find(_STACKS_KEY) + len(_STACKS_KEY)
        stacks = shape[start : shape.find("]", start)]
        if stacks not in self._stacks:
            # sorted as the names in quotes are, which is the same for all of them
            names = stacks.split(", ")
            simple = all(map(_IS_SIMPLE_STACK, names))
            self._stacks[stacks] = ", ".join(sorted(names)) if simple else stacks
        return f"{shape[:start]}{self._stacks[stacks]}{shape[start + len(stacks):]}"

    def _learn(self, shapes: list[str], context: Context) -> bool:
        """Judge the shapes that are not known; say whether all are sound."""
        if len(self._known) >= _MOST:
            self._known.clear()
            self._stacks.clear()
            self._texts.clear()
        for shape in shapes:
            if shape not in self._known:
                judged = _judge(shape, context)
                if judged is None:
                    return False
                self._known[shape] = judged
        return True


def _judge(shape: str, context: Context) -> _Shape | None:
    """Ask the schema and the rules about one spec of this shape; None where it is unsound."""
    text = "{" + shape.replace("/\n/", f"/{context.place.tag}/").replace("\n", _A_HASH) + "}"
    try:
        spec = jsontext.loads(text)
    except ValueError:
        return None
    kind = Format.TARBALL if "tarball" in spec else Format.CURRENT
    # hash and tag may stand only where any other would do as well
    tags = shape.count("/\n/")
    cuts = (shape.count("\n") - tags, tags)
    if spec.get("hash") != _A_HASH or cuts != ((2, 1) if kind is Format.TARBALL else (1, 0)):
        return None
    if not schema.sound(f"page-{kind.value}", "/$defs/spec")(spec):
        return None
    package = None
    if kind is Format.TARBALL:
        package = context.place.package
        if package is None or not spec["tarball"].endswith(f"-{_A_HASH}.spack"):
            return None
    elif spec["stacks"] != sorted(spec["stacks"]) or jsontext.dumps(spec, sort_keys=True) != text:
        return None
    if any(True for check in _CHECKS[kind] for _ in check(spec, context)):
        return None
    if any(len(stack) >= 1023 for stack in spec["stacks"]):
        return None  # as a key of `meta`, loaders refuse it (CL703)
    return _Shape(
        intern(spec["compiler"]), intern(spec["os"]), intern(spec["platform"]),
        tuple(map(intern, spec["stacks"])), intern(spec["target"]), intern(spec["versions"][0]),
        kind, package,
    )
