"""From a page's bytes to findings: the one line that every check travels.

A page goes three ways, each the fallback of the one before. Its specs may be of known shapes and
its `meta` what they imply, so that the whole is accepted; or its specs alone are, and the rules
need only look at the rest; or every rule looks at everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from cachelint import catalog, files, schema, summary
from cachelint.config import Settings
from cachelint.files import Task, Unreadable
from cachelint.frontmatter import Page, parse
from cachelint.model import (
    Context,
    Excerpt,
    Finding,
    Format,
    Place,
    Problem,
    Severity,
    Span,
)
from cachelint.rules import ALL_RULES, BY_CODE, Fix, Rule
from cachelint.rules.cl7_site import SORTABLE_TAG, unsortable
from cachelint.shapes import Facts, Shapes

_FIRST_LINE = Span(1, 1, 1, 1)

# names that are text to every loader and safe on the site, and the bytes of simple text
_SAFE_TAG = re.compile(r"(?!(?:y|n|yes|no|on|off|true|false|null)\Z)[a-z][a-z0-9._-]*").fullmatch
_SAFE_PACKAGE = re.compile(r"[a-z0-9][a-z0-9-]*").fullmatch
_SIMPLE = bytes(range(0x20, 0x7F)).replace(b"\\", b"")


class Examined(NamedTuple):
    """What the rules say of one page."""

    problems: list[tuple[Rule, Problem]]
    """Of every rule, whether it is selected or not."""
    page: Page | None
    """None for a page that was accepted as it is, or that could not be read."""
    facts: Facts | None
    """Of the specs, where they are of known shapes."""


def examine(
    raw: bytes, context: Context, shapes: Shapes, *, max_size: int = 0, strict_order: bool = False
) -> Examined:
    """Ask every rule about a page; ``strict_order`` says whether CL507 is among them."""
    facts = None
    # seven lines of printable ASCII without a backslash, and nothing else
    if raw.translate(None, _SIMPLE) == b"\n\n\n\n\n\n" and not 0 < max_size < len(raw):
        lines = raw.decode("ascii").split("\n")
        if (lines[0] == "---" and lines[2] == "layout: cache" and lines[6] == "---"
                and lines[4].startswith("meta: ") and lines[5].startswith("spec_details: ")):
            facts = shapes.read(lines[5][14:], context)
            if facts is not None and facts.format is Format.TARBALL and strict_order:
                facts = None
        if facts is not None:
            tag, package = context.place
            if (tag is not None and package is not None
                    and lines[3] == f"categories: [package, {tag}]" and _SAFE_TAG(tag)
                    and lines[1] == f'title: "{package}"' and _SAFE_PACKAGE(package)
                    and facts.are_in(lines[4][6:])):
                return Examined([], None, facts)
    page = parse(raw, context, max_size=max_size, vouched=facts is not None)
    return Examined(judge(page, facts, strict_order=strict_order), page, facts)


_CURRENT_SPEC = {
    "compiler": "none", "hash": "a" * 32, "os": "none", "platform": "linux", "size": "-",
    "stacks": ["root"], "target": "none", "variants": [], "versions": ["0"],
}
_SOUND_SPEC = {
    Format.CURRENT: _CURRENT_SPEC, Format.TARBALL: {**_CURRENT_SPEC, "tarball": "none"},
}
"""What stands in for specs that were vouched for when the schema is asked about the rest."""


def judge(page: Page, facts: Facts | None = None, *, strict_order: bool = False) -> list[
        tuple[Rule, Problem]]:
    """Ask every rule about a page that was taken apart."""
    problems = [(BY_CODE[fault.code], fault.problem) for fault in page.faults]
    if not page.parsed:
        return problems
    if page.format is not Format.LEGACY:
        name = f"page-{(facts.format if facts else page.format).value}"
        data = {**page.data, "spec_details": [_SOUND_SPEC[facts.format]]} if facts else page.data
        page.breaches = schema.breaches(name, data)
        page.implied = facts.summary if facts else implied(page)
    if facts:
        page.format = facts.format
    if not isinstance(page.data, dict):
        if page.format is not Format.LEGACY:
            problems += [(BY_CODE["CL203"], Problem(b.pointer, b.message)) for b in page.breaches]
        return problems
    for rule in ALL_RULES:
        if page.format in rule.formats and (rule.default or strict_order):
            problems += [(rule, problem) for problem in rule.problems(page)]
    refused = {problem.pointer for rule, problem in problems if rule.code == "CL703"}
    if refused:
        # what loaders refuse as it is written need not be called unsafe besides
        problems = [(rule, problem) for rule, problem in problems
                    if rule.code != "CL701" or problem.pointer not in refused]
    return problems


def implied(page: Page) -> dict[str, Any]:
    """Derive those keys of `meta` that the specs imply, as far as their values are sound."""
    unsound: set[str] = set()
    for breach in page.breaches:
        path = breach.pointer.split("/")[1:]
        if path[:1] != ["spec_details"] or not breach.code.startswith("CL2"):
            if breach.code == "CL201" and breach.key == "spec_details":
                return {}
            continue
        if len(path) == 1:
            return {}
        if len(path) == 2:
            unsound |= {breach.key} if breach.code in ("CL201", "CL202") else set(
                summary.FIELDS.values())
        else:
            unsound.add(path[2])
    if not unsound:
        return summary.summarize(page.specs)
    # a stand-in for each unsound field lets the others be summarised
    empty: dict[str, Any] = {field: [] if field in ("stacks", "versions") else ""
                             for field in unsound & set(summary.FIELDS.values())}
    specs = [{**(spec if isinstance(spec, dict) else {}), **empty} for spec in page.specs]
    result = summary.summarize(specs)
    for key, field in summary.FIELDS.items():
        if field in unsound:
            del result[key]
    if "stacks" in unsound:
        del result["num_specs_by_stack"]
    return result


# ------------------------------------------------------------------------------- what is mendable


_MENDED_FAULTS = frozenset({"CL102", "CL103"})


def refusal(page: Page, problems: Iterable[tuple[Rule, Problem]]) -> str:
    """Say why `fix` leaves a page alone; empty where it does not."""
    for rule, problem in problems:
        if rule.code.startswith("CL1") and rule.severity is Severity.ERROR:
            if rule.code not in _MENDED_FAULTS:
                return f"{rule.code} {rule.name}"
        elif rule.code == "CL402":
            return "a hash stands twice, and a summary of repeated specs would hide it"
        elif rule.code == "CL202" or (rule.code == "CL703" and _is_unknown_key(page, problem)):
            key = problem.pointer.rsplit("/", 1)[1]
            return f"the key {schema.show(key)} is unknown, and would be lost"
        elif rule.code.startswith("CL2") and not in_meta(problem.pointer):
            return f"{rule.code} {rule.name} outside meta: {problem.message}"
    return ""


def _is_unknown_key(page: Page, problem: Problem) -> bool:
    return any(breach.code == "CL202" and breach.pointer == problem.pointer
               for breach in page.breaches)


def in_meta(pointer: str) -> bool:
    """Say whether a pointer leads to `meta` or into it."""
    return f"{pointer}/".startswith("/meta/")


def is_mendable(rule: Rule, problem: Problem, page: Page, refused: str) -> bool:
    """Say whether `fix` mends a problem of this page, as the page stands."""
    if rule.fix is Fix.NONE or refused:
        return False
    if rule.fix is Fix.META:
        return in_meta(problem.pointer)
    if rule.fix is Fix.REWRITE:
        return not page.comments
    return True


# ------------------------------------------------------------------------------- findings


def findings_of(path: str, page: Page, problems: list[tuple[Rule, Problem]], settings: Settings
                ) -> list[Finding]:
    """Turn the problems of selected rules into findings, sorted."""
    found = []
    refused = None
    for rule, problem in problems:
        if rule.code not in settings.selected:
            continue
        if refused is None:
            refused = refusal(page, problems)
        span = problem.span or page.span_of(problem.pointer, key=rule.at_key)
        fixable = is_mendable(rule, problem, page, refused)
        found.append(_finding(path, page, rule, problem, span, fixable))
    found.sort(key=order)
    return found


def order(finding: Finding) -> tuple[bytes, int, int, str, str]:
    """Sort findings by path, as byte strings, then by line, column and code."""
    return (files.path_key(finding.path), finding.line, finding.column, finding.code,
            finding.pointer)


def _finding(path: str, page: Page, rule: Rule, problem: Problem, span: Span, fixable: bool
             ) -> Finding:
    excerpts = [excerpt(page, span)]
    if problem.other is not None:
        excerpts.append(excerpt(page, page.span_of(problem.other), problem.other_label))
    return Finding(path, *span, rule.code, rule.name, rule.severity, problem.message,
                   problem.pointer, fixable, tuple(excerpts))


_WIDTH = 68
"""Characters of an excerpt; with number and margin it fits 80 columns."""


def excerpt(page: Page, span: Span, label: str = "") -> Excerpt:
    """Cut what a span covers out of its line, with some of what stands around it."""
    line = page.line(span.line)
    start = span.column - 1
    end = span.end_column - 1 if span.end_line == span.line else len(line)
    end = max(start, min(end, start + _WIDTH - 2))
    if len(line) <= _WIDTH:
        return Excerpt(span.line, 0, line, start, min(end, len(line)), label)
    room = _WIDTH - (end - start)
    left = max(0, min(start - room // 2, len(line) - _WIDTH))
    cut = line[left : left + _WIDTH]
    if left:
        cut = "…" + cut[1:]
    if left + _WIDTH < len(line):
        cut = cut[:-1] + "…"
    return Excerpt(span.line, left, cut, start - left, end - left, label)


def unreadable(path: str, why: Unreadable) -> Finding:
    """Make the finding for a file that cannot be read."""
    rule = BY_CODE[why.code]
    return Finding(path, *_FIRST_LINE, rule.code, rule.name, rule.severity, why.message, "", False)


def check_page(
    content: bytes, path: str = "", *, settings: Settings | None = None,
    context: Context | None = None,
) -> list[Finding]:
    """Check one page that is held in memory.

    Args:
        content: The page's bytes.
        path: Where the page lies or will lie; ``_cache/<tag>/<package>/specs.md`` tells tag and
            package. It need not exist.
        settings: Which rules run, and their configuration; the defaults if not given.
        context: What the rules may know besides, such as the tag's stacks; from ``path`` and
            ``settings`` if not given.

    Returns:
        The findings, sorted by line, column and code.
    """
    settings = settings or Settings()
    context = context or context_of(settings, files.place_of(path), None)
    return _check_bytes(content, path, context, settings, Shapes())[0]


def context_of(settings: Settings, place: Place, tags: catalog.Tags | None) -> Context:
    """Gather what the rules may know of a page besides itself."""
    stacks = tags.stacks.get(place.tag) if tags is not None and place.tag is not None else None
    return Context(place, stacks, settings.root_stack, settings.mirror_urls)


def _check_bytes(raw: bytes, path: str, context: Context, settings: Settings, shapes: Shapes
                 ) -> tuple[list[Finding], Examined]:
    examined = examine(raw, context, shapes, max_size=settings.max_page_size,
                       strict_order="CL507" in settings.selected)
    if examined.page is None:
        return [], examined
    return findings_of(path, examined.page, examined.problems, settings), examined


class TagResult(NamedTuple):
    """What one task found, and what the catalog as a whole needs to know of it."""

    task: Task
    findings: list[Finding]
    """Sorted by path, line, column and code."""
    pages: int
    """Pages checked."""
    first_page: str
    """The path of the first page that lies in the tag's folder; empty where there is none."""


