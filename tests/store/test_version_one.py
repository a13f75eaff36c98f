import pickle
from pathlib import Path

import numpy as np
import pytest
from sample_stores import (
    NAMES,
    SETTINGS,
    SOME,
    assert_holds,
    contents,
    made_up,
    rewrite_array,
    rewrite_manifest,
    write_store,
)
from version_one import begin_version_one, write_version_one

from eznas.errors import StoreError
from eznas.store import StatisticsStore, collect_store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_version_one(tmp_path / "store")


def test_finished_store_of_version_one_is_read(folder: Path, tmp_path: Path) -> None:
    store = StatisticsStore.open(folder)
    assert_holds(store)
    assert store.settings == SETTINGS
    store.verify()
    store.read_ahead(0, SOME)
    assert_holds(pickle.loads(pickle.dumps(store)))
    new = write_store(tmp_path / "new")
    assert [network.geometries for network in store] == [network.geometries for network in new]


def test_layers_of_version_one_share_nothing(folder: Path) -> None:
    alpha = StatisticsStore.open(folder)[0]
    np.testing.assert_array_equal(alpha.layers[0]["T1_D"], alpha.layers[2]["T1_D"])
    first = int(alpha.addresses_of("T1_D")[0])
    size = alpha.layers[0]["T1_D"].nbytes
    assert alpha.addresses_of("T1_D").tolist() == [first, first + size, first + 2 * size]


def test_collecting_into_a_finished_store_of_version_one_opens_it(folder: Path) -> None:
    before = contents(folder)
    assert_holds(collect_store(folder, NAMES, SOME, pytest.fail, SETTINGS))
    assert contents(folder) == before
    with pytest.raises(StoreError, match="another setting 'seed': 3 there, 4 asked for"):
        collect_store(folder, NAMES, SOME, made_up, {**SETTINGS, "seed": 4})


def test_unfinished_store_of_version_one_is_refused_with_what_to_do_and_kept(tmp_path: Path) -> None:
    folder = begin_version_one(tmp_path / "store")
    before = contents(folder)
    text = "unfinished store .* has format version 1.*finish it with the eznas that began it, or remove the"
    with pytest.raises(StoreError, match=text):
        collect_store(folder, NAMES, SOME, made_up, SETTINGS)
    with pytest.raises(StoreError, match=text):
        StatisticsStore.open(folder)
    assert contents(folder) == before


@pytest.mark.parametrize(("place", "change"), [(0, 1), (1, 10**9), (2, -1), (-1, 4)])
def test_offsets_that_are_not_those_of_the_shapes_are_refused(folder: Path, place: int, change: int) -> None:
    offsets = np.load(folder / "offsets.npy")
    offsets[place, 0] += change
    rewrite_array(folder, "offsets.npy", offsets)
    with pytest.raises(StoreError, match=r"offsets\.npy is damaged"):
        StatisticsStore.open(folder)


def test_offsets_that_begin_elsewhere_are_refused(folder: Path) -> None:
    rewrite_array(folder, "offsets.npy", np.load(folder / "offsets.npy") + 1)
    with pytest.raises(StoreError, match=r"offsets\.npy is damaged"):
        StatisticsStore.open(folder)


def test_truncated_and_altered_files_of_version_one_are_named(folder: Path) -> None:
    content = (folder / "T3.f32").read_bytes()
    (folder / "T3.f32").write_bytes(content[:-1])
    with pytest.raises(StoreError, match=r"T3\.f32 is truncated"):
        StatisticsStore.open(folder)
    (folder / "T3.f32").write_bytes(bytes([content[0] ^ 1]) + content[1:])
    with pytest.raises(StoreError, match=r"T3\.f32 was altered: the values of alpha"):
        StatisticsStore.open(folder).verify()


def test_store_of_version_one_is_not_taken_for_one_of_version_two(folder: Path) -> None:
    rewrite_manifest(folder, lambda document: document.update(version=2))
    with pytest.raises(StoreError, match=r"manifest\.json is damaged: it names other files"):
        StatisticsStore.open(folder)
