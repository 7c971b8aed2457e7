"""A whole run: from paths to a report, over several processes.

Check, fix and ``--diff-base`` are one orchestration: a plan of what to do, the tags in processes,
the catalogs' own files with what the tags contain, and a report.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from functools import cache, partial
from typing import TYPE_CHECKING

from cachelint.document.catalog_files import TagFacts
from cachelint.files import discovery
from cachelint.files.discovery import Selection, TagTask
from cachelint.files.paths import catalog_of_file, exists, locate_in_catalog, path_key
from cachelint.linter.catalog import OwnFiles, lint_catalog, read_named_file, read_own_files
from cachelint.linter.findings import count_failures, sort
from cachelint.linter.tag import TagResult, check_tag, fail_tag, is_excluded, tasks_of
from cachelint.model import CachelintError, FileChange, Finding, NamedTuple, Report
from cachelint.rules import ALL_RULES, OF_INDEX
from cachelint.rules.selection import FileIgnore, Settings, resolve_settings
from cachelint.runner import workers

if TYPE_CHECKING:
    from cachelint.linter.changes import Scope
    from cachelint.linter.diff import TagDiff
    from cachelint.runner.baseline import Baseline, Key
    from cachelint.runner.gate import Gate
    from cachelint.runner.verify import VerifiedTag


class Mode(str, Enum):
    """What a run does."""

    CHECK = "check"
    FIX = "fix"


class Progress:
    """How far a run has come."""

    def __init__(self, tasks: Iterable[TagTask], watch: Callable[[Progress], None]) -> None:
        """Begin with all tasks to be done; ``watch`` is called as they are, and now and then."""
        self.pages = 0
        """Pages checked so far."""
        self.findings = 0
        """Findings so far; some may be in a baseline."""
        self.left = dict.fromkeys(tasks)
        """What is not done."""
        self.tags = len(self.left)
        """How many tasks there are in all."""
        self._watch = watch

    def add(self, result: TagResult | VerifiedTag | TagDiff | None) -> None:
        """Count what a task found, if one was done."""
        if result is not None:
            self.pages += result.pages
            self.findings += len(getattr(result, "findings", ()))
            self.left.pop(result.task, None)
        self._watch(self)


OnProgress = Callable[[Progress], None]
"""Is called in the calling thread as work is done, some ten times a second at most times."""


class RunOptions(NamedTuple):
    """How a run does it."""

    jobs: int = 1
    """Processes at most."""
    write: bool = True
    """Whether `fix` replaces files."""
    staged: bool = False
    """Whether files are left out that git does not track, as for a commit."""
    diff_base: str | None = None
    """A git revision: only what differs from its merge base with HEAD is checked or fixed."""
    baseline: str | None = None
    """The file of known findings."""
    on_progress: OnProgress | None = None
    gate: Gate | None = None
    """How the baseline is read, and findings about it and the configuration."""
    write_baseline: str | None = None
    """The file to which all findings are written as known ones."""


class FixReport(NamedTuple):
    """What a run of `fix` did."""

    report: Report
    """What is left."""
    changed: tuple[FileChange, ...]
    """Each file that was fixed; where nothing was written, with its bytes before and after."""
    fixed: int
    """How many findings were fixed."""
    skipped: tuple[tuple[str, str], ...]
    """The path of each file that was skipped, and why."""


def check(
    paths: Iterable[str] = (".",),
    *,
    settings: Settings | None = None,
    jobs: int = 1,
    diff_base: str | None = None,
    baseline: str | None = None,
    on_progress: OnProgress | None = None,
    gate: Gate | None = None,
    staged: bool = False,
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
        staged: With ``diff_base``: leave out files that git does not track, as for a commit.

    Returns:
        The findings, sorted, with the number of pages and the seconds taken.

    Raises:
        CachelintError: A path does not exist, a folder has no page, git cannot list what changed,
            or the baseline is damaged.
    """
    options = RunOptions(jobs, False, staged, diff_base, baseline, on_progress, gate)
    return run(Mode.CHECK, paths, resolve_settings(settings), options)


