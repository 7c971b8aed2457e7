"""The unit of work: one folder below ``_cache``.

A folder's pages go to one process, which can therefore see conflicts within the tag, and returns
only findings and a few counts. The rules about the catalog's own files run on those counts. So one
page, one machine with many processors and a cluster are one design.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cachelint.document import catalog_files
from cachelint.document.catalog_files import TagFacts, Tags
from cachelint.document.page import Page
from cachelint.document.parser import parse_page
from cachelint.files import discovery, read_write
from cachelint.files.discovery import Selection, TagTask
from cachelint.files.paths import (
    catalog_of,
    is_page,
    join,
    page_id_of,
    path_key,
    real_path,
    relative_to_catalog,
)
from cachelint.files.read_write import Unreadable
from cachelint.linter.fastpath import fast_path_for
from cachelint.linter.findings import (
    count_failures,
    failure,
    findings_of,
    isolate,
    make_finding,
    sort,
    unreadable,
)
from cachelint.linter.page import context_of, lint_page
from cachelint.model import (
    NO_PAGE,
    Excerpt,
    FileChange,
    Finding,
    NamedTuple,
    PageContext,
    PageId,
    Problem,
)
from cachelint.rules.cl1_file import stray_page
from cachelint.rules.cl6_catalog import hash_conflict
from cachelint.rules.cl7_site import SORTABLE_TAG, tag_name, unsortable
from cachelint.rules.selection import FileIgnore, Settings, apply_overrides


def tasks_of(selection: Selection, failures: list[Finding] | None = None) -> list[TagTask]:
    """Divide a selection into tasks.

    Args:
        selection: What is to be checked, from `select`.
        failures: Gets a finding for each ``tags.yaml`` on which the program itself fails.

    Returns:
        A task for each tag with something selected, with the tag's entry in ``tags.yaml``;
        sorted by path.
    """
    roots = {task.root for task in selection.tasks if task.tag} | set(selection.roots)
    failures = [] if failures is None else failures
    tags = {root: read_tags(root, failures) for root in roots}
    tasks = _with_hidden(selection, {root: discovery.hidden_files(root) for root in roots})
    return [
        task._replace(is_listed=task.tag in listed.entries, stacks=listed.stacks.get(task.tag))
        if task.tag and (listed := tags[task.root]) is not None else task
        for task in tasks
    ]


def read_tags(root: str, failures: list[Finding]) -> Tags | None:
    """Read ``tags.yaml`` as `catalog_files.read_tags` does; None where the program itself fails."""
    with isolate(join(root, catalog_files.TAGS), failures):
        return catalog_files.read_tags(root)
    return None


def _with_hidden(selection: Selection, hidden: dict[str, frozenset[str]]) -> list[TagTask]:
    """Add to tasks the pages that are not checked out, and tasks for tags without any other."""
    pages: dict[tuple[str, str], list[str]] = {}
    for root, paths in hidden.items():
        for path in filter(is_page, paths):
            pages.setdefault((root, path.split("/")[1]), []).append(join(root, path))
    tasks = [task._replace(hidden=tuple(pages.pop((task.root, task.tag), ())))
             if task.pages is None and hidden.get(task.root) else task for task in selection.tasks]
    tasks += [TagTask(root, tag, None, hidden=tuple(found), within=(real_path(root),))
              for (root, tag), found in pages.items() if root in selection.roots]
    return sorted(tasks, key=lambda task: path_key(
        join(task.root, f"_cache/{task.tag}/"))) if pages else tasks


def context_at(path: str, settings: Settings) -> PageContext:
    """Gather what the rules may know of a page at ``path``, which need not exist."""
    place, root = page_id_of(path), catalog_of(path)
    tags = catalog_files.read_tags(root) if place.tag and root is not None else None
    stacks = tags.stacks.get(place.tag) if tags is not None and place.tag else None
    return context_of(settings, place, stacks)


class TagResult(NamedTuple):
    """What one task found, and what the catalog as a whole needs to know of it."""

    task: TagTask
    findings: list[Finding]
    """Sorted by path, line, column and code."""
    pages: int
    """Pages checked."""
    facts: TagFacts
    used: frozenset[FileIgnore] = frozenset()
    """Those of `per-file-ignores` that left a finding out."""
    changes: Sequence[FileChange] = ()
    """The pages that `fix` changed."""
    skipped: Sequence[tuple[str, str]] = ()
    """The path of each page that `fix` skipped, and why."""
    unwritten: int = 0
    """Pages that `fix` could not write."""

    @property
    def failed(self) -> int:
        """Count the pages on which the program itself failed, and that `fix` could not write."""
        return self.unwritten + count_failures(self.findings)


class TagTally:
    """Gathers the counts of a tag, page by page."""

    def __init__(self, task: TagTask) -> None:
        """Begin with no page of ``task``."""
        self._task = task
        self._specs: int | None = 0
        self._unlisted = 0
        self._pages: list[tuple[str, bytes]] = []
        """The path of each, and the hashes of its specs, which take less memory if joined."""
        self.checked = 0
        """Pages that were looked at, readable or not."""
        self.temporary: tuple[str, ...] = ()
        """Temporary files in the folders that were listed."""

    @property
    def first_page(self) -> str:
        """The path of the first page; empty where there is none."""
        return self._pages[0][0] if self._pages else ""

    def add(self, path: str, page_id: PageId, number: int | None, hashes: bytes = b"") -> None:
        """Count a page and its specs, which may be None.

        ``hashes`` are those of its specs, one after the other; each takes 32 bytes.
        """
        if page_id.tag is not None:
            self._pages.append((path, hashes))
            if number is None or self._specs is None:
                self._specs = None
            else:
                self._specs += number

    def add_unlisted(self) -> None:
        """Count the pages of a folder that cannot be listed: at least one, its specs not known."""
        self._unlisted = 1
        self._specs = None

    def result(self) -> TagFacts:
        """Return what was counted."""
        task = self._task
        pages = len(self._pages) + self._unlisted
        return TagFacts(task.root, task.tag, task.pages is None, pages, self._specs)

    def conflicts(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield each page with hashes of earlier pages: its path, and by hash the earlier page."""
        if self._task.pages is not None:
            return
        every = b"".join([hashes for _, hashes in self._pages])
        # the first eight characters of each as a number, for less time and memory
        if not every or len(set(memoryview(every).cast("Q")[::4])) == len(every) // 32:
            return
        first: dict[bytes, str] = {}
        for path, hashes in self._pages:
            others = {dag_hash.decode("utf-8", "surrogatepass"): first[dag_hash]
                      for dag_hash in _split_hashes(hashes)
                      if first.setdefault(dag_hash, path) != path}
            if others:
                yield path, others


