"""The program: its commands, and how a run ends."""

from __future__ import annotations

import contextlib
import errno
import inspect
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import click
from click.core import ParameterSource

from cachelint import __version__, rules
from cachelint.cli import printing
from cachelint.cli.options import (
    Command,
    Group,
    Option,
    Options,
    find_unknown_variables,
    parameters_of,
    read_paths,
    read_stdin,
)
from cachelint.cli.printing import (
    exit_status,
    format_of,
    print_message,
    print_report,
    show_progress,
)
from cachelint.config import file as config_file
from cachelint.document import schema as schemas
from cachelint.files import read_write
from cachelint.linter import tag as tag_linter
from cachelint.linter.findings import isolate
from cachelint.linter.page import check_page
from cachelint.model import CachelintError, Finding, Report
from cachelint.output.formats import FORMATS
from cachelint.rules import selection
from cachelint.rules.base import url_of
from cachelint.rules.selection import Settings
from cachelint.runner import run as runner
from cachelint.runner import workers
from cachelint.runner.gate import Choice, Gate, open_gate
from cachelint.text import escape_unsafe, plural

if TYPE_CHECKING:
    from cachelint.runner.verify import IndexOptions


@click.group(cls=Group, context_settings={
    "help_option_names": ["-h", "--help"], "auto_envvar_prefix": "CACHELINT"})
@click.version_option(__version__, prog_name="cachelint", message="%(prog)s %(version)s")
def cli() -> None:
    """Check and fix the pages of a Spack build-cache catalog.

    \b
    cachelint check                 every catalog below this folder
    cachelint fix --diff            what fix would change
    cachelint init                  write a configuration, hooks and a workflow
    cachelint rule CL301            what a rule checks, and why
    """


def _command(function: Callable[[Options], int]) -> Callable[[Options], int]:
    """Make a command of a function, with the parameters that the table of options gives it."""
    name = function.__name__

    def call(**values: Any) -> int:
        return function(Options(**values))

    cli.add_command(Command(name, params=parameters_of(name), callback=call,
                            help=inspect.cleandoc(function.__doc__ or "")))
    return function


@_command
def check(options: Options) -> int:
    """Report errors in pages and catalogs.

    PATH is a page, or a folder that is searched for catalogs; `-` is standard input.

    \b
    cachelint check                           every catalog below this folder
    cachelint check _cache/develop            one tag
    cachelint check --select CL3,duplicate-hash --output-format concise
    cachelint check --diff-base origin/main   what a pull request changes
    """
    paths = read_paths(options)
    if options.staged:
        from cachelint.files.compare import find_staged_base

        if options.diff_base is not None or options.write_baseline is not None or paths == ["-"]:
            raise click.UsageError("--staged does not work with --diff-base, --write-baseline and "
                                   "a page from standard input")
        options.diff_base = find_staged_base()
        if options.diff_base is None:
            return 0  # the commit changes no catalog
    gate, settings = _read_configuration(options, paths)
    if options.show_settings:
        return _show_settings(gate.file, settings, options)
    report = _check(paths, settings, options, gate)
    if printing.has_suggestions(options) and paths != ["-"]:
        from cachelint.runner.suggest import suggest  # which only a review needs

        report = suggest(report, settings)
    if options.verbose and report.not_run:
        print_message(f"not run, because they need whole tags: {', '.join(report.not_run)}")
    print_report(report, options)
    _print_stale(report, options)
    if not options.quiet and paths != ["-"] and (gate.file.data or settings != Settings()):
        from cachelint.config import unused

        for sentence in unused.find_unused(gate.file, settings, report, paths):
            print_message(f"warning: {sentence}")
    return exit_status(report, options)


def _print_stale(report: Report, options: Options) -> None:
    if report.stale:
        first = report.stale[0]
        print_message(
            f"{options.baseline}: {plural(len(report.stale), 'entry')} of the baseline no longer "
            f"found, such as {first.rule} in {first.path}; --write-baseline removes them")


