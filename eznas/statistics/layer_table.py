"""The layers of several networks as arrays, which are kept for calls that come back to the same networks."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from eznas.errors import StatisticsError
from eznas.statistics.network import NetworkStatistics

TABLES_KEPT: Final = 8
"""Of how many sets of networks the arrays are kept; they take 16 bytes for each layer and terminal read."""


class LayerTable:
    """The layers of some networks, one network after the other.

    It holds no network, so that it may be kept: the caller holds those that it asks for something new about.
    Threads may share it.

    Args:
        networks: The networks; they alone hold what lies behind the addresses.
    """

    def __init__(self, networks: Sequence[NetworkStatistics]) -> None:
        self._networks = [weakref.ref(network) for network in networks]
        numbers = [network.geometry_numbers for network in networks]
        lengths = np.array([len(each) for each in numbers])
        self.most_layers = int(lengths.max())
        """Of the networks."""
        self.bounds: NDArray[np.int64] = np.concatenate([[0], np.cumsum(lengths)])
        """(networks + 1,) where the layers of each network begin."""
        self.geometries: NDArray[np.int64] = np.concatenate(numbers)
        """(layers,) the number of each layer's geometry, see `eznas.terminals.number_of_geometry`."""
        self.distinct_geometries: list[int] = np.flatnonzero(np.bincount(self.geometries)).tolist()
        """The numbers of all geometries that there are, in ascending order."""
        self.terminals = tuple(dict.fromkeys(network.terminals for network in networks))
        """The sets of terminals that layers hold, each once."""
        self._begins = np.repeat(self.bounds[:-1], lengths)
        self.layers: NDArray[np.int64] = np.arange(len(self.geometries))
        """(layers,) all of them."""
        self.places: NDArray[np.int64] = self.layers - self._begins
        """(layers,) which layer of its network each is."""
        self._addresses: dict[str, NDArray[np.int64]] = {}
        self._first_layers: dict[str, NDArray[np.int64]] = {}

    @classmethod
    def of(cls, networks: Sequence[NetworkStatistics]) -> LayerTable:
        """The table of these networks, made now or by one of the last calls for just these objects."""
        # Another object has another reference, also where it lies in the memory of one that is gone.
        key = tuple(map(weakref.ref, networks))
        with _changing_recent:
            found = _recent.get(key)
            if found is not None:
                _recent.move_to_end(key)
                return found
        made = cls(networks)
        with _changing_recent:
            found = _recent.setdefault(key, made)
            if len(_recent) > TABLES_KEPT:
                _recent.popitem(last=False)
        return found

    def addresses_of(self, terminal: str) -> NDArray[np.int64]:
        """(layers,) where the numbers of a terminal are; see `NetworkStatistics.addresses`."""
        found = self._addresses.get(terminal)
        if found is None:
            parts = [network.addresses_of(terminal) for network in self._in_use()]
            found = self._addresses[terminal] = np.concatenate(parts)
        return found

    def first_layers_of(self, terminals: Sequence[str]) -> NDArray[np.int64]:
        """(terminals, layers) the first layer of the network that holds the same tensor of a terminal."""
        known = self._first_layers
        if missing := [name for name in terminals if name not in known]:
            parts = [network.first_layers_of(missing) for network in self._in_use()]
            known.update(zip(missing, np.concatenate(parts, axis=1) + self._begins, strict=True))
        return np.array([known[name] for name in terminals]).reshape(-1, len(self.layers))

    def _in_use(self) -> list[NetworkStatistics]:
        networks = [reference() for reference in self._networks]
        held = [network for network in networks if network is not None]
        if len(held) < len(networks):
            raise StatisticsError(f"expected {len(networks)} networks in use, {len(held)} are left")
        return held


_recent: Final[OrderedDict[tuple[weakref.ref[NetworkStatistics], ...], LayerTable]] = OrderedDict()
"""Of all evaluators, since several may be made for the same networks; the last used last."""

_changing_recent: Final = threading.Lock()
