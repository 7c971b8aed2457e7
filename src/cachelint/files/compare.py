"""Compare a catalog with a base revision: which files differ, and what is behind links."""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import cache

from cachelint.files import discovery, git, read_write
from cachelint.files.discovery import Selection
from cachelint.files.paths import (
    META,
    TAG_PAGES,
    TAGS,
    display_path,
    exists,
    find_top,
    folders_above,
    is_link,
    is_page,
    join,
    leads_nowhere,
    leaves,
    path_key,
    real_path,
    relative_to_catalog,
)
from cachelint.files.read_write import Unreadable
from cachelint.model import CachelintError, NamedTuple


class Change(NamedTuple):
    """A file that differs between the base revision and the work tree."""

    path: str
    """Relative to the catalog's folder."""
    before: str
    """The object that the base has there; empty where it has none."""
    is_gone: bool
    store: str = ""
    """The top of the checkout whose repository has the object."""


class Changes(NamedTuple):
    """What differs between a base revision and the work tree of one catalog."""

    base: str
    """The commit that it is compared with: the merge base of REV and HEAD."""
    files: tuple[Change, ...]
    """Sorted by path, as byte strings."""
    tags: frozenset[str]
    """Folders below ``_cache`` that the base has."""
    pages: frozenset[str]
    """Every page that was compared, relative to the catalog's folder."""
    exits: tuple[str, ...]
    """Links that are new or changed and lead out of the catalog."""
    old_exits: tuple[str, ...]
    """Links that the base has, too, and that lead out: what is behind them cannot be compared."""
    ignored: frozenset[str]
    """Pages that git ignores and that were not compared."""
    notes: tuple[str, ...]
    """What could not be compared, and why."""


# no external diff, text conversion or filter: the plumbing compares object names and stat data
_DIFF = ("diff-index", "--raw", "-z", "--no-renames", "--no-abbrev", "--no-ext-diff",
         "--no-textconv", "--ignore-submodules=dirty")
_ATTRIBUTES = ".gitattributes"
_LONGEST_TARGET = 1 << 16
"""Bytes of what a link leads to."""
_FOLDERS = ("_cache", "_data", "pages", TAG_PAGES)
"""Folders of a catalog that may be links."""


def compare(root: str, revision: str, *, untracked: bool = True) -> Changes:
    """List what differs between the merge base of ``revision`` and HEAD, and the work tree.

    Args:
        root: The catalog's folder.
        revision: What the merge base with HEAD is sought of.
        untracked: Whether files count that git does not track.

    Raises:
        CachelintError: Git cannot list it, or something cannot be compared.
    """
    comparison = _Comparison(root, untracked=untracked)
    cache = join(root, "_cache")
    top = find_top(root)
    if exists(f"{cache}/.git") and not (top and git.is_submodule(top, cache)):
        # a checkout of its own, which the one around it does not know
        top = git.open_checkout(cache)
        base = git.merge_base(top, revision)
        comparison.add_checkout(top, base, "", "_cache/")
        comparison.notes.append(f"{cache} is a checkout of its own: the files beside it were not "
                                "compared")
    else:
        top, base = git.find_base(root, revision)
        comparison.add_checkout(top, base, git.path_below(root, top), "")
    if not (comparison.pages or comparison.hidden):
        raise CachelintError(f"--diff-base: no page of {root} can be compared: git has none below "
                             "_cache, in the base or in the work tree; are they ignored, or is "
                             "it a link that leads out of the catalog?")
    return comparison.result(base)


def find_removed(selection: Selection, revision: str) -> Selection:
    """Add the catalogs that a base revision has and a search does not find any more.

    Raises CachelintError: Git cannot list them, or another folder is where one was.
    """
    notes = [*selection.notes]
    removed: set[str] = set()
    for folder in selection.searched:
        top = find_top(folder)
        if top is not None:
            base = git.find_base(folder, revision)[1]
            removed |= _find_removed(top, base, git.path_below(folder, top), selection, notes)
    roots = {*selection.roots, *map(display_path, removed)}
    return selection._replace(roots=tuple(sorted(roots, key=path_key)), notes=tuple(notes))


