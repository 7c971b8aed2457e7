"""The words that every other module shares: frozen data, no behaviour of consequence."""

from __future__ import annotations

from enum import Enum
from typing import Any, NamedTuple


class Severity(str, Enum):
    """How much a finding weighs."""

    ERROR = "error"
    """Fails a run."""
    WARNING = "warning"
    """Is shown, and fails a run only under ``--strict``."""


class PageFormat(str, Enum):
    """The generations of pages."""

    CURRENT = "current"
    """Since 2025-03."""
    TARBALL = "tarball"
    """2022 to 2025-02: each spec names its tarball."""
    LEGACY = "legacy"
    """2021 and 2022: ``spec_files`` and no ``spec_details``."""


class PageId(NamedTuple):
    """Where a page lies in its catalog: ``_cache/<tag>/<package>/``; None elsewhere."""

    tag: str | None
    package: str | None


NO_PAGE = PageId(None, None)


class PageContext(NamedTuple):
    """What a rule may know besides the page."""

    place: PageId = NO_PAGE
    tag_stacks: frozenset[str] | None = None
    """The stacks that ``tags.yaml`` gives the page's tag; None where it does not list the tag."""
    root_stack: str = "root"
    mirror_urls: tuple[str, ...] = ("https://binaries.spack.io",)


NO_CONTEXT = PageContext()


class Span(NamedTuple):
    """A stretch of a file. Lines and columns count from 1, in code points; the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


class Problem(NamedTuple):
    """What a rule found, in symbols: the engine turns the pointer into lines and columns.

    ``span`` is given where a pointer cannot say the place. ``other`` points at the other side of
    a contradiction, and ``other_label`` says what stands there. ``due`` is the number that belongs
    in the place of a wrong count.
    """

    pointer: str
    message: str
    span: Span | None = None
    other: str | None = None
    other_label: str = ""
    expected: int | None = None


class SchemaError(NamedTuple):
    """One breach of a schema."""

    code: str
    """CL201 to CL204, or the rule to which the schema leaves it (``x-reported-as``)."""
    pointer: str
    message: str
    key: str = ""
    """The key that is missing or unknown."""


class Excerpt(NamedTuple):
    """A stretch of one line of a file, cut to about 80 columns around what matters."""

    line: int
    cut: int
    """How many characters of the line stand before ``text``."""
    text: str
    start: int
    """Where the marked part begins, as an index into ``text``."""
    end: int
    label: str = ""


class Finding(NamedTuple):
    """One defect, at one place."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    code: str
    name: str
    severity: Severity
    message: str
    pointer: str
    """JSON Pointer (RFC 6901) into the front matter; empty for the file itself."""
    fixable: bool
    """Whether ``cachelint fix`` mends it, on this page as it stands."""
    excerpts: tuple[Excerpt, ...] = ()
    """The place, and after it the other side of a contradiction."""
    spec_hash: str = ""
    """The hash of the spec in which it lies, where that is sound and stands once on the page."""


class Report(NamedTuple):
    """What one run found. Findings are sorted by path (as byte strings), line, column, code."""

    findings: tuple[Finding, ...]
    pages: int
    """Pages checked."""
    seconds: float = 0.0
    suppressed: int = 0
    """Findings that the baseline holds."""
    stale: tuple[Any, ...] = ()
    """What the baseline holds of the files that were checked, and was not found."""
    not_run: tuple[str, ...] = ()
    """Codes of selected rules that what was checked made impossible: they need whole tags."""
    unused: tuple[Any, ...] = ()
    """Those of `per-file-ignores` that left nothing out, where whole catalogs were checked."""
    notes: tuple[str, ...] = ()
    """Catalogs that were skipped and pages that could not be compared, each with the reason."""
    compared: int | None = None
    """How many pages were compared with the base; None without one."""
    base: str = ""
    """The commit that they were compared with."""

    @property
    def errors(self) -> int:
        """Count the findings that fail a run."""
        return sum(finding.severity is Severity.ERROR for finding in self.findings)

    @property
    def warnings(self) -> int:
        """Count the findings that do not."""
        return len(self.findings) - self.errors

    @property
    def fixable(self) -> int:
        """Count the findings that ``cachelint fix`` mends."""
        return sum(finding.fixable for finding in self.findings)


class CachelintError(Exception):
    """Bad usage or bad configuration: the command line shows the text and exits with 2."""


def stable_location(finding: Finding) -> tuple[str, str]:
    """Return hash and pointer by which the place of a finding in its file is known."""
    if not finding.spec_hash:
        return "", finding.pointer
    # /spec_details/3/variants/0 is /variants/0 of the spec
    return finding.spec_hash, "".join(f"/{token}" for token in finding.pointer.split("/")[3:])
