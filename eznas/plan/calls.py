"""What a lowered program is made of: values, and the calls of kernels that make them."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from eznas_kernels.instructions import Form

NOTHING: Final = 0
"""The value that stands where a call has no operand."""


class Place(StrEnum):
    """Where the numbers of a value are."""

    NOWHERE = "nowhere"
    TERMINAL = "terminal"
    """In the statistics of the layer."""
    NUMBER = "number"
    """A single number, which may stand for a tensor of equal numbers."""
    TOTAL = "total"
    """A float64 sum."""
    TENSOR = "tensor"
    """As many numbers as the tensor has; in tiles, where every reader runs tile by tile with the writer."""


class Value(NamedTuple):
    """Something that calls read or write."""

    place: Place
    size: int
    """How many float32 numbers it has."""
    label: str = ""
    """For people: the terminal, or what is computed."""
    constant: float | None = None
    """The number, where it is known beforehand."""


class Call(NamedTuple):
    """One kernel and its operands, which are indices of values."""

    form: Form
    kernel: str
    result: int
    """The value that it writes or adds to; forms with several results write the ones after it too."""
    first: int
    size: int
    """The numbers in the whole result, or in the tensor that is folded; for ratios the divisor."""
    second: int = NOTHING
    third: int = NOTHING
    repeat: int = 1
    """How often each number counts in a sum."""
    sizes: tuple[int, ...] = ()
    """What a shaped kernel is told; the values that a fused kernel reads."""

    @property
    def is_tiled(self) -> bool:
        """Whether it can run tile by tile, and has more than one number to run on."""
        return self.form <= Form.MOMENTS and self.size > 1

    @property
    def operands(self) -> tuple[int, ...]:
        """The values that it reads."""
        if self.form is Form.FUSED:
            return self.sizes
        if self.second == NOTHING:
            return (self.first,)
        return (self.first, self.second) if self.third == NOTHING else (self.first, self.second, self.third)
