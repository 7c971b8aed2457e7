"""Verify pages against the index of their tag: from paths to a report, tag by tag."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from cachelint.document import schema
from cachelint.document.catalog_files import META, TAGS, parse_catalog_file, tags_of
from cachelint.document.formats import BY_FORMAT
from cachelint.document.page import Page
from cachelint.document.parser import parse_page
from cachelint.document.schema import MOST_ERRORS
from cachelint.document.strict_json import escape_token
from cachelint.files import discovery, read_write
from cachelint.files.discovery import TagTask
from cachelint.files.paths import join, leaves, locate_in_catalog, page_id_of, real_path
from cachelint.files.read_write import Unreadable
from cachelint.index.compare import TagIndex, compare_page, compare_tag, group_packages
from cachelint.index.mapping import load_tag
from cachelint.index.sources import Source, find_indexes, open_source
from cachelint.linter.findings import (
    count_failures,
    failure,
    findings_of,
    isolate,
    make_finding,
    sort,
)
from cachelint.linter.tag import TagTally, check_tag, folder_of, pages_of, parse_again, read_page
from cachelint.model import CachelintError, Finding, NamedTuple, PageFormat, PageId, Problem, Report
from cachelint.rules import BY_CODE, OF_INDEX, RUN_BY_VERIFY, Rule
from cachelint.rules.cl2_schema import schema_problems
from cachelint.rules.cl6_catalog import spec_count
from cachelint.rules.cl9_index import tag_without_pages
from cachelint.rules.selection import ALWAYS, Settings, apply_overrides, resolve_settings
from cachelint.runner import baseline as baselines
from cachelint.runner import workers
from cachelint.runner.run import (
    OnProgress,
    Plan,
    Progress,
    RunOptions,
    make_plan,
    make_was_sought,
    read_baseline,
)
from cachelint.text import clip, did_you_mean, plural

if TYPE_CHECKING:
    from cachelint.runner.gate import Gate


class IndexOptions(NamedTuple):
    """Where the indexes of tags are."""

    location: str
    """A path or a URL: an index, a manifest, a list of tags or a mirror."""
    tag: str | None = None
    """The only tag to look at."""
    stacks: Mapping[str, str] = {}
    """The source of each stack that is given by name."""
    view: str | None = None
    """The view of a mirror."""
    mirrors: Mapping[str, str] = {}
    """Prefixes of URLs in a list of tags, and what is read instead."""

    def open(self) -> Source:
        """Find out what the source is. Raises CachelintError."""
        return open_source(self.location, view=self.view, mirrors=self.mirrors)


class VerifiedTag(NamedTuple):
    """What the comparison of one tag found."""

    task: TagTask
    findings: list[Finding]
    pages: int
    """Pages compared."""
    problems: list[tuple[str, str]]
    """Of the tag as a whole: the code of a rule, and a message."""
    first_page: str
    """The path of the first page; empty where there is none."""
    number: int | None
    """How many specs the index has in the build cache; None where that is not known."""
    warnings: tuple[str, ...]


def verify(
    paths: Iterable[str], index: IndexOptions, *, settings: Settings | None = None, jobs: int = 1,
    diff_base: str | None = None, baseline: str | None = None, write_baseline: str | None = None,
    on_progress: OnProgress | None = None, gate: Gate | None = None,
) -> Report:
    """Compare pages with the index of their tag.

    Args:
        paths: Files and folders; a folder is searched for catalogs.
        index: Where the indexes are.
        settings: Which rules run, and their configuration; the defaults if not given.
        jobs: How many processes to use at most; each reads the indexes of one tag at a time.
        diff_base: A git revision: only what differs from its merge base with HEAD is compared.
        baseline: The file of known findings, which are left out.
        write_baseline: The file to which all findings of these rules are written as known.
        on_progress: Is called as work is done.
        gate: How the baseline is read, and findings about it and the configuration.

    Raises:
        CachelintError: A path does not exist, an index cannot be read or is damaged, there is
            not exactly one tag for one index, or the baseline is damaged.
    """
    settings = resolve_settings(settings)
    settings = settings._replace(selected=settings.selected & (RUN_BY_VERIFY | ALWAYS))
    start = time.perf_counter()
    known = read_baseline(RunOptions(jobs, False, False, diff_base, baseline, on_progress, gate))
    selection = discovery.select(paths)
    source = index.open()
    plan = make_plan(selection, settings, diff_base)
    chosen = _choose(plan.tasks, source, index.tag, is_partial=diff_base is not None)
    work = partial(workers.attempt, partial(
        verify_tag, settings=settings, source=source, stacks=dict(index.stacks)), _fail_tag)
    on_done = on_progress and Progress(chosen, on_progress).add
    verified = [*workers.run(work, chosen, jobs, on_done)]
    # the catalogs that should have pages of all tags of a list
    whole = selection.roots if index.tag is None and diff_base is None else ()
    findings = [*_join(verified, source, whole, settings), *_find_beside(plan, gate, settings)]
    sort(findings)
    was_sought = make_was_sought(settings, _list_verified(chosen), settings.selected & OF_INDEX)
    if write_baseline is not None:
        baseline = write_baseline
        of_index = [finding for finding in findings if finding.code in OF_INDEX]
        known = baselines.update(baseline, of_index, was_sought)
    applied = baselines.apply(findings, known, baseline or "", was_sought)
    notes = (*plan.notes, *_explain_unverified(plan.tasks, chosen, source),
             *(warning for each in verified for warning in each.warnings))
    return Report(tuple(applied.findings), sum(each.pages for each in verified),
                  time.perf_counter() - start, applied.suppressed, tuple(applied.stale),
                  notes=notes, compared=plan.compared, base=plan.base,
                  failed=count_failures(findings))


def _find_beside(plan: Plan, gate: Gate | None, settings: Settings) -> Iterator[Finding]:
    """Yield what is found beside the comparison with indexes."""
    yield from plan.findings
    yield from gate.findings if gate else ()
    # pages of no tag, and links that lead out of the catalog
    for task in plan.tasks:
        if not task.tag:
            yield from check_tag(task, settings).findings


def _choose(
    tasks: list[TagTask], source: Source, tag: str | None, *, is_partial: bool
) -> list[TagTask]:
    """Return the tasks whose tag the source has an index of."""
    tagged = [task for task in tasks if task.tag]
    if tag is not None:
        chosen = [task for task in tagged if task.tag == tag]
        if not chosen and not is_partial:
            near = did_you_mean(tag, sorted({task.tag for task in tagged}))
            raise CachelintError(f"--tag {tag}: no page of this tag in the paths"
                                 + (f"; {near}" if near else ""))
        return chosen
    if source.kind == "tags":
        chosen = [task for task in tagged if task.tag in source.tags]
        if not chosen and not is_partial:
            raise CachelintError(f"{source.location}: the list of tags has none of the "
                                 f"{plural(len(tagged), 'tag')} in the paths")
        return chosen
    if len(tagged) > 1 or not (tagged or is_partial):
        raise CachelintError(f"one index is of one tag, but {plural(len(tagged), 'tag')} in the "
                             "paths: name one tag with --tag, or its folder below _cache")
    return tagged


def _join(
    verified: list[VerifiedTag], source: Source, whole: Iterable[str], settings: Settings
) -> list[Finding]:
    """Return the findings on pages, and those in the catalogs' own files."""
    by_root: dict[str, list[VerifiedTag]] = {}
    for each in verified:
        by_root.setdefault(each.task.root, []).append(each)
    findings = [finding for each in verified for finding in each.findings]
    for root, of_root in by_root.items():
        with isolate(join(root, TAGS), findings):
            missing = _find_missing_tags(source, of_root) if root in whole else ()
            findings += _compare_tags(root, of_root, missing, settings)
        with isolate(join(root, META), findings):
            findings += _compare_meta(root, of_root, settings)
    return apply_overrides(findings, settings)


