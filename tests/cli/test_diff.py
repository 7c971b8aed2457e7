"""`fix --diff` in a git checkout: the diff applies from its top, whatever files are called."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples/catalog"
NAMES = ["plain", "with space", 'quo"te', "back\\slash", "tab\there", "new\nline", "é",
         "\u202ebidi", "\udcff\udcfe", " before", "after "]


@pytest.mark.parametrize("where", [".", "site", "site/_cache/develop"])
def test_diff_applies_from_the_top_of_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    page = (EXAMPLE / "_cache/develop/swig/specs.md").read_text("utf-8")
    stale = page.replace('"num_specs": ', '"num_specs": 9')
    shutil.copytree(EXAMPLE / "_data", tmp_path / "site/_data")
    shutil.copytree(EXAMPLE / "pages", tmp_path / "site/pages")
    (tmp_path / "site/pages/tags/develop.md").unlink()
    pages = [tmp_path / "site/_cache/develop" / name / "specs.md" for name in NAMES]
    for path in pages:
        path.parent.mkdir(parents=True)
        path.write_text(stale, "utf-8")
    subprocess.run(["git", "init", "-q", "."], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path / where)
    done = subprocess.run(
        [sys.executable, "-m", "cachelint", "fix", "--diff", "--select", "CL3"],
        capture_output=True, env={**os.environ, "LC_ALL": "C"}, check=False)
    assert done.returncode == 1
    assert all(path.read_text("utf-8") == stale for path in pages)
    subprocess.run(["git", "apply", "--unidiff-zero"], cwd=tmp_path, input=done.stdout, check=True)
    assert all(path.read_text("utf-8") == page for path in pages)


def test_diff_has_no_byte_that_a_terminal_obeys(tmp_path: Path) -> None:
    page = (EXAMPLE / "_cache/develop/swig/specs.md").read_text("utf-8")
    path = tmp_path / "_cache/develop/\x1b[31m\x07" / "specs.md"
    path.parent.mkdir(parents=True)
    path.write_text(page.replace('"num_specs": ', '"num_specs": 9'), "utf-8")
    done = subprocess.run([sys.executable, "-m", "cachelint", "fix", "--diff", "--select", "CL3"],
                          capture_output=True, cwd=tmp_path, check=False)
    assert b"\\033[31m\\007" in done.stdout
    assert not {0x1b, 0x07} & {*done.stdout, *done.stderr}
