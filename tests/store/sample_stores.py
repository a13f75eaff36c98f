"""Small stores for the tests, of made-up statistics that depend on the name of the network alone."""

import hashlib
from pathlib import Path

import numpy as np

from eznas.statistics import NetworkStatistics
from eznas.store import StatisticsStore
from eznas.terminals import TERMINALS

NAMES = ("alpha", "beta|2", "été")
SOME = ("T1_D", "T3", "T3G_N", "T4_P")
SETTINGS = {"seed": 3, "inputs": {"batch": 1}}


def made_up(name: str, terminals: tuple[str, ...] = tuple(TERMINALS)) -> NetworkStatistics:
    seed = hashlib.blake2b(name.encode(), digest_size=4).digest()
    random = np.random.default_rng(int.from_bytes(seed, "little"))
    shapes = {"T1": (1, 2, 4, 4), "T2": (1, 2, 4, 4), "T3": (3, 2, 3, 3), "T4": (1, 3, 2, 2)}
    return NetworkStatistics.from_layers(
        [
            {
                terminal: random.standard_normal(shapes[terminal[:2]], np.float32) + layer
                for terminal in terminals
            }
            for layer in range(1 + len(name) % 3)
        ]
    )


def write_store(path: Path, terminals: tuple[str, ...] = SOME) -> StatisticsStore:
    with StatisticsStore.create(path, NAMES, terminals, SETTINGS) as writer:
        for name in NAMES:
            writer.append(name, made_up(name))
        writer.finish()
    return StatisticsStore.open(path)


def assert_holds(store: StatisticsStore, names: tuple[str, ...] = NAMES) -> None:
    assert store.names == names
    for network, name in zip(store, names, strict=True):
        expected = made_up(name)
        assert len(network) == len(expected)
        for layer, right in zip(network.layers, expected.layers, strict=True):
            for terminal in store.terminals:
                np.testing.assert_array_equal(layer[terminal], right[terminal])


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".lock"}
