"""The catalog's own files: `_data/tags.yaml`, `_data/meta.yaml` and the pages of tags.

The two files in `_data` are written by one generator in one block layout, and are read by line
where they keep to it exactly, some thousand times faster than by the YAML parser; otherwise by the
parser. Tests compare the two.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from sys import intern
from typing import Any

from cachelint.document import yaml
from cachelint.document.page import Page, ParseError
from cachelint.document.parser import is_plain, parse_page, use_line_feeds
from cachelint.document.schema import MOST_ERRORS, validate
from cachelint.document.strict_json import escape_token
from cachelint.document.yaml import Document, NodeSpan
from cachelint.files import read_write
from cachelint.files.paths import META as META
from cachelint.files.paths import TAG_PAGES as TAG_PAGES
from cachelint.files.paths import TAGS as TAGS
from cachelint.files.paths import is_absent, join, leaves, real_path
from cachelint.files.read_write import Unreadable
from cachelint.model import NamedTuple, PageFormat, Problem

MAX_SIZE = 2 * 1024 * 1024
"""Bytes of a YAML file for which the parser is used (CL110)."""

MOST_YAML_VALUES = 60_000
"""The most keys and values of such a file (CL110): the parser needs some 30 µs for each."""

MOST_BLANKS = 500_000
"""The most spaces and tabs of such a file; the parser stops at each (CL110)."""

MOST_LINES = 150_000
"""The most lines of a YAML file (CL110); real ones have some 50,000."""


class TagFacts(NamedTuple):
    """What the catalog as a whole needs to know of one folder below ``_cache``."""

    root: str
    """The catalog's folder, as paths are shown."""
    tag: str
    is_whole: bool
    """Whether all pages of the folder were looked at."""
    pages: int
    """Pages that lie at ``_cache/<tag>/<package>/specs.md``."""
    specs: int | None
    """Specs on them; None where a page is legacy, excluded or invalid."""


class Tags(NamedTuple):
    """The contents of `_data/tags.yaml`."""

    stacks: dict[str, frozenset[str]]
    """Tag to its stacks, for each tag whose entry is valid, in the file's order."""
    entries: dict[str, int]
    """Tag to the number of its first entry."""


class Catalog(NamedTuple):
    """A catalog's own files, and the contents of its tags."""

    root: str
    facts: Mapping[str, TagFacts]
    """By tag, of each folder that was looked at whole."""
    is_whole: bool
    """Whether all folders below ``_cache`` were looked at."""
    tags: Page | None
    """``tags.yaml``, if it is valid; otherwise, or without the file, None."""
    meta: Page | None
    """``meta.yaml``, a mapping with parts that may be invalid; None where there is none."""
    tag_pages: Mapping[str, Page | None] | None
    """``pages/tags/<tag>.md`` by tag, None for one that is excluded or cannot be read; None where
    there is no such folder, or it cannot be listed."""
    mutable_tags: frozenset[str] = frozenset()
    """Tags whose pages may change."""

    def path(self, name: str) -> str:
        """Return the path of one of the catalog's files, as it is shown."""
        return join(self.root, name)


# ------------------------------------------------------------------------------- YAML by line

_REST = r"[A-Za-z0-9_.@+/=-]"
WORD = (r"(?:[A-EG-MP-SU-XZa-eg-mp-su-xz_]"
        rf"|(?!(?i:y|n|yes|no|on|off|true|false|null)(?!{_REST}))[FNOTYfnoty]){_REST}*")
"""A pattern for names in these files that are text to every loader and need no quotes."""
_QUOTED = r"'(?:[ -&(-\[\]-~]|'')*'"
# readers refuse a key of over 1,024 characters: the parser reads a file with a line as long
_KEY = rf"(?!.{{1025}})(?:{WORD}|{_QUOTED})"
_VALUE = rf"(?:0|[1-9][0-9]{{0,17}}|{WORD}|{_QUOTED})"
_TAGS_LAYOUT = rf"(?:- name: {WORD}\n  stacks:\n(?:  - {WORD}\n)+)+"
_TAGS_ENTRY = r"- name: (.*)\n  stacks:\n((?:  - .*\n)+)"
_META_BLOCK = (
    rf"{_KEY}:\n(?:  {_KEY}: (?:{_VALUE}|\{{\}})\n|  {_KEY}:\n(?:    {_KEY}: {_VALUE}\n)+)+"
)
_META_LINE = rf"(?m)^( *)({_KEY}):(?: (.+))?\n"
_COMMENT = r"(?m)^ *(#)[ -~]*\n"
"""A line that has nothing but a comment."""


