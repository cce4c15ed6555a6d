"""PNM, TGA, icons and textures: depths, unused alpha, limits before decoding."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnv2cli.images.signatures import HEAD_BYTES, is_netpbm, is_pcx, is_targa
from tests.images.pixels import COLOUR, close, pixels_of, reason

WHITES = (1, 15, 127, 254, 255, 256, 1000, 4095, 65534, 65535)


@pytest.mark.parametrize("white", WHITES)
@pytest.mark.parametrize("kind", ["P2", "P3", "P5", "P6"])
@pytest.mark.parametrize("grey", [0, 0.4, 1])
def test_every_range_of_a_pnm_becomes_8_bits(
    tmp_path: Path, white: int, kind: str, grey: float
) -> None:
    value = round(grey * white)
    count = 20 * 30 * (3 if kind in ("P3", "P6") else 1)
    if kind in ("P2", "P3"):
        data = f"{value} ".encode() * count
    else:
        data = value.to_bytes(1 if white < 256 else 2, "big") * count
    (tmp_path / "a.ppm").write_bytes(f"{kind}\n# a comment\n20 30\n{white}\n".encode() + data)
    assert close(pixels_of(tmp_path / "a.ppm"), (round(value / white * 255),) * 3, within=1)


def test_rows_of_a_deep_pnm_are_in_order(tmp_path: Path) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (700, 900, 3), np.uint8)
    deep = (pixels.astype(">u2") * 257).astype(">u2").tobytes()
    (tmp_path / "a.ppm").write_bytes(b"P6 900 700 65535\n" + deep)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert np.array_equal(pixels_of(tmp_path / "a.ppm", 96), pixels_of(tmp_path / "a.png", 96))
    (tmp_path / "a.ppm").write_bytes(b"P6 900 700 65535\n" + deep[:-1])
    assert reason(tmp_path / "a.ppm").startswith("truncated")


def test_texts_of_a_pnm_may_have_comments_anywhere_and_any_spacing(tmp_path: Path) -> None:
    path = tmp_path / "a.pnm"
    path.write_bytes(b"P1\n4 2\n10 # black, white\r1\t0\n0101 # the rest is ignored\n000")
    Image.fromarray(np.array([[0, 255, 0, 255], [255, 0, 255, 0]], np.uint8)).save(
        tmp_path / "a.png"
    )
    assert np.array_equal(pixels_of(path), pixels_of(tmp_path / "a.png"))
    rows = b"\n".join(b" ".join([b"200", b"100", b"50"] * 900) + b"# row" for _ in range(700))
    path.write_bytes(b"P3 900 700 255\n" + rows)  # more than is read at once
    assert close(pixels_of(path), COLOUR, within=0)
    for bad in (b"1 2 3 x", b"1 2 -3 4", b"1 2 3 256", b"1 2 3 " + b"9" * 30):
        path.write_bytes(b"P2 2 2 255\n" + bad)
        assert reason(path).startswith("damaged: PNM, "), bad
    for short in (b"", b"1 2 3", b"1 2 3#", b"1 2 3 # 4"):
        path.write_bytes(b"P2 2 2 255\n" + short)
        assert reason(path).startswith("truncated"), short


def test_a_grey_pfm_is_read(tmp_path: Path) -> None:
    pixels = np.full((20, 30), 0.5, "<f4")
    (tmp_path / "a.pfm").write_bytes(b"Pf\n30 20\n-1.0\n" + pixels.tobytes())
    assert close(pixels_of(tmp_path / "a.pfm"), (128,) * 3, within=1)


@pytest.mark.parametrize(
    ("head", "wanted"),
    [
        (b"P6 3 2 255\n", True),
        (b"P6\n# by hand\n#\n3\t2\n# white\n255\n", True),
        (b"P4\n3 2\n", True),
        (b"P4\n3 2", False),
        (b"P6\n3 2\n", False),
        (b"P5 is the fifth of 6 or 7 \n", False),
        (b"P7\n3 2 255\n", False),
    ],
)
def test_a_pnm_is_recognised_by_its_complete_header(head: bytes, wanted: bool) -> None:
    assert is_netpbm(head) == wanted


def test_a_header_of_blanks_is_checked_in_no_time() -> None:
    assert not is_netpbm(b"P6\n28 " + b"\n" * 400 + b"28 x")


def test_formats_without_a_signature_are_not_found_in_noise() -> None:
    rng = np.random.default_rng(7)
    for first in (b"", b"\0\0\2", b"\0\1\1", b"\n\5\1\x08", b"\0\0\x0a"):
        for _ in range(2000):
            head = first + rng.bytes(HEAD_BYTES)
            assert not (is_targa(head) or is_pcx(head))


def targa(pixels: bytes, *, bits: int, alpha_bits: int = 0, kind: int = 2) -> bytes:
    return struct.pack("<3B5x4x2H2B", 0, 0, kind, 2, 2, bits, alpha_bits | 32) + pixels


def test_alpha_of_a_tga_that_was_never_written_is_not_transparency(tmp_path: Path) -> None:
    path = tmp_path / "a.tga"
    blue_first = bytes(reversed(COLOUR))
    for alpha, alpha_bits, wanted in (
        (0, 0, COLOUR), (0, 8, COLOUR), (255, 0, COLOUR), (255, 8, COLOUR),
    ):  # fmt: skip
        path.write_bytes(targa((blue_first + bytes([alpha])) * 4, bits=32, alpha_bits=alpha_bits))
        assert close(pixels_of(path), wanted), (alpha, alpha_bits)
    half = (blue_first + b"\0") * 2 + (blue_first + b"\xff") * 2
    path.write_bytes(targa(half, bits=32, alpha_bits=8))
    assert close(pixels_of(path, interpolation="nearest")[:14], (255, 255, 255))


def test_a_tga_is_truncated_if_its_pixels_are_not_all_there(tmp_path: Path) -> None:
    path = tmp_path / "a.tga"
    path.write_bytes(targa(bytes(11), bits=24))
    assert reason(path).startswith("truncated")
    Image.effect_noise((90, 60), 90).save(path, compression="tga_rle")
    path.write_bytes(path.read_bytes()[:3000])
    assert reason(path).startswith("truncated")


def icon(images: list[bytes]) -> bytes:
    """Return an icon that claims 16 x 16 pixels for its first image, and less for others."""
    parts, place = [struct.pack("<3H", 0, 1, len(images))], 6 + 16 * len(images)
    for number, data in enumerate(images):
        side = 16 - number
        parts.append(struct.pack("<4B2H2I", side, side, 0, 0, 1, 32, len(data), place))
        place += len(data)
    return b"".join(parts + images)


def png(size: tuple[int, int], colour: tuple[int, int, int]) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


def test_the_largest_image_of_an_icon_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "a.ico"
    path.write_bytes(icon([png((16, 16), COLOUR), png((8, 8), (0, 0, 255))]))
    assert close(pixels_of(path), COLOUR)


def test_the_pixels_in_an_icon_are_counted_before_they_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.ico"
    bitmap = struct.pack("<IiiHH24x", 40, 30_000, 60_000, 1, 32)
    path.write_bytes(icon([bitmap]))
    monkeypatch.setattr(Image.Image, "convert", None)
    assert reason(path) == "damaged: ICO, 30000 x 30000 pixels are too many for an icon"
    path.write_bytes(icon([png((2000, 2000), COLOUR)]))
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", None)
    assert reason(path, max_pixels=1_000_000) == "too many pixels: 4,000,000 is over 1,000,000"


@pytest.mark.parametrize("format", ["DXT1", "DXT3", "DXT5", "BC2", "BC3", "BC5"])
def test_compressed_textures_are_read(tmp_path: Path, format: str) -> None:
    mode = "RGB" if format == "BC5" else "RGBA"
    Image.new(mode, (32, 32), COLOUR).save(tmp_path / "a.dds", pixel_format=format)
    pixels = pixels_of(tmp_path / "a.dds")[:, :, :2]
    assert close(pixels, COLOUR[:2], within=9)


def test_a_texture_of_another_kind_is_named(tmp_path: Path) -> None:
    Image.new("RGBA", (32, 32)).save(tmp_path / "a.dds", pixel_format="DXT1")
    data = bytearray((tmp_path / "a.dds").read_bytes())
    data[84:88] = b"ETC2"
    (tmp_path / "a.dds").write_bytes(data)
    assert reason(tmp_path / "a.dds").startswith("not supported: DDS, ")
