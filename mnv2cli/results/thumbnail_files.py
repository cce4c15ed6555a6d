"""The names of thumbnails beside a page: ``report_files/thumbnails-1a2b3c4d/0/12.webp``."""

from __future__ import annotations

import os
import re
import secrets

EMBED_LIMIT = 5_000
"""The largest number of thumbnails in a page itself, if the user names none; more are files."""

GROUP = 1000
"""Thumbnails in a folder. They are named by their row, and the folder by its number."""

_BESIDE = "_files"
_PREFIX = "thumbnails-"
_SUFFIX = ".webp"

FOLDER = re.compile(rf"{_PREFIX}[0-9a-f]{{8}}")
GROUP_FOLDER = re.compile(r"\d{1,9}")
FILE = re.compile(rf"\d{{1,12}}{re.escape(_SUFFIX)}")
"""The names of the folder of a page, of the folders of the groups in it, and of the thumbnails."""

_PATH = re.compile(
    _BESIDE + r"[/\\]" + r"[/\\]".join(each.pattern for each in (FOLDER, GROUP_FOLDER, FILE)) + "$"
)


def files_folder(page: str) -> str:
    """Return the folder of the files of a page: ``report_files`` beside ``report.html``."""
    return os.path.splitext(page)[0] + _BESIDE


def new_folder() -> str:
    """Return a name for the folder of a page's thumbnails that no other page has."""
    return _PREFIX + secrets.token_hex(4)


def thumbnail_name(row: int) -> tuple[str, str]:
    """Return the folder of the group of a row, and the name of its thumbnail."""
    return str(row // GROUP), f"{row}{_SUFFIX}"


def is_thumbnail_path(path: str) -> bool:
    """Return whether a path is that of a thumbnail beside a page, not of a photo of the user."""
    if not FILE.fullmatch(os.path.basename(path)):
        return False
    return _PATH.search(os.path.abspath(path)) is not None  # a path can be typed in their folder
