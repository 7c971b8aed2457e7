"""Known findings: adopt `cachelint` on an old catalog today, and see only what is new.

A finding is identified by its catalog and file, its rule, and its position: inside a spec, the
spec's hash and the pointer below it, so that a baseline survives reordering; elsewhere the pointer;
never the line.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable
from functools import lru_cache

from cachelint.config.file import Read
from cachelint.document import schema
from cachelint.files import read_write
from cachelint.files.paths import exists, locate_in_catalog
from cachelint.files.read_write import Unreadable
from cachelint.model import CachelintError, Finding, NamedTuple, stable_location
from cachelint.rules.selection import ALWAYS

VERSION = 1
MAX_SIZE = 32 << 20
"""Bytes of a baseline: some 200,000 entries."""
MOST_VALUES = 1_200_000
"""The most values of a baseline; so many entries have six each."""


class Key(NamedTuple):
    """What identifies a finding in a baseline."""

    catalog: str
    """The catalog's folder, relative to the baseline's; empty for any catalog."""
    path: str
    """Relative to the catalog's folder."""
    rule: str
    hash: str
    """Of the spec in which it lies; empty elsewhere."""
    pointer: str


Baseline = dict[Key, int]
"""How many findings of each key are known."""


def make_key_of(baseline: str) -> Callable[[Finding], Key]:
    """Return what gives a finding the key that identifies it in the file ``baseline``."""
    @lru_cache(maxsize=4096)
    def locate(path: str) -> tuple[str, str]:
        root, below = locate_in_catalog(path)
        return "" if root is None else relative_catalog(root, baseline), below

    return lambda finding: Key(*locate(finding.path), finding.code, *stable_location(finding))


def relative_catalog(root: str, baseline: str) -> str:
    """Return the path from the folder of a baseline to the catalog at ``root``."""
    start = os.path.realpath(os.path.dirname(baseline) or ".")
    return os.path.relpath(os.path.realpath(root), start).replace(os.sep, "/")


def read(path: str, read_file: Read = read_write.read) -> Baseline:
    """Read a baseline; one that does not exist for ``read_file`` is empty.

    Raises CachelintError, with the file and what is wrong with it.
    """
    raw = read_file(path, MAX_SIZE)
    if isinstance(raw, Unreadable):
        reason = f"it is larger than {MAX_SIZE:,} bytes" if raw.is_too_large else raw.message
        raise CachelintError(f"{path}: cannot read the baseline: {reason}")
    return {} if raw is None else _parse(path, raw)


def _parse(path: str, raw: bytes) -> Baseline:
    if sum(map(raw.count, (b",", b"[", b"{"))) > MOST_VALUES:
        raise CachelintError(f"{path}: cannot read the baseline: it has more than {MOST_VALUES:,} "
                             "values")
    try:
        data = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise CachelintError(f"{path}: invalid baseline: not JSON: restore it, or write it again "
                             "with --write-baseline") from None
    version = data.get("version") if isinstance(data, dict) else None
    if type(version) is int and version != VERSION:
        raise CachelintError(f"{path}: unknown version of the baseline: expected {VERSION}, found "
                             f"{version}")
    for error in schema.validate("baseline", data):
        raise CachelintError(f"{path}: invalid baseline: {error.message}")
    known: Baseline = {}
    for entry in data["findings"]:
        key = Key(entry.get("catalog", ""), entry["path"], entry["rule"], entry.get("hash", ""),
                  entry["pointer"])
        known[key] = known.get(key, 0) + entry["count"]
    return known


def update(
    path: str, findings: Iterable[Finding], was_sought: Callable[[Key, str], bool]
) -> Baseline:
    """Write ``findings`` as known, and return all that is known then.

    What an older baseline at ``path`` contains of what was not sought is kept. Raises
    CachelintError.
    """
    older = read(path) if exists(path) else {}
    return write(path, findings, {
        key: count for key, count in older.items() if not was_sought(key, path)})


def write(path: str, findings: Iterable[Finding], kept: Baseline) -> Baseline:
    """Write ``findings`` as known, and what is ``kept`` of an older baseline; return both.

    Sorted, one per line, whole or not at all. Raises CachelintError.
    """
    key_of = make_key_of(path)
    known = Counter(key_of(finding) for finding in findings if finding.code not in ALWAYS)
    known.update(kept)
    lines = []
    for key in sorted(known):
        entry: dict[str, str | int] = {"catalog": key.catalog} if key.catalog else {}
        entry |= {"path": key.path, "rule": key.rule}
        if key.hash:
            entry["hash"] = key.hash
        lines.append(json.dumps({**entry, "pointer": key.pointer, "count": known[key]}))
    body = ",\n  ".join(lines)
    text = f'{{"version": {VERSION},\n "findings": [\n  {body}]}}\n' if lines else (
        f'{{"version": {VERSION},\n "findings": []}}\n')
    try:
        read_write.write(path, text.encode())
    except OSError as error:
        raise CachelintError(f"{path}: cannot write the baseline: "
                             f"{error.strerror or error}") from None
    return known


class Applied(NamedTuple):
    """What is left when known findings are taken out."""

    findings: list[Finding]
    suppressed: int
    stale: Baseline
    """What is known, and was looked for and not found."""


def apply(
    findings: Iterable[Finding], known: Baseline, path: str, was_sought: Callable[[Key, str], bool]
) -> Applied:
    """Remove known findings.

    Args:
        findings: All findings.
        known: What the baseline contains.
        path: The baseline's file.
        was_sought: Whether a rule ran on a file of a catalog; what is known of others is not stale.
            Takes a key and the baseline's file.
    """
    if not known:
        return Applied(list(findings), 0, {})
    left = dict(known)
    new: list[Finding] = []
    suppressed = 0
    key_of = make_key_of(path)
    for finding in findings:
        exact = key_of(finding)
        # older baselines do not name the catalog
        key = next((key for key in (exact, exact._replace(catalog="")) if left.get(key)), None)
        if key is None or finding.code in ALWAYS:
            new.append(finding)
        else:
            left[key] -= 1
            suppressed += 1
    stale = {key: count for key, count in left.items() if count and was_sought(key, path)}
    return Applied(new, suppressed, stale)
