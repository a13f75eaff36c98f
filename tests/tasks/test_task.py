from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from eznas.errors import SpaceError, TaskError
from eznas.tasks import AccuracyTable, TablePlan, Task
from eznas.tasks.mini_batches import TrainingBatches
from eznas.tasks.plan import prepared


def test_accuracies_are_the_means_over_the_seeds(task: Task, table: AccuracyTable) -> None:
    assert task.architectures == table.architectures
    np.testing.assert_array_equal(task.accuracies, table.seed_accuracies.mean(axis=1))
    assert task.accuracies.dtype == np.float64
    assert task.classes == 3
    assert task.provenance["ranking"]["accuracy_most"] == round(float(task.accuracies.max()), 2)


def test_index_is_the_row_of_the_architecture(task: Task) -> None:
    assert [task.index(architecture) for architecture in task.architectures] == list(range(8))


def test_architecture_without_accuracy_has_no_index(task: Task) -> None:
    with pytest.raises(
        TaskError, match="tiny knows no accuracy of 'x'; it knows 8 architectures of the space micro-s"
    ):
        task.index("x")


def test_inputs_are_distorted_training_images_chosen_by_the_seed(task: Task) -> None:
    inputs = task.inputs(5, seed=3)
    assert inputs.shape == (5, 1, 14, 14)
    assert inputs.dtype == torch.float32
    assert torch.equal(inputs, task.inputs(5, seed=3))
    assert not torch.equal(inputs, task.inputs(5, seed=4))
    assert task.inputs().shape == (1, 1, 14, 14)


def test_inputs_without_distortion_are_training_images_without_repetition(
    task: Task, plan: TablePlan
) -> None:
    still = plan.training.augmentation.model_copy(update={"rotation": 0, "shift": 0, "noise": 0})
    settings = plan.training.model_copy(update={"augmentation": still})
    plan = plan.model_copy(update={"training": settings})
    pixels, labels = prepared(plan)[1].pixels, prepared(plan)[1].labels
    inputs, targets = replace(task, batches=TrainingBatches(plan)).batch(40)
    nearest = torch.cdist(inputs.flatten(1), pixels.flatten(1)).argmin(dim=1)
    assert sorted(nearest.tolist()) == list(range(40))
    torch.testing.assert_close(inputs, pixels[nearest], atol=1e-4, rtol=0)
    assert torch.equal(targets, labels[nearest])


@pytest.mark.parametrize("batch_size", [0, -1, 41])
def test_batch_that_cannot_be_drawn_is_refused(task: Task, batch_size: int) -> None:
    with pytest.raises(TaskError, match=f"expected a batch of 1 to 40 images, got {batch_size}"):
        task.inputs(batch_size)


def test_built_network_is_initialised_from_the_seed(task: Task) -> None:
    first, same, other = (task.build(task.architectures[0], seed) for seed in (1, 1, 2))
    assert all(torch.equal(value, same.state_dict()[name]) for name, value in first.state_dict().items())
    weights = [next(model.parameters()) for model in (first, other)]
    assert not torch.equal(*weights)
    assert first.training
    linear = [module for module in first.modules() if isinstance(module, nn.Linear)]
    assert linear[0].out_features == 3
    assert not linear[0].bias.any()


def test_any_architecture_of_the_space_can_be_built_and_no_other(task: Task) -> None:
    assert task.build("16x3:16x3:16x3")(task.inputs(2)).shape == (2, 3)
    with pytest.raises(SpaceError, match="not an architecture of micro-size"):
        task.build("16x3")


def test_split_is_disjoint_complete_and_seeded(task: Task) -> None:
    evolution, held_out = task.split(5, seed=0)
    assert len(evolution) == 5
    assert sorted([*evolution, *held_out]) == list(range(8))
    np.testing.assert_array_equal(task.split(5, seed=0)[0], evolution)
    assert any(not np.array_equal(task.split(5, seed)[0], evolution) for seed in range(1, 4))


def test_held_out_rows_come_in_random_order(task: Task) -> None:
    held_out = [task.split(1, seed)[1] for seed in range(5)]
    assert any(list(rows) != sorted(rows) for rows in held_out)


@pytest.mark.parametrize("evolution", [0, -1, 8, 9])
def test_split_that_leaves_one_side_empty_is_refused(task: Task, evolution: int) -> None:
    with pytest.raises(
        TaskError, match=f"expected to evolve on 1 to 7 of the 8 architectures of tiny, got {evolution}"
    ):
        task.split(evolution, seed=0)
