"""Git by its plumbing: which files differ from a base revision, and their contents there.

Names are NUL-separated and contents are read by object name, so that it works in shallow, blobless
and sparse clones, and with names that would need quoting.

A checkout is untrusted. Git runs at the top of the checkout, the nearest folder with a ``.git``
entry, which no tree can contain; so a folder that looks like a bare repository never lends it a
configuration. No hook, file system monitor, external diff, text conversion or submodule is run.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from cachelint.files.discovery import find_top
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


_DIFF = ("diff", "--no-ext-diff", "--no-textconv", "--no-renames", "--no-abbrev", "--raw", "-z",
         "--ignore-submodules=all")
_PATHS = ("_cache", "_data/tags.yaml", "_data/meta.yaml", "pages/tags")

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
        raise CachelintError("--diff-base needs git, which is not installed") from None


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
    top = find_top(folder)
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


def changes(folder: str, revision: str) -> Changes:
    """List what differs between the merge base of ``revision`` and HEAD, and the work tree.

    ``folder`` is the catalog's. Raises CachelintError.
    """
    top = _find_repository(folder)
    below = os.path.relpath(os.path.realpath(folder or "."), top)
    prefix = "" if below == os.curdir else f"{below}/"
    paths = [prefix + path for path in _PATHS]
    base = _merge_base(top, revision)
    # both look at every file of the work tree, and do so side by side
    tracked = _start(top, *_DIFF, base, "--", *paths)
    untracked = _start(top, "ls-files", "--others", "--exclude-standard", "-z", "--", *paths)
    trees = _start(top, "ls-tree", "-d", "-z", "--name-only", base, f"{prefix}_cache/")
    found = {change.path: change for change in _read_raw(_finish(tracked), prefix)}
    for path in _names(_finish(untracked)):
        # a file that is no longer tracked is gone and there again
        name = path.removeprefix(prefix)
        before = found[name].before if name in found else ""
        found[name] = Change(name, before, False)
    tags = frozenset(name.rsplit("/", 1)[-1] for name in _names(_finish(trees)))
    return Changes(base, tuple(found[name] for name in sorted(found, key=os.fsencode)), tags)


def _names(output: bytes) -> list[str]:
    return [os.fsdecode(name) for name in output.split(b"\0") if name]


def _read_raw(output: bytes, prefix: str) -> Iterator[Change]:
    """Read `git diff --raw -z`: `:MODE MODE OBJECT OBJECT STATUS`, then the path."""
    fields = output.split(b"\0")
    for head, name in zip(fields[::2], fields[1::2], strict=False):
        _, _, before, _, status = head.decode().split(" ")
        is_new = set(before) == {"0"}
        path = os.fsdecode(name).removeprefix(prefix)
        yield Change(path, "" if is_new else before, status == "D")


def contents(folder: str, objects: Iterable[str]) -> Iterator[bytes]:
    """Yield what each of ``objects`` holds, in their order. Raises CachelintError."""
    wanted = list(objects)
    if not wanted:
        return
    process = _start(find_top(folder) or folder, "cat-file", "--batch", stdin=subprocess.PIPE,
                     stderr=subprocess.DEVNULL)
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
