"""The unit of work, one folder below ``_cache``; and what joins the facts of all of them.

A folder's pages go to one worker, which can therefore see clashes within the tag, and sends home
findings and a few facts only. The catalog's own files are judged by those facts. So one page, one
machine with many processors and a cluster are one design.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from cachelint.document import catalog_files, schema
from cachelint.document.catalog_files import Catalog, TagFacts
from cachelint.document.page import Page
from cachelint.document.parser import parse_page
from cachelint.files import discovery
from cachelint.files.discovery import Selection, TagTask, Unreadable
from cachelint.linter import page as page_linter
from cachelint.linter.fastpath import Shapes
from cachelint.linter.page import (
    Examined,
    context_of,
    findings_of,
    make_finding,
    sort,
    unreadable,
)
from cachelint.model import (
    NO_PAGE,
    Excerpt,
    Finding,
    PageContext,
    PageFormat,
    PageId,
    Problem,
    Severity,
)
from cachelint.rules import ALL_RULES, BY_CODE, Rule
from cachelint.rules.cl7_site import SORTABLE_TAG, unsortable
from cachelint.rules.selection import FileIgnore, Settings, apply_overrides

_shapes: dict[Settings, Shapes] = {}
"""What this process remembers of specs that it judged; a memory, without which all is the same."""


def shapes_for(settings: Settings) -> Shapes:
    """Return what this process remembers under ``settings``."""
    if settings not in _shapes:
        _shapes.clear()
        _shapes[settings] = Shapes()
    return _shapes[settings]


def tasks_of(selection: Selection) -> list[TagTask]:
    """Divide a selection into tasks.

    Args:
        selection: What is to be checked, from `select`.

    Returns:
        A task for each tag of which something is selected, with what ``tags.yaml`` says of the tag;
        sorted by path.
    """
    roots = {task.root for task in selection.tasks if task.tag} | set(selection.roots)
    tags = {root: catalog_files.read_tags(root) for root in roots}
    tasks = _with_hidden(selection, {root: hidden_files(root) for root in roots})
    return [
        task._replace(is_listed=task.tag in listed.entries, stacks=listed.stacks.get(task.tag))
        if task.tag and (listed := tags[task.root]) is not None else task
        for task in tasks
    ]


def hidden_files(root: str) -> frozenset[str]:
    """Return the files of a catalog that a sparse checkout leaves out, relative to its folder."""
    if not discovery.may_be_sparse(root):
        return frozenset()
    from cachelint.files import git  # which most runs do not need

    return git.find_hidden(root)


def _with_hidden(selection: Selection, hidden: dict[str, frozenset[str]]) -> list[TagTask]:
    """Add to tasks the pages that are not checked out, and tasks for tags without any other."""
    pages: dict[tuple[str, str], list[str]] = {}
    for root, paths in hidden.items():
        for path in filter(discovery.is_page, paths):
            pages.setdefault((root, path.split("/")[1]), []).append(discovery.join(root, path))
    tasks = [task._replace(hidden=tuple(pages.pop((task.root, task.tag), ())))
             if task.pages is None and hidden.get(task.root) else task for task in selection.tasks]
    tasks += [TagTask(root, tag, None, hidden=tuple(found), within=(discovery.real_path(root),))
              for (root, tag), found in pages.items() if root in selection.roots]
    return sorted(tasks, key=lambda task: discovery.path_key(
        discovery.join(task.root, f"_cache/{task.tag}/"))) if pages else tasks


def context_at(path: str, settings: Settings) -> PageContext:
    """Gather what the rules may know of a page at ``path``, which need not exist."""
    place, root = discovery.page_id_of(path), discovery.catalog_of(path)
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


class Tally:
    """Gathers the facts of a tag, page by page."""

    def __init__(self, task: TagTask) -> None:
        """Begin with no page of ``task``."""
        self._task = task
        self._specs: int | None = 0
        self._unlisted = 0
        self._pages: list[tuple[str, bytes]] = []
        """The path of each, and the hashes of its specs, which take less memory if joined."""
        self.checked = 0
        """Pages that were looked at, readable or not."""

    @property
    def first_page(self) -> str:
        """The path of the first page; empty where there is none."""
        return self._pages[0][0] if self._pages else ""

    def add(self, path: str, place: PageId, number: int | None, hashes: bytes = b"") -> None:
        """Count a page and its specs, of which there may be None to be counted.

        ``hashes`` are those of its specs, one after the other; each takes 32 bytes.
        """
        if place.tag is not None:
            self._pages.append((path, hashes))
            if number is None or self._specs is None:
                self._specs = None
            else:
                self._specs += number

    def add_unlisted(self) -> None:
        """Count the pages of a folder that cannot be listed: at least one, its specs not known."""
        self._unlisted = 1
        self._specs = None

    def facts(self) -> TagFacts:
        """Return what was counted."""
        task = self._task
        pages = len(self._pages) + self._unlisted
        return TagFacts(task.root, task.tag, task.pages is None, pages, self._specs)

    def conflicts(self) -> Iterator[tuple[str, str, str]]:
        """Yield each hash that stands on two pages: the later page, the hash, the earlier page."""
        if self._task.pages is not None:
            return
        every = b"".join([hashes for _, hashes in self._pages])
        if len(set(_apart(every))) == len(every) // 32:
            return
        first: dict[bytes, str] = {}
        for path, hashes in self._pages:
            # a hash that one page has twice is one conflict
            for dag_hash in dict.fromkeys(_apart(hashes)):
                if first.setdefault(dag_hash, path) != path:
                    yield path, dag_hash.decode("utf-8", "surrogatepass"), first[dag_hash]


def _apart(hashes: bytes) -> list[bytes]:
    return [hashes[at : at + 32] for at in range(0, len(hashes), 32)]


def sound_specs(examined: Examined) -> tuple[int | None, bytes]:
    """Return how many specs a page has, None where it is legacy or unsound; and their hashes."""
    page, facts = examined.page, examined.facts
    if page is None:
        return (None, b"") if facts is None else (facts.implied.number, facts.hashes)
    if page.format is PageFormat.LEGACY:
        return None, b""
    for rule, _ in examined.problems:
        if rule.code.startswith(("CL1", "CL2")) and rule.severity is Severity.ERROR:
            return None, b""
    if facts is not None:
        return facts.implied.number, facts.hashes
    hashes = [spec["hash"].encode("utf-8", "surrogatepass") for spec in page.specs]
    # one that is longer or shorter is wrong (CL401), and stands for no spec
    return len(hashes), b"".join([dag_hash for dag_hash in hashes if len(dag_hash) == 32])


def check_tag(task: TagTask, settings: Settings) -> TagResult:
    """Check the pages of one folder below ``_cache``: the unit of work.

    It depends on its arguments and the files alone, and they and its result can be pickled.

    Args:
        task: What to check, from `tasks_of`.
        settings: Which rules run, and their configuration.

    Returns:
        Findings and facts, small enough to be sent from process to process.
    """
    shapes = shapes_for(settings)
    findings: list[Finding] = []
    tally = Tally(task)
    context = context_of(settings, NO_PAGE, task.stacks)
    max_size, strict_order = settings.max_page_size, "CL507" in settings.selected
    for path, place, raw in pages_of(task, settings, tally, findings):
        facts = shapes.read(raw, place, context)
        if facts is not None and page_linter.is_sound(facts, place, strict_order=strict_order):
            tally.add(path, place, facts.implied.number, facts.hashes)
            continue
        examined = page_linter.examine_unsound(
            raw, context_of(settings, place, task.stacks), facts, max_size=max_size,
            strict_order=strict_order)
        findings += findings_of(path, examined.page, examined.problems, settings)
        tally.add(path, place, *sound_specs(examined))
    findings += of_whole_tag(tally, task, settings)
    used: set[FileIgnore] = set()
    findings = apply_overrides(findings, settings, used)
    sort(findings)
    return TagResult(task, findings, tally.checked, tally.facts(), frozenset(used))


def unreadable_page(path: str, why: Unreadable, settings: Settings) -> list[Finding]:
    """Make the finding of a page that cannot be read, if its rule runs."""
    return [unreadable(path, why)] if why.code in settings.selected else []


def pages_of(
    task: TagTask, settings: Settings, tally: Tally, findings: list[Finding]
) -> Iterator[tuple[str, PageId, bytes]]:
    """Read the pages of a task: of each the path, the place, and the bytes.

    A page that is excluded or cannot be read goes to ``tally``, and that it cannot, and what else
    Jekyll takes for a page, to ``findings``.
    """
    if task.pages is not None:
        listed = [(path, discovery.page_id_of(path)) for path in task.pages]
    else:
        listing = discovery.list_tag(task.root, task.tag, task.within)
        listed = listing.pages
        if not listing.is_complete:
            tally.add_unlisted()
        for path in task.hidden:
            tally.add(path, discovery.page_id_of(path), None)
        strays = [path for path in listing.stray_pages if not is_excluded(path, settings)]
        findings += stray_findings(strays, settings)
    for path, place in listed:
        if is_excluded(path, settings):
            tally.add(path, place, None)
            continue
        tally.checked += 1
        # the folders above pages that were listed are known to lie within
        raw = (discovery.LEAVES if task.pages is not None and discovery.leaves(path, task.within)
               else discovery.read(path, settings.max_page_size, task.within))
        if isinstance(raw, Unreadable):
            tally.add(path, place, None)
            findings += unreadable_page(path, raw, settings)
        else:
            yield path, place, raw


def is_excluded(path: str, settings: Settings) -> bool:
    """Return whether the settings exclude a page."""
    return bool(settings.exclude) and settings.excludes(discovery.relative_to_catalog(path))


def stray_findings(paths: list[str], settings: Settings) -> Iterator[Finding]:
    """Make the findings of files with front matter where no page belongs, if their rule runs."""
    rule = BY_CODE["CL111"]
    for path in paths if rule.code in settings.selected else ():
        yield Finding(
            path, 1, 1, 1, 4, rule.code, rule.name, rule.severity,
            "a file with front matter where no page belongs: Jekyll takes it for a page",
            "", False, (Excerpt(1, 0, "---", 0, 3),))


def of_whole_tag(tally: Tally, task: TagTask, settings: Settings) -> Iterator[Finding]:
    """Make the findings that need all pages of a tag."""
    if "CL608" in settings.selected:
        for path, conflicts in groupby(tally.conflicts(), key=itemgetter(0)):
            page = _reread(path, settings)
            # the first spec with each hash
            numbers = {value: n for n, value in reversed([*enumerate(page.hashes)])
                       if isinstance(value, str)}
            for _, dag_hash, other in conflicts:
                problem = Problem(f"/spec_details/{numbers.get(dag_hash)}/hash",
                                  f"the hash {dag_hash} stands on {other} too")
                yield make_finding(path, page, BY_CODE["CL608"], problem,
                                   page.span_of(problem.pointer), False)
    if ("CL702" in settings.selected and tally.first_page and not task.is_listed
            and not SORTABLE_TAG(task.tag)):
        page = _reread(tally.first_page, settings)
        problem = Problem("/categories/1", unsortable(task.tag))
        yield make_finding(tally.first_page, page, BY_CODE["CL702"], problem,
                           page.span_of(problem.pointer), False)


def _reread(path: str, settings: Settings) -> Page:
    """Read a page again for the place of something on it."""
    raw = discovery.read(path, settings.max_page_size)
    return parse_page(b"" if isinstance(raw, Unreadable) else raw)


# ------------------------------------------------------------------------------- the catalog


class FileProblems(NamedTuple):
    """What is wrong with one of the catalog's own files."""

    path: str
    raw: bytes
    page: Page
    problems: list[tuple[Rule, Problem]]


