"""The command line: arguments, printing, exit status. Nobody imports it."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from importlib import import_module
from typing import Any, NoReturn, TypeVar

import click
from click.core import ParameterSource

from cachelint import __version__, rules, text
from cachelint.config import file as config_file
from cachelint.config import unused
from cachelint.document import schema
from cachelint.files import discovery
from cachelint.linter import tag as tag_linter
from cachelint.linter.page import check_page
from cachelint.model import CachelintError, Report, Severity
from cachelint.output import formats
from cachelint.rules import selection
from cachelint.rules.selection import Settings
from cachelint.runner import run as runner
from cachelint.runner import workers
from cachelint.runner.run import OnProgress
from cachelint.text import escape_unsafe

Function = TypeVar("Function", bound=Callable[..., Any])


_HEADINGS = {
    "Rules": ("select", "ignore", "extend_select", "baseline", "write_baseline"),
    "Pages": ("diff_base", "files_from", "stdin_filename"),
    "Output": ("output_format", "output_file", "diff", "statistics", "quiet", "verbose",
               "progress", "color"),
    "Exit status": ("strict", "exit_zero", "exit_non_zero_on_fix"),
    "Configuration": ("config", "isolated", "show_settings"),
}
"""Under what the help lists an option; whatever is not here comes last."""


class _Command(click.Command):
    """A command whose options stand under headings, mostly on a line each."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = {parameter.name: row for parameter in self.get_params(ctx)
                if isinstance(parameter, click.Option)
                and (row := parameter.get_help_record(ctx)) is not None}
        width = max(len(option) for option, _ in rows.values())
        for heading, names in [*_HEADINGS.items(), ("Options", tuple(rows))]:
            chosen = [rows.pop(name) for name in names if name in rows]
            if chosen:
                with formatter.section(heading):
                    formatter.write_dl(
                        [(option.ljust(width), text) for option, text in chosen], width)


