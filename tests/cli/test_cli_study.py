import json

import pytest
import tomli_w
from evolution_settings import TINY

from eznas import studies

EVOLUTION = {name: value for name, value in TINY.items() if name != "threads"}
EVOLUTION |= {"generations": 2, "test_networks": 3}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study of seconds, as a user would write it."""
    file = tmp_path_factory.mktemp("studies") / "to-scalar-tiny.toml"
    settings = {
        "question": "Mean or L2 norm?",
        "axis": "to_scalar",
        "values": ["mean", "l2"],
        "tasks": ["mnist-size"],
        "test_networks": 6,
        "evolution": EVOLUTION,
    }
    file.write_text(tomli_w.dumps(settings))
    return file


@pytest.mark.parametrize("command", ["study list", "study run"])
def test_every_command_of_studies_has_help_with_an_example(run, command):
    result = run(*command.split(), "--help")
    assert result.code == 0
    assert f"eznas {command}" in result.out
    assert "Example" in result.out


def test_the_ready_studies_are_listed(run):
    records = run("study", "list", "--json").json
    assert [record["name"] for record in records] == studies.names()
    shown = run("study", "list").out
    assert all(name in shown for name in studies.names())
    assert "structure: rcb, cbr" in shown


def test_a_study_is_run_once_and_then_kept(run, study, tmp_path):
    out = tmp_path / "study"
    arguments = ["study", "run", study, "--out", out, "--threads", "1"]
    first = run(*arguments, "--json")
    assert first.code == 0, first.err
    assert "evolution 2 of 2: l2-seed0" in first.err
    assert first.json == json.loads((out / "study.json").read_text())
    assert {run["value"] for run in first.json["runs"]} == {"mean", "l2"}
    again = run(*arguments, "--format", "markdown", "--measure", "tau")
    assert "l2-seed0 is finished already" in again.err
    assert again.out == (out / "table.md").read_text()
    assert again.out.startswith("| Kendall tau on 6 networks, 95 % interval | mnist-size |")
    shown = run(*arguments)
    assert "Spearman rho" in shown.out
    assert f"mean-seed0: {first.json['runs'][0]['program']}" in shown.err
    other = run(*arguments, "--task", "mnist-topology")
    assert other.code == 1
    assert "has other settings than the study" in other.err
    assert other.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["transfre"], "did you mean 'transfer'"),
        (["transfer", "--task", "mnist-siez"], "mnist-siez"),
        (["transfer", "--seeds", "0"], "--seeds"),
        (["nowhere.toml"], "cannot read the configuration nowhere.toml"),
        (["transfer", "--measure", "taw"], "unknown measure"),
    ],
)
def test_a_study_that_cannot_be_run_leaves_nothing_behind(run, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    result = run("study", "run", *arguments, "--out", "study")
    assert result.code in {1, 2}
    assert message in result.err
    assert result.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
