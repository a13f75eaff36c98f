"""Determinants of order 2 and 3 of matrices in lanes, as exact as float64 can say them.

Products of two float32 numbers are exact in float64. Of order 3, every rounding error is kept and added at
the end (T. J. Dekker's and D. E. Knuth's exact products and sums), so that a singular matrix gives zero and
not its rounding errors.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eznas_kernels import vectors
from eznas_kernels.policy import inlined
from eznas_kernels.vectors import DOUBLE_LANES, LANES, Vector

Array = NDArray[np.float32]
Doubles = NDArray[np.float64]


@inlined
def _exact_sum(first: Vector, second: Vector) -> tuple[Vector, Vector]:
    """The sum, and what its rounding lost."""
    total = vectors.add(first, second)
    of_second = vectors.subtract(total, first)
    of_first = vectors.subtract(total, of_second)
    rest = vectors.add(vectors.subtract(first, of_first), vectors.subtract(second, of_second))
    return total, rest


@inlined
def _times_minor(factor: Vector, a: Vector, b: Vector, c: Vector, d: Vector) -> tuple[Vector, Vector]:
    """The factor times (a b - c d), and what its rounding lost."""
    minor, minor_rest = _exact_sum(vectors.multiply(a, b), vectors.negate(vectors.multiply(c, d)))
    product = vectors.multiply(factor, minor)
    rest = vectors.exact_multiply_add(factor, minor, vectors.negate(product))
    return product, vectors.exact_multiply_add(factor, minor_rest, rest)


@inlined
def _unless_finite(value: Vector, everything: Vector) -> Vector:
    """The value, or NaN if the sum of all elements shows that one was not finite."""
    return vectors.multiply_add(everything, vectors.doubles(0.0), value)


@inlined
def determinants_of_order_2(workspace: Array, values: Doubles, to: int) -> None:
    """Write the determinants of all lanes from an index on; NaN of matrices that hold NaN or infinity."""
    for lane in range(0, LANES, DOUBLE_LANES):
        a, b = vectors.load_widened(workspace, lane), vectors.load_widened(workspace, LANES + lane)
        c = vectors.load_widened(workspace, 2 * LANES + lane)
        d = vectors.load_widened(workspace, 3 * LANES + lane)
        value = vectors.subtract(vectors.multiply(a, d), vectors.multiply(b, c))
        everything = vectors.add(vectors.add(a, b), vectors.add(c, d))
        vectors.store(values, to + lane, _unless_finite(value, everything))


@inlined
def determinants_of_order_3(workspace: Array, values: Doubles, to: int) -> None:
    """Write the determinants of all lanes from an index on; NaN of matrices that hold NaN or infinity."""
    for lane in range(0, LANES, DOUBLE_LANES):
        a, b = vectors.load_widened(workspace, lane), vectors.load_widened(workspace, LANES + lane)
        c = vectors.load_widened(workspace, 2 * LANES + lane)
        d = vectors.load_widened(workspace, 3 * LANES + lane)
        e = vectors.load_widened(workspace, 4 * LANES + lane)
        f = vectors.load_widened(workspace, 5 * LANES + lane)
        g = vectors.load_widened(workspace, 6 * LANES + lane)
        h = vectors.load_widened(workspace, 7 * LANES + lane)
        i = vectors.load_widened(workspace, 8 * LANES + lane)
        first, first_rest = _times_minor(a, e, i, f, h)
        second, second_rest = _times_minor(b, f, g, d, i)
        third, third_rest = _times_minor(c, d, h, e, g)
        total, rest = _exact_sum(first, second)
        value, last_rest = _exact_sum(total, third)
        rest = vectors.add(vectors.add(rest, last_rest), vectors.add(first_rest, second_rest))
        value = vectors.add(value, vectors.add(rest, third_rest))
        everything = vectors.add(vectors.add(vectors.add(a, b), vectors.add(c, d)), vectors.add(e, f))
        everything = vectors.add(everything, vectors.add(vectors.add(g, h), i))
        vectors.store(values, to + lane, _unless_finite(value, everything))
