import csv
import json

import numpy as np
import pytest
from search_examples import perfect, task

from eznas.search import (
    Method,
    SearchOutcome,
    SearchSettings,
    Trajectory,
    curve,
    default_targets,
    reached,
    run_searches,
)
from eznas.search.files import search_record, write_search_files

TASK = task()


def outcome(*searches, method=Method.EVOLUTION):
    """An outcome of searches that trained networks of these accuracies."""
    trajectories = tuple(
        Trajectory(
            method,
            repetition,
            np.arange(len(accuracies)),
            np.array(accuracies, np.float64),
            np.full(len(accuracies), 10 * repetition),
        )
        for repetition, accuracies in enumerate(searches)
    )
    settings = SearchSettings(trained=len(searches[0]), repetitions=len(searches))
    return SearchOutcome(TASK, None, settings, trajectories, 0, 0)


def test_a_curve_is_the_mean_of_the_best_so_far():
    found = curve(outcome([10, 5, 20], [30, 40, 35]), Method.EVOLUTION)
    assert found.mean.tolist() == [20, 25, 30]
    assert found.scored.tolist() == [5, 5, 5]
    assert found.at(3).value == 30
    # With two searches a resample holds one of them alone in a quarter of the draws.
    assert (found.low.tolist(), found.high.tolist()) == ([10, 10, 20], [30, 40, 40])


def test_an_interval_is_near_that_of_the_normal_distribution():
    drawn = np.random.default_rng(0).normal(50, 2, 400)
    found = curve(outcome(*([value] for value in drawn)), Method.EVOLUTION).at(1)
    half = 1.96 * drawn.std() / 20
    assert found.low == pytest.approx(drawn.mean() - half, abs=0.03)
    assert found.high == pytest.approx(drawn.mean() + half, abs=0.03)


def test_searches_that_agree_have_an_interval_of_one_point():
    found = curve(outcome([10, 12], [10, 12], [10, 12]), Method.EVOLUTION)
    np.testing.assert_allclose([found.low, found.high], [[10, 12], [10, 12]])


def test_networks_to_reach_an_accuracy_count_up_to_the_first_that_has_it():
    found = reached(outcome([10, 20, 5], [20, 5, 5], [5, 5, 20]), Method.EVOLUTION, 20)
    assert (found.trained.value, found.reached, found.repetitions) == (2, 3, 3)
    assert not found.is_bound
    assert found.trained.low <= 2 <= found.trained.high


def test_a_search_that_never_reached_it_counts_with_all_it_trained():
    found = reached(outcome([10, 20, 5], [5, 5, 5]), Method.EVOLUTION, 20)
    assert (found.trained.value, found.reached) == (2.5, 1)
    assert found.is_bound


def test_targets_are_what_few_networks_reach():
    targets = default_targets(outcome([1.0]))
    assert [float((TASK.accuracies >= target).mean()) for target in targets] == pytest.approx(
        [0.05, 0.01], abs=0.01
    )


@pytest.fixture(scope="module")
def searched():
    sizes = SearchSettings(trained=20, repetitions=3, population=5, sample=2, warm_up=50, candidates=2)
    return run_searches(perfect(TASK), sizes)


def test_the_files_hold_curves_and_every_trained_network(searched, tmp_path):
    curves, trained = write_search_files(searched, tmp_path)
    with curves.open() as file:
        rows = [row for row in csv.DictReader(file) if row["method"] == "warm-up"]
    expected = curve(searched, Method.WARM_UP)
    np.testing.assert_allclose([float(row["mean"]) for row in rows], expected.mean, atol=1e-4)
    assert [int(row["trained"]) for row in rows] == list(range(1, 21))
    assert {row["scored"] for row in rows} == {"50.0000"}
    with trained.open() as file:
        every = list(csv.DictReader(file))
    assert len(every) == 5 * 3 * 20
    for row in every:
        assert float(row["accuracy"]) == sum(map(int, row["architecture"]))
    before = [file.read_bytes() for file in (curves, trained)]
    assert [file.read_bytes() for file in write_search_files(searched, tmp_path)] == before


def test_the_record_tells_all_figures_and_is_json(searched):
    record = json.loads(json.dumps(search_record(searched, [20.0])))
    assert (record["task"], record["networks"], record["proxy"]) == ("digits", 1000, "counted")
    assert record["settings"]["warm_up"] == 50
    assert [entry["method"] for entry in record["methods"]] == list(map(str, Method))
    for entry in record["methods"]:
        (found,) = entry["trained_to_reach"]
        mean = found["trained"]
        assert mean["low"] <= mean["value"] <= mean["high"]
        best = entry["best_accuracy"]
        assert best["low"] <= best["value"] <= best["high"] <= record["best_accuracy_of_the_task"] == 27