def _offer(name: str) -> Callable[[click.Context, click.Parameter, str], list[Any]]:
    """Make what offers words at the tab key; it is loaded when a shell asks."""
    def offer(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[Any]:
        from cachelint.cli import completion

        items: list[Any] = getattr(completion, name)(context, parameter, incomplete)
        return items

    return offer


class _Group(click.Group):
    """A group that suggests the nearest command."""

    command_class = _Command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        # what is being completed may be wrong still
        if (args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None
                and not ctx.resilient_parsing):
            near = selection.nearest(args[0], self.list_commands(ctx))
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
            selection.codes_of(name)
        except CachelintError as error:
            raise click.BadParameter(str(error)) from None
    return names


def _reports(_: click.Context, __: click.Parameter, values: tuple[str, ...]
             ) -> tuple[tuple[str, str], ...]:
    """Take ``FORMAT:PATH`` apart, and make sure before the work that each can be written."""
    reports: dict[str, tuple[str, str]] = {}
    for value in values:
        name, colon, path = value.partition(":")
        if not (colon and path):
            raise click.BadParameter(
                f"{value!r} is no FORMAT:PATH, such as sarif:cachelint.sarif")
        if name not in formats.FORMATS:
            near = selection.nearest(name, formats.FORMATS)
            raise click.BadParameter(f"there is no format {name!r}{near}")
        if path == "-":
            raise click.BadParameter("-: what goes to standard output is for --output-format")
        where = os.path.realpath(path)
        if where in reports:
            raise click.BadParameter(f"{path}: two reports cannot go to one file")
        reports[where] = (name, path)
        try:
            discovery.probe(path)
        except OSError as error:
            raise click.BadParameter(_unwritten(path, error)) from None
    return tuple(reports.values())


def _unwritten(path: str, error: OSError) -> str:
    return f"{path}: the report cannot be written: {error.strerror or error}"


def _paths_and_rules(function: Function) -> Function:
    """Add the arguments and options that `check` and `fix` share."""
    for decorate in reversed([
        click.argument("paths", nargs=-1, metavar="[PATH]...", shell_complete=_offer("paths")),
        click.option("--select", multiple=True, metavar="RULES", callback=_commas,
                     shell_complete=_offer("rules"),
                     help="Run these alone: codes, names or prefixes (CL3)."),
        click.option("--ignore", multiple=True, metavar="RULES", callback=_commas,
                     shell_complete=_offer("rules"), help="Leave these out."),
        click.option("--extend-select", multiple=True, metavar="RULES", callback=_commas,
                     shell_complete=_offer("rules"), help="Run these besides."),
        click.option("--output-format", type=click.Choice(formats.FORMATS), metavar="FORMAT",
                     help=f"{', '.join(formats.FORMATS)} [default: full; github in GitHub "
                          "Actions]."),
        click.option("--output-file", multiple=True, metavar="FORMAT:PATH", callback=_reports,
                     shell_complete=_offer("reports"),
                     help="Write a report to a file besides; repeatable."),
        click.option("--strict", is_flag=True, help="Let warnings fail the run."),
        click.option("--exit-zero", is_flag=True, help="Exit with 0 although errors are found."),
        click.option("--statistics", is_flag=True,
                     help="Count by rule; full and concise list none."),
        click.option("--quiet", "-q", is_flag=True, help="Findings only, no totals."),
        click.option("--verbose", "-v", is_flag=True, help="Say on standard error what is done."),
        click.option("--files-from", metavar="FILE|-", shell_complete=_offer("paths"),
                     help="Read paths, one a line or NUL-separated."),
        click.option("--stdin-filename", metavar="PATH", shell_complete=_offer("paths"),
                     help="What the page on standard input is called."),
        click.option("--config", metavar="FILE", shell_complete=_offer("paths"),
                     help="The file to read [default: the nearest upwards]."),
        click.option("--isolated", is_flag=True, help="Read no configuration file."),
        click.option("--show-settings", is_flag=True,
                     help="Print every setting and its origin, and end."),
        click.option("--diff-base", metavar="REV",
                     help="Only what differs from the merge base with REV; and CL8."),
        click.option("--baseline", metavar="FILE", shell_complete=_offer("paths"),
                     help="Leave out the findings that FILE knows."),
        click.option("--jobs", "-j", type=click.IntRange(min=1), metavar="N",
                     help="Processes [default: one a processor]."),
        click.option("--progress/--no-progress", default=None,
                     help="Progress on a terminal [default: not in CI]."),
        click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto",
                     metavar="WHEN", help="auto, always or never."),
    ]):
        function = decorate(function)
    return function


@cli.command()
@_paths_and_rules
@click.option("--write-baseline", metavar="FILE", shell_complete=_offer("paths"),
              help="Write all findings to FILE as known.")
