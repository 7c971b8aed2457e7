"""Write those parts of the documentation that come from the program.

    python tools/write_docs.py

writes docs/rules.md, the man page, what is between markers in docs/commands.md, python.md,
pages.md, design.md, verify.md, json.md and ci.md, and a checksum there. A test fails when one of
them is stale.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

import cachelint
import man_page
from cachelint.cli import init
from cachelint.cli.main import cli
from cachelint.cli.options import Option
from cachelint.document import schema
from cachelint.index import mapping
from cachelint.output.formats import FORMATS
from cachelint.rules import explain

ROOT = Path(__file__).parents[1]

FUNCTIONS = (
    cachelint.check, cachelint.check_page, cachelint.fix, cachelint.fix_page,
    cachelint.render_page, cachelint.summarize, cachelint.select, cachelint.tasks_of,
    cachelint.check_tag, cachelint.check_catalog,
)
DATA = (
    cachelint.Report, cachelint.Finding, cachelint.Settings, cachelint.FileIgnore,
    cachelint.PageContext, cachelint.FixReport, cachelint.PageFix, cachelint.TagTask,
    cachelint.TagResult,
)


def render_all() -> Iterator[tuple[Path, str]]:
    """Yield each file that is written, with its content."""
    yield ROOT / "docs" / "rules.md", "\n\n".join(explain.page()) + "\n"
    yield ROOT / "man" / "cachelint.1", man_page.render()
    yield _filled("python", {
        "functions": map(_function, FUNCTIONS),
        "data": map(_data, DATA),
    })
    yield _filled("pages", {
        "current": [_page("develop-2025-03-30/gcc")], "tarball": [_page("v0.23.1/gcc")],
    })
    yield _filled("commands", {"commands": _commands(), "formats": _formats()})
    yield _filled("design", {"rooms": _rooms()})
    page, text = _filled("ci", {"hooks": [_yaml(init.render_hooks())],
                                "workflow": [_yaml(init.WORKFLOW)]})
    yield page, _with_checksum(text, ROOT / "ci" / "gitlab.yml")
    yield _filled("verify", {"fields": _index_fields()})
    yield _filled("json", {name: _fields(schema.load(name))
                           for name in ("report", "rules", "diff")})


def _filled(name: str, parts: dict[str, Iterable[str]]) -> tuple[Path, str]:
    """Put parts between their markers in a page of the documentation."""
    path = ROOT / "docs" / f"{name}.md"
    text = path.read_text(encoding="utf-8")
    for part, pieces in parts.items():
        begin, end = f"<!-- generated: {part} -->", "<!-- generated: end -->"
        before, rest = text.split(begin)
        after = rest.split(end, 1)[1]
        text = f"{before}{begin}\n\n{chr(10).join(pieces)}\n{end}{after}"
    return path, text


def _with_checksum(text: str, template: Path) -> str:
    """Write the checksum of a file that GitLab includes wherever a page pins it."""
    digest = base64.b64encode(hashlib.sha256(template.read_bytes()).digest()).decode()
    return re.sub(r"integrity: sha256-\S*", f"integrity: sha256-{digest}", text)


def _yaml(text: str) -> str:
    return f"```yaml\n{text}```\n"


def _index_fields() -> Iterator[str]:
    """Write from what in an index each field of a page follows."""
    yield "| field | from |\n|---|---|"
    yield from (f"| `{field.name}` | {field.source} |" for field in mapping.FIELDS)
    yield ""


def _page(where: str) -> str:
    """Show a page of the example catalog, with its long lines folded."""
    path = ROOT / "examples" / "catalog" / "_cache" / where / "specs.md"
    lines = [textwrap.fill(line, 76, subsequent_indent="    ", break_long_words=False,
                           break_on_hyphens=False)
             for line in path.read_text(encoding="utf-8").split("\n")]
    return _yaml("\n".join([*lines, ""]))


# -------------------------------------------------------------------------------- from docstrings


def _rooms() -> Iterator[str]:
    """Write what each room is for and the modules in it, floor by floor, as a test checks them."""
    test = ast.parse((ROOT / "tests" / "test_architecture.py").read_text(encoding="utf-8"))
    [floors] = [node.value for node in test.body if isinstance(node, ast.Assign)
                and ast.unparse(node.targets[0]) == "FLOORS"]
    yield "| floor | room | |\n|---|---|---|"
    for number, floor in enumerate(ast.literal_eval(floors), 1):
        for room in floor:
            folder = ROOT / "src" / "cachelint" / room
            yield f"| {number} | `{room}{'/' * folder.is_dir()}` | {_about(folder)} |"
            for module in sorted(folder.glob("[!_]*.py")):
                yield f"| | `{room}/{module.stem}` | {_about(module.with_suffix(''))} |"
    yield ""


def _about(path: Path) -> str:
    """Return the first paragraph of a module's docstring; a folder's is in ``__init__.py``."""
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
    return " ".join(docstring.split("\n\n")[0].split()).replace("``", "`")


def _function(function: Any) -> str:
    """Write a function's signature and docstring."""
    name = function.__name__
    parameters = inspect.signature(function)
    lines = [f"{each}," if each != "*" else "*," for each in _parameters(parameters)]
    signature = f"{name}({' '.join(lines).rstrip(',')}) -> {parameters.return_annotation}"
    if len(signature) > 88:
        signature = (f"{name}(\n" + "".join(f"    {line}\n" for line in lines)
                     + f") -> {parameters.return_annotation}")
    prose = _prose(inspect.getdoc(function) or "")
    return f"### {name}\n\n```python\n{signature}\n```\n\n{prose}\n"


