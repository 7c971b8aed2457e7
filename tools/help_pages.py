"""Print `--help` of the program and of each command as Markdown, for the prose linter."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap


def main() -> None:
    """Print them all."""
    overview = _help()
    commands = re.findall(r"^  (\w+)", overview.split("Commands:\n")[1], re.MULTILINE)
    for page in (overview, *map(_help, commands)):
        # without the indentation, which would make code of it
        print("\n".join(line.strip() for line in page.splitlines()), end="\n\n")


def _help(*command: str) -> str:
    done = subprocess.run([sys.executable, "-m", "cachelint", *command, "--help"],
                          stdout=subprocess.PIPE, encoding="utf-8", check=True)
    return textwrap.dedent(done.stdout)


if __name__ == "__main__":
    main()
