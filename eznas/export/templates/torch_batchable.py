"""Operations as torch functions that torch.vmap takes over many layers at once, with sizes that are free.

They give what the functions of `eznas.ops` give, without numbers made of sizes: while torch.export traces,
those are symbols, which torch.vmap cannot divide by. Where there is a choice, they are written as Inductor
makes vector instructions of them. Of numbers that are not above zero, what torch.log gives is never used:
`eznas.export.aoti_formulas` relies on it.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from eznas.ops.rescaling import softmax_dimension


def log(a: Tensor) -> Tensor:
    """The natural logarithm, where zero and below count as 1; NaN stays."""
    return torch.where(a <= 0, 0.0, torch.log(a))


def abs_log(a: Tensor) -> Tensor:
    """The natural logarithm of the absolute value, where zero counts as 1; NaN stays."""
    return torch.where(a == 0, 0.0, torch.log(torch.abs(a)))


def mean(a: Tensor) -> Tensor:
    """The mean over all elements."""
    return torch.mean(a, dtype=torch.float64).to(a.dtype)


def l1_norm(a: Tensor) -> Tensor:
    """The mean of the absolute values over all elements."""
    return torch.mean(torch.abs(a), dtype=torch.float64).to(a.dtype)


def det(a: Tensor) -> Tensor:
    """The determinant of the last two dimensions; NaN of a matrix that holds NaN or infinity."""
    # A sum of zeros but for NaN and infinity; torch.isfinite takes the numbers out of their vectors.
    is_finite = torch.sum(a * 0, dim=(-2, -1)) == 0
    return torch.where(is_finite, torch.linalg.det(a), math.nan)


def logdet(a: Tensor) -> Tensor:
    """The logarithm of the determinant; 0 where that is below zero or the matrix not finite."""
    values = torch.logdet(a)
    return torch.where(values < math.inf, values, 0.0)


def normalize(a: Tensor) -> Tensor:
    """A minus its mean, divided by the unbiased standard deviation of all elements; NaN becomes 0."""
    if a.numel() < 2:
        return torch.zeros_like(a)
    wide = a.to(torch.float64)
    centre = torch.mean(wide)
    # Not torch.var: Inductor would update it element by element, which takes longer than two passes.
    deviation = torch.sqrt(torch.sum(torch.square(wide - centre)) / (_count(wide) - 1))
    result = (a - centre.to(a.dtype)) / deviation.to(a.dtype)
    # Not torch.nan_to_num, which takes the numbers out of their vectors.
    return torch.where(result != result, 0.0, result)


def softmax(a: Tensor) -> Tensor:
    """The softmax over dim 0 for 1 or 3 dimensions, else dim 1; of a number 1, where it is finite."""
    if not a.dim():
        return torch.exp(a - a)  # torch.vmap would take it over the layers
    return torch.softmax(a, dim=softmax_dimension(a.dim()))


def hamming_distance(a: Tensor, b: Tensor) -> Tensor:
    """The number of places where heaviside(a) and heaviside(b) differ."""
    return torch.sum(torch.ne(torch.gt(a, 0), torch.gt(b, 0)), dtype=torch.int64).to(a.dtype)


def kl_divergence(a: Tensor, b: Tensor) -> Tensor:
    """The divergence summed over all elements, divided by the size of the first dimension."""
    without_logarithm = torch.where(b == 0, 0.0, math.nan)
    total = torch.sum(torch.where(b > 0, b * torch.log(b), without_logarithm) - b * a)
    return total / _size(a, 0) if a.dim() else total


def _count(a: Tensor) -> Tensor:
    """The number of elements."""
    sizes = [_size(a, dimension) for dimension in range(a.dim())]
    return torch.prod(torch.stack(sizes))


def _size(a: Tensor, dimension: int) -> Tensor:
    """The size of a dimension: a sum over it alone."""
    row = torch.movedim(torch.ones_like(a), dimension, 0)
    while row.dim() > 1:
        row = row.select(-1, 0)
    return torch.sum(row)
