"""Fixtures of the tests about files and git; a module may have a catalog of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.checkout import check_out_example


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of the example catalog, which is the working directory."""
    root = tmp_path / "site"
    check_out_example(root)
    monkeypatch.chdir(root)
    return root
