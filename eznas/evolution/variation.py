"""Random programs and children by DEAP: the primitive set, selection, crossover and mutation."""

from __future__ import annotations

import copy
import operator
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from deap import algorithms, base, gp, tools

from eznas.evolution.config import EvolutionConfig
from eznas.ops import OPS
from eznas.program import Program

# The subtree that mutation puts in is full and of height 0 to 2, as in DEAP's own examples.
_MUTATION_HEIGHTS = (0, 2)


class _Fitness(base.Fitness):  # type: ignore[misc]
    weights = (1.0,)


class _Individual(gp.PrimitiveTree):  # type: ignore[misc]
    """A DEAP tree with a fitness; `deap.creator` would write such a class into its module's globals."""

    def __init__(self, nodes: Any) -> None:
        super().__init__(nodes)
        self.fitness = _Fitness()


class Variation:
    """Makes programs; everything random in it is drawn from one generator.

    Args:
        config: Names of operations and terminals, heights, probabilities and sizes.
        generator: The source of all randomness.
    """

    def __init__(self, config: EvolutionConfig, generator: random.Random) -> None:
        self._config = config
        self._generator = generator
        self._primitives = gp.PrimitiveSet("eznas", 0)
        for name in config.operations:
            self._primitives.addPrimitive(OPS[name].eager, OPS[name].arity, name=name)
        for name in config.terminals:
            self._primitives.addTerminal(None, name=name)
        self._toolbox = self._make_toolbox()

    def _make_toolbox(self) -> base.Toolbox:
        limit = gp.staticLimit(operator.attrgetter("height"), self._config.height_limit)
        least, most = _MUTATION_HEIGHTS
        subtree = partial(gp.genFull, min_=least, max_=most)
        toolbox = base.Toolbox()
        toolbox.register("clone", copy.deepcopy)
        toolbox.register("mate", limit(gp.cxOnePoint))
        toolbox.register("mutate", limit(partial(gp.mutUniform, expr=subtree, pset=self._primitives)))
        return toolbox

    def random_programs(self, count: int) -> list[Program]:
        """Programs by genHalfAndHalf, valid or not."""
        least, most = self._config.least_initial_height, self._config.most_initial_height
        with self._global_random():
            return [_program(gp.genHalfAndHalf(self._primitives, least, most)) for _ in range(count)]

    def select_parents(self, population: Sequence[Program], fitness: Sequence[float]) -> list[Program]:
        """Parents by tournaments, with repetition."""
        individuals = []
        for program, value in zip(population, fitness, strict=True):
            individual = self._individual(program)
            individual.fitness.values = (value,)
            individuals.append(individual)
        with self._global_random():
            chosen = tools.selTournament(individuals, self._config.parents, self._config.tournament_size)
        return [_program(individual) for individual in chosen]

    def children(self, parents: Sequence[Program]) -> list[Program]:
        """Offspring of the parents by crossover, mutation or reproduction, valid or not."""
        config = self._config
        individuals = [self._individual(program) for program in parents]
        with self._global_random():
            offspring = algorithms.varOr(
                individuals, self._toolbox, config.offspring, config.crossover, config.mutation
            )
        return [_program(individual) for individual in offspring]

    def _individual(self, program: Program) -> _Individual:
        return _Individual(self._primitives.mapping[name] for name in program.tokens)

    @contextmanager
    def _global_random(self) -> Iterator[None]:
        """Let DEAP, which draws from the module `random`, draw from our generator instead."""
        before = random.getstate()
        random.setstate(self._generator.getstate())
        try:
            yield
        finally:
            self._generator.setstate(random.getstate())
            random.setstate(before)


def _program(nodes: Any) -> Program:
    return Program(tuple(node.name for node in nodes))
