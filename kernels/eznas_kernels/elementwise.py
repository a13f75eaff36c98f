"""The elementwise operations on single float32 numbers, from which loops over arrays are made.

`UNARY` and `BINARY` name the function of each operation. None of them branches, so that loops vectorise.
`QUICK` names those that loops over arrays try first, see `transcendental`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eznas_kernels import transcendental
from eznas_kernels.policy import DESTINATION, SOURCE, kernel, scalar

ZERO = np.float32(0.0)
ONE = np.float32(1.0)


@kernel(SOURCE, DESTINATION)
def exponentials_and_sigmoids(source: NDArray[np.float32], destination: NDArray[np.float32]) -> None:
    """The exponentials of an array, and behind them its sigmoids."""
    for i in range(source.size):
        destination[i] = transcendental.exp(source[i])
        destination[source.size + i] = transcendental.sigmoid(source[i])


def _of_signs() -> tuple[np.float32, ...]:
    # By the processor, as kernels do: a compiler that worked them out might round otherwise.
    found = np.empty(6, np.float32)
    exponentials_and_sigmoids(np.array([-1.0, 0.0, 1.0], np.float32), found)
    return tuple(np.float32(number) for number in found)


EXP_OF_MINUS_ONE, EXP_OF_ZERO, EXP_OF_ONE, SIGMOID_OF_MINUS_ONE, SIGMOID_OF_ZERO, SIGMOID_OF_ONE = _of_signs()


@scalar
def log(a: np.float32) -> np.float32:
    """The natural logarithm, where zero and below count as 1; NaN stays."""
    return transcendental.log_of_positive(ONE if a <= ZERO else a)


@scalar
def abs_log(a: np.float32) -> np.float32:
    """The natural logarithm of the absolute value, where zero counts as 1; NaN stays."""
    return transcendental.log_of_positive(ONE if a == ZERO else np.abs(a))


@scalar
def quick_log(a: np.float32) -> tuple[np.float32, np.uint32]:
    """As `log`, with the strain of the quick logarithm."""
    return transcendental.quick_log(ONE if a <= ZERO else a)


@scalar
def quick_abs_log(a: np.float32) -> tuple[np.float32, np.uint32]:
    """As `abs_log`, with the strain of the quick logarithm."""
    return transcendental.quick_log(ONE if a == ZERO else np.abs(a))


@scalar
def log_sign(a: np.float32) -> np.float32:
    """A number above or below zero where `log` is; NaN stays."""
    return ZERO if a <= ZERO else a - ONE


@scalar
def abs_log_sign(a: np.float32) -> np.float32:
    """A number above or below zero where `abs_log` is; NaN stays."""
    return ZERO if a == ZERO else np.abs(a) - ONE


@scalar
def exp_sign(a: np.float32) -> np.float32:
    """A number above zero where the exponential is, else zero; NaN stays."""
    return ZERO if a < transcendental.EXP_IS_ZERO else a - transcendental.EXP_IS_ZERO


@scalar
def sigmoid_sign(a: np.float32) -> np.float32:
    """A number above zero where the sigmoid is, else zero; NaN stays."""
    return ZERO if a < transcendental.SIGMOID_IS_ZERO else a - transcendental.SIGMOID_IS_ZERO


@scalar
def exp_of_sign(a: np.float32) -> np.float32:
    """The exponential of -1, 0 or 1."""
    return EXP_OF_ONE if a > ZERO else (EXP_OF_MINUS_ONE if a < ZERO else EXP_OF_ZERO)


@scalar
def sigmoid_of_sign(a: np.float32) -> np.float32:
    """The sigmoid of -1, 0 or 1."""
    return SIGMOID_OF_ONE if a > ZERO else (SIGMOID_OF_MINUS_ONE if a < ZERO else SIGMOID_OF_ZERO)


@scalar
def absolute(a: np.float32) -> np.float32:
    """The absolute value."""
    return np.float32(np.abs(a))


@scalar
def square(a: np.float32) -> np.float32:
    """The square."""
    return a * a


@scalar
def relu(a: np.float32) -> np.float32:
    """The value where it is above zero, else zero; NaN stays."""
    return ZERO if a < ZERO else a


@scalar
def sign(a: np.float32) -> np.float32:
    """1.0 above zero, -1.0 below zero, else 0.0; NaN gives 0.0."""
    return ONE if a > ZERO else (-ONE if a < ZERO else ZERO)


@scalar
def reciprocal(a: np.float32) -> np.float32:
    """One over the value; a zero gives the infinity of its sign."""
    return ONE / a


@scalar
def greater_than_zero(a: np.float32) -> np.float32:
    """1.0 above zero, else 0.0; NaN gives 0.0."""
    return ONE if a > ZERO else ZERO


@scalar
def less_than_zero(a: np.float32) -> np.float32:
    """1.0 below zero, else 0.0; NaN gives 0.0."""
    return ONE if a < ZERO else ZERO


@scalar
def information(a: np.float32) -> np.float32:
    """The value times its natural logarithm: 0 of zeros, NaN of numbers below, as torch's xlogy."""
    product = ZERO if a == ZERO else a * transcendental.log_of_positive(a)
    return transcendental.NAN if a < ZERO else product


