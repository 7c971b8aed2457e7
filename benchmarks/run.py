"""Measure what `cachelint` costs, against a yardstick and against the usual way.

    python benchmarks/run.py [--tags 100] [--quick] [--check] [--write docs/performance.md]

Each figure is a whole process from start to end, and each ratio is one of medians of runs that took
turns, so that a machine that is slow or busy is so for both sides. Needs Linux or macOS, the extra
`benchmark`, and four gigabytes in memory (`/dev/shm`) or in the folder for temporary files.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import NamedTuple

from cachelint.reporters import FORMATS

Arguments = Sequence[object]

HERE = Path(__file__).resolve().parent
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
PROCESSES = (1, 2)
"""Every catalog is read by one process, and by two."""
SAMPLE = 60
"""So many pages are given to tools that would take hours for all."""


class Cost(NamedTuple):
    """What a process and those that it started cost."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds."""
    peak: float
    """Megabytes of the largest process."""


class Command(NamedTuple):
    """A process to be measured."""

    arguments: Arguments
    folder: Path
    status: int = 0
    """The exit status without which the measurement is void."""
    before: Callable[[], None] | None = None
    after: Callable[[], None] | None = None
    """What is done before and after each run, and not measured."""


class Row(NamedTuple):
    """One line of the table."""

    what: str
    target: str
    measured: str
    is_met: bool


class Bench(NamedTuple):
    """Where and how often things are measured."""

    work: Path
    tags: int
    runs: int
    cachelint: list[str]


