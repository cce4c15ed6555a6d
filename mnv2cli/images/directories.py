"""Read the directories of TIFF files, and of raw photos with the same structure.

Sources: TIFF 6.0, the design of BigTIFF.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import IO

Directory = dict[int, tuple[int, int, bytes]]
"""Tags of a directory: type, count, and the field that holds the value or its offset."""

ORIENTATION = 274
DATE_TIME = 306
EXIF_PART = 34665
DATE_TIME_ORIGINAL = 36867  # in the EXIF part
"""Tags that images of several formats have. Source: EXIF 2.3."""

_SUB_DIRECTORIES = 330

_MAX_DIRECTORIES = 16
_MAX_ENTRIES = 1000
_MAX_TEXT = 32


class Tiff:
    """The directories of a TIFF or BigTIFF file, which may be damaged.

    Attributes:
        head: The first 16 bytes.
        first: Where the first directory is; 0 if the header is cut off.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        file.seek(0, os.SEEK_END)
        self._size = file.tell()
        self.head = self._read(0, 16)
        order = "<" if self.head.startswith(b"II") else ">"
        is_big = self.head[2:4] in (b"+\0", b"\0+")
        first = struct.Struct(order + ("8xQ" if is_big else "4xI"))
        whole = len(self.head) >= first.size
        self.first = int(first.unpack_from(self.head)[0]) if whole else 0
        self._count = struct.Struct(order + ("Q" if is_big else "H"))
        self._entry = struct.Struct(order + ("HHQ8s" if is_big else "HHI4s"))
        self._offset = struct.Struct(order + ("Q" if is_big else "I"))
        self._numbers = {1: "B", 3: order + "H", 4: order + "I", 13: order + "I"}
        if is_big:
            self._numbers |= {16: order + "Q", 18: order + "Q"}

    def directories(self) -> Iterator[Directory]:
        """Yield the directories: the first one, its subdirectories, and those that follow it."""
        waiting = [self.first]
        seen: set[int] = set()
        while waiting and len(seen) < _MAX_DIRECTORIES:
            offset = waiting.pop(0)
            if not offset or offset in seen:
                continue
            directory, following = self._directory(offset)
            if not seen:
                waiting += self._offsets(directory)
            seen.add(offset)
            waiting.append(following)
            yield directory

    def number(self, directory: Directory, tag: int) -> int:
        """Return the first number of a tag whose numbers are in the directory itself, else 0."""
        kind, count, field = directory.get(tag, (0, 0, b""))
        if kind not in self._numbers or not count:
            return 0
        return int(struct.unpack_from(self._numbers[kind], field)[0])

    def text(self, directory: Directory, tag: int) -> str:
        """Return the text of a tag, up to 32 bytes of it; empty if there is none."""
        _, count, field = directory.get(tag, (0, 0, b""))
        text = field[:count]
        if count > len(field):
            text = self._read(self._offset.unpack(field)[0], min(count, _MAX_TEXT))
        return text.split(b"\0")[0].decode("ascii", "replace").strip()

    def content(self, directory: Directory, tag: int, most: int) -> bytes:
        """Return the bytes of a tag of bytes or numbers; empty if there is none, or too many."""
        kind, count, field = directory.get(tag, (0, 0, b""))
        size = count * (struct.calcsize(self._numbers[kind]) if kind in self._numbers else 1)
        if size <= len(field):
            return field[:size]
        return self._read(self._offset.unpack(field)[0], size) if size <= most else b""

    def subdirectory(self, directory: Directory, tag: int) -> Directory:
        """Return the directory that a tag names; empty if there is none."""
        offset = self.number(directory, tag)
        return self._directory(offset)[0] if offset else {}

    def _offsets(self, directory: Directory) -> list[int]:
        """Return where the subdirectories of a directory are."""
        kind, count, field = directory.get(_SUB_DIRECTORIES, (0, 0, b""))
        if kind not in self._numbers:
            return []
        number = struct.Struct(self._numbers[kind])
        count = min(count, _MAX_DIRECTORIES)
        if count * number.size > len(field):
            field = self._read(self._offset.unpack(field)[0], count * number.size)
        count = min(count, len(field) // number.size)
        return [int(number.unpack_from(field, i * number.size)[0]) for i in range(count)]

    def _directory(self, offset: int) -> tuple[Directory, int]:
        """Return a directory and where the next one is; empty and 0 where there is none."""
        raw = self._read(offset, self._count.size)
        if len(raw) < self._count.size:
            return {}, 0
        count = min(self._count.unpack(raw)[0], _MAX_ENTRIES)
        entry = self._entry
        data = self._read(offset + len(raw), count * entry.size + self._offset.size)
        whole = len(data) // entry.size
        found = (entry.unpack_from(data, i * entry.size) for i in range(min(count, whole)))
        directory = {tag: (kind, number, field) for tag, kind, number, field in found}
        if len(data) < count * entry.size + self._offset.size:
            return directory, 0
        return directory, int(self._offset.unpack_from(data, count * entry.size)[0])

    def _read(self, offset: int, size: int) -> bytes:
        """Return bytes from a place in the file: fewer, or none, beyond its end."""
        if offset >= self._size:
            return b""
        self._file.seek(offset)
        return self._file.read(size)
