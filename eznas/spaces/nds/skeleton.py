"""The DARTS skeleton: a stem, cells that each read the two before them, a linear layer."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import nn

from eznas.spaces.blocks import relu_conv_bn, stem
from eznas.spaces.nds.cell import Cell, positions
from eznas.spaces.nds.design import Design


class Stem(nn.Module):
    """From images to the two maps that the first cell reads.

    Attributes:
        multiple: channels of each map as a multiple of the width.
        halvings: how often the second map is halved.
        aligned: whether both maps are of one size; otherwise the first is twice as large.
    """

    multiple: ClassVar[int]
    halvings: ClassVar[int]
    aligned: ClassVar[bool]


class CifarStem(Stem):
    """A 3x3 convolution and batch norm; the first cell reads its map twice."""

    multiple, halvings, aligned = 3, 0, True

    def __init__(self, image_channels: int, width: int) -> None:
        super().__init__()
        self.layers = stem(image_channels, self.multiple * width)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Images (B, image_channels, H, W) to twice the same map (B, 3 width, H, W)."""
        out = self.layers(images)
        return out, out


class ImageNetStem(Stem):
    """Three 3x3 convolutions of stride 2; the first cell reads what the second and the third give."""

    multiple, halvings, aligned = 1, 3, False

    def __init__(self, image_channels: int, width: int) -> None:
        super().__init__()
        self.quarter = nn.Sequential(
            nn.Conv2d(image_channels, width // 2, 3, 2, 1, bias=False),
            nn.BatchNorm2d(width // 2),
            *relu_conv_bn(width // 2, width, 3, stride=2),
        )
        self.eighth = relu_conv_bn(width, width, 3, stride=2)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Images (B, image_channels, H, W) to maps (B, width, H/4, W/4) and (B, width, H/8, W/8)."""
        quarter = self.quarter(images)
        return quarter, self.eighth(quarter)


def head(inputs: int, classes: int) -> nn.Sequential:
    """Global average pooling and the linear layer to the logits."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes))


class NdsNetwork(nn.Module):
    """A network of the DARTS skeleton, without auxiliary head and drop path."""

    def __init__(self, stem: type[Stem], design: Design, image_channels: int, classes: int) -> None:
        super().__init__()
        self.stem = stem(image_channels, design.width)
        places = list(positions(design, stem.multiple * design.width, aligned=stem.aligned))
        self.cells = nn.ModuleList(Cell(position) for position in places)
        self.head = head(places[-1].outputs, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Images (B, image_channels, H, W) to logits (B, classes)."""
        before_last, last = self.stem(images)
        for cell in self.cells:
            before_last, last = last, cell(before_last, last)
        logits: torch.Tensor = self.head(last)
        return logits
