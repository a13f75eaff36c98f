"""Ties and saturation: how far the scores of a program tell networks apart at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eznas.evaluator import Failure


@dataclass(frozen=True, slots=True)
class Ties:
    """Ties among the scores of networks; shares are of the networks, or pairs of them, that have a score."""

    networks: int
    scored: int
    distinct: int
    """Different scores, in float64, the mean over layers."""
    distinct_float32: int
    """Different scores once rounded to float32, as each layer's number is."""
    largest_group: int
    """The networks that share the commonest score."""
    tied_pairs: float
    """The share of pairs of networks with equal scores."""
    at_lowest: float
    """The share of networks at the lowest score, and"""
    at_highest: float
    """at the highest; a saturated program has many at one of them."""
    lowest: float
    highest: float
    relative_deviation: float
    """The standard deviation of the scores over the mean of their absolute values; 0 where all are 0."""
    float32_steps: float
    """How many steps of float32, at the largest absolute score, lie between lowest and highest.

    Where they are few, rounding decides the ranking.
    """
    failures: tuple[tuple[str, int], ...]
    """Why networks have no score, such as `nan at log`, and how many; the commonest first."""

    @property
    def not_scored(self) -> float:
        """The share of networks without a score."""
        return 1 - self.scored / self.networks if self.networks else 0.0


def count_ties(scores: NDArray[np.float64], failures: Sequence[Failure] = ()) -> Ties:
    """Count ties among scores.

    Args:
        scores: (networks,); NaN where there is none.
        failures: Why there is none.
    """
    found = scores[np.isfinite(scores)]
    reasons = Counter(f"{failure.kind} at {failure.op}" for failure in failures)
    listed = tuple(sorted(reasons.items(), key=lambda entry: (-entry[1], entry[0])))
    if len(found) == 0:
        nan = float("nan")
        return Ties(len(scores), 0, 0, 0, 0, nan, nan, nan, nan, nan, nan, nan, listed)
    counts = np.unique(found, return_counts=True)[1]
    pairs = len(found) * (len(found) - 1) / 2
    with np.errstate(over="ignore"):
        rounded = found.astype(np.float32)
        magnitude = float(np.abs(found).mean())
        deviation = float(found.std())
    return Ties(
        networks=len(scores),
        scored=len(found),
        distinct=len(counts),
        distinct_float32=len(np.unique(rounded)),
        largest_group=int(counts.max()),
        tied_pairs=float((counts * (counts - 1) / 2).sum() / pairs) if pairs else 0.0,
        at_lowest=float(counts[0] / len(found)),
        at_highest=float(counts[-1] / len(found)),
        lowest=float(found.min()),
        highest=float(found.max()),
        relative_deviation=deviation / magnitude if magnitude else 0.0,
        float32_steps=_steps(found),
        failures=listed,
    )


def _steps(scores: NDArray[np.float64]) -> float:
    largest = np.float32(min(np.abs(scores).max(), float(np.finfo(np.float32).max)))
    # The step below the number, which exists for the largest number too.
    return float(np.ptp(scores) / float(largest - np.nextafter(largest, np.float32(-1.0))))
