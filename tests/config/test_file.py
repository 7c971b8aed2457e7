"""Configuration files, and which rules run."""

from __future__ import annotations

import os
import pickle
import re
from pathlib import Path
from typing import Any

import pytest

from cachelint import FileIgnore, Settings
from cachelint.config import file as config_file
from cachelint.model import CachelintError, Finding, Severity
from cachelint.rules import ALL_RULES, selection
from cachelint.rules.selection import ALWAYS

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
    assert sorted(selection.codes_of(name)) == codes


@pytest.mark.parametrize("name", ["ALL", "all", "CL", "cl"])
def test_all_rules_are_those_that_are_on_by_default(name: str) -> None:
    assert selection.codes_of(name) == {rule.code for rule in ALL_RULES} - {"CL507"}


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
        selection.codes_of(name)
    message = str(raised.value)
    assert message.startswith(f'unknown rule "{name}"')
    assert suggestion is None or f': did you mean "{suggestion}' in message


@pytest.mark.parametrize(
    ("name", "known", "clause"),
    [
        ("selct", ["select", "ignore"], ': did you mean "select"?'),
        ("CL309", ["CL609", "CL308", "CL101"], ': did you mean "CL308"?'),
        ("severe", ["severity"], ': did you mean "severity"?'),
        ("zzz", ["select", "ignore"], ""),
        ("a", [], ""),
    ],
)
def test_nearest(name: str, known: list[str], clause: str) -> None:
    assert selection.nearest(name, known) == clause


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
        (["CL"], ["ALL"], [], set()),
        # between equals, ignoring does
        (["CL301"], ["CL301"], [], set()),
        (["num-specs"], ["CL301"], [], set()),
        (["CL301"], ["num-specs"], [], set()),
        (["CL3"], ["CL3"], [], set()),
        (None, ["CL301"], ["CL301"], DEFAULT - {"CL301"}),
        # a rule that is off is on only by its own code or name
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
    assert selection.select_rules(select, ignore, extend_select) == selected | ALWAYS


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
    assert config_file.join_settings(file, options).selected == selected | ALWAYS


def test_settings_of_a_file() -> None:
    assert config_file.join_settings({}, {}) == Settings()
    assert config_file.join_settings({
        "exclude": ["a"], "mutable-tags": ["develop", "next"], "root-stack": "all",
        "mirror-urls": ["s3://a"], "max-page-size": 10, "select": ["CL301"],
    }, {}) == Settings(
        ALWAYS | {"CL301"}, exclude=("a",), mutable_tags=frozenset({"develop", "next"}),
        root_stack="all", mirror_urls=("s3://a",), max_page_size=10,
    )


def test_settings_of_tables() -> None:
    settings = config_file.join_settings({
        "per-file-ignores": {"_cache/v0.18/**": ["CL5", "num-specs"], "zlib": ["ALL"], "b": []},
        "severity": {"CL5": "warning", "CL503": "error"},
    }, {})
    assert settings == Settings(
        per_file_ignores=(
            FileIgnore("_cache/v0.18/**", "CL5"), FileIgnore("_cache/v0.18/**", "num-specs"),
            FileIgnore("zlib", "ALL")),
        severity=(("CL5", Severity.WARNING), ("CL503", Severity.ERROR)),
    )
    assert pickle.loads(pickle.dumps(settings)) == settings
    assert {settings: 1}[pickle.loads(pickle.dumps(settings))] == 1


@pytest.mark.parametrize(
    ("chosen", "levels"),
    [
        ([], {}),
        ([("CL301", "warning")], {"CL301": "warning"}),
        ([("num-specs", "warning")], {"CL301": "warning"}),
        ([("CL50", "error")], {f"CL50{n}": "error" for n in range(1, 8)}),
        # the more specific name wins, in any order
        ([("CL301", "error"), ("CL3", "warning")],
         {**{f"CL30{n}": "warning" for n in range(1, 9)}, "CL301": "error"}),
        ([("CL30", "error"), ("CL3", "warning")], {f"CL30{n}": "error" for n in range(1, 9)}),
        ([("ALL", "warning"), ("cl4", "error")],
         {rule.code: "error" if rule.code.startswith("CL4") else "warning" for rule in ALL_RULES
          if rule.code not in ALWAYS}),
        ([("CL8", "error"), ("CL805", "error"), ("gate-changed", "error")],
         dict.fromkeys(("CL801", "CL802", "CL803", "CL804"), "error")),
    ],
)
def test_severities(chosen: list[tuple[str, str]], levels: dict[str, str]) -> None:
    pairs = tuple((name, Severity(level)) for name, level in chosen)
    assert selection.severities(pairs) == levels


