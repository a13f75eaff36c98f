"""Exponentials, logarithms and what is made of them, without branches or calls, so that loops vectorise.

The polynomials are those of the Cephes library (S. L. Moshier, expf and logf), added in pairs to shorten the
chain of operations that wait for each other. Errors stay below 1.1 units in the last place for exp and log,
2.6 for sigmoid, subnormal results included; zeros, infinities and NaN are exact.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import llvmlite.binding  # type: ignore[import-untyped]
import numpy as np
from llvmlite import ir
from numba import types
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from eznas_kernels.intrinsics import multiply_add
from eznas_kernels.policy import scalar

ZERO = np.float32(0.0)
HALF = np.float32(0.5)
ONE = np.float32(1.0)
INFINITY = np.float32(np.inf)
NAN = np.float32(np.nan)

# The high part of log(2) has few enough bits that its products with whole exponents are exact.
LOG_2_HIGH = np.float32(0.693359375)
LOG_2_LOW = np.float32(-2.12194440e-4)
LOG_2_INVERSE = np.float32(1.44269504088896341)

# Beyond these bounds the results are 0 and infinity; within them, two exact powers of two scale the rest.
# Bounding the argument from both sides would take an instruction more.
EXP_LOWEST = np.float32(-104.0)
EXP_HIGHEST_EXPONENT = np.float32(129.0)
EXP_TERMS = tuple(
    np.float32(c)
    for c in (
        1.9875691500e-4,
        1.3981999507e-3,
        8.3334519073e-3,
        4.1665795894e-2,
        1.6666665459e-1,
        5.0000001201e-1,
    )
)
# Added to a small whole number, it leaves the number in the last bits of the sum.
WHOLE_SHIFT = np.float32(1.5 * 2.0**23)
WHOLE_SHIFT_BITS = int(WHOLE_SHIFT.view(np.int32))
SCALE_EXPONENT = 64

SMALLEST_NORMAL = np.float32(2.0**-126)
SUBNORMAL_SCALE = np.float32(2.0**23)
SQRT_HALF_BITS = int(np.float32(np.sqrt(0.5)).view(np.int32))
LOG_TERMS = tuple(
    np.float32(c)
    for c in (
        7.0376836292e-2,
        -1.1514610310e-1,
        1.1676998740e-1,
        -1.2420140846e-1,
        1.4249322787e-1,
        -1.6668057665e-1,
        2.0000714765e-1,
        -2.4999993993e-1,
        3.3333331174e-1,
    )
)


def _load_exponent(_typing: Any, _number: Any, _exponent: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        kinds = [ir.FloatType(), ir.IntType(32)]
        function_type = ir.FunctionType(kinds[0], kinds)
        return builder.call(builder.module.declare_intrinsic("llvm.ldexp", kinds, function_type), arguments)

    return types.float32(types.float32, types.int32), generate


load_exponent = cast("Callable[[np.float32, np.int32], np.float32]", intrinsic(_load_exponent))
"""A number times 2 to a whole power, rounded once: an instruction with AVX-512, elsewhere a call."""


@scalar
def scaled_by_products(number: np.float32, exponent: np.int32) -> np.float32:
    """A number between 1/2 and 2 times 2 to a whole power between -252 and 254."""
    half = exponent >> 1
    return number * power_of_two(half) * power_of_two(np.int32(exponent - half))


@scalar
def scaled_by_instruction(number: np.float32, exponent: np.int32) -> np.float32:
    """The same to the bit."""
    return load_exponent(number, exponent)


def _has_scaling_instruction() -> bool:
    # What Numba compiles for. LLVM 22 puts the instruction into vectorised loops; older ones were not tried.
    _, _, features = cpu_target.target_context.codegen().magic_tuple()
    return "+avx512f" in features.split(",") and llvmlite.binding.llvm_version_info >= (22,)


scaled = scaled_by_instruction if _has_scaling_instruction() else scaled_by_products


@scalar
def exp(a: np.float32) -> np.float32:
    """The exponential; overflows to infinity, underflows through the subnormals to zero."""
    bounded = EXP_LOWEST if a < EXP_LOWEST else a
    exponent = np.rint(bounded * LOG_2_INVERSE)
    exponent = EXP_HIGHEST_EXPONENT if exponent > EXP_HIGHEST_EXPONENT else exponent
    series = exp_of_rest(bounded, exponent)
    # Not a conversion: that of NaN is undefined.
    whole = np.int32(np.float32(exponent + WHOLE_SHIFT).view(np.int32) - WHOLE_SHIFT_BITS)
    return scaled(series, whole)


@scalar
def scaled_exp_of_negative(a: np.float32) -> np.float32:
    """The exponential of a number that is not above zero, times 2**64, so that it is never subnormal."""
    bounded = EXP_LOWEST if a < EXP_LOWEST else a
    shifted = multiply_add(bounded, LOG_2_INVERSE, WHOLE_SHIFT)
    series = exp_of_rest(bounded, np.float32(shifted - WHOLE_SHIFT))
    # One power of two is enough here, which saves a quarter of the time.
    whole = np.int32(np.float32(shifted).view(np.int32) - WHOLE_SHIFT_BITS)
    return series * power_of_two(np.int32(whole + SCALE_EXPONENT))


@scalar
def exp_of_rest(a: np.float32, exponent: np.float32) -> np.float32:
    """The exponential of what is left of a number without a multiple of log(2)."""
    rest = multiply_add(exponent, -LOG_2_HIGH, a)
    rest = multiply_add(exponent, -LOG_2_LOW, rest)
    squared = rest * rest
    series = multiply_add(EXP_TERMS[0], rest, EXP_TERMS[1])
    series = multiply_add(series, squared, multiply_add(EXP_TERMS[2], rest, EXP_TERMS[3]))
    series = multiply_add(series, squared, multiply_add(EXP_TERMS[4], rest, EXP_TERMS[5]))
    return multiply_add(series, squared, rest) + ONE


@scalar
def power_of_two(exponent: np.int32) -> np.float32:
    """2 to a whole power between -126 and 127."""
    return np.int32((exponent + 127) << 23).view(np.float32)


@scalar
def log_of_positive(a: np.float32) -> np.float32:
    """The natural logarithm of numbers above zero, infinity and NaN."""
    subnormal = a < SMALLEST_NORMAL
    bits = np.float32(a * SUBNORMAL_SCALE if subnormal else a).view(np.int32)
    # The fraction lies between the roots of 1/2 and 2, so that logarithms near 0 keep their precision.
    whole = np.int32(bits - SQRT_HALF_BITS) >> 23
    fraction = np.int32(bits - (whole << 23)).view(np.float32) - ONE
    exponent = np.float32(np.int32(whole - 23 if subnormal else whole))
    squared = fraction * fraction
    series = multiply_add(LOG_TERMS[0], squared, multiply_add(LOG_TERMS[1], fraction, LOG_TERMS[2]))
    series = multiply_add(series, squared, multiply_add(LOG_TERMS[3], fraction, LOG_TERMS[4]))
    series = multiply_add(series, squared, multiply_add(LOG_TERMS[5], fraction, LOG_TERMS[6]))
    series = multiply_add(series, squared, multiply_add(LOG_TERMS[7], fraction, LOG_TERMS[8]))
    series = series * (squared * fraction)
    series = multiply_add(exponent, LOG_2_LOW, series)
    series = multiply_add(squared, -HALF, series)
    result = multiply_add(exponent, LOG_2_HIGH, fraction + series)
    return result if a < INFINITY else a


@scalar
def log(a: np.float32) -> np.float32:
    """The natural logarithm; -infinity of zeros, NaN of numbers below."""
    result = log_of_positive(a)
    result = -INFINITY if a == ZERO else result
    return NAN if a < ZERO else result


@scalar
def sigmoid(a: np.float32) -> np.float32:
    """1 / (1 + exp(-a)); zero where exp(-a) overflows, as in torch."""
    return ONE / (ONE + exp(-a))
