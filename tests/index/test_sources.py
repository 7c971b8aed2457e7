"""Files, manifests, mirrors and lists of tags, on disk and on servers."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cachelint.index import sources
from cachelint.index.mapping import TagContents, load_tag
from cachelint.index.sources import find_index, find_indexes, open_source, read_index
from cachelint.model import CachelintError
from support.mirrors import (
    INDEXES,
    MANIFEST,
    STACKS,
    TAG,
    V2_TAG,
    V3,
    blob_of,
    copy_v2,
    index_bytes,
    install,
    read_gz,
    write_blob,
    write_manifest,
    write_mirror,
    write_v3,
)
from support.servers import Server, upload


def load(location: str | Path, tag: str = TAG, *, view: str | None = None,
         mirrors: dict[str, str] | None = None, **options: Any) -> TagContents:
    source = open_source(str(location), view=view, mirrors=mirrors)
    return load_tag(find_indexes(source, tag, **options))


@pytest.fixture
def v3(tmp_path: Path) -> Path:
    return write_v3(tmp_path)


RAW = index_bytes(install())
SIZES = {"bootstrap-x86_64-linux-gnu": 42, "radiuss-aws": 74, "root": 116}


def sizes(contents: TagContents) -> dict[str, int]:
    return {stack: len(hashes) for stack, hashes in contents.stacks.items()}


# ------------------------------------------------------------------------------- each kind


def test_reads_a_mirror_of_layout_v3(v3: Path) -> None:
    assert sizes(load(v3 / TAG)) == SIZES


def test_reads_a_mirror_of_layout_v2(tmp_path: Path) -> None:
    assert sizes(load(copy_v2(tmp_path), V2_TAG)) == {"alpha": 6, "beta": 7, "root": 10}


def test_reads_a_manifest_from_anywhere(v3: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sizes(load(v3 / TAG / MANIFEST)) == {"root": 116}
    monkeypatch.chdir(v3 / TAG / "v3/manifests")
    assert sizes(load("index/index.manifest.json")) == {"root": 116}


def test_reads_files_and_more_stacks(v3: Path) -> None:
    extra = {stack: str(V3 / f"{stack}.json.gz") for stack in STACKS}
    assert sizes(load(V3 / "root.json.gz", extra=extra)) == SIZES
    (v3 / "plain").write_bytes(read_gz(V3 / "root.json.gz"))  # whatever its name
    extra["radiuss-aws"] = str(v3 / TAG / "radiuss-aws")
    assert sizes(load(v3 / "plain", extra=extra)) == SIZES


def test_reads_a_list_of_tags(v3: Path) -> None:
    source = v3 / "cache_spack_io_index.json"
    assert sizes(load(source, mirrors={"s3://spack-binaries": str(v3)})) == SIZES


def test_reads_over_https(v3: Path, https: Server) -> None:
    assert sizes(load(f"{https.url}/{TAG}", known_stacks=[*STACKS, "root", "gone", "../up"])) \
        == SIZES
    assert all(path.startswith(f"/{TAG}/") and ".." not in path for path in https.requested)
    assert sizes(load(f"{https.url}/{TAG}/{MANIFEST}")) == {"root": 116}
    assert sizes(load(f"{https.url}/cache_spack_io_index.json",
                      mirrors={"s3://spack-binaries/": https.url})) == SIZES


def test_follows_a_list_below_its_own_address(v3: Path, https: Server) -> None:
    path = v3 / "cache_spack_io_index.json"
    path.write_text(path.read_text().replace("s3://spack-binaries", https.url))
    assert sizes(load(f"{https.url}/{path.name}")) == SIZES


def test_reads_a_v2_mirror_over_https(tmp_path: Path, https: Server) -> None:
    copy_v2(tmp_path)
    contents = load(f"{https.url}/{V2_TAG}", V2_TAG, known_stacks=["alpha", "beta"])
    assert sizes(contents) == {"alpha": 6, "beta": 7, "root": 10}


def test_reads_a_mirror_of_a_server_that_denies_what_is_missing(
    tmp_path: Path, https: Server
) -> None:
    copy_v2(tmp_path)
    https.answers[f"/{V2_TAG}/{MANIFEST}"] = lambda handler: handler.send_error(403)
    assert sizes(load(f"{https.url}/{V2_TAG}", V2_TAG)) == {"root": 10}
    # a stack to which access is denied is not taken for one that is missing
    for path in (MANIFEST, "build_cache/index.json"):
        https.answers[f"/{V2_TAG}/alpha/{path}"] = lambda handler: handler.send_error(403)
    with pytest.raises(CachelintError, match=r"alpha/.*HTTP 403"):
        load(f"{https.url}/{V2_TAG}", V2_TAG, known_stacks=["alpha"])


def test_reads_from_s3(v3: Path, s3: Any) -> None:
    upload(s3, "spack-binaries", v3)
    assert sizes(load(f"s3://spack-binaries/{TAG}", known_stacks=STACKS)) == SIZES
    assert sizes(load("s3://spack-binaries/cache_spack_io_index.json")) == SIZES


# ------------------------------------------------------------------------------- variations


def test_unpacks_gzip(tmp_path: Path) -> None:
    raw = gzip.compress(RAW)
    assert sizes(load(write_mirror(tmp_path, raw, compression="gzip"))) == {"root": 1}
    half = len(RAW) // 2
    two_members = gzip.compress(RAW[:half]) + gzip.compress(RAW[half:])
    assert sizes(load(write_mirror(tmp_path, two_members, compression="gzip"))) == {"root": 1}


def test_unpacks_little_by_little(tmp_path: Path) -> None:
    spaces = b" " * (5 << 20)
    path = tmp_path / "x.json.gz"
    path.write_bytes(gzip.compress(spaces + RAW + spaces))
    chunks = list(read_index(sources.IndexFile(str(path))))
    assert b"".join(chunks) == spaces + RAW + spaces
    assert max(map(len, chunks)) == 1 << 20


def test_takes_the_newest_version_that_is_understood(tmp_path: Path) -> None:
    eight, nine = index_bytes(install()), index_bytes(install(), install("b"), version="9")
    ten = index_bytes(version="10")
    for raw in (eight, nine, ten):
        write_blob(tmp_path, raw)
    write_manifest(tmp_path, blob_of(eight), blob_of(ten, version=10), blob_of(nine, version=9))
    assert sizes(load(tmp_path)) == {"root": 2}
    write_manifest(tmp_path, blob_of(ten, version=10))
    contents = load(tmp_path)
    assert contents.warnings[0].endswith(
        "database version 10 is newer than 9, the newest that is understood")


def test_reads_a_view(tmp_path: Path) -> None:
    raw = index_bytes(install("c"))
    write_blob(tmp_path, raw)
    write_manifest(tmp_path, blob_of(raw), view="mystack")
    assert sizes(load(tmp_path, view="mystack")) == {"root": 1}
    with pytest.raises(CachelintError, match="it has the view mystack: --view mystack reads it"):
        load(tmp_path)
    with pytest.raises(CachelintError, match='no view "other"'):
        load(tmp_path, view="other")
    with pytest.raises(CachelintError, match=r'invalid view "../other"'):
        load(tmp_path, view="../other")
    with pytest.raises(CachelintError, match="a view needs a mirror, found a manifest"):
        load(tmp_path / "v3/manifests/index/mystack/index.manifest.json", view="mystack")


def test_an_index_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MAX_INDEX_SIZE", 1 << 20)
    bomb = tmp_path / "bomb.json.gz"
    bomb.write_bytes(gzip.compress(b'{"database": {"x": "' + b" " * (8 << 20)))
    with pytest.raises(CachelintError, match=r"bomb\.json\.gz: larger than 1,048,576 bytes"):
        load(bomb)
    plain = tmp_path / "large.json"
    plain.write_bytes(RAW + b" " * (2 << 20))
    with pytest.raises(CachelintError, match=r"large\.json: larger than 1,048,576 bytes"):
        load(plain)


@pytest.mark.parametrize("between", [b" ", b'"k": 1,'], ids=["spaces", "keys"])
def test_a_small_file_does_not_unpack_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, between: bytes
) -> None:
    monkeypatch.setattr(sources, "ANY_RATIO_SIZE", 1 << 20)
    bomb = tmp_path / "bomb.json.gz"
    bomb.write_bytes(gzip.compress(b'{"database": {' + between * (1 << 20) + RAW[14:]))
    with pytest.raises(CachelintError, match=r"bomb\.json\.gz: over 100 times larger as unpacked"):
        load(bomb)


def test_a_list_of_tags_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MAX_LIST_SIZE", 1000)
    (tmp_path / "list.json").write_text(json.dumps({"t": ["x" * 2000]}))
    with pytest.raises(CachelintError, match=r"list\.json: larger than 1,000 bytes"):
        load(tmp_path / "list.json")


Damage = Callable[[Path], object]


def blob(mirror: Path) -> Path:
    return next(path for path in mirror.glob("blobs/sha256/*/*") if path.is_file())


def write(name: str, value: object) -> Damage:
    def damage(mirror: Path) -> None:
        (mirror / name).write_text(value if isinstance(value, str) else json.dumps(value))

    return damage


def manifest(**changes: Any) -> Damage:
    return write(MANIFEST, {"version": 3, "data": [blob_of(RAW, **changes)]})


DAMAGES: dict[str, tuple[Damage, str]] = {
    "a missing blob": (lambda mirror: blob(mirror).unlink(), "/blobs/sha256/.*: no such file"),
    "one byte more": (lambda mirror: blob(mirror).write_bytes(RAW + b" "),
                      "wrong length and checksum: expected [0-9]+ bytes, found more"),
    "a cut blob": (lambda mirror: blob(mirror).write_bytes(RAW[:-9]), "the file is cut"),
    "another byte": (lambda mirror: blob(mirror).write_bytes(RAW.replace(b"zlib", b"zlid")),
                     "wrong SHA-256 checksum: expected [0-9a-f]{64}, found [0-9a-f]{64}"),
    "a length of less": (manifest(contentLength=3), "wrong length"),
    "a length that is no number": (manifest(contentLength="3"), "invalid contentLength"),
    "a length without end": (manifest(contentLength=1 << 60), "invalid contentLength"),
    "another algorithm": (manifest(checksumAlgorithm="md5"),
                          'unknown checksum algorithm: expected sha256, found "md5"'),
    "a checksum with a path": (manifest(checksum="../" * 20 + "etc/passwd"), "invalid checksum"),
    "another compression": (manifest(compression="zstd"),
                            'unknown compression: expected none or gzip, found "zstd"'),
    "too old": (manifest(version=5), "database version 5 is too old: expected 6 or newer"),
    "no index": (write(MANIFEST, {"version": 3, "data": []}), "no index in this manifest"),
    "blobs of specs": (manifest(mediaType="application/vnd.spack.spec.v5+json"),
                       "no index in this manifest"),
    "no data": (write(MANIFEST, {"version": 3}), 'not a manifest: expected a list "data"'),
    "a list": (write(MANIFEST, []), "not a manifest"),
    "a cut manifest": (write(MANIFEST, '{"version": 3,\n"da'),
                       "invalid JSON, at line 2, column 1: Unterminated string"),
    "a key twice": (write(MANIFEST, '{"data": [], "data": []}'), 'duplicate key "data"'),
    "nested": (write(MANIFEST, "[" * 100_000), "nested too deeply"),
    "no manifest": (lambda mirror: (mirror / MANIFEST).unlink(),
                    "no index in this mirror: expected v3/manifests/index/index.manifest.json or "
                    "build_cache/index.json; spack buildcache update-index makes one"),
    "not gzip": (manifest(compression="gzip"), "invalid gzip"),
}


@pytest.mark.parametrize(("damage", "message"), DAMAGES.values(), ids=DAMAGES)
def test_refuses_a_damaged_mirror(tmp_path: Path, damage: Damage, message: str) -> None:
    write_mirror(tmp_path, RAW)
    damage(tmp_path)
    with pytest.raises(CachelintError, match=message) as raised:
        load(tmp_path)
    assert str(raised.value).startswith(str(tmp_path))


def test_refuses_cut_gzip_in_a_mirror(tmp_path: Path) -> None:
    raw = gzip.compress(RAW)
    write_mirror(tmp_path, raw, compression="gzip")
    blob(tmp_path).write_bytes(raw[:-12])
    with pytest.raises(CachelintError, match=r"found [0-9]+, the file is cut"):
        load(tmp_path)
    write_manifest(tmp_path, blob_of(raw[:-12], compression="gzip"))
    write_blob(tmp_path, raw[:-12])
    with pytest.raises(CachelintError, match="the gzip file is cut"):
        load(tmp_path)


def test_refuses_cut_gzip(tmp_path: Path) -> None:
    path = tmp_path / "index.json.gz"
    path.write_bytes(gzip.compress(RAW)[:-12])
    with pytest.raises(CachelintError, match="the gzip file is cut"):
        load(path)


def test_refuses_a_manifest_outside_a_mirror(tmp_path: Path) -> None:
    shutil.copy(write_manifest(tmp_path, blob_of(RAW)), tmp_path / "manifest.json")
    with pytest.raises(CachelintError, match="expected the manifest in its mirror"):
        load(tmp_path / "manifest.json")


def test_verifies_the_checksum_of_layout_v2(tmp_path: Path) -> None:
    mirror = copy_v2(tmp_path)
    checksum = mirror / "build_cache/index.json.hash"
    checksum.write_text("0" * 64)
    with pytest.raises(CachelintError, match="wrong SHA-256 checksum: expected 0000"):
        load(mirror, V2_TAG)
    checksum.write_text("<html>")
    with pytest.raises(CachelintError, match='expected a SHA-256 checksum, found "<html>"'):
        load(mirror, V2_TAG)
    checksum.unlink()  # Spack also reads such a mirror
    assert sizes(load(mirror, V2_TAG))["root"] == 10


@pytest.mark.parametrize("contents", ['{"a": 1}', "[]", "1", '{"version": 3}'])
def test_refuses_what_is_not_an_index(tmp_path: Path, contents: str) -> None:
    (tmp_path / "x.json").write_text(contents)
    with pytest.raises(CachelintError, match=r"not an index: expected Spack's index.json"):
        load(tmp_path / "x.json")


@pytest.mark.parametrize("contents", ["", "<html>", '{"tag": [', "\ufeff{}"])
def test_refuses_what_is_not_json(tmp_path: Path, contents: str) -> None:
    (tmp_path / "x.json").write_text(contents)
    with pytest.raises(CachelintError, match="invalid JSON, at line 1"):
        load(tmp_path / "x.json")


def test_refuses_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(CachelintError, match="no such file"):
        load(tmp_path / "missing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CachelintError, match="no index in this mirror"):
        load(tmp_path / "empty")


# ------------------------------------------------------------------------------- stacks


def test_leaves_out_no_stack_that_cannot_be_read(v3: Path) -> None:
    stack = v3 / TAG / STACKS[0]
    (stack / MANIFEST).unlink()
    with pytest.raises(CachelintError, match=rf"{STACKS[0]}: no index in this mirror"):
        load(v3 / TAG)
    shutil.rmtree(stack / "v3")
    (v3 / TAG / "unrelated").mkdir()
    assert sizes(load(v3 / TAG)) == {stack: size for stack, size in SIZES.items()
                                     if stack != STACKS[0]}


@pytest.mark.parametrize("name", ["root", STACKS[0]])
def test_refuses_a_stack_twice(v3: Path, name: str) -> None:
    with pytest.raises(CachelintError, match=f'stack "{name}" has two indexes: --stack {name}='):
        load(v3 / TAG, extra={name: str(v3 / TAG)})


def test_refuses_a_list_of_tags_as_a_stack(v3: Path) -> None:
    with pytest.raises(CachelintError, match="expected one index, found a list of tags"):
        find_index(str(v3 / "cache_spack_io_index.json"))


# ------------------------------------------------------------------------------- lists of tags

LISTS: dict[str, tuple[object, str]] = {
    "another server": ({"t": [{"label": "root", "url": "s3://other/x.json"}]},
                       "s3://other/x.json is elsewhere and not read; --mirror s3://other=SOURCE"),
    "a longer name": ({"t": [{"label": "root", "url": "s3://spack-binaries-2/x.json"}]},
                      "is elsewhere"),
    "a path": ({"t": [{"label": "root", "url": "/etc/passwd"}]}, "is elsewhere"),
    "a folder above": ({"t": [{"label": "root", "url": "s3://spack-binaries/a/../../x"}]},
                       "leads out of s3://spack-binaries/"),
    "an escaped folder above": ({"t": [{"label": "root", "url": "s3://spack-binaries/%2e%2e/x"}]},
                                "leads out of"),
    "two slashes": ({"t": [{"label": "root", "url": "s3://spack-binaries//etc/passwd"}]},
                    "leads out of"),
    "a stack twice": ({"t": [{"label": "root", "url": "s3://spack-binaries/x"}] * 2},
                      'tag t lists stack "root" twice'),
    "no url": ({"t": [{"label": "root"}]}, 'tag t: invalid entry: expected a "label" and a "url"'),
    "a string": ({"t": ["root"]}, "tag t: invalid entry"),
    "no root": ({"t": [{"label": "hep", "url": "s3://spack-binaries/x"}]},
                'tag t has no index labelled "root"'),
    "no tag": ({}, 'no tag "t" in the list of tags'),
    "a thousand and one": ({"t": [{"label": f"s{i}", "url": "s3://spack-binaries/x"}
                                  for i in range(1001)]}, "tag t lists 1,001 indexes: expected"),
    "a long label": ({"t": [{"label": "x" * 256, "url": "s3://spack-binaries/x"}]},
                     "tag t: a label of more than 255 characters"),
    "a long url": ({"t": [{"label": "root", "url": "s3://spack-binaries/" + "x" * 4096}]},
                   "or a url of more than 4,096"),
    "a tag twice": ('{"t": [], "t": []}', 'duplicate key "t"'),
}


@pytest.mark.parametrize(("value", "message"), LISTS.values(), ids=LISTS)
def test_refuses_a_list_of_tags(tmp_path: Path, value: object, message: str) -> None:
    write("list.json", value)(tmp_path)
    with pytest.raises(CachelintError, match=message):
        load(tmp_path / "list.json", "t", mirrors={"s3://spack-binaries": str(tmp_path)})


def test_verifies_the_checksum_in_the_address_of_a_blob(v3: Path) -> None:
    stack = v3 / TAG / STACKS[0]
    blob(stack).write_bytes(RAW)
    with pytest.raises(CachelintError, match="wrong SHA-256 checksum"):
        load(v3 / "cache_spack_io_index.json", mirrors={"s3://spack-binaries": str(v3)})


def test_fetches_nothing_when_a_list_names_another_server(v3: Path, https: Server) -> None:
    with pytest.raises(CachelintError, match="is elsewhere and not read"):
        load(f"{https.url}/cache_spack_io_index.json")
    assert {*https.requested} == {"/cache_spack_io_index.json"}


def test_real_indexes_are_read() -> None:
    contents = load(INDEXES / "index.json.gz", extra={
        path.name[6:-8]: str(path) for path in INDEXES.glob("index-*.json.gz")})
    assert sum(1 for _ in contents.cached()) == 3568
    assert len(contents.stacks) == 21
