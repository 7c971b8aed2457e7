"""The fast path against the plain way: they may differ in nothing but time.

`lint_page` with a fast path that remembers other pages must give what it gives without one.
"""

from __future__ import annotations

import itertools
import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cachelint.document import schema
from cachelint.document.formats import BY_FORMAT
from cachelint.linter import fastpath
from cachelint.linter.fastpath import PROVES, FastPath
from cachelint.linter.page import PageResult, lint_page, running_rules
from cachelint.model import PageContext, PageFormat, PageId, RuleOptions
from support import damage, valid
from support.damage import WITH_ORDER, Parts, compare, compare_all


@given(damage.similar_pages(), st.booleans())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_fast_and_plain_way_agree(
    pages: list[tuple[bytes, PageContext]], strict_order: bool
) -> None:
    compare_all(pages, strict_order=strict_order)


@given(damage.page_parts())
@settings(max_examples=40, deadline=None)
def test_valid_pages_are_accepted(parts: Parts) -> None:
    context = PageContext(PageId(parts.tag, parts.package), None)
    mixed = len({"@=" in spec["compiler"] for spec in parts.specs if "@" in spec["compiler"]}) > 1
    text = parts.text()
    is_simple = not any(odd in text for odd in ("\\", "a='}", "commit="))
    path = FastPath(context.options)
    for _ in range(2):
        result = path.lint(text.encode(), context)
        assert (result is None) == (mixed or not is_simple) or not is_simple
        assert result is None or result == PageResult(
            [], None, len(parts.specs), "".join(spec["hash"] for spec in parts.specs).encode())


# ------------------------------------------------------------------------------ mixing things up

CURRENT = valid.page(None, valid.specs(0, variants=["cflags=' # '"]))
TARBALL = valid.TARBALL_PAGE
META = valid.lines()["meta"]
OTHER_TAG = TARBALL.replace(valid.TAG, "v0.22.4")


def _with_counts(stacks: list[str], counts: str) -> str:
    """Write a page in the tarball format with these counts by stack."""
    specs = [{**spec, "stacks": stacks} for spec in valid.tarball_specs()]
    page = valid.page(None, specs)
    return re.sub(r'(?<="num_specs_by_stack": {)[^\]\[]*(?=}, "oss")', lambda _: counts, page)


def _old_page(stacks: list[str], counts: str) -> str:
    """Write a page as until 2025-02, with these counts by stack."""
    parts = Parts(valid.TAG, "zlib", [
        {key: (spec | {"stacks": stacks})[key] for key in (*damage.UNSORTED, "tarball")}
        for spec in valid.tarball_specs()])
    parts.sort_keys = False
    parts.meta = {key: parts.meta[key] for key in BY_FORMAT[PageFormat.TARBALL].meta_orders[-1]}
    return re.sub(r'(?<="num_specs_by_stack": {).*(?=}}$)', lambda _: counts, parts.text(),
                  count=1, flags=re.MULTILINE)


_ODD_COUNTS = [
    (["a, b", "c, d"], '"a, d": 1, "c, b": 1'), (["a, b", "c, d"], '"c, d": 1, "a, b": 1'),
    (["a", "x}y"], '"x, "a": 1}y": 1'), (["a", "x}y"], '"x}y": 1, "a": 1'),
    (["a b", "a"], '"a b": 1, "a": 1')]