_shapes: dict[Settings, Shapes] = {}
"""What this process remembers of specs that it judged; a memory, without which all is the same."""


def shapes_for(settings: Settings) -> Shapes:
    """Return what this process remembers under ``settings``."""
    if settings not in _shapes:
        _shapes.clear()
        _shapes[settings] = Shapes()
    return _shapes[settings]


def check_tag(task: Task, settings: Settings, tags: catalog.Tags | None) -> TagResult:
    """Check the pages of one folder below ``_cache``: the unit of work.

    Args:
        task: What to check.
        settings: Which rules run, and their configuration.
        tags: What the catalog's ``tags.yaml`` says; None where there is none.

    Returns:
        Findings and facts, small enough to be sent from process to process.
    """
    shapes = shapes_for(settings)
    findings: list[Finding] = []
    count, first = 0, ""
    for path, place in pages_of(task, settings, findings):
        count += 1
        if place.tag and not first:
            first = path
        raw = files.read(path, settings.max_page_size)
        if isinstance(raw, Unreadable):
            if raw.code in settings.selected:
                findings.append(unreadable(path, raw))
            continue
        context = context_of(settings, place, tags)
        findings += _check_bytes(raw, path, context, settings, shapes)[0]
    if (first and "CL702" in settings.selected and not SORTABLE_TAG(task.tag)
            and (tags is None or task.tag not in tags.entries)):
        findings.append(_tag_name_on_page(first, task.tag, settings))
    findings.sort(key=order)
    return TagResult(task, findings, count, first)


