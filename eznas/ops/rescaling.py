"""Eager definitions of the operations that need a whole tensor before they can give one back."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def normalize(a: Tensor) -> Tensor:
    """The distance from the mean in standard deviations (unbiased, over all elements); NaN becomes 0."""
    if a.numel() < 2:
        # The unbiased deviation of one element is NaN, so that the result is 0; torch would also warn.
        return torch.zeros_like(a)
    # A sum in float64 gives the mean of equal float32 numbers exactly, so that they become 0, not noise.
    centre = (torch.sum(a, dtype=torch.float64) / a.numel()).to(a.dtype)
    return torch.nan_to_num((a - centre) / torch.std(a), nan=0.0, posinf=math.inf, neginf=-math.inf)


def softmax(a: Tensor) -> Tensor:
    """The softmax over dimension 0 of tensors with 0, 1 or 3 dimensions, else over dimension 1."""
    return torch.softmax(a, dim=softmax_dimension(a.dim()))


def softmax_dimension(dimensions: int) -> int:
    """The dimension that softmax runs over: torch's old rule for softmax without a dimension."""
    return 0 if dimensions in (0, 1, 3) else 1
