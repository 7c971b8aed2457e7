"""CL3xx: `meta` matches `spec_details`."""

from __future__ import annotations

from typing import Any

import pytest

from support import valid
from support.valid import meta, page, specs

MANY = [f"s{number:03}" for number in range(103)]
"""Three more stacks than one message names."""

LISTS = {
    "CL303": "compilers", "CL304": "oss", "CL305": "platforms", "CL306": "stacks",
    "CL307": "targets", "CL308": "versions",
}
# what each list has on the valid page, and what it also has on a stale one
SOUND: dict[str, list[str]] = {
    "compilers": ["gcc@11.4.0"], "oss": ["ubuntu22.04"], "platforms": ["linux"],
    "stacks": ["e4s", "root"], "targets": ["x86_64_v3"], "versions": ["1.2.13", "1.3.1"],
}

CASES: dict[str, tuple[dict[str, Any], list[tuple[str, str, str]]]] = {
    "sound": ({}, []),
    "too many": ({"num_specs": 3}, [("CL301", "/meta/num_specs", "3")]),
    "none": ({"num_specs": 0}, [("CL301", "/meta/num_specs", "0")]),
    "beyond 2^64": ({"num_specs": 2**64 + 2}, [("CL301", "/meta/num_specs", str(2**64 + 2))]),
    "count is wrong": ({"num_specs_by_stack": {"e4s": 2, "root": 2}},
                       [("CL302", "/meta/num_specs_by_stack", '"num_specs_by_stack"')]),
    "count is missing": ({"num_specs_by_stack": {"root": 2}},
                         [("CL302", "/meta/num_specs_by_stack", '"num_specs_by_stack"')]),
    "count of no spec": ({"num_specs_by_stack": {"aws": 0, "e4s": 1, "root": 2}},
                         [("CL302", "/meta/num_specs_by_stack", '"num_specs_by_stack"')]),
    "counts are empty": ({"num_specs_by_stack": {}},
                         [("CL302", "/meta/num_specs_by_stack", '"num_specs_by_stack"')]),
    **{f"stranger in {key}": (
        {key: [*SOUND[key], "zz"]}, [(code, f"/meta/{key}", f'"{key}"')])
       for code, key in LISTS.items()},
    **{f"{key} lack one": ({key: ["zz"]}, [(code, f"/meta/{key}", f'"{key}"')])
       for code, key in LISTS.items()},
    "order is not the summary's": ({"versions": ["1.3.1", "1.2.13"]},
                                   [("CL502", "/meta/versions", '"versions"')]),
    "repetition is not the summary's": ({"versions": ["1.2.13", "1.2.13", "1.3.1"]},
                                        [("CL403", "/meta/versions/1", '"1.2.13"')]),
    "repeated and stale": ({"versions": ["1.2.13", "1.2.13"]},
                           [("CL308", "/meta/versions", '"versions"'),
                            ("CL403", "/meta/versions/1", '"1.2.13"')]),
    "everything": (
        {"compilers": ["zig@1"], "num_specs": 9, "num_specs_by_stack": {"none": 9},
         "oss": ["plan9"], "platforms": ["dos"], "stacks": ["none"], "targets": ["z80"],
         "versions": ["0"]},
        [("CL301", "/meta/num_specs", "9"),
         ("CL302", "/meta/num_specs_by_stack", '"num_specs_by_stack"'),
         *((code, f"/meta/{key}", f'"{key}"') for code, key in LISTS.items())]),
}


@pytest.mark.parametrize(("changes", "expected"), CASES.values(), ids=CASES)
def test_findings(changes: dict[str, Any], expected: list[tuple[str, str, str]]) -> None:
    assert valid.reported(page(meta(**changes))) == expected


