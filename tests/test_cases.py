"""Catalogs that once went wrong: what `check` reports of each, and what `fix` changes."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from support.program import run_program

CASES = Path(__file__).parent / "cases"
GOLDEN = Path(__file__).parent / "golden/cases.txt"
TAG = "_cache/develop-2025-03-30"
ZLIB, STALE = f"{TAG}/zlib/specs.md", f"{TAG}/stale/specs.md"
TAG_PAGE = "pages/tags/develop-2025-03-30.md"

Reported = list[tuple[str, str, str]]
"""Path, code and pointer of each finding."""

OTHER_PAGE: Reported = [(STALE, "CL301", "/meta/num_specs")]
"""A second page, whose finding is reported and fixed, whatever is wrong with the first."""
ENDS_EARLY = [(ZLIB, "CL108", ""), *[(ZLIB, "CL201", "")] * 5]

EXPECTED: dict[str, Reported] = {
    "beside-dashes-for-the-categories": [
        *OTHER_PAGE, (ZLIB, "CL108", ""), *[(ZLIB, "CL201", "")] * 3],
    "beside-dashes-for-the-title": [*OTHER_PAGE, *ENDS_EARLY],
    "beside-dots-for-the-title": [*OTHER_PAGE, *ENDS_EARLY],
    "beside-digits-and-underscores": [*OTHER_PAGE, (ZLIB, "CL202", "/x")],
    "beside-emoji-escaped-in-yaml-category": [
        *OTHER_PAGE, (ZLIB, "CL504", "/categories"), (ZLIB, "CL602", "/categories/1"),
        (ZLIB, "CL703", "/categories/1")],
    "beside-specs-a-mapping-with-emoji": [
        *OTHER_PAGE, (ZLIB, "CL203", "/spec_details"), (ZLIB, "CL703", "/spec_details/a")],
    "beside-specs-a-mapping-with-merge-key": [
        *OTHER_PAGE, (ZLIB, "CL203", "/spec_details"), (ZLIB, "CL703", "/spec_details/<<")],
    "beside-two-blanks-after-meta-and-stale-tarball": [
        *OTHER_PAGE, (ZLIB, "CL301", "/meta/num_specs")],
    "brace-in-stack-no-json": [(ZLIB, "CL106", "")],
    "comma-in-stack-counts-of-other-stacks": [(ZLIB, "CL302", "/meta/num_specs_by_stack")],
    "count-negative": [("_data/meta.yaml", "CL204", "/develop-2025-03-30/count")],
    "develop-with-a-dead-page": [("_data/meta.yaml", "CL607", "/develop/count")],
    "hash-conflict-with-a-hash-that-stands-twice": [
        (f"{TAG}/bbb/specs.md", "CL402", "/spec_details/1/hash"),
        (f"{TAG}/bbb/specs.md", "CL608", "/spec_details/0/hash")],
    "max-page-size": [(ZLIB, "CL110", "")],
    "max-page-size-named-file": [(ZLIB, "CL110", "")],
    "max-page-size-unsound-page": [(ZLIB, "CL110", "")],
    "mirror-urls-not-ascii-raw-stale": [(ZLIB, "CL301", "/meta/num_specs")],
    "tag-page-body-and-bom": [(TAG_PAGE, "CL102", ""), (TAG_PAGE, "CL108", "")],
    "tag-page-body-and-crlf": [(TAG_PAGE, "CL103", ""), (TAG_PAGE, "CL108", "")],
    "tag-page-comment-and-newline": [],
    "tag-page-extra-key-and-newline": [],
    "tag-page-extra-key-other-tag-and-newline": [(TAG_PAGE, "CL605", "/tag")],
}

READERS: dict[str, list[tuple[str, str]]] = {
    "byte-tagged": [("CL106", "")],
    "tar-size-tagint": [("CL106", "")],
    "cur-stack-esc171": [("CL703", "/meta/num_specs_by_stack/" + "\u00e9" * 171)],
    "cur-tag-0xu5f1": [("CL702", "/categories/1"), ("CL703", "/categories/1")],
    "cur-tag-u3aa": [("CL702", "/categories/1"), ("CL703", "/categories/1")],
    "cur-tag-au3fb": [("CL702", "/categories/1")],
    "tar-ver-017": [("CL703", "/spec_details/0/versions/0")],
    "tar-ver-1u2c000": [("CL703", "/spec_details/0/versions/0")],
    "tar-ver-sym": [("CL703", "/spec_details/0/versions/0")],
    "tar-x-osno": [("CL703", "/spec_details/0/os")],
    "tar-x-boolkeystack": [("CL703", "/meta/num_specs_by_stack/no")],
    "tb-raw-ls": [("CL703", "/spec_details/0/variants/0")],
    "tb-raw-lsd": [("CL703", "/spec_details/0/variants/0")],
    "tb-bom2": [("CL703", "")],
    "tb-vt-open": [("CL703", "")],
    "tb-tab-open": [("CL703", "")],
    "tb-slash-esc": [],
    "tb-raw-emoji": [],
    "tb-emoji-key": [],
    "tar-var-plainemoji": [],
    "tb-longplain": [],
}

Change = tuple[str, str, str]
"""A path, and what `fix` replaces in it by what; the whole file where that is empty."""

FIXED_PAGE: Change = (STALE, '"num_specs": 4', '"num_specs": 1')
CHANGES: dict[str, list[Change]] = {
    **{name: [FIXED_PAGE] for name in EXPECTED if name.startswith("beside-")},
    "beside-two-blanks-after-meta-and-stale-tarball": [
        FIXED_PAGE, (ZLIB, '"num_specs": 9', '"num_specs": 2')],
    "mirror-urls-not-ascii-raw-stale": [(ZLIB, '"num_specs": 9', '"num_specs": 2')],
    "comma-in-stack-counts-of-other-stacks": [
        (ZLIB, '{"a, d": 1, "c, b": 1}', '{"a, b": 1, "c, d": 1}')],
    "tag-page-body-and-bom": [(TAG_PAGE, "\ufeff", "")],
    "tag-page-body-and-crlf": [(TAG_PAGE, "\r\n", "\n")],
    "tag-page-extra-key-other-tag-and-newline": [
        (TAG_PAGE, "tag: v0.22.4", "tag: develop-2025-03-30")],
}


def _copy(name: str, folder: Path) -> Path:
    return Path(shutil.copytree(CASES / name, folder / "catalog"))


def _reported(root: Path) -> Reported:
    done = run_program("check", ".", "--output-format", "json", folder=root)
    assert done.returncode in (0, 1), done.stderr
    return sorted((finding["path"], finding["code"], finding["pointer"])
                  for finding in json.loads(done.stdout)["findings"])


def test_every_case_is_listed() -> None:
    assert {path.name for path in CASES.iterdir()} == {*EXPECTED, "readers"}
    assert {path.name for path in (CASES / "readers").iterdir()} == set(READERS)


@pytest.mark.parametrize("name", EXPECTED)
def test_findings(name: str, tmp_path: Path) -> None:
    assert _reported(_copy(name, tmp_path)) == sorted(EXPECTED[name])


@pytest.mark.parametrize("name", READERS)
def test_findings_where_readers_differ(name: str, tmp_path: Path) -> None:
    found = _reported(_copy(f"readers/{name}", tmp_path))
    assert [(code, pointer) for _, code, pointer in found] == sorted(READERS[name])


def test_messages_and_positions() -> None:
    names = [*sorted(EXPECTED), *(f"readers/{name}" for name in sorted(READERS))]
    text = "\n".join(f"# {name}\n{run_program('check', '.', folder=CASES / name).stdout}"
                     for name in names)
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", EXPECTED)
def test_changes(name: str, tmp_path: Path) -> None:
    root = _copy(name, tmp_path)
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    done = run_program("fix", ".", folder=root)
    assert done.returncode in (0, 1), done.stderr
    for path, old, new in CHANGES.get(name, []):
        content = before[root / path]
        assert old.encode() in content
        before[root / path] = content.replace(old.encode(), new.encode())
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before
