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
from collections import Counter
from collections.abc import Iterable
from functools import cached_property, lru_cache
from operator import lt
from typing import Any

from cachelint.document import schema, strict_json
from cachelint.document.formats import BY_FORMAT, KEYS
from cachelint.document.page import Page, TopLevelEntry
from cachelint.document.summary import FIELDS
from cachelint.document.yaml import NodeSpan, is_plain_word, is_safe_key
from cachelint.linter.page import PageResult, context_of, running_rules
from cachelint.model import NO_PAGE, NamedTuple, PageContext, PageFormat, PageId, RuleOptions
from cachelint.rules import Rule
from cachelint.rules.cl3_summary import RULES as META_RULES
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
"""What a column remembers at most; then it forgets everything."""
_FEW = 8
"""What follows from so many values of a column is remembered, too."""
_MOST_GROUPS = 4096

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
        r'("os": "[^\]]{,9999}\], "target": "[^"]*")',
    ("size",): '("size": [^,]{,99})',
    ("stacks",): r'("stacks": \[[^\]]{,9999}\])',
    ("tarball",): r'"tarball": "([^"]*-)(?P=hash)\.spack"',
    ("variants",): r'("variants": \[[^\]]{,99999}\])',
    ("versions",): r'("versions": \["[^"]*"\])',
}
"""The patterns of columns that are not just strings. A match that fails has not been tried far
beyond the next spec, whatever the page contains, so that the time is linear."""


def _compile(columns: Iterable[tuple[str, ...]]) -> re.Pattern[bytes]:
    """Compile the pattern of a spec and of the comma after it."""
    patterns = []
    for fields in columns:
        strings = ", ".join(f'"{field}": "[^"]*"' for field in fields)
        patterns.append(_PATTERNS.get(fields, f"({strings})"))
    return re.compile(rf"\{{{', '.join(patterns)}\}}, ".encode())


# ------------------------------------------------------------------------------- columns


class _Value:
    """What one distinct string of a column contains; it equals only itself, and is a fast key."""

    __slots__ = ("fields", "listed")

    def __init__(self, fields: dict[str, Any]) -> None:
        """Keep the values of one or more fields of a spec."""
        self.fields = fields
        self.listed = tuple(
            (key, fields[field][0] if field == "versions" else fields[field])
            for key, field in FIELDS.items() if field in fields and field in _LISTED)
        """The items of lists of `meta`, by the key of the list."""


_LISTED = set(FIELDS.values()) - {"stacks"}
_NO_VALUE = _Value({})


class _Column:
    """Remembers the strings of a column that are valid."""

    def __init__(
        self, fields: tuple[str, ...], form: PageFormat, rules: list[Rule], options: RuleOptions
    ) -> None:
        """Begin with no string."""
        self.fields = fields
        self.known: dict[bytes, _Value] = {}
        self._size = 0
        self._layout, self._options = BY_FORMAT[form], options
        checks = [(rule, check) for rule in rules for check in rule.values
                  if check.field in fields]
        self._checks = [check for _, check in checks]
        self.is_proved = all(rule.code in PROVES for rule, _ in checks)

    def look_up(self, text: bytes) -> _Value | None:
        """Return the value of a string; None if it is not valid, or may not be."""
        if text in self.known:
            return self.known[text]
        if self.is_proved and self.fields == ("variants",) and _are_plain_variants(text):
            value = _NO_VALUE
        else:
            fields = self._check(text)
            if fields is None:
                return None
            value = _Value(fields)
        if len(self.known) >= _MOST_STRINGS or self._size >= _MOST_BYTES:
            self.known.clear()
            self._size = 0
        self.known[text] = value
        self._size += len(text)
        return value

    def _check(self, text: bytes) -> dict[str, Any] | None:
        """Read a string that is valid by the schema and all rules; None if it is not."""
        source = text.decode("latin-1")
        if not strict_json.is_plain(source):
            return None
        try:
            fields: dict[str, Any] = strict_json.loads(f"{{{source}}}")
        except ValueError:
            return None
        stacks = fields.get("stacks", [])
        is_valid = (
            tuple(fields) == self.fields and strict_json.dumps(fields)[1:-1] == source
            and all(_is_valid(self._layout.schema, f"spec/properties/{field}", value)
                    for field, value in fields.items())
            and all(map(is_safe_key, stacks))
            and (not self._layout.is_canonical or _is_sorted(stacks))
            and not any(True for check in self._checks
                        for _ in check.problems(fields[check.field], self._options)))
        return fields if is_valid else None


