"""Processes: that none is left, however the one that began them ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cachelint import workers
from cachelint.files import Task

SCRIPT = """
import os, pathlib, sys, time
from cachelint import cli, workers
from cachelint.files import Task

def work(task):
    pathlib.Path(sys.argv[1], str(os.getpid())).touch()
    time.sleep(float(sys.argv[2]))

def begin(*_, **__):
    list(workers.run(work, [Task(".", f"v{n}", None) for n in range(8)], 2))

if __name__ == "__main__":
    cli.cli.main = begin
    cli.program()
"""


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_come_in_order_and_what_is_to_be_done_meanwhile_is_done_once(jobs: int) -> None:
    tasks = [Task(".", f"v{number}", None) for number in range(8)]
    done: list[int] = []
    results = workers.run(_tag_of, tasks, jobs, meanwhile=lambda: done.append(os.getpid()))
    assert list(results) == [task.tag for task in tasks]
    assert done == [os.getpid()]


def _tag_of(task: Task) -> str:
    return task.tag


def is_there(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"  # nobody may be there to ask how it ended


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
@pytest.mark.parametrize(
    ("number", "seconds", "status"),
    [
        (signal.SIGTERM, 0.5, 128 + signal.SIGTERM),
        (signal.SIGINT, 0.5, 130),
        (signal.SIGKILL, 0.2, -signal.SIGKILL),
        (signal.SIGKILL, 60, -signal.SIGKILL),  # within a task
    ],
)
def test_workers_end_with_their_parent(
    tmp_path: Path, number: signal.Signals, seconds: float, status: int
) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "workers").mkdir()
    process = subprocess.Popen(
        [sys.executable, tmp_path / "script.py", tmp_path / "workers", str(seconds)],
        stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while len(os.listdir(tmp_path / "workers")) < 2 and time.monotonic() < deadline:  # noqa: PTH208
        time.sleep(0.01)
    processes = [int(path.name) for path in (tmp_path / "workers").iterdir()]
    assert len(processes) == 2
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert process.returncode == status
    assert said == ("cachelint: interrupted\n" if number is signal.SIGINT else "")
    while any(map(is_there, processes)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(is_there, processes))
