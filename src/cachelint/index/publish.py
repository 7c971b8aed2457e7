"""`tags.yaml` and `meta.yaml` with the entry of a tag that an index implies."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from cachelint.document.catalog_files import WORD
from cachelint.index.counts import GraphCounts
from cachelint.model import CachelintError

MetaValue = str | int | Mapping[str, int]
MetaEntry = Mapping[str, MetaValue]


# ------------------------------------------------------------------------------- tags.yaml


def tags_with(tags: Mapping[str, Sequence[str]], tag: str, stacks: Sequence[str]) -> str:
    """Return `tags.yaml` with the entry of one tag added or replaced; the others stay."""
    names = [*tags]
    if tag not in tags:
        at = next((number for number, name in enumerate(names) if _order(name) > _order(tag)),
                  len(names))
        names.insert(at, tag)
    entries = {**tags, tag: stacks}
    return "".join(f"- name: {_scalar(name)}\n  stacks:\n"
                   + "".join(f"  - {_scalar(stack)}\n" for stack in sorted(entries[name]))
                   for name in names)


def _order(tag: str) -> tuple[int, list[int]]:
    """Return the order of tags on the site: develop, releases, snapshots, the newest first."""
    if tag == "develop":
        return 0, []
    kind = 2 if tag.startswith("develop-") else 1
    return kind, [-int(number) for number in re.findall(r"[0-9]{1,18}", tag)]


# ------------------------------------------------------------------------------- meta.yaml


def meta_entry(count: int, graph: GraphCounts) -> MetaEntry:
    """Return the entry of one tag in `meta.yaml`."""
    return {"compilers": graph.compilers, "count": count, "parameters": graph.parameters}


def meta_with(text: str, entries: Mapping[str, MetaEntry], tag: str, entry: MetaEntry) -> str:
    """Return `meta.yaml` with the entry of one tag added or replaced, and `all` counted anew.

    ``text`` is the file as it is, in the generator's layout, empty where there is none, and
    ``entries`` is what it has.
    """
    blocks = {_name_of(block): block for block in re.findall(r"(?m)^\S.*\n(?: .*\n)*", text)}
    every: dict[str, MetaEntry] = {
        name: value for name, value in entries.items() if name != "all"} | {tag: entry}
    blocks[tag] = _dump(tag, entry)
    blocks["all"] = _dump("all", _count_all(entries.get("all", {}), every))
    return "".join(blocks[name] for name in sorted(blocks))


def _count_all(before: MetaEntry, entries: Mapping[str, MetaEntry]) -> MetaEntry:
    return {**before, "version": "all",
            "count": sum(int(str(entry.get("count", 0))) for entry in entries.values()),
            "compiler_count": f"{_number_of_names(entries, 'compilers'):,}",
            "parameter_count": f"{_number_of_names(entries, 'parameters'):,}"}


def _number_of_names(entries: Mapping[str, MetaEntry], key: str) -> int:
    values = (entry.get(key) for entry in entries.values())
    return len({name for value in values if isinstance(value, Mapping) for name in value})


def _name_of(block: str) -> str:
    key = block.split("\n", 1)[0].rstrip(":")
    return key[1:-1].replace("''", "'") if key.startswith("'") else key


def _dump(name: str, entry: MetaEntry) -> str:
    """Return a block in the layout of the site's generator: block style, keys sorted."""
    lines = [f"{_scalar(name)}:"]
    for key, value in sorted(entry.items()):
        if isinstance(value, Mapping):
            lines.append(f"  {_scalar(key)}:" if value else f"  {_scalar(key)}: {{}}")
            lines += [f"    {_scalar(inner)}: {count}" for inner, count in sorted(value.items())]
        else:
            lines.append(f"  {_scalar(key)}: {value if isinstance(value, int) else _scalar(value)}")
    return "\n".join(lines) + "\n"


def _scalar(value: str) -> str:
    """Return a string as YAML: plain where every reader takes it for a string, else quoted."""
    if re.fullmatch(WORD, value):
        return value
    if not (value.isascii() and value.isprintable()) or "\\" in value:
        raise CachelintError(f"{value!r} cannot be written to a file of the catalog")
    return "'" + value.replace("'", "''") + "'"
