"""The catalog's own files: `_data/tags.yaml` and the pages of tags."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from cachelint import files, yamltext
from cachelint.frontmatter import Fault, Page, parse
from cachelint.model import Context, Problem

TAGS = "_data/tags.yaml"
TAG_PAGES = "pages/tags"


class Tags(NamedTuple):
    """What `_data/tags.yaml` says."""

    stacks: dict[str, frozenset[str]]
    """Tag to its stacks, for each tag whose entry is sound, in the file's order."""
    entries: dict[str, int]
    """Tag to the number of its entry."""


# the one layout that the site's generator writes, with names that are text to every loader
_NAME = r"(?!(?:y|n|yes|no|on|off|true|false|null)\n)[a-z][a-z0-9._-]*"
_BLOCK = re.compile(rf"(?:- name: {_NAME}\n  stacks:\n(?:  - {_NAME}\n)+)+")
_LINE = re.compile(r"(- name: |  - )(.*)")


def read_tags(root: str) -> Tags | None:
    """Read the tags of a catalog; None where it has no sound ``tags.yaml``.

    What is wrong with the file is for `check_tags` to say.
    """
    raw = files.read(files.join(root, TAGS))
    if isinstance(raw, files.Unreadable):
        return None
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
    value = _by_line(text)
    if value is None:
        if len(raw) > _MAX_SIZE:
            return None
        try:
            value = yamltext.load(text).value
        except (yamltext.YamlError, yamltext.LimitError):
            return None
    return _tags(value)


_MAX_SIZE = 2 * 1024 * 1024


def _by_line(text: str) -> list[dict[str, Any]] | None:
    """Read the generator's own layout, some thousand times faster than the YAML parser.

    Returns what the parser would, or None where the text is not in just that layout.
    """
    if not _BLOCK.fullmatch(text):
        return None
    entries: list[dict[str, Any]] = []
    for match in _LINE.finditer(text):
        if match[1] == "- name: ":
            entries.append({"name": match[2], "stacks": []})
        else:
            entries[-1]["stacks"].append(match[2])
    return entries


def _tags(value: Any) -> Tags | None:
    if not isinstance(value, list):
        return None
    stacks: dict[str, frozenset[str]] = {}
    entries: dict[str, int] = {}
    for number, entry in enumerate(value):
        name = entry.get("name") if isinstance(entry, dict) else None
        listed = entry.get("stacks") if isinstance(entry, dict) else None
        if type(name) is str and name not in entries:
            entries[name] = number
            if isinstance(listed, list) and all(type(stack) is str for stack in listed):
                stacks[name] = frozenset(listed)
    return Tags(stacks, entries)


def read_yaml(raw: bytes) -> Page:
    """Read a YAML file as if it were a page: its faults (CL1xx), its data, and their places."""
    try:
        page = Page(raw.decode("utf-8"), Context())
    except UnicodeDecodeError:
        return parse(raw)
    text = page.text
    if len(raw) > _MAX_SIZE:
        page.faults.append(Fault("CL110", Problem("", f"the file has {len(raw):,} bytes: above "
                                                      f"{_MAX_SIZE:,} bytes it is not read")))
        return page
    try:
        document = yamltext.load(text)
    except yamltext.YamlError as error:
        at = min(error.at, max(0, len(text) - 1))
        page.faults.append(Fault("CL106", Problem("", f"not YAML: {error}", page.span(at, at + 1))))
        return page
    except yamltext.LimitError as error:
        span = page.span(error.at, error.at + 1)
        page.faults.append(Fault("CL110", Problem("", f"{error}: not parsed", span)))
        return page
    page.take(document)
    for pointer, node in document.repeated:
        span = page.span(node.key_start, node.key_end)
        page.faults.append(Fault("CL107", Problem(pointer, "the key stands twice in one mapping",
                                                  span)))
    page.parsed = not document.repeated
    return page


def tag_pages(root: str) -> list[str]:
    """List ``pages/tags/*.md`` of a catalog, as paths are shown."""
    folder = files.join(root, TAG_PAGES)
    return [f"{folder}/{name}" for name in files.names(folder) if name.endswith(".md")]
