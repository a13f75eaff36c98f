"""Measures evaluators that take one tree and one layer at a time: the baseline, and its peers."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from eznas.benchmark.agreement import Agreement, compare
from eznas.benchmark.networks import Progress
from eznas.benchmark.peers import EagerTrees, Peer, Run
from eznas.benchmark.timing import timed, without_garbage_collection
from eznas.benchmark.workloads import Workload
from eznas.program import Program
from eznas.statistics import NetworkStatistics

_WARM_CALLS = 3
"""TorchScript specialises a function in its first calls; the third is as fast as all later ones."""


_Loaded = Sequence[Sequence[object]]
"""For each network its layers in a peer's own arrays."""


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """Eager torch on every program and as many networks as its time allowed.

    Backends are held against the same cells of it.
    """

    workload: Workload
    seconds: NDArray[np.float64]
    """(programs, networks): of all layers of the network, the least of the repetitions."""
    scalars: tuple[NDArray[np.float64], ...]
    """For each network the mean of (programs, layers)."""

    def of(self, programs: Sequence[int], networks: int) -> NDArray[np.float64]:
        """For each of the programs the seconds on the first networks."""
        return np.asarray(self.seconds[list(programs), :networks].sum(axis=1))


@dataclass(frozen=True, slots=True)
class PeerTiming:
    """A peer on as much of a workload as it can do, or as fits into its time."""

    peer: str
    version: str
    workload: str
    part: str
    """Which programs it can compute, in words."""
    of: int
    """The programs of the workload."""
    supported: int
    """Those that it can compute."""
    rows: tuple[int, ...]
    """Those that were measured, by index."""
    networks: int
    layers: int
    seconds: float
    """Of all measured programs on all measured layers, without compiling."""
    compile_seconds: float
    baseline_seconds: float
    """Of eager torch on the same programs and layers, measured beside it."""
    program_ratios: tuple[float, ...]
    """For each measured program how many times faster than eager torch."""
    agreement: Agreement

    @property
    def ratio(self) -> float:
        """How many times faster than eager torch, without compiling."""
        return self.baseline_seconds / self.seconds if self.seconds else float("nan")

    @property
    def ratio_with_compiling(self) -> float:
        """How many times faster than eager torch, compiling counted."""
        whole = self.seconds + self.compile_seconds
        return self.baseline_seconds / whole if whole else float("nan")


def measure_baseline(
    workload: Workload,
    networks: Sequence[NetworkStatistics],
    threads: int,
    repeats: int,
    budget: float,
    progress: Progress,
) -> Baseline:
    """Time eager torch, a tree and a layer at a time; the tensors are made before.

    Args:
        workload: The programs.
        networks: The networks; at least the first one is measured.
        threads: Of torch.
        repeats: Of each program on each network; the least counts.
        budget: Seconds, after which no other network is begun.
        progress: Told of the networks done.
    """
    peer = EagerTrees(threads)
    programs = workload.programs
    runs = [peer.compile(program) for program in programs]
    seconds: list[list[float]] = []
    scalars: list[NDArray[np.float64]] = []
    begin = time.perf_counter()
    with peer.running():
        for network in networks:
            if scalars and time.perf_counter() - begin > budget:
                break
            layers = load_layers(peer, network, programs)
            with without_garbage_collection():
                found = [timed(partial(_scalars, run, layers)) for run in runs]
                again = [[_seconds(run, layers) for _ in range(repeats - 1)] for run in runs]
            seconds.append([min([first, *more]) for (first, _), more in zip(found, again, strict=True)])
            scalars.append(np.array([of_layers for _, of_layers in found]))
            progress(len(scalars), len(networks))
    return Baseline(workload, np.array(seconds).T, tuple(scalars))


