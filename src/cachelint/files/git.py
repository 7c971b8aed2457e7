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
from contextlib import suppress
from itertools import islice
from typing import Any

from cachelint.files.paths import (
    display_path,
    exists,
    find_top,
    git_folder,
    is_page,
    is_sparse,
    join,
    leaves,
    real_path,
)
from cachelint.files.read_write import Unreadable, too_large
from cachelint.model import CachelintError, NamedTuple

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
    "GIT_TERMINAL_PROMPT": "0", "GIT_NO_REPLACE_OBJECTS": "1",
}
PATHS = ("_cache", "_data", "pages")
LINK, SUBMODULE = "120000", "160000"


class Process(subprocess.Popen[bytes]):
    """A git that ends with its block, whatever ends that."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Start it; an interrupt at this moment leaves none behind."""
        try:
            super().__init__(*arguments, **options)
        except BaseException:
            if getattr(self, "pid", None) is not None:
                self.kill()
                self.wait()
            raise

    def __exit__(self, *error: Any) -> None:
        """Kill it where it is not done."""
        self.kill()
        self.communicate()

    def complete(self) -> tuple[bytes, bytes]:
        """Return what it printed and what it complained of. Raises CachelintError."""
        with self:
            output, complaint = self.communicate()
        if self.returncode < 0:
            raise CachelintError(f"git was killed by signal {-self.returncode}")
        return output, complaint


def start(
    top: str, *arguments: str, stdin: int = subprocess.DEVNULL, stderr: int = subprocess.PIPE
) -> Process:
    """Start git at the top of a checkout. Raises CachelintError where it is not installed."""
    environment = {name: value for name, value in os.environ.items()
                   if name not in LOCAL_VARIABLES | _PATHSPEC_VARIABLES
                   and not name.startswith("GIT_TRACE")}  # they fill its complaints
    # a `.git` that git does not accept must not make it look further up
    environment |= {**_ENVIRONMENT, "GIT_CEILING_DIRECTORIES": os.path.dirname(top)}
    # `git commit FILE` and `git commit --all` have an index of their own, beside the usual one
    index = os.path.realpath(os.environ.get("GIT_INDEX_FILE", ""))
    if os.path.dirname(index) == os.path.realpath(git_folder(top)):
        environment["GIT_INDEX_FILE"] = index
    try:
        return Process(["git", *_SAFE, "-C", top, *arguments], env=environment,
                       stdin=stdin, stdout=subprocess.PIPE, stderr=stderr)
    except FileNotFoundError:
        raise CachelintError("git is not installed, and it is needed here: to compare with a base, "
                             "and in sparse checkouts") from None
    except OSError as error:
        raise CachelintError(f"git cannot be started: {error.strerror}") from None


def finish(process: Process) -> bytes:
    """Return what git printed. Raises CachelintError with its own explanation."""
    output, complaint = process.complete()
    if process.returncode:
        raise CachelintError(f"git failed: {explain(complaint) or process.returncode}")
    return output


def explain(complaint: bytes) -> str:
    """Return the first line that git printed and the last, which has the help."""
    lines = [line.strip() for line in complaint.decode("utf-8", "replace").splitlines()
             if line.strip()]
    return " ... ".join(dict.fromkeys([*lines[:1], *lines[-1:]]))


def _call(top: str, *arguments: str) -> tuple[int, bytes, bytes]:
    """Return the status of git, what it printed and what it complained of."""
    process = start(top, *arguments)
    output, complaint = process.complete()
    return process.returncode, output, complaint


def query(top: str, *arguments: str) -> str | None:
    """Return the line that git answers; None where it refuses."""
    status, output, _ = _call(top, *arguments)
    return None if status else os.fsdecode(output).strip()


def find_base(folder: str, revision: str) -> tuple[str, str]:
    """Return the top of the checkout around ``folder``, and the commit to compare it with.

    It is the merge base of a revision and HEAD. The revision is one of the checkout of the working
    directory, if ``folder`` is in a submodule of that. Raises CachelintError.
    """
    top, here = open_checkout(folder), find_top(".")
    outer = find_top(os.path.dirname(top))
    if (here is None or outer is None or top == here or leaves(top, (here,))
            or not is_submodule(outer, top)):
        return top, merge_base(top, revision)
    _, base = find_base(outer, revision)
    path = path_below(top, outer).rstrip("/")
    at_base = [*split_tree(finish(start(outer, "ls-tree", "-z", base, "--", path)))]
    if not at_base or at_base[0][1] != SUBMODULE:
        raise CachelintError(f"--diff-base: {display_path(top)} is a submodule, and was not one at "
                             "the base: the two cannot be compared")
    require_commit(top, at_base[0][2])
    return top, at_base[0][2]


