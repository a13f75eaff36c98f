"""Exponential, logarithm and sigmoid as the compiler of `aoti` shall compute them, in vector instructions.

Inductor calls a library for these, once for each vector. Here they are formulas that it fuses with what is
around them: for 16,384 numbers they take 9, 13 and 9 µs instead of 20, 31 and 23 (AVX2). A processor looks
ahead over some 120 such instructions only, so that they are written for short chains of instructions that
wait for each other. Results are off by at most 9.1 (exp; 6.5 near 0), 1.3 (log) and 5.6 (sigmoid) units in
the last place; zeros, infinities and NaN are exact, subnormal numbers are taken and given.

The formulas are written over values that Inductor traces; `ops` is its set of operations, or one that does
the same with tensors.
"""

from __future__ import annotations

import math
from typing import Any, Final

import torch

LOG_2: Final = math.log(2.0)

WHOLE_SHIFT: Final = 1.5 * 2.0**23
"""Added to a small whole number, it leaves the number in the last bits of the sum."""

EXP_TERMS: Final = (0.4999923178676188, 0.16667114465818517, 0.04189011382908032, 0.008312525052277777)
"""Of the powers 2 to 5 in exp(r) = 1 + r + ..., fitted where abs(r) < log(2) / 2: 1.05e-7 off at most."""

LOG_TERMS: Final = (
    -0.49999991606393607,
    0.3333395022177922,
    -0.25001755253843577,
    0.19962072129578654,
    -0.16570508178344898,
    0.1491797366607198,
    -0.1430752166277717,
    0.08734842774564631,
)
"""Of the powers 2 to 9 in log(1 + f) = f + ..., fitted between the roots of 1/2 and 2 for 1 + f.

They are 3.0e-8 off at most, relatively.
"""

LOG_OF_SUM_TERMS: Final = (
    0.9999999698795388,
    -0.4999949314020042,
    0.33319096801831316,
    -0.2484298216856715,
    0.19106006584973623,
    -0.13663245421863163,
    0.07822594748721276,
    -0.029505236082693592,
    0.00523269359202351,
)
"""Of the powers 1 to 9 in log(1 + t), fitted where t is from 0 to 1: 3.1e-8 off at most, relatively."""

FRACTION_BITS: Final = 23
POWER_MASK: Final = -(2**FRACTION_BITS)
SQRT_HALF_BITS: Final = 0x3F3504F3
SMALLEST_NORMAL: Final = 2.0**-126

EXP_BOUNDS: Final = (-104.0, 89.0)
"""Beyond them, exponentials round to zero and infinity."""

SIGMOID_BOUNDS: Final = (-88.72283172607422, 87.0)
"""Below the first, a number of float32, exp(-a) overflows; above the second, 1 + exp(-a) is 1."""

Value = Any
"""What `ops` computes with: a number of each element."""


def exp(ops: Any, a: Value) -> Value:
    """The exponential; overflows to infinity, underflows through the subnormals to zero."""
    # The square of the exponential of half the number, since its power of two is never out of range.
    root = ops.mul(*_exp_and_scale(ops, a, 0.5, 0))
    return _bounded(ops, a, ops.mul(root, root), EXP_BOUNDS, (0.0, math.inf))


def sigmoid(ops: Any, a: Value) -> Value:
    """1 / (1 + exp(-a)); zero where exp(-a) overflows, as in torch."""
    half = _number(ops, 0.5)
    # Half of an exponential does not overflow before the exponential does.
    result = ops.truediv(half, ops.fma(*_exp_and_scale(ops, a, -1.0, -1), half))
    return _bounded(ops, a, result, SIGMOID_BOUNDS, (0.0, 1.0))


def log(ops: Any, a: Value) -> Value:
    """The natural logarithm of numbers above zero, infinity and NaN; of others any number."""
    is_subnormal = ops.lt(a, _number(ops, SMALLEST_NORMAL))
    unit = 2.0**FRACTION_BITS
    bits = _bits(ops, ops.where(is_subnormal, ops.mul(a, _number(ops, unit)), a))
    # The fraction lies between the roots of 1/2 and 2, so that logarithms near 0 keep their precision.
    power = ops.bitwise_and(ops.sub(bits, _whole(ops, SQRT_HALF_BITS)), _whole(ops, POWER_MASK))
    fraction = ops.sub(_of_bits(ops, ops.sub(bits, power)), _number(ops, 1.0))
    correction = ops.where(is_subnormal, _number(ops, -FRACTION_BITS * unit), _number(ops, 0.0))
    exponent = ops.add(ops.to_dtype(power, torch.float32, src_dtype=torch.int32), correction)
    # float32 holds log(2) to 0.05 units in the last place, so that one product is enough.
    first_terms = ops.fma(exponent, _number(ops, LOG_2 / unit), fraction)
    squared = ops.mul(fraction, fraction)
    result = ops.fma(_series(ops, LOG_TERMS, fraction, squared), squared, first_terms)
    return ops.where(ops.lt(a, _number(ops, math.inf)), result, a)


