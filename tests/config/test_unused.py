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
    return config_file.read(str(path))


def of_run(
    file: config_file.File, *paths: str, diff_base: str | None = None, **options: list[str]
) -> list[str]:
    """Check, and return what is said of the configuration, less its path."""
    settings = config_file.join_settings(
        file.data, {key.replace("_", "-"): names for key, names in options.items()})
    report = runner.check(paths or ["."], settings=settings, diff_base=diff_base)
    sentences = unused.of_run(file, settings, report.unused, paths or ["."], report.pages)
    return [sentence.removeprefix(str(file.path)) for sentence in sentences]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a catalog of a sound page and a stale one."""
    valid.write_catalog(tmp_path, {f"{valid.TAG}/zlib": STALE, "v1/zlib": valid.PAGE.replace(
        valid.TAG, "v1")}, {valid.TAG: ["e4s", "root"], "v1": ["e4s", "root"]})
    monkeypatch.chdir(tmp_path)
    return tmp_path


# name: (configuration, what is said)
CASES: dict[str, tuple[str, list[str]]] = {
    "nothing": ("", []),
    "ignored": ('ignore = ["CL301", "CL5"]', []),
    "ignored that is off": ('ignore = [\n "CL301",\n "CL507"]',
                            [":3: in ignore: CL507 would not run anyway"]),
    "ignored that is not selected": (
        'select = ["CL3"]\nignore = ["CL301", "duplicate-hash"]',
        [":2: in ignore: duplicate-hash would not run anyway"]),
    "weighed": ('[severity]\nCL301 = "warning"\nCL8 = "error"', []),
    "weighed that is off": ('[severity]\nCL301 = "warning"\nCL507 = "error"',
                            [":3: in severity: CL507 does not run"]),
    "weighed that is ignored": ('ignore = ["CL3"]\nseverity.CL301 = "warning"',
                                [":2: in severity: CL301 does not run"]),
    "of use": (f'[per-file-ignores]\n"_cache/{valid.TAG}/**" = ["CL301", "CL3"]', []),
    "of no use": ('[per-file-ignores]\n"_cache/v1/**" = [\n"num-specs",\n"CL3"]', [
        ':3: in per-file-ignores: nothing of num-specs is left out of "_cache/v1/**"',
        ':4: in per-file-ignores: nothing of CL3 is left out of "_cache/v1/**"']),
    "of no use, a table in a line": ('\nper-file-ignores = {"x*" = ["ALL"]}', [
        ':2: in per-file-ignores: nothing of ALL is left out of "x*"']),
    "one of two": (f'[per-file-ignores]\n"_cache/{valid.TAG}" = ["CL301", "CL4"]', [
        f':2: in per-file-ignores: nothing of CL4 is left out of "_cache/{valid.TAG}"']),
    "rule that is off": ('[per-file-ignores]\n"_cache/v1" = ["CL507"]',
                         [":2: in per-file-ignores: CL507 does not run"]),
    "rules that compare": ('[per-file-ignores]\n"_cache/v1" = ["CL8", "CL801"]', []),
}


@pytest.mark.parametrize(("text", "said"), CASES.values(), ids=CASES)
def test_run_over_the_whole_catalog(here: Path, text: str, said: list[str]) -> None:
    assert of_run(read(here, text)) == said


IDLE = '[per-file-ignores]\n"_cache/v1/**" = ["CL3"]'
SAID = ':2: in per-file-ignores: nothing of CL3 is left out of "_cache/v1/**"'


@pytest.mark.parametrize(("paths", "is_known"), [
    (["."], True), (["_cache"], True), ([".", f"_cache/{valid.TAG}/zlib/specs.md"], True),
    (["_cache/v1"], False), (["_cache/v1/zlib"], False), (["_cache/v1/zlib/specs.md"], False),
    (["_data/tags.yaml"], False), (["_cache/v1", f"_cache/{valid.TAG}"], False),
])
def test_part_of_a_catalog(here: Path, paths: list[str], is_known: bool) -> None:
    assert of_run(read(here, IDLE), *paths) == ([SAID] if is_known else [])


def test_another_catalog_below_the_file(here: Path) -> None:
    valid.write_catalog(here / "other", {"v1/zlib": STALE.replace(valid.TAG, "v1")},
                        {"v1": ["e4s", "root"]})
    file = read(here, IDLE)
    assert of_run(file, "other") == []  # there it is of use
    assert of_run(file, ".") == []
    assert of_run(file, "_cache") == []  # here it is not, but there may be
    assert of_run(read(here, '[per-file-ignores]\n"x" = ["CL3"]'), ".") == [
        ':2: in per-file-ignores: nothing of CL3 is left out of "x"']


def test_rules_chosen_on_the_command_line(here: Path) -> None:
    file = read(here, IDLE)
    assert of_run(file, select=["CL4"]) == []
    assert of_run(file, ignore=["CL302"]) == []
    assert of_run(file, ignore=["CL4"]) == [SAID]
    assert of_run(file, extend_select=["CL507"]) == [SAID]


def test_what_the_catalogs_own_files_use(here: Path) -> None:
    (here / "_data/tags.yaml").write_text("- name: gone\n  stacks: []\n")
    found = {finding.code for finding in check(["."]).findings
             if finding.path == "_data/tags.yaml"}
    assert found
    code = min(found)
    assert of_run(read(here, f'[per-file-ignores]\n"_data/**" = ["{code}"]')) == []


def test_names_that_are_none_are_errors() -> None:
    with pytest.raises(CachelintError, match="there is no rule 'x'"):
        Settings(per_file_ignores=(FileIgnore("*", "x"),)).runs_on("a")
    with pytest.raises(CachelintError, match="there is no rule 'x'"):
        selection.severities((("x", Severity.ERROR),))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("select = []", "no rule runs: what is selected is ignored, or nothing is"),
        ('ignore = ["ALL"]', "no rule runs: what is selected is ignored, or nothing is"),
        ('exclude = ["**"]', "no page is checked: exclude leaves out all of them"),
    ],
)
def test_a_gate_that_checks_nothing(here: Path, text: str, said: str) -> None:
    assert of_run(read(here, text)) == [said]
