import csv
import gzip

import numpy as np
import pytest
from search_examples import GivenScores, task
from shared_data import shared_data

from eznas import spaces
from eznas.search import Method, SearchSettings, reached, run_searches
from eznas.search.neighbourhood import Neighbourhood


@pytest.fixture(scope="module")
def real():
    """NAS-Bench-201 with the accuracies of its networks on CIFAR-10."""
    with gzip.open(shared_data("nats_tss_200ep_test.csv.gz"), "rt") as table:
        rows = list(csv.DictReader(table))
    accuracies = np.array([float(row["cifar10_test"]) for row in rows])
    return task([row["arch"] for row in rows], accuracies, spaces.get("nats-tss"))


def test_a_cell_mutates_to_its_24_neighbours(real):
    allowed = np.arange(15_625) != 7
    assert len(Neighbourhood(real).mutations(7, allowed)) == 24


def test_evolution_and_a_good_proxy_reach_94_per_cent_sooner(real):
    # Ranks with so much noise that the Kendall tau with the accuracies is about 0.6.
    ranks = real.accuracies.argsort().argsort()
    scores = ranks + np.random.default_rng(0).normal(0, 4000, len(ranks))
    settings = SearchSettings(trained=100, repetitions=4, population=30, warm_up=300, candidates=3)
    methods = [Method.RANDOM, Method.EVOLUTION, Method.BOTH]
    outcome = run_searches(GivenScores(real, scores), settings, methods)
    random, plain, guided = (reached(outcome, method, 94.0).trained.value for method in methods)
    assert guided < plain < random
