"""Compare the pages of one tag on two sides: their spec data, not their bytes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from cachelint.document.page import Page
from cachelint.document.parser import parse_page
from cachelint.document.strict_json import dumps
from cachelint.files import discovery, git, read_write
from cachelint.files.compare import Change
from cachelint.files.discovery import TagTask
from cachelint.files.paths import PAGE, folders_above, is_page, join, path_key, relative_to_catalog
from cachelint.files.read_write import Unreadable
from cachelint.linter.changes import PageContents, canonical_json, changed_keys, page_contents
from cachelint.model import (
    FieldChange,
    NamedTuple,
    PageChange,
    PageChangeKind,
    PageFormat,
    SpecChange,
)
from cachelint.rules.selection import Settings
from cachelint.text import clip

_Content = bytes | Unreadable | None
"""What one side has at a path; None where it has nothing."""
_HIDDEN = Unreadable("", "not checked out (sparse checkout)")
_WIDTH = 200
"""Maximum length of a name or a value in characters."""


class Only(NamedTuple):
    """The names to which a comparison is limited; none for all."""

    tags: frozenset[str] = frozenset()
    packages: frozenset[str] = frozenset()

    def includes(self, path: str) -> bool:
        """Return whether a page is compared, or a folder in which one may be."""
        tag, package = split_path(path)
        return ((not self.tags or tag in self.tags)
                and (not self.packages or package in self.packages or not package))


class DiffTask(NamedTuple):
    """A tag on both sides: the unit of work."""

    new: TagTask
    old: TagTask | None = None
    """The tag in the old folder; None where a base revision is compared, with ``changes``."""
    changes: tuple[Change, ...] = ()
    """The pages that differ from the base revision."""
    exits: frozenset[str] = frozenset()
    """New links that lead out of the catalog, relative to it."""
    only: Only = Only()

    @property
    def tag(self) -> str:
        """The name of the tag."""
        return self.new.tag


class TagDiff(NamedTuple):
    """What differs in a tag."""

    task: TagTask
    changes: list[PageChange]
    """Sorted by path."""
    pages: int = 0
    """Pages that were looked at; this and all below only where both sides are folders."""
    names: frozenset[tuple[str, str]] = frozenset()
    """Tag and package of all pages."""
    is_new: bool = False
    is_gone: bool = False
    excluded: int = 0
    """Pages that the configuration excludes."""


def diff_tag(task: DiffTask, settings: Settings) -> TagDiff:
    """Compare the pages of a tag."""
    if task.old is None:
        pairs = _read_changes(task, settings)
        return TagDiff(task.new, [each for pair in pairs
                                  if (each := _compare(task, *pair, settings))])
    listed = [_list(task.old), _list(task.new)]
    paths = sorted({*listed[0], *listed[1]}, key=path_key)
    chosen = [path for path in paths if task.only.includes(path)]
    left = [path for path in chosen if not settings.excludes(path)]
    # a folder that cannot be listed has no row where pages in it have the reason
    covered = {folder for path in left for folder in folders_above(path)}
    left = [path for path in left if path not in covered]
    before, after = (_read_side(side, shown, left, settings)
                     for side, shown in zip((task.old, task.new), listed, strict=True))
    changes = [each for path in left
               if (each := _compare(task, path, next(before), next(after), settings))]
    return TagDiff(
        task.new, changes, len(left), frozenset(map(split_path, paths)),
        is_new=not listed[0], is_gone=not listed[1],
        excluded=sum(map(settings.excludes, chosen)) if settings.exclude else 0)


def split_path(path: str) -> tuple[str, str]:
    """Return tag and package of a page's path; a legacy page has no tag."""
    _, *names = path.split("/")
    if is_page(path) and len(names) == 2:
        return "", names[0]
    return (*names, "", "")[0], (*names, "", "")[1]


# ------------------------------------------------------------------------------- both sides


def _read_changes(task: DiffTask, settings: Settings) -> Iterator[tuple[str, _Content, _Content]]:
    """Yield each changed path with its content at the base and now."""
    befores = git.contents(((change.store, change.before) for change in task.changes
                            if change.before), settings.max_page_size)
    for path, before, is_gone, _ in task.changes:
        old = next(befores) if before else None
        if not is_gone:
            yield path, old, read_write.read(join(task.new.root, path), settings.max_page_size,
                                             task.new.within)
        else:
            is_behind_exit = not task.exits.isdisjoint(folders_above(path))
            yield path, old, read_write.LEAVES if is_behind_exit else None


def _list(side: TagTask) -> Mapping[str, str]:
    """List a tag in a folder: paths as they are shown, by paths relative to the catalog.

    They include folders that cannot be listed, and links that lead out.
    """
    found = {}
    for path, place in discovery.list_tag(side.root, side.tag, side.within).pages:
        is_plain = place.package is not None and path.endswith(f"/{PAGE}")
        found[f"_cache/{side.tag}/{place.package}/{PAGE}" if is_plain
              else relative_to_catalog(path)] = path
    return found | {relative_to_catalog(path): "" for path in side.hidden}


def _read_side(
    side: TagTask, listed: Mapping[str, str], paths: list[str], settings: Settings
) -> Iterator[_Content]:
    """Yield what one side has at each path."""
    folders = {path: read_write.read(shown, settings.max_page_size, side.within)
               for path, shown in listed.items() if not is_page(path)}
    for path in paths:
        shown = listed.get(path)
        if shown is None:
            yield next((folders[each] for each in folders_above(path) if each in folders), None)
        elif not shown:
            yield _HIDDEN
        else:
            yield folders.get(path) or read_write.read(
                shown, settings.max_page_size, side.within, is_listed=True)


# ------------------------------------------------------------------------------- pages


