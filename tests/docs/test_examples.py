"""The example catalogs and the corpus of real pages have the expected findings."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from ruamel.yaml import YAML

from cachelint import Settings, check, fix
from support.program import run_program

TESTS = Path(__file__).parents[1]
CORPUS = TESTS / "corpus"
EXAMPLE = TESTS.parent / "examples" / "catalog"

EXAMPLE_TAGS = ["develop", "v0.23.1", "develop-2025-04-20", "develop-2025-03-30"]
REAL_PAGES = [
    "_cache/develop-2025-03-30/py-pyproject-metadata/specs.md",
    "_cache/develop-2025-04-20/py-pyproject-hooks/specs.md",
]
CORPUS_FINDINGS = [
    ("_cache/adol-c/index.md", "CL109"),
    ("_cache/adol-c/specs.md", "CL109"),
    # v0.18 and v0.20, which the excerpt of tags.yaml does not list
    ("_data/tags.yaml", "CL603"),
    ("_data/tags.yaml", "CL603"),
]
CORPUS_UNSTABLE = [
    ("_cache/v0.18/ant/specs.md", "CL507"),
    ("_cache/v0.20.0/adlbx/specs.md", "CL507"),
    ("_cache/v0.20.0/bwa/specs.md", "CL507"),
    ("_cache/v0.20.0/comd/specs.md", "CL507"),
    ("_cache/v0.20/bdftopcf/specs.md", "CL507"),
]


def run(folder: Path, *arguments: str) -> CompletedProcess[str]:
    """Run the program in a folder."""
    return run_program(*arguments, "--color", "never", folder=folder)


def contents(folder: Path) -> dict[str, bytes]:
    """Read every file below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*")) if path.is_file()}


def path_and_code(line: str) -> tuple[str, str]:
    """Take path and code out of a line of the concise format."""
    match = re.fullmatch(r"(.+?):\d+:\d+: (CL\d{3}) .*", line)
    assert match is not None, line
    return match[1], match[2]


def example_specs() -> dict[str, list[int]]:
    """Read for each tag of the example what the pages give as their number of specs."""
    found: dict[str, list[int]] = {}
    for path in sorted(EXAMPLE.glob("_cache/*/*/specs.md")):
        [line] = [line for line in path.read_text(encoding="utf-8").split("\n")
                  if line.startswith("meta: ")]
        count = json.loads(line.removeprefix("meta: "))["num_specs"]
        found.setdefault(path.parts[-3], []).append(count)
    return found


