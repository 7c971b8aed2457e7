"""Completion, at the tab key of the real shells."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from cachelint.cli import completion
from cachelint.cli.main import cli
from cachelint.document import schema
from cachelint.output import formats
from cachelint.rules import ALL_RULES

# what is typed before the tab key, and the line after it
COMPLETED = {
    "a command": ("cachelint che", "cachelint check "),
    "an option": ("cachelint fix --exit-n", "cachelint fix --exit-non-zero-on-fix "),
    "an option after a path": ("cachelint check page.md --stat",
                               "cachelint check page.md --statistics "),
    "a choice": ("cachelint check --output-format conc",
                 "cachelint check --output-format concise "),
    "a choice after an equals sign": ("cachelint check --output-format=conc",
                                      "cachelint check --output-format=concise "),
    "a rule's code": ("cachelint rule CL80", "cachelint rule CL80"),
    "a rule's name": ("cachelint rule duplicate-h", "cachelint rule duplicate-hash "),
    "a name to select": ("cachelint check --select num-specs-",
                         "cachelint check --select num-specs-by-stack "),
    "the last of several": ("cachelint check --ignore CL3,zlib,num-specs-",
                            "cachelint check --ignore CL3,zlib,num-specs-by-stack "),
    "the last after an equals sign": ("cachelint fix --select=CL301,num-specs-",
                                      "cachelint fix --select=CL301,num-specs-by-stack "),
    "an option after an equals sign": ("cachelint check --select=CL301 --stat",
                                       "cachelint check --select=CL301 --statistics "),
    "a schema": ("cachelint schema page-cur", "cachelint schema page-current "),
    "a path": ("cachelint check my-p", "cachelint check my-page.md "),
    "a file of an option": ("cachelint check --config my-p",
                            "cachelint check --config my-page.md "),
    "a file after an equals sign": ("cachelint check --config=my-p",
                                    "cachelint check --config=my-page.md "),
    "no such command": ("cachelint chek --stat", "cachelint chek --stat"),
}
# in which a key writes the current line to a file
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], [
        "unset HISTFILE; bind 'set bell-style none'",
        "line() { printf '%s' \"$READLINE_LINE\" > line.new; mv line.new line; READLINE_LINE=; }",
        "bind -x '\"\\C-g\": line'",
        'eval "$(_CACHELINT_COMPLETE=bash_source cachelint)"',
    ]),
    "zsh": (["zsh", "-f", "-i"], [
        "setopt no_beep; autoload -Uz compinit; compinit -u -D; bindkey -e",
        "line() { printf '%s' \"$BUFFER\" > line.new; mv line.new line; BUFFER=; }",
        "zle -N line; bindkey '^G' line",
        'eval "$(_CACHELINT_COMPLETE=zsh_source cachelint)"',
    ]),
    "zsh, from a file": (["zsh", "-f", "-i"], [
        "setopt no_beep; mkdir f; _CACHELINT_COMPLETE=zsh_source cachelint > f/_cachelint",
        "fpath=($PWD/f $fpath); autoload -Uz compinit; compinit -u -D; bindkey -e",
        "line() { printf '%s' \"$BUFFER\" > line.new; mv line.new line; BUFFER=; }",
        "zle -N line; bindkey '^G' line",
    ]),
    "fish": (["fish", "--no-config", "--private", "-i"], [
        "function line; printf '%s' (commandline) > line.new; mv line.new line; "
        "commandline ''; end",
        "bind \\cg line; set fish_autosuggestion_enabled 0",
        "_CACHELINT_COMPLETE=fish_source cachelint | source",
    ]),
}


class Shell:
    """A shell in a terminal of its own."""

    def __init__(self, name: str, folder: Path) -> None:
        self.line = folder / "line"
        command, setup = SHELLS[name]
        (folder / "bin").mkdir()
        program = folder / "bin" / "cachelint"
        program.write_text(
            f"#!{sys.executable}\nimport sys\nsys.argv[0] = 'cachelint'\n"
            "from cachelint.cli.main import program\nprogram()\n")
        program.chmod(0o755)
        (folder / "my-page.md").touch()
        self.terminal, other = pty.openpty()
        self.process = subprocess.Popen(
            command, stdin=other, stdout=other, stderr=other, cwd=folder, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            env={"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "TERM": "xterm",
                 "HOME": str(folder), "LC_ALL": "C.UTF-8"})
        os.close(other)
        os.set_blocking(self.terminal, False)
        for number, line in enumerate(setup):
            done = folder / f"done{number}"
            self.type(f"{line}; touch {done}\r")
            self.wait(done)

    def type(self, text: str) -> None:
        os.write(self.terminal, text.encode())

    def read(self) -> str:
        """Read what the shell wrote."""
        try:
            return os.read(self.terminal, 1 << 20).decode(errors="replace")
        except BlockingIOError:
            return ""

    def wait(self, path: Path) -> None:
        """Wait for a file that the shell makes, and read its output meanwhile."""
        end = time.monotonic() + 30
        said = ""
        while not path.exists():
            said += self.read()
            assert time.monotonic() < end, said
            time.sleep(0.02)

    def completed(self, text: str) -> str:
        """Return the line after ``text`` and the tab key."""
        self.line.unlink(missing_ok=True)
        self.read()
        self.type(text + "\t")
        self.type("\x07")
        self.wait(self.line)
        return self.line.read_text()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.terminal)


@pytest.fixture(scope="module", params=SHELLS)
def shell(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
          ) -> Iterator[Shell]:
    program = SHELLS[request.param][0][0]
    if shutil.which(program) is None and os.environ.get("CI") != "true":
        pytest.skip(f"{program} is not installed")
    started = Shell(request.param, tmp_path_factory.mktemp(program))
    yield started
    started.close()


@pytest.mark.parametrize(("typed", "completed"), COMPLETED.values(), ids=COMPLETED)
def test_completed(shell: Shell, typed: str, completed: str) -> None:
    assert shell.completed(typed) == completed


# ------------------------------------------------------------------------- what is offered


def offered(*words: str) -> list[str]:
    """Complete as fish does, and return the values without descriptions."""
    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.argv[0] = 'cachelint'; "
         "from cachelint.cli.main import program; program()"],
        env={**os.environ, "_CACHELINT_COMPLETE": "fish_complete",
             "COMP_WORDS": " ".join(["cachelint", *words]), "COMP_CWORD": words[-1]},
        capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return [line.split("\t")[0].removeprefix("plain,") for line in done.stdout.splitlines()]


def test_rules_are_offered_by_prefix_code_and_name() -> None:
    prefixes = sorted({rule.code[:3] for rule in ALL_RULES})
    codes = [rule.code for rule in ALL_RULES]
    assert offered("check", "--select", "CL") == [*prefixes, *codes]
    assert offered("rule", "cl30") == [code for code in codes if code.startswith("CL30")]
    assert offered("fix", "--ignore", "stack") == [
        rule.name for rule in ALL_RULES if rule.name.startswith("stack")]


def test_rules_that_are_given_are_not_offered_again() -> None:
    assert offered("check", "--ignore", "CL302,num-specs") == [
        "CL302,num-specs", "CL302,num-specs-by-stack"]
    assert offered("check", "--ignore", "num-specs,num-specs") == ["num-specs,num-specs-by-stack"]


def test_formats_and_schemas_are_offered() -> None:
    assert offered("check", "--output-format", "") == list(formats.FORMATS)
    assert offered("schema", "") == [*schema.NAMES, schema.FOR_EDITORS]
    assert offered("schema", "page-") == ["page-current", "page-tarball", "page-legacy"]


def test_formats_of_reports() -> None:
    assert offered("check", "--output-file", "s") == ["sarif:"]
    assert offered("fix", "--output-file", "j") == ["json:", "junit:"]


def test_every_file_is_left_to_the_shell() -> None:
    for command in ("check", "fix"):
        for parameter in cli.commands[command].params:
            if re.search("FILE|(?<!FORMAT:)PATH", parameter.metavar or ""):
                context = click.Context(cli.commands[command])
                assert [(item.type, item.value) for item in
                        parameter.shell_complete(context, "_ca")] == [("file", "_ca")], parameter


def test_nothing_heavy_is_imported_to_complete() -> None:
    code = (
        "import sys; from cachelint.cli.main import cli; from cachelint.cli import completion; "
        "context = __import__('click').Context(cli); assert completion.rules(context, None, 'CL'); "
        "assert completion.schemas(context, None, ''); "
        "heavy = {'jsonschema', 'ruamel.yaml', 'multiprocessing', 'concurrent.futures', 'tomllib',"
        " 'subprocess', 'difflib'}; print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_fix_of_a_script_that_no_longer_applies_is_an_error() -> None:
    assert completion._replace("a b", "b", "c") == "a c"
    with pytest.raises(AssertionError, match="no longer contains 'x'"):
        completion._replace("a b", "x", "c")