CASES: dict[str, list[str]] = {
    "string that hides the specs": [CURRENT, CURRENT.replace("categories:", "note: 'x\ncategories:")
                                  .replace("layout: cache\n", "")],
    "string that hides meta and specs": [CURRENT, CURRENT.replace(
        f"categories: [package, {valid.TAG}]", "categories: 'x")],
    "specs twice": [CURRENT, CURRENT.replace(META, valid.lines()["spec_details"])],
    "hash that is elsewhere too": [
        valid.page(None, valid.specs(0, variants=[f"commit={valid.FIRST}"])),
        valid.page(None, valid.specs(0, variants=[f"commit={valid.SECOND}"]))],
    "a missing opening quote": [TARBALL, *[
        json.dumps(value).replace('"', "", 1).join(TARBALL.split(json.dumps(value), 1))
        for value in (valid.FIRST, "root", valid.tarball_specs()[0]["tarball"])],
        TARBALL.replace('["e4s", "root"], "tarball"', '[\'e4s", "root"], "tarball"')],
    "another tag in the URL": [TARBALL, OTHER_TAG.replace(
        "[package, v0.22.4]", f"[package, {valid.TAG}]")],
    "another package": [TARBALL, TARBALL.replace('"zlib"', '"zstd"')],
    "one spec of another format": [
        TARBALL, valid.PAGE, valid.page(None, [valid.tarball_specs()[0], valid.specs()[1]]),
        valid.page(None, [*valid.tarball_specs(), {**valid.specs()[0], "hash": "z" * 32}])],
    "stacks in another order": [
        TARBALL, valid.page(None, valid.tarball_specs(0, stacks=["root", "e4s"])),
        valid.PAGE, valid.page(None, valid.specs(0, stacks=["root", "e4s"]))],
    "counts in another order": [TARBALL, *[
        TARBALL.replace('"e4s": 1, "root": 2', counts) for counts in (
            '"root": 2, "e4s": 1', '"e4s": 2, "root": 1', '"e4s": 1, "e4s": 1',
            '"e4s": 1, "root": 2.0', '"e4s": true, "root": 2')]],
    "values of meta that are equal and of another type": [
        text.replace(*change) for text in (valid.PAGE, TARBALL) for change in (
            ('"e4s": 1,', '"e4s": true,'), ('"root": 2}', '"root": 2.0}'),
            ('"num_specs": 2', '"num_specs": 3'), ('"num_specs": 2', '"num_specs":2'),
            ('"oss": ["ubuntu22.04"]', '"oss": ["ubuntu22.04", "rhel8"]'),
            ('"oss": ["ubuntu22.04"]', '"oss": ["rhel8", "ubuntu22.04"]'),
            ('"e4s": 1,', '"e4s": 7, "hep": 1,'), ('"e4s": 1,', f'"{"k" * 1023}": 1,'))],
    "two spellings": [valid.PAGE, valid.page(None, valid.specs(0, compiler="gcc@=11.4.0")),
                      valid.page(None, valid.specs(1, compiler="gcc@=11.4.0"))],
    "two compilers": [
        valid.page(None, [one | {"compiler": compiler} for one, compiler in zip(
            valid.specs(), pair, strict=True)])
        for pair in (("gcc@11.4.0", "gcc@11.4.0"), ("gcc@11.4.0", "gcc@12.4.0"),
                     ("none", "gcc@12.4.0"), ("gcc@12.4.0", "none"), ("none", "none"),
                     ("gcc@11.4.0", "none<"))],
    "compilers of another spec": [valid.PAGE, *[
        valid.PAGE.replace(*change, 1) for change in (
            ('"gcc@11.4.0", "hash"', '"gcc@12.4.0", "hash"'),
            ('{"compiler": "gcc@11.4.0", "hash"', '{"hash"'),
            ('{"compiler": "gcc@11.4.0", "hash"', '{ "compiler": "gcc@11.4.0", "hash"'),
            ('"hash": "' + valid.SECOND, '"hash" : "' + valid.SECOND),
            ("}]", "} ]"), ("[{", "[ {"))]],
    "values of several valid specs, and of none": [
        valid.PAGE, valid.page(None, valid.specs(1, target="zen4", variants=[], size=1)),
        valid.page(None, valid.specs(0, target="zen4", variants=["build_system=makefile"])),
        valid.page(valid.meta(), valid.specs(0, target=["zen4"])),
        valid.page(None, valid.specs(0, size=1)),
        valid.page(None, valid.specs(0, size=True)), valid.page(None, valid.specs(0, size=1.0)),
        valid.page(None, valid.specs(0, os="zen4")), valid.page(None, valid.specs(0, os="<")),
        valid.page(valid.meta(), [valid.without(valid.specs()[0], "size"), valid.specs()[1]]),
        valid.page(valid.meta(), valid.specs(0, variants=[["+shared"]])),
        valid.page(valid.meta(), valid.specs(0, note="-"))],
    "specs in another order": [valid.PAGE, valid.page(None, valid.specs()[::-1]),
                               TARBALL, valid.page(None, valid.tarball_specs()[::-1])],
    "what is between specs": [valid.PAGE, TARBALL, *[
        text.replace("}, {", between) for text in (valid.PAGE, TARBALL)
        for between in ("}{", "},{", "}  {", "}; {", "}] {", "}, , {", "}] [{")]],
    "braces in a string": [valid.page(None, valid.specs(0, variants=["a='}, {'"]))],
    "nothing in the list": [valid.page(valid.meta(), specs_line="spec_details: [{}]"),
                            valid.page(valid.meta(), specs_line="spec_details: [{}, {}]")],
    "a stack that is long": [valid.page(None, valid.specs(0, stacks=["root", "s" * 1023]))],
    "a number of another kind": [
        text.replace('"num_specs": 2', '"num_specs": 2.0') for text in (valid.PAGE, TARBALL)],
    "names of stacks that look like members of counts": [
        _with_counts(stacks, counts) for stacks, counts in _ODD_COUNTS],
    "the same in an old page": [
        _old_page(stacks, counts.replace(": 1", ": 2")) for stacks, counts in (
            *_ODD_COUNTS, (["a", "b{", "c, d"], '"a": 1, "b{"c": 1, "d": 1'),
            (["a", "b{", "c, d"], '"a": 1, "b{"c, ": 1, d": 1'))],
    "counts of an old page": [
        _old_page(["root", "e4s"], counts) for counts in (
            '"e4s": 2, "root": 2', '"root": 2, "e4s": 2', '"root": 2, "root": 2', '"root": 2',
            '"root": 2, "e4s": 1', '"root": 2, "e4s": 2, "hep": 0', '"root": 2, "e4s": true', "")],
    "specs without stacks": [
        TARBALL, valid.page(None, valid.tarball_specs(0, stacks=[])),
        valid.page(None, [{**spec, "stacks": []} for spec in valid.tarball_specs()])],
    "an invalid tag": [TARBALL.replace(valid.TAG, "None")],
}


