"""Replace or create a file, or return why it cannot be done."""

from __future__ import annotations

from cachelint.files import read_write
from cachelint.files.paths import linked_target


def create_file(path: str, content: bytes, within: tuple[str, ...], *, write: bool) -> str:
    """Create a file; return why it cannot be done, or an empty string."""
    if target := linked_target(path, within):
        return f"a link leads to {target}: nothing is written through links"
    try:
        if write:
            read_write.create(path, content)
    except OSError as error:
        return f"the file cannot be written: {error.strerror or error}"
    return ""


def replace_file(
    path: str, content: bytes, before: bytes, within: tuple[str, ...], *, write: bool
) -> str:
    """Replace a file that has the bytes ``before``; return why it cannot be done, or nothing.

    Without ``write`` the file is only looked at.
    """
    if target := linked_target(path, within):
        return f"a link leads to {target}: nothing is written through links, fix that file"
    try:
        if not write or read_write.replace(path, content, before):
            return ""
        return "the file changed while it was fixed"
    except OSError as error:
        return f"the file cannot be replaced: {error.strerror or error}"
