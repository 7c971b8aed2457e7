"""`--diff-base`: what a pull request changes of its own check, in a real git repository."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from support.program import run_program

EXAMPLE = Path(__file__).parents[2] / "examples/catalog"
PAGE = "_cache/develop-2025-03-30/py-pyproject-metadata/specs.md"
STALE = ('"num_specs": 31', '"num_specs": 30')
KNOWN = json.dumps({"version": 1, "findings": [
    {"catalog": ".", "path": PAGE, "rule": "CL301", "pointer": "/meta/num_specs", "count": 1}]})
NOTHING = '{"version": 1, "findings": []}'
Files = dict[str, str | None]
"""Contents by path; None for a file that is removed."""
ENVIRONMENT = {
    **os.environ, "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1",
}


def git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], env=ENVIRONMENT, check=True, capture_output=True)


def commit(files: Files) -> None:
    """Write files, or remove them, and commit."""
    for name, content in files.items():
        path = Path(name)
        if content is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
    git("add", "-A")
    git("commit", "-q", "--allow-empty", "-m", "x")


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Files], None]:
    """Make a repository with a stale page on its branch ``topic``."""
    def begin(base: Files) -> None:
        shutil.copytree(EXAMPLE, tmp_path / "top")
        monkeypatch.chdir(tmp_path / "top")
        git("init", "-q", "-b", "main")
        commit(base)
        git("checkout", "-qb", "topic")
        page = Path(PAGE)
        page.write_text(page.read_text(encoding="utf-8").replace(*STALE), encoding="utf-8")

    return begin


def run(*options: str, command: str = "check") -> tuple[list[tuple[str, str, str]], str, int]:
    """Run against the base; return codes, paths and messages, standard error, exit status."""
    done = run_program(command, "--diff-base", "main", "--output-format", "json", *options)
    assert "Traceback" not in done.stderr
    findings = json.loads(done.stdout)["findings"] if done.stdout else []
    assert done.stdout or done.returncode == 2, done.stderr
    return ([(each["code"], each["path"], each["message"]) for each in findings
             if each["code"] in ("CL301", "CL805")], done.stderr, done.returncode)


FOUND = ("CL301", PAGE, "num_specs is 30, but spec_details has 31 specs")
DIFFERS = "the configuration differs from the base revision in "

# files of the base, files of the branch, CL805, whether CL301 is found
CASES: dict[str, tuple[Files, Files, list[tuple[str, str]], bool]] = {
    "nothing": ({}, {}, [], True),
    "same": ({"cachelint.toml": 'ignore = ["CL5"]'}, {}, [], True),
    "comment": ({"cachelint.toml": 'ignore = ["CL5"]'},
                {"cachelint.toml": '# why\nignore = ["CL5"]'}, [], True),
    "changed": ({"cachelint.toml": 'ignore = ["CL5"]'}, {"cachelint.toml": 'ignore = ["CL3"]'},
                [("cachelint.toml", f"{DIFFERS}ignore")], False),
    "added": ({}, {"cachelint.toml": 'exclude = ["*"]'},
              [("cachelint.toml", "the configuration is new, with exclude")], False),
    "added and empty": ({}, {"cachelint.toml": ""}, [], True),
    "removed": ({"cachelint.toml": "severity.CL506 = 'error'"}, {"cachelint.toml": None},
                [("cachelint.toml", "the configuration was removed, with severity")], True),
    "moved": ({"cachelint.toml": 'ignore = ["CL5"]'},
              {"cachelint.toml": None, ".cachelint.toml": 'ignore = ["CL5"]'}, [], True),
    "nearer": ({".cachelint.toml": "root-stack = 'a'"}, {"cachelint.toml": 'ignore = ["ALL"]'},
               [("cachelint.toml", f"{DIFFERS}ignore, root-stack")], False),
    "other part of pyproject": ({"pyproject.toml": "[tool.cachelint]\n[tool.a]\nb = 1"},
                                {"pyproject.toml": "[tool.cachelint]\n[tool.a]\nb = 2"}, [], True),
    "pyproject": ({"pyproject.toml": "[tool.a]"},
                  {"pyproject.toml": "[tool.a]\n[tool.cachelint]\nselect = ['CL1']"},
                  [("pyproject.toml", "the configuration is new, with select")], False),
    "hidden by itself": ({}, {"cachelint.toml": (
        'exclude = ["*"]\nignore = ["ALL", "CL805"]\nseverity.gate-changed = "error"\n'
        'per-file-ignores."*" = ["CL805", "ALL"]')},
        [("cachelint.toml",
          "the configuration is new, with exclude, ignore, per-file-ignores, severity")], False),
    "was invalid": ({"cachelint.toml": "exclude = ["}, {"cachelint.toml": ""}, [
        ("cachelint.toml", "the configuration is invalid at the base revision: cachelint.toml:1: "
         "invalid TOML: invalid value")], True),
    "baseline": ({"cachelint.toml": 'baseline = "known.json"', "known.json": NOTHING},
                 {"known.json": KNOWN},
                 [("known.json", "the baseline differs from the base revision: 1 known finding "
                   "added, 0 removed")], False),
    "baseline written in another way": (
        {"cachelint.toml": 'baseline = "known.json"', "known.json": KNOWN},
        {"known.json": f"\n{KNOWN}"}, [], False),
    "baseline and configuration": (
        {}, {"cachelint.toml": 'baseline = "known.json"', "known.json": KNOWN},
        [("cachelint.toml", "the configuration is new, with baseline"),
         ("known.json", "the baseline differs from the base revision: 1 known finding added, 0 "
          "removed")], False),
}


@pytest.mark.parametrize(("base", "topic", "expected", "is_found"), CASES.values(), ids=CASES)
def test_change_of_the_gate_is_a_finding(
    start: Callable[[Files], None], base: Files,
    topic: Files, expected: list[tuple[str, str]], is_found: bool,
) -> None:
    start(base)
    commit(topic)
    found, _, status = run()
    assert [(path, message) for code, path, message in found if code == "CL805"] == expected
    assert (FOUND in found) == is_found
    assert status == is_found


NOT_USED = "cachelint.toml is not used: it is not the configuration of the base revision"
NOTES = {
    "nothing": [],
    "same": [],
    "changed": ["cachelint.toml is used as it is at the base revision"],
    "added": [NOT_USED],
    "removed": ["cachelint.toml is used as it is at the base revision"],
    "nearer": [NOT_USED],
    "hidden by itself": [NOT_USED],
    "baseline": ["known.json is used as it is at the base revision"],
    "baseline and configuration": [NOT_USED],
}


@pytest.mark.parametrize("name", NOTES)
def test_base_decides(start: Callable[[Files], None], name: str) -> None:
    base, topic, _, _ = CASES[name]
    start(base)
    commit(topic)
    found, complaint, status = run("--config-from-base")
    assert (found, status) == ([FOUND], 1)
    assert complaint == "".join(f"warning: {note}\n" for note in NOTES[name])


@pytest.mark.parametrize("options", [
    ["--ignore", "CL805"], ["--ignore", "ALL"], ["--select", "CL4"], ["--baseline", "all.json"],
    ["--exit-zero"],
])
def test_no_option_hides_it(
    start: Callable[[Files], None], options: list[str]
) -> None:
    entry = {"path": "cachelint.toml", "rule": "CL805", "pointer": "", "count": 9}
    start({"all.json": json.dumps({"version": 1, "findings": [entry]})})
    commit({"cachelint.toml": 'root-stack = "a"'})
    found, _, _ = run(*options)
    assert ("CL805", "cachelint.toml", "the configuration is new, with root-stack") in found
    assert run(*options, "--strict", "--ignore", "ALL")[2] == (options != ["--exit-zero"])


def test_fix_reports_it_too(start: Callable[[Files], None]) -> None:
    start({})
    commit({"cachelint.toml": 'ignore = ["CL3"]'})
    assert [code for code, _, _ in run(command="fix")[0]] == ["CL805"]
    assert not run("--config-from-base", command="fix")[0]
    assert STALE[0] in Path(PAGE).read_text(encoding="utf-8")


def test_options_choose_what_is_compared(start: Callable[[Files], None]) -> None:
    start({"other.toml": 'ignore = ["CL5"]', "cachelint.toml": ""})
    commit({"other.toml": 'ignore = ["CL3"]', "new.toml": 'ignore = ["CL3"]', "known.json": KNOWN})
    assert run()[0] == [FOUND]
    assert run("--isolated")[0] == [FOUND]
    assert run("--config", "other.toml")[0] == [("CL805", "other.toml", f"{DIFFERS}ignore")]
    assert run("--config", "other.toml", "--config-from-base")[0] == [FOUND]
    assert run("--config", "new.toml", "--config-from-base")[0] == [FOUND]
    assert run("--isolated", "--baseline", "known.json")[0] == [
        ("CL805", "known.json",
         "the baseline differs from the base revision: 1 known finding added, 0 removed")]
    found, complaint, _ = run("--baseline", "known.json", "--config-from-base")
    assert found == [FOUND]
    assert "warning: known.json is not used: it does not exist at the base revision\n" in complaint
    commit({"other.toml": "x"})
    found, complaint, _ = run("--config", "other.toml", "--config-from-base")
    assert found == [FOUND]
    assert "warning: the configuration is invalid, and used as it is at the base" in complaint


def test_file_outside_of_the_checkout_is_the_users(
    start: Callable[[Files], None]
) -> None:
    start({})
    commit({})
    Path("../cachelint.toml").write_text('ignore = ["CL3"]')
    assert run()[0] == run("--config-from-base")[0] == []


def test_catalog_in_a_subfolder(
    start: Callable[[Files], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    start({})
    commit({"_cache/cachelint.toml": 'ignore = ["CL3"]'})
    monkeypatch.chdir("_cache")
    assert run()[0] == [("CL805", "cachelint.toml", "the configuration is new, with ignore")]
    (code, path, _), = run("--config-from-base")[0]
    assert (code, path) == ("CL301", PAGE.removeprefix("_cache/"))


def test_link_at_the_base_is_not_followed(
    start: Callable[[Files], None]
) -> None:
    start({"real.toml": 'ignore = ["CL3"]'})
    git("checkout", "-q", "main")
    Path("cachelint.toml").symlink_to("real.toml")
    commit({})
    git("checkout", "-qB", "topic")
    page = Path(PAGE)
    page.write_text(page.read_text(encoding="utf-8").replace(*STALE), encoding="utf-8")
    found, complaint, status = run("--config-from-base")
    assert (found, status) == ([], 2)
    assert complaint == ("cachelint: cachelint.toml: cannot read the configuration: it is a link "
                         "at the base revision\n")


def test_base_needs_a_revision(start: Callable[[Files], None]) -> None:
    start({})
    done = run_program("check", "--config-from-base")
    assert done.returncode == 2
    assert done.stderr == "cachelint: --config-from-base needs --diff-base\n"
