"""The fast path: accept a page by its columns, or give no answer.

Contract: `FastPath.lint` returns what `lint_page` returns without it, or None. Its only caller is
`lint_page`. Without this file all results are the same, and come later.

A page that the generator wrote consists of few distinct strings. One regular expression for each
order of keys splits all specs of a page into columns. Each distinct string of a column is split
into its fields once, each distinct field is checked once, by the schema and the value rules
themselves, and both are remembered. What `meta` must be follows from the columns, and is compared
with the bytes of the page. So nothing else can be in a page that is accepted: each byte is part of
a line that was compared, of a string that was checked, or of the pattern.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from functools import cache, cached_property, lru_cache
from operator import lt
from sys import intern
from typing import Any, TypeVar

from cachelint.document import schema, strict_json
from cachelint.document.formats import BY_FORMAT, KEYS
from cachelint.document.page import Page, TopLevelEntry
from cachelint.document.parser import over_limits
from cachelint.document.summary import FIELDS
from cachelint.document.yaml import NodeSpan, is_plain_word, is_safe_key
from cachelint.linter.page import PageResult, context_of, running_rules
from cachelint.model import (
    NO_PAGE,
    Meta,
    NamedTuple,
    PageContext,
    PageFormat,
    PageId,
    RuleOptions,
)
from cachelint.rules.cl3_summary import RULE_OF_KEY
from cachelint.rules.cl4_specs import mirror_folders, tarball_start
from cachelint.rules.cl5_canonical import unstable_order
from cachelint.rules.selection import Settings

PROVES = frozenset((
    "CL201", "CL202", "CL203", "CL204", "CL301", "CL302", "CL303", "CL304", "CL305", "CL306",
    "CL307", "CL308", "CL401", "CL402", "CL403", "CL404", "CL405", "CL406", "CL407", "CL408",
    "CL501", "CL502", "CL503", "CL504", "CL506", "CL507", "CL601", "CL602", "CL604", "CL701",
    "CL703",
))
"""The rules that find nothing on an accepted page. Of the others, those about values of specs are
run on each distinct value; with any that looks at the page as a whole, nothing is accepted."""

_MOST_BYTES, _ENTRY = 5_000_000, 300
"""What is remembered of the strings of pages, with what each takes beside itself, and of one more
page; then all of it is forgotten."""
_SMALL, _MOST_GROUPS = 4096, 3072
"""What follows from the specs of a page is remembered, too, if they have so few bytes."""

# ------------------------------------------------------------------------------- orders of keys

_CURRENT = (("compiler",), ("hash",),
            ("os", "platform", "size", "stacks", "target", "variants", "versions"))
_SORTED = (("compiler",), ("hash",), ("os", "platform"), ("size", "stacks"), ("tarball",),
           ("target", "variants", "versions"))
_UNSORTED = (("hash",), ("compiler", "versions", "os", "platform", "target", "variants"),
             ("stacks", "size"), ("tarball",), ())
"""The orders in which the generator has written the keys of a spec. Neighbours are one column:
together, too, they have only few distinct values. The last has what is between specs, too."""
_UNIQUE = (("hash",), ("tarball",))
"""The columns whose strings differ from spec to spec."""

_PATTERNS = {
    "hash": '"hash": "(?P<hash>[a-z2-7]{32})"',
    "size": '"size": [^,]{,99}',
    "stacks": r'"stacks": \["[^\]]{,9999}"\]',
    "tarball": r'"tarball": "([^"]*-)(?P=hash)\.spack"',
    "variants": r'"variants": \[[^\]]{,99999}\]',
    "versions": r'"versions": \["[^"]{,999}"\]',
}
"""The patterns of fields that are not just strings. A match that fails has not been tried far
beyond the next spec, whatever the page contains, so that the time is linear."""


def _compile(columns: tuple[tuple[str, ...], ...]) -> re.Pattern[bytes]:
    """Compile the pattern of a spec up to its last column, with a group for each column."""
    groups = []
    for fields in columns[:-1]:
        pattern = ", ".join(
            [_PATTERNS.get(field, f'"{field}": "[^"]{{,999}}"') for field in fields])
        groups.append(pattern if fields in _UNIQUE else f"({pattern})")
    return re.compile((", ".join(groups) + ", " * bool(columns[-1])).encode())


# ------------------------------------------------------------------------------- strings

_Found = TypeVar("_Found")
_SUMMARISED = set(FIELDS.values())
"""The fields of specs that `meta` and URLs have something of."""
_OF_STACKS = ("stacks", "num_specs_by_stack")
_IN_ORDER = {*FIELDS, "num_specs_by_stack"}
"""The keys whose values are sorted on canonical pages."""
_BEFORE_KEY = re.compile(rb', (?="[a-z]+": )')


def _read_value(form: PageFormat, part: str, key: str, text: str) -> Any:
    """Read a value of ``part``, a spec or `meta`, which no rule can find fault with by its form.

    Raises ValueError if it may be invalid, is not written as the generator does, or is not sorted
    where it must be.
    """
    layout, value = BY_FORMAT[form], strict_json.loads(text)
    if not (strict_json.is_plain(text) and strict_json.dumps(value) == text
            and schema.compile_check(layout.schema, f"/$defs/{part}/properties/{key}")(value)
            and (key not in _OF_STACKS or all(map(is_safe_key, value)))
            and (key not in _IN_ORDER or not layout.is_canonical or list(value) == sorted(value))):
        raise ValueError
    return value


def _sort_stacks(text: bytes) -> bytes:
    """Sort the stacks in a string of a column."""
    before, mark, rest = text.partition(b'"stacks": ["')
    names, end, after = rest.partition(b'"]')
    return b"".join([before, mark, b'", "'.join(sorted(names.split(b'", "'))), end, after])


@lru_cache(maxsize=1)
def _plain_variant() -> re.Pattern[bytes]:
    """Compile a pattern of variants without spaces, quotes and unsafe characters."""
    return re.compile(
        rb'"(\+\+?|~~?)?([A-Za-z0-9_][A-Za-z0-9_.-]*)(?(1)|:?==?[!#-&(-;=?-\[\]-~]*)"')


def _drop_plain_variants(text: bytes) -> bytes:
    """Remove the variants from a string of a column where they are surely valid.

    They are sorted by name without duplicates, too. Where each spec has a variant of its own,
    running all rules on each would be most of the time.
    """
    before, mark, rest = text.partition(b'"variants": [')
    variants, end, after = rest.partition(b"]")
    parts = _plain_variant().split(variants) if variants else [b"?"]
    names = parts[2::3]
    are_plain = not (parts[0] or parts[-1] or set(parts[3:-1:3]) - {b", "}) and all(
        map(lt, names, names[1:]))
    return b"".join([before, mark, end, after]) if are_plain else text


class _Memory(dict[bytes, _Found]):
    """What was found out about strings; about others it is found out when they are looked up."""

    def __init__(self, find_out: Callable[[bytes], _Found]) -> None:
        """Begin with nothing remembered."""
        super().__init__()
        self._find_out = find_out
        self._size = 0

    def __missing__(self, text: bytes) -> _Found:
        """Find out about a string, and remember it."""
        found = self[text] = self._find_out(text)
        self._size += len(text) + _ENTRY
        return found

    def is_full(self) -> bool:
        """Return whether it takes so much memory that it is to be forgotten."""
        return self._size >= _MOST_BYTES

    def forget(self) -> None:
        """Forget everything."""
        self.clear()
        self._size = 0


def _render(values: Iterable[str]) -> str:
    """Write strings without quotes and backslashes as a sorted list of JSON."""
    return '["' + '", "'.join(sorted(values)) + '"]'


# ------------------------------------------------------------------------------- specs


class _Summary(NamedTuple):
    """What follows from the specs of a page."""

    by_stack: dict[str, int]
    """How many of them are in each stack."""
    meta: bytes
    """What `meta` must be, as the generator writes it."""


class _Specs(NamedTuple):
    """The specs of a page, which are all valid."""

    hashes: list[bytes]
    summary: _Summary
    is_stable: bool
    """Whether keys, stacks and specs are sorted, or need not be (CL507)."""


class _Layout:
    """An order of keys, with what is remembered of the strings in its columns."""

    def __init__(
        self, columns: tuple[tuple[str, ...], ...], options: RuleOptions,
        extra_rules: frozenset[str],
    ) -> None:
        """Begin with nothing remembered."""
        self.format = PageFormat.TARBALL if ("tarball",) in columns else PageFormat.CURRENT
        self._is_current = self.format is PageFormat.CURRENT
        self.needs_order = not self._is_current and unstable_order.code in extra_rules
        self._order, self._options = columns, options
        self._width = len(columns)
        self._at = {field: at for at, fields in enumerate(columns, 1) for field in fields}
        """The piece in which a field is; the first is what is before all specs."""
        self._columns = sorted(
            ((at, [field for field in fields if field in _SUMMARISED])
             for at, fields in enumerate(columns, 1) if fields not in _UNIQUE),
            key=lambda column: "stacks" not in column[1])
        """The other columns, that with stacks first: the piece, and its fields that `meta` has."""
        rules = running_rules(self.format, extra_rules)
        self._checks = [check for rule in rules for check in rule.values]
        unproved = [rule for rule in rules if rule.code not in PROVES]
        fields = {check.field for rule in unproved for check in rule.values}
        # in the tarball format, stacks are checked in one order
        self.is_usable = not any(rule.page for rule in unproved) and fields.isdisjoint(
            {"hash"} if self._is_current else {"hash", "tarball", "stacks"})
        self._drops_plain_variants = "variants" not in fields
        self._folders = frozenset(
            folder.encode() for folder in mirror_folders(options.mirror_urls)
            if strict_json.is_plain(folder))
        self._fields: _Memory[tuple[str, str]] = _Memory(self._read_field)
        """Strings with one field of a spec that are valid: its name and value."""
        self.known: _Memory[int] = _Memory(self._read_column)
        """Strings of columns that are valid, and to each the number of what it contains."""
        self._rows: list[tuple[str, ...]] = []
        """What that is, by number."""
        self._numbers: dict[tuple[str, ...], int] = {}
        """The number of each."""

    @cached_property
    def _pattern(self) -> re.Pattern[bytes]:
        return _compile(self._order)

    def read(self, line: bytes, page_id: PageId) -> _Specs:
        """Read the specs of a page from their bracket to the end.

        Raises ValueError if some may be invalid.
        """
        width, at = self._width, self._at["stacks"]
        pieces = self._pattern.split(line[:-5] + b", {")
        hashes, texts = pieces[self._at["hash"] :: width], pieces[at::width]
        is_sorted = all(map(lt, hashes, hashes[1:]))
        if pieces[0] != b"{" or not line.endswith(b"}]\n---") or not (
                is_sorted or (not self._is_current and len(set(hashes)) == len(hashes))):
            raise ValueError
        if self.known.is_full():
            self._forget()
        if not self._is_current:
            # each order of stacks would take memory
            pieces[at::width] = map(_sort_stacks, texts)
        find = self.known.__getitem__
        stacks, *others = [list(map(find, pieces[at::width])) for at, _ in self._columns]
        if not self._is_current:
            self._check_urls(pieces[self._at["tarball"] :: width], others, page_id)
        summarise = _summarise_small if len(line) <= _SMALL else _Layout.summarise
        is_stable = not self.needs_order or (is_sorted and self._order is not _UNSORTED
                                             and texts == pieces[self._at["stacks"] :: width])
        summary = summarise(self, tuple(sorted(stacks)), *map(frozenset, others))
        return _Specs(hashes, summary, is_stable)

    def _forget(self) -> None:
        """Forget everything, between pages."""
        self.known.forget()
        self._rows.clear()
        self._numbers.clear()
        _summarise_small.cache_clear()
        _tarball_path.cache_clear()

    def _read_column(self, text: bytes) -> int:
        """Return the number of what a string of a column contains.

        Raises ValueError if the schema or a rule may not allow it.
        """
        simple = _drop_plain_variants(text) if self._drops_plain_variants else text
        if simple != text:
            return self.known[simple]
        body = text.removesuffix(b"}, {")
        columns = self._order[:-1] if body == text else self._order[-1:]
        fields = [self._fields[part] for part in _BEFORE_KEY.split(body)] if body else []
        if tuple([field for field, _ in fields]) not in columns:
            raise ValueError
        row = tuple([value for field, value in fields if field in _SUMMARISED])
        if row not in self._numbers:
            self._numbers[row] = len(self._rows)
            self._rows.append(row)
        return self._numbers[row]

    def _read_field(self, text: bytes) -> tuple[str, str]:
        """Return the name and value of a field, likewise; of stacks with `", "` between them."""
        if self._fields.is_full():
            self._fields.forget()
        key, _, source = text.decode("latin-1").partition('": ')
        field = key[1:]
        if not (key.startswith('"') and field in self._at):
            raise ValueError
        value = _read_value(self.format, "spec", field, source)
        if any(True for check in self._checks if check.field == field
               for _ in check.problems(value, self._options)):
            raise ValueError
        return field, '", "'.join(value) if isinstance(value, list) else str(value)

    def _check_urls(self, urls: list[bytes], others: list[list[int]], page_id: PageId) -> None:
        """Raise ValueError if URLs are not, up to the hash, what follows from their specs."""
        tag, package = str(page_id.tag).encode(), str(page_id.package).encode()
        for url, *numbers in set(zip(urls, *others, strict=True)):
            path = _tarball_path(self, *numbers).replace(b"\0", tag).replace(b"\1", package)
            if not (url.endswith(path) and url[: -len(path)] in self._folders):
                raise ValueError

    def tarball_path(self, *numbers: int) -> bytes:
        """Return where the tarballs of some specs are, with placeholders for tag and package."""
        values: dict[str, str] = {}
        for (_, fields), number in zip(self._columns[1:], numbers, strict=True):
            values.update(zip(fields, self._rows[number], strict=True))
        needed = ("platform", "os", "target", "compiler", "versions")
        return tarball_start("\0", "\1", *[values[field] for field in needed]).encode()

    def summarise(self, *numbers: Iterable[int]) -> _Summary:
        """Derive what `meta` must be from the numbers of all strings in each column.

        Raises ValueError if the compilers may be spelled in two ways (CL408).
        """
        columns: dict[str, tuple[str, ...]] = {}
        for (_, fields), each in zip(self._columns, numbers, strict=True):
            rows = [self._rows[number] for number in each]
            columns.update(zip(fields, zip(*rows, strict=True), strict=True))
        by_text: dict[str, int] = {}
        for text in columns["stacks"]:
            by_text[text] = by_text.get(text, 0) + 1
        by_stack: dict[str, int] = {}
        for text, count in by_text.items():
            for name in map(intern, text.split('", "')):
                by_stack[name] = by_stack.get(name, 0) + count
        texts = {key: _render({*columns[field]}) for key, field in FIELDS.items()
                 if key != "stacks"}
        if 0 < texts["compilers"].count("@=") < texts["compilers"].count("@"):
            raise ValueError
        texts["num_specs"], texts["stacks"] = str(len(columns["stacks"])), _render(by_stack)
        counts = ", ".join([f'"{name}": {by_stack[name]}' for name in sorted(by_stack)])
        texts["num_specs_by_stack"] = f"{{{counts}}}"
        orders = BY_FORMAT[self.format].meta_orders
        keys = orders[-1] if self._order is _UNSORTED else orders[0]
        meta = ", ".join([f'"{key}": {texts[key]}' for key in keys])
        return _Summary(by_stack, f"{{{meta}}}".encode())


_summarise_small = lru_cache(_MOST_GROUPS)(_Layout.summarise)
_tarball_path = lru_cache(_MOST_GROUPS)(_Layout.tarball_path)


# ------------------------------------------------------------------------------- meta


@cache
def _meta_pattern(keys: tuple[str, ...]) -> re.Pattern[str]:
    """Compile the pattern of `meta` in an order of keys, with a group for each value."""
    patterns = dict.fromkeys(keys, r"\[[^\]]*\]") | {
        "num_specs": "[^,]*", "num_specs_by_stack": r"\{[^}]*\}"}
    members = [f'"{key}": (?P<{key}>{patterns[key]})' for key in keys]
    return re.compile(rf"\{{{', '.join(members)}\}}")


def _split_meta(meta: bytes, form: PageFormat) -> re.Match[str]:
    """Find the values of `meta` as they are written. Raises ValueError for another form."""
    text = meta.decode("latin-1")
    for keys in BY_FORMAT[form].meta_orders:
        if match := _meta_pattern(keys).fullmatch(text):
            return match
    raise ValueError


def _has_other_order(meta: bytes, summary: _Summary) -> bool:
    """Return whether `meta` is as expected but for the order of the counts, which are its end."""
    before, brace, rest = summary.meta.rpartition(b"{")
    counts, end = rest[:-2], rest[-2:]
    members = counts.split(b", ")
    # a name with a comma or a brace would be cut into pieces
    return (len(members) == len(summary.by_stack) and b"{" not in before[1:] and b"}" not in counts
            and meta.startswith(before + brace) and meta.endswith(end)
            and sorted(meta[len(before) + 1 : -2].split(b", ")) == sorted(members))


# ------------------------------------------------------------------------------- pages

_SPECS = b"\nspec_details: ["
_IS_PACKAGE = re.compile(r"[a-z0-9][a-z0-9-]*").fullmatch


@lru_cache(maxsize=1024)
def _categories(tag: str | None) -> bytes:
    """Write a page's lines of this tag up to `meta`; nothing where a rule may find something."""
    return (f"layout: cache\ncategories: [package, {tag}]\nmeta: ".encode()
            if tag is not None and is_plain_word(tag) else b"")