def _explain_unverified(
    tasks: list[TagTask], chosen: list[TagTask], source: Source
) -> Iterator[str]:
    left = [task.tag for task in tasks if task.tag and task not in chosen]
    if left and source.kind == "tags":
        yield (f"{plural(len(left), 'tag')} not verified, since the list of tags does not have "
               f"them, such as {left[0]}")


# ------------------------------------------------------------------------------- one tag


def verify_tag(
    task: TagTask, settings: Settings, source: Source, stacks: Mapping[str, str]
) -> VerifiedTag:
    """Compare the pages of one tag with its indexes: the unit of work.

    Raises:
        CachelintError: An index cannot be read, or is damaged.
    """
    packages, first_page, is_complete = _list_packages(task)
    if not first_page:
        return VerifiedTag(task, [], 0, [], "", 0, ())
    indexes = find_indexes(source, task.tag, task.stacks or (), stacks, settings.root_stack)
    index = group_packages(load_tag(indexes, settings.root_stack), task.stacks)
    findings: list[Finding] = []
    tally = TagTally(task)
    for path, page_id in pages_of(task, settings, tally, findings):
        with isolate(path, findings):
            raw = read_page(path, task, settings, findings)
            if raw is not None:
                findings += _compare_one(path, page_id, raw, settings, index)
    problems = []
    if task.pages is None:
        # a folder that cannot be listed can have the pages of all packages
        known = packages if is_complete else {*packages, *index.packages}
        problems = [*islice(compare_tag(task.tag, known, task.stacks, index), MOST_ERRORS)]
    return VerifiedTag(task, findings, tally.checked, problems, first_page, index.number,
                       index.contents.warnings)


def _fail_tag(task: TagTask, error: Exception) -> VerifiedTag:
    """Return the result of a task where the program failed on no page, but on the tag."""
    folder = folder_of(task)
    return VerifiedTag(task, [failure(folder, error)], 0, [], folder, None, ())


def _list_packages(task: TagTask) -> tuple[set[str], str, bool]:
    """Return the packages that have a page, the first page, and whether these are all."""
    if task.pages is not None:
        return set(), next(iter(task.pages), ""), False
    listing = discovery.list_tag(task.root, task.tag, task.within)
    packages = {page_id.package for _, page_id in listing.pages if page_id.package is not None}
    packages |= {page_id_of(path).package or "" for path in task.hidden}
    return packages, listing.pages[0][0] if listing.pages else "", listing.is_complete


