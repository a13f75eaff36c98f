"""How the images of each known data set are normalised, and how many classes it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import torch

from eznas.errors import TaskError


@dataclass(frozen=True, slots=True)
class Normalisation:
    """Mean and standard deviation of each channel, of pixels from 0 to 1; a single one holds for all."""

    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    source: str
    """Where the figures were published."""

    def applied(self, pixels: torch.Tensor) -> torch.Tensor:
        """The images (N, C, H, W) less the mean, divided by the deviation; the argument is left as it is.

        Raises:
            TaskError: The images have other channels.
        """
        channels = pixels.shape[1] if pixels.ndim == 4 else None
        if channels is None or len(self.mean) not in (1, channels):
            raise TaskError(
                f"expected images (N, {len(self.mean)}, H, W) to normalise, got shape {tuple(pixels.shape)}"
            )
        mean, deviation = (
            torch.tensor(values, dtype=pixels.dtype, device=pixels.device).view(1, -1, 1, 1)
            for values in (self.mean, self.deviation)
        )
        return (pixels - mean) / deviation


@dataclass(frozen=True, slots=True)
class DataSet:
    """What is known of a data set by its name."""

    classes: int
    normalisation: Normalisation


def _of_bytes(mean: tuple[float, ...], deviation: tuple[float, ...], source: str) -> Normalisation:
    """From figures of pixels from 0 to 255, as they were published."""
    return Normalisation(
        tuple(value / 255 for value in mean), tuple(value / 255 for value in deviation), source
    )


_NAS_BENCH_201 = "Dong and Yang, NAS-Bench-201, ICLR 2020, its training code"

NORMALISATIONS: Final[Mapping[str, Normalisation]] = MappingProxyType(
    {
        "mnist": Normalisation((0.1307,), (0.3081,), "PyTorch examples, MNIST: all training pixels"),
        "cifar10": _of_bytes((125.3, 123.0, 113.9), (63.0, 62.1, 66.7), _NAS_BENCH_201),
        "cifar100": _of_bytes((129.3, 124.1, 112.4), (68.2, 65.4, 70.4), _NAS_BENCH_201),
        "ImageNet16-120": _of_bytes((122.68, 116.66, 104.01), (63.22, 61.26, 65.09), _NAS_BENCH_201),
        "imagenet": Normalisation(
            (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "torchvision, its classification models"
        ),
        "svhn": Normalisation(
            (0.4377, 0.4438, 0.4728),
            (0.1980, 0.2010, 0.1970),
            "DeepCore (Guo, Zhao and Bai, 2022): the training pixels",
        ),
        "half": Normalisation((0.5,), (0.5,), "pixels from -1 to 1"),
        "none": Normalisation((0.0,), (1.0,), "pixels from 0 to 1"),
    }
)
"""Normalisations by name."""

DATA_SETS: Final[Mapping[str, DataSet]] = MappingProxyType(
    {
        "mnist": DataSet(10, NORMALISATIONS["mnist"]),
        "mnist-5k": DataSet(10, NORMALISATIONS["mnist"]),
        "cifar10": DataSet(10, NORMALISATIONS["cifar10"]),
        "cifar10-valid": DataSet(10, NORMALISATIONS["cifar10"]),
        "cifar100": DataSet(100, NORMALISATIONS["cifar100"]),
        "ImageNet16-120": DataSet(120, NORMALISATIONS["ImageNet16-120"]),
        "imagenet": DataSet(1000, NORMALISATIONS["imagenet"]),
        "svhn": DataSet(10, NORMALISATIONS["svhn"]),
    }
)
"""Data sets by the names that benchmarks give them; `cifar10-valid` is half of CIFAR-10's training images."""
