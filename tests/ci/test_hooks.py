"""The hooks, run by the real pre-commit and the real prek in a repository of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from cachelint import __version__
from support import repository, valid
from support.program import run_program
from support.repository import PROJECT, git

TAG = valid.TAG
STALE = valid.page(valid.meta(num_specs=3))
CONFIG = """repos:
- repo: {repo}
  rev: {rev}
  hooks:
  - id: {hook}
    verbose: true
"""


class Hooks(NamedTuple):
    """The project as pre-commit sees it: a repository with all that is in the work tree."""

    repo: Path
    rev: str
    environment: dict[str, str]


def clean_environment(home: Path) -> dict[str, str]:
    """Return an environment without the settings of git, pre-commit and prek outside."""
    # warnings as errors are not for the pip that both start
    kept = {name: value for name, value in os.environ.items() if not name.startswith(
        ("GIT_", "PRE_COMMIT", "PREK", "CACHELINT", "GITHUB_", "PYTHONWARNINGS"))}
    # both programs are found where this Python is
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
    return {**kept, "PATH": path, "PRE_COMMIT_HOME": str(home), "PREK_HOME": str(home / "prek"),
            "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


@pytest.fixture(scope="session")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Hooks:
    """Make a repository of the project, uncommitted changes included."""
    repo = tmp_path_factory.mktemp("project")
    environment = clean_environment(tmp_path_factory.mktemp("pre-commit"))
    return Hooks(repo, repository.publish(repo, environment), environment)


class Site(NamedTuple):
    """A repository of a catalog, in which one hook is installed."""

    root: Path
    environment: dict[str, str]

    def write(self, package: str, page: str) -> Path:
        path = self.root / "_cache" / TAG / package / "specs.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page)
        return path

    def commit(self, *paths: str) -> tuple[int, str]:
        """Stage paths, and commit; return git's status and all output."""
        assert git(self.root, "add", *paths, environment=self.environment).returncode == 0
        done = git(self.root, "commit", "-m", "Pages", environment=self.environment)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(params=["pre-commit", "prek"])
def manager(request: pytest.FixtureRequest) -> str:
    """Name the program that runs the hooks."""
    return str(request.param)


