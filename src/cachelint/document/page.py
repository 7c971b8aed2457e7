"""A page's bytes and what they say: read, render, and find the place of each value.

Every page is YAML. Nearly all of it is JSON on lines of its own, though, and JSON is read two
hundred times faster: so each line `key: <JSON>` is read as JSON, and the YAML parser is asked only
for what is left. The answer is the YAML parser's answer for the whole, which tests hold it to.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections import Counter
from functools import cached_property
from typing import Any, NamedTuple

from cachelint.document import strict_json, yaml
from cachelint.files.discovery import too_large
from cachelint.model import PageFormat, Problem, SchemaError, Span

KEYS = ("title", "layout", "categories", "meta", "spec_details")
"""The top-level keys of a page, in the generator's order."""

MAX_YAML_SIZE = 2 * 1024 * 1024
"""Bytes of a page for which the YAML parser is asked at all (CL110)."""


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
        """The front matter's value: a mapping, unless the page is unsound."""
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
        self.expected_meta: dict[str, Any] = {}
        """What `meta` should be: those of its keys that follow from valid values of the specs."""
        self.nodes: dict[str, yaml.NodeSpan] = {}
        """Places of values that are not JSON, by pointer."""
        self._locators: dict[str, strict_json.Locator] = {}
        self.line_starts: list[int] = []
        """Offsets of the beginnings of lines, once they are known."""

    def take(self, document: yaml.Document) -> None:
        """Fill in what the YAML parser read from the whole text."""
        self.data, self.nodes, self.comments = document.value, document.nodes, document.comments

    def complete(self) -> None:
        """Ask the YAML parser for the places that a quicker reader of the whole text left out."""
        self.take(yaml.load(self.text))

    @property
    def body(self) -> str:
        """What follows the three characters that close the front matter."""
        return self.text[self.closing_start + 3 :]

    @cached_property
    def specs(self) -> list[Any]:
        """The items of ``spec_details``; none where it is not a list."""
        value = self.data.get("spec_details") if isinstance(self.data, dict) else None
        return value if isinstance(value, list) else []

    @cached_property
    def hash_counts(self) -> Counter[str]:
        """How many specs have each hash."""
        hashes = (spec.get("hash") for spec in self.specs if isinstance(spec, dict))
        return Counter(value for value in hashes if isinstance(value, str))

    def value(self, pointer: str) -> Any:
        """Return the value at ``pointer``, which must exist."""
        value = self.data
        for token in pointer.split("/")[1:]:
            token = strict_json.unescape_token(token)
            value = value[int(token)] if isinstance(value, list) else value[token]
        return value

    def locate(self, pointer: str) -> yaml.NodeSpan | None:
        """Find where the value at ``pointer`` stands; None where it has no place of its own."""
        if not pointer:
            return None
        if pointer in self.nodes:
            return self.nodes[pointer]
        top, *tokens = pointer[1:].split("/")
        if "~" in pointer:
            top, *tokens = map(strict_json.unescape_token, [top, *tokens])
        entry = None
        for each in self.entries:
            if each.key == top:
                entry = each  # the last, where a key stands twice
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

    def _node(self, start: int, end: int, key_start: int, key_end: int) -> yaml.NodeSpan:
        """Make the place of a JSON value."""
        container = self.text[start] in "[{"
        return yaml.NodeSpan(start, start + 1 if container else end, key_start, key_end,
                             container, end)

    def is_plain(self, pointer: str) -> bool:
        """Say whether the scalar at ``pointer`` stands there without quotes."""
        node = self.locate(pointer)
        return node is not None and self.text[node.start] not in "\"'"

    def raw(self, pointer: str) -> str:
        """Return the value at ``pointer`` as it is written."""
        node = self.locate(pointer)
        return "" if node is None else self.text[node.start : node.close]

    def span(self, start: int, end: int) -> Span:
        """Turn offsets into lines and columns."""
        starts = self._starts()
        first, last = bisect_right(starts, start) - 1, bisect_right(starts, end) - 1
        return Span(first + 1, start - starts[first] + 1, last + 1, end - starts[last] + 1)

    def _starts(self) -> list[int]:
        if not self.line_starts:
            self.line_starts = [0]
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

    def source(self, entry: TopLevelEntry) -> str:
        """Return an entry as it is written, without comments and the blanks before them."""
        text, at = "", entry.start
        for comment in self.comments:
            if entry.start <= comment < entry.end:
                text += self.text[at:comment].rstrip(" \t")
                at = self.text.find("\n", comment, entry.end)
                at = entry.end if at < 0 else at
        return text + self.text[at : entry.end]


