"""Jacobian covariance: how independently a network reacts to different inputs."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor, nn

from eznas.errors import ProxyError
from eznas.proxies.jacobian import correlation, input_jacobian
from eznas.proxies.proxy import Batch, Proxy

SHIFT: Final = 1e-5
"""What is added to eigenvalues so that their logarithms stay finite."""


def jacob_cov(model: nn.Module, batch: Batch) -> float:
    """The score of the eigenvalues of the correlation between the gradients of the inputs.

    The gradient is that of the sum of the logits. One that is constant over an input has no correlation:
    the score is NaN then, as in the source. One input alone would give every network the same score.
    """
    if len(batch.inputs) < 2:
        raise ProxyError("the proxy 'jacob_cov' compares inputs: expected at least two, got one")
    return eigenvalue_score(correlation(input_jacobian(model, batch).rows))


def eigenvalue_score(correlations: Tensor) -> float:
    """-sum(log(v + k) + 1 / (v + k)) over the eigenvalues v of a correlation matrix; k is `SHIFT`."""
    # LAPACK may end the process on a matrix with NaN.
    if not bool(correlations.isfinite().all()):
        return math.nan
    # The matrix is symmetric: no eigenvalue is complex, as the general routine of the source may have it.
    # Rounding may put those of a singular one below zero.
    shifted = torch.linalg.eigvalsh(correlations).clamp_(min=0.0) + SHIFT
    return -float((shifted.log() + 1.0 / shifted).sum())


JACOB_COV = Proxy(
    name="jacob_cov",
    orientation=1,
    needs_targets=False,
    description="Negative sum of log(v) + 1/v over the eigenvalues v of the correlation between the "
    "gradients of the summed logits by each input.",
    source="Mellor, Turner, Storkey and Crowley, Neural Architecture Search without Training, first "
    "version, 2020; with this name: Abdelfattah et al., ICLR 2021, section 3.2",
    formula=jacob_cov,
)