def _find_removed(
    top: str, base: str, inside: str, selection: Selection, notes: list[str]
) -> set[str]:
    """Return the real paths of the catalogs that a commit has below a folder of a checkout.

    Those that were found are left out. Submodules that cannot be searched are noted.
    """
    removed: set[str] = set()
    found = [f"{git.path_below(root, top)}_cache" for root in selection.roots
             if find_top(root) == top]
    gone, now = git.list_others(top, base, inside, found)
    for record in _read_raw(gone):
        path = f"{top}/{record.path}"
        if record.mode == git.SUBMODULE and not record.path.endswith("/_cache"):
            if exists(f"{path}/.git") and git.has_commit(path, record.before):
                removed |= _find_removed(path, record.before, "", selection, notes)
            else:
                notes.append(f"{display_path(path)}: not compared: it is a submodule of the base "
                             "whose commits are not here")
        elif record.is_gone:
            now.append(record.path)
    for name in now:
        root, cache, _ = f"/{name.removeprefix(inside)}/".partition("/_cache/")
        if not cache or any(map(discovery.is_skipped, root.split("/"))):
            continue
        root = os.path.normpath(f"{top}/{inside}{root}")
        if real_path(root) != root or find_top(root) != top:
            raise CachelintError(
                f"--diff-base: {display_path(root)} was a catalog at the base, and is a link "
                "or another checkout now: the two cannot be compared")
        removed.add(root)
    return removed


