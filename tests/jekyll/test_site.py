"""A site like the public one, whose templates escape nothing: what Jekyll makes of pages.

Catalogs that pass give the JSON that follows from their specs, and pages that are broken one by one
do the damage that the documentation of the rules claims.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cachelint import check, check_page, fix
from cachelint.runner.render import render
from cachelint.runner.verify import IndexOptions
from support import valid
from support.jekyll import Html, build, needs_jekyll
from support.mirrors import V2, V2_TAG
from support.valid import FIRST, PAGE, TAG, meta, page, specs

SITE = Path(__file__).parent / "site"
EXAMPLE = Path(__file__).parents[2] / "examples/catalog"

pytestmark = needs_jekyll


class Page(NamedTuple):
    """What the site has of a page."""

    html: Html | None
    """None where there is no such page."""
    entry: Any
    """The page's part of `api/data.json`; None where it breaks that file."""
    specs: Any
    """What a script of the page has; None where it cannot be read."""


def read(built: Path, tag: str, package: str) -> Page:
    url = f"/cache/{tag}/{package}/specs/"
    file = built / url[1:] / "index.html"
    html = Html(file.read_text("utf-8")) if file.exists() else None
    parts = (built / "api/data.json").read_text("utf-8").split('{"url": "')
    entry = next((f'{{"url": "{part}' for part in parts if part.startswith(f'{url}"')), "")
    return Page(html, load(entry.rstrip(",]\n")),
                load(html.scripts.get("specs", "") if html else ""))


