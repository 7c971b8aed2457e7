"""Make a catalog of any size that looks like a live one: the material of `run.py`.

    python benchmarks/make_catalog.py --out FOLDER [--tags 100] [--canonical] [--swell 40]

Some 850 packages are invented once, from a seed: names, versions, variants, and the stacks that
build them, each stack on a machine and with compilers of its own. How many specs a package has, how
many variants a spec has and how long they are follow what the public cache has; most packages have
one spec or two, a few have twenty. Every tag is a snapshot of them: some stacks, packages and specs
are left out, nearly every hash is new, and all else returns, as it does from week to week.

Every page is sound and, in the current format, canonical. The same arguments give the same bytes.
"""

from __future__ import annotations

import argparse
import base64
import datetime
import hashlib
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cachelint import render_page, summarize

Spec = dict[str, Any]

PACKAGES = 850
STEM = '---\ntitle: "{title}"\nlayout: cache\ncategories: [package, {tag}]\n'
TAG_PAGE = "---\nlayout: table\npermalink: /tag/{tag}/\ntag: {tag}\n---"


# --------------------------------------------------------------------------- what packages are


class Host(NamedTuple):
    """The machine and compilers of a stack, and how many specs it has among all."""

    platform: str
    os: str
    target: str
    compilers: tuple[str, ...]
    """The first builds nearly all."""
    weight: int


STACKS = {
    "aws-pcluster-neoverse_v1": Host("linux", "amzn2", "neoverse_v1", ("gcc@12.4.0",), 3),
    "aws-pcluster-x86_64_v4": Host("linux", "amzn2", "x86_64_v4", ("gcc@12.4.0",), 2),
    "build_systems": Host("linux", "ubuntu18.04", "x86_64_v3", ("gcc@7.5.0",), 2),
    "data-vis-sdk": Host("linux", "ubuntu20.04", "x86_64_v3", ("gcc@11.1.0",), 4),
    "developer-tools-aarch64-linux-gnu": Host("linux", "rhel8", "aarch64", ("gcc@13.1.0",), 4),
    "developer-tools-darwin": Host("darwin", "sonoma", "aarch64", ("apple-clang@15.0.0",), 3),
    "e4s": Host("linux", "ubuntu22.04", "x86_64_v3", ("gcc@11.4.0",), 13),
    "e4s-neoverse-v2": Host("linux", "ubuntu22.04", "neoverse_v2", ("gcc@11.4.0",), 9),
    "e4s-oneapi": Host("linux", "ubuntu22.04", "x86_64_v3", ("oneapi@2025.0.4", "gcc@11.4.0"), 5),
    "e4s-rocm-external": Host("linux", "ubuntu22.04", "x86_64_v3", ("gcc@11.4.0",), 4),
    "hep": Host("linux", "ubuntu22.04", "x86_64_v3", ("gcc@11.4.0",), 8),
    "ml-darwin-aarch64-mps": Host("darwin", "sequoia", "aarch64", ("apple-clang@16.0.0",), 10),
    "ml-linux-aarch64-cpu": Host("linux", "ubuntu24.04", "aarch64", ("gcc@13.2.0",), 11),
    "ml-linux-x86_64-cpu": Host("linux", "ubuntu24.04", "x86_64_v3", ("gcc@13.2.0",), 9),
    "ml-linux-x86_64-cuda": Host("linux", "ubuntu24.04", "x86_64_v3", ("gcc@13.2.0",), 7),
    "ml-linux-x86_64-rocm": Host("linux", "ubuntu24.04", "x86_64_v3", ("gcc@13.2.0",), 8),
    "radiuss": Host("linux", "ubuntu18.04", "x86_64_v3", ("gcc@7.5.0",), 8),
    "radiuss-aws-aarch64": Host("linux", "amzn2", "aarch64", ("gcc@7.3.1",), 2),
    "tutorial": Host("linux", "ubuntu22.04", "x86_64_v3", ("gcc@11.4.0", "gcc@12.3.0"), 5),
    "windows-vis": Host("windows", "windows10.0.20348", "x86_64", ("msvc@19.39.33523",), 1),
}
ROOT = "root"
"""The stack to which every spec belongs besides."""


