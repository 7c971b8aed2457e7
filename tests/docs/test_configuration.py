"""docs/configuration.md: every setting has its example, and each does what is described."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from cachelint.document import schema
from support.program import run_program

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
KNOWN = '{"version": 1, "findings": []}'


def run(folder: Path, *arguments: str) -> CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items()
             if not key.startswith(("CACHELINT", "GITHUB"))}
    return run_program(*arguments, folder=folder, environment=clean)


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "examples/catalog", tmp_path / "catalog")
    return tmp_path / "catalog"


def test_every_setting_has_a_heading_and_an_example() -> None:
    keys = schema.load("configuration")["properties"].keys()
    headings = {name for line in re.findall("^## (.*)$", TEXT, re.MULTILINE)
                for name in line.split(", ")}
    assert keys <= headings
    assert {key for text in EXAMPLES for key in tomllib.loads(text)} == keys


def test_every_setting_has_what_an_editor_shows() -> None:
    for key, setting in schema.load("configuration")["properties"].items():
        assert setting["title"], key
        assert setting["description"], key


@pytest.mark.parametrize("text", EXAMPLES, ids=lambda text: text.split()[0])
def test_example_is_right(catalog: Path, text: str) -> None:
    (catalog / "cachelint.toml").write_text(text, encoding="utf-8")
    (catalog / "known.json").write_text(KNOWN)
    assert run(catalog, "check", "--quiet").returncode == 0
    shown = run(catalog, "check", "--show-settings")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert tomllib.loads(shown.stdout).items() >= tomllib.loads(text).items()


@pytest.mark.parametrize(("text", "shown"), [
    ('ignore = ["CL1"]\n[severity]\nmising-root = "error"\n', 0),
    ('ignore = ["unstable-order"]\n[per-file-ignores]\n"_cache/v0.22.*/**" = ["CL5"]\n', 2),
])
def test_output_is_as_shown(catalog: Path, text: str, shown: int) -> None:
    (catalog / "cachelint.toml").write_text(text)
    command, said = re.findall(r"```console\n\$ (.*?)\n(.*?)```", TEXT, re.DOTALL)[shown]
    done = run(catalog, *command.split()[1:])
    assert done.stdout + done.stderr == said


def test_change_of_the_configuration_is_shown_as_documented(catalog: Path) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments], cwd=catalog,
            check=True, capture_output=True)

    (catalog / "cachelint.toml").write_text('ignore = ["CL506"]\n')
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "x")
    git("update-ref", "refs/remotes/origin/main", "HEAD")
    (catalog / "cachelint.toml").write_text('ignore = ["CL3"]\n')
    command, output = re.findall(r"```console\n\$ (.*?)\n(.*?)```", TEXT, re.DOTALL)[1]
    done = run(catalog, *command.split()[1:])
    assert output.splitlines() == done.stdout.splitlines()[:1]
    assert (done.returncode, done.stderr) == (0, "")
