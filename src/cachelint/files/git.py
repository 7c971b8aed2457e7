"""Git by its plumbing: which files differ from a base revision, and their contents there.

Names are NUL-separated and contents are read by object name, so that it works in shallow, blobless
and sparse clones, and with names that would need quoting.

A checkout is untrusted. Git runs at the top of the checkout, the nearest folder with a ``.git``
entry, which no tree can contain; so a folder that looks like a bare repository never lends it a
configuration. No hook, file system monitor, external diff, text conversion or submodule is run.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from cachelint.files import discovery
from cachelint.files.discovery import Selection, Unreadable
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
    notes: tuple[str, ...]
    """What could not be compared, and why."""


# no external diff, text conversion or filter: the plumbing compares object names and stat data
_DIFF = ("diff-index", "--raw", "-z", "--no-renames", "--no-abbrev", "--no-ext-diff",
         "--no-textconv", "--ignore-submodules=dirty")
_PATHS = ("_cache", "_data", "pages")
_OWN = ("_data", "_data/tags.yaml", "_data/meta.yaml", "pages", "pages/tags")
_LINK, _SUBMODULE = "120000", "160000"

LOCAL_VARIABLES = frozenset({
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_CONFIG", "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS", "GIT_DIR", "GIT_GRAFT_FILE", "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE", "GIT_INTERNAL_SUPER_PREFIX", "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_REPLACE_REF_BASE", "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
})
"""Variables that describe one repository, as `git rev-parse --local-env-vars` lists them.

