"""The settings from end to end: what they do to every command, and what wins over what."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from cachelint import (
    FileIgnore,
    Settings,
    Severity,
    check,
    check_page,
    check_tag,
    fix,
    fix_page,
)
from cachelint.files.discovery import TagTask
from support import valid
from support.program import run_program

TAG = valid.TAG
STALE = valid.page(valid.meta(num_specs=3))
UNSORTED = valid.page(
    None, valid.specs(0, variants=["+shared", "build_system=makefile"]))  # a warning, CL506
WHERE = f"_cache/{TAG}/zlib/specs.md"
WARNED = Settings(severity=(("CL3", Severity.WARNING),))
SPARED = Settings(per_file_ignores=(FileIgnore(f"_cache/{TAG}/**", "num-specs"),))


class Done(NamedTuple):
    """How a run ended."""

    status: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a catalog of one stale page."""
    catalog(tmp_path, STALE)
    monkeypatch.chdir(tmp_path)
    for name in [*os.environ]:
        if name.startswith(("CACHELINT", "GITHUB_")):
            monkeypatch.delenv(name)
    return tmp_path


def catalog(root: Path, page: str) -> None:
    valid.write_catalog(root, {f"{TAG}/zlib": page}, {TAG: ["e4s", "root"]})


def run(*arguments: str, stdin: str = "", **environment: str) -> Done:
    done = run_program(*arguments, stdin=stdin, environment={**os.environ, **environment})
    return Done(done.returncode, done.stdout, done.stderr)


# ------------------------------------------------------------------------------- severity


@pytest.mark.parametrize(("page", "text", "arguments", "status", "totals"), [
    (STALE, "", [], 1, "1 error"),
    (STALE, 'severity.CL301 = "warning"', [], 0, "1 warning"),
    (STALE, 'severity.CL301 = "warning"', ["--strict"], 1, "1 warning"),
    (STALE, 'severity = {CL3 = "warning", num-specs = "error"}', [], 1, "1 error"),
    (STALE, 'severity.ALL = "warning"', [], 0, "1 warning"),
    (UNSORTED, "", [], 0, "1 warning"),
    (UNSORTED, 'severity.unsorted-variants = "error"', [], 1, "1 error"),
    (UNSORTED, 'severity.CL5 = "error"', ["--exit-zero"], 0, "1 error"),
])
def test_severity(
    here: Path, page: str, text: str, arguments: list[str], status: int, totals: str
) -> None:
    catalog(here, page)
    (here / "cachelint.toml").write_text(text)
    for name in ("full", "concise", "github"):
        done = run("check", "--output-format", name, *arguments)
        assert done.status == status
        assert done.out.splitlines()[-1].startswith(f"Found {totals}")
        assert ("warning: " in done.out or "::warning " in done.out) == ("warning" in totals)
    report = json.loads(run("check", "--output-format", "json", *arguments).out)
    assert [finding["severity"] for finding in report["findings"]] == [totals.split()[1]]
    assert run("check", "-", "--stdin-filename", WHERE, *arguments, stdin=page).status == status


def test_severity_from_python(here: Path) -> None:
    [finding] = check_page(STALE.encode(), WHERE, settings=WARNED)
    assert (finding.code, finding.severity) == ("CL301", Severity.WARNING)
    [finding] = fix_page(STALE.encode(), WHERE, settings=WARNED).found
    assert finding.severity is Severity.WARNING
    [finding] = check_tag(TagTask(".", TAG, None), WARNED).findings
    assert finding.severity is Severity.WARNING
    report = check(settings=WARNED, jobs=2)
    assert (report.errors, report.warnings) == (0, 1)


