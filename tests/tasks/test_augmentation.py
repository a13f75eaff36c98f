import pytest
import torch
from pydantic import ValidationError

from eznas.tasks import Augmentation
from eznas.tasks.augmentation import normalised


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


IMAGES = torch.rand(6, 2, 9, 9, generator=generator())


def test_no_distortion_gives_the_same_images() -> None:
    still = Augmentation(rotation=0, shift=0, noise=0)
    torch.testing.assert_close(still(IMAGES, generator()), IMAGES, atol=1e-6, rtol=0)


def test_same_seed_distorts_alike_and_another_seed_otherwise() -> None:
    distort = Augmentation()
    assert torch.equal(distort(IMAGES, generator(1)), distort(IMAGES, generator(1)))
    assert not torch.equal(distort(IMAGES, generator(1)), distort(IMAGES, generator(2)))


def test_images_given_are_left_alone() -> None:
    before = IMAGES.clone()
    Augmentation()(IMAGES, generator())
    assert torch.equal(IMAGES, before)


def test_each_image_is_distorted_in_its_own_way() -> None:
    same = IMAGES[:1].expand(6, -1, -1, -1)
    distorted = Augmentation(noise=0)(same, generator())
    assert all(not torch.allclose(distorted[0], other) for other in distorted[1:])


def test_noise_has_the_stated_deviation() -> None:
    images = torch.zeros(50, 1, 20, 20)
    noise = Augmentation(rotation=0, shift=0, noise=0.7)(images, generator())
    assert noise.std().item() == pytest.approx(0.7, rel=0.02)
    assert noise.mean().item() == pytest.approx(0, abs=0.02)


def test_shift_moves_at_most_the_stated_fraction_of_the_side() -> None:
    points = torch.zeros(200, 1, 21, 21)
    points[:, :, 10, 10] = 1.0
    moved = Augmentation(rotation=0, shift=0.1, noise=0)(points, generator())
    rows, columns = (moved.sum(dim=(1, axis)) for axis in (3, 2))
    positions = torch.arange(21.0)
    for profile in (rows, columns):
        centre = (profile * positions).sum(dim=1) / profile.sum(dim=1)
        assert (centre - 10).abs().max().item() <= 2.1 + 1e-4
        assert (centre - 10).abs().max().item() > 1.8


def test_rotation_keeps_the_distance_from_the_centre_and_stays_below_the_stated_angle() -> None:
    points = torch.zeros(200, 1, 41, 41)
    points[:, :, 20, 35] = 1.0
    turned = Augmentation(rotation=20, shift=0, noise=0)(points, generator())
    weights = turned / turned.sum(dim=(2, 3), keepdim=True)
    offsets = torch.arange(41.0) - 20
    down = (weights.sum(dim=3)[:, 0] * offsets).sum(dim=1)
    right = (weights.sum(dim=2)[:, 0] * offsets).sum(dim=1)
    torch.testing.assert_close(torch.hypot(down, right), torch.full((200,), 15.0), atol=0.3, rtol=0)
    angles = torch.atan2(down, right).rad2deg()
    assert 18 < angles.abs().max().item() < 21.5
    assert angles.min().item() < 0 < angles.max().item()


def test_normalised_images_have_mean_zero_and_deviation_one_in_each_channel() -> None:
    pixels = normalised(3 + IMAGES * torch.tensor([1.0, 50.0])[:, None, None])
    torch.testing.assert_close(pixels.mean(dim=(0, 2, 3)), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(pixels.std(dim=(0, 2, 3)), torch.ones(2))


def test_constant_images_stay_finite() -> None:
    assert torch.equal(normalised(torch.full((3, 1, 4, 4), 0.5)), torch.zeros(3, 1, 4, 4))


@pytest.mark.parametrize("field", [{"rotation": -1}, {"shift": 1.5}, {"noise": -0.1}, {"zoom": 2}])
def test_settings_out_of_range_or_unknown_are_refused(field: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Augmentation(**field)  # type: ignore[arg-type]
