"""CL1xx: the file and its front matter. Reading the file finds these; here they are explained."""

from __future__ import annotations

from collections.abc import Iterator

from cachelint.document.page import Page
from cachelint.model import PageContext, PageFormat, Problem, Severity
from cachelint.rules.base import ALL, Blocks, Fix, emitted_rule, page_rule


@emitted_rule("CL100", "unreadable-file", formats=ALL, by="files", invalidates_specs=True, blocks_fix=Blocks.ALWAYS)
def unreadable_file() -> None:
    """The file cannot be read.

    It is gone, a folder, a link that leads nowhere or to itself, no regular file, or its
    permissions forbid it. Jekyll stops at such a file, and no page of the site is built.

    Fix: none. Restore the file or its permissions.
    """


@emitted_rule("CL101", "not-utf8", formats=ALL, by="parser", invalidates_specs=True, blocks_fix=Blocks.ALWAYS)
def not_utf8() -> None:
    """The file holds bytes that are not UTF-8.

    Jekyll fails to build the whole site over one such file. The message gives the offset of the
    first bad byte.

    Bad:

        ---
        title: "zlib<0xff>"
        …
        ---

    Good:

        ---
        title: "zlib"
        …
        ---

    Fix: none. What the bytes should say, only their author knows.
    """


@emitted_rule("CL102", "byte-order-mark", formats=ALL, fixability=Fix.FILE, by="parser", invalidates_specs=True)
def byte_order_mark() -> None:
    """A byte-order mark stands before the front matter.

    Jekyll then does not see the first `---`, takes the file for no page at all, and the package
    silently vanishes from the site.

    Bad:

        <BOM>---
        …
        ---

    Good:

        ---
        …
        ---

    Fix: removes the mark.
    """


@emitted_rule("CL103", "line-endings", formats=ALL, fixability=Fix.FILE, by="parser", invalidates_specs=True)
def line_endings() -> None:
    """Lines end in CR LF or CR.

    The page builds, but the next regeneration changes every line of it back, and each such change
    stays in the repository's history for good.

    Bad:

        ---<CR>
        …
        ---

    Good:

        ---
        …
        ---

    Fix: makes all line ends LF.
    """


@emitted_rule("CL104", "no-front-matter", formats=ALL, by="parser", invalidates_specs=True, blocks_fix=Blocks.ALWAYS)
def no_front_matter() -> None:
    """The first line is not `---`.

    Without front matter the file is no page to Jekyll, and the package vanishes from the site. An
    empty file is one of these.

    Bad:

        # zlib
        ---
        …
        ---

    Good:

        ---
        …
        ---

    Fix: none. Restore the file from its generator or its history.
    """


@emitted_rule("CL105", "unclosed-front-matter", formats=ALL, by="parser", invalidates_specs=True, blocks_fix=Blocks.ALWAYS)
def unclosed_front_matter() -> None:
    """No line `---` closes the front matter.

    Most often the file was cut off while it was written. Jekyll then finds no data in it, and
    `api/data.json` is no JSON any more: search is dead for every package.

    Bad:

        ---
        …

    Good:

        ---
        …
        ---

    Fix: none. What was cut off cannot be told; restore the file.
    """


@emitted_rule("CL106", "syntax", formats=ALL, by="parser", invalidates_specs=True, blocks_fix=Blocks.ALWAYS)
def syntax() -> None:
    """The front matter is not YAML, or not the plain data that a page may hold.

    Jekyll then leaves out the page's data, and `api/data.json` is no JSON any more: search is dead
    for every package. A merge conflict that was left in the file is named as one. YAML tags such as
    `!!python/object` and a second document are refused here too.

    Bad:

        ---
        title: "zlib"
        layout: cache
        categories: [package, develop-2025-03-30
        …
        ---

    Good:

        ---
        …
        ---

    Fix: none. Mend the line by hand, or restore the file.
    """


