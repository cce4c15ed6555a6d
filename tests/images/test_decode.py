from __future__ import annotations

import os
import socket
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from click.testing import Result
from PIL import Image, ImageCms, PngImagePlugin

from mnv2cli.errors import ImageError, InputError
from mnv2cli.images.decode import (
    DEFAULT_MAX_PIXELS,
    DecodeOptions,
    _to_8_bit,
    decode,
    set_process_limit,
)
from tests.conftest import draw

pillow_heif.register_heif_opener()

SMALL = DecodeOptions(size=32)
COLOUR = (200, 100, 50)


def mean(pixels: np.ndarray) -> tuple[int, ...]:
    return tuple(pixels.mean(axis=(0, 1)).round().astype(int).tolist())


def close(pixels: np.ndarray, colour: tuple[int, ...], within: int = 6) -> bool:
    return bool(np.abs(pixels.astype(int) - np.array(colour)).max() <= within)


def reason(path: Path | str, options: DecodeOptions = SMALL) -> str:
    with pytest.raises(ImageError) as caught:
        decode(str(path), options)
    return str(caught.value)


def quadrants(size: tuple[int, int] = (64, 64)) -> Image.Image:
    """Red top left, green top right, blue bottom left, white bottom right."""
    image = Image.new("RGB", size, (255, 255, 255))
    half = (size[0] // 2, size[1] // 2)
    image.paste((255, 0, 0), (0, 0, *half))
    image.paste((0, 255, 0), (half[0], 0, size[0], half[1]))
    image.paste((0, 0, 255), (0, half[1], half[0], size[1]))
    return image


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "bmp", "tif", "webp", "avif", "heic"])
def test_every_format_gives_its_colour_whatever_its_suffix(tmp_path: Path, suffix: str) -> None:
    path = draw(tmp_path / f"a.{suffix}", COLOUR)
    pixels = decode(str(path), SMALL)
    assert pixels.shape == (32, 32, 3) and pixels.dtype == np.uint8
    assert close(pixels, COLOUR)
    renamed = path.rename(tmp_path / ("b.png" if suffix == "jpg" else "b.jpg"))
    assert np.array_equal(decode(str(renamed), SMALL), pixels)


def test_of_a_multi_picture_jpeg_the_first_is_taken(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (40, 40), c) for c in (COLOUR, (0, 0, 255))]
    frames[0].save(tmp_path / "a.mpo", save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=frames[1:])
    assert close(decode(str(tmp_path / "a.mpo"), SMALL), COLOUR)
    assert close(decode(str(tmp_path / "a.jpg"), SMALL), COLOUR)


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "tif"])
def test_of_an_animation_the_first_frame_is_taken(tmp_path: Path, suffix: str) -> None:
    frames = [Image.new("RGB", (40, 40), c) for c in (COLOUR, (0, 0, 255), (0, 255, 0))]
    path = tmp_path / f"a.{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    assert close(decode(str(path), SMALL), COLOUR)


ORIENTED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "avif", "heic"])
@pytest.mark.parametrize("orientation", ORIENTED)
@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_exif_orientation_is_applied_once(
    tmp_path: Path, suffix: str, orientation: int, fit: str
) -> None:
    upright = quadrants((64, 48))
    turn = ORIENTED[orientation]
    stored = upright if turn is None else upright.transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a.{suffix}"
    stored.save(path, exif=exif.tobytes() if suffix == "heic" else exif, quality=95)
    options = DecodeOptions(size=32, fit=fit)  # type: ignore[arg-type]
    pixels = decode(str(path), options)
    plain = tmp_path / "plain.png"
    upright.save(plain)
    wanted = decode(str(plain), options)
    corners = [(8, 8), (8, 24), (24, 8), (24, 24)]
    for row, column in corners:
        assert np.abs(pixels[row, column].astype(int) - wanted[row, column]).max() < 40


