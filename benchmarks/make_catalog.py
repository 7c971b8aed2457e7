"""Make a catalog of any size that looks like a live one; `run.py` measures with it.

    python benchmarks/make_catalog.py KIND --out FOLDER [--tags 100] [--stale] [--reordered]

The packages are invented once. Every tag is a snapshot of them: some stacks, packages and specs are
left out and nearly every hash is new; all else is the same, as it is from week to week. Pages are
valid and, in the current format, canonical, unless `--stale` makes `num_specs` one too high on each
of them, or `--reordered` turns specs, their keys and their lists around. The same arguments give
the same bytes.

Nothing here imports cachelint: pages are rendered only from the description of the formats, so
that the generator and the checks test each other.
"""

from __future__ import annotations

import argparse
import base64
import datetime
import hashlib
import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from packages import ROOT, STACKS, Node, invent_packages, variant_name

Spec = dict[str, Any]


class Kind(NamedTuple):
    """What a catalog consists of."""

    is_mixed: bool = False
    """Whether it has tags in all formats since 2022, not only in the current format."""
    swell: int = 0
    """Packages with many specs get up to this many copies of each, with hashes of their own."""
    swell_develop: int = 0
    """The same, in `develop` alone."""
    has_own_variants: bool = False
    """Whether each spec has a variant that no other has."""
    has_many_stacks: bool = False
    """Whether each spec has many stacks, listed in any order; all tags have old formats."""


KINDS = {
    "canonical": Kind(),
    "canonical-large": Kind(swell=50),
    "live": Kind(is_mixed=True, swell_develop=40),
    "live-large": Kind(is_mixed=True, swell=45, swell_develop=40),
    "own-variants": Kind(swell=42, has_own_variants=True),
    "any-order": Kind(is_mixed=True, has_many_stacks=True),
}

FIRST_DAY = datetime.date(2025, 3, 30)
"""The first snapshot with `gcc@11.4.0` and `libs:=shared`, not `gcc@=11.4.0` and `libs=shared`."""
CURRENT_SINCE = "develop-2025-03-02"
SORTED_SINCE = "develop-2025-02-16"
"""Since this snapshot, tarball pages have sorted keys and stacks."""
SORTED_RELEASES = ("v0.22.4", "v0.23.1")
RELEASES = ("v0.23.1", "v0.23.0", "v0.22.4", "v0.22.2", "v0.22.1", "v0.22.0", "v0.21.2", "v0.21.1",
            "v0.21.0", "v0.20.1", "v0.20.0", "v0.19")
BELOW_RELEASES = ("v0.19",)
"""The URLs of their tarballs contain `releases/`."""

SPEC_KEYS = ("hash", "compiler", "versions", "os", "platform", "target", "variants", "stacks",
             "size", "tarball")
META_KEYS = ("versions", "compilers", "oss", "platforms", "targets", "stacks", "num_specs",
             "num_specs_by_stack")
"""The orders of keys before they were sorted."""


class Tag(NamedTuple):
    """One snapshot, and the form of its pages."""

    name: str
    number: int
    is_current: bool
    is_sorted: bool
    """Whether keys and stacks are sorted."""
    has_new_spelling: bool


class Totals(NamedTuple):
    """What `meta.yaml` and `tags.yaml` have for a tag."""

    specs: int
    stacks: list[str]
    compilers: Counter[str]
    parameters: Counter[str]