@emitted_rule("CL107", "duplicate-key", formats=ALL, highlight="key", by="parser", invalidates_specs=True, blocks_fix=Blocks.ALWAYS)
def duplicate_key() -> None:
    r"""A key stands twice in one mapping.

    Nearly every reader silently keeps the last, so that the page says one thing to a person and
    another to the site. A key that is escaped (`"\u0061"`) is the same key as the plain one.
    Nothing else is checked on such a page.

    Bad:

        meta: {… "num_specs": 1, "num_specs": 2 …}

    Good:

        meta: {… "num_specs": 2 …}

    Fix: none. Which of the two is meant, only a person can say.
    """


@emitted_rule("CL108", "content-after-front-matter", formats=ALL, severity=Severity.WARNING, by="parser")
def content_after_front_matter() -> None:
    """Text follows the closing `---`.

    The site's layout does not show it, and the generator will not write it again.

    Bad:

        ---
        …
        ---
        Built by hand.

    Good:

        ---
        …
        ---

    Fix: none. `cachelint fix` keeps the text byte for byte.
    """


@page_rule("CL109", "legacy-format", formats=frozenset({PageFormat.LEGACY}), severity=Severity.WARNING)
def legacy_format(_: Page, __: PageContext) -> Iterator[Problem]:
    """A page in a format of 2021 or 2022, with `spec_files` and without `spec_details`.

    Its `meta` has no `num_specs`, on which today's site relies. Old catalogs hold such pages, so
    this is a warning; their `meta` and `spec_files` are not checked.

    Bad:

        ---
        title: "zlib"
        layout: cache
        categories: [package, develop-2025-03-30]
        meta: {"versions": ["1.2"], "compilers": ["gcc@8.3.1"]}
        spec_files: ["spec-0.json"]
        ---

    Good:

        ---
        …
        ---

    Fix: none. Only the binary cache itself holds what a page of today needs.
    """
    yield Problem("", "a page in a legacy format: its meta and spec_files are not checked, and "
                      "today's site finds no num_specs in it")


@emitted_rule("CL110", "over-limits", formats=ALL, by="parser", invalidates_specs=True, blocks_fix=Blocks.ALWAYS)
def over_limits() -> None:
    """The file is larger or deeper than a page can be.

    It has more bytes than `max-page-size` (8 MiB), more than 2 MiB where it is not in the
    generator's form and the YAML parser would be needed, values nested over 100 deep, or a YAML
    alias, with which a few bytes can stand for billions of values. It is not parsed.

    Bad:

        meta: &everything {"num_specs": 2}
        spec_details: *everything

    Good:

        ---
        …
        ---

    Fix: none. The limit on bytes can be raised by `max-page-size`, the others cannot.
    """


@emitted_rule("CL111", "stray-page", formats=ALL, severity=Severity.WARNING, by="files")
def stray_page() -> None:
    """A file with front matter lies below `_cache` where no page belongs.

    Jekyll takes every such file for a page of the collection, whatever its name, so that a package
    appears twice or a note appears as a package. Pages are `_cache/<tag>/<package>/specs.md`, and
    in legacy catalogs `_cache/<package>/specs.md` and `_cache/<package>/index.md`.

    Fix: none. Move the file, or remove its front matter.
    """


@emitted_rule("CL199", "internal-error", formats=ALL, by="linter", can_be_hidden=False,
              invalidates_specs=True, blocks_fix=Blocks.ALWAYS, since="0.2.0")
def internal_error() -> None:
    """`cachelint` itself fails on this page.

    This is a bug in `cachelint`, not in the page. The page is not changed, every other page is
    still checked and fixed, and the run ends with exit status 2. This finding cannot be ignored,
    excluded, given another severity or put in a baseline.

    Fix: none. Report the page and the message to the developers of `cachelint`.
    """


RULES = (
    unreadable_file, not_utf8, byte_order_mark, line_endings, no_front_matter,
    unclosed_front_matter, syntax, duplicate_key, content_after_front_matter, legacy_format,
    over_limits, stray_page, internal_error,
)