# blanks are those of Jekyll's pattern, which knows ASCII alone
_OPENING = re.compile(r"---[ \t\f\v]*(?:\n|\Z)")
# both begin with the end of the line before, for which a line of megabytes is searched fastest
_CLOSING = re.compile(r"\n(?:---|\.\.\.)[ \t\f\v]*(?=\n|\Z)")
_CONFLICT = re.compile(r"\n(?:<{7}|\|{7}|={7}|>{7})(?: .*)?(?=\n|\Z)")
_ENTRY = re.compile(r"([A-Za-z_][A-Za-z0-9_]*): ")
_WORD = r"(?!(?i:y|n|yes|no|on|off|true|false|null)(?![A-Za-z0-9._-]))[A-Za-z][A-Za-z0-9._-]*"
_PLAIN = re.compile(rf"{_WORD}|/[A-Za-z0-9._/-]*")
_PLAIN_LIST = re.compile(rf"\[{_WORD}(?:, {_WORD})*\]")

_BOM = b"\xef\xbb\xbf"


def parse_page(
    raw: bytes, *, max_size: int = 0
) -> Page:
    """Take a page apart.

    Never raises: what is wrong with the file is in ``faults`` of the page, which is ``parsed``
    where the rest of it can be checked. ``max_size`` is in bytes, 0 for no limit.
    """
    if max_size and len(raw) > max_size:
        page = Page("")
        _fault(page, "CL110", too_large(len(raw), max_size))
        return page
    has_bom = raw.startswith(_BOM)
    try:
        text = (raw[3:] if has_bom else raw).decode("utf-8")
    except UnicodeDecodeError as error:
        return _not_utf8(raw, error.start + (3 if has_bom else 0))
    page = Page(text)
    if has_bom:
        _fault(page, "CL102", "a byte-order mark stands before the front matter: Jekyll does not "
               "see that this is a page, and leaves it out")
    if "\r" in text:
        carriage = text.index("\r")
        kind = "CRLF" if text.startswith("\r\n", carriage) else "CR"
        page.text = text = text.replace("\r\n", "\n").replace("\r", "\n")
        line = page.span(carriage, carriage)
        _fault(page, "CL103", f"lines end in {kind}, not in LF",
               line._replace(end_column=line.column + 1))
    _front_matter(page)
    return page


def _fault(
    page: Page, code: str, message: str, span: Span | None = None, pointer: str = ""
) -> None:
    page.errors.append(ParseError(code, Problem(pointer, message, span)))


def _not_utf8(raw: bytes, offset: int) -> Page:
    line_start = raw.rfind(b"\n", 0, offset) + 1
    line_end = raw.find(b"\n", offset)
    line = raw[line_start : len(raw) if line_end < 0 else line_end].decode("utf-8", "replace")
    number = raw.count(b"\n", 0, offset) + 1
    page = Page("\n" * (number - 1) + line)
    _fault(page, "CL101", f"not UTF-8: byte 0x{raw[offset]:02x} at offset {offset:,}",
           Span(number, 1, number, len(line) + 1))
    return page


def _front_matter(page: Page) -> None:
    text = page.text
    opening = _OPENING.match(text)
    if opening is None:
        first = text.split("\n", 1)[0]
        if not text.strip():
            why = "the file is empty" if not text else "the file is blank"
        elif _CONFLICT.match(f"\n{first}"):
            why = "a merge conflict is left here"
        else:
            why = "the first line is not `---`"
        _fault(page, "CL104", f"{why}, so that there is no front matter")
        return
    closing = _CLOSING.search(text, opening.end() - 1)
    if closing is None:
        _fault(page, "CL105", "no line `---` closes the front matter (is the file cut off?)")
        return
    page.opening_end, page.closing_start = opening.end(), closing.start() + 1
    conflict = _CONFLICT.search(text, opening.end() - 1, page.closing_start)
    if conflict is not None:
        _fault(page, "CL106", "a merge conflict is left in the front matter",
               page.span(conflict.start() + 1, conflict.end()))
    else:
        _read_entries(page)
    if not page.parsed:
        return
    if page.body.strip():
        start = page.closing_start + 3 + len(page.body) - len(page.body.lstrip())
        _fault(page, "CL108", "text follows the front matter; the site does not show it",
               page.span(start, len(text.rstrip())))
    elif page.body and isinstance(page.data, dict) and "spec_details" in page.data:
        what = "a newline follows" if page.body == "\n" else "blanks follow"
        _fault(page, "CL505", f"{what} the closing `---`, where the generator writes nothing",
               page.span(page.closing_start + 3, len(text)))


