import itertools

import numpy as np
import pytest
from assembly import has_vectorised_loop, why_not_inspectable
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_samples import STARTS, Destination, awkward, ordinary, placed
from naive import NAIVE

from eznas_kernels.matrix_products import MATRIX_PRODUCTS, matrix_product

ORDERS = (1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 32, 33, 64, 65)
BATCHES = (0, 1, 7, 8, 9, 17)
SHAPES = tuple(itertools.product((1, 2, 3, 4, 5, 9), (0, 1, 3, 8, 50), (1, 3, 4, 7, 8, 9, 15, 16, 17, 33)))
SHARING = pytest.mark.parametrize(("one_first", "one_second"), [(False, False), (True, False), (False, True)])


def sizes(*numbers):
    array = np.array(numbers, np.int64)
    array.flags.writeable = False
    return array


def run(first, second, start=0):
    """The products of matrices of shapes (batch or 1, rows, inner) and (batch or 1, inner, columns)."""
    batch = max(len(first), len(second)) if len(first) and len(second) else 0
    rows, inner, columns = *first.shape[1:], second.shape[2]
    steps = (rows * inner * (len(first) > 1), inner * columns * (len(second) > 1))
    sources = [placed(values.ravel(), start) for values in (first, second)]
    for source in sources:
        source.flags.writeable = False
    destination = Destination(batch * rows * columns, start)
    matrix_product(*sources, sizes(rows, inner, columns, *steps), destination.array)
    destination.assert_surroundings_untouched()
    return destination.array.reshape(batch, rows, columns)


def assert_agrees(first, second, start=0):
    with np.errstate(all="ignore"):
        expected = NAIVE["matmul"](first, second)
        # The largest sum that rounding can have met on the way to an element.
        bound = NAIVE["matmul"](np.abs(first), np.abs(second))
        found = run(first, second, start)
        close = np.abs(found - expected) <= 6e-8 * (first.shape[2] + 1) * bound + 1e-44 * first.shape[2]
        same = (found == expected.astype(np.float32)) | (np.isnan(found) & np.isnan(expected))
        # Sums in float32 overflow where sums in float64 do not; then inf - inf may follow.
        overflown = (bound > np.finfo(np.float32).max) & ~np.isnan(expected)
    assert (close | same | overflown).all()


def matrices(values, batch, rows, columns, seed):
    return values(batch * rows * columns, seed).reshape(batch, rows, columns)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("batch", BATCHES)
@SHARING
def test_square_matrices_agree_with_the_oracle(batch, order, one_first, one_second):
    first = matrices(ordinary, min(batch, 1) if one_first else batch, order, order, 0)
    second = matrices(ordinary, min(batch, 1) if one_second else batch, order, order, 1)
    for start in STARTS if order < 20 else (1,):
        assert_agrees(first, second, start)


@pytest.mark.parametrize(("rows", "inner", "columns"), SHAPES)
def test_other_shapes_agree_with_the_oracle(rows, inner, columns):
    for batch in (1, 9):
        for values in (ordinary, awkward):
            first = matrices(values, batch, rows, inner, 0)
            assert_agrees(first, matrices(values, batch, inner, columns, 1), start=1)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), batch=st.integers(1, 9), side=st.tuples(*[st.integers(1, 9)] * 3))
def test_one_special_element_reaches_its_row_or_column_alone(data, batch, side):
    rows, inner, columns = side
    first = matrices(ordinary, batch, rows, inner, 0)
    second = matrices(ordinary, batch, inner, columns, 1)
    usual = run(first, second)
    number = data.draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    matrix, row, k = (data.draw(st.integers(0, length - 1)) for length in first.shape)
    first[matrix, row, k] = number
    found = run(first, second)
    reached = np.zeros(found.shape, bool)
    reached[matrix, row] = True
    assert not np.isfinite(found[reached]).any()
    np.testing.assert_array_equal(found[~reached], usual[~reached])


@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (3, 3, 3), (2, 5, 7), (4, 8, 8), (5, 6, 16), (7, 9, 20), (33, 33, 33)]
)
def test_a_product_has_the_same_bits_alone_and_among_others_wherever_it_lies(shape):
    rows, inner, columns = shape
    first, second = matrices(ordinary, 17, rows, inner, 0), matrices(ordinary, 17, inner, columns, 1)
    together = run(first, second)
    for start in STARTS:
        np.testing.assert_array_equal(run(first, second, start), together)
    alone = np.concatenate([run(a[None], b[None]) for a, b in zip(first, second, strict=True)])
    np.testing.assert_array_equal(alone, together)


@pytest.mark.parametrize("columns", [1, 3, 8, 9, 16, 33])
def test_a_column_has_the_same_bits_whatever_stands_beside_it(columns):
    first, second = matrices(ordinary, 1, 6, 37, 0), matrices(ordinary, 1, 37, columns, 1)
    whole = run(first, second)
    for column in range(columns):
        np.testing.assert_array_equal(
            run(first, second[:, :, column : column + 1])[:, :, 0], whole[:, :, column]
        )


def test_no_inner_elements_give_zeros():
    found = run(np.empty((2, 3, 0), np.float32), np.empty((2, 0, 9), np.float32))
    np.testing.assert_array_equal(found, np.zeros((2, 3, 9)))


def test_subnormal_products_are_kept():
    first, second = np.full((9, 3, 3), 2.0**-100, np.float32), np.full((9, 3, 3), 2.0**-49, np.float32)
    np.testing.assert_array_equal(run(first, second), np.float32(3 * 2.0**-149))


@pytest.mark.parametrize(
    ("numbers", "reason"),
    [
        ((2, 2, 2, 4), "five sizes"),
        ((2, -2, 2, 4, 4), "five sizes"),
        ((2, 2, 3, 4, 6), "whole number"),
        ((0, 2, 2, 0, 4), "whole number"),
        ((2, 2, 2, 5, 4), "first array"),
        ((2, 2, 2, 4, 5), "second array"),
        ((2, 5, 2, 0, 0), "first array"),
    ],
)
def test_wrong_sizes_are_refused(numbers, reason):
    first, second, destination = np.ones(8, np.float32), np.ones(8, np.float32), np.empty(8, np.float32)
    with pytest.raises(ValueError, match=reason):
        matrix_product(first, second, sizes(*numbers), destination)


def test_the_mapping_names_the_kernel():
    assert dict(MATRIX_PRODUCTS) == {"matmul": matrix_product}


@pytest.mark.skipif(bool(why_not_inspectable()), reason=why_not_inspectable())
def test_the_loops_are_vectorised():
    assert has_vectorised_loop(matrix_product)
