"""`init`: what it writes is valid, where it writes, and what it keeps."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from cachelint import Settings, __version__
from cachelint.cli import init
from support.program import run_program

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/catalog"
FILES = ["cachelint.toml", ".pre-commit-config.yaml", ".github/workflows/cachelint.yml"]


def run(*arguments: str, folder: Path, status: int = 0) -> tuple[list[str], str]:
    """Run the program; return the lines of its output and its messages."""
    clean = {key: value for key, value in os.environ.items()
             if not key.startswith(("CACHELINT", "GITHUB", "GIT_"))}
    done = run_program(*arguments, folder=folder, environment=clean)
    assert done.returncode == status, done.stderr
    return done.stdout.splitlines(), done.stderr


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


def written(folder: Path) -> dict[str, str]:
    """Read the files that a run can write, from the top of a checkout."""
    return {name: (folder / name).read_text() for name in FILES if (folder / name).exists()}


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    """Copy the example catalog, as a repository."""
    root = tmp_path / "site"
    shutil.copytree(EXAMPLE, root)
    git(root, "init", "-q")
    return root


def test_three_files_are_written(catalog: Path) -> None:
    lines, messages = run("init", folder=catalog)
    assert messages == ""
    assert lines == [
        *(f"Wrote {name}" for name in FILES), "", "Next:",
        "  cachelint check     # shows what is wrong now",
        "  pre-commit install  # or prek install: runs the hooks at every commit",
        f"  git add {' '.join(FILES)} && git commit",
    ]
    assert written(catalog) == dict(zip(
        FILES, [init.CONFIGURATION, init.render_hooks(), init.WORKFLOW], strict=True))
    (catalog / "other").touch()
    assert {(catalog / name).stat().st_mode for name in FILES} == {
        (catalog / "other").stat().st_mode}
    # a commit of them has no finding, as of a changed configuration
    git(catalog, "add", "-A")
    assert run("check", "--staged", folder=catalog)[0][-1].startswith("All checks passed: 23 pages")


def test_nothing_is_written_twice(catalog: Path) -> None:
    run("init", folder=catalog)
    before = written(catalog)
    assert run("init", folder=catalog) == ([f"Kept {name}, which exists" for name in FILES], "")
    assert run("init", "--diff", folder=catalog)[0] == []
    assert written(catalog) == before


def test_diff_is_what_would_be_written(catalog: Path) -> None:
    lines, messages = run("init", "--diff", folder=catalog)
    assert messages == ""
    assert written(catalog) == {}
    (catalog / "patch").write_text("\n".join([*lines, ""]))
    git(catalog, "apply", "--unidiff-zero", "patch")
    applied = written(catalog)
    for name in FILES:
        (catalog / name).unlink()
    run("init", folder=catalog)
    assert applied == written(catalog)


# ------------------------------------------------------------------------------- what it writes


def test_configuration_is_accepted(catalog: Path) -> None:
    run("init", folder=catalog)
    text = (catalog / FILES[0]).read_text()
    assert run("check", folder=catalog) == (["All checks passed: 23 pages."], "")
    # and so is each of its settings, which are the defaults
    (catalog / FILES[0]).write_text(re.sub("^# (?=[a-z-]+ = )", "", text, flags=re.MULTILINE))
    run("check", "--write-baseline", ".cachelint-baseline.json", folder=catalog)
    assert run("check", folder=catalog) == (["All checks passed: 23 pages."], "")
    shown, _ = run("check", "--show-settings", folder=catalog)
    for key in re.findall("^# ([a-z-]+) = ", text, re.MULTILINE):
        assert any(line.startswith(f"{key} = ") for line in shown), key
    default = Settings()
    assert f"# mirror-urls = {list(default.mirror_urls)}".replace("'", '"') in text
    assert f"# mutable-tags = {list(default.mutable_tags)}".replace("'", '"') in text


def test_hooks_are_those_of_the_project() -> None:
    [repository] = YAML(typ="safe").load(init.render_hooks())["repos"]
    offered = YAML(typ="safe").load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert {hook["id"] for hook in repository["hooks"]} == {hook["id"] for hook in offered}
    assert repository["rev"] == f"v{__version__}"


def test_workflow_runs_the_action() -> None:
    workflow = YAML(typ="safe").load(init.WORKFLOW)
    [checkout, action] = workflow["jobs"]["cachelint"]["steps"]
    assert checkout["with"] == {"fetch-depth": 2, "persist-credentials": False}
    assert f"uses: {checkout['uses']} # v" in (ROOT / ".github/workflows/tests.yml").read_text()
    assert action == {"uses": f"spack/cachelint@v{__version__}"}


# ------------------------------------------------------------------------------- what it keeps

KEPT: dict[str, tuple[str, str, list[str]]] = {
    "a configuration": ("cachelint.toml", "", []),
    "a hidden configuration": (".cachelint.toml", "", []),
    "a project's configuration": ("pyproject.toml", "[tool.cachelint]\n", []),
    "hooks with these": (".pre-commit-config.yaml", init.render_hooks(), []),
    "other hooks": (".pre-commit-config.yaml", "repos: []\n",
                    ["", *init.render_hooks().splitlines()[1:], ""]),
    "a workflow": (".github/workflows/cachelint.yml", "on: push\n", []),
}


@pytest.mark.parametrize(("name", "text", "missing"), KEPT.values(), ids=KEPT)
def test_existing_file_is_kept(catalog: Path, name: str, text: str, missing: list[str]) -> None:
    (catalog / name).parent.mkdir(parents=True, exist_ok=True)
    (catalog / name).write_text(text)
    lines, _ = run("init", folder=catalog)
    assert (catalog / name).read_text() == text
    end = ': add this to its "repos"' if missing else ""
    start = lines.index(f"Kept {name}, which exists{end}")
    assert lines[start + 1 : start + 1 + len(missing)] == missing
    assert sum(line.startswith("Wrote ") for line in lines) == 2
    assert name not in lines[-1]


def test_project_without_a_table_is_not_a_configuration(catalog: Path) -> None:
    (catalog / "pyproject.toml").write_text("[tool.other]\n")
    assert "Wrote cachelint.toml" in run("init", folder=catalog)[0]


# ------------------------------------------------------------------------------- where it writes


def move_below(catalog: Path) -> Path:
    """Make the catalog a folder of a repository."""
    shutil.rmtree(catalog / ".git")
    git(catalog.parent, "init", "-q")
    return catalog.parent


@pytest.mark.parametrize(("start", "path"), [
    (".", "."), (".", "site"), ("site", "."), ("site/_cache/develop", "."), (".", "site/_data/..")])
def test_catalog_below_the_top_of_its_checkout(catalog: Path, start: str, path: str) -> None:
    top = move_below(catalog)
    lines, _ = run("init", path, folder=top / start)
    assert list(written(top)) == FILES
    assert not written(catalog)
    assert (f"  cd {os.path.relpath(top, top / start)}" in lines) == (start != ".")
    hooks = YAML(typ="safe").load((top / FILES[1]).read_text())["repos"][0]["hooks"]
    for hook in hooks[:2]:
        assert re.search(hook["files"], "site/_cache/develop/zlib/specs.md")
        assert re.search(hook["files"], "_cache/develop/zlib/specs.md")
        assert not re.search(hook["files"], "site/my_cache/develop/zlib/specs.md")
    assert "files" not in hooks[2]


def test_configuration_beside_the_catalog_is_kept(catalog: Path) -> None:
    top = move_below(catalog)
    (catalog / "cachelint.toml").touch()
    assert "Kept site/cachelint.toml, which exists" in run("init", folder=top)[0]
    assert not (top / "cachelint.toml").exists()


def test_configuration_above_the_checkout_is_not_that_of_the_catalog(catalog: Path) -> None:
    (catalog.parent / "cachelint.toml").touch()
    assert "Wrote cachelint.toml" in run("init", folder=catalog)[0]


def test_without_a_repository(catalog: Path) -> None:
    shutil.rmtree(catalog / ".git")
    lines, _ = run("init", "site", folder=catalog.parent)
    assert lines[:7] == [*(f"Wrote site/{name}" for name in FILES), "", "Next:", "  cd site",
                         "  git init            # which hooks and workflow need"]


def make_outer_link(catalog: Path) -> None:
    (catalog / ".github").symlink_to(catalog.parent)


def make_inner_link(catalog: Path) -> None:
    (catalog / ".github").symlink_to(catalog / "pages")


def make_file(catalog: Path) -> None:
    (catalog / ".github").touch()


def make_other_repository(catalog: Path) -> None:
    shutil.copytree(EXAMPLE, catalog.parent / "other")
    git(catalog.parent / "other", "init", "-q")


def remove_catalog(catalog: Path) -> None:
    shutil.rmtree(catalog / "_cache")


ERRORS: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "a link out of the checkout": (make_outer_link, "site",
                                   ".github is a link in a checkout, through which nothing is"),
    "a link inside": (make_inner_link, "site", ".github is a link in a checkout"),
    "a file where a folder has to be": (make_file, "site",
                                        "site/.github/workflows/cachelint.yml: cannot be written"),
    "two repositories": (make_other_repository, ".",
                         "the catalogs other, site are in several git repositories: run cachelint "
                         "init in each of them"),
    "no catalog": (remove_catalog, ".", "no pages here: expected _cache/<tag>/"),
    "no such folder": (remove_catalog, "sit", "sit: no such file or folder; did you mean site?"),
}


@pytest.mark.parametrize(("prepare", "path", "message"), ERRORS.values(), ids=ERRORS)
def test_error_has_a_sentence(
    catalog: Path, prepare: Callable[[Path], None], path: str, message: str
) -> None:
    prepare(catalog)
    before = sorted(catalog.parent.rglob("*.yml"))
    _, messages = run("init", path, folder=catalog.parent, status=2)
    assert message in messages
    assert sorted(catalog.parent.rglob("*.yml")) == before


def test_dangling_link_is_kept(catalog: Path) -> None:
    (catalog / FILES[1]).symlink_to(catalog.parent / "elsewhere")
    lines, _ = run("init", folder=catalog)
    assert f'Kept {FILES[1]}, which exists: add this to its "repos"' in lines
    assert not (catalog.parent / "elsewhere").exists()


def test_name_of_a_folder_gives_no_command(tmp_path: Path) -> None:
    root = tmp_path / "a;\x1b[2Jb"
    shutil.copytree(EXAMPLE, root)
    lines, _ = run("init", root.name, folder=tmp_path)
    assert lines[0] == "Wrote a;\\x1b[2Jb/cachelint.toml"
    assert "  cd 'a;\\x1b[2Jb'" in lines
