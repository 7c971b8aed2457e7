"""Read the installs of an index one by one: Spack's database, versions 6 to 9, as JSON."""

from __future__ import annotations

import codecs
import contextlib
import json
import re
from collections.abc import Generator, Iterator
from typing import NoReturn

from cachelint.document.strict_json import refuse_constant
from cachelint.index.fetch import display
from cachelint.index.sources import (
    NEWEST_VERSION,
    OLDEST_VERSION,
    IndexFile,
    read_index,
    too_old,
)
from cachelint.model import CachelintError, NamedTuple
from cachelint.text import clip

MAX_INSTALL_SIZE = 2 << 20
"""Characters that one install may have, with up to 64 bytes of memory for each."""

MAX_STRING_SIZE = 1000
"""Characters of a name, version, platform and the like, which are repeated in messages."""

Parameter = bool | str | list[str]


class Install(NamedTuple):
    """One install of an index: what a page needs of it."""

    hash: str
    name: str
    version: str
    os: str
    platform: str
    target: str
    parameters: dict[str, Parameter]
    patches: list[str]
    """The node's own, which win over those of its parameters; in the order they are applied."""
    compiler: str
    """`name@version` where the node itself names its compiler, else empty."""
    dependencies: list[str]
    """The hashes of the installs that it depends on."""
    providers: dict[str, str]
    """By virtual, such as `c` or `mpi`, the hash of the first dependency that provides it."""
    is_external: bool
    in_buildcache: bool


class Database:
    """The installs of an index, read one by one."""

    def __init__(self, file: IndexFile) -> None:
        """Begin with nothing read."""
        self.where = display(file.location)
        self.version = 0
        """The version of the database; 0 until it is read, at the latest with the last install."""
        self._file = file

    def read(self) -> Iterator[Install]:
        """Yield the installs in the order of the file.

        Raises:
            CachelintError: The index cannot be read, is damaged, too old or of another shape.
                What was yielded before is to be thrown away.
        """
        with contextlib.closing(read_index(self._file)) as chunks:
            try:
                yield from self._read(_Cursor(chunks, self.where))
            except CachelintError:
                # a wrong checksum explains more than the error it led to
                for _ in chunks:
                    pass
                raise

    def _read(self, cursor: _Cursor) -> Iterator[Install]:
        has_installs = False
        for key in cursor.members("an index", "database"):
            if key != "database":
                cursor.value()
                continue
            for name in cursor.members('"database"', "installs", "version"):
                if name == "installs":
                    has_installs = True
                    yield from self._installs(cursor)
                elif name == "version":
                    self._check_version(cursor.value())
                else:
                    cursor.value()
        cursor.end()
        if not self.version:
            raise CachelintError(f'{self.where}: no "version" in the database')
        if not has_installs:
            raise CachelintError(f'{self.where}: no "installs" in the database')

    def _check_version(self, value: object) -> None:
        if not (isinstance(value, str) and re.fullmatch(r"[0-9]{1,4}", value)):
            raise CachelintError(f"{self.where}: invalid version of the database: "
                                 f'expected a string such as "8", found {json.dumps(value)[:60]}')
        if int(value) < OLDEST_VERSION:
            raise CachelintError(too_old(self.where, value))
        self.version = int(value)

    def _installs(self, cursor: _Cursor) -> Iterator[Install]:
        seen: set[str] = set()
        for key in cursor.members('"installs"'):
            if key in seen:
                raise CachelintError(f'{self.where}: duplicate install "{clip(key, 80)}"')
            seen.add(key)
            value = cursor.value()
            try:
                yield _parse_install(key, value)
            except _ShapeError as error:
                raise CachelintError(
                    f'{self.where}: install "{clip(key, 80)}": {error}') from None


def warn_of_version(database: Database) -> str | None:
    """Return a warning where an index is newer than what is understood."""
    if database.version <= NEWEST_VERSION:
        return None
    return (f"{database.where}: database version {database.version} is newer than "
            f"{NEWEST_VERSION}, the newest that is understood")


# ------------------------------------------------------------------------------- piece by piece


