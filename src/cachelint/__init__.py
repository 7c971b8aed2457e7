"""Check and mend the pages of a Spack build-cache catalog."""

from cachelint.checker import check_page
from cachelint.config import FileIgnore, Settings
from cachelint.files import Task, select
from cachelint.fixer import Fixed, fix_page
from cachelint.model import CachelintError, Context, Finding, Report, Severity
from cachelint.pages import render_page
from cachelint.runs import FixReport, check, fix
from cachelint.summary import summarize
from cachelint.units import TagResult, check_catalog, check_tag, tasks_of

__version__ = "0.1.0"

__all__ = [
    "CachelintError", "Context", "FileIgnore", "Finding", "FixReport", "Fixed", "Report",
    "Settings", "Severity", "TagResult", "Task", "check", "check_catalog", "check_page",
    "check_tag", "fix", "fix_page", "render_page", "select", "summarize", "tasks_of",
]
