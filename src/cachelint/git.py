"""What git knows: which files differ from a base revision, and what they held there.

Only plumbing is asked, with NUL-separated names and object names, so that it works in shallow,
blobless and sparse clones, and with names that would need quoting.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from cachelint.model import CachelintError


class Change(NamedTuple):
    """A file that differs between the base revision and the work tree."""

    path: str
    """Relative to the catalog's folder."""
    before: str
    """The object that the base has there; empty where it has none."""
    is_gone: bool


class Changes(NamedTuple):
    """What differs between a base revision and the work tree of one catalog."""

    base: str
    """The commit that it is compared with: the merge base of REV and HEAD."""
    files: tuple[Change, ...]
    tags: frozenset[str]
    """Folders below ``_cache`` that the base has."""


_OPTIONS = ("--no-ext-diff", "--no-textconv", "--no-renames", "--no-abbrev", "--raw", "-z",
            "--relative")
_PATHS = ("_cache", "_data/tags.yaml", "_data/meta.yaml", "pages/tags")


def _start(folder: str, *arguments: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
    try:
        return subprocess.Popen(
            ["git", "-C", folder or ".", *arguments], env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except FileNotFoundError:
        raise CachelintError("--diff-base needs git, which is not installed") from None


def _finish(process: subprocess.Popen[bytes]) -> bytes:
    """Return what git printed. Raises CachelintError with what it complained of."""
    output, complaint = process.communicate()
    if process.returncode:
        lines = complaint.decode("utf-8", "replace").strip().splitlines()
        raise CachelintError(f"git failed: {lines[-1] if lines else process.returncode}")
    return output


def _ask(folder: str, *arguments: str) -> str | None:
    """Return the line that git answers; None where it refuses."""
    process = _start(folder, *arguments)
    output, _ = process.communicate()
    return None if process.returncode else output.decode("utf-8", "surrogateescape").strip()


def merge_base(folder: str, revision: str) -> str:
    """Find the merge base of a revision and HEAD.

    Raises CachelintError, which says what to do about it.
    """
    if _ask(folder, "rev-parse", "--git-dir") is None:
        raise CachelintError(f"--diff-base: {folder} is in no git repository")
    if _ask(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}") is None:
        raise CachelintError("--diff-base: the repository has no commit yet")
    commit = _ask(folder, "rev-parse", "--verify", "--quiet", "--end-of-options",
                  f"{revision}^{{commit}}")
    is_shallow = _ask(folder, "rev-parse", "--is-shallow-repository") == "true"
    fetch = ("fetch the whole history: fetch-depth: 0 for actions/checkout, GIT_DEPTH: 0 in "
             "GitLab, or git fetch --unshallow")
    if commit is None:
        hint = f"; the clone is shallow, {fetch}" if is_shallow else (
            "; is it fetched, as in git fetch origin?")
        raise CachelintError(f"--diff-base: there is no revision {revision!r}{hint}")
    base = _ask(folder, "merge-base", commit, "HEAD")
    if base is None:
        hint = f"the clone is shallow, {fetch}" if is_shallow else "their histories are unrelated"
        raise CachelintError(f"--diff-base: {revision!r} and HEAD have no merge base: {hint}")
    return base


def changes(folder: str, revision: str) -> Changes:
    """List what differs between the merge base of ``revision`` and HEAD, and the work tree.

    ``folder`` is the catalog's. Raises CachelintError.
    """
    base = merge_base(folder, revision)
    # both look at every file of the work tree, and do so side by side
    tracked = _start(folder, "diff", *_OPTIONS, base, "--", *_PATHS)
    untracked = _start(folder, "ls-files", "--others", "--exclude-standard", "-z", "--", *_PATHS)
    trees = _start(folder, "ls-tree", "-d", "-z", "--name-only", base, "_cache/")
    found = {change.path: change for change in _read_raw(_finish(tracked))}
    for name in _names(_finish(untracked)):
        # a file that is no longer tracked is gone and there again
        before = found[name].before if name in found else ""
        found[name] = Change(name, before, False)
    tags = frozenset(name.rsplit("/", 1)[-1] for name in _names(_finish(trees)))
    return Changes(base, tuple(found[name] for name in sorted(found, key=os.fsencode)), tags)


def _names(output: bytes) -> list[str]:
    return [os.fsdecode(name) for name in output.split(b"\0") if name]


def _read_raw(output: bytes) -> Iterator[Change]:
    """Read `git diff --raw -z`: `:MODE MODE OBJECT OBJECT STATUS`, then the path."""
    fields = output.split(b"\0")
    for head, name in zip(fields[::2], fields[1::2], strict=False):
        _, _, before, _, status = head.decode().split(" ")
        is_new = set(before) == {"0"}
        yield Change(os.fsdecode(name), "" if is_new else before, status == "D")


def contents(folder: str, objects: Iterable[str]) -> Iterator[bytes]:
    """Yield what each of ``objects`` holds, in their order. Raises CachelintError."""
    wanted = list(objects)
    if not wanted:
        return
    process = subprocess.Popen(
        ["git", "-C", folder or ".", "cat-file", "--batch"], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        for name in wanted:
            process.stdin.write(f"{name}\n".encode())
            process.stdin.flush()
            head = process.stdout.readline().split()
            if len(head) != 3:
                raise CachelintError(
                    f"git has no object {name}: the clone may be partial, and its remote away")
            yield process.stdout.read(int(head[2]))
            process.stdout.read(1)
