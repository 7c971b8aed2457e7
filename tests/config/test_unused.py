"""Entries of a configuration that do nothing: which are named, and when it cannot be known."""

from __future__ import annotations

from pathlib import Path

import pytest

from cachelint import CachelintError, FileIgnore, Settings, Severity, check
from cachelint.config import file as config_file
from cachelint.config import unused
from cachelint.rules import selection
from cachelint.runner import run as runner
from support import valid

STALE = valid.page(valid.meta(num_specs=3))


def read(tmp_path: Path, text: str) -> config_file.File:
    path = tmp_path / "cachelint.toml"
    path.write_text(text)
    return config_file.load(str(path))


def find_unused(
    file: config_file.File, *paths: str, diff_base: str | None = None, **options: list[str]
) -> list[str]:
    """Check, and return the warnings about the configuration, less its path."""
    settings = config_file.join_settings(
        file.data, {key.replace("_", "-"): names for key, names in options.items()})
    report = runner.check(paths or ["."], settings=settings, diff_base=diff_base)
    sentences = unused.find_unused(file, settings, report, paths or ["."])
    return [sentence.removeprefix(str(file.path)) for sentence in sentences]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a catalog of a valid page and a stale one."""
    valid.write_catalog(tmp_path, {f"{valid.TAG}/zlib": STALE, "v1/zlib": valid.PAGE.replace(
        valid.TAG, "v1")}, {valid.TAG: ["e4s", "root"], "v1": ["e4s", "root"]})
    monkeypatch.chdir(tmp_path)
    return tmp_path


# name: (configuration, warnings)
CASES: dict[str, tuple[str, list[str]]] = {
    "nothing": ("", []),
    "ignored": ('ignore = ["CL301", "CL5"]', []),
    "ignored that is off": ('ignore = [\n "CL301",\n "CL507"]',
                            [":3: in ignore: CL507 is not selected"]),
    "ignored that is not selected": (
        'select = ["CL3"]\nignore = ["CL301", "duplicate-hash"]',
        [":2: in ignore: duplicate-hash is not selected"]),
    "weighed": ('[severity]\nCL301 = "warning"\nCL8 = "error"', []),
    "weighed that is off": ('[severity]\nCL301 = "warning"\nCL507 = "error"',
                            [":3: in severity: CL507 does not run"]),
    "weighed that is ignored": ('ignore = ["CL3"]\nseverity.CL301 = "warning"',
                                [":2: in severity: CL301 does not run"]),
    "of use": (f'[per-file-ignores]\n"_cache/{valid.TAG}/**" = ["CL301", "CL3"]', []),
    "of no use": ('[per-file-ignores]\n"_cache/v1/**" = [\n"num-specs",\n"CL3"]', [
        ':3: in per-file-ignores: "_cache/v1/**" hides no finding of num-specs',
        ':4: in per-file-ignores: "_cache/v1/**" hides no finding of CL3']),
    "of no use, a table in a line": ('\nper-file-ignores = {"x*" = ["ALL"]}', [
        ':2: in per-file-ignores: "x*" hides no finding of ALL']),
    "one of two": (f'[per-file-ignores]\n"_cache/{valid.TAG}" = ["CL301", "CL4"]', [
        f':2: in per-file-ignores: "_cache/{valid.TAG}" hides no finding of CL4']),
    "rule that is off": ('[per-file-ignores]\n"_cache/v1" = ["CL507"]',
                         [":2: in per-file-ignores: CL507 does not run"]),
    "rules that cannot be hidden": (
        'ignore = ["CL805"]\n[severity]\ngate-changed = "error"\n'
        '[per-file-ignores]\n"*" = ["CL805"]',
        [":1: in ignore: CL805 cannot be ignored",
         ":3: in severity: the severity of gate-changed cannot be changed",
         ":5: in per-file-ignores: CL805 cannot be ignored"]),
    "excluded": (f'exclude = ["/_cache/{valid.TAG}/", "tags.yaml"]', []),
    "excluded again": ('exclude = ["zlib", "!/_cache/v1/zlib"]', []),
    "excluded that is malformed": ('exclude = ["[a", "gcc\\\\"]', [
        f':1: in exclude: "{pattern}" matches nothing: a "[" is not closed or has an unknown '
        'class, or nothing follows a "\\"' for pattern in ("[a", "gcc\\")]),
    "excluded with braces": ('exclude = [\n"v1",\n"{zlib,gcc}"]', [
        ':3: in exclude: "{zlib,gcc}" matches nothing: braces have no meaning, write one pattern '
        "for each name"]),
    "excluded that is not there": ('exclude = ["v2", "./v1", "#", "/"]', [
        ':1: in exclude: "v2" matches nothing',
        ':1: in exclude: "./v1" matches nothing: write it relative to the catalog, without "." and '
        '".."',
        ':1: in exclude: "#" matches nothing: it is a comment, write "\\#" for a name that begins '
        'with "#"',
        ':1: in exclude: "/" matches nothing: it is empty']),
    "excluded and never included again": ('exclude = ["/_cache/v1", "!zlib/specs.md", "gcc"]', [
        ':1: in exclude: "!zlib/specs.md" matches nothing: an earlier pattern excludes the folder '
        "around it, or nothing of it", ':1: in exclude: "gcc" matches nothing']),
    "excluded and shadowed": ('exclude = ["zlib", "*"]', [
        "no pages were checked: exclude matches all of them",
        ':1: in exclude: "zlib" matches nothing']),
    "mutable tag": (f'mutable-tags = ["v1", "{valid.TAG}"]', []),
    "mutable tag that does not exist": ('mutable-tags = [\n"v1",\n"nope"]', [
        ':3: in mutable-tags: no tag "nope" exists']),
    "root stack": ('root-stack = "e4s"', []),
    "root stack that no tag has": ('\nroot-stack = "nope"', [
        ':2: in root-stack: no tag has the stack "nope"']),
    "rules that compare": ('[per-file-ignores]\n"_cache/v1" = ["CL8", "CL801"]', []),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_run_over_the_whole_catalog(here: Path, text: str, expected: list[str]) -> None:
    assert find_unused(read(here, text)) == expected


IDLE = '[per-file-ignores]\n"_cache/v1/**" = ["CL3"]'
SAID = ':2: in per-file-ignores: "_cache/v1/**" hides no finding of CL3'


@pytest.mark.parametrize(("paths", "is_known"), [
    (["."], True), (["_cache"], True), ([".", f"_cache/{valid.TAG}/zlib/specs.md"], True),
    (["_cache/v1"], False), (["_cache/v1/zlib"], False), (["_cache/v1/zlib/specs.md"], False),
    (["_data/tags.yaml"], False), (["_cache/v1", f"_cache/{valid.TAG}"], False),
])
def test_part_of_a_catalog(here: Path, paths: list[str], is_known: bool) -> None:
    assert find_unused(read(here, IDLE), *paths) == ([SAID] if is_known else [])


def test_another_catalog_below_the_file(here: Path) -> None:
    valid.write_catalog(here / "other", {"v1/zlib": STALE.replace(valid.TAG, "v1")},
                        {"v1": ["e4s", "root"]})
    file = read(here, IDLE)
    assert find_unused(file, "other") == []  # there it is of use
    assert find_unused(file, ".") == []
    assert find_unused(file, "_cache") == []  # here it is not, but there may be
    assert find_unused(read(here, '[per-file-ignores]\n"x" = ["CL3"]'), ".") == [
        ':2: in per-file-ignores: "x" hides no finding of CL3']


def test_rules_chosen_on_the_command_line(here: Path) -> None:
    file = read(here, IDLE)
    assert find_unused(file, select=["CL4"]) == []
    assert find_unused(file, ignore=["CL302"]) == []
    assert find_unused(file, ignore=["CL4"]) == [SAID]
    assert find_unused(file, extend_select=["CL507"]) == [SAID]


def test_what_the_catalogs_own_files_use(here: Path) -> None:
    (here / "_data/tags.yaml").write_text("- name: gone\n  stacks: []\n")
    found = {finding.code for finding in check(["."]).findings
             if finding.path == "_data/tags.yaml"}
    assert found
    code = min(found)
    assert find_unused(read(here, f'[per-file-ignores]\n"_data/**" = ["{code}"]')) == []


def test_names_that_are_none_are_errors() -> None:
    with pytest.raises(CachelintError, match='unknown rule "x"'):
        Settings(per_file_ignores=(FileIgnore("*", "x"),)).runs_on("a")
    with pytest.raises(CachelintError, match='unknown rule "x"'):
        selection.severities((("x", Severity.ERROR),))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("select = []", "no rules are selected: check select and ignore"),
        ('ignore = ["ALL"]', "no rules are selected: check select and ignore"),
        ('exclude = ["**"]', "no pages were checked: exclude matches all of them"),
    ],
)
def test_a_gate_that_checks_nothing(here: Path, text: str, said: str) -> None:
    assert find_unused(read(here, text)) == [said]
