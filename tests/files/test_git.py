"""Git: repositories in unusual states, and a git that fails.

A change is found, or an error is raised: "nothing changed" and "nothing could be compared" never
look alike.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cachelint import CachelintError, check
from support.checkout import (
    EXAMPLE,
    FROZEN,
    IDENTITY,
    PAGE,
    PAGES,
    change,
    codes,
    commit,
    git,
)

Step = Callable[[Path], object]


def write_program(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def share_objects(root: Path) -> None:
    (root / ".git/objects").rename(root.parent / "objects")
    (root / ".git/objects/info").mkdir(parents=True)
    (root / ".git/objects/info/alternates").write_text(f"{root.parent}/objects\n")


def changed_object(root: Path) -> str:
    """Return the object that the page will have."""
    change(root / PAGE)
    name = git("hash-object", "-w", PAGE)
    git("checkout", "-q", "--", PAGE)
    return name


def make_conflict(root: Path) -> None:
    page = root / PAGE
    for branch, size in (("theirs", "8"), ("ours", "9")):
        git("checkout", "-qB", branch, "main")
        page.write_text(page.read_text("utf-8").replace('"size": "-"', f'"size": {size}', 1))
        commit(root)
    with pytest.raises(subprocess.CalledProcessError):
        git("merge", "theirs")
    page.write_bytes((EXAMPLE / PAGE).read_bytes())


# name: (what is done before a page changes, which has to be found all the same)
REPOSITORIES: dict[str, Callable[[Path], object]] = {
    "split index": lambda _: git("update-index", "--split-index"),
    "index without the names of objects": lambda _: git("update-index", "--index-version", "4"),
    "no index": lambda root: (root / ".git/index").unlink(),
    "untracked cache": lambda _: git("update-index", "--untracked-cache"),
    "files that git is never to look at": lambda _: (
        git("config", "core.ignoreStat", "true"), git("update-index", "--really-refresh")),
    "a monitor that reports no change": lambda root: (
        git("config", "core.fsmonitor",
            str(write_program(root / ".git/monitor", "printf 'token\\0'"))),
        git("update-index", "--fsmonitor"), git("status")),
    "objects of another repository": share_objects,
    "objects in one file": lambda _: git("gc", "-q"),
    "an object in the place of another": lambda root: git(
        "replace", git("rev-parse", f"main:{PAGE}"), changed_object(root)),
    "a conflict": make_conflict,
    "a page that is to be added": lambda _: (
        git("rm", "-q", "--cached", PAGE), git("add", "--intent-to-add", PAGE)),
}


@pytest.mark.parametrize("prepare", REPOSITORIES.values(), ids=REPOSITORIES)
def test_repositories_in_which_a_change_is_found(catalog: Path, prepare: Step) -> None:
    prepare(catalog)
    change(catalog / PAGE)
    assert codes() == [(PAGE, "CL801")]
    assert check(diff_base="main").compared == PAGES


PROGRAM = f"{sys.executable} -m cachelint check --diff-base main --output-format concise"
# what runs the program, with variables about its repository
RUN_BY_GIT: dict[str, str] = {
    "alias": f"git -c alias.lint='!{PROGRAM}' lint",
    "alias in a folder": f"cd pages && git -c alias.lint='!{PROGRAM}' lint",
    "rebase": f"git rebase --quiet --exec '{PROGRAM}' main",
    "hook of a push": "git push -q ../bare HEAD",
    "hook of a superproject": "cd ../super && git add -A && git commit -m x",
    "each submodule": f"cd ../super && git submodule foreach '{PROGRAM}'",
    "options about paths": f"git --icase-pathspecs -c alias.lint='!{PROGRAM}' lint",
    "no replaced objects": f"git --no-replace-objects -c alias.lint='!{PROGRAM}' lint",
    "configuration": f"git -c core.bare=true -c alias.lint='!{PROGRAM}' lint",
}


@pytest.mark.parametrize("command", RUN_BY_GIT.values(), ids=RUN_BY_GIT)
@pytest.mark.parametrize("is_linked", [False, True], ids=["checkout", "linked worktree"])
def test_change_is_found_where_git_runs_the_program(
    catalog: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, is_linked: bool
) -> None:
    git("init", "-q", "--bare", str(tmp_path / "bare"))
    if "super" in command:
        git("init", "-q", str(tmp_path / "super"))
        git("submodule", "--quiet", "add", str(catalog), "site", cwd=tmp_path / "super")
    if is_linked:
        git("checkout", "-q", "--detach")
        git("worktree", "add", "-q", "-b", "topic", str(tmp_path / "linked"), "main")
        monkeypatch.chdir(tmp_path / "linked")
    else:
        git("checkout", "-qb", "topic")
    root = tmp_path / "super/site" if "super" in command else Path.cwd()
    change(root / PAGE)
    if root == Path.cwd():
        commit(root)
    hooks = git("rev-parse", "--path-format=absolute", "--git-path", "hooks", cwd=root.parent
                if "super" in command else root)
    Path(hooks).mkdir(exist_ok=True)
    write_program(Path(hooks) / "pre-push", f"exec {PROGRAM}")
    write_program(Path(hooks) / "pre-commit", f"cd site && exec {PROGRAM}")
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False,
                          env={**os.environ, **IDENTITY})
    assert (done.returncode != 0, f"{PAGE}:1:1: CL801" in done.stdout + done.stderr) == (
        True, True), done


@pytest.mark.parametrize("base", [
    "@", "main@{0}", ":/change", "main^{/change}", "a;$(b)&", "ünï/⚡", "deadbeef"])
def test_ways_to_name_the_base(catalog: Path, base: str) -> None:
    for branch in ("a;$(b)&", "ünï/⚡", "deadbeef"):
        git("branch", branch)
    change(catalog / PAGE)
    assert codes(base) == [(PAGE, "CL801")]


@pytest.mark.parametrize(
    "name", ["-x", "--", ":(top)", ":!x", "*[a]?", "a\nb", "a\n", "a\\b", "a "])
def test_catalog_in_a_folder_with_an_odd_name(catalog: Path, name: str) -> None:
    folder = catalog / name
    folder.mkdir()
    for each in ("_cache", "_data", "pages"):
        (catalog / each).rename(folder / each)
    commit(catalog)
    change(folder / PAGE)
    assert codes("HEAD") == [(f"{name}/{PAGE}", "CL801")]


# name: what makes git ignore it
GONE: dict[str, Callable[[Path], object]] = {
    "and ignored": lambda root: (root / ".gitignore").write_text(f"{PAGE}\n"),
    "and its tag ignored": lambda root: (root / ".gitignore").write_text(f"{FROZEN}\n"),
    "and ignored by the repository": lambda root: (
        (root / ".git/info/exclude").write_text("specs.md\n")),
}


@pytest.mark.parametrize("ignore", GONE.values(), ids=GONE)
def test_page_that_was_removed_from_git_and_is_left(catalog: Path, ignore: Step) -> None:
    git("rm", "-q", "--cached", PAGE)
    assert codes() == []  # it can still be added
    ignore(catalog)
    assert codes() == [(PAGE, "CL802")]
    git("commit", "-qm", "removed")
    assert codes("HEAD~1") == [(PAGE, "CL802")]


@pytest.mark.parametrize("edit", [
    lambda page: page.chmod(0o755),
    lambda page: (page.rename(page.parents[3] / "page"), page.symlink_to("../../../page")),
], ids=["executable", "a link"])
def test_page_with_the_same_content_is_compared_and_no_finding(catalog: Path, edit: Step) -> None:
    edit(catalog / PAGE)
    for _ in ("work tree", "commit"):
        report = check(diff_base="main")
        assert (report.findings, report.compared) == ((), PAGES)
        git("checkout", "-qB", "topic")
        commit(catalog)


def test_page_whose_name_changes_in_case(catalog: Path) -> None:
    git("mv", f"{FROZEN}/re2", f"{FROZEN}/Re2")
    assert sorted(codes()) == [(f"{FROZEN}/Re2/specs.md", "CL601"),
                               (f"{FROZEN}/Re2/specs.md", "CL803"), (PAGE, "CL802")]


def test_file_system_that_ignores_case(catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lstat = os.lstat
    git("mv", f"{FROZEN}/re2", f"{FROZEN}/Re2")
    monkeypatch.setattr(os, "lstat", lambda path: lstat(str(path).replace("/re2", "/Re2")))
    assert (PAGE, "CL802") in codes()


def break_branch(root: Path, content: str) -> None:
    change(root / PAGE)
    commit(root)
    (root / ".git/refs/heads/main").write_text(content)


def remove_object(root: Path, name: str) -> None:
    change(root / PAGE)
    git("branch", "base")
    commit(root)
    name = git("rev-parse", name)
    (root / f".git/objects/{name[:2]}/{name[2:]}").unlink()


def make_ambiguous(root: Path) -> None:
    git("branch", "base")
    change(root / PAGE)
    commit(root)
    git("tag", "base")


def make_two_merge_bases(root: Path) -> None:
    """Merge two commits into both branches, and take one of them back."""
    change(root / PAGE)
    commit(root)
    git("checkout", "-qb", "topic", "main~1")
    (root / "file").write_text("x")
    commit(root)
    git("branch", "other")
    git("merge", "-q", "--no-edit", "main")
    git("branch", "-f", "base")
    git("checkout", "-q", "main")
    git("merge", "-q", "--no-edit", "other")
    git("checkout", "-q", "main~1", "--", PAGE)


# name: (what is done, the revision, the error)
NOT_COMPARED: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "a branch that cannot be read": (
        lambda root: break_branch(root, "garbage\n"), "HEAD", "git cannot read HEAD"),
    "an empty branch": (
        lambda root: break_branch(root, ""), "HEAD", "git cannot read HEAD"),
    "no commit of HEAD": (
        lambda root: remove_object(root, "HEAD"), "HEAD", "git cannot read HEAD"),
    "no commit of HEAD, another base": (
        lambda root: remove_object(root, "HEAD"), "base", "git cannot read HEAD"),
    "no object of the base": (
        lambda root: remove_object(root, f"base:{PAGE}"), "base", "git cannot read object"),
    "no commit of the base": (
        lambda root: remove_object(root, "base"), "base", 'unknown revision "base"'),
    "no objects of another repository": (
        lambda root: (root / ".git/objects").rename(root / "objects"), "main",
        "git cannot read the repository|git cannot read HEAD"),
    "an index that cannot be read": (
        lambda root: (root / ".git/index").write_text("garbage"), "main", "git failed: "),
    "files elsewhere": (
        lambda root: (shutil.copytree(root, root.parent / "other"),
                      git("config", "core.worktree", "../../other")), "main",
        r"its files are elsewhere \(core.worktree\): .*/other"),
    "no files": (lambda _: git("config", "core.bare", "true"), "main",
                 "this operation must be run in a work tree"),
    "a tag with the name of the base": (
        make_ambiguous, "base",
        '"base" is ambiguous: name it in full, such as refs/heads/base'),
    "two merge bases": (
        make_two_merge_bases, "base", '"base" and HEAD have 2 merge bases: merge "base"'),
}


@pytest.mark.parametrize(("spoil", "base", "message"), NOT_COMPARED.values(), ids=NOT_COMPARED)
def test_repositories_in_which_nothing_can_be_compared(
    catalog: Path, spoil: Step, base: str, message: str
) -> None:
    spoil(catalog)
    with pytest.raises(CachelintError, match=message):
        check(diff_base=base)


@pytest.mark.parametrize("variables", [{}, {"GIT_TRACE": "1", "GIT_TRACE2": "1"}])
def test_before_the_first_commit_all_is_new(
    catalog: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    git("checkout", "-q", "--orphan", "topic")
    change(catalog / PAGE)
    report = check(diff_base="HEAD")
    assert (report.findings, report.compared) == ((), PAGES)
    with pytest.raises(CachelintError, match="HEAD has no commit yet"):
        check(diff_base="main")


# ------------------------------------------------------------------------------- git itself


@pytest.fixture
def calls(catalog: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The arguments of each call of git in a comparison that finds a change."""
    change(catalog / PAGE)
    (catalog / "_cache/develop/new").mkdir()
    (tmp_path / "bin").mkdir()
    log = tmp_path / "log"
    write_program(tmp_path / "bin/git", f"""\
[ "$*" != "$FAULT_AT" ] || eval "$FAULT"
printf '%s\\n' "$*" >> {log}
exec {shutil.which("git")} "$@"
""")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.setenv("FAULT_AT", "none")
    assert codes() == [(PAGE, "CL801")]
    return sorted(set(log.read_text().splitlines()))


