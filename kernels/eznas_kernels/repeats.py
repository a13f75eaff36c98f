"""Which layers hold the same tensors as an earlier one, so that what depends on these alone is known."""

from __future__ import annotations

import numpy as np
from numba import types
from numpy.typing import NDArray

from eznas_kernels.policy import SIZES, kernel, scalar

_NUMBERS = types.Array(types.int64, 1, "C")
_ODD = np.int64(0x1E3779B97F4A7C15)
"""Spreads patterns over numbers, so that unequal ones seldom meet; equal numbers are compared whole."""


@scalar
def _hold_the_same(
    first_layers: NDArray[np.int64], is_member: NDArray[np.bool_], layer: int, other: int
) -> bool:
    for terminal in range(is_member.size):
        if is_member[terminal] and first_layers[terminal, layer] != first_layers[terminal, other]:
            return False
    return True


@scalar
def _is_of_kind(repeated: NDArray[np.int64], place: int, example: int) -> bool:
    for row in range(repeated.shape[0]):
        if (repeated[row, place] == place) != (repeated[row, example] == example):
            return False
    return True


@scalar
def _find_repeats_of_set(
    first_layers: NDArray[np.int64],
    is_member: NDArray[np.bool_],
    layers: NDArray[np.int64],
    latest: NDArray[np.int64],
    repeated: NDArray[np.int64],
) -> None:
    """Find the repeats of one set; `latest` is room for a number a layer."""
    latest[:] = 0
    for terminal in range(is_member.size):
        if is_member[terminal]:
            for place in range(layers.size):
                latest[place] = max(latest[place], first_layers[terminal, layers[place]])
    for place in range(layers.size):
        repeated[place] = place
        # Layers before the latest lack that one's tensor; mostly the latest is the layer itself.
        other = place - 1
        while other >= 0 and layers[other] >= latest[place]:
            if _hold_the_same(first_layers, is_member, layers[other], layers[place]):
                repeated[place] = repeated[other]
                break
            other -= 1


@kernel(
    types.Array(types.int64, 2, "C", readonly=True), types.Array(types.boolean, 2, "C", readonly=True), SIZES,
    types.Array(types.int64, 2, "C"), _NUMBERS, _NUMBERS, returns=types.int64,
)  # fmt: skip
def find_repeats(
    first_layers: NDArray[np.int64],
    dependencies: NDArray[np.bool_],
    layers: NDArray[np.int64],
    repeated: NDArray[np.int64],
    kinds: NDArray[np.int64],
    examples: NDArray[np.int64],
) -> int:
    """Find the layers that hold the same tensors as an earlier one, for several sets of terminals.

    Layers are of one kind where an earlier one holds the same for the same sets.

    Args:
        first_layers: (terminals, all layers) the first layer that holds the same tensor.
        dependencies: (sets, terminals) whether a terminal is in a set.
        layers: Some of the layers, in ascending order.
        repeated: (sets, some layers) where the place of the first of them with the same tensors is put, which
            is a layer's own where there is none before it.
        kinds: (some layers) where the number of each layer's kind is put.
        examples: Room for as many numbers; the place of a layer of each kind is put at its beginning.

    Returns:
        The number of kinds.
    """
    latest = np.empty(layers.size, np.int64)
    mixed = np.zeros(layers.size, np.int64)
    for row in range(dependencies.shape[0]):
        _find_repeats_of_set(first_layers, dependencies[row], layers, latest, repeated[row])
        for place in range(layers.size):
            mixed[place] = mixed[place] * _ODD + (repeated[row, place] != place)
    found = 0
    for place in range(layers.size):
        kind = 0
        while kind < found and not (
            mixed[place] == mixed[examples[kind]] and _is_of_kind(repeated, place, examples[kind])
        ):
            kind += 1
        kinds[place] = kind
        if kind == found:
            examples[found] = place
            found += 1
    return found