def check(**options: Any) -> int:
    """Report what is wrong with pages and catalogs.

    PATH is a page, or a folder that is searched for catalogs; `-` is standard input.

    \b
    cachelint check                           every catalog below this folder
    cachelint check _cache/develop            one tag
    cachelint check --select CL3,duplicate-hash --output-format concise
    cachelint check --diff-base origin/main   what a pull request changes
    cachelint check --output-file sarif:cachelint.sarif
    """
    file, settings = _configuration(options)
    if options["show_settings"]:
        return _show_settings(file, settings, options)
    paths = _paths(options)
    if paths == ["-"]:
        path = options["stdin_filename"] or "<stdin>"
        raw = sys.stdin.buffer.read()
        context = tag_linter.context_at(path, settings)
        found = [] if tag_linter.is_excluded(path, settings) else check_page(
            raw, path, settings=settings, context=context)
        report = runner.report_on_page(found, path, settings, options["baseline"])
    elif options["write_baseline"] is not None:
        with _progress(options) as on_progress:
            report = runner.write_baseline(
                options["write_baseline"], paths, settings=settings, jobs=_jobs(options),
                diff_base=options["diff_base"], on_progress=on_progress)
        _say(f"{options['write_baseline']}: "
             f"{text.plural(report.suppressed, 'known finding')} written")
    else:
        with _progress(options) as on_progress:
            report = runner.check(
                paths, settings=settings, jobs=_jobs(options), diff_base=options["diff_base"],
                baseline=options["baseline"], on_progress=on_progress)
    if options["verbose"] and report.not_run:
        _say(f"not run, since they need whole tags: {', '.join(report.not_run)}")
    _print(report, options)
    if report.stale:
        first = report.stale[0]
        _say(f"{options['baseline']}: {text.plural(len(report.stale), 'entry')} of the "
             f"baseline no longer found, such as {first.rule} in {first.path}; "
             "--write-baseline prunes them")
    if not options["quiet"] and paths != ["-"]:
        pages = 1 if options["diff_base"] is not None else report.pages
        for sentence in unused.of_run(file, settings, report.unused, paths, pages):
            _say(f"warning: {sentence}")
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
    cachelint fix --diff-base origin/main     what a pull request changes
    cachelint fix _cache/develop              one tag
    cachelint fix - < specs.md > mended.md    one page, through a pipe
    """
    file, settings = _configuration(options)
    if options["show_settings"]:
        return _show_settings(file, settings, options)
    paths = _paths(options)
    name = _format(options)
    if options["diff"] and name not in formats.WITH_TOTALS:
        raise click.UsageError(f"--diff goes to standard output, and so would {name}: "
                               f"--output-file {name}:PATH writes it to a file")
    if paths == ["-"]:
        return _fix_stdin(settings, options)
    with _progress(options) as on_progress:
        done = runner.fix(paths, settings=settings, jobs=_jobs(options), write=not options["diff"],
                        diff_base=options["diff_base"], baseline=options["baseline"],
                        on_progress=on_progress)
    if options["diff"]:
        for path, before, after, _ in done.changed:
            sys.stdout.writelines(_diff(path, before, after))
    # findings go where a diff does not
    _print(done.report, options, stream=sys.stderr if options["diff"] else sys.stdout)
    for path, why in done.skipped:
        _say(f"left alone: {path}: {why}")
    if not options["quiet"] and (done.changed or options["verbose"]):
        verb = "would mend" if options["diff"] else "mended"
        _say(f"{verb} {text.plural(done.fixed, 'finding')} in "
             f"{text.plural(len(done.changed), 'file')}")
    if done.changed and (options["diff"] or options["exit_non_zero_on_fix"]):
        return 0 if options["exit_zero"] else 1
    return _status(done.report, options)


def _fix_stdin(settings: Settings, options: dict[str, Any]) -> int:
    """Mend the page on standard input, and write it to standard output."""
    raw = sys.stdin.buffer.read()
    path = options["stdin_filename"] or "<stdin>"
    from cachelint.fixer.page import PageFix, fix_page

    fixed = PageFix(raw, [], [], "") if tag_linter.is_excluded(path, settings) else fix_page(
        raw, path, settings=settings, context=tag_linter.context_at(path, settings))
    if options["diff"]:
        if fixed.content != raw:
            sys.stdout.writelines(_diff(path, raw, fixed.content))
    else:
        sys.stdout.buffer.write(fixed.content)
        sys.stdout.buffer.flush()
    report = runner.report_on_page(fixed.findings, path, settings, options["baseline"])
    _print(report, options, stream=sys.stderr)
    if fixed.reason:
        _say(f"left alone: {path}: {fixed.reason}")
    if fixed.content != raw and (options["diff"] or options["exit_non_zero_on_fix"]):
        return 0 if options["exit_zero"] else 1
    return _status(report, options)


@cli.command()
@click.argument("name", required=False, metavar="[CODE|NAME]", shell_complete=_offer("rule"))
@click.option("--output-format", type=click.Choice(["text", "json", "markdown"]), default="text",
              metavar="FORMAT", help="text, json or markdown [default: text].")
def rule(name: str | None, output_format: str) -> int:
    """Explain one rule, or list them all.

    \b
    cachelint rule                  all rules
    cachelint rule CL301            what it says, why, a bad and a good example
    """
    from cachelint.rules import explain

    chosen = list(rules.ALL_RULES)
    if name is not None:
        codes = selection.codes_of(name)
        chosen = [each for each in chosen if each.code in codes]
    if output_format == "json":
        import json

        click.echo(json.dumps([_rule_as_dict(each) for each in chosen], indent=2))
    elif name is None and output_format == "text":
        width = max(len(each.name) for each in chosen)
        for each in chosen:
            mark = "" if each.default else " (off by default)"
            click.echo(f"{each.code}  {each.name:<{width}}  {each.severity.value:<7}  "
                       f"{escape_unsafe(each.summary)}{mark}")
    elif output_format == "text":
        click.echo("\n\n".join(map(explain.text, chosen)))
    else:
        click.echo("\n\n".join(
            explain.page() if name is None else map(explain.markdown, chosen)))
    return 0


def _rule_as_dict(each: rules.Rule) -> dict[str, object]:
    return {
        "code": each.code, "name": each.name, "severity": each.severity.value,
        "summary": each.summary, "documentation": each.documentation,
        "fixable": each.fixability is not rules.Fix.NONE, "default": each.default,
        "since": each.since,
    }


@cli.command(name="schema")
@click.argument("name", required=False, shell_complete=_offer("schemas"))
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
        raise CachelintError(f"there is no schema {name!r}{selection.nearest(name, names)}")
    return 0


# ------------------------------------------------------------------------------- arguments


def _configuration(options: dict[str, Any]) -> tuple[config_file.File, Settings]:
    """Read the configuration; a baseline that it names becomes the option's value."""
    path = None
    if options["config"]:
        path = os.path.normpath(options["config"])
    elif not options["isolated"]:
        path = config_file.find()
    file = config_file.read(path) if path is not None else config_file.NO_FILE
    if options["verbose"]:
        _say(f"configuration: {path or 'none'}")
    if options["baseline"] is None and not options.get("write_baseline"):
        options["baseline"] = file.baseline()
    chosen = {key: options[key.replace("-", "_")] for key in ("select", "ignore", "extend-select")}
    return file, config_file.join_settings(file.data, chosen)


