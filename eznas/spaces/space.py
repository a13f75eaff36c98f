"""What every search space offers: its architectures, and the cost and the module of each."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import ClassVar

import torch
from torch import nn

from eznas.errors import SpaceError
from eznas.spaces.counting import count_flops, count_parameters
from eznas.suggestion import quoted


class Space(ABC):
    """A family of architectures; each architecture is a text.

    A space of your own derives from this class and can be given to the command line as
    `package.module:ClassName`.
    """

    name: ClassVar[str]
    input_channels: ClassVar[int] = 3
    resolution: ClassVar[int] = 32
    """Height and width in pixels of the images that the space is meant for."""

    @abstractmethod
    def architectures(self) -> Sequence[str]:
        """Every architecture of the space, in the benchmark's own order.

        Raises:
            SpaceError: The space is too large to list; see `sample`.
        """

    def sample(self, count: int, seed: int = 0) -> list[str]:
        """So many different architectures, drawn at random; one seed draws the same ones every time.

        Returns:
            The architectures in the order of the space.

        Raises:
            SpaceError: The space holds fewer architectures than asked for, or one of those drawn twice.
        """
        every = self.architectures()
        if not 0 <= count <= len(every):
            raise SpaceError(f"{count} architectures asked for, {self.name} holds {len(every)}")
        chosen = random.Random(seed).sample(range(len(every)), count)
        drawn = [every[index] for index in sorted(chosen)]
        if len(set(drawn)) < count:
            raise SpaceError(f"the architectures of the space {self.name} are not distinct")
        return drawn

    @abstractmethod
    def build(self, architecture: str, classes: int = 10) -> nn.Module:
        """The network of an architecture, from images (B, input_channels, H, W) to logits (B, classes).

        Raises:
            SpaceError: The text is not an architecture of this space.
        """

    def choices(self, architecture: str) -> tuple[Hashable, ...]:
        """The choices that make an architecture, as many for each and always in one order.

        Architectures that differ in one choice are neighbours: a mutation in an architecture search leads
        from one to the other. A space need not define it.

        Raises:
            SpaceError: The text is not an architecture of this space, or the space defines no choices.
        """
        raise SpaceError(
            f"the space {self.name} does not say which architectures are neighbours of "
            f"{quoted(architecture)}; expected it to define choices()"
        )

    def builder(self, classes: int = 10) -> Callable[[str], nn.Module]:
        """Builds as `build` does, one network after the other, for whoever draws all weights anew.

        A network may share modules with those before and after it, so that one at a time can be used.
        """
        return partial(self.build, classes=classes)

    def parameters(self, architecture: str, classes: int = 10) -> int:
        """The number of trainable parameters."""
        return count_parameters(self._scratch_network(architecture, classes))

    def flops(self, architecture: str, classes: int = 10, resolution: int | None = None) -> int:
        """Multiply-adds of the convolutions and linear layers, with bias, for one image."""
        side = self.resolution if resolution is None else resolution
        network = self._scratch_network(architecture, classes)
        return count_flops(network, (1, self.input_channels, side, side))

    def _scratch_network(self, architecture: str, classes: int) -> nn.Module:
        """A network to count on, drawn without moving anyone's random numbers."""
        with torch.random.fork_rng(devices=[]):
            return self.build(architecture, classes)