Git sets them for hooks, aliases and `rebase --exec`; they may be about another repository.
"""

_PATHSPEC_VARIABLES = frozenset({
    "GIT_GLOB_PATHSPECS", "GIT_ICASE_PATHSPECS", "GIT_NOGLOB_PATHSPECS"})
"""What `git --glob-pathspecs` and the like hand on, which contradicts literal ones."""

_SAFE = ("-c", "safe.bareRepository=explicit", "-c", "core.fsmonitor=false",
         "-c", f"core.hooksPath={os.devnull}", "-c", "submodule.recurse=false")
_ENVIRONMENT = {
    "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_LITERAL_PATHSPECS": "1",
    "GIT_TERMINAL_PROMPT": "0",
}


def _start(
    top: str, *arguments: str, stdin: int = subprocess.DEVNULL, stderr: int = subprocess.PIPE
) -> subprocess.Popen[bytes]:
    """Start git at the top of a checkout. Raises CachelintError where it is not installed."""
    environment = {name: value for name, value in os.environ.items()
                   if name not in LOCAL_VARIABLES | _PATHSPEC_VARIABLES}
    # a `.git` that git does not accept must not make it look further up
    environment |= {**_ENVIRONMENT, "GIT_CEILING_DIRECTORIES": str(Path(top).parent)}
    try:
        return subprocess.Popen(["git", *_SAFE, "-C", top, *arguments], env=environment,
                                stdin=stdin, stdout=subprocess.PIPE, stderr=stderr)
    except FileNotFoundError:
        raise CachelintError("git is not installed, and it is needed here: to compare with a base, "
                             "and in sparse checkouts") from None


def _finish(process: subprocess.Popen[bytes]) -> bytes:
    """Return what git printed. Raises CachelintError with its own explanation."""
    output, complaint = process.communicate()
    if process.returncode:
        raise CachelintError(f"git failed: {_explain(complaint) or process.returncode}")
    return output


def _explain(complaint: bytes) -> str:
    """Return the first line that git printed and the last, which says what to do."""
    lines = [line.strip() for line in complaint.decode("utf-8", "replace").splitlines()
             if line.strip()]
    return " ... ".join(dict.fromkeys([*lines[:1], *lines[-1:]]))


def _ask(top: str, *arguments: str) -> str | None:
    """Return the line that git answers; None where it refuses."""
    process = _start(top, *arguments)
    output, _ = process.communicate()
    return None if process.returncode else output.decode("utf-8", "surrogateescape").strip()


def _find_repository(folder: str) -> str:
    """Return the top of the checkout around ``folder``. Raises CachelintError without one."""
    top = discovery.find_top(folder)
    if top is None:
        raise CachelintError(f"--diff-base: {folder} is not in a git repository")
    process = _start(top, "rev-parse", "--git-dir")
    _, complaint = process.communicate()
    if process.returncode:
        raise CachelintError(f"--diff-base: git cannot read the repository at {top}: "
                             f"{_explain(complaint)}")
    return top


def _merge_base(top: str, revision: str) -> str:
    """Find the merge base of a revision and HEAD.

    Raises CachelintError, which says what to do about it.
    """
    if _ask(top, "rev-parse", "--verify", "--quiet", "HEAD^{commit}") is None:
        raise CachelintError("--diff-base: the repository has no commit yet")
    commit = _ask(top, "rev-parse", "--verify", "--quiet", "--end-of-options",
                  f"{revision}^{{commit}}")
    is_shallow = _ask(top, "rev-parse", "--is-shallow-repository") == "true"
    fetch = ("fetch the whole history: fetch-depth: 0 for actions/checkout, GIT_DEPTH: 0 in "
             "GitLab, or git fetch --unshallow")
    if commit is None:
        hint = f"; the clone is shallow, {fetch}" if is_shallow else (
            "; is it fetched, as in git fetch origin?")
        raise CachelintError(f"--diff-base: there is no revision {revision!r}{hint}")
    base = _ask(top, "merge-base", commit, "HEAD")
    if base is None:
        hint = f"the clone is shallow, {fetch}" if is_shallow else "their histories are unrelated"
        raise CachelintError(f"--diff-base: {revision!r} and HEAD have no merge base: {hint}")
    return base


def changes(root: str, revision: str) -> Changes:
    """List what differs between the merge base of ``revision`` and HEAD, and the work tree.

    Args:
        root: The catalog's folder.
        revision: What the merge base with HEAD is sought of.

    Raises:
        CachelintError: Git cannot tell, or something cannot be compared.
    """
    comparison = _Comparison(root)
    cache = discovery.join(root, "_cache")
    top = discovery.find_top(root)
    if discovery.exists(f"{cache}/.git") and not (top and _is_submodule(top, cache)):
        # a checkout of its own, of which the one around it knows nothing
        top = _find_repository(cache)
        base = _merge_base(top, revision)
        comparison.add_checkout(top, base, "", "_cache/")
        comparison.notes.append(f"{cache} is a checkout of its own: the files beside it were not "
                                "compared")
    else:
        top = _find_repository(root)
        base = _merge_base(top, revision)
        comparison.add_checkout(top, base, _below(root, top), "")
    if not comparison.pages:
        raise CachelintError(f"--diff-base: no page of {root} can be compared: git has none below "
                             "_cache, in the base or in the work tree; are they ignored?")
    return comparison.result(base)


def _below(folder: str, top: str) -> str:
    """Return the path of a folder below the top of its checkout, empty or with a final slash."""
    below = os.path.relpath(os.path.realpath(folder), top)
    return "" if below == os.curdir else f"{below}/"


def _is_submodule(top: str, folder: str) -> bool:
    output = _finish(_start(top, "ls-files", "-s", "-z", "--", _below(folder, top).rstrip("/")))
    return output.startswith(_SUBMODULE.encode())


class _Comparison:
    """Gathers what differs between a base revision and the work tree of one catalog.

    Paths are relative to the catalog. A link or a submodule has one name in git's diff, whatever
    lies behind it; that is compared file by file.
    """

    def __init__(self, root: str) -> None:
        """Begin with nothing compared."""
        self.root = root
        self.changes: dict[str, Change] = {}
        self.pages: set[str] = set()
        self.tags: set[str] = set()
        self.exits: list[str] = []
        self.notes: list[str] = []
        self._within = (os.path.realpath(root),)

    def result(self, base: str) -> Changes:
        """Return what was gathered."""
        return Changes(
            base, tuple(self.changes[path] for path in sorted(self.changes, key=os.fsencode)),
            frozenset(self.tags), frozenset(self.pages), tuple(self.exits), tuple(self.notes))

    def add_checkout(self, top: str, base: str, inside: str, outside: str) -> None:
        """Compare a checkout with a commit.

        Args:
            top: The top of the checkout.
            base: The commit.
            inside: The folder of the checkout to compare, empty or with a final slash.
            outside: What the paths below it begin with, relative to the catalog.
        """
        paths = [] if outside else [inside + path for path in _PATHS]
        # all look at every file of the work tree, and do so side by side
        tracked = _start(top, *_DIFF, base, "--", *paths)
        index = _start(top, "ls-files", "-s", "-t", "-z", "--", *paths)
        untracked = _start(top, "ls-files", "--others", "--exclude-standard", "-z", "--", *paths)
        trees = _start(top, "ls-tree", "-z", base, *_top_folders(inside, outside))

        relative = _Renaming(inside, outside)
        entries = _read_index(_finish(index), relative)
        records = {relative(record.path): record for record in _read_raw(_finish(tracked))}
        new = [relative(name) for name in _names(_finish(untracked))]
        self.pages |= entries.pages.union(path for path in new if discovery.is_page(path))
        self._add_records(top, records, entries)
        for path in new:
            before = records[path].before if path in records else ""
            self._add(Change(path, before, False, top))
        modes = dict(_read_tree(_finish(trees), relative))
        self.tags |= {path.split("/")[1] for path, mode in modes.items()
                      if path.startswith("_cache/") and mode != _LINK}
        for path in {*entries.submodules, *(path for path, record in records.items()
                                            if record.mode == _SUBMODULE)}:
            if _may_hold_pages(path):
                self._add_submodule(path, entries.submodules.get(path, ""), records.get(path))
        links = {path for path in {*entries.links, *new, *modes, "_cache", "_data", "pages",
                                   "pages/tags"} if self._is_link(path)}
        links |= {path for path, record in records.items() if record.mode == _LINK}
        links |= {path for path, mode in modes.items() if mode == _LINK}
        # an untracked checkout, of which git names the folder alone
        links |= {path.rstrip("/") for path in new if path.endswith("/")}
        if links := {path for path in links if _may_hold_pages(path)}:
            self._add_links(links, records, _Tree(top, base, inside, outside), entries.hidden)

    def _is_link(self, path: str) -> bool:
        return discovery.is_link(discovery.join(self.root, path).rstrip("/"))

    def _add(self, change: Change) -> None:
        if not (change.path.startswith("_cache/") or _may_hold_pages(change.path)):
            return  # another file in `_data` or `pages`
        self.changes[change.path] = change
        if change.before and change.path.startswith("_cache/"):
            self.tags.add(change.path.split("/")[1])

    def _add_records(self, top: str, records: dict[str, _Record], entries: _Index) -> None:
        """Add what git's own comparison names, but for links and submodules."""
        hidden = 0
        for path, record in records.items():
            if _SUBMODULE in (record.mode, record.new_mode) or record.mode == _LINK:
                continue
            if path in entries.hidden and not self._is_there(path):
                hidden += discovery.is_page(path)
                continue
            is_gone = record.is_gone and not self._is_there(path)
            if not is_gone and record.is_dirty and self._is_same(path, record.before):
                continue  # another time stamp, the same bytes
            self._add(Change(path, record.before, is_gone, top))
            if is_gone and discovery.is_page(path):
                self.pages.add(path)
        if hidden:
            self.notes.append(f"{hidden:,} changed page{'s' * (hidden != 1)} of {self.root} "
                              "not checked out (sparse checkout), and so not compared")
        self.pages.difference_update(entries.hidden)

    def _is_there(self, path: str) -> bool:
        shown = discovery.join(self.root, path)
        return discovery.exists(shown) and not discovery.leaves(shown, self._within)

    def _is_same(self, path: str, before: str) -> bool:
        """Return whether a file has the bytes of an object."""
        shown = discovery.join(self.root, path)
        if not before or discovery.leaves(shown, self._within):
            return False
        raw = discovery.read(shown)
        return not isinstance(raw, Unreadable) and _name_object(raw, before) == before

    def _add_submodule(self, path: str, commit: str, record: _Record | None) -> None:
        """Compare a submodule with the commit that the base has of it.

        ``commit`` is what the index has, empty where the submodule was removed since.
        """
        shown = discovery.join(self.root, path)
        if not commit or (record is not None and record.mode != _SUBMODULE):
            when = "at the base alone" if not commit else "and was none at the base"
            raise CachelintError(f"--diff-base: {shown} is a submodule {when}: the two cannot be "
                                 "compared")
        if not discovery.exists(f"{shown}/.git"):
            raise CachelintError(f"--diff-base: {shown} is a submodule that is not checked out: "
                                 f"git submodule update --init {shown}")
        top = _find_repository(shown)
        commit = record.before if record is not None else commit
        if _ask(top, "cat-file", "-e", f"{commit}^{{commit}}") is None:
            raise CachelintError(f"--diff-base: the submodule {shown} does not have the commit "
                                 f"{commit} of the base: git -C {shown} fetch origin {commit}")
        self.add_checkout(top, commit, "", f"{path}/")

    def _add_links(
        self, links: set[str], records: dict[str, _Record], tree: _Tree, hidden: frozenset[str]
    ) -> None:
        """Compare file by file what lies behind links, in the base or in the work tree."""
        before: dict[str, str] = {}
        now: set[str] = set()
        for link in links:
            before |= tree.list_files(link)
            if not discovery.leaves(discovery.join(self.root, link), self._within):
                now.update(self._list_now(link))
            elif link in records or link in self.changes:
                self.exits.append(link)
            else:
                self.notes.append(f"{discovery.join(self.root, link)} leads out of the catalog: "
                                  "what is behind it was not compared")
        for path in [path for path in self.changes
                     if any(f"{path}/".startswith(f"{link}/") for link in links)]:
            del self.changes[path]
        for path in (before.keys() | now) - hidden - set(self.exits):
            if path in now and path in before and self._is_same(path, before[path]):
                continue
            self._add(Change(path, before.get(path, ""), path not in now, tree.top))
        self.pages |= set(filter(discovery.is_page, before.keys() | now))
        self.tags |= {path.split("/")[1] for path in before if path.startswith("_cache/")}

    def _list_now(self, link: str) -> Iterator[str]:
        """Yield the pages and the catalog's own files at or below a link."""
        cache, *below = link.split("/")
        found: list[str] = []
        if cache == "_cache":
            listed = discovery.names(discovery.join(self.root, cache)) if not below else below[:1]
            for tag in () if isinstance(listed, Unreadable) else listed:
                if not tag.startswith("."):
                    pages, *_ = discovery.list_tag(self.root, tag, self._within)
                    found += [discovery.relative_to_catalog(path) for path, _ in pages]
        else:
            names = discovery.names(discovery.join(self.root, "pages/tags"))
            found += ["_data/tags.yaml", "_data/meta.yaml"]
            found += () if isinstance(names, Unreadable) else (f"pages/tags/{x}" for x in names)
        for path in found:
            if f"{path}/".startswith(f"{link}/") and self._is_there(path):
                yield path


