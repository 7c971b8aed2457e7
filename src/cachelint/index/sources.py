"""Where the indexes of a tag are: files, manifests, mirrors and the list of tags."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import posixpath
import re
import zlib
from collections.abc import Generator, Iterable, Iterator, Mapping
from urllib.parse import unquote, urlsplit

from cachelint.document import strict_json
from cachelint.index.fetch import (
    CHUNK,
    AccessDeniedError,
    NotFoundError,
    display,
    is_url,
    join,
    local_path,
    read_all,
    read_chunks,
)
from cachelint.model import CachelintError, NamedTuple
from cachelint.text import clip

MAX_INDEX_SIZE = 2 << 30
"""Bytes that an index may have, as it is stored and unpacked; the largest real one has 500 MB."""

MAX_RATIO, ANY_RATIO_SIZE = 100, 64 << 20
"""How many times larger an index may become as it is unpacked, beyond so many bytes; real ones
become 20 times larger."""

MAX_LIST_SIZE = 8 << 20
"""Bytes that a manifest and a list of tags may have; real ones have less than one million."""

MOST_STACKS = 1000
"""Indexes of one tag in a list of tags."""

MAX_LABEL_SIZE, MAX_URL_SIZE = 255, 4096
"""Characters of a stack and of an address in a list of tags, which are repeated in messages."""

OLDEST_VERSION, NEWEST_VERSION = 6, 9
"""The versions of Spack's database that are understood."""

MANIFEST = "index.manifest.json"
V3_INDEXES = ("v3", "manifests", "index")
_MANIFEST_PATH = re.compile(r"(.*)/v3/manifests/index/(?:[^?#]+/)?index\.manifest\.json")
_BLOB_PATH = re.compile(r".*/blobs/sha256/([0-9a-f]{2})/(\1[0-9a-f]{62})")
_MEDIA_TYPE = re.compile(r"application/vnd\.spack\.db\.v([0-9]{1,4})\+json")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_STACK = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")


class IndexFile(NamedTuple):
    """The file of one index, and how it must be."""

    location: str
    """Its path or URL."""
    checksum: str = ""
    """SHA-256 of its bytes, in hexadecimal; empty where nothing has it."""
    length: int | None = None
    """How many bytes it has; None where nothing has it."""
    compression: str = ""
    """`none` or `gzip`; empty where the first bytes decide."""


class TagIndexes(NamedTuple):
    """The indexes of one tag."""

    root: IndexFile
    stacks: Mapping[str, IndexFile] = {}
    """The index of each stack but the root's."""


class Source(NamedTuple):
    """What `--index` names."""

    location: str
    kind: str
    """`database`, `manifest`, `mirror` or `tags`."""
    tags: Mapping[str, Mapping[str, IndexFile]] = {}
    """Of a list of tags: the index of each stack of each tag."""
    view: str | None = None


# ------------------------------------------------------------------------------- which files


def open_source(
    location: str, *, view: str | None = None, mirrors: Mapping[str, str] | None = None
) -> Source:
    """Find out what a source is; of a list of tags, read it.

    Args:
        location: A path or a URL: an index, a manifest, a list of tags or a mirror.
        view: The view of a mirror of layout v3.
        mirrors: Prefixes of URLs in a list of tags, and the path or URL that is read instead.

    Raises:
        CachelintError: It cannot be read, is none of these, or its list names another server.
    """
    if view is not None and not all(map(_STACK.fullmatch, view.split("/"))):
        raise CachelintError(f'invalid view "{view}"')
    kind, value = _classify(location)
    if view is not None and kind != "mirror":
        raise CachelintError(f"{display(location)}: a view needs a mirror, found a {_NAMES[kind]}")
    if kind != "tags":
        if mirrors:
            raise CachelintError(f"{display(location)}: --mirror needs a list of tags, "
                                 f"found a {_NAMES[kind]}")
        return Source(location, kind, view=view)
    return Source(location, kind, _read_tags(location, value, mirrors or {}))


_NAMES = {"database": "single index", "manifest": "manifest", "mirror": "mirror",
          "tags": "list of tags"}


