import shutil
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
import torch
from sample_stores import NAMES, SETTINGS, SOME, assert_holds, contents, made_up
from torch import nn

from eznas.errors import StoreError
from eznas.statistics import NetworkStatistics, collect_statistics, initialise, network_seed
from eznas.store import StatisticsStore, collect_store


class Collector:
    """Gives made-up statistics, remembers of what, and is interrupted before the last of some."""

    def __init__(self, allowed: int = 10**6) -> None:
        self.asked: list[str] = []
        self.allowed = allowed

    def __call__(self, name: str) -> NetworkStatistics:
        if len(self.asked) == self.allowed:
            raise KeyboardInterrupt
        self.asked.append(name)
        return made_up(name)


def test_store_holds_all_networks_and_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    store = collect_store(
        tmp_path, NAMES, SOME, made_up, SETTINGS, progress=lambda done, total: told.append((done, total))
    )
    assert_holds(store)
    assert store.settings == SETTINGS
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_interrupted_collection_goes_on_and_ends_as_any_other(tmp_path: Path) -> None:
    names = tuple(f"network {index}" for index in range(6))
    collect_store(tmp_path / "at once", names, SOME, made_up)
    with pytest.raises(KeyboardInterrupt):
        collect_store(tmp_path / "stopped", names, SOME, Collector(5))
    with pytest.raises(StoreError, match="it holds 3 of 6 networks"):
        StatisticsStore.open(tmp_path / "stopped")
    again = Collector()
    told: list[tuple[int, int]] = []
    collect_store(tmp_path / "stopped", names, SOME, again, progress=lambda *step: told.append(step))
    assert set(again.asked) == set(names[3:])
    assert told == [(3, 6), (4, 6), (5, 6), (6, 6)]
    assert contents(tmp_path / "stopped") == contents(tmp_path / "at once")


def test_finished_store_is_opened_without_collecting_anything(tmp_path: Path) -> None:
    collect_store(tmp_path, NAMES, SOME, made_up, SETTINGS)
    none = Collector(0)
    assert_holds(collect_store(tmp_path, NAMES, SOME, none, SETTINGS))
    with pytest.raises(StoreError, match="finished store .* has another setting 'seed': 3 there, 4 asked"):
        collect_store(tmp_path, NAMES, SOME, none, {**SETTINGS, "seed": 4})
    with pytest.raises(StoreError, match="another number of networks"):
        collect_store(tmp_path, NAMES[:2], SOME, none, SETTINGS)


def test_need_of_disk_is_announced_before_it_is_used(tmp_path: Path) -> None:
    heard: list[str] = []

    def announce(text: str) -> None:
        heard.append(text)
        assert sum(file.stat().st_size for file in (tmp_path / "store").glob("*.f32")) == 0

    store = collect_store(tmp_path / "store", NAMES, SOME, made_up, announce=announce)
    used = sum((store.path / f"{terminal}.f32").stat().st_size for terminal in SOME)
    assert len(heard) == 1
    assert f"needs about {used / 2**10:,.0f} KiB for 3 networks" in heard[0]


def test_need_of_disk_counts_a_tensor_that_layers_share_once(tmp_path: Path) -> None:
    heard: list[str] = []
    weight = np.ones((16, 16, 2, 2), np.float32)  # 4 KiB

    def collect(name: str) -> NetworkStatistics:
        return NetworkStatistics.from_layers([{"T3": weight}, {"T3": weight * 2}] * 5)

    store = collect_store(tmp_path, ("a", "b", "c", "d"), ("T3",), collect, announce=heard.append)
    assert (store.path / "T3.f32").stat().st_size == 32 * 2**10
    assert "needs about 32 KiB for 4 networks" in heard[0]


def test_terminal_that_is_not_collected_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="the statistics of alpha lack T4_P, T3G_N; they hold T1_D, T3"):
        collect_store(tmp_path, NAMES, SOME, lambda name: made_up(name, ("T1_D", "T3")))


def test_disk_that_is_too_small_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**6, 10**6 - 100, 100))
    with pytest.raises(StoreError, match=r"needs about \d+ KiB for 3 networks, the disk has 0 KiB left"):
        collect_store(tmp_path, NAMES, SOME, made_up)
    assert not any(file.stat().st_size for file in tmp_path.glob("*.f32"))
    monkeypatch.undo()
    assert_holds(collect_store(tmp_path, NAMES, SOME, made_up))


def test_statistics_of_real_networks_come_back_to_the_bit(tmp_path: Path) -> None:
    images = torch.randn(1, 2, 6, 6, generator=torch.Generator().manual_seed(0))

    def collect(name: str) -> NetworkStatistics:
        width, seed = int(name), network_seed(0, name)
        layers = [nn.ReLU(), nn.Conv2d(2, width, 3), nn.BatchNorm2d(width)]
        return collect_statistics(initialise(nn.Sequential(*layers, nn.Flatten()), seed), images, seed=seed)

    names, terminals = ("3", "5"), collect("3").terminals
    store = collect_store(tmp_path, names, terminals, collect)
    assert len(terminals) == 22
    for network, name in zip(store, names, strict=True):
        expected = collect(name)
        assert network.geometries == expected.geometries
        for terminal in terminals:
            assert (network.layers[0][terminal] == expected.layers[0][terminal]).all()


def test_store_that_lacked_only_its_end_is_finished_without_collecting_anything(tmp_path: Path) -> None:
    with StatisticsStore.create(tmp_path, NAMES, SOME) as writer:
        for name in NAMES:
            writer.append(name, made_up(name))
    assert_holds(collect_store(tmp_path, NAMES, SOME, Collector(0)))
