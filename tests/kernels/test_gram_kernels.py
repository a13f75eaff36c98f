import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from kernel_samples import STARTS, placed

from eznas_kernels.gram import BLOCK, multiply_by_transpose
from eznas_kernels.tridiagonal import padded

SIZES = st.integers(1, 70)


def gram_of(matrix, start=0):
    """The Gram matrix in float64, and the largest element that was found."""
    source = placed(np.asarray(matrix, np.float32).ravel(), start)
    source.flags.writeable = False
    rows = len(matrix)
    gram = np.full(padded(rows) ** 2, 7.0)
    largest = multiply_by_transpose(source, rows, gram)
    return gram.reshape(padded(rows), -1)[:rows, :rows], largest


def whole_numbers(rows, columns):
    """Products and sums of such numbers are exact."""
    return np.random.default_rng([rows, columns]).integers(-99, 99, (rows, columns)).astype(np.float32)


@given(SIZES, SIZES)
@example(64, BLOCK // 64 + 1)
@example(16, 5 * BLOCK // 16 + 3)
@example(5, 2 * BLOCK // 8 + 2)
@settings(deadline=None)
def test_all_products_of_rows_are_summed(rows, columns):
    matrix = whole_numbers(rows, columns)
    for start in STARTS:
        gram, largest = gram_of(matrix, start)
        np.testing.assert_array_equal(gram, matrix.astype(np.float64) @ matrix.T.astype(np.float64))
        assert largest == gram.diagonal().max()


@given(st.integers(2, 20), st.integers(1, 300))
@settings(deadline=None)
def test_equal_rows_have_equal_products_to_the_bit(rows, columns):
    matrix = np.random.default_rng([rows, columns]).standard_normal((rows, columns)).astype(np.float32)
    matrix[-1] = matrix[0]
    gram, _ = gram_of(matrix)
    np.testing.assert_array_equal(gram[-1], gram[0])
    np.testing.assert_array_equal(gram, gram.T)


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_reach_the_largest_element(special):
    matrix = whole_numbers(6, 9)
    matrix[4, 8] = special
    assert np.isnan(gram_of(matrix)[1]) if np.isnan(special) else gram_of(matrix)[1] == np.inf
