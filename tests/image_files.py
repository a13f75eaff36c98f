"""Small files and folders in the layouts in which image data sets are handed out."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


def random_pixels(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def python2_pickle(batch: dict[str, Any]) -> bytes:
    """A dictionary of strings, lists and uint8 arrays as Python 2 pickled the batches of CIFAR."""
    return b"\x80\x02" + _python2(batch) + b"."


def _python2(value: Any) -> bytes:
    match value:
        case int():
            return b"J" + struct.pack("<i", value)
        case str():
            return b"T" + struct.pack("<i", len(value)) + value.encode("latin1")
        case list():
            return b"](" + b"".join(map(_python2, value)) + b"e"
        case dict():
            return b"}(" + b"".join(_python2(part) for item in value.items() for part in item) + b"u"
    shape = b"".join(map(_python2, value.shape))
    empty = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    dtype = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    content = b"T" + struct.pack("<i", value.nbytes) + value.tobytes()
    return empty + b"(K\x01(" + shape + b"t" + dtype + b"\x89" + content + b"tb"


def cifar10_batch(labels: Sequence[int], seed: int = 0) -> dict[str, Any]:
    return {
        "batch_label": "training batch 1 of 5",
        "labels": list(labels),
        "data": random_pixels(len(labels), 3072, seed=seed),
        "filenames": [f"camion_s_{number:06d}.png" for number in range(len(labels))],
    }


def cifar10_folder(folder: Path, images_a_batch: int = 10) -> dict[str, dict[str, Any]]:
    """The layout of cifar-10-batches-py; gives what was written, by file name."""
    folder.mkdir()
    names = [f"data_batch_{number}" for number in range(1, 6)] + ["test_batch"]
    batches = {
        name: cifar10_batch([label % 10 for label in range(images_a_batch)], seed)
        for seed, name in enumerate(names)
    }
    for name, batch in batches.items():
        (folder / name).write_bytes(python2_pickle(batch))
    meta = {"num_cases_per_batch": images_a_batch, "label_names": ["airplane", "automobile"], "num_vis": 3072}
    (folder / "batches.meta").write_bytes(python2_pickle(meta))
    (folder / "readme.html").write_text("<html>")
    return batches


def cifar100_folder(folder: Path) -> dict[str, dict[str, Any]]:
    """The layout of cifar-100-python; gives what was written, by file name."""
    folder.mkdir()
    batches = {}
    for seed, (name, count) in enumerate({"train": 200, "test": 100}.items()):
        fine = [label % 100 for label in range(count)]
        batches[name] = {
            "filenames": [f"{number}.png" for number in range(count)],
            "batch_label": name,
            "fine_labels": fine,
            "coarse_labels": [label // 5 for label in fine],
            "data": random_pixels(count, 3072, seed=seed),
        }
        (folder / name).write_bytes(python2_pickle(batches[name]))
    meta = {"fine_label_names": ["apple"], "coarse_label_names": ["aquatic_mammals"]}
    (folder / "meta").write_bytes(python2_pickle(meta))
    (folder / "file.txt~").write_bytes(b"")
    return batches


def imagenet16_batch(labels: Sequence[int], seed: int = 0) -> dict[str, Any]:
    data = random_pixels(len(labels), 768, seed=seed)
    return {"data": data, "labels": list(labels), "mean": data.mean(axis=0, dtype=np.float64)}


def imagenet16_folder(folder: Path, protocol: int = 3) -> dict[str, dict[str, Any]]:
    """The layout of ImageNet of 16 x 16 pixels; each batch has labels among the first 120 and past them."""
    folder.mkdir()
    batches = {}
    names = [f"train_data_batch_{number}" for number in range(1, 11)] + ["val_data"]
    for seed, name in enumerate(names):
        batches[name] = imagenet16_batch([1 + seed, 120, 121, 1000, 60], seed)
        (folder / name).write_bytes(pickle.dumps(batches[name], protocol))
    return batches


def picture_folder(folder: Path, classes: dict[str, int], size: tuple[int, int] = (8, 6)) -> None:
    """A folder of images (width, height) for each class; the red of the first pixel numbers the images."""
    number = 0
    for name, count in classes.items():
        (folder / name).mkdir(parents=True)
        for place in range(count):
            pixels = random_pixels(size[1], size[0], 3, seed=number)
            pixels[0, 0, 0] = number
            Image.fromarray(pixels).save(folder / name / f"{place:03d}.png")
            number += 1
