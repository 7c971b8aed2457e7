"""The rules in words: what a terminal shows, and the page of the documentation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cachelint.rules import ALL_RULES, BY_CODE, Rule, explain

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"


def test_page_of_the_documentation_is_up_to_date() -> None:
    written = PAGE.read_text(encoding="utf-8")
    due = "\n\n".join(explain.page()) + "\n"
    assert written == due, "run: cachelint rule --output-format markdown > docs/rules.md"


def test_every_rule_has_its_row_anchor_and_heading_in_a_group() -> None:
    page = "\n\n".join(explain.page())
    codes = [rule.code for rule in ALL_RULES]
    assert re.findall(r"^\| \[(CL\d{3})\]\(#(cl\d{3})\) ", page, re.MULTILINE) == [
        (code, code.lower()) for code in codes]
    assert re.findall(r'^<a id="(cl\d{3})"></a>\n\n### (CL\d{3}) ', page, re.MULTILINE) == [
        (code.lower(), code) for code in codes]
    assert re.findall(r"^## (CL\d)xx: ", page, re.MULTILINE) == sorted(
        {code[:3] for code in codes})


def test_rule_in_markdown() -> None:
    assert explain.markdown(BY_CODE["CL507"]).startswith(
        '<a id="cl507"></a>\n\n### CL507 unstable-order\n\n'
        "Warning · fixable: yes · off by default · since 0.1.0\n\n"
        "A page in the tarball format is not in canonical order.\n\n")
    assert explain.markdown(BY_CODE["CL301"]).endswith(
        '#### Example\n\n```text\nmeta: {… "num_specs": 3 …}\n```\n\n'
        '#### Use instead\n\n```text\nmeta: {… "num_specs": 2 …}\n```\n\n'
        "#### Fix\n\nRegenerates `meta`.")


@pytest.mark.parametrize("rule", ALL_RULES, ids=[rule.code for rule in ALL_RULES])
def test_every_example_is_a_block_of_code_in_both(rule: Rule) -> None:
    examples = rule.documentation.count("\n    ") > 0
    markdown = explain.markdown(rule)
    assert markdown.count("```text\n") == markdown.count("\n```\n") == 2 * examples
    assert not re.search(r"^    ", re.sub("```.*?```", "", markdown, flags=re.DOTALL), re.MULTILINE)
    body = rule.documentation.replace("\n## ", "\n")
    assert explain.text(rule) == (
        f"{rule.code} {rule.name} ({rule.severity.value})\n\n{body}\n\n"
        f"https://spack.github.io/cachelint/rules/#{rule.code.lower()}")
