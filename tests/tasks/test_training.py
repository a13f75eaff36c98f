from pathlib import Path

import pytest
import torch
from torch import nn

from eznas import spaces
from eznas.errors import SpaceError, TaskError
from eznas.spaces import Space
from eznas.tasks import TablePlan, TrainingSettings
from eznas.tasks.plan import prepared
from eznas.tasks.training import train, training_data

ARCHITECTURE = "4x1:6x1:4x1"


def test_same_seed_gives_the_same_accuracy(plan: TablePlan) -> None:
    space, data = prepared(plan)
    first = [train(space, ARCHITECTURE, seed, data).accuracy for seed in range(4)]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(99)
        assert [train(space, ARCHITECTURE, seed, data).accuracy for seed in range(4)] == first
    assert len(set(first)) > 1


def test_accuracy_does_not_depend_on_the_number_of_threads(plan: TablePlan) -> None:
    space, data = prepared(plan)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        two = train(space, ARCHITECTURE, 0, data).accuracy
        assert torch.get_num_threads() == 2
        torch.set_num_threads(1)
        assert train(space, ARCHITECTURE, 0, data).accuracy == two
    finally:
        torch.set_num_threads(before)


def test_training_learns(plan: TablePlan) -> None:
    space = spaces.get("micro-size")
    settings = plan.training.model_copy(update={"epochs": 12})
    trained = train(space, "8x1:8x1:8x1", 0, training_data(settings, space))
    assert trained.accuracy > 60
    assert trained.seconds > 0


def test_training_and_test_images_are_disjoint_and_normalised(plan: TablePlan) -> None:
    space = spaces.get("micro-size")
    still = plan.training.augmentation.model_copy(update={"rotation": 0, "shift": 0, "noise": 0})
    data = training_data(plan.training.model_copy(update={"augmentation": still}), space)
    assert data.pixels.shape == (40, 1, 14, 14)
    assert data.test_pixels.shape == (40, 1, 14, 14)
    assert data.classes == 3
    assert len(data.labels) == len(data.test_labels) == 40
    distances = torch.cdist(data.pixels.flatten(1), data.test_pixels.flatten(1))
    assert distances.min().item() > 0.1
    everything = torch.cat([data.pixels, data.test_pixels])
    assert everything.mean().abs().item() < 0.05
    assert everything.std().item() == pytest.approx(1, abs=0.05)


def test_test_images_are_distorted_once_and_for_all(plan: TablePlan) -> None:
    space = spaces.get("micro-size")
    first, second = training_data(plan.training, space), training_data(plan.training, space)
    assert torch.equal(first.test_pixels, second.test_pixels)


def test_images_are_resized_to_the_space() -> None:
    settings = TrainingSettings(training_images=50, test_images=20)
    assert training_data(settings, spaces.get("micro-topology")).pixels.shape == (50, 1, 14, 14)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"training_images": 60}, "100 images to train and test asked for, digits.npz holds 90 in all"),
        ({"batch_size": 41}, "a batch of 41 from 40 training images"),
    ],
)
def test_settings_that_do_not_fit_the_images_are_refused(
    plan: TablePlan, changes: dict[str, int], reason: str
) -> None:
    with pytest.raises(TaskError, match=reason):
        training_data(plan.training.model_copy(update=changes), spaces.get("micro-size"))


class _Coloured(Space):
    name = "coloured"
    resolution = 14

    def architectures(self) -> list[str]:
        return ["one"]

    def build(self, _architecture: str, classes: int = 10) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(3 * 14 * 14, classes))


class _WrongShapes(_Coloured):
    input_channels = 1


class _FewLogits(_Coloured):
    input_channels = 1

    def build(self, _architecture: str, _classes: int = 10) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(14 * 14, 1))


def test_images_with_other_channels_than_the_space_reads_are_refused(plan: TablePlan) -> None:
    with pytest.raises(TaskError, match=r"digits\.npz has 1 channels, the space coloured reads 3"):
        training_data(plan.training, _Coloured())


@pytest.mark.parametrize("space", [_WrongShapes(), _FewLogits()])
def test_network_that_cannot_be_trained_is_named(plan: TablePlan, space: Space) -> None:
    with pytest.raises(TaskError, match=r"cannot train 'one' of coloured: \w+Error: .+"):
        train(space, "one", 0, training_data(plan.training, space))


def test_architecture_of_another_space_is_refused(plan: TablePlan) -> None:
    space, data = prepared(plan)
    with pytest.raises(SpaceError, match="not an architecture of micro-size"):
        train(space, "8x1", 0, data)


def test_missing_images_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="no images at"):
        training_data(TrainingSettings(images=str(tmp_path / "none.npz")), spaces.get("micro-size"))


def test_images_are_normalised_to_the_same_bit_for_any_number_of_threads() -> None:
    settings, space = TrainingSettings(training_images=50, test_images=50), spaces.get("micro-size")
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(4)
        four = training_data(settings, space)
        torch.set_num_threads(1)
        one = training_data(settings, space)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(four.pixels, one.pixels)
    assert torch.equal(four.test_pixels, one.test_pixels)
