import pickle
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sample_stores import (
    NAMES,
    SETTINGS,
    SOME,
    assert_holds,
    made_up,
    rewrite_array,
    rewrite_manifest,
    write_store,
)

from eznas.errors import StatisticsError, StoreError
from eznas.store import StatisticsStore
from eznas.terminals import TERMINALS, Geometry


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stores") / "store"
    write_store(folder)
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "store"))


def test_store_gives_back_what_was_written(tmp_path: Path) -> None:
    store = write_store(tmp_path / "new" / "store", tuple(TERMINALS))
    assert store.terminals == tuple(TERMINALS)
    assert store.settings == SETTINGS
    assert store.path == tmp_path / "new" / "store"
    assert StatisticsStore.is_finished(store.path)
    assert_holds(store)
    store.verify()


def test_store_is_a_sequence_of_network_statistics(written: Path) -> None:
    store = StatisticsStore.open(str(written))
    assert len(store) == 3
    assert store[-1] is store[2]
    assert store[1:] == [store[1], store[2]]
    assert [network.terminals for network in store] == [("T1_D", "T3", "T4_P", "T3G_N")] * 3
    with pytest.raises(IndexError, match="no network 3; the store holds 3"):
        store[3]


def test_geometries_are_those_of_the_terminals_that_are_kept(written: Path) -> None:
    network = StatisticsStore.open(written)[0]
    assert network.geometries == (Geometry((1, 2, 4, 4), None, (3, 2, 3, 3), (1, 3, 2, 2)),) * len(network)


def test_arrays_are_read_only_views_of_one_memory_map(written: Path) -> None:
    store = StatisticsStore.open(written)
    first, last = store[0].layers[0]["T3"], store[2].layers[0]["T3"]
    assert first.base is not None
    assert np.shares_memory(first, last.base)
    assert first.dtype == np.float32
    assert first.flags.c_contiguous
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 0.0


def test_only_the_files_of_terminals_that_are_asked_for_are_touched(folder: Path) -> None:
    store = StatisticsStore.open(folder)
    (folder / "T1_D.f32").unlink()
    expected = made_up(NAMES[0]).layers[0]["T3"]
    np.testing.assert_array_equal(store[0].layers[0]["T3"], expected)
    with pytest.raises(StoreError, match=r"T1_D\.f32 is missing"):
        store[0].layers[0]["T1_D"]


def test_terminal_that_is_not_stored_is_refused_with_what_is(written: Path) -> None:
    layer = StatisticsStore.open(written)[0].layers[0]
    with pytest.raises(StatisticsError, match="T2_D was not collected; these statistics hold T1_D, T3, T4_P"):
        layer["T2_D"]
    with pytest.raises(StatisticsError, match="unknown terminal 'T8'"):
        layer["T8"]
    assert "T2_D" not in layer
    assert layer.get("T2_D") is None
    assert len(layer) == len(dict(layer)) == 4


def test_store_and_networks_can_be_sent_to_other_processes(written: Path) -> None:
    store = StatisticsStore.open(written)
    assert_holds(pickle.loads(pickle.dumps(store)))
    network = pickle.loads(pickle.dumps(store[1]))
    np.testing.assert_array_equal(network.layers[0]["T3"], store[1].layers[0]["T3"])


def test_verify_tells_of_every_network(written: Path) -> None:
    told: list[tuple[int, int]] = []
    StatisticsStore.open(written).verify(lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_missing_and_foreign_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"no statistics store at .*nowhere: manifest\.json is missing"):
        StatisticsStore.open(tmp_path / "nowhere")
    (tmp_path / "file").write_text("something")
    with pytest.raises(StoreError, match="no statistics store"):
        StatisticsStore.open(tmp_path / "file")
    assert not StatisticsStore.is_finished(tmp_path / "file")


@pytest.mark.parametrize("name", [*(f"{terminal}.f32" for terminal in SOME), "shapes.npy", "checksums.npy"])
def test_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(StoreError, match=name):
        StatisticsStore.open(folder)


@pytest.mark.parametrize(
    "name", ["T1_D.f32", "T3.f32", "shapes.npy", "holders.npy", "first_layers.npy", "checksums.npy"]
)
@pytest.mark.parametrize("change", [-1, 1])
def test_truncated_and_prolonged_files_are_named(folder: Path, name: str, change: int) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:change] if change < 0 else content + b"\0")
    what = "truncated" if change < 0 else "too long"
    with pytest.raises(StoreError, match=f"{name} is {what}: expected {len(content)} bytes"):
        StatisticsStore.open(folder)


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["shapes.npy", "holders.npy", "first_layers.npy", "checksums.npy"])
def test_altered_array_is_named_when_the_store_is_opened(folder: Path, name: str) -> None:
    flip(folder / name, -1)
    with pytest.raises(StoreError, match=f"{name} was altered"):
        StatisticsStore.open(folder)


