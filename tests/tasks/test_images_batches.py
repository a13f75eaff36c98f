import pickle
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from image_files import (
    cifar10_batch,
    cifar10_folder,
    cifar100_folder,
    imagenet16_batch,
    imagenet16_folder,
    python2_pickle,
)

from eznas.errors import TaskError
from eznas.tasks.images import Images, load_images


def rows(images: Images) -> set[tuple[int, bytes]]:
    """Labels with the bytes of their images, in no order."""
    pixels = (images.pixels * 255).round().to(torch.uint8).flatten(1).numpy()
    return {(int(label), row.tobytes()) for label, row in zip(images.labels, pixels, strict=True)}


def written(batches: list[dict[str, Any]], key: str = "labels") -> set[tuple[int, bytes]]:
    return {
        (label, row.tobytes())
        for batch in batches
        for label, row in zip(batch[key], batch["data"], strict=True)
    }


def test_cifar10_folder_gives_its_training_images(tmp_path: Path) -> None:
    batches = cifar10_folder(tmp_path / "cifar-10-batches-py")
    images = load_images(str(tmp_path / "cifar-10-batches-py"))
    assert images.name == "cifar10"
    assert images.pixels.shape == (50, 3, 32, 32)
    assert images.pixels.dtype == torch.float32
    assert images.classes == 10
    assert rows(images) == written([batches[f"data_batch_{number}"] for number in range(1, 6)])


def test_planes_of_a_batch_are_red_green_and_blue(tmp_path: Path) -> None:
    batch = cifar10_batch([3])
    (tmp_path / "test_batch").write_bytes(python2_pickle(batch))
    pixels = load_images(str(tmp_path / "test_batch")).pixels
    planes = torch.from_numpy(batch["data"].astype(np.float32) / 255).view(3, 32, 32)
    torch.testing.assert_close(pixels[0], planes, rtol=0, atol=0)


def test_file_of_a_folder_gives_the_images_of_this_file(tmp_path: Path) -> None:
    batches = cifar10_folder(tmp_path / "cifar")
    for name in ("test_batch", "data_batch_3"):
        assert rows(load_images(str(tmp_path / "cifar" / name))) == written([batches[name]])


def test_folder_without_training_batches_gives_the_test_images(tmp_path: Path) -> None:
    batches = imagenet16_folder(tmp_path / "ImageNet16")
    for number in range(1, 11):
        (tmp_path / "ImageNet16" / f"train_data_batch_{number}").unlink()
    kept = [(label - 1, row) for label, row in written([batches["val_data"]]) if label <= 120]
    assert rows(load_images(str(tmp_path / "ImageNet16"))) == set(kept)


def test_cifar100_folder_gives_its_training_images_with_fine_labels(tmp_path: Path) -> None:
    batches = cifar100_folder(tmp_path / "cifar-100-python")
    images = load_images(str(tmp_path / "cifar-100-python"))
    assert (images.name, images.classes) == ("cifar100", 100)
    assert rows(images) == written([batches["train"]], "fine_labels")


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_imagenet16_folder_gives_the_first_120_classes_from_0(tmp_path: Path, protocol: int) -> None:
    batches = imagenet16_folder(tmp_path / "ImageNet16", protocol)
    images = load_images(str(tmp_path / "ImageNet16"))
    assert (images.name, images.classes) == ("ImageNet16-120", 120)
    assert images.pixels.shape == (30, 3, 16, 16)
    assert sorted(images.labels.tolist()) == sorted([*range(10), *[119] * 10, *[59] * 10])
    expected = written([batch for name, batch in batches.items() if name != "val_data"])
    assert rows(images) == {(label - 1, row) for label, row in expected if label <= 120}


def test_bounded_number_is_the_draw_of_all(tmp_path: Path) -> None:
    cifar100_folder(tmp_path / "cifar")
    drawn = load_images(str(tmp_path / "cifar"), most=17, seed=5)
    same = load_images(str(tmp_path / "cifar")).drawn(17, seed=5)
    assert torch.equal(drawn.pixels, same.pixels)
    assert torch.equal(drawn.labels, same.labels)
    assert drawn.classes == same.classes == 100


def test_side_scales_the_images(tmp_path: Path) -> None:
    cifar10_folder(tmp_path / "cifar")
    whole, half = load_images(str(tmp_path / "cifar")), load_images(str(tmp_path / "cifar"), side=16)
    torch.testing.assert_close(half.pixels, whole.resized(16).pixels)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("cifar-10-batches-py", cifar10_folder),
        ("cifar-100-python", cifar100_folder),
        ("ImageNet16", imagenet16_folder),
    ],
)
def test_folder_around_the_official_one_will_do(
    tmp_path: Path, name: str, write: Callable[[Path], object]
) -> None:
    write(tmp_path / name)
    assert rows(load_images(str(tmp_path))) == rows(load_images(str(tmp_path / name)))


