"""Check a pull request by what it changes: which pages to check, and what changed in them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

from cachelint.document import catalog_files
from cachelint.document.catalog_files import TagFacts, Tags
from cachelint.document.page import Page
from cachelint.document.parser import parse_page
from cachelint.document.render import render_page
from cachelint.document.strict_json import dumps, escape_token
from cachelint.files import discovery, git, read_write
from cachelint.files.compare import Change, Changes, compare
from cachelint.files.discovery import Selection, TagTask
from cachelint.files.paths import (
    PAGE,
    display_path,
    find_top,
    folders_above,
    is_page,
    join,
    leads_nowhere,
    path_key,
    real_path,
    relative_to_catalog,
)
from cachelint.files.read_write import Unreadable
from cachelint.linter.findings import isolate, make_finding
from cachelint.linter.tag import read_tags, stray_findings
from cachelint.model import CachelintError, Finding, NamedTuple, PageFormat, Problem, Span
from cachelint.rules import Fix, Rule
from cachelint.rules.cl8_history import (
    frozen_page_added,
    frozen_page_changed,
    frozen_page_removed,
    order_only_change,
)
from cachelint.rules.selection import Settings, apply_overrides
from cachelint.text import clip, plural


class Scope(NamedTuple):
    """What of one catalog is to be checked because it changed."""

    root: str
    tasks: list[TagTask]
    """The changed pages."""
    others: list[TagTask]
    """Pages of tags whose entry in ``tags.yaml`` changed, only for CL604."""
    facts: list[TagFacts]
    """Of tags in which pages came or went, or whose entry or page changed; specs not counted."""
    own_files: frozenset[str]
    """The catalog's own files that changed, relative to its folder."""
    findings: list[Finding]
    """CL801 to CL804, and stray files."""
    paths: frozenset[str]
    """Every path that was looked at, relative to the catalog's folder."""
    base: str
    """The commit that was compared with."""
    compared: int
    """How many pages were compared with it."""
    notes: tuple[str, ...]
    """What could not be compared, and why."""


def _group_by_tag(root: str, changes: Changes) -> tuple[dict[str, list[str]], list[str]]:
    """Return the changed pages that exist, by tag, and the stray ones, as paths are shown.

    What cannot be read, or leads out of the catalog, is of the tag of no name.
    """
    by_tag: dict[str, list[str]] = {}
    others: list[str] = []
    unread: list[str] = []
    for change in changes.files:
        if change.path.startswith("_cache/") and not change.is_gone:
            path = join(root, change.path)
            if is_page(change.path):
                by_tag.setdefault(change.path.split("/")[1], []).append(path)
            elif change.path.count("/") == 1 and leads_nowhere(path):
                unread.append(path)
            else:
                others.append(path)
    strays = _find_strays(others, unread)
    # what is behind a linked folder is reported with the catalog's own files
    own_folders = {folder for change in changes.files if not change.path.startswith("_cache/")
                   for folder in folders_above(change.path)}
    exits = [join(root, path) for path in changes.exits if path not in own_folders]
    if nowhere := [*map(display_path, unread), *exits]:
        by_tag[""] = nowhere
    return by_tag, strays


