"""A catalog's own files: what is wrong with each, and with what its tags contain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from cachelint.document import catalog_files, schema
from cachelint.document.catalog_files import Catalog, TagFacts
from cachelint.document.page import Page
from cachelint.files import discovery, read_write
from cachelint.files.paths import (
    catalog_of_file,
    is_absent,
    join,
    real_path,
    relative_to_catalog,
)
from cachelint.files.read_write import Unreadable
from cachelint.linter.findings import findings_of, isolate, sort
from cachelint.linter.page import without_superseded
from cachelint.linter.tag import unreadable_page
from cachelint.model import Finding, NamedTuple, Problem
from cachelint.rules import ALL_RULES, BY_CODE, Rule
from cachelint.rules.cl2_schema import schema_problems
from cachelint.rules.cl7_site import (
    SORTABLE_TAG,
    loader_dependent,
    loader_dependent_in_own_file,
    tag_name,
    unsortable,
)
from cachelint.rules.selection import ALWAYS, FileIgnore, Settings, apply_overrides


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
    """Check a catalog's own files against its tags: joins the results of all tags.

    Args:
        root: The catalog's folder.
        facts: Of the tags that were looked at, from `check_tag`.
        settings: Which rules run, and their configuration.
        is_whole: Whether these are all tags of the catalog; if not, only what is
            known from those that were checked whole is reported, and ``own_files``.
        own_files: Files of the catalog to be checked by themselves where not all of it is,
            relative to its folder.
        used: Gets those of `per-file-ignores` that left a finding out.

    Returns:
        The findings in ``_data/tags.yaml``, ``_data/meta.yaml`` and ``pages/tags``, sorted.
    """
    facts = list(facts)
    if not (is_whole or facts or own_files):
        return []
    own = read_own_files(root, settings, is_whole=is_whole, own_files=own_files)
    return lint_catalog(own, facts, settings, used)


def lint_catalog(
    own: OwnFiles, facts: Iterable[TagFacts], settings: Settings,
    used: set[FileIgnore] | None = None,
) -> list[Finding]:
    """Do as `check_catalog` does with files that were read before."""
    own = lint_own_files(own, facts, settings)
    findings = own.unread
    for file in own.files.values():
        with isolate(file.path, findings):
            findings += findings_of(file.path, file.page, file.problems, settings)
    findings = apply_overrides(findings, settings, used)
    sort(findings)
    return findings


class OwnFiles(NamedTuple):
    """A catalog's own files, each checked by itself; all or some of them are reported."""

    root: str
    is_whole: bool
    names: frozenset[str]
    """Those that are reported although not all of the catalog is, relative to its folder."""
    files: dict[str, FileProblems]
    """By path."""
    unread: list[Finding]
    hidden: frozenset[str] = frozenset()
    """Those that a sparse checkout leaves out, relative to the folder."""

    def is_checked(self, name: str) -> bool:
        """Return whether a file is itself checked; ``name`` is relative to the folder."""
        return self.is_whole or name in self.names

    def page(self, name: str) -> Page | None:
        """Return a file's content, if it could be read; ``name`` is relative to the folder."""
        file = self.files.get(join(self.root, name))
        return file.page if file is not None and file.page.parsed else None


def read_own_files(
    root: str, settings: Settings, *, is_whole: bool, own_files: frozenset[str] = frozenset()
) -> OwnFiles:
    """Read a catalog's own files, and run the rules that need nothing else.

    Without ``is_whole``, only those in ``own_files`` are reported.
    """
    own = OwnFiles(root, is_whole, own_files, {}, [], discovery.hidden_files(root))
    within = (real_path(root),)
    tag_pages = catalog_files.tag_pages(root)
    if isinstance(tag_pages, Unreadable):
        folder = join(root, catalog_files.TAG_PAGES)
        if is_whole or any(name.startswith(f"{catalog_files.TAG_PAGES}/") for name in own_files):
            own.unread.extend(unreadable_page(folder, tag_pages, settings))
        tag_pages = None
    data_files = [join(root, name) for name in (catalog_files.TAGS, catalog_files.META)
                  if not is_absent(root, name)]
    for path in (*data_files, *(tag_pages or ())):
        name = relative_to_catalog(path)
        if settings.excludes(name):
            continue
        is_asked = own.is_checked(name)
        unread: list[Finding] = []
        file = lint_own_file(path, settings, unread, within)
        own.unread.extend(each for each in unread if is_asked or each.code in ALWAYS)
        if file is not None:
            own.files[path] = file if is_asked else file._replace(problems=[])
    return own