@pytest.mark.parametrize("texts", CASES.values(), ids=CASES)
@pytest.mark.parametrize("strict_order", [False, True], ids=["", "strict"])
@pytest.mark.parametrize("context", [
    valid.CONTEXT, PageContext(), valid.CONTEXT._replace(tag_stacks=None),
    PageContext(PageId("v0.22.4", "zlib")),
    PageContext(PageId(valid.TAG, "zstd"), frozenset({"root"})),
    valid.CONTEXT._replace(options=RuleOptions("e4s")),
], ids=["usual", "nowhere", "no stacks", "other tag", "other package", "other root"])
def test_known_strings_hide_nothing(
    texts: list[str], context: PageContext, strict_order: bool
) -> None:
    pages = [(text.encode(), context) for text in texts]
    compare_all(pages, strict_order=strict_order)
    compare_all(pages[::-1], strict_order=strict_order)
    compare_all([(text, valid.CONTEXT) for text, _ in pages] + pages, strict_order=strict_order)


# ------------------------------------------------------------------------------ damaged real pages

EXAMPLES = [
    (path.read_bytes(), PageContext(PageId(path.parts[-3], path.parts[-2])))
    for path in sorted(Path(__file__).parents[2].glob("examples/catalog/_cache/*/*/specs.md"))]
_PIECE = re.compile(rb'"[^"]*"|[0-9]+|[^"0-9]')
_OTHERS = [b'"', b"}, {", b'"hash": "', b"\n", b" ", b"1", b'"root"', b": ", b"\\", b"#", b"true",
           b'"none"', b'"gcc@=11.4.0"', b"\xc3\xa9", b"\x7f", b"2.0", b"", b'"tarball": "', b"["]


