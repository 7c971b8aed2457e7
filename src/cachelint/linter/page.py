"""From a page's bytes to findings: the one line that every check travels.

A page goes four ways, each the fallback of the one before. Its specs may be of known shapes and
its `meta` what they imply, so that the whole is accepted; or `meta` is sound in all but what it
says, and CL3xx alone is asked; or the specs alone are sound, and the rules need only look at the
rest; or every rule looks at everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from sys import intern
from typing import Any, NamedTuple

from cachelint.document import schema, strict_json, summary
from cachelint.document.formats import KEYS
from cachelint.document.page import Page
from cachelint.document.parser import page_of, parse_page
from cachelint.document.yaml import is_safe_key
from cachelint.files import discovery
from cachelint.files.discovery import Unreadable
from cachelint.linter.fastpath import Facts, Shapes
from cachelint.model import (
    Excerpt,
    Finding,
    PageContext,
    PageFormat,
    PageId,
    Problem,
    Severity,
    Span,
)
from cachelint.rules import ALL_RULES, BY_CODE, Fix, Rule
from cachelint.rules.cl3_summary import RULES as SUMMARY_RULES
from cachelint.rules.selection import Settings, apply_overrides, resolve_settings

_FIRST_LINE = Span(1, 1, 1, 1)

# names that are text to every loader and safe on the site
_SAFE_TAG = re.compile(r"(?!(?:y|n|yes|no|on|off|true|false|null)\Z)[a-z][a-z0-9._-]*").fullmatch
_SAFE_PACKAGE = re.compile(r"[a-z0-9][a-z0-9-]*").fullmatch


_SPECS = b"\nspec_details: ["


@lru_cache(maxsize=1024)
def _categories(tag: str | None) -> bytes:
    """Write a page's lines of this tag up to `meta`; nothing where the rules must see them."""
    return (f"layout: cache\ncategories: [package, {tag}]\nmeta: ".encode()
            if tag is not None and _SAFE_TAG(tag) else b"")


@lru_cache(maxsize=16_384)
def _title(package: str | None) -> bytes:
    """Write the first lines of a page of this package, likewise."""
    return (f'---\ntitle: "{package}"\n'.encode()
            if package is not None and _SAFE_PACKAGE(package) else b"")


class Examined(NamedTuple):
    """What the rules say of one page."""

    problems: list[tuple[Rule, Problem]]
    """Of every rule, whether it is selected or not."""
    page: Page | None
    """None for a page that was accepted as it is, or that could not be read."""
    facts: Facts | None
    """Of the specs, where they are of known shapes."""


def is_sound(facts: Facts, place: PageId, *, strict_order: bool = False) -> bool:
    """Say whether the whole page is as it should be, so that no rule has anything to say of it.

    ``strict_order`` says whether CL507 is among the rules.
    """
    if strict_order and facts.format is PageFormat.TARBALL:
        return False
    start = _start(place)
    if start and facts.head == b"".join((start, facts.implied.meta, _SPECS)):
        return True  # the usual case, in one comparison
    meta = _meta(facts, place)
    return facts.format is PageFormat.TARBALL and meta is not None and facts.are_in(meta)


def _start(place: PageId) -> bytes:
    """Write a page's lines up to `meta`; nothing where the rules must see them."""
    title, categories = _title(place.package), _categories(place.tag)
    return title + categories if title and categories else b""


def _meta(facts: Facts, place: PageId) -> bytes | None:
    """Return a page's `meta`, its line of JSON, if all else before the specs is as it should be."""
    start = _start(place)
    if start and facts.head.startswith(start) and facts.head.endswith(_SPECS):
        return facts.head[len(start) : -len(_SPECS)]
    return None


def examine(
    raw: bytes, context: PageContext, shapes: Shapes, *, max_size: int = 0,
    strict_order: bool = False,
) -> Examined:
    """Ask every rule about a page; ``strict_order`` says whether CL507 is among them."""
    is_small = not 0 < max_size < len(raw)
    facts = shapes.read(raw, context.place, context) if is_small else None
    if facts is not None and is_sound(facts, context.place, strict_order=strict_order):
        return Examined([], None, facts)
    return examine_unsound(raw, context, facts, max_size=max_size, strict_order=strict_order)


