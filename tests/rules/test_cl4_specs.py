"""CL4xx: the specs, each by itself and beside the others of its page."""

from __future__ import annotations

from typing import Any

import pytest

from cachelint import Settings, check_page
from cachelint.model import PageContext, PageId, RuleOptions
from support import valid
from support.valid import FIRST, SECOND, TAG, TARBALLS, meta, page, specs, tarball_specs


def _spec(**changes: Any) -> str:
    """Spoil the first spec, and let `meta` follow."""
    return page(None, specs(0, **changes))


THREE = [*specs(), {**specs()[1], "hash": "z" * 32}]

CASES: dict[str, tuple[str, list[tuple[str, str, str]]]] = {
    # CL401
    "31 characters": (_spec(hash=FIRST[:-1]),
                      [("CL401", "/spec_details/0/hash", f'"{FIRST[:-1]}"')]),
    "33 characters": (_spec(hash=FIRST + "a"), [("CL401", "/spec_details/0/hash", f'"{FIRST}a"')]),
    "newline behind": (_spec(hash=FIRST + "\n"),
                       [("CL401", "/spec_details/0/hash", f'"{FIRST}\\n"')]),
    "a digit that base32 lacks": (_spec(hash="0" + FIRST[1:]),
                                  [("CL401", "/spec_details/0/hash", f'"0{FIRST[1:]}"')]),
    "capitals": (_spec(hash=FIRST.upper()),
                 [("CL401", "/spec_details/0/hash", f'"{FIRST.upper()}"')]),
    "empty": (_spec(hash=""), [("CL401", "/spec_details/0/hash", '""')]),
    "letters of another script": (_spec(hash="\u0430" * 32),
                                  [("CL401", "/spec_details/0/hash", '"' + "\\u0430" * 32 + '"')]),
    "two that are equal": (page(None, [{**spec, "hash": "a"} for spec in specs()]),
                           [("CL401", "/spec_details/0/hash", '"a"'),
                            ("CL401", "/spec_details/1/hash", '"a"')]),
    # CL402
    "hash twice": (page(None, specs(1, hash=FIRST)),
                   [("CL402", "/spec_details/1/hash", f'"{FIRST}"')]),
    "hash three times": (page(None, [{**spec, "hash": FIRST} for spec in THREE]),
                         [("CL402", "/spec_details/1/hash", f'"{FIRST}"'),
                          ("CL402", "/spec_details/2/hash", f'"{FIRST}"')]),
    "equal but for the hash": (page(None, [specs()[0], {**specs()[0], "hash": SECOND}]), []),
    # CL403
    "stack twice": (_spec(stacks=["e4s", "e4s", "root"]),
                    [("CL403", "/spec_details/0/stacks/1", '"e4s"')]),
    "stack twice on both specs": (
        page(None, [{**spec, "stacks": ["root", "root"]} for spec in specs()]),
        [("CL403", "/spec_details/0/stacks/1", '"root"'),
         ("CL403", "/spec_details/1/stacks/1", '"root"')]),
    "stack three times": (_spec(stacks=["root"] * 3),
                          [("CL403", "/spec_details/0/stacks/1", '"root"'),
                           ("CL403", "/spec_details/0/stacks/2", '"root"')]),
    "target of meta twice": (page(meta(targets=["x86_64_v3", "x86_64_v3"])),
                             [("CL403", "/meta/targets/1", '"x86_64_v3"')]),
    "variant twice": (_spec(variants=["+shared", "~shared"]),
                      [("CL403", "/spec_details/0/variants/1", '"~shared"')]),
    "variant twice, of two kinds": (_spec(variants=["libs:=shared", "libs=static", "++libs"]),
                                    [("CL403", "/spec_details/0/variants/1", '"libs=static"'),
                                     ("CL403", "/spec_details/0/variants/2", '"++libs"')]),
    # CL404
    "no variant": (_spec(variants=["+~shared"]),
                   [("CL404", "/spec_details/0/variants/0", '"+~shared"')]),
    "no variants at all": (_spec(variants=["", "a b"]),
                           [("CL404", "/spec_details/0/variants/0", '""'),
                            ("CL404", "/spec_details/0/variants/1", '"a b"')]),
    "no variant twice": (_spec(variants=["=a", "=a"]),
                         [("CL404", "/spec_details/0/variants/0", '"=a"'),
                          ("CL404", "/spec_details/0/variants/1", '"=a"')]),
    # CL405
    "two versions": (_spec(versions=["1.2.13", "1.3.1"]),
                     [("CL405", "/spec_details/0/versions", '"versions"')]),
    "one version twice": (_spec(versions=["1.3.1", "1.3.1"]),
                          [("CL405", "/spec_details/0/versions", '"versions"')]),
    # CL407
    "no root": (_spec(stacks=["e4s"]), [("CL407", "/spec_details/0/stacks", '"stacks"')]),
    "no root on both": (page(None, [{**spec, "stacks": ["e4s"]} for spec in specs()]),
                        [("CL407", "/spec_details/0/stacks", '"stacks"')]),
    "no root on the second": (page(None, specs(1, stacks=["e4s"])),
                              [("CL407", "/spec_details/1/stacks", '"stacks"')]),
    # CL408
    "two spellings": (_spec(compiler="gcc@=11.4.0"), [("CL408", "/meta/compilers", '"compilers"')]),
    "two spellings of two compilers": (_spec(compiler="clang@=15"),
                                       [("CL408", "/meta/compilers", '"compilers"')]),
    "old spelling": (page(None, [{**spec, "compiler": "gcc@=11.4.0"} for spec in specs()]), []),
    "none beside": (_spec(compiler="none"), []),
    "none beside the old": (page(None, [{**specs()[0], "compiler": "gcc@=11.4.0"},
                                        {**specs()[1], "compiler": "none"}]), []),
    "tab in a variant": (_spec(variants=["+a\tb", "c=d\te"]),
                         [("CL701", "/spec_details/0/variants/0", '"+a\\tb"'),
                          ("CL701", "/spec_details/0/variants/1", '"c=d\\te"')]),
    "unsafe compiler beside": (_spec(compiler="gcc @=11"),
                               [("CL701", "/spec_details/0/compiler", '"gcc @=11"')]),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_findings(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert valid.reported(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (_spec(hash=FIRST[:-1]), ["31 characters"]),
        (_spec(hash="2c44nm0" + FIRST[7:]), ['character 7 is "0"']),
        (_spec(hash="A" + FIRST[2:]), ["31 characters", 'character 1 is "A"']),
        (page(None, specs(1, hash=FIRST)), ["the 1st spec, zlib@1.3.1"]),
        (page(None, [*specs(), specs()[1]]), ["the 2nd spec, zlib@1.2.13"]),
        (_spec(versions=["1.2.13", "1.3.1"]), ["1.2.13", "1.3.1"]),
        (_spec(compiler="gcc@=11"), [": gcc@=11 and gcc@11.4.0"]),
        (page(None, [{**spec, "stacks": ["e4s"]} for spec in specs()]), [
            "zlib@1.3.1/2c44nm4", "1 more"]),
        (page(None, tarball_specs(0, tarball=TARBALLS[0].replace("1.3.1", "1.3.2", 1))),
         ["zlib-1.3.2", "zlib-1.3.1", f"at character {TARBALLS[0].index('1.3.1') + 5}"]),
    ],
    ids=["length", "character", "both", "CL402", "CL402 of the 2nd", "CL405", "CL408", "CL407",
         "CL406"],
)
def test_message_has(text: str, words: list[str]) -> None:
    (finding,) = valid.check(text)
    assert [word for word in words if word not in finding.message] == []


_LAST_PART = "linux-ubuntu22.04-x86_64_v3-gcc-11.4.0-zlib-1.3.1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (_spec(hash="0" + FIRST), f'invalid hash "0{FIRST}": 33 characters, expected 32; '
                                  'character 1 is "0", allowed are a-z and 2-7'),
        (_spec(hash=FIRST[:-1] + "0"), f'invalid hash "{FIRST[:-1]}0": character 32 is "0", '
                                       "allowed are a-z and 2-7"),
        *((page(None, tarball_specs(0, tarball=url)), f"wrong tarball URL: {rest}")
          for url, rest in (
            (TARBALLS[0].replace("zlib-1.3.1/", "zlib-1.3/"),
             'expected "zlib-1.3.1", found "zlib-1.3" at character 105'),
            (TARBALLS[0].replace("/zlib-1.3.1/", "//zlib-1.3.1/"),
             'expected "zlib-1.3.1", found "" at character 97'),
            (TARBALLS[0] + "/x",
             f'expected its end, found "{_LAST_PART}-2c44nm4m… at character 196'),
            (TARBALLS[0][:-1],
             f'expected "{_LAST_PART}-2c44nm4m…, found its end at character 195'),
            ("x", 'expected "https:", found "x" at character 1'))),
    ],
    ids=["length and character", "character", "short part", "no part", "longer", "shorter", "all"],
)
def test_message_is(text: str, message: str) -> None:
    assert [finding.message for finding in valid.check(text)] == [message]


