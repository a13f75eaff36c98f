"""Eager definitions of the operations that fold whole tensors into one number.

Sums of squares, of values and of absolutes are taken in float64 and rounded once. In float32 the mean of
equal numbers would depend on how many there are and on the order of adding them: a constant such as
`mean(exp(ones_like(T1_D)))` then ranks networks by rounding errors (seen: Kendall tau 0.52).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def frobenius_norm(a: Tensor) -> Tensor:
    """The square root of the sum of squares; shape ()."""
    return torch.sqrt(_sum(torch.square(a))).to(a.dtype)


def mean(a: Tensor) -> Tensor:
    """The sum over the number of elements; shape ()."""
    return (_sum(a) / a.numel()).to(a.dtype)


def l1_norm(a: Tensor) -> Tensor:
    """The sum of absolute values over the number of elements; shape ()."""
    return (_sum(torch.abs(a)) / a.numel()).to(a.dtype)


def hamming_distance(a: Tensor, b: Tensor) -> Tensor:
    """The number of places, after broadcasting, where the Heaviside steps differ; shape ()."""
    return torch.count_nonzero(torch.ne(torch.gt(a, 0), torch.gt(b, 0))).to(a.dtype)


def kl_divergence(a: Tensor, b: Tensor) -> Tensor:
    """The sum of b (log b - a), after broadcasting, over the first dimension of a; shape ().

    Torch's kl_div with reduction "batchmean": the first holds logarithms of probabilities, the second
    probabilities. A zero in b counts 0 where a is finite, else NaN; below zero in b gives NaN.
    """
    total = functional.kl_div(a, b, reduction="sum")
    # Versions of torch differ in whether "batchmean" takes tensors without dimensions.
    return total / a.shape[0] if a.dim() else total


def cosine_similarity(a: Tensor, b: Tensor) -> Tensor:
    """The sum over rows of the cosine of both tensors' rows, seen as (shape[0], -1); shape ().

    The rows are broadcast before their norms are taken; norms below 1e-8 count as 1e-8.
    """
    rows = functional.cosine_similarity(a.reshape(a.shape[0], -1), b.reshape(b.shape[0], -1), dim=1)
    return torch.sum(rows)


def numel(a: Tensor) -> Tensor:
    """The number of elements; shape (1,)."""
    return torch.full((1,), float(a.numel()), dtype=a.dtype)


def _sum(a: Tensor) -> Tensor:
    return torch.sum(a, dtype=torch.float64)
