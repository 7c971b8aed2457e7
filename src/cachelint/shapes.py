"""The quick way: accept specs by what they have in common with specs that were judged before.

Contract: `Shapes.read` returns facts only where the rules, asked one by one, would find nothing in
the line of specs, and then the facts are those that `summarize` derives. Otherwise it returns None,
which says nothing: the page goes the plain way. Tests hold the two ways together.

A spec's *shape* is its JSON text with its hash cut out and, in the tarball format, the tarball's
URL, which follows from the rest. From package to package and week to week the same shapes return
by the thousand. Each is judged once, by the schema and the rules themselves with a hash put in, and
remembered by its *kind*, which is all that `meta` sees of a spec. A spec of a known shape then
needs only its hash and its URL looked at, and a page's `meta` follows from the kinds of its specs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import islice
from sys import intern
from typing import Any, NamedTuple

from cachelint import jsontext, schema
from cachelint.model import Context, Format
from cachelint.rules import ALL_RULES
from cachelint.rules.cl4_specs import mirror_folders, tarball_start

_A_HASH = "a" * 32
_HASH_KEY = '"hash": "'
_STACKS_KEY = '"stacks": ['
_TARBALL_KEY = '"tarball": "'
_COUNTS_KEY = '"num_specs_by_stack": {'
_IS_SIMPLE_STACK = re.compile(r'"[A-Za-z0-9._-]+"').fullmatch
_IS_SIMPLE_NAME = re.compile(r"[A-Za-z0-9._-]+").fullmatch
_ARE_HASHES = re.compile(r"[a-z2-7]*").fullmatch
_MOST_SHAPES, _MOST_GROUPS, _LARGEST_GROUP = 30_000, 8_000, 20
"""How many shapes and groups of kinds are remembered at a time, and the most specs of a group."""

_CHECKS = {
    kind: tuple(rule.check_spec for rule in ALL_RULES
                if rule.check_spec is not None and kind in rule.formats
                and rule.code != "CL406")  # about the URL, which is cut out
    for kind in (Format.CURRENT, Format.TARBALL)
}
"""The rules that judge one spec alone."""


_SORTED_KEYS = (
    "compilers", "num_specs", "num_specs_by_stack", "oss", "platforms", "stacks", "targets",
    "versions",
)
_UNSORTED_KEYS = (
    "versions", "compilers", "oss", "platforms", "targets", "stacks", "num_specs",
    "num_specs_by_stack",
)
"""As pages in the tarball format have them until 2025-02."""


def write_meta(meta: Mapping[str, Any], keys: Sequence[str] = _SORTED_KEYS) -> str:
    """Write `meta` as the generator does, with ``keys`` in this order and all else sorted.

    Each list may be any iterable of names; in the names is neither a quote nor a backslash.
    """
    members = []
    for key in keys:
        value = meta[key]
        if key == "num_specs":
            text = str(value)
        elif key == "num_specs_by_stack":
            counts = ", ".join([f'"{stack}": {value[stack]}' for stack in sorted(value)])
            text = f"{{{counts}}}"
        else:
            names = frozenset(value)
            text = (_few_names if len(names) < _MANY else _names)(names)
        members.append(f'"{key}": {text}')
    return f"{{{', '.join(members)}}}"


def _names(names: frozenset[str]) -> str:
    """Write a set of names as the generator does."""
    return jsontext.dumps(sorted(names))


_MANY = 200
_few_names = lru_cache(maxsize=8192)(_names)


class _Kind(NamedTuple):
    """What `meta` sees of a spec."""

    compiler: str
    os: str
    platform: str
    stacks: tuple[str, ...]
    target: str
    version: str
    format: Format


class _Group:
    """What the pages have in common whose specs are of the same kinds, each as often.

    Thousands are remembered, so that it holds little, and works out the rest when it is asked.
    """

    __slots__ = ("_kinds", "_unsorted", "format", "is_sound", "meta")

    def __init__(self, kinds: tuple[_Kind, ...]) -> None:
        """Put together what the kinds say."""
        self._kinds = kinds
        self.format: Format = kinds[0].format
        self.is_sound = (
            len({kind.format for kind in kinds}) == 1
            # no two spellings of compilers (CL408)
            and len({"@=" in kind.compiler for kind in kinds if "@" in kind.compiler}) <= 1
        )
        self.meta = self._write(_SORTED_KEYS)
        """`meta` as the generator writes it in the current format."""
        self._unsorted = ""

    def unsorted_meta(self) -> str:
        """Write `meta` with its keys in the older order of the tarball format."""
        if not self._unsorted:
            self._unsorted = self._write(_UNSORTED_KEYS)
        return self._unsorted

    def _write(self, keys: tuple[str, ...]) -> str:
        compilers, oss, platforms, _, targets, versions, _ = zip(*self._kinds, strict=True)
        by_stack: dict[str, int] = {}
        for kind in self._kinds:
            for stack in kind.stacks:
                by_stack[stack] = by_stack.get(stack, 0) + 1
        return write_meta({
            "compilers": compilers, "num_specs": len(self._kinds), "num_specs_by_stack": by_stack,
            "oss": oss, "platforms": platforms, "stacks": by_stack, "targets": targets,
            "versions": versions}, keys)


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
        summary: dict[str, Any] = jsontext.loads(self.group.meta)
        return summary

    def are_in(self, meta: str) -> bool:
        """Say whether ``meta``, a page's line of JSON, is written as the generator has it.

        In the current format that is one text; in the tarball format there are two orders of keys,
        and counts in any order. A no says nothing.
        """
        group = self.group
        if meta == group.meta or group.format is Format.CURRENT:
            return meta == group.meta
        before, counts, after = _split_counts(meta)
        _, due_counts, _ = _split_counts(group.meta)
        # of one length with the same members, each of which is there once
        return (len(counts) == len(due_counts)
                and set(counts.split(", ")) == set(due_counts.split(", "))
                and before + due_counts + after in (group.unsorted_meta(), group.meta))


def _split_counts(meta: str) -> tuple[str, str, str]:
    """Cut the members of `num_specs_by_stack` out of `meta`."""
    start = meta.find(_COUNTS_KEY) + len(_COUNTS_KEY)
    end = meta.find("}", start)
    return meta[:start], meta[start:end], meta[end:]


class Shapes:
    """Remembers the shapes that were found sound, within one configuration."""

    def __init__(self) -> None:
        """Begin with none."""
        self._known: dict[str, int] = {}
        """Shape to the number of its kind."""
        self._kinds: list[_Kind] = []
        self._numbers: dict[_Kind, int] = {}
        self._groups: dict[tuple[int, ...], _Group] = {}
        """By the numbers of the kinds, sorted."""
        self._listed: tuple[frozenset[str], str] | None = None
        """The stacks of the tag that was asked about last, and the root stack."""
        self._of_tag: set[int] = set()
        """The numbers of kinds whose stacks are sound there."""
        self._stacks: dict[str, str] = {}
        self._paths: dict[int, str] = {}
        """By the number of a kind: where its tarballs lie, `\\0` for the tag, `\\1` the package."""

    def read(self, text: str, context: Context) -> Facts | None:
        """Accept the specs in ``text``, the JSON of a page's ``spec_details``, or say nothing."""
        if text[:2] != "[{" or text[-2:] != "}]":
            return None
        specs = text[2:-2].split("}, {")
        hashes: list[str] = []
        shapes: list[str] = []
        urls: list[str] = []
        try:
            if _TARBALL_KEY in specs[0]:
                self._cut(specs, hashes, shapes, urls)
            else:
                for spec in specs:
                    at = spec.index(_HASH_KEY) + 9
                    hashes.append(spec[at : at + 32])
                    shapes.append(spec[:at] + spec[at + 32 :])
        except ValueError:
            return None
        joined = "".join(hashes)
        if len(joined) != 32 * len(hashes) or not _ARE_HASHES(joined):
            return None
        ordered = sorted(set(hashes))
        if len(ordered) != len(hashes):
            return None
        try:
            kinds = list(map(self._known.__getitem__, shapes))
        except KeyError:
            if not self._learn(shapes, context):
                return None
            kinds = list(map(self._known.__getitem__, shapes))
        group = self._group(kinds)
        if not group.is_sound:
            return None
        if group.format is Format.CURRENT:
            if hashes != ordered:
                return None
        elif not self._are_due(urls, kinds, hashes, context):
            return None
        if not self._are_listed(kinds, context):
            return None
        return Facts(hashes, group)

    def _cut(
        self, specs: list[str], hashes: list[str], shapes: list[str], urls: list[str]
    ) -> None:
        """Cut specs in the tarball format into hashes, shapes and URLs; ValueError if they differ.

        The generator has had two orders of keys, in both of which hash, stacks and tarball follow
        each other.
        """
        for spec in specs:
            at = spec.index(_HASH_KEY) + 9
            stacks = spec.index(_STACKS_KEY, at) + 11
            stacks_end = spec.index("]", stacks)
            url = spec.index(_TARBALL_KEY, stacks_end) + 12
            end = spec.index('"', url)
            hashes.append(spec[at : at + 32])
            urls.append(spec[url:end])
            shapes.append(f"{spec[:at]}{spec[at + 32 : stacks]}"
                          f"{self._sorted_stacks(spec[stacks:stacks_end])}"
                          f"{spec[stacks_end:url]}{spec[end:]}")

    def _sorted_stacks(self, stacks: str) -> str:
        """Sort the stacks of a spec in the tarball format, whose rules ask for no order."""
        if stacks not in self._stacks:
            # sorted as the names in quotes are, which is the same for all of them
            names = stacks.split(", ")
            simple = all(map(_IS_SIMPLE_STACK, names))
            self._stacks[stacks] = ", ".join(sorted(names)) if simple else stacks
        return self._stacks[stacks]

    def _learn(self, shapes: list[str], context: Context) -> bool:
        """Judge the shapes that are not known; say whether all are sound."""
        if len(self._known) >= _MOST_SHAPES:
            self.__init__()  # type: ignore[misc] # forget everything
        for shape in shapes:
            if shape not in self._known:
                kind = _judge(shape, context)
                if kind is None:
                    return False
                if kind not in self._numbers:
                    self._numbers[kind] = len(self._kinds)
                    self._kinds.append(kind)
                self._known[shape] = self._numbers[kind]
        return True

    def _are_due(
        self, urls: list[str], kinds: list[int], hashes: list[str], context: Context
    ) -> bool:
        """Say whether the tarballs of all specs have the URLs that follow from the specs."""
        tag, package = context.place
        if (tag is None or package is None or len(urls) < len(kinds)
                or not _IS_SIMPLE_NAME(tag) or not _IS_SIMPLE_NAME(package)):
            return False
        folders = mirror_folders(context.mirror_urls)
        starts: dict[int, str] = {}
        for url, number, dag_hash in zip(urls, kinds, hashes, strict=True):
            if number not in starts:
                starts[number] = self._path(number).replace("\0", tag).replace("\1", package)
            path = f"{starts[number]}{dag_hash}.spack"
            if not url.endswith(path) or url[: -len(path)] not in folders:
                return False
        return True

    def _path(self, number: int) -> str:
        """Return where tarballs of a kind lie, but for what stands for tag and package."""
        if number not in self._paths:
            kind = self._kinds[number]
            self._paths[number] = tarball_start("\0", "\1", kind.platform, kind.os, kind.target,
                                                kind.compiler, kind.version)
        return self._paths[number]

    def _are_listed(self, kinds: list[int], context: Context) -> bool:
        """Say whether specs of these kinds are in the stacks that their tag has."""
        listed, root = context.tag_stacks, context.root_stack
        if listed is None:
            return True
        if self._listed != (listed, root):
            self._listed, self._of_tag = (listed, root), set()
        if not self._of_tag.issuperset(kinds):
            for number in kinds:
                stacks = self._kinds[number].stacks
                if not listed.issuperset(stacks) or (root in listed and root not in stacks):
                    return False
            self._of_tag.update(kinds)
        return True

    def _group(self, kinds: list[int]) -> _Group:
        """Return what the pages have in common whose specs are of these kinds."""
        key = tuple(sorted(kinds))
        group = self._groups.get(key)
        if group is None:
            group = _Group(tuple([self._kinds[number] for number in key]))
            if len(key) <= _LARGEST_GROUP:
                if len(self._groups) >= _MOST_GROUPS:
                    for oldest in list(islice(self._groups, _MOST_GROUPS // 2)):
                        del self._groups[oldest]
                self._groups[key] = group
        return group


def _judge(shape: str, context: Context) -> _Kind | None:
    """Ask the schema and the rules about one spec of this shape; None where it is unsound."""
    if not jsontext.is_plain(shape):
        return None
    text = "{" + shape.replace(_HASH_KEY, _HASH_KEY + _A_HASH, 1) + "}"
    try:
        spec = jsontext.loads(text)
    except ValueError:
        return None
    form = Format.TARBALL if "tarball" in spec else Format.CURRENT
    # what was cut out may stand only where anything else would do as well
    if spec.get("hash") != _A_HASH or spec.get("tarball"):
        return None
    if form is Format.TARBALL:
        spec["tarball"] = _A_HASH  # any text will do for the schema
    if not schema.sound(f"page-{form.value}", "/$defs/spec")(spec):
        return None
    kind = _Kind(
        intern(spec["compiler"]), intern(spec["os"]), intern(spec["platform"]),
        tuple(map(intern, spec["stacks"])), intern(spec["target"]), intern(spec["versions"][0]),
        form,
    )
    if form is Format.CURRENT and (
            spec["stacks"] != sorted(spec["stacks"])
            or jsontext.dumps(spec, sort_keys=True) != text):
        return None
    if any(True for check in _CHECKS[form] for _ in check(spec, context)):
        return None
    if any(len(stack) >= 1023 for stack in spec["stacks"]):
        return None  # as a key of `meta`, loaders refuse it (CL703)
    return kind
