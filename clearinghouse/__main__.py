"""`python -m clearinghouse`: the command line."""

from clearinghouse.cli import main

main()
