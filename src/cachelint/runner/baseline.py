"""Known findings: adopt `cachelint` on an old catalog today, and see only what is new.

A finding is known by its file, its rule, and its place: inside a spec, the spec's hash and the
pointer below it, so that a baseline survives reordering; elsewhere the pointer; never the line.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

from cachelint.document import schema
from cachelint.files import discovery
from cachelint.model import CachelintError, Finding, stable_location

VERSION = 1


class Key(NamedTuple):
    """What a finding is known by."""

    path: str
    """Relative to the catalog's folder."""
    rule: str
    hash: str
    """Of the spec in which it lies; empty elsewhere."""
    pointer: str


Baseline = dict[Key, int]
"""How many findings of each key are known."""


def key_of(finding: Finding) -> Key:
    """Return what a finding is known by."""
    return Key(discovery.relative_to_catalog(finding.path), finding.code, *stable_location(finding))


def read(path: str) -> Baseline:
    """Read a baseline. Raises CachelintError, which names the file and what is wrong with it."""
    raw = discovery.read(path)
    if isinstance(raw, discovery.Unreadable):
        raise CachelintError(f"{path}: the baseline cannot be read: {raw.message}")
    try:
        data = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        raise CachelintError(f"{path}: the baseline is damaged: it is not JSON; restore it, or "
                             "remove it to start anew") from None
    version = data.get("version") if isinstance(data, dict) else None
    if type(version) is int and version != VERSION:
        raise CachelintError(f"{path}: a baseline of version {version}; this program reads "
                             f"version {VERSION}")
    for breach in schema.validate("baseline", data):
        raise CachelintError(f"{path}: the baseline is damaged: {breach.message}")
    known: Baseline = {}
    for entry in data["findings"]:
        key = Key(entry["path"], entry["rule"], entry.get("hash", ""), entry["pointer"])
        known[key] = known.get(key, 0) + entry["count"]
    return known


def write(path: str, findings: Iterable[Finding], kept: Baseline) -> None:
    """Write ``findings`` as known, besides what is ``kept`` of an older baseline.

    Sorted, one a line, whole or not at all. Raises CachelintError.
    """
    known = Counter(map(key_of, findings))
    known.update(kept)
    lines = []
    for key in sorted(known):
        entry: dict[str, str | int] = {"path": key.path, "rule": key.rule}
        if key.hash:
            entry["hash"] = key.hash
        lines.append(json.dumps({**entry, "pointer": key.pointer, "count": known[key]}))
    body = ",\n  ".join(lines)
    text = f'{{"version": {VERSION},\n "findings": [\n  {body}]}}\n' if lines else (
        f'{{"version": {VERSION},\n "findings": []}}\n')
    try:
        discovery.write(path, text.encode())
    except OSError as error:
        raise CachelintError(f"{path}: the baseline cannot be written: "
                             f"{error.strerror or error}") from None


class Applied(NamedTuple):
    """What is left when known findings are taken out."""

    findings: list[Finding]
    suppressed: int
    stale: Baseline
    """What is known, and was looked for and not found."""


def apply(findings: Iterable[Finding], known: Baseline, was_sought: Callable[[Key], bool]
          ) -> Applied:
    """Take known findings out.

    ``was_sought`` says whether a rule ran on a file: what is known of others is not stale.
    """
    if not known:
        return Applied(list(findings), 0, {})
    left = dict(known)
    new: list[Finding] = []
    suppressed = 0
    for finding in findings:
        key = key_of(finding)
        if left.get(key, 0) > 0:
            left[key] -= 1
            suppressed += 1
        else:
            new.append(finding)
    stale = {key: count for key, count in left.items() if count and was_sought(key)}
    return Applied(new, suppressed, stale)
