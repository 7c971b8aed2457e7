"""The project as others get it: a repository with a release, of all that is in the work tree."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from cachelint import __version__

PROJECT = Path(__file__).parents[2]
ADDRESS = "https://github.com/spack/cachelint"
_IDENTITY = ("-c", "user.name=Test", "-c", "user.email=test@example.org",
             "-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main")


def git(folder: Path, *arguments: str, environment: Mapping[str, str] | None = None
        ) -> subprocess.CompletedProcess[str]:
    """Run git in a folder; the caller checks whether it failed."""
    return subprocess.run(["git", *_IDENTITY, *arguments], cwd=folder, capture_output=True,
                          text=True, timeout=300, check=False, env=environment)


def publish(repo: Path, environment: Mapping[str, str]) -> str:
    """Make the repository, uncommitted changes included, and return its commit."""
    for name in ("src", "schemas", "man", "examples"):
        shutil.copytree(PROJECT / name, repo / name,
                        ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for path in PROJECT.iterdir():
        if path.is_file() and path.name != ".git":
            shutil.copy(path, repo)
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "The project"],
                      ["tag", f"v{__version__}"]):
        done = git(repo, *arguments, environment=environment)
        assert done.returncode == 0, done.stderr
    return git(repo, "rev-parse", "HEAD", environment=environment).stdout.strip()


def replace_address(repo: Path) -> dict[str, str]:
    """Return variables with which git takes the repository for the published one."""
    return {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.{repo}.insteadOf",
            "GIT_CONFIG_VALUE_0": ADDRESS, "GIT_CONFIG_NOSYSTEM": "1",
            **{f"GIT_{who}_{what}": "test@example.org" for who in ("AUTHOR", "COMMITTER")
               for what in ("NAME", "EMAIL")}, "GIT_TERMINAL_PROMPT": "0"}
