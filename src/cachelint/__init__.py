"""Check and fix the pages of a Spack build-cache catalog."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cachelint.document.render import render_page
    from cachelint.document.summary import summarize
    from cachelint.files.discovery import TagTask, select
    from cachelint.fixer.page import PageFix, fix_page
    from cachelint.linter.catalog import check_catalog
    from cachelint.linter.page import check_page
    from cachelint.linter.tag import TagResult, check_tag, tasks_of
    from cachelint.model import CachelintError, Finding, PageContext, Report, Severity
    from cachelint.rules.selection import FileIgnore, Settings
    from cachelint.runner.run import FixReport, check, fix

    # names from before version 0.2
    Context, Fixed, Task = PageContext, PageFix, TagTask

__version__ = "0.1.0"

__all__ = [
    "CachelintError", "FileIgnore", "Finding", "FixReport", "PageContext", "PageFix", "Report",
    "Settings", "Severity", "TagResult", "TagTask", "check", "check_catalog", "check_page",
    "check_tag", "fix", "fix_page", "render_page", "select", "summarize", "tasks_of",
]

_MODULES = {
    "linter.page": ("check_page",),
    "rules.selection": ("FileIgnore", "Settings"),
    "files.discovery": ("TagTask", "select"),
    "fixer.page": ("PageFix", "fix_page"),
    "model": ("CachelintError", "Finding", "PageContext", "Report", "Severity"),
    "document.render": ("render_page",),
    "runner.run": ("FixReport", "check", "fix"),
    "document.summary": ("summarize",),
    "linter.catalog": ("check_catalog",),
    "linter.tag": ("TagResult", "check_tag", "tasks_of"),
}
"""Where each of these is; a module is loaded when one of its names is first used."""


_FORMER_NAMES = {"Context": "PageContext", "Fixed": "PageFix", "Task": "TagTask"}


def __getattr__(name: str) -> Any:
    """Load a public name."""
    name = _FORMER_NAMES.get(name, name)
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
