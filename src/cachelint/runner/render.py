"""Render a tag: the pages and the catalog's own files that an index implies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from cachelint.document.catalog_files import (
    META,
    TAG_PAGES,
    TAGS,
    meta_by_line,
    read_yaml,
    render_tag_page,
    tags_by_line,
    tags_of,
)
from cachelint.document.page import Page
from cachelint.document.parser import parse_page
from cachelint.document.render import render_page
from cachelint.document.yaml import Document
from cachelint.files import discovery, read_write
from cachelint.files.paths import display_path, exists, join, linked_target, path_key, real_path
from cachelint.files.read_write import Unreadable
from cachelint.index.compare import TagIndex, compare_page, group_packages
from cachelint.index.counts import count_graphs
from cachelint.index.mapping import load_tag, page_spec
from cachelint.index.publish import meta_entry, meta_with, tags_with
from cachelint.index.sources import find_indexes
from cachelint.linter.page import check_page, context_of
from cachelint.model import CachelintError, NamedTuple, PageFormat, PageId, Severity
from cachelint.rules.cl9_index import (
    content_differs,
    not_in_index,
    not_on_page,
    stacks_differ,
)
from cachelint.rules.selection import Settings, resolve_settings
from cachelint.runner.verify import IndexOptions
from cachelint.text import plural


class Change(NamedTuple):
    """What becomes of one file."""

    kind: str
    """`added`, `changed` or `removed`; `kept` is a page of a package that is gone."""
    path: str
    why: str = ""


class RenderReport(NamedTuple):
    """What a run of `render` did, or would do."""

    tag: str
    changes: tuple[Change, ...]
    pages: int
    specs: int
    stacks: tuple[str, ...]
    is_blocked: bool
    """Whether nothing is written without `force`: a page of a frozen tag would change."""
    notes: tuple[str, ...]


class _File(NamedTuple):
    path: str
    before: bytes | None
    """None where there is no file."""
    after: bytes
    why: str


def render(
    out: str, index: IndexOptions, *, settings: Settings | None = None, write: bool = True,
    prune: bool = False, force: bool = False,
) -> RenderReport:
    """Write the pages of a tag, and what the catalog's own files have about it.

    All is computed and checked before the first file is written, and each file is written whole.

    Args:
        out: The folder of the catalog, which need not exist.
        index: Where the indexes are; with a tag.
        settings: Which tags may change, and the name of the root's stack.
        write: Whether to write; without, only what would be done is returned.
        prune: Whether to remove the pages of packages that are gone.
        force: Whether to change pages of a tag that is frozen.

    Raises:
        CachelintError: An index cannot be read or is damaged, a page would be invalid, a file of
            the catalog cannot be read or written, or a frozen tag would change.
    """
    settings = resolve_settings(settings)
    tag = index.tag or ""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", tag):
        raise CachelintError(f'invalid tag "{tag}": expected letters, digits, ".", "_" and "-"')
    out = display_path(out)
    known = _read_stacks(out)
    indexes = find_indexes(index.open(), tag, known.get(tag, ()), index.stacks,
                           settings.root_stack)
    contents = load_tag(indexes, settings.root_stack)
    stacks = [*contents.stacks]
    tag_index = group_packages(contents, stacks)
    if not tag_index.packages:
        raise CachelintError(f"{contents.root.where}: no spec is in the build cache, and so there "
                             "is no page to render")
    files = [*_render_pages(out, tag, tag_index, settings),
             *_render_own_files(out, tag, tag_index, known)]
    changes = [_describe(file) for file in files if file.before != file.after]
    gone = [*_find_gone(out, tag, tag_index)]
    changes += [Change("removed" if prune else "kept", path, "the package is gone")
                for path in gone]
    is_blocked = not force and _changes_frozen(out, tag, changes, settings)
    if write and not is_blocked:
        _write(files, gone if prune else [])
    order = ("added", "changed", "removed", "kept")
    changes.sort(key=lambda change: (order.index(change.kind), path_key(change.path)))
    return RenderReport(tag, tuple(changes), len(tag_index.packages), tag_index.number,
                        tuple(stacks), is_blocked, contents.warnings)


def _read_stacks(out: str) -> dict[str, list[str]]:
    """Return the stacks of each tag in `tags.yaml`, in the file's order."""
    page = _read_yaml(out, TAGS)
    tags = tags_of(page) if page is not None else None
    if page is not None and (tags is None or tags.entries.keys() != tags.stacks.keys()
                             or len(tags.entries) != len(page.data)):
        raise CachelintError(f"{join(out, TAGS)}: not as the site's generator writes it: "
                             "cachelint check reports what is wrong")
    return {} if tags is None else {tag: sorted(stacks) for tag, stacks in tags.stacks.items()}


def _read(path: str, out: str) -> bytes | None:
    """Return the bytes of a file that will be replaced, None where there is none."""
    if target := linked_target(path, (real_path(out),)):
        raise CachelintError(f"{path}: a link leads to {target}: nothing is written through links")
    if not exists(path):
        return None
    raw = read_write.read(path)
    if isinstance(raw, Unreadable):
        raise CachelintError(f"{path}: {raw.message}")
    return raw


def _read_yaml(out: str, name: str) -> Page | None:
    path = join(out, name)
    raw = _read(path, out)
    if raw is None:
        return None
    page = read_yaml(raw, _LAYOUTS[name])
    if not page.parsed:
        raise CachelintError(f"{path}: {page.errors[0].problem.message}")
    return page


