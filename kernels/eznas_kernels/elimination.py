"""Gaussian elimination of several matrices at once, one in each lane, or of one alone.

A workspace holds element e of matrix l at e * LANES + l. Rows are eliminated as if they were columns (a
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
def _exchange(
    workspace: Array, order: int, step: int, pivot: vectors.Vector, place: vectors.Vector, masks: Array
) -> vectors.Vector:
    """Exchange a column's pivot to its place and turn the rest into negated multipliers.

    Returns:
        The lanes in which the pivot was there already.
    """
    start = step * order * LANES
    one = vectors.floats(ONE)
    divisor = vectors.select(vectors.equal(pivot, vectors.floats(ZERO)), one, pivot)
    divisor = vectors.negate(divisor)
    displaced = vectors.load(workspace, start + step * LANES)
    here = vectors.floats(np.float32(step))
    stays = vectors.equal(place, here)
    vectors.store(masks, step * LANES, vectors.as_mask(stays))
    for row in range(step + 1, order):
        here = vectors.add(here, one)
        is_here = vectors.equal(place, here)
        vectors.store(masks, row * LANES, vectors.as_mask(is_here))
        number = vectors.select(is_here, displaced, vectors.load(workspace, start + row * LANES))
        # A product with the reciprocal would not leave exactly zero of equal rows.
        vectors.store(workspace, start + row * LANES, vectors.divide(number, divisor))
    return stays


@inlined
def _first_pivot(workspace: Array, order: int, masks: Array, pivots: Array) -> vectors.Vector:
    """Choose the first column's pivot; returns the sign that its exchange leaves."""
    here, one = vectors.floats(ZERO), vectors.floats(ONE)
    pivot, place = vectors.load(workspace, 0), here
    largest = vectors.absolute(pivot)
    for row in range(1, order):
        here = vectors.add(here, one)
        number = vectors.load(workspace, row * LANES)
        magnitude = vectors.absolute(number)
        is_larger = vectors.greater(magnitude, largest)
        largest = vectors.larger(magnitude, largest)
        pivot = vectors.select(is_larger, number, pivot)
        place = vectors.select(is_larger, here, place)
    vectors.store(pivots, 0, pivot)
    stays = _exchange(workspace, order, 0, pivot, place, masks)
    return vectors.select(stays, one, vectors.negate(one))


@inlined
def _next_pivot(
    workspace: Array,
    order: int,
    step: int,
    masks: Array,
    pivot_row: Array,
    pivots: Array,
    sign: vectors.Vector,
    fused: bool,
) -> vectors.Vector:
    """Eliminate in the column of the next pivot and choose it; returns the sign that its exchange leaves."""
    multipliers = (step - 1) * order * LANES
    start = step * order * LANES
    factor = vectors.load(pivot_row, step * LANES)
    here, one = vectors.floats(np.float32(step)), vectors.floats(ONE)
    multiplier = vectors.load(workspace, multipliers + step * LANES)
    pivot = _eliminated(multiplier, factor, vectors.load(workspace, start + step * LANES), fused)
    vectors.store(workspace, start + step * LANES, pivot)
    place = here
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
    stays = _exchange(workspace, order, step, pivot, place, masks)
    return vectors.select(stays, sign, vectors.negate(sign))


@inlined
def _update_one(
    workspace: Array, order: int, step: int, column: int, masks: Array, pivot_row: Array, fused: bool
) -> None:
    """Eliminate in a column, exchanging the rows of the next pivot on the way."""
    multipliers = (step - 1) * order * LANES
    start = column * order * LANES
    factor = vectors.load(pivot_row, column * LANES)
    displaced = _eliminated(
        vectors.load(workspace, multipliers + step * LANES),
        factor,
        vectors.load(workspace, start + step * LANES),
        fused,
    )
    stays = vectors.load(masks, step * LANES)
    found = vectors.bits_of_both(displaced, stays)
    for row in range(step + 1, order):
        multiplier = vectors.load(workspace, multipliers + row * LANES)
        new = _eliminated(multiplier, factor, vectors.load(workspace, start + row * LANES), fused)
        mask = vectors.load(masks, row * LANES)
        found = vectors.bits_of_either(found, vectors.bits_of_both(new, mask))
        vectors.store(workspace, start + row * LANES, vectors.select_by_mask(mask, displaced, new))
    vectors.store(pivot_row, column * LANES, found)


