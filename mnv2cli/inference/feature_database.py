"""The database of computed features: one SQLite file in the cache folder.

It has a rollback journal, not a write-ahead log, which requires shared memory and therefore fails
on network drives. A killed process leaves a journal, which the next one rolls back.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterable
from contextlib import closing, suppress
from time import time

from mnv2cli.errors import OutputError
from mnv2cli.system.folders import cache_folder
from mnv2cli.system.messages import reason

NAME = "features-1.sqlite3"
"""The file in the cache folder; another layout gets another number."""

_DAMAGED = f"{NAME}.damaged"
_JOURNAL = "-journal"
_WAIT = 2.0  # seconds for a transaction of another process
_PAGE = 16384  # bytes; three rows of 1,280 features fill one
_KEEP = 0.9  # of the largest size, once it is exceeded

_TABLES = """
CREATE TABLE IF NOT EXISTS features (
    id INTEGER PRIMARY KEY, digest BLOB NOT NULL, key BLOB NOT NULL, used INTEGER NOT NULL,
    content BLOB NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS by_content ON features (digest, key);
CREATE INDEX IF NOT EXISTS by_use ON features (used);
CREATE TABLE IF NOT EXISTS files (
    path BLOB PRIMARY KEY, state TEXT NOT NULL, digest BLOB NOT NULL) WITHOUT ROWID;
"""
"""``files`` has the digest of each file's content, so that an unchanged file is not read again."""


class FeatureDatabase:
    """An open database; not thread-safe.

    Args:
        path: The file; created if it does not exist.
        max_bytes: Its largest size, roughly.

    Raises:
        sqlite3.Error: As each method: the file is damaged, locked, or cannot be written.
        PermissionError: The file belongs to another user.
        OSError: The folder cannot be created.
    """

    def __init__(self, path: str, max_bytes: int) -> None:
        self.path = path
        self._max_bytes = max_bytes
        self._create()
        self.number = os.stat(path).st_ino
        self._connection = connection = _connect(path)
        try:
            if not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                connection.execute(f"PRAGMA page_size = {_PAGE}")
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
                connection.executescript(f"BEGIN IMMEDIATE; {_TABLES} COMMIT;")
            self.digest(b"", "")  # checks the tables
            self.content(b"", b"")
        except BaseException:
            connection.close()
            raise

    def _create(self) -> None:
        """Create the file, which only this user may read; refuse another user's file."""
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        try:
            descriptor = os.open(self.path, flags, 0o600)
        except PermissionError:  # may still be readable
            descriptor = os.open(self.path, os.O_RDONLY)
        except OSError:
            if not os.path.exists(self.path):
                raise
            descriptor = os.open(self.path, os.O_RDONLY)  # a read-only file system
        with closing(os.fdopen(descriptor, "rb")) as file:
            found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise PermissionError(0, "not a regular file")
        if hasattr(os, "geteuid") and found.st_uid not in (os.geteuid(), 0):
            raise PermissionError(0, "it belongs to another user")

    def digest(self, path: bytes, state: str) -> bytes | None:
        """Return the digest of an unchanged file's content, or None."""
        found = self._connection.execute(
            "SELECT digest FROM files WHERE path = ? AND state = ?", (path, state)
        ).fetchone()
        return found and bytes(found[0])

    def content(self, digest: bytes, key: bytes) -> tuple[bytes, int] | None:
        """Return stored features and the time of their last use in seconds since 1970, or None."""
        found = self._connection.execute(
            "SELECT content, used FROM features WHERE digest = ? AND key = ?", (digest, key)
        ).fetchone()
        return found and (bytes(found[0]), int(found[1]))

    def write(
        self,
        rows: Iterable[tuple[bytes, bytes, bytes]],
        files: Iterable[tuple[bytes, str, bytes]],
        used: Iterable[tuple[bytes, bytes]],
    ) -> None:
        """Store features, digests of files, and uses, in one transaction.

        Args:
            rows: Digest, key and content of each.
            files: Path, state and digest of each.
            used: Digest and key of each.
        """
        now = int(time())
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany(
                "INSERT OR REPLACE INTO features (digest, key, used, content) VALUES (?, ?, ?, ?)",
                [(digest, key, now, content) for digest, key, content in rows],
            )
            connection.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", files)
            connection.executemany(
                "UPDATE features SET used = ? WHERE digest = ? AND key = ?",
                [(now, digest, key) for digest, key in used],
            )
            connection.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise

    def shrink(self) -> None:
        """Remove the least recently used features if the database is larger than allowed."""
        connection = self._connection
        size = self._number("page_count") * self._number("page_size")
        if size <= self._max_bytes:
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            rows = int(connection.execute("SELECT COUNT(*) FROM features").fetchone()[0])
            removed = -int(-rows * (1 - _KEEP * self._max_bytes / size) // 1)
            connection.execute(
                "DELETE FROM features WHERE id IN (SELECT id FROM features ORDER BY used, id "
                "LIMIT ?)",
                (removed,),
            )
            connection.execute(
                "DELETE FROM files WHERE digest NOT IN (SELECT digest FROM features)"
            )
            connection.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        connection.executescript("PRAGMA incremental_vacuum")  # execute would free one page

    def _number(self, name: str) -> int:
        return int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_WAIT, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        connection.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        connection.close()
        raise
    return connection


def database_path() -> str:
    """Return the path of the database in the cache folder."""
    return os.path.join(cache_folder(), NAME)


def is_damaged(error: Exception) -> bool:
    """Return whether an error of SQLite means that the file is not a sound database.

    Errors of locks, permissions and disks are subclasses; that of a missing table is
    :class:`sqlite3.OperationalError`, too.
    """
    if isinstance(error, sqlite3.OperationalError):
        return "no such" in str(error)
    return isinstance(error, sqlite3.DatabaseError)


def move_aside(path: str, number: int) -> None:
    """Rename a damaged database, unless another process has already done so.

    Its journal is removed first: it must never be rolled back into the next database.

    Args:
        path: The database.
        number: The inode of the damaged file.

    Raises:
        OSError: It cannot be renamed.
    """
    with suppress(FileNotFoundError):
        if os.stat(path).st_ino != number:
            return
        with suppress(FileNotFoundError):
            os.unlink(path + _JOURNAL)
        os.replace(path, os.path.join(os.path.dirname(path), _DAMAGED))


def remove_features(*, dry_run: bool = False) -> int:
    """Remove the database of features, and a damaged one that was moved aside.

    Args:
        dry_run: Remove nothing.

    Returns:
        The size in bytes of what is removed; 0 if there is none.

    Raises:
        OutputError: It cannot be removed, or another process is writing to it.
    """
    path = database_path()
    found = [path, path + _JOURNAL, os.path.join(cache_folder(), _DAMAGED)]
    found = [each for each in found if os.path.lexists(each)]
    size = sum(os.lstat(each).st_size for each in found)
    if dry_run or not found:
        return size
    try:
        with closing(_connect(path)) as connection:
            connection.execute("BEGIN EXCLUSIVE")  # waits for the transaction of another process
    except sqlite3.Error as error:
        if "locked" in str(error):
            raise OutputError(
                f"cannot remove {path}: another run is writing to it", "Try again after that run."
            ) from error
    for each in found:
        try:
            with suppress(FileNotFoundError):
                os.unlink(each)
        except OSError as error:
            raise OutputError(
                f"cannot remove {each}: {reason(error)}", "Check the permissions of its folder."
            ) from error
    return size
