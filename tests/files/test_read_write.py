"""How a file is replaced: what file systems refuse, and what a run that is killed leaves."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cachelint import fix
from cachelint.files import read_write
from support import valid

STALE = valid.page(valid.meta(num_specs=3))
PAGE = "_cache/develop/zlib/specs.md"


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalog with one stale page, which is the working directory."""
    valid.write_catalog(tmp_path, {"develop/zlib": STALE}, {})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fail(number: int) -> Callable[..., Any]:
    def call(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    return call


@pytest.mark.parametrize(("function", "number"), [
    ("fchown", errno.EPERM), ("fchown", errno.EINVAL), ("fchown", errno.ENOSYS),
    ("fchmod", errno.EPERM), ("fchmod", errno.ENOTSUP),
    ("fsync", errno.EINVAL), ("fsync", errno.ENOTSUP),
])
def test_what_a_file_system_does_not_know_is_tolerated(
    catalog: Path, function: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (catalog / PAGE).chmod(0o644)
    monkeypatch.setattr(os, function, fail(number))
    done = fix(["."])
    assert (len(done.changed), done.skipped) == (1, ())
    assert (catalog / PAGE).stat().st_mode & 0o777 == 0o644
    assert [path.name for path in (catalog / PAGE).parent.iterdir()] == ["specs.md"]


def acl(*entries: tuple[int, int, int]) -> bytes:
    """Return an access control list as Linux stores it: tag, permissions and id of each entry."""
    return b"\2\0\0\0" + b"".join(
        tag.to_bytes(2, "little") + mode.to_bytes(2, "little") + number.to_bytes(4, "little")
        for tag, mode, number in entries)


NOBODY = 0xFFFFFFFF
ACL = acl((1, 6, NOBODY), (2, 6, 12345), (4, 4, NOBODY), (16, 6, NOBODY), (32, 4, NOBODY))


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="Linux has these calls")
@pytest.mark.parametrize(("name", "value", "reason"), [
    ("user.origin", b"mirror", "it has the extended attribute user.origin"),
    ("system.posix_acl_access", ACL, "it has an access control list"),
])
def test_attributes_that_would_be_lost(
    catalog: Path, name: str, value: bytes, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        os.setxattr(PAGE, name, value)
    except OSError:  # a file system without them
        monkeypatch.setattr(os, "listxattr", lambda path: [name] if path.endswith(".md") else [])
    (skipped,) = fix(["."]).skipped
    assert skipped == (PAGE, f"the file cannot be replaced: {reason}, which the new file would "
                             "not have")
    assert (catalog / PAGE).read_text("utf-8") == STALE
    assert [path.name for path in (catalog / PAGE).parent.iterdir()] == ["specs.md"]


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="Linux has these calls")
@pytest.mark.parametrize("name", ["security.selinux", "system.nfs4_acl", "lustre.lov"])
def test_labels_of_the_system_do_not_matter(
    catalog: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "listxattr", lambda _: [name])
    assert len(fix(["."]).changed) == 1


# ------------------------------------------------------------------------------- what is left


def leave(path: str, age: float) -> Path:
    file = Path(path)
    file.write_text("half a page")
    os.utime(file, (time.time() - age,) * 2)
    return file


LEFTOVERS = [
    "_cache/develop/zlib/.cachelint-0123456789abcdef", "_cache/develop/.cachelint-0123456789abcdef",
    "_data/.cachelint-0123456789abcdef", "pages/tags/.cachelint-0123456789abcdef",
]


@pytest.mark.parametrize("path", LEFTOVERS)
@pytest.mark.parametrize(("age", "is_removed"), [(7200, True), (60, False)])
@pytest.mark.parametrize("is_stale", [True, False])
def test_leftovers_of_a_killed_run(
    catalog: Path, path: str, age: float, is_removed: bool, is_stale: bool
) -> None:
    (catalog / "pages/tags").mkdir(parents=True)
    if not is_stale:
        fix(["."])
    file = leave(path, age)
    fix(["."], write=False)
    assert file.exists()
    fix(["."])
    assert file.exists() != is_removed


def test_leftovers_beside_a_page_that_is_named(catalog: Path) -> None:
    file = leave(LEFTOVERS[0], 7200)
    fix([PAGE])
    assert not file.exists()


def test_what_is_not_a_leftover_stays(catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = catalog / "_cache/develop/zlib"
    (folder / ".cachelint-link").symlink_to("specs.md")
    (folder / ".cachelint-folder").mkdir()
    other = leave(str(folder / ".other"), 7200)
    fix(["."])
    assert (folder / ".cachelint-link").is_symlink()
    assert (folder / ".cachelint-folder").exists()
    assert other.exists()
    file = leave(LEFTOVERS[0], 7200)
    monkeypatch.setattr(os, "geteuid", lambda: 1)
    fix(["."])
    assert file.exists()


def test_interrupt_while_a_temporary_file_is_removed(
    catalog: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlink = os.unlink

    def interrupt(path: str) -> None:
        monkeypatch.setattr(os, "unlink", unlink)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "unlink", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fix(["."])
    monkeypatch.setattr(os, "rename", fail(errno.EIO))
    read_write.remove_pending()
    assert [path.name for path in (catalog / PAGE).parent.iterdir()] == ["specs.md"]


SIGNALLED = """
import os, sys
from cachelint.cli.main import program
left, number = int(sys.argv.pop()), int(sys.argv.pop())
def count(event, arguments):
    global left
    if event in ("open", "os.rename", "os.remove") and ".cachelint-" in repr(arguments):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), number)
sys.addaudithook(count)
program()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("call", [1, 2, 3])
def test_signal_at_a_call_about_a_temporary_file(catalog: Path, number: int, call: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SIGNALLED, "fix", "--jobs", "1", "--quiet", str(int(number)),
         str(call)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (128 + number, "")
    assert [path.name for path in (catalog / PAGE).parent.iterdir()] == ["specs.md"]
    assert (catalog / PAGE).read_text("utf-8") in (STALE, valid.PAGE)
