from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from eznas import tasks
from eznas.errors import SpaceError
from eznas.statistics import NetworkStatistics
from eznas.tasks import Task

TERMINALS = ["T1_D", "T3", "T3G_N"]


def assert_same(first: NetworkStatistics, second: NetworkStatistics, terminals: Iterable[str]) -> None:
    assert len(first) == len(second) > 0
    for layer, other in zip(first.layers, second.layers, strict=True):
        for terminal in terminals:
            np.testing.assert_array_equal(layer[terminal], other[terminal])


def test_statistics_depend_on_architecture_and_seed_alone(task: Task) -> None:
    architecture = task.architectures[0]
    first = tasks.network_statistics(task, architecture, TERMINALS, seed=1)
    tasks.network_statistics(task, task.architectures[1], TERMINALS, seed=1)
    assert_same(first, tasks.network_statistics(task, architecture, TERMINALS, seed=1), TERMINALS)
    other = tasks.network_statistics(task, architecture, TERMINALS, seed=2)
    assert not any(np.array_equal(first.layers[0][name], other.layers[0][name]) for name in TERMINALS)


def test_batch_size_is_the_first_dimension(task: Task) -> None:
    statistics = tasks.network_statistics(task, task.architectures[0], ["T1_D"], batch_size=3)
    assert {layer["T1_D"].shape[0] for layer in statistics.layers} == {3}


def test_architecture_of_another_space_has_no_statistics(task: Task) -> None:
    with pytest.raises(SpaceError):
        tasks.network_statistics(task, "x", TERMINALS)


def test_store_holds_the_statistics_of_each_network(task: Task, tmp_path: Path) -> None:
    chosen, seen, said = [task.architectures[row] for row in (4, 1)], [], []
    store = tasks.collect_task(
        task,
        tmp_path / "store",
        chosen,
        terminals=TERMINALS,
        batch_size=2,
        seed=5,
        announce=said.append,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert list(store.names) == chosen
    assert seen[-1] == (2, 2)
    assert len(said) == 1
    for architecture, stored in zip(chosen, store, strict=True):
        fresh = tasks.network_statistics(task, architecture, TERMINALS, batch_size=2, seed=5)
        assert_same(stored, fresh, TERMINALS)


def test_store_is_collected_once_and_then_opened(task: Task, tmp_path: Path) -> None:
    chosen, seen = task.architectures[:2], []

    def open_store(**settings: int) -> Path:
        store = tasks.open_or_collect(
            task,
            chosen,
            terminals=["T3"],
            stores=tmp_path,
            progress=lambda done, total: seen.append((done, total)),
            **settings,
        )
        assert list(store.names) == list(chosen)
        return store.path

    first = open_store()
    assert len(seen) > 0
    seen.clear()
    assert open_store() == first
    assert seen == []
    assert open_store(seed=1) != first
    assert len(seen) > 0
    assert first.parent == tmp_path
    assert first.name.startswith("tiny-")


def test_stores_are_kept_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EZNAS_STORES", str(tmp_path))
    assert tasks.default_stores() == tmp_path
    monkeypatch.delenv("EZNAS_STORES")
    assert tasks.default_stores().name == "stores"
