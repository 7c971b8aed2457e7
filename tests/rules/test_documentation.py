"""The rules' documentation: its form, and its examples, which are run.

How an example is read:

A block with a line `---` is a whole page, in which a line `…` stands for the valid page's other
lines. `<BOM>`, `<CR>`, `<LF>` and `<0xff>` are bytes. Any other block gives lines that replace
those of the valid page, in the block's order.

In such a line, `{… "k": v …}` is the valid mapping (`meta`, or the spec at that index) with that
member replaced or put in, and `{"k": v, … }` has it first. `, …]` stands for the remaining valid
specs. A value without `…` is meant as it is. `meta` follows changed specs unless it is given.

The example of a rule about a file of the catalog is that file, beside a valid page; if it lists
the tag `develop`, that tag has a page too, whose specs are only in `root`.
"""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

from cachelint import Severity, check
from cachelint.rules import ALL_RULES, Fix, Rule
from support import valid

# what takes more than one file to show
WITHOUT_EXAMPLES = {
    "CL100", "CL111", "CL199", "CL608", "CL702", "CL801", "CL802", "CL803", "CL804", "CL805",
    "CL901", "CL902", "CL903", "CL904", "CL905", "CL906", "CL907",
}

# code, name, severity, and for one whether it is off by default
TABLE = """
CL100 unreadable-file error
CL101 not-utf8 error
CL102 byte-order-mark error
CL103 line-endings error
CL104 no-front-matter error
CL105 unclosed-front-matter error
CL106 syntax error
CL107 duplicate-key error
CL108 content-after-front-matter warning
CL109 legacy-format warning
CL110 over-limits error
CL111 stray-page warning
CL199 internal-error error
CL201 missing-key error
CL202 unknown-key error
CL203 wrong-type error
CL204 invalid-value error
CL301 num-specs error
CL302 num-specs-by-stack error
CL303 compilers error
CL304 oss error
CL305 platforms error
CL306 stacks error
CL307 targets error
CL308 versions error
CL401 invalid-hash error
CL402 duplicate-hash error
CL403 repeated-item error
CL404 variant-syntax error
CL405 version-count error
CL406 tarball-url error
CL407 missing-root warning
CL408 mixed-compiler-spelling warning
CL501 key-order error
CL502 unsorted-list error
CL503 unsorted-specs error
CL504 serialisation error
CL505 trailing-whitespace warning
CL506 unsorted-variants warning
CL507 unstable-order warning off
CL601 title-mismatch error
CL602 tag-mismatch error
CL603 unlisted-tag warning
CL604 unknown-stack error
CL605 tag-page error
CL606 empty-tag warning
CL607 spec-count error
CL608 hash-conflict error
CL609 tags-file error
CL701 unsafe-text error
CL702 tag-name warning
CL703 loader-dependent error
CL801 frozen-page-changed error
CL802 frozen-page-removed error
CL803 frozen-page-added warning
CL804 order-only-change warning
CL805 gate-changed warning
CL901 not-in-index error
CL902 not-on-page error
CL903 fact-differs error
CL904 stacks-differ error
CL905 stack-without-index warning
CL906 index-hole warning
CL907 tag-without-pages warning
"""

_each_rule = pytest.mark.parametrize("rule", ALL_RULES, ids=[rule.code for rule in ALL_RULES])


@_each_rule
def test_code_name_severity_and_default_are_those_of_the_table(rule: Rule) -> None:
    words = [rule.code, rule.name, rule.severity.value, *([] if rule.default else ["off"])]
    assert " ".join(words) in TABLE.strip().split("\n")


def test_codes_and_names_are_unique_and_in_order() -> None:
    codes = [rule.code for rule in ALL_RULES]
    assert codes == sorted(set(codes))
    assert len({rule.name for rule in ALL_RULES}) == len(codes)


@_each_rule
def test_documentation_begins_with_one_sentence(rule: Rule) -> None:
    summary, _, rest = rule.documentation.partition("\n\n")
    assert summary == rule.summary
    assert "\n" not in summary
    assert re.fullmatch(r"[A-Z`].*[^.]\.", summary)
    assert not re.search(r"[.!?] [A-Z]", summary)
    assert rest


