import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from eznas.errors import StatisticsError
from eznas.statistics import NetworkStatistics
from eznas.terminals import Geometry, number_of_geometry, numbered_geometry


def array(*shape: int) -> NDArray[np.float32]:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


LAYER = {"T3": array(2, 2, 1, 1), "T1_D": array(1, 2, 3, 3), "T1G_N": array(1, 2, 3, 3)}


def test_terminals_and_geometries_are_those_of_the_layers() -> None:
    statistics = NetworkStatistics.from_layers([LAYER, LAYER])
    assert len(statistics) == 2
    assert statistics.terminals == ("T1_D", "T3", "T1G_N")
    assert statistics.geometries == (Geometry(t1=(1, 2, 3, 3), t3=(2, 2, 1, 1)),) * 2
    assert tuple(statistics.layers[0]) == statistics.terminals


def test_arrays_are_read_only_views_of_what_was_given() -> None:
    given = array(1, 2, 3, 3)
    (layer,) = NetworkStatistics.from_layers([{"T1_D": given}]).layers
    assert np.shares_memory(layer["T1_D"], given)
    assert given.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        layer["T1_D"][0] = 1.0
    with pytest.raises(TypeError):
        layer["T1_D"] = given  # type: ignore[index]


def test_memory_maps_are_not_copied(tmp_path: Path) -> None:
    array(1, 2, 3, 3).tofile(tmp_path / "values")
    mapped = np.memmap(tmp_path / "values", np.float32, "r").reshape(1, 2, 3, 3)
    (layer,) = NetworkStatistics.from_layers([{"T1_D": mapped}]).layers
    assert np.shares_memory(layer["T1_D"], mapped)


def test_strided_arrays_are_made_contiguous() -> None:
    given = array(1, 3, 3, 2).transpose(0, 3, 1, 2)
    (layer,) = NetworkStatistics.from_layers([{"T1_D": given}]).layers
    assert layer["T1_D"].flags.c_contiguous
    np.testing.assert_array_equal(layer["T1_D"], given)


def test_missing_terminal_is_refused_with_what_there_is() -> None:
    (layer,) = NetworkStatistics.from_layers([LAYER]).layers
    with pytest.raises(
        StatisticsError, match="T2_D was not collected; these statistics hold T1_D, T3, T1G_N"
    ):
        layer["T2_D"]
    with pytest.raises(StatisticsError, match="unknown terminal 'T7'; the terminals are T1_D, T1_N"):
        layer["T7"]
    assert "T2_D" not in layer
    assert layer.get("T2_D") is None


@pytest.mark.parametrize(
    ("layers", "text"),
    [
        ([], "at least one layer, got none"),
        ([{}], "at least one terminal"),
        ([{"T9_D": array(1)}], "layer 0: unknown terminal 'T9_D'"),
        ([{"T1_D": array(2).astype(np.float64)}], "layer 0, T1_D: expected float32, got float64"),
        ([{"T1_D": array(2).astype(np.int32)}], "layer 0, T1_D: expected float32, got int32"),
        ([{"T1_D": array(2).astype(">f4")}], "layer 0, T1_D: expected float32, got >f4"),
        ([{"T1_D": [1.0]}], "layer 0, T1_D: expected a float32 numpy array, got list"),
        ([LAYER, {"T3": LAYER["T3"]}], "layer 0 holds T1_D, T3, T1G_N, layer 1 holds T3"),
        (
            [{"T1_D": array(1, 2, 3, 3), "T1G_P": array(1, 2, 3, 2)}],
            r"layer 0: expected one shape for the terminals of T1; T1G_P has \(1, 2, 3, 2\), another has",
        ),
    ],
)
def test_malformed_layers_are_refused(layers: list[dict[str, NDArray[np.float32]]], text: str) -> None:
    with pytest.raises(StatisticsError, match=text):
        NetworkStatistics.from_layers(layers)


@pytest.mark.parametrize("way", ["pickle", "copy"])
def test_statistics_can_be_copied_and_sent_to_other_processes(way: str) -> None:
    statistics = NetworkStatistics.from_layers([LAYER, LAYER])
    again = pickle.loads(pickle.dumps(statistics)) if way == "pickle" else copy.deepcopy(statistics)
    assert again.geometries == statistics.geometries
    np.testing.assert_array_equal(again.layers[1]["T3"], LAYER["T3"])


def test_layers_of_one_geometry_have_one_number_in_all_networks() -> None:
    other = {"T3": array(2, 2, 3, 3)}
    first = NetworkStatistics.from_layers([{"T3": array(2, 2, 1, 1)}, other, {"T3": array(2, 2, 1, 1)}])
    second = NetworkStatistics.from_layers([other, {"T3": array(4, 4, 1, 1)}])
    one, two, three = first.geometry_numbers.tolist()
    assert one == three != two
    assert second.geometry_numbers[0] == two
    assert second.geometry_numbers[1] not in (one, two)
    for network in (first, second):
        assert tuple(map(numbered_geometry, network.geometry_numbers)) == network.geometries


def test_threads_agree_on_the_numbers_of_geometries() -> None:
    new = [Geometry(t1=(7919, size)) for size in range(300)]
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda _: [number_of_geometry(geometry) for geometry in new], range(8)))
    assert all(each == numbers[0] for each in numbers)
    assert len(set(numbers[0])) == len(new)
    assert [numbered_geometry(number) for number in numbers[0]] == new


def test_addresses_are_located_once() -> None:
    located: list[str] = []

    def locate(terminal: str) -> NDArray[np.int64]:
        located.append(terminal)
        return np.arange(2)

    made = NetworkStatistics.from_layers([LAYER, LAYER])
    network = NetworkStatistics(made.layers, made.geometries, made.terminals, locate)
    for _ in range(2):
        assert network.addresses(["T3"])["T3"].tolist() == [0, 1]
        assert network.addresses_of("T1_D").tolist() == [0, 1]
    assert located == ["T3", "T1_D"]
    with pytest.raises(ValueError, match="read-only"):
        network.addresses_of("T3")[0] = 5


def test_addresses_are_those_of_the_arrays() -> None:
    network = NetworkStatistics.from_layers([LAYER, LAYER])
    expected = [layer["T1_D"].ctypes.data for layer in network.layers]
    assert network.addresses_of("T1_D").tolist() == expected
    with pytest.raises(StatisticsError, match="T4_D was not collected"):
        network.addresses_of("T4_D")


def test_layers_that_share_an_array_know_the_first_of_them() -> None:
    other = {name: values.copy() for name, values in LAYER.items()}
    flat = LAYER | {"T3": LAYER["T3"].reshape(-1)}
    network = NetworkStatistics.from_layers([LAYER, other, LAYER, flat, other])
    assert network.first_layers_of(["T1_D"]).tolist() == [[0, 1, 0, 0, 1]]
    # The same memory in another shape is another tensor.
    assert network.first_layers_of(["T3"]).tolist() == [[0, 1, 0, 3, 1]]
    with pytest.raises(StatisticsError, match="T4_D was not collected"):
        network.first_layers_of(["T4_D"])
