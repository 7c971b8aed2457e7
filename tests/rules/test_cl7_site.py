"""CL7xx: text that the site, or the loaders of YAML that it has used, cannot take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cachelint import check
from cachelint.model import PageContext, PageId
from support import valid
from support.valid import PAGE, TAG, lines, meta, page, specs

EMOJI = "\U0001f600"
LONG = "k" * 1023


def _spec(**changes: Any) -> str:
    """Spoil the first spec, and let `meta` follow."""
    return page(None, specs(0, **changes))


# ------------------------------------------------------------------------------ CL701

FIELDS = ("compiler", "os", "target")
LISTS = ("stacks", "versions")
EVERYWHERE = ['"', "\\", "<", ">", "\x00", "\x1f", "\n", "\t", "\x85", "\x9f"]
BLANKS = [" ", "\u00a0", "\u2003", "\u2028"]


def _unsafe(field: str, text: str) -> tuple[str, str]:
    """Put text into a field: the page, and the pointer to it."""
    if field in ("stacks", "versions", "variants"):
        return _spec(**{field: [text]}), f"/spec_details/0/{field}/0"
    return _spec(**{field: text}), f"/spec_details/0/{field}"


NO_TAGS = valid.CONTEXT._replace(tag_stacks=None)


@pytest.mark.parametrize("character", EVERYWHERE, ids=repr)
@pytest.mark.parametrize("field", FIELDS + LISTS)
def test_unsafe_character_in_a_spec(field: str, character: str) -> None:
    text, pointer = _unsafe(field, f"a{character}b")
    assert valid.found(text, NO_TAGS) == [("CL701", pointer)]


@pytest.mark.parametrize("character", BLANKS, ids=repr)
@pytest.mark.parametrize("field", FIELDS)
def test_white_space_in_a_field(field: str, character: str) -> None:
    text, pointer = _unsafe(field, f"a{character}b")
    assert valid.found(text) == [("CL701", pointer)]


@pytest.mark.parametrize("character", BLANKS, ids=repr)
@pytest.mark.parametrize("field", LISTS)
def test_white_space_in_a_list_is_fine(field: str, character: str) -> None:
    text, _ = _unsafe(field, f"a{character}b")
    assert valid.found(text, NO_TAGS) == []


@pytest.mark.parametrize("character", ["<", ">", "\x00", "\n", "\x85"], ids=repr)
def test_unsafe_character_in_a_variant(character: str) -> None:
    text, pointer = _unsafe("variants", f"a='b{character}c'")
    assert valid.found(text) == [("CL701", pointer)]


@pytest.mark.parametrize("variant", ["a=b\tc", "+a\x7f", "~\x00"])
def test_control_character_in_a_variant_is_not_also_called_invalid(variant: str) -> None:
    assert valid.found(_unsafe("variants", variant)[0]) == [("CL701", "/spec_details/0/variants/0")]


@pytest.mark.parametrize("variant", ['a="b c"', "a='b c'", "a=b\\c", "a=\u00e9"])
def test_variant_that_is_safe(variant: str) -> None:
    assert valid.found(_unsafe("variants", variant)[0]) == []


@pytest.mark.parametrize("character", ["<", '"', " ", "\n"], ids=repr)
def test_unsafe_platform_is_not_also_called_unknown(character: str) -> None:
    text, pointer = _unsafe("platform", f"linux{character}")
    assert valid.found(text) == [("CL701", pointer)]


@pytest.mark.parametrize("character", ["<", ">"], ids=repr)
def test_unsafe_title_and_tag(character: str) -> None:
    text = page(title=f'title: "a{character}b"', categories=f"categories: [package, a{character}b]")
    assert valid.reported(text) == [
        ("CL701", "/categories/1", f"a{character}b"), ("CL701", "/title", f'"a{character}b"')]


def test_unsafe_tag_is_the_second_of_two_categories() -> None:
    text = page(categories='categories: [package, "a<b", c]')
    assert valid.found(text) == [("CL204", "/categories"), ("CL504", "/categories")]


def test_unsafe_text_of_both_specs() -> None:
    text = page(None, [{**spec, "os": "a b"} for spec in specs()])
    assert valid.found(text) == [
        ("CL701", "/spec_details/0/os"), ("CL701", "/spec_details/1/os")]


def test_unsafe_text_is_reported_once_for_a_value() -> None:
    assert valid.reported(_spec(os="<a> <b>")) == [
        ("CL701", "/spec_details/0/os", '"<a> <b>"')]


def test_unsafe_text_only_in_meta_is_the_summary_s() -> None:
    assert valid.found(page(meta(oss=["<", "ubuntu22.04"]))) == [("CL304", "/meta/oss")]


def test_unsafe_text_on_a_tarball_page() -> None:
    text = page(None, valid.tarball_specs(0, size="-", variants=["a=<"]))
    assert valid.found(text) == [("CL701", "/spec_details/0/variants/0")]


# ------------------------------------------------------------------------------ CL703: plain text

DEPENDS = [
    "no", "No", "NO", "yes", "on", "off", "OFF", "y", "N", "1e3", "1E3", "017", ":a",
    "1:30", "12:30:45", "2025-3-3", "1_000", "0b101", "=", "<<",
]
IS_TEXT = ["develop", "nope", "v0.22.4", "v2025.07.0", "a-1", "e4s", "x86_64", "1.2.3", "0.22.1",
           "off-1", "develop-2025-03-30", "1-2", "2025.3.3"]
IS_OTHER = ["0.22", "2025-03-30", "1", "-1", "true", "False", "null", "~", ".5", "1.", ".inf",
            "0x1F", "1.5e+3", "2025-03-30 10:00:00"]


def _tag(written: str, tag: str | None = None) -> list[tuple[str, str, str]]:
    return valid.reported(page(categories=f"categories: [package, {written}]"),
                          PageContext(PageId(written if tag is None else tag, "zlib")))


@pytest.mark.parametrize("tag", [tag for tag in DEPENDS if tag != "<<"])
def test_plain_tag_that_depends_on_the_loader(tag: str) -> None:
    assert _tag(tag) == [("CL703", "/categories/1", tag)]


@pytest.mark.parametrize("tag", IS_TEXT)
def test_plain_tag_that_is_text_to_all(tag: str) -> None:
    assert _tag(tag) == []


@pytest.mark.parametrize("tag", IS_OTHER)
def test_plain_tag_that_is_text_to_none(tag: str) -> None:
    assert _tag(tag) == [("CL203", "/categories/1", tag)]


@pytest.mark.parametrize("tag", ["no", "0.22", "1e3", "2025-03-30", "="])
def test_quoted_tag_is_text_to_all(tag: str) -> None:
    assert _tag(f'"{tag}"', tag) == [("CL504", "/categories", "categories")]


@pytest.mark.parametrize("tag", ["no", "1:30", "="])
def test_plain_tag_in_block_yaml(tag: str) -> None:
    text = page(categories=f"categories:\n- package\n- {tag}")
    assert valid.reported(text, PageContext(PageId(tag, "zlib"))) == [
        ("CL504", "/categories", "categories"), ("CL703", "/categories/1", tag)]


@pytest.mark.parametrize("title", ["no", "on", "1e3", "017", "2025-3-3", "y"])
def test_plain_title_that_depends_on_the_loader(title: str) -> None:
    text = page(title=f"title: {title}")
    # CL504 may also require the quotes
    found = valid.reported(text, PageContext(PageId(TAG, title)))
    assert [row for row in found if row[0] != "CL504"] == [("CL703", "/title", title)]


@pytest.mark.parametrize("title", ["0.22", "2025-03-30", "1", "true", "~"])
def test_plain_title_that_is_text_to_none(title: str) -> None:
    assert valid.reported(page(title=f"title: {title}"), PageContext(PageId(TAG, title))) == [
        ("CL203", "/title", title)]


@pytest.mark.parametrize("title", ["no", "1e3", "017", "2025-03-30"])
def test_quoted_title_is_text_to_all(title: str) -> None:
    assert valid.found(page(title=f'title: "{title}"'), PageContext(PageId(TAG, title))) == []


@pytest.mark.parametrize(("old", "new", "expected"), [
    ('"num_specs": 2', '"num_specs": 0o2', ("CL703", "/meta/num_specs", "0o2")),
    ('"oss": ["ubuntu22.04"]', '"oss": [0o2]', ("CL203", "/meta/oss/0", "0o2")),
    ('"oss": ["ubuntu22.04"]', '"oss": yes', ("CL703", "/meta/oss", "yes")),
], ids=["number", "number for a string", "text for a list"])
def test_plain_value_of_meta(old: str, new: str, expected: tuple[str, str, str]) -> None:
    assert valid.reported(valid.TARBALL_PAGE.replace(old, new)) == [expected]


@pytest.mark.parametrize("version", ["no", "017"])
def test_plain_value_of_meta_that_a_spec_has_in_quotes(version: str) -> None:
    text = page(None, valid.tarball_specs(0, versions=[version]))
    found = valid.reported(text.replace(f'"{version}"', version, 1))
    rows = [row for row in found if row[0] != "CL406"]
    assert rows == [("CL703", f"/meta/versions/{int(version == 'no')}", version)]


def test_layout_that_readers_refuse_is_reported_each_time() -> None:
    text = valid.TARBALL_PAGE.replace('"versions":', '? "versions"\n  :')
    assert valid.reported(text) == [("CL703", f"/{part}/versions", '"versions"')
                                    for part in ("meta", "spec_details/0", "spec_details/1")]


TITLE = 'title: "zlib"'
META_START, META_END = 'meta: {"compilers": ["gcc@11.4.0"]', '"versions": ["1.2.13", "1.3.1"]}'
LINES: dict[str, tuple[str, str, list[tuple[str, str, str]]]] = {
    "comment without a space": (
        TITLE, f"{TITLE}#c", [("CL703", "/title", "#")]),
    "comment without a space in brackets": (
        "meta: {", "meta: {#c\n  ", [("CL703", "/meta", "#")]),
    "comment in brackets": ("meta: {", "meta: {\n# c\n  ", []),
    "comment behind a value in brackets": (META_END, META_END[:-1] + "\n# c\n  }",
                                           [("CL703", "/meta/versions", "[")]),
    "comment behind a comma in brackets": (META_END, META_END[:-1] + ",\n# c\n  }", []),
    "sharp in quotes over two lines": (
        META_START, 'meta: {"compilers": ["gcc@11.4.0", "\n# c"]',
        [("CL303", "/meta/compilers", '"compilers"'), ("CL703", "/meta", "{")]),
    "comment above a plain value": (TITLE, "title:\n#c\n zlib", [("CL703", "/title", "zlib")]),
    "comment and a blank line above it": (
        TITLE, "title:\n\n# c\n zlib", [("CL703", "/title", "zlib")]),
    "comment with a space above it": (TITLE, "title:\n# c\n zlib", []),
    "comment that is indented above it": (TITLE, "title:\n #c\n zlib", []),
    "comment above and below it": (TITLE, "title:\n#c\n zlib\n#c", []),
    "comment above a value in quotes": (TITLE, 'title:\n#c\n "zlib"', []),
    "anchor": (TITLE, "title: &a zlib", []),
    "comment behind an anchor": (TITLE, "title: &a\n#c\n zlib", [("CL703", "/title", "zlib")]),
    "dash as a key in brackets": ('"root": 2', '"root": 2, -: 0', [
        ("CL302", "/meta/num_specs_by_stack", '"num_specs_by_stack"')]),
    "block that is not indented": (
        TITLE, "title:\n>-\n  zlib", [("CL703", "/title", ">-\n  zlib")]),
    "block that is indented": (TITLE, "title:\n >-\n  zlib", []),
    "key that looks explicit": ('"root": 2', '?"root": 2', [
        ("CL703", "/meta/num_specs_by_stack/root", '"root"')]),
    "mark at the beginning of a line": (
        "layout:", "\ufefflayout:", [("CL703", "/\ufefflayout", "\ufeff")]),
}


@pytest.mark.parametrize(("old", "new", "expected"), LINES.values(), ids=LINES)
def test_lines_and_comments(old: str, new: str, expected: list[tuple[str, str, str]]) -> None:
    assert valid.reported(valid.TARBALL_PAGE.replace(old, new, 1)) == expected


# ------------------------------------------------------------------------------ CL703: characters


def _raw(text: str, escaped: str, raw: str) -> str:
    assert escaped in text
    return text.replace(escaped, raw)


CASES: dict[str, tuple[str, list[tuple[str, str, str]]]] = {
    "emoji in a version": (_spec(versions=[f"1.0-{EMOJI}"]),
                           [("CL703", "/spec_details/0/versions/0", '"1.0-\\ud83d\\ude00"')]),
    "emoji in a variant": (_spec(variants=[f"a={EMOJI}"]),
                           [("CL703", "/spec_details/0/variants/0", '"a=\\ud83d\\ude00"')]),
    "emoji in an os": (_spec(os=f"a{EMOJI}"),
                       [("CL703", "/spec_details/0/os", '"a\\ud83d\\ude00"')]),
    "raw emoji": (_raw(_spec(variants=[f"a={EMOJI}"]), "\\ud83d\\ude00", EMOJI),
                  [("CL504", "/spec_details", "spec_details"),
                   ("CL703", "/spec_details/0/variants/0", f'"a={EMOJI}"')]),
    "half an emoji": (_spec(variants=["a=\ud83d"]),
                      [("CL703", "/spec_details/0/variants/0", '"a=\\ud83d"')]),
    "last character of the BMP that YAML takes": (_spec(variants=["a=\ufffd"]), []),
    "escaped U+FFFF": (_spec(variants=["a=\uffff"]), []),
    "emoji that meta alone has": (page(meta(versions=["1.2.13", "1.3.1", EMOJI])),
                                  [("CL308", "/meta/versions", '"versions"')]),
    "emoji in a title": (page(title=f'title: "a{EMOJI}"'), [("CL204", "/title", f'"a{EMOJI}"')]),
    "emoji in a platform": (_spec(platform=EMOJI),
                            [("CL703", "/spec_details/0/platform", '"\\ud83d\\ude00"')]),
    "emoji in a size": (_spec(size=EMOJI),
                        [("CL703", "/spec_details/0/size", '"\\ud83d\\ude00"')]),
    "emoji below an unknown key": (
        page(meta(), [{**specs()[0], "note": {"a": EMOJI}}, specs()[1]]),
        [("CL202", "/spec_details/0/note", '"note"')]),
    "emoji in lists of a wrong type": (page(meta(), specs(0, os=[[[EMOJI]]])), [
        ("CL203", "/spec_details/0/os", '"os"'),
        ("CL703", "/spec_details/0/os/0/0/0", '"\\ud83d\\ude00"')]),
    "emoji deeper in them": (page(meta(), specs(0, os=[[[[EMOJI]]]])),
                             [("CL203", "/spec_details/0/os", '"os"')]),
    "escaped DEL": (_spec(variants=["a=\x7f"]),
                    [("CL701", "/spec_details/0/variants/0", '"a=\\u007f"')]),
    "raw DEL": (_raw(_spec(variants=["a=\x7f"]), "\\u007f", "\x7f"), [
        ("CL504", "/spec_details", "spec_details"),
        ("CL703", "/spec_details/0/variants/0", '"a=\x7f"')]),
    "raw DEL in an os": (_raw(_spec(os="a\x7f"), "\\u007f", "\x7f"), [
        ("CL504", "/meta", "meta"), ("CL504", "/spec_details", "spec_details"),
        ("CL703", "/spec_details/0/os", '"a\x7f"')]),
    "raw U+0085": (_raw(_spec(variants=["a='\x85'"]), "\\u0085", "\x85"), [
        ("CL504", "/spec_details", "spec_details"),
        ("CL703", "/spec_details/0/variants/0", "\"a='\x85'\"")]),
    "raw C1": (_raw(_spec(variants=["a=\x90"]), "\\u0090", "\x90"), [
        ("CL504", "/spec_details", "spec_details"),
        ("CL703", "/spec_details/0/variants/0", '"a=\x90"')]),
    "escaped U+0085": (_spec(variants=["a='\x85'"]),
                       [("CL701", "/spec_details/0/variants/0", "\"a='\\u0085'\"")]),
    # between values
    "tab between values": (
        valid.TARBALL_PAGE.replace('"num_specs"', '\t"num_specs"'), [("CL703", "/meta", "\t")]),
    "raw U+2028 between values": (
        valid.TARBALL_PAGE.replace('"num_specs"', '\u2028"num_specs"'),
        [("CL703", "/meta", "\u2028")]),
    "raw U+2028 between values and in one": (
        valid.TARBALL_PAGE.replace('"num_specs"', '\u2028"num_specs"').replace(
            "+shared", "a=\u2028"),
        [("CL703", "/meta", "\u2028"), ("CL703", "/spec_details/0/variants/1", '"a=\u2028"')]),
    "raw U+2028 behind a value": (PAGE.replace("layout: cache", "layout: cache \u2028"), [
        ("CL504", "/layout", "cache"), ("CL703", "/layout", "\u2028")]),
    "raw U+2028 in a comment": (PAGE.replace("layout: cache", "# \u2028\nlayout: cache"), [
        ("CL504", "", "---"), ("CL703", "", "\u2028")]),
    # keys
    "merge key in meta": (page(meta_line=lines()["meta"].replace("{", '{"<<": {"a": 1}, ', 1)),
                          [("CL703", "/meta/<<", '"<<"')]),
    "merge key in a spec": (page(meta(), [{"<<": 1, **specs()[0]}, specs()[1]]),
                            [("CL703", "/spec_details/0/<<", '"<<"')]),
    "merge key in a spec, later": (page(meta(), [specs()[0], {"<<": 1, **specs()[1]}]),
                                   [("CL703", "/spec_details/1/<<", '"<<"')]),
    "merge key at the top": (PAGE.replace("layout:", '"<<": {"a": 1}\nlayout:', 1),
                             [("CL703", "/<<", '"<<"')]),
    "merge key at the top, plain": (PAGE.replace("layout:", "<<: {a: 1}\nlayout:", 1),
                                    [("CL703", "/<<", "<<")]),
    "merge key is a stack": (_spec(stacks=["<<", "root"]),
                             [("CL701", "/spec_details/0/stacks/0", '"<<"')]),
    "long key": (page(meta(), [{**specs()[0], LONG: 1}, specs()[1]]),
                 [("CL703", f"/spec_details/0/{LONG}", f'"{LONG}"')]),
    "key that is not too long": (page(meta(), [{**specs()[0], LONG[1:]: 1}, specs()[1]]),
                                 [("CL202", f"/spec_details/0/{LONG[1:]}", f'"{LONG[1:]}"')]),
    "long key in meta": (page(meta(**{LONG: 1})), [("CL703", f"/meta/{LONG}", f'"{LONG}"')]),
    "two such keys": (page(meta(), [{"<<": 1, **specs()[0], LONG: 1}, specs()[1]]),
                      [("CL703", "/spec_details/0/<<", '"<<"'),
                       ("CL703", f"/spec_details/0/{LONG}", f'"{LONG}"')]),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_findings(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert valid.reported(text) == expected


def test_stack_outside_the_bmp_is_only_reported_at_the_spec() -> None:
    context = valid.CONTEXT._replace(tag_stacks=frozenset({"root", EMOJI}))
    text = _spec(stacks=["root", EMOJI])
    assert valid.found(text, context) == [("CL703", "/spec_details/0/stacks/1")]


@pytest.mark.parametrize("length", [1022, 1023])
def test_stack_so_long_that_meta_cannot_have_it_as_a_key(length: int) -> None:
    stack = "s" * length
    context = valid.CONTEXT._replace(tag_stacks=frozenset({"root", stack}))
    found = valid.found(_spec(stacks=["root", stack]), context)
    assert [code for code, _ in found] == (["CL703"] if length == 1023 else [])


@pytest.mark.parametrize(("text", "message"), [
    (_spec(variants=[f"a={EMOJI}"]), "U+1F600 is outside"),
    (PAGE.replace("---\n", "---\x0b\x0c\n", 1), "U+000B follows the opening"),
])
def test_message_names_the_first_character(text: str, message: str) -> None:
    (finding,) = valid.check(text)
    assert finding.code == "CL703"
    assert finding.message.startswith(message)


# ------------------------------------------------------------------------------ CL702

SORTABLE = ["develop", "develop-2025-03-30", "v0.23.1", "v2025.07.0", "v1"]
UNSORTABLE = ["v1.0.0-rc1", "develop-2025", "release-1", "v", "Develop", "develop-2025-3-30"]


@pytest.mark.parametrize("tag", SORTABLE + UNSORTABLE)
@pytest.mark.parametrize("listed", [True, False], ids=["listed", "unlisted"])
def test_tag_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tag: str, listed: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    text = page(categories=f"categories: [package, {tag}]")
    other = text.replace("zlib", "zstd")
    valid.write_catalog(tmp_path, {f"{tag}/zstd": other, f"{tag}/zlib": text},
                        {tag: ["e4s", "root"]} if listed else {})
    found = [(finding.path, finding.pointer) for finding in check(["."]).findings
             if finding.code == "CL702"]
    place = ("_data/tags.yaml", "/0/name") if listed else (
        f"_cache/{tag}/zlib/specs.md", "/categories/1")
    assert found == ([place] if tag in UNSORTABLE else [])
