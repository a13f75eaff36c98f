"""A space of widths and depths in a small skeleton, for images of 14x14 pixels."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import nn

from eznas.errors import SpaceError
from eznas.spaces.blocks import classifier, halve, relu_conv_bn, stem
from eznas.spaces.space import Space
from eznas.suggestion import quoted


class _Residual(nn.Module):
    """A 3x3 RCB layer with a skip connection around it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layer = relu_conv_bn(channels, channels, 3)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = inputs + self.layer(inputs)
        return out


class MicroSize(Space):
    """Three stages, each of a width in channels and a depth in residual 3x3 layers.

    A text such as `8x1:16x3:6x2` gives width x depth of each stage; 5,832 architectures.
    """

    name = "micro-size"
    input_channels = 1
    resolution = 14
    widths = (2, 4, 6, 8, 12, 16)
    depths = (1, 2, 3)
    stages = 3

    def architectures(self) -> Sequence[str]:
        """Every architecture; the last stage varies fastest."""
        return [":".join(stages) for stages in itertools.product(self._known_stages(), repeat=self.stages)]

    def choices(self, architecture: str) -> tuple[int, ...]:
        """Width and depth of each stage in turn; see `Space.choices`."""
        return tuple(itertools.chain.from_iterable(self._parse(architecture)))

    def build(self, architecture: str, classes: int = 10) -> nn.Module:
        """The network of these widths and depths; see `Space.build`."""
        stages = self._parse(architecture)
        blocks: list[nn.Module] = [stem(self.input_channels, stages[0][0])]
        for index, (width, depth) in enumerate(stages):
            if index > 0:
                blocks.append(halve(stages[index - 1][0], width))
            blocks.extend(_Residual(width) for _ in range(depth))
        blocks.append(classifier(stages[-1][0], classes))
        return nn.Sequential(*blocks)

    def _parse(self, architecture: str) -> list[tuple[int, int]]:
        known = self._known_stages()
        stages = [known[text] for text in architecture.split(":") if text in known]
        if len(stages) != self.stages or architecture.count(":") != self.stages - 1:
            raise SpaceError(
                f"not an architecture of {self.name}: {quoted(architecture)}; expected {self.stages} stages "
                f"such as '8x1:16x3:6x2', widths of {self.widths}, depths of {self.depths}"
            )
        return stages

    def _known_stages(self) -> dict[str, tuple[int, int]]:
        """Width and depth by the text of a stage."""
        return {f"{width}x{depth}": (width, depth) for width in self.widths for depth in self.depths}
