"""Which layers of a network have equal tensors: found by checksums, proved by comparison."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from eznas.statistics import NetworkStatistics
from eznas.store.disk import checksum
from eznas.store.layout import FLOAT
from eznas.terminals import Shape


def stored_form(statistics: NetworkStatistics, layer: int, terminal: str) -> NDArray[np.uint8]:
    """The bytes of a tensor as a store holds them."""
    values = np.ascontiguousarray(statistics.layers[layer][terminal], FLOAT)
    return values.reshape(-1).view(np.uint8)


def holders(statistics: NetworkStatistics, terminals: Sequence[str]) -> NDArray[np.int64]:
    """The first layer of the network with an equal tensor, itself if none is before it; (layers, terminals).

    Tensors are equal if they have the same shape and the same bytes: -0.0 is not 0.0, and a NaN is equal to
    one of the same bits alone.
    """
    found = np.empty((len(statistics), len(terminals)), np.int64)
    for column, terminal in enumerate(terminals):
        found[:, column] = _holders_of(statistics, terminal)
    return found


def _holders_of(statistics: NetworkStatistics, terminal: str) -> list[int]:
    alike: dict[tuple[Shape | None, int], list[tuple[int, NDArray[np.uint8]]]] = {}
    found = []
    for layer, geometry in enumerate(statistics.geometries):
        content = stored_form(statistics, layer, terminal)
        before = alike.setdefault((geometry.shape(terminal), checksum(content)), [])
        holder = next((held for held, known in before if np.array_equal(known, content)), None)
        if holder is None:
            before.append((layer, content))
        found.append(layer if holder is None else holder)
    return found
