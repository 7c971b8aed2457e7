"""CL1xx: the file and its front matter."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cachelint import Settings, check, check_page
from cachelint.model import PageContext, PageId
from support import valid

PAGE = valid.PAGE
META_LINE = valid.lines()["meta"]
SPECS_LINE = valid.lines()["spec_details"]
LEGACY = valid.LEGACY
STALE = valid.page(valid.meta(num_specs=3))


def _with(line: str, key: str = "meta") -> str:
    """Replace one line of the valid page."""
    return PAGE.replace(valid.lines()[key], line)


def _without_closing(text: str = PAGE) -> str:
    return text.removesuffix("\n---")


CASES: dict[str, tuple[str | bytes, list[tuple[str, str, str]]]] = {
    "sound": (PAGE, []),
    "sound, tarball": (valid.TARBALL_PAGE, []),
    # CL101
    "bad byte": (PAGE.encode().replace(b"zlib", b"zl\xffib"),
                 [("CL101", "", 'title: "zl\ufffdib"')]),
    "bad byte in the last line": (PAGE.encode() + b"\xc3", [("CL101", "", "---\ufffd")]),
    "surrogate as bytes": (PAGE.encode().replace(b"cache", b"\xed\xa0\x80", 1),
                           [("CL101", "", "layout: \ufffd\ufffd\ufffd")]),
    "UTF-16": (b"\xff\xfe" + PAGE.encode("utf-16-le"), [("CL101", "", "\ufffd\ufffd-\0-\0-\0")]),
    # CL102
    "mark": ("\ufeff" + PAGE, [("CL102", "", "---")]),
    "mark, and stale": ("\ufeff" + STALE,
                        [("CL102", "", "---"), ("CL301", "/meta/num_specs", "3")]),
    "two marks": ("\ufeff\ufeff" + PAGE, [("CL102", "", "\ufeff---"), ("CL104", "", "\ufeff---")]),
    "mark alone": ("\ufeff", [("CL102", "", ""), ("CL104", "", "")]),
    # CL103
    "CRLF, and stale": (STALE.replace("\n", "\r\n"),
                        [("CL103", "", ""), ("CL301", "/meta/num_specs", "3")]),
    "CR": (PAGE.replace("\n", "\r"), [("CL103", "", "")]),
    "one CRLF": (PAGE.replace("cache\n", "cache\r\n", 1), [("CL103", "", "")]),
    # CL104
    "empty": ("", [("CL104", "", "")]),
    "blank": (" \n\n", [("CL104", "", " ")]),
    "text": ("# zlib\n", [("CL104", "", "# zlib")]),
    "blank line first": ("\n" + PAGE, [("CL104", "", "")]),
    "indented": (" " + PAGE, [("CL104", "", " ---")]),
    "four dashes": ("-" + PAGE, [("CL104", "", "----")]),
    "text behind the dashes": (PAGE.replace("---", "--- zlib", 1), [("CL104", "", "--- zlib")]),
    # whitespace to Python, but not to Jekyll
    "no-break space behind the dashes": (PAGE.replace("---", "---\u00a0", 1),
                                         [("CL104", "", "---\u00a0")]),
    # CL105
    "unclosed": (_without_closing(), [("CL105", "", "---")]),
    "cut": (PAGE[:400], [("CL105", "", "---")]),
    "first line alone": ("---", [("CL105", "", "---")]),
    "closing is indented": (_without_closing() + "\n ---", [("CL105", "", "---")]),
    "closing is followed by a no-break space": (PAGE + "\u00a0", [("CL105", "", "---")]),
    "closing has four dashes": (PAGE + "-", [("CL105", "", "---")]),
    # CL106
    "bracket is not closed": (PAGE.replace('"num_specs": 2', '"num_specs": [2'),
                              [("CL106", "", ":")]),
    "reserved character": (_with("layout: @cache", "layout"), [("CL106", "", "@")]),
    "second document": (PAGE.replace("---\n", "---\n--- {}\n", 1), [("CL106", "", "-")]),
    "tag in a line of JSON": (PAGE.replace('"num_specs": 2', '"num_specs": !!int 2'),
                              [("CL106", "", "!")]),
    "tab as indentation": (_with("meta:\n\tnum_specs: 2"), [("CL106", "", "\t")]),
    "control character": (_with('title: "zl\x01ib"', "title"), [("CL106", "", "\x01")]),
    "tag of Python": (_with("layout: !!python/object:os.system cache", "layout"),
                      [("CL106", "", "!")]),
    "tag of one's own": (_with("layout: !cache cache", "layout"), [("CL106", "", "!")]),
    "list as a key": (_with("? [a]\n: b"), [("CL106", "", "[")]),
    "conflict": (_with(f"<<<<<<< HEAD\n{META_LINE}\n=======\n{META_LINE}\n>>>>>>> develop"),
                 [("CL106", "", "<<<<<<< HEAD")]),
    "end of a conflict": (_with(f"{META_LINE}\n>>>>>>> develop"),
                          [("CL106", "", ">>>>>>> develop")]),
    "text between": (_with(f"{META_LINE}\nzlib"), [("CL106", "", "s")]),
    # CL107
    "twice in meta": (PAGE.replace('"num_specs": 2', '"num_specs": 1, "num_specs": 2'),
                      [("CL107", "/meta/num_specs", '"num_specs"')]),
    "twice in a spec": (PAGE.replace('"os"', '"os": "rhel8", "os"', 1),
                        [("CL107", "/spec_details/0/os", '"os"')]),
    "twice by stack": (PAGE.replace('"e4s": 1', '"e4s": 1, "e4s": 1'),
                       [("CL107", "/meta/num_specs_by_stack/e4s", '"e4s"')]),
    "escaped": (PAGE.replace('"oss"', '"\\u006fss": [], "oss"'), [("CL107", "/meta/oss", '"oss"')]),
    "escaped the second time": (PAGE.replace('"oss"', '"oss": [], "\\u006fss"'),
                                [("CL107", "/meta/oss", '"\\u006fss"')]),
    "three times": (PAGE.replace('"num_specs"', '"num_specs": 1, "num_specs": 1, "num_specs"'),
                    [("CL107", "/meta/num_specs", '"num_specs"')] * 2),
    "in two places": (PAGE.replace('"os"', '"os": "rhel8", "os"'),
                      [("CL107", "/spec_details/0/os", '"os"'),
                       ("CL107", "/spec_details/1/os", '"os"')]),
    "a line twice": (_with("layout: cache\nlayout: cache", "layout"),
                     [("CL107", "/layout", "layout")]),
    "specs twice": (_with(f"{SPECS_LINE}\n{SPECS_LINE}", "spec_details"),
                    [("CL107", "/spec_details", "spec_details")]),
    "quoted and plain": (_with("'layout': cache\nlayout: cache", "layout"),
                         [("CL107", "/layout", "layout")]),
    "in block YAML": (_with("meta:\n  oss: [a]\n  'oss': [b]"), [("CL107", "/meta/oss", "'oss'")]),
    "in flow YAML": (_with("meta: {oss: a, oss: b}"), [("CL107", "/meta/oss", "oss")]),
    "beside comments": (_with("# a\nmeta: {oss: a, # b\n  oss: b}"),
                        [("CL107", "/meta/oss", "oss")]),
    "twice ends a page": (valid.page(valid.meta(num_specs=3), title="title: zstd").replace(
        '"os"', '"os": "rhel8", "os"', 1), [("CL107", "/spec_details/0/os", '"os"')]),
    "key with a slash": (PAGE.replace('"e4s": 1', '"a/~b": 1, "a/~b": 1'),
                         [("CL107", "/meta/num_specs_by_stack/a~1~0b", '"a/~b"')]),
    # CL108
    "text behind": (PAGE + "\nBuilt by hand.\n", [("CL108", "", "Built by hand.")]),
    "text behind blanks": (PAGE + "\n\n  Built\nby hand.", [("CL108", "", "Built\nby hand.")]),
    "front matter twice": (PAGE + "\n" + "---\na: 1\n---", [("CL108", "", "---\na: 1\n---")]),
    # CL109
    "legacy": (LEGACY, [("CL109", "", "---")]),
    "legacy, its meta unsound": (LEGACY.replace('"versions"', '"version"'), [("CL109", "", "---")]),
    "legacy, another layout": (LEGACY.replace("layout: cache", "layout: table"),
                               [("CL109", "", "---")]),
    "legacy with CRLF": (LEGACY.replace("\n", "\r\n"), [("CL103", "", ""), ("CL109", "", "---")]),
    "legacy, a key twice": (LEGACY.replace("layout: cache", "layout: cache\nlayout: cache"),
                            [("CL107", "/layout", "layout")]),
    "legacy of another package": (LEGACY.replace('"zlib"', '"zstd"'),
                                  [("CL109", "", "---"), ("CL601", "/title", '"zstd"')]),
    "legacy of another tag": (LEGACY.replace("category: package", "categories: [package, v0.17]"),
                              [("CL109", "", "---"), ("CL602", "/categories/1", "v0.17")]),
    "legacy, text and comments": (LEGACY.replace("spec_files:", "# files\nspec_files:") + "\nx",
                                  [("CL108", "", "x"), ("CL109", "", "---")]),
    "legacy, newline at the end": (LEGACY + "\n", [("CL109", "", "---")]),
    # CL110
    "alias": (_with('meta: &all {"num_specs": 2}').replace("layout: cache", "layout: *all"),
              [("CL110", "", "*")]),
    "alias without an anchor": (_with("layout: *nothing", "layout"), [("CL110", "", "*")]),
    "deep JSON": (_with(f"meta: {'[' * 5000}{']' * 5000}"), [("CL110", "", "meta")]),
    "deep YAML": (_with(f"meta: {'[' * 200}a{']' * 200}"), [("CL110", "", "[")]),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_findings(text: str | bytes, expected: list[tuple[str, str, str]]) -> None:
    assert valid.reported(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\ufeff" + PAGE, (1, 1, 1, 4)),
        (PAGE.replace("\n", "\r\n"), (1, 4, 1, 5)),
        (PAGE.replace("cache\n", "cache\r\n", 1), (3, 14, 3, 15)),
        (PAGE.replace("cache\n", "cache\r", 1), (3, 14, 3, 15)),
        (PAGE.replace('"zlib"', '"\u00e9" # \U0001f600', 1) + "\nx", (8, 1, 8, 2)),
        (PAGE.replace("layout: cache", "'layout': cache\nlayout: cache"), (4, 1, 4, 7)),
        (PAGE.encode().replace(b"zlib", b"\xff"), (2, 1, 2, 11)),
    ],
    ids=["mark", "CRLF", "one CRLF", "one CR", "text behind", "key", "bad byte"],
)
def test_first_or_last_finding_is_at(
    text: str | bytes, expected: tuple[int, int, int, int]
) -> None:
    finding = valid.check(text)[-1]
    assert (finding.line, finding.column, finding.end_line, finding.end_column) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (PAGE.encode().replace(b"zlib", b"zl\xffib"), "0xff at offset 14"),
        (_with(f"<<<<<<< HEAD\n{META_LINE}"), "merge conflict"),
        (PAGE.replace('"oss"', '"oss": [], "\\u006fss"'), '"oss"'),
        ("", "empty"),
    ],
    ids=["CL101", "CL106", "CL107", "CL104"],
)
def test_message_has(text: str | bytes, words: str) -> None:
    (finding,) = valid.check(text)
    assert words in finding.message


@pytest.mark.parametrize("text", [
    PAGE.replace('"num_specs": 2', '"num_specs": [2') + "\n",
    _with('meta: &all {"num_specs": 2}\nlayout: *all', "layout") + "\n",
    PAGE.replace('"num_specs"', '"num_specs": 1, "num_specs"') + "\n",
], ids=["CL106", "CL110", "CL107"])
def test_unparsed_page_has_nothing_but_cl1(text: str) -> None:
    assert {code[:3] for code, _ in valid.found(text)} == {"CL1"}


@pytest.mark.parametrize("levels", range(97, 105))
def test_depth_is_measured_alike_in_json_and_in_yaml(levels: int) -> None:
    # the front matter itself is the first level
    json_page, yaml_page = (
        _with(f"meta: {'[' * (levels - 1)}{inner}{']' * (levels - 1)}") for inner in ("1", "'a'"))
    deep = [("CL110", "")] if levels > 100 else [("CL203", "/meta")]
    assert valid.found(json_page) == deep
    assert [pair for pair in valid.found(yaml_page) if pair[0] != "CL504"] == deep


def test_size_limits() -> None:
    settings = Settings(max_page_size=len(PAGE))
    assert check_page(PAGE.encode(), settings=settings) == []
    (finding,) = check_page(PAGE.encode() + b" ", settings=settings)
    assert (finding.code, finding.pointer, finding.line) == ("CL110", "", 1)


def test_yaml_is_not_parsed_above_two_mebibytes() -> None:
    many = ", ".join(f'"{number:01000}"' for number in range(2_200))
    small = valid.page(valid.meta(), meta_line=f'meta: {{"versions": [{many}]}}')
    assert 2 * 2**20 < len(small) < 8 * 2**20
    assert ("CL110", "") not in valid.found(small)
    assert valid.found(small.replace("layout: cache", "layout: 'cache'")) == [("CL110", "")]


@pytest.mark.parametrize("place", [PageId(None, None), PageId("v0.17", "zlib")])
def test_legacy_without_a_tag_of_its_own(place: PageId) -> None:
    assert valid.found(LEGACY, PageContext(place)) == [("CL109", "")]


# ------------------------------------------------------------------------------ files


def _catalog(folder: Path) -> None:
    valid.write_catalog(folder, {f"{valid.TAG}/zlib": PAGE}, {valid.TAG: ["e4s", "root"]})
    pages = folder / "pages" / "tags"
    pages.mkdir(parents=True)
    (pages / f"{valid.TAG}.md").write_text(
        f"---\nlayout: table\npermalink: /tag/{valid.TAG}/\ntag: {valid.TAG}\n---")


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    _catalog(tmp_path)
    return tmp_path


def test_valid_catalog(catalog: Path) -> None:
    assert check([str(catalog)]).findings == ()


@pytest.mark.parametrize("kind", ["folder", "dangling", "loop", "pipe"])
def test_unreadable_file(catalog: Path, kind: str) -> None:
    path = catalog / "_cache" / valid.TAG / "zstd" / "specs.md"
    path.parent.mkdir()
    if kind == "folder":
        path.mkdir()
    elif kind == "dangling":
        path.symlink_to("nowhere.md")
    elif kind == "loop":
        path.symlink_to("specs.md")
    else:
        os.mkfifo(path)
    findings = check(["."]).findings
    assert [(f.code, f.path, f.pointer, f.line) for f in findings] == [
        ("CL100", f"_cache/{valid.TAG}/zstd/specs.md", "", 1)]


@pytest.mark.parametrize(
    ("path", "is_stray"),
    [
        (f"_cache/{valid.TAG}/zlib/notes.md", True),
        (f"_cache/{valid.TAG}/notes.txt", True),
        (f"_cache/{valid.TAG}/zlib/old/specs.md", True),
        ("_cache/notes.md", True),
        ("notes.md", False),
    ],
)
def test_stray_page(catalog: Path, path: str, is_stray: bool) -> None:
    file = catalog / path
    file.parent.mkdir(exist_ok=True)
    file.write_text("without front matter\n")
    assert check(["."]).findings == ()
    file.write_text("---\ntitle: x\n---\n")
    assert [(f.code, f.path, f.pointer) for f in check(["."]).findings] == (
        [("CL111", path, "")] if is_stray else [])
