"""The GitHub Action: its shell steps are run as a runner runs them, over a copy of the example."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ruamel.yaml import YAML

from support.hostile import plant_modules, serve_repository

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "catalog"
PAGE = "_cache/develop/yasm/specs.md"
OTHER_PAGE = "_cache/develop/swig/specs.md"
FROZEN_PAGE = "_cache/v0.23.1/{}/specs.md"

REPOSITORY = "git+https://github.com/spack/cachelint"
INPUTS = ["paths", "diff-base", "config-from-base", "baseline", "version", "args"]

ACTION: dict[str, Any] = YAML(typ="safe").load(ROOT / "action.yml")
SETUP, INSTALL, CHECK = ACTION["runs"]["steps"]


class Result(NamedTuple):
    """What a step left behind."""

    status: int
    stdout: str
    stderr: str
    summary: str

    @property
    def annotations(self) -> list[str]:
        """The lines that are workflow commands."""
        return [line for line in self.stdout.splitlines() if line.lstrip().startswith("::")]


class Job:
    """A job on a runner: its folders, its event, and what a step of the action sees of them."""

    def __init__(self, folder: Path) -> None:
        """Lay out the folders, with the example as the checkout."""
        self.folder = folder
        self.workspace = folder / "work" / "site" / "site"
        shutil.copytree(EXAMPLE, self.workspace)
        self.event = folder / "work" / "_temp" / "_github_workflow" / "event.json"
        self.event.parent.mkdir(parents=True)
        self.summary = folder / "work" / "_temp" / "summary"
        self.name = "push"
        self.inherited: tuple[str, ...] = ()
        self.set_event({"ref": "refs/heads/main"})
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit("the catalog")

    def git(self, *arguments: str, folder: Path | None = None) -> str:
        """Run git in the checkout; return its output."""
        identity = {f"GIT_{who}_{what}": "bot@example.org"
                    for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        done = subprocess.run(
            ["git", *arguments], cwd=folder or self.workspace, capture_output=True, text=True,
            check=True, env={"PATH": os.environ["PATH"], "HOME": str(self.folder), **identity,
                             "GIT_CONFIG_NOSYSTEM": "1"})
        return done.stdout.strip()

    def commit(self, message: str) -> str:
        """Commit all that is in the checkout; return the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")

    def files(self) -> set[str]:
        """Return the names of all files but git's."""
        return {path.name for path in self.folder.rglob("*") if ".git" not in path.parts}

    def set_event(self, event: dict[str, Any]) -> None:
        """Write the event file."""
        self.event.write_text(json.dumps(event), encoding="utf-8")

    def spoil(self, path: str) -> None:
        """Put a wrong number of specs on a page."""
        page = self.workspace / path
        text, count = re.subn(r'"num_specs": \d+', '"num_specs": 4711', page.read_text("utf-8"))
        assert count == 1
        page.write_text(text, encoding="utf-8")

    def environment(self, runner_temp: Path) -> dict[str, str]:
        """Return the variables that a runner sets and that matter here."""
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin" + f":{Path(shutil.which('git') or '/').parent}",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION": "__spack_cachelint",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_EVENT_NAME": self.name,
            "GITHUB_EVENT_PATH": str(self.event),
            "GITHUB_OUTPUT": str(runner_temp / "output"),
            "GITHUB_REF": "refs/pull/7/merge" if self.name == "pull_request" else "refs/heads/main",
            "GITHUB_REPOSITORY": "spack/site",
            "GITHUB_SHA": self.git("rev-parse", "HEAD"),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_OS": "Linux",
            "RUNNER_TEMP": str(runner_temp),
            **{name: os.environ[name] for name in self.inherited},
        }

    def run(self, step: dict[str, Any], python: str = sys.executable, **inputs: str) -> Result:
        """Run a step with the inputs that a workflow gives it, the others by default."""
        runner_temp = self.folder / "work" / "_temp"
        environment = self.environment(runner_temp)
        values = {name: str(each["default"]) for name, each in ACTION["inputs"].items()}
        values |= {name.replace("_", "-"): value for name, value in inputs.items()}
        known = {f"inputs.{name}": value for name, value in values.items()}
        known["steps.python.outputs.python-path"] = python
        for name, text in step["env"].items():
            environment[name] = re.sub(r"\$\{\{ *(.*?) *\}\}",
                                       lambda match: known[match[1]], text)
        script = runner_temp / "step.sh"
        script.write_text(step["run"], encoding="utf-8")
        self.summary.write_bytes(b"")
        # what `shell: bash` stands for
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
            cwd=self.workspace, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=60, check=False)
        return Result(done.returncode, done.stdout, done.stderr,
                      self.summary.read_text(encoding="utf-8"))

    def check(self, **inputs: str) -> Result:
        """Run the step that checks."""
        return self.run(CHECK, **inputs)

    def pull_request(self, *paths: str) -> tuple[str, str]:
        """Check out a pull request that spoils pages; return the event's base and the merge."""
        base = self.git("rev-parse", "HEAD")
        self.git("checkout", "--quiet", "-b", "topic")
        for path in paths:
            self.spoil(path)
        head = self.commit("spoil pages")
        self.git("checkout", "--quiet", "--detach", "main")
        self.git("merge", "--quiet", "--no-ff", "--message", "Merge topic into main", "topic")
        self.name = "pull_request"
        self.set_event({
            "action": "synchronize", "number": 7,
            "pull_request": {
                "number": 7, "state": "open", "title": "$(touch title)",
                "head": {"ref": "topic", "sha": head}, "base": {"ref": "main", "sha": base},
            },
        })
        return base, self.git("rev-parse", "HEAD")


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """Return a job in which the install step is done: its environment is the tests' own."""
    job = Job(tmp_path)
    installed = tmp_path / "work" / "_temp" / "cachelint"
    installed.mkdir()
    (installed / "bin").symlink_to(Path(sys.executable).parent)
    assert (installed / "bin" / "cachelint").exists()
    return job