def scope(
    root: str, revision: str, selection: Selection, settings: Settings, *, untracked: bool = True
) -> Scope:
    """Work out what differs between a base revision and the work tree, as far as selected.

    Args:
        root: The catalog's folder.
        revision: What the merge base with HEAD is sought of.
        selection: What the command line names.
        settings: Which rules run, and which tags may change.
        untracked: Whether files count that git does not track.

    Raises:
        CachelintError: There is no git, no repository, no such revision or no merge base.
    """
    changes = select_changes(root, revision, selection, settings, untracked=untracked)
    chosen = changes.files
    pages = [change for change in chosen if _tag_of(change.path)]
    findings: list[Finding] = []
    tags = read_tags(root, findings)
    by_tag, strays = _group_by_tag(root, changes)
    notes = list(changes.notes)
    findings += stray_findings(strays, settings)
    findings += _compare(root, pages, changes, settings, notes)
    changed_entries: set[str] = set()
    with isolate(join(root, catalog_files.TAGS), findings):
        changed_entries = _changed_entries(chosen, tags, settings)
    came_or_went = {_tag_of(change.path) for change in pages if change.is_gone or not change.before}
    own_tags = {change.path.rsplit("/", 1)[1].removesuffix(".md") for change in chosen
                if change.path.startswith(f"{catalog_files.TAG_PAGES}/")}
    touched = sorted(changed_entries | came_or_went | own_tags)
    hidden = discovery.hidden_files(root)
    return Scope(
        root,
        [_task(root, tag, paths, tags) for tag, paths in by_tag.items()],
        [_task(root, tag, _unchanged(root, tag, by_tag), tags) for tag in sorted(changed_entries)],
        [TagFacts(root, tag, True, _number_of_pages(root, tag, hidden), None)
         for tag in touched],
        frozenset(change.path for change in chosen if not change.path.startswith("_cache/")),
        apply_overrides(findings, settings),
        frozenset(change.path for change in chosen),
        changes.base,
        count_selected(root, changes.pages, selection, settings),
        # what git does not track is not part of a commit
        (*notes, *(find_unknown(root, changes, hidden, selection, settings) if untracked else ())),
    )


def select_changes(
    root: str, revision: str, selection: Selection, settings: Settings, *, untracked: bool = True
) -> Changes:
    """Compare a catalog with a base revision, and keep the files that are selected.

    Raises CachelintError as `scope` does, and where an old link leads out of the catalog.
    """
    changes = compare(root, revision, untracked=untracked)
    concerns, is_selected = _make_concerns(root, selection), make_is_selected(root, selection)
    exits, old_exits = ([path for path in links
                         if concerns(path) and not settings.excludes(path)]
                        for links in (changes.exits, changes.old_exits))
    if old_exits:
        raise CachelintError(
            f"--diff-base: {join(root, old_exits[0])} is a link that leads out of the catalog, so "
            "what is behind it cannot be compared: move it into the catalog, or exclude the link")
    chosen = (change for change in changes.files
              if not settings.excludes(change.path) and is_selected(change.path))
    return changes._replace(files=tuple(chosen), exits=tuple(exits))


def find_unknown(
    root: str, changes: Changes, hidden: frozenset[str], selection: Selection, settings: Settings
) -> Iterator[str]:
    """Yield a note for each tag and page that is selected and that git does not know."""
    known = {path.split("/")[1] for path in (*changes.pages, *filter(is_page, hidden))}
    known.update(link.split("/")[1] for link in changes.exits if "/" in link)
    ignored: dict[str, list[str]] = {}
    for path in sorted(changes.ignored, key=path_key):
        if not settings.excludes(path):
            ignored.setdefault(path.split("/")[1], []).append(join(root, path))
    for task in selection.tasks:
        if task.root != root or not task.tag:
            continue
        folder = join(root, f"_cache/{task.tag}")
        if task.pages is not None:
            unknown = [path for path in task.pages
                       if relative_to_catalog(path) not in changes.pages]
        elif task.tag in known:
            unknown = ignored.get(task.tag, [])
        else:
            unknown = [folder] * (not leads_nowhere(folder) and bool(
                discovery.list_tag(root, task.tag, task.within).pages))
        if len(unknown) > 1:
            yield f"{plural(len(unknown), 'page')} of {folder} not compared: git ignores them"
        elif unknown:
            yield f"{unknown[0]}: not compared: git ignores it"


def count_selected(
    root: str, paths: frozenset[str], selection: Selection, settings: Settings
) -> int:
    """Count the paths that are selected and not excluded."""
    if root in selection.roots and not settings.exclude:
        return len(paths)
    is_selected = make_is_selected(root, selection)
    return sum(not settings.excludes(path) and is_selected(path) for path in paths)


def make_is_selected(root: str, selection: Selection) -> Callable[[str], bool]:
    """Return what determines whether a path relative to a catalog is part of a selection."""
    if root in selection.roots:
        return lambda _: True
    tasks = [task for task in selection.tasks if task.root == root]
    tags = {task.tag for task in tasks if task.pages is None}
    named = {relative_to_catalog(path) for path in selection.catalog_files}
    named.update(relative_to_catalog(path) for task in tasks for path in task.pages or ())
    return lambda path: path in named or (
        path.startswith("_cache/") and path.count("/") > 1 and path.split("/")[1] in tags)