def check_catalog(
    root: str, facts: Iterable[TagFacts], settings: Settings, *, is_whole: bool = True,
    own_files: frozenset[str] = frozenset(), used: set[FileIgnore] | None = None,
) -> list[Finding]:
    """Check a catalog's own files beside what its tags hold: joins the facts of all tags.

    Args:
        root: The catalog's folder.
        facts: Of the tags that were looked at, from `check_tag`.
        settings: Which rules run, and their configuration.
        is_whole: Whether these are all tags of the catalog; if not, only what can be said of
            those that were looked at whole is said, and of ``own_files``.
        own_files: Files of the catalog to be judged by themselves where not all of it is,
            relative to its folder.
        used: Gets those of `per-file-ignores` that left a finding out.

    Returns:
        The findings in ``_data/tags.yaml``, ``_data/meta.yaml`` and ``pages/tags``, sorted.
    """
    facts = list(facts)
    if not (is_whole or facts or own_files):
        return []
    own = read_own_files(root, settings, is_whole=is_whole, own_files=own_files)
    return join_facts(own, facts, settings, used)


def join_facts(
    own: OwnFiles, facts: Iterable[TagFacts], settings: Settings,
    used: set[FileIgnore] | None = None,
) -> list[Finding]:
    """Do as `check_catalog` does with files that were read before."""
    judge_own_files(own, facts)
    findings = own.unread.copy()
    for file in own.judged.values():
        findings += findings_of(file.path, file.page, file.problems, settings)
    findings = apply_overrides(findings, settings, used)
    sort(findings)
    return findings