class _Comparison:
    """Gathers what differs between a base revision and the work tree of one catalog.

    Paths are relative to the catalog. A link or a submodule has one name in git's diff, whatever
    lies behind it; that is compared file by file.
    """

    def __init__(self, root: str, *, untracked: bool) -> None:
        """Begin with nothing compared."""
        self._with_untracked = untracked
        self.root = root
        self.changes: dict[str, Change] = {}
        self.pages: set[str] = set()
        self.tags: set[str] = set()
        self.exits: list[str] = []
        self.old_exits: list[str] = []
        self.hidden: frozenset[str] = frozenset()
        self.ignored: set[str] = set()
        self.notes: list[str] = []
        self._within = (os.path.realpath(root),)

    def result(self, base: str) -> Changes:
        """Return what was gathered."""
        return Changes(
            base, tuple(self.changes[path] for path in sorted(self.changes, key=os.fsencode)),
            frozenset(self.tags), frozenset(self.pages), tuple(self.exits),
            tuple(self.old_exits), frozenset(self.ignored), tuple(self.notes))

    def add_checkout(self, top: str, base: str, inside: str, outside: str) -> None:
        """Compare a checkout with a commit.

        Args:
            top: The top of the checkout.
            base: The commit.
            inside: The folder of the checkout to compare, empty or with a final slash.
            outside: What the paths below it begin with, relative to the catalog.
        """
        paths = [] if outside else [inside + path for path in git.PATHS]
        # they look at every file of the work tree, and do so side by side
        attributes = _attributes(inside) if paths else []
        relative = git.Renaming(inside, outside)
        with (git.start(top, *_DIFF, base, "--", *paths, *attributes) as tracked,
              git.start(top, "ls-files", "-s", "-v", "-z", "--", *paths) as index,
              git.start(top, "ls-tree", "-z", base, "--", *_top_folders(inside, outside)) as trees,
              git.start(top, "ls-files", "--others", "-z", "--", *paths, *attributes)
              if self._with_untracked else nullcontext() as untracked):
            listed = git.finish(index)
            entries = git.read_index(listed, relative)
            records = {relative(record.path): record for record in _read_raw(git.finish(tracked))}
            modes = dict(_read_tree(git.finish(trees), relative))
            others = git.split_names(git.finish(untracked)) if untracked is not None else []
        new = self._list_new(top, others, paths, relative)
        self.pages |= entries.pages.union(path for path in new if is_page(path))
        self._add_records(top, records, entries, new)
        self._add_unwatched(top, records, entries)
        if any(path.rpartition("/")[2] == _ATTRIBUTES for path in (*records, *others)):
            self._add_rewritten(top, records, git.read_objects(listed, relative))
        for path in new:
            before = records[path].before if path in records else ""
            self._add(Change(path, before, False, top))
        self.tags |= {path.split("/")[1] for path, mode in modes.items()
                      if path.startswith("_cache/") and mode != git.LINK}
        for path in {*entries.submodules, *(path for path, record in records.items()
                                            if record.mode == git.SUBMODULE)}:
            if _may_contain_pages(path):
                self._add_submodule(path, entries.submodules.get(path, ""), records.get(path))
        links = self._find_links({*entries.links, *new}, records, modes)
        # an untracked checkout: git names only its folder
        links |= {path.rstrip("/") for path in new if path.endswith("/")}
        if links := {path for path in links if _may_contain_pages(path)}:
            self._add_links(links, records, _Tree(top, base, inside, outside), entries.hidden)

    def _list_new(
        self, top: str, listed: list[str], paths: list[str], relative: git.Renaming
    ) -> set[str]:
        """Return which of the files that git does not track it does not ignore."""
        if not listed:
            return set()
        # there rarely is one, so a second call finds out which of them git ignores
        output = git.finish(git.start(
            top, "ls-files", "--others", "--exclude-standard", "-z", "--", *paths))
        new = {relative(name) for name in git.split_names(output)}
        ignored = {relative(name) for name in listed} - new
        self.ignored.update(path for path in ignored if is_page(path))
        return new

    def _find_links(
        self, listed: set[str], records: dict[str, _Record], modes: dict[str, str]
    ) -> set[str]:
        """Return what is a link now or was one at the base."""
        listed |= {*modes, *_FOLDERS}
        links = {path for path in listed if self._is_link(path)}
        links |= {path for path, record in records.items() if record.mode == git.LINK}
        return links | {path for path, mode in modes.items() if mode == git.LINK}

    def _is_link(self, path: str) -> bool:
        return is_link(join(self.root, path).rstrip("/"))

    def _add(self, change: Change) -> None:
        if not (change.path.startswith("_cache/") or _may_contain_pages(change.path)):
            return  # another file in `_data` or `pages`
        self.changes[change.path] = change
        if change.before and change.path.startswith("_cache/"):
            self.tags.add(change.path.split("/")[1])

    def _add_records(
        self, top: str, records: dict[str, _Record], entries: git.Index, new: set[str]
    ) -> None:
        """Add what git's own comparison names, but for links and submodules."""
        hidden = 0
        for path, record in records.items():
            if git.SUBMODULE in (record.mode, record.new_mode) or record.mode == git.LINK:
                continue
            if path in entries.hidden and not self._is_there(path):
                hidden += is_page(path)
                continue
            is_gone = record.is_gone and not self._is_there(path)
            if record.is_gone and not (path in entries.pages or path in entries.others
                                       or path in new or os.path.isdir(join(self.root, path))):
                is_gone = True  # git does not track it any more, even if it is there and ignored
            if not is_gone and record.is_dirty and self._is_same(path, record.before):
                continue  # another time stamp, the same bytes
            self._add(Change(path, record.before, is_gone, top))
            if is_gone and is_page(path):
                self.pages.add(path)
                self.ignored.discard(path)
        if hidden:
            self.notes.append(f"{hidden:,} changed page{'s' * (hidden != 1)} of {self.root} "
                              "not checked out (sparse checkout), and so not compared")
        self.hidden |= entries.hidden
        self.pages.difference_update(
            path for path in entries.hidden if not self._is_there(path))

    def _add_rewritten(
        self, top: str, records: dict[str, _Record], objects: Iterator[tuple[str, str]]
    ) -> None:
        """Add what is the same content to git, and written otherwise into the work tree."""
        for path, name in objects:
            if path not in records and _may_contain_pages(path) and not self._is_same(path, name):
                self._add(Change(path, name, False, top))

    def _add_unwatched(self, top: str, records: dict[str, _Record], entries: git.Index) -> None:
        """Add what git is to take for unchanged and is not."""
        for path, name in entries.unwatched.items():
            is_there = self._is_there(path)
            if path not in records and (is_there or path not in entries.hidden) and (
                    not self._is_same(path, name)):
                self._add(Change(path, name, not is_there, top))

    def _is_there(self, path: str) -> bool:
        shown = join(self.root, path)
        return exists(shown) and not leaves(shown, self._within)

    def _is_same(self, path: str, before: str) -> bool:
        """Return whether a file has the bytes of an object."""
        shown = real_path(join(self.root, path))
        return bool(before) and not leaves(shown, self._within) and _has_content(shown, before)

    def _add_submodule(self, path: str, commit: str, record: _Record | None) -> None:
        """Compare a submodule with the commit that the base has of it.

        ``commit`` is what the index has, empty where the submodule was removed since.
        """
        shown = join(self.root, path)
        if not commit or (record is not None and record.mode != git.SUBMODULE):
            when = "only at the base" if not commit else "and was not one at the base"
            raise CachelintError(f"--diff-base: {shown} is a submodule {when}: the two cannot be "
                                 "compared")
        if not exists(f"{shown}/.git"):
            raise CachelintError(f"--diff-base: {shown} is a submodule that is not checked out: "
                                 f"git submodule update --init {shown}")
        top = git.open_checkout(shown)
        commit = record.before if record is not None else commit
        git.require_commit(top, commit)
        self.add_checkout(top, commit, "", f"{path}/")

    def _add_links(
        self, links: set[str], records: dict[str, _Record], tree: _Tree, hidden: frozenset[str]
    ) -> None:
        """Compare file by file what lies behind links, in the base or in the work tree."""
        before: dict[str, str] = {}
        now: set[str] = set()
        list_tag = cache(self._list_tag)
        for link in links:
            before |= tree.list_files(link)
            shown = join(self.root, link)
            if not leaves(shown, self._within):
                # reading what is behind a link to nowhere reports it
                now.update(path for path in self._list_now(link, list_tag)
                           if self._is_there(path) or leads_nowhere(shown))
            elif link in records or link in self.changes:
                self.exits.append(link)
            else:
                self.old_exits.append(link)
        for path in [path for path in self.changes
                     if not links.isdisjoint((path, *folders_above(path)))]:
            del self.changes[path]
        for path in (before.keys() | now) - hidden - {*self.exits, *self.old_exits}:
            if path in now and path in before and self._is_same(path, before[path]):
                continue
            self._add(Change(path, before.get(path, ""), path not in now, tree.top))
        self.pages |= set(filter(is_page, before.keys() | now))
        self.tags |= {path.split("/")[1] for path in before if path.startswith("_cache/")}

    def _list_now(self, link: str, list_tag: Callable[[str], list[str]]) -> Iterator[str]:
        """Yield the pages and the catalog's own files at or below a link."""
        top, *below = link.split("/")
        if top == "_cache":
            listed = read_write.names(join(self.root, top)) if not below else below[:1]
            for tag in () if isinstance(listed, Unreadable) else listed:
                if not tag.startswith("."):
                    yield from _at_or_below(link, list_tag(tag))
        else:
            names = read_write.names(join(self.root, TAG_PAGES))
            tag_pages = () if isinstance(names, Unreadable) else names
            yield from _at_or_below(link, sorted([
                TAGS, META, *(f"{TAG_PAGES}/{name}" for name in tag_pages)]))

    def _list_tag(self, tag: str) -> list[str]:
        """List the pages of a tag, sorted."""
        pages, *_ = discovery.list_tag(self.root, tag, self._within)
        return sorted(relative_to_catalog(path) for path, _ in pages)


