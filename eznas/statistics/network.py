"""The statistics of one network: for every layer, terminals and their float32 arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eznas.errors import StatisticsError
from eznas.terminals import TERMINALS, Family, Geometry, Shape, number_of_geometry

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class NetworkStatistics:
    """The statistics of every layer of one network.

    `NetworkStatistics.from_layers` checks what it is given; the constructor trusts its caller.

    Attributes:
        layers: for each layer a read-only mapping from terminal name to a C-contiguous float32 array.
        geometries: the shapes of each layer's tensors.
        terminals: the names that every layer holds, in the order of `eznas.terminals.TERMINALS`.
        locate: gives the address of a terminal's numbers in each layer faster than asking each array.
        share: gives for each terminal and layer the first layer that holds the same tensor, without a look at
            addresses.
        geometry_numbers: the number of each layer's geometry, see `eznas.terminals.number_of_geometry`.
    """

    layers: tuple[Mapping[str, Array], ...]
    geometries: tuple[Geometry, ...]
    terminals: tuple[str, ...]
    locate: Callable[[str], NDArray[np.int64]] | None = None
    share: Callable[[Sequence[str]], NDArray[np.int64]] | None = None
    geometry_numbers: NDArray[np.int64] = field(init=False)
    _addresses: dict[str, NDArray[np.int64]] = field(init=False, repr=False, default_factory=dict)
    _first_layers: dict[str, NDArray[np.int64]] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        numbers = np.array([number_of_geometry(geometry) for geometry in self.geometries], np.int64)
        numbers.flags.writeable = False
        object.__setattr__(self, "geometry_numbers", numbers)

    @classmethod
    def from_layers(cls, layers: Sequence[Mapping[str, Array]]) -> NetworkStatistics:
        """Make the statistics of a network from its layers, without copying contiguous arrays.

        Args:
            layers: for each layer, terminal names and float32 arrays. All layers hold the same terminals;
                within a layer, the terminals of one family have one shape.

        Raises:
            StatisticsError: no layer, no terminal, an unknown terminal, anything but float32 arrays, shapes
                that differ within a family, or layers with different terminals.
        """
        if len(layers) == 0:
            raise StatisticsError("expected the statistics of at least one layer, got none")
        terminals = tuple(name for name in TERMINALS if name in layers[0])
        checked = [_checked_layer(layer, index) for index, layer in enumerate(layers)]
        for index, layer in enumerate(checked):
            if layer.keys() != set(terminals):
                raise StatisticsError(
                    f"expected the same terminals in every layer; layer 0 holds {_listed(terminals)}, "
                    f"layer {index} holds {_listed(layer)}"
                )
        if not terminals:
            raise StatisticsError("expected at least one terminal in every layer, got none")
        return cls(
            layers=tuple(MappingProxyType(layer) for layer in checked),
            geometries=tuple(_geometry(layer, index) for index, layer in enumerate(checked)),
            terminals=terminals,
        )

    def addresses(self, terminals: Iterable[str]) -> dict[str, NDArray[np.int64]]:
        """For each terminal the address of its numbers in each layer; valid as long as this object lives.

        Raises:
            StatisticsError: a terminal is not held.
        """
        return {name: self.addresses_of(name) for name in terminals}

    def addresses_of(self, terminal: str) -> NDArray[np.int64]:
        """The address of a terminal's numbers in each layer, which is found once; see `addresses`."""
        found = self._addresses.get(terminal)
        if found is None:
            found = (self.locate or self._located)(terminal)
            found.flags.writeable = False
            self._addresses[terminal] = found
        return found

    def first_layers_of(self, terminals: Sequence[str]) -> NDArray[np.int64]:
        """For each terminal and layer the first layer that holds the same tensor, itself where no other does.

        Tensors are the same where their numbers lie at one address and have one shape; a store keeps equal
        tensors of a network once. Found once; see `addresses` for what is raised.
        """
        if self.share is not None:
            return self.share(terminals)
        return np.array([self._first_layers_of(name) for name in terminals]).reshape(-1, len(self))

    def _first_layers_of(self, terminal: str) -> NDArray[np.int64]:
        found = self._first_layers.get(terminal)
        if found is None:
            met: dict[tuple[int, Shape | None], int] = {}
            shapes = [geometry.shape(terminal) for geometry in self.geometries]
            tensors = zip(self.addresses_of(terminal).tolist(), shapes, strict=True)
            found = np.array(
                [met.setdefault(tensor, layer) for layer, tensor in enumerate(tensors)], np.int64
            )
            self._first_layers[terminal] = found
        return found

    def _located(self, terminal: str) -> NDArray[np.int64]:
        pointers = [layer[terminal].__array_interface__["data"][0] for layer in self.layers]
        return np.array(pointers, np.int64)

    def __len__(self) -> int:
        return len(self.layers)

    def __reduce__(self) -> tuple[Callable[..., NetworkStatistics], tuple[Any, ...]]:
        # Mapping proxies cannot be copied or sent to another process; plain dictionaries can.
        return NetworkStatistics.from_layers, ([dict(layer) for layer in self.layers],)


class _Layer(dict[str, Array]):
    """A layer's arrays by terminal, whose missing names are answered with what there is."""

    def __missing__(self, name: str) -> Array:
        raise missing_terminal(name, self)


def missing_terminal(name: str, held: Mapping[str, Any]) -> StatisticsError:
    """The error for a terminal that is asked for and not held, naming what is held."""
    if name not in TERMINALS:
        return StatisticsError(f"unknown terminal {name!r}; the terminals are {_listed(TERMINALS)}")
    return StatisticsError(f"terminal {name} was not collected; these statistics hold {_listed(held)}")


def _listed(names: Mapping[str, Any] | Sequence[str]) -> str:
    return ", ".join(names) or "nothing"


def _checked_layer(layer: Mapping[str, Array], index: int) -> _Layer:
    for name in layer:
        if name not in TERMINALS:
            raise StatisticsError(
                f"layer {index}: unknown terminal {name!r}; the terminals are {_listed(TERMINALS)}"
            )
    return _Layer(
        {name: _checked_array(layer[name], f"layer {index}, {name}") for name in TERMINALS if name in layer}
    )


def _checked_array(array: object, where: str) -> Array:
    if not isinstance(array, np.ndarray):
        raise StatisticsError(f"{where}: expected a float32 numpy array, got {type(array).__name__}")
    if array.dtype != np.float32:
        raise StatisticsError(f"{where}: expected float32, got {array.dtype}")
    view = np.ascontiguousarray(array).reshape(array.shape).view()
    view.flags.writeable = False
    return view


def _geometry(layer: Mapping[str, Array], index: int) -> Geometry:
    shapes: dict[Family, Shape] = {}
    for name, array in layer.items():
        family = TERMINALS[name].family
        known = shapes.setdefault(family, array.shape)
        if known != array.shape:
            raise StatisticsError(
                f"layer {index}: expected one shape for the terminals of {family}; "
                f"{name} has {array.shape}, another has {known}"
            )
    return Geometry(
        t1=shapes.get(Family.RELU_INPUT),
        t2=shapes.get(Family.CONVOLUTION_INPUT),
        t3=shapes.get(Family.WEIGHT),
        t4=shapes.get(Family.BATCH_NORM_OUTPUT),
    )