def list_tags(count: int, kind: Kind) -> Iterator[Tag]:
    """List weekly snapshots from FIRST_DAY on; of a mixed catalog, back from it, with releases."""
    others = ["develop", *RELEASES][: count // 4] if kind.is_mixed else []
    first = datetime.date(2025, 2, 9) if kind.has_many_stacks else FIRST_DAY
    step = datetime.timedelta(days=-7 if kind.is_mixed else 7)
    weeks = [f"develop-{first + step * week}" for week in range(count - len(others))]
    for number, name in enumerate(weeks + others):
        is_weekly = name.startswith("develop-")
        is_new = name == "develop" and not kind.has_many_stacks
        is_current = is_new or (is_weekly and name >= CURRENT_SINCE)
        yield Tag(
            name, number, is_current,
            is_sorted=is_current or (is_weekly and name >= SORTED_SINCE) or (
                name in SORTED_RELEASES and not kind.has_many_stacks),
            has_new_spelling=is_new or (is_weekly and name >= f"develop-{FIRST_DAY}"),
        )


def take_snapshot(nodes: list[Node], tag: Tag, kind: Kind, seed: str) -> dict[str, list[Spec]]:
    """Return a tag's specs by package, those of each package in order of hash."""
    chance = random.Random(f"{seed}/{tag.name}")
    gone_stacks = {stack for stack in STACKS if tag.number and chance.random() < 0.1}
    gone_packages = {name for name in dict.fromkeys(node.package for node in nodes)
                     if tag.number and chance.random() < 0.04}
    packages: dict[str, list[Spec]] = {}
    for number, node in enumerate(nodes):
        stacks = [stack for stack in node.stacks if stack not in gone_stacks]
        is_gone = node.package in gone_packages or (tag.number and chance.random() < 0.08)
        if stacks and not is_gone:
            era = (tag.number + number) // 7 if node.is_steady else tag.name
            if kind.has_many_stacks:
                stacks = chance.sample(list(STACKS), chance.randint(3, len(STACKS)))
            packages.setdefault(node.package, []).append(
                make_spec(node, make_hash(seed, number, era), stacks, tag))
    swell = kind.swell_develop if tag.name == "develop" else kind.swell
    if swell:
        add_copies(packages, swell)
    for specs in packages.values():
        specs.sort(key=lambda spec: spec["hash"])
        if kind.has_own_variants:
            for spec in specs:
                add_own_variant(spec, tag)
    return packages


def make_spec(node: Node, dag_hash: str, stacks: Iterable[str], tag: Tag) -> Spec:
    """Make a spec of the current format."""
    compiler, variants = node.compiler, list(node.variants)
    if not tag.has_new_spelling:
        compiler = (node.host.compilers[0] if compiler == "none" else compiler).replace("@", "@=")
        variants = [variant.replace(":=", "=", 1) for variant in variants]
    return {
        "compiler": compiler,
        "hash": dag_hash,
        "os": node.host.os,
        "platform": node.host.platform,
        "size": "-",
        "stacks": sorted((*stacks, ROOT)),
        "target": node.host.target,
        "variants": variants,
        "versions": [node.version],
    }


def make_hash(*parts: object) -> str:
    """Return the hash that follows from some values: 32 characters of `a-z2-7`."""
    raw = hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=20).digest()
    return base64.b32encode(raw).decode().lower()


def add_copies(packages: dict[str, list[Spec]], most: int) -> None:
    """Add to each spec up to ``most`` copies of it, the more the more specs its package has."""
    largest = max(map(len, packages.values()))
    for specs in packages.values():
        copies = int(most * (len(specs) / largest) ** 2)
        specs += [{**spec, "hash": make_hash(spec["hash"], copy)}
                  for spec in specs for copy in range(copies)]


def add_own_variant(spec: Spec, tag: Tag) -> None:
    """Add a commit that no other spec has, of this tag or another."""
    commit = hashlib.blake2b(f"{tag.name}/{spec['hash']}".encode(), digest_size=20).hexdigest()
    others = [variant for variant in spec["variants"] if not variant.startswith("commit=")]
    spec["variants"] = sorted([*others, f"commit={commit}"], key=variant_name)


def summarize_specs(specs: list[Spec]) -> dict[str, Any]:
    """Return the ``meta`` of specs, with sorted keys."""
    by_stack = Counter(stack for spec in specs for stack in spec["stacks"])
    return {
        "compilers": sorted({spec["compiler"] for spec in specs}),
        "num_specs": len(specs),
        "num_specs_by_stack": dict(sorted(by_stack.items())),
        "oss": sorted({spec["os"] for spec in specs}),
        "platforms": sorted({spec["platform"] for spec in specs}),
        "stacks": sorted(by_stack),
        "targets": sorted({spec["target"] for spec in specs}),
        "versions": sorted({version for spec in specs for version in spec["versions"]}),
    }


def make_old(title: str, tag: Tag, specs: list[Spec], meta: dict[str, Any], seed: str) -> None:
    """Turn sorted specs and their ``meta`` into those of the tarball format, in place."""
    chance = random.Random(f"{seed}/{tag.name}/{title}")
    for spec in specs:
        spec["tarball"] = locate_tarball(title, tag.name, spec)
    chance.shuffle(specs)
    if tag.is_sorted:
        specs[:] = [dict(sorted(spec.items())) for spec in specs]
        return
    for spec in specs:
        chance.shuffle(spec["stacks"])
    specs[:] = [{key: spec[key] for key in SPEC_KEYS} for spec in specs]
    by_stack = list(meta["num_specs_by_stack"].items())
    chance.shuffle(by_stack)
    unsorted = {**meta, "num_specs_by_stack": dict(by_stack)}
    meta.clear()
    meta.update((key, unsorted[key]) for key in META_KEYS)


def locate_tarball(title: str, tag: str, spec: Spec) -> str:
    """Return the URL of a spec's tarball."""
    machine = f"{spec['platform']}-{spec['os']}-{spec['target']}"
    compiler = spec["compiler"].replace("@=", "-").replace("@", "-")
    name = f"{title}-{spec['versions'][0]}"
    below = "releases/" if tag in BELOW_RELEASES else ""
    return (f"https://binaries.spack.io/{below}{tag}/build_cache/{machine}/{compiler}/{name}/"
            f"{machine}-{compiler}-{name}-{spec['hash']}.spack")


