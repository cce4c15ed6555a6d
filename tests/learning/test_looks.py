"""The perceptual check on a drawn photo and its variants."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from mnv2cli.errors import ImageError
from mnv2cli.images.options import ImageOptions
from mnv2cli.images.reader import ImageReader
from mnv2cli.learning.looks import SIDE, Looks, looks_of

OPTIONS = ImageOptions(fit="stretch")


def photo(seed: int = 0) -> Image.Image:
    """Return blurred noise, which has light and dark places as photos do."""
    random = np.random.default_rng(seed)
    small = Image.fromarray(random.integers(0, 256, (8, 12, 3), np.uint8))
    return small.resize((360, 240), Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(3))


def cropped(image: Image.Image, left: int, top: int, right: int, bottom: int) -> Image.Image:
    """Return an image without some pixels at its sides."""
    return image.crop((left, top, image.width - right, image.height - bottom))


VARIANTS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "quarter": lambda image: image.resize((90, 60)),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.2),
    "grey": lambda image: image.convert("L"),
    "cropped": lambda image: cropped(image, 18, 12, 18, 12),
    "corner": lambda image: cropped(image, 0, 0, 36, 24),
    "border": lambda image: ImageOps.expand(image, 10, "white"),
}


def alike(tmp_path: Path, one: Image.Image, two: Image.Image, **save: int) -> bool:
    one.save(tmp_path / "one.png")
    two.save(tmp_path / "two.jpg", **save)
    with ImageReader(SIDE, OPTIONS) as reader:
        paths = [str(tmp_path / "one.png"), str(tmp_path / "two.jpg")]
        looks = Looks(paths, reader.decode)
        looks.prepare(np.arange(2))
        found = looks(np.arange(2), np.arange(2))
    assert found[0, 1] == found[1, 0]
    return bool(found[0, 1])


@pytest.mark.parametrize("name", VARIANTS)
def test_variants_look_alike(tmp_path: Path, name: str) -> None:
    assert alike(tmp_path, photo(), VARIANTS[name](photo()), quality=40)


def test_different_and_mirrored_photos_do_not_look_alike(tmp_path: Path) -> None:
    assert not alike(tmp_path, photo(), photo(1))
    assert not alike(tmp_path, photo(), ImageOps.mirror(photo()))


def test_images_of_one_colour_look_like_none(tmp_path: Path) -> None:
    white = Image.new("RGB", (60, 40), "white")
    assert not alike(tmp_path, white, white)


def test_looks_have_mean_zero_and_length_one() -> None:
    pixels = np.asarray(photo().resize((SIDE, SIDE)))
    looks = looks_of(pixels)
    assert looks.dtype == np.float32 and looks.shape == (11, 64)
    np.testing.assert_allclose(looks.mean(axis=1), 0, atol=1e-6)
    np.testing.assert_allclose((looks**2).sum(axis=1), 1, rtol=1e-5)


def test_images_are_decoded_once_and_an_unreadable_one_looks_like_none() -> None:
    decoded: list[str] = []

    def decode(path: str) -> NDArray[np.uint8]:
        decoded.append(path)
        if path == "bad":
            raise ImageError("truncated")
        return np.asarray(photo().resize((SIDE, SIDE)))

    looks = Looks(["a", "bad", "b", "c"], decode, threads=2)
    looks.prepare(np.array([0, 1, 2]))
    looks.prepare(np.array([0, 1]))
    assert sorted(decoded) == ["a", "b", "bad"]
    assert looks(np.array([0, 1]), np.array([1, 2])).tolist() == [[False, True], [False, False]]
