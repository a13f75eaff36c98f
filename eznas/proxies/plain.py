"""Weight times gradient, with its sign."""

from __future__ import annotations

from torch import nn

from eznas.proxies.passes import product_sum, weight_gradients
from eznas.proxies.proxy import Batch, Proxy


def plain(model: nn.Module, batch: Batch) -> float:
    """The sum over all weights of weight x gradient of the loss.

    The sum is zero, but for rounding, over a convolution that a batch norm follows, for the loss does not
    change with the scale of its weight: what is left are the other layers, such as the classifier.
    """
    return sum(product_sum(weight, gradient) for weight, gradient in weight_gradients(model, batch))


PLAIN = Proxy(
    name="plain",
    orientation=1,
    needs_targets=True,
    description="Sum over all weights of weight times gradient of the cross-entropy.",
    source="Mozer and Smolensky, Skeletonization, NeurIPS 1988; as a score of networks, and with this "
    "name: Abdelfattah et al., Zero-Cost Proxies for Lightweight NAS, ICLR 2021",
    formula=plain,
)
