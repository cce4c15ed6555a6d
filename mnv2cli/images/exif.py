"""What the EXIF of a photo says: which way is up, and when it was taken. Source: EXIF 2.3."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mnv2cli.images.formats import identify
from mnv2cli.images.opening import open_regular
from mnv2cli.images.signatures import HEAD_BYTES

if TYPE_CHECKING:
    from PIL import Image

_ORIENTATION = 0x0112
_DATE_TIME = 0x0132
_EXIF_PART = 0x8769
_DATE_TIME_ORIGINAL = 0x9003  # in the EXIF part


def upright_turn(image: Image.Image) -> Image.Transpose | None:
    """Return how to turn an image upright (orientation, values 2 to 8); None if it is."""
    try:
        value = image.getexif().get(_ORIENTATION)
    except Exception:  # EXIF is written by anything at all; the pixels are still good
        return None
    from PIL.Image import Transpose

    turns: dict[object, Image.Transpose] = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return turns.get(value)


def taken_at(path: str) -> str:
    """Return when a photo was taken: ``YYYY:MM:DD hh:mm:ss``; empty where its EXIF has no date.

    That is DateTimeOriginal, else DateTime.

    Raises:
        ImageError: It is not an image.
        OSError: It cannot be read.
    """
    with open_regular(path) as file:
        image_format = identify(file.read(HEAD_BYTES))
        image_format.load_decoder()
        file.seek(0)
        try:
            with image_format.open(file) as image:
                exif = image.getexif()
                original = exif.get_ifd(_EXIF_PART).get(_DATE_TIME_ORIGINAL)
                text = str(original or exif.get(_DATE_TIME) or "")
        except Exception:  # EXIF is written by anything at all
            return ""
    return text[:19] if re.match(r"(?:19|20)\d\d:(?:0[1-9]|1[0-2]):\d\d", text) else ""
