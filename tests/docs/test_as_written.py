"""README.md and the documentation, as someone types them who has nothing yet but Python and git."""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from support import repository

ROOT = Path(__file__).parents[2]
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\]8;.*?\x1b\\|[^\n\r\f]*\r(?!\n)")
"""Colours, hyperlinks, and lines of progress."""


class Newcomer(NamedTuple):
    """Someone with an empty home, in front of a terminal or not."""

    folder: Path
    environment: dict[str, str]
    is_at_terminal: bool

    def run(self, *commands: str, folder: Path | None = None) -> list[str]:
        """Run commands one after the other in one shell, and return what each prints.

        Each ends with 0, or with 1 because something was found.
        """
        script = "".join(f"{command}\nprintf '\\f%s\\f' $?\n" for command in commands)
        leader, follower = pty.openpty() if self.is_at_terminal else os.pipe()
        running = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-c", script], cwd=folder or self.folder,
            env=self.environment, stdout=follower, stderr=follower,
            stdin=follower if self.is_at_terminal else subprocess.DEVNULL)
        os.close(follower)
        written = re.sub(_ESCAPES, "", read_all(leader)).replace("\r\n", "\n")
        os.close(leader)
        running.wait()
        outputs = written.split("\f")[:-1:2]
        assert set(written.split("\f")[1::2]) <= {"0", "1"}, written
        assert len(outputs) == len(commands)
        return outputs


def read_all(descriptor: int) -> str:
    written = b""
    try:
        while piece := os.read(descriptor, 1 << 16):
            written += piece
    except OSError:  # how Linux reports that the other end of a terminal is closed
        pass
    return written.decode()


def blocks(name: str, language: str = "sh") -> list[str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)```", text, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module", params=["terminal", "pipe"])
def newcomer(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Newcomer:
    """Run the first command of README.md."""
    folder = tmp_path_factory.mktemp("work")
    project, home = folder / "cachelint", folder / "home"
    project.mkdir()
    home.mkdir()
    environment = {
        "HOME": str(home), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8",
        "PATH": f"{Path(sys.base_prefix, 'bin')}:/usr/local/bin:/usr/bin:/bin",
        **{name: value for name, value in os.environ.items() if name.startswith("PIP_")},
        **repository.replace_address(project),
    }
    repository.publish(project, environment)
    someone = Newcomer(folder, environment, request.param == "terminal")
    [first] = someone.run(blocks("README.md")[0], folder=project)
    assert first.startswith("All checks passed: 23 pages.\n")
    assert re.search(r"\nFound 5 errors in \d pages \(3 fixable with \"cachelint fix\"\)\.\n$",
                     first)
    environment["PATH"] = f"{project}/.venv/bin:{environment['PATH']}"
    return someone


def test_tutorial(newcomer: Newcomer) -> None:
    text = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
    steps: list[tuple[str, str | None]] = []
    for language, block in re.findall(r"```(sh|console)\n(.*?)```", text, re.DOTALL):
        if language == "sh":
            steps += [(line, None) for line in block.splitlines()]
        else:
            steps += re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
    assert len(steps) == 15
    here = newcomer.folder / "tutorial"
    here.mkdir()
    outputs = newcomer.run(*(command for command, _ in steps), folder=here)
    for (command, expected), output in zip(steps, outputs, strict=True):
        # to a terminal, ls writes columns, and excerpts are as wide as it is
        if expected is not None and not newcomer.is_at_terminal:
            assert output == expected, command
        elif command.startswith("cachelint") and "|" not in command:
            assert expected is not None
            assert output.split()[:9] == expected.split()[:9], command
            assert output.splitlines()[-1:] == expected.splitlines()[-1:], command


@pytest.fixture
def site(newcomer: Newcomer, tmp_path: Path) -> Path:
    """Make a clone of a repository with a catalog."""
    source = tmp_path / "source"
    shutil.copytree(ROOT / "examples/catalog", source)
    newcomer.run("git init -q -b main", "git add -A", "git commit -qm Catalog",
                 f"git clone -q . {tmp_path}/site", folder=source)
    return tmp_path / "site"


def test_hooks_and_ci(newcomer: Newcomer, site: Path) -> None:
    recipes = [block for block in blocks("docs/ci.md") if "./generate" not in block]
    assert len(recipes) == 5
    lines = [line for block in recipes for line in block.splitlines()]
    outputs = newcomer.run(
        "reviewdog() { python3 -m json.tool > reviewed; }",  # the one program that is not here
        "perl -pi -e 's/\"num_specs\": 4/\"num_specs\": 5/' _cache/develop/yasm/specs.md",
        "git commit -qam Fault", *lines, "cachelint check --baseline .cachelint-baseline.json",
        folder=site)
    assert outputs[3].startswith("Wrote cachelint.toml\n")
    assert (site / "reviewed").read_text().count('"value": "CL301"') == 1
    assert "<testsuite" in (site / "cachelint.xml").read_text()
    assert outputs[-2].startswith(".cachelint-baseline.json: wrote 1 finding\n")
    assert outputs[-1] == (
        "All checks passed: 23 pages; 1 finding suppressed by the baseline.\n")


def test_commands_of_readme(newcomer: Newcomer, site: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^    (cachelint .*?)  ", text, re.MULTILINE)
    commands = [re.sub(r" \[PATH\](\.\.\.)?", "", command) for command in listed
                if "MIRROR" not in command]  # tests/index has mirrors
    assert len(commands) == len(listed) - 2 == 12
    newcomer.run(*commands, folder=site)
    assert (site / "report.html").stat().st_size > 1000
    assert (site / ".github/workflows/cachelint.yml").exists()


def test_completion_is_installed(newcomer: Newcomer) -> None:
    commands = [block for block in blocks("docs/install.md") if "_source" in block]
    assert len(commands) == 3
    newcomer.run(*commands)
    home = Path(newcomer.environment["HOME"])
    for line in re.findall("> ~/(.*)", "".join(commands)):
        assert "cachelint" in (home / line).read_text()
