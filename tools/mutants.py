"""Change the code in one place, and see whether a test fails: a sample of all such changes.

    .venv/bin/python tools/mutants.py [--number N] [--seed N] [MODULE]...

cosmic-ray makes the changes. A fork of this process loads the changed module instead of the real
one, and runs the tests of its package until one fails; no file is changed.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import difflib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import random
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType, ModuleType
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src/cachelint"
DEFAULT = ["rules/*.py", "fixer/*.py", "linter/fastpath.py"]
SECONDS = 120
"""Of processor time, after which a change counts as found: the tests no longer end."""
SAME = {"core/ReplaceComparisonOperator_Is_Eq", "core/ReplaceComparisonOperator_IsNot_NotEq"}
"""Changes without a result: what is compared by identity has no equality of its own."""
TESTS = {
    "rules": ["rules", "output/test_full.py", "output/test_fingerprints.py",
              "output/test_formats.py::test_golden", "linter/test_catalog.py",
              "fixer/test_catalog.py", "test_cases.py"],
    "rules/__init__.py": ["runner/test_verify.py"],
    "rules/selection.py": ["config", "test_api.py"],
    "rules/cl8_history.py": ["linter/test_changes.py"],
    "rules/cl9_index.py": ["index/test_compare.py", "runner/test_verify.py"],
    "fixer/tag.py": ["files/test_compare.py", "runner/test_isolation.py"],
    "fixer": ["fixer", "linter/test_catalog.py", "test_cases.py"],
    "linter": ["linter/test_fastpath.py"],
}
"""The tests of a package or module, below `tests`. Others may find what these do not."""


class Mutant(NamedTuple):
    """One change."""

    path: Path
    operator: str
    occurrence: int
    line: int


def list_mutants(path: Path) -> Iterator[Mutant]:
    """List the changes of a module, but for those that no test can find."""
    from cosmic_ray import plugins
    from cosmic_ray.ast import ast_nodes, get_ast

    source = path.read_text(encoding="utf-8")
    ignored = [*_without_result(ast.parse(source))]
    nodes = [*ast_nodes(get_ast(source))]
    for name in sorted({*plugins.operator_names()} - SAME):
        with contextlib.suppress(TypeError):  # some need arguments
            operator = plugins.get_operator(name)()
            places = [place for node in nodes for place in operator.mutation_positions(node)]
            for number, (start, _) in enumerate(places):
                if not any(first <= start < last for first, last in ignored):
                    yield Mutant(path, name, number, start[0])


def _without_result(tree: ast.AST) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Yield where annotations are, imports for them, and caches, which only save time."""
    for node in ast.walk(tree):
        found = [getattr(node, "annotation", None), getattr(node, "returns", None)]
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            found = [node]
        found += [each for each in getattr(node, "decorator_list", ())
                  if ast.unparse(each).startswith(("cache", "lru_cache"))]
        for place in found:
            if place is not None:
                assert place.end_lineno
                assert place.end_col_offset is not None
                # that of a decorator begins with its @
                start = place.col_offset - isinstance(node, ast.FunctionDef)
                yield (place.lineno, start), (place.end_lineno, place.end_col_offset)


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a module from changed source code."""

    changed = ""

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002
        return compile(self.changed, self.path, "exec", dont_inherit=True)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, path: Path, changed: str) -> None:
        parts = path.relative_to(SOURCE.parent).with_suffix("").parts
        self._name = ".".join(parts).removesuffix(".__init__")
        self._loader = _Loader(self._name, str(path))
        self._loader.changed = changed

    def find_spec(
        self, fullname: str, path: Sequence[str] | None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        return importlib.util.spec_from_file_location(
            fullname, self._loader.path, loader=self._loader) if fullname == self._name else None


def survives(mutant: Mutant, changed: str) -> bool:
    """Run the tests in a fork of this process; return whether all pass."""
    module = mutant.path.relative_to(SOURCE)
    package = module.parts[0]
    own = [f"{package}/test_{mutant.path.stem}.py", *TESTS.get(str(module), ())]
    first = [name for name in own if (ROOT / "tests" / name).exists()]
    pid = os.fork()
    if not pid:
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
            sys.meta_path.insert(0, _Finder(mutant.path, changed))
            quiet = os.open(os.devnull, os.O_WRONLY)
            os.dup2(quiet, 1)
            os.dup2(quiet, 2)
            os._exit(_run_tests(first) or _run_tests(TESTS[package]))
        finally:
            os._exit(70)
    _, status = os.waitpid(pid, 0)
    return status == 0


def _show(mutant: Mutant, source: str, changed: str) -> None:
    diff = difflib.unified_diff(source.splitlines(), changed.splitlines(), n=0, lineterm="")
    print(f"{mutant.path.relative_to(ROOT)}:{mutant.line}: {mutant.operator}", *[*diff][3:],
          sep="\n", flush=True)


def _run_tests(names: list[str]) -> int:
    """Run tests until one fails; return 0 if all pass."""
    import pytest

    # what was loaded before the fork is not rewritten
    return bool(names) and pytest.main([
        "-xqq", "-n0", "-pno:cacheprovider", "-Wignore::pytest.PytestAssertRewriteWarning",
        *(str(ROOT / "tests" / name) for name in names)])


def main() -> None:
    """Try a sample of all changes, and print those that no test finds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", default=DEFAULT,
                        help=f"globs below src/cachelint (default: {' '.join(DEFAULT)})")
    parser.add_argument("--number", type=int, default=100_000, help="how many (default: all)")
    parser.add_argument("--seed", type=int, default=0, help="which (default: 0)")
    options = parser.parse_args()
    from cosmic_ray import mutating, plugins

    os.chdir(ROOT)
    paths = sorted({path for glob in options.modules for path in SOURCE.glob(glob)})
    every = [mutant for path in paths for mutant in list_mutants(path)]
    random.Random(options.seed).shuffle(every)
    for name in ("hypothesis", "jsonschema", "pytest", "ruamel.yaml", "click", "jinja2", "yaml",
                 "subprocess", "unittest.mock"):
        importlib.import_module(name)  # once, not in each fork
    for path in {path.parent: path for path in paths}.values():
        unchanged = path.read_text(encoding="utf-8")
        assert survives(Mutant(path, "", 0, 0), unchanged), f"{path}: a test fails anyway"
    tried = survived = 0
    start = time.monotonic()
    with contextlib.suppress(KeyboardInterrupt):
        for mutant in every[: options.number]:
            source = mutant.path.read_text(encoding="utf-8")
            operator = plugins.get_operator(mutant.operator)()
            changed = mutating.mutate_code(source, operator, mutant.occurrence) or ""
            is_missed = survives(mutant, changed)
            tried += 1
            survived += is_missed
            if is_missed:
                _show(mutant, source, changed)
    print(f"{tried - survived} of {tried} found ({(tried - survived) / max(tried, 1):.1%}), of "
          f"{len(every)} changes in all, in {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
