"""Labelled images in memory, and a draw of some of them that keeps the classes equally represented."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray

from eznas.errors import TaskError


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """Images (N, C, H, W) float32 from 0 to 1 and their labels (N,) int64, in a fixed shuffled order."""

    name: str
    pixels: torch.Tensor
    labels: torch.Tensor
    known_classes: int | None = None
    """The number of classes of the whole data set, where it is known; these images may show fewer."""

    @property
    def classes(self) -> int:
        """The number of classes."""
        return int(self.labels.max()) + 1 if self.known_classes is None else self.known_classes

    def resized(self, side: int) -> Images:
        """The images averaged or interpolated to side x side pixels."""
        if self.pixels.shape[-2:] == (side, side):
            return self
        return replace(self, pixels=F.interpolate(self.pixels, (side, side), mode="area"))

    def drawn(self, count: int, seed: int = 0) -> Images:
        """At most count images by chance, with classes as equally represented as there are images of each.

        The images of a smaller draw are the first ones of a larger draw with the same seed, and any number of
        the first ones is balanced. The number of classes stays that of the whole.

        Raises:
            TaskError: The count is below 1.
        """
        chosen = torch.from_numpy(balanced_draw(self.labels.numpy(), count, seed))
        return Images(self.name, self.pixels[chosen], self.labels[chosen], self.classes)


def balanced_draw(labels: NDArray[np.int64], count: int, seed: int) -> NDArray[np.intp]:
    """Places of at most count labels: one of each class in random order, then a second of each, and so on.

    Raises:
        TaskError: The count is below 1.
    """
    if count < 1:
        raise TaskError(f"expected to draw at least 1 image, got {count}")
    chance = np.random.default_rng(seed).random(len(labels))
    by_class = np.lexsort((chance, labels))
    counts = np.bincount(labels)
    starts = np.repeat(np.cumsum(counts) - counts, counts)
    rounds = np.empty(len(labels), dtype=np.intp)
    rounds[by_class] = np.arange(len(labels)) - starts
    return np.lexsort((chance, rounds))[:count]