def _compare_one(
    path: str, page_id: PageId, raw: bytes, settings: Settings, index: TagIndex
) -> list[Finding]:
    """Compare a page; one that cannot be compared gets the finding of why not."""
    page = parse_page(raw, max_size=settings.max_page_size)
    problems: list[tuple[Rule, Problem]] = []
    if not page.parsed:
        problems = [(BY_CODE[error.code], error.problem) for error in page.errors]
    elif page.format is not PageFormat.LEGACY and page_id.package is not None:
        page.schema_errors = schema.validate(BY_FORMAT[page.format].schema, page.data)
        problems = [*schema_problems(
            error for error in page.schema_errors
            if error.pointer.startswith("/spec_details") or (
                not error.pointer and error.key in ("", "spec_details")))]
        problems += [(BY_CODE[code], problem)
                     for code, problem in compare_page(page.specs, page_id.package, index)]
    return findings_of(path, page, problems, settings)


# ------------------------------------------------------------------------------- the catalog


def _compare_tags(
    root: str, verified: list[VerifiedTag], missing: Iterable[tuple[str, str]], settings: Settings
) -> Iterator[Finding]:
    """Make the findings about whole tags, in `tags.yaml` or on their first page."""
    tags = _read(root, TAGS, settings)
    listed = tags_of(tags) if tags is not None else None
    found = {join(root, TAGS): (tags, [
        (BY_CODE[code], Problem("", message)) for code, message in missing])}
    for each in verified:
        number = listed.entries.get(each.task.tag) if listed is not None else None
        path, page, pointer = join(root, TAGS), tags, f"/{number}"
        if number is None and each.problems:
            path, pointer = each.first_page, ""
            page = parse_again(path, settings)
        problems = [(BY_CODE[code], Problem(pointer, message)) for code, message in each.problems]
        found.setdefault(path, (page, []))[1].extend(problems)
    for path, (page, problems) in found.items():
        yield from findings_of(path, page, problems, settings)


def _compare_meta(root: str, verified: list[VerifiedTag], settings: Settings) -> list[Finding]:
    """Make the findings in `meta.yaml`."""
    findings: list[Finding] = []
    whole = {each.task.tag: each.number for each in verified
             if each.task.pages is None and each.first_page and each.number is not None}
    meta = _read(root, META, settings) if whole else None
    for problem in _compare_counts(meta, whole) if meta is not None else ():
        findings += _find(join(root, META), meta, spec_count, problem, settings)
    return findings


def _compare_counts(meta: Page, numbers: Mapping[str, int]) -> Iterator[Problem]:
    """Yield the counts in `meta.yaml` that are not those of the indexes that were read."""
    counts = {tag: entry["count"] for tag, entry in meta.data.items()
              if isinstance(entry, dict) and type(entry.get("count")) is int}
    expected = {tag: numbers.get(tag, count) for tag, count in counts.items() if tag != "all"}
    if len(expected) == len(meta.data.keys() - {"all"}) and "all" in counts:
        expected["all"] = sum(expected.values())
    for tag, number in expected.items():
        if counts[tag] != number:
            what = "the sum of all counts" if tag == "all" else "the number of specs in the index"
            yield Problem(f"/{escape_token(tag)}/count", (
                f"count of {tag} is wrong: expected {number:,}, {what}, found {counts[tag]:,}"))


def _find_missing_tags(
    source: Source, verified: list[VerifiedTag]
) -> Iterator[tuple[str, str]]:
    """Yield the rule and a message for each tag of the list that has no page."""
    present = {each.task.tag for each in verified if each.first_page}
    for tag in sorted(source.tags.keys() - present)[:MOST_ERRORS]:
        yield tag_without_pages.code, (f"tag {clip(tag, 80)} is in the list of tags, but has no "
                                       f"page: {source.location}")


def _find(path: str, page: Page | None, rule: Rule, problem: Problem, settings: Settings
          ) -> Iterator[Finding]:
    if page is not None and rule.code in settings.selected:
        yield make_finding(path, page, rule, problem, page.span_of(problem.pointer), False)


def _read(root: str, name: str, settings: Settings) -> Page | None:
    """Read one of the catalog's files; None where it is missing, excluded or invalid."""
    path = join(root, name)
    if settings.excludes(name) or leaves(path, (real_path(root),)):
        return None
    raw = read_write.read(path, settings.max_page_size)
    if isinstance(raw, Unreadable):
        return None
    page, _ = parse_catalog_file(name, raw)
    return page if page.parsed and isinstance(page.data, list if name == TAGS else dict) else None


# ------------------------------------------------------------------------------- the baseline


def _list_verified(tasks: list[TagTask]) -> Iterator[tuple[str | None, str]]:
    """Yield what was compared: catalogs, and in them files and folders."""
    for task in tasks:
        if task.pages is None:
            yield task.root, f"_cache/{task.tag}/"
            yield task.root, TAGS
        else:
            yield from map(locate_in_catalog, task.pages)
