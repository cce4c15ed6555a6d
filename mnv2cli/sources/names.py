"""Names of files: which are images, their natural order, and patterns that they match."""

from __future__ import annotations

import os
import re
import unicodedata
from fnmatch import fnmatchcase

IMAGE_SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".gif", ".bmp", ".dib",
    ".tif", ".tiff", ".webp", ".avif", ".heic", ".heif", ".hif",
)  # fmt: skip

_DIGITS = re.compile("[0-9]+")
_MAGIC = re.compile(r"[*?\[]")


def natural_key(name: str) -> str:
    """Return a sort key that puts ``img2`` before ``img10`` and does not depend on the system.

    Case and Unicode composition do not count (file systems differ in both); a run of digits
    counts as its number.
    """
    if not name.isascii():
        name = unicodedata.normalize("NFC", name)
    return _DIGITS.sub(_number_key, name.casefold())


def _number_key(match: re.Match[str]) -> str:
    digits = match[0].lstrip("0")
    return f"0{chr(len(digits))}{digits}"


def natural_sorted(names: list[str]) -> list[str]:
    """Sort names in place and return them: by natural key, ties by code point."""
    names.sort()
    names.sort(key=natural_key)
    return names


def is_glob(text: str) -> bool:
    """Return whether a path that does not exist is meant as a pattern."""
    return _MAGIC.search(text) is not None


def path_parts(path: str) -> tuple[str, ...]:
    """Return the names on the way to a file of this machine, without drive and root."""
    path = os.path.splitdrive(path)[1]
    if os.altsep:
        path = path.replace(os.altsep, os.sep)
    return tuple(part for part in path.split(os.sep) if part not in ("", os.curdir))


def matches(parts: tuple[str, ...], pattern: str) -> bool:
    """Return whether a path, as its parts, matches an include or exclude pattern.

    A pattern without a slash is matched with the last part alone, one with a slash with all of
    them; ``**`` stands for any number of parts. Case does not count.
    """
    pattern = pattern.lower()
    if "/" not in pattern:
        return fnmatchcase(parts[-1].lower(), pattern) if parts else False
    wanted = tuple(part for part in pattern.split("/") if part not in ("", "."))
    return _matches_parts(tuple(part.lower() for part in parts), wanted)


def _matches_parts(parts: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    if not wanted:
        return not parts
    if wanted[0] == "**":
        return any(_matches_parts(parts[i:], wanted[1:]) for i in range(len(parts) + 1))
    return (
        bool(parts) and fnmatchcase(parts[0], wanted[0]) and _matches_parts(parts[1:], wanted[1:])
    )
