"""The catalog of `examples`, copied, for tests to damage."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples/catalog"
TAGS = (EXAMPLE / "_data/tags.yaml").read_text(encoding="utf-8")
META = (EXAMPLE / "_data/meta.yaml").read_text(encoding="utf-8")


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "catalog"
    shutil.copytree(EXAMPLE, root)
    monkeypatch.chdir(root)
    return root


def change(path: str, old: str, new: str) -> None:
    text = Path(path).read_text(encoding="utf-8")
    assert old in text
    Path(path).write_text(text.replace(old, new, 1), encoding="utf-8")
