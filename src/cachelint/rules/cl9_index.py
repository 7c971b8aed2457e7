"""CL9xx: pages against the build cache's index. `cachelint verify` finds these."""

from __future__ import annotations

from cachelint.model import Severity
from cachelint.rules.base import emitted_rule


@emitted_rule("CL901", "not-in-index", by="index")
def not_in_index() -> None:
    """A spec is not in the build cache.

    The index of the tag does not have its hash, or has it only as something that others depend on.
    The site offers a binary that nobody can install. Where no spec of a page is in the build
    cache, this is reported once, for the whole page: its package is gone. Checked only by
    `cachelint verify`.

    Fix: none. `cachelint render` writes the pages that an index implies, and with `--prune` it
    removes pages of packages that are gone.
    """


@emitted_rule("CL902", "not-on-page", by="index")
def not_on_page() -> None:
    """A spec of the build cache is not on its page, or a package has no page.

    The index of the tag has the hash as one that is in the build cache. The site does not show it.
    A package without a page is reported at the tag's entry in `_data/tags.yaml`, or on the tag's
    first page where there is no entry. Checked only by `cachelint verify`; a package without a
    page only where the whole tag is verified.

    Fix: none. `cachelint render` writes the pages that an index implies.
    """


@emitted_rule("CL903", "fact-differs", by="index")
def fact_differs() -> None:
    """A version, compiler, system or variant of a spec is not that of the build cache.

    The message has both values, and the index that was read. Differences in spelling are not
    reported: `@=` and `@`, `:=` and `=` of a list, quotes, `++x` and `+x`. Nor is a compiler that
    the index does not name. Checked only by `cachelint verify`.

    Fix: none. `cachelint render` writes the pages that an index implies.
    """


@emitted_rule("CL904", "stacks-differ", by="index")
def stacks_differ() -> None:
    """The stacks of a spec are not those whose index has its hash.

    Each stack of a tag has an index of its own, and the root's has the specs of all. A stack whose
    index the source lacks is not compared (CL905 reports it). Checked only by `cachelint verify`.

    Fix: none. `cachelint render` writes the pages that an index implies.
    """


@emitted_rule("CL905", "stack-without-index", severity=Severity.WARNING, by="index")
def stack_without_index() -> None:
    """A stack is in `_data/tags.yaml` and has no index, or has an index and is not there.

    The generator leaves out a stack whose index it could not fetch, and all specs of the tag then
    lack it. Checked only by `cachelint verify`, where the whole tag is verified; reported at the
    tag's entry in `_data/tags.yaml`.

    Fix: none. Publish the index, or correct the entry by hand.
    """


@emitted_rule("CL906", "index-hole", severity=Severity.WARNING, by="index")
def index_hole() -> None:
    """A spec in the build cache depends on one that is neither there nor external.

    To install it, Spack has to build what is missing. Reported once a tag, with the number of such
    specs. Checked only by `cachelint verify`, where the whole tag is verified.

    Fix: none. Push what is missing: `spack buildcache push` does so unless it is told otherwise.
    """


@emitted_rule("CL907", "tag-without-pages", severity=Severity.WARNING, by="index")
def tag_without_pages() -> None:
    """The list of tags has a tag without any page in the catalog.

    Checked only by `cachelint verify`, where the source is a list of tags and the whole catalog is
    verified.

    Fix: none. `cachelint render` writes the pages of the tag.
    """


RULES = (
    not_in_index, not_on_page, fact_differs, stacks_differ, stack_without_index, index_hole,
    tag_without_pages,
)
