"""One catalog, verified by each kind of source: on disk, over HTTPS and over S3."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cachelint.runner.render import render
from cachelint.runner.verify import IndexOptions, verify
from support.catalogs import contents
from support.mirrors import MANIFEST, STACKS, TAG, V3, write_v3
from support.servers import Server, upload

BUCKET = "s3://spack-binaries"


@pytest.fixture
def mirrors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Mirrors below a list of tags, and their catalog in the working directory."""
    write_v3(tmp_path)
    (tmp_path / "catalog").mkdir()
    monkeypatch.chdir(tmp_path / "catalog")
    render(".", IndexOptions(f"../{TAG}", TAG))
    return tmp_path


def stacks(location: Callable[[str], str]) -> dict[str, str]:
    return {stack: location(stack) for stack in STACKS}


def assert_true(index: IndexOptions) -> None:
    report = verify(["."], index)
    assert (report.findings, report.notes, report.pages) == ((), (), 80)
    # the same source gives the same catalog again
    before = contents(Path.cwd())
    assert render(".", index._replace(tag=TAG)).changes == ()
    assert contents(Path.cwd()) == before


LIST = "cache_spack_io_index.json"


@pytest.mark.parametrize("index", [
    IndexOptions(f"../{TAG}"),
    IndexOptions(f"../{TAG}/{MANIFEST}", stacks=stacks(lambda stack: f"../{TAG}/{stack}")),
    IndexOptions(f"../{TAG}/{MANIFEST}",
                 stacks=stacks(lambda stack: f"../{TAG}/{stack}/{MANIFEST}")),
    IndexOptions(str(V3 / "root.json.gz"),
                 stacks=stacks(lambda stack: str(V3 / f"{stack}.json.gz"))),
    IndexOptions(f"../{LIST}", mirrors={BUCKET: ".."}),
], ids=["mirror", "manifest", "manifests", "files", "list"])
def test_on_disk(mirrors: Path, index: IndexOptions) -> None:
    assert_true(index)


def test_over_file_urls(mirrors: Path) -> None:
    assert_true(IndexOptions((mirrors / TAG).as_uri()))
    assert_true(IndexOptions((mirrors / LIST).as_uri(), mirrors={BUCKET: mirrors.as_uri()}))


def test_over_https(mirrors: Path, https: Server) -> None:
    assert_true(IndexOptions(f"{https.url}/{TAG}"))
    assert_true(IndexOptions(f"{https.url}/{TAG}/{MANIFEST}",
                             stacks=stacks(lambda stack: f"{https.url}/{TAG}/{stack}")))
    assert_true(IndexOptions(f"{https.url}/{LIST}", mirrors={BUCKET: https.url}))


def test_over_s3(mirrors: Path, s3: Any) -> None:
    upload(s3, "verified", mirrors)
    assert_true(IndexOptions(f"s3://verified/{TAG}"))
    assert_true(IndexOptions(f"s3://verified/{TAG}/{MANIFEST}",
                             stacks=stacks(lambda stack: f"s3://verified/{TAG}/{stack}")))
    assert_true(IndexOptions(f"s3://verified/{LIST}", mirrors={BUCKET: "s3://verified"}))


def test_many_tags_over_s3_in_processes(mirrors: Path, s3: Any) -> None:
    tags = [TAG, *(f"develop-2025-04-{day:02d}" for day in range(1, 5))]
    for tag in tags[1:]:
        render(".", IndexOptions(f"../{TAG}", tag))
    path = mirrors / LIST
    path.write_text(json.dumps(dict.fromkeys(tags, json.loads(path.read_text())[TAG])))
    upload(s3, "many", mirrors)
    index = IndexOptions(f"s3://many/{LIST}", mirrors={BUCKET: "s3://many"})
    report = verify(["."], index, jobs=2)
    assert (report.findings, report.pages) == ((), 80 * len(tags))
