"""The quick way: accept specs by what they have in common with specs that were judged before.

Contract: `Shapes.read` returns facts only where the rules, asked one by one, would find nothing in
the line of specs, and then the facts are those that `summarize` derives. Otherwise it returns None,
which says nothing: the page goes the plain way. Tests hold the two ways together.

A spec's *shape* is its text with its hash cut out, and in the tarball format its URL, which follows
from the rest; in the current format it is two texts, the compiler and what stands behind the hash.
From package to package and week to week the same shapes return by the thousand. Each is judged
once, by the schema and the rules themselves with a hash put in, and remembered by its *kind*, which
is all that `meta` sees of a spec. A spec of a known shape then needs only its hash and its URL
looked at, and a page's `meta` follows from the kinds of its specs.

In the current format shapes are made of parts: compiler, variants, versions, and what stands
between. Each part is judged alone, once.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from itertools import chain, islice
from operator import lt
from sys import intern
from typing import Any

from cachelint.document import schema, strict_json
from cachelint.model import NamedTuple, PageContext, PageFormat, PageId
from cachelint.rules import ALL_RULES
from cachelint.rules.cl4_specs import mirror_folders, tarball_start

_A_HASH = b"a" * 32
_COMPILER_KEY, _BEFORE_HASH = b'{"compiler": "', b'", "hash": "'
_HASH_KEY = b'"hash": "'
_VARIANTS_KEY, _VERSIONS_KEY = b'"variants": [', b'], "versions": ['
_PARTS = (
    (b'{"compiler": "%b"}', {"compiler"}),
    (b"{%b}", {"os", "platform", "size", "stacks", "target"}),
    (b'{"variants": [%b]}', {"variants"}),
    (b'{"versions": [%b', {"versions"}),
)
"""The parts of a spec in the current format: what makes JSON of each, and its keys."""
_STACKS_KEY = b'"stacks": ['
_TARBALL_KEY = b'"tarball": "'
_SLASH = ord("/")
"""In every URL; one byte is found at a glance."""
_COUNTS_KEY = b'"num_specs_by_stack": {'
_IS_SIMPLE_STACK = re.compile(rb'"[A-Za-z0-9._-]+"').fullmatch
_IS_SIMPLE_NAME = re.compile(r"[A-Za-z0-9._-]+").fullmatch
_HASH_LETTERS = bytes(
    letter if letter in b"abcdefghijklmnopqrstuvwxyz234567" else 0 for letter in range(256))
"""Turns whatever does not belong into a hash into zeros."""
_MOST_SHAPES, _MOST_GROUPS, _LARGEST_GROUP = 30_000, 16_000, 8
"""How many shapes with parts, and groups of kinds, are remembered; the most specs of a group."""

_CHECKS = {
    kind: tuple(rule.check_spec for rule in ALL_RULES
                if rule.check_spec is not None and kind in rule.formats
                and rule.code != "CL406")  # about the URL, which is cut out
    for kind in (PageFormat.CURRENT, PageFormat.TARBALL)
}
"""The rules that judge one spec alone."""


def _list(items: Iterable[str]) -> str:
    """Write names, in which no quote is and no backslash, as the generator does: each once."""
    names = frozenset(items)
    return (_few_names if len(names) < _MANY else _names)(names)


def _names(names: frozenset[str]) -> str:
    return f'["{_BETWEEN.join(sorted(names))}"]'


def _stacks(names: tuple[str, ...]) -> tuple[str, str]:
    """Write names of stacks, and with them what turns into their counts if these are put in."""
    counts = _BETWEEN.join(names).replace("%", "%%").replace(_BETWEEN, '": %d, "')
    return _list(names), f'{{"{counts}": %d}}'


_BETWEEN = '", "'
_MANY = 200
_few_names, _few_stacks = lru_cache(maxsize=8192)(_names), lru_cache(maxsize=4096)(_stacks)


def _value(value: int | dict[str, int] | list[str]) -> str:
    """Write a value of `meta` as the generator does."""
    return strict_json.dumps(sorted(value) if isinstance(value, list) else value, sort_keys=True)


class _Machine:
    """Where specs run, and the format in which they stand.

    A catalog has a few dozen; each is one object, and to be equal is to be the same.
    """

    __slots__ = ("format", "os", "platform", "target")

    def __init__(self, form: PageFormat, os: str, platform: str, target: str) -> None:
        """Keep what is given."""
        self.format, self.os, self.platform, self.target = form, os, platform, target


@lru_cache(maxsize=1024)
def _sides(machines: frozenset[_Machine]) -> tuple[PageFormat | None, str, str, str]:
    """Return the one format of machines, their systems, platforms and targets."""
    formats = {machine.format for machine in machines}
    return (
        formats.pop() if len(formats) == 1 else None, _list(machine.os for machine in machines),
        _list(machine.platform for machine in machines),
        _list(machine.target for machine in machines),
    )


class _Kind(NamedTuple):
    """What `meta` sees of a spec."""

    machine: _Machine
    stacks: tuple[str, ...]
    compiler: str
    version: str


class _Implied(NamedTuple):
    """What specs of the same kinds imply."""

    format: PageFormat | None
    """Of the page on which they stand; None where such specs make no sound page."""
    number: int
    """How many they are."""
    by_stack: dict[str, int]
    """How many of them are in each stack."""
    compilers: str
    counts: str
    oss: str
    platforms: str
    stacks: str
    targets: str
    versions: str
    """Values of `meta`, as they are written."""
    meta: bytes
    """As the generator writes it in the current format."""

    def unsorted_meta(self) -> bytes:
        """Write `meta` as the generator did in the tarball format until 2025-02."""
        return (
            f'{{"versions": {self.versions}, "compilers": {self.compilers}, "oss": {self.oss}, '
            f'"platforms": {self.platforms}, "targets": {self.targets}, "stacks": {self.stacks}, '
            f'"num_specs": {self.number}, "num_specs_by_stack": {self.counts}}}').encode()


def _imply(kinds: Iterable[_Kind]) -> _Implied:
    """Work out what specs of these kinds imply."""
    machines, all_stacks, compilers, versions = zip(*kinds, strict=True)
    number = len(machines)
    by_stack = Counter(chain.from_iterable(all_stacks))
    form, oss, platforms, targets = _sides(frozenset(machines))
    names = tuple(sorted(by_stack))
    stacks, counts = (_few_stacks if len(names) < _MANY else _stacks)(names)
    counts %= tuple([by_stack[name] for name in names])
    all_compilers, all_versions = _list(compilers), _list(versions)
    meta = (f'{{"compilers": {all_compilers}, "num_specs": {number}, '
            f'"num_specs_by_stack": {counts}, "oss": {oss}, "platforms": {platforms}, '
            f'"stacks": {stacks}, "targets": {targets}, "versions": {all_versions}}}')
    if 0 < all_compilers.count("@=") < all_compilers.count("@"):
        form = None  # compilers may be spelt in two ways, which is for CL408 to say
    return _Implied(form, number, by_stack, all_compilers, counts, oss, platforms, stacks, targets,
                    all_versions, meta.encode())


class Facts:
    """What one page's specs say."""

    __slots__ = ("hashes", "head", "implied")

    def __init__(self, head: bytes, hashes: bytes, implied: _Implied) -> None:
        """Keep what is given."""
        self.head = head
        """What stands before the specs, with the bracket that opens their list."""
        self.hashes = hashes
        """One after the other, in the order of the page: each takes 32 bytes."""
        self.implied = implied

    @property
    def format(self) -> PageFormat:
        """The format of the page."""
        assert self.implied.format is not None
        return self.implied.format

    @property
    def summary(self) -> dict[str, Any]:
        """What `meta` should be, as `summarize` derives it."""
        summary: dict[str, Any] = strict_json.loads_own(self.implied.meta.decode())
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
        if meta == self.implied.meta or self.implied.format is PageFormat.CURRENT:
            return meta == self.implied.meta
        if not all(map(_IS_SIMPLE_NAME, self.implied.by_stack)):
            return False  # a comma or brace in a name would be taken for one between counts
        before, counts, after = _split_counts(meta)
        for due in (self.implied.meta, self.implied.unsorted_meta()):
            due_before, due_counts, due_after = _split_counts(due)
            if before == due_before and after == due_after:
                # of one length with the same members, each of which is there once
                return len(counts) == len(due_counts) and (
                    set(counts.split(b", ")) == set(due_counts.split(b", ")))
        return False


