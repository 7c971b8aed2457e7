"""`--diff-base`: what a pull request changes, in a real git repository."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cachelint import CachelintError, check, fix
from cachelint.document.page import Page
from cachelint.document.parser import parse_page
from cachelint.document.render import render_page
from cachelint.files.git import LOCAL_VARIABLES
from cachelint.linter import changes
from cachelint.linter import page as page_module
from support import valid
from support.checkout import EXAMPLE, check_out_example, git
from support.effort import count_steps

FROZEN = "_cache/develop-2025-03-30"
TARBALL = "_cache/v0.23.1"


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of the example catalog, on a branch that has changed nothing yet."""
    root = tmp_path / "catalog"
    check_out_example(root)
    monkeypatch.chdir(root)
    git("checkout", "-qb", "topic")
    return root


def found(base: str = "main", paths: tuple[str, ...] = (".",)) -> list[tuple[str, str]]:
    return [(finding.path, finding.code) for finding in check(paths, diff_base=base).findings]


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def commit() -> None:
    git("add", "-A")
    git("commit", "-qm", "change")


@pytest.mark.parametrize("folder", [".", "_cache", "pages", f"{FROZEN}/gcc"])
def test_advice_restores_the_page(catalog: Path, folder: str) -> None:
    change(catalog / FROZEN / "gcc/specs.md", '"size": "-"', '"size": 7')
    _reorder(catalog / FROZEN / "re2/specs.md")
    shutil.rmtree(catalog / TARBALL / "cuda")
    commit()
    os.chdir(folder)
    advice = [finding.help.removeprefix("Restore the page: ")
              for finding in check([str(catalog)], diff_base="main").findings
              if finding.code in ("CL801", "CL802", "CL804")]
    assert len(advice) == 3
    for command in advice:
        subprocess.run(command, shell=True, check=True, capture_output=True)
    assert git("diff", "main") == ""


def test_advice_names_no_command_for_another_folder(catalog: Path) -> None:
    shutil.rmtree(catalog / TARBALL / "cuda")
    os.chdir("..")
    [finding] = check(["catalog"], diff_base="main").findings
    assert (finding.code, finding.help) == ("CL802", "")


def test_no_change(catalog: Path) -> None:
    (catalog / "unrelated.txt").write_text("x")
    report = check(diff_base="main")
    assert (report.findings, report.pages) == ((), 0)


def _reorder(page: Path) -> None:
    data = parse_page(page.read_bytes())
    specs = list(reversed(data.specs))
    lines = page.read_text(encoding="utf-8").split("\n")
    lines[5] = "spec_details: " + json.dumps(specs)
    page.write_text("\n".join(lines), encoding="utf-8")


def _make_link(page: Path) -> None:
    page.rename(page.parents[3] / "elsewhere")
    page.symlink_to("../../../elsewhere")


def _make_broken_link(page: Path) -> None:
    page.unlink()
    page.symlink_to("nowhere")