def _top_folders(inside: str, outside: str) -> list[str]:
    """Return what to list of a tree: its tags, and the folders that may be links."""
    if not outside:
        return [inside + name for name in ("_cache", "_cache/", "_data", "pages", "pages/tags")]
    return []


def _may_hold_pages(path: str) -> bool:
    """Return whether pages or the catalog's own files may lie at ``path`` or below it."""
    parts = path.split("/")
    return (parts[0] == "_cache" and len(parts) <= 4) or path in _OWN or (
        parts[:2] == ["pages", "tags"] and len(parts) == 3)


def _name_object(content: bytes, like: str) -> str:
    """Return the name that git gives to ``content``, by the hash function of another name."""
    import hashlib

    function = hashlib.sha256 if len(like) == 64 else hashlib.sha1
    return function(b"blob %d\0" % len(content) + content).hexdigest()


class _Renaming(NamedTuple):
    """Makes paths of a checkout relative to the catalog."""

    inside: str
    """The folder of the checkout, empty or with a final slash."""
    outside: str
    """What stands for it in the catalog."""

    def __call__(self, name: str) -> str:
        """Rename one path."""
        return self.outside + name.removeprefix(self.inside)


class _Tree:
    """What a commit has in the folder of a catalog, with its links followed."""

    def __init__(self, top: str, base: str, inside: str, outside: str) -> None:
        """Read the tree."""
        self.top = top
        output = _finish(_start(top, "ls-tree", "-r", "-z", base, *([inside] if inside else [])))
        self._objects: dict[str, str] = {}
        links: dict[str, str] = {}
        for name, mode, found in _split_tree(output):
            path = outside + name.removeprefix(inside)
            (links if mode == _LINK else self._objects)[path] = found
        targets = contents((top, each) for each in links.values())
        self._links = {path: os.fsdecode(target)
                       for path, target in zip(links, targets, strict=True)}

    def list_files(self, path: str) -> dict[str, str]:
        """Return the object of each page or own file at or below ``path``, links followed."""
        real = self._follow(path)
        if real is None or path.count("/") > 3:
            return {}
        found = {}
        for each, name in self._objects.items():
            if f"{each}/".startswith(f"{real}/"):
                found[path + each[len(real):]] = name
        for link in self._links:
            if link.startswith(f"{real}/"):
                found |= self.list_files(path + link[len(real):])
        return {each: name for each, name in found.items() if _may_hold_pages(each)}

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