def examine_unsound(
    raw: bytes, context: PageContext, facts: Facts | None, *, max_size: int = 0,
    strict_order: bool = False,
) -> Examined:
    """Do the same where `Shapes.read` gave ``facts``, and the page was not found sound by them."""
    if strict_order and facts is not None and facts.format is PageFormat.TARBALL:
        facts = None  # nothing was said of the order
    if facts is not None:
        meta = _meta(facts, context.place)
        found = None if meta is None else _ask_of_meta(raw, meta, context, facts)
        if found is not None:
            return found
        lines = facts.head.split(b"\n")
        if not (len(lines) == 6 and lines[0] == b"---" and lines[2] == b"layout: cache"
                and lines[4].startswith(b"meta: ") and lines[5] == _SPECS[1:]):
            facts = None
    page = parse_page(raw, context, max_size=max_size, vouched=facts is not None)
    if not page.vouched:
        facts = None  # the front matter ends before the specs
    return Examined(run_rules(page, facts, strict_order=strict_order), page, facts)


def _ask_of_meta(raw: bytes, line: bytes, context: PageContext, facts: Facts) -> Examined | None:
    """Ask CL3xx about a page of which all but what ``line``, its `meta`, says is sound.

    Returns None where the line is unsound in another way.
    """
    text, due = line.decode("latin-1"), facts.summary
    if not (text[:1] == "{" and text[-1:] == "}" and strict_json.is_plain(text)):
        return None
    try:
        value = strict_json.loads(text)
    except ValueError:
        return None
    if type(value) is not dict or value.keys() != due.keys():
        return None
    counts = value["num_specs_by_stack"]
    # true and 1.0 are equal to 1
    if (type(value["num_specs"]) is not int or type(counts) is not dict
            or set(map(type, counts.values())) != {int}):
        return None
    others = [key for key, item in value.items() if item != due[key]]
    # what specs that were vouched for imply is sound
    if not all(schema.compile_check(f"page-{facts.format.value}", f"/$defs/meta/properties/{key}")(
            value[key]) for key in others):
        return None
    if "num_specs_by_stack" in others and not all(map(is_safe_key, counts)):
        return None
    if facts.format is PageFormat.CURRENT and (
            text != facts.saying({key: value[key] for key in others}, due)):
        return None
    page = page_of(raw.decode(), value, facts.format, context)
    page.implied = due
    return Examined(_ask([_SUMMARY_RULES[key] for key in others], page), page, facts)


_SUMMARY_RULES = {rule.name.replace("-", "_"): rule for rule in SUMMARY_RULES}
"""The rules about what `meta` says, by the key of which they speak."""


_CURRENT_SPEC = {
    "compiler": "none", "hash": "a" * 32, "os": "none", "platform": "linux", "size": "-",
    "stacks": ["root"], "target": "none", "variants": [], "versions": ["0"],
}
_SOUND_SPEC = {
    PageFormat.CURRENT: _CURRENT_SPEC, PageFormat.TARBALL: {**_CURRENT_SPEC, "tarball": "none"},
}
"""What stands in for specs that were vouched for when the schema is asked about the rest."""


_RULES = {
    kind: tuple(rule for rule in ALL_RULES
                if kind in rule.formats and (rule.check is not None or rule.check_spec is not None))
    for kind in PageFormat
}
"""The rules that look at pages, by the format of the page."""


def _is_head_sound(page: Page, name: str) -> bool:
    """Say whether a page whose specs were vouched for keeps to its schema in all else."""
    data = page.data
    return (type(data) is dict and data.keys() == set(KEYS)
            and all(schema.compile_check(name, f"/$defs/{key}")(data[key]) for key in KEYS[:-1]))


def run_rules(page: Page, facts: Facts | None = None, *, strict_order: bool = False) -> list[
        tuple[Rule, Problem]]:
    """Ask every rule about a page that was taken apart."""
    problems = [(BY_CODE[fault.code], fault.problem) for fault in page.errors]
    if not page.parsed:
        return problems
    if page.format is not PageFormat.LEGACY:
        name = f"page-{(facts.format if facts else page.format).value}"
        if facts is None:
            page.schema_errors = schema.validate(name, page.data)
        elif not _is_head_sound(page, name):
            data = {**page.data, "spec_details": [_SOUND_SPEC[facts.format]]}
            page.schema_errors = schema.validate(name, data)
        page.implied = facts.summary if facts else derive_meta(page)
    if facts:
        page.format = facts.format
    if not isinstance(page.data, dict):
        if page.format is not PageFormat.LEGACY:
            problems += [(BY_CODE["CL203"], Problem(error.pointer, error.message))
                         for error in page.schema_errors]
        return problems
    # what vouched for the specs has judged each of them
    problems += _ask([rule for rule in _RULES[page.format] if (rule.default or strict_order)
                      and (rule.check is not None or not page.vouched)], page)
    refused = {problem.pointer for rule, problem in problems if rule.code == "CL703"}
    if refused:
        # what loaders refuse need not be called unsafe or invalid besides
        problems = [(rule, problem) for rule, problem in problems
                    if rule.code not in ("CL202", "CL203", "CL204", "CL404", "CL701")
                    or problem.pointer not in refused]
    return problems


