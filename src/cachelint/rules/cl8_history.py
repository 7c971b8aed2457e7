"""CL8xx: what changed against a base revision. Comparing with git finds these."""

from __future__ import annotations

from cachelint.model import Severity
from cachelint.rules.base import Fix, emitted_rule


@emitted_rule("CL801", "frozen-page-changed", by="changes")
def frozen_page_changed() -> None:
    """The facts of a page in a frozen tag changed against the base revision.

    A release or a weekly snapshot is made once and never again. Its title, tag or specs (as a set;
    `meta` and order are no facts) can only change by mistake. A tag is frozen unless it is in
    `mutable-tags`. Checked only under `--diff-base`.

    Fix: none. Restore the page, or add the tag to `mutable-tags`.
    """


@emitted_rule("CL802", "frozen-page-removed", by="changes")
def frozen_page_removed() -> None:
    """A page of a frozen tag is gone against the base revision.

    Links to it break, and what the tag holds is no longer what the site says. A page that is
    renamed is one that is gone and one more (CL803). Checked only under `--diff-base`.

    Fix: none. Restore the page.
    """


@emitted_rule("CL803", "frozen-page-added", severity=Severity.WARNING, by="changes")
def frozen_page_added() -> None:
    """A frozen tag that the base revision has got one page more.

    A tag that is new as a whole is no breach. Checked only under `--diff-base`.

    Fix: none. Remove the page, or add the tag to `mutable-tags`.
    """


@emitted_rule("CL804", "order-only-change", severity=Severity.WARNING, fixability=Fix.REWRITE, by="changes")
def order_only_change() -> None:
    """A page of a frozen tag has other bytes and the same facts, and is not in canonical form.

    This is how one page came to be committed 581 times: each regeneration wrote the same specs in
    another order. A change to the canonical bytes is welcome, since it is the last of its kind.
    Checked only under `--diff-base`.

    Fix: rewrites the page, in the current format.
    """


@emitted_rule("CL805", "gate-changed", by="changes", severity=Severity.WARNING,
              can_be_hidden=False)
def gate_changed() -> None:
    """The configuration or the baseline of this run differs from the base revision.

    A change that adds `ignore = ["CL3"]` or a few entries of a baseline switches off the check that
    it should pass. This finding shows the reviewer so. It is reported once for each of the two
    files, under `--diff-base` only, and no setting, option or baseline hides it. `--config-from-base`
    reads both files as they are at the merge base, so that the change has no effect on its own
    check.

    Fix: none. Review the change of the settings, or check with `--config-from-base`.
    """


RULES = (frozen_page_changed, frozen_page_removed, frozen_page_added, order_only_change,
         gate_changed)
