"""The five NDS spaces, each with the stem for CIFAR and with the stem for ImageNet."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import ClassVar, Final

from torch import nn

from eznas.errors import SpaceError
from eznas.spaces.additive import AdditiveSpace, Cost
from eznas.spaces.nds.cost import network_cost
from eznas.spaces.nds.design import format_design, parse_design
from eznas.spaces.nds.sampling import random_design
from eznas.spaces.nds.skeleton import CifarStem, ImageNetStem, NdsNetwork, Stem


class NdsSpace(AdditiveSpace):
    """A space of "On Network Design Spaces for Visual Recognition" (Radosavovic et al., ICCV 2019).

    A text such as `16x8:sep_conv_3x3~0+skip_connect~1/conv_1x1~2+none~0@2.3:max_pool_3x3~0+skip_connect~1@2`
    gives width, depth, the normal cell and the reduction cell: nodes are separated by `/`, the two edges of
    a node by `+`, what an edge reads stands behind `~`, the concatenated nodes behind `@`. Inputs of a cell
    count as 0 and 1, its nodes from 2 on.

    The spaces differ in what `sample` draws; every one builds any operations, nodes, widths and depths.
    """

    operations: ClassVar[Sequence[str]]
    nodes: ClassVar[int] = 5
    loose_ends: ClassVar[bool]
    """Whether a cell concatenates the nodes that no other reads; otherwise all of them."""
    widths: ClassVar[Sequence[int]] = (16, 24, 32)
    depths: ClassVar[Sequence[int]] = (4, 8, 12, 16, 20)
    stem: ClassVar[type[Stem]] = CifarStem

    def architectures(self) -> Sequence[str]:
        """An NDS space has no list of its architectures.

        Raises:
            SpaceError: Always.
        """
        raise SpaceError(
            f"the space {self.name} is too large to list; draw from it with sample(), or take the "
            "architectures of a task that was imported from NDS records"
        )

    def sample(self, count: int, seed: int = 0) -> list[str]:
        """Different random architectures, widths and depths included, in the order drawn.

        A longer sample of one seed begins with the shorter one.
        """
        source = random.Random(seed)
        drawn: dict[str, None] = {}
        while len(drawn) < count:
            design = random_design(
                source, self.operations, self.nodes, self.widths, self.depths, loose_ends=self.loose_ends
            )
            drawn[format_design(design)] = None
        return list(drawn)

    def choices(self, architecture: str) -> tuple[int | str, ...]:
        """Width, depth, and the operation and the input of every edge of both cells; see `Space.choices`.

        What a cell concatenates is left out: in most of the spaces the inputs of the edges decide it.
        """
        design = parse_design(architecture)
        edges = (*design.normal.edges, *design.reduce.edges)
        made = (end for edge in edges for end in (edge.operation, edge.source))
        return (design.width, design.depth, *made)

    def build(self, architecture: str, classes: int = 10) -> nn.Module:
        """The network of an architecture, without auxiliary head and drop path; see `Space.build`."""
        return NdsNetwork(self.stem, parse_design(architecture), self.input_channels, classes)

    def cost(self, architecture: str, classes: int, side: int) -> Cost:
        """See `AdditiveSpace.cost`."""
        return network_cost(self.stem, parse_design(architecture), self.input_channels, classes, side)


class _OnImageNet(NdsSpace):
    resolution = 224
    stem = ImageNetStem


class NdsAmoeba(NdsSpace):
    """The cells of AmoebaNet (Real et al., 2019)."""

    name = "nds-amoeba"
    operations = (
        *("skip_connect", "sep_conv_3x3", "sep_conv_5x5", "sep_conv_7x7", "avg_pool_3x3", "max_pool_3x3"),
        *("dil_sep_conv_3x3", "conv_7x1_1x7"),
    )
    loose_ends = True


class NdsDarts(NdsSpace):
    """The cells of DARTS (Liu, Simonyan and Yang, 2019)."""

    name = "nds-darts"
    operations = (
        *("none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5"),
        *("dil_conv_3x3", "dil_conv_5x5"),
    )
    nodes = 4
    loose_ends = False


class NdsEnas(NdsSpace):
    """The cells of ENAS (Pham et al., 2018)."""

    name = "nds-enas"
    operations = ("skip_connect", "sep_conv_3x3", "sep_conv_5x5", "avg_pool_3x3", "max_pool_3x3")
    loose_ends = True


class NdsNasnet(NdsSpace):
    """The cells of NASNet (Zoph et al., 2018)."""

    name = "nds-nasnet"
    operations = (
        *("skip_connect", "conv_3x1_1x3", "conv_7x1_1x7", "dil_conv_3x3", "avg_pool_3x3", "max_pool_3x3"),
        *("max_pool_5x5", "max_pool_7x7", "conv_1x1", "conv_3x3"),
        *("sep_conv_3x3", "sep_conv_5x5", "sep_conv_7x7"),
    )
    loose_ends = True


class NdsPnas(NdsSpace):
    """The cells of PNAS (Liu et al., 2018)."""

    name = "nds-pnas"
    operations = (
        *("sep_conv_3x3", "sep_conv_5x5", "sep_conv_7x7", "conv_7x1_1x7", "skip_connect", "avg_pool_3x3"),
        *("max_pool_3x3", "dil_conv_3x3"),
    )
    loose_ends = False


class NdsAmoebaImageNet(_OnImageNet, NdsAmoeba):
    """The cells of AmoebaNet with the stem for ImageNet."""

    name = "nds-amoeba-in"


class NdsDartsImageNet(_OnImageNet, NdsDarts):
    """The cells of DARTS with the stem for ImageNet."""

    name = "nds-darts-in"


class NdsEnasImageNet(_OnImageNet, NdsEnas):
    """The cells of ENAS with the stem for ImageNet."""

    name = "nds-enas-in"


class NdsNasnetImageNet(_OnImageNet, NdsNasnet):
    """The cells of NASNet with the stem for ImageNet."""

    name = "nds-nasnet-in"


class NdsPnasImageNet(_OnImageNet, NdsPnas):
    """The cells of PNAS with the stem for ImageNet."""

    name = "nds-pnas-in"


NDS_SPACES: Final[tuple[type[NdsSpace], ...]] = (
    *(NdsAmoeba, NdsDarts, NdsEnas, NdsNasnet, NdsPnas),
    *(NdsAmoebaImageNet, NdsDartsImageNet, NdsEnasImageNet, NdsNasnetImageNet, NdsPnasImageNet),
)
