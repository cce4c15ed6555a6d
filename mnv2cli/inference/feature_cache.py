"""The cache of features: the second look at a photo neither decodes it nor runs the network.

Features are found by a digest of the file's content and by a key of the network, so a renamed or
copied photo is found, too. A second table has the digests of files that have not changed since, by
size, times and inode, so that their content is not even read.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import stat
import threading
from collections import OrderedDict
from dataclasses import dataclass
from time import monotonic, time
from typing import TYPE_CHECKING

from mnv2cli.events import Notice, ignore_notice
from mnv2cli.inference.feature_database import (
    FeatureDatabase,
    database_path,
    is_damaged,
    move_aside,
)
from mnv2cli.sources.urls import is_url
from mnv2cli.system.files import content_digest
from mnv2cli.system.messages import reason

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_BYTES = 1 << 30
"""The size of the cache: about 200,000 photos."""

_LARGEST_FILE = 1 << 28  # bytes; reading a larger one twice costs more than it saves
_YOUNG = 2.0  # seconds; within this, a file may change without changing its times
_FLUSH_ROWS = 64
_FLUSH_SECONDS = 2.0
_MAX_PENDING = 4096  # rows that wait for a lock of another process
_MAX_KNOWN = 4096  # digests of photos that are being decoded
_SHRINK_ROWS = 2048  # checks of the size are this far apart
_USE_SECONDS = 3600  # a use is recorded again after that


@dataclass(frozen=True)
class _Content:
    """The content of a file at one time.

    Attributes:
        state: Its size, times and inode.
        digest: SHA-256 of the content.
        is_settled: It was old enough that a later change also changes the state.
    """

    state: str
    digest: bytes
    is_settled: bool


class FeatureCache:
    """Features of photos, found by content; may be used by many threads and processes.

    It never fails: what cannot be read is a miss, and what cannot be written is forgotten.

    Args:
        key: Identifies everything else that the features depend on: the network with its
            weights, the engine's precision, the image options.
        size: The number of features of a photo.
        max_bytes: The size of the file, roughly; the least recently used features are removed.
        notify: Called at most once, with the reason why the cache cannot be used.
    """

    def __init__(
        self,
        key: str,
        size: int,
        max_bytes: int = MAX_BYTES,
        notify: Notice = ignore_notice,
    ) -> None:
        self._key = hashlib.sha256(f"{size} {key}".encode()).digest()[:16]
        self._size = size
        self._max_bytes = max_bytes
        self._notify = notify
        self._has_notified = self._was_damaged = False
        self._lock = threading.Lock()
        self._known: OrderedDict[str, _Content] = OrderedDict()
        self._rows: list[tuple[bytes, bytes, bytes]] = []
        self._files: list[tuple[bytes, str, bytes]] = []
        self._used: list[tuple[bytes, bytes]] = []
        self._flushed = monotonic()
        self._written = 0
        self._is_writable = True
        self._database: FeatureDatabase | None = None
        self._open()

    def find(self, path: str) -> NDArray[np.float32] | None:
        """Return the features of a photo as float32 [size], or None.

        URLs, photos in archives, and unreadable files are never found.
        """
        if self._database is None:
            return None
        content = self._content(path)
        if content is None:
            return None
        with self._lock:
            found = self._look_up(content.digest)
            if found is None:
                self._known[path] = content
                while len(self._known) > _MAX_KNOWN:
                    self._known.popitem(last=False)
                return None
            stored, used = found
            if time() - used > _USE_SECONDS:
                self._used.append((content.digest, self._key))
            self._flush_if_due()
        return self._checked(stored)

    def add(self, path: str, features: NDArray[np.float32]) -> None:
        """Store the features of a photo that :meth:`find` has not found.

        Args:
            path: The photo; ignored if it has changed since :meth:`find` was called with it.
            features: float32 [size].
        """
        with self._lock:
            known = self._known.pop(path, None)
        if known is None or self._database is None or not self._is_writable:
            return
        if not known.is_settled:
            now = _read_content(path)
            if now is None or now.digest != known.digest:
                return
        elif _state_of(path)[0] != known.state:
            return
        stored = features.astype("<f4").tobytes()
        if self._checked(stored) is None:
            return
        with self._lock:
            self._rows.append((known.digest, self._key, stored))
            self._flush_if_due()

    def digest(self, path: str) -> str:
        """Return the SHA-256 of a photo's content in hexadecimal; empty if it cannot be read.

        The content of a file that has not changed since is not read again.
        """
        content = self._content(path)
        return content.digest.hex() if content else ""

    def find_content(self, digest: str) -> NDArray[np.float32] | None:
        """Return the features of a photo by the SHA-256 of its content in hexadecimal, or None."""
        with self._lock:
            found = self._look_up(bytes.fromhex(digest))
        return found and self._checked(found[0])

    def close(self) -> None:
        """Store what is pending, and close the file; nothing is found after that."""
        with self._lock:
            self._flush()
            if self._written:
                self._shrink()
            if self._database is not None:
                self._database.close()
                self._database = None

    # The content of files

    def _content(self, path: str) -> _Content | None:
        if is_url(path):
            return None
        state, is_settled = _state_of(path)
        if not state:
            return None
        name = os.fsencode(os.path.abspath(path))
        if is_settled:
            with self._lock:
                digest = self._digest(name, state)
            if digest is not None:
                return _Content(state, digest, is_settled)
        content = _read_content(path)
        if content is not None and content.is_settled:
            with self._lock:
                self._files.append((name, content.state, content.digest))
        return content

    def _checked(self, stored: bytes) -> NDArray[np.float32] | None:
        """Return stored features, or None if they are not ``size`` finite numbers."""
        import numpy as np

        if len(stored) != 4 * self._size:
            return None
        features = np.frombuffer(stored, "<f4").astype(np.float32)
        return features if np.isfinite(features).all() else None

    # The database; the lock is held

    def _open(self) -> None:
        try:
            self._database = FeatureDatabase(database_path(), self._max_bytes)
        except sqlite3.Error as error:
            self._failed(error)
        except OSError as error:
            self._give_up(reason(error))

    def _digest(self, name: bytes, state: str) -> bytes | None:
        try:
            return self._database.digest(name, state) if self._database else None
        except sqlite3.Error as error:
            self._failed(error)
            return None

    def _look_up(self, digest: bytes) -> tuple[bytes, int] | None:
        try:
            return self._database.content(digest, self._key) if self._database else None
        except sqlite3.Error as error:
            self._failed(error)
            return None

    def _flush_if_due(self) -> None:
        if len(self._rows) >= _FLUSH_ROWS or monotonic() - self._flushed > _FLUSH_SECONDS:
            self._flush()

    def _flush(self) -> None:
        self._flushed = monotonic()
        if self._database is None or not self._is_writable:
            self._forget()
        if self._database is None or not (self._rows or self._files or self._used):
            return
        try:
            self._database.write(self._rows, self._files, self._used)
        except sqlite3.Error as error:
            self._failed(error, writing=True)
            if len(self._rows) > _MAX_PENDING or len(self._files) > _MAX_PENDING:
                self._forget()
            return
        self._written += len(self._rows)
        self._forget()
        if self._written >= _SHRINK_ROWS:
            self._shrink()

    def _forget(self) -> None:
        self._rows, self._files, self._used = [], [], []

    def _shrink(self) -> None:
        self._written = 0
        try:
            if self._database is not None:
                self._database.shrink()
        except sqlite3.Error as error:
            self._failed(error, writing=True)

    def _failed(self, error: sqlite3.Error, *, writing: bool = False) -> None:
        """Begin a damaged database anew; else stop writing, or use no cache."""
        text = str(error)
        if is_damaged(error) and not self._was_damaged:
            self._was_damaged = True
            self._begin_anew()
        elif "locked" in text:
            return  # another process is writing: this time it is a miss
        elif writing:
            self._is_writable = False
            self._notice(f"features will not be cached: {text}")
        else:
            self._give_up(text)

    def _begin_anew(self) -> None:
        path = database_path()
        try:
            number = self._database.number if self._database else os.stat(path).st_ino
            if self._database is not None:
                self._database.close()
                self._database = None
            move_aside(path, number)
        except OSError as error:
            self._give_up(reason(error))
            return
        self._open()

    def _give_up(self, why: str) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None
        self._notice(f"the feature cache cannot be used: {why}")

    def _notice(self, text: str) -> None:
        if not self._has_notified:
            self._has_notified = True
            self._notify(text)


def _state_of(path: str) -> tuple[str, bool]:
    """Return what changes when a file does, and whether a later change is sure to change it.

    The state is empty for anything but a readable regular file of moderate size.
    """
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return "", False
    if not stat.S_ISREG(found.st_mode) or found.st_size > _LARGEST_FILE:
        return "", False
    state = f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_dev} {found.st_ino}"
    return state, time() - max(found.st_mtime, found.st_ctime) > _YOUNG


def _read_content(path: str) -> _Content | None:
    """Return the content of a file; None if it cannot be read, or changes meanwhile."""
    state, is_settled = _state_of(path)
    if not state:
        return None
    try:
        digest = bytes.fromhex(content_digest(path))
    except OSError:
        return None
    if _state_of(path)[0] != state:
        return None
    return _Content(state, digest, is_settled)