def fix(
    paths: Iterable[str] = (".",), *, settings: Settings | None = None, jobs: int = 1,
    write: bool = True, diff_base: str | None = None, baseline: str | None = None,
    on_progress: OnProgress | None = None, gate: Gate | None = None,
) -> FixReport:
    """Fix pages and catalogs.

    Args:
        paths: Files and folders; a folder is searched for catalogs.
        settings: Which rules make a page worth fixing; the defaults if not given.
        jobs: How many processes to use at most.
        write: Whether to replace files; without, only what would be written is returned.
        diff_base: A git revision: only what differs from its merge base with HEAD is fixed.
        baseline: The file of known findings. They are fixed, too, and if they cannot be, they
            are left out of what is left.
        on_progress: Is called as work is done.
        gate: How the baseline is read, and findings about it and the configuration.

    Returns:
        What is left, what was changed, and what was skipped and why.

    Raises:
        CachelintError: A path does not exist, a folder has no page, git cannot list what changed,
            or the baseline is damaged.
    """
    options = RunOptions(jobs, write, False, diff_base, baseline, on_progress, gate)
    report = run(Mode.FIX, paths, resolve_settings(settings), options)
    fixed = sum(len(change.fixed) for change in report.changes)
    return FixReport(report, report.changes, fixed, report.skipped)


def run(mode: Mode, paths: Iterable[str], settings: Settings, options: RunOptions) -> Report:
    """Check or fix what ``paths`` name.

    Raises CachelintError as `check` does.
    """
    start = time.perf_counter()
    known = read_baseline(options)
    plan = make_plan(
        discovery.select(paths, needs_pages=options.diff_base is None), settings,
        options.diff_base, staged=options.staged)
    found = _execute(mode, plan, settings, options)
    if mode is Mode.FIX:
        plan = plan._replace(notes=(*plan.notes, *(
            f"{path}: fixed by itself; counts and tag pages need the catalog: "
            f"cachelint fix {catalog_of_file(path)}" for path in plan.named_files)))
    if mode is Mode.FIX and options.diff_base is not None and options.write and found.changes:
        # a page that was fixed may again be what it was at the base
        again = make_plan(discovery.select(paths, needs_pages=False), settings, options.diff_base)
        found.replace(plan.findings, again.findings)
    was_sought = plan.was_sought if mode is Mode.CHECK else lambda *_: False
    baseline = options.baseline
    if options.write_baseline is not None:
        from cachelint.runner import baseline as baselines

        baseline = options.write_baseline
        known = baselines.update(baseline, found.findings, was_sought)
    findings, suppressed, stale = _apply_baseline(found.findings, known, baseline, was_sought)
    return Report(
        findings, found.pages, time.perf_counter() - start, suppressed, stale, plan.not_run,
        found.unused(plan, settings),
        plan.notes, plan.compared, plan.base,
        changes=tuple(sorted(found.changes, key=lambda change: path_key(change.path))),
        skipped=tuple(found.skipped), failed=found.unwritten + count_failures(findings))


def read_baseline(options: RunOptions) -> Baseline:
    """Return what the baseline of a run contains."""
    if options.baseline is None:
        return {}
    from cachelint.runner import baseline as baselines

    read = options.gate.read_baseline if options.gate is not None else None
    return (read or baselines.read)(options.baseline)


def _apply_baseline(
    findings: list[Finding], known: Baseline, path: str | None,
    was_sought: Callable[[Key, str], bool],
) -> tuple[tuple[Finding, ...], int, tuple[Key, ...]]:
    """Return the findings that are not known, how many are, and what is known and was not found."""
    if not known:
        return tuple(findings), 0, ()
    from cachelint.runner import baseline as baselines

    applied = baselines.apply(findings, known, path or "", was_sought)
    return tuple(applied.findings), applied.suppressed, tuple(applied.stale)


