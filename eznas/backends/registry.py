"""Backends by name."""

from __future__ import annotations

from typing import Final

from eznas.backends.backend import Backend
from eznas.backends.eager import EagerBackend
from eznas.errors import ConfigError

_BACKENDS: Final[dict[str, type[Backend]]] = {
    "auto": EagerBackend,
    EagerBackend.name: EagerBackend,
}

BACKEND_NAMES: Final = tuple(_BACKENDS)
"""Every name that `get_backend` takes; `auto` is the fastest one for the work, at present always `eager`."""


def get_backend(name: str) -> Backend:
    """The backend of this name.

    Raises:
        ConfigError: No such backend.
    """
    if name not in _BACKENDS:
        raise ConfigError(f"unknown backend {name!r}; expected one of {', '.join(BACKEND_NAMES)}")
    return _BACKENDS[name]()
