"""Find catalogs, tags and pages."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator

from cachelint.files import read_write
from cachelint.files.paths import (
    LEGACY_PAGES,
    PAGE,
    _find_cache,
    _is_above,
    catalog_of,
    display_path,
    is_catalog_file,
    join,
    leads_nowhere,
    leaves,
    may_be_sparse,
    page_id_of,
    path_key,
)
from cachelint.model import NO_PAGE, CachelintError, NamedTuple, PageId

_SKIPPED = frozenset({"_site", "node_modules", "vendor"})


class TagTask(NamedTuple):
    """One unit of work: a folder below a catalog's ``_cache``, whole or in part."""

    root: str
    """The catalog's folder, as paths are shown: relative to the working directory."""
    tag: str
    """The folder's name; empty for pages that lie in no such folder."""
    pages: tuple[str, ...] | None
    """Paths as they are shown; None for the whole folder."""
    is_listed: bool = False
    """Whether the catalog's ``tags.yaml`` lists the tag."""
    stacks: frozenset[str] | None = None
    """The stacks that it gives the tag; None where it gives none."""
    hidden: tuple[str, ...] = ()
    """Pages that git knows and a sparse checkout leaves out, as paths are shown."""
    within: tuple[str, ...] = ()
    """Real paths of folders that links must not lead out of; none where the pages were named."""


class Selection(NamedTuple):
    """What is to be checked."""

    tasks: tuple[TagTask, ...]
    """Sorted by path, as byte strings."""
    roots: tuple[str, ...]
    """Catalogs that are checked as a whole, with the files that are theirs."""
    catalog_files: tuple[str, ...]
    """``_data/tags.yaml``, ``_data/meta.yaml`` and ``pages/tags/*.md`` that were named outright."""
    notes: tuple[str, ...] = ()
    """Which folders below those that were searched are skipped, and why."""
    searched: tuple[str, ...] = ()
    """Folders that were searched for catalogs, as absolute paths."""


def select(paths: Iterable[str], *, needs_pages: bool = True) -> Selection:
    """Find what the paths of a command line name.

    Args:
        paths: Files and folders; a folder is searched for catalogs. One may be given as a
            string.
        needs_pages: Whether a catalog must have a page; in a comparison all may be removed.

    Returns:
        The tags and pages to check, the catalogs that are whole, and files of theirs.

    Raises:
        CachelintError: A path does not exist, or a folder has no page.
    """
    selector = _Selector()
    for path in [paths] if isinstance(paths, str) else map(os.fspath, paths):
        selector.add(path, needs_pages=needs_pages)
    selection = selector.result()
    return _skip_catalogs(selection, selector.searched) if selector.searched else selection