@scalar
def quick_information(a: np.float32) -> tuple[np.float32, np.uint32]:
    """As `information`, with the strain of the quick logarithm, which numbers below zero exceed."""
    logarithm, strain = transcendental.quick_log(ONE if a == ZERO else a)
    # The absolute, so that -0.0 gives 0.0.
    return np.float32(np.abs(a)) * logarithm, strain


@scalar
def add(a: np.float32, b: np.float32) -> np.float32:
    """The sum."""
    return a + b


@scalar
def sub(a: np.float32, b: np.float32) -> np.float32:
    """The first minus the second."""
    return a - b


@scalar
def mul(a: np.float32, b: np.float32) -> np.float32:
    """The product."""
    return a * b


@scalar
def less(a: np.float32, b: np.float32) -> np.float32:
    """1.0 where the first is below the second, else 0.0; NaN is below nothing."""
    return ONE if a < b else ZERO


@scalar
def greater(a: np.float32, b: np.float32) -> np.float32:
    """1.0 where the first is above the second, else 0.0; NaN is above nothing."""
    return ONE if a > b else ZERO


@scalar
def equal(a: np.float32, b: np.float32) -> np.float32:
    """1.0 where the two are equal, else 0.0; NaN equals nothing."""
    return ONE if a == b else ZERO


UNARY: Mapping[str, Callable[[np.float32], np.float32]] = MappingProxyType(
    {
        "log": log,
        "abs_log": abs_log,
        "abs": absolute,
        "square": square,
        "exp": transcendental.exp,
        "relu": relu,
        "sign": sign,
        "heaviside": greater_than_zero,
        "reciprocal": reciprocal,
        "sigmoid": transcendental.sigmoid,
        "greater_than_zero": greater_than_zero,
        "less_than_zero": less_than_zero,
    }
)
"""Operations on one number."""

PARTS: Mapping[str, Callable[[np.float32], np.float32]] = MappingProxyType(
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
"""What operations that fold are made of, and what stands for others that are asked for their sign alone, or
of -1, 0 and 1 alone.
"""

BINARY: Mapping[str, Callable[[np.float32, np.float32], np.float32]] = MappingProxyType(
    {"add": add, "sub": sub, "mul": mul, "less": less, "greater": greater, "equal": equal}
)
"""Operations on two numbers."""


class Quick(NamedTuple):
    """A form of an operation that is right for most numbers."""

    function: Callable[[np.float32], tuple[np.float32, np.uint32]]
    """Gives the result, and the strain."""
    largest_strain: np.uint32
    """Up to which the result is that of the operation to the bit."""


QUICK: Mapping[str, Quick] = MappingProxyType(
    {
        "log": Quick(quick_log, transcendental.LARGEST_QUICK_LOG),
        "abs_log": Quick(quick_abs_log, transcendental.LARGEST_QUICK_LOG),
        "information": Quick(quick_information, transcendental.LARGEST_QUICK_LOG),
        "exp": Quick(transcendental.quick_exp, transcendental.LARGEST_QUICK_EXP),
        "sigmoid": Quick(transcendental.quick_sigmoid, transcendental.LARGEST_QUICK_EXP),
    }
)
"""The quick forms that there are."""
