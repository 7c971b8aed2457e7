"""A fresh environment with only the wheel runs everything: no file is read from the checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

from cachelint.document import schema
from support import valid

PROJECT = Path(__file__).parents[1]
SCHEMAS = sorted(path.name for path in (PROJECT / "schemas").glob("*.schema.json"))
ASSETS = sorted((PROJECT / "src/cachelint/output/html").glob("report.*"))


def call(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, in an environment that knows no other Python."""
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(("PYTHON", "VIRTUAL_ENV", "CACHELINT", "GITHUB_"))}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=500,
                          check=False, env=environment)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy of the sources, so that nothing is left in the checkout."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("src", "schemas", "man"):
        shutil.copytree(PROJECT / name, source / name,
                        ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for path in PROJECT.iterdir():
        if path.is_file():
            shutil.copy(path, source)
    done = call([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps",
                 "--disable-pip-version-check", "--wheel-dir", str(out), str(source)], out)
    assert done.returncode == 0, done.stdout + done.stderr
    [found] = out.iterdir()
    return found


def test_wheel_contains_the_schemas_and_the_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        for name in SCHEMAS:
            assert archive.read(f"cachelint/schemas/{name}") == (
                PROJECT / "schemas" / name).read_bytes()
        [metadata] = [name for name in names if name.endswith(".dist-info/METADATA")]
        described = archive.read(metadata).decode()
        for path in ASSETS:
            assert archive.read(f"cachelint/output/html/{path.name}") == path.read_bytes()
    assert SCHEMAS != []
    assert {path.suffix for path in ASSETS} == {".css", ".jinja", ".js"}
    assert "cachelint/py.typed" in names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"cachelint"}
    assert [name for name in names if "test" in name or name.endswith(".pyc")] == []
    assert "License-Expression: Apache-2.0 OR MIT" in described
    assert sum("/licenses/LICENSE" in name for name in names) >= 2


class Installed(NamedTuple):
    """A fresh environment in which nothing but the wheel was installed."""

    python: str
    cachelint: str
    folder: Path
    """Far from the checkout, with a copy of the example catalog."""


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("far")
    done = call([sys.executable, "-m", "venv", str(folder / "venv")], folder)
    assert done.returncode == 0, done.stdout + done.stderr
    done = call([str(folder / "venv/bin/pip"), "install", "--quiet", "--disable-pip-version-check",
                 str(wheel)], folder)
    assert done.returncode == 0, done.stdout + done.stderr
    shutil.copytree(PROJECT / "examples" / "catalog", folder / "catalog")
    return Installed(str(folder / "venv/bin/python"), str(folder / "venv/bin/cachelint"), folder)


def test_module_is_the_installed_one(installed: Installed) -> None:
    done = call([installed.python, "-c", "import cachelint; from cachelint.document import schema; "
                 "print(cachelint.__file__); print(schema._FOLDER)"], installed.folder)
    module, schemas = done.stdout.splitlines()
    assert Path(module).is_relative_to(installed.folder)
    assert Path(schemas).is_relative_to(installed.folder)


def test_example_is_checked(installed: Installed) -> None:
    done = call([installed.cachelint, "check", "catalog"], installed.folder)
    pages = len(list((installed.folder / "catalog" / "_cache").glob("*/*/specs.md")))
    assert (done.returncode, done.stdout, done.stderr) == (
        0, f"All checks passed: {pages} pages.\n", "")


def test_defects_are_found_and_fixed(installed: Installed) -> None:
    # which needs the schemas, jsonschema and the YAML parser
    by_hand = valid.PAGE.replace(valid.lines()["meta"], "meta:\n  num_specs: two").replace(
        valid.TAG, "v1")
    valid.write_catalog(installed.folder / "other", {"v1/zlib": by_hand}, {"v1": ["e4s", "root"]})
    done = call([installed.cachelint, "check", "other", "--output-format", "json"],
                installed.folder)
    assert done.stderr == ""
    codes = [finding["code"] for finding in json.loads(done.stdout)["findings"]]
    assert (done.returncode, set(codes)) == (1, {"CL201", "CL203"})
    done = call([installed.cachelint, "fix", "other"], installed.folder)
    assert (done.returncode, done.stdout) == (0, "All checks passed: 1 page.\n")
    page = installed.folder / "other/_cache/v1/zlib/specs.md"
    assert page.read_text() == valid.PAGE.replace(valid.TAG, "v1")


@pytest.mark.parametrize("name", schema.NAMES)
def test_schemas_are_printed(installed: Installed, name: str) -> None:
    done = call([installed.cachelint, "schema", name], installed.folder)
    assert done.returncode == 0
    assert done.stdout == (PROJECT / "schemas" / f"{name}.schema.json").read_text()


def test_page_of_a_report_is_written(installed: Installed) -> None:
    done = call([installed.cachelint, "check", "catalog", "--output-format", "html"],
                installed.folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert '<h1 id="claim">All checks passed: ' in done.stdout


def test_man_page_lies_where_man_looks(installed: Installed) -> None:
    page = Path(installed.python).parents[1] / "share" / "man" / "man1" / "cachelint.1"
    assert page.read_bytes() == (PROJECT / "man" / "cachelint.1").read_bytes()


def test_rules_are_explained(installed: Installed) -> None:
    done = call([installed.cachelint, "rule", "CL301"], installed.folder)
    assert done.returncode == 0
    assert done.stdout.startswith("CL301 num-specs (error)\n\n")


def test_editable_install_prints_the_schemas_of_the_checkout(tmp_path: Path) -> None:
    done = call([sys.executable, "-m", "cachelint", "schema", "page-current"], tmp_path)
    assert done.returncode == 0
    assert done.stdout == (PROJECT / "schemas" / "page-current.schema.json").read_text()


def test_every_schema_can_be_printed() -> None:
    assert sorted(f"{name}.schema.json" for name in schema.NAMES) == SCHEMAS
