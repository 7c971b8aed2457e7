"""What a shell offers at the tab key; click generates the scripts."""

from __future__ import annotations

import json
from collections.abc import Iterable

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ZshComplete,
    add_completion_class,
    shell_complete,
)

from cachelint.cli.options import report_formats
from cachelint.document import schema
from cachelint.rules import ALL_RULES


def complete(command: click.Command, instruction: str) -> int:
    """Do what the value of ``_CACHELINT_COMPLETE`` requires, and return the exit status."""
    return shell_complete(command, {}, "cachelint", "_CACHELINT_COMPLETE", instruction)


def paths(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Leave files and folders to the shell."""
    return [CompletionItem(incomplete, type="file")]


def sides(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Leave folders to the shell."""
    return [CompletionItem(incomplete, type="dir")]


def reports(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offer the formats of FORMAT:PATH, each with its colon."""
    return [CompletionItem(f"{name}:", help=use) for name, use in report_formats(context).items()
            if name.startswith(incomplete)]


def rules(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offer codes, prefixes of codes and names, for the last item of a list with commas."""
    before, comma, last = incomplete.rpartition(",")
    given = before.split(",")
    return [CompletionItem(before + comma + item.value, help=item.help)
            for item in rule(context, parameter, last) if item.value not in given]


def rule(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer codes, prefixes of codes and names, for one of them."""
    return [CompletionItem(word, help=what) for word, what in _words()
            if word.lower().startswith(incomplete.lower())]


def schemas(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the names of schemas."""
    return [CompletionItem(name, help=json.loads(schema.text(name))["title"])
            for name in (*schema.NAMES, schema.FOR_EDITORS) if name.startswith(incomplete)]


def _words() -> Iterable[tuple[str, str]]:
    """Yield every code, prefix and name, with the rules it means."""
    for prefix in sorted({rule.code[:3] for rule in ALL_RULES}):
        yield prefix, f"all rules {prefix}xx"
    for each in ALL_RULES:
        yield each.code, f"{each.name}: {each.summary}"
    for each in ALL_RULES:
        yield each.name, f"{each.code}: {each.summary}"


# ------------------------------------------------------------------- fixes of click's scripts


def _replace(template: str, old: str, new: str) -> str:
    """Replace a part of a script that must be there, whatever the version of click."""
    assert old in template, f"click's completion script no longer contains {old!r}"
    return template.replace(old, new)


@add_completion_class
class _Bash(BashComplete):
    """Bash breaks words at `=` and passes it as a word of its own."""

    def get_completion_args(self) -> tuple[list[str], str]:
        words, incomplete = super().get_completion_args()
        return [word for word in words if word != "="], incomplete


def _patch_zsh() -> str:
    """Keep `--option=`, which zsh would replace too, and complete from a file more than once."""
    script = ZshComplete.source_template
    script = _replace(script, "    local -a response\n",
                      "    local -a response\n    compset -P '--*='\n")
    script = _replace(script, " -U", ' -U -i "$IPREFIX"')
    return _replace(script, "$zsh_eval_context[-1] == loadautofunc",
                    "$funcstack[1] == _%(prog_name)s")


@add_completion_class
class _Zsh(ZshComplete):
    """Zsh, with the fixes of `_patch_zsh`."""

    source_template = _patch_zsh()


@add_completion_class
class _Fish(FishComplete):
    """Fish needs `--option=` before each value, and values may contain commas."""

    source_template = """\
function %(complete_func)s
    set -l option (string match --regex -- '^--[^=]*=' (commandline -t); or echo)
    for line in (env %(complete_var)s=fish_complete COMP_WORDS=(commandline -cp) \
            COMP_CWORD=(commandline -t) %(prog_name)s)
        set -l item (string split --max 1 "," $line)
        if test $item[1] = plain
            echo $option$item[2]
        else
            for path in (__fish_complete_path $item[2])
                echo $option$path
            end
        end
    end
end

complete --no-files --command %(prog_name)s --arguments "(%(complete_func)s)"
"""