def report_on_page(
    findings: Iterable[Finding], path: str, settings: Settings, baseline: str | None
) -> Report:
    """Make the report on one page that is held in memory, without what a baseline contains of it.

    Raises CachelintError for a baseline that is damaged.
    """
    known = read_baseline(RunOptions(baseline=baseline))
    not_run = [rule.code for rule in ALL_RULES
               if rule.needs_whole_tag or rule.emitted_by == "changes"]
    was_sought = _sought(settings, [locate_in_catalog(path)], not_run)
    left, suppressed, stale = _apply_baseline(list(findings), known, baseline, was_sought)
    pages = int(not is_excluded(path, settings))
    return Report(left, pages, suppressed=suppressed, stale=stale, failed=count_failures(left))


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

    What an older baseline there contains of files that are not checked now is kept.

    Returns:
        The report of the same run against the baseline that was written.

    Raises:
        CachelintError: As `check`, or the file cannot be written.
    """
    options = RunOptions(jobs, False, False, diff_base, None, on_progress, gate, path)
    return run(Mode.CHECK, paths, resolve_settings(settings), options)


# ------------------------------------------------------------------------------- the plan


class _CatalogPart(NamedTuple):
    """What is checked of a catalog's own files."""

    root: str
    is_whole: bool
    own_files: frozenset[str] = frozenset()
    facts: list[TagFacts] | None = None
    """None where they follow from the tags that are checked."""


class Plan(NamedTuple):
    """What a run has to do."""

    tasks: list[TagTask]
    unchanged: list[TagTask]
    """Pages to which only the rules apply whose answer depends on their tag's changed entry."""
    catalogs: list[_CatalogPart]
    named_files: list[str]
    """The catalogs' own files that were named and are not checked with their catalog."""
    findings: list[Finding]
    """What the comparison with the base revision found, and making the plan."""
    was_sought: Callable[[Key, str], bool]
    """Whether a rule runs on a file."""
    not_run: tuple[str, ...]
    """Codes of selected rules that cannot run on what is checked."""
    is_whole: bool
    """Whether whole catalogs are checked, and no part of another."""
    notes: tuple[str, ...]
    compared: int | None = None
    """How many pages were compared with the base; None without one."""
    base: str = ""
    """The commit that they were compared with."""


def find_catalogs(paths: Iterable[str]) -> list[str]:
    """Return the folders of the catalogs that a run over ``paths`` is about, sorted.

    There are none if the paths are invalid, which the run reports. In the folder of a catalog it
    is this one, whatever is below it.
    """
    paths = list(paths)
    if paths == ["."] and exists("_cache"):
        return paths
    sample: dict[str, str] = {}
    for path in paths:
        head, name, _ = f"/{path}".rpartition("/_cache/")
        sample.setdefault(head if name else path, path)  # one path of each catalog will do
    try:
        return roots_of(discovery.select(sample.values(), needs_pages=False))
    except CachelintError:
        return []


def make_plan(
    selection: Selection, settings: Settings, diff_base: str | None, *, staged: bool = False
) -> Plan:
    """Plan to check what is selected, or what of it differs from a base revision."""
    if diff_base is not None:
        return _plan_changes(selection, settings, diff_base, staged=staged)
    needs_whole_tag = tuple(rule.code for rule in ALL_RULES if rule.needs_whole_tag)
    named = [path for path in selection.catalog_files
             if catalog_of_file(path) not in selection.roots]
    is_partial = bool(named) or any(task.pages is not None for task in selection.tasks)
    not_run = needs_whole_tag if is_partial else ()
    of_changes = [rule.code for rule in ALL_RULES if rule.emitted_by == "changes"]
    roots = {task.root: False for task in selection.tasks if task.tag and task.pages is None}
    roots |= dict.fromkeys(selection.roots, True)
    is_whole = bool(selection.roots) and all(
        task.pages is None and task.root in selection.roots for task in selection.tasks)
    failures: list[Finding] = []
    return Plan(
        tasks_of(selection, failures), [],
        [_CatalogPart(root, whole) for root, whole in roots.items()], named, failures,
        _sought(settings, _list_checked(selection), (*not_run, *of_changes)),
        tuple(code for code in not_run if code in settings.selected), is_whole, selection.notes)


