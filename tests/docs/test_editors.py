"""Editors: the settings of `docs/editors.md`, tried with the real ones where they are installed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cachelint.document import schema
from support import valid

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "editors.md").read_text(encoding="utf-8")
SWIG = "_cache/develop/swig/specs.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


SETTINGS, TASKS = map(json.loads, blocks("json"))


def needs(program: str) -> None:
    """Skip a test whose program is not installed, but never in continuous integration."""
    if shutil.which(program) is None and os.environ.get("CI") != "true":
        pytest.skip(f"{program} is not installed")


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "examples" / "catalog", tmp_path / "catalog"))


def spoil(catalog: Path) -> list[tuple[str, int, int, str, str]]:
    """Make an error and a warning, and return them: path, line, column, code, severity."""
    page = catalog / SWIG
    page.write_text(page.read_text().replace('"num_specs": ', '"num_specs": 1', 1) + "\n")
    report = json.loads(cachelint(catalog, "check", "--output-format", "json"))
    found = [(each["path"], each["line"], each["column"], each["code"], each["severity"])
             for each in report["findings"]]
    assert [each[3:] for each in found] == [("CL301", "error"), ("CL505", "warning")]
    return found


def cachelint(catalog: Path, *arguments: str) -> str:
    return subprocess.run([sys.executable, "-m", "cachelint", *arguments], cwd=catalog,
                          capture_output=True, text=True, check=False).stdout


# ------------------------------------------------------------------------- running cachelint


def matches(lines: list[str]) -> list[list[str | None]]:
    """Apply the regular expression of the task, as JavaScript understands it."""
    needs("node")
    script = ("const [regexp, lines] = JSON.parse(require('fs').readFileSync(0));"
              "console.log(JSON.stringify(lines.map(line => line.match(new RegExp(regexp)))))")
    [task] = TASKS["tasks"]
    done = subprocess.run(
        ["node", "-e", script], capture_output=True, text=True, check=True,
        input=json.dumps([task["problemMatcher"]["pattern"]["regexp"], lines]))
    found: list[list[str | None]] = json.loads(done.stdout)
    return found


def test_problem_matcher_takes_every_finding_and_nothing_else(catalog: Path) -> None:
    due = spoil(catalog)
    [task] = TASKS["tasks"]
    assert task["command"] == "cachelint"
    *lines, total = cachelint(catalog, *task["args"]).splitlines()
    pattern = task["problemMatcher"]["pattern"]
    *found, nothing = matches([*lines, total])
    assert nothing is None
    assert [(match[pattern["file"]], int(match[pattern["line"]] or 0),
             int(match[pattern["column"]] or 0), match[pattern["code"]],
             match[pattern["severity"]] or task["problemMatcher"]["severity"])
            for match in found] == due
    assert [str(match[pattern["message"]]).split()[0] for match in found] == ["num_specs", "a"]


def test_problem_matcher_takes_paths_with_colons_and_spaces() -> None:
    [match] = matches(["a b/c: d/specs.md:5:44: CL301 num_specs is 3: no"])
    assert match[1:] == ["a b/c: d/specs.md", "5", "44", "CL301", None, "num_specs is 3: no"]


def test_vim_goes_to_every_finding(catalog: Path, tmp_path: Path) -> None:
    needs("vim")
    due = spoil(catalog)
    compiler, autocommand = blocks("vim")
    (tmp_path / "vim" / "compiler").mkdir(parents=True)
    (tmp_path / "vim" / "compiler" / "cachelint.vim").write_text(compiler)
    program = tmp_path / "cachelint"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cachelint "$@"\n')
    program.chmod(0o755)
    listed = ("map(getqflist(), '[bufname(v:val.bufnr), v:val.lnum, v:val.col, v:val.nr, "
              "v:val.type, v:val.text]')")
    script = tmp_path / "script.vim"
    script.write_text(
        f"set nocompatible\nset runtimepath+={tmp_path}/vim\n{autocommand}"
        f"compiler cachelint\nsilent make!\ncall writefile([json_encode({listed})], 'all')\n"
        f"edit {SWIG}\ncall setqflist([])\nset nofixendofline\nsilent write\n"
        f"call writefile([json_encode({listed})], 'saved')\nquitall!\n")
    subprocess.run(["vim", "-e", "-s", "-N", "-u", "NONE", "-S", str(script)], cwd=catalog,
                   env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}, timeout=60,
                   check=False, stdin=subprocess.DEVNULL)
    for name in ("all", "saved"):
        found = json.loads((catalog / name).read_text())
        assert [(path, line, column, f"CL{number}", "warning" if kind == "w" else "error")
                for path, line, column, number, kind, _ in found] == due, name
        assert [text.split()[0] for *_, text in found] == ["num_specs", "a"]


# ------------------------------------------------------------------------- schemas


def test_files_of_the_settings_are_those_that_are_written() -> None:
    script = blocks("sh")[0]
    assert (names := re.findall(r"for name in (.*); do", script)[0].split())
    assert set(names) <= {*schema.NAMES, schema.FOR_EDITORS}
    assert set(SETTINGS["yaml.schemas"]) == {f".schemas/{name}.schema.json" for name in names}
    for text in (*blocks("lua"), *blocks("lisp")):
        assert set(re.findall(r"\.schemas/[\w.-]+\.json", text)) == set(SETTINGS["yaml.schemas"])


def _page(specs: list[dict[str, Any]]) -> dict[str, Any]:
    return {"title": "zlib", "layout": "cache", "categories": ["package", valid.TAG],
            "meta": valid.summary(specs), "spec_details": specs}


LEGACY = {"title": "zlib", "layout": "cache", "category": "package", "spec_files": ["a"],
          "meta": {"versions": ["1"], "compilers": ["gcc@8"]}}
TAG_PAGE = {"layout": "table", "permalink": "/tag/develop/", "tag": "develop"}
# values in front matter, and whether the schema for editors lets it pass
FRONT_MATTER: dict[str, tuple[Any, bool]] = {
    "current": (_page(valid.specs()), True),
    "tarball": (_page(valid.tarball_specs()), True),
    "tarball, one without": (_page([*valid.tarball_specs()[:1], valid.specs()[1]]), False),
    "legacy": (LEGACY, True),
    "legacy, without meta": ({**LEGACY, "meta": {}}, False),
    "tag": (TAG_PAGE, True),
    "tag, another layout": ({**TAG_PAGE, "layout": "cache"}, False),
    "behind the closing line": (None, True),
    "text": ("by hand", False),
    "nothing but a title": ({"title": "zlib"}, False),
    "bad hash": (_page(valid.specs(0, hash=valid.FIRST[:-1])), False),
}


@pytest.mark.parametrize(("data", "passes"), FRONT_MATTER.values(), ids=FRONT_MATTER)
def test_schema_for_editors(data: Any, passes: bool) -> None:
    composed = json.loads(schema.text(schema.FOR_EDITORS))
    Draft202012Validator.check_schema(composed)
    assert Draft202012Validator(composed).is_valid(data) is passes


class Server:
    """yaml-language-server, used as an editor uses it."""

    def __init__(self, root: Path) -> None:
        settings: dict[str, Any] = {"yaml": {
            "schemas": SETTINGS["yaml.schemas"], "schemaStore": {"enable": False},
            "validate": True, "hover": True, "completion": True}}
        self.root = root
        self.settings = settings
        self.findings: dict[str, list[dict[str, Any]]] = {}
        self.answers: dict[int, Any] = {}
        self.process = subprocess.Popen(["yaml-language-server", "--stdio"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.number = 0
        self.request("initialize", processId=os.getpid(), rootUri=root.as_uri(),
                 capabilities={"workspace": {"configuration": True}},
                 workspaceFolders=[{"uri": root.as_uri(), "name": "catalog"}])
        self.send(method="initialized", params={})
        self.send(method="workspace/didChangeConfiguration", params={"settings": settings})

    def send(self, **message: Any) -> None:
        raw = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(raw), raw))
        self.process.stdin.flush()

    def read(self) -> None:
        assert self.process.stdout is not None
        while header := self.process.stdout.readline():
            if not header.lower().startswith(b"content-length"):
                continue
            length = int(header.split(b":")[1])
            while self.process.stdout.readline().strip():
                pass
            message = json.loads(self.process.stdout.read(length))
            if message.get("method") == "workspace/configuration":
                wanted = [self.settings.get(item.get("section"))
                          for item in message["params"]["items"]]
                self.send(id=message["id"], result=wanted)
            elif message.get("method") == "textDocument/publishDiagnostics":
                self.findings[message["params"]["uri"]] = message["params"]["diagnostics"]
            elif "method" in message and "id" in message:
                self.send(id=message["id"], result=None)
            elif "id" in message:
                self.answers[message["id"]] = message.get("result")

    def wait(self, found: dict[Any, Any], key: Any) -> Any:
        end = time.monotonic() + 30
        while key not in found:
            assert time.monotonic() < end
            time.sleep(0.02)
        return found[key]

    def request(self, method: str, **params: Any) -> Any:
        self.number += 1
        self.send(id=self.number, method=method, params=params)
        return self.wait(self.answers, self.number)

    def shows(self, path: str, text: str) -> list[tuple[int, str]]:
        """Show a document to the server; return what is underlined: the line, from 1, and why."""
        uri = (self.root / path).as_uri()
        if self.findings.pop(uri, None) is None:
            self.send(method="textDocument/didOpen", params={"textDocument": {
                "uri": uri, "languageId": "yaml", "version": 1, "text": text}})
        else:
            self.send(method="textDocument/didChange", params={
                "textDocument": {"uri": uri, "version": 2}, "contentChanges": [{"text": text}]})
        found = self.wait(self.findings, uri)
        return [(each["range"]["start"]["line"] + 1, each["message"]) for each in found]

    def hover(self, path: str, line: int, character: int) -> str:
        answer = self.request("textDocument/hover", position={"line": line, "character": character},
                          textDocument={"uri": (self.root / path).as_uri()})
        return str(answer["contents"]["value"])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    needs("yaml-language-server")
    root = tmp_path_factory.mktemp("catalog")
    (root / ".schemas").mkdir()
    for name in ("front-matter", "tags", "meta"):
        (root / ".schemas" / f"{name}.schema.json").write_text(schema.text(name))
    started = Server(root)
    yield started
    started.process.kill()
    started.reader.join()
    assert started.process.stdin is not None
    assert started.process.stdout is not None
    started.process.stdin.close()
    started.process.stdout.close()
    started.process.wait()


def files() -> list[str]:
    """Return every file of the example that the settings name."""
    catalog = ROOT / "examples" / "catalog"
    return [path.relative_to(catalog).as_posix() for pattern in
            ("_cache/*/*/specs.md", "pages/tags/*.md", "_data/*.yaml")
            for path in sorted(catalog.glob(pattern))]


@pytest.mark.parametrize("path", files())
def test_server_finds_nothing_wrong_with_the_example(server: Server, path: str) -> None:
    assert server.shows(path, (ROOT / "examples/catalog" / path).read_text("utf-8")) == []


@pytest.mark.parametrize("name", ["index.md", "specs.md"])
def test_server_finds_nothing_wrong_with_legacy_pages(server: Server, name: str) -> None:
    text = (ROOT / "tests/corpus/_cache/adol-c" / name).read_text("utf-8")
    assert server.shows(f"_cache/adol-c/{name}", text) == []


HASH_PATTERN = 'String does not match the pattern of "^[a-z2-7]{32}$(?!\\n)".'
# file, text, what is underlined
UNDERLINED: dict[str, tuple[str, str, list[tuple[int, str]]]] = {
    "layout": ("_cache/a/a/specs.md", valid.PAGE.replace("layout: cache", "layout: table"),
               [(3, 'Value must be "cache".')]),
    "no meta": ("_cache/a/b/specs.md", valid.PAGE.replace(valid.lines()["meta"] + "\n", ""),
                [(2, 'Missing property "meta".')]),
    "hash": ("_cache/a/c/specs.md", valid.PAGE.replace(valid.FIRST, valid.FIRST[:-1] + "1"),
             [(6, HASH_PATTERN)]),
    "type": ("_cache/a/d/specs.md", valid.PAGE.replace('"num_specs": 2', '"num_specs": "2"'),
             [(5, 'Incorrect type. Expected "integer".')]),
    "text behind": ("_cache/a/e/specs.md", valid.PAGE + "\nBuilt by hand.\n",
                    [(8, 'Incorrect type. Expected "null".')]),
    "page of a tag": ("pages/tags/a.md", "---\nlayout: cache\npermalink: /tag/a/\ntag: a\n---",
                      [(2, 'Value must be "table".')]),
    "tags": ("_data/tags.yaml", "- name: develop\n  stack:\n  - root\n",
             [(1, 'Missing property "stacks".'), (2, "Property stack is not allowed.")]),
    "counts": ("_data/meta.yaml", "all:\n  count: many\n",
               [(2, 'Incorrect type. Expected "integer".')]),
    # which only cachelint checks
    "wrong count": ("_cache/a/f/specs.md", valid.page(valid.meta(num_specs=3)), []),
}


@pytest.mark.parametrize(("path", "text", "due"), UNDERLINED.values(), ids=UNDERLINED)
def test_server_underlines(server: Server, path: str, text: str, due: list[tuple[int, str]]
                           ) -> None:
    assert server.shows(path, text) == due


def test_server_shows_what_a_key_means(server: Server) -> None:
    path = "_cache/hover/zlib/specs.md"
    server.shows(path, valid.PAGE)
    lines = valid.PAGE.split("\n")
    for key, said in {"title": "The package's name", "num_specs_by_stack": "For each stack",
                      "hash": "32 characters of base32"}.items():
        [line] = [n for n, text in enumerate(lines) if text.startswith(key) or f'"{key}"' in text]
        assert said in server.hover(path, line, lines[line].index(key) + 1)
