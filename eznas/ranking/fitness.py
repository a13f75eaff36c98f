"""The fitness of a program: how well its scores rank the networks of every task (EZNAS, section 3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eznas.ranking.correlation import kendall_tau


@dataclass(frozen=True, slots=True)
class Fitness:
    """The outcome of measuring one program."""

    value: float
    """From 0 to 1; the least agreement over the tasks."""
    orientation: int
    """1 where higher scores mean higher accuracy, -1 where lower ones do."""
    taus: tuple[float, ...]
    """Kendall tau of the scores with the accuracies, one a task; 0 where the program is invalid there."""


def measure_fitness(
    scores: Sequence[NDArray[np.float64]], accuracies: Sequence[NDArray[np.float64]]
) -> Fitness:
    """The least agreement over the tasks, in the orientation that makes it largest.

    It equals min(abs(tau)) over the tasks where the taus have one sign. Where their signs differ it is 0,
    since no orientation lets such a program rank the networks of every task.

    Args:
        scores: For each task (networks,), NaN where the program is invalid.
        accuracies: For each task (networks,).
    """
    taus = tuple(
        kendall_tau(score, accuracy) if np.isfinite(score).all() else 0.0
        for score, accuracy in zip(scores, accuracies, strict=True)
    )
    upward, downward = min(taus), min(-tau for tau in taus)
    orientation = 1 if upward >= downward else -1
    return Fitness(max(upward, downward, 0.0), orientation, taus)
