"""Mend pages: regenerate `meta`, write canonical bytes, and lose nothing.

A page is read, mended in memory, and the outcome read back and compared before the file is
replaced: same specs, same everything else, nothing left to mend, and a second run would change
nothing. A page that does not stand this test is left alone, and the reason said.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from cachelint.document import catalog_files
from cachelint.document.catalog_files import TagFacts
from cachelint.document.page import Page
from cachelint.document.parser import parse_page
from cachelint.document.render import ordered, render
from cachelint.document.strict_json import dumps, escape_token
from cachelint.document.summary import matches_meta
from cachelint.document.yaml import NodeSpan
from cachelint.files import discovery
from cachelint.files.discovery import TagTask
from cachelint.linter.fastpath import Shapes
from cachelint.linter.page import (
    Examined,
    context_of,
    examine,
    findings_of,
    is_fixable,
    sort,
    unfixable_reason,
)
from cachelint.linter.tag import (
    FileProblems,
    Tally,
    check_catalog,
    judge_own_files,
    of_whole_tag,
    pages_of,
    read_own_files,
    shapes_for,
    sound_specs,
)
from cachelint.model import Finding, PageContext, PageFormat, Problem
from cachelint.rules.selection import Settings, apply_overrides, resolve_settings


class PageFix(NamedTuple):
    """What became of one page."""

    content: bytes
    """The page's bytes: mended, or as they were."""
    findings: list[Finding]
    """What is left, of the rules that are selected."""
    found: list[Finding]
    """What was found before."""
    reason: str
    """Why a page that has mendable findings was left alone; empty where it was not."""


class TagFixed(NamedTuple):
    """What became of one task's pages."""

    task: TagTask
    findings: list[Finding]
    """What is left, sorted by path, line, column and code."""
    pages: int
    facts: TagFacts
    """After mending."""
    changed: list[tuple[str, bytes, bytes]]
    """Path of each page that is mended; where nothing is written, its bytes before and after."""
    fixed: int
    refused: list[tuple[str, str]]
    """Path of each page that was left alone, and why."""


class CatalogFixed(NamedTuple):
    """What became of a catalog's own files; as for a task's pages."""

    findings: list[Finding]
    changed: list[tuple[str, bytes, bytes]]
    fixed: int
    refused: list[tuple[str, str]]


def fix_page(
    content: bytes, path: str = "", *, settings: Settings | None = None,
    context: PageContext | None = None,
) -> PageFix:
    """Mend one page that is held in memory.

    Args:
        content: The page's bytes.
        path: Where the page lies or will lie; it need not exist.
        settings: Which rules make a page worth mending; the defaults if not given.
        context: What the rules may know besides; from ``path`` and ``settings`` if not given.

    Returns:
        The mended bytes, or the same bytes where there is nothing to mend or it cannot be done.
    """
    settings = resolve_settings(settings)
    context = context or context_of(settings, discovery.page_id_of(path))
    return _fix(content, path, context, settings, Shapes())[0]


def _fix(
    raw: bytes, path: str, context: PageContext, settings: Settings, shapes: Shapes
) -> tuple[PageFix, Examined]:
    """Mend one page; what the rules say of the outcome goes with it."""
    strict = "CL507" in settings.selected and "CL507" in settings.runs_on(path)

    def look(content: bytes) -> Examined:
        return examine(content, context, shapes, max_size=settings.max_page_size,
                       strict_order=strict)

    before = look(raw)
    if before.page is None:
        return PageFix(raw, [], [], ""), before
    found = apply_overrides(findings_of(path, before.page, before.problems, settings), settings)
    if not any(finding.fixable for finding in found):
        return PageFix(raw, found, found, _reason(path, before, settings)), before
    try:
        content = fixed_bytes(before.page, strict_order=strict)
    except _CannotFixError as error:
        return PageFix(raw, found, found, str(error)), before
    after = look(content)
    fault = compare(before, content, after, strict_order=strict)
    if fault:
        return PageFix(raw, found, found, f"the mended page would not be right: {fault}"), before
    left = findings_of(path, after.page, after.problems, settings) if after.page else []
    return PageFix(content, apply_overrides(left, settings), found, ""), after