def _check(paths: list[str], settings: Settings, options: Options, gate: Gate) -> Report:
    if paths == ["-"]:
        path = options.stdin_filename or "<stdin>"
        raw = read_stdin()
        found: list[Finding] = []
        with isolate(path, found):
            if not tag_linter.is_excluded(path, settings):
                context = tag_linter.context_at(path, settings)
                found += check_page(raw, path, settings=settings, context=context)
        return runner.report_on_page(found, path, settings, options.baseline)
    with show_progress(options) as on_progress:
        if options.write_baseline is None:
            return runner.check(
                paths, settings=settings, jobs=_jobs(options), diff_base=options.diff_base,
                baseline=options.baseline, on_progress=on_progress, gate=gate,
                staged=options.staged)
        report = runner.write_baseline(
            options.write_baseline, paths, settings=settings, jobs=_jobs(options),
            diff_base=options.diff_base, on_progress=on_progress, gate=gate)
    print_message(f"{options.write_baseline}: wrote {plural(report.suppressed, 'finding')}")
    return report


@_command
def fix(options: Options) -> int:
    """Regenerate summaries, and write pages in canonical form.

    No spec changes. What cannot be fixed safely is skipped, with a reason.

    \b
    cachelint fix --diff                      what would change
    cachelint fix --diff-base origin/main     what a pull request changes
    cachelint fix - < specs.md > fixed.md     one page, through a pipe
    """
    paths = read_paths(options)
    gate, settings = _read_configuration(options, paths)
    if options.show_settings:
        return _show_settings(gate.file, settings, options)
    name = format_of(options).name
    if options.diff and not FORMATS[name].ends_with_totals:
        raise click.UsageError(f"--diff and --output-format {name} both need standard output: "
                               f"use --output-file {name}:PATH")
    if paths == ["-"]:
        return _fix_stdin(settings, options)
    with show_progress(options) as on_progress:
        done = runner.fix(
            paths, settings=settings, jobs=_jobs(options), write=not options.diff,
            diff_base=options.diff_base, baseline=options.baseline, on_progress=on_progress,
            gate=gate)
    if options.diff:
        printing.print_diff(change[:3] for change in done.changed)
    printing.print_fixes(done.report, options)
    # findings go where a diff does not
    print_report(done.report, options, stream=sys.stderr if options.diff else sys.stdout)
    if not options.fixes_only:  # the reasons are findings that are left
        for path, reason in done.skipped:
            print_message(f"skipped {path}: {reason}")
    printing.print_fix_totals(done.report, options)
    return _status_of_fix(bool(done.changed), done.report, options)


def _fix_stdin(settings: Settings, options: Options) -> int:
    """Fix the page on standard input, and write it to standard output."""
    from cachelint.fixer.page import PageFix, fix_page

    raw = read_stdin()
    path = options.stdin_filename or "<stdin>"
    fixed = PageFix(raw, [], [], "")
    with isolate(path, fixed.findings):
        if not tag_linter.is_excluded(path, settings):
            context = tag_linter.context_at(path, settings)
            fixed = fix_page(raw, path, settings=settings, context=context)
    if not options.diff:
        sys.stdout.buffer.write(fixed.content)
    elif fixed.content != raw:
        printing.print_diff([(path, raw, fixed.content)])
    report = runner.report_on_page(fixed.findings, path, settings, options.baseline)
    print_report(report, options, stream=sys.stderr)
    if fixed.reason:
        print_message(f"skipped {path}: {fixed.reason}")
    return _status_of_fix(fixed.content != raw, report, options)


def _status_of_fix(has_changes: bool, report: Report, options: Options) -> int:
    if has_changes and not report.failed and (options.diff or options.exit_non_zero_on_fix):
        return 0 if options.exit_zero else 1
    return exit_status(report, options)