def _is_valid(schema_name: str, part: str, value: Any) -> bool:
    return schema.compile_check(schema_name, f"/$defs/{part}")(value)


def _is_sorted(values: list[str]) -> bool:
    return values == sorted(values)


_STACKS, _VARIANTS = b'"stacks": ["', b'"variants": ['


def _sort_stacks(text: bytes) -> bytes:
    """Sort a list of strings. What is not such a list is not one afterwards."""
    if not (text.startswith(_STACKS) and text.endswith(b'"]')):
        return text
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


# ------------------------------------------------------------------------------- meta

_META_ORDERS = BY_FORMAT[PageFormat.TARBALL].meta_orders


def _unite(rows: Iterable[tuple[tuple[str, str], ...]]) -> dict[str, str]:
    """Return the lists of `meta` that have these items, as they are written."""
    found: dict[str, set[str]] = {}
    for row in rows:
        for key, item in row:
            found.setdefault(key, set()).add(item)
    return {key: _render(sorted(items)) for key, items in found.items()}


def _render(names: list[str]) -> str:
    """Write a list of strings without quotes and backslashes as JSON."""
    return "[" + ", ".join([f'"{name}"' for name in names]) + "]"


class _Summary(NamedTuple):
    """What follows from the specs of a page for its `meta`."""

    by_stack: dict[str, int]
    meta: bytes
    """As the generator writes it."""
    values: dict[str, str]
    """The values of `meta`, as they are written."""
    counts: list[str]
    """The members of ``num_specs_by_stack``, as they are written."""


def _summarise(stacks: tuple[_Value, ...], *listed: frozenset[_Value]) -> _Summary | None:
    """Derive what `meta` must be; None if the compilers may be spelled in two ways (CL408).

    Args:
        stacks: Of each spec, the value with its stacks.
        listed: The values of each column that `meta` has a list of.
    """
    by_stack: dict[str, int] = {}
    for value, number in Counter(stacks).items():
        for stack in value.fields["stacks"]:
            by_stack[stack] = by_stack.get(stack, 0) + number
    names = sorted(by_stack)
    counts = [f'"{name}": {by_stack[name]}' for name in names]
    values = {"num_specs": str(len(stacks)), "stacks": _render(names),
              "num_specs_by_stack": f"{{{', '.join(counts)}}}"}
    for distinct in listed:
        rows = frozenset([value.listed for value in distinct])
        values |= (_unite_few if len(rows) <= _FEW else _unite)(rows)
    compilers = values["compilers"]
    if 0 < compilers.count("@=") < compilers.count("@"):
        return None
    meta = _write_meta(_META_ORDERS[0], values)
    return _Summary(by_stack, meta, values, counts)


def _write_meta(keys: tuple[str, ...], values: dict[str, str]) -> bytes:
    return b"{%b}" % ", ".join([f'"{key}": {values[key]}' for key in keys]).encode()


_unite_few = lru_cache(maxsize=_MOST_GROUPS)(_unite)
_summarise_few = lru_cache(maxsize=_MOST_GROUPS)(_summarise)


class _Specs(NamedTuple):
    """The specs of a page, which are all valid."""

    hashes: list[bytes]
    summary: _Summary
    is_sorted: bool
    """Whether keys, stacks and specs are sorted."""


