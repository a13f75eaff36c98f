"""Measures each operation alone, on every shape that the networks hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from eznas.backends import Backend, ToScalar, get_backend
from eznas.benchmark.agreement import compare
from eznas.benchmark.networks import Progress
from eznas.benchmark.peers import EagerTrees
from eznas.benchmark.timing import least_seconds, without_garbage_collection
from eznas.benchmark.trees import load_layers
from eznas.compile import Rejection, build_graph, infer_shapes
from eznas.ops import OPS
from eznas.program import Program
from eznas.statistics import NetworkStatistics
from eznas.terminals import Geometry, Shape
from eznas.threads import one_torch_thread

_LAYERS = 32
"""Layers of one geometry that a call computes: one alone would measure the call, not the operation."""

_PAIRS = (("T1_D", "T1_N"), ("T4_D", "T4_N"), ("T3", "T3G_D"))
"""For each family of shapes the arguments of the operations."""


@dataclass(frozen=True, slots=True)
class OperationTiming:
    """One operation on one shape, with the mean of its result, a layer."""

    op: str
    kind: str
    shape: Shape
    baseline_seconds: float
    """Of eager torch."""
    seconds: dict[str, float]
    """For each backend."""
    wrong: tuple[str, ...]
    """The backends whose results disagree with eager torch."""

    def ratio(self, backend: str) -> float:
        """How many times faster than eager torch."""
        return self.baseline_seconds / self.seconds[backend]


def measure_operations(
    backends: Sequence[str], networks: Sequence[NetworkStatistics], repeats: int, progress: Progress
) -> tuple[OperationTiming, ...]:
    """Time every operation on every shape, by eager torch and the backends, on one thread."""
    cases = list(_cases(networks))
    loaded = {name: get_backend(name) for name in backends}
    timings = []
    for done, (program, shape, network) in enumerate(cases):
        timings.append(_measure(program, shape, network, loaded, repeats))
        progress(done + 1, len(cases))
    return tuple(timings)


def _measure(
    program: Program, shape: Shape, network: NetworkStatistics, backends: Mapping[str, Backend], repeats: int
) -> OperationTiming:
    peer, count = EagerTrees(1), len(network)
    run = peer.compile(program)
    graph = build_graph([program])
    seconds, wrong = {}, []
    with peer.running():
        layers = load_layers(peer, network, [program])
        expected = np.array([[run(layer) for layer in layers]])
        with without_garbage_collection():
            baseline = least_seconds(lambda: [run(layer) for layer in layers], repeats) / count
    for name, backend in backends.items():
        with one_torch_thread(), without_garbage_collection():
            found = backend.layer_scalars(graph, network, ToScalar.MEAN)
            seconds[name] = (
                least_seconds(partial(backend.layer_scalars, graph, network, ToScalar.MEAN), repeats) / count
            )
        if compare([program], [network], [expected], [found]).wrong:
            wrong.append(name)
    op = OPS[program.tokens[0]]
    return OperationTiming(op.name, op.kind, shape, baseline, seconds, tuple(wrong))


def _cases(networks: Sequence[NetworkStatistics]) -> Iterator[tuple[Program, Shape, NetworkStatistics]]:
    """Every operation on every shape that it takes, with layers of one geometry that hold it."""
    by_geometry: dict[Geometry, list[int]] = {}
    layers = [layer for network in networks for layer in network.layers]
    geometries = [geometry for network in networks for geometry in network.geometries]
    for index, geometry in enumerate(geometries):
        by_geometry.setdefault(geometry, []).append(index)
    met: set[tuple[str, Shape]] = set()
    for geometry, indices in by_geometry.items():
        # Spread over the networks: neighbours in a cell may hold the same tensor.
        spread = indices[:: max(1, len(indices) // _LAYERS)][:_LAYERS]
        for first, second in _PAIRS:
            shape = geometry.shape(first) or ()
            family = "weight" if first == "T3" else "map"
            if (family, shape) in met:
                continue
            met.add((family, shape))
            network = NetworkStatistics.from_layers(
                [{name: layers[index][name] for name in (first, second)} for index in spread]
            )
            for name, op in OPS.items():
                program = Program((name, first, second)[: 1 + op.arity])
                if not isinstance(infer_shapes(build_graph([program]), geometry)[-1], Rejection):
                    yield program, shape, network
