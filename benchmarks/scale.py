"""Measure how the cost of a check grows with the catalog, from one page to a million.

    python benchmarks/scale.py [--million] [--write docs/scale.md]

Every size up to 100 tags is measured once as a valid catalog and once with a finding on every page.
The million is the valid catalog of 100 tags thirteen times, each with other tags and hashes. It
needs some eight gigabytes in `/dev/shm` or in the temporary folder; without it, two are enough.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import sys
import tempfile
from pathlib import Path

from run import (
    PROGRAM,
    Command,
    Cost,
    clean_environment,
    find_memory,
    list_pages,
    log,
    make_catalog,
    replace_between_markers,
    run,
)

SIZES = (1, 12, 100)
"""Tags."""
COPIES = 13
ALPHABET = b"abcdefghijklmnopqrstuvwxyz234567"
HASH_END = re.compile(rb'("hash": "[a-z2-7]{30})[a-z2-7]{2}')


def multiply(catalog: Path, copies: int) -> None:
    """Add to a catalog copies of its tags, with other names and other hashes in the same order."""
    cache, tag_pages, tags_file = (
        catalog / "_cache", catalog / "pages" / "tags", catalog / "_data" / "tags.yaml")
    # a copy is some years younger than the one before; its hashes differ in the last characters
    changes = [(b"develop-%d" % (20 + copy), rb"\g<1>" + ALPHABET[copy : copy + 1] * 2)
               for copy in range(1, copies)]
    for tag in sorted(cache.iterdir()):
        old = tag.name.encode()
        for year, ending in changes:
            new = old.replace(b"develop-20", year)
            tag_page = (tag_pages / f"{tag.name}.md").read_bytes()
            (tag_pages / f"{new.decode()}.md").write_bytes(tag_page.replace(old, new))
            for package in os.scandir(tag):
                raw = Path(package.path, "specs.md").read_bytes()
                folder = cache / new.decode() / package.name
                folder.mkdir(parents=True)
                (folder / "specs.md").write_bytes(HASH_END.sub(ending, raw.replace(old, new, 1)))
    listed = tags_file.read_bytes()
    tags_file.write_bytes(b"".join(
        [listed, *(listed.replace(b"develop-20", year) for year, _ in changes)]))
    # its counts would be wrong, and the catalog of 100 tags shows what it costs
    (catalog / "_data" / "meta.yaml").unlink()


def measure(catalog: Path, jobs: int, path: str = ".") -> tuple[Cost, int]:
    """Check a catalog or a page; return what that cost, and the bytes of the JSON report."""
    report = catalog.with_name("report.json")
    cost = run(Command((*PROGRAM, "check", "--isolated", "--jobs", jobs, "--quiet",
                        "--output-file", f"json:{report}", path), catalog, (0, 1)))
    size = report.stat().st_size
    report.unlink()
    return cost, size


def measure_row(what: str, catalog: Path, pages: int, path: str = ".") -> str:
    """Measure one line of the table: one process and two."""
    (one, size), (two, _) = measure(catalog, 1, path), measure(catalog, 2, path)
    per_page = f"{one.cpu * 1e6 / pages:,.0f} µs" if pages > 1 else ""
    line = (f"| {what} | {pages:,} | {one.cpu:,.2f} s | {two.cpu:,.2f} s | {per_page} "
            f"| {max(one.peak, two.peak):.0f} MB | {size / 1e6:,.2f} MB |")
    log(line)
    return line


def measure_size(work: Path, tags: int, *, stale: bool, million: bool) -> list[str]:
    """Measure a catalog, one page of the smallest, and the million made of the largest."""
    catalog = make_catalog(work, "canonical", tags, stale=stale)
    pages = sum(1 for _ in list_pages(catalog))
    ending = ", every page stale" if stale else ""
    lines = []
    if tags == SIZES[0]:
        page = str(next(list_pages(catalog)).relative_to(catalog))
        measure(catalog, 1, page)  # modules are compiled afterwards
        lines.append(measure_row(f"one page{', stale' if stale else ''}", catalog, 1, page))
    name = "1 tag" if tags == 1 else f"{tags} tags"
    lines.append(measure_row(f"{name}{ending}", catalog, pages))
    if million and tags == SIZES[-1] and not stale:
        log("making the million")
        multiply(catalog, COPIES)
        lines.append(measure_row(f"{tags * COPIES:,} tags", catalog, pages * COPIES))
    shutil.rmtree(catalog)
    return lines


def main() -> None:
    """Measure, and print or write the table."""
    parser = argparse.ArgumentParser(description="Measure how a check grows with the catalog.")
    parser.add_argument("--million", action="store_true", help="go on to a million pages")
    parser.add_argument("--write", type=Path, metavar="FILE",
                        help="replace the table between the markers in FILE")
    options = parser.parse_args()
    clean_environment()
    processors = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    lines = [
        f"{processors} processors ({platform.system()}, {platform.machine()}), Python "
        f"{platform.python_version()}, one run each.", "",
        "| catalog | pages | processor time, 1 process | 2 processes | a page, 1 process "
        "| largest process | JSON report |", "|---|---:|---:|---:|---:|---:|---:|",
    ]
    with tempfile.TemporaryDirectory(prefix="cachelint-", dir=find_memory(1e6)) as work:
        for tags in SIZES:
            for stale in (False, True):
                lines += measure_size(Path(work), tags, stale=stale, million=options.million)
    table = "\n".join(lines)
    print(table)
    if options.write:
        replace_between_markers(options.write, table)


if __name__ == "__main__":
    main()
