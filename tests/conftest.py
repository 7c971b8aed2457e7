"""What applies to all tests."""

import os
import signal
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--without-fast-path", action="store_true",
                     help="parse every page: all tests must pass, but for those of the fast path")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Share out the whole suite; tests that are named run at once, and print as they go."""
    return None if config.args_source is pytest.Config.ArgsSource.TESTPATHS else 0


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    is_about_it = collection_path.name == "test_fastpath.py"
    return True if is_about_it and config.getoption("--without-fast-path") else None


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--without-fast-path"):
        from cachelint.linter.fastpath import FastPath

        FastPath.lint = lambda *_: None  # type: ignore[method-assign]
    # programs that tests start buffer their output as they do elsewhere, and do not compile all
    # modules again
    for name in ("PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"):
        os.environ.pop(name, None)
    # a shell starts a background job with SIGINT ignored, and nohup a program with SIGHUP ignored:
    # the processes that tests start would inherit that, and what they do on a signal is tested
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
