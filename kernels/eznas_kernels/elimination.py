"""Gaussian elimination of several matrices at once, one in each lane, or of one alone.

Element e of matrix l lies at e * LANES + l. Rows are eliminated as if they were columns (a
matrix and its transpose have one determinant), so that the numbers of which the pivot is the largest lie side
by side.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eznas_kernels import vectors
from eznas_kernels.intrinsics import multiply_add
from eznas_kernels.policy import inlined, scalar
from eznas_kernels.vectors import LANES
from eznas_kernels.workspaces import float_workspace

Array = NDArray[np.float32]

ZERO = np.float32(0.0)
ONE = np.float32(1.0)

# A product rounded before it is subtracted leaves zero of rows in proportion more often: of 4,000 matrices of
# order 8 with elements -1, 0 and 1, LAPACK finds 231 singular, two roundings 237 and one rounding 185. Large
# matrices are seldom singular by chance, and one rounding is more exact: 9e-7 against 1.1e-6 of order 32.
SMALLEST_FUSED_ORDER = 24

# The numbers of a panel: 32 KiB, of the 32 or 48 that a first cache holds. Without panels order 32 takes 8 %
# longer with AVX-512, order 64 a fifth longer, and 7 % with AVX2; of 16 or 48 KiB 1 to 4 % longer.
PANEL = 8192


@scalar
def unless_finite(workspace: Array, size: int) -> vectors.Vector:
    """Zero in the lanes of matrices without NaN and infinity, else NaN."""
    zero = vectors.floats(ZERO)
    found_0, found_1, found_2, found_3 = zero, zero, zero, zero
    whole = size - size % 4
    # One sum would wait for itself: four save 0.9 µs of 1,024 elements.
    for element in range(0, whole, 4):
        at = element * LANES
        found_0 = vectors.multiply_add(vectors.load(workspace, at), zero, found_0)
        found_1 = vectors.multiply_add(vectors.load(workspace, at + LANES), zero, found_1)
        found_2 = vectors.multiply_add(vectors.load(workspace, at + 2 * LANES), zero, found_2)
        found_3 = vectors.multiply_add(vectors.load(workspace, at + 3 * LANES), zero, found_3)
    for element in range(whole, size):
        found_0 = vectors.multiply_add(vectors.load(workspace, element * LANES), zero, found_0)
    return vectors.add(vectors.add(found_0, found_1), vectors.add(found_2, found_3))


@inlined
def _eliminated(
    multiplier: vectors.Vector, factor: vectors.Vector, old: vectors.Vector, fused: bool
) -> vectors.Vector:
    """The old number less what the pivot's row takes away."""
    if fused:
        return vectors.multiply_add(multiplier, factor, old)
    return vectors.add(old, vectors.multiply(multiplier, factor))


@inlined
def _only_where(chosen: vectors.Vector, numbers: vectors.Vector) -> vectors.Vector:
    """Numbers where they are chosen, else zero.

    Each lane is chosen in one row, so that rows are joined by their bits: selected one after the other, they
    took a quarter longer of order 32 with AVX2, and 3 % less with AVX-512.
    """
    return vectors.bits_of_both(numbers, vectors.as_mask(chosen))


@inlined
def _choose_pivot(
    workspace: Array, order: int, step: int, pivots: Array, sign: vectors.Vector, fused: bool
) -> vectors.Vector:
    """Eliminate in the column of a step's pivot, choose it, and turn the rest into negated multipliers.

    Returns:
        The sign, changed in the lanes in which the pivot's row is exchanged with another.
    """
    multipliers, start = step * order * LANES, (step + 1) * order * LANES
    rows, places, factors = _columns_behind(order)
    factor = vectors.load(workspace, factors + step * LANES)
    zero, one = vectors.floats(ZERO), vectors.floats(ONE)
    here = vectors.load(workspace, rows + step * LANES)
    multiplier = vectors.load(workspace, multipliers + step * LANES)
    displaced = _eliminated(multiplier, factor, vectors.load(workspace, start + step * LANES), fused)
    pivot, place = displaced, here
    largest = vectors.absolute(pivot)
    for row in range(step + 1, order):
        here = vectors.add(here, one)
        multiplier = vectors.load(workspace, multipliers + row * LANES)
        number = _eliminated(multiplier, factor, vectors.load(workspace, start + row * LANES), fused)
        vectors.store(workspace, start + row * LANES, number)
        magnitude = vectors.absolute(number)
        is_larger = vectors.greater(magnitude, largest)
        largest = vectors.larger(magnitude, largest)
        pivot = vectors.select(is_larger, number, pivot)
        place = vectors.select(is_larger, here, place)
    vectors.store(pivots, step * LANES, pivot)
    vectors.store(workspace, places + step * LANES, place)
    divisor = vectors.negate(vectors.select(vectors.equal(pivot, zero), one, pivot))
    for row in range(step + 1, order):
        is_here = vectors.equal(place, vectors.load(workspace, rows + row * LANES))
        number = vectors.select(is_here, displaced, vectors.load(workspace, start + row * LANES))
        # A product with the reciprocal would not leave exactly zero of equal rows.
        vectors.store(workspace, start + row * LANES, vectors.divide(number, divisor))
    stays = vectors.equal(place, vectors.load(workspace, rows + step * LANES))
    return vectors.select(stays, sign, vectors.negate(sign))


