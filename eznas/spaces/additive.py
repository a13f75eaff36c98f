"""Costs of architectures as sums over their blocks; each kind of block is counted once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import nn

from eznas.spaces.counting import count_flops, count_parameters
from eznas.spaces.space import Space


@dataclass(frozen=True, slots=True)
class Cost:
    """Trainable parameters, and multiply-adds of the convolutions and linear layers for one image."""

    parameters: int
    flops: int

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.parameters + other.parameters, self.flops + other.flops)

    def __mul__(self, times: int) -> Cost:
        return Cost(self.parameters * times, self.flops * times)


def block_cost(side: int, block: Callable[..., nn.Module], *arguments: int) -> Cost:
    """The cost of `block(*arguments)` on a square map; counted on the module itself, once for each question.

    Args:
        side: Height and width of the map that the block reads.
        block: Makes the module.
        arguments: What it is made with, first of all the channels of the map that it reads.
    """
    return _counted(side, block, arguments)


@lru_cache(maxsize=1 << 14)
def _counted(side: int, block: Callable[..., nn.Module], arguments: tuple[int, ...]) -> Cost:
    with torch.random.fork_rng(devices=[]):
        module = block(*arguments)
    return Cost(count_parameters(module), count_flops(module, (1, arguments[0], side, side)))


class AdditiveSpace(Space):
    """A space that knows the cost of an architecture without building its network."""

    @abstractmethod
    def cost(self, architecture: str, classes: int, side: int) -> Cost:
        """What counting on the built network gives for images of side x side pixels, to the unit.

        Raises:
            SpaceError: The text is not an architecture of this space.
        """

    def parameters(self, architecture: str, classes: int = 10) -> int:
        """The number of trainable parameters."""
        return self.cost(architecture, classes, self.resolution).parameters

    def flops(self, architecture: str, classes: int = 10, resolution: int | None = None) -> int:
        """Multiply-adds of the convolutions and linear layers, with bias, for one image."""
        side = self.resolution if resolution is None else resolution
        return self.cost(architecture, classes, side).flops
