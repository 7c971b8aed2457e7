"""The words of code and messages are those of the project's vocabulary."""

from __future__ import annotations

from pathlib import Path

import pytest

import words

WORDS = words.load_words()


@pytest.mark.parametrize(("before", "after", "word"), [
    (before, after, word) for word in WORDS for before, after in word.examples
])
def test_vocabulary_means_the_same_to_python(before: str, after: str, word: words.Word) -> None:
    # textlint tries the same examples in JavaScript
    assert word.pattern.sub(lambda _: word.instead, before) == after


@pytest.mark.parametrize(("name", "source", "expected"), [
    ("tests/a.py", '"""A sound page.\n\nIt stands here."""\n', [(1, "sound"), (3, "stands")]),
    ("tests/a.py", "x = 1  # what breach\n", [(1, "breach")]),
    ("tests/a.py", "def test_the_breach() -> None:\n    assert f('a breach')\n", [(1, "breach")]),
    ("src/a.py", 'raise E(f"{x} is a breach")\n', [(1, "breach")]),
    ("src/a.py", 'x = "breach"\n', []),
    ("src/a.py", 'x = """Look.\n\n    place: It is.\n    """\n', []),
    ("src/a.py", '"""Call `mend` or ``breach``."""\n', []),
    ("src/a.html", "<p class='sound'>sound {{ breach }}</p>", [(1, "sound")]),
    ("schemas/a.json", '{"title": "it",\n "description": "a \\"breach\\""}', [(2, "breach")]),
    (".ci/run", "a\n# a breach\n", [(2, "breach")]),
])
def test_finds_words_in_prose_only(
    name: str, source: str, expected: list[tuple[int, str]], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "ROOT", tmp_path)
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text(source, encoding="utf-8")
    assert [(use.line, use.word) for use in words.find_uses(path, WORDS)] == expected


def test_looks_at_every_kind_of_file() -> None:
    names = {path.relative_to(words.ROOT).as_posix() for path in words.find_files()}
    assert {"src/cachelint/model.py", "tests/test_prose.py", "tools/words.py", "action.yml",
            "schemas/report.schema.json", "ci/gitlab.yml", ".ci/run"} <= names


@pytest.mark.parametrize("path", words.find_files(),
                         ids=lambda path: path.relative_to(words.ROOT).as_posix())
def test_only_words_of_the_project_are_used(path: Path) -> None:
    assert [str(use) for use in words.find_uses(path, WORDS)] == []
