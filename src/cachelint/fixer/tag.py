"""Fix the pages of one folder below ``_cache``."""

from __future__ import annotations

from cachelint.files import read_write
from cachelint.files.discovery import TagTask
from cachelint.files.paths import linked_target
from cachelint.fixer.page import fix_checked
from cachelint.fixer.replace import replace_file
from cachelint.linter.fastpath import fast_path_for
from cachelint.linter.findings import internal_error, sort
from cachelint.linter.page import context_of
from cachelint.linter.tag import TagResult, TagTally, pages_of, whole_tag_findings
from cachelint.model import NO_PAGE, FileChange, Finding
from cachelint.rules.selection import Settings, apply_overrides


def fix_tag(task: TagTask, settings: Settings, *, write: bool = True) -> TagResult:
    """Fix the pages of one folder; without ``write``, only return what would change."""
    findings: list[Finding] = []
    changes: list[FileChange] = []
    skipped: list[tuple[str, str]] = []
    tally = TagTally(task)
    context, fast = context_of(settings, NO_PAGE, task.stacks), fast_path_for(settings).lint
    failed = 0
    for path, page_id, raw in pages_of(task, settings, tally, findings):
        try:
            fixed, result = fix_checked(
                raw, path, context._replace(page_id=page_id), settings, fast)
        except Exception as error:  # one page must not end the run
            findings.append(internal_error(path, error))
            failed += 1
            tally.add(path, page_id, None)
            continue
        tally.add(path, page_id, result.num_specs, result.hashes)
        reason = fixed.reason
        if fixed.content != raw:
            reason, is_failure = replace_file(
                path, fixed.content, raw, task.within, write=write)
            failed += is_failure
        if reason:
            skipped.append((path, reason))
        elif fixed.content != raw:
            changes.append(FileChange.of(path, raw, fixed.content, fixed.found, fixed.findings,
                                         keep=not write))
        findings += fixed.found if reason else fixed.findings
    if write:
        _remove_leftovers(task, tally)
    findings += whole_tag_findings(tally, task, settings)
    findings = apply_overrides(findings, settings)
    sort(findings)
    return TagResult(task, findings, tally.checked, tally.result(), changes=changes,
                     skipped=skipped, failed=failed)


def _remove_leftovers(task: TagTask, tally: TagTally) -> None:
    """Remove what an earlier run that was killed has left in the folders of a task."""
    found = list(tally.temporary)
    for folder in {path.rpartition("/")[0] for path in task.pages or ()}:
        found += read_write.find_temporary(folder or ".")
    read_write.remove_leftovers(path for path in found if not linked_target(path, task.within))
