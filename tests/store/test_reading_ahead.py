import ctypes
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sample_stores import NAMES, SOME, made_up, stored_bytes, write_store

from eznas.errors import StoreError
from eznas.statistics import NetworkStatistics
from eznas.store import StatisticsStore, mapped, reader

LINUX = pytest.mark.skipif(
    not hasattr(os, "RWF_NOWAIT"), reason="only Linux tells what of a file is in memory"
)


def in_memory(file: Path) -> bool:
    """Whether the first page of a file is in memory; does not bring it there, as an attempt to read would."""
    values = np.memmap(file, np.uint8, mode="r")
    page = ctypes.c_ubyte()
    library = ctypes.CDLL(None, use_errno=True)
    if library.mincore(ctypes.c_void_p(values.ctypes.data), ctypes.c_size_t(1), ctypes.byref(page)):
        pytest.skip(f"this system does not tell what is in memory: {os.strerror(ctypes.get_errno())}")
    return bool(page.value & 1)


def drop(file: Path) -> None:
    """Have the system forget what it holds of a file in memory; skips where it does not."""
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)
    if in_memory(file):
        pytest.skip("this file system keeps all files in memory")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_store(tmp_path / "store")
    return tmp_path / "store"


@pytest.fixture
def advised(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The begin and size in bytes of what the system is asked to read."""
    asked: list[tuple[int, int]] = []

    def advise(descriptor: int, begin: int, size: int, advice: int) -> None:
        assert advice == os.POSIX_FADV_WILLNEED
        asked.append((begin, size))

    monkeypatch.setattr(os, "posix_fadvise", advise)
    return asked


def whether_in_memory(monkeypatch: pytest.MonkeyPatch, answer: Callable[..., int]) -> None:
    monkeypatch.setattr(os, "preadv", answer)
    monkeypatch.setattr(mapped, "_WITHOUT_WAITING", 8)


def waits(*_: Any) -> int:
    raise BlockingIOError


def bytes_of(network: int, terminal: str) -> int:
    return stored_bytes(made_up(NAMES[network]), terminal)


@LINUX
def test_what_is_read_ahead_comes_into_memory_and_nothing_else_does(folder: Path) -> None:
    for terminal in SOME:
        drop(folder / f"{terminal}.f32")
    store = StatisticsStore.open(folder)
    store.read_ahead(0, ["T3", "T4_P"])
    end = time.monotonic() + 20
    while not (in_memory(folder / "T3.f32") and in_memory(folder / "T4_P.f32")):
        assert time.monotonic() < end
        time.sleep(0.01)
    assert not in_memory(folder / "T1_D.f32")
    assert not in_memory(folder / "T3G_N.f32")


def test_the_system_is_asked_for_the_values_of_one_network(
    folder: Path, advised: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    whether_in_memory(monkeypatch, waits)
    StatisticsStore.open(folder).read_ahead(1, ["T1_D", "T3"])
    assert advised == [(bytes_of(0, name), bytes_of(1, name)) for name in ("T1_D", "T3")]


def test_what_is_in_memory_is_not_asked_for(
    folder: Path, advised: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    whether_in_memory(monkeypatch, lambda *_: 1)
    StatisticsStore.open(folder).read_ahead(1, SOME)
    assert advised == []


def test_what_was_read_ahead_a_moment_before_is_not_looked_at_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []
    whether_in_memory(monkeypatch, lambda _, __, place, ___: looked.append(place) or 1)
    now = [100.0]
    monkeypatch.setattr(reader.time, "monotonic", lambda: now[0])
    store = StatisticsStore.open(folder)
    store.read_ahead(1, ["T3"])
    once = list(looked)
    store.read_ahead(1, ["T3"])
    assert looked == once != []
    store.read_ahead(0, ["T3"])
    store.read_ahead(1, ["T1_D"])
    assert len(looked) == 3 * len(once)
    now[0] += reader.SECONDS_IN_MEMORY
    store.read_ahead(1, ["T3"])
    assert looked[3 * len(once) :] == once


def test_what_is_partly_in_memory_is_asked_for_whole(
    folder: Path, advised: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    middle = bytes_of(0, "T3") + bytes_of(1, "T3") // 2

    def only_the_middle(_: int, __: Any, place: int, ___: int) -> int:
        return 1 if place <= middle else waits()

    whether_in_memory(monkeypatch, only_the_middle)
    StatisticsStore.open(folder).read_ahead(1, ["T3"])
    assert advised == [(bytes_of(0, "T3"), bytes_of(1, "T3"))]


def test_systems_that_do_not_tell_what_is_in_memory_are_always_asked(
    folder: Path, advised: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mapped, "_WITHOUT_WAITING", 0)
    monkeypatch.setattr(os, "preadv", pytest.fail)
    StatisticsStore.open(folder).read_ahead(0, ["T3"])
    assert advised == [(0, bytes_of(0, "T3"))]


def test_systems_without_advice_read_all_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "posix_fadvise", raising=False)
    store = StatisticsStore.open(folder)
    store.read_ahead(0, SOME)
    np.testing.assert_array_equal(store[0].layers[0]["T3"], made_up(NAMES[0]).layers[0]["T3"])


def test_only_files_that_are_asked_for_are_opened(folder: Path) -> None:
    store = StatisticsStore.open(folder)
    (folder / "T1_D.f32").unlink()
    store.read_ahead(0, ["T3", "T4_P", "T2_D"])
    with pytest.raises(StoreError, match=r"T1_D\.f32 is missing"):
        store.read_ahead(0, ["T1_D"])


def test_reading_ahead_takes_nothing_for_checked(folder: Path) -> None:
    content = bytearray((folder / "T3.f32").read_bytes())
    content[0] ^= 1
    (folder / "T3.f32").write_bytes(content)
    store = StatisticsStore.open(folder)
    store.read_ahead(0, ["T3"])
    with pytest.raises(StoreError, match=r"T3\.f32 was altered"):
        store[0].addresses(["T3"])


def test_tensors_of_no_values_are_read_ahead_too(tmp_path: Path) -> None:
    empty = NetworkStatistics.from_layers([{"T3": np.empty((0, 2), np.float32)}])
    with StatisticsStore.create(tmp_path / "store", ["empty"], ["T3"]) as writer:
        writer.append("empty", empty)
        writer.finish()
    StatisticsStore.open(tmp_path / "store").read_ahead(0, ["T3"])


def test_a_store_that_is_let_go_closes_its_files(folder: Path) -> None:
    held = StatisticsStore.open(folder)._map("T3")
    descriptor = held._descriptor
    os.fstat(descriptor)
    del held
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_threads_that_come_together_get_addresses_in_one_map(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = threading.Barrier(2, timeout=20)

    class Waiting(mapped.MappedFile):
        def __init__(self, file: Path, size: int) -> None:
            both.wait()
            super().__init__(file, size)
            both.wait()

    monkeypatch.setattr(reader, "MappedFile", Waiting)
    store = StatisticsStore.open(folder)
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(int(store[0].addresses(["T3"])["T3"][0])))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [store._maps["T3"].address] * 2
