"""The README's examples do what they show."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_first_two_commands_set_up_everything() -> None:
    first, second, *_ = blocks("sh")
    assert re.fullmatch(r"python3 -m venv .* install .* && .* check examples/catalog\n", first)
    assert re.fullmatch(r"python3 -m venv .* install .* && .* -m pytest\n", second)


def test_output_example(tmp_path: Path) -> None:
    catalog = tmp_path / "catalog"
    shutil.copytree(ROOT / "examples/catalog", catalog)
    page = catalog / "_cache/develop-2025-03-30/py-pyproject-metadata/specs.md"
    text = page.read_text(encoding="utf-8")
    text = text.replace('"num_specs": 31', '"num_specs": 30')
    page.write_text(text.replace("3wzqshpikzygq25zfyt7bvpk6kiex5yi",
                                 "3wzqshpikzygq25zfyt7bvpk6kiex5y1"), encoding="utf-8")
    command, expected = blocks("console")[0].split("\n", 1)
    assert command == "$ cachelint check"
    done = subprocess.run(
        [sys.executable, "-m", "cachelint", "check", "--output-format", "full"],
        cwd=catalog, capture_output=True, encoding="utf-8", check=False,
    )
    assert done.stdout == expected
    assert done.returncode == 1


@pytest.mark.parametrize("code", blocks("python"))
def test_python_example(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    exec(compile(code, "README.md", "exec"), {})


def test_configuration_example(tmp_path: Path) -> None:
    (tmp_path / "cachelint.toml").write_text(blocks("toml")[0], encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "cachelint", "check", "-v", str(ROOT / "examples/catalog")],
        cwd=tmp_path, capture_output=True, encoding="utf-8", check=False,
    )
    assert (done.returncode, "cachelint.toml" in done.stderr) == (0, True)
