"""Signatures of the supported formats, and the length that a file states."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import IO

HEAD_BYTES = 512
"""Bytes from the beginning of a file that are enough to identify its format."""


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


def has_brand(*wanted: bytes) -> Callable[[bytes], bool]:
    """Return a test for the first bytes of an ISO base media file with one of the brands."""
    return lambda head: not brands(head).isdisjoint(wanted)


def brands(head: bytes) -> set[bytes]:
    """Return the brands listed in the first box of an ISO base media file; none for other files."""
    if head[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(head[:4], "big"), len(head))
    return {head[8:12], *(head[i : i + 4] for i in range(16, end - 3, 4))}


def riff_length(file: IO[bytes]) -> int:
    """Return the length of a RIFF file according to its header."""
    file.seek(4)
    return 8 + int.from_bytes(file.read(4), "little")


def boxes_length(file: IO[bytes]) -> int:
    """Return where the last box of an ISO base media file ends, even beyond its end."""
    total, end = file.seek(0, os.SEEK_END) or file.tell(), 0
    while end < total:
        file.seek(end)
        head = file.read(16)
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        if len(head) < 8 or size < 8:  # the end, or a last box of unknown size
            break
        end += size
    return end