def _shuffled(raw: bytes, other: bytes, chance: random.Random) -> bytes:
    """Change a page in a few positions, by pieces of another page among others."""
    for _ in range(chance.choice([1, 1, 2, 3])):
        pieces = _PIECE.findall(raw)
        at = chance.randrange(len(pieces))
        way = chance.randrange(5)
        if way == 0:
            pieces[at] = chance.choice(_OTHERS)
        elif way == 1:
            pieces[at] = chance.choice(_PIECE.findall(other))
        elif way == 2:
            to = chance.randrange(len(pieces))
            pieces[at], pieces[to] = pieces[to], pieces[at]
        elif way == 3:
            pieces.insert(at, chance.choice([*_OTHERS, pieces[at]]))
        else:
            specs = raw.split(b"}, {")
            specs.insert(chance.randrange(len(specs)), chance.choice(other.split(b"}, {")))
            pieces = [b"}, {".join(specs)]
        raw = b"".join(pieces)
    return raw


@pytest.mark.parametrize("seed", range(8))
def test_fast_and_plain_way_agree_on_real_pages_that_were_damaged(seed: int) -> None:
    chance = random.Random(seed)
    small = [(raw, context) for raw, context in EXAMPLES if len(raw) < 20_000]
    pages = [*EXAMPLES, *(
        (_shuffled(raw, chance.choice(small)[0], chance), context)
        for raw, context in (chance.choice(small) for _ in range(100)))]
    compare_all(pages)



# ------------------------------------------------------------------------------ what is accepted

LARGE = "x" * 5000


@pytest.mark.parametrize("text", [
    valid.PAGE, TARBALL, _with_counts(["a, b", "c, d"], '"a, b": 2, "c, d": 2'),
    TARBALL.replace('["e4s", "root"], "tarball"', '["root", "e4s"], "tarball"'),
    _old_page(["root", "e4s"], '"root": 2, "e4s": 2'),
    valid.page(None, valid.specs(0, variants=["commit=" + "a" * 40])),
    valid.page(None, valid.specs(0, variants=["cflags='-O3 -g'"])),
    valid.page(None, valid.specs(0, size=12)),
], ids=["current", "tarball", "commas in stacks", "stacks in any order", "counts in any order",
        "plain variant", "quoted variant", "size"])
def test_valid_page_is_accepted_without_being_parsed(text: str) -> None:
    context = valid.CONTEXT._replace(tag_stacks=None)
    result = FastPath(context.options).lint(text.encode(), context)
    assert result is not None
    assert (result.problems, result.page, result.num_specs) == ([], None, 2)


@pytest.mark.parametrize(("text", "codes"), [
    (valid.PAGE.replace('"num_specs": 2', '"num_specs": 3'), ["CL301"]),
    (TARBALL.replace('"num_specs": 2', '"num_specs": 3'), ["CL301"]),
    (valid.PAGE.replace('"e4s": 1, ', ""), ["CL302"]),
    (valid.PAGE.replace('"oss": ["ubuntu22.04"]', '"oss": ["rhel8"]'), ["CL304"]),
    (TARBALL.replace('"versions": ["1.2.13", "1.3.1"]', '"versions": ["1.3.1", "1.2.13"]'), []),
], ids=["number", "number with tarballs", "stack", "os", "order with tarballs"])
def test_page_with_a_stale_meta_takes_the_fast_path(text: str, codes: list[str]) -> None:
    result = FastPath(valid.CONTEXT.options).lint(text.encode(), valid.CONTEXT)
    assert result is not None
    assert [rule.code for rule, _ in result.problems] == codes
    compare(result, lint_page(text.encode(), valid.CONTEXT))


