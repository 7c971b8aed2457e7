"""From problems to findings: what is fixable, lines and columns, excerpts, order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from sys import intern
from types import TracebackType

from cachelint.document import schema
from cachelint.document.formats import BY_FORMAT
from cachelint.document.page import Page
from cachelint.document.parser import parse_page
from cachelint.document.render import is_renderable
from cachelint.document.summary import matches_meta
from cachelint.files.paths import path_key
from cachelint.files.read_write import Unreadable
from cachelint.model import Excerpt, Finding, Problem, SchemaErrorKind, Severity, Span
from cachelint.rules import BY_CODE, Blocks, Fix, Rule
from cachelint.rules.cl1_file import internal_error
from cachelint.rules.cl1_file import over_limits as over_limits_rule
from cachelint.rules.selection import Settings
from cachelint.text import clip, plural

_FIRST_LINE = Span(1, 1, 1, 1)


def unfixable_reason(page: Page, problems: Sequence[tuple[Rule, Problem]]) -> str:
    """Return why `fix` skips a page; empty where it does not."""
    for error in page.schema_errors:
        if error.kind is SchemaErrorKind.UNKNOWN_KEY:
            return f"unknown key {schema.show(error.key)}, which would be lost"
    for rule, problem in problems:
        if rule.blocks_fix is Blocks.ALWAYS or (
                rule.blocks_fix is Blocks.OUTSIDE_META and not in_meta(problem.pointer)):
            return f"{rule.code} {rule.name}: {problem.message}"
    in_place = {problem.pointer for rule, problem in problems if rule.fixability is Fix.CATALOG}
    for error in page.schema_errors:
        # one that is reported as what readers of YAML make of the value
        if not (error.reported_as or in_meta(error.pointer) or error.pointer in in_place):
            return error.message
    if len(page.schema_errors) >= schema.MOST_ERRORS:
        return f"at least {schema.MOST_ERRORS:,} invalid values: meta cannot be derived"
    return _unwritable_reason(page) if page.parsed and page.expected_meta else ""


def _unwritable_reason(page: Page) -> str:
    """Return why a page cannot be written as it has to be fixed; empty where it can."""
    if not page.comments and BY_FORMAT[page.format].is_canonical:
        return "" if is_rewritable(page) else (
            "the title or the tag cannot be written in canonical form")
    if any(entry.key == "meta" and entry.value_start < 0 for entry in page.entries):
        return _unfixable_layout(page)
    return ""


def is_rewritable(page: Page) -> bool:
    """Return whether a page can be written anew: it has no comments, and readable names."""
    title, categories = page.title, page.categories
    return (not page.comments and type(title) is str and isinstance(categories, list)
            and len(categories) == 2 and type(categories[1]) is str
            and is_renderable(title, categories[1]))


def _unfixable_layout(page: Page) -> str:
    """Return why `meta` in the layout of YAML cannot be fixed in place; empty where it can."""
    from cachelint.document.in_place import CannotFixError, edit_in_place  # which few pages need

    try:
        edited = parse_page((edit_in_place(page) + page.text[page.closing_start :]).encode())
    except CannotFixError as error:
        return str(error)
    if (edited.parsed and isinstance(edited.meta, dict)
            and all(matches_meta(edited.meta.get(key), expected)
                    for key, expected in page.expected_meta.items())
            and edited.list_comments() == page.list_comments()):
        return ""
    return "meta has a layout that has to be fixed by hand"


def in_meta(pointer: str) -> bool:
    """Return whether a pointer leads to `meta` or into it."""
    return f"{pointer}/".startswith("/meta/")


def is_fixable(rule: Rule, problem: Problem, page: Page, reason: str) -> bool:
    """Return whether `fix` fixes a problem of a page that it skips for ``reason``, if any."""
    if rule.fixability is Fix.NONE or reason:
        return False
    if rule.fixability is Fix.META:
        return in_meta(problem.pointer)
    if rule.fixability is Fix.CATALOG:
        return problem.new_file is not None or (
            problem.expected is not None and _is_on_one_line(page, problem.pointer))
    if rule.fixability is Fix.REWRITE:
        return not page.comments and (
            BY_FORMAT[page.format].is_canonical or is_rewritable(page))
    return True


def _is_on_one_line(page: Page, pointer: str) -> bool:
    """Return whether a value can be replaced in its line: it is not a block or folded scalar."""
    span = page.locate(pointer)
    return span is not None and not set("\r\n") & set(page.text[span.start : span.end])


def findings_of(
    path: str, page: Page | None, problems: list[tuple[Rule, Problem]], settings: Settings
) -> list[Finding]:
    """Turn the problems of selected rules into findings, sorted; there is no page without them."""
    if page is None:
        return []
    reason = unfixable_reason(page, problems)
    selected = [(rule, problem) for rule, problem in problems if rule.code in settings.selected]
    kept, rest = _cap(page, selected, reason)
    found = [finding_of(path, page, rule, problem, reason) for rule, problem in kept]
    if rest:
        severity = min((problem.severity or rule.severity for rule, problem in rest),
                       key=list(Severity).index)
        # a rule is stopped after so many
        most = max(Counter(rule.code for rule, _ in selected).values())
        found.append(_note_rest(path, page, len(rest), severity,
                                is_least=max(most, len(page.schema_errors)) >= schema.MOST_ERRORS))
    sort(found)
    return found


MOST_FINDINGS = 1000
"""So many findings of one page are reported, and a count of the rest."""

_Problems = list[tuple[Rule, Problem]]


def _cap(page: Page, problems: _Problems, reason: str) -> tuple[_Problems, _Problems]:
    """Part problems into those to be reported, first what `fix` fixes and then by location."""
    if len(problems) <= MOST_FINDINGS:
        return problems, []

    def order_of(item: tuple[Rule, Problem]) -> tuple[bool, Span, str]:
        rule, problem = item
        span = problem.span or page.span_of(problem.pointer, key=rule.highlight == "key")
        return not is_fixable(rule, problem, page, reason), span, rule.code

    problems = sorted(problems, key=order_of)
    return problems[:MOST_FINDINGS], problems[MOST_FINDINGS:]


def _note_rest(
    path: str, page: Page, number: int, severity: Severity, *, is_least: bool
) -> Finding:
    """Make the finding that counts those that are not reported."""
    rule = over_limits_rule
    span = page.span_of("")
    message = f"{plural(number, 'more finding')} on this page: only {MOST_FINDINGS:,} are reported"
    return Finding(path, *span, rule.code, rule.name, severity,
                   f"at least {message}" if is_least else message, "", False,
                   (excerpt(page, span),))


def finding_of(path: str, page: Page, rule: Rule, problem: Problem, reason: str) -> Finding:
    """Turn one problem into a finding, on a page that `fix` skips for ``reason``, if any."""
    span = problem.span or page.span_of(problem.pointer, key=rule.highlight == "key")
    return make_finding(path, page, rule, problem, span,
                        is_fixable(rule, problem, page, reason))


def order(finding: Finding) -> tuple[bytes, int, int, str, str, str]:
    """Sort findings by path, as byte strings, then by line, column and code."""
    return (path_key(finding.path), finding.line, finding.column, finding.code,
            finding.pointer, finding.message)


def sort(findings: list[Finding]) -> None:
    """Sort findings in place; where they are sorted already, as nearly always, keep no keys."""
    if len(findings) < 2:
        return
    before = None
    for finding in findings:
        key = order(finding)
        if before is not None and key < before:
            findings.sort(key=order)
            return
        before = key


def make_finding(
    path: str, page: Page, rule: Rule, problem: Problem, span: Span, fixable: bool
) -> Finding:
    """Make the finding of one problem, with excerpts of what it covers."""
    # where every page is wrong, it often is in the same words: they are held once
    excerpts = [excerpt(page, problem.focus or span)]
    other = problem.other_span
    if problem.other is not None:
        other = page.span_of(problem.other)
    if other is not None:
        excerpts.append(excerpt(page, other, intern(problem.other_label)))
    severity = problem.severity or rule.severity
    return Finding(path, *span, rule.code, rule.name, severity, intern(problem.message),
                   problem.pointer, fixable, tuple(excerpts), _spec_hash(page, problem.pointer),
                   intern(problem.help))


def _spec_hash(page: Page, pointer: str) -> str:
    """Return the hash of the spec in which ``pointer`` lies, if it identifies the spec."""
    path = pointer.split("/")
    if path[:2] != ["", "spec_details"] or len(path) < 3 or not page.parsed:
        return ""
    if not page.specs:
        return ""  # a mapping where the list of specs belongs
    spec = page.specs[int(path[2])]
    own = spec.get("hash") if isinstance(spec, dict) else None
    is_valid = schema.compile_check("page-current", "/$defs/spec/properties/hash")
    return own if isinstance(own, str) and is_valid(own) and page.hash_counts[own] == 1 else ""


_WIDTH = 68
"""Characters of an excerpt; with number and margin it fits 80 columns."""


def excerpt(page: Page, span: Span, label: str = "") -> Excerpt:
    """Cut what a span covers out of its line, with some of what is around it."""
    # lines may have megabytes, and so may the number of findings be: never copy a whole one
    line_start, line_end = page.line(span.line)
    length = line_end - line_start
    start = span.column - 1
    end = span.end_column - 1 if span.end_line == span.line else length
    end = max(start, min(end, start + _WIDTH - 2, length))  # the end of a line is not shown
    if length <= _WIDTH:
        line = page.text[line_start:line_end]
        return Excerpt(span.line, 0, intern(line), start, end, label)
    room = _WIDTH - (end - start)
    left = max(0, min(start - room // 2, length - _WIDTH))
    cut = page.text[line_start + left : line_start + left + _WIDTH]
    if left:
        cut = "…" + cut[1:]
    if left + _WIDTH < length:
        cut = cut[:-1] + "…"
    return Excerpt(span.line, left, intern(cut), start - left, end - left, label)


def unreadable(path: str, why: Unreadable) -> Finding:
    """Make the finding for a file that cannot be read."""
    rule = BY_CODE[why.code]
    return Finding(path, *_FIRST_LINE, rule.code, rule.name, rule.severity, why.message, "", False)


class isolate:  # noqa: N801
    """Let an error of the program on one page or file end nothing else: it becomes a finding."""

    __slots__ = ("_findings", "_path")

    def __init__(self, path: str, findings: list[Finding]) -> None:
        """Add the finding, if there is an error, to ``findings``."""
        self._path, self._findings = path, findings

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        """Turn an error into a finding; what ends the whole run is none."""
        if not isinstance(error, Exception):
            return False
        self._findings.append(failure(self._path, error))
        return True


def failure(path: str, error: Exception) -> Finding:
    """Make the finding for a page, file or folder on which the program itself fails."""
    from traceback import extract_tb

    frames = extract_tb(error.__traceback__)
    where = f" in {frames[-1].name}, line {frames[-1].lineno}" if frames else ""
    rule = internal_error
    return Finding(
        path, *_FIRST_LINE, rule.code, rule.name, rule.severity,
        f"cachelint failed on this page: {clip(f'{type(error).__name__}: {error}', 500)}{where}",
        "", False)


def count_failures(findings: Iterable[Finding]) -> int:
    """Count the findings about errors of the program, which give a run exit status 2."""
    return sum(finding.code == internal_error.code for finding in findings)
