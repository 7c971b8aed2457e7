"""What a shell offers at the tab key; click speaks with the shells."""

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
)

from cachelint.document import schema
from cachelint.output import formats
from cachelint.rules import ALL_RULES


def paths(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Leave files and folders to the shell."""
    return [CompletionItem(incomplete, type="file")]


def reports(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the formats of FORMAT:PATH, each with its colon."""
    return [CompletionItem(f"{name}:") for name in formats.FORMATS
            if name.startswith(incomplete)]


def rules(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer codes, prefixes of codes and names, for the last item of a list with commas."""
    before, comma, last = incomplete.rpartition(",")
    given = before.split(",")
    return [CompletionItem(before + comma + word, help=what) for word, what in _words()
            if word.lower().startswith(last.lower()) and word not in given]


def rule(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer codes, prefixes of codes and names, for one of them."""
    return [CompletionItem(word, help=what) for word, what in _words()
            if word.lower().startswith(incomplete.lower())]


def schemas(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the names of schemas."""
    return [CompletionItem(name, help=json.loads(schema.text(name))["title"])
            for name in (*schema.NAMES, schema.FOR_EDITORS) if name.startswith(incomplete)]


def _words() -> Iterable[tuple[str, str]]:
    """Yield all that a rule or a group of rules may be called, and what it is."""
    for prefix in sorted({rule.code[:3] for rule in ALL_RULES}):
        yield prefix, f"all rules {prefix}xx"
    for each in ALL_RULES:
        yield each.code, f"{each.name}: {each.summary}"
    for each in ALL_RULES:
        yield each.name, f"{each.code}: {each.summary}"


# --------------------------------------------------------------- what click's scripts get wrong


@add_completion_class
class _Bash(BashComplete):
    """Bash breaks words at `=` and passes it as a word of its own."""

    def get_completion_args(self) -> tuple[list[str], str]:
        words, incomplete = super().get_completion_args()
        return [word for word in words if word != "="], incomplete


@add_completion_class
class _Zsh(ZshComplete):
    """Zsh would replace `--option=` too, and from a file complete nothing the second time."""

    source_template = ZshComplete.source_template.replace(
        "    local -a response\n", "    local -a response\n    compset -P '--*='\n"
    ).replace(" -U", ' -U -i "$IPREFIX"').replace(
        "$zsh_eval_context[-1] == loadautofunc", "$funcstack[1] == _%(prog_name)s")


@add_completion_class
class _Fish(FishComplete):
    """Fish wants `--option=` before what follows it, which may hold commas."""

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
