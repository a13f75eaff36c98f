import gzip

import numpy as np
import pytest
import shared_data

from eznas import spaces
from eznas.errors import SpaceError, TaskError
from eznas.tasks.importing import Format, Request, check_costs, read_records

ARCHITECTURES = ["2x1:2x1:2x1", "8x1:6x3:4x2", "16x3:16x3:16x3"]


def request(**changes):
    return Request(**{"data_set": "mnist", "split": "test", "epochs": 6, "space": "micro-size", **changes})


def written(path, *lines, pack=lambda content: content):
    path.write_bytes(pack("\n".join(lines).encode() + b"\n"))
    return path


def rows(*accuracies):
    return [f"{text},{accuracy}" for text, accuracy in zip(ARCHITECTURES, accuracies, strict=False)]


@pytest.mark.parametrize(
    "pack", [lambda content: content, gzip.compress, lambda content: b"\xef\xbb\xbf" + content]
)
def test_columns_are_read_in_the_order_of_the_file(tmp_path, pack):
    path = written(
        tmp_path / "mine.csv", "arch,index,accuracy", "8x1:6x3:4x2,0,71.5", "2x1:2x1:2x1,1,20", pack=pack
    )
    records = read_records(Format.CSV, path, request())
    assert records.table.architectures == ("8x1:6x3:4x2", "2x1:2x1:2x1")
    assert records.table.accuracies.tolist() == [71.5, 20.0]
    assert (records.table.parameters, records.table.flops) == (None, None)
    assert (records.source, str(records.key)) == (
        "mine.csv",
        "mnist, test accuracy, 6 epochs, mean over seeds",
    )


def test_columns_may_have_other_names(tmp_path):
    path = written(tmp_path / "mine.csv", "accuracy,network,best", "1,2x1:2x1:2x1,30", "1,8x1:6x3:4x2,40")
    columns = {"architecture_column": "network", "accuracy_column": "best"}
    assert read_records(Format.CSV, path, request(**columns)).table.accuracies.tolist() == [30.0, 40.0]


def test_several_rows_of_an_architecture_are_its_trainings(tmp_path):
    path = written(tmp_path / "mine.csv", "arch,accuracy", *rows(10, 20), *rows(12, 26))
    records = read_records(Format.CSV, path, request())
    assert records.table.accuracies.tolist() == [11.0, 23.0]
    np.testing.assert_array_equal(records.table.seed_accuracies, [[10, 12], [20, 26]])
    assert "accuracies of repeated architectures are averaged: 2 of 4 records" in records.notes


def test_rows_without_accuracy_or_of_another_space_are_left_out_and_counted(tmp_path):
    path = written(tmp_path / "mine.csv", "arch,accuracy", *rows(50, "", "nan"), "8:8:8:8:8,60", "|none~0|,3")
    records = read_records(Format.CSV, path, request())
    assert records.table.architectures == (ARCHITECTURES[0],)
    assert sorted(note for note in records.notes if "left out" in note) == [
        "left out: 2 of 5 architectures that are not of the space micro-size",
        "left out: 2 of 5 architectures without this accuracy",
    ]


@pytest.mark.parametrize(
    ("lines", "changes", "message"),
    [
        (["arch,accuracy"], {}, "holds no architecture of the space micro-size"),
        ([""], {}, "has no column 'arch'"),
        (["arch,top1", "a,1"], {}, "has no column 'accuracy'; it has 'arch, top1'"),
        (["arch,accuracy", "2x1:2x1:2x1"], {}, "line 2: fewer columns"),
        (["arch,accuracy", "2x1:2x1:2x1,high"], {}, "line 2: expected an accuracy, got 'high'"),
        (["arch,accuracy", *rows(0.91, 0.2)], {}, "in per cent, from 0 to 100, got 0.2 to 0.91"),
        (["arch,accuracy", *rows(91, 101)], {}, "got 91 to 101"),
        (["arch,accuracy", *rows(91, -1)], {}, "got -1 to 91"),
        (["arch,accuracy", "8:8:8:8:8,60"], {}, "the first says: "),
        (["arch,accuracy", *rows(50)], {"space": None}, "a space is needed"),
        (["arch,accuracy", *rows(50)], {"epochs": None}, "need epochs"),
        (['arch,accuracy', '"2x1,3'], {}, "cannot read mine.csv"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named(tmp_path, lines, changes, message):
    path = written(tmp_path / "mine.csv", *lines)
    with pytest.raises(TaskError) as error:
        read_records(Format.CSV, path, request(**changes))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "content", [b"\x1f\x8bnonsense", gzip.compress(b"arch,accuracy\n" * 99, mtime=0)[:-9], b"a\xff\xfe"]
)
def test_spoilt_files_are_named(tmp_path, content):
    (tmp_path / "mine.csv").write_bytes(content)
    with pytest.raises(TaskError, match="mine.csv"):
        read_records(Format.CSV, tmp_path / "mine.csv", request())


def test_a_missing_file_and_an_unknown_space_are_named(tmp_path):
    with pytest.raises(TaskError, match="nothing at .*mine.csv"):
        read_records(Format.CSV, tmp_path / "mine.csv", request())
    path = written(tmp_path / "mine.csv", "arch,accuracy", *rows(50))
    with pytest.raises(SpaceError, match="micro-sized"):
        read_records(Format.CSV, path, request(space="micro-sized"))


def test_a_space_that_cannot_be_listed_is_asked_for_each_architecture(tmp_path):
    drawn = spaces.get("nds-darts").sample(3)
    path = written(
        tmp_path / "mine.csv",
        "arch,accuracy",
        *(f"{text},{90 + place}" for place, text in enumerate(drawn)),
        "8:8,1",
    )
    records = read_records(Format.CSV, path, request(space="nds-darts"))
    assert records.table.architectures == tuple(drawn)


def test_costs_are_counted_for_a_sample_where_none_are_recorded(tmp_path):
    path = written(tmp_path / "mine.csv", "arch,accuracy", *rows(20, 50, 80))
    checked = check_costs(read_records(Format.CSV, path, request()), 10, 14, sample=2)
    space = spaces.get("micro-size")
    assert checked.differences == ()
    assert checked.parameters.tolist() == [space.parameters(ARCHITECTURES[row], 10) for row in checked.rows]
    assert checked.flops.tolist() == [space.flops(ARCHITECTURES[row], 10, 14) for row in checked.rows]


def test_a_whole_table_of_the_topology_space_is_read():
    path = shared_data.shared_data("nats_tss_200ep_test.csv.gz")
    found = Request("cifar10", "test", 200, "nats-tss", accuracy_column="cifar10_test")
    records = read_records(Format.CSV, path, found)
    assert records.table.architectures == tuple(spaces.get("nats-tss").architectures())
    assert records.table.accuracies.max() == pytest.approx(94.373333)
