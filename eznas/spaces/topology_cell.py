"""The cell of NAS-Bench-201: four nodes, six edges, one of five operations on each (Dong and Yang, 2020)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Final

import torch
from torch import nn

from eznas.errors import SpaceError
from eznas.spaces.blocks import relu_conv_bn
from eznas.suggestion import quoted

NODES: Final = 4
EDGES: Final = tuple((source, target) for target in range(1, NODES) for source in range(target))
OPERATIONS: Final[dict[str, Callable[[int], nn.Module]]] = {
    "none": lambda _channels: nn.Identity(),
    "skip_connect": lambda _channels: nn.Identity(),
    "nor_conv_1x1": lambda channels: relu_conv_bn(channels, channels, 1),
    "nor_conv_3x3": lambda channels: relu_conv_bn(channels, channels, 3),
    "avg_pool_3x3": lambda _channels: nn.AvgPool2d(3, 1, 1, count_include_pad=False),
}

_EXAMPLE = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|none~1|nor_conv_1x1~2|"
_EDGE = re.compile(r"(\w+)~(\d)")


def format_cell(operations: tuple[str, ...]) -> str:
    """The benchmark's text of a cell, from the operations of edges 0-1, 0-2, 1-2, 0-3, 1-3, 2-3."""
    by_edge = dict(zip(EDGES, operations, strict=True))
    nodes = (
        "|" + "".join(f"{by_edge[source, target]}~{source}|" for source in range(target))
        for target in range(1, NODES)
    )
    return "+".join(nodes)


def parse_cell(architecture: str) -> tuple[str, ...]:
    """The operations of the six edges, in the order of `EDGES`.

    Raises:
        SpaceError: The text is not a cell in the notation of NAS-Bench-201.
    """
    operations = tuple(name for name, _ in _EDGE.findall(architecture))
    known = len(operations) == len(EDGES) and all(name in OPERATIONS for name in operations)
    if not known or format_cell(operations) != architecture:
        raise SpaceError(
            f"not a cell of four nodes: {quoted(architecture)}; expected a text such as {_EXAMPLE!r} "
            f"with the operations {', '.join(OPERATIONS)}"
        )
    return operations


def all_cells() -> list[str]:
    """All 15,625 cells; the last edge varies fastest."""
    return [format_cell(operations) for operations in itertools.product(OPERATIONS, repeat=len(EDGES))]


class Cell(nn.Module):
    """A cell over maps of one width: each node sums its incoming edges, the last node is the output.

    An edge `none` carries nothing; a node that nothing reaches is zero.
    """

    def __init__(self, operations: tuple[str, ...], channels: int) -> None:
        super().__init__()
        self.operations = operations
        self.channels = channels
        self.edges = nn.ModuleList(OPERATIONS[name](channels) for name in operations)

    def exchange(self, operations: tuple[str, ...], made: dict[tuple[int, str], nn.Module]) -> None:
        """Put other operations on the edges: those made before where there are any, else new ones."""
        self.operations = operations
        for edge, name in enumerate(operations):
            if (edge, name) not in made:
                made[edge, name] = OPERATIONS[name](self.channels)
            self.edges[edge] = made[edge, name]

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Maps (B, channels, H, W) to maps of the same shape."""
        nodes = [inputs]
        for target in range(1, NODES):
            arriving = [
                edge(nodes[source])
                for edge, name, (source, end) in zip(self.edges, self.operations, EDGES, strict=True)
                if end == target and name != "none"
            ]
            nodes.append(sum(arriving[1:], arriving[0]) if arriving else torch.zeros_like(inputs))
        return nodes[-1]
