"""The command line: arguments, printing, exit status. Nobody imports it."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn, TypeVar

import click

from cachelint import (
    __version__,
    completion,
    config,
    files,
    reference,
    reporters,
    rules,
    runs,
    schema,
    units,
    workers,
)
from cachelint.checker import check_page
from cachelint.config import Settings
from cachelint.fixer import fix_page
from cachelint.model import CachelintError, Report, Severity
from cachelint.text import inert

Function = TypeVar("Function", bound=Callable[..., Any])


class _Group(click.Group):
    """A group that suggests the nearest command."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        # what is being completed may be wrong still
        if (args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None
                and not ctx.resilient_parsing):
            near = config.nearest(args[0], self.list_commands(ctx))
            raise click.UsageError(f"there is no command {args[0]!r}{near}")
        return super().resolve_command(ctx, args)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cachelint", message="%(prog)s %(version)s")
def cli() -> None:
    """Check and mend the pages of a Spack build-cache catalog.

    \b
    cachelint check                 every catalog below this folder
    cachelint fix --diff            what fix would change
    cachelint rule CL301            what a rule says, and why
    """


def _commas(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(name.strip() for value in values for name in value.split(",") if name.strip())
    for name in names:
        try:
            config.codes_of(name)
        except CachelintError as error:
            raise click.BadParameter(str(error)) from None
    return names


def _paths_and_rules(function: Function) -> Function:
    """Add the arguments and options that `check` and `fix` share."""
    for decorate in reversed([
        click.argument("paths", nargs=-1, metavar="[PATH]...", shell_complete=completion.paths),
        click.option("--select", multiple=True, metavar="RULES", callback=_commas,
                     shell_complete=completion.rules,
                     help="Run these rules alone: codes, names or prefixes (CL3)."),
        click.option("--ignore", multiple=True, metavar="RULES", callback=_commas,
                     shell_complete=completion.rules,
                     help="Leave these rules out."),
        click.option("--extend-select", multiple=True, metavar="RULES", callback=_commas,
                     shell_complete=completion.rules,
                     help="Run these rules besides."),
        click.option("--output-format", type=click.Choice(reporters.FORMATS),
                     help="How findings are written [default: full; github in GitHub Actions]."),
        click.option("--strict", is_flag=True, help="Let warnings fail the run."),
        click.option("--exit-zero", is_flag=True, help="Exit with 0 although errors are found."),
        click.option("--statistics", is_flag=True, help="Count findings by rule; list none."),
        click.option("--quiet", "-q", is_flag=True, help="Findings only, no totals."),
        click.option("--verbose", "-v", is_flag=True, help="Say on standard error what is done."),
        click.option("--files-from", metavar="FILE|-", shell_complete=completion.paths,
                     help="Read paths from a file, one a line or NUL-separated."),
        click.option("--stdin-filename", metavar="PATH", shell_complete=completion.paths,
                     help="What the page on standard input (-) is called."),
        click.option("--config", "config_file", metavar="FILE", shell_complete=completion.paths,
                     help="The configuration file [default: the nearest upwards]."),
        click.option("--isolated", is_flag=True, help="Read no configuration file."),
        click.option("--jobs", "-j", type=click.IntRange(min=1), metavar="N",
                     help="Worker processes [default: the processors there are]."),
        click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto",
                     metavar="WHEN", help="auto, always or never."),
    ]):
        function = decorate(function)
    return function


@cli.command()
@_paths_and_rules
@click.option("--diff-base", metavar="REV",
              help="Check only what differs from the merge base with REV, and frozen tags (CL8).")
@click.option("--baseline", metavar="FILE", shell_complete=completion.paths,
              help="Leave out the findings that FILE knows.")
@click.option("--write-baseline", metavar="FILE", shell_complete=completion.paths,
              help="Write all findings to FILE as known.")
def check(**options: Any) -> int:
    """Report what is wrong with pages and catalogs.

    PATH is a page, or a folder that is searched for catalogs; `-` is standard input.

    \b
    cachelint check                           every catalog below this folder
    cachelint check _cache/develop            one tag
    cachelint check --select CL3,duplicate-hash --output-format concise
    cachelint check --diff-base origin/main   what a pull request changes
    """
    settings = _settings(options)
    paths = _paths(options)
    if paths == ["-"]:
        path = options["stdin_filename"] or "<stdin>"
        context = units.context_at(path, settings)
        found = check_page(sys.stdin.buffer.read(), path, settings=settings, context=context)
        report = Report(tuple(found), 1)
    elif options["write_baseline"]:
        report = runs.write_baseline(options["write_baseline"], paths, settings=settings,
                                     jobs=_jobs(options), diff_base=options["diff_base"])
        _say(f"{options['write_baseline']}: "
             f"{reporters.counted(report.suppressed, 'known finding')} written")
    else:
        report = runs.check(paths, settings=settings, jobs=_jobs(options),
                            diff_base=options["diff_base"], baseline=options["baseline"])
    if options["verbose"] and report.not_run:
        _say(f"not run, since they need whole tags: {', '.join(report.not_run)}")
    _print(report, options)
    if report.stale:
        first = report.stale[0]
        _say(f"{options['baseline']}: {reporters.counted(len(report.stale), 'entry')} of the "
             f"baseline no longer found, such as {first.rule} in {first.path}; "
             "--write-baseline prunes them")
    return _status(report, options)