def tags_by_line(text: str) -> Document | None:
    """Read ``tags.yaml`` in the generator's layout; None where it is in another."""
    if not re.fullmatch(_TAGS_LAYOUT, text):
        return None
    value: list[dict[str, Any]] = []
    nodes = {"": NodeSpan(0, 1, container=True, close=len(text) - 1)}
    for number, match in enumerate(re.finditer(_TAGS_ENTRY, text)):
        start, end = match.span(1)
        stacks = match[2][4:-1].split("\n  - ")
        value.append({"name": match[1], "stacks": stacks})
        entry, last = f"/{number}", match.end() - 1
        nodes[entry] = NodeSpan(start - 6, start - 5, -1, -1, True, last)
        nodes[f"{entry}/name"] = NodeSpan(start, end, start - 6, start - 2, close=end)
        at = match.start(2) + 4
        nodes[f"{entry}/stacks"] = NodeSpan(at - 2, at - 1, end + 3, end + 9, True, last)
        for index, stack in enumerate(stacks):
            nodes[f"{entry}/stacks/{index}"] = NodeSpan(at, at + len(stack), close=at + len(stack))
            at += len(stack) + len("\n  - ")
    return Document(value, nodes, [], [], [], [])


def meta_by_line(text: str, *, is_full: bool = False) -> Document | None:
    """Read ``meta.yaml`` in the generator's layout, with comments on lines of their own.

    None where it is in another. The positions of its many values, but for those of ``count``, are
    only given if it ``is_full``.
    """
    if not _is_all(_META_BLOCK, re.sub(_COMMENT, "", text)):
        return None
    value: dict[str, Any] = {}
    nodes = {"": NodeSpan(0, 1, container=True)}
    repeated: list[tuple[str, NodeSpan]] = []
    above: list[tuple[str, dict[str, Any]]] = [("", value)]
    """The mappings in which the next line may be."""
    end = 0
    for match in re.finditer(_META_LINE, text):
        depth = len(match[1]) // 2
        while len(above) > depth + 1:
            pointer, _ = above.pop()
            nodes[pointer] = nodes[pointer]._replace(close=end)
        parent, mapping = above[-1]
        key, place, scalar = intern(_unquote(match[2])), match.span(2), match[3]
        pointer = f"{parent}/{escape_token(key)}"
        if not mapping:
            nodes[parent] = nodes[parent]._replace(start=place[0], end=place[0] + 1)
        if key in mapping:
            repeated.append((pointer, NodeSpan(*place, *place)))
        start, end = match.span(3) if scalar else (place[1], place[1] + 1)
        if scalar and scalar != "{}":
            mapping[key] = int(scalar) if scalar.isdecimal() else _unquote(scalar)
            if is_full or key == "count":
                nodes[pointer] = NodeSpan(start, end, *place, False, end)
            continue
        mapping[key] = {}
        nodes[pointer] = NodeSpan(start, start + 1, *place, True, end)
        if not scalar:
            above.append((pointer, mapping[key]))
    for pointer, _ in above:
        nodes[pointer] = nodes[pointer]._replace(close=end)
    comments = [line.start(1) for line in re.finditer(_COMMENT, text)]
    return Document(value, nodes, repeated, comments, [], [])


def _is_all(pattern: str, text: str) -> bool:
    """Return whether a string is nothing but matches of a pattern, and at least one.

    Sought one by one, since a regular expression remembers all that it may have to take back.
    """
    match_at = re.compile(pattern).match
    end = 0
    while match := match_at(text, end):
        end = match.end()
    return 0 < end == len(text)


def _unquote(text: str) -> str:
    return text[1:-1].replace("''", "'") if text[0] == "'" else text


def read_yaml(raw: bytes, by_line: Callable[[str], Document | None]) -> Page:
    """Read a YAML file as if it were a page: its faults (CL1xx), its data, and their positions."""
    try:
        text = raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        return parse_page(raw)
    page = Page(text)
    if len(text) > MOST_LINES < text.count("\n") + text.count("\r") - text.count("\r\n"):
        page = Page("")
        page.errors.append(ParseError("CL110", Problem(
            "", f"more than {MOST_LINES:,} lines: not parsed")))
        return page
    use_line_feeds(page)
    text = page.text
    document = _read(text, by_line)
    if isinstance(document, _Fault):
        at = min(document.at, max(0, len(text) - 1))
        span = page.span(at, at + 1) if at >= 0 else None
        page.errors.append(ParseError(document.code, Problem("", document.message, span)))
        return page
    page.take(document)
    for pointer, node in document.repeated[:MOST_ERRORS]:
        page.errors.append(ParseError("CL107", Problem(
            pointer, "duplicate key: readers silently keep one of the two",
            page.span(node.key_start, node.key_end))))
    page.parsed = not document.repeated
    return page


