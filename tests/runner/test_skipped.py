"""Catalogs that are found and not checked: what git ignores."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cachelint.runner import run as runner
from support import valid


@pytest.mark.parametrize(("name", "pattern"), [
    ("build", "/build/"), (":a", "/:a/"), ("i[x]", "/i\\[x]/"), ("a*", "/a\\*"), ("!", "/!"),
])
def test_catalog_that_git_ignores_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, pattern: str
) -> None:
    for folder in ("site", name):
        valid.write_catalog(tmp_path / folder, {f"{valid.TAG}/zlib": valid.PAGE},
                            {valid.TAG: ["e4s", "root"]})
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "-q"], check=True)
    report = runner.check(["."])
    assert (report.pages, report.notes) == (2, ())
    Path(".gitignore").write_text(f"{pattern}\n")
    report = runner.check(["."])
    assert (report.pages, report.notes) == (
        1, (f"{name}: skipped: ignored by git; name it to include it",))
    assert runner.check([name]).pages == 1
