"""The layers of several networks, as the machine is told of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from eznas.statistics import NetworkStatistics


@dataclass(frozen=True, slots=True)
class LayerTable:
    """The layers of some networks, one network after the other."""

    addresses: NDArray[np.int64]
    """(terminals, layers): where the numbers of a terminal are."""
    first_layers: NDArray[np.int64]
    """(terminals, layers): the first layer of the network that holds the same tensor."""
    geometries: NDArray[np.int64]
    """(layers,) the number of each layer's geometry, see `eznas.terminals.number_of_geometry`."""
    places: NDArray[np.int64]
    """(layers,) which layer of its network each is."""
    bounds: tuple[int, ...]
    """(networks + 1) where the layers of each network begin."""

    @classmethod
    def of_networks(cls, networks: Sequence[NetworkStatistics], terminals: Sequence[str]) -> Self:
        """The layers of networks, with these terminals.

        The arrays behind the addresses are held by the networks alone.
        """
        lengths = np.array([len(network) for network in networks])
        bounds = np.concatenate([[0], np.cumsum(lengths)])
        begins = np.repeat(bounds[:-1], lengths)
        addresses = [network.addresses_of(name) for name in terminals for network in networks]
        first_layers = [network.first_layers_of(name) for name in terminals for network in networks]
        return cls(
            np.concatenate(addresses).reshape(len(terminals), -1),
            np.concatenate(first_layers).reshape(len(terminals), -1) + begins,
            np.concatenate([network.geometry_numbers for network in networks]),
            np.arange(bounds[-1]) - begins,
            tuple(bounds.tolist()),
        )
