import pytest

from eznas import __version__
from eznas.cli import main
from eznas.errors import ProgramSyntaxError

COMMANDS = [
    "evolve",
    "test",
    "score",
    "show",
    "collect",
    "bench",
    "study list",
    "study run",
    "analyse",
    "search",
    "report",
    "export",
    "tasks list",
    "tasks info",
    "tasks train",
    "tasks import",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(run, command):
    result = run(*command.split(), "--help")
    assert result.code == 0
    assert f"eznas {command}" in result.out
    assert "Example" in result.out


def test_without_a_command_the_commands_are_listed(run):
    result = run()
    assert result.code == 0
    assert all(command.split()[0] in result.out for command in COMMANDS)


def test_the_version_is_told(run):
    assert run("--version").out.strip() == __version__


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "men(T3)"], "did you mean 'mean'?"),
        (["test", "synflo"], "unknown name 'synflo'; did you mean 'synflow'?"),
        (["test", "eznasa"], "did you mean 'eznas-a'?"),
        (["show", "mean(T3"], "expected"),
        (["show", ""], "expected"),
        (["show", "T" * 5000], "unknown name"),
        (["show", "T3\0"], "expected"),
        (["score", "mean(T3)", "--task", "mnist-siez", "-a", "2x1:2x1:2x1"], "mnist-size"),
        (["score", "mean(T3)", "--task", "mnist-size", "-a", "huge"], "'huge'"),
        (["score", "mean(T3)", "--task", "mnist-size"], "at least one --architecture"),
        (["score", "mean(T3)"], "expected one of --task and --store"),
        (["score", "mean(T3)", "--store", "/nowhere"], "no statistics store at /nowhere"),
        (["test", "mean(T3)", "--networks", "2"], "--networks"),
        (["test", "mean(T3)", "--structure", "rbc", "--networks", "3"], "rbc"),
        (["test", "mean(T3)", "--to-scalar", "max", "--networks", "3"], "unknown to_scalar 'max'"),
        (["collect", "nothing", "--out", "x"], "nothing"),
        (["collect", "mnist-size", "--out", "x", "--terminal", "T9"], "T9"),
        (["tasks", "info", "nothing"], "unknown task"),
        (["evolve", "--preset", "fast"], "expected one of paper, quick, got 'fast'"),
        (["evolve", "--set", "generatoins=3"], "unknown field 'generatoins'"),
        (["evolve", "--set", "generations"], "expected NAME=VALUE"),
        (["evolve", "--population", "7"], "must be even"),
        (["evolve", "--config", "/nowhere.toml"], "cannot read the configuration /nowhere.toml"),
        (["evolve", "--resume", "/nowhere"], "/nowhere holds no run"),
        (["evolve", "--resume", "/nowhere", "--seed", "3"], "takes no other setting"),
        (["evolve", "--nonsense"], "--nonsense"),
        (["nonsense"], "nonsense"),
    ],
)  # fmt: skip
def test_errors_are_one_line_that_says_what_is_wrong(run, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.code in {1, 2}
    assert result.err.startswith("error: ")
    assert message in result.err
    assert result.err.count("\n") == 1
    assert "Traceback" not in result.err


def test_a_refused_command_leaves_nothing_behind(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run("evolve", "--task", "mnist-siez", "--out", "run")
    run("collect", "mnist-siez", "--out", "store")
    run("evolve", "--set", "stored_networks=5000", "--out", "run")
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize("arguments", [["show", "men(T3)", "--debug"], ["--debug", "show", "men(T3)"]])
def test_debug_shows_the_traceback(arguments):
    with pytest.raises(ProgramSyntaxError):
        main(arguments)
