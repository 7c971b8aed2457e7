"""Bad input: one clear finding, quickly, no traceback, and every other page still checked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from cachelint import check, check_page, fix_page
from cachelint.output import formats
from support import valid
from support.program import run_program

PAGE = valid.PAGE
LINES = valid.lines()
TAG = valid.TAG
BOUND = 5.0
"""Seconds, where one is promised: a slow machine must not fail, nor quadratic time pass."""


def with_line(key: str, line: str) -> str:
    """Replace one line of the valid page."""
    return PAGE.replace(LINES[key], line)


def with_meta(members: str) -> str:
    """Add a member before those of the valid page's `meta`."""
    return PAGE.replace("meta: {", f"meta: {{{members}, ")


def is_folder(path: Path) -> None:
    (path / "below").mkdir(parents=True)


def are_two_links(path: Path) -> None:
    path.symlink_to("there")
    (path.parent / "there").symlink_to("specs.md")


def is_100_mb(path: Path) -> None:
    with path.open("wb") as file:
        file.write(PAGE.encode())
        file.truncate(100_000_000)


DEEP = 100_000
LAUGHS = "a: &a [ha, ha]\n" + "".join(
    f"{new}: &{new} [*{old}, *{old}, *{old}]\n"
    for old, new in zip("abcdefghijkl", "bcdefghijklm", strict=True))

Bad = str | bytes | Callable[[Path], object]

