"""Operations as torch functions that torch.vmap takes over many layers at once, with sizes that are free.

They give what the functions of `eznas.ops` give, without numbers made of sizes: while torch.export traces,
those are symbols, which torch.vmap cannot divide by.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from eznas.ops.rescaling import softmax_dimension


def mean(a: Tensor) -> Tensor:
    """The mean over all elements."""
    return torch.mean(a, dtype=torch.float64).to(a.dtype)


def l1_norm(a: Tensor) -> Tensor:
    """The mean of the absolute values over all elements."""
    return torch.mean(torch.abs(a), dtype=torch.float64).to(a.dtype)


def normalize(a: Tensor) -> Tensor:
    """A minus its mean, divided by the unbiased standard deviation of all elements; NaN becomes 0."""
    if a.numel() < 2:
        return torch.zeros_like(a)
    centre = torch.mean(a, dtype=torch.float64).to(a.dtype)
    return torch.nan_to_num((a - centre) / torch.std(a), nan=0.0, posinf=math.inf, neginf=-math.inf)


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
    total = torch.sum(torch.xlogy(b, b) - b * a)
    if not a.dim():
        return total
    rows = torch.ones_like(a)
    while rows.dim() > 1:
        rows = rows.select(-1, 0)
    return total / torch.sum(rows)
