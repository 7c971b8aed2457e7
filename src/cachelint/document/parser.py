"""Take pages apart: from bytes to data, with the location of each value.

Every page is YAML. Nearly all of it is JSON on lines of its own, though, and JSON is read two
hundred times faster: so each line `key: <JSON>` is read as JSON, and the YAML parser reads only
what is left. The result is that of the YAML parser for the whole, which tests verify.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import islice
from typing import Any

from cachelint.document import strict_json, yaml
from cachelint.document.formats import format_of
from cachelint.document.page import Page, ParseError, TopLevelEntry
from cachelint.document.schema import MOST_ERRORS, show
from cachelint.files.read_write import too_large
from cachelint.model import Problem, Span

MAX_YAML_SIZE = 512 * 1024
"""The most bytes of a page for which the YAML parser is used (CL110)."""

# compiled when they are first used; whitespace is that of Jekyll's pattern, which knows only ASCII
_OPENING = r"---[ \t\f\v]*(?:\n|\Z)"
# both begin with the end of the line before, for which a line of megabytes is searched fastest
_CLOSING = r"\n(?:---|\.\.\.)[ \t\f\v]*(?=\n|\Z)"
_ENTRY = rf"({yaml.PLAIN_WORD}): "
_CONFLICT = r"\n(?:<{7}|\|{7}|={7}|>{7})(?: .*)?(?=\n|\Z)"
_PLAIN = rf"{yaml.PLAIN_WORD}|/[A-Za-z0-9._/-]*"
_PLAIN_LIST = rf"\[{yaml.PLAIN_WORD}(?:, {yaml.PLAIN_WORD}){{,999}}\]"
# brackets, and then a string: in YAML, quotes are rare there
_LIKE_JSON = r'[\[{\s]*"'

MOST_YAML_VALUES = 40_000
"""The most keys and values of a page for the YAML parser, which needs up to 40 µs each (CL110)."""

MOST_VALUES = 500_000
"""The most values of a page, or one for 17 bytes of its largest size if that is more (CL110).

