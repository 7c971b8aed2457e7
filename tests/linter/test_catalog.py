"""The catalog's own files, and the quick way of reading them beside the YAML parser."""

import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cachelint import Settings, check, check_page
from cachelint.document import yaml
from cachelint.document.catalog_files import meta_by_line, tags_by_line
from support import broken
from support.example import META, TAGS, change

PIECES = ["\n", " ", "  ", "'", '"', ":", "-", "- ", "#", "no", "1", "0.22", "017", "{}", "[]",
          "&a", "*a", "<<", "\u00e9", "\t", "count", "e4s", "'it''s'", "null", "name", "stacks",
          ": 1"]


@st.composite
def mutated(draw: st.DrawFn, text: str) -> str:
    """A file of some hundred lines of ``text`` with a few pieces put in or taken out."""
    lines = text.splitlines(keepends=True)
    start = draw(st.integers(0, max(0, len(lines) - 40)))
    small = re.sub(r"\A(?:  .*\n)+", "", "".join(lines[start : start + 40]))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(small)))
        small = small[:at] + draw(st.sampled_from(PIECES)) + small[at + draw(st.integers(0, 3)):]
    return small


def agrees(text: str, by_line: Callable[[str], yaml.Document | None]) -> bool:
    """Compare the quick way with the parser; return whether it gave an answer."""
    quick = by_line(text)
    if quick is None:
        return False
    plain = yaml.load(text)
    assert quick.value == plain.value
    assert repr(quick.value) == repr(plain.value)
    assert quick.repeated == plain.repeated
    assert quick.comments == plain.comments
    for pointer, node in quick.nodes.items():
        expected = plain.nodes[pointer]
        assert node._replace(close=0) == expected._replace(close=0), pointer
        assert node.close in (-1, expected.close), pointer
    return True


def test_the_example_is_read_by_line() -> None:
    assert agrees(TAGS, tags_by_line)
    assert agrees(META, meta_by_line)


@given(mutated(TAGS))
@settings(deadline=None)
def test_tags_agree_with_the_parser(text: str) -> None:
    agrees(text, tags_by_line)


@given(mutated(META))
@settings(deadline=None)
def test_meta_agrees_with_the_parser(text: str) -> None:
    agrees(text, meta_by_line)


@pytest.mark.parametrize("key", ["{key}", "'{key}'"], ids=["plain", "quoted"])
@pytest.mark.parametrize("text", ["{}:\n  count: 1\n", "a:\n  {}: 1\n", "a:\n  b:\n    {}: 1\n"],
                         ids=["tag", "member", "parameter"])
def test_a_key_that_is_too_long_for_readers_is_not_read_by_line(text: str, key: str) -> None:
    for length in (1015, 1020, 1022, 1023, 1024, 1025, 1026, 3000):
        agrees(text.format(key.format(key="k" * length)), meta_by_line)
    assert meta_by_line(text.format(key.format(key="k" * 1000)))


@st.composite
def commented(draw: st.DrawFn) -> str:
    """A mutated file, perhaps twice, with a few lines of comments or none."""
    lines = (draw(mutated(META)) * draw(st.integers(1, 2))).splitlines(keepends=True)
    for line in draw(st.lists(st.sampled_from(
            ["\n", "   \n", "#\n", "# a: 1\n", "      # '\n", "  #a\n"]), max_size=3)):
        lines.insert(draw(st.integers(0, len(lines))), line)
    return "".join(lines)


@given(commented())
@settings(deadline=None)
@example("a:\n  b:\n    c: 1\n    c: 2\n  b: {}\na:\n  'c': '1'\n")
@example("# a\na:\n # b: 1\n  b:\n# 'c\n    c: 1\n#\n  'd # e': 2\n# f\n")
def test_meta_in_full_agrees_with_the_parser(text: str) -> None:
    full = meta_by_line(text, is_full=True)
    assert full is None or full.nodes == yaml.load(text).nodes
    agrees(text, meta_by_line)


