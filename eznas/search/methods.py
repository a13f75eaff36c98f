"""The searches themselves: random search, and aging evolution with and without a proxy.

An evolution is a generator: it asks for the scores of rows by yielding them and is sent the scores, so that
many searches are scored together. What it trains stands in a `History`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence

import numpy as np
from numpy.typing import NDArray

from eznas.search.neighbourhood import Neighbourhood
from eznas.search.settings import Method, SearchSettings

Rows = NDArray[np.int64]
Search = Generator[Rows, NDArray[np.float64], None]
"""Yields rows, is sent their scores: higher is better, -inf where there is none."""


class History:
    """The networks that one search has trained, in order; training looks the accuracy up.

    Args:
        accuracies: (networks,) of the task.
    """

    def __init__(self, accuracies: NDArray[np.float64]) -> None:
        self._accuracies = accuracies
        self._scored: set[int] = set()
        self.untrained: NDArray[np.bool_] = np.ones(len(accuracies), np.bool_)
        """(networks,) A network is trained once at most: its accuracy is known then."""
        self.rows: list[int] = []
        self.scored: list[int] = []
        """How many networks had been scored when each was trained."""

    def __len__(self) -> int:
        return len(self.rows)

    def accuracy(self, row: int) -> float:
        """The accuracy of a trained network, in per cent."""
        return float(self._accuracies[row])

    def train(self, row: int) -> None:
        """Train a network that is untrained."""
        self.untrained[row] = False
        self.rows.append(row)
        self.scored.append(len(self._scored))

    def ask(self, rows: Rows) -> Rows:
        """Count rows as scored by this search."""
        self._scored.update(rows.tolist())
        return rows


def random_search(settings: SearchSettings, history: History, generator: np.random.Generator) -> None:
    """Train networks drawn at random; see `aging_evolution` for the arguments."""
    for row in generator.permutation(len(history.untrained))[: settings.trained].tolist():
        history.train(row)


def aging_evolution(
    method: Method,
    settings: SearchSettings,
    neighbourhood: Neighbourhood,
    pool: Sequence[int],
    history: History,
    generator: np.random.Generator,
) -> Search:
    """Aging evolution (Real et al., 2019, algorithm 1), to its last trained network.

    Args:
        method: Whether there is a warm-up and a move filter.
        settings: How many networks are trained and scored.
        neighbourhood: Where mutations lead.
        pool: The rows that a warm-up draws from.
        history: Empty; the search adds to it.
        generator: Decides everything random.
    """
    if method.warms_up:
        drawn = generator.choice(np.array(pool, np.int64), settings.warm_up, replace=False)
        first = _best_first(drawn, (yield history.ask(drawn)))[: settings.population]
    else:
        first = generator.permutation(len(history.untrained))[: settings.population]
    population: deque[int] = deque(maxlen=settings.population)
    for row in first.tolist():
        history.train(row)
        population.append(row)
    while len(history) < settings.trained:
        sampled = [population[place] for place in generator.integers(len(population), size=settings.sample)]
        parent = max(sampled, key=history.accuracy)
        mutations = generator.permutation(neighbourhood.mutations(parent, history.untrained))
        if method.filters_moves:
            candidates = mutations[: settings.candidates]
            mutations = _best_first(candidates, (yield history.ask(candidates)))
        child = int(mutations[0])
        history.train(child)
        # The oldest leaves, however good it is.
        population.append(child)


def _best_first(rows: Rows, scores: NDArray[np.float64]) -> Rows:
    """Rows by falling score; among equals the earlier one first."""
    return rows[np.argsort(-scores, kind="stable")]
