"""One line on a terminal with the progress of long work; removed when the work is done."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from cachelint.files.discovery import TagTask
from cachelint.files.paths import join
from cachelint.output.formats import terminal_width
from cachelint.runner.run import OnProgress, Progress
from cachelint.text import plural

_PATIENCE = 1.0
"""Seconds before the line is shown."""
_INTERVAL = 0.1
"""Seconds between two drawings."""


@contextmanager
def show_line(stream: TextIO, *, with_findings: bool = True) -> Iterator[OnProgress]:
    """Draw what a run reports on the terminal ``stream``, and clear the line at the end."""
    line = _Line(stream, with_findings)
    try:
        yield line.draw
    finally:
        line.clear()


class _Line:
    """The line, and an estimate of the work that is left from the work before."""

    def __init__(
        self, stream: TextIO, with_findings: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream
        self._with_findings = with_findings
        self._clock = clock
        self._start = clock()
        self._due = self._start + _PATIENCE
        self._sizes: dict[TagTask, int] = {}
        self._is_drawn = False

    def draw(self, progress: Progress) -> None:
        """Draw the line anew, if it is time to."""
        now = self._clock()
        if now < self._due:
            return
        self._due = now + _INTERVAL
        if not self._sizes:
            self._sizes = {task: _size(task) for task in progress.left}
        left = sum(self._sizes.get(task, 0) for task in progress.left)
        text = describe(progress, left, now - self._start, terminal_width(self._stream) - 1,
                        with_findings=self._with_findings)
        self._stream.write(f"\r{text}\x1b[K")
        self._stream.flush()
        self._is_drawn = True

    def clear(self) -> None:
        """Take the line away, and leave the cursor where it began."""
        if self._is_drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


def describe(
    progress: Progress, left: int, seconds: float, width: int, *, with_findings: bool
) -> str:
    """Describe how far a run is, in at most ``width`` columns: less room, less detail.

    ``left`` is about how many pages are still to be done.
    """
    rate = progress.pages / seconds
    total = progress.pages + left
    pages = [f"{progress.pages:,} of {total:,} pages", f"{progress.pages:,}/{total:,}"]
    rest = _span(left / rate) if rate else ""
    found = plural(progress.findings, "finding") if with_findings else ""
    per_second = f"{rate:,.0f} a second"
    for parts in (
        [pages[0], per_second, rest and f"{rest} left", found],
        [pages[0], rest and f"{rest} left", found],
        [pages[1], rest, found],
        [pages[1], rest],
        [pages[1]],
    ):
        text = ", ".join(filter(None, parts))
        if len(text) <= width:
            return text
    return ""


def _span(seconds: float) -> str:
    """Write a span of time: `9 s`, `1:05 min`, `2:10 h`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, seconds = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}:{seconds:02} min"
    return f"{minutes // 60}:{minutes % 60:02} h"


def _size(task: TagTask) -> int:
    """Estimate how many pages a task has."""
    if task.pages is not None:
        return len(task.pages)
    try:
        return len(os.listdir(join(task.root, f"_cache/{task.tag}")))  # noqa: PTH208
    except OSError:
        return 0
