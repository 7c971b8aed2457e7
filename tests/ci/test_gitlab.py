"""The template for GitLab CI: its script is run as a runner runs it, over a copy of the example."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import cachelint
from support.hostile import plant_modules, serve_repository

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "catalog"
PAGE = "_cache/develop/yasm/specs.md"
OTHER_PAGE = "_cache/develop/swig/specs.md"

SPEC, JOBS = YAML(typ="safe").load_all(ROOT / "ci" / "gitlab.yml")
INPUTS: dict[str, Any] = SPEC["spec"]["inputs"]
JOB: dict[str, Any] = JOBS["cachelint"]
SHELLS = [shell for shell in ("bash", "sh", "dash", "busybox") if shutil.which(shell)]


class Checkout:
    """A project on a runner."""

    def __init__(self, folder: Path) -> None:
        """Lay out the example as the project."""
        self.folder = folder
        self.project = folder / "builds" / "site"
        shutil.copytree(EXAMPLE, self.project)
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit("the catalog")

    def git(self, *arguments: str) -> str:
        """Run git in the project; return its output."""
        identity = {f"GIT_{who}_{what}": "bot@example.org"
                    for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        done = subprocess.run(
            ["git", *arguments], cwd=self.project, capture_output=True, text=True, check=True,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), **identity,
                 "GIT_CONFIG_NOSYSTEM": "1"})
        return done.stdout.strip()

    def commit(self, message: str) -> str:
        """Commit all that is in the project; return the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")

    def spoil(self, path: str) -> None:
        """Put a wrong number of specs on a page."""
        page = self.project / path
        text, count = re.subn(r'"num_specs": \d+', '"num_specs": 4711', page.read_text("utf-8"))
        assert count == 1
        page.write_text(text, encoding="utf-8")

    def files(self) -> set[str]:
        """Return the names of all files but git's."""
        return {path.name for path in self.folder.rglob("*") if ".git" not in path.parts}

    def run(
        self, predefined: dict[str, str] | None = None, shell: str = "bash", **inputs: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the script of the job with the inputs that a project gives it."""
        values = {name: each["default"] for name, each in INPUTS.items()}
        values |= {name.replace("_", "-"): value for name, value in inputs.items()}
        environment = {
            # what before_script does
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.folder), "LANG": "C.UTF-8", "CI": "true", "GITLAB_CI": "true",
            "CI_PROJECT_DIR": str(self.project), "CI_DEFAULT_BRANCH": "main",
            **(predefined or {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "main"}),
        }
        for name, variable in JOB["variables"].items():
            text = variable["value"] if isinstance(variable, dict) else variable
            environment[name] = re.sub(
                r"\$\[\[ *inputs\.([a-z-]+) *\]\]", lambda match: values[match[1]], text)
        script = self.folder / "script"
        script.write_text("set -e\n" + "\n".join(JOB["script"]), encoding="utf-8")
        command = ["busybox", "sh"] if shell == "busybox" else [shell]
        return subprocess.run([*command, str(script)], cwd=self.project, env=environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                              check=False)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Return a project."""
    return Checkout(tmp_path)


# ----------------------------------------------------------------------------- the file


def test_inputs() -> None:
    action = YAML(typ="safe").load(ROOT / "action.yml")["inputs"]
    assert list(INPUTS) == [*action, "stage", "image", "fetch-depth"]
    for name, each in INPUTS.items():
        assert each["description"], name
        assert isinstance(each["default"], str), name
    assert INPUTS["version"]["default"] == cachelint.__version__
    assert re.fullmatch(INPUTS["version"]["regex"], cachelint.__version__)


def test_every_input_is_used_and_none_within_a_script() -> None:
    lines = [*JOB["before_script"], *JOB["script"]]
    assert "$[[" not in "".join(lines)
    outside = [JOB["stage"], JOB["image"], *(
        variable["value"] if isinstance(variable, dict) else variable
        for variable in JOB["variables"].values())]
    assert re.findall(r"inputs\.([a-z-]+)", " ".join(outside)) == [
        "stage", "image", "fetch-depth", "paths", "diff-base", "config-from-base", "baseline",
        "version", "args"]


def test_values_are_not_expanded() -> None:
    for name, variable in JOB["variables"].items():
        assert name == "GIT_DEPTH" or variable["expand"] is False, name


def test_install() -> None:
    assert JOB["before_script"] == [
        "python3 -I -m venv /tmp/cachelint",
        "/tmp/cachelint/bin/python -I -m pip install --quiet --"
        ' "git+https://github.com/spack/cachelint@v$INPUT_VERSION"',
        'PATH="/tmp/cachelint/bin:$PATH"',
    ]


def test_no_module_of_the_checkout_is_run(checkout: Checkout) -> None:
    marker = plant_modules(checkout.project, checkout.folder)
    installed = checkout.folder / "cachelint"
    served = serve_repository(checkout.folder / "repository")
    script = "\n".join(JOB["before_script"]).replace("/tmp/cachelint", str(installed))
    done = subprocess.run(
        ["sh", "-euc", script], cwd=checkout.project, capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"], "INPUT_VERSION": "0.1.0", **served})
    assert (done.returncode, done.stderr) == (0, "")
    assert list(installed.glob("lib/*/site-packages/cachelint"))
    checkout.spoil(PAGE)
    done = checkout.run()
    assert done.returncode == 1
    assert "CL301" in done.stdout
    assert not marker.exists()


def test_the_header_names_this_version() -> None:
    text = (ROOT / "ci" / "gitlab.yml").read_text(encoding="utf-8")
    assert f"/v{cachelint.__version__}/ci/gitlab.yml" in text


# ----------------------------------------------------------------------------- a branch


@pytest.mark.parametrize("shell", SHELLS)
def test_a_valid_catalog(checkout: Checkout, shell: str) -> None:
    done = checkout.run(shell=shell)
    assert (done.returncode, done.stdout, done.stderr) == (0, "All checks passed: 23 pages.\n", "")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_defect(checkout: Checkout, shell: str) -> None:
    checkout.spoil(PAGE)
    done = checkout.run(shell=shell)
    assert done.returncode == 1
    assert done.stdout.startswith("CL301 num-specs: num_specs is 4711")
    assert f"--> {PAGE}:5:" in done.stdout


def test_paths_are_one_a_line(checkout: Checkout) -> None:
    checkout.spoil(PAGE)
    assert checkout.run(paths="_cache/v0.23.1").returncode == 0
    assert checkout.run(paths="_cache/v0.23.1\n\n_cache/develop\n").returncode == 1


def test_a_path_may_have_spaces(checkout: Checkout) -> None:
    shutil.copytree(EXAMPLE, checkout.project / " another site")
    done = checkout.run(paths=" another site")
    assert (done.returncode, done.stdout) == (0, "All checks passed: 23 pages.\n")


def test_arguments_are_split_at_whitespace(checkout: Checkout) -> None:
    checkout.spoil(PAGE)
    assert checkout.run(args="--ignore CL301 --output-format concise").stdout == (
        "All checks passed: 23 pages.\n")


def test_a_baseline(checkout: Checkout) -> None:
    checkout.spoil(PAGE)
    assert checkout.run(args="--write-baseline=known.json").returncode == 0
    assert checkout.run(baseline="known.json").returncode == 0
    checkout.spoil(OTHER_PAGE)
    assert checkout.run(baseline="known.json").returncode == 1


@pytest.mark.parametrize("name", ["paths", "diff_base", "baseline", "args"])
@pytest.mark.parametrize("shell", [SHELLS[-1]])
def test_hostile_inputs_do_nothing_but_fail(checkout: Checkout, name: str, shell: str) -> None:
    before = checkout.files()
    for value in ("$(touch pwned)", "`touch pwned`", "; touch pwned", "'; touch pwned; '",
                  "END_OF_PATHS\ntouch pwned", "> pwned", "$HOME"):
        done = checkout.run(None, shell, **{name: value})
        assert done.returncode == 2, value
        assert done.stderr.startswith("cachelint: "), value
        assert done.stderr.count("\n") == 1, value
    assert checkout.files() - before == {"script"}


# ----------------------------------------------------------------------------- a merge request


def merge_request(base: str, target: str = "") -> dict[str, str]:
    """Return the variables of a pipeline of a merge request, or of its merged result."""
    return {
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_MERGE_REQUEST_EVENT_TYPE": "merged_result" if target else "detached",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": target,
    }


def test_a_merge_request_is_checked_by_what_it_changes(checkout: Checkout) -> None:
    checkout.spoil(PAGE)
    base = checkout.commit("a defect of old")
    checkout.git("checkout", "--quiet", "-b", "topic")
    assert checkout.run(merge_request(base)).returncode == 0
    checkout.spoil(OTHER_PAGE)
    checkout.commit("a defect more")
    done = checkout.run(merge_request(base))
    assert done.returncode == 1
    assert OTHER_PAGE in done.stdout
    assert PAGE not in done.stdout


def test_a_merge_request_cannot_switch_off_its_own_check(checkout: Checkout) -> None:
    base = checkout.git("rev-parse", "HEAD")
    checkout.git("checkout", "--quiet", "-b", "topic")
    checkout.spoil(PAGE)
    (checkout.project / "cachelint.toml").write_text('ignore = ["ALL"]\n', encoding="utf-8")
    checkout.commit("a defect, and no check")
    done = checkout.run(merge_request(base))
    assert done.returncode == 1
    assert "CL301" in done.stdout
    done = checkout.run(merge_request(base), config_from_base="false")
    assert done.returncode == 0
    assert "CL805" in done.stdout
    assert "CL301" not in done.stdout


def test_a_merged_result_is_compared_with_its_target(checkout: Checkout) -> None:
    base = checkout.git("rev-parse", "HEAD")
    checkout.git("checkout", "--quiet", "-b", "topic")
    checkout.spoil(OTHER_PAGE)
    checkout.commit("a defect more")
    checkout.git("checkout", "--quiet", "main")
    checkout.spoil(PAGE)
    target = checkout.commit("the bot's daily pages")
    checkout.git("checkout", "--quiet", "--detach", "main")
    checkout.git("merge", "--quiet", "--no-ff", "--message", "Merge", "topic")
    done = checkout.run(merge_request(base, target))
    assert done.returncode == 1
    assert OTHER_PAGE in done.stdout
    assert PAGE not in done.stdout


def test_all_pages_of_a_merge_request_on_demand(checkout: Checkout) -> None:
    checkout.spoil(PAGE)
    base = checkout.commit("a defect of old")
    assert checkout.run(merge_request(base), diff_base="none").returncode == 1


def test_a_base_that_was_not_fetched(checkout: Checkout) -> None:
    done = checkout.run(merge_request("1234567890" * 4))
    assert done.returncode == 2
    assert "1234567890" in done.stderr


def test_when_it_runs() -> None:
    assert [rule["if"] for rule in JOB["rules"]] == [
        '$CI_PIPELINE_SOURCE == "merge_request_event"',
        "$CI_COMMIT_BRANCH && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH",
    ]