def say(text: str) -> None:
    """Tell who waits what is going on."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


# --------------------------------------------------------------------------- measuring


def set_environment(bytecode: Path) -> None:
    """Clear the environment of settings, and let compiled modules be kept in a folder.

    An installed package is compiled; this one may lie in a checkout that nobody has imported.
    """
    for name in list(os.environ):
        if name.startswith(("CACHELINT_", "GITHUB_", "PYTHON")):
            del os.environ[name]
    os.environ["PYTHONPYCACHEPREFIX"] = str(bytecode)


def run(command: Command) -> Cost:
    """Run a command once. Raises RuntimeError for another exit status than the one expected."""
    if command.before:
        command.before()
    start = time.perf_counter()
    process = subprocess.Popen(list(map(str, command.arguments)), cwd=command.folder,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if process.returncode != command.status:
        raise RuntimeError(f"{command.arguments}: exit status {process.returncode}, not "
                           f"{command.status}\n{errors.decode(errors='replace')}")
    if command.after:
        command.after()
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit)


def medians(commands: dict[str, Command], runs: int) -> dict[str, Cost]:
    """Run commands in turns, each ``runs`` times, and return the medians of each."""
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            costs[name].append(run(command))
    return {name: Cost(*map(median, zip(*each, strict=True))) for name, each in costs.items()}


def output(arguments: Arguments, folder: Path) -> str:
    """Return what a command prints, whatever its status."""
    done = subprocess.run(list(map(str, arguments)), cwd=folder, capture_output=True, text=True,
                          check=False)
    return done.stdout


def count_pages(catalog: Path) -> int:
    """Count the pages of a catalog."""
    return sum(1 for _ in catalog.glob("_cache/*/*/specs.md"))


# --------------------------------------------------------------------------- catalogs

LIVE = ("--swell", "40")
CATALOGS = {
    "canonical": ("--canonical",),
    "live": LIVE,
    "canonical-stale": ("--canonical", "--stale", "1"),
    "live-stale": (*LIVE, "--stale", "1"),
}


def make_catalogs(bench: Bench) -> None:
    """Make all catalogs at once."""
    wanted = {name: (bench.tags, options) for name, options in CATALOGS.items()}
    for tags in growth_of(bench)[:-1]:
        wanted[f"canonical-{tags}"] = (tags, CATALOGS["canonical"])
    processes = [
        subprocess.Popen([sys.executable, HERE / "make_catalog.py", "--out", bench.work / name,
                          "--tags", str(tags), *options], stdout=subprocess.DEVNULL)
        for name, (tags, options) in wanted.items()
    ]
    statuses = [process.wait() for process in processes]
    if any(statuses):
        raise RuntimeError("a catalog could not be made")


def growth_of(bench: Bench) -> list[int]:
    """Return the numbers of tags at which growth is measured."""
    return [max(1, bench.tags // 4), max(2, bench.tags // 2), bench.tags]


# --------------------------------------------------------------------------- checks


def check(bench: Bench, catalog: Path, processes: int, status: int = 0) -> Command:
    """Check a whole catalog."""
    return Command([*bench.cachelint, "check", "--isolated", "--jobs", str(processes), "."],
                   catalog, status)


def yardstick(catalog: Path, processes: int) -> Command:
    """Read a whole catalog."""
    return Command([sys.executable, HERE / "yardstick.py", catalog, str(processes)], catalog)


Costs = dict[str, Cost]


def compare(bench: Bench, name: str, status: int = 0) -> Costs:
    """Measure the check of a catalog and the yardstick in turns; sound ones take seconds."""
    say(f"check of {name}")
    catalog = bench.work / name
    commands = {}
    for processes in PROCESSES:
        commands[f"yardstick {processes}"] = yardstick(catalog, processes)
        commands[f"cachelint {processes}"] = check(bench, catalog, processes, status)
    return medians(commands, bench.runs if status else 3 * bench.runs)


def against_yardstick(what: str, most: float, costs: Costs) -> Row:
    """Judge the ratios to the yardstick, of one process and of two."""
    ratios, in_full = [], []
    for processes in PROCESSES:
        ours, least = costs[f"cachelint {processes}"], costs[f"yardstick {processes}"]
        ratios.append(ours.wall / least.wall)
        in_full.append(f"{ours.wall:.1f} s to {least.wall:.1f} s, CPU {ours.cpu / least.cpu:.2f}")
    shown = " and ".join(f"{ratio:.2f}" for ratio in ratios)
    row = Row(what, f"≤ {most:g} times", f"{shown} ({'; '.join(in_full)})", max(ratios) <= most)
    say(f"{row.what}: {row.measured}")
    return row


def fixing(bench: Bench, name: str) -> Costs:
    """Measure the mending of a catalog of which every page is stale."""
    say(f"fix of {name}")
    stale, sound = bench.work / name, bench.work / name.removesuffix("-stale")
    copy = bench.work / "copy"

    def restore() -> None:
        shutil.rmtree(copy, ignore_errors=True)
        subprocess.run(["cp", "-R", stale, copy], check=True)

    def verify() -> None:
        if subprocess.run(["diff", "-r", sound, copy], stdout=subprocess.DEVNULL).returncode:
            raise RuntimeError(f"{name}: the mended catalog is not what it should be")

    commands = {}
    for processes in PROCESSES:
        fix = [*bench.cachelint, "fix", "--isolated", "--jobs", str(processes), "."]
        commands[f"yardstick {processes}"] = yardstick(stale, processes)
        commands[f"cachelint {processes}"] = Command(fix, copy, 0, restore, verify)
    costs = medians(commands, max(1, (bench.runs + 1) // 2))
    shutil.rmtree(copy)
    return costs


def one_page(bench: Bench) -> Row:
    """Measure one page from start to end."""
    say("one page")
    catalog = bench.work / "canonical"
    page = next(catalog.glob("_cache/develop-2025-03-30/*/specs.md")).relative_to(catalog)
    costs = medians({
        "python": Command([sys.executable, "-c", "pass"], catalog),
        "cachelint": Command([*bench.cachelint, "check", "--isolated", page], catalog),
    }, 20)
    ratio = costs["cachelint"].cpu / costs["python"].cpu
    return Row("one page from start to end, against `python -c pass` (CPU)", "≤ 7 times",
               f"{ratio:.1f} ({costs['cachelint'].cpu * 1e3:.0f} ms to "
               f"{costs['python'].cpu * 1e3:.0f} ms)", ratio <= 7)


def memory(results: dict[str, Costs]) -> Row:
    """Judge the largest process of all."""
    peaks = {name: max(costs[f"cachelint {processes}"].peak for processes in PROCESSES)
             for name, costs in results.items()}
    each = ", ".join(f"{name} {peak:.0f}" for name, peak in peaks.items())
    most = max(peaks.values())
    return Row("peak memory of the largest process", "≤ 150 MB",
               f"{most:.0f} MB ({each})", most <= 150)


def two_workers(results: dict[str, Costs]) -> Iterator[Row]:
    """Judge what a second process is worth."""
    for name in ("canonical", "live"):
        costs = results[name]
        gain = costs["cachelint 1"].wall / costs["cachelint 2"].wall
        most = costs["yardstick 1"].wall / costs["yardstick 2"].wall
        yield Row(f"two processes against one, {name}", "≥ 1.8 times",
                  f"{gain:.2f} (the yardstick: {most:.2f})", gain >= 1.8)


def growth(bench: Bench) -> Row:
    """Judge whether twice the pages take twice the time."""
    say("growth")
    sizes = growth_of(bench)
    catalogs = {tags: bench.work / ("canonical" if tags == bench.tags else f"canonical-{tags}")
                for tags in sizes}
    costs = medians({str(tags): check(bench, catalog, 1) for tags, catalog in catalogs.items()},
                    bench.runs)
    each = [costs[str(tags)].cpu * 1e6 / count_pages(catalog) for tags, catalog in catalogs.items()]
    names = ", ".join(map(str, sizes))
    return Row(f"CPU a page at {names} tags", "linear: last ≤ 1.1 of first",
               f"{', '.join(f'{cost:.0f}' for cost in each)} µs ({each[-1] / each[0]:.2f})",
               each[-1] <= 1.1 * each[0])


def across_pages(bench: Bench) -> Row:
    """Measure what the catalog's own files, and the rules across pages, add to the pages."""
    say("rules across pages")
    whole, bare = bench.work / "live", bench.work / "bare"
    bare.mkdir()
    (bare / "_cache").symlink_to(whole / "_cache")
    alone = check(bench, bare, 1)
    costs = medians({
        "whole": check(bench, whole, 1),
        "alone": alone._replace(arguments=[*alone.arguments, "--ignore", "CL608"]),
    }, bench.runs)
    added = costs["whole"].cpu / costs["alone"].cpu - 1
    return Row("rules across pages and the catalog's own files, live (CPU)", "add at most 15 %",
               f"{added:.1%} ({costs['whole'].cpu:.2f} s, the pages alone "
               f"{costs['alone'].cpu:.2f} s)", added <= 0.15)