def _plan_changes(
    selection: Selection, settings: Settings, diff_base: str, *, staged: bool
) -> Plan:
    """Plan to check what of each selected catalog differs from a base revision."""
    from cachelint.files.compare import find_removed
    from cachelint.linter.changes import scope  # which needs what a check does not

    selection = find_removed(selection, diff_base)
    scopes: list[Scope] = [scope(root, diff_base, selection, settings, untracked=not staged)
                           for root in roots_of(selection)]
    not_run = tuple(rule.code for rule in ALL_RULES
                    if not rule.runs_on_changes and rule.code in settings.selected)
    return Plan(
        [task for each in scopes for task in each.tasks],
        [task for each in scopes for task in each.others],
        [_CatalogPart(each.root, False, each.own_files, each.facts) for each in scopes
         if each.facts or each.own_files],
        [], [finding for each in scopes for finding in each.findings],
        _sought(settings, ((each.root, path) for each in scopes for path in each.paths), not_run),
        not_run, False,
        (*selection.notes, *(note for each in scopes for note in each.notes)),
        sum(each.compared for each in scopes), scopes[0].base if scopes else "")


def _sought(
    settings: Settings, checked: Iterable[tuple[str | None, str]], not_run: Iterable[str]
) -> Callable[[Key, str], bool]:
    """Do as `make_was_sought` of a check without the rules that could not run."""
    return make_was_sought(settings, checked, settings.selected.difference(not_run, OF_INDEX))


def make_was_sought(
    settings: Settings, checked: Iterable[tuple[str | None, str]], run: frozenset[str]
) -> Callable[[Key, str], bool]:
    """Return what determines whether a rule ran on a file, by its key in a baseline.

    Args:
        settings: On what rules run.
        checked: What was checked: a catalog, and in it a file, or a folder, which ends in a slash;
            empty for all of it.
        run: Codes of the rules that ran.
    """
    catalogs: dict[str, set[str]] = {}
    for root, path in checked:
        catalogs.setdefault(root or "", set()).add(path)

    @cache
    def locate(root: str, baseline: str) -> str:
        from cachelint.runner.baseline import relative_catalog

        return relative_catalog(root, baseline)

    def was_sought(key: Key, baseline: str) -> bool:
        if (key.rule not in run or settings.excludes(key.path)
                or key.rule not in settings.runs_on(key.path)):
            return False
        parts = key.path.split("/")
        names = {"", key.path, *("/".join([*parts[:end], ""]) for end in range(1, len(parts)))}
        return any(not names.isdisjoint(paths) for root, paths in catalogs.items()
                   if key.catalog in ("", locate(root, baseline)))

    return was_sought


def roots_of(selection: Selection) -> list[str]:
    """Return every catalog with something selected."""
    roots = dict.fromkeys(selection.roots)
    roots |= dict.fromkeys(task.root for task in selection.tasks if task.tag)
    roots |= dict.fromkeys(catalog_of_file(path) for path in selection.catalog_files)
    return sorted(roots, key=path_key)


def _list_checked(selection: Selection) -> Iterator[tuple[str | None, str]]:
    """Yield the catalogs, and in them the folders and files, that are part of a selection."""
    for root in selection.roots:
        yield root, ""
    for task in selection.tasks:
        if task.pages is None:
            yield task.root, f"_cache/{task.tag}/"
        else:
            yield from map(locate_in_catalog, task.pages)
    yield from map(locate_in_catalog, selection.catalog_files)


# ------------------------------------------------------------------------------- its execution


