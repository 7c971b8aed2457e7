"""The rules in words: one for a terminal, or all of them as a page of the documentation."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from cachelint.rules import ALL_RULES, Fix, Rule
from cachelint.rules.base import url_of

GROUPS = {
    "CL1": "The file and its front matter",
    "CL2": "The schema",
    "CL3": "Summaries",
    "CL4": "Specs",
    "CL5": "Canonical form",
    "CL6": "The page's path, and the catalog's own files",
    "CL7": "Text that breaks the site",
    "CL8": "Frozen tags",
    "CL9": "Pages against the build cache's index",
}

_FIX = {
    Fix.NONE: "no",
    Fix.FILE: "yes",
    Fix.META: "in `meta`",
    Fix.CATALOG: "yes",
    Fix.REWRITE: "yes",
}

_INTRODUCTION = """\
# Rules

<!-- generated: cachelint rule --output-format markdown > docs/rules.md -->

A rule's code never changes its meaning. Its name may be used wherever its code may, and so may a
prefix such as `CL3`: on the [command line](index.md), in the [configuration](configuration.md).
`cachelint rule CL301` prints what is written here.

An *error* fails a run. A *warning* is shown, and fails it only under `--strict`.

In the examples, `…` means what a valid page contains there, and `<BOM>`, `<CR>`, `<LF>` and `<0xff>` are
bytes. [Formats of pages](pages.md) describes a valid page."""


def text(rule: Rule) -> str:
    """Explain a rule to someone at a terminal."""
    body = re.sub(r"^## ", "", rule.documentation, flags=re.MULTILINE)
    return f"{rule.code} {rule.name} ({rule.severity.value})\n\n{body}\n\n{url_of(rule.code)}"


def markdown(rule: Rule) -> str:
    """Explain a rule in Markdown, under a heading with its code as an anchor."""
    facts = [rule.severity.value.capitalize(), f"fixable: {_FIX[rule.fixability]}",
             f"{'on' if rule.default else 'off'} by default", f"since {rule.since}"]
    body = re.sub(r"^## ", "#### ", rule.documentation, flags=re.MULTILINE)
    body = re.sub(r"(?:^    .*\n)(?:(?:    .*)?\n)*", _fenced, body, flags=re.MULTILINE)
    return (f'<a id="{rule.code.lower()}"></a>\n\n### {rule.code} {rule.name}\n\n'
            f"{' · '.join(facts)}\n\n{body}")


def _fenced(block: re.Match[str]) -> str:
    return f"```text\n{textwrap.dedent(block[0]).strip()}\n```\n\n"


def page() -> Iterator[str]:
    """Write all rules as a page of the documentation, part by part."""
    yield _INTRODUCTION
    yield "| rule | level | fixable | |\n|---|---|---|---|\n" + "\n".join(
        f"| [{rule.code}](#{rule.code.lower()}) {rule.name} | "
        f"{rule.severity.value}{'' if rule.default else ', off by default'} | {_FIX[rule.fixability]} | "
        f"{rule.summary} |" for rule in ALL_RULES)
    for prefix, about in GROUPS.items():
        of_group = [rule for rule in ALL_RULES if rule.code.startswith(prefix)]
        if of_group:
            yield f"## {prefix}xx: {about}"
            yield from map(markdown, of_group)
