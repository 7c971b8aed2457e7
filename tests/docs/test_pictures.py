"""The pictures of README.md show what the program prints."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import pictures

ROOT = Path(__file__).parents[2]


def test_picture_of_the_terminal_is_up_to_date() -> None:
    expected = pictures.render_svg(pictures.run_in_terminal(pictures.COMMAND))
    shown = (pictures.IMAGES / "check.svg").read_text(encoding="utf-8")
    assert shown == expected, "run: python tools/pictures.py"


@pytest.mark.parametrize(("line", "expected"), [
    ("plain", [(18.0, None, None, "plain")]),
    ("\x1b[1;31ma<b\x1b[0m c", [(18.0, "#ff7b72", "bold", "a<b"), (51.6, None, None, "c")]),
    ("  a  b", [(34.8, None, None, f"a{pictures.NO_BREAK * 2}b")]),
    ("\x1b]8;;https://example.org/\x1b\\x\x1b]8;;\x1b\\", [(18.0, None, None, "x")]),
])
def test_colours_and_columns(
    line: str, expected: list[tuple[float, str | None, str | None, str]]
) -> None:
    drawn = ET.fromstring(pictures.render_svg(line))
    found = [(float(each.attrib["x"]), each.get("fill"), each.get("font-weight"), each.text)
             for each in drawn.iter("{http://www.w3.org/2000/svg}text") if each.get("y") != "31"]
    assert found == expected


def test_readme_shows_them() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[[^]]+\]\((docs/images/[\w.]+)\)", text)
    assert shown == ["docs/images/check.svg", "docs/images/report.png"]
    for name in shown:
        assert (ROOT / name).stat().st_size > 1000
