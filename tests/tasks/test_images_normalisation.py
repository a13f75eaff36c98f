import pytest
import torch
from image_files import random_pixels
from shared_data import shared_data

from eznas.errors import TaskError
from eznas.tasks.images import DATA_SETS, MNIST, NORMALISATIONS, load_images


def test_every_data_set_has_a_named_normalisation_with_its_source() -> None:
    assert {
        "mnist",
        "cifar10",
        "cifar100",
        "ImageNet16-120",
        "imagenet",
        "half",
        "none",
    } <= NORMALISATIONS.keys()
    for known in DATA_SETS.values():
        assert known.normalisation in NORMALISATIONS.values()
    for name, normalisation in NORMALISATIONS.items():
        assert len(normalisation.mean) == len(normalisation.deviation) in (1, 3), name
        assert all(0 <= mean < 1 for mean in normalisation.mean)
        assert all(0 < deviation <= 1 for deviation in normalisation.deviation)
        assert normalisation.source


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("cifar10", 10), ("cifar10-valid", 10), ("cifar100", 100), ("ImageNet16-120", 120),
        ("imagenet", 1000), ("mnist", 10), (MNIST, 10),
    ],
)  # fmt: skip
def test_data_sets_have_their_classes(name: str, classes: int) -> None:
    assert DATA_SETS[name].classes == classes


def test_half_gives_pixels_from_minus_one_to_one_for_any_channels() -> None:
    for channels in (1, 3, 4):
        pixels = torch.tensor([0.0, 0.5, 1.0]).view(3, 1, 1, 1).expand(3, channels, 1, 1)
        assert NORMALISATIONS["half"].applied(pixels)[:, -1].flatten().tolist() == [-1, 0, 1]


def test_none_changes_nothing() -> None:
    pixels = torch.from_numpy(random_pixels(2, 3, 4, 4)) / 255
    assert torch.equal(NORMALISATIONS["none"].applied(pixels), pixels)


def test_each_channel_is_normalised_by_its_own_figures() -> None:
    pixels = torch.from_numpy(random_pixels(2, 3, 4, 4)) / 255
    before = pixels.clone()
    result = NORMALISATIONS["imagenet"].applied(pixels)
    torch.testing.assert_close(result[:, 0], (pixels[:, 0] - 0.485) / 0.229)
    torch.testing.assert_close(result[:, 2], (pixels[:, 2] - 0.406) / 0.225)
    assert torch.equal(pixels, before)


@pytest.mark.parametrize("shape", [(2, 1, 4, 4), (2, 4, 4, 4), (3, 4, 4), (3,)])
def test_images_with_other_channels_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(TaskError, match=r"expected images \(N, 3, H, W\) to normalise, got shape \("):
        NORMALISATIONS["cifar10"].applied(torch.zeros(shape))


def test_digits_have_mean_0_and_deviation_1() -> None:
    pixels = NORMALISATIONS["mnist"].applied(load_images(MNIST).pixels)
    assert pixels.mean().abs() < 0.01
    assert (pixels.std() - 1).abs() < 0.01


def test_genuine_cifar10_images_have_mean_0_and_deviation_1_in_each_channel() -> None:
    images = load_images(str(shared_data("cifar10_sample.npz")))
    pixels = NORMALISATIONS["cifar10"].applied(images.pixels)
    # 256 images: their own means lie about half a deviation apart, so the mean of all has an error of 0.03.
    assert pixels.mean(dim=(0, 2, 3)).abs().max() < 0.1
    assert (pixels.std(dim=(0, 2, 3)) - 1).abs().max() < 0.1
