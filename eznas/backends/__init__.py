"""Backends: ways to compute the scalar of every program on every layer of a network."""

from eznas.backends.backend import Backend, SubtreeBackend, ToScalar, Work
from eznas.backends.registry import BACKEND_NAMES, get_backend

__all__ = ["BACKEND_NAMES", "Backend", "SubtreeBackend", "ToScalar", "Work", "get_backend"]
