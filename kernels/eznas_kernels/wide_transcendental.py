"""The quick exponentials and logarithms of `transcendental` and `elementwise`, of wide vectors.

They give the same bits. Each function returns its results, and the bits that tell how far they were strained.
"""

from __future__ import annotations

import numpy as np

from eznas_kernels import transcendental, vectors, wide_vectors
from eznas_kernels.policy import inlined
from eznas_kernels.transcendental import EXP_TERMS, LOG_TERMS, ONE, ZERO
from eznas_kernels.vectors import Vector, absolute, add, divide, multiply, multiply_add, subtract
from eznas_kernels.wide_vectors import spread

FRACTION_BITS = np.int32(transcendental.FRACTION_BITS)
POWER_MASK = np.int32(transcendental.POWER_MASK)
SQRT_HALF_BITS = np.int32(transcendental.SQRT_HALF_BITS)
SMALLEST_NORMAL_BITS = np.int32(transcendental.SMALLEST_NORMAL_BITS)


@inlined
def _logarithm(a: Vector) -> Vector:
    power = vectors.bits_of_both(vectors.subtract_bits(a, spread(SQRT_HALF_BITS)), spread(POWER_MASK))
    fraction = subtract(vectors.subtract_bits(a, power), spread(ONE))
    squared = multiply(fraction, fraction)
    series = multiply_add(spread(LOG_TERMS[1]), fraction, spread(LOG_TERMS[2]))
    series = multiply_add(spread(LOG_TERMS[0]), squared, series)
    pair = multiply_add(spread(LOG_TERMS[3]), fraction, spread(LOG_TERMS[4]))
    series = multiply_add(series, squared, pair)
    pair = multiply_add(spread(LOG_TERMS[5]), fraction, spread(LOG_TERMS[6]))
    series = multiply_add(series, squared, pair)
    pair = multiply_add(spread(LOG_TERMS[7]), fraction, spread(LOG_TERMS[8]))
    series = multiply_add(series, squared, pair)
    series = multiply_add(series, squared, fraction)
    return multiply_add(wide_vectors.from_whole(power), spread(transcendental.LOG_2_OF_UNIT), series)


@inlined
def _exponential(a: Vector) -> Vector:
    shift = spread(transcendental.WHOLE_SHIFT)
    shifted = multiply_add(a, spread(transcendental.LOG_2_INVERSE), shift)
    exponent = subtract(shifted, shift)
    rest = multiply_add(exponent, spread(-transcendental.LOG_2_HIGH), a)
    rest = multiply_add(exponent, spread(-transcendental.LOG_2_LOW), rest)
    squared = multiply(rest, rest)
    series = multiply_add(spread(EXP_TERMS[1]), rest, spread(EXP_TERMS[2]))
    series = multiply_add(spread(EXP_TERMS[0]), squared, series)
    pair = multiply_add(spread(EXP_TERMS[3]), rest, spread(EXP_TERMS[4]))
    series = multiply_add(series, squared, pair)
    series = add(multiply_add(series, squared, rest), spread(ONE))
    return vectors.add_bits(series, vectors.shift_bits(shifted, spread(FRACTION_BITS)))


@inlined
def _above_smallest_normal(a: Vector) -> Vector:
    return vectors.subtract_bits(a, spread(SMALLEST_NORMAL_BITS))


@inlined
def log(a: Vector) -> tuple[Vector, Vector]:
    """As `elementwise.quick_log`."""
    positive = vectors.select(vectors.greater_or_nan(a, spread(ZERO)), a, spread(ONE))
    return _logarithm(positive), _above_smallest_normal(positive)


@inlined
def abs_log(a: Vector) -> tuple[Vector, Vector]:
    """As `elementwise.quick_abs_log`."""
    positive = vectors.select(vectors.equal(a, spread(ZERO)), spread(ONE), absolute(a))
    return _logarithm(positive), _above_smallest_normal(positive)


@inlined
def information(a: Vector) -> tuple[Vector, Vector]:
    """As `elementwise.quick_information`."""
    other = vectors.select(vectors.equal(a, spread(ZERO)), spread(ONE), a)
    return multiply(absolute(a), _logarithm(other)), _above_smallest_normal(other)


@inlined
def exp(a: Vector) -> tuple[Vector, Vector]:
    """As `transcendental.quick_exp`."""
    return _exponential(a), absolute(a)


@inlined
def sigmoid(a: Vector) -> tuple[Vector, Vector]:
    """As `transcendental.quick_sigmoid`."""
    return divide(spread(ONE), add(spread(ONE), _exponential(vectors.negate(a)))), absolute(a)
