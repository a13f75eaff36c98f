from dataclasses import replace

import numpy as np
import pytest

from eznas import tasks
from eznas.evaluator import Evaluator
from eznas.program import NAMED_PROGRAMS, Program
from eznas.ranking import Contender, StatisticsSettings, compare, kendall_tau, named_contender, rank
from eznas.ranking.comparison import most_accurate
from eznas.ranking.comparison_files import comparison_record, read_comparison, write_scores
from eznas.tasks import network_statistics

ROWS = [3, 50, 100, 120]


@pytest.fixture(scope="module")
def task():
    return tasks.get("mnist-size")


@pytest.fixture(scope="module")
def comparison(task):
    contenders = [
        Contender("norm", Program.parse("mean(abs(T3G_N))"), -1),
        Contender("never valid", Program.parse("reciprocal(sub(T3, T3))")),
    ]
    return compare(task, ROWS, contenders, StatisticsSettings(seed=3), resamples=100)


def test_scores_are_those_of_the_evaluator_in_the_orientation_of_the_contender(task, comparison):
    statistics = [network_statistics(task, task.architectures[row], ["T3G_N"], seed=3) for row in ROWS]
    expected = Evaluator(statistics).score([Program.parse("mean(abs(T3G_N))")]).values[0]
    np.testing.assert_array_equal(comparison.ranked[0].scores, -expected)
    assert comparison.ranked[0].tau.value == pytest.approx(kendall_tau(-expected, task.accuracies[ROWS]))


def test_a_program_without_scores_has_no_correlation_and_says_how_many_it_scored(comparison):
    assert comparison.ranked[1].scored == 0
    assert comparison.ranked[1].tau.value == 0
    ((reason, count), *_) = comparison.ranked[1].reasons
    assert "reciprocal" in reason
    assert sum(count for _, count in comparison.ranked[1].reasons) == len(ROWS) >= count
    assert comparison.ranked[0].reasons == ()


def test_parameters_and_flops_come_from_the_table(task, comparison):
    parameters, flops = comparison.ranked[-2:]
    assert (parameters.name, flops.name) == ("parameters", "FLOPs")
    np.testing.assert_array_equal(parameters.scores, task.table.parameters[ROWS])
    np.testing.assert_array_equal(flops.scores, task.table.flops[ROWS])


def test_progress_counts_the_networks(task):
    seen = []
    rows = list(range(10))
    contenders = [Contender("norm", Program.parse("mean(T3)"))]
    compare(task, rows, contenders, StatisticsSettings(), progress=lambda *counts: seen.append(counts))
    assert seen == [(0, 10), (8, 10), (10, 10)]


def test_taus_within_the_most_accurate_are_over_them_alone():
    accuracies = np.array([10.0, 90, 80, 70, 20, 60, 30, 40, 50, 85])
    scores = np.array([99.0, 5, 3, 2, 98, 1, 97, 96, 95, 4])
    ranked = rank("any", None, scores, accuracies, resamples=100)
    assert ranked.tau_top_half.value == pytest.approx(1)
    assert ranked.tau.value < 0.3
    assert ranked.tau_top_tenth.value == 0  # of a single network


def test_most_accurate_are_rounded_up_and_of_equals_the_first():
    assert most_accurate(np.array([1.0, 3, 3, 3, 2]), 0.5).tolist() == [1, 2, 3]
    assert most_accurate(np.arange(21.0), 0.1).tolist() == [20, 19, 18]


@pytest.mark.parametrize("name", NAMED_PROGRAMS)
def test_named_contenders_have_their_program_and_an_orientation(name):
    contender = named_contender(name)
    assert contender.program == NAMED_PROGRAMS[name]
    assert contender.orientation in {1, -1}


def test_a_comparison_survives_its_files(comparison, tmp_path):
    write_scores(comparison, tmp_path)
    again = read_comparison(comparison_record(comparison), tmp_path)
    assert (again.task, again.settings) == (comparison.task, comparison.settings)
    assert again.architectures == comparison.architectures
    np.testing.assert_array_equal(again.accuracies, comparison.accuracies)
    for read, made in zip(again.ranked, comparison.ranked, strict=True):
        assert replace(read, scores=None) == replace(made, scores=None)
        np.testing.assert_array_equal(read.scores, made.scores)
