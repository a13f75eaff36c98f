"""The cost of an NDS network, block by block along its cells."""

from __future__ import annotations

from eznas.spaces.additive import Cost, block_cost
from eznas.spaces.nds.cell import Position, align, positions
from eznas.spaces.nds.design import INPUTS, Design
from eznas.spaces.nds.operations import OPERATIONS
from eznas.spaces.nds.skeleton import Stem, head


def network_cost(stem: type[Stem], design: Design, image_channels: int, classes: int, side: int) -> Cost:
    """What counting on the built network gives for images of side x side pixels, to the unit."""
    total = block_cost(side, stem, image_channels, design.width)
    for _ in range(stem.halvings):
        side = _halved(side)
    channels = stem.multiple * design.width
    for position in positions(design, channels, aligned=stem.aligned):
        total += _cell_cost(position, side)
        side = _halved(side) if position.reduction else side
        channels = position.outputs
    return total + block_cost(side, head, channels, classes)


def _cell_cost(position: Position, side: int) -> Cost:
    """The cost of a cell whose nearer input is a map of side x side pixels."""
    channels = position.channels
    total = block_cost(side, align, position.inputs[1], channels, 1)
    # The convolutions that halve a map cost what its halved side says, whichever way it was rounded.
    stride = position.align_stride
    total += block_cost(stride * side, align, position.inputs[0], channels, stride)
    for edge in position.design.edges:
        inner = position.reduction and edge.source >= INPUTS
        read = _halved(side) if inner else side
        total += block_cost(read, OPERATIONS[edge.operation], channels, position.stride(edge.source))
    return total


def _halved(side: int) -> int:
    """The side of a map after stride 2; every block here rounds up."""
    return (side + 1) // 2
