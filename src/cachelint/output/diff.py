"""What `diff` found: text, JSON, and Markdown for a job summary.

Text and Markdown fit on a screen whatever the size of a change: totals, the tags with most change,
and details only where tags or packages were named.
"""

from __future__ import annotations

import re
import shlex
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from cachelint.model import (
    DiffReport,
    FieldChange,
    NamedTuple,
    PageChange,
    PageChangeKind,
    SpecChange,
    TagChanges,
)
from cachelint.output.formats import encode, encode_items
from cachelint.output.summary import code_span
from cachelint.text import clip, display_width, encodable, escape_unsafe, plural

_COLUMNS = 80
_LABEL = 15
_FROZEN = "frozen tags"
_TAGS = 5
"""Maximum number of tags in the table."""
_REASONS = 2
"""Maximum number of reasons and notes that are listed."""
_MORE = 3
"""So many times as much is in Markdown."""
_NAME = 200
"""Maximum length of a name in Markdown."""
_FEW_NAMES = 3
_Show = Callable[[str], str]


class Counts(NamedTuple):
    """What changed on some pages: keys of the JSON document."""

    pages_added: int
    pages_removed: int
    pages_changed: int
    pages_reformatted: int
    pages_unreadable: int
    specs_added: int
    specs_removed: int
    specs_changed: int
    versions_added: int
    versions_removed: int


def count(pages: Iterable[PageChange]) -> Counts:
    """Count what changed on some pages."""
    pages = list(pages)
    kinds = Counter(page.kind for page in pages)
    lists = ("added", "removed", "changed", "new_versions", "gone_versions")
    return Counts(*(kinds[kind] for kind in PageChangeKind),
                  *(sum(len(getattr(page, name)) for page in pages) for name in lists))


def _all_pages(report: DiffReport) -> Iterator[PageChange]:
    return (page for tag in report.tags for page in tag.pages)


# ------------------------------------------------------------------------------- what is common


def _claim(report: DiffReport, show: _Show) -> str:
    """Return the first sentence: whether anything changed, and with what it was compared."""
    base, side = report.base[:12], clip(report.sides[0], 30)
    against = show(base or side)
    if base and not report.base.startswith(side):
        against += f" ({show(side)})"
    compared = plural(report.compared, "page")
    kinds = Counter(page.kind for page in _all_pages(report))
    unreadable = kinds.pop(PageChangeKind.UNREADABLE, 0)
    changed = sum(kinds.values())
    if not report.compared and not changed:
        return f"Nothing could be compared with {against}."
    if not changed:
        gaps = f", {unreadable:,} not" if unreadable else "; see notes" if report.notes else ""
        return (f"{'No change found' if gaps else 'Nothing changed'}: {compared} compared with "
                f"{against}{gaps}.")
    pages = plural(report.compared + sum(bool(page.reason) for page in _all_pages(report)), "page")
    if set(kinds) == {PageChangeKind.REFORMATTED}:
        return f"No spec changed: {changed:,} of {pages} reformatted since {against}."
    return f"{changed:,} of {pages} changed since {against}."


def _totals(report: DiffReport, show: _Show) -> Iterator[tuple[str, str]]:
    """Yield each total that is not 0, with its label."""
    total = count(_all_pages(report))
    tags = report.tags
    frozen = [name for tag, name in _name_tags(report) if tag.is_frozen]
    for label, parts in (
        ("only", [f"{kind} {show(clip(name, _NAME))}" for kind, name in report.only]),
        ("packages", _some((total.pages_added, "new"), (total.pages_removed, "gone"),
                           (total.pages_changed, "changed"),
                           (total.pages_unreadable, "not compared"))),
        ("formatting", _some((total.pages_reformatted,
                              "changed only in order or formatting"))),
        ("specs", _some((total.specs_added, "added"), (total.specs_removed, "removed"),
                        (total.specs_changed, "changed"))),
        ("versions", _some((total.versions_added, "new"), (total.versions_removed, "gone"))),
        ("tags", _some((sum(tag.is_new for tag in tags), "new"),
                       (sum(tag.is_gone for tag in tags), "gone"))),
        (_FROZEN, _first(frozen, show)),
    ):
        if parts:
            yield label, ", ".join(parts)