@pytest.mark.parametrize("fault", ["kill -KILL $$", "exit 1", "exit 128", "echo x >&2; exit 128"])
def test_call_of_git_that_fails(
    calls: list[str], fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(calls) >= 9
    monkeypatch.setenv("FAULT", fault)
    for call in calls:
        for base in ("main", "HEAD"):
            monkeypatch.setenv("FAULT_AT", call.replace("main^{commit}", f"{base}^{{commit}}"))
            with pytest.raises(CachelintError):
                check(diff_base=base)


def test_object_that_git_does_not_write_whole(
    calls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAULT_AT", next(call for call in calls if " cat-file " in call))
    monkeypatch.setenv("FAULT", "read name; echo $name blob 1000; echo cut; exit")
    with pytest.raises(CachelintError, match="git ended while it read object"):
        check(diff_base="main")


def test_interrupt_while_git_is_started(
    calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAULT", "exec sleep 600")
    monkeypatch.setenv("FAULT_AT", calls[0])
    begin = subprocess.Popen._execute_child  # type: ignore[attr-defined]
    begun: list[subprocess.Popen[bytes]] = []

    def begin_and_interrupt(
        process: subprocess.Popen[bytes], arguments: list[str], *others: object
    ) -> None:
        begin(process, arguments, *others)
        if " ".join(arguments[1:]) == calls[0]:
            begun.append(process)
            raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "_execute_child", begin_and_interrupt)
    with pytest.raises(KeyboardInterrupt):
        check(diff_base="main")
    assert [process.returncode for process in begun] == [-signal.SIGKILL]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("command", ["rev-parse", "diff-index", "ls-files", "cat-file"])
def test_git_that_hangs_ends_with_the_run(
    calls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, number: int,
    status: int,
) -> None:
    monkeypatch.setenv("FAULT", f"echo $$ > {tmp_path}/pid; exec sleep 600")
    monkeypatch.setenv("FAULT_AT", next(call for call in calls if f" {command} " in call))
    with subprocess.Popen([sys.executable, "-m", "cachelint", "check", "--diff-base", "main"],
                          stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 30
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(0.5)  # until the program waits for it
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (
        status, "cachelint: interrupted\n" if number == signal.SIGINT else "")
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
