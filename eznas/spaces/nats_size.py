"""The size space of NATS-Bench (Dong, Liu, Musial and Gabrys, 2021)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import torch
from torch import nn

from eznas.errors import SpaceError
from eznas.spaces.additive import AdditiveSpace, Cost, block_cost
from eznas.spaces.blocks import ResidualHalving, classifier, relu_conv_bn, stem
from eznas.suggestion import quoted


class SizeCell(nn.Module):
    """The one cell of the size space, which also changes the width.

    In the notation of NAS-Bench-201 it is `|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|
    nor_conv_3x3~1|nor_conv_3x3~2|`. What leaves node 0 changes the width; where it does, the skip connection
    is a 1x1 convolution and a batch norm.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.edge_0_1 = relu_conv_bn(inputs, outputs, 3)
        self.edge_0_2 = relu_conv_bn(inputs, outputs, 3)
        self.edge_1_2 = relu_conv_bn(outputs, outputs, 3)
        self.edge_0_3 = nn.Identity() if inputs == outputs else _resized_skip(inputs, outputs)
        self.edge_1_3 = relu_conv_bn(outputs, outputs, 3)
        self.edge_2_3 = relu_conv_bn(outputs, outputs, 3)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Maps (B, inputs, H, W) to maps (B, outputs, H, W)."""
        first = self.edge_0_1(inputs)
        second = self.edge_0_2(inputs) + self.edge_1_2(first)
        third: torch.Tensor = self.edge_0_3(inputs) + self.edge_1_3(first) + self.edge_2_3(second)
        return third


class NatsSize(AdditiveSpace):
    """Five widths of 8 to 64 channels in one skeleton; 32,768 architectures.

    A text such as `8:16:64:32:40` gives the width of each block in turn: cell, halving, cell, halving, cell.
    The stem has the width of the first. The sides of the images must be multiples of four: 32 for CIFAR, 16
    for ImageNet16-120.
    """

    name = "nats-sss"
    widths = (8, 16, 24, 32, 40, 48, 56, 64)
    blocks = (SizeCell, ResidualHalving, SizeCell, ResidualHalving, SizeCell)

    def architectures(self) -> Sequence[str]:
        """Every architecture, in the order of the benchmark's index; the last width varies fastest."""
        return [
            ":".join(widths) for widths in itertools.product(self._known_widths(), repeat=len(self.blocks))
        ]

    def choices(self, architecture: str) -> tuple[int, ...]:
        """The five widths; see `Space.choices`."""
        return tuple(self._parse(architecture))

    def build(self, architecture: str, classes: int = 10) -> nn.Module:
        """The network of these widths; see `Space.build`."""
        widths = self._parse(architecture)
        return nn.Sequential(
            stem(self.input_channels, widths[0]),
            *(block(before, width) for block, before, width in self._changes(widths)),
            classifier(widths[-1], classes),
        )

    def cost(self, architecture: str, classes: int, side: int) -> Cost:
        """See `AdditiveSpace.cost`."""
        widths = self._parse(architecture)
        total = block_cost(side, stem, self.input_channels, widths[0])
        for block, before, width in self._changes(widths):
            total += block_cost(side, block, before, width)
            side = side // 2 if block is ResidualHalving else side
        return total + block_cost(side, classifier, widths[-1], classes)

    def _changes(self, widths: list[int]) -> Iterator[tuple[type[nn.Module], int, int]]:
        """Each block in turn, with the widths before and behind it."""
        return zip(self.blocks, [widths[0], *widths], widths, strict=False)

    def _parse(self, architecture: str) -> list[int]:
        known = self._known_widths()
        widths = [known[text] for text in architecture.split(":") if text in known]
        if len(widths) != len(self.blocks) or architecture.count(":") != len(self.blocks) - 1:
            raise SpaceError(
                f"not an architecture of {self.name}: {quoted(architecture)}; expected {len(self.blocks)} "
                f"widths such as '8:16:64:32:40', each one of {self.widths}"
            )
        return widths

    def _known_widths(self) -> dict[str, int]:
        return {str(width): width for width in self.widths}


def _resized_skip(inputs: int, outputs: int) -> nn.Module:
    """A 1x1 convolution and batch norm: no RCB layer, for nothing is rectified."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs))