@_each_rule
def test_documentation_has_its_sections_in_order(rule: Rule) -> None:
    examples = [] if rule.code in WITHOUT_EXAMPLES else ["Example", "Use instead"]
    assert list(rule.sections) == ["What it does", "Why it is a problem", *examples, "Fix"]
    assert all(rule.sections.values())


@_each_rule
def test_advice_is_what_to_do_where_fix_does_nothing(rule: Rule) -> None:
    fix = " ".join(rule.sections["Fix"].split())
    assert rule.advice == (fix[6:] if fix.startswith("None. ") else "")
    assert (rule.fixability is Fix.NONE) == fix.startswith("None.")


@_each_rule
def test_documentation_has_both_examples_or_none(rule: Rule) -> None:
    has = [bool(_block(rule, title)) for title in ("Example", "Use instead")]
    assert has == ([False, False] if rule.code in WITHOUT_EXAMPLES else [True, True])


_WITH_EXAMPLES = [rule for rule in ALL_RULES if rule.code not in WITHOUT_EXAMPLES]
_each_example = pytest.mark.parametrize(
    "rule", _WITH_EXAMPLES, ids=[rule.code for rule in _WITH_EXAMPLES])


@_each_example
def test_bad_example_breaks_its_rule_and_no_other(rule: Rule, tmp_path: Path) -> None:
    assert _codes(rule, _block(rule, "Example"), tmp_path) == {rule.code}


@_each_example
def test_good_example_breaks_no_rule(rule: Rule, tmp_path: Path) -> None:
    assert _codes(rule, _block(rule, "Use instead"), tmp_path) == set()


def _codes(rule: Rule, block: str, folder: Path) -> set[str]:
    """Run an example: the codes of what is found."""
    if rule.catalog is None:
        return {code for code, _ in valid.found(example(block), valid.CONTEXT, rule.code)}
    pages: dict[str, str | bytes] = {f"{valid.TAG}/zlib": valid.PAGE}
    if "- name: develop\n" in block:
        in_root = [{**spec, "stacks": ["root"]} for spec in valid.specs()]
        pages["develop/zlib"] = valid.page(None, in_root).replace(valid.TAG, "develop")
    valid.write_catalog(folder, pages, {valid.TAG: ["e4s", "root"]})
    if block.startswith("---"):
        file = folder / "pages" / "tags" / f"{valid.TAG}.md"
        file.parent.mkdir(parents=True)
    else:
        file = folder / "_data" / ("tags.yaml" if block.startswith("- ") else "meta.yaml")
        block += "\n"
    file.write_text(block, encoding="utf-8")
    return {finding.code for finding in check([str(folder)]).findings}


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ('title: "zstd"', valid.PAGE.replace("zlib", "zstd")),
        ("layout: cache\ntitle: zlib",
         valid.PAGE.replace('title: "zlib"\nlayout: cache', "layout: cache\ntitle: zlib")),
        ('meta: {… "num_specs": 3 …}', valid.PAGE.replace('"num_specs": 2', '"num_specs": 3')),
        ('meta: {… "num_specs": 1, "num_specs": 2 …}',
         valid.PAGE.replace('"num_specs": 2', '"num_specs": 1, "num_specs": 2')),
        ('spec_details: [{… "os": "a\\u0062" …}, …]',
         valid.PAGE.replace('"oss": ["ubuntu22.04"]', '"oss": ["ab", "ubuntu22.04"]')
         .replace('"os": "ubuntu22.04"', '"os": "a\\u0062"', 1)),
        ('spec_details: [{… "red": 1 …}, {"red": [2, {"a": ", …]"}], … }]',
         valid.PAGE.replace(', "size"', ', "red": 1, "size"', 1)
         .replace('}, {"comp', '}, {"red": [2, {"a": ", …]"}], "comp')),
        ("---\n…\n---", valid.PAGE),
        ("<BOM>---<CR>\nlayout: table\n…\n---\nafter<LF>",
         "\ufeff" + valid.PAGE.replace("---\n", "---\r\nlayout: table\n", 1)
         .replace("layout: cache\n", "") + "\nafter\n"),
    ],
    ids=["line", "order", "member", "twice", "meta follows", "new members", "page", "bytes"],
)
def test_examples_are_read_as_meant(block: str, expected: str) -> None:
    assert example(block) == expected.encode()


