"""Backends by name."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Final

from eznas.backends.backend import Backend
from eznas.backends.eager import EagerBackend
from eznas.backends.torchscript import TorchScriptBackend
from eznas.errors import ConfigError


@functools.cache
def _load_kernels() -> None:
    # Not before they are needed: Numba alone takes a second. Where need be, `load` compiles in processes.
    from eznas_kernels import loading

    loading.load()


def _tile() -> Backend:
    _load_kernels()
    from eznas.backends.tile import TileBackend

    return TileBackend()


def _fused() -> Backend:
    _load_kernels()
    from eznas.backends.fused import FusedBackend

    return FusedBackend()


def _auto() -> Backend:
    _load_kernels()
    from eznas.backends.fused import AutoBackend

    return AutoBackend()


_BACKENDS: Final[dict[str, Callable[[], Backend]]] = {
    "auto": _auto,
    "tile": _tile,
    "fused": _fused,
    "torchscript": TorchScriptBackend,
    "eager": EagerBackend,
}

BACKEND_NAMES: Final = tuple(_BACKENDS)
"""Every name that `get_backend` takes; `auto` is `tile`, and `fused` for chains that pay."""


def get_backend(name: str) -> Backend:
    """The backend of this name.

    Raises:
        ConfigError: No such backend.
    """
    if name not in _BACKENDS:
        raise ConfigError(f"unknown backend {name!r}; expected one of {', '.join(BACKEND_NAMES)}")
    return _BACKENDS[name]()
