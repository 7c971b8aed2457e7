"""The example site: Jekyll builds it from what `render` writes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cachelint.runner.render import render
from cachelint.runner.verify import IndexOptions
from support.mirrors import V2, V2_TAG

SITE = Path(__file__).parents[2] / "examples/site"

pytestmark = pytest.mark.skipif(
    shutil.which("jekyll") is None and not os.environ.get("CI"), reason="no jekyll here")


class Links(HTMLParser):
    """Collects the addresses that a page links to, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if tag == "a" and name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += f"{data} "


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of two tags of one mirror."""
    source = tmp_path_factory.mktemp("site") / "source"
    shutil.copytree(SITE, source)
    for tag in (V2_TAG, "v1.0"):
        render(str(source), IndexOptions(str(V2), tag))
    target = source.parent / "built"
    done = subprocess.run(
        ["jekyll", "build", "--source", str(source), "--destination", str(target),
         "--disable-disk-cache"], capture_output=True, text=True, check=False,
        cwd=source.parent, env={**os.environ, "LC_ALL": "C.UTF-8"})
    assert done.returncode == 0, done.stdout + done.stderr
    return target


def test_every_page_is_built(built: Path) -> None:
    pages = {path.relative_to(built).as_posix() for path in built.rglob("*.html")}
    packages = ("data-only", "lib-top", "zlib-tiny")
    assert pages == {
        "index.html", *(f"tag/{tag}/index.html" for tag in (V2_TAG, "v1.0")),
        *(f"cache/{tag}/{name}/specs/index.html" for tag in (V2_TAG, "v1.0") for name in packages)}


def test_the_search_has_every_page(built: Path) -> None:
    data = json.loads((built / "api/data.json").read_text())
    assert [(page["tag"], page["name"], page["num_specs"]) for page in data if
            page["tag"] == V2_TAG] == [
        (V2_TAG, "data-only", 3), (V2_TAG, "lib-top", 2), (V2_TAG, "zlib-tiny", 3)]
    assert all((built / page["url"].strip("/") / "index.html").exists() for page in data)


def test_a_page_shows_its_specs(built: Path) -> None:
    page = Links((built / f"cache/{V2_TAG}/zlib-tiny/specs/index.html").read_text())
    for text in ("zlib-tiny", "3 specs", "gcc@12.2.0", "tag='x y'", 'tag="it\'s"', "bg2rbf5"):
        assert text in page.text
    assert f"/tag/{V2_TAG}/" in page.links


def test_links_lead_to_pages(built: Path) -> None:
    for path in built.rglob("*.html"):
        for link in Links(path.read_text()).links:
            assert (built / link.strip("/") / "index.html").exists(), f"{path}: {link}"


def test_the_start_page_has_the_counts(built: Path) -> None:
    text = " ".join(Links((built / "index.html").read_text()).text.split())
    assert "16 specs in 2 tags" in text
    assert "alpha, beta, root" in text
