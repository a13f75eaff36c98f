"""Sensitivity to the seed: how far scores are a property of the architecture."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from eznas.errors import ConfigError
from eznas.ranking import kendall_tau


@dataclass(frozen=True, slots=True, eq=False)
class SeedSensitivity:
    """Scores of the same networks with several seeds of weights, images and noise."""

    seeds: tuple[int, ...]
    scores: NDArray[np.float64]
    """(seeds, networks); NaN where there is none."""
    scored: int
    """Networks with a score for every seed; the figures are over these."""
    deviation_over_seeds: float
    """The root of the mean over networks of the variance over seeds (unbiased)."""
    deviation_over_networks: float
    """The standard deviation over networks of their mean over seeds (unbiased)."""
    tau_between_seeds: tuple[float, ...]
    """Kendall tau between the scores of each two seeds, in the order of `itertools.combinations`."""
    tau_with_accuracy: tuple[float, ...]
    """Kendall tau with the accuracies, for each seed."""
    tau_of_mean: float
    """Kendall tau of the mean score over the seeds with the accuracies."""


def seed_sensitivity(
    seeds: tuple[int, ...], scores: NDArray[np.float64], accuracies: NDArray[np.float64]
) -> SeedSensitivity:
    """Compare the scores of several seeds.

    Args:
        seeds: At least two.
        scores: (seeds, networks); NaN where there is none.
        accuracies: (networks,).

    Raises:
        ConfigError: Fewer than two seeds.
    """
    if len(seeds) < 2:
        raise ConfigError(f"expected at least 2 seeds to compare, got {len(seeds)}")
    everywhere = np.isfinite(scores).all(axis=0)
    found, wanted = scores[:, everywhere], accuracies[everywhere]
    networks = found.shape[1]
    with np.errstate(all="ignore"):
        means = found.mean(axis=0)
        over_seeds = float(np.sqrt(found.var(axis=0, ddof=1).mean())) if networks else float("nan")
        over_networks = float(means.std(ddof=1)) if networks > 1 else float("nan")
    return SeedSensitivity(
        seeds=seeds,
        scores=scores,
        scored=networks,
        deviation_over_seeds=over_seeds,
        deviation_over_networks=over_networks,
        tau_between_seeds=tuple(kendall_tau(one, other) for one, other in combinations(found, 2)),
        tau_with_accuracy=tuple(kendall_tau(of_seed, wanted) for of_seed in found),
        tau_of_mean=kendall_tau(means, wanted),
    )
