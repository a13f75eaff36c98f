"""Programs beside parameters and FLOPs on the networks of a task: scores, correlations, intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eznas.evaluator import Evaluator
from eznas.program import NAMED_PROGRAM_ORIENTATIONS, NAMED_PROGRAMS, Program
from eznas.ranking.correlation import Correlation, kendall_tau, spearman_rho, with_interval
from eznas.tasks import Task, network_statistics

Progress = Callable[[int, int], None]
"""Called with the networks done and the networks in all."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A program to compare, and whether its higher (1) or its lower (-1) scores mean higher accuracy."""

    name: str
    program: Program
    orientation: int = 1


def named_contender(name: str) -> Contender:
    """The named program of this name, in its orientation."""
    return Contender(name, NAMED_PROGRAMS[name], NAMED_PROGRAM_ORIENTATIONS[name])


@dataclass(frozen=True, slots=True)
class StatisticsSettings:
    """How the statistics of a network are taken, and how its layers become a score."""

    structure: str = "rcb"
    to_scalar: str = "mean"
    batch_size: int = 1
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Ranked:
    """How one contender ranks the networks of a task."""

    name: str
    program: Program | None
    """None for parameters and FLOPs."""
    scores: NDArray[np.float64]
    """(networks,) times the orientation; NaN where the program is invalid, which counts as no score."""
    tau: Correlation
    rho: Correlation

    @property
    def scored(self) -> int:
        """The number of networks with a score; the correlations are over these."""
        return int(np.isfinite(self.scores).sum())


@dataclass(frozen=True, slots=True)
class Comparison:
    """All contenders on the same networks of one task."""

    task: str
    architectures: tuple[str, ...]
    accuracies: NDArray[np.float64]
    ranked: tuple[Ranked, ...]


def compare(
    task: Task,
    rows: Sequence[int],
    contenders: Sequence[Contender],
    settings: StatisticsSettings,
    resamples: int = 1000,
    progress: Progress | None = None,
) -> Comparison:
    """Score untrained networks of a task with programs, parameters and FLOPs, and correlate with accuracy.

    Args:
        task: The task.
        rows: Which of its architectures.
        contenders: The programs; only the statistics that they read are collected.
        settings: How statistics and scores are taken.
        resamples: Of the bootstrap intervals.
        progress: Told of every network.
    """
    architectures = tuple(task.architectures[row] for row in rows)
    values = _score(task, architectures, [contender.program for contender in contenders], settings, progress)
    accuracies = task.accuracies[list(rows)]
    columns: list[tuple[str, Program | None, NDArray[np.float64]]] = [
        (contender.name, contender.program, contender.orientation * scores)
        for contender, scores in zip(contenders, values, strict=True)
    ]
    columns.append(("parameters", None, task.table.parameters[list(rows)].astype(np.float64)))
    columns.append(("FLOPs", None, task.table.flops[list(rows)].astype(np.float64)))
    ranked = tuple(_rank(*column, accuracies, resamples) for column in columns)
    return Comparison(task.name, architectures, accuracies, ranked)


def _score(
    task: Task,
    architectures: Sequence[str],
    programs: Sequence[Program],
    settings: StatisticsSettings,
    progress: Progress | None,
) -> NDArray[np.float64]:
    """Scores (programs, networks); each network is built, scored and forgotten."""
    terminals = sorted({name for program in programs for name in program.terminals})
    values = np.full((len(programs), len(architectures)), np.nan)
    for column, architecture in enumerate(architectures):
        if programs:
            statistics = network_statistics(
                task,
                architecture,
                terminals,
                structure=settings.structure,
                batch_size=settings.batch_size,
                seed=settings.seed,
            )
            evaluator = Evaluator([statistics], threads=1, memo_bytes=0, to_scalar=settings.to_scalar)
            values[:, column] = evaluator.score(programs).values[:, 0]
        if progress is not None:
            progress(column + 1, len(architectures))
    return values


def _rank(
    name: str,
    program: Program | None,
    scores: NDArray[np.float64],
    accuracies: NDArray[np.float64],
    resamples: int,
) -> Ranked:
    scored = np.isfinite(scores)
    tau, rho = (
        with_interval(statistic, scores[scored], accuracies[scored], resamples)
        for statistic in (kendall_tau, spearman_rho)
    )
    return Ranked(name, program, scores, tau, rho)