Real pages have one for 17 bytes; each takes about 1 µs and 100 bytes. Quotes in values and escapes
count, too: where patterns repeat over them, each takes as much.
"""

MOST_LINES = 100_000
"""The most lines of a page (CL110); real pages in block form have one for 16 bytes."""

MOST_POINTER_CHARACTERS = 1 << 23
"""After so many characters in pointers to duplicate keys, further keys are not reported."""

_BEFORE_VALUES = (b",", b"[", b"{", b"'", b'\\"', b"\\\\", b"\\u00")
_LINE_ENDS = (b"\n", b"\r")
_BOM = b"\xef\xbb\xbf"


def parse_page(raw: bytes, *, max_size: int = 0) -> Page:
    """Take a page apart.

    Never raises: what is wrong with the file is in ``errors`` of the page, which is ``parsed``
    where the rest of it can be checked. ``max_size`` is in bytes, 0 for no limit.
    """
    if reason := over_limits(raw, max_size):
        page = Page("")
        _fault(page, "CL110", reason)
        return page
    has_bom = raw.startswith(_BOM)
    try:
        text = (raw[3:] if has_bom else raw).decode("utf-8")
    except UnicodeDecodeError as error:
        return _not_utf8(raw, error.start + (3 if has_bom else 0))
    page = Page(text)
    if has_bom:
        _fault(page, "CL102", "byte-order mark before the front matter: Jekyll does not see that "
               "this is a page, and leaves it out")
    use_line_feeds(page)
    _front_matter(page)
    return page


def over_limits(raw: bytes, max_size: int) -> str:
    """Return why a page is too large to be parsed; empty where it is not, or has no limit."""
    if 0 < max_size < len(raw):
        return too_large(len(raw), max_size)
    if not max_size or len(raw) <= MOST_LINES:
        return ""
    for what, most, marks in (("values", max(MOST_VALUES, max_size // 17), _BEFORE_VALUES),
                              ("lines", MOST_LINES, _LINE_ENDS)):
        if len(raw) > most and sum(map(raw.count, marks)) > most:
            return f"more than {most:,} {what}: not parsed"
    return ""


def use_line_feeds(page: Page) -> None:
    """Let all lines of a page end in LF, and report the first that does not."""
    if (carriage := page.text.find("\r")) >= 0:
        kind = "CRLF" if page.text.startswith("\r\n", carriage) else "CR"
        page.text = page.text.replace("\r\n", "\n").replace("\r", "\n")
        line = page.span(carriage, carriage)
        _fault(page, "CL103", f"lines end in {kind}, not in LF",
               line._replace(end_column=line.column + 1))


def is_plain(text: str) -> bool:
    """Return whether every reader of YAML reads a word or path without quotes as that string."""
    return re.fullmatch(_PLAIN, text) is not None


def _fault(
    page: Page, code: str, message: str, span: Span | None = None, pointer: str = ""
) -> None:
    page.errors.append(ParseError(code, Problem(pointer, message, span)))


def _not_utf8(raw: bytes, offset: int) -> Page:
    before = raw[:offset].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    start = before[before.rfind(b"\n") + 1 :]
    line = (start + re.split(b"[\r\n]", raw[offset:], maxsplit=1)[0]).decode("utf-8", "replace")
    number = before.count(b"\n") + 1
    page = Page("\n" * (number - 1) + line)
    column = len(start.decode("utf-8", "replace")) + 1
    page.errors.append(ParseError("CL101", Problem(
        "", f"not UTF-8: byte 0x{raw[offset]:02x} at offset {offset:,}",
        Span(number, 1, number, len(line) + 1), focus=Span(number, column, number, column + 1))))
    return page


def _front_matter(page: Page) -> None:
    text = page.text
    opening = re.match(_OPENING, text)
    if opening is None:
        first = text.split("\n", 1)[0]
        if not text.strip():
            why = "the file is empty" if not text else "the file is blank"
        elif re.match(_CONFLICT, f"\n{first}"):
            why = "a merge conflict is left here"
        else:
            why = "the first line is not `---`"
        _fault(page, "CL104", f"{why}, so that there is no front matter")
        return
    closing = re.compile(_CLOSING).search(text, opening.end() - 1)
    if closing is None:
        _fault(page, "CL105", "no line `---` closes the front matter (is the file cut off?)")
        return
    page.opening_end, page.closing_start = opening.end(), closing.start() + 1
    conflict = re.compile(_CONFLICT).search(text, opening.end() - 1, page.closing_start)
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
        what = "a newline follows" if page.body == "\n" else "whitespace follows"
        _fault(page, "CL505", f"{what} the closing `---`: expected nothing",
               page.span(page.closing_start + 3, len(text)))


class _Lines:
    """The top-level entries that are JSON or plain words on lines of their own, in order."""

    def __init__(self) -> None:
        """Begin with none."""
        self.entries: list[TopLevelEntry] = []
        self.values: list[Any] = []
        self.repeated: list[tuple[str, Span]] = []
        """Keys that their mapping has already."""
        self.not_json: list[TopLevelEntry] = []
        """Entries whose value begins like JSON and is none."""
        self.are_all = True
        """Whether the front matter has no other lines."""

    def forget(self) -> None:
        """Leave all lines to the YAML parser."""
        self.entries, self.values, self.repeated = [], [], []


def _read_entries(page: Page) -> None:
    """Read the lines between the markers."""
    lines = _read_lines(page)
    if lines is None:
        return
    if lines.are_all:
        data: dict[str, Any] = {}
        for entry, value in zip(lines.entries, lines.values, strict=True):
            if entry.key in data:
                lines.repeated.append(
                    (f"/{entry.key}", page.span(entry.start, entry.value_start - 2)))
            data[entry.key] = value
        page.data, page.entries = data, lines.entries
    elif not _read_yaml(page, lines):
        return
    for pointer, span in sorted(lines.repeated, key=lambda item: item[1])[:MOST_ERRORS]:
        key = strict_json.unescape_token(pointer.rsplit("/", 1)[1])
        _fault(page, "CL107", f"duplicate key {show(key)}: readers silently keep one of the two",
               span, pointer)
    page.parsed = not lines.repeated
    page.format = format_of(page.data)


def _read_lines(page: Page) -> _Lines | None:
    """Read those lines that are JSON or plain words; None where one is nested too deep."""
    lines = _Lines()
    text, at = page.text, page.opening_end
    while at < page.closing_start:
        end = text.index("\n", at)
        key = re.compile(_ENTRY).match(text, at, end)
        value: Any = _NOT_JSON
        if key is not None:
            entry = TopLevelEntry(key[1], at, key.end(), end)
            try:
                value = _read_value(page, entry, lines)
            except strict_json.TooDeepError:
                _fault(page, "CL110", f"{key[1]} is nested over {strict_json.MAX_DEPTH} deep: "
                       "not parsed", page.span(at, key.end() - 2))
                return None
        if key is None or value is _NOT_JSON:
            lines.are_all = False
        else:
            lines.entries.append(entry)
            lines.values.append(value)
        at = end + 1
    return lines


_NOT_JSON = object()


def _read_value(page: Page, entry: TopLevelEntry, lines: _Lines) -> Any:
    """Read a line's value as JSON, a plain word or a list of plain words; else `_NOT_JSON`.

    Raises TooDeepError.
    """
    text, start, end = page.text, entry.value_start, entry.end
    if start == end or text[start] not in '{["':
        return text[start:end] if re.fullmatch(_PLAIN, text[start:end]) else _NOT_JSON
    try:
        value = strict_json.loads(text[start:end])
        # in JSON, a tab is never part of a string
        if (tab := text.find("\t", start, end)) >= 0:
            page.refused.append(tab)
        return value
    except strict_json.TooDeepError:
        raise
    except strict_json.DuplicateKeyError:
        length = 0
        repeated = strict_json.repeated_keys(text, start, [entry.key])
        for pointer, at, key_end in islice(repeated, MOST_ERRORS):
            lines.repeated.append((pointer, page.span(at, key_end)))
            length += len(pointer)
            if length > MOST_POINTER_CHARACTERS:
                break  # below a key of megabytes, pointers would take gigabytes
        return None
    except ValueError:
        if not re.fullmatch(_PLAIN_LIST, text[start:end]):
            lines.not_json.append(entry)
            return _NOT_JSON
    words = text[start + 1 : end - 1].split(", ")
    at = start + 1
    for index, word in enumerate(words):
        word_end = at + len(word)
        page.nodes[f"/{entry.key}/{index}"] = yaml.NodeSpan(at, word_end, close=word_end)
        at = word_end + 2
    return words


# ------------------------------------------------------------------------------- YAML


class _Cut:
    """Front matter as the YAML parser gets it: with a `0` for the value of each entry read before.

    Translates offsets in that text into offsets in the page.
    """

    def __init__(self, page: Page, entries: list[TopLevelEntry]) -> None:
        """Cut the values of ``entries`` out of the front matter, and spaces after `---`."""
        # with its first line, as Jekyll reads it: there, `---` begins a second document
        pieces = ["---\n"]
        length = len(pieces[0])
        # without the mark that some readers drop there (CL703)
        at = page.opening_end + page.text.startswith("\ufeff", page.opening_end)
        self._start, self._longest = at - length, len(page.text)
        self._cuts: list[tuple[int, int]] = []  # (offset in the parser's text, offset in the page)
        for entry in entries:
            pieces.append(f"{page.text[at : entry.value_start]}0")
            length += len(pieces[-1])
            at = entry.end
            self._cuts.append((length, at))
        self.text = "".join([*pieces, page.text[at : page.closing_start]])

    def offset(self, ours: int) -> int:
        """Turn an offset in the parser's text into one in the page."""
        if ours < 0:
            return ours
        index = bisect_right(self._cuts, (ours, self._longest))
        before, after = self._cuts[index - 1] if index else (0, self._start)
        return after + ours - before

    def node(self, node: yaml.NodeSpan) -> yaml.NodeSpan:
        """Turn the location of a value in the parser's text into one in the page."""
        return yaml.NodeSpan(
            self.offset(node.start), self.offset(node.end), self.offset(node.key_start),
            self.offset(node.key_end), node.container, self.offset(node.close))


