"""Exponentials, logarithms and what is made of them, without branches or calls, so that loops vectorise.

The polynomials have the least relative error of their degree (found by Lawson's iteration). They are added in
pairs, to shorten the chain of operations that wait for each other. Errors stay below 1.1 units in the last
place for exp and log, 2.6 for sigmoid, subnormal results included; zeros, infinities and NaN are exact.

The quick forms are for the numbers that nearly all tensors hold. They take fewer instructions, give the same
bits there, and tell how far an argument strains them; beyond a limit the result means nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import llvmlite.binding  # type: ignore[import-untyped]
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from eznas_kernels.intrinsics import multiply_add
from eznas_kernels.policy import scalar
from eznas_kernels.processor import compiles_for

ZERO = np.float32(0.0)
ONE = np.float32(1.0)
INFINITY = np.float32(np.inf)
NAN = np.float32(np.nan)

LOG_2 = np.float32(np.log(2.0))
# The high part of log(2) has few enough bits that its products with whole exponents are exact.
LOG_2_HIGH = np.float32(0.693359375)
LOG_2_LOW = np.float32(-2.12194440e-4)
LOG_2_INVERSE = np.float32(1.44269504088896341)

# Beyond these bounds the results are 0 and infinity; within them, two exact powers of two scale the rest.
EXP_LOWEST = np.float32(-104.0)
EXP_HIGHEST = np.float32(90.0)
# Up to these, the exponential and the sigmoid are zero, as they are in torch.
EXP_IS_ZERO = np.float32(-103.97208404541016)
SIGMOID_IS_ZERO = np.float32(-88.72283935546875)
# Of (exp(r) - 1 - r) / r**2 where the absolute of r is at most log(2) / 2, from the highest power down; 3e-9.
EXP_TERMS = tuple(
    np.float32(c)
    for c in (
        0.0013820051681250334,
        0.00836868304759264,
        0.04166827350854874,
        0.1666652113199234,
        0.4999999403953552,
    )
)
# Added to a small whole number, it leaves the number in the last bits of the sum.
WHOLE_SHIFT = np.float32(1.5 * 2.0**23)
WHOLE_SHIFT_BITS = int(WHOLE_SHIFT.view(np.int32))
SCALE_EXPONENT = 64

FRACTION_BITS = 23
POWER_MASK = -(2**FRACTION_BITS)
MAGNITUDE_MASK = 2**31 - 1
SMALLEST_NORMAL = np.float32(2.0**-126)
SMALLEST_NORMAL_BITS = int(SMALLEST_NORMAL.view(np.int32))
SUBNORMAL_SCALE = np.float32(2.0**FRACTION_BITS)
SUBNORMAL_POWER = np.float32(FRACTION_BITS * 2.0**FRACTION_BITS)
SQRT_HALF_BITS = int(np.float32(np.sqrt(0.5)).view(np.int32))
LOG_2_OF_UNIT = np.float32(LOG_2 * 2.0**-FRACTION_BITS)
# Of (log(1 + f) - f) / f**2 where 1 + f is between the roots of 1/2 and 2, from the highest power down; 4e-9.
LOG_TERMS = tuple(
    np.float32(c)
    for c in (
        -0.07619056850671768,
        0.12912942469120026,
        -0.1324806809425354,
        0.14180853962898254,
        -0.16608411073684692,
        0.20002004504203796,
        -0.25001609325408936,
        0.33333325386047363,
        -0.49999988079071045,
    )
)

LARGEST_QUICK_LOG = np.uint32(0x7F7FFFFF - SMALLEST_NORMAL_BITS)
"""What normal numbers above zero strain the quick logarithm at most."""

LARGEST_QUICK_EXP = np.uint32(np.float32(87.0).view(np.int32))
"""What arguments whose exponentials are normal strain the quick exponential at most."""


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
    # LLVM 22 puts the instruction into vectorised loops; older ones were not tried.
    return compiles_for("avx512f") and llvmlite.binding.llvm_version_info >= (22,)


scaled = scaled_by_instruction if _has_scaling_instruction() else scaled_by_products


@scalar
def exp(a: np.float32) -> np.float32:
    """The exponential; overflows to infinity, underflows through the subnormals to zero."""
    bounded = EXP_LOWEST if a < EXP_LOWEST else a
    bounded = EXP_HIGHEST if bounded > EXP_HIGHEST else bounded
    shifted = np.float32(multiply_add(bounded, LOG_2_INVERSE, WHOLE_SHIFT))
    series = exp_of_rest(bounded, np.float32(shifted - WHOLE_SHIFT))
    # Not a conversion: that of NaN is undefined.
    return scaled(series, np.int32(shifted.view(np.int32) - WHOLE_SHIFT_BITS))


@scalar
def quick_exp(a: np.float32) -> tuple[np.float32, np.uint32]:
    """The exponential, and the strain: right up to `LARGEST_QUICK_EXP`."""
    strain = np.uint32(np.int32(np.float32(a).view(np.int32) & MAGNITUDE_MASK))
    shifted = np.float32(multiply_add(a, LOG_2_INVERSE, WHOLE_SHIFT))
    series = np.float32(exp_of_rest(a, np.float32(shifted - WHOLE_SHIFT)))
    # The last bits are the whole power of two, which is added to the exponent.
    power = np.int32(shifted.view(np.int32) << FRACTION_BITS)
    return np.int32(series.view(np.int32) + power).view(np.float32), strain


@scalar
def scaled_exp_of_negative(a: np.float32) -> np.float32:
    """The exponential of a number that is not above zero, times 2**64, so that it is never subnormal."""
    bounded = EXP_LOWEST if a < EXP_LOWEST else a
    shifted = np.float32(multiply_add(bounded, LOG_2_INVERSE, WHOLE_SHIFT))
    series = exp_of_rest(bounded, np.float32(shifted - WHOLE_SHIFT))
    # One power of two is enough here, which saves a quarter of the time.
    whole = np.int32(shifted.view(np.int32) - WHOLE_SHIFT_BITS)
    return series * power_of_two(np.int32(whole + SCALE_EXPONENT))


@scalar
def exp_of_rest(a: np.float32, exponent: np.float32) -> np.float32:
    """The exponential of what is left of a number without a multiple of log(2)."""
    rest = multiply_add(exponent, -LOG_2_HIGH, a)
    rest = multiply_add(exponent, -LOG_2_LOW, rest)
    squared = rest * rest
    series = multiply_add(EXP_TERMS[0], squared, multiply_add(EXP_TERMS[1], rest, EXP_TERMS[2]))
    series = multiply_add(series, squared, multiply_add(EXP_TERMS[3], rest, EXP_TERMS[4]))
    return multiply_add(series, squared, rest) + ONE


@scalar
def power_of_two(exponent: np.int32) -> np.float32:
    """2 to a whole power between -126 and 127."""
    return np.int32((exponent + 127) << 23).view(np.float32)


@scalar
def split(a: np.float32) -> tuple[np.float32, np.float32]:
    """A normal number above zero as a fraction without its 1, and the whole power of two times 2**23.

    The fraction lies between the roots of 1/2 and 2, so that logarithms near 0 keep their precision.
    """
    bits = np.float32(a).view(np.int32)
    power = np.int32(np.int32(bits - SQRT_HALF_BITS) & POWER_MASK)
    return np.int32(bits - power).view(np.float32) - ONE, np.float32(power)


@scalar
def log_of_split(fraction: np.float32, power: np.float32) -> np.float32:
    """The natural logarithm of what `split` took apart."""
    squared = fraction * fraction
    series = multiply_add(LOG_TERMS[0], squared, multiply_add(LOG_TERMS[1], fraction, LOG_TERMS[2]))
    series = multiply_add(series, squared, multiply_add(LOG_TERMS[3], fraction, LOG_TERMS[4]))
    series = multiply_add(series, squared, multiply_add(LOG_TERMS[5], fraction, LOG_TERMS[6]))
    series = multiply_add(series, squared, multiply_add(LOG_TERMS[7], fraction, LOG_TERMS[8]))
    # float32 holds log(2) to 0.05 units in the last place, so that one product is enough.
    return multiply_add(power, LOG_2_OF_UNIT, multiply_add(series, squared, fraction))


@scalar
def log_of_positive(a: np.float32) -> np.float32:
    """The natural logarithm of numbers above zero, infinity and NaN."""
    is_subnormal = a < SMALLEST_NORMAL
    fraction, power = split(a * SUBNORMAL_SCALE if is_subnormal else a)
    result = log_of_split(fraction, power - SUBNORMAL_POWER if is_subnormal else power)
    return result if a < INFINITY else a


@scalar
def quick_log(a: np.float32) -> tuple[np.float32, np.uint32]:
    """The natural logarithm, and the strain: right up to `LARGEST_QUICK_LOG`."""
    strain = np.uint32(np.int32(np.float32(a).view(np.int32) - SMALLEST_NORMAL_BITS))
    fraction, power = split(a)
    return log_of_split(fraction, power), strain


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


@scalar
def quick_sigmoid(a: np.float32) -> tuple[np.float32, np.uint32]:
    """1 / (1 + exp(-a)), and the strain: right up to `LARGEST_QUICK_EXP`."""
    power, strain = quick_exp(-a)
    return ONE / (ONE + power), strain
