"""Where fetched bytes go: a temporary file with limits."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from typing import IO

from mnv2cli.sources.remote import limits
from mnv2cli.sources.remote.errors import StoreError


class Sink:
    """A file that is being fetched: bounded in size and in time.

    Args:
        limit: Bytes at the most.
        stop: Ends it.
        beat: Called whenever bytes come.
        spool: Bytes that are held in memory; None for ``limits.SPOOL``, 0 for a file at once.
    """

    def __init__(
        self,
        limit: int,
        stop: threading.Event | None = None,
        beat: Callable[[], None] = lambda: None,
        spool: int | None = None,
    ) -> None:
        if spool is None:
            spool = limits.SPOOL
        # Before Python 3.11 a spooled file is none that zipfile can read.
        self.file: IO[bytes] = (
            tempfile.SpooledTemporaryFile(max_size=spool)  # noqa: SIM115
            if spool
            else tempfile.TemporaryFile()  # noqa: SIM115
        )
        self.size = 0
        self._limit = limit
        self._stop = stop
        self._beat = beat
        self._started = time.monotonic()

    @property
    def seconds_left(self) -> float:
        """How long the next bytes may take."""
        allowed = limits.REQUEST_SECONDS + self.size / limits.LEAST_RATE
        return self._started + allowed - time.monotonic()

    def keep_alive(self) -> None:
        """Wait for something else for a while; raise StoreError if nobody wants it any more."""
        self._beat()
        self._started = time.monotonic() - self.size / limits.LEAST_RATE
        if self._stop is not None and self._stop.is_set():
            raise StoreError("not read", "the run was stopped")

    def check(self) -> None:
        """Raise StoreError if it takes too long or nobody wants it any more."""
        self._beat()
        if self._stop is not None and self._stop.is_set():
            raise StoreError("not read", "the run was stopped")
        if self.seconds_left <= 0:
            raise StoreError("timed out", f"{self.size:,} bytes came", passing=True)

    def expect(self, size: int) -> None:
        """Raise StoreError if a size that is known beforehand is too large."""
        if size > self._limit:
            raise StoreError("file too large", f"over {self._limit:,} bytes")

    def write(self, data: bytes) -> None:
        """Take some bytes."""
        self.size += len(data)
        self.expect(self.size)
        self.file.write(data)
        self.check()

    def whole(self) -> IO[bytes]:
        """Return the file, at its start."""
        self.file.seek(0)
        return self.file
