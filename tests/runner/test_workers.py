"""Processes: that none is left, however the one that began them ends."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import resource_tracker, synchronize
from pathlib import Path
from typing import Any

import pytest

from cachelint.files.discovery import TagTask
from cachelint.model import CachelintError
from cachelint.runner import workers
from support.hostile import plant_modules

EXAMPLE = Path(__file__).parents[2] / "examples/catalog"
SCRIPT = """
import os, pathlib, sys, time
from cachelint.cli import main as cli
from cachelint.runner import workers
from cachelint.files.discovery import TagTask as Task

def work(task):
    pathlib.Path(sys.argv[1], str(os.getpid())).touch()
    time.sleep(float(sys.argv[2]))

def begin(*_, **__):
    list(workers.run(work, [Task(".", f"v{n}", None) for n in range(8)], 2))

if __name__ == "__main__":
    workers._PATIENCE = float(sys.argv[3])
    cli._invoke = begin
    cli.program()
"""


TASKS = [TagTask(".", f"v{number}", None) for number in range(8)]
METHODS = ["fork", "spawn"]
"""Of the two, a system has one; on Linux both work."""


@pytest.fixture(autouse=True)
def none_is_left() -> Iterator[None]:
    before = _children()
    yield
    assert _children() <= before | _trackers()


def _children() -> set[int]:
    own = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    return set(map(int, own.read_text().split())) if own.exists() else set()


def _trackers() -> set[int]:
    """Return the process of the standard library that outlives its pools."""
    return {resource_tracker._resource_tracker._pid}  # type: ignore[attr-defined]


def run(
    method: str, work: workers.Work[TagTask, Any], tasks: list[TagTask] = TASKS, jobs: int = 2
) -> list[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workers, "_METHOD", method)
        return list(workers.run(work, tasks, jobs))


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_come_in_order_and_what_is_to_be_done_meanwhile_is_done_once(jobs: int) -> None:
    done: list[int] = []
    results = workers.run(_tag_of, TASKS, jobs, meanwhile=lambda: done.append(os.getpid()))
    assert list(results) == [task.tag for task in TASKS]
    assert done == [os.getpid()]


def _tag_of(task: TagTask) -> str:
    return task.tag


def _process_of(task: TagTask) -> int:
    """Wait for a second process, however late it begins."""
    Path(task.root, str(os.getpid())).touch()
    deadline = time.monotonic() + 30
    while len(list(Path(task.root).iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    return os.getpid()


def _much(task: TagTask) -> bytes:
    return task.tag.encode() * 3_000_000  # a hundred times the size of a pipe


def _fail(task: TagTask) -> None:
    if task.tag == "v3":
        raise ValueError("of all tags, this one")


def _die(task: TagTask) -> None:
    if task.tag == "v3":
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("method", METHODS)
def test_work_is_done_by_others(tmp_path: Path, method: str) -> None:
    tasks = [task._replace(root=str(tmp_path)) for task in TASKS]
    processes = set(run(method, _process_of, tasks))
    assert len(processes) == 2
    assert os.getpid() not in processes


@pytest.mark.parametrize("method", METHODS)
def test_large_results_come_whole(method: str) -> None:
    assert run(method, _much) == [_much(task) for task in TASKS]


@pytest.mark.parametrize("method", METHODS)
def test_more_processes_than_tasks_are_not_begun(method: str) -> None:
    assert run(method, _tag_of, TASKS[:4], jobs=64) == ["v0", "v1", "v2", "v3"]


def test_thousands_of_tasks() -> None:
    tasks = [TagTask(".", f"v{number}", None) for number in range(5_000)]
    assert run("fork", _tag_of, tasks) == [task.tag for task in tasks]
    results = workers.run(_tag_of, tasks, 2)
    assert next(results) == "v0"
    results.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("method", METHODS)
def test_process_that_hangs_does_not_outlive_an_error(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_PATIENCE", 0.2)
    began = time.monotonic()
    with pytest.raises(ValueError, match="of all tags, this one"):
        run(method, _hang_or_fail)
    assert time.monotonic() - began < 60


def _hang_or_fail(task: TagTask) -> None:
    if task.tag == "v0":
        time.sleep(600)
    _fail(task)


def test_develop_is_begun_first(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []

    class Pool(workers._Pool[str]):
        def __init__(self, work: Any, tasks: list[TagTask], order: list[int], jobs: int) -> None:
            begun.extend(tasks[number].tag for number in order)
            super().__init__(work, tasks, order, jobs)

    monkeypatch.setattr(workers, "_Pool", Pool)
    tasks = [*TASKS, TagTask(".", "develop", None)]
    assert run("fork", _tag_of, tasks) == [task.tag for task in tasks]
    assert begun == ["develop", *(task.tag for task in TASKS)]


@pytest.mark.parametrize("method", METHODS)
def test_what_work_raises_is_raised_here(method: str) -> None:
    with pytest.raises(ValueError, match="of all tags, this one") as caught:
        run(method, _fail)
    assert "in _fail" in str(caught.value.__cause__)  # which Python shows with its traceback


@pytest.mark.parametrize("method", METHODS)
def test_process_that_is_killed_is_reported(method: str) -> None:
    with pytest.raises(CachelintError, match="was killed"):
        run(method, _die)


@pytest.mark.parametrize("method", METHODS)
def test_process_that_is_killed_while_tasks_are_handed_out_is_reported(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit = ProcessPoolExecutor.submit

    def submit_late(*arguments: Any) -> Any:
        time.sleep(0.2)
        return submit(*arguments)

    monkeypatch.setattr(ProcessPoolExecutor, "submit", submit_late)
    with pytest.raises(CachelintError, match="was killed"):
        run(method, _die)


@pytest.mark.parametrize("limit", [0, 2])
def test_no_more_processes_may_be_begun(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    fork = os.fork
    began: list[int] = []

    def fork_so_often() -> int:
        if len(began) == limit:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        began.append(1)
        return fork()

    monkeypatch.setattr(os, "fork", fork_so_often)
    with pytest.raises(CachelintError, match="no process could be begun: Resource temporarily"):
        run("fork", _tag_of, jobs=4)


def test_no_shared_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synchronize.SemLock, "_make_name", staticmethod(lambda: "/no/such/folder"))
    with pytest.raises(CachelintError, match=r"no process could be begun: .+ needs none"):
        run("fork", _tag_of)


def is_there(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"  # maybe no parent waits for it


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
@pytest.mark.parametrize(
    ("number", "seconds", "status"),
    [
        (signal.SIGTERM, 0.5, 128 + signal.SIGTERM),
        (signal.SIGHUP, 0.5, 128 + signal.SIGHUP),
        (signal.SIGINT, 0.5, 130),
        (signal.SIGKILL, 0.2, -signal.SIGKILL),
        (signal.SIGKILL, 60, -signal.SIGKILL),  # within a task
        (signal.SIGTERM, 600, 128 + signal.SIGTERM),  # that hangs
        (signal.SIGHUP, 600, 128 + signal.SIGHUP),
        (signal.SIGINT, 600, 130),
    ],
)
def test_workers_end_with_their_parent(
    tmp_path: Path, number: signal.Signals, seconds: float, status: int
) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "workers").mkdir()
    process = subprocess.Popen(
        [sys.executable, tmp_path / "script.py", tmp_path / "workers", str(seconds),
         "0.2" if seconds == 600 else "30"], stderr=subprocess.PIPE, text=True)
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


def test_program_without_a_guard(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(
        "import sys\n"
        "from cachelint import CachelintError, check\n"
        "from cachelint.runner import workers\n"
        "workers._METHOD = 'spawn'\n"
        f"try:\n    check([{str(EXAMPLE)!r}], jobs=2)\n"
        "except CachelintError as error:\n    sys.exit(str(error))\n")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True,
                          check=False, timeout=60)
    # Python's own pool may complain after that, while it ends
    assert (done.returncode, done.stdout, done.stderr.splitlines()[0]) == (1, "", (
        "the other processes ended when they imported the program: what it does when it is run "
        'must be below if __name__ == "__main__":, or use one job'))


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 has no safe path")
def test_processes_that_begin_anew_import_nothing_from_the_working_directory(
    tmp_path: Path,
) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "site")
    marker = plant_modules(tmp_path / "site", tmp_path)
    (tmp_path / "site/multiprocessing.py").write_text((tmp_path / "site/json.py").read_text())
    script = tmp_path / "run.py"
    script.write_text(
        "from cachelint import check\n"
        "from cachelint.runner import workers\n"
        "if __name__ == '__main__':\n"
        "    workers._METHOD = 'spawn'\n"
        "    assert check(['.'], jobs=2).pages == 23\n")
    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path / "site",
                          capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert not marker.exists()