def _make_concerns(root: str, selection: Selection) -> Callable[[str], bool]:
    """Return what determines whether a selected tag or file is a link, or behind or around it."""
    if root in selection.roots:
        return lambda _: True
    selected = {f"_cache/{task.tag}" for task in selection.tasks if task.root == root}
    selected.update(map(relative_to_catalog, selection.catalog_files))
    above = {folder for path in selected for folder in folders_above(path)}
    return lambda link: link in above or not selected.isdisjoint((link, *folders_above(link)))


def _tag_of(path: str) -> str:
    """Return the tag of ``_cache/<tag>/<package>/specs.md``; empty for any other path."""
    parts = path.split("/")
    is_page = len(parts) == 4 and parts[0] == "_cache" and parts[3] == PAGE
    return parts[1] if is_page else ""


def _task(root: str, tag: str, paths: list[str], tags: Tags | None) -> TagTask:
    listed = tags is not None and tag in tags.entries
    stacks = tags.stacks.get(tag) if tags is not None else None
    return TagTask(root, tag, tuple(sorted(paths, key=path_key)), listed, stacks,
                   within=(real_path(root),))


def _pages(root: str, tag: str) -> list[str]:
    listing = discovery.list_tag(root, tag, (real_path(root),))
    return [path for path, place in listing.pages if place.tag]


def _number_of_pages(root: str, tag: str, hidden: frozenset[str]) -> int:
    """Count the pages of a tag, checked out or not; at least one where not all can be listed."""
    listing = discovery.list_tag(root, tag, (real_path(root),))
    number = sum(place.tag is not None for _, place in listing.pages)
    return number + sum(_tag_of(path) == tag for path in hidden) + (not listing.is_complete)


def _unchanged(root: str, tag: str, by_tag: dict[str, list[str]]) -> list[str]:
    changed = set(by_tag.get(tag, ()))
    return [path for path in _pages(root, tag) if path not in changed]


def _find_strays(paths: list[str], unread: list[str]) -> list[str]:
    """Find among files those that Jekyll takes for pages; add those that cannot be read."""
    found: list[str] = []
    for path in paths:
        # in the working directory a path may have no folder
        folder, _, name = path.rpartition("/")
        discovery.find_strays(folder or ".", [name], found, unread)
    return list(map(display_path, found))


def _changed_entries(
    chosen: Iterable[Change], now: Tags | None, settings: Settings
) -> set[str]:
    """Return the tags whose stacks ``tags.yaml`` gives otherwise than the base, or anew."""
    change = next((change for change in chosen if change.path == catalog_files.TAGS), None)
    if change is None or now is None:
        return set()
    before: Tags | None = None
    if change.before:
        (raw,) = git.contents([(change.store, change.before)], settings.max_page_size)
        if not isinstance(raw, Unreadable):
            before = catalog_files.tags_of(catalog_files.read_yaml(raw, catalog_files.tags_by_line))
    return {tag for tag, stacks in now.stacks.items()
            if before is None or before.stacks.get(tag) != stacks}


# ------------------------------------------------------------------------------- frozen tags


def _compare(
    root: str, pages: list[Change], changes: Changes, settings: Settings, notes: list[str]
) -> list[Finding]:
    """Make CL801 to CL804 for the pages of frozen tags, and note what cannot be compared."""
    findings: list[Finding] = []
    frozen = [change for change in pages if _tag_of(change.path) not in settings.mutable_tags]
    befores = git.contents(((change.store, change.before) for change in frozen if change.before),
                           settings.max_page_size)
    here, top = find_top("."), find_top(root)
    for change in frozen:
        before = next(befores) if change.before else b""
        restore, shown = "", join(root, change.path)
        if change.before and change.store == here == top:
            # in a submodule, or elsewhere, it is another command
            restore = (f"Restore the page: git checkout {changes.base[:12]} -- "
                       f"{shlex.quote(shown)}")
        with isolate(shown, findings):
            findings += (finding._replace(help=restore) for finding in _compare_change(
                root, change, before, changes, settings, notes))
    return findings


