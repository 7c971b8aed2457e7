"""What a command prints: reports, diffs, totals and messages, and the exit status of a report."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, TextIO

from cachelint.cli.options import Options, describe_unwritable
from cachelint.files import read_write
from cachelint.files.paths import path_in_checkout
from cachelint.model import CachelintError, DiffReport, Invocation, Report, Severity
from cachelint.output.formats import (
    FORMATS,
    PLAIN,
    Format,
    Style,
    count_rules,
    terminal_width,
    totals,
)
from cachelint.runner.run import OnProgress
from cachelint.text import changed_lines, escape_unsafe, plural

if TYPE_CHECKING:
    from cachelint.runner.render import RenderReport


def print_message(message: str) -> None:
    """Print a message on standard error, after what was printed on standard output."""
    sys.stdout.flush()
    sys.stderr.write(f"{escape_unsafe(message)}\n")


def show_progress(
    options: Options, *, with_findings: bool = True
) -> AbstractContextManager[OnProgress | None]:
    """Show progress on standard error, if that is a terminal that can rewrite a line."""
    wanted = not os.environ.get("CI") if options.progress is None else options.progress
    if not wanted or not sys.stderr.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        return nullcontext()
    from cachelint.cli import progress

    # a baseline is applied at the end: until then known and new findings are counted together
    return progress.show_line(sys.stderr, with_findings=with_findings and not options.baseline)


# ------------------------------------------------------------------------------- reports


def format_of(options: Options) -> Format:
    """Return the format of standard output."""
    in_actions = os.environ.get("GITHUB_ACTIONS") == "true"
    return FORMATS[options.output_format or ("github" if in_actions else "full")]


def has_suggestions(options: Options) -> bool:
    """Return whether one of the requested reports offers suggestions."""
    names = [name for name, _ in options.output_file]
    return any(FORMATS[name].has_suggestions for name in [format_of(options).name, *names])


def print_report(report: Report, options: Options, stream: TextIO | None = None) -> None:
    """Write a report to the files that were requested, and then to standard output or ``stream``.

    Raises CachelintError at the end if a file could not be written.
    """
    report = report._replace(invocation=Invocation(tuple(sys.argv[1:]), options.diff_base))
    # first the files: the reader of standard output may close it early
    failure = _write_files(lambda name: FORMATS[name].load()(report, PLAIN), options)
    target = stream or sys.stdout
    chosen = format_of(options)
    if target is sys.stderr:
        sys.stdout.flush()
    if options.statistics:
        _print_statistics(report, options, target if chosen.is_for_people else sys.stderr)
    if not (options.statistics and chosen.is_for_people):
        if not chosen.is_for_people:
            write_utf8(target)
        style = _style_for(target, options.color)
        pieces = _explain_fault(chosen.name, lambda: chosen.load()(report, style))
        target.writelines(_select(pieces, options) if chosen.ends_with_totals else pieces)
        for note in report.notes:
            print_message(f"note: {note}")
        if chosen.name == "github":
            _write_job_summary(report)
    if options.verbose:
        print_message(f"{plural(report.pages, 'page')} in {report.seconds:.1f} seconds")
    if failure is not None:
        raise failure


def print_comparison(report: DiffReport, options: Options) -> None:
    """Write what `diff` found to the files that were requested, and to standard output.

    Raises CachelintError at the end if a file could not be written.
    """
    from cachelint.output.diff import WRITERS

    def write(name: str) -> Iterator[str]:
        return (f"{line}\n" for line in WRITERS[name](report))

    failure = _write_files(write, options)
    name = options.output_format or "text"
    if name != "text":
        write_utf8(sys.stdout)
    sys.stdout.writelines(_explain_fault(name, lambda: write(name)))
    if failure is not None:
        raise failure


def _write_files(
    write: Callable[[str], Iterator[str]], options: Options
) -> CachelintError | None:
    """Write each report that was requested; ``write`` takes the name of its format.

    Returns the first error, which must not keep the other reports back.
    """
    failure = None
    for name, path in options.output_file:
        try:
            read_write.write_text(path, _explain_fault(name, partial(write, name)))
        except OSError as error:
            failure = failure or CachelintError(describe_unwritable(path, error))
        except CachelintError as error:
            failure = failure or CachelintError(f"{path}: {error}")
    return failure


def _explain_fault(name: str, write: Callable[[], Iterator[str]]) -> Iterator[str]:
    """Yield a report in a format. Raises CachelintError where the program fails in it."""
    try:
        yield from write()
    except Exception as error:
        if os.environ.get("CACHELINT_TRACEBACK"):
            raise
        raise CachelintError(
            f"internal error in the format {name}, which is not complete; use another one: "
            f"{type(error).__name__}: {error} "
            "(please report it, with the output of CACHELINT_TRACEBACK=1)") from None


def _write_job_summary(report: Report) -> None:
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    from cachelint.output import summary

    try:
        with open(path, "a", encoding="utf-8", errors="backslashreplace") as file:  # noqa: PTH123
            file.writelines(summary.write(report))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        print_message(f"warning: cannot write the job summary: {path}: {reason}")


def _print_statistics(report: Report, options: Options, stream: TextIO) -> None:
    if stream is sys.stderr:
        sys.stdout.flush()
    counts = count_rules(report.findings)
    width = len(f"{counts[0].findings:,}") if counts else 0
    stream.writelines(f"{each.findings:>{width},}  {each.code}  {each.name}\n" for each in counts)
    if not options.quiet:
        stream.write(f"{totals(report)}\n")


def _select(pieces: Iterator[str], options: Options) -> Iterator[str]:
    """Leave out the totals, the last piece, or all but them, as the options require."""
    if options.fixes_only:
        *_, pieces_left = pieces
        pieces = iter([pieces_left])
    return _without_last(pieces) if options.quiet else pieces


def _without_last(pieces: Iterator[str]) -> Iterator[str]:
    last = next(pieces)
    for piece in pieces:
        yield last
        last = piece


def _style_for(stream: TextIO, when: str) -> Style:
    """Return what a stream can show; ``when`` is the value of ``--color``."""
    is_terminal = stream.isatty()
    if when != "auto":
        colour = when == "always"
    elif os.environ.get("NO_COLOR"):
        colour = False
    else:
        colour = bool(os.environ.get("FORCE_COLOR")) or (
            is_terminal and os.environ.get("TERM") != "dumb")
    return Style(colour, terminal_width(stream) if is_terminal else None,
                 links=colour and is_terminal and _takes_links(os.environ))


_LINK_PROGRAMS = {"iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "Tabby", "rio"}
_LINK_TERMINALS = {"xterm-kitty", "xterm-ghostty", "alacritty", "foot", "foot-extra", "wezterm"}
_VTE = 5000
"""The first version of VTE (GNOME Terminal and others) that shows hyperlinks."""


def _takes_links(environment: Mapping[str, str]) -> bool:
    """Return whether the terminal is known to show OSC 8 hyperlinks."""
    forced = environment.get("FORCE_HYPERLINK")
    if forced is not None:
        return forced not in ("", "0")
    term = environment.get("TERM", "")
    if "CI" in environment or "TMUX" in environment or term.startswith(("screen", "tmux")):
        return False
    vte = environment.get("VTE_VERSION", "")
    return (environment.get("TERM_PROGRAM") in _LINK_PROGRAMS or term in _LINK_TERMINALS
            or "WT_SESSION" in environment or "KONSOLE_VERSION" in environment
            or (vte.isdecimal() and int(vte) >= _VTE))


def write_utf8(stream: TextIO) -> None:
    """Make a stream write UTF-8 in any locale, for programs and for diffs."""
    stream.reconfigure(encoding="utf-8")  # type: ignore[attr-defined]


def exit_status(report: Report, options: Options) -> int:
    """Return the exit status of a report: 1 if something in it fails the run."""
    if report.failed:
        return 2
    fails = any(finding.severity is Severity.ERROR or options.strict
                for finding in report.findings)
    return 1 if fails and not options.exit_zero else 0


# ------------------------------------------------------------------------------- fixes

_MOST_FILES = 20
"""So many files that were changed are listed; a dry run of `render` lists all."""


def print_fixes(report: Report, options: Options) -> None:
    """List the files that were fixed on standard error, each with its rules."""
    if options.quiet:
        return
    verb = "Would fix" if options.diff else "Fixed"
    for change in report.changes[:_MOST_FILES]:
        rules = ", ".join(f"{code} ({count})" if count > 1 else code
                          for code, count in Counter(change.fixed).items())
        print_message(f"{verb} {change.path}: {rules}")
    more = len(report.changes) - _MOST_FILES
    if more > 0:
        print_message(f"{verb} {plural(more, 'more file')}: --output-format json lists them")


def print_fix_totals(report: Report, options: Options) -> None:
    """Print how much was fixed, and in a hook of pre-commit what to do next."""
    if options.quiet or not (report.changes or options.verbose):
        return
    verb = "Would fix" if options.diff else "Fixed"
    findings = sum(len(change.fixed) for change in report.changes)
    print_message(f"{verb} {plural(findings, 'finding')} in {plural(len(report.changes), 'file')}.")
    if report.changes and not options.diff and os.environ.get("PRE_COMMIT"):
        print_message('Next: stage the fixed files with "git add", and commit again.')


# ------------------------------------------------------------------------------- diffs


def print_diff(changes: Iterable[tuple[str, bytes, bytes]]) -> None:
    """Print changes as a unified diff: path, content before and content after of each file."""
    write_utf8(sys.stdout)
    for path, before, after in changes:
        sys.stdout.writelines(_diff(path, before, after))


def _diff(path: str, before: bytes, after: bytes) -> Iterator[str]:
    """Yield a unified diff without context, so that each of its lines begins with a sign."""
    old, new = (_lines(content) for content in (before, after))
    name = path_in_checkout(path)
    was, is_now = (_quote(f"{side}/{name}") for side in "ab")
    yield f"--- {was if before else '/dev/null'}\n"
    yield f"+++ {is_now}\n"
    for first, last, new_first, new_last in changed_lines(old, new):
        yield f"@@ -{_range(first, last)} +{_range(new_first, new_last)} @@\n"
        for sign, lines in (("-", old[first:last]), ("+", new[new_first:new_last])):
            for line in lines:
                end = "" if line.endswith("\n") else "\n\\ No newline at end of file\n"
                yield f"{sign}{line}{end}"


def _range(first: int, last: int) -> str:
    """Write lines as a unified diff does: the first, from 1, and their number if it is not 1."""
    if last - first == 1:
        return str(last)
    return f"{first + (last > first)},{last - first}"


def _quote(name: str) -> str:
    """Write a name as git does in a diff: in quotes with escapes where it is not plain."""
    if name == escape_unsafe(name) and not any(sign in name for sign in '"\\'):
        # a tab ends a name that contains a space
        return f"{name}\t" if " " in name else name
    escapes = {34: '\\"', 92: "\\\\", 9: "\\t", 10: "\\n", 13: "\\r"}
    return '"' + "".join(
        escapes.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}")
        for byte in os.fsencode(name)) + '"'


def _lines(content: bytes) -> list[str]:
    """Return the lines of a file, escaped, each with its line feed where it has one."""
    *lines, last = content.decode("utf-8", "surrogateescape").split("\n")
    return [f"{escape_unsafe(line)}\n" for line in lines] + [escape_unsafe(last)] * (last != "")


# ------------------------------------------------------------------------------- what is rendered


def print_changes(report: RenderReport, options: Options) -> None:
    """List the files that were written or would be, and count them."""
    most = len(report.changes) if options.dry_run else _MOST_FILES
    lines = [f"{change.kind:<8} {change.path}{f': {change.why}' if change.why else ''}"
             for change in report.changes[:most]]
    if len(report.changes) > most:
        lines.append(f"… and {plural(len(report.changes) - most, 'more file')}")
    counts = Counter(change.kind for change in report.changes)
    done = ", ".join(f"{counts[kind]:,} {kind}" for kind in ("added", "changed", "removed"))
    verb = "Would render" if options.dry_run or report.is_blocked else "Rendered"
    lines.append(f"{verb} {report.tag}: {plural(report.pages, 'page')} with "
                 f"{plural(report.specs, 'spec')} in {plural(len(report.stacks), 'stack')}; "
                 f"{done}.")
    sys.stdout.write("".join(f"{escape_unsafe(line)}\n" for line in lines))
