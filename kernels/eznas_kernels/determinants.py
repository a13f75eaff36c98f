"""Determinants and their logarithms of many square matrices.

Orders 2 and 3 are worked out in float64, larger ones by elimination in float32: matrices side by
side in the lanes of vectors, or the last few one after the other, with the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from eznas_kernels import transcendental, vectors
from eznas_kernels.elimination import (
    eliminate_lanes,
    eliminate_one,
    is_finite,
    matrices_in,
    unless_finite,
    workspace_size,
)
from eznas_kernels.lanes import load_matrices
from eznas_kernels.policy import DESTINATION, SIZES, SOURCE, inlined, kernel, scalar
from eznas_kernels.small_determinants import determinants_of_order_2, determinants_of_order_3
from eznas_kernels.vectors import DOUBLE_LANES, LANES
from eznas_kernels.workspaces import double_workspace, float_workspace

Array = NDArray[np.float32]
Doubles = NDArray[np.float64]
Sizes = NDArray[np.int64]


# Eight in lanes take as long as 2.5 in turn of order 32, 3.9 of order 64, 6 of order 160 (AVX2); sixteen as
# long as 1.4 of order 16, 2.5 of order 32, 4.0 of order 64 (AVX-512).
FEWEST_IN_LANES = 4
# Matrices of order 2 and 3 whose float64 determinants are kept at a time.
CHUNK = 8 * LANES

ZERO = np.float32(0.0)
ONE = np.float32(1.0)
INFINITY = np.float32(np.inf)
LOG_2 = float(np.log(2.0))
SQRT_HALF_BITS = int(np.float64(np.sqrt(0.5)).view(np.int64))


@scalar
def _checked_order(source: Array, sizes: Sizes, destination: Array) -> int:
    """The order of the matrices.

    Raises:
        ValueError: The source is not one matrix of that order for each element of the destination.
    """
    if sizes.size != 1 or sizes[0] < 0 or source.size != sizes[0] * sizes[0] * destination.size:
        raise ValueError("a determinant takes square matrices, as many as the destination has elements")
    order: int = sizes[0]
    return order


@scalar
def _log_of_double(a: float) -> np.float32:
    """The logarithm of a normal float64 number to float32; zero's is -infinity, 0 of NaN and below zero."""
    bits = np.float64(a).view(np.int64)
    exponent = np.int32((bits - SQRT_HALF_BITS) >> 52)
    fraction = np.int64(bits - (np.int64(exponent) << 52)).view(np.float64)
    logarithm = transcendental.log_of_positive(np.float32(fraction))
    number = np.float32(np.float64(exponent) * LOG_2 + logarithm)
    number = -INFINITY if a == 0.0 else number
    return number if a >= 0.0 else ZERO


@inlined
def _small_determinants(
    source: Array, first: int, count: int, order: int, workspace: Array, values: Doubles
) -> None:
    """The determinants of matrices of order 2 or 3 from the first on, in float64."""
    size = order * order
    for matrix in range(0, count, LANES):
        load_matrices(source, (first + matrix) * size, size, min(LANES, count - matrix), size, workspace)
        if order == 2:
            determinants_of_order_2(workspace, values, matrix)
        else:
            determinants_of_order_3(workspace, values, matrix)


@inlined
def _find_pivots(
    source: Array, first: int, count: int, order: int, workspace: Array, pivots: Array, signs: Array
) -> None:
    """The pivots of some matrices from the first on, not more than there are lanes.

    The product of a lane's pivots and signs, of which there is one more, is the determinant; the additional
    sign is NaN for a matrix that is not finite.
    """
    size = order * order
    if count < FEWEST_IN_LANES:
        for lane in range(count):
            start = (first + lane) * size
            signs[LANES + lane] = ONE if is_finite(source, start, size) else np.float32(np.nan)
            signs[lane] = eliminate_one(source, start, order, workspace, pivots, lane)
    else:
        matrices = matrices_in(workspace, order)
        load_matrices(source, first * size, size, count, size, matrices)
        vectors.store(signs, LANES, vectors.add(unless_finite(matrices, size), vectors.floats(ONE)))
        vectors.store(signs, 0, eliminate_lanes(workspace, order, pivots))


@inlined
def _multiply_pivots(pivots: Array, signs: Array, order: int, products: Doubles) -> None:
    """The product of each lane's pivots and signs: float64 takes most that leave float32 and come back."""
    sign, other = vectors.load(signs, 0), vectors.load(signs, LANES)
    low = vectors.multiply(vectors.low_widened(sign), vectors.low_widened(other))
    high = vectors.multiply(vectors.high_widened(sign), vectors.high_widened(other))
    for step in range(order):
        pivot = vectors.load(pivots, step * LANES)
        low = vectors.multiply(low, vectors.low_widened(pivot))
        high = vectors.multiply(high, vectors.high_widened(pivot))
    vectors.store(products, 0, low)
    vectors.store(products, DOUBLE_LANES, high)