@pytest.mark.parametrize(
    ("name", "codes"),
    [("CL5", {f"CL50{n}" for n in range(1, 8)}), ("CL507", {"CL507"}),
     ("unstable-order", {"CL507"}), ("all", {rule.code for rule in ALL_RULES} - ALWAYS),
     ("CL805", set())],
)
def test_every_code_of_a_name(name: str, codes: set[str]) -> None:
    assert selection.every_code_of(name) == codes


def test_per_file_ignores() -> None:
    settings = Settings(per_file_ignores=(
        FileIgnore("_cache/v0.18/**", "CL3"), FileIgnore("**/zlib", "CL401"),
        FileIgnore("_data", "CL6")))
    assert settings.ignores("_cache/develop/gcc/specs.md") == ()
    assert settings.runs_on("_cache/develop/gcc/specs.md") == settings.selected
    assert settings.runs_on("_cache/v0.18/gcc/specs.md") == settings.selected - CL3
    assert settings.runs_on("_cache/v0.18/zlib/specs.md") == settings.selected - CL3 - {"CL401"}
    # from the catalog's folder, wherever that lies
    assert settings.runs_on("site/a/_cache/v0.18/zlib/specs.md") == (
        settings.selected - CL3 - {"CL401"})
    assert [entry.rule for entry in settings.ignores("site/_data/meta.yaml")] == ["CL6"]


def test_settling_findings() -> None:
    def finding(path: str, code: str, level: str = "error") -> Finding:
        return Finding(path, 1, 1, 1, 1, code, "x", Severity(level), "x", "", False)

    old, new = "_cache/v0.18/zlib/specs.md", "_cache/develop/zlib/specs.md"
    findings = [finding(old, "CL301"), finding(old, "CL401"), finding(new, "CL301"),
                finding(new, "CL506", "warning")]
    settings = Settings(
        per_file_ignores=(FileIgnore("_cache/v0.18", "CL3"), FileIgnore("*", "num-specs"),
                          FileIgnore("_cache/develop", "CL4")),
        severity=(("CL401", Severity.WARNING), ("CL506", Severity.ERROR)))
    used: set[FileIgnore] = set()
    settled = [finding(old, "CL401", "warning"), finding(new, "CL506", "error")]
    assert selection.apply_overrides(findings, settings, used) == settled
    assert used == set(settings.per_file_ignores[:2])
    assert selection.apply_overrides(settled, settings) == settled
    assert selection.apply_overrides(findings, Settings()) is findings


def test_baseline_is_beside_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    path = tmp_path / "cachelint.toml"
    path.write_text('select = []\nbaseline = "known.json"\n')
    monkeypatch.chdir(tmp_path / "a")
    with pytest.raises(CachelintError, match=re.escape(
            "../cachelint.toml:2: baseline ../known.json does not exist: create it with")):
        config_file.load(str(path)).baseline()
    (tmp_path / "known.json").write_text("{}")
    assert config_file.load(str(path)).baseline() == "../known.json"
    assert config_file.NO_FILE.baseline() is None


@pytest.mark.parametrize(
    "name", ["../known.json", "/etc/passwd", "a/../../known.json", "link/known.json"])
def test_baseline_outside_the_folder_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to("/")
    (tmp_path / "cachelint.toml").write_text(f'baseline = "{name}"\n')
    message = f'cachelint.toml:1: baseline "{name}" is outside the folder of this file'
    with pytest.raises(CachelintError, match=message):
        config_file.load("cachelint.toml").baseline()


# ------------------------------------------------------------------------------ exclusion


PAGE = "_cache/v0.18/zlib/specs.md"


