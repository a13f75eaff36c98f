"""Arrays of layers are kept for the last sets of networks, and never given for others."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from eznas.errors import StatisticsError
from eznas.statistics import LayerTable, NetworkStatistics
from eznas.statistics.layer_table import TABLES_KEPT
from eznas.terminals import numbered_geometry


def network(layers: int, width: int = 2) -> NetworkStatistics:
    shared = np.zeros((1, width, 3, 3), np.float32)
    own = [np.full((width, width, 1, 1), layer, np.float32) for layer in range(layers)]
    return NetworkStatistics.from_layers([{"T1_D": shared, "T3": weight} for weight in own])


def test_layers_stand_one_network_after_the_other() -> None:
    networks = [network(2), network(3, 4), network(1)]
    table = LayerTable.of(networks)
    assert table.bounds.tolist() == [0, 2, 5, 6]
    assert table.places.tolist() == [0, 1, 0, 1, 2, 0]
    assert table.most_layers == 3
    met = [numbered_geometry(number) for number in table.geometries.tolist()]
    assert met == [geometry for each in networks for geometry in each.geometries]
    assert table.distinct_geometries == sorted(set(table.geometries.tolist()))
    for terminal in ("T1_D", "T3"):
        expected = np.concatenate([each.addresses_of(terminal) for each in networks])
        np.testing.assert_array_equal(table.addresses_of(terminal), expected)
    assert table.first_layers_of(["T3", "T1_D"]).tolist() == [[0, 1, 2, 3, 4, 5], [0, 0, 2, 2, 2, 5]]


def test_the_same_networks_find_their_table_and_others_do_not() -> None:
    first, second = network(2), network(2)
    table = LayerTable.of([first, second])
    assert LayerTable.of((first, second)) is table
    for others in ([second, first], [first], [first, second, first], [first, network(2)]):
        assert LayerTable.of(others) is not table


def test_only_the_last_tables_are_kept() -> None:
    networks = [network(1) for _ in range(TABLES_KEPT + 1)]
    first = weakref.ref(LayerTable.of(networks[:1]))
    for each in networks[1:TABLES_KEPT]:
        LayerTable.of([each])
    assert LayerTable.of(networks[:1]) is first()
    for each in networks[1:]:
        LayerTable.of([each])
    gc.collect()
    assert first() is None


def test_a_kept_table_holds_no_network_and_is_given_for_none_that_takes_its_memory() -> None:
    for width in range(1, 40):
        alone = network(1, width)
        gone = weakref.ref(alone)
        table = LayerTable.of([alone])
        assert numbered_geometry(int(table.geometries[0])) == alone.geometries[0]
        assert table.addresses_of("T3").tolist() == alone.addresses_of("T3").tolist()
        del alone
        assert gone() is None
        with pytest.raises(StatisticsError, match="expected 1 networks in use, 0 are left"):
            table.addresses_of("T1_D")