def read_at(top: str, commit: str, path: str, limit: int) -> bytes | Unreadable | None:
    """Read at most ``limit`` bytes of a file below ``top`` as it is in a commit.

    Returns None if there is no such file. A link is not followed. Raises CachelintError.
    """
    name = os.path.relpath(path, top)
    found = split_names(finish(start(top, "ls-tree", "-z", commit, "--", name)))
    mode, kind, item = found[0].partition("\t")[0].split(" ") if found else ("", "", "")
    if kind != "blob":
        return None
    if mode == LINK:
        return Unreadable("CL100", "it is a link at the base revision")
    (content,) = contents([(top, item)], limit)
    return content


def split_names(output: bytes) -> list[str]:
    """Return the names that git printed, each with a NUL after it."""
    return [os.fsdecode(name) for name in output.split(b"\0") if name]


def open_checkout(folder: str) -> str:
    """Return the top of the checkout around ``folder``. Raises CachelintError without one."""
    top = find_top(folder)
    if top is None:
        raise CachelintError(f"--diff-base: {folder} is not in a git repository")
    status, output, complaint = _call(top, "rev-parse", "--show-toplevel")
    found = os.fsdecode(output.removesuffix(b"\n"))
    if status or real_path(found) != top:
        why = explain(complaint) or f"its files are elsewhere (core.worktree): {found or 'nowhere'}"
        raise CachelintError(f"--diff-base: git cannot read the repository at {top}: {why}")
    return top


def merge_base(top: str, revision: str) -> str:
    """Find the merge base of a revision and HEAD.

    Raises CachelintError, with what to do about it.
    """
    # all that follows `:/` is sought in the messages of commits
    name = revision if revision.startswith(":/") else f"{revision}^{{commit}}"
    status, output, complaint = _call(top, "rev-parse", "--verify", "--end-of-options", name)
    if b"is ambiguous" in complaint and output.decode().strip() != revision:
        raise CachelintError(f'--diff-base: "{revision}" is ambiguous: name it in full, such as '
                             f"refs/heads/{revision}")
    # `^main` excludes a commit, and names none
    commit = None if status or output.startswith(b"^") else output.decode().strip()
    bases = (query(top, "merge-base", "--all", commit, "HEAD") or "").split() if commit else []
    if len(bases) > 1:
        # what one of them has and the other has not may be undone without a trace
        raise CachelintError(f'--diff-base: "{revision}" and HEAD have {len(bases)} merge bases: '
                             f'merge "{revision}", or name one of them: {" ".join(bases)}')
    if bases:
        return bases[0]
    if query(top, "rev-parse", "--verify", "--quiet", "HEAD^{commit}") is None:
        if not _is_unborn(top):
            raise CachelintError(f"--diff-base: git cannot read HEAD in the repository at {top}: "
                                 "see what git fsck reports")
        if revision == "HEAD":  # before the first commit, everything is new
            return finish(start(top, "hash-object", "-t", "tree", os.devnull)).decode().strip()
        raise CachelintError("--diff-base: HEAD has no commit yet")
    is_shallow = query(top, "rev-parse", "--is-shallow-repository") == "true"
    fetch = ("the clone is shallow, fetch the whole history: fetch-depth: 0 for actions/checkout, "
             "GIT_DEPTH: 0 in GitLab, or git fetch --unshallow")
    if commit is None:
        hint = fetch if is_shallow else "fetch it first, as with git fetch origin"
        raise CachelintError(f'--diff-base: unknown revision "{revision}"; {hint}')
    hint = fetch if is_shallow else "their histories are unrelated"
    raise CachelintError(f'--diff-base: "{revision}" and HEAD have no merge base: {hint}')


def _is_unborn(top: str) -> bool:
    """Return whether the branch of HEAD has no commit yet, and not one that git cannot read."""
    branch = query(top, "symbolic-ref", "HEAD")
    return branch is not None and _call(top, "for-each-ref", branch) == (0, b"", b"")