class BuildSystem(NamedTuple):
    """How a kind of package is built."""

    name: str
    weight: int
    """How many packages of a hundred."""
    without_compiler: float
    """What share of them needs no compiler."""
    variants: tuple[str, ...]
    """The variants that all such packages have besides ``build_system``."""
    switches: float
    """How many variants more a typical package has."""


BUILD_SYSTEMS = (
    BuildSystem("python_pip", 38, 0.75, (), 0.12),
    BuildSystem("autotools", 28, 0.06, (), 1.6),
    BuildSystem("cmake", 18, 0.02, ("build_type=Release", "generator=make", "~ipo"), 4.0),
    BuildSystem("generic", 11, 0.42, (), 2.4),
    BuildSystem("makefile", 4, 0.03, (), 2.2),
    BuildSystem("meson", 1, 0.0, ("buildtype=release", "default_library=shared", "~strip"), 2.0),
)

SPECS = ((1, 31), (2, 25), (3, 9), (4, 7), (5, 4), (6, 3), (7, 3), (8, 3), (9, 2), (10, 2),
         (11, 1), (12, 2), (13, 3), (15, 1), (16, 1), (17, 1), (19, 1), (24, 1))
"""How many specs a package has, and how many packages of a hundred have so many."""


def words(text: str) -> list[str]:
    """Split a text at its blanks."""
    return text.split()


SYLLABLES = words("""
ab al am an ar as bak bel ben bio bit bor bus cal can cap car cha cit clu com con cor cra cur dar
dat del den dev dia dis doc dom dra dur eco ed el em en er eta ex fab fast fil fit flo for fox fra
fu gal gen geo gim glu gra grid gum hal han hdf hep hub hy im in iso jam jet jo kal ken key kit ko
la lab lan lat leo lib lin lo lu mag man map mat med mesh met min mo mul na neo net no nu ob oct
om op or os par pat pen pet pix plo pol por pro py qua qu ra ran ray red ren res rho ro ru sam san
sci sed sel sig sim sol son spa spec star stat sub sum sun syn ta tam tel ten ter tho tim to tri
tur uni ur val var vec ver vis vol vor wan wave wel wit xen xi yam yar zen zin zo
""")

WORDS = words("""
adios analysis apidocs arpack async atomics avx backtrace blas boost bzip cairo caliper cgns
charts checks chrono coarray complex context cuda curses cxx debug devel docs doubles drivers
dynamic eigen examples exceptions exodus fabric ffmpeg fftw filesystem flang fonts fortran fpic
gdal geos gettext glx gpu graph graphics gssapi gtk guile harfbuzz hdf highlevel hwloc hypre icu
instrument int internal iostreams java jemalloc jit jpeg json krb kokkos lapack largefile legacy
libcall libxml locale log logging lto lua lzma manual math matplotlib memkind metis mpfr mpi
multithreaded mumps native ncurses netcdf nls numa numpy opencl opengl openmp optimize parmetis
pcre perl petsc pic plugins png pnetcdf pool profile protobuf python qt quad random readline regex
remote ruby sanitizer scalapack scotch sdl serial shared shmem signals simd slurm snappy sqlite
ssl stacktrace static strumpack suite superlu svg symlinks tbb tcl termlib testing threads tiff
timer tk tools trilinos tutorials ucx umpire unicode unwind utils valgrind view vtk wave wayland
webp x xml xz zfp zlib zoltan zstd
""")

CHOICES = ("cxxstd=17", "cxxstd=14", "libs:=shared,static", "precision=double",
           "visibility=default", "cuda_arch:=80,90", "amdgpu_target:=gfx90a", "api=default",
           "threads=none", "languages:='c,c++,fortran'", "tls:=openssl",
           "compression:=bz2,lzma,zlib", "fabrics:=cma,ofi,ucx", "dimensions:=1,2,3",
           "cuda_arch=none", "certs=mozilla")


class Node(NamedTuple):
    """A spec without its hash and its tag."""

    package: str
    compiler: str
    host: Host
    stacks: tuple[str, ...]
    """Sorted, without the root."""
    variants: tuple[str, ...]
    version: str
    is_steady: bool
    """Whether its hash stays the same for some snapshots."""