@_command
def diff(options: Options) -> int:
    """Show what changed in the content of pages: packages, specs, versions.

    One argument is a git revision (REV, default: HEAD): the work tree is compared with the merge
    base of REV and HEAD. Two arguments are folders (OLD and NEW), each a catalog or around one.

    \b
    cachelint diff origin/main                  what a pull request changes
    cachelint diff origin/main --tag develop    in detail, for one tag
    cachelint diff old-site new-site            two folders
    """
    from cachelint.runner import diff as differ

    if len(options.sides) > 2:
        raise click.UsageError("expected a revision, or two folders")
    sides = options.sides or ("HEAD",)
    is_revision = len(sides) == 1
    if options.config_from_base and not is_revision:
        raise click.UsageError("--config-from-base needs a revision")
    options.diff_base = sides[0] if is_revision else None
    try:
        gate, settings = _read_configuration(
            options, ["."] if is_revision else [sides[1]], needs_baseline=False)
        notes = tuple(f"{each.path}: {each.message}" for each in gate.findings)
        with show_progress(options, with_findings=False) as on_progress:
            report = differ.diff(
                sides, settings=settings, tags=options.tag, packages=options.package,
                jobs=_jobs(options), on_progress=on_progress, notes=notes)
    except CachelintError as error:
        hint = "; OLD and NEW are two folders" if is_revision and os.path.isdir(sides[0]) else ""
        raise CachelintError(str(error).removeprefix("--diff-base: ") + hint) from None
    printing.print_comparison(report, options)
    return 2 if report.failed else 0


@_command
def verify(options: Options) -> int:
    """Compare pages with the index of Spack's build cache.

    PATH is a page, the folder of a tag, or a folder that is searched for catalogs. The index of a
    mirror is about one tag; a list of tags has the indexes of many.

    \b
    cachelint verify --index /data/mirror --tag develop
    cachelint verify _cache/develop --index https://example.org/mirror
    cachelint verify --index tags.json --mirror s3://bucket=/data/mirror
    """
    from cachelint.runner import verify as verifier

    paths = read_paths(options)
    gate, settings = _read_configuration(options, paths)
    if options.show_settings:
        return _show_settings(gate.file, settings, options)
    with show_progress(options) as on_progress:
        report = verifier.verify(
            paths, _index_options(options), settings=settings, jobs=_jobs(options),
            diff_base=options.diff_base, baseline=options.baseline,
            write_baseline=options.write_baseline, on_progress=on_progress, gate=gate)
    print_report(report, options)
    _print_stale(report, options)
    return exit_status(report, options)


def _index_options(options: Options) -> IndexOptions:
    from cachelint.runner.verify import IndexOptions

    return IndexOptions(options.index, options.tag, options.stack, options.view, options.mirror)


@_command
def render(options: Options) -> int:
    """Write the pages that an index implies, and what the catalog has of the tag.

    All is computed and checked first; where an index is damaged, nothing is written. A second run
    changes nothing.

    \b
    cachelint render --index /data/mirror --tag develop --out site
    cachelint render --index /data/mirror --tag develop --out site --dry-run
    """
    from cachelint.runner import render as renderer

    _, settings = _read_configuration(options, [options.out])
    report = renderer.render(
        options.out, _index_options(options), settings=settings, write=not options.dry_run,
        prune=options.prune, force=options.force)
    for note in report.notes:
        print_message(f"warning: {note}")
    if not options.quiet:
        printing.print_changes(report, options)
    if not report.is_blocked:
        return 0
    print_message(f"tag {report.tag} is frozen, and its pages would change: --force writes them")
    return 0 if options.dry_run else 2


