"""Recognize raw photos among TIFF files by their tags, and read when they were taken.

A TIFF decoder reads only their thumbnail; the photo itself is sensor data in another directory.
Sources: TIFF/EP (ISO 12234-2), DNG 1.7, EXIF 2.3.
"""

from __future__ import annotations

from typing import IO

from mnv2cli.images.directories import (
    DATE_TIME,
    DATE_TIME_ORIGINAL,
    EXIF_PART,
    Directory,
    Tiff,
)
from mnv2cli.images.unsupported import unsupported_raw

_NEW_SUBFILE_TYPE = 254  # bit 0: a smaller copy of another image in the file
_PHOTOMETRIC = 262
_MAKE = 271
_SUB_DIRECTORIES = 330
_DNG_VERSION = 50706

_SENSOR_DATA = (32803, 34892)
"""Values of PhotometricInterpretation: colour filter array, and linear raw."""

_CR2_DIRECTORY = 16  # where the first directory of a CR2 is, right behind the mark

_FORMATS = (
    ("nikon", "NEF"),
    ("canon", "CR2"),
    ("sony", "ARW"),
    ("pentax", "PEF"),
    ("ricoh", "PEF"),
    ("samsung", "SRW"),
    ("eastman kodak", "KDC"),
    ("kodak", "DCR"),
    ("seiko epson", "ERF"),
    ("hasselblad", "3FR"),
    ("mamiya", "MEF"),
    ("leaf", "MOS"),
    ("phase one", "IIQ"),
)
"""How makers' names begin, in lower case, and the format of their raw photos."""

_STRUCTURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"IIRO", b"IIRS", b"MMOR", b"IIU\0")
"""First bytes of raw photos that have the structure of a TIFF: TIFF, BigTIFF, ORF and RW2."""


def refuse_raw(file: IO[bytes]) -> None:
    """Raise RawPhotoError if a TIFF file is a raw photo; its directories alone are read.

    Raises:
        RawPhotoError: It is one; the detail names the format.
        OSError: The file cannot be read.
    """
    tiff = Tiff(file)
    if name := _marked_format(tiff):
        raise unsupported_raw(name)
    first: Directory | None = None
    for directory in tiff.directories():
        if first is None:
            first = directory
            name = _format(tiff, first)
            # A thumbnail comes first in ordinary TIFFs too; those have no camera's name.
            if name and tiff.number(first, _NEW_SUBFILE_TYPE) & 1 and _SUB_DIRECTORIES in first:
                raise unsupported_raw(name)
        if tiff.number(directory, _PHOTOMETRIC) in _SENSOR_DATA:
            raise unsupported_raw(name)


def date_of_raw(file: IO[bytes]) -> str | None:
    """Return the date in the EXIF of a raw photo, else the date of the file; as they are written.

    Returns:
        The date, empty without one; None if the photo has another structure than TIFF.
    """
    tiff = Tiff(file)
    if not tiff.head.startswith(_STRUCTURES):
        return None
    first = next(tiff.directories(), {})
    exif = tiff.subdirectory(first, EXIF_PART)
    return tiff.text(exif, DATE_TIME_ORIGINAL) or tiff.text(first, DATE_TIME)


def _marked_format(tiff: Tiff) -> str:
    """Return the format that the first 16 bytes identify; empty if they identify none.

    The pixels of an ordinary TIFF may begin at byte 8 and look like the start of a mark.
    """
    head = tiff.head
    if len(head) < 16:
        return ""
    if head[8:11] == b"CR\2" and tiff.first == _CR2_DIRECTORY:
        return "CR2"
    is_iiq = (head[8:12], head[13:16]) == (b"IIII", b"waR")
    return "IIQ" if is_iiq or head[8:15] == b"MMMMRaw" else ""


def _format(tiff: Tiff, first: Directory) -> str:
    """Return the format of a raw photo by its first directory; empty if unknown."""
    if _DNG_VERSION in first:
        return "DNG"
    make = tiff.text(first, _MAKE).lower()
    return next((form for start, form in _FORMATS if make.startswith(start)), "")
