"""The oracle: every operation, written as literally as possible, over NumPy float64 alone.

`NAIVE` holds a function for each operation; `evaluate` runs a whole program given as prefix tokens.
Nothing of eznas or torch is used here, so that a mistake there cannot hide here.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

NAIVE: dict[str, Callable[..., Array]] = {}


def _operation(function: Callable[..., ArrayLike]) -> Callable[..., Array]:
    """Register under the function's name, without its leading `op_`; convert arguments and result."""

    @functools.wraps(function)
    def converted(*arrays: ArrayLike) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(function(*(np.asarray(array, np.float64) for array in arrays)), np.float64)

    NAIVE[function.__name__.removeprefix("op_")] = converted
    return converted


@_operation
def op_add(a: Array, b: Array) -> ArrayLike:
    return a + b


@_operation
def op_sub(a: Array, b: Array) -> ArrayLike:
    return a - b


@_operation
def op_mul(a: Array, b: Array) -> ArrayLike:
    return a * b


@_operation
def op_matmul(a: Array, b: Array) -> ArrayLike:
    left = a.reshape(1, -1) if a.ndim == 1 else a
    right = b.reshape(-1, 1) if b.ndim == 1 else b
    if left.shape[-1] != right.shape[-2]:
        raise ValueError(f"shapes {a.shape} and {b.shape} do not multiply")
    product = (left[..., :, :, None] * right[..., None, :, :]).sum(axis=-2)
    if a.ndim == 1:
        product = product[..., 0, :]
    return product[..., 0] if b.ndim == 1 else product


@_operation
def op_less(a: Array, b: Array) -> ArrayLike:
    return a < b


@_operation
def op_greater(a: Array, b: Array) -> ArrayLike:
    return a > b


@_operation
def op_equal(a: Array, b: Array) -> ArrayLike:
    return a == b


@_operation
def op_log(a: Array) -> ArrayLike:
    positive = a.copy()
    positive[a <= 0] = 1
    return np.log(positive)


@_operation
def op_abs_log(a: Array) -> ArrayLike:
    nonzero = a.copy()
    nonzero[a == 0] = 1
    return np.log(np.abs(nonzero))


@_operation
def op_abs(a: Array) -> ArrayLike:
    return np.abs(a)


@_operation
def op_square(a: Array) -> ArrayLike:
    return a * a


@_operation
def op_exp(a: Array) -> ArrayLike:
    return np.exp(a)


@_operation
def op_normalize(a: Array) -> ArrayLike:
    # Equal numbers lie at their mean; its rounding must not put them elsewhere.
    if a.size < 2 or (a == a.flat[0]).all():
        return np.zeros_like(a)
    mean = a.sum() / a.size
    deviation = np.sqrt(((a - mean) ** 2).sum() / (a.size - 1))
    distance = (a - mean) / deviation
    return np.where(np.isnan(distance), 0.0, distance)


@_operation
def op_relu(a: Array) -> ArrayLike:
    return np.where(a < 0, 0.0, a)


@_operation
def op_sign(a: Array) -> ArrayLike:
    return np.where(a > 0, 1.0, np.where(a < 0, -1.0, 0.0))


@_operation
def op_heaviside(a: Array) -> ArrayLike:
    return a > 0


@_operation
def op_reciprocal(a: Array) -> ArrayLike:
    return 1 / a


@_operation
def op_frobenius_norm(a: Array) -> ArrayLike:
    return np.sqrt((a * a).sum())


@_operation
def op_det(a: Array) -> ArrayLike:
    return _for_each_matrix(a, lambda m: np.linalg.det(m) if np.isfinite(m).all() else math.nan)


@_operation
def op_logdet(a: Array) -> ArrayLike:
    return _for_each_matrix(a, _log_determinant)


def _for_each_matrix(a: Array, function: Callable[[Array], float]) -> Array:
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise ValueError(f"shape {a.shape} holds no square matrices")
    results = np.empty(a.shape[:-2])
    for index in np.ndindex(results.shape):
        results[index] = function(a[index])
    return results