@pytest.mark.parametrize(
    ("pattern", "excludes"),
    [
        ("_cache/v0.18/**", True),
        ("_cache/v0.18/*", True),
        ("_cache/v0.18", True),
        ("_cache/v0.18/", True),
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
        ("_cache/[v]0.18", True),
        ("/_cache", True),
        ("/zlib", False),
        ("specs.md/", False),
        ("./_cache/v0.18", False),
        ("{zlib,gcc}", False),
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
        ({"pyproject.toml": "[tool]\ncachelint.select = []\n"}, "a", "pyproject.toml"),
        ({"pyproject.toml": "tool.cachelint.select = []\n"}, "a", "pyproject.toml"),
        ({"pyproject.toml": "[tool]\ncachelint = {}\n"}, "a", "pyproject.toml"),
        ({"pyproject.toml": "[tool.cachelint.severity]\n"}, "a", "pyproject.toml"),
        ({"pyproject.toml": '[ "tool" . \'cachelint\' ]\n'}, "a", "pyproject.toml"),
        ({"pyproject.toml": '[project]\na = """\n[tool.cachelint]\n"""\n'}, "a", None),
        ({"pyproject.toml": "# [tool.cachelint]\n"}, "a", None),
        ({"pyproject.toml": '[project]\ndependencies = ["cachelint"]\n'}, "a", None),
        ({"pyproject.toml": "tool = 1 # cachelint\n"}, "a", None),
        ({"pyproject.toml": "[tool.cachelint\n"}, "a", "pyproject.toml"),
        ({"pyproject.toml": "[tool.other\n"}, "a", None),
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
    assert config_file.find(str(top / start)) == (None if found is None else str(top / found))


@pytest.mark.parametrize("name", ["cachelint.toml", ".cachelint.toml"])
def test_file_is_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text('select = ["CL3"]\n# x\nmax-page-size = 10\n', encoding="utf-8")
    assert config_file.load(str(path)).data == {"select": ["CL3"], "max-page-size": 10}


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ('[tool.ruff]\nselect = ["E"]\n[tool.cachelint]\nroot-stack = "a"\n', {"root-stack": "a"}),
        ("[tool.cachelint]\n", {}),
        ("[tool.ruff]\n", {}),
        ("[project]\n", {}),
        ('[tool]\ncachelint.root-stack = "a"\n', {"root-stack": "a"}),
        ('[tool.cachelint.severity]\nCL3 = "warning"\n', {"severity": {"CL3": "warning"}}),
    ],
)
def test_pyproject_is_read(tmp_path: Path, text: str, data: dict[str, Any]) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(text)
    assert config_file.load(str(path)).data == data


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('selct = ["CL3"]', '1: unknown setting "selct": did you mean "select"?'),
        ("# x\n\nmutable_tags = []",
         '3: unknown setting "mutable_tags": did you mean "mutable-tags"?'),
        ("zzz = 1", '1: unknown setting "zzz"'),
        ('select = ["CL3"]\nignore = "CL301"', '2: wrong type of ignore: '
         'expected a list, found the string "CL301"'),
        ('select = [\n  "CL3",\n  3,\n]', "3: wrong type of item 2 of select: "
         "expected a string, found the number 3"),
        ("max-page-size = true", "1: wrong type of max-page-size: "
         "expected a whole number, found true"),
        ("max-page-size = 1.5", "1: wrong type of max-page-size: "
         "expected a whole number, found the number 1.5"),
        ("max-page-size = 0", "1: invalid max-page-size: expected at least 1, found 0"),
        ("max-page-size = 67108865", "1: invalid max-page-size: "
         "expected at most 67108864, found 67108865"),
        (".".join(["a"] * 4000) + " = 1", "1: a key has more than 64 parts"),
        ("\n[" + ".".join(["'a'"] * 4000) + "]", "2: a key has more than 64 parts"),
        ("a = 1\nb = " + "[" * 5000, "2: values are nested more than 64 deep"),
        ("a = 1\nb = " + "{a = " * 5000, "2: values are nested more than 64 deep"),
        ("a = 1\nb = " + "1" * 5000, "2: invalid TOML: a number is too long"),
        (f'exclude = ["{"a" * 40_000}",\n"{"b" * 40_000}"]',
         "1: the patterns of exclude have more than 65,536 characters"),
        (f'per-file-ignores."{"a" * 70_000}" = []',
         "1: the patterns of per-file-ignores have more than 65,536 characters"),
        ("mirror-urls = []", "1: mirror-urls is empty"),
        ('"root-stack" = ""', "1: root-stack is empty"),
        ('exclude = [""]', "1: item 1 of exclude is empty"),
        ('select = [""]', '1: invalid item 1 of select: expected a code, a name or a prefix of a '
         'rule, found ""'),
        ("ignore = 2024-01-01", "1: wrong type of ignore: expected a list, found the date 2024-"),
        ("\n[exclude]\na = 1", "2: wrong type of exclude: expected a list, found a mapping"),
        ("root-stack = 2025-03-30", "1: wrong type of root-stack"),
        ('\nignore = ["CL3", "num-spec"]',
         '2: in ignore: unknown rule "num-spec": did you mean "num-specs"?'),
        ('select = ["CL31"]', '1: in select: unknown rule "CL31"'),
        ('a = 1\n\nextend-select = ["x"]', '1: unknown setting "a"'),
        ('extend-select = ["ruff"]', '1: in extend-select: unknown rule "ruff"'),
        ('select = [\n  # CL4\n  "CL3",\n  "num-spec",\n]',
         '4: in select: unknown rule "num-spec": did you mean "num-specs"?'),
        # per-file-ignores
        ("per-file-ignore = {}",
         '1: unknown setting "per-file-ignore": did you mean "per-file-ignores"?'),
        ('[per-file-ignores]\n"a" = ["CL3"]\n"b" = ["CL3", "num-spec"]',
         '3: in per-file-ignores: unknown rule "num-spec": did you mean "num-specs"?'),
        ('[per-file-ignores]\n"a" = [\n  "CL3",\n  "CLX",\n]',
         '4: in per-file-ignores: unknown rule "CLX"'),
        ('\nper-file-ignores = {a = ["CL3"], "b*" = ["x"]}',
         '2: in per-file-ignores: unknown rule "x"'),
        ('per-file-ignores.a = ["CL3"]\nper-file-ignores."b/**" = ["x"]',
         '2: in per-file-ignores: unknown rule "x"'),
        ('per-file-ignores.a = "CL3"', '1: wrong type of a of per-file-ignores: '
         'expected a list, found the string "CL3"'),
        ('[per-file-ignores]\na = []\n"x/**" = [\n"CL3", 7]',
         "4: wrong type of item 2 of x/** of per-file-ignores: "
         "expected a string, found the number 7"),
        ('per-file-ignores = ["a"]', "1: wrong type of per-file-ignores: "
         "expected a mapping, found a list"),
        ('[per-file-ignores]\n"" = ["CL3"]', "2: in per-file-ignores: a pattern is empty"),
        ('[per-file-ignores]\na = ["CL3", "CL3"]', "2: a of per-file-ignores has an item twice"),
        # severity
        ('[severity]\nCL3 = "warning"\nnum-spec = "error"',
         '3: in severity: unknown rule "num-spec": did you mean "num-specs"?'),
        ('severity.CL3 = "warning"\nseverity.CLX = "error"',
         '2: in severity: unknown rule "CLX"'),
        ('\n\nseverity = {CL3 = "warning", CL4 = "warn"}',
         '3: invalid CL4 of severity: '
         'expected error or warning, found "warn": did you mean "warning"?'),
        ('[severity]\nCL3 = "ERROR"',
         '2: invalid CL3 of severity: '
         'expected error or warning, found "ERROR": did you mean "error"?'),
        ('[severity]\n\nCL506 = "off"',
         '3: invalid CL506 of severity: expected error or warning, found "off": to skip a rule, '
         "add it to ignore"),
        ('[severity]\nCL506 = "ignore"',
         '2: invalid CL506 of severity: '
         'expected error or warning, found "ignore": to skip a rule,'),
        ("[severity]\nCL506 = false",
         "2: wrong type of CL506 of severity: "
         "expected a string, found false: to skip a rule, add it to ignore"),
        ("[severity]\nCL506 = 2", "2: wrong type of CL506 of severity: "
         "expected a string, found the number 2"),
        ('severity = "error"', '1: wrong type of severity: '
         'expected a mapping, found the string "error"'),
        ('[severity]\nCL301 = "error"\nnum-specs = "warning"',
         "3: in severity: num-specs and CL301 are the same"),
        ('[severity]\nCL30 = "error"\ncl30 = "warning"', "3: in severity: cl30 and CL30 are the"),
        # baseline
        ("baseline = true", "1: wrong type of baseline: expected a string, found true"),
        ('baseline = ""', "1: baseline is empty"),
    ],
)
def test_fault_names_file_line_and_nearest_key(
    tmp_path: Path, text: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "cachelint.toml"
    path.write_text(text)
    with pytest.raises(CachelintError, match=re.escape(f"cachelint.toml:{message}")):
        config_file.load(str(path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[tool.ruff.lint]\nselect = ["E"]\n\n[tool.cachelint]\nselect = ["E"]',
         ':5: in select: unknown rule "E"'),
        ("[tool.other]\nselct = 1\n\n[tool.cachelint]\nselct = 1",
         ':5: unknown setting "selct"'),
        ("[tool.cachelint]\nexclude = 1\n[tool.other]\nexclude = 2", ":2: wrong type of exclude"),
        ("[tool]\ncachelint = 1", ":"),
        ("[[tool.cachelint]]\na = 1", ":"),
        ('[tool]\nruff.select = ["E"]\ncachelint.selct = 1', ':3: unknown setting "selct"'),
        ("tool.cachelint.selct = 1", ':1: unknown setting "selct": did you mean "select"?'),
        ("[tool]\nother = 1\ncachelint = {exclude = [], selct = 1}",
         ':3: unknown setting "selct"'),
        ('[tool.ruff.severity]\nCLX = 1\n[tool.cachelint.severity]\nCLX = "error"',
         ':4: in severity: unknown rule "CLX"'),
        ('[tool.cachelint]\nselect = []\n[tool.cachelint.per-file-ignores]\n"a" = ["x"]',
         ':4: in per-file-ignores: unknown rule "x"'),
        ("[tool]\ncachelint = 1", ":2: cachelint is not a table"),
        ("tool = 1", ":"),
    ],
)
def test_fault_in_pyproject(
    tmp_path: Path, text: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "pyproject.toml"
    path.write_text(text)
    with pytest.raises(CachelintError, match=re.escape(f"pyproject.toml{message}")):
        config_file.load(str(path))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"\n\na = [\n", ":3: invalid TOML"),
        (b"a = 1\na = 2\nb = 3\n", ":2: invalid TOML"),
        (b"a = 1\n\n\nb c\n", ":4: invalid TOML"),
        (b"\na = '\xff'", ":2: the configuration is not valid UTF-8"),
        (None, ": configuration file does not exist"),
    ],
    ids=["broken", "key twice", "no value", "not UTF-8", "no file"],
)
def test_unreadable_file(
    tmp_path: Path, raw: bytes | None, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "cachelint.toml"
    if raw is not None:
        path.write_bytes(raw)
    with pytest.raises(CachelintError, match=f"^cachelint.toml{message}"):
        config_file.load(str(path))


def test_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(CachelintError,
            match="cannot read the configuration: expected a file, found a folder"):
        config_file.load(str(tmp_path))


def test_bom_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "cachelint.toml").write_bytes(b'\xef\xbb\xbfroot-stack = "a"\n')
    assert config_file.load(str(tmp_path / "cachelint.toml")).data == {"root-stack": "a"}


