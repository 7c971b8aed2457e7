"""`--baseline` and `--write-baseline`: adopt on an old catalog today."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cachelint import CachelintError, FileIgnore, Settings, check
from cachelint.runner.run import write_baseline

EXAMPLE = Path(__file__).parents[2] / "examples/catalog"
PAGE = "_cache/develop-2025-03-30/py-pyproject-metadata/specs.md"
BAD_HASH = "3wzqshpikzygq25zfyt7bvpk6kiex5y1"


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalog with three findings on one page: CL301, CL401 and CL404."""
    root = tmp_path / "catalog"
    shutil.copytree(EXAMPLE, root)
    page = root / PAGE
    text = page.read_text(encoding="utf-8")
    text = text.replace('"num_specs": 31', '"num_specs": 30')
    text = text.replace("3wzqshpikzygq25zfyt7bvpk6kiex5yi", BAD_HASH)
    last = text.rindex('"build_system=python_pip"')
    page.write_text(text[:last] + '"=python_pip"' + text[last + 25 :], encoding="utf-8")
    monkeypatch.chdir(root)
    assert codes() == ["CL301", "CL401", "CL404"]
    return root


def codes(baseline: str | None = None, paths: tuple[str, ...] = (".",)) -> list[str]:
    return [finding.code for finding in check(paths, baseline=baseline).findings]


def test_what_is_written(catalog: Path) -> None:
    report = write_baseline("known.json")
    assert (report.findings, report.suppressed, report.pages) == ((), 3, 23)
    assert (catalog / "known.json").read_text(encoding="utf-8") == f"""\
{{"version": 1,
 "findings": [
  {{"path": "{PAGE}", "rule": "CL301", "pointer": "/meta/num_specs", "count": 1}},
  {{"path": "{PAGE}", "rule": "CL401", "pointer": "/spec_details/1/hash", "count": 1}},
  {{"path": "{PAGE}", "rule": "CL404", "hash": "{_last_hash(catalog)}", \
"pointer": "/variants/0", "count": 1}}]}}
"""


def _last_hash(root: Path) -> str:
    lines = (root / PAGE).read_text(encoding="utf-8").split("\n")
    return str(json.loads(lines[5].removeprefix("spec_details: "))[-1]["hash"])


def test_known_findings_are_left_out(catalog: Path) -> None:
    write_baseline("known.json")
    report = check(baseline="known.json")
    assert (report.findings, report.suppressed, report.stale) == ((), 3, ())
    (catalog / "pages/tags/develop.md").unlink()
    assert codes("known.json") == ["CL605"]


def test_it_survives_reordering(catalog: Path) -> None:
    write_baseline("known.json")
    lines = (catalog / PAGE).read_text(encoding="utf-8").split("\n")
    specs = json.loads(lines[5].removeprefix("spec_details: "))
    specs.insert(2, specs.pop())
    lines[5] = "spec_details: " + json.dumps(specs)
    (catalog / PAGE).write_text("\n".join(lines), encoding="utf-8")
    # the invalid variant is another item now, and known all the same
    assert codes("known.json") == ["CL503"]


