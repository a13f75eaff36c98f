"""A whole run: statistics, the baseline, every backend and peer on the same work, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from eznas.backends import get_backend
from eznas.benchmark.cold import ColdStart, measure_cold_start
from eznas.benchmark.growth import GrowthPoint, MemoTiming, measure_growth, measure_memo
from eznas.benchmark.machine import this_machine
from eznas.benchmark.networks import Progress, bench_networks
from eznas.benchmark.operations import measure_operations
from eznas.benchmark.peers import PEERS
from eznas.benchmark.populations import BackendTiming, affordable_networks, check_backend, measure_backend
from eznas.benchmark.report import BenchOptions, BenchReport, Part, WorkloadSummary
from eznas.benchmark.roofline import measure_roofline
from eznas.benchmark.trees import Baseline, PeerTiming, measure_baseline, measure_peer
from eznas.benchmark.workloads import Workload, load_workload
from eznas.errors import ConfigError
from eznas.statistics import NetworkStatistics
from eznas.store import StatisticsStore
from eznas.threads import available_processors

PEER_NETWORKS: Final = 2
"""Peers are measured on so many networks: a compiled function a program and geometry is soon dear."""

Tell = Callable[[str, int, int], None]
"""Told what is done, how much of it, and how much there is in all."""


def run_bench(
    options: BenchOptions,
    tell: Tell,
    announce: Callable[[str], None],
    stores: Path | str | None = None,
) -> BenchReport:
    """Measure all that the options ask for.

    Args:
        options: What is measured, and how thoroughly.
        tell: Told of the progress.
        announce: Told what a user should know: disk that is needed, peers that are skipped.
        stores: Where statistics are kept between runs; see `eznas.tasks.default_stores`.

    Raises:
        EznasError: An unknown name, a full disk, and so on; the message says which.
    """
    workloads = [load_workload(name).first(options.programs) for name in options.workloads]
    peers, skipped = _available(options.peers if Part.PEERS in options.parts else ())
    for name, reason in skipped.items():
        announce(f"peer {name} is skipped: {reason}")
    for name in options.backends:
        announce(f"loading backend {name}; the first time on a machine its kernels are compiled")
        get_backend(name)
    store = bench_networks(options.networks, stores, announce, partial(tell, "statistics"))
    store.verify(partial(tell, "statistics checked"))
    baselines = [
        measure_baseline(
            workload,
            store,
            options.threads,
            options.repeats,
            options.baseline_budget,
            partial(tell, f"eager torch on {workload.name}"),
        )
        for workload in (workloads if Part.WORKLOADS in options.parts else ())
    ]
    timings = _backends(baselines, store, options, tell)
    return BenchReport(
        machine=this_machine(),
        options=options,
        layers=sum(len(network) for network in store),
        workloads=tuple(map(_summary, baselines)),
        backends=timings,
        peers=_peers(peers, workloads, store, options, tell),
        skipped_peers=skipped,
        operations=(
            measure_operations(options.backends, store, options.repeats + 2, partial(tell, "operations"))
            if Part.OPERATIONS in options.parts
            else ()
        ),
        growth=_growth(workloads[0], store, options, tell),
        memos=_memos(workloads[0], store, options, tell),
        rooflines=(
            measure_roofline(options.backends, store, options.threads, options.repeats)
            if Part.ROOFLINE in options.parts
            else ()
        ),
        cold_starts=_cold_starts(workloads[0], store, options, tell),
    )


def _available(names: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    unknown = [name for name in names if name not in PEERS]
    if unknown:
        raise ConfigError(f"unknown peer {unknown[0]!r}; expected one of {', '.join(PEERS)}")
    skipped = {
        name: f'the package {PEERS[name].package} is missing; pip install "eznas[bench]" brings it'
        for name in names
        if PEERS[name].version() is None
    }
    return [name for name in names if name not in skipped], skipped


def _summary(baseline: Baseline) -> WorkloadSummary:
    workload = baseline.workload
    sizes = np.array([program.size for program in workload.programs])
    return WorkloadSummary(
        name=workload.name,
        programs=len(workload.programs),
        least_size=int(sizes.min()),
        median_size=float(np.median(sizes)),
        largest_size=int(sizes.max()),
        baseline_seconds=float(baseline.seconds.sum()),
        about=workload.about,
    )


def _backends(
    baselines: Sequence[Baseline], store: StatisticsStore, options: BenchOptions, tell: Tell
) -> tuple[BackendTiming, ...]:
    timings = []
    for baseline in baselines:
        for name in options.backends:
            label = f"{name} on {baseline.workload.name}"
            networks = _affordable(name, baseline.workload, store, options)[: len(baseline.scalars)]
            agreement = check_backend(name, baseline, networks, partial(tell, f"{label}: results compared"))
            timings.append(
                measure_backend(
                    name,
                    baseline,
                    networks,
                    agreement,
                    options.threads,
                    options.repeats,
                    options.budget,
                    partial(tell, f"{label}: programs alone"),
                )
            )
    return tuple(timings)


def _peers(
    names: Sequence[str],
    workloads: Sequence[Workload],
    store: StatisticsStore,
    options: BenchOptions,
    tell: Tell,
) -> tuple[PeerTiming, ...]:
    networks = store[:PEER_NETWORKS]
    timings = []
    for name in names:
        peer = PEERS[name](options.threads)
        for workload in workloads:
            progress: Progress = partial(tell, f"{name} on {workload.name}")
            timings.append(
                measure_peer(peer, workload, networks, options.repeats, options.budget / 2, progress)
            )
    return tuple(timings)


def _growth(
    workload: Workload, store: StatisticsStore, options: BenchOptions, tell: Tell
) -> tuple[GrowthPoint, ...]:
    if Part.GROWTH not in options.parts:
        return ()
    threads = tuple(dict.fromkeys((options.threads, 1, min(2, available_processors()))))
    points: list[GrowthPoint] = []
    for done, name in enumerate(options.backends):
        networks = _affordable(name, workload, store, options)
        points += measure_growth(name, workload.programs, networks, threads, options.repeats)
        tell("growth", done + 1, len(options.backends))
    return tuple(points)


def _memos(
    workload: Workload, store: StatisticsStore, options: BenchOptions, tell: Tell
) -> tuple[MemoTiming, ...]:
    timings: list[MemoTiming] = []
    for done, name in enumerate(options.backends if Part.MEMO in options.parts else ()):
        networks = _affordable(name, workload, store, options)
        timings.append(measure_memo(name, workload.programs, networks, options.threads))
        tell("memo", done + 1, len(options.backends))
    return tuple(timings)


def _cold_starts(
    workload: Workload, store: StatisticsStore, options: BenchOptions, tell: Tell
) -> tuple[ColdStart, ...]:
    starts: list[ColdStart] = []
    for done, name in enumerate(options.backends if Part.COLD in options.parts else ()):
        networks = len(_affordable(name, workload, store, options))
        starts.append(measure_cold_start(name, workload.programs, store.path, networks, options.threads))
        tell("new processes", done + 1, len(options.backends))
    return tuple(starts)


def _affordable(
    name: str, workload: Workload, store: StatisticsStore, options: BenchOptions
) -> list[NetworkStatistics]:
    """As many networks as a backend can score a few times within its budget."""
    count = affordable_networks(
        name, workload.programs, store, options.threads, options.repeats, options.budget
    )
    return store[:count]
