"""A rule that is added is run everywhere, whatever it looks at and whatever else takes a short cut.

Each test makes a rule that does not exist, runs it on a valid catalog in every way there is, and
expects the same findings.
"""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Callable, Iterator
from hashlib import sha1
from pathlib import Path
from typing import Any

import pytest

from cachelint import PageContext, Settings, check, check_page, fix
from cachelint.document.page import Page
from cachelint.linter import page as page_linter
from cachelint.linter.fastpath import fast_path_for
from cachelint.model import PageId, Problem, RuleOptions
from cachelint.rules import BY_CODE, Rule
from cachelint.rules.base import CURRENT, MODERN, TARBALL, page_rule, value_rule
from cachelint.rules.selection import DEFAULT_RULES
from support import valid

CODE = "CL499"
TAGS = ["develop", "v0.1", "v0.2", "v0.3", "v0.4", "v0.5"]
OLD_TAGS = TAGS[3:]
"""Tags in the tarball format."""
STACKS = ["e4s", "hep", "root"]
Spec = dict[str, Any]


def make_specs(tag: str, package: str) -> list[Spec]:
    """Make the specs of a page: some strings are on all pages, some on few."""
    found = []
    for number in range(3):
        name = f"{tag}/{package}/{number}"
        dag_hash = b32encode(sha1(name.encode(), usedforsecurity=False).digest()).decode().lower()
        is_rare = package == "b" and number == 1
        spec = {
            "hash": dag_hash, "compiler": "gcc@11.4.0", "versions": [f"1.{number}"],
            "os": "rhel8" if is_rare else "ubuntu22.04", "platform": "linux",
            "target": "zen5" if is_rare and tag in ("v0.2", "v0.4") else "x86_64_v3",
            "variants": [f"commit={sha1(name.encode(), usedforsecurity=False).hexdigest()}",
                         "+shared"],
            "stacks": ["e4s", "root"], "size": "-",
        }
        if tag in OLD_TAGS:
            if number == 2 and package == "b":
                spec["stacks"] = ["root", "e4s"]
            built_for = f"linux-{spec['os']}-{spec['target']}"
            release = f"{package}-1.{number}"
            spec["tarball"] = (
                f"https://binaries.spack.io/{tag}/build_cache/{built_for}/gcc-11.4.0/{release}/"
                f"{built_for}-gcc-11.4.0-{release}-{dag_hash}.spack")
        found.append(spec)
    return found if tag in OLD_TAGS else sorted(found, key=lambda spec: str(spec["hash"]))


CATALOG = {(tag, package): make_specs(tag, package) for tag in TAGS for package in "abc"}


