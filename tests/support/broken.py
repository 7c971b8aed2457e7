"""One catalog in which every rule is broken, with text that would do harm if it were let through.

Its pages and the names of its files try to steer a terminal, to turn text around, to
command a runner of workflows, and to escape from strings in XML, HTML and Markdown.
"""

from __future__ import annotations

import json
import os
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from cachelint import Report, Settings, check
from cachelint.linter.findings import order
from support import valid
from support.valid import FIRST, PAGE, SECOND, TAG, meta, page, specs, tarball_specs, without

HOSTILE = ("\x1b[31m\x9b2J\r\n::error file=x::forged\u2028\ufffe]]></script>\u202e%0A##[error]{0}"
           "[x](https://example.org)&<b>`|\"'")
"""Text that tries to leave every place where a format puts it."""
NAME = os.fsdecode(b"\x1b[31m\n::error::]]><b>[x](y)") + "\u202e%0A##[error]{0}&\"'" + "\udcff"
"""The same as a file's name, with a byte that is not UTF-8."""
FOLDER = "::error file=x::forged\u202e"
"""A catalog whose paths begin like a workflow command."""

FROZEN, UNSORTED, UNLISTED, EMPTY = "v0.7", "v0.8", "develop-2025-04-20", "v0.9"
"""Tags: one to compare with a base revision, and three for the catalog's own files."""


def _line(key: str, line: str) -> str:
    return PAGE.replace(valid.lines()[key], line)


def _raw(text: str) -> str:
    """Write a spec's compiler as it is, and not escaped."""
    return page(None, specs(0, compiler="RAW")).replace("RAW", text)


_TITLE, _META, _SPECS = (valid.lines()[key] for key in ("title", "meta", "spec_details"))

PAGES: dict[str, str | bytes] = {
    # CL1
    "not-utf8": PAGE.encode().replace(b"cache", b"\xff\x1b[31m"),
    "mark": "\ufeff" + PAGE,
    "line-ends": PAGE.replace("\n", "\r\n"),
    "no-front-matter": f"# {HOSTILE}\n",
    "unclosed": PAGE[:400],
    "syntax": _line("layout", "layout: \x1b[31m\u202e@"),
    "conflict": _line("meta", f"<<<<<<< HEAD\n{_META}\n=======\n{_META}\n>>>>>>> {TAG}"),
    "key-twice": PAGE.replace('"num_specs": 2', '"num_specs": 1, "num_specs": 2'),
    "content": PAGE + "\n::error::Built by \u202ehand.\n",
    "legacy": f"""---
title: "zlib"
layout: cache
categories: [package, {TAG}]
meta: {{"versions": ["1.2"], "compilers": ["gcc@8.3.1"]}}
spec_files:
 - "zlib@1.2%gcc@8.3.1": spec-0.json

---""",
    "alias": _line("meta", 'meta: &everything {"num_specs": 2}').replace(
        _SPECS, "spec_details: *everything"),
    # CL2
    "missing-key": page(without(meta(), "oss")),
    "unknown-key": page(None, [{**specs()[0], HOSTILE: 1}, specs()[1]]),
    "wrong-type": page(meta(num_specs=HOSTILE)),
    "invalid-value": _line("layout", f"layout: {json.dumps(HOSTILE)}"),
    # CL3
    "stale": page(meta(compilers=["gcc@12"], num_specs=3, num_specs_by_stack={"root": 2},
                       oss=["rhel8"], platforms=["darwin"], stacks=["root"], targets=["x86_64"],
                       versions=["1.3.1"])),
    # CL4
    "bad-hash": page(None, specs(0, hash=f"{FIRST[:-1]}0")),
    "hash-twice": page(None, specs(1, hash=FIRST)),
    "item-twice": page(meta(oss=["ubuntu22.04", "ubuntu22.04"])),
    "variant": page(None, specs(0, variants=[f"build_system={HOSTILE}", "shared\u202e"])),
    "versions": page(None, specs(0, versions=["1.2.13", "1.3.1"])),
    "tarball": page(None, tarball_specs(0, tarball=f"https://example.org/{HOSTILE}")),
    "no-root": page(None, specs(0, stacks=["e4s"])),
    "spelling": page(None, specs(0, compiler="gcc@=11.4.0")),
    # CL5
    "key-order": _line("layout", _TITLE).replace(_TITLE, "layout: cache", 1),
    "unsorted-list": page(meta(versions=["1.3.1", "1.2.13"])),
    "unsorted-specs": page(None, specs()[::-1]),
    "bytes": PAGE.replace('"num_specs": 2', '"num_specs":2'),
    "comment": _line("layout", f"layout: cache # \u202e]]></script>\n# {HOSTILE[-20:]}"),
    "trailing": PAGE + "\n\n",
    "variant-order": page(None, specs(0, variants=["+shared", "build_system=makefile"])),
    "tarball-order": page(None, tarball_specs()[::-1]),
    # CL6
    "wrong-title": _line("title", 'title: "zstd"'),
    "wrong-tag": _line("categories", "categories: [package, v0.1]"),
    "unknown-stack": page(None, specs(0, stacks=["e4s", "gpu", "root"])),
    # CL7
    "unsafe": page(None, specs(0, os=HOSTILE)),
    "unsafe-raw": _raw("</script>\u202e]]>%0A::error::"),
    "loaders": page(None, specs(0, variants=["note=\ud800\U0001f600"])),
}
"""Each is in the place of a package of this name, and breaks the rule after which it is called."""

