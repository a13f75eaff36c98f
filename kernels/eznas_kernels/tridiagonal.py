"""Symmetric matrices in float64: to tridiagonal form, and from there to the smallest and largest eigenvalue.

Householder's reduction and bisection by Sturm counts, as in G. H. Golub and C. F. Van Loan, Matrix
Computations, sections 8.3 and 8.4. Nothing here can fail to converge.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eznas_kernels import vectors
from eznas_kernels.policy import inlined, scalar
from eznas_kernels.vectors import DOUBLE_LANES
from eznas_kernels.workspaces import double_workspace

Doubles = NDArray[np.float64]

SHIFTS = 2 * DOUBLE_LANES
"""Places within an interval at which one pass counts eigenvalues; two intervals fill four vectors."""

# Twenty passes shrink an interval at least 9 ** 20 times, below any float64 that matters.
LARGEST_NUMBER_OF_PASSES = 20
# The ratio of the two is rounded to float32.
RELATIVE_PRECISION = 2.0**-34
UNIT = 2.0**-53
# Keeps 0 / 0 out of the counts; the squares here are of float32 products and far above.
SMALLEST_SQUARE = 2.0**-900
# Less is left below the diagonal only by rounding, as of matrices of rank 1: products of float32 numbers that
# float32 holds are above 2 ** -149. Its inverse squared would overflow.
SMALLEST_LENGTH = 2.0**-500


@scalar
def padded(order: int) -> int:
    """The order rounded up to whole vectors, which is the stride of rows."""
    return (order + DOUBLE_LANES - 1) // DOUBLE_LANES * DOUBLE_LANES


@scalar
def _update_and_multiply(
    matrix: Doubles,
    stride: int,
    first: int,
    vector: Doubles,
    partner: Doubles,
    next_vector: Doubles,
    product: Doubles,
) -> None:
    """Subtract vector partnerᵀ + partner vectorᵀ, then multiply by the next vector; four rows at a time."""
    start = first // DOUBLE_LANES * DOUBLE_LANES
    zero = vectors.doubles(0.0)
    for row in range(start, stride, 4):
        at = row * stride
        vector_0, vector_1 = vectors.doubles(-vector[row]), vectors.doubles(-vector[row + 1])
        vector_2, vector_3 = vectors.doubles(-vector[row + 2]), vectors.doubles(-vector[row + 3])
        partner_0, partner_1 = vectors.doubles(-partner[row]), vectors.doubles(-partner[row + 1])
        partner_2, partner_3 = vectors.doubles(-partner[row + 2]), vectors.doubles(-partner[row + 3])
        sum_0, sum_1, sum_2, sum_3 = zero, zero, zero, zero
        for column in range(start, stride, DOUBLE_LANES):
            along = vectors.load(vector, column)
            across = vectors.load(partner, column)
            factor = vectors.load(next_vector, column)
            place = at + column
            new = vectors.multiply_add(vector_0, across, vectors.load(matrix, place))
            new = vectors.multiply_add(partner_0, along, new)
            vectors.store(matrix, place, new)
            sum_0 = vectors.multiply_add(new, factor, sum_0)
            place += stride
            new = vectors.multiply_add(vector_1, across, vectors.load(matrix, place))
            new = vectors.multiply_add(partner_1, along, new)
            vectors.store(matrix, place, new)
            sum_1 = vectors.multiply_add(new, factor, sum_1)
            place += stride
            new = vectors.multiply_add(vector_2, across, vectors.load(matrix, place))
            new = vectors.multiply_add(partner_2, along, new)
            vectors.store(matrix, place, new)
            sum_2 = vectors.multiply_add(new, factor, sum_2)
            place += stride
            new = vectors.multiply_add(vector_3, across, vectors.load(matrix, place))
            new = vectors.multiply_add(partner_3, along, new)
            vectors.store(matrix, place, new)
            sum_3 = vectors.multiply_add(new, factor, sum_3)
        vectors.store(product, row, vectors.totals(sum_0, sum_1, sum_2, sum_3))


@inlined
def _product_of(first: Doubles, second: Doubles, start: int) -> float:
    """The sum of products of elements from a start on, which both lie at whole vectors."""
    result = vectors.doubles(0.0)
    for i in range(start, first.size, DOUBLE_LANES):
        result = vectors.multiply_add(vectors.load(first, i), vectors.load(second, i), result)
    return vectors.total(result)


@scalar
def tridiagonalise(matrix: Doubles, order: int, diagonal: Doubles, squares: Doubles) -> None:
    """Reduce a padded symmetric matrix, which is lost, to a diagonal and the squares beside it."""
    stride = padded(order)
    # The update of each reflection waits for the next one's product with the vector: one read serves both.
    vector = double_workspace(stride)
    partner = double_workspace(stride)
    next_vector = double_workspace(stride)
    product = double_workspace(stride)
    vector[:], partner[:], next_vector[:], product[:] = 0.0, 0.0, 0.0, 0.0
    for step in range(order):
        # Whole vectors: what they change to the left of the step is not read again.
        start = step // DOUBLE_LANES * DOUBLE_LANES
        row = step * stride
        along, across = vectors.doubles(-vector[step]), vectors.doubles(-partner[step])
        for column in range(start, stride, DOUBLE_LANES):
            new = vectors.multiply_add(
                along, vectors.load(partner, column), vectors.load(matrix, row + column)
            )
            new = vectors.multiply_add(across, vectors.load(vector, column), new)
            vectors.store(matrix, row + column, new)
            vectors.store(next_vector, column, new)
        diagonal[step] = matrix[row + step]
        if step == order - 1:
            break
        next_vector[start : step + 1] = 0.0
        next_vector[order:] = 0.0
        length = _product_of(next_vector, next_vector, start)
        leading = next_vector[step + 1]
        squares[step] = length
        half = 0.0
        if length > max(leading * leading, SMALLEST_LENGTH):
            reflected = -np.sqrt(length) if leading > 0.0 else np.sqrt(length)
            half = length - leading * reflected
            next_vector[step + 1] = leading - reflected
        else:
            next_vector[start:] = 0.0
        _update_and_multiply(matrix, stride, step + 1, vector, partner, next_vector, product)
        scale = 1.0 / half if half > 0.0 else 0.0
        product[start : step + 1] = 0.0
        middle = -0.5 * scale * scale * _product_of(product, next_vector, start)
        for column in range(start, stride, DOUBLE_LANES):
            new = vectors.load(next_vector, column)
            vectors.store(vector, column, new)
            across = vectors.multiply(vectors.doubles(scale), vectors.load(product, column))
            vectors.store(partner, column, vectors.multiply_add(vectors.doubles(middle), new, across))


@scalar
def _count_below(diagonal: Doubles, squares: Doubles, order: int, shifts: Doubles, counts: Doubles) -> None:
    """The number of eigenvalues below each shift: of negative pivots in eliminating the shifted matrix.

    A pivot of zero makes the next one infinite, and its quotient zero, as it should be.
    """
    zero, one = vectors.doubles(0.0), vectors.doubles(1.0)
    shift_0, shift_1 = vectors.load(shifts, 0), vectors.load(shifts, DOUBLE_LANES)
    shift_2, shift_3 = vectors.load(shifts, 2 * DOUBLE_LANES), vectors.load(shifts, 3 * DOUBLE_LANES)
    count_0, count_1, count_2, count_3 = zero, zero, zero, zero
    pivot_0, pivot_1, pivot_2, pivot_3 = one, one, one, one
    for row in range(order):
        number = vectors.doubles(diagonal[row])
        square = vectors.doubles(squares[row - 1] if row > 0 else 0.0)
        pivot_0 = vectors.subtract(vectors.subtract(number, shift_0), vectors.divide(square, pivot_0))
        pivot_1 = vectors.subtract(vectors.subtract(number, shift_1), vectors.divide(square, pivot_1))
        pivot_2 = vectors.subtract(vectors.subtract(number, shift_2), vectors.divide(square, pivot_2))
        pivot_3 = vectors.subtract(vectors.subtract(number, shift_3), vectors.divide(square, pivot_3))
        count_0 = vectors.add(count_0, vectors.select(vectors.less(pivot_0, zero), one, zero))
        count_1 = vectors.add(count_1, vectors.select(vectors.less(pivot_1, zero), one, zero))
        count_2 = vectors.add(count_2, vectors.select(vectors.less(pivot_2, zero), one, zero))
        count_3 = vectors.add(count_3, vectors.select(vectors.less(pivot_3, zero), one, zero))
    vectors.store(counts, 0, count_0)
    vectors.store(counts, DOUBLE_LANES, count_1)
    vectors.store(counts, 2 * DOUBLE_LANES, count_2)
    vectors.store(counts, 3 * DOUBLE_LANES, count_3)


@scalar
def outer_eigenvalues(diagonal: Doubles, squares: Doubles, order: int) -> tuple[float, float]:
    """The smallest and the largest eigenvalue of a tridiagonal matrix without negative ones.

    It is given by its diagonal and the squares beside it.
    """
    lowest, highest = np.inf, -np.inf
    smallest_upper, largest_lower = np.inf, -np.inf
    for row in range(order):
        beside = np.sqrt(squares[row]) if row < order - 1 else 0.0
        beside += np.sqrt(squares[row - 1]) if row > 0 else 0.0
        lowest = min(lowest, diagonal[row] - beside)
        highest = max(highest, diagonal[row] + beside)
        smallest_upper = min(smallest_upper, diagonal[row])
        largest_lower = max(largest_lower, diagonal[row])
    rounding = 4.0 * UNIT * order * max(abs(lowest), abs(highest))
    # The matrix is a product with its transpose: below zero, there is but rounding.
    smallest_lower = max(lowest, 0.0) - rounding
    smallest_upper += rounding
    largest_lower -= rounding
    largest_upper = highest + rounding
    for row in range(order - 1):
        squares[row] = max(squares[row], SMALLEST_SQUARE)
    shifts = double_workspace(2 * SHIFTS)
    counts = double_workspace(2 * SHIFTS)
    for _ in range(LARGEST_NUMBER_OF_PASSES):
        smallest_width = smallest_upper - smallest_lower
        largest_width = largest_upper - largest_lower
        if (
            smallest_width <= max(RELATIVE_PRECISION * smallest_lower, rounding / (16 * order))
            and largest_width <= RELATIVE_PRECISION * largest_lower
        ):
            break
        for i in range(SHIFTS):
            part = (i + 1) / (SHIFTS + 1)
            shifts[i] = smallest_lower + smallest_width * part
            shifts[SHIFTS + i] = largest_lower + largest_width * part
        _count_below(diagonal, squares, order, shifts, counts)
        for i in range(SHIFTS):
            if counts[i] >= 1.0:
                smallest_upper = shifts[i]
                break
            smallest_lower = shifts[i]
        for i in range(SHIFTS, 2 * SHIFTS):
            if counts[i] >= order:
                largest_upper = shifts[i]
                break
            largest_lower = shifts[i]
    return 0.5 * (smallest_lower + smallest_upper), 0.5 * (largest_lower + largest_upper)
