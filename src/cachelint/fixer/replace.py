"""Replace or create a file, or report why it was not done."""

from __future__ import annotations

from cachelint.files import read_write
from cachelint.files.paths import linked_target
from cachelint.model import NamedTuple


class Outcome(NamedTuple):
    """What became of a file that was to be written."""

    reason: str = ""
    """Why it was not written; empty where it was."""
    is_failure: bool = False
    """Whether it cannot be written, which fails the run."""


def create_file(path: str, content: bytes, within: tuple[str, ...], *, write: bool) -> Outcome:
    """Create a file; without ``write`` it is only looked at."""
    if target := linked_target(path, within):
        return Outcome(f"a link leads to {target}: nothing is written through links")
    try:
        if write:
            read_write.create(path, content)
    except OSError as error:
        return Outcome(f"the file cannot be written: {error.strerror or error}", True)
    return Outcome()


def replace_file(
    path: str, content: bytes, before: bytes, within: tuple[str, ...], *, write: bool
) -> Outcome:
    """Replace a file that has the bytes ``before``; without ``write`` it is only looked at."""
    if target := linked_target(path, within):
        return Outcome(
            f"a link leads to {target}: nothing is written through links, fix that file")
    try:
        if not write or read_write.replace(path, content, before):
            return Outcome()
        return Outcome("the file changed while it was fixed")
    except OSError as error:
        return Outcome(f"the file cannot be replaced: {error.strerror or error}", True)
