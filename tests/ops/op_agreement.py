"""How close a result must be to the oracle's: to rounding, scaled by the condition of the problem."""

from __future__ import annotations

import math
from collections.abc import Callable

import naive
import numpy as np
import torch
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]

ROUNDINGS = 64
"""Rounding errors, in units of the dtype's epsilon, that a result may gather beyond its condition."""

SMALLEST_NORMAL = 2.0**-126


def assert_agrees(op: str, eager: Callable[..., torch.Tensor], arguments: tuple[FloatArray, ...]) -> None:
    """Compare values, places and signs of infinities, places of NaN, shape and dtype with the oracle's."""
    dtype = arguments[0].dtype
    tensors = tuple(torch.from_numpy(array.copy()) for array in arguments)
    result = eager(*tensors)
    got = result.numpy()
    with np.errstate(over="ignore"):
        expected = naive.NAIVE[op](*arguments)
        rounded = expected.astype(dtype)
    context = f"{op}{tuple(arguments)}\ngot {got!r}\nexpected {expected!r}"
    for tensor, array in zip(tensors, arguments, strict=True):
        assert tensor.numpy().tobytes() == array.tobytes(), f"argument changed: {context}"
        assert result.numel() == 0 or result.data_ptr() != tensor.data_ptr(), f"memory shared: {context}"
    assert got.dtype == dtype, context
    assert got.shape == expected.shape, context
    got64 = got.astype(np.float64)
    if op in _COMPARISONS:
        _COMPARISONS[op](got64, expected, arguments, ROUNDINGS * float(np.finfo(dtype).eps), context)
        return
    np.testing.assert_array_equal(np.isnan(got), np.isnan(rounded), context)
    infinite = np.isinf(got) | np.isinf(rounded)
    np.testing.assert_array_equal(got[infinite], rounded[infinite], context)
    finite = np.isfinite(got) & np.isfinite(rounded)
    with np.errstate(all="ignore"):
        scale = np.broadcast_to(_SCALES.get(op, _own_size)(expected, *arguments), got.shape)
        allowed = ROUNDINGS * float(np.finfo(dtype).eps) * scale + SMALLEST_NORMAL
        wrong = finite & (np.abs(got64 - expected) > allowed)
    assert not wrong.any(), context


def assert_same_zeros(op: str, eager: Callable[..., torch.Tensor], arguments: tuple[FloatArray, ...]) -> None:
    """Compare the signs of zeros with the oracle's; later operations turn them into signs of infinities."""
    got = eager(*(torch.from_numpy(array) for array in arguments)).numpy()
    expected = naive.NAIVE[op](*arguments)
    zeros = (got == 0) & (expected == 0)
    np.testing.assert_array_equal(np.signbit(got[zeros]), np.signbit(expected[zeros]), f"{op}{arguments}")


def _own_size(expected: FloatArray, *_: FloatArray) -> FloatArray:
    return np.abs(expected)


def _finite_sum(array: FloatArray) -> float:
    return float(np.abs(np.where(np.isfinite(array), array, 0)).astype(np.float64).sum())


def _sum_size(_: FloatArray, a: FloatArray) -> float:
    return _finite_sum(a) / a.size


def _divergence_size(_: FloatArray, a: FloatArray, b: FloatArray) -> float:
    b = b.astype(np.float64)
    terms = _finite_sum(np.where(b > 0, b * np.log(np.where(b > 0, b, 1)), 0) + 0 * a) + _finite_sum(a * b)
    return terms / (a.shape[0] if a.ndim else 1)


def _cosine_size(_: FloatArray, a: FloatArray, b: FloatArray) -> float:
    return float(max(len(a), len(b)))


def _product_size(_: FloatArray, a: FloatArray, b: FloatArray) -> FloatArray:
    return naive.NAIVE["matmul"](np.abs(a), np.abs(b))


def _distance_size(expected: FloatArray, a: FloatArray) -> FloatArray:
    spread = np.std(a.astype(np.float64), ddof=1) if a.size > 1 else math.nan
    condition = np.abs(a).astype(np.float64).max(initial=0.0) / spread
    return np.abs(expected) + (condition if np.isfinite(condition) else 0.0)


def _determinant_size(_: FloatArray, a: FloatArray) -> FloatArray:
    """Hadamard's bound, the size of determinants of such rows, times the side, for the growth of LU."""
    return a.shape[-1] * np.sqrt((a.astype(np.float64) ** 2).sum(axis=-1)).prod(axis=-1)


_SCALES: dict[str, Callable[..., FloatArray | float]] = {
    "mean": _sum_size,
    "l1_norm": _sum_size,
    "kl_divergence": _divergence_size,
    "cosine_similarity": _cosine_size,
    "matmul": _product_size,
    "normalize": _distance_size,
    "det": _determinant_size,
}


def _compare_logdet(
    got: FloatArray, expected: FloatArray, arguments: tuple[FloatArray, ...], epsilon: float, context: str
) -> None:
    """Where rounding could decide the sign of the determinant nothing can be said, except of zero rows."""
    (a,) = arguments
    certain_zero = (a == 0).all(axis=-1).any(axis=-1) & np.isfinite(a).all(axis=(-2, -1))
    assert (got[certain_zero] == -math.inf).all(), context
    determinants = naive.NAIVE["det"](a)
    with np.errstate(all="ignore"):
        condition = _determinant_size(determinants, a) / np.abs(determinants)
    undefined = np.isnan(determinants)
    assert (got[undefined] == 0).all(), context
    clear = condition * epsilon < 0.1
    error = np.abs(got[clear] - expected[clear])
    assert (error <= epsilon * (condition[clear] + np.abs(expected[clear]))).all(), context


def _compare_smallest_over_largest(
    got: FloatArray, expected: FloatArray, arguments: tuple[FloatArray, ...], epsilon: float, context: str
) -> None:
    """Eigenvalues are known to the rounding of the largest of them, and so is the smallest over it."""
    assert np.isnan(got) == np.isnan(expected), context
    assert np.isnan(got) or abs(got - expected) <= epsilon * len(arguments[0]), context


def _compare_largest_over_smallest(
    got: FloatArray, expected: FloatArray, arguments: tuple[FloatArray, ...], epsilon: float, context: str
) -> None:
    with np.errstate(divide="ignore"):
        _compare_smallest_over_largest(1 / got, 1 / expected, arguments, epsilon, context)


_COMPARISONS: dict[str, Callable[..., None]] = {
    "logdet": _compare_logdet,
    "eig_ratio": _compare_smallest_over_largest,
    "sym_eig_ratio": _compare_largest_over_smallest,
}
