"""A small mirror and the catalog that follows from it, for tests to damage."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cachelint import render_page
from support.mirrors import depend, index_bytes, install, write_mirror

TAG = "develop-2025-03-30"

GCC = install("g", "gcc", version="13.2.0", external={"path": "/usr"}) | {"in_buildcache": False}
ZLIB = install("a", dependencies=[depend("g", "c", "cxx")],
               parameters={"libs": ["shared", "static"], "opt": "O2", "pic": True})
ZLIB_NG = install("b", "zlib-ng", dependencies=[depend("g", "c")])
ZSTD = install("z", "zstd", version="1.5.6", dependencies=[depend("a", name="zlib")])
HEP = (ZLIB, ZSTD)


def write_small_mirror(folder: Path, *root: dict[str, Any], hep: tuple[dict[str, Any], ...] = HEP
                       ) -> Path:
    """Write a mirror with one stack, `hep`, and a root that has a spec more."""
    write_mirror(folder, index_bytes(*(root or (GCC, ZLIB, ZLIB_NG, ZSTD))))
    write_mirror(folder / "hep", index_bytes(*hep))
    return folder


def edit_page(catalog: Path, package: str, edit: Callable[[list[dict[str, Any]]], object]) -> Path:
    """Change the specs of a page, whose `meta` follows."""
    path = catalog / "_cache" / TAG / package / "specs.md"
    specs = json.loads(path.read_text().split("spec_details: ")[1].removesuffix("\n---"))
    edit(specs)
    path.write_text(render_page(package, TAG, specs))
    return path


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*")) if path.is_file()}
