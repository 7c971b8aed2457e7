"""All file I/O: find pages, read them, replace them whole."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable, Iterator
from typing import Any

from cachelint.model import NO_PAGE, CachelintError, NamedTuple, PageId

PAGE = "specs.md"
LEGACY_PAGES = ("index.md", "specs.md")
_SKIPPED = frozenset({"_site", "node_modules", "vendor"})
_HOW = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
_NO_LINK = _HOW | os.O_NOFOLLOW
_IS_A_LINK = (errno.ELOOP, errno.EMLINK)
"""What it is called that O_NOFOLLOW found a link: Linux and macOS, FreeBSD."""
_CHUNK = 1 << 14
"""So many bytes of a file are read at first; nearly every page has fewer."""


def too_large(size: int, limit: int) -> str:
    """Say that a file of ``size`` bytes is over the limit."""
    return f"the file has {size:,} bytes, over the limit of {limit:,} (max-page-size): not checked"


class Unreadable(NamedTuple):
    """Why a file cannot be read: a rule's code and a sentence."""

    code: str
    message: str
    is_too_large: bool = False


_REASONS = {
    errno.ENOENT: "the file is gone, or a link to nowhere",
    errno.EACCES: "no permission to read the file",
    errno.EPERM: "no permission to read the file",
    errno.EISDIR: "a folder stands where a file belongs",
    errno.ENOTDIR: "a file stands where a folder belongs",
    errno.ELOOP: "a link that leads back to itself",
    errno.ENXIO: "no regular file",
    errno.EAGAIN: "no regular file",
    errno.ENAMETOOLONG: "the file's name is too long",
}


def reason(error: OSError) -> str:
    """Say in words why a file cannot be read."""
    known = _REASONS.get(error.errno or 0)
    return known or f"the file cannot be read: {error.strerror or error}"


LEAVES = Unreadable("CL100", "a link that leads out of the catalog: it is not followed")


def leaves(path: str, within: tuple[str, ...]) -> bool:
    """Return whether ``path`` leads, by links, out of all folders ``within``.

    These are real paths; there is no limit where there are none.
    """
    if not within:
        return False
    real = os.path.realpath(path)
    return not any(real == folder or real.startswith(f"{folder.rstrip('/')}/")
                   for folder in within)


def linked_target(path: str, within: tuple[str, ...]) -> str:
    """Return the file that ``path`` reaches by a link, through which nothing may be written.

    Returns an empty string where no link is below the folders ``within``. Without them the path
    was named by the user, who may name a link that leads out of the catalog.
    """
    if not within:
        root = catalog_of(path)
        within = () if root is None else (os.path.realpath(root),)
        if leaves(path, within):
            return ""
    at = os.path.abspath(path)
    while within and os.path.realpath(at) not in within and at != os.path.dirname(at):
        if os.path.islink(at):
            return display_path(os.path.realpath(path))
        at = os.path.dirname(at)
    return ""


def read(path: str, max_size: int = 0, within: tuple[str, ...] = ()) -> bytes | Unreadable:
    """Read a whole file; never blocks on a pipe, never reads more than ``max_size`` bytes.

    Args:
        path: The file.
        max_size: The limit in bytes, 0 for none.
        within: If given, real paths of folders of which a link at ``path`` must not lead out. Of
            links in the folders above it, the caller takes care.
    """
    try:
        descriptor = os.open(path, _NO_LINK if within else _HOW)
    except (OSError, ValueError) as error:
        if within and isinstance(error, OSError) and error.errno in _IS_A_LINK:
            return LEAVES if leaves(path, within) else read(path, max_size)
        return _unreadable(error)
    try:
        content = os.read(descriptor, _CHUNK)
        if 0 < len(content) < _CHUNK and not 0 < max_size < len(content):
            return content  # a regular file that ends here
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return Unreadable("CL100", "no regular file")
        size = max(status.st_size, len(content))
        chunks = [content]
        while chunks[-1] and not 0 < max_size < size:
            chunks.append(os.read(descriptor, 1 << 20))
            size = max(size, sum(map(len, chunks)))
        if 0 < max_size < size:
            return Unreadable("CL110", too_large(size, max_size), is_too_large=True)
        return b"".join(chunks)
    except OSError as error:
        return _unreadable(error)
    finally:
        os.close(descriptor)


