"""Reading a finished store: memory maps of the terminals that are asked for, checked when first read."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any, Final, overload

import numpy as np
import torch
from numpy.typing import NDArray

from eznas.errors import StoreError
from eznas.statistics import NetworkStatistics
from eznas.statistics.network import Array, missing_terminal
from eznas.store.arrays import StoreArrays
from eznas.store.disk import checksum, naming
from eznas.store.journal import read_journal
from eznas.store.layout import FLOAT, MANIFEST, PLAN, Manifest, StorePlan, data_file
from eznas.store.mapped import MappedFile, check_size
from eznas.store.writer import StoreWriter

SECONDS_IN_MEMORY: Final = 2.0
"""For how long what was read ahead is taken to stay in memory.

To look takes 4 µs a terminal, and an evolution comes back to its networks about once in a second; to read a
store that is larger than memory takes longer.
"""


class StatisticsStore(Sequence[NetworkStatistics]):
    """The statistics of many networks, read from disk as they are asked for; made by `StatisticsStore.open`.

    The arrays are read-only views of memory-mapped files: nothing is copied, and only the files of terminals
    that are asked for are touched. Layers of one network with equal tensors of a terminal share them: their
    arrays are views of one place. Stores of version 1 share nothing.

    Opening checks the manifest, the sizes of all files and the small ones whole. The values of a network are
    checked when a terminal of it is read for the first time, at 0.8 to 0.9 of the speed of a sum; `verify`
    checks everything, so that later reads need not.
    """

    def __init__(self, folder: Path, manifest: Manifest, arrays: StoreArrays) -> None:
        self._folder = folder
        self._plan = manifest.plan
        self._arrays = arrays
        self._columns = {name: column for column, name in enumerate(manifest.plan.terminals)}
        self._bounds = arrays.starts[arrays.first_layers].tolist()
        """For each network, and for the end, where its values begin in the file of each terminal."""
        self._checked: NDArray[np.bool_] = np.zeros(arrays.checksums.shape, np.bool_)
        self._maps: dict[str, MappedFile] = {}
        self._networks: dict[int, NetworkStatistics] = {}
        self._stays_until: NDArray[np.float64] = np.zeros(arrays.checksums.shape)
        """(networks, terminals) when they should be looked for in memory again."""

    @classmethod
    def create(
        cls,
        path: Path | str,
        names: Sequence[str],
        terminals: Sequence[str],
        settings: Mapping[str, Any] | None = None,
    ) -> AbstractContextManager[StoreWriter]:
        """Begin a store, or go on with an unfinished one, as `with StatisticsStore.create(...) as writer`.

        Args:
            path: The folder of the store.
            names: The networks that it is to hold, in order.
            terminals: The statistics that it is to hold.
            settings: How the statistics are taken; JSON. An unfinished store must have the same.

        Raises:
            StoreError: Names, terminals or settings that cannot be stored; see also `StoreWriter.open`.
        """
        plan = StorePlan.checked(tuple(names), tuple(terminals), settings or {}, str(torch.__version__))
        return StoreWriter.open(Path(path), plan)

    @staticmethod
    def is_finished(path: Path | str) -> bool:
        """Whether the folder holds a finished store, damaged or not."""
        return (Path(path) / MANIFEST).exists()

    @classmethod
    def open(cls, path: Path | str) -> StatisticsStore:
        """Open a finished store.

        Raises:
            StoreError: There is none, it is unfinished, foreign or of a newer version, or a file of it is
                missing, truncated or altered; the message names the file.
        """
        folder = Path(path)
        with naming(folder, "read"):
            if not cls.is_finished(folder):
                raise StoreError(_why_not_finished(folder))
            manifest = Manifest.load(folder)
            plan = manifest.plan
            arrays = StoreArrays.load(folder, manifest)
            for terminal in plan.terminals:
                file = data_file(folder, terminal)
                expected = arrays.file_size(terminal)
                if manifest.files[file.name].bytes != expected:
                    raise StoreError(f"{folder / MANIFEST} is damaged: it gives {file.name} another size")
                check_size(file, expected)
        return cls(folder, manifest, arrays)

    @property
    def path(self) -> Path:
        """The folder of the store."""
        return self._folder

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the networks, in order."""
        return self._plan.names

    @property
    def terminals(self) -> tuple[str, ...]:
        """The statistics that the store holds."""
        return self._plan.terminals

    @property
    def settings(self) -> Mapping[str, Any]:
        """How the statistics were taken."""
        return self._plan.settings

    @property
    def torch_version(self) -> str:
        """The version of torch that computed the statistics."""
        return self._plan.torch

    def verify(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Read everything once and compare it with its checksums.

        Args:
            progress: Told of the networks done and the networks in all.

        Raises:
            StoreError: A file was altered; the message names file and network.
        """
        for network in range(len(self)):
            for terminal in self.terminals:
                self._check(network, terminal)
            if progress is not None:
                progress(network + 1, len(self))

    def read_ahead(self, network: int, terminals: Iterable[str]) -> None:
        """Have the system begin to read statistics of a network from the disk, and do not wait for them.

        It is advice: nothing is checked, and terminals that the store does not hold are passed over, as is
        what was read ahead a moment before.

        Args:
            network: The index of the network.
            terminals: What will be read of it.

        Raises:
            StoreError: The file of a terminal is gone or truncated.
        """
        begins, ends = self._bounds[network : network + 2]
        now = time.monotonic()
        for terminal in terminals:
            column = self._columns.get(terminal)
            if column is not None and self._stays_until[network, column] <= now:
                self._stays_until[network, column] = now + SECONDS_IN_MEMORY
                self._map(terminal).read_ahead(begins[column], ends[column])

    def values(self, terminal: str, layer: int, network: int) -> Array:
        """The array of a terminal in a layer, counted over the whole store.

        Raises:
            StatisticsError: The store does not hold the terminal.
            StoreError: The values of the network were altered, or the file is gone.
        """
        self._check_once(network, terminal)
        begin = int(self._arrays.offsets[layer, self._columns[terminal]])
        shape = self._arrays.geometries[layer].shape(terminal) or ()
        return self._maps[terminal].values[begin : begin + math.prod(shape)].reshape(shape)

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, index: int) -> NetworkStatistics: ...
    @overload
    def __getitem__(self, index: slice) -> list[NetworkStatistics]: ...
    def __getitem__(self, index: int | slice) -> NetworkStatistics | list[NetworkStatistics]:
        """A network, the same object each time; a list of networks for a slice."""
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"no network {index}; the store holds {len(self)}")
        network = int(index) % len(self)
        if network not in self._networks:
            first, end = (int(layer) for layer in self._arrays.first_layers[network : network + 2])
            self._networks[network] = NetworkStatistics(
                layers=tuple(_StoredLayer(self, network, layer) for layer in range(first, end)),
                geometries=self._arrays.geometries[first:end],
                terminals=self.terminals,
                locate=partial(self._addresses, network),
                share=partial(self._first_layers, network),
            )
        return self._networks[network]

    def __repr__(self) -> str:
        return f"<StatisticsStore {self._folder}: {len(self)} networks, {len(self.terminals)} terminals>"

    def __reduce__(self) -> tuple[Callable[..., StatisticsStore], tuple[Path]]:
        # Another process maps the files anew instead of getting their contents.
        return StatisticsStore.open, (self._folder,)

    def _addresses(self, network: int, terminal: str) -> NDArray[np.int64]:
        self._check_once(network, terminal)
        first, end = self._arrays.first_layers[network : network + 2]
        offsets = self._arrays.offsets[first:end, self._columns[terminal]]
        return self._maps[terminal].address + FLOAT.itemsize * offsets

    def _first_layers(self, network: int, terminals: Sequence[str]) -> NDArray[np.int64]:
        first, end = self._arrays.first_layers[network : network + 2]
        holders = self._arrays.holders[first:end, [self._column(name) for name in terminals]]
        in_network: NDArray[np.int64] = holders.T - first
        return in_network

    def _column(self, terminal: str) -> int:
        column = self._columns.get(terminal)
        if column is None:
            raise missing_terminal(terminal, self._columns)
        return column

    def _check_once(self, network: int, terminal: str) -> None:
        if not self._checked[network, self._column(terminal)]:
            self._check(network, terminal)

    def _check(self, network: int, terminal: str) -> None:
        column = self._columns[terminal]
        begin, end = (bounds[column] for bounds in self._bounds[network : network + 2])
        if checksum(self._map(terminal).values[begin:end]) != int(self._arrays.checksums[network, column]):
            raise StoreError(
                f"{data_file(self._folder, terminal)} was altered: "
                f"the values of {self.names[network]} have another checksum"
            )
        self._checked[network, column] = True

    def _map(self, terminal: str) -> MappedFile:
        mapped = self._maps.get(terminal)
        if mapped is None:
            new = MappedFile(data_file(self._folder, terminal), self._arrays.file_size(terminal))
            # Threads that come together must agree on one map: addresses are only as good as what holds it.
            mapped = self._maps.setdefault(terminal, new)
        return mapped


class _StoredLayer(Mapping[str, Array]):
    """The arrays of a layer, made when they are first asked for."""

    __slots__ = ("_held", "_layer", "_network", "_store")

    def __init__(self, store: StatisticsStore, network: int, layer: int) -> None:
        self._store = store
        self._network = network
        self._layer = layer
        self._held: dict[str, Array] = {}

    def __getitem__(self, terminal: str) -> Array:
        array = self._held.get(terminal)
        if array is None:
            array = self._held[terminal] = self._store.values(terminal, self._layer, self._network)
        return array

    def __contains__(self, terminal: object) -> bool:
        return terminal in self._store.terminals

    def get(self, terminal: str, default: Any = None) -> Any:
        """The array of a terminal, or the default where the store does not hold it."""
        if terminal not in self:
            return default
        return self[terminal]

    def __iter__(self) -> Iterator[str]:
        return iter(self._store.terminals)

    def __len__(self) -> int:
        return len(self._store.terminals)


def _why_not_finished(folder: Path) -> str:
    if not (folder / PLAN).exists():
        return f"no statistics store at {folder}: {MANIFEST} is missing"
    plan = StorePlan.load(folder)
    held = len(read_journal(folder, plan))
    return (
        f"the store {folder} is unfinished: it holds {held} of {len(plan.names)} networks; "
        "run its collection again to go on with it"
    )
