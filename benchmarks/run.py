"""Measure what cachelint costs, in processor time and memory, against its targets.

    python benchmarks/run.py                         # everything: 100 tags, some 40 minutes
    python benchmarks/run.py --only live             # one row; --only can be repeated
    python benchmarks/run.py --quick --only live     # one row of a smaller catalog, under a minute
    python benchmarks/run.py --quick --only live --work /dev/shm/bench    # and keep the catalog

`--help` lists the rows. With `--work`, catalogs are kept and used again by the next run.

Each figure is of whole processes, from the start of Python to the exit. A ratio is measured in
pairs that take turns (A B A B), and is the median of the ratios of the pairs, so that a busy
machine slows both sides. The start of a process (50 ms) is a large part of a check of a few small
pages: with `--quick`, ratios of small pages are higher than those of a whole catalog.

Needs Linux or macOS, the extra `benchmark`, and some gigabytes in `/dev/shm` or in the temporary
folder.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import NamedTuple

import commits

HERE = Path(__file__).resolve().parent
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
PROGRAM = (str(Path(sys.executable).with_name("cachelint")),)
PAUSE = 0.3
"""Seconds that hooks may take whatever git and pre-commit need."""
LARGE = 0.3
"""The share of the tags with which catalogs of large pages, and fix, are measured."""


class Row(NamedTuple):
    """One line of the table."""

    what: str
    kind: str
    """The catalog, as make_catalog.py names it."""
    most: float | None
    """The target for the ratio."""
    megabytes: int = 40
    """The target for peak memory."""
    share: float = 1
    """The tags, as a share of those of other rows: large pages need fewer for the same time."""
    is_stale: bool = False
    arguments: tuple[str, ...] = ("check",)
    against: str = "yardstick"


ROWS = {
    "canonical-large": Row("check, canonical, large pages", "canonical-large", 1.6, share=LARGE),
    "live-large": Row("check, mixed formats, large pages", "live-large", 2.6, share=LARGE),
    "canonical": Row("check, canonical, small pages", "canonical", 2.2),
    "live": Row("check, mixed formats, small pages", "live", 3.5),
    "stale": Row("check, canonical, every page stale", "canonical", 7.5, 100, is_stale=True),
    "stale-live": Row("check, mixed formats, every page stale", "live", 7.5, 100, is_stale=True),
    "own-variants": Row("check, every spec with a variant of its own, large pages",
                        "own-variants", 7, share=LARGE),
    "any-order": Row("check, old pages that list stacks in any order", "any-order", None, 100),
    "unstable-order": Row("check with CL507, mixed formats", "live", 9, 100,
                          arguments=("check", "--extend-select", "CL507")),
    "fix": Row("fix, mixed formats, every page stale", "live", 25, 100, share=LARGE,
               is_stale=True, arguments=("fix",)),
    "one-page": Row("check of one page, against `python -c pass`", "canonical", 5.2,
                    against="python"),
    "commit": Row("commit of a page with all hooks, wall time less 0.3 s, against hooks without "
                  "effect", "live", 1.3, share=0.24, against="no hooks"),
    "diff": Row("diff of two folders, every page in another order, against the check of both",
                "canonical", 2.5, 100, arguments=("diff",), against="both checks"),
    "two-processes": Row("check by two processes, wall time, against one", "live", 1.7,
                         against="one process"),
}


class Cost(NamedTuple):
    """What a process and those that it started cost."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds."""
    peak: float
    """Megabytes of the largest process."""


class Command(NamedTuple):
    """A process to measure."""

    arguments: tuple[object, ...]
    folder: Path
    statuses: tuple[int, ...] = (0,)
    """The exit statuses with which the measurement is valid."""
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None
    """What is done before and after each run, and not measured."""


class Result(NamedTuple):
    """What was measured for a row: medians."""

    row: Row
    pages: int
    ratio: float
    ours: Cost
    other: Cost

    @property
    def is_met(self) -> bool:
        """Whether both targets are met."""
        most = self.row.most or self.ratio
        is_fast = self.ratio >= most if self.row.against == "one process" else self.ratio <= most
        return is_fast and self.ours.peak <= self.row.megabytes


