"""Imports go one way: a room may import itself and the rooms on floors above it."""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src/cachelint"

# from what knows nothing to what knows all; a folder is one room
FLOORS = [
    ["model", "text"],
    ["files"],
    ["document"],
    ["rules"],
    ["config", "linter", "index", "output"],
    ["fixer"],
    ["runner"],
    ["cli", "__init__", "__main__"],
]
ROOMS = [room for floor in FLOORS for room in floor]
# only the version is taken from the top of the package
EXCEPTIONS = {("cli", "__init__"), ("output", "__init__"), ("__main__", "cli")}


def rooms() -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        found.setdefault(path.relative_to(PACKAGE).parts[0].removesuffix(".py"), []).append(path)
    return found


def imported(path: Path) -> set[str]:
    """Return the rooms that a module imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "cachelint":
            names |= {alias.name if alias.name in ROOMS else "__init__" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            top, *below = node.module.split(".")
            names |= {below[0]} if top == "cachelint" else set()
        elif isinstance(node, ast.Import):
            names |= {alias.name.split(".")[1] for alias in node.names
                      if alias.name.startswith("cachelint.")}
    return names


def test_every_room_has_its_floor() -> None:
    assert sorted(rooms()) == sorted(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_imports_go_one_way(room: str) -> None:
    number = next(number for number, floor in enumerate(FLOORS) if room in floor)
    allowed = {room}.union(*FLOORS[:number])
    for path in rooms()[room]:
        wrong = {name for name in imported(path) - allowed if (room, name) not in EXCEPTIONS}
        if room != "__init__":
            assert not wrong, f"{path.relative_to(PACKAGE)} imports {sorted(wrong)}"


def test_nothing_heavy_is_imported_for_a_valid_page() -> None:
    import subprocess
    import sys

    page = PACKAGE.parents[1] / "examples/catalog/_cache/develop/swig/specs.md"
    code = (
        "import sys; from cachelint import check; assert not check([sys.argv[1]]).findings; "
        "heavy = {'jsonschema', 'ruamel.yaml', 'multiprocessing', 'concurrent.futures', 'tomllib',"
        " 'subprocess', 'difflib', 'jinja2'}; print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(page)], capture_output=True,
                          encoding="utf-8", check=True)
    assert done.stdout == "[]\n"


def compares_a_code(node: ast.AST) -> bool:
    """Return whether a comparison, prefix test or set is about a rule's code."""
    strings = [each.value for each in ast.walk(node)
               if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    is_about_codes = any(re.fullmatch("CL[0-9]*", string) for string in strings)
    if isinstance(node, ast.Compare | ast.Set):
        return is_about_codes
    return (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("startswith", "endswith") and is_about_codes)


@pytest.mark.parametrize("path", [
    pytest.param(path, id=str(path.relative_to(PACKAGE))) for path in sorted(PACKAGE.rglob("*.py"))
    if path.parent.name != "rules"])
def test_only_rules_compare_codes(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [node.lineno for node in ast.walk(tree)
             if isinstance(node, ast.expr) and compares_a_code(node)]
    assert found == [], f"{path.name} compares a rule's code: give the rule an attribute"
