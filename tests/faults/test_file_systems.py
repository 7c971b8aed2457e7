"""File systems that are full or read-only, limits, and two that write at once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import valid
from support.catalogs import contents
from support.faults import COMMANDS, TAGS, complaints, write_source

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="mounts as on Linux")

NAMES = pytest.mark.parametrize("name", COMMANDS)


def mount(*arguments: str) -> None:
    if os.geteuid():
        pytest.skip("only root can mount")
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no mount here: {done.stderr}")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A folder with a file system of its own, of 40 pages."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount("-t", "tmpfs", "-o", "size=160k", "tmpfs", str(folder))
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def begin(command: list[str], folder: Path, *within: str) -> subprocess.Popen[str]:
    """Begin the program, within another one."""
    return subprocess.Popen([*within, sys.executable, "-m", "cachelint", *command], cwd=folder,
                            text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def run_refused(name: str, folder: Path, *within: str) -> str:
    """Run a command where not everything can be written, and return its messages."""
    plain = Path(shutil.copytree(folder, folder.with_name("plain"), copy_function=shutil.copyfile,
                                 ignore=shutil.ignore_patterns("filler*")))
    process = begin(COMMANDS[name], plain)
    process.communicate(timeout=60)
    before = contents(folder)
    done = begin(COMMANDS[name], folder, *within)
    _, err = done.communicate(timeout=60)
    expected = {**before, **contents(plain)}
    found = complaints(done.returncode, err, process.returncode, before, contents(folder), expected)
    assert [each.message for each in found] == [], err
    assert done.returncode == 2
    return err


@NAMES
def test_full(small: Path, name: str) -> None:
    shutil.copytree(write_source(small.parent), small, dirs_exist_ok=True)
    subprocess.run(["dd", "if=/dev/zero", "of=filler"], cwd=small, stderr=subprocess.DEVNULL,
                   check=False)
    assert "No space left on device" in run_refused(name, small)


@NAMES
def test_read_only(small: Path, name: str) -> None:
    shutil.copytree(write_source(small.parent), small, dirs_exist_ok=True)
    mount("-o", "remount,ro", str(small))
    assert "Read-only file system" in run_refused(name, small)


@NAMES
def test_folder_without_permission_to_write(tmp_path: Path, name: str) -> None:
    source = write_source(tmp_path)
    for folder in [source, *(path for path in source.rglob("*") if path.is_dir())]:
        folder.chmod(0o555)
    within = [] if os.geteuid() else ["setpriv", "--bounding-set=-dac_override"]
    assert "Permission denied" in run_refused(name, source, *within)


@NAMES
def test_largest_size_of_a_file(tmp_path: Path, name: str) -> None:
    limit = {"baseline": 200, "report": 2000, "fix": 500, "render": 500}[name]
    assert "File too large" in run_refused(
        name, write_source(tmp_path), "prlimit", f"--fsize={limit}")


# what it is called: (the command that gives it to files, the command that shows it)
ATTRIBUTES = {
    "an access control list": ("setfacl --modify user:12345:r", "getfacl"),
    "the extended attribute user.origin": (
        "setfattr --name user.origin --value mirror", "getfattr --dump"),
}


def run_tool(command: str, *paths: Path) -> str:
    """Run a tool about attributes of files, and return what it prints."""
    name, *options = command.split()
    if shutil.which(name) is None and not os.environ.get("CI"):
        pytest.skip(f"no {name}")
    return subprocess.run([name, *options, *paths], capture_output=True, text=True,
                          check=True).stdout


@NAMES
@pytest.mark.parametrize(("kind", "tools"), ATTRIBUTES.items(), ids=ATTRIBUTES)
def test_attributes_that_new_files_would_not_have(
    tmp_path: Path, name: str, kind: str, tools: tuple[str, str]
) -> None:
    source = write_source(tmp_path)
    files = sorted(path for path in source.rglob("*") if path.is_file())
    run_tool(tools[0], *files)
    before = run_tool(tools[1], *files)
    assert f"it has {kind}, which the new file would not have" in run_refused(name, source)
    assert run_tool(tools[1], *files) == before


@NAMES
def test_attributes_that_new_files_have_too(tmp_path: Path, name: str) -> None:
    """A folder gives its access control list to what is created in it."""
    run_tool("setfacl --default --modify user:12345:rw", tmp_path)
    source = write_source(tmp_path)
    files = sorted(path for path in source.rglob("*") if path.is_file())
    before, old = run_tool("getfacl", *files), contents(source)
    assert "user:12345:rw" in before
    done = begin(COMMANDS[name], source)
    _, err = done.communicate(timeout=60)
    assert done.returncode < 2, err
    assert contents(source) != old
    assert run_tool("getfacl", *files) == before


@NAMES
def test_modes_are_kept(tmp_path: Path, name: str) -> None:
    source = write_source(tmp_path)
    files = sorted(path for path in source.rglob("*") if path.is_file())
    for path in files:
        path.chmod(0o600)
    done = begin(COMMANDS[name], source)
    done.communicate(timeout=60)
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


@NAMES
def test_page_that_is_a_mount(tmp_path: Path, name: str) -> None:
    """A file cannot be renamed onto a mount: all others are written."""
    source = write_source(tmp_path)
    path = source / {"report": "report.html", "baseline": "known.json"}.get(
        name, f"_cache/{TAGS[0]}/zlib/specs.md")
    shutil.copy(path, tmp_path / "mounted")
    mount("--bind", str(tmp_path / "mounted"), str(path))
    try:
        assert "Device or resource busy" in run_refused(name, source)
    finally:
        subprocess.run(["umount", path], check=True)


@NAMES
def test_two_at_once(tmp_path: Path, name: str) -> None:
    source = write_source(tmp_path)
    before = contents(source)
    plain = Path(shutil.copytree(source, tmp_path / "plain"))
    first = begin(COMMANDS[name], plain)
    first.communicate(timeout=60)
    both = [begin(COMMANDS[name], source) for _ in range(2)]
    ends = [(*process.communicate(timeout=60), process.returncode) for process in both]
    for _, err, status in ends:
        found = complaints(status, err, first.returncode, before, contents(source), contents(plain))
        assert [each.message for each in found] == [], err


@pytest.mark.strace
@pytest.mark.skipif(shutil.which("strace") is None and not os.environ.get("CI"), reason="no strace")
@pytest.mark.parametrize("name", ["fix", "render"])
def test_page_that_changes_before_it_is_replaced(tmp_path: Path, name: str) -> None:
    """Each run waits where its first file is complete, and meanwhile a person writes to it."""
    source = write_source(tmp_path)
    page = source / f"_cache/{TAGS[0]}/zlib/specs.md"
    with subprocess.Popen(
        ["strace", "-f", "-o", os.devnull, "--trace=fsync",
         "--inject=fsync:delay_enter=2000000:when=1", sys.executable, "-m", "cachelint",
         *COMMANDS[name], *(["--jobs", "1"] if name == "fix" else [])],
        cwd=source, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as process:
        deadline = time.monotonic() + 30
        while not any(path.stat().st_size for path in page.parent.glob(".cachelint-*")):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        page.write_text(valid.PAGE.replace("zlib", "mine"))
        _, err = process.communicate(timeout=60)
    assert page.read_text() == valid.PAGE.replace("zlib", "mine")
    assert "changed while it was" in err
    assert str(page.relative_to(source)) in err
    assert [path.name for path in page.parent.iterdir()] == ["specs.md"]
