import csv

import numpy as np
import pytest

from eznas import NAMED_PROGRAMS, Evaluator, Program, StatisticsStore, tasks
from eznas.tasks import network_statistics

ARCHITECTURES = ["2x1:2x1:2x1", "8x1:6x3:4x2"]


def test_score_gives_what_the_evaluator_gives(run):
    task = tasks.get("mnist-size")
    statistics = [network_statistics(task, text, ["T1G_D", "T3"], seed=4) for text in ARCHITECTURES]
    programs = [NAMED_PROGRAMS["eznas-a"], Program.parse("mean(abs(T3))")]
    expected = Evaluator(statistics).score(programs).values
    options = [option for text in ARCHITECTURES for option in ("-a", text)]
    result = run("score", "eznas-a", "mean(abs(T3))", "-t", "mnist-size", *options, "--seed", "4", "--json")
    assert [row["architecture"] for row in result.json["networks"]] == ARCHITECTURES
    np.testing.assert_array_equal([row["scores"] for row in result.json["networks"]], expected.T)


def test_a_network_without_a_score_is_explained(run):
    result = run(
        "score", "log(sub(T3, T3))", "reciprocal(sub(T3, T3))", "-t", "mnist-size", "-a", ARCHITECTURES[0]
    )
    assert result.code == 0
    assert "no score for reciprocal(sub(T3, T3)) on network 0, layer 0: reciprocal" in result.err
    assert "nan" in result.out


def test_a_collected_store_gives_the_same_scores(run, tmp_path):
    store = tmp_path / "store"
    collected = run("collect", "mnist-size", "--networks", "3", "--terminal", "T3", "--out", store, "--json")
    assert collected.json["networks"] == 3
    assert "needs about" in collected.err
    assert StatisticsStore.open(store).terminals == ("T3",)
    names = collected.json["names"]
    stored = run("score", "mean(abs(T3))", "--store", store, "--json").json
    options = [option for text in names for option in ("-a", text)]
    fresh = run("score", "mean(abs(T3))", "--task", "mnist-size", *options, "--json").json
    assert stored == fresh


def test_a_finished_store_is_not_written_over(run, tmp_path):
    arguments = ["collect", "mnist-size", "--terminal", "T3", "--out", tmp_path / "store", "--networks"]
    assert run(*arguments, "2").code == 0
    assert run(*arguments, "2").code == 0
    again = run(*arguments, "3")
    assert again.code == 1
    assert str(tmp_path / "store") in again.err
    assert len(StatisticsStore.open(tmp_path / "store")) == 2


def test_test_compares_programs_with_parameters_and_flops(run, tmp_path):
    out = tmp_path / "comparison"
    arguments = ["test", "eznas-a", "mean(T3)", "-t", "mnist-size", "-n", "12", "--resamples", "100"]
    result = run(*arguments, "--out", out, "--json")
    (comparison,) = result.json
    assert (comparison["task"], comparison["networks"]) == ("mnist-size", 12)
    names = [contender["name"] for contender in comparison["contenders"]]
    assert names == ["eznas-a", "mean(T3)", "parameters", "FLOPs"]
    for contender in comparison["contenders"]:
        tau = contender["kendall_tau"]
        assert tau["low"] <= tau["value"] <= tau["high"]
    with (out / "mnist-size.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    assert (
        float(rows[0]["accuracy"])
        == tasks.get("mnist-size").accuracies[tasks.get("mnist-size").index(rows[0]["architecture"])]
    )
    assert (out / "scores-mnist-size.png").exists()
    shown = run(*arguments)
    assert f"{comparison['contenders'][0]['kendall_tau']['value']:+.3f}" in shown.out


def test_the_sample_of_networks_is_drawn_by_the_seed(run):
    arguments = ["test", "mean(T3)", "-t", "mnist-size", "-n", "6", "--resamples", "100", "--json"]
    assert run(*arguments).json == run(*arguments).json
    assert run(*arguments).json != run(*arguments, "--seed", "1").json


@pytest.mark.parametrize("name", ["mnist-topology", "mnist-size"])
def test_tasks_are_listed_and_described(run, name):
    listed = {record["name"]: record for record in run("tasks", "list", "--json").json}
    info = run("tasks", "info", name, "--json").json
    assert listed[name]["architectures"] == info["architectures"] == len(tasks.get(name).architectures)
    assert name in run("tasks", "list").out
    shown = run("tasks", "info", name, "--best", "2").out
    best = tasks.get(name).architectures[int(tasks.get(name).accuracies.argmax())]
    assert best in shown


def test_a_table_of_ones_own_is_trained_and_used(run, tmp_path):
    generator = np.random.default_rng(0)
    images = tmp_path / "images.npz"
    labels = np.arange(80) % 2
    pixels = generator.integers(0, 100, (80, 14, 14)) + 100 * labels[:, None, None]
    np.savez(images, images=pixels.astype(np.uint8), labels=labels)
    table = tmp_path / "table"
    arguments = [
        "tasks", "train", "mine", "--space", "micro-size", "--images", images, "--architectures", "8",
        "--epochs", "1", "--training-images", "50", "--test-images", "30", "--seeds", "2", "--processes", "1",
        "--out", table, "--json",
    ]  # fmt: skip
    trained = run(*arguments)
    assert trained.code == 0, trained.err
    assert "tau_of_parameters" in trained.json
    compared = run("test", "mean(abs(T3))", "--task", table, "--resamples", "100", "--json").json
    assert (compared[0]["task"], compared[0]["networks"]) == ("mine", 8)