def log(line: str) -> None:
    """Show progress on standard error."""
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


def run(command: Command) -> Cost:
    """Run a command once. Raises RuntimeError for an unexpected exit status."""
    command.before()
    start = time.perf_counter()
    process = subprocess.Popen(list(map(str, command.arguments)), cwd=command.folder,
                               stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in command.statuses:
        raise RuntimeError(f"{command.arguments}: exit status {process.returncode}, expected "
                           f"{command.statuses}")
    command.after()
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit)


def clean_environment() -> None:
    """Remove the settings of cachelint, of GitHub and of Python."""
    for name in list(os.environ):
        if name.startswith(("CACHELINT_", "GITHUB_", "PYTHON")):
            del os.environ[name]


def make_catalog(
    work: Path, kind: str, tags: int, *, stale: bool = False, reordered: bool = False
) -> Path:
    """Make a catalog, unless it is there from an earlier run."""
    how = ["--stale"] * stale + ["--reordered"] * reordered
    folder = work / f"{kind}-{tags}{''.join(how).replace('--', '-')}"
    if not folder.exists():
        log(f"making {folder.name}")
        unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
        subprocess.run([sys.executable, HERE / "make_catalog.py", kind, "--out", unfinished,
                        "--tags", str(tags), *how], check=True)
        unfinished.rename(folder)
    return folder


def list_pages(catalog: Path) -> Iterator[Path]:
    """Yield the pages of a catalog."""
    return catalog.glob("_cache/*/*/specs.md")


def check_catalog(row: Row, catalog: Path, jobs: int = 1) -> Command:
    """Return the command that checks a whole catalog."""
    command, *options = row.arguments
    return Command((*PROGRAM, command, "--isolated", "--jobs", jobs, *options, "."), catalog,
                   (1,) if row.is_stale else (0,))


def fix_copy(row: Row, stale: Path, valid: Path) -> Command:
    """Return the command that fixes a copy of a stale catalog: it must give the valid one."""
    copy = stale.with_name(f"copy.{os.getpid()}")

    def restore() -> None:
        subprocess.run(["cp", "-R", stale, copy], check=True)

    def compare() -> None:
        subprocess.run(["diff", "-rq", valid, copy], check=True)
        shutil.rmtree(copy)

    command = check_catalog(row, copy)
    return command._replace(statuses=(0,), before=restore, after=compare)


def pair_commands(row: Row, work: Path, tags: int) -> tuple[Command, Command]:
    """Return the command to measure and the one that it is compared with."""
    catalog = make_catalog(work, row.kind, tags, stale=row.is_stale)
    if row.against == "no hooks":
        site = commits.make_repository(catalog)
        ours, other = (Command(commits.commit(kind), site, before=partial(commits.stage_page, site))
                       for kind in (commits.OURS, commits.NOTHING))
        return ours, other
    if row.against == "python":
        page = next(list_pages(catalog)).relative_to(catalog)
        return (Command((*PROGRAM, "check", "--isolated", page), catalog),
                Command((sys.executable, "-c", "pass"), catalog))
    if row.against == "both checks":
        other_order = make_catalog(work, row.kind, tags, reordered=True)
        command = (*PROGRAM, "diff", "--isolated", "--jobs", 1, ".", other_order)
        check = (*PROGRAM, "check", "--isolated", "--jobs", 1, "--statistics", ".", other_order)
        return Command(command, catalog), Command(check, catalog, (1,))
    if row.against == "one process":
        return check_catalog(row, catalog, 2), check_catalog(row, catalog)
    yardstick = Command((sys.executable, HERE / "yardstick.py", catalog), catalog)
    if row.arguments[0] == "fix":
        return fix_copy(row, catalog, make_catalog(work, row.kind, tags)), yardstick
    return check_catalog(row, catalog), yardstick