def _read_yaml(page: Page, lines: _Lines) -> bool:
    """Read the front matter by the YAML parser, all but the values of ``lines``.

    The parser gets a `0` for each of these, and must find just that there. Where it does not, as in
    a string of several lines, it gets the whole. Returns whether the page could be read.
    """
    size = len(page.text.encode("utf-8", "surrogatepass"))
    if size > MAX_YAML_SIZE:
        _fault(page, "CL110", f"the file has {size:,} bytes and is not in the generator's form: "
               f"over the limit of {MAX_YAML_SIZE:,} for the YAML parser, not parsed")
        return False
    cut = _Cut(page, lines.entries)
    try:
        document = yaml.load(cut.text, MOST_YAML_VALUES)
    except yaml.YamlError as error:
        last = max(page.opening_end, page.closing_start - 1)
        _explain(page, lines, str(error), min(cut.offset(error.at), last))
        return False
    except yaml.LimitError as error:
        at = cut.offset(error.at)
        _fault(page, "CL110", f"{error}: not parsed", page.span(at, at + 1))
        return False
    nodes = {pointer: cut.node(node) for pointer, node in document.nodes.items()}
    tops = _top_level(document, nodes, cut)
    ends = {(key, key_start): close for key, key_start, close in tops}
    if not document.repeated and any(
            ends.get((entry.key, entry.start)) != entry.end for entry in lines.entries):
        lines.forget()
        page.nodes.clear()
        page.refused.clear()
        return _read_yaml(page, lines)
    _take(page, lines, document, nodes, tops)
    page.comments = [cut.offset(comment) for comment in document.comments]
    page.refused += map(cut.offset, document.refused)
    page.dependent = [each._replace(node=cut.node(each.node)) for each in document.dependent]
    lines.repeated += [
        (pointer, page.span(cut.offset(node.key_start), cut.offset(node.key_end)))
        for pointer, node in document.repeated]
    return True


