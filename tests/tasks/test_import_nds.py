import json

import numpy as np
import pytest

from eznas import spaces
from eznas.errors import TaskError
from eznas.spaces.nds import record_net
from eznas.tasks.importing import Format, Request, check_costs, read_records

EPOCHS = 3


def record(architecture, errors, **changes):
    space = spaces.get("nds-darts")
    return {
        "net": {**record_net(architecture), "aux": True, "drop_prob": 0.2},
        "optim": {"lr": 0.1, "wd": 1e-4},
        "rng_seed": 1,
        "params": space.parameters(architecture, 10),
        "flops": space.flops(architecture, 10, 32),
        "train_ep_top1": [90.0, 50.0, 20.0],
        "test_ep_top1": errors,
        "min_test_top1": min(errors, default=0.0),
        **changes,
    }


@pytest.fixture(scope="module")
def drawn():
    return spaces.get("nds-darts").sample(4)


def read(tmp_path, content, key=("cifar10", "test-last", EPOCHS), name="DARTS.json", **more):
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_records(Format.NDS, path, Request(*key, **more))


@pytest.mark.parametrize("split", ["test-last", "test-best"])
@pytest.mark.parametrize("layout", ["list", "top and mid"])
def test_errors_become_accuracies_in_both_layouts(tmp_path, drawn, split, layout):
    errors = [[80.0, 9.0, 10.0], [70.0, 30.0, 20.0], [60.0, 6.5, 7.0]]
    records = [record(*pair) for pair in zip(drawn, errors, strict=False)]
    content = records if layout == "list" else {"top": records[:1], "mid": records[1:]}
    found = read(tmp_path, content, ("cifar10", split, EPOCHS))
    expected = [90.0, 80.0, 93.0] if split == "test-last" else [91.0, 80.0, 93.5]
    assert found.table.architectures == tuple(drawn[:3])
    np.testing.assert_allclose(found.table.accuracies, expected)
    assert (found.space, found.key.split) == ("nds-darts", split)
    assert check_costs(found, 10, 32).differences == ()


def test_several_trainings_of_an_architecture_are_averaged_and_told(tmp_path, drawn):
    records = [record(drawn[0], [50, 40, 30]), record(drawn[1], [50, 40, 20]), record(drawn[0], [50, 40, 32])]
    found = read(tmp_path, records)
    assert found.table.accuracies.tolist() == [69.0, 80.0]
    assert found.notes == (
        "accuracies of repeated architectures are averaged: 1 of 3 records",
        "the mean of 1 to 2 accuracies an architecture",
    )


def test_what_cannot_be_used_is_left_out_and_counted(tmp_path, drawn):
    strange = record(drawn[2], [50.0, 40.0, 30.0], net={"depth": 3, "width": 16})
    records = [
        record(drawn[0], [50.0, 40.0, 30.0]),
        record(drawn[1], [50.0]),
        strange,
        record(drawn[3], [50.0, float("nan"), float("nan")]),
    ]
    found = read(tmp_path, records)
    assert found.table.architectures == (drawn[0],)
    assert found.notes[0] == "left out: 1 of 4 records of other than 3 epochs"
    assert found.notes[1].startswith(
        "left out: 1 of 4 records without a network of NDS cells (not the network"
    )
    assert found.notes[2] == "left out: 1 of 2 architectures without this accuracy"


@pytest.mark.parametrize(
    ("name", "space", "data_set"),
    [
        ("DARTS.json", "nds-darts", "cifar10"),
        ("DARTS_lr-wd_in.json", "nds-darts-in", "imagenet"),
        ("DARTS_fix-w-d.json", "nds-darts", "cifar10"),
        ("Amoeba_in.json", "nds-amoeba-in", "imagenet"),
        ("ENAS.json", "nds-enas", "cifar10"),
        ("PNAS_in.json", "nds-pnas-in", "imagenet"),
        ("NASNet.json", "nds-nasnet", "cifar10"),
    ],
)
def test_the_name_of_a_file_tells_space_and_data_set(tmp_path, drawn, name, space, data_set):
    content = [record(drawn[0], [50.0, 40.0, 30.0])]
    assert read(tmp_path, content, (data_set, "test-last", EPOCHS), name).space == space
    other = {"cifar10": "imagenet", "imagenet": "cifar10"}[data_set]
    with pytest.raises(TaskError, match=f"it has {data_set} after 3 epochs"):
        read(tmp_path, content, (other, "test-last", EPOCHS), name)


def test_a_file_of_another_name_needs_the_space(tmp_path, drawn):
    content = [record(drawn[0], [50.0, 40.0, 30.0])]
    with pytest.raises(TaskError, match="mine.json tells no NDS space; give the space, one of nds-amoeba"):
        read(tmp_path, content, name="mine.json")
    assert read(tmp_path, content, name="mine.json", space="nds-enas").space == "nds-enas"


@pytest.mark.parametrize(
    "key", [("cifar10", "test", 3), ("cifar10", "test-last", 100), ("svhn", "test-last", 3)]
)
def test_a_key_that_is_not_there_is_answered_with_those_that_are(tmp_path, drawn, key):
    content = [record(drawn[0], [50.0, 40.0, 30.0]), record(drawn[1], [50.0])]
    with pytest.raises(TaskError, match="it has cifar10 after 1, 3 epochs: test-best, test-last"):
        read(tmp_path, content, key)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[", "as JSON"),
        ([], "neither a list of records nor"),
        ({"top": []}, "neither a list of records nor"),
        ({"top": 3, "mid": 4}, "neither a list of records nor"),
        ([{"net": {}}], "record 0: expected a list 'test_ep_top1'"),
        ([3], "record 0: expected a list 'test_ep_top1'"),
        ([{"net": {}, "test_ep_top1": [5.0, 4.0, 3.0]}], "holds no network of NDS cells"),
        ([{"net": 3, "test_ep_top1": [5.0, 4.0, 3.0]}], "holds no network of NDS cells"),
    ],
)
def test_foreign_files_are_named(tmp_path, content, message):
    with pytest.raises(TaskError, match=r"DARTS\.json") as error:
        read(tmp_path, content)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("changes", [{"params": "many"}, {"flops": -1}, {"test_ep_top1": [1.0, 2.0, "x"]}])
def test_malformed_numbers_are_named(tmp_path, drawn, changes):
    with pytest.raises(TaskError, match="expected"):
        read(tmp_path, [record(drawn[0], [5.0, 4.0, 3.0], **changes)])