CHANGES: dict[str, tuple[Callable[[Path], object], list[tuple[str, str]]]] = {
    "a fact of a frozen page": (
        lambda root: change(root / FROZEN / "re2/specs.md", '"size": "-"', '"size": 7'),
        [(f"{FROZEN}/re2/specs.md", "CL801")]),
    "order of a frozen page": (
        lambda root: _reorder(root / TARBALL / "cuda/specs.md"),
        [(f"{TARBALL}/cuda/specs.md", "CL804")]),
    "order of a frozen page in the current format": (
        lambda root: _reorder(root / FROZEN / "re2/specs.md"),
        [(f"{FROZEN}/re2/specs.md", "CL804"), (f"{FROZEN}/re2/specs.md", "CL503")]),
    "a frozen page removed": (
        lambda root: shutil.rmtree(root / FROZEN / "re2"),
        [(f"{FROZEN}/re2/specs.md", "CL802")]),
    "a frozen page added": (
        lambda root: _add(root, "develop-2025-03-30"),
        [(f"{FROZEN}/zlib/specs.md", "CL803")]),
    "a frozen page renamed": (
        lambda root: (root / FROZEN / "re2").rename(root / FROZEN / "re3"),
        [(f"{FROZEN}/re2/specs.md", "CL802"), (f"{FROZEN}/re3/specs.md", "CL803"),
         (f"{FROZEN}/re3/specs.md", "CL601")]),
    "a frozen page made a link to the same bytes": (
        lambda root: _make_link(root / FROZEN / "re2/specs.md"), []),
    "a frozen page made a link to nowhere": (
        lambda root: _make_broken_link(root / FROZEN / "re2/specs.md"),
        [(f"{FROZEN}/re2/specs.md", "CL100")]),
    "a frozen page broken": (
        lambda root: (root / FROZEN / "re2/specs.md").write_text("---\n"),
        [(f"{FROZEN}/re2/specs.md", "CL105")]),
    "a page of a mutable tag": (
        lambda root: change(root / "_cache/develop/swig/specs.md", '"size": "-"', '"size": 7'), []),
    "a page of a mutable tag removed": (
        lambda root: shutil.rmtree(root / "_cache/develop/swig"), []),
    "a stale page of a mutable tag": (
        lambda root: change(root / "_cache/develop/swig/specs.md",
                            '"num_specs": ', '"num_specs": 9'),
        [("_cache/develop/swig/specs.md", "CL301")]),
    "a tag that is new": (
        lambda root: _add(root, "develop-2025-05-04"),
        [("_data/tags.yaml", "CL603")]),
    "a page with a name that needs quoting": (
        lambda root: _add(root, "develop", 'a "b"\n\u00e9'),
        [('_cache/develop/a "b"\n\u00e9/specs.md', "CL601")]),
    "a stray file": (
        lambda root: (root / "_cache/develop/note.md").write_text("---\na: 1\n---\n"),
        [("_cache/develop/note.md", "CL111")]),
    "a stack that tags.yaml no longer gives": (
        lambda root: change(root / "_data/tags.yaml", "  - e4s\n", ""),
        []),
    "the page of a tag": (
        lambda root: (root / "pages/tags/develop.md").unlink(),
        [("_data/tags.yaml", "CL605")]),
}


def _add(root: Path, tag: str, package: str = "zlib") -> None:
    spec = {
        "compiler": "none", "hash": "2c44nm4mufjlcr3pyjmzmr4ukhpgf5uv", "os": "ubuntu22.04",
        "platform": "linux", "size": "-", "stacks": ["root"], "target": "x86_64_v3",
        "variants": [], "versions": ["1.3.1"],
    }
    page = root / "_cache" / tag / package / "specs.md"
    page.parent.mkdir(parents=True)
    page.write_text(render_page("zlib", tag, [spec]), encoding="utf-8")


@pytest.mark.parametrize("is_committed", [True, False], ids=["committed", "in the work tree"])
@pytest.mark.parametrize(("make", "expected"), CHANGES.values(), ids=CHANGES)
def test_change(
    catalog: Path, make: Callable[[Path], object], expected: list[tuple[str, str]],
    is_committed: bool,
) -> None:
    make(catalog)
    if is_committed:
        commit()
    if "tags.yaml" in git("status", "--short") + git("diff", "--name-only", "main"):
        # pages of the tags whose entry changed are only checked for their stacks
        assert {code for _, code in found()} == {"CL604"}
        assert all(path.startswith("_cache/") for path, _ in found())
    else:
        assert sorted(found()) == sorted(expected)


def test_what_was_there_before_is_not_reported(catalog: Path) -> None:
    git("checkout", "-q", "main")
    change(catalog / FROZEN / "re2/specs.md", '"num_specs": ', '"num_specs": 9')
    commit()
    git("checkout", "-q", "topic")
    git("merge", "-q", "main")
    change(catalog / "_cache/develop/swig/specs.md", '"size": "-"', '"size": 7')
    commit()
    assert found() == []


def test_merge_commit_that_brings_old_pages(catalog: Path) -> None:
    # main goes on, and topic merges it: what came from main is not a change of topic
    git("checkout", "-q", "main")
    change(catalog / FROZEN / "re2/specs.md", '"size": "-"', '"size": 7')
    commit()
    git("checkout", "-q", "topic")
    shutil.rmtree(catalog / FROZEN / "gcc")
    commit()
    git("merge", "-q", "--no-edit", "main")
    assert found() == [(f"{FROZEN}/gcc/specs.md", "CL802")]


def test_only_what_is_selected(catalog: Path) -> None:
    shutil.rmtree(catalog / FROZEN / "re2")
    shutil.rmtree(catalog / TARBALL / "re2")
    assert found(paths=(TARBALL,)) == [(f"{TARBALL}/re2/specs.md", "CL802")]


