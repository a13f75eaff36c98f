from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_stores import NAMES, SETTINGS, SOME, contents, made_up, stored_bytes, write_store

from eznas.errors import StatisticsError
from eznas.statistics import NetworkStatistics
from eznas.store import StatisticsStore, sharing

BITS = (
    (0, 0, 0, 0),
    (0x8000_0000, 0, 0, 0),  # -0.0
    (0x7FC0_0000, 0, 0, 0),  # a NaN
    (0x7FC0_0001, 0, 0, 0),  # another
    (0x7F80_0001, 0, 0, 0),  # a signalling one
    (0, 0, 0, 1),  # the least subnormal number
)
SHAPES = ((1, 4, 1, 1), (2, 2, 1, 1), (4,))


def tensor(bits: tuple[int, ...], shape: tuple[int, ...] = SHAPES[0]) -> np.ndarray:
    return np.array(bits, np.uint32).view(np.float32).reshape(shape)


def network(*layers: np.ndarray) -> NetworkStatistics:
    return NetworkStatistics.from_layers([{"T3": layer} for layer in layers])


def write(path: Path, *networks: NetworkStatistics) -> StatisticsStore:
    names = [str(index) for index in range(len(networks))]
    with StatisticsStore.create(path, names, networks[0].terminals) as writer:
        for name, statistics in zip(names, networks, strict=True):
            writer.append(name, statistics)
        writer.finish()
    return StatisticsStore.open(path)


def same(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and one.tobytes() == other.tobytes()


def held_by(statistics: NetworkStatistics) -> list[int]:
    return sharing.holders(statistics, ["T3"])[:, 0].tolist()


def test_layers_with_equal_tensors_have_them_from_the_first_of_them() -> None:
    one, other = np.ones((2, 1, 1, 1), np.float32), np.zeros((2, 1, 1, 1), np.float32)
    assert held_by(network(one, other, one.copy(), one, other.copy())) == [0, 1, 0, 0, 1]


def test_tensors_of_other_bits_are_told_apart_although_numbers_may_compare_equal() -> None:
    tensors = [tensor(bits) for bits in BITS]
    assert held_by(network(*tensors, *tensors)) == [*range(len(BITS))] * 2


def test_tensors_of_other_shapes_are_told_apart_although_their_bytes_are_equal() -> None:
    tensors = [tensor(BITS[0], shape) for shape in SHAPES]
    assert held_by(network(*tensors, *tensors)) == [0, 1, 2, 0, 1, 2]


def test_equal_checksums_alone_make_no_tensors_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "checksum", lambda _: 0)
    tensors = [tensor(bits) for bits in BITS]
    assert held_by(network(*tensors, *tensors[::-1])) == [*range(len(BITS)), *range(len(BITS))[::-1]]


def test_layers_that_share_a_tensor_have_one_address_and_others_have_not(tmp_path: Path) -> None:
    store = write_store(tmp_path)
    alpha = store[0]
    first, second, third = alpha.addresses_of("T1_D").tolist()
    assert first == third
    assert second == first + alpha.layers[0]["T1_D"].nbytes
    for terminal in SOME:
        expected = [layer[terminal].__array_interface__["data"][0] for layer in alpha.layers]
        assert alpha.addresses_of(terminal).tolist() == expected
        firsts = [expected.index(address) for address in expected]
        assert alpha.first_layers_of([terminal]).tolist() == [firsts]
    assert len(set(alpha.addresses_of("T3").tolist())) == 3
    with pytest.raises(StatisticsError, match="T4_N was not collected"):
        alpha.first_layers_of(["T4_N"])
    assert np.shares_memory(store.values("T4_P", 1, 0), store.values("T4_P", 2, 0))
    assert not np.shares_memory(store.values("T4_P", 0, 0), store.values("T4_P", 2, 0))


def test_equal_tensors_of_other_networks_and_terminals_are_not_shared(tmp_path: Path) -> None:
    ones = np.ones((2, 1, 1, 1), np.float32)
    layers = NetworkStatistics.from_layers([{"T3": ones, "T3G_D": ones}] * 2)
    store = write(tmp_path, layers, layers)
    found = [each.addresses_of(terminal).tolist() for each in store for terminal in store.terminals]
    assert all(one == other for one, other in found)
    assert len({one for one, _ in found}) == 4


def test_shared_tensors_take_their_place_on_the_disk_once(tmp_path: Path) -> None:
    store = write_store(tmp_path)
    for terminal in SOME:
        expected = sum(stored_bytes(made_up(name), terminal) for name in NAMES)
        assert (tmp_path / f"{terminal}.f32").stat().st_size == expected
    assert sum(layer["T1_D"].nbytes for each in store for layer in each.layers) > expected


TENSORS = st.lists(st.tuples(*[st.integers(0, len(BITS) - 1)] * 2, st.integers(0, 2)), min_size=1, max_size=7)


@settings(max_examples=40)
@given(st.lists(TENSORS, min_size=1, max_size=4))
def test_networks_of_any_repeats_come_back_to_the_bit_and_share_what_is_equal(
    drawn: list[list[tuple[int, int, int]]],
) -> None:
    networks = [
        NetworkStatistics.from_layers(
            [
                {"T3": tensor(BITS[weight], SHAPES[shape]), "T3G_N": tensor(BITS[gradient], SHAPES[shape])}
                for weight, gradient, shape in layers
            ]
        )
        for layers in drawn
    ]
    with TemporaryDirectory() as folder:
        store = write(Path(folder), *networks)
        store.verify()
        for stored, expected in zip(store, networks, strict=True):
            assert stored.geometries == expected.geometries
            for terminal in store.terminals:
                tensors = [layer[terminal] for layer in stored.layers]
                assert all(map(same, tensors, (layer[terminal] for layer in expected.layers)))
                addresses = stored.addresses_of(terminal).tolist()
                for (one, here), (other, there) in combinations(zip(tensors, addresses, strict=True), 2):
                    assert (here == there) == same(one, other)


def test_store_of_a_store_is_the_same(tmp_path: Path) -> None:
    store = write_store(tmp_path / "first")
    with StatisticsStore.create(tmp_path / "second", NAMES, SOME, SETTINGS) as writer:
        for name, statistics in zip(NAMES, store, strict=True):
            writer.append(name, statistics)
        writer.finish()
    assert contents(tmp_path / "first") == contents(tmp_path / "second")