def _unreadable(error: OSError | ValueError) -> Unreadable:
    if isinstance(error, OSError):
        return Unreadable("CL100", reason(error))
    return Unreadable("CL100", "a name that no file can have")


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
    searched: tuple[tuple[str, str], ...] = ()
    """Catalogs that were found below a folder, which was named instead; with that folder."""
    notes: tuple[str, ...] = ()
    """Which of them are skipped, and why."""


def join(root: str, path: str) -> str:
    """Join a catalog's folder and a path below it as they are shown."""
    if root in ("", "."):
        return path
    return display_path(f"{root}/{path}") if _is_above(root) else f"{root}/{path}"


def _is_above(root: str) -> bool:
    """Say whether the working directory lies in the catalog of that folder."""
    return root.startswith("..") and set(root.split("/")) == {".."}


def display_path(path: str) -> str:
    """Return ``path`` as it is shown: relative to the working directory, with ``/``."""
    relative = os.path.relpath(path)
    return relative.replace(os.sep, "/")


def page_id_of(path: str) -> PageId:
    """Tell tag and package of a page from its path."""
    parts = os.path.normpath(os.path.join(os.getcwd(), path)).split(os.sep)
    if (len(parts) >= 4 and parts[-4] == "_cache" and parts[-1] == PAGE
            and _find_cache(parts[:-1]) is not None):
        return PageId(parts[-3], parts[-2])
    return NO_PAGE


def _find_cache(parts: list[str]) -> int | None:
    """Find the ``_cache`` that the folder of an absolute path is, or lies in.

    A checkout that has a ``_cache`` is a catalog, and not a tag, whatever the folders above it are
    called.
    """
    for index in range(len(parts) - 1, -1, -1):
        if parts[index] == "_cache":
            return index
        folder = os.sep.join(parts[: index + 1])
        if os.path.lexists(f"{folder}/.git") and os.path.isdir(f"{folder}/_cache"):
            return None
    return None


def path_key(path: str) -> bytes:
    """Sort paths as byte strings."""
    return os.fsencode(path)


def catalog_of(path: str) -> str | None:
    """Find the catalog that a file belongs to: the folder that holds its ``_cache``."""
    parts = display_path(path).split("/")
    for index in range(len(parts) - 1, -1, -1):
        if parts[index] == "_cache":
            return "/".join(parts[:index]) or "."
    # the working directory may itself lie below a `_cache`
    whole = os.path.normpath(os.path.join(os.getcwd(), path)).split(os.sep)
    found = _find_cache(whole[:-1])
    if found is not None:
        return display_path(os.sep.join(whole[:found]) or os.sep)
    return None


def is_catalog_file(path: str) -> bool:
    """Say whether a path is one of the catalog's own files."""
    parts = os.path.abspath(path).split(os.sep)
    return parts[-2:] in (["_data", "tags.yaml"], ["_data", "meta.yaml"]) or (
        parts[-3:-1] == ["pages", "tags"] and parts[-1].endswith(".md"))


def catalog_of_file(path: str) -> str:
    """Return the folder of the catalog to which one of its own files belongs."""
    parts = os.path.abspath(path).split(os.sep)
    return display_path(os.sep.join(parts[: -2 if parts[-2] == "_data" else -3]) or os.sep)


def relative_to_catalog(path: str) -> str:
    """Return a file's path relative to its catalog's folder; as it is, if it lies in none."""
    return locate_in_catalog(path)[1]


def locate_in_catalog(path: str) -> tuple[str | None, str]:
    """Return the folder of a file's catalog, if it is in one, and the path relative to it."""
    root = catalog_of_file(path) if is_catalog_file(path) else catalog_of(path)
    if root is None:
        return None, path
    relative = os.path.relpath(os.path.abspath(path), os.path.abspath(root))
    return root, relative.replace(os.sep, "/")


