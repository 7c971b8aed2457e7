"""Mend pages: regenerate `meta`, write canonical bytes, and lose nothing.

A page is read, mended in memory, and the outcome read back and compared before the file is
replaced: same specs, same everything else, nothing left to mend, and a second run would change
nothing. A page that does not stand this test is left alone, and the reason said.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from cachelint import catalog, files
from cachelint.checker import (
    Examined,
    context_of,
    examine,
    findings_of,
    is_mendable,
    order,
    pages_of,
    refusal,
    shapes_for,
    unreadable,
)
from cachelint.config import Settings
from cachelint.files import Task, Unreadable
from cachelint.frontmatter import Page, parse, render
from cachelint.jsontext import dumps, escape_token
from cachelint.model import Context, Finding, Format
from cachelint.pages import ordered
from cachelint.shapes import Shapes
from cachelint.summary import says


class Fixed(NamedTuple):
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

    task: Task
    findings: list[Finding]
    """What is left, sorted by path, line, column and code."""
    pages: int
    changed: list[tuple[str, bytes, bytes]]
    """Path of each page that is mended, and with ``diff`` its bytes before and after."""
    mended: int
    refused: list[tuple[str, str]]
    """Path of each page that was left alone, and why."""


def fix_page(
    content: bytes, path: str = "", *, settings: Settings | None = None,
    context: Context | None = None,
) -> Fixed:
    """Mend one page that is held in memory.

    Args:
        content: The page's bytes.
        path: Where the page lies or will lie; it need not exist.
        settings: Which rules make a page worth mending; the defaults if not given.
        context: What the rules may know besides; from ``path`` and ``settings`` if not given.

    Returns:
        The mended bytes, or the same bytes where there is nothing to mend or it cannot be done.
    """
    settings = settings or Settings()
    context = context or context_of(settings, files.place_of(path), None)
    return _fix(content, path, context, settings, Shapes())


def _fix(raw: bytes, path: str, context: Context, settings: Settings, shapes: Shapes) -> Fixed:
    strict = "CL507" in settings.selected

    def look(content: bytes) -> Examined:
        return examine(content, context, shapes, max_size=settings.max_page_size,
                       strict_order=strict)

    before = look(raw)
    if before.page is None:
        return Fixed(raw, [], [], "")
    found = findings_of(path, before.page, before.problems, settings)
    if not any(finding.fixable for finding in found):
        return Fixed(raw, found, found, _reason(before, settings))
    try:
        content = mend(before.page, strict_order=strict)
    except _CannotMendError as error:
        return Fixed(raw, found, found, str(error))
    after = look(content)
    fault = compare(before.page, content, after, strict_order=strict)
    if fault:
        return Fixed(raw, found, found, f"the mended page would not be right: {fault}")
    left = findings_of(path, after.page, after.problems, settings) if after.page else []
    return Fixed(content, left, found, "")


def _reason(examined: Examined, settings: Settings) -> str:
    """Say why a page with findings that could be mended elsewhere is left alone."""
    assert examined.page is not None
    refused = refusal(examined.page, examined.problems)
    if refused and any(
        rule.code in settings.selected and is_mendable(rule, problem, examined.page, "")
        for rule, problem in examined.problems
    ):
        return refused
    return ""


def mend(page: Page, *, strict_order: bool = False) -> bytes:
    """Return the bytes of the page with everything mended that can be.

    ``page`` must be one that `refusal` does not refuse.
    """
    end = page.closing_start + 3
    if page.format is Format.LEGACY:
        text = page.text[:end]
    elif page.comments or (page.format is Format.TARBALL and not strict_order):
        text = _in_place(page) + page.text[page.closing_start : end]
    else:
        text = _canonical(page)
    return (text + page.body if page.body.strip() else text).encode()


def _canonical(page: Page) -> str:
    """Write a page as the generator would."""
    title, tag = page.data["title"], page.data["categories"][1]
    if page.vouched and page.format is Format.CURRENT:
        # the specs are canonical already, and need not be read to be written
        head = render(title, tag, page.implied, []).removesuffix("[]\n---")
        return f"{head}{_raw_specs(page)}\n---"
    return render(title, tag, page.implied, ordered(page.all_specs()))


# ------------------------------------------------------------------------------- in place


def _in_place(page: Page) -> str:
    """Change only the wrong and missing values of `meta`, up to the closing line."""
    edits: list[tuple[int, int, str]] = []
    meta = page.data.get("meta")
    if not isinstance(meta, dict):
        node = page.locate("/meta")
        assert node is not None
        edits.append((node.start, node.close, dumps(page.implied)))
    else:
        for key, due in page.implied.items():
            if key not in meta:
                continue
            if not says(meta[key], due):
                edits += _edit_value(page, f"/meta/{key}", meta[key], due)
        missing = {key: due for key, due in page.implied.items() if key not in meta}
        if missing:
            edits += _add_members(page, "/meta", meta, missing)
    text, at = "", 0
    for start, end, new in sorted(edits):
        text += page.text[at:start] + new
        at = end
    return text + page.text[at : page.closing_start]


def _edit_value(page: Page, pointer: str, value: Any, due: Any) -> list[tuple[int, int, str]]:
    """Replace a value; of a list or mapping keep the order of what stays."""
    node = page.locate(pointer)
    assert node is not None
    if isinstance(due, list) and isinstance(value, list):
        due = _keep_order([item for item in value if isinstance(item, str)], due)
    elif isinstance(due, dict) and isinstance(value, dict):
        due = {key: due[key] for key in _keep_order(list(value), list(due))}
    commented = any(node.start <= comment < node.close for comment in page.comments)
    if isinstance(value, (list, dict)) and commented:
        return _edit_items(page, pointer, value, due)
    lead = ""
    start = node.start
    if page.text[node.start] not in "[{" and isinstance(value, (list, dict)) and node.key_end >= 0:
        # a block list or mapping begins on the line after its key
        start = page.text.index(":", node.key_end) + 1
        lead = " "
    return [(start, node.close, lead + dumps(due))]


def _keep_order(said: list[str], due: list[str]) -> list[str]:
    """Return ``due`` in the order in which its items stand already, sorted where they were."""
    kept = list(dict.fromkeys(item for item in said if item in due))
    result = kept + [item for item in due if item not in kept]
    return sorted(result) if said == sorted(said) else result


def _edit_items(page: Page, pointer: str, value: Any, due: Any) -> list[tuple[int, int, str]]:
    """Change single items of a list or mapping among whose lines comments stand.

    Lines of items that go are emptied of all but their comment, and new items follow the last.
    """
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    edits: list[tuple[int, int, str]] = []
    nodes = [page.locate(f"{pointer}/{escape_token(str(key))}") for key in keys]
    node = page.locate(pointer)
    assert node is not None
    if page.text[node.start] in "[{":
        raise _CannotMendError("comments stand inside a list or mapping in brackets that is wrong")
    seen: set[Any] = set()
    kept = 0
    last = None
    for key, place in zip(keys, nodes, strict=True):
        assert place is not None
        item = key if isinstance(value, dict) else value[key]
        start = place.key_start if isinstance(value, dict) else place.start
        last = place
        if isinstance(item, str) and item in due and item not in seen:
            seen.add(item)
            kept += 1
            if isinstance(value, dict) and not says(value[key], due[item]):
                edits.append((place.start, place.close, dumps(due[item])))
            continue
        line_start = page.text.rfind("\n", 0, start) + 1
        line_end = page.text.index("\n", place.close)
        rest = page.text[place.close : line_end].strip()
        edits.append((line_start, line_end + (not rest), rest and page.text[line_start:start].replace(
            "-", " ") + rest))
    assert last is not None
    if not kept:
        raise _CannotMendError("comments stand inside a list or mapping of which nothing stays")
    first = nodes[0]
    assert first is not None
    at = first.key_start if isinstance(value, dict) else first.start
    margin = page.text[page.text.rfind("\n", 0, at) + 1 : at]
    new = [item for item in due if item not in seen]
    if new:
        end = page.text.index("\n", last.close) + 1
        lines = [f"{margin}{dumps(item)}" + (f": {due[item]}" if isinstance(due, dict) else "")
                 for item in new]
        edits.append((end, end, "".join(f"{line}\n" for line in lines)))
    return edits


def _add_members(page: Page, pointer: str, mapping: dict[str, Any], new: dict[str, Any]
                 ) -> list[tuple[int, int, str]]:
    """Write the missing keys of a mapping behind the last one that it has."""
    node = page.locate(pointer)
    assert node is not None
    in_brackets = page.text[node.start] in "[{"
    if not mapping:
        if not in_brackets:
            raise _CannotMendError("meta is empty")
        return [(node.start, node.close, dumps(new))]
    edits = []
    order = list(mapping)
    for key, value in new.items():
        # behind the key that comes before it where keys are sorted, else behind the last
        earlier = [other for other in order if other < key]
        if order == sorted(order) and not earlier:
            place = page.locate(f"{pointer}/{escape_token(order[0])}")
            assert place is not None
            margin = page.text[page.text.rfind("\n", 0, place.key_start) + 1 : place.key_start]
            text = f"{dumps(key)}: {dumps(value)}, " if in_brackets else (
                f"{key}: {dumps(value)}\n{margin}")
            edits.append((place.key_start, place.key_start, text))
            continue
        before = earlier[-1] if order == sorted(order) else order[-1]
        place = page.locate(f"{pointer}/{escape_token(before)}")
        assert place is not None
        if in_brackets:
            edits.append((place.close, place.close, f", {dumps(key)}: {dumps(value)}"))
        else:
            margin = page.text[page.text.rfind("\n", 0, place.key_start) + 1 : place.key_start]
            end = page.text.index("\n", place.close)
            edits.append((end, end, f"\n{margin}{key}: {dumps(value)}"))
    return edits


class _CannotMendError(Exception):
    """A page that has to be mended by hand."""


# ------------------------------------------------------------------------------- proof


def compare(before: Page, content: bytes, after: Examined, *, strict_order: bool = False) -> str:
    """Say in what a mended page is not what it was, or not whole; empty where all is well."""
    page = parse(content, before.context)
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
        refused = refusal(after.page, after.problems)
        if any(is_mendable(rule, problem, after.page, refused)
               for rule, problem in after.problems):
            return "something is left to mend"
        if mend(after.page, strict_order=strict_order) != content:
            return "a second run would change it again"
    return ""


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


def fix_tag(task: Task, settings: Settings, tags: catalog.Tags | None, *, write: bool = True
            ) -> TagFixed:
    """Mend the pages of one folder below ``_cache``; without ``write``, only say how."""
    shapes = shapes_for(settings)
    findings: list[Finding] = []
    changed: list[tuple[str, bytes, bytes]] = []
    refused: list[tuple[str, str]] = []
    count = mended = 0
    for path, place in pages_of(task, settings, findings):
        count += 1
        raw = files.read(path, settings.max_page_size)
        if isinstance(raw, Unreadable):
            if raw.code in settings.selected:
                findings.append(unreadable(path, raw))
            continue
        fixed = _fix(raw, path, context_of(settings, place, tags), settings, shapes)
        reason = fixed.reason
        if fixed.content != raw and write:
            reason = _replace(path, fixed.content, raw)
        if reason:
            refused.append((path, reason))
            findings += fixed.found
            continue
        findings += fixed.findings
        if fixed.content != raw:
            mended += len(fixed.found) - len(fixed.findings)
            changed.append((path, b"", b"") if write else (path, raw, fixed.content))
    findings.sort(key=order)
    return TagFixed(task, findings, count, changed, mended, refused)


def _replace(path: str, content: bytes, before: bytes) -> str:
    """Replace a page's file; say why it could not be done, or nothing."""
    try:
        if files.replace(path, content, before):
            return ""
        return "the file changed while it was mended"
    except OSError as error:
        return f"the file cannot be replaced: {error.strerror or error}"
