"""Installs, one by one: each version of the database, and each way to be damaged."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from cachelint.index import database, fetch
from cachelint.index.database import Database, warn_of_version
from cachelint.index.sources import IndexFile
from cachelint.model import CachelintError
from support.mirrors import INDEXES, V2, depend, index_bytes, install, read_gz

KEY = "a" * 32


def read(tmp_path: Path, raw: bytes) -> list[database.Install]:
    path = tmp_path / "index.json"
    path.write_bytes(raw)
    return [*Database(IndexFile(str(path))).read()]


def test_reads_version_7() -> None:
    reader = Database(IndexFile(str(V2 / "build_cache/index.json")))
    installs = {each.hash: each for each in reader.read()}
    assert reader.version == 7
    assert len(installs) == 10
    zlib = installs["bprx62wagyjkn26h2yeogtpxjkohi34e"]
    assert zlib[1:6] == ("zlib-tiny", "1.3.1", "debian12", "linux", "x86_64_v3")
    assert zlib.compiler == "gcc@12.2.0"
    assert zlib.dependencies == ["7afd2cqvnl5ymdq7iqz65mhfamj5oqsw"]
    assert zlib.providers == {"libc": "7afd2cqvnl5ymdq7iqz65mhfamj5oqsw"}
    assert (zlib.is_external, zlib.in_buildcache) == (False, True)
    glibc = installs["7afd2cqvnl5ymdq7iqz65mhfamj5oqsw"]
    assert (glibc.is_external, glibc.in_buildcache) == (True, False)


def test_reads_version_6(tmp_path: Path) -> None:
    old = install(compiler={"name": "gcc", "version": "11.2.0"}, annotations=None,
                  dependencies=[{"name": "gmake", "hash": "b" * 32, "type": ["build"]}],
                  arch={"platform": "linux", "platform_os": "rhel8", "target": {
                      "name": "zen3", "vendor": "AuthenticAMD", "features": [], "parents": []}})
    only, = read(tmp_path, index_bytes(old, version="6"))
    assert (only.compiler, only.target) == ("gcc@11.2.0", "zen3")
    assert (only.dependencies, only.providers) == (["b" * 32], {})


def test_reads_version_9(tmp_path: Path) -> None:
    edges = [depend("b", "c", "cxx"), depend("d", "c", "mpi")]
    new = install(provided_virtuals=["zlib-api"], dependencies=edges)
    only, = read(tmp_path, index_bytes(new, version="9"))
    assert only.compiler == ""
    assert only.dependencies == ["b" * 32, "d" * 32]
    assert only.providers == {"c": "b" * 32, "cxx": "b" * 32, "mpi": "d" * 32}


@pytest.mark.parametrize(("version", "warning"), [
    ("9", None),
    ("10", "index.json: database version 10 is newer than 9, the newest that is understood"),
])
def test_warns_of_a_newer_version(tmp_path: Path, version: str, warning: str | None) -> None:
    path = tmp_path / "index.json"
    path.write_bytes(index_bytes(install(), version=version))
    reader = Database(IndexFile(str(path)))
    assert len([*reader.read()]) == 1
    found = warn_of_version(reader)
    assert (found and found.removeprefix(f"{tmp_path}/")) == warning


def test_the_order_of_keys_means_nothing(tmp_path: Path) -> None:
    value = json.loads(index_bytes(install(), install("b")))["database"]
    turned = {"other": [1, {}], "database": {"installs": value["installs"], "more": None,
                                             "version": "8"}, "last": 12345}
    raw = json.dumps(turned, indent=2).encode()
    assert [each.hash for each in read(tmp_path, raw)] == [KEY, "b" * 32]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_chunks_end_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(fetch, "CHUNK", size)
    raw = json.dumps({"n": 1234567890, "t": [True, None, -1.5e10], "database": {
        "version": "8", "installs": {KEY: install(version='é"\\\u20ac', x="\\u00e9" * 20)}}},
        ensure_ascii=False).encode()
    assert [each.version for each in read(tmp_path, raw)] == ['é"\\\u20ac']


def test_a_real_index_gives_what_json_gives() -> None:
    path = INDEXES / "index-hep.json.gz"
    expected = json.loads(read_gz(path))["database"]["installs"]
    found = [*Database(IndexFile(str(path))).read()]
    assert [each.hash for each in found] == [*expected]
    for each in found:
        spec = expected[each.hash]["spec"]
        assert each.parameters == spec["parameters"]
        edges = spec.get("dependencies", [])
        assert each.dependencies == [edge["hash"] for edge in edges]
        assert {*each.providers} == {virtual for edge in edges
                                     for virtual in edge["parameters"]["virtuals"]}
        assert each.patches == spec.get("patches", [])


# ------------------------------------------------------------------------------- damage


def spec_with(**changes: Any) -> bytes:
    return index_bytes({**install(), "spec": {**install()["spec"], **changes}})


def record_with(**changes: Any) -> bytes:
    value = json.loads(index_bytes(install()))
    value["database"]["installs"][KEY] |= changes
    return json.dumps(value).encode()


def replace(old: str, new: str) -> bytes:
    raw = index_bytes(install()).decode()
    assert old in raw
    return raw.replace(old, new).encode()


def without(key: str) -> bytes:
    changes: dict[str, Any] = {key: None}
    return index_bytes(install(**changes))


RAW = index_bytes(install(), install("b"))

SHAPES: dict[str, tuple[bytes, str]] = {
    "no spec": (record_with(spec=None), f'install "{KEY}": no "spec"'),
    "a list as spec": (record_with(spec=[]), 'no "spec"'),
    "another hash": (replace(f'"hash": "{KEY}"', f'"hash": "{"b" * 32}"'),
                     f'spec.hash differs from its key: found "{"b" * 32}"'),
    "no hash": (replace(f'"hash": "{KEY}"', '"h": 1'),
                "spec.hash differs from its key: found nothing"),
    "not known whether in the cache": (record_with(in_buildcache=None),
                                       "in_buildcache: expected true or false, found nothing"),
    "one for true": (record_with(in_buildcache=1), "in_buildcache: expected true or false"),
    "of Spack 0.16": (record_with(spec={"zlib": {"version": "1.2.11"}}),
                      "written by Spack 0.16 or older, which is not read"),
    "no name": (without("name"), "name: expected a string, found nothing"),
    "an empty name": (spec_with(name=""), 'name: expected a string, found ""'),
    "a number as version": (spec_with(version=1.3), "version: expected a string, found 1.3"),
    "no arch": (without("arch"), "spec.arch: expected an object, found nothing"),
    "no os": (spec_with(arch={"platform": "linux", "target": "zen4"}), "platform_os: expected"),
    "no target": (spec_with(arch={"platform": "linux", "platform_os": "rhel8"}),
                  "target: expected a string, found nothing"),
    "a target without a name": (
        spec_with(arch={"platform": "linux", "platform_os": "rhel8", "target": {}}),
        "name: expected a string"),
    "no parameters": (without("parameters"), "parameters: expected an object"),
    "a number as parameter": (spec_with(parameters={"x": 1}),
                              "parameters.x: expected a list of strings, found 1"),
    "a list of numbers": (spec_with(parameters={"x": [1]}),
                          "parameters.x: expected a list of strings"),
    "patches that are a string": (spec_with(patches="abc"), "patches: expected a list of strings"),
    "a compiler that is a string": (spec_with(compiler="gcc"), "compiler: expected an object"),
    "a compiler without a version": (spec_with(compiler={"name": "gcc"}),
                                     "version: expected a string"),
    "dependencies by name": (spec_with(dependencies={"gcc": {}}),
                             "dependencies: expected a list"),
    "a dependency without a hash": (spec_with(dependencies=[{"name": "gcc"}]),
                                    "dependencies: expected a hash in each"),
    "dependencies that are strings": (spec_with(dependencies=[KEY]),
                                      "dependencies: expected a list of objects"),
    "parameters of a dependency that are a list": (
        spec_with(dependencies=[{"hash": KEY, "parameters": []}]),
        r"dependencies: parameters: expected an object, found \[\]"),
    "virtuals that are a string": (
        spec_with(dependencies=[{"hash": KEY, "parameters": {"virtuals": "c"}}]),
        "dependencies: virtuals: expected a list of strings"),
}

FILES: dict[str, tuple[bytes, str]] = {
    "version 5": (index_bytes(install(), version="5"),
                  "database version 5 is too old: expected 6 or newer, as Spack 0.17 and later"),
    "a number as version": (replace('"version": "8"', '"version": 8'),
                            'invalid version of the database: expected a string such as "8", '
                            "found 8"),
    "no version": (b'{"database": {"installs": {}}}', 'no "version" in the database'),
    "no installs": (b'{"database": {"version": "8"}}', 'no "installs" in the database'),
    "no database": (b'{"x": 1}', 'no "version" in the database'),
    "two databases": (RAW[:-1] + b"," + RAW[1:], 'duplicate key "database"'),
    "two lists of installs": (RAW[:-2] + b', "installs": {}}}', 'duplicate key "installs"'),
    "two versions": (RAW[:-2] + b', "version": "9"}}', 'duplicate key "version"'),
    "a key twice, escaped": (RAW[:-2] + b', "install\\u0073": {}}}', 'duplicate key "installs"'),
    "a long hash": (RAW.replace(b"a" * 32, b"c" * 5000).replace(b"b" * 32, b"c" * 5000),
                    'duplicate install "c{79}…"'),
    "a long name": (spec_with(name="x" * 1001), "name: more than 1,000 characters"),
    "a long target": (spec_with(arch={"platform": "linux", "platform_os": "a", "target": {
        "name": "x" * 1001}}), "name: more than 1,000 characters"),
    "an install twice": (RAW.replace(b"b" * 32, b"a" * 32), f'duplicate install "{KEY}"'),
    "installs in a list": (b'{"database": {"version": "8", "installs": []}}',
                           'invalid JSON, at character 43: expected an object for "installs"'),
    "a list": (b"[1]", "invalid JSON, at character 1: expected an object for an index"),
    "empty": (b"", "the JSON is cut, at character 1: expected an object for an index"),
    "cut in a string": (RAW[:200], "the JSON is cut, at character 196: Unterminated string"),
    "cut between installs": (RAW[:RAW.rindex(b"b" * 32) - 1], "the JSON is cut"),
    "cut at the end": (RAW[:-1], 'the JSON is cut, at character [0-9]+: expected "," or "}"'),
    "a missing colon": (RAW.replace(b'"installs":', b'"installs"'), 'expected ":"'),
    "a missing comma": (RAW.replace(b'"8", ', b'"8" '), 'expected "," or "}"'),
    "a trailing comma": (RAW[:-1] + b",}", "expected a key"),
    "a key without quotes": (RAW.replace(b'"database"', b"database"), "expected a key"),
    "an error inside": (RAW.replace(b'"name": "zlib"', b'"name": zlib', 1),
                        "invalid JSON, at character [0-9]+: Expecting value"),
    "more after it": (RAW + b" {}", "expected the end of the file"),
    "bytes that are not UTF-8": (RAW.replace(b"zlib", b"zl\xff\xfe"), "not UTF-8"),
    "NaN": (RAW.replace(b"true", b"NaN", 1), "NaN is not JSON"),
    "nesting": (b'{"x": ' + b"[" * 200_000, "nested too deeply"),
    "a number without end": (b'{"x": ' + b"1" * 5000 + b"}", "invalid JSON"),
    "a mark": (b"\xef\xbb\xbf" + RAW, "expected an object for an index"),
    "HTML": (b"<!DOCTYPE html>", "expected an object for an index"),
}


@pytest.mark.parametrize(("raw", "message"), [*SHAPES.values(), *FILES.values()],
                         ids=[*SHAPES, *FILES])
def test_explains_damage(tmp_path: Path, raw: bytes, message: str) -> None:
    with pytest.raises(CachelintError, match=message) as raised:
        read(tmp_path, raw)
    assert str(raised.value).startswith(f"{tmp_path}/index.json: ")


def test_a_value_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "MAX_INSTALL_SIZE", 1 << 20)
    with pytest.raises(CachelintError, match="a value of more than 1,048,576 characters"):
        read(tmp_path, spec_with(version="1" * (4 << 20)))


@pytest.mark.parametrize("value", ["[" + "[]," * 4_000_000 + "0]", "{" + '"":{},' * 2_000_000])
def test_what_a_value_takes_is_limited(tmp_path: Path, value: str) -> None:
    raw = replace('"name"', f'"x": {value}, "name"')
    tracemalloc.start()
    try:
        with pytest.raises(CachelintError, match="a value of more than 2,097,152 characters"):
            read(tmp_path, raw)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 300_000_000


@pytest.mark.parametrize("raw", [
    RAW[:200], RAW.replace(b"zlib", b""), RAW.replace(b"true", b"ture"), b"{,"])
def test_a_wrong_checksum_comes_before_what_it_led_to(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "index.json"
    path.write_bytes(raw + b" " * (3 << 20))
    with pytest.raises(CachelintError, match="wrong SHA-256 checksum"):
        [*Database(IndexFile(str(path), "0" * 64)).read()]
