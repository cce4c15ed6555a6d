"""Small photos of all formats and with all kinds of metadata."""

from __future__ import annotations

import hashlib
import io
import struct
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

from tests.images import camera_raws
from tests.images.camera_raws import Directory, Place, Shot, tiff

Maker = Callable[[str], bytes]
"""Makes a photo, given the path of ExifTool."""

PACKET = (
    "<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?>\n"
    "<x:xmpmeta xmlns:x='adobe:ns:meta/'>"
    "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\n{}\n"
    "</rdf:RDF></x:xmpmeta>\n" + " " * 200 + "<?xpacket end='w'?>"
)
FOREIGN = PACKET.format(
    "<rdf:Description rdf:about='' xmlns:a='http://a.example/1/' a:Odd='&#x41;&apos;\"'>\n"
    "  <!-- kept --><a:Empty><rdf:Seq/></a:Empty>\t<a:Text xml:lang='de'>Z\u00fcrich</a:Text>\n"
    "  <dc:subject xmlns:dc='http://purl.org/dc/elements/1.1/'><rdf:Bag><rdf:li>holiday</rdf:li>"
    "</rdf:Bag></dc:subject>\n</rdf:Description>"
)
DEPTH = (
    "<rdf:Description rdf:about='' xmlns:GDepth='http://ns.google.com/photos/1.0/depthmap/' "
    "GDepth:Data='{}'/>"
)
MAIN = (
    "<rdf:Description rdf:about='' xmlns:xmpNote='http://ns.adobe.com/xmp/note/' "
    "xmpNote:HasExtendedXMP='{}'>{}</rdf:Description>"
)
HEADER = b"http://ns.adobe.com/xap/1.0/\0"
EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"


def segment(content: bytes, marker: bytes = b"\xff\xe1") -> bytes:
    """Return a segment of a JPEG."""
    return marker + struct.pack(">H", len(content) + 2) + content


def extended(jpeg: bytes, filler: str = "") -> tuple[bytes, bytes]:
    """Return a JPEG with a packet that continues, and its further segments."""
    more = PACKET.format(DEPTH.format("QUJD" * 40_000)).partition("\n")[2].encode()
    name = hashlib.md5(more).hexdigest().upper()
    main = PACKET.format(MAIN.format(name, filler))
    segments = b"".join(
        segment(EXTENSION + name.encode() + struct.pack(">II", len(more), place) + part)
        for place in range(0, len(more), 65_000)
        for part in [more[place : place + 65_000]]
    )
    return jpeg[:2] + segment(HEADER + main.encode()) + segments + jpeg[2:], segments


def picture(seed: int = 0) -> Image.Image:
    """Return coloured squares, 64 x 48."""
    squares = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(np.kron(squares, np.ones((8, 8, 1), np.uint8)))


def saved(format: str, image: Image.Image | None = None, **options: Any) -> bytes:
    """Return a photo as Pillow writes it."""
    file = io.BytesIO()
    (image or picture()).save(file, format, **options)
    return file.getvalue()


@cache
def profile() -> bytes:
    """Return an ICC profile."""
    srgb: bytes = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return srgb


@cache
def exif() -> bytes:
    """Return EXIF with a place, a comment and a maker's note that nobody knows."""
    tags = Image.Exif()
    tags[0x010F], tags[0x0110], tags[0x0112] = "Maker", "Model", 6
    details = tags.get_ifd(0x8769)
    details[0x9003], details[0x927C] = "2024:05:06 07:08:09", b"Maker\0\1\2" + bytes(range(256))
    details[0x9286] = b"ASCII\0\0\0a comment"
    tags.get_ifd(0x8825).update({1: "N", 2: (47.0, 22.0, 30.0)})
    data: bytes = tags.tobytes()
    return data


def canon() -> bytes:
    """Return EXIF with a Canon's note, whose offsets count from the start of EXIF."""
    texts = {6: b"IMG:EOS 40D JPEG\0", 7: b"Firmware 1.1.1\0", 9: b"the name of an owner\0"}

    def note(place: int) -> bytes:
        table, values = struct.pack("<H", len(texts)), b""
        end = place + 2 + 12 * len(texts) + 4
        for tag, text in texts.items():
            table += struct.pack("<HHII", tag, 2, len(text), end + len(values))
            values += text
        return table + bytes(4) + values

    mark = b"\xaa" * len(note(0))
    tags = {271: "Canon", 272: "Canon EOS 40D", 0x8769: Directory({0x927C: mark})}
    data = tiff(Directory(tags))
    return b"Exif\0\0" + data.replace(mark, note(data.index(mark)))


def written(base: Callable[[], bytes], *arguments: str, suffix: str = ".jpg") -> Maker:
    """Return what lets ExifTool add metadata."""

    def make(exiftool: str) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, f"photo{suffix}")
            path.write_bytes(base())
            small = saved("JPEG", picture(5).resize((16, 12)))
            Path(folder, "small").write_bytes(small)
            Path(folder, "packet").write_bytes(FOREIGN.encode())
            Path(folder, "profile").write_bytes(profile())
            command = [exiftool, "-config", "", "-q", "-q", "-overwrite_original"]
            subprocess.run([*command, *arguments, path.name], cwd=folder, check=True)
            return path.read_bytes()

    return make