def _compare_change(
    root: str, change: Change, before: bytes | Unreadable, changes: Changes, settings: Settings,
    notes: list[str],
) -> Iterator[Finding]:
    tag, path = _tag_of(change.path), join(root, change.path)
    if change.is_gone:
        yield from _found(frozen_page_removed, path, None, settings,
                          f"page was removed from frozen tag {tag}")
        return
    raw = read_write.read(path, settings.max_page_size, (real_path(root),))
    if raw == before and not isinstance(raw, Unreadable):
        return  # a link to the same content
    page, new, faults = _read(raw, settings)
    if not change.before:
        if tag in changes.tags and page is not None:
            yield from _found(frozen_page_added, path, page, settings,
                              f"page was added to frozen tag {tag}")
        return
    _, old, old_faults = _read(before, settings)
    if page is None or new is None:
        # a baseline can contain the faults that it had, and rules can be ignored
        if settings.runs_on(change.path).isdisjoint(faults - old_faults):
            yield from _found(frozen_page_changed, path, page, settings,
                              f"page changed in frozen tag {tag}, and cannot be read")
    elif old is None:
        notes.append(f"{path}: not compared: it cannot be read at the base")
    else:
        yield from _compare_contents(change.path, path, old, new, page, settings)


def _read(
    raw: bytes | Unreadable, settings: Settings
) -> tuple[Page | None, PageContents | None, set[str]]:
    """Parse a page; return it, its contents if it can be read, and the codes of its faults."""
    if isinstance(raw, Unreadable):
        return None, None, {raw.code}
    page = parse_page(raw, max_size=settings.max_page_size)
    return page, page_contents(page), {error.code for error in page.errors}


def _compare_contents(
    name: str, path: str, old: PageContents, new: PageContents, after: Page, settings: Settings
) -> Iterator[Finding]:
    _, tag, package, _ = name.split("/")
    if old != new:
        yield from _found(frozen_page_changed, path, after, settings,
                          _difference(tag, package, old, new),
                          _locate_change(after, old, new))
    elif after.format is not PageFormat.LEGACY and not _is_canonical(after):
        yield from _found(order_only_change, path, after, settings,
                          f"only order or formatting changed in frozen tag {tag}, and not to "
                          "canonical form")


class PageContents(NamedTuple):
    """The contents of a page that are not derived, in no order."""

    head: str
    """All but `meta` and the specs."""
    specs: tuple[tuple[str, str], ...]
    """Hash and JSON of each spec, with its lists sorted, in order."""


def page_contents(page: Page) -> PageContents | None:
    """Return the contents of a page; None where it cannot be read."""
    if not page.parsed or not isinstance(page.data, dict):
        return None
    head = {key: value for key, value in page.data.items() if key not in ("meta", "spec_details")}
    specs = sorted((_hash_of(spec), canonical_json(spec)) for spec in page.specs)
    if page.format is PageFormat.LEGACY:
        return PageContents(canonical_json(head), ())
    return PageContents(dumps(head, sort_keys=True), tuple(specs))


def _hash_of(spec: Any) -> str:
    """Return the hash of a spec; empty where it has none."""
    dag_hash = spec.get("hash") if isinstance(spec, dict) else None
    return dag_hash if isinstance(dag_hash, str) else ""


def canonical_json(value: Any) -> str:
    """Write a mapping with its keys and the items of its lists in order."""
    if isinstance(value, dict):
        value = {key: sorted(item, key=None if _is_of_strings(item) else dumps)
                 if isinstance(item, list) else item for key, item in value.items()}
    return dumps(value, sort_keys=True)


def _is_of_strings(items: list[Any]) -> bool:
    return set(map(type, items)) <= {str}