def _some(*counts: tuple[int, str]) -> list[str]:
    return [f"{number:,} {what}" for number, what in counts if number]


def _first(names: Iterable[str], show: _Show) -> list[str]:
    """Show some names, and count the others."""
    names = [*names]
    few = names if len(names) <= _FEW_NAMES else names[: _FEW_NAMES - 1]
    more = [f"and {len(names) - len(few):,} more"] if len(names) > len(few) else []
    return [show(_cut(name, 25)) for name in few] + more


def _cut(name: str, width: int) -> str:
    """Cut a name in the middle, because both its ends are needed, to so many columns."""
    cut, left = name, width
    while display_width(escape_unsafe(cut)) > width:
        left -= 1
        cut = f"{name[: left // 2]}…{name[len(name) - left + left // 2 :]}"
    return cut


def _name_tags(report: DiffReport) -> Iterator[tuple[TagChanges, str]]:
    """Yield each tag with its name, and the catalog's where there are several."""
    has_several = len({tag.catalog for tag in report.tags}) > 1
    for tag in report.tags:
        name = tag.tag or "legacy pages"
        yield tag, f"{tag.catalog}: {name}" if has_several else name


def _marks(tag: TagChanges) -> str:
    marks = (("frozen", tag.is_frozen), ("new", tag.is_new), ("gone", tag.is_gone))
    return ", ".join(word for word, is_so in marks if is_so)


def _rows(report: DiffReport, most: int) -> Iterator[tuple[TagChanges | None, str, Counts]]:
    """Yield the tags with most change, each with its name, and the others together."""
    counted = [(tag, name, counts) for tag, name in _name_tags(report) if any(counts := count(
        page for page in tag.pages if page.kind is not PageChangeKind.UNREADABLE))]
    counted.sort(key=lambda row: (-sum(row[2][5:8]), -sum(row[2][:4]), row[1]))
    yield from counted[:most]
    if rest := counted[most:]:
        yield None, f"and {plural(len(rest), 'more tag')}", Counts(
            *map(sum, zip(*(counts for *_, counts in rest), strict=True)))


def _cells(counts: Counts) -> Iterator[str]:
    """Write the columns of the table of tags."""
    return (f"{number:,}" if number else "-" for number in (*counts[:4], *counts[5:8]))


def _reasons(report: DiffReport) -> list[tuple[PageChange | None, str]]:
    """List what was not compared, and why, and then the notes."""
    return [*((page, page.reason) for page in _all_pages(report) if page.reason),
            *((None, note) for note in report.notes)]


def _head_of(reasons: list[tuple[PageChange | None, str]]) -> str:
    return "Not compared:" if reasons[0][0] else "Notes:"


def _command(report: DiffReport) -> str:
    """Return the command that shows the details of the tag with most change."""
    tag, *_ = next(_rows(report, 1), (None,))
    if tag is None or not tag.tag or report.only:
        return ""
    command = shlex.join(["cachelint", "diff", *report.sides, "--tag", tag.tag])
    return command if command == escape_unsafe(command) and len(command) <= _NAME else ""


def _details(report: DiffReport) -> Iterator[str]:
    """Write all that changed, tag by tag, in lines that are escaped."""
    for tag, name in _name_tags(report):
        yield ""
        yield escape_unsafe(f"{name} ({marks})" if (marks := _marks(tag)) else name)
        reformatted = []
        for page in tag.pages:
            if page.kind is PageChangeKind.REFORMATTED:
                reformatted.append(page.package)
            elif not page.reason:
                yield from _wrap(f"  {page.package}: {_explain_page(page)}")
                for sign, specs in (("+", page.added), ("-", page.removed), ("~", page.changed)):
                    for spec in specs:
                        yield from _wrap(f"    {sign} {_explain_spec(page.package, spec)}")
        if reformatted:
            yield from _wrap(f"  only in order or formatting: {', '.join(reformatted)}")


