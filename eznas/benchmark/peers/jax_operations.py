"""The 34 operations in JAX; results are float32, as JAX computes by default."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from eznas.ops.rescaling import softmax_dimension


def operations() -> dict[str, Callable[..., Any]]:
    """For each operation its function of JAX arrays."""
    jax: Any = importlib.import_module("jax")
    jnp = jax.numpy

    def truth(value: Any) -> Any:
        return value.astype(jnp.float32)

    def gram(a: Any) -> Any:
        rows = a.reshape(a.shape[0], -1)
        return rows @ rows.T

    def sym_eig_ratio(a: Any) -> Any:
        square = gram(a)
        values = jnp.linalg.eigvalsh(square + square.T)
        return values[-1] / values[0]

    def eig_ratio(a: Any) -> Any:
        values = jnp.linalg.eigvalsh(gram(a))
        return values[0] / values[-1]

    def logdet(a: Any) -> Any:
        sign, size = jnp.linalg.slogdet(a)
        return jnp.nan_to_num(jnp.where(sign < 0, 0.0, size), nan=0.0, posinf=0.0, neginf=-jnp.inf)

    def normalize(a: Any) -> Any:
        if a.size < 2:
            return jnp.zeros_like(a)
        distance = (a - jnp.mean(a)) / jnp.std(a, ddof=1)
        return jnp.nan_to_num(distance, nan=0.0, posinf=jnp.inf, neginf=-jnp.inf)

    def kl_divergence(a: Any, b: Any) -> Any:
        total = jnp.sum(jax.scipy.special.xlogy(b, b) - b * a)
        return total / a.shape[0] if a.ndim else total

    def cosine_similarity(a: Any, b: Any) -> Any:
        first, second = jnp.broadcast_arrays(a.reshape(a.shape[0], -1), b.reshape(b.shape[0], -1))
        norms = [jnp.maximum(jnp.sqrt(jnp.sum(rows * rows, axis=1)), 1e-8) for rows in (first, second)]
        return jnp.sum(jnp.sum(first * second, axis=1) / (norms[0] * norms[1]))

    return {
        "add": jnp.add,
        "sub": jnp.subtract,
        "mul": jnp.multiply,
        "matmul": jnp.matmul,
        "less": lambda a, b: truth(a < b),
        "greater": lambda a, b: truth(a > b),
        "equal": lambda a, b: truth(a == b),
        "log": lambda a: jnp.log(jnp.where(a <= 0, 1.0, a)),
        "abs_log": lambda a: jnp.log(jnp.abs(jnp.where(a == 0, 1.0, a))),
        "abs": jnp.abs,
        "square": jnp.square,
        "exp": jnp.exp,
        "normalize": normalize,
        "relu": lambda a: jnp.where(a <= 0, 0.0, a),
        "sign": lambda a: jnp.nan_to_num(jnp.sign(a), nan=0.0),
        "heaviside": lambda a: truth(a > 0),
        "reciprocal": lambda a: 1.0 / a,
        "frobenius_norm": lambda a: jnp.sqrt(jnp.sum(jnp.square(a))),
        "det": jnp.linalg.det,
        "logdet": logdet,
        "sym_eig_ratio": sym_eig_ratio,
        "eig_ratio": eig_ratio,
        "mean": jnp.mean,
        "l1_norm": lambda a: jnp.mean(jnp.abs(a)),
        "hamming_distance": lambda a, b: truth(jnp.count_nonzero((a > 0) != (b > 0))),
        "kl_divergence": kl_divergence,
        "cosine_similarity": cosine_similarity,
        "softmax": lambda a: (
            jax.nn.softmax(a, axis=softmax_dimension(a.ndim)) if a.ndim else jnp.ones_like(a)
        ),
        "sigmoid": jax.nn.sigmoid,
        "ones_like": jnp.ones_like,
        "zeros_like": jnp.zeros_like,
        "greater_than_zero": lambda a: truth(a > 0),
        "less_than_zero": lambda a: truth(a < 0),
        "numel": lambda a: jnp.full((1,), float(a.size), jnp.float32),
    }
