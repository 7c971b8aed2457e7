"""Paths: how they are shown, what they stand for in a catalog, and where links lead."""

from __future__ import annotations

import errno
import os

from cachelint.model import NO_PAGE, PageId

PAGE = "specs.md"
LEGACY_PAGES = ("index.md", "specs.md")
TAGS = "_data/tags.yaml"
META = "_data/meta.yaml"
TAG_PAGES = "pages/tags"
"""The folder of the tags' pages."""


def leaves(path: str, within: tuple[str, ...]) -> bool:
    """Return whether ``path`` leads, by links, out of all folders ``within``.

    These are real paths; there is no limit where there are none. A ``.git`` below them is outside:
    its configuration may have passwords.
    """
    if not within:
        return False
    try:
        real = os.path.realpath(path)
    except OSError:  # a link that became something else meanwhile
        return True
    for folder in within:
        below = real.removeprefix(folder.rstrip(os.sep))
        if below != real and below[:1] in ("", os.sep) and ".git" not in below.split(os.sep):
            return False
    return True


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
    at, real = os.path.abspath(path), os.path.realpath(path)
    if at == real:
        return ""
    while within and os.path.realpath(at) not in within and at != os.path.dirname(at):
        if os.path.islink(at):
            return display_path(real)
        at = os.path.dirname(at)
    return ""


def join(root: str, path: str) -> str:
    """Join a catalog's folder and a path below it as they are shown."""
    if root in ("", "."):
        return path
    return display_path(f"{root}/{path}") if _is_above(root) else f"{root}/{path}"


def _is_above(root: str) -> bool:
    """Return whether the working directory lies in the catalog of that folder."""
    return root.startswith("..") and set(root.split("/")) == {".."}


def display_path(path: str) -> str:
    """Return ``path`` as it is shown: relative to the working directory, with ``/``."""
    relative = os.path.relpath(path)
    return relative.replace(os.sep, "/")


def page_id_of(path: str) -> PageId:
    """Derive tag and package of a page from its path."""
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
    """Find the catalog that a file belongs to: the folder that contains its ``_cache``."""
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
    """Return whether a path is one of the catalog's own files."""
    path = os.path.abspath(path)
    return path.endswith((f"/{TAGS}", f"/{META}")) or (
        os.path.dirname(path).endswith(f"/{TAG_PAGES}") and path.endswith(".md"))


def catalog_of_file(path: str) -> str:
    """Return the folder of the catalog to which one of its own files belongs."""
    parts = os.path.abspath(path).split(os.sep)
    return display_path(os.sep.join(parts[: -2 if parts[-2] == "_data" else -3]) or os.sep)


def folders_above(path: str) -> list[str]:
    """Return the folders in which a relative path lies, from the top."""
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]


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


def is_page(path: str) -> bool:
    """Return whether a path, relative to its catalog, is one at which a page belongs."""
    parts = path.split("/")
    return parts[0] == "_cache" and (
        (len(parts) == 4 and parts[3] == PAGE) or (len(parts) == 3 and parts[2] in LEGACY_PAGES))


def is_link(path: str) -> bool:
    """Return whether ``path`` itself is a link, wherever it leads."""
    return os.path.islink(path)


def leads_nowhere(path: str) -> bool:
    """Return whether ``path`` is a link that cannot be followed."""
    return os.path.islink(path) and not os.path.exists(path)


def real_path(path: str) -> str:
    """Return an absolute path without links."""
    return os.path.realpath(path)


def exists(path: str) -> bool:
    """Return whether something is at ``path``, or that cannot be known: reading it reports why."""
    try:
        os.lstat(path)
    except OSError as error:
        return error.errno not in (errno.ENOENT, errno.ENOTDIR)
    except ValueError:
        return False
    return True


def is_absent(root: str, path: str) -> bool:
    """Return whether a catalog has nothing at ``path``, a name in one of its folders.

    This is not known where the folder is a link that leads out or nowhere, or a file; reading the
    path reports why.
    """
    folder = join(root, os.path.dirname(path))
    return not (exists(join(root, path)) or leaves(folder, (real_path(root),))
                or (exists(folder) and not os.path.isdir(folder)))


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
    return os.path.exists(os.path.join(git_folder(top), "info", "sparse-checkout"))


def git_folder(top: str) -> str:
    """Return the folder in which git keeps the index of the checkout at ``top``."""
    entry = os.path.join(top, ".git")
    if not os.path.isfile(entry):
        return entry
    with open(entry, "rb") as file:  # a linked worktree or a submodule
        raw = file.read(1 << 16).partition(b"\0")[0]
    return os.path.join(top, os.fsdecode(raw.removeprefix(b"gitdir: ").rstrip(b"\n")))


def find_top(folder: str) -> str | None:
    """Return the real path of the checkout around ``folder``: the nearest with a ``.git`` entry."""
    at = os.path.realpath(folder or ".")
    while not os.path.lexists(os.path.join(at, ".git")):
        if at == os.path.dirname(at):
            return None
        at = os.path.dirname(at)
    return at