@cli.command()
@_paths_and_rules
@click.option("--diff", is_flag=True, help="Show what would change; write nothing.")
@click.option("--exit-non-zero-on-fix", is_flag=True, help="Exit with 1 if a file was changed.")
def fix(**options: Any) -> int:
    """Regenerate summaries, and write pages in the generator's own form.

    No spec is added, dropped or altered. A page that cannot be mended safely is left alone, and
    the reason said.

    \b
    cachelint fix --diff                      what would change
    cachelint fix _cache/develop              one tag
    cachelint fix - < specs.md > mended.md    one page, through a pipe
    """
    settings = _settings(options)
    paths = _paths(options)
    if paths == ["-"]:
        return _fix_stdin(settings, options)
    done = runs.fix(paths, settings=settings, jobs=_jobs(options), write=not options["diff"])
    if options["diff"]:
        for path, before, after in done.changed:
            sys.stdout.writelines(_diff(path, before, after))
    # findings go where a diff does not
    _print(done.report, options, stream=sys.stderr if options["diff"] else sys.stdout)
    for path, why in done.refused:
        _say(f"left alone: {path}: {why}")
    if not options["quiet"] and (done.changed or options["verbose"]):
        verb = "would mend" if options["diff"] else "mended"
        _say(f"{verb} {reporters.counted(done.mended, 'finding')} in "
             f"{reporters.counted(len(done.changed), 'file')}")
    if done.changed and (options["diff"] or options["exit_non_zero_on_fix"]):
        return 0 if options["exit_zero"] else 1
    return _status(done.report, options)


def _fix_stdin(settings: Settings, options: dict[str, Any]) -> int:
    """Mend the page on standard input, and write it to standard output."""
    raw = sys.stdin.buffer.read()
    path = options["stdin_filename"] or "<stdin>"
    fixed = fix_page(raw, path, settings=settings, context=units.context_at(path, settings))
    if options["diff"]:
        if fixed.content != raw:
            sys.stdout.writelines(_diff(path, raw, fixed.content))
    else:
        sys.stdout.buffer.write(fixed.content)
        sys.stdout.buffer.flush()
    report = Report(tuple(fixed.findings), 1)
    _print(report, options, stream=sys.stderr)
    if fixed.reason:
        _say(f"left alone: {path}: {fixed.reason}")
    if fixed.content != raw and (options["diff"] or options["exit_non_zero_on_fix"]):
        return 0 if options["exit_zero"] else 1
    return _status(report, options)


@cli.command()
@click.argument("name", required=False, metavar="[CODE|NAME]", shell_complete=completion.rule)
@click.option("--output-format", type=click.Choice(["text", "json", "markdown"]), default="text",
              help="How rules are written.")
def rule(name: str | None, output_format: str) -> int:
    """Explain one rule, or list them all.

    \b
    cachelint rule                  all rules
    cachelint rule CL301            what it says, why, a bad and a good example
    """
    chosen = list(rules.ALL_RULES)
    if name is not None:
        codes = config.codes_of(name)
        chosen = [each for each in chosen if each.code in codes]
    if output_format == "json":
        import json

        click.echo(json.dumps([_rule_as_dict(each) for each in chosen], indent=2))
    elif name is None and output_format == "text":
        width = max(len(each.name) for each in chosen)
        for each in chosen:
            mark = "" if each.default else " (off by default)"
            click.echo(f"{each.code}  {each.name:<{width}}  {each.severity.value:<7}  "
                       f"{inert(each.summary)}{mark}")
    elif output_format == "text":
        click.echo("\n\n".join(map(reference.text, chosen)))
    else:
        click.echo("\n\n".join(
            reference.page() if name is None else map(reference.markdown, chosen)))
    return 0


def _rule_as_dict(each: rules.Rule) -> dict[str, object]:
    return {
        "code": each.code, "name": each.name, "severity": each.severity.value,
        "summary": each.summary, "documentation": each.documentation,
        "fixable": each.fix is not rules.Fix.NONE, "default": each.default, "since": each.since,
    }


@cli.command(name="schema")
@click.argument("name", required=False, shell_complete=completion.schemas)
def schema_command(name: str | None) -> int:
    """Print a JSON Schema, or list their names.

    \b
    cachelint schema                    the names
    cachelint schema page-current       the schema of today's pages
    cachelint schema front-matter       one of all pages, for editors
    """
    names = (*schema.NAMES, schema.FOR_EDITORS)
    if name is None:
        click.echo("\n".join(names))
    elif name in names:
        click.echo(schema.text(name), nl=False)
    else:
        raise CachelintError(f"there is no schema {name!r}{config.nearest(name, names)}")
    return 0


# ------------------------------------------------------------------------------- arguments