class OwnFiles(NamedTuple):
    """A catalog's own files, each judged by itself, of which all or some are asked about."""

    root: str
    is_whole: bool
    names: frozenset[str]
    """Those that are asked about although not all of the catalog is, relative to its folder."""
    judged: dict[str, FileProblems]
    """By path."""
    unread: list[Finding]
    hidden: frozenset[str] = frozenset()
    """Those that a sparse checkout leaves out, relative to the folder."""

    def page(self, name: str) -> Page | None:
        """Return what a file says, if it could be read; ``name`` is relative to the folder."""
        file = self.judged.get(discovery.join(self.root, name))
        return file.page if file is not None and file.page.parsed else None


def read_own_files(
    root: str, settings: Settings, *, is_whole: bool, own_files: frozenset[str] = frozenset()
) -> OwnFiles:
    """Read a catalog's own files, and ask the rules that need nothing besides.

    Without ``is_whole``, that is only said of ``own_files``.
    """
    own = OwnFiles(root, is_whole, own_files, {}, [])
    own = own._replace(hidden=hidden_files(root))
    within = (discovery.real_path(root),)
    tag_pages = catalog_files.tag_pages(root)
    if isinstance(tag_pages, Unreadable):
        folder = discovery.join(root, catalog_files.TAG_PAGES)
        own.unread.extend(unreadable_page(folder, tag_pages, settings) if is_whole else ())
        tag_pages = None
    for path in (*(discovery.join(root, name) for name in (catalog_files.TAGS, catalog_files.META)),
                 *(tag_pages or ())):
        name = discovery.relative_to_catalog(path)
        if not discovery.exists(path) or settings.excludes(name):
            continue
        is_asked = is_whole or name in own_files
        file = examine_file(path, settings, own.unread if is_asked else [], within)
        if file is not None:
            own.judged[path] = file if is_asked else file._replace(problems=[])
    return own