_IN_CATALOG = re.compile(
    r"(?:.*/)?(?:_cache/.*|_data/(?:tags|meta)\.yaml|pages/tags/.*)", re.DOTALL)


def find_staged_base() -> str | None:
    """Return the revision with which a hook compares a commit; None if no catalog is concerned.

    It is HEAD, or the commit with which pre-commit begins. Raises CachelintError, also where a
    staged file is not what is in the work tree, which is what is checked.
    """
    revision = os.environ.get("PRE_COMMIT_FROM_REF") or "HEAD"
    try:
        top, base = git.find_base(".", revision)
    except CachelintError as error:
        raise CachelintError(str(error).replace("--diff-base", "--staged", 1)) from None
    output = git.finish(git.start(top, "diff-index", "--cached", "--name-only", "-z",
                                  "--no-renames", base, "--"))
    staged = set(filter(_IN_CATALOG.fullmatch, git.split_names(output)))
    if not staged:
        return None
    paths = staged if len(staged) < 1000 else ()  # so many arguments fit everywhere
    output = git.finish(git.start(top, "diff-files", "--raw", "-z", "--ignore-submodules=all",
                                  "--", *paths))
    for record in _read_raw(output):
        path = join(display_path(top), record.path)
        if record.path in staged and not _has_content(path, record.before):
            raise CachelintError(f"--staged: {path} is not as it is staged: stage it, or stash "
                                 "what is not")
    return revision


def _has_content(path: str, name: str) -> bool:
    """Return whether a file has the bytes of an object, or is a link with them as its target."""
    if is_link(path):
        return _name_object(os.fsencode(os.readlink(path)), name) == name
    raw = read_write.read(path)
    return not isinstance(raw, Unreadable) and _name_object(raw, name) == name


def _attributes(folder: str) -> list[str]:
    """Return the files that decide how git writes the files of a folder, of it and those above."""
    parts = folder.split("/")[:-1]
    return ["/".join([*parts[:number], _ATTRIBUTES]) for number in range(len(parts) + 1)]


