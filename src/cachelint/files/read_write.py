"""Read files with a limit, and replace or create them whole."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Iterable, Iterator
from typing import Any

from cachelint.files.paths import display_path, find_top, leaves, path_key
from cachelint.model import NamedTuple

_HOW = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
_NO_LINK = _HOW | os.O_NOFOLLOW
_IS_A_LINK = (errno.ELOOP, errno.EMLINK)
"""What it is called that O_NOFOLLOW found a link: Linux and macOS, FreeBSD."""
_CHUNK = 1 << 14
"""So many bytes of a file are read at first; nearly every page has fewer."""


def too_large(size: int, limit: int) -> str:
    """Report that a file of ``size`` bytes is over the limit."""
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
    errno.EISDIR: "expected a file, found a folder",
    errno.ENOTDIR: "expected a folder, found a file",
    errno.ELOOP: "a link that leads back to itself",
    errno.ENXIO: "no regular file",
    errno.EAGAIN: "no regular file",
    errno.ENAMETOOLONG: "the file's name is too long",
}


def reason(error: OSError) -> str:
    """Describe why a file cannot be read."""
    known = _REASONS.get(error.errno or 0)
    return known or f"the file cannot be read: {error.strerror or error}"


LEAVES = Unreadable("CL100", "a link that leads out of the catalog: it is not followed")


def read(
    path: str, max_size: int = 0, within: tuple[str, ...] = (), *, is_listed: bool = False
) -> bytes | Unreadable:
    """Read a whole file; never blocks on a pipe, never reads more than ``max_size`` bytes.

    Args:
        path: The file.
        max_size: The limit in bytes, 0 for none.
        within: If given, real paths of folders that no link in ``path`` may lead out of.
        is_listed: Whether the folder of the file is known to be within them, which saves time.
    """
    if within and not is_listed and leaves(path, within):
        return LEAVES
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
        _close(descriptor)


def _close(descriptor: int) -> None:
    """Close a file that was read or brought to the disk: a failure loses nothing."""
    with contextlib.suppress(OSError):
        os.close(descriptor)


def _unreadable(error: OSError | ValueError) -> Unreadable:
    if isinstance(error, OSError):
        return Unreadable("CL100", reason(error))
    return Unreadable("CL100", "a name that no file can have")


def names(folder: str) -> list[str] | Unreadable:
    """List what lies in a folder, sorted as byte strings."""
    try:
        return sorted(os.listdir(folder), key=path_key)
    except OSError as error:
        return _unreadable(error)


def replace(path: str, content: bytes, before: bytes) -> bool:
    """Replace a file whole, keeping its mode, if it still contains ``before``.

    The new bytes are written beside it and brought to the disk before they take its name, so that
    whoever looks sees the old file or the new one, whenever the machine dies. A link is kept, and
    the file that it leads to replaced: see `linked_target`. Returns False where the file has
    changed meanwhile. Raises OSError.
    """
    target = os.path.realpath(path) if os.path.islink(path) else path
    with _beside(target) as (descriptor, temporary):
        _write_through(descriptor, content)
        if read(target) != before:
            return False
        os.rename(temporary, target)
    with contextlib.suppress(OSError):  # where it cannot be done, the name is as durable as it gets
        handle = os.open(os.path.dirname(target) or ".", os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            _close(handle)
    return True


def _take_over(descriptor: int, new: str, old: str, status: os.stat_result) -> None:
    """Give a new file owner and mode of the one that it replaces.

    Raises OSError where that has more, which the new one would not have.
    """
    # somebody else's file in a folder of ours becomes ours
    with _tolerate(errno.EPERM, errno.EACCES, errno.EINVAL, *_UNSUPPORTED):
        os.fchown(descriptor, status.st_uid, status.st_gid)
    with _tolerate(errno.EPERM, *_UNSUPPORTED):
        os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
    if kind := _find_lost_attribute(old, new):
        raise OSError(errno.ENOTSUP, f"it has {kind}, which the new file would not have")


_UNSUPPORTED = (errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


@contextlib.contextmanager
def _tolerate(*numbers: int) -> Iterator[None]:
    """Go on after an error of one of the ``numbers``: the file system does not know the call."""
    try:
        yield
    except OSError as error:
        if error.errno not in numbers:
            raise


def _find_lost_attribute(old: str, new: str) -> str:
    """Return what an old file has and a new one lacks, in words; empty if there is nothing.

    Labels of the system (``security.``) and of network file systems are not the user's.
    """
    if not hasattr(os, "listxattr"):
        return ""  # Linux has it
    with _tolerate(*_UNSUPPORTED):
        for name in os.listxattr(old):
            if not name.startswith(("user.", "system.posix_acl_")):
                continue
            if name not in os.listxattr(new) or os.getxattr(old, name) != os.getxattr(new, name):
                return "an access control list" if name.startswith("system.") else (
                    f"the extended attribute {name}")
    return ""


_TEMPORARY = ".cachelint-"
"""How the names of temporary files begin; Jekyll does not look at hidden files."""
_pending: set[str] = set()
"""Temporary files that may exist."""


@contextlib.contextmanager
def _beside(path: str) -> Iterator[tuple[int, str]]:
    """Open a new file beside ``path``, and yield its descriptor and its path.

    It has the owner and the mode of the file that is there, and the mode of a new one otherwise.

    Unless it was given another name, it is gone afterwards. Its name is noted before it exists, so
    that `remove_pending` finds it where an interrupt comes at the worst moment.
    What an earlier run that was killed has left there is removed.
    """
    folder = os.path.dirname(path)
    remove_leftovers(find_temporary(folder or "."))
    temporary = os.path.join(folder, f"{_TEMPORARY}{os.urandom(8).hex()}")
    status = None
    with contextlib.suppress(OSError):
        status = os.stat(path)
    descriptor = -1
    _pending.add(temporary)
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC,
                             0o666 if status is None else stat.S_IMODE(status.st_mode))
        if status is not None:
            _take_over(descriptor, temporary, path, status)
        yield descriptor, temporary
    finally:
        try:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
            _pending.discard(temporary)
        finally:
            if descriptor >= 0:
                _close(descriptor)


def remove_pending() -> None:
    """Remove the temporary files that this process has not removed, as the last thing it does."""
    while _pending:
        with contextlib.suppress(OSError):
            os.unlink(_pending.pop())


_LEFTOVER_AGE = 3600
"""Seconds after which a temporary file has been left by a run that was killed."""


def is_temporary(name: str) -> bool:
    """Return whether a file has the name of a temporary one."""
    return name.startswith(_TEMPORARY)


def find_temporary(folder: str) -> list[str]:
    """List the temporary files in a folder; none where it cannot be listed."""
    listed = names(folder)
    return [] if isinstance(listed, Unreadable) else [
        f"{folder}/{name}" for name in listed if is_temporary(name)]


def remove_leftovers(files: Iterable[str]) -> None:
    """Remove those of some temporary files that are this user's and older than an hour."""
    for path in files:
        with contextlib.suppress(OSError):
            status = os.lstat(path)
            if (stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()
                    and time.time() - status.st_mtime > _LEFTOVER_AGE):
                os.unlink(path)


