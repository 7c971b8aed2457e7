"""Progress: what the line shows, when it is drawn, and that it is gone at the end."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from cachelint.cli.progress import _Line, describe
from cachelint.files.discovery import TagTask
from cachelint.linter.tag import TagResult
from cachelint.runner import run as runner
from cachelint.runner.run import Progress
from cachelint.runner.workers import run
from support import valid


def progress(pages: int, findings: int) -> Progress:
    made = Progress([], lambda _: None)
    made.pages, made.findings = pages, findings
    return made


# width: (what is shown for 12,345 pages after 10 seconds, 30,000 being left)
WIDTHS = {
    200: "12,345 of 42,345 pages, 1,234 a second, 24 s left, 1,200 findings",
    65: "12,345 of 42,345 pages, 1,234 a second, 24 s left, 1,200 findings",
    64: "12,345 of 42,345 pages, 24 s left, 1,200 findings",
    49: "12,345 of 42,345 pages, 24 s left, 1,200 findings",
    48: "12,345/42,345, 24 s, 1,200 findings",
    34: "12,345/42,345, 24 s",
    18: "12,345/42,345",
    12: "",
    0: "",
}


@pytest.mark.parametrize(("width", "said"), WIDTHS.items())
def test_line_fits_the_terminal(width: int, said: str) -> None:
    line = describe(progress(12_345, 1_200), 30_000, 10, width, with_findings=True)
    assert line == said


@pytest.mark.parametrize(("pages", "left", "seconds", "said"), [
    (0, 100, 2, "0 of 100 pages, 0 a second, 1 finding"),
    (100, 0, 2, "100 of 100 pages, 50 a second, 0 s left, 1 finding"),
    (100, 6_500, 2, "100 of 6,600 pages, 50 a second, 2:10 min left, 1 finding"),
    (100, 400_000, 2, "100 of 400,100 pages, 50 a second, 2:13 h left, 1 finding"),
])
def test_what_is_shown(pages: int, left: int, seconds: float, said: str) -> None:
    assert describe(progress(pages, 1), left, seconds, 80, with_findings=True) == said
    without = describe(progress(pages, 1), left, seconds, 80, with_findings=False)
    assert without == said.removesuffix(", 1 finding")


def test_line_is_drawn_after_a_second_and_ten_times_a_second(tmp_path: Path) -> None:
    for package in ("a", "b", "c"):
        (tmp_path / "_cache/v1" / package).mkdir(parents=True)
    times = iter((0, 0.5, 0.99, 1.0, 1.05, 1.09, 1.11, 1.2, 1.22))
    stream = io.StringIO()
    line = _Line(stream, with_findings=False, clock=lambda: next(times))
    done = Progress([TagTask(str(tmp_path), "v1", None), TagTask(".", "", ("x", "y")),
                     TagTask(str(tmp_path), "gone", None)], line.draw)
    drawn = []
    for _ in range(8):
        done.add(None)
        drawn.append(stream.getvalue().count("\r"))
    assert drawn == [0, 0, 1, 1, 1, 2, 2, 3]
    assert "0 of 5 pages" in stream.getvalue()
    line.clear()
    assert stream.getvalue().endswith("\x1b[K\r\x1b[K")


def test_line_that_was_never_drawn_is_not_cleared() -> None:
    stream = io.StringIO()
    line = _Line(stream, with_findings=True, clock=lambda: 0.0)
    Progress([], line.draw).add(None)
    line.clear()
    assert stream.getvalue() == ""


def catalog(root: Path, tags: int) -> None:
    valid.write_catalog(root, {f"v{tag}/zlib": valid.page(valid.meta(num_specs=3)).replace(
        valid.TAG, f"v{tag}") for tag in range(tags)}, {f"v{tag}": ["root"] for tag in range(tags)})


@pytest.mark.parametrize("jobs", [1, 2])
def test_whoever_watches_learns_of_every_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    catalog(tmp_path, 8)
    monkeypatch.chdir(tmp_path)
    seen: list[tuple[int, int, int]] = []

    def watch(now: Progress) -> None:
        seen.append((now.pages, now.findings, len(now.left)))

    report = runner.check(jobs=jobs, on_progress=watch)
    assert seen == sorted(seen, key=lambda each: each[0])
    assert seen[-1][0] == report.pages == 8
    assert seen[-1][1] >= 8
    assert seen[-1][2] == 0
    seen.clear()
    assert runner.fix(jobs=jobs, on_progress=watch).fixed >= 8
    assert (seen[-1][0], seen[-1][2]) == (8, 0)
    seen.clear()
    runner.write_baseline("known.json", jobs=jobs, on_progress=watch)
    assert (seen[-1][0], seen[-1][2]) == (8, 0)
    assert runner.check(jobs=jobs).pages == 8


def slow(task: TagTask) -> TagResult:
    """Take longer over the first task than over all others."""
    time.sleep(0.5 if task.tag == "a" else 0)
    return TagResult(task, [], 1, None)  # type: ignore[arg-type]


def test_results_are_counted_at_once_and_yielded_in_order() -> None:
    tasks = [TagTask(".", tag, None) for tag in "abcdef"]
    told: list[str | None] = []
    yielded = [(result.task.tag, len(told)) for result in run(
        slow, tasks, 2, lambda result: told.append(result and result.task.tag))]
    assert [tag for tag, _ in yielded] == list("abcdef")
    names = [tag for tag in told if tag]
    assert sorted(names) == list("abcdef")
    assert names[0] != "a"
    assert None in told  # while nothing was done


# ------------------------------------------------------------------------------- in a terminal

_SLOWLY = """
import time
from cachelint.cli import main as cli
from cachelint.linter import tag
lint_page = tag.lint_page
def slow(*arguments):
    time.sleep(0.2)
    return lint_page(*arguments)
