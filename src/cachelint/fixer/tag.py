"""Fix the pages of one folder below ``_cache``."""

from __future__ import annotations

from collections.abc import Callable

from cachelint.files import read_write
from cachelint.files.discovery import TagTask
from cachelint.files.paths import find_top, join, linked_target, real_path
from cachelint.fixer.page import fix_checked
from cachelint.fixer.replace import Outcome, replace_file
from cachelint.linter.fastpath import fast_path_for
from cachelint.linter.findings import isolate, sort
from cachelint.linter.page import context_of
from cachelint.linter.tag import TagResult, TagTally, pages_of, read_page, whole_tag_findings
from cachelint.model import NO_PAGE, CachelintError, FileChange, Finding
from cachelint.rules.selection import Settings, apply_overrides


def fix_tag(task: TagTask, settings: Settings, *, write: bool = True) -> TagResult:
    """Fix the pages of one folder; without ``write``, only return what would change."""
    findings: list[Finding] = []
    changes: list[FileChange] = []
    skipped: list[tuple[str, str]] = []
    tally = TagTally(task)
    context, fast = context_of(settings, NO_PAGE, task.stacks), fast_path_for(settings).lint
    unwritten = 0
    find_reason: Callable[[str], str] | None = None
    for path, page_id in pages_of(task, settings, tally, findings):
        number, hashes = None, b""
        with isolate(path, findings):
            raw = read_page(path, task, settings, findings)
            if raw is not None:
                fixed, result = fix_checked(
                    raw, path, context._replace(page_id=page_id), settings, fast)
                reason = fixed.reason
                if fixed.content != raw:
                    find_reason = find_reason or _reasons_to_skip(task)
                    why = find_reason(path)
                    reason, is_failure = Outcome(why) if why else replace_file(
                        path, fixed.content, raw, task.within, write=write)
                    unwritten += is_failure
                if reason:
                    skipped.append((path, reason))
                elif fixed.content != raw:
                    changes.append(FileChange.of(
                        path, raw, fixed.content, fixed.found, fixed.findings, keep=not write))
                findings += fixed.found if reason else fixed.findings
                number, hashes = result.num_specs, result.hashes
        tally.add(path, page_id, number, hashes)
    if write:
        _remove_leftovers(task, tally)
    findings += whole_tag_findings(tally, task, settings)
    findings = apply_overrides(findings, settings)
    sort(findings)
    return TagResult(task, findings, tally.checked, tally.result(), changes=changes,
                     skipped=skipped, unwritten=unwritten)


def _reasons_to_skip(task: TagTask) -> Callable[[str], str]:
    """Return what gives the reason to skip a page that is not part of the catalog's checkout.

    Git ignores it, or it is in another checkout, and neither it nor its tag was named.
    """
    root, folder = real_path(task.root), real_path(join(task.root, f"_cache/{task.tag}"))
    outer, top = find_top(root), find_top(folder)
    if task.within != (root,) or outer is None:  # it was named, or there is no checkout
        return lambda _: ""
    from cachelint.files import git  # which needs what only a fix of a checkout needs

    hint = "name it to fix it"
    try:
        if why := git.find_reason_to_skip(folder, root):
            return lambda _: f"{why}: {hint}"
        # a catalog that is ignored as a whole was named itself
        ignored = frozenset() if git.is_ignored(outer, root) else git.list_ignored(folder)
    except CachelintError as error:
        why = f"it is not known whether git ignores it: {error}"
        return lambda _: why

    def find_reason(path: str) -> str:
        if real_path(path) in ignored:
            return f"ignored by git: {hint}"
        return f"another checkout: {hint}" if find_top(path.rpartition("/")[0]) != top else ""

    return find_reason


def _remove_leftovers(task: TagTask, tally: TagTally) -> None:
    """Remove what an earlier run that was killed has left in the folders of a task."""
    found = list(tally.temporary)
    for folder in {path.rpartition("/")[0] for path in task.pages or ()}:
        found += read_write.find_temporary(folder or ".")
    read_write.remove_leftovers(path for path in found if not linked_target(path, task.within))
