"""Every colour mode is converted to 8-bit RGB."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from mnv2cli.errors import ImageError
from mnv2cli.images.colours import to_8_bit
from tests.conftest import draw
from tests.images.pixels import COLOUR, close, pixels_of


@pytest.mark.parametrize("suffix", ["png", "webp", "tif"])
def test_transparency_is_composed_over_white(tmp_path: Path, suffix: str) -> None:
    clear = draw(tmp_path / f"clear.{suffix}", (9, 9, 9, 0), mode="RGBA")
    half = draw(tmp_path / f"half.{suffix}", (0, 0, 0, 128), mode="RGBA", lossless=True)
    assert close(pixels_of(clear), (255, 255, 255))
    assert close(pixels_of(half), (127, 127, 127), within=2)


def test_transparent_pixels_do_not_bleed_their_colour(tmp_path: Path) -> None:
    image = Image.new("RGBA", (64, 64), (0, 255, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 31, 64))
    image.save(tmp_path / "a.png")
    pixels = pixels_of(tmp_path / "a.png").astype(int)
    assert (pixels[:, :, 1] <= pixels[:, :, 2] + 2).all()  # no green at the edge


def test_palettes_and_keyed_transparency_become_rgb(tmp_path: Path) -> None:
    palette = Image.new("RGB", (40, 40), COLOUR).quantize(4)
    palette.save(tmp_path / "p.png")
    assert close(pixels_of(tmp_path / "p.png"), COLOUR)
    palette.save(tmp_path / "pt.png", transparency=0)
    assert close(pixels_of(tmp_path / "pt.png"), (255, 255, 255))
    draw(tmp_path / "la.png", (0, 128), mode="LA")
    assert close(pixels_of(tmp_path / "la.png"), (127, 127, 127), within=2)
    draw(tmp_path / "key.png", COLOUR, transparency=COLOUR)
    assert close(pixels_of(tmp_path / "key.png"), (255, 255, 255))


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk_becomes_rgb(tmp_path: Path, suffix: str) -> None:
    path = draw(tmp_path / f"a.{suffix}", (0, 255, 255, 0), mode="CMYK")
    assert close(pixels_of(path), (255, 0, 0), within=12)


def test_lab_becomes_rgb(tmp_path: Path) -> None:
    rgb = Image.new("RGB", (40, 40), COLOUR)
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    ImageCms.applyTransform(rgb, to_lab).save(tmp_path / "a.tif")  # type: ignore[union-attr]
    assert close(pixels_of(tmp_path / "a.tif"), COLOUR)


@pytest.mark.parametrize("mode", ["L", "1"])
def test_other_modes_become_rgb(tmp_path: Path, mode: str) -> None:
    image = Image.new("RGB", (40, 40), (255, 255, 255)).convert(mode)
    image.save(tmp_path / "a.tif")
    assert close(pixels_of(tmp_path / "a.tif"), (255, 255, 255))


def test_one_bit_images_are_smoothed(tmp_path: Path) -> None:
    board = np.indices((64, 64)).sum(axis=0) % 2 * 255
    Image.fromarray(board.astype(np.uint8)).convert("1").save(tmp_path / "a.png")
    assert close(pixels_of(tmp_path / "a.png")[2:-2, 2:-2], (127, 127, 127), within=20)


@pytest.mark.parametrize(
    ("value", "dtype", "wanted"),
    [
        (0, np.uint16, 0),
        (32896, np.uint16, 128),
        (65535, np.uint16, 255),
        (300, np.uint16, 1),
        (0.5, np.float32, 128),
        (200.0, np.float32, 200),
        (65535.0, np.float32, 255),
        (100, np.int32, 100),
        (32896, np.int32, 128),
        (float("nan"), np.float32, 0),
    ],
)
def test_deep_grey_is_scaled_not_clipped(
    tmp_path: Path, value: float, dtype: type, wanted: int
) -> None:
    Image.fromarray(np.full((40, 40), value, dtype)).save(tmp_path / "a.tif")
    assert close(pixels_of(tmp_path / "a.tif"), (wanted,) * 3, within=1)


def test_floats_that_overshoot_keep_their_range(tmp_path: Path) -> None:
    for outlier in (1.02, -0.01, 1e30, float("inf")):
        grey = np.full((40, 40), 0.5, np.float32)
        grey[3, 3] = outlier
        Image.fromarray(grey).save(tmp_path / "a.tif")
        pixels = pixels_of(tmp_path / "a.tif")
        assert close(pixels[20:], (128,) * 3, within=1), outlier


def test_deep_tiffs_of_rare_kinds_are_read_correctly_or_refused(tmp_path: Path) -> None:
    grey = Image.fromarray(np.full((40, 40), 40000, np.uint16))
    grey.save(tmp_path / "white-is-zero.tif", tiffinfo={262: 0})
    assert close(pixels_of(tmp_path / "white-is-zero.tif"), (255 - 156,) * 3, within=1)
    ramp = np.tile(np.linspace(0, 2**32 - 1, 64).astype(np.uint32), (64, 1))
    Image.fromarray(ramp.view(np.int32)).save(tmp_path / "unsigned.tif")
    with Image.open(tmp_path / "unsigned.tif") as image:
        image.tag_v2[339] = (1,)  # type: ignore[attr-defined]  # which Pillow does not write
        pixels = np.asarray(to_8_bit(image)).astype(int)
    assert (np.diff(pixels[0]) >= 0).all() and pixels[0, -1] > 240
    grey.save(tmp_path / "key.png", transparency=40000)
    assert close(pixels_of(tmp_path / "key.png"), (255, 255, 255))
    rgb = Image.new("RGB", (8, 8))
    rgb.info.clear()
    rgb.save(tmp_path / "planes.tif")
    with Image.open(tmp_path / "planes.tif") as image:
        image.tag_v2[284], image.tag_v2[258] = 2, (16, 16, 16)  # type: ignore[attr-defined]
        with pytest.raises(ImageError, match="not supported: TIFF with 16-bit colours in planes"):
            to_8_bit(image)


def test_values_outside_the_usual_ranges_are_stretched(tmp_path: Path) -> None:
    ramp = np.linspace(-1000, 1e6, 64, dtype=np.float32)
    Image.fromarray(np.tile(ramp, (64, 1))).save(tmp_path / "a.tif")
    pixels = pixels_of(tmp_path / "a.tif", fit="stretch")
    assert pixels[0, 0, 0] < 8 and pixels[0, -1, 0] > 247


def test_16_bit_png_is_scaled(tmp_path: Path) -> None:
    Image.fromarray(np.full((40, 40), 32896, np.uint16)).save(tmp_path / "a.png")
    assert close(pixels_of(tmp_path / "a.png"), (128, 128, 128), within=1)


def test_16_bit_colour_png_is_scaled(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    row = b"\0" + struct.pack(">HHH", 200 * 257, 100 * 257, 50 * 257) * 8
    (tmp_path / "a.png").write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(row * 8))
        + chunk(b"IEND", b"")
    )
    assert close(pixels_of(tmp_path / "a.png"), COLOUR, within=1)
