"""`--output-file FORMAT:PATH`: reports beside what goes to the screen."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cachelint.files import read_write
from cachelint.output import formats
from cli.test_main import STALE, Done, catalog, subprocess_of
from support import valid
from support.program import run_program
from support.valid import TAG

WHERE = f"_cache/{TAG}/zlib/specs.md"
CONCISE = (f"{WHERE}:5:50: CL301 num_specs is 3, but spec_details has 2 specs [fixable]\n"
           "Found 1 error in 1 page (1 fixable with \"cachelint fix\").\n")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a catalog of one stale page, in an empty environment."""
    for name in [*os.environ]:
        if name.startswith(("CACHELINT", "GITHUB_", "CI_", "NO_COLOR", "FORCE_COLOR")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    catalog(tmp_path, STALE)
    return tmp_path


def run(*arguments: str, **environment: str) -> Done:
    """Run the program in the working directory."""
    done = run_program(*arguments, environment={**os.environ, **environment})
    return Done(done.returncode, done.stdout, done.stderr)


def left(root: Path) -> set[str]:
    """Return the names of what lies beside the catalog."""
    return {path.name for path in root.iterdir()} - {"_cache", "_data"}


def timeless(text: str) -> str:
    text = re.sub(r'<dl class="origin">.*?</dl>', "", text, flags=re.DOTALL)  # command and date
    return re.sub(r'"seconds": [0-9.]+|time="[0-9.]+"', "", text)


def test_every_format_at_once_is_what_goes_to_the_screen(here: Path) -> None:
    options = [f"--output-file={name}:out:{name}.txt" for name in formats.FORMATS]
    done = run("check", "--output-format", "concise", *options)
    assert done == Done(1, CONCISE, "")
    assert left(here) == {f"out:{name}.txt" for name in formats.FORMATS}
    for name in formats.FORMATS:
        shown = run("check", "--output-format", name)
        text = (here / f"out:{name}.txt").read_text("utf-8")
        assert timeless(text) == timeless(shown.out)
        assert "num_specs is 3" in text


def test_a_file_is_whole_and_without_colour_whatever_the_screen_gets(here: Path) -> None:
    done = run("check", "--quiet", "--color", "always", "--statistics", "--output-file",
               "concise:a.txt", "--output-file", "full:b.txt", FORCE_COLOR="1")
    assert done.status == 1
    assert (here / "a.txt").read_text() == CONCISE
    text = (here / "b.txt").read_text()
    assert "\x1b" not in text
    assert "  --> " in text
    assert text.endswith(CONCISE.splitlines()[1] + "\n")


def test_fix_reports_what_is_left(here: Path) -> None:
    assert run("fix", "--diff", "--output-file", "concise:out.txt").status == 1
    assert (here / "out.txt").read_text() == "All checks passed: 1 page.\n"
    assert (here / WHERE).read_text() == STALE
    assert run("fix", "--output-file", "concise:out.txt").status == 0
    assert (here / WHERE).read_text() == valid.PAGE


def test_standard_input(here: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cachelint", "check", "-", "--output-file", "concise:out.txt"],
        input=STALE.encode(), capture_output=True, check=False)
    assert done.returncode == 1
    assert (here / "out.txt").read_text().startswith("<stdin>:5:50: CL301 ")


def test_a_file_that_is_there_is_replaced_whole(
    here: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (here / "out.txt").write_text("x" * 10_000)
    os.link(here / "out.txt", here / "old.txt")
    link = tmp_path_factory.mktemp("outside") / "link.txt"
    link.symlink_to(here / "out.txt")
    assert run("check", "--output-file", f"concise:{link}").status == 1
    assert (here / "out.txt").read_text() == CONCISE
    assert link.is_symlink()
    assert (here / "old.txt").read_text() == "x" * 10_000
    assert left(here) == {"out.txt", "old.txt"}


def test_what_is_not_a_file_is_written_to_and_stays(here: Path) -> None:
    done = subprocess_of(
        Path(), "check", "--output-format", "json", "--output-file", "concise:/dev/stderr")
    assert (done.status, done.err) == (1, CONCISE)
    os.mkfifo(here / "pipe")
    with subprocess.Popen(["cat", "pipe"], stdout=subprocess.PIPE, text=True) as reader:
        assert run("check", "--output-file", "concise:pipe").status == 1
        assert reader.communicate(timeout=30)[0] == CONCISE
    assert left(here) == {"pipe"}


def test_from_the_environment(here: Path) -> None:
    done = run("check", CACHELINT_CHECK_OUTPUT_FILE="concise:a.txt json:b.json")
    assert done.status == 1
    assert (here / "a.txt").read_text() == CONCISE
    assert (here / "b.json").read_text().startswith('{"version": 1,')


# name: (arguments, what the sentence must contain)
USAGE: dict[str, tuple[list[str], str]] = {
    "no colon": (["sarif"],
                 "invalid report 'sarif': expected FORMAT:PATH, such as sarif:cachelint.sarif"),
    "no path": (["sarif:"], "invalid report 'sarif:': expected FORMAT:PATH"),
    "no format": ([":x"], "unknown format ''"),
    "format like another": (["sarfi:x"], "unknown format 'sarfi': did you mean \"sarif\"?"),
    "format like none": (["xyzzy:x"], "unknown format 'xyzzy'"),
    "standard output": (["json:-"], "--output-format"),
    "twice": (["json:a.txt", "sarif:a.txt"], "a.txt: two reports cannot be written to one file"),
    "twice, spelled otherwise": (["json:a.txt", "json:./x/../a.txt"],
                                 "./x/../a.txt: two reports cannot be written to one file"),
    "no such folder": (["json:gone/a.txt"],
                       "gone/a.txt: cannot write the report: No such file or directory"),
    "a folder": (["json:_data"], "_data: cannot write the report: Is a directory"),
    "below a file": ([f"json:{WHERE}/a"], "cannot write the report: Not a directory"),
    "a name too long": ([f"json:{'x' * 200}/{'y' * 300}"], "cannot write the report: "),
    "control characters": (["\x1b[31m:x"], "unknown format '\\x1b[31m'"),
}


@pytest.mark.parametrize("command", ["check", "fix"])
@pytest.mark.parametrize(("values", "sentence"), USAGE.values(), ids=USAGE)
def test_bad_usage(here: Path, values: list[str], sentence: str, command: str) -> None:
    (here / "x").mkdir()
    done = run(command, "gone", *(f"--output-file={value}" for value in values))
    assert (done.status, done.out) == (2, "")
    [line] = done.err.splitlines()
    assert line.startswith("cachelint: ")
    assert sentence in line  # and not that `gone` is not there, which comes later
    assert left(here) == {"x"}


def test_a_report_that_cannot_be_finished_leaves_the_old_one(here: Path) -> None:
    (here / "out.txt").write_text("old")

    def pieces() -> object:
        yield "new"
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        read_write.write_text("out.txt", pieces())  # type: ignore[arg-type]
    assert (here / "out.txt").read_text() == "old"
    assert left(here) == {"out.txt"}


def test_a_report_that_cannot_be_finished_is_one_sentence(here: Path) -> None:
    if not os.path.exists("/dev/full"):  # noqa: PTH110
        pytest.skip("there is no /dev/full here")
    done = run("check", "--output-format", "concise", "--output-file", "json:/dev/full",
               "--output-file", "concise:out.txt")
    assert done == Done(2, CONCISE, "cachelint: /dev/full: cannot write the report: "
                                    "No space left on device\n")
    assert (here / "out.txt").read_text() == CONCISE


@pytest.mark.parametrize("broken", ["json", "concise"])
def test_a_format_in_which_the_program_fails_keeps_no_other_report_back(
    here: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    (here / "old.json").write_text("old")

    def fail(*_: object) -> Iterator[str]:
        yield "new"
        raise KeyError("x")

    monkeypatch.setattr(f"cachelint.output.{broken}.write", fail)
    done = run("check", "--output-format", "concise", "--output-file", "json:old.json",
               "--output-file", "sarif:out.sarif")
    assert done.status == 2
    assert f"internal error in the format {broken}, which is not complete; use another one: " \
        "KeyError: 'x' (please report it" in done.err
    assert json.loads((here / "out.sarif").read_text())["runs"]
    assert (done.out == CONCISE) == (broken == "json")
    assert ((here / "old.json").read_text() == "old") == (broken == "json")


def test_quiet_leaves_every_format_readable(here: Path) -> None:
    for name in formats.FORMATS:
        whole = timeless(run("check", "--output-format", name).out)
        quiet = timeless(run("check", "--output-format", name, "--quiet").out)
        assert quiet == (whole.removesuffix(CONCISE.splitlines()[1] + "\n")
                         if name in ("full", "concise", "github") else whole)


def test_statistics_go_beside_what_programs_read(here: Path) -> None:
    counts = ('1  CL301  num-specs\nFound 1 error in 1 page (1 fixable with "cachelint fix").\n')
    for name in ("json", "github", "sarif", "junit", "gitlab"):
        done = run("check", "--output-format", name, "--statistics")
        assert done.err == counts
        assert timeless(done.out) == timeless(run("check", "--output-format", name).out)
    assert run("check", "--statistics").out == counts
