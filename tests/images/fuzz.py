"""Images of every supported kind, and ways to damage them."""

from __future__ import annotations

import io
import random
import struct
import zlib
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image, ImageCms

from tests.images.camera_raws import CAMERAS, Shot, bitmap_dng, jpeg
from tests.images.decoders.photoshop import psd, resource
from tests.images.icc import cmyk_profile, grey_profile, lab_of, matrix_profile
from tests.images.raws import MAKE, SENSOR, THUMBNAIL, tiff

try:
    from imagecodecs import jpeg2k_encode, jpegxl_encode
except ImportError:  # optional
    jpegxl_encode = None

EXTREMES = (
    0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 900, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000,
    0xFFFFFFFF,
)  # fmt: skip


def bases() -> dict[str, bytes]:
    """Return small images of many kinds; the first word of a kind is its format."""
    pillow_heif.register_heif_opener()
    pixels = np.random.default_rng(0).integers(0, 256, (20, 28, 3), np.uint8)
    pixels[5:15] = (200, 100, 50)
    rgb = Image.fromarray(pixels)
    grey, palette = rgb.convert("L"), rgb.convert("P")
    alpha = rgb.convert("RGBA")
    alpha.putalpha(grey)
    deep = Image.fromarray(pixels[:, :, 0].astype(np.uint16) * 257)
    large = rgb.resize((70, 50))
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "maker"
    exif.get_ifd(0x8769)[0x9003] = "2020:02:03 04:05:06"
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    lab = ImageCms.applyTransform(rgb, to_lab)
    assert lab is not None
    more = {"save_all": True, "append_images": [rgb.rotate(180)]}
    kinds: dict[str, tuple[Image.Image, str, dict[str, Any]]] = {
        "jpeg": (rgb, "JPEG", {}),
        "jpeg progressive": (large, "JPEG", {"progressive": True}),
        "jpeg cmyk": (rgb.convert("CMYK"), "JPEG", {}),
        "jpeg exif": (rgb, "JPEG", {"exif": exif, "icc_profile": bytes(200)}),
        "jpeg profile": (rgb, "JPEG", {"icc_profile": matrix_profile()}),
        "jpeg cmyk profile": (rgb.convert("CMYK"), "JPEG", {"icc_profile": cmyk_profile(_inks, 3)}),
        "jpeg grey": (grey, "JPEG", {"restart_marker_blocks": 2}),
        "jpeg 4:4:4": (large, "JPEG", {"subsampling": 0, "optimize": True}),
        "jpeg multi-picture": (rgb, "MPO", more),
        "png": (rgb, "PNG", {"exif": exif}),
        "png palette": (palette, "PNG", {"transparency": 3}),
        "png 16 bit": (deep, "PNG", {}),
        "png alpha": (alpha, "PNG", {}),
        "png 1 bit": (rgb.convert("1"), "PNG", {}),
        "png animated": (rgb, "PNG", more),
        "gif": (palette, "GIF", {}),
        "gif interlaced": (palette, "GIF", {"interlace": 1, "transparency": 4}),
        "gif animated": (palette, "GIF", more),
        "bmp": (rgb, "BMP", {}),
        "bmp palette": (palette, "BMP", {}),
        "bmp alpha": (alpha, "BMP", {}),
        "dib": (rgb, "DIB", {}),
        "tiff": (rgb, "TIFF", {"exif": exif}),
        "tiff lzw": (rgb, "TIFF", {"compression": "tiff_lzw"}),
        "tiff deflate": (rgb, "TIFF", {"compression": "tiff_deflate"}),
        "tiff packbits": (palette, "TIFF", {"compression": "packbits"}),
        "tiff jpeg": (rgb, "TIFF", {"compression": "jpeg"}),
        "tiff fax": (rgb.convert("1"), "TIFF", {"compression": "group4"}),
        "tiff 16 bit": (deep, "TIFF", {}),
        "tiff profile": (grey, "TIFF", {"icc_profile": grey_profile(1.0)}),
        "tiff float": (grey.convert("F"), "TIFF", {"compression": "tiff_lzw"}),
        "tiff lab": (lab, "TIFF", {}),
        "tiff big": (rgb, "TIFF", {"big_tiff": True}),
        "tiff pages": (rgb, "TIFF", more),
        "webp": (rgb, "WEBP", {"exif": exif}),
        "webp lossless": (alpha, "WEBP", {"lossless": True}),
        "webp animated": (rgb, "WEBP", more),
        "avif": (rgb, "AVIF", {"exif": exif}),
        "avif alpha": (alpha, "AVIF", {}),
        "avif animated": (rgb, "AVIF", more),
        "heic": (large, "HEIF", {"exif": exif}),
        "heic alpha": (alpha.resize((70, 50)), "HEIF", {}),
        "heic pages": (large, "HEIF", {"save_all": True, "append_images": [large.rotate(90)]}),
    }
    found = {name: _saved(*kind) for name, kind in (kinds | _later_kinds(rgb)).items()}
    found["png interlaced"] = _interlaced_png()
    plain = found["png"]
    found["png code points"] = plain[:33] + _chunk(b"cICP", bytes((9, 16, 0, 1))) + plain[33:]
    found["tiff tiled"] = _tiled_tiff(pixels)
    found["bmp run-length"] = _run_length_bmp()
    sensor = rgb.resize((64, 48))
    shot = Shot(sensor, (jpeg(sensor, (48, 36), 6), jpeg(sensor, (16, 12))), 6)
    for name, camera in {**CAMERAS, "bitmap DNG": bitmap_dng}.items():
        found[f"raw {name}"] = camera(shot)
    for name in ("CR2", "linear DNG", "ORF", "RW2"):  # by their sensor data
        found[f"raw {name} alone"] = CAMERAS[name](Shot(sensor))
    found["psd"] = psd(rgb, is_packed=True, resources=resource(1058, exif.tobytes()))
    found["psd alpha 16 bit"] = psd(alpha, depth=16, layers=-2)
    found["psd cmyk"] = psd(rgb.convert("CMYK"), version=2, is_packed=True)
    found["psd palette"] = psd(palette)
    found["pnm 12 bit"] = b"P6 28 20 4095\n" + (pixels.astype(">u2") * 16).tobytes()
    found["pnm text"] = b"P3\n# text\n28 20\n99\n" + b" ".join(
        b"%d" % (v % 99) for v in range(1680)
    )
    if jpegxl_encode:
        found["jxl"] = jpegxl_encode(pixels, level=80)
        found["jxl lossless"] = jpegxl_encode(np.asarray(alpha), lossless=True)
        found["jxl animated"] = jpegxl_encode(np.stack([pixels, pixels[::-1]]), lossless=True)
        found["jpeg2000 16 bit"] = jpeg2k_encode(pixels.astype(np.uint16) * 257, level=0)
    found["tiff raw photo"] = tiff(THUMBNAIL | {MAKE: "NIKON CORPORATION"}, SENSOR)
    return found


