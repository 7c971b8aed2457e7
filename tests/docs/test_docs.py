"""The documentation: its examples, its generated parts, its links and the site."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import cachelint
import write_docs
from cachelint.rules import ALL_RULES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
CATALOG = ROOT / "examples" / "catalog"
UPDATE = os.environ.get("UPDATE_GOLDEN") == "1"


# ------------------------------------------------------------------------------- what is written


WRITTEN = list(write_docs.render_all())


@pytest.mark.parametrize(("path", "expected"), WRITTEN, ids=[path.name for path, _ in WRITTEN])
def test_generated_parts_are_up_to_date(path: Path, expected: str) -> None:
    assert path.read_text(encoding="utf-8") == expected, "run: python tools/write_docs.py"


def test_public_functions_are_described() -> None:
    text = (DOCS / "python.md").read_text(encoding="utf-8")
    for function in write_docs.FUNCTIONS:
        assert f"\n### {function.__name__}\n\n```python\n{function.__name__}(" in text
    described = {each.__name__ for each in (*write_docs.FUNCTIONS, *write_docs.DATA)}
    # an exception and an enumeration, which the examples and the tables show
    assert set(cachelint.__all__) - described == {"CachelintError", "Severity"}


# ------------------------------------------------------------------------------- what is shown


def python_blocks() -> list[str]:
    """Return the examples of the Python interface, which follow one another."""
    text = (DOCS / "python.md").read_text(encoding="utf-8").split("## Functions")[0]
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def test_python_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert len(python_blocks()) == 3
    exec(compile("\n".join(python_blocks()), "python.md", "exec"), {})


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """Copy the example catalogs, below a folder as in the repository."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    return tmp_path


def run(command: str, folder: Path) -> str:
    """Run what someone types, and return all that is then seen."""
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(("CACHELINT", "GITHUB_", "FORCE_COLOR"))}
    done = subprocess.run(
        ["bash", "-c", f'cachelint() {{ "{sys.executable}" -m cachelint "$@"; }}\n{command}'],
        cwd=folder, env={**environment, "LC_ALL": "C.UTF-8"}, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, check=False)
    return done.stdout if done.stdout.endswith("\n") or not done.stdout else done.stdout + "\n"


SHOWN = [("README.md", "."), ("docs/publish.md", "."), ("docs/verify.md", "."),
         ("docs/diff.md", "."),
         ("docs/tutorial.md", "examples/catalog"), ("examples/faulty/README.md", "examples/faulty")]


@pytest.mark.parametrize(("name", "folder"), SHOWN, ids=[name for name, _ in SHOWN])
def test_output_is_as_shown(name: str, folder: str, examples: Path) -> None:
    path = ROOT / name

    def run_block(block: re.Match[str]) -> str:
        commands = re.findall(r"^\$ (.*)$", block[1], re.MULTILINE)
        return "```console\n" + "".join(
            f"$ {command}\n{run(command, examples / folder)}" for command in commands) + "```"

    shown = path.read_text(encoding="utf-8")
    actual = re.sub(r"```console\n(.*?)```", run_block, shown, flags=re.DOTALL)
    if UPDATE:
        path.write_text(actual, encoding="utf-8")
    assert shown == actual, "UPDATE_GOLDEN=1 pytest tests/test_docs.py updates it"


def test_json_report_is_as_shown(examples: Path) -> None:
    catalog = examples / "examples" / "catalog"
    page = catalog / "_cache/develop/yasm/specs.md"
    page.write_text(page.read_text().replace('"num_specs": 4', '"num_specs": 5'))
    report = json.loads(run("cachelint check --output-format json", catalog))
    report["summary"]["seconds"] = 0.1
    text = (DOCS / "json.md").read_text(encoding="utf-8")
    shown = json.loads(re.findall(r"```json\n(.*?)```", text, re.DOTALL)[0])
    assert shown == report


# ------------------------------------------------------------------------------- links

WITH_LINKS = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("examples/*/README.md")),
              *sorted(DOCS.glob("*.md"))]


def anchors(path: Path) -> set[str]:
    """Return what can follow `#`, on a code host and on the site."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.M)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {*re.findall(r'<a id="([^"]+)">', text),
            *(re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings)}


@pytest.mark.parametrize("path", WITH_LINKS,
                         ids=[path.relative_to(ROOT).as_posix() for path in WITH_LINKS])
def test_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.M)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        aim = (path.parent / name).resolve() if name else path
        assert aim.exists(), target
        assert not anchor or anchor in anchors(aim), target


def test_every_page_is_reached_from_the_readme_or_the_start() -> None:
    reached = {match for path in (ROOT / "README.md", DOCS / "index.md")
               for match in re.findall(r"\((?:docs/)?(\w+\.md)[)#]", path.read_text("utf-8"))}
    assert {path.name for path in DOCS.glob("*.md")} - {"index.md"} <= reached


# ------------------------------------------------------------------------------- the site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if os.environ.get("CI") != "true":
        pytest.importorskip("material", reason="the site needs pip install '.[docs]'")
    built = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(built)],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return built


class Assets(HTMLParser):
    """Gathers what a browser would load by itself, and all ids."""

    def __init__(self) -> None:
        super().__init__()
        self.wanted: list[str] = []
        self.ids: set[str] = set()
        self.classes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids.add(given.get("id", ""))
        self.classes |= set(given.get("class", "").split())
        self.classes.add(given.get("data-md-component", ""))
        # a link in the text is only loaded by a reader
        self.wanted += [given[name] for name in ("src", "srcset", "data", "poster", "action")
                        if name in given]
        if tag == "link":
            self.wanted.append(given.get("href", ""))


def test_site_loads_nothing_from_other_hosts(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 10
    for page in pages:
        assets = Assets()
        assets.feed(page.read_text(encoding="utf-8"))
        assert assets.wanted
        assert [url for url in assets.wanted if re.match(r"([a-z]+:)?//", url)] == [], page
        # for which the theme's scripts would load from other hosts
        assert not assets.classes & {"mermaid", "source"}, page
    for style in site.rglob("*.css"):
        text = style.read_text(encoding="utf-8")
        assert not re.search(r"@import|url\([\"']?(https?:)?//", text), style


def test_site_has_every_page_and_every_rule(site: Path) -> None:
    names = {path.stem for path in DOCS.glob("*.md")} - {"index"} | {"changelog"}
    assert {path.parent.name for path in site.glob("*/index.html")} == names
    assets = Assets()
    assets.feed((site / "rules" / "index.html").read_text(encoding="utf-8"))
    assert {rule.code.lower() for rule in ALL_RULES} <= assets.ids


def test_links_beside_the_documentation_lead_to_the_repository(site: Path) -> None:
    text = (site / "ci" / "index.html").read_text(encoding="utf-8")
    assert 'href="https://github.com/spack/cachelint/blob/main/ci/gitlab.yml"' in text
    assert "../../" not in re.sub(r'href="\.\./\.\./?"', "", text.split("<article")[1])