def pick(chance: random.Random, weighted: Iterable[tuple[Any, float]]) -> Any:
    """Choose one of the items, by weight."""
    items = list(weighted)
    at = chance.random() * sum(weight for _, weight in items)
    for item, weight in items:
        at -= weight
        if at < 0:
            return item
    return items[-1][0]


def one_of(chance: random.Random, items: Any) -> Any:
    """Choose one of the items, each as likely as the others."""
    return items[int(chance.random() * len(items))]


def invent(seed: str) -> list[Node]:
    """Invent all packages and their specs."""
    chance = random.Random(f"packages/{seed}")
    nodes: list[Node] = []
    taken: set[str] = set()
    while len(taken) < PACKAGES:
        system = pick(chance, ((each, each.weight) for each in BUILD_SYSTEMS))
        name = package_name(chance, system)
        if name not in taken:
            taken.add(name)
            nodes += package(chance, name, system)
    return nodes


def package_name(chance: random.Random, system: BuildSystem) -> str:
    """Invent a name: `py-simgrid`, `libcapro`, `ren`."""
    parts = 1 + int(chance.random() * 2.9)
    name = "".join(one_of(chance, SYLLABLES) for _ in range(parts))
    if chance.random() < 0.2:
        name += "-" + one_of(chance, SYLLABLES)
    return f"py-{name}" if system.name == "python_pip" else name


def package(chance: random.Random, name: str, system: BuildSystem) -> Iterator[Node]:
    """Invent the specs of one package."""
    needs_compiler = chance.random() >= system.without_compiler
    versions = [version(chance) for _ in range(1 if chance.random() < 0.93 else 3)]
    base = variants(chance, system)
    hosts = [(stack, float(host.weight)) for stack, host in STACKS.items()]
    count = pick(chance, SPECS)
    while count:
        stack = pick(chance, hosts)
        node = Node(name, one_compiler(chance, stack, needs_compiler), STACKS[stack],
                    companions(chance, stack), changed(chance, base), one_of(chance, versions),
                    chance.random() < 0.15)
        # some stacks build a package twice with differences that a page does not show
        for _ in range(min(count, 2 if chance.random() < 0.12 else 1)):
            count -= 1
            yield node


def version(chance: random.Random) -> str:
    """Invent a version."""
    numbers = [str(int(chance.random() ** 2 * 30)) for _ in range(1 + int(chance.random() * 2.8))]
    if chance.random() < 0.1:
        numbers.insert(0, str(2018 + int(chance.random() * 7)))
    text = ".".join(numbers) if len(numbers) > 1 else numbers[0] + ".0"
    return "master" if chance.random() < 0.01 else text


def variants(chance: random.Random, system: BuildSystem) -> dict[str, str]:
    """Invent a package's variants, by name."""
    found = [f"build_system={system.name}", *system.variants]
    how_many = int(system.switches * chance.lognormvariate(0, 1.45))
    for _ in range(min(how_many, 140)):
        word = one_of(chance, WORDS)
        if chance.random() < 0.25:
            word = f"{one_of(chance, ('with', 'enable', 'build'))}_{word}"
        found.append(one_of(chance, "++~") + word)
    if how_many and chance.random() < 0.4:
        found.append(one_of(chance, CHOICES))
    if system.name != "python_pip" and chance.random() < 0.12:
        how_many = 1 + int(chance.lognormvariate(0, 1.0))
        found.append("patches:=" + ",".join(sorted(digits(chance) for _ in range(how_many))))
    if chance.random() < 0.005:
        found.append("commit=" + "".join(digits(chance) for _ in range(6))[:40])
    return {name_of(each): each for each in found}


def digits(chance: random.Random) -> str:
    """Invent the first seven digits of a checksum."""
    return f"{int(chance.random() * 16**7):07x}"


def name_of(variant: str) -> str:
    """Return the name of a variant."""
    return variant.lstrip("+~").split("=", 1)[0].removesuffix(":")


def changed(chance: random.Random, base: Mapping[str, str]) -> tuple[str, ...]:
    """Turn a few of a package's switches for one spec, and sort the variants by name."""
    mine = dict(base)
    for name, variant in base.items():
        if variant[0] in "+~" and chance.random() < 0.12:
            mine[name] = ("~" if variant[0] == "+" else "+") + variant[1:]
    return tuple(mine[name] for name in sorted(mine))


