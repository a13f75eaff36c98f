"""The norm of the gradient of the loss."""

from __future__ import annotations

from torch import nn

from eznas.proxies.passes import weight_gradients
from eznas.proxies.proxy import Batch, Proxy


def grad_norm(model: nn.Module, batch: Batch) -> float:
    """The sum over convolutions and linear layers of the L2 norm of the gradient of their weight."""
    return sum(float(gradient.norm()) for _, gradient in weight_gradients(model, batch))


GRAD_NORM = Proxy(
    name="grad_norm",
    orientation=1,
    needs_targets=True,
    description="Sum over layers of the L2 norm of the gradient of the cross-entropy by the weight.",
    source="Abdelfattah, Mehrotra, Dudziak and Lane, Zero-Cost Proxies for Lightweight NAS, ICLR 2021, "
    "section 3.2",
    formula=grad_norm,
)
