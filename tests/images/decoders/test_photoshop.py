"""PSD and PSB: all modes and depths, transparency, selections, damaged sections."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from mnv2cli.images.exif import taken_at
from tests.images.decoders.photoshop import psd, resource
from tests.images.pixels import COLOUR, close, pixels_of, quadrants, reason

RGB = Image.new("RGB", (40, 30), COLOUR)


def lab() -> Image.Image:
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    image = ImageCms.applyTransform(RGB, to_lab)
    assert image is not None
    return image


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "LAB"])
@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize("version", [1, 2])
def test_every_mode_is_read(
    tmp_path: Path, mode: str, depth: int, is_packed: bool, version: int
) -> None:
    if mode in ("P", "1") and depth == 16:
        pytest.skip("there are none")
    image = {"LAB": lab, "P": lambda: RGB.quantize(4)}.get(mode, lambda: RGB.convert(mode))()
    path = tmp_path / "a.psd"
    path.write_bytes(psd(image, depth=depth, is_packed=is_packed, version=version, layers=-1))
    wanted = COLOUR if mode not in ("L", "LA") else (int(RGB.convert("L").getpixel((0, 0))),) * 3
    if mode == "1":
        assert abs(pixels_of(path).mean() - np.asarray(image).mean() * 255) < 9
    else:
        assert close(pixels_of(path), wanted, within=3)


@pytest.mark.parametrize("is_packed", [False, True])
def test_rows_and_channels_are_in_order(tmp_path: Path, is_packed: bool) -> None:
    image = quadrants()
    (tmp_path / "a.psd").write_bytes(psd(image, is_packed=is_packed))
    image.save(tmp_path / "a.png")
    assert np.array_equal(pixels_of(tmp_path / "a.psd"), pixels_of(tmp_path / "a.png"))


@pytest.mark.parametrize("depth", [8, 16])
def test_transparency_is_that_of_the_composite_not_a_saved_selection(
    tmp_path: Path, depth: int
) -> None:
    image = RGB.copy()
    image.putalpha(0)
    path = tmp_path / "a.psd"
    for layers, wanted in ((-1, (255, 255, 255)), (1, COLOUR), (None, COLOUR)):
        path.write_bytes(psd(image, depth=depth, layers=layers))
        assert close(pixels_of(path), wanted), layers


def test_a_bitmap_has_black_for_1(tmp_path: Path) -> None:
    image = Image.new("1", (40, 30), 1)
    (tmp_path / "a.psd").write_bytes(psd(image))
    assert close(pixels_of(tmp_path / "a.psd"), (255, 255, 255))


def test_the_exif_of_a_document_is_read(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2020:02:03 04:05:06"
    data = exif.tobytes().removeprefix(b"Exif\0\0")
    path = tmp_path / "a.psd"
    path.write_bytes(psd(RGB, resources=resource(1000, b"odd") + resource(1058, data)))
    assert taken_at(str(path)) == "2020:02:03 04:05:06"


def test_kinds_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.psd"
    version = struct.pack(">IB", 1, 0)
    path.write_bytes(psd(RGB, resources=resource(1057, version)))
    assert reason(path) == (
        "not supported: Photoshop image without a composite; save it with Maximize Compatibility"
    )
    path.write_bytes(psd(RGB, resources=resource(1057, struct.pack(">IB", 1, 1))))
    assert close(pixels_of(path), COLOUR)
    data = bytearray(psd(RGB))
    data[22:26] = struct.pack(">HH", 32, 3)
    path.write_bytes(data)
    assert reason(path) == (
        "not supported: Photoshop image (RGB, 32 bits); save it as 8 or 16-bit RGB"
    )


def test_damaged_sections_are_errors(tmp_path: Path) -> None:
    path = tmp_path / "a.psd"
    whole = psd(RGB, is_packed=True)
    for end in (20, 30, 60, len(whole) // 2, len(whole) - 5):
        path.write_bytes(whole[:end])
        assert reason(path).startswith("truncated"), end
    for place in (26, 30, 34):  # lengths of sections
        data = bytearray(whole)
        data[place : place + 4] = b"\xff" * 4
        path.write_bytes(data)
        assert reason(path).startswith("truncated"), place
    data = bytearray(whole)
    data[14:22] = struct.pack(">II", 30_001, 1)
    path.write_bytes(data)
    assert reason(path) == "damaged: PSD, 1 x 30001 pixels are too many for this format"
    data[14:22] = struct.pack(">II", 30_000, 30_000)
    path.write_bytes(data)
    assert reason(path).startswith("truncated")
