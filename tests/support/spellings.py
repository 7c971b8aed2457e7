"""Pages in every spelling: valid ones of both formats, and slips that leave most of them valid."""

from __future__ import annotations

import json
import random
import re
from typing import Any

TAG = "v0.20.0"
PACKAGE = "zlib"
HASHES = ("2c44nm4mufjlcr3pyjmzmr4ukhpgf5uv", "zgla7zae7wzvfpiosiwj32g4t3aubjbf")

# what one reader or another takes for something else than a string, and neighbours of it
_WORDS = """
y n yes no on off true false null ~ Y No ON TRUE Null = << 017 08 0o17 +017 -017 0_7 01_7 1_000
1,000 +1_0 1_ _1 1_0.5 1,0.5 .5 5. 1. .5_0 1e3 1E3 -1e3 +1e+3 1.0e3 1.5e-3 1.e3 .1e3 e3 1e 0x1f
0x_1 0x1_f -0x1f +0x_f 0xg 0b1 0b_1 0b1_0 +0b1 0b2 1:30 01:30 1:60 190:20:30 190:20:30.15 -1:30
1:3:4 1:30: 20:5.5 1:2.3_4 2025-03-30 2025-3-3 2025-3-30 2025-03-3 25-3-3 2025-03-30T1:2:3
2025-03-30T01:02:03Z 2025-3-3T1:2:3 2025-03-30t01:02:03.5+01:00 :a :a:b :1 a: :"a" :'a' a:b a?b ?a
-a - -- --- a- -1 +1 -0 +0 00 0 1 12 1.2 1.10 1.2.3 v1.2 .inf -.INF .nan +.inf .Inf inf nan NaN
Infinity 0.0 1.0 +.5 -.5 99999999999999999999 9007199254740993 1__0 1._5 .5. .e3 1.2_ 1,2,3 1,,2
,1 1, 0, 0_ 0__1 0, 09_1 0,7 -_1 +_ _ ._ - + . , 1_0e3 1,0e3 1_0e+3 1e1_0 1.0e+1_0 0:1 00:1 1:0 :0
60:0 1:2:3:4:5 1:_ 1:3_0 1_2:30 1,2:30 1:30.5 1:30._ 12e03 12e+03 1e+ 0b 0x 0o 0b_ 0x_ 0o_7 0o8
0O17 0X1F 0B1 a#b #a a\\tb 'a "a a"b a'b [a ]a {a }a a[b a]b a{b a}b a,b *a &a !a !!a %a @a `a |a
>a a%b a!b a&b a*b a@b a`b a|b a>b -:a 1:a 12:34:56:78 1-1-1 2025-1-1 2025-12-31x 2025-00-00
2025-13-45 2025-03-30-1 12:34 2025-02-30
"""
SCALARS = _WORDS.split()
STRANGE = [
    "", " ", "a b", "a  b", " a", "a ", "a: b", "a #b", "a\tb", "é", "\u00a0", "\x7f", "\x85",
    "\x9f", "\u2028", "\u2029", "\ufeff", "\ufffe", "\U0001f600", "a\u2028b", "a\u0085b",
    "k" * 1022, "k" * 1023, "é" * 171, "é" * 512, "\ud83d", "a/b", "\\", "\u200b", "\u3000", "ß",
    "\u00ad", "\ue000", "\ufdd0", "a\u00a0b",
]
_LETTERS = "0123456789_,.:eExXbBoO+-aAfF=<?/ynNY"
_SAFE = ["gcc@11.4.0", "none", "root", "e4s", "1.3.1", "linux", "zen4", "+shared", "a=b"]


def _scalar(choose: random.Random) -> str:
    kind = choose.random()
    if kind < 0.55:
        return choose.choice(SCALARS)
    if kind < 0.7:
        return choose.choice(STRANGE)
    if kind < 0.8:
        return "".join(choose.choices(_LETTERS, k=choose.randint(1, 8)))
    return choose.choice(_SAFE)


def _write(value: str, choose: random.Random, *, flow: bool) -> str:
    """Write a string in one of YAML's styles, which differ in meaning."""
    style = choose.random()
    if style < 0.5:
        return value
    if style < 0.6:
        return "'" + value.replace("'", "''") + "'"
    if style < 0.65 and not flow and value:
        return choose.choice(["|-\n      ", ">-\n      ", "|\n      "]) + value
    if style < 0.7:
        return '"' + "".join(
            rf"\U{ord(each):08x}" if ord(each) > 126 or each in '"\\' else each
            for each in value) + '"'
    if style < 0.75:
        return json.dumps(value).replace("/", "\\/")
    return json.dumps(value, ensure_ascii=style < 0.85)


def _specs(choose: random.Random) -> list[dict[str, Any]]:
    """Make specs with a strange value or two."""
    specs = []
    for dag_hash in HASHES[: choose.randint(1, 2)]:
        spec: dict[str, Any] = {
            "compiler": "gcc@11.4.0", "hash": dag_hash, "os": "ubuntu22.04", "platform": "linux",
            "size": choose.choice(["-", 5, 5, 5]), "stacks": ["root"], "target": "x86_64_v3",
            "variants": ["build_system=generic"], "versions": ["1.3.1"],
        }
        for _ in range(choose.randint(0, 2)):
            field = choose.choice(["compiler", "os", "target", "stacks", "variants", "versions"])
            value = _scalar(choose)
            if field == "variants":
                value = choose.choice(["a=", "", "+"]) + value
            spec[field] = [value] if isinstance(spec[field], list) else value
        specs.append(spec)
    return specs