class _Cursor:
    """Reads JSON without holding it: whole values, or the members of an object one by one."""

    def __init__(self, chunks: Generator[bytes, None, None], where: str) -> None:
        self._chunks = chunks
        self._where = where
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._scan = json.JSONDecoder(parse_constant=refuse_constant).raw_decode
        self._held = ""
        self._position = 0
        self._before = 0
        """Characters before those that are held."""

    def members(self, what: str, *once: str) -> Iterator[str]:
        """Yield the keys of an object; after each, its value is to be read.

        Those in ``once`` must not be repeated: Spack would obey only the last.
        """
        left = {*once}
        if self._next() != "{":
            self._fail(f"expected an object for {what}")
        self._position += 1
        if self._next() == "}":
            self._position += 1
            return
        while True:
            if self._next() != '"':
                self._fail("expected a key")
            key = self.value()
            assert isinstance(key, str)
            if key in once and key not in left:
                self._fail(f'duplicate key "{key}"')
            left.discard(key)
            if self._next() != ":":
                self._fail('expected ":"')
            self._position += 1
            yield key
            separator = self._next()
            if separator not in ",}" or not separator:
                self._fail('expected "," or "}"')
            self._position += 1
            if separator == "}":
                return

    def value(self) -> object:
        """Return the next value."""
        while True:
            self._next()
            try:
                value, end = self._scan(self._held, self._position)
            except json.JSONDecodeError as error:
                offset, is_cut = error.pos - self._position, self._is_cut(error)
                if is_cut and self._more():
                    continue
                self._position += offset
                self._fail(error.msg.removesuffix(" starting at"), is_cut=is_cut)
            except RecursionError:
                self._fail("nested too deeply")
            except ValueError as error:
                self._fail(str(error))
            # a number may go on in the next chunk
            if end == len(self._held) and type(value) in (int, float) and self._more():
                continue
            self._position = end
            return value

    def end(self) -> None:
        """Make sure that nothing follows."""
        if self._next():
            self._fail("expected the end of the file")

    def _is_cut(self, error: json.JSONDecodeError) -> bool:
        """Return whether what follows can make the value valid."""
        return error.msg.startswith("Unterminated string") or error.pos + 16 > len(self._held)

    def _next(self) -> str:
        """Go to the next character that is not whitespace, and return it; empty at the end."""
        while True:
            spaces = _SPACES.match(self._held, self._position)
            self._position = spaces.end() if spaces else self._position
            if self._position < len(self._held):
                return self._held[self._position]
            if not self._more():
                return ""

    def _more(self) -> bool:
        """Keep twice as much, and drop what was read; return whether there was more."""
        held = [self._held[self._position:]]
        self._before += self._position
        self._position = 0
        size, added = len(held[0]), 0
        if size > MAX_INSTALL_SIZE:
            self._fail(f"a value of more than {MAX_INSTALL_SIZE:,} characters")
        is_last = False
        while added <= size and not is_last:
            chunk = next(self._chunks, b"")
            is_last = not chunk
            try:
                held.append(self._decode(chunk, is_last))
            except UnicodeDecodeError:
                raise CachelintError(f"{self._where}: not UTF-8") from None
            added += len(held[-1])
        self._held = "".join(held)
        return added > 0

    def _fail(self, message: str, *, is_cut: bool = False) -> NoReturn:
        is_cut = is_cut or not self._next()
        what = "the JSON is cut" if is_cut else "invalid JSON"
        at = self._before + self._position + 1
        raise CachelintError(f"{self._where}: {what}, at character {at:,}: {message}")


_SPACES = re.compile(r"[ \t\n\r]*")


# ------------------------------------------------------------------------------- one install


class _ShapeError(Exception):
    """An install is not as Spack writes it; the message has what and where."""


