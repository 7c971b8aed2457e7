"""YAML as cache pages may contain it: plain data, and the position of each value.

The parser is ruamel.yaml's own. Its events are composed here rather than by the library, so that
a page of aliases or of a hundred thousand levels is refused at its first excess, every value keeps
its position, and a scalar means what it means in YAML 1.2's core schema.
"""

from __future__ import annotations

import re
from bisect import bisect
from typing import Any

from cachelint.document.strict_json import MAX_DEPTH, escape_token
from cachelint.model import NamedTuple


class NodeSpan(NamedTuple):
    """Where a value is, as offsets into the text."""

    start: int
    end: int
    """For a container, the end of its opening bracket or of its first character."""
    key_start: int = -1
    """The value's key; -1 for an item of a list and for the document."""
    key_end: int = -1
    container: bool = False
    """Whether the value is a list or a mapping."""
    close: int = -1
    """Where the value ends: a container's after its closing bracket or last line."""


class Timestamp(str):
    """A plain scalar that loaders turn into a date."""

    __slots__ = ()


class ReaderDependent(NamedTuple):
    """A scalar that readers of YAML do not all take for the same, or that some refuse."""

    pointer: str
    node: NodeSpan
    is_key: bool
    reason: str
    """What follows the scalar in a message."""
    is_number: bool = False
    """Whether the value is a number here."""
    is_layout: bool = False
    """Whether the reason is what is around the scalar, which the generator writes otherwise."""


class Document(NamedTuple):
    """One YAML document."""

    value: Any
    nodes: dict[str, NodeSpan]
    """By JSON Pointer; the document's own is ``""``."""
    repeated: list[tuple[str, NodeSpan]]
    """Each key that is in its mapping already, with its position there."""
    comments: list[int]
    """Where comments begin."""
    dependent: list[ReaderDependent]
    """Scalars that readers do not all take for the same."""
    refused: list[int]
    """Where, outside scalars, tabs and comments without a space before them are."""


class YamlError(ValueError):
    """The text is not YAML, or not what a page may contain."""

    def __init__(self, message: str, at: int) -> None:
        """Describe what is wrong, and the offset where the parser stopped."""
        super().__init__(message)
        self.at = at


class LimitError(ValueError):
    """The text is nested too deep, or has an alias."""

    def __init__(self, message: str, at: int) -> None:
        """Describe which limit, and at which offset."""
        super().__init__(message)
        self.at = at


PLAIN_WORD = (
    r"(?!(?i:y|n|yes|no|on|off|true|false|null)(?![A-Za-z0-9._-]))[A-Za-z][A-Za-z0-9._-]*")
"""A pattern for words that every reader of YAML takes for the same string, without quotes."""