def _split_counts(meta: bytes) -> tuple[bytes, bytes, bytes]:
    """Cut the members of `num_specs_by_stack` out of `meta`."""
    start = meta.find(_COUNTS_KEY) + len(_COUNTS_KEY)
    end = meta.find(b"}", start)
    return meta[:start], meta[start:end], meta[end:]


class Shapes:
    """Remembers the shapes that were found sound, within one configuration."""

    def __init__(self) -> None:
        """Begin with none."""
        self._current: dict[bytes, dict[bytes, int]] = {}
        """In the current format: compiler and shape to the number of their kind."""
        self._tarballs: dict[bytes, int] = {}
        """In the tarball format: shape to the number of its kind."""
        self._remembered = 0
        """How many shapes and parts are known."""
        self._values: set[tuple[str, Any]] = set()
        """In the tarball format, what stood in sound specs: keys with their values."""
        self._parts: tuple[dict[bytes, dict[str, Any]], ...] = ({}, {}, {}, {})
        """In the current format, the parts of sound specs: to what a kind has of each."""
        self._machines: dict[tuple[PageFormat, str, str, str], _Machine] = {}
        self._kinds: list[_Kind] = []
        self._numbers: dict[_Kind, int] = {}
        """The place of each in that list."""
        self._implied: dict[tuple[int, ...], _Implied] = {}
        """By the numbers of the kinds, sorted."""
        self._stacks: dict[bytes, bytes] = {}
        self._paths: dict[int, bytes] = {}
        """By the number of a kind: where its tarballs lie, `\\0` for the tag, `\\1` the package."""

    def read(self, raw: bytes, place: PageId, context: PageContext) -> Facts | None:
        """Accept the specs of a page that lies at ``place``, or say nothing.

        Nothing is said of what stands before them. What ``context`` says of the place is not asked.
        """
        head, *specs = raw.split(_COMPILER_KEY)
        if raw[-6:] != b"}]\n---":
            return None
        if not specs or (_SLASH in specs[0] and _TARBALL_KEY in specs[0]):
            return self._read_tarballs(raw, place, context)
        specs[-1] = specs[-1][:-5] + b", "  # as all others end
        parts = [spec.partition(_BEFORE_HASH) for spec in specs]
        hashes = [rest[:32] for _, _, rest in parts]
        joined = _joined(hashes)
        if not joined or not all(map(lt, hashes, hashes[1:])):
            return None
        current = self._current
        try:
            kinds = [current[compiler][rest[32:]] for compiler, _, rest in parts]
        except KeyError:
            kinds = self._learn(parts, context)
        implied = self._imply(PageFormat.CURRENT, kinds, context)
        return None if implied is None else Facts(head, joined, implied)

    def _learn(self, specs: list[tuple[bytes, bytes, bytes]], context: PageContext) -> list[int]:
        """Return the numbers of the kinds of specs, cut before their hashes; none if unsound."""
        self._forget()
        kinds = []
        for compiler, _, rest in specs:
            known, shape = self._current.get(compiler, {}), rest[32:]
            if shape not in known:
                kind = self._judge(compiler, shape, context)
                if kind is None:
                    return []
                known[shape] = self._number(kind)
                self._current[compiler] = known
            kinds.append(known[shape])
        return kinds

    def _read_tarballs(self, raw: bytes, place: PageId, context: PageContext) -> Facts | None:
        """Accept specs in the tarball format likewise."""
        hashes: list[bytes] = []
        urls: list[bytes] = []
        head = raw.partition(_HASH_KEY)[0].rpartition(b"{")[0]
        try:
            shapes = self._cut(raw[len(head) + 1 : -6].split(b"}, {"), hashes, urls)
        except ValueError:
            return None
        joined = _joined(hashes)
        if not joined or len(set(hashes)) < len(hashes):
            return None
        self._forget()
        kinds = []
        for shape in shapes:
            if shape not in self._tarballs:
                spec = shape.replace(_HASH_KEY, _HASH_KEY + _A_HASH, 1)
                kind = self._judge_tarball(b"{%b}" % spec, context)
                if kind is None:
                    return None
                self._tarballs[shape] = self._number(kind)
            kinds.append(self._tarballs[shape])
        implied = self._imply(PageFormat.TARBALL, kinds, context)
        if implied is None or not self._are_due(urls, kinds, hashes, place, context):
            return None
        return Facts(head, joined, implied)

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

    def _forget(self) -> None:
        """Forget everything where it is too much."""
        if self._remembered >= _MOST_SHAPES:
            self.__init__()  # type: ignore[misc]

    def _number(self, kind: _Kind) -> int:
        """Return the number of the kind of one shape more."""
        self._remembered += 1
        number = self._numbers.setdefault(kind, len(self._kinds))
        if number == len(self._kinds):
            self._kinds.append(kind)
        return number

    def _judge(self, compiler: bytes, shape: bytes, context: PageContext) -> _Kind | None:
        """Judge specs in the current format; None where they are unsound."""
        middle, has_variants, rest = shape.partition(_VARIANTS_KEY)
        variants, has_versions, versions = rest.rpartition(_VERSIONS_KEY)
        if not (has_variants and has_versions and middle[:3] == b'", ' and middle[-2:] == b", "
                and versions[-2:] == b", "):
            return None
        seen: dict[str, Any] = {}
        parts = compiler, middle[3:-2], variants, versions[:-2]
        for known, part, (frame, keys) in zip(self._parts, parts, _PARTS, strict=True):
            if part not in known:
                text = frame % part
                values = _read(text)
                if (values is None or values.keys() != keys
                        or strict_json.dumps(values, sort_keys=True).encode() != text
                        or not _are_sound(values, PageFormat.CURRENT, context)):
                    return None
                known[part] = self._seen(values, PageFormat.CURRENT)
                self._remembered += 1
            seen |= known[part]
        return _Kind(**seen)

    def _judge_tarball(self, raw: bytes, context: PageContext) -> _Kind | None:
        """Judge a spec in the tarball format; None where it is unsound."""
        spec = _read(raw)
        # what was cut out may stand only where anything else would do as well
        if spec is None or spec.get("hash") != _A_HASH.decode() or spec.get("tarball") != "":
            return None
        spec["tarball"] = "none"  # any text will do for the schema
        # a spec is sound where each of its values is
        fields = [(key, tuple(value) if type(value) is list else (type(value), value))
                  for key, value in spec.items()]
        try:
            new = {field[0]: spec[field[0]] for field in fields if field not in self._values}
        except TypeError:  # a list of lists
            return None
        if not spec.keys() >= _required_in_tarballs():
            return None
        if new:
            if not _are_sound(new, PageFormat.TARBALL, context):
                return None
            self._values.update(fields)
        return _Kind(**self._seen(spec, PageFormat.TARBALL))

    def _seen(self, values: Mapping[str, Any], form: PageFormat) -> dict[str, Any]:
        """Return what a kind has of these values of a spec, by its own names."""
        seen: dict[str, Any] = {}
        if "os" in values:
            key = form, values["os"], values["platform"], values["target"]
            seen["machine"] = self._machines.setdefault(key, _Machine(*key))
            seen["stacks"] = tuple(map(intern, values["stacks"]))
        if "compiler" in values:
            seen["compiler"] = intern(values["compiler"])
        if "versions" in values:
            seen["version"] = intern(values["versions"][0])
        return seen

    def _are_due(
        self, urls: list[bytes], kinds: list[int], hashes: list[bytes], place: PageId,
        context: PageContext,
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
        machine, _, compiler, version = self._kinds[number]
        path = tarball_start("\0", "\1", machine.platform, machine.os, machine.target, compiler,
                             version)
        self._paths[number] = path.encode()
        return self._paths[number]

    def _imply(self, form: PageFormat, kinds: list[int], context: PageContext) -> _Implied | None:
        """Return what specs of these kinds imply; None where no page of this tag may hold them."""
        key = tuple(sorted(kinds))
        implied = self._implied.get(key)
        if implied is None:
            if not key:
                return None
            implied = _imply([self._kinds[number] for number in key])
            if len(key) <= _LARGEST_GROUP:
                if len(self._implied) >= _MOST_GROUPS:  # forget the older half
                    for oldest in list(islice(self._implied, _MOST_GROUPS // 2)):
                        del self._implied[oldest]
                self._implied[key] = implied
        listed, root = context.tag_stacks, context.root_stack
        if implied.format is not form or (listed is not None and not (
                listed.issuperset(implied.by_stack) and (
                    root not in listed or implied.by_stack.get(root) == implied.number))):
            return None
        return implied


@lru_cache(maxsize=1)
def _folders(mirror_urls: tuple[str, ...]) -> frozenset[bytes]:
    """Return what may stand before a tarball's path, as bytes."""
    return frozenset(folder.encode() for folder in mirror_folders(mirror_urls))


def _joined(hashes: list[bytes]) -> bytes:
    """Join hashes of 32 characters each, or fewer; nothing where some is none."""
    joined = b"".join(hashes)
    if len(joined) != 32 * len(hashes) or 0 in joined.translate(_HASH_LETTERS):
        return b""
    return joined


def _read(raw: bytes) -> dict[str, Any] | None:
    """Read a JSON object of plain text; None where it is none."""
    text = raw.decode("latin-1")
    if not strict_json.is_plain(text):
        return None
    try:
        values: dict[str, Any] = strict_json.loads(text)
    except ValueError:
        return None
    return values


@cache
def _required_in_tarballs() -> frozenset[str]:
    """Return the keys that every spec in the tarball format has."""
    return frozenset(schema.load("page-tarball")["$defs"]["spec"]["required"])


def _are_sound(values: dict[str, Any], form: PageFormat, context: PageContext) -> bool:
    """Ask the schema and the rules about values of a spec, by their keys."""
    name = f"page-{form.value}"
    stacks = values.get("stacks", ())
    return (
        values.keys() <= schema.load(name)["$defs"]["spec"]["properties"].keys()
        and all(schema.compile_check(name, f"/$defs/spec/properties/{key}")(value)
                for key, value in values.items())
        and (form is PageFormat.TARBALL or list(stacks) == sorted(stacks))
        and not any(True for check in _CHECKS[form] for _ in check(values, context))
        # as a key of `meta`, loaders refuse it (CL703)
        and all(len(stack) < 1023 for stack in stacks)
    )
