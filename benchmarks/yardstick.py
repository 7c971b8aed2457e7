"""The yardstick: read every page, parse its two JSON values, and do nothing else.

    python benchmarks/yardstick.py CATALOG

It lists tags, but not the folder of each package. What a check costs beyond this is the cost of
checking.
"""

from __future__ import annotations

import os
import sys

import orjson


def read_page(path: str) -> None:
    """Read a page and parse ``meta`` and ``spec_details``, each on a line of its own."""
    descriptor = os.open(path, os.O_RDONLY)
    raw = os.read(descriptor, os.fstat(descriptor).st_size)
    os.close(descriptor)
    lines = raw.split(b"\n")
    orjson.loads(lines[4][len("meta: ") :])
    orjson.loads(lines[5][len("spec_details: ") :])


def main() -> None:
    """Read the catalog named on the command line."""
    cache = os.path.join(sys.argv[1], "_cache")  # noqa: PTH118 - pathlib takes a while to import
    for tag in os.listdir(cache):  # noqa: PTH208
        for package in os.listdir(f"{cache}/{tag}"):  # noqa: PTH208
            read_page(f"{cache}/{tag}/{package}/specs.md")


if __name__ == "__main__":
    main()
