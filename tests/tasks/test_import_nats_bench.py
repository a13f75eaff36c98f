import csv
import gzip

import import_examples as examples
import numpy as np
import pytest
import shared_data

from eznas import spaces
from eznas.errors import TaskError
from eznas.tasks.importing import Format, Request, check_costs, read_records
from eznas.tasks.importing.nats_bench import opened

TSS, SSS = "NATS-tss-v1_0-3ffb9-simple", "NATS-sss-v1_0-50262-simple"
SEEDS = {5: [777], 2: [777, 888], 9: [777, 888, 999]}


def read(path, *key, format_=Format.NATS_BENCH):
    return read_records(format_, path, Request(*key))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return examples.release_folder(tmp_path_factory.mktemp("release") / "NATS-tss", "nats-tss", SEEDS)


def expected(data_set, split, epochs):
    means = [
        np.mean([examples.accuracy(index, data_set, split, epochs, seed) for seed in SEEDS[index]])
        for index in sorted(SEEDS)
    ]
    return np.array(means)


@pytest.mark.parametrize(
    ("data_set", "split", "full"),
    [
        ("cifar10", "test", "ori-test"),
        ("cifar10-valid", "valid", "x-valid"),
        ("cifar10-valid", "test", "ori-test"),
        ("cifar100", "test", "x-test"),
        ("cifar100", "valid", "x-valid"),
        ("cifar100", "ori-test", "ori-test"),
        ("ImageNet16-120", "x-test", "x-test"),
    ],
)
@pytest.mark.parametrize("epochs", [12, 200])
def test_the_mean_over_seeds_after_the_last_epoch_is_read(folder, data_set, split, full, epochs):
    records = read(folder, data_set, split, epochs)
    assert (records.space, records.key.split, records.key.epochs) == ("nats-tss", full, epochs)
    np.testing.assert_allclose(records.table.accuracies, expected(data_set, full, epochs), rtol=1e-13)
    every = spaces.get("nats-tss").architectures()
    assert records.table.architectures == tuple(every[index] for index in sorted(SEEDS))
    assert records.table.parameters.tolist() == [102_000, 105_000, 109_000]
    assert records.table.flops.tolist() == [14_500_000, 17_500_000, 21_500_000]


def test_how_many_of_how_many_and_how_often_trained_is_told(folder):
    notes = read(folder, "cifar10", "test", 200).notes
    assert notes[0] == "3 of the 15,625 architectures of nats-tss are there"
    assert notes[-1] == "the mean of 1 to 3 accuracies an architecture"
    assert read(folder, "cifar10", "test", 200).table.seed_accuracies is None


@pytest.mark.parametrize(
    ("key", "there"),
    [
        (("cifar10", "test", 90), "cifar10 after 12, 200 epochs: ori-test"),
        (("cifar10", "valid", 200), "cifar10-valid after 12, 200 epochs: ori-test, x-valid"),
        (("CIFAR10", "test", 200), "cifar100 after 12, 200 epochs: ori-test, x-test, x-valid"),
    ],
)
def test_a_key_that_is_not_there_is_answered_with_those_that_are(folder, key, there):
    with pytest.raises(TaskError, match="does not have") as error:
        read(folder, *key)
    assert there in str(error.value)


def test_epochs_are_never_guessed(folder):
    with pytest.raises(TaskError, match="need epochs"):
        read(folder, "cifar10", "test")


def test_architectures_without_a_result_for_the_key_are_left_out_and_counted(tmp_path):
    folder = examples.release_folder(tmp_path / "release", "nats-sss", {3: [777], 4: [777]})
    lacking = examples.states("nats-sss", 7, [777])
    for key in [key for key in lacking["90"]["all_results"] if key[0] == "cifar10"]:
        del lacking["90"]["all_results"][key]
    examples.write_bz2(folder / "000007.pickle.pbz2", lacking)
    records = read(folder, "cifar10", "test", 90)
    assert (records.space, len(records.table.architectures)) == ("nats-sss", 2)
    assert any(note == "left out: 1 of 3 architectures without this accuracy" for note in records.notes)
    assert len(read(folder, "cifar100", "test", 90).table.architectures) == 3


@pytest.mark.parametrize("compressed", [True, False])
def test_the_single_file_gives_what_the_folder_gives(folder, tmp_path, compressed):
    path = examples.write_bz2(tmp_path / "NATS-tss.pickle.pbz2", examples.single_file("nats-tss", SEEDS))
    if not compressed:
        with opened(path) as file:
            path.write_bytes(file.read())
    single, several = (read(each, "cifar100", "test", 200) for each in (path, folder))
    assert single.table.architectures == several.table.architectures
    np.testing.assert_array_equal(single.table.accuracies, several.table.accuracies)


