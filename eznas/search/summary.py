"""What searches of one method came to, over their repetitions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from eznas.ranking.correlation import CONFIDENCE
from eznas.search.searching import SearchOutcome
from eznas.search.settings import Method

_RESAMPLES: Final = 2000

_TARGET_QUANTILES: Final = (0.95, 0.99)
"""The accuracies to reach, unless given: those of the best 5 % and the best 1 % of the task's networks."""


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over repetitions, and its bootstrap percentile interval of 95 %."""

    value: float
    low: float
    high: float

    def text(self, digits: int) -> str:
        """The mean with its interval, with so many decimals."""
        return f"{self.value:.{digits}f} [{self.low:.{digits}f}, {self.high:.{digits}f}]"


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """The best accuracy of a method against the number of trained networks.

    Attributes:
        method: how networks were chosen.
        mean: (trained,) per cent, the mean over repetitions.
        low: (trained,) where the interval of the mean begins.
        high: (trained,) where it ends.
        scored: (trained,) different networks that a search had scored by then, the mean over repetitions.
    """

    method: Method
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    scored: NDArray[np.float64]

    def at(self, trained: int) -> Mean:
        """The best accuracy after so many trained networks."""
        return Mean(*(float(values[trained - 1]) for values in (self.mean, self.low, self.high)))


@dataclass(frozen=True, slots=True)
class Reached:
    """How many networks a method trains until one has a given accuracy.

    Attributes:
        method: how networks were chosen.
        target: the accuracy in per cent.
        trained: the networks up to the first that reached it; a search that never did counts with all that
            it trained, so that the mean is a lower bound then.
        reached: how many repetitions reached it.
        repetitions: of how many.
    """

    method: Method
    target: float
    trained: Mean
    reached: int
    repetitions: int

    @property
    def is_bound(self) -> bool:
        """Whether the mean is a lower bound."""
        return self.reached < self.repetitions


def curve(outcome: SearchOutcome, method: Method) -> Curve:
    """The best accuracy of a method's searches after each trained network."""
    best = outcome.best(method)
    scored = np.array([of.scored for of in outcome.trajectories if of.method is method])
    low, high = _interval(best)
    return Curve(method, best.mean(axis=0), low, high, scored.mean(axis=0))


def reached(outcome: SearchOutcome, method: Method, target: float) -> Reached:
    """How soon a method's searches find a network of this accuracy, in per cent."""
    good = outcome.best(method) >= target
    found = np.asarray(good.any(axis=1))
    trained = np.where(found, good.argmax(axis=1) + 1, good.shape[1]).astype(np.float64)
    low, high = (float(bound) for bound in _interval(trained))
    return Reached(method, target, Mean(float(trained.mean()), low, high), int(found.sum()), len(found))


def default_targets(outcome: SearchOutcome) -> list[float]:
    """Accuracies in per cent that few networks of the task have."""
    quantiles = np.quantile(outcome.task.accuracies, _TARGET_QUANTILES)
    return [round(float(value), 2) for value in quantiles]


def _interval(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2, ...) the bootstrap percentile interval of the mean over the first axis, of (repetitions, ...)."""
    count = len(values)
    # The same draws everywhere: a curve's interval is smooth, and intervals of methods can be compared.
    drawn = np.random.default_rng(0).integers(0, count, (_RESAMPLES, count))
    shares = np.apply_along_axis(np.bincount, 1, drawn, minlength=count) / count
    tail = 50 * (1 - CONFIDENCE)
    return np.asarray(np.percentile(shares @ values, [tail, 100 - tail], axis=0))
