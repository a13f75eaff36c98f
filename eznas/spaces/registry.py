"""Spaces by name, or by the import path of a class of the user's own."""

from __future__ import annotations

import importlib
import inspect

from eznas.errors import SpaceError
from eznas.spaces.micro_size import MicroSize
from eznas.spaces.micro_topology import MicroTopology
from eznas.spaces.nats_size import NatsSize
from eznas.spaces.nats_topology import NatsTopology
from eznas.spaces.nds import NDS_SPACES
from eznas.spaces.space import Space
from eznas.suggestion import quoted, unknown_name

_SHIPPED: tuple[type[Space], ...] = (NatsTopology, NatsSize, *NDS_SPACES, MicroTopology, MicroSize)
_SPACES = {space.name: space for space in _SHIPPED}


def names() -> list[str]:
    """The names of the spaces that eznas ships."""
    return list(_SPACES)


def get(name: str) -> Space:
    """The space of this name, or of an import path such as `my_package.my_module:MySpace`.

    Raises:
        SpaceError: No such space, or the path does not lead to a `Space`.
    """
    if name in _SPACES:
        return _SPACES[name]()
    module_name, separator, attribute = name.partition(":")
    if not separator:
        raise SpaceError(unknown_name("space", name, _SPACES, "the import path package.module:ClassName"))
    return _imported(name, module_name, attribute)


def _imported(path: str, module_name: str, attribute: str) -> Space:
    try:
        space = getattr(importlib.import_module(module_name), attribute)
    except Exception as error:  # the module is the user's own: anything may go wrong in it
        raise SpaceError(
            f"cannot import the space {quoted(path)}: {type(error).__name__}: {error}; "
            f"expected package.module:ClassName, installed or on PYTHONPATH"
        ) from error
    if not (isinstance(space, type) and issubclass(space, Space)):
        raise SpaceError(f"{quoted(path)} must be a class derived from eznas.spaces.Space, got {space!r}")
    missing = sorted(getattr(space, "__abstractmethods__", ()))
    missing += [] if isinstance(inspect.getattr_static(space, "name", None), str) else ["name"]
    if missing:
        raise SpaceError(f"the space {quoted(path)} does not define {', '.join(missing)}")
    try:
        return space()
    except Exception as error:
        raise SpaceError(f"cannot make the space {quoted(path)}: {type(error).__name__}: {error}") from error