def _show_settings(file: config_file.File, settings: Settings, options: dict[str, Any]) -> int:
    from cachelint.config import show

    context = click.get_current_context()
    effective = {**options, "jobs": _jobs(options), "output_format": _format(options)}
    given = []
    for parameter in context.command.params:
        name = parameter.name or ""
        if not isinstance(parameter, click.Option) or name in ("help", "show_settings"):
            continue
        source = context.get_parameter_source(name)
        origin = {
            ParameterSource.COMMANDLINE: "command line",
            ParameterSource.ENVIRONMENT:
                f"environment variable {context.auto_envvar_prefix}_{name.upper()}",
        }.get(source or ParameterSource.DEFAULT, "")
        if name == "output_format" and effective[name] != "full" and not origin:
            origin = "environment variable GITHUB_ACTIONS"
        given.append(show.Option(
            f"--{name.replace('_', '-')}", effective[name], origin))
    sys.stdout.writelines(show.write(file, settings, given))
    return 0


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
        raise CachelintError(f"{name}: {discovery.reason(error)}") from None
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


def _progress(options: dict[str, Any]) -> AbstractContextManager[OnProgress | None]:
    """Show progress on standard error, if that is a terminal that can take a line back."""
    wanted = not os.environ.get("CI") if options["progress"] is None else options["progress"]
    if not wanted or not sys.stderr.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        return nullcontext()
    from cachelint.cli import progress

    # what a baseline knows is told from what is new only at the end
    return progress.shown(sys.stderr, with_findings=not options["baseline"])


def _print(report: Report, options: dict[str, Any], stream: Any = None) -> None:
    # before anything is printed: whoever reads that may have seen enough
    for name, path in options["output_file"]:
        try:
            discovery.write_text(path, formats.reporter(name)(report, False))
        except OSError as error:
            raise CachelintError(_unwritten(path, error)) from None
    stream = stream or sys.stdout
    name = _format(options)
    for_people = name in ("full", "concise")
    if options["statistics"]:
        counts = _statistics(report)
        (stream if for_people else sys.stderr).writelines(
            _without_last(counts) if options["quiet"] else counts)
        if for_people:
            return
    write = formats.reporter(name)
    if name == "full" and stream.isatty():
        from cachelint.output import full

        write = partial(full.write, width=formats.terminal_width(stream))
    pieces = write(report, _colour(options["color"], stream))
    stream.writelines(_without_last(pieces) if options["quiet"] and name in formats.WITH_TOTALS
                      else pieces)
    for note in report.notes:
        _say(f"note: {note}")
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if name == "github" and summary:
        from cachelint.output import summary as job_summary

        try:
            with open(summary, "a", encoding="utf-8", errors="backslashreplace") as file:  # noqa: PTH123
                file.writelines(job_summary.write(report))
        except (OSError, ValueError) as error:
            _say(f"warning: the job summary cannot be written: {summary}: "
                 f"{getattr(error, 'strerror', None) or error}")
    if options["verbose"]:
        _say(f"{text.plural(report.pages, 'page')} in {report.seconds:.1f} seconds")