def _top_folders(inside: str, outside: str) -> list[str]:
    """Return what to list of a tree: its tags, and the folders that may be links."""
    if not outside:
        return [inside + name for name in (*_FOLDERS, "_cache/")]
    return []


def _may_contain_pages(path: str) -> bool:
    """Return whether pages or the catalog's own files may lie at ``path`` or below it."""
    parts = path.split("/")
    return (parts[0] == "_cache" and len(parts) <= 4) or (
        path in (TAGS, META, *_FOLDERS) or os.path.dirname(path) == TAG_PAGES)


def _at_or_below(path: str, paths: list[str]) -> list[str]:
    """Return those of some sorted paths that are a path, or below it."""
    first, last = bisect_left(paths, f"{path}/"), bisect_left(paths, f"{path}0")  # "0" follows "/"
    at = bisect_left(paths, path)
    return [*(each for each in paths[at : at + 1] if each == path), *paths[first:last]]


def _name_object(content: bytes, like: str) -> str:
    """Return the name that git gives to ``content``, by the hash function of another name."""
    import hashlib

    function = hashlib.sha256 if len(like) == 64 else hashlib.sha1
    return function(b"blob %d\0" % len(content) + content).hexdigest()


class _Tree:
    """What a commit has in the folder of a catalog, with its links followed."""

    def __init__(self, top: str, base: str, inside: str, outside: str) -> None:
        """Read the tree."""
        self.top = top
        folder = [inside] if inside else []
        output = git.finish(git.start(top, "ls-tree", "-r", "-z", base, "--", *folder))
        self._objects: dict[str, str] = {}
        links: dict[str, str] = {}
        for name, mode, found in git.split_tree(output):
            path = outside + name.removeprefix(inside)
            (links if mode == git.LINK else self._objects)[path] = found
        self._paths, self._link_paths = sorted(self._objects), sorted(links)
        targets = git.contents(((top, each) for each in links.values()), _LONGEST_TARGET)
        # no file system has a link with a longer one
        self._links = {path: "/" if isinstance(target, Unreadable) else os.fsdecode(target)
                       for path, target in zip(links, targets, strict=True)}

    def list_files(self, path: str) -> dict[str, str]:
        """Return the object of each page or own file at or below ``path``, links followed."""
        real = self._follow(path)
        if real is None or path.count("/") > 3:
            return {}
        found = {path + each[len(real):]: self._objects[each]
                 for each in _at_or_below(real, self._paths)}
        for link in _at_or_below(real, self._link_paths):
            found |= self.list_files(path + link[len(real):])
        return {each: name for each, name in found.items() if _may_contain_pages(each)}

    def _follow(self, path: str) -> str | None:
        """Return where a path leads to; None where that is outside or nowhere."""
        parts, at = path.split("/"), [""] * 0
        for _ in range(1000):
            if not parts:
                return "/".join(at)
            part, *parts = parts
            if part == os.pardir:
                if not at:
                    return None
                at.pop()
            elif part not in ("", os.curdir):
                target = self._links.get("/".join([*at, part]))
                if target is None:
                    at.append(part)
                elif target.startswith("/"):
                    return None
                else:
                    parts = [*target.split("/"), *parts]
        return None  # links that lead in a circle


class _Record(NamedTuple):
    """One line of `git diff-index --raw`."""

    path: str
    mode: str
    new_mode: str
    before: str
    """Empty where the base has none."""
    is_gone: bool
    is_dirty: bool
    """Whether the file may be the same all the same: only its time stamp or size was looked at."""


def _read_raw(output: bytes) -> Iterator[_Record]:
    """Read `git diff-index --raw -z`: `:MODE MODE OBJECT OBJECT STATUS`, then the path."""
    fields = output.split(b"\0")
    for head, name in zip(fields[::2], fields[1::2], strict=False):
        mode, new_mode, before, after, status = head.decode()[1:].split(" ")
        is_new = set(before) == {"0"}
        yield _Record(os.fsdecode(name), mode, new_mode, "" if is_new else before, status == "D",
                      set(after) == {"0"})


def _read_tree(output: bytes, relative: git.Renaming) -> Iterator[tuple[str, str]]:
    """Yield the path and the mode of each entry that `git ls-tree -z` printed."""
    for name, mode, _ in git.split_tree(output):
        if mode != "100644":
            yield relative(name), mode
