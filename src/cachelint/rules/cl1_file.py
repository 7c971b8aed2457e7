"""CL1xx: the file and its front matter. Reading the file finds these; here they are explained."""

from __future__ import annotations

from collections.abc import Iterator

from cachelint.document.page import Page
from cachelint.model import PageContext, PageFormat, Problem, Severity
from cachelint.rules.base import ALL, Blocks, Fix, emitted_rule, page_rule


@emitted_rule("CL100", "unreadable-file", formats=ALL, by="files", invalidates_specs=True, blocks_fix=Blocks.ALWAYS)
def unreadable_file() -> None:
    """A file cannot be read.

    ## What it does

    Reports a file that is missing, is a folder or not a regular file, cannot be read for lack of
    permission, or is reached through a link that leads nowhere, to itself or out of the catalog. What
    is behind a link that leads out of the catalog is never read.

    ## Why it is a problem

    Jekyll stops at a file that it cannot open, and no page of the site is built. Where there is a folder
    instead of a file, the package is missing. A link that leads out of the catalog can publish what is
    behind it.

    ## Fix

    None. Restore the file or its permissions; replace a link by the file itself.
    """


@emitted_rule("CL101", "not-utf8", formats=ALL, by="parser", invalidates_specs=True, blocks_fix=Blocks.ALWAYS)
def not_utf8() -> None:
    """A file is not valid UTF-8.

    ## What it does

    Reports the first byte that is not valid UTF-8, with its offset in the file.

    ## Why it is a problem

    Jekyll fails to build the whole site because of one such file.

    ## Example

        ---
        title: "zlib<0xff>"
        …
        ---

    ## Use instead

        ---
        title: "zlib"
        …
        ---

    ## Fix

    None. Only the author of the file knows which character was meant.
    """


@emitted_rule("CL102", "byte-order-mark", formats=ALL, fixability=Fix.FILE, by="parser", invalidates_specs=True)
def byte_order_mark() -> None:
    """A file begins with a byte-order mark.

    ## What it does

    Reports a byte-order mark before the first `---`.

    ## Why it is a problem

    Jekyll then does not recognise the front matter, and the package is missing from the site without
    an error message.

    ## Example

        <BOM>---
        …
        ---

    ## Use instead

        ---
        …
        ---

    ## Fix

    Removes the byte-order mark.
    """


@emitted_rule("CL103", "line-endings", formats=ALL, fixability=Fix.FILE, by="parser", invalidates_specs=True)
def line_endings() -> None:
    """Lines end in CR LF or CR.

    ## What it does

    Reports the first line that does not end in LF.

    ## Why it is a problem

    The page builds, but the next regeneration changes every line. Each such change stays in the
    history of the repository.

    ## Example

        ---<CR>
        …
        ---

    ## Use instead

        ---
        …
        ---

    ## Fix

    Changes all line ends to LF.
    """


@emitted_rule("CL104", "no-front-matter", formats=ALL, by="parser", invalidates_specs=True, blocks_fix=Blocks.ALWAYS)
def no_front_matter() -> None:
    """The first line is not `---`.

    ## What it does

    Reports a file without front matter. An empty file is one of these.

    ## Why it is a problem

    Jekyll does not take such a file for a page, and the package is missing from the site.

    ## Example

        # zlib
        ---
        …
        ---

    ## Use instead

        ---
        …
        ---

    ## Fix

    None. Restore the file from its generator or from the history.
    """


@emitted_rule("CL105", "unclosed-front-matter", formats=ALL, by="parser", invalidates_specs=True, blocks_fix=Blocks.ALWAYS)
def unclosed_front_matter() -> None:
    """No line `---` closes the front matter.

    ## What it does

    Reports front matter that does not end. Most often the file was cut off while it was written.

    ## Why it is a problem

    Jekyll reads no data from such a page, and `api/data.json` is then not valid JSON: the search
    fails for every package.

    ## Example

        ---
        …

    ## Use instead

        ---
        …
        ---

    ## Fix

    None. Restore the file: what was cut off cannot be derived.
    """


@emitted_rule("CL106", "syntax", formats=ALL, by="parser", invalidates_specs=True, blocks_fix=Blocks.ALWAYS)
def syntax() -> None:
    """The front matter is not valid YAML, or not the plain data that a page may contain.

    ## What it does

    Reports invalid YAML or JSON at the position where the parser stopped. Merge-conflict markers and
    Git LFS pointers are reported as such. Explicit tags such as `!!python/object` and a second document
    are not allowed.

    ## Why it is a problem

    Jekyll then ignores the data of the page, and `api/data.json` is not valid JSON: the search fails
    for every package.

    ## Example

        ---
        title: "zlib"
        layout: cache
        categories: [package, develop-2025-03-30
        …
        ---

    ## Use instead

        ---
        …
        ---

    ## Fix

    None. Correct the line by hand, or restore the file.
    """


