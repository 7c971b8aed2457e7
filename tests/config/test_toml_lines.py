"""The lines of a TOML file, compared with what the library reads from it."""

from __future__ import annotations

import contextlib
import sys
from typing import Any

import pytest

from cachelint.config.toml_lines import MAX_DEPTH, MAX_KEY_PARTS, Node, TooDeepError, locate
from support.effort import count_steps

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Key = tuple[str | int, ...]

# name: (text, line of each key that matters)
CASES: dict[str, tuple[str, dict[Key, int]]] = {
    "nothing": ("", {}),
    "comments": ("# a = 1\n\n  # b\n", {}),
    "keys": ('a = 1\n\n"b c" = 2 # d = 3\n\'e\' = 4\n', {("a",): 1, ("b c",): 3, ("e",): 4}),
    "table": ("[a]\nb = 1\n[c.d]\n  e = 2", {("a",): 1, ("a", "b"): 2, ("c", "d", "e"): 4}),
    "quoted table": ('[ "a.b" . c ]\nd = 1', {("a.b",): 1, ("a.b", "c", "d"): 2}),
    "dotted keys": ("a.b = 1\na . \"c\" = 2", {("a",): 1, ("a", "b"): 1, ("a", "c"): 2}),
    "list": ('a = [\n  1, # [\n\n  "]",\n  [2,\n 3]]\nb = 1',
             {("a", 0): 2, ("a", 1): 4, ("a", 2): 5, ("a", 2, 1): 6, ("b",): 7}),
    "inline table": ('a = {b = 1, "c" = {d.e = [\n1]}, f = "}"}\ng = 1',
                     {("a", "b"): 1, ("a", "c", "d", "e", 0): 2, ("a", "f"): 2, ("g",): 3}),
    "empty ones": ("a = []\nb = {}\nc = [ ]\nd = { }\ne = 1", {("e",): 5}),
    "strings": ('a = "\\"\\n#"\nb = \'\\\'\nc = "#"\nd = 1', {("b",): 2, ("c",): 3, ("d",): 4}),
    "long strings": ('a = """\nb = 1 \\""" ""\n"""\nc = \'\'\'\nd = "\n\'\'\'\'\ne = 1',
                     {("a",): 1, ("c",): 4, ("e",): 7}),
    "quotes at the end": ('a = """b"""""\nc = 1', {("c",): 2}),
    "escaped keys": ('"\\u0061\\t\\"" = 1\n\'\\t\' = 2', {('a\t"',): 1, ("\\t",): 2}),
    "scalars": ("a = 1979-05-27T07:32:00Z\nb = -inf\nc = 0x_f\nd = 1"
                .replace("0x_f", "0xf"), {("a",): 1, ("b",): 2, ("c",): 3, ("d",): 4}),
    "CR LF": ("a = 1\r\nb = [\r\n2]\r\n", {("a",): 1, ("b",): 2, ("b", 0): 3}),
    "list of tables": ("[[a]]\nb = 1\n[[a]]\nb = 2\n[a.c]\nd = 3\n[[a.e]]\nf = 4",
                       {("a",): 1, ("a", 0, "b"): 2, ("a", 1): 3, ("a", 1, "b"): 4,
                        ("a", 1, "c", "d"): 6, ("a", 1, "e", 0, "f"): 8}),
    "table after its table": ("[a.b]\nc = 1\n[a]\nd = 2", {("a",): 1, ("a", "d"): 4}),
}


def keys_of(value: Any, above: Key = ()) -> set[Key]:
    """Return what leads to each value, and item of a list, of a document."""
    items: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    return {key for name, item in items
            for key in ((*above, name), *keys_of(item, (*above, name)))}


def lines_of(node: Node, above: Key = ()) -> dict[Key, int]:
    """Return the line of each node below one."""
    lines: dict[Key, int] = {}
    for name, each in node.below.items():
        lines |= {(*above, name): each.line, **lines_of(each, (*above, name))}
    return lines


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_lines(text: str, expected: dict[Key, int]) -> None:
    found = lines_of(locate(text))
    assert {key: found.get(key) for key in expected} == expected
    # and it knows just the keys that the reader knows
    assert found.keys() == keys_of(tomllib.loads(text.replace("\r\n", "\n")))


@pytest.mark.parametrize(
    "text", ["a", "a =", "a = [", "[a", "a = {b", 'a = "', "= 1", "a = ,", "€", "a.", "[[a]]\n[a.",
             '"\\uD800" = 1', '"\\UFFFFFFFF" = 1'])
def test_what_is_not_toml_is_not_a_fault(text: str) -> None:
    assert len(lines_of(locate(f"b = 1\n{text}"))) <= 4


def test_find_goes_as_far_as_it_can() -> None:
    root = locate("a = 1\n[b]\nc = [\n1]")
    keys: list[Key] = [(), ("x",), ("b", "x"), ("b", "c", 0, "x")]
    assert [root.find(key).line for key in keys] == [1, 1, 2, 4]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\n" + ".".join(["a"] * (MAX_KEY_PARTS + 1)) + " = 1", 2),
        ("\n[" + ".".join(["a"] * 4000) + "]", 2),
        ("a = {b = 1, " + ".".join(['"a"'] * 4000) + " = 1}", 1),
        ("a = 1\n\nb = " + "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), 3),
        ("b = " + "[" * 100_000, 1),
        ("b = [\n" + "{a = " * 100_000, 2),
    ],
)
def test_what_is_nested_too_deep_is_an_error(text: str, line: int) -> None:
    with pytest.raises(TooDeepError) as raised:
        locate(text)
    assert raised.value.line == line


def test_what_is_nested_as_deep_as_allowed_is_read() -> None:
    key, value = ".".join(["a"] * MAX_KEY_PARTS), "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert lines_of(locate(f"{key} = {value}")).keys() == keys_of(
        tomllib.loads(f"{key} = {value}"))


@pytest.mark.parametrize(
    "repeated",
    [
        "a.b.c = 1\n", "[[a]]\n[[a.b]]\n", "a = [[[[]]]]\n", "a = {b.c = [1, 2], d = {}}\n", "#\n",
        "\n", "[" + "a." * (MAX_KEY_PARTS - 1) + "a]\nb = 1\n", 'a = """"\n', '"', "'", '""', "\\",
        "[", "a=",
    ],
)
def test_steps_grow_with_the_text(repeated: str) -> None:
    few, many = (count_steps(lambda text=repeated * number: locate_any(text))  # type: ignore[misc]
                 for number in (50, 400))
    assert many <= 10 * few


def locate_any(text: str) -> None:
    with contextlib.suppress(TooDeepError):
        locate(text)
