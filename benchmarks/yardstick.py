"""The yardstick: find and read every page, parse its two JSON values, and do nothing else.

    python benchmarks/yardstick.py CATALOG PROCESSES

Nothing that looks into every page can be faster by much, so that what a check costs on top of this
is what the checking costs.
"""

from __future__ import annotations

import os
import sys
from multiprocessing import get_context

import orjson


def read_tag(folder: str) -> int:
    """Read the pages of one tag; return how many there are."""
    names = os.listdir(folder)  # noqa: PTH208 - the fastest way
    for name in names:
        with open(f"{folder}/{name}/specs.md", "rb") as file:  # noqa: PTH123
            lines = file.read().split(b"\n")
        orjson.loads(lines[4].removeprefix(b"meta: "))
        orjson.loads(lines[5].removeprefix(b"spec_details: "))
    return len(names)


def main() -> None:
    """Read a catalog, one task a tag."""
    cache, processes = f"{sys.argv[1]}/_cache", int(sys.argv[2])
    folders = [f"{cache}/{tag}" for tag in os.listdir(cache)]  # noqa: PTH208
    if processes == 1:
        pages = sum(map(read_tag, folders))
    else:
        with get_context("fork").Pool(processes) as pool:
            pages = sum(pool.imap_unordered(read_tag, folders))
    print(pages)


if __name__ == "__main__":
    main()