def measure_peer(
    peer: Peer,
    workload: Workload,
    networks: Sequence[NetworkStatistics],
    repeats: int,
    budget: float,
    progress: Progress,
) -> PeerTiming:
    """Time a peer on programs spread over the workload, until its time is used up; on one program at least.

    Eager torch is timed beside it, on the same layers. Programs whose results disagree with it are reported,
    and left out of all times.

    Args:
        peer: The peer.
        workload: The programs.
        networks: The networks to measure on.
        repeats: Of each call; the least counts.
        budget: Seconds for compiling and measuring.
        progress: Told of the programs done.
    """
    programs = workload.programs
    supported = [index for index, program in enumerate(programs) if peer.supports(program)]
    measured: list[int] = []
    found: list[_Measured] = []
    begin = time.perf_counter()
    if supported:
        sample = [_few_geometries(network, peer.geometries) for network in networks]
        eager = EagerTrees(peer.threads)
        wanted = [programs[index] for index in supported]
        loaded = [_loaded(each, sample, wanted) for each in (eager, peer)]
        for index in spread(supported):
            if measured and time.perf_counter() - begin > budget:
                break
            found.append(_measured(eager, peer, programs[index], loaded[0], loaded[1], repeats))
            measured.append(index)
            progress(len(measured), len(supported))
        agreement = compare(
            [programs[index] for index in measured],
            sample,
            [np.array([each.expected[column] for each in found]) for column in range(len(sample))],
            [np.array([each.scalars[column] for each in found]) for column in range(len(sample))],
        )
    else:
        sample, agreement = [], Agreement(0, (), ())
    right = [
        (index, each)
        for index, each in zip(measured, found, strict=True)
        if str(programs[index]) not in agreement.wrong_programs
    ]
    return PeerTiming(
        peer=peer.name,
        version=peer.version() or "",
        workload=workload.name,
        part=peer.part,
        of=len(programs),
        supported=len(supported),
        rows=tuple(index for index, _ in right),
        networks=len(sample),
        layers=sum(len(network) for network in sample),
        seconds=sum(each.seconds for _, each in right),
        compile_seconds=sum(each.compile_seconds for _, each in right),
        baseline_seconds=sum(each.baseline_seconds for _, each in right),
        program_ratios=tuple(each.baseline_seconds / each.seconds for _, each in right),
        agreement=agreement,
    )


@dataclass(frozen=True, slots=True)
class _Measured:
    """A peer and eager torch on one program."""

    seconds: float
    compile_seconds: float
    baseline_seconds: float
    scalars: list[list[float]]
    expected: list[list[float]]


def _measured(
    eager: Peer, peer: Peer, program: Program, tensors: _Loaded, arrays: _Loaded, repeats: int
) -> _Measured:
    with eager.running(), without_garbage_collection():
        run = eager.compile(program)
        expected = [_scalars(run, layers) for layers in tensors]
        baseline = sum(min(_seconds(run, layers) for _ in range(repeats)) for layers in tensors)
    with peer.running(), without_garbage_collection():
        run, compiling = _compiled(peer, program, arrays)
        scalars = [_scalars(run, layers) for layers in arrays]
        seconds = sum(min(_seconds(run, layers) for _ in range(repeats)) for layers in arrays)
    return _Measured(seconds, compiling, baseline, scalars, expected)


def _loaded(peer: Peer, networks: Sequence[NetworkStatistics], programs: Sequence[Program]) -> _Loaded:
    with peer.running():
        return [load_layers(peer, network, programs) for network in networks]


def _few_geometries(network: NetworkStatistics, count: int | None) -> NetworkStatistics:
    """The layers of the most frequent geometries of a network."""
    kept = {geometry for geometry, _ in Counter(network.geometries).most_common(count)}
    layers = [
        layer for layer, geometry in zip(network.layers, network.geometries, strict=True) if geometry in kept
    ]
    return NetworkStatistics(
        tuple(layers), tuple(each for each in network.geometries if each in kept), network.terminals
    )


def load_layers(peer: Peer, network: NetworkStatistics, programs: Sequence[Program]) -> list[object]:
    """Every layer of a network in the peer's own arrays, with the terminals that the programs read."""
    names = sorted({name for program in programs for name in program.terminals})
    return [peer.load({name: layer[name] for name in names}) for layer in network.layers]


def _compiled(peer: Peer, program: Program, networks: _Loaded) -> tuple[Run, float]:
    """A function that is warm on every layer, and the seconds that this took beyond running it."""
    seconds, run = timed(lambda: peer.compile(program))
    if not peer.compiles:
        return run, seconds
    for layers in networks:
        for layer in layers:
            calls = [timed(partial(run, layer))[0] for _ in range(_WARM_CALLS)]
            seconds += sum(calls) - len(calls) * min(calls)
    return run, seconds


def _scalars(run: Run, layers: Sequence[object]) -> list[float]:
    return [run(layer) for layer in layers]


def _seconds(run: Run, layers: Sequence[object]) -> float:
    begin = time.perf_counter()
    for layer in layers:
        run(layer)
    return time.perf_counter() - begin


def spread(items: Sequence[int]) -> list[int]:
    """The items in an order whose every beginning is spread over them: halves, then quarters, and so on."""
    order: dict[int, None] = {}
    step = len(items)
    while step >= 1:
        order.update(dict.fromkeys(items[::step]))
        step //= 2
    return list(order)
