"""Pages that Hypothesis makes and damages; the fast path is compared with the plain way on them."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

from hypothesis import strategies as st

from cachelint.document.page import Page
from cachelint.linter.fastpath import FastPath
from cachelint.linter.page import PageResult, lint_page
from cachelint.model import PageContext, PageId, RuleOptions
from support import valid

TAGS = [valid.TAG, "v0.22.4"]
PACKAGES = ["zlib", "zstd"]
HASHES = [valid.FIRST, valid.SECOND, "a" * 32, "b" * 32, "abcdefghijklmnopqrstuvwxyz234567"]
EMOJI = "\U0001f600"
WITH_ORDER = frozenset({"CL507"})


def _describe(page: Page | None) -> dict[str, Any]:
    """Return all that is in a page."""
    if page is None:
        return {}
    names = ("text", "errors", "parsed", "format", "opening_end", "closing_start",
             "entries", "comments", "schema_errors", "expected_meta", "nodes", "dependent",
             "refused")
    # NaN is not equal to itself
    return {name: getattr(page, name) for name in names} | {"data": repr(page.data)}


def compare(fast: PageResult, plain: PageResult) -> None:
    assert fast.problems == plain.problems
    assert (fast.num_specs, fast.hashes) == (plain.num_specs, plain.hashes)
    if fast.page is not None:
        assert plain.page is not None
        for _, problem in plain.problems:
            assert fast.page.locate(problem.pointer) == plain.page.locate(problem.pointer)
        assert _describe(fast.page) == _describe(plain.page)


def compare_all(pages: list[tuple[bytes, PageContext]], *, strict_order: bool = False) -> None:
    """Compare the two ways over pages that share a memory."""
    paths: dict[RuleOptions, FastPath] = {}
    for raw, context in pages:
        context = context._replace(extra_rules=WITH_ORDER if strict_order else frozenset())
        path = paths.setdefault(
            context.options, FastPath(context.options, context.extra_rules))
        compare(lint_page(raw, context, path.lint), lint_page(raw, context))


# ------------------------------------------------------------------------------ valid pages

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
    """A page taken apart, to be damaged."""

    def __init__(self, tag: str, package: str, specs: list[dict[str, Any]]) -> None:
        """Put a valid page together."""
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
def page_parts(draw: st.DrawFn) -> Parts:
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
def contexts(draw: st.DrawFn, parts: Parts) -> PageContext:
    usual = st.just(PageId(parts.tag, parts.package))
    other = st.builds(PageId, st.sampled_from([*TAGS, None]), st.sampled_from([*PACKAGES, None]))
    listed = st.sampled_from([None, *map(frozenset, (
        ["aws", "e4s", "root"], ["e4s", "root"], ["aws", "e4s"]))])
    return PageContext(draw(usual | usual | usual | other), draw(listed),
                   RuleOptions(draw(st.sampled_from(["root", "root", "e4s"]))))

# ------------------------------------------------------------------------------ damage

ODD: list[Any] = [
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
                value[draw(st.sampled_from(_KEYS))] = draw(st.sampled_from(ODD))
            else:
                return dict(reversed(value.items()))
        elif what == "more":
            value.insert(key, copy.deepcopy(draw(st.sampled_from([*ODD, *value]))))
        else:
            value.reverse()
        return value
    return copy.deepcopy(draw(st.sampled_from(ODD)))


TOKEN = re.compile(r'"[^"]*"|[0-9]+|[\[\]{},:]|\n| |[^\s"]')
PIECES = [
    '"', '"a"', ", ", ",", ": ", ":", "[", "]", "{", "}", "}, {", "\n", " ", "1", "true", "null",
    "'", "#", " # ", "\\", "\\u0061", "\\ud83d\\ude00", "\x7f", "\u0085", "\u00e9", EMOJI, "\t",
    "\r", "---", '"os": "rhel8", ', '"e4s": 1, ', "/v0.22.4/build_cache/", HASHES[0],
    '"hash": "', "1e3", "1.0", "NaN", "<<", "a" * 32, '"stacks": [', "&a ", "*a", "!!str ",
]


@st.composite
def _damaged(draw: st.DrawFn, parts: Parts) -> str:
    """Damage a page a little."""
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
        spans = [match.span() for match in TOKEN.finditer(text)]
        start, end = draw(st.sampled_from(spans))
        token = draw(st.sampled_from([*PIECES, "", text[start:end] * 2]))
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
def similar_pages(draw: st.DrawFn) -> list[tuple[bytes, PageContext]]:
    """Make a few pages that have strings in common: valid ones first, then damaged ones."""
    pages = []
    for _ in range(draw(st.integers(1, 2))):
        parts = draw(page_parts())
        pages.append((parts.text().encode(), draw(contexts(parts))))
        for _ in range(draw(st.integers(1, 3))):
            text = draw(_damaged(parts))
            pages.append((text.encode("utf-8", "surrogatepass"), draw(contexts(parts))))
    return pages
