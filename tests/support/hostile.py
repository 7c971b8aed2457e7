"""A checkout whose modules must not be run, and a package to install without a network."""

from __future__ import annotations

import zipfile
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


def make_wheel(folder: Path) -> Path:
    """Make a wheel of a package called cachelint, with nothing in it; return its folder."""
    folder.mkdir()
    info = "cachelint-0.1.0.dist-info"
    with zipfile.ZipFile(folder / "cachelint-0.1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("cachelint/__init__.py", "")
        wheel.writestr(f"{info}/METADATA",
                       "Metadata-Version: 2.1\nName: cachelint\nVersion: 0.1.0\n")
        wheel.writestr(f"{info}/WHEEL",
                       "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return folder
