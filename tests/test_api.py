"""The Python interface: what a generator or a service may call, and what it may rely on."""

from __future__ import annotations

import copy
import importlib.metadata
import inspect
import json
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, get_type_hints

import pytest

import cachelint
from cachelint import (
    CachelintError,
    Finding,
    Report,
    Settings,
    Severity,
    check,
    check_page,
    fix,
    fix_page,
    render_page,
    summarize,
)
from cachelint.runner.gate import Gate
from support import valid

WHERE = f"_cache/{valid.TAG}/zlib/specs.md"
STALE = valid.page(valid.meta(num_specs=3))


def test_everything_that_is_offered_is_there() -> None:
    assert {"check", "check_page", "fix_page", "render_page", "summarize", "Finding",
            "Report"} <= set(cachelint.__all__)
    assert all(hasattr(cachelint, name) for name in cachelint.__all__)
    assert cachelint.__version__ == importlib.metadata.version("cachelint")


def test_names_are_loaded_when_they_are_used() -> None:
    code = ("import sys, cachelint; before = set(sys.modules); cachelint.summarize; "
            "print(sorted(name for name in sys.modules if name.startswith('cachelint')), "
            "dir(cachelint) == cachelint.__all__)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == ("['cachelint', 'cachelint.document', 'cachelint.document.summary', "
                           "'cachelint.model'] True\n")
    with pytest.raises(AttributeError, match="no attribute 'sumarize'"):
        _ = cachelint.sumarize


def test_package_is_marked_as_typed() -> None:
    assert (Path(cachelint.__file__).parent / "py.typed").is_file()


@pytest.mark.parametrize("name", [
    name for name in cachelint.__all__ if inspect.isfunction(getattr(cachelint, name))])
def test_functions_are_typed_and_documented(name: str) -> None:
    function = getattr(cachelint, name)
    hints = get_type_hints(function, localns={"Gate": Gate})  # imported only when it is needed
    assert hints.keys() == {*inspect.signature(function).parameters, "return"}
    assert "Returns:" in (function.__doc__ or "")


# ------------------------------------------------------------------------------- pages in memory


def test_check_page() -> None:
    [finding] = check_page(STALE.encode(), WHERE)
    assert isinstance(finding, Finding)
    assert finding[:11] == (
        WHERE, 5, 50, 5, 51, "CL301", "num-specs", Severity.ERROR,
        "num_specs is 3, but spec_details has 2 specs", "/meta/num_specs", True)
    assert check_page(valid.PAGE.encode(), WHERE) == []
    assert check_page(valid.PAGE.encode()) == []


def test_path_determines_tag_and_package() -> None:
    def codes(path: str) -> list[str]:
        return [finding.code for finding in check_page(valid.PAGE.encode(), path)]

    assert codes(f"/srv/site/_cache/{valid.TAG}/zlib/specs.md") == []
    assert codes(f"_cache/{valid.TAG}/zstd/specs.md") == ["CL601"]
    assert codes("_cache/v1.0/zlib/specs.md") == ["CL602"]
    assert codes("zstd.md") == []


def test_settings() -> None:
    only = Settings(selected=frozenset({"CL302"}))
    assert check_page(STALE.encode(), settings=only) == []
    assert fix_page(STALE.encode(), settings=only).content == STALE.encode()
    small = Settings(max_page_size=100)
    assert [each.code for each in check_page(STALE.encode(), settings=small)] == ["CL110"]


def test_fix_page() -> None:
    fixed = fix_page(STALE.encode(), WHERE)
    assert fixed.content == valid.PAGE.encode()
    assert [each.code for each in fixed.found] == ["CL301"]
    assert (fixed.findings, fixed.reason) == ([], "")


# ------------------------------------------------------------------------------- rendering


def current_pages() -> dict[str, Path]:
    """Find the pages in the current format, of the example and of the real ones."""
    here = Path(__file__).parent
    found = [*here.glob("corpus/_cache/*/*/specs.md"),
             *here.parent.glob("examples/catalog/_cache/*/*/specs.md")]
    return {"/".join(path.parts[-5:-1]): path for path in sorted(found)
            if b"spec_details: [{" in path.read_bytes()
            and b'"tarball": ' not in path.read_bytes()}


PAGES = current_pages()


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_rendered_page_is_that_of_the_generator(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    specs = json.loads(valid.lines(text)["spec_details"].removeprefix("spec_details: "))
    for spec in specs:
        spec["stacks"].reverse()
    mixed = [dict(reversed(spec.items())) for spec in random.Random(1).sample(specs, len(specs))]
    assert render_page(path.parts[-2], path.parts[-3], mixed) == text
    assert check_page(text.encode(), str(path)) == []


def test_rendering_alters_nothing_that_it_was_given() -> None:
    specs = valid.specs(0, stacks=["root", "e4s"])[::-1]
    before = copy.deepcopy(specs)
    assert render_page("zlib", valid.TAG, iter(specs)) == valid.PAGE
    assert specs == before


def test_rendering_needs_whole_specs() -> None:
    with pytest.raises(KeyError, match="target"):
        render_page("zlib", valid.TAG, [valid.without(valid.specs()[0], "target")])


@pytest.mark.parametrize(
    ("title", "tag", "sentence"),
    [
        ('z"lib', valid.TAG, "invalid name of a package: 'z\"lib'"),
        ("", valid.TAG, "invalid name of a package: ''"),
        ("Zlib", valid.TAG, "invalid name of a package: 'Zlib'"),
        ("zlib", "no", "invalid name of a tag: 'no'"),
        ("zlib", "1.0", "invalid name of a tag: '1.0'"),
        ("zlib", "a]", "invalid name of a tag: 'a]'"),
        ("zlib", "", "invalid name of a tag: ''"),
        ("zlib", "a\nb", "invalid name of a tag: 'a\\nb'"),
    ],
)
def test_rendering_needs_names_that_every_reader_takes_alike(
    title: str, tag: str, sentence: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        render_page(title, tag, valid.specs())


def test_settings_with_an_unknown_code(tmp_path: Path) -> None:
    settings = Settings(selected=frozenset({"CL301", "CL33"}))
    sentence = r'^selected: unknown code "CL33": did you mean "CL3'
    for call in (lambda: check_page(b"", settings=settings),
                 lambda: fix_page(b"", settings=settings),
                 lambda: check([str(tmp_path)], settings=settings),
                 lambda: cachelint.fix([str(tmp_path)], settings=settings)):
        with pytest.raises(CachelintError, match=sentence):
            call()


def test_summary() -> None:
    assert summarize(valid.specs()) == {
        "compilers": ["gcc@11.4.0"], "num_specs": 2, "num_specs_by_stack": {"e4s": 1, "root": 2},
        "oss": ["ubuntu22.04"], "platforms": ["linux"], "stacks": ["e4s", "root"],
        "targets": ["x86_64_v3"], "versions": ["1.2.13", "1.3.1"]}
    assert json.dumps(summarize(valid.specs())) == valid.dumps(valid.meta())


# ------------------------------------------------------------------------------- whole catalogs


def test_check_and_fix_of_a_catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    valid.write_catalog(tmp_path, {f"{valid.TAG}/zlib": STALE}, {valid.TAG: ["e4s", "root"]})
    report = check()
    assert isinstance(report, Report)
    assert (report.pages, report.errors, report.warnings, report.fixable) == (1, 1, 0, 1)
    assert [(each.path, each.code) for each in report.findings] == [(WHERE, "CL301")]
    assert report.seconds > 0
    assert check([WHERE], settings=Settings(selected=frozenset())).findings == ()
    done = fix([WHERE])
    assert (done.report.findings, done.fixed, done.skipped) == ((), 1, ())
    assert (tmp_path / WHERE).read_text() == valid.PAGE
    assert check(["."], jobs=4).findings == ()


def test_second_check_reads_the_catalog_again(tmp_path: Path) -> None:
    pages: dict[str, str | bytes] = {f"{valid.TAG}/zlib": valid.PAGE}
    codes = []
    for stacks in (["e4s", "root"], ["root"], ["e4s"], ["e4s", "root"]):
        valid.write_catalog(tmp_path, pages, {valid.TAG: stacks})
        codes.append([each.code for each in check([str(tmp_path)]).findings])
    assert codes == [[], ["CL604"], ["CL604"], []]


def test_two_catalogs_of_the_same_relative_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = []
    for name, stacks in (("one", ["e4s", "root"]), ("two", ["root"])):
        valid.write_catalog(tmp_path / name, {f"{valid.TAG}/zlib": valid.PAGE},
                            {valid.TAG: stacks})
        monkeypatch.chdir(tmp_path / name)
        codes.append([each.code for each in check().findings])
    assert codes == [[], ["CL604"]]


@pytest.mark.parametrize("call", [check, fix])
def test_path_that_is_not_there(call: Any, tmp_path: Path) -> None:
    with pytest.raises(CachelintError, match="no such file or folder"):
        call([str(tmp_path / "gone")])


def test_import_is_quick_and_silent() -> None:
    # the YAML parser, jsonschema and click are for those who need them
    heavy = "[name for name in ('ruamel', 'jsonschema', 'click', 'asyncio') if name in sys.modules]"
    code = f"import sys; from cachelint import *; print({heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          check=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")
