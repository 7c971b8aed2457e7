"""A whole run: from paths to a report, over as many processes as are wanted."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

from cachelint import files, workers
from cachelint.catalog import TagFacts
from cachelint.checker import order
from cachelint.config import Settings
from cachelint.files import Selection
from cachelint.fixer import fix_catalog, fix_tag
from cachelint.model import Finding, Report
from cachelint.units import check_catalog, check_file, check_tag, tasks_of


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
    facts: list[TagFacts] = []
    pages = 0
    for result in workers.run(partial(check_tag, settings=settings), tasks_of(selection), jobs):
        findings += result.findings
        facts.append(result.facts)
        pages += result.pages
    for root, is_whole in _catalogs(selection).items():
        of_root = [fact for fact in facts if fact.root == root and fact.tag]
        findings += check_catalog(root, of_root, settings, is_whole=is_whole)
    for path in _named_files(selection):
        findings += check_file(path, settings)
    findings.sort(key=order)
    return Report(tuple(findings), pages, time.perf_counter() - start)


def _catalogs(selection: Selection) -> dict[str, bool]:
    """Return each catalog of which at least a tag is looked at whole, and whether all of it is."""
    roots = {task.root: False for task in selection.tasks if task.tag and task.pages is None}
    return roots | dict.fromkeys(selection.roots, True)


def _named_files(selection: Selection) -> list[str]:
    """Return the catalogs' own files that were named and are not checked with their catalog."""
    return [path for path in selection.catalog_files
            if files.catalog_of_file(path) not in selection.roots]


class FixReport(NamedTuple):
    """What a run of `fix` did."""

    report: Report
    """What is left."""
    changed: tuple[tuple[str, bytes, bytes], ...]
    """Path of each file that was mended; where nothing was written, its bytes before and after."""
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
    facts: list[TagFacts] = []
    changed: list[tuple[str, bytes, bytes]] = []
    refused: list[tuple[str, str]] = []
    pages = mended = 0
    work = partial(fix_tag, settings=settings, write=write)
    for result in workers.run(work, tasks_of(selection), jobs):
        findings += result.findings
        facts.append(result.facts)
        changed += result.changed
        refused += result.refused
        pages += result.pages
        mended += result.mended
    for root, is_whole in _catalogs(selection).items():
        of_root = [fact for fact in facts if fact.root == root and fact.tag]
        done = fix_catalog(root, of_root, settings, is_whole=is_whole, write=write)
        findings += done.findings
        changed += done.changed
        refused += done.refused
        mended += done.mended
    for path in _named_files(selection):
        findings += check_file(path, settings)
    findings.sort(key=order)
    report = Report(tuple(findings), pages, time.perf_counter() - start)
    return FixReport(report, tuple(changed), mended, tuple(refused))
