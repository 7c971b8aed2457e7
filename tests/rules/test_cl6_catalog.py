"""CL6xx: the page's folder in the catalog."""

from __future__ import annotations

from pathlib import Path

import pytest

from cachelint import check
from cachelint.model import PageContext, PageId
from support import valid
from support.valid import CONTEXT, PAGE, TAG, page, specs

OTHER = "develop-2025-04-20"

CASES: dict[str, tuple[str, PageContext, list[tuple[str, str, str]]]] = {
    "sound": (PAGE, CONTEXT, []),
    # CL601
    "title": (page(title='title: "zstd"'), CONTEXT, [("CL601", "/title", '"zstd"')]),
    "title in the plain": (page(title="title: zstd"), CONTEXT,
                           [("CL504", "/title", "zstd"), ("CL601", "/title", "zstd")]),
    "folder": (PAGE, PageContext(PageId(TAG, "zstd")), [("CL601", "/title", '"zlib"')]),
    "folder in capitals": (PAGE, PageContext(PageId(TAG, "Zlib")), [("CL601", "/title", '"zlib"')]),
    "title, nowhere": (page(title='title: "zstd"'), PageContext(), []),
    "unsound title": (page(title='title: "z_std"'), CONTEXT, [("CL204", "/title", '"z_std"')]),
    "unsafe title": (page(title='title: "z<"'), CONTEXT, [("CL701", "/title", '"z<"')]),
    # CL602
    "tag": (page(categories=f"categories: [package, {OTHER}]"), CONTEXT,
            [("CL602", "/categories/1", OTHER)]),
    "tag in quotes": (page(categories=f'categories: [package, "{OTHER}"]'), CONTEXT,
                      [("CL504", "/categories", "categories"),
                       ("CL602", "/categories/1", f'"{OTHER}"')]),
    "tag, nowhere": (page(categories=f"categories: [package, {OTHER}]"), PageContext(), []),
    "other first category": (page(categories=f"categories: [pkg, {OTHER}]"), CONTEXT,
                             [("CL204", "/categories/0", "pkg")]),
    "three categories": (page(categories=f"categories: [package, {OTHER}, x]"), CONTEXT,
                         [("CL204", "/categories", "categories")]),
    "unsafe tag": (page(categories="categories: [package, a>b]"), CONTEXT,
                   [("CL701", "/categories/1", "a>b")]),
    "title and tag": (page(title='title: "zstd"', categories=f"categories: [package, {OTHER}]"),
                      CONTEXT,
                      [("CL601", "/title", '"zstd"'), ("CL602", "/categories/1", OTHER)]),
    # CL604
    "stack": (page(None, specs(0, stacks=["aws", "root"])), CONTEXT,
              [("CL604", "/spec_details/0/stacks/0", '"aws"')]),
    "stack on both specs": (page(None, [{**spec, "stacks": ["aws", "root"]} for spec in specs()]),
                            CONTEXT, [("CL604", "/spec_details/0/stacks/0", '"aws"')]),
    "two stacks": (page(None, [{**specs()[0], "stacks": ["aws", "root"]},
                               {**specs()[1], "stacks": ["aws", "gpu", "root"]}]), CONTEXT,
                   [("CL604", "/spec_details/0/stacks/0", '"aws"'),
                    ("CL604", "/spec_details/1/stacks/1", '"gpu"')]),
    "stack twice": (page(None, specs(0, stacks=["aws", "aws", "root"])), CONTEXT,
                    [("CL403", "/spec_details/0/stacks/1", '"aws"'),
                     ("CL604", "/spec_details/0/stacks/0", '"aws"')]),
    "stack of a tag that is not listed": (page(None, specs(0, stacks=["aws", "root"])),
                                          CONTEXT._replace(tag_stacks=None), []),
    "no stack is listed": (PAGE, CONTEXT._replace(tag_stacks=frozenset()),
                           [("CL604", "/spec_details/0/stacks/0", '"e4s"'),
                            ("CL604", "/spec_details/0/stacks/1", '"root"')]),
    "stack in another case": (page(None, specs(0, stacks=["E4S", "root"])), CONTEXT,
                              [("CL604", "/spec_details/0/stacks/0", '"E4S"')]),
    "unsafe stack": (page(None, specs(0, stacks=["<", "root"])), CONTEXT,
                     [("CL701", "/spec_details/0/stacks/0", '"<"')]),
    "stack of a tarball page": (page(None, valid.tarball_specs(0, stacks=["aws", "root"])), CONTEXT,
                                [("CL604", "/spec_details/0/stacks/0", '"aws"')]),
    "stranger in meta alone": (page(valid.meta(stacks=["aws", "e4s", "root"])), CONTEXT,
                               [("CL306", "/meta/stacks", '"stacks"')]),
}


