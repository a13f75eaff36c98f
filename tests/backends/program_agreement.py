"""Whether a program's result agrees with the oracle's, and who is right where it does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

import naive
import numpy as np
from numpy.typing import NDArray

from eznas.program import Program

FloatArray = NDArray[np.floating]
Layer = Mapping[str, FloatArray]
Run = Callable[[Program, Layer], FloatArray]

FLOAT32_TOLERANCE = 1e-4
FLOAT64_TOLERANCE = 1e-8
"""Allowed errors, relative to a value's own size plus the mean size of all values."""

SMALLEST_NORMAL = 2.0**-126


class Verdict(StrEnum):
    AGREES = "agrees"
    FLOAT32_ROUNDS = "float32 rounds or overflows: the same functions in float64 agree"
    ILL_CONDITIONED = (
        "float64 differs too, and so does the oracle itself when its operations round a bit more"
    )
    WRONG = "wrong"


def judge(program: Program, layer: Layer, run: Run) -> Verdict:
    """Compare the tensor that `run` gives, in float32 and where need be in float64, with the oracle's."""
    expected = naive.evaluate(program.tokens, layer)
    in_float32 = run(program, layer)
    if in_float32.shape != expected.shape:
        return Verdict.WRONG
    if _agrees(in_float32, expected, FLOAT32_TOLERANCE).all():
        return Verdict.AGREES
    in_float64 = run(program, {name: array.astype(np.float64) for name, array in layer.items()})
    wrong = ~_agrees(in_float64, expected, FLOAT64_TOLERANCE)
    if not wrong.any():
        return Verdict.FLOAT32_ROUNDS
    generator = np.random.default_rng(0)
    for noise in (0.0, *[1e-12] * 12):
        wrong &= _agrees(_rounded_more(program, layer, noise, generator), expected, FLOAT64_TOLERANCE)
    return Verdict.WRONG if wrong.any() else Verdict.ILL_CONDITIONED


def _agrees(got: FloatArray, expected: FloatArray, tolerance: float) -> NDArray[np.bool_]:
    """For each element whether it is the same NaN or infinity, or the same number to the tolerance."""
    with np.errstate(all="ignore"):
        rounded = expected.astype(got.dtype)
        finite = np.isfinite(expected)
        sizes = np.abs(expected)
        allowed = tolerance * (sizes + (sizes[finite].mean() if finite.any() else 0)) + SMALLEST_NORMAL
        close = np.abs(got.astype(np.float64) - expected) <= allowed
    same = (got == rounded) | (np.isnan(got) & np.isnan(rounded))
    return np.where(np.isfinite(got) & np.isfinite(rounded), close, same)


def _rounded_more(program: Program, layer: Layer, noise: float, generator: np.random.Generator) -> FloatArray:
    """The oracle's result when every operation is off by a relative noise; without noise, in float32."""
    stack: list[FloatArray] = []
    for token in reversed(program.tokens):
        if token in naive.NAIVE:
            value = naive.NAIVE[token](*(stack.pop() for _ in range(naive.ARITY[token])))
        else:
            value = layer[token].astype(np.float64)
        with np.errstate(all="ignore"):
            stack.append(value * (1 + noise * generator.standard_normal(value.shape)))
            if not noise:
                stack[-1] = stack[-1].astype(np.float32).astype(np.float64)
    return stack.pop()
