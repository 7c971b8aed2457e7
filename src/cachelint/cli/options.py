"""The table of options: commands, help, completion, settings, man page and docs derive from it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, BinaryIO

import click

from cachelint.files import read_write
from cachelint.files.paths import is_catalog_file
from cachelint.model import CachelintError
from cachelint.output.formats import FORMATS
from cachelint.rules import selection


class Options:
    """The values of a command's arguments and options; a command without an option has its default.

    Names and types are those of the table below.
    """

    paths: tuple[str, ...] = ()
    sides: tuple[str, ...] = ()
    path: str | None = None
    name: str | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    output_format: str | None = None
    output_file: tuple[tuple[str, str], ...] = ()
    """Formats and paths."""
    strict: bool = False
    exit_zero: bool = False
    exit_non_zero_on_fix: bool = False
    statistics: bool = False
    quiet: bool = False
    verbose: bool = False
    diff: bool = False
    fixes_only: bool = False
    files_from: str | None = None
    stdin_filename: str | None = None
    config: str | None = None
    isolated: bool = False
    show_settings: bool = False
    diff_base: str | None = None
    staged: bool = False
    config_from_base: bool = False
    baseline: str | None = None
    write_baseline: str | None = None
    jobs: int | None = None
    progress: bool | None = None
    color: str = "auto"
    index: str = ""
    tag: Any = None
    """A tag; of `diff` a tuple of tags."""
    package: tuple[str, ...] = ()
    stack: Mapping[str, str] = {}
    view: str | None = None
    mirror: Mapping[str, str] = {}
    out: str = ""
    dry_run: bool = False
    prune: bool = False
    force: bool = False

    def __init__(self, **values: Any) -> None:
        """Take values by name, as click passes them."""
        vars(self).update(values)


# ------------------------------------------------------------------------------- kinds of values

def _complete(name: str) -> Callable[[click.Context, click.Parameter, str], list[Any]]:
    """Return a completer of `completion`, which is imported only when a shell calls it."""
    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[Any]:
        from cachelint.cli import completion

        items: list[Any] = getattr(completion, name)(context, parameter, incomplete)
        return items

    return complete


def _parse_rules(
    _: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    """Split at commas, and reject what names no rule."""
    names = tuple(name.strip() for value in values for name in value.split(",") if name.strip())
    if values and not names and parameter.name == "select":
        raise click.BadParameter("no rule is named: give codes, names or prefixes such as CL3")
    for name in names:
        try:
            selection.codes_of(name)
        except CachelintError as error:
            raise click.BadParameter(str(error)) from None
    return names


_TEXT_FORMATS = {"text": "for people", "json": "for programs", "markdown": "for a job summary"}


def report_formats(context: click.Context) -> dict[str, str]:
    """Return the formats of a command's reports, each with what it is for."""
    if context.command.name == "diff":
        return _TEXT_FORMATS
    return {row.name: row.use for row in FORMATS.values()}


