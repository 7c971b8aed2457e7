"""The generator of the benchmarks and the checks test each other: neither uses the other."""

import ast
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
ALL_FORMATS = 53
"""So many tags of a mixed catalog have all formats and `releases/` in a URL."""


def make(folder: Path, kind: str, *options: str, tags: int = 3, packages: int = 12) -> Path:
    subprocess.run(
        [sys.executable, BENCHMARKS / "make_catalog.py", kind, "--out", folder,
         "--tags", str(tags), "--packages", str(packages), *options], check=True)
    return folder


def find_codes(catalog: Path, *extra_rules: str) -> Counter[tuple[str, str]]:
    """Return the numbers of findings by path below the catalog and code."""
    selected = [option for rule in extra_rules for option in ("--extend-select", rule)]
    done = subprocess.run(
        [sys.executable, "-m", "cachelint", "check", "--isolated", "--output-format", "json",
         *selected], cwd=catalog, capture_output=True, text=True)
    return Counter((finding["path"], finding["code"])
                   for finding in json.loads(done.stdout)["findings"])


def read_pages(catalog: Path) -> dict[str, bytes]:
    return {str(path.relative_to(catalog)): path.read_bytes()
            for path in catalog.glob("_cache/*/*/specs.md")}


@pytest.mark.parametrize("program", ["make_catalog.py", "packages.py", "yardstick.py"])
def test_nothing_of_the_code_under_test_is_imported(program: str) -> None:
    tree = ast.parse((BENCHMARKS / program).read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import)
             for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names
    assert not [name for name in names if name.startswith("cachelint")]


@pytest.mark.parametrize(("kind", "tags"), [
    ("canonical", 3), ("canonical-large", 2), ("live", ALL_FORMATS), ("live-large", 12),
    ("own-variants", 2), ("any-order", 8),
])
def test_valid_catalogs_have_no_findings(tmp_path: Path, kind: str, tags: int) -> None:
    catalog = make(tmp_path / "catalog", kind, tags=tags)
    assert len(read_pages(catalog)) > 9 * tags
    assert not find_codes(catalog)


@pytest.mark.parametrize(("kind", "tags"), [("canonical", 2), ("live", ALL_FORMATS)])
def test_stale_catalogs_have_one_finding_on_each_page(tmp_path: Path, kind: str, tags: int) -> None:
    catalog = make(tmp_path / "catalog", kind, "--stale", tags=tags)
    assert find_codes(catalog) == {(path, "CL301"): 1 for path in read_pages(catalog)}


@pytest.mark.parametrize("kind", ["canonical", "live"])
def test_reordered_catalogs_differ_only_in_order(tmp_path: Path, kind: str) -> None:
    catalogs = [make(tmp_path / name, kind, *options)
                for name, options in (("a", []), ("b", ["--reordered"]))]
    done = subprocess.run(
        [sys.executable, "-m", "cachelint", "diff", "--isolated", "--output-format", "json",
         *catalogs], capture_output=True, text=True, check=True)
    pages = json.loads(done.stdout)["pages"]
    assert len(pages) == len(read_pages(catalogs[0]))
    assert {page["change"] for page in pages} == {"reformatted"}


def test_old_pages_are_in_no_canonical_order(tmp_path: Path) -> None:
    catalog = make(tmp_path / "catalog", "live", tags=ALL_FORMATS)
    found = find_codes(catalog, "CL507")
    assert {code for _, code in found} == {"CL507"}
    old = {path for path, raw in read_pages(catalog).items() if b'"tarball": ' in raw}
    assert {path for path, _ in found} <= old
    assert len(found) > 0.8 * len(old) > 0


def test_each_spec_has_a_variant_of_its_own(tmp_path: Path) -> None:
    pages = read_pages(make(tmp_path / "catalog", "own-variants"))
    commits = [part[:40] for raw in pages.values() for part in raw.split(b'"commit=')[1:]]
    assert len(commits) == sum(raw.count(b'"hash": ') for raw in pages.values())
    assert len(set(commits)) == len(commits)


def test_stacks_in_any_order_are_listed_in_many_orders(tmp_path: Path) -> None:
    pages = read_pages(make(tmp_path / "catalog", "any-order", tags=8))
    lists = [part.split(b"]")[0] for raw in pages.values() for part in raw.split(b'"stacks": ')[2:]]
    assert len(set(lists)) > 0.9 * len(lists)


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    one, two, other = (
        read_pages(make(tmp_path / name, "any-order", "--seed", seed, tags=1))
        for name, seed in [("one", "1"), ("two", "1"), ("other", "2")])
    assert one == two != other


def test_a_row_of_the_table_is_measured(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, BENCHMARKS / "run.py", "--only", "canonical", "--tags", "1", "--runs", "1",
         "--work", tmp_path], check=True, capture_output=True, text=True)
    cells = [cell.strip() for cell in done.stdout.splitlines()[-1].split("|")]
    assert cells[1:3] == ["check, canonical, small pages", "850"]
    assert float(cells[5]) > 1
    assert sorted(folder.name for folder in tmp_path.iterdir()) == ["canonical-1"]
