"""Keep the thumbnails of a run on disk until its page is written."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import IO

from mnv2cli.records import Record


class ThumbnailSpool:
    """Thumbnails by the path of their photo, in a temporary file without a name.

    It never fails: a thumbnail that cannot be stored, because the disk is full, is not known later,
    and is made again.

    Args:
        folder: Where the file is, such as the folder of the page.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder or os.curdir
        self._file: IO[bytes] | None = None
        self._places: dict[str, tuple[int, int]] = {}
        self._end = 0

    def add(self, path: str, thumbnail: bytes) -> None:
        """Store the thumbnail of a photo."""
        if path in self._places:
            return
        with suppress(OSError):
            if self._file is None:
                # A buffer would keep what a full disk refused, and fail again at each reading.
                self._file = tempfile.TemporaryFile(  # noqa: SIM115
                    dir=self._folder, buffering=0
                )
            self._file.seek(self._end)
            if self._file.write(thumbnail) == len(thumbnail):
                self._places[path] = (self._end, len(thumbnail))
                self._end += len(thumbnail)

    def slim(self, record: Record) -> Record:
        """Return a record without its thumbnail, which is stored."""
        if record.thumbnail is None:
            return record
        self.add(record.path, record.thumbnail)
        return replace(record, thumbnail=None)

    def passing(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield records without their thumbnails, which are stored."""
        return map(self.slim, records)

    def find(self, record: Record) -> bytes | None:
        """Return the thumbnail of a record; None if it is not stored."""
        start, length = self._places.get(record.path, (0, 0))
        if not length or self._file is None:
            return None
        try:
            self._file.seek(start)
            found = self._file.read(length)
        except OSError:
            return None
        return found if len(found) == length else None

    def close(self) -> None:
        """Remove the file."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