def test_severities_are_of_the_model() -> None:
    assert {rule.severity for rule in ALL_RULES} == set(Severity)


# ------------------------------------------------------------------------------ reading examples


def _block(rule: Rule, title: str) -> str:
    """Return the indented block below a heading; empty where there is none."""
    return textwrap.dedent(f"    {rule.sections.get(title, '').strip()}")


def example(block: str) -> bytes:
    """Turn an example into a page."""
    is_page = re.search(r"^(<BOM>)?---(<[A-Z]+>)?$", block, re.MULTILINE)
    text = _page(block) if is_page else _changes(block)
    raw = text.replace("<BOM>", "\ufeff").replace("<CR>", "\r").replace("<LF>", "\n").encode()
    return raw.replace(b"<0xff>", b"\xff")


def _page(block: str) -> str:
    given = {line.split(":", 1)[0] for line in block.split("\n")}
    rest = [line for key, line in valid.lines().items() if key not in given]
    return re.sub("^…$", lambda _: "\n".join(rest), block, flags=re.MULTILINE)


def _changes(block: str) -> str:
    given = dict(line.split(": ", 1) for line in block.split("\n"))
    lines = valid.lines()
    if given.get("spec_details", "").startswith("["):
        specs = given["spec_details"] = _specs(given["spec_details"])
        # what an example leaves out of a spec cannot be summarised: the valid values are used
        data = [{**whole, **spec} for whole, spec
                in zip(valid.specs(), json.loads(specs), strict=False)]
        lines["meta"] = f"meta: {valid.dumps(valid.summary(data))}"
    if given.get("meta", "").startswith("{…"):
        given["meta"] = _mapping(given["meta"], valid.meta())
    place = min(list(lines).index(key) for key in given)
    rest = [line for key, line in lines.items() if key not in given]
    rest[place:place] = [f"{key}: {value}" for key, value in given.items()]
    return valid.assemble(rest)


def _specs(written: str) -> str:
    """Fill in a list of specs."""
    whole = valid.specs()
    pieces = _split(written[1:-1])
    if pieces[-1] == "…":
        pieces[-1:] = [valid.dumps(spec) for spec in whole[len(pieces) - 1 :]]
    partial = re.compile(r"\{…|.*… *\}$").match
    written_out = [_mapping(piece, spec) if partial(piece) else piece
                   for piece, spec in zip(pieces, whole, strict=False)]
    return f"[{', '.join(written_out)}]"


def _mapping(written: str, whole: dict[str, Any]) -> str:
    """Fill in a mapping with the members that ``whole`` has in addition to those written."""
    inner = written[1:-1].strip()
    sorted_in = inner.startswith("…")
    given: dict[str, str] = {}
    for member in _split(inner.removeprefix("…").removesuffix("…").strip().rstrip(",")):
        key = json.loads(member.split(":", 1)[0])
        given[key] = f"{given[key]}, {member}" if key in given else member
    rest = {key: f"{json.dumps(key)}: {valid.dumps(value)}" for key, value in whole.items()
            if key not in given}
    members = given | rest if not sorted_in else dict(sorted((given | rest).items()))
    return "{" + ", ".join(members.values()) + "}"


def _split(text: str) -> list[str]:
    """Split at commas that are in no bracket and no string."""
    pieces, depth, quoted, start = [], 0, False, 0
    for at, character in enumerate(text):
        if character == '"' and text[at - 1 : at] != "\\":
            quoted = not quoted
        elif not quoted:
            depth += (character in "[{") - (character in "]}")
            if character == "," and depth == 0:
                pieces.append(text[start:at].strip())
                start = at + 1
    return [*pieces, text[start:].strip()]
