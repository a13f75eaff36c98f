"""Geometries from the settings of a convolution, for those who have no network at hand."""

from __future__ import annotations

from typing import Final

from eznas.errors import ConfigError
from eznas.terminals import Geometry

_STRUCTURES: Final = ("rcb", "cbr")


def geometry_of_convolution(
    channels_in: int,
    channels_out: int,
    kernel: int = 3,
    stride: int = 1,
    groups: int = 1,
    side: int = 32,
    batch: int = 1,
    structure: str = "rcb",
) -> Geometry:
    """The shapes of a layer around one convolution with square kernel and maps, padded by kernel // 2.

    Args:
        channels_in: Channels that the convolution reads.
        channels_out: Channels that it writes.
        kernel: Height and width of its kernel.
        stride: Its stride.
        groups: Its groups; they divide both numbers of channels.
        side: Height and width of the maps that it reads.
        batch: The number of images.
        structure: `rcb`, where the ReLU reads what the convolution will read, or `cbr`, where it reads what
            the batch norm wrote.

    Raises:
        ConfigError: An unknown structure, a number below 1, or groups that do not divide the channels.
    """
    if structure not in _STRUCTURES:
        raise ConfigError(f"expected a structure of {', '.join(_STRUCTURES)}; got {structure!r}")
    numbers = {
        "channels_in": channels_in,
        "channels_out": channels_out,
        "kernel": kernel,
        "stride": stride,
        "groups": groups,
        "side": side,
        "batch": batch,
    }
    for name, value in numbers.items():
        if value < 1:
            raise ConfigError(f"{name} must be at least 1, got {value}")
    if channels_in % groups or channels_out % groups:
        raise ConfigError(
            f"groups must divide the channels, got {groups} groups for {channels_in} channels in "
            f"and {channels_out} out"
        )
    side_out = (side + 2 * (kernel // 2) - kernel) // stride + 1
    read = (batch, channels_in, side, side)
    written = (batch, channels_out, side_out, side_out)
    return Geometry(
        t1=read if structure == "rcb" else written,
        t2=read,
        t3=(channels_out, channels_in // groups, kernel, kernel),
        t4=written,
    )
