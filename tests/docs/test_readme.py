"""The README's examples do what they show."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_first_two_commands_set_up_everything() -> None:
    first, second, *_ = blocks("sh")
    assert re.fullmatch(r"python3 -m venv .* install .* && .* check examples/catalog && "
                        r".* check --exit-zero examples/faulty\n", first)
    assert re.fullmatch(r"python3 -m venv .* install .* && .* -m pytest\n", second)


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
