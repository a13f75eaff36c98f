"""Elementwise kernels over contiguous float32 arrays; each writes one destination that overlaps no source.

Sources come first, the destination last. `UNARY`, `BINARY`, `ARRAY_SCALAR` and `SCALAR_ARRAY` name the kernel
of each operation; an operation that looks at its argument's shape alone is a `fill`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numba import types
from numpy.typing import NDArray

from eznas_kernels import elementwise, transcendental, vectors, wide_transcendental, wide_vectors
from eznas_kernels.guards import common_size
from eznas_kernels.policy import DESTINATION, SOURCE, inlined, kernel
from eznas_kernels.transcendental import LARGEST_QUICK_EXP, LARGEST_QUICK_LOG
from eznas_kernels.vectors import Vector
from eznas_kernels.wide_vectors import WIDTH

Array = NDArray[np.float32]

BLOCK = 512
"""Numbers after which it is asked whether one strained a quick form."""


@inlined
def _map(
    quick: Callable[[Vector], tuple[Vector, Vector]],
    largest_strain: np.uint32,
    careful: Callable[[np.float32], np.float32],
    source: Array,
    destination: Array,
) -> None:
    """Apply a quick form up to the block in which a number strains it, and from there on a careful one."""
    count = common_size(source, destination)
    whole = count - count % WIDTH
    done = 0
    while done < whole:
        stop = min(done + BLOCK, whole)
        strain = wide_vectors.nothing()
        for i in range(done, stop, WIDTH):
            result, bits = quick(wide_vectors.load(source, i))
            vectors.store(destination, i, result)
            strain = wide_vectors.larger_bits(strain, bits)
        if wide_vectors.largest_bits(strain) > largest_strain:
            break
        done = stop
    # Unsigned, since it would be checked for each index whether it counts from the end.
    for i in range(np.uint64(done), np.uint64(count)):
        destination[i] = careful(source[i])


@kernel(types.float32, DESTINATION)
def fill(number: np.float32, destination: Array) -> None:
    """The same number everywhere."""
    for i in range(destination.size):
        destination[i] = number


@kernel(SOURCE, DESTINATION)
def log(source: Array, destination: Array) -> None:
    """The natural logarithm, where zero and below count as 1; NaN stays."""
    vectors.align_stack()
    _map(wide_transcendental.log, LARGEST_QUICK_LOG, elementwise.log, source, destination)


@kernel(SOURCE, DESTINATION)
def abs_log(source: Array, destination: Array) -> None:
    """The natural logarithm of the absolute value, where zero counts as 1; NaN stays."""
    vectors.align_stack()
    _map(wide_transcendental.abs_log, LARGEST_QUICK_LOG, elementwise.abs_log, source, destination)


@kernel(SOURCE, DESTINATION)
def absolute(source: Array, destination: Array) -> None:
    """The absolute value."""
    for i in range(common_size(source, destination)):
        destination[i] = elementwise.absolute(source[i])


@kernel(SOURCE, DESTINATION)
def square(source: Array, destination: Array) -> None:
    """The square."""
    for i in range(common_size(source, destination)):
        destination[i] = elementwise.square(source[i])


@kernel(SOURCE, DESTINATION)
def exp(source: Array, destination: Array) -> None:
    """The exponential."""
    vectors.align_stack()
    _map(wide_transcendental.exp, LARGEST_QUICK_EXP, transcendental.exp, source, destination)


@kernel(SOURCE, DESTINATION)
def relu(source: Array, destination: Array) -> None:
    """The value where it is above zero, else zero; NaN stays."""
    for i in range(common_size(source, destination)):
        destination[i] = elementwise.relu(source[i])


@kernel(SOURCE, DESTINATION)
def sign(source: Array, destination: Array) -> None:
    """1.0 above zero, -1.0 below zero, else 0.0; NaN gives 0.0."""
    for i in range(common_size(source, destination)):
        destination[i] = elementwise.sign(source[i])


@kernel(SOURCE, DESTINATION)
def reciprocal(source: Array, destination: Array) -> None:
    """One over the value; a zero gives the infinity of its sign."""
    for i in range(common_size(source, destination)):
        destination[i] = elementwise.reciprocal(source[i])


@kernel(SOURCE, DESTINATION)
def sigmoid(source: Array, destination: Array) -> None:
    """1 / (1 + exp(-a))."""
    vectors.align_stack()
    _map(wide_transcendental.sigmoid, LARGEST_QUICK_EXP, transcendental.sigmoid, source, destination)


@kernel(SOURCE, DESTINATION)
def greater_than_zero(source: Array, destination: Array) -> None:
    """1.0 above zero, else 0.0; NaN gives 0.0."""
    for i in range(common_size(source, destination)):
        destination[i] = elementwise.greater_than_zero(source[i])


@kernel(SOURCE, DESTINATION)
def less_than_zero(source: Array, destination: Array) -> None:
    """1.0 below zero, else 0.0; NaN gives 0.0."""
    for i in range(common_size(source, destination)):
        destination[i] = elementwise.less_than_zero(source[i])


@kernel(SOURCE, DESTINATION)
def information(source: Array, destination: Array) -> None:
    """The value times its natural logarithm: 0 of zeros, NaN of numbers below."""
    vectors.align_stack()
    _map(wide_transcendental.information, LARGEST_QUICK_LOG, elementwise.information, source, destination)


@kernel(SOURCE, DESTINATION)
def log_sign(source: Array, destination: Array) -> None:
    """Numbers above or below zero where the natural logarithm is, with zero and below counted as 1."""
    for i in range(common_size(source, destination)):
        destination[i] = elementwise.log_sign(source[i])


@kernel(SOURCE, DESTINATION)
def abs_log_sign(source: Array, destination: Array) -> None:
    """Numbers above or below zero where the logarithm of the absolute value is, with zero counted as 1."""
    for i in range(common_size(source, destination)):
        destination[i] = elementwise.abs_log_sign(source[i])


@kernel(SOURCE, DESTINATION)
def exp_sign(source: Array, destination: Array) -> None:
    """Numbers above zero where the exponential is, else zero."""
    for i in range(common_size(source, destination)):
        destination[i] = elementwise.exp_sign(source[i])


@kernel(SOURCE, DESTINATION)
def sigmoid_sign(source: Array, destination: Array) -> None:
    """Numbers above zero where the sigmoid is, else zero."""
    for i in range(common_size(source, destination)):
        destination[i] = elementwise.sigmoid_sign(source[i])


@kernel(SOURCE, DESTINATION)
def exp_of_sign(source: Array, destination: Array) -> None:
    """The exponential of numbers that are -1, 0 or 1, to the bit."""
    for i in range(common_size(source, destination)):
        destination[i] = elementwise.exp_of_sign(source[i])


@kernel(SOURCE, DESTINATION)
def sigmoid_of_sign(source: Array, destination: Array) -> None:
    """The sigmoid of numbers that are -1, 0 or 1, to the bit."""
    for i in range(common_size(source, destination)):
        destination[i] = elementwise.sigmoid_of_sign(source[i])


@kernel(SOURCE, SOURCE, DESTINATION)
def add(first: Array, second: Array, destination: Array) -> None:
    """The sum of two arrays."""
    common_size(first, second)
    for i in range(common_size(first, destination)):
        destination[i] = elementwise.add(first[i], second[i])


@kernel(SOURCE, SOURCE, DESTINATION)
def sub(first: Array, second: Array, destination: Array) -> None:
    """The first array minus the second."""
    common_size(first, second)
    for i in range(common_size(first, destination)):
        destination[i] = elementwise.sub(first[i], second[i])


@kernel(SOURCE, SOURCE, DESTINATION)
def mul(first: Array, second: Array, destination: Array) -> None:
    """The product of two arrays."""
    common_size(first, second)
    for i in range(common_size(first, destination)):
        destination[i] = elementwise.mul(first[i], second[i])


@kernel(SOURCE, SOURCE, DESTINATION)
def less(first: Array, second: Array, destination: Array) -> None:
    """1.0 where the first is below the second, else 0.0; NaN is below nothing."""
    common_size(first, second)
    for i in range(common_size(first, destination)):
        destination[i] = elementwise.less(first[i], second[i])


@kernel(SOURCE, SOURCE, DESTINATION)
def greater(first: Array, second: Array, destination: Array) -> None:
    """1.0 where the first is above the second, else 0.0; NaN is above nothing."""
    common_size(first, second)
    for i in range(common_size(first, destination)):
        destination[i] = elementwise.greater(first[i], second[i])


@kernel(SOURCE, SOURCE, DESTINATION)
def equal(first: Array, second: Array, destination: Array) -> None:
    """1.0 where the two are equal, else 0.0; NaN equals nothing."""
    common_size(first, second)
    for i in range(common_size(first, destination)):
        destination[i] = elementwise.equal(first[i], second[i])


@kernel(SOURCE, types.float32, DESTINATION)
def add_scalar(source: Array, number: np.float32, destination: Array) -> None:
    """An array plus a number."""
    for i in range(common_size(source, destination)):
        destination[i] = elementwise.add(source[i], number)


@kernel(SOURCE, types.float32, DESTINATION)
def sub_scalar(source: Array, number: np.float32, destination: Array) -> None:
    """An array minus a number."""
    for i in range(common_size(source, destination)):
        destination[i] = elementwise.sub(source[i], number)


@kernel(SOURCE, types.float32, DESTINATION)
def scalar_sub(source: Array, number: np.float32, destination: Array) -> None:
    """A number minus an array."""
    for i in range(common_size(source, destination)):
        destination[i] = elementwise.sub(number, source[i])


@kernel(SOURCE, types.float32, DESTINATION)
def mul_scalar(source: Array, number: np.float32, destination: Array) -> None:
    """An array times a number."""
    for i in range(common_size(source, destination)):
        destination[i] = elementwise.mul(source[i], number)


@kernel(SOURCE, types.float32, DESTINATION)
def less_scalar(source: Array, number: np.float32, destination: Array) -> None:
    """1.0 where the array is below the number, else 0.0."""
    for i in range(common_size(source, destination)):
        destination[i] = elementwise.less(source[i], number)


@kernel(SOURCE, types.float32, DESTINATION)
def greater_scalar(source: Array, number: np.float32, destination: Array) -> None:
    """1.0 where the array is above the number, else 0.0."""
    for i in range(common_size(source, destination)):
        destination[i] = elementwise.greater(source[i], number)


@kernel(SOURCE, types.float32, DESTINATION)
def equal_scalar(source: Array, number: np.float32, destination: Array) -> None:
    """1.0 where the array equals the number, else 0.0."""
    for i in range(common_size(source, destination)):
        destination[i] = elementwise.equal(source[i], number)


UNARY: Mapping[str, Callable[[Array, Array], None]] = MappingProxyType(
    {
        "log": log,
        "abs_log": abs_log,
        "abs": absolute,
        "square": square,
        "exp": exp,
        "relu": relu,
        "sign": sign,
        "heaviside": greater_than_zero,
        "reciprocal": reciprocal,
        "sigmoid": sigmoid,
        "greater_than_zero": greater_than_zero,
        "less_than_zero": less_than_zero,
    }
)
"""Kernels of operations on one array: source, destination."""

PARTS: Mapping[str, Callable[[Array, Array], None]] = MappingProxyType(
    {
        "information": information,
        "log_sign": log_sign,
        "abs_log_sign": abs_log_sign,
        "exp_sign": exp_sign,
        "sigmoid_sign": sigmoid_sign,
        "exp_of_sign": exp_of_sign,
        "sigmoid_of_sign": sigmoid_of_sign,
    }
)
"""Kernels of what is no operation of programs: source, destination."""

BINARY: Mapping[str, Callable[[Array, Array, Array], None]] = MappingProxyType(
    {"add": add, "sub": sub, "mul": mul, "less": less, "greater": greater, "equal": equal}
)
"""Kernels of operations on two arrays of one size: first, second, destination."""

ARRAY_SCALAR: Mapping[str, Callable[[Array, np.float32, Array], None]] = MappingProxyType(
    {
        "add": add_scalar,
        "sub": sub_scalar,
        "mul": mul_scalar,
        "less": less_scalar,
        "greater": greater_scalar,
        "equal": equal_scalar,
    }
)
"""Kernels of operations on an array and then a number: source, number, destination."""

SCALAR_ARRAY: Mapping[str, Callable[[Array, np.float32, Array], None]] = MappingProxyType(
    {
        "add": add_scalar,
        "sub": scalar_sub,
        "mul": mul_scalar,
        "less": greater_scalar,
        "greater": less_scalar,
        "equal": equal_scalar,
    }
)
"""Kernels of operations on a number and then an array: source, number, destination."""