def pull_request(bench: Bench) -> Row:
    """Measure `--diff-base` in a repository in which five pages changed."""
    say("five changed pages in a repository")
    catalog = bench.work / "live"

    def git(*arguments: object) -> list[object]:
        return ["git", "-c", "user.name=x", "-c", "user.email=x", *arguments]

    def do(*arguments: object) -> None:
        subprocess.run(list(map(str, git(*arguments))), cwd=catalog, check=True,
                       stdout=subprocess.DEVNULL)

    do("init", "--quiet")
    do("add", ".")
    do("commit", "--quiet", "--message", "base")
    pages = sorted(catalog.glob("_cache/develop/*/specs.md"))[:5]
    for page in pages:
        page.write_text(page.read_text().replace('"num_specs": ', '"num_specs": 1'))
    names = [page.relative_to(catalog) for page in pages]
    one = [*bench.cachelint, "check", "--isolated", "--jobs", "1"]
    costs = medians({
        "changes": Command([*one, "--diff-base", "HEAD", "."], catalog, 1),
        "pages": Command([*one, *names], catalog, 1),
        "git": Command(git("diff", "--name-status", "-z", "HEAD"), catalog),
    }, max(5, bench.runs))
    do("checkout", "--quiet", ".")
    shutil.rmtree(catalog / ".git")
    least = costs["pages"].wall + costs["git"].wall
    ratio = costs["changes"].wall / least
    return Row("`--diff-base` with five changed pages, against their check and `git diff`",
               "< 3 times", f"{ratio:.2f} ({costs['changes'].wall:.2f} s to {least:.2f} s, of "
               f"which git {costs['git'].wall:.2f} s)", ratio < 3)


