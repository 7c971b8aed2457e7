"""A page taken apart: what it contains, and where each value is."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from functools import cached_property
from typing import Any

from cachelint.document import strict_json, yaml
from cachelint.model import Meta, NamedTuple, PageFormat, Problem, SchemaError, Span
from cachelint.text import clip, ordinal


class ParseError(NamedTuple):
    """What is wrong with a file as such (CL1xx)."""

    code: str
    problem: Problem


class TopLevelEntry(NamedTuple):
    """One top-level key of the front matter, with its value."""

    key: str
    start: int
    """Offset of the key."""
    value_start: int
    """Offset of a JSON value; -1 where the YAML parser read the value."""
    end: int
    """Offset of the end of the last line that belongs to the value."""


class Page:
    """One file with front matter, taken apart. Line ends are LF and a BOM is gone."""

    def __init__(self, text: str) -> None:
        """Begin with ``text``; `parse_page` fills in the rest."""
        self.text = text
        self.errors: list[ParseError] = []
        self.data: Any = None
        """The front matter's value: a mapping, unless the page is invalid."""
        self.parsed = False
        self.format = PageFormat.CURRENT
        self.opening_end = 0
        """Offset behind the first line."""
        self.closing_start = 0
        """Offset of the line that closes the front matter."""
        self.entries: list[TopLevelEntry] = []
        self.comments: list[int] = []
        """Offsets at which comments begin."""
        self.schema_errors: list[SchemaError] = []
        """Where ``data`` violates its schema; the linter fills this in, and ``expected_meta``."""
        self.expected_meta: Meta = {}
        """What `meta` should be: those of its keys that follow from valid values of the specs."""
        self.nodes: dict[str, yaml.NodeSpan] = {}
        """Locations of values that are not JSON, by pointer."""
        self.dependent: list[yaml.ReaderDependent] = []
        """Scalars without quotes that readers of YAML do not all take for the same."""
        self.refused: list[int] = []
        """Offsets, outside scalars, of tabs and of comments without a space before them."""
        self._locators: dict[str, strict_json.Locator] = {}
        self.line_starts = array("q")
        """Offsets of the beginnings of lines, once they are known."""

    def take(self, document: yaml.Document) -> None:
        """Fill in what the YAML parser read from the whole text."""
        self.data, self.nodes, self.comments = document.value, document.nodes, document.comments
        self.dependent, self.refused = document.dependent, document.refused

    @property
    def body(self) -> str:
        """What follows the three characters that close the front matter."""
        return self.text[self.closing_start + 3 :]

    @cached_property
    def title(self) -> Any:
        """The value of ``title``; None where there is none."""
        return self._top_level("title")

    @cached_property
    def categories(self) -> Any:
        """The value of ``categories``; None where there is none."""
        return self._top_level("categories")

    @cached_property
    def meta(self) -> Any:
        """The value of ``meta``; None where there is none."""
        return self._top_level("meta")

    def _top_level(self, key: str) -> Any:
        return self.data.get(key) if isinstance(self.data, dict) else None

    @cached_property
    def specs(self) -> list[Any]:
        """The items of ``spec_details``; none where it is not a list."""
        value = self.data.get("spec_details") if isinstance(self.data, dict) else None
        return value if isinstance(value, list) else []

    def name_spec(self, index: int) -> str:
        """Return what a person calls a spec: ``zlib@1.3.1/2c44nm4``, or ``the 3rd spec``."""
        spec = self.specs[index]
        dag_hash = spec.get("hash") if isinstance(spec, dict) else None
        if isinstance(dag_hash, str) and re.fullmatch("[a-z2-7]{32}", dag_hash):
            return f"{self.name_version(index)}/{dag_hash[:7]}"
        return f"the {ordinal(index + 1)} spec"

    def name_version(self, index: int) -> str:
        """Return package and version of a spec, as far as they are valid: ``zlib@1.3.1``."""
        title, versions = self.data.get("title"), self.specs[index].get("versions")
        name = title if isinstance(title, str) else ""
        if isinstance(versions, list) and len(versions) == 1 and isinstance(versions[0], str):
            name += f"@{versions[0]}"
        return clip(name, 60)

    @cached_property
    def hashes(self) -> list[str]:
        """The hashes of the specs that have one, valid or not."""
        values = [spec.get("hash") for spec in self.specs if isinstance(spec, dict)]
        return [value for value in values if isinstance(value, str)]

    @cached_property
    def hash_counts(self) -> Counter[str]:
        """How many specs have each hash."""
        return Counter(self.hashes)

    def value(self, pointer: str) -> Any:
        """Return the value at ``pointer``, which must exist."""
        value = self.data
        for token in pointer.split("/")[1:]:
            token = strict_json.unescape_token(token)
            value = value[int(token)] if isinstance(value, list) else value[token]
        return value

    def locate(self, pointer: str) -> yaml.NodeSpan | None:
        """Find where the value at ``pointer`` is; None where it has no position of its own."""
        if not pointer:
            return None
        return self.nodes.get(pointer) or self._locate_json(pointer)

    def _locate_json(self, pointer: str) -> yaml.NodeSpan | None:
        """Find where a value that was read as JSON is."""
        top, *tokens = pointer[1:].split("/")
        if "~" in pointer:
            top, *tokens = map(strict_json.unescape_token, [top, *tokens])
        entry = self._entries_by_key.get(top)
        if entry is None or entry.value_start < 0:
            return None
        if not tokens:
            return self._node(entry.value_start, entry.end, entry.start,
                              entry.start + len(entry.key))
        if top not in self._locators:
            self._locators[top] = strict_json.Locator(self.text, entry.value_start)
        found = self._locators[top].find(tokens)
        if found is None:
            return None
        return self._node(found.start, found.end, found.key_start, found.key_end)

    @cached_property
    def _entries_by_key(self) -> dict[str, TopLevelEntry]:
        """The entries, once all are known; the last, where a key is duplicated."""
        return {entry.key: entry for entry in self.entries}

    def _node(self, start: int, end: int, key_start: int, key_end: int) -> yaml.NodeSpan:
        """Make the position of a JSON value."""
        container = self.text[start] in "[{"
        return yaml.NodeSpan(start, start + 1 if container else end, key_start, key_end,
                             container, end)

    def entry_at(self, offset: int) -> TopLevelEntry | None:
        """Return the top-level entry in which ``offset`` lies, if it lies in one."""
        return next((each for each in self.entries if each.start <= offset < each.end), None)

    def is_in_block(self, pointer: str) -> bool:
        """Return whether a list or mapping with items is at ``pointer``, and not in brackets."""
        node = self.locate(pointer)
        return (node is not None and node.container and self.text[node.start] not in "[{"
                and bool(self.value(pointer)))

    def margin(self, pointer: str) -> str | None:
        """Return what is before the first item of the list or mapping at ``pointer`` in its line.

        That is whitespace, and in a list a dash; None where it is not in block form, or its first
        item does not begin a line, as after `? ` or in a list of lists.
        """
        if not self.is_in_block(pointer):
            return None
        value = self.value(pointer)
        is_mapping = isinstance(value, dict)
        first = self.locate(f"{pointer}/{strict_json.escape_token(next(iter(value)))}"
                            if is_mapping else f"{pointer}/0")
        if first is None:
            return None
        start = first.key_start if is_mapping else first.start
        margin = self.text[self.text.rfind("\n", 0, start) + 1 : start]
        return margin if margin.strip() == ("" if is_mapping else "-") else None

    def raw(self, pointer: str) -> str:
        """Return the value at ``pointer`` as it is written."""
        node = self.locate(pointer)
        return "" if node is None else self.text[node.start : node.close]

    def raw_key(self, pointer: str) -> str:
        """Return the key of the value at ``pointer`` as it is written; empty where it has none."""
        node = self.locate(pointer)
        return "" if node is None else self.text[max(node.key_start, 0) : max(node.key_end, 0)]

    def span(self, start: int, end: int) -> Span:
        """Turn offsets into lines and columns."""
        starts = self._starts()
        first, last = bisect_right(starts, start) - 1, bisect_right(starts, end) - 1
        return Span(first + 1, start - starts[first] + 1, last + 1, end - starts[last] + 1)

    def _starts(self) -> array[int]:
        if not self.line_starts:
            self.line_starts.append(0)
            at = self.text.find("\n")
            while at >= 0:
                self.line_starts.append(at + 1)
                at = self.text.find("\n", at + 1)
        return self.line_starts

    def span_of(self, pointer: str, *, key: bool = False) -> Span:
        """Turn a pointer into the lines and columns that a finding covers.

        A scalar, or the key of a container, or the opening bracket of a container in a list; with
        ``key``, always the key. The file itself is its first line.
        """
        node = self.locate(pointer)
        if node is None:
            end = self.text.find("\n")
            return self.span(0, len(self.text) if end < 0 else end)
        if node.key_start >= 0 and (key or node.container):
            return self.span(node.key_start, node.key_end)
        return self.span(node.start, node.end)

    def line(self, number: int) -> tuple[int, int]:
        """Return where the line of that number, from 1, begins and ends, without its end mark."""
        starts = self._starts()
        end = starts[number] - 1 if number < len(starts) else len(self.text)
        return starts[number - 1], end

    def list_comments(self) -> list[str]:
        """Return the comments as they are written."""
        ends = (self.text.find("\n", start) for start in self.comments)
        return [self.text[start : end if end >= 0 else None]
                for start, end in zip(self.comments, ends, strict=True)]

    def source(self, entry: TopLevelEntry) -> str:
        """Return an entry as it is written, without comments and the whitespace before them."""
        pieces, at = [], entry.start
        first = bisect_left(self.comments, entry.start)
        for comment in self.comments[first : bisect_left(self.comments, entry.end)]:
            pieces.append(self.text[at:comment].rstrip(" \t"))
            at = self.text.find("\n", comment, entry.end)
            at = entry.end if at < 0 else at
        return "".join([*pieces, self.text[at : entry.end]])
