"""What reading a store costs: checks against a plain read, and reading from the disk with and without advice.

The statistics are those of NATS-Bench networks at 32x32: 22 terminals, 38 MB a network.
"""

import gc
import os
import random
import shutil
import zlib

import numpy as np
import pytest
import torch
from isal import isal_zlib

from eznas import spaces
from eznas.evaluator import Evaluator
from eznas.program import Program
from eznas.statistics import collect_statistics, initialise
from eznas.store import StatisticsStore, collect_store, disk
from eznas.terminals import TERMINALS

NETWORKS = 8
PROGRAMS = [Program.parse(f"mean(abs(log(sigmoid({terminal}))))") for terminal in TERMINALS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    space = spaces.get("nats-tss")
    names = random.Random(0).sample(sorted(space.architectures()), NETWORKS)
    images = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    path = tmp_path_factory.mktemp("stores") / "store"

    def collect(name):
        return collect_statistics(initialise(space.build(name), names.index(name)), images)

    collect_store(path, names, tuple(TERMINALS), collect).verify()
    for file in path.glob("*.f32"):
        with file.open("rb") as values:
            os.fsync(values.fileno())
    yield path
    shutil.rmtree(path)


def touch(store):
    for network in store:
        network.addresses(store.terminals)


def summed(store):
    """As `touch` reads it, with a sum in place of the check."""
    return [float(np.add.reduce(store._map(terminal).values)) for terminal in store.terminals]


def report(benchmark, store):
    size = sum(file.stat().st_size for file in store.path.glob("*.f32"))
    benchmark.extra_info["GB/s"] = round(size / benchmark.stats.stats.min / 1e9, 1)


def checksum_by(name):
    return zlib.crc32 if name == "zlib" else isal_zlib.crc32


@pytest.mark.parametrize("how", ["sum", "zlib", "isal"])
def test_first_touch_of_cached_files(benchmark, folder, monkeypatch, how):
    read = summed if how == "sum" else touch
    if how != "sum":
        monkeypatch.setattr(disk, "_crc32", checksum_by(how))
    touch(StatisticsStore.open(folder))
    benchmark.pedantic(read, setup=lambda: ((StatisticsStore.open(folder),), {}), rounds=15)
    report(benchmark, StatisticsStore.open(folder))


def test_addresses_of_checked_values(benchmark, folder):
    store = StatisticsStore.open(folder)
    assert len(store[0].addresses(["T3"])["T3"]) == len(store[0])
    touch(store)
    benchmark.pedantic(touch, (store,), rounds=30)
    benchmark.extra_info["µs a terminal"] = round(
        benchmark.stats.stats.min / NETWORKS / len(TERMINALS) * 1e6, 1
    )


def test_advice_on_what_is_in_memory(benchmark, folder):
    store = StatisticsStore.open(folder)
    touch(store)

    def advise():
        for network in range(NETWORKS):
            store.read_ahead(network, TERMINALS)

    benchmark.pedantic(advise, rounds=30)
    benchmark.extra_info["µs a terminal"] = round(
        benchmark.stats.stats.min / NETWORKS / len(TERMINALS) * 1e6, 1
    )


@pytest.mark.skipif(not hasattr(os, "posix_fadvise"), reason="this system does not forget files on demand")
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("advice", ["advice", "none"])
def test_scoring_from_the_disk(benchmark, folder, monkeypatch, advice, threads):
    order = random.Random(1).sample(range(NETWORKS), NETWORKS)
    if advice == "none":
        monkeypatch.delattr(StatisticsStore, "read_ahead")

    def forgotten():
        gc.collect()  # What is mapped stays in memory.
        for file in folder.glob("*.f32"):
            with file.open("rb") as values:
                os.posix_fadvise(values.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return (Evaluator(StatisticsStore.open(folder), "tile", threads, memo_bytes=0),), {}

    def score(evaluator):
        return evaluator.score(PROGRAMS, order).values

    expected = Evaluator(StatisticsStore.open(folder), "tile", threads, memo_bytes=0).score(PROGRAMS, order)
    np.testing.assert_array_equal(score(forgotten()[0][0]), expected.values)
    del expected
    benchmark.pedantic(score, setup=forgotten, rounds=8)
    report(benchmark, StatisticsStore.open(folder))