def test_severity_of_findings_of_every_kind(here: Path) -> None:
    """Of pages that cannot be read, stray files, whole tags, the catalog's files and changes."""
    valid.write_catalog(here, {f"{TAG}/zlib": STALE, "v1/zlib": valid.PAGE.replace(TAG, "v1"),
                               f"{TAG}/other": valid.PAGE.replace('"zlib"', '"other"')},
                        {TAG: ["e4s", "root"], "v1": ["e4s", "root"]})
    (here / "_cache/v1/zlib/notes.md").write_text("---\na: 1\n---\n")
    (here / "_cache/v1/gone").mkdir()
    (here / "_cache/v1/gone/specs.md").symlink_to("nowhere")
    (here / "pages/tags").mkdir(parents=True)
    (here / "cachelint.toml").write_text('mutable-tags = []\n')
    for command in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=b",
                                                  "commit", "-qm", "x"]):
        subprocess.run(["git", *command], check=True)
    (here / "_cache/v1/zlib/specs.md").unlink()
    usual = {(f.code, f.severity) for f in check(settings=Settings(mutable_tags=frozenset()),
                                                 ).findings}
    assert {"CL100", "CL111", "CL301", "CL608", "CL605"} <= {code for code, _ in usual}
    assert len({level for _, level in usual}) == 2
    for level in Severity:
        settings = Settings(severity=(("ALL", level),), mutable_tags=frozenset())
        found = check(settings=settings).findings
        assert {(f.code, f.severity) for f in found} == {(code, level) for code, _ in usual}
        changed = check(settings=settings, diff_base="HEAD").findings
        assert ("CL802", level) in {(f.code, f.severity) for f in changed}
        assert {f.severity for f in changed} == {level}
    spared = Settings(per_file_ignores=(FileIgnore("*", "ALL"),), mutable_tags=frozenset())
    assert check(settings=spared).findings == ()
    assert check(settings=spared, diff_base="HEAD").findings == ()


# ------------------------------------------------------------------------------- per-file-ignores


@pytest.mark.parametrize(("table", "status"), [
    ({f"_cache/{TAG}/**": ["CL301"]}, 0),
    ({f"_cache/{TAG}": ["CL3"]}, 0),
    ({"zlib": ["num-specs"]}, 0),
    ({"**/specs.md": ["ALL"]}, 0),
    ({"_cache/v1/**": ["CL3"], WHERE: ["CL30"]}, 0),
    ({f"_cache/{TAG}/**": ["CL302", "CL4"]}, 1),
    ({"_cache/v1/**": ["CL301"]}, 1),
    ({WHERE: []}, 1),
])
def test_per_file_ignores(here: Path, table: dict[str, list[str]], status: int) -> None:
    lines = [f"{json.dumps(glob)} = {json.dumps(names)}" for glob, names in table.items()]
    (here / "cachelint.toml").write_text("\n".join(["[per-file-ignores]", *lines]))
    assert run("check", "-q").status == status
    assert run("check", "-q", WHERE).status == status
    assert run("check", "-q", "-", "--stdin-filename", WHERE, stdin=STALE).status == status
    # what is not found is not fixed, as with a rule that is ignored
    done = run("fix", "-", "--stdin-filename", WHERE, stdin=STALE)
    assert done.out == (valid.PAGE if status else STALE)
    assert run("fix", "--diff").status == status
    assert run("fix").status == 0
    assert (here / WHERE).read_text() == (valid.PAGE if status else STALE)


def test_per_file_ignores_from_python(here: Path) -> None:
    assert check_page(STALE.encode(), WHERE, settings=SPARED) == []
    assert fix_page(STALE.encode(), WHERE, settings=SPARED).content == STALE.encode()
    assert check(settings=SPARED).findings == ()
    assert fix(settings=SPARED).changed == ()
    assert check_page(STALE.encode(), "_cache/v1/zlib/specs.md", settings=SPARED) != []


def test_fix_gives_no_reason_for_what_is_not_found() -> None:
    page = valid.page(valid.meta(num_specs=3), valid.specs(1, hash=valid.FIRST)).encode()
    assert fix_page(page, WHERE).reason
    assert fix_page(page, WHERE, settings=SPARED).reason == ""
    assert fix_page(page, WHERE, settings=SPARED).content == page


