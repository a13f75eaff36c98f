import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from image_files import picture_folder, random_pixels
from PIL import Image

from eznas.errors import TaskError
from eznas.tasks.images import load_images

CLASSES = {"n02": 3, "n01": 2, "n10": 4}


def save(folder: Path, name: str, pixels: np.ndarray | Image.Image) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    picture.save(path)
    return path


def test_classes_are_folders_in_alphabetical_order(tmp_path: Path) -> None:
    picture_folder(tmp_path / "own", CLASSES)
    images = load_images(str(tmp_path / "own"))
    assert (images.name, images.classes) == ("own", 3)
    assert images.pixels.shape == (9, 3, 6, 8)
    numbers = (images.pixels[:, 0, 0, 0] * 255).round().int().tolist()
    labels = dict(zip(numbers, images.labels.tolist(), strict=True))
    assert labels == {0: 1, 1: 1, 2: 1, 3: 0, 4: 0, 5: 2, 6: 2, 7: 2, 8: 2}


def test_pixels_of_png_images_are_kept_exactly(tmp_path: Path) -> None:
    pixels = random_pixels(5, 7, 3)
    save(tmp_path, "a/x.PNG", pixels)
    loaded = load_images(str(tmp_path)).pixels[0]
    assert torch.equal(loaded, torch.from_numpy(pixels.transpose(2, 0, 1).astype(np.float32) / 255))


def test_jpeg_images_are_read(tmp_path: Path) -> None:
    for name in ("a/x.jpg", "a/y.jpeg", "b/z.JPEG"):
        save(tmp_path, name, np.full((4, 4, 3), 51, np.uint8))
    images = load_images(str(tmp_path))
    assert sorted(images.labels.tolist()) == [0, 0, 1]
    torch.testing.assert_close(images.pixels, torch.full((3, 3, 4, 4), 0.2), rtol=0, atol=2 / 255)


def test_training_images_are_read_where_a_folder_has_them(tmp_path: Path) -> None:
    picture_folder(tmp_path / "own" / "train", CLASSES)
    picture_folder(tmp_path / "own" / "val", {"n01": 1})
    images = load_images(str(tmp_path / "own"))
    assert (images.name, len(images.labels)) == ("own", 9)
    assert len(load_images(str(tmp_path / "own" / "val")).labels) == 1