@pytest.mark.parametrize(
    ("options", "is_enough"),
    [(["--depth=1"], False), (["--filter=blob:none"], True),
     (["--filter=blob:none", "--sparse"], True), ([], True)],
    ids=["shallow", "blobless", "sparse", "whole"],
)
def test_clones(
    catalog: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str],
    is_enough: bool,
) -> None:
    change(catalog / FROZEN / "re2/specs.md", '"size": "-"', '"size": 7')
    commit()
    git("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    git("clone", "-q", *options, "--branch", "topic", "--no-single-branch", f"file://{catalog}",
        str(clone))
    if "--sparse" in options:
        git("sparse-checkout", "set", FROZEN, cwd=clone)
    monkeypatch.chdir(clone)
    if is_enough:
        assert found("origin/main") == [(f"{FROZEN}/re2/specs.md", "CL801")]
    else:
        with pytest.raises(CachelintError, match=r"no merge base: the clone is shallow.*depth: 0"):
            found("origin/main")


@pytest.mark.parametrize(
    ("revision", "message"),
    [("mian", 'unknown revision "mian"; fetch it first'),
     ("--exec=x", 'unknown revision "--exec=x"'),
     ("", 'unknown revision ""'),
     ("^main", r'unknown revision "\^main"')],
)
def test_revision_that_is_none(catalog: Path, revision: str, message: str) -> None:
    with pytest.raises(CachelintError, match=message):
        found(revision)


def test_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "catalog")
    monkeypatch.chdir(tmp_path / "catalog")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    with pytest.raises(CachelintError, match="is not in a git repository"):
        found()


def test_all_pages_removed(catalog: Path) -> None:
    for page in catalog.glob("_cache/*/*/specs.md"):
        page.unlink()
    report = check(diff_base="main")
    frozen = len(list(EXAMPLE.glob("_cache/*/*/specs.md"))) - len(
        list(EXAMPLE.glob("_cache/develop/*/specs.md")))
    assert sum(each.code == "CL802" for each in report.findings) == frozen
    with pytest.raises(CachelintError, match="no pages here"):
        check()


def test_page_that_cannot_be_read_at_the_base_is_a_note(catalog: Path) -> None:
    page = catalog / FROZEN / "re2/specs.md"
    valid_page = page.read_text(encoding="utf-8")
    page.write_text("version https://git-lfs.github.com/spec/v1\n", encoding="utf-8")
    commit()
    page.write_text(valid_page, encoding="utf-8")
    report = check(diff_base="HEAD")
    assert report.findings == ()
    assert report.notes == (f"{FROZEN}/re2/specs.md: not compared: it cannot be read at the base",)


# name: (the page at the base, the page now, what hides the finding about it)
HIDDEN: dict[str, tuple[str, str, str]] = {
    "by a baseline": ("---\na: 1\na: 2\n---", "---\na: 1\na: 3\n---", "--baseline known.json"),
    "by a baseline, too large": ("x" * 3000, "y" * 3000, "--baseline known.json"),
    "by a setting": ("", "---\na: 1\na: 3\n---", "--ignore CL107"),
    "by a setting for all of a kind": ("", "---\n", "--ignore CL1"),
    "by a setting, too large": ("", "x" * 3000, "--ignore CL110"),
}


@pytest.mark.parametrize(("before", "after", "options"), HIDDEN.values(), ids=HIDDEN)
def test_frozen_page_that_changed_and_cannot_be_read_is_not_hidden(
    catalog: Path, before: str, after: str, options: str
) -> None:
    page = catalog / FROZEN / "re2/specs.md"
    (catalog / "cachelint.toml").write_text("max-page-size = 2500\n")
    if before:
        page.write_text(before)
    commit()
    main = [sys.executable, "-m", "cachelint", "check"]
    subprocess.run([*main, "--write-baseline", "known.json"], check=True, capture_output=True)
    page.write_text(after)
    done = subprocess.run([*main, "--diff-base", "HEAD", *options.split(), "--output-format",
                           "concise"], check=False, capture_output=True, text=True)
    assert f"{FROZEN}/re2/specs.md:1:1: CL801 page changed in frozen tag" in done.stdout
    assert done.returncode == 1


