"""Eager definitions of the elementwise operations; the binary ones broadcast."""

from __future__ import annotations

import torch
from torch import Tensor


def add(a: Tensor, b: Tensor) -> Tensor:
    """The sum of two tensors."""
    return torch.add(a, b)


def sub(a: Tensor, b: Tensor) -> Tensor:
    """The first tensor minus the second."""
    return torch.sub(a, b)


def mul(a: Tensor, b: Tensor) -> Tensor:
    """The elementwise product of two tensors."""
    return torch.mul(a, b)


def less(a: Tensor, b: Tensor) -> Tensor:
    """1.0 where the first is below the second, else 0.0; NaN is below nothing."""
    return torch.lt(a, b).to(a.dtype)


def greater(a: Tensor, b: Tensor) -> Tensor:
    """1.0 where the first is above the second, else 0.0; NaN is above nothing."""
    return torch.gt(a, b).to(a.dtype)


def equal(a: Tensor, b: Tensor) -> Tensor:
    """1.0 where the two are equal, else 0.0; NaN equals nothing."""
    return torch.eq(a, b).to(a.dtype)


def log(a: Tensor) -> Tensor:
    """The natural logarithm, where zero and below count as 1; NaN stays."""
    # The other way round, where(a > 0, a, 1), would turn NaN into 1.
    return torch.log(torch.where(a <= 0, 1.0, a))


def abs_log(a: Tensor) -> Tensor:
    """The natural logarithm of the absolute value, where zero counts as 1; NaN stays."""
    return torch.log(torch.abs(torch.where(a == 0, 1.0, a)))


def absolute(a: Tensor) -> Tensor:
    """The absolute value."""
    return torch.abs(a)


def square(a: Tensor) -> Tensor:
    """The square."""
    return torch.square(a)


def exp(a: Tensor) -> Tensor:
    """The exponential."""
    return torch.exp(a)


def relu(a: Tensor) -> Tensor:
    """The value where it is above zero, else 0.0; NaN stays."""
    return torch.relu(a)


def sign(a: Tensor) -> Tensor:
    """1.0 above zero, -1.0 below zero, else 0.0; NaN gives 0.0, as in torch."""
    return torch.sign(a)


def heaviside(a: Tensor) -> Tensor:
    """1.0 above zero, else 0.0; NaN gives 0.0, as in torch.heaviside with 0 for zero."""
    return torch.gt(a, 0).to(a.dtype)


def reciprocal(a: Tensor) -> Tensor:
    """One over the value; a zero gives the infinity of its sign."""
    return torch.reciprocal(a)


def sigmoid(a: Tensor) -> Tensor:
    """The logistic function 1 / (1 + exp(-a))."""
    return torch.sigmoid(a)


def ones_like(a: Tensor) -> Tensor:
    """1.0 everywhere."""
    return torch.ones_like(a)


def zeros_like(a: Tensor) -> Tensor:
    """0.0 everywhere."""
    return torch.zeros_like(a)


def greater_than_zero(a: Tensor) -> Tensor:
    """1.0 above zero, else 0.0; NaN gives 0.0."""
    return torch.gt(a, 0).to(a.dtype)


def less_than_zero(a: Tensor) -> Tensor:
    """1.0 below zero, else 0.0; NaN gives 0.0."""
    return torch.lt(a, 0).to(a.dtype)
