"""The topology space of NATS-Bench, which is NAS-Bench-201 (Dong et al., 2021; Dong and Yang, 2020)."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from torch import nn

from eznas.spaces.additive import AdditiveSpace, Cost, block_cost
from eznas.spaces.blocks import ResidualHalving, classifier, stem
from eznas.spaces.topology_cell import EDGES, OPERATIONS, Cell, all_cells, format_cell, parse_cell

_ORDER_SEED: Final = 88


class NatsTopology(AdditiveSpace):
    """All 15,625 cells of NAS-Bench-201, five in each of three stages of 16, 32 and 64 channels.

    The sides of the images must be multiples of four: 32 for CIFAR, 16 for ImageNet16-120.
    """

    name = "nats-tss"
    widths = (16, 32, 64)
    cells_per_stage = 5

    def architectures(self) -> Sequence[str]:
        """Every cell in the notation of NAS-Bench-201, in the order of the benchmark's index."""
        cells = all_cells()
        # The benchmark numbered its cells by this shuffle; Python keeps its result from version 3.2 on.
        random.Random(_ORDER_SEED).shuffle(cells)
        return cells

    def choices(self, architecture: str) -> tuple[str, ...]:
        """The operations of the six edges; see `Space.choices`."""
        return parse_cell(architecture)

    def build(self, architecture: str, classes: int = 10) -> nn.Module:
        """The network with this cell; see `Space.build`."""
        operations = parse_cell(architecture)
        blocks: list[nn.Module] = [stem(self.input_channels, self.widths[0])]
        blocks += self._stage(operations, self.widths[0])
        for before, width in itertools.pairwise(self.widths):
            blocks.append(ResidualHalving(before, width))
            blocks += self._stage(operations, width)
        blocks.append(classifier(self.widths[-1], classes))
        return nn.Sequential(*blocks)

    def builder(self, classes: int = 10) -> Callable[[str], nn.Module]:
        """See `Space.builder`; a network takes 40 ms to build, as long as a pass, and 1 ms to be changed."""
        network = self.build(format_cell(("none",) * len(EDGES)), classes)
        cells: list[tuple[Cell, dict[tuple[int, str], nn.Module]]] = [
            (module, {}) for module in network.modules() if isinstance(module, Cell)
        ]

        def changed(architecture: str) -> nn.Module:
            operations = parse_cell(architecture)
            for cell, made in cells:
                cell.exchange(operations, made)
            return network

        return changed

    def cost(self, architecture: str, classes: int, side: int) -> Cost:
        """See `AdditiveSpace.cost`."""
        operations = Counter(parse_cell(architecture))
        del operations["none"]  # nothing is built where nothing flows
        total = block_cost(side, stem, self.input_channels, self.widths[0])
        for before, width in zip((None, *self.widths), self.widths, strict=False):
            if before is not None:
                total += block_cost(side, ResidualHalving, before, width)
                side //= 2
            for name, times in operations.items():
                total += block_cost(side, OPERATIONS[name], width) * (times * self.cells_per_stage)
        return total + block_cost(side, classifier, self.widths[-1], classes)

    def _stage(self, operations: tuple[str, ...], width: int) -> list[nn.Module]:
        return [Cell(operations, width) for _ in range(self.cells_per_stage)]
