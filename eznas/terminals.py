"""The 22 statistics of a layer that programs read, and the shapes that they have (EZNAS, section 3.1)."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

Shape = tuple[int, ...]


class Input(StrEnum):
    """The three inputs that a network is run on: data, noise, and data plus a tenth of noise."""

    DATA = "D"
    NOISE = "N"
    PERTURBED = "P"


class Family(StrEnum):
    """The four tensors of a layer; a terminal is one of them, or its gradient, for one input."""

    RELU_INPUT = "T1"
    CONVOLUTION_INPUT = "T2"
    WEIGHT = "T3"
    BATCH_NORM_OUTPUT = "T4"


@dataclass(frozen=True, slots=True)
class Terminal:
    """One statistic: which tensor, for which input (None for the weight itself), value or gradient."""

    family: Family
    input: Input | None
    gradient: bool

    @property
    def name(self) -> str:
        """The name in program texts, such as `T1_D`, `T3` or `T3G_N`."""
        stem = self.family + ("G" if self.gradient else "")
        return stem if self.input is None else f"{stem}_{self.input}"


def _all_terminals() -> tuple[Terminal, ...]:
    terminals = []
    for gradient in (False, True):
        for family in Family:
            if family is Family.WEIGHT and not gradient:
                terminals.append(Terminal(family, None, gradient))
            else:
                terminals.extend(Terminal(family, source, gradient) for source in Input)
    return tuple(terminals)


TERMINALS: Final[dict[str, Terminal]] = {terminal.name: terminal for terminal in _all_terminals()}
"""Every terminal by its name: T1_D, T1_N, T1_P, T2_D, ..., T3, ..., T4G_P; 22 in all."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """The shapes of a layer's tensors, one a family; None where the layer holds nothing of that family.

    T1, T2 and T4 are (batch, channels, height, width), T3 is (out, in / groups, height, width).
    """

    t1: Shape | None = None
    t2: Shape | None = None
    t3: Shape | None = None
    t4: Shape | None = None

    def shape(self, terminal: str) -> Shape | None:
        """The shape of the terminal of this name, or None where this layer does not hold it."""
        shape: Shape | None = getattr(self, _FIELD_OF[terminal])
        return shape


_FIELD_OF: Final = {name: terminal.family.lower() for name, terminal in TERMINALS.items()}
"""The field of `Geometry` for each terminal."""


_numbered: list[Geometry] = []
_number_of: dict[Geometry, int] = {}
_numbering = threading.Lock()


def number_of_geometry(geometry: Geometry) -> int:
    """The number of a geometry in this process, the same for equal ones, from 0 in the order they are met.

    An array of numbers can be searched at once, where to hash the shapes of one layer takes 0.5 µs. Those of
    other processes mean something else. Every geometry ever met is held, some 1 KB each.
    """
    number = _number_of.get(geometry)
    if number is None:
        with _numbering:
            number = _number_of.get(geometry)
            if number is None:
                number = len(_numbered)
                # First into the list, where others look once they have the number.
                _numbered.append(geometry)
                _number_of[geometry] = number
    return number


def numbered_geometry(number: int) -> Geometry:
    """The geometry of a number that `number_of_geometry` gave."""
    return _numbered[number]
