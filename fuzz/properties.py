"""What is true of every file, however damaged: each function fails where it is not."""

from __future__ import annotations

import re
import resource
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cachelint import Report, Settings, check, check_page, fix, fix_page
from cachelint.config.file import File, join_settings, load
from cachelint.config.unused import find_unused
from cachelint.document import catalog_files, yaml
from cachelint.document.parser import parse_page
from cachelint.document.strict_json import dumps
from cachelint.index.database import Database
from cachelint.index.sources import find_indexes
from cachelint.model import CachelintError, Finding, PageContext, Severity
from cachelint.runner import baseline
from cachelint.runner.render import render
from cachelint.runner.verify import IndexOptions, verify
from fuzz.strategies import Pages
from support import damage, readers

WITH_ORDER = Settings(selected=Settings().selected | damage.WITH_ORDER)

# ------------------------------------------------------------------------------- time and memory

SECONDS, MEGABYTES = 2.0, 300
"""What a check or a fix of one input may take."""


class Limits:
    """Whether time and memory are measured: in long runs only, since no test depends on time."""

    are_on = False


@contextmanager
def limits() -> Iterator[None]:
    """Fail where the block takes too much processor time or memory."""
    start, before = time.thread_time(), _peak()
    yield
    if Limits.are_on:
        seconds, megabytes = time.thread_time() - start, _peak() - before
        assert seconds < SECONDS, f"{seconds:.1f} s"
        assert megabytes < MEGABYTES, f"{megabytes:.0f} MB"


def _peak() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


# ------------------------------------------------------------------------------- findings

def assert_inside(finding: Finding, raw: bytes) -> None:
    """Assert that a finding lies in its file, and each excerpt in its line."""
    text = raw.decode("utf-8", "replace").removeprefix("\ufeff")
    # the end of a line is a character of it
    rows = re.sub("\r\n|\r|\n", " \n", text).split("\n")
    assert (1, 1) <= (finding.line, finding.column) <= (finding.end_line, finding.end_column)
    assert finding.end_line <= len(rows), finding
    assert finding.column <= len(rows[finding.line - 1]) + 1, finding
    assert finding.end_column <= len(rows[finding.end_line - 1]) + 1, finding
    assert "\n" not in finding.message, finding
    for excerpt in finding.excerpts:
        assert 0 <= excerpt.start <= excerpt.end <= len(excerpt.text), finding


def _are_errors(findings: Iterable[Finding]) -> bool:
    return any(finding.severity is Severity.ERROR for finding in findings)


# ------------------------------------------------------------------------------- pages

passed: list[str] = []
"""Pages without an error, for the readers in other languages, which take many at once."""


def check_pages(pages: Pages, strict_order: bool) -> None:
    """Pages that share one memory: `lint_page`, with and without fast path, and `fix_page`."""
    damage.compare_all(pages, strict_order=strict_order)
    settings = WITH_ORDER if strict_order else Settings()
    for raw, context in pages:
        with limits():
            found = check_page(raw, settings=settings, context=context)
        for finding in found:
            assert_inside(finding, raw)
        _check_fix(raw, context, settings, found)
        # of a legacy page only the form is checked (CL109); a tag with a question mark has a
        # finding of the tag as a whole (CL702)
        if not (_are_errors(found) or any(finding.code == "CL109" for finding in found)
                or "?" in str(context.page_id.tag)):
            check_readers(raw.decode())


def _check_fix(raw: bytes, context: PageContext, settings: Settings, found: list[Finding]) -> None:
    with limits():
        fixed = fix_page(raw, settings=settings, context=context)
    assert fixed.found == found
    is_promised = any(finding.fixable for finding in found)
    assert not (is_promised and fixed.reason), f"refused: {fixed.reason}"
    assert is_promised == (fixed.content != raw)
    left = check_page(fixed.content, settings=settings, context=context)
    assert fixed.findings == left
    assert not any(finding.fixable for finding in left), "something is left to fix"
    if fixed.content == raw:
        return
    again = fix_page(fixed.content, settings=settings, context=context)
    assert again.content == fixed.content, "a second run changes something"
    assert _kept(raw) == _kept(fixed.content), "something was lost"


def _kept(raw: bytes) -> list[Any]:
    """Return what a fix keeps: specs in any order, and all that is outside of `meta`."""
    page = parse_page(raw)
    data = dict(page.data)
    data.pop("meta", None)
    specs = []
    for spec in data.pop("spec_details", ()):
        spec = dict(spec)
        with suppress(TypeError, KeyError):
            spec["stacks"] = sorted(spec["stacks"])
        specs.append(dumps(spec, sort_keys=True))
    return [sorted(specs), data, page.body if page.body.strip() else ""]


def check_readers(text: str) -> None:
    """A page that passes: every reader in this process reads what the program read."""
    expected = readers.data_of(readers.describe(parse_page(text.encode()).data))
    for name, described in readers.read_in_process([readers.front_matter(text)]).items():
        assert readers.data_of(described[0]) == expected, f"{name} reads something else"
    passed.append(text)