def _format(options: dict[str, Any]) -> str:
    name: str | None = options["output_format"]
    return name or ("github" if os.environ.get("GITHUB_ACTIONS") == "true" else "full")


def _without_last(pieces: Iterator[str]) -> Iterator[str]:
    last = next(pieces)
    for piece in pieces:
        yield last
        last = piece


def _statistics(report: Report) -> Iterator[str]:
    counts: dict[str, int] = {}
    for finding in report.findings:
        counts[finding.code] = counts.get(finding.code, 0) + 1
    width = max((len(f"{count:,}") for count in counts.values()), default=1)
    for code, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        each = rules.BY_CODE[code]
        yield f"{count:>{width},}  {code}  {each.name}\n"
    yield formats.totals(report) + "\n"


def _colour(when: str, stream: Any) -> bool:
    if when != "auto":
        return when == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (
        stream.isatty() and os.environ.get("TERM") != "dumb")


def _diff(path: str, before: bytes, after: bytes) -> Iterator[str]:
    """Yield a unified diff without context, so that each of its lines begins with a sign."""
    old, new = (_lines(content) for content in (before, after))
    import difflib

    name = discovery.path_in_checkout(path)
    was, is_now = (_quoted(f"{side}/{name}") for side in "ab")
    for line in difflib.unified_diff(old, new, was if before else "/dev/null", is_now, n=0):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _quoted(name: str) -> str:
    """Write a name as git does in a diff: in quotes with escapes where it is not plain."""
    if name == escape_unsafe(name) and not any(sign in name for sign in '"\\'):
        # a tab ends a name that has a space in it
        return f"{name}\t" if " " in name else name
    escapes = {34: '\\"', 92: "\\\\", 9: "\\t", 10: "\\n", 13: "\\r"}
    return '"' + "".join(
        escapes.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}")
        for byte in os.fsencode(name)) + '"'


def _lines(content: bytes) -> list[str]:
    """Return the lines of a file, fit to be shown, each with its line feed where it has one."""
    *lines, last = content.decode("utf-8", "surrogateescape").split("\n")
    return [f"{escape_unsafe(line)}\n" for line in lines] + [escape_unsafe(last)] * (last != "")


def _say(text: str) -> None:
    with contextlib.suppress(OSError):
        sys.stdout.flush()  # so that lines are in order where both go to one file
    sys.stderr.write(f"{escape_unsafe(text)}\n")


def _status(report: Report, options: dict[str, Any]) -> int:
    if report.failed:
        return 2
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
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # under nohup, it is not
            signal.signal(number, _terminate)
    if "_CACHELINT_COMPLETE" in os.environ:
        import_module("cachelint.cli.completion")  # which knows the shells
    sys.exit(_run())


def program() -> NoReturn:
    """Be the program: run as `main` does, and end at once.

    To take apart what was remembered, object by object, would take a tenth of the time of a run
    over one page.
    """
    status: str | int | None = 0
    try:
        main()
    except SystemExit as end:
        status = end.code
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(status if isinstance(status, int) else 0)


def _terminate(number: int, _: object) -> NoReturn:
    """End as an interrupt does: with nothing half written, and no process left."""
    sys.exit(128 + number)


_OUTPUT_FAULTS = {errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EFBIG}


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
        if isinstance(error, OSError) and error.errno in _OUTPUT_FAULTS and not error.filename:
            with contextlib.suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            _say(f"cachelint: the output cannot be written: {error.strerror}")
            return 2
        if os.environ.get("CACHELINT_TRACEBACK"):
            raise
        _say(f"cachelint: a fault of the program, not of a page: {type(error).__name__}: {error} "
             "(please report it, with what CACHELINT_TRACEBACK=1 shows)")
        return 2
    return status if isinstance(status, int) else 0
