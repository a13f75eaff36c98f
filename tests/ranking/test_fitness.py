import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from eznas.ranking import measure_fitness

RISING = np.arange(10.0)


def test_fitness_is_the_least_agreement_over_the_tasks():
    noisy = np.array([1.0, 0, 2, 3, 5, 4, 6, 9, 8, 7])
    fitness = measure_fitness([RISING, noisy], [RISING, RISING])
    assert fitness.value == pytest.approx(stats.kendalltau(noisy, RISING).statistic)
    assert fitness.orientation == 1
    assert fitness.taus == pytest.approx((1, fitness.value))


def test_scores_that_fall_with_accuracy_are_as_good_and_turn_the_orientation():
    fitness = measure_fitness([-RISING, -RISING], [RISING, RISING])
    assert fitness.value == pytest.approx(1)
    assert fitness.orientation == -1


def test_a_program_whose_sign_differs_between_tasks_is_worth_nothing():
    assert measure_fitness([RISING, -RISING], [RISING, RISING]).value == 0


def test_a_program_without_a_score_on_one_network_is_worth_nothing():
    broken = RISING.copy()
    broken[3] = np.nan
    fitness = measure_fitness([RISING, broken], [RISING, RISING])
    assert fitness.value == 0
    assert fitness.taus == pytest.approx((1, 0))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 3))
def test_where_signs_agree_fitness_is_the_least_absolute_tau(seed, tasks):
    generator = np.random.default_rng(seed)
    scores = [generator.normal(size=8) for _ in range(tasks)]
    accuracies = [generator.normal(size=8) for _ in range(tasks)]
    taus = [stats.kendalltau(a, b).statistic for a, b in zip(scores, accuracies, strict=True)]
    fitness = measure_fitness(scores, accuracies)
    same_sign = all(tau >= 0 for tau in taus) or all(tau <= 0 for tau in taus)
    assert fitness.value == pytest.approx(min(map(abs, taus)) if same_sign else 0)
    turned = measure_fitness([-values for values in scores], accuracies)
    assert turned.value == pytest.approx(fitness.value)
