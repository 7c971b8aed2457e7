"""Which files a path stands for, what lies in a tag, and what reading a file comes to."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cachelint import CachelintError, check
from cachelint.files import discovery
from cachelint.files.discovery import Listing, list_tag, select
from cachelint.files.paths import catalog_of, display_path, join, page_id_of
from cachelint.files.read_write import Unreadable, create, read, replace
from cachelint.model import PageId
from support import valid

FRONT_MATTER = "---\na: 1\n---"


def make(root: Path, *paths: str, text: str = FRONT_MATTER) -> None:
    """Write files below a folder; a path that ends in `/` is a folder."""
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        if path.endswith("/"):
            (root / path).mkdir(exist_ok=True)
        else:
            (root / path).write_text(text)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


# ------------------------------------------------------------------------------- paths

TREE = [
    "one/_cache/develop/zlib/specs.md", "one/_cache/develop/gcc/specs.md",
    "one/_cache/v1/zlib/specs.md", "one/_cache/adol-c/index.md",
    "one/_data/tags.yaml", "one/_data/meta.yaml", "one/pages/tags/develop.md", "one/README.md",
    "deep/er/two/_cache/v1/zlib/specs.md",
    "one/.git/_cache/v1/zlib/specs.md", "one/_site/_cache/v1/zlib/specs.md",
    "one/node_modules/a/_cache/v1/zlib/specs.md", "one/vendor/a/_cache/v1/zlib/specs.md",
    "one/_cache/.hidden/zlib/specs.md", "one/_cache/develop/_cache/zlib/specs.md",
    "odd/page.txt", "odd/specs.md", "empty/a/b/", "one/_cache/bare/zlib/README.md",
]
Chosen = tuple[list[tuple[str, str, Any]], list[str], list[str]]


def chosen(*paths: str) -> Chosen:
    """Return what paths stand for, in plain values."""
    selection = select(paths)
    return ([task[:3] for task in selection.tasks], list(selection.roots),
            list(selection.catalog_files))


def whole(root: str, *tags: str) -> list[tuple[str, str, Any]]:
    return [(root, tag, None) for tag in tags]


ONE = whole("one", "adol-c", "bare", "develop", "v1")
TWO = whole("deep/er/two", "v1")
PAGE_ONE = "one/_cache/develop/zlib/specs.md"
PAGE_TWO = "one/_cache/develop/gcc/specs.md"

SELECTED: dict[str, tuple[list[str], Chosen]] = {
    "folder of catalogs": (["."], (TWO + ONE, ["deep/er/two", "one"], [])),
    "catalog": (["one"], (ONE, ["one"], [])),
    "catalog, with a slash": (["one/"], (ONE, ["one"], [])),
    "catalog, by a detour": (["deep/../one"], (ONE, ["one"], [])),
    "catalog, deep below": (["deep"], (TWO, ["deep/er/two"], [])),
    "_cache": (["one/_cache"], (ONE, ["one"], [])),
    "tag": (["one/_cache/develop"], (whole("one", "develop"), [], [])),
    "legacy package": (["one/_cache/adol-c"], (whole("one", "adol-c"), [], [])),
    "package": (["one/_cache/develop/zlib"], ([("one", "develop", (PAGE_ONE,))], [], [])),
    "page": ([PAGE_ONE], ([("one", "develop", (PAGE_ONE,))], [], [])),
    "two pages, sorted": ([PAGE_ONE, PAGE_TWO],
                          ([("one", "develop", (PAGE_TWO, PAGE_ONE))], [], [])),
    "a page twice": ([PAGE_ONE, f"./{PAGE_ONE}"], ([("one", "develop", (PAGE_ONE,))], [], [])),
    "page and its tag": ([PAGE_ONE, "one/_cache/develop"], (whole("one", "develop"), [], [])),
    "page and its catalog": ([PAGE_ONE, "one"], (ONE, ["one"], [])),
    "catalog and its tag": (["one/_cache/v1", "one"], (ONE, ["one"], [])),
    "two catalogs": (["one", "deep/er"], (TWO + ONE, ["deep/er/two", "one"], [])),
    "tags in two catalogs": (["one/_cache/v1", "deep/er/two/_cache/v1"],
                             (TWO + whole("one", "v1"), [], [])),
    "legacy page": (["one/_cache/adol-c/index.md"],
                    ([(".", "", ("one/_cache/adol-c/index.md",))], [], [])),
    "file of another name": (["odd/page.txt"], ([(".", "", ("odd/page.txt",))], [], [])),
    "file of a page's name elsewhere": (["odd/specs.md"], ([(".", "", ("odd/specs.md",))], [], [])),
    "file beside pages": (["one/_cache/bare/zlib/README.md"],
                          ([(".", "", ("one/_cache/bare/zlib/README.md",))], [], [])),
    "tags.yaml": (["one/_data/tags.yaml"], ([], [], ["one/_data/tags.yaml"])),
    "meta.yaml and a tag's page": (
        ["one/_data/meta.yaml", "one/pages/tags/develop.md"],
        ([], [], ["one/_data/meta.yaml", "one/pages/tags/develop.md"])),
    "hidden folder, named": (["one/.git"], (whole("one/.git", "v1"), ["one/.git"], [])),
    "vendor, named": (["one/vendor"], (whole("one/vendor/a", "v1"), ["one/vendor/a"], [])),
    "nothing": ([], ([], [], [])),
}


@pytest.mark.parametrize(("paths", "due"), SELECTED.values(), ids=SELECTED)
def test_paths_stand_for(here: Path, paths: list[str], due: Chosen) -> None:
    make(here, *TREE)
    assert chosen(*paths) == due


@pytest.mark.parametrize(("paths", "due"), SELECTED.values(), ids=SELECTED)
def test_absolute_paths_stand_for_the_same(here: Path, paths: list[str], due: Chosen) -> None:
    make(here, *TREE)
    assert chosen(*(f"{here}/{path}" for path in paths)) == due


# name: (working directory, path, what it stands for)
FROM_WITHIN: dict[str, tuple[str, str, Chosen]] = {
    "in the catalog": ("one", ".", (whole(".", "adol-c", "bare", "develop", "v1"), ["."], [])),
    "in _cache": ("one/_cache", ".", (whole("..", "adol-c", "bare", "develop", "v1"), [".."], [])),
    "in a tag": ("one/_cache/v1", ".", (whole("../..", "v1"), [], [])),
    "in a package": ("one/_cache/v1/zlib", ".", ([("../../..", "v1", ("specs.md",))], [], [])),
    "page, in its folder": ("one/_cache/v1/zlib", "specs.md",
                            ([("../../..", "v1", ("specs.md",))], [], [])),
    "page, in its tag": ("one/_cache/v1", "zlib/specs.md",
                         ([("../..", "v1", ("zlib/specs.md",))], [], [])),
    "page of another tag": ("one/_cache/v1", "../develop/zlib/specs.md",
                            ([("../..", "develop", ("../develop/zlib/specs.md",))], [], [])),
    "beside": ("odd", "../one/_cache/v1", (whole("../one", "v1"), [], [])),
    "tags.yaml": ("one/_data", "tags.yaml", ([], [], ["tags.yaml"])),
}


@pytest.mark.parametrize(("folder", "path", "due"), FROM_WITHIN.values(), ids=FROM_WITHIN)
def test_paths_from_within(
    here: Path, folder: str, path: str, due: Chosen, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(here, *TREE)
    monkeypatch.chdir(here / folder)
    assert chosen(path) == due


@pytest.mark.parametrize(
    ("folder", "root", "page"),
    [
        ("one", ".", "_cache/v1/zlib/specs.md"),
        ("one/_cache", "..", "v1/zlib/specs.md"),
        ("one/_cache/v1", "../..", "zlib/specs.md"),
        ("one/_cache/v1/zlib", "../../..", "specs.md"),
        ("one/_cache/develop", "../..", "../v1/zlib/specs.md"),
        ("odd", "../one", "../one/_cache/v1/zlib/specs.md"),
    ],
)
def test_paths_are_short_in_any_working_folder(
    here: Path, folder: str, root: str, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(here, *TREE)
    monkeypatch.chdir(here / folder)
    assert page in [path for path, _ in list_tag(root, "v1").pages]
    assert join(root, "_cache/v1/zlib/specs.md") == page


# name: (path, the sentence)
UNUSABLE: dict[str, tuple[str, str]] = {
    "misspelt tag": ("one/_cache/develp", "one/_cache/develp: no such file or folder"
                     "; did you mean one/_cache/develop?"),
    "misspelt page": ("one/_cache/v1/zlib/spec.md", "one/_cache/v1/zlib/spec.md: no such "
                      "file or folder; did you mean one/_cache/v1/zlib/specs.md?"),
    "misspelt, with a slash": ("onee/", "onee/: no such file or folder; did you mean one?"),
    "like nothing there": ("xyzzy", "xyzzy: no such file or folder"),
    "in a folder that is not": ("gone/at/all", "gone/at/all: no such file or folder"),
    "below a file": ("odd/page.txt/x", "odd/page.txt/x: no such file or folder"),
    "control characters": ("a\x1b[31m\n", "a\\x1b[31m\\n: no such file or folder"),
    "no name for a file": ("a\0b", "a\\x00b: no such file or folder"),
    "folder without a page": ("empty", "empty: no pages here: expected "
                              "_cache/<tag>/<package>/specs.md"),
    "folder within _cache without a page": (
        "one/_cache/bare/zlib", "one/_cache/bare/zlib: no pages here: expected "
        "_cache/<tag>/<package>/specs.md"),
    "tag without a page": ("one/_cache/bare", "one/_cache/bare: no pages here: expected "
                           "_cache/<tag>/<package>/specs.md"),
    "folder of files": ("odd", "odd: no pages here: expected "
                        "_cache/<tag>/<package>/specs.md"),
}


@pytest.mark.parametrize(("path", "sentence"), UNUSABLE.values(), ids=UNUSABLE)
def test_path_that_stands_for_nothing(here: Path, path: str, sentence: str) -> None:
    make(here, *TREE)
    with pytest.raises(CachelintError) as caught:
        select(["one", path])
    assert str(caught.value) == sentence


def test_catalog_without_a_page_is_an_error(here: Path) -> None:
    make(here, "_cache/", "_data/tags.yaml")
    with pytest.raises(CachelintError, match=r"^\.: no pages here"):
        select(["."])


def test_catalogs_are_found_below_a_cache_that_is_none(here: Path) -> None:
    make(here, "_cache/builds/site/_cache/v1/zlib/specs.md", "_cache/builds/other/README.md")
    assert chosen("_cache/builds/site/_cache") == (
        whole("_cache/builds/site", "v1"), ["_cache/builds/site"], [])
    assert chosen("_cache/builds/site") == (
        whole("_cache/builds/site", "v1"), ["_cache/builds/site"], [])
    assert chosen("_cache/builds") == (
        whole("_cache/builds/site", "v1"), ["_cache/builds/site"], [])


def test_links_to_folders(here: Path) -> None:
    make(here, "site/store/v1/zlib/specs.md", "site/")
    (here / "site/_cache").symlink_to("store")
    assert chosen("site") == (whole("site", "v1"), ["site"], [])
    (here / "site/store/latest").symlink_to("v1")
    (here / "site/store/loop").symlink_to("loop")
    assert [task.tag for task in select(["site"]).tasks] == ["latest", "loop", "v1"]


@pytest.mark.parametrize(("path", "place"), [
    ("_cache/v1/zlib/specs.md", PageId("v1", "zlib")),
    ("a/../_cache/v1/zlib/./specs.md", PageId("v1", "zlib")),
    ("/srv/site/_cache/v1/zlib/specs.md", PageId("v1", "zlib")),
    ("_cache/_cache/zlib/specs.md", PageId("_cache", "zlib")),
    ("_cache/v1/zlib/index.md", PageId(None, None)),
    ("_cache/v1/zlib/extra/specs.md", PageId(None, None)),
    ("_cache/zlib/specs.md", PageId(None, None)),
    ("v1/zlib/specs.md", PageId(None, None)),
    ("<stdin>", PageId(None, None)),
    ("", PageId(None, None)),
])
def test_tag_and_package_of_a_page(here: Path, path: str, place: PageId) -> None:
    assert page_id_of(path) == place


@pytest.mark.parametrize(("path", "root"), [
    ("_cache/v1/zlib/specs.md", "."), ("a/b/_cache/v1/zlib/specs.md", "a/b"),
    ("a/_cache/b/_cache/v1", "a/_cache/b"), ("a/b/specs.md", None),
])
def test_catalog_of_a_page(here: Path, path: str, root: str | None) -> None:
    assert catalog_of(path) == root


def test_paths_are_shown_relative_to_the_working_directory(here: Path) -> None:
    assert display_path(str(here / "a" / "b")) == "a/b"
    assert display_path("./a//b/../c") == "a/c"
    assert display_path(str(here.parent / "x")) == "../x"


# ------------------------------------------------------------------------------- a tag


def test_pages_of_a_tag_are_sorted_as_their_paths_are(here: Path) -> None:
    make(here, *(f"_cache/v1/{name}/specs.md" for name in ("b", "a", "a-b", "a.b", "é", "B")))
    assert list_tag(".", "v1").pages == [
        (f"_cache/v1/{name}/specs.md", PageId("v1", name))
        for name in ("B", "a-b", "a.b", "a", "b", "é")]


def test_legacy_pages(here: Path) -> None:
    make(here, "_cache/adol-c/index.md", "_cache/adol-c/specs.md", "_cache/adol-c/zlib/specs.md")
    assert list_tag(".", "adol-c").pages == [
        ("_cache/adol-c/index.md", PageId(None, None)),
        ("_cache/adol-c/specs.md", PageId(None, None)),
        ("_cache/adol-c/zlib/specs.md", PageId("adol-c", "zlib"))]


STRAYS: dict[str, tuple[str, str, bool]] = {
    # name: (path, text, whether it is a stray page)
    "beside a page": ("_cache/v1/zlib/README.md", FRONT_MATTER, True),
    "of any name": ("_cache/v1/zlib/specs.md.orig", FRONT_MATTER, True),
    "below a page": ("_cache/v1/zlib/old/specs.md", FRONT_MATTER, True),
    "far below": ("_cache/v1/zlib/a/b/c/page", FRONT_MATTER, True),
    "beside packages": ("_cache/v1/README.md", FRONT_MATTER, True),
    "in a folder without a page": ("_cache/v1/other/index.html", FRONT_MATTER, True),
    "blanks behind the dashes": ("_cache/v1/README.md", "--- \t\na: 1\n---", True),
    "CRLF": ("_cache/v1/README.md", "---\r\na: 1\r\n---", True),
    "dashes alone": ("_cache/v1/README.md", "---", True),
    "no front matter": ("_cache/v1/README.md", "# v1\n---\n", False),
    "empty": ("_cache/v1/README.md", "", False),
    "more dashes": ("_cache/v1/README.md", "----\n", False),
    "hidden": ("_cache/v1/zlib/.README.md", FRONT_MATTER, False),
    "in a hidden folder": ("_cache/v1/.zlib/README.md", FRONT_MATTER, False),
    "underscore": ("_cache/v1/zlib/_draft.md", FRONT_MATTER, False),
    "of an editor": ("_cache/v1/zlib/#specs.md#", FRONT_MATTER, False),
    "tilde in front": ("_cache/v1/zlib/~specs.md", FRONT_MATTER, False),
    "tilde behind": ("_cache/v1/zlib/specs.md~", FRONT_MATTER, False),
    "one line without an end": ("_cache/v1/zlib/data", "-" * 1000, False),
}


@pytest.mark.parametrize(("path", "text", "is_stray"), STRAYS.values(), ids=STRAYS)
def test_strays(here: Path, path: str, text: str, is_stray: bool) -> None:
    make(here, "_cache/v1/zlib/specs.md")
    make(here, path, text=text)
    listing = list_tag(".", "v1")
    assert listing.stray_pages == ([path] if is_stray else [])
    assert [page for page, _ in listing.pages] == ["_cache/v1/zlib/specs.md"]


def test_stray_directly_below_cache(here: Path) -> None:
    make(here, "_cache/README.md", "_cache/v1/zlib/specs.md")
    assert list_tag(".", "README.md").stray_pages == ["_cache/README.md"]
    findings = [each for each in check(["."]).findings if each.code == "CL111"]
    assert [(each.path, each.line) for each in findings] == [("_cache/README.md", 1)]


def test_strays_behind_links_are_skipped(here: Path) -> None:
    make(here, "_cache/v1/zlib/specs.md", "elsewhere/page.md")
    (here / "_cache/v1/zlib/up").symlink_to("..")
    (here / "_cache/v1/zlib/self").symlink_to("self")
    (here / "_cache/v1/zlib/other").symlink_to("../../../elsewhere")
    (here / "_cache/v1/zlib/page.md").symlink_to("../../../elsewhere/page.md")
    os.mkfifo(here / "_cache/v1/zlib/pipe")
    listing = list_tag(".", "v1")
    assert listing.stray_pages == []
    assert [page for page, _ in listing.pages] == ["_cache/v1/zlib/specs.md"]


def test_hidden_folders_have_no_pages(here: Path) -> None:
    make(here, "_cache/v1/.zlib/specs.md", "_cache/v1/zlib/specs.md", "_cache/.v2/zlib/specs.md")
    assert [page for page, _ in list_tag(".", "v1").pages] == ["_cache/v1/zlib/specs.md"]
    assert [task.tag for task in select(["."]).tasks] == ["v1"]


def test_folder_that_cannot_be_listed_is_a_finding(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    valid.write_catalog(here, {"v1/gcc": valid.PAGE, "v1/zlib": valid.PAGE, "v2/zlib": valid.PAGE},
                        {})
    listdir, scandir, open_file = os.listdir, os.scandir, os.open

    def closed(path: str) -> bool:
        return str(path).endswith(("_cache/v1/gcc", "_cache/v2", "v1/gcc/specs.md"))

    def list_some(path: str) -> list[str]:
        if closed(path):
            raise PermissionError(errno.EACCES, "Permission denied")
        return listdir(path)

    def scan_some(path: str) -> Any:
        if closed(path):
            raise PermissionError(errno.EACCES, "Permission denied")
        return scandir(path)

    def open_some(path: str, *arguments: Any, **options: Any) -> int:
        if closed(path):
            raise PermissionError(errno.EACCES, "Permission denied")
        return open_file(path, *arguments, **options)

    monkeypatch.setattr(os, "listdir", list_some)
    monkeypatch.setattr(os, "scandir", scan_some)
    monkeypatch.setattr(os, "open", open_some)
    found = [each for each in check(["."]).findings if each.code == "CL100"]
    assert [(each.path, each.message) for each in found] == [
        ("_cache/v1/gcc/specs.md", "no permission to read the file"),
        ("_cache/v2", "no permission to read the file")]


def test_tag_folder_that_is_gone_since_it_was_listed(here: Path) -> None:
    assert list_tag(".", "gone") == Listing([], [])


# ------------------------------------------------------------------------------- reading

NO_PERMISSION = Unreadable("CL100", "no permission to read the file")
GONE = Unreadable("CL100", "the file is gone, or a link to nowhere")
LOOP = Unreadable("CL100", "a link that leads back to itself")
FOLDER = Unreadable("CL100", "expected a file, found a folder")
NOT_REGULAR = Unreadable("CL100", "no regular file")


@pytest.mark.parametrize("size", [0, 1, 16_383, 16_384, 16_385, 200_000, 3_000_000])
def test_whole_file_is_read(tmp_path: Path, size: int) -> None:
    content = bytes(range(256)) * (size // 256 + 1)
    (tmp_path / "file").write_bytes(content[:size])
    assert read(str(tmp_path / "file")) == content[:size]


def test_file_is_read_through_links(tmp_path: Path) -> None:
    make(tmp_path, "file", text="text")
    (tmp_path / "link").symlink_to("file")
    assert read(str(tmp_path / "link")) == b"text"


def test_what_is_not_a_file(tmp_path: Path) -> None:
    make(tmp_path, "folder/", "file")
    (tmp_path / "self").symlink_to("self")
    (tmp_path / "here").symlink_to("there")
    (tmp_path / "there").symlink_to("here")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "null").symlink_to("/dev/null")
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        found = {name: read(str(tmp_path / name), 8_000_000) for name in (
            "gone", "folder", "self", "here", "dangling", "zero", "null", "pipe", "socket",
            "file/below", "x" * 300, "a\0b")}
    assert found == {
        "gone": GONE, "folder": FOLDER, "self": LOOP, "here": LOOP, "dangling": GONE,
        "zero": NOT_REGULAR, "null": NOT_REGULAR, "pipe": NOT_REGULAR, "socket": NOT_REGULAR,
        "file/below": Unreadable("CL100", "expected a folder, found a file"),
        "x" * 300: Unreadable("CL100", "the file's name is too long"),
        "a\0b": Unreadable("CL100", "a name that no file can have"),
    }


def test_pipe_with_a_writer_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(tmp_path / "pipe", os.O_WRONLY)
    try:
        found = read(str(tmp_path / "pipe"))
    finally:
        os.close(reader)
        os.close(writer)
    assert found == NOT_REGULAR


@pytest.mark.parametrize(("number", "due"), [
    (errno.EACCES, NO_PERMISSION), (errno.EPERM, NO_PERMISSION),
    (errno.EIO, Unreadable("CL100", "the file cannot be read: Input/output error")),
    (errno.ESTALE, Unreadable("CL100", "the file cannot be read: Stale file handle")),
])
@pytest.mark.parametrize("function", ["open", "read"])
def test_file_that_cannot_be_read(
    tmp_path: Path, function: str, number: int, due: Unreadable, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "file")

    def fail(*_: Any) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, function, fail)
    found = read(str(tmp_path / "file"))
    monkeypatch.undo()
    assert found == due


def test_file_over_the_limit_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    asked: list[int] = []
    real = os.read

    def count(descriptor: int, size: int) -> bytes:
        asked.append(size)
        return real(descriptor, size)

    monkeypatch.setattr(os, "read", count)
    assert read(str(tmp_path / "sparse"), 8_388_608) == Unreadable(
        "CL110", "the file has 1,099,511,627,776 bytes, over the limit of 8,388,608 "
                 "(max-page-size): not checked", is_too_large=True)
    assert sum(asked) < 1_000_000


def test_file_that_grows_beyond_the_limit_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "file", text="x" * 70_000)
    monkeypatch.setattr(os, "read", lambda _, size: b"x" * size)  # it never ends
    assert isinstance(read(str(tmp_path / "file"), 1_000_000), Unreadable)


def test_descriptors_are_closed(tmp_path: Path) -> None:
    make(tmp_path, "file", "folder/")
    before = len(os.listdir("/dev/fd"))  # noqa: PTH208 - open descriptors, the folder's included
    for name in ("file", "folder", "gone"):
        read(str(tmp_path / name), 1)
    replace(str(tmp_path / "file"), b"new", b"old")
    replace(str(tmp_path / "file"), b"new", FRONT_MATTER.encode())
    assert len(os.listdir("/dev/fd")) == before  # noqa: PTH208


def test_names_that_are_not_utf8(here: Path) -> None:
    page = here / os.fsdecode(b"_cache/v1/z\xff/specs.md")
    make(here, str(page), os.fsdecode(b"_cache/v1/zlib/n\xfftes.md"), "_cache/v1/zlib/specs.md",
         text=valid.page(title='title: "zlib"', categories="categories: [package, v1]"))
    found = [(each.path, each.code) for each in check(["."]).findings
             if each.code in ("CL111", "CL601")]
    assert found == [(os.fsdecode(b"_cache/v1/zlib/n\xfftes.md"), "CL111"),
                     (os.fsdecode(b"_cache/v1/z\xff/specs.md"), "CL601")]
    assert check([str(page)]).pages == 1


# ------------------------------------------------------------------------------- writing


@pytest.mark.parametrize("name", ["specs.md", "é" * 120, "x" * 255, os.fsdecode(b"\xff\xfe")])
def test_file_of_any_name_is_replaced(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"old")
    assert replace(str(tmp_path / name), b"new", b"old")
    assert (tmp_path / name).read_bytes() == b"new"
    assert not replace(str(tmp_path / name), b"newer", b"old")
    assert (tmp_path / name).read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_file_of_the_working_directory_is_replaced(here: Path) -> None:
    make(here, "page.md", text="old")
    assert replace("page.md", b"new", b"old")
    assert (here / "page.md").read_bytes() == b"new"


def test_new_file_gets_the_usual_mode_and_never_replaces_another(here: Path) -> None:
    mask = os.umask(0o027)
    try:
        create("new.md", b"text")
    finally:
        os.umask(mask)
    assert (here / "new.md").stat().st_mode & 0o777 == 0o640
    with pytest.raises(FileExistsError):
        create("new.md", b"other")
    assert (here / "new.md").read_bytes() == b"text"
    assert [path.name for path in here.iterdir()] == ["new.md"]


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK])
def test_new_file_where_there_are_no_hard_links(
    here: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)
    create("new.md", b"text")
    assert (here / "new.md").read_bytes() == b"text"
    with pytest.raises(FileExistsError):
        create("new.md", b"other")
    assert (here / "new.md").read_bytes() == b"text"
    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(OSError, match=os.strerror(number)):
        create("newer.md", b"text")
    assert [path.name for path in here.iterdir()] == ["new.md"]


def test_folders_may_be_nested_deeply(here: Path) -> None:
    valid.write_catalog(here, {"develop/zlib": valid.PAGE}, {})
    for start in ("deep", "_cache/develop/zlib/deep"):
        os.chdir(here)
        folder = Path(start)
        for _ in range(1600):
            folder.mkdir()
            os.chdir(folder)
            folder = Path("d")
    os.chdir(here)
    assert [task.tag for task in select(["."]).tasks] == ["develop"]
    assert list_tag(".", "develop").stray_pages == []
    os.chdir(here)  # a folder whose path is longer than the system takes is removed from within
    subprocess.run(["rm", "-rf", "deep", "_cache"], check=True)


def test_folder_that_cannot_be_searched_is_a_note(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    valid.write_catalog(here, {"develop/zlib": valid.PAGE}, {})
    (here / "closed").mkdir()
    scandir = os.scandir

    def scan_some(path: str) -> Any:
        if str(path).endswith("closed"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scan_some)
    assert select(["."]).notes == ("closed: not searched: no permission to read the file",)


def test_file_that_is_not_known_is_there(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    valid.write_catalog(here, {"develop/zlib": valid.PAGE}, {})
    lstat, open_file = os.lstat, os.open

    def close(real: Any) -> Any:
        def call(path: Any, *arguments: Any, **options: Any) -> Any:
            if "_data/" in os.fspath(path):
                raise PermissionError(errno.EACCES, "Permission denied")
            return real(path, *arguments, **options)
        return call

    monkeypatch.setattr(os, "lstat", close(lstat))
    monkeypatch.setattr(os, "open", close(open_file))
    found = {(each.path, each.code) for each in check(["."]).findings}
    assert found == {("_cache/develop/zlib/specs.md", "CL602"), ("_data/meta.yaml", "CL100"),
                     ("_data/tags.yaml", "CL100")}


def test_what_is_too_deep_to_be_read_is_reported(here: Path) -> None:
    valid.write_catalog(here, {"develop/zlib": valid.PAGE}, {})
    folder = Path("_cache/develop/zlib/deep")
    for _ in range(30):
        folder.mkdir()
        os.chdir(folder)
        folder = Path("d" * 200)
    Path("page.md").write_text(FRONT_MATTER)
    os.chdir(here)
    (finding,) = [each for each in check(["."]).findings if each.code == "CL100"]
    assert finding.message == "the file's name is too long"
    assert finding.path.startswith("_cache/develop/zlib/deep/ddd")
    subprocess.run(["rm", "-rf", "_cache"], check=True)


def test_other_files_that_cannot_be_read_are_reported(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    valid.write_catalog(here, {"develop/zlib": valid.PAGE}, {})
    paths = ["_cache/develop/notes.md", "_cache/develop/zlib/notes.md", "_cache/notes.md"]
    make(here, *paths)

    def refuse(path: str) -> bool:
        (here / path).unlink()  # root may read everything
        (here / path).mkdir()
        raise PermissionError(errno.EACCES, "denied", path)

    monkeypatch.setattr(discovery, "_begins_front_matter", refuse)
    assert [each.path for each in check(["."]).findings if each.code == "CL100"] == paths
