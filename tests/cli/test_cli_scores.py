import csv
import json

import numpy as np
import pytest

from eznas import NAMED_PROGRAMS, Evaluator, Program, StatisticsStore, tasks
from eznas.cli.programs import evolved_on
from eznas.evolution import EvolutionConfig, RunFolder
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
    with (out / "mnist-size-batch1-seed0.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    assert (
        float(rows[0]["accuracy"])
        == tasks.get("mnist-size").accuracies[tasks.get("mnist-size").index(rows[0]["architecture"])]
    )
    assert (out / "scores-mnist-size-batch1-seed0.png").exists()
    shown = run(*arguments)
    assert f"{comparison['contenders'][0]['kendall_tau']['value']:+.3f}" in shown.out


def test_the_sample_of_networks_is_drawn_by_the_seed(run):
    arguments = ["test", "mean(T3)", "-t", "mnist-size", "-n", "6", "--resamples", "100", "--json"]
    assert run(*arguments).json == run(*arguments).json
    assert run(*arguments).json != run(*arguments, "--seed", "1").json


def test_test_prints_the_tables_that_it_writes(run, tmp_path):
    out = tmp_path / "comparison"
    arguments = ["test", "mean(T3)", "-t", "mnist-size", "-n", "4", "--resamples", "100", "--seeds", "2"]
    result = run(*arguments, "--measure", "all", "--out", out, "--format", "latex")
    assert result.out == (out / "table.tex").read_text()
    rows = list(csv.DictReader((out / "table.csv").read_text().splitlines()))
    assert [row["contender"] for row in rows] == ["mean(T3)", "parameters", "FLOPs"] * 4
    record = json.loads((out / "comparisons.json").read_text())
    taus = [tested["contenders"][0]["kendall_tau"]["value"] for tested in record]
    assert [tested["settings"]["seed"] for tested in record] == [0, 1]
    assert float(rows[0]["mnist-size"]) == pytest.approx(np.mean(taus))
    assert float(rows[0]["mnist-size deviation"]) == pytest.approx(np.std(taus, ddof=1))
    assert rows[0]["mnist-size tests"] == "2"
    assert (out / "effect-of-seed.png").exists()
    assert (out / "table.txt").exists()
    assert (out / "table.md").exists()


def test_test_gives_each_batch_size_a_column(run):
    arguments = ["test", "mean(T3)", "-t", "mnist-size", "-n", "4", "--resamples", "100"]
    sizes = ["--batch-size", "2", "--batch-size", "1", "--batch-size", "2"]
    (heading, *_) = run(*arguments, *sizes, "--no-intervals", "--format", "markdown").out.splitlines()
    assert heading == "| Kendall tau on 4 networks | mnist-size, batch 2 | mnist-size, batch 1 |"


def test_the_table_of_a_test_fits_a_narrow_terminal(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    program = "reciprocal(add(frobenius_norm(T3), exp(frobenius_norm(log(sigmoid(log(sigmoid(T3))))))))"
    arguments = ["test", program, "reciprocal(sub(T3, T3))", "-n", "4", "--resamples", "100"]
    result = run(*arguments)
    assert result.code == 0
    assert max(map(len, result.out.splitlines())) <= 80
    assert "Kendall tau on 4 networks" in result.out
    assert "Spearman rho on 4 networks" in result.out
    assert program.replace(" ", "") in result.out.replace("\n", "").replace(" ", "")
    assert "lacks 4 of 4 scores on mnist-topology" in result.out.replace("\n", "")
    bare = run(*arguments, "--measure", "tau", "--no-intervals").out
    assert "Spearman" not in bare
    assert "[" not in bare.partition("program 1:")[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--format", "html"], "expected one of text, csv, markdown, latex, got 'html'"),
        (["--format", "csv", "--json"], "expected one of --format and --json"),
        (["--measure", "taw"], "did you mean 'tau'"),
    ],
)
def test_a_table_that_cannot_be_made_is_refused_before_anything_is_scored(run, options, message):
    result = run("test", "mean(T3)", *options)
    assert result.code != 0
    assert message in result.err
    assert "test on" not in result.err


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


def test_networks_that_a_run_evolved_on_are_known_by_task(tmp_path):
    RunFolder(tmp_path / "run").start(EvolutionConfig(tasks=("mnist-size",), stored_networks=30, data_seed=2))
    opened = [tasks.get("mnist-size"), tasks.get("mnist-topology")]
    evolved = evolved_on([str(tmp_path / "run"), "eznas-a", "mean(T3)"], opened)
    stored, _ = opened[0].split(30, seed=2)
    assert evolved == {"mnist-size": frozenset(stored.tolist()), "mnist-topology": frozenset()}
    assert evolved_on([str(tmp_path / "run")], opened[1:]) == {"mnist-topology": frozenset()}