def _compare(
    task: DiffTask, path: str, before: _Content, after: _Content, settings: Settings
) -> PageChange | None:
    """Compare a page; one on which the program fails must not end the run."""
    if before == after and not isinstance(after, Unreadable):
        return None
    root = task.old.root if task.old is not None and after is None else task.new.root
    page = PageChange(join(root, path), *split_path(path), PageChangeKind.UNREADABLE)
    try:
        return compare_page(page, before, after, settings.max_page_size)
    except Exception as error:
        return _fail(page, error)


def _fail(page: PageChange, error: Exception) -> PageChange:
    reason = clip(f"{type(error).__name__}: {error}", _WIDTH)
    return page._replace(reason=f"internal error: {reason}", is_failure=True)


def fail_tag(task: DiffTask, error: Exception) -> TagDiff:
    """Return the result of a task where the program failed on no page, but on the tag."""
    path = f"_cache/{task.tag}"
    page = PageChange(join(task.new.root, path), *split_path(path), PageChangeKind.UNREADABLE)
    return TagDiff(task.new, [_fail(page, error)], 1)


def compare_page(
    page: PageChange, before: _Content, after: _Content, max_size: int = 0
) -> PageChange:
    """Return how a page differs; ``page`` has where it is, and ``max_size`` is in bytes."""
    kind = PageChangeKind.UNREADABLE
    if not isinstance(before, Unreadable) and not isinstance(after, Unreadable):
        kind = (PageChangeKind.ADDED if before is None
                else PageChangeKind.REMOVED if after is None else kind)
    sides = []
    for when, content in (("before", before), ("now", after)):
        side = _parse(content, max_size)
        if isinstance(side, str):
            return page._replace(kind=kind, reason=clip(f"{when}: {side}", _WIDTH))
        sides.append(side)
    (old_page, old), (new_page, new) = sides
    if kind is PageChangeKind.UNREADABLE:
        fields = changed_keys(old.head, new.head)
        if old.specs == new.specs and canonical_json(old_page.meta) != canonical_json(
                new_page.meta):
            fields.append("meta")
        if old.specs == new.specs and not fields:
            return page._replace(kind=PageChangeKind.REFORMATTED)
        page = page._replace(kind=PageChangeKind.CHANGED, fields=tuple(fields))
    else:
        page = page._replace(kind=kind)
    added, removed, changed = _match_specs(old, new)
    versions, old_versions = _versions(new_page), _versions(old_page)
    return page._replace(added=added, removed=removed, changed=changed,
                         new_versions=tuple(sorted(versions - old_versions)),
                         gone_versions=tuple(sorted(old_versions - versions)))


def _parse(content: _Content, max_size: int) -> tuple[Page, PageContents] | str:
    """Parse one side of a page, which may be missing, or return why it cannot be read."""
    if content is None:
        return Page(""), PageContents("{}", ())
    if isinstance(content, Unreadable):
        return content.message
    page = parse_page(content, max_size=max_size)
    contents = page_contents(page)
    if contents is None:
        return (page.errors[0].problem.message if page.errors
                else "the front matter is not a mapping")
    if page.format is not PageFormat.LEGACY and not isinstance(
            page.data.get("spec_details"), list):
        return "spec_details is missing, or not a list"
    return page, contents


def _match_specs(
    old: PageContents, new: PageContents
) -> tuple[tuple[SpecChange, ...], tuple[SpecChange, ...], tuple[SpecChange, ...]]:
    """Return the specs that were added, that were removed, and that differ below their hash."""
    before, after = Counter(old.specs), Counter(new.specs)
    came: dict[str, list[str]] = {}
    for dag_hash, spec in (after - before).elements():
        came.setdefault(dag_hash, []).append(spec)
    removed, changed = [], []
    for dag_hash, spec in (before - after).elements():
        if dag_hash and came.get(dag_hash):
            changed.append(_describe(came[dag_hash].pop(0), spec))
        else:
            removed.append(_describe(spec))
    return (tuple(_describe(spec) for specs in came.values() for spec in specs),
            tuple(removed), tuple(changed))


def _describe(spec: str, before: str = "") -> SpecChange:
    """Name a spec, and the fields in which it differs from what it was before."""
    data = json.loads(spec)
    if not isinstance(data, dict):
        return SpecChange("", "")
    version, dag_hash = next(iter(_versions_of(data)), ""), data.get("hash")
    fields: list[FieldChange] = []
    if before:
        old = json.loads(before)
        for key in changed_keys(before, spec):
            was, is_now = (Counter(_items(side, key)) for side in (old, data))
            if was == is_now:  # another type: "1" and 1
                was, is_now = (Counter(map(dumps, [side[key]] if key in side else []))
                               for side in (old, data))
            fields.append(FieldChange(clip(key, _WIDTH), *(
                tuple(clip(item, _WIDTH) for item in left.elements())
                for left in (was - is_now, is_now - was))))
    return SpecChange(clip(version, _WIDTH),
                      clip(dag_hash, _WIDTH) if isinstance(dag_hash, str) else "", tuple(fields))


def _items(spec: Mapping[str, Any], key: str) -> Iterator[str]:
    """Yield the items of a list, or the one value that is not a list."""
    value = spec.get(key)
    for item in value if isinstance(value, list) else [value] * (key in spec):
        yield item if isinstance(item, str) else dumps(item)


def _versions(page: Page) -> set[str]:
    return {clip(version, _WIDTH) for spec in page.specs if isinstance(spec, dict)
            for version in _versions_of(spec)}


def _versions_of(spec: Mapping[str, Any]) -> Iterator[str]:
    versions = spec.get("versions")
    yield from (each for each in (versions if isinstance(versions, list) else ())
                if isinstance(each, str))