@inlined
def _multiply_signs(pivots: Array, signs: Array, order: int) -> None:
    """Turn the first sign of each lane into the determinant's; NaN stays."""
    zero = vectors.floats(ZERO)
    sign = vectors.multiply(vectors.load(signs, 0), vectors.load(signs, LANES))
    for step in range(order):
        is_negative = vectors.less(vectors.load(pivots, step * LANES), zero)
        sign = vectors.select(is_negative, vectors.negate(sign), sign)
    vectors.store(signs, 0, sign)


@inlined
def _add_logarithms(logarithms: Array, order: int, sums: Doubles) -> None:
    """The sum of each lane's logarithms."""
    low, high = vectors.doubles(0.0), vectors.doubles(0.0)
    for step in range(order):
        logarithm = vectors.load(logarithms, step * LANES)
        low = vectors.add(low, vectors.low_widened(logarithm))
        high = vectors.add(high, vectors.high_widened(logarithm))
    vectors.store(sums, 0, low)
    vectors.store(sums, DOUBLE_LANES, high)


@kernel(SOURCE, SIZES, DESTINATION)
def determinant(source: Array, sizes: Sizes, destination: Array) -> None:
    """The determinant of each matrix; NaN of one that holds NaN or infinity. Sizes: the order."""
    order = _checked_order(source, sizes, destination)
    if order == 0:
        destination[:] = ONE
    elif order == 1:
        for i in range(destination.size):
            destination[i] = source[i] + source[i] * ZERO
    elif order <= 3:
        workspace = float_workspace(order * order * LANES)
        values = double_workspace(CHUNK)
        for first in range(0, destination.size, CHUNK):
            count = min(CHUNK, destination.size - first)
            _small_determinants(source, first, count, order, workspace, values)
            for i in range(count):
                destination[first + i] = values[i]
    else:
        workspace = float_workspace(workspace_size(order))
        pivots = float_workspace(order * LANES)
        signs = float_workspace(2 * LANES)
        values = double_workspace(LANES)
        for first in range(0, destination.size, LANES):
            count = min(LANES, destination.size - first)
            _find_pivots(source, first, count, order, workspace, pivots, signs)
            _multiply_pivots(pivots, signs, order, values)
            for lane in range(count):
                destination[first + lane] = values[lane]


@kernel(SOURCE, SIZES, DESTINATION)
def log_determinant(source: Array, sizes: Sizes, destination: Array) -> None:
    """The logarithm of the determinant of each matrix. Sizes: the order.

    Negative infinity of a singular matrix; 0 of a negative determinant and of a matrix that is not finite.
    """
    order = _checked_order(source, sizes, destination)
    if order == 0:
        destination[:] = ZERO
    elif order == 1:
        for i in range(destination.size):
            number = transcendental.log(source[i])
            destination[i] = number if number < INFINITY else ZERO
    elif order <= 3:
        workspace = float_workspace(order * order * LANES)
        values = double_workspace(CHUNK)
        for first in range(0, destination.size, CHUNK):
            count = min(CHUNK, destination.size - first)
            _small_determinants(source, first, count, order, workspace, values)
            for i in range(count):
                destination[first + i] = _log_of_double(values[i])
    else:
        workspace = float_workspace(workspace_size(order))
        pivots = float_workspace(order * LANES)
        logarithms = float_workspace(order * LANES)
        signs = float_workspace(2 * LANES)
        values = double_workspace(LANES)
        for first in range(0, destination.size, LANES):
            count = min(LANES, destination.size - first)
            _find_pivots(source, first, count, order, workspace, pivots, signs)
            for i in range(order * LANES):
                logarithms[i] = transcendental.log(np.abs(pivots[i]))
            _multiply_signs(pivots, signs, order)
            _add_logarithms(logarithms, order, values)
            for lane in range(count):
                number = np.float32(values[lane])
                singular = number == -INFINITY and signs[lane] == signs[lane]
                positive = signs[lane] > ZERO and number < INFINITY
                destination[first + lane] = number if singular or positive else ZERO


DETERMINANTS: Mapping[str, Callable[[Array, Sizes, Array], None]] = MappingProxyType(
    {"det": determinant, "logdet": log_determinant}
)
"""Kernels of operations on square matrices: source, sizes, destination."""
