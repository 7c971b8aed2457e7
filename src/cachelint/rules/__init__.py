"""The rules: one module for each hundred of codes, and here all of them in one tuple."""

from cachelint.model import Severity
from cachelint.rules import (
    cl1_file,
    cl2_schema,
    cl3_summary,
    cl4_specs,
    cl5_canonical,
    cl6_catalog,
    cl7_site,
    cl8_history,
    cl9_index,
)
from cachelint.rules.base import Blocks, Fix, Rule

ALL_RULES: tuple[Rule, ...] = tuple(sorted(
    (
        *cl1_file.RULES, *cl2_schema.RULES, *cl3_summary.RULES, *cl4_specs.RULES,
        *cl5_canonical.RULES, *cl6_catalog.RULES, *cl7_site.RULES,
        *cl8_history.RULES, *cl9_index.RULES,
    ),
    key=lambda rule: rule.code,
))
"""Every rule, by code."""

OF_INDEX = frozenset(rule.code for rule in cl9_index.RULES)
"""The rules that compare pages with an index."""

RUN_BY_VERIFY = OF_INDEX | {cl6_catalog.spec_count.code} | {
    rule.code for rule in (*cl1_file.RULES, *cl2_schema.RULES) if rule.severity is Severity.ERROR}
"""What `verify` reports: these rules, the count of a tag, and why a page cannot be compared."""

BY_CODE: dict[str, Rule] = {rule.code: rule for rule in ALL_RULES}

__all__ = ["ALL_RULES", "BY_CODE", "OF_INDEX", "RUN_BY_VERIFY", "Blocks", "Fix", "Rule"]