def load(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


# --------------------------------------------------------------------------- what passes


@pytest.fixture(scope="module")
def passing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of real pages, of pages that `render` wrote, and of one in the tarball format."""
    source = tmp_path_factory.mktemp("passing") / "source"
    shutil.copytree(SITE, source)
    shutil.copytree(EXAMPLE, source, dirs_exist_ok=True)
    render(str(source), IndexOptions(str(V2), V2_TAG))
    folder = source / "_cache/v0.20.0/zlib"
    folder.mkdir(parents=True)
    (folder / "specs.md").write_text(valid.TARBALL_PAGE.replace(TAG, "v0.20.0"))
    assert not [each for each in check([str(source)]).findings if each.code < "CL6"]
    done = build(source)
    assert done.returncode == 0, done.stderr
    assert "Exception" not in done.stderr
    return source


def spec_lists(path: Path) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(
        path.read_text().split("spec_details: ")[1].removesuffix("\n---"))
    return listed


def test_catalogs_that_pass_give_their_summaries(passing: Path) -> None:
    data = json.loads((passing.with_name("built") / "api/data.json").read_text())
    assert len(data) == 27
    assert {entry["url"]: entry for entry in data} == {entry["url"]: entry for entry in (
        {"name": path.parts[-2], "tag": path.parts[-3],
         "url": f"/cache/{path.parts[-3]}/{path.parts[-2]}/specs/",
         **valid.summary(spec_lists(path))} for path in passing.glob("_cache/*/*/specs.md"))}


def test_pages_that_pass_give_their_specs_in_scripts_and_attributes(passing: Path) -> None:
    for path in passing.glob("_cache/*/*/specs.md"):
        expected = spec_lists(path)
        found = read(passing.with_name("built"), *path.parts[-3:-1])
        assert found.specs == expected
        assert found.html is not None
        assert [attributes for tag, attributes in found.html.elements if tag == "a"] == [
            {"id": spec["hash"], "data-compiler": spec["compiler"],
             "data-system": f"{spec['platform']}-{spec['os']}-{spec['target']}"}
            for spec in expected]


# --------------------------------------------------------------------------- what is broken


def line(key: str, text: str) -> str:
    return PAGE.replace(valid.lines()[key], text)


def is_missing(page: Page) -> bool:
    return page.html is None


def breaks_search(page: Page) -> bool:
    return page.entry is None


def is_markup(page: Page) -> bool:
    assert page.html is not None
    return any(tag == "b" for tag, _ in page.html.elements)


def shows(**values: object) -> Callable[[Page], bool]:
    """Return whether the search has these values of a page, and no others."""
    return lambda page: page.entry is not None and page.entry == {**page.entry, **values}


def lists(**values: object) -> Callable[[Page], bool]:
    """Return whether the first spec of a page is shown with these values."""
    return lambda page: page.specs is not None and page.specs[0] == {**page.specs[0], **values}


def has_specs(*hashes: str) -> Callable[[Page], bool]:
    return lambda page: page.specs is not None and [
        spec["hash"] for spec in page.specs] == list(hashes)


def has_many_versions(page: Page) -> bool:
    return page.entry is not None and len(page.entry["versions"]) == 2**12


ALIASES = '&v0 ["1", "1"]' + "".join(
    f", &v{number} [*v{number - 1}, *v{number - 1}]" for number in range(1, 11))
"""Eleven lists, each of them twice as long as the one before."""
BROKEN: list[tuple[str, str | bytes, Callable[[Page], bool]]] = [
    ("CL102", "\ufeff" + PAGE, is_missing),
    ("CL103", PAGE.replace("\n", "\r\n"), shows(num_specs=2)),
    ("CL104", "# zlib\n", is_missing),
    ("CL105", PAGE.removesuffix("---"), breaks_search),
    ("CL106", line("layout", "layout: @cache"), breaks_search),
    ("CL106", PAGE.replace('"num_specs": 2', '"num_specs" 2'), breaks_search),
    ("CL107", PAGE.replace('"num_specs": 2', '"num_specs": 1, "num_specs": 2'), shows(num_specs=2)),
    ("CL108", PAGE + "\nBuilt by hand.\n",
     lambda page: page.html is not None and "by hand" not in page.html.text),
    ("CL109", valid.LEGACY, breaks_search),
    ("CL110", PAGE.replace('"versions": [', f'"versions": ["1", "1", {ALIASES}], "old": ['),
     has_many_versions),
    ("CL201", page(valid.without(meta(), "num_specs")), breaks_search),
    ("CL203", page(meta(num_specs="two")), breaks_search),
    ("CL203", page(meta(versions={"1.2.13": 1})), breaks_search),
    ("CL204", page(None, specs(0, os="")), lists(os="")),
    ("CL301", page(meta(num_specs=3)), shows(num_specs=3)),
    ("CL302", page(meta(num_specs_by_stack={"root": 2})), shows(num_specs_by_stack={"root": 2})),
    *((code, page(meta(**{key: ["other"]})), shows(**{key: ["other"]})) for code, key in (
        ("CL303", "compilers"), ("CL304", "oss"), ("CL305", "platforms"), ("CL306", "stacks"),
        ("CL307", "targets"), ("CL308", "versions"))),
    ("CL402", page(None, specs(1, hash=FIRST)), has_specs(FIRST, FIRST)),
    ("CL403", page(None, specs(0, stacks=["root", "root"])), lists(stacks=["root", "root"])),
    ("CL408", page(None, specs(0, compiler="gcc@=11.4.0")),
     shows(compilers=["gcc@11.4.0", "gcc@=11.4.0"])),
    ("CL601", line("title", 'title: "other"'), lambda page: shows(name="other")(page) and (
        "/zlib-" in page.entry["url"])),
    ("CL602", line("categories", "categories: [package, v0.1]"), shows(tag="v0.1")),
    ("CL701", page(None, specs(0, versions=['1.3"1'])), breaks_search),
    ("CL701", page(None, specs(0, versions=["1.3\\1"])), breaks_search),
    ("CL701", page(None, specs(0, versions=["<b>1</b>"])), is_markup),
    ("CL701", page(None, specs(0, variants=["a=<b></script><b>"])), is_markup),
    ("CL703", page(None, specs(0, versions=["1.3-\U0001f680"])), breaks_search),
]


def names() -> Iterator[tuple[str, str, str | bytes, Callable[[Page], bool]]]:
    for number, (code, text, damage) in enumerate(BROKEN):
        yield f"zlib-{number}", code, text, damage


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of all the broken pages that do not end the build."""
    source = tmp_path_factory.mktemp("broken") / "source"
    shutil.copytree(SITE, source)
    valid.write_catalog(source, {f"{TAG}/{name}": text for name, _, text, _ in names()}, {})
    (source / f"_cache/{TAG}/zlib-0/notes.md").write_text("---\ntitle: notes\n---\n")
    (source / f"_cache/{TAG}/zlib-folder/specs.md").mkdir(parents=True)
    (source.parent / "private.md").write_text(line("title", "title: private"))
    (source / f"_cache/{TAG}/zlib-link").mkdir()
    (source / f"_cache/{TAG}/zlib-link/specs.md").symlink_to(source.parent / "private.md")
    tags = source / "pages/tags"
    tags.mkdir(parents=True)
    for tag in ("develop-2025-03-16", TAG):
        (tags / f"{tag}.md").write_text(
            f"---\nlayout: table\npermalink: /tag/{TAG}/\ntag: {tag}\n---\n")
    done = build(source)
    assert done.returncode == 0, done.stderr
    return source.with_name("built")


@pytest.mark.parametrize(("name", "code", "text", "damage"), [*names()],
                         ids=[f"{name}-{code}" for name, code, _, _ in names()])
def test_a_broken_page_does_the_damage_that_its_rule_claims(
    broken: Path, name: str, code: str, text: str | bytes, damage: Callable[[Page], bool]
) -> None:
    found = {finding.code for finding in check_page(
        text.encode() if isinstance(text, str) else text, f"_cache/{TAG}/{name}/specs.md")}
    assert code in found
    shown = read(broken, TAG, name)
    assert damage(shown), shown


def test_one_page_breaks_the_search_for_all(broken: Path) -> None:
    with pytest.raises(ValueError, match="Expecting"):
        json.loads((broken / "api/data.json").read_text())


def test_a_stray_page_is_one_of_the_collection(broken: Path) -> None:
    """As CL111 claims."""
    assert re.search('"name": "notes"', (broken / "api/data.json").read_text())


@pytest.mark.parametrize(("name", "damage"), [
    ("zlib-folder", is_missing), ("zlib-link", shows(name="private"))])
def test_what_is_not_a_file(broken: Path, name: str, damage: Callable[[Page], bool]) -> None:
    """As CL100 claims."""
    found = check([str(broken.with_name("source"))]).findings
    assert [each.code for each in found if f"/{name}/" in each.path] == ["CL100"]
    assert damage(read(broken, TAG, name))


def test_two_pages_of_tags_with_one_address(broken: Path) -> None:
    """As CL605 claims: one of the two cannot be reached."""
    assert [path.parent.name for path in broken.glob("tag/*/index.html")] == [TAG]


def test_a_tag_without_pages(tmp_path: Path) -> None:
    """As CL606 claims: the site offers the tag, and shows nothing for it."""
    source = tmp_path / "source"
    shutil.copytree(SITE, source)
    valid.write_catalog(source, {f"{TAG}/zlib": PAGE}, {TAG: ["e4s", "root"], "v9.9": ["root"]})
    page_of_tag = source / "pages/tags/v9.9.md"
    page_of_tag.parent.mkdir(parents=True)
    page_of_tag.write_text("---\nlayout: table\npermalink: /tag/v9.9/\ntag: v9.9\n---\n")
    left = fix([str(source)]).report.findings  # which writes the page of the other tag
    assert [(finding.code, finding.pointer) for finding in left] == [("CL606", "/1/name")]
    assert build(source).returncode == 0
    links = {}
    for name in ("index.html", f"tag/{TAG}/index.html", "tag/v9.9/index.html"):
        html = Html((source.with_name("built") / name).read_text("utf-8"))
        links[name] = [attributes["href"] for tag, attributes in html.elements if tag == "a"]
    assert links == {"index.html": [f"/tag/{TAG}/", "/tag/v9.9/"],
                     f"tag/{TAG}/index.html": [f"/cache/{TAG}/zlib/specs/"],
                     "tag/v9.9/index.html": []}


@pytest.mark.parametrize("code", ["CL100", "CL101"])
def test_a_page_that_ends_the_build(tmp_path: Path, code: str) -> None:
    source = tmp_path / "source"
    shutil.copytree(SITE, source)
    raw = PAGE.encode().replace(b"gcc", b"\xffcc")
    valid.write_catalog(source, {f"{TAG}/good": PAGE, f"{TAG}/zlib": raw}, {})
    if code == "CL100":
        (source / f"_cache/{TAG}/zlib/specs.md").unlink()
        (source / f"_cache/{TAG}/zlib/specs.md").symlink_to("nowhere")
    assert code in {finding.code for finding in check([str(source)]).findings}
    done = build(source)
    assert done.returncode != 0
    assert not list(source.with_name("built").rglob("*.html"))
