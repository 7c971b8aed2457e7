"""What a page has of an index: `FIELDS` is the one table, field by field."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from operator import eq

from cachelint.index.database import Database, Install, warn_of_version
from cachelint.index.sources import IndexFile, TagIndexes
from cachelint.model import NamedTuple

FLAGS = frozenset({"cflags", "cxxflags", "cppflags", "fflags", "ldflags", "ldlibs"})
"""Parameters that are not variants."""

COMPILER_LANGUAGES = ("c", "cxx", "fortran")
"""The virtuals by which a compiler is found among the dependencies, in this order."""

NO_COMPILER = "none"


class IndexSpec(NamedTuple):
    """What one install gives to pages and to the counts of the catalog."""

    hash: str
    name: str
    version: str
    os: str
    platform: str
    target: str
    variants: tuple[str, ...]
    compiler: str | None
    """`name@version` or `none`; None where the index lacks the compiler's install."""
    dependencies: tuple[str, ...]
    parameters: tuple[str, ...]
    """The names of the parameters that are set: neither false nor empty."""
    is_external: bool
    in_buildcache: bool


class Index(NamedTuple):
    """What was read of one index."""

    where: str
    """Its path or URL."""
    specs: Mapping[str, IndexSpec]
    """Every install by its hash."""
    warning: str | None = None


class TagContents(NamedTuple):
    """The root's index of a tag, and the hashes of each stack."""

    root: Index
    stacks: Mapping[str, frozenset[str]]
    """The hashes in the index of each stack, the root's included, in the order of stacks."""
    where: Mapping[str, str]
    """From where the index of each stack was read."""
    warnings: tuple[str, ...] = ()

    def stacks_of(self, spec_hash: str) -> list[str]:
        """Return the stacks whose index has a hash, sorted."""
        return [stack for stack, hashes in self.stacks.items() if spec_hash in hashes]

    def cached(self) -> Iterator[IndexSpec]:
        """Yield the specs in the build cache."""
        return (spec for spec in self.root.specs.values() if spec.in_buildcache)


# ------------------------------------------------------------------------------- the table


class Field(NamedTuple):
    """One field of a spec on a page."""

    name: str
    source: str
    """From what in an index it follows."""
    read: Callable[[IndexSpec, TagContents], object]
    """Return the value that belongs on the page."""
    is_same: Callable[[object, object], bool]
    """Return whether a page's value and the index's have the same content."""


def _is_same_compiler(page: object, index: object) -> bool:
    return isinstance(page, str) and page.replace("@=", "@", 1) == index


def _has_same_variants(page: object, index: object) -> bool:
    return page == index or (isinstance(page, list) and isinstance(index, list)
                             and not differing_variants(page, index))


FIELDS = (
    Field("compiler", "the node's `compiler`; else `annotations.compiler`; else the first "
          "dependency with the virtual `c`, then `cxx`, then `fortran`; else `none`",
          lambda spec, _: spec.compiler or NO_COMPILER, _is_same_compiler),
    Field("hash", "the key of the install, which equals `spec.hash`",
          lambda spec, _: spec.hash, eq),
    Field("os", "`arch.platform_os`", lambda spec, _: spec.os, eq),
    Field("platform", "`arch.platform`", lambda spec, _: spec.platform, eq),
    Field("size", "always `-`; not compared", lambda *_: "-", lambda *_: True),
    Field("stacks", "every index, the root's included, that has the key",
          lambda spec, tag: tag.stacks_of(spec.hash), eq),
    Field("target", "`arch.target`, or its `name`", lambda spec, _: spec.target, eq),
    Field("variants", "`parameters` in their order, without compiler flags; the node's `patches` "
          "before those of the parameters", lambda spec, _: list(spec.variants),
          _has_same_variants),
    Field("versions", "`version`, as it is", lambda spec, _: [spec.version], eq),
)
"""The fields of a spec on a page, in canonical order."""


def page_spec(spec: IndexSpec, tag: TagContents) -> dict[str, object]:
    """Return a spec as it belongs on the page of its package."""
    return {field.name: field.read(spec, tag) for field in FIELDS}


# ------------------------------------------------------------------------------- variants


def list_variants(install: Install) -> tuple[str, ...]:
    """Return the variants of an install, as pages have them."""
    variants = []
    for name, value in install.parameters.items():
        if name in FLAGS:
            continue
        if name == "patches" and type(value) is list:
            value = [patch[:7] for patch in install.patches or value]
        variants.append(_spell_list(name, tuple(value)) if type(value) is list
                        else _spell(name, value))  # type: ignore[arg-type]
    return tuple(variants)


