"""The tile backend: plans, run by kernels that are compiled once for all programs."""

from eznas.backends.tile.backend import TileBackend

__all__ = ["TileBackend"]
