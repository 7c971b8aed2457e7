"""The catalog's own files, as an index implies them."""

from __future__ import annotations

import pytest
from ruamel.yaml import YAML

from cachelint.index.counts import GraphCounts, count_graphs
from cachelint.index.mapping import load_index
from cachelint.index.publish import meta_entry, meta_with, tags_with
from cachelint.index.sources import IndexFile
from cachelint.model import CachelintError
from support.mirrors import INDEXES, TAG

META = (INDEXES / "meta.yaml").read_text()
TAGS = (INDEXES / "tags.yaml").read_text()


def read(text: str) -> dict[str, dict[str, object]]:
    value: dict[str, dict[str, object]] = YAML(typ="safe").load(text)
    return value


def test_writes_the_files_of_a_real_catalog() -> None:
    index = load_index(IndexFile(str(INDEXES / "index.json.gz")))
    entry = meta_entry(3568, count_graphs(index))
    assert meta_with("", {}, TAG, entry) == META
    assert meta_with(META, read(META), TAG, entry) == META  # type: ignore[arg-type]
    stacks = {item["name"]: item["stacks"] for item in YAML(typ="safe").load(TAGS)}
    assert tags_with({}, TAG, stacks[TAG]) == TAGS
    assert tags_with(stacks, TAG, stacks[TAG]) == TAGS


@pytest.mark.parametrize(("tag", "position"), [
    ("develop", 0), ("v1.0.0", 1), ("v0.23.0", 2), ("develop-2025-04-06", 2),
    ("develop-2025-03-16", 4), ("site", 1),
])
def test_a_new_tag_goes_where_the_site_sorts_it(tag: str, position: int) -> None:
    tags = {name: ["root"] for name in
            ["develop", "v0.23.1", "develop-2025-03-30", "develop-2025-03-23"] if name != tag}
    text = tags_with(tags, tag, ["b", "a"])
    names = [item["name"] for item in YAML(typ="safe").load(text)]
    assert names.index(tag) == position
    assert [name for name in names if name != tag] == [*tags]
    assert f"- name: {tag}\n  stacks:\n  - a\n  - b\n" in text


def test_other_tags_keep_their_bytes_and_all_is_counted_anew() -> None:
    other = "'0.9':\n  compilers: {}\n  count: 5\n  parameters:\n    '2d': 7\n"
    before = f"{other}all:\n  count: 9\n  extra: kept\n"
    entry = meta_entry(3, GraphCounts({"gcc@1": 3, "none": 1}, {"no": 2, "2d": 1}))
    assert meta_with(before, read(before), "develop", entry) == (  # type: ignore[arg-type]
        f"{other}all:\n  compiler_count: '2'\n  count: 8\n  extra: kept\n  parameter_count: '2'\n"
        "  version: all\n"
        "develop:\n  compilers:\n    gcc@1: 3\n    none: 1\n  count: 3\n"
        "  parameters:\n    '2d': 1\n    'no': 2\n")


def test_refuses_what_cannot_be_written_in_one_line() -> None:
    with pytest.raises(CachelintError, match="cannot be written to a file of the catalog"):
        meta_with("", {}, "t", meta_entry(1, GraphCounts({"a\nb": 1}, {})))
