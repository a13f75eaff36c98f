"""Arrays with the right checksums that say what cannot be: none may lead out of a file."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_stores import rewrite_array, write_store

from eznas.errors import StoreError
from eznas.store import StatisticsStore
from eznas.store.arrays import StoreArrays, value_counts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_store(tmp_path / "store")
    return tmp_path / "store"


def change(folder: Path, name: str, *changes: tuple[tuple[int, ...], int]) -> None:
    array = np.load(folder / name)
    for place, value in changes:
        array[place] = value
    rewrite_array(folder, name, array)


def assert_refused(folder: Path, text: str) -> None:
    with pytest.raises(StoreError, match=text):
        StatisticsStore.open(folder)


# Layers 0 to 2 are those of the first network; the last of them has its T1_D, column 0, from the first.
@pytest.mark.parametrize(
    ("place", "holder"),
    [((1, 1), -1), ((1, 1), -(2**63)), ((0, 1), 1), ((1, 1), 10**6), ((1, 1), 2**63 - 1), ((3, 1), 2)],
)
def test_holders_after_a_layer_or_of_another_network_are_refused(
    folder: Path, place: tuple[int, int], holder: int
) -> None:
    change(folder, "holders.npy", (place, holder))
    assert_refused(
        folder, r"holders\.npy is damaged: expected layers to share the tensors of earlier layers of"
    )


def test_holders_that_hold_nothing_themselves_are_refused(folder: Path) -> None:
    change(folder, "holders.npy", ((1, 0), 0), ((2, 0), 1))
    assert_refused(folder, r"holders\.npy is damaged: expected layers to share tensors that are stored")


def test_sharing_of_a_tensor_of_another_shape_is_refused(folder: Path) -> None:
    change(folder, "shapes.npy", ((2, 0, 1), 1))
    assert_refused(folder, r"holders\.npy is damaged: expected layers to share tensors of one shape")


@pytest.mark.parametrize(("place", "holder", "name"), [((2, 0), 2, "T1_D"), ((1, 1), 0, "T3")])
def test_tensors_that_are_called_stored_or_shared_and_are_not_do_not_fit_their_file(
    folder: Path, place: tuple[int, int], holder: int, name: str
) -> None:
    change(folder, "holders.npy", (place, holder))
    assert_refused(folder, rf"manifest\.json is damaged: it gives {name}\.f32 another size")


@pytest.mark.parametrize(
    ("place", "shape", "text"),
    [
        ((0, 0), (-2, 2, 4, 4), "expected sizes of at least 0"),
        ((0, 0), (-1, -1, -1, -1), "expected the shapes of what T1_D, T3, T4_P, T3G_N need, and no others"),
        ((0, 1), (1, 2, 4, 4), "expected the shapes of what T1_D, T3"),
        ((0, 2), (2**62, 1, 1, 1), "expected tensors that a file can hold"),
        ((0, 2), (2**32, 2**32, 1, 1), "expected tensors that a file can hold"),
        ((0, 2), (2**63 - 1,) * 4, "expected tensors that a file can hold"),
    ],
)
def test_shapes_that_no_tensor_has_are_refused(
    folder: Path, place: tuple[int, int], shape: tuple[int, ...], text: str
) -> None:
    change(folder, "shapes.npy", *(((*place, axis), size) for axis, size in enumerate(shape)))
    assert_refused(folder, rf"shapes\.npy is damaged: {text}")


@pytest.mark.parametrize("layers", [(1, 3, 4, 5), (0, 4, 3, 5), (0, -1, 4, 5), (0, 2**63 - 1, -5, 5)])
def test_first_layers_that_do_not_ascend_from_zero_are_refused(folder: Path, layers: tuple[int, ...]) -> None:
    assert np.load(folder / "first_layers.npy").tolist() == [0, 3, 4, 5]
    change(folder, "first_layers.npy", *(((place,), layer) for place, layer in enumerate(layers)))
    assert_refused(folder, r"first_layers\.npy is damaged: expected layers counted from 0 upwards")


@st.composite
def drawn_arrays(draw: st.DrawFn) -> StoreArrays:
    """Arrays of T1_D and T1_N: some can be, in others a layer has its tensor from where it must not."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    shapes, holders = np.full((sum(sizes), 4, 4), -1), np.zeros((sum(sizes), 2), np.int64)
    first_layers = np.cumsum([0, *sizes])
    for layer in range(len(shapes)):
        shapes[layer, 0] = draw(st.sampled_from([(1, 2, 1, 1), (2, 1, 1, 1), (1, 3, 1, 1), (0, 1, 1, 1)]))
        near = st.integers(max(0, layer - 2), layer)
        holders[layer] = draw(st.tuples(near, near))
    return StoreArrays(("T1_D", "T1_N"), shapes, holders, first_layers, np.zeros((len(sizes), 2), np.uint32))


def can_be(arrays: StoreArrays) -> bool:
    for first, end in zip(arrays.first_layers, arrays.first_layers[1:], strict=False):
        for layer in range(first, end):
            for column, holder in enumerate(arrays.holders[layer]):
                if not first <= holder <= layer or arrays.holders[holder, column] != holder:
                    return False
                if (arrays.shapes[holder, 0] != arrays.shapes[layer, 0]).any():
                    return False
    return True


@settings(max_examples=300)
@given(drawn_arrays())
def test_arrays_without_contradiction_are_those_whose_tensors_lie_in_the_part_of_their_network(
    arrays: StoreArrays,
) -> None:
    assert (arrays.contradiction() is None) == can_be(arrays)
    if can_be(arrays):
        ends = arrays.offsets + value_counts(arrays.shapes)[:, :1]
        for first, end in zip(arrays.first_layers, arrays.first_layers[1:], strict=False):
            assert (arrays.offsets[first:end] >= arrays.starts[first]).all()
            assert (ends[first:end] <= arrays.starts[end]).all()
