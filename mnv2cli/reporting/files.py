"""Thumbnails as files beside a page: ``report_files/thumbnails-1a2b3c4d/0/12.webp``.

They are written before the page is moved into place, each time to a new folder, so a page never
refers to thumbnails of another one. Those of a page that was replaced, which names their folder,
are removed by their names alone: nothing that anybody else has put there is removed, and no link is
followed. Until its page is ready, a folder has a file ``unfinished``, so that what a killed run has
left is removed a day later, and nothing of a run that still writes.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import quote

from mnv2cli.results import thumbnail_files
from mnv2cli.results.thumbnail_files import (
    FILE,
    FOLDER,
    GROUP_FOLDER,
    files_folder,
    new_folder,
    thumbnail_name,
)

LEFTOVER_SECONDS = 24 * 60 * 60
"""The age of what a killed run has left; a run that still writes is never so slow."""

_UNFINISHED = "unfinished"


class ThumbnailFiles:
    """The thumbnails of a page, in a new folder.

    Args:
        page: The file of the page.

    Attributes:
        name: The name of the folder.
        about: What the page has to know: the URL of the ``folder``, relative to the page, with a
            final slash, and how many thumbnails are in a ``group``.

    Raises:
        OSError: The folder cannot be created.
    """

    def __init__(self, page: str) -> None:
        self._page = page
        self._parent = files_folder(page)
        if os.path.islink(self._parent):
            raise NotADirectoryError(
                None, "it is a link, and the folder of the thumbnails has this name", self._parent
            )
        os.makedirs(self._parent, exist_ok=True)
        while True:
            name = new_folder()
            self._folder = os.path.join(self._parent, name)
            with suppress(FileExistsError):
                os.mkdir(self._folder)
                break
        self.name = name
        with open(os.path.join(self._folder, _UNFINISHED), "xb"):
            pass
        parent = os.path.basename(self._parent)
        url = f"{quote(os.fsencode(parent))}/{name}/"
        self.about = {"folder": url, "group": thumbnail_files.GROUP}
        self._group = ""
        self._is_kept = False

    def write(self, row: int, thumbnail: bytes) -> None:
        """Write the thumbnail of a row; rows ascend. Raises OSError."""
        group, name = thumbnail_name(row)
        folder = os.path.join(self._folder, group)
        if group != self._group:
            os.mkdir(folder)
            self._group = group
            with suppress(OSError):
                os.utime(os.path.join(self._folder, _UNFINISHED))
        with open(os.path.join(folder, name), "xb") as file:
            file.write(thumbnail)

    def finish(self) -> None:
        """Declare all thumbnails written: the page follows. Raises OSError."""
        os.unlink(os.path.join(self._folder, _UNFINISHED))

    def keep(self) -> None:
        """Keep the folder: the page is in its place."""
        self._is_kept = True

    def discard(self) -> None:
        """Remove the folder, with the thumbnails so far, unless it is kept."""
        if self._is_kept:
            return
        _remove(self._folder)
        with suppress(OSError):
            os.rmdir(self._parent)


def remove_thumbnails(page: str, name: str = "") -> None:
    """Remove thumbnails beside a page that no page needs, as far as possible.

    Args:
        page: The file of the page.
        name: The folder of the page that it has replaced; empty for none. What killed runs have
            left is removed, too.
    """
    parent = files_folder(page)
    if os.path.islink(parent):
        return
    for each in _folders(parent, FOLDER):
        folder = os.path.join(parent, each)
        if each == name or _is_leftover(folder):
            _remove(folder)
    with suppress(OSError):  # other files are in it
        os.rmdir(parent)


def _is_leftover(folder: str) -> bool:
    try:
        status = os.lstat(os.path.join(folder, _UNFINISHED))
    except OSError:
        return False
    return time.time() - status.st_mtime > LEFTOVER_SECONDS


def _remove(folder: str) -> None:
    """Remove a folder of thumbnails, and nothing else that is in it."""
    for name in _folders(folder, GROUP_FOLDER):
        group = os.path.join(folder, name)
        with suppress(OSError):
            for entry in list(os.scandir(group)):
                if FILE.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                    os.unlink(entry.path)
            os.rmdir(group)
    with suppress(OSError):
        os.unlink(os.path.join(folder, _UNFINISHED))
    with suppress(OSError):
        os.rmdir(folder)


def _folders(parent: str, pattern: re.Pattern[str]) -> Iterator[str]:
    """Yield the names of the folders in a folder that match; links are not folders."""
    with suppress(OSError):
        for entry in list(os.scandir(parent)):
            if pattern.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                yield entry.name
