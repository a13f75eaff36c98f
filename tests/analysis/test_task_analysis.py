import csv
import json
import math

import numpy as np
import pytest

from eznas import tasks
from eznas.analysis import Section, analyse_task
from eznas.analysis.files import response_record, task_record, write_responses, write_task_analyses
from eznas.analysis.response import Response, ResponsePoint
from eznas.analysis.response_settings import Axis
from eznas.errors import ConfigError
from eznas.evaluator import Evaluator
from eznas.program import Program
from eznas.ranking import StatisticsSettings, kendall_tau
from eznas.tasks import network_statistics

ROWS = [4, 40, 120, 200, 300]
PROGRAMS = [Program.parse(text) for text in ("mean(abs(T3G_N))", "reciprocal(sub(T3, T3))")]
OF_TASKS = frozenset(Section) - {Section.RESPONSE}


@pytest.fixture(scope="module")
def task():
    return tasks.get("mnist-size")


@pytest.fixture(scope="module")
def told():
    return []


@pytest.fixture(scope="module")
def analyses(task, told):
    settings = StatisticsSettings(seed=3)
    return analyse_task(
        task, ROWS, PROGRAMS, OF_TASKS, settings, seeds=2, progress=lambda *counts: told.append(counts)
    )


def test_scores_of_each_seed_are_those_of_the_evaluator(task, analyses):
    found = analyses[0].seeds
    assert found.seeds == (3, 4)
    for seed, scores in zip(found.seeds, found.scores, strict=True):
        networks = [network_statistics(task, task.architectures[row], ["T3G_N"], seed=seed) for row in ROWS]
        np.testing.assert_array_equal(scores, Evaluator(networks).score(PROGRAMS[:1]).values[0])


def test_contributions_and_ties_are_those_of_the_first_seed(task, analyses):
    first = analyses[0]
    scores = first.seeds.scores[0]
    tau = kendall_tau(scores, task.accuracies[ROWS])
    assert first.contributions.tau == abs(tau)
    assert first.ties.distinct == len(np.unique(scores))
    assert {str(entry.variant.subtree) for entry in first.contributions.entries} >= {"abs(T3G_N)", "T3G_N"}


def test_a_program_without_scores_says_why(analyses):
    second = analyses[1]
    assert second.ties.scored == 0
    assert second.ties.failures == (("infinite at reciprocal", 5),)
    assert second.seeds.scored == 0
    assert (second.contributions.tau, second.contributions.orientation) == (0, 1)


def test_every_network_of_every_seed_is_told(analyses, told):
    assert told == [(done, 10) for done in range(1, 11)]


def test_sections_that_are_not_asked_for_are_not_there(task):
    (found,) = analyse_task(
        task, ROWS, PROGRAMS[:1], frozenset({Section.TIES}), StatisticsSettings(), seeds=1
    )
    assert found.ties is not None
    assert found.contributions is found.seeds is None
    assert set(task_record(found)) == {"task", "program", "networks", "ties"}


def test_the_same_program_twice_gives_the_same_twice(task):
    first, second = analyse_task(
        task, ROWS, [PROGRAMS[1]] * 2, frozenset({Section.TIES}), StatisticsSettings()
    )
    assert first.ties.failures == second.ties.failures == (("infinite at reciprocal", 5),)


def test_one_seed_is_refused_before_anything_is_collected(task):
    with pytest.raises(ConfigError, match="at least 2 seeds"):
        analyse_task(task, ROWS, PROGRAMS, frozenset({Section.SEEDS}), StatisticsSettings(), seeds=1)


def test_records_hold_no_number_that_json_does_not_know(analyses):
    for analysis in analyses:
        record = json.loads(json.dumps(task_record(analysis), allow_nan=False))
        assert record["networks"] == 5
        assert len(record["contribution"]["subtrees"]) == len(analysis.contributions.entries)
    assert record["seeds"]["deviation_over_seeds"] is None


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_files_hold_every_figure(analyses, tmp_path):
    written = write_task_analyses(analyses, tmp_path)
    assert [path.name for path in written] == ["contribution.csv", "ties.csv", "seeds.csv"]
    contribution, ties, seeds = map(rows, written)
    assert len(contribution) == sum(len(analysis.contributions.entries) for analysis in analyses)
    assert float(contribution[0]["change"]) == analyses[0].contributions.entries[0].change
    assert [row["failures"] for row in ties] == ["", "infinite at reciprocal: 5"]
    assert ties[1]["lowest"] == ""
    assert len(seeds) == 2 * 5 * 2
    assert float(seeds[1]["score"]) == analyses[0].seeds.scores[1, 0]
    assert float(seeds[0]["accuracy"]) == analyses[0].accuracies[0]


def test_responses_are_written_with_the_reasons_for_missing_scores(tmp_path):
    nan = math.nan
    points = (
        ResponsePoint(2, 10, 10, 1.5, 0.5, 1, 2, None),
        ResponsePoint(4, 10, 0, nan, nan, nan, nan, "no"),
    )
    response = Response(PROGRAMS[0], Axis.CHANNELS, points)
    first, second = rows(write_responses([response], tmp_path))
    assert (first["size"], first["mean"], first["failure"]) == ("2", "1.5", "")
    assert (second["size"], second["mean"], second["failure"]) == ("4", "", "no")
    record = response_record(response)
    assert record["points"][1]["mean"] is None
    assert (record["axis"], record["program"]) == ("channels", "mean(abs(T3G_N))")