_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


def own(text: str | bytes, package: str, number: int) -> bytes:
    """Make a page one of its package, with hashes that no other page has."""
    raw = text if isinstance(text, bytes) else text.encode("utf-8")
    end = _LETTERS[number // 32] + _LETTERS[number % 32]
    for dag_hash in (FIRST, SECOND):
        raw = raw.replace(dag_hash.encode(), (dag_hash[:-2] + end).encode())
    return raw.replace(b"zlib", package.encode("utf-8", "surrogateescape"))


def write(root: Path) -> None:
    """Write the catalog into a new git repository; the base revision is its only commit."""
    before = {
        f"{FROZEN}/{name}": own(PAGE.replace(TAG, FROZEN), name, number)
        for number, name in enumerate(["changed", "removed", "reordered"])}
    valid.write_catalog(root, before, {FROZEN: ["e4s", "root"]})
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "base"]):
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments], cwd=root,
            check=True, capture_output=True,
            env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1",
                 # advice names the commit
                 "GIT_AUTHOR_DATE": "2025-01-01T00:00:00Z",
                 "GIT_COMMITTER_DATE": "2025-01-01T00:00:00Z"})
    pages: dict[str, str | bytes] = {
        f"{TAG}/{package}": own(text, package, number)
        for number, (package, text) in enumerate(PAGES.items())}
    pages[f"{TAG}/{NAME}"] = own(PAGE, "zlib", len(PAGES))
    pages[f"{TAG}/same-hash"] = own(PAGE, "same-hash", len(PAGES))
    pages |= {
        f"{FROZEN}/changed": before[f"{FROZEN}/changed"].replace(b"x86_64_v3", b"x86_64_v4"),
        f"{FROZEN}/reordered": own(
            page(None, specs()[::-1]).replace(TAG, FROZEN), "reordered", 2),
        f"{FROZEN}/added": own(PAGE.replace(TAG, FROZEN), "added", 3),
        f"{UNSORTED}/zlib": PAGE.replace(TAG, UNSORTED),
        f"{UNLISTED}/zlib": PAGE.replace(TAG, UNLISTED),
        f"{NAME}/zlib": PAGE,
    }
    valid.write_catalog(root, pages, {
        TAG: ["e4s", "root"], FROZEN: ["e4s", "root"], UNSORTED: ["root", "e4s"], EMPTY: ["root"]})
    (root / "_cache" / FROZEN / "removed" / "specs.md").unlink()
    gone = root / "_cache" / TAG / "gone"
    gone.mkdir()
    (gone / "specs.md").symlink_to("nowhere")
    (gone / f"{NAME}.md").write_text("---\n---\n")
    (root / "_data" / "meta.yaml").write_text(f"all:\n  count: 2\n{UNSORTED}:\n  count: 3\n")
    folder = root / "pages" / "tags"
    folder.mkdir(parents=True)
    for tag, said in {TAG: TAG, FROZEN: FROZEN, EMPTY: EMPTY, UNSORTED: "v0.6"}.items():
        (folder / f"{tag}.md").write_text(
            f"---\nlayout: table\npermalink: /tag/{tag}/\ntag: {said}\n---")
    other = root / FOLDER
    other.mkdir()
    valid.write_catalog(other, {f"{TAG}/zlib": page(meta(num_specs=3))}, {TAG: ["e4s", "root"]})


@cache
def report() -> Report:
    """Check the catalog: the whole of it, and against its base revision."""
    settings = Settings(selected=Settings().selected | {"CL507"})
    before = Path.cwd()
    with TemporaryDirectory() as folder:
        write(Path(folder))
        os.chdir(folder)
        try:
            whole = check(settings=settings)
            changes = check(settings=settings, diff_base="HEAD")
        finally:
            os.chdir(before)
    findings = [*whole.findings,
                *(each for each in changes.findings if each.code.startswith("CL8"))]
    return Report(tuple(sorted(findings, key=order)), whole.pages)
