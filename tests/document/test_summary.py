"""The only derivation of `meta`."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cachelint import summarize
from cachelint.document.summary import FIELDS
from support import valid

NAMES = st.sampled_from(["root", "e4s", "a", "B", "1.10", "1.9", "\u00e9", "\U0001f600"])
SPECS = st.lists(st.fixed_dictionaries({
    "compiler": NAMES, "os": NAMES, "platform": NAMES, "target": NAMES,
    "stacks": st.lists(NAMES, max_size=4), "versions": st.lists(NAMES, max_size=2),
}), max_size=6)


def test_valid_page() -> None:
    assert summarize(valid.specs()) == {
        "compilers": ["gcc@11.4.0"],
        "num_specs": 2,
        "num_specs_by_stack": {"e4s": 1, "root": 2},
        "oss": ["ubuntu22.04"],
        "platforms": ["linux"],
        "stacks": ["e4s", "root"],
        "targets": ["x86_64_v3"],
        "versions": ["1.2.13", "1.3.1"],
    }


def test_no_specs() -> None:
    assert summarize([]) == {
        "compilers": [], "num_specs": 0, "num_specs_by_stack": {}, "oss": [], "platforms": [],
        "stacks": [], "targets": [], "versions": [],
    }


def test_sorts_by_code_point() -> None:
    names = ["b", "a", "B", "1.9", "1.10", "\ue000", "\U0001f600", "\u00e9"]
    result = summarize({**valid.specs()[0], "versions": [name], "stacks": [name]} for name in names)
    expected = ["1.10", "1.9", "B", "a", "b", "\u00e9", "\ue000", "\U0001f600"]
    assert (result["versions"], result["stacks"], list(result["num_specs_by_stack"])) == (
        expected, expected, expected)


def test_duplicate_stack_in_a_spec_counts_once() -> None:
    spec = {**valid.specs()[0], "stacks": ["root", "root"]}
    assert summarize([spec, spec])["num_specs_by_stack"] == {"root": 2}


@pytest.mark.parametrize("field", FIELDS.values())
def test_lacking_field(field: str) -> None:
    with pytest.raises(KeyError, match=field):
        summarize([valid.without(valid.specs()[0], field)])


def test_keys_are_sorted_and_specs_unchanged() -> None:
    specs = valid.specs(0, stacks=["root", "e4s"])
    result = summarize(iter(specs))
    assert list(result) == sorted(result)
    assert list(result["num_specs_by_stack"]) == ["e4s", "root"]
    assert specs == valid.specs(0, stacks=["root", "e4s"])


@given(SPECS, st.randoms())
@settings(max_examples=60, deadline=None)
def test_agrees_with_its_definition_in_any_order(specs: list[dict[str, Any]], chance: Any) -> None:
    result = summarize(specs)
    assert result == valid.summary(specs)
    chance.shuffle(specs)
    assert summarize(specs) == result
