"""What applies to all tests."""

import os
import signal


def pytest_configure() -> None:
    # programs that tests start buffer their output as they do elsewhere, and do not compile all
    # modules again
    for name in ("PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"):
        os.environ.pop(name, None)
    # a shell starts a background job with SIGINT ignored, and nohup a program with SIGHUP ignored:
    # the processes that tests start would inherit that, and what they do on a signal is tested
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
