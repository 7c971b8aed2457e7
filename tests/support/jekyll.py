"""Build sites with Jekyll, and read what it wrote."""

from __future__ import annotations

import os
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

needs_jekyll = pytest.mark.skipif(
    shutil.which("jekyll") is None and not os.environ.get("CI"), reason="no jekyll here")


def build(source: Path) -> subprocess.CompletedProcess[str]:
    """Build the site of a folder into a folder `built` beside it."""
    return subprocess.run(
        ["jekyll", "build", "--source", str(source), "--destination",
         str(source.with_name("built")), "--disable-disk-cache"],
        capture_output=True, text=True, check=False, cwd=source.parent,
        env={**os.environ, "LC_ALL": "C.UTF-8"})


class Html(HTMLParser):
    """A page: the attributes of each element, its text, and its scripts by their ids."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.scripts: dict[str, str] = {}
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        tag, attributes = self.elements[-1] if self.elements else ("", {})
        if tag == "script" and "id" in attributes:
            self.scripts.setdefault(attributes["id"], data)
        self.text += f"{data} "
