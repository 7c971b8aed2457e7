"""The quick way: accept specs by what they have in common with specs that were judged before.

Contract: `Shapes.read` returns facts only where the rules, asked one by one, would find nothing in
the line of specs, and then the facts are those that `summarize` derives. Otherwise it returns None,
which says nothing: the page goes the plain way. Tests hold the two ways together.

A spec's *shape* is its JSON text with its hash cut out and, in the tarball format, the tarball's
URL, which follows from the rest. From package to package and week to week the same shapes return
by the thousand. Each is judged once, by the schema and the rules themselves with a hash put in, and
remembered by its *kind*, which is all that `meta` sees of a spec: its *build* (compiler, system,
stacks and so on) and its version. A spec of a known shape then needs only its hash and its URL looked
at, and a page's `meta` follows from the kinds of its specs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from sys import intern
from typing import Any, Generic, NamedTuple, TypeVar

from cachelint import jsontext, schema
from cachelint.model import Context, Format
from cachelint.rules import ALL_RULES
from cachelint.rules.cl4_specs import mirror_folders, tarball_start

Item = TypeVar("Item")
Key = TypeVar("Key")

_A_HASH = "a" * 32
_HASH_KEY = b'"hash": "'
_STACKS_KEY = b'"stacks": ['
_TARBALL_KEY = b'"tarball": "'
_COUNTS_KEY = b'"num_specs_by_stack": {'
_IS_SIMPLE_STACK = re.compile(rb'"[A-Za-z0-9._-]+"').fullmatch
_IS_SIMPLE_NAME = re.compile(r"[A-Za-z0-9._-]+").fullmatch
_HASH_LETTERS = b"abcdefghijklmnopqrstuvwxyz234567"
_MOST_SHAPES, _MOST_GROUPS, _LARGEST_GROUP = 30_000, 8_000, 20
"""How many shapes and groups of builds are remembered at a time, and the most specs of a group."""

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
            text = _list(value)
        members.append(f'"{key}": {text}')
    return f"{{{', '.join(members)}}}"


def _list(items: Iterable[str]) -> str:
    names = frozenset(items)
    return (_few_names if len(names) < _MANY else _names)(names)


def _names(names: frozenset[str]) -> str:
    """Write a set of names as the generator does."""
    return jsontext.dumps(sorted(names))


_MANY = 200
_few_names = lru_cache(maxsize=8192)(_names)


class _Build(NamedTuple):
    """What `meta` sees of a spec but for its version: there are a few hundred in a catalog."""

    compiler: str
    os: str
    platform: str
    stacks: tuple[str, ...]
    target: str
    format: Format


class _Kind(NamedTuple):
    """All that `meta` sees of a spec."""

    build: int
    """The number of its build."""
    version: str


class _Group:
    """What the pages have in common whose specs are of the same builds, each as often.

    Thousands are remembered, so that it holds little, and works out the rest when it is asked.
    """

    __slots__ = ("_unsorted", "builds", "format", "is_sound", "start")

    def __init__(self, builds: tuple[_Build, ...]) -> None:
        """Put together what the builds say."""
        self.builds = builds
        self.format: Format = builds[0].format
        self.is_sound = (
            len({build.format for build in builds}) == 1
            # no two spellings of compilers (CL408)
            and len({"@=" in build.compiler for build in builds if "@" in build.compiler}) <= 1
        )
        self.start = self._write(_SORTED_KEYS)[:-3]
        """`meta` as the generator writes it in the current format, up to its versions."""
        self._unsorted = b""

    def unsorted_rest(self) -> bytes:
        """Write what follows the versions in the older order of the tarball format."""
        if not self._unsorted:
            self._unsorted = self._write(_UNSORTED_KEYS).removeprefix(b'{"versions": []')
        return self._unsorted

    def _write(self, keys: tuple[str, ...]) -> bytes:
        compilers, oss, platforms, stacks, targets, _ = zip(*self.builds, strict=True)
        by_stack: dict[str, int] = {}
        for names in stacks:
            for name in names:
                by_stack[name] = by_stack.get(name, 0) + 1
        return write_meta({
            "compilers": compilers, "num_specs": len(self.builds), "num_specs_by_stack": by_stack,
            "oss": oss, "platforms": platforms, "stacks": by_stack, "targets": targets,
            "versions": ()}, keys).encode()


class _Implied(NamedTuple):
    """What the specs of a page imply."""

    group: _Group
    versions: bytes
    """As `meta` has them."""
    meta: bytes
    """As the generator writes it in the current format."""


class Facts(NamedTuple):
    """What one page's specs say."""

    hashes: list[bytes]
    """In the order of the page."""
    implied: _Implied

    @property
    def format(self) -> Format:
        """The format of the page."""
        return self.implied.group.format

    @property
    def summary(self) -> dict[str, Any]:
        """What `meta` should be, as `summarize` derives it."""
        summary: dict[str, Any] = jsontext.loads(self.implied.meta.decode())
        return summary

    def are_in(self, meta: bytes) -> bool:
        """Say whether ``meta``, a page's line of JSON, is written as the generator has it.

        In the current format that is one text; in the tarball format there are two orders of keys,
        and counts in any order. A no says nothing.
        """
        group, versions, due = self.implied
        if meta == due or group.format is Format.CURRENT:
            return meta == due
        before, counts, after = _split_counts(meta)
        _, due_counts, _ = _split_counts(due)
        # of one length with the same members, each of which is there once
        return (len(counts) == len(due_counts)
                and set(counts.split(b", ")) == set(due_counts.split(b", "))
                and before + due_counts + after in (
                    b'{"versions": ' + versions + group.unsorted_rest(), due))


