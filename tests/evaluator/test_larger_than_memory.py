"""Statistics larger than memory: they are read where they lie, as they are needed, and nothing besides."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from evaluator_examples import programs, random_network

from eznas.evaluator import Evaluator
from eznas.statistics import NetworkStatistics
from eznas.store import StatisticsStore
from eznas.terminals import TERMINALS

MEMORY = 200 * 2**20
"""What the child process may take beyond what it has after its start; mapped files do not count."""
NETWORKS, SHAPE = 6, (1, 8, 1024, 1024)
STORED = ("T1_D", "T1G_D")
TEXTS = ("mean(abs(T1_D))", "l1_norm(mul(T1_D, T1G_D))", "mean(sigmoid(sub(T1_D, T1G_D)))")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A store of 384 MiB, which is removed at once: pytest would keep it for three runs."""
    folder = tmp_path_factory.mktemp("large") / "store"
    names = [str(network) for network in range(NETWORKS)]
    try:
        with StatisticsStore.create(folder, names, STORED) as writer:
            for name in names:
                layer = {terminal: _values(terminal, int(name)) for terminal in STORED}
                writer.append(name, NetworkStatistics.from_layers([layer]))
            writer.finish()
        yield folder
    finally:
        shutil.rmtree(folder)


def _values(terminal: str, network: int) -> np.ndarray:
    step = np.float32(0.25 if terminal == "T1_D" else -0.5)
    few = step * np.arange(-3 - network, 5, dtype=np.float32)
    return np.resize(few, SHAPE)


def _expected(network: int) -> list[float]:
    # The values repeat, but not to the end: counts differ by at most one.
    one, other = (_values(terminal, network).astype(np.float64) for terminal in STORED)
    return [
        np.abs(one).mean(),
        np.abs(one * other).mean(),
        (1 / (1 + np.exp(other - one))).mean(),
    ]


def _child(folder: Path, how: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join(path for path in sys.path if path)
    return subprocess.run(
        [sys.executable, "-W", "ignore", __file__, str(folder), how],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def _result(child: subprocess.CompletedProcess[str]) -> list[list[float]] | str:
    assert child.returncode == 0, child.stderr
    result = json.loads(child.stdout)
    if "no limit" in result:
        pytest.skip(f"the memory of a process cannot be limited here: {result['no limit']}")
    return result["result"]


def test_a_store_larger_than_memory_is_evaluated(large: Path) -> None:
    size = sum(file.stat().st_size for file in large.glob("*.f32"))
    assert size > 1.9 * MEMORY
    values = _result(_child(large, "mapped"))
    np.testing.assert_allclose(np.transpose(values), [_expected(n) for n in range(NETWORKS)], rtol=1e-5)


def test_the_limit_ends_an_evaluation_of_loaded_arrays(large: Path) -> None:
    assert _result(_child(large, "loaded")) == "MemoryError"


@pytest.mark.parametrize("backend", ["tile", "eager"])
def test_only_the_terminals_that_programs_use_are_touched(tmp_path: Path, backend: str) -> None:
    networks = [random_network(seed) for seed in range(3)]
    with StatisticsStore.create(tmp_path / "store", ["a", "b", "c"], tuple(TERMINALS)) as writer:
        for name, network in zip(writer.remaining, networks, strict=True):
            writer.append(name, network)
        writer.finish()
    store = StatisticsStore.open(tmp_path / "store")
    for terminal in set(TERMINALS) - {"T3", "T1G_D"}:
        (tmp_path / "store" / f"{terminal}.f32").unlink()
    chosen = programs("mean(T3)", "l1_norm(exp(T1G_D))", "frobenius_norm(T3)")
    np.testing.assert_array_equal(
        Evaluator(store, backend).score(chosen).values, Evaluator(networks, backend).score(chosen).values
    )


@pytest.mark.parametrize(
    ("backend", "threads", "expected"),
    [
        ("eager", 1, [1, 3, 2]),
        ("eager", 2, [3, 2]),
        ("eager", 3, [2]),
        ("eager", 8, []),
        # Several at once: all but the one that each thread begins with.
        ("tile", 1, [1, 3, 2]),
        ("tile", 2, [1, 2]),
        ("tile", 8, []),
    ],
)
def test_each_network_is_read_ahead_once_as_early_as_there_is_something_else_to_do(
    backend: str, threads: int, expected: list[int]
) -> None:
    class Watched(list[NetworkStatistics]):
        def read_ahead(self, network: int, terminals: Iterable[str]) -> None:
            asked.append((network, set(terminals)))

    asked: list[tuple[int, set[str]]] = []
    statistics = Watched(random_network(seed) for seed in range(4))
    chosen = programs("mean(T3)", "l1_norm(add(T3, T3))", "mean(T1G_D)")
    Evaluator(statistics, backend, threads=threads).score(chosen, [0, 1, 3, 2])
    assert sorted(asked) == sorted((network, {"T3", "T1G_D"}) for network in expected)


def _limit_memory() -> str | None:
    """Why the memory could not be limited."""
    try:
        import resource

        status = Path("/proc/self/status").read_text().split()
        held = 1024 * int(status[status.index("VmData:") + 1])
        resource.setrlimit(resource.RLIMIT_DATA, (held + MEMORY, resource.getrlimit(resource.RLIMIT_DATA)[1]))
        np.empty(2 * MEMORY, np.uint8)
    except MemoryError:
        return None
    except (ImportError, OSError, ValueError) as error:
        return str(error)
    return "more than the limit could be taken"


def _evaluate(folder: Path, how: str) -> list[list[float]]:
    statistics: StatisticsStore | list[NetworkStatistics] = StatisticsStore.open(folder)
    if how == "loaded":
        statistics = [
            NetworkStatistics.from_layers([{name: layer[name].copy() for name in STORED}])
            for network in statistics
            for layer in network.layers
        ]
    values: list[list[float]] = (
        Evaluator(statistics, "tile", threads=2).score(programs(*TEXTS)).values.tolist()
    )
    return values


if __name__ == "__main__":
    # The kernels are loaded before memory is limited.
    Evaluator([random_network(0)], "tile").score(programs(*TEXTS))
    if (reason := _limit_memory()) is not None:
        outcome: dict[str, object] = {"no limit": reason}
    else:
        try:
            outcome = {"result": _evaluate(Path(sys.argv[1]), sys.argv[2])}
        except MemoryError:
            outcome = {"result": "MemoryError"}
    sys.stdout.write(json.dumps(outcome))