def test_comments_are_read_by_line() -> None:
    lines = META.splitlines(keepends=True)
    assert agrees("# by hand\n" + "".join(line + "    # a: 1\n" for line in lines), meta_by_line)


def duplicate_package() -> None:
    shutil.copytree("_cache/develop/swig", "_cache/develop/zwig")
    change("_cache/develop/zwig/specs.md", '"swig"', '"zwig"')
    text = Path("_cache/develop/zwig/specs.md").read_text(encoding="utf-8")
    specs = len(re.findall('"hash"', text))
    count = int(re.findall(r"develop:\n.*?count: (\d+)", META, re.DOTALL)[0])
    change("_data/meta.yaml", f"  count: {count}\n", f"  count: {count + specs}\n")
    total = int(re.findall(r"all:\n.*?count: (\d+)", META, re.DOTALL)[0])
    change("_data/meta.yaml", f"  count: {total}\n", f"  count: {total + specs}\n")


def change_meta(*changes: tuple[str, str]) -> None:
    for old, new in changes:
        change("_data/meta.yaml", old, new)


# what is done, and what is found: path, code, pointer, covered text
DEFECTS: dict[str, tuple[Callable[[], object], list[tuple[str, str, str, str]]]] = {
    "count of a tag": (
        lambda: change("_data/meta.yaml", "  count: 29", "  count: 31"),
        [("_data/meta.yaml", "CL607", "/develop/count", "31")]),
    "count of all": (
        lambda: change("_data/meta.yaml", "  count: 120", "  count: 1"),
        [("_data/meta.yaml", "CL607", "/all/count", "1")]),
    "no all": (
        lambda: Path("_data/meta.yaml").write_text("develop:\n  count: 29\n"),
        [("_data/meta.yaml", "CL201", "", "develop:")]),
    "meta.yaml is a list": (
        lambda: Path("_data/meta.yaml").write_text("- a\n"),
        [("_data/meta.yaml", "CL203", "", "- a")]),
    "a count that is text, and others that are wrong": (
        lambda: change_meta(("count: 29", "count: '29'"), ("count: 120", "count: 1"),
                            ("count: 16", "count: 99")),
        [("_data/meta.yaml", "CL607", "/all/count", "1"),
         ("_data/meta.yaml", "CL203", "/develop/count", "'29'"),
         ("_data/meta.yaml", "CL607", "/v0.23.1/count", "99")]),
    "a tag that is no mapping": (
        lambda: change_meta(("all:", "v0: x\nall:"), ("count: 120", "count: 1")),
        [("_data/meta.yaml", "CL203", "/v0", "x"),
         ("_data/meta.yaml", "CL607", "/all/count", "1")]),
    "a count that is text": (
        lambda: change("_data/meta.yaml", "  count: 29", "  count: '29'"),
        [("_data/meta.yaml", "CL203", "/develop/count", "'29'")]),
    "a tag twice": (
        lambda: Path("_data/tags.yaml").write_text(
            TAGS + "- name: develop\n  stacks:\n  - root\n"),
        [("_data/tags.yaml", "CL609", "/4", "n")]),
    "stacks unsorted": (
        lambda: change("_data/tags.yaml", "  - build_systems\n", "  - zbuild\n  - build_systems\n"),
        [("_data/tags.yaml", "CL609", "/0", "n")]),
    "a stack twice": (
        lambda: change("_data/tags.yaml", "  - root\n", "  - root\n  - root\n"),
        [("_data/tags.yaml", "CL609", "/0", "n")]),
    "tags.yaml is no list": (
        lambda: Path("_data/tags.yaml").write_text("a: 1\n"),
        [("_data/tags.yaml", "CL203", "", "a: 1")]),
    "an alias in tags.yaml": (
        lambda: Path("_data/tags.yaml").write_text("- name: &a develop\n  stacks: [*a]\n"),
        [("_data/tags.yaml", "CL110", "", "*")]),
    "tags.yaml of 10 MB": (
        lambda: Path("_data/tags.yaml").write_text("# x\n" * 2_500_000),
        [("_data/tags.yaml", "CL110", "", "")]),
    "no stacks": (
        lambda: Path("_data/tags.yaml").write_text(TAGS + "- name: v9.0\n"),
        [("_data/tags.yaml", "CL201", "/4", "n"), ("_data/tags.yaml", "CL606", "/4/name", "v9.0")]),
    "an empty tag that the site cannot sort": (
        lambda: Path("_data/tags.yaml").write_text(TAGS + "- name: rc1\n  stacks:\n  - root\n"),
        [("_data/tags.yaml", "CL606", "/4/name", "rc1"),
         ("_data/tags.yaml", "CL702", "/4/name", "rc1")]),
    "an unlisted tag": (
        lambda: change("_data/tags.yaml", "- name: v0.23.1", "- name: v0.23.9"),
        [("_data/tags.yaml", "CL603", "", "- name: develop"),
         ("_data/tags.yaml", "CL606", "/1/name", "v0.23.9")]),
    "no page of a tag": (
        lambda: Path("pages/tags/develop.md").unlink(),
        [("_data/tags.yaml", "CL605", "/0/name", "develop")]),
    "a page of another tag": (
        lambda: change("pages/tags/develop.md", "tag: develop", "tag: v1"),
        [("pages/tags/develop.md", "CL605", "/tag", "v1")]),
    "an address that no tag has": (
        lambda: change("pages/tags/develop.md", "/tag/develop/", "/tag/develop"),
        [("pages/tags/develop.md", "CL605", "/permalink", "/tag/develop")]),
    "a page of a tag without front matter": (
        lambda: Path("pages/tags/develop.md").write_text("x"),
        [("pages/tags/develop.md", "CL104", "", "x")]),
    "lines of tags.yaml that end in CR": (
        lambda: Path("_data/tags.yaml").write_bytes(TAGS.encode().replace(b"\n", b"\r")),
        [("_data/tags.yaml", "CL103", "", "")]),
    "lines of meta.yaml that end in CRLF": (
        lambda: Path("_data/meta.yaml").write_bytes(META.encode().replace(b"\n", b"\r\n")),
        [("_data/meta.yaml", "CL103", "", "")]),
    "a separator in a comment of meta.yaml": (
        lambda: Path("_data/meta.yaml").write_text(f"# a\u2028# b\n{META}"),
        [("_data/meta.yaml", "CL703", "", "\u2028")]),
    "a separator in a stack": (
        lambda: change("_data/tags.yaml", "  - root\n", "  - root\n  - \"s\u2028\"\n"),
        [("_data/tags.yaml", "CL703", "/0/stacks/19", '"s\u2028"')]),
    "an emoji in two escapes, with which Jekyll cannot load the file": (
        lambda: change("_data/tags.yaml", "  - root\n", "  - root\n  - \"s\\ud83d\\ude00\"\n"),
        [("_data/tags.yaml", "CL703", "/0/stacks/19", '"s\\ud83d\\ude00"')]),
    "nothing but an emoji": (
        lambda: Path("_data/tags.yaml").write_text("\U0001f600\n"),
        [("_data/tags.yaml", "CL203", "", "\U0001f600")]),
    "an emoji": (
        lambda: change("_data/tags.yaml", "  - root\n", "  - root\n  - s\U0001f600\n"), []),
    "a merge key": (
        lambda: change("_data/meta.yaml", "all:\n", "all:\n  '<<': {}\n"),
        [("_data/meta.yaml", "CL703", "/all/<<", "'<<'")]),
    "a separator right behind a stack": (
        lambda: change("_data/tags.yaml", "  - root\n", "  - root\n  - \"s\"\u2028\n"),
        [("_data/tags.yaml", "CL703", "", "\u2028")]),
    "a separator in a key, and another": (
        lambda: change_meta(("all:\n", "all:\n  \"x\u2028\": \"\u2028\"\n")),
        [("_data/meta.yaml", "CL703", "/all/x\u2028", '"x\u2028"'),
         ("_data/meta.yaml", "CL703", "/all/x\u2028", '"\u2028"')]),
    "a separator in a tag's page": (
        lambda: change("pages/tags/develop.md", "tag: develop", "tag: develop # \x85"),
        [("pages/tags/develop.md", "CL703", "/tag", "\x85")]),
    "a key that Ruby refuses": (
        lambda: change("_data/meta.yaml", "all:\n", "all:\n  :x: 1\n"),
        [("_data/meta.yaml", "CL703", "/all/:x", ":x")]),
    "a key that is not written": (
        lambda: change("_data/meta.yaml", "all:\n", "all:\n  : 1\n"),
        [("_data/meta.yaml", "CL703", "/all/", "")]),
    "a key that is not text for each reader": (
        lambda: change("_data/meta.yaml", "all:\n", "all:\n  no: 017\n  1: x\n"), []),
    "a number that is another one for Ruby": (
        lambda: change("_data/meta.yaml", "  count: 29", "  count: 0o35"),
        [("_data/meta.yaml", "CL703", "/develop/count", "0o35")]),
    "a comment without a space in tags.yaml": (
        lambda: change("_data/tags.yaml", "  - root\n", "  - 'root'# c\n"),
        [("_data/tags.yaml", "CL703", "", "#")]),
    "a tab behind the dashes of a tag's page": (
        lambda: change("pages/tags/develop.md", "---\nlayout", "---\t\nlayout"),
        [("pages/tags/develop.md", "CL703", "", "---\t")]),
    "a tag folder that is a file": (
        lambda: Path("_cache/v9").write_text("x"), []),
}


