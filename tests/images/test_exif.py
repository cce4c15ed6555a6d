"""EXIF gives the orientation and the date; a photo with broken EXIF is decoded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from mnv2cli.images.exif import taken_at
from tests.conftest import draw
from tests.images.pixels import COLOUR, close, pixels_of, quadrants

pillow_heif.register_heif_opener()

ORIENTED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "avif", "heic"])
@pytest.mark.parametrize("orientation", ORIENTED)
@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_exif_orientation_is_applied_once(
    tmp_path: Path, suffix: str, orientation: int, fit: str
) -> None:
    upright = quadrants((64, 48))
    turn = ORIENTED[orientation]
    stored = upright if turn is None else upright.transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a.{suffix}"
    stored.save(path, exif=exif.tobytes() if suffix == "heic" else exif, quality=95)
    pixels = pixels_of(path, fit=fit)
    plain = tmp_path / "plain.png"
    upright.save(plain)
    wanted = pixels_of(plain, fit=fit)
    corners = [(8, 8), (8, 24), (24, 8), (24, 24)]
    for row, column in corners:
        assert np.abs(pixels[row, column].astype(int) - wanted[row, column]).max() < 40


def test_a_photo_with_broken_exif_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.new("RGB", (40, 30), COLOUR).save(
        path, exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"z" * 9
    )
    assert close(pixels_of(path), COLOUR)


def test_the_date_is_that_of_the_exif(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0132] = "2023:01:02 03:04:05"
    path = draw(tmp_path / "a.jpg", exif=exif)
    assert taken_at(str(path)) == "2023:01:02 03:04:05"
    exif.get_ifd(0x8769)[0x9003] = "2020:11:12 13:14:15"
    path = draw(tmp_path / "b.jpg", exif=exif)
    assert taken_at(str(path)) == "2020:11:12 13:14:15"
    exif = Image.Exif()
    exif[0x0132] = "../../:..:.."
    assert taken_at(str(draw(tmp_path / "c.jpg", exif=exif))) == ""
    assert taken_at(str(draw(tmp_path / "d.png"))) == ""
