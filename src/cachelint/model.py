"""The words that every other module shares: frozen data, no behaviour of consequence."""

from __future__ import annotations

from collections import Counter, namedtuple
from collections.abc import Iterable
from enum import Enum
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple
else:
    class _NamedTupleMaker(type):
        """Makes the classes derived from ``NamedTuple``."""

        def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> type:
            if not bases:
                return super().__new__(cls, name, bases, namespace)
            fields = namespace.pop("__annotations__")
            defaults = [namespace.pop(field) for field in fields if field in namespace]
            made = namedtuple(name, fields, defaults=defaults, module=namespace.pop("__module__"))
            for key, value in namespace.items():
                setattr(made, key, value)
            return made

    class NamedTuple(metaclass=_NamedTupleMaker):
        """A base as that of typing, for a third of the time that this one takes to make a class.

        A run over one page is all imports, and made some 40 classes in an eighth of its time.
        """


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


class Spec(TypedDict):
    """One item of ``spec_details`` on a valid page; old pages have a ``tarball`` as well."""

    compiler: str
    hash: str
    os: str
    platform: str
    stacks: list[str]
    target: str
    variants: list[str]
    versions: list[str]


class Meta(TypedDict, total=False):
    """What summarises the specs of a page: the values that follow from them."""

    compilers: list[str]
    num_specs: int
    num_specs_by_stack: dict[str, int]
    oss: list[str]
    platforms: list[str]
    stacks: list[str]
    targets: list[str]
    versions: list[str]


class PageId(NamedTuple):
    """Where a page lies in its catalog: ``_cache/<tag>/<package>/``; None elsewhere."""

    tag: str | None
    package: str | None


NO_PAGE = PageId(None, None)


class RuleOptions(NamedTuple):
    """The options of a run that a rule may look at."""

    root_stack: str = "root"
    mirror_urls: tuple[str, ...] = ("https://binaries.spack.io",)


class PageContext(NamedTuple):
    """What is known of a page apart from its content."""

    page_id: PageId = NO_PAGE
    tag_stacks: frozenset[str] | None = None
    """The stacks of the page's tag in ``tags.yaml``; None where it does not list the tag."""
    options: RuleOptions = RuleOptions()
    max_size: int = 0
    """Bytes above which the page is not read; 0 for no limit."""
    extra_rules: frozenset[str] = frozenset()
    """Codes of the rules that run although they are off by default."""


class Span(NamedTuple):
    """A stretch of a file. Lines and columns count from 1, in code points; the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


class Problem(NamedTuple):
    """What a rule found, in symbols: the engine turns the pointer into lines and columns."""

    pointer: str
    message: str
    span: Span | None = None
    """Given where a pointer cannot express the location."""
    other: str | None = None
    """Pointer to the other side of a contradiction."""
    other_label: str = ""
    """What is at ``other``."""
    focus: Span | None = None
    """The part of a long ``span`` that is shown."""
    other_span: Span | None = None
    """The other side, where a pointer cannot name it."""
    expected: int | str | None = None
    """The scalar that `fix` writes at the pointer, in a file of the catalog."""
    help: str = ""
    """What to do, where that is more than the rule's documentation recommends."""
    new_file: tuple[str, str] | None = None
    """Path below the catalog's folder, and content, of a file that `fix` creates."""
    severity: Severity | None = None
    """Instead of the rule's."""

    def below(self, pointer: str) -> Problem:
        """Return the problem with its pointers below ``pointer``."""
        other = None if self.other is None else pointer + self.other
        return self._replace(pointer=pointer + self.pointer, other=other)


class SchemaErrorKind(str, Enum):
    """In what a value violates its schema."""

    MISSING_KEY = "missing key"
    UNKNOWN_KEY = "unknown key"
    TYPE = "type"
    VALUE = "value"


class SchemaError(NamedTuple):
    """One violation of a schema."""

    kind: SchemaErrorKind
    pointer: str
    message: str
    key: str = ""
    """The key that is missing or unknown."""
    reported_as: str = ""
    """Code of the rule that reports it instead of CL2xx (``x-reported-as`` in the schema)."""
    meant: str = ""
    """The missing key for which an unknown one is taken."""


class Excerpt(NamedTuple):
    """A stretch of one line of a file, cut to about 80 columns around what matters."""

    line: int
    cut: int
    """How many characters of the line are before ``text``."""
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
    """Whether ``cachelint fix`` can fix it, on this page."""
    excerpts: tuple[Excerpt, ...] = ()
    """The position, and after it the other side of a contradiction."""
    spec_hash: str = ""
    """The hash of the spec in which it lies, where that is valid and unique on the page."""
    help: str = ""
    """What to do about it, where there is advice on this finding."""


