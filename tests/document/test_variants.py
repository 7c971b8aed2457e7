"""How Spack writes a variant."""

from __future__ import annotations

import time

import pytest

from cachelint.document.variants import explain_variant, variant_name

VARIANTS = {
    "+shared": "shared",
    "~shared": "shared",
    "++shared": "shared",
    "~~shared": "shared",
    "+x.y-z_0": "x.y-z_0",
    "+0": "0",
    "+_x": "_x",
    "build_system=cmake": "build_system",
    "libs:=shared,static": "libs",
    "libs==shared": "libs",
    "libs:==shared": "libs",
    "patches=66803e9": "patches",
    "commit=0123456789abcdef0123456789abcdef01234567": "commit",
    "cuda_arch=none": "cuda_arch",
    "languages='c,c++,fortran'": "languages",
    'languages="c,c++"': "languages",
    "cflags='-O3 -g'": "cflags",
    'cflags="-O3 -g"': "cflags",
    "cflags='a\"b c'": "cflags",
    'cflags="a\\"b c"': "cflags",
    "cflags=a'b c'd": "cflags",
    "a='b' ": None,
    "a=": "a",
    "a=b=c": "a",
    "a===b": "a",
    "a=:b": "a",
    "a=it's": "a",
    "a=\u00e9": "a",
    "a=/usr/lib": "a",
    "1x=2": "1x",
    "x.y=2": "x.y",
    # none
    "": None,
    "shared": None,
    "+": None,
    "+~shared": None,
    "~+shared": None,
    "+++shared": None,
    "~~~shared": None,
    "=static": None,
    ":=static": None,
    "-shared": None,
    "+-shared": None,
    "+.shared": None,
    "+shared=1": None,
    "+sha red": None,
    "+shared ": None,
    " +shared": None,
    "+shared\n": None,
    "a =b": None,
    "a= b": None,
    "a=b c": None,
    "a=b\n": None,
    "a=b\tc": None,
    "a=b\u00a0c": None,
    "a='b c": None,
    'a="b c': None,
    'a="b\\" c': None,
    "a='b' 'c'": None,
    "a:b=c": None,
    "a::=c": None,
    "a:": None,
    "\u00e9=c": None,
    "+\u00e9": None,
}


@pytest.mark.parametrize(("text", "name"), VARIANTS.items(), ids=repr)
def test_variant(text: str, name: str | None) -> None:
    assert variant_name(text) == (name or "")


@pytest.mark.parametrize("piece", ["'", '"', "\\", "'a\"", "a='", '"\\', '\\"', "=", "+"])
def test_long_string_is_checked_in_time(piece: str) -> None:
    # a page has up to 8 MiB, and a pattern may not look back at all of it for each character
    start = time.process_time()
    variant_name("a=" + piece * 8_000)
    variant_name("a=" + piece * 8_000 + " ")
    assert time.process_time() - start < 1


@pytest.mark.parametrize(("text", "reason"), [
    ("", "expected +name, ~name or name=value"),
    ("shared", "expected +name, ~name or name=value"),
    ("+~shared", "+~ is not a sign, expected +, ~, ++ or ~~"),
    ("+++x", "+++ is not a sign, expected +, ~, ++ or ~~"),
    ("+x=1", "a variant with + has no value, expected +name or name=value"),
    ("+a b", "the name contains other characters than letters, digits, _, . and -"),
    ("=a", "the name contains other characters than letters, digits, _, . and -"),
    ("cflags=-O3 -g", "a value with spaces must be quoted, cflags='-O3 -g'"),
    ("a:= b", "a value with spaces must be quoted, a='b'"),
])
def test_reason_of_an_invalid_variant(text: str, reason: str) -> None:
    assert not variant_name(text)
    assert explain_variant(text) == reason
