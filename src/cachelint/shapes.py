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
from cachelint.model import Context, Format, Place
from cachelint.rules import ALL_RULES
from cachelint.rules.cl4_specs import mirror_folders, tarball_start

Item = TypeVar("Item")
Key = TypeVar("Key")

_A_HASH = "a" * 32
_HASH_KEY = b'"hash": "'
_OPENING = f'{{"compiler": "none", "hash": "{_A_HASH}'
_BODY = (f'"hash": "{_A_HASH}", "os": "none", "platform": "linux", "size": "-", "stacks": ["root"], '
         '"target": "none", "variants": [], "versions": ["0"]}')
"""The two halves of a sound spec in the current format, to judge another half with."""
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

    format: Format
    compiler: str
    """Empty in the current format, where compilers are judged by themselves."""
    os: str
    platform: str
    stacks: tuple[str, ...]
    target: str


class _Kind(NamedTuple):
    """All that `meta` sees of a spec."""

    build: int
    """The number of its build."""
    version: str


class _Group:
    """What the pages have in common whose specs are of the same builds, each as often.

    Thousands are remembered, so that it holds little, and works out the rest when it is asked.
    """

    __slots__ = ("_unsorted", "builds", "format", "rest")

    def __init__(self, builds: tuple[_Build, ...]) -> None:
        """Put together what the builds say."""
        self.builds = builds
        formats = {build.format for build in builds}
        self.format: Format | None = formats.pop() if len(formats) == 1 else None
        """None where the specs are of several formats."""
        self.rest = self._write(_SORTED_KEYS)[:-3]
        """`meta` as the generator writes it in the current format, from `num_specs` to versions."""
        self._unsorted = b""

    def unsorted_rest(self) -> bytes:
        """Write what follows the compilers in the older order of the tarball format."""
        if not self._unsorted:
            self._unsorted = self._write(_UNSORTED_KEYS)
        return self._unsorted

    def compilers(self) -> frozenset[str]:
        """Return the compilers of builds in the tarball format."""
        return frozenset([build.compiler for build in self.builds])

    def _write(self, keys: tuple[str, ...]) -> bytes:
        """Write what stands behind the compilers."""
        _, _, oss, platforms, stacks, targets = zip(*self.builds, strict=True)
        by_stack: dict[str, int] = {}
        for names in stacks:
            for name in names:
                by_stack[name] = by_stack.get(name, 0) + 1
        meta = write_meta({
            "compilers": (), "num_specs": len(self.builds), "num_specs_by_stack": by_stack,
            "oss": oss, "platforms": platforms, "stacks": by_stack, "targets": targets,
            "versions": ()}, keys)
        return meta.split('"compilers": []', 1)[1].encode()


class _Implied(NamedTuple):
    """What specs of the same kinds imply, but for compilers."""

    group: _Group
    versions: bytes
    """As `meta` has them."""
    rest: bytes
    """`meta` as the generator writes it in the current format, from `num_specs` to its end."""


