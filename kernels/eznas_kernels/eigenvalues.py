"""Ratios of the outer eigenvalues of A Aᵀ, worked out in float64."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from eznas_kernels import vectors
from eznas_kernels.gram import multiply_by_transpose
from eznas_kernels.policy import DESTINATION, SIZES, SOURCE, kernel, scalar
from eznas_kernels.tridiagonal import outer_eigenvalues, padded, tridiagonalise
from eznas_kernels.vectors import LANES
from eznas_kernels.workspaces import double_workspace

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
def eigenvalues_of_gram(source: Array, rows: int, largest: float) -> tuple[float, float]:
    """The outer eigenvalues of A Aᵀ, both NaN unless float32 holds its elements up to the largest allowed."""
    stride = padded(rows)
    gram = double_workspace(stride * stride)
    magnitude = multiply_by_transpose(source, rows, gram)
    if not magnitude <= largest or np.float32(magnitude) == np.float32(0.0):
        return np.nan, np.nan
    diagonal = np.empty(rows, np.float64)
    squares = np.empty(rows, np.float64)
    tridiagonalise(gram, rows, diagonal, squares)
    return outer_eigenvalues(diagonal, squares)


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