def _ask(rules: Iterable[Rule], page: Page) -> list[tuple[Rule, Problem]]:
    """Ask rules about a page that could be read."""
    return [(rule, problem) for rule in rules for problem in rule.problems(page)]


def derive_meta(page: Page) -> dict[str, Any]:
    """Derive those keys of `meta` that the specs imply, as far as their values are sound."""
    unsound: set[str] = set()
    for breach in page.schema_errors:
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


_TAG_PAGE_KEYS = {"layout", "permalink", "tag"}
_MENDED_FAULTS = frozenset({"CL102", "CL103"})


def unfixable_reason(page: Page, problems: Iterable[tuple[Rule, Problem]]) -> str:
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
               for breach in page.schema_errors)


def in_meta(pointer: str) -> bool:
    """Say whether a pointer leads to `meta` or into it."""
    return f"{pointer}/".startswith("/meta/")


def is_fixable(rule: Rule, problem: Problem, page: Page, refused: str) -> bool:
    """Say whether `fix` mends a problem of this page, as the page stands."""
    if rule.fix is Fix.NONE or refused:
        return False
    if rule.fix is Fix.META:
        return in_meta(problem.pointer)
    if rule.fix is Fix.REWRITE:
        return not page.comments
    if rule.code == "CL605" and problem.pointer == "/tag":
        # what a person added to the page of a tag stays
        return not (page.comments or page.body.strip()) and page.data.keys() == _TAG_PAGE_KEYS
    return True


# ------------------------------------------------------------------------------- findings


def findings_of(
    path: str, page: Page | None, problems: list[tuple[Rule, Problem]], settings: Settings
) -> list[Finding]:
    """Turn the problems of selected rules into findings, sorted; there is no page without them."""
    found = []
    refused = None
    for rule, problem in problems:
        if rule.code not in settings.selected:
            continue
        assert page is not None
        if refused is None:
            refused = unfixable_reason(page, problems)
        span = problem.span or page.span_of(problem.pointer, key=rule.at_key)
        fixable = is_fixable(rule, problem, page, refused)
        found.append(make_finding(path, page, rule, problem, span, fixable))
    sort(found)
    return found


def order(finding: Finding) -> tuple[bytes, int, int, str, str, str]:
    """Sort findings by path, as byte strings, then by line, column and code."""
    return (discovery.path_key(finding.path), finding.line, finding.column, finding.code,
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
    excerpts = [excerpt(page, span)]
    if problem.other is not None:
        label = intern(problem.other_label)
        excerpts.append(excerpt(page, page.span_of(problem.other), label))
    return Finding(path, *span, rule.code, rule.name, rule.severity, intern(problem.message),
                   problem.pointer, fixable, tuple(excerpts), _spec_hash(page, problem.pointer))


def _spec_hash(page: Page, pointer: str) -> str:
    """Return the hash of the spec in which ``pointer`` lies, if it tells the spec from others."""
    path = pointer.split("/")
    if path[:2] != ["", "spec_details"] or len(path) < 3 or not page.parsed:
        return ""
    if not page.hashes:
        return ""  # a mapping where the list of specs belongs
    own = page.hashes[int(path[2])]
    sound = schema.compile_check("page-current", "/$defs/spec/properties/hash")
    return own if sound(own) and page.hash_counts[own] == 1 else ""


_WIDTH = 68
"""Characters of an excerpt; with number and margin it fits 80 columns."""


def excerpt(page: Page, span: Span, label: str = "") -> Excerpt:
    """Cut what a span covers out of its line, with some of what stands around it."""
    # lines may have megabytes, and so may the number of findings be: never copy a whole one
    line_start, line_end = page.line(span.line)
    length = line_end - line_start
    start = span.column - 1
    end = span.end_column - 1 if span.end_line == span.line else length
    end = max(start, min(end, start + _WIDTH - 2))
    if length <= _WIDTH:
        line = page.text[line_start:line_end]
        return Excerpt(span.line, 0, intern(line), start, min(end, length), label)
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


def check_page(
    content: bytes, path: str = "", *, settings: Settings | None = None,
    context: PageContext | None = None,
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
    settings = resolve_settings(settings)
    context = context or context_of(settings, discovery.page_id_of(path))
    examined = examine(content, context, Shapes(), max_size=settings.max_page_size,
                       strict_order="CL507" in settings.selected)
    return apply_overrides(findings_of(path, examined.page, examined.problems, settings), settings)


def context_of(
    settings: Settings, place: PageId, stacks: frozenset[str] | None = None
) -> PageContext:
    """Gather what the rules may know of a page besides itself."""
    return PageContext(place, stacks, settings.root_stack, settings.mirror_urls)