def _wrap(line: str) -> list[str]:
    return textwrap.wrap(escape_unsafe(line), _COLUMNS, subsequent_indent="        ",
                         break_on_hyphens=False, drop_whitespace=True)


def _explain_page(page: PageChange) -> str:
    states = {PageChangeKind.ADDED: ["new package"], PageChangeKind.REMOVED: ["package is gone"]}
    parts = states.get(page.kind, [])
    parts += [f"{plural(len(specs), 'spec')} {what}" for specs, what in (
        (page.added, "added"), (page.removed, "removed"), (page.changed, "changed")) if specs]
    parts += [f"{what} {', '.join(versions)}" for what, versions in (
        ("new version", page.new_versions), ("gone version", page.gone_versions)) if versions]
    return "; ".join([*parts, *(f"{field} changed" for field in page.fields)])


def _explain_spec(package: str, spec: SpecChange) -> str:
    """Name a spec as Spack does, with the fields that differ."""
    version = f"@{spec.version}" if spec.version else ""
    name = f"{package}{version}{f'/{spec.hash[:7]}' if spec.hash else ' without a hash'}"
    return f"{name}: {'; '.join(map(_explain_field, spec.fields))}" if spec.fields else name


def _explain_field(change: FieldChange) -> str:
    before, after = ", ".join(change.before), ", ".join(change.after)
    if before and after:
        return f"{change.field} was {before}, is {after}"
    return f"{change.field} {f'lost {before}' if before else f'gained {after}'}"


# ------------------------------------------------------------------------------- formats


def _write_text(report: DiffReport) -> Iterator[str]:
    yield clip(_claim(report, escape_unsafe), _COLUMNS)
    for label, value in _totals(report, escape_unsafe):
        mark = " *" if label == _FROZEN else ""
        yield f"{label + mark:<{_LABEL}}{clip(value, _COLUMNS - _LABEL)}"
    yield from _details(report) if report.only else _table(report)
    reasons = _reasons(report)
    most = len(reasons) if report.only else _REASONS
    if reasons:
        yield f"\n{_head_of(reasons)}"
    for page, reason in reasons[:most]:
        where = "" if page is None else f"{page.tag}/{page.package}: " if (
            page.tag and page.package) else f"{page.path}: "
        line = f"  {where}{reason}"
        yield from _wrap(line) if report.only else [clip(escape_unsafe(line), _COLUMNS)]
    if len(reasons) > most:
        yield f"  and {len(reasons) - most:,} more: see --output-format json"
    if command := _command(report):
        yield f"\nDetails: {command}"


def _table(report: DiffReport) -> Iterator[str]:
    """Write the tags with most change; an asterisk marks those that are frozen."""
    heads = ["new", "gone", "changed", "order", "added", "removed", "changed"]
    rows = [(name, bool(tag and tag.is_frozen), [*_cells(counts)])
            for tag, name, counts in _rows(report, _TAGS)]
    if not rows:
        return
    widths = [max(map(len, column)) + 2
              for column in zip(heads, *(cells for *_, cells in rows), strict=True)]
    room = _COLUMNS - sum(widths)
    yield f"\n{' ' * room}{'packages':>{sum(widths[:4])}}{'specs':>{sum(widths[4:])}}"
    for name, is_frozen, cells in [("tag", False, heads), *rows]:
        shown = escape_unsafe(_cut(name, room - 1)) + "*" * is_frozen
        yield shown + " " * (room - display_width(shown)) + "".join(
            f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))