@lru_cache(maxsize=1 << 16)
def _spell(name: str, value: bool | str) -> str:
    switch = {"true": "+", "false": "~"}.get(str(value).lower())
    return f"{switch}{name}" if switch else f"{name}={_quote(str(value))}"


@lru_cache(maxsize=1 << 16)
def _spell_list(name: str, values: tuple[str, ...]) -> str:
    return f"{name}:={_quote(','.join(sorted(set(values))))}" if values else f"{name}:=*"


def _quote(value: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9,/_.-]+", value):
        return value
    return json.dumps(value) if "'" in value else f"'{value}'"


def differing_variants(page: list[str], index: list[str]) -> list[tuple[str, str]]:
    """Return the variants that differ in content, as the page and as the index have them.

    One that only one of both has is an empty string on the other side. The order and the
    spelling make no difference: `@=`, quotes, `++x` and `+x`, `:=` and `=` of a list.
    """
    of_page = {_name_of(variant): variant for variant in page}
    of_index = {_name_of(variant): variant for variant in index}
    names = [*of_index, *(name for name in of_page if name not in of_index)]
    pairs = [(of_page.get(name, ""), of_index.get(name, "")) for name in names]
    return [pair for pair in pairs if not _is_same_variant(*pair)]


_VARIANT = re.compile(r"([^=]*?)(:?)==?(.*)", re.DOTALL)


def _name_of(variant: str) -> str:
    match = _VARIANT.fullmatch(variant)
    return match[1] if match else variant.lstrip("+~")


def _is_same_variant(page: str, index: str) -> bool:
    if page == index:
        return True
    left, right = _VARIANT.fullmatch(page), _VARIANT.fullmatch(index)
    if left is None or right is None:
        return left is right and index != "" and page == index[0] + index
    found, expected = _unquote(left[3]), _unquote(right[3])
    if right[2]:
        return {*found.split(",")} == {*expected.split(",")}
    return not left[2] and found == expected


def _unquote(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == "'":
        return value[1:-1]
    if len(value) > 1 and value[0] == value[-1] == '"':
        try:
            return str(json.loads(value))
        except ValueError:
            return value[1:-1]
    return value


# ------------------------------------------------------------------------------- whole indexes


def load_index(file: IndexFile) -> Index:
    """Read an index, and keep what pages and counts need.

    Raises:
        CachelintError: It cannot be read, or is damaged.
    """
    database = Database(file)
    specs: dict[str, IndexSpec] = {}
    compilers: dict[str, str] = {}
    keep = _Interner().__getitem__
    for install in database.read():
        dependency = "" if install.compiler else _compiler_dependency(install)
        spec_hash = keep(install.hash)
        specs[spec_hash] = IndexSpec(
            spec_hash, keep(install.name), keep(install.version), keep(install.os),
            keep(install.platform), keep(install.target), tuple(map(keep, list_variants(install))),
            keep(install.compiler or NO_COMPILER),
            tuple(map(keep, install.dependencies)),
            tuple([keep(name) for name, value in install.parameters.items() if value]),
            install.is_external, install.in_buildcache)
        if dependency:
            compilers[spec_hash] = keep(dependency)
    for spec_hash, dependency in compilers.items():
        compiler = specs.get(dependency)
        specs[spec_hash] = specs[spec_hash]._replace(
            compiler=keep(f"{compiler.name}@{compiler.version}") if compiler else None)
    return Index(database.where, specs, warn_of_version(database))


class _Interner(dict[str, str]):
    """Returns one object for equal strings: an index repeats each many times."""

    def __missing__(self, value: str) -> str:
        self[value] = value
        return value


def _compiler_dependency(install: Install) -> str:
    """Return the hash of the compiler among the dependencies, empty if there is none."""
    providers = (install.providers.get(language) for language in COMPILER_LANGUAGES)
    return next(filter(None, providers), "")


def load_tag(indexes: TagIndexes, root_stack: str = "root") -> TagContents:
    """Read the indexes of a tag, one after the other; of a stack's only the hashes are kept.

    Raises:
        CachelintError: One cannot be read, or is damaged.
    """
    root = load_index(indexes.root)
    stacks = {root_stack: frozenset(root.specs)}
    where = {root_stack: root.where}
    warnings = [root.warning]
    for stack, file in indexes.stacks.items():
        database = Database(file)
        stacks[stack] = frozenset(
            root.specs[install.hash].hash if install.hash in root.specs else install.hash
            for install in database.read())
        where[stack] = database.where
        warnings.append(warn_of_version(database))
    return TagContents(root, dict(sorted(stacks.items())), where, tuple(filter(None, warnings)))