@emitted_rule("CL107", "duplicate-key", formats=ALL, highlight="key", by="parser", invalidates_specs=True, blocks_fix=Blocks.ALWAYS)
def duplicate_key() -> None:
    r"""A key is duplicated in one mapping.

    ## What it does

    Reports each key that an earlier key of the same mapping equals, in YAML or in JSON. An escaped key
    (`"\u0061"`) equals the plain one. Nothing else is checked on such a page.

    ## Why it is a problem

    Nearly every reader uses the last of the two without a warning, so that a person and the site can
    read different values.

    ## Example

        meta: {… "num_specs": 1, "num_specs": 2 …}

    ## Use instead

        meta: {… "num_specs": 2 …}

    ## Fix

    None. Only a person can decide which of the two is meant.
    """


@emitted_rule("CL108", "content-after-front-matter", formats=ALL, severity=Severity.WARNING, by="parser")
def content_after_front_matter() -> None:
    """Text follows the closing `---`.

    ## What it does

    Reports text after the front matter that is more than whitespace.

    ## Why it is a problem

    The layout of the site does not show it, and the generator does not write it again.

    ## Example

        ---
        …
        ---
        Built by hand.

    ## Use instead

        ---
        …
        ---

    ## Fix

    None. `cachelint fix` keeps the text byte for byte.
    """


@page_rule("CL109", "legacy-format", formats=frozenset({PageFormat.LEGACY}), severity=Severity.WARNING)
def legacy_format(_: Page, __: PageContext) -> Iterator[Problem]:
    """A page has a format of 2021 or 2022.

    ## What it does

    Reports a page with `spec_files` and without `spec_details`. Its `meta` and `spec_files` are not
    checked.

    ## Why it is a problem

    Its `meta` has no `num_specs`, which today's site needs. Old catalogs contain such pages, so this is
    a warning.

    ## Example

        ---
        title: "zlib"
        layout: cache
        categories: [package, develop-2025-03-30]
        meta: {"versions": ["1.2"], "compilers": ["gcc@8.3.1"]}
        spec_files: ["spec-0.json"]
        ---

    ## Use instead

        ---
        …
        ---

    ## Fix

    None. Only the binary cache has the data that today's format needs.
    """
    yield Problem("", "a page in a legacy format: its meta and spec_files are not checked, and "
                      "today's site finds no num_specs in it")


@emitted_rule("CL110", "over-limits", formats=ALL, by="parser", invalidates_specs=True, blocks_fix=Blocks.ALWAYS)
def over_limits() -> None:
    """A file is larger or deeper than allowed.

    ## What it does

    Reports a file of more than `max-page-size` bytes (8 MiB), of more than 500,000 values (of more than
    one for 17 bytes of `max-page-size`, if that was raised) or 100,000 lines, values nested over 100
    deep, and YAML aliases. Quotes and escapes count as values. A file in `_data` may have 150,000 lines.
    Where the YAML parser is needed, a page may have 512 KiB with 40,000 keys and values, and a file in
    `_data` 2 MiB with 60,000, and 500,000 spaces; below 25 levels, each value counts twice or more. Such
    a file is not parsed.

    Counts the findings of a page after the first 1,000, which are not reported. After 2,000 findings
    of one rule it counts "at least" so many.

    ## Why it is a problem

    A few bytes of YAML can stand for billions of values, and a large file can take all time and memory
    of a run.

    ## Example

        meta: &everything {"num_specs": 2}
        spec_details: *everything

    ## Use instead

        ---
        …
        ---

    ## Fix

    None. `max-page-size` can be raised to 64 MiB; the other limits are fixed.
    """


@emitted_rule("CL111", "stray-page", formats=ALL, severity=Severity.WARNING, by="files")
def stray_page() -> None:
    """A file with front matter is below `_cache`, where no page is expected.

    ## What it does

    Reports files with front matter whose path is not that of a page. Pages are
    `_cache/<tag>/<package>/specs.md`, and in legacy catalogs `_cache/<package>/specs.md` and
    `_cache/<package>/index.md`.

    ## Why it is a problem

    Jekyll takes every such file for a page of the collection, whatever its name: a package appears
    twice, or a note appears as a package.

    ## Fix

    None. Move the file, or remove its front matter.
    """


@emitted_rule("CL199", "internal-error", formats=ALL, by="linter", can_be_hidden=False,
              invalidates_specs=True, blocks_fix=Blocks.ALWAYS)
def internal_error() -> None:
    """`cachelint` itself fails on a page.

    ## What it does

    Reports an error of the program while it checks or fixes a page. The page is not changed, and every
    other page is still checked and fixed. The run ends with exit status 2. This finding cannot be
    ignored, excluded, given another severity or put in a baseline.

    ## Why it is a problem

    The page was not checked, so the run proves nothing about it. This is a bug in `cachelint`, not in
    the page.

    ## Fix

    None. Report the page and the message to the developers of `cachelint`.
    """


RULES = (
    unreadable_file, not_utf8, byte_order_mark, line_endings, no_front_matter,
    unclosed_front_matter, syntax, duplicate_key, content_after_front_matter, legacy_format,
    over_limits, stray_page, internal_error,
)