@pytest.mark.parametrize("place", [0, 100, -1])
def test_altered_value_is_found_when_its_network_is_read(folder: Path, place: int) -> None:
    flip(folder / "T3.f32", place)
    store = StatisticsStore.open(folder)
    altered = 0 if place >= 0 else 2
    for network, name in enumerate(NAMES):
        if network == altered:
            with pytest.raises(StoreError, match=r"T3\.f32 was altered: the values of .* have another"):
                store[network].layers[0]["T3"]
        else:
            np.testing.assert_array_equal(store[network].layers[0]["T3"], made_up(name).layers[0]["T3"])
        np.testing.assert_array_equal(store[network].layers[0]["T1_D"], made_up(name).layers[0]["T1_D"])
    with pytest.raises(StoreError, match=r"T3\.f32 was altered"):
        store.verify()


def exchange(path: Path, one: slice, other: slice) -> None:
    content = bytearray(path.read_bytes())
    content[one], content[other] = content[other], content[one]
    path.write_bytes(content)


@pytest.mark.parametrize(("one", "other"), [(0, 1), (0, 53), (52, 53)])
def test_exchanged_numbers_are_found(folder: Path, one: int, other: int) -> None:
    exchange(folder / "T3.f32", *(slice(4 * place, 4 * place + 4) for place in (one, other)))
    with pytest.raises(StoreError, match=r"T3\.f32 was altered"):
        StatisticsStore.open(folder)[0].addresses(["T3"])


def test_exchanged_networks_are_found(folder: Path) -> None:
    store = StatisticsStore.open(folder)
    alpha, beta, other = (4 * sum(layer["T3"].size for layer in network.layers) for network in store)
    assert beta == other
    exchange(folder / "T3.f32", slice(alpha, alpha + beta), slice(alpha + beta, alpha + beta + other))
    altered = StatisticsStore.open(folder)
    altered[0].addresses(["T3"])
    for network in (1, 2):
        with pytest.raises(StoreError, match=rf"values of {re.escape(NAMES[network])} have another"):
            altered[network].addresses(["T3"])


def test_file_that_was_truncated_after_opening_is_named(folder: Path) -> None:
    store = StatisticsStore.open(folder)
    (folder / "T3.f32").write_bytes(b"")
    with pytest.raises(StoreError, match=r"T3\.f32 is truncated"):
        store[0].layers[0]["T3"]


def test_no_altered_byte_of_the_manifest_goes_unnoticed(folder: Path) -> None:
    for place in range(0, (folder / "manifest.json").stat().st_size, 11):
        flip(folder / "manifest.json", place)
        with pytest.raises(StoreError, match=r"manifest\.json"):
            StatisticsStore.open(folder)
        flip(folder / "manifest.json", place)
    assert_holds(StatisticsStore.open(folder))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "is not JSON"),
        (b"\x80\x04pickle", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "not part of a statistics store"),
        (b'{"format": "another"}', "expected the format 'eznas-statistics'"),
        (b'{"format": "eznas-statistics"}', "has format version None, this eznas reads versions 1 and 2"),
        (b'{"format": "eznas-statistics", "version": 3}', "has format version 3"),
        (b'{"format": "eznas-statistics", "version": 1}', "was altered: its checksum differs"),
        (b'{"format": "eznas-statistics", "version": 2}', "was altered: its checksum differs"),
    ],
)
def test_foreign_and_newer_manifests_are_refused(folder: Path, content: bytes, text: str) -> None:
    (folder / "manifest.json").write_bytes(content)
    with pytest.raises(StoreError, match=rf"manifest\.json.*{text}"):
        StatisticsStore.open(folder)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda document: document.pop("names"), "is damaged: KeyError"),
        (lambda document: document.pop("files"), "is damaged: KeyError"),
        (lambda document: document.update(terminals=["T1_D", "T9"]), "is damaged: unknown terminal 'T9'"),
        (lambda document: document.update(terminals=[["T3"]]), r"is damaged: unknown terminal \['T3'\]"),
        (lambda document: document["terminals"].append("T3"), "is damaged: expected distinct terminals"),
        (
            lambda document: document.update(terminals=[]),
            "is damaged: expected distinct terminals, at least one",
        ),
        (lambda document: document.update(version=1), "names other files than its terminals need"),
        (lambda document: document["files"].pop("T3.f32"), "names other files than its terminals need"),
        (lambda document: document["files"]["T3.f32"].update(bytes=4), r"gives T3\.f32 another size"),
    ],
)
def test_manifest_that_contradicts_itself_is_refused(
    folder: Path, change: Callable[[dict[str, Any]], None], text: str
) -> None:
    rewrite_manifest(folder, change)
    with pytest.raises(StoreError, match=rf"manifest\.json.*{text}"):
        StatisticsStore.open(folder)


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.zeros((4, 4)), r"expected int64 \(\d+, 4\), got float64 \(4, 4\)"),
        (np.zeros((2, 4), np.int64), r"got int64 \(2, 4\)"),
        (np.array([{"object": 1}]), "is not a plain array"),
    ],
)
def test_array_of_another_type_or_shape_is_refused_and_nothing_unpickled(
    folder: Path, array: np.ndarray, text: str
) -> None:
    rewrite_array(folder, "holders.npy", array)
    with pytest.raises(StoreError, match=rf"holders\.npy.*{text}"):
        StatisticsStore.open(folder)
