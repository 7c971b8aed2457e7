"""A catalog in which every command has something to write, and what may become of its files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from support import valid
from support.catalogs import TAG, write_small_mirror

TAGS = [f"develop-2025-0{month}-30" for month in (3, 4, 5, 6)]
COMMANDS = {
    "fix": ["fix"],
    "report": ["check", "--output-file", "json:report.json", "--output-file", "html:report.html"],
    "baseline": ["check", "--write-baseline", "known.json"],
    "render": ["render", "--index", "../mirror", "--tag", TAG, "--out", ".", "--force"],
}


def write_source(folder: Path) -> Path:
    """Write a catalog with four stale pages, older reports beside it, and a mirror."""
    write_small_mirror(folder / "mirror")
    root = folder / "source"
    valid.write_catalog(root, {f"{tag}/zlib": valid.page(
        valid.meta(num_specs=3), categories=f"categories: [package, {tag}]") for tag in TAGS},
        {tag: ["e4s", "root"] for tag in TAGS})
    (root / "pages/tags").mkdir(parents=True)
    for tag in TAGS[1:]:
        (root / f"pages/tags/{tag}.md").write_text(
            f"---\nlayout: tag\ntag: {TAGS[1]}\npermalink: /tag/{tag}/\n---\n")
    for name in ("report.json", "report.html", "known.json"):
        (root / name).write_text('{"version": 1, "findings": []}\n')
    return root


class Complaint(NamedTuple):
    """In what a run was not as it has to be."""

    message: str
    is_about_status: bool = False
    is_about_leftover: bool = False


def complaints(
    status: int, err: str, plain_status: int, before: Mapping[str, bytes],
    after: Mapping[str, bytes], expected: Mapping[str, bytes],
) -> Iterator[Complaint]:
    """Compare a run with one that nothing disturbed: its files, its status and its messages."""
    old, new, now = ({path: _timeless(raw) for path, raw in files.items()}
                     for files in (before, expected, after))
    for path in {*old, *new, *now}:
        if is_leftover(path):
            yield Complaint(f"{path} is left", is_about_leftover=True)
        elif now.get(path) not in (old.get(path), new.get(path)):
            yield Complaint(f"{path} is neither old nor new")
    if re.search("Traceback|internal error|Exception", err):
        yield Complaint("a traceback", is_about_status=True)
    if status == plain_status:
        if now != new:
            yield Complaint("not everything is done, and the status is that of success",
                            is_about_status=True)
    elif status != 2:
        yield Complaint("the status is neither 2 nor that of success", is_about_status=True)
    elif not any(path in err for path in {*old, *new}):
        yield Complaint("no file is named", is_about_status=True)


def is_leftover(path: str) -> bool:
    """Return whether a file is one that is renamed when it is complete."""
    return "/.cachelint-" in f"/{path}"


def _timeless(raw: bytes) -> bytes:
    """Return the contents of a report without times."""
    return re.sub(rb'"seconds": [0-9.]+|<dl class="origin">.*?</dl>', b"", raw, flags=re.DOTALL)