tag.lint_page = slow
cli.program()
"""


def in_terminal(
    root: Path, *arguments: str, columns: int = 80, interrupt_after: float = 0,
    environment: dict[str, str] | None = None,
) -> tuple[int, str]:
    """Run a slow check on a terminal of its own; return its status and what the terminal got."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    clean = {key: value for key, value in os.environ.items()
             if key not in ("CI", "COLUMNS", "GITHUB_ACTIONS")}
    process = subprocess.Popen(
        [sys.executable, "-c", _SLOWLY, "check", "--jobs", "1", *arguments], cwd=root,
        stdin=theirs, stdout=subprocess.DEVNULL, stderr=theirs, start_new_session=True,
        env={**clean, "TERM": "xterm", **(environment or {})})
    os.close(theirs)
    if interrupt_after:
        time.sleep(interrupt_after)
        process.send_signal(signal.SIGINT)
    got = b""
    while True:
        try:
            chunk = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        if not chunk:
            break
        got += chunk
    os.close(ours)
    return process.wait(timeout=60), got.decode()


def test_terminal_shows_one_line_and_is_clean_at_the_end(tmp_path: Path) -> None:
    catalog(tmp_path, 10)
    status, got = in_terminal(tmp_path)
    assert status == 1
    *lines, last = got.split("\r")[1:]
    assert last == "\x1b[K"
    assert len(lines) >= 3
    assert all(re.fullmatch(
        r"\d+ of 10 pages, \d+ a second, \d s left, \d+ findings\x1b\[K", line) for line in lines)


def test_narrow_terminal(tmp_path: Path) -> None:
    catalog(tmp_path, 10)
    _, got = in_terminal(tmp_path, columns=20)
    assert re.search(r"\r\d+/10, \d s\x1b\[K", got)
    assert all(len(line.removesuffix("\x1b[K")) < 20 for line in got.split("\r"))


def test_interrupt_leaves_a_clean_line(tmp_path: Path) -> None:
    catalog(tmp_path, 40)
    status, got = in_terminal(tmp_path, interrupt_after=2.5)
    assert status == 130
    assert re.search(r"findings\x1b\[K\r\x1b\[K\s*cachelint: interrupted\s*$", got)


@pytest.mark.parametrize(("arguments", "environment", "is_shown"), [
    (["--no-progress"], {}, False),
    ([], {"TERM": "dumb"}, False),
    ([], {"CI": "true"}, False),
    (["--progress"], {"CI": "true"}, True),
    ([], {"CACHELINT_CHECK_PROGRESS": "0"}, False),
    ([], {"CACHELINT_CHECK_PROGRESS": "1", "CI": "true"}, True),
])
def test_when_it_is_shown(
    tmp_path: Path, arguments: list[str], environment: dict[str, str], is_shown: bool
) -> None:
    catalog(tmp_path, 7)
    _, got = in_terminal(tmp_path, *arguments, environment=environment)
    assert ("pages" in got) == is_shown
    assert is_shown or got == ""


@pytest.mark.parametrize("arguments", [[], ["--progress"]])
def test_nothing_where_there_is_no_terminal(tmp_path: Path, arguments: list[str]) -> None:
    catalog(tmp_path, 7)
    done = subprocess.run(
        [sys.executable, "-c", _SLOWLY, "check", "--jobs", "1", *arguments], cwd=tmp_path,
        capture_output=True, timeout=60, check=False, env={**os.environ, "TERM": "xterm"})
    assert (done.returncode, done.stderr) == (1, b"")