@pytest.mark.parametrize(("make", "expected"), DEFECTS.values(), ids=DEFECTS)
def test_defect(
    catalog: Path, make: Callable[[], object], expected: list[tuple[str, str, str, str]]
) -> None:
    make()
    said = []
    for finding in check().findings:
        line = Path(finding.path).read_text(encoding="utf-8").split("\n")[finding.line - 1]
        covered = line[finding.column - 1 : finding.end_column - 1]
        said.append((finding.path, finding.code, finding.pointer, covered))
    assert said == expected


# a name with a slip, and the one finding: code, pointer, the name that is meant
MEANT: dict[str, tuple[tuple[str, str, str], tuple[str, str, str]]] = {
    "all": (("_data/meta.yaml", "all:", "al:"), ("CL202", "/al", "all")),
    "a count": (("_data/meta.yaml", "count: 29", "cuont: 29"),
                ("CL202", "/develop/cuont", "count")),
    "a tag of meta.yaml": (("_data/meta.yaml", "\ndevelop:", "\ndevleop:"),
                           ("CL607", "/devleop/count", "develop")),
    "a permalink": (("pages/tags/develop.md", "permalink:", "permalnk:"),
                    ("CL202", "/permalnk", "permalink")),
    "a tag of a tag page": (("pages/tags/develop.md", "tag: dev", "tags: dev"),
                            ("CL202", "/tags", "tag")),
    "a layout": (("pages/tags/develop.md", "table", "tabel"), ("CL204", "/layout", "table")),
    "stacks": (("_data/tags.yaml", "stacks:", "stack:"), ("CL202", "/0/stack", "stacks")),
    "a tag of tags.yaml": (("_data/tags.yaml", "- name: v0.23.1", "- name: v0.32.1"),
                           ("CL606", "/1/name", "v0.23.1")),
}


