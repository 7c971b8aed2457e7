"""How a report is written: one module for each format, and one table of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import TextIO

from cachelint.model import Report

Reporter = Callable[[Report, bool], Iterator[str]]
"""Writes a report piece by piece; the second argument says whether in colour."""

FORMATS = ("full", "concise", "json", "github")


def reporter(name: str) -> Reporter:
    """Return the reporter of a format; ``name`` is one of FORMATS."""
    write: Reporter = import_module(f"cachelint.reporters.{name}_format").write
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


def counted(number: int, noun: str) -> str:
    """Write a number with its noun: `1 page`, `1,225 pages`."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun[:-1]}ies" if noun.endswith("y") else f"{number:,} {noun}s"


def totals(report: Report) -> str:
    """Say in one line what a report comes to."""
    parts = []
    if report.errors or not report.warnings:
        parts.append(counted(report.errors, "error") if report.errors else "no errors")
    if report.warnings:
        parts.append(counted(report.warnings, "warning"))
    line = f"{' and '.join(parts)} in {counted(report.pages, 'page')}"
    if report.fixable:
        line += f" ({report.fixable:,} fixable: run cachelint fix)"
    if report.suppressed:
        line += f", {counted(report.suppressed, 'known finding')} left out"
    return line
