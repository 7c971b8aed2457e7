"""The quick ways of judging a page against the plain one: they may differ in nothing but time.

`examine` accepts whole pages, or their specs alone, by what it remembers of other pages. Asked page
by page, without a memory, every rule must say the same.
"""

from __future__ import annotations

import copy
import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cachelint import summarize
from cachelint.document import schema
from cachelint.document.parser import parse_page
from cachelint.linter.fastpath import _PARTS, Shapes
from cachelint.linter.page import examine, run_rules
from cachelint.model import PageContext, PageId
from support import valid

TAGS = [valid.TAG, "v0.22.4"]
PACKAGES = ["zlib", "zstd"]
HASHES = [valid.FIRST, valid.SECOND, "a" * 32, "b" * 32, "abcdefghijklmnopqrstuvwxyz234567"]
EMOJI = "\U0001f600"

Said = list[tuple[str, str, str]]


def _quick(raw: bytes, context: PageContext, shapes: Shapes, *, strict_order: bool) -> Said:
    problems, page, facts = examine(raw, context, shapes, strict_order=strict_order)
    plain = parse_page(raw, context)
    if page is None:
        assert problems == []
    if facts is not None and (page is None or (plain.parsed and "spec_details" in plain.data)):
        # what was taken from memory is what the page says
        specs = plain.specs
        assert facts.summary == summarize(specs) == valid.summary(specs)
        assert facts.hashes == "".join(spec["hash"] for spec in specs).encode()
    return sorted((rule.code, problem.pointer, problem.message) for rule, problem in problems)


def _plain(raw: bytes, context: PageContext, *, strict_order: bool) -> Said:
    problems = run_rules(parse_page(raw, context), strict_order=strict_order)
    return sorted((rule.code, problem.pointer, problem.message) for rule, problem in problems)


def _hold(pages: list[tuple[bytes, PageContext]], *, strict_order: bool = False) -> None:
    """Hold the two ways together over pages that share a memory."""
    shapes = Shapes()
    for raw, context in pages:
        assert _quick(raw, context, shapes, strict_order=strict_order) == _plain(
            raw, context, strict_order=strict_order)


# ------------------------------------------------------------------------------ sound pages

_BODIES = st.fixed_dictionaries({
    "compiler": st.sampled_from(["gcc@11.4.0", "none", "gcc@=11.4.0"]),
    "os": st.sampled_from(["ubuntu22.04", "rhel8"]),
    "platform": st.just("linux"),
    "size": st.sampled_from(["-", 10]),
    "stacks": st.sampled_from([["e4s", "root"], ["root"], ["aws", "root"], ["e4s"]]),
    "target": st.sampled_from(["x86_64_v3", "zen4"]),
    "variants": st.sampled_from([[], ["+shared"], ["build_system=makefile", "+shared"],
                                 ["cflags=' # '"], ["a='}, {'", "b='\"'"], ["commit=" + "a" * 40]]),
    "versions": st.sampled_from([["1.3.1"], ["1.2.13"], ["1.10"]]),
})


UNSORTED = ("hash", "compiler", "versions", "os", "platform", "target", "variants", "stacks",
            "size")
"""The keys of a spec as the generator had them, a tarball last, before it sorted them."""


class Parts:
    """A page taken apart, to be spoilt."""

    def __init__(self, tag: str, package: str, specs: list[dict[str, Any]]) -> None:
        """Put a sound page together."""
        self.tag, self.package, self.specs = tag, package, specs
        self.meta: Any = valid.summary(specs)
        self.lines = {"title": f'title: "{package}"', "layout": "layout: cache",
                      "categories": f"categories: [package, {tag}]"}
        self.sort_keys = True
        self.separators = (", ", ": ")

    def text(self) -> str:
        """Write the page."""
        written = {
            key: f"{key}: {json.dumps(value, sort_keys=self.sort_keys, separators=self.separators)}"
            for key, value in (("meta", self.meta), ("spec_details", self.specs))
        }
        return valid.assemble((self.lines | written).values())


def _url(tag: str, package: str, spec: dict[str, Any], folder: str) -> str:
    built = (f"{spec['platform']}-{spec['os']}-{spec['target']}",
             spec["compiler"].replace("@=", "-").replace("@", "-"))
    release = f"{package}-{spec['versions'][0]}"
    return (f"https://binaries.spack.io/{folder}{tag}/build_cache/{built[0]}/{built[1]}/{release}/"
            f"{built[0]}-{built[1]}-{release}-{spec['hash']}.spack")


