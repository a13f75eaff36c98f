"""SNIP: how much the loss depends on whether each weight is there."""

from __future__ import annotations

from torch import nn

from eznas.proxies.passes import weight_gradients
from eznas.proxies.proxy import Batch, Proxy


def snip(model: nn.Module, batch: Batch) -> float:
    """The sum over all weights of abs(weight x gradient of the loss).

    The gradient with respect to a mask of ones that multiplies the weights is weight x gradient, so that no
    mask is needed. Lee et al. divide by the sum over the network, to prune; a score of networks does not.
    """
    return sum(
        float((weight.detach() * gradient).abs_().sum())
        for weight, gradient in weight_gradients(model, batch)
    )


SNIP = Proxy(
    name="snip",
    orientation=1,
    needs_targets=True,
    description="Sum over all weights of the absolute value of weight times gradient of the cross-entropy.",
    source="Lee, Ajanthan and Torr, SNIP: Single-Shot Network Pruning Based on Connection Sensitivity, "
    "ICLR 2019; as a score of networks: Abdelfattah et al., ICLR 2021, section 3.2",
    formula=snip,
)
