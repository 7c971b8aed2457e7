"""The quick way: accept specs by what they have in common with specs that were judged before.

Contract: `Shapes.read` returns facts only where the rules, asked one by one, would find nothing in
the line of specs, and then the facts are those that `summarize` derives. Otherwise it returns None,
which says nothing: the page goes the plain way. Tests hold the two ways together.

A spec's *shape* is what stands between its hash and the next one on the page: nearly all of the
spec, and the beginning of its neighbour. In the tarball format it is the spec's text with its hash
cut out, and its URL, which follows from the rest. From package to package and week to week the same
shapes return by the thousand. Each is judged once, by the schema and the rules themselves with a
hash put in, and remembered by its *kind*, which is all that `meta` sees of a spec: its *build*
(system, stacks and so on), its compiler and its version. A spec of a known shape then needs only
its hash and its URL looked at, and a page's `meta` follows from the kinds of its specs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from itertools import islice
from sys import intern
from typing import Any, Generic, NamedTuple, TypeVar

from cachelint import jsontext, schema
from cachelint.model import Context, Format, Place
from cachelint.rules import ALL_RULES
from cachelint.rules.cl4_specs import mirror_folders, tarball_start

Item = TypeVar("Item")
Key = TypeVar("Key")

_A_HASH = "a" * 32
_HASH_KEY = b'"hash": "'
_OPENING = f'{{"compiler": "none", "hash": "{_A_HASH}'
_BODY = (f'"hash": "{_A_HASH}", "os": "none", "platform": "linux", "size": "-", '
         '"stacks": ["root"], "target": "none", "variants": [], "versions": ["0"]}')
"""The two halves of a sound spec in the current format, to judge another half with."""
_STACKS_KEY = b'"stacks": ['
_TARBALL_KEY = b'"tarball": "'
_COUNTS_KEY = b'"num_specs_by_stack": {'
_IS_SIMPLE_STACK = re.compile(rb'"[A-Za-z0-9._-]+"').fullmatch
_IS_SIMPLE_NAME = re.compile(r"[A-Za-z0-9._-]+").fullmatch
_HASH_LETTERS = b"abcdefghijklmnopqrstuvwxyz234567"
_MOST_SHAPES, _MOST_GROUPS, _LARGEST_GROUP = 30_000, 16_000, 20
"""How many shapes and groups of builds are remembered at a time, and the most specs of a group."""

_CHECKS = {
    kind: tuple(rule.check_spec for rule in ALL_RULES
                if rule.check_spec is not None and kind in rule.formats
                and rule.code != "CL406")  # about the URL, which is cut out
    for kind in (Format.CURRENT, Format.TARBALL)
}
"""The rules that judge one spec alone."""


def _after_compilers(
    number: int, by_stack: Mapping[str, int], oss: Iterable[str], platforms: Iterable[str],
    stacks: Iterable[str], targets: Iterable[str],
) -> str:
    """Write what stands between compilers and versions."""
    return (f', "num_specs": {number}, "num_specs_by_stack": {{{_counts(by_stack)}}}, '
            f'"oss": {_list(oss)}, "platforms": {_list(platforms)}, "stacks": {_list(stacks)}, '
            f'"targets": {_list(targets)}, "versions": ')


def _counts(by_stack: Mapping[str, int]) -> str:
    return ", ".join([f'"{stack}": {by_stack[stack]}' for stack in sorted(by_stack)])


def _value(value: int | dict[str, int] | Iterable[str]) -> str:
    """Write a value of `meta`."""
    if isinstance(value, int):
        return str(value)
    return f"{{{_counts(value)}}}" if isinstance(value, dict) else _list(value)


def _list(items: Iterable[str]) -> str:
    """Write names as the generator does: sorted, each once."""
    names = frozenset(items)
    return (_few_names if len(names) < _MANY else _names)(names)


def _names(names: frozenset[str]) -> str:
    return jsontext.dumps(sorted(names))


_MANY = 200
_few_names = lru_cache(maxsize=8192)(_names)


@lru_cache(maxsize=1024)
def _are_mixed(compilers: frozenset[str]) -> bool:
    """Say whether compilers are spelt in two ways, which is for CL408 to name."""
    return len({"@=" in name for name in compilers if "@" in name}) > 1


class _Build(NamedTuple):
    """What `meta` sees of a spec but for compiler and version: a catalog has a hundred or two."""

    format: Format
    os: str
    platform: str
    stacks: tuple[str, ...]
    target: str


class _Judged(NamedTuple):
    """What `meta` sees of a spec that was found sound."""

    build: _Build
    compiler: str
    version: str


class _Kind(NamedTuple):
    """The same, with the number of the build."""

    build: int
    compiler: str
    version: str


class _Group:
    """What the pages have in common whose specs are of the same builds, each as often.

    Thousands are remembered, so that it holds little, and works out the rest when it is asked.
    """

    __slots__ = ("_unsorted", "builds", "format", "rest")

    def __init__(self, builds: tuple[_Build, ...]) -> None:
        """Put together what the builds say."""
        self.builds = builds
        self.format = builds[0].format if len({build.format for build in builds}) == 1 else None
        """None where they are of several."""
        oss, platforms, targets, by_stack = self._columns()
        self.rest = _after_compilers(len(builds), by_stack, oss, platforms, by_stack, targets)
        """`meta` as the generator writes it in the current format, from compilers to versions."""
        self._unsorted = ""

    def unsorted_rest(self) -> str:
        """Write what follows versions and compilers in the tarball format until 2025-02."""
        if not self._unsorted:
            oss, platforms, targets, by_stack = self._columns()
            self._unsorted = (
                f', "oss": {_list(oss)}, "platforms": {_list(platforms)}, '
                f'"targets": {_list(targets)}, "stacks": {_list(by_stack)}, '
                f'"num_specs": {len(self.builds)}, '
                f'"num_specs_by_stack": {{{_counts(by_stack)}}}}}')
        return self._unsorted

    def _columns(self) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], dict[str, int]]:
        """Return systems, platforms, targets, and the number of specs in each stack."""
        _, oss, platforms, stacks, targets = zip(*self.builds, strict=True)
        by_stack: dict[str, int] = {}
        for names in stacks:
            for name in names:
                by_stack[name] = by_stack.get(name, 0) + 1
        return oss, platforms, targets, by_stack


class _Implied(NamedTuple):
    """What specs of the same kinds imply."""

    format: Format | None
    """Of the page on which they stand; None where such specs make no sound page."""
    group: _Group
    compilers: str
    versions: str
    """As `meta` has them."""
    meta: bytes
    """As the generator writes it in the current format."""


class Facts(NamedTuple):
    """What one page's specs say."""

    head: bytes
    """What stands before the specs, with the bracket that opens their list."""
    hashes: list[bytes]
    """In the order of the page."""
    implied: _Implied

    @property
    def format(self) -> Format:
        """The format of the page."""
        assert self.implied.format is not None
        return self.implied.format

    @property
    def summary(self) -> dict[str, Any]:
        """What `meta` should be, as `summarize` derives it."""
        summary: dict[str, Any] = jsontext.loads_own(self.implied.meta.decode())
        return summary

    def saying(self, values: Mapping[str, Any], due: Mapping[str, Any]) -> str:
        """Write `meta` as the generator would in the current format if some of it were other.

        ``values`` are by key and sound, and in their names is neither a quote nor a backslash;
        ``due`` is the summary.
        """
        text = self.implied.meta.decode()
        for key, value in values.items():
            # with its quotes, a key stands nowhere else
            text = text.replace(f'"{key}": {_value(due[key])}', f'"{key}": {_value(value)}', 1)
        return text

    def are_in(self, meta: bytes) -> bool:
        """Say whether ``meta``, a page's line of JSON, is written as the generator has it.

        In the current format that is one text; in the tarball format there are two orders of keys,
        and counts in any order. A no says nothing.
        """
        form, group, compilers, versions, due = self.implied
        if meta == due or form is Format.CURRENT:
            return meta == due
        before, counts, after = _split_counts(meta)
        due_before, due_counts, due_after = _split_counts(due)
        if before != due_before or after != due_after:
            unsorted = f'{{"versions": {versions}, "compilers": {compilers}{group.unsorted_rest()}'
            if before + due_counts + after != unsorted.encode():
                return False
        # of one length with the same members, each of which is there once
        return len(counts) == len(due_counts) and (
            set(counts.split(b", ")) == set(due_counts.split(b", ")))


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
        """Shape to the number of its kind; in the current format with the neighbour's compiler."""
        self._fields: dict[Format, set[tuple[str, Any]]] = {
            Format.CURRENT: set(), Format.TARBALL: set()}
        """What stood in sound specs of a format: keys with their values."""
        self._bodies: dict[bytes, _Judged] = {}
        self._openings: dict[bytes, str] = {}
        """In the current format, the two parts of shapes: to what they say."""
        self._kinds = _Numbered[_Kind]()
        self._builds = _Numbered[_Build]()
        self._implied: dict[tuple[int, ...], _Implied] = {}
        """By the numbers of the kinds, sorted."""
        self._groups: dict[tuple[int, ...], _Group] = {}
        """By the numbers of the builds, sorted."""
        self._stacks_of_tag: frozenset[str] | None = None
        self._root = ""
        """Of the tag that was asked about last."""
        self._of_tag: set[_Group] = set()
        """Groups whose stacks are sound there."""
        self._stacks: dict[bytes, bytes] = {}
        self._paths: dict[int, bytes] = {}
        """By the number of a kind: where its tarballs lie, `\\0` for the tag, `\\1` the package."""

    def read(self, raw: bytes, place: Place, context: Context) -> Facts | None:
        """Accept the specs of a page that lies at ``place``, or say nothing.

        Nothing is said of what stands before them. What ``context`` says of the place is not asked.
        """
        # cut at the hashes, a page falls into its head and, for each spec, its hash with what
        # stands between this and the next
        head, *specs = raw.split(_HASH_KEY)
        if not specs or raw[-6:] != b"}]\n---":
            return None
        at = head.rfind(b"{")
        if _TARBALL_KEY in specs[0]:
            return self._read_tarballs(raw, at, place, context)
        # the ring is closed: behind the last spec follows what the first begins with
        specs[-1] = b"%b, %b" % (specs[-1][:-5], head[at:])
        hashes = [spec[:32] for spec in specs]
        if not _are_hashes(hashes) or hashes != sorted(set(hashes)):
            return None
        kinds = self._kinds_of([spec[32:] for spec in specs], context)
        implied = self._imply(Format.CURRENT, kinds, context)
        return None if implied is None else Facts(head[:at], hashes, implied)

    def _read_tarballs(
        self, raw: bytes, at: int, place: Place, context: Context
    ) -> Facts | None:
        """Accept specs in the tarball format likewise; the first begins at ``at``."""
        hashes: list[bytes] = []
        urls: list[bytes] = []
        try:
            shapes = self._cut(raw[at + 1 : -6].split(b"}, {"), hashes, urls)
        except ValueError:
            return None
        if not _are_hashes(hashes) or len(set(hashes)) < len(hashes):
            return None
        kinds = self._kinds_of(shapes, context)
        implied = self._imply(Format.TARBALL, kinds, context)
        if implied is None or not self._are_due(urls, kinds, hashes, place, context):
            return None
        return Facts(raw[:at], hashes, implied)

    def _cut(
        self, specs: list[bytes], hashes: list[bytes], urls: list[bytes]
    ) -> list[bytes]:
        """Cut specs in the tarball format into hashes, URLs and shapes; ValueError if they differ.

        The generator has had two orders of keys, in both of which hash, stacks and tarball follow
        each other.
        """
        shapes = []
        for spec in specs:
            at = spec.index(_HASH_KEY) + len(_HASH_KEY)
            stacks = spec.index(_STACKS_KEY, at) + 11
            stacks_end = spec.index(b"]", stacks)
            url = spec.index(_TARBALL_KEY, stacks_end) + 12
            end = spec.index(b'"', url)
            hashes.append(spec[at : at + 32])
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

    def _kinds_of(self, shapes: list[bytes], context: Context) -> list[int]:
        """Return the numbers of the kinds of shapes; none where some shape is unsound."""
        try:
            return [self._known[shape] for shape in shapes]
        except KeyError:
            pass
        if len(self._known) >= _MOST_SHAPES:
            self.__init__()  # type: ignore[misc] # forget everything
        for shape in shapes:
            if shape not in self._known:
                judged = self._judge(shape, context)
                if judged is None:
                    return []
                build, compiler, version = judged
                kind = _Kind(self._builds.number(build), compiler, version)
                self._known[shape] = self._kinds.number(kind)
        return [self._known[shape] for shape in shapes]

    def _judge(self, shape: bytes, context: Context) -> _Judged | None:
        """Judge a shape that is not known; None where specs of it are unsound."""
        if _TARBALL_KEY in shape:
            text = shape.decode("latin-1").replace('"hash": "', f'"hash": "{_A_HASH}', 1)
            return self._judge_spec(f"{{{text}}}", Format.TARBALL, context)
        body, _, opening = shape.rpartition(b", {")
        if body not in self._bodies:
            judged = self._judge_spec(_OPENING + body.decode("latin-1"), Format.CURRENT, context)
            if judged is None:
                return None
            self._bodies[body] = judged
        if opening not in self._openings:
            text = "{" + opening.decode("latin-1") + _BODY
            judged = self._judge_spec(text, Format.CURRENT, context)
            if judged is None:
                return None
            self._openings[opening] = judged.compiler
        return self._bodies[body]._replace(compiler=self._openings[opening])

    def _judge_spec(self, text: str, form: Format, context: Context) -> _Judged | None:
        """Read a spec and judge it; None where it is unsound."""
        if not jsontext.is_plain(text):
            return None
        try:
            spec: dict[str, Any] = jsontext.loads(text)
        except ValueError:
            return None
        # what was cut out may stand only where anything else would do as well
        if spec.get("hash") != _A_HASH or spec.get("tarball"):
            return None
        if form is Format.TARBALL:
            if "tarball" not in spec:
                return None
            spec["tarball"] = _A_HASH  # any text will do for the schema
        elif jsontext.dumps(spec, sort_keys=True) != text:
            return None
        # a spec is sound where each of its values is: new ones are judged, with all beside them
        fields = [(key, tuple(value) if type(value) is list else (type(value), value))
                  for key, value in spec.items()]
        try:
            is_known = (self._fields[form].issuperset(fields)
                        and spec.keys() >= _required(form))
        except TypeError:  # a list of lists
            is_known = False
        if not is_known:
            if not _is_sound(spec, form, context):
                return None
            self._fields[form].update(fields)
        build = _Build(
            form, intern(spec["os"]), intern(spec["platform"]), tuple(map(intern, spec["stacks"])),
            intern(spec["target"]),
        )
        return _Judged(build, intern(spec["compiler"]), intern(spec["versions"][0]))

    def _are_due(
        self, urls: list[bytes], kinds: list[int], hashes: list[bytes], place: Place,
        context: Context,
    ) -> bool:
        """Say whether the tarballs of all specs have the URLs that follow from the specs."""
        tag, package = place
        if (tag is None or package is None
                or not _IS_SIMPLE_NAME(tag) or not _IS_SIMPLE_NAME(package)):
            return False
        starts: dict[int, bytes] = {}
        for number in kinds:
            if number not in starts:
                path = self._paths.get(number) or self._path(number)
                starts[number] = path.replace(b"\0", tag.encode()).replace(b"\1", package.encode())
        due = [b"%b%b.spack" % (starts[number], dag_hash)
               for number, dag_hash in zip(kinds, hashes, strict=True)]
        # all are in one folder of one mirror, as the first
        folder = urls[0].removesuffix(due[0])
        return folder in _folders(context.mirror_urls) and urls == [folder + path for path in due]

    def _path(self, number: int) -> bytes:
        """Return where tarballs of a kind lie, but for what stands for tag and package."""
        kind = self._kinds[number]
        build = self._builds[kind.build]
        path = tarball_start("\0", "\1", build.platform, build.os, build.target, kind.compiler,
                             kind.version)
        self._paths[number] = path.encode()
        return self._paths[number]

    def _imply(self, form: Format, kinds: list[int], context: Context) -> _Implied | None:
        """Return what specs of these kinds imply; None where no page of this tag may hold them."""
        key = tuple(sorted(kinds))
        implied = self._implied.get(key)
        if implied is None:
            if not key:
                return None
            implied = self._put_together(key)
        if implied.format is not form or not self._are_listed(implied.group, context):
            return None
        return implied

    def _are_listed(self, group: _Group, context: Context) -> bool:
        """Say whether specs of these builds are in the stacks that their tag has."""
        listed, root = context.tag_stacks, context.root_stack
        if listed is not self._stacks_of_tag or root != self._root:
            self._stacks_of_tag, self._root = listed, root
            self._of_tag.clear()
        if listed is None or group in self._of_tag:
            return True
        for build in group.builds:
            if not listed.issuperset(build.stacks) or (
                    root in listed and root not in build.stacks):
                return False
        self._of_tag.add(group)
        return True

    def _put_together(self, key: tuple[int, ...]) -> _Implied:
        """Work out what specs of these kinds imply, and remember it."""
        builds, names, numbers = zip(*[self._kinds[number] for number in key], strict=True)
        group = self._group(tuple(sorted(builds)))
        compilers, versions = _list(names), _list(numbers)
        meta = f'{{"compilers": {compilers}{group.rest}{versions}}}'
        implied = _Implied(None if _are_mixed(frozenset(names)) else group.format, group,
                           compilers, versions, meta.encode())
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


def _are_hashes(hashes: list[bytes]) -> bool:
    """Say whether all are hashes, if those before them are of 32 characters each."""
    joined = b"".join(hashes)
    return len(joined) == 32 * len(hashes) and not joined.translate(None, _HASH_LETTERS)


@cache
def _required(form: Format) -> frozenset[str]:
    """Return the keys that every spec of a format has."""
    return frozenset(schema.load(f"page-{form.value}")["$defs"]["spec"]["required"])


def _is_sound(spec: dict[str, Any], form: Format, context: Context) -> bool:
    """Ask the schema and the rules about one spec."""
    return (
        schema.sound(f"page-{form.value}", "/$defs/spec")(spec)
        and (form is Format.TARBALL or spec["stacks"] == sorted(spec["stacks"]))
        and not any(True for check in _CHECKS[form] for _ in check(spec, context))
        # as a key of `meta`, loaders refuse it (CL703)
        and all(len(stack) < 1023 for stack in spec["stacks"])
    )