def _write_through(descriptor: int, content: bytes) -> None:
    """Write all of ``content``, and bring it to the disk."""
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
    _sync(descriptor)


def _sync(descriptor: int) -> None:
    with _tolerate(errno.EINVAL, *_UNSUPPORTED):  # some network and user space file systems
        os.fsync(descriptor)


def create(path: str, content: bytes) -> None:
    """Write a file that is new, whole or not at all. Raises OSError, also where one exists."""
    with _beside(path) as (descriptor, temporary):
        _write_through(descriptor, content)
        try:
            os.link(temporary, path)
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            # the name is taken first, so that no other file is replaced
            _close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            try:
                os.rename(temporary, path)
            except OSError:
                os.unlink(path)
                raise


def create_in_checkout(path: str, content: bytes) -> None:
    """Write a new file and the folders above it, through no link of a checkout. Raises OSError."""
    path = _resolve(path)
    make_folder_of(path)
    create(path, content)


_NO_HARD_LINKS = (errno.EPERM, errno.EMLINK, *_UNSUPPORTED)
"""How file systems refuse them: vfat, exfat and SMB shares; FUSE; those that have a limit."""


def write(path: str, content: bytes) -> None:
    """Write a file whole or not at all, through no link of a checkout. Raises OSError."""
    path = _resolve(path)
    with _beside(path) as (descriptor, temporary):
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


def _descriptor_of(path: str) -> int | None:
    """Return the number of the open file that a path such as ``/dev/stdout`` means."""
    folder, _, name = path.rpartition("/")
    if folder == "/dev" and name in ("stdout", "stderr"):
        return 1 if name == "stdout" else 2
    return int(name) if folder in ("/dev/fd", "/proc/self/fd") and name.isdecimal() else None


def write_text(path: str, pieces: Iterable[str]) -> None:
    """Write a file piece by piece, in UTF-8, and whole or not at all.

    A terminal, a pipe or the like is written to as it is. Raises OSError.
    """
    how: dict[str, Any] = {"encoding": "utf-8", "errors": "backslashreplace", "newline": ""}
    number = _descriptor_of(path)
    if number is not None:
        # the file behind it may have content, and may be written to by others
        with open(os.dup(number), "w", **how) as file:
            file.writelines(pieces)
        return
    target = _resolve(path)
    if _is_stream(path):
        with open(path, "w", **how) as file:
            file.writelines(pieces)
        return
    with _beside(target) as (descriptor, temporary):
        with open(descriptor, "w", closefd=False, **how) as file:
            file.writelines(pieces)
        _sync(descriptor)
        os.rename(temporary, target)


def probe(path: str) -> None:
    """Raise OSError if `write_text` cannot write ``path``, as far as can be known beforehand."""
    number = _descriptor_of(path)
    if number is not None:
        os.fstat(number)
        return
    target = _resolve(path)
    if os.path.isdir(path):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not _is_stream(path):
        with _beside(target):
            pass


def _is_stream(path: str) -> bool:
    """Return whether something lies at ``path`` that must not be replaced by a file."""
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False
