"""Fisher pruning: how the loss would change without each channel."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge

from eznas.proxies.passes import loss, weights
from eznas.proxies.proxy import Batch, Proxy


@dataclass(frozen=True, slots=True, eq=False)
class _Activation:
    """The output of one call of a layer, where its gradient is found, and the weights of a channel."""

    value: Tensor
    edge: GradientEdge
    weights_per_channel: int


def fisher(model: nn.Module, batch: Batch) -> float:
    """The sum over layers and channels of half the mean over inputs of (activation x gradient) squared.

    The activation is the output of a convolution or linear layer, activation x gradient is summed over the
    positions of the map before it is squared. As in the code of Abdelfattah et al. the value of a channel
    counts once for each weight of the channel; Theis et al. and Turner et al., who prune channels, count it
    once. A layer that is called several times counts each time.
    """
    weights(model)  # raises where there is none
    activations: list[_Activation] = []
    with _recorded(model, activations):
        objective = loss(model, batch)
    if not objective.requires_grad or not activations:
        return 0.0
    edges = [activation.edge for activation in activations]
    gradients = torch.autograd.grad(objective, edges, allow_unused=True)
    return sum(
        _channel_sum(activation.value, gradient) * activation.weights_per_channel
        for activation, gradient in zip(activations, gradients, strict=True)
        if gradient is not None
    )


def _channel_sum(activation: Tensor, gradient: Tensor) -> float:
    flow = activation * gradient
    if flow.dim() > 2:
        flow = flow.flatten(2).sum(2)
    return float(flow.square().mean(0).sum() / 2)


@contextmanager
def _recorded(model: nn.Module, activations: list[_Activation]) -> Iterator[None]:
    """Keep the output of every convolution and linear layer that runs inside of the block."""

    def record(module: nn.Module, _inputs: object, output: Tensor) -> None:
        weight = module._parameters.get("weight")
        if weight is not None and output.requires_grad:
            # A copy, since the next module may write over the output.
            value = output.detach().clone()
            activations.append(_Activation(value, get_gradient_edge(output), weight[0].numel()))

    layers = [module for module in model.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    handles = [layer.register_forward_hook(record) for layer in layers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


FISHER = Proxy(
    name="fisher",
    orientation=1,
    needs_targets=True,
    description="Sum over channels, one for each weight, of half the mean square of activation times "
    "gradient of the cross-entropy.",
    source="Theis, Korshunova, Tejani and Huszar, Faster Gaze Prediction with Dense Networks and Fisher "
    "Pruning, 2018; Turner et al., BlockSwap, ICLR 2020; as a score of networks: Abdelfattah et "
    "al., ICLR 2021, section 3.2",
    formula=fisher,
)