def path_below(folder: str, top: str) -> str:
    """Return the path of a folder below the top of its checkout, empty or with a final slash."""
    below = os.path.relpath(os.path.realpath(folder), top)
    return "" if below == os.curdir else f"{below}/"


def list_others(
    top: str, base: str, inside: str, without: Iterable[str]
) -> tuple[bytes, list[str]]:
    """List what a folder has beside some folders, without a look at the work tree.

    Returns what differs between a commit and the index, as `git diff-index --raw -z` prints it, and
    the files of the index.
    """
    paths = [f":(top,literal){inside}", *(f":(top,exclude,literal){path}" for path in without)]
    magic = "--no-literal-pathspecs"
    changed = finish(start(top, magic, "diff-index", "--cached", "--raw", "-z", "--no-renames",
                           "--no-abbrev", base, "--", *paths))
    return changed, split_names(finish(start(top, magic, "ls-files", "-z", "--", *paths)))


def has_commit(top: str, commit: str) -> bool:
    """Return whether the repository of a checkout has a commit."""
    return query(top, "cat-file", "-e", f"{commit}^{{commit}}") is not None


def require_commit(top: str, commit: str) -> None:
    """Raise CachelintError if a submodule does not have a commit of the base."""
    if not has_commit(top, commit):
        shown = display_path(top)
        raise CachelintError(f"--diff-base: the submodule {shown} does not have the commit "
                             f"{commit} of the base: git -C {shown} fetch origin {commit}")


def is_submodule(top: str, folder: str) -> bool:
    """Return whether the index of the checkout at ``top`` has ``folder`` as a submodule."""
    output = finish(start(top, "ls-files", "-s", "-z", "--", path_below(folder, top).rstrip("/")))
    return output.startswith(SUBMODULE.encode())


def is_ignored(top: str, folder: str) -> bool:
    """Return whether git ignores a folder and tracks nothing in it. Raises CachelintError."""
    path = path_below(folder, top).rstrip("/")
    if not path:
        return False
    # this command refuses literal pathspecs, and has no use for magic but in a leading colon
    status, _, complaint = _call(
        top, "--no-literal-pathspecs", "check-ignore", "-q", "--", f"./{path}")
    if status not in (0, 1):
        raise CachelintError(explain(complaint))
    return not status and not finish(start(top, "ls-files", "-z", "--", path))


def list_ignored(folder: str) -> frozenset[str]:
    """List the files below a folder that git ignores: their real paths. Raises CachelintError."""
    top = open_checkout(folder)
    output = finish(start(top, "ls-files", "--others", "--ignored", "--exclude-standard", "-z",
                          "--", path_below(folder, top).rstrip("/") or "."))
    return frozenset(os.path.join(top, name) for name in split_names(output))


class Renaming(NamedTuple):
    """Makes paths of a checkout relative to the catalog."""

    inside: str
    """The folder of the checkout, empty or with a final slash."""
    outside: str
    """What stands for it in the catalog."""

    def __call__(self, name: str) -> str:
        """Rename one path."""
        return self.outside + name.removeprefix(self.inside)


class Index(NamedTuple):
    """What the index has of a catalog, relative to its folder."""

    pages: frozenset[str]
    others: frozenset[str]
    """All other files."""
    links: frozenset[str]
    submodules: dict[str, str]
    """With the commit of each."""
    hidden: frozenset[str]
    """Files that are not checked out: the skip-worktree bit is set."""
    unwatched: dict[str, str]
    """Files that git takes for unchanged without a look (that bit, or assume-unchanged), with the
    object of each."""


def read_index(output: bytes, relative: Renaming) -> Index:
    """Read `git ls-files -s -v -z`: `TAG MODE OBJECT STAGE`, a tab, the path."""
    pages, others, links, hidden = (set[str]() for _ in range(4))
    submodules: dict[str, str] = {}
    unwatched: dict[str, str] = {}
    for head, path in _split_index(output):
        at = relative(path)
        (pages if is_page(at) else others).add(at)
        if head[0] in "hSs":
            unwatched[at] = head.split(" ")[2]
            if head[0] in "Ss":
                hidden.add(at)
        if not head.startswith("100", 2):  # no file
            _, mode, name, _ = head.split(" ")
            if mode == SUBMODULE:
                submodules[at] = name
            elif mode == LINK:
                links.add(at)
    return Index(frozenset(pages), frozenset(others), frozenset(links), submodules,
                 frozenset(hidden), unwatched)


