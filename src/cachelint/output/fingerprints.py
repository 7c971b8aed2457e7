"""What identifies a finding from run to run, for services that show which are new.

A baseline uses the same: path, rule and position, never the line. So it stays the same when
lines move, when specs change their order, and when other findings come or go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from hashlib import sha256

from cachelint.model import Finding, NamedTuple, stable_location
from cachelint.rules import BY_CODE

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"?')


class Identity(NamedTuple):
    """What identifies a finding among all of a report."""

    path: str
    rule: str
    hash: str
    """Of the spec in which it lies; empty elsewhere."""
    pointer: str
    """Below the spec, or into the front matter."""
    named: str
    """What the message names, where the position does not identify a finding."""
    ordinal: int
    """Counts findings that have all else in common, from 1."""

    def fingerprint(self) -> str:
        """Return 32 hexadecimal digits that stand for it."""
        text = "\0".join((self.path, self.rule, self.hash, self.pointer, self.named,
                         str(self.ordinal)))
        # keys on a page, and names of files, may contain lone surrogates
        return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def identify(findings: Iterable[Finding]) -> Iterator[tuple[Finding, Identity]]:
    """Yield each finding with its identity; findings of one path are together."""
    path = None
    seen: dict[tuple[str, str, str, str], int] = {}
    for finding in findings:
        if finding.path != path:
            path = finding.path
            seen.clear()
        by_message = BY_CODE[finding.code].named_by_message
        named = " ".join(_QUOTED.findall(finding.message)) if by_message else ""
        key = (finding.code, *stable_location(finding), named)
        ordinal = seen[key] = seen.get(key, 0) + 1
        yield finding, Identity(path, *key, ordinal)