def _classify(location: str) -> tuple[str, object]:
    """Return the kind of a source, and of a list of tags its value."""
    path = local_path(location)
    if path is not None and os.path.isdir(path):
        return "mirror", None
    if path is None and not _names_file(location):
        return "mirror", None
    if _BLOB_PATH.fullmatch(urlsplit(location).path if path is None else path):
        return "database", None
    head = _read_head(location)
    if re.match(rb'\s*\{\s*"database"\s*:', head):
        return "database", None
    value = _parse(read_all(location, MAX_LIST_SIZE), location)
    if isinstance(value, dict):
        if "database" in value:
            return "database", None
        if isinstance(value.get("data"), list):
            return "manifest", None
        if all(isinstance(listed, list) for listed in value.values()):
            return "tags", value
    raise CachelintError(f"{display(location)}: not an index: expected Spack's index.json, a "
                         "manifest, cache_spack_io_index.json or a mirror")


def _names_file(location: str) -> bool:
    path = urlsplit(location).path
    return path.endswith((".json", ".json.gz")) or _BLOB_PATH.fullmatch(path) is not None


def _read_head(location: str) -> bytes:
    """Return the first bytes of a file, unpacked."""
    with contextlib.closing(read_chunks(location)) as chunks:
        head = next(chunks, b"")[:4096]
    if not head.startswith(b"\x1f\x8b"):
        return head
    with contextlib.suppress(zlib.error):
        return zlib.decompressobj(wbits=31).decompress(head, 4096)
    return b'{"database":'  # whoever reads it will find the error


def find_index(location: str) -> IndexFile:
    """Return the index of a mirror, a manifest or a file.

    Raises:
        NotFoundError: A mirror has no index.
        CachelintError: It cannot be read, or is a list of tags.
    """
    kind, _ = _classify(location)
    return _index_of(location, kind)


def _index_of(location: str, kind: str, view: str | None = None) -> IndexFile:
    if kind == "tags":
        raise CachelintError(f"{display(location)}: expected one index, found a list of tags")
    if kind == "database":
        blob = _BLOB_PATH.fullmatch(urlsplit(location).path if is_url(location) else location)
        return IndexFile(location, blob[2] if blob else "")
    if kind == "manifest":
        return _read_manifest(location)
    manifest = join(location, *V3_INDEXES, *(view.split("/") if view else ()), MANIFEST)
    try:
        return _read_manifest(manifest)
    except NotFoundError as error:
        if os.path.lexists(local_path(manifest) or ""):
            raise CachelintError(str(error)) from None  # a link to nothing, or a missing blob
        if view:
            raise NotFoundError(f'{display(location)}: no view "{view}": expected '
                                f"{display(manifest)}") from None
    except AccessDeniedError:
        if (index := _find_v2(location)) is None:
            raise
        return index
    index = _find_v2(location)
    if index is None:
        views = _list_views(location)
        raise NotFoundError(
            f"{display(location)}: no index in this mirror: expected "
            f"{'/'.join([*V3_INDEXES, MANIFEST])} or build_cache/index.json; "
            + (f"it has the view {views[0]}: --view {views[0]} reads it" if views
               else "spack buildcache update-index makes one"))
    return index


def _list_views(mirror: str) -> list[str]:
    """Return the views of a local mirror."""
    path = local_path(mirror)
    folder = join(path, *V3_INDEXES) if path is not None else ""
    if not os.path.isdir(folder):
        return []
    return sorted(name for name in os.listdir(folder)
                  if os.path.isfile(join(folder, name, MANIFEST)))


def _find_v2(mirror: str) -> IndexFile | None:
    """Return the index of a mirror of layout v2, with its checksum where there is one."""
    location = join(mirror, "build_cache", "index.json")
    try:
        with contextlib.closing(read_chunks(location)) as chunks:
            next(chunks, None)
    except (NotFoundError, AccessDeniedError):
        return None
    try:
        checksum = read_all(f"{location}.hash", 1024).decode("ascii", "replace").strip()
    except NotFoundError:
        return IndexFile(location)
    if not _SHA256.fullmatch(checksum):
        raise CachelintError(f"{display(location)}.hash: expected a SHA-256 checksum, "
                             f'found "{checksum[:70]}"')
    return IndexFile(location, checksum)