def _difference(tag: str, package: str, old: PageContents, new: PageContents) -> str:
    """Return what differs: the first spec with its values, and how many more."""
    before, after = dict(old.specs), dict(new.specs)
    removed = [name for name in before if name not in after]
    added = [name for name in after if name not in before]
    changed = [name for name in before if name in after and before[name] != after[name]]
    claims = []
    for names, verb in ((changed, "changed in"), (removed, "was removed from"),
                        (added, "was added to")):
        if names:
            specs = before if names[0] in before else after
            claim = f"{_name(package, specs[names[0]], names[0])} {verb} frozen tag {tag}"
            if names is changed:
                change = _first_change(before[names[0]], after[names[0]])
                claim += (f": {clip(change[0], 60)} was {change[1]}, is {change[2]}" if change
                          else ": it is another value")
            if len(names) > 1:
                claim += f" (and {plural(len(names) - 1, 'more spec')})"
            claims.append(claim)
    if old.head != new.head:
        claims.append(f"title or categories changed in frozen tag {tag}")
    return "; ".join(claims) or f"a spec of frozen tag {tag} is now there another number of times"


def _locate_change(page: Page, old: PageContents, new: PageContents) -> tuple[Span, str] | None:
    """Return where the first value that changed is, and what it was."""
    before, after = dict(old.specs), dict(new.specs)
    name = next((name for name in before if after.get(name, before[name]) != before[name]), None)
    index = next((index for index, spec in enumerate(page.specs)
                  if isinstance(spec, dict) and spec.get("hash") == name), None)
    if name is None or index is None:
        return None
    change = _first_change(before[name], after[name])
    if change is None:
        return None
    key, was, _, is_left = change
    span = page.span_of(f"/spec_details/{index}/{escape_token(key)}" if is_left
                        else f"/spec_details/{index}")
    return span, f"was {was}"


def _name(package: str, spec: str, dag_hash: str) -> str:
    """Name a spec as Spack does."""
    data = json.loads(spec) if len(spec) <= _LONGEST_SPEC else None
    versions = data.get("versions") if isinstance(data, dict) else None
    version = f"@{versions[0]}" if isinstance(versions, list) and versions else ""
    return clip(f"{package}{version}/{dag_hash[:7]}", 80)


def changed_keys(before: str, after: str) -> list[str]:
    """Return the keys of two mappings, which are JSON, whose values differ, sorted."""
    if before == after:
        return []
    return list(_changed_keys(json.loads(before), json.loads(after)))


def _changed_keys(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    for key in sorted(old.keys() | new.keys()):
        if key not in old or key not in new or dumps(old[key]) != dumps(new[key]):
            yield key


_LONGEST_SPEC = 1 << 18
"""A message has details of a spec with at most so many characters; real ones have a thousand."""


@lru_cache(maxsize=1)  # the message has it, and its location
def _first_change(before: str, after: str) -> tuple[str, str, str, bool] | None:
    """Return the first field that differs, both values, and whether it is still there."""
    if max(len(before), len(after)) > _LONGEST_SPEC:
        return None
    old, new = json.loads(before), json.loads(after)
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return None
    key = next(_changed_keys(old, new))
    return key, _value(old, key), _value(new, key), key in new


def _value(spec: dict[str, Any], key: str) -> str:
    value = spec.get(key)
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    return "missing" if key not in spec else clip(str(value), 60)


def _is_canonical(page: Page) -> bool:
    try:
        title, tag = page.data["title"], page.data["categories"][1]
        return page.text == render_page(title, tag, page.specs)
    except (KeyError, IndexError, TypeError, AttributeError):
        return False  # invalid, and so not in any form


def _found(
    rule: Rule, path: str, page: Page | None, settings: Settings, message: str,
    other: tuple[Span, str] | None = None,
) -> Iterator[Finding]:
    if rule.code not in settings.selected:
        return
    if page is None:
        yield Finding(path, 1, 1, 1, 1, rule.code, rule.name, rule.severity, message, "", False)
        return
    fixable = (rule.fixability is Fix.REWRITE and page.format is PageFormat.CURRENT
               and not page.comments)
    span, label = other or (None, "")
    problem = Problem("", message, other_span=span, other_label=label)
    yield make_finding(path, page, rule, problem, page.span_of(""), fixable)