class _Index(NamedTuple):
    """What the index has of a catalog, relative to its folder."""

    pages: frozenset[str]
    links: frozenset[str]
    submodules: dict[str, str]
    """With the commit of each."""
    hidden: frozenset[str]
    """Files that are not checked out: the skip-worktree bit is set."""


_INDEX_PAGE = re.compile(rb"\t([^\0]*/(?:specs|index)\.md)(?=\0)")
_INDEX_SPECIAL = re.compile(
    rb"(?:^|\0)(?=S|. 1[26]0000)(.) (\d+) ([0-9a-f]+) \d\t([^\0]+)(?=\0)")


def _read_index(output: bytes, relative: _Renaming) -> _Index:
    """Read `git ls-files -s -t -z`: `TAG MODE OBJECT STAGE`, a tab, the path."""
    links, hidden = set(), set()
    submodules: dict[str, str] = {}
    for tag, mode, name, path in _INDEX_SPECIAL.findall(output):
        at = relative(os.fsdecode(path))
        if mode == _SUBMODULE.encode():
            submodules[at] = name.decode()
        elif mode == _LINK.encode():
            links.add(at)
        if tag == b"S":
            hidden.add(at)
    found = (relative(os.fsdecode(path)) for path in _INDEX_PAGE.findall(output))
    return _Index(frozenset(filter(discovery.is_page, found)), frozenset(links), submodules,
                  frozenset(hidden))


