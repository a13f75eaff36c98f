"""Folds of contiguous float32 arrays, accumulated in float64.

Most return the whole float64 sum, so that sums of parts of a tensor can be added before the one rounding:
`FOLDS` names the sum that each operation finishes. `ROW_FOLDS` take whole tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numba
import numpy as np
from numba import types
from numpy.typing import NDArray

from eznas_kernels import vectors, wide_forms
from eznas_kernels.guards import common_size
from eznas_kernels.policy import DESTINATION, SIZES, SOURCE, kernel, reduction
from eznas_kernels.wide_sums import sum_with_number, sums_of_distances

Array = NDArray[np.float32]
Sizes = NDArray[np.int64]

PAIR = numba.typeof((0.0, 0.0))  # type: ignore[no-untyped-call]
TRIPLE = numba.typeof((0.0, 0.0, 0.0))  # type: ignore[no-untyped-call]

SMALLEST_NORM = 1e-8

ZERO = np.float32(0.0)


@kernel(SOURCE, returns=types.float64)
def sum_of_values(source: Array) -> float:
    """The sum."""
    vectors.align_stack()
    return sum_with_number(wide_forms.first, source, ZERO)


@kernel(SOURCE, returns=types.float64)
def sum_of_absolutes(source: Array) -> float:
    """The sum of the absolute values."""
    vectors.align_stack()
    return sum_with_number(wide_forms.absolute, source, ZERO)


@kernel(SOURCE, returns=types.float64)
def sum_of_squares(source: Array) -> float:
    """The sum of the squares, each rounded to float32."""
    vectors.align_stack()
    return sum_with_number(wide_forms.square, source, ZERO)


@kernel(SOURCE, types.float64, returns=PAIR)
def sum_of_distances(source: Array, shift: float) -> tuple[float, float]:
    """The sum of the distances from a finite number, and that of their squares.

    With the same shift for all parts of a tensor of n elements, the totals d and q of the two sums give its
    mean, shift + d / n, and its unbiased variance, (q - d * d / n) / (n - 1). Any element of the tensor (0
    where that one is not finite) is a good shift: distances of equal numbers are exactly zero, and q is at
    most n + 1 times the sum of squares around the mean, so that float64 has digits enough to subtract.
    Without a shift, a mean far from zero would leave none.
    """
    vectors.align_stack()
    return sums_of_distances(source, shift)


@reduction(SOURCE, SOURCE, returns=TRIPLE)
def sums_of_products(first: Array, second: Array) -> tuple[float, float, float]:
    """The sums of the products of two arrays, of the squares of the first, and of those of the second."""
    products = 0.0
    first_squares = 0.0
    second_squares = 0.0
    for i in range(common_size(first, second)):
        a = np.float64(first[i])
        b = np.float64(second[i])
        products += a * b
        first_squares += a * a
        second_squares += b * b
    return products, first_squares, second_squares


@kernel(SOURCE, SOURCE, SIZES, DESTINATION)
def cosine_similarity(first: Array, second: Array, sizes: Sizes, destination: Array) -> None:
    """The sum over rows of the cosine of the rows of two matrices; one element.

    The sizes are the numbers of rows and of columns of the first, then of the second. One row or one column
    meets all those of the other. Norms below 1e-8 count as 1e-8.

    Raises:
        ValueError: The sizes are not those of the arrays, or do not broadcast.
    """
    first_rows, first_columns, second_rows, second_columns = sizes[0], sizes[1], sizes[2], sizes[3]
    if first.size != first_rows * first_columns or second.size != second_rows * second_columns:
        raise ValueError("sizes of two matrices expected that hold as many elements as the arrays")
    rows = first_rows if second_rows == 1 else second_rows
    columns = first_columns if second_columns == 1 else second_columns
    if (first_rows != rows and first_rows != 1) or (first_columns != columns and first_columns != 1):
        raise ValueError("rows and columns expected that are as many in both matrices, or one")
    if destination.size != 1:
        raise ValueError("a destination of one element expected")
    first_wide = first if first_columns == columns else np.repeat(first, columns)
    second_wide = second if second_columns == columns else np.repeat(second, columns)
    first_step = 0 if first_rows == 1 else columns
    second_step = 0 if second_rows == 1 else columns
    total = 0.0
    for row in range(rows):
        products, first_squares, second_squares = sums_of_products(
            first_wide[row * first_step : row * first_step + columns],
            second_wide[row * second_step : row * second_step + columns],
        )
        # No sum overflows: the square of a float32 number is below 2**256.
        norms = max(np.sqrt(first_squares), SMALLEST_NORM) * max(np.sqrt(second_squares), SMALLEST_NORM)
        total += products / norms
    destination[0] = total


FOLDS: Mapping[str, Callable[[Array], float]] = MappingProxyType(
    {"mean": sum_of_values, "l1_norm": sum_of_absolutes, "frobenius_norm": sum_of_squares}
)
"""Kernels whose sum over parts of one tensor an operation finishes: source."""

ROW_FOLDS: Mapping[str, Callable[[Array, Array, Sizes, Array], None]] = MappingProxyType(
    {"cosine_similarity": cosine_similarity}
)
"""Kernels that take two whole tensors as matrices: first, second, sizes, destination."""