def test_order_is_checked_on_the_fast_path() -> None:
    context = valid.CONTEXT._replace(extra_rules=WITH_ORDER)
    path = FastPath(context.options, WITH_ORDER)
    found = {}
    for name, text in {
        "sorted": TARBALL, "specs": valid.page(None, valid.tarball_specs()[::-1]),
        "stacks": TARBALL.replace('["e4s", "root"], "tarball"', '["root", "e4s"], "tarball"'),
        "keys": _old_page(["e4s", "root"], '"root": 2, "e4s": 2'),
    }.items():
        result = path.lint(text.encode(), context)
        assert result is not None
        compare(result, lint_page(text.encode(), context))
        found[name] = [rule.code for rule, _ in result.problems]
    assert found == {
        "sorted": [], "specs": ["CL507"], "stacks": ["CL507"], "keys": ["CL507"]}


@pytest.mark.parametrize("context", [
    valid.CONTEXT._replace(max_size=1), valid.CONTEXT._replace(extra_rules=WITH_ORDER),
    valid.CONTEXT._replace(options=RuleOptions("e4s")),
    valid.CONTEXT._replace(options=RuleOptions("zlib")), PageContext(),
], ids=["too large", "other rules", "an option before", "behind", "no tag and package"])
def test_page_in_another_context_is_not_accepted(context: PageContext) -> None:
    assert FastPath(valid.CONTEXT.options).lint(valid.PAGE.encode(), context) is None


@pytest.mark.parametrize(("number", "codes"), [(49, []), (51, ["CL110"])])
def test_limits_of_a_page_are_those_of_the_parser(number: int, codes: list[str]) -> None:
    long = {"variants": ["a=" + "b," * 10_000]}
    ends = map("".join, itertools.product("abcdefgh", repeat=2))
    specs = [valid.specs(0, **long, hash=valid.FIRST[:-2] + end)[0]
             for end in itertools.islice(ends, number)]
    raw, context = valid.page(None, specs).encode(), valid.CONTEXT._replace(max_size=1 << 21)
    result = lint_page(raw, context)
    assert [rule.code for rule, _ in result.problems] == codes
    accepted = FastPath(context.options).lint(raw, context)
    assert (accepted is None) == bool(codes)


@pytest.mark.parametrize("text", [
    valid.page(None, valid.specs(0, variants=["a=\\"])),
    valid.page(None, valid.specs(0, variants=["a=\u00e9"])),
    valid.PAGE.replace('"+shared"', '"a=\u00e9"'), valid.PAGE.replace('"+shared"', '"a=\x7f"'),
    valid.PAGE.replace('"+shared"', '"a=\t"'),
    valid.page(None, valid.specs(0, compiler="x" * 1000)),
], ids=["backslash", "escaped", "not ascii", "delete", "tab", "long"])
def test_page_with_strings_that_are_not_plain_is_not_accepted(text: str) -> None:
    assert FastPath(valid.CONTEXT.options).lint(text.encode(), valid.CONTEXT) is None


# ------------------------------------------------------------------------------ rules


def test_every_rule_that_looks_at_pages_is_proved() -> None:
    """A rule that is not makes all checks slow, which would otherwise go unnoticed."""
    running = {rule.code for form in (PageFormat.CURRENT, PageFormat.TARBALL)
               for rule in running_rules(form, WITH_ORDER)}
    assert running == PROVES


@pytest.mark.parametrize("name", ["page-current", "page-tarball"])
def test_spec_is_valid_where_its_keys_and_each_of_its_values_are(name: str) -> None:
    """By which the fast path checks values one by one."""
    spec = schema.load(name)["$defs"]["spec"]
    assert spec.keys() <= {
        "title", "description", "type", "required", "properties", "additionalProperties"}
    assert spec["type"] == "object"
    assert spec["additionalProperties"] is False
    orders: dict[str, list[tuple[tuple[str, ...], ...]]] = {
        "page-current": [fastpath._CURRENT],
        "page-tarball": [fastpath._SORTED, fastpath._UNSORTED]}
    for order in orders[name]:
        fields = [field for column in order for field in column]
        assert sorted(fields) == sorted(spec["required"]) == sorted(spec["properties"])


