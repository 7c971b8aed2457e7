"""Invent packages and their specs, from a seed: what `make_catalog.py` makes catalogs of.

How many specs a package has, how many variants a spec has and how long they are follow the public
cache: most packages have one spec or two, a few have twenty. Each stack has a machine and compilers
of its own.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple


class Host(NamedTuple):
    """The machine and compilers of a stack, and its share of all specs."""

    platform: str
    os: str
    target: str
    compilers: tuple[str, ...]
    """The first one builds nearly all specs."""
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
"""The stack that every spec has in addition."""


class BuildSystem(NamedTuple):
    """How a kind of package is built."""

    name: str
    weight: int
    """Packages in a hundred."""
    without_compiler: float
    """The share of these packages that needs no compiler."""
    variants: tuple[str, ...]
    """The variants of all these packages, without ``build_system``."""
    switches: float
    """The number of further variants of a typical package."""


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
"""Numbers of specs, each with the packages in a hundred that have so many."""


SYLLABLES = """
ab al am an ar as bak bel ben bio bit bor bus cal can cap car cha cit clu com con cor cra cur dar
dat del den dev dia dis doc dom dra dur eco ed el em en er eta ex fab fast fil fit flo for fox fra
fu gal gen geo gim glu gra grid gum hal han hdf hep hub hy im in iso jam jet jo kal ken key kit ko
la lab lan lat leo lib lin lo lu mag man map mat med mesh met min mo mul na neo net no nu ob oct
om op or os par pat pen pet pix plo pol por pro py qua qu ra ran ray red ren res rho ro ru sam san
sci sed sel sig sim sol son spa spec star stat sub sum sun syn ta tam tel ten ter tho tim to tri
tur uni ur val var vec ver vis vol vor wan wave wel wit xen xi yam yar zen zin zo
""".split()  # noqa: SIM905

WORDS = """
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
""".split()  # noqa: SIM905

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
    """Sorted, without ``root``."""
    variants: tuple[str, ...]
    version: str
    is_steady: bool
    """Whether its hash is the same in several snapshots."""


def invent_packages(seed: str, count: int) -> Iterator[Node]:
    """Invent packages, and yield all their specs."""
    chance = random.Random(f"packages/{seed}")
    names: set[str] = set()
    while len(names) < count:
        system = chance.choices(BUILD_SYSTEMS, [each.weight for each in BUILD_SYSTEMS])[0]
        name = _name_package(chance, system)
        if name not in names:
            names.add(name)
            yield from _invent_specs(chance, name, system)


def variant_name(variant: str) -> str:
    """Return the name of a variant: `shared` of `+shared`, `libs` of `libs:=static`."""
    return variant.lstrip("+~").split("=", 1)[0].removesuffix(":")


def _name_package(chance: random.Random, system: BuildSystem) -> str:
    """Invent a name: `py-simgrid`, `libcapro`, `ren`."""
    name = "".join(chance.choices(SYLLABLES, k=chance.choice((1, 2, 2))))
    if chance.random() < 0.2:
        name += "-" + chance.choice(SYLLABLES)
    return f"py-{name}" if system.name == "python_pip" else name


def _invent_specs(chance: random.Random, name: str, system: BuildSystem) -> Iterator[Node]:
    """Invent the specs of one package."""
    needs_compiler = chance.random() >= system.without_compiler
    versions = [_invent_version(chance) for _ in range(1 if chance.random() < 0.93 else 3)]
    variants = _invent_variants(chance, system)
    count = chance.choices([number for number, _ in SPECS], [share for _, share in SPECS])[0]
    stacks = chance.choices(list(STACKS), [host.weight for host in STACKS.values()], k=count)
    for stack in stacks:
        yield Node(name, _choose_compiler(chance, stack, needs_compiler), STACKS[stack],
                   _share_stacks(chance, stack), _turn_switches(chance, variants),
                   chance.choice(versions), chance.random() < 0.15)


def _invent_version(chance: random.Random) -> str:
    """Invent a version: `1.12`, `2023.4.0`, rarely `master`."""
    if chance.random() < 0.01:
        return "master"
    numbers = [int(chance.random() ** 2 * 30) for _ in range(chance.choice((2, 2, 3)))]
    if chance.random() < 0.1:
        numbers[0] = chance.randint(2018, 2024)
    return ".".join(map(str, numbers))


def _invent_variants(chance: random.Random, system: BuildSystem) -> list[str]:
    """Invent a package's variants, sorted by name."""
    found = [f"build_system={system.name}", *system.variants]
    count = min(140, int(system.switches * chance.lognormvariate(0, 1.45)))
    for word in chance.choices(WORDS, k=count):
        prefix = chance.choice(("with_", "enable_", "build_")) if chance.random() < 0.25 else ""
        found.append(chance.choice("++~") + prefix + word)
    if count and chance.random() < 0.4:
        found.append(chance.choice(CHOICES))
    if system.name != "python_pip" and chance.random() < 0.12:
        patches = 1 + int(chance.lognormvariate(0, 1.0))
        found.append("patches:=" + ",".join(
            sorted(f"{chance.getrandbits(28):07x}" for _ in range(patches))))
    if chance.random() < 0.005:
        found.append(f"commit={chance.getrandbits(160):040x}")
    named = {variant_name(variant): variant for variant in found}
    return [named[name] for name in sorted(named)]


def _turn_switches(chance: random.Random, variants: list[str]) -> tuple[str, ...]:
    """Turn a few of a package's switches for one spec."""
    return tuple(
        ("~" if variant[0] == "+" else "+") + variant[1:]
        if variant[0] in "+~" and chance.random() < 0.12 else variant
        for variant in variants)


def _choose_compiler(chance: random.Random, stack: str, needs_compiler: bool) -> str:
    """Choose the compiler with which a stack builds a spec."""
    if not needs_compiler:
        return "none"
    first, *others = STACKS[stack].compilers
    return chance.choice(others) if others and chance.random() < 0.3 else first


def _share_stacks(chance: random.Random, stack: str) -> tuple[str, ...]:
    """Choose the stacks that have a spec in common: they build on the same machine."""
    found = {stack}
    if chance.random() < 0.3:
        found |= {other for other, host in STACKS.items()
                  if host[:3] == STACKS[stack][:3] and chance.random() < 0.3}
    return tuple(sorted(found))
