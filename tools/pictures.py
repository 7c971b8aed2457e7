"""Make the pictures of README.md from what the program prints.

    python tools/pictures.py

writes docs/images/check.svg, the output of the first command as a terminal shows it, and
docs/images/report.png, the HTML report in Chromium. A test fails when the first is out of date.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
COMMAND = "cachelint check examples/faulty"
NO_BREAK = "\N{NO-BREAK SPACE}"  # several of the other kind would become one

_COLUMNS = 92
_CELL, _LINE, _MARGIN = 8.4, 19, 18
_BACKGROUND, _TEXT = "#17191e", "#d6d9de"
_COLOURS = {31: "#ff7b72", 32: "#7ee787", 33: "#e3b341", 34: "#79b8ff", 35: "#d2a8ff",
            36: "#76e3ea", 90: "#8b949e"}


def run_in_terminal(command: str) -> str:
    """Run a command of the program in a terminal, and return what it writes, with colours."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 40, _COLUMNS, 0, 0))
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
    running = subprocess.Popen(
        [sys.executable, "-m", "cachelint", *command.split()[1:], "--jobs", "1"], cwd=ROOT,
        stdin=follower, stdout=follower, stderr=follower, env=environment)
    os.close(follower)
    written = b""
    try:
        while piece := os.read(leader, 65536):
            written += piece
    except OSError:  # how Linux reports that the other end is closed
        pass
    os.close(leader)
    running.wait()
    return written.decode().replace("\r\n", "\n")


def render_svg(output: str) -> str:
    """Draw what was written to a terminal, with the command above it."""
    # without hyperlinks, which the picture cannot have
    output = re.sub(r"\x1b\]8;.*?(\x1b\\|\x07)", "", output)
    lines = [f"\x1b[32m$\x1b[0m \x1b[1m{COMMAND}\x1b[0m", *output.rstrip("\n").split("\n")]
    width = round(_COLUMNS * _CELL + 2 * _MARGIN)
    height = len(lines) * _LINE + 2 * _MARGIN
    drawn = [element for number, line in enumerate(lines)
             for element in _draw(line, _MARGIN + number * _LINE + 13)]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}" role="img">',
        f"<title>The output of {COMMAND}</title>",
        f'<rect width="{width}" height="{height}" rx="8" fill="{_BACKGROUND}"/>',
        f'<g fill="{_TEXT}" font-size="14" font-family="ui-monospace, SFMono-Regular, Menlo,'
        ' Consolas, DejaVu Sans Mono, monospace">',
        *drawn, "</g>", "</svg>", ""])


def _draw(line: str, y: int) -> Iterator[str]:
    """Yield an element for each piece of a line that has one colour."""
    column, colour, is_bold = 0, "", False
    for code, piece in re.findall(r"(?:\x1b\[([\d;]*)m)?([^\x1b]*)", line):
        for number in map(int, filter(None, code.split(";"))):
            if number == 0:
                colour, is_bold = "", False
            elif number == 1:
                is_bold = True
            else:
                colour = _COLOURS[number]
        if text := piece.strip():
            left = _MARGIN + (column + len(piece) - len(piece.lstrip())) * _CELL
            style = f' fill="{colour}"' * bool(colour) + ' font-weight="bold"' * is_bold
            # the length keeps the columns, whatever the font
            yield (f'<text x="{left:.1f}" y="{y}"{style} textLength="{len(text) * _CELL:.1f}">'
                   f'{escape(text, quote=False).replace(" ", NO_BREAK)}</text>')
        column += len(piece)


def take_screenshot(path: Path) -> None:
    """Show the HTML report of the same command in Chromium, and write what it looks like."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for option in ("headless=new", "no-sandbox", "hide-scrollbars", "window-size=1200,860",
                   "force-device-scale-factor=1"):
        options.add_argument(f"--{option}")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.html"
        with report.open("wb") as file:
            subprocess.run([sys.executable, "-m", "cachelint", *COMMAND.split()[1:],
                            "--output-format", "html"], cwd=ROOT, stdout=file, check=False)
        browser = webdriver.Chrome(
            options, webdriver.ChromeService(shutil.which("chromedriver") or ""))
        try:
            browser.get(report.as_uri())
            browser.save_screenshot(str(path))
        finally:
            browser.quit()


def main() -> None:
    """Write both pictures."""
    IMAGES.mkdir(exist_ok=True)
    (IMAGES / "check.svg").write_text(render_svg(run_in_terminal(COMMAND)), encoding="utf-8")
    take_screenshot(IMAGES / "report.png")


if __name__ == "__main__":
    main()