def _parameters(signature: inspect.Signature) -> Iterator[str]:
    is_named = False
    for each in signature.parameters.values():
        if each.kind is each.KEYWORD_ONLY and not is_named:
            is_named = True
            yield "*"
        default = "" if each.default is each.empty else f" = {each.default!r}"
        yield f"{each.name}: {each.annotation}{default}"


def _prose(docstring: str) -> str:
    """Turn a docstring into Markdown: its sections into lists."""
    text, *sections = re.split(r"\n\n(Args|Returns|Raises):\n", docstring)
    pieces = [text]
    for title, body in zip(sections[::2], sections[1::2], strict=True):
        if title == "Returns":
            pieces.append(f"**Returns:** {' '.join(body.split())}")
            continue
        items = [" ".join(item.split()) for item in re.split(r"\n(?! )", textwrap.dedent(body))]
        named = [re.sub(r"^(\w+): ", r"`\1`: ", item) for item in items]
        pieces.append("\n".join(f"- {item}" for item in named) if title == "Args"
                      else "\n\n".join(f"**Raises:** {item}" for item in named))
    return "\n\n".join(pieces).replace("``", "`")


def _data(kind: Any) -> str:
    """Write a named tuple's fields, with the docstrings below them."""
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(body, ast.ClassDef)
    rows = []
    for field, after in zip(body.body, [*body.body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign):
            assert isinstance(field.target, ast.Name)
            default = f" = {ast.unparse(field.value)}" if field.value else ""
            rows.append((field.target.id, ast.unparse(field.annotation) + default, _text(after)))
        elif isinstance(field, ast.FunctionDef) and field.decorator_list:
            rows.append((field.name, ast.unparse(field.returns) if field.returns else "",
                         _text(field.body[0])))
    return f"### {kind.__name__}\n\n{inspect.getdoc(kind)}\n\n{_table(('', 'type', ''), rows)}"


def _text(node: ast.stmt | None) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return " ".join(str(node.value.value).split()).replace("``", "`")
    return ""


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, str, str]]) -> str:
    lines = [" | ".join(heads), " | ".join("---" for _ in heads)]
    lines += [f"`{name}` | `{kind}` | {text}" for name, kind, text in
              ((name, kind.replace("|", "\\|"), text) for name, kind, text in rows)]
    return "".join(f"| {line} |\n" for line in lines)


# ------------------------------------------------------------------------------------ from tables


def _commands() -> Iterator[str]:
    """Write each command with its options, section by section."""
    settings = schema.load("configuration")["properties"]
    for name, command in cli.commands.items():
        context = click.Context(command, info_name=f"cachelint {name}")
        about = inspect.cleandoc(command.help or "").split("\n\n")[0]
        yield f"## cachelint {name}\n\n{' '.join(about.split())}\n"
        yield f"```text\n{' '.join(command.get_usage(context).split()[1:])}\n```\n"
        rows = []
        for option in command.params:
            if isinstance(option, Option):
                flags, text = option.get_help_record(context)
                name = option.opts[0].removeprefix("--")
                key = f"[`{name}`](configuration.md)" if name in settings else ""
                rows.append(f"| `{flags.replace('|', chr(92) + '|')}` | {key} | {text} |\n")
        if rows:
            yield f"| option | key | |\n|---|---|---|\n{''.join(rows)}"


def _formats() -> Iterator[str]:
    """Write the table of output formats."""
    rows = (f"| `{row.name}` | {row.use} |\n" for row in FORMATS.values())
    yield f"| format | |\n|---|---|\n{''.join(rows)}"


# ---------------------------------------------------------------------------------- from schemas


def _fields(whole: dict[str, Any]) -> Iterator[str]:
    """Write a schema's fields, a table for each object."""
    described = whole.get("items", whole)
    yield _schema_table(described["properties"])
    for key, value in described["properties"].items():
        below = value.get("items", value)
        if "properties" in below:
            each = "Each item of" if "items" in value else "In"
            yield f"{each} `{key}`:\n\n{_schema_table(below['properties'])}"


def _schema_table(properties: dict[str, Any]) -> str:
    return _table(("key", "type", ""), (
        (key, value.get("type") or " or ".join(map(str, value.get("enum", [value.get("const")]))),
         value["description"]) for key, value in properties.items()))


def main() -> None:
    """Write them all."""
    for path, text in render_all():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
