import numpy as np
import pytest

from eznas import tasks
from eznas.evaluator import Evaluator
from eznas.program import NAMED_PROGRAMS, Program
from eznas.ranking import Contender, StatisticsSettings, compare, kendall_tau, named_contender
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


def test_parameters_and_flops_come_from_the_table(task, comparison):
    parameters, flops = comparison.ranked[-2:]
    assert (parameters.name, flops.name) == ("parameters", "FLOPs")
    np.testing.assert_array_equal(parameters.scores, task.table.parameters[ROWS])
    np.testing.assert_array_equal(flops.scores, task.table.flops[ROWS])


def test_progress_counts_the_networks(task):
    seen = []
    compare(task, ROWS[:2], [], StatisticsSettings(), 100, lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]


@pytest.mark.parametrize("name", NAMED_PROGRAMS)
def test_named_contenders_have_their_program_and_an_orientation(name):
    contender = named_contender(name)
    assert contender.program == NAMED_PROGRAMS[name]
    assert contender.orientation in {1, -1}


def test_a_comparison_survives_its_files(comparison, tmp_path):
    write_scores(comparison, tmp_path)
    again = read_comparison(comparison_record(comparison), tmp_path)
    assert (again.task, again.architectures) == (comparison.task, comparison.architectures)
    np.testing.assert_array_equal(again.accuracies, comparison.accuracies)
    for read, made in zip(again.ranked, comparison.ranked, strict=True):
        assert (read.name, read.program, read.tau, read.rho) == (made.name, made.program, made.tau, made.rho)
        np.testing.assert_array_equal(read.scores, made.scores)