def of(format: str, image: Image.Image | None = None, **options: Any) -> Maker:
    """Return what makes a photo by Pillow."""
    return lambda _: saved(format, image, **options)


def _heic(*, thumbnail: int = 0, count: int = 1, mode: str = "RGB", **options: Any) -> bytes:
    import pillow_heif

    file = pillow_heif.HeifFile()
    for number in range(count):
        file.add_from_pillow(picture(number).convert(mode))
        file[number].info.update(options)
    if thumbnail:
        file[0].info["thumbnails"] = [thumbnail]
    target = io.BytesIO()
    file.save(target, format="HEIF")
    return target.getvalue()


def _avif(**options: Any) -> bytes:
    return saved("AVIF", speed=10, **options)


def _tiles(head: bytes) -> bytes:
    """Return a TIFF of 12 tiles."""
    pixels = np.asarray(picture())
    tiles = [
        Place(pixels[y : y + 16, x : x + 16].tobytes())
        for y in range(0, 48, 16)
        for x in range(0, 64, 16)
    ]
    tags = {
        256: 64, 257: 48, 258: (8, 8, 8), 259: (1,), 262: (2,), 277: (3,), 322: 16, 323: 16,
        324: tuple(tiles), 325: (768,) * 12,
    }  # fmt: skip
    return tiff(Directory(tags), head)


def _pages(**options: Any) -> bytes:
    return saved("TIFF", save_all=True, append_images=[picture(1), picture(2)], **options)


def _mpo(**options: Any) -> bytes:
    return saved("MPO", save_all=True, append_images=[picture(1), picture(2)], **options)


def _dng(write: Callable[[Shot], bytes]) -> bytes:
    previews = camera_raws.jpeg(picture(), (64, 48)), camera_raws.jpeg(picture(), (16, 12))
    version, number = 50706, 4
    undefined, byte = (struct.pack("<HHI", version, kind, number) for kind in (7, 1))
    return write(Shot(picture(), previews, 6)).replace(undefined, byte)


def _png_texts() -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_text("Title", "a title")
    info.add_itxt("Beschreibung", "Zürich", zip=True)
    return info


def _motion() -> bytes:
    """Return a JPEG with a film after its end, as Google's and Samsung's phones make them."""
    film = struct.pack(">I", 24) + b"ftypisom\0\0\2\0isomiso2" + struct.pack(">I", 2000) + b"mdat"
    packet = PACKET.format(
        "<rdf:Description xmlns:GCamera='http://ns.google.com/photos/1.0/camera/' rdf:about='' "
        "GCamera:MicroVideo='1' GCamera:MicroVideoOffset='2024'/>"
    )
    jpeg = saved("JPEG", exif=exif())
    place = 2 + 2 + struct.unpack(">H", jpeg[4:6])[0]
    xmp = segment(HEADER + packet.encode())
    return jpeg[:place] + xmp + jpeg[place:] + film + bytes(range(248)) * 8 + bytes(8)


def _jxl(_: str) -> bytes:
    import imagecodecs

    data: bytes = imagecodecs.jpegxl_encode(np.asarray(picture()), usecontainer=True)
    return data


_ALL = (
    "-EXIF:Artist=somebody", "-IPTC:Keywords=holiday", "-IPTC:City=Rome", "-IPTCDigest=new",
    "-CodedCharacterSet=UTF8", "-ICC_Profile<=profile", "-XMP<=packet",
)  # fmt: skip
_RGBA = picture().convert("RGB")
_RGBA.putalpha(picture(3).convert("L"))
_GREY16 = Image.fromarray(np.asarray(picture().convert("L")).astype(np.uint16) * 257)
_jpeg = partial(saved, "JPEG")

