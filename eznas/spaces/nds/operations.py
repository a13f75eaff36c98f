"""The operations on the edges of an NDS cell (Radosavovic et al., 2019), defined and named as in DARTS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import torch
from torch import nn
from torch.nn import functional

from eznas.spaces.blocks import relu_conv_bn

Operation = Callable[[int, int], nn.Module]
"""Makes the module of an operation from the number of channels, which it keeps, and the stride, 1 or 2."""


class FactorizedReduce(nn.Module):
    """Halves the map, rounding up: a ReLU, two 1x1 convolutions of stride 2 side by side, a batch norm.

    Each convolution gives half of the channels; the second reads the map shifted by one pixel, so that no
    row and column is lost. The number of outputs must be even.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.even = nn.Conv2d(inputs, outputs // 2, 1, 2, bias=False)
        self.odd = nn.Conv2d(inputs, outputs // 2, 1, 2, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Maps (B, inputs, H, W) to maps (B, outputs, H/2, W/2)."""
        rectified = self.relu(inputs)
        # Zeros behind the last row and column, so that both convolutions agree on odd sides too.
        shifted = functional.pad(rectified, (0, 1, 0, 1))[:, :, 1:, 1:]
        out: torch.Tensor = self.norm(torch.cat([self.even(rectified), self.odd(shifted)], 1))
        return out


class Zero(nn.Module):
    """The operation `none`: zeros of the size that any other operation of this stride would give."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Maps (B, C, H, W) to zeros (B, C, H/stride, W/stride)."""
        return torch.zeros_like(inputs[:, :, :: self.stride, :: self.stride])


def _skip(channels: int, stride: int) -> nn.Module:
    return nn.Identity() if stride == 1 else FactorizedReduce(channels, channels)


def _average_pool(_channels: int, stride: int, *, size: int) -> nn.Module:
    return nn.AvgPool2d(size, stride, size // 2, count_include_pad=False)


def _max_pool(_channels: int, stride: int, *, size: int) -> nn.Module:
    return nn.MaxPool2d(size, stride, size // 2)


def _convolution(channels: int, stride: int, *, kernel: int) -> nn.Module:
    return relu_conv_bn(channels, channels, kernel, stride)


def _crossed(channels: int, stride: int, *, length: int) -> nn.Module:
    """A convolution along the rows and one along the columns."""
    reach = length // 2
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(channels, channels, (1, length), (1, stride), (0, reach), bias=False),
        nn.Conv2d(channels, channels, (length, 1), (stride, 1), (reach, 0), bias=False),
        nn.BatchNorm2d(channels),
    )


def _separable(channels: int, stride: int, *, kernel: int, dilation: int = 1, rounds: int = 2) -> nn.Module:
    """A depthwise and a pointwise convolution behind one ReLU; the first round has the stride."""
    layers: list[nn.Module] = []
    for step in (stride, 1)[:rounds]:
        padding = dilation * (kernel // 2)
        layers += [
            nn.ReLU(),
            nn.Conv2d(channels, channels, kernel, step, padding, dilation, groups=channels, bias=False),
            nn.Conv2d(channels, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
        ]
    return nn.Sequential(*layers)


OPERATIONS: Final[Mapping[str, Operation]] = {
    "none": lambda _channels, stride: Zero(stride),
    "skip_connect": _skip,
    "avg_pool_3x3": partial(_average_pool, size=3),
    "max_pool_3x3": partial(_max_pool, size=3),
    "max_pool_5x5": partial(_max_pool, size=5),
    "max_pool_7x7": partial(_max_pool, size=7),
    "conv_1x1": partial(_convolution, kernel=1),
    "conv_3x3": partial(_convolution, kernel=3),
    "conv_3x1_1x3": partial(_crossed, length=3),
    "conv_7x1_1x7": partial(_crossed, length=7),
    "sep_conv_3x3": partial(_separable, kernel=3),
    "sep_conv_5x5": partial(_separable, kernel=5),
    "sep_conv_7x7": partial(_separable, kernel=7),
    "dil_conv_3x3": partial(_separable, kernel=3, dilation=2, rounds=1),
    "dil_conv_5x5": partial(_separable, kernel=5, dilation=2, rounds=1),
    "dil_sep_conv_3x3": partial(_separable, kernel=3, dilation=2),
}
"""Every operation of the five spaces by the name that the records use."""
