"""JPEG XL: depths, transparency, orientation, animations; its library is optional."""

from __future__ import annotations

import io
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mnv2cli.images.budget import memory_for
from mnv2cli.images.decoders import jpegxl
from mnv2cli.images.exif import taken_at
from mnv2cli.images.formats import FORMATS
from tests.images.pixels import COLOUR, close, pixels_of, quadrants, reason

SMALL = b"\xff\x0a" + bytes([0b00001001, 0b01000000])


def encoded(pixels: Any, **options: Any) -> bytes:
    codecs = pytest.importorskip("imagecodecs")
    data: bytes = codecs.jpegxl_encode(pixels, **{"lossless": True} | options)
    return data


def boxed(stream: bytes, *more: tuple[bytes, bytes]) -> bytes:
    """Return a codestream in a file of boxes."""
    boxes = [(b"ftyp", b"jxl \0\0\0\0jxl "), *more, (b"jxlc", stream)]
    return b"\0\0\0\x0cJXL \r\n\x87\n" + b"".join(
        (8 + len(content)).to_bytes(4, "big") + kind + content for kind, content in boxes
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_every_depth_is_read(tmp_path: Path, dtype: Any, channels: int) -> None:
    white = 1.0 if dtype == np.float32 else np.iinfo(dtype).max
    colour = np.array((*COLOUR, 255) if channels > 2 else (COLOUR[0], 255))[:channels] / 255
    pixels = np.full((40, 30, channels), colour * white, dtype)
    pixels = pixels[:, :, 0] if channels == 1 else pixels
    (tmp_path / "a.jxl").write_bytes(encoded(pixels))
    wanted = COLOUR if channels > 2 else (COLOUR[0],) * 3
    assert close(pixels_of(tmp_path / "a.jxl"), wanted, within=1)


@pytest.mark.parametrize("extra", [1, 2, 3])
def test_grey_with_extra_channels_is_grey(tmp_path: Path, extra: int) -> None:
    grey = np.full((40, 30), COLOUR[0], np.uint8)
    planes = np.stack([grey, *[255 - grey] * extra])
    (tmp_path / "a.jxl").write_bytes(encoded(planes, planar=True, photometric="gray"))
    assert close(pixels_of(tmp_path / "a.jxl"), (COLOUR[0],) * 3, within=1)


def test_floats_are_known_to_take_more_memory(tmp_path: Path) -> None:
    needed = {}
    for dtype in (np.uint8, np.float32):
        data = encoded(np.zeros((40, 30, 3), dtype))
        image = jpegxl.open_image(io.BytesIO(data))
        format = next(each for each in FORMATS if each.name == "JPEG XL")
        needed[dtype] = memory_for(image, format, 1200) / 1200
    assert needed[np.uint8] == 14 and needed[np.float32] > 50


def test_transparency_is_composed_over_white(tmp_path: Path) -> None:
    pixels = np.full((40, 30, 4), (9, 9, 9, 0), np.uint8)
    (tmp_path / "a.jxl").write_bytes(encoded(pixels))
    assert close(pixels_of(tmp_path / "a.jxl"), (255, 255, 255))


def test_the_first_frame_of_an_animation_is_decoded(tmp_path: Path) -> None:
    frames = np.stack([np.full((40, 30, 3), colour, np.uint8) for colour in (COLOUR, (0, 0, 255))])
    (tmp_path / "a.jxl").write_bytes(encoded(frames))
    assert close(pixels_of(tmp_path / "a.jxl"), COLOUR)


def test_the_orientation_of_the_codestream_is_applied_once(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[0x9003] = "2020:02:03 04:05:06"
    stream = encoded(np.asarray(quadrants()))
    data = b"\0\0\0\0" + exif.tobytes().removeprefix(b"Exif\0\0")
    path = tmp_path / "a.jxl"
    path.write_bytes(boxed(stream, (b"Exif", data)))
    assert taken_at(str(path)) == "2020:02:03 04:05:06"
    quadrants().save(tmp_path / "a.png")
    assert np.array_equal(pixels_of(path), pixels_of(tmp_path / "a.png"))


def test_without_its_library_an_error_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.jxl").write_bytes(SMALL)
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    assert reason(tmp_path / "a.jxl") == (
        "not supported: JPEG XL image; install its decoder: pip install 'mnv2cli[jxl]'"
    )


@pytest.mark.parametrize("keep", [0.1, 0.3, 0.6, 0.95])
def test_a_truncated_image_is_an_error(tmp_path: Path, keep: float) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (60, 80, 3), np.uint8)
    for data in (encoded(noise), boxed(encoded(noise))):
        (tmp_path / "a.jxl").write_bytes(data[: int(len(data) * keep)])
        assert reason(tmp_path / "a.jxl").startswith("truncated")


def test_the_size_is_read_before_the_pixels(tmp_path: Path) -> None:
    rng = random.Random(5)
    for _ in range(40):
        width, height = rng.randrange(1, 900), rng.randrange(1, 900)
        if rng.random() < 0.5:
            width, height = 8 * (width % 32 + 1), 8 * (height % 32 + 1)
        (tmp_path / "a.jxl").write_bytes(
            encoded(np.zeros((height, width, rng.choice((1, 3, 4))), np.uint8), effort=1)
        )
        with open(tmp_path / "a.jxl", "rb") as file:
            assert jpegxl.open_image(file).size == (width, height)
    assert reason(tmp_path / "a.jxl", max_pixels=width * height - 1).startswith("too many pixels")