@pytest.mark.parametrize(("text", "context", "expected"), CASES.values(), ids=CASES)
def test_findings(text: str, context: PageContext, expected: list[tuple[str, str, str]]) -> None:
    assert valid.reported(text, context) == expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({TAG: ["e4s", "root"]}, []),
        ({TAG: ["root"]}, [("CL604", "/spec_details/0/stacks/0")]),
        ({OTHER: ["root"]}, []),
    ],
    ids=["listed", "stack is not", "tag is not"],
)
def test_stacks_of_the_tag_come_from_tags_yaml(
    tmp_path: Path, tags: dict[str, list[str]], expected: list[tuple[str, str]]
) -> None:
    valid.write_catalog(tmp_path, {f"{TAG}/zlib": PAGE}, tags)
    found = check([str(tmp_path / "_cache" / TAG / "zlib" / "specs.md")]).findings
    assert [(finding.code, finding.pointer) for finding in found] == expected


@pytest.mark.parametrize("number", [1, 10, 11])
def test_few_unknown_stacks_are_taken_for_others(number: int) -> None:
    stacks = sorted([f"e4s{letter}" for letter in "abcdefghijk"[:number]] + ["root"])
    found = [each for each in valid.check(page(None, specs(0, stacks=stacks)))
             if each.code == "CL604"]
    assert [each.message.endswith('did you mean "e4s"?') for each in found] == (
        [True] * min(number, 10) + [False] * (number > 10))


@pytest.mark.parametrize("number", [1, 10, 11])
def test_few_tags_without_pages_are_taken_for_others(tmp_path: Path, number: int) -> None:
    names = [f"{TAG}{letter}" for letter in "abcdefghijk"[:number]]
    valid.write_catalog(tmp_path, {f"{TAG}/zlib": PAGE}, {name: ["root"] for name in names})
    found = [each for each in check([str(tmp_path)]).findings if each.code == "CL606"]
    assert [each.message.endswith(f'did you mean "{TAG}"?') for each in found] == (
        [number <= 10] * number)


def test_tags_yaml_is_read_anew_in_each_run(tmp_path: Path) -> None:
    found = []
    for stacks in (["e4s", "root"], ["root"]):
        valid.write_catalog(tmp_path, {f"{TAG}/zlib": PAGE}, {TAG: stacks})
        report = check([str(tmp_path / "_cache")])
        found.append([finding.code for finding in report.findings if finding.code == "CL604"])
    assert found == [[], ["CL604"]]


def test_file_outside_the_catalog_does_not_hide_its_tags(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    valid.write_catalog(tmp_path, {f"{TAG}/zlib": PAGE}, {TAG: ["root"]})
    (tmp_path / "draft.md").write_text(PAGE)
    found = check(["draft.md", f"_cache/{TAG}/zlib/specs.md"]).findings
    assert [finding.code for finding in found] == ["CL604"]


def test_page_of_the_legacy_layout_has_only_a_package(tmp_path: Path) -> None:
    valid.write_catalog(tmp_path, {"zstd": PAGE}, {})
    found = check([str(tmp_path / "_cache" / "zstd" / "specs.md")]).findings
    # `_cache/<package>/` is not `_cache/<tag>/<package>/`
    assert found == ()
