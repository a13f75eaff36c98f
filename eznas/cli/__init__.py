"""The command line."""

from eznas.cli.main import main

__all__ = ["main"]
