"""The work of a call: its tasks, shared out over threads, and jobs in batches with the same work."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import numpy as np
from numpy.typing import NDArray

from eznas.backends import Backend, SubtreeBackend, ToScalar
from eznas.errors import StatisticsError
from eznas.evaluator.diagnosis import shape_failure, value_failure
from eznas.evaluator.memo import Memo, Outcome, Row
from eznas.evaluator.subtrees import Work
from eznas.evaluator.typed_programs import TypedPrograms
from eznas.statistics import NetworkStatistics

LARGEST_SHARE: Final = 16
"""Networks at once at most; a call of a backend costs about 0.2 ms beside what it computes."""


@dataclass(frozen=True, slots=True)
class Task:
    """The programs to evaluate on one network."""

    network: int
    """Its index."""
    typed: TypedPrograms
    rows: tuple[int, ...]
    """The indices of the programs."""


@dataclass(frozen=True, slots=True)
class Job:
    """A task of which it is known what is to be computed."""

    task: Task
    statistics: NetworkStatistics
    fitting: tuple[int, ...]
    """The programs that have a shape on every layer."""
    work: Work | None
    """What a backend that keeps subtrees computes for those; None for others."""

    def keep(self, scalars: NDArray[np.float64], memo: Memo[Row] | None) -> NDArray[np.float64]:
        """The scalars of the fitting programs, from all that were computed, which the memo keeps."""
        if self.work is None or memo is None:
            return scalars
        subtrees = self.task.typed.subtrees
        subtrees.keep(self.work, self.task.network, scalars, memo)
        return scalars[self.work.positions([subtrees.graph.roots[row] for row in self.fitting])]

    def outcomes(self, scalars: NDArray[np.float64], to_scalar: ToScalar) -> list[Outcome]:
        """The outcome of each program, from the scalars of the fitting ones, (programs, layers)."""
        found: dict[int, Outcome] = {}
        with np.errstate(all="ignore"):
            means = scalars.mean(axis=1).tolist()
        # Finite scalars have a finite mean: they were rounded to float32.
        for row, mean, of_layers in zip(self.fitting, means, scalars, strict=True):
            found[row] = mean if math.isfinite(mean) else self._value_failure(row, of_layers, to_scalar)
        if len(self.fitting) < len(self.task.rows):
            for row, refusal in self.task.typed.refusals(self.statistics).items():
                program = self.task.typed.programs[row]
                found[row] = shape_failure(program, self.task.network, refusal.layer, refusal.rejection)
        return [found[row] for row in self.task.rows]

    def _value_failure(self, row: int, of_layers: NDArray[np.float64], to_scalar: ToScalar) -> Outcome:
        layer = int(np.flatnonzero(~np.isfinite(of_layers))[0])
        scalar = float(of_layers[layer])
        program = self.task.typed.programs[row]
        return value_failure(program, self.statistics, self.task.network, layer, scalar, to_scalar)


def share_out(tasks: Sequence[Task], threads: int, *, together: bool) -> list[list[Task]]:
    """Tasks that follow each other, one or several at once, few enough that every thread has some."""
    size = max(1, min(LARGEST_SHARE, -(-len(tasks) // threads))) if together else 1
    return [list(tasks[begin : begin + size]) for begin in range(0, len(tasks), size)]


def make_jobs(
    tasks: Sequence[Task], networks: Sequence[NetworkStatistics], memo: Memo[Row] | None
) -> list[Job]:
    """Find out what is to be computed.

    Args:
        tasks: The tasks.
        networks: The network of each.
        memo: What is known of subtrees; None for backends that keep none.

    Raises:
        StatisticsError: A network does not hold a terminal that a program reads.
    """
    for task, statistics in zip(tasks, networks, strict=True):
        missing = sorted(task.typed.terminals.difference(statistics.terminals))
        if missing:
            held = ", ".join(statistics.terminals)
            raise StatisticsError(f"the programs read {', '.join(missing)}, the statistics hold {held}")
    for typed in {id(task.typed): task.typed for task in tasks}.values():
        typed.meet(networks)
    return [_make_job(task, statistics, memo) for task, statistics in zip(tasks, networks, strict=True)]


def _make_job(task: Task, statistics: NetworkStatistics, memo: Memo[Row] | None) -> Job:
    typed = task.typed
    refusals = typed.refusals(statistics)
    fitting = tuple(row for row in task.rows if row not in refusals) if refusals else task.rows
    work = None
    if memo is not None:
        roots = [typed.subtrees.graph.roots[row] for row in fitting]
        work = typed.subtrees.work(roots, task.network, memo)
    return Job(task, statistics, fitting, work)


def batches(jobs: Sequence[Job]) -> Iterator[list[Job]]:
    """Jobs that follow each other and have the same work; jobs without work are alone."""
    for work, group in groupby(jobs, key=lambda job: job.work and (job.work.nodes, tuple(job.work.known))):
        if work is None:
            yield from ([job] for job in group)
        else:
            yield list(group)


def scalars_of(backend: Backend, batch: Sequence[Job], to_scalar: ToScalar) -> list[NDArray[np.float64]]:
    """For each job the numbers of the nodes of its work, or of its fitting programs: (numbers, layers)."""
    works = [job.work for job in batch if job.work is not None]
    if not isinstance(backend, SubtreeBackend) or not works:
        return [
            backend.layer_scalars(job.task.typed.graph_of(job.fitting), job.statistics, to_scalar)
            for job in batch
        ]
    known = {node: [work.known[node] for work in works] for node in works[0].known}
    networks = [job.statistics for job in batch]
    return backend.node_scalars(batch[0].task.typed.subtrees.graph, networks, works[0].nodes, known)
