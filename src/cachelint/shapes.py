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
from sys import intern
from typing import Any, NamedTuple

from cachelint import jsontext, schema
from cachelint.model import Context, Format
from cachelint.rules import ALL_RULES
from cachelint.summary import says

_A_HASH = "a" * 32
_HASH_KEY = '"hash": "'
_STACKS_KEY = '"stacks": ['
_COUNTS_KEY = '"num_specs_by_stack": {'
_IS_SIMPLE_STACK = re.compile(r'"[A-Za-z0-9._-]+"').fullmatch
_ARE_HASHES = re.compile(r"[a-z2-7]*").fullmatch
_MOST_SHAPES, _MOST_GROUPS, _LARGEST_GROUP = 30_000, 8_000, 20
"""How many shapes and groups of shapes are remembered at a time, and the most shapes of a group."""

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


class _Group:
    """What the pages have in common whose specs are of the same shapes, each as often.

    Thousands are remembered, so that it holds little, and works out the rest when it is asked.
    """

    __slots__ = ("_shapes", "_texts", "by_stack", "format", "is_sound", "meta", "package")

    def __init__(self, shapes: list[_Shape], texts: dict[frozenset[str], str]) -> None:
        """Put together what the shapes say; ``texts`` are the JSON of sets of names."""
        self._shapes, self._texts = shapes, texts
        self.format: Format = shapes[0].format
        self.package: str | None = shapes[0].package
        self.is_sound = (
            len({(shape.format, shape.package) for shape in shapes}) == 1
            # no two spellings of compilers (CL408)
            and len({"@=" in shape.compiler for shape in shapes if "@" in shape.compiler}) <= 1
        )
        self.by_stack: dict[str, int] = {}
        """Stack to how many specs list it."""
        for shape in shapes:
            for stack in shape.stacks:
                self.by_stack[stack] = self.by_stack.get(stack, 0) + 1
        self.meta = self.write(_SORTED_KEYS)
        """`meta` as the generator writes it in the current format."""

    @property
    def unions(self) -> dict[str, tuple[str, ...]]:
        """The values of which each list of `meta` is the set."""
        compilers, oss, platforms, _, targets, versions, _, _ = zip(*self._shapes, strict=True)
        return {"compilers": compilers, "oss": oss, "platforms": platforms,
                "stacks": tuple(self.by_stack), "targets": targets, "versions": versions}

    @property
    def counts(self) -> list[str]:
        """The members of `num_specs_by_stack`, as the generator writes them."""
        return [f'"{stack}": {self.by_stack[stack]}' for stack in sorted(self.by_stack)]

    def write(self, keys: tuple[str, ...]) -> str:
        """Write `meta` with its keys in this order."""
        members = {"num_specs": str(len(self._shapes)),
                   "num_specs_by_stack": f"{{{', '.join(self.counts)}}}"}
        for key, values in self.unions.items():
            names = frozenset(values)
            if names not in self._texts:
                self._texts[names] = jsontext.dumps(sorted(names))
            members[key] = self._texts[names]
        return "{" + ", ".join([f'"{key}": {members[key]}' for key in keys]) + "}"


_SORTED_KEYS = (
    "compilers", "num_specs", "num_specs_by_stack", "oss", "platforms", "stacks", "targets",
    "versions",
)
_UNSORTED_KEYS = (
    "versions", "compilers", "oss", "platforms", "targets", "stacks", "num_specs",
    "num_specs_by_stack",
)
"""As pages in the tarball format have them until 2025-02."""


class Facts(NamedTuple):
    """What one page's specs say."""

    hashes: list[str]
    """In the order of the page."""
    group: _Group

    @property
    def format(self) -> Format:
        """The format of the page."""
        return self.group.format

    @property
    def summary(self) -> dict[str, Any]:
        """What `meta` should be, as `summarize` derives it."""
        unions = {key: sorted(set(values)) for key, values in self.group.unions.items()}
        whole = {
            **unions,
            "num_specs": len(self.hashes),
            "num_specs_by_stack": dict(sorted(self.group.by_stack.items())),
        }
        return {key: whole[key] for key in _SORTED_KEYS}

    def are_in(self, meta: str) -> bool:
        """Say whether ``meta``, a page's line of JSON, is what the specs imply.

        In the current format that is one text; in the tarball format the facts count, not their
        order.
        """
        group = self.group
        if meta == group.meta or group.format is Format.CURRENT:
            return meta == group.meta
        start = meta.find(_COUNTS_KEY) + len(_COUNTS_KEY)
        end = meta.find("}", start)
        counts = group.counts
        if sorted(meta[start:end].split(", ")) == sorted(counts):
            ordered = meta[:start] + ", ".join(counts) + meta[end:]
            if ordered == group.meta or ordered == group.write(_UNSORTED_KEYS):
                return True
        try:
            value = jsontext.loads(meta)
        except ValueError:
            return False
        due = self.summary
        return (type(value) is dict and value.keys() == due.keys()
                and all(says(value[key], due[key]) for key in due))


class Shapes:
    """Remembers the shapes that were found sound, within one configuration."""

    def __init__(self) -> None:
        """Begin with none."""
        self._known: dict[str, _Shape] = {}
        self._names: dict[str, str] = {}
        self._groups: dict[tuple[str, ...], _Group] = {}
        self._stacks: dict[str, str] = {}
        self._texts: dict[frozenset[str], str] = {}

    def read(self, text: str, context: Context) -> Facts | None:
        """Accept the specs in ``text``, the JSON of a page's ``spec_details``, or say nothing.

        ``text`` is printable ASCII without a backslash, so that it means the same to all readers
        and no part of it can pass for a line feed, which marks what was cut out.
        """
        if text[:2] != "[{" or text[-2:] != "}]":
            return None
        tag, package = context.place
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
        shapes.sort()
        key = tuple(shapes)
        group = self._groups.get(key) or self._learn(key, context)
        if group is None or not group.is_sound or group.package not in (None, package):
            return None
        if group.format is Format.CURRENT and hashes != sorted(hashes):
            return None
        listed = context.tag_stacks
        if listed is not None:
            root, by_stack = context.root_stack, group.by_stack
            if not listed.issuperset(by_stack):
                return None
            if root in listed and by_stack.get(root) != len(hashes):
                return None
        return Facts(hashes, group)

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

    def _learn(self, key: tuple[str, ...], context: Context) -> _Group | None:
        """Judge the shapes that are not known, and group them all; None where one is unsound."""
        if len(self._known) >= _MOST_SHAPES:
            self._known.clear()
            self._names.clear()
            self._groups.clear()
            self._stacks.clear()
            self._texts.clear()
        for shape in key:
            if shape not in self._known:
                judged = _judge(shape, context)
                if judged is None:
                    return None
                self._known[shape] = judged
                self._names[shape] = shape
        group = _Group([self._known[shape] for shape in key], self._texts)
        if len(key) <= _LARGEST_GROUP:
            if len(self._groups) >= _MOST_GROUPS:
                self._groups.clear()
            # of each shape one text is kept, not one for each group
            self._groups[tuple([self._names[shape] for shape in key])] = group
        return group


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