# compiled where they are first used, which on a valid page is never
_NULL = r"~|null|Null|NULL|"
_BOOLEAN = r"true|True|TRUE|false|False|FALSE"
_INTEGER = r"[-+]?[0-9]+"
_HEXADECIMAL = r"[-+]?0x[0-9a-fA-F]+"
_OCTAL = r"0o[0-7]+"
_NO_NUMBER = r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
_FLOAT = rf"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|{_NO_NUMBER}"
# not of the core schema, yet a date to every loader that the site has used
_DATE = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(([Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(\.[0-9]*)?"
    r"([ \t]*(Z|[-+][0-9]{1,2}(:?[0-9]{2})?))?)?"
)
# a string to some readers and something else to others: YAML 1.1's truth values, those of 1.2 in
# other case (`tRue`, `.iNf`), octal, sexagesimal and grouped numbers, exponents without a point or
# digits, dates of single digits, Ruby's symbols, the value and merge keys. No two parts that follow
# each other match the same character: time is linear
_DEPENDS = (
    r"(?i:y|n|yes|no|on|off|true|false|null|[-+]?\.inf|\.nan|[-+]?\.e[-+][0-9]+"
    r"|[-+]?0[0-7_]+|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"
    r"|[-+]?0x(?=[0-9a-f]*[_,])[0-9a-f_,]+|[-+]?0b[01_,]+|[-+]0o[0-7_]+|0o(?=[0-7]*_)[0-7_]+"
    r"|[-+]?(?=[0-9.]*[_,])[0-9_,]*(?:\.[0-9_,]*)?(?:e[-+]?[0-9_,]*)?|[-+]?[0-9]+e[0-9]+"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|:.*|=|<<)"
)
# a whole number that all readers take for the same
_PLAIN_INTEGER = r"[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+"

_MOST_POINTER_CHARACTERS = 1 << 25
"""Values below long keys are refused where their pointers together have more characters."""

_DEEP = 25
"""A value below so many containers counts twice, below twice as many thrice, and so on: the parser
looks at each of them again."""
_DEEPEST_OPENING = 1000
"""So many brackets opened and none closed are refused before the parser, whose time grows with the
square of the depth."""

MOST_KEY_CHARACTERS = 1022
"""The longest key in quotes, as it is written, that every reader of YAML takes."""


def resolve(text: str) -> Any:
    """Give a plain scalar its meaning by YAML 1.2.2, 10.3.2, and dates.

    What is a string to some readers and not to others stays a string: no one reading of it is
    right.
    """
    if (not text or text[0] in "~nNtTfF+-.0123456789") and not depends_on_reader(text):
        if re.fullmatch(_NULL, text):
            return None
        if re.fullmatch(_BOOLEAN, text):
            return text[0] in "tT"
        if re.fullmatch(_DATE, text):
            return Timestamp(text)
        try:
            if re.fullmatch(_INTEGER, text):
                return int(text)
            if re.fullmatch(_HEXADECIMAL, text):
                return int(text, 16)
            if re.fullmatch(_OCTAL, text):
                return int(text[2:], 8)
        except ValueError:  # more digits than Python converts
            return float("inf")
        if re.fullmatch(_FLOAT, text):
            return float(re.sub(r"\.(?=inf|nan)", "", text.lower()))
    return text


def is_plain_word(text: str) -> bool:
    """Return whether every reader of YAML takes ``text`` for the same string, without quotes."""
    return re.fullmatch(PLAIN_WORD, text) is not None


def depends_on_reader(text: str) -> bool:
    """Return whether a plain scalar is a string to some readers of YAML and not to others."""
    return bool(re.fullmatch(_DEPENDS, text)) and not re.fullmatch(
        rf"{_DATE}|{_BOOLEAN}|{_NULL}|{_NO_NUMBER}", text)


def load(text: str, most_values: int = 0) -> Document:
    """Read one YAML document of plain data.

    Args:
        text: The document.
        most_values: How many keys and values it may have; 0 for no limit.

    Raises:
        YamlError: It is not YAML, or not what a page may contain.
        LimitError: It is too deep, too large, or has an alias.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError
    from ruamel.yaml.reader import ReaderError

    _refuse_depth(text)
    composer = _Composer(text, most_values)
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            composer.take(event)
    except ReaderError as error:
        raise YamlError(f"the character U+{error.character:04X} is not allowed in YAML",
                        _offset_of(error.position, text)) from None
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        problem = getattr(error, "problem", None) or getattr(error, "context", None)
        raise YamlError(f"invalid YAML: {problem or 'cannot be read'}",
                        mark.index if mark else 0) from None
    except RecursionError:
        raise LimitError(f"values are nested over {MAX_DEPTH} deep", 0) from None
    except (YamlError, LimitError):
        raise
    except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError,
            ValueError) as error:
        # the parser trips over some escapes and directives that no page needs
        raise YamlError(f"invalid YAML: the parser failed: {error}", 0) from None
    comments, refused = _between(text, composer.scalars)
    return Document(composer.root, composer.nodes, composer.repeated, comments,
                    composer.dependent, refused)


def _refuse_depth(text: str) -> None:
    """Raise LimitError where many more brackets are opened one after another than any page has."""
    opened = start = 0
    for bracket in re.finditer(r"[\[\]{}]", text):
        opened = opened + 1 if bracket[0] in "[{" else 0
        if opened == 1:
            start = bracket.start()
        if opened == _DEEPEST_OPENING:
            raise LimitError(f"values are nested over {MAX_DEPTH} deep", start)


def _offset_of(position: Any, text: str) -> int:
    return position if isinstance(position, int) and position <= len(text) else 0


class _Open(NamedTuple):
    """A container whose end has not come yet."""

    value: dict[str, Any] | list[Any]
    pointer: str
    pending: list[tuple[str, str, NodeSpan]]
    """The key that waits for its value: at most one (key, pointer, position of the key)."""
    is_flow: bool
    """Whether it is written in brackets."""
    column: int
    """Where it begins in its line, from 0."""


_NOT_INDENTED = "goes on in a line that is not indented, which some readers of YAML refuse"
_AT_COMMENT = "is beside a comment that begins its line, which some readers of YAML refuse"


class _Composer:
    """Builds data from the parser's events, one after another."""

    def __init__(self, text: str, most_values: int) -> None:
        self.text = text
        self.most_values = most_values
        self.root: Any = None
        self.nodes: dict[str, NodeSpan] = {}
        self.repeated: list[tuple[str, NodeSpan]] = []
        self.scalars: list[tuple[int, int]] = []
        self.dependent: list[ReaderDependent] = []
        self._stack: list[_Open] = []
        self._documents = self._number = 0
        self._pointer_characters = 0
        self._anchors: set[str] = set()
        self._end = 0

    def take(self, event: Any) -> None:
        kind = type(event).__name__
        start, end = event.start_mark.index, event.end_mark.index
        if kind == "AliasEvent":
            raise LimitError(f"YAML aliases are not allowed (*{event.anchor})", start)
        if kind == "DocumentStartEvent":
            self._documents += 1
            if self._documents > 1:
                raise YamlError("invalid YAML: a second document begins here", start)
        elif kind == "ScalarEvent":
            self._count(event)
            self._scalar(event, self._after_anchor(event))
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            self._count(event)
            if len(self._stack) >= MAX_DEPTH:
                raise LimitError(f"values are nested over {MAX_DEPTH} deep", start)
            self._open({} if kind == "MappingStartEvent" else [], self._after_anchor(event),
                       is_flow=event.flow_style)
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            closed = self._stack.pop()
            if end > start:  # a closing bracket; a block ends with its last value
                self._end = end
            node = self.nodes[closed.pointer]
            self._end = max(self._end, node.end)
            node = self.nodes[closed.pointer] = node._replace(close=self._end)
            if self._stack and self._stack[-1].is_flow:
                self._check_comments(closed.pointer, node)
            elif closed.is_flow:
                self._check_indentation(closed.pointer, node, start)

    def _count(self, event: Any) -> None:
        """Count a key or value, which may be one too many, or have a tag."""
        self._number += 1 + len(self._stack) // _DEEP
        if 0 < self.most_values < self._number:
            raise LimitError(f"over {self.most_values:,} keys and values for the YAML parser",
                             event.start_mark.index)
        if event.tag is not None:
            tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
            raise YamlError(f"explicit YAML tags are not allowed ({tag})", event.start_mark.index)

    def _after_anchor(self, event: Any) -> int:
        """Return where a value begins; raise YamlError where readers refuse its anchor."""
        start, end = int(event.start_mark.index), int(event.end_mark.index)
        if event.anchor is None:
            return start
        is_flow = self._stack and self._stack[-1].is_flow
        anchor = re.compile(r"(?a:&[\w-]+)" + (
            r"(?:[ \t]+(?=[^\s#])|(?=[,\]}]))" if is_flow else r"(?:[ \t\n]|(?<=\s)#.*|\Z)+"))
        match = anchor.match(self.text, start)
        if match is None or self.text[start - 1 : start] == "?":
            raise YamlError(f"invalid YAML: the anchor {event.anchor} is not a word of its own",
                            start)
        if event.anchor in self._anchors:
            raise YamlError(f"invalid YAML: the anchor {event.anchor} is duplicated", start)
        self._anchors.add(event.anchor)
        return min(match.end(), end)

    def _scalar(self, event: Any, start: int) -> None:
        value, style, end = event.value, event.style or "", event.end_mark.index
        if start == end:
            start = end = self._offset_of_nothing(start)
        if style in ("|", ">"):
            # its header line may carry a comment
            self.scalars.append((self.text.find("\n", start, end), end))
            end = start + len(self.text[start:end].rstrip())
        else:
            self.scalars.append((start, end))
        self._end = end
        parent = self._stack[-1] if self._stack else None
        is_outermost = not (parent and parent.is_flow)
        if parent is not None and isinstance(parent.value, dict) and not parent.pending:
            key = NodeSpan(start, end, start, end)
            pointer = f"{parent.pointer}/{escape_token(value)}"
            if value in parent.value:
                self.repeated.append((pointer, key))
            parent.pending.append((value, pointer, key))
            reason = "" if style else _plain_key_hazard(value)
            if reason := reason or self._flow_hazard(pointer, start, end, style):
                self.dependent.append(ReaderDependent(pointer, key, True, reason))
            elif style and is_outermost:
                self._check_lines(pointer, key, style, start)
            return
        result = value if style else resolve(value)
        node = NodeSpan(start, end, close=end)
        pointer = self._put(result, node)
        reason = _hazard(value, result, style)
        if reason := reason or self._flow_hazard(pointer, start, end, style):
            self.dependent.append(ReaderDependent(pointer, node, False, reason,
                                                  type(result) is int, style in ("|", ">")))
        else:
            self._check_lines(pointer, node, style, event.start_mark.index)

    def _flow_hazard(self, pointer: str, start: int, end: int, style: str) -> str:
        """Return why readers disagree about a scalar in brackets; empty where they agree."""
        if not (self._stack and self._stack[-1].is_flow):
            return ""
        written = self.text[start:end]
        # a tag with a question mark is CL702's
        if self.text[start - 1] == "?" or (not style and (
                ((written == "-" or written.endswith(":")) and self.text[end : end + 1] != ":")
                or ("?" in written and pointer != "/categories/1"))):
            return "is refused or read differently in brackets by some readers of YAML"
        return ""

    def _check_lines(self, pointer: str, node: NodeSpan, style: str, anchor: int) -> None:
        """Note a value whose lines, or whose comments, some readers refuse."""
        start, end = node.start, node.end
        if self._stack and self._stack[-1].is_flow:
            self._check_comments(pointer, node)
        elif style in ("|", ">") and start - self.text.rfind("\n", 0, start) <= self._margin() + 1:
            self._note(pointer, node, _NOT_INDENTED)
        elif style in ("'", '"'):
            self._check_indentation(pointer, node, end)
        elif not style and start < end and any(map(self._is_below_comment, (start, anchor))) and (
                re.compile(r"[ \t]*(?:\n[ \t]*)+[^#\s]").match(self.text, end)):
            self._note(pointer, node, _AT_COMMENT)

    def _is_below_comment(self, start: int) -> bool:
        """Return whether a comment begins a line between a value and its key or dash.

        It matters only below an empty line, or without a space after `#`.
        """
        above, is_suspect = self.text.rfind("\n", 0, start), False
        line = self.text[above + 1 : start]
        while above >= 0 and (not line.strip() or line.lstrip().startswith("#")):
            if (is_suspect and not line) or re.match(r"#\S", line):
                return True
            is_suspect = line.startswith("#")
            end, above = above, self.text.rfind("\n", 0, above)
            line = self.text[above + 1 : end]
        return False

    def _check_comments(self, pointer: str, node: NodeSpan) -> None:
        """Note a value of a mapping in brackets that has a comment and not a comma behind it."""
        if isinstance(self._stack[-1].value, dict) and re.compile(r"[ \t]*(?:#.*)?\n#").match(
                self.text, node.close):
            self._note(pointer, node, _AT_COMMENT)

    def _note(self, pointer: str, node: NodeSpan, reason: str) -> None:
        self.dependent.append(ReaderDependent(pointer, node, False, reason, is_layout=True))

    def _margin(self) -> int:
        """Return the column of the innermost value that is not in brackets."""
        return max((each.column for each in self._stack if not each.is_flow), default=-1)

    def _check_indentation(self, pointer: str, node: NodeSpan, end: int) -> None:
        """Note a value in brackets or quotes that goes on in a line that is not indented enough."""
        if self.text.find("\n", node.start, end) < 0:
            return
        margin, at = self._margin(), self.text.index("\n", node.start)
        for line in self.text[at + 1 : end + 1].split("\n"):
            at += 1
            inside = bisect(self.scalars, (at, len(self.text)))
            is_comment = line.lstrip().startswith("#") and not (
                inside and at < self.scalars[inside - 1][1])
            at += len(line)
            if line.strip() and len(line) - len(line.lstrip(" ")) <= margin and not is_comment:
                self._note(pointer, node, _NOT_INDENTED)
                return

    def _offset_of_nothing(self, mark: int) -> int:
        """Return where a value that is not written would be: behind its colon or dash.

        The parser's own mark is that of what follows, perhaps lines below.
        """
        parent = self._stack[-1] if self._stack else None
        if parent is None:
            return mark
        if isinstance(parent.value, list):
            sign = self.text.find("-", self._end, mark)
        else:
            sign = self.text.find(":", self._end, mark) if parent.pending else -1
        return sign + 1 if sign >= 0 else mark

    def _open(self, value: dict[str, Any] | list[Any], start: int, *, is_flow: bool) -> None:
        parent = self._stack[-1] if self._stack else None
        if parent is not None and isinstance(parent.value, dict) and not parent.pending:
            raise YamlError("invalid YAML: expected a scalar as a key, found a list or mapping",
                            start)
        node = NodeSpan(start, start + 1, container=True)
        pointer = self._put(value, node)
        column = start - self.text.rfind("\n", 0, start) - 1
        self._stack.append(_Open(value, pointer, [], is_flow, column))

    def _put(self, value: Any, node: NodeSpan) -> str:
        """Hang ``value`` into the container that is open, and return its pointer."""
        if not self._stack:
            self.root, pointer = value, ""
        else:
            parent = self._stack[-1]
            if isinstance(parent.value, dict):
                key, pointer, place = parent.pending.pop()
                parent.value[key] = value
                if parent.is_flow and "\n" in self.text[place.end : node.start].split(":", 1)[0]:
                    self.dependent.append(ReaderDependent(
                        pointer, place, True, "is not followed by its colon on the same line, "
                        "which some readers of YAML refuse", is_layout=True))
                node = node._replace(key_start=place.start, key_end=place.end)
            else:
                pointer = f"{parent.pointer}/{len(parent.value)}"
                parent.value.append(value)
        self.nodes[pointer] = node
        self._pointer_characters += len(pointer)
        if self._pointer_characters > _MOST_POINTER_CHARACTERS:
            raise LimitError("too many values below long keys", node.start)
        return pointer


def _hazard(text: str, value: Any, style: str) -> str:
    """Return why readers disagree about the text of a scalar; empty where they agree."""
    if style:
        return ("has nothing but spaces, which some readers of YAML drop"
                if style in ("|", ">") and text.isspace() and " " in text else "")
    if type(value) is str and depends_on_reader(text):
        return "without quotes is a string to some readers of YAML and not to others"
    if type(value) is int and not re.fullmatch(_PLAIN_INTEGER, text):
        return "is not the same number to all readers of YAML"
    return ""


def _plain_key_hazard(text: str) -> str:
    """Return why readers disagree about a key without quotes; empty where they agree."""
    if text == "<<":
        return "is merged, dropped or refused as a key"
    if type(resolve(text)) is not str or depends_on_reader(text):
        return "without quotes is not a string to all readers of YAML"
    return ""


def quoted_key_hazard(key: str, length: int) -> str:
    """Return why readers disagree about a key of ``length`` characters as written in quotes."""
    if key == "<<":
        return "is merged, dropped or refused as a key"
    if length > MOST_KEY_CHARACTERS:
        return f"has {length:,} characters in quotes, more than a key may have in YAML"
    return ""


def is_safe_key(key: str) -> bool:
    """Return whether every reader takes ``key`` as it is, however it is escaped in quotes."""
    return key != "<<" and len(key) * len("\\u0000\\u0000") <= MOST_KEY_CHARACTERS


def _between(text: str, scalars: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """List where comments begin outside ``scalars``, and what some readers refuse there."""
    comments: list[int] = []
    refused: list[int] = []
    at = 0
    for start, end in [*scalars, (len(text), len(text))]:
        while at < start:
            sharp = text.find("#", at, start)
            tab = text.find("\t", at, start if sharp < 0 else sharp)
            if tab >= 0:
                refused.append(tab)
                at = tab + 1
            elif sharp >= 0:
                comments.append(sharp)
                if sharp and not text[sharp - 1].isspace():
                    refused.append(sharp)
                line_end = text.find("\n", sharp)
                at = len(text) if line_end < 0 else line_end
            else:
                break
        at = max(at, end)
    return comments, refused
