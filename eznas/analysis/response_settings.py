"""What the response of programs is measured on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from eznas.analysis.random_layers import LayerSizes
from eznas.backends import ToScalar
from eznas.errors import ConfigError
from eznas.terminals import TERMINALS

PAPER_REPETITIONS: Final = 5000
"""How often the paper draws each setting (EZNAS, figure 6)."""


class Axis(StrEnum):
    """What is varied while the other sizes stay."""

    CHANNELS = "channels"
    KERNEL = "kernel size"
    SIDE = "map size"


@dataclass(frozen=True, slots=True)
class ResponseSettings:
    """What is drawn.

    Raises:
        ConfigError: A size or the repetitions are below 1, an axis has no sizes, or an unknown to_scalar.
    """

    channels: tuple[int, ...] = (4, 8, 16, 32, 64, 128)
    kernels: tuple[int, ...] = (1, 3, 5, 7)
    sides: tuple[int, ...] = (4, 8, 16, 32, 64)
    """Heights and widths of maps."""
    base: LayerSizes = field(default_factory=lambda: LayerSizes(channels=16, kernel=3, side=16))
    """The sizes that stay while one of them is varied."""
    repetitions: int = PAPER_REPETITIONS
    to_scalar: str = ToScalar.MEAN
    seed: int = 0

    def __post_init__(self) -> None:
        if self.repetitions < 1:
            raise ConfigError(f"repetitions must be at least 1, got {self.repetitions}")
        if self.to_scalar not in list(ToScalar):
            raise ConfigError(f"unknown to_scalar {self.to_scalar!r}; expected one of {', '.join(ToScalar)}")
        for axis in Axis:
            if not self.sizes(axis):
                raise ConfigError(f"expected at least one {axis} to respond to, got none")
            for size in self.sizes(axis):
                self.layer(axis, size).geometry(tuple(TERMINALS))

    def sizes(self, axis: Axis) -> tuple[int, ...]:
        """The sizes along an axis."""
        return {Axis.CHANNELS: self.channels, Axis.KERNEL: self.kernels, Axis.SIDE: self.sides}[axis]

    def layer(self, axis: Axis, size: int) -> LayerSizes:
        """The layer with this size along the axis, and the base's along the others."""
        name = {Axis.CHANNELS: "channels", Axis.KERNEL: "kernel", Axis.SIDE: "side"}[axis]
        return replace(self.base, **{name: size})