def _read_raw(output: bytes) -> Iterator[_Record]:
    """Read `git diff-index --raw -z`: `:MODE MODE OBJECT OBJECT STATUS`, then the path."""
    fields = output.split(b"\0")
    for head, name in zip(fields[::2], fields[1::2], strict=False):
        mode, new_mode, before, after, status = head.decode()[1:].split(" ")
        is_new = set(before) == {"0"}
        yield _Record(os.fsdecode(name), mode, new_mode, "" if is_new else before, status == "D",
                      set(after) == {"0"})


def _read_tree(output: bytes, relative: _Renaming) -> Iterator[tuple[str, str]]:
    """Yield the path and the mode of each entry that `git ls-tree -z` printed."""
    for name, mode, _ in _split_tree(output):
        if mode != "100644":
            yield relative(name), mode


def _split_tree(output: bytes) -> Iterator[tuple[str, str, str]]:
    """Yield the name, mode and object of each entry that `git ls-tree -z` printed."""
    for line in output.split(b"\0")[:-1]:
        head, _, name = line.partition(b"\t")
        mode, _, found = head.decode().split(" ")
        yield os.fsdecode(name), mode, found


def find_hidden(root: str) -> frozenset[str]:
    """Return the files of a catalog that are not checked out, relative to its folder.

    They are those with the skip-worktree bit in a sparse checkout. Git is asked only where one was
    ever set up. Raises CachelintError where git cannot tell.
    """
    found: set[str] = set()
    for folder, outside in ((root, ""), (discovery.join(root, "_cache"), "_cache/")):
        top = discovery.find_top(folder)
        if top is None or (outside and _below(folder, top)) or not discovery.is_sparse(top):
            continue
        inside = "" if outside else _below(root, top)
        paths = [] if outside else [inside + path for path in _PATHS]
        output = _finish(_start(top, "ls-files", "-s", "-t", "-z", "--", *paths))
        index = _read_index(output, _Renaming(inside, outside))
        found |= {path for path in index.hidden if not discovery.exists(discovery.join(root, path))}
    return frozenset(found)


