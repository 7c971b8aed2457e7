"""The schemas themselves, the quick yes against jsonschema, and violations in prose."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import validators

from cachelint.cli.main import cli
from cachelint.document import schema
from cachelint.document.yaml import Timestamp
from cachelint.model import SchemaError
from cachelint.rules import ALL_RULES
from cachelint.rules.cl2_schema import schema_problems
from support import valid

Draft: Any = validators.Draft202012Validator

_each_schema = pytest.mark.parametrize("name", schema.NAMES)


def _validator(name: str) -> Any:
    """Make jsonschema's validator, with JSON's own notion of whole numbers."""
    checker = Draft.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
    extend: Any = validators.extend
    return extend(Draft, type_checker=checker)(schema.load(name))


def _parts(node: Any, pointer: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each schema below ``node``, with its pointer."""
    yield pointer, node
    for keyword in ("properties", "$defs"):
        for key, below in node.get(keyword, {}).items():
            yield from _parts(below, f"{pointer}/{keyword}/{key}")
    for keyword in ("items", "additionalProperties"):
        if isinstance(node.get(keyword), dict):
            yield from _parts(node[keyword], f"{pointer}/{keyword}")
    for keyword in ("prefixItems", "allOf"):
        for index, below in enumerate(node.get(keyword, ())):
            yield from _parts(below, f"{pointer}/{keyword}/{index}")


# ------------------------------------------------------------------------------ the files