def _parse_install(key: str, value: object) -> Install:
    """Return what pages need of an install."""
    record = _mapping(value, "an install")
    spec = record.get("spec")
    if type(spec) is not dict:
        raise _ShapeError('no "spec"')
    if "name" not in spec and len(spec) == 1 and type(next(iter(spec.values()))) is dict:
        raise _ShapeError("written by Spack 0.16 or older, which is not read")
    if spec.get("hash") != key:
        raise _ShapeError(f"spec.hash differs from its key: found {_shown(spec.get('hash'))}")
    in_buildcache = record.get("in_buildcache")
    if type(in_buildcache) is not bool:
        raise _ShapeError(f"in_buildcache: expected true or false, found {_shown(in_buildcache)}")
    arch = _mapping(spec.get("arch"), "spec.arch")
    return Install(
        key, _string(spec, "name"), _string(spec, "version"), _string(arch, "platform_os"),
        _string(arch, "platform"), _target(arch), _parameters(spec), _patches(spec),
        _compiler(spec), *_dependencies(spec), spec.get("external") is not None, in_buildcache)


def _shown(value: object) -> str:
    return "nothing" if value is None else json.dumps(value)[:60]


def _mapping(value: object, what: str) -> dict[str, object]:
    if type(value) is not dict:
        raise _ShapeError(f"{what}: expected an object, found {_shown(value)}")
    return value


def _string(values: dict[str, object], key: str) -> str:
    value = values.get(key)
    if type(value) is not str or not value:
        raise _ShapeError(f"{key}: expected a string, found {_shown(value)}")
    if len(value) > MAX_STRING_SIZE:
        raise _ShapeError(f"{key}: more than {MAX_STRING_SIZE:,} characters")
    return value


def _strings(value: object, what: str) -> list[str]:
    if type(value) is not list or not all(type(item) is str for item in value):
        raise _ShapeError(f"{what}: expected a list of strings, found {_shown(value)}")
    return value


def _target(arch: dict[str, object]) -> str:
    target = arch.get("target")
    return _string(target, "name") if type(target) is dict else _string(arch, "target")


def _parameters(spec: dict[str, object]) -> dict[str, Parameter]:
    parameters = spec.get("parameters")
    if type(parameters) is not dict:
        raise _ShapeError(f"parameters: expected an object, found {_shown(parameters)}")
    for name, value in parameters.items():
        if type(value) not in (bool, str):
            _strings(value, f"parameters.{name}")
    return parameters


def _patches(spec: dict[str, object]) -> list[str]:
    patches = spec.get("patches")
    return [] if patches is None else _strings(patches, "patches")


def _compiler(spec: dict[str, object]) -> str:
    """Return the compiler that a node itself names: an object, or what its conversion kept."""
    compiler = spec.get("compiler")
    if compiler is not None:
        compiler = _mapping(compiler, "compiler")
        return f"{_string(compiler, 'name')}@{_string(compiler, 'version')}"
    annotations = spec.get("annotations")
    if annotations is None or "compiler" not in _mapping(annotations, "annotations"):
        return ""
    return _string(_mapping(annotations, "annotations"), "compiler").replace("@=", "@", 1)


def _dependencies(spec: dict[str, object]) -> tuple[list[str], dict[str, str]]:
    """Return the hashes of dependencies, and which of them provides each virtual."""
    edges = spec.get("dependencies")
    if edges is None:
        return [], {}
    # there are millions of edges: their types are looked at all at once
    if type(edges) is not list or not {dict}.issuperset(map(type, edges)):
        raise _ShapeError(f"dependencies: expected a list of objects, found {_shown(edges)}")
    hashes = [edge.get("hash") for edge in edges]
    if not {str}.issuperset(map(type, hashes)):
        raise _ShapeError(f"dependencies: expected a hash in each, found {_shown(edges)}")
    providers: dict[str, str] = {}
    for edge, edge_hash in zip(edges, hashes, strict=True):
        parameters = edge.get("parameters")
        if parameters is None:  # version 6 has none
            continue
        if type(parameters) is not dict:
            _mapping(parameters, "dependencies: parameters")
        virtuals = parameters.get("virtuals")
        if virtuals:
            for virtual in _strings(virtuals, "dependencies: virtuals"):
                providers.setdefault(virtual, edge_hash)
    return hashes, providers
