"""The content of a file determines its format; formats that are not supported are named."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from mnv2cli.images import formats
from tests.conftest import draw
from tests.images.pixels import COLOUR, close, pixels_of, reason

pillow_heif.register_heif_opener()


@pytest.mark.parametrize(
    "suffix",
    [
        "jpg", "png", "gif", "bmp", "tif", "webp", "avif", "heic", "dib", "jp2", "j2k", "ppm",
        "sgi", "qoi", "pcx", "dds", "ico", "tga",
    ],
)  # fmt: skip
def test_every_format_is_decoded_whatever_its_suffix(tmp_path: Path, suffix: str) -> None:
    path = draw(tmp_path / f"a.{suffix}", COLOUR)
    pixels = pixels_of(path)
    assert pixels.shape == (32, 32, 3) and pixels.dtype == np.uint8
    assert close(pixels, COLOUR)
    renamed = path.rename(tmp_path / ("b.png" if suffix == "jpg" else "b.jpg"))
    assert np.array_equal(pixels_of(renamed), pixels)


def test_the_first_image_of_a_multi_picture_jpeg_is_decoded(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (40, 40), c) for c in (COLOUR, (0, 0, 255))]
    frames[0].save(tmp_path / "a.mpo", save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=frames[1:])
    assert close(pixels_of(tmp_path / "a.mpo"), COLOUR)
    assert close(pixels_of(tmp_path / "a.jpg"), COLOUR)


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "tif"])
def test_the_first_frame_of_an_animation_is_decoded(tmp_path: Path, suffix: str) -> None:
    frames = [Image.new("RGB", (40, 40), c) for c in (COLOUR, (0, 0, 255), (0, 255, 0))]
    path = tmp_path / f"a.{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    assert close(pixels_of(path), COLOUR)


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (b"", "empty file: zero bytes"),
        (b"hello, world\n", "not an image: a text file"),
        (bytes(range(256)), "not an image"),
        (b"%PDF-1.7\n", "not an image: a PDF document"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "not an image: a PostScript document"),
        (b"PK\x03\x04....", "not an image: a ZIP archive or office document"),
        (b"<?xml version='1.0'?><a/>", "not an image: an XML file"),
        (b"  <!DOCTYPE HTML>", "not an image: a web page"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "not an image: a video (MP4 or QuickTime)"),
        (b"\xff\xd8\xff\xe0", "damaged: JPEG, its header cannot be read"),
        (b"GIF89a", "damaged: GIF, its header cannot be read"),
        (b"BMW is a car", "not an image: a text file"),
        (b"RIFF\xff\xff\0\0WEBPVP8 ", "truncated: 16 of 65,543 bytes"),
        (b"P1 is better than P5\n", "not an image: a text file"),
        (b"P6 3 2 of 255\n", "not an image: a text file"),
        (b"Pf\n3 2\nunits\n", "not an image: a text file"),
        (b"\n\5\1\x08" + b"about 1 page of text " * 9, "not an image: a text file"),
        (b"\x01\xda\0\1\0\3" + b" some other file" * 9, "not an image"),
        (b"\0\0\1\0\1\0\x10\x10\0\0\1\0\x20\0", "not an image"),
        (b"\xff\x0a", "truncated: the file ends before the image does"),
        (b"DDS |\0\0\0", "truncated: the file ends before the image does"),
        (
            b"\0\0\0\x10ftypavif\0\0\0\0\0\0\0\1mdat" + b"\x7f" * 8,
            "truncated: 32 of 9,187,201,950,435,737,487 bytes",
        ),
    ],
)
def test_a_file_that_is_not_an_image_has_a_reason(tmp_path: Path, data: bytes, wanted: str) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    assert reason(path) == wanted


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"P7\nWIDTH 3\n", "PAM image"),
        (b"\0\0\2\0\1\0\x10\x10\0\0\1\0\x20\0", "cursor (CUR)"),
        (b"PF\n3 2\n-1.0\n", "PFM image in colour"),
        (b"icns\0\0\0\x20", "Apple icon (ICNS)"),
        (bytes(128) + b"DICM\2\0", "DICOM image"),
        (b"<svg xmlns=''/>", "SVG drawing"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- x -->\n<svg>", "SVG drawing"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "raw photo (CR3)"),
        (b"FUJIFILMCCD-RAW 0201", "raw photo (RAF)"),
        (b"IIU\0\x18\0\0\0", "raw photo (RW2)"),
        (b"IIRO\x08\0\0\0", "raw photo (ORF)"),
        (b"II\x1a\0\0\0HEAPCCDR\2\0", "raw photo (CRW)"),
        (b"FOVb\1\0\2\0", "raw photo (X3F)"),
    ],
)
def test_an_unsupported_format_is_named_and_not_called_damaged(
    tmp_path: Path, data: bytes, kind: str
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    advice = "convert it to JPEG or PNG"
    if "SVG" in kind:
        advice = "export it as PNG"
    if "raw photo" in kind:
        advice = "install the reader with: pip install 'mnv2cli[raw]'"
    assert reason(path) == f"not supported: {kind}; {advice}"


@pytest.mark.parametrize("format", ["ICNS", "XBM"])
def test_unsupported_formats_that_pillow_writes_are_named(tmp_path: Path, format: str) -> None:
    Image.new("1" if format == "XBM" else "RGB", (64, 64)).save(tmp_path / "a", format)
    assert reason(tmp_path / "a").startswith("not supported: ")


@pytest.mark.parametrize("suffix", ["jp2", "j2k", "ppm", "sgi", "qoi", "pcx", "dds", "ico", "tga"])
@pytest.mark.parametrize("mode", ["RGBA", "L", "P", "1", "LA"])
def test_other_modes_of_a_format_are_read(tmp_path: Path, suffix: str, mode: str) -> None:
    image = Image.new("RGB", (64, 64), COLOUR).convert(mode)
    if (suffix, mode) == ("tga", "1"):
        pytest.skip("Pillow's TGA of 1 bit is not one of the standard")
    try:
        image.save(tmp_path / f"a.{suffix}")
    except (OSError, ValueError, KeyError):
        pytest.skip(f"Pillow writes no {suffix} of mode {mode}")
    wanted = COLOUR if mode in ("RGBA", "P") else np.asarray(image.convert("RGB"))[0, 0]
    if mode == "1":
        assert abs(pixels_of(tmp_path / f"a.{suffix}").mean() - np.asarray(image).mean() * 255) < 9
    else:
        assert close(pixels_of(tmp_path / f"a.{suffix}"), tuple(wanted), within=26)


@pytest.mark.parametrize(
    ("head", "bits"), [(12, 24), (12, 4), (40, 1), (40, 8), (40, 24), (40, 32), (124, 24)]
)
def test_a_dib_without_the_header_of_a_bmp_file_is_read(
    tmp_path: Path, head: int, bits: int
) -> None:
    width = height = 40
    numbers = "<IHHHH" if head == 12 else "<IiiHH"
    header = struct.pack(numbers, head, width, height, 1, bits).ljust(head, b"\0")
    entry = bytes(reversed(COLOUR)) + b"\0" * (head != 12)
    palette = entry * (1 << bits) if bits <= 8 else b""
    row = bytes(-(-width * bits // 32) * 4)
    if bits > 8:
        row = (bytes(reversed(COLOUR)) + b"\xff" * (bits == 32)) * width
    path = tmp_path / "a.dib"
    path.write_bytes(header + palette + row * height)
    assert close(pixels_of(path), COLOUR, 0)
    path.write_bytes(path.read_bytes()[:-200])
    assert reason(path).startswith("truncated")


def test_the_reason_of_a_decoder_is_quoted(tmp_path: Path) -> None:
    path = draw(tmp_path / "a.bmp", COLOUR)
    data = bytearray(path.read_bytes())
    data[28] = 2
    path.write_bytes(data)
    assert reason(path) == "not supported: BMP, unsupported BMP pixel depth (2)"
    data = bytearray(draw(tmp_path / "a.avif", COLOUR).read_bytes())
    place = data.index(b"iloc")
    data[place : place + 4] = b"free"
    (tmp_path / "a.avif").write_bytes(data)
    assert reason(tmp_path / "a.avif").startswith(
        "cannot be decoded: AVIF, damaged or of a kind not supported ("
    )


@pytest.mark.parametrize("suffix", ["avif", "heic"])
def test_a_format_is_recognised_by_a_compatible_brand(tmp_path: Path, suffix: str) -> None:
    data = bytearray(draw(tmp_path / f"a.{suffix}", COLOUR).read_bytes())
    brand = data[8:12]
    size = int.from_bytes(data[:4], "big")
    assert brand in data[16:size]
    data[8:12] = b"miaf"
    (tmp_path / "b").write_bytes(data)
    assert close(pixels_of(tmp_path / "b"), COLOUR)


def test_a_heic_is_decoded_by_one_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pillow_heif.options, "DECODE_THREADS", 4)
    formats._register_heif.cache_clear()
    assert close(pixels_of(draw(tmp_path / "a.heic", COLOUR)), COLOUR)
    assert pillow_heif.options.DECODE_THREADS == 1
