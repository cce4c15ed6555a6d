"""Write PSD and PSB files, which Pillow does not."""

from __future__ import annotations

import struct

import numpy as np
from PIL import Image

MODES = {"1": 0, "L": 1, "LA": 1, "P": 2, "RGB": 3, "RGBA": 3, "CMYK": 4, "LAB": 9}


def psd(
    image: Image.Image,
    *,
    depth: int = 8,
    is_packed: bool = False,
    version: int = 1,
    layers: int | None = None,
    resources: bytes = b"",
) -> bytes:
    """Return a PSD (version 1) or PSB (2). A negative number of layers means transparency."""
    planes = np.asarray(image.convert("L") if image.mode == "1" else image)
    planes = planes.reshape(image.height, image.width, -1).transpose(2, 0, 1)
    if image.mode == "CMYK":
        planes = 255 - planes
    if image.mode == "LAB":  # a and b, which Pillow gives as signed bytes
        planes = planes ^ np.array([0, 128, 128], np.uint8)[:, None, None]
    if image.mode == "1":
        depth, rows = 1, [[np.packbits(row < 128).tobytes() for row in planes[0]]]
    else:
        deep = (planes.astype(">u2") * 257).astype(">u2") if depth == 16 else planes
        rows = [[row.tobytes() for row in plane] for plane in deep]
    palette = b""
    if image.mode == "P":
        colours = (image.getpalette() or []) + [0] * 768
        palette = np.array(colours[:768], np.uint8).reshape(256, 3).T.tobytes()
    number = ">I" if version == 1 else ">Q"
    section = b""
    if layers is not None:
        info = struct.pack(">hH", layers, 0)
        if depth == 16:  # behind the empty place of the layers of 8 bits
            block = b"8BIMLr16" + struct.pack(number, len(info)) + info
            section = struct.pack(number + "I", 0, 0) + b"8BIMabcd\0\0\0\4wxyz" + block
        else:
            section = struct.pack(number, len(info)) + info
    size = (len(planes), image.height, image.width, depth, MODES[image.mode])
    parts = [
        struct.pack(">4sH6xHIIHH", b"8BPS", version, *size),
        struct.pack(">I", len(palette)) + palette,
        struct.pack(">I", len(resources)) + resources,
        struct.pack(number, len(section)) + section,
        struct.pack(">H", is_packed),
    ]
    if is_packed:
        rows = [[packed(row) for row in plane] for plane in rows]
        count = ">H" if version == 1 else ">I"
        parts += [struct.pack(count, len(row)) for plane in rows for row in plane]
    return b"".join([*parts, *(row for plane in rows for row in plane)])


def packed(row: bytes) -> bytes:
    """Compress a row by PackBits: a run of its first byte, then bytes as they are."""
    run = len(row) - len(row.lstrip(row[:1]))
    run = min(run, 128) if run > 1 else 0
    parts = [bytes([257 - run]) + row[:1]] if run else []
    for start in range(run, len(row), 128):
        part = row[start : start + 128]
        parts.append(bytes([len(part) - 1]) + part)
    return b"".join(parts)


def resource(number: int, content: bytes) -> bytes:
    """Return an image resource without a name."""
    padding = b"\0" * (len(content) % 2)
    return b"8BIM" + struct.pack(">H2xI", number, len(content)) + content + padding
