"""Links to lines on a code host, from the variables of CI services and from git."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cachelint.output.links import Source, find_source

COMMIT = "0123456789abcdef0123456789abcdef01234567"
_VARIABLES = ("GITHUB_REPOSITORY", "GITHUB_SHA", "GITHUB_SERVER_URL", "GITHUB_WORKSPACE",
              "CI_PROJECT_URL", "CI_COMMIT_SHA", "CI_PROJECT_DIR")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(folder), "-c", "user.name=x", "-c", "user.email=x@x", *arguments],
        check=True, capture_output=True, text=True).stdout.strip()


def test_github(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "site").mkdir()
    monkeypatch.chdir(here / "site")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(here))
    monkeypatch.setenv("GITHUB_REPOSITORY", "spack/cache")
    monkeypatch.setenv("GITHUB_SHA", COMMIT)
    source = find_source()
    assert source is not None
    assert source.repository == "https://github.com/spack/cache"
    assert source.url_of("_cache/a b/#x/specs.md", 5) == (
        f"https://github.com/spack/cache/blob/{COMMIT}/site/_cache/a%20b/%23x/specs.md#L5")


def test_gitlab(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI_PROJECT_URL", "https://gitlab.example.org/a/b/c")
    monkeypatch.setenv("CI_COMMIT_SHA", COMMIT)
    source = find_source()
    assert source is not None
    assert source.url_of("_data/tags.yaml", 1) == (
        f"https://gitlab.example.org/a/b/c/-/blob/{COMMIT}/_data/tags.yaml#L1")


# the address of the remote, the repository, and what precedes the commit
REMOTES = {
    "https": ("https://github.com/spack/cache.git", "https://github.com/spack/cache", "/blob/"),
    "a password": ("https://me:secret@github.com/spack/cache", "https://github.com/spack/cache",
                   "/blob/"),
    "scp": ("git@github.com:spack/cache.git", "https://github.com/spack/cache", "/blob/"),
    "ssh": ("ssh://git@gitlab.example.org:2222/a/b.git", "https://gitlab.example.org/a/b",
            "/-/blob/"),
    "codeberg": ("https://codeberg.org/a/b", "https://codeberg.org/a/b", "/src/commit/"),
    "another host": ("https://git.example.org/a/b", "https://git.example.org/a/b", ""),
    "a folder": ("/srv/git/b.git", None, ""),
    "a script": ("javascript:alert(1)", None, ""),
}


@pytest.mark.parametrize(("remote", "repository", "files"), REMOTES.values(), ids=REMOTES)
def test_git(here: Path, remote: str, repository: str | None, files: str) -> None:
    git(here, "init", "-q")
    assert find_source() is None
    git(here, "remote", "add", "origin", remote)
    assert find_source() is None  # without a commit
    git(here, "commit", "-q", "--allow-empty", "-m", "x")
    commit = git(here, "rev-parse", "HEAD")
    if repository is None:
        assert find_source() is None
    else:
        base = f"{repository}{files}{commit}/" if files else ""
        assert find_source() == Source(repository, commit, base, "")
        assert Source(repository, commit, base, "").url_of("a", 1) == (base and f"{base}a#L1")


def test_outside_of_a_repository() -> None:
    assert find_source() is None