def _settings(options: dict[str, Any]) -> Settings:
    path = None
    if options["config_file"]:
        from pathlib import Path

        path = Path(options["config_file"])
    elif not options["isolated"]:
        path = config.find()
    file = config.read(path) if path is not None else {}
    if options["verbose"]:
        _say(f"configuration: {path or 'none'}")
    chosen = {key: options[key.replace("-", "_")] for key in ("select", "ignore", "extend-select")}
    return config.settings(file, chosen)


def _paths(options: dict[str, Any]) -> list[str]:
    paths = list(options["paths"])
    if options["files_from"] is not None:
        return paths + _files_from(options["files_from"])
    if "-" in paths and len(paths) > 1:
        raise CachelintError("- (standard input) goes with no other path")
    if options["stdin_filename"] and paths != ["-"]:
        raise CachelintError("--stdin-filename goes with the path - (standard input) alone")
    return paths or ["."]


def _files_from(name: str) -> list[str]:
    try:
        raw = sys.stdin.buffer.read() if name == "-" else _read(name)
    except OSError as error:
        raise CachelintError(f"{name}: {files.reason(error)}") from None
    separator = b"\0" if b"\0" in raw else b"\n"
    return [os.fsdecode(line.removesuffix(b"\r") if separator == b"\n" else line)
            for line in raw.split(separator) if line.strip()]


def _read(name: str) -> bytes:
    with open(name, "rb") as file:  # noqa: PTH123
        return file.read()


def _jobs(options: dict[str, Any]) -> int:
    jobs: int = options["jobs"] or workers.processors()
    return jobs


# ------------------------------------------------------------------------------- printing


def _print(report: Report, options: dict[str, Any], stream: Any = None) -> None:
    stream = stream or sys.stdout
    name = options["output_format"] or (
        "github" if os.environ.get("GITHUB_ACTIONS") == "true" else "full")
    for_people = name in ("full", "concise")
    if options["statistics"]:
        (stream if for_people else sys.stderr).writelines(_statistics(report))
        if for_people:
            return
    pieces: Iterable[str] = reporters.reporter(name)(report, _colour(options["color"], stream))
    if options["quiet"] and name != "json":
        *pieces, _ = pieces
    stream.writelines(pieces)
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if name == "github" and summary:
        from cachelint.reporters import summary_format

        with open(summary, "a", encoding="utf-8", errors="backslashreplace") as file:  # noqa: PTH123
            file.writelines(summary_format.write(report))
    if options["verbose"]:
        _say(f"{reporters.counted(report.pages, 'page')} in {report.seconds:.1f} seconds")


def _statistics(report: Report) -> Iterator[str]:
    counts: dict[str, int] = {}
    for finding in report.findings:
        counts[finding.code] = counts.get(finding.code, 0) + 1
    width = max((len(f"{count:,}") for count in counts.values()), default=1)
    for code, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        each = rules.BY_CODE[code]
        yield f"{count:>{width},}  {code}  {each.name}\n"
    yield reporters.totals(report) + "\n"


def _colour(when: str, stream: Any) -> bool:
    if when != "auto":
        return when == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (
        stream.isatty() and os.environ.get("TERM") != "dumb")


def _diff(path: str, before: bytes, after: bytes) -> Iterator[str]:
    """Yield a unified diff without context, so that each of its lines begins with a sign."""
    old, new = ([inert(line) for line in text.decode("utf-8", "surrogateescape").split("\n")]
                for text in (before, after))
    import difflib

    name = inert(path)
    for line in difflib.unified_diff(old, new, f"a/{name}", f"b/{name}", n=0, lineterm=""):
        yield line + "\n"


def _say(text: str) -> None:
    sys.stderr.write(f"{inert(text)}\n")


def _status(report: Report, options: dict[str, Any]) -> int:
    fails = any(finding.severity is Severity.ERROR or options["strict"]
                for finding in report.findings)
    return 1 if fails and not options["exit_zero"] else 0


# ------------------------------------------------------------------------------- the program


def main() -> NoReturn:
    """Run the program, and exit with its status."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    if sys.stdout is None or sys.stderr is None:
        sys.exit(2)  # there is nowhere to say anything
    sys.exit(_run())


def _run() -> int:
    # what a run makes is kept or gone with its page, and hardly ever a cycle: looking for cycles
    # as often as usual would take a seventh of the time
    gc.set_threshold(100_000)
    try:
        status = cli.main(standalone_mode=False, auto_envvar_prefix="CACHELINT")
        sys.stdout.flush()
    except (click.exceptions.Abort, KeyboardInterrupt):
        _say("cachelint: interrupted")
        return 130
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return 2
    except click.ClickException as error:
        _say(f"cachelint: {error.format_message()}")
        return 2
    except CachelintError as error:
        _say(f"cachelint: {error}")
        return 2
    except BrokenPipeError:
        # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:
        if os.environ.get("CACHELINT_TRACEBACK"):
            raise
        _say(f"cachelint: a fault of the program, not of a page: {type(error).__name__}: {error} "
             "(please report it, with what CACHELINT_TRACEBACK=1 shows)")
        return 2
    return status if isinstance(status, int) else 0