def test_fix_reorders_no_page_in_which_that_rule_is_left_out() -> None:
    specs = valid.tarball_specs(0, variants=["+shared", "build_system=makefile"])
    page = valid.page(valid.meta(num_specs=3), specs[::-1]).encode()
    every = Settings(selected=Settings().selected | {"CL507"})
    spared = every._replace(per_file_ignores=(FileIgnore("*", "CL507"),))
    assert fix_page(page, WHERE, settings=spared) == fix_page(page, WHERE)
    assert fix_page(page, WHERE, settings=every).content != fix_page(page, WHERE).content


def test_fix_skips_the_catalogs_own_files(here: Path) -> None:
    catalog(here, valid.PAGE)
    page = here / f"pages/tags/{TAG}.md"
    page.parent.mkdir(parents=True)
    assert {finding.code for finding in check().findings} == {"CL605"}
    spared = Settings(per_file_ignores=(FileIgnore("_data/tags.yaml", "tag-page"),))
    assert fix(settings=spared).report.findings == ()
    assert not page.exists()
    assert fix().fixed == 1
    assert page.exists()


# ------------------------------------------------------------------------------- baseline


def test_baseline(here: Path) -> None:
    known, other = here / "ci/known.json", here / "other.json"
    (here / "ci").mkdir()
    (here / "cachelint.toml").write_text('baseline = "ci/known.json"\n')
    done = run("check")
    assert (done.status, done.out) == (2, "")
    assert done.err.endswith(
        "cachelint.toml:1: baseline ci/known.json does not exist: create it with cachelint check "
        "--write-baseline ci/known.json\n")
    assert run("check", "--write-baseline", "ci/known.json").status == 0
    before = known.read_bytes()
    assert run("check").out == "All checks passed: 1 page; 1 finding suppressed by the baseline.\n"
    assert run("check", f"_cache/{TAG}").status == 0
    assert run("check", "-", "--stdin-filename", WHERE, stdin=STALE).status == 0
    assert run("check", "--isolated").status == 1
    os.chdir(here / "_cache")  # it is sought from the configuration file's folder
    assert run("check").status == 0
    os.chdir(here)
    # the command line wins
    other.write_text('{"version": 1, "findings": []}')
    assert run("check", "--baseline", "other.json").status == 1
    assert run("check", "--isolated", "--baseline", "ci/known.json").status == 0
    # writing one reads none but itself
    assert run("check", "--write-baseline", "other.json").status == 0
    assert known.read_bytes() == before
    assert other.read_bytes() == before.replace(b'"catalog": ".."', b'"catalog": "."')


def test_baseline_and_fix(here: Path) -> None:
    page = valid.page(valid.meta(num_specs=3), valid.specs(0, hash=valid.FIRST[:-1]))
    catalog(here, page)
    (here / "cachelint.toml").write_text('baseline = "known.json"\n')
    run("check", "--write-baseline", "known.json")
    assert run("fix", "--isolated", "--diff").status == 1
    done = run("fix", "-", "--stdin-filename", WHERE, stdin=page)
    assert (done.status, "suppressed" in done.err) == (0, True)
    done = run("fix")  # what is known is fixed where it can be, and left out where not
    assert (done.status, done.out) == (
        0, "All checks passed: 1 page; 1 finding suppressed by the baseline.\n")
    assert '"num_specs": 2' in (here / WHERE).read_text()
    assert "1 entry of the baseline no longer found" in run("check").err


# ------------------------------------------------------------------------------- precedence

SELECT = "CACHELINT_CHECK_SELECT"


@pytest.mark.parametrize(("text", "environment", "arguments", "select", "origin"), [
    ("", {}, [], ["ALL"], "default"),
    ('select = ["CL3"]', {}, [], ["CL3"], "cachelint.toml:1"),
    ('select = ["CL3"]', {SELECT: "CL4"}, [], ["CL4"], f"environment variable {SELECT}"),
    ("", {SELECT: "CL4,CL5 CL6"}, [], ["CL4", "CL5", "CL6"], f"environment variable {SELECT}"),
    ('select = ["CL3"]', {SELECT: "CL4"}, ["--select", "CL5"], ["CL5"], "command line"),
    ("", {"CACHELINT_FIX_SELECT": "CL4"}, [], ["ALL"], "default"),
])
def test_precedence(
    here: Path, text: str, environment: dict[str, str], arguments: list[str], select: list[str],
    origin: str,
) -> None:
    (here / "cachelint.toml").write_text(text)
    done = run("check", "--show-settings", *arguments, **environment)
    assert done.status == 0
    assert f"select = {json.dumps(select)}  # {origin}\n" in done.out
    # and it is so: the stale page breaks a rule of CL3
    status = int(select in (["ALL"], ["CL3"]))
    assert run("check", *arguments, **environment).status == status


