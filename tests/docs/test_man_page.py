"""The man page: its contents, and the programs that show it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest

import man_page
from cachelint.cli import main as program
from cachelint.rules import ALL_RULES

PAGE = Path(__file__).parents[2] / "man" / "cachelint.1"

PROGRAMS = {
    "man": ["man", "--warnings", "-E", "UTF-8", "-l", str(PAGE)],
    "groff": ["groff", "-man", "-ww", "-Tutf8", str(PAGE)],
    "mandoc": ["mandoc", "-T", "lint", str(PAGE)],
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_nothing_is_wrong_with_its_macros(name: str) -> None:
    if shutil.which(name) is None and os.environ.get("CI") != "true":
        pytest.skip(f"{name} is not installed")
    done = subprocess.run(PROGRAMS[name], capture_output=True, text=True, check=False,
                          env={**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8"})
    assert (done.returncode, done.stderr) == (0, "")
    if name == "mandoc":
        assert done.stdout == ""
    else:
        shown = re.sub("\x1b\\[[0-9;]*m|.\b", "", done.stdout)
        assert max(len(line) for line in shown.split("\n")) <= 80
        assert "cachelint check --diff-base origin/main   what a pull request changes" in shown


def plain() -> str:
    """Return the page without its macros and escapes."""
    return re.sub(r"\\f[A-Z]", "", PAGE.read_text(encoding="utf-8")).replace("\\-", "-")


def test_every_command_option_and_rule_is_there() -> None:
    text = plain()
    for command in program.cli.commands.values():
        section = text.split(f'.SS "cachelint {command.name}"')[1].split("\n.S")[0]
        for option in command.params:
            if isinstance(option, click.Option):
                assert all(name in section for name in option.opts), option
    assert re.findall(r"^\.B (CL\d{3}) ", text, re.MULTILINE) == [rule.code for rule in ALL_RULES]


@pytest.mark.parametrize(("text", "escaped"), [
    (".so /etc/passwd", "\\&.so /etc/passwd"),
    ("'br", "\\(aqbr"),
    ("a\\b --c", "a\\eb \\-\\-c"),
    ("~x ^y `z`", "\\(tix \\(hay \\(gaz\\(ga"),
])
def test_text_is_not_a_request(text: str, escaped: str) -> None:
    assert man_page._escape(text) == escaped
