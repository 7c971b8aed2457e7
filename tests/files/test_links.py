"""Links in a checkout: nothing outside the catalog is read, listed or written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cachelint import CachelintError, check, fix
from cachelint.output.formats import FORMATS, PLAIN
from cachelint.runner.baseline import write as write_baseline
from support.checkout import commit, git

EXAMPLE = Path(__file__).parents[2] / "examples/catalog"
SECRET = "machine example.org login me password SECRET\n"
PAGE = "_cache/develop/swig/specs.md"
LEAVES = "a link that leads out of the catalog: it is not followed"


class Watch:
    """Records each file and folder of one folder that Python opens, lists or changes."""

    EVENTS = ("open", "os.listdir", "os.scandir", "os.rename", "os.link", "os.remove", "os.mkdir")

    def __init__(self) -> None:
        """Watch nothing yet: a hook cannot be removed."""
        self.folder = ""
        self.seen: list[tuple[str, str]] = []
        sys.addaudithook(self._record)

    def _record(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.folder or event not in self.EVENTS:
            return
        flags = arguments[2] if event == "open" else 0
        for path in arguments[:2]:
            if not isinstance(path, (str, bytes)) or flags & os.O_NOFOLLOW:
                continue
            real = os.path.realpath(os.fsdecode(path))
            if f"{real}/".startswith(self.folder):
                self.seen.append((event, real))


WATCH = Watch()


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Path]:
    """A folder beside the catalog, with a secret, a page, and a catalog; it is watched."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_text(SECRET)
    shutil.copytree(EXAMPLE, folder / "catalog")
    stale = folder / "catalog" / PAGE
    stale.write_text(stale.read_text("utf-8").replace('"num_specs": ', '"num_specs": 9'), "utf-8")
    WATCH.seen.clear()
    yield folder
    WATCH.folder = ""


