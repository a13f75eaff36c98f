"""The fused backend: as the tile backend, with generated kernels for chains of elementwise operations."""

from eznas.backends.fused.auto import AutoBackend
from eznas.backends.fused.backend import FusedBackend
from eznas.backends.fused.source import kernel_source

__all__ = ["AutoBackend", "FusedBackend", "kernel_source"]