@pytest.mark.parametrize(("edit", "expected"), MEANT.values(), ids=MEANT)
def test_the_name_that_is_meant(
    catalog: Path, edit: tuple[str, str, str], expected: tuple[str, str, str]
) -> None:
    change(*edit)
    # the tag that is not listed has its own finding, too
    [finding] = [each for each in check().findings if each.code != "CL603"]
    code, pointer, meant = expected
    assert (finding.code, finding.pointer, finding.fixable) == (code, pointer, False)
    assert re.search(f'(:|;) did you mean "{meant}"\\?$', finding.message)


def test_other_keys_are_allowed_beside_those_that_are_required(catalog: Path) -> None:
    change("_data/meta.yaml", "all:", "ml:\n  count: 0\nall:")
    change("pages/tags/develop.md", "tag: dev", "tags: many\ntag: dev")
    assert check().findings == ()


def test_hash_on_two_pages(catalog: Path) -> None:
    duplicate_package()
    found = check().findings
    assert {(f.path, f.code) for f in found} == {("_cache/develop/zwig/specs.md", "CL608")}
    assert found[0].message.endswith("also on _cache/develop/swig/specs.md")
    # one file is not enough
    assert check(["_cache/develop/zwig/specs.md"]).findings == ()


@pytest.mark.parametrize(
    "make",
    [lambda: Path("_cache/develop/swig/specs.md").write_text("---\n"),
     lambda: Path("cachelint.toml").write_text('exclude = ["_cache/develop/swig"]')],
    ids=["unsound", "excluded"],
)
def test_counts_are_silent_where_a_page_cannot_be_counted(
    catalog: Path, make: Callable[[], object]
) -> None:
    from cachelint.config import file as config_file

    make()
    change("_data/meta.yaml", "  count: 29", "  count: 31")
    path = config_file.find()
    settings = config_file.join_settings(config_file.load(path).data if path else {}, {})
    codes = [f.code for f in check(settings=settings).findings if not f.path.startswith("_cache")]
    # of all, the sum is the written count of this tag, and the right ones of the others
    assert codes == ["CL607"]


