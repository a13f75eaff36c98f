import pytest

from eznas.cli import options
from eznas_kernels import loading

ARGUMENTS = {
    "score": ["score", "mean(T3)", "-t", "mnist-size", "-a", "2x1:2x1:2x1", "--json"],
    "test": ["test", "mean(T3)", "-t", "mnist-size", "-n", "3", "--resamples", "100", "--json"],
}
LABEL = "compiling the kernels for this machine, once"


@pytest.fixture
def load(monkeypatch):
    """What `loading.load` is called with, and tells; the kernels of this process stay as they are."""
    calls = []

    def loaded(progress=None):
        calls.append(progress)
        if progress is not None:
            for done in range(1, 9):
                progress(done, 8)

    monkeypatch.setattr(loading, "load", loaded)
    return calls


@pytest.mark.parametrize("command", ARGUMENTS)
def test_kernels_that_must_be_compiled_are_told_of_on_standard_error(run, load, monkeypatch, command):
    monkeypatch.setattr(loading, "needs_compiling", lambda: True)
    result = run(*ARGUMENTS[command])
    assert result.code == 0
    assert [line for line in result.err.splitlines() if "kernels" in line] == [
        f"{LABEL}: {done} of 8" for done in (2, 4, 6, 8)
    ]
    assert result.json


@pytest.mark.parametrize("command", ARGUMENTS)
def test_nothing_is_told_of_kernels_that_were_compiled_before(run, load, monkeypatch, command):
    monkeypatch.setattr(loading, "needs_compiling", lambda: False)
    assert "kernels" not in run(*ARGUMENTS[command]).err
    assert set(load) == {None}


def test_a_command_that_runs_nothing_loads_no_kernels(run, load):
    assert run("show", "eznas-a", "--plan").code == 0
    assert load == []


def test_every_backend_is_named_in_the_help(run):
    from eznas.backends import BACKEND_NAMES

    *names, last = BACKEND_NAMES
    assert f"{', '.join(names)} or {last}." in options.Backend.__metadata__[0].help
    assert "torchscript" in run("evolve", "--help").out
