"""No page, file or tag ends a run: an error of the program anywhere is a finding on it (CL199)."""

from __future__ import annotations

import functools
import importlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cachelint import Settings, check, fix
from cachelint.document.page import Page
from cachelint.linter import catalog as catalog_linter
from cachelint.linter import page as page_linter
from cachelint.model import PageFormat
from cachelint.rules import ALL_RULES, Rule
from cachelint.runner.diff import diff
from support import valid
from support.program import run_program
from support.repository import git

TAGS = ["develop", "v1.0", "v1.1", "v1.2"]
PAGE, TAG, TAGS_FILE, META = ("_cache/v1.1/b/specs.md", "_cache/v1.1", "_data/tags.yaml",
                              "_data/meta.yaml")
CHECK, FIX = ["check"], ["fix", "--diff"]
BASE, RDJSON = ["check", "--diff-base", "HEAD"], ["check", "--output-file", "rdjson:r.json"]


def page(tag: str, package: str) -> str:
    """Write a page with a wrong `num_specs`, and hashes that other pages of the tag have.

    What is behind it is not for the fast path.
    """
    return valid.page(valid.meta(num_specs=9), title=f'title: "{package}"',
                      categories=f"categories: [package, {tag}]") + "\n"


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a catalog whose pages all changed since its commit, and have findings."""
    valid.write_catalog(
        tmp_path, {f"{tag}/{package}": page(tag, package) for tag in TAGS for package in "abc"},
        {tag: ["root", "e4s"] for tag in TAGS})
    (tmp_path / META).write_text("".join(f"{tag}:\n  count: 1\n" for tag in ("all", *TAGS)))
    (tmp_path / "pages/tags").mkdir(parents=True)
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "a"]):
        assert git(tmp_path, *arguments).returncode == 0
    for path in tmp_path.glob("_cache/*/*/specs.md"):
        path.write_text(path.read_text().replace("+shared", "+static"))
    (tmp_path / TAGS_FILE).write_text((tmp_path / TAGS_FILE).read_text() + "# a comment\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Failure(NamedTuple):
    """Where the program is made to fail, and on which path it is reported."""

    function: str
    """A module below `cachelint`, a colon, and a function in it."""
    command: list[str]
    path: str = PAGE

    def inject(self, patch: pytest.MonkeyPatch) -> None:
        """Let the function fail where it has to do with the path."""
        module, name = self.function.split(":")
        loaded = importlib.import_module(f"cachelint.{module}")
        original = getattr(loaded, name)

        @functools.wraps(original)
        def fail(*arguments: Any, **options: Any) -> Any:
            if any(self._is_about(each) for each in arguments):
                raise RuntimeError("no luck")
            return original(*arguments, **options)

        patch.setattr(loaded, name, fail)

    def _is_about(self, argument: object) -> bool:
        if self.path == TAGS_FILE and isinstance(argument, str) and argument == ".":
            return True  # the catalog whose file is read
        if isinstance(argument, Page):
            argument = argument.text
        if isinstance(argument, bytes):
            argument = argument.decode("utf-8", "replace")
        text = str(argument)
        is_content = 'title: "b"' in text and "[package, v1.1]" in text
        tag_only = self.path == TAG and text == "v1.1"
        return text.endswith(self.path) or tag_only or (self.path == PAGE and is_content)


FAILURES = [
    Failure("files.read_write:read", CHECK), Failure("linter.tag:lint_page", CHECK),
    Failure("linter.tag:findings_of", CHECK), Failure("linter.tag:parse_again", CHECK),
    Failure("linter.tag:make_finding", CHECK),
    Failure("files.discovery:list_tag", CHECK, TAG),
    Failure("document.catalog_files:parse_catalog_file", CHECK, TAGS_FILE),
    Failure("document.catalog_files:read_tags", CHECK, TAGS_FILE),
    Failure("document.catalog_files:parse_catalog_file", CHECK, META),
    Failure("linter.catalog:findings_of", CHECK, META),
    Failure("linter.catalog:findings_of", CHECK, TAGS_FILE),
    Failure("files.read_write:read", FIX), Failure("fixer.tag:fix_checked", FIX),
    Failure("fixer.page:fixed_bytes", FIX), Failure("fixer.page:compare", FIX),
    Failure("fixer.tag:replace_file", FIX), Failure("fixer.catalog:replace_file", FIX, META),
    Failure("document.catalog_files:parse_catalog_file", FIX, META),
    Failure("document.catalog_files:read_tags", FIX, TAGS_FILE),
    Failure("linter.changes:parse_page", BASE), Failure("linter.changes:page_contents", BASE),
    Failure("linter.changes:make_finding", BASE), Failure("linter.tag:lint_page", BASE),
    Failure("document.catalog_files:read_tags", BASE, TAGS_FILE),
    Failure("fixer.page:lint_page", RDJSON), Failure("runner.suggest:context_at", RDJSON),
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda each: f"{each.command[0]} {each.function}")
def test_an_error_is_reported_and_all_else_is_done(
    catalog: Path, failure: Failure, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [*failure.command, "--jobs", "2", "--output-file", "json:report.json"]
    before = run_program(*command)
    undisturbed = _findings()
    failure.inject(monkeypatch)
    done = run_program(*command)
    assert done.returncode == 2, done.stderr
    found = _findings()
    assert _changed(done.stdout) == _changed(before.stdout) - {failure.path}
    assert {path for path, code, _ in found if code == "CL199"} == {failure.path}
    # what fails is not known to the rest of the run
    is_known = failure.path == PAGE or failure.path == TAG
    rules = ("CL6", "CL1") if is_known else ("CL603", "CL605", "CL606", "CL407", "CL604", "CL1")

    def elsewhere(findings: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
        return [each for each in findings if not each[0].startswith(failure.path)
                and not each[1].startswith(rules)]

    assert elsewhere(found) == elsewhere(undisturbed)
    assert elsewhere(found) or _changed(done.stdout)


def _changed(diff_output: str) -> set[str]:
    return set(re.findall(r"^\+\+\+ b/(_cache.*)", diff_output, re.MULTILINE))


def _findings() -> list[tuple[str, str, str]]:
    report = json.loads(Path("report.json").read_text())
    return [(each["path"], each["code"], each["message"]) for each in report["findings"]]


@pytest.mark.parametrize("code", [rule.code for rule in ALL_RULES if rule.looks_at_pages])
def test_a_rule_that_fails_on_one_page(
    catalog: Path, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(page: Page, _: object) -> Any:
        if 'title: "b"' in page.text and "v1.1" in page.text:
            raise KeyError(code)
        yield from ()

    def replace(rule: Rule) -> Rule:
        return rule._replace(page=fail, values=(), restates_schema=False) if (
            rule.code == code) else rule

    monkeypatch.setattr(page_linter, "_RULES", {
        kind: tuple(map(replace, rules)) for kind, rules in page_linter._RULES.items()})
    if PageFormat.CURRENT not in next(r for r in ALL_RULES if r.code == code).formats:
        return
    settings = Settings(selected=Settings().selected | {code})
    for report in (check(settings=settings), check(settings=settings, diff_base="HEAD"),
                   fix(settings=settings, write=False).report):
        failed = [each.path for each in report.findings if each.code == "CL199"]
        assert (failed, report.failed) == ([PAGE], 1)


@pytest.mark.parametrize("code", [rule.code for rule in ALL_RULES if rule.catalog])
@pytest.mark.parametrize("run", [check, lambda: fix(write=False).report])
def test_a_rule_about_the_catalog_that_fails(
    catalog: Path, code: str, run: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> Any:
        raise KeyError(code)

    codes = {each.code for each in run().findings if each.code != code}
    monkeypatch.setattr(catalog_linter, "ALL_RULES", tuple(
        rule._replace(catalog=fail) if rule.code == code else rule for rule in ALL_RULES))
    report = run()
    assert {each.code for each in report.findings} == codes | {"CL199"}
    assert report.failed == 1


@pytest.mark.parametrize("command", ["check", "fix"])
def test_a_page_on_standard_input(
    catalog: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> Any:
        raise RuntimeError("no luck")

    monkeypatch.setattr("cachelint.linter.page.lint_page", fail)
    monkeypatch.setattr("cachelint.fixer.page.lint_page", fail)
    text = page("v1.1", "b")
    done = run_program(command, "-", "--stdin-filename", PAGE, stdin=text)
    assert done.returncode == 2
    assert "CL199" in (done.stdout if command == "check" else done.stderr)
    assert command == "check" or done.stdout == text


@pytest.mark.parametrize(("function", "path"), [
    ("linter.diff:compare_page", PAGE), ("linter.diff:_read_changes", TAG)])
def test_a_comparison_that_fails(
    catalog: Path, function: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, name = f"cachelint.{function}".split(":")
    original = getattr(importlib.import_module(module), name)

    def fail(first: Any, *others: Any) -> Any:
        if path in (getattr(first, "path", ""), f"_cache/{getattr(first, 'tag', '')}"):
            raise RuntimeError("no luck")
        return original(first, *others)

    monkeypatch.setattr(f"{module}.{name}", fail)
    report = diff(("HEAD",))
    assert [each.path for tag in report.tags for each in tag.pages if each.is_failure] == [path]
    assert sum(len(tag.pages) for tag in report.tags) == (12 if path == PAGE else 10)
    done = run_program("diff")
    assert done.returncode == 2
    assert "internal error: RuntimeError: no luck" in done.stdout
