"""A task: a space, a data set, and architectures with the accuracies that they reach on it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from eznas.errors import TaskError
from eznas.spaces import Space
from eznas.statistics import initialise
from eznas.tasks.mini_batches import Batches
from eznas.tasks.table import AccuracyTable

Rows = Sequence[int] | NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What proxies are evolved and tested on."""

    name: str
    space: Space
    batches: Batches
    """Where mini-batches come from."""
    table: AccuracyTable
    provenance: dict[str, Any]
    """Where the accuracies come from, for JSON: the plan of a training, or what was imported."""
    source: str
    """The name or the folder that `eznas.tasks.get` opens it by."""
    _rows: dict[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        rows = {architecture: row for row, architecture in enumerate(self.architectures)}
        object.__setattr__(self, "_rows", rows)

    @property
    def architectures(self) -> tuple[str, ...]:
        """The architectures with known accuracies, in the order of the space."""
        return self.table.architectures

    @property
    def accuracies(self) -> NDArray[np.float64]:
        """(architectures,) the mean test accuracy over the seeds, in per cent."""
        return self.table.accuracies

    @property
    def classes(self) -> int:
        """The number of classes of the images."""
        return self.batches.classes

    def parameters(self, rows: Rows) -> NDArray[np.int64]:
        """The trainable parameters of the architectures of these rows, counted where the table has none."""
        if self.table.parameters is not None:
            return self.table.parameters[list(rows)]
        counted = [self.space.parameters(self.architectures[row], self.classes) for row in rows]
        return np.array(counted, dtype=np.int64)

    def flops(self, rows: Rows) -> NDArray[np.int64]:
        """The multiply-adds of the architectures of these rows, counted where the table has none."""
        if self.table.flops is not None:
            return self.table.flops[list(rows)]
        side = self.batches.resolution
        counted = [self.space.flops(self.architectures[row], self.classes, side) for row in rows]
        return np.array(counted, dtype=np.int64)

    def index(self, architecture: str) -> int:
        """The row of an architecture.

        Raises:
            TaskError: Its accuracy is not known.
        """
        try:
            return self._rows[architecture]
        except KeyError:
            raise TaskError(
                f"the task {self.name} knows no accuracy of {architecture!r}; "
                f"it knows {len(self.architectures)} architectures of the space {self.space.name}"
            ) from None

    def build(self, architecture: str, seed: int = 0) -> nn.Module:
        """The untrained network of an architecture, with the weights that statistics are collected from.

        Raises:
            SpaceError: The architecture is not of the space.
        """
        # The module draws weights of its own while it is built; nobody's random numbers should move for that.
        with torch.random.fork_rng(devices=[]):
            model = self.space.build(architecture, self.classes)
        return initialise(model, seed)

    def builder(self) -> Callable[[str, int], nn.Module]:
        """As `build`, for many networks of which one at a time is used; see `Space.builder`."""
        build = self.space.builder(self.classes)

        def initialised(architecture: str, seed: int = 0) -> nn.Module:
            with torch.random.fork_rng(devices=[]):
                model = build(architecture)
            return initialise(model, seed)

        return initialised

    def inputs(self, batch_size: int = 1, seed: int = 0) -> torch.Tensor:
        """The mini-batch D: images of the task, normalised, and distorted where training distorted them.

        Args:
            batch_size: How many images.
            seed: Decides which images, and how they are distorted.

        Returns:
            (batch_size, channels, side, side) float32.

        Raises:
            TaskError: There are not so many images.
        """
        return self.batch(batch_size, seed)[0]

    def batch(self, batch_size: int = 1, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
        """The mini-batch of `inputs` with its labels, (batch_size,) int64, which some proxies need."""
        return self.batches.draw(batch_size, seed)

    def draw(self, count: int | None, seed: int, without: Collection[int] = ()) -> list[int]:
        """Draw so many rows, in rising order; all of them if None or more than there are.

        Args:
            count: How many.
            seed: Decides the draw.
            without: Rows that are left out.
        """
        rows = [row for row in self._shuffled_rows(seed).tolist() if row not in without]
        return sorted(rows[:count])

    def split(self, evolution: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Draw so many architectures to evolve on; the others are held out.

        Returns:
            The rows to evolve on and the held-out rows, in the order drawn: the first few of them are as
            fair a sample as all.

        Raises:
            TaskError: One of the two would be empty.
        """
        count = len(self.architectures)
        if not 1 <= evolution < count:
            raise TaskError(
                f"expected to evolve on 1 to {count - 1} of the {count} architectures of {self.name}, "
                f"got {evolution}"
            )
        order = self._shuffled_rows(seed)
        return order[:evolution], order[evolution:]

    def _shuffled_rows(self, seed: int) -> NDArray[np.int64]:
        return np.random.default_rng(seed).permutation(len(self.architectures))
