"""The command line: exit status, output byte for byte, arguments, and how it ends."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from jsonschema import Draft202012Validator

from cachelint.cli import main as program
from cachelint.cli import printing
from cachelint.files import read_write
from cachelint.output import formats
from cachelint.runner import run as runner
from support import valid

GOLDEN = Path(__file__).parents[1] / "golden"
PAGE = valid.PAGE
TAG = valid.TAG
STALE = valid.page(valid.meta(num_specs=3))
UNSORTED_VARIANTS = {"variants": ["+shared", "build_system=makefile"]}
WITH_WARNING = valid.page(None, valid.specs(0, **UNSORTED_VARIANTS))
STALE_WITH_WARNING = valid.page(valid.meta(num_specs=3), valid.specs(0, **UNSORTED_VARIANTS))
BAD_HASH = valid.page(None, valid.specs(0, hash=valid.FIRST[:-1]))
STALE_AND_TWICE = valid.page(valid.meta(num_specs=3), valid.specs(1, hash=valid.FIRST))
WITH_TOTALS = {name for name, row in formats.FORMATS.items() if row.ends_with_totals}
WHERE = f"_cache/{TAG}/zlib/specs.md"


class Done(NamedTuple):
    """How a run ended."""

    status: int
    out: str
    err: str


Run = Any
"""Runs the program in this process: arguments, and the bytes of standard input."""


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove colours and GitHub from the environment."""
    for name in [*os.environ]:
        if name.startswith(("CACHELINT", "GITHUB_", "NO_COLOR", "FORCE_COLOR")):
            monkeypatch.delenv(name)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run the program within this process, in an empty folder."""

    def call(*arguments: str, stdin: bytes = b"") -> Done:
        monkeypatch.setattr(sys, "argv", ["cachelint", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            program.main()
        assert isinstance(ended.value.code, int)
        return Done(ended.value.code, *capsys.readouterr())

    return call


def catalog(root: Path, page: str | bytes = PAGE, **pages: str | bytes) -> None:
    """Write a catalog of one page, zlib, and others by package."""
    valid.write_catalog(
        root, {f"{TAG}/zlib": page, **{f"{TAG}/{name}": text for name, text in pages.items()}},
        {TAG: ["e4s", "root"]})


def subprocess_of(root: Path, *arguments: str, **environment: str) -> Done:
    """Run the program in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "cachelint", *arguments], cwd=root, capture_output=True, text=True,
        timeout=60, check=False, env={**os.environ, **environment})
    return Done(done.returncode, done.stdout, done.stderr)


# ------------------------------------------------------------------------------- exit status

# name: (page, arguments, status)
STATUS: dict[str, tuple[str, list[str], int]] = {
    "check, sound": (PAGE, ["check"], 0),
    "check, error": (STALE, ["check"], 1),
    "check, error that has no fix": (BAD_HASH, ["check"], 1),
    "check, warning": (WITH_WARNING, ["check"], 0),
    "check, warning, strict": (WITH_WARNING, ["check", "--strict"], 1),
    "check, sound, strict": (PAGE, ["check", "--strict"], 0),
    "check, error, exit zero": (STALE, ["check", "--exit-zero"], 0),
    "check, warning, strict, exit zero": (WITH_WARNING, ["check", "--strict", "--exit-zero"], 0),
    "check, error not selected": (STALE, ["check", "--select", "CL4"], 0),
    "check, error selected by name": (STALE, ["check", "--select", "num-specs,CL4"], 1),
    "check, error ignored": (STALE, ["check", "--ignore", "CL3"], 0),
    "check, error ignored, warning, strict": (
        STALE_WITH_WARNING, ["check", "--ignore", "CL301", "--strict"], 1),
    "check, error, statistics": (STALE, ["check", "--statistics"], 1),
    "check, error, quiet": (STALE, ["check", "--quiet"], 1),
    "check, bad usage, exit zero": (PAGE, ["check", "--exit-zero", "gone"], 2),
    "fix, sound": (PAGE, ["fix"], 0),
    "fix, error": (STALE, ["fix"], 0),
    "fix, error that has no fix": (BAD_HASH, ["fix"], 1),
    "fix, page left alone": (STALE_AND_TWICE, ["fix"], 1),
    "fix, warning that has no fix": (WITH_WARNING, ["fix"], 0),
    "fix, warning that has no fix, strict": (WITH_WARNING, ["fix", "--strict"], 1),
    "fix, warning with a fix, strict": (PAGE + "\n", ["fix", "--strict"], 0),
    "fix, error, warning left, strict": (STALE_WITH_WARNING, ["fix", "--strict"], 1),
    "fix, error left, exit zero": (BAD_HASH, ["fix", "--exit-zero"], 0),
    "fix, error, non-zero on fix": (STALE, ["fix", "--exit-non-zero-on-fix"], 1),
    "fix, warning, non-zero on fix": (PAGE + "\n", ["fix", "--exit-non-zero-on-fix"], 1),
    "fix, sound, non-zero on fix": (PAGE, ["fix", "--exit-non-zero-on-fix"], 0),
    "fix, nothing selected, non-zero on fix": (
        STALE, ["fix", "--select", "CL4", "--exit-non-zero-on-fix"], 0),
    "fix, error, non-zero on fix, exit zero": (
        STALE, ["fix", "--exit-non-zero-on-fix", "--exit-zero"], 0),
    "fix, bad usage": (PAGE, ["fix", "gone"], 2),
    "diff, sound": (PAGE, ["fix", "--diff"], 0),
    "diff, change due": (STALE, ["fix", "--diff"], 1),
    "diff, change due for a warning": (PAGE + "\n", ["fix", "--diff"], 1),
    "diff, error that has no fix": (BAD_HASH, ["fix", "--diff"], 1),
    "diff, warning that has no fix": (WITH_WARNING, ["fix", "--diff"], 0),
    "diff, change due, exit zero": (STALE, ["fix", "--diff", "--exit-zero"], 0),
    "diff, page left alone": (STALE_AND_TWICE, ["fix", "--diff"], 1),
    "diff, bad usage": (PAGE, ["fix", "--diff", "gone"], 2),
    "rule": (PAGE, ["rule"], 0),
    "schema": (PAGE, ["schema"], 0),
    "version": (PAGE, ["--version"], 0),
    "help": (PAGE, ["check", "--help"], 0),
}
MENDED = {"fix, error", "fix, warning with a fix, strict", "fix, error, non-zero on fix",
          "fix, warning, non-zero on fix", "fix, error, non-zero on fix, exit zero"}


