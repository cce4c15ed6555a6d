"""The photos of a watched folder, each with its companions; files in transfer are ignored."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from mnv2cli.sources.names import IMAGE_SUFFIXES, natural_sorted, suffix_of
from mnv2cli.sources.pairs import COMPANION_SUFFIXES, companions
from mnv2cli.sources.patterns import matches
from mnv2cli.watching.options import WatchOptions

_IMAGES = frozenset(IMAGE_SUFFIXES)
_IN_TRANSFER = frozenset((
    ".part", ".partial", ".filepart", ".crdownload", ".opdownload", ".download", ".tmp", ".temp",
))  # fmt: skip


def is_temporary(name: str) -> bool:
    """Return whether a name is hidden or temporary: of a file that is still being transferred.

    rsync writes ``.photo.jpg.Xb3kQ1``, browsers ``photo.jpg.part`` or ``.crdownload``, editors
    ``photo.jpg~``.
    """
    return name.startswith((".", "~")) or name.endswith("~") or suffix_of(name) in _IN_TRANSFER


class FileState(NamedTuple):
    """What of a file changes while it is written.

    Attributes:
        path: Its path.
        size: Bytes.
        mtime: Nanoseconds since 1970.
        inode: Its number, which a file that replaces it does not have.
    """

    path: str
    size: int
    mtime: int
    inode: int


@dataclass(frozen=True, slots=True)
class Shot:
    """A photo with its companions.

    Attributes:
        path: The photo.
        files: The photo and its companions.
    """

    path: str
    files: tuple[FileState, ...]

    @property
    def is_empty(self) -> bool:
        """Whether one of the files has no content yet."""
        return any(not file.size for file in self.files)

    def now(self) -> Shot | None:
        """Return the same files as they are now; None if the photo is gone."""
        files = [state for file in self.files if (state := file_state(file.path))]
        if not files or files[0].path != self.path:
            return None
        return Shot(self.path, tuple(files))


def file_state(path: str) -> FileState | None:
    """Return the state of a regular file, or of the one that a link leads to; None for others."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return FileState(path, status.st_size, status.st_mtime_ns, status.st_ino)


class DropFolder:
    """A folder in which photos arrive.

    Args:
        path: The folder.
        options: Which photos to use.
        ignored: Absolute paths of folders to ignore, such as the destination of a sort.
    """

    def __init__(self, path: str, options: WatchOptions, ignored: tuple[str, ...] = ()) -> None:
        self.path = path
        self._options = options
        self._ignored = frozenset(map(os.path.realpath, ignored))
        self._root = os.path.abspath(path)

    def walk(self, top: str = "") -> Iterator[str]:
        """Yield a folder and, if they are watched, its subfolders; links are not followed.

        Args:
            top: The folder; empty for the whole.
        """
        folders = [top or self.path]
        while folders:
            folder = folders.pop()
            yield folder
            if self._options.recursive:
                folders += sorted(self._subfolders(folder), reverse=True)

    def _subfolders(self, folder: str) -> list[str]:
        try:
            with os.scandir(folder) as entries:
                return [
                    entry.path
                    for entry in entries
                    if entry.is_dir(follow_symlinks=False) and self.is_watched(entry.path)
                ]
        except OSError:
            return []

    def is_watched(self, folder: str) -> bool:
        """Return whether a folder is the watched folder, or one in it that is not ignored."""
        parts = self._parts(folder)
        if parts is None or (parts and not self._options.recursive):
            return False
        path = self._root
        for end, name in enumerate(parts, 1):
            path = os.path.join(path, name)
            if name.startswith(".") or self._is_excluded(parts[:end]) or os.path.islink(path):
                return False
            if self._ignored and os.path.realpath(path) in self._ignored:
                return False
        return True

    def shots(self, folder: str, names: frozenset[str] | None = None) -> Iterator[Shot]:
        """Yield the photos in a folder with their companions.

        Args:
            folder: The folder.
            names: Yield only the photos that have one of these names, or a companion that has one.
        """
        below = self._parts(folder) or ()
        files = natural_sorted([name for name in _names(folder) if not is_temporary(name)])
        files = [name for name in files if not self._is_excluded((*below, name))]
        led = companions(
            [
                name
                for name in files
                if suffix_of(name) in COMPANION_SUFFIXES or self._is_wanted(below, name)
            ]
        )
        of: dict[str, list[str]] = {}
        for name, leader in led.items():
            of.setdefault(leader, []).append(name)
        for name in files:
            if name in led or not self._is_wanted(below, name):
                continue
            shot = [name, *of.get(name, ())]
            if names is not None and names.isdisjoint(shot):
                continue
            states = [file_state(os.path.join(folder, each)) for each in shot]
            if states[0]:
                yield Shot(states[0].path, tuple(filter(None, states)))

    def _is_wanted(self, below: tuple[str, ...], name: str) -> bool:
        if suffix_of(name) not in _IMAGES:
            return False
        include = self._options.include
        return not include or any(matches((*below, name), pattern) for pattern in include)

    def _is_excluded(self, parts: tuple[str, ...]) -> bool:
        return any(matches(parts, pattern) for pattern in self._options.exclude)

    def _parts(self, folder: str) -> tuple[str, ...] | None:
        """Return the names below the watched folder; None for a folder outside it."""
        path = os.path.abspath(folder)
        if path == self._root:
            return ()
        own = self._root.rstrip(os.sep) + os.sep
        return tuple(path[len(own) :].split(os.sep)) if path.startswith(own) else None


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
