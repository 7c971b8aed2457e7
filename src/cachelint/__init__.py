"""Check and mend the pages of a Spack build-cache catalog."""

from cachelint.checker import check_page
from cachelint.config import FileIgnore, Settings
from cachelint.fixer import fix_page
from cachelint.model import CachelintError, Finding, Report, Severity
from cachelint.pages import render_page
from cachelint.runs import check, fix
from cachelint.summary import summarize
from cachelint.units import check_catalog, check_tag

__version__ = "0.1.0"

__all__ = [
    "CachelintError", "FileIgnore", "Finding", "Report", "Settings", "Severity", "check",
    "check_catalog", "check_page", "check_tag", "fix", "fix_page", "render_page", "summarize",
]
