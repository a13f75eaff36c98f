"""What is compared: programs, and proxies of the literature."""

from __future__ import annotations

from dataclasses import dataclass

from eznas import proxies
from eznas.program import NAMED_PROGRAM_ORIENTATIONS, NAMED_PROGRAMS, AnyProgram, canonical_form


@dataclass(frozen=True, slots=True)
class Contender:
    """A program to compare, and whether its higher (1) or its lower (-1) scores mean higher accuracy."""

    name: str
    program: AnyProgram
    orientation: int = 1

    @property
    def key(self) -> str:
        """What decides its scores on given statistics."""
        return str(canonical_form(self.program))


@dataclass(frozen=True, slots=True)
class ProxyContender:
    """A proxy of `eznas.proxies` to compare.

    Raises:
        ProxyError: There is no proxy of this name, when its orientation is asked for.
    """

    name: str

    @property
    def program(self) -> None:
        """It is none."""

    @property
    def orientation(self) -> int:
        """As its source has it."""
        return proxies.get(self.name).orientation

    @property
    def key(self) -> str:
        """What decides its scores on given networks."""
        return f"proxy {self.name}"


AnyContender = Contender | ProxyContender


def named_contender(name: str) -> Contender:
    """The named program of this name, in its orientation."""
    return Contender(name, NAMED_PROGRAMS[name], NAMED_PROGRAM_ORIENTATIONS[name])
