"""Make a repository of a catalog in which a page can be committed with hooks of two kinds."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
OURS, NOTHING = "ours", "nothing"
"""The hooks of the last commit of this project, and hooks of the same shape without effect."""


def git(folder: Path, *arguments: str) -> str:
    """Run git, and return what it prints."""
    return subprocess.run(["git", *arguments], cwd=folder, check=True, text=True,
                          capture_output=True).stdout.strip()


def make_repository(catalog: Path) -> Path:
    """Make the repository beside a catalog; its hooks are in a folder for each kind."""
    site = catalog.with_name(f"{catalog.name}-commits")
    shutil.rmtree(site, ignore_errors=True)
    shutil.copytree(catalog, site)
    os.environ |= {"PRE_COMMIT_HOME": f"{site}/.git/pre-commit", "GIT_CONFIG_GLOBAL": os.devnull}
    git(site, "init", "--quiet")
    for key, value in (("user.name", "A"), ("user.email", "a@example.org"), ("gc.auto", "0")):
        git(site, "config", key, value)
    hooks = (PROJECT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    names = ", ".join(f"{{id: {name}}}" for name in re.findall("id: (.*)", hooks))
    nothing = re.sub("entry: .*", "entry: 'true'", hooks).replace(": python\n", ": system\n")
    configurations = {
        OURS: f"repos: [{{repo: {PROJECT}, rev: {git(PROJECT, 'rev-parse', 'HEAD')}, "
              f"hooks: [{names}]}}]",
        NOTHING: f"repos:\n- repo: local\n  hooks:\n{textwrap.indent(nothing, '  ')}",
    }
    for name, text in configurations.items():
        (site / f"{name}.yaml").write_text(text, encoding="utf-8")
        subprocess.run(
            [sys.executable, "-m", "pre_commit", "install", "--install-hooks", "--config",
             f"{name}.yaml"], cwd=site, check=True, capture_output=True)
        (site / ".git" / name).mkdir()
        (site / ".git/hooks/pre-commit").rename(site / ".git" / name / "pre-commit")
    git(site, "add", "--all")
    git(site, "commit", "--quiet", "--message", "All pages")
    return site


def commit(kind: str) -> tuple[str, ...]:
    """Return the command that commits what is staged, with hooks of a kind."""
    return ("git", "-c", f"core.hooksPath=.git/{kind}", "commit", "--quiet", "--message", "A page")


def stage_page(site: Path) -> None:
    """Change the sizes on a page of a tag that may change, and stage it."""
    page = next(site.glob("_cache/develop/*/specs.md"))
    text, sizes = page.read_text(encoding="utf-8"), ('"size": "-"', '"size": 7')
    page.write_text(text.replace(*sizes if sizes[0] in text else sizes[::-1]), encoding="utf-8")
    git(site, "add", "--update")