def _split_hashes(hashes: bytes) -> list[bytes]:
    return [hashes[at : at + 32] for at in range(0, len(hashes), 32)]


def check_tag(task: TagTask, settings: Settings) -> TagResult:
    """Check the pages of one folder below ``_cache``: the unit of work.

    It depends only on its arguments and the files, and they and its result can be pickled.

    Args:
        task: What to check, from `tasks_of`.
        settings: Which rules run, and their configuration.

    Returns:
        Findings and counts, small enough to be sent from process to process.
    """
    findings: list[Finding] = []
    tally = TagTally(task)
    context, fast = context_of(settings, NO_PAGE, task.stacks), fast_path_for(settings).lint
    for path, page_id in pages_of(task, settings, tally, findings):
        number, hashes = None, b""
        with isolate(path, findings):
            raw = read_page(path, task, settings, findings)
            if raw is not None:
                result = lint_page(raw, context._replace(page_id=page_id), fast)
                if result.problems:
                    findings += findings_of(path, result.page, result.problems, settings)
                number, hashes = result.num_specs, result.hashes
        tally.add(path, page_id, number, hashes)
    findings += whole_tag_findings(tally, task, settings)
    used: set[FileIgnore] = set()
    findings = apply_overrides(findings, settings, used)
    sort(findings)
    return TagResult(task, findings, tally.checked, tally.result(), frozenset(used))


def fail_tag(task: TagTask, error: Exception) -> TagResult:
    """Return the result of a task where the program failed on no page, but on the folder."""
    return TagResult(task, [failure(folder_of(task), error)], 0, TagFacts(
        task.root, task.tag, task.pages is None, 1, None))