def _inks(cmyk: np.ndarray) -> np.ndarray:
    return lab_of(np.clip((1 - cmyk[:, :3]) * (1 - cmyk[:, 3:]), 0, 1))


def _later_kinds(rgb: Image.Image) -> dict[str, tuple[Image.Image, str, dict[str, Any]]]:
    """Return images of the formats that are rarer."""
    grey, palette = rgb.convert("L"), rgb.convert("P")
    alpha = rgb.convert("RGBA")
    alpha.putalpha(grey)
    codestream = {"no_jp2": True}
    return {
        "jpeg2000": (rgb, "JPEG2000", {}),
        "jpeg2000 lossless": (alpha, "JPEG2000", {"irreversible": False}),
        "jpeg2000 tiled": (rgb.resize((90, 70)), "JPEG2000", codestream | {"tile_size": (32, 32)}),
        "jpeg2000 grey": (grey, "JPEG2000", codestream | {"quality_layers": [20, 5]}),
        "pnm": (rgb, "PPM", {}),
        "pnm 1 bit": (rgb.convert("1"), "PPM", {}),
        "pnm float": (grey.convert("F"), "PPM", {}),
        "sgi": (rgb, "SGI", {"bpc": 2}),
        "sgi grey": (grey, "SGI", {}),
        "qoi": (rgb, "QOI", {}),
        "qoi alpha": (alpha, "QOI", {}),
        "pcx": (rgb, "PCX", {}),
        "pcx palette": (palette, "PCX", {}),
        "dds": (rgb, "DDS", {}),
        "dds compressed": (alpha, "DDS", {"pixel_format": "DXT5"}),
        "ico": (alpha.resize((32, 32)), "ICO", {"sizes": [(32, 32), (16, 16)]}),
        "ico bitmap": (rgb.resize((16, 16)), "ICO", {"sizes": [(16, 16)], "bitmap_format": "bmp"}),
        "tga": (alpha, "TGA", {"compression": "tga_rle"}),
        "tga palette": (palette, "TGA", {}),
        "tga grey": (grey, "TGA", {}),
    }


