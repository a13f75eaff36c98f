import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eznas.ranking import kendall_tau, spearman_rho, with_interval

values = st.lists(st.integers(-5, 5), min_size=2, max_size=12)


def naive_tau_b(first, second):
    concordance, first_untied, second_untied = 0, 0, 0
    for (a, b), (c, d) in itertools.combinations(zip(first, second, strict=True), 2):
        concordance += int(np.sign(a - c) * np.sign(b - d))
        first_untied += a != c
        second_untied += b != d
    return concordance / np.sqrt(first_untied * second_untied)


@settings(max_examples=100, deadline=None)
@given(values, st.randoms(use_true_random=False))
def test_tau_counts_concordant_pairs_and_corrects_for_ties(first, generator):
    second = [generator.randint(-5, 5) for _ in first]
    if len(set(first)) == 1 or len(set(second)) == 1:
        assert kendall_tau(np.array(first, float), np.array(second, float)) == 0
    else:
        expected = naive_tau_b(first, second)
        assert kendall_tau(np.array(first, float), np.array(second, float)) == pytest.approx(expected)


@pytest.mark.parametrize("statistic", [kendall_tau, spearman_rho])
def test_a_constant_side_or_a_single_network_ranks_nothing(statistic):
    assert statistic(np.ones(5), np.arange(5.0)) == 0
    assert statistic(np.arange(5.0), np.ones(5)) == 0
    assert statistic(np.array([1.0]), np.array([2.0])) == 0


@pytest.mark.parametrize("statistic", [kendall_tau, spearman_rho])
def test_only_the_order_counts(statistic):
    scores = np.random.default_rng(0).normal(size=30)
    accuracies = scores + np.random.default_rng(1).normal(size=30)
    assert statistic(np.exp(scores), accuracies) == pytest.approx(statistic(scores, accuracies))
    assert statistic(-scores, accuracies) == pytest.approx(-statistic(scores, accuracies))


def test_the_interval_of_a_real_relation_lies_above_zero_and_holds_the_value():
    generator = np.random.default_rng(0)
    scores = generator.normal(size=80)
    correlation = with_interval(kendall_tau, scores, scores + generator.normal(size=80), resamples=300)
    assert 0 < correlation.low < correlation.value < correlation.high < 1


def test_the_interval_of_unrelated_scores_holds_zero():
    generator = np.random.default_rng(3)
    correlation = with_interval(
        kendall_tau, generator.normal(size=60), generator.normal(size=60), resamples=300
    )
    assert correlation.low < 0 < correlation.high


def test_more_networks_make_the_interval_narrower():
    generator = np.random.default_rng(0)
    scores = generator.normal(size=400)
    accuracies = scores + generator.normal(size=400)
    few = with_interval(kendall_tau, scores[:20], accuracies[:20], resamples=300)
    many = with_interval(kendall_tau, scores, accuracies, resamples=300)
    assert many.high - many.low < (few.high - few.low) / 2


def test_intervals_are_the_same_every_time():
    generator = np.random.default_rng(0)
    scores, accuracies = generator.normal(size=20), generator.normal(size=20)
    first = with_interval(spearman_rho, scores, accuracies, resamples=100)
    assert first == with_interval(spearman_rho, scores, accuracies, resamples=100)


def test_too_few_networks_leave_everything_open():
    correlation = with_interval(kendall_tau, np.array([1.0]), np.array([2.0]))
    assert (correlation.low, correlation.high) == (-1, 1)


def test_a_correlation_is_shown_with_its_signs():
    generator = np.random.default_rng(0)
    scores = generator.normal(size=20)
    assert str(with_interval(kendall_tau, scores, scores, resamples=100)) == "+1.000 [+1.000, +1.000]"