@pytest.mark.parametrize("name", [
    name for name, text in broken.PAGES.items() if any(
        re.match("CL10[1-7]|CL11|CL2", each.code) for each in check_page(
            text if isinstance(text, bytes) else text.encode()))])
def test_counts_are_silent_beside_a_page_with_an_error_of_form(catalog: Path, name: str) -> None:
    Path("_cache/develop/swig/specs.md").write_bytes(broken.own(broken.PAGES[name], "swig", 0))
    change("_data/meta.yaml", "  count: 29", "  count: 31")
    found = [(f.code, f.pointer) for f in check().findings if not f.path.startswith("_cache")]
    assert found == [("CL607", "/all/count")]


def test_tag_page_that_is_excluded_or_cannot_be_read_has_no_wrong_address(catalog: Path) -> None:
    selected = Settings(selected=frozenset({"CL106", "CL605"}))
    change("pages/tags/develop.md", "tag: develop", "tag: v1")
    excluded = selected._replace(exclude=("/pages/tags/develop.md",))
    assert check(settings=excluded).findings == ()
    change("pages/tags/develop.md", "tag: v1", "tag: 'v1")
    assert [f.code for f in check(settings=selected).findings] == ["CL106"]


def test_only_one_whole_tag(catalog: Path) -> None:
    change("_data/meta.yaml", "  count: 29", "  count: 31")
    change("_data/meta.yaml", "  count: 120", "  count: 1")
    Path("pages/tags/v0.23.1.md").unlink()
    found = [(f.code, f.pointer) for f in check(["_cache/develop"]).findings]
    assert found == [("CL607", "/develop/count")]


def test_report_is_the_same_for_any_number_of_jobs(catalog: Path) -> None:
    paths = sorted(Path("_cache").glob("*/*/specs.md"))
    for path in random.Random(1).sample(paths, 12):
        change(str(path), '"num_specs": ', '"num_specs": 9')
    reports = [check(jobs=jobs).findings for jobs in (1, 2, 3)]
    assert reports[0] == reports[1] == reports[2]
    assert len(reports[0]) == 12
