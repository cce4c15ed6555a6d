"""Signatures of the supported formats, and the length that a file states."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import IO, NamedTuple

HEAD_BYTES = 512
"""Bytes from the beginning of a file that are enough to identify its format."""


_MAX_SEGMENTS = 1000  # of a JPEG
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def starts_with(*signatures: bytes) -> Callable[[bytes], bool]:
    """Return a test for first bytes that start with one of the signatures."""
    return lambda head: head.startswith(signatures)


def is_bmp(head: bytes) -> bool:
    """Check for a BMP; its two letters alone may also begin a text."""
    return head.startswith(b"BM") and head[15:18] == b"\0\0\0"


def is_dib(head: bytes) -> bool:
    """Check for a DIB, a BMP without the file header, by a possible information header."""
    size, wide = int.from_bytes(head[:4], "little"), 4
    if size == 12:
        wide = 2
    elif size not in (40, 52, 56, 64, 108, 124):
        return False
    place = 4 + 2 * wide
    planes, bits = (int.from_bytes(head[i : i + 2], "little") for i in (place, place + 2))
    return any(head[4 : 4 + wide]) and planes == 1 and bits in (1, 2, 4, 8, 16, 24, 32)


def is_webp(head: bytes) -> bool:
    """Check for a RIFF container of a WebP."""
    return head.startswith(b"RIFF") and head[8:12] == b"WEBP"


def is_icon(head: bytes) -> bool:
    """Check for a Windows icon by possible values in its first entry."""
    count, planes, bits = (int.from_bytes(head[i : i + 2], "little") for i in (4, 10, 12))
    size, offset = (int.from_bytes(head[i : i + 4], "little") for i in (14, 18))
    return (
        head.startswith(b"\0\0\1\0")
        and 0 < count < 256
        and head[9:10] == b"\0"
        and planes <= 1
        and bits in (0, 1, 2, 4, 8, 16, 24, 32)
        and size > 0
        and 6 + 16 * count <= offset < 1 << 24
    )


def is_netpbm(head: bytes) -> bool:
    """Check for a PBM, PGM, PPM or grey PFM: a complete header, as its letters may begin a text."""
    return _NETPBM.match(head) is not None


_SPACE = rb"(?:\s|#[^\n]*\n)+"
_NUMBER = _SPACE + rb"\d{1,10}"
_NETPBM = re.compile(
    rb"(?:P[14]" + _NUMBER * 2 + rb"|P[2356]" + _NUMBER * 3 + rb"|Pf" + _NUMBER * 2
    + _SPACE + rb"-?[\d.][\d.eE+-]{0,9})\s"
)  # fmt: skip


def is_pcx(head: bytes) -> bool:
    """Check for a PCX by possible values in its header. Source: ZSoft PCX Technical Manual."""
    if len(head) < 128 or head[0] != 10 or head[1] not in (0, 2, 3, 4, 5) or head[2] != 1:
        return False
    left, top, right, bottom = (int.from_bytes(head[i : i + 2], "little") for i in (4, 6, 8, 10))
    bits, planes, row = head[3], head[65], int.from_bytes(head[66:68], "little")
    return (
        bits in (1, 2, 4, 8)
        and 1 <= planes <= 4
        and left <= right
        and top <= bottom
        and row >= (bits * (right - left + 1) + 7) // 8
        and not any(head[74:128])
    )


def is_sgi(head: bytes) -> bool:
    """Check for an SGI image. Source: The SGI Image File Format, version 1.00."""
    return (
        len(head) >= 108
        and head.startswith(b"\x01\xda")
        and head[2] in (0, 1)
        and head[3] in (1, 2)
        and head[4:6] in (b"\0\1", b"\0\2", b"\0\3")
        and head[104:108] == bytes(4)  # ordinary colours
    )


def is_targa(head: bytes) -> bool:
    """Check for a TGA, which has no signature, by possible values in its header.

    Source: Truevision TGA File Format Specification 2.0, page 6.
    """
    if len(head) < 18:
        return False
    has_map, kind, depth = head[1], head[2], head[16]
    width, height, entries = (int.from_bytes(head[i : i + 2], "little") for i in (12, 14, 5))
    if not (width and height) or head[17] & 0xC0:
        return False
    if kind in (1, 9):
        return has_map == 1 and 0 < entries <= 256 and head[7] in (16, 24, 32) and depth == 8
    depths = {2: (16, 24, 32), 10: (16, 24, 32), 3: (8, 16), 11: (8, 16)}
    return has_map == 0 and not any(head[3:8]) and depth in depths.get(kind, ())


def has_brand(*wanted: bytes) -> Callable[[bytes], bool]:
    """Return a test for the first bytes of an ISO base media file with one of the brands."""
    return lambda head: not brands(head).isdisjoint(wanted)


class Box(NamedTuple):
    """A box of a file in the ISO base media format.

    Attributes:
        kind: Its four letters.
        start: Where its content begins.
        end: Where it ends; 0 for the end of the file.
    """

    kind: bytes
    start: int
    end: int


def brands(head: bytes) -> set[bytes]:
    """Return the brands listed in the first box of an ISO base media file; none for other files."""
    if head[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(head[:4], "big"), len(head))
    return {head[8:12], *(head[i : i + 4] for i in range(16, end - 3, 4))}


def in_scans(file: IO[bytes]) -> bool:
    """Check for a JPEG whose first scan lacks some of the colours, so that more scans follow.

    Source: ITU-T T.81, annex B.
    """
    colours, place = 0, 2
    for _ in range(_MAX_SEGMENTS):
        file.seek(place)
        head = file.read(10)
        if len(head) < 10 or head[0] != 0xFF:
            break
        if head[1] == 0xFF:  # a byte that fills up
            place += 1
            continue
        if head[1] in _FRAMES:
            colours = head[9]
        elif head[1] == 0xDA:  # a scan
            return head[4] < colours
        place += 2 + int.from_bytes(head[2:4], "big")
    return False


def riff_length(file: IO[bytes]) -> int:
    """Return the length of a RIFF file according to its header."""
    file.seek(4)
    return 8 + int.from_bytes(file.read(4), "little")


def boxes(file: IO[bytes], place: int = 0, end: int | None = None) -> Iterator[Box]:
    """Yield the boxes of a file in the ISO base media format, or those inside a box.

    Args:
        file: Readable and seekable.
        place: Where the first box begins.
        end: Where the last one ends; None for the end of the file.
    """
    total = file.seek(0, os.SEEK_END) or file.tell()
    stop = total if end is None else min(end, total)
    while place < stop:  # a box may claim any size, even one that cannot be sought
        file.seek(place)
        head = file.read(16)
        if len(head) < 8:
            return
        size, start = int.from_bytes(head[:4], "big"), 8
        if size == 1:
            size, start = int.from_bytes(head[8:16], "big"), 16
        is_last = size < start  # up to the end of the file
        yield Box(head[4:8], place + start, 0 if is_last else place + size)
        if is_last:
            return
        place += size


def boxes_length(file: IO[bytes]) -> int:
    """Return where the last box ends, even beyond the end of the file."""
    end = 0
    for box in boxes(file):
        end = box.end or end
    return end


def boxes_or_stream_length(file: IO[bytes]) -> int:
    """Return where the last box ends; 0 for a bare codestream, which states no length."""
    file.seek(0)
    return boxes_length(file) if file.read(4) == b"\0\0\0\x0c" else 0
