"""Fix a catalog's own files: single values in place, and tag pages that are missing."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Sequence

from cachelint.document import catalog_files
from cachelint.document.catalog_files import TagFacts, is_valid_file, render_scalar
from cachelint.document.strict_json import unescape_token
from cachelint.files import read_write
from cachelint.files.paths import join, linked_target, real_path
from cachelint.fixer.replace import Outcome, create_file, replace_file
from cachelint.linter.catalog import (
    FileProblems,
    OwnFiles,
    lint_catalog,
    lint_content,
    lint_own_files,
)
from cachelint.linter.findings import (
    finding_of,
    is_fixable,
    isolate,
    sort,
    unfixable_reason,
)
from cachelint.model import FileChange, Finding, NamedTuple, Problem
from cachelint.rules.selection import Settings, apply_overrides


class CatalogFix(NamedTuple):
    """What became of a catalog's own files."""

    findings: list[Finding]
    """What is left, sorted."""
    changes: list[FileChange]
    skipped: list[tuple[str, str]]
    """The path of each file that was skipped, and why."""
    failures: list[str]
    """The paths of those that cannot be written."""
    contents: dict[str, bytes]
    """What each file that was changed contains now, by its path."""

    def record(
        self, path: str, before: bytes, after: bytes, findings: Sequence[Finding],
        outcome: Outcome, *, keep: bool,
    ) -> None:
        """Note that a file was changed, or for what reason it was not."""
        if outcome.is_failure:
            self.failures.append(path)
        if outcome.reason:
            self.skipped.append((path, outcome.reason))
        else:
            self.contents[path] = after
            self.changes.append(FileChange.of(path, before, after, findings, (), keep=keep))


def fix_catalog(
    own: OwnFiles, facts: Sequence[TagFacts], settings: Settings, *, write: bool
) -> CatalogFix:
    """Fix the own files of a catalog; without ``write``, only return what would change."""
    done = CatalogFix([], [], [], [], {})
    for file in lint_own_files(own, facts, settings).files.values():
        with isolate(file.path, done.findings):
            _fix_file(own.root, file, settings, done, write=write)
    for path, content in done.contents.items():
        with isolate(path, done.findings):
            own.files[path] = lint_content(path, content)
    if write:
        for folder in ("_data", catalog_files.TAG_PAGES):
            path = join(own.root, folder)
            if not linked_target(path, (real_path(own.root),)):
                read_write.remove_leftovers(read_write.find_temporary(path))
    # what a fix has moved is reported where it is now
    findings = lint_catalog(own, facts, settings) + apply_overrides(done.findings, settings)
    sort(findings)
    return done._replace(findings=findings)


def _fix_file(
    root: str, file: FileProblems, settings: Settings, done: CatalogFix, *, write: bool
) -> None:
    """Fix one file in place, and create the tag pages that it lists and that are missing."""
    within = (real_path(root),)
    in_place: list[tuple[Problem, Finding]] = []
    reason = unfixable_reason(file.page, file.problems)
    for rule, problem in file.problems:
        if rule.code not in settings.selected or not is_fixable(rule, problem, file.page, reason):
            continue
        found = [finding_of(file.path, file.page, rule, problem, reason)]
        for finding in apply_overrides(found, settings):
            if problem.new_file is None:
                in_place.append((problem, finding))
            else:
                name, text = problem.new_file
                path, content = join(root, name), text.encode()
                fault = _fault_of_new(path, content)
                outcome = Outcome(fault) if fault else create_file(
                    path, content, within, write=write)
                done.record(path, b"", content, [finding], outcome, keep=not write)
    if in_place:
        problems, findings = zip(*in_place, strict=True)
        content = _edited(file, problems)
        fault = _fault(file, content, problems)
        outcome = Outcome(fault) if fault else replace_file(
            file.path, content, file.raw, within, write=write)
        done.record(file.path, file.raw, content, findings, outcome, keep=not write)


def _edited(file: FileProblems, problems: Iterable[Problem]) -> bytes:
    """Return a file's bytes with single scalars replaced, and line ends fixed where reported."""
    raw = file.raw.decode("utf-8")
    bom, text = ("\ufeff", raw[1:]) if raw.startswith("\ufeff") else ("", raw)
    lines = re.split(r"(\r\n|\r|\n)", text)  # each line, then its end
    edits = []
    for problem in problems:
        if problem.expected is None:
            # in `_data`, a byte-order mark has no finding
            bom = "" if file.page.closing_start else bom
            lines[1::2] = ["\n"] * (len(lines) // 2)
            continue
        span = file.page.locate(problem.pointer)
        assert span is not None
        place = file.page.span(span.start, span.end)
        edits.append((place.line, place.column, place.end_column, problem.expected))
    for number, start, end, value in sorted(edits, reverse=True):
        line = lines[2 * number - 2]
        lines[2 * number - 2] = line[: start - 1] + render_scalar(value) + line[end - 1 :]
    return (bom + "".join(lines)).encode()


def _fault(file: FileProblems, content: bytes, problems: Iterable[Problem]) -> str:
    """Return in what an edited file is not what was meant; empty where it is."""
    page, _ = catalog_files.parse_catalog_file(file.path, content)
    if not page.parsed:
        return "the fixed file could not be read"
    expected = copy.deepcopy(file.page.data)
    for problem in problems:
        if problem.expected is not None:
            *parents, last = problem.pointer[1:].split("/")
            target = expected
            for token in parents:
                target = target[unescape_token(token)]
            target[unescape_token(last)] = problem.expected
    is_tag_page = page.closing_start > 0
    if page.data != expected or (is_tag_page and page.body != file.page.body):
        return "the fixed file would differ in more than what is fixed"
    return ""


def _fault_of_new(path: str, content: bytes) -> str:
    """Return what is wrong with a new file; empty where nothing is."""
    if not is_valid_file(path, content):
        return "the tag's name does not fit into a tag page that can be read"
    return ""
