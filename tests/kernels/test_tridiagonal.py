import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eznas_kernels.tridiagonal import ROWS_BETWEEN_SCALING, outer_eigenvalues

ORDERS = (2, 3, 8, ROWS_BETWEEN_SCALING, ROWS_BETWEEN_SCALING + 1, 3 * ROWS_BETWEEN_SCALING + 2, 200)
UNIT = 2.0**-53


def product_with_transpose(diagonal, beside):
    """The diagonal and what lies beside it of B Bᵀ, which has no eigenvalue below zero."""
    squares = np.square(diagonal)
    squares[1:] += np.square(beside)
    return squares, beside * diagonal[:-1]


def assert_outer_eigenvalues_are_right(diagonal, beside):
    exact = np.linalg.eigvalsh(np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1))
    # As many squares as rows: the last is not read.
    squares = np.append(np.square(beside), 5.0)
    smallest, largest = outer_eigenvalues(diagonal.copy(), squares)
    rounding = 16 * UNIT * len(diagonal) * exact[-1]
    np.testing.assert_allclose(largest, exact[-1], rtol=2.0**-33)
    np.testing.assert_allclose(smallest, exact[0], rtol=2.0**-33, atol=rounding)


@pytest.mark.parametrize("order", ORDERS)
def test_outer_eigenvalues_agree_with_lapack(order):
    generator = np.random.default_rng(order)
    for _ in range(20):
        diagonal, beside = generator.normal(size=order), generator.normal(size=order - 1)
        assert_outer_eigenvalues_are_right(*product_with_transpose(diagonal, beside))


@pytest.mark.parametrize("order", ORDERS)
def test_matrices_that_fall_apart_have_the_eigenvalues_of_their_parts(order):
    generator = np.random.default_rng(order)
    for zeros in ("beside", "diagonal", "every other", "all beside"):
        diagonal, beside = generator.normal(size=order), generator.normal(size=order - 1)
        if zeros == "beside":
            beside[order // 2 - 1] = 0.0
        elif zeros == "diagonal":
            diagonal[order // 2] = 0.0
        elif zeros == "every other":
            diagonal[::2] = 0.0
        else:
            beside[:] = 0.0
        assert_outer_eigenvalues_are_right(*product_with_transpose(diagonal, beside))


@pytest.mark.parametrize("order", ORDERS)
def test_equal_eigenvalues_are_found(order):
    assert_outer_eigenvalues_are_right(np.full(order, 3.0), np.zeros(order - 1))
    ones = np.zeros(order)
    ones[-1] = 1.0
    assert_outer_eigenvalues_are_right(ones, np.zeros(order - 1))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("ratio", [1e-2, 1e-8])
def test_graded_matrices_keep_their_outer_eigenvalues(order, ratio):
    graded = np.geomspace(1.0, ratio, order)
    for diagonal in (graded, graded[::-1].copy()):
        assert_outer_eigenvalues_are_right(*product_with_transpose(diagonal, 0.3 * diagonal[:-1]))


@given(st.integers(2, 70), st.integers(0, 2**32), st.integers(-140, 140))
@settings(max_examples=80, deadline=None)
def test_powers_of_two_scale_eigenvalues_to_the_bit(order, seed, exponent):
    generator = np.random.default_rng(seed)
    diagonal, beside = product_with_transpose(generator.normal(size=order), generator.normal(size=order - 1))
    squares = np.append(np.square(beside), 0.0)
    scale = 2.0**exponent
    expected = outer_eigenvalues(diagonal.copy(), squares.copy())
    found = outer_eigenvalues(diagonal * scale, squares * scale * scale)
    assert found == (expected[0] * scale, expected[1] * scale)
