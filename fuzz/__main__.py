"""Fuzz for hours: `python -m fuzz` tries inputs on all cores, and minimises those that fail.

Atheris chooses the inputs by the branches of `cachelint` that they reach, Hypothesis makes damaged
files of them and minimises. The corpus is kept in a folder, with a log of what was tried.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import subprocess
import sys
import time
import traceback
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

TARGETS = ("pages", "catalog", "configuration", "baseline", "mirror")
LONGEST = 8192
"""Bytes of choices for one input."""
BATCH = 200
"""Pages that pass, for one start of the readers in other languages."""


def main() -> None:
    """Fuzz each target in turn until the time is over."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__.split("\n", 1)[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", choices=[*TARGETS, []],
                        help=f"{', '.join(TARGETS)}; all if none is given")
    parser.add_argument("--hours", type=float, default=8, help="how long (default: 8)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="default: all cores")
    parser.add_argument("--corpus", type=Path, default=ROOT / ".fuzz",
                        help="the folder of the corpus (default: .fuzz)")
    parser.add_argument("--worker", type=float, metavar="SECONDS", help=argparse.SUPPRESS)
    parser.add_argument("--minimise", action="store_true",
                        help="only minimise the inputs that have failed, and print them")
    options = parser.parse_args()
    targets = options.targets or [*TARGETS]
    if options.worker:
        _fuzz(targets[0], options.corpus, options.worker)
    elif options.minimise:
        sys.exit(max(map(_minimise, targets, itertools.repeat(options.corpus))))
    else:
        _run_workers(targets, options)


def _run_workers(targets: list[str], options: argparse.Namespace) -> None:
    end = time.monotonic() + options.hours * 3600
    turn = max(20, min(900, options.hours * 3600 * options.jobs / len(targets)))
    turns = itertools.cycle(targets)

    def work(_: int) -> None:
        while (left := end - time.monotonic()) > 10:
            command = [sys.executable, "-m", "fuzz", next(turns), "--corpus", options.corpus,
                       "--worker", str(min(turn, left))]
            with (options.corpus / "output.txt").open("a") as output:
                subprocess.run(command, cwd=ROOT, stdout=output, stderr=output, check=False)

    options.corpus.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(work, range(options.jobs)))
    for target in targets:
        log = [json.loads(line) for line in _log(options.corpus).read_text().splitlines()]
        done = [entry for entry in log if entry["target"] == target]
        print(f"{target}: {sum(entry['inputs'] for entry in done):,} inputs in "
              f"{sum(entry['seconds'] for entry in done) / 3600:.2f} hours of processor time, "
              f"{sum(entry['failed'] for entry in done):,} failed")
    sys.exit(max(map(_minimise, targets, itertools.repeat(options.corpus))))


def _log(corpus: Path) -> Path:
    return corpus / "log.jsonl"


def _make_test(target: str, corpus: Path, **options: Any) -> Any:
    from hypothesis.database import DirectoryBasedExampleDatabase

    from fuzz.targets import make_test

    return make_test(
        target, database=DirectoryBasedExampleDatabase(corpus / "failed" / target), **options)


def _minimise(target: str, corpus: Path) -> int:
    """Minimise the inputs that have failed and print them; return 1 if there are any."""
    from hypothesis import Phase

    from fuzz.properties import Limits

    Limits.are_on = True
    test = _make_test(target, corpus, phases=[Phase.reuse, Phase.shrink])
    try:
        test()
    except unittest.SkipTest:
        return 0  # nothing has failed
    except Exception:
        print(target, traceback.format_exc(), sep="\n")
        return 1
    return 0


class _Tally:
    """Counts what a worker has tried, and logs it now and then."""

    def __init__(self, target: str, corpus: Path) -> None:
        self._target, self._log = target, _log(corpus)
        self._start = time.monotonic()
        self.inputs = self.failed = 0
        self._reset()

    def _reset(self) -> None:
        self._logged, self._before = time.monotonic(), time.process_time()
        self.inputs = self.failed = 0

    def add(self, *, failed: bool) -> None:
        self.inputs += 1
        self.failed += failed
        if time.monotonic() - self._logged > 10:
            entry = {"target": self._target, "inputs": self.inputs, "failed": self.failed,
                     "seconds": round(time.process_time() - self._before, 2)}
            with self._log.open("a") as log:
                log.write(json.dumps(entry) + "\n")
            self._reset()


def _fuzz(target: str, corpus: Path, seconds: float) -> None:
    """Fuzz one target in this process, which ends with it."""
    import atheris

    with atheris.instrument_imports(include=["cachelint"]):
        from fuzz import properties, targets  # noqa: F401
    from support import readers

    properties.Limits.are_on = True
    if has_readers := not readers.missing():
        readers.install()
    try_one = _make_test(target, corpus).hypothesis.fuzz_one_input
    tally = _Tally(target, corpus)

    def test_one(data: bytes) -> None:
        try:
            if try_one(data) is not None:
                tally.add(failed=False)
        except Exception:  # the database of Hypothesis has it
            tally.add(failed=True)
        if len(properties.passed) >= BATCH:
            if has_readers:
                _try_other_readers(corpus)
            properties.passed.clear()

    inputs = corpus / target
    inputs.mkdir(parents=True, exist_ok=True)
    if not any(inputs.iterdir()):
        for number in range(100):
            (inputs / f"random-{number}").write_bytes(random.Random(number).randbytes(LONGEST))
    atheris.Setup([sys.argv[0], str(inputs), f"-max_len={LONGEST}", "-len_control=0",
                   f"-max_total_time={int(seconds)}", "-timeout=120", "-rss_limit_mb=0",
                   f"-artifact_prefix={corpus}/", f"-seed={random.randrange(1, 2**31)}"], test_one)
    atheris.Fuzz()


def _try_other_readers(corpus: Path) -> None:
    """Give the pages that have passed to the readers in other languages."""
    from fuzz import properties

    try:
        properties.check_other_readers()
    except AssertionError as error:
        with (corpus / "readers.txt").open("a") as found:
            found.write(f"{error}\n")


if __name__ == "__main__":
    main()
