"""The Gram matrix A Aᵀ of float32 rows, in float64.

Products of float32 numbers are exact in float64. Blocks of columns are widened and turned first, so that each
number is converted once and as many rows of a column as there are lanes lie side by side: a panel. Sums then
wait for nothing but multipliers, and lines of a block need no sum across a register (as in K. Goto and R. A.
van de Geijn, Anatomy of High-Performance Matrix Multiplication).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from eznas_kernels import vectors
from eznas_kernels.lanes import load_matrices
from eznas_kernels.policy import inlined, scalar
from eznas_kernels.tridiagonal import padded
from eznas_kernels.vectors import DOUBLE_LANES
from eznas_kernels.workspaces import double_workspace

Array = NDArray[np.float32]
Doubles = NDArray[np.float64]

BLOCK: Final = 4096
"""Numbers of a block of columns: 32 KiB.

With half as many, of which 64 rows are read by 128 bytes, rows of 576 numbers that are not in the cache took
16 % longer; with twice as many, no less (AVX2).
"""


FACTORS: Final = 4
"""Rows of a panel that are multiplied together, so that sums stay in registers."""


@inlined
def _fill_panels(source: Array, rows: int, first: int, width: int, panels: Doubles) -> None:
    """Widen columns from the first on; missing rows are zero."""
    columns = source.size // rows
    for row in range(0, rows, DOUBLE_LANES):
        panel = panels[row * width : (row + DOUBLE_LANES) * width]
        load_matrices(source, row * columns + first, columns, min(DOUBLE_LANES, rows - row), width, panel)
        for lane in range(rows - row, DOUBLE_LANES):
            panel[lane::DOUBLE_LANES] = 0.0


@inlined
def _add_at(gram: Doubles, at: int, vector: vectors.Vector) -> None:
    vectors.store(gram, at, vectors.add(vectors.load(gram, at), vector))


@inlined
def _add_products_with_two(
    panels: Doubles, one: int, two: int, size: int, gram: Doubles, at: int, stride: int
) -> None:
    """Add the products of a panel with two neighbours: six loads feed eight sums."""
    zero = vectors.doubles(0.0)
    sum_00, sum_01, sum_10, sum_11 = zero, zero, zero, zero
    sum_20, sum_21, sum_30, sum_31 = zero, zero, zero, zero
    for place in range(0, size, DOUBLE_LANES):
        left = vectors.load(panels, two + place)
        right = vectors.load(panels, two + size + place)
        factor = vectors.load_spread(panels, one + place)
        sum_00 = vectors.multiply_add(factor, left, sum_00)
        sum_01 = vectors.multiply_add(factor, right, sum_01)
        factor = vectors.load_spread(panels, one + place + 1)
        sum_10 = vectors.multiply_add(factor, left, sum_10)
        sum_11 = vectors.multiply_add(factor, right, sum_11)
        factor = vectors.load_spread(panels, one + place + 2)
        sum_20 = vectors.multiply_add(factor, left, sum_20)
        sum_21 = vectors.multiply_add(factor, right, sum_21)
        factor = vectors.load_spread(panels, one + place + 3)
        sum_30 = vectors.multiply_add(factor, left, sum_30)
        sum_31 = vectors.multiply_add(factor, right, sum_31)
    _add_at(gram, at, sum_00)
    _add_at(gram, at + DOUBLE_LANES, sum_01)
    _add_at(gram, at + stride, sum_10)
    _add_at(gram, at + stride + DOUBLE_LANES, sum_11)
    _add_at(gram, at + 2 * stride, sum_20)
    _add_at(gram, at + 2 * stride + DOUBLE_LANES, sum_21)
    _add_at(gram, at + 3 * stride, sum_30)
    _add_at(gram, at + 3 * stride + DOUBLE_LANES, sum_31)


@inlined
def _add_products_with_one(
    panels: Doubles, one: int, two: int, size: int, gram: Doubles, at: int, stride: int
) -> None:
    """Add the products of a panel with another, or itself."""
    zero = vectors.doubles(0.0)
    sum_0, sum_1, sum_2, sum_3 = zero, zero, zero, zero
    for place in range(0, size, DOUBLE_LANES):
        numbers = vectors.load(panels, two + place)
        sum_0 = vectors.multiply_add(vectors.load_spread(panels, one + place), numbers, sum_0)
        sum_1 = vectors.multiply_add(vectors.load_spread(panels, one + place + 1), numbers, sum_1)
        sum_2 = vectors.multiply_add(vectors.load_spread(panels, one + place + 2), numbers, sum_2)
        sum_3 = vectors.multiply_add(vectors.load_spread(panels, one + place + 3), numbers, sum_3)
    _add_at(gram, at, sum_0)
    _add_at(gram, at + stride, sum_1)
    _add_at(gram, at + 2 * stride, sum_2)
    _add_at(gram, at + 3 * stride, sum_3)


@inlined
def _add_lower_products(panels: Doubles, width: int, gram: Doubles, stride: int) -> None:
    """Add the products of all rows, four at a time, with the panels before theirs, and with their own."""
    size = width * DOUBLE_LANES
    for row in range(0, stride, FACTORS):
        own = row // DOUBLE_LANES * DOUBLE_LANES
        factors = own * width + row - own
        column = 0
        while column < own:
            at = row * stride + column
            _add_products_with_two(panels, factors, column * width, size, gram, at, stride)
            column += 2 * DOUBLE_LANES
        if column == own:
            at = row * stride + column
            _add_products_with_one(panels, factors, column * width, size, gram, at, stride)


@scalar
def multiply_by_transpose(source: Array, rows: int, gram: Doubles) -> float:
    """Fill in A Aᵀ, rows padded; the largest element is returned, NaN if one is NaN."""
    columns = source.size // rows
    stride = padded(rows)
    block = max(1, BLOCK // stride // DOUBLE_LANES) * DOUBLE_LANES
    panels = double_workspace(stride * min(block, columns))
    gram[:] = 0.0
    for first in range(0, columns, block):
        width = min(block, columns - first)
        _fill_panels(source, rows, first, width, panels)
        _add_lower_products(panels, width, gram, stride)
    # No element is larger than the largest on the diagonal.
    magnitude = 0.0
    for i in range(rows):
        for j in range(i):
            gram[j * stride + i] = gram[i * stride + j]
        magnitude = gram[i * stride + i] if not gram[i * stride + i] <= magnitude else magnitude
        if np.isnan(magnitude):
            return magnitude
    return magnitude
