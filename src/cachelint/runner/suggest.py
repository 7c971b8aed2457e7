"""Fixes as changes of lines, which a review can suggest."""

from __future__ import annotations

from collections.abc import Iterator

from cachelint.files import paths, read_write
from cachelint.linter.findings import isolate, sort
from cachelint.linter.tag import context_at
from cachelint.model import Report, Suggestion
from cachelint.rules.selection import Settings
from cachelint.text import changed_lines

LONGEST = 2000
"""Longer lines, in characters, are not suggested: nobody can review them."""
LARGEST = 1 << 20
"""Nor are changes of larger files, in bytes."""


def suggest(report: Report, settings: Settings) -> Report:
    """Add what `fix` would change in the files of a report that have fixable findings.

    Nothing is written. The suggestions for a file together are what `fix` writes: a file has none
    if one of its changes is at no finding, only adds or removes lines, has too long lines, or
    reaches the end of the file.
    """
    lines: dict[str, set[int]] = {}
    for finding in report.findings:
        if finding.fixable and not paths.is_catalog_file(finding.path):
            lines.setdefault(finding.path, set()).add(finding.line)
    changes: list[Suggestion] = []
    findings = [*report.findings]
    for path, found in lines.items():
        with isolate(path, findings):
            of_file = list(_suggest(path, settings, found))
            if all(each.text and found.intersection(range(each.line, each.end_line + 1))
                   for each in of_file):
                changes += of_file
    failed = len(findings) - len(report.findings)
    sort(findings)
    return report._replace(findings=tuple(findings), suggestions=tuple(changes),
                           failed=report.failed + failed)


def _suggest(path: str, settings: Settings, found: set[int]) -> Iterator[Suggestion]:
    """Yield the changes of a file, with an empty text for one that cannot be suggested.

    There are none if a line in which something was ``found`` is too long: it would change.
    """
    from cachelint.fixer.page import fix_page

    root = paths.catalog_of(path)
    within = () if root is None else (paths.real_path(root),)
    raw = read_write.read(path, settings.max_page_size, within)
    if not isinstance(raw, bytes) or len(raw) > LARGEST:
        return
    old = raw.decode("utf-8", "replace").split("\n")
    if any(len(old[number - 1]) > LONGEST for number in found if number <= len(old)):
        return
    fixed = fix_page(raw, path, settings=settings, context=context_at(path, settings)).content
    new = fixed.decode("utf-8", "replace").split("\n")
    for first, last, lines in _compare(old, new):
        is_short = all(len(line) <= LONGEST for line in [*old[first:last], *lines])
        is_change = is_short and first < last < len(old)
        yield Suggestion(path, first + 1, last, "\n".join(lines) if is_change else "")


def _compare(old: list[str], new: list[str]) -> Iterator[tuple[int, int, list[str]]]:
    """Yield where old lines begin and end that differ, and the new lines instead of them."""
    if len(old) == len(new):  # nearly always: a key is a line
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            if before != after:
                yield index, index + 1, [after]
        return
    for first, last, new_first, new_last in changed_lines(old, new):
        yield first, last, new[new_first:new_last]