class FileChange(NamedTuple):
    """A file that `fix` changed, or would change."""

    path: str
    before: bytes
    """Empty for a new file, and where the file was written."""
    after: bytes
    """Empty where the file was written."""
    fixed: tuple[str, ...]
    """The code of each finding that was fixed, sorted."""

    @classmethod
    def of(
        cls, path: str, before: bytes, after: bytes, found: Iterable[Finding],
        left: Iterable[Finding], *, keep: bool,
    ) -> FileChange:
        """Describe the change of a file; its bytes are only kept with ``keep``."""
        fixed = Counter(finding.code for finding in found)
        fixed.subtract(finding.code for finding in left)
        return cls(path, before if keep else b"", after if keep else b"",
                   tuple(sorted(fixed.elements())))


class Suggestion(NamedTuple):
    """Lines of a file, and what `fix` would write instead."""

    path: str
    line: int
    end_line: int
    """The last line, inclusive."""
    text: str
    """The new lines, without the line feed of the last one."""


class Invocation(NamedTuple):
    """How the program was called."""

    arguments: tuple[str, ...]
    """All of them, without the name of the program."""
    diff_base: str | None = None
    """The value of ``--diff-base``."""


class Report(NamedTuple):
    """What one run found. Findings are sorted by path (as byte strings), line, column, code."""

    findings: tuple[Finding, ...]
    pages: int
    """Pages checked."""
    seconds: float = 0.0
    suppressed: int = 0
    """Findings that the baseline suppresses."""
    stale: tuple[Any, ...] = ()
    """What the baseline contains of the files that were checked, and was not found."""
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
    changes: tuple[FileChange, ...] = ()
    """The files that `fix` changed."""
    skipped: tuple[tuple[str, str], ...] = ()
    """The path of each file that `fix` skipped, and why."""
    failed: int = 0
    """Pages on which the program itself failed, and files that `fix` could not write."""
    suggestions: tuple[Suggestion, ...] = ()
    """Changes that a review can suggest, for formats that have them."""
    invocation: Invocation | None = None
    """None where it is not the command line that made the report."""

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
        """Count the findings that ``cachelint fix`` can fix."""
        return sum(finding.fixable for finding in self.findings)


class FieldChange(NamedTuple):
    """What a field of a spec lost and gained; of a list only the items that differ."""

    field: str
    before: tuple[str, ...]
    after: tuple[str, ...]


class SpecChange(NamedTuple):
    """A spec that one side has, or that differs."""

    version: str
    hash: str
    fields: tuple[FieldChange, ...] = ()
    """What differs, where both sides have a spec with the hash."""


class PageChangeKind(str, Enum):
    """What became of a page."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    REFORMATTED = "reformatted"
    """Only order or formatting changed."""
    UNREADABLE = "unreadable"
    """It is on both sides, or that is not known, and was not compared."""


class PageChange(NamedTuple):
    """How a page differs between two sides."""

    path: str
    tag: str
    """Empty for a legacy page, which has none."""
    package: str
    kind: PageChangeKind
    added: tuple[SpecChange, ...] = ()
    removed: tuple[SpecChange, ...] = ()
    changed: tuple[SpecChange, ...] = ()
    new_versions: tuple[str, ...] = ()
    gone_versions: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    """Keys of the front matter that changed: `title`, or `meta` where no spec changed."""
    reason: str = ""
    """Why its specs were not compared."""
    is_failure: bool = False
    """Whether the program itself failed on it."""


class TagChanges(NamedTuple):
    """The pages of a tag that differ between two sides."""

    catalog: str
    tag: str
    pages: tuple[PageChange, ...]
    is_frozen: bool
    """Whether it was there before, and must not change."""
    is_new: bool
    is_gone: bool


class DiffReport(NamedTuple):
    """What `diff` found."""

    sides: tuple[str, ...]
    """The revision, or both folders."""
    base: str
    """The commit that was compared with; empty for folders."""
    compared: int
    """How many pages were compared."""
    tags: tuple[TagChanges, ...]
    """Those in which something differs."""
    notes: tuple[str, ...]
    """What was not compared, and why."""
    only: tuple[tuple[str, str], ...] = ()
    """What the comparison is limited to: `tag` or `package`, and a name."""

    @property
    def failed(self) -> int:
        """Count the pages on which the program itself failed."""
        return sum(page.is_failure for tag in self.tags for page in tag.pages)


class CachelintError(Exception):
    """Bad usage or bad configuration: the command line shows the text and exits with 2."""


def stable_location(finding: Finding) -> tuple[str, str]:
    """Return hash and pointer that identify the position of a finding in its file."""
    if not finding.spec_hash:
        return "", finding.pointer
    # /spec_details/3/variants/0 is /variants/0 of the spec
    return finding.spec_hash, "".join(f"/{token}" for token in finding.pointer.split("/")[3:])