@pytest.mark.parametrize(("changes", "expected"), CASES.values(), ids=CASES)
def test_findings_on_a_tarball_page(
    changes: dict[str, Any], expected: list[tuple[str, str, str]]
) -> None:
    # order does not matter there
    expected = [row for row in expected if row[0] != "CL502"]
    assert valid.reported(page(meta(**changes), valid.tarball_specs())) == expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_specs": 3}, "num_specs is 3, but spec_details has 2 specs"),
        ({"num_specs_by_stack": {"aws": 1, "root": 1}}, "num_specs_by_stack is wrong: aws is 1, "
         "but no spec is in it; e4s is missing, expected 1; root is 1, expected 2"),
        ({"num_specs_by_stack": {"aws": 0, "e4s": 1, "root": 2}},
         "num_specs_by_stack is wrong: aws is 0, but no spec is in it"),
        ({"num_specs_by_stack": {"e4s": 1, "root": 2, **dict.fromkeys(MANY, 1)}},
         "num_specs_by_stack is wrong: " + "; ".join(
             f"{name} is 1, but no spec is in it" for name in MANY[:-3]) + " and 3 more"),
        ({"versions": ["1.2.13", "2"]}, "versions is wrong: missing 1.3.1; no spec has 2"),
        ({"oss": ["a", "b", "c", "d", "e", "f", "ubuntu22.04"]},
         "oss is wrong: no spec has a, b, c, d, e and 1 more"),
    ],
    ids=["CL301", "CL302", "CL302 with 0", "CL302 with many", "CL308", "CL304"],
)
def test_message(changes: dict[str, Any], message: str) -> None:
    (finding,) = valid.check(page(meta(**changes)))
    assert finding.message == message


def test_finding_shows_the_other_side() -> None:
    (finding,) = valid.check(page(meta(versions=["1.3.1"])))
    ours, other = finding.excerpts
    assert ours.text[ours.start : ours.end] == '"versions"'
    assert (other.line, other.text[other.start : other.end]) == (6, '"versions"')
    assert other.label == f"zlib@1.2.13/{valid.SECOND[:7]}"


@pytest.mark.parametrize("dag_hash", [None, 1, ["a"], {}])
def test_other_side_may_have_no_hash(dag_hash: Any) -> None:
    spoilt = specs(1, hash=dag_hash)
    if dag_hash is None:
        del spoilt[1]["hash"]
    findings = {finding.code: finding for finding in valid.check(page(
        meta(versions=["1.3.1"]), spoilt))}
    assert findings["CL308"].excerpts[1].label == "the 2nd spec"


def test_findings_can_be_fixed() -> None:
    findings = valid.check(page(meta(num_specs=3, versions=["1"])))
    assert [finding.fixable for finding in findings] == [True, True]


def test_duplicate_stack_in_a_spec_counts_once() -> None:
    assert valid.found(page(meta(), specs(0, stacks=["e4s", "e4s", "root"]))) == [
        ("CL403", "/spec_details/0/stacks/1")]


def test_values_taken_over_from_a_spec_are_only_reported_there() -> None:
    # the summary of each is right, whatever else they are
    spoilt = specs(0, os="<b>", target="a b", compiler='"', versions=["\\"], stacks=["<", "root"])
    assert valid.reported(page(None, spoilt)) == [
        ("CL701", "/spec_details/0/compiler", '"\\""'), ("CL701", "/spec_details/0/os", '"<b>"'),
        ("CL701", "/spec_details/0/stacks/0", '"<"'), ("CL701", "/spec_details/0/target", '"a b"'),
        ("CL701", "/spec_details/0/versions/0", '"\\\\"'),
    ]


def test_repeated_specs_count_each_time() -> None:
    first = specs()[0]
    assert valid.found(page(None, [first, first])) == [("CL402", "/spec_details/1/hash")]
    assert valid.found(page(meta(num_specs=1), [first, specs()[1]])) == [
        ("CL301", "/meta/num_specs")]


@pytest.mark.parametrize(("number", "counted"), [(1, "1 spec"), (1000, "1,000 specs")])
def test_number_of_specs_in_words(number: int, counted: str) -> None:
    letters = str.maketrans("0123456789", "abcdefghij")
    many = [{**specs()[0], "hash": f"{index:032d}".translate(letters)} for index in range(number)]
    (finding,) = valid.check(page(valid.summary(many) | {"num_specs": 2}, many))
    assert finding.message == f"num_specs is 2, but spec_details has {counted}"
    assert valid.found(page(valid.summary(many), many)) == []
