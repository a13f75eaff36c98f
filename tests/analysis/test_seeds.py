import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eznas.analysis import seed_sensitivity
from eznas.errors import ConfigError

ACCURACIES = np.array([1.0, 2, 3, 4])


def test_deviations_and_taus_of_scores_made_by_hand():
    scores = np.array([[1.0, 2, 3, 4], [3, 2, 5, 4]])
    found = seed_sensitivity((5, 6), scores, ACCURACIES)
    assert found.deviation_over_seeds == pytest.approx(1)  # variances 2, 0, 2, 0
    assert found.deviation_over_networks == pytest.approx(np.std([2, 2, 4, 4], ddof=1))
    assert found.tau_between_seeds == (pytest.approx(1 / 3),)
    assert found.tau_with_accuracy == (pytest.approx(1), pytest.approx(1 / 3))
    assert found.tau_of_mean == pytest.approx(4 / math.sqrt(4 * 6))
    assert found.scored == 4


def test_a_score_that_knows_no_seed_deviates_over_networks_alone():
    found = seed_sensitivity((0, 1, 2), np.tile(ACCURACIES, (3, 1)), ACCURACIES)
    assert found.deviation_over_seeds == 0
    assert found.tau_between_seeds == (1, 1, 1)
    assert found.tau_with_accuracy == (1, 1, 1)


def test_networks_without_a_score_for_some_seed_are_left_out():
    scores = np.array([[1.0, np.nan, 3, 4], [1, 2, 3, 4]])
    found = seed_sensitivity((0, 1), scores, ACCURACIES)
    assert found.scored == 3
    assert found.deviation_over_seeds == 0
    nothing = seed_sensitivity((0, 1), np.full((2, 4), np.nan), ACCURACIES)
    assert (nothing.scored, nothing.tau_of_mean) == (0, 0)
    assert math.isnan(nothing.deviation_over_seeds)


@given(st.integers(0, 2**32 - 1), st.integers(2, 4), st.integers(2, 12), st.sampled_from([0.25, 1024.0]))
@settings(max_examples=30)
def test_another_unit_of_the_score_changes_deviations_alone(seed, seeds, networks, unit):
    scores = np.random.default_rng(seed).standard_normal((seeds, networks))
    accuracies = np.random.default_rng(seed).uniform(0, 100, networks)
    names = tuple(range(seeds))
    found = seed_sensitivity(names, scores, accuracies)
    scaled = seed_sensitivity(names, unit * scores, accuracies)
    assert scaled.deviation_over_seeds == pytest.approx(unit * found.deviation_over_seeds)
    assert scaled.deviation_over_networks == pytest.approx(unit * found.deviation_over_networks)
    assert scaled.tau_between_seeds == found.tau_between_seeds
    assert scaled.tau_with_accuracy == found.tau_with_accuracy
    assert len(found.tau_between_seeds) == seeds * (seeds - 1) / 2


def test_one_seed_cannot_be_compared():
    with pytest.raises(ConfigError, match="at least 2 seeds to compare, got 1"):
        seed_sensitivity((0,), np.ones((1, 4)), ACCURACIES)
