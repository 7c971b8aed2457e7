"""`python -m cachelint`."""

from cachelint.cli.main import program

program()