class _Layout:
    """An order of keys, with what is remembered of each column."""

    def __init__(
        self, columns: tuple[tuple[str, ...], ...], options: RuleOptions,
        extra_rules: frozenset[str],
    ) -> None:
        """Begin with nothing remembered."""
        self.format = PageFormat.TARBALL if ("tarball",) in columns else PageFormat.CURRENT
        self._fields, self._width = columns, len(columns) + 1
        rules = running_rules(self.format, extra_rules)
        self.is_usable = all(rule.code in PROVES or not (
            rule.page or any(check.field in ("hash", "tarball") for check in rule.values))
            for rule in rules)
        self._columns = [(at, _Column(fields, self.format, rules, options))
                         for at, fields in enumerate(columns, 1)
                         if fields not in (("hash",), ("tarball",))]
        self._getters = [(at, column.known.__getitem__) for at, column in self._columns]
        fields_of = [set(column.fields) for _, column in self._columns]
        self._in_meta = [index for index, fields in enumerate(fields_of) if fields & _LISTED]
        self._with_stacks = next(
            index for index, fields in enumerate(fields_of) if "stacks" in fields)
        self._sorts_stacks = self._columns[self._with_stacks][1].is_proved
        self._folders = frozenset(
            folder.encode() for folder in mirror_folders(options.mirror_urls)
            if strict_json.is_plain(folder))

    @cached_property
    def _pattern(self) -> re.Pattern[bytes]:
        return _compile(self._fields)

    def _at(self, field: str) -> int:
        return self._fields.index((field,)) + 1

    def read(self, line: bytes, page_id: PageId) -> _Specs | None:
        """Read the specs of a page from their bracket to the end; None if some may be invalid."""
        parts, width = self._pattern.split(line[:-5] + b", "), self._width
        if any(parts[::width]) or not line.endswith(b"}]\n---"):
            return None
        hashes = parts[self._at("hash") :: width]
        is_sorted = all(map(lt, hashes, hashes[1:]))
        if not is_sorted and (
                self.format is PageFormat.CURRENT or len(set(hashes)) < len(hashes)):
            return None
        if self.format is PageFormat.TARBALL:
            # stacks are remembered once, whatever their order
            at = self._at("stacks")
            by_text = {text: _sort_stacks(text) for text in set(parts[at::width])}
            is_sorted = is_sorted and self._fields is _SORTED and all(
                text == sorted_text for text, sorted_text in by_text.items())
            if self._sorts_stacks:
                parts[at::width] = [by_text[text] for text in parts[at::width]]
        try:
            values = [list(map(get, parts[at::width])) for at, get in self._getters]
        except KeyError:
            values = self._look_up(parts)
            if not values:
                return None
        if self.format is PageFormat.TARBALL and not self._are_expected(
                parts[self._at("tarball") :: width], [values[index] for index in self._in_meta],
                page_id):
            return None
        summary = (_summarise_few if len(hashes) <= _FEW else _summarise)(
            tuple(sorted(values[self._with_stacks], key=id)),
            *[frozenset(values[index]) for index in self._in_meta])
        return _Specs(hashes, summary, is_sorted) if summary else None

    def _look_up(self, parts: list[bytes]) -> list[list[_Value]]:
        """Look up the strings of each column, also new ones; empty if one may be invalid."""
        values = []
        for at, column in self._columns:
            texts = parts[at :: self._width]
            found: dict[bytes, _Value] = {}
            for text in set(texts):
                value = column.look_up(text)
                if value is None:
                    return []
                found[text] = value
            values.append([found[text] for text in texts])
        return values

    def _are_expected(
        self, urls: list[bytes], values: list[list[_Value]], page_id: PageId
    ) -> bool:
        """Return whether URLs are, up to the hash, what follows from values of their specs."""
        tag, package = str(page_id.tag).encode(), str(page_id.package).encode()
        for url, *parts in set(zip(urls, *values, strict=True)):
            fields: dict[str, Any] = {}
            for part in parts:
                fields |= part.fields
            path = _tarball_path(fields["platform"], fields["os"], fields["target"],
                                 fields["compiler"], fields["versions"][0])
            path = path.replace(b"\0", tag).replace(b"\1", package)
            if not (url.endswith(path) and url[: -len(path)] in self._folders):
                return False
        return True


@lru_cache(maxsize=_MOST_GROUPS)
def _tarball_path(platform: str, system: str, target: str, compiler: str, version: str) -> bytes:
    """Return where the tarballs of some specs are, with placeholders for tag and package."""
    return tarball_start("\0", "\1", platform, system, target, compiler, version).encode()


# ------------------------------------------------------------------------------- pages

_SPECS = b"\nspec_details: ["
_IS_PACKAGE = re.compile(r"[a-z0-9][a-z0-9-]*").fullmatch


@lru_cache(maxsize=1024)
def _categories(tag: str | None) -> str:
    """Write a page's lines of this tag up to `meta`; nothing where a rule may find something."""
    return (f"layout: cache\ncategories: [package, {tag}]\nmeta: "
            if tag is not None and is_plain_word(tag) else "")


