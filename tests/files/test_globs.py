"""Patterns of a `.gitignore`, held to git itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cachelint.files.globs import GlobList
from support.effort import count_steps

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


@pytest.mark.parametrize(
    ("patterns", "path", "decisions"),
    [
        (["a"], "a", [0]),
        (["a"], "b/a/c", [0]),
        (["a"], "b", []),
        (["a", "*"], "a", [1]),
        (["a*", "!ab"], "ab", [~1]),
        (["*", "!b"], "a/b", [0]),  # the folder is matched, and what is below it not seen
        (["*", "!a", "!b"], "a/b", [~1, ~2]),
        (["!a", "a/b"], "a/b", [~0, 1]),
        (["a/"], "a", []),
        (["a/"], "a/b", [0]),
        (["["], "[", []),
    ],
)
def test_decisions(patterns: list[str], path: str, decisions: list[int]) -> None:
    globs = GlobList(tuple(patterns))
    assert globs.decide(path) == decisions
    assert globs.matches(path) == (bool(decisions) and decisions[-1] >= 0)


@pytest.mark.parametrize(
    "pattern", ["*a" * 300, "**/a/" * 300 + "b", "*" * 300, "[a-z]*" * 300, "?*" * 300,
                "a/**/" * 300, "[" * 300, "!" + "*a*" * 200])
def test_steps_grow_only_with_the_path(pattern: str) -> None:
    globs = GlobList((pattern, "a" * 200))
    few, many = (count_steps(lambda path=f"{'a' * number}/{'a/' * number}c":  # type: ignore[misc]
                             globs.matches(path)) for number in (50, 500))
    assert many <= 11 * few


def test_path_may_be_deep_and_have_any_bytes() -> None:
    globs = GlobList(("b", "é", "*.md/"))
    assert globs.matches("a/" * 5000 + "b")
    assert not globs.matches("a/" * 5000 + "c")
    assert globs.matches("x/é/y")
    assert not globs.matches("x/\udce9/\n")
