"""Raw photos of minimal size: TIFF files with a thumbnail, and a directory of sensor data."""

from __future__ import annotations

import struct
from dataclasses import dataclass

Tags = dict[int, int | str]

COLOUR_FILTER_ARRAY = 32803
THUMBNAIL: Tags = {
    254: 1, 256: 8, 257: 8, 258: 8, 259: 1, 262: 1, 277: 1, 278: 8, 279: 64
}  # fmt: skip
"""A readable image of 8 x 8 in grey, marked as a reduced copy of another one."""

FULL: Tags = THUMBNAIL | {254: 0}
SENSOR: Tags = FULL | {262: COLOUR_FILTER_ARRAY}
SUB_DIRECTORY, MAKE, STRIP, DNG_VERSION = 330, 271, 273, 50706


@dataclass(frozen=True)
class Layout:
    """The byte order and the word size of a TIFF file."""

    order: str = "<"
    big: bool = False

    def directory(self, tags: Tags, place: int, following: int = 0) -> bytes:
        """Write a directory that begins at a place, and the texts after it."""
        word, count = ("Q", "Q") if self.big else ("I", "H")
        size = struct.calcsize("=" + count) + len(tags) * (20 if self.big else 12)
        texts, end = b"", place + size + struct.calcsize("=" + word)
        entries = b""
        for tag, value in sorted(tags.items()):
            if isinstance(value, int):
                kind, number, field = 4, 1, struct.pack(self.order + "I", value)
            else:
                kind, number, field = 2, len(value) + 1, value.encode() + b"\0"
            room = struct.calcsize("=" + word)
            if len(field) > room:
                texts += field
                field = struct.pack(self.order + word, end + len(texts) - number)
            entries += struct.pack(f"{self.order}HH{word}", tag, kind, number)
            entries += field.ljust(room, b"\0")
        return (
            struct.pack(self.order + count, len(tags))
            + entries
            + struct.pack(self.order + word, following)
            + texts
        )


def tiff(
    first: Tags,
    sub: Tags | None = None,
    following: Tags | None = None,
    *,
    layout: Layout | None = None,
) -> bytes:
    """Write a TIFF file of one directory, with a subdirectory and one that follows, if given.

    All have the same 64 bytes of pixels, each of them 100.
    """
    layout = layout or Layout()
    start, header = 600, (layout.order == "<" and b"II") or b"MM"
    pixels = 200
    places = [start, 1400, 2200]
    tags = first | {STRIP: pixels}
    if sub is not None:
        tags[SUB_DIRECTORY] = places[1]
    if layout.big:
        header += struct.pack(layout.order + "HHHQ", 43, 8, 0, start)
    else:
        header += struct.pack(layout.order + "HI", 42, start)
    parts = {0: header, pixels: bytes([100]) * 64}
    parts[start] = layout.directory(tags, start, places[2] if following is not None else 0)
    for place, more in zip(places[1:], (sub, following), strict=True):
        if more is not None:
            parts[place] = layout.directory(more | {STRIP: pixels}, place)
    data = bytearray(max(place + len(part) for place, part in parts.items()))
    for place, part in parts.items():
        data[place : place + len(part)] = part
    return bytes(data)