def _in_layout(out: str, name: str) -> tuple[str, Document | None]:
    """Return a file of the catalog whose other entries keep their bytes; empty if there is none.

    Raises CachelintError where it is in another layout than the generator's.
    """
    path = join(out, name)
    text = (_read(path, out) or b"").decode("utf-8", "replace")
    document = _LAYOUTS[name](text) if text else None
    if text and (document is None or document.repeated or document.comments):
        raise CachelintError(f"{path}: not in the layout of the site's generator, and cannot be "
                             "changed without loss: write the entry of the tag by hand")
    return text, document


_LAYOUTS = {TAGS: tags_by_line, META: meta_by_line}


# ------------------------------------------------------------------------------- pages


def _render_pages(out: str, tag: str, index: TagIndex, settings: Settings) -> Iterator[_File]:
    where = index.contents.root.where
    for package, by_hash in sorted(index.packages.items()):
        path = join(out, f"_cache/{tag}/{package}/specs.md")
        try:
            specs = [page_spec(spec, index.contents) for spec in by_hash.values()]
            after = render_page(package, tag, specs).encode("utf-8")
        except ValueError as error:
            raise CachelintError(f"{where}: no page can be written for it: {error}") from None
        context = context_of(settings, PageId(tag, package), frozenset(index.contents.stacks))
        limits = Settings(max_page_size=settings.max_page_size)
        for finding in check_page(after, path, settings=limits, context=context):
            if finding.severity is Severity.ERROR:
                raise CachelintError(f"{where}: the page of {package} would be invalid: "
                                     f"{finding.code} {finding.message}")
        before = _read(path, out)
        yield _File(path, before, after,
                    "" if before in (None, after) else _compare(before or b"", package, index))


def _compare(before: bytes, package: str, index: TagIndex) -> str:
    """Return in what a page is not what it will be."""
    page = parse_page(before)
    if not page.parsed or page.format is PageFormat.LEGACY:
        return "it could not be compared"
    found = {not_on_page.code: "added", not_in_index.code: "removed",
             content_differs.code: "changed", stacks_differ.code: "changed"}
    specs: dict[str, set[str]] = {}
    for code, problem in compare_page(page.specs, package, index):
        names = specs.setdefault(found[code], set())
        names.add(problem.message if code == not_on_page.code
                  else "/".join(problem.pointer.split("/")[:3]))
        if not problem.pointer:
            return "all specs are replaced"
    if specs:
        return ", ".join(f"{plural(len(names), 'spec')} {what}" for what, names in specs.items())
    return "formatting only" if page.format is PageFormat.CURRENT else "today's format only"


def _find_gone(out: str, tag: str, index: TagIndex) -> Iterator[str]:
    """Yield the pages of packages that are gone."""
    listing = discovery.list_tag(out, tag, (real_path(out),))
    if not listing.is_complete:
        raise CachelintError(f"{listing.pages[0][0]}: the folder cannot be listed")
    for path, place in listing.pages:
        if place.package is not None and place.package not in index.packages:
            yield path


def _changes_frozen(out: str, tag: str, changes: list[Change], settings: Settings) -> bool:
    """Return whether pages of a frozen tag that has pages would change."""
    folder = join(out, f"_cache/{tag}/")
    touched = [change for change in changes
               if change.path.startswith(folder) and change.kind != "kept"]
    existing = discovery.list_tag(out, tag, (real_path(out),)).pages
    return tag not in settings.mutable_tags and bool(touched and existing)


# ------------------------------------------------------------------------------- the catalog


def _render_own_files(
    out: str, tag: str, index: TagIndex, known: Mapping[str, list[str]]
) -> Iterator[_File]:
    path = join(out, f"{TAG_PAGES}/{tag}.md")
    before = _read(path, out)
    if before is None or not _is_tag_page(before, tag):
        yield _File(path, before, render_tag_page(tag).encode(), "")
    stacks = [*index.contents.stacks]
    if known.get(tag) != stacks:
        text, _ = _in_layout(out, TAGS)
        yield _File(join(out, TAGS), text.encode() or None,
                    tags_with(known, tag, stacks).encode(), f"the stacks of {tag}")
    if known and not exists(join(out, META)):
        return  # a catalog that does without it
    text, document = _in_layout(out, META)
    entry = meta_entry(index.number, count_graphs(index.contents.root))
    after = meta_with(text, document.value if document else {}, tag, entry)
    yield _File(join(out, META), text.encode() or None, after.encode(),
                f"the counts of {tag}")


def _is_tag_page(raw: bytes, tag: str) -> bool:
    page = parse_page(raw)
    return page.parsed and isinstance(page.data, dict) and (
        page.data.get("tag") == tag and page.data.get("permalink") == f"/tag/{tag}/")


def _describe(file: _File) -> Change:
    if file.before is None:
        return Change("added", file.path)
    return Change("changed", file.path, file.why)


# ------------------------------------------------------------------------------- writing


def _write(files: list[_File], gone: list[str]) -> None:
    """Write files and remove others, in the order in which they depend on each other."""
    path = ""
    try:
        for path, before, after, _ in files:
            if before is None:
                read_write.make_folder_of(path)
                read_write.create(path, after)
            elif before != after and not read_write.replace(path, after, before):
                raise CachelintError(f"{path}: changed while it was rendered; run it again")
        for path in gone:
            read_write.remove(path)
    except OSError as error:
        raise CachelintError(f"{path}: cannot be written: {error.strerror or error}") from None