def pages_of(task: Task, settings: Settings, findings: list[Finding]
             ) -> Iterator[tuple[str, Place]]:
    """List the pages of a task; what else Jekyll takes for a page goes to ``findings``."""
    prefix = 0 if task.root == "." else len(task.root) + 1
    if task.pages is not None:
        for path in task.pages:
            if not settings.excludes(path[prefix:] if task.tag else path):
                yield path, files.place_of(path)
        return
    listing = files.list_tag(task.root, task.tag)
    if "CL111" in settings.selected:
        rule = BY_CODE["CL111"]
        for path in listing.strays:
            if not settings.excludes(path[prefix:]):
                findings.append(Finding(
                    path, 1, 1, 1, 4, rule.code, rule.name, rule.severity,
                    "a file with front matter where no page belongs: Jekyll takes it for a page",
                    "", False, (Excerpt(1, 0, "---", 0, 3),)))
    for path, place in listing.pages:
        if not settings.exclude or not settings.excludes(path[prefix:]):
            yield path, place


def _tag_name_on_page(path: str, tag: str, settings: Settings) -> Finding:
    """Make the CL702 of a tag that ``tags.yaml`` does not list."""
    raw = files.read(path, settings.max_page_size)
    page = parse(b"" if isinstance(raw, Unreadable) else raw)
    problem = Problem("/categories/1", unsortable(tag))
    return _finding(path, page, BY_CODE["CL702"], problem, page.span_of(problem.pointer), False)


