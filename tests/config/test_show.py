"""`--show-settings`: TOML with the values that apply, and their sources."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from cachelint.config import file as config_file
from cachelint.config.show import GivenOption, toml, write
from cachelint.rules import ALL_RULES

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FULL = """\
select = ["ALL"]
ignore = ["legacy-format"]
extend-select = ["CL507"]
exclude = ["_cache/v0.18/**", "_cache/a-name-that-is-long/**", "_cache/one-more-such-name"]
baseline = "known.json"
mutable-tags = ["develop", "next"]
root-stack = "all"
mirror-urls = ["s3://a"]
max-page-size = 10
[per-file-ignores]
"_cache/v0.20 \\u0007/**" = ["CL3", "num-specs"]
[severity]
CL5 = "warning"
unstable-order = "error"
"""
FORMAT = [GivenOption("--output-format", "full", "")]


def shown(file: config_file.File, *options: GivenOption) -> list[str]:
    names = ("select", "ignore", "extend-select")
    given = {each.name.removeprefix("--"): each.value for each in options
             if each.name.removeprefix("--") in names}
    settings = config_file.join_settings(file.data, given)
    return "".join(write(file, settings, [*FORMAT, *options])).splitlines()


@pytest.fixture
def full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> config_file.File:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "cachelint.toml"
    path.write_text(FULL)
    return config_file.load(str(path))


def test_output_is_toml_that_means_the_same(full: config_file.File) -> None:
    assert tomllib.loads("\n".join(shown(full))) == full.data
    again = tomllib.loads("\n".join(shown(config_file.NO_FILE)))
    assert config_file.join_settings(again, {}) == config_file.join_settings({}, {})


def test_output_fits_the_screen(full: config_file.File) -> None:
    for line in [*shown(full), *shown(config_file.NO_FILE)]:
        assert len(line) <= 80
        assert line.isprintable()


@pytest.mark.parametrize("line", [
    "# Configuration file: cachelint.toml",
    'ignore = ["legacy-format"]  # cachelint.toml:2',
    'extend-select = ["CL507"]  # cachelint.toml:3',
    "# cachelint.toml:4",
    '    "_cache/a-name-that-is-long/**",',
    'baseline = "known.json"  # cachelint.toml:5',
    "max-page-size = 10  # cachelint.toml:9",
    '"_cache/v0.20 \\u0007/**" = ["CL3", "num-specs"]  # cachelint.toml:11',
    'CL5 = "warning"  # cachelint.toml:13',
    "#   --output-format  full      default",
    f"# {len(ALL_RULES) - 1} rules run",
    "#   CL301 num-specs                   error",
    "#   CL501 key-order                   warning  (by default: error)",
    "#   CL507 unstable-order              error  (by default: warning)",
    "# 1 rule does not run",
    "#   CL109 legacy-format",
])
def test_values_of_the_file(full: config_file.File, line: str) -> None:
    assert line in shown(full)


def test_defaults() -> None:
    out = shown(config_file.NO_FILE)
    for line in ("# Configuration file: none", "select = [\"ALL\"]  # default",
                 "# baseline is not set  # default", 'mutable-tags = ["develop"]  # default',
                 "max-page-size = 8388608  # default",
                 "#   CL507 unstable-order              off by default"):
        assert line in out
    assert all(not line.endswith(".toml") for line in out if line.startswith("["))


@pytest.mark.parametrize(("option", "line"), [
    (GivenOption("--ignore", ("CL5",), "command line"), 'ignore = ["CL5"]  # command line'),
    (GivenOption("--ignore", (), ""), 'ignore = ["legacy-format"]  # cachelint.toml:2'),
    (GivenOption("--select", ("CL3", "CL4"), "environment variable CACHELINT_CHECK_SELECT"),
     'select = ["CL3", "CL4"]  # environment variable CACHELINT_CHECK_SELECT'),
    (GivenOption("--extend-select", ("CL4",), "command line"),
     'extend-select = ["CL507", "CL4"]  # cachelint.toml:3, command line'),
    (GivenOption("--baseline", "other.json", "command line"),
     'baseline = "other.json"  # command line'),
    (GivenOption("--baseline", "known.json", ""), 'baseline = "known.json"  # cachelint.toml:5'),
    (GivenOption("--jobs", 3, "command line"), "#   --jobs           3         command line"),
    (GivenOption("--strict", True, ""), "#   --strict         yes       default"),
    (GivenOption("--diff-base", None, ""), "#   --diff-base      -         default"),
])
def test_options(full: config_file.File, option: GivenOption, line: str) -> None:
    assert line in shown(full, option)


@pytest.mark.parametrize(("value", "text"), [
    ("a", '"a"'), ('"\\', '"\\"\\\\"'), ("\n\x7f\u202e", '"\\n\\U0000007F\\U0000202E"'),
    ("漢👍", '"漢👍"'), ([], "[]"), (["a", 1], '["a", 1]'), (True, "true"), (7, "7"),
])
def test_values(value: Any, text: str) -> None:
    assert toml(value) == text
    assert tomllib.loads(f"a = {text}") == {"a": value}
