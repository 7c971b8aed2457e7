"""YAML as cache pages may hold it: plain data, and the place of each value.

The parser is ruamel.yaml's own. Its events are composed here rather than by the library, so that
a page of aliases or of a hundred thousand levels is refused at its first excess, every value keeps
its place, and a scalar means what YAML 1.2's core schema says.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from cachelint.document.strict_json import MAX_DEPTH, escape_token


class NodeSpan(NamedTuple):
    """Where a value stands, as offsets into the text."""

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


class Document(NamedTuple):
    """One YAML document."""

    value: Any
    nodes: dict[str, NodeSpan]
    """By JSON Pointer; the document's own is ``""``."""
    repeated: list[tuple[str, NodeSpan]]
    """Each key that stands in its mapping already, with its place there."""
    comments: list[int]
    """Where comments begin."""


class YamlError(ValueError):
    """The text is not YAML, or not what a page may hold."""

    def __init__(self, message: str, at: int) -> None:
        """Say what is wrong, and at which offset the parser stopped."""
        super().__init__(message)
        self.at = at


class LimitError(ValueError):
    """The text is nested too deep, or has an alias."""

    def __init__(self, message: str, at: int) -> None:
        """Say which limit, and at which offset."""
        super().__init__(message)
        self.at = at


# compiled where they are first used, which on a sound page is never
_NULL = r"~|null|Null|NULL|"
_BOOLEAN = r"true|True|TRUE|false|False|FALSE"
_INTEGER = r"[-+]?[0-9]+"
_HEXADECIMAL = r"0x[0-9a-fA-F]+"
_FLOAT = (
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
# not of the core schema, yet a date to every loader that the site has used
_DATE = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(([Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(\.[0-9]*)?"
    r"([ \t]*(Z|[-+][0-9]{1,2}(:?[0-9]{2})?))?)?"
)
# text to some loaders and something else to others: YAML 1.1's booleans, octal, sexagesimal and
# grouped numbers, dates of single digits, exponents without a point, the value and merge keys
_DEPENDS = (
    r"(?i:y|n|yes|no|on|off|[-+]?0[0-9]+|0o[0-7]+|[-+]?0b[01_]+|[-+]?[0-9][0-9_]*_[0-9_.]*"
    r"|[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
    r"|[-+]?[0-9]+e[-+]?[0-9]+|[-+]?[0-9]*\.[0-9]*e[0-9]+|=|<<)"
)
# so many brackets opened and none closed: refused before the parser, whose time grows with the
# square of the depth
_DEEP = r"(?:[\[{][^\[\]{}]*){1000}"


def resolve(text: str) -> Any:
    """Give a plain scalar its meaning by YAML 1.2.2, 10.3.2, and dates besides.

    What is text to some loaders and not to others stays text: no one reading of it is right.
    """
    if (not text or text[0] in "~nNtTfF+-.0123456789") and not depends_on_loader(text):
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
        except ValueError:  # more digits than Python converts
            return float("inf")
        if re.fullmatch(_FLOAT, text):
            return float(re.sub(r"\.(?=inf|nan)", "", text.lower()))
    return text


def depends_on_loader(text: str) -> bool:
    """Say whether a plain scalar is text to some loaders and not to others."""
    return bool(re.fullmatch(_DEPENDS, text)) and not re.fullmatch(_DATE, text)


def breaks_loaders(key: str) -> bool:
    """Say whether loaders drop, merge or refuse a mapping for this key, even in quotes."""
    return key == "<<" or len(key) >= 1023


def load(text: str) -> Document:
    """Read one YAML document of plain data.

    Raises YamlError and LimitError.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError
    from ruamel.yaml.reader import ReaderError

    if deep := re.search(_DEEP, text):
        raise LimitError(f"values are nested over {MAX_DEPTH} deep", deep.start())
    composer = _Composer(text)
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            composer.take(event)
    except ReaderError as error:
        raise YamlError(f"the character U+{error.character:04X} may not stand in YAML",
                        _offset_of(error.position, text)) from None
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        parts = (getattr(error, "context", None), getattr(error, "problem", None))
        said = " ".join(part for part in parts if part)
        raise YamlError(said or "cannot be read", mark.index if mark else 0) from None
    except RecursionError:
        raise LimitError(f"values are nested over {MAX_DEPTH} deep", 0) from None
    except (YamlError, LimitError):
        raise
    except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError,
            ValueError) as error:
        # the parser trips over some escapes and directives that no page needs
        raise YamlError(f"the parser failed: {error}", 0) from None
    return Document(
        composer.root, composer.nodes, composer.repeated, _comments(text, composer.scalars)
    )


def _offset_of(position: Any, text: str) -> int:
    return position if isinstance(position, int) and position <= len(text) else 0


class _Open(NamedTuple):
    """A container whose end has not come yet."""

    value: dict[str, Any] | list[Any]
    pointer: str
    pending: list[tuple[str, str, NodeSpan]]
    """The key that waits for its value: at most one (key, pointer, place of the key)."""


class _Composer:
    """Builds data from the parser's events, one after another."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.root: Any = None
        self.nodes: dict[str, NodeSpan] = {}
        self.repeated: list[tuple[str, NodeSpan]] = []
        self.scalars: list[tuple[int, int]] = []
        self._stack: list[_Open] = []
        self._documents = 0
        self._end = 0

    def take(self, event: Any) -> None:
        kind = type(event).__name__
        start, end = event.start_mark.index, event.end_mark.index
        if kind == "AliasEvent":
            raise LimitError(f"a YAML alias (*{event.anchor}) is not followed", start)
        if kind == "DocumentStartEvent":
            self._documents += 1
            if self._documents > 1:
                raise YamlError("a second YAML document begins here", start)
        elif kind == "ScalarEvent":
            self._refuse_tag(event)
            self._scalar(event.value, start, end, event.style or "")
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            self._refuse_tag(event)
            if len(self._stack) >= MAX_DEPTH:
                raise LimitError(f"values are nested over {MAX_DEPTH} deep", start)
            self._open({} if kind == "MappingStartEvent" else [], start)
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            closed = self._stack.pop()
            if end > start:  # a closing bracket; a block ends with its last value
                self._end = end
            node = self.nodes[closed.pointer]
            self._end = max(self._end, node.end)
            self.nodes[closed.pointer] = node._replace(close=self._end)

    def _refuse_tag(self, event: Any) -> None:
        if event.tag is not None and str(event.tag) != "!":
            tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
            raise YamlError(f"the YAML tag {tag} may not stand in a page", event.start_mark.index)

    def _scalar(self, value: str, start: int, end: int, style: str) -> None:
        if start == end:
            start = end = self._place_of_nothing(start)
        if style in ("|", ">"):
            # its header line may carry a comment
            self.scalars.append((self.text.find("\n", start, end), end))
            end = start + len(self.text[start:end].rstrip())
        else:
            self.scalars.append((start, end))
        self._end = end
        parent = self._stack[-1] if self._stack else None
        if parent is not None and isinstance(parent.value, dict) and not parent.pending:
            key = NodeSpan(start, end, start, end)
            pointer = f"{parent.pointer}/{escape_token(value)}"
            if value in parent.value:
                self.repeated.append((pointer, key))
            parent.pending.append((value, pointer, key))
            return
        self._put(value if style else resolve(value), NodeSpan(start, end, close=end))

    def _place_of_nothing(self, mark: int) -> int:
        """Return where a value would stand that is not written: behind its colon or dash.

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

    def _open(self, value: dict[str, Any] | list[Any], start: int) -> None:
        parent = self._stack[-1] if self._stack else None
        if parent is not None and isinstance(parent.value, dict) and not parent.pending:
            raise YamlError("a list or mapping stands where a key belongs", start)
        node = NodeSpan(start, start + 1, container=True)
        pointer = self._put(value, node)
        self._stack.append(_Open(value, pointer, []))

    def _put(self, value: Any, node: NodeSpan) -> str:
        """Hang ``value`` into the container that is open, and return its pointer."""
        if not self._stack:
            self.root, pointer = value, ""
        else:
            parent = self._stack[-1]
            if isinstance(parent.value, dict):
                key, pointer, place = parent.pending.pop()
                parent.value[key] = value
                node = node._replace(key_start=place.start, key_end=place.end)
            else:
                pointer = f"{parent.pointer}/{len(parent.value)}"
                parent.value.append(value)
        self.nodes[pointer] = node
        return pointer


def _comments(text: str, scalars: list[tuple[int, int]]) -> list[int]:
    """List where comments begin: outside scalars, ``#`` begins one up to the line's end."""
    found: list[int] = []
    at = 0
    for start, end in [*scalars, (len(text), len(text))]:
        while (sharp := text.find("#", at, start)) >= 0:
            found.append(sharp)
            line_end = text.find("\n", sharp)
            at = len(text) if line_end < 0 else line_end
        at = max(at, end)
    return found
