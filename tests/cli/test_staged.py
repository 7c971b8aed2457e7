"""`check --staged`: what a commit changes in a catalog, as the hook `cachelint-catalog` runs it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples/catalog"
FROZEN = "_cache/develop-2025-03-30"
IDENTITY = {
    "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org", "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


def git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True, capture_output=True,
                   env={**os.environ, **IDENTITY})


def check(**environment: str) -> tuple[int, list[str]]:
    """Run the hook's command; return its status and the codes that it reports."""
    done = subprocess.run(
        [sys.executable, "-m", "cachelint", "check", "--staged", "--output-format", "json"],
        capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, **IDENTITY, **environment})
    assert done.stderr == ""
    return done.returncode, sorted(
        each["code"] for each in json.loads(done.stdout)["findings"]) if done.stdout else []


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a repository of the example catalog, with one commit."""
    root = tmp_path / "catalog"
    shutil.copytree(EXAMPLE, root)
    monkeypatch.chdir(root)
    monkeypatch.delenv("PRE_COMMIT_FROM_REF", raising=False)
    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-qm", "base")
    return root


def change(path: str, before: str, after: str) -> None:
    text = Path(path).read_text()
    assert before in text
    Path(path).write_text(text.replace(before, after, 1))


def copy_page(tag: str) -> None:
    source = next(Path(tag).iterdir())
    text = (source / "specs.md").read_text()
    target = Path(tag, "added")
    target.mkdir()
    hashes = dict.fromkeys(part[:32] for part in text.split('"hash": "')[1:])
    for number, value in enumerate(hashes):
        text = text.replace(value, f"{'abcdefgh'[number % 8] * 30}z{'234567'[number // 8 % 6]}")
    (target / "specs.md").write_text(text.replace(f'"{source.name}"', '"added"'))


CHANGES: dict[str, tuple[Callable[[], object], int, str]] = {
    "broken tags.yaml": (lambda: change("_data/tags.yaml", "- name", "- {name"), 1, "CL106"),
    "changed frozen page": (
        lambda: change(f"{FROZEN}/gcc/specs.md", '"size": "-"', '"size": 7'), 1, "CL801"),
    "removed frozen page": (lambda: shutil.rmtree(f"{FROZEN}/gcc"), 1, "CL802"),
    "added frozen page": (lambda: copy_page(FROZEN), 0, "CL803"),
    "stale page": (
        lambda: change("_cache/develop/swig/specs.md", '"num_specs": ', '"num_specs": 9'), 1,
        "CL301"),
    "missing tag page": (lambda: Path("pages/tags/develop.md").unlink(), 1, "CL605"),
}


@pytest.mark.parametrize(("edit", "status", "code"), CHANGES.values(), ids=CHANGES)
def test_fault_is_caught_at_the_commit(
    catalog: Path, edit: Callable[[], object], status: int, code: str
) -> None:
    edit()
    git("add", "-A")
    found = check()
    assert found[0] == status
    assert code in found[1]


def test_unknown_stack_of_a_changed_entry(catalog: Path) -> None:
    text = Path("_data/tags.yaml").read_text()
    stack = next(line for line in text.split("\n")
                 if line.startswith("  - ") and "root" not in line)
    change("_data/tags.yaml", f"{stack}\n", "")
    git("add", "-A")
    assert "CL604" in check()[1]


def test_nothing_of_the_catalog_is_staged(catalog: Path) -> None:
    Path("README.md").write_text("By hand.")
    git("add", "README.md")
    # neither a file that is not staged nor an untracked one is part of the commit
    change("_cache/develop/swig/specs.md", '"num_specs": ', '"num_specs": 9')
    copy_page(FROZEN)
    assert check() == (0, [])


def test_untracked_pages_are_not_checked(catalog: Path) -> None:
    copy_page(FROZEN)
    shutil.copytree(FROZEN, "_cache/v9.0.0")
    change("pages/tags/develop.md", "layout: table\n", "layout: table\ntitle: x\n")
    git("add", "pages")
    assert check() == (0, [])


def relink(path: Path) -> None:
    path.unlink()
    path.symlink_to(FROZEN)


# name: (what is staged, what is done to the work tree then)
NOT_STAGED: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
    "a fault that is fixed in the work tree": (
        lambda: change("_cache/develop/swig/specs.md", '"num_specs": ', '"num_specs": 9'),
        lambda: change("_cache/develop/swig/specs.md", '"num_specs": 9', '"num_specs": ')),
    "a new page that is removed again": (
        lambda: copy_page(FROZEN), lambda: shutil.rmtree(f"{FROZEN}/added")),
    "a link that leads elsewhere again": (
        lambda: Path("_cache/link").symlink_to("develop"),
        lambda: relink(Path("_cache/link"))),
}


@pytest.mark.parametrize(("stage", "edit"), NOT_STAGED.values(), ids=NOT_STAGED)
def test_what_is_staged_and_not_in_the_work_tree_is_refused(
    catalog: Path, stage: Callable[[], object], edit: Callable[[], object]
) -> None:
    stage()
    git("add", "-A")
    path = subprocess.run(["git", "diff", "--cached", "--name-only"], capture_output=True,
                          text=True, check=True).stdout.strip()
    edit()
    done = subprocess.run([sys.executable, "-m", "cachelint", "check", "--staged"], check=False,
                          capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (
        2, f"cachelint: --staged: {path} is not as it is staged: stage it, or stash what is not\n")


def test_time_stamps_of_staged_files_do_not_matter(catalog: Path) -> None:
    change("_cache/develop/swig/specs.md", '"size": "-"', '"size": 7')
    git("add", "-A")
    os.utime("_cache/develop/swig/specs.md")
    assert check() == (0, [])


def test_page_that_is_only_removed_from_the_index(catalog: Path) -> None:
    git("rm", "-q", "--cached", f"{FROZEN}/gcc/specs.md")
    assert check() == (1, ["CL802"])


def test_first_commit(catalog: Path) -> None:
    shutil.rmtree(".git")
    change("_cache/develop/swig/specs.md", '"num_specs": ', '"num_specs": 9')
    git("init", "-q", "-b", "main")
    git("add", "-A")
    assert check() == (1, ["CL301"])


def test_commits_since_the_revision_that_pre_commit_names(catalog: Path) -> None:
    shutil.rmtree(f"{FROZEN}/gcc")
    git("commit", "-qam", "removed")
    assert check() == (0, [])
    assert "CL802" in check(PRE_COMMIT_FROM_REF="HEAD~1")[1]


@pytest.mark.parametrize("arguments", [["--all"], ["_data/tags.yaml"], ["--amend", "--all"]],
                         ids=" ".join)
@pytest.mark.parametrize("is_linked", [False, True], ids=["checkout", "linked worktree"])
def test_what_git_commits_without_staging_it(
    catalog: Path, arguments: list[str], is_linked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = catalog / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cachelint check --staged --quiet\n')
    hook.chmod(0o755)
    if is_linked:
        git("worktree", "add", "-q", "../linked")
        monkeypatch.chdir("../linked")
    change("_data/tags.yaml", "- name", "- {name")
    done = subprocess.run(["git", "commit", "-m", "x", *arguments], check=False,
                          capture_output=True, text=True, env={**os.environ, **IDENTITY})
    assert done.returncode == 1
    assert "CL106 syntax" in done.stdout + done.stderr


def test_outside_of_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = subprocess.run([sys.executable, "-m", "cachelint", "check", "--staged"], check=False,
                          capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (
        2, "cachelint: --staged: . is not in a git repository\n")


@pytest.mark.parametrize("option", ["--diff-base=HEAD", "--write-baseline=known.json", "-"])
def test_options_that_do_not_go_with_it(catalog: Path, option: str) -> None:
    done = subprocess.run([sys.executable, "-m", "cachelint", "check", "--staged", option],
                          capture_output=True, text=True, check=False, timeout=60, input="")
    assert (done.returncode, done.stderr) == (2, (
        "cachelint: --staged does not work with --diff-base, --write-baseline and a page from "
        "standard input\n"))
