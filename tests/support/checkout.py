"""The example catalog in a git repository, for tests of what differs from a revision."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from cachelint import check

EXAMPLE = Path(__file__).parents[2] / "examples/catalog"
FROZEN = "_cache/develop-2025-03-30"
PAGE = f"{FROZEN}/re2/specs.md"
PAGES = 23
"""How many pages the example has."""
IDENTITY = {
    "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org", "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "protocol.file.allow", "GIT_CONFIG_VALUE_0": "always",
}


def git(*arguments: str, cwd: Path | None = None) -> str:
    """Run git, which must succeed, and return its output."""
    done = subprocess.run(["git", *arguments], cwd=cwd, env={**os.environ, **IDENTITY}, check=True,
                          capture_output=True, encoding="utf-8")
    return done.stdout.strip()


def commit(folder: Path) -> None:
    """Commit all that is in a folder."""
    git("add", "-A", cwd=folder)
    git("commit", "-qm", "change", "--allow-empty", cwd=folder)


def check_out_example(root: Path) -> None:
    """Make a repository of the example catalog, with one commit on the branch `main`."""
    shutil.copytree(EXAMPLE, root)
    git("init", "-q", "-b", "main", cwd=root)
    commit(root)


def change(path: Path) -> None:
    """Change the spec data of a page, and nothing that its summary shows."""
    text = path.read_text("utf-8")
    assert '"size": "-"' in text
    path.write_text(text.replace('"size": "-"', '"size": 7', 1), "utf-8")


def codes(base: str = "main", *paths: str) -> list[tuple[str, str]]:
    """Return path and code of each finding on what differs from a base."""
    return [(each.path, each.code) for each in check(paths or ["."], diff_base=base).findings]
