import bz2
import json
import os
import pickle

import numpy as np
import pytest
import shared_data

from eznas import spaces, tasks

FORMATS = ["nats-bench", "nas-bench-201", "nds", "nas-bench-suite-zero", "csv"]


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Forty images of ten classes, 32 x 32 pixels in three channels."""
    path = tmp_path_factory.mktemp("images") / "some.npz"
    pixels = np.random.default_rng(0).integers(0, 256, (40, 3, 32, 32), dtype=np.uint8)
    np.savez(path, images=pixels, labels=np.arange(40) % 10)
    return path


@pytest.fixture
def table(tmp_path):
    """The first architectures of the size space; the accuracy falls with the index."""
    path = tmp_path / "table.csv"
    lines = [f"{text},{90 - place}" for place, text in enumerate(spaces.get("nats-sss").architectures()[:20])]
    path.write_text("\n".join(["arch,accuracy", *lines]) + "\n")
    return path


@pytest.fixture
def command(run, table, images, tmp_path):
    """Import the table, with other options than usual where they are given; None leaves one out."""

    def import_(**changes):
        options = {
            "from": "csv", "space": "nats-sss", "data_set": "cifar10", "epochs": 90, "split": "test",
            "images": images, "out": tmp_path / "task", "path": table, "name": "mine", **changes,
        }  # fmt: skip
        name, path = options.pop("name"), options.pop("path")
        flags = [
            part
            for option, value in options.items()
            if value is not None
            for part in (f"--{option.replace('_', '-')}", value)
        ]
        return run("tasks", "import", name, path, *(part for part in flags if part is not True))

    return import_


def test_help_has_an_example_for_each_format(run):
    shown = run("tasks", "import", "--help").out
    assert all(f"--from {name}" in shown for name in FORMATS)


def test_an_imported_table_is_a_task(command, tmp_path):
    result = command()
    assert result.code == 0, result.err
    task = tasks.get(str(tmp_path / "task"))
    assert (task.name, task.space.name, task.classes) == ("mine", "nats-sss", 10)
    assert task.architectures == tuple(spaces.get("nats-sss").architectures()[:20])
    assert task.accuracies.tolist() == [90.0 - place for place in range(20)]
    pixels = task.inputs(4)
    assert tuple(pixels.shape) == (4, 3, 32, 32)
    assert str(tmp_path) not in json.dumps(task.provenance)
    assert len(tasks.network_statistics(task, task.architectures[0], ["T1G_D"])) > 0


def test_what_was_found_is_told(command):
    result = command()
    assert "20 architectures of nats-sss: cifar10, test accuracy, 90 epochs, mean over seeds" in result.out
    assert "accuracy: 71.00 to 90.00 %" in result.out
    assert "over all 20" in result.out
    assert "images kept: 40" in result.out
    assert result.err.splitlines()[0] == "files of table.csv: 1 of 1"


def test_figures_are_printed_as_json(command):
    summary = command(json=True).json
    assert summary["key"] == {"data_set": "cifar10", "epochs": 90, "split": "test", "seeds": "mean"}
    assert (summary["architectures"], summary["accuracy_least"], summary["accuracy_most"]) == (20, 71, 90)
    assert set(summary["taus"]) == {"parameters", "flops"}
    assert -1 <= summary["taus"]["parameters"]["kendall_tau"] < 0


def test_so_many_images_are_kept_as_wanted_drawn_by_the_seed(command, tmp_path):
    for seed in (0, 0, 1):
        assert command(images_kept=10, seed=seed, json=True, out=tmp_path / f"{seed}").json["images"] == 10
    first, second = (tasks.get(str(tmp_path / seed)).inputs(10) for seed in "01")
    assert not np.array_equal(first, second)


def test_an_import_of_the_same_name_is_replaced(command, tmp_path, table):
    command()
    lines = table.read_text().splitlines()
    table.write_text("\n".join(lines[:9]) + "\n")
    assert command().code == 0
    assert len(tasks.get(str(tmp_path / "task")).architectures) == 8


@pytest.mark.parametrize("missing", ["from", "data_set", "split", "images", "out", "epochs", "space"])
def test_nothing_that_decides_the_accuracies_has_a_default(command, missing):
    result = command(**{missing: None})
    assert result.code in {1, 2}
    assert result.err.startswith("error: ")
    assert missing.replace("_", "-") in result.err
    assert result.err.count("\n") == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"from": "natsbench"}, "did you mean 'nats-bench'?"),
        ({"path": "/nowhere"}, "nothing at /nowhere"),
        ({"images": "/nowhere"}, "no images at /nowhere"),
        ({"data_set": "flowers"}, "give its --classes and --normalisation"),
        ({"normalisation": "some"}, "unknown normalisation 'some'"),
        ({"classes": 5}, "the task has 5 classes"),
        ({"space": "nats-tts"}, "nats-tss"),
        ({"space": "nats-tss"}, "holds no architecture of the space nats-tss"),
        ({"accuracy_column": "top1"}, "no column 'top1'"),
        ({"name": "a/b"}, "the new task: name"),
        ({"epochs": 0}, "--epochs"),
    ],
)
def test_errors_are_one_line_and_leave_nothing_behind(command, tmp_path, changes, message):
    result = command(**changes)
    assert result.code in {1, 2}
    error = result.err.splitlines()[-1]
    assert error.startswith("error: ")
    assert message in error
    assert "Traceback" not in result.err
    assert not (tmp_path / "task").exists()


def test_a_folder_that_holds_something_else_is_refused_before_anything_is_read(command, tmp_path):
    (tmp_path / "task").mkdir()
    (tmp_path / "task" / "letter.txt").write_text("dear")
    result = command(path="/nowhere")
    assert "is not empty and is no imported task" in result.err
    assert [entry.name for entry in (tmp_path / "task").iterdir()] == ["letter.txt"]


def test_a_folder_that_holds_another_import_is_refused(command, tmp_path):
    assert command().code == 0
    assert "holds the task 'mine', not 'yours'" in command(name="yours").err
    assert tasks.get(str(tmp_path / "task")).name == "mine"


class Runs:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def test_a_malicious_benchmark_is_refused_and_nothing_is_run(command, tmp_path):
    folder, marker = tmp_path / "NATS-tss", tmp_path / "marker"
    folder.mkdir()
    (folder / "000000.pickle.pbz2").write_bytes(bz2.compress(pickle.dumps({"12": Runs(marker)})))
    result = command(**{"from": "nats-bench"}, path=folder, space=None)
    assert result.code == 1
    assert "000000.pickle.pbz2: refused, it asks for 'posix.system'" in result.err
    assert not marker.exists()


@pytest.mark.parametrize(
    ("folder", "data_set", "epochs", "least"),
    [
        ("NATS-tss-v1_0-3ffb9-simple", "cifar10", 200, 85.863),
        ("NATS-sss-v1_0-50262-simple", "cifar100", 90, 32.3),
    ],
)
def test_genuine_release_folders_become_tasks(run, tmp_path, folder, data_set, epochs, least):
    release = shared_data.shared_data(f"nats_bench_release/{folder}")
    images = shared_data.shared_data(f"{data_set}_sample.npz")
    arguments = [
        "tasks", "import", "genuine", release, "--from", "nats-bench", "--data-set", data_set,
        "--epochs", str(epochs), "--split", "test", "--images", images, "--out", tmp_path / "task", "--json",
    ]  # fmt: skip
    result = run(*arguments)
    assert result.code == 0, result.err
    assert (result.json["architectures"], result.json["accuracy_least"]) == (3, least)
    assert result.json["cost_differences"] == []
    assert tasks.get(str(tmp_path / "task")).table.parameters is not None
