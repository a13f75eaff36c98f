"""Exponential, logarithm and sigmoid as the compiler of `aoti` shall compute them, in vector instructions.

Inductor calls a library for these, once for each vector. Here they are formulas that it fuses with what is
around them: for 16,384 numbers they take 9, 13 and 9 µs instead of 20, 31 and 23 (AVX2). A processor looks
ahead over some 120 such instructions only, so that they are written for short chains of instructions that
wait for each other. Results are off by at most 9.1 (exp; 6.5 near 0), 5.3 (log) and 5.6 (sigmoid) units in
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
    0.333342457221048,
    -0.2498326688098644,
    0.19924502940431482,
    -0.17137127911930616,
    0.16024386736821264,
    -0.1019173466658652,
)
"""Of the powers 3 to 8 in log(1 + f) = f - f**2 / 2 + ..., fitted between the roots of 1/2 and 2 for 1 + f.

They are 2.7e-7 off at most, relatively.
"""

SQRT_HALF_BITS: Final = 0x3F3504F3
SMALLEST_NORMAL: Final = 2.0**-126

EXP_BOUNDS: Final = (-104.0, 89.0)
"""Beyond them, exponentials round to zero and infinity."""

SIGMOID_BOUNDS: Final = (-88.722839, 87.0)
"""Below the first, exp(-a) overflows; above the second, 1 + exp(-a) is 1."""

Value = Any
"""What `ops` computes with: a number of each element."""


def exp(ops: Any, a: Value) -> Value:
    """The exponential; overflows to infinity, underflows through the subnormals to zero."""
    # The square of the exponential of half the number, since its power of two is never out of range.
    root = _scaled_exp(ops, a, 0.5, 0)
    return _bounded(ops, a, ops.mul(root, root), EXP_BOUNDS, (0.0, math.inf))


def sigmoid(ops: Any, a: Value) -> Value:
    """1 / (1 + exp(-a)); zero where exp(-a) overflows, as in torch."""
    half = _number(ops, 0.5)
    # Half of an exponential does not overflow before the exponential does.
    result = ops.truediv(half, ops.add(half, _scaled_exp(ops, a, -1.0, -1)))
    return _bounded(ops, a, result, SIGMOID_BOUNDS, (0.0, 1.0))


def log(ops: Any, a: Value) -> Value:
    """The natural logarithm of numbers above zero, infinity and NaN; of others any number."""
    is_subnormal = ops.lt(a, _number(ops, SMALLEST_NORMAL))
    bits = _bits(ops, ops.where(is_subnormal, ops.mul(a, _number(ops, 2.0**23)), a))
    # The fraction lies between the roots of 1/2 and 2, so that logarithms near 0 keep their precision.
    power = ops.bitwise_right_shift(ops.sub(bits, _whole(ops, SQRT_HALF_BITS)), _whole(ops, 23))
    fraction = _of_bits(ops, ops.sub(bits, ops.bitwise_left_shift(power, _whole(ops, 23))))
    fraction = ops.sub(fraction, _number(ops, 1.0))
    correction = ops.where(is_subnormal, _number(ops, -23.0), _number(ops, 0.0))
    exponent = ops.add(ops.to_dtype(power, torch.float32, src_dtype=torch.int32), correction)
    squared = ops.mul(fraction, fraction)
    low, middle, high = (
        ops.fma(_number(ops, LOG_TERMS[place + 1]), fraction, _number(ops, LOG_TERMS[place]))
        for place in (0, 2, 4)
    )
    series = ops.fma(ops.fma(high, squared, middle), squared, low)
    first_terms = ops.fma(squared, _number(ops, -0.5), fraction)
    first_terms = ops.fma(exponent, _number(ops, LOG_2), first_terms)
    result = ops.fma(series, ops.mul(squared, fraction), first_terms)
    return ops.where(ops.lt(a, _number(ops, math.inf)), result, a)


def _scaled_exp(ops: Any, a: Value, factor: float, power: int) -> Value:
    """exp(a * factor) times 2 to a power, where neither is out of range."""
    shift = _number(ops, WHOLE_SHIFT)
    shifted = ops.fma(a, _number(ops, factor / LOG_2), shift)
    rest = ops.fma(ops.sub(shifted, shift), _number(ops, -LOG_2), ops.mul(a, _number(ops, factor)))
    exponent = ops.bitwise_left_shift(_bits(ops, shifted), _whole(ops, 23))
    scale = _of_bits(ops, ops.add(exponent, _whole(ops, (127 + power) << 23)))
    squared = ops.mul(rest, rest)
    low, high = (
        ops.fma(_number(ops, EXP_TERMS[place + 1]), rest, _number(ops, EXP_TERMS[place])) for place in (0, 2)
    )
    series = ops.fma(high, squared, low)
    return ops.fma(series, ops.mul(squared, scale), ops.fma(rest, scale, scale))


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