def _reason(path: str, examined: Examined, settings: Settings) -> str:
    """Say why a page with findings that could be mended elsewhere is left alone."""
    assert examined.page is not None
    refused = unfixable_reason(examined.page, examined.problems)
    if not refused:
        return ""
    run = settings.runs_on(path)
    if any(
        rule.code in run and is_fixable(rule, problem, examined.page, "")
        for rule, problem in examined.problems
    ):
        return refused
    return ""


def fixed_bytes(page: Page, *, strict_order: bool = False) -> bytes:
    """Return the bytes of the page with everything mended that can be.

    ``page`` must be one that `unfixable_reason` does not refuse.
    """
    end = page.closing_start + 3
    if page.format is PageFormat.LEGACY:
        text = page.text[:end]
    elif page.comments or (page.format is PageFormat.TARBALL and not strict_order):
        text = _in_place(page) + page.text[page.closing_start : end]
    else:
        text = _canonical(page)
    return (text + page.body if page.body.strip() else text).encode()


def _canonical(page: Page) -> str:
    """Write a page as the generator would."""
    title, tag = page.data["title"], page.data["categories"][1]
    if page.vouched and page.format is PageFormat.CURRENT:
        # the specs are canonical already, and need not be read to be written
        head = render(title, tag, page.implied, []).removesuffix("[]\n---")
        return f"{head}{_raw_specs(page)}\n---"
    return render(title, tag, page.implied, ordered(page.all_specs()))


# ------------------------------------------------------------------------------- in place

_Edit = tuple[int, int, str]
"""What is to stand in the place of a stretch of the page's text."""

_COLON = re.compile(r"[ \t]*:").match


def _in_place(page: Page) -> str:
    """Change only the wrong and missing values of `meta`, up to the closing line."""
    text, at = "", 0
    # of edits at one place, those that only add come first, in the order in which they were made
    edits = _edit(page, "/meta", page.data["meta"], page.implied)
    for start, end, new in sorted(edits, key=lambda edit: edit[:2]):
        text += page.text[at:start] + new
        at = end
    return text + page.text[at : page.closing_start]


def _edit(page: Page, pointer: str, value: Any, due: Any) -> list[_Edit]:
    """Make a value say what is due; what is right already stays as it is written."""
    node = page.locate(pointer)
    assert node is not None
    in_block = page.text[node.start] not in "[{"
    if isinstance(due, list) and isinstance(value, list):
        due = _keep_order([item for item in value if isinstance(item, str)], due)
    elif isinstance(due, dict) and isinstance(value, dict):
        due = {key: due[key] for key in _keep_order(list(value), list(due))}
    if type(value) is type(due) and isinstance(value, (dict, list)) and value and (
            in_block or pointer == "/meta" or _comments(page, node.start, node.close)):
        return _edit_items(page, pointer, value, due, in_block=in_block)
    return [_instead(page, node, dumps(due))]


def _keep_order(said: list[str], due: list[str]) -> list[str]:
    """Return ``due`` in the order in which its items stand already, sorted where they were."""
    kept = list(dict.fromkeys(item for item in said if item in due))
    result = kept + [item for item in due if item not in kept]
    return sorted(result) if said == sorted(said) else result


def _comments(page: Page, start: int, end: int) -> list[str]:
    """List the comments that begin in a stretch of the page's text."""
    return [page.text[at : page.text.index("\n", at)] for at in page.comments if start <= at < end]


