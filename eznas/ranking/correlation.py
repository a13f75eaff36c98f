"""How well scores rank networks: Kendall tau and Spearman rho, with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

CONFIDENCE: Final = 0.95

Statistic = Callable[[NDArray[np.float64], NDArray[np.float64]], float]


@dataclass(frozen=True, slots=True)
class Correlation:
    """A rank correlation with its bootstrap percentile interval of 95 %."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"


def kendall_tau(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Kendall's tau-b, which corrects for ties; 0 where a side is constant or has fewer than two values."""
    if len(first) < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(stats.kendalltau(first, second).statistic)


def spearman_rho(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Spearman's rho; 0 where either side is constant or has fewer than two values."""
    if len(first) < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(stats.spearmanr(first, second).statistic)


def with_interval(
    statistic: Statistic,
    scores: NDArray[np.float64],
    accuracies: NDArray[np.float64],
    resamples: int = 1000,
    seed: int = 0,
) -> Correlation:
    """A correlation over networks, and its interval over resampled networks.

    Args:
        statistic: `kendall_tau` or `spearman_rho`.
        scores: (networks,) finite.
        accuracies: (networks,) finite.
        resamples: How many times the networks are drawn again with replacement.
        seed: The seed of the draws.
    """
    value = statistic(scores, accuracies)
    if len(scores) < 2:
        return Correlation(value, -1.0, 1.0)
    result = stats.bootstrap(
        (scores, accuracies),
        statistic,
        paired=True,
        vectorized=False,
        n_resamples=resamples,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return Correlation(value, float(result.confidence_interval.low), float(result.confidence_interval.high))