def test_two_processes_read_what_one_reads(folder, monkeypatch):
    monkeypatch.setattr("eznas.tasks.importing.nats_bench._FEW_FILES", 0)
    monkeypatch.setattr("eznas.tasks.importing.nats_bench._BATCH", 1)
    told = []
    request = Request("cifar10", "test", 12, processes=2)
    records = read_records(Format.NATS_BENCH, folder, request, lambda *counts: told.append(counts))
    np.testing.assert_allclose(records.table.accuracies, expected("cifar10", "ori-test", 12))
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]


def renamed(folder):
    (folder / "000003.pickle.pbz2").rename(folder / "000008.pickle.pbz2")


def cut(folder):
    path = folder / "000003.pickle.pbz2"
    path.write_bytes(path.read_bytes()[:-40])


def foreign(folder):
    examples.write_bz2(folder / "000003.pickle.pbz2", {"12": {"arch_index": 3}})


def no_mapping(folder):
    examples.write_bz2(folder / "000003.pickle.pbz2", [1, 2])


def other_order(folder):
    text = spaces.get("nats-tss").architectures()[4]
    examples.write_bz2(folder / "000003.pickle.pbz2", examples.states("nats-tss", 3, [1], arch_str=text))


def emptied(folder):
    for path in folder.iterdir():
        path.unlink()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (renamed, "000008.pickle.pbz2 holds the architecture 3"),
        (cut, "cannot read 000003.pickle.pbz2"),
        (foreign, "000003.pickle.pbz2 is not in the layout of NATS-Bench: KeyError"),
        (no_mapping, "000003.pickle.pbz2 is not in the layout"),
        (other_order, "expected the order of nats-tss or nats-sss"),
        (emptied, "holds no file such as 000000.pickle.pbz2"),
    ],
)
def test_spoilt_and_foreign_files_are_named(tmp_path, spoil, message):
    folder = examples.release_folder(tmp_path / "release", "nats-tss", {3: [777]})
    spoil(folder)
    with pytest.raises(TaskError) as error:
        read(folder, "cifar10", "test", 200)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [[1], {"meta_archs": []}, {"arch2infos": None}, {"arch2infos": {0: 3}}])
def test_a_single_file_in_another_layout_is_refused(tmp_path, content):
    path = examples.write_bz2(tmp_path / "NATS.pickle.pbz2", content)
    with pytest.raises(TaskError, match="NATS.pickle.pbz2"):
        read(path, "cifar10", "test", 200)


@pytest.mark.parametrize(
    ("folder", "epochs", "table"),
    [(TSS, 200, "nats_tss_200ep_test.csv.gz"), (SSS, 90, "nats_sss_90ep_test.csv.gz")],
)
@pytest.mark.parametrize("data_set", ["cifar10", "cifar100"])
def test_genuine_files_have_the_accuracies_that_others_measured(folder, epochs, table, data_set):
    records = read(shared_data.shared_data(f"nats_bench_release/{folder}"), data_set, "test", epochs)
    with gzip.open(shared_data.shared_data(table), "rt") as file:
        known = {row["arch"]: float(row[f"{data_set}_test"]) for row in csv.DictReader(file)}
    every = spaces.get(records.space).architectures()
    assert records.table.architectures == tuple(every[index] for index in (0, 11, 284))
    np.testing.assert_allclose(
        records.table.accuracies, [known[text] for text in records.table.architectures], atol=1e-5
    )


@pytest.mark.parametrize(("folder", "epochs"), [(TSS, 200), (SSS, 90)])
@pytest.mark.parametrize(
    ("data_set", "classes", "side"), [("cifar10", 10, 32), ("cifar100", 100, 32), ("ImageNet16-120", 120, 16)]
)
def test_genuine_files_record_the_costs_that_the_space_counts(folder, epochs, data_set, classes, side):
    records = read(shared_data.shared_data(f"nats_bench_release/{folder}"), data_set, "test", epochs)
    checked = check_costs(records, classes, side)
    assert checked.differences == ()
    assert len(checked.rows) == 3


def test_costs_that_differ_are_reported(folder):
    records = read(folder, "cifar10", "test", 200)
    parameters, flops = check_costs(records, 10, 32, sample=2).differences
    assert "the recorded parameters of 2 of 2 architectures" in parameters
    assert "the recorded FLOPs of 2 of 2 architectures" in flops
