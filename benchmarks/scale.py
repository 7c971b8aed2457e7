"""Measure how the cost of a check grows with the catalog, from one page to a million.

    python benchmarks/scale.py [--million] [--write docs/scale.md]

Every size is measured once as a sound catalog, and up to 100 tags with a finding on every page too.
The million is the catalog of 100 tags thirteen times, each time with tags and hashes of its own. It
needs some eight gigabytes in memory (`/dev/shm`) or in the folder for temporary files, and without
it some two.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from run import (
    HERE,
    Command,
    Cost,
    count_pages,
    put_between_markers,
    run,
    say,
    set_environment,
    working_folder,
)

SIZES = (1, 12, 100)
"""Tags."""
COPIES = 13
ALPHABET = b"abcdefghijklmnopqrstuvwxyz234567"
HASH_END = re.compile(rb'("hash": "[a-z2-7]{30})[a-z2-7]{2}')


def make(folder: Path, tags: int, stale: int) -> Path:
    """Make a catalog in the current format."""
    subprocess.run(
        [sys.executable, HERE / "make_catalog.py", "--out", folder, "--tags", str(tags),
         "--canonical", "--stale", str(stale)], check=True, stdout=subprocess.DEVNULL)
    return folder


def multiply(catalog: Path, copies: int) -> None:
    """Add to a catalog copies of its tags, with other names and other hashes in the same order."""
    cache, tag_pages = catalog / "_cache", catalog / "pages" / "tags"
    # a copy lies some years after the one before; a hash keeps all but its end, and so its place
    years = [b"develop-%d" % (20 + copy) for copy in range(1, copies)]
    endings = [b"\\g<1>" + ALPHABET[copy : copy + 1] * 2 for copy in range(1, copies)]
    tags = sorted(os.fsencode(tag.name) for tag in cache.iterdir())
    for tag in tags:
        names = [tag.replace(b"develop-20", year) for year in years]
        for name in names:
            (cache / os.fsdecode(name)).mkdir()
            tag_page = (tag_pages / f"{os.fsdecode(tag)}.md").read_bytes()
            (tag_pages / f"{os.fsdecode(name)}.md").write_bytes(tag_page.replace(tag, name))
        for package in (cache / os.fsdecode(tag)).iterdir():
            raw = (package / "specs.md").read_bytes()
            for name, ending in zip(names, endings, strict=True):
                folder = f"{cache}/{os.fsdecode(name)}/{package.name}"
                os.mkdir(folder)  # noqa: PTH102 - a million times
                with open(f"{folder}/specs.md", "wb") as file:  # noqa: PTH123
                    file.write(HASH_END.sub(ending, raw.replace(tag, name, 1)))
    listed = (catalog / "_data" / "tags.yaml").read_bytes()
    (catalog / "_data" / "tags.yaml").write_bytes(
        b"".join([listed, *(listed.replace(b"develop-20", year) for year in years)]))
    # the counts would be wrong, and one catalog of 100 tags shows what they cost
    (catalog / "_data" / "meta.yaml").unlink()


def measure(catalog: Path, jobs: int, status: int, *paths: str) -> tuple[Cost, int]:
    """Check a catalog; return what that cost, and the bytes of the JSON report."""
    beside = Path(sys.executable).with_name("cachelint")
    report = catalog.with_name("report.json")
    # the report goes through a shell, since only its size is of interest
    command = 'exec "$0" check --isolated --output-format json --jobs "$1" "${@:3}" > "$2"'
    cost = run(Command(["bash", "-c", command, beside, jobs, report, *(paths or (".",))],
                       catalog, status))
    size = report.stat().st_size
    report.unlink()
    return cost, size


def row(what: str, pages: int, findings: int, costs: dict[int, tuple[Cost, int]]) -> str:
    """Write one line of the table."""
    cells = [what, f"{pages:,}", f"{findings:,}"]
    cells += [f"{cost.cpu:,.2f} s" for cost, _ in costs.values()]
    one, size = costs[1]
    cells += [f"{one.cpu * 1e6 / pages:,.0f} µs" if pages > 1 else "",
              f"{max(cost.peak for cost, _ in costs.values()):.0f} MB", f"{size / 1e6:,.2f} MB"]
    return f"| {' | '.join(cells)} |"


def table(work: Path, *, million: bool) -> str:
    """Measure every size, and write the table."""
    processors = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    lines = [
        f"{processors} processors ({platform.system()}, {platform.machine()}), Python "
        f"{platform.python_version()}, one run each.", "",
        "| catalog | pages | findings | CPU, 1 process | CPU, 2 processes | CPU a page, 1 process "
        "| largest process | JSON report |", "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]

    def add(what: str, pages: int, findings: int, costs: dict[int, tuple[Cost, int]]) -> None:
        lines.append(row(what, pages, findings, costs))
        say(lines[-1])

    for tags in SIZES:
        for stale in (0, 1):
            say(f"{tags} tags, {'stale' if stale else 'sound'}")
            catalog = make(work / "catalog", tags, stale)
            pages = count_pages(catalog)
            if tags == SIZES[0]:
                page = next(catalog.glob("_cache/*/*/specs.md")).relative_to(catalog)
                measure(catalog, 1, stale)  # and be sure that everything is compiled
                add("one page, stale" if stale else "one page", 1, stale, {
                    jobs: measure(catalog, jobs, stale, str(page)) for jobs in (1, 2)})
            name = "1 tag" if tags == 1 else f"{tags} tags"
            what = f"{name}, every page stale" if stale else name
            add(what, pages, pages * stale, {
                jobs: measure(catalog, jobs, stale) for jobs in (1, 2)})
            if million and tags == SIZES[-1] and not stale:
                multiply(catalog, COPIES)
                say("the million")
                add(f"{tags * COPIES:,} tags", count_pages(catalog), 0, {
                    jobs: measure(catalog, jobs, 0) for jobs in (1, 2)})
            shutil.rmtree(catalog)
    return "\n".join(lines)


def main() -> int:
    """Measure, and print or write the table."""
    parser = argparse.ArgumentParser(description="Measure how a check grows with the catalog.")
    parser.add_argument("--million", action="store_true", help="go on to a million pages")
    parser.add_argument("--write", type=Path, metavar="FILE",
                        help="replace the table between the markers in FILE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cachelint-", dir=working_folder()) as work:
        set_environment(Path(work, "bytecode"))
        text = table(Path(work), million=options.million)
    print(text)
    if options.write:
        put_between_markers(options.write, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
