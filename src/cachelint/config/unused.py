"""Entries of a configuration that have no effect: warnings, which change nothing of the run."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator

from cachelint.config.file import File
from cachelint.document import catalog_files
from cachelint.files import discovery, read_write
from cachelint.files.globs import GlobList, explain_useless
from cachelint.files.paths import exists, join, relative_to_catalog
from cachelint.model import CachelintError, Report
from cachelint.rules import BY_CODE
from cachelint.rules.selection import (
    ALWAYS,
    FileIgnore,
    Settings,
    codes_of,
    every_code_of,
    select_rules,
)


def find_unused(
    file: File, settings: Settings, report: Report, paths: Iterable[str]
) -> Iterator[str]:
    """Yield a sentence for each entry of a configuration file that has no effect.

    ``settings`` are the file and the options of the command line, ``paths`` what was checked.
    """
    # where only changes were checked, most entries may have an effect elsewhere
    is_diff = report.compared is not None
    if settings.selected <= ALWAYS:
        yield "no rules are selected: check select and ignore"
    elif settings.exclude and not report.pages and not is_diff and discovery.select(paths).tasks:
        yield "no pages were checked: exclude matches all of them"
    yield from _find_rules(file)
    unseen = [*_find_ignores(file, settings, set(report.unused))]
    if not is_diff and _is_all(file, paths):
        yield from _find_globs(file, paths)
        yield from _find_tags(file, paths)
        yield from unseen


def _find_rules(file: File) -> Iterator[str]:
    """Yield the names of rules that do not run, or that cannot be hidden."""
    data = file.data
    select, extend_select = data.get("select"), data.get("extend-select", ())
    before = select_rules(select, (), extend_select)
    runs = select_rules(select, data.get("ignore", ()), extend_select)
    for name, key in file.rule_names():
        if key[0] in ("select", "extend-select"):
            continue
        if codes_of(name) <= ALWAYS:
            why = (f"the severity of {name} cannot be changed" if key[0] == "severity"
                   else f"{name} cannot be ignored")
        elif key[0] == "ignore" and not codes_of(name) & before:
            why = f"{name} is not selected"
        elif key[0] != "ignore" and not every_code_of(name) & runs:
            why = f"{name} does not run"
        else:
            continue
        yield f"{file.locate(*key)}: in {key[0]}: {why}"


def _find_ignores(file: File, settings: Settings, unused: set[FileIgnore]) -> Iterator[str]:
    """Yield the entries of `per-file-ignores` that hid nothing, with their rules running."""
    data = file.data
    runs = select_rules(data.get("select"), data.get("ignore", ()), data.get("extend-select", ()))
    for glob, names in data.get("per-file-ignores", {}).items():
        for number, name in enumerate(names):
            codes = every_code_of(name)
            if (FileIgnore(glob, name) in unused and codes & runs
                    and codes & runs <= settings.selected
                    and any(BY_CODE[code].emitted_by != "changes" for code in codes)):
                yield (f"{file.locate('per-file-ignores', glob, number)}: in per-file-ignores: "
                       f'"{glob}" hides no finding of {name}{explain_useless(glob)}')


def _find_globs(file: File, paths: Iterable[str]) -> Iterator[str]:
    """Yield the patterns of `exclude` that decide on no file of the catalogs."""
    patterns = tuple(file.data.get("exclude", ()))
    globs, unseen = GlobList(patterns), set(range(len(patterns)))
    for root in discovery.select(paths, needs_pages=False).roots if unseen else ():
        for path in _list_files(root):
            unseen.difference_update(max(each, ~each) for each in globs.decide(path))
            if not unseen:
                return
    for number in sorted(unseen):
        yield (f'{file.locate("exclude", number)}: in exclude: "{patterns[number]}" matches nothing'
               f"{explain_useless(patterns[number])}")


def _list_files(root: str) -> Iterator[str]:
    """Yield the files of a catalog, relative to its folder."""
    yield from (name for name in (catalog_files.TAGS, catalog_files.META)
                if exists(join(root, name)))
    tag_pages = catalog_files.tag_pages(root)
    if isinstance(tag_pages, list):
        yield from map(relative_to_catalog, tag_pages)
    for tag in _list_tags(root):
        listing = discovery.list_tag(root, tag)
        for path in (*(path for path, _ in listing.pages), *listing.stray_pages):
            yield relative_to_catalog(path)


def _list_tags(root: str) -> list[str]:
    names = read_write.names(join(root, "_cache"))
    return names if isinstance(names, list) else []


def _find_tags(file: File, paths: Iterable[str]) -> Iterator[str]:
    """Yield the tags of `mutable-tags`, and the `root-stack`, that no catalog has."""
    wanted, stack = file.data.get("mutable-tags", ()), file.data.get("root-stack")
    tags: set[str] = set()
    stacks: set[str] = set()
    for root in discovery.select(paths, needs_pages=False).roots if wanted or stack else ():
        tags.update(_list_tags(root))
        with contextlib.suppress(Exception):  # which the check has reported
            if listed := catalog_files.read_tags(root):
                tags.update(listed.entries)
                stacks.update(*listed.stacks.values())
    for number, tag in enumerate(wanted):
        if tag not in tags:
            yield f'{file.locate("mutable-tags", number)}: in mutable-tags: no tag "{tag}" exists'
    if stack and stack not in stacks:
        yield f'{file.locate("root-stack")}: in root-stack: no tag has the stack "{stack}"'


def _is_all(file: File, paths: Iterable[str]) -> bool:
    """Return whether whole catalogs are checked, all those below the configuration's folder."""
    try:
        selection = discovery.select(paths, needs_pages=False)
    except CachelintError:
        return False  # what was there is gone
    if not selection.roots:
        return False
    return set(discovery.catalogs(os.path.dirname(file.path) or ".")) <= set(selection.roots)
