"""Send tasks to processes, and bring the results back in order.

On Linux processes are forked, and nothing passes between them and their parent but the number of a
task and its result. A pool of the standard library takes longer by what a thousand pages cost. It
is used elsewhere, where a fork is not safe.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from cachelint.model import CachelintError

if TYPE_CHECKING:
    from cachelint.files.discovery import TagTask
    from cachelint.linter.diff import DiffTask

Task = TypeVar("Task", "TagTask", "DiffTask")
Result = TypeVar("Result")
Work = Callable[[Any], Result]

_WORTH_A_PROCESS = 4
"""So many tag folders or fewer are done before a second process has started."""
_CAN_BEGIN = sys.platform == "linux" or sys.version_info >= (3, 11)
"""Whether a process can begin without importing modules of the working directory."""
_TICK = 0.1
"""Seconds after which whoever watches is called although nothing was finished."""
_KILLED = ("a process that was checking pages was killed, as happens where memory is short; "
           "--jobs 1 needs the least")
_MOST_SHARES = 64
"""Into so many shares tasks are divided at most; each needs a file descriptor."""
_NUMBER, _SIZE = 4, 8
"""Bytes with the number of a task, and the size of its result."""


def processors() -> int:
    """Count the processors that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run(
    work: Callable[[Task], Result], tasks: Sequence[Task], jobs: int,
    on_done: Callable[[Result | None], None] | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> Iterator[Result]:
    """Yield the results of ``work`` on each of ``tasks``, in their order.

    ``work`` is called in this process or, with ``jobs`` over 1 and enough to do, in others; then
    it and its results must be picklable. ``on_done`` is called in this thread with each result as
    soon as it is there, in whatever order, and now and then with None. ``meanwhile`` is called
    once, in this process, when the others have begun.

    Raises what ``work`` raises, and CachelintError where a process was killed.
    """
    if jobs <= 1 or len(tasks) < _WORTH_A_PROCESS or not _CAN_BEGIN:
        if meanwhile is not None:
            meanwhile()
        for task in tasks:
            result = work(task)
            if on_done is not None:
                on_done(result)
            yield result
        return
    # the tag that grows daily is the largest by far, and must not be left for the end
    order = sorted(range(len(tasks)), key=lambda number: tasks[number].tag != "develop")
    pool = (_Forked if sys.platform == "linux" else _Spawned)(
        work, tasks, order, min(jobs, len(tasks)))
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


class _Forked(Generic[Result]):
    """Processes that are forked: they begin in a millisecond, with everything imported."""

    def __init__(
        self, work: Work[Result], tasks: Sequence[Any], order: Sequence[int], jobs: int
    ) -> None:
        """Begin ``jobs`` processes, which take up ``tasks`` in a given order of their numbers."""
        from pickle import dumps, loads

        self._dumps, self._loads = dumps, loads
        self._work, self._tasks = work, tasks
        self._queues: list[int] = []
        """Pipes with the numbers of tasks; whoever reads from one takes the next."""
        share = min(-(-len(order) // min(jobs, _MOST_SHARES)), select.PIPE_BUF // _NUMBER)
        for start in range(0, len(order), share):
            queue, end = os.pipe()
            os.write(end, b"".join(
                number.to_bytes(_NUMBER, "little") for number in order[start : start + share]))
            os.close(end)
            self._queues.append(queue)
        self._processes: dict[int, int] = {}
        """By the end from which this process reads the results of each."""
        self._results = select.poll()
        with block_signals():
            for _ in range(jobs):
                try:
                    self._begin()
                except OSError as error:  # a user may have so many processes and no more
                    if not self._processes:
                        self.end()
                        raise CachelintError(f"no process could be begun: {error.strerror}; "
                                             "--jobs 1 needs none") from None
                    break

    def _begin(self) -> None:
        parent = os.getpid()
        reader, writer = os.pipe()
        try:
            process = os.fork()
        except OSError:
            os.close(reader)
            os.close(writer)
            raise
        if not process:
            try:
                gc.freeze()  # and nothing of it is copied by being looked at
                _end_with(parent)
                for descriptor in (reader, *self._processes):
                    os.close(descriptor)
                # neighbours have most in common, and what is known of one helps with the next:
                # each process has a share of its own, and helps others when that is done
                first = len(self._processes) % len(self._queues)
                for queue in self._queues[first:] + self._queues[:first]:
                    self._serve(queue, writer)
                os._exit(0)
            finally:
                os._exit(1)
        os.close(writer)
        self._processes[reader] = process
        self._results.register(reader, select.POLLIN)

    def _serve(self, queue: int, writer: int) -> None:
        """Do tasks until there are no more, and send each result with its number and size."""
        while number := os.read(queue, _NUMBER):
            try:
                task = self._tasks[int.from_bytes(number, "little")]
                sent = self._dumps((self._work(task), None))
            except Exception as error:
                import traceback

                vars(error)["__notes__"] = [traceback.format_exc()]
                sent = self._dumps((None, error))
            left = memoryview(number + len(sent).to_bytes(_SIZE, "little") + sent)
            while left:
                left = left[os.write(writer, left) :]

    def wait(self) -> dict[int, Result]:
        """Return what was finished, by the number of its task; wait a moment if nothing was."""
        finished: dict[int, Result] = {}
        for reader, _ in self._results.poll(_TICK * 1000):
            head = _read(reader, _NUMBER + _SIZE)
            size = int.from_bytes(head[_NUMBER:], "little")
            sent = _read(reader, size)
            if not sent or len(sent) < size:
                self._reap(reader)
                continue
            result, error = self._loads(sent)
            if error is not None:
                raise error
            finished[int.from_bytes(head[:_NUMBER], "little")] = result
        return finished

    def _reap(self, reader: int) -> None:
        """Learn how a process ended. Raises CachelintError if it did before its work was done."""
        self._results.unregister(reader)
        os.close(reader)
        _, status = os.waitpid(self._processes.pop(reader), 0)
        if status:
            raise CachelintError(_KILLED)

    def end(self) -> None:
        """Wait for all processes to end; those that are at work will not begin another task."""
        for queue in self._queues:
            os.read(queue, select.PIPE_BUF)
        for descriptor in (*self._queues, *self._processes):
            os.close(descriptor)
        for process in self._processes.values():
            os.waitpid(process, 0)


def _read(descriptor: int, size: int) -> bytes:
    """Read so many bytes, or as many as there are before the end."""
    pieces = []
    while size and (piece := os.read(descriptor, size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


class _Spawned(Generic[Result]):
    """Processes that begin anew, for systems whose libraries may not bear to be forked."""

    def __init__(
        self, work: Work[Result], tasks: Sequence[Any], order: Sequence[int], jobs: int
    ) -> None:
        """Begin ``jobs`` processes, which take up ``tasks`` in a given order of their numbers."""
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context

        # or else a new interpreter imports the modules of the working directory first
        os.environ.setdefault("PYTHONSAFEPATH", "1")
        self._pool = ProcessPoolExecutor(
            jobs, get_context("spawn"), _end_with, (os.getpid(),))
        with block_signals():
            self._futures = {self._pool.submit(work, tasks[number]): number for number in order}

    def wait(self) -> dict[int, Result]:
        """Return what was finished, by the number of its task; wait a moment if nothing was."""
        from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, wait

        finished, _ = wait(self._futures, _TICK, FIRST_COMPLETED)
        try:
            return {self._futures.pop(future): future.result() for future in finished}
        except BrokenExecutor:
            raise CachelintError(_KILLED) from None

    def end(self) -> None:
        """Wait for all processes to end; those that are at work will not begin another task."""
        self._pool.shutdown(cancel_futures=True)


@contextmanager
def block_signals() -> Iterator[None]:
    """Let processes that begin now be deaf to signals to end, and finish the folder they are at.

    To be ended is for this process to handle.
    """
    before = signal.pthread_sigmask(
        signal.SIG_BLOCK, {signal.SIGHUP, signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


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