def _instead(page: Page, node: NodeSpan, new: str) -> _Edit:
    """Put ``new`` in the place of a whole value, and comments that stand in it behind it."""
    text = page.text
    start, end, lead = node.start, _end(page, node), ""
    colon = _COLON(text, node.key_end) if node.key_end >= 0 else None
    if node.key_end >= 0 and (end <= node.key_end or colon is None):
        start, end, lead = node.key_end, node.key_end, ": "  # in brackets, a key without a value
    elif colon is not None and (text[start] not in "[{" or node.start == node.close):
        start, end, lead = colon.end(), max(end, colon.end()), " "
    margin = f"\n{_indent(page, start)}  "
    comments = margin.join(_comments(page, start, end))
    if comments:
        new += f"  {comments}"
        rest = text[end : text.index("\n", end)]
        if rest.strip():
            new += margin
            end += len(rest) - len(rest.lstrip())
    return start, end, lead + new


def _end(page: Page, node: NodeSpan) -> int:
    """Find where a value ends, without the blanks and comments behind it."""
    end = node.close
    while True:
        end = len(page.text[:end].rstrip())
        comment = next((at for at in reversed(page.comments) if at < end), end)
        if "\n" in page.text[comment:end] or comment == end:
            return end
        end = comment


def _indent(page: Page, at: int) -> str:
    line = page.text[page.text.rfind("\n", 0, at) + 1 :]
    return line[: len(line) - len(line.lstrip(" "))]


def _edit_items(
    page: Page, pointer: str, value: Any, due: Any, *, in_block: bool
) -> list[_Edit]:
    """Change single items of a list or members of a mapping, in block form or in brackets.

    An item that goes leaves its comments behind. A new one stands behind the item that comes
    before it in ``due``.
    """
    text = page.text
    node = page.locate(pointer)
    assert node is not None
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    kept: dict[str, tuple[int, int]] = {}
    gone: list[tuple[int, int]] = []
    places: list[tuple[int, int]] = []
    edits: list[_Edit] = []
    for key in keys:
        place = page.locate(f"{pointer}/{escape_token(str(key))}")
        assert place is not None
        item = key if isinstance(value, dict) else value[key]
        start = place.key_start if isinstance(value, dict) else place.start
        end = max(_end(page, place), start)
        places.append((start, end))
        if not isinstance(item, str) or item not in due or item in kept:
            gone.append((start, end))
            continue
        kept[item] = (start, end)
        if isinstance(value, dict) and not matches_meta(value[key], due[item]):
            edits += _edit(page, f"{pointer}/{escape_token(item)}", value[key], due[item])
    if in_block:
        first = text.rfind("\n", 0, places[0][0]) + 1
        margin = text[first : places[0][0]]
        if margin.strip() != ("" if isinstance(value, dict) else "-"):
            raise _CannotFixError(f"{pointer} is laid out as only a person can mend it")
        edits += [_without_line(page, start, end) for start, end in gone]
    else:
        first, margin = node.start + 1, ""
        edits += [_without_item(page, start, end) for start, end in gone]
    at = first
    behind = False
    for item in due:
        if item in kept:
            at, behind = kept[item][1], True
            if in_block:
                at = text.index("\n", at) + 1
            continue
        new = dumps(item)
        if isinstance(due, dict):
            # as the other keys of `meta` are written; a stack may need its quotes
            new = f"{item if in_block and pointer == '/meta' else new}: {dumps(due[item])}"
        if in_block:
            edits.append((at, at, f"{margin}{new}\n"))
        else:
            edits.append((at, at, f", {new}" if behind else f"{new}, "))
    return edits


def _without_line(page: Page, start: int, end: int) -> _Edit:
    """Take an item's lines away, and leave their comments on lines of their own."""
    first = page.text.rfind("\n", 0, start) + 1
    last = page.text.index("\n", end) + 1
    margin = " " * (start - first)
    return first, last, "".join(f"{margin}{each}\n" for each in _comments(page, first, last))


def _without_item(page: Page, start: int, end: int) -> _Edit:
    """Take an item in brackets away, with the comma behind it; its comments stay."""
    at = end
    while page.text[at] not in ",]}":
        at = page.text.index("\n", at) if page.text[at] == "#" else at + 1
    if page.text[at] != ",":
        return start, end, ""
    return start, at + 1, page.text[end:at].strip(" ")