def _read_manifest(location: str) -> IndexFile:
    """Return the newest index of a manifest that is understood."""
    root = _root_of(location)
    manifest = _parse(read_all(location, MAX_LIST_SIZE), location)
    data = manifest.get("data") if isinstance(manifest, dict) else None
    if not isinstance(data, list):
        raise CachelintError(f'{display(location)}: not a manifest: expected a list "data"')
    blobs: dict[int, IndexFile] = {}
    for item in data:
        media_type = item.get("mediaType") if isinstance(item, dict) else None
        match = _MEDIA_TYPE.fullmatch(media_type) if isinstance(media_type, str) else None
        if match:
            blobs[int(match[1])] = _blob_file(item, root, display(location))
    return blobs[choose_version(blobs, display(location))]


def choose_version(versions: Iterable[int], where: str) -> int:
    """Return the newest version that is understood, else the oldest of those that are newer.

    Raises:
        CachelintError: There is none, or all are too old.
    """
    known = list(versions)
    if not known:
        raise CachelintError(f"{where}: no index in this manifest: expected a blob of type "
                             "application/vnd.spack.db.vN+json")
    understood = [number for number in known if OLDEST_VERSION <= number <= NEWEST_VERSION]
    newer = [number for number in known if number > NEWEST_VERSION]
    if understood:
        return max(understood)
    if newer:
        return min(newer)
    raise CachelintError(too_old(where, str(max(known))))


def too_old(where: str, version: str) -> str:
    """Return the message on an index that is not read."""
    return (f"{where}: database version {version} is too old: expected {OLDEST_VERSION} or newer, "
            "as Spack 0.17 and later write it")


def _blob_file(blob: Mapping[str, object], root: str, where: str) -> IndexFile:
    """Return the file of a blob in the manifest ``where`` of the mirror ``root``."""
    if blob.get("checksumAlgorithm") != "sha256":
        raise CachelintError(f"{where}: unknown checksum algorithm: expected sha256, "
                             f"found {json.dumps(blob.get('checksumAlgorithm'))}")
    checksum, length = blob.get("checksum"), blob.get("contentLength")
    if not (isinstance(checksum, str) and _SHA256.fullmatch(checksum)):
        raise CachelintError(f"{where}: invalid checksum: expected 64 hexadecimal digits")
    if type(length) is not int or not 0 <= length <= MAX_INDEX_SIZE:
        raise CachelintError(f"{where}: invalid contentLength: expected a number of bytes, "
                             f"at most {MAX_INDEX_SIZE:,}")
    compression = blob.get("compression")
    if not isinstance(compression, str) or compression not in ("none", "gzip"):
        raise CachelintError(f"{where}: unknown compression: expected none or gzip, "
                             f"found {json.dumps(compression)}")
    return IndexFile(join(root, "blobs", "sha256", checksum[:2], checksum), checksum, length,
                     compression)


def _root_of(manifest: str) -> str:
    """Return the mirror in which a manifest is."""
    match = _MANIFEST_PATH.match(manifest)
    if match is None and not is_url(manifest):
        match = _MANIFEST_PATH.match(os.path.abspath(manifest))
    if match is None:
        raise CachelintError(f"{display(manifest)}: expected the manifest in its mirror, at "
                             f"v3/manifests/index/{MANIFEST}: its index is found from there")
    return match[1] or "/"


# ------------------------------------------------------------------------------- a tag's indexes


def find_indexes(
    source: Source, tag: str, known_stacks: Iterable[str] = (),
    extra: Mapping[str, str] | None = None, root_stack: str = "root",
) -> TagIndexes:
    """Return the index of a tag's root and of each of its stacks.

    Args:
        source: Where they are.
        tag: The tag.
        known_stacks: The stacks that the catalog gives the tag: below the mirror on a server,
            where folders cannot be listed, only these are tried.
        extra: The source of each stack that is given by name.
        root_stack: The name of the root's stack.

    Raises:
        CachelintError: An index is missing or cannot be read, or a stack is there twice.
    """
    stacks: dict[str, IndexFile] = {}
    if source.kind == "tags":
        listed = source.tags.get(tag)
        if listed is None:
            raise CachelintError(f'{display(source.location)}: no tag "{tag}" in the list of tags')
        if root_stack not in listed:
            raise CachelintError(f'{display(source.location)}: tag {tag} has no index labelled '
                                 f'"{root_stack}"')
        root = listed[root_stack]
        stacks = {name: file for name, file in listed.items() if name != root_stack}
    else:
        root = _index_of(source.location, source.kind, source.view)
        if source.kind == "mirror":
            stacks = _find_stacks(source.location, {*known_stacks} - {root_stack})
    for name, location in (extra or {}).items():
        if name in stacks or name == root_stack:
            raise CachelintError(f'stack "{name}" has two indexes: --stack {name}={location} and '
                                 f"one of {display(source.location)}")
        stacks[name] = find_index(location)
    return TagIndexes(root, dict(sorted(stacks.items())))


