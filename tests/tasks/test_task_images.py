import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from eznas.errors import TaskError
from eznas.tasks.images import MNIST, load_images


def save(path: Path, **arrays: Any) -> str:
    np.savez(path, **arrays)
    return str(path)


def images(count: int = 6, *shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, *(shape or (5, 4))), dtype=np.uint8)


def test_built_in_images_are_the_ones_that_the_tables_were_trained_on() -> None:
    loaded = load_images(MNIST)
    assert loaded.pixels.shape == (5000, 1, 28, 28)
    assert loaded.classes == 10
    assert loaded.labels.bincount().tolist() == [500] * 10
    bytes_in_order = (loaded.pixels * 255).round().to(
        torch.uint8
    ).numpy().tobytes() + loaded.labels.numpy().tobytes()
    assert (
        hashlib.sha256(bytes_in_order).hexdigest()
        == "a222aa2a3c0c87643e5105eddeafc33138295d8dc887f6c7fc510d4ae57b00eb"
    )


def test_built_in_images_are_shuffled() -> None:
    assert len(load_images(MNIST).labels[:20].unique()) > 5


def test_own_images_are_scaled_and_keep_their_labels(tmp_path: Path) -> None:
    pixels = images(6, 3, 5, 4)
    pixels[:, 0, 0, 0] = 51 * np.arange(6)
    loaded = load_images(save(tmp_path / "own.npz", images=pixels, labels=np.arange(6, dtype=np.uint8)))
    assert loaded.pixels.shape == (6, 3, 5, 4)
    assert loaded.pixels.dtype == torch.float32
    assert loaded.classes == 6
    assert sorted(loaded.labels.tolist()) == list(range(6))
    torch.testing.assert_close(loaded.pixels[:, 0, 0, 0], loaded.labels / 5)


def test_grey_images_get_a_channel(tmp_path: Path) -> None:
    path = save(tmp_path / "grey.npz", images=images(), labels=np.zeros(6, int))
    assert load_images(path).pixels.shape == (6, 1, 5, 4)


def test_halving_the_side_averages_four_pixels(tmp_path: Path) -> None:
    path = save(tmp_path / "grey.npz", images=images(3, 4, 4), labels=np.zeros(3, int))
    whole, half = load_images(path), load_images(path).resized(2)
    expected = whole.pixels.reshape(3, 1, 2, 2, 2, 2).mean(dim=(3, 5))
    torch.testing.assert_close(half.pixels, expected)
    assert half.resized(2) is half


GOOD = images()
LABELS = np.zeros(6, int)


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"images": GOOD}, "labels"),
        ({"labels": LABELS}, "images"),
        ({"images": GOOD.astype(np.float32), "labels": LABELS}, "must be uint8 .* got float32"),
        ({"images": GOOD[0], "labels": LABELS}, r"of shape \(5, 4\)"),
        ({"images": GOOD[:0], "labels": LABELS[:0]}, r"of shape \(0, 1, 5, 4\)"),
        ({"images": GOOD[:, :0], "labels": LABELS}, r"of shape \(6, 1, 0, 4\)"),
        ({"images": GOOD, "labels": LABELS[:5]}, "must be 6 integers"),
        ({"images": GOOD, "labels": LABELS.astype(float)}, "must be 6 integers, got float64"),
        ({"images": GOOD, "labels": LABELS[:, None]}, "must be 6 integers"),
        ({"images": GOOD, "labels": LABELS - 1}, "count the classes from 0, got -1 to -1"),
        ({"images": GOOD, "labels": LABELS + 10**9}, "got 1000000000 to 1000000000 for 6 images"),
        ({"images": GOOD, "labels": LABELS + 7, "classes": 7}, "got 7 to 7 for 6 images of 7 classes"),
        ({"images": GOOD, "labels": LABELS, "classes": 0}, "'classes' must be from 1 to 65536, got 0"),
        ({"images": GOOD, "labels": LABELS, "classes": 10**9}, "'classes' must be from 1 to 65536"),
        ({"images": GOOD, "labels": LABELS, "classes": 1.5}, "'classes' must be one integer, got float64"),
        (
            {"images": GOOD, "labels": LABELS, "classes": [1, 2]},
            "'classes' must be one integer, got int64 of",
        ),
        ({"images": GOOD, "labels": np.array(list("abcdef"), object)}, "Object arrays cannot be loaded"),
        ({"images": np.array([{}] * 6, object), "labels": LABELS}, "Object arrays cannot be loaded"),
    ],
)
def test_arrays_that_are_no_labelled_images_are_refused(
    tmp_path: Path, arrays: dict[str, Any], reason: str
) -> None:
    with pytest.raises(TaskError, match=reason):
        load_images(save(tmp_path / "bad.npz", **arrays))


def test_missing_file_is_named_beside_the_built_in_images() -> None:
    with pytest.raises(TaskError, match=r"no images at nowhere\.npz; expected 'mnist-5k' or an existing"):
        load_images("nowhere.npz")


def test_single_array_and_pickle_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "single.npy", GOOD)
    (tmp_path / "evil.npz").write_bytes(b"cos\nsystem\n(S'touch hacked'\ntR.")
    (tmp_path / "empty.npz").write_bytes(b"")
    for name in ("single.npy", "evil.npz", "empty.npz"):
        with pytest.raises(TaskError, match=r"is not an \.npz file"):
            load_images(str(tmp_path / name))


def test_folder_that_holds_no_images_is_told_what_was_looked_for(tmp_path: Path) -> None:
    looked_for = r"expected data_batch_1 .*CIFAR-10.* train or .*CIFAR-100.*ImageNet16.* class folders of PNG"
    with pytest.raises(TaskError, match=f"is empty; {looked_for}"):
        load_images(str(tmp_path))
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(TaskError, match=rf"holds 'thesis\.txt'; {looked_for}"):
        load_images(str(tmp_path))


@pytest.mark.parametrize("source", ["", "a" * 5000, "a\0b", "a\nb"])
def test_path_that_cannot_be_is_refused(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TaskError):
        load_images(source)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_spoilt_file_is_refused_or_read_but_never_a_crash(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "spoilt.npz"
    np.savez_compressed(path, images=GOOD, labels=LABELS)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    with suppress(TaskError):
        assert load_images(str(path)).pixels.ndim == 4
