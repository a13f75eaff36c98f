"""Sums of what an elementwise operation gives, which is not written; arrays of fewer than 2**31 elements.

Each element is rounded as the operation rounds it, and added in float64; where it is 0 or 1, elements are
counted. Exponentials and logarithms are not among them: with a sum in float64 beside one, registers run out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numba import types
from numpy.typing import NDArray

from eznas_kernels import elementwise
from eznas_kernels.guards import common_size
from eznas_kernels.intrinsics import multiply_add_doubles
from eznas_kernels.policy import SOURCE, reduction
from eznas_kernels.quarters import hidden_one, quarters, sum_of_four

Array = NDArray[np.float32]

ZERO = np.float32(0.0)
ONE = np.float32(1.0)
NONE = np.int32(0)


@reduction(SOURCE)
def sum_of_relu(source: Array) -> float:
    """The sum of the values above zero."""
    first, second, third, fourth, rest = quarters(source)
    one = hidden_one(source)
    total = 0.0
    for i in range(first.size):
        total += sum_of_four(
            elementwise.relu(first[i]),
            elementwise.relu(second[i]),
            elementwise.relu(third[i]),
            elementwise.relu(fourth[i]),
            one,
        )
    for i in range(rest.size):
        total += float(elementwise.relu(rest[i]))
    return total


@reduction(SOURCE)
def sum_of_reciprocals(source: Array) -> float:
    """The sum of one over the values."""
    first, second, third, fourth, rest = quarters(source)
    one = hidden_one(source)
    total = 0.0
    for i in range(first.size):
        total += sum_of_four(
            elementwise.reciprocal(first[i]),
            elementwise.reciprocal(second[i]),
            elementwise.reciprocal(third[i]),
            elementwise.reciprocal(fourth[i]),
            one,
        )
    for i in range(rest.size):
        total += float(elementwise.reciprocal(rest[i]))
    return total


@reduction(SOURCE)
def count_above_zero(source: Array) -> float:
    """The number of values above zero."""
    first, second, third, fourth, rest = quarters(source)
    count = NONE
    for i in range(first.size):
        four = (first[i] > ZERO) + (second[i] > ZERO) + (third[i] > ZERO) + (fourth[i] > ZERO)
        count = np.int32(count + four)
    for i in range(rest.size):
        count = np.int32(count + (rest[i] > ZERO))
    return float(count)


@reduction(SOURCE)
def count_below_zero(source: Array) -> float:
    """The number of values below zero."""
    first, second, third, fourth, rest = quarters(source)
    count = NONE
    for i in range(first.size):
        four = (first[i] < ZERO) + (second[i] < ZERO) + (third[i] < ZERO) + (fourth[i] < ZERO)
        count = np.int32(count + four)
    for i in range(rest.size):
        count = np.int32(count + (rest[i] < ZERO))
    return float(count)


@reduction(SOURCE)
def sum_of_signs(source: Array) -> float:
    """The number of values above zero less that of those below."""
    count = NONE
    for i in range(source.size):
        count = np.int32(count + (source[i] > ZERO) - (source[i] < ZERO))
    return float(count)


@reduction(SOURCE, SOURCE)
def sum_of_sums(first: Array, second: Array) -> float:
    """The sum of the sums of two arrays."""
    size = common_size(first, second)
    a, b, c, d, first_rest = quarters(first[:size])
    e, f, g, h, second_rest = quarters(second[:size])
    one = hidden_one(first)
    total = 0.0
    for i in range(a.size):
        total += sum_of_four(
            elementwise.add(a[i], e[i]), elementwise.add(b[i], f[i]),
            elementwise.add(c[i], g[i]), elementwise.add(d[i], h[i]), one
        )  # fmt: skip
    for i in range(first_rest.size):
        total += float(elementwise.add(first_rest[i], second_rest[i]))
    return total


@reduction(SOURCE, SOURCE)
def sum_of_differences(first: Array, second: Array) -> float:
    """The sum of the first array less the second."""
    size = common_size(first, second)
    a, b, c, d, first_rest = quarters(first[:size])
    e, f, g, h, second_rest = quarters(second[:size])
    one = hidden_one(first)
    total = 0.0
    for i in range(a.size):
        total += sum_of_four(
            elementwise.sub(a[i], e[i]), elementwise.sub(b[i], f[i]),
            elementwise.sub(c[i], g[i]), elementwise.sub(d[i], h[i]), one
        )  # fmt: skip
    for i in range(first_rest.size):
        total += float(elementwise.sub(first_rest[i], second_rest[i]))
    return total


@reduction(SOURCE, SOURCE)
def sum_of_products(first: Array, second: Array) -> float:
    """The sum of the products of two arrays."""
    size = common_size(first, second)
    a, b, c, d, first_rest = quarters(first[:size])
    e, f, g, h, second_rest = quarters(second[:size])
    one = hidden_one(first)
    total = 0.0
    for i in range(a.size):
        total += sum_of_four(
            elementwise.mul(a[i], e[i]), elementwise.mul(b[i], f[i]),
            elementwise.mul(c[i], g[i]), elementwise.mul(d[i], h[i]), one
        )  # fmt: skip
    for i in range(first_rest.size):
        total += float(elementwise.mul(first_rest[i], second_rest[i]))
    return total


@reduction(SOURCE, SOURCE)
def count_of_less(first: Array, second: Array) -> float:
    """The number of places where the first array is below the second."""
    count = NONE
    for i in range(common_size(first, second)):
        count = np.int32(count + (first[i] < second[i]))
    return float(count)


@reduction(SOURCE, SOURCE)
def count_of_equal(first: Array, second: Array) -> float:
    """The number of places where two arrays are equal."""
    count = NONE
    for i in range(common_size(first, second)):
        count = np.int32(count + (first[i] == second[i]))
    return float(count)


@reduction(SOURCE, SOURCE)
def count_of_differing_steps(first: Array, second: Array) -> float:
    """The number of places where one array is above zero and the other is not."""
    count = NONE
    for i in range(common_size(first, second)):
        count = np.int32(count + ((first[i] > ZERO) != (second[i] > ZERO)))
    return float(count)


@reduction(SOURCE, types.float32)
def sum_of_multiples(source: Array, number: np.float32) -> float:
    """The sum of the values times a number."""
    first, second, third, fourth, rest = quarters(source)
    one = hidden_one(source)
    total = 0.0
    for i in range(first.size):
        total += sum_of_four(
            elementwise.mul(first[i], number),
            elementwise.mul(second[i], number),
            elementwise.mul(third[i], number),
            elementwise.mul(fourth[i], number),
            one,
        )
    for i in range(rest.size):
        total += float(elementwise.mul(rest[i], number))
    return total


@reduction(SOURCE, types.float32)
def sum_of_multiples_unless_small(source: Array, number: np.float32) -> float:
    """The sum of the values times a number, unless its magnitude is at most 1; then 0, without looking."""
    total = 0.0
    if not np.abs(number) <= ONE:
        for i in range(source.size):
            total += float(elementwise.mul(source[i], number))
    return total


@reduction(SOURCE, types.float32)
def count_below(source: Array, number: np.float32) -> float:
    """The number of values below a number."""
    first, second, third, fourth, rest = quarters(source)
    count = NONE
    for i in range(first.size):
        four = (first[i] < number) + (second[i] < number) + (third[i] < number) + (fourth[i] < number)
        count = np.int32(count + four)
    for i in range(rest.size):
        count = np.int32(count + (rest[i] < number))
    return float(count)


@reduction(SOURCE, types.float32)
def count_above(source: Array, number: np.float32) -> float:
    """The number of values above a number."""
    first, second, third, fourth, rest = quarters(source)
    count = NONE
    for i in range(first.size):
        four = (first[i] > number) + (second[i] > number) + (third[i] > number) + (fourth[i] > number)
        count = np.int32(count + four)
    for i in range(rest.size):
        count = np.int32(count + (rest[i] > number))
    return float(count)


@reduction(SOURCE, types.float32)
def count_of_equal_to(source: Array, number: np.float32) -> float:
    """The number of values equal to a number."""
    first, second, third, fourth, rest = quarters(source)
    count = NONE
    for i in range(first.size):
        four = (first[i] == number) + (second[i] == number) + (third[i] == number) + (fourth[i] == number)
        count = np.int32(count + four)
    for i in range(rest.size):
        count = np.int32(count + (rest[i] == number))
    return float(count)


@reduction(SOURCE, types.float32)
def sum_of_absolute_differences(source: Array, number: np.float32) -> float:
    """The sum of the distances of the values from a number, each rounded to float32."""
    first, second, third, fourth, rest = quarters(source)
    one = hidden_one(source)
    total = 0.0
    for i in range(first.size):
        total += sum_of_four(
            np.abs(elementwise.sub(first[i], number)),
            np.abs(elementwise.sub(second[i], number)),
            np.abs(elementwise.sub(third[i], number)),
            np.abs(elementwise.sub(fourth[i], number)),
            one,
        )
    for i in range(rest.size):
        total += np.abs(elementwise.sub(rest[i], number))
    return total


@reduction(SOURCE, types.float32)
def sum_of_squared_differences(source: Array, number: np.float32) -> float:
    """The sum of the squares of those distances; float64 squares neither overflow nor vanish."""
    first, second, third, fourth, rest = quarters(source)
    total = 0.0
    for i in range(first.size):
        a = np.float64(elementwise.sub(first[i], number))
        b = np.float64(elementwise.sub(second[i], number))
        c = np.float64(elementwise.sub(third[i], number))
        d = np.float64(elementwise.sub(fourth[i], number))
        total += multiply_add_doubles(a, a, b * b) + multiply_add_doubles(c, c, d * d)
    for i in range(rest.size):
        distance = np.float64(elementwise.sub(rest[i], number))
        total += distance * distance
    return total


UNARY: Mapping[str, Callable[[Array], float]] = MappingProxyType(
    {
        "relu": sum_of_relu,
        "reciprocal": sum_of_reciprocals,
        "heaviside": count_above_zero,
        "less_than_zero": count_below_zero,
        "sign": sum_of_signs,
    }
)
"""Kernels that sum what an operation on one array gives: source."""

BINARY: Mapping[str, Callable[[Array, Array], float]] = MappingProxyType(
    {
        "add": sum_of_sums,
        "sub": sum_of_differences,
        "mul": sum_of_products,
        "less": count_of_less,
        "equal": count_of_equal,
        "hamming_distance": count_of_differing_steps,
    }
)
"""Kernels that sum what an operation on two arrays of one size gives: first, second."""

ARRAY_SCALAR: Mapping[str, Callable[[Array, np.float32], float]] = MappingProxyType(
    {"mul": sum_of_multiples, "less": count_below, "equal": count_of_equal_to}
)
"""Kernels that sum what an operation on an array and then a number gives: source, number."""

SCALAR_ARRAY: Mapping[str, Callable[[Array, np.float32], float]] = MappingProxyType(
    {"mul": sum_of_multiples, "less": count_above, "equal": count_of_equal_to}
)
"""Kernels that sum what an operation on a number and then an array gives: source, number."""

PARTS: Mapping[str, Callable[[Array, np.float32], float]] = MappingProxyType(
    {"sum_of_multiples_unless_small": sum_of_multiples_unless_small}
)
"""Kernels that sum what is no operation of programs: source, number."""

DIFFERENCES: Mapping[str, Callable[[Array, np.float32], float]] = MappingProxyType(
    {"absolute": sum_of_absolute_differences, "squared": sum_of_squared_differences}
)
"""Kernels that sum what is made of the differences of an array and a number: source, number."""