def _log_determinant(matrix: Array) -> float:
    if not np.isfinite(matrix).all():
        return 0.0
    sign, logarithm = np.linalg.slogdet(matrix)
    if sign == 0:
        return -math.inf
    return float(logarithm) if sign > 0 else 0.0


@_operation
def op_sym_eig_ratio(a: Array) -> ArrayLike:
    rows = a.reshape(a.shape[0], -1)
    gram = rows @ rows.T
    eigenvalues = _eigenvalues(gram + gram.T)
    return eigenvalues[-1] / eigenvalues[0]


@_operation
def op_eig_ratio(a: Array) -> ArrayLike:
    rows = a.reshape(a.shape[0], -1)
    eigenvalues = _eigenvalues(rows @ rows.T)
    return eigenvalues[0] / eigenvalues[-1]


def _eigenvalues(symmetric: Array) -> Array:
    if not np.isfinite(symmetric).all():
        return np.full(len(symmetric), math.nan)
    return np.linalg.eigvalsh(symmetric)


@_operation
def op_mean(a: Array) -> ArrayLike:
    return a.sum() / a.size


@_operation
def op_l1_norm(a: Array) -> ArrayLike:
    return np.abs(a).sum() / a.size


@_operation
def op_hamming_distance(a: Array, b: Array) -> ArrayLike:
    return ((a > 0) != (b > 0)).sum()


@_operation
def op_kl_divergence(a: Array, b: Array) -> ArrayLike:
    self_information = np.where(b == 0, 0.0, b * np.log(b))
    total = (self_information - b * a).sum()
    return total / a.shape[0] if a.ndim else total


@_operation
def op_cosine_similarity(a: Array, b: Array) -> ArrayLike:
    pairs = np.broadcast_arrays(a.reshape(a.shape[0], -1), b.reshape(b.shape[0], -1))
    total = np.float64(0.0)
    for x, y in zip(*pairs, strict=True):
        length_x = np.maximum(np.sqrt((x * x).sum()), 1e-8)
        length_y = np.maximum(np.sqrt((y * y).sum()), 1e-8)
        total = total + ((x / length_x) * (y / length_y)).sum()
    return total


@_operation
def op_softmax(a: Array) -> ArrayLike:
    axis = 0 if a.ndim in (0, 1, 3) else 1
    if a.ndim == 0:
        return np.exp(a - a)
    # Softmax of infinities is decided by the shift by the maximum, which torch makes: inf - inf is NaN.
    powers = np.exp(a - a.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


@_operation
def op_sigmoid(a: Array) -> ArrayLike:
    return 1 / (1 + np.exp(-a))


@_operation
def op_ones_like(a: Array) -> ArrayLike:
    return np.ones(a.shape)


@_operation
def op_zeros_like(a: Array) -> ArrayLike:
    return np.zeros(a.shape)


@_operation
def op_greater_than_zero(a: Array) -> ArrayLike:
    return a > 0


@_operation
def op_less_than_zero(a: Array) -> ArrayLike:
    return a < 0


@_operation
def op_numel(a: Array) -> ArrayLike:
    return [a.size]


ARITY: dict[str, int] = {
    name: len(inspect.signature(function).parameters) for name, function in NAIVE.items()
}


def evaluate(tokens: Sequence[str], terminals: Mapping[str, ArrayLike]) -> Array:
    """The value of a program given as prefix tokens, such as ["add", "T1_D", "T2_D"].

    Raises:
        ValueError: The tokens are not exactly one program, or shapes do not fit.
        KeyError: A token is neither an operation nor one of the terminals.
    """
    stack: list[Array] = []
    for token in reversed(tokens):
        if token not in NAIVE:
            stack.append(np.asarray(terminals[token], np.float64))
            continue
        if len(stack) < ARITY[token]:
            raise ValueError(f"{token} wants {ARITY[token]} arguments, {len(stack)} follow")
        stack.append(NAIVE[token](*(stack.pop() for _ in range(ARITY[token]))))
    if len(stack) != 1:
        raise ValueError(f"the tokens hold {len(stack)} programs, not one: {list(tokens)}")
    return stack[0]
