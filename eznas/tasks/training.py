"""Train one architecture with one seed and measure its test accuracy."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from pydantic import BaseModel, ConfigDict, Field
from torch import nn

from eznas.errors import EznasError, TaskError
from eznas.spaces import Space
from eznas.tasks.augmentation import Augmentation, normalised
from eznas.tasks.images import MNIST, Images, load_images
from eznas.threads import one_torch_thread

_TEST_SEED = 20_000_303
_TEST_BATCH = 100


class TrainingSettings(BaseModel):
    """Everything that decides the accuracies of a table; two equal settings give equal tables."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    images: str = MNIST
    """`mnist-5k`, or the path of an .npz file with arrays `images` (uint8) and `labels`."""
    training_images: int = Field(default=1000, ge=2)
    """The first so many images train."""
    test_images: int = Field(default=2000, ge=1)
    """The next so many images test, distorted once."""
    epochs: int = Field(default=6, ge=1)
    batch_size: int = Field(default=50, ge=2)
    learning_rate: float = Field(default=0.1, gt=0)
    """The peak of one cycle (Smith and Topin, 2018)."""
    momentum: float = Field(default=0.9, ge=0, lt=1)
    weight_decay: float = Field(default=5e-4, ge=0)
    augmentation: Augmentation = Augmentation()
    seeds: int = Field(default=4, ge=2)
    """Each architecture is trained so many times; the agreement of two halves of them says how real it is."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainingData:
    """Normalised images: (N, C, side, side) float32 pixels and (N,) int64 labels to train and to test."""

    settings: TrainingSettings
    pixels: torch.Tensor
    """Training images as they are; each epoch distorts them anew."""
    labels: torch.Tensor
    test_pixels: torch.Tensor
    """Test images, distorted once and for all."""
    test_labels: torch.Tensor
    classes: int


@one_torch_thread()
def training_data(settings: TrainingSettings, space: Space) -> TrainingData:
    """The images of the settings at the resolution of the space.

    Raises:
        TaskError: The images cannot be read, are too few, or have other channels than the space reads.
    """
    images = load_images(settings.images).resized(space.resolution)
    _check_images(settings, space, images)
    pixels, labels = normalised(images.pixels), images.labels
    first, last = settings.training_images, settings.training_images + settings.test_images
    generator = torch.Generator().manual_seed(_TEST_SEED)
    return TrainingData(
        settings,
        pixels[:first],
        labels[:first],
        settings.augmentation(pixels[first:last], generator),
        labels[first:last],
        images.classes,
    )


def _check_images(settings: TrainingSettings, space: Space, images: Images) -> None:
    count, channels = images.pixels.shape[:2]
    wanted = settings.training_images + settings.test_images
    if wanted > count:
        raise TaskError(f"{wanted} images to train and test asked for, {images.name} holds {count} in all")
    if settings.batch_size > settings.training_images:
        raise TaskError(f"a batch of {settings.batch_size} from {settings.training_images} training images")
    if channels != space.input_channels:
        raise TaskError(
            f"{images.name} has {channels} channels, the space {space.name} reads {space.input_channels}"
        )


Job = tuple[str, int]
"""An architecture and a seed to train it from."""


@dataclass(frozen=True, slots=True)
class Trained:
    """The outcome of one training."""

    accuracy: float
    """Test accuracy after the last epoch, in per cent."""
    seconds: float
    """Processor seconds on one thread, evaluation included."""


def train(space: Space, architecture: str, seed: int, data: TrainingData) -> Trained:
    """Train one architecture from one seed by SGD with Nesterov momentum, on one thread.

    On one machine and torch build the accuracy depends on the arguments alone. The state of torch's random
    numbers and its number of threads are the same afterwards as before.

    Raises:
        SpaceError: The architecture is not of the space.
        TaskError: The network fails, or gives no logits of shape (B, classes).
    """
    started = time.process_time()
    with torch.random.fork_rng(devices=[]), one_torch_thread():
        torch.manual_seed(seed)
        try:
            model = space.build(architecture, data.classes)
            # Channels-last halves the time of these small convolutions on a CPU (measured: 10.5 s to 5.9 s).
            model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            _fit(model, data, torch.Generator().manual_seed(seed))
            accuracy = _accuracy(model, data)
        except EznasError:
            raise
        except Exception as error:  # the space may be the user's own: anything may go wrong in its networks
            reason = f"{type(error).__name__}: {error}"
            raise TaskError(f"cannot train {architecture!r} of {space.name}: {reason}") from error
    return Trained(accuracy, time.process_time() - started)


def _fit(model: nn.Module, data: TrainingData, generator: torch.Generator) -> None:
    settings = data.settings
    steps = len(data.pixels) // settings.batch_size
    optimiser = torch.optim.SGD(
        model.parameters(),
        lr=settings.learning_rate,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
        nesterov=settings.momentum > 0,
        fused=True,
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.learning_rate, total_steps=settings.epochs * steps, cycle_momentum=False
    )
    model.train()
    for _ in range(settings.epochs):
        order = torch.randperm(len(data.pixels), generator=generator)
        pixels = settings.augmentation(data.pixels, generator)[order]
        labels = data.labels[order]
        for step in range(steps):
            batch = slice(step * settings.batch_size, (step + 1) * settings.batch_size)
            optimiser.zero_grad()
            logits = model(pixels[batch].contiguous(memory_format=torch.channels_last))
            torch.autograd.backward(F.cross_entropy(logits, labels[batch]))
            optimiser.step()
            schedule.step()


def _accuracy(model: nn.Module, data: TrainingData) -> float:
    model.eval()
    correct = 0
    with torch.inference_mode():
        # Small batches stay in the cache and off the allocator's page faults.
        batches = torch.split(data.test_pixels, _TEST_BATCH), torch.split(data.test_labels, _TEST_BATCH)
        for pixels, labels in zip(*batches, strict=True):
            logits = model(pixels.contiguous(memory_format=torch.channels_last))
            correct += int((logits.argmax(dim=1) == labels).sum())
    return 100.0 * correct / len(data.test_labels)