class _Selector:
    """Gathers what the paths of a command line name."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.searched: dict[str, str] = {}
        """Catalogs that were found below a folder, with that folder."""
        self._whole: dict[tuple[str, str], tuple[str, ...]] = {}
        """Root and tag of whole folders, with the real paths that links must not lead out of."""
        self._named: dict[tuple[str, str], dict[str, None]] = {}
        """Root and tag of pages that were named outright."""
        self._roots: dict[str, None] = {}
        self._catalog_files: dict[str, None] = {}
        self._notes: list[str] = []
        self._folders: list[str] = []

    def add(self, path: str, *, needs_pages: bool) -> None:
        """Add what one path names. Raises CachelintError as `select` does."""
        try:
            mode = os.stat(path).st_mode
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and os.path.lexists(path):
                mode = 0  # named outright and unreadable: a finding
            else:
                raise CachelintError(_not_there(path)) from None
        if stat.S_ISDIR(mode) and not _is_page_name(path):
            number = len(self._roots)
            is_found = self._add_folder(path)
            if not is_found and (needs_pages or len(self._roots) == number):
                raise CachelintError(f"{display_path(path)}: no pages here: expected "
                                     "_cache/<tag>/<package>/specs.md")
        elif is_catalog_file(path):
            self._catalog_files[display_path(path)] = None
        else:
            tag = page_id_of(path).tag
            root = catalog_of(path) if tag else None
            self._add_page(path, *((root, tag) if root is not None and tag else (".", "")))

    def result(self) -> Selection:
        """Return what was gathered, sorted."""
        tasks = [TagTask(root, tag, None, within=within) if tag
                 # a `_cache` that leads out of the catalog
                 else TagTask(root, "", (join(root, "_cache"),), within=within)
                 for (root, tag), within in self._whole.items()]
        tasks += [TagTask(root, tag, tuple(sorted(pages, key=path_key)))
                  for (root, tag), pages in self._named.items() if (root, tag) not in self._whole]
        tasks.sort(key=lambda task: path_key(join(task.root, f"_cache/{task.tag}/")))
        return Selection(tuple(tasks), tuple(sorted(self._roots, key=path_key)),
                         tuple(self._catalog_files), tuple(self._notes), tuple(self._folders))

    def _add_page(self, path: str, root: str, tag: str) -> None:
        self._named.setdefault((root, tag), {})[display_path(path)] = None

    def _add_folder(self, path: str) -> bool:
        """Add the catalogs at or below a folder, or the part of a catalog in which it lies.

        Returns whether there is a page.
        """
        absolute = os.path.abspath(path)
        parts = absolute.split(os.sep)
        found = False
        index = _find_cache(parts)
        if index is not None:
            root, below = display_path(os.sep.join(parts[:index]) or os.sep), parts[index + 1 :]
            within = (os.path.realpath(root), os.path.realpath(absolute))
            if not below:
                found = self._add_catalog(root, within)
            elif len(below) == 1 and _has_page(absolute):
                self._whole[(root, below[0])] = within
                found = True
            elif len(below) == 2 and os.path.lexists(page := join(path, PAGE)):
                self._add_page(page, root, below[0])
                found = True
        if not found:
            self._folders.append(absolute)
            for root in catalogs(absolute, self._notes):
                if os.path.realpath(root) != os.path.realpath(absolute):
                    self.searched[root] = absolute
                inside = (os.path.realpath(root),)
                if leaves(join(root, "_cache"), inside):
                    self._whole[(root, "")] = inside
                    found = True
                else:
                    found = self._add_catalog(root, inside) or found
        return found

    def _add_catalog(self, root: str, within: tuple[str, ...]) -> bool:
        """Add a whole catalog, and return whether it has a page."""
        self._roots[root] = None
        cache = join(root, "_cache")
        try:
            names = os.listdir(cache)
        except OSError as error:
            raise CachelintError(f"{cache}: {read_write.reason(error)}") from None
        found = False
        for name in names:
            if not name.startswith("."):
                self._whole[(root, name)] = within
                found = found or leaves(f"{cache}/{name}", within) or _has_page(f"{cache}/{name}")
        return found


def _skip_catalogs(selection: Selection, searched: dict[str, str]) -> Selection:
    """Leave out catalogs that were found and are not part of the checkout that was searched.

    These are what git ignores, and other checkouts: linked worktrees and clones. Submodules stay.
    ``searched`` has for each the folder that was searched.
    """
    from cachelint.files import git  # which most runs do not need

    skipped: dict[str, str] = {}
    notes = list(selection.notes)
    for root, folder in searched.items():
        try:
            why = git.find_reason_to_skip(os.path.realpath(root), os.path.realpath(folder))
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


def hidden_files(root: str) -> frozenset[str]:
    """Return the files of a catalog that a sparse checkout leaves out, relative to its folder.

    Raises CachelintError where git fails.
    """
    if not may_be_sparse(root):
        return frozenset()
    from cachelint.files import git  # which most runs do not need

    return git.find_hidden(root)


def _is_page_name(path: str) -> bool:
    """Return whether a page belongs at a path, so that a folder there is a finding."""
    return page_id_of(path) is not NO_PAGE


def _not_there(path: str) -> str:
    from cachelint.text import escape_unsafe

    folder, name = os.path.split(path.rstrip("/"))
    near = ""
    try:
        import difflib

        close = difflib.get_close_matches(name, os.listdir(folder or "."), 1)
        near = f"; did you mean {os.path.join(folder, close[0])}?" if close else ""
    except (OSError, ValueError):
        pass
    return escape_unsafe(f"{path}: no such file or folder{near}")


def _has_page(folder: str) -> bool:
    try:
        names = os.listdir(folder)
    except OSError:
        return False
    return any(name in LEGACY_PAGES or os.path.lexists(f"{folder}/{name}/{PAGE}") for name in names)


def catalogs(top: str, notes: list[str] | None = None) -> Iterator[str]:
    """Yield each folder at or below ``top`` that contains a ``_cache``.

    Folders that cannot be listed are named in ``notes``, if it is given.
    """
    left = [top]
    while left:
        folder = left.pop()
        try:
            with os.scandir(folder) as entries:
                names = {entry.name: entry.is_symlink() for entry in entries if _is_folder(entry)}
        except OSError as error:
            if notes is not None:
                notes.append(f"{display_path(folder)}: not searched: {read_write.reason(error)}")
            continue
        if "_cache" in names:
            yield display_path(folder)
        left += [f"{folder}/{name}" for name in sorted(names, reverse=True)
                 if not (is_skipped(name) or names[name]) and name != "_cache"]


def is_skipped(name: str) -> bool:
    """Return whether no catalog is sought below a folder with that name."""
    return name.startswith(".") or name in _SKIPPED


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads back to itself, or that cannot be followed
        return True


class Listing(NamedTuple):
    """What lies in one folder below ``_cache``."""

    pages: list[tuple[str, PageId]]
    """Sorted by path, and after them what else is there and cannot be read."""
    stray_pages: list[str]
    """Files with front matter where no page belongs."""
    is_complete: bool = True
    """Whether all folders could be listed; those that could not are among the pages."""
    temporary: tuple[str, ...] = ()
    """Files that a run of `fix` is writing, or that one which was killed has left."""


def list_tag(root: str, tag: str, within: tuple[str, ...] = ()) -> Listing:
    """List the pages of one folder below ``_cache``, and what else Jekyll takes for a page.

    A link that leads out of the folders ``within`` is listed as a page, and reading it reports it.
    """
    folder = join(root, f"_cache/{tag}")
    if leaves(folder, within):
        return Listing([(folder, NO_PAGE)], [], is_complete=False)
    pages: list[tuple[str, PageId]] = []
    astray: list[str] = []
    unread: list[str] = []
    temporary: list[str] = []
    try:
        names, links = _scan(folder)
    except OSError as error:
        return _list_no_folder(root, tag, error)
    # as their paths sort, in which a slash follows
    names.sort(key=lambda name: f"{name}/")
    for name in names:
        below = f"{folder}/{name}"
        if name.startswith("."):
            temporary += [below] if read_write.is_temporary(name) else []
            continue
        if name in LEGACY_PAGES:
            pages.append((below, NO_PAGE))
            continue
        if name in links and leaves(below, within):
            pages.append((below, PageId(tag, name)))
            continue
        try:
            inside = os.listdir(below)
        except NotADirectoryError:
            find_strays(folder, [name], astray, unread)
            continue
        except OSError as error:
            # what was listed may be removed meanwhile, but for a link to nowhere
            inside = [PAGE] if error.errno != errno.ENOENT or name in links else []
        if PAGE in inside:
            # as PageId(tag, name), for half the cost
            pages.append((f"{below}/{PAGE}", tuple.__new__(PageId, (tag, name))))
            if len(inside) == 1:
                continue
            inside.remove(PAGE)
        temporary += [f"{below}/{each}" for each in inside if read_write.is_temporary(each)]
        find_strays(below, inside, astray, unread)
    pages += [(path, NO_PAGE) for path in unread]
    if _is_above(root):
        pages = [(display_path(path), place) for path, place in pages]
        astray = [display_path(path) for path in astray]
    return Listing(pages, sorted(astray, key=path_key), temporary=tuple(temporary))


def _list_no_folder(root: str, tag: str, error: OSError) -> Listing:
    """List what is below ``_cache`` and cannot be listed itself."""
    folder = join(root, f"_cache/{tag}")
    if error.errno == errno.ENOENT and not leads_nowhere(folder):
        return Listing([], [])
    if error.errno == errno.ENOTDIR:
        astray: list[str] = []
        unread: list[str] = []
        find_strays(join(root, "_cache"), [tag], astray, unread)
        return Listing([(path, NO_PAGE) for path in unread], astray)
    # it must not pass for empty: reading it reports why
    return Listing([(folder, NO_PAGE)], [], is_complete=False)


def _scan(folder: str) -> tuple[list[str], set[str]]:
    """Return the names in a folder, and those of them that are links. Raises OSError."""
    with os.scandir(folder) as found:
        entries = list(found)
    return ([entry.name for entry in entries],
            {entry.name for entry in entries if entry.is_symlink()})


def find_strays(folder: str, names: list[str], found: list[str], unread: list[str]) -> None:
    """Add what Jekyll takes for pages to ``found``: files with front matter, and no hidden name.

    Files and folders that cannot be read, so that it is not known, are added to ``unread``.
    """
    left = [(folder, name) for name in names]
    while left:
        folder, name = left.pop()
        path = f"{folder}/{name}"
        if name[0] in "._#~" or name.endswith("~"):
            continue
        try:
            mode = os.lstat(path).st_mode
            if stat.S_ISDIR(mode):
                left += [(path, each) for each in os.listdir(path)]
            elif stat.S_ISREG(mode) and _begins_front_matter(path):
                found.append(path)
        except FileNotFoundError:
            continue  # removed meanwhile
        except OSError:
            unread.append(path)


def _begins_front_matter(path: str) -> bool:
    with open(path, "rb") as file:
        return file.readline(80).rstrip() == b"---"