def lint_own_files(
    own: OwnFiles, facts: Iterable[TagFacts], settings: Settings
) -> OwnFiles:
    """Return the files with the problems of the rules about them and the catalog's tags, too.

    Without ``is_whole``, only what concerns the tags that were checked is reported.
    """
    own = own._replace(unread=own.unread.copy(), files={
        path: file._replace(problems=file.problems.copy()) for path, file in own.files.items()})
    root, meta = own.root, own.page(catalog_files.META)
    paths = catalog_files.tag_pages(root)
    if isinstance(paths, list):
        paths += [join(root, path) for path in own.hidden
                  if path.startswith(f"{catalog_files.TAG_PAGES}/")]
        # without writing, `fix` has those that it would create
        paths += [path for path in own.files if path.endswith(".md")]
    tag_pages = None if paths is None or isinstance(paths, Unreadable) else {
        path.rsplit("/", 1)[1].removesuffix(".md"):
            own.files[path].page if path in own.files else None for path in paths}
    whole = Catalog(
        root, {fact.tag: fact for fact in facts if fact.is_whole}, own.is_whole,
        own.page(catalog_files.TAGS), meta if meta and isinstance(meta.data, dict) else None,
        tag_pages, settings.mutable_tags)
    for rule in ALL_RULES:
        if rule.catalog is None or (rule.own_file and not own.is_checked(rule.own_file)):
            continue
        with isolate(join(root, rule.own_file or catalog_files.TAGS), own.unread):
            for path, problem in islice(rule.catalog(whole), schema.MOST_ERRORS):
                own.files[path].problems.append((rule, problem))
    for file in own.files.values():
        file.problems[:] = without_superseded(file.problems)
    return own


def lint_own_file(
    path: str, settings: Settings, unread: list[Finding], within: tuple[str, ...] = ()
) -> FileProblems | None:
    """Run the rules about one of the catalog's own files; None if it cannot be read.

    Why not goes to ``unread``. Links must not lead out of the folders ``within``, if there are any.
    """
    with isolate(path, unread):
        raw = read_write.read(path, settings.max_page_size, within)
        if not isinstance(raw, Unreadable):
            return lint_content(path, raw)
        unread += unreadable_page(path, raw, settings)
    return None


def lint_content(path: str, raw: bytes) -> FileProblems:
    """Run the rules about one of the catalog's own files, whose content is ``raw``."""
    page, schema_name = catalog_files.parse_catalog_file(path, raw)
    problems = [(BY_CODE[error.code], error.problem) for error in page.errors]
    if page.parsed:
        page.schema_errors = schema.validate(schema_name, page.data)
        problems += schema_problems(page.schema_errors)
        if page.schema_errors and schema_name == "meta" and (
                document := catalog_files.meta_by_line(page.text, is_full=True)):
            page.take(document)
        if schema_name == "tags":
            problems += islice(_unsortable_tags(page), schema.MOST_ERRORS)
        problems += [(loader_dependent, problem)
                     for problem in loader_dependent_in_own_file(page)]
    return FileProblems(path, raw, page, problems)


def _unsortable_tags(page: Page) -> Iterator[tuple[Rule, Problem]]:
    seen: set[str] = set()
    for number, entry in enumerate(page.data if isinstance(page.data, list) else ()):
        name = entry.get("name") if isinstance(entry, dict) else None
        if type(name) is str and name and name not in seen and not SORTABLE_TAG(name):
            seen.add(name)
            yield tag_name, Problem(f"/{number}/name", unsortable(name))


def read_named_file(path: str, settings: Settings) -> OwnFiles:
    """Read one of the catalog's own files that was named outright; it is checked by itself."""
    root, name = catalog_of_file(path), relative_to_catalog(path)
    own = OwnFiles(root, False, frozenset({name}), {}, [])
    file = None if settings.excludes(name) else lint_own_file(
        join(root, name), settings, own.unread)
    if file is not None:
        own.files[file.path] = file
    return own


def check_file(path: str, settings: Settings) -> list[Finding]:
    """Check one of the catalog's own files that was named outright, by itself."""
    return lint_catalog(read_named_file(path, settings), [], settings)
