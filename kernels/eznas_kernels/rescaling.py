"""Kernels of operations that need something of a whole tensor, or of whole lines of it, to give one back.

`SHAPED` names those that take sizes. The fold that `normalize` needs is in `reductions`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numba import types
from numpy.typing import NDArray

from eznas_kernels import transcendental, vectors, wide_transcendental, wide_vectors
from eznas_kernels.guards import common_size
from eznas_kernels.partial_vectors import load_some, store_some
from eznas_kernels.policy import DESTINATION, SIZES, SOURCE, inlined, kernel, scalar
from eznas_kernels.vectors import LANES
from eznas_kernels.wide_vectors import WIDTH
from eznas_kernels.workspaces import float_workspace

Array = NDArray[np.float32]
Sizes = NDArray[np.int64]


ZERO = np.float32(0.0)
ONE = np.float32(1.0)

# Numbers that are worked on at once: 16 KB of the 32 KB of a level 1 cache.
BLOCK = 4096
# Columns that are taken out of a matrix at the least, so that rows fill several vectors.
FEWEST_COLUMNS = 64

# Exponentials of numbers of at most so much, their inverses and their sums are normal numbers.
LARGEST_CALM = np.float32(70.0)
LARGEST_CALM_BITS = np.uint32(LARGEST_CALM.view(np.int32))


@kernel(SOURCE, types.float32, types.float32, DESTINATION)
def normalize(source: Array, mean: np.float32, deviation: np.float32, destination: Array) -> None:
    """The distance from the mean in deviations; NaN becomes 0."""
    for i in range(common_size(source, destination)):
        distance = np.float32(source[i] - mean) / deviation
        destination[i] = distance if distance == distance else ZERO


@kernel(SOURCE, returns=types.boolean)
def is_calm(source: Array) -> bool:
    """Whether the exponentials of all numbers are normal, so that they need no peak to be measured from."""
    worst = np.uint32(0)
    for i in range(source.size):
        magnitude = np.uint32(np.int32(np.float32(source[i]).view(np.int32) & transcendental.MAGNITUDE_MASK))
        worst = magnitude if magnitude > worst else worst
    return bool(worst <= LARGEST_CALM_BITS)


@kernel(SOURCE, types.boolean, types.uint64, types.uint64, DESTINATION, types.uint64)
def bring(source: Array, calm: bool, start: int, count: int, workspace: Array, to: int) -> None:
    """Put the exponentials of calm numbers into the workspace, or the numbers themselves."""
    vectors.align_stack()
    if calm:
        whole = count - count % WIDTH
        for i in range(np.uint64(0), whole, WIDTH):
            powers, _ = wide_transcendental.exp(wide_vectors.load(source, start + i))
            vectors.store(workspace, to + i, powers)
        for i in range(whole, count):
            workspace[to + i], _ = transcendental.quick_exp(source[start + i])
    else:
        for i in range(count):
            workspace[to + i] = source[start + i]


@kernel(types.uint64, DESTINATION)
def powers_of_distances(count: int, workspace: Array) -> None:
    """Replace the first numbers, none of them above zero, by their scaled exponentials."""
    for i in range(count):
        workspace[i] = transcendental.scaled_exp_of_negative(workspace[i])


@kernel(types.uint64, types.uint64, DESTINATION)
def distances_in_rows(count: int, length: int, workspace: Array) -> None:
    """Replace numbers by their distances from the largest of their row; from NaN where the row has one.

    As whole numbers in the same order: float32 maxima vectorise only where NaN is ruled out.
    """
    for row in range(np.uint64(0), count, length):
        highest = np.int32(-(2**31))
        for i in range(length):
            bits = np.float32(workspace[row + i]).view(np.int32)
            ordered = np.int32(bits ^ ((bits >> 31) & transcendental.MAGNITUDE_MASK))
            highest = ordered if ordered > highest else highest
        peak = np.int32(highest ^ ((highest >> 31) & transcendental.MAGNITUDE_MASK)).view(np.float32)
        for i in range(length):
            workspace[row + i] -= peak


@scalar
def columns_in_vectors(width: int) -> int:
    """How many columns pairs of vectors cover, the last of which may overlap; less than a vector is left."""
    rest = width % (2 * LANES)
    return width if rest == 0 or rest >= LANES else width - rest


@scalar
def distances_in_columns(begin: int, length: int, width: int, workspace: Array) -> None:
    """Replace numbers by their distances from the largest of their column; by NaN where that holds one."""
    end = begin + length * width
    covered = columns_in_vectors(width)
    for column in range(begin, begin + covered, 2 * LANES):
        right = min(LANES, begin + covered - column - LANES)
        left_peaks, right_peaks = vectors.load(workspace, column), vectors.load(workspace, column + right)
        for row in range(column + width, end, width):
            left_peaks = vectors.larger(vectors.load(workspace, row), left_peaks)
            right_peaks = vectors.larger(vectors.load(workspace, row + right), right_peaks)
        for row in range(column, end, width):
            # Both before either is written, since they may overlap.
            left, last = vectors.load(workspace, row), vectors.load(workspace, row + right)
            vectors.store(workspace, row, vectors.subtract(left, left_peaks))
            vectors.store(workspace, row + right, vectors.subtract(last, right_peaks))
    if covered < width:
        column, rest = begin + covered, width - covered
        peaks = load_some(workspace, column, rest)
        for row in range(column + width, end, width):
            peaks = vectors.larger(load_some(workspace, row, rest), peaks)
        for row in range(column, end, width):
            distances = vectors.subtract(load_some(workspace, row, rest), peaks)
            store_some(workspace, row, distances, rest)


@inlined
def _share(number: vectors.Vector, total: vectors.Vector, scale: vectors.Vector) -> vectors.Vector:
    """A number over a total of which the inverse is given: exactly 1 of the total itself.

    Nearly always it is what a division gives, in a third of the time (P. Markstein, Computation of elementary
    functions on the IBM RISC System/6000 processor, 1990).
    """
    share = vectors.multiply(number, scale)
    rest = vectors.multiply_add(vectors.negate(share), total, number)
    return vectors.multiply_add(rest, scale, share)


@scalar
def divide_rows(workspace: Array, length: int, destination: Array, start: int, stop: int) -> None:
    """Divide rows by their sums."""
    whole = length - length % LANES
    for row in range(0, stop - start, length):
        sums = vectors.floats(ZERO)
        for at in range(row, row + whole, LANES):
            sums = vectors.add(sums, vectors.load(workspace, at))
        total = vectors.total(sums)
        for at in range(row + whole, row + length):
            total += workspace[at]
        totals, scales = vectors.floats(total), vectors.floats(ONE / total)
        for at in range(row, row + whole, LANES):
            share = _share(vectors.load(workspace, at), totals, scales)
            vectors.store(destination, start + at, share)
        for at in range(row + whole, row + length):
            destination[start + at] = workspace[at] / total


@inlined
def _sums_of_columns(
    workspace: Array, first: int, length: int, width: int, right: int
) -> tuple[vectors.Vector, vectors.Vector]:
    """The sums of the columns of two vectors: every fourth row by itself, to round and to wait less."""
    zero = vectors.floats(ZERO)
    left_0, left_1, left_2, left_3 = zero, zero, zero, zero
    right_0, right_1, right_2, right_3 = zero, zero, zero, zero
    row = first
    for _ in range(length // 4):
        left_0 = vectors.add(left_0, vectors.load(workspace, row))
        right_0 = vectors.add(right_0, vectors.load(workspace, row + right))
        row += width
        left_1 = vectors.add(left_1, vectors.load(workspace, row))
        right_1 = vectors.add(right_1, vectors.load(workspace, row + right))
        row += width
        left_2 = vectors.add(left_2, vectors.load(workspace, row))
        right_2 = vectors.add(right_2, vectors.load(workspace, row + right))
        row += width
        left_3 = vectors.add(left_3, vectors.load(workspace, row))
        right_3 = vectors.add(right_3, vectors.load(workspace, row + right))
        row += width
    for _ in range(length % 4):
        left_0 = vectors.add(left_0, vectors.load(workspace, row))
        right_0 = vectors.add(right_0, vectors.load(workspace, row + right))
        row += width
    left = vectors.add(vectors.add(left_0, left_1), vectors.add(left_2, left_3))
    return left, vectors.add(vectors.add(right_0, right_1), vectors.add(right_2, right_3))


@inlined
def _sums_of_some_columns(workspace: Array, first: int, length: int, width: int, rest: int) -> vectors.Vector:
    """The sums of fewer columns than a vector has lanes, as of pairs."""
    zero = vectors.floats(ZERO)
    sum_0, sum_1, sum_2, sum_3 = zero, zero, zero, zero
    row = first
    for _ in range(length // 4):
        sum_0 = vectors.add(sum_0, load_some(workspace, row, rest))
        sum_1 = vectors.add(sum_1, load_some(workspace, row + width, rest))
        sum_2 = vectors.add(sum_2, load_some(workspace, row + 2 * width, rest))
        sum_3 = vectors.add(sum_3, load_some(workspace, row + 3 * width, rest))
        row += 4 * width
    for _ in range(length % 4):
        sum_0 = vectors.add(sum_0, load_some(workspace, row, rest))
        row += width
    return vectors.add(vectors.add(sum_0, sum_1), vectors.add(sum_2, sum_3))


@scalar
def divide_columns(
    workspace: Array,
    begin: int,
    length: int,
    width: int,
    destination: Array,
    start: int,
    inner: int,
) -> None:
    """Divide columns by their sums. Rows lie side by side, in the destination `inner` numbers apart."""
    covered = columns_in_vectors(width)
    one = vectors.floats(ONE)
    for column in range(0, covered, 2 * LANES):
        right = min(LANES, covered - column - LANES)
        first, place = begin + column, start + column
        left_totals, right_totals = _sums_of_columns(workspace, first, length, width, right)
        left_scales, right_scales = vectors.divide(one, left_totals), vectors.divide(one, right_totals)
        for row in range(first, first + length * width, width):
            left, last = vectors.load(workspace, row), vectors.load(workspace, row + right)
            vectors.store(destination, place, _share(left, left_totals, left_scales))
            last = _share(last, right_totals, right_scales)
            vectors.store(destination, place + right, last)
            # One place for each array: of several, the compiler makes more than there are registers for.
            place += inner
    if covered < width:
        first, place, rest = begin + covered, start + covered, width - covered
        totals = _sums_of_some_columns(workspace, first, length, width, rest)
        scales = vectors.divide(one, totals)
        for row in range(first, first + length * width, width):
            share = _share(load_some(workspace, row, rest), totals, scales)
            store_some(destination, place, share, rest)
            place += inner


@kernel(SOURCE, types.boolean, types.int64, DESTINATION)
def softmax_of_rows(source: Array, calm: bool, length: int, destination: Array) -> None:
    """The softmax of each row of a matrix with rows of that length."""
    block = length * max(1, BLOCK // length)
    workspace = float_workspace(min(block, source.size))
    for start in range(0, source.size, block):
        stop = min(start + block, source.size)
        bring(source, calm, start, stop - start, workspace, 0)
        if not calm:
            distances_in_rows(stop - start, length, workspace)
            powers_of_distances(stop - start, workspace)
        divide_rows(workspace, length, destination, start, stop)


@kernel(SOURCE, types.boolean, types.int64, types.int64, DESTINATION)
def softmax_of_columns(source: Array, calm: bool, length: int, inner: int, destination: Array) -> None:
    """The softmax of each column of matrices with that many rows and columns.

    Small matrices are taken several together, of large ones some columns at a time.
    """
    size = length * inner
    columns = max(FEWEST_COLUMNS, BLOCK // length // (2 * LANES) * 2 * LANES)
    columns = inner if size <= BLOCK else min(columns, inner)
    together = size * max(1, BLOCK // size)
    workspace = float_workspace(max(together // inner, length) * columns)
    for start in range(0, source.size, together):
        stop = min(start + together, source.size)
        for first in range(start, start + inner, columns):
            width = min(columns, start + inner - first)
            count = (stop - start) // inner * width
            if width == inner:
                bring(source, calm, start, count, workspace, 0)
            else:
                for row in range(length):
                    bring(source, calm, first + row * inner, width, workspace, row * width)
            if not calm:
                for matrix in range(0, count, length * width):
                    distances_in_columns(matrix, length, width, workspace)
                powers_of_distances(count, workspace)
            for matrix in range(0, count, length * width):
                divide_columns(workspace, matrix, length, width, destination, first + matrix, inner)


@kernel(SOURCE, SIZES, DESTINATION)
def softmax(source: Array, sizes: Sizes, destination: Array) -> None:
    """The softmax over the middle dimension of a tensor whose three sizes are given.

    A line that holds NaN or infinity, or -infinity alone, becomes NaN, as in torch. Peaks are looked for only
    where exponentials would leave the range of float32 without.

    Raises:
        ValueError: The sizes are not those of the arrays.
    """
    outer, length, inner = sizes[0], sizes[1], sizes[2]
    if common_size(source, destination) != outer * length * inner:
        raise ValueError("three sizes expected whose product is the number of elements")
    if destination.size == 0:
        return
    calm = is_calm(source)
    if inner == 1:
        softmax_of_rows(source, calm, length, destination)
    else:
        softmax_of_columns(source, calm, length, inner, destination)


SHAPED: Mapping[str, Callable[[Array, Sizes, Array], None]] = MappingProxyType({"softmax": softmax})
"""Kernels of operations over one dimension: source, sizes, destination."""