class _Fault(NamedTuple):
    """Why the YAML parser cannot read a file."""

    code: str
    message: str
    at: int
    """Where it stopped; -1 if it did not begin."""


@lru_cache(maxsize=1)  # `tags.yaml` is read for the stacks of tags, and again to be checked
def _read(text: str, by_line: Callable[[str], Document | None]) -> Document | _Fault:
    if document := by_line(text):
        return document
    size = len(text.encode())
    if size > MAX_SIZE:
        return _Fault("CL110", f"the file has {size:,} bytes and is not in the generator's form: "
                      f"the YAML parser is not used above {MAX_SIZE:,} bytes", -1)
    if text.count(" ") + text.count("\t") > MOST_BLANKS:
        return _Fault("CL110", f"over {MOST_BLANKS:,} spaces and tabs for the YAML parser: "
                      "not parsed", -1)
    try:
        return yaml.load(text, MOST_YAML_VALUES)
    except yaml.YamlError as error:
        return _Fault("CL106", str(error), error.at)
    except yaml.LimitError as error:
        return _Fault("CL110", f"{error}: not parsed", error.at)


# ------------------------------------------------------------------------------- the files


class OwnFile(NamedTuple):
    """One kind of the catalog's own files: a new one is a row of OWN_FILES, a schema and a rule."""

    ending: str
    """How its path ends."""
    schema: str
    read: Callable[[bytes], Page]
    """Reads its bytes; what is wrong with them is in the page's errors."""


OWN_FILES = (
    OwnFile(TAGS, "tags", lambda raw: read_yaml(raw, tags_by_line)),
    OwnFile(META, "meta", lambda raw: read_yaml(raw, meta_by_line)),
    OwnFile(".md", "tag-page", parse_page),
)
"""The first row whose ending a path has is the kind of the file."""


def parse_catalog_file(path: str, raw: bytes) -> tuple[Page, str]:
    """Parse one of the catalog's own files; return it with the name of its schema."""
    # a path may be relative to the folder of the file
    kind = next(row for row in OWN_FILES if f"/{row.ending}".endswith(f"/{path}")
                or path.endswith(row.ending))
    page = kind.read(raw)
    page.format = PageFormat.LEGACY  # which has no canonical form either
    return page, kind.schema


def is_valid_file(path: str, raw: bytes) -> bool:
    """Return whether bytes are a valid file of the catalog: it can be read and fits its schema."""
    page, schema = parse_catalog_file(path, raw)
    return not page.errors and not validate(schema, page.data)


def read_tags(root: str) -> Tags | None:
    """Read ``tags.yaml``; None where there is no such file, or it cannot be read.

    The rules report what is wrong with the file.
    """
    raw = read_write.read(join(root, TAGS), 8 * MAX_SIZE, (real_path(root),))
    return None if isinstance(raw, Unreadable) else tags_of(read_yaml(raw, tags_by_line))


def tags_of(page: Page) -> Tags | None:
    """Gather the stacks of each tag in ``tags.yaml``; None where it is not a list."""
    if not page.parsed or not isinstance(page.data, list):
        return None
    stacks: dict[str, frozenset[str]] = {}
    entries: dict[str, int] = {}
    for number, entry in enumerate(page.data):
        name = entry.get("name") if isinstance(entry, dict) else None
        listed = entry.get("stacks") if isinstance(entry, dict) else None
        if type(name) is str and name not in entries:
            entries[name] = number
            if isinstance(listed, list) and all(type(stack) is str for stack in listed):
                stacks[name] = frozenset(listed)
    return Tags(stacks, entries)


def tag_pages(root: str) -> list[str] | Unreadable | None:
    """List ``pages/tags/*.md``, as paths are shown; None where there is no such folder."""
    folder = join(root, TAG_PAGES)
    if leaves(folder, (real_path(root),)):
        return read_write.LEAVES
    if is_absent(root, TAG_PAGES):
        return None
    names = read_write.names(folder)
    if isinstance(names, Unreadable):
        return names
    return [f"{folder}/{name}" for name in names if name.endswith(".md")]


def render_tag_page(tag: str) -> str:
    """Render the page of one tag as the site has it."""
    return (f"---\nlayout: table\npermalink: {render_scalar(permalink_of(tag))}\n"
            f"tag: {render_scalar(tag)}\n---")


def permalink_of(tag: str) -> str:
    """Return the address of a tag's page."""
    return f"/tag/{tag}/"


def render_scalar(value: int | str) -> str:
    """Render a number or string as YAML, with quotes where a reader needs them."""
    if isinstance(value, int) or is_plain(value):
        return str(value)
    return json.dumps(value)
