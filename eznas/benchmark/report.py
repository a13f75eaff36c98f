"""What a run of the benchmark gives, and its JSON."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from eznas.benchmark.cold import ColdStart
from eznas.benchmark.growth import GrowthPoint, MemoTiming
from eznas.benchmark.machine import Machine
from eznas.benchmark.networks import NetworkSettings
from eznas.benchmark.operations import OperationTiming
from eznas.benchmark.populations import BackendTiming
from eznas.benchmark.roofline import Roofline
from eznas.benchmark.trees import PeerTiming

FORMAT: Final = "eznas bench"
VERSION: Final = 1


class Part(StrEnum):
    """What can be measured, one by one."""

    WORKLOADS = "workloads"
    """Whole workloads, and each program alone, by every backend."""
    PEERS = "peers"
    """Other evaluators on as much of the workloads as they can do."""
    OPERATIONS = "operations"
    """Each operation alone on every shape."""
    GROWTH = "growth"
    """With the number of programs, networks and threads."""
    MEMO = "memo"
    """Two related calls."""
    ROOFLINE = "roofline"
    """A simple program against the bandwidth of the memory."""
    COLD = "cold"
    """A new process."""


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """What is measured, and how thoroughly."""

    networks: NetworkSettings
    workloads: tuple[str, ...]
    backends: tuple[str, ...]
    peers: tuple[str, ...]
    parts: tuple[Part, ...]
    programs: int | None
    """Of each workload the first; all of them for None."""
    threads: int
    repeats: int
    """Of each measurement; the least counts."""
    baseline_budget: float
    """Seconds for eager torch on a workload; it stops after the network at which they are over."""
    budget: float
    """Seconds for a backend on a workload, half of it for a peer: slow ones are measured on fewer cells."""


@dataclass(frozen=True, slots=True)
class WorkloadSummary:
    """The programs of a workload, as they were measured."""

    name: str
    programs: int
    least_size: int
    median_size: float
    largest_size: int
    baseline_seconds: float
    """Eager torch, a tree and a layer at a time, on all networks."""
    about: str


@dataclass(frozen=True, slots=True)
class BenchReport:
    """Everything that was measured in one run."""

    machine: Machine
    options: BenchOptions
    layers: int
    """Of all networks."""
    workloads: tuple[WorkloadSummary, ...]
    backends: tuple[BackendTiming, ...]
    peers: tuple[PeerTiming, ...]
    skipped_peers: Mapping[str, str]
    """Why a peer was not measured."""
    operations: tuple[OperationTiming, ...]
    growth: tuple[GrowthPoint, ...]
    memos: tuple[MemoTiming, ...]
    rooflines: tuple[Roofline, ...]
    cold_starts: tuple[ColdStart, ...]

    @property
    def wrong(self) -> int:
        """How many results of the backends are wrong."""
        return sum(len(timing.agreement.wrong) for timing in self.backends) + sum(
            len(timing.wrong) for timing in self.operations
        )


def report_record(report: BenchReport) -> dict[str, Any]:
    """The report as JSON: every field, and every figure that is derived from them."""
    return {"format": FORMAT, "version": VERSION, **_record(report)}


def _record(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        names += [name for name, held in vars(type(value)).items() if isinstance(held, property)]
        return {name: _record(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {str(key): _record(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [_record(each) for each in value]
    if isinstance(value, frozenset):
        return sorted(_record(each) for each in value)
    if isinstance(value, float) and not math.isfinite(value):
        return None  # JSON has neither NaN nor infinity
    return value