@st.composite
def _parts(draw: st.DrawFn) -> Parts:
    tag, package = draw(st.sampled_from(TAGS)), draw(st.sampled_from(PACKAGES))
    hashes = draw(st.lists(st.sampled_from(HASHES), min_size=1, max_size=4, unique=True))
    bodies = copy.deepcopy([draw(_BODIES) for _ in hashes])
    specs = [{key: (body | {"hash": dag_hash})[key] for key in UNSORTED}
             for body, dag_hash in zip(bodies, hashes, strict=True)]
    if draw(st.booleans()):
        folder = draw(st.sampled_from(["", "releases/"]))
        for spec in specs:
            spec["tarball"] = _url(tag, package, spec, folder)
    else:
        specs.sort(key=lambda spec: str(spec["hash"]))
    parts = Parts(tag, package, specs)
    parts.sort_keys = "tarball" not in specs[0] or draw(st.booleans())
    return parts


@st.composite
def _contexts(draw: st.DrawFn, parts: Parts) -> PageContext:
    usual = st.just(PageId(parts.tag, parts.package))
    other = st.builds(PageId, st.sampled_from([*TAGS, None]), st.sampled_from([*PACKAGES, None]))
    listed = st.sampled_from([None, *map(frozenset, (
        ["aws", "e4s", "root"], ["e4s", "root"], ["aws", "e4s"]))])
    return PageContext(draw(usual | usual | usual | other), draw(listed),
                   draw(st.sampled_from(["root", "root", "e4s"])))


# ------------------------------------------------------------------------------ spoiling them

_ODD: list[Any] = [
    None, True, 1, 2, 1.0, 2.0, -1, 2**70, "", "-", "1", "a b", "<", '"', "\\", "\n", "\x7f",
    "\u00e9", EMOJI, "no", "<<", "root", "e4s", "x" * 1023, [], {}, ["root"], ["root", "e4s"], [1],
    ["+a", "~a"], ["+~a"], ["", "root"], {"root": 1}, {"root": True}, {"<<": 1}, "gcc@=12", "beos",
    "a" * 31, "a" * 33, "A" * 32, HASHES[0], "}, {", "zlib", ["1", "2"], ["aws", "root"],
    ["b", "a"],
]
_KEYS = ["compiler", "hash", "os", "platform", "size", "stacks", "target", "variants", "versions",
         "tarball", "num_specs", "num_specs_by_stack", "oss", "compilers", "<<", "x", "hash ",
         "k" * 1023]
_LINES = [
    ("title", "title: zlib"), ("title", 'title: "no"'), ("title", "title: 2025-03-30"),
    ("title", ""), ("title", "note: 'x"), ("title", 'note: "x'), ("title", "note: |"),
    ("title", "note: {a: b,"), ("title", "title: zlib # x"), ("title", 'title: "zl\\u0069b"'),
    ("title", '"title": "zlib"'),
    ("layout", "layout: table"), ("layout", "layout: cache "), ("layout", ""), ("layout", "# x"),
    ("layout", "layout: cache\nlayout: cache"), ("layout", "layout: 'x"), ("layout", "? layout"),
    ("categories", "categories: [package]"), ("categories", "categories: [package, no]"),
    ("categories", "categories: [package, 1e3]"), ("categories", "categories: 'x"),
    ("categories", "categories: [pkg, v0.22.4]"), ("categories", "categories: [package, v0.22.4]"),
    ("categories", "note: 'x"), ("categories", 'note: "x'), ("categories", "note: >"),
    ("categories", "note: [x,"), ("categories", 'categories: ["package", "v0.22.4"]'),
]


def _replace(draw: st.DrawFn, value: Any) -> Any:
    """Replace, drop, repeat or move something at or below a value."""
    if isinstance(value, (dict, list)) and value and draw(st.integers(0, 3)):
        keys = sorted(value) if isinstance(value, dict) else range(len(value))
        key: Any = draw(st.sampled_from(list(keys)))
        what = draw(st.sampled_from(["below", "below", "below", "drop", "more", "swap"]))
        if what == "below":
            value[key] = _replace(draw, value[key])
        elif what == "drop":
            del value[key]
        elif isinstance(value, dict):
            if what == "more":
                value[draw(st.sampled_from(_KEYS))] = draw(st.sampled_from(_ODD))
            else:
                return dict(reversed(value.items()))
        elif what == "more":
            value.insert(key, copy.deepcopy(draw(st.sampled_from([*_ODD, *value]))))
        else:
            value.reverse()
        return value
    return copy.deepcopy(draw(st.sampled_from(_ODD)))


_TOKEN = re.compile(r'"[^"]*"|[0-9]+|[\[\]{},:]|\n| |[^\s"]')
_TOKENS = [
    '"', '"a"', ", ", ",", ": ", ":", "[", "]", "{", "}", "}, {", "\n", " ", "1", "true", "null",
    "'", "#", " # ", "\\", "\\u0061", "\\ud83d\\ude00", "\x7f", "\u0085", "\u00e9", EMOJI, "\t",
    "\r", "---", '"os": "rhel8", ', '"e4s": 1, ', "/v0.22.4/build_cache/", HASHES[0],
    '"hash": "', "1e3", "1.0", "NaN", "<<", "a" * 32, '"stacks": [', "&a ", "*a", "!!str ",
]


