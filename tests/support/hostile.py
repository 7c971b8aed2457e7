"""A checkout whose modules must not be run, and a package to install without a network."""

from __future__ import annotations

import subprocess
from pathlib import Path

_MODULES = ("venv", "pip", "json", "ensurepip", "site", "subprocess", "sitecustomize",
            "usercustomize", "cachelint", "click", "encodings", "logging")


def plant_modules(checkout: Path, outside: Path) -> Path:
    """Add modules that the standard library has too; return the file that each would create."""
    marker = outside / "a-module-was-run"
    for name in _MODULES:
        (checkout / name).mkdir()
        for module in (checkout / f"{name}.py", checkout / name / "__init__.py",
                       checkout / name / "__main__.py"):
            module.write_text(f"open({str(marker)!r}, 'a').write(__name__)\n")
    return marker


_BACKEND = """
import zipfile

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    name = "cachelint-0.1.0-py3-none-any.whl"
    info = "cachelint-0.1.0.dist-info"
    with zipfile.ZipFile(f"{wheel_directory}/{name}", "w") as wheel:
        wheel.writestr("cachelint/__init__.py", "")
        wheel.writestr(f"{info}/METADATA",
                       "Metadata-Version: 2.1\\nName: cachelint\\nVersion: 0.1.0\\n")
        wheel.writestr(f"{info}/WHEEL",
                       "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/RECORD", "")
    return name
"""


def serve_repository(folder: Path) -> dict[str, str]:
    """Make a repository of an empty package called cachelint; return what makes git use it."""
    folder.mkdir()
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n')
    (folder / "backend.py").write_text(_BACKEND)
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for command in (["init", "--quiet"], ["config", "uploadpack.allowFilter", "true"],
                    ["add", "."], [*identity, "commit", "--quiet", "--message", "a"],
                    ["tag", "v0.1.0"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.{folder.as_uri()}.insteadOf",
            "GIT_CONFIG_VALUE_0": "https://github.com/spack/cachelint", "PIP_NO_INDEX": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