@lru_cache(maxsize=4096)
def _title(package: str | None) -> bytes:
    """Write the first lines of a page of this package, likewise."""
    return (f'---\ntitle: "{package}"\n'.encode()
            if package is not None and _IS_PACKAGE(package) else b"")


class FastPath:
    """Accepts pages on which rules find nothing; remembers strings of earlier pages."""

    def __init__(
        self, options: RuleOptions, extra_rules: frozenset[str] = frozenset()
    ) -> None:
        """Begin with nothing remembered, for pages with these options and rules."""
        self._options, self._extra_rules = options, extra_rules
        self._current, self._sorted, self._unsorted = (
            _Layout(columns, options, extra_rules)
            for columns in (_CURRENT, _SORTED, _UNSORTED))

    def lint(self, raw: bytes, context: PageContext) -> PageResult | None:
        """Return what `lint_page` returns for a page without the fast path; or None."""
        page_id = context.page_id
        title, categories = _title(page_id.package), _categories(page_id.tag)
        start = title + categories
        if (not (title and categories and raw.startswith(start))
                or context.options != self._options or context.extra_rules != self._extra_rules
                or over_limits(raw, context.max_size)):
            return None
        head, _, line = raw.partition(_SPECS)
        layout = self._choose(line)
        if not layout.is_usable:
            return None
        try:
            specs = layout.read(line, page_id)
            hashes, meta, summary = b"".join(specs.hashes), head[len(start) :], specs.summary
            if not _suits_tag(specs, context):
                return None
            if specs.is_stable and (meta == summary.meta or (
                    layout is self._unsorted and _has_other_order(meta, summary))):
                return PageResult([], None, len(specs.hashes), hashes)
            found = _split_meta(meta, layout.format)
            known = _split_meta(summary.meta, layout.format)
            expected = json.loads(known.string)
            actual = {key: expected[key] if text == known[key]
                      else _read_value(layout.format, "meta", key, text)
                      for key, text in found.groupdict().items()}
        except ValueError:
            return None
        rules = [rule for key, rule in RULE_OF_KEY.items() if actual[key] != expected[key]]
        rules += [unstable_order] if layout.needs_order else []
        if not rules:
            return PageResult([], None, len(specs.hashes), hashes)
        page = _ReadPage(raw, page_id, layout.format, actual, expected, found, specs.hashes)
        problems = [(rule, problem) for rule in rules for problem in rule.problems(page, context)]
        return PageResult(problems, page, len(specs.hashes), hashes)

    def _choose(self, line: bytes) -> _Layout:
        """Return the only layout that the first spec may have."""
        if line.startswith(b'{"hash": '):
            return self._unsorted
        has_tarball = line.find(b', "tarball": ', 0, line.find(b"}")) > 0
        return self._sorted if has_tarball else self._current