@pytest.fixture
def catalog(tmp_path: Path, outside: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example catalog, which is the working directory."""
    root = tmp_path / "site"
    shutil.copytree(EXAMPLE, root)
    monkeypatch.chdir(root)
    WATCH.folder = f"{outside}/"
    return root


def relink(path: Path, target: Path | str) -> None:
    """Put a link where a file or folder is, or where nothing is."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    path.symlink_to(target)


def outside_files(outside: Path) -> dict[str, bytes]:
    WATCH.folder = ""
    return {str(path): path.read_bytes() for path in outside.rglob("*") if path.is_file()}


# name: (the link, what it leads to below the folder outside, the path of the finding)
OUT: dict[str, tuple[str, str, str]] = {
    "page": (PAGE, "secret", PAGE),
    "page, to a page": (PAGE, "catalog/" + PAGE, PAGE),
    "page, to nowhere": (PAGE, "nowhere", PAGE),
    "package": ("_cache/develop/swig", "catalog/_cache/develop/swig", "_cache/develop/swig"),
    "package, to a file": ("_cache/develop/swig", "secret", "_cache/develop/swig"),
    "tag": ("_cache/develop", "catalog/_cache/develop", "_cache/develop"),
    "tag, to a file": ("_cache/develop", "secret", "_cache/develop"),
    "cache": ("_cache", "catalog/_cache", "_cache"),
    "tags.yaml": ("_data/tags.yaml", "secret", "_data/tags.yaml"),
    "meta.yaml": ("_data/meta.yaml", "secret", "_data/meta.yaml"),
    "data": ("_data", "catalog/_data", "_data/tags.yaml"),
    "data, without its files": ("_data", "catalog/_cache", "_data/tags.yaml"),
    "data, to nowhere": ("_data", "nowhere", "_data/tags.yaml"),
    "pages, to nowhere": ("pages", "nowhere", "pages/tags"),
    "tag page": ("pages/tags/develop.md", "secret", "pages/tags/develop.md"),
    "tag page, to nowhere": ("pages/tags/develop.md", "created", "pages/tags/develop.md"),
    "tag pages": ("pages/tags", "catalog/pages/tags", "pages/tags"),
    "pages": ("pages", "catalog/pages", "pages/tags"),
    "page, to passwords in .git": (PAGE, "../site/.git/config", PAGE),
    "package, to .git": ("_cache/develop/swig", "../site/.git", "_cache/develop/swig"),
    "tags.yaml, to .git": ("_data/tags.yaml", "../site/.git/config", "_data/tags.yaml"),
    "legacy page": ("_cache/develop/index.md", "secret", "_cache/develop/index.md"),
}


@pytest.mark.parametrize("revision", [None, "HEAD"], ids=["whole", "diff-base"])
@pytest.mark.parametrize("is_absolute", [True, False], ids=["absolute", "relative"])
@pytest.mark.parametrize(("link", "target", "path"), OUT.values(), ids=OUT)
def test_what_is_outside_is_not_touched(
    catalog: Path, outside: Path, link: str, target: str, path: str, is_absolute: bool,
    revision: str | None,
) -> None:
    before = outside_files(outside)
    if revision:
        git("init", "-q")
        commit(catalog)
    up = "../" * (link.count("/") + 1)
    relink(catalog / link, outside / target if is_absolute else f"{up}outside/{target}")
    WATCH.folder = f"{outside}/"
    report = check(["."], diff_base=revision)
    assert {(path, "CL100", LEAVES), (link, "CL100", LEAVES)} & {
        (each.path, each.code, each.message) for each in report.findings}
    assert not {"CL605", "CL606"} & {each.code for each in report.findings}
    for name in set(FORMATS) - {"html"}:
        assert "SECRET" not in "".join(FORMATS[name].load()(report, PLAIN))
    fix(["."], write=False, diff_base=revision)
    fix(["."], diff_base=revision)
    assert WATCH.seen == []
    assert outside_files(outside) == before


FOLDERS = ("_data", "pages", "pages/tags")


@pytest.mark.parametrize("revision", [None, "HEAD"], ids=["whole", "diff-base"])
@pytest.mark.parametrize(("path", "target"), [
    *((path, target) for target in ("nowhere", "itself") for path in (
        "_cache/develop", "_cache/develop/swig", PAGE, "_data/tags.yaml", "_data/meta.yaml",
        "pages/tags/develop.md", *FOLDERS)),
    *((path, "a file") for path in FOLDERS)])
def test_what_leads_nowhere_is_not_missing(
    catalog: Path, path: str, target: str, revision: str | None
) -> None:
    git("init", "-q")
    commit(catalog)
    relink(catalog / path, Path(path).name if target == "itself" else target)
    if target == "a file":
        (catalog / path).unlink()
        (catalog / path).write_text("")
    findings = check(["."], diff_base=revision).findings
    assert {each.code for each in findings} == {"CL100"}
    assert len({each.path for each in findings}) == len(findings)
    commit(catalog)
    fix(["."])
    fix(["."], diff_base="HEAD~1")
    assert git("status", "--short") == ""
    assert check(["."], diff_base="HEAD").notes == ()


@pytest.mark.parametrize(("named", "link", "target", "expected"), [
    (PAGE, PAGE, "catalog/" + PAGE, "CL301"),
    (PAGE, "_cache/develop/swig", "catalog/_cache/develop/swig", "CL301"),
    ("_cache/develop", "_cache/develop", "catalog/_cache/develop", "CL301"),
    ("_cache", "_cache", "catalog/_cache", "CL301"),
    ("_data/tags.yaml", "_data/tags.yaml", "secret", "CL203"),
])
def test_what_is_named_is_read_and_fixed(
    catalog: Path, outside: Path, named: str, link: str, target: str, expected: str
) -> None:
    relink(catalog / link, outside / target)
    assert expected in {each.code for each in check([named]).findings}
    fix([named])
    assert WATCH.seen
    WATCH.folder = ""
    is_stale = '"num_specs": 9' in (outside / "catalog" / PAGE).read_text("utf-8")
    assert is_stale == (expected != "CL301")


def to_page(root: Path) -> str:
    (root / "_cache/develop/swig/specs.md").rename(root / "real.md")
    relink(root / "_cache/develop/swig/specs.md", "../../../real.md")
    return "real.md"


def to_package(root: Path) -> str:
    (root / "_cache/develop/swig").rename(root / "swig")
    relink(root / "_cache/develop/swig", "../../swig")
    return "swig/specs.md"


def to_tag(root: Path) -> str:
    (root / "_cache/develop").rename(root / "tag")
    relink(root / "_cache/develop", "../tag")
    return "tag/swig/specs.md"


def to_cache(root: Path) -> str:
    (root / "_cache").rename(root / "data")
    relink(root / "_cache", "data")
    return "data/develop/swig/specs.md"


@pytest.mark.parametrize("revision", [None, "HEAD"], ids=["whole", "diff-base"])
@pytest.mark.parametrize("move", [to_page, to_package, to_tag, to_cache])
def test_link_within_is_read_and_never_written_through(
    catalog: Path, move: Callable[[Path], str], revision: str | None
) -> None:
    page = catalog / PAGE
    if revision:
        git("init", "-q")
        commit(catalog)
    real = catalog / move(catalog)
    page.write_text(page.read_text("utf-8").replace('"num_specs": ', '"num_specs": 9'), "utf-8")
    before = real.read_bytes()
    assert [(each.path, each.code) for each in check(["."], diff_base=revision).findings] == [
        (PAGE, "CL301")]
    for write in (False, True):
        done = fix(["."], write=write, diff_base=revision)
        assert [path for path, *_ in done.changed] == []
        assert done.skipped == ((PAGE, f"a link leads to {real.relative_to(catalog)}: nothing is "
                                       "written through links, fix that file"),)
        assert [each.code for each in done.report.findings] == ["CL301"]
    assert real.read_bytes() == before


def test_folder_that_is_a_link_is_fixed_where_it_is_named(catalog: Path) -> None:
    page, before = catalog / PAGE, (catalog / PAGE).read_bytes()
    to_cache(catalog)
    page.write_text(page.read_text("utf-8").replace('"num_specs": ', '"num_specs": 9'), "utf-8")
    assert [path for path, *_ in fix(["_cache"]).changed] == [PAGE]
    assert page.read_bytes() == before


def test_no_tag_page_is_created_through_a_link(catalog: Path) -> None:
    (catalog / "pages").rename(catalog / "other")
    (catalog / "pages").symlink_to("other")
    (catalog / "other/tags/develop.md").unlink()
    done = fix(["."])
    assert done.skipped == (("pages/tags/develop.md", (
        "a link leads to other/tags/develop.md: nothing is written through links")),)
    assert not (catalog / "other/tags/develop.md").exists()


# ------------------------------------------------------------------------------- reports


@pytest.fixture(params=["git", "no git"])
def checkout(catalog: Path, outside: Path, request: pytest.FixtureRequest) -> Path:
    """A checkout in which `out` leads to a file outside, and `folder` to a folder."""
    if request.param == "git":
        subprocess.run(["git", "init", "-q"], check=True)
    (catalog / "out").symlink_to(outside / "secret")
    (catalog / "dangling").symlink_to(outside / "created")
    (catalog / "folder").symlink_to(outside)
    (catalog / "sub").mkdir()
    return catalog


@pytest.mark.parametrize("path", [
    "out", "./out", "sub/../out", "folder/report", "folder/secret", "dangling",
    "folder/../site/out", "/absolute/out",
])
def test_nothing_is_written_through_a_link_of_a_checkout(
    checkout: Path, outside: Path, path: str
) -> None:
    before = outside_files(outside)
    path = path.replace("/absolute", str(checkout))
    done = subprocess.run(
        [sys.executable, "-m", "cachelint", "check", "--output-file", f"sarif:{path}"],
        capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "is a link in a checkout, through which nothing is written" in done.stderr
    with pytest.raises(CachelintError, match="is a link in a checkout"):
        write_baseline(path, (), {})
    assert outside_files(outside) == before


def test_links_outside_a_checkout_are_followed(checkout: Path, outside: Path) -> None:
    (outside.parent / "link").symlink_to(outside / "report")
    subprocess.run([sys.executable, "-m", "cachelint", "check", "--output-file",
                    "concise:../link"], check=True, capture_output=True)
    assert (outside / "report").exists()
    done = subprocess.run([sys.executable, "-m", "cachelint", "check", "--quiet", "--output-file",
                           "json:/dev/stderr"], check=True, capture_output=True, text=True)
    assert done.stderr.startswith('{"version": 1')
