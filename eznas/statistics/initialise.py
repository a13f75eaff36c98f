"""The weights that a network is scored with: drawn anew, from a seed."""

from __future__ import annotations

import hashlib
from typing import TypeVar

import torch
from torch import nn

Network = TypeVar("Network", bound=nn.Module)


def initialise(model: Network, seed: int) -> Network:
    """Draw the weights of a network in place, as EZNAS does, and give the same network back.

    Convolutions get Kaiming-normal weights (fan-out, gain of ReLU) and bias 0, batch norms weight 1 and
    bias 0, linear layers weights of N(0, 0.01) and bias 0; other modules stay as they are. The draws depend
    on the seed and on the order of `model.modules()` alone, on every device; torch's own generator is not
    touched.

    Args:
        model: any network.
        seed: the seed of all draws.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d):
                drawn = torch.empty_like(module.weight, device="cpu", memory_format=torch.contiguous_format)
                nn.init.kaiming_normal_(drawn, mode="fan_out", nonlinearity="relu", generator=generator)
                module.weight.copy_(drawn)
                _fill(module.bias, 0.0)
            elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d | nn.SyncBatchNorm):
                _fill(module.weight, 1.0)
                _fill(module.bias, 0.0)
            elif isinstance(module, nn.Linear):
                drawn = torch.empty_like(module.weight, device="cpu").normal_(0.0, 0.01, generator=generator)
                module.weight.copy_(drawn)
                _fill(module.bias, 0.0)
    return model


def network_seed(seed: int, name: str) -> int:
    """A seed for the network of this name: the same whatever networks come before it."""
    digest = hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def _fill(parameter: torch.Tensor | None, value: float) -> None:
    if parameter is not None:
        parameter.fill_(value)