# ------------------------------------------------------------------------------ CL406


def _tarball(
    url: str, context: PageContext = valid.CONTEXT, **changes: Any
) -> list[tuple[str, str]]:
    return valid.found(page(None, tarball_specs(0, tarball=url, **changes)), context)


WRONG = [("CL406", "/spec_details/0/tarball")]
URL = TARBALLS[0]
WITH_RELEASES = URL.replace("spack.io/", "spack.io/releases/")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (URL, []),
        (WITH_RELEASES, []),
        (URL.replace("https", "http"), WRONG),
        (URL.replace("spack.io", "example.org"), WRONG),
        (URL.replace(TAG, "develop"), WRONG),
        (URL.replace("build_cache", "build"), WRONG),
        (URL.replace("linux-", "darwin-"), WRONG),
        (URL.replace("ubuntu22.04", "rhel8", 1), WRONG),
        (URL.replace("ubuntu22.04-x86_64_v3-gcc", "rhel8-x86_64_v3-gcc"), WRONG),
        (URL.replace("x86_64_v3/", "zen4/"), WRONG),
        (URL.replace("gcc-11.4.0/", "gcc@11.4.0/"), WRONG),
        (URL.replace("zlib-1.3.1/", "zlib-1.3/"), WRONG),
        (URL.replace("zlib", "zstd"), WRONG),
        (URL.replace(FIRST, SECOND), WRONG),
        (URL.replace(".spack", ".spack.gz"), WRONG),
        (URL + "\n", WRONG),
        (URL.replace("spack.io/", "spack.io//"), WRONG),
        (URL.replace("spack.io/", "spack.io/releases/releases/"), WRONG),
    ],
)
def test_tarball_url(url: str, expected: list[tuple[str, str]]) -> None:
    assert _tarball(url) == expected