@inlined
def _update_one(
    workspace: Array, order: int, step: int, column: int, factor: vectors.Vector, fused: bool
) -> vectors.Vector:
    """Eliminate in a column with the pivot before a step's, and exchange the rows of this step's on the way.

    Returns:
        What stands in the row of this step's pivot.
    """
    multipliers, start = step * order * LANES, (column + 1) * order * LANES
    rows, places, _ = _columns_behind(order)
    place = vectors.load(workspace, places + step * LANES)
    multiplier = vectors.load(workspace, multipliers + step * LANES)
    displaced = _eliminated(multiplier, factor, vectors.load(workspace, start + step * LANES), fused)
    stays = vectors.equal(place, vectors.load(workspace, rows + step * LANES))
    found = _only_where(stays, displaced)
    for row in range(step + 1, order):
        multiplier = vectors.load(workspace, multipliers + row * LANES)
        is_here = vectors.equal(place, vectors.load(workspace, rows + row * LANES))
        new = _eliminated(multiplier, factor, vectors.load(workspace, start + row * LANES), fused)
        found = vectors.bits_of_either(found, _only_where(is_here, new))
        vectors.store(workspace, start + row * LANES, vectors.select(is_here, displaced, new))
    return found


@inlined
def _update_two(
    workspace: Array,
    order: int,
    step: int,
    column: int,
    factor: vectors.Vector,
    other_factor: vectors.Vector,
    fused: bool,
) -> tuple[vectors.Vector, vectors.Vector]:
    """As `_update_one` in two columns, which share the loads of multipliers and the comparisons."""
    multipliers, start = step * order * LANES, (column + 1) * order * LANES
    other = start + order * LANES
    rows, places, _ = _columns_behind(order)
    place = vectors.load(workspace, places + step * LANES)
    multiplier = vectors.load(workspace, multipliers + step * LANES)
    displaced = _eliminated(multiplier, factor, vectors.load(workspace, start + step * LANES), fused)
    other_displaced = _eliminated(
        multiplier, other_factor, vectors.load(workspace, other + step * LANES), fused
    )
    stays = vectors.equal(place, vectors.load(workspace, rows + step * LANES))
    found, other_found = _only_where(stays, displaced), _only_where(stays, other_displaced)
    for row in range(step + 1, order):
        multiplier = vectors.load(workspace, multipliers + row * LANES)
        is_here = vectors.equal(place, vectors.load(workspace, rows + row * LANES))
        new = _eliminated(multiplier, factor, vectors.load(workspace, start + row * LANES), fused)
        found = vectors.bits_of_either(found, _only_where(is_here, new))
        vectors.store(workspace, start + row * LANES, vectors.select(is_here, displaced, new))
        new = _eliminated(multiplier, other_factor, vectors.load(workspace, other + row * LANES), fused)
        other_found = vectors.bits_of_either(other_found, _only_where(is_here, new))
        vectors.store(workspace, other + row * LANES, vectors.select(is_here, other_displaced, new))
    return found, other_found


@inlined
def _update_columns(
    workspace: Array, order: int, steps: tuple[int, int], columns: tuple[int, int], fused: bool
) -> None:
    """Take some columns through some steps, both given by the first and the one after the last."""
    _, _, factors = _columns_behind(order)
    column = columns[0]
    if (columns[1] - column) % 2 == 1:
        factor = vectors.load(workspace, factors + column * LANES)
        for step in range(steps[0], steps[1]):
            factor = _update_one(workspace, order, step, column, factor, fused)
        vectors.store(workspace, factors + column * LANES, factor)
        column += 1
    while column < columns[1]:
        factor = vectors.load(workspace, factors + column * LANES)
        other_factor = vectors.load(workspace, factors + (column + 1) * LANES)
        for step in range(steps[0], steps[1]):
            factor, other_factor = _update_two(workspace, order, step, column, factor, other_factor, fused)
        vectors.store(workspace, factors + column * LANES, factor)
        vectors.store(workspace, factors + (column + 1) * LANES, other_factor)
        column += 2


