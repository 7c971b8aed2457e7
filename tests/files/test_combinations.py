"""Changes of a repository, one upon the other: no combination hides that a frozen page changed.

`CACHELINT_COMBINATIONS=1000` makes it a long run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from cachelint import CachelintError, check, fix
from cachelint.output.formats import FORMATS, PLAIN
from cachelint.runner.diff import diff
from support.checkout import EXAMPLE, IDENTITY, commit, git

NUMBER = int(os.environ.get("CACHELINT_COMBINATIONS", "20"))
SITES = (".", "sites/a", "sites/b")


def list_frozen(root: Path) -> list[Path]:
    return sorted(page for page in root.glob("**/_cache/*/*/specs.md")
                  if page.parts[-3] != "develop" and page.is_file() and ".git" not in page.parts)


def move_behind_link(path: Path, random: Random) -> None:
    target = Path(f"moved{random.random()}").absolute()
    path.rename(target)
    path.symlink_to(os.path.relpath(target, path.parent))


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def put_file(path: Path, _: Random) -> None:
    remove(path)
    path.write_text("x")


def link_elsewhere(path: Path, random: Random) -> None:
    outside = Path("../outside", "specs" if path.is_file() else "").absolute()
    other = random.choice(list_frozen(Path()))
    remove(path)
    path.symlink_to(random.choice([
        str(outside), os.path.relpath(outside, path.parent), "nowhere", "..", path.name,
        os.path.relpath(random.choice([other, *other.parents[:3]]), path.parent)]))


def make_submodule(path: Path, random: Random) -> None:
    source = Path(f"../submodule{random.random()}").absolute()
    shutil.copytree(path, source, symlinks=True)
    git("init", "-q", "-b", "main", cwd=source)
    commit(source)
    git("rm", "-rqf", "--cached", str(path))
    shutil.rmtree(path)
    git("submodule", "--quiet", "add", "--force", str(source), str(path))


ATTRIBUTES = (
    "eol=crlf", "ident", "working-tree-encoding=UTF-16", "binary", "filter=x", "text=auto")
PATTERNS = ("*", "specs.md", "_cache", "sites", "re2", "develop-2025-03-30", "!x", "gcc")
NAMES = ("vendor", ".hidden", "_x", "x~", "X", "x y")
# each gets a page, or a folder above it
CHANGES: tuple[Callable[[Path, Random], object], ...] = (
    lambda path, _: next(path.glob("**/specs.md") if path.is_dir() else iter([path])).write_text(
        "---\n"),
    lambda path, _: remove(path),
    lambda path, random: path.rename(path.with_name(random.choice(NAMES))),
    lambda path, _: path.chmod(0o755),
    move_behind_link, link_elsewhere, link_elsewhere, link_elsewhere, make_submodule,
    lambda path, random: (path if path.is_dir() else path.parent).joinpath(
        ".gitattributes").write_text(f"* {random.choice(ATTRIBUTES)}\n"),
    lambda path, random: (path if path.is_dir() else path.parent).joinpath(
        ".gitignore").write_text(f"{random.choice(PATTERNS)}\n"),
    lambda _, random: Path(".gitignore").write_text(f"{random.choice(PATTERNS)}\n"),
    lambda path, _: git("rm", "-rq", "--cached", str(path)),
    lambda path, random: git("update-index", random.choice(
        ["--assume-unchanged", "--skip-worktree"]), str(path)),
    lambda path, _: git("init", "-q", cwd=path),
    put_file,
    lambda path, _: (path.parent / "loop").symlink_to("loop"),
    lambda *_: commit(Path()),
)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of three catalogs, and files outside it."""
    root = tmp_path_factory.mktemp("combinations") / "source"
    for site in SITES:
        shutil.copytree(EXAMPLE, root / site, dirs_exist_ok=True)
    git("init", "-q", "-b", "main", cwd=root)
    commit(root)
    return root


def write_outside(folder: Path) -> dict[Path, bytes]:
    shutil.copytree(EXAMPLE / "_cache/develop/swig", folder)
    stale = folder / "specs.md"
    stale.write_text(stale.read_text("utf-8").replace('"os": "', '"os": "SECRET', 1), "utf-8")
    shutil.copy(stale, folder / "specs")
    (folder / "secret").write_text("SECRET\n")
    return read_all(folder)


def read_all(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.iterdir()}


def describe(run: Callable[[], object]) -> str:
    """Return what a run reports, and its error."""
    try:
        return repr(run())
    except CachelintError as error:
        return f"error: {error}"


@pytest.mark.parametrize("seed", range(NUMBER))
def test_combination(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    root, outside, random = tmp_path / "root", tmp_path / "outside", Random(seed)
    shutil.copytree(source, root)
    monkeypatch.chdir(root)
    for name, value in IDENTITY.items():
        monkeypatch.setenv(name, value)
    before = write_outside(outside)
    old = {page.relative_to(source): page.read_bytes() for page in list_frozen(source)}
    git("checkout", "-qb", "topic")
    for change in random.choices(CHANGES, k=random.randrange(1, 5)):
        if pages := list_frozen(Path()):
            page = random.choice(pages)
            try:
                change(random.choice([page, *page.parents[:3]]), random)
            except (OSError, shutil.Error, subprocess.CalledProcessError, StopIteration):
                continue  # it does not go with the ones before
    hidden = {line[2:] for line in git("ls-files", "-v").splitlines() if line[0] in "Ss"}
    changed = [str(path) for path, content in old.items() if str(path) not in hidden and not (
        path.is_file() and path.read_bytes() == content)]
    report, text = None, ""
    try:
        report = check(["."], diff_base="main")
        text = "".join("".join(FORMATS[name].load()(report, PLAIN)) for name in ("full", "json"))
    except CachelintError as error:
        text = str(error)
    is_silent = report is not None and not (report.findings or report.notes)
    assert not (changed and is_silent)
    assert report is None or "CL199" not in {each.code for each in report.findings}
    text += describe(lambda: check(["."])) + describe(lambda: diff(("main",)))
    text += describe(lambda: fix(["."], diff_base="main")) + describe(lambda: fix(["."]))
    assert "SECRET" not in text
    assert read_all(outside) == before