_Top = tuple[str, int, int]
"""A top-level key, where it begins, and where its value ends."""


def _top_level(
    document: yaml.Document, nodes: dict[str, yaml.NodeSpan], cut: _Cut
) -> list[_Top]:
    """List the top-level entries in their order, those with a duplicate key too."""
    if not isinstance(document.value, dict):
        return []
    first = [(key, nodes[f"/{strict_json.escape_token(key)}"]) for key in document.value]
    tops = [(key, node.key_start, node.close) for key, node in first]
    tops += [(strict_json.unescape_token(pointer[1:]), cut.offset(node.key_start),
              cut.offset(node.key_end))
             for pointer, node in document.repeated if "/" not in pointer[1:]]
    return sorted(tops, key=lambda top: top[1])


def _take(
    page: Page, lines: _Lines, document: yaml.Document, nodes: dict[str, yaml.NodeSpan],
    tops: list[_Top],
) -> None:
    """Put what both readers found into the page."""
    # nothing but comments is front matter without keys
    page.data = {} if document.value is None else document.value
    for entry, value in zip(lines.entries, lines.values, strict=True):
        page.data[entry.key] = value
        nodes.pop(f"/{entry.key}", None)
    page.nodes |= nodes
    by_start = {entry.start: entry for entry in lines.entries}
    for key, key_start, close in tops:
        # a scalar in a block may end with the front matter
        line_end = page.text.index("\n", min(close, page.closing_start - 1))
        page.entries.append(by_start.get(key_start) or TopLevelEntry(
            key, _start_of_entry(page.text, key_start), -1, line_end))


def _start_of_entry(text: str, key_start: int) -> int:
    """Return where the entry of a key begins: a question mark may be on its line or above it."""
    line_start = text.rfind("\n", 0, key_start) + 1
    above = line_start - 1
    while above >= 0 and text[above].isspace():
        above -= 1
    return above if above > 0 and text[above] == "?" and text[above - 1] == "\n" else line_start


def _explain(page: Page, lines: _Lines, message: str, at: int) -> None:
    """Describe why front matter is not YAML: as an error in JSON, where a line is meant as JSON."""
    # an explicit tag is called that
    for entry in lines.not_json if page.text[at : at + 1] != "!" else ():
        if entry.start > at or not re.match(
                _LIKE_JSON, page.text[entry.value_start : entry.end]):
            continue
        reason, stopped = strict_json.explain_error(page.text, entry.value_start, entry.end)
        # a line whose brackets are not closed is at fault for what the parser finds below it
        if at <= entry.end or stopped >= entry.end:
            message, at = f"invalid JSON in {entry.key}: {reason}", min(stopped, entry.end - 1)
            break
    _fault(page, "CL106", message, page.span(at, at + 1))