@scalar
def workspace_size(order: int) -> int:
    """The numbers of a workspace for matrices in all lanes, see `matrices_in`."""
    return (order + 4) * order * LANES


@scalar
def matrices_in(workspace: Array, order: int) -> Array:
    """The part of a workspace where matrices are put.

    Before them it has a column of multipliers that are zero, with which the first step has nothing to
    eliminate, and behind them three more: elsewhere, what is kept there could lie so that processors take
    loads for stores a page away, and wait.
    """
    return workspace[order * LANES : (order + 1) * order * LANES]


@inlined
def _columns_behind(order: int) -> tuple[int, int, int]:
    """Where three columns begin: numbers of rows, the row of each step's pivot, its number in each column."""
    end = (order + 1) * order * LANES
    return end, end + order * LANES, end + 2 * order * LANES


@scalar
def eliminate_lanes(workspace: Array, order: int, pivots: Array) -> vectors.Vector:
    """Find the pivots of matrices of order 2 or more, see `matrices_in`.

    Their product times the returned sign is the determinant. A pivot is the first of the largest, as in
    LAPACK; below a pivot of zero, nothing is eliminated. The row of each step's pivot is exchanged and
    collected while the step before updates the columns, so that they are read and written once a step.
    Columns behind a panel are taken through all of its steps one after the other: panel and columns stay in
    the first cache. The workspace has the numbers that `workspace_size` tells.
    """
    fused = order >= SMALLEST_FUSED_ORDER
    rows, _, factors = _columns_behind(order)
    zero = vectors.floats(ZERO)
    for row in range(order):
        vectors.store(workspace, row * LANES, zero)
        vectors.store(workspace, rows + row * LANES, vectors.floats(np.float32(row)))
        vectors.store(workspace, factors + row * LANES, zero)
    sign = vectors.floats(ONE)
    width = max(2, PANEL // (order * LANES))
    for first in range(0, order, width):
        last = min(first + width, order)
        for step in range(first, last):
            sign = _choose_pivot(workspace, order, step, pivots, sign, fused)
            _update_columns(workspace, order, (step, step + 1), (step + 1, last), fused)
        _update_columns(workspace, order, (first, last), (last, order), fused)
    return sign


@scalar
def is_finite(source: Array, start: int, size: int) -> bool:
    """Whether elements from a start on hold neither NaN nor infinity."""
    found = ZERO
    for element in range(start, start + size):
        found += source[element] * ZERO
    finite: bool = found == ZERO
    return finite


@scalar
def eliminate_one(
    source: Array, start: int, order: int, workspace: Array, pivots: Array, lane: int
) -> np.float32:
    """Find the pivots of one matrix, in a lane of pivots, by the operations of `eliminate_lanes`."""
    fused = order >= SMALLEST_FUSED_ORDER
    stride = (order + LANES - 1) // LANES * LANES
    for column in range(order):
        for row in range(order):
            workspace[column * stride + row] = source[start + column * order + row]
        workspace[column * stride + order : (column + 1) * stride] = ZERO
    multipliers = float_workspace(stride)
    multipliers[:] = ZERO
    sign = ONE
    for step in range(order):
        at = step * stride
        place = step
        largest = np.abs(workspace[at + step])
        for row in range(step + 1, order):
            if np.abs(workspace[at + row]) > largest:
                largest = np.abs(workspace[at + row])
                place = row
        pivot = workspace[at + place]
        workspace[at + place] = workspace[at + step]
        pivots[step * LANES + lane] = pivot
        sign = sign if place == step else -sign
        divisor = -ONE if pivot == ZERO else -pivot
        multipliers[step] = ZERO
        for row in range(step + 1, order):
            multipliers[row] = workspace[at + row] / divisor
        first = (step + 1) // LANES * LANES
        for column in range(step + 1, order):
            at = column * stride
            factor = workspace[at + place]
            displaced = workspace[at + step]
            spread = vectors.floats(factor)
            for row in range(first, stride, LANES):
                multiplier = vectors.load(multipliers, row)
                new = _eliminated(multiplier, spread, vectors.load(workspace, at + row), fused)
                vectors.store(workspace, at + row, new)
            # Exchanged only now: a vector that is read soon after one of its numbers was written has to wait.
            if fused:
                workspace[at + place] = multiply_add(multipliers[place], factor, displaced)
            else:
                workspace[at + place] = displaced + multipliers[place] * factor
    return sign