def _read_entries(page: Page) -> None:
    """Read the lines between the markers."""
    text, at = page.text, page.opening_end
    repeated: list[tuple[str, Span]] = []
    data: dict[str, Any] = {}
    islands: list[TopLevelEntry] = []
    values: list[Any] = []
    simple = True
    while at < page.closing_start:
        end = text.index("\n", at)
        key = _ENTRY.match(text, at, end)
        if key is None:
            simple = False
            at = end + 1
            continue
        start = key.end()
        entry = TopLevelEntry(key[1], at, start, end)
        value: Any
        try:
            if start < end and text[start] in '{["':
                value = _json(page, entry)
            elif _PLAIN.fullmatch(text, start, end):
                value = text[start:end]
            else:
                value = _NOT_JSON
        except strict_json.TooDeepError:
            _fault(page, "CL110", _too_deep(key[1]), page.span(at, start - 2))
            return
        except strict_json.DuplicateKeyError:
            try:
                repeated += [
                    (pointer, page.span(member.key_start, member.key_end))
                    for pointer, member in strict_json.repeated_keys(text, start, f"/{key[1]}")
                ]
            except strict_json.TooDeepError:
                _fault(page, "CL110", _too_deep(key[1]), page.span(at, start - 2))
                return
            value = None
        if value is _NOT_JSON:
            simple = False
        else:
            islands.append(entry)
            values.append(value)
        at = end + 1
    if simple:
        for entry, value in zip(islands, values, strict=True):
            if entry.key in data:
                repeated.append((f"/{entry.key}", page.span(entry.start, entry.value_start - 2)))
            data[entry.key] = value
        page.data, page.entries = (data or None), islands
    elif not _read_yaml(page, islands, values, repeated):
        return
    for pointer, span in sorted(repeated, key=lambda item: item[1]):
        key_name = strict_json.unescape_token(pointer.rsplit("/", 1)[1])
        _fault(page, "CL107", f"the key {strict_json.dumps(key_name)} stands twice in one mapping; "
               "readers silently keep one of the two", span, pointer)
    page.parsed = not repeated
    page.format = _format(page.data)


_NOT_JSON = object()


def _json(page: Page, entry: TopLevelEntry) -> Any:
    """Read a line's value as JSON, or as a list of plain words."""
    text = page.text
    try:
        return strict_json.loads(text[entry.value_start : entry.end])
    except (strict_json.TooDeepError, strict_json.DuplicateKeyError):
        raise
    except ValueError:
        if _PLAIN_LIST.fullmatch(text, entry.value_start, entry.end):
            words = text[entry.value_start + 1 : entry.end - 1].split(", ")
            at = entry.value_start + 1
            for index, word in enumerate(words):
                end = at + len(word)
                page.nodes[f"/{entry.key}/{index}"] = yaml.NodeSpan(at, end, close=end)
                at = end + 2
            return words
        return _NOT_JSON


def _too_deep(key: str) -> str:
    return f"{key} is nested over {strict_json.MAX_DEPTH} deep: not parsed"


def _format(data: Any) -> PageFormat:
    if not isinstance(data, dict):
        return PageFormat.CURRENT
    if "spec_files" in data and "spec_details" not in data:
        return PageFormat.LEGACY
    specs = data.get("spec_details")
    if isinstance(specs, list):
        with_tarball = sum(isinstance(spec, dict) and "tarball" in spec for spec in specs)
        if with_tarball * 2 > len(specs):
            return PageFormat.TARBALL
    return PageFormat.CURRENT