class Facts(NamedTuple):
    """What one page's specs say."""

    hashes: list[bytes]
    """In the order of the page."""
    compilers: bytes
    """As `meta` has them."""
    implied: _Implied
    format: Format
    """The format of the page."""

    @property
    def meta(self) -> bytes:
        """The line of JSON that the generator writes, in the current format."""
        return b'{"compilers": %b%b' % (self.compilers, self.implied.rest)

    @property
    def summary(self) -> dict[str, Any]:
        """What `meta` should be, as `summarize` derives it."""
        summary: dict[str, Any] = jsontext.loads(self.meta.decode())
        return summary

    def are_in(self, meta: bytes) -> bool:
        """Say whether ``meta``, a page's line of JSON, is written as the generator has it.

        In the current format that is one text; in the tarball format there are two orders of keys,
        and counts in any order. A no says nothing.
        """
        due = self.meta
        if meta == due or self.format is Format.CURRENT:
            return meta == due
        before, counts, after = _split_counts(meta)
        _, due_counts, _ = _split_counts(due)
        # of one length with the same members, each of which is there once
        return (len(counts) == len(due_counts)
                and set(counts.split(b", ")) == set(due_counts.split(b", "))
                and before + due_counts + after in (
                    b'{"versions": %b, "compilers": %b%b' % (
                        self.implied.versions, self.compilers, self.implied.group.unsorted_rest()),
                    due))


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
        """To the number of a kind: the body of a spec, or in the tarball format its shape."""
        self._compilers: dict[bytes | frozenset[bytes], bytes] = {}
        """What stands before hashes, to compilers as `meta` has them; empty where unsound."""
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

    def read(
        self, raw: bytes, start: int, place: Place, context: Context
    ) -> Facts | None:
        """Accept a page's specs, or say nothing.

        Their JSON stands from ``start`` up to the last four bytes of ``raw``. The page lies at
        ``place``, whatever ``context`` says.
        """
        first = raw.find(_HASH_KEY, start) + len(_HASH_KEY)
        if first < start or raw[start : start + 2] != b"[{" or raw[-6:] != b"}]\n---":
            return None
        if _TARBALL_KEY in raw:
            return self._read_tarballs(raw[start + 2 : -6].split(b"}, {"), place, context)
        try:
            # one compiler, as usual: then what stands between two specs is always the same
            specs = raw[first:-6].split(b"}, {" + raw[start + 2 : first])
            kinds = [self._known[spec[32:]] for spec in specs]
            compilers = self._compilers[raw[start + 2 : first - len(_HASH_KEY)]]
        except KeyError:
            parts = [spec.partition(_HASH_KEY) for spec in raw[start + 2 : -6].split(b"}, {")]
            specs = [behind for _, _, behind in parts]
            openings = frozenset([opening for opening, _, _ in parts])
            try:
                kinds = [self._known[spec[32:]] for spec in specs]
                compilers = self._compilers[openings]
            except KeyError:
                bodies = [spec[32:] for spec in specs]
                if not self._learn(bodies, context):
                    return None
                kinds = [self._known[body] for body in bodies]
                compilers = self._learn_compilers(openings, context)
        if not compilers:
            return None
        hashes = [spec[:32] for spec in specs]
        if not _are_hashes(hashes) or hashes != sorted(set(hashes)):
            return None
        key = tuple(sorted(kinds))
        implied = self._implied.get(key) or self._imply(key)
        if implied.group.format is not Format.CURRENT:
            return None
        if context.tag_stacks is not None and not self._is_listed(implied.group, context):
            return None
        return Facts(hashes, compilers, implied, Format.CURRENT)

    def _learn_compilers(self, openings: frozenset[bytes], context: Context) -> bytes:
        """Write the compilers that stand in ``openings`` as `meta` has them, if they are sound."""
        names = [_judge_opening(opening, context) for opening in openings]
        sound = frozenset([name for name in names if name is not None])
        compilers = _written(sound) if len(sound) == len(names) else b""
        _remember(self._compilers, openings, compilers)
        if len(openings) == 1:
            _remember(self._compilers, *openings, compilers)
        return compilers

    def _read_tarballs(
        self, specs: list[bytes], place: Place, context: Context
    ) -> Facts | None:
        """Accept specs in the tarball format likewise."""
        hashes: list[bytes] = []
        urls: list[bytes] = []
        try:
            shapes = self._cut(specs, hashes, urls)
        except ValueError:
            return None
        if not _are_hashes(hashes) or len(set(hashes)) < len(hashes):
            return None
        try:
            kinds = [self._known[shape] for shape in shapes]
        except KeyError:
            if not self._learn(shapes, context):
                return None
            kinds = [self._known[shape] for shape in shapes]
        key = tuple(sorted(kinds))
        implied = self._implied.get(key) or self._imply(key)
        if implied.group.format is not Format.TARBALL:
            return None
        compilers = _written(implied.group.compilers())
        if not compilers or not self._are_due(
                urls, kinds, hashes, place, context):
            return None
        if context.tag_stacks is not None and not self._is_listed(implied.group, context):
            return None
        return Facts(hashes, compilers, implied, Format.TARBALL)

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

    def _learn(self, shapes: list[bytes], context: Context) -> bool:
        """Judge the shapes and bodies that are not known; say whether all are sound."""
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
        self, urls: list[bytes], kinds: list[int], hashes: list[bytes], place: Place,
        context: Context,
    ) -> bool:
        """Say whether the tarballs of all specs have the URLs that follow from the specs."""
        tag, package = place
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
        implied = _Implied(group, versions, b"%b%b}" % (group.rest, versions))
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


@lru_cache(maxsize=1024)
def _written(compilers: frozenset[str]) -> bytes:
    """Write compilers as `meta` has them; nothing for two spellings on one page (CL408)."""
    is_mixed = len({"@=" in compiler for compiler in compilers if "@" in compiler}) > 1
    return b"" if is_mixed else _list(compilers).encode()


def _judge_opening(opening: bytes, context: Context) -> str | None:
    """Judge what stands before a spec's hash in the current format, and return the compiler."""
    spec = _judge_spec("{" + opening.decode("latin-1") + _BODY, Format.CURRENT, context)
    return None if spec is None else str(spec["compiler"])


def _judge(shape: bytes, context: Context) -> tuple[_Build, str] | None:
    """Ask the schema and the rules about specs of this shape; None where they are unsound.

    In the current format it is the body of a spec, all that stands behind its hash.
    """
    text = shape.decode("latin-1")
    if _TARBALL_KEY in shape:
        form = Format.TARBALL
        spec = _judge_spec("{" + text.replace('"hash": "', f'"hash": "{_A_HASH}', 1) + "}", form,
                           context)
    else:
        form = Format.CURRENT
        spec = _judge_spec(f"{_OPENING}{text}}}", form, context)
    if spec is None:
        return None
    build = _Build(
        form, "" if form is Format.CURRENT else intern(spec["compiler"]), intern(spec["os"]),
        intern(spec["platform"]), tuple(map(intern, spec["stacks"])), intern(spec["target"]),
    )
    return build, intern(spec["versions"][0])


def _judge_spec(text: str, form: Format, context: Context) -> dict[str, Any] | None:
    """Read a spec and ask the schema and the rules about it; None where it is unsound."""
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
    if not schema.sound(f"page-{form.value}", "/$defs/spec")(spec):
        return None
    if form is Format.CURRENT and (
            spec["stacks"] != sorted(spec["stacks"])
            or jsontext.dumps(spec, sort_keys=True) != text):
        return None
    if any(True for check in _CHECKS[form] for _ in check(spec, context)):
        return None
    if any(len(stack) >= 1023 for stack in spec["stacks"]):
        return None  # as a key of `meta`, loaders refuse it (CL703)
    return spec
