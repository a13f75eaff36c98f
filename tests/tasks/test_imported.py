import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from eznas import tasks
from eznas.errors import SpaceError, TaskError
from eznas.tasks import AccuracyTable, Task
from eznas.tasks.images import NORMALISATIONS, Images
from eznas.tasks.imported import write_imported_task
from eznas.tasks.imported_plan import AccuracyKey, ImportedPlan

ARCHITECTURES = ("8:8:8:8:8", "8:8:8:8:16", "64:64:64:64:64")
TABLE = AccuracyTable(ARCHITECTURES, np.array([80.0, 81.5, 93.0]))
PLAN = ImportedPlan(
    name="sizes",
    space="nats-sss",
    benchmark="csv",
    key=AccuracyKey(data_set="cifar10", epochs=90, split="test"),
    classes=10,
    normalisation="cifar10",
    source="sizes.csv",
    images_source="images.npz",
)


def some_images(count: int = 12, channels: int = 3) -> Images:
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (count, channels, 32, 32)) / 255.0)
    return Images("some", pixels.to(torch.float32), torch.arange(count) % 10)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_imported_task(tmp_path / "sizes", PLAN, TABLE, some_images())
    return tmp_path / "sizes"


@pytest.fixture
def task(folder: Path) -> Task:
    return tasks.get(str(folder))


def test_what_was_imported_is_a_task_that_keeps_its_accuracy_key(task: Task) -> None:
    assert (task.name, task.space.name, task.classes) == ("sizes", "nats-sss", 10)
    assert task.architectures == ARCHITECTURES
    assert task.accuracies.tolist() == [80, 81.5, 93]
    assert task.provenance["plan"]["key"] == {
        "data_set": "cifar10", "epochs": 90, "split": "test", "seeds": "mean",
    }  # fmt: skip
    assert str(PLAN.key) == "cifar10, test accuracy, 90 epochs, mean over seeds"


def test_costs_that_the_table_does_not_hold_are_counted_by_the_space(task: Task) -> None:
    assert task.parameters([0, 2]).tolist() == [11_714, task.space.parameters(ARCHITECTURES[2])]
    assert task.flops([0]).tolist() == [4_481_114]


def test_batches_are_normalised_images_with_their_labels_drawn_by_the_seed(task: Task) -> None:
    inputs, targets = task.batch(12, seed=5)
    again, _ = task.batch(12, seed=5)
    assert torch.equal(inputs, again)
    assert not torch.equal(inputs, task.batch(12, seed=6)[0])
    assert sorted(targets.tolist()) == sorted(some_images().labels.tolist())
    normalised = NORMALISATIONS["cifar10"].applied(some_images().pixels)
    nearest = torch.cdist(inputs.flatten(1), normalised.flatten(1)).argmin(dim=1)
    torch.testing.assert_close(inputs, normalised[nearest], atol=0.02, rtol=0)
    assert torch.equal(targets, some_images().labels[nearest])
    with pytest.raises(TaskError, match="expected a batch of 1 to 12 images, got 13"):
        task.batch(13)


def test_accuracies_play_no_part_in_what_statistics_are_found_by(task: Task, tmp_path: Path) -> None:
    other_key = PLAN.key.model_copy(update={"epochs": 12})
    other = PLAN.model_copy(update={"key": other_key, "name": "other"})
    write_imported_task(tmp_path / "other", other, TABLE, some_images())
    assert tasks.get(str(tmp_path / "other")).batches.identity == task.batches.identity
    write_imported_task(tmp_path / "fewer", PLAN, TABLE, some_images(11))
    assert tasks.get(str(tmp_path / "fewer")).batches.identity != task.batches.identity


def test_import_of_the_same_name_is_replaced_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    table = AccuracyTable(ARCHITECTURES[:1], np.array([50.0]))
    write_imported_task(folder, PLAN, table, some_images())
    assert tasks.get(str(folder)).architectures == ARCHITECTURES[:1]
    with pytest.raises(TaskError, match="holds the task 'sizes', not 'widths'"):
        write_imported_task(folder, PLAN.model_copy(update={"name": "widths"}), TABLE, some_images())
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(TaskError, match=r"is no imported task; expected a new folder"):
        write_imported_task(tmp_path, PLAN, TABLE, some_images())


@pytest.mark.parametrize(
    ("change", "images", "reason"),
    [
        ({}, some_images(channels=1), "some has 1 channels, the space nats-sss reads 3"),
        ({"classes": 5}, some_images(), "some holds labels up to 9, the task has 5 classes"),
        ({"normalisation": "cifar"}, some_images(), "unknown normalisation 'cifar'; expected one of"),
    ],
)
def test_images_that_do_not_fit_are_refused(
    change: dict, images: Images, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(TaskError, match=reason):
        write_imported_task(tmp_path / "new", PLAN.model_copy(update=change), TABLE, images)
    assert not (tmp_path / "new").exists()


def test_spoilt_folders_are_refused_with_the_file(folder: Path, tmp_path: Path) -> None:
    def spoilt(name: str, content: bytes) -> str:
        copy = tmp_path / f"{name}-{len(content)}"
        shutil.copytree(folder, copy)
        (copy / name).write_bytes(content)
        return str(copy)

    record = json.loads((folder / "task.json").read_text())
    for content, reason in (
        (b"", "task.json is not an imported task"),
        (json.dumps(record | {"classes": 1}).encode(), "task.json is not an imported task: classes"),
        (json.dumps(record | {"unknown": 1}).encode(), "task.json is not an imported task: unknown"),
    ):
        with pytest.raises(TaskError, match=reason):
            tasks.get(spoilt("task.json", content))
    altered = tmp_path / "altered"
    write_imported_task(altered, PLAN, TABLE, some_images(5))
    with pytest.raises(TaskError, match=r"images.npz was altered; import the task again"):
        tasks.get(spoilt("images.npz", (altered / "images.npz").read_bytes()))
    with pytest.raises(TaskError, match=r"table\.csv holds no architecture"):
        tasks.get(spoilt("table.csv", b"architecture,accuracy\n"))
    with pytest.raises(SpaceError, match="cannot import the space"):
        tasks.get(spoilt("task.json", json.dumps(record | {"space": "gone.away:Space"}).encode()))