@st.composite
def _spoilt(draw: st.DrawFn, parts: Parts) -> str:
    """Spoil a page a little."""
    parts = copy.deepcopy(parts)
    ways = st.sampled_from(
        ["value", "value", "specs", "meta", "line", "keys", "spaces", "resummarise"])
    for how in draw(st.lists(ways, max_size=3)):
        if how == "value":
            parts.specs = _replace(draw, parts.specs)
        elif how == "specs" and isinstance(parts.specs, list) and parts.specs:
            parts.specs = draw(st.sampled_from([
                parts.specs[::-1], parts.specs[1:], [*parts.specs, parts.specs[0]]]))
        elif how == "meta":
            parts.meta = _replace(draw, parts.meta)
        elif how == "line":
            key, line = draw(st.sampled_from(_LINES))
            parts.lines[key] = line
        elif how == "keys":
            parts.sort_keys = False
        elif how == "spaces":
            parts.separators = draw(st.sampled_from([(",", ":"), (", ", ":"), (" , ", " : ")]))
        elif how == "resummarise":
            try:
                parts.meta = valid.summary(parts.specs)
            except (KeyError, TypeError, AttributeError):
                continue
    text = _written(parts)
    for _ in range(draw(st.integers(0, 2))):
        spans = [match.span() for match in _TOKEN.finditer(text)]
        start, end = draw(st.sampled_from(spans))
        token = draw(st.sampled_from([*_TOKENS, "", text[start:end] * 2]))
        text = text[:start] + token + text[end:]
    return draw(st.sampled_from([text] * 12 + [
        text + "\n", text + "\nx", text.replace("\n", "\r\n"), "\ufeff" + text, text[:-4]]))


def _written(parts: Parts) -> str:
    try:
        return parts.text()
    except TypeError:  # keys of several types cannot be sorted
        parts.sort_keys = False
        return parts.text()


@st.composite
def _pages(draw: st.DrawFn) -> list[tuple[bytes, PageContext]]:
    """Make a few pages that have shapes in common: sound ones first, and what becomes of them."""
    pages = []
    for _ in range(draw(st.integers(1, 2))):
        parts = draw(_parts())
        pages.append((parts.text().encode(), draw(_contexts(parts))))
        for _ in range(draw(st.integers(1, 3))):
            text = draw(_spoilt(parts))
            pages.append((text.encode("utf-8", "surrogatepass"), draw(_contexts(parts))))
    return pages


@given(_pages(), st.booleans())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_quick_and_plain_ways_agree(
    pages: list[tuple[bytes, PageContext]], strict_order: bool
) -> None:
    _hold(pages, strict_order=strict_order)


@given(_parts())
@settings(max_examples=40, deadline=None)
def test_sound_pages_are_accepted_by_what_is_remembered(parts: Parts) -> None:
    stacks = frozenset({"aws", "e4s", "root"})
    context = PageContext(PageId(parts.tag, parts.package), stacks, "e4s-root")
    mixed = len({"@=" in spec["compiler"] for spec in parts.specs if "@" in spec["compiler"]}) > 1
    text = parts.text()
    is_simple = not any(odd in text for odd in ("\\", "a='}", "commit="))
    shapes = Shapes()
    for _ in range(2):
        problems, page, _ = examine(text.encode(), context, shapes)
        assert page is None or not is_simple or mixed
        assert [rule.code for rule, _ in problems] == (["CL408"] if mixed else [])


# ------------------------------------------------------------------------------ mixing things up