@_each_schema
def test_is_a_schema_of_the_draft_that_it_names(name: str) -> None:
    loaded = schema.load(name)
    assert loaded["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert loaded["$id"] == f"urn:cachelint:schema:{name}"
    Draft.check_schema(loaded)
    assert json.loads(schema.text(name)) == loaded


def test_every_file_has_its_name() -> None:
    folder = Path(schema.__file__).parents[3] / "schemas"
    assert sorted(file.name for file in folder.iterdir()) == sorted(
        f"{name}.schema.json" for name in schema.NAMES)


@_each_schema
def test_every_property_has_a_title_and_a_description(name: str) -> None:
    loaded = schema.load(name)
    lacking = []
    for pointer, part in [("", loaded), *_parts(loaded)]:
        for key, below in part.get("properties", {}).items():
            while "$ref" in below:
                below = loaded["$defs"][below["$ref"].rsplit("/", 1)[1]]
            lacking += [f"{pointer}/{key}: {word}" for word in ("title", "description")
                        if not below.get(word)]
    assert sorted(set(lacking)) == []
    assert loaded["title"]
    assert loaded["description"]


@_each_schema
def test_no_pattern_lets_a_newline_pass_at_the_end(name: str) -> None:
    patterns = [part["pattern"] for _, part in _parts(schema.load(name)) if "pattern" in part]
    assert [pattern for pattern in patterns if not pattern.endswith("$(?!\\n)")] == []


def test_the_two_page_schemas_differ_only_in_the_tarball() -> None:
    current = copy.deepcopy(schema.load("page-current"))
    tarball = copy.deepcopy(schema.load("page-tarball"))
    spec = tarball["$defs"]["spec"]
    assert spec["properties"].pop("tarball")["type"] == "string"
    spec["required"].remove("tarball")
    # real pages in the tarball format have specs in no stack
    for stacks in (current["$defs"]["spec"]["properties"]["stacks"],
                   current["$defs"]["meta"]["properties"]["stacks"]):
        assert stacks.pop("minItems") == 1
    assert tarball["$defs"] == current["$defs"]
    for key in ("$id", "title", "description"):
        assert tarball.pop(key) != current.pop(key)
    assert tarball == current


def test_all_copies_of_the_tag_are_one() -> None:
    assert schema.load("page-legacy")["$defs"]["tag"] == schema.load("page-current")["$defs"]["tag"]


# ------------------------------------------------------------------------------ the quick yes


def _page(specs: list[dict[str, Any]]) -> dict[str, Any]:
    return {"title": "zlib", "layout": "cache", "categories": ["package", valid.TAG],
            "meta": valid.summary(specs), "spec_details": specs}


FINDING = {
    "path": "a", "line": 1, "column": 1, "end_line": 1, "end_column": 2, "code": "CL301",
    "name": "num-specs", "severity": "error", "message": "x", "pointer": "", "fixable": True,
}
COUNTS = [f"{what}_{change}" for what, changes in (
    ("pages", "added removed changed reformatted unreadable"), ("specs", "added removed changed"),
    ("versions", "added removed")) for change in changes.split()]
SOUND: dict[str, Any] = {
    "page-current": _page(valid.specs()),
    "page-tarball": _page(valid.tarball_specs()),
    "page-legacy": {"title": "zlib", "layout": "cache", "category": "package",
                    "meta": {"versions": ["1"], "compilers": ["gcc@8"]}, "spec_files": ["a", {}]},
    "tags": [{"name": valid.TAG, "stacks": ["e4s", "root"]}],
    "meta": {"all": {"count": 2},
             valid.TAG: {"count": 2, "compilers": {"gcc": 2}, "parameters": {}}},
    "tag-page": {"layout": "table", "permalink": f"/tag/{valid.TAG}/", "tag": valid.TAG},
    "configuration": {"select": ["CL3"], "exclude": ["a/**"], "mutable-tags": ["develop"],
                      "mirror-urls": ["https://a"], "max-page-size": 10, "root-stack": "root"},
    "baseline": {"version": 1, "findings": [
        {"path": "a", "rule": "CL301", "pointer": "/meta", "count": 1}]},
    "report": {"version": 1, "findings": [FINDING], "summary": {
        "pages": 1, "errors": 1, "warnings": 0, "fixable": 1, "suppressed": 0, "seconds": 0.4}},
    "diff": {
        "version": 1, "sides": ["main"], "base": "3f2a91c", "notes": [],
        "summary": {"compared": 1, "frozen_tags": 0, **dict.fromkeys(COUNTS, 1)},
        "tags": [{"catalog": ".", "tag": "develop", "frozen": False, "new": False, "gone": False,
                  **dict.fromkeys(COUNTS, 1)}],
        "pages": [{"path": "x", "tag": "develop", "package": "zlib", "change": "changed",
                   "removed": [{"version": "1.3", "hash": "a"}], "changed": [
                       {"version": "1", "hash": "b", "fields": [
                           {"field": "os", "before": ["x"], "after": []}]}]}],
    },
    "rules": [{"code": "CL301", "name": "num-specs", "severity": "error", "summary": "x",
               "documentation": "x", "fixable": True, "default": True, "since": "0.1.0"}],
}

_ODD: list[Any] = [
    None, True, False, 0, 1, 2, -1, 2**70, 0.0, 1.0, -0.5, 1e300, "", "-", "-\n", "a", "1", "cache",
    "cache\n", "package", "table", "error", "CL301", "CL301\n", "linux", "beos", "linux<", "a b",
    '"', "<", "\\", "\n", "\x7f", "\u0085", "\u00e9", "\U0001f600", "\ud800", valid.FIRST,
    valid.FIRST + "\n", valid.FIRST[:-1], valid.FIRST.upper(), "+shared", "+~shared", "a=b c",
    "a='b c'", "a=\n", "https://a", "https://a\n", "https:// a", "/tag/a/", "/tag/a/\n", [], {},
    [[]], ["a"],
    ["a", "a"], ["a", "b"], [1, True], [1, 1.0], [0, False], ["package", "a", "b"], ["pkg", "a"],
    {"a": 1}, {"a": True}, {"a": -1}, {"a": 1.0}, {"count": 1}, {"name": "a", "stacks": ["a"]},
]
_KEYS = ["a", "tarball", "hash", "count", "title", "select", "extend-select", "ignore", "x y", ""]


@st.composite
def _mutated(draw: st.DrawFn, name: str) -> Any:
    value = copy.deepcopy(SOUND[name])
    for _ in range(draw(st.integers(0, 2))):
        value = _mutate(draw, value)
    return value


def _mutate(draw: st.DrawFn, value: Any) -> Any:
    if isinstance(value, (dict, list)) and value and draw(st.integers(0, 5)):
        keys: Any = list(value) if isinstance(value, dict) else range(len(value))
        key = draw(st.sampled_from(keys))
        what = draw(st.sampled_from(["below", "below", "below", "drop", "more"]))
        if what == "below":
            value[key] = _mutate(draw, value[key])
        elif what == "drop":
            del value[key]
        elif isinstance(value, dict):
            value[draw(st.sampled_from(_KEYS))] = copy.deepcopy(draw(st.sampled_from(_ODD)))
        else:
            value.append(copy.deepcopy(draw(st.sampled_from([*_ODD, *value]))))
        return value
    return copy.deepcopy(draw(st.sampled_from(_ODD)))


@_each_schema
def test_valid_value_is_valid(name: str) -> None:
    assert _validator(name).is_valid(SOUND[name])
    assert schema.compile_check(name)(SOUND[name])
    assert schema.validate(name, SOUND[name]) == []


@_each_schema
@given(st.data())
@settings(max_examples=50, deadline=None)
def test_quick_yes_agrees_with_jsonschema(name: str, data: st.DataObject) -> None:
    value = data.draw(_mutated(name))
    valid = _validator(name).is_valid(value)
    assert schema.compile_check(name)(value) is valid
    assert (schema.validate(name, value) == []) is valid


@pytest.mark.parametrize("pointer", [
    f"/$defs/{name}" for name in ("title", "layout", "categories", "tag", "meta", "spec",
                                  "spec_details")
] + [f"/$defs/spec/properties/{name}" for name in (
    "compiler", "hash", "os", "platform", "size", "stacks", "target", "variants", "versions",
    "stacks/items")])
def test_quick_yes_to_a_part_agrees_with_jsonschema(pointer: str) -> None:
    root = schema.load("page-current")
    checker = Draft.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
    extend: Any = validators.extend
    part = extend(Draft, type_checker=checker)({"$ref": f"#{pointer}", "$defs": root["$defs"]})
    sound_values = [value for value in _ODD if part.is_valid(value)]
    accepts = schema.compile_check("page-current", pointer)
    assert [repr(value) for value in _ODD if accepts(value)] == [
        repr(value) for value in sound_values]


@pytest.mark.parametrize(
    ("pointer", "value", "is_sound"),
    [
        ("/$defs/meta/properties/num_specs", 1, True),
        ("/$defs/meta/properties/num_specs", 2**70, True),
        ("/$defs/meta/properties/num_specs", True, False),
        ("/$defs/meta/properties/num_specs", 1.0, False),
        ("/$defs/meta/properties/num_specs", -1, False),
        ("/$defs/spec/properties/hash", valid.FIRST, True),
        ("/$defs/spec/properties/hash", valid.FIRST + "\n", False),
        ("/$defs/spec/properties/size", "-", True),
        ("/$defs/spec/properties/size", "-\n", False),
        ("/$defs/spec/properties/size", 0, True),
        ("/$defs/spec/properties/size", 0.0, False),
        ("/$defs/layout", "cache\n", False),
        ("/$defs/title", "zlib\n", False),
        ("/$defs/title", Timestamp("2025-03-30"), False),
        ("/$defs/tag", Timestamp("2025-03-30"), False),
        ("/$defs/spec/properties/stacks", ["a", "a"], False),
        ("/$defs/spec/properties/variants", [], True),
    ],
)
def test_quick_yes(pointer: str, value: Any, is_sound: bool) -> None:
    assert schema.compile_check("page-current", pointer)(value) is is_sound


@pytest.mark.parametrize("keyword", [
    "maxLength", "exclusiveMaximum", "format", "oneOf", "anyOf", "not", "if", "patternProperties",
    "dependentRequired", "contains", "minProperties", "$dynamicRef", "unevaluatedProperties", "id",
])
@pytest.mark.parametrize("place", ["", "items", "properties"])
def test_unknown_keyword_is_refused(
    keyword: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    part: dict[str, Any] = {"type": "string", keyword: 1}
    root = {"": part, "items": {"items": part}, "properties": {"properties": {"a": part}}}[place]
    monkeypatch.setattr(schema, "load", lambda _: root)
    with pytest.raises(NotImplementedError, match=f"'{keyword}'".replace("$", r"\$")):
        schema.compile_check.__wrapped__("page-current")


# ------------------------------------------------------------------------------ violations


@pytest.mark.parametrize(
    ("changes", "pointer", "codes"),
    [
        ({"hash": 1}, "/hash", ["CL203"]),
        ({"hash": ""}, "/hash", ["CL401"]),
        ({"stacks": ["a", "a"]}, "/stacks", ["CL403"]),
        ({"variants": ["+~a"]}, "/variants/0", ["CL404"]),
        ({"variants": ["+a<"]}, "/variants/0", ["CL404"]),
        ({"variants": ["a=<"]}, "/variants/0", ["CL701"]),
        ({"versions": ["1", "2"]}, "/versions", ["CL405"]),
        ({"versions": []}, "/versions", ["CL204"]),
        ({"os": "a b"}, "/os", ["CL701"]),
        ({"platform": "a b"}, "/platform", ["CL701"]),
        ({"platform": "beos"}, "/platform", ["CL204"]),
        ({"platform": ""}, "/platform", ["CL204"]),
        ({"size": "1"}, "/size", ["CL204"]),
        ({"size": -1}, "/size", ["CL204"]),
        ({"colour": 1}, "/colour", ["CL202"]),
        ({"colour": 1, "zone": 2}, "/zone", ["CL202"]),
        ({"a/~b": 1}, "/a~1~0b", ["CL202"]),
    ],
    ids=str,
)
def test_violation_in_a_spec(changes: dict[str, Any], pointer: str, codes: list[str]) -> None:
    found = schema.validate("page-current", _page(valid.specs()) | {
        "spec_details": valid.specs(1, **changes)})
    whole = f"/spec_details/1{pointer}"
    assert [_code(error) for error in found if error.pointer == whole] == codes
    assert {error.pointer.split("/")[2] for error in found} == {"1"}


def _code(error: SchemaError) -> str:
    return error.reported_as or next(schema_problems([error]))[0].code


def test_violation_by_a_missing_key() -> None:
    specs = [valid.without(valid.without(valid.specs()[0], "os"), "target"), valid.specs()[1]]
    found = schema.validate("page-current", _page(valid.specs()) | {"spec_details": specs})
    assert [(_code(error), error.pointer, error.key, error.message) for error in found] == [
        ("CL201", "/spec_details/0", "os", 'missing key "os" in the 1st spec'),
        ("CL201", "/spec_details/0", "target", 'missing key "target" in the 1st spec'),
    ]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "null"), (True, "true"), (False, "false"), (1, "the number 1"),
        (1.5, "the number 1.5"), ("a", 'the string "a"'), ([], "a list"), ({}, "a mapping"),
        (Timestamp("2025-03-30"), "the date 2025-03-30"), ("\n\u00e9", 'the string "\\n\\u00e9"'),
        ("x" * 100, 'the string "' + "x" * 58 + "\u2026"),
    ],
    ids=repr,
)
def test_description_of_values(value: Any, words: str) -> None:
    assert schema.describe(value) == words


