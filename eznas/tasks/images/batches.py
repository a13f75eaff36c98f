"""The pickled batches of CIFAR-10, CIFAR-100 and the downsampled ImageNet of 16 x 16 pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from eznas.errors import TaskError
from eznas.tasks.images.source import Source, parts_source
from eznas.tasks.unpickling import load_plain


@dataclass(frozen=True, slots=True)
class Layout:
    """How a data set lies in its batches: dictionaries with `data`, uint8 (N, 3 side side), and labels."""

    name: str
    folder: str
    """Name of the folder in which the batches are handed out."""
    side: int
    training: tuple[str, ...]
    """Names of the training batches."""
    testing: str
    """Name of the test batch."""
    labels: str
    """Key of the labels."""
    label_range: range
    """The labels that a batch may hold."""
    classes: int
    """Only the images of the first so many labels are kept."""
    beside: tuple[str, ...] = ()
    """Names of files of the data set that hold no images."""

    @property
    def names(self) -> tuple[str, ...]:
        """All names by which a folder of the data set is known."""
        return (*self.training, self.testing, *self.beside)


CIFAR10: Final = Layout(
    "cifar10",
    "cifar-10-batches-py",
    32,
    tuple(f"data_batch_{number}" for number in range(1, 6)),
    "test_batch",
    "labels",
    range(10),
    10,
    ("batches.meta",),
)
"""Krizhevsky, 2009; pickled by Python 2."""
CIFAR100: Final = Layout(
    "cifar100",
    "cifar-100-python",
    32,
    ("train",),
    "test",
    "fine_labels",
    range(100),
    100,
    ("meta",),
)
"""Krizhevsky, 2009; pickled by Python 2. The fine labels are read."""
IMAGENET16: Final = Layout(
    "ImageNet16-120",
    "ImageNet16",
    16,
    tuple(f"train_data_batch_{number}" for number in range(1, 11)),
    "val_data",
    "labels",
    range(1, 1001),
    120,
)
"""Chrabaszcz, Loshchilov and Hutter, 2017; the first 120 of its classes as in NAS-Bench-201, Section 2.2."""

LAYOUTS: Final = (CIFAR10, CIFAR100, IMAGENET16)


def layout_of(name: str) -> Layout | None:
    """The data set that has a batch of images of this name."""
    return next((layout for layout in LAYOUTS if name in (*layout.training, layout.testing)), None)


def read_batches(layout: Layout, paths: Sequence[Path]) -> Source:
    """The images of batches, one after the other.

    Raises:
        TaskError: A batch cannot be read, or does not hold what its data set says.
    """
    batches = [_read_batch(layout, path) for path in paths]
    if not any(len(labels) for _, labels in batches):
        raise TaskError(
            f"{paths[0]}: expected images of the first {layout.classes} classes of {layout.name}, got none"
        )
    return parts_source(layout.name, batches, layout.classes)


def _read_batch(layout: Layout, path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The kept images (N, 3, side, side) of a batch, and their labels from 0."""
    try:
        with path.open("rb") as file:
            # The batches of CIFAR were pickled by Python 2, whose strings are bytes to a later Python.
            batch = load_plain(file, str(path), encoding="latin1")
    except OSError as error:
        raise TaskError(f"cannot read {path}: {error}") from error
    if not isinstance(batch, dict) or not {"data", layout.labels} <= batch.keys():
        raise TaskError(
            f"{path}: expected a batch of {layout.name} with 'data' and {layout.labels!r}, got {_told(batch)}"
        )
    pixels, values = batch["data"], 3 * layout.side**2
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.shape[1:] != (values,):
        raise TaskError(
            f"{path}: expected 'data' uint8 of shape (N, {values}), which is 3 x {layout.side} x "
            f"{layout.side} pixels, got {_told(pixels)}"
        )
    labels = _labels(layout, path, batch[layout.labels], len(pixels))
    kept = labels < layout.classes
    if not kept.all():
        pixels, labels = pixels[kept], labels[kept]
    return pixels.reshape(-1, 3, layout.side, layout.side), labels


def _labels(layout: Layout, path: Path, given: Any, count: int) -> NDArray[np.int64]:
    """Labels from 0."""
    low, high = layout.label_range[0], layout.label_range[-1]
    try:
        labels = np.asarray(given)
    except (ValueError, OverflowError):  # lists of lists of unequal length, or endless integers
        labels = np.empty(0, dtype=object)
    if labels.shape != (count,) or (count and labels.dtype.kind not in "iu"):
        raise TaskError(f"{path}: expected {layout.labels!r} to be {count} integers, got {_told(given)}")
    if count and (labels.min() < low or labels.max() > high):
        raise TaskError(
            f"{path}: expected {layout.labels!r} from {low} to {high}, got {labels.min()} to {labels.max()}"
        )
    return labels.astype(np.int64) - low


def _told(value: Any) -> str:
    """What a value is, in few words."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} of shape {value.shape}"
    if isinstance(value, dict):
        keys = ", ".join(repr(key)[:40] for key in list(value)[:6])
        return f"a dictionary with {keys or 'nothing'}"
    if isinstance(value, list | tuple):
        return f"a {type(value).__name__} of {len(value)}"
    return f"a {type(value).__name__}"