@_command
def init(options: Options) -> int:
    """Write a configuration, pre-commit hooks and a GitHub workflow.

    They are for the catalogs at PATH, and written at the top of their git repository. A file that
    exists is kept, and what to add to it is shown.

    \b
    cachelint init --diff           what would be written
    cachelint init                  write it
    """
    from cachelint.cli import init as initializer

    plan = initializer.make_plan(options.path or ".")
    for note in plan.notes:
        print_message(f"note: {note}")
    lines = [*initializer.describe_kept(plan)]
    if options.diff:
        printing.print_diff((path, b"", text.encode()) for path, text in plan.new.items())
        for line in lines:
            print_message(line)
        return 0
    for line in initializer.write(plan):
        click.echo(escape_unsafe(line))
    lines += initializer.describe_next(plan) if plan.new else ()
    click.echo("\n".join(map(escape_unsafe, lines)))
    return 0


@_command
def rule(options: Options) -> int:
    """Explain one rule, or list all rules.

    \b
    cachelint rule                  all rules
    cachelint rule CL301            what it checks, why, and examples
    """
    from cachelint.rules import explain

    chosen = list(rules.ALL_RULES)
    if options.name is not None:
        codes = selection.codes_of(options.name)
        chosen = [each for each in chosen if each.code in codes]
    if options.output_format == "json":
        import json

        click.echo(json.dumps([_rule_as_dict(each) for each in chosen], indent=2))
    elif options.name is None and options.output_format == "text":
        width = max(len(each.name) for each in chosen)
        for each in chosen:
            mark = "" if each.default else " (off by default)"
            click.echo(f"{each.code}  {each.name:<{width}}  {each.severity.value:<7}  "
                       f"{escape_unsafe(each.summary)}{mark}")
    elif options.output_format == "text":
        click.echo("\n\n".join(map(explain.text, chosen)))
    else:
        printing.write_utf8(sys.stdout)
        click.echo("\n\n".join(
            explain.page() if options.name is None else map(explain.markdown, chosen)))
    return 0


def _rule_as_dict(each: rules.Rule) -> dict[str, object]:
    return {
        "code": each.code, "name": each.name, "severity": each.severity.value,
        "summary": each.summary, "documentation": each.documentation,
        "url": url_of(each.code),
        "fixable": each.fixability is not rules.Fix.NONE, "default": each.default,
        "since": each.since,
    }


@_command
def schema(options: Options) -> int:
    """Print a JSON Schema, or list their names.

    \b
    cachelint schema                    the names
    cachelint schema page-current       the schema of today's pages
    cachelint schema front-matter       one of all pages, for editors
    """
    names = (*schemas.NAMES, schemas.FOR_EDITORS)
    if options.name is None:
        click.echo("\n".join(names))
    elif options.name in names:
        printing.write_utf8(sys.stdout)
        click.echo(schemas.text(options.name), nl=False)
    else:
        near = selection.nearest(options.name, names)
        raise CachelintError(f"unknown schema {options.name!r}{near}")
    return 0


# ------------------------------------------------------------------------------- configuration


def _read_configuration(
    options: Options, paths: list[str], *, needs_baseline: bool = True
) -> tuple[Gate, Settings]:
    """Read the configuration of a run; its baseline becomes the option's value."""
    choice = Choice(options.config and os.path.normpath(options.config), options.isolated,
                    options.baseline, needs_baseline and options.write_baseline is None)
    if options.config_from_base and options.diff_base is None:
        raise click.UsageError("--config-from-base needs --diff-base")
    if options.config and options.isolated:
        raise click.UsageError("--config and --isolated cannot be combined")
    sought = [options.stdin_filename or "."] if paths == ["-"] else paths
    gate = open_gate(choice, partial(runner.find_catalogs, sought), options.diff_base,
                     from_base=options.config_from_base)
    if options.verbose:
        print_message(f"configuration: {gate.file.path or 'none'}")
    if not options.quiet:
        for note in (*find_unknown_variables(click.get_current_context()), *gate.notes):
            print_message(f"warning: {note}")
    options.baseline = gate.baseline
    chosen = {"select": options.select, "ignore": options.ignore,
              "extend-select": options.extend_select}
    return gate, config_file.join_settings(gate.file.data, chosen)


