"""Measure reading a build-cache index, in time and memory, beside `orjson.loads` of the same file.

    python benchmarks/read_index.py                                  # 60,000 installs, some 500 MB
    python benchmarks/read_index.py --installs 6000                  # a small one
    python benchmarks/read_index.py --write docs/performance.md      # and put the table there

Each figure is of a whole process, the median of several that took turns. Needs the extra
`benchmark`, ten times as much memory as the index has, and Linux or macOS.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import NamedTuple

from make_index import write_index

BEGIN, END = "<!-- index: begin -->", "<!-- index: end -->"

PROGRAMS = {
    "`orjson.loads` of the whole file": """
import sys, orjson
with open(sys.argv[1], "rb") as file:
    print(len(orjson.loads(file.read())["database"]["installs"]))
""",
    "`json.load` of the whole file": """
import sys, json
with open(sys.argv[1], "rb") as file:
    print(len(json.load(file)["database"]["installs"]))
""",
    "ijson, its C backend, install by install": """
import sys, ijson.backends.yajl2_c as ijson
with open(sys.argv[1], "rb") as file:
    print(sum(1 for _ in ijson.kvitems(file, "database.installs", use_float=True)))
""",
    "msgspec, typed, over mmap": """
import sys, mmap, msgspec
class Arch(msgspec.Struct): platform: str; platform_os: str; target: object
class Edge(msgspec.Struct): hash: str; parameters: object = None
class Node(msgspec.Struct):
    name: str; version: str; hash: str; arch: Arch; parameters: dict[str, object]
    dependencies: list[Edge] = []; patches: list[str] = []
    annotations: object = None; external: object = None; compiler: object = None
class Install(msgspec.Struct): spec: Node; in_buildcache: bool
class Database(msgspec.Struct): version: str; installs: dict[str, Install]
class Index(msgspec.Struct): database: Database
with open(sys.argv[1], "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
    print(len(msgspec.json.decode(view, type=Index).database.installs))
""",
    "`raw_decode` of the standard library, install by install": """
import sys
from cachelint.index.database import Database
from cachelint.index.sources import IndexFile
print(sum(1 for _ in Database(IndexFile(sys.argv[1])).read()))
""",
    "**cachelint**: checksum, checks and all that pages need": """
import sys
from cachelint.index.mapping import load_index
from cachelint.index.sources import IndexFile
print(len(load_index(IndexFile(sys.argv[1])).specs))
""",
    "cachelint, with the counts of `meta.yaml`": """
import sys
from cachelint.index.counts import count_graphs
from cachelint.index.mapping import load_index
from cachelint.index.sources import IndexFile
index = load_index(IndexFile(sys.argv[1]))
count_graphs(index)
print(len(index.specs))
""",
}


class Run(NamedTuple):
    """What one process took."""

    seconds: float
    """Processor time."""
    megabytes: float
    """Memory at the peak."""


def measure(program: str, path: Path) -> Run | None:
    """Run a program over an index; None where a module is missing."""
    process = subprocess.Popen([sys.executable, "-c", program, str(path)],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        return None
    size = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Run(usage.ru_utime + usage.ru_stime, size / 1e6)


def measure_all(path: Path, rounds: int) -> dict[str, Run]:
    """Measure each program several times, in turns; return the medians."""
    found: dict[str, list[Run]] = {}
    for _ in range(rounds):
        for name, program in PROGRAMS.items():
            run = measure(program, path)
            if run is not None:
                found.setdefault(name, []).append(run)
    return {name: Run(median(run.seconds for run in runs), median(run.megabytes for run in runs))
            for name, runs in found.items()}


def table(runs: dict[str, Run], path: Path, installs: int, rounds: int) -> str:
    """Return the table, in Markdown."""
    first = next(iter(runs.values()))
    lines = [
        f"{time.strftime('%Y-%m-%d')}, {platform.system()}, {platform.machine()}, Python "
        f"{platform.python_version()}, orjson {version('orjson')}; {installs:,} installs, "
        f"{path.stat().st_size / 1e6:,.0f} MB; "
        f"{'one run' if rounds == 1 else f'medians of {rounds} runs'}.", "",
        "| what reads the index | CPU | to orjson | peak memory |", "|---|---|---|---|"]
    lines += [f"| {name} | {run.seconds:.1f} s | {run.seconds / first.seconds:.2f} | "
              f"{run.megabytes:,.0f} MB |" for name, run in runs.items()]
    return "\n".join(lines)


def put(path: Path, text: str) -> None:
    """Put the table between its marks in a page."""
    before, rest = path.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("--installs", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", type=Path, metavar="PAGE")
    options = parser.parse_args()
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder:
        path = Path(folder) / "index.json"
        write_index(path, options.installs)
        text = table(measure_all(path, options.rounds), path, options.installs, options.rounds)
    print(text)
    if options.write:
        put(options.write, text)


if __name__ == "__main__":
    main()
