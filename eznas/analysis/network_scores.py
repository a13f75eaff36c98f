"""Scores of programs on the untrained networks of a task, which are built, scored and forgotten."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from eznas.evaluator import Evaluator, Failure
from eznas.program import Program
from eznas.ranking import StatisticsSettings
from eznas.statistics import NetworkStatistics
from eznas.tasks import Task, network_statistics
from eznas.terminals import TERMINALS, Geometry

Progress = Callable[[int, int], None]
"""Called with the networks done and the networks in all."""


@dataclass(frozen=True, slots=True, eq=False)
class NetworkScores:
    """What programs give for networks."""

    values: NDArray[np.float64]
    """(programs, networks); NaN where a program has no score."""
    failures: tuple[Failure, ...]
    """One for each NaN, in the order of programs, then networks."""
    geometries: tuple[Geometry, ...]
    """The distinct shapes of the layers, as far as they were read."""

    def failures_of(self, row: int) -> tuple[Failure, ...]:
        """The failures of the program of this row; the same program may stand in several."""
        missing = np.isnan(self.values).sum(axis=1)
        first = int(missing[:row].sum())
        return self.failures[first : first + int(missing[row])]


def measure_scores(
    task: Task,
    rows: Sequence[int],
    programs: Sequence[Program],
    settings: StatisticsSettings,
    progress: Progress | None = None,
) -> NetworkScores:
    """Score untrained networks of a task; a few of them are in memory at once.

    Args:
        task: The task.
        rows: Which of its architectures.
        programs: The programs; only the statistics that they read are collected.
        settings: How statistics and scores are taken.
        progress: Told of every network.
    """
    networks = _TaskNetworks(task, rows, programs, settings, progress)
    # One thread, since building a network moves and restores torch's one random state.
    evaluator = Evaluator(networks, backend="auto", threads=1, memo_bytes=0, to_scalar=settings.to_scalar)
    scores = evaluator.score(programs)
    return NetworkScores(scores.values, scores.failures, tuple(networks.geometries))


class _TaskNetworks(Sequence[NetworkStatistics]):
    """The statistics of networks of a task, collected whenever they are asked for."""

    def __init__(
        self,
        task: Task,
        rows: Sequence[int],
        programs: Sequence[Program],
        settings: StatisticsSettings,
        progress: Progress | None,
    ) -> None:
        self.geometries: dict[Geometry, None] = {}
        self._task = task
        self._rows = rows
        self._terminals = [
            name for name in TERMINALS if any(name in program.terminals for program in programs)
        ]
        self._settings = settings
        self._progress = progress

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> NetworkStatistics: ...
    @overload
    def __getitem__(self, index: slice) -> list[NetworkStatistics]: ...
    def __getitem__(self, index: int | slice) -> NetworkStatistics | list[NetworkStatistics]:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        statistics = network_statistics(
            self._task,
            self._task.architectures[self._rows[index]],
            self._terminals,
            structure=self._settings.structure,
            batch_size=self._settings.batch_size,
            seed=self._settings.seed,
        )
        self.geometries.update(dict.fromkeys(statistics.geometries))
        if self._progress is not None:
            self._progress(index + 1, len(self))
        return statistics