def test_draw_decodes_only_the_drawn_images(tmp_path: Path) -> None:
    picture_folder(tmp_path, {"a": 20, "b": 20})
    drawn = load_images(str(tmp_path)).drawn(6, seed=1)
    used = {int(number) for number in (drawn.pixels[:, 0, 0, 0] * 255).round()}
    for number in set(range(1, 40)) - used:  # the first image of all gives shape and channels
        (tmp_path / "ab"[number // 20] / f"{number % 20:03d}.png").write_bytes(b"broken")
    bounded = load_images(str(tmp_path), most=6, seed=1)
    assert torch.equal(bounded.pixels, drawn.pixels)
    assert torch.equal(bounded.labels, drawn.labels)
    assert bounded.labels.bincount().tolist() == [3, 3]


def test_number_of_classes_is_that_of_the_folder_however_few_are_drawn(tmp_path: Path) -> None:
    picture_folder(tmp_path, CLASSES)
    assert load_images(str(tmp_path), most=1).classes == 3


def test_images_of_different_sizes_need_a_side(tmp_path: Path) -> None:
    save(tmp_path, "a/1.png", random_pixels(6, 8, 3))
    save(tmp_path, "a/2.png", random_pixels(8, 6, 3))
    reason = r"2\.png has 6 x 8 pixels and .*1\.png has 8 x 6; expected .* one size, or give the side"
    with pytest.raises(TaskError, match=reason):
        load_images(str(tmp_path))
    assert load_images(str(tmp_path), side=4).pixels.shape == (2, 3, 4, 4)


def test_side_scales_the_shorter_side_and_cuts_out_the_middle(tmp_path: Path) -> None:
    pixels = random_pixels(4, 8, 3)
    save(tmp_path, "a/1.png", pixels)
    middle = pixels[:, 2:6].reshape(2, 2, 2, 2, 3).mean(axis=(1, 3)).transpose(2, 0, 1) / 255
    loaded = load_images(str(tmp_path), side=2).pixels[0]
    torch.testing.assert_close(loaded, torch.from_numpy(middle).float(), rtol=0, atol=1 / 255)


def test_grey_images_have_one_channel(tmp_path: Path) -> None:
    pixels = random_pixels(4, 4)
    save(tmp_path, "a/1.png", pixels)
    save(tmp_path, "a/2.png", Image.fromarray(pixels).convert("LA"))
    loaded = load_images(str(tmp_path)).pixels
    assert loaded.shape == (2, 1, 4, 4)
    assert torch.equal((loaded[0, 0] * 255).round().byte(), torch.from_numpy(pixels))


def test_grey_image_among_coloured_ones_has_three_equal_channels(tmp_path: Path) -> None:
    save(tmp_path, "a/1.png", random_pixels(4, 4, 3))
    save(tmp_path, "b/2.png", random_pixels(4, 4))
    images = load_images(str(tmp_path))
    grey = images.pixels[images.labels == 1][0]
    assert torch.equal(grey[0], grey[1])
    assert torch.equal(grey[0], grey[2])


def test_coloured_image_among_grey_ones_is_refused(tmp_path: Path) -> None:
    save(tmp_path, "a/1.png", random_pixels(4, 4))
    save(tmp_path, "b/2.png", random_pixels(4, 4, 3))
    with pytest.raises(TaskError, match=r"2\.png is coloured and .*1\.png is grey"):
        load_images(str(tmp_path))


@pytest.mark.parametrize("mode", ["P", "RGBA", "1", "CMYK"])
def test_images_of_other_modes_are_read(tmp_path: Path, mode: str) -> None:
    suffix = "jpg" if mode == "CMYK" else "png"
    save(tmp_path, f"a/1.{suffix}", Image.fromarray(np.full((4, 4, 3), 255, np.uint8)).convert(mode))
    loaded = load_images(str(tmp_path)).pixels
    assert loaded.shape == (1, 1 if mode == "1" else 3, 4, 4)
    assert loaded.min() > 0.95


def test_transparent_palette_is_read(tmp_path: Path) -> None:
    picture = Image.fromarray(random_pixels(4, 4, 3)).convert("P")
    picture.info["transparency"] = bytes([0, 128, 255])
    picture.save(tmp_path / "p.png", transparency=bytes([0, 128, 255]))
    save(tmp_path, "a/1.png", random_pixels(4, 4, 3))
    (tmp_path / "p.png").rename(tmp_path / "a" / "2.png")
    assert load_images(str(tmp_path)).pixels.shape == (2, 3, 4, 4)


def test_files_that_file_managers_leave_behind_are_passed_over(tmp_path: Path) -> None:
    picture_folder(tmp_path, {"a": 2})
    (tmp_path / ".cache").mkdir()
    for name in (".DS_Store", "a/.DS_Store", "a/Thumbs.db"):
        (tmp_path / name).write_bytes(b"x")
    assert len(load_images(str(tmp_path)).labels) == 2


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("b/1.png", b"", r"b/1\.png cannot be decoded"),
        ("b/1.png", b"hello", r"b/1\.png cannot be decoded"),
        ("b/1.jpg", b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", r"b/1\.jpg cannot be decoded"),
        ("b/1.txt", b"hello", r"only PNG or JPEG images in .*/b, got '1\.txt'"),
        ("b/c/1.png", b"hello", r"only PNG or JPEG images in .*/b, got 'c'"),
        ("b/.hidden", b"hello", r"expected PNG or JPEG images in .*/b, got none"),
    ],
)
def test_what_is_no_image_is_refused_and_named(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    picture_folder(tmp_path, {"a": 2})
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TaskError, match=reason) as caught:
        load_images(str(tmp_path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_truncated_image_is_refused_and_named(tmp_path: Path, suffix: str) -> None:
    path = save(tmp_path, f"a/1.{suffix}", random_pixels(16, 16, 3))
    content = path.read_bytes()
    for size in range(0, len(content) - 12, 37):  # past that only the end mark is missing
        path.write_bytes(content[:size])
        with pytest.raises(TaskError, match=rf"1\.{suffix} cannot be decoded"):
            load_images(str(tmp_path))


def test_image_of_16_bits_is_refused(tmp_path: Path) -> None:
    save(tmp_path, "a/1.png", np.full((4, 4), 40_000, np.uint16))
    with pytest.raises(TaskError, match=r"1\.png: expected an image of 8 bits a channel, got mode 'I;16'"):
        load_images(str(tmp_path))


def test_small_file_of_an_endless_image_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path, "a/1.png", random_pixels(4, 4, 3))
    content = bytearray(path.read_bytes())
    content[16:24] = struct.pack(">II", 2**16, 2**16)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    path.write_bytes(content)
    with pytest.raises(TaskError, match=r"1\.png cannot be decoded .* exceeds limit"):
        load_images(str(tmp_path))
