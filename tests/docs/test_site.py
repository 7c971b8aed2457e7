"""The example site: Jekyll builds it from what `render` writes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from cachelint.runner.render import render
from cachelint.runner.verify import IndexOptions
from support.jekyll import Html, build, needs_jekyll
from support.mirrors import V2, V2_TAG

SITE = Path(__file__).parents[2] / "examples/site"

pytestmark = needs_jekyll


def links_of(page: Html) -> list[str]:
    return [attributes["href"] for tag, attributes in page.elements if tag == "a"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of two tags of one mirror."""
    source = tmp_path_factory.mktemp("site") / "source"
    shutil.copytree(SITE, source)
    for tag in (V2_TAG, "v1.0"):
        render(str(source), IndexOptions(str(V2), tag))
    done = build(source)
    assert done.returncode == 0, done.stdout + done.stderr
    return source.with_name("built")


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
    page = Html((built / f"cache/{V2_TAG}/zlib-tiny/specs/index.html").read_text())
    for text in ("zlib-tiny", "3 specs", "gcc@12.2.0", "tag='x y'", 'tag="it\'s"', "bg2rbf5"):
        assert text in page.text
    assert f"/tag/{V2_TAG}/" in links_of(page)


def test_links_lead_to_pages(built: Path) -> None:
    for path in built.rglob("*.html"):
        for link in links_of(Html(path.read_text())):
            assert (built / link.strip("/") / "index.html").exists(), f"{path}: {link}"


def test_the_start_page_has_the_counts(built: Path) -> None:
    text = " ".join(Html((built / "index.html").read_text()).text.split())
    assert "16 specs in 2 tags" in text
    assert "alpha, beta, root" in text
