import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eznas.analysis import count_ties
from eznas.evaluator import Evaluator
from eznas.program import Program
from eznas.statistics import NetworkStatistics

NAN = math.nan


def test_ties_of_scores_made_by_hand():
    found = count_ties(np.array([3, 1, NAN, 3, 2, 1, 3.0]))
    assert (found.networks, found.scored, found.distinct, found.largest_group) == (7, 6, 3, 3)
    assert found.tied_pairs == pytest.approx(4 / 15)
    assert (found.at_lowest, found.at_highest) == (pytest.approx(2 / 6), pytest.approx(3 / 6))
    assert (found.lowest, found.highest) == (1, 3)
    assert found.not_scored == pytest.approx(1 / 7)
    assert found.relative_deviation == pytest.approx(np.std([3, 1, 3, 2, 1, 3]) / (13 / 6))


def test_scores_that_only_float64_tells_apart():
    found = count_ties(np.array([1.0, 1 + 1e-10, 1 + 2**-23, 1 - 2**-24]))
    assert (found.distinct, found.distinct_float32) == (4, 3)
    assert found.float32_steps == pytest.approx(1.5)


def test_one_score_for_all_is_one_group():
    found = count_ties(np.full(5, -2.0))
    assert (found.distinct, found.largest_group, found.tied_pairs) == (1, 5, 1)
    assert (found.at_lowest, found.at_highest) == (1, 1)
    assert (found.relative_deviation, found.float32_steps) == (0, 0)


@pytest.mark.parametrize("scores", [[0.0, 0.0], [1e300, -1e300, 0], [5e-324, 0], [3.0]])
def test_scores_of_any_size_are_counted(scores):
    found = count_ties(np.array(scores))
    assert found.scored == len(scores)
    assert 0 <= found.tied_pairs <= 1


def test_without_a_score_there_is_nothing_to_tie():
    found = count_ties(np.array([NAN, NAN]))
    assert (found.scored, found.distinct, found.largest_group, found.not_scored) == (0, 0, 0, 1)
    assert math.isnan(found.tied_pairs)


@given(st.lists(st.integers(-3, 3), min_size=2, max_size=25))
def test_tied_pairs_are_the_pairs_with_equal_scores(values):
    pairs = list(itertools.combinations(values, 2))
    found = count_ties(np.array(values, float))
    assert found.tied_pairs == pytest.approx(sum(one == other for one, other in pairs) / len(pairs))
    assert found.distinct == found.distinct_float32 == len(set(values))
    assert found.largest_group == max(values.count(value) for value in values)


def test_reasons_are_counted_the_commonest_first():
    def network(*weights):
        return NetworkStatistics.from_layers([{"T3": np.array([[weights]], np.float32)}])

    networks = [network(0, 1), network(1, 2), network(0, 2), network(0, 3, 3, 3), network(NAN, 1)]
    scores = Evaluator(networks, backend="eager").score([Program.parse("reciprocal(T3)")])
    found = count_ties(scores.values[0], scores.failures)
    assert found.scored == 1
    assert found.failures == (("infinite at reciprocal", 3), ("nan at T3", 1))