def test_broken_exif_does_not_lose_the_photo(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.new("RGB", (40, 30), COLOUR).save(
        path, exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"z" * 9
    )
    assert close(decode(str(path), SMALL), COLOUR)


@pytest.mark.parametrize("suffix", ["png", "webp", "tif"])
def test_transparency_is_composed_over_white(tmp_path: Path, suffix: str) -> None:
    clear = draw(tmp_path / f"clear.{suffix}", (9, 9, 9, 0), mode="RGBA")
    half = draw(tmp_path / f"half.{suffix}", (0, 0, 0, 128), mode="RGBA", lossless=True)
    assert close(decode(str(clear), SMALL), (255, 255, 255))
    assert close(decode(str(half), SMALL), (127, 127, 127), within=2)


def test_transparent_pixels_do_not_bleed_their_colour(tmp_path: Path) -> None:
    image = Image.new("RGBA", (64, 64), (0, 255, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 31, 64))
    image.save(tmp_path / "a.png")
    pixels = decode(str(tmp_path / "a.png"), SMALL).astype(int)
    assert (pixels[:, :, 1] <= pixels[:, :, 2] + 2).all()  # no green at the edge


def test_palette_grey_alpha_and_keyed_transparency(tmp_path: Path) -> None:
    palette = Image.new("RGB", (40, 40), COLOUR).quantize(4)
    palette.save(tmp_path / "p.png")
    assert close(decode(str(tmp_path / "p.png"), SMALL), COLOUR)
    palette.save(tmp_path / "pt.png", transparency=0)
    assert close(decode(str(tmp_path / "pt.png"), SMALL), (255, 255, 255))
    draw(tmp_path / "la.png", (0, 128), mode="LA")
    assert close(decode(str(tmp_path / "la.png"), SMALL), (127, 127, 127), within=2)
    draw(tmp_path / "key.png", COLOUR, transparency=COLOUR)
    assert close(decode(str(tmp_path / "key.png"), SMALL), (255, 255, 255))


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk_becomes_rgb(tmp_path: Path, suffix: str) -> None:
    path = draw(tmp_path / f"a.{suffix}", (0, 255, 255, 0), mode="CMYK")
    assert close(decode(str(path), SMALL), (255, 0, 0), within=12)


def test_lab_becomes_rgb(tmp_path: Path) -> None:
    rgb = Image.new("RGB", (40, 40), COLOUR)
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    ImageCms.applyTransform(rgb, to_lab).save(tmp_path / "a.tif")  # type: ignore[union-attr]
    assert close(decode(str(tmp_path / "a.tif"), SMALL), COLOUR)


@pytest.mark.parametrize("mode", ["L", "1"])
def test_other_modes_become_rgb(tmp_path: Path, mode: str) -> None:
    image = Image.new("RGB", (40, 40), (255, 255, 255)).convert(mode)
    image.save(tmp_path / "a.tif")
    assert close(decode(str(tmp_path / "a.tif"), SMALL), (255, 255, 255))


def test_one_bit_images_are_smoothed(tmp_path: Path) -> None:
    board = np.indices((64, 64)).sum(axis=0) % 2 * 255
    Image.fromarray(board.astype(np.uint8)).convert("1").save(tmp_path / "a.png")
    assert close(decode(str(tmp_path / "a.png"), SMALL)[2:-2, 2:-2], (127, 127, 127), within=20)


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
    assert close(decode(str(tmp_path / "a.tif"), SMALL), (wanted,) * 3, within=1)


def test_floats_that_overshoot_keep_their_range(tmp_path: Path) -> None:
    for odd in (1.02, -0.01, 1e30, float("inf")):
        grey = np.full((40, 40), 0.5, np.float32)
        grey[3, 3] = odd
        Image.fromarray(grey).save(tmp_path / "a.tif")
        pixels = decode(str(tmp_path / "a.tif"), SMALL)
        assert close(pixels[20:], (128,) * 3, within=1), odd


def test_deep_tiffs_of_odd_kinds_are_read_rightly_or_refused(tmp_path: Path) -> None:
    grey = Image.fromarray(np.full((40, 40), 40000, np.uint16))
    grey.save(tmp_path / "white-is-zero.tif", tiffinfo={262: 0})
    assert close(decode(str(tmp_path / "white-is-zero.tif"), SMALL), (255 - 156,) * 3, within=1)
    ramp = np.tile(np.linspace(0, 2**32 - 1, 64).astype(np.uint32), (64, 1))
    Image.fromarray(ramp.view(np.int32)).save(tmp_path / "unsigned.tif")
    with Image.open(tmp_path / "unsigned.tif") as image:
        image.tag_v2[339] = (1,)  # type: ignore[attr-defined]  # which Pillow does not write
        pixels = np.asarray(_to_8_bit(image)).astype(int)
    assert (np.diff(pixels[0]) >= 0).all() and pixels[0, -1] > 240
    grey.save(tmp_path / "key.png", transparency=40000)
    assert close(decode(str(tmp_path / "key.png"), SMALL), (255, 255, 255))
    rgb = Image.new("RGB", (8, 8))
    rgb.info.clear()
    rgb.save(tmp_path / "planes.tif")
    with Image.open(tmp_path / "planes.tif") as image:
        image.tag_v2[284], image.tag_v2[258] = 2, (16, 16, 16)  # type: ignore[attr-defined]
        with pytest.raises(ImageError, match="unsupported: TIFF with 16-bit colours in planes"):
            _to_8_bit(image)


def test_a_png_full_of_text_keeps_its_pixels(tmp_path: Path) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("history", "x" * 3_000_000, zip=True)
    Image.new("RGB", (40, 30), COLOUR).save(tmp_path / "a.png", pnginfo=text)
    set_process_limit(DEFAULT_MAX_PIXELS)
    assert close(decode(str(tmp_path / "a.png"), SMALL), COLOUR)


@pytest.mark.parametrize("bad", [{"fit": "fill"}, {"interpolation": "cubic"}, {"max_pixels": 0}])
def test_options_that_are_none_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(InputError):
        DecodeOptions(**bad)  # type: ignore[arg-type]


def test_values_out_of_all_ranges_are_stretched(tmp_path: Path) -> None:
    ramp = np.linspace(-1000, 1e6, 64, dtype=np.float32)
    Image.fromarray(np.tile(ramp, (64, 1))).save(tmp_path / "a.tif")
    pixels = decode(str(tmp_path / "a.tif"), DecodeOptions(size=32, fit="stretch"))
    assert pixels[0, 0, 0] < 8 and pixels[0, -1, 0] > 247


def test_16_bit_png_is_scaled(tmp_path: Path) -> None:
    Image.fromarray(np.full((40, 40), 32896, np.uint16)).save(tmp_path / "a.png")
    assert close(decode(str(tmp_path / "a.png"), SMALL), (128, 128, 128), within=1)


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
    assert close(decode(str(tmp_path / "a.png"), SMALL), COLOUR, within=1)


def test_crop_takes_the_centre_of_the_shorter_side(tmp_path: Path) -> None:
    image = Image.new("RGB", (300, 100), (0, 0, 0))
    image.paste((255, 255, 255), (100, 0, 200, 100))
    image.save(tmp_path / "a.png")
    assert decode(str(tmp_path / "a.png"), DecodeOptions(size=56)).min() == 255
    stretched = decode(str(tmp_path / "a.png"), DecodeOptions(size=56, fit="stretch"))
    assert stretched[:, 0].max() == 0 and stretched[:, 28].min() == 255


def test_crop_is_resize_to_256_and_centre_224(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (384, 512, 3), np.uint8)
    smooth = Image.fromarray(noise).resize((768, 384), Image.Resampling.BICUBIC, (0, 0, 96, 48))
    smooth.save(tmp_path / "a.png")
    resized = smooth.resize((512, 256), Image.Resampling.BILINEAR)
    wanted = np.asarray(resized.crop((144, 16, 144 + 224, 16 + 224))).astype(int)
    difference = np.abs(decode(str(tmp_path / "a.png"), DecodeOptions()).astype(int) - wanted)
    assert difference.max() <= 1


def test_pad_keeps_all_of_the_image_on_grey(tmp_path: Path) -> None:
    path = draw(tmp_path / "a.png", COLOUR, (100, 50))
    pixels = decode(str(path), DecodeOptions(size=40, fit="pad"))
    assert close(pixels[:9], (128, 128, 128), 0) and close(pixels[31:], (128, 128, 128), 0)
    assert close(pixels[11:29], COLOUR, 1)


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (3, 2)])
def test_thin_and_tiny_images_work(tmp_path: Path, fit: str, size: tuple[int, int]) -> None:
    path = draw(tmp_path / "a.png", COLOUR, size)
    pixels = decode(str(path), DecodeOptions(size=32, fit=fit))  # type: ignore[arg-type]
    assert pixels.shape == (32, 32, 3)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "nearest", "lanczos"])
