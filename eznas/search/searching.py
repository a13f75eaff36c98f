"""Searches of several methods over repetitions, side by side."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eznas.search.methods import History, Rows, Search, aging_evolution, random_search
from eznas.search.neighbourhood import Neighbourhood
from eznas.search.proxy_scores import Progress, ProxyScores
from eznas.search.settings import Method, SearchSettings
from eznas.tasks import Task


class SearchObserver:
    """Told of the progress of searches; does nothing by itself."""

    def scoring(self, done: int, total: int) -> None:
        """Networks scored together to begin with: those of all warm-ups, and the first move filters'."""

    def training(self, done: int, total: int) -> None:
        """Trained networks of all searches."""


@dataclass(frozen=True, slots=True, eq=False)
class Trajectory:
    """What one search trained, in order.

    Attributes:
        method: how networks were chosen.
        repetition: from 0 on; the same number means the same random numbers.
        rows: (trained,) the rows of the task.
        accuracies: (trained,) their test accuracies in per cent.
        scored: (trained,) how many networks this search had scored when each was trained.
    """

    method: Method
    repetition: int
    rows: NDArray[np.int64]
    accuracies: NDArray[np.float64]
    scored: NDArray[np.int64]

    @property
    def best(self) -> NDArray[np.float64]:
        """(trained,) the best accuracy so far."""
        return np.maximum.accumulate(self.accuracies)


@dataclass(frozen=True, slots=True, eq=False)
class SearchOutcome:
    """The searches of a task with one proxy.

    Attributes:
        task: searched in.
        proxy: the name of the proxy; None where no method used one.
        settings: the sizes.
        trajectories: by method, then by repetition.
        scored: different networks scored in all searches together.
        without_score: how many of these the proxy could not score.
    """

    task: Task
    proxy: str | None
    settings: SearchSettings
    trajectories: tuple[Trajectory, ...]
    scored: int
    without_score: int

    @property
    def methods(self) -> tuple[Method, ...]:
        """The methods in the order of the trajectories."""
        return tuple(dict.fromkeys(trajectory.method for trajectory in self.trajectories))

    def best(self, method: Method) -> NDArray[np.float64]:
        """(repetitions, trained) the best accuracy after each trained network."""
        return np.array([of.best for of in self.trajectories if of.method is method])


def run_searches(
    scores: ProxyScores,
    settings: SearchSettings,
    methods: Sequence[Method] = tuple(Method),
    observer: SearchObserver | None = None,
) -> SearchOutcome:
    """Search a task by every method, as often as the settings say.

    Training a network is looking its accuracy up, and a network is trained once at most in a search. The
    searches go on step by step together, so that the scores that they ask for are computed together; what
    each of them does depends on its own seed alone.

    Args:
        scores: Of the task to search; asked for only what the searches meet.
        settings: Sizes and seed.
        methods: Each once.
        observer: Told of the progress.

    Raises:
        ConfigError: The sizes do not fit each other or the task.
        SpaceError: A method mutates, and the space does not say what neighbours are.
        EznasError: A network cannot be scored at all.
    """
    task, observer = scores.task, observer or SearchObserver()
    settings.check(len(task.architectures))
    whole = range(len(task.architectures))
    pool = whole if settings.pool is None else task.draw(settings.pool, settings.seed)
    runs: dict[tuple[Method, int], History] = {}
    searches: list[Search] = []
    neighbourhood = Neighbourhood(task) if set(methods) - {Method.RANDOM} else None
    for method, repetition in itertools.product(dict.fromkeys(methods), range(settings.repetitions)):
        history = runs[method, repetition] = History(task.accuracies)
        # The same draws for each method: what they begin with alike does not tell them apart.
        generator = np.random.default_rng([settings.seed, repetition])
        if neighbourhood is None or method is Method.RANDOM:
            random_search(settings, history, generator)
        else:
            evolution = aging_evolution(method, settings, neighbourhood, pool, history, generator)
            searches.append(evolution)
    _go_on(searches, scores, _Told(observer, list(runs.values()), settings.trained))
    return SearchOutcome(
        task,
        scores.contender.name if any(method.warms_up or method.filters_moves for method in methods) else None,
        settings,
        tuple(
            Trajectory(
                *key,
                rows=np.array(history.rows, np.int64),
                accuracies=task.accuracies[history.rows],
                scored=np.array(history.scored, np.int64),
            )
            for key, history in runs.items()
        ),
        len(scores),
        scores.failed,
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """Tells an observer how much is trained."""

    observer: SearchObserver
    histories: Sequence[History]
    trained: int

    def tell(self) -> None:
        self.observer.training(sum(map(len, self.histories)), self.trained * len(self.histories))


def _go_on(searches: Sequence[Search], scores: ProxyScores, told: _Told) -> None:
    """Advance all searches from one question for scores to the next, until none asks any more."""
    asking = [(evolution, asked) for evolution in searches if (asked := next(evolution, None)) is not None]
    told.tell()
    progress: Progress | None = told.observer.scoring
    while asking:
        rows = itertools.chain.from_iterable(asked.tolist() for _, asked in asking)
        scores.compute(rows, progress)
        answered = [(evolution, _answered(evolution, scores.of(asked))) for evolution, asked in asking]
        asking = [(evolution, asked) for evolution, asked in answered if asked is not None]
        told.tell()
        progress = None  # from here on there are few networks at a time


def _answered(evolution: Search, scores: NDArray[np.float64]) -> Rows | None:
    """The rows that a search asks for next; None where it has ended."""
    try:
        return evolution.send(scores)
    except StopIteration:
        return None