@lru_cache(maxsize=16_384)
def _title(package: str | None) -> str:
    """Write the first lines of a page of this package, likewise."""
    return (f'---\ntitle: "{package}"\n'
            if package is not None and _IS_PACKAGE(package) else "")


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
        title, categories = _title(context.page_id.package), _categories(context.page_id.tag)
        start = (title + categories).encode()
        if (not (title and categories and raw.startswith(start))
                or context.options != self._options or context.extra_rules != self._extra_rules
                or 0 < context.max_size < len(raw)):
            return None
        head, _, line = raw.partition(_SPECS)
        layout = self._choose(line)
        specs = layout.read(line, context.page_id) if layout.is_usable else None
        if specs is None or not _suits_tag(specs, context):
            return None
        meta, summary = head[len(start) :], specs.summary
        is_canonical, value = meta == summary.meta, None
        rules: list[Rule] = []
        if not is_canonical and not (layout is self._unsorted and _is_old_meta(meta, summary)):
            value = _read_meta(meta, summary, layout.format)
            if value is None:
                return None
            rules += META_RULES
        if self._needs_order and layout.format is PageFormat.TARBALL and not (
                specs.is_sorted and is_canonical):
            rules.append(unstable_order)
        number, hashes = len(specs.hashes), b"".join(specs.hashes)
        if not rules:
            return PageResult([], None, number, hashes)
        page = _ReadPage(raw, context.page_id, layout.format, value, summary)
        problems = [(rule, problem) for rule in rules for problem in rule.problems(page, context)]
        return PageResult(problems, page, number, hashes)

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


def _is_old_meta(meta: bytes, summary: _Summary) -> bool:
    """Return whether `meta` is right in an old order of keys, with counts in any order."""
    values = {**summary.values, "num_specs_by_stack": "{\n}"}
    for keys in _META_ORDERS[1:]:
        before, after = _write_meta(keys, values).split(b"\n")
        # whole counts are compared, not pieces of them
        if meta.startswith(before) and meta.endswith(after) and sorted(
                meta[len(before) : -len(after)].decode("latin-1").split(", ")) == sorted(
                    summary.counts):
            return True
    return False


def _read_meta(meta: bytes, summary: _Summary, form: PageFormat) -> dict[str, Any] | None:
    """Read a `meta` that is valid, and canonical where it must be; None if it may not be."""
    text = meta.decode("latin-1")
    # with spaces around it, the line is not read as JSON
    if not (text.startswith("{") and text.endswith("}") and strict_json.is_plain(text)):
        return None
    try:
        value = strict_json.loads(text)
    except ValueError:
        return None
    expected, layout = strict_json.loads_own(summary.meta.decode()), BY_FORMAT[form]
    if type(value) is not dict or value.keys() != expected.keys():
        return None
    # numbers are checked even if they are equal: to Python, true and 1.0 are equal to 1
    others = {key: item for key, item in value.items()
              if item != expected[key] or key not in FIELDS}
    if not all(_is_valid(layout.schema, f"meta/properties/{key}", item)
               for key, item in others.items()) or not all(
                   map(is_safe_key, value["num_specs_by_stack"])):
        return None
    if layout.is_canonical and not (strict_json.dumps(value, sort_keys=True) == text and all(
            _is_sorted(item) for key, item in others.items() if key in FIELDS)):
        return None
    return value


class _ReadPage(Page):
    """A page that is accepted except for `meta`: what `parse_page` returns, at less cost.

    Its data is read when something needs it, which is rare.
    """

    def __init__(
        self, raw: bytes, page_id: PageId, form: PageFormat, meta: dict[str, Any] | None,
        summary: _Summary,
    ) -> None:
        """Begin with the lines of the page."""
        super().__init__(raw.decode("ascii"))
        del self.data
        self.title, self.categories = page_id.package, ["package", page_id.tag]
        if meta is not None:
            self.meta = meta
        self.parsed, self.format = True, form
        self.expected_meta = strict_json.loads_own(summary.meta.decode())
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
        meta, specs = (strict_json.loads(self.text[entry.value_start : entry.end])
                       for entry in self.entries[-2:])
        self.data = dict(zip(KEYS, (self.title, "cache", self.categories, meta, specs),
                             strict=True))
        return self.data


@lru_cache(maxsize=1)
def fast_path_for(settings: Settings) -> FastPath:
    """Return the fast path of this process for ``settings``."""
    context = context_of(settings, NO_PAGE)
    return FastPath(context.options, context.extra_rules)
