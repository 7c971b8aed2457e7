"""Run the program as a process of its own, but without the time that a start of Python takes."""

from __future__ import annotations

import os
import runpy
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import BinaryIO


def run_program(
    *arguments: str, folder: Path | None = None, stdin: str = "",
    environment: Mapping[str, str] | None = None,
) -> CompletedProcess[str]:
    """Run `cachelint` in a fork of this process.

    Args:
        arguments: What follows the name of the program.
        folder: The working directory, if not that of this process.
        stdin: What is on standard input.
        environment: All environment variables, if not those of this process.
    """
    with (tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out,
          tempfile.TemporaryFile() as err):
        given.write(stdin.encode())
        given.seek(0)
        pid = os.fork()
        if not pid:
            try:
                _become_program(arguments, folder, environment, (given, out, err))
            finally:
                os._exit(70)  # reached only when the program could not be started
        _, status = os.waitpid(pid, 0)
        out.seek(0)
        err.seek(0)
        return CompletedProcess(arguments, os.waitstatus_to_exitcode(status), out.read().decode(),
                                err.read().decode())


def _become_program(
    arguments: tuple[str, ...], folder: Path | None, environment: Mapping[str, str] | None,
    files: tuple[BinaryIO, BinaryIO, BinaryIO],
) -> None:
    """Take over the arguments, the folder, the environment and the standard files, and run."""
    for number, file in enumerate(files):
        os.dup2(file.fileno(), number)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace",  # noqa: SIM115
                      closefd=False)
    if folder:
        os.chdir(folder)
    if environment is not None:
        os.environ.clear()
        os.environ.update(environment)
    sys.argv = ["cachelint", *arguments]
    runpy.run_module("cachelint", run_name="__main__")
