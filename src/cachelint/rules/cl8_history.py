"""CL8xx: what changed against a base revision. Comparing with git finds these."""

from __future__ import annotations

from cachelint.model import Severity
from cachelint.rules.base import Fix, emitted_rule


@emitted_rule("CL801", "frozen-page-changed", by="changes")
def frozen_page_changed() -> None:
    """A page of a frozen tag changed.

    ## What it does

    Compares title, tag and specs (as a set; without `meta` and order) with the base revision. A page
    that changed and cannot be read is reported where no other rule reports something new about it. A tag is frozen unless it is in `mutable-tags`.
    Checked only under `--diff-base`.

    ## Why it is a problem

    A release or a weekly snapshot is not regenerated after it was made, so such a change is most likely
    a mistake.

    ## Fix

    None. Restore the page, or add the tag to `mutable-tags`.
    """


@emitted_rule("CL802", "frozen-page-removed", by="changes")
def frozen_page_removed() -> None:
    """A page of a frozen tag was removed.

    ## What it does

    Reports a page that the base revision has in a frozen tag and that is gone. A renamed page is one
    that was removed and one that was added (CL803). Checked only under `--diff-base`.

    ## Why it is a problem

    Links to the page break, and the site no longer shows what the tag contains.

    ## Fix

    None. Restore the page.
    """


@emitted_rule("CL803", "frozen-page-added", severity=Severity.WARNING, by="changes")
def frozen_page_added() -> None:
    """A page was added to a frozen tag.

    ## What it does

    Reports a page in a frozen tag that the base revision has without this page. A new tag is not
    reported. Checked only under `--diff-base`.

    ## Why it is a problem

    A release or a weekly snapshot is not extended after it was made, so the page is most likely in the
    wrong tag.

    ## Fix

    None. Remove the page, or add the tag to `mutable-tags`.
    """


@emitted_rule("CL804", "order-only-change", severity=Severity.WARNING, fixability=Fix.REWRITE, by="changes")
def order_only_change() -> None:
    """A page of a frozen tag changed in order or formatting only.

    ## What it does

    Reports a page of a frozen tag whose bytes changed, whose data did not, and that is not in canonical
    form. A change to canonical form is not reported. Checked only under `--diff-base`.

    ## Why it is a problem

    This is how one page was committed 581 times: each regeneration wrote the same specs in another
    order.

    ## Fix

    Rewrites the page, in the current format.
    """


@emitted_rule("CL805", "gate-changed", by="changes", severity=Severity.WARNING,
              can_be_hidden=False)
def gate_changed() -> None:
    """The configuration or the baseline of this run differs from the base revision.

    ## What it does

    Reports, once for each of the two files, that the configuration or the baseline of this run differs
    from the base revision. Checked only under `--diff-base`. No setting, option or baseline hides this
    finding. `--config-from-base` reads both files as they are at the merge base, so that the change has
    no effect on its own check.

    ## Why it is a problem

    A change that adds `ignore = ["CL3"]` or entries of a baseline switches off the check that it has to
    pass. The reviewer must see it.

    ## Fix

    None. Review the change of the settings, or use `--config-from-base`.
    """


RULES = (frozen_page_changed, frozen_page_removed, frozen_page_added, order_only_change,
         gate_changed)
