"""A cell of the DARTS skeleton, and where in a network it stands (Liu, Simonyan and Yang, 2019)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn

from eznas.spaces.blocks import relu_conv_bn
from eznas.spaces.nds.design import INPUTS, CellDesign, Design
from eznas.spaces.nds.operations import OPERATIONS, FactorizedReduce


@dataclass(frozen=True, slots=True)
class Position:
    """A cell in its place.

    Attributes:
        design: the normal or the reduction cell.
        inputs: the channels that come from the cell before the last, and from the last.
        channels: the channels of every operation.
        reduction: whether the cell halves the map.
        aligned: whether the maps of both inputs are of one size; otherwise the first is twice as large.
    """

    design: CellDesign
    inputs: tuple[int, int]
    channels: int
    reduction: bool
    aligned: bool

    @property
    def outputs(self) -> int:
        """The channels of the concatenated map."""
        return len(self.design.concatenation) * self.channels

    @property
    def align_stride(self) -> int:
        """The stride that brings the map of the first input to the size of the second."""
        return 1 if self.aligned else 2

    def stride(self, source: int) -> int:
        """The stride of an operation that reads this input or node."""
        return 2 if self.reduction and source < INPUTS else 1


def positions(design: Design, stem_channels: int, *, aligned: bool) -> Iterator[Position]:
    """The cells of a network in turn; those at one and two thirds of the depth halve the map.

    Args:
        design: The architecture.
        stem_channels: The channels of each of the two maps that the stem gives.
        aligned: Whether these maps are of one size.
    """
    reductions = {design.depth // 3, 2 * design.depth // 3}
    inputs, channels = (stem_channels, stem_channels), design.width
    for index in range(design.depth):
        reduction = index in reductions
        channels *= 2 if reduction else 1
        cell = design.reduce if reduction else design.normal
        position = Position(cell, inputs, channels, reduction, aligned)
        yield position
        inputs, aligned = (inputs[1], position.outputs), not reduction


def align(inputs: int, outputs: int, stride: int) -> nn.Module:
    """Brings an input of a cell to the width of its operations, and halves the map for stride 2."""
    return relu_conv_bn(inputs, outputs, 1) if stride == 1 else FactorizedReduce(inputs, outputs)


class Cell(nn.Module):
    """Aligns both inputs; each node then sums two operations on what comes before it."""

    def __init__(self, position: Position) -> None:
        super().__init__()
        channels = position.channels
        self.design = position.design
        self.align = nn.ModuleList(
            align(inputs, channels, stride)
            for inputs, stride in zip(position.inputs, (position.align_stride, 1), strict=True)
        )
        self.operations = nn.ModuleList(
            OPERATIONS[edge.operation](channels, position.stride(edge.source)) for edge in self.design.edges
        )

    def forward(self, before_last: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
        """The maps of the two cells before to maps (B, outputs, H, W), halved in a reduction cell."""
        states = [self.align[0](before_last), self.align[1](last)]
        edges = zip(self.operations, self.design.edges, strict=True)
        for _ in range(self.design.nodes):
            (first, edge), (second, other) = next(edges), next(edges)
            states.append(first(states[edge.source]) + second(states[other.source]))
        return torch.cat([states[node] for node in self.design.concatenation], 1)
