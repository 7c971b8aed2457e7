"""What is fuzzed: for each target its inputs, and what must be true of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cachelint.document.catalog_files import render_tag_page
from fuzz import properties, strategies
from support import catalogs, valid
from support.mirrors import MANIFEST, blob_of, index_bytes

_TAGS = {valid.TAG: ["e4s", "root"], "v0.22.4": ["root"]}
_CATALOG = {
    f"_cache/{valid.TAG}/zlib/specs.md": valid.page(valid.meta(num_specs=3)),
    "_cache/v0.22.4/zlib/specs.md": valid.TARBALL_PAGE.replace(valid.TAG, "v0.22.4").replace(
        '"e4s", ', "").replace('"e4s": 1, ', ""),
    "_data/tags.yaml": "".join(
        f"- name: {tag}\n  stacks:\n" + "".join(f"  - {stack}\n" for stack in stacks)
        for tag, stacks in _TAGS.items()),
    "_data/meta.yaml": "all:\n  compiler_count: '1'\n  count: 4\n  parameter_count: '1'\n"
        f"  version: all\n{valid.TAG}:\n  compilers:\n    gcc@11.4.0: 2\n  count: 2\n"
        "  parameters:\n    shared: 1\nv0.22.4:\n  count: 3\n",
    **{f"pages/tags/{tag}.md": render_tag_page(tag) for tag in _TAGS},
}

_SETTINGS = """select = ["CL1", "num-specs"]
extend-select = ["CL507"]
ignore = ["legacy-format"]
exclude = ["_cache/v0.18/**", "!_cache/v0.18/zlib"]
mutable-tags = ["develop"]
root-stack = "root"
mirror-urls = ['https://binaries.spack.io']
max-page-size = 8_388_608

[per-file-ignores]
"_cache/v0.20*/**" = ["tarball-url"]  # old

[severity]
missing-root = "error"
CL5.x = "warning"
"""
_TABLE = "[tool.cachelint]\n" + _SETTINGS.replace("\n[", "\n[tool.cachelint.")
_BASELINE = json.dumps({"version": 1, "findings": [
    {"catalog": ".", "path": "_cache/v1/zlib/specs.md", "rule": "CL301",
     "pointer": "/meta/num_specs", "count": 1},
    {"path": "_cache/v1/zlib/specs.md", "rule": "CL401", "hash": valid.FIRST,
     "pointer": "/hash", "count": 2}]}, indent=1)

_INDEX = index_bytes(catalogs.GCC, catalogs.ZLIB, catalogs.ZLIB_NG, catalogs.ZSTD)
_BLOB = blob_of(_INDEX)
_STORED = f"blobs/sha256/{_BLOB['checksum'][:2]}/{_BLOB['checksum']}"
_MIRROR = {
    "index.json": _INDEX.decode(), "hep.json": index_bytes(*catalogs.HEP).decode(),
    "cache_spack_io_index.json": json.dumps({valid.TAG: [
        {"label": "root", "url": f"s3://spack-binaries/{_STORED}"},
        {"label": "hep", "url": f"s3://spack-binaries/{MANIFEST}"}]}),
    MANIFEST: json.dumps({"version": 3, "data": [_BLOB]}), _STORED: _INDEX.decode(),
}

Test = Callable[..., None]

TARGETS: dict[str, tuple[Test, dict[str, st.SearchStrategy[Any]]]] = {
    "pages": (properties.check_pages,
              {"pages": strategies.pages(), "strict_order": st.booleans()}),
    "catalog": (properties.check_catalog, {"files": strategies.damaged_files(_CATALOG)}),
    "configuration": (properties.check_configuration, {"files": strategies.damaged_files(
        {"cachelint.toml": _SETTINGS, "pyproject.toml": _TABLE})}),
    "baseline": (properties.check_baseline,
                 {"files": strategies.damaged_files({"known.json": _BASELINE})}),
    "mirror": (properties.check_mirror, {"files": strategies.damaged_files(_MIRROR)}),
}


def make_test(target: str, **options: Any) -> Any:
    """Return the Hypothesis test of a target, with settings of Hypothesis."""
    function, arguments = TARGETS[target]
    options = {"phases": [*Phase][:-1]} | options  # explaining takes long
    return settings(deadline=None, suppress_health_check=[*HealthCheck], **options)(
        given(**arguments)(function))
