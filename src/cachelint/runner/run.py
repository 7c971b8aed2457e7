"""A whole run: from paths to a report, over as many processes as are wanted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from typing import TYPE_CHECKING, NamedTuple

from cachelint.document.catalog_files import TagFacts
from cachelint.files import discovery
from cachelint.files.discovery import Selection, TagTask
from cachelint.linter.page import sort
from cachelint.linter.tag import (
    OwnFiles,
    TagResult,
    check_catalog,
    check_file,
    check_tag,
    join_facts,
    read_own_files,
    tasks_of,
)
from cachelint.model import CachelintError, Finding, Report
from cachelint.rules import OF_INDEX
from cachelint.rules.selection import ALWAYS, FileIgnore, Settings, resolve_settings
from cachelint.runner import baseline as baselines
from cachelint.runner import workers
from cachelint.runner.baseline import Baseline, Key

if TYPE_CHECKING:
    from cachelint.fixer.page import CatalogFixed, TagFixed
    from cachelint.linter.changes import Scope
    from cachelint.runner.gate import Gate
    from cachelint.runner.verify import VerifiedTag


class Progress:
    """How far a run has come."""

    def __init__(self, tasks: Iterable[TagTask], watch: Callable[[Progress], None]) -> None:
        """Begin with all tasks to be done; ``watch`` is called as they are, and now and then."""
        self.pages = 0
        """Pages checked so far."""
        self.findings = 0
        """Findings so far, of which a baseline may know some."""
        self.left = dict.fromkeys(tasks)
        """What is not done."""
        self.tags = len(self.left)
        """How many tasks there are in all."""
        self._watch = watch

    def add(self, result: TagResult | TagFixed | VerifiedTag | None) -> None:
        """Count what a task found, if one was done."""
        if result is not None:
            self.pages += result.pages
            self.findings += len(result.findings)
            self.left.pop(result.task, None)
        self._watch(self)


OnProgress = Callable[[Progress], None]
"""Is called in the calling thread as work is done, some ten times a second at most times."""


def check(
    paths: Iterable[str] = (".",),
    *,
    settings: Settings | None = None,
    jobs: int = 1,
    diff_base: str | None = None,
    baseline: str | None = None,
    on_progress: OnProgress | None = None,
    gate: Gate | None = None,
) -> Report:
    """Check pages and catalogs.

    Args:
        paths: Files and folders; a folder is searched for catalogs.
        settings: Which rules run, and their configuration; the defaults if not given.
        jobs: How many processes to use at most.
        diff_base: A git revision: only what differs from its merge base with HEAD is checked, and
            frozen tags are compared with it.
        baseline: The file of known findings, which are left out.
        on_progress: Is called as work is done.
        gate: How the baseline is read, and findings about it and the configuration.

    Returns:
        The findings, sorted, with the number of pages and the seconds taken.

    Raises:
        CachelintError: A path does not exist, a folder has no page, git cannot tell what changed,
            or the baseline is damaged.
    """
    settings = resolve_settings(settings)
    start = time.perf_counter()
    known = _read_baseline(baseline, gate)
    found = _find(paths, settings, jobs, diff_base, on_progress)
    findings = _add_findings(found.findings, gate)
    applied = baselines.apply(findings, known, baseline or "", found.was_sought)
    return Report(tuple(applied.findings), found.pages, time.perf_counter() - start,
                  applied.suppressed, tuple(applied.stale), found.not_run, found.unused,
                  found.notes, found.compared, found.base)


def report_on_page(
    findings: Iterable[Finding], path: str, settings: Settings, baseline: str | None
) -> Report:
    """Make the report on one page that is held in memory, without what a baseline knows of it.

    Raises CachelintError for a baseline that is damaged.
    """
    known = baselines.read(baseline) if baseline else {}
    root, below = discovery.locate_in_catalog(path)
    was_sought = _sought(settings, [(root, below)], _OF_CATALOGS)
    applied = baselines.apply(findings, known, baseline or "", was_sought)
    return Report(tuple(applied.findings), 1, suppressed=applied.suppressed,
                  stale=tuple(applied.stale))


def write_baseline(
    path: str,
    paths: Iterable[str] = (".",),
    *,
    settings: Settings | None = None,
    jobs: int = 1,
    diff_base: str | None = None,
    on_progress: OnProgress | None = None,
    gate: Gate | None = None,
) -> Report:
    """Check as `check` does, and write all findings to the file ``path`` as known ones.

    What an older baseline there knows of files that are not checked now is kept.

    Returns:
        The report of the same run against the baseline that was written.

    Raises:
        CachelintError: As `check`, or the file cannot be written.
    """
    settings = resolve_settings(settings)
    start = time.perf_counter()
    older = baselines.read(path) if discovery.exists(path) else {}
    found = _find(paths, settings, jobs, diff_base, on_progress)
    kept = {key: count for key, count in older.items() if not found.was_sought(key, path)}
    baselines.write(path, found.findings, kept)
    findings = [finding for finding in _add_findings(found.findings, gate)
                if finding.code in ALWAYS]
    return Report(tuple(findings), found.pages, time.perf_counter() - start,
                  sum(finding.code not in ALWAYS for finding in found.findings),
                  notes=found.notes, compared=found.compared, base=found.base)


def _read_baseline(path: str | None, gate: Gate | None) -> Baseline:
    if path is None:
        return {}
    return baselines.read(path) if gate is None else gate.read_baseline(path)


def _add_findings(findings: list[Finding], gate: Gate | None) -> list[Finding]:
    """Return all findings of a run, sorted."""
    every = [*findings, *(gate.findings if gate is not None else ())]
    sort(every)
    return every


class _Found(NamedTuple):
    findings: list[Finding]
    pages: int
    was_sought: Callable[[Key, str], bool]
    """Whether a rule ran on a file."""
    not_run: tuple[str, ...]
    unused: tuple[FileIgnore, ...] = ()
    notes: tuple[str, ...] = ()
    compared: int | None = None
    base: str = ""


_OF_WHOLE_TAGS = ("CL603", "CL605", "CL606", "CL607", "CL608", "CL609")
_NOT_OF_CHANGES = ("CL607", "CL608")
_OF_CHANGES = ("CL801", "CL802", "CL803", "CL804", "CL805")
_OF_CATALOGS = (*_OF_WHOLE_TAGS, *_OF_CHANGES)


def _sought(
    settings: Settings, checked: Iterable[tuple[str | None, str]], not_run: Iterable[str]
) -> Callable[[Key, str], bool]:
    """Return what tells whether a rule ran on a file, by its key in a baseline.

    Args:
        settings: Which rules run, and on what.
        checked: What was checked: a catalog, and in it a file, or a folder, which ends in a slash;
            empty for all of it.
        not_run: Codes of rules that could not run, whatever is selected.
    """
    run = settings.selected.difference(not_run, OF_INDEX)
    catalogs: dict[str, set[str]] = {}
    for root, path in checked:
        catalogs.setdefault(root or "", set()).add(path)
    relative_catalog = cache(baselines.relative_catalog)

    def was_sought(key: Key, baseline: str) -> bool:
        if (key.rule not in run or settings.excludes(key.path)
                or key.rule not in settings.runs_on(key.path)):
            return False
        parts = key.path.split("/")
        names = {"", key.path, *("/".join([*parts[:end], ""]) for end in range(1, len(parts)))}
        return any(not names.isdisjoint(paths) for root, paths in catalogs.items()
                   if key.catalog in ("", relative_catalog(root, baseline)))

    return was_sought


def _find(
    paths: Iterable[str], settings: Settings, jobs: int, diff_base: str | None,
    on_progress: OnProgress | None,
) -> _Found:
    """Find what is wrong, in all that the paths select or in what of it changed."""
    selection = _select(paths)
    findings: list[Finding] = []
    pages = 0
    if diff_base is not None:
        scopes = _scopes(selection, diff_base, settings)
        tasks = [task for each in scopes for task in each.tasks]
        others = [task for each in scopes for task in each.others]
        on_done = on_progress and Progress([*tasks, *others], on_progress).add
        for result in workers.run(partial(check_tag, settings=settings), tasks, jobs, on_done):
            findings += result.findings
            pages += result.pages
        findings += _of_others(others, settings, jobs, on_done)
        for each in scopes:
            findings += each.findings
            findings += check_catalog(each.root, each.facts, settings, is_whole=False,
                                      own_files=each.own_files)
        sort(findings)
        not_run = tuple(code for code in _NOT_OF_CHANGES if code in settings.selected)
        was_sought = _sought(
            settings, ((each.root, path) for each in scopes for path in each.paths), not_run)
        return _Found(findings, pages, was_sought, not_run, (), *_compared(selection, scopes))
    facts: list[TagFacts] = []
    used: set[FileIgnore] = set()
    tasks = tasks_of(selection)
    on_done = on_progress and Progress(tasks, on_progress).add
    catalogs: list[OwnFiles] = []

    def read_catalogs() -> None:
        for root, is_whole in _catalogs(selection).items():
            catalogs.append(read_own_files(root, settings, is_whole=is_whole))

    work = partial(check_tag, settings=settings)
    for result in workers.run(work, tasks, jobs, on_done, meanwhile=read_catalogs):
        findings += result.findings
        facts.append(result.facts)
        pages += result.pages
        used |= result.used
    for own in catalogs:
        of_root = [fact for fact in facts if fact.root == own.root and fact.tag]
        findings += join_facts(own, of_root, settings, used)
    for path in _named_files(selection):
        findings += check_file(path, settings)
    sort(findings)
    is_impossible = any(task.pages is not None for task in selection.tasks)
    not_run = tuple(code for code in _OF_WHOLE_TAGS if code in settings.selected and is_impossible)
    unused = (entry for entry in settings.per_file_ignores if entry not in used)
    was_sought = _sought(settings, _list_checked(selection), (*not_run, *_OF_CHANGES))
    return _Found(findings, pages, was_sought, not_run,
                  tuple(unused) if _is_whole(selection) else (), selection.notes)


def _select(paths: Iterable[str]) -> Selection:
    """Find what paths name, without what git ignores and other checkouts."""
    selection = discovery.select(paths)
    if not selection.searched:
        return selection
    from cachelint.files import git  # which most runs do not need

    return git.skip_catalogs(selection)


def find_catalogs(paths: Iterable[str]) -> list[str]:
    """Return the folders of the catalogs that a run over ``paths`` is about, sorted.

    There are none if the paths are invalid, which the run reports. In the folder of a catalog it
    is this one, whatever is below it.
    """
    paths = list(paths)
    if paths == ["."] and discovery.exists("_cache"):
        return paths
    sample: dict[str, str] = {}
    for path in paths:
        head, name, _ = path.rpartition("_cache/")
        sample.setdefault(head if name else path, path)  # one path of each catalog will do
    try:
        return _roots(_select(sample.values()))
    except CachelintError:
        return []


def _compared(selection: Selection, scopes: list[Scope]) -> tuple[tuple[str, ...], int, str]:
    """Return what a report tells of a comparison: notes, the number of pages, the commit."""
    notes = (*selection.notes, *(note for each in scopes for note in each.notes))
    return notes, sum(each.compared for each in scopes), scopes[0].base if scopes else ""


def _scopes(selection: Selection, revision: str, settings: Settings) -> list[Scope]:
    """Work out what of each selected catalog differs from a base revision."""
    from cachelint.linter.changes import scope  # which needs what a check does not

    return [scope(root, revision, selection, settings) for root in _roots(selection)]


def _of_others(
    others: list[TagTask], settings: Settings, jobs: int,
    on_done: Callable[[TagResult | TagFixed | None], None] | None,
) -> list[Finding]:
    """Find specs in stacks that their tag no longer has, on pages that did not change."""
    stacks_alone = settings._replace(selected=settings.selected & {"CL604"})
    work = partial(check_tag, settings=stacks_alone)
    return [finding for result in workers.run(work, others, jobs, on_done)
            for finding in result.findings]


def _is_whole(selection: Selection) -> bool:
    """Say whether whole catalogs are selected, and no part of another."""
    return bool(selection.roots) and all(
        task.pages is None and task.root in selection.roots for task in selection.tasks)


def _roots(selection: Selection) -> list[str]:
    """Return every catalog of which something is selected."""
    roots = dict.fromkeys(selection.roots)
    roots |= dict.fromkeys(task.root for task in selection.tasks if task.tag)
    roots |= dict.fromkeys(discovery.catalog_of_file(path) for path in selection.catalog_files)
    return sorted(roots, key=discovery.path_key)


def _list_checked(selection: Selection) -> Iterator[tuple[str | None, str]]:
    """Yield the catalogs, and in them the folders and files, that are part of a selection."""
    for root in selection.roots:
        yield root, ""
    for task in selection.tasks:
        if task.pages is None:
            yield task.root, f"_cache/{task.tag}/"
        else:
            yield from map(discovery.locate_in_catalog, task.pages)
    yield from map(discovery.locate_in_catalog, selection.catalog_files)


def _catalogs(selection: Selection) -> dict[str, bool]:
    """Return each catalog of which at least a tag is looked at whole, and whether all of it is."""
    roots = {task.root: False for task in selection.tasks if task.tag and task.pages is None}
    return roots | dict.fromkeys(selection.roots, True)


def _named_files(selection: Selection) -> list[str]:
    """Return the catalogs' own files that were named and are not checked with their catalog."""
    return [path for path in selection.catalog_files
            if discovery.catalog_of_file(path) not in selection.roots]