def test_interpolations_differ_as_they_should(tmp_path: Path, interpolation: str) -> None:
    board = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    Image.fromarray(board).save(tmp_path / "a.png")
    options = DecodeOptions(size=32, fit="stretch", interpolation=interpolation)  # type: ignore[arg-type]
    values = set(np.unique(decode(str(tmp_path / "a.png"), options)).tolist())
    assert (values <= {0, 255}) == (interpolation == "nearest")


def test_a_large_jpeg_is_decoded_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (30, 40, 3), np.uint8)
    Image.fromarray(noise).resize((2000, 1500), Image.Resampling.BICUBIC).save(
        tmp_path / "a.jpg", quality=95
    )
    sizes: list[tuple[int, int]] = []
    resize = Image.Image.resize

    def note(self: Image.Image, *args: object, **kwargs: object) -> Image.Image:
        sizes.append(self.size)
        return resize(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Image.Image, "resize", note)
    path = str(tmp_path / "a.jpg")
    pixels = decode(path, DecodeOptions()).astype(int)
    assert sizes[0] == (500, 375)  # a quarter; an eighth would not cover 256
    decode(path, DecodeOptions(fit="stretch"))
    assert sizes[1] == (500, 375)
    decode(path, DecodeOptions(fit="pad", size=96))
    assert sizes[2] == (250, 188)
    decode(path, DecodeOptions(interpolation="nearest"))
    assert sizes[3] == (2000, 1500)
    Image.open(path).save(tmp_path / "a.png")
    full = decode(str(tmp_path / "a.png"), DecodeOptions()).astype(int)
    assert np.abs(pixels - full).mean() < 1


