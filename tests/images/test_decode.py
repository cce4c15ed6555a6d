"""Complete decoding: limits, truncated files, and memory."""

from __future__ import annotations

import gc
import struct
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest
from PIL import Image, PngImagePlugin
from PIL import __version__ as pillow_version

from mnv2cli.errors import ImageError
from mnv2cli.images.decode import set_process_limit
from mnv2cli.images.options import DEFAULT_MAX_PIXELS
from tests.conftest import draw
from tests.images.pixels import COLOUR, close, pixels_of, reason

pillow_heif.register_heif_opener()

SUFFIXES = [
    "jpg", "png", "gif", "bmp", "tif", "webp", "avif", "heic", "jp2", "j2k", "ppm", "sgi", "qoi",
    "pcx", "dds", "ico", "tga",
]  # fmt: skip


def test_a_png_with_much_text_is_decoded(tmp_path: Path) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("history", "x" * 3_000_000, zip=True)
    Image.new("RGB", (40, 30), COLOUR).save(tmp_path / "a.png", pnginfo=text)
    set_process_limit(DEFAULT_MAX_PIXELS)
    assert close(pixels_of(tmp_path / "a.png"), COLOUR)


def test_a_large_jpeg_is_decoded_at_reduced_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (30, 40, 3), np.uint8)
    Image.fromarray(noise).resize((2000, 1500), Image.Resampling.BICUBIC).save(
        tmp_path / "a.jpg", quality=95
    )
    sizes: list[tuple[int, int]] = []
    resize = Image.Image.resize

    def record(self: Image.Image, *args: object, **kwargs: object) -> Image.Image:
        sizes.append(self.size)
        return resize(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Image.Image, "resize", record)
    path = str(tmp_path / "a.jpg")
    pixels = pixels_of(path, 224).astype(int)
    assert sizes[0] == (500, 375)  # a quarter; an eighth would not cover 256
    pixels_of(path, 224, fit="stretch")
    assert sizes[1] == (500, 375)
    pixels_of(path, 96, fit="pad")
    assert sizes[2] == (250, 188)
    pixels_of(path, 224, interpolation="nearest")
    assert sizes[3] == (2000, 1500)
    Image.open(path).save(tmp_path / "a.png")
    full = pixels_of(tmp_path / "a.png", 224).astype(int)
    assert np.abs(pixels - full).mean() < 1


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("keep", [0.3, 0.6, 0.95])
def test_a_truncated_file_is_an_error(tmp_path: Path, suffix: str, keep: float) -> None:
    path = tmp_path / f"a.{suffix}"
    noise = np.random.default_rng(3).integers(0, 256, (60, 80, 3), np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    unclear = {"tif", "j2k", "sgi"} | ({"qoi"} if int(pillow_version.split(".")[0]) < 13 else set())
    wanted = ("truncated", "damaged") if suffix in unclear else ("truncated",)
    assert reason(path).partition(":")[0] in wanted


@pytest.mark.parametrize(
    ("suffix", "save"),
    [
        ("jpg", {}),
        ("jpg", {"progressive": True}),
        ("png", {}),
        ("bmp", {}),
        ("tif", {}),
        ("gif", {"interlace": False}),
    ],
)
def test_allow_truncated_decodes_the_existing_rows(
    tmp_path: Path, suffix: str, save: dict[str, Any]
) -> None:
    path = tmp_path / f"a.{suffix}"
    noise = np.random.default_rng(4).integers(0, 256, (600, 800, 3), np.uint8)
    image = Image.fromarray(noise)
    if suffix == "bmp":  # stored from the bottom up
        image = image.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    image.save(path, **save)
    whole = pixels_of(path, fit="stretch").astype(int)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.6)])
    assert reason(path).startswith("truncated")
    part = pixels_of(path, fit="stretch", allow_truncated=True).astype(int)
    rows = slice(-12, None) if suffix == "bmp" else slice(0, 12)
    assert np.abs(part - whole)[rows].mean() < 12


@pytest.mark.parametrize("suffix", ["jp2", "tga", "sgi", "qoi", "pcx"])
def test_allow_truncated_refuses_formats_whose_parts_may_be_wrong(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"a.{suffix}"
    noise = np.random.default_rng(4).integers(0, 256, (60, 80, 3), np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.7)])
    assert reason(path, allow_truncated=True) == reason(path)


def test_allow_truncated_refuses_files_without_pixels(tmp_path: Path) -> None:
    path = draw(tmp_path / "a.webp", COLOUR)
    path.write_bytes(path.read_bytes()[:-20])
    assert reason(path, allow_truncated=True).startswith("truncated")
    (tmp_path / "b.jpg").write_bytes(b"\xff\xd8\xff\xe0 not a jpeg")
    found = reason(tmp_path / "b.jpg", allow_truncated=True)
    assert found.startswith(("damaged", "truncated"))


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "tif", "webp", "avif", "heic"])
def test_too_many_pixels_are_refused_before_decoding(tmp_path: Path, suffix: str) -> None:
    path = draw(tmp_path / f"a.{suffix}", COLOUR, (100, 60))
    assert reason(path, max_pixels=5999) == "too many pixels: 6,000 is over 5,999"
    assert pixels_of(path, max_pixels=6000).shape == (32, 32, 3)


def test_a_decompression_bomb_is_refused_before_decoding(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    (tmp_path / "a.png").write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"\0" * 1_000_000))
        + chunk(b"IEND", b"")
    )
    assert reason(tmp_path / "a.png").startswith("too many pixels: 3,600,000,000 is over ")


@pytest.mark.parametrize(
    ("stage", "error"),
    [
        ("mnv2cli.images.renditions.to_input", MemoryError()),
        ("PIL.ImageFile.ImageFile.load", MemoryError()),
        ("PIL.Image.open", MemoryError()),
        ("PIL.ImageFile.ImageFile.load", OSError("out of memory when reading image file")),
        ("PIL.ImageFile.ImageFile.load", RuntimeError("Pixel allocation failed: Out of memory")),
        (
            "PIL.ImageFile.ImageFile.load",
            RuntimeError("Memory allocation error: Unspecified: Allocating 90000015 bytes failed"),
        ),
    ],
)
def test_too_little_memory_is_an_error_of_one_image_and_not_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str, error: Exception
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise error

    path = draw(tmp_path / "a.png")
    pixels_of(path)
    monkeypatch.setattr(stage, refuse)
    assert reason(path) == "not enough memory: the image is too large to decode here"


def test_a_limit_of_a_decoder_is_not_too_little_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise RuntimeError("Memory allocation error: Security limit exceeded: too many tiles")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", refuse)
    assert reason(draw(tmp_path / "a.png")).startswith("cannot be decoded: PNG, damaged or of a ")


def images_and_errors() -> list[object]:
    return [x for x in gc.get_objects() if isinstance(x, (Image.Image, ImageError))]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_image_that_cannot_be_decoded_is_freed_at_once(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    noise = np.random.default_rng(5).integers(0, 256, (60, 80, 3), np.uint8)
    Image.fromarray(noise).save(path)
    whole = path.read_bytes()
    bad = bytearray(whole)
    bad[len(bad) // 2 :] = bytes(len(bad) - len(bad) // 2)
    gc.collect()
    before = set(map(id, images_and_errors()))
    gc.disable()
    try:
        for data in (whole[: len(whole) * 2 // 3], bytes(bad)):
            path.write_bytes(data)
            for allow_truncated in (False, True):
                with suppress(ImageError):
                    pixels_of(path, allow_truncated=allow_truncated)
        assert [x for x in images_and_errors() if id(x) not in before] == []
    finally:
        gc.enable()