def _find_stacks(mirror: str, known: set[str]) -> dict[str, IndexFile]:
    """Return the index of each stack below a mirror."""
    path = local_path(mirror)
    if path is not None:
        try:
            names = sorted(entry.name for entry in os.scandir(path) if entry.is_dir())
        except OSError as error:
            raise CachelintError(f"{path}: cannot be read: {error.strerror}") from None
        # one without an index is an error: to leave it out would make its specs look deleted
        return {name: _index_of(join(mirror, name), "mirror")
                for name in names if _is_mirror(path, name)}
    stacks = {}
    for name in sorted(known):
        if _STACK.fullmatch(name):
            with contextlib.suppress(NotFoundError):
                stacks[name] = _index_of(join(mirror, name), "mirror")
    return stacks


def _is_mirror(folder: str, name: str) -> bool:
    if name in ("v3", "blobs", "build_cache"):
        return False
    return any(os.path.isdir(join(folder, name, inside)) for inside in ("v3", "build_cache"))


# ------------------------------------------------------------------------------- the list of tags


def _read_tags(
    location: str, value: object, mirrors: Mapping[str, str]
) -> dict[str, dict[str, IndexFile]]:
    assert isinstance(value, dict)
    where = display(location)
    prefixes = {_folder(prefix): _folder(target) for prefix, target in mirrors.items()}
    own = _parent(location)
    prefixes.setdefault(own, own)
    tags: dict[str, dict[str, IndexFile]] = {}
    for tag, listed in value.items():
        stacks = tags[tag] = {}
        if len(listed) > MOST_STACKS:
            raise CachelintError(f"{where}: tag {clip(tag, 80)} lists {len(listed):,} indexes: "
                                 f"expected {MOST_STACKS:,} at most")
        for item in listed:
            label, url = _label_and_url(item, f"{where}: tag {clip(tag, 80)}")
            if label in stacks:
                raise CachelintError(f'{where}: tag {clip(tag, 80)} lists stack "{label}" twice')
            target = _redirect(url, prefixes, where)
            blob = _BLOB_PATH.fullmatch(urlsplit(url).path)
            stacks[label] = IndexFile(target, blob[2] if blob else "")
    return tags


def _label_and_url(item: object, where: str) -> tuple[str, str]:
    label, url = (item.get("label"), item.get("url")) if isinstance(item, dict) else (None, None)
    if isinstance(label, str) and isinstance(url, str) and label and url:
        if len(label) > MAX_LABEL_SIZE or len(url) > MAX_URL_SIZE:
            raise CachelintError(f"{where}: a label of more than {MAX_LABEL_SIZE} characters, or "
                                 f"a url of more than {MAX_URL_SIZE:,}")
        return label, url
    raise CachelintError(f'{where}: invalid entry: expected a "label" and a "url"')


def _redirect(url: str, prefixes: Mapping[str, str], where: str) -> str:
    """Return from where a URL in a list of tags is read."""
    prefix = max((each for each in prefixes if url.startswith(each)), key=len, default=None)
    if prefix is None:
        server = "://".join(urlsplit(url)[:2])
        raise CachelintError(
            f"{where}: {display(url)} is elsewhere and not read; --mirror {server}=SOURCE "
            "allows it, and names where to read it")
    below = url[len(prefix):]
    if ".." in posixpath.normpath(unquote(below)).split("/") or "\0" in below or below[:1] == "/":
        raise CachelintError(f"{where}: {display(url)} leads out of {display(prefix)}")
    return prefixes[prefix] + below