def test_it_does_not_depend_on_the_working_directory(
    catalog: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_baseline("known.json")
    monkeypatch.chdir(catalog.parent)
    assert codes(str(catalog / "known.json"), ("catalog",)) == []


def test_counts(catalog: Path) -> None:
    entry = {"path": PAGE, "rule": "CL301", "pointer": "/meta/num_specs", "count": 2}
    Path("known.json").write_text(json.dumps({"version": 1, "findings": [entry]}))
    report = check(baseline="known.json")
    assert [finding.code for finding in report.findings] == ["CL401", "CL404"]
    assert (report.suppressed, len(report.stale)) == (1, 1)


def test_stale_entries(catalog: Path) -> None:
    write_baseline("known.json")
    shutil.copy(EXAMPLE / PAGE, catalog / PAGE)
    assert [key.rule for key in check(baseline="known.json").stale] == ["CL301", "CL401", "CL404"]
    # for files that are not checked nothing is reported or pruned
    assert check(["_cache/develop"], baseline="known.json").stale == ()
    write_baseline("known.json", ["_cache/develop"])
    assert len(json.loads(Path("known.json").read_text())["findings"]) == 3
    write_baseline("known.json")
    assert Path("known.json").read_text() == '{"version": 1,\n "findings": []}\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "known.json: the baseline is damaged: it is not JSON"),
        ("[" * 100_000, "known.json: the baseline is damaged: it is not JSON"),
        ("[]", "known.json: the baseline is damaged: the file is a list, not a mapping"),
        ('{"version": 2, "findings": []}',
         "known.json: a baseline of version 2; this program reads version 1"),
        ('{"version": true, "findings": []}',
         "known.json: the baseline is damaged: version is true"),
        ('{"version": 1}',
         'known.json: the baseline is damaged: the file lacks the key "findings"'),
        ('{"version": 1, "findings": [{"path": "a", "rule": "CL301", "pointer": "", "count": 0}]}',
         "known.json: the baseline is damaged: count of item 0 of findings is 0, below 1"),
        (None, "known.json: the baseline cannot be read: the file is gone"),
    ],
    ids=["empty", "deep", "list", "other version", "true", "no findings", "count", "missing"],
)
def test_bad_baseline(catalog: Path, text: str | None, message: str) -> None:
    if text is not None:
        (catalog / "known.json").write_text(text)
    with pytest.raises(CachelintError) as error:
        check(baseline="known.json")
    assert str(error.value).startswith(message)


def test_command_line(catalog: Path) -> None:
    command = [sys.executable, "-m", "cachelint", "check", "--output-format", "concise"]

    def run(*options: str) -> tuple[int, str, str]:
        done = subprocess.run([*command, *options], capture_output=True, encoding="utf-8",
                              check=False)
        return done.returncode, done.stdout, done.stderr

    assert run("--write-baseline", "known.json") == (
        0, "All checks passed: 23 pages; 3 findings suppressed by the baseline.\n",
        "known.json: wrote 3 findings\n")
    assert run("--baseline", "known.json") == (
        0, "All checks passed: 23 pages; 3 findings suppressed by the baseline.\n", "")
    shutil.copy(EXAMPLE / PAGE, catalog / PAGE)
    assert run("--baseline", "known.json") == (
        0, "All checks passed: 23 pages.\n",
        f"known.json: 3 entries of the baseline no longer found, such as CL301 in {PAGE}; "
        "--write-baseline removes them\n")


def test_what_was_not_sought_is_neither_stale_nor_pruned(catalog: Path) -> None:
    write_baseline("known.json")
    known = Path("known.json").read_text(encoding="utf-8")
    alone = Settings(selected=frozenset({"CL301"}))
    ignoring = Settings(per_file_ignores=(FileIgnore("**", "CL301"), FileIgnore("**", "CL4")))
    excluding = Settings(exclude=("_cache/**",))
    for settings in (alone, ignoring, excluding):
        assert check(settings=settings, baseline="known.json").stale == ()
        write_baseline("known.json", settings=settings)
        assert Path("known.json").read_text(encoding="utf-8") == known
    assert check(baseline="known.json").findings == ()


def test_what_changes_are_known_for_is_kept(catalog: Path) -> None:
    write_baseline("known.json")
    data = json.loads(Path("known.json").read_text(encoding="utf-8"))
    data["findings"].append({"path": "_cache/v1/zlib/specs.md", "rule": "CL802", "pointer": "",
                             "count": 1})
    Path("known.json").write_text(json.dumps(data), encoding="utf-8")
    assert check(baseline="known.json").stale == ()
    write_baseline("known.json")
    assert "CL802" in Path("known.json").read_text(encoding="utf-8")