def test_folder_around_two_data_sets_is_refused(tmp_path: Path) -> None:
    cifar10_folder(tmp_path / "cifar-10-batches-py")
    cifar100_folder(tmp_path / "cifar-100-python")
    with pytest.raises(
        TaskError, match="holds cifar-10-batches-py and cifar-100-python; expected the path of"
    ):
        load_images(str(tmp_path))


def test_missing_training_batches_are_named(tmp_path: Path) -> None:
    cifar10_folder(tmp_path / "cifar")
    (tmp_path / "cifar" / "data_batch_2").unlink()
    (tmp_path / "cifar" / "data_batch_5").unlink()
    with pytest.raises(TaskError, match="holds cifar10 without data_batch_2, data_batch_5; expected all"):
        load_images(str(tmp_path / "cifar"))


def test_folder_with_a_description_alone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "batches.meta").write_bytes(python2_pickle({"label_names": []}))
    with pytest.raises(TaskError, match="holds cifar10 without test_batch"):
        load_images(str(tmp_path))


def test_folder_of_two_data_sets_is_refused(tmp_path: Path) -> None:
    cifar10_folder(tmp_path / "both")
    (tmp_path / "both" / "val_data").write_bytes(b"")
    with pytest.raises(
        TaskError, match="holds batches of cifar10 and of ImageNet16-120; expected those of one"
    ):
        load_images(str(tmp_path / "both"))


def changed(**values: Any) -> bytes:
    return pickle.dumps({**cifar10_batch([0, 1, 2]), **values})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"<html>", "refused|no pickle"),
        (python2_pickle(cifar10_batch([0, 1]))[:3000], "truncated"),
        (python2_pickle(cifar10_batch([0, 1])) + b"x", "goes on for 1 bytes"),
        (pickle.dumps([1, 2]), "expected a batch of cifar10 with 'data' and 'labels', got a list of 2"),
        (pickle.dumps({}), "got a dictionary with nothing"),
        (pickle.dumps({"data": 0, "fine_labels": 0}), "got a dictionary with 'data', 'fine_labels'"),
        (pickle.dumps(imagenet16_batch([1, 2])), r"of shape \(N, 3072\).* got uint8 of shape \(2, 768\)"),
        (changed(data="x" * 3072), "expected 'data' uint8 .* got a str"),
        (changed(data=np.zeros((3, 3072), np.float32)), r"got float32 of shape \(3, 3072\)"),
        (changed(labels=[0, 1]), "expected 'labels' to be 3 integers, got a list of 2"),
        (changed(labels=7), "expected 'labels' to be 3 integers, got a int"),
        (changed(labels=[0, 1, 0.5]), "expected 'labels' to be 3 integers"),
        (changed(labels=[0, 1, "a"]), "expected 'labels' to be 3 integers"),
        (changed(labels=[0, 1, []]), "expected 'labels' to be 3 integers"),
        (changed(labels=[0, 1, 10**30]), "expected 'labels' to be 3 integers"),
        (changed(labels=[0, 1, 10]), "expected 'labels' from 0 to 9, got 0 to 10"),
        (changed(labels=[-1, 1, 2]), "expected 'labels' from 0 to 9, got -1 to 2"),
        (changed(data=np.zeros((0, 3072), np.uint8), labels=[]), "expected images .* got none"),
    ],
)
def test_file_that_is_no_batch_is_refused_in_one_line_that_names_it(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    (tmp_path / "test_batch").write_bytes(content)
    with pytest.raises(TaskError, match=reason) as caught:
        load_images(str(tmp_path / "test_batch"))
    assert str(tmp_path / "test_batch") in str(caught.value)
    assert "\n" not in str(caught.value)


class Malicious:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("name", ["data_batch_1", "train", "train_data_batch_1"])
def test_code_in_a_batch_is_refused_and_never_run(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(pickle.dumps(Malicious(tmp_path / "hacked")))
    with pytest.raises(TaskError, match=f"{name}: refused"):
        load_images(str(tmp_path / name))
    assert not (tmp_path / "hacked").exists()


@given(data=st.data())
@settings(max_examples=60)
def test_spoilt_batch_is_refused_or_read_but_never_a_crash(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "test_batch"
    content = bytearray(python2_pickle(cifar10_batch([0, 1, 2])))
    # All but the pixels, where a changed byte is another image.
    places = st.one_of(st.integers(0, 299), st.integers(len(content) - 200, len(content) - 1))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(places)] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    with suppress(TaskError):
        assert load_images(str(path)).pixels.shape[1:] == (3, 32, 32)
