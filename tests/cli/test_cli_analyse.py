import csv

import pytest

from eznas.analysis import Axis

QUICK = ["--repetitions", "20", "--channels", "2,4", "--kernels", "1,3", "--sides", "4", "--networks", "4"]


def test_all_sections_are_printed_and_written(run, tmp_path):
    out = tmp_path / "analysis"
    arguments = ["analyse", "eznas-a-paper", "-t", "mnist-size", *QUICK, "--seeds", "2", "--out", out]
    result = run(*arguments)
    assert result.code == 0, result.err
    for expected in (
        "response to channels", "response to kernel size", "response to map size", "mnist-size, 4 networks",
        "with a subtree replaced", "distinct scores of 4", "not scored: 0.0%", "deviation over 2 seeds",
        "Kendall tau between seeds",
    ):  # fmt: skip
        assert expected in result.out
    assert "networks of mnist-size: 8 of 8" in result.err
    assert "random layers, per cent: 100 of 100" in result.err
    assert {path.name for path in out.iterdir()} == {
        "response.csv", "response.png", "response.svg", "contribution.csv", "contribution-mnist-size.png",
        "contribution-mnist-size.svg", "ties.csv", "seeds.csv", "seeds-mnist-size.png",
        "seeds-mnist-size.svg",
    }  # fmt: skip
    with (out / "response.csv").open() as file:
        assert [row["size"] for row in csv.DictReader(file)] == ["2", "4", "1", "3", "4"]


def test_json_holds_the_response_of_several_programs(run):
    result = run("analyse", "numel(T3)", "eznas-a", "--only", "response", *QUICK, "--json")
    assert result.json["tasks"] == []
    found = result.json["response"]
    assert [entry["axis"] for entry in found] == [*map(str, Axis)] * 2
    assert [point["mean"] for point in found[1]["points"]] == [256, 2304]
    assert {entry["program"] for entry in found[3:]} == {"frobenius_norm(sigmoid(logdet(sign(T1G_D))))"}


def test_only_the_sections_that_are_asked_for_are_done(run):
    result = run(
        "analyse", "mean(abs(T3))", "-t", "mnist-size", *QUICK, "--only", "ties,contribution", "--json"
    )
    assert result.json["response"] == []
    (task,) = result.json["tasks"]
    assert set(task) == {"task", "program", "networks", "contribution", "ties"}
    assert task["ties"]["scored"] == 4


def test_the_same_seed_gives_the_same_and_another_one_another(run):
    arguments = ["analyse", "mean(abs(T3))", "-t", "mnist-size", *QUICK, "--seeds", "2", "--json"]
    first = run(*arguments).json
    assert run(*arguments, "--threads", "1").json == first
    assert run(*arguments, "--seed", "7").json != first


def test_missing_scores_are_explained(run):
    result = run("analyse", "mean(matmul(T3, T1_D))", "-t", "mnist-size", *QUICK, "--seeds", "2")
    assert result.code == 0
    assert "missing scores with kernel size 1, 3: matmul" in result.err
    assert "0 of 20" in result.out
    assert "not scored: 100.0% (shape at matmul: 4)" in result.out
    assert "seeds: 0 networks have a score for all 2 seeds" in result.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--only", "response,speed"],
            "expected sections of response, contribution, ties, seeds, got 'speed'",
        ),
        (["--channels", "2,x"], "expected whole numbers, separated by commas, got '2,x' for --channels"),
        (["--sides", "0"], "side must be at least 1, got 0"),
        (["--to-scalar", "max"], "unknown to_scalar 'max'"),
        (["--task", "nothing"], "unknown task 'nothing'"),
    ],
)
def test_wrong_arguments_are_one_line(run, arguments, message):
    result = run("analyse", "mean(T3)", *arguments)
    assert result.code != 0
    assert message in result.err
    assert len(result.err.splitlines()) == 1


def test_a_folder_that_cannot_be_written_is_named(run, tmp_path):
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "analysis"
    result = run("analyse", "mean(T3)", "--only", "response", *QUICK, "--out", out)
    assert result.code == 1
    assert f"cannot write to {out}" in result.err
