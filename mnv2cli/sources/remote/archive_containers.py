"""Open archive files, each once.

An archive that is compressed as a whole, or not on this machine, is first copied to a temporary
file, whose members can be read cheaply in any order.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections import OrderedDict
from typing import IO, Any

from mnv2cli.sources.local import real_path
from mnv2cli.sources.remote import limits
from mnv2cli.sources.remote.archive_members import ArchiveMembers
from mnv2cli.sources.remote.errors import StoreError, archive_error, store_error
from mnv2cli.sources.remote.fetch import fetch, local_path
from mnv2cli.sources.remote.sinks import Sink

_OPEN_ARCHIVES = 4

_Key = tuple[object, ...]

_archives: OrderedDict[_Key, ArchiveMembers] = OrderedDict()
_opening: dict[_Key, threading.Lock] = {}
_archives_lock = threading.Lock()  # guards both; held for moments


def open_members(kind: str, container: str, sink: Sink | None = None) -> ArchiveMembers:
    """Return an open archive; the last few archives are kept open.

    Args:
        kind: ``zip`` or ``tar``.
        container: The path or URL of its file.
        sink: Waits for the archive; kept alive meanwhile.

    Raises:
        StoreError: The archive is missing, damaged or cannot be fetched.
        OSError: The file cannot be read.
    """
    key: _Key = (kind, container)
    path = local_path(container)
    if path is not None:
        if not os.path.isfile(path):
            reason = "not a regular file" if os.path.exists(path) else "no such file"
            raise StoreError(reason)
        status = os.stat(path)
        key = (kind, real_path(path), status.st_size, status.st_mtime_ns)
    with _archives_lock:
        if key in _archives:
            _archives.move_to_end(key)
            return _archives[key]
        opening = _opening.setdefault(key, threading.Lock())
    while not opening.acquire(timeout=0.5):
        if sink is not None:
            sink.keep_alive()
    try:
        with _archives_lock:
            members = _archives.get(key)
        if members is None:
            members = ArchiveMembers(kind, open_container(container, path, kind, sink))
        with _archives_lock:
            _archives[key] = members
            _archives.move_to_end(key)
            _opening.pop(key, None)
            while len(_archives) > _OPEN_ARCHIVES:
                _archives.popitem(last=False)  # closes once no reader uses it
        if sink is not None:
            sink.keep_alive()
        return members
    finally:
        opening.release()


def open_container(container: str, path: str | None, kind: str, waiting: Sink | None) -> IO[bytes]:
    """Open the file of an archive: in place on this machine, else a temporary copy."""
    file: IO[bytes]
    if path is not None:
        try:
            file = open(path, "rb")  # noqa: SIM115
        except OSError as error:
            raise store_error(error) from error
    else:
        beat = waiting.keep_alive if waiting else lambda: None
        file = fetch(container, limit=_room(), beat=beat, spool=0)
    if kind == "zip":
        return file
    start = file.read(6)
    file.seek(0)
    if start.startswith(b"\x1f\x8b"):
        import gzip

        return _unpacked(file, gzip.GzipFile(fileobj=file, mode="rb"), waiting)
    if start.startswith(b"BZh"):
        import bz2

        return _unpacked(file, bz2.BZ2File(file), waiting)
    if start.startswith(b"\xfd7zXZ"):
        import lzma

        return _unpacked(file, lzma.LZMAFile(file), waiting)
    return file


def _unpacked(file: IO[bytes], stream: Any, waiting: Sink | None) -> IO[bytes]:
    """Decompress into a temporary file, as seeking back would decompress from the start."""
    sink = Sink(_room(), spool=0)
    try:
        with file, stream:
            while data := stream.read(1 << 20):
                sink.write(data)
                sink.keep_alive()  # decompression may be slow without any time-out
                if waiting is not None:
                    waiting.keep_alive()
        return sink.whole()
    except StoreError:
        sink.file.close()
        raise
    except Exception as error:
        sink.file.close()
        raise archive_error(error) from error


def _room() -> int:
    return min(limits.ARCHIVE_LIMIT, shutil.disk_usage(tempfile.gettempdir()).free // 2)