def skip_catalogs(selection: Selection) -> Selection:
    """Leave out catalogs that were found and are not part of the checkout that was searched.

    These are what git ignores, and other checkouts: linked worktrees and clones. Submodules stay.
    """
    skipped: dict[str, str] = {}
    notes: list[str] = []
    for root, folder in selection.searched:
        try:
            why = _find_reason_to_skip(os.path.realpath(root), os.path.realpath(folder))
        except CachelintError as error:
            notes.append(f"{root}: it is not known whether git ignores it: {error}")
            continue
        if why:
            skipped[root] = why
    notes += [f"{root}: skipped: {why}; name it to include it" for root, why in skipped.items()]
    tasks = tuple(task for task in selection.tasks if task.root not in skipped)
    if skipped and not tasks and not selection.catalog_files:
        raise CachelintError(f"no catalog is left: {'; '.join(notes)}")
    return selection._replace(
        tasks=tasks, roots=tuple(root for root in selection.roots if root not in skipped),
        notes=tuple(notes))


def _find_reason_to_skip(root: str, folder: str) -> str:
    """Return why a catalog that was found below ``folder`` is skipped; empty if it is not."""
    outer = discovery.find_top(folder)
    top = discovery.find_top(root)
    if top is None:
        return ""
    at = top
    while outer is not None and at != outer:
        above = discovery.find_top(str(Path(at).parent))
        if above is None:
            break
        if not _is_submodule(above, at):
            return "another checkout"
        at = above
    is_named = folder != top and not discovery.leaves(folder, (top,)) and _is_ignored(top, folder)
    return "ignored by git" if not is_named and _is_ignored(top, root) else ""


def _is_ignored(top: str, folder: str) -> bool:
    """Return whether git ignores a folder and tracks nothing in it. Raises CachelintError."""
    path = _below(folder, top).rstrip("/")
    if not path:
        return False
    process = _start(top, "check-ignore", "-q", "--", path)
    _, complaint = process.communicate()
    if process.returncode not in (0, 1):
        raise CachelintError(_explain(complaint))
    return not process.returncode and not _finish(_start(top, "ls-files", "-z", "--", path))


def find_base(folder: str, revision: str) -> tuple[str, str]:
    """Return the top of the checkout around ``folder``, and the merge base of a revision and HEAD.

    Raises CachelintError.
    """
    top = _find_repository(folder)
    return top, _merge_base(top, revision)


def read_at(top: str, commit: str, path: str, limit: int) -> bytes | Unreadable | None:
    """Read at most ``limit`` bytes of a file below ``top`` as it is in a commit.

    Returns None if there is no such file. A link is not followed. Raises CachelintError.
    """
    name = os.path.relpath(path, top)
    found = _names(_finish(_start(top, "ls-tree", "-z", commit, "--", name)))
    mode, kind, item = found[0].partition("\t")[0].split(" ") if found else ("", "", "")
    if kind != "blob":
        return None
    if mode == _LINK:
        return Unreadable("CL100", "it is a link at the base revision")
    if int(_finish(_start(top, "cat-file", "-s", item))) > limit:
        return Unreadable("CL110", "it is over the limit", is_too_large=True)
    (content,) = contents([(top, item)])
    return content


def _names(output: bytes) -> list[str]:
    return [os.fsdecode(name) for name in output.split(b"\0") if name]


def contents(objects: Iterable[tuple[str, str]]) -> Iterator[bytes]:
    """Yield what each object holds, in their order.

    Args:
        objects: For each the top of a checkout, and the name of an object in its repository.

    Raises:
        CachelintError: A repository does not have an object.
    """
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for top, name in objects:
            if top not in processes:
                processes[top] = _start(top, "cat-file", "--batch", stdin=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)
            yield _read_object(processes[top], name)
    finally:
        for process in processes.values():
            process.communicate()


def _read_object(process: subprocess.Popen[bytes], name: str) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{name}\n".encode())
    process.stdin.flush()
    head = process.stdout.readline().split()
    if len(head) != 3:
        raise CachelintError(
            f"git has no object {name}: the clone may be partial, and its remote away")
    content = process.stdout.read(int(head[2]))
    process.stdout.read(1)
    return content
