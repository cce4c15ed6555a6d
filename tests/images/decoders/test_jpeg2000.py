"""JPEG 2000: reduced resolutions, deep colours, and headers that ask for too much memory."""

from __future__ import annotations

import io
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.images.icc import P3, matrix_profile
from tests.images.pixels import COLOUR, close, pixels_of, quadrants, reason

IN_P3 = (215, 93, 30)
"""What :data:`COLOUR` is in sRGB if it is one of Display P3."""


def codestream(image: Image.Image, **options: Any) -> bytearray:
    """Return a codestream without boxes."""
    file = io.BytesIO()
    image.save(file, "JPEG2000", no_jp2=True, **options)
    return bytearray(file.getvalue())


@pytest.mark.parametrize("size", [(1065, 1601), (1066, 1602), (1067, 1603), (1068, 1604)])
def test_a_large_image_is_decoded_at_reduced_resolution(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    image = quadrants(size)
    sizes = []
    resize = Image.Image.resize

    def record(self: Image.Image, *args: object, **kwargs: object) -> Image.Image:
        sizes.append(self.size)
        return resize(self, *args, **kwargs)  # type: ignore[arg-type]

    image.save(tmp_path / "a.jp2")
    image.save(tmp_path / "a.png")
    monkeypatch.setattr(Image.Image, "resize", record)
    reduced = pixels_of(tmp_path / "a.jp2", 64).astype(int)
    assert sizes[0] == (-(-size[0] // 4), -(-size[1] // 4))  # an eighth is less than 2 * 73
    assert np.abs(reduced - pixels_of(tmp_path / "a.png", 64)).mean() < 2
    pixels_of(tmp_path / "a.jp2", 64, interpolation="nearest")
    assert sizes[-1] == size


def test_resolutions_that_are_not_in_the_file_are_not_asked_for(tmp_path: Path) -> None:
    quadrants((1600, 1600)).save(tmp_path / "a.jp2", num_resolutions=1)
    quadrants((1600, 1600)).save(tmp_path / "b.jp2", tile_size=(64, 64))
    for name in ("a.jp2", "b.jp2"):
        assert close(pixels_of(tmp_path / name, 64)[4:20, 4:20], (255, 0, 0))


@pytest.mark.parametrize("bits", [12, 16])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_deep_images_keep_white_and_black(tmp_path: Path, bits: int, channels: int) -> None:
    codecs = pytest.importorskip("imagecodecs")
    white = (1 << bits) - 1
    for grey in (0, 0.5, 1):
        pixels = np.full((40, 40, channels), round(grey * white), np.uint16)
        pixels[:, :, 3:] = white
        pixels = pixels[:, :, 0] if channels == 1 else pixels
        (tmp_path / "a.jp2").write_bytes(
            codecs.jpeg2k_encode(pixels, level=0, bitspersample=bits, codecformat="jp2")
        )
        assert close(pixels_of(tmp_path / "a.jp2"), (round(grey * 255),) * 3, within=1)


def test_deep_colours_need_a_library_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = codestream(Image.new("RGB", (40, 40), COLOUR))
    data[42] = 15  # 16 bits
    (tmp_path / "a.j2k").write_bytes(data)
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    assert reason(tmp_path / "a.j2k") == (
        "not supported: JPEG 2000 image with more than 8 bits per colour; install its decoder: "
        "pip install 'mnv2cli[jxl]'"
    )


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("suffix", ["jp2", "j2k"])
def test_a_truncated_image_is_an_error(tmp_path: Path, keep: float, suffix: str) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (60, 80, 3), np.uint8)
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    assert reason(path).startswith(("truncated", "damaged"))


def marker(data: bytearray, number: int) -> int:
    """Return where the content of a marker begins."""
    return data.index(number.to_bytes(2, "big")) + 4


def test_headers_that_ask_for_too_much_are_refused(tmp_path: Path) -> None:
    whole = codestream(Image.new("RGB", (256, 256), COLOUR))
    size, style = marker(whole, 0xFF51), marker(whole, 0xFF52)
    path = tmp_path / "a.j2k"

    def refused(place: int, format: str, *values: int) -> str:
        data = bytearray(whole)
        struct.pack_into(format, data, place, *values)
        path.write_bytes(data)
        return reason(path)

    kind = "not supported: JPEG 2000 image "
    assert refused(size + 18, ">II", 1, 1).startswith(kind + "in 65,536 tiles; convert it")
    assert refused(size + 34, ">H", 5).startswith(kind + "with 5 components")
    assert refused(style + 2, ">H", 65535).startswith(kind + "with 65,535 layers")
    assert refused(style + 6, ">BB", 0, 0).startswith(kind + "with tiny code-blocks")
    precincts = bytearray(whole)
    precincts[style] |= 1
    levels = precincts[style + 5]
    precincts[style - 2 : style] = struct.pack(">H", 12 + levels + 1)
    precincts[style + 10 : style + 10] = b"\0" * (levels + 1)
    path.write_bytes(precincts)
    assert reason(path).startswith(kind + "with tiny precincts")
    assert refused(size + 2, ">II", 2**32 - 1, 2**32 - 1).startswith("too many pixels")


def test_limits_of_a_header_hold_in_the_headers_of_tiles_too(tmp_path: Path) -> None:
    data = codestream(Image.new("RGB", (256, 256), COLOUR), tile_size=(128, 128))
    style = marker(data, 0xFF52) - 4
    copy = bytearray(data[style : style + 2 + int.from_bytes(data[style + 2 : style + 4], "big")])
    copy[10:12] = b"\0\0"  # code-blocks of 4 x 4
    tile = marker(data, 0xFF90)
    (length,) = struct.unpack_from(">I", data, tile + 2)
    struct.pack_into(">I", data, tile + 2, length + len(copy))
    data[tile + 8 : tile + 8] = copy
    (tmp_path / "a.j2k").write_bytes(data)
    assert "tiny code-blocks" in reason(tmp_path / "a.j2k")


def test_a_size_other_than_that_of_the_codestream_is_damaged(tmp_path: Path) -> None:
    Image.new("RGB", (40, 30), COLOUR).save(tmp_path / "a.jp2")
    data = bytearray((tmp_path / "a.jp2").read_bytes())
    place = data.index(b"ihdr") + 4
    struct.pack_into(">II", data, place, 15, 20)
    (tmp_path / "a.jp2").write_bytes(data)
    assert reason(tmp_path / "a.jp2") == "damaged: JPEG 2000, two different sizes"


def test_the_profile_of_a_jp2_file_is_applied(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (60, 40), COLOUR).save(stream, "JPEG2000", irreversible=False)
    data = stream.getvalue()
    start = data.index(b"jp2h") - 4
    size = int.from_bytes(data[start : start + 4], "big")
    header, colour = data[start + 8 : start + size], data.index(b"colr") - 4 - start - 8
    colour_size = int.from_bytes(header[colour : colour + 4], "big")
    profile = b"\2\0\0" + matrix_profile(P3)
    box = (8 + len(profile)).to_bytes(4, "big") + b"colr" + profile
    header = header[:colour] + box + header[colour + colour_size :]
    new = (8 + len(header)).to_bytes(4, "big") + b"jp2h" + header
    (tmp_path / "a.jp2").write_bytes(data[:start] + new + data[start + size :])
    assert close(pixels_of(tmp_path / "a.jp2"), IN_P3, within=2)
    (tmp_path / "b.jp2").write_bytes(data)
    assert close(pixels_of(tmp_path / "b.jp2"), COLOUR, within=1)
