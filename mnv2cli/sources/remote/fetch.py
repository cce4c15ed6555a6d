"""Fetch remote files into temporary files."""

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
    """Fetch a file into a temporary file, with retries after temporary errors.

    Args:
        url: The file.
        limit: Maximum size in bytes; None for ``limits.FILE_LIMIT``.
        stop: Once set, stops the fetch.
        beat: Called whenever the transfer makes progress.
        spool: Bytes held in memory; None for ``limits.SPOOL``, 0 to write to a file at once.

    Returns:
        The open file, at its start; in memory if it is small.

    Raises:
        StoreError: The file cannot be fetched.
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
    """Return the path of a file on this machine, given by path or ``file://``; else None."""
    if not is_url(name):
        return name
    if scheme_of(name) in LOCAL_SCHEMES and "::" not in name:
        path: str = filesystem_class(name)._strip_protocol(name)
        return path
    return None


def patience() -> float:
    """Return the seconds without progress after which a library is considered to hang."""
    return 2 * limits.REQUEST_SECONDS + limits.CHUNK / limits.LEAST_RATE + limits.LONGEST_WAIT