CURRENT = valid.page(None, valid.specs(0, variants=["cflags=' # '"]))
TARBALL = valid.TARBALL_PAGE
META = valid.lines()["meta"]
OTHER_TAG = TARBALL.replace(valid.TAG, "v0.22.4")
CASES: dict[str, list[str]] = {
    "text that hides the specs": [CURRENT, CURRENT.replace("categories:", "note: 'x\ncategories:")
                                  .replace("layout: cache\n", "")],
    "text that hides meta and specs": [CURRENT, CURRENT.replace(
        f"categories: [package, {valid.TAG}]", "categories: 'x")],
    "specs twice": [CURRENT, CURRENT.replace(META, valid.lines()["spec_details"])],
    "hash that stands elsewhere too": [
        valid.page(None, valid.specs(0, variants=[f"commit={valid.FIRST}"])),
        valid.page(None, valid.specs(0, variants=[f"commit={valid.SECOND}"]))],
    "an opening quote that is not there": [TARBALL, *[
        json.dumps(value).replace('"', "", 1).join(TARBALL.split(json.dumps(value), 1))
        for value in (valid.FIRST, "root", valid.tarball_specs()[0]["tarball"])]],
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
    "values of several sound specs, and of none": [
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
    "what stands between specs": [valid.PAGE, TARBALL, *[
        text.replace("}, {", between) for text in (valid.PAGE, TARBALL)
        for between in ("}{", "},{", "}  {", "}; {", "}] {", "}, , {", "}] [{")]],
    "braces in a text": [valid.page(None, valid.specs(0, variants=["a='}, {'"]))],
    "nothing in the list": [valid.page(valid.meta(), specs_line="spec_details: [{}]"),
                            valid.page(valid.meta(), specs_line="spec_details: [{}, {}]")],
    "a stack that is long": [valid.page(None, valid.specs(0, stacks=["root", "s" * 1023]))],
    "a number of another kind": [
        text.replace('"num_specs": 2', '"num_specs": 2.0') for text in (valid.PAGE, TARBALL)],
    "a tag that is none": [TARBALL.replace(valid.TAG, "None")],
}


@pytest.mark.parametrize("texts", CASES.values(), ids=CASES)
@pytest.mark.parametrize("strict_order", [False, True], ids=["", "strict"])
@pytest.mark.parametrize("context", [
    valid.CONTEXT, PageContext(), valid.CONTEXT._replace(tag_stacks=None),
    PageContext(PageId("v0.22.4", "zlib")),
    PageContext(PageId(valid.TAG, "zstd"), frozenset({"root"})),
    valid.CONTEXT._replace(root_stack="e4s"),
], ids=["usual", "nowhere", "no stacks", "other tag", "other package", "other root"])
def test_known_shapes_do_not_hide(
    texts: list[str], context: PageContext, strict_order: bool
) -> None:
    pages = [(text.encode(), context) for text in texts]
    _hold(pages, strict_order=strict_order)
    _hold(pages[::-1], strict_order=strict_order)
    _hold([(text, valid.CONTEXT) for text, _ in pages] + pages, strict_order=strict_order)


# ------------------------------------------------------------------------------ real pages, spoilt

EXAMPLES = [
    (path.read_bytes(), PageContext(PageId(path.parts[-3], path.parts[-2])))
    for path in sorted(Path(__file__).parents[2].glob("examples/catalog/_cache/*/*/specs.md"))]
_PIECE = re.compile(rb'"[^"]*"|[0-9]+|[^"0-9]')
_OTHERS = [b'"', b"}, {", b'"hash": "', b"\n", b" ", b"1", b'"root"', b": ", b"\\", b"#", b"true",
           b'"none"', b'"gcc@=11.4.0"', b"\xc3\xa9", b"\x7f", b"2.0", b"", b'"tarball": "', b"["]


def _shuffled(raw: bytes, other: bytes, chance: random.Random) -> bytes:
    """Change a page in a few places, by pieces of another page among others."""
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
def test_quick_and_plain_ways_agree_on_real_pages_that_were_spoilt(seed: int) -> None:
    chance = random.Random(seed)
    small = [(raw, context) for raw, context in EXAMPLES if len(raw) < 20_000]
    pages = [*EXAMPLES, *(
        (_shuffled(raw, chance.choice(small)[0], chance), context)
        for raw, context in (chance.choice(small) for _ in range(100)))]
    _hold(pages)


def test_what_is_remembered_of_unsound_pages_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cachelint.linter.fastpath._MOST_SHAPES", 10)
    shapes = Shapes()
    most = 0
    for number in range(50):
        specs = [valid.specs(0, variants=[f"patches={number}"])[0],
                 valid.specs(1, versions=["1", "2"])[1]]
        assert shapes.read(
            valid.page(None, specs).encode(), valid.CONTEXT.place, valid.CONTEXT) is None
        most = max(most, sum(map(len, shapes._parts)))
    assert 4 < most <= 20  # ten, and those of the page that is read
    assert shapes.read(valid.PAGE.encode(), valid.CONTEXT.place, valid.CONTEXT) is not None


@pytest.mark.parametrize("name", ["page-current", "page-tarball"])
def test_spec_is_sound_where_its_keys_and_each_of_its_values_are(name: str) -> None:
    """By which the quick way judges values one by one."""
    spec = schema.load(name)["$defs"]["spec"]
    assert spec.keys() <= {
        "title", "description", "type", "required", "properties", "additionalProperties"}
    assert spec["type"] == "object"
    assert spec["additionalProperties"] is False
    if name == "page-current":
        keys = set().union(*(keys for _, keys in _PARTS))
        assert keys | {"hash"} == set(spec["required"]) == set(spec["properties"])
