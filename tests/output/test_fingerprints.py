"""What a finding is known by from run to run."""

from __future__ import annotations

from pathlib import Path

import pytest

from cachelint import check, check_page
from cachelint.model import Finding
from cachelint.output.fingerprints import identify
from support import broken, valid

PATH = f"_cache/{valid.TAG}/zlib/specs.md"
BAD = {"variants": ["build_system=makefile", "+~shared"]}
HASHLESS = {"hash": "x"}


def fingerprints(findings: list[Finding]) -> dict[str, str]:
    """Return what each finding is known by, by its code and pointer."""
    return {f"{finding.code} {finding.pointer} {identity.named}".rstrip(): identity.fingerprint()
            for finding, identity in identify(findings)}


def of(text: str, path: str = PATH) -> dict[str, str]:
    """Return what the findings of a page are known by."""
    return fingerprints(check_page(text.encode(), path, context=valid.CONTEXT))


ONE = valid.page(None, valid.specs(0, **BAD))

# name: (a page, the same fault on the page as it is later, the findings that are the same)
SAME: dict[str, tuple[str, str, dict[str, str]]] = {
    "nothing changed": (ONE, ONE, {"CL404 /spec_details/0/variants/1": ""}),
    "lines moved": (ONE, ONE.replace("layout:", "# a\n# b\nlayout:"),
                    {"CL404 /spec_details/0/variants/1": ""}),
    "specs changed their order": (
        ONE, valid.page(None, valid.specs(0, **BAD)[::-1]),
        {"CL404 /spec_details/0/variants/1": "CL404 /spec_details/1/variants/1"}),
    "another finding came": (
        ONE, valid.page(valid.meta(num_specs=3), valid.specs(0, **BAD)),
        {"CL404 /spec_details/0/variants/1": ""}),
    "another value": (valid.page(valid.meta(num_specs=3)), valid.page(valid.meta(num_specs=4)),
                      {"CL301 /meta/num_specs": ""}),
    "one of two at one place is gone": (
        valid.page(valid.without(valid.without(valid.meta(), "oss"), "targets")),
        valid.page(valid.without(valid.meta(), "targets")),
        {'CL201 /meta "targets"': ""}),
}


@pytest.mark.parametrize(("before", "after", "same"), SAME.values(), ids=SAME)
def test_same_finding(before: str, after: str, same: dict[str, str]) -> None:
    old, new = of(before), of(after)
    for key, later in same.items():
        assert old[key] == new[later or key]


# pairs of findings that must not be taken for one
OTHER: dict[str, tuple[str, str, str]] = {
    "another file": (ONE, PATH, PATH.replace("zlib", "zstd")),
    "another catalog": (ONE, f"a/{PATH}", f"b/{PATH}"),
}


@pytest.mark.parametrize(("text", "one", "other"), OTHER.values(), ids=OTHER)
def test_other_finding(text: str, one: str, other: str) -> None:
    assert not set(of(text, one).values()) & set(of(text, other).values())


def test_all_of_a_report_are_different() -> None:
    found = [identity.fingerprint() for _, identity in identify(broken.report().findings)]
    assert len(set(found)) == len(found) == len(broken.report().findings)
    assert all(len(each) == 32 and int(each, 16) >= 0 for each in found)


def test_what_has_all_in_common_is_counted() -> None:
    text = valid.PAGE.replace('"num_specs"', '"num_specs": 1, "num_specs": 1, "num_specs"')
    found = list(identify(check_page(text.encode(), PATH)))
    assert [(finding.code, identity.ordinal) for finding, identity in found] == [
        ("CL107", 1), ("CL107", 2)]
    assert len({identity.fingerprint() for _, identity in found}) == 2


def test_tags_that_one_file_does_not_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    old = []
    for tags in (["v0.1", "v0.2", "v0.3"], ["v0.2", "v0.3"]):
        valid.write_catalog(
            tmp_path, {f"{tag}/zlib": valid.PAGE.replace(valid.TAG, tag) for tag in tags},
            {valid.TAG: ["root"]})
        if len(tags) == 2:
            (tmp_path / "_cache/v0.1/zlib/specs.md").unlink()
        old.append({key: value for key, value in fingerprints(list(check().findings)).items()
                    if "CL603" in key})
    assert list(old[0]) == [f'CL603  "v0.{number}"' for number in (1, 2, 3)]
    assert {key: old[0][key] for key in old[1]} == old[1]
    assert len(old[1]) == 2


def test_a_fingerprint_is_a_promise() -> None:
    # services would close every alert and open it anew
    assert of(ONE) == {"CL404 /spec_details/0/variants/1": "cf55af6ec8fc104e849b1703e563ec2d"}