def render_page(title: str, tag: str, meta: dict[str, Any], specs: list[Spec]) -> str:
    """Write a page."""
    return (f'---\ntitle: "{title}"\nlayout: cache\ncategories: [package, {tag}]\n'
            f"meta: {json.dumps(meta)}\nspec_details: {json.dumps(specs)}\n---")


def reorder(spec: Spec) -> Spec:
    """Turn the keys of a spec around, and its lists."""
    return {key: value[::-1] if isinstance(value, list) else value
            for key, value in reversed(spec.items())}


def write_tag(folder: Path, tag: Tag, packages: dict[str, list[Spec]], *, stale: bool,
              reordered: bool, seed: str) -> Totals:
    """Write the pages of one tag."""
    everything = [spec for specs in packages.values() for spec in specs]
    totals = Totals(
        len(everything),
        sorted({stack for spec in everything for stack in spec["stacks"]}),
        Counter(spec["compiler"] for spec in everything),
        Counter(variant_name(variant) for spec in everything for variant in spec["variants"]),
    )
    for title, specs in packages.items():
        meta = summarize_specs(specs)
        if not tag.is_current:
            make_old(title, tag, specs, meta, seed)
        meta["num_specs"] += stale
        if reordered:
            specs = [*map(reorder, reversed(specs))]
        write(folder / "_cache" / tag.name / title / "specs.md",
              render_page(title, tag.name, meta, specs))
    write(folder / "pages" / "tags" / f"{tag.name}.md",
          f"---\nlayout: table\npermalink: /tag/{tag.name}/\ntag: {tag.name}\n---")
    return totals


def rank_tag(tag: str) -> tuple[int, list[int]]:
    """Sort tags as the site does: `develop`, releases, snapshots, each from the newest."""
    if tag == "develop":
        return 0, []
    numbers = tag.removeprefix("develop-").removeprefix("v").replace("-", ".").split(".")
    return (2 if tag.startswith("develop-") else 1), [-int(number) for number in numbers]


def render_meta_yaml(totals: dict[str, Totals]) -> Iterator[str]:
    """Write `meta.yaml` in the block layout of the site's generator."""
    compilers = {name for total in totals.values() for name in total.compilers}
    parameters = {name for total in totals.values() for name in total.parameters}
    yield f"all:\n  compiler_count: '{len(compilers):,}'\n"
    yield f"  count: {sum(total.specs for total in totals.values())}\n"
    yield f"  parameter_count: '{len(parameters):,}'\n  version: all\n"
    for tag, total in sorted(totals.items()):
        yield f"{tag}:\n  compilers:\n"
        yield from (f"    {name}: {number}\n" for name, number in sorted(total.compilers.items()))
        yield f"  count: {total.specs}\n  parameters:\n"
        # a spec counts for all of its dependencies, so numbers are larger than on pages
        yield from (f"    {name}: {number * 17}\n"
                    for name, number in sorted(total.parameters.items()))


def write(path: Path, content: str) -> None:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode())


def make_catalog(folder: Path, kind: Kind, *, tags: int, packages: int, stale: bool,
                 reordered: bool, seed: str) -> None:
    """Write a whole catalog into ``folder``."""
    nodes = list(invent_packages(seed, packages))
    totals = {tag.name: write_tag(folder, tag, take_snapshot(nodes, tag, kind, seed), stale=stale,
                                  reordered=reordered, seed=seed) for tag in list_tags(tags, kind)}
    write(folder / "_data" / "meta.yaml", "".join(render_meta_yaml(totals)))
    write(folder / "_data" / "tags.yaml", "".join(
        "\n".join([f"- name: {tag}", "  stacks:", *(f"  - {stack}" for stack in stacks), ""])
        for tag in sorted(totals, key=rank_tag) for stacks in [totals[tag].stacks]))


def main() -> None:
    """Read the command line, and make a catalog."""
    parser = argparse.ArgumentParser(description="Make a catalog of any size.")
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER",
                        help="a folder that is empty or does not exist")
    parser.add_argument("--tags", type=int, default=100, metavar="N", help="default: 100")
    parser.add_argument("--packages", type=int, default=850, metavar="N", help="default: 850")
    parser.add_argument("--stale", action="store_true", help="make num_specs wrong on each page")
    parser.add_argument("--reordered", action="store_true",
                        help="turn specs, their keys and their lists around")
    parser.add_argument("--seed", default="1", help="default: 1")
    options = parser.parse_args()
    if options.out.exists() and any(options.out.iterdir()):
        parser.error(f"--out: {options.out} is not empty")
    make_catalog(options.out, KINDS[options.kind], tags=options.tags, packages=options.packages,
                 stale=options.stale, reordered=options.reordered, seed=options.seed)


if __name__ == "__main__":
    main()
