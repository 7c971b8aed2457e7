"""Try what only shows after long or at scale, and measure it.

    python benchmarks/soak.py cycles     # damage, check, fix, compare, and again
    python benchmarks/soak.py million    # memory of all processes for a million pages
    python benchmarks/soak.py dask       # 78,000 pages; one worker of four killed

It fails where memory or open files grow, memory is over 500 MB, or reports differ.
`million` needs eight gigabytes, `dask` 700 MB, and both are made in `/dev/shm` or in the temporary
folder. `dask` needs the extra of that name.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from run import PROGRAM, clean_environment, find_memory, list_pages, log, make_catalog
from scale import COPIES, multiply

from cachelint import Settings, check, fix

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
MOST_GROWTH, MOST_MEMORY = 2.0, 500.0
"""Megabytes that a process may grow after a quarter of its cycles, and that all may have."""
WORKERS = 4


class Level(NamedTuple):
    """What a process has."""

    megabytes: float
    files: int


def find_level() -> Level:
    """Return the memory and the open files of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Level(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, len([*Path("/proc/self/fd").iterdir()]))


def damage(catalog: Path, choose: random.Random) -> None:
    """Damage a catalog in ways that `fix` repairs to the same bytes."""
    for path in choose.sample(sorted(list_pages(catalog)), 8):
        text = path.read_text()
        stale = text.replace('"num_specs": ', '"num_specs": 1', 1)
        spellings = [f"{text}\n", text.replace('": ', '":', 3), text.replace("\n", "\r\n")]
        # a page in the tarball format is edited in place
        path.write_text(stale if '"tarball"' in text else choose.choice([stale, *spellings]))
    choose.choice(sorted((catalog / "pages/tags").iterdir())).unlink()
    meta = catalog / "_data/meta.yaml"
    meta.write_text(meta.read_text().replace("\n  count: ", "\n  count: 1", 1))


def run_cycles(work: Path, number: int) -> tuple[Level, Level]:
    """Damage, check, fix and compare; return the levels after a quarter and at the end.

    Raises AssertionError where a catalog is not as it was.
    """
    catalog = Path(shutil.copytree(EXAMPLES / "catalog", work / "catalog"))
    files = {path: path.read_bytes() for path in catalog.rglob("*") if path.is_file()}
    choose = random.Random(1)
    for cycle in range(number):
        if cycle == number // 4:
            early = find_level()
        damage(catalog, choose)
        assert check([str(catalog)]).findings
        assert not fix([str(catalog)]).report.findings
        assert {path: path.read_bytes() for path in catalog.rglob("*") if path.is_file()} == files
    return early, find_level()


def find_memory_of_all(process: int) -> float:
    """Return the megabytes of a process and those that it began; what they share counts once."""
    total = 0.0
    try:
        rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
        total = int(rollup.split("\nPss:")[1].split()[0]) * 1024 / 1e6
        for child in Path(f"/proc/{process}/task/{process}/children").read_text().split():
            total += find_memory_of_all(int(child))
    except (OSError, IndexError):  # it has just ended
        pass
    return total


def measure_million(work: Path, tags: int) -> tuple[int, float]:
    """Check a million pages with two processes; return their number and the peak memory of all."""
    catalog = make_catalog(work, "canonical", tags)
    multiply(catalog, COPIES)
    pages = sum(1 for _ in list_pages(catalog))
    log(f"checking {pages:,} pages")
    most = 0.0
    with subprocess.Popen([*PROGRAM, "check", "--isolated", "--jobs", "2"], cwd=catalog) as process:
        while process.poll() is None:
            most = max(most, find_memory_of_all(process.pid))
            time.sleep(0.1)
    assert process.returncode == 0
    return pages, most


def compare_dask(work: Path, tags: int) -> tuple[int, int]:
    """Check a catalog on a cluster that loses a worker half-way, and compare it with one process.

    Returns the number of pages and of findings. Raises AssertionError where the reports differ.
    """
    from distributed import Client, LocalCluster

    sys.path.append(str(EXAMPLES))
    check_on = import_module("dask_catalog").check_on

    catalog = make_catalog(work, "canonical", tags)
    for tag in sorted((catalog / "_cache").iterdir()):
        page = next(tag.glob("*/specs.md"))
        page.write_text(page.read_text().replace('"num_specs": ', '"num_specs": 1'))
    os.chdir(catalog)
    with LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=WORKERS, threads_per_worker=1, dashboard_address=None) as cluster, Client(
            cluster) as client:  # type: ignore[no-untyped-call]
        victim = next(iter(client.run(os.getpid).values()))
        killer = threading.Thread(target=kill_half_way, args=(cluster, victim, tags))
        killer.start()
        report = check_on(client, ["."], Settings())
        killer.join()
        assert victim not in client.run(os.getpid).values()
    expected = check(["."])
    assert (report.findings, report.pages) == (expected.findings, expected.pages)
    assert len(report.findings) >= tags
    return report.pages, len(report.findings)


def kill_half_way(cluster: object, process: int, tags: int) -> None:
    """Kill a worker when half of the tags are done."""
    done = 0
    while done < tags // 2:
        time.sleep(0.001)
        tasks = list(cluster.scheduler.tasks.values())  # type: ignore[attr-defined]
        done = sum(task.state == "memory" for task in tasks)
    os.kill(process, signal.SIGKILL)
    log(f"killed a worker after {done} of {tags} tags")


def main() -> int:
    """Do what the command line names."""
    parser = argparse.ArgumentParser(description="Try what only shows after long or at scale.")
    parser.add_argument("what", choices=["cycles", "million", "dask"])
    parser.add_argument("--cycles", type=int, default=1000, metavar="N", help="default: 1000")
    parser.add_argument("--tags", type=int, default=100, metavar="N",
                        help="of which a catalog is made; default: 100")
    options = parser.parse_args()
    clean_environment()
    begin = time.monotonic()
    space = find_memory(1e6 if options.what == "million" else 8e4)
    with tempfile.TemporaryDirectory(prefix="cachelint-", dir=space) as folder:
        work = Path(folder)
        if options.what == "cycles":
            early, late = run_cycles(work, options.cycles)
            print(f"{options.cycles:,} cycles: {early.megabytes:.1f} MB and {early.files} files "
                  f"after a quarter, {late.megabytes:.1f} MB and {late.files} at the end", end="")
            fails = late.files > early.files or late.megabytes > early.megabytes + MOST_GROWTH
        elif options.what == "million":
            pages, most = measure_million(work, options.tags)
            print(f"{pages:,} pages: {most:.0f} MB of memory in all processes", end="")
            fails = most > MOST_MEMORY
        else:
            pages, findings = compare_dask(work, options.tags)
            os.chdir("/")
            print(f"{pages:,} pages, {findings} findings: the same report", end="")
            fails = False
    print(f"; {time.monotonic() - begin:.0f} s")
    return int(fails)


if __name__ == "__main__":
    sys.exit(main())