class _CannotFixError(Exception):
    """A page that has to be mended by hand."""


# ------------------------------------------------------------------------------- proof


def compare(was: Examined, content: bytes, after: Examined, *, strict_order: bool = False) -> str:
    """Say in what a mended page is not what it was, or not whole; empty where all is well."""
    before = was.page
    assert before is not None
    page = parse_page(content, before.context)
    if not page.parsed:
        return "it cannot be read"
    if before.vouched and page.entries:
        old, new = (_raw_specs(each) for each in (before, page))
        if old != new:
            return "its specs differ"
    elif not _same_specs(before, page):
        return "its specs differ"
    if {key: value for key, value in page.data.items() if key not in ("meta", "spec_details")} != {
        key: value for key, value in before.data.items() if key not in ("meta", "spec_details")
    }:
        return "it differs outside meta"
    if before.body.strip() and page.body != before.body:
        return "the text after the front matter differs"
    if [before.text[at:].split("\n", 1)[0] for at in before.comments] != [
        page.text[at:].split("\n", 1)[0] for at in page.comments
    ]:
        return "its comments differ"
    if after.page is not None:
        refused = unfixable_reason(after.page, after.problems)
        if any(is_fixable(rule, problem, after.page, refused)
               for rule, problem in after.problems):
            return "something is left to mend"
        if fixed_bytes(after.page, strict_order=strict_order) != content:
            return "a second run would change it again"
    hazards = _hazards(after) - _hazards(was)
    return f"it would get {min(hazards)}" if hazards else ""


def _hazards(examined: Examined) -> Counter[str]:
    """Count what the site and its loaders trip over (CL7xx), by rule."""
    return Counter(f"{rule.code} {rule.name}" for rule, _ in examined.problems
                   if rule.code.startswith("CL7"))


def _raw_specs(page: Page) -> str:
    entry = next(entry for entry in page.entries if entry.key == "spec_details")
    return page.text[entry.value_start : entry.end]


def _same_specs(before: Page, after: Page) -> bool:
    """Say whether two pages have the same specs, each as often, in whatever order."""
    def facts(page: Page) -> list[str]:
        return sorted(
            dumps({**spec, "stacks": sorted(spec["stacks"])} if isinstance(spec, dict)
                  and isinstance(spec.get("stacks"), list)
                  and all(isinstance(stack, str) for stack in spec["stacks"]) else spec,
                  sort_keys=True)
            for spec in page.all_specs()
        )

    return facts(before) == facts(after)


# ------------------------------------------------------------------------------- a tag's pages


def fix_tag(task: TagTask, settings: Settings, *, write: bool = True) -> TagFixed:
    """Mend the pages of one folder below ``_cache``; without ``write``, only say how."""
    shapes = shapes_for(settings)
    findings: list[Finding] = []
    changed: list[tuple[str, bytes, bytes]] = []
    refused: list[tuple[str, str]] = []
    tally = Tally(task)
    mended = 0
    for path, place, raw in pages_of(task, settings, tally, findings):
        context = context_of(settings, place, task.stacks)
        fixed, examined = _fix(raw, path, context, settings, shapes)
        tally.add(path, place, *sound_specs(examined))
        reason = fixed.reason
        if fixed.content != raw:
            reason = _replace(path, fixed.content, raw, task.within, write=write)
        if reason:
            refused.append((path, reason))
            findings += fixed.found
            continue
        findings += fixed.findings
        if fixed.content != raw:
            mended += len(fixed.found) - len(fixed.findings)
            changed.append((path, b"", b"") if write else (path, raw, fixed.content))
    findings += of_whole_tag(tally, task, settings)
    findings = apply_overrides(findings, settings)
    sort(findings)
    return TagFixed(task, findings, tally.checked, tally.facts(), changed, mended, refused)


