"""Send tasks to processes, and bring the results back in order."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import NoReturn, TypeVar

from cachelint.files import Task

Result = TypeVar("Result")
Work = Callable[[Task], Result]

_WORTH_A_PROCESS = 4
"""So many tag folders or fewer are done before a second process has started."""


def processors() -> int:
    """Count the processors that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


_TICK = 0.1
"""Seconds after which whoever watches is called although nothing was finished."""


def run(
    work: Work[Result], tasks: Sequence[Task], jobs: int,
    on_done: Callable[[Result | None], None] | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> Iterator[Result]:
    """Yield the results of ``work`` on each of ``tasks``, in their order.

    ``work`` is called in this process or, with ``jobs`` over 1 and enough to do, in others; then
    it must be picklable. ``on_done`` is called in this thread with each result as soon as it is
    there, in whatever order, and now and then with None. ``meanwhile`` is called once, in this
    process, when the others have begun.
    """
    if jobs <= 1 or len(tasks) < _WORTH_A_PROCESS:
        if meanwhile is not None:
            meanwhile()
        for task in tasks:
            result = work(task)
            if on_done is not None:
                on_done(result)
            yield result
        return
    from concurrent.futures import Future, ProcessPoolExecutor
    from multiprocessing import get_context
    from queue import Empty, SimpleQueue

    # fork where it is sound: it starts in a millisecond, with everything imported
    context = get_context("fork" if sys.platform == "linux" else "spawn")
    pool = ProcessPoolExecutor(min(jobs, len(tasks)), context, _end_with_parent)
    try:
        futures = {}
        # to be ended is for this process to handle: the others are born deaf to it, and finish
        # the folder they are at
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        try:
            # the tag that grows daily is the largest by far, and must not be left for the end
            for task in sorted(tasks, key=lambda task: task.tag != "develop"):
                futures[task] = pool.submit(work, task)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if meanwhile is not None:
            meanwhile()
        if on_done is None:
            for task in tasks:
                yield futures.pop(task).result()
            return
        finished: SimpleQueue[Future[Result]] = SimpleQueue()
        for future in futures.values():
            future.add_done_callback(finished.put)
        for task in tasks:
            future = futures.pop(task)
            while not future.done():
                try:
                    on_done(finished.get(timeout=_TICK).result())
                except Empty:
                    on_done(None)
            yield future.result()
        while not finished.empty():
            on_done(finished.get().result())
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """Let this worker end when the process that began it is gone, however that ended.

    Otherwise it would wait for work for ever. What it is writing is not left half done.
    """
    import threading

    signal.signal(signal.SIGHUP, _hang_up)
    threading.Thread(target=_watch_parent, daemon=True).start()


def _hang_up(*_: object) -> NoReturn:
    raise SystemExit(1)


def _watch_parent() -> None:
    import time
    from multiprocessing import parent_process

    parent = parent_process()
    assert parent is not None
    parent.join()
    while True:  # within a task, the first is taken for the task's failure
        os.kill(os.getpid(), signal.SIGHUP)
        time.sleep(1)
