"""The gradients of the summed logits by each input, and how far they are alike."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from eznas.proxies.passes import logits_of
from eznas.proxies.proxy import Batch


@dataclass(frozen=True, slots=True, eq=False)
class Jacobian:
    """What the logits of a network do when its inputs change.

    Attributes:
        rows: (batch, elements of an input), float64: the gradient of the sum of the logits.
        classes: how many logits the network has.
    """

    rows: Tensor
    classes: int


def input_jacobian(model: nn.Module, batch: Batch) -> Jacobian:
    """The gradient of the sum of all logits by every input; zero where it does not depend on it."""
    inputs = batch.inputs.detach().requires_grad_()
    logits = logits_of(model, inputs)
    (gradient,) = torch.autograd.grad(logits.sum(), [inputs], allow_unused=True, materialize_grads=True)
    return Jacobian(gradient.flatten(1).to("cpu", torch.float64), logits.shape[-1])


def correlation(rows: Tensor) -> Tensor:
    """(rows, rows): the correlation coefficients of the rows, as numpy.corrcoef has them.

    A row whose elements are all the same has no correlation, with itself either: NaN.
    """
    centred = rows - rows.mean(1, keepdim=True)
    covariance = centred @ centred.T
    deviations = covariance.diagonal().sqrt()
    return (covariance / deviations / deviations[:, None]).clamp(-1.0, 1.0)
