"""Compare the contents of files; each is read at most once."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection

from mnv2cli.system.files import content_digest


class Contents:
    """Compare files, and remember their statuses and digests."""

    def __init__(self) -> None:
        # Device, inode and size of regular files.
        self._statuses: dict[str, tuple[int, int, int] | None] = {}
        self._digests: dict[str, str] = {}

    def are_same(self, path: str, size: int, other: str) -> bool:
        """Return whether two paths are the same file, or have the same content."""
        one, two = self._status(path), self._status(other)
        if one is None or two is None:  # a broken link, or just removed
            return False
        if one[1] and one[:2] == two[:2]:  # 0 is not a number: some network drives have no other
            return True
        return two[2] == size and self._digest(path) == self._digest(other) != ""

    def are_among(self, digests: Collection[str], *paths: str) -> bool:
        """Return whether files have contents with one of some SHA-256."""
        return all(self._digest(path) in digests for path in paths)

    def _status(self, path: str) -> tuple[int, int, int] | None:
        """Return device, inode and size of a regular file; remembered."""
        if path not in self._statuses:
            try:
                status = os.stat(path)
                is_file = stat.S_ISREG(status.st_mode)
                found = (status.st_dev, status.st_ino, status.st_size) if is_file else None
            except (OSError, ValueError):
                found = None
            self._statuses[path] = found
        return self._statuses[path]

    def _digest(self, path: str) -> str:
        """Return the SHA-256 of a file, empty if it cannot be read; remembered."""
        if path not in self._digests:
            try:
                self._digests[path] = content_digest(path)
            except OSError:
                self._digests[path] = ""
        return self._digests[path]