def _saved(image: Image.Image, format: str, options: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    if "append_images" in options:  # Pillow changes the images that it saves
        options = options | {"append_images": [i.copy() for i in options["append_images"]]}
    image.copy().save(file, format, **options)
    return file.getvalue()


def _interlaced_png() -> bytes:
    """Draw grey 8 x 8 in Adam7's seven passes (PNG specification, 8.2)."""
    passes = [(1, 1), (1, 1), (2, 1), (2, 2), (4, 2), (4, 4), (8, 4)]  # width, height
    rows = b"".join(b"\0" + bytes(range(w)) for w, h in passes for _ in range(h))
    header = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 1)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _tiled_tiff(pixels: np.ndarray) -> bytes:
    """Draw 32 x 16 in two tiles of 16 x 16 (TIFF 6.0, section 15)."""
    tile = np.resize(pixels, (16, 16, 3)).tobytes()
    tags = [
        (256, 3, 1, 32), (257, 3, 1, 16), (258, 3, 3, 0), (259, 3, 1, 1), (262, 3, 1, 2),
        (277, 3, 1, 3), (322, 3, 1, 16), (323, 3, 1, 16), (324, 4, 2, 0), (325, 4, 2, 0),
    ]  # fmt: skip
    after = 8 + 2 + 12 * len(tags) + 4
    places = {258: after, 324: after + 6, 325: after + 14}
    data = after + 22
    parts = [b"II*\0", struct.pack("<IH", 8, len(tags))]
    for tag, kind, count, value in tags:
        parts.append(struct.pack("<HHII", tag, kind, count, places.get(tag, value)))
    parts.append(struct.pack("<I3H4I", 0, 8, 8, 8, data, data + len(tile), len(tile), len(tile)))
    return b"".join([*parts, tile, tile])


def _run_length_bmp() -> bytes:
    """Draw 16 x 8 in BI_RLE8."""
    colours = bytes(range(256)) * 4
    rows = b"\x10\x05\0\0" * 7 + b"\0\x04\1\2\3\4\x0c\x07\0\1"
    start = 14 + 40 + len(colours)
    return (
        struct.pack("<2sIHHI", b"BM", start + len(rows), 0, 0, start)
        + struct.pack("<IiiHHIIiiII", 40, 16, 8, 1, 8, 1, len(rows), 0, 0, 256, 0)
        + colours
        + rows
    )


class Mutator:
    """Damage images reproducibly: the same number gives the same damage."""

    def __init__(self, images: dict[str, bytes]) -> None:
        self._images = images
        self._names = sorted(images)
        self._ways = (self._flip, self._extreme, self._extreme, self._cut, self._repeat,
                      self._remove, self._splice)  # fmt: skip

    def make(self, number: int) -> tuple[str, bytes]:
        """Return the name of the image and its damaged content."""
        rng = random.Random(number)
        name = self._names[number % len(self._names)]  # all kinds alike
        data = bytearray(self._images[name])
        for _ in range(rng.choice((1, 1, 2, 3, 6))):
            if data:
                rng.choice(self._ways)(rng, data, name)
        if data.startswith(b"\x89PNG") and rng.random() < 0.8:
            data = _with_valid_checksums(data)
        return name, bytes(data)

    def _place(self, rng: random.Random, data: bytearray) -> int:
        """Return a position, more often in the header than elsewhere."""
        return rng.randrange(min(len(data), rng.choice((40, 120, 400, len(data), len(data)))))

    def _flip(self, rng: random.Random, data: bytearray, name: str) -> None:
        for _ in range(rng.choice((1, 2, 8, 30))):
            data[self._place(rng, data)] ^= rng.choice((1 << rng.randrange(8), rng.randrange(256)))

    def _extreme(self, rng: random.Random, data: bytearray, name: str) -> None:
        place, size = self._place(rng, data), rng.choice((1, 2, 2, 4, 4))
        value = rng.choice(EXTREMES) & (256**size - 1)
        data[place : place + size] = value.to_bytes(size, rng.choice(("little", "big")))

    def _cut(self, rng: random.Random, data: bytearray, name: str) -> None:
        del data[self._place(rng, data) :]

    def _repeat(self, rng: random.Random, data: bytearray, name: str) -> None:
        start = self._place(rng, data)
        end = start + rng.choice((1, 4, 16, 100, 1000))
        data[end:end] = data[start:end] * rng.choice((1, 1, 2, 50))

    def _remove(self, rng: random.Random, data: bytearray, name: str) -> None:
        start = self._place(rng, data)
        del data[start : start + rng.choice((1, 2, 4, 16, 100))]

    def _splice(self, rng: random.Random, data: bytearray, name: str) -> None:
        format = name.split(maxsplit=1)[0]
        same = [other for other in self._names if other.split()[0] == format]
        other = self._images[rng.choice(same if rng.random() < 0.6 else self._names)]
        start = self._place(rng, data)
        data[start:] = other[start if rng.random() < 0.5 else rng.randrange(len(other)) :]


def _with_valid_checksums(data: bytearray) -> bytearray:
    """Correct the checksums of a PNG, or decoders would stop at them."""
    place = 8
    while place + 12 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        end = place + 8 + length
        if end + 4 > len(data):
            break
        data[end : end + 4] = zlib.crc32(data[place + 4 : end]).to_bytes(4, "big")
        place = end + 4
    return data
