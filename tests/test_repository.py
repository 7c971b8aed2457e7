"""Files for those who work on the project: what they depend on is pinned and can be installed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCKS = sorted(ROOT.glob("tools/*/package-lock.json"))


@pytest.mark.parametrize("lock", LOCKS, ids=[lock.parent.name for lock in LOCKS])
def test_npm_packages_have_checksums_and_no_address(lock: Path) -> None:
    packages = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    del packages[""]
    assert packages
    for name, package in packages.items():
        assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name


def test_actions_are_pinned_by_commit_with_their_version() -> None:
    workflows = [*ROOT.glob(".github/workflows/*.yml"), ROOT / "action.yml"]
    uses = [line for path in workflows for line in path.read_text("utf-8").splitlines()
            if re.match(r"\s*(- )?uses:", line)]
    assert uses
    for line in uses:
        assert re.search(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line
