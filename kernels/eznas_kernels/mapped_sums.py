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

from eznas_kernels import elementwise, vectors, wide_forms
from eznas_kernels.guards import common_size
from eznas_kernels.policy import SOURCE, kernel, reduction
from eznas_kernels.wide_sums import count_with_number, sum_of_two, sum_with_number

Array = NDArray[np.float32]

ZERO = np.float32(0.0)
ONE = np.float32(1.0)
NONE = np.int32(0)


@kernel(SOURCE, returns=types.float64)
def sum_of_relu(source: Array) -> float:
    """The sum of the values above zero."""
    vectors.align_stack()
    return sum_with_number(wide_forms.at_least, source, ZERO)


@kernel(SOURCE, returns=types.float64)
def sum_of_reciprocals(source: Array) -> float:
    """The sum of one over the values."""
    vectors.align_stack()
    return sum_with_number(wide_forms.divide_second, source, ONE)


@kernel(SOURCE, returns=types.float64)
def count_above_zero(source: Array) -> float:
    """The number of values above zero."""
    vectors.align_stack()
    return count_with_number(wide_forms.is_greater, source, ZERO)


@kernel(SOURCE, returns=types.float64)
def count_below_zero(source: Array) -> float:
    """The number of values below zero."""
    vectors.align_stack()
    return count_with_number(wide_forms.is_less, source, ZERO)


@reduction(SOURCE)
def sum_of_signs(source: Array) -> float:
    """The number of values above zero less that of those below."""
    count = NONE
    for i in range(source.size):
        count = np.int32(count + (source[i] > ZERO) - (source[i] < ZERO))
    return float(count)


@kernel(SOURCE, SOURCE, returns=types.float64)
def sum_of_sums(first: Array, second: Array) -> float:
    """The sum of the sums of two arrays."""
    vectors.align_stack()
    return sum_of_two(wide_forms.add, first, second, common_size(first, second))


@kernel(SOURCE, SOURCE, returns=types.float64)
def sum_of_differences(first: Array, second: Array) -> float:
    """The sum of the first array less the second."""
    vectors.align_stack()
    return sum_of_two(wide_forms.subtract, first, second, common_size(first, second))


@kernel(SOURCE, SOURCE, returns=types.float64)
def sum_of_products(first: Array, second: Array) -> float:
    """The sum of the products of two arrays."""
    vectors.align_stack()
    return sum_of_two(wide_forms.multiply, first, second, common_size(first, second))


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


@kernel(SOURCE, types.float32, returns=types.float64)
def sum_of_multiples(source: Array, number: np.float32) -> float:
    """The sum of the values times a number."""
    vectors.align_stack()
    return sum_with_number(wide_forms.multiply, source, number)


@kernel(SOURCE, types.float32, returns=types.float64)
def sum_of_multiples_unless_small(source: Array, number: np.float32) -> float:
    """The sum of the values times a number, unless its magnitude is at most 1; then 0, without looking."""
    vectors.align_stack()
    if np.abs(number) <= ONE:
        return 0.0
    return sum_with_number(wide_forms.multiply, source, number)


@kernel(SOURCE, types.float32, returns=types.float64)
def count_below(source: Array, number: np.float32) -> float:
    """The number of values below a number."""
    vectors.align_stack()
    return count_with_number(wide_forms.is_less, source, number)


@kernel(SOURCE, types.float32, returns=types.float64)
def count_above(source: Array, number: np.float32) -> float:
    """The number of values above a number."""
    vectors.align_stack()
    return count_with_number(wide_forms.is_greater, source, number)


@kernel(SOURCE, types.float32, returns=types.float64)
def count_of_equal_to(source: Array, number: np.float32) -> float:
    """The number of values equal to a number."""
    vectors.align_stack()
    return count_with_number(wide_forms.is_equal, source, number)


@kernel(SOURCE, types.float32, returns=types.float64)
def sum_of_absolute_differences(source: Array, number: np.float32) -> float:
    """The sum of the distances of the values from a number, each rounded to float32."""
    vectors.align_stack()
    return sum_with_number(wide_forms.distance, source, number)


@reduction(SOURCE, types.float32)
def sum_of_squared_differences(source: Array, number: np.float32) -> float:
    """The sum of the squares of those distances; float64 squares neither overflow nor vanish."""
    total = 0.0
    for i in range(source.size):
        distance = np.float64(elementwise.sub(source[i], number))
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