def check_other_readers() -> None:
    """The same for all readers, with the pages that have passed since the last call."""
    texts = passed.copy()
    passed.clear()
    for text, by_reader in zip(texts, readers.read_all(texts), strict=True):
        expected = readers.data_of(readers.describe(parse_page(text.encode()).data))
        for name, described in by_reader.items():
            assert readers.data_of(described) == expected, f"{name} reads {text!r} differently"


# ------------------------------------------------------------------------------- catalogs

def _write(root: Path, files: Mapping[str, bytes]) -> None:
    for name, raw in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)


def check_catalog(files: dict[str, bytes]) -> None:
    """A whole catalog of some pages and its own files: `check` and `fix`."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _write(root, files)
        with limits():
            report = check([folder])
        assert not report.failed, report.findings
        for finding in report.findings:
            path = Path(finding.path)
            assert_inside(finding, path.read_bytes() if path.is_file() else b"")
        promised = {finding.path for finding in report.findings if finding.fixable}
        with limits():
            done = fix([folder])
        refused = [reason for path, reason in done.skipped if path in promised]
        assert not refused, f"refused: {refused}"
        assert not any(finding.fixable for finding in done.report.findings), "something is left"
        assert done.report.findings == check([folder]).findings
        changed = {str(Path(change.path).resolve()) for change in done.changed}
        for name, raw in files.items():
            if str((root / name).resolve()) not in changed:
                assert (root / name).read_bytes() == raw, name
        assert fix([folder]).changed == (), "a second run changes something"
    for name, by_line in ((catalog_files.TAGS, catalog_files.tags_by_line),
                          (catalog_files.META, catalog_files.meta_by_line)):
        _check_by_line(files[name], by_line)


def _check_by_line(raw: bytes, by_line: Any) -> None:
    """A file that is read by line is read as the parser reads it."""
    with suppress(UnicodeDecodeError):
        text = raw.decode("utf-8")
        quick = by_line(text)
        assert quick is None or repr(quick.value) == repr(yaml.load(text).value)


# ------------------------------------------------------------------------------- other readers

def check_configuration(files: dict[str, bytes]) -> None:
    """A configuration is read, or the error names one of its lines."""
    for name, raw in files.items():
        lines = raw.count(b"\n") + 1
        try:
            with limits():
                file = load(name, lambda _path, _limit, raw=raw: raw)  # type: ignore[misc]
                settings = join_settings(file.data, {})
        except CachelintError as error:
            _assert_names_a_line(str(error), name, lines)
            continue
        report = Report((), 1, unused=settings.per_file_ignores, compared=1)
        for sentence in find_unused(file, settings, report, ()):
            if sentence.startswith(name):
                _assert_names_a_line(sentence, name, lines)
        for key in _keys(file.data):
            assert 1 <= file.line(*key) <= lines, key
        assert isinstance(file, File)


def _keys(value: Any) -> Iterator[tuple[str | int, ...]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in pairs:
        yield (key,)
        if isinstance(item, (dict, list)):
            yield from ((key, *below) for below in _keys(item))


def _assert_names_a_line(message: str, name: str, lines: int) -> None:
    match = re.match(rf"{re.escape(name)}:(\d+): .", message)
    assert match, message
    assert 1 <= int(match[1]) <= lines, message


def _assert_names_file(message: str, name: str) -> None:
    assert message.startswith(f"{name}: "), message


def check_baseline(files: dict[str, bytes]) -> None:
    """A baseline is read, and written again has the same entries; or the error names the file."""
    (name, raw), = files.items()
    try:
        with limits():
            known = baseline.read(name, lambda *_: raw)
    except CachelintError as error:
        _assert_names_file(str(error), name)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/{name}"
        baseline.write(path, [], known)
        assert baseline.read(path) == known


def check_mirror(files: dict[str, bytes]) -> None:
    """An index is refused, or the pages that it implies are valid and agree with it."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _write(root / "mirror", files)
        listed = str(root / "mirror/cache_spack_io_index.json")
        source = IndexOptions(listed, damage.TAGS[0], mirrors={
            "s3://spack-binaries": str(root / "mirror")})
        with suppress(CachelintError), limits():
            indexes = find_indexes(source.open(), damage.TAGS[0])
            for file in (indexes.root, *indexes.stacks.values()):
                for _ in Database(file).read():
                    pass
        source = IndexOptions(str(root / "mirror/index.json"), damage.TAGS[0],
                              {"hep": str(root / "mirror/hep.json")})
        out = str(root / "out")
        try:
            with limits():
                render(out, source)
        except CachelintError:
            return
        assert not _are_errors(check([out]).findings)
        assert verify([out], source).findings == ()
        assert render(out, source).changes == ()
