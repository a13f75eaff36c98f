"""Kernels of operations that need something of a whole tensor, or of whole lines of it, to give one back.

`SHAPED` names those that take sizes. The fold that `normalize` needs is in `reductions`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numba import types
from numpy.typing import NDArray

from eznas_kernels import transcendental, vectors
from eznas_kernels.guards import common_size
from eznas_kernels.lanes import inlined
from eznas_kernels.policy import DESTINATION, SIZES, SOURCE, kernel, reduction, scalar
from eznas_kernels.vectors import LANES

Array = NDArray[np.float32]
Sizes = NDArray[np.int64]


ZERO = np.float32(0.0)
ONE = np.float32(1.0)

# Elements of rows that are worked on at once: two arrays of them fit into 32 KB of level 1 cache.
ROW_BLOCK = 2048
# Below this number of elements, rows are taken together (256 beat 64 and 128 on tensors of weights).
SHORT_ROW = 256


@kernel(SOURCE, types.float32, types.float32, DESTINATION)
def normalize(source: Array, mean: np.float32, deviation: np.float32, destination: Array) -> None:
    """The distance from the mean in deviations; NaN becomes 0."""
    for i in range(common_size(source, destination)):
        distance = np.float32(source[i] - mean) / deviation
        destination[i] = distance if distance == distance else ZERO


@scalar
def larger(a: np.float32, b: np.float32) -> np.float32:
    """The larger of two numbers; the second if one is NaN."""
    return a if a > b else b


@kernel(SOURCE, DESTINATION)
def peaks_of_columns(source: Array, peaks: Array) -> None:
    """The largest element of each column of a matrix; NaN may be skipped.

    Four rows at a time: with one, the compiler writes under a mask, which takes eight times as long.
    """
    columns = np.uint64(peaks.size)
    rows = np.uint64(source.size) // columns
    for i in range(columns):
        peaks[i] = source[i]
    for row in range(np.uint64(1), rows, np.uint64(4)):
        first = row * columns
        second = min(row + np.uint64(1), rows - np.uint64(1)) * columns
        third = min(row + np.uint64(2), rows - np.uint64(1)) * columns
        fourth = min(row + np.uint64(3), rows - np.uint64(1)) * columns
        for i in range(columns):
            of_two = larger(source[first + i], source[second + i])
            of_others = larger(source[third + i], source[fourth + i])
            peaks[i] = larger(larger(of_two, peaks[i]), of_others)


@kernel(SOURCE, SOURCE, DESTINATION, DESTINATION)
def powers_of_row(source: Array, peaks: Array, destination: Array, totals: Array) -> None:
    """The scaled exponentials of the distances of a row from the peaks, also added to the totals."""
    for i in range(common_size(source, destination)):
        power = transcendental.scaled_exp_of_negative(np.float32(source[i] - peaks[i]))
        destination[i] = power
        totals[i] += power


@kernel(DESTINATION, DESTINATION)
def divide_columns(totals: Array, destination: Array) -> None:
    """Divide each column of a matrix by its total, which is lost."""
    columns = np.uint64(totals.size)
    for i in range(columns):
        totals[i] = ONE / totals[i]
    for row in range(np.uint64(destination.size) // columns):
        start = row * columns
        for i in range(columns):
            destination[start + i] *= totals[i]


@scalar
def repeat(inner: int, destination: Array) -> None:
    """Repeat the first elements in all places."""
    size = np.uint64(destination.size)
    filled = inner
    while filled < size:
        missing = size - filled
        for i in range(filled if filled < missing else missing):
            destination[filled + i] = destination[i]
        filled += filled


@kernel(types.uint64, DESTINATION)
def share_peaks(inner: int, peaks: Array) -> None:
    """Replace elements that many places apart by the largest of them; NaN may be skipped."""
    count = np.uint64(peaks.size) // inner
    while count > np.uint64(1):
        # Those of the last quarters may overlap.
        quarter = (count + np.uint64(3)) // np.uint64(4)
        second = min(quarter, count - quarter) * inner
        third = min(np.uint64(2) * quarter, count - quarter) * inner
        fourth = (count - quarter) * inner
        for i in range(quarter * inner):
            of_two = larger(peaks[second + i], peaks[i])
            peaks[i] = larger(of_two, larger(peaks[third + i], peaks[fourth + i]))
        count = quarter
    repeat(inner, peaks)


@kernel(types.uint64, DESTINATION)
def share_totals(inner: int, totals: Array) -> None:
    """Replace elements that many places apart by their sum."""
    count = np.uint64(totals.size) // inner
    while count > np.uint64(1):
        half = count // np.uint64(2)
        second = (count - half) * inner
        for i in range(half * inner):
            totals[i] += totals[second + i]
        count -= half
    repeat(inner, totals)


@kernel(SOURCE, types.uint64, DESTINATION)
def distances_from_peaks(source: Array, length: int, destination: Array) -> None:
    """The distances of elements from the largest of their row; from NaN where the row has one.

    As whole numbers in the same order: float32 maxima vectorise only where NaN is ruled out.
    """
    for row in range(np.uint64(source.size) // length):
        start = row * length
        highest = np.int32(-(2**31))
        for i in range(length):
            bits = np.float32(source[start + i]).view(np.int32)
            ordered = np.int32(bits ^ ((bits >> 31) & 0x7FFFFFFF))
            highest = ordered if ordered > highest else highest
        peak = np.int32(highest ^ ((highest >> 31) & 0x7FFFFFFF)).view(np.float32)
        for i in range(length):
            destination[start + i] = source[start + i] - peak


@kernel(DESTINATION)
def powers_in_place(destination: Array) -> None:
    """Replace numbers by their scaled exponentials."""
    for i in range(destination.size):
        destination[i] = transcendental.scaled_exp_of_negative(destination[i])


@reduction(types.uint64, DESTINATION, returns=types.void)
def divide_rows(length: int, destination: Array) -> None:
    """Divide rows by their sums."""
    for row in range(np.uint64(destination.size) // length):
        start = row * length
        total = ZERO
        for i in range(length):
            total += destination[start + i]
        scale = ONE / total
        for i in range(length):
            destination[start + i] *= scale


@inlined
def _distances_of_narrow(
    source: Array, start: int, stop: int, inner: int, right: int, destination: Array
) -> None:
    """The distances of elements from the largest of their column; NaN, or from NaN, where there is one."""
    first_peaks, last_peaks = vectors.load(source, start), vectors.load(source, start + right)
    for row in range(start + inner, stop, inner):
        first_peaks = vectors.larger(vectors.load(source, row), first_peaks)
        last_peaks = vectors.larger(vectors.load(source, row + right), last_peaks)
    for row in range(start, stop, inner):
        vectors.store(destination, row, vectors.subtract(vectors.load(source, row), first_peaks))
        last = vectors.subtract(vectors.load(source, row + right), last_peaks)
        vectors.store(destination, row + right, last)


@inlined
def _divide_narrow(destination: Array, start: int, stop: int, inner: int, right: int) -> None:
    """Divide columns by their sums."""
    first_totals = vectors.floats(ZERO)
    last_totals = first_totals
    for row in range(start, stop, inner):
        first_totals = vectors.add(first_totals, vectors.load(destination, row))
        last_totals = vectors.add(last_totals, vectors.load(destination, row + right))
    first_scales = vectors.divide(vectors.floats(ONE), first_totals)
    last_scales = vectors.divide(vectors.floats(ONE), last_totals)
    for row in range(start, stop, inner):
        # Both before either is written, since they overlap.
        first, last = vectors.load(destination, row), vectors.load(destination, row + right)
        vectors.store(destination, row, vectors.multiply(first, first_scales))
        vectors.store(destination, row + right, vectors.multiply(last, last_scales))


@kernel(SOURCE, types.int64, DESTINATION)
def softmax_of_rows(source: Array, length: int, destination: Array) -> None:
    """The softmax of each row of a matrix with rows of that length."""
    block = length * max(1, ROW_BLOCK // length)
    for start in range(0, destination.size, block):
        written = destination[start : start + block]
        distances_from_peaks(source[start : start + block], length, written)
        powers_in_place(written)
        divide_rows(length, written)


@kernel(SOURCE, types.int64, types.int64, DESTINATION)
def softmax_of_columns(source: Array, length: int, inner: int, destination: Array) -> None:
    """The softmax of each column of matrices with that many rows and columns.

    Short rows are taken several together, to fill vectors and to be worth the call.
    """
    together = 1
    while together < length and (together * inner < SHORT_ROW or length % together != 0):
        together += 1
    width = together * inner
    workspace = np.empty(2 * width, np.float32)
    peaks, totals = workspace[:width], workspace[width:]
    for start in range(0, destination.size, length * inner):
        stop = start + length * inner
        peaks_of_columns(source[start:stop], peaks)
        if together > 1:
            share_peaks(inner, peaks)
        totals[:] = ZERO
        for first in range(start, stop, width):
            last = first + width
            powers_of_row(source[first:last], peaks, destination[first:last], totals)
        if together > 1:
            share_totals(inner, totals)
        divide_columns(totals, destination[start:stop])


@kernel(SOURCE, types.int64, types.int64, DESTINATION)
def softmax_of_narrow(source: Array, length: int, inner: int, destination: Array) -> None:
    """The softmax of each column of matrices with that many rows and eight to sixteen columns.

    A row is two vectors that overlap, so that no column is left for itself. Of 64 x 64 kernels of 3 x 3, this
    takes half as long as several short rows taken together, of 16 x 16 a fifth.
    """
    size = length * inner
    right = inner - LANES
    block = size * max(1, ROW_BLOCK // size)
    for start in range(0, destination.size, block):
        stop = min(start + block, destination.size)
        for matrix in range(start, stop, size):
            _distances_of_narrow(source, matrix, matrix + size, inner, right, destination)
        powers_in_place(destination[start:stop])
        for matrix in range(start, stop, size):
            _divide_narrow(destination, matrix, matrix + size, inner, right)


@kernel(SOURCE, SIZES, DESTINATION)
def softmax(source: Array, sizes: Sizes, destination: Array) -> None:
    """The softmax over the middle dimension of a tensor whose three sizes are given.

    A line that holds NaN or infinity, or -infinity alone, becomes NaN, as in torch.

    Raises:
        ValueError: The sizes are not those of the arrays.
    """
    outer, length, inner = sizes[0], sizes[1], sizes[2]
    if common_size(source, destination) != outer * length * inner:
        raise ValueError("three sizes expected whose product is the number of elements")
    if destination.size == 0:
        return
    if inner == 1:
        softmax_of_rows(source, length, destination)
    elif LANES <= inner <= 2 * LANES:
        softmax_of_narrow(source, length, inner, destination)
    else:
        softmax_of_columns(source, length, inner, destination)


SHAPED: Mapping[str, Callable[[Array, Sizes, Array], None]] = MappingProxyType({"softmax": softmax})
"""Kernels of operations over one dimension: source, sizes, destination."""