@inlined
def _update_two(
    workspace: Array, order: int, step: int, column: int, masks: Array, pivot_row: Array, fused: bool
) -> None:
    """Eliminate in two columns, which share the loads of multipliers and masks."""
    multipliers = (step - 1) * order * LANES
    start = column * order * LANES
    other = start + order * LANES
    factor = vectors.load(pivot_row, column * LANES)
    other_factor = vectors.load(pivot_row, (column + 1) * LANES)
    multiplier = vectors.load(workspace, multipliers + step * LANES)
    displaced = _eliminated(multiplier, factor, vectors.load(workspace, start + step * LANES), fused)
    other_displaced = _eliminated(
        multiplier, other_factor, vectors.load(workspace, other + step * LANES), fused
    )
    stays = vectors.load(masks, step * LANES)
    found = vectors.bits_of_both(displaced, stays)
    other_found = vectors.bits_of_both(other_displaced, stays)
    for row in range(step + 1, order):
        multiplier = vectors.load(workspace, multipliers + row * LANES)
        mask = vectors.load(masks, row * LANES)
        new = _eliminated(multiplier, factor, vectors.load(workspace, start + row * LANES), fused)
        found = vectors.bits_of_either(found, vectors.bits_of_both(new, mask))
        vectors.store(workspace, start + row * LANES, vectors.select_by_mask(mask, displaced, new))
        new = _eliminated(multiplier, other_factor, vectors.load(workspace, other + row * LANES), fused)
        other_found = vectors.bits_of_either(other_found, vectors.bits_of_both(new, mask))
        vectors.store(workspace, other + row * LANES, vectors.select_by_mask(mask, other_displaced, new))
    vectors.store(pivot_row, column * LANES, found)
    vectors.store(pivot_row, (column + 1) * LANES, other_found)


@scalar
def workspace_size(order: int) -> int:
    """The numbers of a workspace for matrices in all lanes.

    It has room for two more columns behind them: elsewhere, what is kept in these could lie so that
    processors take loads for stores a page away, and wait.
    """
    return (order + 2) * order * LANES


@scalar
def eliminate_lanes(workspace: Array, order: int, pivots: Array) -> vectors.Vector:
    """Find the pivots of matrices of order 2 or more.

    Their product times the returned sign is the determinant. A pivot is the first of the
    largest, as in LAPACK; below a pivot of zero, nothing is eliminated. The row of each step's pivot is
    exchanged and collected while the step before updates the columns, so that they are read and written
    once a step. The workspace has the numbers that `workspace_size` tells.
    """
    fused = order >= SMALLEST_FUSED_ORDER
    masks = workspace[order * order * LANES : (order + 1) * order * LANES]
    pivot_row = workspace[(order + 1) * order * LANES :]
    sign = _first_pivot(workspace, order, masks, pivots)
    for column in range(1, order):
        start = column * order * LANES
        displaced = vectors.load(workspace, start)
        found = displaced
        for row in range(1, order):
            old = vectors.load(workspace, start + row * LANES)
            # By bits: selected by masks here, all of it takes 1.4 times as long.
            differing = vectors.bits_that_differ(old, displaced)
            change = vectors.bits_of_both(differing, vectors.load(masks, row * LANES))
            found = vectors.bits_that_differ(found, change)
            vectors.store(workspace, start + row * LANES, vectors.bits_that_differ(old, change))
        vectors.store(pivot_row, column * LANES, found)
    for step in range(1, order):
        sign = _next_pivot(workspace, order, step, masks, pivot_row, pivots, sign, fused)
        column = step + 1
        if (order - column) % 2 == 1:
            _update_one(workspace, order, step, column, masks, pivot_row, fused)
            column += 1
        while column < order:
            _update_two(workspace, order, step, column, masks, pivot_row, fused)
            column += 2
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
