"""Windows icons: the largest image in them. Pillow decodes it when it reads the header."""

from __future__ import annotations

import struct
from typing import IO

from PIL import BmpImagePlugin, IcoImagePlugin, Image, PngImagePlugin

_MAX_SIDE = 1024
"""Larger than any icon; sides of a bitmap are checked before it is decoded."""

_PNG = b"\x89PNG\r\n\x1a\n"


def open_image(file: IO[bytes]) -> Image.Image:
    """Read the header of an icon. A bitmap is decoded already, a PNG is not.

    Raises:
        Exception: Any, if the header or the bitmap is damaged.
    """
    try:
        icon = IcoImagePlugin.IcoFile(file)
        offset = icon.entry[0].offset
    except (IndexError, struct.error) as error:
        raise OSError("image file is truncated") from error
    file.seek(offset)
    head = file.read(len(_PNG))
    if len(head) < len(_PNG):
        raise OSError("image file is truncated")
    if head == _PNG:
        file.seek(offset)
        return PngImagePlugin.PngImageFile(file)
    file.seek(offset)
    width, height = BmpImagePlugin.DibImageFile(file).size
    if width > _MAX_SIDE or height > 2 * _MAX_SIDE:  # of colours and mask
        raise SyntaxError(f"{width} x {height // 2} pixels are too many for an icon")
    return icon.frame(0)