def _read_yaml(
    page: Page, islands: list[TopLevelEntry], values: list[Any], repeated: list[tuple[str, Span]]
) -> bool:
    """Read the front matter by the YAML parser, all but the islands of JSON in it.

    An island is an entry whose value is JSON or a plain word: the parser gets a `0` in its place,
    and must find just that there. Where it does not, as in a text of several lines, it gets the
    whole. Returns whether the page could be read.
    """
    size = len(page.text.encode("utf-8", "surrogatepass"))
    if size > MAX_YAML_SIZE:
        _fault(page, "CL110", f"the file has {size:,} bytes and is not in the generator's form: "
               f"above {MAX_YAML_SIZE:,} bytes the YAML parser is not asked")
        return False
    start, end = page.opening_end, page.closing_start
    pieces: list[str] = []
    cuts: list[tuple[int, int]] = []  # (offset in the parser's text, offset in the page)
    length, at = 0, start
    for entry in islands:
        piece = page.text[at : entry.value_start] + "0"
        pieces.append(piece)
        length += len(piece)
        at = entry.end
        cuts.append((length, at))
    pieces.append(page.text[at:end])

    def place(offset: int) -> int:
        """Turn an offset in the parser's text into one in the page."""
        index = bisect_right(cuts, (offset, len(page.text)))
        ours, theirs = cuts[index - 1] if index else (0, start)
        return theirs + offset - ours

    try:
        document = yaml.load("".join(pieces))
    except yaml.YamlError as error:
        at = min(place(error.at), max(start, end - 1))
        _fault(page, "CL106", f"the front matter is not YAML: {error}", page.span(at, at + 1))
        return False
    except yaml.LimitError as error:
        at = place(error.at)
        _fault(page, "CL110", f"{error}: not parsed", page.span(at, at + 1))
        return False
    nodes = {
        pointer: node._replace(
            start=place(node.start), end=place(node.end),
            key_start=place(node.key_start) if node.key_start >= 0 else -1,
            key_end=place(node.key_end) if node.key_end >= 0 else -1,
            close=place(node.close),
        )
        for pointer, node in document.nodes.items()
    }
    starts = {entry.start: number for number, entry in enumerate(islands)}
    found: set[int] = set()
    tops: list[tuple[str, int, int]] = []  # key, start, end of every top-level entry
    if isinstance(document.value, dict):
        tops = [(key, nodes[f"/{strict_json.escape_token(key)}"].key_start,
                 nodes[f"/{strict_json.escape_token(key)}"].close) for key in document.value]
        tops += [(pointer[1:], place(node.key_start), place(node.key_end))
                 for pointer, node in document.repeated if "/" not in pointer[1:]]
    for key, key_start, close in tops:
        number = starts.get(key_start)
        if number is not None and islands[number].key == key and close == islands[number].end:
            found.add(number)
    if len(found) < len(islands) and not document.repeated:
        page.nodes.clear()
        repeated.clear()
        return _read_yaml(page, [], [], repeated)
    page.data = document.value
    for entry, value in zip(islands, values, strict=True):
        page.data[entry.key] = value
        nodes.pop(f"/{entry.key}", None)
    by_start = {entry.start: entry for entry in islands}
    for key, key_start, close in sorted(tops, key=lambda top: top[1]):
        # a scalar in a block may end with the front matter
        line_end = page.text.index("\n", min(close, end - 1))
        # a question mark may stand before the key, on its line or alone on one before
        line_start = page.text.rfind("\n", 0, key_start) + 1
        above = page.text[:line_start].rstrip()
        if above.endswith("\n?"):
            line_start = len(above) - 1
        page.entries.append(by_start.get(key_start) or TopLevelEntry(key, line_start, -1, line_end))
    page.nodes |= nodes
    page.comments = [place(comment) for comment in document.comments]
    repeated += [
        (pointer, page.span(place(node.key_start), place(node.key_end)))
        for pointer, node in document.repeated
    ]
    return True


def render_entry(key: str, value: Any) -> str:
    """Write one top-level entry as the generator does, its mappings in the order they have."""
    if key == "title":
        # the generator's template puts the text between quotes as it is
        return f"title: {json.dumps(value, ensure_ascii=False)}"
    if key == "layout":
        return f"layout: {value}"
    if key == "categories":
        return f"categories: [{', '.join(map(str, value))}]"
    return f"{key}: {strict_json.dumps(value)}"


def is_plain(text: str) -> bool:
    """Return whether every reader of YAML reads a word or path without quotes as that string."""
    return _PLAIN.fullmatch(text) is not None


def is_plain_word(text: str) -> bool:
    """Say whether every reader of YAML takes a text for the same, without quotes."""
    return re.fullmatch(_WORD, text) is not None


def render(title: str, tag: str, meta: dict[str, Any], specs: list[dict[str, Any]]) -> str:
    """Write a whole page as the generator does; ``specs`` are in order already."""
    return (
        f'---\ntitle: "{title}"\nlayout: cache\ncategories: [package, {tag}]\n'
        f"meta: {strict_json.dumps(meta, sort_keys=True)}\n"
        f"spec_details: {strict_json.dumps(specs, sort_keys=True)}\n---"
    )
