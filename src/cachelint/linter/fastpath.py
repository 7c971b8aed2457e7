"""The fast path: accept a page by its columns, or give no answer.

Contract: `FastPath.lint` returns what `lint_page` returns without it, or None. Its only caller is
`lint_page`. Without this file all results are the same, and come later.

A page that the generator wrote consists of few distinct strings. One regular expression for each
order of keys splits all specs of a page into columns. Each distinct string of a column is checked
once, by the schema and the value rules themselves, and remembered. What `meta` must be follows
from the columns, and is compared with the bytes of the page. So nothing else can be in a page that
is accepted: each byte is part of a line that was compared, of a string that was checked, or of the
pattern.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, cached_property, lru_cache
from operator import lt
from typing import Any

from cachelint.document import schema, strict_json
from cachelint.document.formats import BY_FORMAT, KEYS
from cachelint.document.page import Page, TopLevelEntry
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

_MOST_STRINGS, _MOST_BYTES = 16_384, 4_000_000
"""What is remembered of an order of keys, and of one more page; then all of it is forgotten."""
_SMALL, _MOST_GROUPS = 4096, 4096
"""What follows from the specs of a page is remembered, too, if they have so few bytes."""

# ------------------------------------------------------------------------------- orders of keys

_CURRENT = (("compiler",), ("hash",), ("os", "platform", "size", "stacks", "target"),
            ("variants",), ("versions",))
_SORTED = (("compiler",), ("hash",), ("os", "platform"), ("size",), ("stacks",), ("tarball",),
           ("target",), ("variants",), ("versions",))
_UNSORTED = (("hash",), ("compiler",), ("versions",), ("os", "platform", "target"), ("variants",),
             ("stacks",), ("size",), ("tarball",))
"""The orders in which the generator has written the keys of a spec. Neighbours that have only
few distinct values are one column."""

_PATTERNS = {
    ("hash",): '"hash": "(?P<hash>[a-z2-7]{32})"',
    ("os", "platform", "size", "stacks", "target"):
        r'("os": "[^\]]{,9999}\], "target": "[^"]{,999}")',
    ("size",): '("size": [^,]{,99})',
    ("stacks",): r'("stacks": \["[^\]]{,9999}"\])',
    ("tarball",): r'"tarball": "([^"]*-)(?P=hash)\.spack"',
    ("variants",): r'("variants": \[[^\]]{,99999}\])',
    ("versions",): r'("versions": \["[^"]{,999}"\])',
}
"""The patterns of columns that are not just strings. A match that fails has not been tried far
beyond the next spec, whatever the page contains, so that the time is linear."""


def _compile(columns: Iterable[tuple[str, ...]]) -> re.Pattern[bytes]:
    """Compile the pattern of a spec and of the comma after it."""
    patterns = []
    for fields in columns:
        strings = ", ".join(f'"{field}": "[^"]{{,999}}"' for field in fields)
        patterns.append(_PATTERNS.get(fields, f"({strings})"))
    return re.compile(rf"\{{{', '.join(patterns)}\}}, ".encode())


# ------------------------------------------------------------------------------- strings

_UNIQUE = (("hash",), ("tarball",))
"""The columns whose strings differ from spec to spec."""
_SUMMARISED = set(FIELDS.values())


def _is_valid(schema_name: str, part: str, value: Any) -> bool:
    return schema.compile_check(schema_name, f"/$defs/{part}")(value)


def _is_sorted(values: list[str]) -> bool:
    return values == sorted(values)


_STACKS, _VARIANTS = b'"stacks": ["', b'"variants": ['


def _sort_stacks(text: bytes) -> bytes:
    """Sort the strings between the brackets of a column."""
    names = text[len(_STACKS) : -2].split(b'", "')
    return b'%b%b"]' % (_STACKS, b'", "'.join(sorted(names)))


@lru_cache(maxsize=1)
def _plain_variant() -> re.Pattern[bytes]:
    """Compile a pattern of variants without spaces, quotes and unsafe characters."""
    return re.compile(
        rb'"(\+\+?|~~?)?([A-Za-z0-9_][A-Za-z0-9_.-]*)(?(1)|:?==?[!#-&(-;=?-\[\]-~]*)"')


def _are_plain_variants(text: bytes) -> bool:
    """Return whether variants are surely valid, and sorted by name without duplicates.

    Where each spec has a variant of its own, running all rules on each would be most of the time.
    """
    parts = _plain_variant().split(text)
    names = parts[2::3]
    return (parts[0] == _VARIANTS and parts[-1] == b"]" and set(parts[3:-1:3]) <= {b", "}
            and all(map(lt, names, names[1:])))


# ------------------------------------------------------------------------------- specs


class _Summary(NamedTuple):
    """What follows from the specs of a page for its `meta`."""

    stacks: tuple[str, ...]
    in_root: int
    """How many specs are in the root stack."""
    meta: bytes
    """As the generator writes it."""


class _Specs(NamedTuple):
    """The specs of a page, which are all valid."""

    hashes: list[bytes]
    summary: _Summary
    is_sorted: bool
    """Whether keys, stacks and specs are sorted."""


class _Layout:
    """An order of keys, with what is remembered of the strings in its columns."""

    def __init__(
        self, columns: tuple[tuple[str, ...], ...], options: RuleOptions,
        extra_rules: frozenset[str],
    ) -> None:
        """Begin with nothing remembered."""
        self.format = PageFormat.TARBALL if ("tarball",) in columns else PageFormat.CURRENT
        self._is_current = self.format is PageFormat.CURRENT
        self._order, self._options = columns, options
        self._columns, self._width = ((), *columns), len(columns) + 1
        """The fields of each piece of a spec; the first piece is what is before it."""
        self._at = {field: at for at, fields in enumerate(self._columns) for field in fields}
        """The piece in which a field is."""
        self._others = sorted({self._at[field] for field in _SUMMARISED} - {self._at["stacks"]})
        """The pieces without stacks that `meta` or a URL has something of."""
        rules = running_rules(self.format, extra_rules)
        self._checks = [check for rule in rules for check in rule.values]
        unproved = [rule for rule in rules if rule.code not in PROVES]
        fields = {check.field for rule in unproved for check in rule.values}
        # in the tarball format, stacks are remembered in one order
        self.is_usable = not any(rule.page for rule in unproved) and fields.isdisjoint(
            {"hash"} if self._is_current else {"hash", "tarball", "stacks"})
        self._skips_plain_variants = "variants" not in fields
        self._folders = frozenset(
            folder.encode() for folder in mirror_folders(options.mirror_urls)
            if strict_json.is_plain(folder))
        self._summarise_small = lru_cache(_MOST_GROUPS)(self._summarise)
        self._tarball_path = lru_cache(_MOST_GROUPS)(self._make_tarball_path)
        self._forget()

    def _forget(self) -> None:
        """Forget all strings, and what follows from them."""
        self.known: dict[bytes, int] = {}
        """The strings that are valid, and to each the number of what `meta` and URLs have of it."""
        self._size = 0
        self._values: list[tuple[str, list[str]]] = [("{}", [])]
        """What that is, by number: a JSON object of its values, and stacks."""
        self._summarise_small.cache_clear()
        self._tarball_path.cache_clear()

    @cached_property
    def _pattern(self) -> re.Pattern[bytes]:
        return _compile(self._order)

    def read(self, line: bytes, page_id: PageId) -> _Specs | None:
        """Read the specs of a page from their bracket to the end; None if some may be invalid."""
        width = self._width
        pieces = self._pattern.split(line[:-5] + b", ")
        if any(pieces[::width]) or not line.endswith(b"}]\n---"):
            return None
        hashes = pieces[self._at["hash"] :: width]
        is_sorted = all(map(lt, hashes, hashes[1:]))
        if not is_sorted and (self._is_current or len(set(hashes)) < len(hashes)):
            return None
        if not self._is_current:
            # stacks are remembered once, whatever their order
            stacks = pieces[self._at["stacks"] :: width]
            pieces[self._at["stacks"] :: width] = map(_sort_stacks, stacks)
            is_sorted = is_sorted and stacks == pieces[self._at["stacks"] :: width]
        numbers: list[Any] = list(map(self.known.get, pieces))
        # hashes, URLs and what is between specs are never known
        if numbers.count(None) > len(hashes) * (2 if self._is_current else 3) + 1 and (
                not self._look_up(pieces, numbers)):
            return None
        others = [numbers[at::width] for at in self._others]
        if not (self._is_current or self._are_expected(
                pieces[self._at["tarball"] :: width], others, page_id)):
            return None
        summarise = self._summarise_small if len(line) <= _SMALL else self._summarise
        summary = summarise(tuple(sorted(numbers[self._at["stacks"] :: width])),
                            *map(frozenset, others))
        is_sorted = is_sorted and self._order is not _UNSORTED
        return _Specs(hashes, summary, is_sorted) if summary else None

    def _look_up(self, pieces: list[bytes], numbers: list[Any]) -> bool:
        """Find the numbers that are missing; return whether all strings are valid."""
        if len(self.known) >= _MOST_STRINGS or self._size >= _MOST_BYTES:
            self._forget()
            numbers[:] = [None] * len(numbers)
        for at, text in enumerate(pieces):
            fields = self._columns[at % self._width]
            if numbers[at] is None and fields and fields not in _UNIQUE:
                numbers[at] = self._learn(fields, text)
                if numbers[at] is None:
                    return False
        return True

    def _learn(self, fields: tuple[str, ...], text: bytes) -> int | None:
        """Return the number of a string; None if it is not valid, or may not be."""
        if text in self.known:
            return self.known[text]
        number = 0
        if not (fields == ("variants",) and self._skips_plain_variants
                and _are_plain_variants(text)):
            values = self._check(fields, text)
            if values is None:
                return None
            stacks = values.pop("stacks", [])
            row = {field: value[0] if field == "versions" else value
                   for field, value in values.items() if field in _SUMMARISED}
            if row or stacks:
                number = len(self._values)
                self._values.append((strict_json.dumps(row), stacks))
        self.known[text] = number
        self._size += len(text)
        return number

    def _check(self, fields: tuple[str, ...], text: bytes) -> dict[str, Any] | None:
        """Read a string that is valid by the schema and all rules; None if it is not."""
        source = text.decode("latin-1")
        if not strict_json.is_plain(source):
            return None
        try:
            values: dict[str, Any] = strict_json.loads(f"{{{source}}}")
        except ValueError:
            return None
        stacks, layout = values.get("stacks", []), BY_FORMAT[self.format]
        is_valid = (
            tuple(values) == fields and strict_json.dumps(values)[1:-1] == source
            and all(_is_valid(layout.schema, f"spec/properties/{field}", value)
                    for field, value in values.items())
            and all(map(is_safe_key, stacks))
            and (not layout.is_canonical or _is_sorted(stacks))
            and not any(True for check in self._checks if check.field in fields
                        for _ in check.problems(values[check.field], self._options)))
        return values if is_valid else None

    def _are_expected(
        self, urls: list[bytes], numbers: list[list[int]], page_id: PageId
    ) -> bool:
        """Return whether URLs are, up to the hash, what follows from values of their specs."""
        tag, package = str(page_id.tag).encode(), str(page_id.package).encode()
        for url, *row in set(zip(urls, *numbers, strict=True)):
            path = self._tarball_path(*row).replace(b"\0", tag).replace(b"\1", package)
            if not (url.endswith(path) and url[: -len(path)] in self._folders):
                return False
        return True

    def _make_tarball_path(self, *numbers: int) -> bytes:
        """Return where the tarballs of some specs are, with placeholders for tag and package."""
        values: dict[str, Any] = {}
        for number in numbers:
            values |= strict_json.loads_own(self._values[number][0])
        return tarball_start("\0", "\1", values["platform"], values["os"], values["target"],
                             values["compiler"], values["versions"]).encode()

    def _summarise(self, stacks: tuple[int, ...], *others: frozenset[int]) -> _Summary | None:
        """Derive what `meta` must be; None if the compilers may be spelled in two ways (CL408).

        Args:
            stacks: The number of the string with the stacks of each spec.
            others: The numbers of the other columns.
        """
        by_stack: dict[str, int] = {}
        for number in stacks:
            for stack in self._values[number][1]:
                by_stack[stack] = by_stack.get(stack, 0) + 1
        names = tuple(sorted(by_stack))
        counts = ", ".join([f'"{name}": {by_stack[name]}' for name in names])
        texts = {"num_specs": str(len(stacks)), "num_specs_by_stack": f"{{{counts}}}"}
        for numbers in (set(stacks), *others):
            rows = frozenset([self._values[number][0] for number in numbers])
            texts |= (_unite_small if sum(map(len, rows)) <= _SMALL else _unite)(rows)
        texts["stacks"] = _render(names)
        if 0 < texts["compilers"].count("@=") < texts["compilers"].count("@"):
            return None
        orders = BY_FORMAT[self.format].meta_orders
        keys = orders[-1] if self._order is _UNSORTED else orders[0]
        meta = ", ".join([f'"{key}": {texts[key]}' for key in keys])
        return _Summary(names, by_stack.get(self._options.root_stack, 0), f"{{{meta}}}".encode())


def _unite(rows: frozenset[str]) -> dict[str, str]:
    """Return the lists of `meta` for values of specs, as they are written."""
    values = list(map(strict_json.loads_own, rows))
    found = {}
    for key, field in FIELDS.items():
        if items := {value[field] for value in values if field in value}:
            found[key] = _render(sorted(items))
    return found


_unite_small = lru_cache(_MOST_GROUPS)(_unite)


def _render(names: Iterable[str]) -> str:
    """Write a list of strings without quotes and backslashes as JSON."""
    return "[" + ", ".join([f'"{name}"' for name in names]) + "]"


# ------------------------------------------------------------------------------- meta


@cache
def _meta_pattern(keys: tuple[str, ...]) -> re.Pattern[str]:
    """Compile the pattern of `meta` in an order of keys."""
    patterns = dict.fromkeys(keys, r"(\[[^\]]*\])") | {
        "num_specs": "([^,]*)", "num_specs_by_stack": r"(\{[^}]*\})"}
    members = [f'"{key}": {patterns[key]}' for key in keys]
    return re.compile(rf"\{{{', '.join(members)}\}}")


def _split_meta(meta: bytes, orders: Iterable[tuple[str, ...]]) -> dict[str, str]:
    """Return the values of `meta` as they are written; none where it has another form."""
    text = meta.decode("latin-1")
    for keys in orders:
        if match := _meta_pattern(keys).fullmatch(text):
            return dict(zip(keys, match.groups(), strict=True))
    return {}


def _read_meta(
    meta: bytes, expected: bytes, values: dict[str, Any], form: PageFormat
) -> dict[str, Any] | None:
    """Read a `meta` that is valid, and canonical where it must be; None if it may not be.

    Only what differs is read: ``expected`` has the ``values``.
    """
    layout = BY_FORMAT[form]
    texts, known = (_split_meta(each, layout.meta_orders) for each in (meta, expected))
    found = {}
    for key, text in texts.items():
        if text == known.get(key):
            found[key] = values[key]
            continue
        try:
            value = found[key] = strict_json.loads(text)
        except ValueError:
            return None
        if not (strict_json.is_plain(text)
                and _is_valid(layout.schema, f"meta/properties/{key}", value)
                and (key != "num_specs_by_stack" or all(map(is_safe_key, value)))
                and (not layout.is_canonical or (
                    strict_json.dumps(value, sort_keys=True) == text
                    and (key not in FIELDS or _is_sorted(value))))):
            return None
    return found or None


def _has_other_order(meta: bytes, summary: _Summary) -> bool:
    """Return whether `meta` is as expected but for the order of the counts, which are its end."""
    before, brace, rest = summary.meta.rpartition(b"{")
    counts, end = rest[:-2], rest[-2:]
    members = counts.split(b", ")
    # a name with a comma or a brace would be cut into pieces
    return (len(members) == len(summary.stacks) and b"{" not in before[1:] and b"}" not in counts
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
        self._needs_order = unstable_order.code in extra_rules
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
                or 0 < context.max_size < len(raw)):
            return None
        head, _, line = raw.partition(_SPECS)
        layout = self._choose(line)
        specs = layout.read(line, page_id) if layout.is_usable else None
        if specs is None or not _suits_tag(specs, context):
            return None
        hashes, meta, summary = b"".join(specs.hashes), head[len(start) :], specs.summary
        needs_order = self._needs_order and layout.format is PageFormat.TARBALL
        if (meta == summary.meta and (specs.is_sorted or not needs_order)) or (
                layout is self._unsorted and not needs_order and _has_other_order(meta, summary)):
            return PageResult([], None, len(specs.hashes), hashes)
        expected = strict_json.loads_own(summary.meta.decode())
        value = _read_meta(meta, summary.meta, expected, layout.format)
        if value is None:
            return None
        rules = [rule for key, rule in RULE_OF_KEY.items() if value[key] != expected[key]]
        rules += [unstable_order] if needs_order else []
        if not rules:
            return PageResult([], None, len(specs.hashes), hashes)
        page = _ReadPage(raw, page_id, layout.format, value, expected)
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
    listed, summary = context.tag_stacks, specs.summary
    return listed is None or (listed.issuperset(summary.stacks) and (
        context.options.root_stack not in listed or summary.in_root == len(specs.hashes)))


class _ReadPage(Page):
    """A page that is accepted except for `meta`: what `parse_page` returns, at less cost.

    Its data is read when something needs it, which is rare.
    """

    def __init__(
        self, raw: bytes, page_id: PageId, form: PageFormat, meta: dict[str, Any],
        expected_meta: Meta,
    ) -> None:
        """Begin with the lines of the page, and with its `meta`."""
        super().__init__(raw.decode("ascii"))
        del self.data
        self.title, self.categories = page_id.package, ["package", page_id.tag]
        self.parsed, self.format = True, form
        self.meta, self.expected_meta = meta, expected_meta
        starts = self._starts()
        self.opening_end, self.closing_start = starts[1], starts[-1]
        self.entries = [
            TopLevelEntry(key, start, start + len(key) + len(": "), end - 1)
            for key, start, end in zip(KEYS, starts[1:], starts[2:], strict=False)]
        at = starts[3] + len("categories: [")
        for index, word in enumerate(("package", str(page_id.tag))):
            self.nodes[f"/categories/{index}"] = NodeSpan(at, at + len(word), close=at + len(word))
            at += len(word) + len(", ")

    def __getattr__(self, name: str) -> Any:
        if name != "data":
            raise AttributeError(name)
        entry = self.entries[-1]
        specs = strict_json.loads(self.text[entry.value_start : entry.end])
        self.data = dict(zip(KEYS, (self.title, "cache", self.categories, self.meta, specs),
                             strict=True))
        return self.data


@lru_cache(maxsize=1)
def fast_path_for(settings: Settings) -> FastPath:
    """Return the fast path of this process for ``settings``."""
    context = context_of(settings, NO_PAGE)
    return FastPath(context.options, context.extra_rules)
