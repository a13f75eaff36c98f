from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from eznas import tasks
from eznas.tasks import AccuracyTable, TablePlan, Task, TrainingSettings, produce_table


@pytest.fixture(autouse=True)
def _torch_is_left_as_it_was() -> Iterator[None]:
    threads, state = torch.get_num_threads(), torch.random.get_rng_state()
    yield
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ninety small images of three classes: a bright third of the image, in noise."""
    generator = np.random.default_rng(0)
    labels = np.arange(90) % 3
    images = generator.integers(0, 120, (90, 14, 14))
    for image, label in zip(images, labels, strict=True):
        image[:, 5 * label : 5 * label + 4] += 100
    path = tmp_path_factory.mktemp("images") / "digits.npz"
    np.savez(path, images=images.astype(np.uint8), labels=labels)
    return path


@pytest.fixture(scope="session")
def plan(digits: Path) -> TablePlan:
    """A plan of 16 trainings, each of a few hundredths of a second."""
    settings = TrainingSettings(
        images=str(digits), training_images=40, test_images=40, epochs=1, batch_size=10, seeds=2
    )
    return TablePlan(name="tiny", space="micro-size", architectures=8, training=settings)


@pytest.fixture(scope="session")
def folder(plan: TablePlan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished table of the plan, trained without interruption in one process; only to be read."""
    folder = tmp_path_factory.mktemp("tables") / "tiny"
    produce_table(plan, folder, processes=1)
    return folder


@pytest.fixture(scope="session")
def table(folder: Path) -> AccuracyTable:
    return tasks.get(str(folder)).table


@pytest.fixture
def task(folder: Path) -> Task:
    return tasks.get(str(folder))