def measure(row: Row, work: Path, tags: int, runs: int) -> Result:
    """Measure one row."""
    ours, other = pair_commands(row, work, math.ceil(tags * row.share))
    if row.against == "python":
        runs *= 5  # it takes milliseconds
    run(ours)  # modules are compiled and files are in memory afterwards
    pairs = [(run(other), run(ours)) for _ in range(runs)]
    if row.against == "one process":
        ratio = median(one.wall / two.wall for one, two in pairs)
    elif row.against == "no hooks":
        ratio = median((mine.wall - PAUSE) / base.wall for base, mine in pairs)
    else:
        ratio = median(mine.cpu / base.cpu for base, mine in pairs)
    base, mine = (Cost(*map(median, zip(*each, strict=True))) for each in zip(*pairs, strict=True))
    pages = 1 if row.against == "python" else sum(1 for _ in list_pages(other.folder))
    return Result(row, pages, ratio, mine, base)


def render_result(result: Result) -> str:
    """Write one line of the table."""
    row, ours, other = result.row, result.ours, result.other
    is_least = row.against == "one process"
    is_wall = is_least or row.against == "no hooks"
    seconds = (ours.wall, other.wall) if is_wall else (ours.cpu, other.cpu)
    target = f"{'≥' if is_least else '≤'} {row.most}" if row.most else ""
    return (f"| {row.what} | {result.pages:,} | {seconds[0]:.3f} s | {seconds[1]:.3f} s "
            f"| {result.ratio:.2f} | {target} | {ours.peak:.0f} MB | ≤ {row.megabytes} MB "
            f"| {'✓' if result.is_met else '✗'} |")


def render_table(results: list[Result], tags: int, runs: int) -> str:
    """Write the table as Markdown."""
    processors = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    return "\n".join([
        f"{processors} processors ({platform.system()}, {platform.machine()}), Python "
        f"{platform.python_version()}, orjson {version('orjson')}, cachelint "
        f"{version('cachelint')}; {tags} tags, {math.ceil(tags * LARGE)} where pages are "
        f"large and for fix; medians of {runs} pairs of runs.",
        "",
        "| what | pages | cachelint | compared with | ratio | target | peak memory | target | |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---|",
        *map(render_result, results),
    ])


def replace_between_markers(path: Path, table: str) -> None:
    """Replace what is between the two markers in a file."""
    before, rest = path.read_text(encoding="utf-8").split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    path.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


def find_memory(pages: float = 7e5) -> str | None:
    """Return the folder in memory, if it has enough space for so many pages and their folders."""
    memory = "/dev/shm"
    if not os.access(memory, os.W_OK):
        return None
    space = os.statvfs(memory)
    is_enough = space.f_bavail * space.f_frsize > 7e3 * pages and space.f_favail > 2.1 * pages
    return memory if is_enough else None


def main() -> int:
    """Measure, and print the table; exit status 1 with `--check` where a target is missed."""
    parser = argparse.ArgumentParser(description="Measure cachelint.")
    parser.add_argument("--only", action="append", choices=ROWS, help="measure this row alone")
    parser.add_argument("--tags", type=int, default=100, metavar="N", help="default: 100")
    parser.add_argument("--runs", type=int, default=7, metavar="N",
                        help="pairs of runs, default: 7")
    parser.add_argument("--quick", action="store_true", help="the same as --tags 20 --runs 3")
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="keep catalogs in FOLDER")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a target is missed")
    parser.add_argument("--write", type=Path, metavar="FILE",
                        help="replace the table between the markers in FILE")
    options = parser.parse_args()
    tags, runs = (20, 3) if options.quick else (options.tags, options.runs)
    clean_environment()
    results = []
    with tempfile.TemporaryDirectory(prefix="cachelint-", dir=find_memory()) as temporary:
        for name in options.only or ROWS:
            log(f"measuring {name}")
            work = (options.work or Path(temporary)).resolve()
            work.mkdir(parents=True, exist_ok=True)
            results.append(measure(ROWS[name], work, tags, runs))
            log(render_result(results[-1]))
    table = render_table(results, tags, runs)
    print(table)
    if options.write:
        replace_between_markers(options.write, table)
    return 1 if options.check and not all(result.is_met for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