def log_of_sigmoid(ops: Any, a: Value) -> Value:
    """log(sigmoid(a)); zero where the sigmoid is, as the operation `log` has it.

    For t = exp(-abs(a)) it is -log(1 + t), plus a where that is below zero: no division, zero or subnormal
    number comes between, which takes two thirds of the time. It is off by at most 4 units in the last place
    and by what the rounding of 1 + t takes, 2**-24: a sigmoid that rounds to 1 gives 0 here too.
    """
    size = ops.abs(a)
    two = _number(ops, 2.0)
    # Twice t, whose power of two is never out of range, rounded as 1 + t is.
    double = ops.sub(ops.fma(*_exp_and_scale(ops, size, -1.0, 1), two), two)
    terms = tuple(-term / 2.0**place for place, term in enumerate(LOG_OF_SUM_TERMS, start=1))
    below_zero = ops.mul(ops.sub(a, size), _number(ops, 0.5))
    result = ops.fma(_series(ops, terms, double, ops.mul(double, double)), double, below_zero)
    # Beyond the one bound the sigmoid is zero, beyond the other it has long been 1.
    return ops.where(ops.gt(size, _number(ops, -SIGMOID_BOUNDS[0])), _number(ops, 0.0), result)


def _exp_and_scale(ops: Any, a: Value, factor: float, power: int) -> tuple[Value, Value]:
    """Two numbers whose product is exp(a * factor) times 2 to a power; the second is a power of two."""
    shift = _number(ops, WHOLE_SHIFT)
    shifted = ops.fma(a, _number(ops, factor / LOG_2), shift)
    # What is left without a multiple of log(2), not yet times the factor.
    rest = ops.fma(ops.sub(shifted, shift), _number(ops, -LOG_2 / factor), a)
    exponent = ops.bitwise_left_shift(_bits(ops, shifted), _whole(ops, FRACTION_BITS))
    scale = _of_bits(ops, ops.add(exponent, _whole(ops, (127 + power) << FRACTION_BITS)))
    squared = ops.mul(rest, rest)
    terms = tuple(term * factor**place for place, term in enumerate(EXP_TERMS, start=2))
    first_terms = ops.fma(rest, _number(ops, factor), _number(ops, 1.0))
    return ops.fma(_series(ops, terms, rest, squared), squared, first_terms), scale


def _series(ops: Any, terms: tuple[float, ...], a: Value, squared: Value) -> Value:
    """The sum of terms times powers of a number from 0 on: in pairs, from two pairs on in two halves."""
    sums = [
        ops.fma(_number(ops, terms[place + 1]), a, _number(ops, terms[place]))
        if place + 1 < len(terms)
        else _number(ops, terms[place])
        for place in range(0, len(terms), 2)
    ]
    low = _nested(ops, sums[:2], squared)
    if len(sums) <= 2:
        return low
    return ops.fma(_nested(ops, sums[2:], squared), ops.mul(squared, squared), low)


def _nested(ops: Any, sums: list[Value], factor: Value) -> Value:
    result = sums[-1]
    for each in reversed(sums[:-1]):
        result = ops.fma(result, factor, each)
    return result


def _bounded(
    ops: Any, a: Value, result: Value, bounds: tuple[float, float], beyond: tuple[float, float]
) -> Value:
    """A result, but where the argument is beyond bounds another; at the end, to keep the chain short."""
    result = ops.where(ops.lt(a, _number(ops, bounds[0])), _number(ops, beyond[0]), result)
    return ops.where(ops.gt(a, _number(ops, bounds[1])), _number(ops, beyond[1]), result)


def _number(ops: Any, value: float) -> Value:
    return ops.constant(value, torch.float32)


def _whole(ops: Any, value: int) -> Value:
    return ops.constant(value, torch.int32)


def _bits(ops: Any, number: Value) -> Value:
    return ops.to_dtype_bitcast(number, torch.int32, torch.float32)


def _of_bits(ops: Any, bits: Value) -> Value:
    return ops.to_dtype_bitcast(bits, torch.float32, torch.int32)