def select(paths: Iterable[str]) -> Selection:
    """Find what the paths of a command line name.

    Args:
        paths: Files and folders; a folder is searched for catalogs. One alone may be given as text.

    Returns:
        The tags and pages to check, the catalogs that are whole, and files of theirs.

    Raises:
        CachelintError: A path does not exist, or a folder has no page.
    """
    whole: dict[tuple[str, str], tuple[str, ...]] = {}
    named: dict[tuple[str, str], dict[str, None]] = {}
    roots: dict[str, None] = {}
    catalog_files: dict[str, None] = {}
    searched: dict[str, str] = {}
    for path in [paths] if isinstance(paths, str) else map(os.fspath, paths):
        try:
            mode = os.stat(path).st_mode
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and os.path.lexists(path):
                mode = 0  # named outright and unreadable: a finding
            else:
                raise CachelintError(_not_there(path)) from None
        if stat.S_ISDIR(mode) and not _is_page_name(path):
            _select_folder(path, whole, named, roots, searched)
        elif is_catalog_file(path):
            catalog_files[display_path(path)] = None
        else:
            place = page_id_of(path)
            root = catalog_of(path) if place.tag else None
            key = (root, place.tag) if root is not None and place.tag else (".", "")
            named.setdefault(key, {})[display_path(path)] = None
    tasks = [TagTask(root, tag, None, within=within)
             for (root, tag), within in whole.items() if tag]
    for (root, tag), within in whole.items():
        if not tag:  # a `_cache` that leads out of the catalog
            tasks.append(TagTask(root, "", (join(root, "_cache"),), within=within))
    for (root, tag), pages in named.items():
        if (root, tag) not in whole:
            tasks.append(TagTask(root, tag, tuple(sorted(pages, key=path_key))))
    tasks.sort(key=lambda task: path_key(join(task.root, f"_cache/{task.tag}/")))
    return Selection(tuple(tasks), tuple(sorted(roots, key=path_key)), tuple(catalog_files),
                     tuple(searched.items()))


def _is_page_name(path: str) -> bool:
    """Say whether a path has the place of a page, so that a folder there is a finding."""
    return page_id_of(path) is not NO_PAGE


def _not_there(path: str) -> str:
    from cachelint.text import escape_unsafe

    folder, name = os.path.split(path.rstrip("/"))
    near = ""
    try:
        import difflib

        close = difflib.get_close_matches(name, os.listdir(folder or "."), 1)
        near = f" (is it {os.path.join(folder, close[0])}?)" if close else ""
    except (OSError, ValueError):
        pass
    return escape_unsafe(f"{path}: there is no such file or folder{near}")


def _select_folder(
    path: str, whole: dict[tuple[str, str], tuple[str, ...]],
    named: dict[tuple[str, str], dict[str, None]], roots: dict[str, None],
    searched: dict[str, str],
) -> None:
    """Select the catalogs at or below a folder, or the part of a catalog in which it lies."""
    absolute = os.path.abspath(path)
    parts = absolute.split(os.sep)
    found = False
    index = _find_cache(parts)
    if index is not None:
        root, below = display_path(os.sep.join(parts[:index]) or os.sep), parts[index + 1 :]
        within = (os.path.realpath(root), os.path.realpath(absolute))
        if not below:
            found = _select_catalog(root, whole, within)
            roots[root] = None
        elif len(below) == 1 and _has_page(absolute):
            whole[(root, below[0])] = within
            found = True
        elif len(below) == 2 and os.path.lexists(page := join(display_path(path), PAGE)):
            named.setdefault((root, below[0]), {})[page] = None
            found = True
    if not found:
        for root in catalogs(absolute):
            if os.path.realpath(root) != os.path.realpath(absolute):
                searched[root] = absolute
            inside = (os.path.realpath(root),)
            if leaves(join(root, "_cache"), inside):
                whole[(root, "")] = inside
                found = True
                continue
            roots[root] = None
            found = _select_catalog(root, whole, inside) or found
    if not found:
        raise CachelintError(
            f"{display_path(path)}: no cache page here: pages are _cache/<tag>/<package>/specs.md"
        )


