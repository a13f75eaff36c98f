"""What is asked of the layers of a call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eznas.backends.backend import Work
from eznas.statistics import LayerTable


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted on some layers, and known of them."""

    layers: NDArray[np.int64] | slice
    nodes: tuple[int, ...]
    known: Mapping[int, NDArray[np.float32]]
    """For other nodes their numbers on each of these layers."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of all layers of a table."""

    nodes: tuple[int, ...]
    """All that are wanted on any layer."""
    wanted: tuple[Wanted, ...]
    wanted_of: NDArray[np.int64] | None
    """(layers,) the index of what is wanted on each layer; None where the same is wanted on all."""

    @classmethod
    def of(cls, nodes: Sequence[int], works: Sequence[Work], table: LayerTable) -> Asked:
        """What works ask of the networks of a table; each network has its place in one of them."""
        if len(works) == 1:
            (work,) = works
            return cls(tuple(nodes), (Wanted(slice(None), work.nodes, work.known),), None)
        lengths = np.diff(table.bounds)
        work_of = np.empty(len(lengths), np.int64)
        for index, work in enumerate(works):
            work_of[list(work.networks)] = index
        wanted_of = np.repeat(work_of, lengths)
        wanted = [
            Wanted(np.flatnonzero(wanted_of == index), work.nodes, work.known)
            for index, work in enumerate(works)
        ]
        return cls(tuple(nodes), tuple(wanted), wanted_of)
