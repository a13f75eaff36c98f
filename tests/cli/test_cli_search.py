import csv

import pytest

SIZES = ["--trained", "12", "--repetitions", "2", "--population", "4", "--warm-up", "10", "--candidates", "2"]
QUICK = [*SIZES, "-t", "mnist-size", "--processes", "1"]


def test_methods_are_compared_and_everything_is_written(run, tmp_path):
    out = tmp_path / "search"
    result = run("search", "params", *QUICK, "--target", "80", "--target", "60", "--out", out)
    assert result.code == 0, result.err
    assert "mnist-size, proxy params: 2 searches of 12 trained networks of 320" in result.out
    assert result.out.index("trained to reach 60 %") < result.out.index("trained to reach 80 %")
    for method in ("random", "evolution", "warm-up", "move-filter", "both"):
        assert f"│ {method} " in result.out
    assert "trained networks of all searches: 120 of 120" in result.err
    assert "different networks were scored" in result.err
    assert {path.name for path in out.iterdir()} == {
        "curves.csv", "journal", "search.json", "search.png", "search.svg", "trained.csv",
    }  # fmt: skip
    with (out / "trained.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 5 * 2 * 12


def test_the_same_command_goes_on_with_the_scores_that_are_kept(run, tmp_path):
    arguments = ["search", "params", *QUICK, "--out", tmp_path, "--json"]
    first = run(*arguments, "--methods", "warm-up")
    assert [entry["method"] for entry in first.json["methods"]] == ["warm-up"]
    (journal,) = (tmp_path / "journal").glob("*.jsonl")
    before = journal.read_text().splitlines()
    assert len(before) == first.json["scored"]
    again = run(*arguments, "--methods", "warm-up,both")
    after = journal.read_text().splitlines()
    assert after[: len(before)] == before
    assert len(after) == again.json["scored"] > len(before)
    assert again.json["methods"][0] == first.json["methods"][0]
    assert run(*arguments, "--methods", "warm-up,both").json == again.json
    assert journal.read_text().splitlines() == after


def test_the_seed_decides_everything(run):
    arguments = ["search", "params", *QUICK, "--json", "--methods", "evolution"]
    assert run(*arguments).json == run(*arguments).json
    assert run(*arguments).json["methods"] != run(*arguments, "--seed", "1").json["methods"]


def test_sizes_fit_the_task_unless_given(run):
    record = run("search", "params", "--methods", "random", "-t", "mnist-topology", "--json").json
    sizes = {name: record["settings"][name] for name in ("trained", "population", "sample", "warm_up")}
    assert sizes == {"trained": 80, "population": 20, "sample": 10, "warm_up": 160}
    assert (record["proxy"], record["scored"]) == (None, 0)


def test_lower_scores_of_a_text_may_be_better(run):
    program = "mean(abs(T3))"
    arguments = [*QUICK, "--json", "--methods", "warm-up"]
    upwards = run("search", program, *arguments).json["methods"]
    downwards = run("search", program, *arguments, "--lower-is-better").json["methods"]
    assert upwards != downwards
    refused = run("search", "eznas-b", *arguments, "--lower-is-better")
    assert refused.code == 2
    assert "it is known which scores of eznas-b are better" in refused.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--methods", "evolution,guess"], "got 'guess' for --methods"),
        (["--trained", "321"], "expected trained from 1 to 320 (the networks of the task), got 321"),
        (["--task", "nowhere"], "unknown task 'nowhere'"),
        (["--pool", "3"], "expected pool from 4 to 320 (the networks of the task), got 3"),
    ],
)
def test_what_cannot_be_searched_is_refused(run, arguments, message):
    result = run("search", "params", *QUICK, *arguments)
    assert result.code != 0
    assert message in result.err


def test_an_unknown_program_is_refused(run):
    result = run("search", "eznas-z", *QUICK)
    assert result.code == 1
    assert "error:" in result.err
