"""Random sequential programs and their children."""

from __future__ import annotations

import random
from collections.abc import Sequence

from eznas.evolution.config import EvolutionConfig
from eznas.evolution.sequential_operators import (
    Choices,
    Mutation,
    insert,
    mate,
    mutate,
    mutate_argument,
    mutate_operation,
    random_program,
    remove,
)
from eznas.program import SequentialProgram


class SequentialVariation:
    """Makes sequential programs; everything random in it is drawn from one generator.

    Selection and the shares of crossover, mutation and reproduction are those of trees: tournaments, and
    `varOr` of DEAP.

    Args:
        config: Names of operations and terminals, lengths, probabilities and sizes.
        generator: The source of all randomness.
    """

    def __init__(self, config: EvolutionConfig, generator: random.Random) -> None:
        self._config = config
        self._generator = generator
        self._choices = Choices.of(config.operations, config.terminals, config.reuse, config.length_limit)
        self._mutations: dict[Mutation, float] = {
            insert: config.insert_weight,
            remove: config.remove_weight,
            mutate_operation: config.operation_weight,
            mutate_argument: config.argument_weight,
        }

    def random_programs(self, count: int) -> list[SequentialProgram]:
        """Programs of lengths within the initial range, valid or not."""
        least, most = self._config.least_initial_length, self._config.most_initial_length
        return [
            random_program(self._generator.randint(least, most), self._choices, self._generator)
            for _ in range(count)
        ]

    def select_parents(
        self, population: Sequence[SequentialProgram], fitness: Sequence[float]
    ) -> list[SequentialProgram]:
        """Parents by tournaments, with repetition; of equally fit ones the first that was drawn wins."""
        rows = range(len(population))
        return [
            population[
                max(self._generator.choices(rows, k=self._config.tournament_size), key=fitness.__getitem__)
            ]
            for _ in range(self._config.parents)
        ]

    def children(self, parents: Sequence[SequentialProgram]) -> list[SequentialProgram]:
        """Offspring of the parents by crossover, mutation or reproduction, valid or not."""
        return [self._child(parents) for _ in range(self._config.offspring)]

    def _child(self, parents: Sequence[SequentialProgram]) -> SequentialProgram:
        drawn = self._generator.random()
        if drawn < self._config.crossover:
            first, second = self._generator.sample(parents, 2)
            return mate(first, second, self._choices, self._generator)
        parent = self._generator.choice(parents)
        if drawn < self._config.crossover + self._config.mutation:
            return mutate(parent, self._mutations, self._choices, self._generator)
        return parent