# ------------------------------------------------------------------------------ what is printed


def _run(*arguments: str) -> str:
    """Run the program, and return what it prints."""
    return CliRunner().invoke(cli, [*arguments]).stdout


def test_report_of_a_run_is_valid(tmp_path: Path) -> None:
    stale = valid.page(valid.meta(num_specs=3), valid.specs(1, hash=valid.FIRST))
    valid.write_catalog(tmp_path, {f"{valid.TAG}/zlib": stale, "v0.22-rc1/zlib": "\ufeffx"},
                        {valid.TAG: ["root"]})
    for arguments in ([], ["--select", "CL301"], ["--exit-zero"], ["--jobs", "2"]):
        report = json.loads(_run(
            "check", "--isolated", "--output-format", "json", *arguments, str(tmp_path)))
        assert list(_validator("report").iter_errors(report)) == []
        assert report["findings"]
        assert report["summary"]["errors"] > 0


@pytest.mark.parametrize(
    ("arguments", "codes"),
    [([], None), (["CL301"], ["CL301"]), (["duplicate-hash"], ["CL402"])], ids=str)
def test_rules_as_json_are_valid(arguments: list[str], codes: list[str] | None) -> None:
    rules = json.loads(_run("rule", "--output-format", "json", *arguments))
    assert list(_validator("rules").iter_errors(rules)) == []
    assert [rule["code"] for rule in rules] == (codes or [rule.code for rule in ALL_RULES])


def test_schemas_are_printed_as_they_are() -> None:
    assert _run("schema").split() == [*schema.NAMES, schema.FOR_EDITORS]
    for name in schema.NAMES:
        assert _run("schema", name) == schema.text(name)