def fix_catalog(
    root: str, facts: Iterable[TagFacts], settings: Settings, *, is_whole: bool, write: bool,
    own_files: frozenset[str] = frozenset(),
) -> CatalogFixed:
    """Correct counts in ``meta.yaml`` and write the pages of tags that lack one.

    Nothing else in these files is touched. Without ``write``, it is only said how. ``own_files``
    are as in `check_catalog`.
    """
    facts = list(facts)
    if not (is_whole or facts or own_files):
        return CatalogFixed([], [], 0, [])
    within = (discovery.real_path(root),)
    own = read_own_files(root, settings, is_whole=is_whole, own_files=own_files)
    whole = judge_own_files(own, facts)
    findings = own.unread.copy()
    changed: list[tuple[str, bytes, bytes]] = []
    refused: list[tuple[str, str]] = []
    mended = 0
    for file in own.judged.values():
        left = []
        contents: dict[str, tuple[bytes, bytes]] = {}  # path to bytes before and after
        found = findings_of(file.path, file.page, file.problems, settings)
        for finding in apply_overrides(found, settings):
            if not finding.fixable:
                left.append(finding)
                continue
            path = whole.path(catalog_files.META)
            if finding.code == "CL607":
                contents[path] = (file.raw, _with_counts(file))
            elif file.path == whole.path(catalog_files.TAGS):
                tag = file.page.value(finding.pointer)
                path = whole.path(f"{catalog_files.TAG_PAGES}/{tag}.md")
                contents[path] = (b"", catalog_files.render_tag_page(tag).encode())
            else:
                path = file.path
                tag = path.rsplit("/", 1)[1].removesuffix(".md")
                contents[path] = (file.raw, catalog_files.render_tag_page(tag).encode())
            mended += 1
        for path, (before, after) in contents.items():
            reason = _write(path, before, after, within, write=write)
            if reason:
                refused.append((path, reason))
            else:
                changed.append((path, b"", b"") if write else (path, before, after))
        findings += left
    if refused:
        # what could not be written is still wrong
        findings = check_catalog(root, whole.facts.values(), settings, is_whole=is_whole,
                                 own_files=own_files)
        mended = len(changed)
    return CatalogFixed(apply_overrides(findings, settings), changed, mended, refused)


def _with_counts(file: FileProblems) -> bytes:
    """Return ``meta.yaml`` with its wrong counts corrected; the text around them stays."""
    text, at = "", 0
    for rule, problem in sorted(file.problems, key=lambda item: _start(file.page, item[1])):
        if rule.code == "CL607":
            node = file.page.locate(problem.pointer)
            assert node is not None
            text += file.page.text[at : node.start] + str(problem.expected)
            at = node.end
    return (text + file.page.text[at:]).encode()


def _start(page: Page, problem: Problem) -> int:
    node = page.locate(problem.pointer)
    return -1 if node is None else node.start


def _write(path: str, before: bytes, after: bytes, within: tuple[str, ...], *, write: bool) -> str:
    """Write a catalog's file; return why it cannot be done, or an empty string."""
    if before:
        return _replace(path, after, before, within, write=write)
    if target := discovery.linked_target(path, within):
        return f"a link leads to {target}: nothing is written through links"
    try:
        if write:
            discovery.create(path, after)
    except OSError as error:
        return f"the file cannot be written: {error.strerror or error}"
    return ""


def _replace(path: str, content: bytes, before: bytes, within: tuple[str, ...], *, write: bool
             ) -> str:
    """Replace a page's file; return why it cannot be done, or an empty string.

    Without ``write`` only what can be told beforehand is.
    """
    if target := discovery.linked_target(path, within):
        return f"a link leads to {target}: nothing is written through links, fix that file"
    try:
        if not write or discovery.replace(path, content, before):
            return ""
        return "the file changed while it was mended"
    except OSError as error:
        return f"the file cannot be replaced: {error.strerror or error}"
