"""One folder below ``_cache``: no page ends the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from cachelint import Settings, check, fix
from cachelint.fixer import page as page_fixer
from cachelint.linter import tag as tag_linter
from cachelint.linter.page import FastPath, PageResult, lint_page
from cachelint.model import PageContext
from support import valid

STALE = valid.page(valid.meta(num_specs=9))


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a catalog in which `cachelint` fails on one of three pages."""
    letters = "abc"
    pages = {f"{valid.TAG}/{letter}": STALE.replace('"zlib"', f'"{letter}"')
             .replace(valid.FIRST, letter * 32).replace(valid.SECOND, f"z{letter * 31}")
             for letter in letters}
    valid.write_catalog(tmp_path, dict(pages), {valid.TAG: ["e4s", "root"]})

    def fail(raw: bytes, context: PageContext, fast: FastPath | None = None) -> PageResult:
        if context.page_id.package == "b":
            raise RuntimeError("no luck")
        return lint_page(raw, context, fast)

    for module in (tag_linter, page_fixer):
        monkeypatch.setattr(module, "lint_page", fail)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def codes(findings: tuple[object, ...]) -> list[str]:
    return [f"{Path(each.path).parent.name} {each.code}" for each in findings]  # type: ignore[attr-defined]


def test_a_page_that_fails_is_a_finding_and_the_others_are_checked(catalog: Path) -> None:
    report = check()
    assert codes(report.findings) == ["a CL301", "b CL199", "c CL301"]
    assert (report.pages, report.failed) == (3, 1)
    assert "RuntimeError: no luck" in report.findings[1].message


def test_a_page_that_fails_is_not_written_and_the_others_are_fixed(catalog: Path) -> None:
    page = catalog / f"_cache/{valid.TAG}/b/specs.md"
    before = page.read_bytes()
    done = fix()
    assert codes(done.report.findings) == ["b CL199"]
    assert done.report.failed == 1
    assert len(done.changed) == 2
    assert page.read_bytes() == before


def test_a_failure_is_reported_whatever_is_selected(catalog: Path) -> None:
    assert codes(check(settings=Settings(selected=frozenset({"CL601"}))).findings) == ["b CL199"]
