"""All that is learned of programs on the networks of a task, from as few collections as possible."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from eznas.analysis.contribution import Contributions, Variant, contributions, variants
from eznas.analysis.network_scores import NetworkScores, measure_scores
from eznas.analysis.seeds import SeedSensitivity, seed_sensitivity
from eznas.analysis.ties import Ties, count_ties
from eznas.errors import ConfigError
from eznas.program import Program
from eznas.ranking import StatisticsSettings
from eznas.tasks import Task


class Section(StrEnum):
    """A part of an analysis."""

    RESPONSE = "response"
    CONTRIBUTION = "contribution"
    TIES = "ties"
    SEEDS = "seeds"


@dataclass(frozen=True, slots=True, eq=False)
class TaskAnalysis:
    """One program on the networks of one task; None for sections that were not asked for."""

    task: str
    program: Program
    architectures: tuple[str, ...]
    accuracies: NDArray[np.float64]
    contributions: Contributions | None
    ties: Ties | None
    seeds: SeedSensitivity | None


def analyse_task(
    task: Task,
    rows: Sequence[int],
    programs: Sequence[Program],
    sections: frozenset[Section],
    settings: StatisticsSettings,
    seeds: int = 4,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[TaskAnalysis, ...]:
    """Analyse programs on untrained networks of a task.

    Contributions and ties are those of the settings' seed; the sensitivity is to that seed and the following.

    Args:
        task: The task.
        rows: Which of its architectures.
        programs: The programs.
        sections: What to learn; the response needs no networks and is not done here.
        settings: How statistics and scores are taken, and the first seed.
        seeds: How many seeds, for that section alone.
        progress: Told of every network, of all seeds together.

    Raises:
        ConfigError: Fewer than two seeds, or a program that is too large for its contributions.
    """
    wants_seeds = Section.SEEDS in sections
    if wants_seeds and seeds < 2:
        raise ConfigError(f"expected at least 2 seeds to compare, got {seeds}")
    used = tuple(range(settings.seed, settings.seed + (seeds if wants_seeds else 1)))
    wants_contribution = Section.CONTRIBUTION in sections
    found = [variants(program) if wants_contribution else () for program in programs]
    rounds: list[NetworkScores] = []
    for position, seed in enumerate(used):
        # The variants are scored with the first seed only.
        extra = [variant.program for group in found for variant in group] if position == 0 else []
        told = None if progress is None else _Later(progress, position, len(used))
        rounds.append(measure_scores(task, rows, [*programs, *extra], replace(settings, seed=seed), told))
    accuracies = task.accuracies[list(rows)]
    first = rounds[0]
    next_row = len(programs)
    analyses = []
    for row, (program, group) in enumerate(zip(programs, found, strict=True)):
        replaced: list[tuple[Variant, NDArray[np.float64]]] = [
            (variant, first.values[next_row + number]) for number, variant in enumerate(group)
        ]
        next_row += len(group)
        by_seed = np.array([scores.values[row] for scores in rounds])
        analyses.append(
            TaskAnalysis(
                task=task.name,
                program=program,
                architectures=tuple(task.architectures[index] for index in rows),
                accuracies=accuracies,
                contributions=contributions(
                    program, first.values[row], replaced, accuracies, first.geometries
                )
                if wants_contribution
                else None,
                ties=count_ties(first.values[row], first.failures_of(row))
                if Section.TIES in sections
                else None,
                seeds=seed_sensitivity(used, by_seed, accuracies) if wants_seeds else None,
            )
        )
    return tuple(analyses)


@dataclass(frozen=True, slots=True)
class _Later:
    """Tells of one of several rounds over the networks."""

    progress: Callable[[int, int], None]
    round: int
    rounds: int

    def __call__(self, done: int, total: int) -> None:
        self.progress(self.round * total + done, self.rounds * total)
