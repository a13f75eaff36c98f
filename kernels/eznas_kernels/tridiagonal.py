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
# The exponents of a power of two and of its inverse have one sum.
INFINITY, SUM_OF_INVERSES = float(np.inf), 2.0**1023
EXPONENT_BITS = int(np.float64(INFINITY).view(np.int64))
BITS_OF_INVERSES = int(np.float64(SUM_OF_INVERSES).view(np.int64))
# Of a matrix whose largest eigenvalue is about 1, to which it does no more than rounding does.
SMALLEST_SQUARE = 2.0**-110
# A minor is at most six times the larger of the two before, and one of two on end above 2 ** -111 times it.
ROWS_BETWEEN_SCALING = 16
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


@inlined
def _next_minor(
    number: vectors.Vector,
    negated_square: vectors.Vector,
    minor: vectors.Vector,
    before: vectors.Vector,
    count: vectors.Vector,
) -> tuple[vectors.Vector, vectors.Vector, vectors.Vector]:
    """The minor of one more row, the one before it, and the count of signs that differ so far."""
    new = vectors.multiply_add(number, minor, vectors.multiply(negated_square, before))
    return new, minor, vectors.count_unequal_signs(count, new, minor)


@inlined
def _scaled(minor: vectors.Vector, before: vectors.Vector) -> tuple[vectors.Vector, vectors.Vector]:
    """Both times a power of two, which brings the larger of them to between 1 and 2."""
    larger = vectors.larger(vectors.absolute(minor), vectors.absolute(before))
    exponent = vectors.bits_of_both(larger, vectors.doubles(INFINITY))
    power = vectors.subtract_bits(vectors.doubles(SUM_OF_INVERSES), exponent)
    return vectors.multiply(minor, power), vectors.multiply(before, power)


@scalar
def _count_below(
    diagonal: Doubles, squares: Doubles, first_shifts: Doubles, last_shifts: Doubles, counts: Doubles
) -> None:
    """The number of eigenvalues below each shift: of signs that differ among the shifted matrix's minors.

    Minors are those of the first rows and columns, each made of the two before: a multiplication and an
    addition wait for each other, where pivots wait for a division (order 64 took 3.2 µs, not 2.0).

    Args:
        diagonal: At most 2 in magnitude.
        squares: The squares beside it, which keep two minors on end from being zero.
        first_shifts: As many as fill two vectors.
        last_shifts: As many again.
        counts: As whole numbers in the bits of each element.
    """
    zero, one = vectors.doubles(0.0), vectors.doubles(1.0)
    shift_0, shift_1 = vectors.load(first_shifts, 0), vectors.load(first_shifts, DOUBLE_LANES)
    shift_2, shift_3 = vectors.load(last_shifts, 0), vectors.load(last_shifts, DOUBLE_LANES)
    count_0, count_1, count_2, count_3 = zero, zero, zero, zero
    minor_0, minor_1, minor_2, minor_3 = one, one, one, one
    before_0, before_1, before_2, before_3 = zero, zero, zero, zero
    for first in range(0, diagonal.size, ROWS_BETWEEN_SCALING):
        for row in range(first, min(first + ROWS_BETWEEN_SCALING, diagonal.size)):
            number = vectors.doubles(diagonal[row])
            square = vectors.doubles(-squares[row - 1] if row > 0 else 0.0)
            shifted = vectors.subtract(number, shift_0)
            minor_0, before_0, count_0 = _next_minor(shifted, square, minor_0, before_0, count_0)
            shifted = vectors.subtract(number, shift_1)
            minor_1, before_1, count_1 = _next_minor(shifted, square, minor_1, before_1, count_1)
            shifted = vectors.subtract(number, shift_2)
            minor_2, before_2, count_2 = _next_minor(shifted, square, minor_2, before_2, count_2)
            shifted = vectors.subtract(number, shift_3)
            minor_3, before_3, count_3 = _next_minor(shifted, square, minor_3, before_3, count_3)
        minor_0, before_0 = _scaled(minor_0, before_0)
        minor_1, before_1 = _scaled(minor_1, before_1)
        minor_2, before_2 = _scaled(minor_2, before_2)
        minor_3, before_3 = _scaled(minor_3, before_3)
    vectors.store(counts, 0, count_0)
    vectors.store(counts, DOUBLE_LANES, count_1)
    vectors.store(counts, 2 * DOUBLE_LANES, count_2)
    vectors.store(counts, 3 * DOUBLE_LANES, count_3)


@scalar
def _bounds(diagonal: Doubles, squares: Doubles) -> tuple[float, float]:
    """Numbers between which all eigenvalues lie (Gershgorin's theorem)."""
    lowest, highest = np.inf, -np.inf
    for row in range(diagonal.size):
        beside = np.sqrt(squares[row]) if row < diagonal.size - 1 else 0.0
        beside += np.sqrt(squares[row - 1]) if row > 0 else 0.0
        lowest = min(lowest, diagonal[row] - beside)
        highest = max(highest, diagonal[row] + beside)
    return lowest, highest


@scalar
def _part(lower: float, upper: float, shifts: Doubles) -> None:
    """Fill in numbers that part an interval evenly."""
    for i in range(SHIFTS):
        shifts[i] = lower + (upper - lower) * ((i + 1) / (SHIFTS + 1))


@scalar
def outer_eigenvalues(diagonal: Doubles, squares: Doubles) -> tuple[float, float]:
    """The smallest and the largest eigenvalue of a tridiagonal matrix without negative ones, not all zero.

    It is given by its diagonal and the squares beside it, both of which are lost.
    """
    order = diagonal.size
    lowest, highest = _bounds(diagonal, squares)
    magnitude = max(abs(lowest), abs(highest))
    # A power of two, so that scaling rounds nothing.
    exponent = np.float64(magnitude).view(np.int64) & EXPONENT_BITS
    scale = np.int64(BITS_OF_INVERSES - exponent).view(np.float64)
    for row in range(order):
        diagonal[row] *= scale
    for row in range(order - 1):
        squares[row] = max(squares[row] * scale * scale, SMALLEST_SQUARE)
    rounding = 4.0 * UNIT * order * magnitude * scale
    # The matrix is a product with its transpose: below zero, there is but rounding.
    smallest_lower = max(lowest * scale, 0.0) - rounding
    smallest_upper = diagonal.min() + rounding
    largest_lower = diagonal.max() - rounding
    largest_upper = highest * scale + rounding
    first_shifts, last_shifts = double_workspace(SHIFTS), double_workspace(SHIFTS)
    counts = double_workspace(2 * SHIFTS)
    counted = counts.view(np.int64)
    for _ in range(LARGEST_NUMBER_OF_PASSES):
        smallest_is_found = smallest_upper - smallest_lower <= max(
            RELATIVE_PRECISION * smallest_lower, rounding / (16 * order)
        )
        if smallest_is_found and largest_upper - largest_lower <= RELATIVE_PRECISION * largest_lower:
            break
        _part(smallest_lower, smallest_upper, first_shifts)
        _part(largest_lower, largest_upper, last_shifts)
        _count_below(diagonal, squares, first_shifts, last_shifts, counts)
        for i in range(SHIFTS):
            if counted[i] >= 1:
                smallest_upper = first_shifts[i]
                break
            smallest_lower = first_shifts[i]
        for i in range(SHIFTS):
            if counted[SHIFTS + i] >= order:
                largest_upper = last_shifts[i]
                break
            largest_lower = last_shifts[i]
    smallest, largest = smallest_lower + smallest_upper, largest_lower + largest_upper
    return 0.5 * smallest / scale, 0.5 * largest / scale
