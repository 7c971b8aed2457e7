"""A hook of MkDocs: links out of `docs/` work on the site too, and the changelog is a page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File  # type: ignore[import-not-found, unused-ignore]

ROOT = Path(__file__).parents[1]


def on_files(files: Any, config: Any) -> Any:
    """Add the changelog, which lies beside `docs/`."""
    files.append(File.generated(config, "changelog.md", abs_src_path=str(ROOT / "CHANGELOG.md")))
    return files


def on_page_markdown(markdown: str, config: Any, **_: Any) -> str:
    """Turn links to files beside `docs/` into links to the repository."""
    repository = config.repo_url
    markdown = markdown.replace("](../CHANGELOG.md)", "](changelog.md)")
    return re.sub(r"\]\(\.\./([^)]+)\)", rf"]({repository}/blob/main/\1)", markdown)
