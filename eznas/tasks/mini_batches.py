"""Where the mini-batch D of a task comes from: the images of a training, or those kept with an import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import torch

from eznas.errors import TaskError
from eznas.tasks.images import NORMALISATIONS, Images
from eznas.tasks.imported_plan import ImportedPlan
from eznas.tasks.plan import TablePlan, prepared


class Batches(Protocol):
    """Gives mini-batches of normalised images, and says what decides them."""

    @property
    def classes(self) -> int:
        """The number of classes of the data set."""

    @property
    def resolution(self) -> int:
        """Height and width of the images in pixels."""

    @property
    def identity(self) -> dict[str, Any]:
        """What decides the batches, for JSON; equal identities give equal batches."""

    def draw(self, size: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Images (size, channels, side, side) float32 and their labels (size,) int64, drawn by the seed.

        Raises:
            TaskError: There are not so many images.
        """


@dataclass(frozen=True, slots=True)
class TrainingBatches:
    """Training images of a table that eznas trained, distorted as training saw them."""

    plan: TablePlan

    @property
    def classes(self) -> int:
        """See `Batches`."""
        return prepared(self.plan)[1].classes

    @property
    def resolution(self) -> int:
        """See `Batches`."""
        return prepared(self.plan)[0].resolution

    @property
    def identity(self) -> dict[str, Any]:
        """See `Batches`."""
        return self.plan.model_dump(mode="json")

    def draw(self, size: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
        """See `Batches`."""
        data = prepared(self.plan)[1]
        generator = torch.Generator().manual_seed(seed)
        chosen = _chosen(len(data.pixels), size, generator)
        return self.plan.training.augmentation(data.pixels[chosen], generator), data.labels[chosen]


@dataclass(frozen=True, slots=True, eq=False)
class ImageBatches:
    """Images kept beside an imported table, normalised as usual for their data set."""

    plan: ImportedPlan
    images: Images

    @property
    def classes(self) -> int:
        """See `Batches`."""
        return self.plan.classes

    @property
    def resolution(self) -> int:
        """See `Batches`."""
        return int(self.images.pixels.shape[-1])

    @property
    def identity(self) -> dict[str, Any]:
        """See `Batches`; the accuracies play no part in it."""
        fields = {"space", "classes", "normalisation", "images_digest"}
        return self.plan.model_dump(mode="json", include=fields)

    def draw(self, size: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
        """See `Batches`."""
        generator = torch.Generator().manual_seed(seed)
        chosen = _chosen(len(self.images.pixels), size, generator)
        pixels = NORMALISATIONS[self.plan.normalisation].applied(self.images.pixels[chosen])
        return pixels, self.images.labels[chosen]


def _chosen(count: int, size: int, generator: torch.Generator) -> torch.Tensor:
    if not 1 <= size <= count:
        raise TaskError(f"expected a batch of 1 to {count} images, got {size}")
    return torch.randperm(count, generator=generator)[:size]
