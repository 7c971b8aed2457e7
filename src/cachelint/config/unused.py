"""What of a configuration does nothing: warnings beside a run, which change nothing of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from cachelint.config.file import File
from cachelint.files import discovery
from cachelint.model import CachelintError
from cachelint.rules import BY_CODE
from cachelint.rules.selection import FileIgnore, Settings, codes_of, every_code_of, select_rules


def of_run(
    file: File, settings: Settings, unused: Iterable[FileIgnore], paths: Iterable[str], pages: int
) -> Iterator[str]:
    """Yield a sentence for each entry of a configuration file that does nothing, or does it all.

    An entry is named if no rule that it names runs, or, of `per-file-ignores`, if it is among
    those that were ``unused`` in a run over ``paths`` and could have been of use there.

    Args:
        file: The configuration file.
        settings: What ran: the file and the options of the command line.
        unused: Those of `per-file-ignores` that left nothing out of whole catalogs.
        paths: What was checked.
        pages: How many pages were.
    """
    data = file.data
    if not settings.selected:
        yield "no rule runs: what is selected is ignored, or nothing is"
    elif settings.exclude and not pages and discovery.select(paths).tasks:
        yield "no page is checked: exclude leaves out all of them"
    before = select_rules(data.get("select"), (), data.get("extend-select", ()))
    runs = select_rules(data.get("select"), data.get("ignore", ()), data.get("extend-select", ()))
    for number, name in enumerate(data.get("ignore", ())):
        if not codes_of(name) & before:
            yield (f"{file.place('ignore', number)}: in ignore: {name} would not run anyway")
    for name in data.get("severity", {}):
        if not every_code_of(name) & runs:
            yield f"{file.place('severity', name)}: in severity: {name} does not run"
    idle = []
    for glob, names in data.get("per-file-ignores", {}).items():
        for number, name in enumerate(names):
            codes, key = every_code_of(name), ("per-file-ignores", glob, number)
            if not codes & runs:
                yield f"{file.place(*key)}: in per-file-ignores: {name} does not run"
            elif (FileIgnore(glob, name) in unused and codes & runs <= settings.selected
                  and any(BY_CODE[code].emitted_by != "changes" for code in codes)):
                idle.append(f'{file.place(*key)}: in per-file-ignores: nothing of {name} is left '
                            f'out of "{glob}"')
    if idle and _is_all(file, paths):
        yield from idle


def _is_all(file: File, paths: Iterable[str]) -> bool:
    """Say whether no other catalog lies below the configuration file's folder."""
    try:
        selected = discovery.select(paths).roots
    except CachelintError:
        return False  # what was there is gone
    return set(discovery.catalogs(os.path.dirname(file.path) or ".")) <= set(selected)