def _folder(location: str) -> str:
    return location if location.endswith("/") else f"{location}/"


def _parent(location: str) -> str:
    """Return the folder of a file; a query is dropped."""
    if not is_url(location):
        return _folder(os.path.dirname(os.path.abspath(location)))
    return display(location).rpartition("/")[0] + "/"


# ------------------------------------------------------------------------------- bytes of an index


def read_index(file: IndexFile) -> Generator[bytes, None, None]:
    """Yield the bytes of an index, unpacked; at the end its length and checksum are verified.

    What is wrong with the stored file comes before what is wrong inside it: whoever finds an
    error in what was yielded must read to the end before it reports that error.

    Raises:
        NotFoundError: There is no such file.
        CachelintError: It cannot be read, is damaged, or larger than `MAX_INDEX_SIZE`.
    """
    where = display(file.location)
    digest = hashlib.sha256()
    length = unpacked = 0
    unpack = _Unpacker(file.compression, where)
    failure: CachelintError | None = None
    limit = MAX_INDEX_SIZE if file.length is None else file.length
    with contextlib.closing(read_chunks(file.location)) as chunks:
        for chunk in chunks:
            length += len(chunk)
            if length > limit:
                break
            digest.update(chunk)
            if failure is not None:
                continue
            try:
                for part in unpack.feed(chunk):
                    unpacked += len(part)
                    if unpacked > MAX_INDEX_SIZE:
                        raise CachelintError(f"{where}: larger than {MAX_INDEX_SIZE:,} bytes")
                    if unpacked > max(ANY_RATIO_SIZE, MAX_RATIO * length):
                        raise CachelintError(f"{where}: over {MAX_RATIO} times larger as unpacked")
                    yield part
            except CachelintError as error:
                failure = error
    _verify(file, length, digest.hexdigest())
    if failure is None and not unpack.is_complete():
        failure = CachelintError(f"{where}: the gzip file is cut")
    if failure is not None:
        raise failure


def _verify(file: IndexFile, length: int, checksum: str) -> None:
    where = display(file.location)
    if file.length is not None and length != file.length:
        found = f"{length:,}, the file is cut" if length < file.length else "more"
        raise CachelintError(f"{where}: wrong length and checksum: expected {file.length:,} bytes, "
                             f"found {found}")
    if length > MAX_INDEX_SIZE:
        raise CachelintError(f"{where}: larger than {MAX_INDEX_SIZE:,} bytes")
    if file.checksum and checksum != file.checksum:
        raise CachelintError(f"{where}: wrong SHA-256 checksum: expected {file.checksum}, "
                             f"found {checksum}")


class _Unpacker:
    """Unpacks gzip, of one or more members, or passes all through."""

    def __init__(self, compression: str, where: str) -> None:
        self._compression = compression
        self._where = where
        self._member = zlib.decompressobj(wbits=31)

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        if not self._compression:
            self._compression = "gzip" if chunk.startswith(b"\x1f\x8b") else "none"
        if self._compression == "none":
            yield chunk
            return
        try:
            while True:
                if self._member.eof and chunk:
                    self._member = zlib.decompressobj(wbits=31)
                part = self._member.decompress(chunk, CHUNK)
                yield part
                chunk = self._member.unconsumed_tail or self._member.unused_data
                if not chunk and (len(part) < CHUNK or self._member.eof):
                    return
        except zlib.error:
            raise CachelintError(f"{self._where}: invalid gzip") from None

    def is_complete(self) -> bool:
        return self._compression != "gzip" or self._member.eof


def _parse(raw: bytes, location: str) -> object:
    """Return the value of a small JSON file."""
    where = display(location)
    try:
        return strict_json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise CachelintError(f"{where}: not UTF-8, at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise CachelintError(f"{where}: invalid JSON, at line {error.lineno}, column "
                             f"{error.colno}: {error.msg}") from None
    except strict_json.TooDeepError:
        raise CachelintError(f"{where}: invalid JSON: nested too deeply") from None
    except strict_json.DuplicateKeyError as error:
        key = clip(str(error), 80)
        raise CachelintError(f'{where}: invalid JSON: duplicate key "{key}"') from None
    except ValueError as error:
        raise CachelintError(f"{where}: invalid JSON: {error}") from None