class _Found:
    """What a run has found and done so far."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = list(findings)
        self.pages = 0
        self.unwritten = 0
        self.facts: list[TagFacts] = []
        self.used: set[FileIgnore] = set()
        self.changes: list[FileChange] = []
        self.skipped: list[tuple[str, str]] = []

    def add(self, result: TagResult) -> None:
        """Add what a tag's pages have."""
        self.findings += result.findings
        self.facts.append(result.facts)
        self.pages += result.pages
        self.unwritten += result.unwritten
        self.used |= result.used
        self.changes += result.changes
        self.skipped += result.skipped

    def unused(self, plan: Plan, settings: Settings) -> tuple[FileIgnore, ...]:
        """Return those of `per-file-ignores` that left nothing out of whole catalogs."""
        if not plan.is_whole:
            return ()
        return tuple(entry for entry in settings.per_file_ignores if entry not in self.used)

    def replace(self, before: list[Finding], after: list[Finding]) -> None:
        """Replace some of the findings."""
        gone = set(before)
        self.findings = [each for each in self.findings if each not in gone] + after
        sort(self.findings)


def _execute(mode: Mode, plan: Plan, settings: Settings, options: RunOptions) -> _Found:
    """Do what a plan contains: tags in processes, then the catalogs' own files."""
    found = _Found([*plan.findings, *(options.gate.findings if options.gate else ())])
    on_done = options.on_progress and Progress(
        [*plan.tasks, *plan.unchanged], options.on_progress).add
    own_files: list[OwnFiles] = []

    def read_catalogs() -> None:
        for part in plan.catalogs:
            own_files.append(read_own_files(
                part.root, settings, is_whole=part.is_whole, own_files=part.own_files))

    work = partial(workers.attempt, _work(mode, settings, options), fail_tag)
    for result in workers.run(work, plan.tasks, options.jobs, on_done, meanwhile=read_catalogs):
        found.add(result)
    by_root: dict[str, list[TagFacts]] = {}
    for fact in found.facts:
        if fact.tag:
            by_root.setdefault(fact.root, []).append(fact)
    for part, own in zip(plan.catalogs, own_files, strict=True):
        facts = by_root.get(own.root, []) if part.facts is None else part.facts
        _add_catalog(mode, own, facts, settings, options, found)
    for path in plan.named_files:
        _add_catalog(mode, read_named_file(path, settings), [], settings, options, found)
    dependent = frozenset(rule.code for rule in ALL_RULES if rule.depends_on_tag_entry)
    only = settings._replace(selected=settings.selected & dependent)
    work = partial(workers.attempt, partial(check_tag, settings=only), fail_tag)
    for result in workers.run(work, plan.unchanged, options.jobs, on_done):
        found.findings += result.findings
    if count_failures(plan.findings):
        # a file that fails while the plan is made can fail again while it is checked
        found.findings = list(dict.fromkeys(found.findings))
    sort(found.findings)
    return found


def _work(
    mode: Mode, settings: Settings, options: RunOptions
) -> Callable[[TagTask], TagResult]:
    """Return what is done with each tag."""
    if mode is Mode.CHECK:
        return partial(check_tag, settings=settings)
    from cachelint.fixer.tag import fix_tag  # which a check does not need

    return partial(fix_tag, settings=settings, write=options.write)


def _add_catalog(
    mode: Mode, own: OwnFiles, facts: list[TagFacts], settings: Settings, options: RunOptions,
    found: _Found,
) -> None:
    """Check or fix a catalog's own files."""
    if mode is Mode.CHECK:
        found.findings += lint_catalog(own, facts, settings, found.used)
        return
    from cachelint.fixer.catalog import fix_catalog

    fixed = fix_catalog(own, facts, settings, write=options.write)
    found.findings += fixed.findings
    found.changes += fixed.changes
    found.skipped += fixed.skipped
    found.unwritten += len(fixed.failures)
