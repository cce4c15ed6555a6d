"""Recognize raw photos among TIFF files by their tags.

A TIFF decoder reads only their thumbnail; the photo itself is sensor data in another directory.
Sources: TIFF 6.0, TIFF/EP (ISO 12234-2), DNG 1.7.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import IO

from mnv2cli.images.unsupported import unsupported_raw

_NEW_SUBFILE_TYPE = 254  # bit 0: a smaller copy of another image in the file
_PHOTOMETRIC = 262
_MAKE = 271
_SUB_DIRECTORIES = 330
_DNG_VERSION = 50706

_SENSOR_DATA = (32803, 34892)
"""Values of PhotometricInterpretation: colour filter array, and linear raw."""

_CR2_DIRECTORY = 16  # where the first directory of a CR2 is, right behind the mark

_MAX_DIRECTORIES = 16
_MAX_ENTRIES = 1000

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

_Directory = dict[int, tuple[int, int, bytes]]
"""Tags of a directory: type, count, and the field that holds the value or its offset."""


def refuse_raw(file: IO[bytes]) -> None:
    """Raise ImageError if a TIFF file is a raw photo; its directories alone are read.

    Raises:
        ImageError: It is one; the detail names the format.
        OSError: The file cannot be read.
    """
    tiff = _Tiff(file)
    if name := tiff.marked_format():
        raise unsupported_raw(name)
    first: _Directory | None = None
    for directory in tiff.directories():
        if first is None:
            first = directory
            name = tiff.raw_format(first)
            # A thumbnail comes first in ordinary TIFFs too; those have no camera's name.
            if name and tiff.number(first, _NEW_SUBFILE_TYPE) & 1 and _SUB_DIRECTORIES in first:
                raise unsupported_raw(name)
        if tiff.number(directory, _PHOTOMETRIC) in _SENSOR_DATA:
            raise unsupported_raw(name)


class _Tiff:
    """The directories of a TIFF or BigTIFF file, which may be damaged.

    Attributes:
        head: The first 16 bytes.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        file.seek(0, os.SEEK_END)
        self._size = file.tell()
        self.head = self._read(0, 16)
        order = "<" if self.head.startswith(b"II") else ">"
        is_big = self.head[2:4] in (b"+\0", b"\0+")
        self._first = struct.Struct(order + ("8xQ" if is_big else "4xI"))
        self._count = struct.Struct(order + ("Q" if is_big else "H"))
        self._entry = struct.Struct(order + ("HHQ8s" if is_big else "HHI4s"))
        self._offset = struct.Struct(order + ("Q" if is_big else "I"))
        self._numbers = {1: "B", 3: order + "H", 4: order + "I", 13: order + "I"}
        if is_big:
            self._numbers |= {16: order + "Q", 18: order + "Q"}

    def directories(self) -> Iterator[_Directory]:
        """Yield the directories: the first one, its subdirectories, and those that follow it."""
        if len(self.head) < self._first.size:
            return
        waiting: list[int] = list(self._first.unpack_from(self.head))
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

    def number(self, directory: _Directory, tag: int) -> int:
        """Return the first number of a tag whose numbers are in the directory itself, else 0."""
        kind, count, field = directory.get(tag, (0, 0, b""))
        if kind not in self._numbers or not count:
            return 0
        return int(struct.unpack_from(self._numbers[kind], field)[0])

    def marked_format(self) -> str:
        """Return the format that the first 16 bytes identify; empty if they identify none.

        The pixels of an ordinary TIFF may begin at byte 8 and look like the start of a mark.
        """
        if len(self.head) < 16:
            return ""
        if self.head[8:11] == b"CR\2" and self._first.unpack_from(self.head)[0] == _CR2_DIRECTORY:
            return "CR2"
        is_iiq = (self.head[8:12], self.head[13:16]) == (b"IIII", b"waR")
        return "IIQ" if is_iiq or self.head[8:15] == b"MMMMRaw" else ""

    def raw_format(self, first: _Directory) -> str:
        """Return the format of a raw photo by its first directory; empty if unknown."""
        if _DNG_VERSION in first:
            return "DNG"
        _, count, field = first.get(_MAKE, (0, 0, b""))
        text = field[:count]
        if count > len(field):
            text = self._read(self._offset.unpack(field)[0], min(count, 32))
        make = text.decode("ascii", "replace").strip().lower()
        return next((form for start, form in _FORMATS if make.startswith(start)), "")

    def _offsets(self, directory: _Directory) -> list[int]:
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

    def _directory(self, offset: int) -> tuple[_Directory, int]:
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
