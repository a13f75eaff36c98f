"""Ratios of the outer eigenvalues of A Aᵀ, worked out in float64."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from eznas_kernels import vectors
from eznas_kernels.lanes import inlined
from eznas_kernels.policy import DESTINATION, SIZES, SOURCE, kernel, scalar
from eznas_kernels.tridiagonal import outer_eigenvalues, padded, tridiagonalise
from eznas_kernels.vectors import DOUBLE_LANES, LANES

Array = NDArray[np.float32]
Doubles = NDArray[np.float64]
Sizes = NDArray[np.int64]


LARGEST = float(np.finfo(np.float32).max)


@scalar
def checked_rows(source: Array, sizes: Sizes, destination: Array) -> int:
    """The number of rows.

    Raises:
        ValueError: The source is not that many rows of one length, or the destination not one element.
    """
    if sizes.size != 1 or sizes[0] < 1 or source.size % sizes[0] != 0 or destination.size != 1:
        raise ValueError("a ratio of eigenvalues takes whole rows, at least one, and writes one element")
    rows: int = sizes[0]
    return rows


@scalar
def sum_of_squares(source: Array) -> np.float32:
    """The sum of squares in float32, which overflows and underflows where an eager product does."""
    total_0 = vectors.floats(np.float32(0.0))
    total_1, total_2, total_3 = total_0, total_0, total_0
    whole = source.size - source.size % (4 * LANES)
    for i in range(0, whole, 4 * LANES):
        number = vectors.load(source, i)
        total_0 = vectors.multiply_add(number, number, total_0)
        number = vectors.load(source, i + LANES)
        total_1 = vectors.multiply_add(number, number, total_1)
        number = vectors.load(source, i + 2 * LANES)
        total_2 = vectors.multiply_add(number, number, total_2)
        number = vectors.load(source, i + 3 * LANES)
        total_3 = vectors.multiply_add(number, number, total_3)
    result = vectors.total(vectors.add(vectors.add(total_0, total_1), vectors.add(total_2, total_3)))
    for i in range(whole, source.size):
        result += source[i] * source[i]
    return np.float32(result)


@scalar
def _widen(source: Array, rows: int, columns: int, i: int, pair: Doubles) -> None:
    """Rows i and i + 1 as float64, as far as they are there."""
    for row in range(2):
        start = min(i + row, rows - 1) * columns
        for column in range(columns):
            pair[row * columns + column] = source[start + column]


@inlined
def _multiply_rows(
    source: Array, pair: Doubles, rows: int, columns: int, i: int, j: int, stride: int, gram: Doubles
) -> None:
    """The sums of products of rows i and i + 1, the pair, with rows j to j + 3, as far as they are there."""
    right_0, right_1 = j * columns, min(j + 1, rows - 1) * columns
    right_2, right_3 = min(j + 2, rows - 1) * columns, min(j + 3, rows - 1) * columns
    zero = vectors.doubles(0.0)
    sum_00, sum_01, sum_02, sum_03 = zero, zero, zero, zero
    sum_10, sum_11, sum_12, sum_13 = zero, zero, zero, zero
    whole = columns - columns % DOUBLE_LANES
    for column in range(0, whole, DOUBLE_LANES):
        upper, lower = vectors.load(pair, column), vectors.load(pair, columns + column)
        right = vectors.load_widened(source, right_0 + column)
        sum_00 = vectors.multiply_add(upper, right, sum_00)
        sum_10 = vectors.multiply_add(lower, right, sum_10)
        right = vectors.load_widened(source, right_1 + column)
        sum_01 = vectors.multiply_add(upper, right, sum_01)
        sum_11 = vectors.multiply_add(lower, right, sum_11)
        right = vectors.load_widened(source, right_2 + column)
        sum_02 = vectors.multiply_add(upper, right, sum_02)
        sum_12 = vectors.multiply_add(lower, right, sum_12)
        right = vectors.load_widened(source, right_3 + column)
        sum_03 = vectors.multiply_add(upper, right, sum_03)
        sum_13 = vectors.multiply_add(lower, right, sum_13)
    at = i * stride + j
    vectors.store(gram, at, vectors.totals(sum_00, sum_01, sum_02, sum_03))
    if i + 1 < rows:
        vectors.store(gram, at + stride, vectors.totals(sum_10, sum_11, sum_12, sum_13))
    for row in range(i, min(i + 2, rows)):
        for other in range(j, min(j + 4, rows)):
            for column in range(whole, columns):
                product = np.float64(source[row * columns + column]) * source[other * columns + column]
                gram[row * stride + other] += product


@scalar
def multiply_by_transpose(source: Array, rows: int, gram: Doubles) -> float:
    """Fill in A Aᵀ, rows padded; the largest element is returned, NaN if one is NaN.

    Products of float32 numbers are exact in float64. Two rows times four are summed at once: eight sums hide
    the latency of additions, and six loads feed eight of them. Conversions take as long as products: the two
    rows are converted once for all others.
    """
    columns = source.size // rows
    stride = padded(rows)
    pair = np.empty(2 * columns, np.float64)
    for i in range(0, rows, 2):
        _widen(source, rows, columns, i, pair)
        for j in range(0, i + 2, 4):
            _multiply_rows(source, pair, rows, columns, i, j, stride, gram)
    # No element is larger than the largest on the diagonal.
    magnitude = 0.0
    for i in range(rows):
        for j in range(i):
            gram[j * stride + i] = gram[i * stride + j]
        magnitude = gram[i * stride + i] if not gram[i * stride + i] <= magnitude else magnitude
        if np.isnan(magnitude):
            return magnitude
    return magnitude


@scalar
def eigenvalues_of_gram(source: Array, rows: int, largest: float) -> tuple[float, float]:
    """The outer eigenvalues of A Aᵀ, both NaN unless float32 holds its elements up to the largest allowed."""
    stride = padded(rows)
    gram = np.zeros(stride * stride, np.float64)
    magnitude = multiply_by_transpose(source, rows, gram)
    if not magnitude <= largest or np.float32(magnitude) == np.float32(0.0):
        return np.nan, np.nan
    diagonal = np.empty(rows, np.float64)
    squares = np.empty(rows, np.float64)
    tridiagonalise(gram, rows, diagonal, squares)
    return outer_eigenvalues(diagonal, squares, rows)


@kernel(SOURCE, SIZES, DESTINATION)
def eigenvalue_ratio(source: Array, sizes: Sizes, destination: Array) -> None:
    """The smallest over the largest eigenvalue of A Aᵀ, with the source as rows of A. Sizes: their number.

    NaN if float32 does not hold A Aᵀ, or only as zeros.
    """
    rows = checked_rows(source, sizes, destination)
    if rows == 1:
        square = sum_of_squares(source)
        destination[0] = square / square
    else:
        smallest, largest = eigenvalues_of_gram(source, rows, LARGEST)
        destination[0] = smallest / largest


@kernel(SOURCE, SIZES, DESTINATION)
def symmetric_eigenvalue_ratio(source: Array, sizes: Sizes, destination: Array) -> None:
    """The largest over the smallest eigenvalue of A Aᵀ plus its transpose. Sizes: the number of rows of A.

    NaN if float32 does not hold the sum, or only as zeros.
    """
    rows = checked_rows(source, sizes, destination)
    if rows == 1:
        square = sum_of_squares(source)
        destination[0] = (square + square) / (square + square)
    else:
        smallest, largest = eigenvalues_of_gram(source, rows, LARGEST / 2.0)
        destination[0] = largest / smallest


EIGENVALUE_RATIOS: Mapping[str, Callable[[Array, Sizes, Array], None]] = MappingProxyType(
    {"eig_ratio": eigenvalue_ratio, "sym_eig_ratio": symmetric_eigenvalue_ratio}
)
"""Kernels of operations on a tensor as rows: source, sizes, destination."""