def judge_own_files(own: OwnFiles, facts: Iterable[TagFacts]) -> Catalog:
    """Ask the rules about a catalog's own files beside what its tags hold.

    Without ``is_whole``, only what concerns the tags that were looked at is said.
    """
    root, meta = own.root, own.page(catalog_files.META)
    paths = catalog_files.tag_pages(root)
    if isinstance(paths, list):
        paths += [discovery.join(root, path) for path in own.hidden
                  if path.startswith(f"{catalog_files.TAG_PAGES}/")]
    tag_pages = None if paths is None or isinstance(paths, Unreadable) else {
        path.rsplit("/", 1)[1].removesuffix(".md"):
            own.judged[path].page if path in own.judged else None for path in paths}
    whole = Catalog(
        root, {fact.tag: fact for fact in facts if fact.is_whole}, own.is_whole,
        own.page(catalog_files.TAGS), meta if meta and isinstance(meta.data, dict) else None,
        tag_pages)
    for rule in ALL_RULES:
        of_file = rule.code == "CL609" and not (own.is_whole or catalog_files.TAGS in own.names)
        if rule.check_catalog is not None and not of_file:
            for path, problem in rule.check_catalog(whole):
                own.judged[path].problems.append((rule, problem))
    return whole


def examine_file(
    path: str, settings: Settings, unread: list[Finding], within: tuple[str, ...] = ()
) -> FileProblems | None:
    """Ask the rules about one of the catalog's own files by itself; None if it cannot be read.

    Links must not lead out of the folders ``within``, if there are any.
    """
    raw = (discovery.LEAVES if discovery.leaves(path, within)
           else discovery.read(path, settings.max_page_size))
    if isinstance(raw, Unreadable):
        unread += unreadable_page(path, raw, settings)
        return None
    name = path.rsplit("/", 1)[-1]
    if name == "tags.yaml":
        page, schema_name = catalog_files.read_yaml(raw, catalog_files.tags_by_line), "tags"
    elif name == "meta.yaml":
        page, schema_name = catalog_files.read_yaml(raw, catalog_files.meta_by_line), "meta"
    else:
        page, schema_name = parse_page(raw), "tag-page"
    problems = [(BY_CODE[fault.code], fault.problem) for fault in page.errors]
    if page.parsed:
        page.schema_errors = schema.validate(schema_name, page.data)
        problems += [(BY_CODE[breach.code], Problem(breach.pointer, breach.message))
                     for breach in page.schema_errors if breach.code.startswith("CL2")]
        if page.schema_errors and schema_name == "meta":
            page.complete()
        if schema_name == "tags":
            problems += _unsortable_tags(page)
    return FileProblems(path, raw, page, problems)


def _unsortable_tags(page: Page) -> Iterator[tuple[Rule, Problem]]:
    said: set[str] = set()
    for number, entry in enumerate(page.data if isinstance(page.data, list) else ()):
        name = entry.get("name") if isinstance(entry, dict) else None
        if type(name) is str and name and name not in said and not SORTABLE_TAG(name):
            said.add(name)
            yield BY_CODE["CL702"], Problem(f"/{number}/name", unsortable(name))


def check_file(path: str, settings: Settings) -> list[Finding]:
    """Check one of the catalog's own files that was named outright, by itself."""
    findings: list[Finding] = []
    file = examine_file(path, settings, findings)
    if file is None:
        return apply_overrides(findings, settings)
    problems = list(file.problems)
    check = BY_CODE["CL609"].check_catalog
    if path.endswith("tags.yaml") and file.page.parsed and check is not None:
        alone = Catalog("", {}, False, file.page, None, None)
        problems += [(BY_CODE["CL609"], problem) for _, problem in check(alone)]
    return apply_overrides(findings + findings_of(path, file.page, problems, settings), settings)
