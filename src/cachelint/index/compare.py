"""Compare pages with the index of their tag: what CL901 to CL906 report."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from cachelint.index.counts import find_holes
from cachelint.index.mapping import FIELDS, IndexSpec, TagContents, differing_variants
from cachelint.model import NamedTuple, Problem
from cachelint.text import clip, plural

_COMPARED = [field for field in FIELDS if field.name not in ("hash", "size", "stacks")]


class TagIndex(NamedTuple):
    """The contents of a tag's indexes, as they are compared with its pages."""

    contents: TagContents
    packages: Mapping[str, Mapping[str, IndexSpec]]
    """The specs in the build cache, by package and hash."""
    unread_stacks: frozenset[str] | None
    """Stacks that `tags.yaml` gives the tag and the source lacks; None where it has no entry."""

    @property
    def number(self) -> int:
        """How many specs the tag has in the build cache."""
        return sum(map(len, self.packages.values()))


def group_packages(contents: TagContents, tag_stacks: Collection[str] | None) -> TagIndex:
    """Group the specs of a tag by package; ``tag_stacks`` are those that `tags.yaml` gives it."""
    packages: dict[str, dict[str, IndexSpec]] = {}
    for spec in contents.cached():
        packages.setdefault(spec.name, {})[spec.hash] = spec
    unread = None if tag_stacks is None else frozenset(tag_stacks).difference(contents.stacks)
    return TagIndex(contents, packages, unread)


def compare_page(
    specs: Sequence[object], package: str, index: TagIndex
) -> Iterator[tuple[str, Problem]]:
    """Yield each difference between a page and the index: the code of its rule, and where it is.

    A value that breaks the schema is not compared: that is another rule's finding. ``specs`` are
    the `spec_details` of the page.
    """
    expected = index.packages.get(package, {})
    by_hash = [(number, spec, spec["hash"]) for number, spec in enumerate(specs)
               if isinstance(spec, dict) and isinstance(spec.get("hash"), str)]
    on_page = {spec_hash for _, _, spec_hash in by_hash}
    where = index.contents.root.where
    if by_hash and on_page.isdisjoint(expected):
        yield "CL901", Problem("", _explain_gone(package, len(by_hash), bool(expected), where))
    else:
        for number, spec, spec_hash in by_hash:
            pointer = f"/spec_details/{number}"
            if spec_hash in expected:
                yield from _compare_spec(pointer, spec, expected[spec_hash], index)
            else:
                yield "CL901", Problem(f"{pointer}/hash", _explain_missing(spec, spec_hash, index))
    for spec_hash in sorted(expected.keys() - on_page):
        yield "CL902", Problem("/spec_details", (
            f"{_name(expected[spec_hash])} is not on its page, but in the build cache: {where}"))


def _name(spec: IndexSpec) -> str:
    """Return how people name a spec: `zlib@1.3.1/2c44nm4`."""
    return f"{spec.name}@{spec.version}/{spec.hash[:7]}"


def _explain_gone(package: str, number: int, is_known: bool, where: str) -> str:
    if is_known:
        return (f"none of the {number:,} specs of this page is in the build cache, which has "
                f"others of {package}: {where}")
    return f"package {package} is gone: the build cache has no spec of it: {where}"


def _explain_missing(spec: Mapping[str, object], spec_hash: str, index: TagIndex) -> str:
    versions = spec.get("versions")
    version = versions[0] if isinstance(versions, list) and versions else "?"
    where = index.contents.root.where
    known = index.contents.root.specs.get(spec_hash)
    if known is None:
        return f"unknown hash {spec_hash}, of version {version}: not in the index {where}"
    name = _name(known)
    if not known.in_buildcache:
        return f"{name} is not in the build cache: only mentioned in the index {where}"
    return f"{name} is a spec of package {known.name}: by the index {where}"


