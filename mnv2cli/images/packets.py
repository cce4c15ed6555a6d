"""Read the keywords embedded in photos as they are stored: the XMP packet and IPTC Keywords.

Headers alone are read, in Python: no decoder can crash, and thousands of photos take seconds.
Sources: XMP specification part 3 (JPEG, PNG, TIFF, JPEG 2000), WebP Container Specification, ISO
23008-12 (HEIF, AVIF), ISO 18181-2 (JPEG XL), IPTC-NAA Information Interchange Model 4.2.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

from mnv2cli.images.directories import Tiff
from mnv2cli.images.heif_items import xmp_item
from mnv2cli.images.opening import open_regular
from mnv2cli.images.signatures import HEAD_BYTES, boxes, brands, is_webp, starts_with

MAX_PACKET_BYTES = 64 << 20
"""A larger packet is not read."""

_MAX_SEGMENTS = 1 << 16
_MAX_RESOURCE_BYTES = 16 << 20
_XMP_SEGMENT = b"http://ns.adobe.com/xap/1.0/\0"
_PHOTOSHOP_SEGMENT = b"Photoshop 3.0\0"
_IPTC_RESOURCE = 0x0404
_PNG_KEYWORD = b"XML:com.adobe.xmp\0"
_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_TIFF_XMP, _TIFF_IPTC = 700, 33723
_UTF_8 = b"\x1b%G"


@dataclass(frozen=True, slots=True)
class Embedded:
    """What a photo says about itself.

    Attributes:
        packet: Its XMP packet; empty without one.
        iptc: The words of its IPTC Keywords.
    """

    packet: bytes = b""
    iptc: tuple[str, ...] = ()


def embedded_packet(path: str) -> bytes:
    """Return the XMP packet embedded in a photo; empty without one, or if it cannot be read.

    It is that of a JPEG (of an extended one the main packet), PNG, WebP, TIFF, HEIC, AVIF, JPEG
    2000 or JPEG XL in a container, or of a DNG and other raw photos with the structure of a TIFF.
    """
    return embedded(path).packet


def embedded(path: str) -> Embedded:
    """Return the XMP packet and the IPTC Keywords of a photo, as :func:`embedded_packet` does.

    IPTC Keywords are read from files with the structure of a JPEG or a TIFF.
    """
    try:
        with open_regular(path) as file:
            head = file.read(HEAD_BYTES)
            for matches, read in _READERS:
                if matches(head):
                    return read(file)
    except Exception:  # a photo may be damaged in any way, or be gone
        return Embedded()
    return Embedded()


def _jpeg(file: IO[bytes]) -> Embedded:
    packet, resources = b"", bytearray()
    place = 2
    for _ in range(_MAX_SEGMENTS):
        file.seek(place)
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF or head[1] in (0xD9, 0xDA):  # the end, or pixels
            break
        if head[1] == 0xFF:  # a byte that fills up
            place += 1
            continue
        length = int.from_bytes(head[2:], "big")
        if head[1] == 0xE1 and not packet:
            data = file.read(max(length - 2, 0))
            if data.startswith(_XMP_SEGMENT):
                packet = data[len(_XMP_SEGMENT) :]
        elif head[1] == 0xED and len(resources) < _MAX_RESOURCE_BYTES:
            data = file.read(max(length - 2, 0))
            if data.startswith(_PHOTOSHOP_SEGMENT):
                resources += data[len(_PHOTOSHOP_SEGMENT) :]
        place += 2 + length
    return Embedded(packet, _iptc_keywords(_resource(bytes(resources), _IPTC_RESOURCE)))


def _png(file: IO[bytes]) -> Embedded:
    file.seek(8)
    for _ in range(_MAX_SEGMENTS):
        head = file.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            break
        length = int.from_bytes(head[:4], "big")
        if head[4:] != b"iTXt" or length > MAX_PACKET_BYTES:
            file.seek(length + 4, 1)
            continue
        data = file.read(length)
        file.seek(4, 1)
        if data.startswith(_PNG_KEYWORD):
            # after it: whether it is compressed, the method, a language and a translation
            is_compressed = data[len(_PNG_KEYWORD)] == 1
            text = data[len(_PNG_KEYWORD) + 2 :].split(b"\0", 2)[-1]
            return Embedded(_inflated(text) if is_compressed else text)
    return Embedded()


def _inflated(data: bytes) -> bytes:
    """Return what was compressed; nothing if it is more than a packet may have."""
    whole = zlib.decompressobj()
    found = whole.decompress(data, MAX_PACKET_BYTES)
    return b"" if whole.unconsumed_tail else found


def _webp(file: IO[bytes]) -> Embedded:
    file.seek(12)
    for _ in range(_MAX_SEGMENTS):
        head = file.read(8)
        if len(head) < 8:
            break
        length = int.from_bytes(head[4:], "little")
        if head[:4] == b"XMP ":
            return Embedded(file.read(length) if length <= MAX_PACKET_BYTES else b"")
        file.seek(length + length % 2, 1)
    return Embedded()


def _tiff(file: IO[bytes]) -> Embedded:
    tiff = Tiff(file)
    first = next(tiff.directories(), {})
    packet = tiff.content(first, _TIFF_XMP, MAX_PACKET_BYTES)
    return Embedded(packet, _iptc_keywords(tiff.content(first, _TIFF_IPTC, MAX_PACKET_BYTES)))


def _heif(file: IO[bytes]) -> Embedded:
    return Embedded(xmp_item(file, MAX_PACKET_BYTES))


def _boxed(file: IO[bytes]) -> Embedded:
    for number, box in enumerate(boxes(file)):
        end = box.end or file.seek(0, io.SEEK_END)
        if box.kind in (b"xml ", b"uuid") and end - box.start <= MAX_PACKET_BYTES:
            file.seek(box.start)
            data = file.read(end - box.start)
            if box.kind == b"uuid" and data.startswith(_XMP_UUID):
                return Embedded(data[len(_XMP_UUID) :])
            if box.kind == b"xml " and b"adobe:ns:meta/" in data:
                return Embedded(data)
        if number == _MAX_SEGMENTS:
            break
    return Embedded()


def _resource(data: bytes, wanted: int) -> bytes:
    """Return a resource of Photoshop; empty without it."""
    place = 0
    while data[place : place + 4] == b"8BIM" and place + 12 <= len(data):
        number = int.from_bytes(data[place + 4 : place + 6], "big")
        place += 6 + (data[place + 6] + 2) // 2 * 2  # its name
        length = int.from_bytes(data[place : place + 4], "big")
        if number == wanted:
            return data[place + 4 : place + 4 + length]
        place += 4 + (length + 1) // 2 * 2
    return b""


def _iptc_keywords(data: bytes) -> tuple[str, ...]:
    is_utf_8 = False
    found = []
    for record, number, value in _datasets(data):
        if (record, number) == (1, 90):
            is_utf_8 = value == _UTF_8
        elif (record, number) == (2, 25):
            found.append(value)
    words = (_text(value, is_utf_8=is_utf_8).strip("\0 ") for value in found)
    return tuple(filter(None, words))


def _datasets(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield the record, the number and the value of each dataset."""
    place = 0
    while data[place : place + 1] == b"\x1c" and place + 5 <= len(data):
        length = int.from_bytes(data[place + 3 : place + 5], "big")
        if length >= 1 << 15:  # the length of a length: no keyword is so long
            return
        yield data[place + 1], data[place + 2], data[place + 5 : place + 5 + length]
        place += 5 + length


def _text(value: bytes, *, is_utf_8: bool) -> str:
    """Return a text; programs that do not name the encoding write UTF-8 or Windows-1252."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("utf-8" if is_utf_8 else "cp1252", "replace")


def _is_heif(head: bytes) -> bool:
    return bool(brands(head))


_READERS: tuple[tuple[Callable[[bytes], bool], Callable[[IO[bytes]], Embedded]], ...] = (
    (starts_with(b"\xff\xd8\xff"), _jpeg),
    (starts_with(b"\x89PNG\r\n\x1a\n"), _png),
    (is_webp, _webp),
    (starts_with(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), _tiff),
    (starts_with(b"\0\0\0\x0cJXL ", b"\0\0\0\x0cjP  "), _boxed),
    (_is_heif, _heif),
)
"""What reads a file, by its first bytes."""
