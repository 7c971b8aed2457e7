"""The example for Dask gives the report of one run, on a cluster of two worker processes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from distributed import Client, LocalCluster

from cachelint import Settings, check
from cachelint.output.formats import FORMATS, PLAIN

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "catalog"
SCRIPT = ROOT / "examples" / "dask_catalog.py"


@pytest.fixture(scope="module")
def catalogs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a valid catalog and one with a defect of every kind."""
    folder = tmp_path_factory.mktemp("catalogs")
    shutil.copytree(EXAMPLE, folder / "sound")
    shutil.copytree(EXAMPLE, folder / "spoilt")
    cache = folder / "spoilt" / "_cache"
    for path, change in {
        "develop/yasm/specs.md": lambda text: re.sub(r'"num_specs": \d+', '"num_specs": 99', text),
        "develop/gcc/specs.md": lambda text: text.replace('"hash": "', '"hash": "0'),
        "v0.23.1/bash/specs.md": lambda text: text.removesuffix("---"),
        "develop-2025-03-30/re2/specs.md": lambda text: text.replace("package,", "package,  "),
    }.items():
        spoil(cache / path, change)
    # a hash on two pages, a tag that is listed nowhere, a file of the catalog with a wrong sum
    shutil.copytree(cache / "develop" / "swig", cache / "develop" / "swig-again")
    shutil.copytree(cache / "develop-2025-04-20", cache / "develop-2025-04-27")
    spoil(folder / "spoilt" / "_data" / "meta.yaml",
          lambda text: re.sub(r"(?m)^  count: \d+", "  count: 1", text))
    (folder / "spoilt" / "pages" / "tags" / "develop.md").unlink()
    return folder


def spoil(path: Path, change: Callable[[str], str]) -> None:
    """Change the text of a file."""
    before = path.read_text(encoding="utf-8")
    after = change(before)
    assert before != after
    path.write_text(after, encoding="utf-8")


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a folder."""
    return subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, text=True,
                          timeout=120, check=False)


def without_seconds(text: str) -> str:
    """Return a JSON report but for how long it took."""
    text, count = re.subn(r'"seconds": [0-9.]+', '"seconds": 0', text)
    assert count == 1, text
    return text


@pytest.fixture(scope="module")
def example() -> Iterator[ModuleType]:
    """Return the script as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(SCRIPT.parent)
        yield import_module(SCRIPT.stem)
    del sys.modules[SCRIPT.stem]


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """Return a cluster of two processes."""
    with LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as started:
        yield started


def test_script_gives_the_report_of_one_run(catalogs: Path) -> None:
    paths = ["spoilt/_cache/develop", "sound"]
    done = run(catalogs, str(SCRIPT), *paths, "--workers", "2")
    one = run(catalogs, "-m", "cachelint", "check", *paths, "--output-format", "json", "--jobs=1")
    assert without_seconds(done.stdout) == without_seconds(one.stdout), done.stderr
    assert done.returncode == one.returncode == 1


def test_cluster_of_two_processes(
    catalogs: Path, example: ModuleType, cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The work is really done elsewhere, and a running cluster can be named."""
    monkeypatch.chdir(catalogs)
    settings = Settings(exclude=("_cache/develop/swig",))
    paths = [".", "spoilt/_data/tags.yaml"]
    with Client(cluster) as client:  # type: ignore[no-untyped-call]
        processes = set(client.run(os.getpid).values())
        report = example.check_on(client, paths, settings)
    named = run(catalogs, str(SCRIPT), ".", "--scheduler", cluster.scheduler_address)
    assert len(processes) == 2
    assert os.getpid() not in processes
    expected = check(paths, settings=settings)
    assert {finding.code for finding in expected.findings} >= {
        "CL105", "CL301", "CL401", "CL603", "CL605", "CL607"}
    write = FORMATS["json"].load()
    assert without_seconds("".join(write(report, PLAIN))) == without_seconds(
        "".join(write(expected, PLAIN)))
    one = run(catalogs, "-m", "cachelint", "check", "--output-format", "json")
    assert without_seconds(named.stdout) == without_seconds(one.stdout)


def test_configuration_applies(
    catalogs: Path, cluster: LocalCluster, tmp_path: Path
) -> None:
    shutil.copytree(catalogs / "spoilt", tmp_path / "site")
    (tmp_path / "cachelint.toml").write_text('select = ["CL603"]\n', encoding="utf-8")
    done = run(tmp_path, str(SCRIPT), "--scheduler", cluster.scheduler_address)
    one = run(tmp_path, "-m", "cachelint", "check", "--output-format", "json")
    assert without_seconds(done.stdout) == without_seconds(one.stdout)
    assert done.returncode == 0


def test_baseline_applies(
    catalogs: Path, cluster: LocalCluster, tmp_path: Path
) -> None:
    shutil.copytree(catalogs / "spoilt", tmp_path / "site")
    run(tmp_path, "-m", "cachelint", "check", "--write-baseline", "known.json", "--select", "CL3")
    (tmp_path / "cachelint.toml").write_text('baseline = "known.json"\n', encoding="utf-8")
    done = run(tmp_path, str(SCRIPT), "--scheduler", cluster.scheduler_address)
    one = run(tmp_path, "-m", "cachelint", "check", "--output-format", "json")
    assert without_seconds(done.stdout) == without_seconds(one.stdout)
    assert '"suppressed": 0' not in done.stdout


@pytest.mark.parametrize(("path", "complaint"), [
    ("nowhere", "cachelint: nowhere: no such file or folder\n"),
    ("empty", "cachelint: empty: no pages here: expected _cache/<tag>/<package>/specs.md\n"),
])
def test_bad_paths(
    cluster: LocalCluster, tmp_path: Path, path: str, complaint: str
) -> None:
    (tmp_path / "empty").mkdir()
    done = run(tmp_path, str(SCRIPT), path, "--scheduler", cluster.scheduler_address)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", complaint)
