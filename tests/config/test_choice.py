"""Which configuration file is used, and which is named when something is wrong."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import pytest

from support import valid
from support.program import run_program

STALE = valid.page(valid.meta(num_specs=3))
NOTHING, SPARED = 'root-stack = "root"\n', 'ignore = ["CL3"]\n'


class Done(NamedTuple):
    status: int
    out: str
    err: str


def run(*arguments: str, stdin: str | None = None, **environment: str) -> Done:
    clean = {key: value for key, value in os.environ.items()
             if not key.startswith(("CACHELINT", "GITHUB"))}
    done = run_program(*arguments, stdin=stdin or "", environment={**clean, **environment})
    assert "Traceback" not in done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder with the catalogs ``a`` and ``b/site``, each with a stale page."""
    for name in ("a", "b/site"):
        valid.write_catalog(tmp_path / name, {f"{valid.TAG}/zlib": STALE},
                            {valid.TAG: ["e4s", "root"]})
    monkeypatch.chdir(tmp_path)
    return tmp_path


WHERE = f"_cache/{valid.TAG}/zlib/specs.md"


@pytest.mark.parametrize(
    ("files", "folder", "paths", "used"),
    [
        ({}, ".", ["a"], None),
        ({"a/cachelint.toml": SPARED}, ".", ["a"], "a/cachelint.toml"),
        ({"a/cachelint.toml": SPARED}, ".", [f"a/{WHERE}"], "a/cachelint.toml"),
        ({"a/cachelint.toml": SPARED}, ".", [f"a/_cache/{valid.TAG}"], "a/cachelint.toml"),
        ({"a/cachelint.toml": SPARED}, ".", ["-", "--stdin-filename", f"a/{WHERE}"],
         "a/cachelint.toml"),
        ({"b/pyproject.toml": f"[tool.cachelint]\n{SPARED}"}, ".", ["b"], "b/pyproject.toml"),
        ({"b/cachelint.toml": SPARED}, ".", ["b/site"], "b/cachelint.toml"),
        ({"a/cachelint.toml": SPARED}, "b/site", [".", "../../b/site"], None),
        ({"a/cachelint.toml": SPARED}, "b", ["../a"], "../a/cachelint.toml"),
        # nearer to the working directory
        ({"a/cachelint.toml": SPARED, "cachelint.toml": NOTHING}, ".", ["a"], "cachelint.toml"),
        ({"a/cachelint.toml": SPARED, "b/cachelint.toml": NOTHING}, "b", ["../a"],
         "cachelint.toml"),
    ],
)
def test_nearest_to_the_working_directory_or_the_catalog(
    here: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], folder: str,
    paths: list[str], used: str | None,
) -> None:
    for name, content in files.items():
        (here / name).write_text(content)
    monkeypatch.chdir(here / folder)
    stdin = STALE if paths[0] == "-" else None
    shown = run("check", "--show-settings", *paths)
    assert shown.out.startswith(f"# Configuration file: {used or 'none'}\n")
    is_spared = used is not None and files.get(f"{folder}/{used}".removeprefix("./")) != NOTHING
    assert run("check", *paths, stdin=stdin).status == (0 if is_spared else 1)


def test_catalogs_with_different_files_are_an_error(here: Path) -> None:
    (here / "a/cachelint.toml").write_text(SPARED)
    (here / "my_cache").symlink_to(".")
    for folder in ("", "my_cache/"):
        done = run("check", *([f"{folder}a", f"{folder}b"] if folder else []))
        assert (done.status, done.out) == (2, "")
        assert done.err == (
            f"cachelint: the catalogs {folder}a and {folder}b/site have different configurations, "
            f"{folder}a/cachelint.toml and none: check them one by one, or use --config FILE\n")
    assert run("check", "--config", "a/cachelint.toml").status == 0
    assert run("check", "--isolated").status == 1


def test_catalog_around_the_working_directory_decides(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    valid.write_catalog(here / "a/examples/c", {f"{valid.TAG}/zlib": STALE}, {valid.TAG: ["root"]})
    (here / "a/examples/c/cachelint.toml").write_text(SPARED)
    monkeypatch.chdir(here / "a")
    assert run("check", "--show-settings").out.startswith("# Configuration file: none\n")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("CACHELINT_SELECT",
         'variable CACHELINT_SELECT has no effect: did you mean "CACHELINT_CHECK_SELECT"?'),
        ("CACHELINT_CHECK_SELCT",
         'variable CACHELINT_CHECK_SELCT is not an option: did you mean '
         '"CACHELINT_CHECK_SELECT"?'),
        ("CACHELINT_CHECK_XYZZYX", "variable CACHELINT_CHECK_XYZZYX is not an option"),
        ("CACHELINT_CHECK_SELECT", ""),
        ("CACHELINT_FIX_SELECT", ""),
        ("CACHELINT_TRACEBACK", ""),
        ("CACHELINT_MIRROR", ""),
    ],
)
def test_variable_that_is_not_an_option_is_named(here: Path, name: str, sentence: str) -> None:
    done = run("check", "a", **{name: "CL3"})
    assert done.err == (f"warning: {sentence}\n" if sentence else "")
    assert done.status == 1


@pytest.mark.parametrize("value", ["", ",", " , "])
def test_empty_selection_is_an_error(here: Path, value: str) -> None:
    done = run("check", "a", "--select", value)
    assert (done.status, done.out) == (2, "")
    assert "--select" in done.err
    assert "no rule is named: give codes, names or prefixes such as CL3" in done.err
    assert run("check", "a", "--ignore", value).status == 1


@pytest.mark.parametrize("command", ["check", "fix"])
@pytest.mark.parametrize("option", ["--diff-base", "--write-baseline"])
def test_standard_input_has_no_base_and_no_baseline_to_write(
    here: Path, command: str, option: str
) -> None:
    if (command, option) == ("fix", "--write-baseline"):
        return
    done = run(command, "-", option, "x", "--stdin-filename", f"a/{WHERE}", stdin=STALE)
    assert (done.status, done.out) == (2, "")
    assert f"{option} does not work with a page from standard input" in done.err
    assert not (here / "x").exists()
