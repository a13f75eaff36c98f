"""Sums and counts of what is made of float32 numbers, by wide vectors, with sums in float64.

Memory is fetched ahead in the same loop, see `wide_vectors`: 31 to 37 GB a second of statistics that are not
in the cache are read, by loops of the compiler 23 (AVX-512). What is made of numbers is told by a form of
`wide_forms`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from eznas_kernels import vectors, wide_vectors
from eznas_kernels.partial_vectors import load_some, only_some
from eznas_kernels.policy import inlined, scalar
from eznas_kernels.vectors import LANES, Vector
from eznas_kernels.wide_vectors import WIDTH

Array = NDArray[np.float32]
Form = Callable[[Vector, Vector], Vector]

ZERO = np.float32(0.0)


@scalar
def _ends(count: int) -> tuple[np.uint64, np.uint64, int]:
    """Up to where wide vectors go, and vectors behind them; the numbers that are left.

    Unsigned, since it would be checked for each index whether it counts from the end.
    """
    return np.uint64(count - count % WIDTH), np.uint64(count - count % LANES), count % LANES


@scalar
def _hidden_one(source: Array) -> float:
    """1.0, which the compiler cannot know: it would turn a multiply-add by 1 into an addition."""
    return 1.0 if source.size >= 0 else 0.0


@inlined
def _added(total: Vector, numbers: Vector, one: Vector) -> Vector:
    """The total and two numbers in each lane.

    Processors convert and add with some units and multiply with others: one of the additions is done by the
    latter, and 16,384 numbers take 1.06 µs rather than 1.34 (AVX2).
    """
    halves = vectors.multiply_add(vectors.low_widened(numbers), one, vectors.high_widened(numbers))
    return vectors.add(total, halves)


@inlined
def sum_with_number(form: Form, source: Array, number: np.float32) -> float:
    """The sum of what is made of each value of an array, and of a number."""
    hidden_one = _hidden_one(source)
    wide_one, short_one = wide_vectors.doubles(hidden_one), vectors.doubles(hidden_one)
    wide_number, same_number = wide_vectors.spread(number), vectors.floats(number)
    wide_total, short_total = wide_vectors.doubles(0.0), vectors.doubles(0.0)
    wide_end, end, rest = _ends(source.size)
    for i in range(np.uint64(0), wide_end, np.uint64(WIDTH)):
        wide_total = _added(wide_total, form(wide_vectors.load(source, i), wide_number), wide_one)
    for i in range(wide_end, end, np.uint64(LANES)):
        short_total = _added(short_total, form(vectors.load(source, i), same_number), short_one)
    if rest > 0:
        last = form(load_some(source, end, rest), same_number)
        short_total = _added(short_total, only_some(last, rest), short_one)
    return vectors.total(wide_total) + vectors.total(short_total)


@inlined
def sum_of_two(form: Form, first: Array, second: Array, count: int) -> float:
    """The sum of what is made of the values of two arrays, of which there are so many."""
    hidden_one = _hidden_one(first)
    wide_one, short_one = wide_vectors.doubles(hidden_one), vectors.doubles(hidden_one)
    wide_total, short_total = wide_vectors.doubles(0.0), vectors.doubles(0.0)
    wide_end, end, rest = _ends(count)
    for i in range(np.uint64(0), wide_end, np.uint64(WIDTH)):
        made = form(wide_vectors.load(first, i), wide_vectors.load(second, i))
        wide_total = _added(wide_total, made, wide_one)
    for i in range(wide_end, end, np.uint64(LANES)):
        short_total = _added(short_total, form(vectors.load(first, i), vectors.load(second, i)), short_one)
    if rest > 0:
        last = form(load_some(first, end, rest), load_some(second, end, rest))
        short_total = _added(short_total, only_some(last, rest), short_one)
    return vectors.total(wide_total) + vectors.total(short_total)


@inlined
def count_with_number(form: Form, source: Array, number: np.float32) -> float:
    """How many of fewer than 2**31 values of an array are related to a number."""
    wide_number, same_number = wide_vectors.spread(number), vectors.floats(number)
    wide_count, short_count = wide_vectors.spread(ZERO), vectors.floats(ZERO)
    wide_end, end, rest = _ends(source.size)
    for i in range(np.uint64(0), wide_end, np.uint64(WIDTH)):
        wide_count = vectors.count_where(wide_count, form(wide_vectors.load(source, i), wide_number))
    for i in range(wide_end, end, np.uint64(LANES)):
        short_count = vectors.count_where(short_count, form(vectors.load(source, i), same_number))
    if rest > 0:
        last = form(load_some(source, end, rest), same_number)
        short_count = vectors.count_where(short_count, only_some(last, rest))
    return float(vectors.whole_total(wide_count) + vectors.whole_total(short_count))


@inlined
def sums_of_distances(source: Array, shift: float) -> tuple[float, float]:
    """The sums of the distances of the values from a number, and of their squares."""
    # Multipliers subtract, since converters add: 0.11 ns an element rather than 0.16 (AVX2, 8,192 elements).
    hidden_one = _hidden_one(source)
    wide_one, short_one = wide_vectors.doubles(hidden_one), vectors.doubles(hidden_one)
    wide_shift, same_shift = wide_vectors.doubles(-shift), vectors.doubles(-shift)
    wide_total, short_total = wide_vectors.doubles(0.0), vectors.doubles(0.0)
    wide_squares, short_squares = wide_total, short_total
    wide_end, end, rest = _ends(source.size)
    for i in range(np.uint64(0), wide_end, np.uint64(WIDTH)):
        numbers = wide_vectors.load(source, i)
        low = vectors.multiply_add(vectors.low_widened(numbers), wide_one, wide_shift)
        high = vectors.multiply_add(vectors.high_widened(numbers), wide_one, wide_shift)
        wide_total = vectors.add(wide_total, vectors.add(low, high))
        wide_squares = vectors.multiply_add(high, high, vectors.multiply_add(low, low, wide_squares))
    for i in range(wide_end, end, np.uint64(LANES)):
        numbers = vectors.load(source, i)
        low = vectors.multiply_add(vectors.low_widened(numbers), short_one, same_shift)
        high = vectors.multiply_add(vectors.high_widened(numbers), short_one, same_shift)
        short_total = vectors.add(short_total, vectors.add(low, high))
        short_squares = vectors.multiply_add(high, high, vectors.multiply_add(low, low, short_squares))
    sum_of_distances = vectors.total(wide_total) + vectors.total(short_total)
    sum_of_squares = vectors.total(wide_squares) + vectors.total(short_squares)
    for i in range(end, end + np.uint64(rest)):
        distance = source[i] - shift
        sum_of_distances += distance
        sum_of_squares += distance * distance
    return sum_of_distances, sum_of_squares
