"""Helpers for tests of decoding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mnv2cli.errors import ImageError
from mnv2cli.images.decode import decode
from mnv2cli.images.options import ImageOptions

COLOUR = (200, 100, 50)


def pixels_of(path: Path | str, size: int = 32, **options: Any) -> np.ndarray:
    """Decode an image with default options except those given."""
    return decode(str(path), size, ImageOptions(**options))


def reason(path: Path | str, **options: Any) -> str:
    """Return why an image cannot be decoded."""
    with pytest.raises(ImageError) as caught:
        pixels_of(path, **options)
    return str(caught.value)


def close(pixels: np.ndarray, colour: tuple[int, ...], within: int = 6) -> bool:
    """Check that all pixels have a colour, within a tolerance."""
    return bool(np.abs(pixels.astype(int) - np.array(colour)).max() <= within)


def quadrants(size: tuple[int, int] = (64, 64)) -> Image.Image:
    """Draw red top left, green top right, blue bottom left, white bottom right."""
    image = Image.new("RGB", size, (255, 255, 255))
    half = (size[0] // 2, size[1] // 2)
    image.paste((255, 0, 0), (0, 0, *half))
    image.paste((0, 255, 0), (half[0], 0, size[0], half[1]))
    image.paste((0, 0, 255), (0, half[1], half[0], size[1]))
    return image