def folder_of(task: TagTask) -> str:
    """Return the folder of a task, as paths are shown."""
    return join(task.root, f"_cache/{task.tag}".rstrip("/"))


def unreadable_page(path: str, why: Unreadable, settings: Settings) -> list[Finding]:
    """Make the finding of a page that cannot be read, if its rule runs."""
    return [unreadable(path, why)] if why.code in settings.selected else []


def pages_of(
    task: TagTask, settings: Settings, tally: TagTally, findings: list[Finding]
) -> Iterator[tuple[str, PageId]]:
    """Yield path and id of each page of a task that is not excluded.

    Those that are go to ``tally``, and what else Jekyll takes for a page to ``findings``.
    """
    if task.pages is not None:
        listed = [(path, page_id_of(path)) for path in task.pages]
    else:
        listing = discovery.list_tag(task.root, task.tag, task.within)
        listed = listing.pages
        tally.temporary = listing.temporary
        if not listing.is_complete:
            tally.add_unlisted()
        for path in task.hidden:
            tally.add(path, page_id_of(path), None)
        strays = [path for path in listing.stray_pages if not is_excluded(path, settings)]
        findings += stray_findings(strays, settings)
    for path, page_id in listed:
        if is_excluded(path, settings):
            tally.add(path, page_id, None)
            continue
        tally.checked += 1
        yield path, page_id


def read_page(
    path: str, task: TagTask, settings: Settings, findings: list[Finding]
) -> bytes | None:
    """Read a page of a task; None for one that cannot be read, which goes to ``findings``."""
    raw = read_write.read(path, settings.max_page_size, task.within,
                          is_listed=task.pages is None)
    if isinstance(raw, Unreadable):
        findings += unreadable_page(path, raw, settings)
        return None
    return raw


def is_excluded(path: str, settings: Settings) -> bool:
    """Return whether the settings exclude a page."""
    return bool(settings.exclude) and settings.excludes(relative_to_catalog(path))


def stray_findings(paths: list[str], settings: Settings) -> Iterator[Finding]:
    """Make the findings of files with front matter where no page belongs, if their rule runs."""
    rule = stray_page
    for path in paths if rule.code in settings.selected else ():
        yield Finding(
            path, 1, 1, 1, 4, rule.code, rule.name, rule.severity,
            "front matter in a file that is not a page: Jekyll takes it for a page",
            "", False, (Excerpt(1, 0, "---", 0, 3),))


def whole_tag_findings(tally: TagTally, task: TagTask, settings: Settings) -> list[Finding]:
    """Make the findings that need all pages of a tag."""
    findings: list[Finding] = []
    if hash_conflict.code in settings.selected:
        for path, others in tally.conflicts():
            with isolate(path, findings):
                findings += _conflict_findings(path, others, settings)
    if (tag_name.code in settings.selected and tally.first_page and not task.is_listed
            and not SORTABLE_TAG(task.tag)):
        with isolate(tally.first_page, findings):
            page = parse_again(tally.first_page, settings)
            problem = Problem("/categories/1", unsortable(task.tag))
            findings.append(make_finding(tally.first_page, page, tag_name, problem,
                                         page.span_of(problem.pointer), False))
    return findings


def _conflict_findings(path: str, others: dict[str, str], settings: Settings) -> Iterator[Finding]:
    """Make the findings of a page with hashes of earlier pages, which are by hash in ``others``."""
    page = parse_again(path, settings)
    for index, spec in enumerate(page.specs):
        dag_hash = spec.get("hash") if isinstance(spec, dict) else None
        if isinstance(dag_hash, str) and (other := others.pop(dag_hash, None)):
            problem = Problem(f"/spec_details/{index}/hash",
                              f"duplicate hash {dag_hash}: also on {other}")
            yield make_finding(path, page, hash_conflict, problem,
                               page.span_of(problem.pointer), False)


def parse_again(path: str, settings: Settings) -> Page:
    """Read and parse a page again, for the location of something on it."""
    raw = read_write.read(path, settings.max_page_size)
    return parse_page(b"" if isinstance(raw, Unreadable) else raw, max_size=settings.max_page_size)
