"""Runs networks without leaving a trace in them or in torch's random generators."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def preserved(model: nn.Module) -> Iterator[None]:
    """Put a network back as it was when the block ends, also after an exception.

    Buffers (such as the running statistics of batch norms), the training flags of all modules and the
    `requires_grad` flags of all parameters are put back.
    """
    modules = list(model.modules())
    training = [(module, module.training) for module in modules]
    required = [
        (parameter, parameter.requires_grad)
        for module in modules
        for parameter in module._parameters.values()
        if parameter is not None
    ]
    buffers = [
        (module._buffers, name, buffer, buffer.detach().clone())
        for module in modules
        for name, buffer in module._buffers.items()
        if buffer is not None
    ]
    try:
        yield
    finally:
        with torch.no_grad():
            for holder, name, buffer, content in buffers:
                buffer.copy_(content)
                holder[name] = buffer
        for parameter, flag in required:
            if parameter.requires_grad != flag:
                parameter.requires_grad_(flag)
        for module, flag in training:
            if module.training != flag:
                module.training = flag


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Draw from torch's own generators as if just seeded, and put them back when the block ends.

    Args:
        seed: what the generators of the processor and of the device are seeded with.
        device: where the network runs.
    """
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.default_generator.manual_seed(seed)
        for index in devices:
            with torch.cuda.device(index):
                torch.cuda.manual_seed(seed)
        yield
