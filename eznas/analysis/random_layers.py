"""Layers of normally distributed tensors, drawn so that a tensor depends on itself alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from eznas.statistics import NetworkStatistics, geometry_of_convolution
from eznas.terminals import TERMINALS, Family, Geometry, Shape

DRAWN_AT_ONCE: Final = 16
"""Layers that share a seed: seeding torch takes about 3 µs, seeding numpy 50."""

_SEEDS: Final = 2**32  # torch's generator on the processor takes no more bits of a seed
_POSITIONS: Final = {name: position for position, name in enumerate(TERMINALS)}


@dataclass(frozen=True, slots=True)
class LayerSizes:
    """The sizes of a layer that reads as many channels as it writes."""

    channels: int
    kernel: int
    side: int
    batch: int = 1

    def geometry(self, terminals: Sequence[str]) -> Geometry:
        """The shapes of the families that some terminals are of; those of other families are left out.

        Raises:
            ConfigError: A size below 1.
        """
        whole = geometry_of_convolution(
            self.channels, self.channels, self.kernel, side=self.side, batch=self.batch
        )
        families = {TERMINALS[name].family for name in terminals}
        return Geometry(
            t1=whole.t1 if Family.RELU_INPUT in families else None,
            t2=whole.t2 if Family.CONVOLUTION_INPUT in families else None,
            t3=whole.t3 if Family.WEIGHT in families else None,
            t4=whole.t4 if Family.BATCH_NORM_OUTPUT in families else None,
        )


def random_layers(
    geometry: Geometry, terminals: Sequence[str], groups: range, seed: int
) -> NetworkStatistics:
    """Layers of one geometry with standard normal values, as one network.

    A tensor depends on its terminal, its shape, its place in the sequence of layers and the seed alone: other
    programs, other settings and the way the sequence is cut change nothing.

    Args:
        geometry: The shapes; the families of all terminals are there.
        terminals: What to draw.
        groups: Which groups of the endless sequence, each of `DRAWN_AT_ONCE` layers, without gaps.
        seed: The seed of the sequence.
    """
    arrays = {name: _drawn(name, _shape(geometry, name), groups, seed) for name in terminals}
    layers = len(groups) * DRAWN_AT_ONCE

    def locate(terminal: str) -> NDArray[np.int64]:
        array = arrays[terminal]
        address: int = array.__array_interface__["data"][0]
        return address + array.strides[0] * np.arange(layers, dtype=np.int64)

    views: tuple[Mapping[str, NDArray[np.float32]], ...] = tuple(
        {name: array[layer] for name, array in arrays.items()} for layer in range(layers)
    )
    return NetworkStatistics(views, (geometry,) * layers, tuple(terminals), locate)


def elements(geometry: Geometry, terminals: Sequence[str]) -> int:
    """How many numbers one layer holds."""
    return sum(prod(_shape(geometry, name)) for name in terminals)


def _shape(geometry: Geometry, terminal: str) -> Shape:
    shape = geometry.shape(terminal)
    assert shape is not None  # the geometry was made for these terminals
    return shape


def _drawn(terminal: str, shape: Shape, groups: range, seed: int) -> NDArray[np.float32]:
    """(layers, *shape). Torch draws normal values in half the time that numpy takes."""
    first = int(np.random.SeedSequence([seed, _POSITIONS[terminal], *shape]).generate_state(1)[0])
    drawn = torch.empty((len(groups), DRAWN_AT_ONCE, *shape))
    generator = torch.Generator()
    for part, group in zip(drawn, groups, strict=True):
        # Following seeds, since any two groups of a terminal and shape must differ.
        generator.manual_seed((first + group) % _SEEDS)
        part.normal_(generator=generator)
    array: NDArray[np.float32] = drawn.numpy()
    array = array.reshape(-1, *shape)
    array.flags.writeable = False
    return array
