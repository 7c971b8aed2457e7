"""Which rules run, on which files, and at which severity."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from cachelint.files.paths import relative_to_catalog
from cachelint.model import CachelintError, Finding, NamedTuple, Severity
from cachelint.rules import ALL_RULES, BY_CODE
from cachelint.text import nearest_name

if TYPE_CHECKING:
    from cachelint.files.globs import GlobList

DEFAULT_RULES = frozenset(rule.code for rule in ALL_RULES if rule.default)
ALWAYS = frozenset(rule.code for rule in ALL_RULES if not rule.can_be_hidden)
"""Rules whose findings no setting, option or baseline hides or weakens."""


class FileIgnore(NamedTuple):
    """A rule that does not run on some files."""

    glob: str
    """From the catalog's folder, as in ``exclude``."""
    rule: str
    """A code, name or prefix."""


class Settings(NamedTuple):
    """Everything that decides what is checked and how. It can be sent to another process."""

    selected: frozenset[str] = DEFAULT_RULES
    """Codes of the rules that run; anything else is an error."""
    exclude: tuple[str, ...] = ()
    mutable_tags: frozenset[str] = frozenset({"develop"})
    root_stack: str = "root"
    mirror_urls: tuple[str, ...] = ("https://binaries.spack.io",)
    max_page_size: int = 8 * 1024 * 1024
    """Bytes."""
    per_file_ignores: tuple[FileIgnore, ...] = ()
    severity: tuple[tuple[str, Severity], ...] = ()
    """Severities that replace those of rules, by code, name or prefix."""

    def excludes(self, path: str) -> bool:
        """Return whether ``path``, relative to its catalog's root, is excluded."""
        return bool(self.exclude) and _compile(self.exclude).matches(path)

    def ignores(self, path: str) -> tuple[FileIgnore, ...]:
        """Return those of ``per_file_ignores`` that match a file, by its displayed path.

        Raises CachelintError where one names no rule.
        """
        if not self.per_file_ignores:
            return ()
        below = relative_to_catalog(path)
        return tuple(entry for entry in self.per_file_ignores
                     if _compile((entry.glob,)).matches(below))

    def runs_on(self, path: str) -> frozenset[str]:
        """Return the codes of the rules that run on a file, by its displayed path."""
        return self.selected.difference(*(every_code_of(rule) for _, rule in self.ignores(path)))


def resolve_settings(settings: Settings | None) -> Settings:
    """Return the settings of a caller, the defaults where there are none.

    Raises CachelintError if ``selected`` contains an unknown code.
    """
    if settings is None:
        return Settings()
    strange = settings.selected - BY_CODE.keys()
    if strange:
        name = min(strange)
        raise CachelintError(f'selected: unknown code "{name}"{nearest(name, BY_CODE)}')
    return settings


def apply_overrides(
    findings: list[Finding], settings: Settings, used: set[FileIgnore] | None = None
) -> list[Finding]:
    """Remove what `per-file-ignores` hides, and give the other findings their `severity`.

    Entries that hide something are added to ``used``. A second call changes nothing.
    """
    if not settings.per_file_ignores and not settings.severity:
        return findings
    levels = severities(settings.severity)
    ignores: dict[str, tuple[FileIgnore, ...]] = {}
    settled = []
    for finding in findings:
        if finding.path not in ignores:
            ignores[finding.path] = settings.ignores(finding.path)
        taking = [entry for entry in ignores[finding.path]
                  if finding.code in every_code_of(entry.rule)]
        if taking:
            if used is not None:
                used.update(taking)
            continue
        level = levels.get(finding.code, finding.severity)
        settled.append(
            finding if level is finding.severity else finding._replace(severity=level))
    return settled


@lru_cache(maxsize=256)
def _compile(patterns: tuple[str, ...]) -> GlobList:
    from cachelint.files.globs import GlobList

    return GlobList(patterns)


def nearest(name: str, known: Iterable[str]) -> str:
    """Suggest the known name that is nearest: a clause to append, or nothing."""
    near = nearest_name(name, known, max(2, (len(name) + 2) // 2))
    return f': did you mean "{near}"?' if near else ""


def codes_of(name: str) -> frozenset[str]:
    """Return the codes that a rule's code, name or prefix of a code stands for.

    Raises CachelintError, which names the nearest rule.
    """
    upper = name.upper()
    exact = [rule.code for rule in ALL_RULES if name.lower() == rule.name or upper == rule.code]
    if exact:
        return frozenset(exact)
    if upper == "ALL":
        upper = "CL"
    # a rule that is off by default is on only by its own code or name
    codes = frozenset(rule.code for rule in ALL_RULES
                      if upper and rule.code.startswith(upper) and rule.default)
    if not codes or not re.fullmatch("CL[0-9]*", upper):
        names = [word for rule in ALL_RULES for word in (rule.code, rule.name)]
        by_code = nearest(upper, names) or nearest(name.lower(), names)
        raise CachelintError(f'unknown rule "{name}"{by_code}')
    return codes


@lru_cache(maxsize=1024)
def every_code_of(name: str) -> frozenset[str]:
    """Return the codes of a name in `per-file-ignores` or `severity`.

    There a prefix includes the rules that are off by default. Rules that cannot be hidden are not
    included. Raises CachelintError.
    """
    codes, upper = codes_of(name), name.upper()
    if specificity(name) < _EXACT:
        prefix = "CL" if upper == "ALL" else upper
        codes = frozenset(rule.code for rule in ALL_RULES if rule.code.startswith(prefix))
    return codes - ALWAYS


@lru_cache(maxsize=8)
def severities(chosen: tuple[tuple[str, Severity], ...]) -> dict[str, Severity]:
    """Return severities by code; the more specific name wins, between equals the later one."""
    levels: dict[str, Severity] = {}
    for name, level in sorted(chosen, key=lambda item: specificity(item[0])):
        levels |= dict.fromkeys(every_code_of(name), Severity(level))
    return levels


def select_rules(
    select: Iterable[str] | None, ignore: Iterable[str], extend_select: Iterable[str]
) -> frozenset[str]:
    """Return the codes of the rules that run.

    The more specific name wins, so that `--ignore CL5 --extend-select CL503` keeps CL503; between
    equals, ignoring wins. Without ``select``, the default rules run. Rules that cannot be hidden
    always run.
    """
    strength: dict[str, int] = {}
    chosen = [*(select if select is not None else ()), *extend_select]
    for name in chosen:
        for code in codes_of(name):
            strength[code] = max(strength.get(code, 0), specificity(name))
    if select is None:
        for rule in ALL_RULES:
            if rule.default:
                strength.setdefault(rule.code, 0)
    for name in ignore:
        for code in codes_of(name):
            if strength.get(code, -1) <= specificity(name):
                strength.pop(code, None)
    return ALWAYS.union(strength)


_EXACT = 5
"""How specific the code or the name of one rule is; a prefix is as specific as it is long."""


def specificity(name: str) -> int:
    """Rank a code, name or prefix: the more specific one wins over the others."""
    upper = name.upper()
    if upper == "ALL":
        return 2
    return len(upper) if re.fullmatch("CL[0-9]*", upper) else _EXACT
