"""Width and height from the header of an image."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from mnv2cli.images.dimensions import dimensions
from tests.conftest import draw


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "bmp", "gif"])
def test_dimensions_of_an_image(tmp_path: Path, suffix: str) -> None:
    assert dimensions(str(draw(tmp_path / f"a.{suffix}", size=(40, 30)))) == (40, 30)


@pytest.mark.parametrize(
    ("orientation", "expected"), [(1, (40, 30)), (3, (40, 30)), (6, (30, 40)), (8, (30, 40))]
)
def test_dimensions_of_a_photo_that_is_turned(
    tmp_path: Path, orientation: int, expected: tuple[int, int]
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert dimensions(str(draw(tmp_path / "a.jpg", size=(40, 30), exif=exif))) == expected


def test_dimensions_are_unknown_without_a_readable_header(tmp_path: Path) -> None:
    for name, content in (("a.jpg", b""), ("b.jpg", b"text"), ("c.png", b"\x89PNG\r\n\x1a\n")):
        (tmp_path / name).write_bytes(content)
        assert dimensions(str(tmp_path / name)) == (0, 0)
    assert dimensions(str(tmp_path / "missing.jpg")) == dimensions(str(tmp_path)) == (0, 0)
