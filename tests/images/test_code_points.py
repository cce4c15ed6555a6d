"""Wide gamuts and HDR that images state by code points become sRGB."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from mnv2cli.images.code_points import conversion_by_code_points, png_code_points
from tests.conftest import draw
from tests.images.icc import SRGB, matrix_profile
from tests.images.pixels import COLOUR, close, pixels_of

IN_P3 = (215, 93, 30)
PQ, HLG = (9, 16), (9, 18)


def grey_level(nits: float) -> float:
    """Return the level of sRGB where 203 nits are white."""
    return 255 * (1.055 * (nits / 203) ** (1 / 2.4) - 0.055)


def pq_level(nits: float) -> int:
    """Return PQ's level, 0 to 255 (SMPTE ST 2084)."""
    power = (nits / 10_000) ** 0.1593017578125
    return round(255 * ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375)


def hlg_level(nits: float) -> int:
    """Return HLG's level of a grey below 12 % of scene light, on a display of 1,000 nits."""
    return round(255 * (3 * (nits / 1000) ** (1 / 1.2)) ** 0.5)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(path: Path, colour: tuple[int, ...], points: tuple[int, int], profile: bytes = b"") -> Path:
    """Draw a PNG with a cICP chunk."""
    draw(path, colour, icc_profile=profile)
    data = path.read_bytes()
    path.write_bytes(data[:33] + chunk(b"cICP", bytes((*points, 0, 1))) + data[33:])
    return path


def boxed(path: Path, colour: tuple[int, ...], points: tuple[int, int]) -> Path:
    """Draw an AVIF or HEIC with code points."""
    pillow_heif.register_heif_opener()
    draw(path, colour, (70, 50), quality=95)
    data = bytearray(path.read_bytes())
    place = data.index(b"colrnclx") + 8
    data[place : place + 4] = struct.pack(">HH", *points)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("suffix", ["png", "avif", "heic"])
def test_display_p3_by_code_points_becomes_srgb(tmp_path: Path, suffix: str) -> None:
    make = png if suffix == "png" else boxed
    assert close(pixels_of(make(tmp_path / f"a.{suffix}", COLOUR, (12, 13))), IN_P3)


@pytest.mark.parametrize("suffix", ["png", "avif", "heic"])
def test_hdr_is_mapped_to_the_range_of_srgb(tmp_path: Path, suffix: str) -> None:
    make = png if suffix == "png" else boxed
    for points, level in ((PQ, pq_level), (HLG, hlg_level)):
        for nits in (5, 20, 60):
            path = make(tmp_path / f"a.{suffix}", (level(nits),) * 3, points)
            assert close(pixels_of(path), (round(grey_level(nits)),) * 3, within=4), (points, nits)


def test_white_and_highlights_of_hdr_keep_their_order() -> None:
    for points in (PQ, HLG):
        convert = conversion_by_code_points(points)
        assert convert
        ramp = Image.fromarray(np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2))
        levels = np.asarray(convert(ramp)).astype(int)[0]
        assert (levels.max(axis=1) - levels.min(axis=1)).max() <= 1  # greys stay grey
        assert levels[0, 0] == 0 and levels[-1, 0] == 255
        assert np.diff(levels[::4, 0]).min() >= 0
    convert = conversion_by_code_points(PQ)
    assert convert
    white, bright = (Image.new("RGB", (8, 8), (pq_level(nits),) * 3) for nits in (203, 600))
    assert 215 <= np.asarray(convert(white)).mean() < np.asarray(convert(bright)).mean() <= 255


@pytest.mark.parametrize("points", [(1, 13), (1, 1), (2, 2), (0, 0), (255, 255), (6, 6)])
def test_code_points_of_srgb_and_unknown_ones_change_nothing(
    tmp_path: Path, points: tuple[int, int]
) -> None:
    assert close(pixels_of(png(tmp_path / "a.png", COLOUR, points)), COLOUR, within=0)


def test_code_points_of_a_png_count_more_than_its_profile(tmp_path: Path) -> None:
    linear = matrix_profile(SRGB, 1.0)
    assert close(pixels_of(png(tmp_path / "a.png", COLOUR, (12, 13), linear)), IN_P3)
    assert close(pixels_of(png(tmp_path / "b.png", COLOUR, (1, 13), linear)), COLOUR, within=0)


def test_damaged_chunks_of_a_png_are_passed(tmp_path: Path) -> None:
    path = tmp_path / "a"
    start = b"\x89PNG\r\n\x1a\n"
    for data in (
        b"",
        start,
        start + b"\xff\xff\xff\xffcICP\x0c",
        start + b"\xff\xff\xff\xffnone" + bytes(20),
        start + chunk(b"IDAT", b"") + chunk(b"cICP", bytes((12, 13, 0, 1))),
        start + chunk(b"tEXt", b"") * 1000,
    ):
        path.write_bytes(data)
        with path.open("rb") as file:
            assert png_code_points(file) is None


def test_the_profile_of_an_avif_counts_more_than_code_points(tmp_path: Path) -> None:
    draw(tmp_path / "a.avif", COLOUR, (70, 50), quality=95, icc_profile=matrix_profile())
    data = (tmp_path / "a.avif").read_bytes()
    assert b"colrprof" in data and b"colrnclx" in data
    place = data.index(b"colrnclx") + 8
    (tmp_path / "b.avif").write_bytes(data[:place] + struct.pack(">HH", *PQ) + data[place + 4 :])
    assert close(pixels_of(tmp_path / "b.avif"), IN_P3)


def test_adobe_rgb_marked_in_exif_becomes_srgb(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA005] = {1: "R03", 2: b"0100"}
    path = draw(tmp_path / "a.jpg", (219, 0, 0), exif=exif)
    assert close(pixels_of(path), (255, 0, 0), within=4)
    exif.get_ifd(0x8769)[0xA005] = {1: "R98", 2: b"0100"}
    path = draw(tmp_path / "b.jpg", (219, 0, 0), exif=exif)
    assert close(pixels_of(path), (219, 0, 0), within=4)
    (tmp_path / "c.jpg").write_bytes(path.read_bytes().replace(b"R98\0", b"none"))
    assert close(pixels_of(tmp_path / "c.jpg"), (219, 0, 0), within=4)
