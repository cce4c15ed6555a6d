"""Raw photos as cameras and phones write them, made from an image; LibRaw opens them all.

Sources: TIFF 6.0, TIFF/EP (ISO 12234-2), DNG 1.7, ITU T.81 annex H (lossless JPEG), and the tags
that the documentation of ExifTool lists for each maker.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

DATE = "2021:02:03 04:05:06"
WHITE = 4095  # what the sensors measure at most: 12 bits

TEXT, SHORT, LONG, UNDEFINED, FRACTION = 2, 3, 4, 7, 10
SIZES = {TEXT: 1, SHORT: 2, LONG: 4, UNDEFINED: 1, FRACTION: 8}

Tags = dict[int, Any]
"""A value is a text, a number (LONG), numbers (SHORT), fractions, bytes, or data or directories
whose offsets are the value."""


@dataclass(frozen=True)
class Place:
    """Data elsewhere in the file."""

    data: bytes


@dataclass(frozen=True)
class Directory:
    """A directory of tags, and the one that follows it."""

    tags: Tags
    following: Directory | None = None


@dataclass(frozen=True)
class Shot:
    """What a camera records.

    Attributes:
        photo: What the sensor sees; its sides are divisible by eight.
        previews: Embedded JPEGs; the first is the largest.
        orientation: How the camera was held, as in EXIF.
        date: When the photo was taken.
    """

    photo: Image.Image
    previews: tuple[bytes, ...] = ()
    orientation: int = 1
    date: str = DATE

    @property
    def linear(self) -> NDArray[np.uint16]:
        """The light at each place: [height, width, 3]."""
        values = np.asarray(self.photo.convert("RGB"), np.float64) / 255
        light: NDArray[np.uint16] = np.rint(values**2.2 * WHITE).astype(np.uint16)
        return np.maximum(light, 16)  # zero is a broken pixel to some cameras

    @property
    def sensor(self) -> NDArray[np.uint16]:
        """The light behind filters of red and green, and in the next row green and blue."""
        return self.filtered(0)

    def filtered(self, red: int) -> NDArray[np.uint16]:
        """Return the light behind filters whose red is in the first column of row 0 or 1."""
        light = self.linear
        rows = light[:, :, 1].copy()
        rows[red::2, ::2] = light[red::2, ::2, 0]
        rows[1 - red :: 2, 1::2] = light[1 - red :: 2, 1::2, 2]
        return rows

    def camera(self, make: str, model: str) -> Tags:
        """Return the tags about the camera."""
        exif = Directory({0x9003: self.date, 0x9004: self.date})
        return {271: make, 272: model, 274: (self.orientation,), 306: self.date, 0x8769: exif}

    def image(self, data: bytes, bits: int = 16, compression: int = 1) -> Tags:
        """Return the tags of sensor data."""
        width, height = self.photo.size
        return {
            254: 0, 256: width, 257: height, 258: (bits,), 259: (compression,), 262: (32803,),
            273: Place(data), 277: (1,), 278: height, 279: len(data),
            33421: (2, 2), 33422: b"\0\1\1\2",
        }  # fmt: skip


def jpeg(photo: Image.Image, size: tuple[int, int], orientation: int = 0) -> bytes:
    """Return a preview; an orientation of 0 is not written."""
    file, exif = io.BytesIO(), Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    photo.convert("RGB").resize(size).save(file, "JPEG", quality=90, exif=exif)
    return file.getvalue()


class _Writer:
    def __init__(self, head: bytes) -> None:
        self.out = bytearray(head)
        self.order = ">" if head.startswith(b"MM") else "<"

    def add(self, data: bytes) -> int:
        self.out += b"\0" * (-len(self.out) % 4) + data
        return len(self.out) - len(data)

    def directory(self, directory: Directory) -> int:
        size = 2 + 12 * len(directory.tags) + 4
        start = self.add(bytes(size))
        entries = {}
        # Images come last, so that a file can end in one.
        for tag, value in sorted(directory.tags.items(), key=lambda item: item[0] in (273, 330)):
            kind, data = self._value(value)
            count = len(data) // SIZES[kind]
            if len(data) > 4:
                data = struct.pack(self.order + "I", self.add(data))
            entries[tag] = struct.pack(self.order + "HHI", tag, kind, count) + data.ljust(4, b"\0")
        table = struct.pack(self.order + "H", len(entries))
        table += b"".join(entry for _, entry in sorted(entries.items()))
        following = self.directory(directory.following) if directory.following else 0
        self.out[start : start + size] = table + struct.pack(self.order + "I", following)
        return start

    def _value(self, value: Any) -> tuple[int, bytes]:
        if isinstance(value, str):
            return TEXT, value.encode() + b"\0"
        if isinstance(value, bytes):
            return UNDEFINED, value
        items = value if isinstance(value, tuple) else (value,)
        kind, order = LONG, self.order
        if isinstance(items[0], Directory):
            items = tuple(self.directory(each) for each in items)
        elif isinstance(items[0], Place):
            items = tuple(self.add(each.data) for each in items)
        elif isinstance(items[0], float):
            pairs = [number for each in items for number in (round(each * 10_000), 10_000)]
            return FRACTION, struct.pack(f"{order}{len(pairs)}i", *pairs)
        elif isinstance(value, tuple):
            kind = SHORT
        return kind, struct.pack(f"{order}{len(items)}{'H' if kind == SHORT else 'I'}", *items)


def tiff(first: Directory, head: bytes = b"II*\0\0\0\0\0") -> bytes:
    """Write a file of directories; the head begins it, up to the first directory."""
    writer = _Writer(head)
    start = writer.directory(first)
    writer.out[4:8] = struct.pack(writer.order + "I", start)
    return bytes(writer.out)


def chain(directories: list[Tags]) -> Directory | None:
    """Return directories that follow each other."""
    following = None
    for tags in reversed(directories):
        following = Directory(tags, following)
    return following


def _strip(data: bytes, compression: int = 7) -> Tags:
    """Return the tags of a preview stored like an image."""
    frame = re.search(rb"\xff[\xc0\xc2]...(....)", data, re.DOTALL)  # also of a damaged JPEG
    assert frame
    height, width = struct.unpack(">HH", frame[1])
    return {
        254: 1, 256: width, 257: height, 258: (8, 8, 8), 259: (compression,), 262: (6,),
        273: Place(data), 277: (3,), 278: height, 279: len(data),
    }  # fmt: skip


def _interchange(data: bytes) -> Tags:
    """Return the tags of a preview stored as a JPEG file."""
    return {254: 1, 259: (6,), 513: Place(data), 514: len(data)}


def _bitmap(image: Image.Image) -> Tags:
    """Return the tags of an uncompressed preview."""
    data = image.convert("RGB").tobytes()
    return {
        254: 1, 256: image.width, 257: image.height, 258: (8, 8, 8), 259: (1,), 262: (2,),
        273: Place(data), 277: (3,), 278: image.height, 279: len(data),
    }  # fmt: skip


# Its colours are those of sRGB: the matrix from XYZ of IEC 61966-2-1.
_DNG: Tags = {
    50706: b"\1\4\0\0", 50708: "Camera", 50717: (WHITE,), 50728: (1.0, 1.0, 1.0),
    50721: (3.2406, -1.5372, -0.4986, -0.9689, 1.8758, 0.0415, 0.0557, -0.2040, 1.0570),
}  # fmt: skip


def dng(shot: Shot) -> bytes:
    """Write a DNG of a camera: a preview comes first."""
    return _dng(shot, shot.image(_little(shot)))


def phone_dng(shot: Shot) -> bytes:
    """Write a DNG of a phone: the sensor data comes first."""
    tags = shot.camera("Google", "Pixel 3") | shot.image(_little(shot)) | _DNG
    return tiff(Directory(tags, chain([_strip(each) for each in shot.previews])))


def linear_dng(shot: Shot) -> bytes:
    """Write a DNG of pixels that a program has demosaiced."""
    image = shot.image(shot.linear.astype("<u2").tobytes())
    image |= {258: (16, 16, 16), 262: (34892,), 277: (3,)}
    return _dng(shot, {tag: value for tag, value in image.items() if tag < 33421})


def bitmap_dng(shot: Shot) -> bytes:
    """Write a DNG whose preview is a bitmap of half the size."""
    width, height = shot.photo.size
    small = _bitmap(shot.photo.resize((width // 2, height // 2)))
    sub = Directory(shot.image(_little(shot)))
    return tiff(Directory(shot.camera("Leica", "M8") | _DNG | small | {330: sub}))


def _dng(shot: Shot, image: Tags) -> bytes:
    first = _strip(shot.previews[0]) if shot.previews else _bitmap(shot.photo.resize((8, 8)))
    subs = Directory(image), *(Directory(_strip(each)) for each in shot.previews[1:])
    return tiff(Directory(shot.camera("Leica", "M8") | _DNG | first | {330: subs}))


def nef(shot: Shot) -> bytes:
    """Write a Nikon NEF: a small bitmap comes first."""
    subs = [Directory(_interchange(each)) for each in shot.previews]
    subs.append(Directory(shot.image(shot.sensor.astype(">u2").tobytes())))
    first = shot.camera("NIKON CORPORATION", "NIKON D3") | _bitmap(shot.photo.resize((8, 8)))
    return tiff(Directory(first | {330: tuple(subs)}), b"MM\0*\0\0\0\0")


def cr2(shot: Shot) -> bytes:
    """Write a Canon CR2: sensor data as a lossless JPEG in the last directory."""
    previews = [_strip(each, 6) for each in shot.previews[:1]]
    previews += [_interchange(each) for each in shot.previews[1:]]
    raw = shot.image(lossless_jpeg(shot.sensor), 12, 6)
    kept = {tag: raw[tag] for tag in (259, 273, 279)} | {50752: (0, 0, shot.photo.width)}
    first, *others = [*(previews or [{}]), kept]
    whole = Directory(shot.camera("Canon", "Canon EOS 40D") | first, chain(others))
    return tiff(whole, b"II*\0\0\0\0\0CR\2\0\0\0\0\0")


def arw(shot: Shot) -> bytes:
    """Write a Sony ARW, uncompressed."""
    tags = shot.camera("SONY", "ILCE-7M2") | {330: Directory(shot.image(_little(shot)))}
    previews = [_interchange(each) for each in shot.previews]
    return tiff(Directory(tags | (previews or [{}])[0], chain(previews[1:])))


def pef(shot: Shot) -> bytes:
    """Write a Pentax PEF: the sensor data comes first."""
    image = shot.image(shot.sensor.astype(">u2").tobytes())
    previews = chain([_interchange(each) for each in shot.previews])
    tags = shot.camera("PENTAX", "PENTAX K-5") | image
    return tiff(Directory(tags, previews), b"MM\0*\0\0\0\0")


def orf(shot: Shot) -> bytes:
    """Write an Olympus ORF: 12 bits in 32-bit words."""
    words = np.frombuffer(_packed(shot), ">u4").astype("<u4").tobytes()
    tags = shot.camera("OLYMPUS CORPORATION", "E-M5") | shot.image(words, 12)
    previews = chain([_interchange(each) for each in shot.previews])
    return tiff(Directory(tags, previews), b"IIRO\0\0\0\0")


def rw2(shot: Shot) -> bytes:
    """Write a Panasonic raw photo, whose tags have numbers that no other maker uses."""
    width, height = shot.photo.size
    data = (shot.filtered(1) << 4).astype("<u2").tobytes()
    tags = shot.camera("Panasonic", "DMC-LX2") | {
        1: b"0300", 2: (width,), 3: (height,), 4: (0,), 5: (0,), 6: (height,), 7: (width,),
        273: Place(data), 279: len(data),
    }  # fmt: skip
    if shot.previews:
        tags[46] = shot.previews[0]
    return tiff(Directory(tags), b"IIU\0\0\0\0\0")


def srw(shot: Shot) -> bytes:
    """Write a Samsung SRW: 12 bits, packed."""
    tags = shot.camera("SAMSUNG", "NX10") | {330: Directory(shot.image(_packed(shot), 12))}
    previews = [_interchange(each) for each in shot.previews]
    return tiff(Directory(tags | (previews or [{}])[0], chain(previews[1:])))


def raf(shot: Shot) -> bytes:
    """Write a Fujifilm RAF, whose EXIF is in its preview."""
    width, height = shot.photo.size
    exif = Image.Exif()
    exif.update({271: "FUJIFILM", 272: "FinePix X100", 274: shot.orientation})
    exif.get_ifd(0x8769)[0x9003] = shot.date
    photo = shot.previews[0] if shot.previews else jpeg(shot.photo, (8, 8))
    part = exif.tobytes()  # comes first in the preview, without JFIF
    preview = photo[:2] + struct.pack(">BBH", 255, 0xE1, len(part) + 2) + part + photo[2:]
    data = shot.sensor.astype(">u2").tobytes()
    sizes = struct.pack(">I4H4H", 2, 0x100, 4, height, width, 0x121, 4, height, width)
    places, place = [], 160
    for part in (preview, sizes, data):
        places += [place, len(part)]
        place += len(part)
    head = b"FUJIFILMCCD-RAW 0201FF129502FinePix X100".ljust(60, b"\0") + b"0100" + bytes(20)
    head += struct.pack(">6I", *places)
    return head.ljust(160, b"\0") + preview + sizes + data


def _little(shot: Shot) -> bytes:
    return shot.sensor.astype("<u2").tobytes()


def _packed(shot: Shot) -> bytes:
    """Return the sensor data as 12 bits each, most significant first."""
    high, low = shot.sensor[:, ::2], shot.sensor[:, 1::2]
    three = np.stack([high >> 4, (high & 15) << 4 | low >> 8, low & 255], -1)
    return three.astype(np.uint8).tobytes()


def lossless_jpeg(rows: NDArray[np.uint16]) -> bytes:
    """Encode sensor data of 12 bits as two components, the even and the odd columns."""
    height, width = rows.shape
    values = rows.astype(np.int64).reshape(height, width // 2, 2)
    before = np.empty_like(values)
    before[:, 1:] = values[:, :-1]
    before[1:, 0], before[0, 0] = values[:-1, 0], 1 << 11
    difference = (values - before).ravel()
    length = np.where(difference == 0, 0, np.frexp(np.abs(difference))[1])
    extra = np.where(difference < 0, difference + (1 << length) - 1, difference)
    bits = "".join(
        f"{size:05b}" + (f"{value:0{size}b}" if size else "")
        for size, value in zip(length.tolist(), extra.tolist(), strict=True)
    )  # the code of each length is its number in 5 bits
    bits += "1" * (-len(bits) % 8)
    coded = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    table = bytes([0, 0, 0, 0, 0, 17, *[0] * 11, *range(17)])
    frame = struct.pack(">BHHB", 12, height, width // 2, 2) + bytes([1, 17, 0, 2, 17, 0])
    scan = bytes([2, 1, 0, 2, 0, 1, 0, 0])
    parts = ((0xC4, table), (0xC3, frame), (0xDA, scan))
    heads = (struct.pack(">BBH", 255, mark, len(part) + 2) + part for mark, part in parts)
    return b"\xff\xd8" + b"".join(heads) + coded + b"\xff\xd9"


CAMERAS: dict[str, Callable[[Shot], bytes]] = {
    "DNG": dng, "DNG of a phone": phone_dng, "linear DNG": linear_dng, "NEF": nef, "CR2": cr2,
    "ARW": arw, "PEF": pef, "ORF": orf, "RW2": rw2, "SRW": srw, "RAF": raf,
}  # fmt: skip
