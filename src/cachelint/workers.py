"""Send tasks to processes, and bring the results back in order."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from cachelint import catalog
from cachelint.files import Task

Result = TypeVar("Result")
Work = Callable[[Task, "catalog.Tags | None"], Result]

_WORTH_A_PROCESS = 4
"""So many tag folders or fewer are done before a second process has started."""


def processors() -> int:
    """Count the processors that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run(work: Work[Result], tasks: Sequence[Task], jobs: int) -> Iterator[Result]:
    """Yield the results of ``work`` on each of ``tasks``, in their order.

    ``work`` is called with a task and what ``tags.yaml`` of its catalog says, in this process or,
    with ``jobs`` over 1 and enough to do, in others; then it must be picklable.
    """
    call = partial(_with_tags, work)
    if jobs <= 1 or len(tasks) < _WORTH_A_PROCESS:
        yield from map(call, tasks)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # fork where it is sound: it starts in a millisecond, with everything imported
    context = get_context("fork" if sys.platform == "linux" else "spawn")
    pool = ProcessPoolExecutor(min(jobs, len(tasks)), mp_context=context)
    try:
        futures = {}
        # the tag that grows daily is the largest by far, and must not be what is left at the end
        for task in sorted(tasks, key=lambda task: task.tag != "develop"):
            futures[task] = pool.submit(call, task)
        for task in tasks:
            yield futures.pop(task).result()
    finally:
        pool.shutdown(cancel_futures=True)


_tags: dict[str, catalog.Tags | None] = {}
"""What this process read of each catalog's ``tags.yaml``, for as long as one run lasts."""


def _with_tags(work: Work[Result], task: Task) -> Result:
    if task.root not in _tags:
        _tags[task.root] = catalog.read_tags(task.root) if task.tag else None
    return work(task, _tags[task.root])