def test_tarball_url_of_the_old_spelling() -> None:
    old = [{**spec, "compiler": "gcc@=11.4.0"} for spec in tarball_specs()]
    assert valid.found(page(None, old)) == []


def test_tarball_url_covers_the_url() -> None:
    url = URL.replace("zlib-1.3.1/", "zlib-1.3/")
    assert valid.reported(page(None, tarball_specs(0, tarball=url))) == [
        ("CL406", "/spec_details/0/tarball", f'"{url}"')]


@pytest.mark.parametrize(
    ("mirrors", "url", "expected"),
    [
        (("s3://mine/cache",), URL, WRONG),
        (("s3://mine/cache",), URL.replace("https://binaries.spack.io", "s3://mine/cache"), []),
        (("s3://mine/cache/",), URL.replace("https://binaries.spack.io", "s3://mine/cache"), []),
        (("s3://mine", "https://binaries.spack.io"), WITH_RELEASES, []),
    ],
    ids=["other mirror", "below it", "below it, with a slash", "two mirrors"],
)
def test_tarball_url_below_the_mirrors(
    mirrors: tuple[str, ...], url: str, expected: list[tuple[str, str]]
) -> None:
    second = TARBALLS[1].replace("https://binaries.spack.io", mirrors[0].rstrip("/"))
    text = page(None, [tarball_specs(0, tarball=url)[0], tarball_specs(1, tarball=second)[1]])
    found = check_page(text.encode(), f"_cache/{TAG}/zlib/specs.md",
                       settings=Settings(mirror_urls=mirrors))
    assert [(finding.code, finding.pointer) for finding in found] == expected