@pytest.mark.parametrize("name", ["cachelint.toml", "pyproject.toml"])
def test_file_that_is_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with (tmp_path / name).open("wb") as file:
        file.truncate(3 << 30)
    assert config_file.find() == str(tmp_path / name)
    with pytest.raises(CachelintError, match=f"^{name}: cannot read the configuration: it is "
                                             "larger than 1,048,576 bytes"):
        config_file.load(name)


def test_pipe_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("cachelint.toml")
    assert config_file.find() == str(tmp_path / "cachelint.toml")
    with pytest.raises(CachelintError, match="cannot read the configuration"):
        config_file.load("cachelint.toml")
    with pytest.raises(CachelintError, match="cannot read the configuration"):
        config_file.load("/dev/zero")


def test_link_out_of_its_folder_is_read_only_if_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text("password = 1\n")
    folder = tmp_path / "checkout"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "cachelint.toml").symlink_to("../secret")
    found = config_file.find()
    assert found == str(folder / "cachelint.toml")
    with pytest.raises(CachelintError, match=r"^cachelint.toml: cannot read the configuration: it "
                                             "is a link that leads out of its folder$"):
        config_file.load(found, config_file.read_now)
    with pytest.raises(CachelintError, match='unknown setting "password"'):
        config_file.load("cachelint.toml")
    (folder / "real.toml").write_text("")
    (folder / "cachelint.toml").unlink()
    (folder / "cachelint.toml").symlink_to("real.toml")
    assert config_file.load(found, config_file.read_now).data == {}
