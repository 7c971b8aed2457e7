"""Render the man page from the commands that click knows, in the macros of man(7)."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator

import click

from cachelint import __version__
from cachelint.cli.main import cli
from cachelint.rules import ALL_RULES, explain

_DATE = "2026-11-21"

_AFTER = """\
.SH "EXIT STATUS"
.TP
.B 0
No errors. Warnings are allowed unless \\fB\\-\\-strict\\fR is given.
\\fBdiff\\fR ends so whatever changed.
.TP
.B 1
Errors were found, or are left. With \\fBfix \\-\\-diff\\fR, something would change.
.TP
.B 2
Bad usage or configuration, or a fault of the program.
.TP
.B 130
The run was interrupted.
.SH FILES
.TP
.IR cachelint.toml ", " .cachelint.toml ", " pyproject.toml
The configuration, in the last one under \\fB[tool.cachelint]\\fR:
the nearest upwards from the working folder.
.SH ENVIRONMENT
.TP
.BR NO_COLOR ", " FORCE_COLOR
Never or always write in colour.
.TP
.BI CACHELINT_ COMMAND _ OPTION
The default of an option, as in \\fBCACHELINT_CHECK_OUTPUT_FORMAT=concise\\fR.
.TP
.B GITHUB_ACTIONS
Where it is \\fBtrue\\fR, the output format is \\fBgithub\\fR
unless another is given.
.TP
.B CACHELINT_TRACEBACK
Show where in the program a fault lies.
.SH "SEE ALSO"
.BR spack (1),
.BR pre\\-commit (1)
.PP
https://github.com/spack/cachelint
"""


def render() -> str:
    """Return the whole page: the program, its commands, and the rules."""
    return "\n".join([*_lines(), _AFTER])


def _lines() -> Iterator[str]:
    group = cli
    yield f'.TH CACHELINT 1 "{_DATE}" "cachelint {__version__}" "User Commands"'
    yield ".SH NAME"
    about = inspect.cleandoc(group.help or "").split(".\n", 1)[0]
    yield f"cachelint \\- {_escape(about[0].lower() + about[1:])}"
    yield ".SH SYNOPSIS"
    outer = click.Context(group, **group.context_settings)
    contexts = [click.Context(command, parent=outer) for command in group.commands.values()]
    for number, context in enumerate(contexts):
        if number:
            yield ".br"
        yield f".B cachelint {context.command.name}"
        yield _escape(" ".join(context.command.collect_usage_pieces(context)))
    yield ".SH DESCRIPTION"
    yield from _help(group)
    yield ".SH COMMANDS"
    for context in contexts:
        yield f'.SS "cachelint {context.command.name}"'
        yield from _help(context.command)
        for option in context.command.get_params(context):
            if isinstance(option, click.Option):
                yield from _option(option, context)
    yield ".SH RULES"
    yield "A rule may be named by its code, its name, or a prefix of its code."
    for prefix, about in explain.GROUPS.items():
        of_group = [rule for rule in ALL_RULES if rule.code.startswith(prefix)]
        if of_group:
            yield f'.SS "{prefix}xx: {_escape(about)}"'
        for rule in of_group:
            yield ".TP"
            yield f".B {rule.code} {_escape(rule.name)}"
            yield _text(rule.summary)


def _help(command: click.Command) -> Iterator[str]:
    """Yield the paragraphs of a command's help; what click does not wrap stays as it is."""
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    for number, paragraph in enumerate(paragraphs):
        if paragraph.startswith("\b"):
            yield ".PP\n.nf\n.in -3n"
            yield from (_escape(line) for line in paragraph.split("\n")[1:])
            yield ".in +3n\n.fi"
        else:
            if number:
                yield ".PP"
            yield _text(paragraph)


def _option(option: click.Option, context: click.Context) -> Iterator[str]:
    names, text = option.get_help_record(context) or ("", "")
    yield ".TP"
    # the names in bold, what stands for a value as it is
    flags = re.sub(r"(?<![\w-])(-{1,2}[a-z][a-z-]*)", r"\\fB\1\\fR", names)
    yield _escape(flags).replace("\\efB", "\\fB").replace("\\efR", "\\fR")
    yield _text(text)


def _text(text: str) -> str:
    """Write a paragraph, with lines short enough for those who read the source."""
    lines = textwrap.wrap(text, 60, break_on_hyphens=False, break_long_words=False)
    escaped = "\n".join(map(_escape, lines))
    return re.sub(r"\\\(ga(.+?)\\\(ga", r"\\fB\1\\fR", escaped, flags=re.DOTALL)


def _escape(text: str) -> str:
    """Write text so that troff shows it as it is: no escapes, requests or typographic dashes."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga").replace("'", "\\(aq")
    text = text.replace("^", "\\(ha").replace("~", "\\(ti")
    return f"\\&{text}" if text.startswith(".") else text