def test_stretch_and_nearest_are_the_pixels_of_load_img(tmp_path: Path) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (700, 900, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.jpg")
    options = DecodeOptions(fit="stretch", interpolation="nearest")
    wanted = Image.open(tmp_path / "a.jpg").convert("RGB").resize((224, 224), 0)
    assert np.array_equal(decode(str(tmp_path / "a.jpg"), options), np.asarray(wanted))


# What cannot be read


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


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "bmp", "tif", "webp", "avif", "heic"])
@pytest.mark.parametrize("keep", [0.3, 0.6, 0.95])
def test_a_file_that_ends_early_is_an_error(tmp_path: Path, suffix: str, keep: float) -> None:
    path = tmp_path / f"a.{suffix}"
    noise = np.random.default_rng(3).integers(0, 256, (60, 80, 3), np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    wanted = ("truncated", "damaged") if suffix == "tif" else ("truncated",)
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
def test_allow_truncated_takes_what_is_there(
    tmp_path: Path, suffix: str, save: dict[str, bool]
) -> None:
    path = tmp_path / f"a.{suffix}"
    noise = np.random.default_rng(4).integers(0, 256, (600, 800, 3), np.uint8)
    image = Image.fromarray(noise)
    if suffix == "bmp":  # stored from the bottom up
        image = image.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    image.save(path, **save)
    whole = decode(str(path), DecodeOptions(size=32, fit="stretch")).astype(int)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.6)])
    assert reason(path).startswith("truncated")
    options = DecodeOptions(size=32, fit="stretch", allow_truncated=True)
    part = decode(str(path), options).astype(int)
    rows = slice(-12, None) if suffix == "bmp" else slice(0, 12)
    assert np.abs(part - whole)[rows].mean() < 12


