"""`--diff-base` where git's own diff does not name what changed, and what a search skips."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cachelint import CachelintError, Settings, check, fix
from cachelint.runner.diff import diff
from support.checkout import (
    EXAMPLE,
    FROZEN,
    PAGE,
    PAGES,
    change,
    codes,
    commit,
    git,
)
from support.effort import count_steps

OTHER = f"{FROZEN}/abseil-cpp/specs.md"
Step = Callable[[Path], object]


# ------------------------------------------------------------------------------- links


def link(path: Path, to: str) -> Path:
    """Move a file or folder, and put a relative link in its stead; return where it is now."""
    target = Path(to)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(path, target)
    path.symlink_to(os.path.relpath(target, path.parent))
    return target


LINKS: dict[str, Step] = {
    "cache": lambda root: link(root / "_cache", "data/all"),
    "tag": lambda root: link(root / FROZEN, "data/tag"),
    "package": lambda root: link((root / PAGE).parent, "data/package"),
    "page": lambda root: link(root / PAGE, "data/page.md"),
    "tag and package": lambda root: (link((root / PAGE).parent, "data/package"),
                                     link(root / FROZEN, "data/tag")),
    "link to a link": lambda root: (link(root / FROZEN, "data/tag"),
                                    link(root / "data", "other")),
}


# name: what becomes of a package with a number
MANY: dict[str, Callable[[Path, int], object]] = {
    "a link to nowhere": lambda package, _: package.with_name(f"{package.name}x").symlink_to("x"),
    "a link to it": lambda package, _: package.with_name(f"{package.name}x").symlink_to(
        package.name),
    "moved behind a link": lambda package, number: link(package, f"data/{number}"),
    "a page that is a link": lambda package, number: link(
        package / "specs.md", f"data/{number}.md"),
    "changed": lambda package, _: change(package / "specs.md"),
    "removed": lambda package, _: shutil.rmtree(package),
}


@pytest.mark.parametrize("is_named", [False, True], ids=["catalog", "pages"])
@pytest.mark.parametrize("make", MANY.values(), ids=MANY)
def test_effort_grows_with_the_number_of_changes(
    catalog: Path, make: Callable[[Path, int], object], is_named: bool
) -> None:
    def effort(number: int) -> int:
        shutil.rmtree(catalog / "_cache")
        packages = [catalog / FROZEN / f"p{each}" for each in range(number)]
        for each in packages:
            each.mkdir(parents=True)
            shutil.copy(EXAMPLE / PAGE, each)
        commit(catalog)
        for index, each in enumerate(packages):
            make(each, index)
        shutil.copytree((EXAMPLE / PAGE).parent, catalog / FROZEN / "re2")
        pages = [f"{FROZEN}/p{each}/specs.md" for each in range(number)]
        paths = [*filter(os.path.lexists, [*pages, PAGE])] if is_named else ["."]
        steps = count_steps(lambda: check(paths, diff_base="HEAD"))
        commit(catalog)
        shutil.rmtree(catalog / "data", ignore_errors=True)
        return steps

    effort(1)  # what is read and compiled once
    few, many = effort(15), effort(120)
    assert many < 12 * few


@pytest.mark.parametrize("make", LINKS.values(), ids=LINKS)
def test_change_behind_a_link(catalog: Path, make: Step) -> None:
    make(catalog)
    commit(catalog)
    report = check(diff_base="main")
    assert (report.findings, report.compared) == ((), PAGES)
    change(catalog / PAGE)
    assert codes() == [(PAGE, "CL801")]
    commit(catalog)
    assert codes("HEAD~1") == [(PAGE, "CL801")]


@pytest.mark.parametrize("make", LINKS.values(), ids=LINKS)
def test_page_removed_behind_a_link(catalog: Path, make: Step) -> None:
    make(catalog)
    commit(catalog)
    (catalog / PAGE).resolve().unlink()
    is_there = os.path.lexists(catalog / PAGE)  # a link to nowhere
    assert codes() == [(PAGE, "CL100" if is_there else "CL802")]


@pytest.mark.parametrize("make", LINKS.values(), ids=LINKS)
def test_what_becomes_a_link_is_compared_with_what_it_was(catalog: Path, make: Step) -> None:
    git("checkout", "-qb", "topic")
    make(catalog)
    report = check(diff_base="main")
    assert (report.findings, report.compared) == ((), PAGES)
    change(catalog / PAGE)
    assert codes() == [(PAGE, "CL801")]
    commit(catalog)
    assert codes() == [(PAGE, "CL801")]


@pytest.mark.parametrize("make", LINKS.values(), ids=LINKS)
def test_what_was_a_link_is_compared_with_what_it_led_to(catalog: Path, make: Step) -> None:
    make(catalog)
    commit(catalog)
    git("checkout", "-qb", "topic")
    git("checkout", "-q", "main~1", "--", "_cache")
    shutil.rmtree(catalog / "_cache", ignore_errors=True)
    (catalog / "_cache").unlink(missing_ok=True)
    shutil.copytree(EXAMPLE / "_cache", catalog / "_cache")
    assert codes() == []
    change(catalog / PAGE)
    assert codes() == [(PAGE, "CL801")]
    commit(catalog)
    assert codes() == [(PAGE, "CL801")]


def test_another_target_with_another_page(catalog: Path) -> None:
    shutil.copytree(catalog / FROZEN, catalog / "other")
    change(catalog / "other/re2/specs.md")
    link(catalog / FROZEN, "tag")
    commit(catalog)
    (catalog / FROZEN).unlink()
    (catalog / FROZEN).symlink_to("../other")
    assert codes() == [(PAGE, "CL801")]


def test_link_that_leads_out_now(catalog: Path, tmp_path: Path) -> None:
    shutil.move(catalog / FROZEN, tmp_path / "outside")
    (catalog / FROZEN).symlink_to(tmp_path / "outside")
    found = codes()
    assert (FROZEN, "CL100") in found
    assert {code for path, code in found if path != FROZEN} == {"CL802"}
    commit(catalog)
    with pytest.raises(CachelintError, match=f"{FROZEN} is a link that leads out of the catalog"):
        check(diff_base="main")
    with pytest.raises(CachelintError, match=f"{FROZEN} is a link that leads out of the catalog"):
        check([FROZEN], diff_base="main")
    assert check(["_cache/develop"], diff_base="main").findings == ()
    settings = Settings(exclude=(FROZEN,))
    assert check(diff_base="main", settings=settings).findings == ()


def test_tags_file_behind_a_link(catalog: Path) -> None:
    link(catalog / "_data", "data")
    commit(catalog)
    tags = catalog / "data/tags.yaml"
    tags.write_text(tags.read_text().replace("  - tutorial\n", ""))
    assert {code for _, code in codes()} == {"CL604"}


# ------------------------------------------------------------------------------- submodules


def make_submodule(catalog: Path, folder: str) -> Path:
    """Make a folder of the catalog a submodule; return its checkout."""
    source = catalog.parent / "data"
    shutil.copytree(catalog / folder, source)
    git("init", "-q", "-b", "main", cwd=source)
    commit(source)
    git("rm", "-rq", folder, cwd=catalog)
    git("submodule", "--quiet", "add", str(source), folder, cwd=catalog)
    commit(catalog)
    return catalog / folder


@pytest.mark.parametrize("folder", ["_cache", FROZEN, str(Path(PAGE).parent)])
def test_change_in_a_submodule(catalog: Path, folder: str) -> None:
    checkout = make_submodule(catalog, folder)
    report = check(diff_base="main")
    assert (report.findings, report.compared) == ((), PAGES)
    change(catalog / PAGE)
    assert codes() == [(PAGE, "CL801")]
    commit(checkout)
    assert codes() == [(PAGE, "CL801")]
    commit(catalog)
    assert codes("HEAD~1") == [(PAGE, "CL801")]
    assert codes() == []


def test_page_removed_in_a_submodule(catalog: Path) -> None:
    checkout = make_submodule(catalog, "_cache")
    (catalog / PAGE).unlink()
    commit(checkout)
    assert codes() == [(PAGE, "CL802")]
    assert codes("main", "_cache") == [(PAGE, "CL802")]


@pytest.mark.parametrize(("spoil", "message"), [
    (lambda root: git("submodule", "--quiet", "deinit", "-f", FROZEN),
     f"{FROZEN} is a submodule that is not checked out: git submodule update --init"),
    (lambda root: (git("rm", "-qf", FROZEN), shutil.copytree(EXAMPLE / FROZEN, root / FROZEN)),
     f"{FROZEN} is a submodule only at the base"),
])
def test_submodule_that_cannot_be_compared(catalog: Path, spoil: Step, message: str) -> None:
    make_submodule(catalog, FROZEN)
    spoil(catalog)
    with pytest.raises(CachelintError, match=message):
        check(diff_base="main")


def test_submodule_without_the_commit_of_the_base(catalog: Path) -> None:
    make_submodule(catalog, FROZEN)
    unknown = "1" * len(git("rev-parse", "HEAD"))
    git("update-index", "--cacheinfo", f"160000,{unknown},{FROZEN}")
    git("commit", "-qm", "a commit that was never fetched")
    git("checkout", "-qb", "topic")
    commit(catalog)
    with pytest.raises(CachelintError, match=f"does not have the commit {unknown} of the base"):
        check(diff_base="main")


@pytest.mark.parametrize("is_in_git", [True, False])
def test_cache_that_is_a_checkout_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_in_git: bool
) -> None:
    root = tmp_path / "site"
    shutil.copytree(EXAMPLE, root)
    monkeypatch.chdir(root)
    if is_in_git:
        (root / ".gitignore").write_text("_cache\n")
        git("init", "-q", "-b", "main")
        commit(root)
    git("init", "-q", "-b", "main", cwd=root / "_cache")
    commit(root / "_cache")
    report = check(diff_base="main")
    assert (report.findings, report.compared) == ((), PAGES)
    assert report.notes == ("_cache is a checkout of its own: the files beside it were not "
                            "compared",)
    change(root / PAGE)
    assert codes() == [(PAGE, "CL801")]


def test_untracked_checkout_within(catalog: Path) -> None:
    git("init", "-q", cwd=catalog / FROZEN)
    shutil.move(catalog / FROZEN, catalog / "_cache/v1.0.0")
    assert {path for path, code in codes() if code == "CL602"} == {
        f"_cache/v1.0.0/{each.name}/specs.md" for each in (EXAMPLE / FROZEN).iterdir()}
    page = catalog / "_cache/v1.0.0/re2/specs.md"
    page.write_text(page.read_text("utf-8").replace('"num_specs": ', '"num_specs": 9'), "utf-8")
    before = page.read_bytes()
    assert fix(["."], diff_base="main").skipped == (
        ("_cache/v1.0.0/re2/specs.md", "another checkout: name it to fix it"),)
    assert page.read_bytes() == before


@pytest.mark.parametrize("bit", ["--assume-unchanged", "--skip-worktree"])
@pytest.mark.parametrize("is_removed", [False, True])
def test_what_git_takes_for_unchanged_is_compared(
    catalog: Path, bit: str, is_removed: bool
) -> None:
    page = catalog / FROZEN / "re2/specs.md"
    git("update-index", bit, str(page))
    change(page)
    expected = "CL801"
    if is_removed:
        page.unlink()
        expected = "CL802"
    if is_removed and bit == "--skip-worktree":  # as in a sparse checkout
        assert check(diff_base="main").compared == PAGES - 1
        return
    assert (f"{FROZEN}/re2/specs.md", expected) in codes()
    assert check(diff_base="main").compared == PAGES


def test_catalog_that_git_does_not_know(catalog: Path) -> None:
    shutil.copytree(catalog / "_cache", catalog / "build/_cache")
    (catalog / ".gitignore").write_text("build\n")
    commit(catalog)
    with pytest.raises(CachelintError, match="no page of build can be compared"):
        check(["build"], diff_base="main")


def test_tag_and_page_that_git_ignores_are_notes(catalog: Path) -> None:
    shutil.copytree(catalog / FROZEN, catalog / "_cache/v9.0.0")
    shutil.copytree(catalog / FROZEN / "re2", catalog / "_cache/develop/zz")
    (catalog / ".gitignore").write_text("_cache/v9*\n_cache/develop/zz\n")
    report = check(diff_base="main")
    assert report.notes == ("_cache/develop/zz/specs.md: not compared: git ignores it",
                            "_cache/v9.0.0: not compared: git ignores it")
    assert report.compared == PAGES
    shutil.copytree(catalog / FROZEN / "re2", catalog / "_cache/develop/zzz")
    (catalog / ".gitignore").write_text("_cache/v9*\n_cache/develop/z*\n")
    assert check(diff_base="main").notes[0] == (
        "2 pages of _cache/develop not compared: git ignores them")
    excluded = Settings(exclude=("zz*",))
    assert check(diff_base="main", settings=excluded).notes == report.notes[1:]
    (note,) = check(["_cache/develop/zz"], diff_base="main").notes
    assert note == "_cache/develop/zz/specs.md: not compared: git ignores it"


# ------------------------------------------------------------------------------- whole catalogs


@pytest.fixture
def sites(catalog: Path) -> Path:
    """A repository with the catalogs `sites/a` and `sites/b`."""
    for name in ("a", "b"):
        shutil.copytree(EXAMPLE, catalog / "sites" / name)
    for name in ("_cache", "_data", "pages"):
        shutil.rmtree(catalog / name)
    commit(catalog)
    git("branch", "base")
    return catalog


def replace(path: str, make: Callable[[Path], object]) -> None:
    shutil.rmtree(path)
    make(Path(path))


FROZEN_PAGES = 17
# name: what is done to the catalog `sites/a`, so that a search does not find it
REMOVED: dict[str, Callable[[], object]] = {
    "removed": lambda: shutil.rmtree("sites/a"),
    "pages removed": lambda: shutil.rmtree("sites/a/_cache"),
    "a folder that is not searched": lambda: shutil.move("sites/a", "vendor"),
    "a hidden folder": lambda: shutil.move("sites/a", "sites/.a"),
    "another name": lambda: shutil.move("sites/a/_cache", "sites/a/cache"),
    "a file": lambda: replace("sites/a/_cache", Path.touch),
    "a link to nowhere": lambda: replace("sites/a/_cache", lambda path: path.symlink_to("x")),
    "ignored": lambda: (Path(".gitignore").write_text("sites/a\n"),
                        git("rm", "-rq", "--cached", "sites/a")),
}


@pytest.mark.parametrize("is_committed", [False, True], ids=["work tree", "commit"])
@pytest.mark.parametrize("remove", REMOVED.values(), ids=REMOVED)
def test_catalog_that_is_gone_is_compared(
    sites: Path, remove: Callable[[], object], is_committed: bool
) -> None:
    remove()
    if is_committed:
        commit(sites)
    for where, folder in (("sites/b", ".."), (".", "sites"), (".", ".")):
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(where)
            report = check([folder], diff_base="base")
            assert report.compared == 2 * PAGES
            removed = [each.path for each in report.findings if each.code == "CL802"]
            assert len(removed) == FROZEN_PAGES
            assert os.path.relpath(sites / "sites/a" / PAGE) in removed
    assert sum(tag.is_gone for tag in diff(("base",)).tags) == 4
    assert check(["sites/b"], diff_base="base").compared == PAGES
    assert fix(["sites"], diff_base="base").changed == ()


@pytest.mark.parametrize("make", [
    lambda path: path.symlink_to("b"),
    lambda path: git("clone", "-q", ".", str(path)),
], ids=["a link", "a clone"])
def test_catalog_that_became_another_folder(sites: Path, make: Step) -> None:
    replace("sites/a", make)
    with pytest.raises(CachelintError, match="sites/a was a catalog at the base, and is a link"):
        check(["."], diff_base="base")


def test_link_that_leads_back_to_itself_hides_no_catalog(sites: Path) -> None:
    (sites / "sites/loop").symlink_to("loop")
    change(sites / "sites/a" / PAGE)
    report = check(["."], diff_base="base")
    assert (report.compared, [each.code for each in report.findings]) == (2 * PAGES, ["CL801"])
    assert (report.notes, check(["."]).notes) == ((), ())
    replace("sites/b/_cache", lambda path: path.symlink_to("_cache"))
    with pytest.raises(CachelintError, match="sites/b/_cache: a link that leads back to itself"):
        check(["."])


def test_catalog_that_is_not_checked_out(sites: Path) -> None:
    git("sparse-checkout", "set", "sites/b")
    report = check(["."], diff_base="base")
    assert (report.findings, report.notes, report.compared) == ((), (), PAGES)
    git("sparse-checkout", "disable")
    change(sites / "sites/a" / PAGE)
    commit(sites)
    git("sparse-checkout", "set", "sites/b")
    assert check(["."], diff_base="base").notes == (
        "1 changed page of sites/a not checked out (sparse checkout), and so not compared",)


def test_catalog_in_a_submodule_is_compared_with_the_commit_of_the_base(sites: Path) -> None:
    checkout = make_submodule(sites, "sites/a")
    assert check(["."], diff_base="HEAD").compared == 2 * PAGES
    change(checkout / PAGE)
    commit(checkout)
    commit(sites)
    page = f"sites/a/{PAGE}"
    assert codes("HEAD") == []
    for revision, path in (("HEAD~1", "."), ("main~1", "sites/a")):
        assert codes(revision, path) == [(page, "CL801")]
    with pytest.MonkeyPatch.context() as patch:  # there, a revision is one of the submodule
        patch.chdir(checkout)
        assert codes("HEAD") == []
        assert codes("HEAD~1") == [(PAGE, "CL801")]
    with pytest.raises(CachelintError, match="sites/a was a catalog at the base, and is a link or"):
        check(["."], diff_base="base")
    with pytest.raises(CachelintError, match="sites/a is a submodule, and was not one at the base"):
        check(["sites/a"], diff_base="base")
    shutil.rmtree(checkout / "_cache")
    commit(checkout)
    commit(sites)
    assert len([code for _, code in codes("HEAD~1") if code == "CL802"]) == FROZEN_PAGES
    git("rm", "-qf", "sites/a")
    assert check(["."], diff_base="HEAD~1").notes == (
        "sites/a: not compared: it is a submodule of the base whose commits are not here",)


# ------------------------------------------------------------------------------- no code, no noise


def test_time_stamps_do_not_matter_and_filters_do_not_run(catalog: Path, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    git("config", "filter.evil.clean", f"touch {marker}; cat")
    git("config", "filter.evil.smudge", f"touch {marker}; cat")
    git("config", "diff.evil.textconv", f"touch {marker}; cat")
    git("config", "diff.evil.command", f"touch {marker}; false")
    (catalog / ".gitattributes").write_text("* filter=evil diff=evil\n")
    os.utime(catalog / PAGE)
    report = check(diff_base="main")
    assert (report.findings, report.pages, report.compared) == ((), 0, PAGES)
    change(catalog / PAGE)
    assert codes() == [(PAGE, "CL801")]
    assert not marker.exists()


@pytest.mark.parametrize(("attributes", "code"), [
    ("text eol=crlf", "CL103"), ("text working-tree-encoding=UTF-16", "CL101")])
@pytest.mark.parametrize("folder", ["", "site/"])
@pytest.mark.parametrize("is_committed", [True, False])
def test_attributes_that_change_the_bytes_of_each_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, attributes: str, code: str,
    is_committed: bool,
) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "r" / folder, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path / "r")
    git("init", "-q", "-b", "main")
    commit(tmp_path / "r")
    git("checkout", "-qb", "topic")
    (tmp_path / "r/.gitattributes").write_text(f"*.md {attributes}\n")
    if is_committed:
        commit(tmp_path / "r")
    for name in ("_cache", "pages"):
        shutil.rmtree(tmp_path / "r" / folder / name)
    git("checkout", "-q", "--", ".")
    assert git("diff", "main", "--", f"{folder}_cache") == ""
    found = check([folder or "."], diff_base="main").findings
    tag_pages = 4
    assert len({each.path for each in found if each.code == code}) == PAGES + tag_pages


def test_process_that_cannot_be_started(
    catalog: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(subprocess.Popen, "_execute_child", refuse)
    with pytest.raises(CachelintError, match="git cannot be started: Resource temporarily"):
        check(diff_base="main")


def test_objects_named_by_sha256(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "site")
    monkeypatch.chdir(tmp_path / "site")
    git("init", "-q", "-b", "main", "--object-format=sha256")
    commit(tmp_path / "site")
    os.utime(PAGE)
    assert check(diff_base="main").pages == 0
    change(Path(PAGE))
    assert codes() == [(PAGE, "CL801")]


# ------------------------------------------------------------------------------- sparse checkouts


def write_sparse(catalog: Path, *patterns: str) -> None:
    git("sparse-checkout", "set", "--no-cone", *patterns)
    assert not (catalog / PAGE).exists()


SPARSE = {
    "a tag": ("/_data", "/pages", "/_cache/develop/"),
    "a package": ("/_data", "/pages", "/_cache/", f"!/{FROZEN}/re2/"),
    "no tag pages": ("/_data", "/_cache/develop/"),
    "some tag pages": ("/_data", "/pages/tags/develop.md", "/_cache/develop/"),
    "no meta.yaml": ("/_data/tags.yaml", "/pages", "/_cache/develop/"),
    "no tags.yaml": ("/_data/meta.yaml", "/pages", "/_cache/develop/"),
}


@pytest.mark.parametrize("patterns", SPARSE.values(), ids=SPARSE)
def test_what_is_not_checked_out_is_not_missing(catalog: Path, patterns: tuple[str, ...]) -> None:
    write_sparse(catalog, *patterns)
    assert check(["."]).findings == ()
    assert check(["_cache/develop"]).findings == ()
    report = check(["."], diff_base="main")
    assert report.findings == ()
    done = fix(["."])
    assert (done.changed, done.report.findings) == ((), ())
    assert git("status", "--porcelain") == ""


def test_sparse_checkout_in_a_linked_worktree(
    catalog: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git("worktree", "add", "-q", str(tmp_path / "linked"))
    monkeypatch.chdir(tmp_path / "linked")
    write_sparse(tmp_path / "linked", *SPARSE["a tag"])
    assert check(["."]).findings == ()


def test_changed_page_that_is_not_checked_out_is_a_note(catalog: Path) -> None:
    git("checkout", "-qb", "topic")
    change(catalog / PAGE)
    commit(catalog)
    write_sparse(catalog, *SPARSE["a tag"])
    report = check(["."], diff_base="main")
    assert report.findings == ()
    assert report.notes == ("1 changed page of . not checked out (sparse checkout), and so not "
                            "compared",)
    assert report.compared == len(list((catalog / "_cache/develop").glob("*/specs.md")))
    git("rm", "-q", "--sparse", PAGE)
    assert (PAGE, "CL802") in codes()


def test_partial_clone(catalog: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git("config", "uploadpack.allowFilter", "true")
    git("clone", "-q", "--filter=blob:none", catalog.as_uri(), str(tmp_path / "clone"))
    monkeypatch.chdir(tmp_path / "clone")
    assert check(["."]).findings == ()
    change(tmp_path / "clone" / PAGE)
    assert codes("origin/main") == [(PAGE, "CL801")]


# ------------------------------------------------------------------------------- what is searched


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a catalog in `site`, and a stale page in each further one."""
    root = tmp_path / "work"
    shutil.copytree(EXAMPLE, root / "site")
    (root / ".gitignore").write_text("build/\n")
    monkeypatch.chdir(root)
    git("init", "-q", "-b", "main")
    commit(root)
    return root


