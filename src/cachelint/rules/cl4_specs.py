"""CL4xx: the specs, each by itself and beside the others of its page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, TypeGuard

from cachelint.document import schema
from cachelint.document.page import Page
from cachelint.document.schema import show
from cachelint.document.strict_json import dumps
from cachelint.document.variants import explain_variant, variant_name, variant_names
from cachelint.model import PageContext, Problem, RuleOptions, Severity
from cachelint.rules.base import TARBALL, Blocks, Fix, on_value, page_rule, value_rule
from cachelint.text import clip, common_prefix, ordinal, plural

_HASH = re.compile(r"[a-z2-7]{32}").fullmatch
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


@value_rule("CL401", "invalid-hash", field="hash", restates_schema=True)
def invalid_hash(value: str, _: RuleOptions) -> Iterator[Problem]:
    """A hash is not 32 characters of `a` to `z` and `2` to `7`.

    ## What it does

    Checks the length and the characters of each `hash`. The message names the first wrong
    character.

    ## Why it is a problem

    The DAG hash is how Spack finds the binary: with a wrong one, nothing can be installed. It is the
    base32 form of a SHA-1, which has no `0`, `1`, `8`, `9` and no capital letters.

    ## Example

        spec_details: [{… "hash": "2c44nm4mufjlcr3pyjmzmr4ukhpgf5u" …}, …]

    ## Use instead

        spec_details: [{… "hash": "2c44nm4mufjlcr3pyjmzmr4ukhpgf5uv" …}, …]

    ## Fix

    None. Only the binary cache has the right hash.
    """
    if _HASH(value):
        return
    faults = []
    if len(value) != 32:
        faults.append(f"{plural(len(value), 'character')}, expected 32")
    strange = re.search(r"[^a-z2-7]", value)
    if strange:
        faults.append(f"character {strange.start() + 1:,} is {dumps(strange[0])}, allowed are a-z "
                      "and 2-7")
    yield Problem("", f"invalid hash {show(value)}: {'; '.join(faults)}")


@page_rule("CL402", "duplicate-hash", blocks_fix=Blocks.ALWAYS)
def duplicate_hash(page: Page, _: PageContext) -> Iterator[Problem]:
    """Two specs of a page have the same hash.

    ## What it does

    Reports each spec whose hash an earlier spec of the page has. The message names the earlier spec.

    ## Why it is a problem

    A hash identifies one concretized spec. Either a spec is duplicated, and every number in `meta`
    counts it twice, or one of the two has the hash of another.

    ## Example

        spec_details: [{… "hash": "2c44nm4mufjlcr3pyjmzmr4ukhpgf5uv" …}, {… "hash": "2c44nm4mufjlcr3pyjmzmr4ukhpgf5uv" …}]

    ## Use instead

        spec_details: [{… "hash": "2c44nm4mufjlcr3pyjmzmr4ukhpgf5uv" …}, {… "hash": "zgla7zae7wzvfpiosiwj32g4t3aubjbf" …}]

    ## Fix

    None. The page is skipped: a regenerated summary would hide the error.
    """
    first: dict[str, int] = {}
    for index, spec in enumerate(page.specs):
        value = spec.get("hash") if isinstance(spec, dict) else None
        if not isinstance(value, str) or not _HASH(value):
            continue  # an invalid one is reported by CL401
        if value in first:
            yield Problem(
                f"/spec_details/{index}/hash",
                f"duplicate hash {value}: also used by the {ordinal(first[value] + 1)} spec, "
                f"{page.name_version(first[value])}",
                other=f"/spec_details/{first[value]}/hash",
                other_label="first here",
            )
        else:
            first[value] = index


def _repeated(values: Any) -> Iterator[tuple[int, int]]:
    """Yield the index of each duplicate item, and of the first one like it."""
    first: dict[str, int] = {}
    for index, value in enumerate(values):
        if value in first:
            yield index, first[value]
        else:
            first[value] = index


def _are_strings(values: Any) -> TypeGuard[list[str]]:
    # of the few types rather than of the many values
    return isinstance(values, list) and all(issubclass(kind, str) for kind in set(map(type, values)))


@on_value("stacks")
def _repeated_stacks(value: list[str], _: RuleOptions) -> Iterator[Problem]:
    for index, first in _repeated(value):
        yield Problem(f"/{index}", f"duplicate stack {show(value[index])} in a spec",
                      other=f"/{first}", other_label="first here")


@on_value("variants")
def _repeated_variants(value: list[str], _: RuleOptions) -> Iterator[Problem]:
    names = variant_names(value)
    for index, first in _repeated(names):
        if names[index]:  # an invalid variant (CL404) has no name, and equals nothing
            yield Problem(f"/{index}", f"duplicate variant {show(names[index])} in a spec",
                          other=f"/{first}", other_label="first here")


@page_rule("CL403", "repeated-item", fixability=Fix.META,
           values=_repeated_stacks + _repeated_variants)
def repeated_item(page: Page, _: PageContext) -> Iterator[Problem]:
    """An item is duplicated in a list that is a set.

    ## What it does

    Reports an item that appears twice in `stacks` or in a list of `meta`, and a variant that is set
    twice in one spec.

    ## Why it is a problem

    `+shared` and `~shared` in one spec contradict each other, and a stack that appears twice is counted
    twice.

    ## Example

        spec_details: [{… "variants": ["+shared", "~shared"] …}, …]

    ## Use instead

        spec_details: [{… "variants": ["+shared"] …}, …]

    ## Fix

    Regenerates a list in `meta`. Specs are never changed.
    """
    meta = page.data.get("meta")
    if isinstance(meta, dict):
        for key, values in meta.items():
            if _are_strings(values):
                for index, first in _repeated(values):
                    pointer = f"/meta/{key}"
                    yield Problem(f"{pointer}/{index}", f"duplicate item {show(values[index])} in {key}",
                                  other=f"{pointer}/{first}", other_label="first here")


@value_rule("CL404", "variant-syntax", field="variants", each=True, restates_schema=True)
def variant_syntax(value: str, _: RuleOptions) -> Iterator[Problem]:
    """A variant does not have Spack's syntax.

    ## What it does

    Checks each variant: `+name` or `~name`, the propagated forms `++name` and `~~name`, `name=value`,
    the multi-valued `name:=value`, and the propagated `name==value` and `name:==value`. A value with
    spaces must be quoted.

    ## Why it is a problem

    Nobody can use such a variant in a Spack command, and the site cannot filter by it.

    ## Example

        spec_details: [{… "variants": ["+~shared"] …}, …]

    ## Use instead

        spec_details: [{… "variants": ["build_system=cmake", "languages='c,c++'", "+shared"] …}, …]

    ## Fix

    None.
    """
    # a control character is CL701's, unless the rest is invalid as well
    if not variant_name(value) and not variant_name(_CONTROL.sub("_", value)):
        yield Problem("", f"invalid variant {show(value)}: {explain_variant(value)}")


@value_rule("CL405", "version-count", field="versions", restates_schema=True)
def version_count(value: list[str], _: RuleOptions) -> Iterator[Problem]:
    """A spec has more than one version.

    ## What it does

    Reports a spec whose `versions` has more than one item.

    ## Why it is a problem

    A concretized spec has exactly one version. `versions` is a list only because the templates of the
    site need one.

    ## Example

        spec_details: [{… "versions": ["1.2.13", "1.3.1"] …}, …]

    ## Use instead

        spec_details: [{… "versions": ["1.3.1"] …}, …]

    ## Fix

    None.
    """
    if len(value) > 1:
        yield Problem("", f"a spec has {len(value):,} versions, expected 1: "
                          f"{clip(', '.join(value), 60)}")


@page_rule("CL406", "tarball-url", formats=TARBALL)
def tarball_url(page: Page, context: PageContext) -> Iterator[Problem]:
    """`tarball` is not the URL that follows from the spec.

    ## What it does

    Compares the URL with `TAG/build_cache/P/C/PACKAGE-VERSION/P-C-PACKAGE-VERSION-HASH.spack` below one
    of `mirror-urls`, with or without `releases/`. P is `PLATFORM-OS-TARGET`, and C is the compiler as
    `NAME-VERSION`. A page outside of `_cache/<tag>/<package>/` is not checked.

    ## Why it is a problem

    The site links to this URL for the download.

    ## Example

        spec_details: [{… "tarball": "https://binaries.spack.io/zlib-1.3.1.spack" …}, {… "tarball": "https://binaries.spack.io/develop-2025-03-30/build_cache/linux-ubuntu22.04-x86_64_v3/gcc-11.4.0/zlib-1.2.13/linux-ubuntu22.04-x86_64_v3-gcc-11.4.0-zlib-1.2.13-zgla7zae7wzvfpiosiwj32g4t3aubjbf.spack" …}]

    ## Use instead

        spec_details: [{… "tarball": "https://binaries.spack.io/develop-2025-03-30/build_cache/linux-ubuntu22.04-x86_64_v3/gcc-11.4.0/zlib-1.3.1/linux-ubuntu22.04-x86_64_v3-gcc-11.4.0-zlib-1.3.1-2c44nm4mufjlcr3pyjmzmr4ukhpgf5uv.spack" …}, {… "tarball": "https://binaries.spack.io/develop-2025-03-30/build_cache/linux-ubuntu22.04-x86_64_v3/gcc-11.4.0/zlib-1.2.13/linux-ubuntu22.04-x86_64_v3-gcc-11.4.0-zlib-1.2.13-zgla7zae7wzvfpiosiwj32g4t3aubjbf.spack" …}]

    ## Fix

    None.
    """
    tag, package = context.page_id
    if tag is None or package is None:
        return
    folders = mirror_folders(context.options.mirror_urls)
    for index, spec in enumerate(page.specs):
        if not isinstance(spec, dict) or not all(
                _is_valid(field, spec.get(field)) for field in _IN_TARBALL_URL):
            continue
        start = tarball_start(tag, package, spec["platform"], spec["os"], spec["target"],
                              spec["compiler"], spec["versions"][0])
        actual = spec["tarball"]
        expected = [f"{folder}{start}{spec['hash']}.spack" for folder in folders]
        if actual not in expected:
            # of the URLs that are allowed, show the nearest
            nearest = max(expected, key=lambda url: common_prefix(url, actual))
            at = common_prefix(nearest, actual)
            yield Problem(f"/spec_details/{index}/tarball", (
                f"wrong tarball URL: expected {_around(nearest, at)}, found {_around(actual, at)} "
                f"at character {at + 1:,}"))


_IN_TARBALL_URL = ("platform", "os", "target", "compiler", "hash", "versions", "tarball")


def tarball_start(
    tag: str, package: str, platform: str, system: str, target: str, compiler: str, version: str
) -> str:
    """Return the path of a spec's tarball below its mirror, as far as the spec's hash."""
    built_for = f"{platform}-{system}-{target}"
    built_by = compiler.replace("@=", "-", 1).replace("@", "-", 1)
    release = f"{package}-{version}"
    return (f"{tag}/build_cache/{built_for}/{built_by}/{release}/"
            f"{built_for}-{built_by}-{release}-")


@lru_cache(maxsize=1)
def mirror_folders(mirror_urls: tuple[str, ...]) -> tuple[str, ...]:
    """Return the folders of mirrors in which tags have their build caches."""
    return tuple(f"{mirror.rstrip('/')}/{folder}"
                 for mirror in mirror_urls for folder in ("", "releases/"))


def _is_valid(field: str, value: Any) -> bool:
    """Return whether a field of a spec has a value that the schema allows."""
    return schema.compile_check("page-tarball", f"/$defs/spec/properties/{field}")(value)


def _around(text: str, at: int) -> str:
    """Show the part of a path between slashes in which ``at`` lies."""
    if at >= len(text):
        return "its end"
    start = text.rfind("/", 0, at) + 1
    end = text.find("/", at)
    return show(text[start : end if end >= 0 else len(text)])


@page_rule("CL407", "missing-root", severity=Severity.WARNING)
def missing_root(page: Page, context: PageContext) -> Iterator[Problem]:
    """A spec is not in the `root` stack of its tag.

    ## What it does

    Reports, once for each page, specs without `root` (or the configured `root-stack`) where
    `_data/tags.yaml` lists it for the tag.

    ## Why it is a problem

    `root` is the cache of all stacks. Whoever installs from it does not find this spec.

    ## Example

        spec_details: [{… "stacks": ["e4s"] …}, …]

    ## Use instead

        spec_details: [{… "stacks": ["e4s", "root"] …}, …]

    ## Fix

    None.
    """
    root, listed = context.options.root_stack, context.tag_stacks
    if listed is None or root not in listed:
        return
    without = [
        index for index, spec in enumerate(page.specs)
        if isinstance(spec, dict) and _are_strings(spec.get("stacks"))
        and spec["stacks"] and all(spec["stacks"]) and root not in spec["stacks"]
    ]
    if without:
        specs = page.name_spec(without[0]) + (
            f" and {plural(len(without) - 1, 'more spec')}" if len(without) > 1 else "")
        yield Problem(f"/spec_details/{without[0]}/stacks",
                      f"missing stack {show(root)}, which the tag has: {specs}")


@page_rule("CL408", "mixed-compiler-spelling", severity=Severity.WARNING)
def mixed_compiler_spelling(page: Page, _: PageContext) -> Iterator[Problem]:
    """A page has two spellings of compilers.

    ## What it does

    Reports, once for each page, `name@version` and `name@=version` on one page.

    ## Why it is a problem

    The generator wrote `@=` until 2025-03-23 and writes `@` since. A page with both was merged from two,
    and the site shows the two spellings as different compilers.

    ## Example

        spec_details: [{… "compiler": "gcc@=11.4.0" …}, {… "compiler": "gcc@11.4.0" …}]

    ## Use instead

        spec_details: [{… "compiler": "gcc@11.4.0" …}, {… "compiler": "gcc@11.4.0" …}]

    ## Fix

    None.
    """
    names = [name for name in page.expected_meta.get("compilers", ()) if _is_valid("compiler", name)]
    old = [name for name in names if "@=" in name]
    new = [name for name in names if "@" in name and "@=" not in name]
    if old and new:
        yield Problem("/meta/compilers", "compilers have two spellings on this page: "
                                         f"{clip(old[0], 40)} and {clip(new[0], 40)}")


RULES = (
    invalid_hash, duplicate_hash, repeated_item, variant_syntax, version_count, tarball_url,
    missing_root, mixed_compiler_spelling,
)
