"""`diff`: both sides, in real git repositories and in folders."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from cachelint import CachelintError, Settings
from cachelint.model import DiffReport, PageChange, PageChangeKind
from cachelint.runner.diff import diff
from support import valid
from support.checkout import EXAMPLE, check_out_example, commit, git

FROZEN = "_cache/develop-2025-03-30"
PAGE = f"{FROZEN}/re2/specs.md"
DEVELOP = "_cache/develop/swig/specs.md"
PAGES = 23
Step = Callable[[Path], object]
Found = list[tuple[str, str, str]]


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of the example catalog, which is the working directory."""
    root = tmp_path / "site"
    check_out_example(root)
    monkeypatch.chdir(root)
    git("checkout", "-qb", "topic")
    return root


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two copies of the example, `old` and `new`, beside the working directory; return `new`."""
    for name in ("old", "new"):
        shutil.copytree(EXAMPLE, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "new"


def pages(report: DiffReport) -> list[PageChange]:
    return [page for tag in report.tags for page in tag.pages]


def found(report: DiffReport) -> Found:
    """Return tag, package and kind of each page that differs."""
    return [(page.tag, page.package, page.kind.value) for page in pages(report)]


def change(path: Path, old: str = '"size": "-"', new: str = '"size": 7') -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def leave(root: Path, path: str) -> None:
    """Move a file or folder out of the catalog, and put a link in its stead."""
    shutil.move(root / path, root.parent / "outside")
    (root / path).symlink_to(root.parent / "outside")


def put_link(path: Path, target: str) -> None:
    """Put a link in the stead of a page or folder, or where nothing is."""
    path.unlink(missing_ok=True)
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(target)


def put_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def move_behind_link(root: Path) -> Path:
    """Move a tag within the catalog, and link to it; return a page of it."""
    shutil.move(root / FROZEN, root / "data")
    put_link(root / FROZEN, "../data")
    return root / "data/re2/specs.md"


def add_legacy_page(root: Path) -> None:
    (root / "_cache/zz").mkdir()
    (root / "_cache/zz/index.md").write_text(valid.LEGACY)


TAG = FROZEN.removeprefix("_cache/")
EVERY = sorted(each.name for each in (EXAMPLE / FROZEN).iterdir())
CHANGES: dict[str, tuple[Step, Found]] = {
    "nothing": (lambda _: None, []),
    "a time stamp": (lambda root: os.utime(root / PAGE), []),
    "a value": (lambda root: change(root / PAGE), [(TAG, "re2", "changed")]),
    "formatting": (lambda root: change(root / PAGE, '": ', '":  '),
                   [(TAG, "re2", "reformatted")]),
    "a page is gone": (lambda root: (root / PAGE).unlink(), [(TAG, "re2", "removed")]),
    "a package is gone": (lambda root: shutil.rmtree((root / PAGE).parent),
                          [(TAG, "re2", "removed")]),
    "a package is renamed": (lambda root: (root / PAGE).parent.rename(root / FROZEN / "re3"),
                             [(TAG, "re2", "removed"), (TAG, "re3", "added")]),
    "a tag is gone": (lambda root: shutil.rmtree(root / FROZEN),
                      [(TAG, each, "removed") for each in EVERY]),
    "a tag is renamed": (lambda root: (root / FROZEN).rename(root / "_cache/v9"), [
        *((TAG, each, "removed") for each in EVERY), *(("v9", each, "added") for each in EVERY)]),
    "a broken page": (lambda root: (root / PAGE).write_text("---\n"),
                      [(TAG, "re2", "unreadable")]),
    "a folder instead of a page": (lambda root: put_folder(root / PAGE),
                                   [(TAG, "re2", "unreadable")]),
    "a link to nowhere": (
        lambda root: put_link(root / PAGE, "nowhere"),
        [(TAG, "re2", "unreadable")]),
    "a page that leads out": (lambda root: leave(root, PAGE), [(TAG, "re2", "unreadable")]),
    "a package that leads out": (lambda root: leave(root, f"{FROZEN}/re2"),
                                 [(TAG, "re2", "unreadable")]),
    "a tag that leads out": (lambda root: leave(root, FROZEN),
                             [(TAG, each, "unreadable") for each in EVERY]),
    "a new package that leads out": (
        lambda root: put_link(root / FROZEN / "zz", "/nowhere"), [(TAG, "zz", "unreadable")]),
    "a new page that leads out": (
        lambda root: put_link(root / FROZEN / "zz/specs.md", "/nowhere"),
        [(TAG, "zz", "unreadable")]),
    "a new tag that leads out": (lambda root: put_link(root / "_cache/v9", "/nowhere"),
                                 [("v9", "", "unreadable")]),
    "a link within the catalog": (move_behind_link, []),
    "a change behind a link": (
        lambda root: change(move_behind_link(root)), [(TAG, "re2", "changed")]),
    "a legacy page": (add_legacy_page, [("", "zz", "added")]),
    "a name that needs quotes": (
        lambda root: (root / PAGE).parent.rename(root / FROZEN / 'r "\n\u00e9'),
        [(TAG, 'r "\n\u00e9', "added"), (TAG, "re2", "removed")]),
    "a stray file": (lambda root: (root / FROZEN / "notes.md").write_text("---\n---"), []),
}


@pytest.mark.parametrize(("make", "expected"), CHANGES.values(), ids=CHANGES)
def test_two_folders(folders: Path, make: Step, expected: Found) -> None:
    make(folders)
    report = diff(("old", "new"))
    assert found(report) == expected
    assert (report.base, report.notes) == ("", ())
    backwards = {"added": "removed", "removed": "added"}
    assert sorted(found(diff(("new", "old")))) == sorted(
        (tag, package, backwards.get(kind, kind)) for tag, package, kind in expected)


@pytest.mark.parametrize("is_committed", [False, True])
@pytest.mark.parametrize(("make", "expected"), CHANGES.values(), ids=CHANGES)
def test_a_revision(catalog: Path, make: Step, expected: Found, is_committed: bool) -> None:
    make(catalog)
    if is_committed:
        commit(catalog)
    report = diff(("main",))
    assert sorted(found(report)) == sorted(expected)
    assert (report.base, report.notes) == (git("rev-parse", "main"), ())
    at_base = PAGES - sum(bool(page.reason) and page.package in EVERY for page in pages(report))
    assert report.compared == at_base + sum(
        page.kind is PageChangeKind.ADDED and not page.reason for page in pages(report))


def test_several_processes_find_the_same(folders: Path) -> None:
    CHANGES["a package is renamed"][0](folders)
    change(folders / DEVELOP)
    assert diff(("old", "new"), jobs=3) == diff(("old", "new"))


def test_frozen_new_and_gone_tags(catalog: Path) -> None:
    change(catalog / PAGE)
    change(catalog / DEVELOP)
    shutil.rmtree(catalog / "_cache/v0.23.1")
    shutil.copytree(catalog / FROZEN, catalog / "_cache/v9")
    put_link(catalog / "_cache/v8", "/nowhere")
    add_legacy_page(catalog)
    expected = [("", False, False, False), ("develop", False, False, False),
                (TAG, True, False, False), ("v0.23.1", True, False, True),
                ("v8", False, True, False), ("v9", False, True, False)]

    def flags(report: DiffReport) -> list[tuple[str, bool, bool, bool]]:
        return sorted((tag.tag, tag.is_frozen, tag.is_new, tag.is_gone) for tag in report.tags)

    assert flags(diff(("main",))) == expected
    shutil.copytree(EXAMPLE, catalog.parent / "old")
    assert flags(diff(("../old", "."))) == expected
    settings = Settings(mutable_tags=frozenset({TAG}))
    assert [tag for tag, is_frozen, *_ in flags(diff(("main",), settings=settings)) if is_frozen
            ] == ["develop", "v0.23.1"]


def test_only_some_tags_and_packages(folders: Path) -> None:
    change(folders / PAGE)
    change(folders / DEVELOP)
    in_develop = len(list((EXAMPLE / "_cache/develop").iterdir()))
    report = diff(("old", "new"), tags=["develop"])
    assert (found(report), report.compared) == ([("develop", "swig", "changed")], in_develop)
    report = diff(("old", "new"), packages=["re2"])
    number = len(list(EXAMPLE.glob("_cache/*/re2")))
    assert (found(report), report.compared) == ([(TAG, "re2", "changed")], number)
    for tags, packages, message in (
        (["devlop"], [], 'unknown tag "devlop": neither side has a page of it; did you mean "deve'),
        ([], ["swg"], 'unknown package "swg": neither side has a page of it; did you mean "swig"'),
        (["develop", "v9"], [], 'unknown tag "v9"'),
        (["develop"], ["nowhere"], 'unknown package "nowhere"'),
    ):
        with pytest.raises(CachelintError, match=message):
            diff(("old", "new"), tags=tags, packages=packages)


def test_only_some_tags_and_packages_of_a_revision(catalog: Path) -> None:
    change(catalog / PAGE)
    change(catalog / DEVELOP)
    report = diff(("main",), tags=["develop"], packages=["swig", "yasm"])
    assert (found(report), report.compared) == ([("develop", "swig", "changed")], 2)
    with pytest.raises(CachelintError, match=r'unknown tag "devlop".*did you mean "develop"'):
        diff(("main",), tags=["devlop"])
    with pytest.raises(CachelintError, match="there is no page to compare"):
        diff(("main",), tags=["develop"], packages=["re2"])


def test_what_is_excluded_is_counted(catalog: Path) -> None:
    change(catalog / PAGE)
    settings = Settings(exclude=(f"{FROZEN}/**",))
    shutil.copytree(EXAMPLE, catalog.parent / "old")
    for sides in (("main",), ("../old", ".")):
        report = diff(sides, settings=settings)
        assert (found(report), report.compared) == ([], PAGES - len(EVERY))
        assert report.notes == (f"{len(EVERY)} pages of . excluded by the configuration, and so "
                                "not compared",)


def test_part_of_a_catalog(catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(catalog / PAGE)
    change(catalog / DEVELOP)
    monkeypatch.chdir(catalog / FROZEN)
    report = diff(("main",))
    assert (found(report), report.compared) == ([(TAG, "re2", "changed")], len(EVERY))
    assert pages(report)[0].path == "re2/specs.md"


def test_several_catalogs_of_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        shutil.copytree(EXAMPLE, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    git("init", "-q", "-b", "main")
    commit(tmp_path)
    change(tmp_path / "b" / PAGE)
    report = diff(("HEAD",))
    assert (report.compared, [(tag.catalog, tag.tag) for tag in report.tags]) == (
        2 * PAGES, [("b", TAG)])
    with pytest.raises(CachelintError, match="expected one catalog, found 2: name one of a, b"):
        diff((".", "a"))
    assert found(diff(("a", "b"))) == [(TAG, "re2", "changed")]


def test_before_the_first_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "site")
    monkeypatch.chdir(tmp_path / "site")
    git("init", "-q")
    assert Counter(kind for *_, kind in found(diff(("HEAD",)))) == {"added": PAGES}


def test_catalog_that_begins_or_ends(folders: Path) -> None:
    shutil.rmtree("old/_cache")
    (folders.parent / "old/_cache").mkdir()
    assert Counter(kind for *_, kind in found(diff(("old", "new")))) == {"added": PAGES}
    assert Counter(kind for *_, kind in found(diff(("new", "old")))) == {"removed": PAGES}
    with pytest.raises(CachelintError, match="there is no page to compare on either side"):
        diff(("old", "old"))


@pytest.mark.parametrize(("sides", "message"), [
    (("old", "main"), "main: expected a folder: two arguments are two folders, and one is a rev"),
    (("old/_data", "new"), "old/_data: no pages here"),
    (("old/_cache/develop", "new"), "old/_cache/develop: expected one catalog, found 0"),
])
def test_what_cannot_be_a_side(folders: Path, sides: tuple[str, ...], message: str) -> None:
    with pytest.raises(CachelintError, match=message):
        diff(sides)


def test_cache_that_leads_out(folders: Path) -> None:
    shutil.move(folders / "_cache", folders.parent / "elsewhere")
    (folders / "_cache").symlink_to("../elsewhere")
    with pytest.raises(CachelintError, match="new: its _cache is a link that leads out"):
        diff(("old", "new"))


def test_folder_that_cannot_be_listed(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.scandir

    def refuse(path: str) -> object:
        if path == f"new/{FROZEN}":
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    report = diff(("old", "new"))
    assert found(report) == [(TAG, each, "unreadable") for each in EVERY]
    assert report.compared == PAGES - len(EVERY)


# ------------------------------------------------------------------------------- surroundings


def test_submodule(catalog: Path) -> None:
    source = catalog.parent / "data"
    shutil.copytree(catalog / FROZEN, source)
    git("init", "-q", "-b", "main", cwd=source)
    commit(source)
    git("rm", "-rq", FROZEN)
    git("submodule", "--quiet", "add", str(source), FROZEN)
    commit(catalog)
    report = diff(("HEAD",))
    assert (found(report), report.compared) == ([], PAGES)
    change(catalog / PAGE)
    commit(catalog / FROZEN)
    assert found(diff(("HEAD",))) == [(TAG, "re2", "changed")]
    with pytest.raises(CachelintError, match="is a submodule and was not one at the base"):
        diff(("main",))


def test_sparse_checkout(catalog: Path) -> None:
    shutil.copytree(EXAMPLE, catalog.parent / "old")
    change(catalog / PAGE)
    commit(catalog)
    git("sparse-checkout", "set", "--no-cone", "/_data", "/pages", "/_cache/develop/")
    report = diff(("main",))
    in_develop = len(list((EXAMPLE / "_cache/develop").iterdir()))
    assert (found(report), report.compared) == ([], in_develop)
    assert report.notes == ("1 changed page of . not checked out (sparse checkout), and so not "
                            "compared",)
    report = diff(("../old", "."))
    assert Counter(page.reason for page in pages(report)) == {
        "now: not checked out (sparse checkout)": PAGES - in_develop}
    assert report.compared == in_develop
    assert not any(tag.is_gone for tag in report.tags)


def test_repository_in_the_checkout_configures_nothing(catalog: Path, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    git("config", "filter.evil.clean", f"touch {marker}; cat")
    git("config", "diff.evil.textconv", f"touch {marker}; cat")
    (catalog / ".gitattributes").write_text("* filter=evil diff=evil\n")
    git("init", "-q", "--bare", str(catalog / "_cache/bare"))
    git("config", "--file", str(catalog / "_cache/bare/config"), "core.fsmonitor",
        f"touch {marker}")
    change(catalog / PAGE)
    assert found(diff(("main",))) == [(TAG, "re2", "changed")]
    assert not marker.exists()


def test_partial_clone(catalog: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git("config", "uploadpack.allowFilter", "true")
    git("clone", "-q", "--filter=blob:none", catalog.as_uri(), str(tmp_path / "clone"))
    monkeypatch.chdir(tmp_path / "clone")
    change(tmp_path / "clone" / PAGE)
    assert found(diff(("origin/main",))) == [(TAG, "re2", "changed")]


def test_more_pages_than_are_requested_at_once(
    catalog: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cachelint.files.git._AHEAD", 3)
    shutil.rmtree(catalog / FROZEN)
    report = diff(("main",))
    assert found(report) == [(TAG, each, "removed") for each in EVERY]
    assert all(page.removed for page in pages(report))


def test_a_page_on_which_the_program_fails_does_not_end_the_run(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(folders / PAGE)
    change(folders / DEVELOP)

    def fail(page: PageChange, *_: object) -> PageChange:
        if page.package == "re2":
            raise ValueError("a fault")
        return page

    monkeypatch.setattr("cachelint.linter.diff.compare_page", fail)
    assert [(page.package, page.reason) for page in pages(diff(("old", "new")))] == [
        ("re2", "internal error: ValueError: a fault"), ("swig", "")]
