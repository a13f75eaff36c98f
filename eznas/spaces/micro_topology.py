"""The NAS-Bench-201 cell in a small skeleton, for images of 14x14 pixels."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from eznas.spaces.blocks import classifier, halve, stem
from eznas.spaces.space import Space
from eznas.spaces.topology_cell import Cell, all_cells, parse_cell


class MicroTopology(Space):
    """All 15,625 cells of NAS-Bench-201, one cell in each of three stages of 8, 16 and 32 channels."""

    name = "micro-topology"
    input_channels = 1
    resolution = 14
    widths = (8, 16, 32)

    def architectures(self) -> Sequence[str]:
        """Every cell in the notation of NAS-Bench-201; the operation of the last edge varies fastest."""
        return all_cells()

    def choices(self, architecture: str) -> tuple[str, ...]:
        """The operations of the six edges; see `Space.choices`."""
        return parse_cell(architecture)

    def build(self, architecture: str, classes: int = 10) -> nn.Module:
        """The network with this cell; see `Space.build`."""
        operations = parse_cell(architecture)
        first, second, third = self.widths
        return nn.Sequential(
            stem(self.input_channels, first),
            Cell(operations, first),
            halve(first, second),
            Cell(operations, second),
            halve(second, third),
            Cell(operations, third),
            classifier(third, classes),
        )
