"""Measures how fast memory can be read, and how much of that a simple program reaches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from eznas.backends import Backend, SubtreeBackend, ToScalar, get_backend
from eznas.benchmark.populations import terminal_bytes
from eznas.benchmark.timing import timed, without_garbage_collection
from eznas.compile import Graph, build_graph
from eznas.evaluator import Evaluator
from eznas.program import Program
from eznas.statistics import NetworkStatistics
from eznas.threads import one_torch_thread

SIMPLE_PROGRAM: Final = Program.parse("mean(abs(T1_D))")

_BYTES: Final = 2**28
"""Read at once: several times what the caches of most processors hold."""


@dataclass(frozen=True, slots=True)
class Roofline:
    """Reading `mean(abs(T1_D))` of all networks from memory, against a plain sum over one large array."""

    backend: str
    threads: int
    bytes: int
    bandwidth: float
    """Bytes a second that a plain sum reads from memory on these threads."""
    score_seconds: float
    """Of a whole call of the evaluator, planned before."""
    layers_seconds: float
    """Of the backend alone, without evaluator, on one thread."""

    @property
    def share(self) -> float:
        """The share of the bandwidth that a whole call reaches."""
        return self.bytes / self.score_seconds / self.bandwidth

    @property
    def layers_share(self) -> float:
        """The share of the bandwidth that the backend alone reaches."""
        return self.bytes / self.layers_seconds / self.bandwidth


def read_bandwidth(threads: int, repeats: int) -> float:
    """Bytes a second that NumPy reads from memory on so many threads, by the fastest of two sums."""
    array = np.ones(_BYTES // 8)
    parts = np.array_split(array, threads)
    sums: tuple[Callable[[NDArray[np.float64]], object], ...] = (
        lambda part: part.sum(),
        lambda part: part.view(np.int64).max(),
    )
    with ThreadPoolExecutor(threads) as pool:
        seconds = min(
            timed(partial(_all_parts, pool, add, parts))[0] for add in sums for _ in range(max(3, repeats))
        )
    return array.nbytes / seconds


def measure_roofline(
    backends: Sequence[str], networks: Sequence[NetworkStatistics], threads: int, repeats: int
) -> tuple[Roofline, ...]:
    """Time the simple program by each backend; caches are filled with something else before each call."""
    bandwidth = read_bandwidth(threads, repeats)
    size = terminal_bytes([SIMPLE_PROGRAM], networks)
    graph = build_graph([SIMPLE_PROGRAM])
    found = []
    for name in backends:
        evaluator, backend = Evaluator(networks, name, threads, memo_bytes=0), get_backend(name)

        with one_torch_thread(), without_garbage_collection():
            score = _cold_seconds(partial(evaluator.score, [SIMPLE_PROGRAM]), repeats)
            layers = _cold_seconds(partial(_all_layers, backend, graph, networks), repeats)
        found.append(Roofline(name, threads, size, bandwidth, score, layers))
    return tuple(found)


def _all_parts(
    pool: ThreadPoolExecutor,
    add: Callable[[NDArray[np.float64]], object],
    parts: Sequence[NDArray[np.float64]],
) -> list[object]:
    return list(pool.map(add, parts))


def _all_layers(backend: Backend, graph: Graph, networks: Sequence[NetworkStatistics]) -> None:
    if isinstance(backend, SubtreeBackend):
        backend.node_scalars(graph, networks, graph.roots, {})
        return
    for network in networks:
        backend.layer_scalars(graph, network, ToScalar.MEAN)


def _cold_seconds(function: Callable[[], object], repeats: int) -> float:
    function()
    flushing = np.ones(_BYTES // 32)
    seconds = []
    for _ in range(max(3, repeats)):
        flushing.sum()
        seconds.append(timed(function)[0])
    return min(seconds)