# name: (the page, the one finding of it)
CASES: dict[str, tuple[Bad, str]] = {
    # the file
    "empty": ("", "CL104"),
    "blank": ("\n\n \n", "CL104"),
    "a page cut in two": (PAGE[: len(PAGE) // 2], "CL105"),
    "cut before the closing line": (PAGE[:-4], "CL105"),
    "cut within it": (PAGE[:-1], "CL105"),
    "cut within a character": ("---\ntitle: é".encode()[:-1], "CL101"),
    "binary": (bytes(range(256)) * 40, "CL101"),
    "an image": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(1000), "CL101"),
    "zeros": (bytes(10_000), "CL104"),
    "UTF-16": (PAGE.encode("utf-16"), "CL101"),
    "UTF-32": (PAGE.encode("utf-32-le"), "CL104"),
    "surrogates as bytes": (PAGE.encode().replace(b"gcc", b"\xed\xa0\x80", 1), "CL101"),
    "100 MB": (is_100_mb, "CL110"),
    "8 MiB and a byte": (PAGE + " " * (8 * 1024 * 1024 + 1 - len(PAGE)), "CL110"),
    "a folder": (is_folder, "CL100"),
    "a link to itself": (lambda path: path.symlink_to("specs.md"), "CL100"),
    "two links to each other": (are_two_links, "CL100"),
    "a link to nowhere": (lambda path: path.symlink_to("nowhere"), "CL100"),
    "a link to zeros without end": (lambda path: path.symlink_to("/dev/zero"), "CL100"),
    "a link to a folder": (lambda path: path.symlink_to("/"), "CL100"),
    "a pipe": (lambda path: os.mkfifo(path), "CL100"),
    # too deep
    "brackets, closed": (with_meta(f'"a": {"[" * DEEP}{"]" * DEEP}'), "CL110"),
    "brackets, open": (with_meta(f'"a": {"[" * DEEP}'), "CL110"),
    "braces, closed": (with_line("meta", "meta: " + '{"a": ' * DEEP + "1" + "}" * DEEP), "CL110"),
    "braces, open": (with_line("meta", "meta: " + '{"a": ' * DEEP), "CL110"),
    "braces in YAML": (with_line("meta", "meta: " + "{a: " * DEEP + "1" + "}" * DEEP), "CL110"),
    "brackets over lines": (with_line("meta", "meta:\n" + " [\n" * DEEP + " ]\n" * DEEP), "CL110"),
    "brackets in the specs": (with_line("spec_details", "spec_details: " + "[" * DEEP + "]" * DEEP),
                              "CL110"),
    "brackets as the title": (with_line("title", "title: " + "[" * DEEP + "]" * DEEP), "CL110"),
    "dashes": (with_line("meta", "meta:\n" + "- " * DEEP), "CL110"),
    "question marks": (with_line("meta", "meta:\n  " + "? " * DEEP), "CL106"),
    "indentation": (with_line("meta", "meta:" + "".join(
        f"\n{' ' * depth}a:" for depth in range(1, 1500))), "CL110"),
    "101 levels": (with_meta(f'"a": {"[" * 100}{"]" * 100}'), "CL110"),
    # YAML
    "a tag of Python": (with_line("meta", 'meta: !!python/object/apply:os.system ["touch pwned"]'),
                        "CL106"),
    "a tag of Python, in block form": (
        with_line("meta", "meta: !!python/object/new:os.system\n- touch pwned"), "CL106"),
    "a tag of Ruby": (with_line("meta", "meta: !ruby/object:Gem::Installer {i: x}"), "CL106"),
    "a tag of YAML": (with_line("meta", "meta: !!set {a, b}"), "CL106"),
    "an alias": (with_line("layout", "layout: &a cache\nx: *a"), "CL110"),
    "an alias to itself": (with_line("meta", "meta: &a [*a]"), "CL110"),
    "a million laughs": (with_line("meta", LAUGHS), "CL110"),
    "a million aliases": (with_line("meta", f"x: &a 1\nmeta: [{'*a, ' * 1_000_000}1]"), "CL110"),
    "as many as the parser is asked for": (
        with_line("meta", f"x: &a 1\nmeta: [{'*a, ' * 500_000}1]"), "CL110"),
    "merge key of an alias": (
        with_line("meta", f"x: &a {{num_specs: 2}}\n{LINES['meta']}\n<<: *a"), "CL110"),
    "a second document": (with_line("meta", "--- {a: 1}"), "CL106"),
    "a directive": (with_line("title", '%YAML 1.1\ntitle: "zlib"'), "CL106"),
    "a tab": (with_line("meta", "meta:\n\tnum_specs: 2"), "CL106"),
    "a control character": (with_line("title", 'title: "zl\0ib"'), "CL106"),
    "an escape that is none": (with_line("title", 'title: "zl\\qib"'), "CL106"),
    "an escape beyond Unicode": (with_line("title", 'title: "\\UFFFFFFFF"'), "CL106"),
    "a string without an end": (with_line("title", f'title: "{"a" * 400_000}'), "CL106"),
    "merge conflict": (PAGE.replace("meta: ", "<<<<<<< HEAD\nmeta: "), "CL106"),
    # JSON
    "a key twice": (with_meta('"num_specs": 2'), "CL107"),
    "a key twice, escaped": (with_meta('"num\\u005fspecs": 2'), "CL107"),
    "a key ten thousand times": (
        with_line("meta", "meta: {" + '"num_specs": 2, ' * 10_000 + '"oss": []}'), "CL107"),
    # values: the rule that fits
    "NaN": (PAGE.replace('"num_specs": 2', '"num_specs": NaN'), "CL203"),
    "Infinity": (PAGE.replace('"num_specs": 2', '"num_specs": -Infinity'), "CL203"),
    "1e400": (PAGE.replace('"num_specs": 2', '"num_specs": 1e400'), "CL203"),
    "2.0": (PAGE.replace('"num_specs": 2', '"num_specs": 2.0'), "CL203"),
    "a number of a million digits": (
        PAGE.replace('"num_specs": 2', f'"num_specs": {"9" * 1_000_000}'), "CL203"),
    "a lone surrogate": (valid.page(None, valid.specs(0, versions=["\ud800"])), "CL703"),
    "a merge key": (with_line("meta", LINES["meta"] + "\n<<: {}"), "CL703"),
    "a key of a million characters": (
        PAGE.replace('"num_specs": 2', f'"{"k" * 1_000_000}": 1, "num_specs": 2'), "CL703"),
}
SEVERAL = {"a key ten thousand times": ["CL110", *["CL107"] * 1_000]}
"""The codes of the findings, where it is not one: that of the rest, which is counted, first."""



def run(root: Path, *arguments: str) -> CompletedProcess[str]:
    """Run a command of the program."""
    return run_program(*arguments, "--isolated", "--jobs", "1", folder=root)


def write(page: Path, bad: Bad) -> None:
    """Put something bad where a page belongs, in a folder that is made for it."""
    page.parent.mkdir(parents=True)
    if callable(bad):
        bad(page)
    else:
        page.write_bytes(bad if isinstance(bad, bytes) else bad.encode())


def good_and_stale(root: Path) -> None:
    """Write a catalog of two pages, the second one stale."""
    good = PAGE.replace(valid.FIRST, "a" * 32).replace(valid.SECOND, "b" * 32)
    stale = valid.page(valid.meta(num_specs=7)).replace(valid.FIRST, "c" * 32)
    valid.write_catalog(root, {
        f"{TAG}/abc": good.replace('"zlib"', '"abc"'),
        f"{TAG}/zstd": stale.replace(valid.SECOND, "d" * 32).replace('"zlib"', '"zstd"'),
    }, {TAG: ["e4s", "root"]})


@pytest.mark.parametrize("name", CASES)
def test_bad_page_among_others(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, code = CASES[name]
    good_and_stale(tmp_path)
    write(tmp_path / "_cache" / TAG / "zlib" / "specs.md", bad)
    monkeypatch.chdir(tmp_path)
    report = check(["."])
    assert report.pages == 3
    assert [(finding.path.split("/")[2], finding.code) for finding in report.findings] == [
        *[("zlib", each) for each in SEVERAL.get(name, [code])], ("zstd", "CL301")]
    assert all(finding.message for finding in report.findings)
    print(f"{name}: {report.seconds:.2f} seconds")
    assert report.seconds < BOUND
    assert not (tmp_path / "pwned").exists()


@pytest.fixture(scope="module")
def all_bad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a catalog of every bad page at once, beside a good one and a stale one."""
    root = tmp_path_factory.mktemp("catalog")
    good_and_stale(root)
    for number, (bad, _) in enumerate(CASES.values()):
        write(root / "_cache" / TAG / f"bad-{number}" / "specs.md", bad)
    return root


def test_all_bad_pages_at_once(all_bad: Path, tmp_path: Path) -> None:
    reports = [option for output in formats.FORMATS
               for option in ("--output-file", f"{output}:{tmp_path / output}")]
    done = run(all_bad, "check", "--quiet", "--color", "never", *reports)
    assert (done.returncode, done.stderr) == (1, "")
    for output in formats.FORMATS:
        report = (tmp_path / output).read_text(encoding="utf-8")
        assert "Traceback" not in report
        assert all(line.isprintable() for line in report.split("\n"))
        if output in ("full", "concise", "github"):  # the others have pointers of any length
            assert max(map(len, report.split("\n"))) < 500
        for number, name in enumerate(CASES):
            # GitHub shows ten annotations of a level
            path = f'"bad-{number}"' if output == "html" else f"/bad-{number}/"
            assert output == "github" or path in report, (output, name)


def test_fix_skips_bad_pages_and_fixes_the_others(tmp_path: Path) -> None:
    good_and_stale(tmp_path)
    bad_pages: dict[Path, bytes] = {}
    for number, (bad, code) in enumerate(CASES.values()):
        page = tmp_path / "_cache" / TAG / f"bad-{number}" / "specs.md"
        write(page, bad)
        if not callable(bad) and code.startswith("CL1"):
            bad_pages[page] = page.read_bytes()
    done = run(tmp_path, "fix", "--output-format", "concise")
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    for page, content in bad_pages.items():
        assert page.read_bytes() == content
    assert '"num_specs": 2,' in (tmp_path / "_cache" / TAG / "zstd" / "specs.md").read_text()
    assert [path.name for path in tmp_path.rglob(".cachelint*")] == []


# what becomes of a page between its listing and its reading
MEANWHILE = """
import errno, os, sys
from cachelint.cli.main import program
real = os.open
def open_page(path, *arguments, **options):
    if str(path).endswith("zlib/specs.md"):
        {what}
    return real(path, *arguments, **options)
os.open = open_page
sys.argv[1:] = ["check", "--isolated", "--jobs", "1", "--output-format", "json"]
program()
"""


@pytest.mark.parametrize(("what", "message"), [
    ("os.unlink(path)", "the file is gone, or a link to nowhere"),
    ("raise PermissionError(errno.EACCES, '')", "no permission to read the file"),
    ("raise OSError(errno.EIO, 'Input/output error')",
     "the file cannot be read: Input/output error"),
], ids=["gone", "without permission", "on a bad disk"])
def test_page_that_cannot_be_read_any_more(tmp_path: Path, what: str, message: str) -> None:
    good_and_stale(tmp_path)
    write(tmp_path / "_cache" / TAG / "zlib" / "specs.md", PAGE)
    done = subprocess.run(
        [sys.executable, "-c", MEANWHILE.format(what=what)], cwd=tmp_path,
        capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    found = json.loads(done.stdout)["findings"]
    assert [(finding["path"].split("/")[2], finding["code"]) for finding in found] == [
        ("zlib", "CL100"), ("zstd", "CL301")]
    assert found[0]["message"] == message


@pytest.mark.parametrize("name", [name for name, (bad, _) in CASES.items() if not callable(bad)])
def test_bad_page_in_memory(name: str) -> None:
    bad, code = CASES[name]
    assert not callable(bad)
    raw = bad if isinstance(bad, bytes) else bad.encode()
    found = check_page(raw, f"_cache/{TAG}/zlib/specs.md")
    assert [finding.code for finding in found] == SEVERAL.get(name, [code])
    if code.startswith("CL1"):
        assert fix_page(raw, f"_cache/{TAG}/zlib/specs.md").content == raw
