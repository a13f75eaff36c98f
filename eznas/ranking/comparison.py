"""Contenders beside parameters and FLOPs on the networks of a task: scores, correlations, intervals."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eznas.program import AnyProgram
from eznas.ranking.contender import AnyContender
from eznas.ranking.correlation import Correlation, kendall_tau, spearman_rho, with_interval
from eznas.ranking.scoring import Progress, StatisticsSettings, network_outcomes
from eznas.tasks import Task


@dataclass(frozen=True, slots=True)
class Ranked:
    """How one contender ranks the networks of a task."""

    name: str
    program: AnyProgram | None
    """None for proxies, parameters and FLOPs."""
    scores: NDArray[np.float64]
    """(networks,) times the orientation; NaN where the program is invalid, which counts as no score."""
    tau: Correlation
    rho: Correlation
    tau_top_half: Correlation
    """Kendall tau within the half of the networks that is most accurate."""
    tau_top_tenth: Correlation
    reasons: tuple[tuple[str, int], ...] = ()
    """Why networks have no score and how many for each reason, the most frequent first."""

    @property
    def scored(self) -> int:
        """The number of networks with a score; the correlations are over these."""
        return int(np.isfinite(self.scores).sum())


@dataclass(frozen=True, slots=True)
class Comparison:
    """All contenders on the same networks of one task."""

    task: str
    settings: StatisticsSettings
    architectures: tuple[str, ...]
    accuracies: NDArray[np.float64]
    ranked: tuple[Ranked, ...]

    @property
    def stem(self) -> str:
        """What the names of its files begin with."""
        return f"{self.task}-batch{self.settings.batch_size}-seed{self.settings.seed}"


def compare(
    task: Task,
    rows: Sequence[int],
    contenders: Sequence[AnyContender],
    settings: StatisticsSettings,
    *,
    resamples: int = 1000,
    processes: int | None = None,
    journal: Path | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Score untrained networks of a task with contenders, parameters and FLOPs, and correlate with accuracy.

    Args:
        task: The task.
        rows: Which of its architectures.
        contenders: Programs and proxies.
        settings: How statistics and scores are taken.
        resamples: Of the bootstrap intervals.
        processes: See `network_outcomes`, as for the following.
        journal: A folder that keeps every score.
        progress: Told of the networks done.

    Raises:
        EznasError: See `network_outcomes`.
    """
    architectures = tuple(task.architectures[row] for row in rows)
    outcomes = network_outcomes(
        task, architectures, contenders, settings, processes=processes, journal=journal, progress=progress
    )
    accuracies = task.accuracies[list(rows)]
    ranked = []
    for contender, of_networks in zip(contenders, outcomes, strict=True):
        reasons = Counter(outcome for outcome in of_networks if isinstance(outcome, str))
        scores = np.array([np.nan if isinstance(outcome, str) else outcome for outcome in of_networks])
        of_contender = rank(
            contender.name, contender.program, contender.orientation * scores, accuracies, resamples
        )
        ranked.append(replace(of_contender, reasons=tuple(reasons.most_common())))
    for name, costs in (("parameters", task.parameters(rows)), ("FLOPs", task.flops(rows))):
        ranked.append(rank(name, None, costs.astype(np.float64), accuracies, resamples))
    return Comparison(task.name, settings, architectures, accuracies, tuple(ranked))


def rank(
    name: str,
    program: AnyProgram | None,
    scores: NDArray[np.float64],
    accuracies: NDArray[np.float64],
    resamples: int = 1000,
) -> Ranked:
    """Correlate the oriented scores of a contender, NaN where it has none, with accuracies (networks,)."""
    scored = np.isfinite(scores)
    finite, reached = scores[scored], accuracies[scored]

    def tau_within(share: float) -> Correlation:
        best = most_accurate(reached, share)
        return with_interval(kendall_tau, finite[best], reached[best], resamples)

    return Ranked(
        name,
        program,
        scores,
        tau=with_interval(kendall_tau, finite, reached, resamples),
        rho=with_interval(spearman_rho, finite, reached, resamples),
        tau_top_half=tau_within(0.5),
        tau_top_tenth=tau_within(0.1),
    )


def most_accurate(accuracies: NDArray[np.float64], share: float) -> NDArray[np.int64]:
    """The rows of the most accurate share of networks, rounded up; of equals the first."""
    count = math.ceil(share * len(accuracies))
    return np.argsort(-accuracies, kind="stable")[:count]
