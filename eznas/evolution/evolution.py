"""The evolution of programs: Algorithm 1 of the paper, a generation at a time (EZNAS, section 3.4)."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from eznas.backends import get_backend
from eznas.errors import RunError
from eznas.evaluator import Evaluator
from eznas.evolution.clock import Clock, Phase
from eznas.evolution.config import EvolutionConfig, Representation
from eznas.evolution.records import (
    Checkpoint,
    GenerationRecord,
    MeasuredProgram,
    Origin,
    PhaseSeconds,
)
from eznas.evolution.sequential_variation import SequentialVariation
from eznas.evolution.validity import Validity
from eznas.evolution.variation import Variation
from eznas.program import AnyProgram, Program, canonical_form
from eznas.ranking import Fitness, measure_fitness
from eznas.statistics import NetworkStatistics

_MOST_FRUITLESS_BATCHES = 200
"""After so many batches without one valid program a search space is taken to hold none."""

_Kind = TypeVar("_Kind", bound=AnyProgram)


@dataclass(frozen=True, slots=True)
class StoredTask:
    """What evolution sees of a task: the stored networks and their accuracies."""

    name: str
    statistics: Sequence[NetworkStatistics]
    accuracies: NDArray[np.float64]
    """(networks,) in the order of the statistics."""


@dataclass(frozen=True, slots=True)
class Generation:
    """One generation, and the state of the random numbers after it."""

    record: GenerationRecord
    programs: tuple[MeasuredProgram, ...]
    checkpoint: Checkpoint


class _Variation(Protocol[_Kind]):
    """Makes programs of one representation."""

    def random_programs(self, count: int) -> list[_Kind]: ...
    def select_parents(self, population: Sequence[_Kind], fitness: Sequence[float]) -> list[_Kind]: ...
    def children(self, parents: Sequence[_Kind]) -> list[_Kind]: ...


def _variation(config: EvolutionConfig, generator: random.Random) -> _Variation[Any]:
    if config.representation == Representation.SEQUENTIAL:
        return SequentialVariation(config, generator)
    return Variation(config, generator)


class Evolution:
    """Makes and measures one generation after the other.

    The same configuration gives the same generations for any number of threads.

    Args:
        config: Everything that decides the run.
        tasks: The stored networks of each task.
    """

    def __init__(self, config: EvolutionConfig, tasks: Sequence[StoredTask]) -> None:
        self._config = config
        self._tasks = tasks
        self._generator = random.Random(config.seed)
        self._variation = _variation(config, self._generator)
        # One for all, so that a generation is planned once.
        backend = get_backend(config.backend)
        self._validity = Validity([task.statistics for task in tasks], config, backend)
        self._evaluators = [
            Evaluator(task.statistics, backend, config.threads, config.memo_bytes, config.to_scalar)
            for task in tasks
        ]

    def generations(
        self, last: Checkpoint | None = None, population: Sequence[MeasuredProgram] = ()
    ) -> Iterator[Generation]:
        """The generations after the last one, up to the configured number.

        Args:
            last: The state to go on from; None for a new run.
            population: The programs of the last generation.
        """
        if last is not None:
            self._generator.setstate(last.random_state)
        first = 0 if last is None else last.generation + 1
        for number in range(first, self._config.generations):
            generation = self._next(number, population)
            population = generation.programs
            yield generation

    def _next(self, number: int, parents: Sequence[MeasuredProgram]) -> Generation:
        clock = Clock()
        programs, validity_rate = self._make_programs(parents, clock)
        drawn = self._draw_networks()
        before = self._memo_counts()
        fitness = self._fitness([program for program, _ in programs], drawn, clock)
        hits, misses, subtree_hits, subtree_misses = (self._memo_counts() - before).tolist()
        measured = [
            MeasuredProgram(number, program, origin, value)
            for (program, origin), value in zip(programs, fitness, strict=True)
        ]
        values = [program.fitness.value for program in measured]
        best = fittest(measured).program
        record = GenerationRecord(
            generation=number,
            best=max(values),
            median=float(np.median(values)),
            # Most instructions of a sequential program are dead; what it computes is told instead.
            best_program=str(best if isinstance(best, Program) else canonical_form(best)),
            validity_rate=validity_rate,
            distinct=len({canonical_form(program.program) for program in measured}),
            mean_size=float(np.mean([program.program.size for program in measured])),
            drawn={self._tasks[index].name: rows for index, rows in drawn.items()},
            memo_hits=hits,
            memo_misses=misses,
            subtree_hits=subtree_hits,
            subtree_misses=subtree_misses,
            memo_bytes=sum(
                evaluator.memo.bytes + evaluator.subtree_memo.bytes for evaluator in self._evaluators
            ),
            seconds=PhaseSeconds.of(clock.seconds),
        )
        return Generation(record, tuple(measured), Checkpoint(number, self._generator.getstate()))

    def _make_programs(
        self, parents: Sequence[MeasuredProgram], clock: Clock
    ) -> tuple[list[tuple[AnyProgram, Origin]], float]:
        """The programs of a generation and the share of valid ones among all that were made for it."""
        size = self._config.population
        counts = _ValidityCount()
        children: list[AnyProgram] = []
        if parents:
            with clock.measuring(Phase.VARIATION):
                chosen = self._variation.select_parents(
                    [parent.program for parent in parents], [parent.fitness.value for parent in parents]
                )
            children = self._valid_programs(
                size // 2, Phase.VARIATION, lambda: self._variation.children(chosen), counts, clock
            )
        fresh = self._valid_programs(
            size - len(children),
            Phase.RANDOM_PROGRAMS,
            lambda: self._variation.random_programs(size),
            counts,
            clock,
        )
        programs: list[tuple[AnyProgram, Origin]] = [(program, Origin.CHILD) for program in children]
        programs += [(program, Origin.RANDOM) for program in fresh]
        return programs, counts.valid / counts.made

    def _valid_programs(
        self,
        count: int,
        phase: Phase,
        make: Callable[[], list[AnyProgram]],
        counts: _ValidityCount,
        clock: Clock,
    ) -> list[AnyProgram]:
        programs: list[AnyProgram] = []
        fruitless = 0
        while len(programs) < count:
            with clock.measuring(phase):
                batch = make()
            with clock.measuring(Phase.VALIDITY):
                valid = self._validity.check(batch)
            counts.made += len(batch)
            counts.valid += sum(valid)
            programs.extend(program for program, fine in zip(batch, valid, strict=True) if fine)
            fruitless = 0 if any(valid) else fruitless + 1
            if fruitless == _MOST_FRUITLESS_BATCHES:
                raise RunError(
                    f"no valid program among the last {fruitless * len(batch)} made from the operations "
                    f"{', '.join(self._config.operations)} and the terminals "
                    f"{', '.join(self._config.terminals)}"
                )
        return programs[:count]

    def _draw_networks(self) -> dict[int, list[int]]:
        """For each drawn task the drawn networks."""
        config = self._config
        tasks = sorted(
            self._generator.sample(
                range(len(self._tasks)), min(config.tasks_per_generation, len(self._tasks))
            )
        )
        return {
            task: sorted(
                self._generator.sample(range(len(self._tasks[task].statistics)), config.networks_per_task)
            )
            for task in tasks
        }

    def fitness_on_all(self, programs: Sequence[AnyProgram], clock: Clock | None = None) -> list[Fitness]:
        """The fitness of programs on every stored network of every task."""
        everything = {index: list(range(len(task.statistics))) for index, task in enumerate(self._tasks)}
        return self._fitness(programs, everything, clock or Clock())

    def _fitness(
        self, programs: Sequence[AnyProgram], drawn: dict[int, list[int]], clock: Clock
    ) -> list[Fitness]:
        with clock.measuring(Phase.EVALUATION):
            scores = [
                self._evaluators[task].score(programs, networks).values for task, networks in drawn.items()
            ]
        with clock.measuring(Phase.CORRELATION):
            accuracies = [self._tasks[task].accuracies[networks] for task, networks in drawn.items()]
            return [
                measure_fitness([values[row] for values in scores], accuracies)
                for row in range(len(programs))
            ]

    def _memo_counts(self) -> NDArray[np.int64]:
        """Hits and misses of programs, then of subtrees, so far."""
        counts = [
            (each.memo.hits, each.memo.misses, each.subtree_memo.hits, each.subtree_memo.misses)
            for each in self._evaluators
        ]
        return np.asarray(np.array(counts, np.int64).sum(axis=0))


def fittest(programs: Sequence[MeasuredProgram]) -> MeasuredProgram:
    """The program of the highest fitness; of equals the smallest, then the first."""
    return by_fitness(programs)[0]


def by_fitness(programs: Sequence[MeasuredProgram]) -> list[MeasuredProgram]:
    """From the fittest down; of equals the smallest first, then in the order given."""
    return sorted(programs, key=lambda measured: (-measured.fitness.value, measured.program.size))


@dataclass(slots=True)
class _ValidityCount:
    made: int = 0
    valid: int = 0
