"""Configuration files, and which rules run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from cachelint import Settings, config
from cachelint.model import CachelintError
from cachelint.rules import ALL_RULES

# ------------------------------------------------------------------------------ names of rules


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("CL301", ["CL301"]),
        ("cl301", ["CL301"]),
        ("num-specs", ["CL301"]),
        ("Num-Specs", ["CL301"]),
        ("CL507", ["CL507"]),
        ("unstable-order", ["CL507"]),
        ("CL20", ["CL201", "CL202", "CL203", "CL204"]),
        ("CL3", [f"CL30{number}" for number in range(1, 9)]),
        ("cl5", ["CL501", "CL502", "CL503", "CL504", "CL505", "CL506"]),
        ("CL50", ["CL501", "CL502", "CL503", "CL504", "CL505", "CL506"]),
        ("CL7", ["CL701", "CL702", "CL703"]),
    ],
)
def test_codes_of_a_name(name: str, codes: list[str]) -> None:
    assert sorted(config.codes_of(name)) == codes


@pytest.mark.parametrize("name", ["ALL", "all", "CL", "cl"])
def test_all_rules_are_those_that_are_on_by_default(name: str) -> None:
    assert config.codes_of(name) == {rule.code for rule in ALL_RULES} - {"CL507"}


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("CL999", "CL"), ("CL309", "CL"), ("num-spec", "num-specs"), ("numspecs", "num-specs"),
        ("duplicatehash", "duplicate-hash"), ("CL3012", "CL"), ("ruff", None), ("", None),
        ("C", None), ("CLX", None), ("*", None), ("CL3*", "CL"), ("3", None),
    ],
)
def test_there_is_no_such_rule(name: str, suggestion: str | None) -> None:
    with pytest.raises(CachelintError) as raised:
        config.codes_of(name)
    message = str(raised.value)
    assert message.startswith(f"there is no rule {name!r}")
    assert suggestion is None or f"(is it {suggestion}" in message


@pytest.mark.parametrize(
    ("name", "known", "clause"),
    [
        ("selct", ["select", "ignore"], " (is it select?)"),
        ("zzz", ["select", "ignore"], ""),
        ("a", [], ""),
    ],
)
def test_nearest(name: str, known: list[str], clause: str) -> None:
    assert config.nearest(name, known) == clause


# ------------------------------------------------------------------------------ selection


CL3 = {f"CL30{number}" for number in range(1, 9)}
CL5 = {f"CL50{number}" for number in range(1, 7)}
DEFAULT = {rule.code for rule in ALL_RULES if rule.default}


@pytest.mark.parametrize(
    ("select", "ignore", "extend_select", "selected"),
    [
        (None, [], [], DEFAULT),
        ([], [], [], set()),
        (["CL3"], [], [], CL3),
        (["CL3", "CL503"], [], [], CL3 | {"CL503"}),
        (["num-specs"], [], ["CL503"], {"CL301", "CL503"}),
        (["ALL"], [], [], DEFAULT),
        (["ALL"], ["ALL"], [], set()),
        (None, ["ALL"], [], set()),
        (None, ["CL5"], [], DEFAULT - CL5),
        (None, ["CL301", "duplicate-hash"], [], DEFAULT - {"CL301", "CL402"}),
        # the more specific name wins
        (None, ["CL5"], ["CL503"], DEFAULT - CL5 | {"CL503"}),
        (None, ["CL503"], ["CL5"], DEFAULT - {"CL503"}),
        (["CL3"], ["CL301"], [], CL3 - {"CL301"}),
        (["CL301"], ["CL3"], [], {"CL301"}),
        (["num-specs"], ["CL3"], [], {"CL301"}),
        (["ALL"], ["CL5"], ["key-order"], DEFAULT - CL5 | {"CL501"}),
        (["CL3"], ["CL30"], [], set()),
        (["CL30"], ["CL3"], [], CL3),
        (["ALL"], ["CL"], [], set()),
        # between equals, ignoring does
        (["CL301"], ["CL301"], [], set()),
        (["num-specs"], ["CL301"], [], set()),
        (["CL301"], ["num-specs"], [], set()),
        (["CL3"], ["CL3"], [], set()),
        (None, ["CL301"], ["CL301"], DEFAULT - {"CL301"}),
        # a rule that is off is on by its own code or name alone
        (["CL5"], [], [], CL5),
        (["CL507"], [], [], {"CL507"}),
        (["CL5"], [], ["unstable-order"], CL5 | {"CL507"}),
        (None, [], ["CL507"], DEFAULT | {"CL507"}),
        (["CL507"], ["CL5"], [], {"CL507"}),
        (["CL507"], ["unstable-order"], [], set()),
    ],
)
def test_selection(
    select: list[str] | None, ignore: list[str], extend_select: list[str], selected: set[str]
) -> None:
    assert config.select_rules(select, ignore, extend_select) == selected


@pytest.mark.parametrize(
    ("file", "options", "selected"),
    [
        ({}, {}, DEFAULT),
        ({"select": ["CL3"]}, {}, CL3),
        ({"select": []}, {}, set()),
        ({"select": ["CL3"]}, {"select": ["CL503"]}, {"CL503"}),
        ({"select": ["CL3"], "ignore": ["CL301"]}, {}, CL3 - {"CL301"}),
        ({"select": ["CL3"], "ignore": ["CL301"]}, {"ignore": ["CL302"]}, CL3 - {"CL302"}),
        ({"select": ["CL3"], "extend-select": ["CL503"]}, {}, CL3 | {"CL503"}),
        ({"select": ["CL3"], "extend-select": ["CL503"]}, {"extend-select": ["CL507"]},
         CL3 | {"CL503", "CL507"}),
        ({"ignore": ["CL5"]}, {"extend-select": ["CL503"]}, DEFAULT - CL5 | {"CL503"}),
    ],
)
def test_options_win_over_the_file(
    file: dict[str, Any], options: dict[str, Any], selected: set[str]
) -> None:
    assert config.settings(file, options).selected == selected


def test_settings_of_a_file() -> None:
    assert config.settings({}, {}) == Settings()
    assert config.settings({
        "exclude": ["a"], "mutable-tags": ["develop", "next"], "root-stack": "all",
        "mirror-urls": ["s3://a"], "max-page-size": 10, "select": ["CL301"],
    }, {}) == Settings(
        frozenset({"CL301"}), exclude=("a",), mutable_tags=frozenset({"develop", "next"}),
        root_stack="all", mirror_urls=("s3://a",), max_page_size=10,
    )


def test_selected_rules_are_in_order() -> None:
    settings = Settings(selected=frozenset({"CL703", "CL101", "CL301"}))
    assert [rule.code for rule in config.selected_rules(settings)] == ["CL101", "CL301", "CL703"]


# ------------------------------------------------------------------------------ exclusion


PAGE = "_cache/v0.18/zlib/specs.md"


@pytest.mark.parametrize(
    ("pattern", "excludes"),
    [
        ("_cache/v0.18/**", True),
        ("_cache/v0.18/*", True),
        ("_cache/v0.18", True),
        ("_cache/v0.18/", True),
        ("./_cache/v0.18", True),
        ("_cache/*", True),
        ("_cache", True),
        ("_cache/v0.1?", True),
        ("_cache/v0.1?/zlib", True),
        ("_cache/*/zlib", True),
        ("_cache/*/zlib/specs.md", True),
        ("**/specs.md", True),
        ("**/zlib/**", True),
        ("**/_cache", True),
        ("_cache/**/specs.md", True),
        ("zlib", True),
        ("z*", True),
        ("specs.md", True),
        ("*.md", True),
        ("*", True),
        ("**", True),
        ("_cache/v0.1", False),
        ("_cache/v0", False),
        ("v0.18/zlib", False),
        ("_cache/*/specs.md", False),
        ("_cache/v0.18/zli", False),
        ("_cache/v0x18", False),
        ("cache", False),
        ("lib", False),
        ("*.MD", False),
        ("_cache/[v]0.18", False),
        ("zlib/specs.md", False),
        ("", False),
    ],
)
def test_exclusion(pattern: str, excludes: bool) -> None:
    assert Settings(exclude=(pattern,)).excludes(PAGE) is excludes
    assert Settings(exclude=("nothing", pattern)).excludes(PAGE) is excludes


def test_nothing_is_excluded_by_default() -> None:
    assert not Settings().excludes(PAGE)


def test_names_of_any_characters_are_excluded() -> None:
    assert Settings(exclude=("a*b",)).excludes("a\n+b/c")
    assert not Settings(exclude=("a",)).excludes("a\n")


# ------------------------------------------------------------------------------ files


@pytest.mark.parametrize(
    ("files", "start", "found"),
    [
        ({}, ".", None),
        ({"cachelint.toml": ""}, ".", "cachelint.toml"),
        ({".cachelint.toml": ""}, ".", ".cachelint.toml"),
        ({"cachelint.toml": "", ".cachelint.toml": ""}, ".", "cachelint.toml"),
        ({"cachelint.toml": ""}, "a/b", "cachelint.toml"),
        ({"cachelint.toml": "", "a/.cachelint.toml": ""}, "a/b", "a/.cachelint.toml"),
        ({"pyproject.toml": "[tool.cachelint]\n"}, "a", "pyproject.toml"),
        ({"pyproject.toml": "[tool.ruff]\n"}, "a", None),
        ({"pyproject.toml": "[tool.cachelinter]\n"}, "a", None),
        ({"cachelint.toml": "", "a/pyproject.toml": "[tool.ruff]\n"}, "a", "cachelint.toml"),
        ({"cachelint.toml": "", "a/pyproject.toml": "[tool.cachelint]\n"}, "a", "a/pyproject.toml"),
        ({".cachelint.toml": "", "pyproject.toml": "[tool.cachelint]\n"}, ".", ".cachelint.toml"),
    ],
)
def test_nearest_file_is_found(
    tmp_path: Path, files: dict[str, str], start: str, found: str | None
) -> None:
    top = tmp_path / "top"
    (top / "a" / "b").mkdir(parents=True)
    for name, text in files.items():
        (top / name).write_text(text)
    assert config.find(str(top / start)) == (None if found is None else top / found)


@pytest.mark.parametrize("name", ["cachelint.toml", ".cachelint.toml"])
def test_file_is_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text('select = ["CL3"]\n# x\nmax-page-size = 10\n', encoding="utf-8")
    assert config.read(path).data == {"select": ["CL3"], "max-page-size": 10}


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ('[tool.ruff]\nselect = ["E"]\n[tool.cachelint]\nroot-stack = "a"\n', {"root-stack": "a"}),
        ("[tool.cachelint]\n", {}),
        ("[tool.ruff]\n", {}),
        ("[project]\n", {}),
    ],
)
def test_pyproject_is_read(tmp_path: Path, text: str, data: dict[str, Any]) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(text)
    assert config.read(path).data == data


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('selct = ["CL3"]', "1: there is no setting 'selct' (is it select?)"),
        ("# x\n\nmutable_tags = []", "3: there is no setting 'mutable_tags' (is it mutable-tags?)"),
        ("zzz = 1", "1: there is no setting 'zzz'"),
        ('select = ["CL3"]\nignore = "CL301"', '2: ignore is the text "CL301", not a list'),
        ('select = [\n  "CL3",\n  3,\n]', "3: select 1 is the number 3, not text"),
        ("max-page-size = true", "1: max-page-size is true, not a whole number"),
        ("max-page-size = 1.5", "1: max-page-size is the number 1.5, not a whole number"),
        ("max-page-size = 0", "1: max-page-size is 0, below 1"),
        ("mirror-urls = []", "1: mirror-urls is empty"),
        ('"root-stack" = ""', "1: root-stack is empty"),
        ('exclude = [""]', "1: exclude 0 is empty"),
        ("\n[exclude]\na = 1", "2: exclude is a mapping, not a list"),
        ("root-stack = 2025-03-30", "1: root-stack is"),
        ('\nignore = ["CL3", "num-spec"]',
         "2: in ignore: there is no rule 'num-spec' (is it num-specs?)"),
        ('select = ["CL31"]', "1: in select: there is no rule 'CL31'"),
        ('a = 1\n\nextend-select = ["x"]', "1: there is no setting 'a'"),
        ('extend-select = ["ruff"]', "1: in extend-select: there is no rule 'ruff'"),
    ],
)
def test_fault_names_file_line_and_nearest_key(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "cachelint.toml"
    path.write_text(text)
    with pytest.raises(CachelintError, match=re.escape(f"{path}:{message}")):
        config.read(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[tool.ruff.lint]\nselect = ["E"]\n\n[tool.cachelint]\nselect = ["E"]',
         ":5: in select: there is no rule 'E'"),
        ("[tool.other]\nselct = 1\n\n[tool.cachelint]\nselct = 1",
         ":5: there is no setting 'selct'"),
        ("[tool.cachelint]\nexclude = 1\n[tool.other]\nexclude = 2", ":2: exclude is the number 1"),
        ("[tool]\ncachelint = 1", ":"),
        ("[[tool.cachelint]]\na = 1", ":"),
        ("tool = 1", ":"),
    ],
)
def test_fault_in_pyproject(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(text)
    with pytest.raises(CachelintError, match=re.escape(f"{path}{message}")):
        config.read(path)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"a = [", "not TOML"),
        (b"a = 1\na = 2", "not TOML"),
        (b"a = '\xff'", "not UTF-8"),
        (None, "cannot be read"),
    ],
    ids=["broken", "key twice", "not UTF-8", "no file"],
)
def test_unreadable_file(tmp_path: Path, raw: bytes | None, message: str) -> None:
    path = tmp_path / "cachelint.toml"
    if raw is not None:
        path.write_bytes(raw)
    with pytest.raises(CachelintError, match=f"{re.escape(str(path))}.*{message}"):
        config.read(path)


def test_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(CachelintError, match="cannot be read"):
        config.read(tmp_path)
