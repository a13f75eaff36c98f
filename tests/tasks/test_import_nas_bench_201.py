import pickle

import import_examples as examples
import numpy as np
import pytest
import torch

from eznas.errors import TaskError
from eznas.tasks.importing import Format, Request, read_records
from eznas.tasks.importing.torch_archive import load_torch_archive

SEEDS = {4: [777, 888], 1: [777]}


def release(**more):
    content = examples.single_file("nats-tss", SEEDS)
    for index, states in content["arch2infos"].items():
        content["arch2infos"][index] = {"less": states["12"], "full": states["200"]}
    return content | more


def read(path, data_set="cifar100", split="test", epochs=200):
    return read_records(Format.NAS_BENCH_201, path, Request(data_set, split, epochs))


@pytest.fixture(scope="module")
def content():
    return release()


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("epochs", [12, 200])
def test_both_formats_of_torch_are_read(content, tmp_path, zipped, epochs):
    path = tmp_path / "NAS-Bench-201.pth"
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    records = read(path, epochs=epochs)
    means = [
        np.mean([examples.accuracy(index, "cifar100", "x-test", epochs, seed) for seed in SEEDS[index]])
        for index in sorted(SEEDS)
    ]
    np.testing.assert_allclose(records.table.accuracies, means, rtol=1e-13)
    assert records.table.parameters.tolist() == [101_000, 104_000]
    assert (records.benchmark, records.space) == ("nas-bench-201", "nats-tss")


def test_the_lengths_that_are_there_are_listed(content, tmp_path):
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(TaskError, match="cifar10 after 12, 200 epochs: ori-test"):
        read(tmp_path / "a.pth", epochs=90)


@pytest.mark.parametrize("zipped", [True, False])
def test_files_with_tensors_are_left_to_torchs_own_restricted_reader(tmp_path, zipped):
    path = tmp_path / "weights.pth"
    torch.save({"weights": torch.arange(3.0)}, path, _use_new_zipfile_serialization=zipped)
    assert torch.equal(load_torch_archive(path)["weights"], torch.arange(3.0))


class Runs:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("zipped", [True, False])
def test_a_malicious_file_is_refused_and_nothing_is_run(tmp_path, zipped):
    path, marker = tmp_path / "evil.pth", tmp_path / "marker"
    torch.save({"arch2infos": Runs(marker)}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(TaskError, match=r"evil\.pth: refused, it asks for '(io|_io|__builtin__)\.open'"):
        read(path)
    assert not marker.exists()


def broken_zip(path):
    torch.save({"a": 1}, path)
    path.write_bytes(path.read_bytes()[:-30])


def foreign_zip(path):
    import zipfile

    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "b")


def short(path):
    torch.save({"a": 1}, path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes()[:16])


@pytest.mark.parametrize(
    "write",
    [
        broken_zip,
        foreign_zip,
        short,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"nonsense"),
        lambda path: path.write_bytes(pickle.dumps({"arch2infos": {}})),
        lambda path: path.mkdir(),
    ],
)
def test_foreign_and_spoilt_files_are_named(tmp_path, write):
    path = tmp_path / "some.pth"
    write(path)
    with pytest.raises(TaskError, match=r"^[^\n]*some\.pth[^\n]*$"):
        read(path)
