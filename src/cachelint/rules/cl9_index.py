"""CL9xx: pages against the build cache's index. `cachelint verify` finds these."""

from __future__ import annotations

from cachelint.model import Severity
from cachelint.rules.base import emitted_rule


@emitted_rule("CL901", "not-in-index", by="index")
def not_in_index() -> None:
    """A spec is not in the build cache.

    ## What it does

    Reports a spec whose hash the index of the tag does not have, or has only as a dependency of others.
    Where no spec of a page is in the build cache, this is reported once for the page. Checked only by
    `cachelint verify`.

    ## Why it is a problem

    The site offers a binary that nobody can install. If no spec is left, the package is gone from the
    build cache.

    ## Fix

    None. `cachelint render` writes the pages of an index, and with `--prune` it removes pages of
    packages that are gone.
    """


@emitted_rule("CL902", "not-on-page", by="index")
def not_on_page() -> None:
    """A spec of the build cache is not on its page.

    ## What it does

    Reports a hash that is in the build cache and not on the page of its package, and a package without
    a page: at the tag's entry in `_data/tags.yaml`, or else on the tag's first page. Checked only by
    `cachelint verify`; packages without a page only where the whole tag is verified.

    ## Why it is a problem

    The site does not show a binary that can be installed.

    ## Fix

    None. `cachelint render` writes the pages of an index.
    """


@emitted_rule("CL903", "fact-differs", by="index")
def content_differs() -> None:
    """A value of a spec differs from the build cache.

    ## What it does

    Compares version, compiler, os, platform, target and variants with the index. The message has both
    values and the index. Spelling is not compared: `@=` and `@`, `:=` and `=` of a list, quotes, `++x`
    and `+x`. A compiler that the index does not name is not compared. Checked only by
    `cachelint verify`.

    ## Why it is a problem

    The site describes a binary that is not the one that is installed.

    ## Fix

    None. `cachelint render` writes the pages of an index.
    """


@emitted_rule("CL904", "stacks-differ", by="index")
def stacks_differ() -> None:
    """The stacks of a spec differ from the build cache.

    ## What it does

    Compares `stacks` with the stacks whose index has the hash. Each stack of a tag has its own index,
    and the root's has the specs of all. A stack without an index is not compared (CL905 reports it).
    Checked only by `cachelint verify`.

    ## Why it is a problem

    Whoever filters by stack finds a spec that the stack does not have, or misses one that it has.

    ## Fix

    None. `cachelint render` writes the pages of an index.
    """


@emitted_rule("CL905", "stack-without-index", severity=Severity.WARNING, by="index")
def stack_without_index() -> None:
    """A stack has no index, or an index has no stack.

    ## What it does

    Compares the stacks of the tag in `_data/tags.yaml` with those of the source. Checked only by
    `cachelint verify` where the whole tag is verified; reported at the tag's entry in
    `_data/tags.yaml`.

    ## Why it is a problem

    The generator skips a stack whose index it cannot fetch, and all specs of the tag are then without
    this stack.

    ## Fix

    None. Publish the index, or correct the entry by hand.
    """


@emitted_rule("CL906", "index-hole", severity=Severity.WARNING, by="index")
def index_hole() -> None:
    """The build cache lacks a dependency of a spec.

    ## What it does

    Reports, once for each tag and with a count, specs in the build cache that depend on one that is
    neither in the build cache nor external. Checked only by `cachelint verify` where the whole tag is
    verified.

    ## Why it is a problem

    Spack has to build the dependency before it can install the binary.

    ## Fix

    None. Push the dependency too: `spack buildcache push` does so by default.
    """


@emitted_rule("CL907", "tag-without-pages", severity=Severity.WARNING, by="index")
def tag_without_pages() -> None:
    """A tag of the list of tags has no page.

    ## What it does

    Reports each tag of the source's list of tags without a page in the catalog. Checked only by
    `cachelint verify`, where the source is a list of tags and the whole catalog is verified.

    ## Why it is a problem

    The site does not show the tag.

    ## Fix

    None. `cachelint render` writes the pages of the tag.
    """


RULES = (
    not_in_index, not_on_page, content_differs, stacks_differ, stack_without_index, index_hole,
    tag_without_pages,
)
