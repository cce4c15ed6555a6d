"""File names: suffixes of images, and natural order."""

from __future__ import annotations

import os
import re
import unicodedata

RAW_SUFFIXES = (
    ".dng", ".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".sr2", ".srf", ".raf", ".orf", ".rw2",
    ".rwl", ".pef", ".srw", ".x3f", ".3fr", ".fff", ".iiq", ".erf", ".kdc", ".dcr", ".mef", ".mos",
    ".mrw",
)  # fmt: skip
"""Suffixes of raw photos, in lower case. ``.raw`` is not one: most such files are other data."""

IMAGE_SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".gif", ".bmp", ".dib",
    ".tif", ".tiff", ".webp", ".avif", ".heic", ".heif", ".hif", ".jp2", ".j2k", ".jpf", ".jpx",
    ".jpc", ".j2c", ".jxl", ".psd", ".psb", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm", ".sgi", ".qoi",
    ".pcx", ".tga", *RAW_SUFFIXES,
)  # fmt: skip
"""Suffixes of image files in folders, in lower case."""

_DIGITS = re.compile("[0-9]+")


def natural_key(name: str) -> str:
    """Return a sort key that puts ``img2`` before ``img10`` and does not depend on the system.

    Case and Unicode composition are ignored, as file systems differ in both; a run of digits
    sorts by its number.
    """
    if not name.isascii():
        name = unicodedata.normalize("NFC", name)
    return _DIGITS.sub(_number_key, name.casefold())


def _number_key(match: re.Match[str]) -> str:
    digits = match[0].lstrip("0")
    return f"0{chr(len(digits))}{digits}"


def suffix_of(name: str) -> str:
    """Return the suffix of a name in lower case, such as ``.jpg``, also for the name ``.jpg``."""
    return name[name.rfind(".") :].lower()


def name_key(name: str) -> str:
    """Return a key that is equal for names which some file systems treat as one.

    Case and Unicode composition are ignored.
    """
    return (name if name.isascii() else unicodedata.normalize("NFC", name)).casefold()


def natural_sorted(names: list[str]) -> list[str]:
    """Sort names in place by natural key, then by code point; return the list."""
    names.sort()
    names.sort(key=natural_key)
    return names


def path_parts(path: str) -> tuple[str, ...]:
    """Split a path of this machine into names, without drive and root."""
    path = os.path.splitdrive(path)[1]
    if os.altsep:
        path = path.replace(os.altsep, os.sep)
    return tuple(part for part in path.split(os.sep) if part not in ("", os.curdir))