def _compare_spec(
    pointer: str, spec: Mapping[str, object], expected: IndexSpec, index: TagIndex
) -> Iterator[tuple[str, Problem]]:
    name = _name(expected)
    for field in _COMPARED:
        right, value = field.read(expected, index.contents), spec.get(field.name)
        if (not _has_type_of(right, value) or field.is_same(value, right)
                or (field.name == "compiler" and expected.compiler is None)):
            continue
        yield "CL903", Problem(f"{pointer}/{field.name}", (
            f"{field.name} of {name} differs from the index: {_explain(value, right)}: "
            f"{index.contents.root.where}"))
    yield from _compare_stacks(pointer, spec, expected, index)


def _has_type_of(expected: object, value: object) -> bool:
    """Return whether a value is a string or list of strings where one is expected."""
    if isinstance(expected, list):
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return isinstance(value, str)


def _explain(value: object, expected: object) -> str:
    """Return both values; of variants and lists only what differs."""
    if isinstance(value, list) and isinstance(expected, list) and len(expected) != 1:
        pairs = differing_variants(value, expected)
        return (f"expected {_join(right or 'nothing' for _, right in pairs)}, "
                f"found {_join(left or 'nothing' for left, _ in pairs)}")
    return f"expected {_show(expected)}, found {_show(value)}"


def _show(value: object) -> str:
    if isinstance(value, list):
        return _join(map(_show, value)) or "nothing"
    return clip(json.dumps(value, ensure_ascii=False), _WIDTH)


_WIDTH = 1000
"""Maximum length of a list in a message in characters."""


def _join(items: Iterable[str], separator: str = ", ") -> str:
    return clip(separator.join(items), _WIDTH)


def _compare_stacks(
    pointer: str, spec: Mapping[str, object], expected: IndexSpec, index: TagIndex
) -> Iterator[tuple[str, Problem]]:
    """Compare the stacks of a spec, as far as their indexes were read."""
    stacks = spec.get("stacks")
    if not isinstance(stacks, list) or not all(isinstance(stack, str) for stack in stacks):
        return
    known = index.contents.stacks
    listed = {stack for stack in stacks
              if stack in known or (index.unread_stacks is not None
                                    and stack not in index.unread_stacks)}
    right = {*index.contents.stacks_of(expected.hash)}
    if listed == right:
        return
    parts = [f"{stack} is missing: {index.contents.where[stack]}"
             for stack in sorted(right - listed)]
    parts += [f"{stack} has it not: {index.contents.where.get(stack, 'no such index')}"
              for stack in sorted(listed - right)]
    yield "CL904", Problem(f"{pointer}/stacks", (
        f"stacks of {_name(expected)} differ: expected {_join(sorted(right))}, "
        f"found {_join(sorted(listed)) or 'none'}: {_join(parts, '; ')}"))


# ------------------------------------------------------------------------------- whole tags


def compare_tag(
    tag: str, pages: Iterable[str], tag_stacks: Collection[str] | None, index: TagIndex
) -> Iterator[tuple[str, str]]:
    """Yield what differs of a tag as a whole: the code of a rule, and a message.

    ``pages`` are the packages that have a page, be it readable or not, and ``tag_stacks`` the
    stacks that `tags.yaml` gives the tag, None where it has no entry.
    """
    where = index.contents.where
    for package in sorted(index.packages.keys() - set(pages)):
        specs = index.packages[package]
        first = min(specs.values())
        yield "CL902", (
            f"package {package} has no page in tag {tag}, but {plural(len(specs), 'spec')} in the "
            f"build cache, such as {_name(first)}: {index.contents.root.where}")
    for stack in sorted(index.unread_stacks or ()):
        yield "CL905", f"stack {stack} of tag {tag} has no index in the source"
    if tag_stacks is not None:
        for stack in sorted(set(where).difference(tag_stacks)):
            yield "CL905", (f"stack {stack} has an index, but tag {tag} does not list it: "
                            f"{where[stack]}")
    holes = find_holes(index.contents.root)
    if holes:
        first = min(holes)
        yield "CL906", (
            f"{plural(len(holes), 'spec')} of tag {tag} in the build cache depend on one that is "
            f"neither there nor external, such as {_name(first)}: {index.contents.root.where}")