def render(tag: str, package: str) -> str:
    return valid.page(None, CATALOG[tag, package], title=f'title: "{package}"',
                      categories=f"categories: [package, {tag}]")


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the catalog."""
    valid.write_catalog(
        tmp_path, {f"{tag}/{package}": render(tag, package) for tag, package in CATALOG},
        dict.fromkeys(TAGS, STACKS))
    monkeypatch.chdir(tmp_path)
    return tmp_path


# ------------------------------------------------------------------------------ rules

Expected = Callable[[str, str, list[Spec]], list[str]]
"""The pointers of the findings on a page of this tag and package, with these specs."""


def of_specs(
    below: str, is_wrong: Callable[[Spec], bool]
) -> Expected:
    """Expect a finding at each spec that is wrong."""
    return lambda _, __, specs: [
        f"/spec_details/{index}{below}" for index, spec in enumerate(specs) if is_wrong(spec)]


@value_rule(CODE, "rare-target", field="target")
def rare_target(value: str, _: RuleOptions) -> Iterator[Problem]:
    """A target that few specs have."""
    if value == "zen5":
        yield Problem("", "rare")


@value_rule(CODE, "odd-commit", field="variants", each=True)
def odd_commit(value: str, _: RuleOptions) -> Iterator[Problem]:
    """A commit that ends in a certain digit: each is on one page only."""
    if value.startswith("commit=") and value[-1] in "0123":
        yield Problem("", "odd")


@value_rule(CODE, "root-first", field="stacks")
def root_first(value: list[str], _: RuleOptions) -> Iterator[Problem]:
    """The order of stacks, in which the specs of old pages differ."""
    if value[0] == "root":
        yield Problem("/0", "first")


@value_rule(CODE, "odd-hash", field="hash")
def odd_hash(value: str, _: RuleOptions) -> Iterator[Problem]:
    """A hash that ends in certain letters: each is on one page only."""
    if value[-1] in "abcdefgh":
        yield Problem("", "odd")


@value_rule(CODE, "old-tarball", field="tarball", formats=TARBALL)
def old_tarball(value: str, _: RuleOptions) -> Iterator[Problem]:
    """A tarball below a certain tag."""
    if "/v0.4/" in value:
        yield Problem("", "old")


@page_rule(CODE, "most-versions")
def most_versions(page: Page, _: PageContext) -> Iterator[Problem]:
    """Something about all specs of a page."""
    if len({spec["os"] for spec in page.specs}) > 1:
        yield Problem("/spec_details", "several systems")


@page_rule(CODE, "short-package")
def short_package(_: Page, context: PageContext) -> Iterator[Problem]:
    """Something about tag and package."""
    if context.page_id == PageId("v0.2", "c"):
        yield Problem("/title", "short")


@page_rule(CODE, "rare-pair", formats=CURRENT)
def rare_pair(page: Page, _: PageContext) -> Iterator[Problem]:
    """Something about two fields of a spec."""
    for index, spec in enumerate(page.specs):
        if (spec["os"], spec["target"]) == ("rhel8", "zen5"):
            yield Problem(f"/spec_details/{index}/target", "rare")


RULES: dict[str, tuple[Rule, Expected]] = {
    "value": (rare_target, of_specs("/target", lambda spec: spec["target"] == "zen5")),
    "item of which each page has others": (odd_commit, of_specs(
        "/variants/0", lambda spec: spec["variants"][0][-1] in "0123")),
    "order of a list": (root_first, of_specs(
        "/stacks/0", lambda spec: spec["stacks"][0] == "root")),
    "hash": (odd_hash, of_specs("/hash", lambda spec: spec["hash"][-1] in "abcdefgh")),
    "tarball": (old_tarball, of_specs(
        "/tarball", lambda spec: "/v0.4/" in spec.get("tarball", ""))),
    "page": (most_versions, lambda _, __, specs: (
        ["/spec_details"] if len({spec["os"] for spec in specs}) > 1 else [])),
    "tag and package": (short_package, lambda tag, package, _: (
        ["/title"] if (tag, package) == ("v0.2", "c") else [])),
    "two fields": (rare_pair, lambda tag, _, specs: [
        f"/spec_details/{index}/target" for index, spec in enumerate(specs)
        if tag not in OLD_TAGS and (spec["os"], spec["target"]) == ("rhel8", "zen5")]),
}


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Rule], Settings]]:
    """Return a function that adds a rule, and returns the settings with which it runs."""

    def add(rule: Rule) -> Settings:
        monkeypatch.setitem(BY_CODE, rule.code, rule)
        monkeypatch.setattr(page_linter, "_RULES", {
            form: (*rules, rule) if form in rule.formats else rules
            for form, rules in page_linter._RULES.items()})
        fast_path_for.cache_clear()
        return Settings(selected=DEFAULT_RULES | {rule.code})

    yield add
    fast_path_for.cache_clear()


@pytest.mark.parametrize(("rule", "expected"), RULES.values(), ids=RULES)
@pytest.mark.parametrize("default", [True, False], ids=["by default", "selected"])
def test_new_rule_finds_the_same_everywhere(
    rule: Rule, expected: Expected, default: bool, catalog: Path,
    register: Callable[[Rule], Settings],
) -> None:
    settings = register(rule._replace(default=default))
    wanted = sorted(
        (f"_cache/{tag}/{package}/specs.md", CODE, pointer)
        for (tag, package), specs in CATALOG.items() for pointer in expected(tag, package, specs))
    assert 0 < len(wanted) < sum(map(len, CATALOG.values()))

    def found(findings: Any) -> list[tuple[str, str, str]]:
        return sorted((each.path, each.code, each.pointer) for each in findings)

    alone = [
        finding for tag, package in CATALOG for finding in check_page(
            render(tag, package).encode(), f"_cache/{tag}/{package}/specs.md", settings=settings,
            context=PageContext(PageId(tag, package), frozenset(STACKS)))]
    assert found(alone) == wanted
    assert found(check(settings=settings).findings) == wanted
    assert found(check(settings=settings, jobs=2).findings) == wanted
    assert found(fix(settings=settings, write=False).report.findings) == wanted


def test_rules_are_for_all_formats() -> None:
    """So that the tests above cover pages of each."""
    assert {form for rule, _ in RULES.values() for form in rule.formats} == set(MODERN)


def test_catalog_is_valid_without_new_rules(catalog: Path) -> None:
    assert check().findings == ()
