import itertools
import json

import pytest

from eznas import spaces
from eznas.errors import TaskError
from eznas.tasks.importing import Format, Request, read_records

# Operations of edges 0-1, 0-2, 0-3, 1-2, 1-3, 2-3, and the text of the same cell.
FIRST = "|avg_pool_3x3~0|+|skip_connect~0|none~1|+|nor_conv_1x1~0|avg_pool_3x3~1|nor_conv_1x1~2|"
SECOND = "|nor_conv_3x3~0|+|nor_conv_3x3~0|skip_connect~1|+|none~0|skip_connect~1|nor_conv_3x3~2|"
ARCHITECTURES = {"(4, 0, 3, 1, 4, 3)": FIRST, "(2, 2, 1, 0, 0, 2)": SECOND}


def record(place, accuracy):
    return {"idx": place, "arch": "any", "val_accuracy": accuracy, "synflow": {"score": 1.5, "time": 0.1}}


CONTENT = {
    "cifar10": {text: record(place, 80.5 + place) for place, text in enumerate(ARCHITECTURES)},
    "cifar100": {text: record(place, 60.5 + place) for place, text in enumerate(ARCHITECTURES)},
}


def read(tmp_path, content, data_set="cifar10", split="valid", epochs=None):
    path = tmp_path / "zc_nasbench201.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_records(Format.SUITE_ZERO, path, Request(data_set, split, epochs))


def test_tuples_become_architectures_of_the_topology_space(tmp_path):
    records = read(tmp_path, CONTENT)
    assert records.table.architectures == tuple(ARCHITECTURES.values())
    assert records.table.accuracies.tolist() == [80.5, 81.5]
    assert read(tmp_path, CONTENT, "cifar100").table.accuracies.tolist() == [60.5, 61.5]
    assert (records.space, records.key.epochs, records.key.split) == ("nats-tss", None, "valid")


def test_every_tuple_is_another_architecture(tmp_path):
    tuples = [str(numbers) for numbers in itertools.product(range(5), repeat=6)][::7]
    records = read(tmp_path, {"svhn": {text: record(0, 50) for text in tuples}}, "svhn")
    assert len(set(records.table.architectures)) == len(tuples)
    assert set(records.table.architectures) <= set(spaces.get("nats-tss").architectures())


def test_epochs_are_taken_over_where_they_are_stated(tmp_path):
    assert read(tmp_path, CONTENT, epochs=200).key.epochs == 200


@pytest.mark.parametrize(("data_set", "split"), [("cifar10", "test"), ("imagenet", "valid")])
def test_a_key_that_is_not_there_is_answered_with_those_that_are(tmp_path, data_set, split):
    with pytest.raises(TaskError, match="it has cifar10: valid; cifar100: valid"):
        read(tmp_path, CONTENT, data_set, split)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "as JSON"),
        ([], "does not map data sets"),
        ({"cifar10": []}, "does not map data sets"),
        ({"cifar10": {}}, "holds no architecture"),
        ({"cifar10": {"(4, 0, 3)": record(0, 1)}}, "six numbers"),
        ({"cifar10": {"(4, 0, 3, 1, 4, 9)": record(0, 1)}}, "six numbers"),
        ({"cifar10": {"(4, 0, 3, 1, 4, 3)": 3}}, "expected a record"),
        ({"cifar10": {"(4, 0, 3, 1, 4, 3)": record(0, "x")}}, "val_accuracy: expected a number"),
        ({"cifar10": {"(4, 0, 3, 1, 4, 3)": record(0, 0.9)}}, "in per cent"),
        ({"cifar10": {"(4, 0, 3, 1, 4, 3)": record(0, None)}}, "with an accuracy"),
        (
            {"cifar10": {str(numbers): record(0, 50) for numbers in itertools.product(range(2), repeat=6)}},
            "has the operation 4",
        ),
    ],
)
def test_foreign_files_are_named(tmp_path, content, message):
    with pytest.raises(TaskError, match=r"^zc_nasbench201\.json|read zc_nasbench201\.json") as error:
        read(tmp_path, content)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
