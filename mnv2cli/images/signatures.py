"""What the bytes of a file say about its format and its length, and what it is if not an image."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO

from mnv2cli.errors import ImageError

HEAD_BYTES = 512
"""Bytes from the beginning of a file that are enough to identify its format."""

_OTHERS = (
    (b"%PDF", "a PDF document"),
    (b"%!PS", "a PostScript document"),
    (b"PK\x03\x04", "a ZIP archive or office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"<svg", "an SVG drawing"),
    (b"<?xml", "an XML file or SVG drawing"),
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"\x1aE\xdf\xa3", "a Matroska or WebM video"),
)


def starts_with(*signatures: bytes) -> Callable[[bytes], bool]:
    """Return a test of a file's first bytes: do they start with one of some signatures?"""
    return lambda head: head.startswith(signatures)


def is_bmp(head: bytes) -> bool:
    """Check for a BMP; the two letters alone may as well begin a text."""
    return head.startswith(b"BM") and head[15:18] == b"\0\0\0"


def is_webp(head: bytes) -> bool:
    """Check for a RIFF container with WebP in it."""
    return head.startswith(b"RIFF") and head[8:12] == b"WEBP"


def has_brand(*wanted: bytes) -> Callable[[bytes], bool]:
    """Return a test of a file's first bytes: is it an ISO base media file of one of some brands?"""
    return lambda head: not brands(head).isdisjoint(wanted)


def brands(head: bytes) -> set[bytes]:
    """Return the brands that the first box of an ISO base media file lists; none if it is not."""
    if head[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(head[:4], "big"), len(head))
    return {head[8:12], *(head[i : i + 4] for i in range(16, end - 3, 4))}


def riff_length(file: IO[bytes]) -> int:
    """Return the length of a RIFF file, as its header says."""
    file.seek(4)
    return 8 + int.from_bytes(file.read(4), "little")


def boxes_length(file: IO[bytes]) -> int:
    """Return where the last box of an ISO base media file ends, as far as the file goes."""
    end = 0
    while True:
        file.seek(end)
        head = file.read(16)
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        if len(head) < 8 or size < 8:  # the end, or a last box without a size
            return end
        end += size


def not_an_image(head: bytes) -> ImageError:
    """Return the error for a file of no known image format; its detail says what it looks like."""
    found = brands(head)
    if found:
        is_raw = b"crx " in found
        return ImageError(
            "not an image", "a raw file of a camera" if is_raw else "a video (MP4 or QuickTime)"
        )
    lowered = head.lstrip().lower()
    for signature, kind in _OTHERS:
        if lowered.startswith(signature.lower()):
            return ImageError("not an image", kind)
    try:
        text = head[:256].decode()
    except UnicodeDecodeError:
        text = "\0"
    return ImageError("not an image", "" if "\0" in text else "a text file")