def one_compiler(chance: random.Random, stack: str, needs_compiler: bool) -> str:
    """Choose the compiler with which a stack builds a spec."""
    if not needs_compiler:
        return "none"
    first, *others = STACKS[stack].compilers
    return one_of(chance, others) if others and chance.random() < 0.3 else first


def companions(chance: random.Random, stack: str) -> tuple[str, ...]:
    """Choose the stacks that share a spec: they build on like machines."""
    host = STACKS[stack]
    found = {stack}
    if chance.random() < 0.3:
        found |= {other for other, its in STACKS.items()
                  if its[:3] == host[:3] and chance.random() < 0.3}
    return tuple(sorted(found))


# --------------------------------------------------------------------------- snapshots

FIRST_DAY = datetime.date(2025, 3, 30)
"""The first snapshot with today's spelling of compilers and variants."""
CURRENT_SINCE = "develop-2025-03-02"
SORTED_SINCE = "develop-2025-02-16"
"""Since then tarball pages have sorted keys."""
SORTED_RELEASES = ("v0.22.4", "v0.23.1")
RELEASES = ("v0.23.1", "v0.23.0", "v0.22.4", "v0.22.2", "v0.22.1", "v0.22.0", "v0.21.2", "v0.21.1",
            "v0.21.0", "v0.20.1", "v0.20.0", "v0.19")
BELOW_RELEASES = ("v0.19",)
"""Their tarballs lie below `releases/`."""


class Tag(NamedTuple):
    """One snapshot, and how its pages are written."""

    name: str
    number: int
    is_current: bool
    is_sorted: bool
    """Whether a tarball page has sorted keys and stacks."""
    has_new_spelling: bool
    """`gcc@11.4.0` and `libs:=shared`, not `gcc@=11.4.0` and `libs=shared`."""


def tags(count: int, *, canonical: bool) -> list[Tag]:
    """List the tags: weekly snapshots from FIRST_DAY on; or back from it, with releases."""
    step = datetime.timedelta(days=7 if canonical else -7)
    others = [] if canonical else ["develop", *RELEASES][: count // 4]
    weeks = [f"develop-{FIRST_DAY + step * week}" for week in range(count - len(others))]
    return [tag_of(name, number) for number, name in enumerate(weeks + others)]


def tag_of(name: str, number: int) -> Tag:
    """Tell from a tag's name how its pages are written."""
    is_weekly = name.startswith("develop-")
    return Tag(
        name, number,
        is_current=name == "develop" or (is_weekly and name >= CURRENT_SINCE),
        is_sorted=(is_weekly and name >= SORTED_SINCE) or name in SORTED_RELEASES,
        has_new_spelling=name == "develop" or (is_weekly and name >= f"develop-{FIRST_DAY}"),
    )


def snapshot(nodes: list[Node], tag: Tag, seed: str) -> Iterator[tuple[int, Node]]:
    """Yield what a tag has of the specs, each with its number."""
    chance = random.Random(f"{seed}/{tag.name}")
    gone = {stack for stack in STACKS if tag.number and chance.random() < 0.1}
    packages_gone: dict[str, bool] = {}
    for number, node in enumerate(nodes):
        if node.package not in packages_gone:
            packages_gone[node.package] = chance.random() < 0.04
        if tag.number and (packages_gone[node.package] or chance.random() < 0.08):
            continue
        stacks = tuple(stack for stack in node.stacks if stack not in gone)
        if stacks:
            yield number, node._replace(stacks=stacks)


def spec_of(node: Node, number: int, tag: Tag, seed: str) -> Spec:
    """Make a spec of the current format."""
    era = (tag.number + number) // 7 if node.is_steady else tag.name
    compiler, node_variants = node.compiler, list(node.variants)
    if not tag.has_new_spelling:
        compiler = (node.host.compilers[0] if compiler == "none" else compiler).replace("@", "@=")
        node_variants = [variant.replace(":=", "=", 1) for variant in node_variants]
    return {
        "compiler": compiler,
        "hash": dag_hash(seed, number, era),
        "os": node.host.os,
        "platform": node.host.platform,
        "size": "-",
        "stacks": sorted((*node.stacks, ROOT)),
        "target": node.host.target,
        "variants": node_variants,
        "versions": [node.version],
    }


def dag_hash(*parts: object) -> str:
    """Make a hash out of what it stands for."""
    raw = hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=20).digest()
    return base64.b32encode(raw).decode().lower()


