"""A short run of what is tried for long, or at scale."""

import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).parents[2] / "benchmarks/soak.py"


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
@pytest.mark.parametrize(("arguments", "expected"), [
    (["cycles", "--cycles", "40"], "40 cycles: "),
    (["million", "--tags", "1"], "11,050 pages: "),
    (["dask", "--tags", "4"], " findings: the same report"),
])
def test_short_run(arguments: list[str], expected: str) -> None:
    done = subprocess.run([sys.executable, SOAK, *arguments], capture_output=True, text=True,
                          check=False)
    assert expected in done.stdout, done.stderr
    assert done.returncode == 0, done.stdout + done.stderr
