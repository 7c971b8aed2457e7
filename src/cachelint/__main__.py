"""`python -m cachelint`."""

from cachelint.cli import program

program()
