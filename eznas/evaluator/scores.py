"""What an evaluation gives: the score of every program on every network, and why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from eznas.program import AnyProgram
from eznas.terminals import Shape


class FailureKind(StrEnum):
    """Why a program has no score on a network."""

    SHAPE = "shape"
    """An operation refuses the shapes of its arguments on some layer; nothing was run."""
    NOT_A_NUMBER = "nan"
    """The scalar of a layer is NaN."""
    INFINITE = "infinite"
    """The scalar of a layer is infinite."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The first layer of a network on which a program fails; shapes are checked before values."""

    program: AnyProgram
    network: int
    """The index of the network in the evaluator's statistics."""
    layer: int
    """The index of the layer in the network."""
    kind: FailureKind
    op: str
    """The operation that refuses its arguments, or that makes a value that is not finite from finite ones.

    A terminal, where the statistic itself is not finite; `mean` or `l2`, where the program's tensor is
    finite and its scalar is not.
    """
    shapes: tuple[Shape, ...]
    """The shapes of that operation's arguments."""
    message: str

    def __str__(self) -> str:
        return f"{self.program} on network {self.network}, layer {self.layer}: {self.message}"


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of programs on networks."""

    values: NDArray[np.float64]
    """(programs, networks); NaN where a program fails on any layer of the network."""
    failures: tuple[Failure, ...]
    """One for each NaN, in the order of programs, then networks."""

    @property
    def valid(self) -> NDArray[np.bool_]:
        """(programs,) whether the program has a score on every network."""
        return np.asarray(np.isfinite(self.values).all(axis=1))
