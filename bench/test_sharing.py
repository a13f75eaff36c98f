"""How much a population gains from being evaluated as one graph, with the eager backend on one thread."""

import random

import numpy as np
import pytest
import torch

from eznas import spaces
from eznas.evaluator import Evaluator
from eznas.evolution import make_config
from eznas.evolution.variation import Variation
from eznas.statistics import collect_statistics, initialise

PROGRAMS, NETWORKS = 50, 10


@pytest.fixture(scope="module")
def statistics():
    space = spaces.get("micro-topology")
    architectures = random.Random(0).sample(list(space.architectures()), NETWORKS)
    images = torch.randn(1, 1, 14, 14, generator=torch.Generator().manual_seed(0))
    return [
        collect_statistics(initialise(space.build(text), seed), images)
        for seed, text in enumerate(architectures)
    ]


@pytest.fixture(scope="module")
def population(statistics):
    """A later generation's mixture: valid random programs and their children."""
    variation = Variation(make_config(), random.Random(0))
    evaluator = Evaluator(statistics, threads=1)

    def valid(programs):
        return [p for p, fine in zip(programs, evaluator.score(programs).valid, strict=True) if fine]

    parents = valid(variation.random_programs(200))[: PROGRAMS // 2]
    return parents + valid(variation.children(parents) * 2)[: PROGRAMS - len(parents)]


def together(statistics, population):
    return Evaluator(statistics, "eager", threads=1, memo_bytes=0).score(population).values


def one_by_one(statistics, population):
    evaluator = Evaluator(statistics, "eager", threads=1, memo_bytes=0)
    return np.concatenate([evaluator.score([program]).values for program in population])


@pytest.mark.parametrize("evaluate", [together, one_by_one])
def test_a_population_of_parents_and_children(benchmark, statistics, population, evaluate):
    np.testing.assert_array_equal(together(statistics, population), one_by_one(statistics, population))
    benchmark.pedantic(evaluate, (statistics, population), rounds=3, warmup_rounds=1)
