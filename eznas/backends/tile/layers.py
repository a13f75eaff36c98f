"""The layers of several networks, as the machine is told of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from eznas.statistics import NetworkStatistics


class LayerTable:
    """The layers of some networks, one network after the other, as arrays that are made when asked for.

    Args:
        networks: The networks; they alone hold what lies behind the addresses.
        terminals: What is read of them.
    """

    def __init__(self, networks: Sequence[NetworkStatistics], terminals: Sequence[str]) -> None:
        self._networks = networks
        self._terminals = terminals
        self._lengths = np.array([len(network) for network in networks])
        self.bounds: NDArray[np.int64] = np.concatenate([[0], np.cumsum(self._lengths)])
        """(networks + 1,) where the layers of each network begin."""
        self.geometries = np.concatenate([network.geometry_numbers for network in networks])
        """(layers,) the number of each layer's geometry, see `eznas.terminals.number_of_geometry`."""

    @cached_property
    def addresses(self) -> NDArray[np.int64]:
        """(terminals, layers): where the numbers of a terminal are."""
        return self._of_terminals(NetworkStatistics.addresses_of)

    @cached_property
    def first_layers(self) -> NDArray[np.int64]:
        """(terminals, layers): the first layer of the network that holds the same tensor."""
        return self._of_terminals(NetworkStatistics.first_layers_of) + self._begins

    @cached_property
    def places(self) -> NDArray[np.int64]:
        """(layers,) which layer of its network each is."""
        return np.arange(len(self.geometries)) - self._begins

    @cached_property
    def _begins(self) -> NDArray[np.int64]:
        return np.repeat(self.bounds[:-1], self._lengths)

    def _of_terminals(self, read: Callable[[NetworkStatistics, str], NDArray[np.int64]]) -> NDArray[np.int64]:
        found = [read(network, name) for name in self._terminals for network in self._networks]
        return np.concatenate(found).reshape(len(self._terminals), -1)
