"""A task: a space, a data set, and architectures with the accuracies that they reach on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from eznas.errors import TaskError
from eznas.spaces import Space
from eznas.statistics import initialise
from eznas.tasks.plan import TablePlan, prepared
from eznas.tasks.table import AccuracyTable


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What proxies are evolved and tested on."""

    name: str
    space: Space
    plan: TablePlan
    """How the table was made."""
    table: AccuracyTable
    provenance: dict[str, Any]
    """The plan, the quality of the ranking, and what the table was made with."""
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
        return prepared(self.plan)[1].classes

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

    def inputs(self, batch_size: int = 1, seed: int = 0) -> torch.Tensor:
        """The mini-batch D: training images as training saw them, normalised and distorted.

        Args:
            batch_size: How many images.
            seed: Decides which images, and how they are distorted.

        Returns:
            (batch_size, channels, side, side) float32, at the resolution of the space.

        Raises:
            TaskError: There are not so many training images.
        """
        pixels = prepared(self.plan)[1].pixels
        if not 1 <= batch_size <= len(pixels):
            raise TaskError(f"expected a batch of 1 to {len(pixels)} images, got {batch_size}")
        generator = torch.Generator().manual_seed(seed)
        chosen = torch.randperm(len(pixels), generator=generator)[:batch_size]
        return self.plan.training.augmentation(pixels[chosen], generator)

    def draw(self, count: int | None, seed: int) -> list[int]:
        """Draw so many rows, in rising order; all of them if None or more than there are."""
        return sorted(self._shuffled_rows(seed)[:count].tolist())

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