# name: a page that grows with a number, in which each value changes
GROWING: dict[str, Callable[[int, int], str]] = {
    "keys of a spec": lambda n, x: valid.PAGE.replace(
        "spec_details: [{", "spec_details: [{" + "".join(f'"k{i}": {x}, ' for i in range(n)), 1),
    "keys of a page": lambda n, x: valid.PAGE.replace(
        "---\n", "---\n" + "".join(f"k{i}: {x}\n" for i in range(n)), 1),
    "a list in a block": lambda n, x: valid.PAGE.replace(
        "---\n", "---\nother:\n" + f"- {x}\n" * n, 1),
    "specs": lambda n, x: valid.PAGE.replace(
        "spec_details: [", "spec_details: [" + "".join(
            f'{{"hash": "{i}", "size": {x}}}, ' for i in range(n)), 1),
    "specs without a hash": lambda n, x: valid.PAGE.replace(
        "spec_details: [", "spec_details: [" + "".join(
            f'{{"size": {x}{i}}}, ' for i in range(n)), 1),
    "stacks of a spec": lambda n, x: valid.PAGE.replace(
        '"stacks": ["e4s"', '"stacks": [' + ", ".join(f'"s{x}{i}"' for i in range(n)), 1),
}


@pytest.mark.parametrize("make", GROWING.values(), ids=GROWING)
def test_effort_of_a_comparison_grows_with_the_size(
    catalog: Path, make: Callable[[int, int], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = catalog / FROZEN / "re2/specs.md"
    parsed: list[str] = []

    def count(raw: bytes, *, max_size: int) -> Page:
        parsed.append("")
        return parse_page(raw, max_size=max_size)

    for module in (page_module, changes):
        monkeypatch.setattr(module, "parse_page", count)

    def effort(number: int) -> int:
        page.write_text(make(number, 1))
        commit()
        page.write_text(make(number, 2))
        parsed.clear()
        return count_steps(lambda: check(diff_base="HEAD"))

    effort(1)  # what is read and compiled once
    few, many = effort(50), effort(400)
    assert many < 12 * few
    assert len(parsed) == 3  # as it was, as it is, and to be checked


def test_a_message_has_no_details_of_a_spec_without_end(catalog: Path) -> None:
    page = catalog / FROZEN / "re2/specs.md"
    page.write_text(GROWING["keys of a spec"](100_000, 1))
    commit()
    page.write_text(GROWING["keys of a spec"](100_000, 2))
    (message,) = (each.message for each in check(diff_base="HEAD").findings
                  if each.code == "CL801")
    assert message == f"re2/2c44nm4 changed in frozen tag {Path(FROZEN).name}: it is another value"


# ------------------------------------------------------------------------------ surroundings


def test_every_variable_about_one_repository_is_dropped() -> None:
    assert set(git("rev-parse", "--local-env-vars").split()) <= LOCAL_VARIABLES


def test_dubious_ownership_is_reported_in_the_words_of_git(
    catalog: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(CachelintError, match=r"dubious ownership.*safe\.directory"):
        found()


@pytest.fixture
def worktree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A linked worktree with the catalog in `site/`, and the variables that a hook gets there."""
    main = tmp_path / "main"
    shutil.copytree(EXAMPLE, main / "site")
    git("init", "-q", "-b", "main", cwd=main)
    git("add", "-A", cwd=main)
    git("commit", "-qm", "base", cwd=main)
    git("worktree", "add", "-q", "../linked", cwd=main)
    monkeypatch.chdir(tmp_path / "linked")
    monkeypatch.setenv("GIT_DIR", git("rev-parse", "--absolute-git-dir"))
    return tmp_path / "linked"


@pytest.mark.parametrize("variables", [
    {},
    {"GIT_INDEX_FILE": "/nowhere/index"},
    {"GIT_WORK_TREE": "/", "GIT_PREFIX": "site/"},
    {"GIT_CONFIG_PARAMETERS": "'core.bare'='true'", "GIT_ICASE_PATHSPECS": "1"},
    {"GIT_DIR": "/nowhere"},
    {"GIT_OBJECT_DIRECTORY": "/nowhere", "GIT_COMMON_DIR": "/nowhere"},
], ids=str)
def test_hook_in_a_linked_worktree(
    worktree: Path, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    change(worktree / "site" / FROZEN / "re2/specs.md", '"size": "-"', '"size": 7')
    shutil.rmtree(worktree / "site" / TARBALL / "cuda")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert found("HEAD", ("site",)) == [
        (f"site/{FROZEN}/re2/specs.md", "CL801"), (f"site/{TARBALL}/cuda/specs.md", "CL802")]


def _embed_repository(catalog: Path, marker: Path) -> Path:
    """Add a bare repository with a `_cache`, and a program in its configuration."""
    folder = catalog / "embedded"
    shutil.copytree(catalog / "_cache/develop/swig", folder / "_cache/develop/swig")
    for name in ("objects/info", "refs/heads"):
        (folder / name).mkdir(parents=True)
    (folder / "HEAD").write_text("ref: refs/heads/main\n")
    (folder / "refs/heads/main").write_text(git("rev-parse", "main"))
    (folder / "objects/info/alternates").write_text("../../.git/objects\n")
    config = shutil.copy(catalog / ".git/config", folder)  # which has the format of the objects
    git("config", "--file", str(config), "core.worktree", "..")
    git("config", "--file", str(config), "core.fsmonitor", f"touch {marker}; false")
    git("--git-dir=embedded", "--work-tree=.", "-c", "core.fsmonitor=false", "read-tree", "main")
    return folder


@pytest.mark.parametrize("path", [".", "embedded", "embedded/_cache/develop"])
@pytest.mark.parametrize("where", [".", "embedded"])
def test_embedded_repository_lends_git_no_configuration(
    catalog: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, where: str
) -> None:
    marker = tmp_path / "marker"
    folder = _embed_repository(catalog, marker)
    subprocess.run(["git", "ls-files", "--others"], cwd=folder, check=False, capture_output=True)
    assert marker.exists()  # git itself obeys it
    marker.unlink()
    git("add", "-f", "-A")
    git("commit", "-qm", "an embedded repository")
    monkeypatch.chdir(where)
    report = check([str(catalog / path)], diff_base="HEAD~1")
    assert report.pages == 1
    fix([str(catalog / path)], diff_base="HEAD~1")
    assert not marker.exists()


def test_hooks_are_not_run(catalog: Path, tmp_path: Path) -> None:
    for name in ("post-index-change", "fsmonitor-watchman", "pre-commit"):
        hook = catalog / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path / name}\n")
        hook.chmod(0o755)
    git("config", "core.fsmonitor", str(catalog / ".git/hooks/fsmonitor-watchman"))
    (catalog / FROZEN / "re2/specs.md").touch()
    assert found() == []
    assert [each.name for each in tmp_path.iterdir()] == ["catalog"]


def test_no_git(catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(catalog))
    with pytest.raises(CachelintError, match="git is not installed"):
        found()


def test_command_line(catalog: Path) -> None:
    command = [sys.executable, "-m", "cachelint", "check", "--output-format", "concise"]
    done = subprocess.run([*command, "--diff-base", "nowhere"], capture_output=True,
                          encoding="utf-8", check=False)
    assert done.returncode == 2
    assert done.stderr.startswith('cachelint: --diff-base: unknown revision "nowhere"')
    shutil.rmtree(catalog / FROZEN / "re2")
    done = subprocess.run([*command, "--diff-base", "main"], capture_output=True,
                          encoding="utf-8", check=False)
    assert done.returncode == 1
    assert done.stdout == (
        f'{FROZEN}/re2/specs.md:1:1: CL802 page was removed from frozen tag develop-2025-03-30\n'
        f"Found 1 error in 0 pages; 23 pages compared with {git('rev-parse', 'main')[:12]}.\n")


# ------------------------------------------------------------------------------ fix


def _stale(page: Path) -> None:
    change(page, '"num_specs": ', '"num_specs": 1')


def test_fix_fixes_only_what_changed(catalog: Path) -> None:
    old, new = (catalog / "_cache/develop" / name / "specs.md" for name in ("swig", "yasm"))
    sound = new.read_bytes()
    _stale(old)
    git("commit", "-qam", "an old fault")
    git("branch", "-f", "main")
    _stale(new)
    stale = old.read_bytes()
    shown = fix(diff_base="main", write=False)
    assert [path for path, *_ in shown.changed] == ["_cache/develop/yasm/specs.md"]
    assert new.read_bytes() != sound
    done = fix(diff_base="main")
    assert [path for path, *_ in done.changed] == ["_cache/develop/yasm/specs.md"]
    assert (done.fixed, done.report.pages, done.report.findings) == (1, 1, ())
    assert (old.read_bytes(), new.read_bytes()) == (stale, sound)
    assert fix(diff_base="main").report.pages == 0


def test_fix_brings_the_order_of_a_frozen_page_back(catalog: Path) -> None:
    page = catalog / FROZEN / "re2/specs.md"
    before = page.read_bytes()
    _reorder(page)
    assert {code for _, code in found()} == {"CL503", "CL804"}
    done = fix(diff_base="main")
    assert (page.read_bytes(), done.report.findings) == (before, ())


def test_fix_leaves_a_frozen_page_whose_specs_changed(catalog: Path) -> None:
    page = catalog / FROZEN / "re2/specs.md"
    change(page, '"size": "-"', '"size": 7')
    _stale(page)
    done = fix(diff_base="main")
    assert [finding.code for finding in done.report.findings] == ["CL801"]
    assert done.fixed == 1
    assert '"size": 7' in page.read_text(encoding="utf-8")


def test_fix_writes_the_page_of_a_tag_that_came(catalog: Path) -> None:
    shutil.copytree(catalog / "_cache/develop", catalog / "_cache/v9.0.0")
    for page in (catalog / "_cache/v9.0.0").glob("*/specs.md"):
        change(page, "[package, develop]", "[package, v9.0.0]")
    tags = catalog / "_data/tags.yaml"
    tags.write_text(re.sub("(?s)(- name: develop\n(?:  .*?\n)+)", lambda entry: entry[1] + entry[
        1].replace("develop\n", "v9.0.0\n", 1), tags.read_text(encoding="utf-8"), count=1))
    assert {code for _, code in found()} == {"CL605"}
    done = fix(diff_base="main")
    assert [path for path, *_ in done.changed] == ["pages/tags/v9.0.0.md"]
    assert done.report.findings == ()


def test_fix_from_the_command_line(catalog: Path) -> None:
    _stale(catalog / "_cache/develop/yasm/specs.md")
    command = [sys.executable, "-m", "cachelint", "fix", "--diff-base", "main"]
    done = subprocess.run([*command, "--diff"], capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stdout.count("\n+meta: ")) == (1, 1)
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stderr) == (
        0, "Fixed _cache/develop/yasm/specs.md: CL301\nFixed 1 finding in 1 file.\n")
    done = subprocess.run([*command[:4], "nowhere"], capture_output=True, encoding="utf-8",
                          check=False)
    assert done.returncode == 2


# name: (the changed page, what its second excerpt marks, and with which label)
SHOWN: dict[str, tuple[str, str | None, str]] = {
    "a value": (valid.page(None, valid.specs(1, target="zen4")), '"zen4"', "was x86_64_v3"),
    "a list": (valid.page(None, valid.specs(1, stacks=["root", "x"])), "stacks", "was root"),
    "a key that is gone": (valid.PAGE.replace('"os": "ubuntu22.04", ', "", 1), "{",
                           "was ubuntu22.04"),
    "a spec that is gone": (valid.page(None, valid.specs()[:1]), None, ""),
    "no spec": (valid.PAGE.replace(valid.lines()["spec_details"], "spec_details: [1]"), None, ""),
}


@pytest.mark.parametrize(("text", "marked", "label"), SHOWN.values(), ids=SHOWN)
def test_the_excerpt_of_a_change_is_the_first_value_that_differs(
    text: str, marked: str | None, label: str
) -> None:
    before, after = parse_page(valid.PAGE.encode()), parse_page(text.encode())
    old, new = changes.page_contents(before), changes.page_contents(after)
    assert old is not None
    assert new is not None
    located = changes._locate_change(after, old, new)
    if marked is None:
        assert located is None
    else:
        assert located is not None
        span, said = located
        line = text.split("\n")[span.line - 1]
        assert line[span.column - 1 : span.end_column - 1].strip('"') == marked.strip('"')
        assert said == label


def test_value_that_is_equal_in_python_and_of_another_type(catalog: Path) -> None:
    page = catalog / FROZEN / "re2/specs.md"
    text = re.sub(r'"target": "[^"]*"', '"target": 1', page.read_text("utf-8"), count=1)
    page.write_text(text, "utf-8")
    git("commit", "-qam", "a number")
    page.write_text(text.replace('"target": 1', '"target": true'), "utf-8")
    messages = [each.message for each in check(diff_base="HEAD").findings if each.code == "CL801"]
    assert len(messages) == 1
    assert messages[0].endswith(": target was 1, is True")
