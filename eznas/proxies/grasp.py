"""GraSP: how removing each weight changes the flow of gradients."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from eznas.proxies.passes import product_sum, weight_gradients
from eznas.proxies.proxy import Batch, Proxy


def grasp(model: nn.Module, batch: Batch) -> float:
    """The sum over all weights of -weight x (Hg), the Hessian of the loss times its gradient.

    Wang et al. compute the gradient g and the product in two forward passes; on one batch one serves both.
    Their temperature of 200 is left out, as by Abdelfattah et al., who also found by the networks that they
    had that the sign with the minus is the one with which higher is better.
    """
    pairs = weight_gradients(model, batch, differentiable=True)
    products = [(gradient.detach() * gradient).sum() for _, gradient in pairs if gradient.requires_grad]
    if not products:
        return 0.0
    parameters: list[Tensor] = [weight for weight, _ in pairs]
    seconds = torch.autograd.grad(torch.stack(products).sum(), parameters, allow_unused=True)
    return -sum(
        product_sum(weight, second)
        for weight, second in zip(parameters, seconds, strict=True)
        if second is not None
    )


GRASP = Proxy(
    name="grasp",
    orientation=1,
    needs_targets=True,
    description="Sum over all weights of minus weight times the product of Hessian and gradient of the "
    "cross-entropy.",
    source="Wang, Zhang and Grosse, Picking Winning Tickets Before Training by Preserving Gradient Flow, "
    "ICLR 2020; as a score of networks: Abdelfattah et al., ICLR 2021, section 3.2",
    formula=grasp,
)
