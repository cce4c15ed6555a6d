"""Every format is told from its content, and so is what is not an image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from tests.conftest import draw
from tests.images.pixels import COLOUR, close, pixels_of, reason

pillow_heif.register_heif_opener()


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "bmp", "tif", "webp", "avif", "heic"])
def test_every_format_gives_its_colour_whatever_its_suffix(tmp_path: Path, suffix: str) -> None:
    path = draw(tmp_path / f"a.{suffix}", COLOUR)
    pixels = pixels_of(path)
    assert pixels.shape == (32, 32, 3) and pixels.dtype == np.uint8
    assert close(pixels, COLOUR)
    renamed = path.rename(tmp_path / ("b.png" if suffix == "jpg" else "b.jpg"))
    assert np.array_equal(pixels_of(renamed), pixels)


def test_of_a_multi_picture_jpeg_the_first_is_taken(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (40, 40), c) for c in (COLOUR, (0, 0, 255))]
    frames[0].save(tmp_path / "a.mpo", save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=frames[1:])
    assert close(pixels_of(tmp_path / "a.mpo"), COLOUR)
    assert close(pixels_of(tmp_path / "a.jpg"), COLOUR)


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "tif"])
def test_of_an_animation_the_first_frame_is_taken(tmp_path: Path, suffix: str) -> None:
    frames = [Image.new("RGB", (40, 40), c) for c in (COLOUR, (0, 0, 255), (0, 255, 0))]
    path = tmp_path / f"a.{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    assert close(pixels_of(path), COLOUR)


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (b"", "empty file: zero bytes"),
        (b"hello, world\n", "not an image: a text file"),
        (bytes(range(256)), "not an image"),
        (b"%PDF-1.7\n", "not an image: a PDF document"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "not an image: a PostScript document"),
        (b"PK\x03\x04....", "not an image: a ZIP archive or office document"),
        (b"<svg xmlns=''/>", "not an image: an SVG drawing"),
        (b"  <!DOCTYPE HTML>", "not an image: a web page"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "not an image: a video (MP4 or QuickTime)"),
        (
            b"\xff\xd8\xff\xe0",
            "damaged: JPEG, its header cannot be read, or is of a kind not supported",
        ),
        (b"GIF89a", "damaged: GIF, its header cannot be read, or is of a kind not supported"),
        (b"BMW is a car", "not an image: a text file"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "not an image: a raw file of a camera"),
        (b"RIFF\xff\xff\0\0WEBPVP8 ", "truncated: 16 of 65,543 bytes"),
    ],
)
def test_what_is_no_image_says_why(tmp_path: Path, data: bytes, wanted: str) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    assert reason(path) == wanted
