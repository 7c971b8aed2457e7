"""`--baseline` and `--write-baseline`: adopt on an old catalog today."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cachelint import CachelintError, FileIgnore, Finding, Settings, Severity, check
from cachelint.runner import baseline
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
  {{"catalog": ".", "path": "{PAGE}", "rule": "CL301", "pointer": "/meta/num_specs", "count": 1}},
  {{"catalog": ".", "path": "{PAGE}", "rule": "CL401", "pointer": "/spec_details/1/hash", \
"count": 1}},
  {{"catalog": ".", "path": "{PAGE}", "rule": "CL404", "hash": "{_last_hash(catalog)}", \
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
        ("", "known.json: invalid baseline: not JSON"),
        ("[" * 100_000, "known.json: invalid baseline: not JSON"),
        ("[]", "known.json: invalid baseline: wrong type of the file: "
         "expected a mapping, found a list"),
        ('{"version": 2, "findings": []}',
         "known.json: unknown version of the baseline: expected 1, found 2"),
        ('{"version": true, "findings": []}',
         "known.json: invalid baseline: wrong type of version: expected 1, found true"),
        ('{"version": 1}',
         'known.json: invalid baseline: missing key "findings" in the file'),
        ('{"version": 1, "findings": [{"path": "a", "rule": "CL301", "pointer": "", "count": 0}]}',
         "known.json: invalid baseline: invalid count of item 1 of findings: "
         "expected at least 1, found 0"),
        (None, "known.json: cannot read the baseline: the file is gone"),
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


@pytest.fixture
def catalogs(catalog: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two catalogs, ``a`` and ``b``, that have the same three findings."""
    top = catalog.parent
    for name in ("a", "b"):
        shutil.copytree(catalog, top / name)
    shutil.rmtree(catalog)
    monkeypatch.chdir(top)
    return top


def paths_left(*paths: str) -> list[str]:
    return [finding.path for finding in check(paths, baseline="known.json").findings]


def test_one_baseline_over_several_catalogs(catalogs: Path) -> None:
    write_baseline("known.json", ["a"])
    assert paths_left("a") == []
    assert paths_left("b") == paths_left(".") == [f"b/{PAGE}"] * 3
    write_baseline("known.json", ["b"])
    entries = json.loads(Path("known.json").read_text())["findings"]
    assert [entry["catalog"] for entry in entries] == ["a"] * 3 + ["b"] * 3
    assert paths_left("a") == paths_left("b") == paths_left(".") == []
    # what is fixed in one is not known of the other
    shutil.copy(EXAMPLE / PAGE, catalogs / "a" / PAGE)
    report = check(["."], baseline="known.json")
    assert (report.findings, report.suppressed) == ((), 3)
    assert {key.catalog for key in report.stale} == {"a"}
    assert check(["b"], baseline="known.json").stale == ()
    write_baseline("known.json", ["a"])
    assert len(json.loads(Path("known.json").read_text())["findings"]) == 3


def test_older_baseline_is_about_any_catalog(catalogs: Path) -> None:
    write_baseline("known.json", ["a"])
    text = Path("known.json").read_text().replace('"catalog": "a", ', "")
    Path("known.json").write_text(text)
    assert paths_left("a") == paths_left("b") == []
    assert paths_left(".") == [f"b/{PAGE}"] * 3
    shutil.copy(EXAMPLE / PAGE, catalogs / "a" / PAGE)
    assert len(check(["a"], baseline="known.json").stale) == 3


def test_catalog_through_a_link_is_the_same(catalogs: Path) -> None:
    write_baseline("known.json", ["a"])
    (catalogs / "link").symlink_to("a")
    assert paths_left("link") == []


def test_bom_is_accepted(catalog: Path) -> None:
    write_baseline("known.json")
    raw = Path("known.json").read_bytes()
    Path("known.json").write_bytes(b"\xef\xbb\xbf" + raw)
    assert codes("known.json") == []


@pytest.mark.parametrize("what", ["sparse", "pipe", "device"])
def test_what_cannot_be_a_baseline_is_not_read(catalog: Path, what: str) -> None:
    path = "/dev/zero" if what == "device" else "known.json"
    if what == "sparse":
        with Path(path).open("wb") as file:
            file.truncate(3 << 30)
    elif what == "pipe":
        os.mkfifo(path)
    with pytest.raises(CachelintError, match=f"^{path}: cannot read the baseline: ") as raised:
        check(baseline=path)
    assert ("larger than 33,554,432 bytes" in str(raised.value)) == (what == "sparse")


def test_what_cannot_be_hidden_is_not_in_a_baseline(catalog: Path) -> None:
    finding = Finding("cachelint.toml", 1, 1, 1, 1, "CL805", "gate-changed", Severity.WARNING,
                      "x", "", False)
    baseline.write("known.json", [finding], {})
    assert baseline.read("known.json") == {}
    known = {baseline.make_key_of("known.json")(finding): 1}
    applied = baseline.apply([finding], known, "known.json", lambda *_: False)
    assert (applied.findings, applied.suppressed) == ([finding], 0)


def test_baseline_of_many_values_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "known.json"
    path.write_text('{"version": 1, "findings": [' + "[]," * baseline.MOST_VALUES + "[]]}")
    with pytest.raises(CachelintError, match="it has more than 1,200,000 values"):
        baseline.read(str(path))
