"""Operations as torch functions without Python branches on values, for compilers that trace or script them.

They give what the functions of `eznas.ops` give. Only where eigenvalues do not converge, which was not seen
so far, they raise torch's error instead of giving NaN.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def det(a: Tensor) -> Tensor:
    """The determinant of the last two dimensions; NaN of a matrix that holds NaN or infinity."""
    is_finite = torch.isfinite(a).all(dim=-1).all(dim=-1)
    return torch.where(is_finite, torch.linalg.det(a), math.nan)


def sym_eig_ratio(a: Tensor) -> Tensor:
    """Largest over smallest eigenvalue of A Aᵀ plus its transpose, with A = a as (shape[0], -1)."""
    gram = _gram(a)
    values = _eigenvalues(gram + gram.mT)
    return values[-1] / values[0]


def eig_ratio(a: Tensor) -> Tensor:
    """Smallest over largest eigenvalue of A Aᵀ, with A = a as (shape[0], -1)."""
    values = _eigenvalues(_gram(a))
    return values[0] / values[-1]


def numel(a: Tensor) -> Tensor:
    """The number of elements; shape (1,)."""
    return torch.sum(torch.ones_like(a), dtype=torch.float64).to(a.dtype).reshape([1])


def _gram(a: Tensor) -> Tensor:
    rows = a.reshape(a.shape[0], -1)
    return rows @ rows.mT


def _eigenvalues(symmetric: Tensor) -> Tensor:
    is_finite = torch.isfinite(symmetric).all()
    # LAPACK on NaN or infinity can end the process with a segmentation fault.
    safe = torch.where(is_finite, symmetric, torch.zeros_like(symmetric))
    return torch.where(is_finite, torch.linalg.eigvalsh(safe), math.nan)
