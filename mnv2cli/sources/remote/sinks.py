"""Receive fetched bytes in a temporary file, within limits."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from typing import IO

from mnv2cli.sources.remote import limits
from mnv2cli.sources.remote.errors import StoreError


class Sink:
    """A file that is being fetched, limited in size and time.

    Args:
        limit: Maximum size in bytes.
        stop: Once set, stops the fetch.
        beat: Called whenever bytes arrive.
        spool: Bytes held in memory; None for ``limits.SPOOL``, 0 to write to a file at once.
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
        # Before Python 3.11 zipfile cannot read a spooled file.
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
        """Seconds that the next bytes may take."""
        allowed = limits.REQUEST_SECONDS + self.size / limits.LEAST_RATE
        return self._started + allowed - time.monotonic()

    def keep_alive(self) -> None:
        """Restart the clock while something else takes time; raises StoreError if stopped."""
        self._beat()
        self._started = time.monotonic() - self.size / limits.LEAST_RATE
        if self._stop is not None and self._stop.is_set():
            raise StoreError("not read", "the run was stopped")

    def check(self) -> None:
        """Raise StoreError if the fetch takes too long or is stopped."""
        self._beat()
        if self._stop is not None and self._stop.is_set():
            raise StoreError("not read", "the run was stopped")
        if self.seconds_left <= 0:
            raise StoreError("timed out", f"after {self.size:,} bytes", passing=True)

    def expect(self, size: int) -> None:
        """Raise StoreError if the size announced by the host is over the limit."""
        if size > self._limit:
            raise StoreError("file too large", f"over {self._limit:,} bytes")

    def write(self, data: bytes) -> None:
        """Append bytes; raises StoreError over the limits."""
        self.size += len(data)
        self.expect(self.size)
        self.file.write(data)
        self.check()

    def whole(self) -> IO[bytes]:
        """Return the complete file, at its start."""
        self.file.seek(0)
        return self.file
