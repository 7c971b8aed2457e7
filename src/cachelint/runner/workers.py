"""Send tasks to processes, and bring the results back in order."""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from cachelint.model import CachelintError

if TYPE_CHECKING:
    from concurrent.futures import Future
    from multiprocessing.process import BaseProcess
    from queue import SimpleQueue


class Task(Protocol):
    """What is done in one piece: a folder below ``_cache``."""

    @property
    def tag(self) -> str:
        """The folder's name."""


AnyTask = TypeVar("AnyTask", bound=Task)
Result = TypeVar("Result")
Work = Callable[[AnyTask], Result]

_WORTH_A_PROCESS = 4
"""So many tag folders or fewer are done before a second process has started."""
_CAN_BEGIN = sys.platform == "linux" or sys.version_info >= (3, 11)
"""Whether a process can begin without importing modules of the working directory."""
_METHOD = "fork" if sys.platform == "linux" else "spawn"
"""A fork has everything imported; elsewhere the system's libraries may not bear it."""
_TICK = 0.1
"""Seconds after which whoever watches is called although nothing was finished."""
_PATIENCE = 5
"""Seconds that a process has to finish its folder when the run ends before it is done."""
_KILLED = ("a process that was checking pages was killed, as happens where memory is short; "
           "--jobs 1 needs the least")
_NO_GUARD = ("the other processes ended when they imported the program: what it does when it is "
             'run must be below if __name__ == "__main__":, or use one job')


def processors() -> int:
    """Count the processors that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run(
    work: Work[AnyTask, Result], tasks: Sequence[AnyTask], jobs: int,
    on_done: Callable[[Result | None], None] | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> Iterator[Result]:
    """Yield the results of ``work`` on each of ``tasks``, in their order.

    ``work`` is called in this process or, with ``jobs`` over 1 and enough to do, in others; then
    it and its results must be picklable. ``on_done`` is called in this thread with each result as
    soon as it is there, in whatever order, and now and then with None. ``meanwhile`` is called
    once, in this process, when the others have begun; without others, at the end.

    Raises what ``work`` raises, and CachelintError where a process was killed.
    """
    if jobs <= 1 or len(tasks) < _WORTH_A_PROCESS or not _CAN_BEGIN:
        for task in tasks:
            result = work(task)
            if on_done is not None:
                on_done(result)
            yield result
        if meanwhile is not None:
            meanwhile()  # what it reads takes memory, which a tag may need
        return
    # the tag that grows daily is the largest by far, and must not be left for the end
    order = sorted(range(len(tasks)), key=lambda number: tasks[number].tag != "develop")
    pool = _Pool(work, tasks, order, min(jobs, len(tasks)))
    try:
        if meanwhile is not None:
            meanwhile()
        done: dict[int, Result] = {}
        for number in range(len(tasks)):
            while number not in done:
                finished = pool.wait()
                done.update(finished)
                if on_done is not None:
                    for result in finished.values():
                        on_done(result)
                    if not finished:
                        on_done(None)
            yield done.pop(number)
    finally:
        pool.end()


def attempt(
    work: Work[AnyTask, Result], fail: Callable[[AnyTask, Exception], Result], task: AnyTask
) -> Result:
    """Do ``work`` on a task; where the program fails, return the result of ``fail`` instead.

    Raises CachelintError as ``work`` does, since that ends a run.
    """
    try:
        return work(task)
    except CachelintError:
        raise
    except Exception as error:
        return fail(task, error)


class _Pool(Generic[Result]):
    """Processes that take up tasks until there are no more."""

    def __init__(
        self, work: Work[AnyTask, Result], tasks: Sequence[AnyTask], order: Sequence[int], jobs: int
    ) -> None:
        """Begin ``jobs`` processes, which take up ``tasks`` in a given order of their numbers."""
        from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
        from multiprocessing import active_children, current_process, get_context
        from queue import SimpleQueue

        if getattr(current_process(), "_inheriting", False):
            sys.exit(1)  # this process imports a program without a guard, and its parent reports it
        self._numbers: dict[Future[Result], int] = {}
        self._done: SimpleQueue[Future[Result]] = SimpleQueue()
        self._others = set(active_children())
        self._begun: set[BaseProcess] = set()
        try:
            with _block_signals(), _safe_path():
                self._pool = ProcessPoolExecutor(jobs, get_context(_METHOD), _begin, (os.getpid(),))
                for number in order:
                    future = self._pool.submit(_do, work, tasks[number])
                    self._numbers[future] = number
                    future.add_done_callback(self._done.put)
                    if len(self._begun) < jobs:
                        self._begun |= set(active_children()) - self._others
        except OSError as error:
            self._end_processes(0)
            raise CachelintError(f"no process could be begun: {error.strerror}; "
                                 "--jobs 1 needs none") from None
        except BrokenExecutor:
            raise self._end_broken() from None

    def wait(self) -> dict[int, Result]:
        """Return what was finished, by the number of its task; wait a moment if nothing was."""
        from concurrent.futures import BrokenExecutor
        from queue import Empty

        try:
            future = self._done.get(timeout=_TICK)
            return {self._numbers.pop(future): future.result()}
        except Empty:
            return {}
        except BrokenExecutor:
            raise self._end_broken() from None

    def _end_broken(self) -> CachelintError:
        """End all processes where one of them ended too early, and return why it did."""
        # since Python 3.12 the pool keeps its lock until the other processes have ended
        self._end_processes(_PATIENCE)
        was_killed = any(process.exitcode == -signal.SIGKILL for process in self._begun)
        return CachelintError(_KILLED if was_killed or _METHOD == "fork" else _NO_GUARD)

    def end(self) -> None:
        """End all processes; one that is at work has some time to finish its folder."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._end_processes(_PATIENCE)

    def _end_processes(self, patience: float) -> None:
        """Wait so many seconds for the processes, and kill those that are left."""
        from multiprocessing import active_children

        deadline = time.monotonic() + patience
        for process in set(active_children()) - self._others:
            process.join(max(0, deadline - time.monotonic()))
            process.kill()
            process.join()


def _begin(parent: int) -> None:
    gc.freeze()  # what a fork has in common with its parent is not copied by being looked at
    _end_with(parent)
    # by which a pool that lost a process ends the others, and it waits for them
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def _do(work: Work[AnyTask, Result], task: AnyTask) -> Result:
    with _block_signals():
        return work(task)


@contextmanager
def _block_signals() -> Iterator[None]:
    """Let a process, and those that begin now, finish the folder they are at before they end.

    To be ended is for the process that began them to handle.
    """
    before = signal.pthread_sigmask(
        signal.SIG_BLOCK, {signal.SIGHUP, signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _safe_path() -> Iterator[None]:
    """Keep a new interpreter from importing the modules of the working directory first."""
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        del os.environ["PYTHONSAFEPATH"]
        if before is not None:
            os.environ["PYTHONSAFEPATH"] = before


def _end_with(parent: int) -> None:
    """Let this process end when the one that began it is gone, however that ended.

    Otherwise it would go on with its work, or wait for more without end. What it is writing is not
    left half done. A thread that waits for the parent would make every call of the system dearer.
    """
    def look(*_: object) -> None:
        if os.getppid() != parent:
            raise SystemExit(1)

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, 1, 1)