def read_objects(output: bytes, relative: Renaming) -> Iterator[tuple[str, str]]:
    """Yield the path and the object of each file that `git ls-files -s -v -z` printed."""
    for head, path in _split_index(output):
        tag, mode, name, stage = head.split(" ")
        if tag not in ("S", "s") and stage == "0" and mode.startswith("100"):
            yield relative(path), name


def _split_index(output: bytes) -> Iterator[tuple[str, str]]:
    for line in os.fsdecode(output).split("\0")[:-1]:
        head, _, path = line.partition("\t")
        yield head, path


def find_hidden(root: str) -> frozenset[str]:
    """Return the files of a catalog that are not checked out, relative to its folder.

    They are those with the skip-worktree bit in a sparse checkout. Git is called only where one was
    ever set up. Raises CachelintError where git fails.
    """
    found: set[str] = set()
    for folder, outside in ((root, ""), (join(root, "_cache"), "_cache/")):
        top = find_top(folder)
        if top is None or (outside and path_below(folder, top)) or not is_sparse(top):
            continue
        inside = "" if outside else path_below(root, top)
        paths = [] if outside else [inside + path for path in PATHS]
        output = finish(start(top, "ls-files", "-s", "-v", "-z", "--", *paths))
        index = read_index(output, Renaming(inside, outside))
        found |= {path for path in index.hidden if not exists(join(root, path))}
    return frozenset(found)


def split_tree(output: bytes) -> Iterator[tuple[str, str, str]]:
    """Yield the name, mode and object of each entry that `git ls-tree -z` printed."""
    for line in output.split(b"\0")[:-1]:
        head, _, name = line.partition(b"\t")
        mode, _, found = head.decode().split(" ")
        yield os.fsdecode(name), mode, found


_AHEAD = 256
"""So many objects are requested at once; their names fit into a pipe."""


def contents(objects: Iterable[tuple[str, str]], limit: int) -> Iterator[bytes | Unreadable]:
    """Yield the content of each object, in their order.

    Args:
        objects: For each the top of a checkout, and the name of an object in its repository.
        limit: How many bytes of one are read at most.

    Raises:
        CachelintError: A repository does not have an object.
    """
    processes: dict[str, Process] = {}
    left = iter(objects)
    try:
        # to wait for each object by itself would take longer than to read it
        while part := [*islice(left, _AHEAD)]:
            for top, name in part:
                if top not in processes:
                    processes[top] = start(top, "cat-file", "--batch", stdin=subprocess.PIPE,
                                            stderr=subprocess.DEVNULL)
                request = processes[top].stdin
                assert request is not None
                request.write(f"{name}\n".encode())
            for process in processes.values():
                assert process.stdin is not None
                with suppress(BrokenPipeError):  # it has ended, and answers nothing
                    process.stdin.flush()
            for top, name in part:
                yield _read_object(processes[top], name, limit)
    finally:
        for process in processes.values():
            process.__exit__()


def _read_object(process: Process, name: str, limit: int) -> bytes | Unreadable:
    assert process.stdout is not None
    head = process.stdout.readline().split()
    if len(head) != 3:
        raise CachelintError(
            f"git cannot read object {name}: the clone may be partial, and its remote away; see "
            "what git fsck reports")
    size = int(head[2])
    if size <= limit:
        content = process.stdout.read(size + 1)  # a line feed is behind it
        if len(content) <= size:
            raise CachelintError(f"git ended while it read object {name}")
        return content[:size]
    for at in range(0, size + 1, 1 << 20):
        process.stdout.read(min(size + 1 - at, 1 << 20))
    return Unreadable("CL110", too_large(size, limit), is_too_large=True)


def find_reason_to_skip(root: str, folder: str) -> str:
    """Return why a catalog that was found below ``folder`` is skipped; empty if it is not."""
    outer = find_top(folder)
    top = find_top(root)
    if top is None:
        return ""
    at = top
    while outer is not None and at != outer:
        above = find_top(os.path.dirname(at))
        if above is None:
            break
        if not is_submodule(above, at):
            return "another checkout"
        at = above
    is_named = folder != top and not leaves(folder, (top,)) and is_ignored(top, folder)
    return "ignored by git" if not is_named and is_ignored(top, root) else ""