# ----------------------------------------------------------------------------- the file


def test_metadata() -> None:
    assert list(ACTION["inputs"]) == INPUTS
    assert all(each["description"] and not each["required"] for each in ACTION["inputs"].values())
    assert ACTION["runs"]["using"] == "composite"
    assert [step.get("shell") for step in ACTION["runs"]["steps"]] == [None, "bash", "bash"]


def test_no_text_from_outside_is_part_of_a_script() -> None:
    for step in (INSTALL, CHECK):
        assert "${{" not in step["run"]
        assert "eval" not in step["run"]


def test_other_actions_are_pinned_to_a_commit() -> None:
    assert re.fullmatch(r"actions/setup-python@[0-9a-f]{40}", SETUP["uses"])
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    assert re.search(rf"uses: {SETUP['uses']} # v\d+\.\d+\.\d+\n", text)


def test_every_input_is_used() -> None:
    used = " ".join([*INSTALL["env"].values(), *CHECK["env"].values()])
    assert set(re.findall(r"inputs\.([a-z-]+)", used)) == set(INPUTS)


# ----------------------------------------------------------------------------- install


def stub(job: Job) -> str:
    """Make a Python that makes a venv of itself, and writes down how it is called."""
    path = job.folder / "python"
    path.write_text(
        "#!/bin/bash\n"
        'printf "%s\\0" "$@" >> "$RUNNER_TEMP/calls"; printf "\\n" >> "$RUNNER_TEMP/calls"\n'
        'if [ "$3" = venv ]; then mkdir -p "$4/bin"; cp "$0" "$4/bin/python"; fi\n',
        encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def calls(job: Job) -> list[list[str]]:
    """Return how the stub was called."""
    path = job.folder / "work" / "_temp" / "calls"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [line.split("\0")[:-1] for line in lines]


@pytest.mark.parametrize(("version", "what"), [
    ("", str(ROOT)), ("0.1.0", f"{REPOSITORY}@v0.1.0"), ("1.0rc1", f"{REPOSITORY}@v1.0rc1"),
])
def test_install(tmp_path: Path, version: str, what: str) -> None:
    job = Job(tmp_path)
    done = job.run(INSTALL, stub(job), version=version)
    assert (done.status, done.stdout, done.stderr) == (0, "", "")
    assert calls(job) == [
        ["-I", "-m", "venv", f"{tmp_path}/work/_temp/cachelint"],
        ["-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--", what],
    ]


@pytest.mark.parametrize("version", [
    "$(touch pwned)", "`touch pwned`", "1; touch pwned", "1 --index-url https://example.org",
    "1\n--pre", "-r", "1@https://example.org/x.whl", "*",
])
def test_install_takes_only_versions(tmp_path: Path, version: str) -> None:
    job = Job(tmp_path)
    done = job.run(INSTALL, stub(job), version=version)
    assert done.status == 2
    assert done.annotations == [
        "::error title=cachelint::invalid version: expected one such as 0.1.0"]
    assert calls(job) == []
    assert not list(tmp_path.rglob("pwned"))


# ----------------------------------------------------------------------------- a hostile checkout


def test_no_module_of_the_checkout_is_run(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    marker = plant_modules(job.workspace, job.folder)
    job.commit("modules that shadow others")
    served = serve_repository(job.folder / "repository")
    job.inherited = tuple(served)
    for name, value in served.items():
        monkeypatch.setenv(name, value)
    job.pull_request(PAGE)
    done = job.check()
    assert (done.status, len(done.annotations)) == (1, 1)
    (job.folder / "work/_temp/cachelint/bin").unlink()
    assert job.run(INSTALL, version="0.1.0") == Result(0, "", "", "")
    assert (job.folder / "work/_temp/cachelint/bin/python").exists()
    assert not marker.exists()


# ----------------------------------------------------------------------------- a push


def test_a_valid_catalog(job: Job) -> None:
    done = job.check()
    assert (done.status, done.stderr, done.annotations) == (0, "", [])
    assert done.stdout == "All checks passed: 23 pages.\n"
    assert done.summary == "### ✅ cachelint: All checks passed: 23 pages.\n\n"


def test_a_defect(job: Job) -> None:
    job.spoil(PAGE)
    done = job.check()
    assert done.status == 1
    (annotation,) = done.annotations
    assert annotation.startswith(f"::error title=CL301 num-specs,file={PAGE},line=5,endLine=5,")
    assert "num_specs is 4711" in annotation
    assert done.stdout.endswith("Found 1 error in 23 pages (1 fixable with \"cachelint fix\").\n")
    assert done.summary.startswith("### ❌ cachelint: Found 1 error in 23 pages ")
    assert re.search(r"\| 1 \| \[`CL301`\]\(https:\S+\) \| `num-specs` \| error \| 1 \|",
                     done.summary)
    assert f"\ncachelint fix {PAGE} " in done.summary


def test_paths_are_one_a_line(job: Job) -> None:
    job.spoil(PAGE)
    assert job.check(paths="_cache/v0.23.1").status == 0
    assert job.check(paths="_cache/v0.23.1\n\n_cache/develop\n").status == 1


def test_a_path_may_have_spaces(job: Job) -> None:
    shutil.copytree(EXAMPLE, job.workspace / "another site")
    done = job.check(paths="another site")
    assert (done.status, done.stdout) == (0, "All checks passed: 23 pages.\n")


def test_arguments_are_split_at_whitespace(job: Job) -> None:
    job.spoil(PAGE)
    done = job.check(args="--ignore CL301\n  --strict")
    assert (done.status, done.annotations) == (0, [])


def test_a_baseline(job: Job) -> None:
    job.spoil(PAGE)
    assert job.check(args="--write-baseline=.cachelint-baseline.json").status == 0
    done = job.check(baseline=".cachelint-baseline.json")
    assert (done.status, done.annotations) == (0, [])
    job.spoil(OTHER_PAGE)
    done = job.check(baseline=".cachelint-baseline.json")
    assert done.status == 1
    assert [OTHER_PAGE in line for line in done.annotations] == [True]


def test_a_revision_to_compare_with(job: Job) -> None:
    job.spoil(PAGE)
    base = job.commit("a defect of old")
    job.spoil(OTHER_PAGE)
    done = job.check(diff_base=base)
    assert done.status == 1
    assert [OTHER_PAGE in line for line in done.annotations] == [True]


HOSTILE = ["$(touch pwned)", "`touch pwned`", "; touch pwned", "x\n;touch pwned",
           "'; touch pwned; '", '"; touch pwned; "', "> pwned", "--output-format", "$HOME"]


@pytest.mark.parametrize("name", ["paths", "diff_base", "baseline", "args"])
def test_hostile_inputs_do_nothing_but_fail(job: Job, name: str) -> None:
    before = job.files()
    for value in HOSTILE:
        done = job.check(**{name: value})
        assert done.status == 2, value
        assert done.stderr.startswith("cachelint: "), value
        assert done.stderr.count("\n") == 1, value
        assert done.annotations == [], value
        assert done.summary == "", value
    assert job.files() - before == {"step.sh", "summary"}


# ----------------------------------------------------------------------------- a pull request


def test_a_pull_request_is_checked_by_what_it_changes(job: Job) -> None:
    job.spoil(PAGE)
    job.commit("a defect of old")
    job.pull_request(OTHER_PAGE)
    done = job.check()
    assert done.status == 1
    assert [OTHER_PAGE in line for line in done.annotations] == [True]
    assert "in 1 page " in done.stdout


def test_the_job_summary_of_a_pull_request_has_what_changed(job: Job) -> None:
    page = job.workspace / FROZEN_PAGE.format("cuda")
    page.write_text(page.read_text("utf-8").replace('"size": "-"', '"size": "1 MB"', 1), "utf-8")
    configuration = job.workspace / "cachelint.toml"
    configuration.write_text('mutable-tags = ["develop", "v0.23.1"]\n', "utf-8")
    job.pull_request(OTHER_PAGE)
    done = job.check()
    assert (done.status, done.summary.count("###")) == (1, done.summary.count("\n#") + 1)
    check, comparison = done.summary.split("### ⚠️ cachelint diff: ")
    assert check.startswith("### ❌ cachelint: Found ")
    assert comparison.startswith("2 of 23 pages changed since `")
    assert "\n| frozen tags | `v0.23.1` |\n" in comparison
    assert "\n| `v0.23.1` | frozen | - | - | 1 | - | - | - | 1 |\n" in comparison
    assert "frozen" not in job.check(config_from_base="false").summary.partition(" diff: ")[2]
    assert " diff: " not in job.check(diff_base="none").summary


def test_a_comparison_that_fails_does_not_fail_the_job(job: Job) -> None:
    job.pull_request(PAGE)
    (job.folder / "work/_temp/cachelint/bin").unlink()
    program = job.folder / "work/_temp/cachelint/bin/cachelint"
    program.parent.mkdir()
    program.write_text('#!/bin/bash\n[[ $1 != diff ]]\n')
    program.chmod(0o755)
    (program.parent / "python").symlink_to(sys.executable)
    done = job.check()
    assert (done.status, done.annotations) == (0, [
        "::warning title=cachelint::the job summary has no comparison: see the log"])


def test_a_pull_request_cannot_switch_off_its_own_check(job: Job) -> None:
    (job.workspace / "cachelint.toml").write_text('ignore = ["ALL"]\nexclude = ["*"]\n', "utf-8")
    job.pull_request(PAGE)  # the file is part of it
    done = job.check()
    assert done.status == 1
    assert [line.split(",")[0] for line in done.annotations] == ["::error title=CL301 num-specs"]
    done = job.check(config_from_base="false")
    assert done.status == 0
    assert [line.split(",")[:2] for line in done.annotations] == [
        ["::warning title=CL805 gate-changed", "file=cachelint.toml"]]


def test_a_pull_request_without_a_page(job: Job) -> None:
    job.spoil(PAGE)
    job.commit("a defect of old")
    (job.workspace / "README.md").write_text("# A site\n", encoding="utf-8")
    base = job.git("rev-parse", "HEAD")
    job.commit("a readme")
    job.name = "pull_request"
    job.set_event({"pull_request": {"base": {"sha": base}}})
    done = job.check()
    assert (done.status, done.annotations) == (0, [])


def test_what_main_got_since_the_event_is_not_the_request_s(job: Job) -> None:
    """The merge commit has a newer base than the event."""
    base, _ = job.pull_request(OTHER_PAGE)
    job.git("checkout", "--quiet", "main")
    job.spoil(PAGE)
    newer = job.commit("the bot's daily pages")
    job.git("checkout", "--quiet", "--detach", "main")
    job.git("merge", "--quiet", "--no-ff", "--message", "Merge topic into main", "topic")
    assert base != newer
    done = job.check()
    assert [OTHER_PAGE in line for line in done.annotations] == [True]


def test_a_checkout_of_the_head_is_compared_with_the_event_s_base(job: Job) -> None:
    _, merge = job.pull_request(OTHER_PAGE)
    job.git("checkout", "--quiet", "topic")
    assert merge != job.git("rev-parse", "HEAD")
    done = job.check()
    assert [OTHER_PAGE in line for line in done.annotations] == [True]


def test_all_pages_of_a_pull_request_on_demand(job: Job) -> None:
    job.spoil(PAGE)
    job.commit("a defect of old")
    job.pull_request(OTHER_PAGE)
    done = job.check(diff_base="none")
    assert done.status == 1
    assert len(done.annotations) == 2


@pytest.mark.parametrize(("depth", "status"), [(1, 2), (2, 1)])
def test_the_depth_of_a_checkout(job: Job, depth: int, status: int) -> None:
    """A merge commit and its parents are enough; without them there is a message."""
    job.pull_request(OTHER_PAGE)
    job.git("branch", "merge")
    clone = job.folder / "clone"
    job.git("clone", "--quiet", f"--depth={depth}", "--branch=merge",
            f"file://{job.workspace}", str(clone))
    shutil.rmtree(job.workspace)
    clone.rename(job.workspace)
    done = job.check()
    assert done.status == status
    if status == 2:
        assert "fetch-depth" in done.stderr
    else:
        assert [OTHER_PAGE in line for line in done.annotations] == [True]


def test_a_damaged_event_fails(job: Job) -> None:
    job.pull_request(OTHER_PAGE)
    job.git("checkout", "--quiet", "topic")
    job.set_event({"action": "opened"})
    done = job.check()
    assert done.status == 2
    assert done.annotations == [
        "::error title=cachelint::the event has no base commit: set diff-base"]


# ----------------------------------------------------------------------------- the bot's recipe


def recipe() -> str:
    """Return what the bot runs, from the documentation."""
    text = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    (script,) = [block for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
                 if "./generate" in block]
    assert isinstance(script, str)
    return script


def regenerate(job: Job, generator: str) -> subprocess.CompletedProcess[str]:
    """Run the recipe with a generator, and a remote to which it pushes."""
    tarball_page = next((job.workspace / "_cache" / "v0.23.1").glob("*/specs.md"))
    (job.workspace / "generate").write_text(
        f"#!{sys.executable}\nimport json, re\nfrom pathlib import Path\n"
        f"stale = Path({PAGE!r})\nfrozen = Path({str(tarball_page)!r})\n{generator}\n",
        encoding="utf-8")
    (job.workspace / "generate").chmod(0o755)
    job.git("add", "generate")
    job.commit("a generator")
    job.git("init", "--quiet", "--bare", str(job.folder / "remote"))
    job.git("remote", "add", "origin", str(job.folder / "remote"))
    job.git("push", "--quiet", "--set-upstream", "origin", "main")
    script = job.folder / "recipe.sh"
    script.write_text(recipe(), encoding="utf-8")
    identity = {f"GIT_{who}_{what}": "bot@example.org"
                for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return subprocess.run(
        ["bash", str(script)], cwd=job.workspace, capture_output=True, text=True, timeout=120,
        check=False, env={"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                          "HOME": str(job.folder), "GIT_CONFIG_NOSYSTEM": "1", **identity})


def pushed(job: Job) -> list[str]:
    """Return which files the pushed commit changed, if any was pushed after the generator's."""
    log = job.git("log", "-1", "--format=%s", "--name-only", "origin/main").splitlines()
    return [line for line in log[1:] if line] if log[0] == "Regenerate the catalog" else []


REORDER = """
text = frozen.read_text()
line = next(line for line in text.splitlines() if line.startswith("meta: "))
meta = json.loads(line.removeprefix("meta: "))
frozen.write_text(text.replace(line, "meta: " + json.dumps(dict(reversed(meta.items())))))
"""
STALE = """
text = stale.read_text()
title = text.replace('"size": "-"', '"size": 17')
stale.write_text(re.sub('"num_specs": [0-9]+', '"num_specs": 4711', title))
"""
FALSIFY = """
frozen.write_text(re.sub('"target": "[a-z0-9_]+"', '"target": "zen4"', frozen.read_text()))
"""


def test_the_bot_fixes_what_is_stale_and_drops_what_is_only_order(job: Job) -> None:
    done = regenerate(job, STALE + REORDER)
    assert done.returncode == 0, done.stdout + done.stderr
    assert pushed(job) == [PAGE]
    assert job.git("status", "--porcelain") == ""
    assert "4711" not in (job.workspace / PAGE).read_text(encoding="utf-8")


def test_the_bot_pushes_no_changed_spec_of_a_frozen_tag(job: Job) -> None:
    done = regenerate(job, FALSIFY)
    assert done.returncode == 1
    assert "CL801" in done.stdout
    assert pushed(job) == []


def test_the_bot_has_nothing_to_push(job: Job) -> None:
    done = regenerate(job, "")
    assert done.returncode == 0, done.stdout + done.stderr
    assert pushed(job) == []


def test_the_documentation_knows_the_inputs() -> None:
    text = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE) == INPUTS
