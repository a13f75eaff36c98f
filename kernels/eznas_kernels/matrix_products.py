"""Products of many matrices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from eznas_kernels import vectors
from eznas_kernels.intrinsics import multiply_add
from eznas_kernels.lanes import load_matrices, store_matrices
from eznas_kernels.policy import DESTINATION, SIZES, SOURCE, inlined, kernel, scalar
from eznas_kernels.vectors import LANES
from eznas_kernels.workspaces import float_workspace

Array = NDArray[np.float32]
Sizes = NDArray[np.int64]


ZERO = np.float32(0.0)

# Elements of a matrix; larger ones with few columns spend more on the way into the lanes than they win.
LARGEST_IN_LANES = 64


@scalar
def _checked_batch(first: Array, second: Array, sizes: Sizes, destination: Array) -> int:
    """The number of products.

    Raises:
        ValueError: The arrays do not hold that many matrices of these sizes.
    """
    if sizes.size != 5 or np.any(sizes < 0):
        raise ValueError("a matrix product takes five sizes: rows, inner, columns and two steps")
    rows, inner, columns, first_step, second_step = sizes[0], sizes[1], sizes[2], sizes[3], sizes[4]
    if destination.size == 0:
        return 0
    if rows * columns == 0 or destination.size % (rows * columns) != 0:
        raise ValueError("the destination of a matrix product holds no whole number of matrices")
    batch: int = destination.size // (rows * columns)
    if (batch - 1) * first_step + rows * inner > first.size:
        raise ValueError("the first array of a matrix product is too short for its sizes")
    if (batch - 1) * second_step + inner * columns > second.size:
        raise ValueError("the second array of a matrix product is too short for its sizes")
    return batch


@inlined
def _block_4_by_16(
    first: Array,
    at: int,
    inner: int,
    strip: Array,
    beside: int,
    destination: Array,
    to: int,
    columns: int,
) -> None:
    """Four rows and sixteen columns of a product: six loads feed eight sums, enough to hide their latency."""
    zero = vectors.floats(ZERO)
    sum_00, sum_01, sum_10, sum_11 = zero, zero, zero, zero
    sum_20, sum_21, sum_30, sum_31 = zero, zero, zero, zero
    for k in range(inner):
        left = vectors.load(strip, beside + 2 * k * LANES)
        right = vectors.load(strip, beside + 2 * k * LANES + LANES)
        factor = vectors.load_spread(first, at + k)
        sum_00 = vectors.multiply_add(factor, left, sum_00)
        sum_01 = vectors.multiply_add(factor, right, sum_01)
        factor = vectors.load_spread(first, at + inner + k)
        sum_10 = vectors.multiply_add(factor, left, sum_10)
        sum_11 = vectors.multiply_add(factor, right, sum_11)
        factor = vectors.load_spread(first, at + 2 * inner + k)
        sum_20 = vectors.multiply_add(factor, left, sum_20)
        sum_21 = vectors.multiply_add(factor, right, sum_21)
        factor = vectors.load_spread(first, at + 3 * inner + k)
        sum_30 = vectors.multiply_add(factor, left, sum_30)
        sum_31 = vectors.multiply_add(factor, right, sum_31)
    vectors.store(destination, to, sum_00)
    vectors.store(destination, to + LANES, sum_01)
    vectors.store(destination, to + columns, sum_10)
    vectors.store(destination, to + columns + LANES, sum_11)
    vectors.store(destination, to + 2 * columns, sum_20)
    vectors.store(destination, to + 2 * columns + LANES, sum_21)
    vectors.store(destination, to + 3 * columns, sum_30)
    vectors.store(destination, to + 3 * columns + LANES, sum_31)


@inlined
def _block_4_by_8(
    first: Array,
    at: int,
    inner: int,
    strip: Array,
    beside: int,
    destination: Array,
    to: int,
    columns: int,
) -> None:
    """Four rows and eight columns of a product."""
    zero = vectors.floats(ZERO)
    sum_0, sum_1, sum_2, sum_3 = zero, zero, zero, zero
    for k in range(inner):
        left = vectors.load(strip, beside + k * LANES)
        sum_0 = vectors.multiply_add(vectors.load_spread(first, at + k), left, sum_0)
        sum_1 = vectors.multiply_add(vectors.load_spread(first, at + inner + k), left, sum_1)
        sum_2 = vectors.multiply_add(vectors.load_spread(first, at + 2 * inner + k), left, sum_2)
        sum_3 = vectors.multiply_add(vectors.load_spread(first, at + 3 * inner + k), left, sum_3)
    vectors.store(destination, to, sum_0)
    vectors.store(destination, to + columns, sum_1)
    vectors.store(destination, to + 2 * columns, sum_2)
    vectors.store(destination, to + 3 * columns, sum_3)


@inlined
def _block_1_by_8(
    first: Array, at: int, inner: int, strip: Array, beside: int, destination: Array, to: int
) -> None:
    """Eight columns of one row of a product."""
    total = vectors.floats(ZERO)
    for k in range(inner):
        total = vectors.multiply_add(
            vectors.load_spread(first, at + k), vectors.load(strip, beside + k * LANES), total
        )
    vectors.store(destination, to, total)


@inlined
def _multiply_strip(
    first: Array,
    at: int,
    rows: int,
    inner: int,
    strip: Array,
    beside: int,
    width: int,
    destination: Array,
    to: int,
    columns: int,
) -> None:
    """All rows of eight or sixteen columns of a product; sixteen only of four rows or more.

    The last block of rows ends with the matrix: it computes elements of the one before a second time, by the
    same operations and so with the same bits.
    """
    if rows < 4:
        for row in range(rows):
            left, target = at + row * inner, to + row * columns
            _block_1_by_8(first, left, inner, strip, beside, destination, target)
        return
    for block in range(0, rows, 4):
        row = min(block, rows - 4)
        left, target = at + row * inner, to + row * columns
        if width == LANES:
            _block_4_by_8(first, left, inner, strip, beside, destination, target, columns)
        else:
            _block_4_by_16(first, left, inner, strip, beside, destination, target, columns)


@inlined
def _multiply_one(
    first: Array, second: Array, sizes: Sizes, matrix: int, destination: Array, strip: Array, product: Array
) -> None:
    """One product, by strips of columns that are copied together: a strip's rows lie far apart.

    The last strip ends with the matrix, as blocks of rows do; fewer than eight columns are widened by zeros,
    and a matrix as wide as a strip is one.
    """
    rows, inner, columns = sizes[0], sizes[1], sizes[2]
    at, beside, to = matrix * sizes[3], matrix * sizes[4], matrix * rows * columns
    if columns < LANES:
        for k in range(inner):
            for column in range(columns):
                strip[k * LANES + column] = second[beside + k * columns + column]
        _multiply_strip(first, at, rows, inner, strip, 0, LANES, product, 0, LANES)
        for row in range(rows):
            for column in range(columns):
                destination[to + row * columns + column] = product[row * LANES + column]
        return
    if columns == LANES or (columns == 2 * LANES and rows >= 4):
        _multiply_strip(first, at, rows, inner, second, beside, columns, destination, to, columns)
        return
    column = 0
    while column < columns:
        width = 2 * LANES if rows >= 4 and column + 2 * LANES <= columns else LANES
        column = min(column, columns - width)
        for k in range(inner):
            for i in range(0, width, LANES):
                vectors.store(strip, k * width + i, vectors.load(second, beside + column + k * columns + i))
        _multiply_strip(first, at, rows, inner, strip, 0, width, destination, to + column, columns)
        column += width


@inlined
def _multiply_lanes(left: Array, right: Array, rows: int, inner: int, columns: int, product: Array) -> None:
    """Eight products at once, one in each lane."""
    for row in range(rows):
        for column in range(columns):
            total = vectors.floats(ZERO)
            for k in range(inner):
                total = vectors.multiply_add(
                    vectors.load(left, (row * inner + k) * LANES),
                    vectors.load(right, (k * columns + column) * LANES),
                    total,
                )
            vectors.store(product, (row * columns + column) * LANES, total)


@kernel(SOURCE, SOURCE, SIZES, DESTINATION)
def matrix_product(first: Array, second: Array, sizes: Sizes, destination: Array) -> None:
    """The products of the matrices of two arrays, every element summed in the order of the inner index.

    Sizes: rows, inner, columns, first_step, second_step. The matrices are of rows x inner and inner x columns
    elements; steps are from one matrix of an array to its next, 0 for the same matrix in all products.
    """
    batch = _checked_batch(first, second, sizes, destination)
    rows, inner, columns, first_step, second_step = sizes[0], sizes[1], sizes[2], sizes[3], sizes[4]
    if rows * inner * columns == 1:
        for i in range(batch):
            destination[i] = multiply_add(first[i * first_step], second[i * second_step], ZERO)
        return
    in_lanes = 0
    if columns < LANES and max(rows * inner, inner * columns, rows * columns) <= LARGEST_IN_LANES:
        in_lanes = batch - batch % LANES
        left = float_workspace(rows * inner * LANES)
        right = float_workspace(inner * columns * LANES)
        products = float_workspace(rows * columns * LANES)
        for matrix in range(0, in_lanes, LANES):
            load_matrices(first, matrix * first_step, first_step, LANES, rows * inner, left)
            load_matrices(second, matrix * second_step, second_step, LANES, inner * columns, right)
            _multiply_lanes(left, right, rows, inner, columns, products)
            store_matrices(products, matrix * rows * columns, rows * columns, destination)
    strip = float_workspace(2 * LANES * inner)
    # Columns beyond the matrix stay zero.
    strip[:] = ZERO
    product = float_workspace(LANES * rows if columns < LANES else 0)
    for matrix in range(in_lanes, batch):
        _multiply_one(first, second, sizes, matrix, destination, strip, product)


MATRIX_PRODUCTS: Mapping[str, Callable[[Array, Array, Sizes, Array], None]] = MappingProxyType(
    {"matmul": matrix_product}
)
"""Kernels of operations on two arrays of matrices: first, second, sizes, destination."""
