"""Choices of errors of the size of rounding, each decided by its number."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final

import torch

# Of matrices that the benchmark meets, float32 LAPACK moves outer eigenvalues by up to 3.7 times it, relative
# to the norm (median 0.7), and determinants by up to 0.6 deviations of what it does to them (median 0.06).
NOISE: Final = 2.0**-22
"""Twice the spacing of float32 numbers at 1: errors of size 1."""


class Direction(Enum):
    """Where the errors of an operation push its result."""

    DOWN = auto()
    UP = auto()
    NONE = auto()
    """Nowhere; but what may be zero, a determinant or an eigenvalue, is."""
    ANY = auto()
    """Each element somewhere else."""


_FIRST_DIRECTIONS: Final = (Direction.DOWN, Direction.UP, Direction.NONE, Direction.ANY)
"""Of the first draws, in all operations; later draws choose for each operation."""

_REPLACED: Final = 0.125
"""The share of determinants that a draw changes which starts from another."""


class Draw:
    """One choice of all errors.

    Args:
        number: Seeds it.
        size: How large the errors are, in units of `NOISE`.
        kept: What steps of `det` and `logdet` gave in another draw.
    """

    def __init__(self, number: int, size: float, kept: Mapping[int, torch.Tensor]) -> None:
        self.generator = torch.Generator().manual_seed(number)
        self.noise = size * NOISE
        self.determinants: dict[int, torch.Tensor] = {}
        self._kept = kept
        self._number = number

    def mixed(self, step: int, determinants: torch.Tensor) -> torch.Tensor:
        """Most of what another draw gave, where there is one: the errors of each matrix are its own."""
        kept = self._kept.get(step)
        if kept is not None:
            replaced = torch.rand(determinants.shape, generator=self.generator) < _REPLACED
            determinants = torch.where(replaced, determinants, kept)
        self.determinants[step] = determinants
        return determinants

    def direction(self) -> Direction:
        """Of the next operation."""
        if self._kept:
            return Direction.ANY
        if self._number < len(_FIRST_DIRECTIONS):
            return _FIRST_DIRECTIONS[self._number]
        return _FIRST_DIRECTIONS[int(torch.randint(len(_FIRST_DIRECTIONS), (), generator=self.generator))]

    def normal(self, like: torch.Tensor) -> torch.Tensor:
        """Numbers of the standard normal distribution in the shape of a tensor."""
        return torch.randn(like.shape, generator=self.generator, dtype=like.dtype)

    def moved(self, value: torch.Tensor, radius: torch.Tensor) -> torch.Tensor:
        """A value that may be off by a radius."""
        direction = self.direction()
        if direction is Direction.NONE:
            sign = 2.0 * torch.randint(2, value.shape, generator=self.generator) - 1.0
            return torch.where(value.abs() <= radius, 0.0 * sign, value)
        if direction is Direction.ANY:
            return value + radius * (2.0 * torch.rand(value.shape, generator=self.generator) - 1.0)
        return value + (radius if direction is Direction.UP else -radius)

    def rounded(self, value: torch.Tensor) -> torch.Tensor:
        """A value with a relative error."""
        direction = self.direction()
        if direction is Direction.NONE:
            return value
        if direction is Direction.ANY:
            moved = value * (1.0 + self.noise * self.normal(value))
        else:
            moved = value * (1.0 + (self.noise if direction is Direction.UP else -self.noise))
        # Not zero times infinity, which would be NaN.
        return torch.where(torch.isfinite(value), moved, value)