def test_environment_of_other_options(here: Path) -> None:
    out = run("check", "--show-settings", CACHELINT_CHECK_JOBS="3", CACHELINT_CHECK_STRICT="1",
              GITHUB_ACTIONS="true").out
    for words in (["--jobs", "3", "environment variable CACHELINT_CHECK_JOBS"],
                  ["--strict", "yes", "environment variable CACHELINT_CHECK_STRICT"],
                  ["--output-format", "github", "environment variable GITHUB_ACTIONS"],
                  ["--quiet", "no", "default"]):
        [line] = [line for line in out.splitlines() if f" {words[0]} " in line]
        assert line.split(maxsplit=3)[1:] == words
    assert run("check", CACHELINT_CHECK_EXIT_ZERO="1").status == 0
    assert run("check", CACHELINT_CHECK_SELECT="CLX").status == 2
    (here / "other.toml").write_text('ignore = ["CL3"]')
    assert run("check", CACHELINT_CHECK_CONFIG="other.toml").status == 0


def test_show_settings_checks_nothing(here: Path) -> None:
    for command in ("check", "fix"):
        done = run(command, "--show-settings", "gone")
        assert (done.status, done.err) == (0, "")
        assert done.out.startswith("# Configuration file: none\n")
    assert (here / WHERE).read_text() == STALE
    (here / "cachelint.toml").write_text("selct = []")
    assert run("check", "--show-settings").status == 2


# ------------------------------------------------------------------------------- notices


def test_entries_that_do_nothing_are_warnings_on_standard_error(here: Path) -> None:
    (here / "cachelint.toml").write_text(
        'ignore = ["CL507"]\n[per-file-ignores]\n"_cache/v1/**" = ["CL3"]\n')
    warnings = (
        "warning: cachelint.toml:1: in ignore: CL507 is not selected\n"
        'warning: cachelint.toml:3: in per-file-ignores: "_cache/v1/**" hides no finding of CL3\n')
    usual = run("check", "--isolated", "--output-format", "concise")
    assert run("check", "--output-format", "concise") == (usual.status, usual.out, warnings)
    assert run("check", "--jobs", "1", "--output-format", "json").err == warnings
    assert run("check", "--quiet").err == ""
    assert run("check", "--ignore", "CL3") == (0, "All checks passed: 1 page.\n",
                                               f"{warnings.splitlines()[0]}\n")
    assert run("check", WHERE).err == f"{warnings.splitlines()[0]}\n"
    assert run("check", "-", "--stdin-filename", WHERE, stdin=STALE).err == ""


# ------------------------------------------------------------------------------- help


@pytest.mark.parametrize("command", [
    [], ["check"], ["fix"], ["rule"], ["schema"]], ids=" ".join)
def test_help_fits_a_screen_and_has_examples(here: Path, command: list[str]) -> None:
    done = run(*command, "--help", COLUMNS="200")
    lines = done.out.splitlines()
    assert (done.status, done.err) == (0, "")
    assert len(lines) <= 50
    assert max(map(len, lines)) <= 80
    begin = f"  {' '.join(['cachelint', *command])} "
    examples = [line for line in lines if line.startswith(begin)]
    assert len(examples) >= 2
    if command in (["check"], ["fix"]):
        headings = [line for line in lines if line.endswith(":") and not line.startswith(" ")]
        assert headings == ["Rules:", "Pages:", "Output:", "Exit status:", "Configuration:"]
        assert lines[-1].split()[:2] == ["-h,", "--help"]
