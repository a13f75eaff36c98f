"""Parameters and multiply-adds of any module."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


def count_parameters(model: nn.Module) -> int:
    """The number of trainable parameters."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def count_flops(model: nn.Module, input_shape: tuple[int, ...]) -> int:
    """Multiply-adds of the convolutions and linear layers in one forward pass, with bias.

    The convention of NAS-Bench-201: one multiply-add counts as one, batch norms and pooling as none. The
    pass is really made: on the meta device it would take five times as long for small networks.
    """
    total = 0

    def add_cost(module: nn.Module, _inputs: Any, output: torch.Tensor) -> None:
        nonlocal total
        if isinstance(module, nn.Conv2d):
            reads = module.in_channels // module.groups * module.kernel_size[0] * module.kernel_size[1]
        elif isinstance(module, nn.Linear):
            reads = module.in_features
        else:
            return
        total += output.numel() * (reads + (module.bias is not None))

    handles = [module.register_forward_hook(add_cost) for module in model.modules()]
    modes = [(module, module.training) for module in model.modules()]
    device = next((parameter.device for parameter in model.parameters()), None)
    try:
        # Evaluation mode: batch norms refuse to train on one value a channel.
        model.eval()
        with torch.no_grad():
            model(torch.zeros(input_shape, device=device))
    finally:
        for handle in handles:
            handle.remove()
        for module, training in modes:
            module.training = training
    return total