def swollen(specs: dict[str, list[Spec]], factor: int, seed: str) -> dict[str, list[Spec]]:
    """Repeat the specs of popular packages, up to ``factor`` times, with hashes of their own."""
    most = max(map(len, specs.values()))
    result = {}
    for title, own in specs.items():
        copies = int(factor * (len(own) / most) ** 2)
        result[title] = own + [
            {**spec, "hash": dag_hash(seed, "copy", spec["hash"], copy)}
            for spec in own for copy in range(copies)
        ]
    return result


# --------------------------------------------------------------------------- pages

SPEC_KEYS = ("hash", "compiler", "versions", "os", "platform", "target", "variants", "stacks",
             "size", "tarball")
META_KEYS = ("versions", "compilers", "oss", "platforms", "targets", "stacks", "num_specs",
             "num_specs_by_stack")


def render_tarball_page(title: str, tag: Tag, specs: list[Spec], seed: str) -> str:
    """Write a page of the tarball format, its specs in database order: in none."""
    chance = random.Random(f"{seed}/{tag.name}/{title}")
    chance.shuffle(specs)
    meta = summarize(specs)
    for spec in specs:
        spec["tarball"] = tarball(title, tag.name, spec)
    if not tag.is_sorted:
        for spec in specs:
            chance.shuffle(spec["stacks"])
        specs = [{key: spec[key] for key in SPEC_KEYS} for spec in specs]
        by_stack = list(meta["num_specs_by_stack"].items())
        chance.shuffle(by_stack)
        meta["num_specs_by_stack"] = dict(by_stack)
        meta = {key: meta[key] for key in META_KEYS}
    return "".join((
        STEM.format(title=title, tag=tag.name),
        "meta: ", json.dumps(meta, sort_keys=tag.is_sorted),
        "\nspec_details: ", json.dumps(specs, sort_keys=tag.is_sorted),
        "\n---",
    ))


def tarball(title: str, tag: str, spec: Spec) -> str:
    """Say where a spec's tarball lies."""
    machine = f"{spec['platform']}-{spec['os']}-{spec['target']}"
    compiler = spec["compiler"].replace("@=", "-")
    name = f"{title}-{spec['versions'][0]}"
    below = "releases/" if tag in BELOW_RELEASES else ""
    return (f"https://binaries.spack.io/{below}{tag}/build_cache/{machine}/{compiler}/{name}/"
            f"{machine}-{compiler}-{name}-{spec['hash']}.spack")


def made_stale(page: str) -> str:
    """Make `num_specs` one too high."""
    before, rest = page.split('"num_specs": ', 1)
    number = rest.split(",", 1)[0].rstrip("}")
    return f'{before}"num_specs": {int(number) + 1}{rest[len(number):]}'


# --------------------------------------------------------------------------- the catalog


class Totals(NamedTuple):
    """What a tag's pages hold, for `meta.yaml` and `tags.yaml`."""

    specs: int
    pages: int
    stacks: list[str]
    compilers: Counter[str]
    parameters: Counter[str]


class Writer:
    """Writes pages, and makes an even share of them stale."""

    def __init__(self, folder: Path, stale: float) -> None:
        """Write below ``folder``, which must not hold anything."""
        self.folder = folder
        self.stale = stale
        self.pages = 0
        self.bytes = 0

    def page(self, tag: str, title: str, text: str) -> None:
        """Write one page."""
        if int((self.pages + 1) * self.stale) > int(self.pages * self.stale):
            text = made_stale(text)
        folder = self.folder / "_cache" / tag / title
        folder.mkdir(parents=True)
        raw = text.encode()
        (folder / "specs.md").write_bytes(raw)
        self.pages += 1
        self.bytes += len(raw)


