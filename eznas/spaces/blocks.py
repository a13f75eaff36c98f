"""The blocks that the spaces are made of."""

from __future__ import annotations

import torch
from torch import nn


def relu_conv_bn(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """ReLU, convolution (padded to keep the map size at stride 1) and batch norm: one RCB layer."""
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    )


def stem(inputs: int, outputs: int) -> nn.Sequential:
    """A 3x3 convolution and batch norm from the image to the first stage."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs))


def halve(inputs: int, outputs: int) -> nn.Sequential:
    """Halve the map by 2x2 average pooling, then change the width by a 1x1 RCB layer.

    It mixes no neighbouring positions beyond the pooling, so that accuracy is decided by the
    searched parts rather than by the skeleton.
    """
    return nn.Sequential(nn.AvgPool2d(2, ceil_mode=True), *relu_conv_bn(inputs, outputs, 1))


class ResidualHalving(nn.Module):
    """The residual block of NAS-Bench-201 that halves the map and changes the width.

    Two 3x3 RCB layers, the first of stride 2, around them 2x2 average pooling and a 1x1 convolution. The
    sides of the map must be even: pooling rounds down where the convolution rounds up.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            relu_conv_bn(inputs, outputs, 3, stride=2), relu_conv_bn(outputs, outputs, 3)
        )
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(inputs, outputs, 1, bias=False))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Maps (B, inputs, H, W) to maps (B, outputs, H/2, W/2)."""
        out: torch.Tensor = self.shortcut(inputs) + self.layers(inputs)
        return out


def classifier(inputs: int, classes: int) -> nn.Sequential:
    """Batch norm, ReLU, global average pooling and the linear layer to the logits."""
    return nn.Sequential(
        nn.BatchNorm2d(inputs),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(inputs, classes),
    )
