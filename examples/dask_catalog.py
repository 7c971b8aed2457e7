"""Check many catalogs, or a very large one, on a Dask cluster.

    python examples/dask_catalog.py catalogs/*                     # two processes of this machine
    python examples/dask_catalog.py catalogs/* --scheduler tcp://head:8786

One folder below a catalog's `_cache` is one task. Workers read the pages themselves, so that they
must see the same files under the same paths, and send home findings and a few numbers only. The
JSON report is that of `cachelint check --output-format json`, but for the seconds.

It needs `pip install 'cachelint[dask]'`, on the workers too.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial

from distributed import Client, LocalCluster

from cachelint import (
    CachelintError,
    Finding,
    Report,
    Settings,
    TagResult,
    TagTask,
    check_catalog,
    check_tag,
    select,
    tasks_of,
)
from cachelint.config import file as config_file
from cachelint.files.discovery import Selection
from cachelint.files.paths import catalog_of_file
from cachelint.linter.catalog import check_file
from cachelint.linter.findings import order
from cachelint.output.formats import FORMATS, PLAIN
from cachelint.runner import baseline as baselines


def check_on(client: Client, paths: Sequence[str], settings: Settings) -> Report:
    """Check pages and catalogs as `cachelint.check` does, with a task a tag on a cluster."""
    start = time.perf_counter()
    selection = select(paths)
    work = partial(check_tag_in, os.getcwd(), settings=settings)  # noqa: PTH109
    futures = client.map(work, tasks_of(selection), pure=False)
    results: list[TagResult] = client.gather(futures)  # type: ignore[no-untyped-call]
    findings = [finding for result in results for finding in result.findings]
    findings += joined(selection, results, settings)
    findings.sort(key=order)
    pages = sum(result.pages for result in results)
    return Report(tuple(findings), pages, time.perf_counter() - start)


def check_tag_in(folder: str, task: TagTask, settings: Settings) -> TagResult:
    """Check a tag whose path is relative to a folder, also on a worker that was begun again."""
    os.chdir(folder)
    return check_tag(task, settings)


def joined(
    selection: Selection, results: Sequence[TagResult], settings: Settings
) -> Iterator[Finding]:
    """Check the catalogs' own files with the results of all tags; this takes little time."""
    whole_tags = {task.root for task in selection.tasks if task.tag and task.pages is None}
    for root in whole_tags.union(selection.roots):
        facts = [each.facts for each in results if each.facts.root == root and each.facts.tag]
        yield from check_catalog(root, facts, settings, is_whole=root in selection.roots)
    for path in selection.catalog_files:
        if catalog_of_file(path) not in selection.roots:
            yield from check_file(path, settings)


def main() -> int:
    """Check what the command line names, and write the JSON report."""
    parser = argparse.ArgumentParser(description="Check catalogs on a Dask cluster.")
    parser.add_argument("paths", nargs="*", default=["."], metavar="PATH")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--scheduler", metavar="ADDRESS", help="of a cluster that is running")
    where.add_argument("--workers", type=int, default=2, metavar="N",
                       help="processes of a cluster on this machine [default: 2]")
    options = parser.parse_args()
    try:
        path = config_file.find()
        file = config_file.load(path) if path is not None else config_file.NO_FILE
        settings = config_file.join_settings(file.data, {})
        baseline = file.baseline()
        known = baselines.read(baseline) if baseline else {}
        with ExitStack() as stack:
            cluster = options.scheduler or stack.enter_context(
                LocalCluster(  # type: ignore[no-untyped-call]
                    n_workers=options.workers, threads_per_worker=1, dashboard_address=None))
            client = stack.enter_context(Client(cluster))  # type: ignore[no-untyped-call]
            report = check_on(client, options.paths, settings)
        left = baselines.apply(report.findings, known, baseline or "", lambda *_: False)
        report = report._replace(findings=tuple(left.findings), suppressed=left.suppressed)
    except CachelintError as error:
        print(f"cachelint: {error}", file=sys.stderr)
        return 2
    sys.stdout.writelines(FORMATS["json"].load()(report, PLAIN))
    return 1 if report.errors else 0


if __name__ == "__main__":
    sys.exit(main())