def _parse_reports(
    context: click.Context, _: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    """Split ``FORMAT:PATH``, and make sure before the run that each file can be written."""
    reports: dict[str, tuple[str, str]] = {}
    known = report_formats(context)
    example = "sarif:cachelint.sarif" if "sarif" in known else "json:diff.json"
    for value in values:
        name, _colon, path = value.partition(":")
        if not path:
            raise click.BadParameter(
                f"invalid report {value!r}: expected FORMAT:PATH, such as {example}")
        if name not in known:
            near = selection.nearest(name, known)
            raise click.BadParameter(f"unknown format {name!r}{near}")
        if path == "-":
            raise click.BadParameter("-: use --output-format for standard output")
        target = os.path.realpath(path)
        if target in reports:
            raise click.BadParameter(f"{path}: two reports cannot be written to one file")
        reports[target] = (name, path)
        try:
            read_write.probe(path)
        except OSError as error:
            raise click.BadParameter(describe_unwritable(path, error)) from None
    return tuple(reports.values())


def _parse_pairs(
    _: click.Context, __: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    """Split ``NAME=SOURCE``, and reject a name that is given twice."""
    pairs: dict[str, str] = {}
    for value in values:
        name, _sign, source = value.partition("=")
        if not (name and source):
            raise click.BadParameter(f"invalid value {value!r}: expected a name, = and a source")
        if name in pairs:
            raise click.BadParameter(f"{name} is given twice")
        pairs[name] = source
    return pairs


def describe_unwritable(path: str, error: OSError) -> str:
    """Return the message for a report that cannot be written."""
    return f"{path}: cannot write the report: {error.strerror or error}"


# ------------------------------------------------------------------------------- the table


_LAST = "Configuration"


class Option(click.Option):
    """A row of the table: an option, its help, and where it is shown."""

    def __init__(
        self,
        *flags: str,
        help: str,
        commands: str = "check fix verify",
        section: str = _LAST,
        complete: str = "",
        **attributes: Any,
    ) -> None:
        """Make a row.

        Args:
            flags: As they are written, such as ``--quiet`` and ``-q``.
            help: What the option does.
            commands: Names of the commands that have it.
            section: Heading under which help lists it.
            complete: The function of `completion` that offers values to a shell.
            attributes: What click takes: ``is_flag``, ``metavar``, ``type``, ``default``.
        """
        super().__init__(list(flags), help=help,
                         shell_complete=_complete(complete) if complete else None, **attributes)
        self.commands = commands.split()
        self.section = section

    def get_help_record(self, ctx: click.Context) -> tuple[str, str]:
        """Return the flags and the help of the table, to which click would add the range."""
        flags, _ = super().get_help_record(ctx) or ("", "")
        return flags, self.help or ""


_RuleOption = partial(Option, multiple=True, metavar="RULES", callback=_parse_rules,
                      complete="rules", section="Rules")
_FileOption = partial(Option, metavar="FILE", complete="paths")
_PairOption = partial(Option, commands="verify render", section="Index", multiple=True,
                      callback=_parse_pairs)

OPTIONS = (
    Option("--index", commands="verify render", section="Index", metavar="SOURCE", required=True,
           complete="paths", help="Mirror, index, manifest or list of tags: a path or a URL"),
    Option("--tag", commands="verify", section="Index", metavar="TAG",
           help="Only verify this tag"),
    Option("--tag", commands="render", section="Index", metavar="TAG", required=True,
           help="The tag to render"),
    Option("--tag", commands="diff", section="Details", multiple=True, metavar="TAG",
           help="Compare only this tag, in detail; repeatable"),
    Option("--package", commands="diff", section="Details", multiple=True, metavar="PACKAGE",
           help="Compare only this package, in detail; repeatable"),
    _PairOption("--stack", metavar="NAME=SOURCE", help="Index of one more stack; repeatable"),
    Option("--view", commands="verify render", section="Index", metavar="VIEW",
           help="View of the mirror"),
    _PairOption("--mirror", metavar="PREFIX=SOURCE",
                help="Where to read URLs of a list of tags that begin with PREFIX; repeatable"),
    Option("--out", commands="render", section="Output", metavar="DIR", required=True,
           complete="paths", help="Folder of the catalog; it need not exist"),
    Option("--dry-run", commands="render", section="Output", is_flag=True,
           help="List what would change, and write nothing"),
    Option("--prune", commands="render", section="Output", is_flag=True,
           help="Remove pages of packages that are gone"),
    Option("--force", commands="render", section="Output", is_flag=True,
           help="Change pages of a frozen tag, too"),
    _RuleOption("--select", help="Only run these rules (codes, names or prefixes such as CL3)"),
    _RuleOption("--ignore", help="Skip these rules"),
    _RuleOption("--extend-select", help="Also run these rules"),
    _FileOption("--baseline", section="Rules", help="Suppress the findings that FILE contains"),
    _FileOption("--write-baseline", commands="check verify", section="Rules",
                help="Write all findings to FILE, as a baseline"),
    Option("--diff-base", commands="verify", section="Pages", metavar="REV",
           help="Compare only pages that changed since the merge base with REV"),
    Option("--diff-base", commands="check fix", section="Pages", metavar="REV",
           help="Check only what changed since the merge base with REV; enables CL8xx"),
    Option("--staged", commands="check", section="Pages", is_flag=True,
           help="Check only what a commit changes, for hooks; like --diff-base HEAD"),
    Option("--files-from", section="Pages", metavar="FILE|-", complete="paths",
           help="Read paths from FILE, one per line or NUL-separated"),
    Option("--stdin-filename", commands="check fix", section="Pages", metavar="PATH",
           complete="paths", help="Path to assume for the page read from stdin"),
    Option("--output-format", section="Output", type=click.Choice(list(FORMATS)), metavar="FORMAT",
           help=f"{', '.join(FORMATS)} [default: full, or github]"),
    Option("--output-format", commands="rule diff", section="Output",
           type=click.Choice(list(_TEXT_FORMATS)),
           default="text", metavar="FORMAT", help="text, json or markdown [default: text]"),
    Option("--output-file", commands="check fix verify diff", section="Output", multiple=True,
           metavar="FORMAT:PATH", callback=_parse_reports, complete="reports",
           help="Also write a report to a file; repeatable"),
    Option("--diff", commands="fix init", section="Output", is_flag=True,
           help="Show what would change, and write nothing"),
    Option("--fixes-only", commands="fix", section="Output", is_flag=True,
           help="Print what was fixed, and only count what is left"),
    Option("--statistics", section="Output", is_flag=True,
           help="Show counts per rule instead of findings"),
    Option("--quiet", "-q", section="Output", is_flag=True, help="Print findings only, no totals"),
    Option("--quiet", "-q", commands="render", section="Output", is_flag=True,
           help="Print nothing but errors"),
    Option("--verbose", "-v", section="Output", is_flag=True,
           help="Print what is done to standard error"),
    Option("--progress/--no-progress", commands="check fix verify diff", section="Output",
           default=None, help="Show progress on a terminal [default: not in CI]"),
    Option("--color", section="Output", type=click.Choice(["auto", "always", "never"]),
           default="auto", metavar="WHEN", help="auto, always or never [default: auto]"),
    Option("--strict", section="Exit status", is_flag=True, help="Treat warnings as errors"),
    Option("--exit-zero", section="Exit status", is_flag=True,
           help="Exit with 0 even if errors are found"),
    Option("--exit-non-zero-on-fix", commands="fix", section="Exit status", is_flag=True,
           help="Exit with 1 if a file was changed"),
    _FileOption("--config", commands="check fix verify render diff",
                help="Configuration file [default: the nearest one]"),
    Option("--config-from-base", is_flag=True,
           help="With --diff-base: read it at the merge base"),
    Option("--config-from-base", commands="diff", is_flag=True,
           help="With a revision: read it at the merge base"),
    Option("--isolated", commands="check fix verify render diff", is_flag=True,
           help="Ignore all configuration files"),
    Option("--show-settings", is_flag=True,
           help="Print settings and their sources, then exit"),
    Option("--jobs", "-j", commands="check fix verify diff", type=click.IntRange(min=1),
           metavar="N", help="Worker processes [default: one per processor]"),
)

ARGUMENTS = {
    "check": {"paths": "paths"}, "fix": {"paths": "paths"}, "verify": {"paths": "paths"},
    "render": {}, "init": {"path": "paths"}, "diff": {"sides": "sides"},
    "rule": {"name": "rule"}, "schema": {"name": "schemas"},
}
"""The arguments of each command, with the function of `completion` that offers values."""
_METAVARS = {"paths": "[PATH]", "sides": "[REV | OLD NEW]", "rule": "[CODE|NAME]",
             "schemas": "[NAME]"}


def parameters_of(command: str) -> list[click.Parameter]:
    """Return the arguments and options of a command."""
    arguments = [
        click.Argument([name], nargs=-1 if name in ("paths", "sides") else 1, required=False,
                       metavar=_METAVARS[complete] + "..." * (name == "paths"),
                       shell_complete=_complete(complete))
        for name, complete in ARGUMENTS[command].items()
    ]
    return [*arguments, *(option for option in OPTIONS if command in option.commands)]


def find_unknown_variables(context: click.Context) -> Iterator[str]:
    """Yield a sentence for each environment variable that looks like an option and is not one."""
    known = {(each.name or "").upper() for each in context.command.params}
    prefix = f"{context.auto_envvar_prefix}_"
    for name in sorted(os.environ):
        option, general = name.removeprefix(prefix), name.removeprefix("CACHELINT_")
        if option != name and option not in known:
            near = selection.nearest(option, known).replace('"', f'"{prefix}', 1)
            yield f"variable {name} is not an option{near}"
        elif general != name and general in known:
            yield f'variable {name} has no effect: did you mean "{prefix}{general}"?'


# ------------------------------------------------------------------------------- commands


_MEANT = {
    ("check", "--fix"): '"cachelint fix"',
    ("check", "--diff"): '"cachelint fix --diff"',
    ("fix", "--check"): '"cachelint check", or "cachelint fix --diff" to see what would change',
}
"""What to run instead, by command and by an option that it does not have."""


class Command(click.Command):
    """A command whose help lists options under headings, mostly one per line."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; an option of another command is answered with that command."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            meant = _MEANT.get((self.name or "", error.option_name))
            if meant is None:
                raise
            raise click.UsageError(f"{self.name} has no option {error.option_name}: "
                                   f"use {meant}") from None

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options by section; those of click's are in the last one."""
        rows: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                section = getattr(parameter, "section", _LAST)
                rows.setdefault(section, []).append((record[0], record[1].removesuffix(".")))
        width = max(len(flags) for section in rows.values() for flags, _ in section)
        for heading, records in rows.items():
            with formatter.section(heading if len(rows) > 1 else "Options"):
                formatter.write_dl([(flags.ljust(width), help) for flags, help in records], width)


class Group(click.Group):
    """The program: it suggests the nearest command for an unknown one."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first argument names."""
        # at the tab key the name may be incomplete
        if (args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None
                and not ctx.resilient_parsing):
            near = selection.nearest(args[0], self.list_commands(ctx))
            raise click.UsageError(f"unknown command {args[0]!r}{near}")
        return super().resolve_command(ctx, args)


# ------------------------------------------------------------------------------- derived values


def read_paths(options: Options) -> list[str]:
    """Return the paths to check: those given, those of ``--files-from``, or the working directory.

    Raises:
        CachelintError: Standard input is combined with a path, or the list cannot be read.
    """
    paths = list(options.paths)
    if "-" in paths:
        for name in ("diff_base", "write_baseline"):
            if getattr(options, name) is not None:
                raise CachelintError(f"--{name.replace('_', '-')} does not work with a page from "
                                     "standard input")
    if options.files_from is not None:
        return paths + list(_read_list(options.files_from))
    if "-" in paths and len(paths) > 1:
        raise CachelintError("- (standard input) cannot be combined with another path")
    if options.stdin_filename and paths != ["-"]:
        raise CachelintError("--stdin-filename requires the path - (standard input)")
    if options.stdin_filename and is_catalog_file(options.stdin_filename):
        raise CachelintError(f"{options.stdin_filename}: only pages are read from standard input; "
                             "name the file as a path")
    return paths or ["."]


def _read_list(name: str) -> Iterable[str]:
    try:
        raw = read_stdin() if name == "-" else _read(name)
    except OSError as error:
        raise CachelintError(f"{name}: {read_write.reason(error)}") from None
    separator = b"\0" if b"\0" in raw else b"\n"
    return [os.fsdecode(line.removesuffix(b"\r") if separator == b"\n" else line)
            for line in raw.split(separator) if line.strip()]


_MAX_INPUT = 64 << 20
"""Bytes of a list of paths, or of a page on standard input: the most that a page can have."""


def _read(name: str) -> bytes:
    with open(name, "rb") as file:  # noqa: PTH123
        return _read_limited(file, name)


def _read_limited(file: BinaryIO, name: str) -> bytes:
    raw = file.read(_MAX_INPUT + 1)
    if len(raw) > _MAX_INPUT:
        raise CachelintError(f"{name}: larger than {_MAX_INPUT:,} bytes")
    return raw


def read_stdin() -> bytes:
    """Read standard input to its end.

    Raises CachelintError if it is closed, or has too many bytes.
    """
    if sys.stdin is None:
        raise CachelintError("standard input is closed")
    return _read_limited(sys.stdin.buffer, "standard input")