def _select_catalog(
    root: str, whole: dict[tuple[str, str], tuple[str, ...]], within: tuple[str, ...]
) -> bool:
    cache = join(root, "_cache")
    try:
        names = os.listdir(cache)
    except OSError as error:
        raise CachelintError(f"{cache}: {reason(error)}") from None
    found = False
    for name in names:
        if not name.startswith("."):
            whole[(root, name)] = within
            found = found or leaves(f"{cache}/{name}", within) or _has_page(f"{cache}/{name}")
    return found


def _has_page(folder: str) -> bool:
    try:
        names = os.listdir(folder)
    except OSError:
        return False
    return any(name in LEGACY_PAGES or os.path.lexists(f"{folder}/{name}/{PAGE}") for name in names)


def catalogs(top: str) -> Iterator[str]:
    """Yield each folder at or below ``top`` that holds a ``_cache``."""
    for folder, names, _ in os.walk(top):
        if "_cache" in names:
            yield display_path(folder)
        names[:] = sorted(
            name for name in names
            if not name.startswith(".") and name not in _SKIPPED and name != "_cache"
        )


class Listing(NamedTuple):
    """What lies in one folder below ``_cache``."""

    pages: list[tuple[str, PageId]]
    """Sorted by path."""
    stray_pages: list[str]
    """Files with front matter where no page belongs."""
    is_complete: bool = True
    """Whether all folders could be listed; those that could not are among the pages."""


def list_tag(root: str, tag: str, within: tuple[str, ...] = ()) -> Listing:
    """List the pages of one folder below ``_cache``, and what else Jekyll takes for a page.

    A link that leads out of the folders ``within`` is listed as a page, so that reading it says so.
    """
    folder = join(root, f"_cache/{tag}")
    if leaves(folder, within):
        return Listing([(folder, NO_PAGE)], [], is_complete=False)
    pages: list[tuple[str, PageId]] = []
    astray: list[str] = []
    try:
        names, links = _scan(folder)
    except NotADirectoryError:
        return Listing([], stray_pages(join(root, "_cache"), [tag]))
    except OSError as error:
        if error.errno == errno.ENOENT:
            return Listing([], [])
        # what cannot be listed must not pass for empty: reading it says why
        return Listing([(folder, NO_PAGE)], [], is_complete=False)
    # as their paths sort, in which a slash follows
    names.sort(key=lambda name: f"{name}/")
    for name in names:
        if name.startswith("."):
            continue
        below = f"{folder}/{name}"
        if name in LEGACY_PAGES:
            pages.append((below, NO_PAGE))
            continue
        if name in links and leaves(below, within):
            pages.append((below, PageId(tag, name)))
            continue
        try:
            inside = os.listdir(below)
        except NotADirectoryError:
            astray += stray_pages(folder, [name])
            continue
        except OSError as error:
            inside = [PAGE] if error.errno != errno.ENOENT else []
        if PAGE in inside:
            # as PageId(tag, name), for half the cost
            pages.append((f"{below}/{PAGE}", tuple.__new__(PageId, (tag, name))))
            if len(inside) == 1:
                continue
            inside.remove(PAGE)
        astray += stray_pages(below, inside)
    if _is_above(root):
        pages = [(display_path(path), place) for path, place in pages]
        astray = [display_path(path) for path in astray]
    return Listing(pages, sorted(astray, key=path_key))


def _scan(folder: str) -> tuple[list[str], set[str]]:
    """Return the names in a folder, and those of them that are links. Raises OSError."""
    with os.scandir(folder) as found:
        entries = list(found)
    return ([entry.name for entry in entries],
            {entry.name for entry in entries if entry.is_symlink()})