# ------------------------------------------------------------------------------- the catalog


def check_catalog_file(path: str, settings: Settings) -> list[Finding]:
    """Check one of the catalog's own files by itself."""
    raw = files.read(path, settings.max_page_size)
    if isinstance(raw, Unreadable):
        return [unreadable(path, raw)] if raw.code in settings.selected else []
    name = path.rsplit("/", 1)[-1]
    if name == "tags.yaml":
        page = catalog.read_yaml(raw)
        problems = [(BY_CODE[fault.code], fault.problem) for fault in page.faults]
        if page.parsed:
            problems += _tags_problems(page)
    elif name == "meta.yaml":
        return []
    else:
        page = parse(raw)
        problems = [(BY_CODE[fault.code], fault.problem) for fault in page.faults]
        if page.parsed:
            problems += _schema_problems("tag-page", page)
    return findings_of(path, page, problems, settings)


def _schema_problems(name: str, page: Page) -> list[tuple[Rule, Problem]]:
    page.breaches = schema.breaches(name, page.data)
    return [(BY_CODE[breach.code], Problem(breach.pointer, breach.message))
            for breach in page.breaches if breach.code in BY_CODE]


def _tags_problems(page: Page) -> list[tuple[Rule, Problem]]:
    problems = _schema_problems("tags", page)
    said: set[str] = set()
    for number, entry in enumerate(page.data if isinstance(page.data, list) else ()):
        name = entry.get("name") if isinstance(entry, dict) else None
        if type(name) is str and name and name not in said and not SORTABLE_TAG(name):
            said.add(name)
            problems.append((BY_CODE["CL702"], Problem(f"/{number}/name", unsortable(name))))
    return problems


def check_catalog(root: str, settings: Settings) -> list[Finding]:
    """Check the files of a catalog that are not pages."""
    paths = [files.join(root, catalog.TAGS), *catalog.tag_pages(root)]
    return [
        finding
        for path in paths
        if files.exists(path) and not settings.excludes(path[0 if root == "." else len(root) + 1 :])
        for finding in check_catalog_file(path, settings)
    ]
