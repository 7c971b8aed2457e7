"""Reports of findings that nobody had to make pages for."""

from __future__ import annotations

from cachelint.model import Excerpt, Finding, Report, Severity
from cachelint.rules import ALL_RULES, BY_CODE

HOSTILE = (
    "<script>alert(1)</script>", "</script><!--<script>", "]]>", "\u202etxt.exe", "\u2028",
    "\x1b[31m", "\ud800", "&lt;b&gt;", "{{ 7 * 7 }}", "::error::x", "`--`", "'\"><img src=x>",
)
"""Texts that do harm where they are taken for something else."""


def finding(
    tag: str = "develop", package: str = "zlib", code: str = "CL301", line: int = 5,
    *, path: str = "", message: str = "num_specs is 3, but spec_details has 2 specs",
    severity: Severity | None = None, fixable: bool = False, pointer: str = "/meta/num_specs",
    excerpts: tuple[Excerpt, ...] = (),
) -> Finding:
    """Return a finding, with the values of its rule where nothing else is given."""
    rule = BY_CODE[code]
    return Finding(path or f"_cache/{tag}/{package}/specs.md", line, 12, line, 13, code, rule.name,
                   severity or rule.severity, message, pointer, fixable, excerpts)


BOTH_SIDES = (
    Excerpt(5, 0, 'meta: {"num_specs": 3, "oss": []}', 20, 21),
    Excerpt(6, 10, "spec_details: [{…", 0, 12, "2 specs"),
)

SMALL = Report((
    finding("develop", "bzip2", "CL401", 6, message="a hash that is none"),
    finding("develop", "zlib", "CL301", fixable=True, excerpts=BOTH_SIDES),
    finding("develop", "zlib", "CL505", 7, message="blanks follow", fixable=True),
    finding("v0.23.1", "zlib", "CL301", fixable=True, message="num_specs is 9, beside 8 specs"),
    finding(path="_data/tags.yaml", code="CL603", message="tag v9 is not listed"),
), pages=12, suppressed=3)


def large(count: int, tags: int = 100, rules: int = 50) -> Report:
    """Return a report of many findings, spread over tags and rules."""
    codes = [rule.code for rule in ALL_RULES][:rules]
    excerpts = tuple((
        Excerpt(5, 40, f'…neapi@=2024.2.1"], "num_specs": {n}, "num_specs_by_stack": {{"aws…', 33,
                33 + len(str(n))),
        Excerpt(6, 0, f'spec_details: [{{"compiler": "gcc@=12.4.0", "hash": "{n:07}…', 0, 12,
                f"{n} specs"),
    ) for n in range(500))
    return Report(tuple(
        finding(f"develop-{number * tags // count:03}", f"package-{number % 997:03}",
                codes[number * number % 7919 % len(codes)], number % 9 + 1,
                message=f"num_specs is {number % 500}, but spec_details has another number",
                fixable=number % 3 == 0, excerpts=excerpts[number % 500])
        for number in range(count)), pages=count)