def is_page(path: str) -> bool:
    """Say whether a path, relative to its catalog, is one at which a page belongs."""
    parts = path.split("/")
    return parts[0] == "_cache" and (
        (len(parts) == 4 and parts[3] == PAGE) or (len(parts) == 3 and parts[2] in LEGACY_PAGES))


def stray_pages(folder: str, names: list[str]) -> list[str]:
    """Keep the files that Jekyll takes for pages: with front matter, and no hidden name."""
    found = []
    for name in names:
        path = f"{folder}/{name}"
        if name[0] in "._#~" or name.endswith("~"):
            continue
        try:
            mode = os.lstat(path).st_mode
        except OSError:
            continue
        if stat.S_ISDIR(mode):
            try:
                found += stray_pages(path, os.listdir(path))
            except OSError:
                continue
        elif stat.S_ISREG(mode) and _begins_front_matter(path):
            found.append(path)
    return found


def _begins_front_matter(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return file.readline(80).rstrip() == b"---"
    except OSError:
        return False


def names(folder: str) -> list[str] | Unreadable:
    """List what lies in a folder, sorted as byte strings."""
    try:
        return sorted(os.listdir(folder), key=path_key)
    except OSError as error:
        return _unreadable(error)


def is_link(path: str) -> bool:
    """Return whether ``path`` itself is a link, wherever it leads."""
    return os.path.islink(path)


def real_path(path: str) -> str:
    """Return an absolute path without links."""
    return os.path.realpath(path)


def exists(path: str) -> bool:
    """Say whether something lies at ``path``, readable or not."""
    return os.path.lexists(path)


def replace(path: str, content: bytes, before: bytes) -> bool:
    """Replace a file whole, keeping its mode, if it still holds ``before``.

    The new bytes are written beside it and brought to the disk before they take its name, so that
    whoever looks sees the old file or the new one, whenever the machine dies. A link is kept, and
    the file that it leads to replaced: see `linked_target`. Returns False where the file has
    changed meanwhile. Raises OSError.
    """
    target = os.path.realpath(path)
    with _beside(target) as (descriptor, temporary):
        status = os.stat(target)
        with contextlib.suppress(PermissionError):
            # somebody else's file in a folder of ours becomes ours
            os.fchown(descriptor, status.st_uid, status.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
        _write_through(descriptor, content)
        if read(target) != before:
            return False
        os.rename(temporary, target)
    with contextlib.suppress(OSError):  # where it cannot be done, the name is as durable as it gets
        handle = os.open(os.path.dirname(target), os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    return True


@contextlib.contextmanager
def _beside(path: str) -> Iterator[tuple[int, str]]:
    """Open a new file beside ``path``, and yield its descriptor and its path.

    Unless it was given another name, it is gone afterwards, also after an interrupt at any moment:
    its name is known before it exists. It is a hidden one, which Jekyll does not look at.
    """
    temporary = os.path.join(os.path.dirname(path), f".cachelint-{os.urandom(8).hex()}")
    descriptor = -1
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        yield descriptor, temporary
    finally:
        if descriptor >= 0:
            os.close(descriptor)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


def _write_through(descriptor: int, content: bytes) -> None:
    """Write all of ``content``, and bring it to the disk."""
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
    os.fsync(descriptor)


def create(path: str, content: bytes) -> None:
    """Write a file that is new, whole or not at all. Raises OSError, also where one exists."""
    with _beside(path) as (descriptor, temporary):
        _open_to_all(descriptor)
        _write_through(descriptor, content)
        try:
            os.link(temporary, path)
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            # the name is taken first, so that no other file is replaced
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            os.rename(temporary, path)


_NO_HARD_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
"""How file systems refuse them: vfat, exfat and SMB shares; FUSE; those that have a limit."""


def write(path: str, content: bytes) -> None:
    """Write a file whole or not at all, through no link of a checkout. Raises OSError."""
    path = _resolve(path)
    with _beside(path) as (descriptor, temporary):
        _open_to_all(descriptor)
        _write_through(descriptor, content)
        os.rename(temporary, path)


def make_folder_of(path: str) -> None:
    """Make the folder in which a file will be, with those above it. Raises OSError."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)


def remove(path: str) -> None:
    """Remove a file, and its folder if nothing else is in it. Raises OSError."""
    os.unlink(path)
    folder = os.path.dirname(path)
    if not os.listdir(folder or "."):
        os.rmdir(folder)


def path_in_checkout(path: str) -> str:
    """Return a path from the top of its git checkout; as it is shown where there is none."""
    folder, name = os.path.split(path)
    top = find_top(folder)
    if top is None:
        return path
    return os.path.relpath(os.path.join(os.path.realpath(folder), name), top)


def may_be_sparse(root: str) -> bool:
    """Return whether the checkout of a catalog, or of its ``_cache``, may be a sparse one."""
    tops = {find_top(root), find_top(join(root, "_cache"))}
    return any(top is not None and is_sparse(top) for top in tops)


def is_sparse(top: str) -> bool:
    """Return whether a sparse checkout was ever set up in the checkout at ``top``."""
    entry = os.path.join(top, ".git")
    if os.path.isfile(entry):  # a linked worktree or a submodule
        raw = read(entry, 1 << 16)
        if isinstance(raw, Unreadable) or not raw.startswith(b"gitdir: "):
            return False
        entry = os.path.join(top, os.fsdecode(raw[len(b"gitdir: "):].rstrip(b"\n")))
    return os.path.exists(os.path.join(entry, "info", "sparse-checkout"))


def find_top(folder: str) -> str | None:
    """Return the real path of the checkout around ``folder``: the nearest with a ``.git`` entry."""
    at = os.path.realpath(folder or ".")
    while not os.path.lexists(os.path.join(at, ".git")):
        if at == os.path.dirname(at):
            return None
        at = os.path.dirname(at)
    return at


def _resolve(path: str) -> str:
    """Return the real path of a file to be written, which may not exist yet.

    Links are followed, but for those that a checkout contains: they may lead anywhere. A checkout
    is what a ``.git`` entry is in, and the working directory. Raises OSError for such a link.
    """
    here = os.getcwd()
    real = here if not os.path.isabs(path) else os.sep
    for part in path.split(os.sep):
        step = os.path.join(real, part)
        if part not in ("", os.curdir, os.pardir) and os.path.islink(step) and (
                find_top(real) is not None or (here != os.sep and not leaves(real, (here,)))):
            raise OSError(errno.ELOOP, (
                f"{display_path(step)} is a link in a checkout, through which nothing is written; "
                "name the file that it leads to"))
        real = os.path.realpath(step)
    return real


def _open_to_all(descriptor: int) -> None:
    """Give a file the mode that a new one has."""
    mask = os.umask(0)
    os.umask(mask)
    os.fchmod(descriptor, 0o666 & ~mask)


def write_text(path: str, pieces: Iterable[str]) -> None:
    """Write a file piece by piece, in UTF-8, and whole or not at all.

    A terminal, a pipe or the like is written to as it is. Raises OSError.
    """
    how: dict[str, Any] = {"encoding": "utf-8", "errors": "backslashreplace", "newline": ""}
    target = _resolve(path)
    if _is_stream(path):
        with open(path, "w", **how) as file:
            file.writelines(pieces)
        return
    with _beside(target) as (descriptor, temporary):
        _open_to_all(descriptor)
        with open(descriptor, "w", closefd=False, **how) as file:
            file.writelines(pieces)
        os.fsync(descriptor)
        os.rename(temporary, target)


def probe(path: str) -> None:
    """Raise OSError if `write_text` cannot write ``path``, as far as can be told beforehand."""
    target = _resolve(path)
    if os.path.isdir(path):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not _is_stream(path):
        with _beside(target):
            pass


def _is_stream(path: str) -> bool:
    """Say whether something lies at ``path`` that no file may take the place of."""
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False
