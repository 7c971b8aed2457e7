"""The command `diff`: its arguments, its files and its exit status."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from subprocess import CompletedProcess

import jsonschema
import pytest

from cachelint.document import schema
from support.program import run_program

EXAMPLE = Path(__file__).parents[2] / "examples/catalog"
FROZEN = "_cache/develop-2025-03-30/re2/specs.md"


def run(*arguments: str) -> CompletedProcess[str]:
    return run_program("diff", *arguments)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the example in `site` and a changed page in it, and a copy in `old`."""
    monkeypatch.chdir(tmp_path)
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    shutil.copytree(EXAMPLE, "site")
    for arguments in (("init", "-q", "-b", "main"), ("add", "-A"),
                      ("-c", "user.name=a", "-c", "user.email=a", "commit", "-qm", "base")):
        subprocess.run(["git", *arguments], check=True)
    shutil.copytree(EXAMPLE, tmp_path / "old")
    page = tmp_path / "site" / FROZEN
    page.write_text(page.read_text("utf-8").replace('"size": "-"', '"size": "7"', 1), "utf-8")
    monkeypatch.chdir("site")
    return tmp_path


def test_a_revision(folder: Path) -> None:
    base = subprocess.check_output(["git", "rev-parse", "HEAD"], text=True)[:12]
    for arguments, side in (([], "HEAD"), (["main"], "main"), (["--", "main"], "main")):
        done = run(*arguments)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.splitlines()[0] == f"1 of 23 pages changed since {base} ({side})."
    assert "    ~ re2@2024-07-02/" in run("main", "--package", "re2").stdout


def test_two_folders(folder: Path) -> None:
    done = run("../old", ".", "--jobs", "2", "--no-progress")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("1 of 23 pages changed since ../old.\n")
    done = run("../old", "../old")
    assert (done.returncode, done.stderr, done.stdout) == (
        0, "", "Nothing changed: 23 pages compared with ../old.\n")


def test_formats_and_files(folder: Path) -> None:
    done = run("../old", ".", "--output-format", "json", "--output-file", "text:../a.txt",
               "--output-file", "markdown:../a.md")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    jsonschema.Draft202012Validator(schema.load("diff")).validate(document)
    assert [page["path"] for page in document["pages"]] == [FROZEN]
    assert Path("../a.txt").read_text("utf-8") == run("../old", ".").stdout
    assert Path("../a.md").read_text("utf-8") == run(
        "../old", ".", "--output-format", "markdown").stdout


@pytest.mark.parametrize(("arguments", "message"), [
    (["a", "b", "c"], "expected a revision, or two folders"),
    (["nowhere"], 'unknown revision "nowhere"; fetch it first, as with git fetch origin'),
    (["../old"], 'unknown revision "../old"; fetch it first, as with git fetch origin; '
                 "OLD and NEW are two folders"),
    (["../old", "main"], "main: expected a folder: two arguments are two folders, and one is a "
                         "revision"),
    (["--tag", "devlop"], 'unknown tag "devlop": neither side has a page of it; did you mean '
                          '"develop"?'),
    (["--package", "zzz"], 'unknown package "zzz": neither side has a page of it'),
    (["../old", ".", "--config-from-base"], "--config-from-base needs a revision"),
    (["--output-file", "sarif:x"], "unknown format 'sarif'"),
    (["--output-file", "jsn:x"], "unknown format 'jsn': did you mean \"json\"?"),
    (["--output-file", "json"], "invalid report 'json': expected FORMAT:PATH, such as "
                                "json:diff.json"),
    (["--output-file", "json:nowhere/x"], "nowhere/x: cannot write the report"),
    (["--output-format", "html"], "'html' is not one of 'text', 'json', 'markdown'"),
])
def test_bad_usage(folder: Path, arguments: list[str], message: str) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("cachelint: ")
    assert message in done.stderr
    assert "--diff-base" not in done.stderr


def test_configuration_decides_what_is_frozen(folder: Path) -> None:
    assert "\nfrozen tags *  develop-2025-03-30\n" in run().stdout
    Path("cachelint.toml").write_text('mutable-tags = ["develop-2025-03-30"]\n', "utf-8")
    done = run()
    assert "frozen tags" not in done.stdout
    note = "cachelint.toml: the configuration is new, with mutable-tags"
    assert f"\nNotes:\n  {note}\n" in done.stdout
    assert "\nfrozen tags *  develop-2025-03-30\n" in run("--config-from-base").stdout
    assert "\nfrozen tags *  develop-2025-03-30\n" in run("--isolated").stdout
    assert "frozen tags" not in run("../old", ".").stdout


def test_configuration_without_effect_here_is_not_read(folder: Path) -> None:
    Path("cachelint.toml").write_text('baseline = "nowhere.json"\n', "utf-8")
    assert run().returncode == 0


def test_outside_of_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shutil.copytree(EXAMPLE, tmp_path / "site"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    done = run()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "cachelint: . is not in a git repository\n"