def add_stale(root: Path) -> Path:
    shutil.copytree(EXAMPLE, root, dirs_exist_ok=True)
    page = root / "_cache/develop/swig/specs.md"
    page.write_text(page.read_text("utf-8").replace('"num_specs": ', '"num_specs": 9'), "utf-8")
    return page


def add_clone(root: Path) -> str:
    git("clone", "-q", ".", "clone")
    add_stale(root / "clone/site")
    return "clone/site"


def add_worktree(root: Path) -> str:
    git("worktree", "add", "-q", "linked")
    add_stale(root / "linked/site")
    return "linked/site"


def add_ignored(root: Path) -> str:
    add_stale(root / "build/site")
    return "build/site"


@pytest.mark.parametrize(("add", "why"), [
    (add_clone, "another checkout"), (add_worktree, "another checkout"),
    (add_ignored, "ignored by git"),
])
def test_what_is_not_of_the_checkout_is_skipped(
    site: Path, add: Callable[[Path], str], why: str
) -> None:
    skipped = add(site)
    page = site / skipped / "_cache/develop/swig/specs.md"
    before = page.read_bytes()
    report = check(["."])
    assert report.notes == (f"{skipped}: skipped: {why}; name it to include it",)
    assert (report.findings, report.pages) == ((), PAGES)
    assert fix(["."]).report.notes == report.notes
    assert page.read_bytes() == before
    done = subprocess.run([sys.executable, "-m", "cachelint", "check", "--quiet"],
                          capture_output=True, text=True, check=True)
    assert done.stderr == f"note: {report.notes[0]}\n"
    assert [each.code for each in check([skipped]).findings] == ["CL301"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(skipped)
        assert [each.code for each in check(["."]).findings] == ["CL301"]
    assert len(fix([skipped]).changed) == 1


@pytest.mark.parametrize(("pattern", "clone", "why"), [
    ("_cache/develop/", "", "ignored by git"), ("_cache/", "", "ignored by git"),
    ("_cache/develop/swig", "", "ignored by git"), ("specs.md", "", "ignored by git"),
    ("none", "_cache/develop", "another checkout"),
    ("none", "_cache/develop/swig", "another checkout"), ("none", "_cache", "another checkout"),
])
@pytest.mark.parametrize("named", [
    "_cache/develop", "_cache", "_cache/develop/swig", "_cache/develop/swig/specs.md"])
def test_page_of_the_catalog_that_is_not_of_the_checkout_is_checked_and_not_fixed(
    site: Path, pattern: str, clone: str, why: str, named: str
) -> None:
    catalog = site / "site"
    (catalog / ".gitignore").write_text(f"{pattern}\n")
    git("rm", "-rq", "--cached", "site/_cache" if pattern != "_cache/develop/swig"
        else f"site/{pattern}")
    commit(site)
    if clone:
        git("init", "-q", cwd=catalog / clone)
    page = add_stale(catalog)
    before = page.read_bytes()
    assert [each.code for each in check(["site"]).findings] == ["CL301"]
    done = fix(["site"])
    assert done.skipped == (
        ("site/_cache/develop/swig/specs.md", f"{why}: name it to fix it"),)
    assert [each.code for each in done.report.findings] == ["CL301"]
    assert page.read_bytes() == before
    assert len(fix([f"site/{named}"]).changed) == 1


def test_ignored_folder_is_searched_where_it_is_named(site: Path) -> None:
    add_ignored(site)
    assert [each.code for each in check(["build"]).findings] == ["CL301"]


def test_catalog_that_git_tracks_although_it_is_ignored(site: Path) -> None:
    add_ignored(site)
    git("add", "-f", "build")
    assert [each.code for each in check(["."]).findings] == ["CL301"]


def test_submodule_is_part_of_the_checkout(site: Path) -> None:
    source = site.parent / "source"
    add_stale(source)
    git("init", "-q", "-b", "main", cwd=source)
    commit(source)
    git("submodule", "--quiet", "add", str(source), "sub")
    report = check(["."])
    assert ([each.code for each in report.findings], report.notes) == (["CL301"], ())


def test_clones_are_searched_where_no_checkout_is_around_them(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(site, site.parent / "copy")
    add_stale(site / "site")
    add_stale(site / "build")
    monkeypatch.chdir(site.parent)
    report = check(["."])
    assert [each.path for each in report.findings] == ["work/site/_cache/develop/swig/specs.md"]
    assert report.notes == ("work/build: skipped: ignored by git; name it to include it",)


def test_nothing_left_is_an_error(site: Path) -> None:
    shutil.rmtree(site / "site")
    add_ignored(site)
    with pytest.raises(CachelintError, match="build/site: skipped: ignored by git"):
        check(["."])


def test_git_that_does_not_answer_is_a_note(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    (note,) = check(["."]).notes
    assert note.startswith("site: it is not known whether git ignores it: ")
    assert "safe.directory" in note


def test_pages_are_not_fixed_where_git_does_not_answer(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = add_stale(site / "site")
    before = page.read_bytes()
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    ((_, reason),) = fix(["site"]).skipped
    assert reason.startswith("it is not known whether git ignores it: ")
    assert "safe.directory" in reason
    assert page.read_bytes() == before


def test_checkout_below_a_folder_called_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "_cache/site"
    page = add_stale(root)
    (root / "index.md").write_text("---\nlayout: home\n---\n")
    git("init", "-q", cwd=root)
    for where, paths in ((root, ["."]), (tmp_path, ["_cache/site"])):
        monkeypatch.chdir(where)
        report = check(paths)
        assert [str(Path(each.path).absolute()) for each in report.findings] == [str(page)]
        assert report.pages == PAGES
