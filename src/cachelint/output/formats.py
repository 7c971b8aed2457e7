"""How a report is written: one module for each format, and one table of them."""

from __future__ import annotations

import os
import posixpath
from collections import Counter
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import TextIO

from cachelint.model import Report
from cachelint.text import clip, plural

Reporter = Callable[[Report, bool], Iterator[str]]
"""Writes a report piece by piece; the second argument says whether in colour."""

FORMATS = ("full", "concise", "json", "github", "sarif", "junit", "gitlab", "html")
WITH_TOTALS = frozenset({"full", "concise", "github"})
"""The formats whose last piece is the totals, which may be left out."""

FIXABLE = " (fixable: run cachelint fix)"
"""What follows the message of a finding that can be mended, where there is no mark for it."""
WIDTH = 2000
"""Characters of a message at most, where whoever reads a report limits its size."""


def reporter(name: str) -> Reporter:
    """Return the reporter of a format; ``name`` is one of FORMATS."""
    write: Reporter = import_module(f"cachelint.output.{name}").write
    return write


def terminal_width(stream: TextIO) -> int:
    """Return how many columns the terminal ``stream`` has; ``COLUMNS`` has the last word."""
    try:
        said = os.environ.get("COLUMNS", "")
        if said.isdecimal() and int(said):
            return int(said)
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def claim(report: Report) -> str:
    """Count errors, warnings and pages: `2 errors and 1 warning in 23 pages`."""
    errors = report.errors
    warnings = len(report.findings) - errors
    parts = []
    if errors or not warnings:
        parts.append(plural(errors, "error") if errors else "no errors")
    if warnings:
        parts.append(plural(warnings, "warning"))
    return f"{' and '.join(parts)} in {plural(report.pages, 'page')}"


def totals(report: Report) -> str:
    """Say in one line what a report comes to."""
    line = claim(report)
    if report.fixable:
        line += f" ({report.fixable:,} fixable: run cachelint fix)"
    if report.suppressed:
        line += f", {plural(report.suppressed, 'known finding')} left out"
    if report.compared is not None:
        line += f"; {plural(report.compared, 'page')} compared with {report.base[:12]}"
    return line


def counts(numbers: Counter[str], limit: int, noun: str) -> str:
    """Write how often each thing was counted, the most frequent first, and the rest together."""
    ordered = sorted(numbers.items(), key=lambda item: (-item[1], item[0]))
    parts = [f"{count:,} {clip(name, 200)}" for name, count in ordered[:limit]]
    rest = ordered[limit:]
    if rest:
        number = sum(count for _, count in rest)
        parts.append(f"{number:,} in {plural(len(rest), f'other {noun}')}")
    return ", ".join(parts)


def folder_in(variable: str) -> str:
    """Return what leads from a checkout, from which a service counts, to where paths begin.

    ``variable`` of the environment names the checkout. What is returned ends with a slash, or is
    empty where both are one or there is no checkout around.
    """
    checkout = os.environ.get(variable)
    if not checkout:
        return ""
    below = os.path.relpath(os.path.realpath("."), os.path.realpath(checkout))
    return "" if f"{below}/".startswith(("./", "../")) else f"{below}/"


def in_checkout(folder: str, path: str) -> str:
    """Return the path of a finding as it is counted from the checkout: see `folder_in`."""
    return posixpath.normpath(posixpath.join(folder, path)) if folder else path