def every_format(bench: Bench) -> Row:
    """Measure a check of stale pages that writes every format, against one that writes one."""
    say("every format at once")
    catalog = bench.work / "live-stale"
    one = check(bench, catalog, PROCESSES[-1], 1)
    one = one._replace(arguments=[*one.arguments, "--output-format", "concise"])
    reports = bench.work / "reports"
    reports.mkdir()
    files = [argument for name in FORMATS
             for argument in ("--output-file", f"{name}:{reports / name}")]
    costs = medians({
        "one": one, "all": one._replace(arguments=[*one.arguments, *files]),
    }, max(1, bench.runs // 2))
    shutil.rmtree(reports)
    ratio, peak = costs["all"].wall / costs["one"].wall, costs["all"].peak
    return Row("every page stale, to every format at once, against `concise` alone",
               "≤ 2 times, < 300 MB", f"{ratio:.2f}, {peak:.0f} MB ({costs['all'].wall:.1f} s to "
               f"{costs['one'].wall:.1f} s)", ratio <= 2 and peak < 300)


def refusals(bench: Bench) -> Iterator[Row]:
    """Measure how soon a page is refused that would take for ever."""
    say("pages that are refused")
    head = "---\ntitle: x\nlayout: cache\ncategories: [package, develop]\n"
    spec = '{"stacks": ["root"], "versions": ["1.0"]}'
    pages = {
        "a page of 100 MB": f"{head}spec_details: [{', '.join([spec] * (10**8 // 43))}]\n---",
        "100,000 levels of nesting": f"{head}meta: {'[' * 10**5}{']' * 10**5}\n---",
        "the same in block style": f"{head}meta:\n  {'- ' * 10**5}x\n---",
        "a million aliases": f"{head}meta: [&a x{', *a' * 10**6}]\n---",
    }
    folder = bench.work / "refused"
    for number, (what, text) in enumerate(pages.items()):
        page = folder / "_cache" / "develop" / f"x{number}" / "specs.md"
        page.parent.mkdir(parents=True)
        page.write_text(text, encoding="utf-8")
        arguments = [*bench.cachelint, "check", "--isolated", page.relative_to(folder)]
        said = output([*arguments, "--output-format", "concise"], folder)
        seconds = medians({"": Command(arguments, folder, 1)}, 3)[""].wall
        yield Row(f"refused: {what}", "< 1 s", f"{seconds:.2f} s",
                  seconds < 1 and "CL110" in said)
        page.unlink()


# --------------------------------------------------------------------------- the usual way


class Sample(NamedTuple):
    """Pages for the tools that are slow."""

    schema: Path
    files: list[Path]
    """Their front matter."""


def sample(bench: Bench, name: str, schema: str) -> Sample:
    """Take pages of one format evenly out of a catalog."""
    catalog, folder = bench.work / name, bench.work / f"sample-{name}"
    folder.mkdir()
    key = b'"tarball":'
    pages = sorted(catalog.glob("_cache/*/*/specs.md"))
    pages = pages[:: max(1, len(pages) // (4 * SAMPLE))]
    pages = [page for page in pages if (key in page.read_bytes()) == (schema == "page-tarball")]
    pages = pages[:: max(1, len(pages) // SAMPLE)][:SAMPLE]
    files = []
    for number, page in enumerate(pages):
        files.append(folder / f"{number}.yaml")
        files[-1].write_bytes(page.read_bytes().removesuffix(b"---"))
    path = folder / f"{schema}.json"
    path.write_text(output([*bench.cachelint, "schema", schema], folder), encoding="utf-8")
    return Sample(path, files)


def by_ruamel(bench: Bench, pages: Sample) -> float:
    """Return the seconds a page that ruamel.yaml and jsonschema take."""
    command = [sys.executable, HERE / "rivals.py", pages.schema, *pages.files]
    seconds = [float(output(command, bench.work)) for _ in range(min(3, bench.runs))]
    return median(seconds) / len(pages.files)


def by_check_jsonschema(bench: Bench, pages: Sample) -> float:
    """Return the seconds a page that check-jsonschema takes, once it has started."""
    def command(files: list[Path]) -> Command:
        return Command([sys.executable, "-m", "check_jsonschema", "--schemafile", pages.schema,
                        *files], bench.work)

    run(command(pages.files[:1]))  # and be sure that it is compiled
    costs = medians({"one": command(pages.files[:1]), "all": command(pages.files)},
                    min(3, bench.runs))
    return (costs["all"].wall - costs["one"].wall) / (len(pages.files) - 1)


def beside_others(bench: Bench, results: dict[str, Costs]) -> str:
    """Set the costs of a page side by side."""
    columns: list[dict[str, float]] = []
    for name, schema in (("canonical", "page-current"), ("live", "page-tarball")):
        say(f"the usual way on {name}")
        pages = sample(bench, name, schema)
        count = count_pages(bench.work / name)
        columns.append({
            "yardstick": results[name]["yardstick 1"].wall / count,
            "cachelint, all rules": results[name]["cachelint 1"].wall / count,
            f"check-jsonschema {version('check-jsonschema')}, schema only":
                by_check_jsonschema(bench, pages),
            f"ruamel.yaml {version('ruamel.yaml')} (pure) and jsonschema {version('jsonschema')}, "
            "schema only": by_ruamel(bench, pages),
        })
    lines = ["| one process, µs a page | canonical | to cachelint | live | to cachelint |",
             "|---|---|---|---|---|"]
    for tool in columns[0]:
        cells = [cell for column in columns for cell in (
            f"{column[tool] * 1e6:,.0f}", f"{column[tool] / column['cachelint, all rules']:,.1f}")]
        lines.append(f"| {tool} | {' | '.join(cells)} |")
    return "\n".join(lines)


# --------------------------------------------------------------------------- the report

CHECKS = {
    "canonical": ("check, canonical pages only", 1.7),
    "live": ("check, as a live catalog is", 4),
    "canonical-stale": ("check, canonical, every page stale", 8),
    "live-stale": ("check, live, every page stale", 8),
}
FIXES = {
    "canonical-stale": ("fix, canonical, every page stale", 40),
    "live-stale": ("fix, live, every page stale", 40),
}
"""What is done to which catalog, and how many times the yardstick it may take."""


def measure(bench: Bench) -> tuple[list[Row], str]:
    """Measure everything."""
    say(f"catalogs of {bench.tags} tags in {bench.work}")
    make_catalogs(bench)
    for command in yardstick(bench.work / "live", 2), check(bench, bench.work / "live", 2):
        run(command)  # and be sure that everything is compiled
    rows = []
    results: dict[str, Costs] = {}
    for name, (what, most) in CHECKS.items():
        results[name] = compare(bench, name, 1 if name.endswith("stale") else 0)
        rows.append(against_yardstick(what, most, results[name]))
    fixes: dict[str, Costs] = {}
    for name, (what, most) in FIXES.items():
        fixes[name] = fixing(bench, name)
        rows.append(against_yardstick(what, most, fixes[name]))
    rows += [
        one_page(bench),
        memory({**results, **{f"fix of {name}": costs for name, costs in fixes.items()}}),
        *two_workers(results),
        growth(bench),
        across_pages(bench),
        pull_request(bench),
        every_format(bench),
        *refusals(bench),
    ]
    return rows, beside_others(bench, results)


def report(bench: Bench, rows: list[Row], others: str) -> str:
    """Write what was measured as Markdown."""
    processors = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    lines = [
        f"{processors} processors ({platform.system()}, {platform.machine()}), Python "
        f"{platform.python_version()}, orjson {version('orjson')}, cachelint "
        f"{version('cachelint')}; {bench.tags} tags, "
        f"{count_pages(bench.work / 'canonical'):,} canonical and "
        f"{count_pages(bench.work / 'live'):,} live pages; medians of {bench.runs} runs, and of "
        f"{3 * bench.runs} where catalogs are sound. Where two ratios stand they are of one "
        "process and of two, by the clock; CPU is the ratio of processor time.",
        "",
        "| what | target | measured | |",
        "|---|---|---|---|",
        *(f"| {row.what} | {row.target} | {row.measured} | {'✓' if row.is_met else '✗'} |"
          for row in rows),
        "",
        f"Other tools were given {SAMPLE} pages, evenly taken; check-jsonschema's start is "
        "subtracted.",
        "",
        others,
    ]
    return "\n".join(lines)


def put_between_markers(path: Path, text: str) -> None:
    """Replace what stands between the two markers in a file."""
    before, rest = path.read_text(encoding="utf-8").split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def working_folder() -> str | None:
    """Return where catalogs are made: in memory, if there is room for some million files."""
    memory = "/dev/shm"
    if not os.access(memory, os.W_OK):
        return None
    room = os.statvfs(memory)
    is_fit = room.f_bavail * room.f_frsize > 5e9 and room.f_favail > 1.5e6
    return memory if is_fit else None


def main() -> int:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(description="Measure cachelint.")
    parser.add_argument("--tags", type=int, default=100, metavar="N", help="default: 100")
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="default: 5")
    parser.add_argument("--quick", action="store_true",
                        help="8 tags, 1 run: whether it works, not how fast it is")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a target is missed")
    parser.add_argument("--write", type=Path, metavar="FILE",
                        help="replace the table between the markers in FILE")
    options = parser.parse_args()
    beside = Path(sys.executable).with_name("cachelint")
    cachelint = [str(beside)] if beside.exists() else [sys.executable, "-m", "cachelint"]
    # leave no gigabytes behind when told to end
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="cachelint-", dir=working_folder()) as work:
        set_environment(Path(work, "bytecode"))
        tags, runs = (8, 1) if options.quick else (max(2, options.tags), options.runs)
        bench = Bench(Path(work), tags, runs, cachelint)
        rows, others = measure(bench)
        text = report(bench, rows, others)
    print(text)
    if options.write:
        put_between_markers(options.write, text)
    return 1 if options.check and not all(row.is_met for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