def _add_urls(specs: list[dict[str, Any]], tag: str) -> None:
    for spec in specs:
        built_for = f"{spec['platform']}-{spec['os']}-{spec['target']}"
        built_by = spec["compiler"].replace("@=", "-", 1).replace("@", "-", 1)
        release = f"{PACKAGE}-{spec['versions'][0]}"
        spec["tarball"] = (f"https://binaries.spack.io/{tag}/build_cache/{built_for}/{built_by}/"
                           f"{release}/{built_for}-{built_by}-{release}-{spec['hash']}.spack")


def _meta(specs: list[dict[str, Any]]) -> dict[str, Any]:
    stacks = sorted({stack for spec in specs for stack in spec["stacks"]})
    return {
        "compilers": sorted({spec["compiler"] for spec in specs}),
        "num_specs": len(specs),
        "num_specs_by_stack": {
            stack: sum(stack in spec["stacks"] for spec in specs) for stack in stacks},
        "oss": sorted({spec["os"] for spec in specs}),
        "platforms": sorted({spec["platform"] for spec in specs}),
        "stacks": stacks,
        "targets": sorted({spec["target"] for spec in specs}),
        "versions": sorted({version for spec in specs for version in spec["versions"]}),
    }


def _write_value(value: Any, choose: random.Random, indent: str, *, flow: bool) -> str:
    """Write a value of a page as YAML, after its colon or dash."""
    if isinstance(value, int):
        plain = str(value)
        return choose.choice([plain] * 20 + [f"+{plain}", f"0{plain}", f"0x{plain}", f"0o{plain}",
                                             f"{plain}_", f"{plain}.", f"{plain}e0", f"'{plain}'"])
    if isinstance(value, str):
        return _write(value, choose, flow=flow)
    if not value or flow or choose.random() < 0.5:
        if isinstance(value, dict):
            return "{" + ", ".join(
                f"{_write(key, choose, flow=True)}: {_write_value(item, choose, '', flow=True)}"
                for key, item in value.items()) + "}"
        return "[" + ", ".join(_write_value(item, choose, "", flow=True) for item in value) + "]"
    if isinstance(value, dict):
        return "".join(
            f"\n{indent}{_write(key, choose, flow=True) if choose.random() < 0.2 else key}: "
            f"{_write_value(item, choose, f'{indent}  ', flow=False)}"
            for key, item in value.items())
    return "".join(f"\n{indent}- {_write_value(item, choose, f'{indent}  ', flow=False)}"
                   for item in value)


def make_page(seed: int) -> tuple[str, str]:
    """Make one page: its text, and its tag."""
    choose = random.Random(seed)
    tag = _scalar(choose) if choose.random() < 0.15 else TAG
    tarball = choose.random() < 0.7
    specs = _specs(choose)
    if tarball:
        _add_urls(specs, tag)
    meta = _meta(specs)
    lines = [f'title: "{PACKAGE}"', "layout: cache", f"categories: [package, {tag}]"]
    for key, value in (("meta", meta), ("spec_details", specs)):
        as_json = choose.random() < (0.3 if tarball else 0.9)
        raw = choose.random() < 0.4
        lines.append(f"{key}: " + (
            json.dumps(value, sort_keys=True, ensure_ascii=not raw) if as_json
            else _write_value(value, choose, "  ", flow=False)))
    page = "---\n" + "\n".join(lines) + "\n---"
    return (_slip(page, choose) if choose.random() < 0.5 else page), tag


INSERTED = [
    " ", "  ", "\t", "\n", "\n\n", "\f", "\v", "\x85", "\u2028", "\u2029", "\ufeff", "\u00a0", "#",
    " # c", "\n# c\n", "'", '"', "\\", ",", ":", "-", "?", "? ", "!", "&a ", "*a", "!!str ", "! ",
    "%", "---", "...", "\n---\n", "|", ">", "[", "]", "{", "}", "\x7f", "\U0001f600", "\\/",
    "\\u0061", "\\x61", "\\ud83d\\ude00", "\\U0001f600", "\\N", "\\_", "\\L", "\\e", "\\0",
    "%YAML 1.1\n", "\r", "\r\n", "~", "=", "<<: ", "0", "_",
]


def _slip(page: str, choose: random.Random) -> str:
    """Insert, drop or double a little, mostly where values meet."""
    for _ in range(choose.randint(1, 2)):
        joints = [match.start() for match in re.finditer(r"[\n\[\]{},:'\"\- ]", page)]
        at = choose.choice(joints) + choose.randint(0, 1)
        kind = choose.random()
        if kind < 0.8:
            page = page[:at] + choose.choice(INSERTED) + page[at:]
        elif kind < 0.9:
            page = page[:at] + page[at + choose.randint(1, 3) :]
        else:
            page = page[:at] + page[at : at + choose.randint(1, 5)] * 2 + page[at:]
    return page