def _write_markdown(report: DiffReport) -> Iterator[str]:
    is_notable = not report.compared or any(
        tag.is_frozen or any(page.reason for page in tag.pages) for tag in report.tags)
    mark = "⚠️ " if is_notable else "" if report.tags else "✅ "
    yield f"### {mark}cachelint diff: {_claim(report, _cell)}\n"
    if totals := [*_totals(report, _cell)]:
        yield "| | |\n|---|---|"
        yield from (f"| {label} | {value} |" for label, value in totals)
        yield ""
    if report.only:
        text = "\n".join(_details(report)).strip("\n")
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
        yield f"{fence}text\n{text}\n{fence}\n"
    elif rows := [*_rows(report, _MORE * _TAGS)]:
        yield ("| tag | | packages new | gone | changed | order | specs added | removed "
               "| changed |\n|---|---|---:|---:|---:|---:|---:|---:|---:|")
        for tag, name, counts in rows:
            shown, marks = (name, "") if tag is None else (_cell(clip(name, _NAME)), _marks(tag))
            yield f"| {shown} | {marks} | {' | '.join(_cells(counts))} |"
        yield ""
    if reasons := _reasons(report):
        yield f"{_head_of(reasons)}\n"
        for page, reason in reasons[: _MORE * _REASONS]:
            where = f"{code_span(clip(page.path, _NAME))}: " if page is not None else ""
            yield f"- {where}{code_span(clip(reason, _NAME))}"
        if more := reasons[_MORE * _REASONS :]:
            yield f"- and {len(more):,} more"
        yield ""
    if command := _command(report):
        yield f"Details: {code_span(command)}\n"


def _cell(text: str) -> str:
    """Make a code span that does not end the cell of a table."""
    return code_span(text).replace("|", "\\x7c")


def _write_json(report: DiffReport) -> Iterator[str]:
    """Write one JSON document, one line for each tag and page, as `diff.schema.json` has it."""
    sides, notes = encode(_encodable(report.sides)), encode(_encodable(report.notes))
    yield f'{{"version": 1,\n "sides": {sides},\n "base": {encode(report.base)},'
    total = count(_all_pages(report))
    frozen = sum(tag.is_frozen for tag in report.tags)
    yield ' "summary": ' + encode(
        {"compared": report.compared, "frozen_tags": frozen, **total._asdict()}) + ","
    for key, rows in (
        ("tags", ({"catalog": tag.catalog, "tag": tag.tag, "frozen": tag.is_frozen,
                   "new": tag.is_new, "gone": tag.is_gone, **count(tag.pages)._asdict()}
                  for tag in report.tags)),
        ("pages", map(_page_as_dict, _all_pages(report))),
    ):
        yield f' "{key}": [{"".join(encode_items(map(_encodable, rows), "  "))}],'
    yield f' "notes": {notes}}}'


def _page_as_dict(page: PageChange) -> dict[str, object]:
    """Return a page as the JSON document has it: without what is empty."""
    fields = {"path": page.path, "tag": page.tag, "package": page.package,
              "change": page.kind.value}
    specs = {key: [_spec_as_dict(spec) for spec in getattr(page, key)]
             for key in ("added", "removed", "changed")}
    others = {"new_versions": page.new_versions, "gone_versions": page.gone_versions,
              "fields": page.fields, "reason": page.reason}
    return {**fields, **{key: value for key, value in {**specs, **others}.items() if value}}


def _spec_as_dict(spec: SpecChange) -> dict[str, object]:
    fields = {"fields": [each._asdict() for each in spec.fields]} if spec.fields else {}
    return {"version": spec.version, "hash": spec.hash, **fields}


def _encodable(value: object) -> object:
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, dict):
        return {key: _encodable(item) for key, item in value.items()}
    return [*map(_encodable, value)] if isinstance(value, (list, tuple)) else value


WRITERS: dict[str, Callable[[DiffReport], Iterator[str]]] = {
    "text": _write_text, "json": _write_json, "markdown": _write_markdown}
"""What writes each format, line by line without line feeds."""