def make_site(root: Path, hooks: Hooks, manager: str, config: str) -> Site:
    """Make a repository of an empty catalog in which a configuration of hooks is installed."""
    root.mkdir()
    valid.write_catalog(root, {}, {TAG: ["e4s", "root"]})
    (root / ".pre-commit-config.yaml").write_text(config)
    assert git(root, "init", "-q", environment=hooks.environment).returncode == 0
    done = subprocess.run([manager, "install"], cwd=root, env=hooks.environment,
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return Site(root, hooks.environment)


@pytest.fixture
def site(hooks: Hooks, manager: str, tmp_path: Path, request: pytest.FixtureRequest) -> Site:
    """Make a repository with the hook that the test names."""
    return make_site(tmp_path / "site", hooks, manager, CONFIG.format(
        repo=hooks.repo, rev=hooks.rev, hook=request.param))


def page_of(package: str, text: str = valid.PAGE) -> str:
    return text.replace('"zlib"', f'"{package}"')


@pytest.mark.parametrize("site", ["cachelint", "cachelint-fix"], indirect=True)
def test_valid_commit_passes(site: Site) -> None:
    page = site.write("zlib", valid.PAGE)
    status, said = site.commit(".")
    assert status == 0, said
    assert "Passed" in said
    assert "All checks passed: 1 page." in said
    assert page.read_text() == valid.PAGE


@pytest.mark.parametrize("site", ["cachelint"], indirect=True)
def test_stale_page_is_stopped(site: Site) -> None:
    page = site.write("zlib", STALE)
    status, said = site.commit(".")
    assert status == 1
    assert "CL301 num-specs: num_specs is 3, but spec_details has 2 specs [fixable]" in said
    assert f"--> _cache/{TAG}/zlib/specs.md:5:50" in said
    assert "- exit code: 1" in said
    assert page.read_text() == STALE
    assert git(site.root, "rev-parse", "--verify", "HEAD").returncode != 0  # nothing committed


@pytest.mark.parametrize("site", ["cachelint-fix"], indirect=True)
def test_stale_page_is_stopped_and_fixed(site: Site) -> None:
    page = site.write("zlib", STALE)
    status, said = site.commit(".")
    assert status == 1
    assert "- files were modified by this hook" in said
    assert f"Fixed _cache/{TAG}/zlib/specs.md: CL301\n" in said
    assert "Fixed 1 finding in 1 file.\n" in said
    assert 'Next: stage the fixed files with "git add", and commit again.\n' in said
    assert page.read_text() == valid.PAGE
    status, said = site.commit(".")
    assert status == 0, said
    assert git(site.root, "show", f"HEAD:_cache/{TAG}/zlib/specs.md").stdout == valid.PAGE


@pytest.mark.parametrize("site", ["cachelint-fix"], indirect=True)
def test_page_that_has_no_fix_is_stopped(site: Site) -> None:
    page = site.write("zlib", valid.page(valid.meta(num_specs=3),
                                         valid.specs(1, hash=valid.FIRST)))
    before = page.read_text()
    status, said = site.commit(".")
    assert status == 1
    # the findings, and why they have no fix, are left to the hook that checks
    assert "Found 2 errors in 1 page" in said
    assert "CL402" not in said
    assert page.read_text() == before


@pytest.mark.parametrize("site", ["cachelint", "cachelint-fix"], indirect=True)
def test_only_the_files_that_are_passed_are_looked_at(site: Site) -> None:
    broken = site.write("broken", page_of("broken", STALE))
    stray = site.root / "_cache" / TAG / "zlib" / "README.md"
    page = site.write("zlib", valid.PAGE)
    stray.write_text("---\n---\n")
    (site.root / "_cache" / "v9").mkdir()
    (site.root / "README.md").write_text("# Site\n")
    status, said = site.commit(
        str(page), str(stray), "README.md", "_data", ".pre-commit-config.yaml")
    assert status == 0, said
    assert "All checks passed: 1 page." in said
    assert "broken" not in said
    assert broken.read_text() == page_of("broken", STALE)
    # nor does a commit without a page run anything
    (site.root / "README.md").write_text("# The site\n")
    status, said = site.commit("README.md")
    assert status == 0, said
    assert "(no files to check)Skipped" in said


@pytest.mark.parametrize("site", ["cachelint"], indirect=True)
def test_hundreds_of_files_are_passed_in_one_call(site: Site) -> None:
    # which `require_serial` sees to: else they are shared out among the processors
    for number in range(300):
        package = f"p{number}"
        site.write(package, page_of(package, STALE if number == 299 else valid.PAGE))
    status, said = site.commit(".")
    assert status == 1
    assert said.count("CL301 num-specs") == 1
    assert said.count(' in 300 pages (1 fixable with "cachelint fix")') == 1


@pytest.mark.parametrize("site", ["cachelint"], indirect=True)
def test_configuration_of_the_site_applies(site: Site) -> None:
    site.write("zlib", STALE)
    (site.root / "cachelint.toml").write_text('ignore = ["CL301"]\n')
    status, said = site.commit(".")
    assert status == 0, said
    (site.root / "cachelint.toml").write_text('ignroe = ["CL301"]\n')
    site.write("zlib", STALE + "\n")
    status, said = site.commit(".")
    assert status == 1
    assert 'cachelint.toml:1: unknown setting "ignroe": did you mean "ignore"?' in said
    assert "- exit code: 2" in said


def test_hooks_are_valid_to_pre_commit(hooks: Hooks) -> None:
    done = subprocess.run(
        ["pre-commit", "validate-manifest", str(PROJECT / ".pre-commit-hooks.yaml")],
        env=hooks.environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout


@pytest.mark.parametrize("site", ["cachelint-catalog"], indirect=True)
def test_commit_that_only_removes_a_frozen_page_is_stopped(site: Site) -> None:
    page = site.write("zlib", valid.PAGE)
    status, said = site.commit(".")
    assert status == 0, said
    page.unlink()
    status, said = site.commit(".")
    assert status == 1
    assert f"CL802 frozen-page-removed: page was removed from frozen tag {TAG}" in said


# ------------------------------------------------------------------------------- all three


@pytest.mark.parametrize("folder", [".", "docs/site"])
def test_hooks_that_init_writes(
    hooks: Hooks, manager: str, tmp_path: Path, folder: str
) -> None:
    top = make_site(tmp_path / "site", hooks, manager, "").root
    site = Site(top / folder, hooks.environment)
    page = site.write("zlib", STALE)
    frozen = site.write("gone", page_of("gone").replace(valid.FIRST, valid.FIRST[::-1])
                        .replace(valid.SECOND, valid.SECOND[::-1]))
    config = top / ".pre-commit-config.yaml"
    config.unlink()
    assert run_program("init", folder=site.root).returncode == 0
    text = config.read_text()
    for published, here in ((repository.ADDRESS, str(hooks.repo)),
                            (f"v{__version__}", hooks.rev)):
        assert published in text
        text = text.replace(published, here)
    config.write_text(text)

    status, said = site.commit(":/")
    assert status == 1, said
    assert f"Fixed {page.relative_to(top)}: CL301\n" in said
    status, said = site.commit(":/")
    assert status == 0, said
    assert said.count("Passed") == 3
    assert page.read_text() == valid.PAGE
    frozen.unlink()
    status, said = site.commit(":/")
    assert status == 1, said
    assert "CL802 frozen-page-removed" in said


def test_report_of_many_pages(hooks: Hooks, manager: str, tmp_path: Path) -> None:
    site = make_site(tmp_path / "site", hooks, manager, f"""repos:
- repo: {hooks.repo}
  rev: {hooks.rev}
  hooks:
  - id: cachelint
    args: ["--exit-zero", "--output-file=json:pages.json"]
  - id: cachelint-catalog
    args: ["--exit-zero", "--output-file=json:catalog.json"]
""")
    number = 900
    for each in range(number):  # names so long that one command line does not take them all
        package = f"p{each:03}-{'x' * 200}"
        site.write(package, page_of(package))
    status, said = site.commit(".")
    assert status == 0, said
    reports = {name: json.loads((site.root / f"{name}.json").read_text())
               for name in ("pages", "catalog")}
    # docs/ci.md names the hook that is called once, and whose report has all pages
    assert reports["catalog"]["summary"]["pages"] == number
    if manager == "pre-commit":  # prek passes more files in a call
        assert reports["pages"]["summary"]["pages"] < number