def _split_counts(meta: bytes) -> tuple[bytes, bytes, bytes]:
    """Cut the members of `num_specs_by_stack` out of `meta`."""
    start = meta.find(_COUNTS_KEY) + len(_COUNTS_KEY)
    end = meta.find(b"}", start)
    return meta[:start], meta[start:end], meta[end:]


class Shapes:
    """Remembers the shapes that were found sound, within one configuration."""

    def __init__(self) -> None:
        """Begin with none."""
        self._known: dict[bytes, int] = {}
        """Shape to the number of its kind."""
        self._kinds = _Numbered[_Kind]()
        self._builds = _Numbered[_Build]()
        self._implied: dict[tuple[int, ...], _Implied] = {}
        """By the numbers of the kinds, sorted."""
        self._groups: dict[tuple[int, ...], _Group] = {}
        """By the numbers of the builds, sorted."""
        self._listed: tuple[frozenset[str] | None, str] = (None, "")
        """The stacks of the tag that was asked about last, and the root stack."""
        self._of_tag: set[_Group] = set()
        """Groups whose stacks are sound there."""
        self._stacks: dict[bytes, bytes] = {}
        self._paths: dict[int, str] = {}
        """By the number of a kind: where its tarballs lie, `\\0` for the tag, `\\1` the package."""

    def read(self, line: bytes, context: Context) -> Facts | None:
        """Accept the specs in ``line``, the JSON of a page's ``spec_details``, or say nothing."""
        if line[:2] != b"[{" or line[-2:] != b"}]":
            return None
        specs = line[2:-2].split(b"}, {")
        urls: list[bytes] = []
        try:
            ats = [spec.index(_HASH_KEY) + 9 for spec in specs]
            if _TARBALL_KEY in specs[0]:
                shapes = self._cut(specs, ats, urls)
            else:
                shapes = [spec[:at] + spec[at + 32 :] for spec, at in zip(specs, ats, strict=True)]
        except ValueError:
            return None
        hashes = [spec[at : at + 32] for spec, at in zip(specs, ats, strict=True)]
        joined = b"".join(hashes)
        if len(joined) != 32 * len(hashes) or joined.translate(None, _HASH_LETTERS):
            return None
        ordered = sorted(set(hashes))
        if len(ordered) != len(hashes):
            return None
        try:
            kinds = [self._known[shape] for shape in shapes]
        except KeyError:
            if not self._learn(shapes, context):
                return None
            kinds = [self._known[shape] for shape in shapes]
        key = tuple(sorted(kinds))
        implied = self._implied.get(key) or self._imply(key)
        group = implied.group
        if not group.is_sound:
            return None
        if group.format is Format.CURRENT:
            if hashes != ordered:
                return None
        elif not self._are_due(urls, kinds, hashes, context):
            return None
        if context.tag_stacks is not None and not self._is_listed(group, context):
            return None
        return Facts(hashes, implied)

    def _cut(self, specs: list[bytes], ats: list[int], urls: list[bytes]) -> list[bytes]:
        """Cut hashes and URLs out of specs in the tarball format; ValueError if they differ.

        The generator has had two orders of keys, in both of which hash, stacks and tarball follow
        each other.
        """
        shapes = []
        for spec, at in zip(specs, ats, strict=True):
            stacks = spec.index(_STACKS_KEY, at) + 11
            stacks_end = spec.index(b"]", stacks)
            url = spec.index(_TARBALL_KEY, stacks_end) + 12
            end = spec.index(b'"', url)
            urls.append(spec[url:end])
            shapes.append(b"%b%b%b%b%b" % (
                spec[:at], spec[at + 32 : stacks], self._sorted_stacks(spec[stacks:stacks_end]),
                spec[stacks_end:url], spec[end:]))
        return shapes

    def _sorted_stacks(self, stacks: bytes) -> bytes:
        """Sort the stacks of a spec in the tarball format, whose rules ask for no order."""
        known = self._stacks.get(stacks)
        if known is None:
            # sorted as the names in quotes are, which is the same for all of them
            names = stacks.split(b", ")
            simple = all(map(_IS_SIMPLE_STACK, names))
            known = self._stacks[stacks] = b", ".join(sorted(names)) if simple else stacks
        return known

    def _learn(self, shapes: list[bytes], context: Context) -> bool:
        """Judge the shapes that are not known; say whether all are sound."""
        if len(self._known) >= _MOST_SHAPES:
            self.__init__()  # type: ignore[misc] # forget everything
        for shape in shapes:
            if shape not in self._known:
                judged = _judge(shape, context)
                if judged is None:
                    return False
                build, version = judged
                self._known[shape] = self._kinds.number(_Kind(self._builds.number(build), version))
        return True

    def _are_due(
        self, urls: list[bytes], kinds: list[int], hashes: list[bytes], context: Context
    ) -> bool:
        """Say whether the tarballs of all specs have the URLs that follow from the specs."""
        tag, package = context.place
        if (tag is None or package is None or len(urls) < len(kinds)
                or not _IS_SIMPLE_NAME(tag) or not _IS_SIMPLE_NAME(package)):
            return False
        folders = _folders(context.mirror_urls)
        starts: dict[int, bytes] = {}
        for url, number, dag_hash in zip(urls, kinds, hashes, strict=True):
            start = starts.get(number)
            if start is None:
                path = self._path(number).replace("\0", tag).replace("\1", package)
                start = starts[number] = path.encode()
            path_end = b"%b%b.spack" % (start, dag_hash)
            if not url.endswith(path_end) or url[: -len(path_end)] not in folders:
                return False
        return True

    def _path(self, number: int) -> str:
        """Return where tarballs of a kind lie, but for what stands for tag and package."""
        if number not in self._paths:
            kind = self._kinds[number]
            build = self._builds[kind.build]
            self._paths[number] = tarball_start("\0", "\1", build.platform, build.os, build.target,
                                                build.compiler, kind.version)
        return self._paths[number]

    def _is_listed(self, group: _Group, context: Context) -> bool:
        """Say whether specs of these builds are in the stacks that their tag has."""
        listed, root = self._listed
        if listed is not context.tag_stacks or root != context.root_stack:
            self._listed = listed, root = context.tag_stacks, context.root_stack
            self._of_tag.clear()
        if group not in self._of_tag:
            assert listed is not None
            for build in group.builds:
                if not listed.issuperset(build.stacks) or (
                        root in listed and root not in build.stacks):
                    return False
            self._of_tag.add(group)
        return True

    def _imply(self, key: tuple[int, ...]) -> _Implied:
        """Work out what specs of these kinds imply."""
        kinds = [self._kinds[number] for number in key]
        group = self._group(tuple(sorted([kind.build for kind in kinds])))
        versions = _list([kind.version for kind in kinds]).encode()
        implied = _Implied(group, versions, b"%b%b}" % (group.start, versions))
        if len(key) <= _LARGEST_GROUP:
            _remember(self._implied, key, implied)
        return implied

    def _group(self, key: tuple[int, ...]) -> _Group:
        """Return what the pages have in common whose specs are of these builds."""
        group = self._groups.get(key)
        if group is None:
            group = _Group(tuple([self._builds[number] for number in key]))
            if len(key) <= _LARGEST_GROUP:
                _remember(self._groups, key, group)
        return group


