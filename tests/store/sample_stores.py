"""Small stores for the tests, of made-up statistics that depend on the name of the network alone."""

import hashlib
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from eznas.statistics import NetworkStatistics
from eznas.store import StatisticsStore
from eznas.terminals import TERMINALS

NAMES = ("alpha", "beta|2", "été")
SOME = ("T1_D", "T3", "T3G_N", "T4_P")
SETTINGS = {"seed": 3, "inputs": {"batch": 1}}


def made_up(name: str, terminals: tuple[str, ...] = tuple(TERMINALS)) -> NetworkStatistics:
    """One to three layers; the last of three has the T1 tensors of the first and T4_P of the second."""
    seed = hashlib.blake2b(name.encode(), digest_size=4).digest()
    random = np.random.default_rng(int.from_bytes(seed, "little"))
    shapes = {"T1": (1, 2, 4, 4), "T2": (1, 2, 4, 4), "T3": (3, 2, 3, 3), "T4": (1, 3, 2, 2)}
    layers = [
        {terminal: random.standard_normal(shapes[terminal[:2]], np.float32) + layer for terminal in terminals}
        for layer in range(1 + len(name) % 3)
    ]
    for terminal in terminals if len(layers) == 3 else ():
        if terminal[:2] == "T1" or terminal == "T4_P":
            layers[2][terminal] = layers[terminal == "T4_P"][terminal].copy()
    return NetworkStatistics.from_layers(layers)


def stored_bytes(network: NetworkStatistics, terminal: str) -> int:
    """What a store needs for a terminal of a network: equal tensors once."""
    distinct = {(layer[terminal].shape, layer[terminal].tobytes()) for layer in network.layers}
    return sum(len(content) for _, content in distinct)


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


def sealed(document: dict[str, Any]) -> bytes:
    """A manifest or plan with the checksum that it needs."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return json.dumps({**document, "checksum": zlib.crc32(text.encode())}).encode()


def rewrite_manifest(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a manifest as someone would who also knows how its checksum is made."""
    document = json.loads((folder / "manifest.json").read_bytes())
    del document["checksum"]
    change(document)
    (folder / "manifest.json").write_bytes(sealed(document))


def rewrite_array(folder: Path, name: str, array: np.ndarray) -> None:
    """Change an array as someone would who also knows how its file is marked."""
    np.save(folder / name, array, allow_pickle=True)
    content = (folder / name).read_bytes()
    mark = {"bytes": len(content), "crc32": zlib.crc32(content)}
    rewrite_manifest(folder, lambda document: document["files"].update({name: mark}))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".lock"}
