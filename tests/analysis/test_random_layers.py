import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eznas.analysis.random_layers import DRAWN_AT_ONCE, LayerSizes, elements, random_layers
from eznas.terminals import TERMINALS, Geometry

SIZES = LayerSizes(channels=3, kernel=3, side=4, batch=2)


def values(terminals, groups, seed=0, sizes=SIZES):
    network = random_layers(sizes.geometry(terminals), terminals, groups, seed)
    return {name: np.array([layer[name] for layer in network.layers]) for name in terminals}


def test_layers_have_the_shapes_around_a_convolution():
    drawn = values(tuple(TERMINALS), range(1))
    for name, terminal in TERMINALS.items():
        expected = (3, 3, 3, 3) if terminal.family == "T3" else (2, 3, 4, 4)
        assert drawn[name].shape == (DRAWN_AT_ONCE, *expected)
        assert drawn[name].dtype == np.float32


def test_families_that_are_not_read_have_no_shape():
    assert SIZES.geometry(("T3G_N",)) == Geometry(t3=(3, 3, 3, 3))
    assert elements(SIZES.geometry(("T3G_N", "T3")), ("T3G_N", "T3")) == 2 * 81


@given(st.integers(0, 5), st.integers(1, 4), st.sampled_from(list(TERMINALS)), st.integers(0, 2**63))
@settings(max_examples=30)
def test_a_tensor_does_not_depend_on_how_the_sequence_is_cut_or_on_others(first, count, name, seed):
    groups = range(first, first + count)
    together = values((name,), groups, seed)[name]
    others = [other for other in ("T1_D", "T3", "T4G_P") if other != name]
    for position, group in enumerate(groups):
        alone = values((*others, name), range(group, group + 1), seed)[name]
        part = together[position * DRAWN_AT_ONCE : (position + 1) * DRAWN_AT_ONCE]
        np.testing.assert_array_equal(alone, part)


def test_terminals_seeds_groups_and_layers_differ():
    drawn = values(("T1_D", "T1_N", "T2_D"), range(2))
    other = values(("T1_D",), range(2), seed=1)
    layers = np.concatenate([*drawn.values(), other["T1_D"]]).reshape(-1, 96)
    assert len(np.unique(layers, axis=0)) == len(layers)


def test_values_are_standard_normal_and_uncorrelated():
    drawn = values(("T1_D", "T4_D"), range(60), sizes=LayerSizes(4, 1, 8))
    first, second = (drawn[name].reshape(960, -1).astype(np.float64) for name in ("T1_D", "T4_D"))
    size = first.size
    assert abs(first.mean()) < 4 / np.sqrt(size)
    assert abs(first.var() - 1) < 4 * np.sqrt(2 / size)
    assert abs((first**4).mean() - 3) < 4 * np.sqrt(96 / size)
    assert abs((first * second).mean()) < 4 / np.sqrt(size)
    # Neighbouring layers, and neighbouring groups, whose seeds follow each other.
    for step in (1, DRAWN_AT_ONCE):
        assert abs((first[step:] * first[:-step]).mean()) < 4 / np.sqrt(size)


def test_addresses_are_those_of_the_arrays():
    network = random_layers(SIZES.geometry(("T3",)), ("T3",), range(2), 0)
    expected = [layer["T3"].__array_interface__["data"][0] for layer in network.layers]
    np.testing.assert_array_equal(network.addresses(["T3"])["T3"], expected)
    with pytest.raises(ValueError, match="read-only"):
        network.layers[0]["T3"][:] = 0
