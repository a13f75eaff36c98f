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


Sizes = tuple[int, ...]
"""A number for each geometry of a plan."""


class Value(NamedTuple):
    """Something that calls read or write."""

    place: Place
    size: Sizes
    """How many float32 numbers it has."""
    label: str = ""
    """For people: the terminal, or what is computed."""
    constant: Sizes | None = None
    """The number, where it is known beforehand."""
    terminals: frozenset[str] = frozenset()
    """All that it depends on, by their numbers or their shapes."""

    @property
    def is_single(self) -> bool:
        """Whether it has one number, for the first geometry and so for all."""
        return self.size[0] == 1


class Call(NamedTuple):
    """One kernel and its operands, which are indices of values."""

    form: Form
    kernel: str
    result: int
    """The value that it writes or adds to; forms with several results write the ones after it too."""
    first: int
    size: Sizes
    """The numbers in the whole result, or in the tensor that is folded; for ratios the divisor."""
    second: int = NOTHING
    third: int = NOTHING
    repeat: Sizes | None = None
    """How often each number counts in a sum, once where nothing is said; for multiples the numbers in it."""
    sizes: tuple[Sizes, ...] = ()
    """What a shaped kernel is told."""
    fused: tuple[int, ...] = ()
    """The values that a fused kernel reads."""

    @property
    def is_tiled(self) -> bool:
        """Whether it can run tile by tile, and has more than one number to run on."""
        return self.form <= Form.MOMENTS and self.size[0] > 1

    @property
    def operands(self) -> tuple[int, ...]:
        """The values that it reads."""
        if self.form is Form.FUSED:
            return self.fused
        if self.second == NOTHING:
            return (self.first,)
        return (self.first, self.second) if self.third == NOTHING else (self.first, self.second, self.third)
