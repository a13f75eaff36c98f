"""`python -m eznas` is the same as `eznas`."""

from eznas.cli import main

main()
