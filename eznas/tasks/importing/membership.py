"""Whether a text is an architecture of a space, without building every network."""

from __future__ import annotations

from collections.abc import Callable

import torch

from eznas.errors import SpaceError
from eznas.spaces import Space
from eznas.spaces.additive import AdditiveSpace
from eznas.suggestion import quoted


def membership(space: Space) -> Callable[[str], None]:
    """A check that raises `SpaceError` for a text that is no architecture of the space.

    The architectures that the space lists are known at once; another one is counted where the space does so
    without a network, or else built, without memory for its weights.
    """
    known = _listed(space)

    def check(architecture: str) -> None:
        if architecture in known:
            return
        try:
            if isinstance(space, AdditiveSpace):
                space.parameters(architecture)
            else:
                with torch.device("meta"), torch.random.fork_rng(devices=[]):
                    space.build(architecture)
        except SpaceError:
            raise
        except Exception as error:  # the space may be the user's own: anything may go wrong in it
            raise SpaceError(
                f"the space {space.name} cannot build {quoted(architecture)}: {type(error).__name__}: {error}"
            ) from error

    return check


def _listed(space: Space) -> frozenset[str]:
    try:
        return frozenset(space.architectures())
    except SpaceError:  # too large to list
        return frozenset()