class _Numbered(Generic[Item]):
    """Numbers different items, from 0."""

    def __init__(self) -> None:
        """Begin with none."""
        self._numbers: dict[Item, int] = {}
        self._items: list[Item] = []

    def number(self, item: Item) -> int:
        """Return the number of an item, which may be new."""
        number = self._numbers.setdefault(item, len(self._items))
        if number == len(self._items):
            self._items.append(item)
        return number

    def __getitem__(self, number: int) -> Item:
        """Return the item of that number."""
        return self._items[number]


def _remember(memory: dict[Key, Item], key: Key, item: Item) -> None:
    """Keep an item; where there are too many, forget the older half."""
    if len(memory) >= _MOST_GROUPS:
        for oldest in list(islice(memory, _MOST_GROUPS // 2)):
            del memory[oldest]
    memory[key] = item


@lru_cache(maxsize=1)
def _folders(mirror_urls: tuple[str, ...]) -> frozenset[bytes]:
    """Return what may stand before a tarball's path, as bytes."""
    return frozenset(folder.encode() for folder in mirror_folders(mirror_urls))


def _judge(shape: bytes, context: Context) -> tuple[_Build, str] | None:
    """Ask the schema and the rules about one spec of this shape; None where it is unsound."""
    text = "{" + shape.replace(_HASH_KEY, _HASH_KEY + _A_HASH.encode(), 1).decode("latin-1") + "}"
    if not jsontext.is_plain(text):
        return None
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
    build = _Build(
        intern(spec["compiler"]), intern(spec["os"]), intern(spec["platform"]),
        tuple(map(intern, spec["stacks"])), intern(spec["target"]), form,
    )
    if form is Format.CURRENT and (
            spec["stacks"] != sorted(spec["stacks"])
            or jsontext.dumps(spec, sort_keys=True) != text):
        return None
    if any(True for check in _CHECKS[form] for _ in check(spec, context)):
        return None
    if any(len(stack) >= 1023 for stack in spec["stacks"]):
        return None  # as a key of `meta`, loaders refuse it (CL703)
    return build, intern(spec["versions"][0])