@pytest.mark.parametrize("number", range(4))
def test_variants_that_no_rule_sees_are_valid(number: int) -> None:
    some = ["+a", "~a", "a=1", "b==x", "++c", "d", "b='x y'", "=a"]
    dropped = []
    for variants in itertools.product(some, repeat=number):
        written = [json.dumps(variant) for variant in variants]
        for separator in (", ", ",", ""):
            column = f'"variants": [{separator.join(written)}], '.encode()
            if fastpath._drop_plain_variants(column) != column:
                dropped.append((variants, separator))
                assert separator == ", " or number < 2
                assert valid.found(valid.page(None, valid.specs(0, variants=[*variants]))) == []
    # those of the first five whose names are in order
    assert sum(separator == ", " for _, separator in dropped) == (0, 5, 3 + 3 + 1, 3)[number]


# ------------------------------------------------------------------------------ limits


def _memories(path: FastPath) -> list[fastpath._Memory[Any]]:
    return [memory for layout in (path._current, path._sorted, path._unsorted)
            for memory in (layout.known, layout._fields)]


@pytest.mark.parametrize("text", ["", LARGE], ids=["many", "large"])
def test_what_is_remembered_is_bounded(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    most, of_one_page = 10_000, 2 * (len(LARGE) + 1000) + 20 * fastpath._ENTRY
    monkeypatch.setattr(fastpath, "_MOST_BYTES", most)
    path = FastPath(valid.CONTEXT.options)
    for number in range(200):
        page = valid.page(None, valid.specs(0, variants=[f"a={number}{text}"]))
        assert path.lint(page.encode(), valid.CONTEXT) is not None
        for memory in _memories(path):
            assert sum(len(each) + fastpath._ENTRY for each in memory) < most + of_one_page
    assert len(path._current._rows) == len(set(path._current.known.values()))


@pytest.mark.parametrize(("number", "remembered"), [(1, 1), (20, 0)], ids=["small", "large"])
def test_what_follows_from_a_large_page_is_not_remembered(number: int, remembered: int) -> None:
    specs = [{**valid.specs()[0], "hash": "abcdefghijklmnopqrst"[at] * 32}
             for at in range(number)]
    path = FastPath(valid.CONTEXT.options)
    fastpath._summarise_small.cache_clear()
    assert path.lint(valid.page(None, specs).encode(), valid.CONTEXT) is not None
    assert fastpath._summarise_small.cache_info().currsize == remembered


def test_stacks_are_remembered_once_whatever_their_order() -> None:
    stacks = [f"stack-{number}" for number in range(6)]
    context = valid.CONTEXT._replace(tag_stacks=None)
    path = FastPath(context.options)
    chance = random.Random(0)
    for _ in range(100):
        specs = [{**spec, "stacks": chance.sample(stacks, 6)} for spec in valid.tarball_specs()]
        assert path.lint(valid.page(None, specs).encode(), context) is not None
    known = {text.partition(b'"stacks": ')[2] for memory in _memories(path) for text in memory}
    assert known == {b"", b'["%b"]' % '", "'.join(sorted(stacks)).encode()}


@pytest.mark.parametrize("spec", [
    '{"compiler": "", "hash": "%s", "os": "' % ("a" * 32),
    '{"compiler": "", "hash": "%s", "os": "" [], "target": "", "variants": [' % ("a" * 32),
    '{"compiler": "", "hash": "%s", "os": "", "platform": "", "size": "-", "stacks": ["tarball": '
    % ("a" * 32),
    '{"hash": "%s", "compiler": "", "versions": [""], "os": "", "platform": "", "target": "", '
    '"variants": [' % ("a" * 32),
], ids=["os", "variants", "stacks", "unsorted"])
def test_time_is_linear_on_a_hostile_page(spec: str) -> None:
    """In square time, it would take hours."""
    head, _, _ = valid.PAGE.partition("[{")
    raw = f"{head}[{spec * (4_000_000 // len(spec))}}}]\n---".encode()
    assert FastPath(valid.CONTEXT.options).lint(raw, valid.CONTEXT) is None
