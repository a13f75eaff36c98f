"""Eager definitions of the operations on matrices."""

from __future__ import annotations

import math
from contextlib import suppress

import torch
from torch import Tensor


def matmul(a: Tensor, b: Tensor) -> Tensor:
    """The matrix product of the last two dimensions, with torch's rules for vectors and batches."""
    return torch.matmul(a, b)


def det(a: Tensor) -> Tensor:
    """The determinant of the last two dimensions, for each of the leading ones.

    A matrix that holds NaN or infinity has none: NaN, whatever the LU routine at hand makes of it.
    """
    values: Tensor = torch.linalg.det(a)
    # No finite number comes from a matrix that is not, so that only the infinite ones are in doubt.
    if not torch.isinf(values).any():
        return values
    return torch.where(torch.isfinite(a).flatten(start_dim=-2).all(dim=-1), values, math.nan)


def logdet(a: Tensor) -> Tensor:
    """The logarithm of the determinant; NaN (below zero) becomes 0, -inf (singular) stays.

    A matrix that holds NaN or infinity gives 0 too: its logarithm is NaN or inf, which no other matrix
    reaches, depending on the LU routine at hand.
    """
    return torch.nan_to_num(torch.logdet(a), nan=0.0, posinf=0.0, neginf=-math.inf)


def sym_eig_ratio(a: Tensor) -> Tensor:
    """Largest over smallest eigenvalue of A Aᵀ + (A Aᵀ)ᵀ, with A = a as (shape[0], -1); shape ()."""
    gram = _gram(a)
    values = _eigenvalues(gram + gram.mT)
    return values[-1] / values[0]


def eig_ratio(a: Tensor) -> Tensor:
    """Smallest over largest eigenvalue of A Aᵀ, with A = a as (shape[0], -1); shape ().

    The paper divides the last by the first of an unsorted routine, whose order is undefined; the
    matrix is symmetric, so that its sorted eigenvalues are real.
    """
    values = _eigenvalues(_gram(a))
    return values[0] / values[-1]


def _gram(a: Tensor) -> Tensor:
    rows = a.reshape(a.shape[0], -1)
    return rows @ rows.mT


def _eigenvalues(symmetric: Tensor) -> Tensor:
    """Ascending eigenvalues; all NaN where the matrix is not finite or the routine does not converge."""
    # LAPACK on NaN or infinity can end the process with a segmentation fault.
    if torch.isfinite(symmetric).all():
        with suppress(torch.linalg.LinAlgError):  # type: ignore[attr-defined]
            values: Tensor = torch.linalg.eigvalsh(symmetric)
            return values
    return torch.full(symmetric.shape[:1], math.nan, dtype=symmetric.dtype)
