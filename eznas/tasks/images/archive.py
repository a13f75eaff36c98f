"""Images in an .npz file with arrays `images` and `labels`."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from eznas.errors import TaskError
from eznas.files import write_whole
from eznas.tasks.images.labelled import Images
from eznas.tasks.images.source import Source, array_source

_BROKEN_ARCHIVE: Final = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    MemoryError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)
_LIKELY_CLASSES: Final = 1000
"""Few images may show high classes of ImageNet; labels from this and from the count of images on are none."""
_MOST_CLASSES: Final = 65_536


def read_npz(path: Path) -> Source:
    """The images of an .npz file.

    `images` is uint8, (N, H, W) or (N, C, H, W); `labels` are integers from 0, (N,); `classes`, which may be
    absent, is their number. Nothing is unpickled.

    Raises:
        TaskError: The file is no .npz, or its arrays are not as described.
    """
    try:
        # np.load by itself also reads .npy files and asks about pickles; only an archive is expected here.
        with zipfile.ZipFile(path), np.load(path, allow_pickle=False) as arrays:
            pixels, labels = arrays["images"], arrays["labels"]
            classes = arrays.get("classes")
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
    known = None if classes is None else _known_classes(path, classes)
    if labels.min() < 0 or labels.max() >= (known or max(len(labels), _LIKELY_CLASSES)):
        raise TaskError(
            f"{path}: 'labels' must count the classes from 0, got {labels.min()} to {labels.max()} "
            f"for {len(labels)} images" + (f" of {known} classes" if known else "")
        )
    return array_source(path.name, pixels, labels.astype(np.int64), known)


def _known_classes(path: Path, classes: NDArray[Any]) -> int:
    if classes.shape != () or not np.issubdtype(classes.dtype, np.integer):
        raise TaskError(
            f"{path}: 'classes' must be one integer, got {classes.dtype} of shape {classes.shape}"
        )
    if not 1 <= classes <= _MOST_CLASSES:
        raise TaskError(f"{path}: 'classes' must be from 1 to {_MOST_CLASSES}, got {classes}")
    return int(classes)


def write_npz(images: Images, path: Path) -> None:
    """Write images to an .npz file that `load_images` reads; pixels that came from bytes stay exact.

    The file is compressed, and is whole or not there after a crash.

    Raises:
        TaskError: The file cannot be written.
    """
    pixels = (images.pixels * 255).round().clamp(0, 255).to(torch.uint8)
    content = io.BytesIO()
    np.savez_compressed(
        content, images=pixels.numpy(), labels=images.labels.numpy(), classes=np.int64(images.classes)
    )
    try:
        write_whole(path, content.getvalue())
    except OSError as error:
        raise TaskError(f"cannot write the images to {path}: {error}") from error
