"""Draws the weights that a network is scored with, as `eznas.initialise` does, with torch alone."""

from __future__ import annotations

import torch
from torch import nn


def initialise(model: nn.Module, seed: int) -> nn.Module:
    """Draw the weights of a network in place, and give the same network back.

    Convolutions: Kaiming-normal (fan-out, gain of ReLU), bias 0. Batch norms: weight 1, bias 0. Linear
    layers: N(0, 0.01), bias 0. Everything else stays as it is.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d):
                drawn = torch.empty_like(module.weight, device="cpu", memory_format=torch.contiguous_format)
                nn.init.kaiming_normal_(drawn, mode="fan_out", nonlinearity="relu", generator=generator)
                module.weight.copy_(drawn)
            elif isinstance(module, nn.Linear):
                drawn = torch.empty_like(module.weight, device="cpu").normal_(0.0, 0.01, generator=generator)
                module.weight.copy_(drawn)
            elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d | nn.SyncBatchNorm):
                if module.weight is not None:
                    module.weight.fill_(1.0)
            else:
                continue
            if module.bias is not None:
                module.bias.fill_(0.0)
    return model
