"""Build-cache mirrors laid out as Spack does it, from the samples of `tests/index/data`."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "index/data"
INDEXES = DATA / "index"
"""Real indexes of one tag: 3,568 specs of 874 packages in 20 stacks."""
V2_TAG = "develop-2024-11-17"
V2 = Path(__file__).parents[2] / "examples/buildcache" / V2_TAG
"""A real mirror of layout v2 with two stacks."""
V3 = DATA / "v3"
"""Real indexes of two stacks and their root."""
PAGES = DATA / "pages"
"""The catalog of the mirror `V2`."""

TAG = "develop-2025-03-30"
STACKS = ("bootstrap-x86_64-linux-gnu", "radiuss-aws")
MANIFEST = "v3/manifests/index/index.manifest.json"


def read_gz(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes())


def index_bytes(*installs: dict[str, Any], version: str = "8") -> bytes:
    """Return an index of some installs."""
    by_hash = {install["spec"]["hash"]: install for install in installs}
    return json.dumps({"database": {"version": version, "installs": by_hash}}).encode()


def install(letter: str = "a", name: str = "zlib", **changes: Any) -> dict[str, Any]:
    """Return an install as Spack 1.0 writes it, with some values of its node changed.

    A value of None removes the key.
    """
    spec = {
        "name": name, "version": "1.3.1",
        "arch": {"platform": "linux", "platform_os": "ubuntu22.04", "target": "x86_64_v3"},
        "namespace": "builtin",
        "parameters": {"build_system": "generic", "pic": True, "cflags": []},
        "annotations": {"original_specfile_version": 5}, "hash": letter * 32, **changes,
    }
    return {"spec": {key: value for key, value in spec.items() if value is not None},
            "ref_count": 0, "in_buildcache": True}


def depend(letter: str, *virtuals: str, name: str = "gcc") -> dict[str, Any]:
    """Return a dependency as Spack writes it since 0.21."""
    return {"name": name, "hash": letter * 32,
            "parameters": {"deptypes": ["build"], "virtuals": list(virtuals)}}


def blob_of(raw: bytes, *, version: int = 8, compression: str = "none",
            **changes: Any) -> dict[str, Any]:
    """Return the entry of a manifest for a blob."""
    return {"contentLength": len(raw), "mediaType": f"application/vnd.spack.db.v{version}+json",
            "compression": compression, "checksumAlgorithm": "sha256",
            "checksum": hashlib.sha256(raw).hexdigest(), **changes}


def write_blob(mirror: Path, raw: bytes) -> Path:
    checksum = hashlib.sha256(raw).hexdigest()
    path = mirror / "blobs/sha256" / checksum[:2] / checksum
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
    return path


def write_manifest(mirror: Path, *blobs: dict[str, Any], view: str = "") -> Path:
    path = mirror / "v3/manifests/index" / view / "index.manifest.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"version": 3, "data": list(blobs)}))
    return path


def write_mirror(mirror: Path, raw: bytes, **options: Any) -> Path:
    """Lay out a mirror of layout v3 with one index."""
    write_blob(mirror, raw)
    write_manifest(mirror, blob_of(raw, **options))
    return mirror


def write_v3(folder: Path) -> Path:
    """Lay out the mirror of `V3`, below a list of tags as Spack's infrastructure has it."""
    mirror = write_mirror(folder / TAG, read_gz(V3 / "root.json.gz"))
    listed = []
    for label in ("root", *STACKS):
        raw = read_gz(V3 / f"{label}.json.gz")
        below = "" if label == "root" else f"{label}/"
        if below:
            write_mirror(mirror / label, raw)
        checksum = hashlib.sha256(raw).hexdigest()
        listed.append({"label": label, "url": f"s3://spack-binaries/{TAG}/{below}blobs/sha256/"
                                              f"{checksum[:2]}/{checksum}"})
    (folder / "cache_spack_io_index.json").write_text(json.dumps({TAG: listed}))
    return folder


def copy_v2(folder: Path) -> Path:
    """Copy the mirror of `V2`."""
    shutil.copytree(V2, folder / V2_TAG)
    return folder / V2_TAG