def test_allow_truncated_does_not_invent_images(tmp_path: Path) -> None:
    path = draw(tmp_path / "a.webp", COLOUR)
    path.write_bytes(path.read_bytes()[:-20])
    options = DecodeOptions(size=32, allow_truncated=True)
    assert reason(path, options).startswith("truncated")
    (tmp_path / "b.jpg").write_bytes(b"\xff\xd8\xff\xe0 not a jpeg")
    assert reason(tmp_path / "b.jpg", options).startswith(("damaged", "truncated"))


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "tif", "webp", "avif", "heic"])
def test_too_many_pixels_are_refused_before_decoding(tmp_path: Path, suffix: str) -> None:
    path = draw(tmp_path / f"a.{suffix}", COLOUR, (100, 60))
    options = DecodeOptions(size=32, max_pixels=5999)
    assert reason(path, options) == "too many pixels: 6,000 is over 5,999"
    assert decode(str(path), DecodeOptions(size=32, max_pixels=6000)).shape == (32, 32, 3)


def test_a_decompression_bomb_costs_nothing(tmp_path: Path) -> None:
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


def test_what_is_no_regular_file_is_never_opened(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").mkdir()
    assert reason(tmp_path / "x.jpg") == "a folder, not an image"
    os.mkfifo(tmp_path / "f.jpg")
    assert reason(tmp_path / "f.jpg") == "not a regular file: a named pipe"
    assert reason("/dev/zero") == "not a regular file: a device"
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(tmp_path / "s.jpg"))
        assert reason(tmp_path / "s.jpg") == "not a regular file: a socket"


def test_a_file_that_turns_into_a_pipe_does_not_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "f.jpg")
    regular = os.stat(draw(tmp_path / "a.png"))
    monkeypatch.setattr(os, "stat", lambda path: regular)
    assert reason(tmp_path / "f.jpg") == "not a regular file: a named pipe"


def test_files_that_are_not_there(tmp_path: Path) -> None:
    assert reason(tmp_path / "a.jpg") == "no such file"
    assert reason("") == "no such file"
    assert reason("a\0b.jpg") == "no such file: the name holds a NUL byte"
    (tmp_path / "l.jpg").symlink_to("nowhere")
    assert reason(tmp_path / "l.jpg") == "broken link: its target does not exist"
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    assert reason(tmp_path / "loop.jpg").startswith("cannot be read: too many levels")
    assert reason("x" * 5000) == "cannot be read: file name too long"


def test_permission_denied_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = draw(tmp_path / "a.png")

    def refuse(path: str, flags: int) -> int:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("mnv2cli.images.decode._open_without_waiting", refuse)
    assert reason(path) == "permission denied"


def test_want_of_memory_is_an_error_of_one_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise MemoryError

    monkeypatch.setattr("mnv2cli.images.decode._to_input", refuse)
    assert reason(draw(tmp_path / "a.png")).startswith("not enough memory")


def test_the_default_limit_is_the_same_in_the_help(invoke: Callable[..., Result]) -> None:
    assert f"[default: {DEFAULT_MAX_PIXELS};" in invoke("classify", "--help").stdout
