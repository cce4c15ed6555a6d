"""Raw photos are read with LibRaw: a preview that is large enough, else the sensor data."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mnv2cli.errors import ImageError
from mnv2cli.images.decode import decode
from mnv2cli.images.exif import taken_at
from mnv2cli.images.options import ImageOptions
from mnv2cli.images.raw_reader import date_of_preview, decode_raw_as
from mnv2cli.images.renditions import NetworkInput
from mnv2cli.images.unsupported import RawPhotoError
from tests.images.camera_raws import CAMERAS, DATE, Shot, bitmap_dng, cr2, dng, jpeg, nef, raf
from tests.images.pixels import quadrants

pytest.importorskip("rawpy", reason="needs the extra: pip install 'mnv2cli[raw]'")

SIZE = 32
PHOTO = quadrants((96, 64))
LARGE, SMALL = jpeg(PHOTO, (90, 60)), jpeg(PHOTO.convert("L"), (30, 20))
RED, GREEN, BLUE, WHITE = (0,), (1,), (2,), (0, 1, 2)

every_camera = pytest.mark.parametrize("camera", CAMERAS.values(), ids=CAMERAS)


def written(folder: Path, data: bytes, name: str = "a.raw") -> str:
    path = folder / name
    path.write_bytes(data)
    return str(path)


def found(path: str) -> RawPhotoError:
    with pytest.raises(RawPhotoError) as caught:
        decode(path, SIZE, ImageOptions())
    return caught.value


def decode_raw(path: str, error: RawPhotoError, **options: Any) -> np.ndarray:
    chosen = ImageOptions(**options)
    return decode_raw_as(path, NetworkInput(SIZE, chosen), chosen, error)


def pixels_of(path: str, **options: Any) -> np.ndarray:
    pixels = decode_raw(path, found(path), **options)
    assert pixels.dtype == np.uint8 and pixels.shape == (SIZE, SIZE, 3)
    return pixels


def reason(path: str, **options: Any) -> str:
    with pytest.raises(ImageError) as caught:
        pixels_of(path, **options)
    return str(caught.value)


def corners(pixels: np.ndarray) -> list[tuple[int, ...]]:
    """Return the channels that are bright: top left, top right, bottom left, bottom right."""
    places = (4, 4), (4, -4), (-4, 4), (-4, -4)
    return [tuple(np.flatnonzero(pixels[at] > 0.7 * pixels[at].max()).tolist()) for at in places]


@every_camera
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("own", [False, True], ids=["", "also in the preview"])
def test_a_large_preview_is_read_like_a_jpeg_and_turned_once(
    tmp_path: Path, camera: Callable[[Shot], bytes], orientation: int, own: bool
) -> None:
    turned = jpeg(PHOTO, (90, 60), orientation)
    raw = camera(Shot(PHOTO.convert("L"), (turned if own else LARGE, SMALL), orientation))
    wanted = decode(written(tmp_path, turned, "a.jpg"), SIZE, ImageOptions())
    assert np.array_equal(pixels_of(written(tmp_path, raw)), wanted)


def test_a_preview_with_an_orientation_of_its_own_is_turned_by_that(tmp_path: Path) -> None:
    turned = jpeg(PHOTO, (90, 60), 3)
    turned = turned[:2] + turned[20:]  # its EXIF comes first, without JFIF
    wanted = decode(written(tmp_path, turned, "a.jpg"), SIZE, ImageOptions())
    for orientation in (1, 6):
        raw = written(tmp_path, nef(Shot(PHOTO, (turned,), orientation)))
        assert np.array_equal(pixels_of(raw), wanted)


def test_a_preview_that_the_camera_has_turned_already_is_not_turned_again(tmp_path: Path) -> None:
    upright = jpeg(PHOTO.transpose(Image.Transpose.ROTATE_270), (60, 90))
    wanted = decode(written(tmp_path, upright, "a.jpg"), SIZE, ImageOptions())
    raw = written(tmp_path, dng(Shot(PHOTO, (upright,), 6)))
    assert np.array_equal(pixels_of(raw), wanted)


@every_camera
@pytest.mark.parametrize("previews", [(), (SMALL,)], ids=["none", "too small"])
def test_without_a_large_preview_the_sensor_data_is_read(
    tmp_path: Path, camera: Callable[[Shot], bytes], previews: tuple[bytes, ...]
) -> None:
    upright = written(tmp_path, camera(Shot(PHOTO, previews)))
    assert corners(pixels_of(upright)) == [RED, GREEN, BLUE, WHITE]
    turned = written(tmp_path, camera(Shot(PHOTO, previews, 6)))
    assert corners(pixels_of(turned)) == [BLUE, RED, WHITE, GREEN]


def test_a_damaged_preview_is_replaced_by_the_sensor_data(tmp_path: Path) -> None:
    start = LARGE.index(b"\xff\xda")
    damaged = LARGE[:start] + b"\xff\xd9" + bytes(len(LARGE) - start - 2)
    raw = written(tmp_path, dng(Shot(PHOTO, (damaged,))))
    assert corners(pixels_of(raw)) == [RED, GREEN, BLUE, WHITE]


@pytest.mark.parametrize("allow_truncated", [False, True])
def test_a_truncated_preview_is_replaced_by_the_sensor_data(
    tmp_path: Path, allow_truncated: bool
) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (60, 90, 3), np.uint8)
    preview = jpeg(Image.fromarray(noise), (90, 60))
    raw = written(tmp_path, dng(Shot(PHOTO, (preview[: len(preview) // 2],))))
    pixels = pixels_of(raw, allow_truncated=allow_truncated)
    assert corners(pixels) == [RED, GREEN, BLUE, WHITE]


def test_a_reader_that_is_damaged_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = written(tmp_path, dng(Shot(PHOTO)))
    error = found(raw)
    monkeypatch.setitem(sys.modules, "rawpy", None)
    with pytest.raises(ImageError, match=r"raw photo.*; its reader cannot be imported, see mnv2"):
        decode_raw(raw, error)


@pytest.mark.parametrize(
    ("orientation", "wanted"), [(1, [RED, GREEN, BLUE, WHITE]), (6, [BLUE, RED, WHITE, GREEN])]
)
def test_a_bitmap_preview_is_read(
    tmp_path: Path, orientation: int, wanted: list[tuple[int, ...]]
) -> None:
    data = bytearray(bitmap_dng(Shot(quadrants((160, 96)), (), orientation)))
    sensor = len(data) - 2 * 160 * 96
    data[sensor:] = bytes(2 * 160 * 96)  # all black
    assert corners(pixels_of(written(tmp_path, bytes(data)))) == wanted


@pytest.mark.parametrize(
    "options",
    [
        {"fit": "pad"},
        {"fit": "stretch"},
        {"interpolation": "bicubic"},
        {"interpolation": "nearest"},  # of the full preview, not of a draft
    ],
)
def test_options_apply_to_the_preview(tmp_path: Path, options: dict[str, Any]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (400, 600, 3), np.uint8)
    preview = jpeg(Image.fromarray(noise), (600, 400))
    wanted = decode(written(tmp_path, preview, "a.jpg"), SIZE, ImageOptions(**options))
    raw = written(tmp_path, dng(Shot(PHOTO, (preview,))))
    assert np.array_equal(pixels_of(raw, **options), wanted)


def test_a_preview_is_large_enough_if_the_fit_needs_no_more(tmp_path: Path) -> None:
    preview = jpeg(PHOTO, (36, 33))
    raw = written(tmp_path, dng(Shot(PHOTO.convert("L"), (preview,))))
    for fit in ("stretch", "pad"):
        assert corners(pixels_of(raw, fit=fit)) == [RED, GREEN, BLUE, WHITE]
    assert corners(pixels_of(raw, fit="crop"))[3] == WHITE
    assert corners(pixels_of(raw, fit="crop"))[:3] != [RED, GREEN, BLUE]  # grey sensor data


def test_the_limit_of_pixels_is_that_of_what_is_decoded(tmp_path: Path) -> None:
    bare = written(tmp_path, nef(Shot(PHOTO)))
    assert reason(bare, max_pixels=96 * 64 - 1) == "too many pixels: 6,144 is over 6,143"
    pixels_of(bare, max_pixels=96 * 64)
    raw = written(tmp_path, nef(Shot(PHOTO, (LARGE,))))
    pixels_of(raw, max_pixels=90 * 60)
    assert reason(raw, max_pixels=90 * 60 - 1) == "too many pixels: 6,144 is over 5,399"


@every_camera
def test_the_date_is_read(tmp_path: Path, camera: Callable[[Shot], bytes]) -> None:
    path = written(tmp_path, camera(Shot(PHOTO, (LARGE,))))
    if camera is raf:
        with pytest.raises(RawPhotoError):
            taken_at(path)
        assert date_of_preview(path, found(path)) == DATE
    else:
        assert taken_at(path) == DATE
    for date, wanted in (("", ""), ("0000:00:00 00:00:00", ""), ("2020:01", "")):
        path = written(tmp_path, camera(Shot(PHOTO, (LARGE,), date=date)))
        assert (date_of_preview(path, found(path)) if camera is raf else taken_at(path)) == wanted


def test_a_truncated_raw_photo_is_an_error_unless_its_preview_is_whole(tmp_path: Path) -> None:
    bare, whole = cr2(Shot(PHOTO)), cr2(Shot(PHOTO, (LARGE,)))
    assert reason(written(tmp_path, bare[:-900])) == (
        "truncated: the file ends before the image does"
    )
    pixels_of(written(tmp_path, whole[:-900]))


def test_a_raw_photo_that_libraw_cannot_read_has_a_reason(tmp_path: Path) -> None:
    for start, name in ((b"FUJIFILMCCD-RAW 0201", "RAF"), (b"IIU\0\x18\0\0\0", "RW2")):
        path = written(tmp_path, start)
        assert reason(path).startswith(
            f"cannot be decoded: raw photo ({name}), damaged or of a kind not supported ("
        ) or reason(path).startswith("truncated: ")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_is_not_utf8_is_opened(tmp_path: Path) -> None:
    path = written(tmp_path, dng(Shot(PHOTO, (LARGE,))), os.fsdecode(b"\xff\n.dng"))
    assert corners(pixels_of(path)) == [RED, GREEN, BLUE, WHITE]
    with pytest.raises(ImageError, match="no such file"):
        decode_raw(path + "x", RawPhotoError("raw photo"))