def load(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """Copy the example catalog, to be changed at will."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "catalog"))


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Copy the corpus, to be changed at will."""
    return Path(shutil.copytree(CORPUS, tmp_path / "corpus"))


# ------------------------------------------------------------------------------- the example


def test_the_example_is_clean() -> None:
    report = check([str(EXAMPLE)])
    assert report.findings == ()
    assert report.pages == 23


def test_the_example_is_clean_under_strict() -> None:
    # where it is, as its README describes, with whatever configuration the project itself may have
    done = run(EXAMPLE, "check", "--strict", "--output-format", "concise")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "All checks passed: 23 pages.\n"


def test_fix_changes_no_byte_of_the_example(example: Path) -> None:
    done = fix([str(example)])
    assert (done.changed, done.fixed, done.skipped) == ((), 0, ())
    assert run(example, "fix", "--exit-non-zero-on-fix").returncode == 0
    assert contents(example) == contents(EXAMPLE)


def test_the_example_has_tags_of_both_formats() -> None:
    assert [entry["name"] for entry in load(EXAMPLE / "_data" / "tags.yaml")] == EXAMPLE_TAGS
    assert sorted(example_specs()) == sorted(EXAMPLE_TAGS)
    for path in EXAMPLE.glob("_cache/*/*/specs.md"):
        assert (b'"tarball": ' in path.read_bytes()) is (path.parts[-3] == "v0.23.1"), path


def test_the_example_lists_the_stacks_of_its_pages() -> None:
    listed = {entry["name"]: entry["stacks"] for entry in load(EXAMPLE / "_data" / "tags.yaml")}
    for tag, stacks in listed.items():
        assert stacks == sorted(set(stacks))
        assert "root" in stacks
        for path in EXAMPLE.glob(f"_cache/{tag}/*/specs.md"):
            assert set(load_page(path)["meta"]["stacks"]) <= set(stacks), path


def load_page(path: Path) -> Any:
    text = path.read_text(encoding="utf-8")
    return YAML(typ="safe").load(text.removeprefix("---\n").removesuffix("\n---"))


def test_no_hash_is_duplicated_in_a_tag_of_the_example() -> None:
    for tag in EXAMPLE_TAGS:
        hashes = [spec["hash"] for path in EXAMPLE.glob(f"_cache/{tag}/*/specs.md")
                  for spec in load_page(path)["spec_details"]]
        assert len(hashes) == len(set(hashes))


def test_the_example_counts_its_specs() -> None:
    counts = {tag: sum(numbers) for tag, numbers in example_specs().items()}
    meta = load(EXAMPLE / "_data" / "meta.yaml")
    assert {tag: meta[tag]["count"] for tag in meta} == {**counts, "all": sum(counts.values())}


def test_the_example_has_a_page_for_each_tag() -> None:
    assert contents(EXAMPLE / "pages" / "tags") == {
        f"{tag}.md": f"---\nlayout: table\npermalink: /tag/{tag}/\ntag: {tag}\n---".encode()
        for tag in EXAMPLE_TAGS
    }


@pytest.mark.parametrize("page", REAL_PAGES)
def test_the_real_pages_of_the_example_are_those_of_the_corpus(page: str) -> None:
    assert (EXAMPLE / page).read_bytes() == (CORPUS / page).read_bytes()


# ------------------------------------------------------------------------------- the faulty one

FAULTY = {
    "_cache/develop-2025-04-20/c-ares/specs.md": "CL301",
    "_cache/develop-2025-04-20/gcc/specs.md": "CL703",
    "_cache/develop-2025-04-20/intel-tbb/specs.md": "CL401",
    "_data/meta.yaml": "CL607",
    "pages/tags/develop-2025-04-20.md": "CL605",
}


def test_the_faulty_example_has_five_faults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shutil.copytree(EXAMPLE.parent / "faulty", tmp_path / "faulty"))
    assert {finding.path: finding.code for finding in check().findings} == FAULTY
    assert len(check().findings) == len(FAULTY)
    fix()
    assert sorted(finding.code for finding in check().findings) == ["CL401", "CL703"]


# ------------------------------------------------------------------------------- the corpus


def test_the_corpus_has_only_its_legacy_pages_against_it(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(corpus)
    report = check()
    assert [(finding.path, finding.code) for finding in report.findings] == CORPUS_FINDINGS
    assert (report.pages, report.errors, report.warnings, report.fixable) == (12, 0, 4, 0)


def test_the_corpus_passes_on_the_command_line(corpus: Path) -> None:
    done = run(corpus, "check", "--output-format", "concise")
    assert (done.returncode, done.stderr) == (0, "")
    *lines, total = done.stdout.splitlines()
    assert [path_and_code(line) for line in lines] == CORPUS_FINDINGS
    assert total == "Found 4 warnings in 12 pages."
    assert run(corpus, "check", "--strict").returncode == 1


def test_the_tarball_pages_of_the_corpus_that_are_in_no_stable_order(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run(corpus, "check", "--extend-select", "CL507", "--output-format", "concise")
    assert (done.returncode, done.stderr) == (0, "")
    *lines, total = done.stdout.splitlines()
    assert [path_and_code(line) for line in lines] == sorted(CORPUS_FINDINGS + CORPUS_UNSTABLE)
    assert total == 'Found 9 warnings in 12 pages (5 fixable with "cachelint fix").'

    monkeypatch.chdir(corpus)
    report = check(settings=Settings(selected=frozenset({"CL507"})))
    assert [(finding.path, finding.code) for finding in report.findings] == CORPUS_UNSTABLE


def test_fix_changes_no_byte_of_the_corpus(corpus: Path) -> None:
    done = fix([str(corpus)])
    assert (done.changed, done.fixed) == ((), 0)
    assert run(corpus, "fix").returncode == 0
    assert contents(corpus) == contents(CORPUS)
