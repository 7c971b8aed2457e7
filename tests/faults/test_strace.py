"""Dying at every point: strace fails each call that writes, or kills the process at it.

A run is traced once, and repeated with one fault at one call. `CACHELINT_FAULTS=all` tries each
fault at each call; otherwise it is one of seventeen of these, which is each call and each fault.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from support.catalogs import contents
from support.faults import COMMANDS, complaints, is_leftover, write_source

pytestmark = [pytest.mark.strace, pytest.mark.skipif(
    shutil.which("strace") is None and not os.environ.get("CI"), reason="no strace here")]

OPEN = ("write", "pwrite64", "fsync", "fdatasync", "ftruncate", "fchmod", "fchown", "close")
"""Calls about a file that is open."""
CALLS = ("openat", *OPEN, *(f"?{name}" for name in (  # a processor may lack those with a `?`
    "creat", "mkdir", "mkdirat", "rmdir", "unlink", "unlinkat", "rename", "renameat", "renameat2",
    "link", "linkat")))
KILL = "signal=KILL"
FAULTS = (*(f"error={name}" for name in ("ENOSPC", "EIO", "EROFS", "EINTR", "EDQUOT")), KILL)
STRIDE = 1 if os.environ.get("CACHELINT_FAULTS") == "all" else 17
CALL = re.compile(r"(\d+) +(\w+)\((.*)")


class Fault(NamedTuple):
    """What is done to a run, and at which call of a name: each process counts its own."""

    call: str
    number: int | str
    what: str


class Run(NamedTuple):
    """How a run ended."""

    status: int
    err: str
    trace: list[str]


def run(command: list[str], folder: Path, fault: Fault | None = None) -> Run:
    """Run the program in a folder, with one fault."""
    log = folder.with_suffix(".log")
    inject = [f"--inject={fault.call}:{fault.what}:when={fault.number}"] if fault else []
    fast = ["--seccomp-bpf"] if fault is None or fault.what != KILL else []  # sends no signals
    done = subprocess.run(
        ["strace", "-f", *fast, "-y", "-o", str(log),
         f"--trace={fault.call if fault else ','.join(CALLS)}", *inject,
         sys.executable, "-m", "cachelint", *command],
        cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    return Run(done.returncode, done.stderr, log.read_text("utf-8", "replace").splitlines())


def writes_below(folder: Path, call: str, rest: str) -> bool:
    """Return whether a call in a trace is about writing a file of a folder."""
    if call in OPEN:
        return f"<{folder}/" in rest
    return "O_WRONLY" in rest if call == "openat" else "/dev/shm/sem." not in rest


def list_calls(trace: list[str], folder: Path) -> list[tuple[str, int]]:
    """List the calls that write below a folder: the name, and which one of its process."""
    counts: Counter[tuple[str, str]] = Counter()
    found, start = set(), set()
    for process, call, rest in (match.groups() for match in map(CALL.match, trace) if match):
        counts[process, call] += 1
        point = call, counts[process, call]
        if writes_below(folder, call, rest):
            found.add(point)
        elif call in ("openat", "close"):
            start.add(point)  # of Python: another process of the same run has another such call
    return sorted(found - start)


def attempt(fault: Fault, command: list[str], source: Path, plain: Run) -> Iterator[str]:
    """Yield in what a run with a fault is not as it has to be, and what the next one leaves."""
    folder = Path(shutil.copytree(source, source.with_name("-".join(map(str, fault)))))
    before, expected = contents(source), contents(source.with_name("plain"))
    done = run(command, folder, fault)
    after = contents(folder)
    was_killed = fault.what == KILL
    # in another process the same number is another call, such as one about a pipe
    is_elsewhere = any("INJECTED" in line and not writes_below(folder, fault.call, line)
                       for line in done.trace)
    for found in complaints(done.status, done.err, plain.status, before, after, expected):
        if not ((is_elsewhere and found.is_about_status)
                or (was_killed and (found.is_about_leftover or done.status in (-9, 2)))):
            yield f"{fault}: {found.message}: {done.status} {done.err}"
    if any(map(is_leftover, after)):
        for path in filter(is_leftover, after):
            os.utime(folder / path, (time.time() - 7200,) * 2)
        for again in (command, ["fix"]):
            subprocess.run([sys.executable, "-m", "cachelint", *again], cwd=folder, timeout=60,
                           capture_output=True, check=False)
        yield from (f"{fault}: {path} is left after the next run"
                    for path in contents(folder) if is_leftover(path))
    shutil.rmtree(folder)


@pytest.mark.parametrize(("name", "jobs"), [
    (name, jobs) for name in COMMANDS for jobs in (1, 2) if name != "render" or jobs == 1])
def test_a_fault_at_every_call(tmp_path: Path, name: str, jobs: int) -> None:
    source = write_source(tmp_path)
    command = [*COMMANDS[name], *(["--jobs", str(jobs)] if name != "render" else [])]
    for each in ("warm", "plain"):  # modules are compiled in the first
        folder = Path(shutil.copytree(source, tmp_path / each))
        plain = run(command, folder)
    faults = [Fault(*point, what) for point in list_calls(plain.trace, folder) for what in FAULTS]
    assert len(faults) > 100
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(lambda fault: [*attempt(fault, command, source, plain)], faults[::STRIDE])
        assert [line for lines in found for line in lines] == []


UNKNOWN = [("fchown", "EINVAL"), ("fchown", "EPERM"), ("fchmod", "EPERM"), ("fchmod", "EOPNOTSUPP"),
           ("fsync", "EINVAL"), ("fsync", "EOPNOTSUPP"), ("?link,?linkat", "EPERM"),
           ("?link,?linkat", "EOPNOTSUPP"), ("?listxattr,?getxattr", "EOPNOTSUPP")]


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize(("call", "error"), UNKNOWN)
def test_call_that_a_file_system_does_not_know(
    tmp_path: Path, name: str, call: str, error: str
) -> None:
    source = write_source(tmp_path)
    command = [*COMMANDS[name], *(["--jobs", "1"] if name != "render" else [])]
    plain = run(command, Path(shutil.copytree(source, tmp_path / "plain")))
    folder = Path(shutil.copytree(source, tmp_path / "folder"))
    done = run(command, folder, Fault(call, "1+", f"error={error}"))
    found = complaints(done.status, done.err, plain.status, contents(source), contents(folder),
                       contents(tmp_path / "plain"))
    assert ([each.message for each in found], done.status) == ([], plain.status), done.err
