"""Counts over dependency graphs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from cachelint.index import counts
from cachelint.index.counts import count_graphs, find_holes
from cachelint.index.mapping import Index, load_index
from cachelint.index.sources import IndexFile
from cachelint.model import CachelintError
from support.mirrors import INDEXES, TAG, depend, index_bytes, install


def load(tmp_path: Path, *installs: dict[str, Any]) -> Index:
    path = tmp_path / "index.json"
    path.write_bytes(index_bytes(*installs))
    return load_index(IndexFile(str(path)))


def outside(install: dict[str, Any]) -> dict[str, Any]:
    return {**install, "in_buildcache": False}


@pytest.mark.parametrize("block", [1, 7, 8192])
def test_counts_are_those_of_the_real_catalog(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(counts, "_BLOCK", block if block > 1 else 1000)
    index = load_index(IndexFile(str(INDEXES / "index.json.gz")))
    expected = YAML(typ="safe").load(INDEXES / "meta.yaml")[TAG]
    found = count_graphs(index)
    assert found.compilers == expected["compilers"]
    assert found.parameters == expected["parameters"]


def test_a_shared_dependency_counts_once_for_each_spec(tmp_path: Path) -> None:
    index = load(tmp_path,
                 install("a", dependencies=[depend("b"), depend("c")], parameters={"x": True}),
                 install("b", dependencies=[depend("c")], parameters={"y": "none"}),
                 install("c", parameters={"z": ["v"], "off": False, "empty": []},
                         compiler={"name": "gcc", "version": "1"}),
                 outside(install("e", external={"path": "/usr"}, parameters={"e": True})))
    found = count_graphs(index)
    assert found.compilers == {"gcc@1": 3, "none": 3}
    assert found.parameters == {"x": 1, "y": 2, "z": 3}


def test_refuses_a_cycle(tmp_path: Path) -> None:
    index = load(tmp_path, install("a", dependencies=[depend("b")]),
                 install("b", dependencies=[depend("a")]), install("c"))
    with pytest.raises(CachelintError, match=f'dependencies of install "{"a" * 32}" form a cycle'):
        count_graphs(index)


def test_a_hole_is_neither_in_the_cache_nor_external(tmp_path: Path) -> None:
    index = load(tmp_path,
                 install("a", dependencies=[depend("b"), depend("e")]),
                 install("b", dependencies=[depend("g")]),
                 install("c", dependencies=[depend("d")]),
                 outside(install("d", dependencies=[depend("x")])),
                 outside(install("e", external={"path": "/usr"})))
    assert [spec.hash[0] for spec in find_holes(index)] == ["b", "c"]
