"""One valid page, as data for tests to spoil, and the means to write pages and catalogs."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cachelint import Settings, check_page
from cachelint.model import Finding, PageContext, PageId

TAG = "develop-2025-03-30"
PACKAGE = "zlib"
FIRST = "2c44nm4mufjlcr3pyjmzmr4ukhpgf5uv"
SECOND = "zgla7zae7wzvfpiosiwj32g4t3aubjbf"

CONTEXT = PageContext(PageId(TAG, PACKAGE), frozenset({"e4s", "root"}))
"""What a catalog says of the sound page."""

ALL_LINES = ("title", "layout", "categories", "meta", "spec_details")

_META: dict[str, Any] = {
    "compilers": ["gcc@11.4.0"],
    "num_specs": 2,
    "num_specs_by_stack": {"e4s": 1, "root": 2},
    "oss": ["ubuntu22.04"],
    "platforms": ["linux"],
    "stacks": ["e4s", "root"],
    "targets": ["x86_64_v3"],
    "versions": ["1.2.13", "1.3.1"],
}
_SPECS: list[dict[str, Any]] = [
    {
        "compiler": "gcc@11.4.0", "hash": FIRST, "os": "ubuntu22.04", "platform": "linux",
        "size": "-", "stacks": ["e4s", "root"], "target": "x86_64_v3",
        "variants": ["build_system=makefile", "+shared"], "versions": ["1.3.1"],
    },
    {
        "compiler": "gcc@11.4.0", "hash": SECOND, "os": "ubuntu22.04", "platform": "linux",
        "size": "-", "stacks": ["root"], "target": "x86_64_v3",
        "variants": ["build_system=makefile", "~shared"], "versions": ["1.2.13"],
    },
]
_FOLDER = f"https://binaries.spack.io/{TAG}/build_cache/linux-ubuntu22.04-x86_64_v3/gcc-11.4.0"
TARBALLS = (
    f"{_FOLDER}/zlib-1.3.1/linux-ubuntu22.04-x86_64_v3-gcc-11.4.0-zlib-1.3.1-{FIRST}.spack",
    f"{_FOLDER}/zlib-1.2.13/linux-ubuntu22.04-x86_64_v3-gcc-11.4.0-zlib-1.2.13-{SECOND}.spack",
)


def meta(**changes: Any) -> dict[str, Any]:
    """Return the valid `meta` with some of its members replaced."""
    return {**copy.deepcopy(_META), **changes}


def specs(number: int = 0, **changes: Any) -> list[dict[str, Any]]:
    """Return the two valid specs, with some members of one of them replaced."""
    result = copy.deepcopy(_SPECS)
    result[number] |= changes
    return result


def tarball_specs(number: int = 0, **changes: Any) -> list[dict[str, Any]]:
    """Return two valid specs of the tarball format, with some members of one of them replaced."""
    result = [{**spec, "tarball": url} for spec, url in zip(specs(), TARBALLS, strict=True)]
    result[number] |= changes
    return result


def without(mapping: dict[str, Any], key: str) -> dict[str, Any]:
    """Return a mapping less one of its keys."""
    return {name: value for name, value in mapping.items() if name != key}


def summary(of: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Derive `meta` from whole specs: the rule written a second time, to compare the code with."""
    of = list(of)
    listed = [set(spec["stacks"]) for spec in of]
    stacks = sorted(set().union(*listed))
    return {
        "compilers": sorted({spec["compiler"] for spec in of}),
        "num_specs": len(of),
        "num_specs_by_stack": {stack: sum(stack in one for one in listed) for stack in stacks},
        "oss": sorted({spec["os"] for spec in of}),
        "platforms": sorted({spec["platform"] for spec in of}),
        "stacks": stacks,
        "targets": sorted({spec["target"] for spec in of}),
        "versions": sorted(set().union(*(spec["versions"] for spec in of))),
    }


def dumps(value: Any) -> str:
    """Write a value as the site's generator does."""
    return json.dumps(value, sort_keys=True)


def page(
    meta_value: Any = None,
    specs_value: Any = None,
    *,
    title: str = 'title: "zlib"',
    layout: str = "layout: cache",
    categories: str = f"categories: [package, {TAG}]",
    meta_line: str = "",
    specs_line: str = "",
) -> str:
    """Write a page of the values given, valid ones otherwise; a whole line may be given instead.

    Where `meta` is not given, it is what the specs imply.
    """
    specs_value = specs() if specs_value is None else specs_value
    if not meta_line:
        meta_value = summary(specs_value) if meta_value is None else meta_value
    return "\n".join([
        "---", title, layout, categories,
        meta_line or f"meta: {dumps(meta_value)}",
        specs_line or f"spec_details: {dumps(specs_value)}",
        "---",
    ])


PAGE = page()
"""The sound page in the current format."""
TARBALL_PAGE = page(None, tarball_specs())
"""The sound page in the tarball format."""

LEGACY = """---
title: "zlib"
layout: cache
category: package
meta: {"versions": ["1.2"], "compilers": ["gcc@8.3.1"]}
spec_files:
 - "zlib@1.2%gcc@8.3.1": spec-0.json

---"""
"""A sound page in the legacy format."""


def lines(text: str = PAGE) -> dict[str, str]:
    """Take a page apart into its five lines, by key."""
    return {line.split(":", 1)[0]: line for line in text.split("\n")[1:-1]}


def assemble(entries: Iterable[str]) -> str:
    """Put lines between the two markers."""
    return "\n".join(["---", *entries, "---"])


def check(text: str | bytes, context: PageContext = CONTEXT, *extra: str) -> list[Finding]:
    """Check a page by the default rules, and those of the codes ``extra``."""
    raw = text if isinstance(text, bytes) else text.encode("utf-8")
    return check_page(raw, settings=Settings(selected=Settings().selected | set(extra)),
                      context=context)


def found(text: str | bytes, context: PageContext = CONTEXT, *extra: str) -> list[tuple[str, str]]:
    """Check a page: the code and pointer of each finding, sorted."""
    return sorted((finding.code, finding.pointer) for finding in check(text, context, *extra))


def covered(text: str | bytes, finding: Finding) -> str:
    """Return what a finding's span covers of a page."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    rows = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    rows = rows[finding.line - 1 : finding.end_line]
    rows[-1] = rows[-1][: finding.end_column - 1]
    rows[0] = rows[0][finding.column - 1 :]
    return "\n".join(rows)


def reported(
    text: str | bytes, context: PageContext = CONTEXT, *extra: str
) -> list[tuple[str, str, str]]:
    """Check a page: the code, pointer and covered text of each finding, sorted."""
    return sorted((finding.code, finding.pointer, covered(text, finding))
                  for finding in check(text, context, *extra))


def write_catalog(
    root: Path, pages: Mapping[str, str | bytes], tags: Mapping[str, list[str]]
) -> None:
    """Write a catalog: pages by ``<tag>/<package>``, and ``_data/tags.yaml``."""
    for place, text in pages.items():
        file = root / "_cache" / place / "specs.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    (root / "_data").mkdir(exist_ok=True)
    entries = [
        "\n".join([f"- name: {tag}", "  stacks:", *(f"  - {stack}" for stack in stacks), ""])
        for tag, stacks in tags.items()
    ]
    (root / "_data" / "tags.yaml").write_text("".join(entries), encoding="utf-8")