def test_tarball_url_needs_a_tag_and_a_package() -> None:
    assert _tarball("https://example.org", PageContext(PageId(None, None))) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"os": 1}, ("CL203", "os")),
        ({"platform": "beos"}, ("CL204", "platform")),
        ({"hash": FIRST[:-1]}, ("CL401", "hash")),
        ({"versions": ["1", "2"]}, ("CL405", "versions")),
        ({"versions": []}, ("CL204", "versions")),
        ({"versions": ["<"]}, ("CL701", "versions/0")),
        ({"os": "<"}, ("CL701", "os")),
        ({"target": "zen 4"}, ("CL701", "target")),
        ({"compiler": "gcc @11"}, ("CL701", "compiler")),
    ],
    ids=str,
)
def test_tarball_url_needs_valid_values(
    changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    # the URL stays that of the valid spec
    text = page(meta(), tarball_specs(0, **changes))
    found = [pair for pair in valid.found(text) if not pair[1].startswith("/meta")]
    assert found == [(expected[0], f"/spec_details/0/{expected[1]}")]


def test_tarball_url_behind_a_spec_with_invalid_values() -> None:
    wrong = [tarball_specs(0, os="<")[0], tarball_specs(1, tarball=TARBALLS[1] + ".gz")[1]]
    found = [pair for pair in valid.found(page(meta(), wrong)) if not pair[1].startswith("/meta")]
    assert found == [("CL406", "/spec_details/1/tarball"), ("CL701", "/spec_details/0/os")]


# ------------------------------------------------------------------------------ CL407


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        (valid.CONTEXT, [("CL407", "/spec_details/0/stacks")]),
        (valid.CONTEXT._replace(tag_stacks=None), []),
        (valid.CONTEXT._replace(tag_stacks=frozenset({"e4s"})), [
            ("CL604", "/spec_details/1/stacks/0")]),
        (valid.CONTEXT._replace(options=RuleOptions(root_stack="e4s")), [
            ("CL407", "/spec_details/1/stacks")]),
        (valid.CONTEXT._replace(options=RuleOptions(root_stack="all")), []),
    ],
    ids=["listed", "tag is not listed", "root is not listed", "another root", "unlisted root"],
)
def test_missing_root_where_the_tag_lists_it(
    context: PageContext, expected: list[tuple[str, str]]
) -> None:
    assert valid.found(_spec(stacks=["e4s"]), context) == expected


def test_missing_root_beside_invalid_stacks() -> None:
    text = page(meta(), [{**specs()[0], "stacks": "e4s"}, {**specs()[1], "stacks": ["e4s"]}])
    assert valid.found(text) == [
        ("CL203", "/spec_details/0/stacks"), ("CL407", "/spec_details/1/stacks")]


@pytest.mark.parametrize("code", ["CL402", "CL403", "CL404", "CL405", "CL407", "CL408"])
def test_rules_apply_to_tarball_pages_too(code: str) -> None:
    changes: dict[str, dict[str, Any]] = {
        "CL402": {"hash": SECOND}, "CL403": {"stacks": ["e4s", "e4s", "root"]},
        "CL404": {"variants": ["+~a"]}, "CL405": {"versions": ["1", "2"]},
        "CL407": {"stacks": ["e4s"]}, "CL408": {"compiler": "gcc@=11.4.0"},
    }
    spec = {**specs()[0], **changes[code]}
    url = URL.replace(FIRST, spec["hash"])
    text = page(None, tarball_specs(0, tarball=url, **changes[code]))
    assert [found for found, _ in valid.found(text)] == [code]


def test_long_compilers_are_cut_in_a_message() -> None:
    old, new = f"gcc@={'1' * 36}", f"gcc@{'2' * 37}"  # 41 characters each
    found = valid.check(page(None, [specs(0, compiler=old)[0], specs(1, compiler=new)[1]]))
    (message,) = [each.message for each in found if each.code == "CL408"]
    assert message == ("compilers have two spellings on this page: "
                       f"{old[:39]}… and {new[:39]}…")
