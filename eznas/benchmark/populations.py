"""Measures backends: whole workloads in one call, and each program alone."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from eznas.backends import Backend, ToScalar, get_backend
from eznas.benchmark.agreement import Agreement, compare
from eznas.benchmark.networks import Progress
from eznas.benchmark.timing import least_seconds, timed, without_garbage_collection
from eznas.benchmark.trees import Baseline, spread
from eznas.compile import build_graph
from eznas.evaluator import Evaluator
from eznas.program import Program
from eznas.statistics import NetworkStatistics
from eznas.threads import one_torch_thread

_PASSES: Final = 3
"""Of the workload for each repetition: a first call, a later one, and each program alone."""
_FIRST_CALLS: Final = 2
"""Of these passes those that plan."""

_FALLBACKS: Final = "fallbacks"
"""What a backend may offer: how many nodes it left to eager torch, for each operation."""


@dataclass(frozen=True, slots=True)
class BackendTiming:
    """A backend on a workload; ratios are to eager torch, a tree at a time, on the same cells."""

    backend: str
    workload: str
    threads: int
    rows: tuple[int, ...]
    """The measured programs of the workload, by index."""
    networks: int
    layers: int
    first_seconds: float
    """The first call of a new evaluator: planning counted, memo off, kernels loaded before."""
    later_seconds: float
    """A later call with the same programs: planned before, memo off."""
    baseline_seconds: float
    alone_rows: tuple[int, ...]
    """The programs that were measured alone, by index."""
    alone_ratios: tuple[float, ...]
    """For each of them in a call of its own, by a new evaluator; planning counted."""
    node_evaluations: int
    """Nodes of all trees times layers, shared or not."""
    terminal_bytes: int
    """Of the statistics that the workload reads, each counted once."""
    fallbacks: int | None
    """Nodes that the backend left to eager torch; None where it does not tell."""
    agreement: Agreement

    @property
    def ratio(self) -> float:
        """How many times faster than eager torch, planning counted."""
        return self.baseline_seconds / self.first_seconds if self.first_seconds else float("nan")

    @property
    def later_ratio(self) -> float:
        """How many times faster than eager torch, once planned."""
        return self.baseline_seconds / self.later_seconds if self.later_seconds else float("nan")

    @property
    def planning_seconds(self) -> float:
        """What the first call takes beyond a later one."""
        return max(0.0, self.first_seconds - self.later_seconds)


def check_backend(
    name: str, baseline: Baseline, networks: Sequence[NetworkStatistics], progress: Progress
) -> Agreement:
    """Compare every scalar of the workload, on every layer of the networks, with eager torch."""
    programs = baseline.workload.programs
    backend, graph = get_backend(name), build_graph(programs)
    found: list[NDArray[np.float64]] = []
    with one_torch_thread():
        for column, network in enumerate(networks):
            found.append(backend.layer_scalars(graph, network, ToScalar.MEAN))
            progress(column + 1, len(networks))
    return compare(programs, networks, baseline.scalars[: len(networks)], found)


def affordable_networks(
    name: str,
    programs: Sequence[Program],
    networks: Sequence[NetworkStatistics],
    threads: int,
    repeats: int,
    budget: float,
) -> int:
    """On how many of the networks `measure_backend` stays within a budget of seconds; at least one."""
    score = partial(Evaluator(networks, name, threads, memo_bytes=0).score, programs, [0])
    first, later = timed(score)[0], least_seconds(score, 2)
    spare = budget - _FIRST_CALLS * repeats * max(0.0, first - later)
    return max(1, min(len(networks), int(spare / (_PASSES * repeats * max(later, 1e-9)))))


def measure_backend(
    name: str,
    baseline: Baseline,
    networks: Sequence[NetworkStatistics],
    agreement: Agreement,
    threads: int,
    repeats: int,
    budget: float,
    progress: Progress,
) -> BackendTiming:
    """Time a backend on a workload, the programs that disagree with eager torch left out.

    Args:
        name: The backend.
        baseline: The workload, and eager torch on at least these networks.
        networks: The networks to measure on.
        agreement: What `check_backend` found.
        threads: Networks that are evaluated at once.
        repeats: Of each measurement; the least counts.
        budget: Seconds for programs alone; they are spread over the workload.
        progress: Told of the programs measured alone.
    """
    everything = baseline.workload.programs
    rows = [row for row, program in enumerate(everything) if str(program) not in agreement.wrong_programs]
    programs = [everything[row] for row in rows]
    first, later = [], []
    with without_garbage_collection():
        for _ in range(repeats):
            evaluator = Evaluator(networks, name, threads, memo_bytes=0)
            first.append(timed(partial(evaluator.score, programs))[0])
            later.append(timed(partial(evaluator.score, programs))[0])
    alone: dict[int, float] = {}
    begin = time.perf_counter()
    for row in spread(rows):
        if alone and time.perf_counter() - begin > budget:
            break
        with without_garbage_collection():
            seconds = least_seconds(partial(_score_alone, name, networks, threads, everything[row]), repeats)
        alone[row] = seconds
        progress(len(alone), len(rows))
    cells = baseline.of(rows, len(networks))
    alone_cells = baseline.of(list(alone), len(networks))
    layers = sum(len(network) for network in networks)
    return BackendTiming(
        backend=name,
        workload=baseline.workload.name,
        threads=threads,
        rows=tuple(rows),
        networks=len(networks),
        layers=layers,
        first_seconds=min(first),
        later_seconds=min(later),
        baseline_seconds=float(cells.sum()),
        alone_rows=tuple(alone),
        alone_ratios=tuple((alone_cells / np.array(list(alone.values()))).tolist()),
        node_evaluations=layers * sum(program.size for program in programs),
        terminal_bytes=terminal_bytes(programs, networks),
        fallbacks=fallbacks(evaluator.backend),
        agreement=agreement,
    )


def terminal_bytes(programs: Sequence[Program], networks: Sequence[NetworkStatistics]) -> int:
    """The bytes of the statistics that the programs read; what layers of a network share is counted once."""
    names = {name for program in programs for name in program.terminals}
    return sum(
        network.layers[layer][name].nbytes
        for network in networks
        for name in names
        for layer in set(network.first_layers_of([name])[0].tolist())
    )


def fallbacks(backend: Backend) -> int | None:
    """How many nodes the backend left to eager torch, where it counts them."""
    counted = getattr(backend, _FALLBACKS, None)
    if counted is None:
        return None
    return int(sum(counted.values())) if hasattr(counted, "values") else int(counted)


def _score_alone(name: str, networks: Sequence[NetworkStatistics], threads: int, program: Program) -> object:
    return Evaluator(networks, name, threads, memo_bytes=0).score([program])