PHOTOS: dict[str, Maker] = {
    "plain.jpg": of("JPEG"),
    "grey.jpg": of("JPEG", picture().convert("L")),
    "cmyk.jpg": of("JPEG", picture().convert("CMYK")),
    "progressive.jpg": of("JPEG", progressive=True, optimize=True),
    "restart.jpg": of("JPEG", restart_marker_rows=1, subsampling=0),
    "comment.jpg": of("JPEG", comment=b"a comment"),
    "icc.jpg": of("JPEG", icc_profile=profile()),
    "long_icc.jpg": of("JPEG", icc_profile=profile() + bytes(150_000)),
    "exif.jpg": of("JPEG", exif=exif()),
    "makernote.jpg": of("JPEG", exif=canon()),
    "thumbnail.jpg": written(partial(_jpeg, exif=canon()), "-ThumbnailImage<=small"),
    "no_jfif.jpg": written(_jpeg, "-JFIF:all=", "-EXIF:Artist=somebody"),
    "xmp.jpg": written(_jpeg, "-XMP-dc:Subject=holiday", "-XMP:Rating=4", "-XMP:Title=a title"),
    "foreign.jpg": written(_jpeg, "-XMP<=packet"),
    "iptc.jpg": written(_jpeg, "-IPTC:Keywords=holiday", "-IPTC:Keywords=Z\u00fcrich"),
    "iptc_utf8.jpg": written(
        _jpeg, "-IPTC:Keywords=猫", "-CodedCharacterSet=UTF8", "-IPTCDigest=new"
    ),
    "iptc_no_keywords.jpg": written(_jpeg, "-IPTC:City=Rome", "-IPTCDigest=new"),
    "iptc_wrong_digest.jpg": written(_jpeg, "-IPTC:City=Rome", f"-IPTCDigest={'1' * 32}"),
    "photoshop.jpg": written(
        _jpeg, "-Photoshop:XResolution=72", "-Photoshop:CopyrightFlag=1", "-IPTC:City=Rome"
    ),
    "all.jpg": written(partial(_jpeg, exif=canon()), "-ThumbnailImage<=small", *_ALL),
    "mpf.jpg": lambda _: _mpo(),
    "mpf_all.jpg": written(partial(_mpo, exif=exif()), *_ALL),
    "motion.jpg": lambda _: _motion(),
    "trailer.jpg": lambda _: _jpeg() + b"something unknown" * 10,
    "extended.jpg": lambda _: extended(_jpeg())[0],
    "extended_iptc.jpg": lambda tool: extended(
        written(partial(_jpeg, exif=canon()), *_ALL[:5])(tool)
    )[0],
    "extended_mpf.jpg": lambda _: extended(_mpo(exif=exif()))[0],
    "plain.png": of("PNG"),
    "alpha.png": of("PNG", _RGBA),
    "palette.png": of("PNG", picture().quantize(16), transparency=3),
    "grey16.png": of("PNG", _GREY16),
    "bits.png": of("PNG", picture().convert("1")),
    "texts.png": of("PNG", pnginfo=_png_texts(), dpi=(300, 300)),
    "icc_exif.png": of("PNG", icc_profile=profile(), exif=exif()),
    "animated.png": of("PNG", save_all=True, append_images=[picture(1)], default_image=True),
    "foreign.png": written(partial(saved, "PNG"), "-XMP<=packet", suffix=".png"),
    "all.png": written(partial(saved, "PNG", exif=canon()), *_ALL, suffix=".png"),
    "plain.webp": of("WEBP"),
    "lossless.webp": of("WEBP", lossless=True),
    "alpha.webp": of("WEBP", _RGBA),
    "icc_exif.webp": of("WEBP", icc_profile=profile(), exif=exif()),
    "animated.webp": of("WEBP", save_all=True, append_images=[picture(1), picture(2)]),
    "foreign.webp": written(partial(saved, "WEBP"), "-XMP<=packet", suffix=".webp"),
    "plain.tif": of("TIFF"),
    "strips.tif": of("TIFF", compression="tiff_lzw", tiffinfo={278: 8}),
    "deflate.tif": of("TIFF", compression="tiff_deflate", tiffinfo={317: 2}),
    "jpeg.tif": of("TIFF", compression="jpeg"),
    "fax.tif": of("TIFF", picture().convert("1"), compression="group4"),
    "cmyk.tif": of("TIFF", picture().convert("CMYK")),
    "grey16.tif": of("TIFF", _GREY16),
    "float.tif": of("TIFF", picture().convert("F")),
    "alpha.tif": of("TIFF", _RGBA),
    "tiles.tif": lambda _: _tiles(b"II*\0\0\0\0\0"),
    "tiles_big_endian.tif": lambda _: _tiles(b"MM\0*\0\0\0\0"),
    "pages.tif": lambda _: _pages(),
    "pages_all.tif": written(partial(_pages, compression="tiff_lzw"), *_ALL, suffix=".tif"),
    "all.tif": written(partial(saved, "TIFF"), *_ALL, suffix=".tif"),
    "plain.heic": lambda _: _heic(),
    "all.heic": lambda _: _heic(exif=exif(), icc_profile=profile(), xmp=FOREIGN.encode()),
    "thumbnail.heic": lambda _: _heic(thumbnail=32, exif=exif()),
    "two.heic": lambda _: _heic(count=2),
    "alpha.heic": lambda _: _heic(mode="RGBA"),
    "plain.avif": lambda _: _avif(),
    "all.avif": lambda _: _avif(exif=exif(), icc_profile=profile(), xmp=FOREIGN.encode()),
    "alpha.avif": lambda _: saved("AVIF", _RGBA, speed=10),
    "camera.dng": lambda _: _dng(camera_raws.dng),
    "phone.dng": lambda _: _dng(camera_raws.phone_dng),
    "linear.dng": lambda _: _dng(camera_raws.linear_dng),
    "bitmap.dng": lambda _: _dng(camera_raws.bitmap_dng),
    "all.dng": written(partial(_dng, camera_raws.dng), *_ALL, suffix=".dng"),
    "plain.jp2": of("JPEG2000"),
    "plain.jxl": _jxl,
}  # fmt: skip
"""The photos by their names."""
