"""Raw photos are refused by name; other TIFFs are read, whatever their directories look like."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnv2cli.errors import ImageError
from mnv2cli.images.decode import decode
from mnv2cli.images.options import ImageOptions
from tests.images.pixels import COLOUR, close, pixels_of, reason
from tests.images.raws import DNG_VERSION, FULL, MAKE, SENSOR, THUMBNAIL, Layout, Tags, tiff

ADVICE = "install the reader with: pip install 'mnv2cli[raw]'"
LAYOUTS = [Layout(order, big) for order in "<>" for big in (False, True)]


def written(folder: Path, data: bytes, name: str = "a.tif") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("first", "wanted"),
    [
        ({DNG_VERSION: 0x0401}, "raw photo (DNG)"),
        ({MAKE: "EASTMAN KODAK COMPANY"}, "raw photo (KDC)"),
        ({MAKE: "Kodak"}, "raw photo (DCR)"),
        ({MAKE: "NIKON CORPORATION"}, "raw photo (NEF)"),
        ({MAKE: "SONY"}, "raw photo (ARW)"),
        ({MAKE: "PENTAX Corporation"}, "raw photo (PEF)"),
        ({MAKE: "Nobody"}, "raw photo"),
        ({}, "raw photo"),
    ],
)
@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_a_raw_photo_with_a_readable_thumbnail_is_refused(
    tmp_path: Path, first: Tags, wanted: str, layout: Layout
) -> None:
    path = written(tmp_path, tiff(THUMBNAIL | first, SENSOR, layout=layout), "a.dng")
    assert reason(path) == f"not supported: {wanted}; {ADVICE}"


def test_sensor_data_in_any_directory_identifies_a_raw_photo(tmp_path: Path) -> None:
    wanted = f"not supported: raw photo (PEF); {ADVICE}"
    for directories in ((SENSOR,), (FULL, SENSOR), (FULL, None, SENSOR)):
        first, *others = directories
        data = tiff((first or {}) | {MAKE: "PENTAX"}, *others)
        assert reason(written(tmp_path, data)) == wanted


def test_raw_photos_are_recognised_by_their_first_bytes(tmp_path: Path) -> None:
    plain = tiff(FULL)
    for start, wanted in (
        (b"II*\0\x10\0\0\0CR\2\0", "CR2"),
        (plain[:8] + b"IIIITwaR", "IIQ"),
        (b"MM\0*" + bytes(4) + b"MMMMRawT", "IIQ"),
    ):
        path = written(tmp_path, start + plain[len(start) :])
        assert reason(path) == f"not supported: raw photo ({wanted}); {ADVICE}"


@pytest.mark.parametrize("pixel", [(67, 82, 2), (73, 73, 73), (77, 77, 77)])
def test_pixels_that_begin_like_a_mark_are_read(
    tmp_path: Path, pixel: tuple[int, int, int]
) -> None:
    plain = tiff(FULL)
    assert plain[8:16] == bytes(8)  # unused, as the place of the pixels in other files
    path = written(tmp_path, plain[:8] + bytes(pixel) * 2 + bytes(2) + plain[16:])
    assert close(pixels_of(path), (100, 100, 100), within=1)


def test_a_thumbnail_before_the_photo_of_an_ordinary_tiff_is_no_raw_photo(tmp_path: Path) -> None:
    for make in ({}, {MAKE: "Scanner"}):
        path = written(tmp_path, tiff(THUMBNAIL | make, FULL))
        assert close(pixels_of(path), (100, 100, 100), within=1)
    copied = written(tmp_path, tiff(FULL | {DNG_VERSION: 0x0401}))
    assert close(pixels_of(copied), (100, 100, 100), within=1)


@pytest.mark.parametrize("layout", LAYOUTS[:3], ids=str)  # Pillow reads no big-endian BigTIFF
def test_other_tiffs_are_read(tmp_path: Path, layout: Layout) -> None:
    made = {MAKE: "NIKON CORPORATION"}
    for directories in ((FULL | made,), (FULL, THUMBNAIL), (FULL, None, THUMBNAIL), (THUMBNAIL,)):
        path = written(tmp_path, tiff(*directories, layout=layout))
        assert close(pixels_of(path), (100, 100, 100), within=1)


def test_the_first_of_several_pages_is_read(tmp_path: Path) -> None:
    pages = [Image.new("RGB", (40, 40), c) for c in (COLOUR, (0, 0, 255), (0, 255, 0))]
    path = tmp_path / "a.tif"
    pages[0].save(path, save_all=True, append_images=pages[1:], tiffinfo={271: "Canon"})
    assert close(pixels_of(path), COLOUR)


def test_circular_and_invalid_directories_are_ignored(tmp_path: Path) -> None:
    data = bytearray(tiff(FULL))
    end = 600 + 2 + 12 * (len(FULL) + 1)
    for following in (600, 8, 2**31, 2**32 - 1, len(data) - 1):
        data[end : end + 4] = following.to_bytes(4, "little")
        assert close(pixels_of(written(tmp_path, bytes(data))), (100, 100, 100), within=1)


def test_damaged_raw_photos_give_pixels_or_a_reason(tmp_path: Path) -> None:
    rng = random.Random(1)
    reasons = set()
    for number in range(400):
        layout = LAYOUTS[number % 4]
        data = bytearray(tiff(THUMBNAIL | {MAKE: "NIKON CORPORATION"}, SENSOR, FULL, layout=layout))
        for _ in range(rng.choice((1, 3, 10))):
            place = rng.randrange(len(data)) if rng.random() < 0.3 else rng.randrange(600, 750)
            data[place] = rng.choice((0, 1, 255, rng.randrange(256)))
        if rng.random() < 0.2:
            del data[rng.randrange(len(data)) :]
        try:
            pixels = decode(str(written(tmp_path, bytes(data))), 8, ImageOptions(max_pixels=10**6))
            assert pixels.dtype == np.uint8
        except ImageError as error:
            reasons.add(error.reason)
    assert "not supported" in reasons
    assert reasons <= {
        "not supported", "not an image", "damaged", "truncated", "cannot be decoded",
        "too many pixels", "empty file",
    }  # fmt: skip
