"""Files that are elsewhere, fetched into temporary ones."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import IO, cast

from mnv2cli.sources.filesystem import open_filesystem
from mnv2cli.sources.remote import limits
from mnv2cli.sources.remote.protocol import RemoteFileSystem
from mnv2cli.sources.remote.retry import with_retries
from mnv2cli.sources.remote.sinks import Sink
from mnv2cli.sources.remote.stores import filesystem_class
from mnv2cli.sources.urls import LOCAL_SCHEMES, is_url, scheme_of


def fetch(
    url: str,
    *,
    limit: int | None = None,
    stop: threading.Event | None = None,
    beat: Callable[[], None] = lambda: None,
    spool: int | None = None,
) -> IO[bytes]:
    """Fetch a file into a temporary one, trying again after passing faults.

    Args:
        url: Where it is.
        limit: Bytes at the most; None for ``limits.FILE_LIMIT``.
        stop: Ends it when set.
        beat: Called whenever something happens.
        spool: Bytes that are held in memory; None for ``limits.SPOOL``, 0 for a file at once.

    Returns:
        The open file, at its start; in memory if it is small.

    Raises:
        StoreError: Whatever keeps it from being read.
    """

    def attempt() -> IO[bytes]:
        sink = Sink(limits.FILE_LIMIT if limit is None else limit, stop, beat, spool)
        try:
            sink.check()
            cast(RemoteFileSystem, open_filesystem(url)).read(url, sink)
            return sink.whole()
        except BaseException:
            sink.file.close()
            raise

    return with_retries(attempt, stop)


def local_path(name: str) -> str | None:
    """Return the path of what is on this machine, a ``file://`` URL or a path; else None."""
    if not is_url(name):
        return name
    if scheme_of(name) in LOCAL_SCHEMES and "::" not in name:
        path: str = filesystem_class(name)._strip_protocol(name)
        return path
    return None


def patience() -> float:
    """Return after how many seconds without a sign of life a library hangs."""
    return 2 * limits.REQUEST_SECONDS + limits.CHUNK / limits.LEAST_RATE + limits.LONGEST_WAIT
