"""`cachelint init`: a configuration, hooks and a workflow for catalogs that have none."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from cachelint import __version__
from cachelint.config import file as config_file
from cachelint.files import discovery, read_write
from cachelint.files.paths import display_path, exists, find_top, leaves, real_path
from cachelint.model import CachelintError, NamedTuple
from cachelint.rules.base import DOCUMENTATION

CONFIGURATION = f"""\
# cachelint: {DOCUMENTATION}configuration/
# Nothing has to be set. These are some defaults: remove the first # of a line to change one.

# mutable-tags = ["develop"]    # tags whose pages may change; all others are frozen
# exclude = []                  # patterns as in .gitignore, from the catalog's folder
# ignore = []                   # rules: codes, names, or prefixes such as "CL5"
# extend-select = []            # rules that are off by default: "cachelint rule" lists all
# mirror-urls = ["https://binaries.spack.io"]

# The known findings of an old catalog, which this command writes:
# cachelint check --write-baseline .cachelint-baseline.json
# baseline = ".cachelint-baseline.json"
"""
_HOOKS = """\
repos:
  # hooks such as end-of-file-fixer rewrite every valid page: give them exclude: (^|/)_cache/
  - repo: https://github.com/spack/cachelint
    rev: v{version}
    hooks:
      - id: cachelint-fix          # fixes the pages of a commit{files}
      - id: cachelint              # reports what is wrong with them{files}
      - id: cachelint-catalog      # checks what the commit changes in the catalog
"""
_FILES = r"""
        files: (^|/)_cache/[^/]+/[^/]+/specs\.md$"""
WORKFLOW = f"""\
name: cachelint
on: [push, pull_request]
permissions:
  contents: read
jobs:
  cachelint:
    name: Check the catalog
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          fetch-depth: 2               # a pull request, and what it is compared with
          persist-credentials: false
      - uses: spack/cachelint@v{__version__} # zizmor: ignore[unpinned-uses] a release
"""
_CONFIGURATION_FILE, _HOOKS_FILE, _WORKFLOW_FILE = (
    "cachelint.toml", ".pre-commit-config.yaml", ".github/workflows/cachelint.yml")


def render_hooks(*, is_whole: bool = True) -> str:
    """Return the configuration of the hooks, for a catalog that is a whole checkout or in one."""
    return _HOOKS.format(version=__version__, files="" if is_whole else _FILES)


class Plan(NamedTuple):
    """What is to be written for some catalogs, and what is there already; paths as shown."""

    folder: str
    """The top of their checkout."""
    new: dict[str, str]
    """The content of each file."""
    kept: dict[str, str]
    """What to add to each file that exists, empty where that is nothing."""
    notes: tuple[str, ...]


def make_plan(path: str) -> Plan:
    """Plan the files for the catalogs at a path: at the top of their checkout.

    Raises:
        CachelintError: There is no catalog, or they are in several checkouts.
    """
    selection = discovery.select([path], needs_pages=False)
    roots = sorted({*selection.roots, *(task.root for task in selection.tasks)})
    tops = {find_top(root) for root in roots}
    if len(tops) > 1:
        raise CachelintError(f"the catalogs {', '.join(roots)} are in several git repositories: "
                             "run cachelint init in each of them")
    folder = tops.pop() or os.path.commonpath([real_path(root) for root in roots])
    hooks = render_hooks(is_whole=[real_path(root) for root in roots] == [folder])
    new, kept = {}, {}
    for name, content in ((_CONFIGURATION_FILE, CONFIGURATION), (_HOOKS_FILE, hooks),
                          (_WORKFLOW_FILE, WORKFLOW)):
        shown = display_path(f"{folder}/{name}")
        found = _find_configuration(roots, folder) if name == _CONFIGURATION_FILE else None
        if found is None and not exists(shown):
            new[shown] = content
        else:
            kept[found or shown] = _find_missing(shown, content) if content is hooks else ""
    return Plan(folder, new, kept, selection.notes)


def _find_configuration(roots: list[str], folder: str) -> str | None:
    """Return the configuration file that the catalogs have in their checkout, if there is one."""
    found = filter(None, map(config_file.find, [*roots, folder]))
    return next((display_path(path) for path in found
                 if not leaves(str(Path(path).parent), (folder,))), None)


def _find_missing(path: str, hooks: str) -> str:
    """Return what to add to a configuration of hooks; empty where it names this program."""
    raw = read_write.read(path, 1 << 20, (str(Path(path).parent.resolve()),))
    is_there = isinstance(raw, bytes) and b"/cachelint" in raw
    return "" if is_there else hooks.removeprefix("repos:\n")


def write(plan: Plan) -> Iterator[str]:
    """Write the files, and yield a line for each. Raises CachelintError where that fails."""
    for path, content in plan.new.items():
        try:
            read_write.create_in_checkout(path, content.encode())
        except OSError as error:
            raise CachelintError(f"{path}: cannot be written: "
                                 f"{error.strerror or error}") from None
        yield f"Wrote {path}"


def describe_kept(plan: Plan) -> Iterator[str]:
    """Yield a line for each file that exists, and what to add to it."""
    for path, missing in plan.kept.items():
        if not missing:
            yield f"Kept {path}, which exists"
            continue
        yield f'Kept {path}, which exists: add this to its "repos"'
        yield from ("", *missing.splitlines(), "")


def describe_next(plan: Plan) -> Iterator[str]:
    """Yield the commands to run after the files were written."""
    names = [os.path.relpath(path, plan.folder) for path in plan.new]
    commands = [
        ("cachelint check", "shows what is wrong now"),
        ("pre-commit install", "or prek install: runs the hooks at every commit"),
        (f"git add {shlex.join(names)} && git commit", ""),
    ]
    if find_top(plan.folder) is None:
        commands.insert(0, ("git init", "which hooks and workflow need"))
    if plan.folder != str(Path.cwd()):
        commands.insert(0, (f"cd {shlex.quote(display_path(plan.folder))}", ""))
    width = max(len(command) for command, why in commands if why)
    yield from ("", "Next:")
    yield from (f"  {command:<{width}}  # {why}" if why else f"  {command}"
                for command, why in commands)