@pytest.mark.parametrize("name", STATUS)
def test_exit_status(run: Run, here: Path, name: str) -> None:
    page, arguments, status = STATUS[name]
    catalog(here, page)
    done = run(*arguments)
    assert done.status == status, done
    left = (here / WHERE).read_text()
    if name in MENDED:
        assert left == PAGE
    elif name == "fix, error, warning left, strict":
        assert left == WITH_WARNING
    else:
        assert left == page


def test_fault_of_the_program(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalog(here)

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("no\nway")

    monkeypatch.setattr(runner, "check", fail)
    assert run("check", "--exit-zero") == Done(2, "", (
        "cachelint: internal error: RuntimeError: no\\nway "
        "(please report it, with the output of CACHELINT_TRACEBACK=1)\n"))


# ------------------------------------------------------------------------------- usage

# name: (arguments, what the sentence must contain)
USAGE: dict[str, tuple[list[str], str]] = {
    "command": (["chek"], "unknown command 'chek': did you mean \"check\"?"),
    "command like none": (["xyzzy"], "unknown command 'xyzzy'"),
    "option": (["check", "--selct", "CL3"], "--select"),
    "option of fix": (["fix", "--dif"], "--diff"),
    "option of another command": (
        ["check", "--diff"], 'check has no option --diff: use "cachelint fix --diff"'),
    "check that fixes": (["check", "--fix"], 'check has no option --fix: use "cachelint fix"'),
    "fix that checks": (
        ["fix", "--check", "_cache"], 'fix has no option --check: use "cachelint check", or '
        '"cachelint fix --diff" to see what would change'),
    "rule's code": (["check", "--select", "CL3O1"], 'unknown rule "CL3O1": did you mean "CL301"?'),
    "rule's name": (["check", "--ignore", "num-spec"],
                    'unknown rule "num-spec": did you mean "num-specs"?'),
    "one rule of several": (["check", "--extend-select", "CL3,duplicate-hsh"],
                            'unknown rule "duplicate-hsh": did you mean "duplicate-hash"?'),
    "rule to explain": (["rule", "trailing-whitspace"],
                        'unknown rule "trailing-whitspace": did you mean "trailing-whitespace"?'),
    "schema": (["schema", "page-curent"],
               "unknown schema 'page-curent': did you mean \"page-current\"?"),
    "path": (["check", f"_cache/{TAG}/zlb"],
             f"_cache/{TAG}/zlb: no such file or folder; did you mean _cache/{TAG}/zlib?"),
    "path of fix": (["fix", "_cach"], "_cach: no such file or folder; did you mean _cache?"),
    "folder without a page": (["check", "_data"], "_data: no pages here: expected "
                              "_cache/<tag>/<package>/specs.md"),
    "output format": (["check", "--output-format", "jsn"], "'json'"),
    "colour": (["check", "--color", "sometimes"], "'always'"),
    "no jobs": (["check", "--jobs", "0"], "--jobs"),
    "jobs": (["check", "--jobs", "many"], "--jobs"),
    "argument missing": (["check", "--select"], "--select"),
    "argument too many": (["rule", "CL301", "CL302"], "CL302"),
    "configuration": (["check", "--config", "gone.toml"], "gone.toml"),
    "list of files": (["check", "--files-from", "gone.txt"], "gone.txt"),
    "path in a list of files": (["check", "--files-from", "list.txt"],
                                "gone.md: no such file or folder"),
    "standard input and a path": (["check", "-", "_cache"], "- (standard input)"),
    "a file of the catalog on standard input": (
        ["fix", "-", "--stdin-filename", "_data/tags.yaml"], "only pages are read from"),
    "a configuration and none": (["check", "--isolated", "--config", "c.toml"], "--isolated"),
    "name for standard input alone": (["check", "--stdin-filename", "specs.md"],
                                      "--stdin-filename"),
    "control characters": (["check", "\x1b[31m\r\n::error::"], "\\x1b[31m\\r\\n::error::: no such "
                           "file or folder"),
}


@pytest.mark.parametrize(("arguments", "sentence"), USAGE.values(), ids=USAGE)
def test_bad_usage(run: Run, here: Path, arguments: list[str], sentence: str) -> None:
    catalog(here)
    (here / "list.txt").write_text(f"{WHERE}\ngone.md\n")
    done = run(*arguments)
    assert (done.status, done.out) == (2, "")
    [line] = done.err.splitlines()
    assert line.startswith("cachelint: ")
    assert sentence in line
    assert line.isprintable()


def test_no_command_shows_the_help(run: Run) -> None:
    done = run()
    assert done.status == 2
    assert "Commands:\n  check " in done.err


# name: (file, its text, what the sentence must be)
CONFIGURATION: dict[str, tuple[str, str, str]] = {
    "unknown key": ("cachelint.toml", '# x\nselct = ["CL3"]\n',
                    'cachelint.toml:2: unknown setting "selct": did you mean "select"?'),
    "wrong type": (".cachelint.toml", 'ignore = []\nselect = "CL3"\n',
                   '.cachelint.toml:2: wrong type of select: '
         'expected a list, found the string "CL3"'),
    "unknown rule": ("cachelint.toml", '\n\nignore = ["CL3", "num-spec"]\n',
                     'cachelint.toml:3: in ignore: unknown rule "num-spec": did you mean '
                     '"num-specs"?'),
    "in pyproject.toml": ("pyproject.toml", "[tool.cachelint]\nmax-page-size = 0\n",
                          "pyproject.toml:2: invalid max-page-size: expected at least 1, found 0"),
    "in pyproject.toml, the right table": (
        "pyproject.toml", "[tool.ruff]\nselect = 1\n\n[tool.cachelint]\nselect = 7\n",
        "pyproject.toml:5: wrong type of select: expected a list, found the number 7"),
}


@pytest.mark.parametrize(("name", "text", "sentence"), CONFIGURATION.values(), ids=CONFIGURATION)
def test_bad_configuration(run: Run, here: Path, name: str, text: str, sentence: str) -> None:
    catalog(here)
    (here / name).write_text(text)
    for command in ("check", "fix"):
        assert run(command) == Done(2, "", f"cachelint: {sentence}\n")
    assert run("check", "--isolated").status == 0


def test_configuration_is_the_nearest_upwards(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog(here / "site", STALE)
    (here / "cachelint.toml").write_text('ignore = ["CL3"]\n')
    (here / "other.toml").write_text('select = ["CL301"]\n')
    (here / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert run("check").status == 0
    assert run("check", "--isolated").status == 1
    assert run("check", "--config", "other.toml").status == 1
    assert run("check", "--select", "CL3", "--ignore", "CL4").status == 1  # options win
    monkeypatch.chdir(here / "site")
    assert run("check").status == 0
    assert run("check", "--verbose").err.startswith("configuration: ../cachelint.toml\n")
    (here / "site" / "pyproject.toml").write_text("[tool.cachelint]\nignore = []\n")
    assert run("check").status == 1
    assert run("check", "--isolated", "--verbose").err.startswith("configuration: none\n")


@pytest.mark.parametrize("arguments", [["check"], ["fix", "-"], ["check", "--isolated", "/"]])
def test_working_directory_that_is_gone(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    (here / "gone").mkdir()
    monkeypatch.chdir(here / "gone")
    (here / "gone").rmdir()
    done = subprocess.run([sys.executable, "-m", "cachelint", *arguments], stdin=subprocess.DEVNULL,
                          capture_output=True, encoding="utf-8", check=False)
    monkeypatch.chdir(here)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "cachelint: the working directory does not exist: change to another one\n")


# ------------------------------------------------------------------------------- output


def golden_catalog(root: Path) -> None:
    """Write a catalog with a few defects: errors and warnings, on short lines and long ones."""
    page = valid.page(None, valid.specs(0, hash=f"{valid.FIRST[:-1]}0"))
    by_hand = PAGE.replace(valid.lines()["meta"], """meta:
  compilers: [gcc@11.4.0]
  num_specs: 2
  num_specs_by_stack: {e4s: 1, root: 2}
  oss: [ubuntu22.04]  # the only one
  platforms: [linux]
  stacks: [e4s, root]
  targets: [x86_64_v3]
  versions: [1.2.13]""")
    valid.write_catalog(root, {
        f"{TAG}/bzip2": page.replace('"zlib"', '"bzip2"') + "\n",
        f"{TAG}/empty": b"",
        f"{TAG}/zlib": STALE,
        "v0.23.1/zlib": by_hand.replace(TAG, "v0.23.1"),
    }, {TAG: ["e4s", "root"], "v0.23.1": ["root"]})


OUTPUTS = {
    "full.txt": ["--output-format", "full"],
    "full-color.txt": ["--output-format", "full", "--color", "always"],
    "concise.txt": ["--output-format", "concise"],
    "concise-color.txt": ["--output-format", "concise", "--color", "always"],
    "report.json": ["--output-format", "json"],
    "github.txt": ["--output-format", "github"],
    "github-color.txt": ["--output-format", "github", "--color", "always"],
    "statistics.txt": ["--statistics"],
    "quiet.txt": ["--quiet", "--output-format", "concise"],
}


@pytest.mark.parametrize(("name", "arguments"), OUTPUTS.items(), ids=OUTPUTS)
def test_output(run: Run, here: Path, name: str, arguments: list[str]) -> None:
    golden_catalog(here)
    done = run("check", *arguments)
    out = re.sub(r'"seconds": [0-9.]+', '"seconds": 0.0', done.out)
    if os.environ.get("UPDATE_GOLDEN"):
        (GOLDEN / name).write_bytes(out.encode())
    assert out == (GOLDEN / name).read_bytes().decode()
    assert (done.status, done.err) == (1, "")


def test_json_report_matches_its_schema(run: Run, here: Path) -> None:
    golden_catalog(here)
    report = json.loads(run("check", "--output-format", "json").out)
    schema = json.loads(run("schema", "report").out)
    Draft202012Validator(schema).validate(report)
    assert report["version"] == 1
    levels = [finding["severity"] for finding in report["findings"]]
    assert report["summary"] | {"seconds": 0} == {
        "pages": 4, "errors": levels.count("error"), "warnings": levels.count("warning"),
        "fixable": sum(finding["fixable"] for finding in report["findings"]), "suppressed": 0,
        "seconds": 0}


def test_output_of_a_valid_catalog(run: Run, here: Path) -> None:
    catalog(here)
    assert run("check") == Done(0, "All checks passed: 1 page.\n", "")
    assert run("check", "--quiet") == Done(0, "", "")
    assert run("check", "--output-format", "github") == Done(0, "All checks passed: 1 page.\n", "")
    assert run("fix") == Done(0, "All checks passed: 1 page.\n", "")


def test_page_of_a_report_is_whole_whatever_else_is_printed(run: Run, here: Path) -> None:
    golden_catalog(here)
    done = run("check", "--output-format", "html")
    assert (done.status, done.err) == (1, "")
    assert done.out.startswith("<!doctype html>\n")
    assert done.out.endswith("</html>\n")
    assert "Found 8 errors and 1 warning in 4 pages" in done.out

    def without_origin(page: str) -> str:
        return re.sub(r'<dl class="origin">.*?</dl>', "", page, flags=re.DOTALL)

    quiet = run("check", "--output-format", "html", "--quiet", "--color", "always")
    assert without_origin(quiet.out) == without_origin(done.out)
    statistics = run("check", "--output-format", "html", "--statistics")
    assert (without_origin(statistics.out), statistics.err) == (
        without_origin(done.out), (GOLDEN / "statistics.txt").read_text(encoding="utf-8"))


def test_output_of_fix(run: Run, here: Path) -> None:
    catalog(here, STALE_WITH_WARNING, abc=STALE_AND_TWICE.replace('"zlib"', '"abc"'))
    done = run("fix", "--output-format", "concise", "--ignore", "CL608")
    assert done == Done(1, (
        f"_cache/{TAG}/abc/specs.md:5:50: CL301 num_specs is 3, but spec_details has 2 specs\n"
        f"_cache/{TAG}/abc/specs.md:6:301: CL402 duplicate hash {valid.FIRST}: "
        "also used by the 1st spec, abc@1.3.1\n"
        f"{WHERE}:6:192: CL506 warning: variants are not sorted by name: build_system comes "
        "before shared\n"
        "Found 2 errors and 1 warning in 2 pages.\n"
    ), (
        f"Fixed {WHERE}: CL301\n"
        f"skipped _cache/{TAG}/abc/specs.md: CL402 duplicate-hash: duplicate hash {valid.FIRST}: "
        "also used by the 1st spec, abc@1.3.1\n"
        "Fixed 1 finding in 1 file.\n"
    ))


def test_fix_lists_files_with_their_rules(run: Run, here: Path) -> None:
    names = [f"p{number:02}" for number in range(23)]
    stale = valid.page(valid.meta(num_specs=3, versions=["1"])) + "\n"
    catalog(here, PAGE, **{name: stale.replace('"zlib"', f'"{name}"') for name in names})
    before = {path: path.read_bytes() for path in here.rglob("*.md")}
    shown = run("fix", "--diff", "--select", "CL3,CL505")
    written = run("fix", "--select", "CL3,CL505")
    listed = [f"_cache/{TAG}/{name}/specs.md: CL301, CL308, CL505" for name in names[:20]]
    assert written == Done(0, "All checks passed: 24 pages.\n", "".join(
        f"Fixed {each}\n" for each in listed)
        + "Fixed 3 more files: --output-format json lists them\nFixed 69 findings in 23 files.\n")
    assert [line for line in shown.err.splitlines() if line.startswith("Would")] == [
        *(f"Would fix {each}" for each in listed),
        "Would fix 3 more files: --output-format json lists them",
        "Would fix 69 findings in 23 files."]
    for path, content in before.items():
        path.write_bytes(content)
    assert run("fix", "--quiet", "--select", "CL3,CL505") == Done(0, "", "")
    for path, content in before.items():
        path.write_bytes(content)
    report = json.loads(run("fix", "--output-format", "json").out)
    Draft202012Validator(json.loads(run("schema", "report").out)).validate(report)
    assert report["fixed"] == [
        {"path": f"_cache/{TAG}/{name}/specs.md", "rules": {"CL301": 1, "CL308": 1, "CL505": 1}}
        for name in names]
    assert report["summary"]["fixed"] == 69
    assert "fixed" not in json.loads(run("check", "--output-format", "json").out)


def test_a_hook_that_fixes_leaves_findings_to_the_check(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog(here, STALE, abc=BAD_HASH.replace('"zlib"', '"abc"'))
    monkeypatch.setenv("PRE_COMMIT", "1")
    assert run("fix", "--fixes-only", "--ignore", "CL6") == Done(
        1, "Found 1 error in 2 pages.\n",
        f"Fixed {WHERE}: CL301\nFixed 1 finding in 1 file.\n"
        'Next: stage the fixed files with "git add", and commit again.\n')
    again = run("fix", "--fixes-only", "--ignore", "CL6")
    assert again == Done(1, "Found 1 error in 2 pages.\n", "")


# environment of a terminal, and whether codes are hyperlinks in it
LINKS: dict[str, tuple[dict[str, str], bool]] = {
    "unknown": ({"TERM": "xterm-256color"}, False),
    "kitty": ({"TERM": "xterm-kitty"}, True),
    "GNOME": ({"TERM": "xterm-256color", "VTE_VERSION": "7600"}, True),
    "old GNOME": ({"TERM": "xterm-256color", "VTE_VERSION": "4804"}, False),
    "Windows": ({"WT_SESSION": "x"}, True),
    "VS Code": ({"TERM_PROGRAM": "vscode"}, True),
    "Apple": ({"TERM_PROGRAM": "Apple_Terminal"}, False),
    "tmux": ({"TERM_PROGRAM": "vscode", "TMUX": "/tmp/x"}, False),
    "screen": ({"TERM": "screen-256color", "VTE_VERSION": "7600"}, False),
    "CI": ({"TERM": "xterm-kitty", "CI": "true"}, False),
    "forced": ({"FORCE_HYPERLINK": "1", "TERM": "screen"}, True),
    "forbidden": ({"FORCE_HYPERLINK": "0", "TERM": "xterm-kitty"}, False),
}


@pytest.mark.parametrize(("environment", "expected"), LINKS.values(), ids=LINKS)
def test_hyperlinks_only_where_they_are_known_to_work(
    environment: dict[str, str], expected: bool
) -> None:
    assert printing._takes_links(environment) is expected


def test_output_of_diff(run: Run, here: Path) -> None:
    catalog(here, PAGE + "\n")
    done = run("fix", "--diff", "--output-format", "concise")
    assert done == Done(1, (
        f"--- a/{WHERE}\n+++ b/{WHERE}\n@@ -7 +7 @@\n----\n+---\n\\ No newline at end of file\n"
    ), f"Would fix {WHERE}: CL505\nAll checks passed: 1 page.\nWould fix 1 finding in 1 file.\n")


def test_diff_shows_lines_with_control_characters_escaped(run: Run, here: Path) -> None:
    catalog(here, PAGE.replace("\n", "\r\n") + "\r\n\x1b[31m\x07 by hand")
    done = run("fix", "--diff")
    assert done.status == 1
    assert all(line[:1] in "-+@" and line.isprintable() for line in done.out.splitlines())
    assert "-layout: cache\\r\n" in done.out
    assert "+layout: cache\n" in done.out
    assert "\\x1b[31m\\x07 by hand" not in done.out  # the body is not changed


# ------------------------------------------------------------------------------- colours

# name: (arguments, environment, whether coloured)
COLOURS: dict[str, tuple[list[str], dict[str, str], bool]] = {
    "no terminal": ([], {}, False),
    "always": (["--color", "always"], {}, True),
    "never": (["--color", "never"], {}, False),
    "NO_COLOR": ([], {"NO_COLOR": "1"}, False),
    "FORCE_COLOR": ([], {"FORCE_COLOR": "1"}, True),
    "FORCE_COLOR, but empty": ([], {"FORCE_COLOR": ""}, False),
    "both": ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    "the option wins over NO_COLOR": (["--color", "always"], {"NO_COLOR": "1"}, True),
    "the option wins over FORCE_COLOR": (["--color", "never"], {"FORCE_COLOR": "1"}, False),
}


@pytest.mark.parametrize(("arguments", "environment", "coloured"), COLOURS.values(), ids=COLOURS)
def test_colour(
    run: Run, here: Path, arguments: list[str], environment: dict[str, str], coloured: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    catalog(here, STALE)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert ("\x1b[" in run("check", *arguments).out) == coloured


@pytest.mark.parametrize(("environment", "coloured"), [
    ({"TERM": "xterm"}, True), ({"TERM": "dumb"}, False),
    ({"TERM": "xterm", "NO_COLOR": "1"}, False),
])
def test_colour_on_a_terminal(here: Path, environment: dict[str, str], coloured: bool) -> None:
    catalog(here, STALE)
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "cachelint", "check"], cwd=here, stdout=theirs, timeout=60,
        check=False, env={**os.environ, **environment})
    os.close(theirs)
    shown = os.read(ours, 65536)
    os.close(ours)
    assert done.returncode == 1
    assert (b"\x1b[" in shown) == coloured


def test_github_is_the_default_under_github_actions(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog(here, STALE)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert run("check").out.startswith("::error title=CL301 num-specs,")
    assert run("check", "--output-format", "full").out.startswith("CL301 num-specs: ")


# ------------------------------------------------------------------------------- paths


@pytest.mark.parametrize("separator", [b"\n", b"\r\n", b"\0"], ids=["lines", "CRLF", "NUL"])
@pytest.mark.parametrize("source", ["-", "list.txt"])
def test_files_from(run: Run, here: Path, separator: bytes, source: str) -> None:
    catalog(here, STALE, abc=STALE, other=STALE)
    listed = separator.join([WHERE.encode(), f"./_cache/{TAG}/abc/specs.md".encode(), b""])
    (here / "list.txt").write_bytes(listed)
    done = run("check", "--files-from", source, "--select", "CL301", "--output-format", "concise",
               stdin=listed)
    assert done.status == 1
    assert [line.split(":")[0] for line in done.out.splitlines()] == [
        f"_cache/{TAG}/abc/specs.md", WHERE,
        'Found 2 errors in 2 pages (2 fixable with "cachelint fix").']


@pytest.mark.parametrize("listed", [b"", b"\n\n", b"\0"], ids=["empty", "blank", "NUL"])
def test_empty_list_of_files_is_not_an_error(run: Run, here: Path, listed: bytes) -> None:
    catalog(here, STALE)
    assert run("check", "--files-from", "-", stdin=listed) == Done(
        0, "All checks passed: 0 pages.\n", "")
    assert run("fix", "--files-from", "-", stdin=listed) == Done(
        0, "All checks passed: 0 pages.\n", "")
    assert (here / WHERE).read_text() == STALE


@pytest.mark.parametrize("command", [
    "check --files-from /dev/zero", "check --files-from - </dev/zero", "check - </dev/zero",
    "fix - </dev/zero", "check --files-from link"])
def test_input_without_an_end(here: Path, command: str) -> None:
    (here / "link").symlink_to("/dev/zero")
    done = subprocess.run(f"{sys.executable} -m cachelint {command}", shell=True, cwd=here,
                          capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith(": larger than 67,108,864 bytes\n")


def test_list_of_files_beside_paths(run: Run, here: Path) -> None:
    catalog(here, STALE, abc=STALE)
    done = run("check", f"_cache/{TAG}/abc", "--files-from", "-", stdin=WHERE.encode())
    assert done.out.endswith(' in 2 pages (2 fixable with "cachelint fix").\n')


def test_list_of_files_with_names_that_are_not_utf8(run: Run, here: Path) -> None:
    catalog(here)
    name = os.fsdecode(b"z\xff.md")
    (here / name).write_text(STALE)
    done = run("check", "--files-from", "-", "--output-format", "concise", stdin=b"z\xff.md\n")
    assert done.status == 1
    assert done.out.startswith("z\\xff.md:5:50: CL301 ")


def test_standard_input(run: Run, here: Path) -> None:
    done = run("check", "-", "--output-format", "concise", stdin=STALE.encode())
    assert done == Done(1, (
        "<stdin>:5:50: CL301 num_specs is 3, but spec_details has 2 specs [fixable]\n"
        "Found 1 error in 1 page (1 fixable with \"cachelint fix\").\n"), "")
    assert run("check", "-", stdin=PAGE.encode()) == Done(0, "All checks passed: 1 page.\n", "")


def test_standard_input_with_a_name(run: Run, here: Path) -> None:
    catalog(here)
    named = f"_cache/{TAG}/zstd/specs.md"
    done = run("check", "-", "--stdin-filename", named, "--output-format", "concise",
               stdin=PAGE.encode())
    assert done.status == 1
    assert done.out.startswith(f'{named}:2:8: CL601 title is "zlib", expected "zstd"')


def test_standard_input_is_checked_by_the_stacks_of_its_tag(run: Run, here: Path) -> None:
    catalog(here)
    page = valid.page(None, valid.specs(0, stacks=["e4s", "root", "strange"]))
    done = run("check", "-", "--stdin-filename", WHERE, "--output-format", "concise",
               stdin=page.encode())
    assert done.status == 1
    assert f"{WHERE}:6:" in done.out
    assert " CL604 " in done.out


def test_fix_of_standard_input(run: Run, here: Path) -> None:
    assert run("fix", "-", stdin=STALE.encode()) == Done(0, PAGE, "All checks passed: 1 page.\n")
    assert run("fix", "-", stdin=PAGE.encode()) == Done(0, PAGE, "All checks passed: 1 page.\n")
    done = run("fix", "-", "--exit-non-zero-on-fix", stdin=STALE.encode())
    assert (done.status, done.out) == (1, PAGE)
    refused = run("fix", "-", "--output-format", "concise", stdin=STALE_AND_TWICE.encode())
    assert (refused.status, refused.out) == (1, STALE_AND_TWICE)
    assert refused.err.endswith(f"skipped <stdin>: CL402 duplicate-hash: duplicate hash "
                                f"{valid.FIRST}: also used by the 1st spec, zlib@1.3.1\n")
    different = run("fix", "-", "--diff", "--stdin-filename", "x.md", stdin=(PAGE + "\n").encode())
    assert different.status == 1
    assert different.out == (
        "--- a/x.md\n+++ b/x.md\n@@ -7 +7 @@\n----\n+---\n\\ No newline at end of file\n")


def test_git_applies_a_diff(run: Run, here: Path) -> None:
    catalog(here, STALE + "\n")
    (here / "pages" / "tags").mkdir(parents=True, exist_ok=True)
    (here / "_cache" / "v1.0" / "zlib").mkdir(parents=True)
    (here / "_cache" / "v1.0" / "zlib" / "specs.md").write_text(PAGE.replace(TAG, "v1.0"))
    (here / "_data" / "tags.yaml").write_text("".join(
        f"- name: {tag}\n  stacks:\n  - e4s\n  - root\n" for tag in (TAG, "v1.0")))
    subprocess.run(["git", "init", "-q"], cwd=here, check=True)
    diff = run("fix", "--diff")
    assert "--- /dev/null\n+++ b/pages/tags/v1.0.md\n@@ -0,0 +1,5 @@\n" in diff.out
    subprocess.run(["git", "apply", "--unidiff-zero", "-"], cwd=here, check=True,
                   input=diff.out.encode())
    assert run("check", "--quiet") == Done(0, "", "")


@pytest.mark.parametrize("output", sorted(set(formats.FORMATS) - WITH_TOTALS))
def test_a_diff_and_a_report_for_programs_do_not_share_an_output(
    run: Run, here: Path, output: str
) -> None:
    catalog(here, STALE)
    assert run("fix", "--diff", "--output-format", output) == Done(2, "", (
        f"cachelint: --diff and --output-format {output} both need standard output: use "
        f"--output-file {output}:PATH\n"))
    done = run("fix", "--diff", "--output-file", f"{output}:report")
    assert (done.status, done.out.startswith("--- a/")) == (1, True)
    assert (here / "report").stat().st_size > 0


def test_statistics_without_totals(run: Run, here: Path) -> None:
    catalog(here, STALE)
    assert run("check", "--statistics", "--quiet") == Done(1, "1  CL301  num-specs\n", "")


def test_an_output_that_is_full(here: Path) -> None:
    catalog(here, STALE)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-m", "cachelint", "check"], cwd=here, stdout=full,
                              stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        2, "cachelint: cannot write the output: No space left on device\n")


def test_paths_are_relative_to_the_working_directory(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog(here / "site", STALE)
    shown = {}
    for folder, path in [(".", "site"), ("site", "."), ("site", "_cache"),
                         (f"site/_cache/{TAG}/zlib", "specs.md"), ("site/_data", ".."),
                         ("site", str(here / "site"))]:
        monkeypatch.chdir(here / folder)
        line = run("check", path, "--output-format", "concise").out
        shown[folder, path.removeprefix(str(here))] = line.split(":")[0]
    assert shown == {
        (".", "site"): f"site/{WHERE}", ("site", "."): WHERE,
        ("site", "_cache"): WHERE,
        (f"site/_cache/{TAG}/zlib", "specs.md"): "specs.md",
        ("site/_data", ".."): f"../{WHERE}", ("site", "/site"): WHERE,
    }


@pytest.mark.parametrize(("command", "out", "err"), [
    ("check", "All checks passed: 0 pages.\n", ""),
    ("fix", STALE, "All checks passed: 0 pages.\n"),
])
def test_excluded_page_on_standard_input_is_not_counted(
    run: Run, here: Path, command: str, out: str, err: str
) -> None:
    catalog(here, STALE)
    (here / "cachelint.toml").write_text(f'exclude = ["_cache/{TAG}/**"]\n')
    assert run(command, "-", "--stdin-filename", WHERE, stdin=STALE.encode()) == Done(0, out, err)


def test_exclusion_applies_wherever_the_program_runs(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog(here, STALE)
    (here / "cachelint.toml").write_text(f'exclude = ["_cache/{TAG}/**"]\n')
    for folder, path in [(".", "."), (".", WHERE), ("_cache", "."), (f"_cache/{TAG}", "zlib"),
                         (f"_cache/{TAG}/zlib", "specs.md")]:
        monkeypatch.chdir(here / folder)
        assert run("check", path).status == 0, (folder, path)


# ------------------------------------------------------------------------------- hostile text

HOSTILE = "\x1b[31m\n::error file=x::forged\r\x9b2J\u202e\u2028::warning::x"


def test_text_of_pages_and_names_of_files_is_inert(run: Run, here: Path) -> None:
    spec = {"compiler": HOSTILE, "os": "</script>", "variants": [HOSTILE], "versions": [HOSTILE],
            "stacks": [HOSTILE, "root"], "hash": HOSTILE, HOSTILE: HOSTILE}
    page = valid.page(valid.meta(**{HOSTILE: 1}), valid.specs(0, **spec)).replace(
        "layout: cache", f"layout: {json.dumps(HOSTILE)}")
    package = HOSTILE.replace("/", "")
    valid.write_catalog(here, {f"{TAG}/{package}": page, f"::error::x/{package}": STALE}, {})
    stray = here / "_cache" / TAG / f"{HOSTILE}.md"
    stray.write_text("---\n---\n")
    for arguments in (["check"], ["fix"], ["fix", "--diff"]):
        # a diff does not go with a report for programs
        for output in WITH_TOTALS if "--diff" in arguments else formats.FORMATS:
            done = run(*arguments, "--output-format", output)
            text = done.out + done.err
            assert done.status == 1
            assert all(line.isprintable() for line in text.split("\n")), (arguments, output)
            commands = [line for line in text.split("\n") if line.startswith("::")]
            assert all(re.match(r"::(error|warning) title=(CL\d{3} [a-z0-9-]+,|cachelint::)", line)
                       for line in commands)
            assert (commands != []) == (output == "github")
    report = json.loads(run("check", "--output-format", "json").out)
    assert {HOSTILE.encode("utf-16"), stray.name.encode("utf-16")} & {
        part.encode("utf-16") for finding in report["findings"]
        for part in finding["path"].split("/")} != set()


# ------------------------------------------------------------------------------- other commands


def test_rules_are_listed_and_explained(run: Run) -> None:
    listed = run("rule").out.splitlines()
    assert all(re.match(r"CL\d{3}  [a-z0-9-]+ +(error  |warning)  \S", line) for line in listed)
    assert listed == sorted(listed)
    assert [line[:5] for line in listed if line.endswith("(off by default)")] == ["CL507"]
    explained = run("rule", "CL301").out
    assert explained.startswith("CL301 num-specs (error)\n\n")
    assert "\nExample\n" in explained
    assert "\nUse instead\n" in explained
    assert run("rule", "num-specs").out == explained
    assert run("rule", "cl301").out == explained
    group = run("rule", "CL30").out
    assert re.findall(r"^CL\d{3}", group, re.MULTILINE) == [f"CL30{n}" for n in range(1, 9)]
    assert run("rule", "CL301", "--output-format", "markdown").out.startswith(
        '<a id="cl301"></a>\n\n### CL301 num-specs\n\nError · fixable: in `meta` · ')


def test_rules_as_json_match_their_schema(run: Run) -> None:
    rules = json.loads(run("rule", "--output-format", "json").out)
    Draft202012Validator(json.loads(run("schema", "rules").out)).validate(rules)
    [num_specs] = [each for each in rules if each["code"] == "CL301"]
    assert num_specs["name"] == "num-specs"
    assert num_specs["severity"] == "error"
    assert num_specs["fixable"] is True
    assert num_specs["default"] is True
    assert num_specs["since"] == "0.1.0"


def test_schemas_are_listed_and_printed(run: Run) -> None:
    names = run("schema").out.splitlines()
    assert {"page-current", "page-tarball", "page-legacy", "tags", "tag-page", "configuration",
            "report"} <= set(names)
    for name in names:
        schema = json.loads(run("schema", name).out)
        Draft202012Validator.check_schema(schema)
        assert {"$schema", "$id", "title", "description"} <= set(schema)


# ------------------------------------------------------------------------------- processes


def seven_tags(root: Path) -> None:
    """Write a catalog of seven tags, each with defects of its own."""
    pages: dict[str, str | bytes] = {}
    stacks = {}
    for number, tag in enumerate(["develop", "v1.0", "v1", "v10", "v2", "v2-1", "weekly"]):
        stacks[tag] = ["e4s", "root"]
        for package, page in {"abc": STALE, "zlib": BAD_HASH, "zlib-ng": PAGE}.items():
            text = page.replace(TAG, tag).replace('"zlib"', f'"{package}"')
            text = text.replace("4", str(2 + number % 6)) if package == "zlib-ng" else text
            pages[f"{tag}/{package}"] = text + "\n" * (number % 3)
    valid.write_catalog(root, pages, stacks)


@pytest.mark.parametrize("arguments", [
    ["check", "--output-format", "json"], ["check", "--output-format", "full"],
    ["fix", "--diff", "--output-format", "concise"],
], ids=["json", "full", "diff"])
def test_output_depends_on_no_number_of_processes(here: Path, arguments: list[str]) -> None:
    seven_tags(here)
    outputs = set()
    for jobs in ("1", "2", "3"):
        done = subprocess_of(here, *arguments, "--jobs", jobs, PYTHONHASHSEED=jobs)
        out = re.sub(r'"seconds": [0-9.]+', '"seconds": 0.0', done.out)
        outputs.add((done.status, out, done.err))
    [(status, out, err)] = outputs
    assert status == 1
    assert len(out) + len(err) > 5000


def test_fix_by_several_processes(here: Path) -> None:
    seven_tags(here)
    done = subprocess_of(here, "fix", "--jobs", "3", "--statistics", "--select", "CL301,CL505")
    assert (done.status, done.out) == (0, "All checks passed: 21 pages.\n")
    assert done.err.splitlines()[:2] == [
        "Fixed _cache/develop/abc/specs.md: CL301", "Fixed _cache/v1.0/abc/specs.md: CL301, CL505"]
    assert done.err.endswith("Fixed 19 findings in 15 files.\n")
    assert subprocess_of(here, "fix", "--jobs", "2", "--select", "CL301,CL505").err == ""


def test_module_is_the_program(here: Path) -> None:
    catalog(here, STALE)
    done = subprocess_of(here, "check", "--output-format", "concise")
    assert done == Done(1, (
        f"{WHERE}:5:50: CL301 num_specs is 3, but spec_details has 2 specs [fixable]\n"
        "Found 1 error in 1 page (1 fixable with \"cachelint fix\").\n"), "")
    assert subprocess_of(here, "--help").out.startswith("Usage: ")


def test_output_that_cannot_be_encoded(here: Path) -> None:
    catalog(here, STALE.replace('"zlib"', '"zlib\u00e9"'))
    done = subprocess_of(here, "check", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.status == 1
    assert done.err == ""
    assert done.out.isascii()


def test_reader_that_has_seen_enough(here: Path) -> None:
    pages = {f"{TAG}/p{number}": STALE for number in range(300)}
    valid.write_catalog(here, pages, {})
    with subprocess.Popen([sys.executable, "-m", "cachelint", "check"], cwd=here,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() != b""
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 141


# name: (what the shell runs, status, standard output, standard error)
CLOSED = {
    "output": ("check >&-", 2, "", "cachelint: standard output is closed\n"),
    "input": ("check - <&-", 2, "", "cachelint: standard input is closed\n"),
    "input, a list": ("check --files-from - <&-", 2, "", "cachelint: standard input is closed\n"),
    "input, not read": ("check <&-", 0, "All checks passed: 1 page.\n", ""),
    "error": ("check --verbose 2>&-", 0, "All checks passed: 1 page.\n", ""),
    "error, and a usage error": ("check gone 2>&-", 2, "", ""),
    "output and error": ("check >&- 2>&-", 2, "", ""),
    "full error": ("check gone 2>/dev/full", 2, "", ""),
    "full error, and a diff": ("fix --diff _cache 2>/dev/full", 2, "", ""),
}


@pytest.mark.parametrize(("command", "status", "out", "err"), CLOSED.values(), ids=CLOSED)
def test_a_closed_stream_is_a_sentence(
    here: Path, command: str, status: int, out: str, err: str
) -> None:
    catalog(here)
    done = subprocess.run(f"{sys.executable} -m cachelint {command}", shell=True, cwd=here,
                          capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (status, out, err)


def test_formats_for_programs_and_diffs_are_utf8_in_any_locale(here: Path) -> None:
    catalog(here, STALE.replace("build_system=makefile", "build_system=\u00e9"))
    for arguments in (["check", "--output-format", "junit"], ["fix", "--diff"],
                      ["rule", "--output-format", "markdown"]):
        done = subprocess.run(
            [sys.executable, "-m", "cachelint", *arguments], cwd=here, capture_output=True,
            timeout=60, check=False,
            env={**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"})
        assert not done.stdout.isascii(), arguments
        assert ("\u00e9" if arguments[0] == "fix" else "…") in done.stdout.decode("utf-8")


def test_findings_come_before_messages_where_both_go_to_one_file(here: Path) -> None:
    catalog(here, STALE_WITH_WARNING)
    done = subprocess.run(
        [sys.executable, "-m", "cachelint", "fix", "--verbose", "--output-format", "concise"],
        cwd=here, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
        check=False)
    assert [line.split(" ")[0] for line in done.stdout.splitlines()] == [
        "configuration:", "Fixed", f"{WHERE}:6:192:", "Found", "1", "Fixed"]


@pytest.mark.parametrize("path", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
@pytest.mark.parametrize(("redirect", "kept"), [(">", ""), (">>", "kept\n")])
def test_report_to_standard_output_that_is_a_file(
    here: Path, redirect: str, kept: str, path: str
) -> None:
    catalog(here, STALE)
    (here / "log").write_text("kept\n")
    subprocess.run(f"{sys.executable} -m cachelint check --output-format concise --output-file "
                   f"concise:{path} {redirect} log", shell=True, cwd=here, timeout=60, check=False)
    log = (here / "log").read_text()
    assert log.startswith(kept)
    assert log.count(" CL301 ") == 2
    assert log.endswith("fix\").\n")


def test_job_summary_that_cannot_be_written_is_a_warning(here: Path) -> None:
    catalog(here)
    for path in ("/dev/full", str(here), str(here / "gone/summary")):
        done = subprocess.run(
            [sys.executable, "-m", "cachelint", "check", "--output-format", "github"], cwd=here,
            env={**os.environ, "GITHUB_STEP_SUMMARY": path}, capture_output=True, text=True,
            timeout=60, check=False)
        assert done.returncode == 0
        assert done.stderr.startswith(f"warning: cannot write the job summary: {path}: ")


def test_lines_that_begin_with_a_path_are_not_commands(run: Run, here: Path) -> None:
    valid.write_catalog(here / " ::add-mask::x", {f"{TAG}/zlib": STALE}, {})
    out = run("check", "--output-format", "concise", "--select", "CL3").out
    assert out.startswith(f"./ ::add-mask::x/{WHERE}:5:50: CL301 ")
    assert not re.search(r"(?m)^\s*::", out)


# reads pages so slowly that an interrupt comes in the middle
SLOW = """
import sys, time
from cachelint.files import read_write
from cachelint.cli.main import program
real = read_write.read
def slowly(path, *arguments, **named):
    print("reading", file=sys.stderr, flush=True)
    time.sleep(0.3)
    return real(path, *arguments, **named)
read_write.read = slowly
program()
"""


@pytest.mark.parametrize("command", ["check", "fix"])
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_interrupt(here: Path, command: str, jobs: str) -> None:
    seven_tags(here)
    with subprocess.Popen(
        [sys.executable, "-c", SLOW, command, "--jobs", jobs], cwd=here, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:
        assert process.stderr is not None
        while "reading" not in (line := process.stderr.readline()):
            assert line, "the program ended before it read a page"
        time.sleep(0.4)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does, to every process
        out, err = process.communicate(timeout=60)
    # two processes may write it on one line
    said = [line for line in err.replace("reading", "").split("\n") if line]
    assert said == ["cachelint: interrupted"]
    assert (process.returncode, out) == (130, "")
    assert [path.name for path in here.rglob("*") if path.is_file() and path.name not in (
        "specs.md", "tags.yaml")] == []
    assert read_write.names(str(here)) == ["_cache", "_data"]
