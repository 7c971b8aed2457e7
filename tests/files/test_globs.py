"""Patterns of a `.gitignore`, held to git itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cachelint.files.globs import GlobList

NAMES = st.text("ab]-!\\*é[. #", min_size=1, max_size=4).filter(
    lambda name: name not in (".", ".."))
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
PIECES = st.sampled_from([
    "a", "b", "ab", "é", "/", "/", "*", "**", "**/", "/**", "/**/", "?", "[ab]", "[!a]", "[^b]",
    "[a-c]", "[]a]", "[a-]", "[!]-a]", "[[:alpha:]]", "[[:punct:]b]", "[[:no:]]", "[[:]", "[\\]a]",
    "[a-\\b]", "[é]", "***", "b/",
    "\\a", "\\*", "\\\\", "\\", "\\ ", "!", "#", " ", "{a,b}", "[", "]", "-", ".", "\\/", "[/]",
])
PATTERNS = st.lists(PIECES, min_size=1, max_size=6).map("".join)


def match_with_git(folder: Path, patterns: list[str], paths: list[str]) -> list[bool]:
    """Return which of ``paths`` git ignores by a `.gitignore` of these patterns."""
    (folder / ".git" / "info" / "exclude").write_bytes(
        "".join(f"{pattern}\n" for pattern in patterns).encode())
    done = subprocess.run(
        ["git", "check-ignore", "--no-index", "--stdin", "-z", "--verbose", "--non-matching"],
        cwd=folder, input=b"".join(path.encode() + b"\0" for path in paths), capture_output=True)
    assert done.returncode in (0, 1), done.stderr
    fields = done.stdout.split(b"\0")
    # source, line, pattern, path
    return [pattern != b"" and not pattern.startswith(b"!") for pattern in fields[2::4]]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    return folder


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_patterns_match_as_in_git(repository: Path, data: st.DataObject) -> None:
    patterns = data.draw(st.lists(PATTERNS, min_size=1, max_size=4))
    paths = data.draw(st.lists(PATHS, min_size=1, max_size=20))
    globs = GlobList(tuple(patterns))
    assert [globs.matches(path) for path in paths] == match_with_git(repository, patterns, paths)
