"""A whole run: from paths to a report, over as many processes as are wanted."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

from cachelint import catalog, files, workers
from cachelint.checker import TagResult, check_catalog, check_catalog_file, check_tag, order
from cachelint.config import Settings
from cachelint.files import Selection, Task
from cachelint.fixer import TagFixed, fix_tag
from cachelint.model import Finding, Report


def check(
    paths: Iterable[str] = (".",), *, settings: Settings | None = None, jobs: int = 1
) -> Report:
    """Check pages and catalogs.

    Args:
        paths: Files and folders; a folder is searched for catalogs.
        settings: Which rules run, and their configuration; the defaults if not given.
        jobs: How many processes to use at most.

    Returns:
        The findings, sorted, with the number of pages and the seconds taken.

    Raises:
        CachelintError: A path does not exist, or a folder has no page.
    """
    settings = settings or Settings()
    start = time.perf_counter()
    selection = files.select(paths)
    findings: list[Finding] = []
    pages = 0
    for result in workers.run(partial(_check, settings), selection.tasks, jobs):
        findings += result.findings
        pages += result.pages
    findings += _catalog_findings(selection, settings)
    findings.sort(key=order)
    return Report(tuple(findings), pages, time.perf_counter() - start)


# processes are sent the work by name, so that it cannot be a function within a function


def _check(settings: Settings, task: Task, tags: catalog.Tags | None) -> TagResult:
    return check_tag(task, settings, tags)


def _fix(settings: Settings, write: bool, task: Task, tags: catalog.Tags | None) -> TagFixed:
    return fix_tag(task, settings, tags, write=write)


def _catalog_findings(selection: Selection, settings: Settings) -> list[Finding]:
    findings = [finding for root in selection.roots for finding in check_catalog(root, settings)]
    seen = {finding.path for finding in findings}
    for path in selection.catalog_files:
        if path not in seen:
            findings += check_catalog_file(path, settings)
    return findings


class FixReport(NamedTuple):
    """What a run of `fix` did."""

    report: Report
    """What is left."""
    changed: tuple[tuple[str, bytes, bytes], ...]
    """Path of each page that was mended, and where nothing was written its bytes before and after."""
    mended: int
    """How many findings were mended."""
    refused: tuple[tuple[str, str], ...]
    """Path of each page that was left alone, and why."""


def fix(
    paths: Iterable[str] = (".",), *, settings: Settings | None = None, jobs: int = 1,
    write: bool = True,
) -> FixReport:
    """Mend pages and catalogs.

    Args:
        paths: Files and folders; a folder is searched for catalogs.
        settings: Which rules make a page worth mending; the defaults if not given.
        jobs: How many processes to use at most.
        write: Whether to replace files; without, only what would be written is returned.

    Returns:
        What is left, what was changed, and what was left alone and why.

    Raises:
        CachelintError: A path does not exist, or a folder has no page.
    """
    settings = settings or Settings()
    start = time.perf_counter()
    selection = files.select(paths)
    findings: list[Finding] = []
    changed: list[tuple[str, bytes, bytes]] = []
    refused: list[tuple[str, str]] = []
    pages = mended = 0
    for result in workers.run(partial(_fix, settings, write), selection.tasks, jobs):
        findings += result.findings
        changed += result.changed
        refused += result.refused
        pages += result.pages
        mended += result.mended
    findings += _catalog_findings(selection, settings)
    findings.sort(key=order)
    report = Report(tuple(findings), pages, time.perf_counter() - start)
    return FixReport(report, tuple(changed), mended, tuple(refused))
