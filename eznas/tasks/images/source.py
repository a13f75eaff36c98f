"""Images that are known by their labels before their pixels are needed, and turning them into tensors."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from eznas.tasks.images.labelled import Images, balanced_draw

_SHUFFLE_SEED: Final = 0
_BYTES_AT_ONCE: Final = 2**22
"""So many bytes of uint8 images are copied at a time, where all of CIFAR at once would be 150 MB more."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Images before they are read."""

    name: str
    labels: NDArray[np.int64]
    """Of all images, (N,), from 0."""
    shape: tuple[int, int, int]
    """Channels, height and width of every image."""
    read: Callable[[NDArray[np.intp]], NDArray[np.uint8]]
    """The pixels (n, C, H, W) of the images at these places."""
    classes: int | None = None
    """The number of classes, where it is known from elsewhere than the labels."""


def array_source(
    name: str, pixels: NDArray[np.uint8], labels: NDArray[np.int64], classes: int | None = None
) -> Source:
    """The source of images (N, C, H, W) that are in memory."""
    return parts_source(name, [(pixels, labels)], classes)


def parts_source(
    name: str, parts: Sequence[tuple[NDArray[np.uint8], NDArray[np.int64]]], classes: int | None
) -> Source:
    """The source of images (N, C, H, W) and labels in memory, in parts that are never copied into one."""
    _, channels, height, width = parts[0][0].shape
    ends = np.cumsum([len(pixels) for pixels, _ in parts])

    def read(places: NDArray[np.intp]) -> NDArray[np.uint8]:
        gathered = np.empty((len(places), channels, height, width), dtype=np.uint8)
        part_of = np.searchsorted(ends, places, side="right")
        for part, (pixels, _) in enumerate(parts):
            inside = np.flatnonzero(part_of == part)
            gathered[inside] = pixels[places[inside] - (ends[part] - len(pixels))]
        return gathered

    labels = np.concatenate([labels for _, labels in parts])
    return Source(name, labels, (channels, height, width), read, classes)


def images_of(source: Source, most: int | None, seed: int) -> Images:
    """All images in one fixed shuffled order, or a draw of at most so many of them.

    A draw gives exactly the images that `Images.drawn` gives, without reading the others.

    Raises:
        TaskError: An image cannot be read, or the count is below 1.
    """
    # Files often hold their images sorted by class.
    order = np.random.default_rng(_SHUFFLE_SEED).permutation(len(source.labels))
    classes = source.classes
    if most is not None:
        classes = int(source.labels.max()) + 1 if classes is None else classes
        order = order[balanced_draw(source.labels[order], most, seed)]
    pixels = np.empty((len(order), *source.shape), dtype=np.float32)
    at_once = max(1, _BYTES_AT_ONCE // math.prod(source.shape))
    for start in range(0, len(order), at_once):
        chunk = slice(start, start + at_once)
        np.divide(source.read(order[chunk]), np.float32(255), out=pixels[chunk])
    return Images(source.name, torch.from_numpy(pixels), torch.from_numpy(source.labels[order]), classes)
