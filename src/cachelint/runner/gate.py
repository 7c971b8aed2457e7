"""What a run obeys, compared with the base revision: the configuration and the baseline.

A pull request can change both, and so weaken the check that it has to pass. Under `--diff-base`
each change is a finding, and both can be read as they are at the merge base.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from typing import TYPE_CHECKING

from cachelint.config import file as config_file
from cachelint.config.file import NO_FILE, File, Read
from cachelint.files.paths import display_path, find_top
from cachelint.files.read_write import Unreadable
from cachelint.model import CachelintError, Finding, NamedTuple
from cachelint.rules.cl8_history import gate_changed
from cachelint.text import plural

if TYPE_CHECKING:
    from cachelint.runner.baseline import Baseline


class BaseFiles:
    """Reads files as they are at the merge base; those outside of its checkouts as they are now."""

    def __init__(self, roots: Iterable[str], revision: str) -> None:
        """Find the merge base in the checkout of each catalog. Raises CachelintError."""
        from cachelint.files import git  # which needs what a run without a base does not

        self._read_at = cache(git.read_at)
        tops = {find_top(root): root for root in roots}
        self._commits = dict(git.find_base(root, revision) for root in tops.values())

    def read(self, path: str, limit: int) -> bytes | Unreadable | None:
        """Read at most ``limit`` bytes of a file; None if there is none. Raises CachelintError."""
        folder, name = os.path.split(path)
        real = os.path.join(os.path.realpath(folder or "."), name)
        top = find_top(folder)
        if top is None or top not in self._commits:
            return config_file.read_now(path, limit)
        return self._read_at(top, self._commits[top], real, limit)


class Gate(NamedTuple):
    """What decides a run, and what the base revision has to do with it."""

    file: File
    """The configuration that the run obeys."""
    baseline: str | None = None
    """The baseline that the run obeys."""
    read_baseline: Callable[[str], Baseline] | None = None
    """Reads the baseline as it is at the base revision, if that is obeyed."""
    findings: tuple[Finding, ...] = ()
    """What differs from the base revision, CL805."""
    notes: tuple[str, ...] = ()
    """What differs from the base revision, and is not obeyed."""


class Choice(NamedTuple):
    """The options of a command line that choose configuration and baseline."""

    config: str | None = None
    is_isolated: bool = False
    baseline: str | None = None
    needs_baseline: bool = True
    """Whether a baseline that the configuration names is used."""

    def load(self, roots: Callable[[], list[str]], read: Read | None = None) -> File:
        """Load the configuration of a run over ``roots``, with another way to read files."""
        if self.config is not None:
            if read is None:
                return config_file.load(self.config)
            return NO_FILE if read(self.config, config_file.MAX_SIZE) is None else (
                config_file.load(self.config, read))
        path = None if self.is_isolated else config_file.find_for(
            roots, read or config_file.read_now)
        return NO_FILE if path is None else config_file.load(path, read or config_file.read_now)

    def find_baseline(self, file: File, read: Read = config_file.read_now) -> str | None:
        """Return the baseline of a run with a configuration."""
        if self.baseline is not None or not self.needs_baseline:
            return self.baseline
        return file.baseline(read)


def open_gate(
    choice: Choice, roots: Callable[[], list[str]], revision: str | None, *, from_base: bool
) -> Gate:
    """Read the configuration of a run, and compare it with a base revision.

    Args:
        choice: The options of the command line.
        roots: Finds the catalogs of the run.
        revision: The base revision; None for no comparison.
        from_base: Whether configuration and baseline are read as they are at the merge base.

    Raises:
        CachelintError: Something cannot be read, or is invalid.
    """
    if revision is None:
        file = choice.load(roots)
        return Gate(file, choice.find_baseline(file))
    from cachelint.runner import baseline as baselines

    roots = cache(roots)
    files = BaseFiles(roots(), revision)
    read_base = partial(baselines.read, read_file=files.read)
    if not from_base:
        file = choice.load(roots)
        baseline = choice.find_baseline(file)
        found = [*_compare_configurations(file, partial(choice.load, roots, files.read))]
        if baseline is not None:
            found += _compare_baselines(baseline, read_base)
        return Gate(file, baseline, findings=tuple(found))
    base = choice.load(roots, files.read)
    baseline = choice.find_baseline(base, files.read)
    used = [name for name in (base.path, baseline) if name]
    return Gate(base, baseline, read_base, notes=(
        *_explain_use(used, files), *_explain_disuse(choice, roots, used)))


def _explain_use(paths: list[str], files: BaseFiles) -> Iterator[str]:
    """Yield a sentence for each file that is used and differs from what it is now."""
    from cachelint.runner.baseline import MAX_SIZE

    for path in paths:
        now, base = (read(path, MAX_SIZE) for read in (config_file.read_now, files.read))
        if now != base:
            yield (f"{path} is not used: it does not exist at the base revision" if base is None
                   else f"{path} is used as it is at the base revision")


def _explain_disuse(choice: Choice, roots: Callable[[], list[str]], used: list[str]
                    ) -> Iterator[str]:
    """Yield a sentence if the configuration that there is now is not the one that is used."""
    try:
        path = choice.load(roots).path
    except CachelintError as error:
        yield f"the configuration is invalid, and used as it is at the base revision: {error}"
        return
    if path and path not in used:
        yield f"{path} is not used: it is not the configuration of the base revision"


def _compare_configurations(now: File, load_base: Callable[[], File]) -> Iterator[Finding]:
    """Yield the finding if the settings of a run differ from those of the base revision.

    Args:
        now: The configuration file, or `NO_FILE`.
        load_base: Loads the file as it is at the base revision; may raise CachelintError.
    """
    try:
        base = load_base()
    except CachelintError as error:
        yield _find(now.path or str(error).partition(":")[0],
                    f"the configuration is invalid at the base revision: {error}")
        return
    keys = sorted(key for key in now.data.keys() | base.data.keys()
                  if now.data.get(key) != base.data.get(key))
    if not keys:
        return
    if base is NO_FILE:
        what = "the configuration is new, with"
    elif now is NO_FILE:
        what = "the configuration was removed, with"
    else:
        what = "the configuration differs from the base revision in"
    yield _find(now.path or base.path, f"{what} {', '.join(keys)}")


def _compare_baselines(path: str, read_base: Callable[[str], Baseline]) -> Iterator[Finding]:
    """Yield the finding if the baseline of a run differs from that of the base revision.

    Raises CachelintError if the baseline cannot be read now.
    """
    from cachelint.runner import baseline as baselines

    now = baselines.read(path)
    try:
        base = read_base(path)
    except CachelintError as error:
        yield _find(path, f"the baseline is invalid at the base revision: {error}")
        return
    if now == base:
        return
    added, removed = (sum(max(0, count - others.get(key, 0)) for key, count in known.items())
                      for known, others in ((now, base), (base, now)))
    yield _find(path, "the baseline differs from the base revision: "
                      f"{plural(added, 'known finding')} added, {removed:,} removed")


def _find(path: str, message: str) -> Finding:
    rule = gate_changed
    return Finding(display_path(path), 1, 1, 1, 1, rule.code, rule.name, rule.severity,
                   message, "", False)
