"""A folder with a folder of PNG or JPEG images for each class; only what is asked for is decoded."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eznas.errors import TaskError
from eznas.tasks.images.source import Source

_SUFFIXES: Final = (".png", ".jpg", ".jpeg")
_FORMATS: Final = ("PNG", "JPEG")
_GREY_MODES: Final = ("1", "L", "LA")
_COLOUR_MODES: Final = ("P", "PA", "RGB", "RGBA", "CMYK", "YCbCr")
_BROKEN_IMAGE: Final = (
    OSError,
    SyntaxError,  # how Pillow calls a broken PNG
    ValueError,
    EOFError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


def class_folders(folder: Path) -> list[Path]:
    """The folders in a folder in alphabetical order, hidden ones left out."""
    return sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def read_pictures(name: str, classes: Sequence[Path], side: int | None) -> Source:
    """The images of one folder for each class.

    Grey images have one channel where the first image of the first class is grey, else all have three. All
    have the size of this first image, or side x side pixels: their shorter side is scaled to this length and
    the middle is cut out.

    Args:
        name: The name of the images.
        classes: One folder for each class.
        side: Height and width that every image is given.

    Raises:
        TaskError: A class has no images, or something else lies among them; when images are read, one cannot
            be decoded, has another size, or is coloured where the first is grey.
    """
    listed = [_pictures(folder) for folder in classes]
    paths = [
        os.path.join(folder, name) for folder, names in zip(classes, listed, strict=True) for name in names
    ]
    labels = np.repeat(np.arange(len(classes), dtype=np.int64), [len(names) for names in listed])
    first = _decoded(paths[0], None, side)

    def read(places: NDArray[np.intp]) -> NDArray[np.uint8]:
        pixels = np.empty((len(places), *first.shape), dtype=np.uint8)
        for row, place in enumerate(places):
            picture = _decoded(paths[place], len(first), side)
            if picture.shape != first.shape:
                raise TaskError(_mismatch(paths[0], first, paths[place], picture))
            pixels[row] = picture
        return pixels

    channels, height, width = first.shape
    return Source(name, labels, (channels, height, width), read, len(classes))


def _pictures(folder: Path) -> list[str]:
    """The names of the images of a class, in alphabetical order."""
    # File managers leave hidden files and Thumbs.db behind.
    names = sorted(name for name in os.listdir(folder) if name[0] != "." and name != "Thumbs.db")
    foreign = next((name for name in names if not name.lower().endswith(_SUFFIXES)), None)
    if foreign is not None:
        raise TaskError(f"expected only PNG or JPEG images in {folder}, got {foreign!r}")
    if not names:
        raise TaskError(f"expected PNG or JPEG images in {folder}, got none")
    return names


def _decoded(path: str, channels: int | None, side: int | None) -> NDArray[np.uint8]:
    """An image (C, H, W): grey images have one channel or as many as asked for, the others three."""
    try:
        with Image.open(path, formats=_FORMATS) as opened:
            if opened.mode not in _GREY_MODES + _COLOUR_MODES:
                raise TaskError(f"{path}: expected an image of 8 bits a channel, got mode {opened.mode!r}")
            grey = opened.mode in _GREY_MODES and channels in (1, None)
            opened.info.pop("transparency", None)  # of palettes; Pillow would warn that it is dropped
            picture = _cut(opened.convert("L" if grey else "RGB"), side)
    except _BROKEN_IMAGE as error:
        raise TaskError(f"{path} cannot be decoded as a PNG or JPEG image: {error}") from error
    pixels = np.asarray(picture, dtype=np.uint8)
    return pixels[None] if grey else pixels.transpose(2, 0, 1)


def _cut(picture: Image.Image, side: int | None) -> Image.Image:
    """The middle side x side pixels, the shorter side scaled to this length."""
    if side is None or picture.size == (side, side):
        return picture
    width, height = picture.size
    edge = min(width, height)
    left, top = (width - edge) // 2, (height - edge) // 2
    return picture.resize((side, side), Image.Resampling.BOX, (left, top, left + edge, top + edge))


def _mismatch(first_path: str, first: NDArray[np.uint8], path: str, picture: NDArray[np.uint8]) -> str:
    if len(picture) != len(first):
        return f"{path} is coloured and {first_path} is grey; expected all images to be of one kind"
    return (
        f"{path} has {picture.shape[2]} x {picture.shape[1]} pixels and {first_path} has "
        f"{first.shape[2]} x {first.shape[1]}; "
        "expected all images to be of one size, or give the side to scale them to"
    )
