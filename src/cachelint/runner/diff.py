"""Compare two sides of a catalog: the work tree with a base revision, or two folders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from cachelint.files import discovery
from cachelint.files.compare import Change, find_removed
from cachelint.files.discovery import Selection, TagTask
from cachelint.files.paths import (
    display_path,
    folders_above,
    is_page,
    join,
    path_key,
    real_path,
)
from cachelint.files.read_write import LEAVES
from cachelint.linter.changes import find_unknown, make_is_selected, select_changes
from cachelint.linter.diff import DiffTask, Only, TagDiff, diff_tag, fail_tag, split_path
from cachelint.linter.tag import tasks_of
from cachelint.model import (
    CachelintError,
    DiffReport,
    NamedTuple,
    PageChange,
    PageChangeKind,
    TagChanges,
)
from cachelint.rules.selection import Settings, resolve_settings
from cachelint.runner import workers
from cachelint.runner.run import OnProgress, Progress, roots_of
from cachelint.text import did_you_mean, plural


class _Catalog(NamedTuple):
    """What was found in a catalog."""

    root: str
    changes: list[PageChange]
    pages: int
    """Pages that were looked at."""
    names: set[tuple[str, str]]
    """Tag and package of all pages of both sides."""
    new: set[str]
    """Tags that only the new side has."""
    gone: set[str]
    excluded: int
    notes: tuple[str, ...]
    base: str = ""


class _Work(NamedTuple):
    """How tags are compared."""

    settings: Settings
    only: Only
    jobs: int
    on_progress: OnProgress | None

    def run(self, tasks: list[DiffTask]) -> Iterator[TagDiff]:
        """Compare tags, in processes."""
        on_done = self.on_progress and Progress(
            [task.new for task in tasks], self.on_progress).add
        work = partial(workers.attempt, partial(diff_tag, settings=self.settings), fail_tag)
        return workers.run(work, tasks, self.jobs, on_done)


def diff(
    sides: tuple[str, ...], *, settings: Settings | None = None, tags: Iterable[str] = (),
    packages: Iterable[str] = (), jobs: int = 1, on_progress: OnProgress | None = None,
    notes: tuple[str, ...] = (),
) -> DiffReport:
    """Compare spec data.

    Args:
        sides: A git revision, with whose merge base with HEAD the work tree is compared; or two
            folders, each a catalog or around one.
        settings: Which tags may change, and which pages are excluded.
        tags: Only these tags.
        packages: Only these packages.
        jobs: How many processes to use at most.
        on_progress: Is called as work is done.
        notes: What else the report notes.

    Raises:
        CachelintError: A side cannot be read, there is nothing to compare, or no page has one of
            the names.
    """
    only = Only(frozenset(tags), frozenset(packages))
    work = _Work(resolve_settings(settings), only, jobs, on_progress)
    if len(sides) == 2:
        found = [_diff_folders(*sides, work)]
    else:
        selection = find_removed(discovery.select(["."], needs_pages=False), sides[0])
        notes = (*selection.notes, *notes)
        found = [_diff_changes(root, sides[0], selection, work) for root in roots_of(selection)]
    names = {name for each in found for name in each.names}
    for kind, wanted, known in (("tag", only.tags, {tag for tag, _ in names}),
                                ("package", only.packages, {package for _, package in names})):
        for name in sorted(wanted - known):
            near = did_you_mean(name, known)
            raise CachelintError(f'unknown {kind} "{name}": neither side has a page of it'
                                 + (f"; {near}" if near else ""))
    if not any(each.pages or each.excluded for each in found):
        raise CachelintError("there is no page to compare on either side")
    return DiffReport(
        sides, found[0].base,
        sum(each.pages - sum(bool(page.reason) for page in each.changes) for each in found),
        tuple(tag for each in found for tag in _group(each, work.settings)),
        (*notes, *(note for each in found for note in _notes(each))),
        (*(("tag", tag) for tag in tags), *(("package", package) for package in packages)))


def _group(found: _Catalog, settings: Settings) -> Iterator[TagChanges]:
    by_tag: dict[str, list[PageChange]] = {}
    for page in found.changes:
        by_tag.setdefault(page.tag, []).append(page)
    for tag, pages in by_tag.items():
        is_frozen = bool(tag) and tag not in settings.mutable_tags and tag not in found.new
        yield TagChanges(found.root, tag, tuple(pages), is_frozen, bool(tag) and tag in found.new,
                         bool(tag) and tag in found.gone)


def _notes(found: _Catalog) -> Iterator[str]:
    yield from found.notes
    if found.excluded:
        yield (f"{plural(found.excluded, 'page')} of {found.root} excluded by the configuration, "
               "and so not compared")


# ------------------------------------------------------------------------------- a revision


def _diff_changes(root: str, revision: str, selection: Selection, work: _Work) -> _Catalog:
    """Compare the work tree of a catalog with a base revision."""
    settings = work.settings
    changes = select_changes(root, revision, selection, settings)
    hidden = discovery.hidden_files(root)
    every = set(filter(make_is_selected(root, selection), changes.pages))
    every.update(change.path for change in changes.files if is_page(change.path))
    chosen = {path for path in every if work.only.includes(path)}
    pages = {path for path in chosen if not settings.excludes(path)}
    by_tag: dict[str, list[Change]] = {}
    for change in changes.files:
        if is_page(change.path) and work.only.includes(change.path):
            by_tag.setdefault(split_path(change.path)[0], []).append(change)
    within = (real_path(root),)
    tasks = [DiffTask(TagTask(root, tag, tuple(join(root, each.path) for each in changed),
                              within=within), None, tuple(changed), frozenset(changes.exits))
             for tag, changed in by_tag.items()]
    found = [page for result in work.run(tasks) for page in result.changes]
    covered = {folder for each in changes.files for folder in folders_above(each.path)}
    exits = [link for link in changes.exits if work.only.includes(link) and link not in covered]
    found += [PageChange(join(root, link), *split_path(link), PageChangeKind.UNREADABLE,
                         reason=f"now: {LEAVES.message}") for link in exits]
    now = every.difference(each.path for each in changes.files if each.is_gone) | hidden
    tags = {page.tag for page in found}
    tags_now = {split_path(path)[0] for path in now} | {
        page.tag for page in found if page.kind is not PageChangeKind.REMOVED}
    return _Catalog(
        root, found, len(pages.union(exits)), set(map(split_path, every | hidden)),
        tags - changes.tags, tags - tags_now,
        len(chosen) - len(pages),
        (*changes.notes, *find_unknown(root, changes, hidden, selection, settings)), changes.base)


# ------------------------------------------------------------------------------- two folders


def _diff_folders(old: str, new: str, work: _Work) -> _Catalog:
    """Compare the catalogs in two folders."""
    (old_root, before, old_notes), (new_root, after, new_notes) = map(_find_catalog, (old, new))
    tags = [tag for tag in sorted({*before, *after}, key=lambda tag: path_key(f"{tag}/"))
            if not work.only.tags or tag in work.only.tags]
    none = [TagTask(root, "", None, within=(real_path(root),)) for root in (new_root, old_root)]
    tasks = [DiffTask(after.get(tag) or none[0]._replace(tag=tag),
                      before.get(tag) or none[1]._replace(tag=tag), only=work.only)
             for tag in tags]
    results = [*work.run(tasks)]
    return _Catalog(
        new_root, [page for result in results for page in result.changes],
        sum(result.pages for result in results),
        {name for result in results for name in result.names}
        | {(tag, "") for tag in before.keys() | after.keys() if tag not in tags},
        {result.task.tag for result in results if result.is_new},
        {result.task.tag for result in results if result.is_gone},
        sum(result.excluded for result in results),
        (*old_notes, *new_notes))


def _find_catalog(folder: str) -> tuple[str, dict[str, TagTask], tuple[str, ...]]:
    """Return the catalog that a folder is or contains, its tags by name, and what to note."""
    if not Path(folder).is_dir():
        raise CachelintError(f"{folder}: expected a folder: two arguments are two folders, and one "
                             "is a revision")
    selection = discovery.select([folder], needs_pages=False)
    if any(not task.tag for task in selection.tasks):
        raise CachelintError(f"{display_path(folder)}: its _cache is {LEAVES.message}")
    if len(selection.roots) != 1:
        raise CachelintError(
            f"{display_path(folder)}: expected one catalog, found {len(selection.roots)}"
            + (f": name one of {', '.join(selection.roots)}" if selection.roots else ""))
    tasks = tasks_of(selection, [])  # a failure with `tags.yaml` is none here: stacks do not count
    return selection.roots[0], {task.tag: task for task in tasks}, selection.notes