def _show_settings(file: config_file.File, settings: Settings, options: Options) -> int:
    from cachelint.config import show

    context = click.get_current_context()
    options.jobs = _jobs(options)
    options.output_format = format_of(options).name
    given = []
    for row in context.command.params:
        if not isinstance(row, Option) or row.name == "show_settings":
            continue
        name = row.name or ""
        origin = {
            ParameterSource.COMMANDLINE: "command line",
            ParameterSource.ENVIRONMENT:
                f"environment variable {context.auto_envvar_prefix}_{name.upper()}",
        }.get(context.get_parameter_source(name) or ParameterSource.DEFAULT, "")
        if name == "output_format" and options.output_format != "full" and not origin:
            origin = "environment variable GITHUB_ACTIONS"
        given.append(show.GivenOption(row.opts[0], getattr(options, name), origin))
    sys.stdout.writelines(show.write(file, settings, given))
    return 0


def _jobs(options: Options) -> int:
    return options.jobs or workers.processors()


# ------------------------------------------------------------------------------- the program


def main() -> NoReturn:
    """Run the program, and exit with its status."""
    _open_closed_streams()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # nohup ignores it
            signal.signal(number, _terminate)
    sys.exit(_run())


def _open_closed_streams() -> None:
    """Make sure that there is an output; a closed standard error loses its messages."""
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    if sys.stdout is None:
        sys.stderr.write("cachelint: standard output is closed\n")
        sys.exit(2)
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def program() -> NoReturn:
    """Run as `main` does, and end the process at once.

    Freeing the objects of a run one by one would take a tenth of the time of a run over one page.
    """
    status: str | int | None = 0
    try:
        main()
    except SystemExit as end:
        status = end.code
    read_write.remove_pending()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(status if isinstance(status, int) else 0)


def _terminate(number: int, _: object) -> NoReturn:
    """End as an interrupt does: no file half written, no worker process left."""
    sys.exit(128 + number)


_OUTPUT_FAULTS = {errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EFBIG}


def _run() -> int:
    """Run a command, and turn whatever ends it into an exit status."""
    try:
        status = _invoke()
        sys.stdout.flush()
    except (click.exceptions.Abort, KeyboardInterrupt):
        if sys.stderr.isatty():
            sys.stderr.write("\n")  # after the terminal's ^C
        return _fail("interrupted", 130)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return 2
    except click.ClickException as error:
        return _fail(error.format_message())
    except CachelintError as error:
        return _fail(str(error))
    except BrokenPipeError:
        _discard_output()
        return 141
    except Exception as error:
        return _report_fault(error)
    return status


def _fail(message: str, status: int = 2) -> int:
    """Print why the run ends, after what was printed on standard output, and return its status."""
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    with contextlib.suppress(OSError):  # a standard error that is full, too
        sys.stderr.write(f"cachelint: {escape_unsafe(message)}\n")
    return status


def _invoke() -> int:
    """Let click parse the arguments and call the command."""
    if instruction := os.environ.get("_CACHELINT_COMPLETE"):
        from cachelint.cli import completion

        return completion.complete(cli, instruction)
    try:
        # not `cli.main`, which would end with 1 where the reader closed the output
        with cli.make_context("cachelint", sys.argv[1:]) as context:
            status = cli.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    return status if isinstance(status, int) else 0


def _discard_output() -> None:
    """Drop what is still buffered for standard output."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _report_fault(error: Exception) -> int:
    if isinstance(error, OSError) and error.errno in _OUTPUT_FAULTS and not error.filename:
        _discard_output()
        return _fail(f"cannot write the output: {error.strerror}")
    if isinstance(error, FileNotFoundError) and not error.filename:
        return _fail("the working directory does not exist: change to another one")
    if os.environ.get("CACHELINT_TRACEBACK"):
        raise error
    return _fail(f"internal error: {type(error).__name__}: {error} "
                 "(please report it, with the output of CACHELINT_TRACEBACK=1)")