def write_tag(writer: Writer, tag: Tag, specs: Mapping[str, list[Spec]], seed: str) -> Totals:
    """Write the pages of one tag."""
    compilers: Counter[str] = Counter()
    parameters: Counter[str] = Counter()
    stacks: set[str] = set()
    for title, own in specs.items():
        for spec in own:
            compilers[spec["compiler"]] += 1
            parameters.update(map(name_of, spec["variants"]))
            stacks.update(spec["stacks"])
        text = (render_page(title, tag.name, own) if tag.is_current
                else render_tarball_page(title, tag, own, seed))
        writer.page(tag.name, title, text)
    return Totals(sum(map(len, specs.values())), len(specs), sorted(stacks), compilers, parameters)


def make(folder: Path, *, count: int, canonical: bool, swell: int, stale: float, seed: str) -> str:
    """Make a catalog in ``folder``; say how large it is."""
    start = time.perf_counter()
    nodes = invent(seed)
    writer = Writer(folder, stale)
    totals: dict[str, Totals] = {}
    for tag in tags(count, canonical=canonical):
        specs: dict[str, list[Spec]] = {}
        for number, node in snapshot(nodes, tag, seed):
            specs.setdefault(node.package, []).append(spec_of(node, number, tag, seed))
        if tag.name == "develop" and swell:
            specs = swollen(specs, swell, seed)
        totals[tag.name] = write_tag(writer, tag, specs, seed)
    write_data(folder, totals)
    return (f"{len(totals)} tags, {writer.pages:,} pages, "
            f"{sum(total.specs for total in totals.values()):,} specs, {writer.bytes:,} bytes, "
            f"{time.perf_counter() - start:.1f} seconds")


def write_data(folder: Path, totals: Mapping[str, Totals]) -> None:
    """Write the files of the catalog that are no pages."""
    (folder / "_data").mkdir()
    (folder / "pages" / "tags").mkdir(parents=True)
    for tag in totals:
        write(folder / "pages" / "tags" / f"{tag}.md", TAG_PAGE.format(tag=tag))
    entries = (
        "\n".join([f"- name: {tag}", "  stacks:", *(f"  - {stack}" for stack in total.stacks)])
        for tag, total in sorted(totals.items(), key=by_age)
    )
    write(folder / "_data" / "tags.yaml", "\n".join(entries) + "\n")
    write(folder / "_data" / "meta.yaml", "".join(meta_lines(totals)))


def by_age(item: tuple[str, Totals]) -> tuple[int, list[int]]:
    """Sort tags as the site does: `develop`, releases, snapshots, each from the newest."""
    tag = item[0]
    if tag == "develop":
        return 0, []
    numbers = tag.removeprefix("develop-").removeprefix("v").replace("-", ".").split(".")
    return (2 if tag.startswith("develop-") else 1), [-int(number) for number in numbers]


def meta_lines(totals: Mapping[str, Totals]) -> Iterator[str]:
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
        # one spec counts what its whole graph has, so that numbers are larger than on pages
        yield from (f"    {name}: {number * 17}\n"
                    for name, number in sorted(total.parameters.items()))


def write(path: Path, text: str) -> None:
    """Write a text as it is."""
    path.write_bytes(text.encode())


# --------------------------------------------------------------------------- the program


def main() -> int:
    """Read the command line, and make a catalog."""
    parser = argparse.ArgumentParser(description="Make a catalog of any size.")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER",
                        help="a folder that is empty or not there yet")
    parser.add_argument("--tags", type=int, default=100, metavar="N", help="default: 100")
    parser.add_argument("--canonical", action="store_true", help="the current format alone")
    parser.add_argument("--swell", type=int, default=0, metavar="K",
                        help="repeat the specs of popular packages on pages of `develop`; 40 "
                             "makes pages of several hundred kilobytes")
    parser.add_argument("--stale", type=float, default=0.0, metavar="SHARE",
                        help="the share of pages whose num_specs is one too high")
    parser.add_argument("--seed", default="1", help="default: 1")
    options = parser.parse_args()
    if options.tags < 1:
        parser.error("--tags: at least one tag is needed")
    if options.out.exists() and any(options.out.iterdir()):
        parser.error(f"--out: {options.out} is not empty")
    options.out.mkdir(parents=True, exist_ok=True)
    print(make(options.out, count=options.tags, canonical=options.canonical, swell=options.swell,
               stale=options.stale, seed=options.seed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
