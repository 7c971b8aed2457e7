"""`python -m cachelint`."""

from cachelint.cli import main

main()
