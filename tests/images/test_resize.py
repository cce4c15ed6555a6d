"""The shape of the network's input: crop, pad, stretch, and their interpolation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import draw
from tests.images.pixels import COLOUR, close, pixels_of


def test_crop_takes_the_centre_of_the_shorter_side(tmp_path: Path) -> None:
    image = Image.new("RGB", (300, 100), (0, 0, 0))
    image.paste((255, 255, 255), (100, 0, 200, 100))
    image.save(tmp_path / "a.png")
    assert pixels_of(tmp_path / "a.png", 56).min() == 255
    stretched = pixels_of(tmp_path / "a.png", 56, fit="stretch")
    assert stretched[:, 0].max() == 0 and stretched[:, 28].min() == 255


def test_crop_is_resize_to_256_and_centre_224(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (384, 512, 3), np.uint8)
    smooth = Image.fromarray(noise).resize((768, 384), Image.Resampling.BICUBIC, (0, 0, 96, 48))
    smooth.save(tmp_path / "a.png")
    resized = smooth.resize((512, 256), Image.Resampling.BILINEAR)
    wanted = np.asarray(resized.crop((144, 16, 144 + 224, 16 + 224))).astype(int)
    difference = np.abs(pixels_of(tmp_path / "a.png", 224).astype(int) - wanted)
    assert difference.max() <= 1


def test_pad_keeps_the_whole_image_on_grey(tmp_path: Path) -> None:
    path = draw(tmp_path / "a.png", COLOUR, (100, 50))
    pixels = pixels_of(path, 40, fit="pad")
    assert close(pixels[:9], (128, 128, 128), 0) and close(pixels[31:], (128, 128, 128), 0)
    assert close(pixels[11:29], COLOUR, 1)


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (3, 2)])
def test_thin_and_tiny_images_are_resized(tmp_path: Path, fit: str, size: tuple[int, int]) -> None:
    path = draw(tmp_path / "a.png", COLOUR, size)
    pixels = pixels_of(path, fit=fit)
    assert pixels.shape == (32, 32, 3)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "nearest", "lanczos"])
def test_all_interpolations_except_nearest_mix_pixels(tmp_path: Path, interpolation: str) -> None:
    board = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    Image.fromarray(board).save(tmp_path / "a.png")
    pixels = pixels_of(tmp_path / "a.png", fit="stretch", interpolation=interpolation)
    values = set(np.unique(pixels).tolist())
    assert (values <= {0, 255}) == (interpolation == "nearest")


def test_stretch_and_nearest_give_the_pixels_of_load_img(tmp_path: Path) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (700, 900, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.jpg")
    wanted = Image.open(tmp_path / "a.jpg").convert("RGB").resize((224, 224), 0)
    pixels = pixels_of(tmp_path / "a.jpg", 224, fit="stretch", interpolation="nearest")
    assert np.array_equal(pixels, np.asarray(wanted))
