from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from image_files import random_pixels
from shared_data import shared_data

from eznas.errors import TaskError
from eznas.tasks.images import MNIST, Images, load_images, write_npz


def labelled(labels: list[int]) -> Images:
    """Images whose pixel is their place."""
    return Images("own", torch.arange(float(len(labels))).view(-1, 1, 1, 1), torch.tensor(labels))


@given(
    labels=st.lists(st.integers(0, 6), min_size=1, max_size=60),
    count=st.integers(1, 70),
    seed=st.integers(0, 2**32),
)
def test_draw_holds_as_many_of_each_class_as_there_are_or_as_of_any_other(
    labels: list[int], count: int, seed: int
) -> None:
    images = labelled(labels)
    drawn = images.drawn(count, seed)
    places = drawn.pixels.flatten().long()
    assert len(places) == len(set(places.tolist())) == min(count, len(labels))
    assert torch.equal(images.labels[places], drawn.labels)
    there, got = np.bincount(labels, minlength=7), np.bincount(drawn.labels, minlength=7)
    unfilled = got[got < there]
    # A class that has images left got at most one fewer than any other.
    assert all(got.max() <= fewest + 1 for fewest in unfilled)
    assert drawn.classes == images.classes


@given(
    labels=st.lists(st.integers(0, 3), min_size=2, max_size=30),
    count=st.integers(1, 29),
    seed=st.integers(0, 9),
)
def test_smaller_draw_is_the_beginning_of_a_larger_one(labels: list[int], count: int, seed: int) -> None:
    smaller, larger = labelled(labels).drawn(count, seed), labelled(labels).drawn(count + 1, seed)
    assert torch.equal(larger.pixels[: len(smaller.pixels)], smaller.pixels)


def test_draw_is_decided_by_its_seed() -> None:
    images = labelled(list(range(10)) * 10)
    first, again, other = (images.drawn(20, seed).pixels.flatten().tolist() for seed in (1, 1, 2))
    assert first == again
    assert set(first) != set(other)
    assert len({tuple(images.drawn(4, seed).labels.tolist()) for seed in range(20)}) > 10


def test_bounded_number_of_the_built_in_images_is_their_draw() -> None:
    bounded, drawn = load_images(MNIST, most=64, seed=3), load_images(MNIST).drawn(64, seed=3)
    assert torch.equal(bounded.pixels, drawn.pixels)
    assert torch.equal(bounded.labels, drawn.labels)
    assert bounded.labels.bincount().min() == 6


@pytest.mark.parametrize("count", [0, -3])
def test_draw_of_nothing_is_refused(count: int) -> None:
    with pytest.raises(TaskError, match=f"at least 1 image, got {count}"):
        labelled([0, 1]).drawn(count)
    with pytest.raises(TaskError, match=f"at least 1 image, got {count}"):
        load_images(MNIST, most=count)


def test_side_of_nothing_is_refused() -> None:
    with pytest.raises(TaskError, match="at least 1 pixel a side, got 0"):
        load_images(MNIST, side=0)


def test_written_images_are_read_again_to_the_bit(tmp_path: Path) -> None:
    pixels = random_pixels(256, 3, 4, 5)
    pixels[:, 0, 0, 0] = np.arange(256)
    whole = Images("own", torch.from_numpy(pixels.astype(np.float32) / 255), torch.arange(256) % 99, 100)
    write_npz(whole, tmp_path / "own.npz")
    read = load_images(str(tmp_path / "own.npz"))
    assert (read.name, read.classes) == ("own.npz", 100)
    order = np.random.default_rng(0).permutation(256)
    assert torch.equal(read.pixels, whole.pixels[order])
    assert torch.equal(read.labels, whole.labels[order])


def test_few_images_of_many_classes_can_be_written_and_read(tmp_path: Path) -> None:
    write_npz(labelled([5000, 3]).resized(2), tmp_path / "few.npz")
    assert load_images(str(tmp_path / "few.npz")).classes == 5001


def test_images_that_cannot_be_written_are_reported(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"cannot write the images to .*none/own\.npz"):
        write_npz(labelled([0]), tmp_path / "none" / "own.npz")


@pytest.mark.parametrize(("name", "classes"), [("cifar10_sample.npz", 10), ("cifar100_sample.npz", 94)])
def test_genuine_images_survive_writing(name: str, classes: int, tmp_path: Path) -> None:
    images = load_images(str(shared_data(name)))
    assert images.pixels.shape[1:] == (3, 32, 32)
    write_npz(images.drawn(16), tmp_path / "drawn.npz")
    again = load_images(str(tmp_path / "drawn.npz"))
    assert again.classes == images.classes
    assert images.classes <= classes + 6
    with np.load(shared_data(name)) as arrays:
        originals = {row.tobytes() for row in arrays["images"]}
    assert {row.tobytes() for row in (again.pixels * 255).round().to(torch.uint8).numpy()} <= originals
