"""Read the orientation and the date of a photo from its EXIF. Source: EXIF 2.3."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mnv2cli.images.directories import (
    DATE_TIME,
    DATE_TIME_ORIGINAL,
    EXIF_PART,
    ORIENTATION,
)
from mnv2cli.images.formats import identify
from mnv2cli.images.opening import open_regular
from mnv2cli.images.raw import date_of_raw
from mnv2cli.images.signatures import HEAD_BYTES
from mnv2cli.images.unsupported import RawPhotoError

if TYPE_CHECKING:
    from PIL import Image


def upright_turn(image: Image.Image) -> Image.Transpose | None:
    """Return the transposition that turns an image upright; None if it is upright."""
    try:
        value = image.getexif().get(ORIENTATION)
    except Exception:  # EXIF is often malformed; the pixels are still good
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
    """Return when a photo was taken as ``YYYY:MM:DD hh:mm:ss``; empty without a date in its EXIF.

    The date is DateTimeOriginal, or DateTime if there is none.

    Raises:
        RawPhotoError: It is a raw photo with a date that only
            :func:`mnv2cli.images.raw_reader.date_of_preview` reads.
        ImageError: It is not an image.
        OSError: It cannot be read.
    """
    with open_regular(path) as file:
        try:
            image_format = identify(file.read(HEAD_BYTES))
            if image_format.check:
                image_format.check(file)
        except RawPhotoError:
            date = date_of_raw(file)
            if date is None:
                raise
            return _valid(date)
        image_format.load_decoder()
        file.seek(0)
        try:
            with image_format.open(file) as image:
                return exif_date(image.getexif())
        except Exception:  # EXIF is often malformed
            return ""


def exif_date(exif: Image.Exif) -> str:
    """Return the date in an EXIF, as :func:`taken_at` does."""
    original = exif.get_ifd(EXIF_PART).get(DATE_TIME_ORIGINAL)
    return _valid(str(original or exif.get(DATE_TIME) or ""))


def _valid(date: str) -> str:
    """Return a date; empty if it is none."""
    return date[:19] if re.match(r"(?:19|20)\d\d:(?:0[1-9]|1[0-2]):\d\d", date) else ""