def _suits_tag(specs: _Specs, context: PageContext) -> bool:
    """Return whether the tag has all stacks of the specs, and all specs are in its root."""
    listed, root, by_stack = context.tag_stacks, context.options.root_stack, specs.summary.by_stack
    return listed is None or (listed.issuperset(by_stack) and (
        root not in listed or by_stack.get(root) == len(specs.hashes)))


class _ReadPage(Page):
    """A page that is accepted except for `meta`: what `parse_page` returns, at less cost.

    What few findings need is read when something needs it.
    """

    def __init__(
        self, raw: bytes, page_id: PageId, form: PageFormat, meta: dict[str, Any],
        expected_meta: Meta, match: re.Match[str], hashes: list[bytes],
    ) -> None:
        """Begin with the lines of the page, with its `meta` and with the hashes of its specs."""
        super().__init__(raw.decode("ascii"))
        del self.data, self.nodes
        self.title, self.categories = page_id.package, ["package", page_id.tag]
        self.parsed, self.format = True, form
        self.meta, self.expected_meta = meta, expected_meta
        self._match, self._hashes = match, hashes
        starts = self._starts()
        self.opening_end, self.closing_start = starts[1], starts[-1]
        self.entries = [
            TopLevelEntry(key, start, start + len(key) + len(": "), end - 1)
            for key, start, end in zip(KEYS, starts[1:], starts[2:], strict=False)]

    @cached_property
    def data(self) -> dict[str, Any]:
        entry = self.entries[-1]
        specs = json.loads(self.text[entry.value_start : entry.end])
        return dict(zip(KEYS, (self.title, "cache", self.categories, self.meta, specs),
                        strict=True))

    @cached_property
    def hashes(self) -> list[str]:
        return [dag_hash.decode() for dag_hash in self._hashes]

    @cached_property
    def nodes(self) -> dict[str, NodeSpan]:  # type: ignore[override]
        at = self._starts()[3] + len("categories: [")
        nodes = {}
        for index, word in enumerate(("package", str(self.categories[1]))):
            nodes[f"/categories/{index}"] = NodeSpan(at, at + len(word), close=at + len(word))
            at += len(word) + len(", ")
        return nodes

    def locate(self, pointer: str) -> NodeSpan | None:
        """Find where the value at ``pointer`` is, those of `meta` by the match that found them."""
        key = pointer.removeprefix("/meta/")
        if key not in self._match.re.groupindex:
            is_word = pointer.startswith("/categories/")
            return super().locate(pointer) if is_word else self._locate_json(pointer)
        meta = self.entries[3].value_start
        start, end = meta + self._match.start(key), meta + self._match.end(key)
        return self._node(start, end, start - len(f'"{key}": '), start - len(": "))


@lru_cache(maxsize=1)
def fast_path_for(settings: Settings) -> FastPath:
    """Return the fast path of this process for ``settings``."""
    context = context_of(settings, NO_PAGE)
    return FastPath(context.options, context.extra_rules)