class FixReport(NamedTuple):
    """What a run of `fix` did."""

    report: Report
    """What is left."""
    changed: tuple[tuple[str, bytes, bytes], ...]
    """Path of each file that was mended; where nothing was written, its bytes before and after."""
    fixed: int
    """How many findings were mended."""
    refused: tuple[tuple[str, str], ...]
    """Path of each page that was left alone, and why."""


def fix(
    paths: Iterable[str] = (".",), *, settings: Settings | None = None, jobs: int = 1,
    write: bool = True, diff_base: str | None = None, baseline: str | None = None,
    on_progress: OnProgress | None = None,
    gate: Gate | None = None,
) -> FixReport:
    """Mend pages and catalogs.

    Args:
        paths: Files and folders; a folder is searched for catalogs.
        settings: Which rules make a page worth mending; the defaults if not given.
        jobs: How many processes to use at most.
        write: Whether to replace files; without, only what would be written is returned.
        diff_base: A git revision: only what differs from its merge base with HEAD is mended.
        baseline: The file of known findings. They are mended, too, and if they cannot be, they
            are left out of what is left.
        on_progress: Is called as work is done.
        gate: How the baseline is read, and findings about it and the configuration.

    Returns:
        What is left, what was changed, and what was left alone and why.

    Raises:
        CachelintError: A path does not exist, a folder has no page, git cannot tell what changed,
            or the baseline is damaged.
    """
    from cachelint.fixer.page import fix_catalog, fix_tag  # which a check does not need

    settings = resolve_settings(settings)
    start = time.perf_counter()
    known = _read_baseline(baseline, gate)
    selection = _select(paths)
    findings: list[Finding] = []
    facts: list[TagFacts] = []
    changed: list[tuple[str, bytes, bytes]] = []
    refused: list[tuple[str, str]] = []
    pages = mended = 0
    scopes = [] if diff_base is None else _scopes(selection, diff_base, settings)
    tasks = tasks_of(selection) if diff_base is None else [
        task for each in scopes for task in each.tasks]
    others = [task for each in scopes for task in each.others]
    work = partial(fix_tag, settings=settings, write=write)
    on_done = on_progress and Progress([*tasks, *others], on_progress).add
    for result in workers.run(work, tasks, jobs, on_done):
        findings += result.findings
        facts.append(result.facts)
        changed += result.changed
        refused += result.refused
        pages += result.pages
        mended += result.fixed
    catalogs: list[CatalogFixed] = []
    if diff_base is None:
        for root, is_whole in _catalogs(selection).items():
            of_root = [fact for fact in facts if fact.root == root and fact.tag]
            catalogs.append(fix_catalog(root, of_root, settings, is_whole=is_whole, write=write))
        for path in _named_files(selection):
            findings += check_file(path, settings)
    else:
        for each in scopes:
            catalogs.append(fix_catalog(each.root, each.facts, settings, is_whole=False,
                                        write=write, own_files=each.own_files))
        # a page that was mended may be again what it was at the base
        for each in _scopes(selection, diff_base, settings) if write and changed else scopes:
            findings += each.findings
        findings += _of_others(others, settings, jobs, on_done)
    for done in catalogs:
        findings += done.findings
        changed += done.changed
        refused += done.refused
        mended += done.fixed
    findings = _add_findings(findings, gate)
    left = baselines.apply(findings, known, baseline or "", lambda *_: False)
    notes, compared, base = _compared(selection, scopes)
    report = Report(tuple(left.findings), pages, time.perf_counter() - start, left.suppressed,
                    notes=notes, compared=None if diff_base is None else compared, base=base)
    return FixReport(report, tuple(changed), mended, tuple(refused))
